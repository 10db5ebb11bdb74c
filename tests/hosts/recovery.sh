#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# HA recovery on two hosts, as an operator lives it: the secondary restarts, and the service there gets its
# key back through the primary, without any PIN on its host. Of all kinds of tokens; and when the primary is
# down, or the wrong one. TAP. hosta is the primary, hostb the secondary.
#
# usage: recovery.sh BUILD-TREE
set -euo pipefail
build=$(realpath "$1")
# shellcheck source=tests/hosts/lib.sh
. "$(dirname "$0")/lib.sh"
example=$(realpath "$hosts_lib/../../tools/examples/ha-service.py")
library=$build/lib/pkcs11/libluna.so
app=(--app-id 1:40)
sign=(lunactl sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in /run/etc/host_key --out /run/signature)
hosts_up

# The tokens with a key "signer" of the service on both, and HA login set up by the operator of hosta.
# Afterwards there is no PIN on hostb.
set_up() {
	local name=$1
	shift
	token hosta 0 primary "$@"
	token hostb 0 secondary "$@"
	host_allows hosta "$peer"
	if [ "${mofn:-}" ]; then
		on hosta lunactl mofn generate --slot 0 --m 2 --n 3 --out-dir /run/etc/shares --cloneable "${co[@]}" > "$work/out"
		on hosta lunactl mofn activate --slot 0 "${co[@]}" /run/etc/shares/share-1 /run/etc/shares/share-3 > "$work/out"
		t "$name: the M of N secret goes to the secondary" 0 "secret is cloned" "" \
			hosta lunactl mofn clone --from 0 --remote "ssh hostb $peer" "${co[@]}"
		on hosta cat /run/etc/shares/share-2 > "$work/share-2"
		on hosta cat /run/etc/shares/share-3 > "$work/share-3"
		on hostb lunactl mofn activate --slot 0 "${co[@]}" "$work/share-2" "$work/share-3" > "$work/out"
	fi
	key hosta rsa signer
	on hosta lunactl export --slot 0 --label signer "${co[@]}" --out "$work/signer.pem"
	t "$name: the service's key goes to the secondary" 0 "2 objects cloned" "" \
		hosta lunactl migrate --from 0 --label signer --remote "ssh hostb $peer" "${co[@]}"
	# shellcheck disable=SC2086
	t "$name: ha setup" 0 "Made login key.*'secondary'\) of hostb can be logged in through slot 0" "" \
		hosta lunactl ha setup --primary 0 --remote "ssh hostb $peer" ${public:-} "${co[@]}"
	on hostb rm /run/etc/co /run/etc/so
	host_allows hosta "$peer --slot 0 --only login-primary"
}

restart() {
	daemon_stop hostb
	daemon_start hostb
}

service() { on hostb env "P11_LIB=$library" python3 "$example" 0 signer /run/letter "${1:-ssh hosta lunactl peer}"; }

signs() {
	on hostb bash -c 'echo "a letter of $RANDOM" > /run/letter; rm -f /run/letter.sig'
	service
	on hostb cat /run/letter > "$work/letter"
	on hostb cat /run/letter.sig > "$work/letter.sig"
	openssl dgst -sha256 -verify "$work/signer.pem" -signature "$work/letter.sig" "$work/letter"
}

no_pin_there() {
	! on hostb grep -rlE "(co|so)-pin-" /run/etc /run/home
}

# What every kind of token has to go through
recovers() {
	local name=$1
	restart
	check "$name: no PIN is on the secondary" no_pin_there
	t "$name: it restarted, and nobody is logged in" 1 "" "no PIN for the crypto officer" \
		hostb lunactl sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in /run/etc/host_key
	check "$name: the service gets its key back, and signs" signs
	check "$name: and a second time" signs
	t "$name: lunactl says so, too" 0 "slot 0 is logged in through slot 0 \('primary'\) of hosta: RW user functions" "" \
		hostb lunactl ha login --secondary 0 --remote "ssh hosta lunactl peer"
	t "$name: the login ended with it" 1 "" "no PIN for the crypto officer" hostb "${sign[@]}"
	t "$name: with an application id it stays" 0 "RW user functions" "" \
		hostb lunactl ha login "${app[@]}" --secondary 0 --remote "ssh hosta lunactl peer"
	t "$name: and others with that id sign" 0 "" "" hostb "${sign[@]}" "${app[@]}"
	t "$name: not those with another one" 1 "" "no PIN for the crypto officer" hostb "${sign[@]}" --app-id 1:41
	t "$name: until it is closed" 0 "1:40 is closed" "" hostb lunactl app close --slot 0 "${app[@]}"
	t "$name: which nobody may do twice" 1 "" "CKR_ACCESS_ID_INVALID" hostb lunactl app close --slot 0 "${app[@]}"
}

set_up "PPSO"
recovers "PPSO"

# ---- when it does not work ----

check "answers where they do not belong" bash -c 'set -o pipefail; "$@" | { ! grep "^not ok"; }' _ \
	nsenter -t "${inside[hostb]}" -a env "PATH=/usr/local/bin:$PATH" "P11_LIB=$library" HOME=/run/home python3 \
	"$hosts_lib/replay.py" "$example" 0 "ssh hosta lunactl peer"
token hosta 1 wrong
on hosta lunactl ha setup --primary 1 --secondary 0 --public "${co[@]}" > "$work/out"
host_allows hosta "$peer --slot 1 --only login-primary"
t "through the wrong primary" 1 "" "slot 0: CKR_PIN_INCORRECT|CA_HALogin on slot 0: CKR_" \
	hostb lunactl ha login --secondary 0 --remote "ssh hosta lunactl peer"
t "a wrong primary costs no attempt" 0 "^co .* 10 attempts left" "" hostb lunactl role list --slot 0
host_allows hosta "$peer --slot 0 --only login-primary"
daemon_stop hosta
t "the primary's daemon is down" 1 "" "hosta: .*CKR_SLOT_ID_INVALID|hosta: no such token there" \
	hostb lunactl ha login --secondary 0 --remote "ssh hosta lunactl peer"
daemon_start hosta
on hosta bash -c 'kill "$(cat /run/sshd.pid)"'
t "the primary's host is down" 3 "" "status 255, with which ssh says" \
	hostb lunactl ha login --secondary 0 --remote "ssh hosta lunactl peer"
check "and the service says so" bash -c '! "$@" 2>&1' _ nsenter -t "${inside[hostb]}" -a env "P11_LIB=$library" \
	python3 "$example" 0 signer /run/letter "ssh hosta lunactl peer"
on hosta /usr/sbin/sshd -f /run/etc/sshd_config -E "$work/hosta.sshd"
check "and when it is back" signs

# ---- other kinds ----

set_up "legacy" --legacy
recovers "legacy"
mofn=1
set_up "M of N" --mofn
recovers "M of N"
mofn=
public=--public
set_up "public key"
recovers "public key"
host_allows hosta "$peer"
on hostb bash -c 'printf %s co-pin-hostb > /run/etc/co'
t "with the public key the secondary is no primary" 1 "" "has no login key 'ha-login'" \
	hosta lunactl ha login --secondary 0 --remote "ssh hostb $peer"

finish
