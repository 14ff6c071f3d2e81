/* socket_test.c - sockets on the loopback device. */
#include "tun/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct tcpct_address loopbacks[2] = { { 4, { 127, 0, 0, 1 } }, { 6, { [15] = 1 } } };

/* Where it is bound: the kernel has chosen the port. */
static struct socket_name name_of(int fd, const struct tcpct_address *address)
{
    struct sockaddr_in6 bound = { 0 }; /* the port stands where sockaddr_in has it */
    socklen_t size = sizeof bound;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
    return (struct socket_name){ *address, ntohs(bound.sin6_port) };
}

static short wait_for(int fd, short events)
{
    struct pollfd poll_fd = { .fd = fd, .events = events };
    assert_int_equal(poll(&poll_fd, 1, 10000), 1);
    return poll_fd.revents;
}

static void a_stream(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        char byte;
        struct socket_name name = { .address = loopbacks[i] };
        int listener = socket_listen(&name);
        if (listener < 0 && i == 1 && errno == EADDRNOTAVAIL)
            skip(); /* there is no IPv6 */
        assert_true(listener >= 0);
        assert_int_equal(socket_accept(listener), -1);
        assert_int_equal(errno, EAGAIN);
        name = name_of(listener, &loopbacks[i]);
        int client = socket_connect(&name, SOCK_STREAM);
        wait_for(client, POLLOUT);
        assert_int_equal(socket_error(client), 0);
        wait_for(listener, POLLIN);
        int server = socket_accept(listener);
        assert_int_equal(read(server, &byte, 1), -1);
        assert_int_equal(errno, EAGAIN);
        assert_true(fcntl(server, F_GETFD) & FD_CLOEXEC);
        assert_int_equal(write(client, "x", 1), 1);
        wait_for(server, POLLIN);
        socket_abort(server);
        assert_true(wait_for(client, POLLIN) & POLLERR);
        assert_int_equal(socket_error(client), ECONNRESET);
        close(client);
        close(listener);
    }
}

static void datagrams(void **state)
{
    char byte;
    (void)state;
    struct socket_name name = { .address = loopbacks[0] };
    int server = socket_bind(&name);
    assert_true(server >= 0);
    name = name_of(server, &loopbacks[0]);
    int client = socket_connect(&name, SOCK_DGRAM);
    assert_int_equal(write(client, "x", 1), 1);
    wait_for(server, POLLIN);
    assert_int_equal(read(server, &byte, 1), 1);
    assert_int_equal(socket_bind(&name), -1);
    assert_int_equal(errno, EADDRINUSE);
    close(server);
    close(client);
}

static void nobody_listens(void **state)
{
    (void)state;
    struct socket_name name = { .address = loopbacks[0] };
    int listener = socket_listen(&name);
    name = name_of(listener, &loopbacks[0]);
    close(listener);
    int client = socket_connect(&name, SOCK_STREAM);
    if (client < 0) {
        assert_int_equal(errno, ECONNREFUSED);
        return;
    }
    assert_true(wait_for(client, POLLOUT) & POLLERR);
    assert_int_equal(socket_error(client), ECONNREFUSED);
    close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
