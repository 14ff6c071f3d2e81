/* peer.h - plain TCP connections with a scripted peer (tests/sim/script.h), and what the notation
 * has no words for: marks of ECN, and ICMP.
 *
 * The peer of peer_connect and peer_accept is at its sequence number 1, and so is the stack;
 * everything of the handshake is over.
 */
#ifndef TESTS_PEER_H
#define TESTS_PEER_H

#include "tests/sim/script.h"

enum { MILLISECOND = 1000, SECOND = 1000000 };

/* Arguments of cmocka's tests; defined here so that a test needs few lines. */
#define TEST(name) cmocka_unit_test_teardown(test_##name, script_teardown)

/* The stack connects. `options` are those of the peer's <SYN,ACK>, which takes rtt_us. */
struct script *peer_connect(const char *options, uint64_t rtt_us,
                            const struct tcpct_config *config);
/* The same over IPv6. */
struct script *peer_connect6(const char *options, uint64_t rtt_us);
/* The peer connects, and script->connection is what the listener accepted. */
struct script *peer_accept(const char *options, const struct tcpct_config *config);

/* inject, with this ECN field in the IP header. */
void peer_inject_marked(struct script *script, const char *text, uint8_t mark);

/* The packets sent so far are thrown away; how many there were. */
unsigned peer_skip(struct script *script);

struct tcpct_info peer_info(const struct script *script);

/* An ICMP or ICMPv6 error from a router, whose second word is `word` (the MTU), that quotes a
 * packet of the stack with this relative sequence number. */
enum tcpct_verdict peer_icmp(struct script *script, uint8_t type, uint8_t code, uint32_t word,
                             uint32_t quoted_seq);

#endif
