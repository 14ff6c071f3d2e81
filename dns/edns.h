/* edns.h - EDNS (RFC 6891): the options of a query that mean something here, and the OPT record of
 * a reply.
 */
#ifndef DNS_EDNS_H
#define DNS_EDNS_H

#include "message.h"

enum edns_option {
    EDNS_NSID = 3,            /* RFC 5001 */
    EDNS_COOKIE = 10,         /* RFC 7873 */
    EDNS_KEEPALIVE = 11,      /* RFC 7828 */
    EDNS_PADDING = 12,        /* RFC 7830 */
    EDNS_EXTENDED_ERROR = 15, /* RFC 8914 */
};

/* RFC 8914, 4. */
enum edns_error {
    EDNS_ERROR_NONE = -1,
    EDNS_ERROR_PROHIBITED = 18,
    EDNS_ERROR_NOT_AUTHORITATIVE = 20,
    EDNS_ERROR_NOT_SUPPORTED = 21,
};

enum {
    EDNS_OPTION_HEAD_SIZE = 4, /* code, length */
    EDNS_CLIENT_COOKIE_SIZE = 8,
    EDNS_COOKIE_SIZE = 24,    /* of both, as RFC 9018 makes the server's */
    EDNS_PADDING_BLOCK = 468, /* bytes of which a padded reply has a multiple (RFC 8467, 4.1) */
};

/* Takes the options of a query's OPT record. False: FORMERR (an option leaves the record, or a
 * cookie has a length that none has: RFC 7873, 5.2.2). */
bool edns_take_options(struct dns_query *query, const uint8_t *options, size_t size);

struct edns_reply {
    uint16_t rcode; /* whole: its upper bits stand here */
    bool dnssec_ok;
    enum edns_error error;
    bool has_cookie, has_keepalive;
    const char *nsid;   /* NULL: none */
    uint16_t keepalive; /* units of 100 ms */
    uint16_t padded_to; /* the message gets a multiple of this size; 0: as it comes */
    uint8_t cookie[EDNS_COOKIE_SIZE];
};

/* Bytes of the record without padding. */
size_t edns_reply_size(const struct edns_reply *reply);

/* Writes the record at message + at, where there must be room for it (as edns_reply_size says);
 * padding keeps within `room`, which counts from `message`. Returns the message's new size. */
size_t edns_reply_write(const struct edns_reply *reply, uint8_t *message, size_t at, size_t room);

#endif
