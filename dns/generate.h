/* generate.h - $GENERATE, BIND's short form for a run of records that differ by a number:
 *
 *     $GENERATE START-STOP[/STEP] OWNER [TTL] [CLASS] TYPE DATA
 *
 * In OWNER and DATA, $ is the number; ${OFFSET[,WIDTH[,BASE]]} the number plus OFFSET, with zeros
 * in front up to WIDTH characters, in BASE d, o, x, X, or in nibbles of reverse names n, N (WIDTH
 * counts their dots too); \$ and $$ are a plain $.
 */
#ifndef DNS_GENERATE_H
#define DNS_GENERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct generate {
    uint32_t start, stop, step; /* start <= stop <= INT32_MAX, step >= 1 */
    const char *template;       /* what stands behind the range */
};

/* Parses what stands behind the word $GENERATE. NULL, or the reason why it is none. */
const char *generate_parse(struct generate *generate, const char *text);

/* Records that it makes. */
uint64_t generate_count(const struct generate *generate);

/* Writes one record's text for `number`. NULL, or the reason why that cannot be. */
const char *generate_expand(const struct generate *generate, uint32_t number, char *entry,
                            size_t room);

#endif
