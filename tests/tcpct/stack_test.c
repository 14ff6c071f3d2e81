/* stack_test.c - what a configuration, an address and a listener may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tcpct/peer.h"

static void draw(void *context, void *bytes, size_t size)
{
    (void)context;
    memset(bytes, 7, size);
}

static int create(struct tcpct_config config, bool with_random)
{
    struct tcpct_stack *stack = NULL;
    config.random = with_random ? draw : NULL;
    int error = tcpct_stack_create(&stack, &config, 0);
    assert_int_equal(stack != NULL, error == TCPCT_OK);
    tcpct_stack_destroy(stack);
    return error;
}
#define CREATE(...) create((struct tcpct_config){ __VA_ARGS__ }, true)

static void test_configurations(void **state)
{
    (void)state;
    assert_int_equal(CREATE(.mtu = 0), TCPCT_OK);
    assert_int_equal(create((struct tcpct_config){ 0 }, false), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.mtu = 295), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.mtu = 296), TCPCT_OK);
    assert_int_equal(CREATE(.connections_max = (1u << 24) + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.send_buffer_max = (1u << 30) + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.receive_buffer_max = (1u << 30) + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.receive_buffer_max = 1u << 30, .send_buffer_max = 1u << 30), TCPCT_OK);
    assert_int_equal(CREATE(.offload_size_max = TCPCT_PACKET_SIZE + 1), TCPCT_ERROR_INVALID);
    assert_int_equal(CREATE(.offload_size_max = TCPCT_PACKET_SIZE), TCPCT_OK);
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct tcpct_address wrong[] = {
        { 0 },
        { 5, { 10, 0, 0, 9 } },
        { 4, { 0 } },
        { 4, { 224, 0, 0, 1 } },
        { 4, { 255, 255, 255, 255 } },
        { 6, { 0 } },
        { 6, { 0xff, 2, [15] = 1 } },
    };
    struct script *t = script_listen(4, NULL, NULL); /* it has one */
    struct tcpct_address address = { 4, { 10, 9, 0, 1 } };
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(tcpct_address_add(t->host.stack, &wrong[i]), TCPCT_ERROR_INVALID);
    for (uint8_t i = 1; i < 16; i++) {
        address.bytes[2] = i;
        assert_int_equal(tcpct_address_add(t->host.stack, &address), TCPCT_OK);
    }
    address.bytes[2] = 16;
    assert_int_equal(tcpct_address_add(t->host.stack, &address), TCPCT_ERROR_MEMORY);
    t->stack_address = address; /* so it is not ours */
    inject_verdict(t, "S 0", TCPCT_NOT_MINE);
    t->stack_address.bytes[2] = 15;
    inject_verdict(t, "S 0", TCPCT_REPLIED);
    t->peer_address = (struct tcpct_address){ 4, { 224, 0, 0, 1 } };
    inject_verdict(t, "S 0", TCPCT_MALFORMED); /* nobody's (RFC 1122, 4.2.3.10) */
    script_end(t);
}

static int listen_on(struct script *t, uint16_t port, uint8_t cookie_desired,
                     const struct tcpct_address *address)
{
    struct tcpct_listen_options options = { .port = port,
                                            .parameters = { .cookie_desired = cookie_desired } };
    struct tcpct_listener *listener;
    if (address)
        options.address = *address;
    return tcpct_listen(t->host.stack, &options, &listener);
}

static void test_listeners(void **state)
{
    (void)state;
    struct script *t = script_listen(4, NULL, NULL); /* on all addresses, SIM_PORT */
    assert_int_equal(listen_on(t, 0, 16, NULL), TCPCT_ERROR_INVALID);
    assert_int_equal(listen_on(t, SIM_PORT, 16, NULL), TCPCT_ERROR_IN_USE);
    assert_int_equal(listen_on(t, SIM_PORT, 16, &t->stack_address), TCPCT_OK);
    assert_int_equal(listen_on(t, SIM_PORT, 16, &t->stack_address), TCPCT_ERROR_IN_USE);
    for (uint8_t size = 0; size < 20; size++) {
        bool good = size == 0 || (size >= 8 && size <= 16 && size % 2 == 0);
        assert_int_equal(listen_on(t, 100 + size, size, NULL),
                         good ? TCPCT_OK : TCPCT_ERROR_INVALID);
    }
    script_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(configurations), TEST(addresses), TEST(listeners) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
