#!/bin/bash
# `tcpct dig --remember FILE`: what one run remembers, the next begins with: a restart, also by what was
# on the wire. And everything that can be wrong with the file. (How many round trips an answer takes
# depends here on how evenly the machine runs: tests/sim/restart_test.c counts them.)
. "$(dirname "$0")/common.sh"

up
file=$work/file
background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.53 \
    --zone tools/zones/slhdsa128s.zone --stats "$work/stats"
ask=("${client[@]}" "$TCPCT" dig --tun tcpct0 --addr 10.60.1.2 @10.60.2.53 nx.slhdsa128s.test +dnssec
    --remember "$file")

expect "the first run asks cold" 0 "^;; cold: " "${ask[@]}"
expect "the file is private" 0 "^600$" stat -c %a "$file"
expect "the second is a restart" 0 "^;; restart: " "${ask[@]}"
expect "the third is one, with its window" 0 "^;; restart: " "${ask[@]}" --capture "$work/third.pcap"
expect "a restart, by what was on the wire" 0 "  restart  packets" \
    "$TCPCT" dump --summary "$work/third.pcap"
expect "several in a run" 0 "3 answers" "${ask[@]}" --repeat 3
expect "another mode, if one is given" 0 "^;; cold: " "${ask[@]}" --mode cold

# A run that is killed leaves an empty file, and no harm.
"${ask[@]}" --repeat 1000 --pause 50ms >"$work/long" 2>&1 </dev/null &
long=$!
until grep -q '^;; restart' "$work/long" || ! kill -0 $long; do read -rt 0.05 <> <(:) || true; done
kill -9 $long
wait $long 2>/dev/null || true
expect "empty after a run was killed" 0 "^0$" stat -c %s "$file"
expect "then cold again" 0 "^;; cold: " "${ask[@]}"

exec 9<"$file"
flock 9
expect "in use" 1 "another run is using it" "${ask[@]}"
exec 9<&-

chmod 644 "$file"
expect "open to others" 1 "others have access" "${ask[@]}"
chmod 600 "$file"
chown 1 "$file"
expect "another user's" 1 "belongs to another user" "${ask[@]}"
chown 0 "$file"
cp "$file" "$work/good"
printf '\1' | dd of="$file" bs=1 seek=30 conv=notrunc status=none
expect "damaged" 1 "damaged, or of another version" "${ask[@]}"
cp "$work/good" "$file"
printf '\7' | dd of="$file" bs=1 seek=7 conv=notrunc status=none
expect "another version" 1 "damaged, or of another version" "${ask[@]}"
expect "in a folder that is not there" 1 "cannot be opened" "${ask[@]}" --remember "$work/none/file"
end
expect "counted" 0 '"restarts": [5-9]|"restarts": [1-9][0-9]' cat "$work/stats"

# Servers that have a key in common, and nothing else: each is started after the one before has ended.
rm "$file"
(umask 077 && printf '%064x\n' 1 >"$work/key" && printf '%064x\n' 2 >"$work/other")
serve() {
    background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.53 \
        --zone tools/zones/slhdsa128s.zone --stats "$work/stats" --seal-key "$1"
}
serve "$work/key"
expect "of a server with a key: cold" 0 "^;; cold: " "${ask[@]}"
end
serve "$work/key"
expect "another with that key: a restart" 0 "^;; restart: " "${ask[@]}" --capture "$work/sealed.pcap"
expect "its seal, in the capture" 0 "pair [0-9a-f+]*,.*seal 60" "$TCPCT" dump "$work/sealed.pcap"
expect "and in the capture as JSON" 0 '"seal_bytes":60' "$TCPCT" dump --json "$work/sealed.pcap"
end
expect "counted as one whose pair it had not made" 0 '"openings_sealed": 1,' cat "$work/stats"
serve "$work/other"
expect "one with another key: cold" 0 "^;; cold: " "${ask[@]}"
end
expect "its seal counted as foreign" 0 '"seals_ignored": [1-9]' cat "$work/stats"
