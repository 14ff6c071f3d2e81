/* forwarded_test.c - failures, truncation and questions, also of messages that are cut anywhere. */
#include "dns/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A query for a.b A with EDNS, and an answer with two A records and OPT in this or another place. */
static const uint8_t query[] = "\x12\x34\x01\x10\0\1\0\0\0\0\0\1"
                               "\1a\1b\0\0\1\0\1"
                               "\0\0\x29\x04\xd0\0\0\x80\0\0\0";
static const uint8_t answer[] = "\x12\x34\x85\x80\0\1\0\2\0\0\0\2"
                                "\1A\1b\0\0\1\0\1"
                                "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\4"
                                "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\5"
                                "\0\0\x29\x04\xd0\0\0\x80\0\0\4\0\x0a\0\0"
                                "\1n\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\1\2\3\6";
enum { QUERY_SIZE = sizeof query - 1, ANSWER_SIZE = sizeof answer - 1, QUESTION_END = 21 };

static void a_failure(void **state)
{
    (void)state;
    uint8_t got[FORWARDED_FAILURE_SIZE];
    struct dns_query parsed;
    size_t size = forwarded_failure(got, query, QUERY_SIZE, DNS_SERVFAIL, DNS_EDE_NO_AUTHORITY);
    assert_int_equal(size, QUERY_SIZE + 6);
    assert_int_equal(dns_get16(got), 0x1234);
    assert_int_equal(dns_get16(got + 2), DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_CD | DNS_SERVFAIL);
    assert_memory_equal(got + 4, "\0\1\0\0\0\0\0\1", 8);
    assert_memory_equal(got + 12, query + 12, 9);
    assert_memory_equal(got + size - 6, "\0\x0f\0\2\0\x16", 6);
    got[2] &= 0x7f; /* it can be read again */
    assert_int_equal(dns_query_parse(&parsed, got, size), DNS_QUERY_GOOD);
    assert_true(parsed.edns && parsed.dnssec_ok);

    size = forwarded_failure(got, query, DNS_HEADER_SIZE + 2, DNS_NOTIMP, DNS_EDE_NOT_SUPPORTED);
    assert_int_equal(size, DNS_HEADER_SIZE);
    assert_memory_equal(got + 4, "\0\0\0\0\0\0\0\0", 8);
}

static void a_truncated_answer(void **state)
{
    (void)state;
    uint8_t got[ANSWER_SIZE];
    memcpy(got, answer, ANSWER_SIZE);
    assert_int_equal(forwarded_truncate(got, ANSWER_SIZE), QUESTION_END + 15);
    assert_int_equal(dns_get16(got + 2), 0x8580 | DNS_FLAG_TC);
    assert_memory_equal(got + 4, "\0\1\0\0\0\0\0\1", 8);
    assert_memory_equal(got + 12, answer + 12, 9);
    assert_memory_equal(got + QUESTION_END, answer + QUESTION_END + 32, 15);
}

/* In memory of exactly its size, so that the sanitizer sees what is read behind it. */
static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t size = DNS_HEADER_SIZE; size < ANSWER_SIZE; size++) {
        uint8_t *cut = malloc(size);
        memcpy(cut, answer, size);
        bool matches = forwarded_matches(query, QUERY_SIZE, cut, size);
        assert_int_equal(matches, size >= QUESTION_END);
        size_t got = forwarded_truncate(cut, size);
        bool opt = size >= QUESTION_END + 32 + 15;
        assert_int_equal(got,
                         size < QUESTION_END ? DNS_HEADER_SIZE : QUESTION_END + (opt ? 15 : 0));
        free(cut);
    }
}

static void questions(void **state)
{
    (void)state;
    uint8_t other[ANSWER_SIZE];
    assert_true(forwarded_matches(query, QUERY_SIZE, answer, ANSWER_SIZE));
    for (size_t i = 12; i < QUESTION_END; i++) {
        memcpy(other, answer, ANSWER_SIZE);
        other[i] ^= 1;
        assert_false(forwarded_matches(query, QUERY_SIZE, other, ANSWER_SIZE));
    }
    memcpy(other, answer, ANSWER_SIZE);
    other[2] &= 0x7f;
    assert_false(forwarded_matches(query, QUERY_SIZE, other, ANSWER_SIZE)); /* no response */
    uint8_t error[DNS_HEADER_SIZE] = { 0x12, 0x34, 0x80, DNS_FORMERR };
    assert_true(forwarded_matches(query, QUERY_SIZE, error, sizeof error));
    error[3] = DNS_NOERROR;
    assert_false(forwarded_matches(query, QUERY_SIZE, error, sizeof error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure),
        cmocka_unit_test(a_truncated_answer),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
