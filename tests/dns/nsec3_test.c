/* nsec3_test.c - hashes of RFC 5155, A. */
#include "dns/nsec3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void hashes(void **state)
{
    (void)state;
    static const struct nsec3_parameters parameters = { 12, 4, { 0xaa, 0xbb, 0xcc, 0xdd } };
    static const struct {
        const char *name, *hash;
    } cases[] = {
        { "example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom" },
        { "a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl" },
        { "ai.example", "gjeqe526plbf1g8mklp59enfd789njgi" },
        { "ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr" },
        { "*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en" },
        { "2t7b4g4vsa5smi47k61mv5bv1a22bojr.example", "kohar7mbb8dc2ce8a9qvl8hon4k53uhi" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t name[NAME_SIZE_MAX], owner[NAME_SIZE_MAX];
        uint8_t hash[NSEC3_HASH_SIZE], expected[NSEC3_HASH_SIZE];
        size_t size = name_parse(name, cases[i].name);
        nsec3_hash(hash, &parameters, name, size);
        name_parse(owner, cases[i].hash);
        assert_true(nsec3_hash_decode(expected, owner));
        assert_memory_equal(hash, expected, sizeof hash);
    }
}

static void owners_that_are_no_hash(void **state)
{
    (void)state;
    static const char *const names[] = { ".", "x", "0p9mhaveqvm6t7vbl5lop2u3t2rp3to",
                                         "0p9mhaveqvm6t7vbl5lop2u3t2rp3tomm",
                                         "zp9mhaveqvm6t7vbl5lop2u3t2rp3tom" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        uint8_t name[NAME_SIZE_MAX], hash[NSEC3_HASH_SIZE];
        name_parse(name, names[i]);
        assert_false(nsec3_hash_decode(hash, name));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes),
        cmocka_unit_test(owners_that_are_no_hash),
    };
    return cmocka_run_group_tests_name("nsec3", tests, NULL, NULL);
}
