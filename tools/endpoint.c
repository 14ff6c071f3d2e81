/* endpoint.c - the flags that every command with a stack on a TUN device takes, and what they
 * open: the device, a capture and the stack.
 */
#include <string.h>

#include "tcpct/ip.h"
#include "tools/command.h"
#include "tools/md5_keys.h"
#include "tun/privileges.h"

enum { MTU_MIN = 576, MTU_MAX = 65535, ERROR_SIZE = 512 };

enum flag {
    FLAG_TUN = ENDPOINT_OPTION_FIRST,
    FLAG_ADDR,
    FLAG_HOST,
    FLAG_CAPTURE,
    FLAG_TRACE,
    FLAG_TRACE_JSON,
    FLAG_NO_OFFLOAD,
    FLAG_MTU,
    FLAG_USER,
    FLAG_MD5_KEY,
    FLAG_COOKIE_DESIRED,
    FLAG_EXTEND_TS,
    FLAG_IN_ALWAYS,
    FLAG_OUT_NEVER,
    FLAG_SYN_DATA_LIMIT,
    FLAG_SYN_ACK_DATA_LIMIT,
    FLAG_RESTART_WINDOW,
};

const struct option endpoint_long_options[] = {
    { "tun", required_argument, NULL, FLAG_TUN },
    { "addr", required_argument, NULL, FLAG_ADDR },
    { "host", required_argument, NULL, FLAG_HOST },
    { "capture", required_argument, NULL, FLAG_CAPTURE },
    { "trace", required_argument, NULL, FLAG_TRACE },
    { "trace-json", no_argument, NULL, FLAG_TRACE_JSON },
    { "no-offload", no_argument, NULL, FLAG_NO_OFFLOAD },
    { "mtu", required_argument, NULL, FLAG_MTU },
    { "user", required_argument, NULL, FLAG_USER },
    { "md5-key", required_argument, NULL, FLAG_MD5_KEY },
    { "cookie-desired", required_argument, NULL, FLAG_COOKIE_DESIRED },
    { "extend-ts", required_argument, NULL, FLAG_EXTEND_TS },
    { "in-always", no_argument, NULL, FLAG_IN_ALWAYS },
    { "out-never", no_argument, NULL, FLAG_OUT_NEVER },
    { "syn-data-limit", required_argument, NULL, FLAG_SYN_DATA_LIMIT },
    { "syn-ack-data-limit", required_argument, NULL, FLAG_SYN_ACK_DATA_LIMIT },
    { "restart-window", required_argument, NULL, FLAG_RESTART_WINDOW },
};
const size_t endpoint_long_option_count =
    sizeof endpoint_long_options / sizeof *endpoint_long_options;

const char endpoint_usage[] =
    "The stack and its TUN device:\n"
    "  --tun NAME               the device, made if need be (default tcpct0)\n"
    "  --addr IP                an address of the stack's own; repeatable\n"
    "  --host IP/LEN            an address of the kernel's on the device; repeatable\n"
    "                           (default without --addr and --host: --addr 10.60.13.2\n"
    "                           --host 10.60.13.1/24)\n"
    "  --mtu BYTES              of the device, 576 to 65535 (default: the kernel's)\n"
    "  --no-offload             no checksum and segmentation offload\n"
    "  --capture FILE.pcap      every packet, as a wire would show it\n"
    "  --trace LEVEL            to standard error: 0 nothing, 1 connections, 2 everything\n"
    "  --trace-json             as JSON lines\n"
    "  --user NAME              give up root once everything is open\n"
    "  --md5-key FILE           lines of ADDRESS KEY: TCP MD5 signatures (RFC 2385)\n"
    "                           for all that goes to such a peer and comes from it\n"
    "RFC 6013, section 12:\n"
    "  --cookie-desired BYTES   8, 10, 12, 14 or 16 (default); 0: plain TCP\n"
    "  --extend-ts BITS         timestamps of 32 (default), 64 or 128, or auto\n"
    "  --in-always              discard a <SYN> without Cookie\n"
    "  --out-never              never send the Cookie option\n"
    "  --syn-data-limit BYTES   data in a <SYN>, 0 to 496\n"
    "  --syn-ack-data-limit BYTES\n"
    "                           data in a <SYN,ACK(SYN)>, 0 to 1220\n"
    "Restart:\n"
    "  --restart-window POLICY  what of the path's remembered window a connection begins\n"
    "                           with: remembered (default), careful (RFC 9959), initial\n";

