#!/bin/bash
# Questions through every middlebox of `tcpct link`, and through the kernel's connection tracking and
# address translation: each must be answered, by TCPCT or by plain TCP. How is in the table of
# RFC6013-NOTES.md, which --write makes; without it the table is compared, but for its last column:
# dig may leave before the last acknowledgment, and then the server waits for that in vain. Where
# first segments are lost or spoilt, it depends on time whether a restart or its fall-back wins.
#
# Each box has namespaces, link and server of its own, and several run at once:
#
#     client (dig's device, the kernel forwards, nftables)  === tcpct link, box ===  server (dnsd)
. "$(dirname "$0")/common.sh"

write=${1:-}
notes=$PWD/RFC6013-NOTES.md
zones=$PWD/tools/zones
at_once=${AT_ONCE:-6}

# NAME|what stands on the way: flags of `tcpct link`, or rules of nftables at the client
boxes='nothing|
stateless firewall|--firewall
stateful firewall|--forget 1h
option 253 removed|--strip-options 253
option 254 removed|--strip-options 254
option 254 removed, to the server|--strip-options-ab 254
option 254 removed, to the client|--strip-options-ba 254
options 253 and 254 removed|--strip-options 253,254
option 253 overwritten with NOP|--strip-options 253:nop
option 254 overwritten with NOP|--strip-options 254:nop
options 253 and 254 overwritten with NOP|--strip-options 253,254:nop
value of 253 zeroed|--zero-options 253
value of 254 zeroed|--zero-options 254
option 253 copied to the SYN,ACK|--copy-options 253
options reordered|--reorder-options
segments with 253 lost|--drop-options 253
segments with 254 lost|--drop-options 254
segments with 253 or 254 lost|--drop-options 253,254
SYNs with data lost|--drop-syn-data
data of SYNs removed|--strip-syn-data
address translation|--nat 10.60.1.99
sequence numbers changed|--shift-sequence
proxy that terminates TCP|--proxy
segments cut at 500 bytes|--split 500
segments joined|--coalesce
path MTU 600, with ICMP|--path-mtu 600
path MTU 600, a black hole|--path-mtu 600:silent
Linux: connection tracking|nft ct state invalid drop
Linux: source translation|nft masquerade'

# rules WORDS: the ruleset for the client's namespace.
rules() {
    echo 'table inet box {'
    case $1 in
    *invalid*) printf '  chain f {\n    type filter hook forward priority 0; policy accept;\n' &&
        printf '    ct state invalid counter drop\n    ct state established,related accept\n    ct state new accept\n  }\n' ;;
    *) printf '  chain p {\n    type nat hook postrouting priority 100;\n    oifname "link0" masquerade\n  }\n' ;;
    esac
    echo '}'
}

# ask NAME FLAG...: prints how the last of its answers came.
ask() {
    ip netns exec "$client_ns" timeout 60 "$TCPCT" dig --tun tcpct0 --addr 10.60.1.2 --host 10.60.1.3/32 \
        --json --timeout "$patience" "${@:2}" @10.60.2.53 "$1" A +dnssec 2>>"$place/errors" </dev/null |
        sed -n 's/.*"mode": "\([a-z-]*\)", "rcode": [03],.*/\1/p' | tail -n 1
}

# Whether the server soon has no connection left.
server_is_empty() {
    local tries
    for ((tries = 0; tries < 40; tries++)); do
        : >"$place/stats"
        kill -USR1 "$dnsd"
        until grep -q '"connections": ' "$place/stats"; do pause; done
        grep -q '"connections": 0$' "$place/stats" && return
        pause
    done
    return 1
}

pause() { read -rt 0.05 <> <(:) || true; }

# wait_ready LOG PID
wait_ready() {
    until grep -q ^ready "$1"; do
        kill -0 "$2" 2>/dev/null || { cat "$1" >>"$place/errors" && return 1; }
        pause
    done
}

