/* main.c - the tcpct program: finds the command and runs it. */
#include <stdlib.h>
#include <string.h>

#include "tools/command.h"

static const struct command commands[] = {
    { "dnsd", "a DNS responder over TCP Cookie Transactions", command_dnsd },
    { "dig", "one DNS query over TCP Cookie Transactions", command_dig },
    { "stub", "a local DNS server that asks over TCP Cookie Transactions", command_stub },
    { "pipe", "a byte stream over TCP Cookie Transactions, for any program", command_pipe },
    { "link", "a link emulator between two TUN devices", command_link },
    { "dump", "a capture as text, with every option of RFC 6013", command_dump },
    { "lab", "network namespaces joined by links, and experiments in them", command_lab },
    { "bench", "reports: what a restart saves, and costs", command_bench },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *file)
{
    fputs("usage: tcpct COMMAND [OPTION]...\n\n"
          "A userspace TCP with TCP Cookie Transactions (RFC 6013) on a TUN device. Commands:\n\n",
          file);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(file, "  %-8s%s\n", commands[i].name, commands[i].summary);
    fputs("\n`tcpct COMMAND --help` describes a command.\n", file);
}

/* What was printed must have got out. */
static int finish(int status)
{
    if (fflush(stdout) != 0 && status == 0)
        return command_error(NULL, EXIT_FAILURE, "cannot write to standard output");
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(stdout);
        return finish(0);
    }
    if (strcmp(name, "--version") == 0) {
        puts("tcpct " TCPCT_VERSION);
        return finish(0);
    }
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return finish(commands[i].run(argc - 1, argv + 1));
    return command_error(NULL, EXIT_USAGE, "there is no command \"%s\": see `tcpct help`", name);
}
