/* device_test.c - TUN devices in a network namespace of the test's own, with the kernel's sockets
 * at the other end; and the loop with a device.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tcpct/segment.h"
#include "tests/tun/frames.h"
#include "tests/tun/namespace.h"
#include "tun/capture.h"
#include "tun/device.h"
#include "tun/loop.h"
#include "tun/split.h"

enum { WAIT_MS = 5000 }; /* for what happens at once */

/* The kernel has 10.1.2.4 and fd01::4 on the device, as the frames' destination. */
static const struct tun_address hosts[] = {
    { .address = { 4, { 10, 1, 2, 4 } }, .prefix_length = 24 },
    { .address = { 6, { 0xfd, 1, [15] = 4 } }, .prefix_length = 64 },
};
static const struct tun_address routes[] = {
    { .address = { 4, { 10, 1, 2, 3 } }, .prefix_length = 32 }, /* covered by hosts[0] */
    { .address = { 4, { 10, 9, 9, 9 } }, .prefix_length = 32 },
    { .address = { 6, { 0xfd, 9, [15] = 9 } }, .prefix_length = 128 },
};
static const struct tun_options ordinary = {
    .name = "tuntest0", .hosts = hosts, .host_count = 2, .routes = routes, .route_count = 3
};

static struct tun_device *device;
static uint8_t bytes[TCPCT_PACKET_SIZE];
static struct frame frame;

static void open_device(const struct tun_options *options)
{
    char error[256] = "";
    if (!namespace_enter())
        skip();
    if (tun_device_open(&device, options, error, sizeof error) != 0)
        fail_msg("%s", error);
}

static int close_device(void **state)
{
    (void)state;
    tun_device_close(device);
    device = NULL;
    return 0;
}

/* Opening must fail, and say `sentence`. */
static void refuse(const struct tun_options *options, const char *sentence)
{
    struct tun_device *second = NULL;
    char error[512] = "";
    assert_int_equal(tun_device_open(&second, options, error, sizeof error), -1);
    assert_null(second);
    if (strstr(error, sentence) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", sentence, error);
}

/* Reads until a packet of that protocol comes; others (multicast reports) are skipped. */
static struct tcpct_packet read_packet(uint8_t protocol)
{
    struct tcpct_packet packet = { 0 };
    struct pollfd wait = { .fd = tun_device_fd(device), .events = POLLIN };
    while (poll(&wait, 1, WAIT_MS) > 0) {
        struct ip_header ip;
        while (tun_device_read(device, &packet, 0) == 1)
            if (ip_decode(&ip, packet.data, packet.length, packet.segment_size > 0) == IP_OK &&
                ip.protocol == protocol)
                return packet;
    }
    fail_msg("no packet of protocol %d came", protocol);
    return packet;
}

static struct sockaddr_storage socket_address(const char *text, uint16_t port, socklen_t *size)
{
    struct sockaddr_storage storage = { 0 };
    if (strchr(text, ':') != NULL) {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)&storage;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        assert_int_equal(inet_pton(AF_INET6, text, &six->sin6_addr), 1);
        *size = sizeof *six;
    } else {
        struct sockaddr_in *four = (struct sockaddr_in *)&storage;
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        assert_int_equal(inet_pton(AF_INET, text, &four->sin_addr), 1);
        *size = sizeof *four;
    }
    return storage;
}

static int udp_socket(const char *address, uint16_t port)
{
    socklen_t size;
    struct sockaddr_storage to = socket_address(address, port, &size);
    int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (bind(fd, (struct sockaddr *)&to, size) != 0)
        fail_msg("cannot bind %s: %s", address, strerror(errno));
    return fd;
}

static void send_udp(int fd, const char *address, const char *text)
{
    socklen_t size;
    struct sockaddr_storage to = socket_address(address, 53, &size);
    if (sendto(fd, text, strlen(text), 0, (struct sockaddr *)&to, size) < 0)
        fail_msg("cannot send to %s: %s", address, strerror(errno));
}

