/* malformed_test.c - some hundred valid queries, each of their bytes changed and each cut at every
 * length, over UDP, plain TCP and TCPCT: the answer is the one that `judge` says, or the stream is
 * closed; after each of them a good query, over a new connection, is answered.
 *
 * The queries come from a fixed seed. `judge` decides from header, question and EDNS alone, apart from
 * the parser under test.
 */
#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dns/datagrams.h"
#include "tcpct/ip.h"
#include "tcpct/udp.h"
#include "tests/dns/dns_case.h"
#include "tests/dns/queries.h"
#include "tests/dns/world.h"

enum {
    SEED = 6013,
    STREAM_MAX = 2 + QUERY_MAX,
    SECOND_US = 1000000,
    IDLE_US = 10 * SECOND_US,
    NEVER_US = 3 * IDLE_US, /* no stream lasts so long */
    PAUSE_US = 100000,      /* between two streams */
    REST_EVERY = 256,       /* streams, after which TIME-WAIT is waited for */
};

static struct query queries[QUERIES];
static char now_at[64]; /* which query and change, for messages */

static void require(bool condition, const char *what)
{
    if (!condition)
        fail_msg("%s: %s", now_at, what);
}

/* ---- what is expected ---------------------------------------------------------------------- */

enum expected {
    NOTHING,      /* no message to be answered */
    NOT_A_QUERY,  /* FORMERR */
    NOT_KNOWN,    /* NOTIMP */
    COOKIE_ONLY,  /* NOERROR without a question (RFC 7873, 5.4) */
    COOKIE_WRONG, /* BADCOOKIE, likewise */
    OTHER_EDNS,   /* BADVERS */
    NOT_OURS,     /* REFUSED */
    ANSWERED,     /* from the zone: NOERROR, NXDOMAIN or YXDOMAIN */
    EXPECTED_COUNT
};

/* What there is to know of an OPT record. */
struct opt {
    bool there;
    uint8_t version;
    uint16_t udp_size;
    size_t cookie; /* bytes */
};

/* RFC 6891, 6.1.2, and RFC 7873, 5.2: whether the options are sound. */
static bool judge_options(struct opt *opt, const uint8_t *at, size_t size)
{
    bool cookie_seen = false;
    for (size_t next; size > 0; at += next, size -= next) {
        if (size < 4 || (next = 4u + dns_get16(at + 2)) > size)
            return false;
        if (dns_get16(at) != 10 || cookie_seen)
            continue;
        cookie_seen = true;
        opt->cookie = next - 4;
        if (opt->cookie != 8 && (opt->cookie < 16 || opt->cookie > 40))
            return false;
    }
    return true;
}

/* RFC 1035, 4.1: bytes of a name at `at`, or 0; pointers are not followed. */
static size_t judge_name(const uint8_t *message, size_t size, size_t at, bool pointers)
{
    size_t begin = at;
    for (; at < size && message[at] != 0; at += 1u + message[at]) {
        if (pointers && message[at] >= 0xc0)
            return at + 2 - begin;
        if (message[at] > 63)
            return 0;
    }
    return at < size ? at + 1 - begin : 0;
}

/* Whether all records from `at` are there, with one OPT record at most, which is sound. */
static bool judge_records(struct opt *opt, const uint8_t *message, size_t size, size_t at)
{
    unsigned plain = dns_get16(message + 6) + dns_get16(message + 8);
    unsigned all = plain + dns_get16(message + 10);
    for (unsigned i = 0; i < all; i++) {
        size_t name = judge_name(message, size, at, true);
        const uint8_t *head = message + at + name;
        if (name == 0 || at + name + 10 > size)
            return false;
        at += name + 10u + dns_get16(head + 8);
        if (at > size)
            return false;
        if (i < plain || dns_get16(head) != DNS_OPT)
            continue;
        if (opt->there || name != 1)
            return false;
        *opt = (struct opt){ true, head[5], dns_get16(head + 2), 0 };
        if (opt->version == 0 && !judge_options(opt, head + 10, dns_get16(head + 8)))
            return false;
    }
    return true;
}

