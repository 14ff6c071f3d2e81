/* lab_live.c - see lab_live.h: through the settings and the statistics that each link of a lab has in
 * its state folder.
 */
#include "tools/lab_live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/link_path.h"
#include "tun/loop.h"

enum { TEXT_SIZE = 8192, STEP_US = 2000, TIMEOUT_US = 2000000 };

/* Takes --link N, if it is there. False after a message. */
static bool take_link(char ***words, uint64_t *link)
{
    *link = 0;
    if ((*words)[0] == NULL || strcmp((*words)[0], "--link") != 0)
        return true;
    if ((*words)[1] == NULL || !unit_number((*words)[1], 0, LAB_LINKS_MAX - 1, link)) {
        command_error("lab", EXIT_USAGE, "--link takes a number from 0 to %d", LAB_LINKS_MAX - 1);
        return false;
    }
    *words += 2;
    return true;
}

int lab_change(const struct lab *lab, char **words)
{
    char file[32], path[LAB_PATH_SIZE];
    uint64_t link;
    if (!take_link(&words, &link))
        return EXIT_USAGE;
    if (words[0] == NULL)
        return command_error("lab", EXIT_USAGE, "change what? NAME=VALUE, as in `tcpct link --at`");
    struct link_path paths[LINK_DIRECTIONS] = { 0 }; /* the link's own complaints are not heard */
    for (size_t i = 0; words[i] != NULL; i++)
        if (link_path_change(paths, words[i]) != 0)
            return EXIT_USAGE;
    snprintf(file, sizeof file, "link%d.settings", (int)link);
    /* Behind what was changed before. */
    FILE *out = fopen(lab_state_path(lab, file, path), "r+e");
    if (out == NULL || fseek(out, 0, SEEK_END) != 0)
        return command_error("lab", 1, "cannot change link %d of the lab \"%s\": %s", (int)link,
                             lab->name, strerror(errno));
    for (size_t i = 0; words[i] != NULL; i++)
        fprintf(out, "%s\n", words[i]);
    if (fclose(out) != 0)
        return command_error("lab", 1, "cannot write %s", path);
    return lab_signal_link(lab, link, SIGHUP) ? 0 : 1;
}

/* What is in the file, on one line. */
static size_t read_line(const char *path, char text[TEXT_SIZE])
{
    FILE *in = fopen(path, "re");
    size_t size = in != NULL ? fread(text, 1, TEXT_SIZE - 1, in) : 0;
    if (in != NULL)
        fclose(in);
    text[size] = '\0';
    for (char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        *at = ' ';
    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
    return size;
}

int lab_counters(const struct lab *lab, char **words)
{
    char file[32], path[LAB_PATH_SIZE], text[TEXT_SIZE];
    uint64_t link;
    if (!take_link(&words, &link))
        return EXIT_USAGE;
    if (words[0] != NULL)
        return command_error("lab", EXIT_USAGE, "counters takes no \"%s\"", words[0]);
    snprintf(file, sizeof file, "link%d.json", (int)link);
    /* Emptied, so that what is in it later is new. */
    if (truncate(lab_state_path(lab, file, path), 0) != 0)
        return command_error("lab", 1, "link %d of the lab \"%s\" has no counters: %s", (int)link,
                             lab->name, strerror(errno));
    if (!lab_signal_link(lab, link, SIGUSR1))
        return 1;
    uint64_t deadline = loop_clock_us() + TIMEOUT_US;
    while (read_line(path, text) < 2 || strcmp(text + strlen(text) - 2, "}}") != 0) {
        if (loop_clock_us() > deadline)
            return command_error("lab", 1, "the link does not answer");
        usleep(STEP_US);
    }
    printf("%s\n", text);
    return 0;
}
