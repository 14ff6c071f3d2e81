/* dns_fuzz.c - arbitrary bytes as a query, as a stream of queries, as a message that is forwarded, and
 * as zone text.
 *
 * The first byte chooses. An answer must be a message that ldns can read, must not exceed its
 * room, and must not depend on how much more room there was; a stream must give the same messages
 * however it is cut; a record must be the same whether ldns has read it or not.
 */
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>

#include "dns/datagrams.h"
#include "dns/exchange.h"
#include "dns/forwarded.h"
#include "dns/framing.h"
#include "dns/plain.h"
#include "dns/reply.h"
#include "tcpct/udp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SIG(type) " RRSIG " type " 13 2 60 20900101000000 20260101000000 1 x. AAAA\n"

static const char nsec_zone[] = "x. SOA ns.x. h.x. 1 2 3 4 5\nx." SIG(
    "SOA") "x. NS ns.x.\nx. NSEC a.x. NS SOA RRSIG NSEC\n"
           "x." SIG("NSEC") "a.x. CNAME b.w.x.\na.x." SIG(
               "CNAME") "a.x. NSEC d.x. CNAME RRSIG NSEC\n"
                        "a.x." SIG("NSEC") "d.x. DNAME x.\nd.x." SIG(
                            "DNAME") "d.x. NSEC ns.x. DNAME RRSIG NSEC\n"
                                     "d.x." SIG("NSEC") "ns.x. A 192.0.2.1\nns.x." SIG(
                                         "A") "ns.x. NSEC s.x. A RRSIG NSEC\n"
                                              "s.x. NS ns.s.x.\nns.s.x. A 192.0.2.2\ns.x. NSEC *.w.x. NS RRSIG NSEC\ns.x." SIG("NSEC") "*.w.x. MX 1 ns.x.\n*.w.x." SIG(
                                                  "MX") "*.w.x. NSEC x. MX RRSIG NSEC\n*.w.x." SIG("NSEC") "o.x. CNAME c.e.y.\n*.u.x. CNAME l.y.\n";

static const char nsec3_zone[] =
    "y. SOA ns.y. h.y. 1 2 3 4 5\ny. NS ns.y.\ny. NSEC3PARAM 1 0 1 ab\n*.y. A 192.0.2.1\n"
    "s.y. NS ns.y.\nc.y. CNAME q.d.x.\ne.y. DNAME d.x.\nl.y. CNAME o.x.\n"
    "20000000000000000000000000000000.y. NSEC3 1 1 1 ab 80000000000000000000000000000000 A\n"
    "80000000000000000000000000000000.y. NSEC3 1 1 1 ab 20000000000000000000000000000000 NS\n";

static struct zone *read_text(const void *text, size_t size)
{
    static const uint8_t origin[] = "\1z";
    char error[1024];
    static const char include[] = "$INCLUDE"; /* other files are none of a fuzzer's business */
    for (size_t at = 0; at + sizeof include <= size + 1; at++)
        if (strncasecmp((const char *)text + at, include, sizeof include - 1) == 0)
            return NULL;
    FILE *file = size > 0 ? fmemopen((void *)(uintptr_t)text, size, "r") : NULL;
    if (!file)
        return NULL;
    error[0] = '\0';
    struct zone *zone = zone_read(file, "zone", origin, error, sizeof error);
    fclose(file);
    if (!zone && error[0] == '\0')
        abort(); /* a refusal has its reason */
    return zone;
}

/* What is read of a line without ldns must be what ldns reads. */
static void try_line(const uint8_t *line, size_t size)
{
    static struct record plain, any;
    static struct record_defaults defaults = { .ttl = 60, .owner_size = 3, .owner = "\1o" };
    char error[1024], *entry = malloc(size + 1);
    if (!defaults.origin)
        defaults.origin = ldns_dname_new_frm_str("o.z.");
    memcpy(entry, line, size);
    entry[size] = '\0';
    if (plain_parse(&plain, &defaults, entry) &&
        (!record_parse_any(&any, &defaults, entry, error, sizeof error) ||
         plain.owner_size != any.owner_size || plain.ttl != any.ttl || plain.type != any.type ||
         plain.size != any.size || memcmp(plain.owner, any.owner, any.owner_size) != 0 ||
         memcmp(plain.data, any.data, any.size) != 0))
        abort();
    free(entry);
}

