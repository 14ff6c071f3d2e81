/* probe.c - UDP packets at a steady rate, and how long they took: for what a link carries.
 *
 *     probe receive                                      (on port 7000)
 *     probe send ADDRESS SIZE PACKETS-A-SECOND           (SIZE of the IP packet)
 *
 * What is measured is the way between two kernels, and little of the scheduler: a packet's time
 * begins when the sender stamps it, just before a send(2) of its own that puts it into the device's
 * queue, and ends with the stamp of the kernel (SO_TIMESTAMPNS) at the device where it comes out. So
 * it makes no difference when the receiver runs, and it looks only every 2 ms. The sender sleeps
 * until the next packet is due, but not more often than every 20 us; then it sends all that are.
 *
 * Both use the machine's wall clock. receive prints `ready`, ends half a second after the last
 * packet, and says `received=N bytes=N us=N low_us=N median_us=N p99_us=N high_us=N`: bytes of IP
 * packets and the time behind the first one, and delays. send: `sent=N us=N`.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>

#include "tests/bench/measure.h"
#include "tools/units.h"

enum {
    PORT = 7000,
    HEADERS = 28,
    PACKET_SIZE = 1500,
    PACKETS_MAX = 2000000,
    BATCH = 256,
    BUFFER = 64 << 20,
};
#define SECOND_NS UINT64_C(1000000000)
#define RUN_NS SECOND_NS
#define FIRST_WAIT_NS (10 * SECOND_NS)
#define LAST_WAIT_NS (SECOND_NS / 2)
#define SEND_STEP_NS UINT64_C(20000)
#define RECEIVE_STEP_NS UINT64_C(2000000)

static double delays_us[PACKETS_MAX];

static uint64_t time_ns(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * SECOND_NS + (uint64_t)time->tv_nsec;
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return time_ns(&now);
}

static void sleep_until(uint64_t at_ns)
{
    const struct timespec at = { (time_t)(at_ns / SECOND_NS), (long)(at_ns % SECOND_NS) };
    clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &at, NULL);
}

/* ---- receiving ------------------------------------------------------------------------------ */

/* The packets of one look: of each what the sender stamped, and what the kernel says of it. */
struct look {
    uint64_t sent_ns[BATCH];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[BATCH][CMSG_SPACE(sizeof(struct timespec))];
};

static void look_prepare(struct look *look)
{
    for (int i = 0; i < BATCH; i++) {
        look->parts[i] = (struct iovec){ &look->sent_ns[i], sizeof look->sent_ns[i] };
        look->messages[i].msg_hdr = (struct msghdr){ .msg_iov = &look->parts[i],
                                                     .msg_iovlen = 1,
                                                     .msg_control = look->controls[i],
                                                     .msg_controllen = sizeof look->controls[i] };
    }
}

static uint64_t stamp_of(struct msghdr *message)
{
    struct timespec stamp = { 0 };
    const struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (control != NULL && control->cmsg_type == SCM_TIMESTAMPNS)
        memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
    return time_ns(&stamp);
}

struct tally {
    size_t count;
    uint64_t bytes; /* of all but the first */
    uint64_t first_ns, last_ns;
};

/* Takes all that came. */
static void look(int fd, struct tally *tally)
{
    static struct look look;
    int got;
    do {
        look_prepare(&look);
        got = recvmmsg(fd, look.messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL);
        for (int i = 0; i < got && tally->count < PACKETS_MAX; i++) {
            tally->last_ns = stamp_of(&look.messages[i].msg_hdr);
            if (tally->count == 0)
                tally->first_ns = tally->last_ns;
            else
                tally->bytes += look.messages[i].msg_len + HEADERS;
            delays_us[tally->count++] = (double)(tally->last_ns - look.sent_ns[i]) / 1000;
        }
    } while (got == BATCH);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int receive_all(int fd)
{
    const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    const int buffer = BUFFER, on = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&any, sizeof any) != 0)
        return measure_fail("probe", strerror(errno));
    measure_ready();
    struct tally tally = { 0 };
    uint64_t now_ns = clock_ns(), end_ns = now_ns + FIRST_WAIT_NS;
    while (now_ns < end_ns) {
        sleep_until(now_ns + RECEIVE_STEP_NS);
        now_ns = clock_ns();
        look(fd, &tally);
        if (tally.count > 0)
            end_ns = tally.last_ns + LAST_WAIT_NS;
    }
    if (tally.count == 0)
        return measure_fail("probe", "nothing came");
    qsort(delays_us, tally.count, sizeof *delays_us, compare);
    printf("received=%zu bytes=%" PRIu64 " us=%" PRIu64
           " low_us=%.1f median_us=%.1f p99_us=%.1f high_us=%.1f\n",
           tally.count, tally.bytes, (tally.last_ns - tally.first_ns) / 1000, delays_us[0],
           delays_us[tally.count / 2], delays_us[tally.count * 99 / 100],
           delays_us[tally.count - 1]);
    return 0;
}

/* ---- sending -------------------------------------------------------------------------------- */

static int send_all(int fd, size_t size, uint64_t rate)
{
    static uint8_t bytes[PACKET_SIZE];
    uint64_t start_ns = clock_ns(), now_ns = start_ns, due_ns = start_ns, sent = 0;
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    while (now_ns < start_ns + RUN_NS) {
        while (due_ns <= now_ns) {
            uint64_t stamp_ns = clock_ns();
            memcpy(bytes, &stamp_ns, sizeof stamp_ns);
            if (send(fd, bytes, size, 0) < 0 && errno != ENOBUFS)
                return measure_fail("probe", strerror(errno));
            sent++; /* what the kernel did not take is lost */
            due_ns = start_ns + sent * SECOND_NS / rate;
        }
        uint64_t step_ns = now_ns + SEND_STEP_NS;
        sleep_until(due_ns > step_ns ? due_ns : step_ns);
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
    if (argc == 2 && strcmp(argv[1], "receive") == 0)
        return receive_all(fd);
    if (argc != 5 || strcmp(argv[1], "send") != 0 ||
        inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
        !unit_number(argv[3], HEADERS + sizeof(uint64_t), PACKET_SIZE, &size) ||
        !unit_number(argv[4], 1, PACKETS_MAX, &rate))
        return measure_fail("probe", "say receive, or send ADDRESS SIZE PACKETS-A-SECOND");
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
        return measure_fail("probe", strerror(errno));
    return send_all(fd, size - HEADERS, rate);
}
