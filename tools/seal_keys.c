#include "tools/seal_keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_SIZE_MAX = 1024 };

static const char wrong[] =
    "a key is 32 bytes, or a line of 64 hexadecimal digits, of which there may "
    "be two";

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 'a' ^ 'A';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_line(struct seal_keys *keys, const char *line, size_t size)
{
    if (size != (size_t)2 * TCPCT_SEAL_KEY_SIZE || keys->count == TCPCT_SEAL_KEYS_MAX)
        return false;
    uint8_t *key = keys->bytes + (size_t)keys->count * TCPCT_SEAL_KEY_SIZE;
    for (size_t i = 0; i < TCPCT_SEAL_KEY_SIZE; i++) {
        int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key[i] = (uint8_t)(high << 4 | low);
    }
    keys->count++;
    return true;
}

static bool take_bytes(struct seal_keys *keys, const char *bytes, size_t size)
{
    if (size == TCPCT_SEAL_KEY_SIZE) {
        memcpy(keys->bytes, bytes, size);
        keys->count = 1;
        return true;
    }
    for (size_t at = 0; at < size;) {
        const char *newline = memchr(bytes + at, '\n', size - at);
        size_t length = newline ? (size_t)(newline - bytes) - at : size - at;
        if (length > 0 && bytes[at] != '#' && !take_line(keys, bytes + at, length))
            return false;
        at += length + 1;
    }
    return keys->count > 0;
}

static bool is_private(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

static bool read_keys(struct seal_keys *keys, FILE *file, const char *path, char *error,
                      size_t error_size)
{
    char bytes[FILE_SIZE_MAX];
    if (!is_private(file)) {
        snprintf(error, error_size,
                 "%s: a key is secret, so nobody but the owner may have access: chmod 600 %s", path,
                 path);
        return false;
    }
    size_t size = fread(bytes, 1, sizeof bytes, file);
    bool failed = ferror(file), good = !failed && size < sizeof bytes;
    good = good && take_bytes(keys, bytes, size);
    if (!good)
        snprintf(error, error_size, "%s: %s", path, failed ? strerror(errno) : wrong);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return good;
}

bool seal_keys_load(struct seal_keys *keys, const char *path, char *error, size_t error_size)
{
    FILE *file = fopen(path, "re");
    *keys = (struct seal_keys){ .count = 0 };
    if (file == NULL) {
        snprintf(error, error_size, "%s: the key cannot be read: %s", path, strerror(errno));
        return false;
    }
    setvbuf(file, NULL, _IONBF, 0); /* no buffer to be wiped */
    bool good = read_keys(keys, file, path, error, error_size);
    fclose(file);
    return good;
}
