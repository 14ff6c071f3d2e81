/* profile_test.c - whether the clients of a prefix are worth a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tcpct/profile.h"

enum { SECOND = 1000000, RECORDS = 1 << 20 };
static const uint64_t IDLE = 10 * SECOND;

static void *take(void *context, size_t size)
{
    *(size_t *)context += size;
    return malloc(size);
}

static void give(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static struct tcpct_address v4(uint8_t c, uint8_t d)
{
    return (struct tcpct_address){ 4, { 10, 1, c, d } };
}

static struct tcpct_address v6(uint8_t site, uint8_t subnet, uint8_t host)
{
    return (struct tcpct_address){ 6, { 0x20, 1, 0xd, 0xb8, 1, site, subnet, [15] = host } };
}

/* 24 bits of an IPv4 address, 48 of an IPv6 address; and a seed that nobody knows. */
static void prefixes(void **state)
{
    (void)state;
    const struct tcpct_address a = v4(1, 1), b = v4(1, 2), c = v4(2, 1);
    const struct tcpct_address d = v6(1, 1, 1), e = v6(1, 2, 2), f = v6(2, 1, 1);
    assert_int_equal(prefix_hash(7, &a), prefix_hash(7, &b));
    assert_int_not_equal(prefix_hash(7, &a), prefix_hash(7, &c));
    assert_int_equal(prefix_hash(7, &d), prefix_hash(7, &e));
    assert_int_not_equal(prefix_hash(7, &d), prefix_hash(7, &f));
    assert_int_not_equal(prefix_hash(7, &a), prefix_hash(8, &a));
}

static void is_bounded(void **state)
{
    (void)state;
    size_t bytes = 0;
    struct memory memory = { .allocate = take, .release = give, .context = &bytes };
    struct profiles profiles;
    assert_true(profiles_create(&profiles, &memory, RECORDS, 1));
    assert_true(bytes <= RECORDS / 2); /* half a byte a record */
    assert_int_equal(profiles.quota, RECORDS / 16);
    profiles_destroy(&profiles, &memory);
    assert_true(profiles_create(&profiles, &memory, 1, 1));
    assert_int_equal(profiles.quota, 64);
    profiles_destroy(&profiles, &memory);
}

static void come_back(struct profile *profile, unsigned times, uint32_t away_s)
{
    while (times--) {
        profile->collapsed++;
        profile_returned(profile, away_s);
    }
}

static void get_lost(struct profile *profile, unsigned times)
{
    while (times--) {
        profile->collapsed++;
        profile_lost(profile);
    }
}

static void judgments(void **state)
{
    (void)state;
    struct profile profile = { 0 };
    assert_int_equal(profile_judge(&profile, IDLE), PROFILE_COLLAPSE); /* unknown */
    come_back(&profile, 7, 1);
    assert_int_equal(profile_judge(&profile, IDLE), PROFILE_COLLAPSE); /* not well known */
    come_back(&profile, 1, 1);
    assert_int_equal(profile_judge(&profile, IDLE), PROFILE_KEEP);
    come_back(&profile, 20, 3600);
    assert_int_equal(profile_judge(&profile, IDLE), PROFILE_COLLAPSE);
    come_back(&profile, 40, 12);
    assert_int_equal(profile_judge(&profile, IDLE), PROFILE_KEEP);
    get_lost(&profile, 400);
    assert_int_equal(profile_judge(&profile, IDLE), PROFILE_IGNORE);
    come_back(&profile, 10, UINT32_MAX); /* what was is soon forgotten */
    assert_int_equal(profile_judge(&profile, IDLE), PROFILE_COLLAPSE);
    assert_int_equal(profile.collapsed, 0);
}

static void admission(void **state)
{
    (void)state;
    const struct profiles profiles = { .quota = 100 };
    struct profile profile = { .collapsed = 99 };
    unsigned admitted = 0;
    assert_true(profile_admits(&profile, &profiles));
    profile.collapsed = 100;
    assert_false(profile_admits(&profile, &profiles));
    profile.collapsed = 0;
    get_lost(&profile, 8);
    for (unsigned i = 0; i < 160; i++)
        admitted += profile_admits(&profile, &profiles);
    assert_int_equal(admitted, 10); /* one in 16 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prefixes),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(judgments),
        cmocka_unit_test(admission),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
