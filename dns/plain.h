/* plain.h - the commonest records in their plainest form, many times faster than ldns reads them: large
 * zones are little else.
 *
 * What is not entirely plain (an escape, another type, anything wrong) is left to ldns (record.h), so
 * that nothing here is an error, and what is read here is what ldns would read.
 */
#ifndef DNS_PLAIN_H
#define DNS_PLAIN_H

#include "record.h"

/* Reads an entry. False: it is not plain. */
bool plain_parse(struct record *record, const struct record_defaults *defaults, const char *entry);

#endif
