/* chaos.h - what a server says of itself, to whom it may concern: the names of class CH (RFC 4892) and
 * the option NSID (RFC 5001).
 */
#ifndef DNS_CHAOS_H
#define DNS_CHAOS_H

#include <stdbool.h>

struct answer;

enum { CHAOS_TEXT_MAX = 63 /* so that NSID fits any reply of 512 bytes */ };

/* NULL, or 1 to CHAOS_TEXT_MAX bytes: nothing is told. */
struct chaos_texts {
    const char *version;  /* version.bind, version.server */
    const char *identity; /* hostname.bind, id.server, NSID */
};

/* Writes the answer to a question of class CH, whose name and type may be any. False, and nothing is
 * written: there is none. */
bool chaos_answer(struct answer *answer, const struct chaos_texts *texts);

#endif
