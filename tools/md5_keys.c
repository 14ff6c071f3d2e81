#include "tools/md5_keys.h"

#include <string.h>

#include "tcpct/ip.h"
#include "tools/command.h"
#include "tools/secret_file.h"

enum { KEYS_MAX = 64 };

struct keys {
    struct tcpct_stack *stack;
    struct tcpct_address peers[KEYS_MAX]; /* so far */
    size_t count;
};

static bool is_printable(const char *text)
{
    while (*text >= ' ' && *text <= '~')
        text++;
    return *text == '\0';
}

static bool is_known(const struct keys *keys, const struct tcpct_address *peer)
{
    for (size_t i = 0; i < keys->count; i++)
        if (ip_address_equal(&keys->peers[i], peer))
            return true;
    return false;
}

/* A secret_file_line. */
static const char *take_line(void *context, char *line)
{
    struct keys *keys = context;
    struct tcpct_address peer;
    size_t end = strcspn(line, " \t");
    const char *key = line + end + strspn(line + end, " \t");
    if (line[end] != '\0')
        line[end] = '\0';
    if (!address_parse(line, &peer) || ip_address_is_unusable(&peer))
        return "a line is `ADDRESS KEY`, with the IPv4 or IPv6 address of one peer";
    if (*key == '\0' || strlen(key) > TCPCT_MD5_KEY_MAX || !is_printable(key))
        return "a key has 1 to 80 characters of printable ASCII";
    if (is_known(keys, &peer))
        return "this address already has a key";
    if (keys->count == KEYS_MAX)
        return "there may be 64 keys at most";
    int error = tcpct_md5_key_set(keys->stack, &peer, key, strlen(key));
    if (error != TCPCT_OK)
        return tcpct_error_text(error);
    keys->peers[keys->count++] = peer;
    return NULL;
}

bool md5_keys_load(struct tcpct_stack *stack, const char *path, char *error, size_t error_size)
{
    struct keys keys = { .stack = stack };
    return secret_file_read(path, take_line, &keys, error, error_size);
}
