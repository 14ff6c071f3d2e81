/* zonefile_test.c - zone text: what is read, and what is refused with which sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define RANGE                                                                                      \
    "test:3: $GENERATE takes START-STOP[/STEP] and a record, with START at most STOP and STOP at " \
    "most 2147483647"
#define NOT_IP "Syntax error, could not parse the RR's rdata"

#define HEAD "@ 60 SOA ns host 1 2 3 4 5\n@ NS ns\n"

static void forms_of_text(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones("$ORIGIN Example.\n"
                                         "$TTL 1h\n"
                                         "@ IN SOA ns host ( 1 ; serial\n"
                                         "     2 3 4 \n 5 )  ; the rest\n"
                                         "  NS ns\n"
                                         "\n"
                                         "   ; only a comment\n"
                                         "ns 300 A 192.0.2.1\r\n"
                                         "   IN 1h A 192.0.2.2\n"
                                         "in IN 5 A 192.0.2.6\n"
                                         "a\\ b 70000 MX 5 ns\n"
                                         "ttl 5 IN A 192.0.2.7\n"
                                         "t TXT \"a;b (c)\" d\\;e\n"
                                         "x\\.y A 192.0.2.3\n"
                                         "$ORIGIN sub\n"
                                         "z TYPE1 \\# 4 C0000204\n"
                                         "u TYPE65400 \\# 3 ( 01\n 02 03 )\n"
                                         "last A 192.0.2.5",
                                         NULL);
    expect_answer(zones, "ns.example. A", 0,
                  "NOERROR aa, an ns.example. A 192.0.2.1, an ns.example. A 192.0.2.2");
    expect_answer(zones, "in.example. A", 0, "NOERROR aa, an in.example. A 192.0.2.6");
    expect_answer(zones, "a\\032b.example. MX", 0,
                  "NOERROR aa, an a\\032b.example. MX 5 ns.example., ad ns.example. A 192.0.2.1, "
                  "ad ns.example. A 192.0.2.2");
    expect_answer(zones, "ttl.example. A", 0, "NOERROR aa, an ttl.example. A 192.0.2.7");
    expect_answer(zones, "t.example. TXT", 0, "NOERROR aa, an t.example. TXT \"a;b (c)\" \"d;e\"");
    expect_answer(zones, "x\\.y.example. A", 0, "NOERROR aa, an x\\.y.example. A 192.0.2.3");
    expect_answer(zones, "z.sub.example. A", 0, "NOERROR aa, an z.sub.example. A 192.0.2.4");
    expect_answer(zones, "u.sub.example. TYPE65400", 0,
                  "NOERROR aa, an u.sub.example. TYPE65400 \\# 3 010203");
    expect_answer(zones, "last.sub.example. A", 0, "NOERROR aa, an last.sub.example. A 192.0.2.5");
    dns_zones_free(zones);
}

static void errors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } cases[] = {
        { HEAD "a CH A 192.0.2.1\n", "test:3: only class IN is served" },
        { HEAD "a 3000000000 A 192.0.2.1\n", "test:3: the TTL 3000000000 is above 2147483647" },
        { HEAD "a MX 65536 b\n", "test:3: the number 65536 is above 65535" },
        { HEAD "a IN 60 DS 1 256 1 00\n", "test:3: the number 256 is above 255" },
        { HEAD "$DATE\n", "test:3: there is no directive $DATE" },
        { HEAD "$INCLUDE\n", "test:3: $INCLUDE takes a file and perhaps an origin" },
        { HEAD "$INCLUDE /does/not/exist\n",
          "test:3: $INCLUDE: /does/not/exist cannot be opened: No such file or directory" },
        { HEAD "$INCLUDE /\n", "test:3: $INCLUDE: / is no regular file" },
        { HEAD "$GENERATE 0-4294967295 a$ A 192.0.2.1\n", RANGE },
        { HEAD "$GENERATE 0-2147483647 a$ A 192.0.2.1\n",
          "test:3: $GENERATE makes more than 16777216 records in this zone" },
        { HEAD "$GENERATE 2-1 a$ A 192.0.2.1\n", RANGE },
        { HEAD "$GENERATE 1-2/0 a$ A 192.0.2.1\n", RANGE },
        { HEAD "$GENERATE 1-2 \n", RANGE },
        { HEAD "$GENERATE 1-2 a${-2} A 192.0.2.1\n", "test:3: a number of $GENERATE is below 0" },
        { HEAD "$GENERATE 1-2 a${0,1,y} A 192.0.2.1\n",
          "test:3: what follows the $ is not {OFFSET[,WIDTH[,BASE]]}" },
        { HEAD "$GENERATE 255-256 a$ A 192.0.2.$\n", "test:3: this is no record: " NOT_IP },
        { HEAD "$TTL\n", "test:3: $TTL takes one argument" },
        { HEAD "$TTL soon\n", "test:3: $TTL soon is no time" },
        { HEAD "$ORIGIN a..b.\n", "test:3: $ORIGIN a..b. is no domain name" },
        { HEAD "a TXT \"open\nb A 192.0.2.1\n",
          "test:3: a quoted string is not closed on its line" },
        { HEAD "a TXT ( b\n", "test:3: the file ends inside parentheses" },
        { HEAD "a TXT b )\n", "test:3: a parenthesis is closed that was not opened" },
        { HEAD "a TXT b\\\n", "test:3: a backslash ends the line" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(case_zone_error(cases[i].text, "x"), cases[i].error);
}

/* What ldns finds wrong is passed on with the line. */
static void errors_of_records(void **state)
{
    (void)state;
    static const char *const records[] = { "a A 192.0.2.256",     "a MX b",
                                           "a NOTYPE b",          "a A",
                                           "a AAAA 1:2:3",        "a A 192.0.2.1 more",
                                           "a..b A 192.0.2.1",    "a DNSKEY 257 3 13 ###",
                                           "a TYPE65400 \\# 4 01" };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        char text[256];
        snprintf(text, sizeof text, HEAD "%s\n", records[i]);
        const char *error = case_zone_error(text, "x");
        if (strncmp(error, "test:3: this is no record: ", 27) != 0)
            fail_msg("%s: %s", records[i], error);
    }
}

