/* device.c - opening, configuring, reading and writing a TUN device.
 *
 * With IFF_VNET_HDR a struct virtio_net_hdr stands before each packet (virtio 1.2, 5.1.6) and
 * says which checksum is unfinished and how a coalesced buffer is to be cut. The kernel is asked
 * for as much offload as it grants, down to none; a kernel that grants it and then refuses a
 * coalesced write (EINVAL) gets ordinary packets from then on (split.h).
 */
#include "tun/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tcpct/segment.h"
#include "tcpct/wire.h"
#include "tun/capture.h"
#include "tun/interface.h"
#include "tun/split.h"

#define TUN_PATH "/dev/net/tun"
#define NETNS_FOLDER "/run/netns/"

enum {
    TCP_CHECKSUM = 16, /* offsets of the checksum fields */
    UDP_CHECKSUM = 6,
    UDP_HEADER_SIZE = 8,
    SMALL_SIZE = 2048, /* copying so much costs less than gathering it */
};

/* What the kernel reads and writes: a packet in one piece with what stands before it, which costs
 * less than two pieces. */
struct frame {
    struct virtio_net_hdr header; /* of no meaning without vnet_header */
    uint8_t bytes[TCPCT_PACKET_SIZE];
};

struct tun_device {
    int fd;
    char name[IFNAMSIZ];
    uint16_t mtu;
    bool vnet_header;
    bool checksum_offload, segmentation_offload; /* granted when it was opened */
    struct tun_device_counters counters;
    struct capture *capture;
    struct frame in, out;
    uint8_t bytes[TCPCT_PACKET_SIZE]; /* of one segment, when packets are cut here */
};

/* ---- opening -------------------------------------------------------------------------------- */

static const char *attach_advice(int error)
{
    switch (error) {
    case EBUSY:
        return "another program has it open: end that, or choose another name";
    case EPERM:
    case EACCES:
        return "making a network interface needs root or CAP_NET_ADMIN in this network namespace: "
               "run it with sudo, or inside `unshare -Urn`";
    case EINVAL:
        return "an interface of that name exists and is not a plain TUN device: choose another "
               "name";
    default:
        return "see the reason above, or try another name";
    }
}

