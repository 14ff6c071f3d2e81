/* answer_test.c - the answer to each kind of question, and to broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define SOA "x. SOA ns.x. host.x. 1 2 3 4 5"

#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char plain_zone[] = "@ 60 SOA ns host 1 2 3 4 5\n"
                                 "@ NS ns\n"
                                 "ns A 192.0.2.1\n"
                                 "a A 192.0.2.2\n"
                                 "a TXT t\n"
                                 "mail MX 1 a\n"
                                 "srv SRV 1 2 3 a\n"
                                 "c1 CNAME c2\n"
                                 "c2 CNAME a\n"
                                 "out CNAME a.y.\n"
                                 "gone CNAME nothing\n"
                                 "loop CNAME pool\n"
                                 "pool CNAME loop\n"
                                 "into CNAME www.sub\n"
                                 "sub NS ns.sub\n"
                                 "sub NS ns.y.\n"
                                 "ns.sub A 192.0.2.3\n"
                                 "deep.ent A 192.0.2.4\n"
                                 "*.w A 192.0.2.5\n"
                                 "*.w MX 1 a\n"
                                 "not.w TXT t\n"
                                 "*.wc CNAME a\n"
                                 "tree DNAME w\n"
                                 "away DNAME y.\n"
                                 "long DNAME " LABEL "." LABEL "." LABEL ".y.\n";

static struct dns_zones *plain;

static void exact(void **state)
{
    (void)state;
    expect_answer(plain, "a.x. A", 0, "NOERROR aa, an a.x. A 192.0.2.2");
    expect_answer(plain, "A.X. A", 0, "NOERROR aa, an A.X. A 192.0.2.2");
    expect_answer(plain, "a.x. TXT", CASE_RD, "NOERROR aa rd, an a.x. TXT \"t\"");
    expect_answer(plain, "x. NS", 0, "NOERROR aa, an x. NS ns.x., ad ns.x. A 192.0.2.1");
    expect_answer(plain, "mail.x. MX", 0, "NOERROR aa, an mail.x. MX 1 a.x., ad a.x. A 192.0.2.2");
    expect_answer(plain, "srv.x. SRV", 0,
                  "NOERROR aa, an srv.x. SRV 1 2 3 a.x., ad a.x. A 192.0.2.2");
}

static void missing(void **state)
{
    (void)state;
    expect_answer(plain, "b.x. A", 0, "NXDOMAIN aa, au " SOA);
    expect_answer(plain, "b.a.x. A", 0, "NXDOMAIN aa, au " SOA);
    expect_answer(plain, "a.x. AAAA", 0, "NOERROR aa, au " SOA);
    expect_answer(plain, "ent.x. A", 0, "NOERROR aa, au " SOA); /* RFC 8020 */
    expect_answer(plain, "x.ent.x. A", 0, "NXDOMAIN aa, au " SOA);
}

static void cname(void **state)
{
    (void)state;
    expect_answer(plain, "c1.x. A", 0,
                  "NOERROR aa, an c1.x. CNAME c2.x., an c2.x. CNAME a.x., an a.x. A 192.0.2.2");
    expect_answer(plain, "c1.x. CNAME", 0, "NOERROR aa, an c1.x. CNAME c2.x.");
    expect_answer(plain, "c2.x. AAAA", 0, "NOERROR aa, an c2.x. CNAME a.x., au " SOA);
    expect_answer(plain, "out.x. A", 0, "NOERROR aa, an out.x. CNAME a.y.");
    expect_answer(plain, "gone.x. A", 0, "NXDOMAIN aa, an gone.x. CNAME nothing.x., au " SOA);
    expect_answer(plain, "loop.x. A", 0,
                  "NOERROR aa, an loop.x. CNAME pool.x., an pool.x. CNAME loop.x.");
    expect_answer(plain, "into.x. A", 0,
                  "NOERROR aa, an into.x. CNAME www.sub.x., au sub.x. NS ns.y., "
                  "au sub.x. NS ns.sub.x., ad ns.sub.x. A 192.0.2.3");
}