static void relative_without_origin(void **state)
{
    (void)state;
    assert_string_equal(case_zone_error("@ SOA ns host 1 2 3 4 5\n", NULL),
                        "test:1: the name @ is relative and there is no $ORIGIN before it");
    assert_string_equal(case_zone_error(" SOA ns host 1 2 3 4 5\n", NULL),
                        "test:1: no owner name stands before this record");
}

#define L60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* Names that pass 255 bytes only with their origin (RFC 1035, 3.1), wherever they stand. */
static void names_too_long(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "$ORIGIN " L60 "." L60 "." L60 "\n" L60 "." L60 " A 192.0.2.1\n",
        "$ORIGIN " L60 "." L60 "." L60 "\na MX 1 " L60 "." L60 "\n",
        "$ORIGIN " L60 "." L60 "." L60 "\n$ORIGIN " L60 "." L60 "\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[1024];
        snprintf(text, sizeof text, HEAD "%s", lines[i]);
        assert_string_equal(case_zone_error(text, "x"), "test:4: a name has more than 255 bytes");
    }
}

/* A signature of 40,000 bytes: longer than ldns reads from a file. */
static void long_record(void **state)
{
    (void)state;
    enum { CHUNKS = 3600, CHUNK = 16 };
    char *text = malloc(256 + CHUNKS * (CHUNK + 1));
    char *out = text + sprintf(text, HEAD "a TYPE65400 \\# %d (", CHUNKS * CHUNK / 2);
    for (unsigned i = 0; i < CHUNKS; i++)
        out += sprintf(out, "0123456789abcdef\n");
    memcpy(out, ")\n", 3);
    struct dns_zones *zones = case_zones(text, "x");
    const struct zone *zone = zones->zones[0];
    uint32_t node = zone_find(zone, (const uint8_t *)"\1a\1x", 5);
    const struct zone_set *set = zone_set_find(zone, &zone->nodes[node], 65400);
    assert_int_equal(set->data_size, 12 + CHUNKS * CHUNK / 2);
    dns_zones_free(zones);
    free(text);
}

/* ---- $INCLUDE and $GENERATE ----------------------------------------------------------------- */

static char folder[] = "/tmp/zonefile-test-XXXXXX";

/* Writes folder/name. */
static void write_file(const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The zone `x` of folder/main, or NULL with `error`. */
static struct dns_zones *load_main(char error[512])
{
    char argument[128];
    struct zone_source source;
    snprintf(argument, sizeof argument, "x=%s/main", folder);
    assert_true(zone_source_parse(&source, argument));
    error[0] = '\0';
    return dns_zones_load(&source, 1, error, 512);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = { "main", "sub/inner", "sub/more", "b c", "sub", "." };
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        if (remove(path) != 0 && strcmp(names[i], ".") == 0)
            rmdir(folder);
    }
    return 0;
}

