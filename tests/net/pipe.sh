#!/bin/bash
# `tcpct pipe`: curl and nginx, which know only the kernel's TCP, speak over TCPCT; and bytes between
# standard input and output. Two namespaces and a link of 10 ms each way.
. "$(dirname "$0")/common.sh"

port=8000
far=10.60.2.80 # the stack in the server's namespace
up --delay 10ms

# ---- wrong use -----------------------------------------------------------------------------------
expect "no place to go" 2 "say ADDRESS PORT" "$TCPCT" pipe
expect "a bad address" 2 "expected an IP address" "$TCPCT" pipe nowhere 80
expect "a bad port" 2 "from 1 to 65535" "$TCPCT" pipe 192.0.2.1 0
expect "--serve alone" 2 "go together" "$TCPCT" pipe --serve 80
expect "--to without a port" 2 "a host that is known" "$TCPCT" pipe --serve 80 --to 127.0.0.1
expect "--listen without a port" 2 "an address and a port" "$TCPCT" pipe --listen 127.0.0.1 192.0.2.1 80
expect "--idempotent with --serve" 2 "the end that connects" \
    "$TCPCT" pipe --serve 80 --to 127.0.0.1:80 --idempotent

# ---- nginx, with a configuration of its own -------------------------------------------------------
mkdir "$work/www"
head -c 30000 /dev/urandom >"$work/www/small"
head -c 3000000 /dev/urandom >"$work/www/large"
cat >"$work/nginx.conf" <<END
worker_processes 1;
daemon off;
user root;
pid $work/nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
    access_log $work/access;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    server {
        listen 127.0.0.1:$port;
        root $work/www;
        location /echo {
            client_max_body_size 10m;
            return 200 "got it\n";
        }
    }
}
END
"${server[@]}" nginx -c "$work/nginx.conf" -e stderr >"$work/nginx" 2>&1 </dev/null &
children+=($!)
for _ in {1..200}; do
    "${server[@]}" curl -s "http://127.0.0.1:$port/small" >"$work/got" && break
    read -rt 0.05 <> <(:) || true
done
expect "nginx serves" 0 "" cmp "$work/got" "$work/www/small"

background "$work/serve" "${server[@]}" "$TCPCT" pipe --tun tcpct0 --addr $far --addr fd60:2::80 \
    --serve 80 --to 127.0.0.1:$port --stats "$work/serve.json"
serve=${children[-1]}

# get NAME URL FILE [OPTION]...: curl gets it whole.
get() {
    local name=$1 url=$2 file=$3
    shift 3
    expect "$name" 0 "" "${client[@]}" curl -sS --max-time 30 "$@" -o "$work/got" "$url"
    expect "$name: every byte" 0 "" cmp "$work/got" "$file"
}

# statistics PROCESS FILE: has it write them.
statistics() {
    : >"$2"
    kill -USR1 "$1"
    for _ in {1..200}; do
        grep -q '^}' "$2" && return
        read -rt 0.05 <> <(:) || true
    done
}

for address in $far fd60:2::80; do
    own=10.60.1.80
    [ $address = $far ] || own=fd60:1::80
    background "$work/listen" "${client[@]}" "$TCPCT" pipe --tun tcpct0 --addr $own \
        --listen 127.0.0.1:$port $address 80 --idempotent --stats "$work/listen.json"
    listen=${children[-1]}
    get "curl gets a file, $address" "http://127.0.0.1:$port/small" "$work/www/small"
    get "again, $address" "http://127.0.0.1:$port/small" "$work/www/small"
    statistics "$listen" "$work/listen.json"
    expect "which was a restart, $address" 0 '"restarts": 1,' cat "$work/listen.json"
    expect "that needed nothing else, $address" 0 '"restarts_lost": 0,' cat "$work/listen.json"
    get "curl gets 3 MB, $address" "http://127.0.0.1:$port/large" "$work/www/large"
    expect "three files in one connection, $address" 0 "" "${client[@]}" curl -sS --max-time 30 \
        "http://127.0.0.1:$port/small" "http://127.0.0.1:$port/large" "http://127.0.0.1:$port/small" \
        -o "$work/got" -o "$work/got2" -o "$work/got3"
    expect "every byte of the second" 0 "" cmp "$work/got2" "$work/www/large"
    expect "every byte of the third" 0 "" cmp "$work/got3" "$work/www/small"
    expect "curl posts 3 MB, $address" 0 "got it" "${client[@]}" curl -sS --max-time 30 \
        --data-binary "@$work/www/large" "http://127.0.0.1:$port/echo"
    expect "eight at once, $address" 0 "" "${client[@]}" curl -sS --max-time 60 --parallel \
        "http://127.0.0.1:$port/small?[1-8]" -o "$work/many#1"
    for i in {1..8}; do cmp "$work/many$i" "$work/www/small" || not_ok "file $i of eight" "differs"; done
    if end; then ok "SIGTERM ends the listener"; else not_ok "SIGTERM ends the listener" "$?"; fi
