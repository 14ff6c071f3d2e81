/* reply.c - a query in, a reply out: see reply.h. */
#include "reply.h"

#include <string.h>

#include "answer.h"

const struct dns_channel dns_any_stream = { .transport = DNS_STREAM };
const struct dns_channel dns_any_datagram = { .transport = DNS_DATAGRAM };

struct reply {
    const struct dns_channel *channel;
    struct dns_query query;
    struct edns_reply edns;
    struct answer answer;
    size_t room;
    bool cookie_good;
    bool slips; /* the rate of the client's prefix exceeds the limit */
};

/* ---- EDNS ---------------------------------------------------------------------------------- */

/* What the reply's OPT record will say as far as the query decides it. */
static void begin_edns(struct reply *reply)
{
    const struct dns_channel *channel = reply->channel;
    const struct dns_query *query = &reply->query;
    struct edns_reply *edns = &reply->edns;
    bool stream = channel->transport == DNS_STREAM;
    edns->dnssec_ok = query->dnssec_ok;
    edns->error = EDNS_ERROR_NONE;
    edns->nsid = query->nsid ? channel->texts.identity : NULL;
    edns->has_keepalive = stream && query->keepalive;
    edns->keepalive = channel->keepalive;
    edns->padded_to = query->padded && channel->pads ? EDNS_PADDING_BLOCK : 0;
    edns->has_cookie = channel->cookies && query->cookie;
    reply->cookie_good =
        edns->has_cookie && dns_cookies_answer(channel->cookies, channel->client, query->cookie,
                                               query->cookie_size, channel->now_s, edns->cookie);
}

/* Bytes that the OPT record takes, an extended error included. */
static size_t edns_room(struct reply *reply)
{
    if (!reply->query.edns)
        return 0;
    struct edns_reply full = reply->edns;
    full.error = EDNS_ERROR_NOT_AUTHORITATIVE;
    return edns_reply_size(&full);
}

/* ---- the message --------------------------------------------------------------------------- */

/* Ends the message: the OPT record goes last, its room was kept. Returns the message's size. */
static size_t finish(struct reply *reply, uint16_t flags, uint16_t rcode, unsigned questions,
                     size_t size)
{
    uint8_t *message = reply->answer.compose.message;
    const unsigned *counts = reply->answer.compose.counts;
    unsigned opt = reply->query.edns;
    if (opt) {
        reply->edns.rcode = rcode;
        size = edns_reply_write(&reply->edns, message, size, reply->room);
    }
    dns_put16(message, reply->query.id);
    dns_put16(message + 2, flags | (rcode & 15));
    dns_put16(message + 4, (uint16_t)questions);
    dns_put16(message + 6, (uint16_t)counts[DNS_ANSWER]);
    dns_put16(message + 8, (uint16_t)counts[DNS_AUTHORITY]);
    dns_put16(message + 10, (uint16_t)(counts[DNS_ADDITIONAL] + opt));
    return size;
}

/* No question in it: what the query's said is not understood, or there was none. The flags are
 * cleared. */
static size_t finish_header_only(struct reply *reply, enum dns_rcode rcode)
{
    memset(reply->answer.compose.counts, 0, sizeof reply->answer.compose.counts);
    if (DNS_HEADER_SIZE + edns_room(reply) > reply->room)
        return 0;
    uint16_t flags = (uint16_t)(DNS_FLAG_QR | reply->query.opcode << 11);
    return finish(reply, flags, (uint16_t)rcode, 0, DNS_HEADER_SIZE);
}

static size_t finish_answer(struct reply *reply)
{
    struct answer *answer = &reply->answer;
    return finish(reply, answer->flags, answer->rcode, 1, answer->compose.size);
}

/* Begins the message with its question. False: there is no room. */
static bool begin_answer(struct reply *reply)
{
    const struct dns_query *query = &reply->query;
    struct answer *answer = &reply->answer;
    struct compose *compose = &answer->compose;
    size_t question = query->name_size + 4, size = DNS_HEADER_SIZE + question;
    if (size + edns_room(reply) > reply->room)
        return false;
    memcpy(compose->message + DNS_HEADER_SIZE, query->name, question);
    compose->size = size;
    compose->limit = reply->room - (query->edns ? edns_reply_size(&reply->edns) : 0);
    compose->leg_count = compose->set_count = 0;
    memset(compose->counts, 0, sizeof compose->counts);
    answer->query = query;
    answer->overflow = false;
    answer->may_trim =
        reply->channel->transport == DNS_DATAGRAM || reply->room == DNS_MESSAGE_SIZE_MAX;
    answer->rcode = DNS_NOERROR;
    answer->flags = DNS_FLAG_QR | (query->flags & DNS_FLAG_RD);
    if (query->dnssec_ok) /* RFC 4035, 3.1.6 */
        answer->flags |= query->flags & DNS_FLAG_CD;
    return true;
}

static size_t finish_error(struct reply *reply, enum dns_rcode rcode, enum edns_error error)
{
    reply->answer.rcode = (uint16_t)rcode;
    reply->edns.error = error;
    return finish_answer(reply);
}

/* What to do with an answer that did not fit. 0: nothing is to be sent. */
static size_t finish_overflow(struct reply *reply)
{
    if (reply->channel->transport == DNS_DATAGRAM) {
        reply->answer.flags |= DNS_FLAG_TC;
        return finish_answer(reply);
    }
    if (reply->room < DNS_MESSAGE_SIZE_MAX)
        return 0;
    begin_answer(reply); /* no DNS message can hold it */
    return finish_error(reply, DNS_SERVFAIL, EDNS_ERROR_NONE);
}