/* The zone is x, and nobody may have it whole. */
static enum expected judge(struct opt *opt, const uint8_t *message, size_t size)
{
    *opt = (struct opt){ .there = false };
    if (size < 12 || message[2] & 0x80)
        return NOTHING;
    if (message[2] & 0x78)
        return NOT_KNOWN;
    if (dns_get16(message + 4) == 0 && judge_records(opt, message, size, 12) && opt->cookie > 0)
        return opt->cookie == 8 ? COOKIE_ONLY : COOKIE_WRONG;
    if (dns_get16(message + 4) != 1)
        return NOT_A_QUERY;
    *opt = (struct opt){ .there = false };
    size_t name = judge_name(message, size, 12, false), end = 12 + name;
    if (name == 0 || name > 255 || end + 4 > size || !judge_records(opt, message, size, end + 4))
        return NOT_A_QUERY;
    if (opt->version > 0)
        return OTHER_EDNS;
    uint16_t type = dns_get16(message + end);
    if (dns_get16(message + end + 2) != 1 || type == DNS_AXFR || type == DNS_IXFR)
        return NOT_OURS;
    size_t last = 12;
    while (last + 1u + message[last] < end - 1)
        last += 1u + message[last];
    return name >= 3 && message[last] == 1 && (message[last + 1] | 0x20) == 'x' ? ANSWERED
                                                                                : NOT_OURS;
}

/* ---- a reply against it -------------------------------------------------------------------- */

static unsigned seen[EXPECTED_COUNT];

/* Its code, the OPT record's part included; the message must be one that ldns can read. */
static unsigned reply_code(const uint8_t *reply, size_t size, bool *edns)
{
    ldns_pkt *packet = NULL;
    require(ldns_wire2pkt(&packet, reply, size) == LDNS_STATUS_OK, "a malformed reply");
    unsigned code = ldns_pkt_get_rcode(packet) | (unsigned)ldns_pkt_edns_extended_rcode(packet)
                                                     << 4;
    *edns = ldns_pkt_edns(packet);
    ldns_pkt_free(packet);
    return code;
}

/* What the header says: flags, and whether the question is repeated. */
static void check_header(enum expected expected, bool datagram, const uint8_t *query,
                         const uint8_t *reply, size_t size)
{
    static const uint16_t always_clear = DNS_FLAG_RA | DNS_FLAG_AD | 0x40;
    bool whole = expected >= OTHER_EDNS;
    unsigned flags = dns_get16(reply + 2), asked = dns_get16(query + 2);
    require(memcmp(query, reply, 2) == 0, "another id");
    require(flags & DNS_FLAG_QR && (flags & 0x7800) == (asked & 0x7800), "QR or the opcode");
    require(!(flags & always_clear), "a flag that is none of ours");
    require((flags & DNS_FLAG_RD) == (whole ? asked & DNS_FLAG_RD : 0), "RD");
    require(expected == ANSWERED || !(flags & (DNS_FLAG_AA | DNS_FLAG_TC)), "AA or TC");
    require(datagram || !(flags & DNS_FLAG_TC), "TC in a stream");
    require(dns_get16(reply + 4) == whole, "the count of questions");
    if (whole) {
        size_t question = judge_name(query, QUERY_MAX, 12, false) + 4;
        require(12 + question <= size && memcmp(query + 12, reply + 12, question) == 0,
                "another question");
    }
}

