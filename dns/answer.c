/* answer.c - a query in, an answer out (RFC 1034, 4.3.2; RFC 4035, 3.1).
 *
 * The answer section is written while the name is searched and its CNAMEs are followed; what
 * belongs into the authority section is collected meanwhile and written after it; the addresses
 * that go with either come last.
 */
#include "answer.h"

#include <string.h>

#include "compose.h"
#include "denial.h"

enum {
    CHAIN_MAX = 16, /* CNAME and DNAME records followed */
    ERROR_OPTION_SIZE = 6,
    OPTION_EXTENDED_ERROR = 15, /* RFC 8914 */
    ERROR_NOT_AUTHORITATIVE = 20,
};

struct answer {
    struct compose compose;
    const struct zone *zone; /* NULL: none of ours */
    const struct dns_query *query;
    struct set_list authority;
    uint16_t flags;
    uint16_t rcode;
    bool overflow; /* something that belongs into the answer did not fit */
    bool may_trim; /* addresses that help may be left out */
    /* Where a chain goes on: two of them, because a DNAME's target is made of the last name. */
    uint8_t names[2][NAME_SIZE_MAX];
    uint8_t label_at[NAME_LABELS_MAX + 1];
};

/* The name being resolved. */
struct step {
    struct sought_name sought;
    size_t at; /* where it stands in the message; 0: nowhere */
    unsigned hops;
};

static enum compose_part signed_part(const struct answer *answer)
{
    return answer->query->dnssec_ok ? COMPOSE_SIGNED : COMPOSE_RECORDS;
}

static struct compose_owner set_owner(const struct zone *zone, uint32_t set)
{
    uint32_t name = zone->sets[set].owner;
    return (struct compose_owner){ zone_name(zone, name), zone_name_size(zone, name), 0 };
}

static void put_answer(struct answer *answer, const struct step *step, const struct zone_set *set,
                       enum compose_part part)
{
    struct compose_owner owner = { step->sought.name, step->sought.size, step->at };
    if (!compose_set(&answer->compose, DNS_ANSWER, (uint32_t)(set - answer->zone->sets), &owner,
                     part))
        answer->overflow = true;
}

/* ---- following names ----------------------------------------------------------------------- */

static void seek(struct answer *answer, struct step *step, const uint8_t *name, size_t size,
                 size_t at)
{
    unsigned labels = 0;
    for (size_t i = 0; name[i]; i += 1u + name[i])
        answer->label_at[labels++] = (uint8_t)i;
    answer->label_at[labels] = (uint8_t)(size - 1);
    step->sought = (struct sought_name){ name, size, labels, answer->label_at };
    step->at = at;
}

/* Puts a CNAME and goes to its target. False: the chain ends here. */
static bool follow_cname(struct answer *answer, struct step *step, const struct zone_set *set)
{
    const struct zone *zone = answer->zone;
    if (compose_has_set(&answer->compose, (uint32_t)(set - zone->sets)))
        return false; /* a loop */
    size_t start = answer->compose.size;
    put_answer(answer, step, set, signed_part(answer));
    if (set->target == ZONE_NONE || answer->overflow || ++step->hops > CHAIN_MAX)
        return false;
    /* The target is the CNAME's data, behind the owner and 10 bytes of head. */
    size_t owner_size = answer->compose.message[start] >= 0xc0
                            ? 2
                            : name_size(answer->compose.message + start, NAME_SIZE_MAX);
    size_t at = owner_size > 0 ? start + owner_size + 10 : 0;
    seek(answer, step, zone_name(zone, set->target), zone_name_size(zone, set->target), at);
    return true;
}

/* Puts a DNAME and the CNAME that it implies, and goes on (RFC 6672, 3.2). */
static bool follow_dname(struct answer *answer, struct step *step, const struct zone_set *set)
{
    const struct zone *zone = answer->zone;
    uint32_t index = (uint32_t)(set - zone->sets);
    struct compose_owner owner = set_owner(zone, index);
    if (!compose_has_set(&answer->compose, index) &&
        !compose_set(&answer->compose, DNS_ANSWER, index, &owner, signed_part(answer))) {
        answer->overflow = true;
        return false;
    }
    const uint8_t *target = zone_name(zone, set->target);
    size_t target_size = zone_name_size(zone, set->target);
    size_t prefix = step->sought.size - owner.size;
    if (prefix + target_size > NAME_SIZE_MAX) {
        answer->rcode = DNS_YXDOMAIN;
        return false;
    }
    uint8_t *name = answer->names[step->sought.name == answer->names[0]];
    memcpy(name, step->sought.name, prefix);
    memcpy(name + prefix, target, target_size);
    size_t size = prefix + target_size;
    struct compose_owner alias = { step->sought.name, step->sought.size, step->at };
    if (!compose_cname(&answer->compose, &alias, set->ttl, name, size)) {
        answer->overflow = true;
        return false;
    }
    if (++step->hops > CHAIN_MAX || answer->query->type == DNS_CNAME ||
        !name_is_below(name, size, zone->origin, zone->origin_size))
        return false;
    seek(answer, step, name, size, answer->compose.size - size);
    return true;
}

