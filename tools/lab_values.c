/* lab_values.c - the settings of a lab file and what varies in it, as the command line changes them:
 * see lab_file.h.
 */
#include <stdio.h>
#include <string.h>

#include "tools/lab_file.h"

static bool assign(struct lab_variable *variables, size_t count, const struct lab_variable *with)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(variables[i].name, with->name) == 0) {
            variables[i] = *with;
            return true;
        }
    return false;
}

bool lab_file_set(struct lab_file *file, const char *assignment, char *error)
{
    const char *at = strchr(assignment, '=');
    struct lab_variable with = { 0 };
    if (at == NULL) {
        snprintf(error, LAB_ERROR_SIZE, "--set takes NAME=VALUE, not \"%s\"", assignment);
        return false;
    }
    with.name = lab_file_keep(file, assignment, (size_t)(at - assignment));
    with.values[with.count++] = lab_file_keep(file, at + 1, strlen(at + 1));
    bool known = assign(file->settings, file->setting_count, &with);
    for (with.count = 0; *at != '\0' && with.count < LAB_VALUES_MAX;) {
        size_t size = strcspn(++at, ",");
        with.values[with.count++] = lab_file_keep(file, at, size);
        at += size;
    }
    for (size_t i = 0; i < file->part_count; i++)
        known |= assign(file->parts[i].variables, file->parts[i].variable_count, &with);
    if (!known)
        snprintf(error, LAB_ERROR_SIZE,
                 "there is no parameter \"%s\"; `tcpct lab list EXPERIMENT` shows those there are",
                 with.name);
    return known;
}

void lab_file_quicken(struct lab_file *file)
{
    for (size_t i = 0; i < file->part_count; i++) {
        struct lab_part *part = &file->parts[i];
        for (size_t j = 0; j < part->quick_count; j++)
            if (!assign(part->variables, part->variable_count, &part->quick[j]))
                assign(file->settings, file->setting_count, &part->quick[j]);
    }
}

const char *lab_file_label(const struct lab_file *file, const char *name)
{
    for (size_t i = file->label_count; i-- > 0;) /* the last counts */
        if (strcmp(file->labels[i].name, name) == 0)
            return file->labels[i].text;
    return name;
}
