#!/bin/bash
# What DNS people expect of a server, asked by dig, kdig and drill over UDP, over plain TCP, and
# (through `tcpct pipe`) over TCPCT. Everything in one network namespace of the test's own.
if [ "$(id -u)" -eq 0 ] && [ -z "${DNS_PROTOCOL_NAMESPACE:-}" ]; then
    exec env DNS_PROTOCOL_NAMESPACE=1 unshare --net bash "$0"
fi
. "$(dirname "$0")/common.sh"
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward # between dnsd's device and the pipe's

server=10.60.13.2
server6=fd60:13::2
secret=e5e973e5a6b2a43f48e7dc849e37bfcf # RFC 9018, A.1
(umask 077; echo $secret >"$work/secret")
background "$work/dnsd" "$TCPCT" dnsd --cookie-secret "$work/secret" --zone tools/zones/example.signed \
    --zone tools/zones/slhdsa128s.zone --zone tools/zones/falcon512.zone --addr $server --addr $server6 --host 10.60.13.1/24 \
    --host fd60:13::1/64 --allow-transfer fd60:13::1/128 --allow-transfer 10.60.15.2/32 \
    --zone tools/zones/optout.signed --connections-per-client 20 --padding --stats "$work/stats"
dnsd=${children[-1]}
background "$work/pipe" "$TCPCT" pipe --listen 127.0.0.1:5300 $server 53 --idempotent

# every NAME TEXT ARGUMENT...: dig gets TEXT (an extended regular expression over its lines, joined by
# "|") over each transport. `transports` may leave some out.
udp=(+notcp +ignore @$server)
tcp=(+tcp @$server)
tcpct=(+tcp @127.0.0.1 -p 5300)
udp6=(+notcp +ignore @$server6)
transports="udp tcp tcpct udp6"
every() {
    local name=$1 text=$2 transport
    shift 2
    for transport in $transports; do
        local -n with=$transport
        timeout 30 dig +tries=1 +timeout=5 "${with[@]}" "$@" >"$work/out" 2>&1 </dev/null
        if tr '\n' '|' <"$work/out" | grep -qE -e "$text"; then
            ok "$name ($transport)"
        else
            not_ok "$name ($transport)" "no \"$text\" in: $(head -c 1500 "$work/out")"
        fi
    done
}
status() { echo "status: $1, .*flags: $2;"; }

# ---- the table ------------------------------------------------------------------------------------
every "an answer" "$(status NOERROR 'qr aa rd').*192\.0\.2\.80" one-trip.example A
every "out of zone: REFUSED, no AA, extended error 20" \
    "$(status REFUSED 'qr rd').*EDE: 20 \(Not Authoritative\)" elsewhere.test A
every "class HS: REFUSED" "$(status REFUSED 'qr rd')" -c HS one-trip.example A
every "class CH: REFUSED" "$(status REFUSED 'qr rd')" -c CH one-trip.example TXT
every "an unknown opcode: NOTIMP, flags cleared" "opcode: RESERVED15, status: NOTIMP.*flags: qr;" \
    +opcode=15 +cdflag +adflag example SOA
every "NOTIFY: NOTIMP" "opcode: NOTIFY, status: NOTIMP.*flags: qr;" +opcode=4 example SOA
every "UPDATE: NOTIMP" "opcode: UPDATE, status: NOTIMP.*flags: qr;" +opcode=5 example SOA
every "QDCOUNT 0: FORMERR" "$(status FORMERR 'qr')" +header-only +nocookie
every "QDCOUNT 0 with a cookie: a cookie" "$(status NOERROR 'qr').*COOKIE: [0-9a-f]{48} \(good\)" \
    +header-only +cookie
every "EDNS version 1: BADVERS, with version 0" "status: BADVERS.*EDNS: version: 0," +edns=1 \
    +noednsnegotiation one-trip.example A
every "an unknown option: not echoed" "EDNS: version: 0, flags:; udp: 1232\|;; QUESTION" \
    +nocookie +ednsopt=65001:abcdef one-trip.example A
every "an unknown flag: not echoed" "EDNS: version: 0, flags:; udp: 1232\|;; QUESTION" \
    +nocookie +ednsflags=0x7f one-trip.example A
every "no EDNS: none in the answer" "ADDITIONAL: 0\|.*192\.0\.2\.80" +noedns one-trip.example A
every "ANY: one RRset" "ANSWER: 1," ANY ns1.example
every "RD copied" "flags: qr aa;.*192\.0\.2\.80" +norecurse one-trip.example A
every "CD copied with DO" "flags: qr aa rd cd;" +cdflag +dnssec one-trip.example A
every "CD not copied without" "flags: qr aa rd;" +cdflag one-trip.example A
every "a cookie" "COOKIE: [0-9a-f]{48} \(good\)" one-trip.example A
every "NXDOMAIN with DO: SOA and NSEC, signed" \
    "status: NXDOMAIN.*AUTHORITY: 6,.*SOA.*RRSIG.SOA.*NSEC.*RRSIG.NSEC" +dnssec nx.example A