/* ---- deciding ------------------------------------------------------------------------------ */

/* A datagram's source may be forged, unless it shows a cookie. */
static bool is_unproved(const struct reply *reply)
{
    return reply->channel->transport == DNS_DATAGRAM && !reply->cookie_good;
}

/* Such a client must first show a cookie, or use TCP. */
static bool must_prove(const struct reply *reply)
{
    return is_unproved(reply) && (reply->channel->cookies_required || reply->slips);
}

/* What the client's prefix may have now. */
static enum rate_verdict limit_rate(const struct reply *reply)
{
    const struct dns_channel *channel = reply->channel;
    if (!channel->rate_limit || !is_unproved(reply))
        return RATE_PASS;
    return rate_limit_take(channel->rate_limit, channel->client, channel->now_us);
}

/* AXFR and IXFR; the latter's differences are the whole zone, or a single SOA (RFC 1995, 4), which is
 * all of it that a datagram gets. */
static size_t answer_transfer(struct reply *reply, const struct dns_zones *zones)
{
    const struct dns_channel *channel = reply->channel;
    struct dns_query *query = &reply->query;
    bool stream = channel->transport == DNS_STREAM;
    if (!channel->may_transfer || (!stream && query->type == DNS_AXFR))
        return finish_error(reply, DNS_REFUSED, EDNS_ERROR_PROHIBITED);
    const struct sought_name name = { query->lower, query->name_size, query->labels,
                                      query->label_at };
    const struct zone *zone = dns_zones_find(zones, &name, DNS_SOA);
    if (!zone || zone->origin_size != query->name_size)
        return finish_error(reply, DNS_NOTAUTH, EDNS_ERROR_NOT_AUTHORITATIVE);
    if (stream) {
        if (!channel->transfer || reply->room < DNS_MESSAGE_SIZE_MAX)
            return 0;
        transfer_begin(channel->transfer, zone, query);
        return transfer_next(channel->transfer, reply->answer.compose.message);
    }
    query->type = DNS_SOA;
    query->dnssec_ok = false;
    answer_resolve(&reply->answer, zones);
    return finish_answer(reply);
}

static size_t answer_question(struct reply *reply, const struct dns_zones *zones)
{
    const struct dns_query *query = &reply->query;
    if (!begin_answer(reply))
        return 0;
    if (query->edns_version > 0)
        return finish_error(reply, DNS_BADVERS, EDNS_ERROR_NONE);
    if (must_prove(reply) && reply->edns.has_cookie)
        return finish_error(reply, DNS_BADCOOKIE, EDNS_ERROR_NONE);
    if (must_prove(reply)) {
        reply->answer.flags |= DNS_FLAG_TC;
        return finish_answer(reply);
    }
    if (query->class == DNS_CLASS_CH && chaos_answer(&reply->answer, &reply->channel->texts))
        return reply->answer.overflow ? finish_overflow(reply) : finish_answer(reply);
    if (query->class != DNS_CLASS_IN)
        return finish_error(reply, DNS_REFUSED, EDNS_ERROR_NOT_SUPPORTED);
    if (query->type == DNS_AXFR || query->type == DNS_IXFR)
        return answer_transfer(reply, zones);
    if (!answer_resolve(&reply->answer, zones))
        return finish_error(reply, DNS_REFUSED, EDNS_ERROR_NOT_AUTHORITATIVE);
    return reply->answer.overflow ? finish_overflow(reply) : finish_answer(reply);
}

/* A query for a cookie only (RFC 7873, 5.4). */
static size_t answer_empty(struct reply *reply)
{
    bool only_client = reply->query.cookie_size == EDNS_CLIENT_COOKIE_SIZE;
    if (!reply->edns.has_cookie)
        return finish_header_only(reply, DNS_FORMERR);
    return finish_header_only(reply,
                              only_client || reply->cookie_good ? DNS_NOERROR : DNS_BADCOOKIE);
}

size_t dns_reply(const struct dns_zones *zones, const struct dns_channel *channel,
                 const uint8_t *query, size_t query_size, uint8_t *message, size_t room)
{
    struct reply reply;
    enum dns_verdict verdict = dns_query_parse(&reply.query, query, query_size);
    if (verdict == DNS_QUERY_DROPPED)
        return 0;
    reply.channel = channel;
    reply.room = room < DNS_MESSAGE_SIZE_MAX ? room : DNS_MESSAGE_SIZE_MAX;
    if (channel->transport == DNS_DATAGRAM) {
        size_t size = channel->udp_size ? channel->udp_size : DNS_UDP_SIZE;
        if (size > reply.query.udp_size)
            size = reply.query.udp_size;
        reply.room = reply.room < size ? reply.room : size;
    }
    reply.answer.compose.message = message;
    begin_edns(&reply);
    enum rate_verdict rate = limit_rate(&reply);
    if (rate == RATE_DROP)
        return 0;
    reply.slips = rate == RATE_SLIP;
    switch (verdict) {
    case DNS_QUERY_GOOD:
        return answer_question(&reply, zones);
    case DNS_QUERY_EMPTY:
        return answer_empty(&reply);
    case DNS_QUERY_UNKNOWN:
        return finish_header_only(&reply, DNS_NOTIMP);
    default:
        return finish_header_only(&reply, DNS_FORMERR);
    }
}