/* ---- configuration -------------------------------------------------------------------------- */

static void addresses_and_routes_are_there(void **state)
{
    (void)state;
    static const char *const own[] = { "10.1.2.4", "fd01::4" };
    static const char *const targets[] = { "10.1.2.3", "10.9.9.9", "fd01::3", "fd09::9" };
    for (int no_offload = 0; no_offload < 2; no_offload++) {
        struct tun_options options = ordinary;
        options.no_offload = no_offload;
        open_device(&options);
        assert_string_equal(tun_device_name(device), "tuntest0");
        assert_int_equal(tun_device_mtu(device), 1500);
        for (size_t i = 0; i < 4; i++) {
            int fd = udp_socket(own[i / 2], 1234); /* usable at once, IPv6 too */
            send_udp(fd, targets[i], "a question");
            struct tcpct_packet packet = read_packet(IP_PROTOCOL_UDP);
            assert_memory_equal(packet.data + packet.length - 10, "a question", 10);
            assert_int_equal(packet.partial_checksum, tun_device_checksum_offload(device));
            split_complete_checksum(&packet);
            assert_true(frame_is_right(&packet));
            close(fd);
        }
        close_device(NULL);
    }
}

static void mtu_and_queue_are_set(void **state)
{
    (void)state;
    struct tun_options options = ordinary;
    options.mtu = 9000;
    options.queue_packets = 3;
    open_device(&options);
    assert_int_equal(tun_device_mtu(device), 9000);
    int fd = udp_socket("10.1.2.4", 1234);
    struct tcpct_packet packet = { 0 };
    while (tun_device_read(device, &packet, 0) == 1)
        ; /* what the kernel says by itself */
    for (int i = 0; i < 5; i++)
        send_udp(fd, "10.9.9.9", "many");
    int count = 0;
    while (tun_device_read(device, &packet, 0) == 1)
        count++;
    assert_in_range(count, 1, 3);
    close(fd);
}

/* No link-local address, hence no solicitations of it. */
static void no_link_local_address(void **state)
{
    (void)state;
    open_device(&ordinary);
    FILE *file = fopen("/proc/self/net/if_inet6", "re");
    assert_non_null(file);
    char line[128];
    int found = 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strstr(line, "tuntest0") != NULL) {
            assert_true(strncmp(line, "fd01", 4) == 0);
            found++;
        }
    fclose(file);
    assert_int_equal(found, 1);
}

static void the_kernel_may_choose_a_name(void **state)
{
    (void)state;
    open_device(&(struct tun_options){ .name = NULL });
    assert_true(if_nametoindex(tun_device_name(device)) > 0);
}

static void refusals_say_what_to_do(void **state)
{
    (void)state;
    open_device(&ordinary);
    refuse(&ordinary, "another program has it open");
    refuse(&(struct tun_options){ .name = "lo" }, "is not a plain TUN device");
    refuse(&(struct tun_options){ .name = "a-name-of-17-bytes" }, "at most 15 bytes");
    refuse(&(struct tun_options){ .name = "tuntest1", .netns = "no-such-namespace" },
           "`ip netns add`");
    refuse(&(struct tun_options){ .name = "tuntest1", .netns = "../../etc/passwd" },
           "there is no network namespace");
    const struct tun_address odd = { .address = { 4, { 10, 1, 1, 1 } }, .prefix_length = 33 };
    refuse(&(struct tun_options){ .name = "tuntest1", .hosts = &odd, .host_count = 1 },
           "cannot give an address to");
    refuse(&(struct tun_options){ .name = "tuntest1", .mtu = 20 }, "cannot set the MTU");
    assert_int_equal(if_nametoindex("tuntest1"), 0); /* nothing stays behind */
}

/* ---- packets -------------------------------------------------------------------------------- */