static void dname(void **state)
{
    (void)state;
    expect_answer(plain, "tree.x. DNAME", 0, "NOERROR aa, an tree.x. DNAME w.x.");
    expect_answer(plain, "tree.x. A", 0, "NOERROR aa, au " SOA);
    expect_answer(plain, "b.tree.x. A", 0,
                  "NOERROR aa, an tree.x. DNAME w.x., an b.tree.x. CNAME b.w.x., "
                  "an b.w.x. A 192.0.2.5");
    expect_answer(plain, "b.away.x. A", 0,
                  "NOERROR aa, an away.x. DNAME y., an b.away.x. CNAME b.y.");
    const char *answer = case_answer(plain, LABEL ".long.x. A", 0);
    assert_memory_equal(answer, "YXDOMAIN aa, an long.x. DNAME", 29);
}

/* Aliases into other zones that are served here, above, below and beside. */
static void chains_across_zones(void **state)
{
    (void)state;
    static const char tail[] = "@ SOA ns host 1 2 3 4 5\n@ NS ns.else.\n";
    char texts[3][1024];
    struct case_zone cases[] = { { texts[0], "x" }, { texts[1], "sub.x" }, { texts[2], "y" } };
    snprintf(
        texts[0], sizeof texts[0],
        "%sa CNAME b.y.\ndown CNAME www.deep.sub\nd DNAME t.y.\nend MX 1 mail\nmail A 192.0.2.1\n"
        "l CNAME l.y.\nr CNAME c.cut.y.\nn CNAME no.y.\n*.w CNAME b.y.\n",
        tail);
    snprintf(texts[1], sizeof texts[1],
             "%swww.deep MX 5 mx.deep\nmx.deep A 192.0.2.2\nup CNAME end.x.\n", tail);
    snprintf(texts[2], sizeof texts[2],
             "%sb CNAME up.sub.x.\nl CNAME l.x.\nv.t A 192.0.2.3\nw.t DNAME sub.x.\n"
             "cut NS ns.cut\nns.cut A 192.0.2.4\n",
             tail);
    struct dns_zones *zones = case_zones_of(cases, 3);
    expect_answer(
        zones, "a.x. MX", 0,
        "NOERROR aa, an a.x. CNAME b.y., an b.y. CNAME up.sub.x., an up.sub.x. CNAME end.x., "
        "an end.x. MX 1 mail.x., ad mail.x. A 192.0.2.1");
    expect_answer(zones, "q.w.x. MX", 0,
                  "NOERROR aa, an q.w.x. CNAME b.y., an b.y. CNAME up.sub.x., "
                  "an up.sub.x. CNAME end.x., an end.x. MX 1 mail.x., ad mail.x. A 192.0.2.1");
    expect_answer(zones, "down.x. MX", 0,
                  "NOERROR aa, an down.x. CNAME www.deep.sub.x., an www.deep.sub.x. MX 5 "
                  "mx.deep.sub.x., ad mx.deep.sub.x. A 192.0.2.2");
    expect_answer(
        zones, "down.x. A", 0,
        "NOERROR aa, an down.x. CNAME www.deep.sub.x., au sub.x. SOA ns.sub.x. host.sub.x. "
        "1 2 3 4 5");
    expect_answer(zones, "v.d.x. A", 0,
                  "NOERROR aa, an d.x. DNAME t.y., an v.d.x. CNAME v.t.y., an v.t.y. A 192.0.2.3");
    expect_answer(zones, "www.deep.w.d.x. MX", 0,
                  "NOERROR aa, an d.x. DNAME t.y., an www.deep.w.d.x. CNAME www.deep.w.t.y., "
                  "an w.t.y. DNAME sub.x., an www.deep.w.t.y. CNAME www.deep.sub.x., "
                  "an www.deep.sub.x. MX 5 mx.deep.sub.x., ad mx.deep.sub.x. A 192.0.2.2");
    expect_answer(zones, "l.x. A", 0, "NOERROR aa, an l.x. CNAME l.y., an l.y. CNAME l.x.");
    expect_answer(zones, "r.x. A", 0,
                  "NOERROR aa, an r.x. CNAME c.cut.y., au cut.y. NS ns.cut.y., "
                  "ad ns.cut.y. A 192.0.2.4");
    expect_answer(zones, "n.x. A", 0,
                  "NXDOMAIN aa, an n.x. CNAME no.y., au y. SOA ns.y. host.y. 1 2 3 4 5");
    dns_zones_free(zones);
}

