/* loop_test.c - descriptors, signals, deadlines and randomness. The loop with a device and with a
 * stack is in device_test.c.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "tun/loop.h"

static struct loop *loop;
static int served, ready_calls, signals_taken;
static uint64_t served_us;

static void serve(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    assert_null(stack);
    assert_ptr_equal(context, &served);
    served++;
    served_us = now_us;
}

static void serve_until_deadline(void *context, struct tcpct_stack *stack, uint64_t now_us)
{
    serve(&served, stack, now_us);
    if (now_us >= *(const uint64_t *)context)
        loop_stop(loop, 5);
}

static void take_signal(void *context, int signal_number)
{
    (void)context;
    signals_taken++;
    loop_stop(loop, signal_number);
}

static int set_up(void **state)
{
    (void)state;
    const struct loop_handlers handlers = {
        .serve = serve,
        .signal = take_signal,
        .context = &served,
    };
    served = ready_calls = signals_taken = 0;
    loop = loop_create(NULL, NULL, &handlers);
    return loop != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_destroy(loop);
    return 0;
}

static void drain_and_stop(void *context, int fd, short events, uint64_t now_us)
{
    uint64_t value;
    assert_ptr_equal(context, &ready_calls);
    assert_int_equal(events, POLLIN);
    assert_true(now_us <= loop_clock_us());
    assert_int_equal(read(fd, &value, sizeof value), sizeof value);
    ready_calls++;
    loop_stop(loop, (int)value);
}

static void a_descriptor_is_served(void **state)
{
    (void)state;
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(loop_watch(loop, fd, POLLIN, drain_and_stop, &ready_calls), 0);
    assert_int_equal(loop_run(loop), 3);
    assert_int_equal(ready_calls, 1);
    assert_true(served >= 1);
    loop_unwatch(loop, fd);
    loop_unwatch(loop, fd);
    loop_unwatch(loop, -1);
    loop_unwatch(loop, 100000);
    close(fd);
}

static void stop_with_seven(void *context, int fd, short events, uint64_t now_us)
{
    (void)context, (void)fd, (void)events, (void)now_us;
    loop_stop(loop, 7);
}

static void watching_again_replaces(void **state)
{
    (void)state;
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); /* writable, not readable */
    assert_int_equal(loop_watch(loop, fd, POLLIN, drain_and_stop, &ready_calls), 0);
    assert_int_equal(loop_watch(loop, fd, POLLOUT, stop_with_seven, NULL), 0);
    assert_int_equal(loop_run(loop), 7);
    assert_int_equal(ready_calls, 0);
    close(fd);
}

static int pair[2];

static void unwatch_the_other(void *context, int fd, short events, uint64_t now_us)
{
    (void)context, (void)events, (void)now_us;
    ready_calls++;
    loop_unwatch(loop, fd == pair[0] ? pair[1] : pair[0]);
    loop_stop(loop, 0);
}

/* Both are ready in the same turn, but after the first call only one is watched. */
static void unwatching_holds_within_the_turn(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        pair[i] = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
        assert_int_equal(loop_watch(loop, pair[i], POLLIN, unwatch_the_other, NULL), 0);
    }
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(ready_calls, 1);
    close(pair[0]);
    close(pair[1]);
}

static void read_file(void *context, int fd, short events, uint64_t now_us)
{
    char byte;
    (void)now_us;
    assert_int_equal(events, POLLIN);
    ready_calls++;
    if (read(fd, &byte, 1) == 1)
        return;
    loop_unwatch(loop, fd);
    *(uint64_t *)context = loop_clock_us() + 1000;
    loop_deadline(loop, *(uint64_t *)context);
}

/* epoll refuses it; the loop reads on in each turn, and sleeps again when it is watched no more. */
static void a_file_is_always_ready(void **state)
{
    (void)state;
    uint64_t at_us = UINT64_MAX;
    const struct loop_handlers handlers = { .serve = serve_until_deadline, .context = &at_us };
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs("abc", file);
    rewind(file);
    loop_destroy(loop);
    loop = loop_create(NULL, NULL, &handlers);
    served = 0;
    assert_int_equal(loop_watch(loop, fileno(file), POLLIN, stop_with_seven, NULL), 0);
    assert_int_equal(loop_watch(loop, fileno(file), POLLIN, read_file, &at_us), 0);
    assert_int_equal(loop_run(loop), 5);
    assert_int_equal(ready_calls, 4);
    assert_true(served <= 7);
    fclose(file);
}

