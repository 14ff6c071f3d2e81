/* lab_capture.c - `tcpct lab capture`: everything that passes a lab's device, as the kernel saw it,
 * into a file. An observer of its own, who knows neither the stack nor the link.
 */
#include "tools/lab_capture.h"

#include <pcap/pcap.h>
#include <signal.h>

#include "tools/command.h"

enum { READ_TIMEOUT_MS = 100 };

static pcap_t *capturing; /* for the signal handler */

static void stop(int signal_number)
{
    (void)signal_number;
    pcap_breakloop(capturing);
}

/* Written out at once, so that the file can be read while it grows. */
static void take(u_char *dumper, const struct pcap_pkthdr *header, const u_char *bytes)
{
    pcap_dump(dumper, header, bytes);
    pcap_dump_flush((pcap_dumper_t *)dumper);
}

static int run(pcap_t *pcap, const char *path)
{
    pcap_dumper_t *dumper = pcap_dump_open(pcap, path);
    if (dumper == NULL)
        return command_error("lab", 1, "cannot write the capture: %s", pcap_geterr(pcap));
    const struct sigaction action = { .sa_handler = stop };
    capturing = pcap;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    pcap_dump_flush(dumper);
    printf("ready: capturing into %s\n", path);
    fflush(stdout);
    int status = 0;
    if (pcap_loop(pcap, -1, take, (u_char *)dumper) == PCAP_ERROR)
        status = command_error("lab", 1, "the capture ended: %s", pcap_geterr(pcap));
    if (pcap_dump_flush(dumper) != 0)
        status = command_error("lab", 1, "cannot write all of the capture to %s", path);
    pcap_dump_close(dumper);
    return status;
}

int lab_capture(const char *device, const char *path)
{
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_create(device, error);
    if (pcap == NULL)
        return command_error("lab", 1, "cannot capture on %s: %s", device, error);
    pcap_set_snaplen(pcap, 65535);
    pcap_set_immediate_mode(pcap, 1);
    pcap_set_timeout(pcap, READ_TIMEOUT_MS);
    int status;
    if (pcap_activate(pcap) < 0)
        status = command_error("lab", 1, "cannot capture on %s: %s", device, pcap_geterr(pcap));
    else
        status = run(pcap, path);
    pcap_close(pcap);
    return status;
}
