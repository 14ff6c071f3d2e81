/* dns_compare.c - our answers beside those of other DNS servers, for every kind of question that
 * a zone gives rise to.
 *
 *     dns_compare [--all] [--ours ADDRESS@PORT | --ours-udp ADDRESS@PORT] [--addresses ADDRESS@PORT]
 *         [--only NUMBER] --peer NAME=ADDRESS@PORT ... [ORIGIN=]FILE ...
 *
 * The questions are made from each zone, or the first NUMBER: each of its names, names just before, after and below
 * each, in each of several types, with and without DO. An answer is equal if rcode, the flags AA,
 * TC, RD, RA and AD, the OPT record's version and DO, and each section as a set of records are.
 * Each of our answers must equal that of at least one peer; its additional section may be instead
 * a part of that of the server of --addresses. CD is apart: RFC 4035, 3.1.6, has it
 * copied, as we (and BIND) do when DO is set; Knot and NSD clear it. Without --ours the answer
 * function is called; with it the server there is asked over the kernel's TCP, or UDP, where of a
 * truncated answer only id, flags and rcode count.
 *
 * Where Knot and NSD differ from each other, RFC6013-NOTES.md has a table of which is ours.
 *
 * Prints TAP: one line a zone; up to 5 answers that equal nobody's, or (--all) those that differ
 * from anybody's. How often each peer differs goes to a comment line.
 */
#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns/reply.h"

enum {
    PEERS_MAX = 4,
    ZONES_MAX = 16,
    RECORDS_MAX = 512,
    QUERY_SIZE_MAX = 300,
    SHOWN_MAX = 5,
    BATCH = 16
};

struct answer {
    uint8_t *bytes; /* NULL: none */
    size_t size;
};

struct server {
    const char *name;
    int fd;        /* -1: our own function */
    bool datagram; /* UDP, or else TCP */
    unsigned differences;
    struct answer held[BATCH]; /* that came before those to earlier questions */
};

/* An answer in a form that can be compared: a line for each property and record. */
struct digest {
    size_t count;
    char *lines[RECORDS_MAX];
};

static struct server ours = { .name = "ours", .fd = -1 };
static struct server addresses = { .name = "addresses", .fd = -1 }, peers[PEERS_MAX];
static size_t peer_count;
static unsigned shown; /* answers of this zone */
static bool show_all;
static struct dns_zones *zones;

_Noreturn static void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("Bail out! ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    exit(1);
}

/* ---- asking -------------------------------------------------------------------------------- */

static int connect_to(const char *where, bool datagram)
{
    char address[64];
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct timeval limit = { .tv_sec = 10 };
    size_t size = strcspn(where, "@");
    if (where[size] == '\0' || size >= sizeof address)
        die("%s is no ADDRESS@PORT", where);
    memcpy(address, where, size);
    address[size] = '\0';
    to.sin_port = htons((uint16_t)strtoul(where + size + 1, NULL, 10));
    int fd = socket(AF_INET, datagram ? SOCK_DGRAM : SOCK_STREAM, 0);
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("cannot connect to %s", where);
    return fd;
}

/* The peers hold a second small answer back until the first is acknowledged (RFC 896), so that is done
 * at once. */