/* ---- answers at a node --------------------------------------------------------------------- */

/* To the servers of the zone below, with their DS or the proof that there is none. */
static void refer(struct answer *answer, const struct step *step, uint32_t cut)
{
    const struct zone *zone = answer->zone;
    const struct zone_node *node = &zone->nodes[cut];
    const struct zone_set *ds = zone_set_find(zone, node, DNS_DS);
    if (answer->compose.counts[DNS_ANSWER] == 0)
        answer->flags &= ~DNS_FLAG_AA;
    set_list_add(&answer->authority, (uint32_t)(zone_set_find(zone, node, DNS_NS) - zone->sets));
    if (!answer->query->dnssec_ok)
        return;
    if (ds && ds->signature_count > 0) /* in a zone that is not signed it proves nothing */
        set_list_add(&answer->authority, (uint32_t)(ds - zone->sets));
    else
        denial_of_type(&answer->authority, zone, cut, &step->sought);
}

/* One RRset for ANY (RFC 8482, 4.1), and for RRSIG one RRset's signatures: the first that is
 * not there for DNSSEC's sake alone. */
static const struct zone_set *any_set(const struct zone *zone, const struct zone_node *node,
                                      bool with_signatures)
{
    const struct zone_set *sets = zone->sets + node->first_set, *last = NULL;
    for (unsigned i = 0; i < node->set_count; i++) {
        if (with_signatures && sets[i].signature_count == 0)
            continue;
        last = &sets[i];
        if (last->type != DNS_NSEC)
            break;
    }
    return last;
}

static void deny_type(struct answer *answer, const struct step *step, uint32_t node, bool wildcard)
{
    set_list_add(&answer->authority, answer->zone->negative_soa);
    if (!answer->query->dnssec_ok)
        return;
    if (wildcard)
        denial_of_wildcard_type(&answer->authority, answer->zone, node, &step->sought);
    else
        denial_of_type(&answer->authority, answer->zone, node, &step->sought);
}

/* Answers from a node that has the name, or (`wildcard`) stands in for it. True: a CNAME leads
 * on. */
static bool answer_at(struct answer *answer, struct step *step, uint32_t index, bool wildcard)
{
    const struct zone *zone = answer->zone;
    const struct zone_node *node = &zone->nodes[index];
    uint16_t type = answer->query->type;
    enum compose_part part = signed_part(answer);
    const struct zone_set *set, *cname = NULL;
    if (type == DNS_ANY || type == DNS_RRSIG)
        set = any_set(zone, node, type == DNS_RRSIG);
    else
        set = zone_set_find(zone, node, type);
    if (type == DNS_RRSIG)
        part = COMPOSE_SIGNATURES;
    if (!set && type != DNS_RRSIG)
        cname = zone_set_find(zone, node, DNS_CNAME);
    if (!set && !cname) {
        deny_type(answer, step, index, wildcard);
        return false;
    }
    if (wildcard && answer->query->dnssec_ok)
        denial_of_name(&answer->authority, zone, node->parent, &step->sought);
    if (cname)
        return follow_cname(answer, step, cname);
    put_answer(answer, step, set, part);
    return false;
}

/* ---- the search ---------------------------------------------------------------------------- */

/* The node of the name, or of its closest encloser. If a name exists, so do those above it,
 * hence bisection. */
static uint32_t find_encloser(const struct zone *zone, const struct sought_name *sought)
{
    uint32_t found = zone_find(zone, sought->name, sought->size);
    if (found != ZONE_NONE)
        return found;
    unsigned low = zone->origin_labels, high = sought->labels; /* exists; does not */
    found = 0;
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        size_t at = sought->label_at[sought->labels - middle];
        uint32_t node = zone_find(zone, sought->name + at, sought->size - at);
        if (node == ZONE_NONE) {
            high = middle;
        } else {
            low = middle;
            found = node;
        }
    }
    return found;
}

