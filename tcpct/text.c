/* text.c - names for people: of errors, verdicts, states and counters. */
#include "tcpct.h"

const char *tcpct_error_text(int error)
{
    switch (error) {
    case TCPCT_OK:
        return "no error";
    case TCPCT_ERROR_INVALID:
        return "an argument is out of range";
    case TCPCT_ERROR_MEMORY:
        return "out of memory, or of the configured budget";
    case TCPCT_ERROR_IN_USE:
        return "the address and port are in use";
    case TCPCT_ERROR_NO_PORT:
        return "no ephemeral port is free towards that peer";
    case TCPCT_ERROR_NO_ADDRESS:
        return "the stack has no address of that family";
    case TCPCT_ERROR_CLOSED:
        return "this direction of the connection is closed";
    case TCPCT_ERROR_RESET:
        return "the peer reset the connection";
    case TCPCT_ERROR_TIMEOUT:
        return "the peer did not answer in time";
    case TCPCT_ERROR_REFUSED:
        return "the peer refused the connection";
    case TCPCT_ERROR_EVICTED:
        return "the connection was dropped for want of resources";
    case TCPCT_ERROR_EXTENSION:
        return "the peer took a TCP header extension for data";
    case TCPCT_ERROR_NO_MD5:
        return "OpenSSL refuses MD5 (is FIPS mode on?), so nothing can be signed";
    default:
        return "unknown error";
    }
}

const char *tcpct_verdict_text(enum tcpct_verdict verdict)
{
    static const char *const texts[TCPCT_VERDICTS] = {
        [TCPCT_ACCEPTED] = "accepted",           [TCPCT_REPLIED] = "replied",
        [TCPCT_NOT_MINE] = "not mine",           [TCPCT_MALFORMED] = "malformed",
        [TCPCT_BAD_CHECKSUM] = "bad checksum",   [TCPCT_FRAGMENT] = "fragment",
        [TCPCT_BAD_OPTIONS] = "bad options",     [TCPCT_BAD_COOKIE] = "bad cookie",
        [TCPCT_UNACCEPTABLE] = "unacceptable",   [TCPCT_NO_RESOURCES] = "no resources",
        [TCPCT_BAD_SIGNATURE] = "bad signature",
    };
    return (unsigned)verdict < TCPCT_VERDICTS ? texts[verdict] : "unknown";
}

const char *tcpct_state_text(enum tcpct_state state)
{
    static const char *const texts[] = {
        [TCPCT_CLOSED] = "CLOSED",
        [TCPCT_SYN_SENT] = "SYN-SENT",
        [TCPCT_SYN_RECEIVED] = "SYN-RECEIVED",
        [TCPCT_ESTABLISHED] = "ESTABLISHED",
        [TCPCT_FIN_WAIT_1] = "FIN-WAIT-1",
        [TCPCT_FIN_WAIT_2] = "FIN-WAIT-2",
        [TCPCT_CLOSE_WAIT] = "CLOSE-WAIT",
        [TCPCT_CLOSING] = "CLOSING",
        [TCPCT_LAST_ACK] = "LAST-ACK",
        [TCPCT_TIME_WAIT] = "TIME-WAIT",
    };
    return (unsigned)state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "unknown";
}

const char *tcpct_counter_name(size_t index)
{
    static const char *const names[] = {
        "packets_in",
        "packets_out",
        "bytes_in",
        "bytes_out",
        "verdict_accepted",
        "verdict_replied",
        "verdict_not_mine",
        "verdict_malformed",
        "verdict_bad_checksum",
        "verdict_fragment",
        "verdict_bad_options",
        "verdict_bad_cookie",
        "verdict_unacceptable",
        "verdict_no_resources",
        "verdict_bad_signature",
        "syn_cookie",
        "syn_plain",
        "syn_answered",
        "openings",
        "openings_plain",
        "openings_secondary",
        "secrets_made",
        "resets_sent",
        "resets_ignored",
        "reflections",
        "extensions_swallowed",
        "extensions_blanked",
        "options_ignored",
        "connections_made",
        "connections_failed",
        "retransmissions",
        "retransmission_timeouts",
        "retransmissions_undone",
        "challenges_withheld",
        "unreachables_sent",
        "fast_opens",
        "restarts",
        "restarts_late",
        "restarts_lost",
        "renewals",
        "restarts_old",
        "restarts_refused",
        "restarts_unproved",
        "openings_sealed",
        "seals_made",
        "seals_opened",
        "seals_ignored",
        "seals_expired",
        "seals_spent",
        "guard_refused",
        "guard_full",
        "unproved_full",
        "jumps",
        "jumps_unused",
        "jumps_validated",
        "jumps_retreated",
        "collapses",
        "collapses_refused",
        "revivals",
        "collapsed_keepalives",
        "collapsed_evicted",
        "collapsed_expired",
        "collapsed_reset",
        "backlog_full",
        "connections_full",
        "memory_full",
        "time_waits_cut",
    };
    const size_t count = sizeof(names) / sizeof(names[0]);
    _Static_assert(sizeof(names) / sizeof(names[0]) ==
                       sizeof(struct tcpct_counters) / sizeof(uint64_t),
                   "one name for each counter");
    return index < count ? names[index] : NULL;
}
