/* interface.c - one rtnetlink request at a time: build the message, send it, and read the
 * kernel's acknowledgment.
 */
#include "tun/interface.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Large enough for every request of this file. */
struct request {
    struct nlmsghdr header;
    uint8_t body[240];
};

int interface_open(void)
{
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    return netlink < 0 ? -errno : netlink;
}

static void begin(struct request *request, uint16_t type, int flags, const void *body, size_t size)
{
    *request = (struct request){
        .header = { .nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
                    .nlmsg_type = type,
                    .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags) },
    };
    memcpy(NLMSG_DATA(&request->header), body, size);
}

static struct rtattr *add(struct request *request, uint16_t type, const void *value, size_t size)
{
    size_t end = NLMSG_ALIGN(request->header.nlmsg_len);
    struct rtattr *attribute = (struct rtattr *)((uint8_t *)request + end);
    attribute->rta_type = type;
    attribute->rta_len = (uint16_t)RTA_LENGTH(size);
    if (size > 0)
        memcpy(RTA_DATA(attribute), value, size);
    request->header.nlmsg_len = (uint32_t)(end + RTA_ALIGN(attribute->rta_len));
    return attribute;
}

static void end_nest(struct request *request, struct rtattr *nest)
{
    uint8_t *end = (uint8_t *)request + request->header.nlmsg_len;
    nest->rta_len = (uint16_t)(end - (uint8_t *)nest);
}

union answer {
    struct nlmsghdr header;
    uint8_t bytes[1024];
};

/* Sends a request and receives the one message that answers it. */
static int exchange(int netlink, const struct request *request, union answer *answer)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    if (sendto(netlink, request, request->header.nlmsg_len, 0, (struct sockaddr *)&kernel,
               sizeof kernel) < 0)
        return -errno;
    ssize_t size;
    do
        size = recv(netlink, answer, sizeof *answer, 0);
    while (size < 0 && errno == EINTR);
    if (size < 0)
        return -errno;
    if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct rtmsg)))
        return -EPROTO;
    if (answer->header.nlmsg_type != NLMSG_ERROR)
        return 0;
    if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
        return -EPROTO;
    return ((struct nlmsgerr *)NLMSG_DATA(&answer->header))->error;
}

/* For requests that the kernel only acknowledges. */
static int ask(int netlink, const struct request *request)
{
    union answer answer;
    return exchange(netlink, request, &answer);
}

int interface_disable_link_local(int netlink, unsigned index)
{
    struct request request;
    struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
    begin(&request, RTM_NEWLINK, NLM_F_ACK, &link, sizeof link);
    struct rtattr *families = add(&request, IFLA_AF_SPEC, NULL, 0);
    struct rtattr *inet6 = add(&request, AF_INET6, NULL, 0);
    uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
    add(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof mode);
    end_nest(&request, inet6);
    end_nest(&request, families);
    return ask(netlink, &request);
}

static int set_link_number(int netlink, unsigned index, uint16_t type, uint32_t number)
{
    struct request request;
    struct ifinfomsg link = { .ifi_family = AF_UNSPEC, .ifi_index = (int)index };
    begin(&request, RTM_NEWLINK, NLM_F_ACK, &link, sizeof link);
    add(&request, type, &number, sizeof number);
    return ask(netlink, &request);
}

int interface_set_mtu(int netlink, unsigned index, uint32_t mtu)
{
    return set_link_number(netlink, index, IFLA_MTU, mtu);
}

int interface_set_queue(int netlink, unsigned index, uint32_t packets)
{
    return set_link_number(netlink, index, IFLA_TXQLEN, packets);
}

int interface_up(int netlink, unsigned index)
{
    struct request request;
    struct ifinfomsg link = {
        .ifi_family = AF_UNSPEC, .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP
    };
    begin(&request, RTM_NEWLINK, NLM_F_ACK, &link, sizeof link);
    return ask(netlink, &request);
}

static uint8_t family_of(const struct tcpct_address *address)
{
    return address->family == 4 ? AF_INET : AF_INET6;
}

static size_t size_of(const struct tcpct_address *address)
{
    return address->family == 4 ? 4 : 16;
}

int interface_add_address(int netlink, unsigned index, const struct tun_address *address)
{
    const struct tcpct_address *host = &address->address;
    struct request request;
    struct ifaddrmsg body = { .ifa_family = family_of(host),
                              .ifa_prefixlen = address->prefix_length,
                              .ifa_flags = host->family == 6 ? IFA_F_NODAD : 0,
                              .ifa_index = index };
    begin(&request, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, &body, sizeof body);
    add(&request, IFA_LOCAL, host->bytes, size_of(host));
    add(&request, IFA_ADDRESS, host->bytes, size_of(host));
    int error = ask(netlink, &request);
    return error == -EEXIST ? 0 : error;
}

/* The address with its host bits cleared. */
static struct tcpct_address prefix_of(const struct tun_address *destination)
{
    struct tcpct_address prefix = destination->address;
    for (unsigned bit = destination->prefix_length; bit < 8 * sizeof prefix.bytes; bit++)
        prefix.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    return prefix;
}

int interface_add_route(int netlink, unsigned index, const struct tun_address *destination)
{
    const struct tcpct_address prefix = prefix_of(destination);
    struct request request;
    struct rtmsg body = { .rtm_family = family_of(&prefix),
                          .rtm_dst_len = destination->prefix_length,
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = RTPROT_STATIC,
                          .rtm_scope = RT_SCOPE_LINK,
                          .rtm_type = RTN_UNICAST };
    begin(&request, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &body, sizeof body);
    add(&request, RTA_DST, prefix.bytes, size_of(&prefix));
    add(&request, RTA_OIF, &index, sizeof index);
    return ask(netlink, &request);
}

/* What the kernel would do with a packet to this address: an RTN_ constant, or a negative errno. */
static int route_type(int netlink, const struct tcpct_address *to)
{
    struct request request;
    union answer answer = { 0 };
    struct rtmsg body = { .rtm_family = family_of(to), .rtm_dst_len = (uint8_t)(8 * size_of(to)) };
    begin(&request, RTM_GETROUTE, 0, &body, sizeof body);
    add(&request, RTA_DST, to->bytes, size_of(to));
    int error = exchange(netlink, &request, &answer);
    if (error != 0)
        return error;
    return ((struct rtmsg *)NLMSG_DATA(&answer.header))->rtm_type;
}

int interface_await_address(int netlink, const struct tcpct_address *address)
{
    const struct timespec moment = { .tv_nsec = 200000 };
    for (int i = 0; i < 5000; i++) {
        if (route_type(netlink, address) == RTN_LOCAL)
            return 0;
        nanosleep(&moment, NULL);
    }
    return -ETIMEDOUT;
}