void endpoint_join_options(struct option *all, size_t room, const struct option *own, size_t count)
{
    memset(all, 0, room * sizeof *all);
    memcpy(all, own, count * sizeof *own);
    memcpy(all + count, endpoint_long_options, sizeof endpoint_long_options);
}

/* ---- flags ---------------------------------------------------------------------------------- */

static const char *flag_name(int value)
{
    return endpoint_long_options[value - ENDPOINT_OPTION_FIRST].name;
}

static int bad_value(const struct endpoint_options *options, int value, const char *argument,
                     const char *expected)
{
    return command_error(options->command, EXIT_USAGE, "--%s takes %s, not \"%s\"",
                         flag_name(value), expected, argument);
}

static int add_address(struct endpoint_options *options, const char *argument)
{
    struct tcpct_address address;
    if (!address_parse(argument, &address) || ip_address_is_unusable(&address))
        return bad_value(options, FLAG_ADDR, argument, "an IPv4 or IPv6 unicast address");
    for (size_t i = 0; i < options->address_count; i++)
        if (ip_address_equal(&options->addresses[i], &address))
            return command_error(options->command, EXIT_USAGE, "--addr %s is given twice",
                                 argument);
    if (options->address_count == ENDPOINT_ADDRESSES_MAX)
        return command_error(options->command, EXIT_USAGE, "--addr may be given %d times at most",
                             ENDPOINT_ADDRESSES_MAX);
    options->addresses[options->address_count++] = address;
    return 0;
}

static int add_host(struct endpoint_options *options, const char *argument)
{
    struct tun_address host;
    if (!address_parse_prefix(argument, &host) || ip_address_is_unusable(&host.address))
        return bad_value(options, FLAG_HOST, argument,
                         "a unicast address with its prefix length, such as 10.60.13.1/24");
    for (size_t i = 0; i < options->host_count; i++)
        if (ip_address_equal(&options->hosts[i].address, &host.address))
            return command_error(options->command, EXIT_USAGE, "--host %s is given twice",
                                 argument);
    if (options->host_count == ENDPOINT_ADDRESSES_MAX)
        return command_error(options->command, EXIT_USAGE, "--host may be given %d times at most",
                             ENDPOINT_ADDRESSES_MAX);
    options->hosts[options->host_count++] = host;
    return 0;
}

static int take_text(const struct endpoint_options *options, int value, const char *argument,
                     const char **text)
{
    if (*argument == '\0')
        return bad_value(options, value, argument, "a name");
    *text = argument;
    return 0;
}

static int take_number(const struct endpoint_options *options, int value, const char *argument,
                       uint64_t min, uint64_t max, uint64_t *number)
{
    if (unit_number(argument, min, max, number))
        return 0;
    char expected[64];
    snprintf(expected, sizeof expected, "a number from %llu to %llu", (unsigned long long)min,
             (unsigned long long)max);
    return bad_value(options, value, argument, expected);
}

static int take_window(struct endpoint_options *options, int value, const char *argument)
{
    static const char *const names[] = {
        [TCPCT_WINDOW_REMEMBERED] = "remembered",
        [TCPCT_WINDOW_CAREFUL] = "careful",
        [TCPCT_WINDOW_INITIAL] = "initial",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(argument, names[i]) == 0) {
            options->window = (enum tcpct_window)i;
            return 0;
        }
    return bad_value(options, value, argument, "remembered, careful or initial");
}

