/* script.h - a test plays the peer of one stack, a line for each segment (notation.h).
 *
 *     struct script *t = script_listen(&parameters);
 *     inject(t, "S 0 <mss 1460, sackOK, ts 100, cookie>");
 *     expect(t, "S. 0 ack 1 <mss 1460, sackOK, ts ecr 100, cookie>");
 *     inject(t, ". 1+10 ack 1 <tsx 101, pair, mss 1460, sackOK>");
 *
 * What the script cannot know it learns: the stack's ISN and port from its <SYN>, its timestamps
 * and its cookie from whatever it expected last. Larger timestamps have the prefixes that the
 * Initiator chose, and the stack must echo the peer's. What is not said has a default: a window of
 * 65535, an acknowledgment of all that was expected, TS Echo Reply of the last TS Value. Data is
 * a pattern that depends on its place in the stream, unless inject_data or expect_data give it.
 *
 * The stack has the address 10.0.0.1 or fd00::1, the peer 10.0.0.2 or fd00::2.
 */
#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

#include "tcpct/md5sig.h"
#include "tests/sim/notation.h"
#include "tests/sim/sim.h"

enum { SCRIPT_QUEUE = 256, SCRIPT_ISN = 0xfffffff0u }; /* soon wraps */

struct script {
    struct sim_host host; /* without a link */
    struct tcpct_listener *listener;
    struct tcpct_connection *connection; /* made by script_connect */
    struct sim_log *log;
    uint64_t now_us;
    struct tcpct_address stack_address, peer_address;
    uint16_t stack_port, peer_port;
    uint8_t cookie_size;
    bool initiator; /* the peer is */
    uint8_t cookie[COOKIE_SIZE_MAX], stack_cookie[COOKIE_SIZE_MAX];
    struct md5sig *md5sig; /* NULL: nothing is signed */
    const struct md5_key *key;

    uint32_t iss, irs; /* of the peer; of the stack */
    uint32_t next;     /* relative: one past the highest that was expected */
    uint32_t stack_timestamp;
    uint8_t prefix[12], stack_prefix[12]; /* of larger timestamps, in network order */
    enum tcpct_verdict verdict;           /* of the last packet injected */

    struct segment last; /* what was expected last, and when it left */
    uint8_t last_bytes[2048];
    uint64_t last_us;

    struct script_packet {
        uint64_t at_us;
        size_t length;
        uint8_t bytes[2048];
    } queue[SCRIPT_QUEUE]; /* sent by the stack, not yet expected */
    unsigned queue_first, queue_count;
};

/* A stack with a listener on SIM_PORT, or one that connects to it. `config`, `given`: what
 * differs from the default; NULL: nothing. `family` is 4 or 6. Either must be ended by script_end
 * when the test succeeded; script_teardown is for cmocka. */
struct script *script_listen(unsigned family, const struct tcpct_config *config,
                             const struct tcpct_listen_options *given);
struct script *script_connect(unsigned family, const struct tcpct_config *config,
                              const struct tcpct_connect_options *given);
/* The next script's stack and its peer sign everything with this key (RFC 2385). */
void script_use_key(const char *key);
void script_end(struct script *script);
int script_teardown(void **state);

void inject(struct script *script, const char *text);
void inject_data(struct script *script, const char *text, const void *data, size_t size);
/* inject, and the verdict must be this. */
#define inject_verdict(script, text, expected)         \
    do {                                               \
        inject(script, text);                          \
        assert_int_equal((script)->verdict, expected); \
    } while (0)

/* The next packet that the stack sends, now or (if it waited in between) since. */
void expect_at(struct script *script, const char *text, const void *data, size_t size,
               const char *file, int line);
#define expect(script, text) expect_at(script, text, NULL, 0, __FILE__, __LINE__)
#define expect_data(script, text, data, size) \
    expect_at(script, text, data, size, __FILE__, __LINE__)
void expect_nothing_at(struct script *script, const char *file, int line);
#define expect_nothing(script) expect_nothing_at(script, __FILE__, __LINE__)

/* Lets time pass; what is sent meanwhile waits to be expected. */
void script_wait(struct script *script, uint64_t duration_us);

/* The pattern: byte `offset` of either stream. */
uint8_t script_byte(uint32_t offset);
/* Has the stack send the pattern's bytes [offset, offset + size), all at once. */
void script_send(struct tcpct_connection *connection, uint32_t offset, uint32_t size);
/* Reads that many bytes and compares. */
void script_receive(struct tcpct_connection *connection, uint32_t offset, uint32_t size);
/* The next connection of the listener; fails if there is none. */
struct tcpct_connection *script_accept(struct script *script);
enum tcpct_state script_state(const struct tcpct_connection *connection);
struct tcpct_counters script_counters(const struct script *script);

#endif