every "a wildcard with DO: the proof that no closer name exists" \
    "ANSWER: 2, AUTHORITY: 2,.*RRSIG.NSEC" +dnssec a.wild.example A
for transfer in AXFR IXFR=1; do
    transports="tcp"
    every "$transfer: refused" "Transfer failed" example $transfer
done
transports="udp udp6"
every "longer than 1232 bytes: TC" "flags: qr aa tc rd;" +dnssec +bufsize=65535 nx.slhdsa128s.test A
every "less than that: whole" "flags: qr aa rd;.*RRSIG" +dnssec +bufsize=1232 pq.falcon512.test A
every "longer than the client takes: TC" "flags: qr aa tc rd;" +dnssec +bufsize=600 \
    pq.falcon512.test A

# ---- the same question, over and over -------------------------------------------------------------
expect "dig goes from TC to TCP" 0 "Truncated, retrying in TCP mode" \
    dig @$server +dnssec nx.slhdsa128s.test A
expect "and gets all" 0 "MSG SIZE  rcvd: 23" dig @$server +dnssec nx.slhdsa128s.test A
expect "kdig does so too" 0 "Received 238[0-9][0-9] B" kdig @$server +dnssec nx.slhdsa128s.test A
expect "drill" 0 "NXDOMAIN" drill -D @$server nx.example A
expect "drill over TCP" 0 "192\.0\.2\.80" drill -t @$server one-trip.example A
expect "kdig with a cookie" 0 "192\.0\.2\.80" kdig @$server +cookie one-trip.example A
expect "kdig, class CH" 0 "REFUSED" kdig @$server +noedns -c CH version.bind TXT

# ---- options of streams ---------------------------------------------------------------------------
transports="tcp"
every "keepalive: told (7828)" "TCP KEEPALIVE: 10\.0 secs" +keepalive one-trip.example A
every "padding: to 468 bytes (8467)" "PAD.*MSG SIZE  rcvd: 468" +padding=128 one-trip.example A
transports="tcpct"
every "keepalive: nothing is kept" "TCP KEEPALIVE: 0\.0 secs" +keepalive one-trip.example A
transports="udp"
every "keepalive: not over UDP" "EDNS: version: 0, flags:; udp: 1232\|;; QUESTION" \
    +nocookie +keepalive one-trip.example A

# ---- from TC to TCPCT -----------------------------------------------------------------------------
expect "tcpct dig over UDP" 0 "^;; udp: 1 round trip" \
    "$TCPCT" dig @$server one-trip.example --mode udp
expect "and from TC to TCPCT, which takes a round trip more" 0 "^;; cold: ([2-9]|[1-9][0-9]+) round trips" \
    "$TCPCT" dig @$server nx.slhdsa128s.test +dnssec --mode udp
expect "its cookie" 0 "COOKIE:( [0-9a-f]{2}){24}" "$TCPCT" dig @$server one-trip.example +cookie
expect "and extended errors" 0 "EDE: 20 \(Not Authoritative\)" "$TCPCT" dig @$server elsewhere.test

# ---- transfers ------------------------------------------------------------------------------------
# records: what dig printed, the second SOA not, in an order of its own.
records() { grep -v "^;" "$work/out" | tr -s '\t ' ' ' | grep . | sort -u; }
cat >"$work/knot.conf" <<END
server:
    rundir: $work
    listen: 127.0.0.1@5301
database:
    storage: $work
log:
  - target: stderr
    any: info
remote:
  - id: ours
    address: $server6
acl:
  - id: all
    address: 127.0.0.1
    action: transfer
template:
  - id: default
    master: ours
    acl: all
zone:
  - domain: example
    file: $work/example.knot
  - domain: optout.test
    file: $work/optout.knot
  - domain: slhdsa128s.test
    file: $work/slhdsa128s.knot
END
knotd -c "$work/knot.conf" >"$work/knot.log" 2>&1 &
children+=($!)
for zone in example optout.test slhdsa128s.test; do
    for _ in {1..200}; do
        dig +time=1 +tries=1 @127.0.0.1 -p 5301 $zone SOA | grep -q "status: NOERROR" && break
        read -rt 0.05 <> <(:) || true
    done
    expect "Knot is a secondary of $zone" 0 "XFR size" dig +nocookie @127.0.0.1 -p 5301 $zone AXFR
    records >"$work/theirs"
    expect "AXFR of $zone" 0 "XFR size" dig +nocookie @$server6 $zone AXFR
    records >"$work/ours"
    expect "... the same" 0 "" diff "$work/ours" "$work/theirs"
    expect "AXFR of $zone over TCPCT" 0 "XFR size" dig +nocookie @127.0.0.1 -p 5300 $zone AXFR
    records >"$work/ours"
    expect "... the same" 0 "" diff "$work/ours" "$work/theirs"