static void receive_udp(int fd, size_t size)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    static uint8_t data[2000];
    assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
    assert_int_equal(recv(fd, data, sizeof data, 0), size);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(data[i], frame_data(i));
}

/* With a whole checksum and with a partial one, with offload and without. */
static void packets_reach_the_kernel(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct tun_options options = ordinary;
        options.no_offload = (i & 1) != 0;
        open_device(&options);
        bool ipv4 = (i & 2) != 0;
        int fd = udp_socket(ipv4 ? "10.1.2.4" : "fd01::4", 2000);
        frame_make(&frame, &(struct frame_fields){
                               .family = ipv4 ? 4 : 6, .protocol = 17, .data_size = 999 });
        if ((i & 4) != 0)
            frame_offload(&frame, 0);
        assert_true(tun_device_write(device, &frame.packet, 0));
        receive_udp(fd, 999);
        close(fd);
        close_device(NULL);
    }
}

static void failures_are_counted(void **state)
{
    (void)state;
    open_device(&ordinary);
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 17 });
    frame.bytes[0] = 0x15; /* no IP version that the kernel knows */
    assert_false(tun_device_write(device, &frame.packet, 0));
    frame.packet.length = 0;
    assert_false(tun_device_write(device, &frame.packet, 0));
    assert_int_equal(tun_device_counters(device)->write_failures, 2);
    assert_int_equal(tun_device_counters(device)->writes, 0);
    assert_false(tun_device_counters(device)->splits);
}

static void a_device_that_goes_is_an_error(void **state)
{
    (void)state;
    open_device(&ordinary);
    struct tcpct_packet packet = { 0 };
    while (tun_device_read(device, &packet, 0) == 1)
        ;
    assert_int_equal(tun_device_read(device, &packet, 0), 0); /* nothing there, nothing wrong */

    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = { { sizeof request, RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, 0, 0 },
                  { .ifi_index = (int)if_nametoindex("tuntest0") } };
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    assert_int_equal(send(netlink, &request, sizeof request, 0), sizeof request);
    assert_true(recv(netlink, bytes, sizeof bytes, 0) > 0);
    close(netlink);
    assert_int_equal(tun_device_read(device, &packet, 0), -1);
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 17 });
    assert_false(tun_device_write(device, &frame.packet, 0));
}

/* ---- segmentation offload, with the kernel's TCP -------------------------------------------- */

static struct segment segment_of(const struct tcpct_packet *packet)
{
    struct segment segment;
    enum segment_verdict verdict = segment_decode(&segment, packet, NULL);
    if (verdict != SEGMENT_OK)
        fail_msg("%s", segment_verdict_text(verdict));
    return segment;
}

/* Makes `answer` say something that the kernel refuses and cutting it here does not care about. */
static bool unbelievable_header;

/* Answers `received` with flags and data (data_size may need several segments of `mss`). */
static void answer(const struct segment *received, uint8_t flags, uint32_t seq, uint32_t ack,
                   uint32_t data_size, uint16_t mss)
{
    static uint8_t data[60000], out[TCPCT_PACKET_SIZE];
    for (uint32_t i = 0; i < data_size; i++)
        data[i] = frame_data(i);
    struct segment segment = { .source = received->destination,
                               .destination = received->source,
                               .source_port = received->destination_port,
                               .destination_port = received->source_port,
                               .seq = seq,
                               .ack = ack,
                               .flags = flags,
                               .hop_limit = 64,
                               .window = 65535,
                               .data = data,
                               .data_size = data_size,
                               .segment_size = data_size > mss ? mss : 0 };
    if ((flags & SEGMENT_SYN) != 0)
        segment.options = (struct tcp_options){ .present = OPTION_MSS, .mss = mss };
    struct tcpct_packet packet = { .data = out, .size = sizeof out };
    assert_true(segment_encode(&segment, &packet, true));
    if (data_size > mss && unbelievable_header)
        packet.header_size = UINT16_MAX;
    assert_true(tun_device_write(device, &packet, 0));
}

