/* dig.c - tcpct dig: a DNS query over TCP Cookie Transactions, and what it took.
 *
 * The query travels in the <SYN>, since it may be executed more than once. If the whole answer
 * comes in the <SYN,ACK(SYN)>, the connection is closed in that same turn, and nothing more is
 * sent. Otherwise the program stays for a moment after the answer, so that both FINs are
 * acknowledged and counted.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "dns/framing.h"
#include "tools/dig_report.h"
#include "tools/dig_udp.h"
#include "tools/remember_file.h"

enum { LINGER_MIN_US = 1000, ERROR_SIZE = 512 };

struct dig {
    struct dig_options options;

    struct dig_udp udp;
    bool goes_on;     /* the answer over UDP was cut, or none: the question goes on over TCPCT */
    bool cookie_sent; /* the server's, after the first was bad */
    unsigned udp_trips;
    uint64_t udp_us, udp_packets, udp_bytes; /* what was in vain took, and what was sent */

    struct endpoint endpoint;
    struct remember_file remembered;
    struct loop *loop;
    struct tcpct_connection *connection; /* NULL: none now */
    struct framing framing;
    uint8_t query[2 + DIG_QUERY_SIZE_MAX];
    size_t query_size;
    uint64_t started_us, connected_us; /* connected_us 0: not yet */
    uint64_t deadline_us;
    uint64_t resume_us; /* when the next transaction begins, at the earliest */
    struct tcpct_counters before;
    uint64_t foreign_packets, foreign_bytes; /* that came since and were not for us */
    struct dig_cost cost;                    /* of the present transaction */
    bool answered;                           /* and the FINs are being exchanged */
    uint64_t done, tried;
    uint64_t *times_us; /* of each answer, if there are several */
};

/* ---- a transaction ------------------------------------------------------------------------- */

/* Over UDP, at first. */
static int begin_udp(struct dig *dig, uint64_t now_us)
{
    size_t size =
        dig_udp_ask(&dig->udp, dig->endpoint.device, dig->query + 2, dig->query_size - 2, now_us);
    dig->udp_packets++;
    dig->udp_bytes += size;
    return size > 0 ? TCPCT_OK : TCPCT_ERROR_INVALID;
}

/* The last of several tries is plain TCP: the stack waits longer than we do before it gives up what a
 * path may not let through. */
static int begin(struct dig *dig, uint64_t now_us)
{
    enum dig_mode mode = dig->options.mode;
    struct tcpct_connect_options options = {
        .remote = dig->options.server,
        .remote_port = dig->options.port,
        .parameters = dig->options.endpoint.parameters,
        .window = dig->options.endpoint.window,
        .restart = mode == DIG_RESTART,
        .request = dig->query,
        .user = dig,
    };
    dig->options.question.options = dig->options.cookie.option;
    dig->options.question.options_size = dig->options.cookie.size;
    loop_random(NULL, &dig->options.question.id, sizeof dig->options.question.id);
    size_t size = dns_query_write(dig->query + 2, DIG_QUERY_SIZE_MAX, &dig->options.question);
    dns_put16(dig->query, (uint16_t)size);
    dig->query_size = options.request_size = 2 + size;
    if (mode != DIG_SYN_DATA && mode != DIG_RESTART && mode != DIG_UDP)
        options.parameters.syn_data_limit = 0;
    bool last = dig->options.tries > 1 && dig->tried == dig->options.tries - 1;
    if (mode == DIG_PLAIN || mode == DIG_FAST_OPEN || last)
        options.parameters.cookie_desired = 0;
    options.fast_open = mode == DIG_FAST_OPEN && !last;
    options.restart &= !last;
    framing_release(&dig->framing);
    if (dig->udp_trips == 0 && dig->tried == 0) {
        tcpct_counters(dig->endpoint.stack, &dig->before);
        dig->foreign_packets = dig->foreign_bytes = 0;
    }
    dig->started_us = now_us;
    dig->connected_us = 0;
    dig->answered = false;
    dig->deadline_us = now_us + dig->options.timeout_us;
    dig->tried++;
    if (mode == DIG_UDP && !dig->goes_on)
        return begin_udp(dig, now_us);
    return tcpct_connect(dig->endpoint.stack, &options, &dig->connection, now_us);
}

/* An answer that ends in the <SYN,ACK(SYN)>, or follows it at once, takes one. Otherwise they are elapsed time in units of
 * the first, <SYN> to <SYN,ACK>, rounded, and at least two: the time that bytes take on a slow
 * link counts too. `tcpct dump` counts exactly. */
static unsigned count_round_trips(const struct dig *dig)
{
    uint64_t first_us = dig->connected_us - dig->started_us;
    bool one = dig->cost.mode == DIG_FAST_OPEN || dig->cost.mode == DIG_RESTART;
    unsigned least = one ? 1 : 2;
    if (dig->cost.time_us <= first_us)
        return 1;
    uint64_t rounds = first_us > 0 ? (dig->cost.time_us + first_us / 2) / first_us : least;
    return rounds > least ? (unsigned)rounds : least;
}