static void check_reply(enum expected expected, const struct opt *opt, bool datagram,
                        const uint8_t *query, const uint8_t *reply, size_t size)
{
    static const unsigned codes[] = {
        [NOT_A_QUERY] = DNS_FORMERR,    [NOT_KNOWN] = DNS_NOTIMP,   [COOKIE_ONLY] = DNS_NOERROR,
        [COOKIE_WRONG] = DNS_BADCOOKIE, [OTHER_EDNS] = DNS_BADVERS, [NOT_OURS] = DNS_REFUSED,
    };
    bool edns;
    require(expected != NOTHING, "a reply to what is no query");
    require(size >= 12, "a reply without a header");
    unsigned code = reply_code(reply, size, &edns);
    if (expected == ANSWERED)
        require(code == DNS_NOERROR || code == DNS_NXDOMAIN || code == DNS_YXDOMAIN, "no answer");
    else
        require(code == codes[expected], "another code");
    /* Of an OPT record that is not sound, or of which nothing is known, nothing is expected. */
    require(expected == NOT_A_QUERY || expected == NOT_KNOWN || edns == opt->there, "EDNS");
    check_header(expected, datagram, query, reply, size);
    size_t room = !opt->there || opt->udp_size < 512 ? 512 : opt->udp_size;
    require(!datagram || size <= (room < DNS_UDP_SIZE ? room : DNS_UDP_SIZE), "too long a reply");
}

/* ---- the server ---------------------------------------------------------------------------- */

static struct world *world;
static struct datagrams datagrams;
static struct dns_cookies *cookies;
static struct query good; /* with its answer: */
static struct query answer;

static int setup(void **state)
{
    static const struct responder_options options = { .idle_us = IDLE_US, .connections_max = 10 };
    static const uint8_t secret[1][DNS_COOKIE_SECRET_SIZE] = { "sixteen bytes  " };
    static const struct tcpct_address nobody = { 4, { 10, 0, 0, 1 } };
    char text[8000];
    struct generator random = { SEED };
    (void)state;
    snprintf(text, sizeof text, "%s", queries_zone);
    for (unsigned i = 0; i < 16; i++)
        sprintf(text + strlen(text), "big TXT %0200u\n", i);
    for (unsigned i = 0; i < QUERIES; i++)
        generate_query(&random, &queries[i], i);
    cookies = dns_cookies_create(secret, 1);
    world = world_create(&options, case_zones(text, "x"));
    world->of_zones.cookies = cookies;
    world->of_zones.texts = (struct chaos_texts){ "a version", "an identity" };
    datagrams =
        (struct datagrams){ .server = &world->of_zones,
                            .options = { .port = 53, .size_max = DNS_UDP_SIZE, .mtu = 1500 } };
    good.size = case_query(good.bytes, "ns.x. A", CASE_RD);
    struct dns_channel channel = dns_server_channel(&world->of_zones, DNS_STREAM, &nobody, 0);
    answer.size =
        dns_reply(world->zones, &channel, good.bytes, good.size, answer.bytes, sizeof answer.bytes);
    assert_string_equal(case_text(answer.bytes, answer.size),
                        "NOERROR aa rd, an ns.x. A 192.0.2.1");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_destroy(world);
    dns_cookies_destroy(cookies);
    return 0;
}

/* ---- datagrams ----------------------------------------------------------------------------- */

/* The reply's message, of *size bytes; 0: there was none. The query is in memory of its own size. */
static const uint8_t *exchange_datagram(const uint8_t *query, size_t query_size, size_t *size)
{
    static uint8_t reply_bytes[TCPCT_PACKET_SIZE];
    struct udp_datagram made = { .source = { 4, { 10, 0, 0, 1 } },
                                 .destination = { 4, { 10, 0, 0, 2 } },
                                 .source_port = 4321,
                                 .destination_port = 53 };
    size_t head = udp_header_size(&made.source);
    struct tcpct_packet packet = { .size = head + query_size };
    struct tcpct_packet reply = { .data = reply_bytes, .size = sizeof reply_bytes };
    packet.data = malloc(packet.size);
    if (query_size > 0)
        memcpy(packet.data + head, query, query_size);
    made.data = packet.data + head;
    made.size = query_size;
    udp_encode(&made, 64, &packet);
    bool any = datagrams_input(&datagrams, world->server, &packet, &reply, world->now_us);
    free(packet.data);
    *size = 0;
    if (!any)
        return NULL;
    assert_int_equal(udp_decode(&made, &reply), UDP_OK);
    *size = made.size;
    return made.data;
}

