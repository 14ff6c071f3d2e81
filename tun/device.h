/* device.h - a Linux TUN device: packets of IP, with checksum and segmentation offload where the
 * kernel accepts it.
 */
#ifndef TUN_DEVICE_H
#define TUN_DEVICE_H

#include "tcpct/tcpct.h"

struct tun_device;
struct capture;

struct tun_address {
    struct tcpct_address address;
    uint8_t prefix_length;
};

struct tun_options {
    const char *name;                /* interface name; "" or NULL: the kernel chooses */
    const char *netns;               /* open it in this named network namespace; NULL: here */
    const struct tun_address *hosts; /* the kernel's own addresses on the device */
    size_t host_count;
    const struct tun_address *routes; /* prefixes that the kernel shall send to the device */
    size_t route_count;
    uint16_t mtu;           /* 0: leave the kernel's */
    uint32_t queue_packets; /* that the kernel keeps until they are read; 0: its own 500 */
    bool no_offload;        /* never ask for IFF_VNET_HDR */
};

/* Opens and configures the device and brings it up. On failure returns -1 with one sentence that
 * says what to do in `error` (at least 256 bytes). */
int tun_device_open(struct tun_device **device, const struct tun_options *options, char *error,
                    size_t error_size);
void tun_device_close(struct tun_device *device);

int tun_device_fd(const struct tun_device *device); /* for poll */
const char *tun_device_name(const struct tun_device *device);
bool tun_device_checksum_offload(const struct tun_device *device);
uint32_t tun_device_offload_size_max(const struct tun_device *device); /* 0: none */
uint16_t tun_device_mtu(const struct tun_device *device);

/* Everything read and written is also captured (NULL: stop). Not owned. */
void tun_device_capture(struct tun_device *device, struct capture *capture);

struct tun_device_counters {
    uint64_t reads, writes;  /* packets, a coalesced one counted once */
    uint64_t read_failures;  /* larger than the buffer, or with unsound offload fields */
    uint64_t write_failures; /* not taken by the kernel */
    bool splits;             /* the kernel refused an offloaded packet: they are cut here now */
};
const struct tun_device_counters *tun_device_counters(const struct tun_device *device);

/* Reads one packet, which lies in the device's own buffer until the next is read; it may be
 * changed. 1: got one; 0: none is there; -1: the device is gone (errno). */
int tun_device_read(struct tun_device *device, struct tcpct_packet *packet, uint64_t now_us);

/* Writes one packet. One with segment_size must have partial_checksum too; if the kernel refuses
 * it, it and all later ones are cut here. False: the kernel did not take it (queue full, device
 * down): counted, lost as on a wire. */
bool tun_device_write(struct tun_device *device, const struct tcpct_packet *packet,
                      uint64_t now_us);

#endif
