/* exchange.h - what the two ends of an exchange agree on. */
#ifndef BENCH_EXCHANGE_H
#define BENCH_EXCHANGE_H

/* The request is as long as a padded query: an answer in a <SYN,ACK(SYN)> may have three times the
 * bytes of the <SYN>. */
enum { REQUEST_SIZE = 160, ANSWER_SIZE = 512, EXCHANGE_PORT = 7000 };
#define EXCHANGE_CUBIC "cubic"

#endif