/* Closes with RST and forgets what the kernel still had to say. */
static void reset(int fd)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    close(fd);
    struct tcpct_packet packet = { 0 };
    while (tun_device_read(device, &packet, 0) == 1)
        ;
}

/* The kernel connects to an address behind the device; fills in its SYN. */
static int kernel_connect(const char *address, struct segment *syn)
{
    socklen_t size;
    struct sockaddr_storage to = socket_address(address, 80, &size);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, size), -1);
    struct tcpct_packet packet = read_packet(IP_PROTOCOL_TCP);
    *syn = segment_of(&packet);
    assert_int_equal(syn->flags & (SEGMENT_SYN | SEGMENT_ACK), SEGMENT_SYN);
    answer(syn, SEGMENT_SYN | SEGMENT_ACK, 1000, syn->seq + 1, 0, 1000);
    packet = read_packet(IP_PROTOCOL_TCP);
    struct segment ack = segment_of(&packet);
    assert_int_equal(ack.flags, SEGMENT_ACK);
    assert_int_equal(ack.ack, 1001);
    return fd;
}

/* The first flight (of ten segments) comes as one buffer, whose segments make the data again. */
static void coalesced_packets_come(const char *address)
{
    struct segment syn;
    static uint8_t data[10000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = frame_data(i);
    int fd = kernel_connect(address, &syn);
    if (send(fd, data, sizeof data, 0) != sizeof data)
        fail_msg("cannot send: %s", strerror(errno));
    size_t got = 0, buffers = 0, coalesced = 0;
    while (got < sizeof data) {
        struct tcpct_packet packet = read_packet(IP_PROTOCOL_TCP);
        struct segment segment = segment_of(&packet);
        buffers++;
        coalesced += packet.segment_size > 0;
        assert_int_equal(segment.seq, syn.seq + 1 + got);
        assert_memory_equal(segment.data, data + got, segment.data_size);
        got += segment.data_size;
        static uint8_t wire[TCPCT_PACKET_SIZE];
        struct tcpct_packet one = { .data = wire, .size = sizeof wire };
        struct split split;
        split_begin(&split, &packet);
        for (size_t rest = segment.data_size; split_next(&split, &one); rest -= 1000) {
            assert_true(frame_is_right(&one));
            assert_int_equal(one.length - frame_payload(&one), rest < 1000 ? rest : 1000);
        }
    }
    if (tun_device_offload_size_max(device) > 0)
        assert_true(coalesced > 0 && buffers < 10);
    else
        assert_int_equal(coalesced, 0);
    reset(fd);
}

static void receive_tcp(int fd, size_t size)
{
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    for (size_t got = 0; got < size;) {
        assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
        static uint8_t data[4096];
        ssize_t part = recv(fd, data, sizeof data, 0);
        assert_true(part > 0);
        for (ssize_t i = 0; i < part; i++)
            assert_int_equal(data[i], frame_data(got + (size_t)i));
        got += (size_t)part;
    }
}

/* 20 segments in one write: cut by the kernel, or here. */
static void coalesced_packets_go(const char *address)
{
    struct segment syn;
    int fd = kernel_connect(address, &syn);
    answer(&syn, SEGMENT_ACK | SEGMENT_PSH, 1001, syn.seq + 1, 20 * 1000 - 7, 1000);
    receive_tcp(fd, 20 * 1000 - 7);
    reset(fd);
}

static void segmentation_offload(void **state)
{
    (void)state;
    for (int no_offload = 0; no_offload < 2; no_offload++) {
        struct tun_options options = ordinary;
        options.no_offload = no_offload;
        open_device(&options);
        assert_int_equal(tun_device_offload_size_max(device) > 0,
                         !no_offload && tun_device_checksum_offload(device));
        coalesced_packets_come("10.9.9.9");
        coalesced_packets_come("fd09::9");
        coalesced_packets_go("10.9.9.9");
        coalesced_packets_go("fd09::9");
        close_device(NULL);
    }
}

/* A kernel that refuses a coalesced packet gets ordinary ones, now and from then on. */
static void refused_offload_is_done_here(void **state)
{
    (void)state;
    open_device(&ordinary);
    if (tun_device_offload_size_max(device) == 0)
        skip();
    struct segment syn;
    int fd = kernel_connect("10.9.9.9", &syn);
    assert_false(tun_device_counters(device)->splits);
    unbelievable_header = true;
    answer(&syn, SEGMENT_ACK, 1001, syn.seq + 1, 4999, 1000);
    unbelievable_header = false;
    assert_true(tun_device_counters(device)->splits);
    receive_tcp(fd, 4999);
    reset(fd);
    coalesced_packets_go("10.9.9.9");
    coalesced_packets_go("fd09::9");
    assert_int_equal(tun_device_counters(device)->write_failures, 0);
}

static void everything_is_captured(void **state)
{
    (void)state;
    open_device(&ordinary);
    char error[256], path[] = "/tmp/tcpct-device-XXXXXX";
    int file = mkstemp(path);
    struct capture *capture = capture_open(path, error, sizeof error);
    assert_non_null(capture);
    tun_device_capture(device, capture);
    int fd = udp_socket("10.1.2.4", 2000);
    send_udp(fd, "10.9.9.9", "abc");
    read_packet(IP_PROTOCOL_UDP);
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 17, .data_size = 9 });
    assert_true(tun_device_write(device, &frame.packet, 0));
    tun_device_capture(device, NULL);
    assert_true(tun_device_write(device, &frame.packet, 0));
    assert_int_equal(capture_close(capture), 0);
    static uint8_t text[4096];
    ssize_t size = read(file, text, sizeof text);
    assert_true(size >= 24 + 16 + 31 + 16 + 37);
    assert_memory_equal(text + size - 37, frame.bytes, 37);   /* the last packet in the file ... */
    assert_memory_equal(text + size - 37 - 16 - 3, "abc", 3); /* ... and the one before */
    close(fd);
    close(file);
    unlink(path);
}

