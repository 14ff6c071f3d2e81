/* edns.c - EDNS options: see edns.h. */
#include "edns.h"

#include <string.h>

enum {
    SERVER_COOKIE_SIZE_MIN = 8,
    SERVER_COOKIE_SIZE_MAX = 32,
    ERROR_SIZE = 2,
    KEEPALIVE_SIZE = 2,
};

/* Only the first one counts (RFC 7873, 5.2). */
static bool take_cookie(struct dns_query *query, const uint8_t *cookie, size_t size)
{
    if (query->cookie)
        return true;
    if (size != EDNS_CLIENT_COOKIE_SIZE &&
        (size < EDNS_CLIENT_COOKIE_SIZE + SERVER_COOKIE_SIZE_MIN ||
         size > EDNS_CLIENT_COOKIE_SIZE + SERVER_COOKIE_SIZE_MAX))
        return false;
    query->cookie = cookie;
    query->cookie_size = (uint8_t)size;
    return true;
}

bool edns_take_options(struct dns_query *query, const uint8_t *options, size_t size)
{
    while (size > 0) {
        if (size < EDNS_OPTION_HEAD_SIZE)
            return false;
        size_t length = dns_get16(options + 2);
        size -= EDNS_OPTION_HEAD_SIZE;
        if (length > size)
            return false;
        switch (dns_get16(options)) {
        case EDNS_COOKIE:
            if (!take_cookie(query, options + EDNS_OPTION_HEAD_SIZE, length))
                return false;
            break;
        case EDNS_NSID:
            query->nsid = true;
            break;
        case EDNS_KEEPALIVE:
            query->keepalive = true;
            break;
        case EDNS_PADDING:
            query->padded = true;
            break;
        default: /* ignored (RFC 6891, 6.1.2) */
            break;
        }
        options += EDNS_OPTION_HEAD_SIZE + length;
        size -= length;
    }
    return true;
}

size_t edns_reply_size(const struct edns_reply *reply)
{
    size_t size = DNS_OPT_SIZE;
    if (reply->nsid)
        size += EDNS_OPTION_HEAD_SIZE + strlen(reply->nsid);
    if (reply->has_cookie)
        size += EDNS_OPTION_HEAD_SIZE + EDNS_COOKIE_SIZE;
    if (reply->has_keepalive)
        size += EDNS_OPTION_HEAD_SIZE + KEEPALIVE_SIZE;
    if (reply->error != EDNS_ERROR_NONE)
        size += EDNS_OPTION_HEAD_SIZE + ERROR_SIZE;
    return size;
}

/* Writes an option's head and returns where its data go. */
static uint8_t *put_head(uint8_t **out, enum edns_option option, size_t size)
{
    uint8_t *head = *out;
    dns_put16(head, (uint16_t)option);
    dns_put16(head + 2, (uint16_t)size);
    *out += EDNS_OPTION_HEAD_SIZE + size;
    return head + EDNS_OPTION_HEAD_SIZE;
}

/* Padding goes last, since it depends on everything before it. */
static void put_padding(uint8_t **out, const uint8_t *message, size_t block, size_t room)
{
    size_t size = (size_t)(*out - message) + EDNS_OPTION_HEAD_SIZE;
    if (block == 0 || size > room)
        return;
    size_t padded = (size + block - 1) / block * block;
    size_t count = (padded < room ? padded : room) - size;
    memset(put_head(out, EDNS_PADDING, count), 0, count);
}

size_t edns_reply_write(const struct edns_reply *reply, uint8_t *message, size_t at, size_t room)
{
    uint8_t *opt = message + at, *out = opt + DNS_OPT_SIZE;
    if (reply->nsid) {
        size_t size = strlen(reply->nsid);
        memcpy(put_head(&out, EDNS_NSID, size), reply->nsid, size);
    }
    if (reply->has_cookie)
        memcpy(put_head(&out, EDNS_COOKIE, EDNS_COOKIE_SIZE), reply->cookie, EDNS_COOKIE_SIZE);
    if (reply->has_keepalive)
        dns_put16(put_head(&out, EDNS_KEEPALIVE, KEEPALIVE_SIZE), reply->keepalive);
    if (reply->error != EDNS_ERROR_NONE)
        dns_put16(put_head(&out, EDNS_EXTENDED_ERROR, ERROR_SIZE), (uint16_t)reply->error);
    put_padding(&out, message, reply->padded_to, room);
    opt[0] = 0; /* the root */
    dns_put16(opt + 1, DNS_OPT);
    dns_put16(opt + 3, DNS_UDP_SIZE);
    opt[5] = (uint8_t)(reply->rcode >> 4);
    opt[6] = 0; /* our version */
    dns_put16(opt + 7, reply->dnssec_ok ? 0x8000 : 0);
    dns_put16(opt + 9, (uint16_t)(out - opt - DNS_OPT_SIZE));
    return (size_t)(out - message);
}
