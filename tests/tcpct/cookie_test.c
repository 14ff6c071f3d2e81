/* cookie_test.c - Responder-Cookies depend on everything they must, and live no longer than their
 * secret (RFC 6013, 3.5.2, 3.5.3).
 */
#include "tcpct/cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/generate.h"

enum { SECOND = 1000000 };
static const uint64_t msl = 30ull * SECOND, interval = 600ull * SECOND;

/* Everything that a cookie is made for, by value. */
struct exchange {
    struct tcpct_address local, remote;
    uint16_t local_port, remote_port;
    uint32_t seq, ack, timestamp;
    uint8_t size, initiator_cookie[COOKIE_SIZE_MAX];
};

struct fixture {
    struct generator generator;
    struct secrets secrets;
    struct exchange exchange;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    *state = fixture;
    if (fixture == NULL)
        return -1;
    fixture->exchange = (struct exchange){
        .local = { 4, { 192, 0, 2, 1 } },
        .remote = { 4, { 198, 51, 100, 2 } },
        .local_port = 53,
        .remote_port = 40000,
        .seq = 1000,
        .ack = 2000,
        .timestamp = 3000,
        .size = 16,
        .initiator_cookie = "initiator cookie",
    };
    return secrets_create(&fixture->secrets, generate_bytes, &fixture->generator, interval, msl, 0,
                          0)
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

static struct cookie_endpoints endpoints_of(const struct exchange *exchange)
{
    return (struct cookie_endpoints){ .local = &exchange->local,
                                      .remote = &exchange->remote,
                                      .local_port = exchange->local_port,
                                      .remote_port = exchange->remote_port };
}

static struct cookie_numbers numbers_of(const struct exchange *exchange)
{
    return (struct cookie_numbers){ .seq = exchange->seq,
                                    .ack = exchange->ack,
                                    .timestamp = exchange->timestamp,
                                    .size = exchange->size,
                                    .initiator_cookie = exchange->initiator_cookie };
}

static void make(const struct secrets *secrets, const struct exchange *exchange,
                 uint8_t cookie[COOKIE_SIZE_MAX])
{
    struct cookie_endpoints endpoints = endpoints_of(exchange);
    struct cookie_numbers numbers = numbers_of(exchange);

    memset(cookie, 0, COOKIE_SIZE_MAX);
    cookie_generate(secrets, &endpoints, &numbers, cookie);
}

static enum cookie_verdict verify(const struct secrets *secrets, const struct exchange *exchange,
                                  const uint8_t *cookie, unsigned *slot)
{
    struct cookie_endpoints endpoints = endpoints_of(exchange);
    struct cookie_numbers numbers = numbers_of(exchange);

    return cookie_verify(secrets, &endpoints, &numbers, cookie, slot);
}

static void every_size_verifies(void **state)
{
    struct fixture *fixture = *state;
    uint8_t cookie[COOKIE_SIZE_MAX];
    unsigned slot;

    for (uint8_t size = 8; size <= 16; size += 2) {
        fixture->exchange.size = size;
        memset(cookie, 0xee, sizeof cookie);
        struct cookie_endpoints endpoints = endpoints_of(&fixture->exchange);
        struct cookie_numbers numbers = numbers_of(&fixture->exchange);
        cookie_generate(&fixture->secrets, &endpoints, &numbers, cookie);
        for (size_t i = size; i < sizeof cookie; i++)
            assert_int_equal(cookie[i], 0xee);
        slot = 9;
        assert_int_equal(verify(&fixture->secrets, &fixture->exchange, cookie, &slot),
                         COOKIE_VALID);
        assert_int_equal(slot, 0);
    }
}

/* Both that the cookie differs and that the old one does not verify. */
static void assert_matters(struct fixture *fixture, const struct exchange *changed)
{
    uint8_t cookie[COOKIE_SIZE_MAX], other[COOKIE_SIZE_MAX];
    unsigned slot;

    make(&fixture->secrets, &fixture->exchange, cookie);
    make(&fixture->secrets, changed, other);
    assert_memory_not_equal(cookie, other, 8);
    assert_int_equal(verify(&fixture->secrets, changed, cookie, &slot), COOKIE_INVALID);
}

static void every_input_matters(void **state)
{
    struct fixture *fixture = *state;
    struct exchange changed;

#define CHANGE(assignment)                 \
    do {                                   \
        changed = fixture->exchange;       \
        changed.assignment;                \
        assert_matters(fixture, &changed); \
    } while (0)
    for (unsigned byte = 0; byte < 4; byte++) {
        CHANGE(local.bytes[byte] ^= 1);
        CHANGE(remote.bytes[byte] ^= 0x80);
    }
    CHANGE(local_port ^= 1);
    CHANGE(remote_port ^= 0x8000);
    for (unsigned bit = 0; bit < 32; bit++) {
        CHANGE(seq ^= 1u << bit);
        CHANGE(ack ^= 1u << bit);
        CHANGE(timestamp ^= 1u << bit);
    }
    for (unsigned byte = 0; byte < 16; byte++)
        CHANGE(initiator_cookie[byte] ^= 1);
    for (uint8_t size = 8; size < 16; size += 2)
        CHANGE(size = size);
#undef CHANGE

    /* The same numbers between IPv6 addresses that begin alike; and all bytes of those. */
    changed = fixture->exchange;
    changed.local.family = changed.remote.family = 6;
    assert_matters(fixture, &changed);
    fixture->exchange = changed;
    for (unsigned byte = 0; byte < 16; byte++) {
        changed = fixture->exchange;
        changed.local.bytes[byte] ^= 1;
        assert_matters(fixture, &changed);
        changed = fixture->exchange;
        changed.remote.bytes[byte] ^= 1;
        assert_matters(fixture, &changed);
    }
    /* Roles matter. */
    changed = fixture->exchange;
    changed.local = fixture->exchange.remote;
    changed.remote = fixture->exchange.local;
    assert_matters(fixture, &changed);
}

static void every_flipped_bit_is_seen(void **state)
{
    struct fixture *fixture = *state;
    uint8_t cookie[COOKIE_SIZE_MAX];
    unsigned slot;

    make(&fixture->secrets, &fixture->exchange, cookie);
    for (unsigned bit = 0; bit < 128; bit++) {
        cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(verify(&fixture->secrets, &fixture->exchange, cookie, &slot),
                         COOKIE_INVALID);
        cookie[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(verify(&fixture->secrets, &fixture->exchange, cookie, &slot), COOKIE_VALID);
}

static void secrets_matter(void **state)
{
    struct fixture *fixture = *state;
    struct secrets others;
    uint8_t cookie[COOKIE_SIZE_MAX];
    unsigned slot;

    assert_true(secrets_create(&others, generate_bytes, &fixture->generator, interval, msl, 0, 0));
    make(&others, &fixture->exchange, cookie);
    assert_int_equal(verify(&others, &fixture->exchange, cookie, &slot), COOKIE_VALID);
    assert_int_equal(verify(&fixture->secrets, &fixture->exchange, cookie, &slot), COOKIE_INVALID);
    secrets_destroy(&others);
}

/* One change of secrets, with a cookie of either. */
static void both_verify_while_secrets_change(void **state)
{
    struct fixture *fixture = *state;
    struct secrets *secrets = &fixture->secrets;
    const struct exchange *exchange = &fixture->exchange;
    uint8_t old[COOKIE_SIZE_MAX], new[COOKIE_SIZE_MAX];
    unsigned slot;

    make(secrets, exchange, old);
    secrets_tick(secrets, msl); /* Retiring, Generating */
    make(secrets, exchange, new);
    assert_memory_not_equal(old, new, 16);
    assert_int_equal(old[0] & 0x80, 0);
    assert_int_equal(new[0] & 0x80, 0x80);
    assert_int_equal(verify(secrets, exchange, old, &slot), COOKIE_VALID_SECONDARY);
    assert_int_equal(slot, 0);
    assert_int_equal(verify(secrets, exchange, new, &slot), COOKIE_VALID);
    assert_int_equal(slot, 1);
    secrets_verified(secrets, slot, msl + SECOND); /* Secondary, Primary */
    assert_int_equal(verify(secrets, exchange, old, &slot), COOKIE_VALID_SECONDARY);
    assert_int_equal(verify(secrets, exchange, new, &slot), COOKIE_VALID);

    secrets_tick(secrets, 3 * msl + SECOND - 1);
    assert_int_equal(verify(secrets, exchange, old, &slot), COOKIE_VALID_SECONDARY);
    secrets_tick(secrets, 3 * msl + SECOND); /* Empty, Primary */
    assert_int_equal(verify(secrets, exchange, old, &slot), COOKIE_INVALID);
    assert_int_equal(verify(secrets, exchange, new, &slot), COOKIE_VALID);

    /* The slot is used again, for another secret. */
    secrets_tick(secrets, msl + interval); /* Generating, Retiring */
    assert_int_equal(verify(secrets, exchange, old, &slot), COOKIE_INVALID);
    assert_int_equal(verify(secrets, exchange, new, &slot), COOKIE_VALID_SECONDARY);
}

static void a_cookie_is_never_a_reflection(void **state)
{
    struct fixture *fixture = *state;
    struct exchange *exchange = &fixture->exchange;
    uint8_t cookie[COOKIE_SIZE_MAX];
    unsigned slot;

    for (unsigned i = 0; i < 1000; i++) {
        generate_bytes(&fixture->generator, exchange->initiator_cookie, 16);
        make(&fixture->secrets, exchange, cookie);
        assert_memory_not_equal(cookie, exchange->initiator_cookie, 16);
        assert_int_equal(verify(&fixture->secrets, exchange, exchange->initiator_cookie, &slot),
                         COOKIE_INVALID);
    }
}

#define WITH_SECRETS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SECRETS(every_size_verifies),
        WITH_SECRETS(every_input_matters),
        WITH_SECRETS(every_flipped_bit_is_seen),
        WITH_SECRETS(secrets_matter),
        WITH_SECRETS(both_verify_while_secrets_change),
        WITH_SECRETS(a_cookie_is_never_a_reflection),
    };
    return cmocka_run_group_tests_name("cookie", tests, NULL, NULL);
}
