/* secret_test.c - the secrets' states walk through virtual time (RFC 6013, 3.5.3). */
#include "tcpct/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

enum { SECOND = 1000000 };
static const uint64_t msl = 30ull * SECOND, interval = 600ull * SECOND, start = 12345;

struct fixture {
    struct generator generator;
    struct secrets secrets;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    *state = fixture;
    return fixture != NULL && secrets_create(&fixture->secrets, generate_bytes, &fixture->generator,
                                             interval, msl, 0, start)
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    secrets_destroy(&fixture->secrets);
    free(fixture);
    return 0;
}

static void assert_states(const struct secrets *secrets, enum secret_state first,
                          enum secret_state second)
{
    assert_int_equal(secrets->slot[0].state, first);
    assert_int_equal(secrets->slot[1].state, second);
    assert_int_equal(secrets->slot[0].mac == NULL, first == SECRET_EMPTY);
    assert_int_equal(secrets->slot[1].mac == NULL, second == SECRET_EMPTY);
}

/* Nothing changes before `when`, which is what the deadline says. */
static void assert_quiet_until(struct secrets *secrets, uint64_t when)
{
    struct secrets before = *secrets;

    assert_int_equal(secrets_deadline(secrets), when);
    assert_true(secrets_tick(secrets, when - 1));
    assert_memory_equal(&before, secrets, sizeof before);
}

static void the_first_is_primary_and_lives_one_msl(void **state)
{
    struct secrets *secrets = &((struct fixture *)*state)->secrets;

    assert_states(secrets, SECRET_PRIMARY, SECRET_EMPTY);
    assert_int_equal(secrets_generator(secrets), 0);
    assert_int_equal(secrets->made, 1);
    assert_quiet_until(secrets, start + msl);
    assert_true(secrets_tick(secrets, start + msl));
    assert_states(secrets, SECRET_RETIRING, SECRET_GENERATING);
    assert_int_equal(secrets_generator(secrets), 1);
    assert_int_equal(secrets->made, 2);
}

static void the_first_newer_cookie_changes_both(void **state)
{
    struct secrets *secrets = &((struct fixture *)*state)->secrets;
    uint64_t now = start + msl;

    secrets_tick(secrets, now);
    secrets_verified(secrets, 0, now + 1); /* an older one changes nothing */
    assert_states(secrets, SECRET_RETIRING, SECRET_GENERATING);
    now += SECOND;
    secrets_verified(secrets, 1, now);
    assert_states(secrets, SECRET_SECONDARY, SECRET_PRIMARY);
    assert_int_equal(secrets_generator(secrets), 1);
    secrets_verified(secrets, 1, now + SECOND); /* only the first one counts */
    secrets_verified(secrets, 0, now + SECOND);
    assert_states(secrets, SECRET_SECONDARY, SECRET_PRIMARY);
    assert_quiet_until(secrets, now + 2 * msl);
    assert_true(secrets_tick(secrets, now + 2 * msl));
    assert_states(secrets, SECRET_EMPTY, SECRET_PRIMARY);
    assert_quiet_until(secrets, start + msl + interval);
    secrets_tick(secrets, start + msl + interval);
    assert_states(secrets, SECRET_GENERATING, SECRET_RETIRING);
    assert_int_equal(secrets_generator(secrets), 0);
}

static void without_traffic_the_older_one_ends_all_the_same(void **state)
{
    struct secrets *secrets = &((struct fixture *)*state)->secrets;
    uint64_t now = start + msl;

    secrets_tick(secrets, now);
    assert_quiet_until(secrets, now + 2 * msl);
    secrets_tick(secrets, now + 2 * msl);
    assert_states(secrets, SECRET_SECONDARY, SECRET_PRIMARY);
    assert_quiet_until(secrets, now + 4 * msl);
    secrets_tick(secrets, now + 4 * msl);
    assert_states(secrets, SECRET_EMPTY, SECRET_PRIMARY);
}

/* Whoever ticks late does not make the older secret live longer. */
static void a_late_tick_counts_from_when_it_was_due(void **state)
{
    struct secrets *secrets = &((struct fixture *)*state)->secrets;
    uint64_t now = start + msl;

    secrets_tick(secrets, now);
    secrets_tick(secrets, now + 4 * msl);
    assert_states(secrets, SECRET_EMPTY, SECRET_PRIMARY);
}

