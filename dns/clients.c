/* clients.c - the connections of a responder: see clients.h. */
#include "clients.h"

#include <stdlib.h>
#include <string.h>

/* ---- by activity --------------------------------------------------------------------------- */

static void list_remove(struct clients *clients, struct client *client)
{
    if (client == clients->oldest)
        clients->oldest = client->newer;
    else
        client->older->newer = client->newer;
    if (client == clients->newest)
        clients->newest = client->older;
    else
        client->newer->older = client->older;
}

static void list_append(struct clients *clients, struct client *client, uint64_t now_us)
{
    client->older = clients->newest;
    client->newer = NULL;
    client->active_us = now_us;
    if (client->older)
        client->older->newer = client;
    else
        clients->oldest = client;
    clients->newest = client;
}

void clients_touch(struct clients *clients, struct client *client, uint64_t now_us)
{
    list_remove(clients, client);
    list_append(clients, client, now_us);
}

/* ---- by address ---------------------------------------------------------------------------- */

/* Bytes of an address that are one client's. */
static size_t client_size(const struct tcpct_address *address)
{
    return address->family == 4 ? 4 : 8;
}

static struct client **bucket_of(const struct clients *clients, const struct tcpct_address *address)
{
    uint64_t hash = name_hash(address->bytes, client_size(address));
    return &clients->buckets[hash & clients->bucket_mask];
}

static void bucket_add(struct clients *clients, struct client *client)
{
    client->link = bucket_of(clients, &client->address);
    client->next = *client->link;
    *client->link = client;
    if (client->next)
        client->next->link = &client->next;
}

static void bucket_remove(struct client *client)
{
    *client->link = client->next;
    if (client->next)
        client->next->link = client->link;
}

size_t clients_count_of(const struct clients *clients, const struct tcpct_address *address)
{
    size_t count = 0;
    for (const struct client *other = *bucket_of(clients, address); other; other = other->next)
        count += other->address.family == address->family &&
                 memcmp(other->address.bytes, address->bytes, client_size(address)) == 0;
    return count;
}

/* ---- beginning and end --------------------------------------------------------------------- */

bool clients_create(struct clients *clients, size_t count_max)
{
    size_t buckets = 1;
    while (buckets < count_max)
        buckets *= 2;
    *clients = (struct clients){ .bucket_mask = buckets - 1 };
    clients->buckets = calloc(buckets, sizeof *clients->buckets);
    return clients->buckets;
}

void clients_release(struct clients *clients)
{
    free(clients->buckets);
}

struct client *clients_add(struct clients *clients, const struct tcpct_address *address,
                           uint64_t now_us)
{
    struct client *client = malloc(sizeof *client);
    if (!client)
        return NULL;
    client->connection = NULL;
    client->address = *address;
    client->cookies = false;
    client->pending = NULL;
    client->transfer = NULL;
    client->ended = client->asked = client->several = false;
    client->born_us = now_us;
    framing_begin(&client->framing);
    list_append(clients, client, now_us);
    bucket_add(clients, client);
    return client;
}

void clients_remove(struct clients *clients, struct client *client)
{
    list_remove(clients, client);
    bucket_remove(client);
    client_end_transfer(client);
    framing_release(&client->framing);
    free(client->pending);
    free(client);
}

void client_end_transfer(struct client *client)
{
    if (client->transfer)
        transfer_end(client->transfer);
    free(client->transfer);
    client->transfer = NULL;
}
