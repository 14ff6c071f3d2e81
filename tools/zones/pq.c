/* pq.c - writes a zone with keys and signatures of post-quantum sizes, for tools/zones/make.
 *
 *     pq NAME ALGORITHM SIGNATURE-SIZE KEY-SIZE
 *
 * The zone is NAME.test. Keys and signatures are pseudo-random bytes of the right length, the
 * same in every run: answers have the size that they will have, and validate nowhere. Names and
 * SOA fields are chosen so that the answers to `pq.NAME.test. A` and `nx.NAME.test. A` with DO
 * have the sizes that the README quotes for the three algorithms.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PRIVATE_ALGORITHM = 253, BLOB_MAX = 16384, TTL = 3600 };

static const char *zone;
static unsigned algorithm, key_tag;

/* xorshift64*: any sequence without a pattern will do. */
static uint8_t random_byte(void)
{
    static uint64_t state = 6013;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint8_t)(state * 0x2545f4914f6cdd1du >> 56);
}

/* Fills a key or signature; a private algorithm names itself at its start (RFC 4034, A.1.1). */
static void fill(uint8_t *bytes, size_t size)
{
    size_t named = 0;
    if (algorithm == PRIVATE_ALGORITHM) {
        bytes[0] = (uint8_t)strlen(zone);
        memcpy(bytes + 1, zone, bytes[0]);
        memcpy(bytes + 1 + bytes[0], "\4test", 6);
        named = bytes[0] + 7u;
    }
    for (size_t i = named; i < size; i++)
        bytes[i] = random_byte();
}

static void print_base64(const uint8_t *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        uint32_t word = (uint32_t)bytes[i] << 16;
        word |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
        word |= i + 2 < size ? bytes[i + 2] : 0;
        if (i % 72 == 0)
            fputs("\n\t", stdout);
        putchar(digits[word >> 18]);
        putchar(digits[word >> 12 & 63]);
        putchar(i + 1 < size ? digits[word >> 6 & 63] : '=');
        putchar(i + 2 < size ? digits[word & 63] : '=');
    }
}

static void print_key(size_t size)
{
    uint8_t rdata[4 + BLOB_MAX] = { 1, 1, 3, (uint8_t)algorithm };
    uint32_t sum = 0;
    fill(rdata + 4, size);
    for (size_t i = 0; i < size + 4; i++) /* the key tag: RFC 4034, B */
        sum += i & 1 ? rdata[i] : (uint32_t)rdata[i] << 8;
    key_tag = (sum + (sum >> 16)) & 0xffff;
    printf("@ %d DNSKEY 257 3 %u (", TTL, algorithm);
    print_base64(rdata + 4, size);
    puts(" )");
}

static void sign(const char *owner, const char *type, size_t size)
{
    uint8_t signature[BLOB_MAX];
    unsigned labels = strcmp(owner, "@") == 0 ? 2 : 3;
    fill(signature, size);
    printf("%s %d RRSIG %s %u %u %d 20931231000000 20260101000000 %u @ (", owner, TTL, type,
           algorithm, labels, TTL, key_tag);
    print_base64(signature, size);
    puts(" )");
}

int main(int argc, char **argv)
{
    size_t signature_size = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;
    size_t key_size = argc == 5 ? strtoul(argv[4], NULL, 10) : 0;
    if (signature_size == 0 || signature_size > BLOB_MAX || key_size < 32 || key_size > BLOB_MAX) {
        fprintf(stderr, "usage: pq NAME ALGORITHM SIGNATURE-SIZE KEY-SIZE\n");
        return 2;
    }
    zone = argv[1];
    algorithm = (unsigned)strtoul(argv[2], NULL, 10);
    printf("; %s - made by tools/zones/make: keys and signatures are random bytes\n", zone);
    printf("; of the right length, signatures %zu, key %zu.\n", signature_size, key_size);
    printf("$ORIGIN %s.test.\n", zone);
    printf("@ %d SOA ns dns-hostmaster 1 7200 3600 1209600 %d\n", TTL, TTL);
    print_key(key_size);
    sign("@", "SOA", signature_size);
    sign("@", "DNSKEY", signature_size);
    printf("@ %d NS ns\n", TTL);
    sign("@", "NS", signature_size);
    printf("@ %d NSEC ns NS SOA RRSIG NSEC DNSKEY\n", TTL);
    sign("@", "NSEC", signature_size);
    printf("ns %d A 192.0.2.53\n", TTL);
    sign("ns", "A", signature_size);
    printf("ns %d NSEC pq A RRSIG NSEC\n", TTL);
    sign("ns", "NSEC", signature_size);
    printf("pq %d A 192.0.2.80\n", TTL);
    sign("pq", "A", signature_size);
    printf("pq %d NSEC @ A RRSIG NSEC\n", TTL);
    sign("pq", "NSEC", signature_size);
    return 0;
}
