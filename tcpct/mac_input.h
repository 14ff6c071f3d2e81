/* mac_input.h - how everything begins that a MAC is computed over: what for, and who talks to whom.
 */
#ifndef TCPCT_MAC_INPUT_H
#define TCPCT_MAC_INPUT_H

#include "tcpct.h"
#include "wire.h"

/* Seen from this end. Both addresses are of one family. */
struct cookie_endpoints {
    const struct tcpct_address *local, *remote;
    uint16_t local_port, remote_port;
};

/* One MAC input for each purpose: none can be taken for another, even under the same key. */
enum mac_label {
    MAC_LABEL_COOKIE = 1,
    MAC_LABEL_ISN_COOKIE,
    MAC_LABEL_ISN_INITIATOR,
    MAC_LABEL_TIMESTAMP_OFFSET,
    MAC_LABEL_FAST_OPEN,
    MAC_LABEL_TIMESTAMP_PREFIX,
    MAC_LABEL_ADMITTED,
    MAC_LABEL_SEAL, /* not of a MAC: the additional data of a seal */
};

enum { MAC_INPUT_BEGIN_MAX = 2 + 2 * 16 + 2 * 2 };

/* Writes label, IP version, addresses and ports: the beginning of every MAC input. The version
 * makes the sizes unambiguous. */
static inline void mac_input_begin(struct wire *wire, enum mac_label label,
                                   const struct cookie_endpoints *endpoints)
{
    size_t size = endpoints->local->family == 4 ? 4 : 16;

    wire_write8(wire, (uint8_t)label);
    wire_write8(wire, endpoints->local->family);
    wire_write(wire, endpoints->local->bytes, size);
    wire_write(wire, endpoints->remote->bytes, size);
    wire_write16(wire, endpoints->local_port);
    wire_write16(wire, endpoints->remote_port);
}

#endif
