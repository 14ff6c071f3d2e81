/* experiment_record.c - see experiment_record.h. */
#include "tools/experiment_record.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/lab_process.h"
#include "tools/report.h"
#include "tools/rows.h"

enum { VERSION_TIMEOUT_MS = 5000 };

/* ---- files ------------------------------------------------------------------------------------ */

/* The path of a shipped experiment, or the name itself if it is a path. */
static const char *find_file(const char *name, char path[LAB_PATH_SIZE])
{
    char file[128];
    if (strchr(name, '/') != NULL || strchr(name, '.') != NULL)
        return name;
    snprintf(file, sizeof file, "lab/%.100s.lab", name);
    return lab_data(file, path);
}

struct lab_file *record_read_file(const char *name)
{
    char error[LAB_ERROR_SIZE], path[LAB_PATH_SIZE];
    const char *found = find_file(name, path);
    if (found == NULL) {
        command_error("lab", EXIT_USAGE,
                      "there is no experiment \"%s\"; `tcpct lab list` shows those there are",
                      name);
        return NULL;
    }
    struct lab_file *file = lab_file_read(found, NULL, error);
    if (file == NULL)
        command_error("lab", EXIT_USAGE, "%s", error);
    return file;
}

FILE *record_create(const char *folder, const char *name)
{
    char path[LAB_PATH_SIZE * 2];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "we");
    if (out == NULL)
        command_error("lab", 1, "cannot write %s: %s", path, strerror(errno));
    return out;
}

int record_finish(FILE *out, const char *name)
{
    return fclose(out) == 0 ? 0 : command_error("lab", 1, "cannot write all of %s", name);
}

/* ---- what was run ----------------------------------------------------------------------------- */

/* The first line that a shell command prints; "" if there is none. */
static void first_line(const char *folder, const char *command, char *text, size_t size)
{
    char log[LAB_PATH_SIZE * 2];
    char *words[] = { "sh", "-c", (char *)command, NULL };
    snprintf(log, sizeof log, "%s/version", folder);
    const struct process_options options = {
        .name = command, .words = words, .environment = environ, .log = log, .bound = true
    };
    *text = '\0';
    process_run(&options, VERSION_TIMEOUT_MS);
    FILE *in = fopen(log, "re");
    if (in != NULL && fgets(text, (int)size, in) != NULL)
        text[strcspn(text, "\n")] = '\0';
    if (in != NULL)
        fclose(in);
    unlink(log);
}

size_t record_find(struct record_fact *facts, const char *folder)
{
    static const char *const programs[][2] = {
        { "Knot", "PATH=$PATH:/usr/sbin knotd --version 2>/dev/null" },
        { "NSD", "PATH=$PATH:/usr/sbin nsd -v 2>&1 | grep '^NSD version'" },
        { "processor", "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo" },
        { "processors", "nproc" },
        { "load of the last minute", "cut -d' ' -f1 /proc/loadavg" },
    };
    struct utsname kernel;
    size_t count = 0;
    uname(&kernel);
    facts[count++] = (struct record_fact){ "tcpct", TCPCT_VERSION };
    snprintf(facts[count].name, sizeof facts->name, "kernel");
    snprintf(facts[count++].value, sizeof facts->value, "%s %s %s", kernel.sysname, kernel.release,
             kernel.machine);
    for (size_t i = 0; i < sizeof programs / sizeof *programs && count < RECORD_FACTS_MAX; i++) {
        snprintf(facts[count].name, sizeof facts->name, "%s", programs[i][0]);
        first_line(folder, programs[i][1], facts[count].value, sizeof facts->value);
        count += facts[count].value[0] != '\0';
    }
    return count;
}

static void write_values(FILE *out, const struct lab_variable *variable)
{
    json_write_text(out, variable->name);
    fputs(": ", out);
    if (variable->count > 1)
        fputc('[', out);
    for (size_t i = 0; i < variable->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        json_write_text(out, variable->values[i]);
    }
    if (variable->count > 1)
        fputc(']', out);
}

