/* seal_test.c - seals open for what they were made for, whole, in time, once, and by one of the keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tcpct/seal.h"
#include "tests/tcpct/generate.h"

static const uint8_t nonce[SEAL_NONCE_SIZE] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const struct tcpct_address local = { 4, { 10, 0, 0, 2 } }, remote = { 4, { 10, 0, 0, 1 } };
static const uint8_t initiator_cookie[COOKIE_SIZE_MAX] = "initiator cookie";
static const uint8_t responder_cookie[COOKIE_SIZE_MAX] = "responder cookie";
static const uint8_t keys[3 * TCPCT_SEAL_KEY_SIZE] = "the first key, of 32 bytes ......"
                                                     "and another one ................"
                                                     "and one more ..................";

static struct seal_bound bound(void)
{
    return (struct seal_bound){
        .endpoints = { &local, &remote, 53, 50000 },
        .numbers = { 1000, 2000, 3000, 16, initiator_cookie },
        .responder_cookie = responder_cookie,
    };
}

static const struct sealed what = { .path = { 50000, 60000, 20000, 3000, 19000, 6250, 1700000000 },
                                    .expires_s = 1700000060 };

static struct seals *make(uint8_t seal[SEAL_SIZE])
{
    struct seal_bound to = bound();
    struct seals *seals = seals_create(keys, 1);
    assert_non_null(seals);
    assert_true(seal_make(seals, &to, &what, nonce, seal));
    return seals;
}

static enum seal_verdict open_at(const struct seals *seals, const uint8_t *seal, size_t size,
                                 uint32_t now_s)
{
    struct seal_bound to = bound();
    struct sealed sealed;
    enum seal_verdict verdict = seal_open(seals, &to, seal, size, now_s, &sealed);
    if (verdict == SEAL_OPENED)
        assert_memory_equal(&sealed, &what, sizeof sealed);
    return verdict;
}

static void round_trip(void **state)
{
    (void)state;
    uint8_t seal[SEAL_SIZE], other[SEAL_SIZE], state_bytes[4];
    struct seals *seals = make(seal);
    struct seal_bound to = bound();
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(open_at(seals, seal, SEAL_SIZE, 1700000000), SEAL_OPENED);
    /* another nonce, another seal; the window is not to be read */
    assert_true(seal_make(seals, &to, &what, (const uint8_t *)"another one!", other));
    assert_memory_not_equal(seal + SEAL_NONCE_SIZE, other + SEAL_NONCE_SIZE, 48);
    wire_put32(state_bytes, what.path.window);
    assert_memory_not_equal(seal + SEAL_NONCE_SIZE, state_bytes, 4);
    seals_destroy(seals);
}

