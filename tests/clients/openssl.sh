#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# OpenSSL 3 with libp11's engine: requests, certificates, CMS, TLS, and a CA whose key is on the token.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "OpenSSL: requests, certificates, CMS, TLS, a CA" openssl libengine-pkcs11-openssl opensc
unseen token

choose_port
openssl_cnf <<'TEXT'
subjectKeyIdentifier = hash

[ca]
default_ca = box

[box]
database = index
serial = serial
new_certs_dir = certs
certificate = root.crt
private_key = $ENV::KEY
default_md = sha256
default_days = 90
policy = policy
x509_extensions = leaf

[policy]
commonName = supplied

[leaf]
basicConstraints = CA:false
authorityKeyIdentifier = keyid
TEXT
setting "Make every openssl of this shell use it" <<'SH'
export OPENSSL_CONF=$PWD/openssl.cnf
SH
step "Is the engine there, and does it take the library?" <<'SH'
openssl engine -t -c pkcs11
SH
said "the engine is available" '\[ available \]'

for row in "${key_types[@]}"; do
	choose_key "$row"
	setting "Make it on the token, and say how openssl calls it" <<'SH'
export KEY="pkcs11:token=mytoken;object=root;type=private"
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --keypairgen --key-type "$TYPE" --label root --id 01
SH
	step "A certificate request" <<'SH'
openssl req -new -engine pkcs11 -keyform engine -key "$KEY" -subj /CN=request -out request.csr
openssl req -in request.csr -verify -noout
SH
	said "the request's signature ($TYPE)" 'self-signature verify OK'
	step "A root certificate that the key signs itself" <<'SH'
openssl req -x509 -engine pkcs11 -keyform engine -key "$KEY" -subj "/CN=Root" -days 365 -out root.crt
openssl verify -CAfile root.crt root.crt
SH
	said "openssl verifies it ($TYPE)" 'root.crt: OK'

	step "CMS: a signed mail" <<'SH'
echo "pay 100 to Alice" >message
openssl cms -sign -engine pkcs11 -keyform engine -inkey "$KEY" -signer root.crt -in message -out signed.cms
openssl cms -verify -in signed.cms -CAfile root.crt -purpose any
SH
	said "CMS verifies ($TYPE)" 'CMS Verification successful'
	also "an altered mail does not ($TYPE)" <<'SH'
sed 's/pay 100/pay 900/' signed.cms >altered.cms
! openssl cms -verify -in altered.cms -CAfile root.crt -purpose any
SH
	said "and openssl says so ($TYPE)" 'CMS Verification failure'
	case $TYPE in
	rsa:*)
		step "CMS: a mail encrypted to the certificate" <<'SH'
openssl cms -encrypt -aes256 -in message -out encrypted.cms root.crt
openssl cms -decrypt -engine pkcs11 -keyform engine -inkey "$KEY" -recip root.crt -in encrypted.cms -out plain
diff --strip-trailing-cr message plain
SH
		;;
	esac

	step "TLS: a server whose key is on the token" <<'SH'
openssl s_server -engine pkcs11 -keyform engine -key "$KEY" -cert root.crt -port "$PORT" -www >server.log 2>&1 &
echo $! >server.pid
SH
	ready "$PORT"
	step "TLS: a client" <<'SH'
for version in -tls1_2 -tls1_3; do
	openssl s_client -connect "127.0.0.1:$PORT" -CAfile root.crt -verify_return_error $version </dev/null
done
kill "$(cat server.pid)"
SH
	said "TLS 1.2 ($TYPE)" 'TLSv1.2, Cipher is ECDHE'
	said "TLS 1.3 ($TYPE)" 'TLSv1.3, Cipher is TLS'

	text <<'MD'
## A CA in a box
MD
	step "Issue 100 certificates with openssl ca" <<'SH'
rm -rf certs index* serial*
mkdir certs
touch index
echo 01 >serial
openssl req -new -newkey rsa:2048 -nodes -keyout leaf.key -subj "/CN=host" -out leaf.csr
for n in $(seq 100); do
	openssl ca -batch -notext -engine pkcs11 -keyform engine -in leaf.csr -subj "/CN=host $n" -out "host$n.crt"
done
openssl verify -CAfile root.crt host*.crt
SH
	said "the last one verifies ($TYPE)" 'host99.crt: OK'
	also "100 certificates ($TYPE)" <<'SH'
test "$(openssl verify -CAfile root.crt host*.crt | grep -c ': OK')" = 100
test "$(grep -c '^V' index)" = 100
test "$(cut -f4 index | sort -u | wc -l)" = 100
SH
	also "delete the key ($TYPE)" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type privkey --id 01
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type pubkey --id 01
SH
done
done_testing