/* One step of the search. True: go on with the name that step now holds. */
static bool resolve(struct answer *answer, struct step *step)
{
    const struct zone *zone = answer->zone;
    uint32_t index = find_encloser(zone, &step->sought);
    const struct zone_node *node = &zone->nodes[index];
    bool exact = node->labels == step->sought.labels;
    if (node->cut != ZONE_NONE) {
        const struct zone_set *dname = zone_set_find(zone, &zone->nodes[node->cut], DNS_DNAME);
        bool at_cut = exact && node->cut == index;
        if (dname && !at_cut)
            return follow_dname(answer, step, dname);
        if (!dname && !(at_cut && answer->query->type == DNS_DS)) {
            refer(answer, step, node->cut);
            return false;
        }
    }
    if (exact)
        return answer_at(answer, step, index, false);
    if (node->wildcard != ZONE_NONE)
        return answer_at(answer, step, node->wildcard, true);
    answer->rcode = DNS_NXDOMAIN;
    set_list_add(&answer->authority, zone->negative_soa);
    if (answer->query->dnssec_ok)
        denial_of_all(&answer->authority, zone, index, &step->sought);
    return false;
}

/* ---- the message --------------------------------------------------------------------------- */

static void put_authority(struct answer *answer)
{
    for (unsigned i = 0; i < answer->authority.count && !answer->overflow; i++) {
        uint32_t set = answer->authority.sets[i];
        struct compose_owner owner = set_owner(answer->zone, set);
        if (compose_has_set(&answer->compose, set))
            continue;
        if (!compose_set(&answer->compose, DNS_AUTHORITY, set, &owner, signed_part(answer)))
            answer->overflow = true;
    }
}

/* Addresses may be left out of what cannot be longer, except those of a referral (RFC 9471, 2). */
static void put_additional(struct answer *answer)
{
    struct compose *compose = &answer->compose;
    const struct zone *zone = answer->zone;
    bool referral = compose->counts[DNS_ANSWER] == 0;
    unsigned count = compose->set_count;
    for (unsigned i = 0; i < count; i++) {
        const struct zone_set *set = &zone->sets[compose->sets[i]];
        for (unsigned j = 0; j < set->additional_count; j++) {
            uint32_t address = zone->additional[set->additional + j];
            struct compose_owner owner = set_owner(zone, address);
            if (compose_has_set(compose, address) || compose->set_count == COMPOSED_SETS_MAX)
                continue;
            if (!compose_set(compose, DNS_ADDITIONAL, address, &owner, signed_part(answer)) &&
                (referral || !answer->may_trim))
                answer->overflow = true;
        }
    }
}

/* The OPT record goes last (RFC 6891, 6.1.2): its room was kept. */
static void put_opt(struct answer *answer)
{
    const struct dns_query *query = answer->query;
    uint8_t *opt = answer->compose.message + answer->compose.size;
    bool explain = answer->rcode == DNS_REFUSED;
    if (!query->edns)
        return;
    opt[0] = 0;
    dns_put16(opt + 1, DNS_OPT);
    dns_put16(opt + 3, DNS_UDP_SIZE);
    opt[5] = (uint8_t)(answer->rcode >> 4);
    opt[6] = 0; /* our version */
    dns_put16(opt + 7, query->dnssec_ok ? 0x8000 : 0);
    dns_put16(opt + 9, explain ? ERROR_OPTION_SIZE : 0);
    if (explain) {
        dns_put16(opt + 11, OPTION_EXTENDED_ERROR);
        dns_put16(opt + 13, 2);
        dns_put16(opt + 15, ERROR_NOT_AUTHORITATIVE);
    }
    answer->compose.size += DNS_OPT_SIZE + (explain ? ERROR_OPTION_SIZE : 0);
    answer->compose.counts[DNS_ADDITIONAL]++;
}

static void put_header(const struct answer *answer)
{
    uint8_t *message = answer->compose.message;
    dns_put16(message, answer->query->id);
    dns_put16(message + 2, answer->flags | (answer->rcode & 15));
    dns_put16(message + 4, 1);
    for (unsigned i = 0; i < 3; i++)
        dns_put16(message + 6 + 2 * i, (uint16_t)answer->compose.counts[i]);
}