static void try_lines(const uint8_t *text, size_t size)
{
    while (size > 0) {
        const uint8_t *end = memchr(text, '\n', size);
        size_t line = end ? (size_t)(end - text) : size;
        try_line(text, line);
        text += end ? line + 1 : line;
        size -= end ? line + 1 : line;
    }
}

static struct dns_zones *make_zones(void)
{
    char error[256];
    struct zone *zones[2];
    static const char *const texts[] = { nsec_zone, nsec3_zone };
    for (size_t i = 0; i < 2; i++) {
        FILE *file = fmemopen((void *)(uintptr_t)texts[i], strlen(texts[i]), "r");
        zones[i] = file ? zone_read(file, "zone", NULL, error, sizeof error) : NULL;
        if (!zones[i])
            abort();
        fclose(file);
    }
    return dns_zones_create(zones, 2, error, sizeof error);
}

/* ---- queries -------------------------------------------------------------------------------- */

static void check_answer(const uint8_t *answer, size_t size)
{
    ldns_pkt *packet = NULL;
    if (size == 0)
        return;
    if (ldns_wire2pkt(&packet, answer, size) != LDNS_STATUS_OK || !ldns_pkt_qr(packet))
        abort();
    ldns_pkt_free(packet);
}

static const struct chaos_texts itself = { "a version", "an identity" };

static void try_query(const struct dns_zones *zones, const uint8_t *query, size_t size)
{
    static uint8_t whole[DNS_MESSAGE_SIZE_MAX];
    const struct dns_channel stream = { .texts = itself };
    const struct dns_channel datagram = { .transport = DNS_DATAGRAM, .texts = itself };
    size_t full = dns_reply(zones, &stream, query, size, whole, sizeof whole);
    check_answer(whole, full);
    for (size_t room = full > 40 ? full - 40 : 0; room <= full; room += 8) {
        uint8_t *answer = malloc(room + 1);
        size_t got = dns_reply(zones, &stream, query, size, answer, room);
        if (got > room || (got > 0 && (got != full || memcmp(answer, whole, full) != 0)))
            abort();
        got = dns_reply(zones, &datagram, query, size, answer, room);
        if (got > room)
            abort();
        check_answer(answer, got);
        free(answer);
    }
}

/* ---- datagrams ------------------------------------------------------------------------------ */

static void fill_random(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 7, size);
}

/* The bytes are a message in a sound packet, or (`raw`) a packet: the reply must be a sound one. */
static void try_datagram(const struct dns_zones *zones, const uint8_t *bytes, size_t size, bool raw)
{
    static const uint8_t secret[1][DNS_COOKIE_SECRET_SIZE] = { { 9 } };
    static const struct tcpct_address ours = { 4, { 192, 0, 2, 53 } },
                                      theirs = { 4, { 192, 0, 2 } };
    static struct dns_server server;
    static struct tcpct_stack *stack;
    static struct datagrams datagrams;
    static uint8_t packet_bytes[TCPCT_PACKET_SIZE], reply_bytes[TCPCT_PACKET_SIZE];
    if (!stack) {
        const struct tcpct_config config = { .random = fill_random };
        server = (struct dns_server){ .zones = zones,
                                      .cookies = dns_cookies_create(secret, 1),
                                      .texts = itself };
        datagrams = (struct datagrams){ .server = &server,
                                        .options = { .port = 53, .size_max = 1232, .mtu = 1500 } };
        if (tcpct_stack_create(&stack, &config, 1) != TCPCT_OK)
            abort();
        tcpct_address_add(stack, &ours);
    }
    if (size > 2000)
        return;
    struct tcpct_packet packet = { .data = packet_bytes, .size = sizeof packet_bytes };
    struct tcpct_packet reply = { .data = reply_bytes, .size = sizeof reply_bytes };
    size_t at = raw ? 0 : udp_header_size(&ours);
    memcpy(packet_bytes + at, bytes, size);
    packet.length = size;
    packet.partial_checksum = raw;
    const struct udp_datagram query = { theirs, ours, 1234, 53, packet_bytes + at, size };
    if (!raw)
        udp_encode(&query, 64, &packet);
    if (!datagrams_input(&datagrams, stack, &packet, &reply, 1))
        return;
    struct udp_datagram answer;
    enum udp_verdict verdict = udp_decode(&answer, &reply);
    if (verdict == UDP_OTHER)
        return; /* ICMP */
    if (verdict != UDP_OK || reply.length > 1500 || answer.size > 1232)
        abort();
    check_answer(answer.data, answer.size);
}

