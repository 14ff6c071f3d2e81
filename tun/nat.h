/* nat.h - network address and port translation (RFC 3022; RFC 5382 and 4787 for how they map):
 * every connection of TCP or UDP from inside has a port of its own on the outside address, towards
 * its remote end only. ICMP errors about such a connection are translated with what they quote.
 * Everything else of a translated family is blocked.
 */
#ifndef TUN_NAT_H
#define TUN_NAT_H

#include "tun/flows.h"

/* `outside`: the outside address of the packet's family. False: blocked. Ports are used in turn,
 * from *next_port on. */
bool nat_translate(struct flows *flows, const struct tcpct_address *outside, uint16_t *next_port,
                   struct passing *passing);

#endif
