/* command.c - how every command speaks to its user. */
#include "tools/command.h"

#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

int command_error(const char *command, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, command != NULL ? "tcpct %s: " : "tcpct: ", command);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}

void command_rewrite(FILE *file)
{
    struct stat status;
    if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode))
        return;
    rewind(file);
    if (ftruncate(fileno(file), 0) != 0)
        return; /* the rest of a longer old text then stays behind the new one */
}

int command_bad_option(const char *command, char **argv, int value)
{
    const char *word = argv[optind - 1];
    if (value == ':')
        return command_error(command, EXIT_USAGE, "%s needs a value: see `tcpct %s --help`", word,
                             command);
    return command_error(command, EXIT_USAGE,
                         "unknown or ambiguous option %s: see `tcpct %s --help`", word, command);
}
