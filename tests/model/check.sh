#!/bin/bash
# check.sh - checks the models of this folder with Spin, and that they can fail: for each rule that a
# macro takes away, Spin has to find an execution that violates the property named here.
#
#     tests/model/check.sh [PATTERN]       (only the checks whose name matches, as grep -E does)
#
# Each check is a line of TAP. What the switches mean is said in the model. Where a model fails, its
# last segments are shown: who sends or takes (0 Initiator, 1 Responder), flags, sequence number ...
set -u
cd "$(dirname "$0")" || exit 1
pattern=${1:-.}

for tool in spin gcc; do
    if ! command -v "$tool" >/dev/null; then
        echo "ok models # SKIP $tool is not installed (Debian package $tool)"
        exit 0
    fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# verdict FOLDER: `none`, the number of the violated property, or what else went wrong. Without a
# violation every state must have been visited.
verdict() {
    local line
    if grep -q 'pan:1: non-progress cycle' "$1/log"; then
        echo 3
    elif grep -q 'pan:1: assertion violated' "$1/log"; then
        # (A replay goes on after it; assertions in processes that it does not concern may follow.)
        line=$(sed -nE 's/^spin: model.pml:([0-9]+), Error: assertion violated.*/\1/p' "$1/trail" | head -n 1)
        sed -nE "${line:-0}s|.*/\* \(([0-9])\) \*/.*|\1|p" "$1/model.pml" 2>/dev/null | grep . || echo "line ${line:-?}"
    elif grep -q 'errors: 0' "$1/log" && ! grep -qE 'truncated|max search depth|out of memory' "$1/log"; then
        echo none
    else
        echo "no verdict"
    fi
}

# check NAME PROPERTY MODEL SWITCH...: starts it, not more than two at once. PROPERTY is the number of
# the one that must be violated, or `none`.
checks=0
check() {
    grep -qE -- "$pattern" <<<"$1" || return 0
    while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
    checks=$((checks + 1))
    try "$@" >"$work/$checks.tap" 2>&1 &
}

try() {
    local name=$1 expected=$2 model=$3 folder pan=-DSAFETY run=() optimise=-O2 got
    shift 3
    folder=$(mktemp -d -p "$work")
    cp network.pml "$folder"
    cp "$model" "$folder/model.pml"
    case " $* " in *' -DCOMPLETE '*) pan='-DNP -DCOLLAPSE' run=(-l) ;; esac
    [ "$expected" = none ] || optimise=-O0 # found in a moment
    (
        cd "$folder" || exit
        # shellcheck disable=SC2086
        spin -a "$@" model.pml >log 2>&1 && gcc -w $optimise $pan -DMEMLIM=900 -o pan pan.c >>log 2>&1 &&
            ./pan -m100000 ${run[@]+"${run[@]}"} >>log 2>&1
        [ ! -e model.pml.trail ] || spin -t "$@" model.pml >trail 2>&1
    )
    got=$(verdict "$folder")
    if [ "$got" = "$expected" ]; then
        echo "ok $name"
    else
        echo "not ok $name: violated is $got, not $expected"
        grep -E '^pan:|rror' "$folder/log" | head -n 5
        [ ! -e "$folder/trail" ] || grep -E 'sends|takes|CYCLE' "$folder/trail" | tail -n 30
    fi
    rm -rf "$folder"
}

# What is explored: two transactions whose segments meet; a TIME-WAIT that ends between them; one
# whose secret dies; one whose secret changes while the <SYN> is answered twice; and whole executions.
reuse=(exchange.pml)
time_wait=(exchange.pml -DLAST=2)
secret=(exchange.pml -DREQUESTS=1 -DROTATIONS=1 -DLAST=2 -DCOOKIES=1)
two_cookies=(exchange.pml -DREQUESTS=1 -DROTATIONS=1)
complete=(exchange.pml -DCOMPLETE)
rotated=(exchange.pml -DCOMPLETE -DROTATIONS=1 -DFAULTS=1)

# The same of a closed connection that begins again (restart.pml): two incarnations; requests of two
# segments; answers of two; what has a secret that may die; a guarded listener; and whole executions.
restart=(restart.pml -DTCBS=2)
halves=(restart.pml -DTCBS=1 -DLOSSES=0 -DSIZE=2)
answers=(restart.pml -DTCBS=2 -DLOSSES=0 -DANSWER=2)
dies=(restart.pml -DREQUESTS=1 -DSECRET_DIES)
guarded=(restart.pml -DTCBS=2 -DGUARD)
over=(restart.pml -DCOMPLETE)

