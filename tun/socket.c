/* socket.c - socket(2), bind(2) and the like: see socket.h. */
#include "tun/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

struct sockaddr_storage socket_address(const struct socket_name *name, socklen_t *size)
{
    struct sockaddr_storage storage = { 0 };
    if (name->address.family == 6) {
        struct sockaddr_in6 *address = (struct sockaddr_in6 *)&storage;
        address->sin6_family = AF_INET6;
        address->sin6_port = htons(name->port);
        memcpy(&address->sin6_addr, name->address.bytes, 16);
        *size = sizeof *address;
    } else {
        struct sockaddr_in *address = (struct sockaddr_in *)&storage;
        address->sin_family = AF_INET;
        address->sin_port = htons(name->port);
        memcpy(&address->sin_addr, name->address.bytes, 4);
        *size = sizeof *address;
    }
    return storage;
}

static void set(int fd, int level, int option, int value)
{
    setsockopt(fd, level, option, &value, sizeof value); /* each is a mere improvement */
}

static int fail(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int open_socket(const struct socket_name *name, int type)
{
    int family = name->address.family == 6 ? AF_INET6 : AF_INET;
    return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int open_bound(const struct socket_name *name, int type)
{
    socklen_t size;
    struct sockaddr_storage address = socket_address(name, &size);
    int fd = open_socket(name, type);
    if (fd < 0)
        return -1;
    if (type == SOCK_STREAM)
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (name->address.family == 6)
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    return bind(fd, (struct sockaddr *)&address, size) == 0 ? fd : fail(fd);
}

int socket_listen(const struct socket_name *name)
{
    int fd = open_bound(name, SOCK_STREAM);
    return fd < 0 || listen(fd, BACKLOG) == 0 ? fd : fail(fd);
}

int socket_bind(const struct socket_name *name)
{
    return open_bound(name, SOCK_DGRAM);
}

static void set_stream(int fd)
{
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

int socket_connect(const struct socket_name *name, int type)
{
    socklen_t size;
    struct sockaddr_storage address = socket_address(name, &size);
    int fd = open_socket(name, type);
    if (fd < 0)
        return -1;
    if (type == SOCK_STREAM)
        set_stream(fd);
    if (connect(fd, (struct sockaddr *)&address, size) != 0 && errno != EINPROGRESS)
        return fail(fd);
    return fd;
}

int socket_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        set_stream(fd);
    return fd;
}

int socket_error(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

void socket_abort(int fd)
{
    const struct linger at_once = { .l_onoff = 1 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}
