/* prefixes_test.c - addresses within prefixes. */
#include "dns/prefixes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct tcpct_address a4 = { 4, { 192, 0, 2, 0x81 } };
static const struct tcpct_address a6 = { 6, { 0x20, 1, 0xd, 0xb8, [15] = 0x81 } };

static bool within(const struct tcpct_address *address, struct prefix prefix)
{
    return prefixes_contain(&(struct prefixes){ &prefix, 1 }, address);
}

/* Of every length; the first bit that differs decides. */
static void every_length(void **state)
{
    (void)state;
    for (unsigned family = 4; family <= 6; family += 2) {
        const struct tcpct_address *address = family == 4 ? &a4 : &a6;
        unsigned bits = family == 4 ? 32 : 128;
        for (unsigned length = 0; length <= bits; length++) {
            struct prefix prefix = { *address, (uint8_t)length };
            assert_true(within(address, prefix));
            for (unsigned bit = 0; bit < bits; bit++) {
                prefix.address = *address;
                prefix.address.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
                assert_int_equal(within(address, prefix), bit >= length);
            }
        }
    }
}

static void families(void **state)
{
    (void)state;
    assert_false(within(&a4, (struct prefix){ { .family = 6 }, 0 }));
    assert_false(within(&a6, (struct prefix){ { .family = 4 }, 0 }));
}

static void several(void **state)
{
    (void)state;
    const struct prefix list[] = { { a6, 64 }, { a4, 24 } };
    const struct prefixes prefixes = { list, 2 };
    assert_true(prefixes_contain(&prefixes, &a4));
    assert_true(prefixes_contain(&prefixes, &a6));
    assert_false(prefixes_contain(&prefixes, &(struct tcpct_address){ 4, { 192, 0, 3, 1 } }));
    assert_false(prefixes_contain(&(struct prefixes){ NULL, 0 }, &a4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(families),
        cmocka_unit_test(several),
    };
    return cmocka_run_group_tests_name("prefixes", tests, NULL, NULL);
}
