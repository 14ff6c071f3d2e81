#!/bin/bash
# TCP MD5 signatures (RFC 2385) between our stack and the kernel's TCP_MD5SIG: in both roles, over IPv4
# and IPv6, with and without loss; who has another key, or none, gets no answer. Then two of our own
# stacks, which agree on the Cookie-less option (RFC 6013, 8.4).
. "$(dirname "$0")/kernel.bash"

if ! grep -q TCPMD5Failure /proc/net/netstat; then
    echo "ok ${0##*/} # SKIP this kernel has no TCP_MD5SIG"
    exit 0
fi

right=correct-horse
(
    umask 077
    printf '# the kernel\n10.60.2.1 %s\nfd60:2::1 %s\n' $right $right >"$work/right"
    printf '10.60.2.1 battery\nfd60:2::1 battery\n' >"$work/wrong"
)
# failures NAME: a counter of the kernel in the server's namespace.
failures() {
    "${server[@]}" awk -v name="$1" '
        $1 == "TcpExt:" && n { for (i = 2; i <= n; i++) if (names[i] == name) print $i }
        $1 == "TcpExt:" && !n { n = split($0, names) }' /proc/net/netstat
}

# both WHAT FLAGS [END-OF-OURS END-OF-KERNEL]: each way to connect, with the right key.
port=7000
both() {
    local kernel_address ours_address
    for family in 4 6; do
        kernel_address=10.60.2.1 ours_address=10.60.1.2
        [ $family -eq 4 ] || kernel_address=fd60:2::1 ours_address=fd60:1::2
        port=$((port + 1))
        meet "--connect $kernel_address@$port --md5-key $work/right $2" \
            "--listen $port --signed $right@$ours_address --seed 2 $3"
        ended "$1, we connect, IPv$family" "${4:-closed}" "${5:-closed}"
        meet "--listen $port --md5-key $work/right $2" \
            "--connect $ours_address@$port --signed $right@$ours_address --seed 2 $3"
        ended "$1, the kernel connects, IPv$family" "${4:-closed}" "${5:-closed}"
    done
}
unsigned='tcp && !(tcp.option_kind == 19)'
syn='tcp.flags.syn == 1 && tcp.flags.ack == 0'
from_ours='(ip.src == 10.60.1.2 || ipv6.src == fd60:1::2)'

with
both "200 kB each way" "--send 200kb" "--send 200kb"
both "our reset" "--abort 100kb" "--send 1mb" aborted reset
both "the kernel's reset" "--send 1mb" "--abort 100kb" reset aborted
without
none "tshark: every segment is signed" "$unsigned"
none "tshark: no warning but of resets" "$warnings && tcp.flags.reset == 0"
says "tshark: our <SYN>s have Cookie-less" \
    "$(count "$syn && $from_ours && tcp.options contains fd:02")" \
    -eq "$(count "$syn && $from_ours")"
says "dump: nothing has a Cookie" "$("$TCPCT" dump "$work/pcap" | grep -cE '[<,](cookie|pair) ')" -eq 0
expect "dump shows the options" 0 'S .*cookie-less.*md5' "$TCPCT" dump "$work/pcap"

with --loss 3%
both "200 kB each way, lossy" "--send 200kb" "--send 200kb"
without
none "tshark: every segment is signed, lossy" "$unsigned"

# ---- who has no right to it ----------------------------------------------------------------------
# nobody NAME OURS KERNEL: no connection is made, no byte arrives.
nobody() {
    meet "$2" "$3"
    says "$1" "$(value ours end) $(value kernel end) $(value ours received) $(value kernel received)" \
        = "limit limit 0 0"
}
with
for family in 4 6; do
    kernel_address=10.60.2.1 ours_address=10.60.1.2
    [ $family -eq 4 ] || kernel_address=fd60:2::1 ours_address=fd60:1::2
    connect="--connect $kernel_address@7000 --limit 1500ms --send 1kb"
    before=$(failures TCPMD5Failure)
    nobody "the kernel refuses our wrong key, IPv$family" "$connect --md5-key $work/wrong" \
        "--listen 7000 --limit 2500ms --signed $right@$ours_address"
    says "and counts it, IPv$family" "$(failures TCPMD5Failure)" -gt "$before"
    nobody "the kernel refuses us without a key, IPv$family" "$connect" \
        "--listen 7000 --limit 2500ms --signed $right@$ours_address"
done
without
with
for family in 4 6; do
    kernel_address=10.60.2.1 ours_address=10.60.1.2
    [ $family -eq 4 ] || kernel_address=fd60:2::1 ours_address=fd60:1::2
    connect="--connect $ours_address@7000 --limit 1500ms --send 1kb"
    nobody "we refuse the kernel's wrong key, IPv$family" \
        "--listen 7000 --limit 2500ms --md5-key $work/right" "$connect --signed battery@$ours_address"
    nobody "we refuse the kernel without a key, IPv$family" \
        "--listen 7000 --limit 2500ms --md5-key $work/right" "$connect"
done
without
none "tshark: we say nothing to it" "tcp && $from_ours"

# ---- two of ours ---------------------------------------------------------------------------------
with
(
    umask 077
    echo "10.60.1.2 $right" >"$work/clients"
    echo "10.60.2.53 $right" >"$work/servers"
)
background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.53 \
    --zone example=tools/zones/example.zone --md5-key "$work/clients" --stats "$work/stats"
dig=("${client[@]}" "$TCPCT" dig --tun tcpct0 --addr 10.60.1.2 @10.60.2.53 one-trip.example A)
expect "dig with the key" 0 "192.0.2.80" "${dig[@]}" --md5-key "$work/servers"
expect "dig without" 1 "" "${dig[@]}" --timeout 2s
chmod 644 "$work/servers"
expect "a file of keys that others may read is refused" 1 "chmod 600" \
    "${dig[@]}" --md5-key "$work/servers"
if end; then ok "SIGTERM ends dnsd"; else not_ok "SIGTERM ends dnsd" "$?"; fi
expect "dnsd counts what was not signed" 0 '"verdict_bad_signature": [1-9]' cat "$work/stats"
without
says "tshark: Cookie-less is answered" \
    "$(count 'tcp.flags.syn == 1 && tcp.flags.ack == 1 && tcp.options contains fd:02')" -ge 1
