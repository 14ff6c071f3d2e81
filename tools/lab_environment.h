/* lab_environment.h - the environment of a lab's programs: the caller's, the variables of a lab file, and
 * this program first of the PATH.
 */
#ifndef TOOLS_LAB_ENVIRONMENT_H
#define TOOLS_LAB_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* Each entry is one text of `NAME=VALUE`. */
struct lab_environment {
    char **entries; /* NULL at the end */
    size_t count, room;
};

void lab_environment_begin(struct lab_environment *environment); /* with the caller's */
void lab_environment_set(struct lab_environment *environment, const char *name, const char *value);
const char *lab_environment_get(const struct lab_environment *environment, const char *name);
void lab_environment_free(struct lab_environment *environment);
/* Each $NAME and ${NAME} replaced; false if there is no such name. */
bool lab_expand(const struct lab_environment *environment, const char *text, char *out,
                size_t size);

/* `tcpct` is this program for all that run with this environment: FOLDER/bin/tcpct, first of the
 * PATH. 0, or 1 after a message. */
int lab_add_program(struct lab_environment *environment, const char *folder);
void lab_remove_program(const char *folder);

#endif
