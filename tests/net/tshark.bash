#!/bin/bash
# tshark.bash FILE.pcap - has tshark look for malformed packets and bad checksums; prints `clean`,
# or the packets at fault. The header extension stands where tshark expects data, so DNS dissection
# is off; kinds 253 and 254 mean nothing to it.
set -eu
quiet() { grep -v 'Running as user "root"' >&2 || true; }
packets=$(tshark -r "$1" 2> >(quiet) | wc -l)
faults=$(tshark -r "$1" --disable-protocol dns -o ip.check_checksum:TRUE \
    -o tcp.check_checksum:TRUE -Y '_ws.malformed || ip.checksum.status == "Bad" ||
        tcp.checksum.status == "Bad" || _ws.expert.severity == "Error"' 2> >(quiet))
[ -z "$faults" ] || { echo "$faults"; exit 1; }
[ "$packets" -gt 0 ] && echo "clean: $packets packets"
