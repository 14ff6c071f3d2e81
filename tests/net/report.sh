#!/bin/bash
# The report of an experiment and its pictures in a browser: no error, nothing fetched, and text that
# can be read in light and dark. Chromium runs in a network namespace of its own, without a network.
. "$(dirname "$0")/common.sh"
if ! command -v chromium >/dev/null; then
    echo "ok report # SKIP needs chromium"
    exit 0
fi

# Ten ways, so that every colour is there.
cat >"$work/page.lab" <<END
title  Titles & <marks> "in" it
about
       A paragraph.

       Another, with <b>no markup</b>.
host   client 10.60.1.0/24
vary   size 1000 2000
measure client one
       echo "{\"time_ms\": \$size}"; echo "{\"time_ms\": \$((size + 3))}"
measure client "two & <three>"
       echo "{\"time_ms\": \$((size * 2))}"
$(for i in {3..10}; do printf 'measure client %d\n       echo "{\\"time_ms\\": %d}"\n' $i $((i * 900)); done)
table  time_ms
lines  size time_ms log=x log=y "A <picture>"
bars   size time_ms
cdf    time_ms log=x
END
if "$TCPCT" lab run "$work/page.lab" --name "$lab" --out "$work/page" >"$work/out" 2>&1; then
    ok "a report"
else
    not_ok "a report" "$(cat "$work/out")"
    exit
fi

# browse FILE FLAG...: the page as it became is in $work/dom, what went wrong in $work/console.
browse() {
    local file=$1
    shift
    rm -rf "$work/profile"
    timeout 100 unshare --net chromium --headless --no-sandbox --disable-gpu --disable-quic \
        --no-first-run --disable-background-networking --disable-component-update --disable-sync \
        --user-data-dir="$work/profile" --enable-logging=stderr "$@" --dump-dom "file://$file" \
        >"$work/dom" 2>"$work/browser"
    grep -o 'CONSOLE.*' "$work/browser" >"$work/console" || true
}

for picture in "$work"/page/*.svg; do
    name=$(basename "$picture")
    browse "$picture"
    if [ -s "$work/console" ] || ! grep -q "</svg>" "$work/dom"; then
        not_ok "$name opens without error" "$(cat "$work/console" "$work/dom" | head -c 500)"
    else
        ok "$name opens without error"
    fi
done

# The page's own policy lets no script run, so here another stands in its place: one that forbids every
# fetch, and has each attempt reported. Contrast is WCAG 2's.
cat >"$work/script.html" <<'END'
<script>
const faults = [];
addEventListener('securitypolicyviolation', e => faults.push('fetches ' + e.blockedURI));
addEventListener('error', e => faults.push('error ' + e.message), true);
addEventListener('load', () => {
    const light = c => {
        const [r, g, b] = c.match(/[\d.]+/g).map(v => v / 255)
            .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
    };
    const check = (what, element, colour, paper, least) => {
        const ratio = contrast(colour, paper);
        if (!(ratio >= least)) faults.push(what + ' ' + colour + ' on ' + paper + ': ' + ratio);
    };
    const style = e => getComputedStyle(e);
    let texts = 0;
    const page = style(document.body).backgroundColor;
    for (const e of document.querySelectorAll('h1, h2, p, th, td, a')) {
        check('text', e, style(e).color, page, 4.5);
        texts++;
    }
    for (const svg of document.querySelectorAll('svg')) {
        const paper = style(svg.querySelector('.paper')).fill;
        for (const e of svg.querySelectorAll('text')) {
            check('text in a picture', e, style(e).fill, paper, 4.5);
            texts++;
        }
        for (const e of svg.querySelectorAll('.mark, .bar')) check('mark', e, style(e).fill, paper, 3);
        for (const e of svg.querySelectorAll('.line')) check('line', e, style(e).stroke, paper, 3);
    }
    if (performance.getEntriesByType('resource').length > 0) faults.push('something was fetched');
    document.title = 'dark ' + matchMedia('(prefers-color-scheme: dark)').matches + ', pictures ' +
        document.querySelectorAll('svg').length + ', ' + (texts > 50 ? 'texts' : 'no texts') +
        ', faults ' + faults.join('; ');
});
</script>
END
sed "s/style-src 'unsafe-inline'/script-src 'unsafe-inline'; &/" "$work/page/report.html" |
    sed "/<meta name=\"viewport\"/r $work/script.html" >"$work/page.html"
browse "$work/page/report.html"
if [ -s "$work/console" ]; then not_ok "the page opens without error" "$(cat "$work/console")"; else
    ok "the page opens without error"; fi
for scheme in 0:true 1:false; do
    browse "$work/page.html" --blink-settings=preferredColorScheme=${scheme%:*}
    expect "dark ${scheme#*:}: text can be read, nothing is fetched, nothing fails" 0 \
        "<title>dark ${scheme#*:}, pictures 4, texts, faults </title>" cat "$work/dom"
done
