/* mac_test.c - the MAC is SipHash-2-4-128, again and again with the key it once got. */
#include "tcpct/mac.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

/* ---- OpenSSL's memory ---------------------------------------------------------------------- */

/* Every block, so that it can be searched: while it is in use, and at the moment when it is freed. */
struct block {
    struct block *next, **link;
    size_t size, padding; /* malloc's alignment */
};
static struct block *blocks;

/* What SipHash makes of the key below first: its lower half is in this state and in no other. */
static uint8_t secret_state[8];
static unsigned freed_with_secret;

static bool has_secret(const struct block *block)
{
    return memmem(block + 1, block->size, secret_state, sizeof secret_state) != NULL;
}

static void *allocate(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block = (struct block){ .next = blocks, .link = &blocks, .size = size };
    if (blocks != NULL)
        blocks->link = &block->next;
    blocks = block;
    return block + 1;
}

static void release(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (memory == NULL)
        return;
    struct block *block = (struct block *)memory - 1;
    freed_with_secret += has_secret(block);
    *block->link = block->next;
    if (block->next != NULL)
        block->next->link = block->link;
    free(block);
}

static void *reallocate(void *memory, size_t size, const char *file, int line)
{
    void *new = allocate(size, file, line);
    if (memory != NULL && new != NULL) {
        const struct block *old = (struct block *)memory - 1;
        memcpy(new, memory, old->size < size ? old->size : size);
        release(memory, file, line);
    }
    return new;
}

static unsigned blocks_with_secret(void)
{
    unsigned count = 0;
    for (const struct block *block = blocks; block != NULL; block = block->next)
        count += has_secret(block);
    return count;
}

/* ---- the tests ----------------------------------------------------------------------------- */

static const uint8_t key[MAC_KEY_SIZE] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

/* The reference vectors of SipHash-2-4-128: input 00, 01, 02 ... of the given size. */
static const struct {
    size_t size;
    uint8_t tag[MAC_SIZE];
} vectors[] = {
    { 0,
      { 0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02,
        0x93 } },
    { 1,
      { 0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc,
        0x45 } },
    { 2,
      { 0x81, 0x77, 0x22, 0x8d, 0xa4, 0xa4, 0x5d, 0xc7, 0xfc, 0xa3, 0x8b, 0xde, 0xf6, 0x0a, 0xff,
        0xe4 } },
    { 63,
      { 0x51, 0x50, 0xd1, 0x77, 0x2f, 0x50, 0x83, 0x4a, 0x50, 0x3e, 0x06, 0x9a, 0x97, 0x3f, 0xbd,
        0x7c } },
};

static void the_reference_vectors(void **state)
{
    (void)state;
    struct mac *mac = mac_create(key);
    uint8_t input[63], tag[MAC_SIZE];

    for (unsigned i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)i;
    assert_non_null(mac);
    /* Twice, because the context is used again and must keep its key. */
    for (unsigned round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
            assert_true(mac_compute(mac, input, vectors[i].size, tag));
            assert_memory_equal(tag, vectors[i].tag, MAC_SIZE);
        }
    mac_destroy(mac);
}

static void keys_are_apart(void **state)
{
    (void)state;
    uint8_t other_key[MAC_KEY_SIZE], a[MAC_SIZE], b[MAC_SIZE], again[MAC_SIZE];
    struct mac *mac = mac_create(key);

    for (unsigned bit = 0; bit < 8 * MAC_KEY_SIZE; bit++) {
        memcpy(other_key, key, sizeof key);
        other_key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct mac *other = mac_create(other_key);
        mac_compute(mac, "text", 4, a);
        mac_compute(other, "text", 4, b);
        mac_destroy(other);
        mac_compute(mac, "text", 4, again);
        assert_memory_not_equal(a, b, MAC_SIZE);
        assert_memory_equal(a, again, MAC_SIZE);
    }
    mac_destroy(mac);
}

static void comparing(void **state)
{
    (void)state;
    assert_true(mac_equal("abcd", "abcd", 4));
    assert_false(mac_equal("abcd", "abce", 4));
    assert_false(mac_equal("abcd", "bbcd", 4));
    assert_true(mac_equal("abcd", "abce", 3));
}

/* RFC 6013, 3.5.3: expired secrets are wiped: no block that OpenSSL frees, or keeps, has the key. */
static void the_key_is_wiped(void **state)
{
    (void)state;
    uint8_t tag[MAC_SIZE];
    struct mac *mac = mac_create(key);
    assert_true(mac_compute(mac, "some input", 10, tag));
    assert_true(blocks_with_secret() > 0); /* where it is, it is found */
    freed_with_secret = 0;
    mac_destroy(mac);
    assert_int_equal(freed_with_secret, 0);
    assert_int_equal(blocks_with_secret(), 0);
}

static void destroying_nothing(void **state)
{
    (void)state;
    mac_destroy(NULL);
}

int main(void)
{
    const uint64_t v0 = UINT64_C(0x736f6d6570736575) ^ UINT64_C(0x0706050403020100);
    memcpy(secret_state, &v0, sizeof v0);
    if (CRYPTO_set_mem_functions(allocate, reallocate, release) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_vectors),
        cmocka_unit_test(keys_are_apart),
        cmocka_unit_test(comparing),
        cmocka_unit_test(the_key_is_wiped),
        cmocka_unit_test(destroying_nothing),
    };
    return cmocka_run_group_tests_name("mac", tests, NULL, NULL);
}
