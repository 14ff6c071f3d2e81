/* address.c - addresses and prefixes as text. */
#include <arpa/inet.h>
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

const char *address_text(const struct tcpct_address *address, char *text, size_t size)
{
    int family = address->family == 6 ? AF_INET6 : AF_INET;
    if (inet_ntop(family, address->bytes, text, (socklen_t)size) == NULL && size > 0)
        text[0] = '\0';
    return text;
}
