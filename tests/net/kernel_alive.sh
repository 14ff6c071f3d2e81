#!/bin/bash
# Keep-alives (RFC 9293, 3.8.4) between our stack and the kernel's TCP: either end answers the
# other's, and finds out when nobody does any more. They are counted in the capture.
. "$(dirname "$0")/kernel.bash"

from_ours='(ip.src == 10.60.1.2 || ipv6.src == fd60:1::2)'
from_kernel='(ip.dst == 10.60.1.2 || ipv6.dst == fd60:1::2)'

# unanswered: keep-alives that were not followed by a segment of the other end. (The last one's answer
# may be the FIN that it releases.)
unanswered() {
    tshark -r "$work/pcap" -Y tcp -T fields -E separator=, -e tcp.stream -e tcp.srcport \
        -e tcp.analysis.keep_alive 2>"$work/error" | awk -F, '
        waiting[$1] == $2 { count++ }
        { waiting[$1] = $3 == "" ? "" : $2 }
        END { for (i in waiting) count += waiting[i] != ""; print count + 0 }'
}

# An end that waits for keep-alives, or for the answers to its own, counts what it hears. (The kernel
# answers at most two of what is outside its window in a second.)
with
roles "our keep-alives are answered" "--keepalive 600ms --idle 7" "--after-end"
without
says "tshark: we sent some" "$(count "tcp.analysis.keep_alive && $from_ours")" -ge 8
says "tshark: and the kernel answered each" "$(unanswered)" -eq 0
none "tshark: no warning" "$warnings"

with
roles "the kernel's keep-alives are answered" "--idle 4" "--keepalive 1s --after-end"
without
says "tshark: it sent some" "$(count "tcp.analysis.keep_alive && $from_kernel")" -ge 4
says "tshark: and we answered each" "$(unanswered)" -eq 0
none "tshark: no warning" "$warnings"

# ---- a peer that is gone -------------------------------------------------------------------------
# both OURS KERNEL: starts both ends, the kernel's as a listener; returns when they are connected.
both() {
    : >"$work/ours"
    # shellcheck disable=SC2086 # flags are words
    background "$work/kernel" "${kernel[@]}" $2 || return
    # shellcheck disable=SC2086
    "${ours[@]}" $1 >"$work/ours" 2>&1 </dev/null &
    children+=($!)
    until_connected
}
# gives_up NAME PID WHO: waits for that end.
gives_up() {
    wait "$2"
    children=()
    says "$1" "$(value "$3" end)" = timeout
}
void() { # what the kernel would send to our stack, from now on
    "${server[@]}" ip route replace blackhole 10.60.1.2/32
    "${server[@]}" ip -6 route replace blackhole fd60:1::2/128
}

for kernel_address in 10.60.2.1 fd60:2::1; do
    with
    both "--connect $kernel_address@7000 --keepalive 200ms --idle 100000" "--listen 7000 --after-end"
    void
    end_of_kernel=${children[0]}
    gives_up "we find the kernel dead, $kernel_address" "${children[1]}" ours
    kill "$end_of_kernel" && wait "$end_of_kernel"
    without
    says "tshark: after 9 keep-alives" \
        "$(count "tcp.analysis.keep_alive && $from_ours")" -ge 9

    with
    both "--connect $kernel_address@7000 --idle 100000" "--listen 7000 --keepalive 1s --after-end"
    kill -KILL "${children[1]}"
    wait "${children[1]}" 2>/dev/null
    gives_up "the kernel finds us dead, $kernel_address" "${children[0]}" kernel
    without
    says "tshark: after 3 keep-alives" \
        "$(count "tcp.analysis.keep_alive && $from_kernel")" -ge 3
done
