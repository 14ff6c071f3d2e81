/* order.h - zone text in canonical order (RFC 4034, 6), for the compiler.
 */
#ifndef DNS_ORDER_H
#define DNS_ORDER_H

#include "zonefile.h"

/* Sorts the owners, of which each then stands once, and the records of each by set type, signatures last,
 * rdata; drops repeated records. False: no memory. */
bool zone_text_sort(struct zone_text *text);

#endif
