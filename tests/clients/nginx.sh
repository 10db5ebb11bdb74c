#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# nginx with the TLS key on the token: worker processes that fork, many connections at once, a reload
# under load; no handshake may fail.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "nginx: a TLS key on the token" nginx-light libengine-pkcs11-openssl opensc
unseen token
choose_port

openssl_cnf 'init = 1' <<'TEXT'
subjectAltName = DNS:localhost
TEXT
step "Write nginx's configuration" <<'SH'
cat >nginx.conf <<CONF
user $(id -un);
worker_processes 2;
pid $PWD/nginx.pid;
error_log $PWD/error.log notice;
ssl_engine pkcs11;
env MODULE;
env PIN;
env LUNA_DEVICES;
env OPENSSL_CONF=$PWD/openssl.cnf;
events {}
http {
	access_log off;
	client_body_temp_path $PWD/body;
	proxy_temp_path $PWD/proxy;
	fastcgi_temp_path $PWD/fastcgi;
	uwsgi_temp_path $PWD/uwsgi;
	scgi_temp_path $PWD/scgi;
	server {
		listen 127.0.0.1:$PORT ssl;
		ssl_certificate $PWD/web.crt;
		ssl_certificate_key "engine:pkcs11:pkcs11:token=mytoken;object=web;type=private";
		ssl_session_tickets off;
		location / {
			return 200 "hello from worker \$pid\n";
		}
	}
}
CONF
SH
text <<'MD'
The workers run as `user`, who must be able to open the devices: the account that runs `luna-fuse`, or
with `luna.ko` one of the group `luna`. (libp11 0.4.12 waits for ever, and the worker with it, when a
worker cannot open the token.) `env` hands on what the engine's configuration and the library read.
MD
for row in "${key_types[@]}"; do
	choose_key "$row"
	step "A key, and its certificate" <<'SH'
export OPENSSL_CONF=$PWD/openssl.cnf
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --keypairgen --key-type "$TYPE" --label web --id 01
openssl req -x509 -engine pkcs11 -keyform engine -key "pkcs11:token=mytoken;object=web;type=private" \
	-subj /CN=localhost -days 90 -out web.crt
SH
	step "Start it" <<'SH'
export OPENSSL_CONF=$PWD/openssl.cnf
nginx -p "$PWD" -c nginx.conf -t
nginx -p "$PWD" -c nginx.conf
SH
	ready "${PORT:-}"
	step "Fetch a page" <<'SH'
python3 - <<'PYTHON'
import os, ssl, urllib.request
context = ssl.create_default_context(cafile="web.crt")
print(urllib.request.urlopen(f"https://localhost:{os.environ['PORT']}/", context=context).read().decode())
PYTHON
SH
	said "the page ($TYPE)" '^hello from worker'

	# Handshakes from 16 threads, each new; the configuration is read again in the middle of them, so
	# that there are workers of two generations.
	[ -n "$print_page" ] || file load.py <<'TEXT'
import os, socket, ssl, subprocess, sys, threading
port, count, failed, workers = int(os.environ["PORT"]), 40, [], set()

def client():
	for n in range(count):
		context = ssl.create_default_context(cafile="web.crt")
		if n % 2:
			context.maximum_version = ssl.TLSVersion.TLSv1_2
		try:
			with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
				with context.wrap_socket(plain, server_hostname="localhost") as tls:
					tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
					answer = b""
					while part := tls.recv(4096):
						answer += part
					workers.add(answer.split()[-1])
		except Exception as e:
			failed.append(repr(e))

threads = [threading.Thread(target=client) for _ in range(16)]
for t in threads:
	t.start()
subprocess.run(["nginx", "-p", ".", "-c", "nginx.conf", "-s", "reload"], check=True,
	       env=os.environ | {"OPENSSL_CONF": os.path.abspath("openssl.cnf")})
for t in threads:
	t.join()
print(f"{len(threads) * count} connections, {len(failed)} failed, {len(workers)} workers")
print(*failed[:5], sep="\n")
sys.exit(bool(failed) or len(workers) < 2)
TEXT
	also "640 handshakes by 16 clients, and a reload ($TYPE)" <<'SH'
python3 load.py
SH
	said "none failed ($TYPE)" '^640 connections, 0 failed'
	also "nothing in nginx's log above notice ($TYPE)" <<'SH'
! grep -v '"user" directive' error.log | grep -E '\[(warn|error|crit|alert|emerg)\]'
SH
	step "Stop it" <<'SH'
kill "$(cat nginx.pid)"
SH
	also "delete the key ($TYPE)" <<'SH'
for n in $(seq 100); do [ -e nginx.pid ] || break; sleep 0.2; done
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type privkey --id 01
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type pubkey --id 01
SH
done
done_testing
