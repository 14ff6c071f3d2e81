#!/bin/bash
# Our stack against the kernel's TCP, across 20 ms and 50 Mbit/s, in both roles: bulk, with and
# without loss, half-close, resets, zero windows, a smaller MTU on the way; IPv4 and IPv6. What
# passed is shown to tshark in the end.
. "$(dirname "$0")/kernel.bash"

bulk="--send 2mb"

# ---- nothing is lost ----------------------------------------------------------------------------
with
roles "2 MB to the kernel" "$bulk" ""
roles "2 MB from the kernel" "" "$bulk"
roles "2 MB both ways at once" "$bulk" "$bulk --seed 2"
roles "half-close: we answer after the kernel's end" "$bulk --after-end" "--send 300kb --seed 2"
roles "half-close: the kernel answers after our end" "--send 300kb" "$bulk --after-end --seed 2"
roles "nothing but the end" "" ""
roles "without offload" "$bulk --no-offload" "$bulk --seed 2"
roles "plain, without offering cookies" "$bulk --cookie-desired 0" "$bulk --seed 2"
without
none "tshark: nothing is missing" "$missing"

# ---- windows and resets --------------------------------------------------------------------------
with
roles "we do not read for 1.5 s" "--pause 1500ms" "--send 4mb"
roles "the kernel does not read for 1.5 s" "--send 4mb" "--pause 1500ms"
roles "we reset" "--abort 100kb" "$bulk" aborted reset
roles "the kernel resets" "$bulk" "--abort 100kb" reset aborted
expect "the kernel refuses" 0 "^end=refused" "${ours[@]}" --connect 10.60.2.1@7009
meet "--listen 7001 --limit 1s" "--connect 10.60.1.2@7002"
ended "we refuse" limit refused
without
some "tshark: our window was closed" 'tcp.window_size == 0 && tcp.dstport != 7009 &&
    (ip.src == 10.60.1.2 || ipv6.src == fd60:1::2) && tcp.flags.reset == 0'
some "tshark: the kernel's was, and we probed it" 'tcp.analysis.zero_window_probe ||
    (tcp.analysis.keep_alive && (ip.src == 10.60.1.2 || ipv6.src == fd60:1::2))'

# ---- loss --------------------------------------------------------------------------------------
with --loss 1% --seed 7
roles "1 % lost, 2 MB to the kernel" "$bulk" ""
roles "1 % lost, 2 MB from the kernel" "" "$bulk"
roles "1 % lost, 2 MB both ways at once" "$bulk" "$bulk --seed 2"
without

# ---- a smaller MTU on the way ------------------------------------------------------------------
# Both ends announce 1500 bytes; what is larger than 1300 the kernel between stack and link refuses.
with
"${client[@]}" ip link set link0 mtu 1300
roles "MTU 1300 on the way, 2 MB" "$bulk" ""
roles "MTU 1300 on the way, without offload" "$bulk --no-offload" ""
without
some "tshark: IPv4 packets of 1300 bytes" "ip.src == 10.60.1.2 && ip.len == 1300"
some "tshark: IPv6 packets of 1300 bytes" "ipv6.src == fd60:1::2 && ipv6.plen == 1260"