static void try_datagram(const uint8_t *query, size_t query_size)
{
    struct opt opt;
    size_t size;
    enum expected expected = judge(&opt, query, query_size);
    const uint8_t *reply = exchange_datagram(query, query_size, &size);
    seen[expected]++;
    require(reply || expected == NOTHING, "no reply");
    if (reply)
        check_reply(expected, &opt, true, query, reply, size);
    reply = exchange_datagram(good.bytes, good.size, &size);
    require(size == answer.size && memcmp(reply, answer.bytes, size) == 0, "a good query after it");
}

/* Each byte in several ways. */
static void change_datagrams(struct generator *random, const struct query *query, unsigned number)
{
    for (size_t at = 0; at < query->size; at++) {
        const uint8_t old = query->bytes[at];
        const uint8_t changes[] = { 0xff, 0xc0, (uint8_t)(old + 1),
                                    (uint8_t)(old ^ 1u << generate_below(random, 8)) };
        struct query changed = *query;
        for (size_t i = 0; i < sizeof changes; i++) {
            changed.bytes[at] = changes[i];
            snprintf(now_at, sizeof now_at, "query %u, byte %zu is %02x", number, at, changes[i]);
            try_datagram(changed.bytes, changed.size);
        }
    }
}

static void over_udp(void **state)
{
    struct generator random = { SEED };
    (void)state;
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < QUERIES; i++) {
        change_datagrams(&random, &queries[i], i);
        for (size_t size = 0; size <= queries[i].size; size++) {
            snprintf(now_at, sizeof now_at, "query %u, cut to %zu", i, size);
            try_datagram(queries[i].bytes, size);
        }
    }
    for (unsigned i = 0; i < EXPECTED_COUNT; i++)
        assert_true(seen[i] > 0);
}

/* ---- streams ------------------------------------------------------------------------------- */

/* Time goes on until the stream has ended, which it does. */
static void end_stream(void)
{
    uint64_t begun_us = world->now_us;
    for (;;) {
        world_settle(world);
        if (world->ended || world->error != TCPCT_OK)
            return;
        uint64_t next_us = responder_deadline(world->responder);
        if (tcpct_deadline(world->client) < next_us)
            next_us = tcpct_deadline(world->client);
        if (tcpct_deadline(world->server) < next_us)
            next_us = tcpct_deadline(world->server);
        require(next_us < begun_us + NEVER_US, "a stream that does not end");
        if (next_us > world->now_us)
            world->now_us = next_us;
    }
}

/* Sends this over a new connection and leaves what came in world->received. The client may end its
 * direction at once, or when there is nothing more. */
static void exchange_stream(bool tcpct, const uint8_t *bytes, size_t size, bool end_early)
{
    world->ended = false;
    world->error = TCPCT_OK;
    world->received_size = 0;
    world_connect(world, tcpct, bytes, tcpct && !end_early ? size : 0);
    if (size > 0 && (!tcpct || end_early))
        assert_int_equal(tcpct_send(world->connection, bytes, size), size);
    if (!end_early)
        world_settle(world);
    tcpct_shutdown(world->connection);
    end_stream();
    tcpct_close(world->connection);
    world->connection = NULL;
    world->now_us += PAUSE_US;
}

/* The frames of a stream, one after the other, against the answers that came. */
static void check_stream(const uint8_t *bytes, size_t size)
{
    size_t at = 0, got = 0;
    bool aborted = false;
    while (at + 2 <= size) {
        size_t length = dns_get16(bytes + at);
        const uint8_t *query = bytes + at + 2;
        struct opt opt;
        aborted = length < 12;
        if (aborted || at + 2 + length > size)
            break;
        at += 2 + length;
        enum expected expected = judge(&opt, query, length);
        seen[expected]++;
        if (expected == NOTHING || (got == world->received_size && world->error != TCPCT_OK))
            continue;
        require(got + 2 <= world->received_size, "no reply");
        size_t reply = dns_get16(world->received + got);
        require(got + 2 + reply <= world->received_size, "half a reply");
        check_reply(expected, &opt, false, query, world->received + got + 2, reply);
        got += 2 + reply;
    }
    require(got == world->received_size, "more than replies");
    require(aborted || world->error == TCPCT_OK, "a connection that was reset");
}

