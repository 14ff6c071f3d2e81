/* dig_report_test.c - the whole RCODE of an answer. */
#include "tools/dig_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dns/message.h"

/* RFC 6891, 6.1.3: the OPT record has the upper eight bits. */
static void upper_bits(void **state)
{
    (void)state;
    uint8_t message[DNS_HEADER_SIZE + DNS_OPT_SIZE] = { 0, 1, 0x80, DNS_BADCOOKIE & 15 };
    assert_int_equal(dig_rcode(message, DNS_HEADER_SIZE), DNS_BADCOOKIE & 15);
    message[11] = 1;
    dns_put16(message + DNS_HEADER_SIZE + 1, DNS_OPT);
    message[DNS_HEADER_SIZE + 5] = DNS_BADCOOKIE >> 4;
    assert_int_equal(dig_rcode(message, sizeof message), DNS_BADCOOKIE);
    assert_int_equal(dig_rcode(message, sizeof message - 1), DNS_BADCOOKIE & 15); /* unreadable */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(upper_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
