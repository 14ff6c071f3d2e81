#!/bin/bash
# `make demo`'s table, and its topology without root: an ordinary uid with a device node that it may
# open, in namespaces of its own.
. "$(dirname "$0")/common.sh"

# row NAME WAY: the round trips of that row of the table in $work/out; size NAME: its bytes.
row() { awk -v n="$1" -v w="$2" '$1 == n && index($0, w) { sub(/.*, v[46]/, ""); print $1; exit }' "$work/out"; }
size() { awk -v n="$1" '$1 == n && /, v[46] / { print $3; exit }' "$work/out"; }

# says NAME GOT WANTED
says() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "\"$2\", not \"$3\""; fi; }

# least NAME GOT LEAST: that many at least. A slow machine adds round trips, none takes one away.
least() { if [ "${2:-0}" -ge "$3" ]; then ok "$1"; else not_ok "$1" "\"$2\", not $3 or more"; fi; }

check_table() {
    says "$1: a 164-byte answer" "$(size one-trip.example)" 164
    least "$1: ... inside the <SYN,ACK(SYN)>" \
        "$(grep -c 'one-trip.*TCPCT syn-data' "$work/out")" 1
    least "$1: ... and two over the kernel's TCP" "$(row one-trip.example kernel)" 2
    says "$1: a 7,568-byte answer" "$(size nx.mldsa44.test)" 7568
    least "$1: ... takes two" "$(row nx.mldsa44.test TCPCT)" 2
    says "$1: a 23,894-byte answer" "$(size nx.slhdsa128s.test)" 23894
    least "$1: ... takes three" "$(row nx.slhdsa128s.test TCPCT)" 3
    # A third row, of a restart, depends on how fast the machine is.
    says "$1: every question over both" \
        "$(awk '/, v[46] / { print $1, / v6 /, /kernel TCP/ }' "$work/out" | sort -u | wc -l)" 16
}

export DEMO=$work/root
expect_seconds=250 # of about fifteen, where nothing else runs
expect "demo as root" 0 "round trips" tools/demo
check_table root

expect "tshark finds nothing wrong at the client" 0 "clean" \
    bash tests/net/tshark.bash "$DEMO/client.pcap"
expect "tshark finds nothing wrong at the server" 0 "clean" \
    bash tests/net/tshark.bash "$DEMO/server.pcap"

# Interrupted, it leaves nothing behind.
tools/demo >"$work/out" 2>&1 </dev/null &
demo=$!
until [ -e /run/tcpct-lab/demo-$demo/link0.log ] || ! kill -0 $demo 2>/dev/null; do :; done
kill -TERM $demo
wait $demo
says "interrupted, the demo cleans up" "$? $(ls -d /run/tcpct-lab/demo-$demo 2>/dev/null)" "130 "

# The same as an ordinary user, in a copy that such a user can reach. A device node of the test's own
# takes the place of /dev/net/tun in a mount namespace.
uid=54321
mkdir "$work/user" "$work/dev" "$work/tree"
chown "$uid" "$work/user"
cp -r tools "$work/tree/"
cp "$TCPCT" "$work/tree/tcpct"
chmod -R a+rX "$work/tree"
cd "$work/tree" || exit 1
export DEMO=$work/user TCPCT=$work/tree/tcpct
as_user() {
    unshare --mount bash -c '
        set -e
        mount -t tmpfs none "$1/dev"
        mknod "$1/dev/tun" c 10 200
        chmod "$2" "$1/dev/tun"
        mount --bind "$1/dev/tun" /dev/net/tun
        mode=$2 uid=$3
        shift 3
        exec setpriv --reuid "$uid" --regid "$uid" --clear-groups --inh-caps=-all "$@"
    ' bash "$work" "$@"
}
if as_user 666 "$uid" unshare --user --map-root-user --net true 2>/dev/null; then
    as_user 666 "$uid" tools/demo >"$work/out" 2>"$work/error" </dev/null
    says "demo without root" "$?: $(head -c 300 "$work/error")" "0: "
    check_table "without root"
else
    echo "ok demo without root # SKIP this machine gives ordinary users no user namespaces"
fi
as_user 600 "$uid" "$TCPCT" lab enter -- true 2>"$work/error"
says "without the device node, one sentence" "$?: $(wc -l <"$work/error")" "1: 1"
says "... that says what to do" "$(grep -c 'chmod 666 /dev/net/tun' "$work/error")" 1
