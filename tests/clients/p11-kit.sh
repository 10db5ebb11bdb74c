#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# p11-kit: the token beside others in one list, and over a socket, from a container that has no device.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "p11-kit: all programs at once, containers, other hosts" p11-kit p11-kit-modules opensc bubblewrap
unseen token

text <<'MD'
Programs that take their tokens from p11-kit (GnuTLS, and what is built on it) find ours when p11-kit
knows the library. A file for all users goes to `/etc/pkcs11/modules`, which also serves root.
MD
step "Tell p11-kit" <<'SH'
mkdir -p ~/.config/pkcs11/modules
echo "module: $MODULE" >~/.config/pkcs11/modules/luna.module
SH
# p11-kit reads no file of root's own: root gets them where those for all users are, unseen by others.
# shellcheck disable=SC2016
[ "$(id -u)" != 0 ] || view=(unshare --mount sh -c
	'mount --bind ~/.config/pkcs11/modules /usr/share/p11-kit/modules && exec "$0" "$@"')
step "See the token" <<'SH'
p11-kit list-modules
SH
said "the library" 'library-description: Luna-style software token'
said "the token" 'token: mytoken'

text <<'MD'
## p11-kit-proxy

One library that shows the tokens of all: for programs that take a single one.
MD
step "Make a key through the proxy, sign, verify" <<'SH'
export PROXY=/usr/lib/x86_64-linux-gnu/p11-kit-proxy.so
echo "pay 100 to Alice" >message
pkcs11-tool --module $PROXY --token-label mytoken --login --pin "$PIN" \
	--keypairgen --key-type rsa:2048 --label proxy --id 01
pkcs11-tool --module $PROXY --token-label mytoken --login --pin "$PIN" \
	--sign --id 01 --mechanism SHA256-RSA-PKCS --input-file message --output-file signature
pkcs11-tool --module $PROXY --token-label mytoken --read-object --type pubkey --id 01 --output-file key.pub
openssl dgst -sha256 -keyform DER -verify key.pub -signature signature message
SH
said "openssl agrees" 'Verified OK'
also "OpenSC's tests through the proxy" <<'SH'
pkcs11-tool --module /usr/lib/x86_64-linux-gnu/p11-kit-proxy.so --token-label mytoken --login --pin "$PIN" --test
SH
said "no errors" 'No errors'

text <<'MD'
## Containers

`p11-kit server` offers the token on a socket; `p11-kit-client.so` is the library at the other end. The
container needs the socket and this one library, neither the device nor ours.
MD
setting "Offer the token on a socket" <<'SH'
mkdir -p -m 700 socket
eval "$(p11-kit server --name "$PWD/socket/luna" --provider "$MODULE" "pkcs11:token=mytoken")"
echo "$P11_KIT_SERVER_PID" >server.pid
SH
file container <<'TEXT'
#!/bin/sh
# Runs a command where nothing but /usr, the socket and the working directory exists.
exec bwrap --unshare-all --die-with-parent --clearenv \
	--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
	--proc /proc --dev /dev --tmpfs /tmp \
	--bind "$PWD/socket" /run/p11-kit --bind "$PWD" /work --chdir /work \
	--setenv PATH /usr/bin --setenv PIN "$PIN" \
	--setenv P11_KIT_SERVER_ADDRESS unix:path=/run/p11-kit/luna "$@"
TEXT
step "Sign in the container" <<'SH'
export CLIENT=/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so
chmod 700 container
./container pkcs11-tool --module $CLIENT --login --pin "$PIN" --list-objects
./container pkcs11-tool --module $CLIENT --login --pin "$PIN" \
	--sign --id 01 --mechanism SHA256-RSA-PKCS --input-file message --output-file signature2
openssl dgst -sha256 -keyform DER -verify key.pub -signature signature2 message
SH
said "the key is seen in the container" 'Private Key Object; RSA'
said "openssl agrees with the container's signature" 'Verified OK'
also "the container has no device" <<'SH'
! ./container ls "$LUNA_DEVICES"
SH
also "a key of the container's own, encryption, and its end" <<'SH'
export CLIENT=/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so
printf 0123456789abcdef >block
./container pkcs11-tool --module $CLIENT --login --pin "$PIN" --keygen --key-type AES:32 --label boxed --id 02
./container pkcs11-tool --module $CLIENT --login --pin "$PIN" --encrypt --id 02 --mechanism AES-ECB \
	--input-file block --output-file secret
./container pkcs11-tool --module $CLIENT --login --pin "$PIN" --decrypt --id 02 --mechanism AES-ECB \
	--input-file secret --output-file plain
cmp block plain
./container pkcs11-tool --module $CLIENT --login --pin "$PIN" --delete-object --type secrkey --id 02
SH
also "several containers at once" <<'SH'
export CLIENT=/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so
for n in 1 2 3 4; do
	./container pkcs11-tool --module $CLIENT --login --pin "$PIN" --sign --id 01 \
		--mechanism SHA256-RSA-PKCS --input-file message --output-file sig$n &
done
wait
for n in 1 2 3 4; do
	openssl dgst -sha256 -keyform DER -verify key.pub -signature sig$n message
done
SH

text <<'MD'
For another host, let ssh carry the socket:
`ssh -R /run/user/1000/luna.sock:$PWD/socket/luna host`, and there
`P11_KIT_SERVER_ADDRESS=unix:path=/run/user/1000/luna.sock`. Or let p11-kit start the far end itself, with a
module file that says `remote: |ssh user@host p11-kit remote /usr/local/lib/x86_64-linux-gnu/libluna.so`.
MD
also "p11-kit remote over a pipe, as ssh would be one" <<'SH'
echo "remote: |$(command -v p11-kit) remote $MODULE" >~/.config/pkcs11/modules/luna.module
SH
step_remote='pkcs11-tool --module /usr/lib/x86_64-linux-gnu/p11-kit-proxy.so --token-label mytoken --login --pin "$PIN" --sign --id 01 --mechanism SHA256-RSA-PKCS --input-file message --output-file signature3
openssl dgst -sha256 -keyform DER -verify key.pub -signature signature3 message'
also "a signature through p11-kit remote" <<<"$step_remote"
said "openssl agrees with the remote signature" 'Verified OK'
done_testing
