/* denial_test.c - which NSEC and NSEC3 records prove what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dns/dns_case.h"

#define SIG(type) " RRSIG " type " 13 2 60 20900101000000 20260101000000 1 x. AAAA\n"
#define SOA "x. SOA ns.x. host.x. 1 2 3 4 5"
#define SIGNED_SOA "au " SOA ", au x. RRSIG SOA"

/* clang-format off */
static const char nsec_zone[] =
    "@ 60 SOA ns host 1 2 3 4 5\n@" SIG("SOA")
    "@ NS ns\n@" SIG("NS")
    "@ NSEC b.ent NS SOA RRSIG NSEC\n@" SIG("NSEC")
    "b.ent A 192.0.2.2\nb.ent" SIG("A")
    "b.ent NSEC ns A RRSIG NSEC\nb.ent" SIG("NSEC")
    "ns A 192.0.2.1\nns" SIG("A")
    "ns NSEC s A RRSIG NSEC\nns" SIG("NSEC")
    "s NS ns\ns DS 1 13 2 00\ns" SIG("DS")
    "s NSEC u NS DS RRSIG NSEC\ns" SIG("NSEC")
    "u NS ns\nu NSEC *.w NS RRSIG NSEC\nu" SIG("NSEC")
    "*.w A 192.0.2.5\n*.w" SIG("A")
    "*.w NSEC @ A RRSIG NSEC\n*.w" SIG("NSEC");
/* clang-format on */

static void nsec(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(nsec_zone, "x");
    expect_answer(zones, "ns.x. A", 0, "NOERROR aa, an ns.x. A 192.0.2.1");
    expect_answer(zones, "ns.x. A", CASE_EDNS, "NOERROR aa edns, an ns.x. A 192.0.2.1");
    expect_answer(zones, "ns.x. A", CASE_DO,
                  "NOERROR aa edns do, an ns.x. A 192.0.2.1, an ns.x. RRSIG A");
    expect_answer(zones, "nt.x. A", CASE_DO,
                  "NXDOMAIN aa edns do, " SIGNED_SOA ", au ns.x. NSEC s.x. A RRSIG NSEC, "
                  "au ns.x. RRSIG NSEC, au x. NSEC b.ent.x. NS SOA RRSIG NSEC, au x. RRSIG NSEC");
    expect_answer(zones, "!.x. A", CASE_DO, /* one NSEC proves both */
                  "NXDOMAIN aa edns do, " SIGNED_SOA ", au x. NSEC b.ent.x. NS SOA RRSIG NSEC, "
                  "au x. RRSIG NSEC");
    expect_answer(zones, "ns.x. TXT", CASE_DO,
                  "NOERROR aa edns do, " SIGNED_SOA ", au ns.x. NSEC s.x. A RRSIG NSEC, "
                  "au ns.x. RRSIG NSEC");
    expect_answer(zones, "ent.x. A", CASE_DO,
                  "NOERROR aa edns do, " SIGNED_SOA ", au x. NSEC b.ent.x. NS SOA RRSIG NSEC, "
                  "au x. RRSIG NSEC");
    dns_zones_free(zones);
}

static void nsec_wildcard(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(nsec_zone, "x");
    expect_answer(zones, "q.w.x. A", CASE_DO,
                  "NOERROR aa edns do, an q.w.x. A 192.0.2.5, an q.w.x. RRSIG A, "
                  "au *.w.x. NSEC x. A RRSIG NSEC, au *.w.x. RRSIG NSEC");
    expect_answer(zones, "q.w.x. TXT", CASE_DO,
                  "NOERROR aa edns do, " SIGNED_SOA ", au *.w.x. NSEC x. A RRSIG NSEC, "
                  "au *.w.x. RRSIG NSEC");
    dns_zones_free(zones);
}

static void nsec_delegation(void **state)
{
    (void)state;
    struct dns_zones *zones = case_zones(nsec_zone, "x");
    expect_answer(zones, "a.s.x. A", CASE_DO,
                  "NOERROR edns do, au s.x. NS ns.x., au s.x. DS 1 13 2 00, au s.x. RRSIG DS, "
                  "ad ns.x. A 192.0.2.1, ad ns.x. RRSIG A");
    expect_answer(zones, "a.u.x. A", CASE_DO,
                  "NOERROR edns do, au u.x. NS ns.x., au u.x. NSEC *.w.x. NS RRSIG NSEC, "
                  "au u.x. RRSIG NSEC, ad ns.x. A 192.0.2.1, ad ns.x. RRSIG A");
    expect_answer(zones, "s.x. DS", CASE_DO,
                  "NOERROR aa edns do, an s.x. DS 1 13 2 00, an s.x. RRSIG DS");
    dns_zones_free(zones);
}

/* ---- the zone of RFC 5155, A, without its signatures ----------------------------------------- */

#define NSEC3(hash, next, types) hash " NSEC3 1 1 12 aabbccdd " next " " types "\n"

