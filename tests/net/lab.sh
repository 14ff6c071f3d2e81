#!/bin/bash
# `tcpct lab`: builds, joins, forwards, refuses, and leaves nothing behind.
. "$(dirname "$0")/common.sh"

# reach NAME ADDRESS: a refused connection shows that packets go there and back.
reach() { expect "$1" 1 "refused" "${client[@]}" bash -c "exec 3<>/dev/tcp/$2/9"; }
gone() {
    if [ -e "/run/netns/$lab-client" ] || [ -e "/run/netns/$lab-server" ] ||
        [ -e "/run/tcpct-lab/$lab" ]; then
        not_ok "$1" "something is left of it"
    else
        ok "$1"
    fi
}

expect "no lab yet" 1 "there is no lab" "${client[@]}" true
expect "up" 0 "10.60.2.1" "$TCPCT" lab up --name "$lab" --delay 5ms
reach "IPv4 across the link" 10.60.2.1
reach "IPv6 across the link" fd60:2::1
expect "an address that nothing has taken" 1 "No route|unreachable" \
    "${client[@]}" bash -c 'exec 3<>/dev/tcp/10.60.2.77/9'
expect "exec gives the command's status" 7 "" "${client[@]}" sh -c 'exit 7'
capture=("$TCPCT" lab capture --name "$lab" client)
background "$work/capture" "${capture[@]}" "$work/client.pcap"
reach "a capture disturbs nothing" fd60:2::1
if end; then ok "SIGTERM ends a capture with status 0"; else not_ok "SIGTERM ends a capture" "$?"; fi
expect "the capture holds what passed" 0 "fd60:1::1.* > fd60:2::1.9 S " \
    "$TCPCT" dump "$work/client.pcap"
expect "a capture that cannot be written" 1 "cannot write" "${capture[@]}" /nonexistent/file
expect "up again" 1 "lab down --name $lab" "$TCPCT" lab up --name "$lab"
reach "the lab has not suffered" 10.60.2.1
expect "ip netns knows it" 0 "$lab-server" ip netns list
expect "down" 0 "" "$TCPCT" lab down --name "$lab"
gone "nothing is left"
expect "down again" 1 "there is no lab" "$TCPCT" lab down --name "$lab"

expect "the link's own flags are checked" 2 "delay" "$TCPCT" lab up --name "$lab" --delay -5
gone "nothing is left of a lab whose link failed"

mkdir -p "/run/tcpct-lab/$lab"
expect "half built" 1 "lab down --name $lab" "$TCPCT" lab up --name "$lab"
expect "down of what was half built" 0 "" "$TCPCT" lab down --name "$lab"
gone "nothing is left of what was half built"

up
read -r link start <"/run/tcpct-lab/$lab/processes"
kill -KILL "$link"
expect "down after the link has died" 0 "" "$TCPCT" lab down --name "$lab"
gone "nothing is left after the link has died"

up
read -r link start <"/run/tcpct-lab/$lab/processes"
echo "$$ $start" >"/run/tcpct-lab/$lab/processes" # as if the number had passed to this process
expect "down ends no other process" 0 "" "$TCPCT" lab down --name "$lab"
kill -TERM "$link"
gone "nothing is left beside the link"

: >"/run/netns/$lab-server"
expect "a name that is taken" 1 "$lab-server" "$TCPCT" lab up --name "$lab"
expect "a name that is taken stays" 0 "" test -e "/run/netns/$lab-server"
rm "/run/netns/$lab-server"
gone "nothing is left after a name was taken"
expect "enter, as root, runs the command" 3 "" "$TCPCT" lab enter -- sh -c 'exit 3'
