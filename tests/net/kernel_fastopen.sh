#!/bin/bash
# TCP Fast Open (RFC 7413) between our stack and the kernel's: a cookie is asked for and granted, then
# it brings data in a <SYN>, which is answered before the handshake ends. Client and server, IPv4 and
# IPv6; and kdig +fastopen asks our dnsd.
. "$(dirname "$0")/kernel.bash"

with
for end in client server; do
    if ! "$TCPCT" lab exec --name "$lab" "$end" -- \
        sh -c 'echo 3 >/proc/sys/net/ipv4/tcp_fastopen' 2>"$work/error"; then
        echo "ok Fast Open # SKIP tcp_fastopen cannot be set here: $(head -n 1 "$work/error")"
        exit 0
    fi
done

# taken NAME WANTED: whether both ends say that data of the <SYN> was taken.
taken() { says "$1" "$(value ours syn_data) $(value kernel syn_data)" = "$2 $2"; }

port=7000
for family in 4 6; do
    address=10.60.2.1 ours_address=10.60.1.2
    [ $family -eq 4 ] || address=fd60:2::1 ours_address=fd60:1::2
    port=$((port + 1))
    meet "--connect $address@$port --cookie-desired 0 --fast-open --fetch --send 100kb" \
        "--listen $port --fast-open --fetch --send 100kb --seed 2"
    ended "we open fast, IPv$family" closed closed
    taken "the kernel takes the data of our <SYN>, IPv$family" 1

    meet "--listen $port --fast-open --fetch --send 100kb" \
        "--connect $ours_address@$port --fast-open --fetch --send 100kb --seed 2"
    ended "the kernel opens fast, IPv$family" closed closed
    taken "we take the data of its <SYN>, IPv$family" 1

    # Our listener is a new one, so the cookie that the kernel kept is none of its.
    meet "--listen $port --fast-open --send 100kb" \
        "--connect $ours_address@$port --fast-open --send 100kb --seed 2"
    ended "the kernel has an old cookie, IPv$family" closed closed
    taken "we do not take the data of its <SYN>, IPv$family" 0

    meet "--listen $port --send 100kb" \
        "--connect $ours_address@$port --fast-open --send 100kb --seed 2"
    ended "our listener has no Fast Open, IPv$family" closed closed
    taken "we do not take it either, IPv$family" 0
done
without
none "tshark: no warning" "$warnings"
syn='tcp.flags.syn == 1 && tcp.flags.ack == 0'
syn_ack='tcp.flags.syn == 1 && tcp.flags.ack == 1'
for source in "ip.src == 10.60.1.2" "ipv6.src == fd60:1::2" "ip.src == 10.60.2.1" \
    "ipv6.src == fd60:2::1"; do
    some "tshark: a cookie is asked for, $source" "$syn && tcp.options.tfo.request && $source"
    some "tshark: a cookie is granted, $source" "$syn_ack && tcp.options.tfo.cookie && $source"
    some "tshark: a <SYN> with cookie and data, $source" \
        "$syn && tcp.options.tfo.cookie && tcp.len > 0 && $source"
    some "tshark: the data is acknowledged, $source" "$syn_ack && tcp.ack > 1 && $source"
done

# ---- kdig ----------------------------------------------------------------------------------------
with
background "$work/dnsd" "${client[@]}" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.1.53 \
    --addr fd60:1::53 --zone example=tools/zones/example.zone --fast-open 16 --stats "$work/stats"
for address in 10.60.1.53 fd60:1::53; do
    for way in "asks for a cookie" "brings data in its <SYN>"; do
        expect "kdig +fastopen $way, $address" 0 "192.0.2.80" \
            "${server[@]}" kdig +tcp +fastopen "@$address" one-trip.example A
    done
done
if end; then ok "SIGTERM ends dnsd"; else not_ok "SIGTERM ends dnsd" "$?"; fi
expect "dnsd counts two Fast Opens" 0 '"fast_opens": 2' cat "$work/stats"
without
none "tshark: no warning, DNS" "$warnings"
for address in "ip.src == 10.60.1.53" "ipv6.src == fd60:1::53"; do
    says "tshark: the <SYN>'s data is acknowledged in the <SYN,ACK>, $address" \
        "$(count "$syn_ack && tcp.ack > 1 && $address")" -eq 1
done