/* ---- the loop with a device ----------------------------------------------------------------- */

static struct loop *loop;
static int others;

static void count_others(void *context, const struct tcpct_packet *packet, uint64_t now_us)
{
    (void)context, (void)now_us;
    struct ip_header ip;
    if (ip_decode(&ip, packet->data, packet->length, false) == IP_OK &&
        ip.protocol == IP_PROTOCOL_UDP && ++others == 100)
        loop_stop(loop, 0);
}

static void the_loop_reads_packets(void **state)
{
    (void)state;
    open_device(&ordinary);
    const struct loop_handlers handlers = { .other_packet = count_others };
    loop = loop_create(NULL, device, &handlers);
    assert_non_null(loop);
    int fd = udp_socket("10.1.2.4", 2000);
    for (int i = 0; i < 100; i++) /* more than a batch */
        send_udp(fd, "10.9.9.9", "one of many");
    assert_int_equal(loop_run(loop), 0);
    assert_int_equal(others, 100);
    loop_destroy(loop);
    close(fd);
}

#define DEVICE_TEST(test) cmocka_unit_test_teardown(test, close_device)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DEVICE_TEST(addresses_and_routes_are_there), DEVICE_TEST(mtu_and_queue_are_set),
        DEVICE_TEST(no_link_local_address),          DEVICE_TEST(the_kernel_may_choose_a_name),
        DEVICE_TEST(refusals_say_what_to_do),        DEVICE_TEST(packets_reach_the_kernel),
        DEVICE_TEST(failures_are_counted),           DEVICE_TEST(a_device_that_goes_is_an_error),
        DEVICE_TEST(segmentation_offload),           DEVICE_TEST(refused_offload_is_done_here),
        DEVICE_TEST(everything_is_captured),         DEVICE_TEST(the_loop_reads_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
