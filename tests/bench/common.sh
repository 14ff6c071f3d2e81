# common.sh - what the benchmarks share; to be sourced. The namespaces and processes that a script
# makes through it are gone when it ends. Without root everything runs inside `tcpct lab enter`.
#
# TCPCT names the program (default: build/tcpct).
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export TCPCT=${TCPCT:-$PWD/build/tcpct}
programs=build/release/tests/bench
stream=build/release/tests/net/stream
if [ ! -x "$TCPCT" ] || [ ! -x "$programs/ceiling" ]; then
    echo 'tests/bench: nothing is built yet: run `make bench-programs`' >&2
    exit 1
fi
[ "$(id -u)" -eq 0 ] || exec "$TCPCT" lab enter -- "tests/bench/${0##*/}" "$@"

work=$(mktemp -d)
chmod 755 "$work"
spaces=() labs=() children=()

# Two processors, for the end that is measured and for the other; the same if there is but one.
one=(taskset -c 0)
other=(taskset -c $(($(nproc) > 1 ? 1 : 0)))

fail() {
    echo "tests/bench/${0##*/}: $*" >&2
    exit 1
}

# space NAME: a network namespace. To run something in namespace a or b, put "${a[@]}" before it.
space() {
    ip netns add "bench-$$-$1" && spaces+=("bench-$$-$1")
    ip -n "bench-$$-$1" link set lo up
}
a=(ip netns exec "bench-$$-a")
b=(ip netns exec "bench-$$-b")

# veth A B: joins two namespaces; the kernel has 10.60.9.1 in A and 10.60.9.2 in B, both on v0.
veth() {
    ip link add v0 netns "bench-$$-$1" type veth peer name v0 netns "bench-$$-$2"
    ip -n "bench-$$-$1" addr add 10.60.9.1/24 dev v0
    ip -n "bench-$$-$2" addr add 10.60.9.2/24 dev v0
    ip -n "bench-$$-$1" link set v0 up
    ip -n "bench-$$-$2" link set v0 up
}

# Ends what `background` started, and removes the namespaces.
clear_all() {
    [ ${#children[@]} -eq 0 ] || kill "${children[@]}" 2>/dev/null
    wait
    for name in "${spaces[@]}"; do ip netns del "$name"; done
    for name in "${labs[@]}"; do "$TCPCT" lab down --name "$name"; done
    children=() spaces=() labs=()
}
finish() {
    local status=$?
    clear_all
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# background LOG COMMAND...: starts it; waits until it prints a line that begins with `ready`.
background() {
    local log=$1
    shift
    : >"$log"
    "$@" >"$log" 2>&1 </dev/null &
    children+=($!)
    until grep -q ^ready "$log"; do
        kill -0 "${children[-1]}" 2>/dev/null || fail "$(cat "$log")"
        read -rt 0.05 <> <(:) || true # a moment, without a program
    done
}

# ended: waits for what `background` started last; end: with SIGTERM first.
ended() {
    wait "${children[-1]}"
    unset 'children[-1]'
}
end() { kill "${children[-1]}" && ended; }

# value FILE NAME: of the words NAME=VALUE in it.
value() { tr ' ' '\n' <"$work/$1" | sed -n "s/^$2=//p" | tail -n 1; }

# per A B DIGITS [FACTOR]: FACTOR * A / B.
per() { awk -v a="$1" -v b="$2" -v f="${4:-1}" "BEGIN { printf \"%.$3f\", b ? f * a / b : 0 }"; }

# median NUMBER...; low and high: the extremes.
median() { printf '%s\n' "$@" | sort -g | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }'; }
low() { printf '%s\n' "$@" | sort -g | head -n 1; }
high() { printf '%s\n' "$@" | sort -g | tail -n 1; }

# progress TEXT: where a person looks, not in the table.
progress() { echo "  ... $*" >&2; }
