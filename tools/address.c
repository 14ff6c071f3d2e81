/* address.c - addresses, prefixes and ports as text. */
#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

#include "tools/command.h"

bool address_parse(const char *text, struct tcpct_address *address)
{
    struct tcpct_address parsed = { .family = strchr(text, ':') != NULL ? 6 : 4 };
    if (inet_pton(parsed.family == 6 ? AF_INET6 : AF_INET, text, parsed.bytes) != 1)
        return false;
    *address = parsed;
    return true;
}

bool address_parse_prefix(const char *text, struct tun_address *address)
{
    char ip[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    if (slash == NULL || (size_t)(slash - text) >= sizeof ip)
        return false;
    memcpy(ip, text, (size_t)(slash - text));
    ip[slash - text] = '\0';
    struct tun_address parsed;
    uint64_t length;
    if (!address_parse(ip, &parsed.address) ||
        !unit_number(slash + 1, 0, parsed.address.family == 4 ? 32 : 128, &length))
        return false;
    parsed.prefix_length = (uint8_t)length;
    *address = parsed;
    return true;
}

enum { HOST_SIZE = 256 };

/* Cuts HOST, HOST:PORT, [HOST] or [HOST]:PORT; a HOST with colons and without brackets has no port. */
static bool cut_port(const char *text, char *host, uint16_t *port)
{
    const char *begin = text, *end, *colon = NULL;
    uint64_t number = *port;
    if (*text == '[') {
        begin = text + 1;
        end = strchr(text, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return false;
        colon = end[1] == ':' ? end + 1 : NULL;
    } else {
        colon = strchr(text, ':');
        if (colon != NULL && strchr(colon + 1, ':') != NULL)
            colon = NULL;
        end = colon != NULL ? colon : text + strlen(text);
    }
    size_t size = (size_t)(end - begin);
    if (size == 0 || size >= HOST_SIZE || (colon == NULL && number == 0) ||
        (colon != NULL && !unit_number(colon + 1, 1, UINT16_MAX, &number)))
        return false;
    memcpy(host, begin, size);
    host[size] = '\0';
    *port = (uint16_t)number;
    return true;
}

bool address_parse_port(const char *text, uint16_t port, struct socket_name *name)
{
    char host[HOST_SIZE];
    struct socket_name parsed = { .port = port };
    if (!cut_port(text, host, &parsed.port) || !address_parse(host, &parsed.address))
        return false;
    *name = parsed;
    return true;
}

bool address_resolve_port(const char *text, uint16_t port, struct socket_name *name)
{
    char host[HOST_SIZE];
    struct addrinfo *found = NULL, wanted = { .ai_socktype = SOCK_STREAM };
    struct socket_name parsed = { .port = port };
    if (address_parse_port(text, port, name))
        return true;
    if (!cut_port(text, host, &parsed.port) || getaddrinfo(host, NULL, &wanted, &found) != 0)
        return false;
    char numeric[NI_MAXHOST];
    bool good = getnameinfo(found->ai_addr, found->ai_addrlen, numeric, sizeof numeric, NULL, 0,
                            NI_NUMERICHOST) == 0 &&
                address_parse(numeric, &parsed.address);
    freeaddrinfo(found);
    if (good)
        *name = parsed;
    return good;
}

const char *address_text(const struct tcpct_address *address, char *text, size_t size)
{
    int family = address->family == 6 ? AF_INET6 : AF_INET;
    if (inet_ntop(family, address->bytes, text, (socklen_t)size) == NULL && size > 0)
        text[0] = '\0';
    return text;
}
