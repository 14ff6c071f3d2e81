#!/bin/bash
# What `tcpct dnsd` gives to whom: its limit to the rate over UDP, DNS cookies that it requires, what it
# says of itself, the age of connections, those that collapse, and flags that it cannot follow.
# Everything in one network namespace of the test's own.
if [ "$(id -u)" -eq 0 ] && [ -z "${DNSD_LIMITS_NAMESPACE:-}" ]; then
    exec env DNSD_LIMITS_NAMESPACE=1 unshare --net bash "$0"
fi
. "$(dirname "$0")/common.sh"
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward # between dnsd's device and dig's

server=10.60.13.2
# begin OPTION...: the server.
begin() {
    background "$work/dnsd" "$TCPCT" dnsd --zone tools/zones/example.zone --stats "$work/stats" "$@"
    dnsd=${children[-1]}
}
# stats: writes them.
stats() {
    : >"$work/stats"
    kill -USR1 "$dnsd"
    for _ in {1..200}; do grep -q '^}' "$work/stats" && return; read -rt 0.05 <> <(:) || true; done
}
# stat NAME: its value, of what was written last.
stat() { sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" "$work/stats"; }

# ---- wrong use ------------------------------------------------------------------------------------
wrong() { expect "$1" 2 "$2" "$TCPCT" dnsd --zone x=y "${@:3}"; }
wrong "a bad prefix" "--allow-transfer x: expected a prefix such as" --allow-transfer x
wrong "too many prefixes" "--allow-transfer may be given 64 times at most" \
    $(for i in {1..65}; do echo "--allow-transfer 192.0.2.$i/32"; done)
wrong "a bad age" "--connection-time soon: expected a time such as" --connection-time soon
wrong "a bad policy" "--dns-cookies maybe: expected on, off or require" --dns-cookies maybe
wrong "a secret and no cookies" "no DNS cookies here" --dns-cookies off --cookie-secret x
wrong "a rate of nothing" "nothing is answered over UDP" --no-udp --rate-limit 1
wrong "a bad rate" "--rate-limit -1: expected a number from 0 to 1000000" --rate-limit -1
wrong "a bad slip" "--rate-limit-slip 1001: expected a number from 0 to 1000" --rate-limit-slip 1001
wrong "no version" "--version-text : expected 1 to 63 bytes" --version-text ""
wrong "too long an identity" "expected 1 to 63 bytes" --identity "$(printf '%64s' x)"
for flag in --zone=x --zones=x --fast-open=1 --collapse-after=1s --collapsed-max=1 --collapsed-age=1s \
    --udp-size=512 --dns-cookies=off --cookie-secret=x --padding --allow-transfer=192.0.2.1/32 \
    --connections-per-client=1 --connection-time=1s --rate-limit=1 --rate-limit-slip=1 --version-text=x \
    --identity=x; do
    expect "$flag has no meaning with --forward" 2 "leave ${flag%=*} out" \
        "$TCPCT" dnsd --forward 127.0.0.1 "$flag"
done

# ---- the rate of answers over UDP -----------------------------------------------------------------
begin --rate-limit 1
cookie=$(dig +nobadcookie +cookie @$server example SOA | sed -n 's/.*COOKIE: \([0-9a-f]\{48\}\).*/\1/p')
cat >"$work/ask.pl" <<'END'
# 475 queries without a cookie; behind each 19 one with it, whose answer is awaited, so that no queue
# overflows. Prints whole answers, those with TC, those to the cookie, and the seconds that it took.
use strict; use warnings; use IO::Socket::INET; use Time::HiRes "time";
my ($server, $cookie) = @ARGV;
my $socket = IO::Socket::INET->new(Proto => "udp", PeerAddr => $server, PeerPort => 53) or die $!;
my $name = "\x08one-trip\x07example\0\0\1\0\1";
my $began = time;
my ($whole, $cut, $good) = (0, 0, 0);
for my $batch (1 .. 25) {
    $socket->send(pack("n6", $_, 0, 1, 0, 0, 0) . $name) for 1 .. 19;
    $socket->send(pack("n6", 4711, 0, 1, 0, 0, 1) . $name .
        pack("x n2 x4 n3", 41, 1232, 28, 10, 24) . pack("H*", $cookie));
    for (;;) {
        defined $socket->recv(my $answer, 4096) or die $!;
        my ($id, $flags, $answers) = unpack "n2 x2 n", $answer;
        if ($id == 4711) { $good += $answers; last }
        $flags & 0x200 ? $cut++ : ($whole += $answers);
    }
}
printf "whole=%d cut=%d good=%d seconds=%d\n", $whole, $cut, $good, 1 + time - $began;
END
expect "500 queries, some with a cookie" 0 "good=25 " perl "$work/ask.pl" $server "$cookie"
read -r whole cut seconds < <(sed 's/whole=\(.*\) cut=\(.*\) good=.* seconds=\(.*\)/\1 \2 \3/' "$work/out")
if [ "$whole" -le $((1 + seconds)) ]; then ok "one answer a second"; else
    not_ok "one answer a second" "$whole in $seconds s"
fi
refused=$((475 - whole))
if [ $((2 * cut - refused)) -le 2 ] && [ $((refused - 2 * cut)) -le 2 ]; then ok "each second of the rest with TC"; else
    not_ok "each second of the rest with TC" "$cut of $refused"
fi
stats
if [ "$(stat rate_limit_slipped)" -ge "$cut" ] && [ "$(stat rate_limit_dropped)" -ge $((refused - cut - 2)) ] &&
    [ "$(stat rate_limit_passed)" -ge "$whole" ] && [ "$(stat rate_limit_evicted)" -eq 0 ]; then
    ok "all is counted"
else
    not_ok "all is counted" "$(grep rate_limit "$work/stats")"
fi
expect "who knows no cookies comes over TCP" 0 "192\.0\.2\.80" \
    dig +nocookie +time=1 +tries=20 @$server one-trip.example
expect "who knows them, with one" 0 "192\.0\.2\.80" dig +cookie +time=1 +tries=20 @$server one-trip.example
expect "over TCP there is no limit" 0 "198.51.100.53" dig +tcp +keepopen @$server -f <(
    for _ in {1..100}; do echo "many.example A"; done
    echo "ns2.example A"
)
if end; then ok "it ends"; else not_ok "it ends" "$?"; fi

# ---- what it says of itself -----------------------------------------------------------------------
begin --version-text "tcpct, of course" --identity ns1.lab
for name in version.bind version.server; do
    for how in +notcp +tcp; do
        expect "$name ($how)" 0 '^"tcpct, of course"$' dig $how +short @$server CH TXT $name
    done
done
for name in id.server hostname.bind; do
    expect "$name" 0 "ns1\.lab" dig @$server CH TXT $name
done
expect "with no TTL" 0 "^version\.bind\..*0.CH.TXT" dig @$server CH TXT version.bind
expect "nor AA" 0 "flags: qr rd;" dig @$server CH TXT version.bind
expect "other names: REFUSED" 0 "status: REFUSED" dig @$server CH TXT authors.bind
expect "NSID" 0 'NSID: .*"ns1\.lab"' dig +nsid @$server one-trip.example
expect "kdig too" 0 'NSID: .*"ns1\.lab"' kdig +nsid @$server one-trip.example
expect "to whom it may concern" 1 "" sh -c '"$@" | grep NSID' sh dig @$server one-trip.example
end

# ---- DNS cookies required -------------------------------------------------------------------------
begin --dns-cookies require
expect "no cookie: TC" 0 "flags: qr tc rd; QUERY: 1, ANSWER: 0" dig +nocookie +ignore @$server one-trip.example
expect "a first one: BADCOOKIE" 0 "status: BADCOOKIE" dig +cookie +nobadcookie @$server one-trip.example
expect "dig comes back with it" 0 "192\.0\.2\.80" dig +cookie @$server one-trip.example
expect "tcpct dig over UDP, without" 0 "^;; (cold|syn-data): " \
    "$TCPCT" dig @$server one-trip.example --mode udp
expect "tcpct dig with one, which takes a round trip more" 0 "^;; udp: 2 round trips" \
    "$TCPCT" dig @$server one-trip.example +cookie --mode udp
expect "and with the same again" 0 "^;; udp: 1 round trip" \
    "$TCPCT" dig @$server one-trip.example +cookie --mode udp --repeat 2
end

# A server that likes no cookie at all. It answers five queries at most.
cat >"$work/bad.pl" <<'END'
use strict; use warnings; use IO::Socket::INET;
my $socket = IO::Socket::INET->new(Proto => "udp", LocalAddr => "127.0.0.9", LocalPort => 53) or die $!;
$| = 1;
print "ready\n";
for my $count (1 .. 5) {
    $socket->recv(my $query, 4096);
    my ($option) = $query =~ /\0\x0a\0[\x08\x18](.{8})/s or die;
    my $question = substr $query, 12, 22;
    print "query $count\n";
    $socket->send(substr($query, 0, 2) . pack("n5", 0x8007, 1, 0, 0, 1) . $question .
        pack("x n2 C x3 n3", 41, 1232, 1, 28, 10, 24) . $option . pack("C x3 N2", 1, 1, $count) . "12345678");
}
END
ip tuntap add mode tun name tcpctdig # dig's device, so that the kernel's side is there before
ip addr add 10.60.14.1/24 dev tcpctdig
sed -i 's/127\.0\.0\.9/10.60.14.1/' "$work/bad.pl"
background "$work/bad" perl "$work/bad.pl"
expect "BADCOOKIE again: over TCP then" 1 "no answer from 10.60.14.1 port 53" \
    "$TCPCT" dig @10.60.14.1 one-trip.example +cookie --mode udp --tries 1
expect "after two queries" 0 "^query 2" cat "$work/bad"
expect "and no more" 1 "" grep "^query 3" "$work/bad"
kill "${children[-1]}"
unset 'children[-1]'

# ---- connections ----------------------------------------------------------------------------------
begin --connection-time 1ms --idle-timeout 60s
printf '\x00\x22\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x08one-trip\x07example\x00\x00\x01\x00\x01' \
    >"$work/query"
expect "an old connection ends, behind an answer" 0 "^whole: [1-9]" timeout 50 perl -MIO::Socket::INET -e '
    $socket = IO::Socket::INET->new("$ARGV[0]:53") or die $!;
    open $file, "<", $ARGV[1] or die $!;
    read $file, $query, 100;
    $SIG{PIPE} = "IGNORE";
    for (; $socket->send($query); $got += $size) {
        $size = $socket->sysread($answer, 52);
        last unless $size;
        die "cut: $size" unless $size == 52;
    }
    printf "whole: %d\n", $got / 52' $server "$work/query"
stats
expect "it is counted" 0 '"dns_connections_old": 1,' cat "$work/stats"
end

# An idle connection becomes a record, and with its next query a connection again.
begin --collapse-after 100ms --idle-timeout 60s
exec 3<>/dev/tcp/$server/53
for turn in 1 2; do
    cat "$work/query" >&3
    expect "query $turn is answered" 0 "^52$" sh -c "timeout 20 head -c 52 <&3 | wc -c"
    for _ in {1..200}; do
        stats
        [ "$(stat collapsed)" -eq 1 ] && break
    done
    expect "the connection collapses" 0 '"collapsed": 1,' cat "$work/stats"
    expect "nothing is held for it" 0 '"dns_connections_now": 0,' cat "$work/stats"
done
expect "it was the same one" 0 '"dns_connections": 1,' cat "$work/stats"
exec 3>&-
if end; then ok "SIGTERM ends it with status 0"; else not_ok "SIGTERM ends it" "$?"; fi