static int open_node(struct tun_device *device, char *error, size_t error_size)
{
    device->fd = open(TUN_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (device->fd >= 0)
        return 0;
    if (errno == ENOENT)
        snprintf(error, error_size,
                 "there is no " TUN_PATH ": load the module with `modprobe tun`,"
                 " or give this container the device node (mknod " TUN_PATH " c 10 200)");
    else if (errno == ENODEV || errno == ENXIO)
        snprintf(error, error_size,
                 "this kernel has no TUN driver behind " TUN_PATH ": load it "
                 "with `modprobe tun`");
    else if (errno == EACCES || errno == EPERM)
        snprintf(error, error_size,
                 "no permission to open " TUN_PATH ": run as root, or let this "
                 "user read and write it (chmod 0666 " TUN_PATH " is the usual setting)");
    else
        snprintf(error, error_size, "cannot open " TUN_PATH ": %s", strerror(errno));
    return -1;
}

/* Asks for TUN's offloads, most wanted first. */
static void request_offload(struct tun_device *device)
{
    static const unsigned wishes[] = {
        TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
        TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
        TUN_F_CSUM,
    };
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        if (ioctl(device->fd, TUNSETOFFLOAD, (unsigned long)wishes[i]) == 0) {
            device->checksum_offload = true;
            device->segmentation_offload = (wishes[i] & TUN_F_TSO4) != 0;
            return;
        }
}

static int attach(struct tun_device *device, const struct tun_options *options, char *error,
                  size_t error_size)
{
    const char *name = options->name != NULL ? options->name : "";
    struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
    if (strlen(name) >= sizeof request.ifr_name) {
        snprintf(error, error_size, "%s is too long for an interface name: use at most %zu bytes",
                 name, sizeof request.ifr_name - 1);
        return -1;
    }
    memcpy(request.ifr_name, name, strlen(name) + 1);
    unsigned features = 0;
    if (!options->no_offload && ioctl(device->fd, TUNGETFEATURES, &features) == 0 &&
        (features & IFF_VNET_HDR) != 0) {
        request.ifr_flags |= IFF_VNET_HDR;
        device->vnet_header = true;
    }
    if (ioctl(device->fd, TUNSETIFF, &request) != 0) {
        snprintf(error, error_size, "cannot use TUN device %s (%s): %s", name, strerror(errno),
                 attach_advice(errno));
        return -1;
    }
    memcpy(device->name, request.ifr_name, sizeof device->name);
    int header_size = sizeof(struct virtio_net_hdr);
    if (device->vnet_header && ioctl(device->fd, TUNSETVNETHDRSZ, &header_size) != 0) {
        snprintf(error, error_size, "TUN device %s refuses its header size (%s): use --no-offload",
                 device->name, strerror(errno));
        return -1;
    }
    if (device->vnet_header)
        request_offload(device);
    return 0;
}

/* ---- configuring ---------------------------------------------------------------------------- */

static bool prefix_covers(const struct tun_address *prefix, const struct tun_address *other)
{
    if (prefix->address.family != other->address.family ||
        prefix->prefix_length > other->prefix_length)
        return false;
    for (unsigned bit = 0; bit < prefix->prefix_length; bit++) {
        uint8_t difference = prefix->address.bytes[bit / 8] ^ other->address.bytes[bit / 8];
        if ((difference >> (7 - bit % 8) & 1) != 0)
            return false;
    }
    return true;
}

static bool covered(const struct tun_options *options, const struct tun_address *route)
{
    for (size_t i = 0; i < options->host_count; i++)
        if (prefix_covers(&options->hosts[i], route))
            return true;
    return false;
}

/* Each step's name goes with its error. */
static const char *configure_steps(const struct tun_options *options, int netlink, unsigned index,
                                   int *error)
{
    interface_disable_link_local(netlink, index); /* a kernel without IPv6 has nothing to forbid */
    if (options->mtu != 0 && (*error = interface_set_mtu(netlink, index, options->mtu)) != 0)
        return "set the MTU of";
    if (options->queue_packets != 0 &&
        (*error = interface_set_queue(netlink, index, options->queue_packets)) != 0)
        return "set the queue of";
    for (size_t i = 0; i < options->host_count; i++)
        if ((*error = interface_add_address(netlink, index, &options->hosts[i])) != 0)
            return "give an address to";
    if ((*error = interface_up(netlink, index)) != 0)
        return "bring up";
    for (size_t i = 0; i < options->host_count; i++)
        if ((*error = interface_await_address(netlink, &options->hosts[i].address)) != 0)
            return "use the address of";
    for (size_t i = 0; i < options->route_count; i++)
        if (!covered(options, &options->routes[i]) &&
            (*error = interface_add_route(netlink, index, &options->routes[i])) != 0)
            return "add a route through";
    return NULL;
}

static int configure(struct tun_device *device, const struct tun_options *options, char *error,
                     size_t error_size)
{
    unsigned index = if_nametoindex(device->name);
    int netlink = interface_open(), reason = netlink;
    const char *failed = "configure";
    if (netlink >= 0) {
        failed = configure_steps(options, netlink, index, &reason);
        struct ifreq request = { 0 };
        memcpy(request.ifr_name, device->name, sizeof request.ifr_name);
        device->mtu = ioctl(netlink, SIOCGIFMTU, &request) == 0 ? (uint16_t)request.ifr_mtu : 1500;
        close(netlink);
    }
    if (failed == NULL)
        return 0;
    const char *advice = reason == -EPERM || reason == -EACCES
                             ? "run as root (and for IPv6 see the sysctl disable_ipv6)"
                             : "check --addr, --host and --mtu";
    snprintf(error, error_size, "cannot %s TUN device %s (%s): %s", failed, device->name,
             strerror(-reason), advice);
    return -1;
}

/* ---- network namespaces --------------------------------------------------------------------- */

/* Moves this thread into the named network namespace; *back is where it was. */
static int enter_netns(const char *netns, int *back, char *error, size_t error_size)
{
    char path[256];
    int size = snprintf(path, sizeof path, NETNS_FOLDER "%s", netns);
    bool sound = size > 0 && (size_t)size < sizeof path && strchr(netns, '/') == NULL;
    int to = sound ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (to < 0) {
        snprintf(error, error_size, "there is no network namespace %s: make it with `ip netns add`",
                 netns);
        return -1;
    }
    *back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (*back < 0 || setns(to, CLONE_NEWNET) != 0) {
        snprintf(error, error_size, "cannot enter network namespace %s (%s): run as root", netns,
                 strerror(errno));
        if (*back >= 0)
            close(*back);
        close(to);
        return -1;
    }
    close(to);
    return 0;
}

static void leave_netns(int back)
{
    if (setns(back, CLONE_NEWNET) != 0)
        abort(); /* everything that follows would happen in the wrong network */
    close(back);
}

int tun_device_open(struct tun_device **device, const struct tun_options *options, char *error,
                    size_t error_size)
{
    struct tun_device *opened = calloc(1, sizeof *opened);
    if (opened == NULL) {
        snprintf(error, error_size, "no memory for a TUN device");
        return -1;
    }
    /* A device belongs to the namespace in which its node was opened. */
    int back = -1, status = 0;
    opened->fd = -1;
    if (options->netns != NULL)
        status = enter_netns(options->netns, &back, error, error_size);
    if (status == 0)
        status = open_node(opened, error, error_size);
    if (status == 0)
        status = attach(opened, options, error, error_size);
    if (status == 0)
        status = configure(opened, options, error, error_size);
    if (back >= 0)
        leave_netns(back);
    if (status != 0) {
        tun_device_close(opened);
        return -1;
    }
    *device = opened;
    return 0;
}

void tun_device_close(struct tun_device *device)
{
    if (device == NULL)
        return;
    if (device->fd >= 0)
        close(device->fd);
    free(device);
}

int tun_device_fd(const struct tun_device *device)
{
    return device->fd;
}

const char *tun_device_name(const struct tun_device *device)
{
    return device->name;
}

bool tun_device_checksum_offload(const struct tun_device *device)
{
    return device->checksum_offload;
}

uint32_t tun_device_offload_size_max(const struct tun_device *device)
{
    return device->segmentation_offload ? TCPCT_PACKET_SIZE : 0;
}

uint16_t tun_device_mtu(const struct tun_device *device)
{
    return device->mtu;
}

const struct tun_device_counters *tun_device_counters(const struct tun_device *device)
{
    return &device->counters;
}

void tun_device_capture(struct tun_device *device, struct capture *capture)
{
    device->capture = capture;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The offload fields as our packets have them. False: they contradict the packet. */
static bool take_offload(const struct virtio_net_hdr *header, struct tcpct_packet *packet)
{
    packet->partial_checksum = (header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0;
    packet->segment_size = packet->header_size = 0;
    unsigned kind = header->gso_type & (unsigned)~VIRTIO_NET_HDR_GSO_ECN;
    bool coalesced = kind != VIRTIO_NET_HDR_GSO_NONE;
    if (!packet->partial_checksum)
        return !coalesced;
    /* hdr_len is but a hint (virtio 1.2, 5.1.6.2), so the TCP header itself is asked. */
    size_t transport = header->csum_start, size = UDP_HEADER_SIZE;
    if (header->csum_offset == TCP_CHECKSUM && transport + TCP_HEADER_SIZE <= packet->length)
        size = 4u * (packet->data[transport + 12] >> 4);
    else if (header->csum_offset != UDP_CHECKSUM)
        return false;
    if (transport + size > packet->length)
        return false;
    packet->header_size = (uint16_t)(transport + size);
    if (!coalesced)
        return true;
    packet->segment_size = header->gso_size;
    return header->gso_size > 0 && header->csum_offset == TCP_CHECKSUM &&
           (kind == VIRTIO_NET_HDR_GSO_TCPV4 || kind == VIRTIO_NET_HDR_GSO_TCPV6);
}

int tun_device_read(struct tun_device *device, struct tcpct_packet *packet, uint64_t now_us)
{
    struct frame *frame = &device->in;
    size_t header_size = device->vnet_header ? sizeof frame->header : 0;
    void *start = device->vnet_header ? (void *)frame : frame->bytes;
    packet->data = frame->bytes;
    packet->size = sizeof frame->bytes;
    for (;;) {
        ssize_t size = read(device->fd, start, header_size + sizeof frame->bytes);
        if (size < 0 && errno == EAGAIN)
            return 0;
        if (size < 0 && errno != EFAULT && errno != EINTR)
            return -1;
        if (size < 0 && errno == EINTR)
            continue;
        packet->length = size > (ssize_t)header_size ? (size_t)size - header_size : 0;
        if (!device->vnet_header)
            frame->header = (struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_NONE };
        if (packet->length > 0 && take_offload(&frame->header, packet))
            break;
        device->counters.read_failures++; /* EFAULT: a packet that the buffer cannot hold */
        if (size < 0)
            return 0;
    }
    device->counters.reads++;
    if (device->capture != NULL)
        capture_packet(device->capture, packet, now_us);
    return 1;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void give_offload(struct virtio_net_hdr *header, const struct tcpct_packet *packet)
{
    *header = (struct virtio_net_hdr){ .gso_type = VIRTIO_NET_HDR_GSO_NONE };
    const uint8_t *bytes = packet->data;
    bool ipv4 = bytes[0] >> 4 == 4;
    size_t transport = ipv4 ? 4u * (bytes[0] & 15) : IPV6_HEADER_SIZE;
    bool tcp = bytes[ipv4 ? 9 : 6] == IP_PROTOCOL_TCP;
    header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
    header->csum_start = (uint16_t)transport;
    header->csum_offset = tcp ? TCP_CHECKSUM : UDP_CHECKSUM;
    if (packet->segment_size == 0 || packet->length - packet->header_size <= packet->segment_size)
        return;
    header->hdr_len = packet->header_size;
    header->gso_size = packet->segment_size;
    header->gso_type = ipv4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
    if ((bytes[transport + 13] & SEGMENT_CWR) != 0)
        header->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
}

/* One piece, or two if it is large. */
static ssize_t write_frame(struct tun_device *device, const struct virtio_net_hdr *header,
                           const struct tcpct_packet *packet)
{
    struct frame *frame = &device->out;
    if (!device->vnet_header)
        return write(device->fd, packet->data, packet->length);
    if (packet->length > SMALL_SIZE) {
        struct iovec parts[2] = { { (void *)header, sizeof *header },
                                  { packet->data, packet->length } };
        return writev(device->fd, parts, 2);
    }
    frame->header = *header;
    memcpy(frame->bytes, packet->data, packet->length);
    return write(device->fd, frame, sizeof frame->header + packet->length);
}

static bool write_whole(struct tun_device *device, const struct virtio_net_hdr *header,
                        const struct tcpct_packet *packet)
{
    size_t header_size = device->vnet_header ? sizeof *header : 0;
    ssize_t size;
    do
        size = write_frame(device, header, packet);
    while (size < 0 && errno == EINTR);
    return size == (ssize_t)(header_size + packet->length);
}

static bool write_split(struct tun_device *device, const struct tcpct_packet *packet)
{
    const struct virtio_net_hdr plain = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
    struct tcpct_packet segment = { .data = device->bytes, .size = sizeof device->bytes };
    struct split split;
    bool taken = true;
    split_begin(&split, packet);
    while (split_next(&split, &segment))
        taken = write_whole(device, &plain, &segment) && taken;
    return taken;
}

static bool write_packet(struct tun_device *device, const struct tcpct_packet *packet)
{
    if (!packet->partial_checksum && packet->segment_size == 0) {
        const struct virtio_net_hdr plain = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };
        return write_whole(device, &plain, packet);
    }
    if (!device->vnet_header || device->counters.splits || !packet->partial_checksum)
        return write_split(device, packet);
    struct virtio_net_hdr header;
    give_offload(&header, packet);
    if (write_whole(device, &header, packet))
        return true;
    if (errno != EINVAL || !write_split(device, packet))
        return false;
    device->counters.splits = true;
    return true;
}

bool tun_device_write(struct tun_device *device, const struct tcpct_packet *packet, uint64_t now_us)
{
    bool taken = packet->length > 0 && write_packet(device, packet);
    if (taken)
        device->counters.writes++;
    else
        device->counters.write_failures++;
    if (taken && device->capture != NULL)
        capture_packet(device->capture, packet, now_us);
    return taken;
}
