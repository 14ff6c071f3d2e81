#!/bin/bash
# Our stack against the kernel's TCP, across 20 ms and 50 Mbit/s, in both roles: bulk, with and
# without loss, half-close, resets, zero windows, a smaller MTU on the way; IPv4 and IPv6. What
# passed is shown to tshark in the end.
#
#     client's namespace                        server's namespace
#       our stack, 10.60.1.2, fd60:1::2 = tcpct0
#       kernel 10.60.1.1 ================= tcpct link ================= kernel 10.60.2.1, fd60:2::1
#
# Both programs are tests/net/stream.c; this one says who connects and what each does.
. "$(dirname "$0")/common.sh"

stream=${TCPCT%/bin/tcpct}/tests/net/stream
stack=(--tun tcpct0 --addr 10.60.1.2 --addr fd60:1::2)
ours=("${client[@]}" "$stream" ours "${stack[@]}")
kernel=("${server[@]}" "$stream" kernel --cubic)
bulk="--send 2mb"

# value WHO NAME: from the last line that `ours` or `kernel` printed.
value() { tr ' ' '\n' <"$work/$1" | sed -n "s/^$2=//p"; }

# meet OURS KERNEL: runs both ends with those flags, the one that listens first.
meet() {
    local first=ours second=kernel
    [[ $1 == *--listen* ]] || first=kernel second=ours
    local -n listener=$first connector=$second
    local -A flags=([ours]=$1 [kernel]=$2)
    # shellcheck disable=SC2086 # flags are words
    background "$work/$first" "${listener[@]}" ${flags[$first]} &&
        "${connector[@]}" ${flags[$second]} >"$work/$second" 2>&1 </dev/null
    wait "${children[-1]}"
    unset 'children[-1]'
}

# ended NAME OURS KERNEL: how each end ended, and that what was sent arrived.
ended() {
    local got
    got="$(value ours end) $(value kernel end)"
    if [ "$got" != "$2 $3" ]; then
        not_ok "$1" "ended $got: $(cat "$work/ours" "$work/kernel")"
    elif [ "$got" = "closed closed" ] &&
        { [ "$(value ours sent_sha256)" != "$(value kernel received_sha256)" ] ||
            [ "$(value kernel sent_sha256)" != "$(value ours received_sha256)" ]; }; then
        not_ok "$1" "the bytes differ: $(cat "$work/ours" "$work/kernel")"
    else
        ok "$1"
    fi
}

# roles NAME FLAGS-OF-OURS FLAGS-OF-KERNEL [END-OF-OURS END-OF-KERNEL]: in both roles, the second
# one over IPv6.
roles() {
    meet "--connect 10.60.2.1@7000 $2" "--listen 7000 $3"
    ended "$1, our Initiator, IPv4" "${4:-closed}" "${5:-closed}"
    meet "--listen 7001 $2" "--connect fd60:1::2@7001 $3"
    ended "$1, the kernel's client, IPv6" "${4:-closed}" "${5:-closed}"
}

# The random bytes stand where some dissector may find sense in them: echo's finds none.
packets() {
    tshark -r "$work/pcap" -d tcp.port==7000-7010,echo -o tcp.desegment_tcp_streams:FALSE \
        -o ip.check_checksum:TRUE -o tcp.check_checksum:TRUE -Y "$1" 2>"$work/error"
}

# none NAME FILTER: the capture holds no such packet; some: it does.
none() {
    local found
    found=$(packets "$2" | head -n 5)
    if [ -z "$found" ]; then ok "$1"; else not_ok "$1" "$found"; fi
}
some() { if [ "$(packets "$2" | wc -l)" -gt 0 ]; then ok "$1"; else not_ok "$1" "there is none"; fi; }

# The kernel's own checksum code writes 0xffff where tshark wants 0.
# What an ICMP message quotes may be cut, or not yet have its checksum.
faults='!icmp && !icmpv6 && (_ws.malformed || ip.checksum.status == "Bad" ||
    _ws.expert.severity == "Error" ||
    (tcp.checksum.status == "Bad" && tcp.checksum != 0xffff))'
missing='tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment'

# with FLAGS-OF-LINK...: a lab, and a capture of what leaves its link; without: takes it down.
with() { up --delay 10ms --rate 50mbit --queue 8mb --capture "$work/pcap" "$@" || exit 1; }
without() {
    "$TCPCT" lab down --name "$lab"
    none "tshark: nothing malformed, no bad checksum" "$faults"
}

# ---- nothing is lost ----------------------------------------------------------------------------
with
roles "2 MB to the kernel" "$bulk" ""
roles "2 MB from the kernel" "" "$bulk"
roles "2 MB both ways at once" "$bulk" "$bulk --seed 2"
roles "half-close: we answer after the kernel's end" "$bulk --after-end" "--send 300kb --seed 2"
roles "half-close: the kernel answers after our end" "--send 300kb" "$bulk --after-end --seed 2"
roles "nothing but the end" "" ""
roles "without offload" "$bulk --no-offload" "$bulk --seed 2"
roles "plain, without offering cookies" "$bulk --cookie-desired 0" "$bulk --seed 2"
without
none "tshark: nothing is missing" "$missing"

# ---- windows and resets --------------------------------------------------------------------------
with
roles "we do not read for 1.5 s" "--pause 1500ms" "--send 4mb"
roles "the kernel does not read for 1.5 s" "--send 4mb" "--pause 1500ms"
roles "we reset" "--abort 100kb" "$bulk" aborted reset
roles "the kernel resets" "$bulk" "--abort 100kb" reset aborted
expect "the kernel refuses" 0 "^end=refused" "${ours[@]}" --connect 10.60.2.1@7009
meet "--listen 7001 --limit 1s" "--connect 10.60.1.2@7002"
ended "we refuse" timeout refused
without
some "tshark: our window was closed" 'tcp.window_size == 0 && tcp.dstport != 7009 &&
    (ip.src == 10.60.1.2 || ipv6.src == fd60:1::2) && tcp.flags.reset == 0'
some "tshark: the kernel's was, and we probed it" 'tcp.analysis.zero_window_probe ||
    (tcp.analysis.keep_alive && (ip.src == 10.60.1.2 || ipv6.src == fd60:1::2))'

# ---- loss --------------------------------------------------------------------------------------
with --loss 1% --seed 7
roles "1 % lost, 2 MB to the kernel" "$bulk" ""
roles "1 % lost, 2 MB from the kernel" "" "$bulk"
roles "1 % lost, 2 MB both ways at once" "$bulk" "$bulk --seed 2"
without

# ---- a smaller MTU on the way ------------------------------------------------------------------
# Both ends announce 1500 bytes; what is larger than 1300 the kernel between stack and link refuses.
with
"${client[@]}" ip link set link0 mtu 1300
roles "MTU 1300 on the way, 2 MB" "$bulk" ""
roles "MTU 1300 on the way, without offload" "$bulk --no-offload" ""
without
some "tshark: IPv4 packets of 1300 bytes" "ip.src == 10.60.1.2 && ip.len == 1300"
some "tshark: IPv6 packets of 1300 bytes" "ipv6.src == fd60:1::2 && ipv6.plen == 1260"
