/* seal_keys.h - the file of --seal-key: 32 bytes as they are, or one or two lines of 64 hexadecimal digits,
 * of which the first makes seals and both open them. Empty lines and those that begin with # are left
 * out. Nobody but its owner may have access to the file.
 */
#ifndef TOOLS_SEAL_KEYS_H
#define TOOLS_SEAL_KEYS_H

#include "tcpct/tcpct.h"

struct seal_keys {
    uint8_t bytes[TCPCT_SEAL_KEYS_MAX * TCPCT_SEAL_KEY_SIZE];
    unsigned count;
};

/* False: `error` is a sentence that names the file. The caller wipes the keys. */
bool seal_keys_load(struct seal_keys *keys, const char *path, char *error, size_t error_size);

#endif
