#!/bin/bash
# The kernel's TCP, which knows nothing of RFC 6013, and our stack with cookies desired: both ends go
# on as plain TCP (2.2). Data of our <SYN> is sent again, since nobody took it (6.1).
. "$(dirname "$0")/kernel.bash"

ours_says='(ip.src == 10.60.1.2 || ipv6.src == fd60:1::2)'
kernel_says='(ip.dst == 10.60.1.2 || ipv6.dst == fd60:1::2)'
syn='tcp.flags.syn == 1 && tcp.flags.ack == 0'

# plain NAME: the meeting that was is plain TCP on our side.
plain() { says "$1: plain TCP" "$(value ours cookies)" -eq 0; }

with
port=7000
for kernel_address in 10.60.2.1 fd60:2::1; do
    for size in 8 16; do
        meet "--connect $kernel_address@$port --cookie-desired $size --send 100kb" \
            "--listen $port --send 100kb --seed 2"
        ended "cookies of $size bytes, $kernel_address" closed closed
        plain "cookies of $size bytes, $kernel_address"
    done
    meet "--connect $kernel_address@$port --syn-data-limit 496 --send 100kb" \
        "--listen $port --send 100kb --seed 2"
    ended "data in our <SYN>, $kernel_address" closed closed
    plain "data in our <SYN>, $kernel_address"
    meet "--connect $kernel_address@$port --syn-data-limit 496 --send 300b" \
        "--listen $port --send 100kb --after-end --seed 2"
    ended "all of our data in the <SYN>, $kernel_address" closed closed
done
for our_address in 10.60.1.2 fd60:1::2; do
    meet "--listen $port --send 100kb" "--connect $our_address@$port --send 100kb --seed 2"
    ended "our listener wants cookies, $our_address" closed closed
    plain "our listener wants cookies, $our_address"
done
without
# tshark does not count what goes beyond the <SYN>'s data in the segment that repeats it, and then
# misses what is acknowledged.
none "tshark: no warning" "$warnings && !tcp.analysis.ack_lost_segment"
says "tshark: each of our <SYN>s has a Cookie" "$(count "$syn && $ours_says && tcp.option_kind == 253")" \
    -eq 8
says "tshark: and four of them data" "$(count "$syn && $ours_says && tcp.len > 0")" -eq 4
none "tshark: which the kernel does not take" \
    "tcp.flags.syn == 1 && tcp.flags.ack == 1 && $kernel_says && tcp.ack != 1"
none "tshark: the kernel sends neither of our options" \
    "$kernel_says && (tcp.option_kind == 253 || tcp.option_kind == 254)"
none "tshark: and we send no header extension" "tcp.option_kind == 254"

# TCPCT_IN_ALWAYS (12): silence for whoever has no cookie.
with
meet "--listen 7000 --in-always --limit 3s" "--connect 10.60.1.2@7000 --limit 2s"
ended "a listener that demands cookies" limit limit
without
none "tshark: we say nothing" "$ours_says && tcp"
