/* world.h - a responder on a stack, asked by another stack, in virtual time: packets go straight from
 * one to the other and take none. For the tests of dns/.
 */
#ifndef TESTS_DNS_WORLD_H
#define TESTS_DNS_WORLD_H

#include "dns/responder.h"

struct world {
    uint64_t now_us;
    struct tcpct_stack *client, *server;
    struct tcpct_listener *listener;
    struct responder *responder;
    struct dns_zones *zones;
    struct dns_server of_zones;
    struct tcpct_connection *connection; /* of the client: the latest */
    uint8_t *received;                   /* over all connections */
    size_t received_size;
    bool reading, ended;
    bool one_answer; /* close in the turn that brings it */
    int error;
    unsigned packets; /* both ways */
};

/* The zones are the world's from then on. */
struct world *world_create(const struct responder_options *options, struct dns_zones *zones);
void world_destroy(struct world *world);

/* Connects; the request, if its size is not 0, may go with the <SYN>. */
void world_connect(struct world *world, bool cookies, const uint8_t *request, size_t size);
/* The client takes what has come, unless it is not reading. */
void world_read(struct world *world);
/* Everybody acts until nobody has anything to do; no time passes. */
void world_settle(struct world *world);
/* Lets `duration_us` pass. */
void world_run(struct world *world, uint64_t duration_us);

#endif