static int take_parameter(struct endpoint_options *options, int value, const char *argument)
{
    struct tcpct_parameters *parameters = &options->parameters;
    uint64_t number = 0;
    int status = 0;
    switch (value) {
    case FLAG_COOKIE_DESIRED:
        if (!unit_number(argument, 0, 16, &number) || number % 2 != 0 ||
            (number != 0 && number < 8))
            return bad_value(options, value, argument, "0, 8, 10, 12, 14 or 16 bytes");
        parameters->cookie_desired = (uint8_t)number;
        break;
    case FLAG_EXTEND_TS:
        if (strcmp(argument, "auto") == 0)
            number = TCPCT_EXTEND_TS_AUTO;
        else if (!unit_number(argument, 32, 128, &number) ||
                 (number != 32 && number != 64 && number != 128))
            return bad_value(options, value, argument, "32, 64 or 128 bits, or auto");
        parameters->extend_ts = (uint8_t)number;
        break;
    case FLAG_IN_ALWAYS:
        parameters->in_always = true;
        break;
    case FLAG_OUT_NEVER:
        parameters->out_never = true;
        break;
    case FLAG_SYN_DATA_LIMIT:
        status = take_number(options, value, argument, 0, 496, &number);
        parameters->syn_data_limit = (uint16_t)number;
        break;
    default:
        status = take_number(options, value, argument, 0, 1220, &number);
        parameters->syn_ack_data_limit = (uint16_t)number;
        break;
    }
    return status;
}

int endpoint_option(struct endpoint_options *options, int value, const char *argument)
{
    if (value == FLAG_ADDR)
        return add_address(options, argument);
    if (value == FLAG_HOST)
        return add_host(options, argument);
    uint32_t bit = UINT32_C(1) << (value - ENDPOINT_OPTION_FIRST);
    if ((options->given & bit) != 0)
        return command_error(options->command, EXIT_USAGE, "--%s is given twice", flag_name(value));
    options->given |= bit;

    uint64_t number = 0;
    int status = 0;
    switch (value) {
    case FLAG_TUN:
        return take_text(options, value, argument, &options->tun);
    case FLAG_CAPTURE:
        return take_text(options, value, argument, &options->capture);
    case FLAG_USER:
        return take_text(options, value, argument, &options->user);
    case FLAG_MD5_KEY:
        return take_text(options, value, argument, &options->md5_keys);
    case FLAG_NO_OFFLOAD:
        options->no_offload = true;
        return 0;
    case FLAG_TRACE:
        status = take_number(options, value, argument, 0, 2, &number);
        options->trace_level = (int)number;
        return status;
    case FLAG_RESTART_WINDOW:
        return take_window(options, value, argument);
    case FLAG_TRACE_JSON:
        options->trace_json = true;
        return 0;
    case FLAG_MTU:
        status = take_number(options, value, argument, MTU_MIN, MTU_MAX, &number);
        options->mtu = (uint16_t)number;
        return status;
    default:
        return take_parameter(options, value, argument);
    }
}

int endpoint_defaults(struct endpoint_options *options)
{
    if (options->tun == NULL)
        options->tun = "tcpct0";
    if (options->address_count == 0 && options->host_count == 0) {
        address_parse("10.60.13.2", &options->addresses[options->address_count++]);
        address_parse_prefix("10.60.13.1/24", &options->hosts[options->host_count++]);
    }
    if (options->address_count == 0)
        return command_error(options->command, EXIT_USAGE,
                             "--host is the kernel's address: give the stack its own with --addr");
    for (size_t i = 0; i < options->address_count; i++)
        for (size_t j = 0; j < options->host_count; j++)
            if (ip_address_equal(&options->addresses[i], &options->hosts[j].address))
                return command_error(options->command, EXIT_USAGE,
                                     "--addr and --host must differ: one address is the stack's, "
                                     "the other the kernel's");
    return 0;
}

/* ---- opening -------------------------------------------------------------------------------- */

/* The context is the endpoint. */
static void trace_everything(void *context, const struct tcpct_trace_event *event)
{
    const struct endpoint *endpoint = context;
    char text[512];
    if (endpoint->trace_json)
        tcpct_trace_json(event, text, sizeof text);
    else
        tcpct_trace_text(event, text, sizeof text);
    fprintf(stderr, "%s\n", text);
}

static void trace_connections(void *context, const struct tcpct_trace_event *event)
{
    switch (event->kind) {
    case TCPCT_TRACE_STATE:
    case TCPCT_TRACE_OPENING:
    case TCPCT_TRACE_REFLECTION:
    case TCPCT_TRACE_RESTART:
        trace_everything(context, event);
        break;
    default:
        break;
    }
}

