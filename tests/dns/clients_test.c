/* clients_test.c - the list by activity and the count by address. */
#include "dns/clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { CLIENTS = 5 };

static const struct tcpct_address a4 = { 4, { 192, 0, 2, 1 } }, b4 = { 4, { 192, 0, 2, 2 } };
static const struct tcpct_address a6 = { 6, { 0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 1 } },
                                  same_64 = { 6, { 0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 2 } },
                                  other_64 = { 6, { 0x20, 1, 0xd, 0xb8, [7] = 2, [15] = 1 } };

/* The list has these, the oldest first, and is whole in both directions. */
static void expect_order(const struct clients *clients, struct client *const *order, size_t count)
{
    const struct client *client = clients->oldest, *last = NULL;
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(client, order[i]);
        if (i > 0) {
            assert_ptr_equal(client->older, last);
            assert_true(client->active_us >= last->active_us);
        }
        last = client;
        client = client->newer;
    }
    assert_null(client);
    assert_ptr_equal(clients->newest, last);
}

static void by_activity(void **state)
{
    struct clients clients;
    struct client *all[CLIENTS];
    (void)state;
    assert_true(clients_create(&clients, CLIENTS));
    expect_order(&clients, NULL, 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_non_null(all[i] = clients_add(&clients, &a4, i));
        assert_int_equal(all[i]->born_us, i);
    }
    expect_order(&clients, all, CLIENTS);
    clients_touch(&clients, all[0], 10);
    clients_touch(&clients, all[2], 11);
    clients_touch(&clients, all[2], 12);
    struct client *touched[] = { all[1], all[3], all[4], all[0], all[2] };
    expect_order(&clients, touched, CLIENTS);
    assert_int_equal(all[0]->born_us, 0);
    /* From the end, the beginning and the middle. */
    clients_remove(&clients, all[2]);
    clients_remove(&clients, all[1]);
    clients_remove(&clients, all[4]);
    struct client *left[] = { all[3], all[0] };
    expect_order(&clients, left, 2);
    clients_remove(&clients, all[3]);
    clients_remove(&clients, all[0]);
    expect_order(&clients, NULL, 0);
    clients_release(&clients);
}

/* Whether addresses share a bucket (there is one, or there are many) makes no difference. */
static void by_address(void **state)
{
    static const struct tcpct_address *const addresses[] = { &a4, &a6, &same_64, &b4, &a4, &a6 };
    (void)state;
    for (size_t room = 1; room <= 64; room *= 64) {
        struct clients clients;
        struct client *all[6];
        assert_true(clients_create(&clients, room));
        assert_int_equal(clients_count_of(&clients, &a4), 0);
        for (unsigned i = 0; i < 6; i++)
            assert_non_null(all[i] = clients_add(&clients, addresses[i], i));
        assert_int_equal(clients_count_of(&clients, &a4), 2);
        assert_int_equal(clients_count_of(&clients, &b4), 1);
        assert_int_equal(clients_count_of(&clients, &a6), 3);
        assert_int_equal(clients_count_of(&clients, &same_64), 3);
        assert_int_equal(clients_count_of(&clients, &other_64), 0);
        clients_remove(&clients, all[0]);
        clients_remove(&clients, all[2]);
        assert_int_equal(clients_count_of(&clients, &a4), 1);
        assert_int_equal(clients_count_of(&clients, &a6), 2);
        assert_int_equal(clients_count_of(&clients, &b4), 1);
        while (clients.oldest)
            clients_remove(&clients, clients.oldest);
        assert_int_equal(clients_count_of(&clients, &a6), 0);
        clients_release(&clients);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_activity),
        cmocka_unit_test(by_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
