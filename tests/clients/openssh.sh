#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# OpenSSH with its key on the token: straight from the library, and through ssh-agent; logins to an sshd
# of the test's own.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "OpenSSH: logins with a key on the token" openssh-client opensc
unseen token
[ -n "$print_page" ] || choose_port

for row in "${key_types[@]}"; do
	choose_key "$row"
	step "Make a key pair" <<'SH'
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --keypairgen --key-type "$TYPE" --label ssh --id 01
SH
	step "Its public key, for the server's authorized_keys" <<'SH'
ssh-keygen -D "$MODULE" >token.pub
cat token.pub
SH
	said "a public key with its label ($TYPE)" '^[a-z0-9-]+ AAAA[^ ]+ ssh$'

	# The server, which a reader has somewhere else. sshd wants the directory when root starts it.
	also "a server of our own ($TYPE)" <<'SH'
[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
rm -f host*
ssh-keygen -q -t ed25519 -N '' -f host
cat >sshd_config <<CONF
Port $PORT
ListenAddress 127.0.0.1
HostKey $PWD/host
PidFile $PWD/sshd.pid
AuthorizedKeysFile $PWD/token.pub
AuthenticationMethods publickey
StrictModes no
UsePAM no
CONF
"$(command -v sshd)" -f "$PWD/sshd_config" -E "$PWD/sshd.log"
mkdir -p -m 700 ~/.ssh
cat >client.conf <<CONF
Host server
HostName 127.0.0.1
Port $PORT
User $(id -un)
UserKnownHostsFile $PWD/known_hosts
StrictHostKeyChecking accept-new
HostKeyAlias server-$TYPE
LogLevel ERROR
CONF
cat >ssh <<CLIENT
#!/bin/sh
exec /usr/bin/ssh -F $PWD/client.conf "\$@"
CLIENT
chmod +x ssh
SH
	ready "${PORT:-}"
	[ -n "$print_page" ] || export PATH=$work:$PATH

	text <<'MD'
ssh asks for the PIN on the terminal. Where there is none, as in a script, a program says it.
MD
	file askpass <<'TEXT'
#!/bin/sh
echo "$PIN"
TEXT
	setting "Let that program answer" <<'SH'
chmod 700 askpass
export SSH_ASKPASS=$PWD/askpass SSH_ASKPASS_REQUIRE=force
SH
	step "Log in with the key of the token" <<'SH'
ssh -o PKCS11Provider="$MODULE" server 'echo logged in on $(uname -n)'
SH
	said "logged in ($TYPE)" '^logged in on '

	text <<'MD'
## With ssh-agent

An agent opens libraries of some directories only, `/usr/lib` and `/usr/local/lib` among them. For one
somewhere else, such as a build tree, `-P` names it.
MD
	setting "Start an agent that may use the library" <<'SH'
eval "$(ssh-agent -P "$(realpath "$MODULE")")"
SH
	step "Give it the token's keys; this is where the PIN is needed, once" <<'SH'
ssh-add -s "$MODULE"
ssh-add -l
SH
	said "the agent has the key ($TYPE)" ' ssh \((RSA|ECDSA)\)'
	step "Can it use the key?" <<'SH'
ssh-add -T token.pub
SH
	step "Log in without a PIN" <<'SH'
ssh -o BatchMode=yes server 'echo logged in by the agent'
SH
	said "logged in by the agent ($TYPE)" '^logged in by the agent'
	also "many logins at once by one agent ($TYPE)" <<'SH'
for n in 1 2 3 4 5 6; do
	ssh -o BatchMode=yes server "echo login $n" &
done
wait
SH
	also "all of them ($TYPE)" <<'SH'
for n in 1 2 3 4 5 6; do
	ssh -o BatchMode=yes server "echo login $n" >login$n &
done
wait
grep -h login login? | sort -u >logins
test "$(wc -l <logins)" = 6
SH
	also "an SSH certificate's signature by a CA on the token ($TYPE)" <<'SH'
ssh-keygen -q -t ed25519 -N '' -f user$$
ssh-keygen -q -U -s token.pub -I alice -n alice user$$.pub
ssh-keygen -L -f user$$-cert.pub
SH
	said "the certificate names its CA ($TYPE)" 'Signing CA: '
	step "Take the keys away again" <<'SH'
ssh-add -e "$MODULE"
ssh-agent -k
SH
	also "without the token there is no login ($TYPE)" <<'SH'
! SSH_AUTH_SOCK='' ssh -o BatchMode=yes server true
kill "$(cat sshd.pid)"
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type privkey --id 01
pkcs11-tool --module "$MODULE" --login --pin "$PIN" --delete-object --type pubkey --id 01
SH
	said "but a refusal ($TYPE)" 'Permission denied \(publickey\)'
done
done_testing