static const char nsec3_zone[] =
    "@ 3600 SOA ns1 bugs.x.w 1 3600 300 3600000 3600\n"
    "@ NS ns1\n@ NS ns2\n@ MX 1 xx\n@ NSEC3PARAM 1 0 12 aabbccdd\n"
    "2t7b4g4vsa5smi47k61mv5bv1a22bojr A 192.0.2.127\n"
    "a NS ns1.a\na NS ns2.a\na DS 58470 5 1 3079F1593EBAD6DC121E202A8B766A6A4837206C\n"
    "a" SIG("DS") "ns1.a A 192.0.2.5\nns2.a A 192.0.2.6\nai A 192.0.2.9\n"
                  "c NS ns1.c\nc NS ns2.c\nns1.c A 192.0.2.7\nns2.c A 192.0.2.8\n"
                  "ns1 A 192.0.2.1\nns2 A 192.0.2.2\n*.w MX 1 ai\nx.w MX 1 xx\nx.y.w MX 1 xx\n"
                  "xx A 192.0.2.10\n" NSEC3("0p9mhaveqvm6t7vbl5lop2u3t2rp3tom",
                                            "2t7b4g4vsa5smi47k61mv5bv1a22bojr", "NS SOA")
                      NSEC3("2t7b4g4vsa5smi47k61mv5bv1a22bojr", "2vptu5timamqttgl4luu9kg21e0aor3s",
                            "A RRSIG") NSEC3("2vptu5timamqttgl4luu9kg21e0aor3s",
                                             "35mthgpgcu1qg68fab165klnsnk3dpvl", "MX RRSIG")
                          NSEC3("35mthgpgcu1qg68fab165klnsnk3dpvl",
                                "b4um86eghhds6nea196smvmlo4ors995",
                                "NS DS") NSEC3("b4um86eghhds6nea196smvmlo4ors995",
                                               "gjeqe526plbf1g8mklp59enfd789njgi", "MX RRSIG")
                              NSEC3("gjeqe526plbf1g8mklp59enfd789njgi",
                                    "ji6neoaepv8b5o6k4ev33abha8ht9fgc",
                                    "A RRSIG") NSEC3("ji6neoaepv8b5o6k4ev33abha8ht9fgc",
                                                     "k8udemvp1j2f7eg6jebps17vp3n8i58h", "")
                                  NSEC3("k8udemvp1j2f7eg6jebps17vp3n8i58h",
                                        "kohar7mbb8dc2ce8a9qvl8hon4k53uhi",
                                        "") NSEC3("kohar7mbb8dc2ce8a9qvl8hon4k53uhi",
                                                  "q04jkcevqvmu85r014c7dkba38o0ji5r", "A RRSIG")
                                      NSEC3("q04jkcevqvmu85r014c7dkba38o0ji5r",
                                            "r53bq7cc2uvmubfu5ocmm6pers9tk9en", "A RRSIG")
                                          NSEC3("r53bq7cc2uvmubfu5ocmm6pers9tk9en",
                                                "t644ebqk9bibcna874givr6joj62mlhv", "MX RRSIG")
                                              NSEC3("t644ebqk9bibcna874givr6joj62mlhv",
                                                    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom", "A RRSIG");

/* The responses of RFC 5155, B: which NSEC3 records are in the authority section, by the first
 * four characters of their owners, in our order. */
static void nsec3(void **state)
{
    (void)state;
    static const struct {
        const char *question, *begin, *owners;
    } cases[] = {
        { "a.c.x.w.example. A", "NXDOMAIN aa", "b4um 0p9m 35mt " },         /* B.1 */
        { "ns1.example. MX", "NOERROR aa", "2t7b " },                       /* B.2 */
        { "y.w.example. A", "NOERROR aa", "ji6n " },                        /* B.2.1 */
        { "mc.c.example. MX", "NOERROR edns", "0p9m 35mt " },               /* B.3 */
        { "a.z.w.example. MX", "NOERROR aa", "q04j " },                     /* B.4 */
        { "a.z.w.example. AAAA", "NOERROR aa", "r53b q04j k8ud " },         /* B.5 */
        { "example. DS", "NOERROR aa", "0p9m " },                           /* B.6 */
        { "mc.a.example. MX", "NOERROR edns", "" },                         /* signed: DS */
        { "c.example. DS", "NOERROR aa", "0p9m 35mt " },                    /* 7.2.4 */
        { "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom.example. NSEC3", "NXDOMAIN aa", /* 7.2.8 */
          "0p9m q04j gjeq " },
    };
    struct dns_zones *zones = case_zones(nsec3_zone, "example");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char owners[64] = "";
        const char *answer = case_answer(zones, cases[i].question, CASE_DO);
        assert_memory_equal(answer, cases[i].begin, strlen(cases[i].begin));
        for (const char *at = answer; (at = strstr(at, ".example. NSEC3 ")); at++)
            strncat(strncat(owners, at - 32, 4), " ", 2);
        assert_string_equal(owners, cases[i].owners);
    }
    dns_zones_free(zones);
}

/* An unsigned referral has its DS only if that is signed. */
static void ds_without_signature(void **state)
{
    (void)state;
    struct dns_zones *zones =
        case_zones("@ SOA ns host 1 2 3 4 5\n@ NS ns.y.\ns NS ns.y.\ns DS 1 13 2 00\n", "x");
    expect_answer(zones, "a.s.x. A", CASE_DO, "NOERROR edns do, au s.x. NS ns.y.");
    expect_answer(zones, "s.x. DS", CASE_DO, "NOERROR aa edns do, an s.x. DS 1 13 2 00");
    dns_zones_free(zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nsec),
        cmocka_unit_test(nsec_wildcard),
        cmocka_unit_test(nsec_delegation),
        cmocka_unit_test(nsec3),
        cmocka_unit_test(ds_without_signature),
    };
    return cmocka_run_group_tests_name("denial", tests, NULL, NULL);
}