static void try_stream(bool tcpct, const uint8_t *bytes, size_t size)
{
    static unsigned count;
    uint8_t framed[STREAM_MAX];
    exchange_stream(tcpct, bytes, size, count++ % 2);
    check_stream(bytes, size);
    dns_put16(framed, (uint16_t)good.size);
    memcpy(framed + 2, good.bytes, good.size);
    exchange_stream(tcpct, framed, 2 + good.size, count % 4 < 2);
    require(world->received_size == 2 + answer.size && dns_get16(world->received) == answer.size &&
                memcmp(world->received + 2, answer.bytes, answer.size) == 0,
            "a good query after it");
    if (count % REST_EVERY == 0)
        world->now_us += 300 * (uint64_t)SECOND_US;
}

/* Each byte of every second query is changed in one way, those of the length too; the message is cut
 * at each, and the stream. */
static void over_streams(bool tcpct)
{
    struct generator random = { SEED };
    memset(seen, 0, sizeof seen);
    for (unsigned i = tcpct ? 1 : 0; i < QUERIES; i += 2) {
        uint8_t framed[STREAM_MAX];
        size_t size = queries[i].size;
        memcpy(framed + 2, queries[i].bytes, size);
        for (size_t at = 0; at < 2 + size; at++) {
            dns_put16(framed, (uint16_t)size);
            uint8_t old = framed[at];
            framed[at] ^= (uint8_t)(1 + generate_below(&random, 255));
            snprintf(now_at, sizeof now_at, "query %u, byte %zu is %02x", i, at, framed[at]);
            try_stream(tcpct, framed, 2 + size);
            framed[at] = old;
            snprintf(now_at, sizeof now_at, "query %u, the stream cut to %zu", i, at);
            try_stream(tcpct, framed, at);
            if (at > size)
                continue;
            dns_put16(framed, (uint16_t)at);
            snprintf(now_at, sizeof now_at, "query %u, cut to %zu", i, at);
            try_stream(tcpct, framed, 2 + at);
        }
    }
    for (unsigned i = 0; i < EXPECTED_COUNT; i++)
        assert_true(seen[i] > 0);
    world->now_us += 300 * (uint64_t)SECOND_US;
    world_settle(world);
    assert_int_equal(responder_counters(world->responder)->connections_now, 0);
    assert_int_equal(tcpct_connection_count(world->server), 0);
    assert_int_equal(tcpct_connection_count(world->client), 0);
}

static void over_tcp(void **state)
{
    (void)state;
    over_streams(false);
}

static void over_tcpct(void **state)
{
    (void)state;
    over_streams(true);
}

/* DNS cookies of every length, which changes do not come by: 8 bytes are good, and 16 to 40 (RFC 7873, 4).
 * Over each transport. */
static void cookie_lengths(void **state)
{
    (void)state;
    memset(seen, 0, sizeof seen);
    for (uint16_t length = 0; length <= 100; length++) {
        uint8_t option[4 + 100] = { 0, 10 }, framed[STREAM_MAX];
        struct dns_question question = { .name = (const uint8_t *)"\2ns\1x",
                                         .type = DNS_A,
                                         .class = DNS_CLASS_IN,
                                         .edns = true,
                                         .options = option,
                                         .options_size = 4u + length };
        dns_put16(option + 2, length);
        size_t size = dns_query_write(framed + 2, QUERY_MAX, &question);
        dns_put16(framed, (uint16_t)size);
        snprintf(now_at, sizeof now_at, "a cookie of %u bytes", length);
        try_datagram(framed + 2, size);
        try_stream(false, framed, 2 + size);
        try_stream(true, framed, 2 + size);
    }
    assert_int_equal(seen[ANSWERED], 3 * 26);
    assert_int_equal(seen[NOT_A_QUERY], 3 * (101 - 26));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(over_udp),
        cmocka_unit_test(over_tcp),
        cmocka_unit_test(over_tcpct),
        cmocka_unit_test(cookie_lengths),
    };
    return cmocka_run_group_tests_name("malformed", tests, setup, teardown);
}