static void every_flipped_bit(void **state)
{
    (void)state;
    uint8_t seal[SEAL_SIZE];
    struct seals *seals = make(seal);
    for (unsigned bit = 0; bit < 8 * SEAL_SIZE; bit++) {
        seal[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(open_at(seals, seal, SEAL_SIZE, 1700000000), SEAL_FOREIGN);
        seal[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(open_at(seals, seal, SEAL_SIZE, 1700000000), SEAL_OPENED);
    seals_destroy(seals);
}

static void every_other_size(void **state)
{
    (void)state;
    uint8_t seal[SEAL_SIZE + 4] = { 0 };
    struct seals *seals = make(seal);
    for (size_t size = 0; size < sizeof seal; size++)
        assert_int_equal(open_at(seals, seal, size, 1700000000),
                         size == SEAL_SIZE ? SEAL_OPENED : SEAL_FOREIGN);
    seals_destroy(seals);
}

static void expiry(void **state)
{
    (void)state;
    uint8_t seal[SEAL_SIZE];
    struct seals *seals = make(seal);
    assert_int_equal(open_at(seals, seal, SEAL_SIZE, 0), SEAL_OPENED);
    assert_int_equal(open_at(seals, seal, SEAL_SIZE, 1700000059), SEAL_OPENED);
    assert_int_equal(open_at(seals, seal, SEAL_SIZE, 1700000060), SEAL_EXPIRED);
    assert_int_equal(open_at(seals, seal, SEAL_SIZE, UINT32_MAX), SEAL_EXPIRED);
    seals_destroy(seals);
}

/* Everything that it is bound to. */
static void of_another_connection(void **state)
{
    (void)state;
    static const struct tcpct_address other = { 4, { 10, 0, 0, 3 } };
    static const uint8_t cookie[COOKIE_SIZE_MAX] = "Responder cookie";
    uint8_t seal[SEAL_SIZE];
    struct seals *seals = make(seal);
    struct seal_bound others[10];
    struct sealed sealed;
    for (unsigned i = 0; i < 10; i++)
        others[i] = bound();
    others[0].endpoints.local = &other;
    others[1].endpoints.remote = &other;
    others[2].endpoints.local_port++;
    others[3].endpoints.remote_port++;
    others[4].numbers.seq++;
    others[5].numbers.ack++;
    others[6].numbers.timestamp++;
    others[7].numbers.size = 14;
    others[8].numbers.initiator_cookie = cookie;
    others[9].responder_cookie = cookie;
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(seal_open(seals, &others[i], seal, SEAL_SIZE, 1700000000, &sealed),
                         SEAL_FOREIGN);
    seals_destroy(seals);
}

/* The first makes, all open: so a key is replaced without a seal being lost. */
static void keys_are_replaced(void **state)
{
    (void)state;
    uint8_t old[SEAL_SIZE], new[SEAL_SIZE], both[2 * TCPCT_SEAL_KEY_SIZE];
    struct seals *first = make(old);
    struct seals *second = seals_create(keys + TCPCT_SEAL_KEY_SIZE, 1);
    memcpy(both, keys + TCPCT_SEAL_KEY_SIZE, TCPCT_SEAL_KEY_SIZE);
    memcpy(both + TCPCT_SEAL_KEY_SIZE, keys, TCPCT_SEAL_KEY_SIZE);
    struct seals *changing = seals_create(both, 2);
    struct seal_bound to = bound();
    assert_true(seal_make(changing, &to, &what, nonce, new));
    assert_int_equal(open_at(changing, old, SEAL_SIZE, 1700000000), SEAL_OPENED);
    assert_int_equal(open_at(changing, new, SEAL_SIZE, 1700000000), SEAL_OPENED);
    assert_int_equal(open_at(second, new, SEAL_SIZE, 1700000000), SEAL_OPENED);
    assert_int_equal(open_at(second, old, SEAL_SIZE, 1700000000), SEAL_FOREIGN);
    assert_int_equal(open_at(first, new, SEAL_SIZE, 1700000000), SEAL_FOREIGN);
    seals_destroy(first);
    seals_destroy(second);
    seals_destroy(changing);
}

static void used_once(void **state)
{
    (void)state;
    uint8_t seal[SEAL_SIZE];
    struct seals *seals = make(seal), *others = seals_create(keys, 1);
    seal_spend(seals, seal);
    assert_int_equal(open_at(seals, seal, SEAL_SIZE, 1700000000), SEAL_SPENT);
    assert_int_equal(open_at(others, seal, SEAL_SIZE, 1700000000), SEAL_OPENED);
    /* many others later that is forgotten */
    struct generator generator = { 4 };
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t other[SEAL_SIZE];
        generate_bytes(&generator, other, sizeof other);
        seal_spend(seals, other);
    }
    assert_int_equal(open_at(seals, seal, SEAL_SIZE, 1700000000), SEAL_OPENED);
    seals_destroy(seals);
    seals_destroy(others);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(every_flipped_bit),
        cmocka_unit_test(every_other_size),
        cmocka_unit_test(expiry),
        cmocka_unit_test(of_another_connection),
        cmocka_unit_test(keys_are_replaced),
        cmocka_unit_test(used_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