static void read_all(const struct server *server, uint8_t *bytes, size_t size)
{
    const int on = 1;
    setsockopt(server->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    while (size > 0) {
        ssize_t got = read(server->fd, bytes, size);
        if (got <= 0)
            die("%s closed the connection or does not answer", server->name);
        bytes += got;
        size -= (size_t)got;
    }
}

/* What is asked at once. */
struct question {
    uint8_t name[NAME_SIZE_MAX], query[QUERY_SIZE_MAX];
    size_t size;
    uint16_t type;
    bool dnssec;
};

static void send_all(const struct server *server, const struct question *questions, size_t count)
{
    uint8_t framed[BATCH * (2 + QUERY_SIZE_MAX)], *out = framed;
    if (server->fd < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct question *question = &questions[i];
        if (server->datagram &&
            send(server->fd, question->query, question->size, 0) != (ssize_t)question->size)
            die("cannot send to %s", server->name);
        dns_put16(out, (uint16_t)question->size);
        memcpy(out + 2, question->query, question->size);
        out += 2 + question->size;
    }
    if (!server->datagram && write(server->fd, framed, (size_t)(out - framed)) != out - framed)
        die("cannot send to %s", server->name);
}

/* The next message of a server. */
static size_t read_message(const struct server *server, uint8_t *message)
{
    uint8_t length[2];
    if (server->datagram) {
        ssize_t got = recv(server->fd, message, DNS_MESSAGE_SIZE_MAX, 0);
        if (got < DNS_HEADER_SIZE)
            die("%s does not answer", server->name);
        return (size_t)got;
    }
    read_all(server, length, 2);
    read_all(server, message, dns_get16(length));
    return dns_get16(length);
}

/* A server's answer to a question; they may come in any order (RFC 7766, 6.2.1.1). */
static size_t receive(struct server *server, const struct question *question, uint8_t *answer)
{
    if (server->fd < 0)
        return dns_reply(zones, &dns_any_stream, question->query, question->size, answer,
                         DNS_MESSAGE_SIZE_MAX);
    struct answer *held = &server->held[dns_get16(question->query) % BATCH];
    for (;;) {
        if (held->bytes) {
            size_t size = held->size;
            memcpy(answer, held->bytes, size);
            free(held->bytes);
            held->bytes = NULL;
            return size;
        }
        size_t size = read_message(server, answer);
        struct answer *other = &server->held[dns_get16(answer) % BATCH];
        if (other == held)
            return size;
        *other = (struct answer){ malloc(size), size };
        memcpy(other->bytes, answer, size);
    }
}

static size_t make_query(uint8_t *query, const uint8_t *name, uint16_t type, bool dnssec)
{
    static uint16_t id;
    id++;
    struct dns_question question = {
        .name = name,
        .id = id,
        .type = type,
        .class = DNS_CLASS_IN,
        .flags = (uint16_t)((id & 2 ? DNS_FLAG_RD : 0) | (id & 4 ? DNS_FLAG_CD : 0)),
        .edns = dnssec,
        .dnssec_ok = dnssec,
    };
    return dns_query_write(query, QUERY_SIZE_MAX, &question);
}

/* ---- comparing ----------------------------------------------------------------------------- */

static void digest_add(struct digest *digest, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (digest->count == RECORDS_MAX ||
        vasprintf(&digest->lines[digest->count], format, arguments) < 0)
        die("an answer has too many records");
    digest->count++;
    va_end(arguments);
}

static void digest_section(struct digest *digest, char name, const ldns_rr_list *list)
{
    for (size_t i = 0; list && i < ldns_rr_list_rr_count(list); i++) {
        ldns_rr *rr = ldns_rr_clone(ldns_rr_list_rr(list, i));
        ldns_rr2canonical(rr);
        char *text = ldns_rr2str(rr);
        text[strcspn(text, "\n")] = '\0';
        digest_add(digest, "%c %s", name, text);
        free(text);
        ldns_rr_free(rr);
    }
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void digest_answer(struct digest *digest, const uint8_t *answer, size_t size)
{
    ldns_pkt *packet = NULL;
    digest->count = 0;
    ldns_status status = ldns_wire2pkt(&packet, answer, size);
    if (status != LDNS_STATUS_OK) {
        digest_add(digest, "malformed: %s", ldns_get_errorstr_by_id(status));
        return;
    }
    digest_add(digest, "0 id %u rcode %u flags%s%s%s%s%s", dns_get16(answer),
               ldns_pkt_get_rcode(packet) | ldns_pkt_edns_extended_rcode(packet) << 4,
               ldns_pkt_aa(packet) ? " aa" : "", ldns_pkt_tc(packet) ? " tc" : "",
               ldns_pkt_rd(packet) ? " rd" : "", ldns_pkt_ra(packet) ? " ra" : "",
               ldns_pkt_ad(packet) ? " ad" : "");
    if (ldns_pkt_edns(packet))
        digest_add(digest, "0 edns version %u%s", ldns_pkt_edns_version(packet),
                   ldns_pkt_edns_do(packet) ? " do" : "");
    digest_section(digest, 'Q', ldns_pkt_question(packet));
    digest_section(digest, '1', ldns_pkt_answer(packet));
    digest_section(digest, '2', ldns_pkt_authority(packet));
    digest_section(digest, '3', ldns_pkt_additional(packet));
    ldns_pkt_free(packet);
    qsort(digest->lines, digest->count, sizeof *digest->lines, compare_lines);
    size_t kept = 0;
    for (size_t i = 0; i < digest->count; i++) /* sections are sets (RFC 2181, 5) */
        if (kept > 0 && strcmp(digest->lines[kept - 1], digest->lines[i]) == 0)
            free(digest->lines[i]);
        else
            digest->lines[kept++] = digest->lines[i];
    digest->count = kept;
}

enum part { EVERYTHING, ADDITIONAL_ONLY, ALL_BUT_ADDITIONAL };

static bool is_of(const char *line, enum part part)
{
    return part == EVERYTHING || (line[0] == '3') == (part == ADDITIONAL_ONLY);
}

static bool digest_equal(const struct digest *a, const struct digest *b, enum part part)
{
    for (size_t i = 0, j = 0;; i++, j++) {
        while (i < a->count && !is_of(a->lines[i], part))
            i++;
        while (j < b->count && !is_of(b->lines[j], part))
            j++;
        if (i == a->count || j == b->count)
            return i == a->count && j == b->count;
        if (strcmp(a->lines[i], b->lines[j]) != 0)
            return false;
    }
}

/* True if every additional record of `a` is one of `b`. */
static bool digest_additional_in(const struct digest *a, const struct digest *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const char *line = a->lines[i];
        if (is_of(line, ADDITIONAL_ONLY) &&
            !bsearch(&line, b->lines, b->count, sizeof *b->lines, compare_lines))
            return false;
    }
    return true;
}

static void digest_print(const char *who, const struct digest *digest)
{
    printf("#   %s:\n", who);
    for (size_t i = 0; i < digest->count; i++)
        printf("#     %.150s\n", digest->lines[i]);
}

static void digest_release(struct digest *digest)
{
    while (digest->count > 0)
        free(digest->lines[--digest->count]);
}

/* The two differences of which one is each peer's, so that no peer is right. */
static bool is_explained(const struct question *question)
{
    char text[NAME_TEXT_SIZE];
    name_text(question->name, text);
    return question->type == DNS_NSEC && strcmp(text, "*.w2.chain.test.") == 0;
}

/* A truncated answer says only that the rest is there to be had. */
static bool same_head(const uint8_t *truncated, const uint8_t *answer)
{
    return dns_get16(truncated) == dns_get16(answer) &&
           ((truncated[3] ^ answer[3]) & ~DNS_FLAG_CD) == 0 &&
           (truncated[2] & ~(DNS_FLAG_TC >> 8)) == answer[2];
}

/* Takes everyone's answer. False: ours is nobody's. */
static bool compare(const struct question *question)
{
    static uint8_t answer[DNS_MESSAGE_SIZE_MAX];
    static struct digest mine, other, theirs[PEERS_MAX];
    char text[NAME_TEXT_SIZE];
    bool equal = false, but_additional = false, differs = false;
    digest_answer(&mine, answer, receive(&ours, question, answer));
    uint8_t head[DNS_HEADER_SIZE];
    memcpy(head, answer, sizeof head);
    bool truncated = ours.datagram && head[2] & DNS_FLAG_TC >> 8;
    bool cd_right =
        (answer[3] & DNS_FLAG_CD) == (question->dnssec ? question->query[3] & DNS_FLAG_CD : 0);
    for (size_t i = 0; i < peer_count; i++) {
        digest_answer(&theirs[i], answer, receive(&peers[i], question, answer));
        bool same =
            truncated ? same_head(head, answer) : digest_equal(&mine, &theirs[i], EVERYTHING);
        equal |= same;
        but_additional |= digest_equal(&mine, &theirs[i], ALL_BUT_ADDITIONAL);
        differs |= !same;
        peers[i].differences += !same;
    }
    if (!equal && but_additional && addresses.fd >= 0) {
        send_all(&addresses, question, 1);
        digest_answer(&other, answer, receive(&addresses, question, answer));
        equal = digest_additional_in(&mine, &other);
        digest_release(&other);
    }
    if ((show_all ? differs : !equal && !is_explained(question)) && shown++ < SHOWN_MAX) {
        printf("# %s type %u%s\n", name_text(question->name, text), question->type,
               question->dnssec ? " with DO" : "");
        digest_print(ours.name, &mine);
        for (size_t i = 0; i < peer_count; i++)
            if (!digest_equal(&mine, &theirs[i], EVERYTHING))
                digest_print(peers[i].name, &theirs[i]);
    }
    digest_release(&mine);
    for (size_t i = 0; i < peer_count; i++)
        digest_release(&theirs[i]);
    return (equal || is_explained(question)) && cd_right;
}

/* ---- questions ----------------------------------------------------------------------------- */

struct tally {
    unsigned asked, wrong;
    size_t waiting;
    struct question questions[BATCH];
};

static void ask_all(struct tally *tally)
{
    send_all(&ours, tally->questions, tally->waiting);
    for (size_t i = 0; i < peer_count; i++)
        send_all(&peers[i], tally->questions, tally->waiting);
    for (size_t i = 0; i < tally->waiting; i++)
        tally->wrong += !compare(&tally->questions[i]);
    tally->asked += (unsigned)tally->waiting;
    tally->waiting = 0;
}

/* With DO and without. */
static void ask(struct tally *tally, const uint8_t *name, uint16_t type)
{
    for (int dnssec = 0; dnssec < 2; dnssec++) {
        struct question *question = &tally->questions[tally->waiting++];
        memcpy(question->name, name, name_size(name, NAME_SIZE_MAX));
        question->type = type;
        question->dnssec = dnssec == 1;
        question->size = make_query(question->query, name, type, dnssec == 1);
        if (tally->waiting == BATCH)
            ask_all(tally);
    }
}

/* The first few are enough for a name that stands beside one that exists. */
enum { TYPES_ALL = 16, TYPES_FEW = 3 };

static void compare_types(struct tally *tally, const uint8_t *name, size_t count)
{
    static const uint16_t types[TYPES_ALL] = { DNS_A,      DNS_DS,  DNS_ANY,   DNS_CNAME,
                                               DNS_MX,     DNS_NS,  DNS_AAAA,  DNS_SOA,
                                               DNS_TXT,    DNS_SRV, DNS_PTR,   DNS_NSEC,
                                               DNS_DNSKEY, 65280,   DNS_DNAME, DNS_NSEC3PARAM };
    for (size_t i = 0; i < count; i++)
        ask(tally, name, types[i]);
}

/* Each type that the name has. */
static void compare_sets(struct tally *tally, const struct zone *zone, const struct zone_node *node)
{
    for (unsigned i = 0; i < node->set_count; i++)
        ask(tally, zone_name(zone, node->name), zone->sets[node->first_set + i].type);
}

static void compare_below(struct tally *tally, const uint8_t *name, size_t size, const char *label)
{
    uint8_t below[NAME_SIZE_MAX + 1 + LABEL_SIZE_MAX];
    size_t length = strlen(label);
    if (length + 1 + size > NAME_SIZE_MAX)
        return;
    below[0] = (uint8_t)length;
    memcpy(below + 1, label, length + 1);
    memcpy(below + 1 + length, name, size);
    compare_types(tally, below, TYPES_FEW);
}

/* The name, in capitals too, and names before, after and below it. */
static void compare_around(struct tally *tally, const struct zone *zone, uint32_t node)
{
    const uint8_t *name = zone_name(zone, zone->nodes[node].name);
    size_t size = zone_name_size(zone, zone->nodes[node].name);
    uint8_t other[NAME_SIZE_MAX];
    compare_types(tally, name, TYPES_ALL);
    compare_sets(tally, zone, &zone->nodes[node]);
    compare_below(tally, name, size, "!before");
    compare_below(tally, name, size, "a");
    compare_below(tally, name, size, "*");
    compare_below(tally, name, size, "zz");
    if (node == 0)
        return;
    memcpy(other, name, size);
    for (size_t i = 1; i <= name[0]; i++)
        if (other[i] >= 'a' && other[i] <= 'z')
            other[i] -= 0x20;
    compare_types(tally, other, TYPES_FEW);
    memcpy(other, name, size);
    other[name[0]]--;
    if (other[name[0]] != '.')
        compare_types(tally, other, TYPES_FEW);
    other[name[0]] = (uint8_t)(name[name[0]] + 1);
    compare_types(tally, other, TYPES_FEW);
}

static void compare_zone(unsigned number, const struct zone *zone)
{
    const char *path = zone->sources.files[0].path;
    struct tally tally = { 0 };
    shown = 0;
    for (size_t i = 0; i < peer_count; i++)
        peers[i].differences = 0;
    for (uint32_t i = 0; i < zone->node_count; i++)
        compare_around(&tally, zone, i);
    ask_all(&tally);
    printf("# %s: %u questions;", path, tally.asked);
    for (size_t i = 0; i < peer_count; i++)
        printf(" %u answers differ from %s's%s", peers[i].differences, peers[i].name,
               i + 1 < peer_count ? "," : "\n");
    if (tally.wrong > 0)
        printf("not ok %u - %s: %u answers equal nobody's\n", number, path, tally.wrong);
    else
        printf("ok %u - %s: every answer equals that of Knot or NSD\n", number, path);
}

int main(int argc, char **argv)
{
    struct zone_source sources[ZONES_MAX];
    char error[512];
    size_t file_count = 0, only = ZONES_MAX;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--all") == 0) {
            show_all = true;
        } else if (strcmp(argv[i], "--ours") == 0 && i + 1 < argc) {
            ours.datagram = false;
            ours.fd = connect_to(argv[++i], false);
        } else if (strcmp(argv[i], "--ours-udp") == 0 && i + 1 < argc) {
            ours.datagram = true;
            ours.fd = connect_to(argv[++i], true);
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--addresses") == 0 && i + 1 < argc) {
            addresses.fd = connect_to(argv[++i], false);
        } else if (strcmp(argv[i], "--peer") == 0 && i + 1 < argc && peer_count < PEERS_MAX) {
            char *save = NULL, *name = strtok_r(argv[++i], "=", &save);
            peers[peer_count++] = (struct server){ .name = name, .fd = connect_to(save, false) };
        } else if (file_count < ZONES_MAX) {
            if (!zone_source_parse(&sources[file_count++], argv[i]))
                die("%s: no [ORIGIN=]FILE", argv[i]);
        }
    }
    if (peer_count == 0 || file_count == 0)
        die("usage: dns_compare [--ours ADDRESS@PORT] --peer NAME=ADDRESS@PORT [ORIGIN=]FILE");
    zones = dns_zones_load(sources, file_count, error, sizeof error);
    if (!zones)
        die("%s", error);
    printf("1..%zu\n", only < file_count ? only : file_count);
    for (unsigned i = 0; i < file_count && i < only; i++)
        compare_zone(i + 1, zones->zones[i]);
    dns_zones_free(zones);
    return 0;
}
