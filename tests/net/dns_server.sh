#!/bin/bash
# `tcpct dnsd` and `tcpct dig` as programs: signals, reloading, statistics, wrong use, and clients of
# the kernel's TCP. Everything in one network namespace of the test's own.
if [ "$(id -u)" -eq 0 ] && [ -z "${DNS_SERVER_NAMESPACE:-}" ]; then
    exec env DNS_SERVER_NAMESPACE=1 unshare --net bash "$0"
fi
. "$(dirname "$0")/common.sh"
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward # between dnsd's device and dig's

server=10.60.13.2
zones=tools/zones
cp "$zones/example.zone" "$work/plain.zone"

# ---- wrong use: one sentence and the right status -------------------------------------------------
expect "dnsd without a zone" 2 "name a zone" "$TCPCT" dnsd
expect "dnsd with a bad port" 2 "from 1 to 65535" "$TCPCT" dnsd --zone x=y --port 0
expect "dnsd with a bad time" 2 "a time such as" "$TCPCT" dnsd --zone x=y --idle-timeout 0s
expect "dnsd with a word too many" 2 "what is" "$TCPCT" dnsd --zone x=y z
expect "dnsd with a bad zone name" 1 "no domain name" "$TCPCT" dnsd --zone "a..b=$work/plain.zone"
echo only-one >"$work/list"
expect "dnsd with a list that is none" 1 "list:1: this line is not ORIGIN FILE" \
    "$TCPCT" dnsd --zones "$work/list"
expect "dig without a server" 2 "@SERVER NAME" "$TCPCT" dig example
expect "dig with a bad server" 2 "an IP address" "$TCPCT" dig @nowhere example
expect "dig with a bad type" 2 "no record type" "$TCPCT" dig @$server example NOTYPE
expect "dig with a bad name" 2 "no domain name" "$TCPCT" dig @$server a..b
expect "dig with a bad mode" 2 "expected syn-data, cold, .*plain" "$TCPCT" dig @$server a --mode warm
expect "dig of a server that is not there" 1 "no answer from 10.60.14.9 port 53" \
    "$TCPCT" dig @10.60.14.9 a --timeout 300ms --tries 1

# ---- serving ------------------------------------------------------------------------------------
background "$work/dnsd" "$TCPCT" dnsd --zone "$work/plain.zone" --zone "$zones/slhdsa128s.zone" \
    --stats "$work/stats" --idle-timeout 1s
dnsd=${children[-1]}
expect "ready" 0 "^ready: 2 zones on port 53$" cat "$work/dnsd"
expect "dig +tcp" 0 "192.0.2.80" dig +tcp @$server one-trip.example A
expect "dig +tcp, 23,894 bytes" 0 "rcvd: 23894" dig +tcp +nocookie +dnssec @$server nx.slhdsa128s.test A
expect "kdig +keepopen" 0 "192.0.2.81" kdig +tcp +keepopen @$server one-trip.example A www.example A
expect "many queries in one connection" 0 "198.51.100.53" dig +tcp +keepopen @$server -f <(
    for _ in {1..200}; do echo "many.example A"; done
    echo "ns2.example A"
)

expect "tcpct dig" 0 "syn-data: [0-9]+ round trip" "$TCPCT" dig @$server one-trip.example
expect "tcpct dig --mode cold" 0 "cold: " "$TCPCT" dig @$server one-trip.example --mode cold
expect "tcpct dig --mode plain" 0 "plain: " "$TCPCT" dig @$server one-trip.example --mode plain
expect "tcpct dig, 23,894 bytes" 0 "rcvd: 23894" "$TCPCT" dig @$server nx.slhdsa128s.test +dnssec
expect "tcpct dig --repeat" 0 "20 answers: median" "$TCPCT" dig @$server www.example --repeat 20
expect "tcpct dig --json" 0 '"rcode": 3, "answer_bytes": 90, ' "$TCPCT" dig @$server nx.example --json

# A larger query earns a larger answer in the <SYN,ACK(SYN)>: three times its bytes.
expect "an answer too large for its query" 0 "cold: " \
    "$TCPCT" dig @$server long.example TXT
expect "the same after padding" 0 "syn-data: [0-9]+ round trip" \
    "$TCPCT" dig @$server long.example TXT --pad 300

# A message that is none closes the connection, and nothing comes.
exec 3<>/dev/tcp/$server/53
printf '\0\3abc' >&3
if timeout 5 cat <&3 >"$work/got" 2>/dev/null; [ $? -ne 124 ] && [ ! -s "$work/got" ]; then
    ok "a message of 3 bytes closes the connection"
else
    not_ok "a message of 3 bytes closes the connection" "it stays open"
fi
exec 3>&-

# An idle connection is closed after a second.
exec 3<>/dev/tcp/$server/53
if timeout 5 cat <&3 >"$work/got"; then
    ok "an idle connection is closed"
else
    not_ok "an idle connection is closed" "it stays open"
fi
exec 3>&-

# ---- signals ------------------------------------------------------------------------------------
# say PATTERN: waits until dnsd has said so.
say() {
    for _ in {1..100}; do
        grep -q "$1" "$work/dnsd" && return
        read -rt 0.05 <> <(:) || true
    done
}

sed -i 's/^one-trip .*/one-trip A 192.0.2.180/' "$work/plain.zone"
kill -HUP "$dnsd"
say "2 zones are reloaded: 1 read, 1 unchanged, 0 broken"
expect "SIGHUP reloads" 0 "192.0.2.180" dig +tcp @$server one-trip.example A
echo "broken A 1.2.3" >>"$work/plain.zone"
kill -HUP "$dnsd"
say "1 broken"
expect "a broken zone is named" 0 "plain.zone:[0-9]+: this is no record" cat "$work/dnsd"
expect "and the old one stays in service" 0 "192.0.2.180" dig +tcp @$server one-trip.example A

# Zones change again and again, and no query is lost.
sed -i '/^broken/d' "$work/plain.zone"
"$TCPCT" dig @$server www.example --repeat 300 >"$work/asked" 2>&1 &
asked=$!
reloads=0
while kill -0 "$asked" 2>/dev/null && [ "$reloads" -lt 300 ]; do
    sed -i "s/^one-trip .*/one-trip A 192.0.2.$((181 + reloads % 9))/" "$work/plain.zone"
    kill -HUP "$dnsd"
    reloads=$((reloads + 1))
done
wait "$asked"
expect "300 answers while zones are reloaded" 0 "300 answers: median" cat "$work/asked"

kill -USR1 "$dnsd"
for _ in {1..100}; do grep -q '^}' "$work/stats" && break; read -rt 0.05 <> <(:) || true; done
expect "SIGUSR1 writes statistics" 0 '"syn_answered": [1-9]' cat "$work/stats"
expect "of zones" 0 '"zones_broken": 1,' cat "$work/stats"
expect "of DNS too" 0 '"dns_framing_errors": 1' cat "$work/stats"
if end; then ok "SIGTERM ends it with status 0"; else not_ok "SIGTERM ends it" "status $?"; fi
expect "and with statistics" 0 '"dns_noerror": [1-9]' cat "$work/stats"
