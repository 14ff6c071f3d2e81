#!/bin/bash
# `tcpct dnsd --forward`: TCPCT in front of Knot, which knows only the kernel's TCP. Two namespaces and a
# link of 10 ms each way.
. "$(dirname "$0")/common.sh"
PATH=$PATH:/usr/sbin

far=10.60.2.53
expect "zones and another server" 2 "leave --zone" "$TCPCT" dnsd --forward 127.0.0.1 --zone x=y
expect "a server that is none" 2 "a host that is known" "$TCPCT" dnsd --forward 127.0.0.1:0
expect "secrets without cookies" 2 "leave --cookie-secret" "$TCPCT" dnsd --forward 127.0.0.1 --cookie-secret x

up --delay 10ms
mkdir "$work/knot"
cat >"$work/knot.conf" <<END
server:
    rundir: $work/knot
    listen: 127.0.0.1@5301
database:
    storage: $work/knot
log:
  - target: stderr
    any: warning
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
zone:
  - domain: example
    file: $PWD/tools/zones/example.signed
  - domain: slhdsa128s.test
    file: $PWD/tools/zones/slhdsa128s.zone
END
"${server[@]}" knotd -c "$work/knot.conf" >"$work/knot.log" 2>&1 </dev/null &
knot=$!
children+=("$knot")
for _ in {1..200}; do
    "${server[@]}" dig +tcp +tries=1 +time=1 @127.0.0.1 -p 5301 +short example SOA >"$work/soa" &&
        [ -s "$work/soa" ] && break
    read -rt 0.05 <> <(:) || true
done
expect "Knot serves" 0 "ns1.example" cat "$work/soa"
background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr $far --forward 127.0.0.1:5301 \
    --idle-timeout 2s --user nobody --stats "$work/dnsd.json"

ask=("${client[@]}" "$TCPCT" dig --tun tcpct0 --addr 10.60.1.53 @$far)
expect "an answer of Knot's" 0 "192.0.2.80" "${ask[@]}" one-trip.example A
expect "it comes after the exchange" 0 "cold: " "${ask[@]}" one-trip.example A
expect "or with a restart" 0 "restart: " \
    "${ask[@]}" one-trip.example A --mode restart --repeat 3
expect "23,894 bytes" 0 "rcvd: 23894" "${ask[@]}" nx.slhdsa128s.test A +dnssec
expect "plain TCP" 0 "plain: " "${ask[@]}" one-trip.example A --mode plain
expect "the kernel's TCP" 0 "192.0.2.80" "${client[@]}" dig +tcp @$far one-trip.example A
expect "over UDP it says TC, with question and OPT" 0 "flags: qr tc rd; QUERY: 1, ANSWER: 0, .*ADDITIONAL: 1" \
    "${client[@]}" dig +notcp +ignore +dnssec @$far one-trip.example A
expect "and the client comes over TCP" 0 "192.0.2.80" "${client[@]}" dig @$far one-trip.example A
expect "tcpct dig too, over TCPCT" 0 "192.0.2.80" "${ask[@]}" one-trip.example A --mode udp
expect "many questions in a connection" 0 "198.51.100.53" "${client[@]}" dig +tcp +keepopen @$far -f <(
    for i in {1..20}; do echo "nx$i.example A"; done
    echo "ns2.example A"
)
background "$work/stub" "${client[@]}" "$TCPCT" stub --tun tcpct0 --addr 10.60.1.54 --upstream $far \
    --stats "$work/stub.json"
for i in {1..300}; do echo "one-trip.example A"; echo "nx$i.example A"; done >"$work/queries"
expect "through a stub, as fast as they come" 0 "Queries completed: +600 \(100.00%\)" \
    "${client[@]}" dnsperf -s 127.0.0.53 -d "$work/queries" -n 1 -q 50
end
expect "by restarts" 0 '"restarts": [1-9]' cat "$work/stub.json"
expect "and no query was lost" 0 '"stub_queries_failed": 0' cat "$work/stub.json"

# Idle plain connections are closed; a server that is gone resets those that come.
expect "an idle connection ends" 0 "" "${client[@]}" timeout 20 \
    bash -c "exec 3<>/dev/tcp/$far/53; cat <&3 || true"
kill "$knot"
wait "$knot"
expect "Knot is gone" 1 "no answer from $far" "${ask[@]}" one-trip.example A --tries 1 --timeout 2s
if end; then ok "SIGTERM ends it with status 0"; else not_ok "SIGTERM ends it" "$?"; fi
expect "idle ones are counted" 0 '"relays_idle": [1-9]' cat "$work/dnsd.json"
queries=$(sed -n 's/.*"dns_queries": \(.*\),/\1/p' "$work/dnsd.json")
answers=$(sed -n 's/.*"dns_answers": \(.*\),/\1/p' "$work/dnsd.json")
if [ "$queries" -gt 600 ] && [ "$answers" -gt 600 ]; then ok "queries and answers are counted"; else
    not_ok "queries and answers are counted" "$queries queries, $answers answers"
fi
