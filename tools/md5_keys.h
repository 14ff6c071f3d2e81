/* md5_keys.h - a file of keys for TCP MD5 signatures (RFC 2385): lines of `ADDRESS KEY`.
 *
 * The key is the rest of the line, 1 to 80 characters of printable ASCII. Empty lines and those
 * that begin with # are left out. Nobody but its owner may have access to the file.
 */
#ifndef TOOLS_MD5_KEYS_H
#define TOOLS_MD5_KEYS_H

#include "tcpct/tcpct.h"

/* Gives the keys to the stack. False: `error` is a sentence that names the file and the line. */
bool md5_keys_load(struct tcpct_stack *stack, const char *path, char *error, size_t error_size);

#endif