static void take_answer(struct dig *dig, const uint8_t *message, size_t size, uint64_t now_us)
{
    struct tcpct_info info;
    tcpct_connection_info(dig->connection, &info);
    tcpct_close(dig->connection);
    dig->connection = NULL;
    dig->answered = true;
    dig->cost.answer_size = size;
    dig->cost.rcode = dig_rcode(message, size);
    dig->cost.time_us = now_us - dig->started_us;
    dig->cost.mode = info.fast_open            ? DIG_FAST_OPEN
                     : !info.cookies           ? DIG_PLAIN
                     : info.restarted          ? DIG_RESTART
                     : info.syn_ack_data_taken ? DIG_SYN_DATA
                                               : DIG_COLD;
    dig->cost.round_trips = count_round_trips(dig);
    if (dig->done == 0 && !dig->options.json)
        dig_print_answer(message, size, dig->cost.time_us);
    uint64_t linger_us = dig->cost.time_us > LINGER_MIN_US ? dig->cost.time_us : LINGER_MIN_US;
    dig->deadline_us = now_us + linger_us;
}

/* Whether what came over UDP is no answer: another try follows, in the next turn's begin(). Of a bad
 * cookie once with the server's, then over TCPCT (RFC 7873, 5.3). */
static bool is_in_vain(struct dig *dig, const struct udp_datagram *answer, uint64_t now_us)
{
    bool bad = !dig_cookie_accepted(&dig->options.cookie, answer->data, answer->size);
    dig->goes_on = (dns_get16(answer->data + 2) & DNS_FLAG_TC) != 0 || (bad && dig->cookie_sent);
    dig->cookie_sent |= bad;
    if (!dig->goes_on && !bad)
        return false;
    dig->udp_us += now_us - dig->started_us;
    dig->udp_trips++;
    return true;
}

/* A packet that is not of a connection: the answer over UDP, or another. */
static void other_packet(void *context, const struct tcpct_packet *packet, uint64_t now_us)
{
    struct dig *dig = context;
    struct udp_datagram answer;
    if (!dig_udp_take(&dig->udp, packet, dig->options.question.id, &answer)) {
        dig->foreign_packets++;
        dig->foreign_bytes += packet->length;
        return;
    }
    dig->udp.asking = false;
    dig->tried = 0;
    if (is_in_vain(dig, &answer, now_us))
        return;
    dig->answered = true;
    dig->cost.answer_size = answer.size;
    dig->cost.rcode = dig_rcode(answer.data, answer.size);
    dig->cost.time_us = now_us - dig->started_us;
    dig->cost.mode = DIG_UDP;
    dig->cost.round_trips = 1;
    if (dig->done == 0 && !dig->options.json)
        dig_print_answer(answer.data, answer.size, dig->udp_us + dig->cost.time_us);
}

static void finish(struct dig *dig, uint64_t now_us)
{
    struct tcpct_counters after;
    tcpct_counters(dig->endpoint.stack, &after);
    dig->cost.packets_sent = after.packets_out - dig->before.packets_out;
    dig->cost.packets_received = after.packets_in - dig->before.packets_in - dig->foreign_packets;
    dig->cost.bytes_sent = after.bytes_out - dig->before.bytes_out;
    dig->cost.bytes_received = after.bytes_in - dig->before.bytes_in - dig->foreign_bytes;
    dig->cost.packets_sent += dig->udp_packets;
    dig->cost.bytes_sent += dig->udp_bytes;
    dig->cost.time_us += dig->udp_us;
    dig->cost.round_trips += dig->udp_trips;
    dig->goes_on = dig->cookie_sent = false;
    dig->udp_trips = 0;
    dig->udp_us = dig->udp_packets = dig->udp_bytes = 0;
    dig->times_us[dig->done++] = dig->cost.time_us;
    dig->resume_us = now_us + dig->options.pause_us;
    dig->answered = false;
    dig->tried = 0;
    dig_print_cost(&dig->cost, dig->options.json);
}

/* Tries again, or says why there is no answer. */
static void fail(struct dig *dig, const char *reason)
{
    char server[46];
    if (dig->connection)
        tcpct_abort(dig->connection);
    dig->connection = NULL;
    dig->udp.asking = false;
    if (dig->tried < dig->options.tries)
        return;
    loop_stop(dig->loop, command_error("dig", 1, "no answer from %s port %u: %s",
                                       address_text(&dig->options.server, server, sizeof server),
                                       dig->options.port, reason));
}