/* ---- streams -------------------------------------------------------------------------------- */

/* A sum over the messages and the last verdict. */
static uint64_t cut(const uint8_t *stream, size_t size, size_t piece)
{
    struct framing framing;
    uint64_t sum = 0;
    enum framing_verdict verdict = FRAMING_MORE;
    framing_begin(&framing);
    while (size > 0 && verdict == FRAMING_MORE) {
        uint8_t *space;
        const uint8_t *message;
        size_t length, room = framing_space(&framing, &space);
        size_t now = piece < room ? piece : room;
        now = now < size ? now : size;
        if (now == 0)
            abort(); /* it wants more, and has no room for it */
        memcpy(space, stream, now);
        framing_add(&framing, now);
        stream += now;
        size -= now;
        while ((verdict = framing_next(&framing, &message, &length)) == FRAMING_MESSAGE)
            for (size_t i = 0; i < length; i++)
                sum = sum * 31 + message[i] + length;
    }
    framing_release(&framing);
    return sum * 31 + verdict;
}

/* ---- what is forwarded ---------------------------------------------------------------------- */

static void forward(const uint8_t *message, size_t size)
{
    uint8_t failure[FORWARDED_FAILURE_SIZE];
    if (size < DNS_HEADER_SIZE)
        return;
    check_answer(failure,
                 forwarded_failure(failure, message, size, DNS_SERVFAIL, DNS_EDE_NO_AUTHORITY));
    uint8_t *copy = malloc(size);
    memcpy(copy, message, size);
    size_t cut_size = forwarded_truncate(copy, size);
    if (cut_size > size || cut_size < DNS_HEADER_SIZE || !(copy[2] & 2))
        abort();
    copy = realloc(copy, cut_size); /* and now it must hold together */
    if (forwarded_truncate(copy, cut_size) != cut_size)
        abort();
    if (cut_size > DNS_HEADER_SIZE && dns_get16(copy + 4) == 1 && copy[2] & 0x80 &&
        !forwarded_matches(message, size, copy, cut_size))
        abort();
    free(copy);
}

static void pass(const uint8_t *stream, size_t size, size_t piece)
{
    struct exchange exchange = { 0 };
    exchange_pass(&exchange.queries, stream, size);
    for (size_t at = 0; at < size; at += piece)
        exchange_pass(&exchange.answers, stream + at, size - at < piece ? size - at : piece);
    if (exchange.queries.messages != exchange.answers.messages ||
        exchange.queries.left != exchange.answers.left ||
        exchange.queries.cut != exchange.answers.cut)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dns_zones *zones;
    if (!zones)
        zones = make_zones();
    if (!zones || size == 0)
        return 0;
    uint8_t choice = data[0];
    data++;
    size--;
    if (choice % 8 == 0) {
        zone_free(read_text(data, size));
        try_lines(data, size);
    } else if (choice % 8 == 1) {
        uint64_t sum = cut(data, size, size);
        if (cut(data, size, 1) != sum || cut(data, size, 1 + choice / 8) != sum)
            abort();
        pass(data, size, 1 + choice / 8);
    } else if (choice % 8 == 2) {
        forward(data, size);
    } else if (choice % 8 <= 4) {
        try_datagram(zones, data, size, choice % 8 == 3);
    } else {
        try_query(zones, data, size);
    }
    return 0;
}