/* Relative to the including file; the origin and the owner come back, $TTL stays as it was set. */
static void include(void **state)
{
    (void)state;
    char path[128], error[512];
    snprintf(path, sizeof path, "%s/sub", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    write_file("main", HEAD "a A 192.0.2.1\n"
                            "$INCLUDE sub/inner y ; comment\n"
                            "  A 192.0.2.2\n"
                            "$include \"b c\"\n"
                            "last A 192.0.2.9\n"
                            "$INCLUDE b\\ c z.x.");
    write_file("sub/inner", "  A 192.0.2.3\n$ORIGIN w\nb A 192.0.2.4\n$INCLUDE more");
    write_file("sub/more", "c A 192.0.2.5\n");
    write_file("b c", "$TTL 77\nd A 192.0.2.6\n");
    struct dns_zones *zones = load_main(error);
    if (!zones) {
        fail_msg("%s", error);
        return;
    }
    expect_answer(zones, "a.x. A", 0,
                  "NOERROR aa, an a.x. A 192.0.2.1, an a.x. A 192.0.2.2, an a.x. A 192.0.2.3");
    expect_answer(zones, "b.w.y.x. A", 0, "NOERROR aa, an b.w.y.x. A 192.0.2.4");
    expect_answer(zones, "c.w.y.x. A", 0, "NOERROR aa, an c.w.y.x. A 192.0.2.5");
    expect_answer(zones, "d.x. A", 0, "NOERROR aa, an d.x. A 192.0.2.6");
    expect_answer(zones, "d.z.x. A", 0, "NOERROR aa, an d.z.x. A 192.0.2.6");
    expect_answer(zones, "last.x. A", 0, "NOERROR aa, an last.x. A 192.0.2.9");
    const struct zone *zone = zones->zones[0];
    assert_int_equal(zone->sources.count, 5);
    uint32_t last = zone_find(zone, (const uint8_t *)"\4last\1x", 8);
    assert_int_equal(zone_set_find(zone, &zone->nodes[last], DNS_A)->ttl, 77);
    dns_zones_free(zones);
}

/* What is wrong is said of the file in which it stands, also when it is found in the whole zone. */
static void include_errors(void **state)
{
    (void)state;
    static const struct {
        const char *inner, *error;
    } cases[] = {
        { "\nb A 1\n", "sub/inner:2: this is no record: " NOT_IP },
        { "$INCLUDE main\n", "sub/main cannot be opened: No such file or directory" },
        { "$INCLUDE inner\n", "sub/inner:1: $INCLUDE is nested more than 10 deep" },
        { "\n\n@ SOA ns host 1 2 3 4 6\n", "sub/inner:3: this is the zone's second SOA record" },
        { "b TXT (", "sub/inner:1: the file ends inside parentheses" },
    };
    char error[512];
    write_file("main", HEAD "$INCLUDE sub/inner\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file("sub/inner", cases[i].inner);
        assert_null(load_main(error));
        if (!strstr(error, cases[i].error))
            fail_msg("%s", error);
    }
    write_file("main", HEAD "$INCLUDE sub/inner a..b.\n");
    assert_null(load_main(error));
    assert_non_null(strstr(error, "main:3: $INCLUDE a..b. is no domain name"));
}

static void generated_records(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(HEAD "$TTL 5\n"
                                              "$GENERATE 9-11/2 h${0,3} IN A 192.0.2.$\n"
                                              "  TXT last\n"
                                              "$generate 0-1 ${0,3,n}.r 60 PTR h$\n",
                                         "x");
    expect_answer(zones, "h009.x. A", 0, "NOERROR aa, an h009.x. A 192.0.2.9");
    expect_answer(zones, "h010.x. A", 0, "NXDOMAIN aa, au x. SOA ns.x. host.x. 1 2 3 4 5");
    expect_answer(zones, "h011.x. A", 0, "NOERROR aa, an h011.x. A 192.0.2.11");
    expect_answer(zones, "h011.x. TXT", 0, "NOERROR aa, an h011.x. TXT \"last\"");
    expect_answer(zones, "1.0.r.x. PTR", 0, "NOERROR aa, an 1.0.r.x. PTR h1.x.");
    dns_zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_of_text),     cmocka_unit_test(errors),
        cmocka_unit_test(errors_of_records), cmocka_unit_test(relative_without_origin),
        cmocka_unit_test(names_too_long),    cmocka_unit_test(long_record),
        cmocka_unit_test(include),           cmocka_unit_test(include_errors),
        cmocka_unit_test(generated_records),
    };
    return cmocka_run_group_tests_name("zonefile", tests, make_folder, remove_folder);
}