static void a_day_of_deadlines(void **state)
{
    struct secrets *secrets = &((struct fixture *)*state)->secrets;
    uint64_t now = start;
    unsigned ticks = 0;

    for (;;) {
        uint64_t deadline = secrets_deadline(secrets);
        if (deadline >= start + 86400ull * SECOND)
            break;
        assert_true(deadline > now);
        now = deadline;
        assert_true(secrets_tick(secrets, now));
        ticks++;
        assert_true(secrets->slot[secrets_generator(secrets)].mac != NULL);
    }
    /* Each of 145 secrets is made, promoted, and ends its predecessor. */
    assert_in_range(ticks, 3 * 143, 3 * 144);
    assert_int_equal(secrets->made, 145);
}

static void a_short_interval_waits_for_a_slot(void **state)
{
    (void)state;
    struct generator generator = { 9 };
    struct secrets secrets;

    assert_true(secrets_create(&secrets, generate_bytes, &generator, msl, msl, 0, 0));
    secrets_tick(&secrets, msl);
    for (uint64_t now = msl; now < 100 * msl; now += SECOND) {
        assert_true(secrets_deadline(&secrets) > now);
        assert_true(secrets_tick(&secrets, now + SECOND));
    }
    assert_in_range(secrets.made, 24, 26); /* one in 4 MSL */
    secrets_destroy(&secrets);
    assert_states(&secrets, SECRET_EMPTY, SECRET_EMPTY);
}

static void same_bytes(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 7, size);
}

static void tag_of_first(uint64_t wall_clock_us, uint64_t now_us, uint8_t tag[MAC_SIZE])
{
    struct secrets secrets;

    assert_true(secrets_create(&secrets, same_bytes, NULL, interval, msl, wall_clock_us, now_us));
    assert_true(mac_compute(secrets.slot[0].mac, "x", 1, tag));
    secrets_destroy(&secrets);
}

/* A machine that restarts with the same randomness has another first secret. */
static void the_first_depends_on_real_time(void **state)
{
    (void)state;
    uint8_t once[MAC_SIZE], again[MAC_SIZE], later[MAC_SIZE];

    tag_of_first(1794700000000000, 0, once);
    tag_of_first(1794700000000000, 99, again);
    tag_of_first(1794700000000001, 0, later);
    assert_memory_equal(once, again, MAC_SIZE);
    assert_memory_not_equal(once, later, MAC_SIZE);
}

static void tag_of_second(uint64_t wall_clock_us, uint64_t now_us, uint8_t tag[MAC_SIZE])
{
    struct secrets secrets;

    assert_true(secrets_create(&secrets, same_bytes, NULL, interval, msl, wall_clock_us, now_us));
    assert_true(secrets_tick(&secrets, now_us + msl));
    assert_int_equal(secrets.slot[1].state, SECRET_GENERATING);
    assert_true(mac_compute(secrets.slot[1].mac, "x", 1, tag));
    secrets_destroy(&secrets);
}

/* 3.5.3: "Later secrets SHOULD NOT include the time". */
static void later_ones_do_not(void **state)
{
    (void)state;
    uint8_t once[MAC_SIZE], again[MAC_SIZE];

    tag_of_second(1794700000000000, 0, once);
    tag_of_second(1794700000000001, 99, again);
    assert_memory_equal(once, again, MAC_SIZE);
}

static size_t drawn;

static void count_bytes(void *context, void *bytes, size_t size)
{
    drawn += size;
    generate_bytes(context, bytes, size);
}

/* 3.5.3: what entropy the configured source gathers goes into every secret: each is drawn when it
 * is made, none is derived from another or drawn ahead. */
static void each_is_drawn_when_it_is_made(void **state)
{
    (void)state;
    struct generator generator = { 4 };
    struct secrets secrets;

    drawn = 0;
    assert_true(secrets_create(&secrets, count_bytes, &generator, interval, msl, 0, 0));
    assert_true(drawn >= MAC_SIZE);
    for (uint64_t now = SECOND; now < 3 * interval; now += SECOND) {
        size_t before = drawn;
        uint64_t made = secrets.made;
        assert_true(secrets_tick(&secrets, now));
        assert_int_equal(secrets.made != made, drawn >= before + MAC_SIZE);
        assert_int_equal(secrets.made == made, drawn == before);
    }
    assert_int_equal(secrets.made, 4);
    secrets_destroy(&secrets);
}

#define WITH_SECRETS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SECRETS(the_first_is_primary_and_lives_one_msl),
        WITH_SECRETS(the_first_newer_cookie_changes_both),
        WITH_SECRETS(without_traffic_the_older_one_ends_all_the_same),
        WITH_SECRETS(a_late_tick_counts_from_when_it_was_due),
        WITH_SECRETS(a_day_of_deadlines),
        cmocka_unit_test(a_short_interval_waits_for_a_slot),
        cmocka_unit_test(the_first_depends_on_real_time),
        cmocka_unit_test(later_ones_do_not),
        cmocka_unit_test(each_is_drawn_when_it_is_made),
    };
    return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
