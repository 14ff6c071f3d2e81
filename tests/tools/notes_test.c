/* notes_test.c - RFC6013-NOTES.md names nothing that is not there: each `file:function` in the
 * cells for code and tests is a file with such a word in it, and each row of the RFC's requirements
 * is filled. It runs in the repository's top folder.
 *
 * A row of a table is a line that begins with "| " and a digit or "A."; its last three cells are
 * code, test and deviation. Cells of code are relative to tcpct/, of tests to tests/.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_SIZE = 2048, CELLS_MAX = 8, ROWS_MIN = 100, REFERENCES_MIN = 150 };

struct row {
    char line[LINE_SIZE]; /* cut into the cells */
    char *cells[CELLS_MAX];
    unsigned count;
};

static char *trim(char *text)
{
    text += strspn(text, " ");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \n", text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* Cuts `row->line` at its bars; false if it is no row of requirements. */
static bool cut(struct row *row)
{
    char *rest = row->line;
    row->count = 0;
    if (strncmp(rest, "| ", 2) != 0 ||
        (!isdigit((unsigned char)rest[2]) && strncmp(rest + 2, "A.", 2) != 0))
        return false;
    rest++;
    for (char *bar; (bar = strchr(rest, '|')) && row->count < CELLS_MAX; rest = bar + 1) {
        *bar = '\0';
        row->cells[row->count++] = trim(rest);
    }
    return row->count == 5 || row->count == 6; /* 3: the table of other RFCs */
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    rewind(file);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

static bool is_word_letter(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_';
}

static bool has_word(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length)
        if ((at == text || !is_word_letter(at[-1])) && !is_word_letter(at[length]))
            return true;
    return false;
}

/* What is wrong with one reference, or NULL. */
static const char *complaint(const char *folder, const char *reference)
{
    char path[256], file[200], word[100] = "";
    if (sscanf(reference, "%199[^: ]:%99[A-Za-z0-9_]", file, word) < 1)
        return "is no file:function";
    snprintf(path, sizeof path, "%s/%s", folder, file);
    char *text = read_file(path);
    if (text == NULL)
        return "names a file that is not there";
    bool found = has_word(text, word);
    free(text);
    if (word[0] == '\0')
        return "names no function";
    return found ? NULL : "names a function that is not in that file";
}

/* The references of a cell, which commas separate; how many there are. */
static unsigned check_cell(const char *id, const char *folder, char *cell)
{
    unsigned count = 0;
    for (char *one = strtok(cell, ","); one; one = strtok(NULL, ",")) {
        const char *reference = trim(one);
        const char *wrong = complaint(folder, reference);
        if (wrong)
            fail_msg("row %s: \"%s\" %s", id, reference, wrong);
        count++;
    }
    return count;
}

static bool is_reference(const char *cell)
{
    return strcmp(cell, "—") != 0 && strcmp(cell, "*planned*") != 0;
}

static void every_reference_is_there(void **state)
{
    (void)state;
    static struct row row;
    unsigned rows = 0, references = 0;
    FILE *notes = fopen("RFC6013-NOTES.md", "r");
    if (notes == NULL)
        fail_msg("RFC6013-NOTES.md is missing: run this in the repository's top folder");
    while (fgets(row.line, sizeof row.line, notes)) {
        if (!cut(&row))
            continue;
        const char *id = row.cells[0];
        char *code = row.cells[row.count - 3], *test = row.cells[row.count - 2];
        const char *deviation = row.cells[row.count - 1];
        rows++;
        if (code[0] == '\0' || test[0] == '\0')
            fail_msg("row %s: a cell is empty", id);
        if (strcmp(code, "—") == 0 && deviation[0] == '\0')
            fail_msg("row %s: neither code nor a reason", id);
        if (is_reference(code))
            references += check_cell(id, "tcpct", code);
        else if (is_reference(test))
            fail_msg("row %s: a test of code that is not there", id);
        if (is_reference(test))
            references += check_cell(id, "tests", test);
    }
    fclose(notes);
    assert_true(rows >= ROWS_MIN);
    assert_true(references >= REFERENCES_MIN);
}

static void wrong_references_are_seen(void **state)
{
    (void)state;
    assert_null(complaint("tcpct", "reply.c:copy_options"));
    assert_non_null(complaint("tcpct", "reply.c:copy_option"));
    assert_non_null(complaint("tcpct", "replies.c:copy_options"));
    assert_non_null(complaint("tcpct", "reply.c"));
    assert_non_null(complaint("tcpct", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reference_is_there),
        cmocka_unit_test(wrong_references_are_seen),
    };
    return cmocka_run_group_tests_name("notes", tests, NULL, NULL);
}
