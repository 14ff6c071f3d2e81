/* lab_environment.c - see lab_environment.h. */
#include "tools/lab_environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/command.h"

enum { PATH_SIZE = 512 };

static char *entry_of(const struct lab_environment *environment, const char *name, size_t *place)
{
    size_t size = strlen(name);
    for (*place = 0; *place < environment->count; ++*place)
        if (strncmp(environment->entries[*place], name, size) == 0 &&
            environment->entries[*place][size] == '=')
            return environment->entries[*place];
    return NULL;
}

void lab_environment_set(struct lab_environment *environment, const char *name, const char *value)
{
    char *text = NULL;
    size_t place;
    if (asprintf(&text, "%s=%s", name, value) < 0)
        exit(command_error("lab", 1, "out of memory"));
    char *old = entry_of(environment, name, &place);
    if (old == NULL && environment->count + 1 >= environment->room) {
        environment->room += 64;
        environment->entries =
            realloc(environment->entries, environment->room * sizeof *environment->entries);
        if (environment->entries == NULL)
            exit(command_error("lab", 1, "out of memory"));
    }
    free(old);
    environment->entries[place] = text;
    if (place == environment->count)
        environment->entries[++environment->count] = NULL;
}

void lab_environment_begin(struct lab_environment *environment)
{
    *environment = (struct lab_environment){ 0 };
    for (char **entry = environ; *entry != NULL; entry++) {
        char name[256];
        size_t size = strcspn(*entry, "=");
        if (size >= sizeof name)
            continue;
        memcpy(name, *entry, size);
        name[size] = '\0';
        lab_environment_set(environment, name, *entry + size + 1);
    }
}

const char *lab_environment_get(const struct lab_environment *environment, const char *name)
{
    size_t place;
    const char *entry = entry_of(environment, name, &place);
    return entry != NULL ? entry + strlen(name) + 1 : NULL;
}

void lab_environment_free(struct lab_environment *environment)
{
    for (size_t i = 0; i < environment->count; i++)
        free(environment->entries[i]);
    free(environment->entries);
    *environment = (struct lab_environment){ 0 };
}

bool lab_expand(const struct lab_environment *environment, const char *text, char *out, size_t size)
{
    size_t at = 0;
    while (*text != '\0' && at + 1 < size) {
        char name[64];
        size_t length = 0;
        if (*text != '$') {
            out[at++] = *text++;
            continue;
        }
        bool brace = *++text == '{';
        text += brace;
        while ((isalnum((unsigned char)*text) || *text == '_') && length + 1 < sizeof name)
            name[length++] = *text++;
        name[length] = '\0';
        text += brace && *text == '}';
        const char *value = lab_environment_get(environment, name);
        if (value == NULL) {
            command_error("lab", 1, "$%s is set nowhere", name);
            return false;
        }
        at += (size_t)snprintf(out + at, size - at, "%s", value);
    }
    if (at + 1 >= size) {
        command_error("lab", 1, "the flags are too long");
        return false;
    }
    out[at] = '\0';
    return true;
}

int lab_add_program(struct lab_environment *environment, const char *folder)
{
    char self[PATH_SIZE], path[PATH_SIZE * 2], programs[4096];
    const char *old = lab_environment_get(environment, "PATH");
    ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
    self[size < 0 ? 0 : size] = '\0';
    snprintf(path, sizeof path, "%s/bin", folder);
    snprintf(programs, sizeof programs, "%s:%s:/usr/sbin:/sbin", path,
             old != NULL ? old : "/usr/bin:/bin");
    lab_environment_set(environment, "PATH", programs);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/bin/tcpct", folder);
    return symlink(self, path) == 0
               ? 0
               : command_error("lab", 1, "cannot make %s: %s", path, strerror(errno));
}

void lab_remove_program(const char *folder)
{
    char path[PATH_SIZE * 2];
    snprintf(path, sizeof path, "%s/bin/tcpct", folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/bin", folder);
    rmdir(path);
}