done

# Without --idempotent nothing may be executed twice: the restart says nothing before it is answered.
background "$work/listen" "${client[@]}" "$TCPCT" pipe --tun tcpct0 --addr 10.60.1.81 \
    --listen 127.0.0.1:$port $far 80 --stats "$work/listen.json"
listen=${children[-1]}
for i in 1 2; do
    expect "post $i" 0 "got it" "${client[@]}" curl -sS --max-time 30 \
        --data-binary "@$work/www/small" "http://127.0.0.1:$port/echo"
done
statistics "$listen" "$work/listen.json"
expect "the second post was a restart" 0 '"restarts": 1,' cat "$work/listen.json"
if end; then ok "SIGTERM ends it"; else not_ok "SIGTERM ends it" "$?"; fi

# A guarded server takes nothing twice, and so no restart: the client finds another way at once.
background "$work/guarded" "${server[@]}" "$TCPCT" pipe --tun tcpct1 --addr 10.60.2.81 \
    --serve 80 --to 127.0.0.1:$port --guarded=1000 --stats "$work/guarded.json"
background "$work/listen" "${client[@]}" "$TCPCT" pipe --tun tcpct0 --addr 10.60.1.81 \
    --listen 127.0.0.1:$port 10.60.2.81 80 --idempotent
for i in 1 2 3; do get "guarded, $i" "http://127.0.0.1:$port/small" "$work/www/small"; done
end
end
expect "no restart was taken" 0 '"restarts": 0,' cat "$work/guarded.json"

# ---- standard input and output ---------------------------------------------------------------------
request="GET /small HTTP/1.0\r\n\r\n"
standard=("${client[@]}" "$TCPCT" pipe --tun tcpct0 --addr 10.60.1.82 $far 80)
printf "$request" | timeout 30 "${standard[@]}" >"$work/raw"
tail -c 30000 "$work/raw" >"$work/got"
expect "through a pipe and a file" 0 "" cmp "$work/got" "$work/www/small"
printf "$request" >"$work/request"
timeout 30 "${standard[@]}" <"$work/request" | tail -c 30000 >"$work/got"
expect "from a file through a pipe" 0 "" cmp "$work/got" "$work/www/small"
expect "nobody listens there" 1 "the connection is lost" \
    "${client[@]}" "$TCPCT" pipe --tun tcpct0 --addr 10.60.1.82 $far 81

# ---- errors pass -----------------------------------------------------------------------------------
background "$work/listen" "${client[@]}" "$TCPCT" pipe --tun tcpct0 --addr 10.60.1.83 \
    --listen 127.0.0.1:$port $far 81
expect "a refusal resets the kernel's connection" 56 "" \
    "${client[@]}" curl -sS --max-time 30 "http://127.0.0.1:$port/small"
end
statistics "$serve" "$work/serve.json"
expect "no connection is left" 0 '"relays_now": 0,' cat "$work/serve.json"
expect "the server's end counts restarts" 0 '"restarts": [1-9]' cat "$work/serve.json"
if end; then ok "SIGTERM ends the server's end"; else not_ok "SIGTERM ends the server's end" "$?"; fi
