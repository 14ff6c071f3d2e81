#!/bin/bash
# Collapse and revive against the kernel's TCP: its connection with us goes on after our end has
# collapsed, from either side; its keep-alives are answered from the record; it can close and reset.
. "$(dirname "$0")/kernel.bash"

# collapsed NAME: our end.
collapsed() {
    says "$1: it collapsed" "$(value ours collapses)" -ge 1
    says "$1: and revived" "$(value ours revivals)" -eq "$(value ours collapses)"
}

both_families() {
    for kernel_address in 10.60.2.1 fd60:2::1; do "$@" "our Initiator, $kernel_address" \
        "--connect $kernel_address@7000" "--listen 7000"; done
    "$@" "the kernel's client, IPv4" "--listen 7001" "--connect 10.60.1.2@7001"
    "$@" "the kernel's client, IPv6" "--listen 7002" "--connect fd60:1::2@7002"
}

# The kernel goes on after a second and ends, then we do; and the other way round.
kernel_goes_on() {
    meet "$2 --collapse 200ms --send 100kb --gap 2s" "$3 --send 100kb --gap 1s"
    ended "the kernel goes on, $1" closed closed
    collapsed "$1"
}
we_go_on() {
    meet "$2 --collapse 200ms --send 100kb --gap 1s" "$3 --send 100kb --gap 2s"
    ended "we go on, $1" closed closed
    collapsed "$1"
}

# Nothing is said for four seconds but keep-alives, one a second; then comes the end.
keep_alive() {
    meet "$2 --collapse 200ms --after-end" "$3 --keepalive 1s --gap 4s"
    ended "a FIN revives, $1" closed closed
    collapsed "$1"
    says "the kernel's keep-alives are answered from the record, $1" \
        "$(value ours keepalives_answered)" -ge 2
}

reset() {
    meet "$2 --collapse 200ms --limit 3s --gap 100s" "$3 --for 1s --gap 100s"
    ended "the kernel resets, $1" limit aborted
    says "the record is gone, $1" "$(value ours resets)" -eq 1
}

with
both_families kernel_goes_on
both_families we_go_on
both_families keep_alive
both_families reset
without
some "tshark: there were keep-alives" "tcp.analysis.keep_alive"
none "tshark: no warning but for the resets" "$warnings && !tcp.flags.reset"
none "tshark: nothing is missing, nothing is sent twice" \
    "$missing || tcp.analysis.retransmission || tcp.analysis.out_of_order"
