# common.sh - what the tests in namespaces share; to be sourced. Each test is a line of TAP. A lab
# that a script starts, and processes that it starts with `background`, are gone when it ends.
#
# TCPCT names the program under test.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
: "${TCPCT:=$PWD/build/asan/bin/tcpct}"
work=$(mktemp -d)
chmod 755 "$work"
lab=test-$$
failed=0
children=()

ok() { echo "ok $1"; }
not_ok() {
    echo "not ok $1: $2"
    failed=1
}

# expect NAME STATUS TEXT COMMAND...: it ends with that status and prints TEXT (an extended regular
# expression; "" for anything) on either output, which stay in $work/out and $work/error.
expect() {
    local name=$1 status=$2 text=$3 got=0
    shift 3
    timeout "${expect_seconds:-60}" "$@" >"$work/out" 2>"$work/error" </dev/null || got=$?
    if [ "$got" -ne "$status" ]; then
        not_ok "$name" "status $got, not $status: $(head -c 500 "$work/error")"
    elif [ -n "$text" ] && ! cat "$work/out" "$work/error" | grep -qE -e "$text"; then
        not_ok "$name" "no \"$text\" in: $(cat "$work/out" "$work/error" | head -c 500)"
    else
        ok "$name"
    fi
}

# background LOG COMMAND...: starts it; waits until it prints a line that begins with `ready`.
background() {
    local log=$1
    shift
    : >"$log"
    "$@" >"$log" 2>&1 </dev/null &
    children+=($!)
    until grep -q ^ready "$log"; do
        if ! kill -0 "${children[-1]}" 2>/dev/null; then
            cat "$log" >&2
            return 1
        fi
        read -rt 0.05 <> <(:) || true # a moment, without a program
    done
}

# end: SIGTERM to the process that `background` started last; returns its status.
end() {
    local child=${children[-1]}
    unset 'children[-1]'
    kill "$child" && wait "$child"
}

up() { "$TCPCT" lab up --name "$lab" "$@" >"$work/lab" 2>&1 || { cat "$work/lab"; return 1; }; }
client=("$TCPCT" lab exec --name "$lab" client --) # to stand before a command
server=("$TCPCT" lab exec --name "$lab" server --)

finish() {
    local status=$?
    [ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null
    wait
    [ ! -e "/run/tcpct-lab/$lab" ] || "$TCPCT" lab down --name "$lab"
    rm -rf "$work"
    [ "$status" -ne 0 ] || exit "$failed"
}
trap finish EXIT
trap 'exit 130' INT TERM

if [ "$(id -u)" -ne 0 ]; then
    echo "ok ${0##*/} # SKIP needs root"
    exit 0
fi
if [ ! -c /dev/net/tun ]; then
    echo "ok ${0##*/} # SKIP needs /dev/net/tun"
    exit 0
fi
