/* dig_cookie.c - a client cookie, and what it grows to: see dig_cookie.h. */
#include "tools/dig_cookie.h"

#include <ldns/ldns.h>
#include <string.h>

#include "tools/dig_report.h"
#include "tun/loop.h"

void dig_cookie_draw(struct dig_cookie *cookie)
{
    cookie->size = EDNS_OPTION_HEAD_SIZE + EDNS_CLIENT_COOKIE_SIZE;
    dns_put16(cookie->option, EDNS_COOKIE);
    dns_put16(cookie->option + 2, EDNS_CLIENT_COOKIE_SIZE);
    loop_random(NULL, cookie->option + EDNS_OPTION_HEAD_SIZE, EDNS_CLIENT_COOKIE_SIZE);
}

/* Takes the cookie of a reply's options. False: there is none, or it is not for us. */
static bool take(struct dig_cookie *cookie, const uint8_t *options, size_t size)
{
    while (size >= EDNS_OPTION_HEAD_SIZE) {
        size_t whole = EDNS_OPTION_HEAD_SIZE + dns_get16(options + 2);
        if (whole > size)
            return false;
        if (dns_get16(options) == EDNS_COOKIE) {
            if (whole <= EDNS_OPTION_HEAD_SIZE + EDNS_CLIENT_COOKIE_SIZE ||
                whole > sizeof cookie->option ||
                memcmp(options + EDNS_OPTION_HEAD_SIZE, cookie->option + EDNS_OPTION_HEAD_SIZE,
                       EDNS_CLIENT_COOKIE_SIZE) != 0)
                return false;
            memcpy(cookie->option, options, whole);
            cookie->size = whole;
            return true;
        }
        options += whole;
        size -= whole;
    }
    return false;
}

bool dig_cookie_accepted(struct dig_cookie *cookie, const uint8_t *message, size_t size)
{
    ldns_pkt *packet = NULL;
    if (cookie->size == 0 || dig_rcode(message, size) != DNS_BADCOOKIE ||
        ldns_wire2pkt(&packet, message, size) != LDNS_STATUS_OK)
        return true;
    const ldns_rdf *options = ldns_pkt_edns_data(packet);
    bool bad = options && take(cookie, ldns_rdf_data(options), ldns_rdf_size(options));
    ldns_pkt_free(packet);
    return !bad;
}
