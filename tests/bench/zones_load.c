/* zones_load.c - what loading zones costs: processor time and memory of one way of doing it, which
 * the script `zones` compares. It writes zone text and asks for transfers, too.
 *
 *     zones_load text RECORDS       zone text on standard output: a quarter each of A, AAAA, MX and TXT,
 *                                   of as many names, in the order of a dump
 *     zones_load ldns ORIGIN=FILE   parsed by ldns, record by record, and each thrown away
 *     zones_load ldns-zone ORIGIN=FILE  read by ldns as it reads zone files, and kept
 *     zones_load ours ORIGIN=FILE   read and compiled as tcpct dnsd does
 *
 *     zones_load transfer ADDRESS PORT RECORDS  asks for the zone bench (AXFR), and takes so many records
 *
 * Prints: the seconds that a transfer took; otherwise records (of the zone, by ldns; RRsets, by us), seconds, megabytes that stay, and at most.
 */
#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns/zones.h"
#include "tests/bench/measure.h"

enum { LINE_SIZE = 65536 };

static int write_text(unsigned long records)
{
    puts(
        "$ORIGIN bench.\n$TTL 3600\n@ SOA ns host 1 7200 3600 1209600 300\n@ NS ns\nns A 192.0.2.1");
    for (unsigned long i = 0; i < records / 4; i++) {
        unsigned a = (unsigned)(i >> 16 & 255), b = (unsigned)(i >> 8 & 255),
                 c = (unsigned)(i & 255);
        printf("host-%lu A 10.%u.%u.%u\nhost-%lu AAAA 2001:db8::%x:%x\n", i, a, b, c, i, a,
               b << 8 | c);
        printf("host-%lu MX 10 mail-%lu\nhost-%lu TXT \"the text of host %lu\"\n", i, i % 1000, i,
               i);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}

/* Of this process: what it holds (`VmRSS`), or held at most (`VmHWM`). */
static double megabytes(const char *what)
{
    char line[256];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, what, strlen(what)) == 0)
            kilobytes = strtod(line + strlen(what) + 1, NULL);
    if (file)
        fclose(file);
    return kilobytes / 1024;
}

static int report(size_t count, uint64_t start_us)
{
    double seconds = (double)(measure_cpu_us() - start_us) / 1e6;
    malloc_trim(0);
    printf("%zu %.2f %.0f %.0f\n", count, seconds, megabytes("VmRSS"), megabytes("VmHWM"));
    return 0;
}

static int load_ldns(const struct zone_source *source)
{
    uint64_t start_us = measure_cpu_us();
    static char line[LINE_SIZE];
    size_t count = 0;
    uint32_t ttl = 3600;
    ldns_rdf *owner = NULL,
             *origin = ldns_rdf_new_frm_data(
                 LDNS_RDF_TYPE_DNAME, name_size(source->origin, NAME_SIZE_MAX), source->origin);
    FILE *file = fopen(source->path, "r");
    if (!file)
        return measure_fail("zones_load", "cannot open the zone");
    while (fgets(line, sizeof line, file)) {
        ldns_rr *rr;
        if (line[0] == '$')
            continue;
        line[strcspn(line, "\n")] = '\0';
        if (ldns_rr_new_frm_str(&rr, line, ttl, origin, &owner) != LDNS_STATUS_OK)
            return measure_fail("zones_load", "ldns refuses a record");
        ldns_rr_free(rr);
        count++;
    }
    fclose(file);
    ldns_rdf_deep_free(origin);
    ldns_rdf_deep_free(owner);
    return report(count, start_us);
}

static int load_ours(const struct zone_source *source)
{
    uint64_t start_us = measure_cpu_us();
    char error[1024];
    struct dns_zones *zones = dns_zones_load(source, 1, error, sizeof error);
    if (!zones)
        return measure_fail("zones_load", error);
    int status = report(zones->zones[0]->set_count, start_us);
    dns_zones_free(zones);
    return status;
}

/* As ldns reads a zone file, keeping the records. */
static int load_ldns_zone(const struct zone_source *source)
{
    uint64_t start_us = measure_cpu_us();
    ldns_zone *zone;
    FILE *file = fopen(source->path, "r");
    if (!file || ldns_zone_new_frm_fp(&zone, file, NULL, 3600, LDNS_RR_CLASS_IN) != LDNS_STATUS_OK)
        return measure_fail("zones_load", "ldns cannot read the zone");
    fclose(file);
    int status = report(ldns_zone_rr_count(zone), start_us);
    ldns_zone_deep_free(zone);
    return status;
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Takes messages until they have had so many records; false: they end before. */
static bool take_records(FILE *stream, unsigned long records)
{
    uint8_t head[2], message[DNS_MESSAGE_SIZE_MAX];
    for (unsigned long count = 0; count < records; count += dns_get16(message + 6)) {
        if (fread(head, sizeof head, 1, stream) != 1 || dns_get16(head) < DNS_HEADER_SIZE ||
            fread(message, dns_get16(head), 1, stream) != 1 || (message[3] & 15) != 0)
            return false;
    }
    return true;
}

static int transfer(const char *address, const char *port, const char *records)
{
    static const uint8_t query[] = "\0\27\0\1\0\0\0\1\0\0\0\0\0\0\5bench\0\0\374\0\1";
    double start = seconds_now();
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
    int socket_fd = socket(AF_INET, SOCK_STREAM, 0);
    FILE *stream = fdopen(socket_fd, "r");
    if (!stream || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(socket_fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        send(socket_fd, query, sizeof query - 1, 0) != sizeof query - 1 ||
        !take_records(stream, strtoul(records, NULL, 10)))
        return measure_fail("zones_load", "there is no whole transfer");
    printf("%.2f\n", seconds_now() - start);
    fclose(stream);
    return 0;
}

int main(int argc, char **argv)
{
    struct zone_source source;
    if (argc == 3 && strcmp(argv[1], "text") == 0)
        return write_text(strtoul(argv[2], NULL, 10));
    if (argc == 5 && strcmp(argv[1], "transfer") == 0)
        return transfer(argv[2], argv[3], argv[4]);
    if (argc != 3 || !zone_source_parse(&source, argv[2]) || !source.has_origin)
        return measure_fail("zones_load", "see the head of its source for its arguments");
    mallopt(M_TRIM_THRESHOLD, 1 << 26); /* as tcpct dnsd does, for all */
    return strcmp(argv[1], "ldns") == 0        ? load_ldns(&source)
           : strcmp(argv[1], "ldns-zone") == 0 ? load_ldns_zone(&source)
                                               : load_ours(&source);
}