/* Chains that never come to an end are cut off. */
static void endless_chains(void **state)
{
    (void)state;
    static const struct case_zone cases[] = {
        { "@ SOA ns host 1 2 3 4 5\n@ NS ns.else.\nd DNAME a.d.y.\n", "x" },
        { "@ SOA ns host 1 2 3 4 5\n@ NS ns.else.\nd DNAME d.x.\n", "y" },
    };
    struct dns_zones *zones = case_zones_of(cases, 2);
    const char *at = case_answer(zones, "b.d.x. A", 0);
    assert_int_equal(strncmp(at, "NOERROR aa, an d.x. DNAME a.d.y.", 32), 0);
    unsigned records = 0;
    while ((at = strstr(at, ", an "))) {
        records++;
        at++;
    }
    assert_int_equal(records, 2 + 17);
    dns_zones_free(zones);
}

static void wildcard(void **state)
{
    (void)state;
    expect_answer(plain, "b.w.x. A", 0, "NOERROR aa, an b.w.x. A 192.0.2.5");
    expect_answer(plain, "c.b.w.x. A", 0, "NOERROR aa, an c.b.w.x. A 192.0.2.5");
    expect_answer(plain, "*.w.x. A", 0, "NOERROR aa, an *.w.x. A 192.0.2.5");
    expect_answer(plain, "b.w.x. TXT", 0, "NOERROR aa, au " SOA);
    expect_answer(plain, "b.w.x. MX", 0, "NOERROR aa, an b.w.x. MX 1 a.x., ad a.x. A 192.0.2.2");
    expect_answer(plain, "not.w.x. A", 0, "NOERROR aa, au " SOA); /* the name exists */
    expect_answer(plain, "b.not.w.x. A", 0, "NXDOMAIN aa, au " SOA);
    expect_answer(plain, "b.*.w.x. A", 0, "NXDOMAIN aa, au " SOA);
    expect_answer(plain, "b.wc.x. A", 0, "NOERROR aa, an b.wc.x. CNAME a.x., an a.x. A 192.0.2.2");
}

static void delegation(void **state)
{
    (void)state;
    static const char referral[] = "NOERROR, au sub.x. NS ns.y., au sub.x. NS ns.sub.x., "
                                   "ad ns.sub.x. A 192.0.2.3";
    expect_answer(plain, "sub.x. A", 0, referral);
    expect_answer(plain, "sub.x. NS", 0, referral);
    expect_answer(plain, "a.b.sub.x. A", 0, referral);
    expect_answer(plain, "ns.sub.x. A", 0, referral); /* glue is no answer */
    expect_answer(plain, "sub.x. DS", 0, "NOERROR aa, au " SOA);
    expect_answer(plain, "a.sub.x. DS", 0, referral);
}

static void any(void **state)
{
    (void)state;
    expect_answer(plain, "a.x. ANY", 0, "NOERROR aa, an a.x. A 192.0.2.2"); /* RFC 8482 */
    expect_answer(plain, "c2.x. ANY", 0, "NOERROR aa, an c2.x. CNAME a.x.");
    expect_answer(plain, "b.x. ANY", 0, "NXDOMAIN aa, au " SOA);
}

static void refused(void **state)
{
    (void)state;
    expect_answer(plain, "a.y. A", 0, "REFUSED");
    expect_answer(plain, ". NS", CASE_RD, "REFUSED rd");
    expect_answer(plain, "x. AXFR", 0, "REFUSED");
    expect_answer(plain, "x. IXFR", 0, "REFUSED");
    expect_answer(plain, "a.y. A", CASE_EDNS, "REFUSED edns");
}

static int setup(void **state)
{
    (void)state;
    plain = case_zones(plain_zone, "x");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dns_zones_free(plain);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact),
        cmocka_unit_test(missing),
        cmocka_unit_test(cname),
        cmocka_unit_test(dname),
        cmocka_unit_test(wildcard),
        cmocka_unit_test(delegation),
        cmocka_unit_test(any),
        cmocka_unit_test(refused),
        cmocka_unit_test(chains_across_zones),
        cmocka_unit_test(endless_chains),

    };
    return cmocka_run_group_tests_name("answer", tests, setup, teardown);
}