int record_write(const struct experiment_options *options, const struct lab_file *file,
                 const char *folder, const struct record_fact *versions, size_t version_count)
{
    FILE *out = record_create(folder, "parameters.json");
    if (out == NULL)
        return 1;
    fputs("{\"experiment\": ", out);
    json_write_text(out, options->name);
    fprintf(out, ",\n \"quick\": %s", options->quick ? "true" : "false");
    fputs(",\n \"settings\": {", out);
    for (size_t i = 0; i < file->setting_count; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", out);
        write_values(out, &file->settings[i]);
    }
    fputs("\n },\n \"varies\": {", out);
    for (size_t i = 0; i < file->part_count; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", out);
        json_write_text(out, file->parts[i].name);
        fputs(": {", out);
        for (size_t j = 0; j < file->parts[i].variable_count; j++) {
            fputs(j > 0 ? ", " : "", out);
            write_values(out, &file->parts[i].variables[j]);
        }
        fputc('}', out);
    }
    fputs("\n },\n \"versions\": {", out);
    for (size_t i = 0; i < version_count; i++) {
        fputs(i > 0 ? ",\n  " : "\n  ", out);
        json_write_text(out, versions[i].name);
        fputs(": ", out);
        json_write_text(out, versions[i].value);
    }
    fputs("\n }\n}\n", out);
    return record_finish(out, "parameters.json");
}

void record_write_html(FILE *out, const struct lab_file *file, const struct record_fact *versions,
                       size_t version_count)
{
    report_heading(out, "What was run");
    report_facts_begin(out);
    for (size_t i = 0; i < file->setting_count; i++)
        report_fact(out, lab_file_label(file, file->settings[i].name), file->settings[i].values[0]);
    for (size_t i = 0; i < version_count; i++)
        report_fact(out, versions[i].name, versions[i].value);
    report_facts_end(out);
    fputs("<p>Files: ", out);
    report_link(out, "parameters.json");
    for (size_t i = 0; i < file->path_count; i++) {
        const char *slash = strrchr(file->paths[i], '/');
        report_link(out, slash != NULL ? slash + 1 : file->paths[i]);
    }
    fputs("</p>\n", out);
}

int record_copy_files(const struct lab_file *file, const char *folder)
{
    for (size_t i = 0; i < file->path_count; i++) {
        const char *path = file->paths[i], *slash = strrchr(path, '/');
        const char *name = slash != NULL ? slash + 1 : path;
        FILE *in = fopen(path, "re"), *out = record_create(folder, name);
        int byte;
        while (in != NULL && out != NULL && (byte = fgetc(in)) != EOF)
            fputc(byte, out);
        if (in != NULL)
            fclose(in);
        if (out == NULL || record_finish(out, name) != 0)
            return 1;
    }
    return 0;
}

/* ---- list ------------------------------------------------------------------------------------- */

static void list_variable(const char *kind, const struct lab_variable *variable,
                          const struct lab_file *file)
{
    printf("  %-8s%-14s", kind, variable->name);
    for (size_t i = 0; i < variable->count; i++)
        printf("%s%s", i > 0 ? "," : "", variable->values[i]);
    const char *label = lab_file_label(file, variable->name);
    printf("%s%s\n", label != variable->name ? "   # " : "", label != variable->name ? label : "");
}

static int list_one(const char *name)
{
    struct lab_file *file = record_read_file(name);
    if (file == NULL)
        return EXIT_USAGE;
    printf("%s\n\n", file->title != NULL ? file->title : name);
    for (size_t i = 0; i < file->setting_count; i++)
        list_variable("set", &file->settings[i], file);
    for (size_t i = 0; i < file->part_count; i++) {
        printf("%s%s\n", file->parts[i].title != NULL ? file->parts[i].title : "",
               file->parts[i].title != NULL ? ":" : "");
        for (size_t j = 0; j < file->parts[i].variable_count; j++)
            list_variable("vary", &file->parts[i].variables[j], file);
    }
    lab_file_free(file);
    return 0;
}

int experiment_list(const char *name)
{
    char path[LAB_PATH_SIZE], pattern[LAB_PATH_SIZE + 16];
    glob_t found;
    if (name != NULL)
        return list_one(name);
    if (lab_data("lab", path) == NULL)
        return command_error("lab", 1, "the shipped experiments are not beside this program");
    snprintf(pattern, sizeof pattern, "%s/*.lab", path);
    if (glob(pattern, 0, NULL, &found) != 0)
        return 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char error[LAB_ERROR_SIZE];
        struct lab_file *file = lab_file_read(found.gl_pathv[i], NULL, error);
        const char *base = strrchr(found.gl_pathv[i], '/') + 1;
        if (file == NULL)
            command_error("lab", 1, "%s", error);
        else if (file->title != NULL)
            printf("%-14.*s %s\n", (int)strcspn(base, "."), base, file->title);
        lab_file_free(file);
    }
    globfree(&found);
    return 0;
}
