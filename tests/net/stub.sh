#!/bin/bash
# `tcpct stub` under programs that know only the kernel's sockets: dig, kdig, drill, delv, dnsperf, the
# C library's resolver, and Unbound and BIND as forwarders. Two namespaces, a link of 10 ms each way,
# `tcpct dnsd` at the other end.
. "$(dirname "$0")/common.sh"
PATH=$PATH:/usr/sbin

# also NAME TEXT: what the last command printed, has that as well.
also() {
    local name=$1 text=$2
    if grep -qE -e "$text" "$work/out"; then ok "$name"; else not_ok "$name" "no \"$text\" in: $(head -c 500 "$work/out")"; fi
}

zones=tools/zones
far=10.60.2.53
stub=("$TCPCT" stub --tun tcpct0)

# ---- wrong use -----------------------------------------------------------------------------------
expect "nobody to ask" 2 "say whom to ask" "${stub[@]}"
expect "an upstream that is none" 2 "an address, such as" "${stub[@]}" --upstream ns.example
expect "too many upstreams" 2 "4 times at most" "${stub[@]}" --upstream 192.0.2.1 \
    --upstream 192.0.2.2 --upstream 192.0.2.3 --upstream 192.0.2.4 --upstream 192.0.2.5
expect "a bad address to listen on" 2 "such as 127.0.0.53" "${stub[@]}" --upstream 192.0.2.1 --listen x
expect "a bad time" 2 "a time such as" "${stub[@]}" --upstream 192.0.2.1 --timeout 0s
expect "a word too many" 2 "what is" "${stub[@]}" --upstream 192.0.2.1 y

# ---- serving -------------------------------------------------------------------------------------
sed 's/^\$ORIGIN .*/$ORIGIN drill.test./' $zones/example.zone >"$work/drill.zone"
drill_key=$(cd "$work" && ldns-keygen -a ECDSAP256SHA256 -k drill.test)
(cd "$work" && ldns-signzone -f drill.signed drill.zone "$drill_key")

up --delay 10ms
background "$work/dnsd" "${server[@]}" "$TCPCT" dnsd --tun tcpct0 --addr $far --addr fd60:2::53 \
    --zone $zones/example.signed --zone $zones/slhdsa128s.zone --zone "$work/drill.signed" --stats "$work/dnsd.json"
expect "an address that is not here" 1 "cannot listen on port 53" "${client[@]}" "${stub[@]}" \
    --addr 10.60.1.52 --upstream $far --listen 192.0.2.77
background "$work/stub" "${client[@]}" "${stub[@]}" --addr 10.60.1.53 --addr fd60:1::53 \
    --upstream $far --listen 127.0.0.53 --listen [::1]:5353 --user nobody --stats "$work/stub.json"
stub_process=${children[-1]}

# ---- one question, by different programs ----------------------------------------------------------
ask=("${client[@]}" dig @127.0.0.53)
expect "dig, UDP" 0 "192.0.2.80" "${ask[@]}" +notcp one-trip.example A
expect "dig, TCP" 0 "192.0.2.80" "${ask[@]}" +tcp one-trip.example A
expect "dig, IPv6" 0 "192.0.2.80" "${client[@]}" dig @::1 -p 5353 one-trip.example A
expect "dig keeps its id" 0 "id: 4711" "${ask[@]}" +qid=4711 one-trip.example A
expect "dig keeps its case" 0 "oNe-tRiP.eXample" "${ask[@]}" oNe-tRiP.eXample A
expect "EDNS passes" 0 "version: 0, flags: do" "${ask[@]}" +dnssec one-trip.example A
expect "no EDNS where there was none" 1 "" sh -c '"$@" | grep OPT' sh "${ask[@]}" +noedns one-trip.example
expect "a large answer has TC over UDP" 0 "flags: qr aa tc" \
    "${ask[@]}" +ignore +dnssec nx.slhdsa128s.test A
also "and keeps its OPT record" "flags: do; udp"
expect "dig goes on over TCP" 0 "rcvd: 239" "${ask[@]}" +dnssec nx.slhdsa128s.test A
expect "a small UDP size" 0 "flags: qr aa tc" \
    "${ask[@]}" +ignore +dnssec +bufsize=512 \
    nx-with-a-rather-long-name-so-that-more-is-needed.example A
expect "zone transfers are not for a stub" 0 "Transfer failed|NOTIMP" "${ask[@]}" AXFR example
expect "kdig, a second question in the connection" 0 "192.0.2.81" \
    "${client[@]}" kdig @127.0.0.53 +tcp +keepopen one-trip.example A www.example A
expect "drill" 0 "192.0.2.80" "${client[@]}" drill @127.0.0.53 one-trip.example A
many() { for i in {1..50}; do echo "nx$i.example A"; done; }
expect "50 questions in a TCP connection" 0 "nx50.example" "${ask[@]}" +tcp +keepopen -f <(many)
echo "nameserver 127.0.0.53" >"$work/resolv.conf"
resolver=("${client[@]}" unshare --mount sh -c "mount --bind '$work/resolv.conf' /etc/resolv.conf && exec \"\$@\"" sh)
expect "getent, by the C library's resolver" 0 "192.0.2.80" "${resolver[@]}" getent ahosts one-trip.example

