#!/bin/bash
# The Wireshark dissector (tools/wireshark/tcpct.lua) under tshark: a transaction and restarts of it, as
# captured; the recorded captures; segments that are wrong.
. "$(dirname "$0")/common.sh"

# shark FILE ARGUMENT...: what tshark prints of it, and everything but its warning about root as errors.
shark() {
    local file=$1
    shift
    tshark -X lua_script:tools/wireshark/tcpct.lua -r "$file" "$@" 2> >(grep -v 'Running as user' >&2)
}
# fields FILE FILTER FIELD...: a line a frame, tabs between.
fields() {
    local file=$1 filter=$2 words=()
    shift 2
    for field; do words+=(-e "$field"); done
    shark "$file" -Y "$filter" -T fields "${words[@]}"
}
says() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "\"$2\", not \"$3\""; fi; }
count() { fields "$1" "$2" frame.number | wc -l; }

# ---- restarts, from the demo's zone ---------------------------------------------------------------
up --delay 100ms
(umask 077 && printf '%064x\n' 1 >"$work/key")
background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr 10.60.2.53 \
    --zone tools/zones/mldsa44.zone --seal-key "$work/key"
capture=$work/dig.pcap
expect "three questions" 0 "restart: [0-9]+ round trip" "${client[@]}" "$TCPCT" dig --tun tcpct0 \
    --addr 10.60.1.2 --capture "$capture" --mode restart --repeat 3 @10.60.2.53 nx.mldsa44.test A +dnssec
end

says "nothing is malformed, every checksum right" "$(shark "$capture" -o ip.check_checksum:TRUE \
    -o tcp.check_checksum:TRUE -Y '_ws.malformed || ip.checksum.status == "Bad" ||
        tcp.checksum.status == "Bad" || _ws.expert.severity == "Error"')" ""
says "roles" "$(fields "$capture" tcpct.role tcpct.role | sort | uniq -c | tr -s ' \n' ' ')" \
    " 2 exchange 1 opening 2 restart "
says "every answer is a DNS message, after restarts too" \
    "$(fields "$capture" 'dns.flags.response == 1' dns.count.auth_rr tcpct.incarnation | sort)" \
    "$(printf '6\t\n6\t1\n6\t2')"
"$TCPCT" dump --json "$capture" >"$work/dump"
says "it finds the seals that tcpct dump finds" "$(count "$capture" tcpct.seal)" \
    "$(grep -c '"seal_bytes":60' "$work/dump")"
expect "of which there are some" 0 "" test "$(count "$capture" tcpct.seal)" -gt 3
says "it finds the pairs that tcpct dump finds" "$(count "$capture" tcpct.pair)" \
    "$(grep -c pair_initiator "$work/dump")"
says "... and the same words of extension" \
    "$(fields "$capture" tcpct.extension tcpct.extend | sort | uniq -c)" \
    "$(sed -n 's/.*"extend":\([0-9]*\).*/\1/p' "$work/dump" | sort | uniq -c)"
says "... and as much data" \
    "$(fields "$capture" tcp tcp.len tcpct.data | awk '{ n += $1 + length($2) / 2 } END { print n }')" \
    "$(sed -n 's/.*"data":\([0-9]*\).*/\1/p' "$work/dump" | awk '{ n += $1 } END { print n }')"

# ---- the recorded captures ------------------------------------------------------------------------
for file in tests/pcaps/*.pcap; do
    says "${file##*/}: its cookies" "$(fields "$file" tcpct.cookie tcpct.cookie)" \
        "$("$TCPCT" dump --json "$file" | sed -n 's/.*"cookie":"\([0-9a-f]*\)".*/\1/p')"
done

# ---- what is wrong --------------------------------------------------------------------------------
# packet FLAGS OPTIONS [PAYLOAD]: from port 4000 to 53, or back if the flags have ACK and SYN; in hex.
packet() {
    local flags=$1 options=${2// /} payload=${3:-} ports=0fa00035 addresses=0a0000010a000002
    [ "$flags" != 12 ] || ports=00350fa0 addresses=0a0000020a000001
    local header=$(((40 + ${#options}) / 2)) size
    size=$((20 + header + ${#payload} / 2))
    printf '000000 '
    printf '4500%04x000040004006%04x%s%s0000000100000001%x0%s0400%04x0000%s%s\n' "$size" 0 "$addresses" \
        "$ports" $((header / 4)) "$flags" 0 "$options" "$payload" | sed 's/../& /g'
}
cookie="fd0a 1111111111111111"
zeros=$(printf '00%.0s' {1..36})
{
    packet 02 "$cookie 0101"          # 1: a <SYN>
    packet 12 "$cookie 0101"          # 2: its own cookie in the answer
    packet 02 "$cookie $cookie"       # 3: two cookies
    packet 02 "fd0b 222222222222222222 01" # 4: of 9 bytes
    packet 18 "fe04 0801" "$zeros"    # 5: Extend 8
    packet 18 "fe04 ff01" "$zeros"    # 6: Extend past the end
    packet 18 "fe04 0903" "$zeros"    # 7: timestamps of 12 bytes
    packet 18 "fe04 0901" "${zeros:0:16}fd1311$zeros" # 8: a pair that runs over the end of the extension
} >"$work/hex"
text2pcap -q -l 101 "$work/hex" "$work/wrong.pcap" 2>/dev/null
for one in reflected:2 duplicate:3 "bad_length:4 8" "bad_extend:5 6 7"; do
    says "what is wrong is said: ${one%:*}" \
        "$(fields "$work/wrong.pcap" "tcpct.${one%:*}" frame.number | paste -sd ' ')" "${one#*:}"
done
says "and stops nothing" "$(count "$work/wrong.pcap" tcp)" 8
