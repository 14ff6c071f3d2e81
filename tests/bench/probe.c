/* probe.c - UDP packets at a steady rate, and how long they took: for what a link carries.
 *
 *     probe receive                                      (on port 7000)
 *     probe send ADDRESS SIZE PACKETS-A-SECOND           (SIZE of the IP packet)
 *
 * Both use the machine's monotonic clock. receive prints `ready`, ends half a second after the
 * last packet, and says `received=N us=N low_us=N median_us=N p99_us=N high_us=N`: the time
 * between the first and the last packet, and delays. send: `sent=N us=N`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/bench/measure.h"
#include "tools/units.h"

enum {
    PORT = 7000,
    HEADERS = 28,
    PACKET_SIZE = 1500,
    PACKETS_MAX = 2000000,
    BATCH = 64,
    RUN_NS = 1000000000,
    FIRST_WAIT_S = 10,
    BUFFER = 64 << 20,
};

static uint8_t bytes[BATCH][PACKET_SIZE];
static struct iovec parts[BATCH];
static struct mmsghdr messages[BATCH];
static double delays_us[PACKETS_MAX];

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void prepare(size_t size)
{
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){ bytes[i], size };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
}

static void wait_at_most(int fd, time_t seconds, suseconds_t us)
{
    const struct timeval wait = { seconds, us };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
}

static int receive_all(int fd)
{
    const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    const int buffer = BUFFER;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0 ||
        bind(fd, (const struct sockaddr *)&any, sizeof any) != 0)
        return measure_fail("probe", strerror(errno));
    measure_ready();
    wait_at_most(fd, FIRST_WAIT_S, 0);
    size_t count = 0;
    uint64_t first_ns = 0, last_ns = 0;
    int got;
    while ((got = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL)) > 0) {
        last_ns = clock_ns();
        if (count == 0) {
            first_ns = last_ns;
            wait_at_most(fd, 0, 500000);
        }
        for (int i = 0; i < got && count < PACKETS_MAX; i++) {
            uint64_t sent_ns;
            memcpy(&sent_ns, bytes[i], sizeof sent_ns);
            delays_us[count++] = (double)(last_ns - sent_ns) / 1000;
        }
    }
    if (count == 0)
        return measure_fail("probe", "nothing came");
    qsort(delays_us, count, sizeof *delays_us, compare);
    printf("received=%zu us=%" PRIu64 " low_us=%.1f median_us=%.1f p99_us=%.1f high_us=%.1f\n",
           count, (last_ns - first_ns) / 1000, delays_us[0], delays_us[count / 2],
           delays_us[count * 99 / 100], delays_us[count - 1]);
    return 0;
}

/* What is due is sent in one call, so that its cost is not the limit. */
static int send_all(int fd, uint64_t rate)
{
    uint64_t start_ns = clock_ns(), now_ns = start_ns, sent = 0;
    while (now_ns - start_ns < RUN_NS) {
        uint64_t due = (now_ns - start_ns) * rate / 1000000000 - sent;
        unsigned count = due < BATCH ? (unsigned)due : BATCH;
        for (unsigned i = 0; i < count; i++)
            memcpy(bytes[i], &now_ns, sizeof now_ns);
        int taken = count > 0 ? sendmmsg(fd, messages, count, 0) : 0;
        if (taken < 0 && errno != ENOBUFS)
            return measure_fail("probe", strerror(errno));
        sent += count; /* what the kernel did not take is lost */
        now_ns = clock_ns();
    }
    printf("sent=%" PRIu64 " us=%" PRIu64 "\n", sent, (now_ns - start_ns) / 1000);
    return 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    uint64_t size, rate;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (argc == 2 && strcmp(argv[1], "receive") == 0) {
        prepare(PACKET_SIZE);
        return receive_all(fd);
    }
    if (argc != 5 || strcmp(argv[1], "send") != 0 ||
        inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
        !unit_number(argv[3], HEADERS + sizeof(uint64_t), PACKET_SIZE, &size) ||
        !unit_number(argv[4], 1, PACKETS_MAX, &rate))
        return measure_fail("probe", "say receive, or send ADDRESS SIZE PACKETS-A-SECOND");
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return measure_fail("probe", strerror(errno));
    prepare(size - HEADERS);
    return send_all(fd, rate);
}