# ---- validation ------------------------------------------------------------------------------------
key=$(sed -n 's/^example\..*IN[[:space:]]DNSKEY[[:space:]]257 \(.*\) ;.*/\1/p' $zones/example.signed)
read -r protocol algorithm material <<<"$key"
printf 'trust-anchors { example. static-key 257 %s %s "%s"; };\n' "$protocol" "$algorithm" "$material" \
    >"$work/anchor"
echo "example. 3600 IN DNSKEY 257 $key" >"$work/anchor.key"
delv=("${client[@]}" delv @127.0.0.53 -a "$work/anchor" +root=example)
expect "delv" 0 "fully validated" "${delv[@]}" one-trip.example A
expect "delv, a name that is not there" 0 "negative response, fully validated" \
    "${delv[@]}" nx.example A
# (drill takes an expiration after 2038 for one in the past, so it has a zone of its own.)
expect "drill -S" 0 "trusted" "${client[@]}" drill -S -k "$work/$drill_key.key" @127.0.0.53 \
    one-trip.drill.test A
also "drill -S: the whole chain" "Chase successful"

# ---- forwarders ------------------------------------------------------------------------------------
cat >"$work/unbound.conf" <<END
server:
    directory: "$work"
    chroot: ""
    username: ""
    pidfile: "$work/unbound.pid"
    interface: 127.0.0.1@5301
    do-not-query-localhost: no
    use-syslog: no
    logfile: ""
    module-config: "validator iterator"
    trust-anchor-file: "$work/anchor.key"
    domain-insecure: "slhdsa128s.test."
    do-daemonize: no
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: 127.0.0.53@53
END
mkdir "$work/named"
cat >"$work/named.conf" <<END
options {
    directory "$work/named";
    pid-file "$work/named/pid";
    session-keyfile "$work/named/session.key";
    managed-keys-directory "$work/named";
    listen-on port 5302 { 127.0.0.1; };
    listen-on-v6 { none; };
    recursion yes;
    forward only;
    forwarders { 127.0.0.53 port 53; };
    dnssec-validation yes;
    validate-except { "slhdsa128s.test"; };
    max-udp-size 1232;
};
controls { };
include "$work/anchor";
END
# serves NAME PORT COMMAND...: starts it, waits until it answers.
serves() {
    local name=$1 port=$2
    shift 2
    "${client[@]}" "$@" >"$work/$name.log" 2>&1 </dev/null &
    children+=($!)
    for _ in {1..200}; do
        "${client[@]}" dig +tries=1 +time=1 @127.0.0.1 -p "$port" +short version.bind CH TXT >/dev/null && return
        read -rt 0.05 <> <(:) || true
    done
    not_ok "$name starts" "$(tail -n 5 "$work/$name.log")"
}
serves unbound 5301 unbound -d -c "$work/unbound.conf"
serves named 5302 named -g -c "$work/named.conf" -n 1
for forwarder in "Unbound 5301" "BIND 5302"; do
    set -- $forwarder
    through=("${client[@]}" dig @127.0.0.1 -p "$2")
    expect "$1 resolves" 0 "192.0.2.80" "${through[@]}" one-trip.example A
    expect "$1 validates" 0 "flags: qr rd ra ad" "${through[@]}" +dnssec www.example A
    expect "$1 validates a denial" 0 "status: NXDOMAIN" "${through[@]}" +dnssec nx.example A
    also "$1: authentic" "flags: qr rd ra ad"
    expect "$1 takes a large answer" 0 "status: NXDOMAIN" \
        "${through[@]}" +dnssec +tcp nx.slhdsa128s.test A
done

# ---- many at once ----------------------------------------------------------------------------------
for i in {1..500}; do echo "one-trip.example A"; echo "nx$i.example A"; echo "www.example AAAA"; done >"$work/queries"
for mode in udp tcp; do
    expect "dnsperf -m $mode" 0 "Queries completed: +1500 \(100.00%\)" \
        "${client[@]}" dnsperf -m $mode -s 127.0.0.53 -d "$work/queries" -n 1 -q 50 -c 4
    also "dnsperf -m $mode loses nothing" "Queries lost: +0 "
done
if end; end; then ok "the forwarders end"; fi
if end; then ok "SIGTERM ends the stub with status 0"; else not_ok "SIGTERM ends the stub" "$?"; fi
expect "restarts were used" 0 '"restarts": [1-9]' cat "$work/stub.json"
expect "no query failed" 0 '"stub_queries_failed": 0,' cat "$work/stub.json"
expect "truncation is counted" 0 '"client_truncated": [1-9]' cat "$work/stub.json"

# ---- upstreams --------------------------------------------------------------------------------------
background "$work/stub" "${client[@]}" "${stub[@]}" --addr 10.60.1.54 --upstream 10.60.2.1 \
    --upstream $far --stats "$work/stub.json"
expect "a refusal: the other upstream answers" 0 "192.0.2.80" "${ask[@]}" one-trip.example A
end
expect "and is preferred" 0 '"stub_upstream_changes": 1' cat "$work/stub.json"
background "$work/stub" "${client[@]}" "${stub[@]}" --addr 10.60.1.55 --upstream 10.60.2.99 \
    --timeout 400ms --stats "$work/stub.json"
expect "nobody answers" 0 "status: SERVFAIL" "${ask[@]}" one-trip.example A
also "and it says why" "EDE: 22"
end
