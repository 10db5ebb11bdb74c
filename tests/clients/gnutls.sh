#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# GnuTLS: keys by p11tool, certificates by certtool, a server and a client.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "GnuTLS: p11tool, certtool, gnutls-serv" gnutls-bin
unseen token

text <<'MD'
GnuTLS takes its tokens from [p11-kit](p11-kit.md); `--provider` names the library without that. The PIN
comes from `GNUTLS_PIN`.
MD
setting "Give the PIN" <<'SH'
export GNUTLS_PIN=$PIN
SH
step "See the token and what it can do" <<'SH'
p11tool --provider "$MODULE" --list-tokens
p11tool --provider "$MODULE" --list-mechanisms "pkcs11:token=mytoken"
SH
said "the token's URL" 'URL: pkcs11:model=Luna%20K7;manufacturer=.*;token=mytoken'
said "RSA signatures" 'CKM_SHA256_RSA_PKCS .*sign'
choose_port

for row in "${key_types[@]}"; do
	choose_key "$row"
	if [[ $TYPE = rsa:* ]]; then
		setting "GnuTLS's name for it" <<'SH'
export KIND="--generate-privkey=rsa --bits=${TYPE#*:}"
SH
	else
		setting "GnuTLS's name for it" <<'SH'
export KIND="--generate-privkey=ecdsa --curve=${TYPE#*:}"
SH
	fi
	step "Make a key pair" <<'SH'
p11tool --provider "$MODULE" --login $KIND --label web --id 0a0b --outfile web.pub "pkcs11:token=mytoken"
p11tool --provider "$MODULE" --login --list-privkeys "pkcs11:token=mytoken"
SH
	said "the private key ($TYPE)" 'Type: Private key \((RSA-2048|EC)'
	step "Does it sign?" <<'SH'
p11tool --provider "$MODULE" --login --test-sign "pkcs11:token=mytoken;object=web;type=private"
SH
	said "the token's own key verifies it ($TYPE)" 'Verifying against public key in the token... ok'
	also "the public key comes out as it was given ($TYPE)" <<'SH'
p11tool --provider "$MODULE" --export-pubkey "pkcs11:token=mytoken;object=web;type=public" --outfile again.pub
diff <(openssl pkey -pubin -in web.pub -text -noout) <(openssl pkey -pubin -in again.pub -text -noout)
SH
	file web.template <<'TEXT'
cn = "localhost"
dns_name = "localhost"
expiration_days = 90
ca
cert_signing_key
signing_key
encryption_key
tls_www_server
TEXT
	step "A certificate that the key signs itself, and a request" <<'SH'
certtool --provider "$MODULE" --generate-self-signed --template web.template --outfile web.crt \
	--load-privkey "pkcs11:token=mytoken;object=web;type=private" \
	--load-pubkey "pkcs11:token=mytoken;object=web;type=public"
certtool --provider "$MODULE" --generate-request --template web.template --outfile web.csr \
	--load-privkey "pkcs11:token=mytoken;object=web;type=private" \
	--load-pubkey "pkcs11:token=mytoken;object=web;type=public"
SH
	also "both verify with openssl ($TYPE)" <<'SH'
openssl verify -CAfile web.crt web.crt
openssl req -in web.csr -verify -noout
SH
	said "the request's signature ($TYPE)" 'self-signature verify OK'
	step "Put the certificate on the token" <<'SH'
p11tool --provider "$MODULE" --login --write --load-certificate web.crt --label web --id 0a0b "pkcs11:token=mytoken"
p11tool --provider "$MODULE" --list-all-certs "pkcs11:token=mytoken"
p11tool --provider "$MODULE" --export "pkcs11:token=mytoken;object=web;type=cert" --outfile exported.crt
SH
	said "the certificate is listed ($TYPE)" 'Type: X.509 Certificate'
	also "it comes back as it was ($TYPE)" <<'SH'
cmp <(openssl x509 -in web.crt -outform DER) <(openssl x509 -in exported.crt -outform DER)
SH
	step "TLS: a server with key and certificate from the token" <<'SH'
gnutls-serv --provider "$MODULE" --port "$PORT" --echo \
	--x509keyfile "pkcs11:token=mytoken;object=web;type=private" \
	--x509certfile "pkcs11:token=mytoken;object=web;type=cert" >server.log 2>&1 &
echo $! >server.pid
SH
	ready "${PORT:-}"
	step "TLS: a client" <<'SH'
echo "hello over TLS" | gnutls-cli --x509cafile web.crt --port "$PORT" localhost
SH
	said "the certificate is trusted ($TYPE)" 'Status: The certificate is trusted'
	said "the server answers ($TYPE)" '^hello over TLS'
	also "ten at once, in TLS 1.2 and 1.3 ($TYPE)" <<'SH'
for n in 1 2 3 4 5; do
	for version in 1.2 1.3; do
		echo "hello $n" | gnutls-cli --x509cafile web.crt --port "$PORT" \
			--priority "NORMAL:-VERS-ALL:+VERS-TLS$version" localhost >client$version.$n 2>&1 &
	done
done
wait
for n in 1 2 3 4 5; do
	grep -H "^hello $n" client1.2.$n client1.3.$n
done
kill "$(cat server.pid)"
SH
	step "Delete the key and its certificate" <<'SH'
p11tool --provider "$MODULE" --login --batch --delete "pkcs11:token=mytoken;object=web"
SH
	said "three objects ($TYPE)" '3 objects deleted'
done
step "Random numbers of the token" <<'SH'
p11tool --provider "$MODULE" --generate-random=16 --outfile random "pkcs11:token=mytoken"
SH
also "sixteen bytes" <<'SH'
test "$(stat -c %s random)" = 16
SH
also "keys that are imported" <<'SH'
certtool --generate-privkey --key-type=rsa --bits=2048 --outfile own.pem
p11tool --provider "$MODULE" --login --write --load-privkey own.pem --label own --id 0c "pkcs11:token=mytoken"
p11tool --provider "$MODULE" --login --write --secret-key=000102030405060708090a0b0c0d0e0f \
	--label shared "pkcs11:token=mytoken"
p11tool --provider "$MODULE" --login --list-all "pkcs11:token=mytoken"
p11tool --provider "$MODULE" --login --test-sign "pkcs11:token=mytoken;object=own;type=private"
SH
done_testing
