/* secret_file.c - reads files of keys: see secret_file.h. */
#include "tools/secret_file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LINE_SIZE = 256, BUFFER_SIZE = 4096 };

static bool read_lines(FILE *file, const char *path, secret_file_line *take_line, void *context,
                       char *error, size_t error_size)
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
            wrong = take_line(context, line);
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

bool secret_file_read(const char *path, secret_file_line *take_line, void *context, char *error,
                      size_t error_size)
{
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
        good = read_lines(file, path, take_line, context, error, error_size);
    fclose(file);
    OPENSSL_cleanse(buffer, sizeof buffer);
    return good;
}
