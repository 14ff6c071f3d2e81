/* notation.h - TCP segments as one line of text, much as tcpdump and packetdrill write them.
 *
 *     FLAGS SEQ[+LENGTH] [ack ACK] [win WINDOW] [urg POINTER] [<OPTION, OPTION ...>]
 *
 *     S 0+64 win 65535 <mss 1460, sackOK, ts 100, wscale 7, cookie>
 *     S. 0 ack 1 <mss 1460, ts ecr 100, cookie>
 *     . 1+100 ack 1 <tsx 101, pair, mss 1460, sackOK, sack 1-25>
 *
 * FLAGS are of S, F, R, P, U, E, W and the dot of ACK. Numbers are relative: a sequence number to
 * its sender's ISN, an acknowledgment to the other's; LENGTH is that of the data, POINTER as on the
 * wire. Options:
 *
 *     mss N       wscale N     sackOK      uto N
 *     tfo                      Fast Open: a request for a cookie; expected: with any
 *     ts [V] [ecr N]           kind 8; tsx, tsx64 and tsx128: kind 254
 *     sack A-B [A-B ...]
 *     cookie, pair, cookieless
 *     md5, badmd5              signed with the script's key (zeros without one), or another
 *     mirror, badpair          to be sent only: the other's own cookie; a pair with one bit wrong
 *     badvalue, badecho        likewise: a prefix of larger timestamps that is too small; a wrong one
 *     *                        last, in an expectation: others may be there as well
 */
#ifndef TESTS_NOTATION_H
#define TESTS_NOTATION_H

#include "tcpct/segment.h"

struct notation {
    uint8_t flags;
    uint32_t seq, ack; /* relative */
    uint32_t data_size;
    uint16_t window, urgent;
    bool has_ack, has_window, has_options;
    bool others; /* "*" */
    bool mirror, bad_pair, bad_md5, bad_value, bad_echo;
    bool has_value, has_echo;   /* of the timestamps */
    struct tcp_options options; /* cookies are not filled in; sack is relative */
};

/* Fails the test if the text is not in the notation. */
struct notation notation_parse(const char *text);

/* The same, from a segment; returns `text`. */
const char *notation_format(const struct segment *segment, uint32_t iss, uint32_t irs, char *text,
                            size_t size);

#endif
