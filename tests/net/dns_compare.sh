#!/bin/bash
# Our answers beside those of Knot and NSD, for every kind of question that the shipped zones give
# rise to: of the answer function itself, and of `tcpct dnsd` over the kernel's TCP. What may differ
# is said in dns_compare.c. The servers run with configurations of their own, in a network namespace
# of their own, and end with the test.
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

# The zones by name; the source of two of them, not signed, under a name of its own.
zones=$PWD/tools/zones
sed 's/^\$ORIGIN .*/$ORIGIN plain.test./' "$zones/example.zone" >"$work/plain.zone"
cat >"$work/list" <<END
example         $zones/example.signed
optout.test     $zones/optout.signed
plain.test      $work/plain.zone
falcon512.test  $zones/falcon512.zone
mldsa44.test    $zones/mldsa44.zone
slhdsa128s.test $zones/slhdsa128s.zone
END

mkdir "$work/knot" "$work/nsd"
{
    cat <<END
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
END
    while read -r name file; do
        printf '  - domain: %s\n    file: %s\n' "$name" "$file"
    done <"$work/list"
} >"$work/knot.conf"
{
    cat <<END
server:
    ip-address: 127.0.0.1@5302
    username: ""
    database: ""
    zonelistfile: $work/nsd/zone.list
    pidfile: $work/nsd/pid
    xfrdfile: ""
    xfrdir: $work/nsd
    rrl-ratelimit: 0
    server-count: 1
    minimal-responses: yes
remote-control:
    control-enable: no
END
    while read -r name file; do
        printf 'zone:\n    name: %s\n    zonefile: %s\n' "$name" "$file"
    done <"$work/list"
} >"$work/nsd.conf"

knotd -c "$work/knot.conf" >"$work/knot.log" 2>&1 &
children+=($!)
nsd -d -c "$work/nsd.conf" >"$work/nsd.log" 2>&1 &
children+=($!)
background "$work/dnsd.log" "$TCPCT" dnsd --zones "$work/list"
for server in 127.0.0.1@5301 127.0.0.1@5302; do
    for name in example slhdsa128s.test; do
        for _ in {1..100}; do
            kdig +tcp +time=1 +retry=0 "@${server%@*}" -p "${server#*@}" "$name" SOA 2>/dev/null |
                grep -q 'status: NOERROR' && break
            read -rt 0.1 <> <(:) || true
        done
    done
done

peers=(--peer knot=127.0.0.1@5301 --peer nsd=127.0.0.1@5302)
mapfile -t files < <(awk '{ print $1 "=" $2 }' "$work/list")
"$compare" "${peers[@]}" "${files[@]}" || failed=1
"$compare" --ours 10.60.13.2@53 "${peers[@]}" "example=$zones/example.signed" \
    "slhdsa128s.test=$zones/slhdsa128s.zone" || failed=1
end || not_ok "dnsd ends" "status $?: $(cat "$work/dnsd.log")"
