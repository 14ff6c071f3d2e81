#!/bin/bash
# `tcpct lab up FILE` and `tcpct lab run`: a topology of three hosts, an experiment of a few points,
# what it leaves behind, and what an interruption leaves.
. "$(dirname "$0")/common.sh"
check=build/asan/tests/net/files_check
results=$work/results

cat >"$work/three.lab" <<'END'
set   delay 1ms
host  client 10.60.1.0/24 fd60:1::/64
host  router 10.60.3.0/24
host  server 10.60.2.0/24 fd60:2::/64
link  client router --delay $delay
link  router server
run   server
      exec tcpct dnsd --tun tcpct0 --addr 10.60.2.53 --zone "example=$zones/example.signed"
END
gone() {
    if [ -e "/run/netns/$lab-client" ] || [ -e "/run/tcpct-lab/$lab" ]; then
        not_ok "$1" "something is left of it"
    else
        ok "$1"
    fi
}
expect "up with a file" 0 "10.60.3.1 of 10.60.3.0/24" \
    "$TCPCT" lab up --name "$lab" --set delay=3ms "$work/three.lab"
expect "two links away, a question over the kernel's TCP" 0 '"rcode": 0' \
    "${client[@]}" "$TCPCT" lab ask tcp @10.60.2.53 one-trip.example A --repeat 2
expect "the same over UDP, which nobody serves" 1 "udp: Connection refused|UDP: Connection refused" \
    "${client[@]}" "$TCPCT" lab ask udp @10.60.2.1 one-trip.example
expect "IPv6 across the router" 1 "refused" "${client[@]}" bash -c 'exec 3<>/dev/tcp/fd60:2::1/9'
expect "a link's counters" 0 '"a_to_b": \{"packets_in": [1-9]' "$TCPCT" lab counters --name "$lab"
expect "the second link's" 0 '"queue_max": 0' "$TCPCT" lab counters --name "$lab" --link 1
expect "a flood" 0 '"flood_syns": [1-9]' "${client[@]}" "$TCPCT" lab flood --device link0 \
    --to 10.60.2.53:53 --rate 1000 --time 100ms --cookies
expect "a bulk transfer" 1 "the flow ended|refused" "${client[@]}" "$TCPCT" lab flow \
    --from 10.60.2.1:7 --time 100ms
expect "a link is changed" 0 "" "$TCPCT" lab change --name "$lab" loss=100%
expect "nothing passes any more" 1 "no answer in time" \
    "${client[@]}" "$TCPCT" lab ask udp @10.60.2.1 one-trip.example
expect "a change that is none" 2 "rate takes" "$TCPCT" lab change --name "$lab" rate=6
expect "a link that is none" 1 "link 2" "$TCPCT" lab counters --name "$lab" --link 2
expect "a flood needs a TUN device" 1 "lo is no TUN device" "${client[@]}" "$TCPCT" lab flood \
    --device lo --to 10.60.2.53:53 --rate 10 --time 100ms
expect "a shell in a host" 0 "" env SHELL=/bin/true "$TCPCT" lab shell --name "$lab" router
expect "a host that is none" 2 "client router server" "$TCPCT" lab exec --name "$lab" x -- true
expect "down ends the program as well" 0 "" "$TCPCT" lab down --name "$lab"
gone "nothing is left"
expect "a program that fails is explained" 1 "no such zone here" "$TCPCT" lab up --name "$lab" \
    <(printf 'host a 10.60.1.0/24\nrun a\n  echo no such zone here; exit 3\n')
gone "nothing is left of a lab whose program failed"

cat >"$work/small.lab" <<'END'
title A small experiment
include three.lab
part  first Two sizes
vary  delay 1ms 2ms
quick delay 1ms
vary  name nx.example one-trip.example
measure client cold skip=1
    tcpct dig --tun tcpct0 --addr 10.60.1.2 --mode cold --repeat 3 --json @10.60.2.53 $name A
measure client kernel
    tcpct lab ask tcp @10.60.2.53 $name A --repeat 2
table time_ms
table time_ms trips packets_server
lines delay time_ms log=y
bars  name time_ms "Names & <times>"
cdf   time_ms
part  second Another
measure client words sum
    echo '{"a": {"b": 1}, "c": "x,y"}'
    echo not a row
    echo '{"a": {"b": 2}}'