done
expect "kdig AXFR" 0 "Received [0-9]+ B" kdig @$server6 example AXFR
expect "kdig IXFR" 0 "Received [0-9]+ B" kdig @$server6 example IXFR=1
expect "drill AXFR" 0 "one-trip.example" drill -t @$server6 example AXFR

# ---- streams --------------------------------------------------------------------------------------
query='\x12\x34\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x08one-trip\x07example\x00\x00\x01\x00\x01'
frame="\\x00\\x22$query"
for port in "$server/53" 127.0.0.1/5300; do
    exec 3<>"/dev/tcp/$port"
    for i in {1..500}; do
        printf -v id '\\x%02x\\x%02x' $((i >> 8)) $((i & 255))
        printf '%b' "${frame/\\x12\\x34/$id}"
    done >"$work/queries"
    cat "$work/queries" >&3
    expect "500 queries in one write, each answered in its turn ($port)" 0 "^500 of 52 bytes$" \
        timeout 20 perl -e 'open STDIN, "<&=", 3 or die $!;
        for (1 .. 500) {
            read STDIN, $answer, 52;
            ($size, $id, $flags, $answers) = unpack "n3 x2 n", $answer;
            die "answer $_: $size $id $flags $answers" unless "@{[$size, $id, $answers]}" eq "50 $_ 1";
        }
        print "500 of 52 bytes\n"'
    exec 3>&-
    exec 3<>"/dev/tcp/$port"
    for ((i = 0; i < 36; i++)); do
        tail -c +$((i + 1)) "$work/queries" | head -c 1 >&3
    done
    expect "a byte at a time ($port)" 0 "^50$" sh -c "timeout 20 head -c 50 <&3 | wc -c"
    exec 3>&-
    printf '%b' "$frame$frame" >"$work/queries"
    expect "the client ends its direction behind two queries ($port)" 0 "^104$" timeout 20 perl \
        -MIO::Socket::INET -e '$socket = IO::Socket::INET->new($ARGV[0]) or die $!; undef $/;
            open $file, "<", $ARGV[1] or die $!; $socket->send(<$file>); $socket->shutdown(1);
            print length(<$socket>), "\n"' "${port/\//:}" "$work/queries"
    exec 3<>"/dev/tcp/$port"
    printf '%b' "\\x00\\x28${query}behind" >&3
    expect "bytes behind the question ($port)" 0 "^50$" sh -c "timeout 20 head -c 50 <&3 | wc -c"
    exec 3>&-
done

# ---- secrets of DNS cookies -----------------------------------------------------------------------
# judged CODE NAME: what becomes of a server cookie that we have, in the end.
judged() {
    kill -HUP "$dnsd"
    for _ in {1..100}; do
        dig +tries=1 +timeout=2 +header-only +nobadcookie "+cookie=$cookie" @$server >"$work/judged" 2>&1
        grep -q "status: $1" "$work/judged" && break
        read -rt 0.05 <> <(:) || true
    done
    expect "$2" 0 "status: $1" cat "$work/judged"
}
cookie=$(dig +header-only +cookie @$server | sed -n 's/.*COOKIE: \([0-9a-f]*\).*/\1/p')
echo 00112233445566778899aabbccddeeff >"$work/secret"
judged BADCOOKIE "another secret: the cookie is none"
echo $secret >>"$work/secret"
judged NOERROR "both secrets: it is good again"
echo nonsense >"$work/secret"
kill -HUP "$dnsd"
for _ in {1..100}; do grep -q "stay as" "$work/dnsd" && break; read -rt 0.05 <> <(:) || true; done
expect "a broken file: a sentence" 0 "stay as they are: $work/secret, line 1: a secret has 32" \
    cat "$work/dnsd"
judged NOERROR "and nothing is changed"

# ---- other ports ----------------------------------------------------------------------------------
expect "another port is unreachable" 9 "connection refused" \
    dig +tries=1 +timeout=5 -p 54 @$server one-trip.example

kill -USR1 "$dnsd"
for _ in {1..100}; do grep -q '^}' "$work/stats" && break; read -rt 0.05 <> <(:) || true; done
expect "counted: queries" 0 '"udp_queries": [1-9][0-9]' cat "$work/stats"
expect "counted: TC" 0 '"udp_truncated": [1-9]' cat "$work/stats"
expect "counted: nobody's port" 0 '"unreachables_sent": [1-9]' cat "$work/stats"
