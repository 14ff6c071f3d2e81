#!/bin/bash
# `tcpct dump` beside running programs: a device followed live, and pictures of what it captured.
. "$(dirname "$0")/common.sh"
up --delay 100ms
background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.53 \
    --zone tools/zones/mldsa44.zone --trace 2 --trace-json
expect "a device that is not there" 1 "cannot follow device none" "${client[@]}" "$TCPCT" dump --live none
background "$work/live" "${server[@]}" "$TCPCT" dump --live tcpct0
expect "two questions" 0 "restart: [0-9]+ round trip" "${client[@]}" "$TCPCT" dig --tun tcpct0 \
    --addr 10.60.1.2 --capture "$work/dig.pcap" --mode restart --repeat 2 \
    @10.60.2.53 nx.mldsa44.test A +dnssec
for _ in {1..100}; do # what is captured reaches the program a moment later
    grep -q 'restart, client' "$work/live" && break
    read -rt 0.05 <> <(:) || true
done
if end; then ok "SIGTERM ends it with status 0"; else not_ok "SIGTERM ends it" "status $?"; fi
expect "it has seen the exchange" 0 "S seq 0.*cookie.*client SYN-SENT" cat "$work/live"
expect "... the opening" 0 "pair.*opening, client ESTABLISHED" cat "$work/live"
expect "... and the restart" 0 "pair.*restart, client ESTABLISHED" cat "$work/live"
expect "a ladder" 0 "restart: [0-9]+ round trip" "$TCPCT" dump --ladder --connection 1-2 "$work/dig.pcap"
expect "a sequence plot with cwnd" 0 "acknowledged \+ cwnd" \
    "$TCPCT" dump --sequence --cwnd "$work/dnsd" "$work/dig.pcap"