static void resolve_all(struct answer *answer)
{
    const struct dns_query *query = answer->query;
    struct step step = {
        .sought = { query->lower, query->name_size, query->labels, query->label_at },
        .at = DNS_HEADER_SIZE,
    };
    while (resolve(answer, &step) && !answer->overflow)
        ;
    put_authority(answer);
    if (!answer->overflow)
        put_additional(answer);
}

/* Begins the message with its question. False: there is no room. */
static bool begin(struct answer *answer, const struct dns_query *query, uint8_t *message,
                  size_t room)
{
    size_t question = query->name_size + 4, size = DNS_HEADER_SIZE + question;
    size_t kept = query->edns ? DNS_OPT_SIZE + ERROR_OPTION_SIZE : 0;
    if (size + kept > room)
        return false;
    memcpy(message + DNS_HEADER_SIZE, query->name, question);
    answer->query = query;
    answer->zone = NULL;
    answer->authority.count = 0;
    answer->overflow = false;
    answer->rcode = DNS_NOERROR;
    answer->flags = DNS_FLAG_QR | (query->flags & DNS_FLAG_RD);
    if (query->dnssec_ok) /* RFC 4035, 3.1.6 */
        answer->flags |= query->flags & DNS_FLAG_CD;
    answer->compose.query = query;
    answer->compose.message = message;
    answer->compose.size = size;
    answer->compose.limit = room - (query->edns ? DNS_OPT_SIZE : 0);
    answer->compose.set_count = 0;
    memset(answer->compose.counts, 0, sizeof answer->compose.counts);
    return true;
}

/* No question in it: what the query's said is not understood. */
static size_t answer_header_only(const struct dns_query *query, enum dns_rcode rcode,
                                 uint8_t *message, size_t room)
{
    if (room < DNS_HEADER_SIZE)
        return 0;
    memset(message, 0, DNS_HEADER_SIZE);
    dns_put16(message, query->id);
    dns_put16(message + 2, (uint16_t)(DNS_FLAG_QR | query->opcode << 11 | rcode));
    return DNS_HEADER_SIZE;
}

/* What to do with an answer that did not fit. 0: nothing is to be sent. */
static size_t finish_overflow(struct answer *answer, size_t room, enum dns_transport transport)
{
    if (transport == DNS_DATAGRAM) {
        answer->flags |= DNS_FLAG_TC;
    } else if (room < DNS_MESSAGE_SIZE_MAX) {
        return 0;
    } else { /* no DNS message can hold it */
        begin(answer, answer->query, answer->compose.message, room);
        answer->rcode = DNS_SERVFAIL;
    }
    put_opt(answer);
    put_header(answer);
    return answer->compose.size;
}

size_t dns_answer(const struct dns_zones *zones, const uint8_t *query, size_t query_size,
                  uint8_t *answer, size_t room, enum dns_transport transport)
{
    struct dns_query parsed;
    struct answer made;
    switch (dns_query_parse(&parsed, query, query_size)) {
    case DNS_QUERY_GOOD:
        break;
    case DNS_QUERY_MALFORMED:
        return answer_header_only(&parsed, DNS_FORMERR, answer, room);
    case DNS_QUERY_UNKNOWN:
        return answer_header_only(&parsed, DNS_NOTIMP, answer, room);
    case DNS_QUERY_DROPPED:
        return 0;
    }
    if (room > DNS_MESSAGE_SIZE_MAX)
        room = DNS_MESSAGE_SIZE_MAX;
    if (transport == DNS_DATAGRAM) {
        size_t size = parsed.udp_size < DNS_UDP_SIZE ? parsed.udp_size : DNS_UDP_SIZE;
        room = room < size ? room : size;
    }
    if (!begin(&made, &parsed, answer, room))
        return 0;
    made.may_trim = transport == DNS_DATAGRAM || room == DNS_MESSAGE_SIZE_MAX;
    if (parsed.edns_version > 0) {
        made.rcode = DNS_BADVERS;
    } else {
        if (parsed.class == DNS_CLASS_IN && parsed.type != DNS_AXFR && parsed.type != DNS_IXFR)
            made.zone = dns_zones_find(zones, &parsed);
        made.compose.zone = made.zone;
        if (made.zone) {
            made.flags |= DNS_FLAG_AA;
            resolve_all(&made);
        } else {
            made.rcode = DNS_REFUSED;
        }
    }
    if (made.overflow)
        return finish_overflow(&made, room, transport);
    put_opt(&made);
    put_header(&made);
    return made.compose.size;
}
