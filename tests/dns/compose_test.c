/* compose_test.c - answers within their room, and beyond the reach of pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define HEAD "@ 60 SOA ns host 1 2 3 4 5\n@ NS ns\n"

/* Every room from none to enough: a stream gets all or nothing, a datagram TC. */
static void rooms(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(HEAD "c1 CNAME c2\nc2 CNAME a\na A 192.0.2.2\n", "x");
    uint8_t query[512], whole[512];
    size_t size = case_query(query, "c1.x. A", CASE_EDNS);
    size_t full = dns_reply(zones, &dns_any_stream, query, size, whole, sizeof whole);
    assert_true(full > size);
    for (size_t room = 0; room <= full; room++) {
        uint8_t *answer = malloc(room + 1);
        size_t got = dns_reply(zones, &dns_any_stream, query, size, answer, room);
        assert_int_equal(got, room < full ? 0 : full);
        got = dns_reply(zones, &dns_any_datagram, query, size, answer, room);
        assert_true(got <= room);
        if (got > 0) /* the OPT record stays */
            assert_int_equal(answer[2] & 2, room < full ? 2 : 0);
        if (got > 0 && room < full)
            assert_true(strncmp(case_text(answer, got), "NOERROR aa tc edns", 18) == 0);
        free(answer);
    }
    dns_zones_free(zones);
}

/* An answer beyond 16 KB: pointers do not reach its end, so owners are written out there. */
static void large(void **state)
{
    (void)state;
    enum { RECORDS = 250, SIZE = 200 };
    char *text = malloc(RECORDS * (SIZE + 32) + 256);
    char *out = text + sprintf(text, "@ SOA ns host 1 2 3 4 5\n@ NS ns\nc CNAME big\n");
    for (unsigned i = 0; i < RECORDS; i++)
        out += sprintf(out, "big TXT %0*u\n", SIZE, i);
    struct dns_zones *zones = case_zones(text, "x");
    const char *answer = case_answer(zones, "c.x. TXT", 0);
    const char *at = answer;
    for (unsigned i = 0; i < RECORDS; i++) {
        at = strstr(at, ", an big.x. TXT");
        assert_non_null(at);
        at++;
    }
    assert_null(strstr(at, ", an "));
    dns_zones_free(zones);
    free(text);
}

static void too_large(void **state)
{
    (void)state;
    enum { RECORDS = 400, SIZE = 200 };
    char *text = malloc(RECORDS * (SIZE + 32) + 256);
    char *out = text + sprintf(text, "@ SOA ns host 1 2 3 4 5\n@ NS ns\n");
    for (unsigned i = 0; i < RECORDS; i++)
        out += sprintf(out, "big TXT %0*u\n", SIZE, i);
    struct dns_zones *zones = case_zones(text, "x");
    expect_answer(zones, "big.x. TXT", CASE_EDNS, "SERVFAIL edns");
    dns_zones_free(zones);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms),
        cmocka_unit_test(large),
        cmocka_unit_test(too_large),
    };
    return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