static void bad_descriptors_are_refused(void **state)
{
    (void)state;
    assert_int_equal(loop_watch(loop, -1, POLLIN, stop_with_seven, NULL), -1);
    assert_int_equal(errno, EBADF);
    int fd = eventfd(0, EFD_CLOEXEC);
    close(fd);
    assert_int_equal(loop_watch(loop, fd, POLLIN, stop_with_seven, NULL), -1);
    assert_int_equal(errno, EBADF);
}

static void signals_come_within_a_turn(void **state)
{
    (void)state;
    assert_int_equal(loop_signal(loop, SIGTERM), 0);
    assert_int_equal(loop_signal(loop, SIGUSR1), 0);
    raise(SIGUSR1);
    assert_int_equal(signals_taken, 0);
    assert_int_equal(loop_run(loop), SIGUSR1);
    raise(SIGTERM);
    assert_int_equal(loop_run(loop), SIGTERM);
    assert_int_equal(signals_taken, 2);

    raise(SIGTERM); /* tear_down must not be killed by it ... */
    loop_destroy(loop);
    loop = NULL;
    sigset_t blocked; /* ... and gives signals back */
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    assert_false(sigismember(&blocked, SIGTERM));
    assert_false(sigismember(&blocked, SIGUSR1));
}

static void deadlines_are_kept(void **state)
{
    (void)state;
    static const struct {
        uint64_t least_us, most_us;
    } spins[] = { { 0, 0 }, { 0, 500 }, { 500, 500 }, { 10000, 10000 } };
    for (size_t i = 0; i < sizeof spins / sizeof *spins; i++) {
        uint64_t at_us = loop_clock_us() + 3000;
        const struct loop_handlers handlers = {
            .serve = serve_until_deadline,
            .context = &at_us,
        };
        loop_destroy(loop);
        loop = loop_create(NULL, NULL, &handlers);
        assert_non_null(loop);
        served = 0;
        loop_deadline(loop, at_us);
        loop_spin(loop, spins[i].least_us, spins[i].most_us);
        assert_int_equal(loop_run(loop), 5);
        assert_true(served_us >= at_us);
        if (spins[i].most_us == 0)
            assert_true(served <= 3); /* it slept in between */
    }
}

static void randomness(void **state)
{
    (void)state;
    static uint8_t seen[3][20000];
    static const size_t sizes[] = { 1, 16, 1000, 1024, 1025, 4096, 20000 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        memset(seen, 0, sizeof seen);
        for (int j = 0; j < 3; j++)
            loop_random(NULL, seen[j], sizes[i]);
        if (sizes[i] < 16)
            continue;
        assert_memory_not_equal(seen[0], seen[1], 16);
        assert_memory_not_equal(seen[1], seen[2], 16);
        static const uint8_t zeros[16];
        assert_memory_not_equal(seen[2] + sizes[i] - 16, zeros, 16);
        if (sizes[i] < sizeof seen[0])
            assert_int_equal(seen[2][sizes[i]], 0);
    }
    unsigned counts[256] = { 0 };
    for (int i = 0; i < 25600; i++) {
        uint8_t byte;
        loop_random(NULL, &byte, 1);
        counts[byte]++;
    }
    for (int i = 0; i < 256; i++) /* 100 each; ten standard deviations below */
        assert_true(counts[i] > 0);
}

static void clocks(void **state)
{
    (void)state;
    uint64_t before_us = loop_clock_us();
    assert_true(loop_clock_us() >= before_us);
    assert_true(loop_wall_clock_us() > UINT64_C(1700000000) * 1000000);
}

#define LOOP_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(a_descriptor_is_served),
        LOOP_TEST(watching_again_replaces),
        LOOP_TEST(unwatching_holds_within_the_turn),
        LOOP_TEST(a_file_is_always_ready),
        LOOP_TEST(bad_descriptors_are_refused),
        LOOP_TEST(signals_come_within_a_turn),
        LOOP_TEST(deadlines_are_kept),
        cmocka_unit_test(randomness),
        cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
