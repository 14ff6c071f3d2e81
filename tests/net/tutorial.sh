#!/bin/bash
# The tutorial does what it says: every example of tools/tcpct-tutorial.7, in its order, in one shell.
. "$(dirname "$0")/common.sh"
page=$PWD/tools/tcpct-tutorial.7
mkdir "$work/bin" "$work/folder"
ln -s "$TCPCT" "$work/bin/tcpct"

# A lab of another name than the one that a person may have up.
sed -n '/^\.EX/,/^\.EE/p' "$page" | sed '/^\.E[XE]/d; s/\\-/-/g; s/\\e/\\/g' |
    sed "s/tcpct lab \(up\|down\|exec\|change\|counters\)/& --name $lab/" >"$work/script"
cd "$work/folder" || exit
if PATH=$work/bin:$PATH timeout 240 sh -ex "$work/script" >"$work/out" 2>"$work/error" </dev/null; then
    ok "every example ends well"
else
    not_ok "every example ends well" "$(tail -n 5 "$work/error" "$work/out")"
fi
cp "$work/out" "$work/shown"
expect "one round trip" 0 "syn-data: [0-9]+ round trip" cat "$work/shown"
expect "the kernel's TCP answers" 0 '"mode": "tcp", "rcode": 0' cat "$work/shown"
expect "restarts" 0 '"mode": "restart", "rcode": 0' cat "$work/shown"
expect "plain, without the option" 0 '"mode": "plain", "rcode": 0' cat "$work/shown"
expect "a table of middleboxes" 0 "strip-options 253 +plain" cat "$work/shown"
for file in boxes/report.html mine/all-time_ms-by-delay.svg lossy/report.html ladder.svg; do
    if [ -s "$file" ]; then ok "$file"; else not_ok "$file" "is not there"; fi
done
expect "the seed is on record" 0 '"seed": "7"' cat lossy/parameters.json
