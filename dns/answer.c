/* answer.c - what the zones say to a question (RFC 1034, 4.3.2; RFC 4035, 3.1).
 *
 * The answer section is written while the name is searched and its aliases are followed, also into
 * other zones that are served here; what belongs into the authority section is collected meanwhile
 * and written after it; the addresses that go with either come last.
 */
#include "answer.h"

#include <string.h>

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
    if (!compose_set(&answer->compose, DNS_ANSWER, answer->leg,
                     (uint32_t)(set - answer->zone->sets), &owner, part))
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

/* Goes to the zone of the name. False: it is none of ours, or out of reach. */
static bool enter(struct answer *answer, const struct step *step)
{
    const struct sought_name *sought = &step->sought;
    const struct zone *zone = dns_zones_find(answer->zones, sought, answer->query->type);
    const struct compose_leg leg = { zone, sought->name, sought->size, step->at };
    if (!zone || (zone != answer->zone && !compose_enter(&answer->compose, &leg, &answer->leg)))
        return false;
    answer->zone = zone;
    answer->authority.leg = answer->leg;
    return true;
}

/* Puts a CNAME and goes to its target. False: the chain ends here. */
static bool follow_cname(struct answer *answer, struct step *step, const struct zone_set *set)
{
    const struct zone *zone = answer->zone;
    if (compose_has_set(&answer->compose, answer->leg, (uint32_t)(set - zone->sets)))
        return false; /* a loop */
    size_t start = answer->compose.size;
    put_answer(answer, step, set, signed_part(answer));
    if (answer->overflow)
        return false;
    answer->name_sizes[step->hops] = 0;
    if (++step->hops > ANSWER_CHAIN_MAX)
        return false;
    /* The target is the CNAME's data, behind the owner and 10 bytes of head. */
    size_t owner_size = answer->compose.message[start] >= 0xc0
                            ? 2
                            : name_size(answer->compose.message + start, NAME_SIZE_MAX);
    size_t at = owner_size > 0 ? start + owner_size + 10 : 0;
    seek(answer, step, zone_name(zone, set->target), zone_name_size(zone, set->target), at);
    return enter(answer, step);
}

/* True if the question or a DNAME before this one had the name already: a loop. */
static bool was_here(const struct answer *answer, unsigned hops, const uint8_t *name, size_t size)
{
    const struct dns_query *query = answer->query;
    if (size == query->name_size && memcmp(name, query->lower, size) == 0)
        return true;
    for (unsigned i = 0; i < hops; i++)
        if (answer->name_sizes[i] == size && memcmp(name, answer->names[i], size) == 0)
            return true;
    return false;
}

/* Puts a DNAME and the CNAME that it implies, and goes on (RFC 6672, 3.2). */
static bool follow_dname(struct answer *answer, struct step *step, const struct zone_set *set)
{
    const struct zone *zone = answer->zone;
    uint32_t index = (uint32_t)(set - zone->sets);
    struct compose_owner owner = set_owner(zone, index);
    if (!compose_has_set(&answer->compose, answer->leg, index) &&
        !compose_set(&answer->compose, DNS_ANSWER, answer->leg, index, &owner,
                     signed_part(answer))) {
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
    uint8_t *name = answer->names[step->hops];
    memcpy(name, step->sought.name, prefix);
    memcpy(name + prefix, target, target_size);
    size_t size = prefix + target_size;
    answer->name_sizes[step->hops] = (uint8_t)size;
    struct compose_owner alias = { step->sought.name, step->sought.size, step->at };
    if (!compose_cname(&answer->compose, answer->leg, &alias, set->ttl, name, size)) {
        answer->overflow = true;
        return false;
    }
    if (answer->query->type == DNS_CNAME || was_here(answer, step->hops, name, size) ||
        ++step->hops > ANSWER_CHAIN_MAX)
        return false;
    seek(answer, step, name, size, answer->compose.size - size);
    return enter(answer, step);
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
    struct compose *compose = &answer->compose;
    for (unsigned i = 0; i < answer->authority.count && !answer->overflow; i++) {
        uint32_t set = answer->authority.sets[i];
        uint16_t leg = answer->authority.legs[i];
        struct compose_owner owner = set_owner(compose->legs[leg].zone, set);
        if (compose_has_set(compose, leg, set))
            continue;
        if (!compose_set(compose, DNS_AUTHORITY, leg, set, &owner, signed_part(answer)))
            answer->overflow = true;
    }
}

/* Addresses may be left out of what cannot be longer, except those of a referral (RFC 9471, 2). */
static void put_additional(struct answer *answer)
{
    struct compose *compose = &answer->compose;
    bool referral = compose->counts[DNS_ANSWER] == 0;
    unsigned count = compose->set_count;
    for (unsigned i = 0; i < count; i++) {
        uint16_t leg = compose->set_legs[i];
        const struct zone *zone = compose->legs[leg].zone;
        const struct zone_set *set = &zone->sets[compose->sets[i]];
        for (unsigned j = 0; j < set->additional_count; j++) {
            uint32_t address = zone->additional[set->additional + j];
            struct compose_owner owner = set_owner(zone, address);
            if (compose_has_set(compose, leg, address) || compose->set_count == COMPOSED_SETS_MAX)
                continue;
            if (!compose_set(compose, DNS_ADDITIONAL, leg, address, &owner, signed_part(answer)) &&
                (referral || !answer->may_trim))
                answer->overflow = true;
        }
    }
}

bool answer_resolve(struct answer *answer, const struct dns_zones *zones)
{
    const struct dns_query *query = answer->query;
    struct step step = {
        .sought = { query->lower, query->name_size, query->labels, query->label_at },
        .at = DNS_HEADER_SIZE,
    };
    answer->zones = zones;
    answer->zone = NULL;
    answer->authority.count = answer->authority.leg = answer->leg = 0;
    if (!enter(answer, &step))
        return false;
    answer->flags |= DNS_FLAG_AA;
    while (resolve(answer, &step) && !answer->overflow)
        ;
    put_authority(answer);
    if (!answer->overflow)
        put_additional(answer);
    return true;
}
