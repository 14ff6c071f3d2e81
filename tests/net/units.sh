#!/bin/bash
# The systemd units: systemd takes them, and the privileges that they leave are enough to begin with,
# and gone when the program serves.
if [ "$(id -u)" -eq 0 ] && [ -z "${UNITS_NAMESPACE:-}" ]; then
    exec env UNITS_NAMESPACE=1 unshare --net --mount bash "$0"
fi
. "$(dirname "$0")/common.sh"
ip link set lo up

make --no-print-directory -s install DESTDIR="$work/root" PREFIX=/usr >"$work/install" 2>&1 ||
    not_ok "make install" "$(tail -n 5 "$work/install")"
units=$work/root/usr/lib/systemd/system
for name in dnsd stub; do
    # (The path would have to be that of this system.)
    sed -i "s|=/usr/bin/tcpct|=$work/root/usr/bin/tcpct|; s|^EnvironmentFile=/|EnvironmentFile=-/|" \
        "$units/tcpct-$name.service"
    if command -v systemd-analyze >/dev/null; then
        expect "systemd-analyze verify tcpct-$name.service" 0 "" \
            systemd-analyze verify --man=no "$units/tcpct-$name.service"
        expect "without a warning" 1 "" grep -F "tcpct-$name" "$work/error"
    else
        echo "ok systemd-analyze verify tcpct-$name.service # SKIP there is no systemd"
    fi
done
# (Where udev has made it, everybody may open the device; that takes no privilege.)
if [ "$(stat -c %a /dev/net/tun)" != 666 ]; then
    mknod -m 666 "$work/tun" c 10 200 && mount --bind "$work/tun" /dev/net/tun
fi
cp "$TCPCT" "$work/tcpct" # where nobody may run it
cp tools/zones/example.zone "$work/"

# unprivileged CAPABILITIES COMMAND...: as the unit does it; in the place of a subshell.
unprivileged() {
    local list="+${1//,/,+}"
    shift
    exec setpriv --reuid nobody --regid nogroup --clear-groups --no-new-privs --inh-caps "$list" \
        --ambient-caps "$list" --bounding-set "-all,$list" "$@"
}
# none NAME: the process that was started last has no capability any more.
none() {
    local sets
    sets=$(grep -E '^Cap(Inh|Prm|Eff|Amb)' "/proc/${children[-1]}/status" | cut -f 2 | sort -u)
    if [ "$sets" = 0000000000000000 ]; then ok "$1"; else not_ok "$1" "$sets"; fi
}
for name in dnsd stub; do
    capabilities=$(sed -n 's/^AmbientCapabilities=//p' "tools/systemd/tcpct-$name.service.in" |
        tr 'A-Z ' 'a-z,' | sed 's/cap_//g')
    case $name in
    dnsd) options=(--zone "example=$work/example.zone") ;;
    stub) options=(--upstream 10.60.13.2) ;;
    esac
    background "$work/$name" unprivileged "$capabilities" "$work/tcpct" $name --user nobody "${options[@]}" ||
        { not_ok "$name begins with $capabilities" "it does not"; exit; }
    ok "$name begins with $capabilities"
    none "$name has no privilege then"
done
echo 1 >/proc/sys/net/ipv4/ip_forward # between the two devices
expect "they serve" 0 "192.0.2.80" dig @127.0.0.53 one-trip.example A
