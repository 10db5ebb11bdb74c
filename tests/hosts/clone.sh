#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# lunactl between two hosts that see only their own tokens, through ssh: clone, migrate, HA login, M of N;
# in both directions, and what it says when something is wrong. TAP.
#
# usage: clone.sh BUILD-TREE
set -euo pipefail
build=$(realpath "$1")
# shellcheck source=tests/hosts/lib.sh
. "$(dirname "$0")/lib.sh"
hosts_up alpha beta

for i in 1 2 3 4; do
	key hosta aes "key $i"
done
key hosta rsa signer

t "each host sees its own tokens alone" 0 "^ *0 +alpha" "" hosta lunactl slots
check "and not the other's" bash -c '! grep beta "$1"' _ "$work/said"
t "ssh works" 0 "^hostb$" "" hosta ssh hostb hostname

# ---- clone and migrate ----

t "clone to the other host" 0 "object [0-9]+ is cloned to [0-9]+: key 1" "" \
	hosta lunactl clone --from 0 --label "key 1" --remote "ssh hostb $peer" "${co[@]}"
t "again: it is there" 0 "is there already, as [0-9]+: key 1" "" \
	hosta lunactl clone --from 0 --label "key 1" --remote "ssh hostb $peer" "${co[@]}"
t "it says the steps" 0 "step 3: Part2, [0-9]+ bytes" "" \
	hosta lunactl clone --from 0 --label "key 2" --steps --remote "ssh hostb $peer" "${co[@]}"
t "migrate does the rest" 0 "4 objects cloned, 2 there already, 0 refused" "" \
	hosta lunactl migrate --from 0 --remote "ssh hostb $peer" "${co[@]}"
check "all are there" [ "$(objects hostb 0)" = 6 ]
t "migrate as JSON" 0 '"there":true' "" \
	hosta lunactl migrate --from 0 --remote "ssh hostb $peer" "${co[@]}" --json
check "one row an object" python3 -c 'import json, sys
rows = json.load(open(sys.argv[1]))
sys.exit(len(rows) != 6 or any(r["result"] != "CKR_OK" or not r["there"] for r in rows))' "$work/said"
echo text > "$work/text"
on hosta lunactl sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in "$work/text" \
	--out "$work/sig" "${co[@]}"
t "the other host's clone is the key" 0 "is good" "" hostb lunactl verify --slot 0 --label signer \
	--mechanism SHA256_RSA_PKCS --in "$work/text" --signature "$work/sig" "${co[@]}"
on hosta lunactl object delete --slot 0 --label signer --force "${co[@]}" > "$work/out"
t "clone from the other host" 0 "is cloned to" "" \
	hosta lunactl clone --to 0 --label signer --class private --remote "ssh hostb $peer" "${co[@]}"
t "migrate from the other host" 0 "1 objects cloned, 5 there already" "" \
	hosta lunactl migrate --to 0 --remote "ssh hostb $peer" "${co[@]}"
on hosta lunactl sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in "$work/text" \
	--out "$work/sig2" "${co[@]}"
check "the key is back" cmp "$work/sig" "$work/sig2"

# ---- choosing, PINs, errors ----

t "a token there by its label" 0 "of hostb|there already" "" hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh hostb $peer" --remote-label beta "${co[@]}"
t "no such token there" 1 "" "hostb: no such token there" hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh hostb $peer" --remote-label alpha "${co[@]}"
t "no PIN there" 1 "" "hostb: no PIN for the crypto officer of slot 0 of hostb" \
	hosta lunactl clone --from 0 --label "key 1" --remote "ssh hostb lunactl peer" "${co[@]}"
t "nor is this host's PIN theirs" 1 "" "hostb: no PIN for the crypto officer" hosta env LUNA_PIN=co-pin-hosta \
	lunactl clone --from 0 --label "key 1" --remote "ssh -o SendEnv=LUNA_PIN hostb lunactl peer"
t "a PIN in the environment there" 0 "there already" "" hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh hostb LUNA_PIN=co-pin-hostb lunactl peer" "${co[@]}"
t "a wrong PIN there" 1 "" "hostb: C_Login: CKR_PIN_INCORRECT" hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh hostb lunactl peer --pin-file /run/etc/so" "${co[@]}"
t "a terminal there breaks the pipe" 3 "" "without ssh -t|no 'lunactl peer' answers" hosta lunactl clone --from 0 \
	--label "key 1" --remote "ssh -tt hostb $peer" "${co[@]}"
t "no such host" 3 "" "status 255, with which ssh says" hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh nohost $peer" "${co[@]}"
t "no lunactl there" 3 "" "status 127: there is no such program, here or there" hosta lunactl clone --from 0 \
	--label "key 1" --remote "ssh hostb nolunactl peer" "${co[@]}"
t "a shell there that talks" 3 "" 'it says "Welcome to hostb", which is no message' hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh hostb 'echo Welcome to hostb; exec $peer'" "${co[@]}"
daemon_stop hostb
t "no daemon there" 1 "" "hostb: no such token there" hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh hostb $peer" "${co[@]}"
daemon_start hostb
t "and again with it" 0 "there already" "" hosta lunactl clone --from 0 --label "key 1" \
	--remote "ssh hostb $peer" "${co[@]}"
token hostb 1 elsewhere --domain other
t "two tokens there" 1 "" "hostb: there are 2 such tokens: choose one by --remote-slot" hosta lunactl clone \
	--from 0 --label "key 1" --remote "ssh hostb $peer" "${co[@]}"
t "another domain" 1 "" "slot 0: CKR_UNWRAPPING_ERROR.*not in one cloning domain" hosta lunactl clone --from 0 \
	--label "key 1" --remote "ssh hostb $peer" --remote-slot 1 "${co[@]}"
t "another domain, from there" 1 "0 objects cloned, 0 there already, 1 refused" "" hosta lunactl migrate --from 0 \
	--label "key 1" --remote "ssh hostb $peer" --remote-slot 1 "${co[@]}"
check "nothing came" [ "$(objects hostb 1)" = 0 ]
on hostb lunactl policy set --slot 1 --hsm --policy 16 --value 0 --pin-file /run/etc/so > "$work/out" 2>&1
t "network replication is off there" 1 "" "'elsewhere'.*hostb: CKR_OPERATION_NOT_ALLOWED" hosta lunactl clone --from 0 \
	--label "key 1" --remote "ssh hostb $peer" --remote-slot 1 "${co[@]}"

# ---- a key of ssh that may do one thing ----

host_allows hostb "$peer --slot 0 --only source"
t "a key for one purpose" 0 "there already" "" hosta lunactl migrate --to 0 --remote "ssh hostb x" "${co[@]}"
t "and for no other" 1 "" "hostb: it does not serve as target" hosta lunactl migrate --from 0 \
	--remote "ssh hostb x" "${co[@]}"
t "nor for another slot" 1 "" "hostb: it serves slot 0 alone" hosta lunactl migrate --to 0 \
	--remote "ssh hostb x" --remote-slot 1 "${co[@]}"

finish