# The rules hold; then, one by one, they are missing. The longest come first.
check 'a port pair used again, after TIME-WAIT' none "${time_wait[@]}"
check 'two cookies' none "${two_cookies[@]}"
check 'a port pair used again' none "${reuse[@]}"
check 'a port pair used again, answers in <SYN,ACK(SYN)>' none "${reuse[@]}" -DSYN_DATA
check 'every execution is complete' none "${complete[@]}"
check 'every execution is complete while the secret changes' none "${rotated[@]}"
check 'a secret dies' none "${secret[@]}"

check 'without: a TS Echo Reply of this incarnation (PAWS alone)' 1 "${reuse[@]}" -DPAWS_ONLY
check 'without: timestamps' 5 "${reuse[@]}" -DANY_TIMESTAMP
check 'without: a greater TS Value for a new exchange (4.1)' 5 "${reuse[@]}" -DTIME_NOT_INCREMENTED
check 'without: TIME-WAIT at the Initiator' 5 "${reuse[@]}" -DNO_TIME_WAIT
check 'without: a pair and its timestamps on resets (7)' 5 "${reuse[@]}" -DANY_RESET
check 'without: a pair on FINs (5)' 5 "${reuse[@]}" -DANY_FIN
check 'without: an old <ACK(SYN)> is discarded' 2 "${reuse[@]}" -DOLD_OPENING_REPLACES
check 'without: the TS Value tells what the echo does not' 2 "${reuse[@]}" -DEQUAL_ECHO_REPLACES
check 'without: the same <ACK(SYN)> with another cookie is the same' 2 "${two_cookies[@]}" -DSAME_OPENING_REPLACES
check 'without: the end of a secret (3.5.3)' 2 "${secret[@]}" -DSECRET_KEPT
check 'without: the numbers in the cookie (3.5.2)' 4 "${secret[@]}" -DCOOKIE_WITHOUT_NUMBERS
check 'without: a look at the cookie (4.4)' 4 "${secret[@]}" -DANY_COOKIE
check 'without: nothing kept for a <SYN> (4.2)' 4 "${secret[@]}" -DSTATE_AT_SYN
check 'without: nothing kept after the close (5)' 4 "${secret[@]}" -DRESPONDER_WAITS
check 'without: a reset where there is no TCB (7)' 3 "${complete[@]}" -DNO_RESET
check 'without: both cookies kept until the Responder is heard (13)' 3 "${rotated[@]}" -DREPLACED_AT_ONCE

check 'restart: it begins again' none "${restart[@]}"
check 'restart: answers of two segments' none "${answers[@]}"
check 'restart: a secret dies' none "${dies[@]}"
check 'restart: a guarded listener' none "${guarded[@]}"
check 'restart: every execution is complete' none "${over[@]}"

check 'restart, without: a TS Echo Reply of this incarnation (PAWS alone; R3)' 1 "${restart[@]}" -DPAWS_ONLY
check 'restart, without: an echo of this incarnation on what is empty (R3)' 1 "${restart[@]}" -DEMPTY_WITHOUT_ECHO
check 'restart, without: a greater TS Value (R2)' 1 "${restart[@]}" -DTIME_NOT_INCREMENTED
check 'restart, without: an application has one answer (R6)' 1 "${restart[@]}" -DLOSER_GOES_ON
check 'restart, without: what is remembered decides (R2)' 2 "${restart[@]}" -DOLD_OPENING_EXECUTED
check 'restart, without: the filter of a guarded listener (R8)' 2 "${guarded[@]}" -DNO_FILTER
check 'restart, without: the end of a secret (3.5.3)' 2 "${dies[@]}" -DSECRET_KEPT
check 'restart, without: the fall-back (R6)' 3 "${over[@]}" -DNO_FALL_BACK
check 'restart, without: proof before the next, where there is no TCB (R4)' 4 "${restart[@]}" -DUNPROVED_EXECUTED
check 'restart, without: proof before the next, where there is one (R4)' 4 "${restart[@]}" -DUNPROVED_REPLACED
check 'restart, without: timestamps (R3)' 5 "${restart[@]}" -DANY_ECHO
check 'restart, without: a TSoffset for each incarnation (R3)' 5 "${restart[@]}" -DSAME_TIMESTAMPS
check 'restart, without: the first flight is near the opening (R3)' 5 "${halves[@]}" -DFIRST_FLIGHT_OF_ANY
check 'restart, without: an older opening is discarded (R2)' 6 "${restart[@]}" -DOLD_OPENING_REPLACES

wait
for ((i = 1; i <= checks; i++)); do
    cat "$work/$i.tap"
done
! grep -q '^not ok' "$work"/*.tap