table a.b c
bars  way a.b
END
expect "an experiment" 0 "report.html" "$TCPCT" lab run "$work/small.lab" --out "$results"
cp "$work/out" "$work/tables"
expect "its tables" 0 "words +2 +x,y" cat "$work/tables"
# Two delays and two names: of three rows two stay, and two of the kernel's.
expect "rows: eight and eight" 0 "" test "$(wc -l <"$results/first.csv")" -eq 17
expect "files are well-formed" 0 "14 files" "$check" "$results"/*.{svg,csv,json}
expect "round trips were counted" 0 '"trips": 2' cat "$results/first.json"
expect "captures are there" 0 "cold" "$TCPCT" dump --summary "$results/first/1-1.pcap"
expect "the lab files are there" 0 "" test -e "$results/small.lab" -a -e "$results/three.lab"
expect "the same folder again" 1 "cannot make the folder" \
    "$TCPCT" lab run "$work/small.lab" --out "$results"
expect "a parameter that is none" 2 'no parameter "colour"' \
    "$TCPCT" lab run "$work/small.lab" --set colour=red
expect "quick, and a value of one's own" 0 "" "$TCPCT" lab run "$work/small.lab" --quick \
    --set name=example --out "$work/quick"
expect "rows: two and two" 0 "" test "$(wc -l <"$work/quick/first.csv")" -eq 5
cat >"$work/bad.lab" <<'END'
host client 10.60.1.0/24
measure client bad
    echo this went wrong >&2; exit 4
measure client good
    echo '{"a": 1}'
table a
END
expect "a measurement that fails" 1 "failed: this went wrong" \
    "$TCPCT" lab run "$work/bad.lab" --out "$work/bad"
expect "the others are there" 0 "good,1" cat "$work/bad/all.csv"
cat >"$work/long.lab" <<END
host client 10.60.1.0/24
host server 10.60.2.0/24
link client server
run  server
     sleep 1000.$$ & echo ready; wait
measure client forever
    echo '{"a": 1}'; touch "\$folder/begun"; sleep 1001.$$
table a
END
"$TCPCT" lab run "$work/long.lab" --name "$lab" --out "$work/long" >"$work/out" 2>&1 &
run=$!
until [ -e "$work/long/all/begun" ] || ! kill -0 $run; do read -rt 0.05 <> <(:) || true; done
kill -TERM $run
wait $run
[ $? -eq 143 ] && ok "interrupted" || not_ok "interrupted" "$(cat "$work/out")"
gone "nothing is left of an interrupted experiment"
expect "its programs have ended" 1 "" pgrep -f "sleep 100[01]\.$$\$"
expect "what there was is reported" 0 "interrupted" cat "$work/long/report.html"

# The end of the measurement before, seen in a capture that begins sooner, hides no round trips.
expect "a long way" 0 "round trips" "$TCPCT" lab run round-trips --set delay=50ms --set repeat=2 \
    --name "$lab" --out "$work/way"
expect "round trips of each connection" 0 "8 of 8" awk -F, '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == "trips") at = i }
    NR > 1 && $at >= 1 { good++ }
    END { print good " of " NR - 1 }' "$work/way/all.csv"

# Without root: in a user namespace, where it is root of nothing but its own.
cat >"$work/own.lab" <<'END'
host client 10.60.1.0/24
host server 10.60.2.0/24
link client server --delay 1ms
run  server
     exec tcpct lab flow --listen 7000
measure client flow
     tcpct lab flow --from 10.60.2.1:7000 --time 200ms
table flow_mbit
END
cp "$TCPCT" "$work/tcpct"
mkdir -m 777 "$work/nobody"
mknod "$work/nobody/tun" c 10 200 && chmod 666 "$work/nobody/tun"
nobody=(unshare --mount sh -c 'mount --bind "$1/nobody/tun" /dev/net/tun && cd "$1/nobody" && shift &&
    exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' sh "$work")
if "${nobody[@]}" unshare --user --net true 2>/dev/null; then
    expect "without root" 0 "report.html" "${nobody[@]}" "$work/tcpct" lab run "$work/own.lab" --out own
    expect "its rows" 0 "^[0-9]" cat "$work/nobody/own/all.csv"
else
    echo "ok without root # SKIP needs user namespaces"
fi

expect "shipped experiments" 0 "pq-dnssec" "$TCPCT" lab list
for experiment in $("$TCPCT" lab list | awk '{ print $1 }'); do
    expect "$experiment can be read" 0 "" "$TCPCT" lab list "$experiment"
done
