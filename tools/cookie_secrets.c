/* cookie_secrets.c - the secrets of DNS cookies in a file: see cookie_secrets.h. */
#include "tools/cookie_secrets.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "tools/secret_file.h"

struct secrets {
    uint8_t bytes[DNS_COOKIE_SECRETS_MAX][DNS_COOKIE_SECRET_SIZE];
    size_t count;
};

/* A secret_file_line. */
static const char *take_line(void *context, char *line)
{
    struct secrets *secrets = context;
    size_t size;
    if (secrets->count == DNS_COOKIE_SECRETS_MAX)
        return "there may be 3 secrets at most";
    if (strlen(line) != (size_t)2 * DNS_COOKIE_SECRET_SIZE ||
        !OPENSSL_hexstr2buf_ex(secrets->bytes[secrets->count], DNS_COOKIE_SECRET_SIZE, &size, line,
                               '\0'))
        return "a secret has 32 hexadecimal digits";
    secrets->count++;
    return NULL;
}

static bool take(struct dns_cookies **cookies, const struct secrets *secrets)
{
    if (*cookies)
        return dns_cookies_set(*cookies, secrets->bytes, secrets->count);
    *cookies = dns_cookies_create(secrets->bytes, secrets->count);
    return *cookies != NULL;
}

bool cookie_secrets_load(struct dns_cookies **cookies, const char *path, char *error,
                         size_t error_size)
{
    struct secrets secrets = { .count = 0 };
    bool good = secret_file_read(path, take_line, &secrets, error, error_size);
    if (good && secrets.count == 0) {
        snprintf(error, error_size, "%s: there is no secret in it", path);
        good = false;
    } else if (good && !take(cookies, &secrets)) {
        snprintf(error, error_size, "there is no memory, or OpenSSL has no SipHash");
        good = false;
    }
    OPENSSL_cleanse(&secrets, sizeof secrets);
    return good;
}