# measure NUMBER WHAT: the cells of a row, into $work/row.NUMBER.
measure() {
    local place=$work/$1 client_ns=mb$$-$1-c server_ns=mb$$-$1-s what=$2 flags=() link dnsd
    local syn_data cold restart free=yes patience=6s
    mkdir "$place"
    touch "$place/link" "$place/dnsd"
    [ "${what#nft }" != "$what" ] || read -ra flags <<<"$what"
    [ "${what%:silent}" = "$what" ] || patience=30s # it takes several timeouts to find out
    ip netns add "$client_ns" && ip netns add "$server_ns" &&
        ip netns exec "$client_ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
            net.ipv4.conf.default.rp_filter=0 &&
        ip netns exec "$server_ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
            net.ipv4.conf.default.rp_filter=0
    if [ "${what#nft }" != "$what" ]; then
        rules "$what" | ip netns exec "$client_ns" nft -f - || return
    fi
    "$TCPCT" link --a "link0@$client_ns" --b "link0@$server_ns" --host-a 10.60.1.1/32 \
        --route-a 10.60.2.0/24 --host-b 10.60.2.1/32 --route-b 10.60.1.0/24 "${flags[@]}" \
        >"$place/link" 2>&1 </dev/null &
    link=$!
    wait_ready "$place/link" $link || return
    ip netns exec "$server_ns" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.53 --host 10.60.2.54/32 \
        --zone "$zones/example.signed" --zone "mldsa44.test=$zones/mldsa44.zone" \
        --stats "$place/stats" >"$place/dnsd" 2>&1 </dev/null &
    dnsd=$!
    if wait_ready "$place/dnsd" $dnsd; then
        syn_data=$(ask one-trip.example --mode syn-data)
        cold=$(ask nx.mldsa44.test --mode cold)
        restart=$(ask nx.mldsa44.test --mode restart --repeat 2)
        server_is_empty || free=later
    fi
    echo "${syn_data:-none} | ${cold:-none} | ${restart:-none} | $free" >"$work/row.$1"
    kill $dnsd $link
    wait $dnsd $link
    ip netns del "$client_ns"
    ip netns del "$server_ns"
}

# The kernel here may have no nf_tables.
can_filter() {
    local name=mb$$-nft
    command -v nft >/dev/null && ip netns add "$name" || return
    { rules invalid && rules masquerade; } | sed 's/inet box/inet try/' |
        ip netns exec "$name" nft -f - 2>"$work/nft"
    local status=$?
    ip netns del "$name"
    return $status
}

leave() {
    local status=$? name
    for name in $(ip netns list | awk -v p="mb$$-" 'index($1, p) == 1 { print $1 }'); do
        ip netns pids "$name" | xargs -r kill
        ip netns del "$name"
    done
    (exit $status)
    finish
}
trap leave EXIT

number=0 running=0 filters=yes
can_filter || filters=no
while IFS='|' read -r name what; do
    number=$((number + 1))
    [ "$filters" = yes ] || [ "${what#nft }" = "$what" ] || continue
    measure $number "$what" &
    running=$((running + 1))
    if [ $running -ge "$at_once" ]; then
        wait -n
        running=$((running - 1))
    fi
done <<<"$boxes"
wait

{
    echo '| on the way | data in the `<SYN>` | cold | restart | then the server is free |'
    echo '|---|---|---|---|---|'
    number=0
    while IFS='|' read -r name what; do
        number=$((number + 1))
        echo "| $name | $(cat "$work/row.$number" 2>/dev/null) |"
    done <<<"$boxes"
} >"$work/table"

if [ "$write" = --write ]; then
    awk -v table="$work/table" '
        /^<!-- end of middleboxes/ { while ((getline line < table) > 0) print line; skip = 0 }
        !skip
        /^<!-- middleboxes/ { skip = 1 }' "$notes" >"$work/notes" && cp "$work/notes" "$notes"
    cat "$work/table"
    exit
fi

# is_known ROW WHAT: whether the notes have it, but for its last column, and a restart that timing decides.
is_known() {
    local known=${1% |*|}
    case $2 in *split* | *:silent) known=${known% |*} ;; esac
    [[ $1 != *none* && $1 != *'|  |' ]] && grep -qF "$known" "$work/known"
}

sed -n '/^<!-- middleboxes/,/^<!-- end of middleboxes/p' "$notes" >"$work/known"
number=0
while IFS='|' read -r name what; do
    number=$((number + 1))
    if [ "$filters" = no ] && [ "${what#nft }" != "$what" ]; then
        echo "ok $name # SKIP no nf_tables here: $(head -n 1 "$work/nft" 2>/dev/null)"
        continue
    fi
    # A restart that was late on a busy machine is answered by another exchange: alone, it has two more tries.
    for try in 1 2 3; do
        row="| $name | $(cat "$work/row.$number" 2>/dev/null) |"
        is_known "$row" "$what" && ok "$name" && continue 2
        [ $try -eq 3 ] || { rm -rf "${work:?}/$number" && measure $number "$what" </dev/null; }
    done
    not_ok "$name" "the notes have not: $row $(head -c 300 "$work/$number/errors" 2>/dev/null)"
done <<<"$boxes"
