#!/bin/bash
# Our answers beside those of Knot and NSD, for every kind of question that the shipped zones and those
# of tests/net/zones give rise to (aliases across zones, zones below zones, the root, every type): of
# the answer function itself, and of `tcpct dnsd` over the kernel's TCP, TCPCT and UDP. What may differ
# is said in RFC6013-NOTES.md. The servers run with configurations of their own, in a network
# namespace of their own, and end with the test.
if [ "$(id -u)" -eq 0 ] && [ -z "${DNS_COMPARE_NAMESPACE:-}" ]; then
    exec env DNS_COMPARE_NAMESPACE=1 unshare --net bash "$0"
fi
. "$(dirname "$0")/common.sh"

compare=build/asan/tests/net/dns_compare
for program in knotd nsd kdig "$compare"; do
    if ! PATH=$PATH:/usr/sbin command -v "$program" >/dev/null; then
        not_ok "dns_compare" "there is no $program: see tools/deps check"
        exit
    fi
done
PATH=$PATH:/usr/sbin
ip link set lo up

# Two sets of zones: beside each other, where what is not served is refused, and below the root. The
# source of the first, not signed, has a name of its own.
demo=$PWD/tools/zones own=$PWD/tests/net/zones
sed 's/^\$ORIGIN .*/$ORIGIN plain.test./' "$demo/example.zone" >"$work/plain.zone"
cat >"$work/beside" <<END
example            $demo/example.signed
optout.test        $demo/optout.signed
plain.test         $work/plain.zone
falcon512.test     $demo/falcon512.zone
mldsa44.test       $demo/mldsa44.zone
slhdsa128s.test    $demo/slhdsa128s.zone
types.test         $own/types.zone
parent.test        $own/parent.signed
child.parent.test  $own/child.signed
plain.parent.test  $own/plain.zone
hidden.parent.test $own/hidden.zone
outer.test         $own/outer.signed
chain.test         $own/chain.zone
END
cat >"$work/below" <<END
.                  $own/root.signed
chain.test         $own/chain.zone
parent.test        $own/parent.signed
child.parent.test  $own/child.signed
END

# serve LIST PORT: starts Knot at that port, and NSD at the two after it, first with minimal responses.
serve() {
    local list=$1 knot=$2 name file minimal port
    mkdir "$list.knot" "$list.$((knot + 1))" "$list.$((knot + 2))"
    {
        cat <<END
server:
    rundir: $list.knot
    listen: 127.0.0.1@$knot
    tcp-idle-timeout: 1000
database:
    storage: $list.knot
log:
  - target: stderr
    any: warning
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    semantic-checks: soft
zone:
END
        while read -r name file; do
            printf '  - domain: %s\n    file: %s\n' "$name" "$file"
        done <"$list"
    } >"$list.knot.conf"
    knotd -c "$list.knot.conf" >"$list.knot.log" 2>&1 &
    children+=($!)
    minimal=yes
    for port in $((knot + 1)) $((knot + 2)); do
        {
            cat <<END
server:
    ip-address: 127.0.0.1@$port
    username: ""
    database: ""
    zonesdir: $own
    zonelistfile: $list.$port/zone.list
    pidfile: $list.$port/pid
    xfrdfile: ""
    xfrdir: $list.$port
    rrl-ratelimit: 0
    tcp-timeout: 1000
    server-count: 1
    minimal-responses: $minimal
remote-control:
    control-enable: no
END
            while read -r name file; do
                printf 'zone:\n    name: %s\n    zonefile: %s\n' "$name" "$file"
            done <"$list"
        } >"$list.$port.conf"
        nsd -d -c "$list.$port.conf" >"$list.$port.log" 2>&1 &
        children+=($!)
        minimal=no
    done
}

# await LIST PORT: waits until each of the three answers for each zone.
await() {
    local name file port try
    for port in "$2" $(($2 + 1)) $(($2 + 2)); do
        while read -r name file; do
            for try in {1..100}; do
                kdig +tcp +time=1 +retry=0 @127.0.0.1 -p "$port" "$name" SOA 2>/dev/null |
                    grep -q 'status: NOERROR' && break
                if [ "$try" -eq 100 ]; then
                    not_ok dns_compare "port $port does not serve $name"
                    exit 1
                fi
                read -rt 0.1 <> <(:) || true
            done
        done <"$1"
    done
}

serve "$work/beside" 5301
serve "$work/below" 5304
echo 1 >/proc/sys/net/ipv4/ip_forward # between dnsd's device and the stub's
background "$work/dnsd.log" "$TCPCT" dnsd --zones "$work/beside" || exit 1
background "$work/stub.log" "$TCPCT" stub --upstream 10.60.13.2 || exit 1
await "$work/beside" 5301
await "$work/below" 5304

beside=(--addresses 127.0.0.1@5303 --peer knot=127.0.0.1@5301 --peer nsd=127.0.0.1@5302)
below=(--addresses 127.0.0.1@5306 --peer knot=127.0.0.1@5304 --peer nsd=127.0.0.1@5305)
files() { awk '{ print $1 "=" $2 }' "$1"; }
mapfile -t all < <(files "$work/beside")
"$compare" "${beside[@]}" "${all[@]}" || failed=1
mapfile -t all < <(files "$work/below")
"$compare" --only 2 "${below[@]}" "${all[@]}" || failed=1
# Over plain TCP, over UDP, and over TCPCT by way of the stub.
small=example=$demo/example.signed large=slhdsa128s.test=$demo/slhdsa128s.zone
"$compare" --ours 10.60.13.2@53 "${beside[@]}" "$small" "$large" || failed=1
"$compare" --ours-udp 10.60.13.2@53 "${beside[@]}" "$small" "$large" || failed=1
"$compare" --ours 127.0.0.53@53 "${beside[@]}" "$small" "$large" || failed=1
end || not_ok "the stub ends" "status $?: $(cat "$work/stub.log")"
end || not_ok "dnsd ends" "status $?: $(cat "$work/dnsd.log")"
