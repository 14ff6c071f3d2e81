#!/bin/bash
# What goes wrong before anything runs: one sentence each, with the right status.
. "$(dirname "$0")/common.sh"

# sentence NAME STATUS TEXT COMMAND...: like expect, and says it in one line.
sentence() {
    expect "$@"
    local lines
    lines=$(wc -l <"$work/error")
    if [ "$lines" -eq 1 ]; then ok "$1, in one sentence"; else not_ok "$1, in one sentence" "$lines lines"; fi
}

printf '$ORIGIN example.\n@ 3600 SOA ns h 1 2 3 4 5\nwww 3600 A 192.0.2.999\n' >"$work/bad.zone"
sentence "a zone with an error" 1 "bad.zone.*3.*" "$TCPCT" dnsd --zone "example=$work/bad.zone"
sentence "a zone that is not there" 1 "gone.zone" "$TCPCT" dnsd --zone "example=$work/gone.zone"
printf 'secret\n' >"$work/key"
chmod 600 "$work/key"
sentence "no key for seals" 1 "key: a key is 32 bytes" "$TCPCT" dnsd --seal-key "$work/key"
chmod 640 "$work/key"
sentence "a key that others may read" 1 "chmod 600 .*key" "$TCPCT" dnsd --seal-key "$work/key"
sentence "a key that is not there" 1 "gone: the key cannot be read" "$TCPCT" dnsd --seal-key "$work/gone"

up
zone=example=tools/zones/example.zone
nobody=(setpriv --reuid 54321 --regid 54321 --clear-groups --inh-caps=-all)
cp "$TCPCT" "$work/tcpct"
chmod 755 "$work/tcpct"
sentence "no permission for a TUN device" 1 "tun|TUN" "${client[@]}" "${nobody[@]}" \
    "$work/tcpct" dig --tun tcpct0 --addr 10.60.1.2 @10.60.2.53 www.example A

background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.53 --zone "$zone"
sentence "a second command on the same device" 1 "tcpct0" "${server[@]}" \
    "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.54 --zone "$zone"
if end; then ok "SIGTERM ends dnsd with status 0"; else not_ok "SIGTERM ends dnsd" "$?"; fi
sentence "nobody answers" 1 "10.60.2.53" "${client[@]}" \
    "$TCPCT" dig --tun tcpct0 --addr 10.60.1.2 @10.60.2.53 www.example A
