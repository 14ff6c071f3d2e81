/* socket.h - the kernel's TCP and UDP sockets, for what bridges them and a stack of ours.
 *
 * All are non-blocking and closed on exec. Functions return -1 with errno set if they fail.
 */
#ifndef TUN_SOCKET_H
#define TUN_SOCKET_H

#include <sys/socket.h>

#include "tcpct/tcpct.h"

struct socket_name {
    struct tcpct_address address;
    uint16_t port;
};

struct sockaddr_storage socket_address(const struct socket_name *name, socklen_t *size);

int socket_listen(const struct socket_name *name); /* TCP */
int socket_bind(const struct socket_name *name);   /* UDP */

/* Begins a connection of TCP, or directs a UDP socket. TCP is through when the socket becomes
 * writable without socket_error. */
int socket_connect(const struct socket_name *name, int type);

/* The next connection of a listener, without Nagle's algorithm and with keep-alives. */
int socket_accept(int listener);

/* The error that is pending (SO_ERROR), 0 if there is none. */
int socket_error(int fd);

/* Closes with a reset. */
void socket_abort(int fd);

#endif
