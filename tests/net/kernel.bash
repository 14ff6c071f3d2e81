# kernel.bash - our stack against the kernel's TCP: what the scripts that set the two against each
# other share; to be sourced. Both ends are tests/net/stream.c.
#
#     client's namespace                        server's namespace
#       our stack, 10.60.1.2, fd60:1::2 = tcpct0
#       kernel 10.60.1.1 ================= tcpct link ================= kernel 10.60.2.1, fd60:2::1
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

stream=${TCPCT%/bin/tcpct}/tests/net/stream
stack=(--tun tcpct0 --addr 10.60.1.2 --addr fd60:1::2)
ours=("${client[@]}" "$stream" ours "${stack[@]}")
kernel=("${server[@]}" "$stream" kernel --cubic)

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

count() { packets "$1" | wc -l; }
# says NAME GOT TEST-OPERATOR WANTED
says() { if [ "$2" "$3" "$4" ]; then ok "$1"; else not_ok "$1" "$2, not $3 $4"; fi; }

# until_connected: waits for both ends; false if one has ended before, or after 60 s.
until_connected() {
    local deadline=$((SECONDS + 60)) who
    for who in ours kernel; do
        until grep -q ^connected "$work/$who"; do
            if grep -q ^end= "$work/$who" || [ $SECONDS -ge $deadline ]; then return 1; fi
            read -rt 0.05 <> <(:) || true
        done
    done
}

# Its severity as tshark sees it, of anything that it would have a person look at, but for the
# kernel's checksums of 0xffff.
warnings='_ws.expert.severity == "Warning" && !icmp && !icmpv6 && tcp.checksum != 0xffff'