static void read_answer(struct dig *dig, uint64_t now_us)
{
    for (;;) {
        const uint8_t *message;
        size_t size;
        uint8_t *space;
        enum framing_verdict verdict = framing_next(&dig->framing, &message, &size);
        if (verdict == FRAMING_MESSAGE && dns_get16(message) == dig->options.question.id) {
            take_answer(dig, message, size, now_us);
            return;
        }
        if (verdict == FRAMING_MESSAGE)
            continue; /* an answer to nothing that was asked */
        if (verdict != FRAMING_MORE) {
            fail(dig, verdict == FRAMING_NO_MEMORY ? "there is no memory"
                                                   : "it sends something that is not DNS");
            return;
        }
        size_t room = framing_space(&dig->framing, &space);
        ptrdiff_t got = tcpct_receive(dig->connection, space, room);
        if (got == TCPCT_ERROR_CLOSED)
            fail(dig, "it closed the connection without one");
        else if (got < 0)
            fail(dig, tcpct_error_text((int)got));
        if (got <= 0)
            return;
        framing_add(&dig->framing, (size_t)got);
    }
}

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    struct dig *dig = context;
    struct tcpct_event event;
    while (tcpct_event(stack, &event)) {
        if (!dig->connection || event.connection != dig->connection)
            continue;
        if (!dig->connected_us && event.flags & TCPCT_EVENT_CONNECTED)
            dig->connected_us = now_us;
        if (event.flags & TCPCT_EVENT_ERROR)
            fail(dig, tcpct_error_text(tcpct_connection_error(dig->connection)));
        else if (event.flags & TCPCT_EVENT_READABLE)
            read_answer(dig, now_us);
    }
    if ((dig->connection || dig->udp.asking) && now_us >= dig->deadline_us)
        fail(dig, "the time is over");
    if (dig->answered && (now_us >= dig->deadline_us || tcpct_connection_count(stack) == 0))
        finish(dig, now_us);
    if (dig->done == dig->options.repeat) {
        loop_stop(dig->loop, 0);
        return;
    }
    if (now_us < dig->resume_us) {
        loop_deadline(dig->loop, dig->resume_us);
        return;
    }
    if (!dig->connection && !dig->udp.asking && !dig->answered && dig->tried < dig->options.tries) {
        int error = begin(dig, now_us);
        if (error) {
            dig->tried = dig->options.tries;
            fail(dig, tcpct_error_text(error));
        }
    }
    loop_deadline(dig->loop, dig->deadline_us);
}

static void take_signal(void *context, int signal_number)
{
    const struct dig *dig = context;
    loop_stop(dig->loop, 128 + signal_number);
}

static int open_remembered(struct dig *dig)
{
    char error[ERROR_SIZE];
    if (!dig->options.remember_path ||
        remember_file_open(&dig->remembered, dig->options.remember_path, dig->endpoint.stack, error,
                           sizeof error))
        return 0;
    return command_error("dig", 1, "%s", error);
}

static int save_remembered(struct dig *dig)
{
    char error[ERROR_SIZE];
    if (dig->remembered.descriptor < 0 ||
        remember_file_save(&dig->remembered, dig->endpoint.stack, error, sizeof error))
        return 0;
    return command_error("dig", 1, "%s", error);
}

static int run(struct dig *dig)
{
    struct tcpct_config config = { 0 };
    struct loop_handlers handlers = {
        .serve = serve, .other_packet = other_packet, .signal = take_signal, .context = dig
    };
    dig->udp.server = dig->options.server;
    dig->udp.port = dig->options.port;
    for (size_t i = dig->options.endpoint.address_count; i-- > 0;)
        if (dig->options.endpoint.addresses[i].family == dig->options.server.family)
            dig->udp.local = dig->options.endpoint.addresses[i];
    int status = endpoint_open(&dig->endpoint, &dig->options.endpoint, &config);
    if (status != 0)
        return status;
    framing_begin(&dig->framing);
    dig->times_us = calloc(dig->options.repeat, sizeof *dig->times_us);
    dig->loop = loop_create(dig->endpoint.stack, dig->endpoint.device, &handlers);
    if (!dig->times_us || !dig->loop || loop_signal(dig->loop, SIGINT) != 0 ||
        loop_signal(dig->loop, SIGTERM) != 0)
        status = command_error("dig", 1, "cannot make the event loop: %s", strerror(errno));
    if (status == 0)
        status = open_remembered(dig);
    if (status == 0)
        status = endpoint_drop_privileges(&dig->options.endpoint);
    if (status == 0) {
        status = loop_run(dig->loop);
        if (status < 0)
            status = command_error("dig", 1, "the device is gone: %s", strerror(errno));
        if (dig->options.repeat > 1 && dig->done > 0 && !dig->options.json)
            dig_print_times(dig->times_us, dig->done);
    }
    int kept = save_remembered(dig);
    if (status == 0)
        status = kept;
    framing_release(&dig->framing);
    loop_destroy(dig->loop);
    free(dig->times_us);
    endpoint_close(&dig->endpoint);
    return status;
}

int command_dig(int argc, char **argv)
{
    static struct dig dig;
    dig = (struct dig){ .remembered = { .descriptor = -1 } };
    int status = dig_options_take(&dig.options, argc, argv);
    return status >= 0 ? status : run(&dig);
}
