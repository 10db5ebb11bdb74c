#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# NSS, as in Firefox and Thunderbird: the module in its database, a CA and a user's certificate on the
# token, signed and encrypted mail.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "NSS: modutil, certutil, cmsutil" libnss3-tools
unseen token

text <<'MD'
`-h` names the token; the PIN is in a file. `-z` gives certutil the noise that it otherwise asks a
person for.
MD
for row in "${key_types[@]}"; do
	choose_key "$row"
	step "A database, and the library in it" <<'SH'
mkdir -m 700 db
certutil -N -d sql:db --empty-password
modutil -dbdir sql:db -add luna -libfile "$MODULE" -force
modutil -dbdir sql:db -list luna
SH
	said "NSS knows the token" 'Token Name: mytoken'
	said "as a device" 'Type: Hardware'
	if [[ $TYPE = rsa:* ]]; then
		setting "NSS's name for it" <<'SH'
export KIND="-k rsa -g ${TYPE#*:}"
SH
	else
		setting "NSS's name for it" <<'SH'
export KIND="-k ec -q ${TYPE#*:}"
SH
	fi
	step "A CA whose key is on the token" <<'SH'
umask 077
printf %s "$PIN" >pin
head -c 1000 /dev/urandom >noise
printf 'y\n\nn\n' | certutil -S -d sql:db -h mytoken -f pin -z noise $KIND -Z SHA256 \
	-n root -s "CN=Root $TYPE" -x -t CTu,CTu,CTu -m 1 -v 12 -2 --keyUsage certSigning
SH
	step "A certificate of a person, issued by it, its key on the token, too" <<'SH'
certutil -S -d sql:db -h mytoken -f pin -z noise $KIND -Z SHA256 \
	-n alice -s "CN=Alice,E=alice@example.com" -c mytoken:root -t u,u,u -m 2 -v 12 \
	--keyUsage digitalSignature,keyEncipherment --extKeyUsage emailProtection
SH
	step "See keys and certificates" <<'SH'
certutil -K -d sql:db -h mytoken -f pin
certutil -L -d sql:db -h mytoken -f pin
SH
	said "a certificate with its key ($TYPE)" 'mytoken:alice +u,u,u'
	said "a key ($TYPE)" '< 1> (rsa|ec) +[0-9a-f]{40} +'
	step "A request for another CA" <<'SH'
certutil -R -d sql:db -h mytoken -f pin -z noise $KIND -Z SHA256 -s "CN=request" -o request.der
openssl req -inform DER -in request.der -verify -noout
SH
	said "the request's signature ($TYPE)" 'self-signature verify OK'
	step "Sign a mail, and check it" <<'SH'
echo "pay 100 to Alice" >message
cmsutil -S -d sql:db -f pin -N mytoken:alice -G -i message -o signed.der
cmsutil -D -d sql:db -f pin -i signed.der
SH
	said "the mail ($TYPE)" '^pay 100 to Alice'
	also "openssl verifies it, too ($TYPE)" <<'SH'
certutil -L -d sql:db -h mytoken -f pin -n mytoken:root -a >root.crt
openssl cms -verify -inform DER -in signed.der -CAfile root.crt
SH
	said "it does ($TYPE)" 'CMS Verification successful'
	if [[ $TYPE = rsa:* ]]; then
		step "Somebody encrypts to Alice, who decrypts with the key on the token" <<'SH'
certutil -L -d sql:db -h mytoken -f pin -n mytoken:root -a >root.crt
certutil -L -d sql:db -h mytoken -f pin -n mytoken:alice -a >alice.crt
mkdir -m 700 sender
certutil -N -d sql:sender --empty-password
certutil -A -d sql:sender -n root -t CT,CT, -i root.crt
certutil -A -d sql:sender -n alice -t ,, -i alice.crt
cmsutil -E -d sql:sender -r alice@example.com -i message -o encrypted.der
cmsutil -D -d sql:db -f pin -i encrypted.der -o plain
cmp message plain
SH
	fi
	also "an altered mail is refused ($TYPE)" <<'SH'
python3 -c 'import sys
mail = open("signed.der", "rb").read()
open("altered.der", "wb").write(mail.replace(b"pay 100", b"pay 900"))'
! cmsutil -D -d sql:db -f pin -i altered.der
SH
	step "Delete the keys with their certificates" <<'SH'
certutil -F -d sql:db -h mytoken -f pin -n mytoken:alice
certutil -F -d sql:db -h mytoken -f pin -n mytoken:root
SH
	also "they have gone ($TYPE)" <<'SH'
certutil -L -d sql:db -h mytoken -f pin >left
! grep mytoken: left
rm -rf db sender
SH
done
done_testing
