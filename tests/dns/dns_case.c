/* dns_case.c - zones from text and answers as text: see dns_case.h. */
#include "tests/dns/dns_case.h"

#include <ldns/ldns.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char error[1024];

static struct zone *read_zone(const char *text, const char *origin)
{
    uint8_t name[NAME_SIZE_MAX];
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(file);
    if (origin)
        assert_int_not_equal(name_parse(name, origin), 0);
    error[0] = '\0';
    struct zone *zone = zone_read(file, "test", origin ? name : NULL, error, sizeof error);
    fclose(file);
    return zone;
}

struct dns_zones *case_zones(const char *text, const char *origin)
{
    struct case_zone zone = { text, origin };
    return case_zones_of(&zone, 1);
}

struct dns_zones *case_zones_of(const struct case_zone *cases, size_t count)
{
    struct zone *read[CASE_ZONES_MAX];
    assert_true(count <= CASE_ZONES_MAX);
    for (size_t i = 0; i < count; i++) {
        read[i] = read_zone(cases[i].text, cases[i].origin);
        if (!read[i])
            fail_msg("%s", error);
    }
    struct dns_zones *zones = dns_zones_create(read, count, error, sizeof error);
    assert_non_null(zones);
    return zones;
}

const char *case_zone_error(const char *text, const char *origin)
{
    struct zone *zone = read_zone(text, origin);
    zone_free(zone);
    return zone ? "no error" : error;
}

size_t case_query(uint8_t query[512], const char *question, unsigned flags)
{
    uint8_t name[NAME_SIZE_MAX];
    char text[NAME_TEXT_SIZE];
    const char *space = strrchr(question, ' ');
    assert_non_null(space);
    snprintf(text, sizeof text, "%.*s", (int)(space - question), question);
    assert_int_not_equal(name_parse(name, text), 0);
    struct dns_question made = {
        .name = name,
        .id = 0x1234,
        .type = (uint16_t)ldns_get_rr_type_by_name(space + 1),
        .class = DNS_CLASS_IN,
        .flags =
            (uint16_t)((flags & CASE_RD ? DNS_FLAG_RD : 0) | (flags & CASE_CD ? DNS_FLAG_CD : 0)),
        .edns = flags & (CASE_DO | CASE_EDNS),
        .dnssec_ok = flags & CASE_DO,
    };
    return dns_query_write(query, 512, &made);
}

static void add(char **out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    *out += vsprintf(*out, format, arguments);
    va_end(arguments);
}

static void add_section(char **out, const char *name, const ldns_rr_list *list)
{
    for (size_t i = 0; list && i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        char *owner = ldns_rdf2str(ldns_rr_owner(rr));
        char *type = ldns_rr_type2str(ldns_rr_get_type(rr));
        size_t fields = ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG ? 1 : ldns_rr_rd_count(rr);
        add(out, ", %s %s %s", name, owner, type);
        for (size_t j = 0; j < fields; j++) {
            char *field = ldns_rdf2str(ldns_rr_rdf(rr, j));
            add(out, " %s", field);
            free(field);
        }
        while ((*out)[-1] == ' ')
            --*out;
        free(owner);
        free(type);
    }
    **out = '\0';
}

const char *case_text(const uint8_t *answer, size_t size)
{
    static char text[262144];
    char *out = text;
    ldns_pkt *packet = NULL;
    if (size == 0)
        return "nothing";
    assert_int_equal(ldns_wire2pkt(&packet, answer, size), LDNS_STATUS_OK);
    char *rcode = ldns_pkt_rcode2str(
        (ldns_pkt_rcode)(ldns_pkt_get_rcode(packet) | ldns_pkt_edns_extended_rcode(packet) << 4));
    add(&out, "%s%s%s%s%s%s%s%s", rcode, ldns_pkt_aa(packet) ? " aa" : "",
        ldns_pkt_tc(packet) ? " tc" : "", ldns_pkt_rd(packet) ? " rd" : "",
        ldns_pkt_ra(packet) ? " ra" : "", ldns_pkt_ad(packet) ? " ad" : "",
        ldns_pkt_cd(packet) ? " cd" : "", ldns_pkt_edns(packet) ? " edns" : "");
    if (ldns_pkt_edns_do(packet))
        add(&out, " do");
    free(rcode);
    add_section(&out, "an", ldns_pkt_answer(packet));
    add_section(&out, "au", ldns_pkt_authority(packet));
    add_section(&out, "ad", ldns_pkt_additional(packet));
    ldns_pkt_free(packet);
    return text;
}

const char *case_answer(const struct dns_zones *zones, const char *question, unsigned flags)
{
    static uint8_t answer[DNS_MESSAGE_SIZE_MAX];
    uint8_t query[512];
    size_t size = case_query(query, question, flags);
    return case_text(answer, dns_reply(zones, &dns_any_stream, query, size, answer, sizeof answer));
}
