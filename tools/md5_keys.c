#include "tools/md5_keys.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tcpct/ip.h"
#include "tools/command.h"

enum { KEYS_MAX = 64, LINE_SIZE = 256, BUFFER_SIZE = 4096 };

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

/* Takes a line without its newline. NULL, or what is wrong. */
static const char *take_line(struct keys *keys, char *line)
{
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

static bool read_lines(FILE *file, struct keys *keys, const char *path, char *error,
                       size_t error_size)
{
    char line[LINE_SIZE];
    const char *wrong = NULL;
    unsigned number = 0;
    while (wrong == NULL && fgets(line, sizeof line, file) != NULL) {
        size_t length = strcspn(line, "\n");
        number++;
        if (line[length] == '\0' && length == sizeof line - 1)
            wrong = "the line is too long";
        line[length] = '\0';
        if (wrong == NULL && *line != '\0' && *line != '#')
            wrong = take_line(keys, line);
    }
    OPENSSL_cleanse(line, sizeof line);
    if (wrong != NULL)
        snprintf(error, error_size, "%s, line %u: %s", path, number, wrong);
    else if (ferror(file))
        snprintf(error, error_size, "%s: %s", path, strerror(errno));
    return wrong == NULL && !ferror(file);
}

static bool is_private(FILE *file)
{
    struct stat status;
    return fstat(fileno(file), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

bool md5_keys_load(struct tcpct_stack *stack, const char *path, char *error, size_t error_size)
{
    struct keys keys = { .stack = stack };
    char buffer[BUFFER_SIZE]; /* stdio's own would not be wiped */
    FILE *file = fopen(path, "re");
    bool good = false;
    if (file == NULL) {
        snprintf(error, error_size, "%s: the keys cannot be read: %s", path, strerror(errno));
        return false;
    }
    setvbuf(file, buffer, _IOFBF, sizeof buffer);
    if (!is_private(file))
        snprintf(error, error_size,
                 "%s: keys are secret, so nobody but the owner may have access: chmod 600 %s", path,
                 path);
    else
        good = read_lines(file, &keys, path, error, error_size);
    fclose(file);
    OPENSSL_cleanse(buffer, sizeof buffer);
    return good;
}
