/* capture_test.c - what libpcap reads back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pcap/pcap.h>

#include "tests/tun/frames.h"
#include "tun/capture.h"
#include "tun/loop.h"

static struct frame frame;
static char path[] = "/tmp/tcpct-capture-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_path(void **state)
{
    (void)state;
    return unlink(path);
}

static uint64_t next(pcap_t *pcap, struct tcpct_packet *packet)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    assert_int_equal(pcap_next_ex(pcap, &header, &bytes), 1);
    assert_int_equal(header->caplen, header->len);
    *packet = (struct tcpct_packet){ .data = (uint8_t *)bytes, .length = header->caplen };
    return (uint64_t)header->ts.tv_sec * 1000000 + (uint64_t)header->ts.tv_usec;
}

static void packets_look_like_a_wire(void **state)
{
    (void)state;
    char error[PCAP_ERRBUF_SIZE];
    uint64_t now_us = loop_clock_us(), wall_us = loop_wall_clock_us();
    struct capture *capture = capture_open(path, error, sizeof error);
    assert_non_null(capture);
    const struct frame_fields fields = { .family = 4, .protocol = 6, .data_size = 2500 };
    frame_make(&frame, &fields);
    capture_packet(capture, &frame.packet, now_us); /* whole */
    frame_offload(&frame, 0);
    capture_packet(capture, &frame.packet, now_us + 10); /* its checksum completed */
    frame_offload(&frame, 1000);
    capture_packet(capture, &frame.packet, now_us + 1234567); /* cut in three */
    capture_flush(capture);
    assert_int_equal(capture_close(capture), 0);

    static const size_t lengths[] = { 2540, 2540, 1040, 1040, 540 };
    static const uint64_t times[] = { 0, 10, 1234567, 1234567, 1234567 };
    pcap_t *pcap = pcap_open_offline(path, error);
    assert_non_null(pcap);
    assert_int_equal(pcap_datalink(pcap), DLT_RAW);
    uint64_t first_us = 0;
    for (size_t i = 0; i < 5; i++) {
        struct tcpct_packet packet;
        uint64_t time_us = next(pcap, &packet);
        first_us = i == 0 ? time_us : first_us;
        assert_int_equal(packet.length, lengths[i]);
        assert_true(frame_is_right(&packet));
        assert_int_equal(time_us - first_us, times[i]);
    }
    struct pcap_pkthdr *header;
    const u_char *bytes;
    assert_int_equal(pcap_next_ex(pcap, &header, &bytes), PCAP_ERROR_BREAK);
    pcap_close(pcap);
    assert_true(first_us + 1000000 > wall_us && first_us < wall_us + 1000000);
}

static void errors_are_told(void **state)
{
    (void)state;
    char error[256];
    assert_null(capture_open("/nonexistent/file.pcap", error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/file.pcap"));
    assert_non_null(strstr(error, "--capture"));

    struct capture *capture = capture_open("/dev/full", error, sizeof error);
    assert_non_null(capture);
    frame_make(&frame, &(struct frame_fields){ .family = 4, .protocol = 6 });
    capture_packet(capture, &frame.packet, 0);
    assert_int_equal(capture_close(capture), -1);
    assert_int_equal(capture_close(NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_look_like_a_wire),
        cmocka_unit_test(errors_are_told),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