static int open_device(struct endpoint *endpoint, const struct endpoint_options *options)
{
    struct tun_address routes[ENDPOINT_ADDRESSES_MAX];
    for (size_t i = 0; i < options->address_count; i++)
        routes[i] = (struct tun_address){
            .address = options->addresses[i],
            .prefix_length = options->addresses[i].family == 4 ? 32 : 128,
        };
    const struct tun_options device = {
        .name = options->tun,
        .hosts = options->hosts,
        .host_count = options->host_count,
        .routes = routes,
        .route_count = options->address_count,
        .mtu = options->mtu,
        .no_offload = options->no_offload,
    };
    char error[ERROR_SIZE];
    if (tun_device_open(&endpoint->device, &device, error, sizeof error) != 0)
        return command_error(options->command, 1, "%s", error);
    return 0;
}

static int open_capture(struct endpoint *endpoint, const struct endpoint_options *options)
{
    char error[ERROR_SIZE];
    if (options->capture == NULL)
        return 0;
    endpoint->capture = capture_open(options->capture, error, sizeof error);
    if (endpoint->capture == NULL)
        return command_error(options->command, 1, "%s", error);
    tun_device_capture(endpoint->device, endpoint->capture);
    return 0;
}

static int open_keys(struct endpoint *endpoint, const struct endpoint_options *options)
{
    char error[ERROR_SIZE];
    if (options->md5_keys == NULL ||
        md5_keys_load(endpoint->stack, options->md5_keys, error, sizeof error))
        return 0;
    return command_error(options->command, 1, "%s", error);
}

static int open_stack(struct endpoint *endpoint, const struct endpoint_options *options,
                      struct tcpct_config *config)
{
    config->random = loop_random;
    config->context = endpoint; /* of the trace; loop_random needs none */
    endpoint->trace_json = options->trace_json;
    config->wall_clock_us = loop_wall_clock_us();
    config->keep_seals = true;
    config->mtu = tun_device_mtu(endpoint->device);
    config->offload_size_max = tun_device_offload_size_max(endpoint->device);
    config->checksum_offload = tun_device_checksum_offload(endpoint->device);
    if (options->trace_level > 0)
        config->trace = options->trace_level == 1 ? trace_connections : trace_everything;
    int error = tcpct_stack_create(&endpoint->stack, config, loop_clock_us());
    for (size_t i = 0; error == TCPCT_OK && i < options->address_count; i++)
        error = tcpct_address_add(endpoint->stack, &options->addresses[i]);
    if (error != TCPCT_OK)
        return command_error(options->command, 1, "cannot make the stack: %s",
                             tcpct_error_text(error));
    return 0;
}

int endpoint_open(struct endpoint *endpoint, const struct endpoint_options *options,
                  struct tcpct_config *config)
{
    struct endpoint_options complete = *options;
    *endpoint = (struct endpoint){ 0 };
    int status = endpoint_defaults(&complete);
    if (status == 0)
        status = open_device(endpoint, &complete);
    if (status == 0)
        status = open_capture(endpoint, &complete);
    if (status == 0) {
        privileges_harden_memory(); /* before there is a secret */
        status = open_stack(endpoint, &complete, config);
    }
    if (status == 0)
        status = open_keys(endpoint, &complete);
    if (status != 0)
        endpoint_close(endpoint);
    return status;
}

int endpoint_drop_privileges(const struct endpoint_options *options)
{
    char error[ERROR_SIZE];
    if (options->user == NULL || privileges_drop(options->user, error, sizeof error) == 0)
        return 0;
    return command_error(options->command, 1, "%s", error);
}

void endpoint_close(struct endpoint *endpoint)
{
    tcpct_stack_destroy(endpoint->stack);
    if (capture_close(endpoint->capture) != 0)
        fprintf(stderr, "tcpct: the capture is incomplete: is the disk full?\n");
    tun_device_close(endpoint->device);
    *endpoint = (struct endpoint){ 0 };
}
