/* interface.h - addresses, routes and state of a network interface, set through rtnetlink(7). */
#ifndef TUN_INTERFACE_H
#define TUN_INTERFACE_H

#include "tun/device.h"

/* A socket for the calls below, which return 0 or a negative errno. It works in the network
 * namespace in which it was opened. */
int interface_open(void);

/* Forbids IPv6 link-local addresses, and with them router solicitations, on an interface that is
 * down. */
int interface_disable_link_local(int netlink, unsigned index);
int interface_set_mtu(int netlink, unsigned index, uint32_t mtu);
/* How many packets the kernel keeps for the device's reader. */
int interface_set_queue(int netlink, unsigned index, uint32_t packets);
int interface_up(int netlink, unsigned index);
/* An IPv6 address comes without duplicate address detection. One that is already there is no
 * error. */
int interface_add_address(int netlink, unsigned index, const struct tun_address *address);
/* Waits, a second at most, until packets to the address are delivered: the kernel puts an IPv6
 * address to work only a moment after its interface is up. -ETIMEDOUT: it does not. */
int interface_await_address(int netlink, const struct tcpct_address *address);
/* A route of the prefix `destination` (its host bits do not count) through the interface, in the main table. */
int interface_add_route(int netlink, unsigned index, const struct tun_address *destination);

#endif
