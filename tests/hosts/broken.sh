#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Two hosts whose connection breaks at every message, and within it; whose other end lies. Both say so,
# nothing is left half made, and the same command run again does the rest. TAP.
#
# usage: broken.sh BUILD-TREE
# LUNA_HOSTS_LIES: lies that are tried (default 10), and three times as many clients that send nonsense
set -euo pipefail
build=$(realpath "$1")
# shellcheck source=tests/hosts/lib.sh
. "$(dirname "$0")/lib.sh"
hosts_up alpha beta
wrong="python3 $hosts_lib/peer.py"
lies=${LUNA_HOSTS_LIES:-10}
key hosta aes one
key hostb aes other

forget() {
	on "$1" lunactl object delete --slot 0 --label "$2" --force "${co[@]}" > "$work/out" 2>&1 || true
}
log() { on hostb cat /run/peer.log; }

# said AT: what the client said on stderr is clear, and so is what the peer did, if it was there already
said() {
	grep -qE "^lunactl: .*(run the same command again|no 'lunactl peer' answers)" "$work/err" || return 1
	[ "$1" -lt 2 ] || log | grep -q "^lunactl: peer on hostb: the connection broke"
}

# cut_at AT BYTES COMMAND...: the command on hosta, with the connection cut there. Its status.
cut_at() {
	local at=$1 bytes=$2 rc=0
	shift 2
	on hostb truncate -s 0 /run/peer.log
	on hosta "$@" --remote "$wrong cut $at $bytes ssh hostb '$peer 2>> /run/peer.log'" "${co[@]}" \
		> "$work/out" 2> "$work/err" < /dev/null || rc=$?
	log > "$work/log"
	sed 's/^/peer: /' "$work/log" >> "$work/err"
	return $rc
}

# cuts NAME BEFORE AFTER COMMAND...: cut after every message, in turn whole, within the head and within the
# body of the next, until none is left to be cut. BEFORE makes it as it was, AFTER asks whether all is done.
cuts() {
	local name=$1 before=$2 after=$3 at rc bad
	shift 3
	for ((at = 0; at < 40; at++)); do
		bad=0 rc=0
		$before
		cut_at "$at" $(((at % 3) * 7)) "$@" || rc=$?
		# Once all has been said, a cut hurts nobody.
		[ $rc = 0 ] && break
		{ [ $rc = 3 ] && said "$at"; } || bad=1
		half_made || bad=1
		on hosta "$@" --remote "ssh hostb $peer" "${co[@]}" > "$work/again" 2>&1 || bad=1
		$after >> "$work/out" 2>&1 || bad=1
		sed 's/^/again: /' "$work/again" >> "$work/out"
		result $bad "$name: cut after $at messages"
	done
	[ "$at" -ge 10 ]
	result $? "$name: $at places to be cut"
}

# What is there can be used, and is there once.
half_made() {
	on hostb lunactl object list --slot 0 "${co[@]}" --json > "$work/list" &&
		python3 -c 'import json, sys
labels = [(o["label"], o["class"]) for o in json.load(open(sys.argv[1]))]
sys.exit(len(labels) != len(set(labels)))' "$work/list"
}

start_to() { forget hostb one; }
done_to() { [ "$(objects hostb 0 --label one)" = 1 ]; }
cuts "clone there" start_to done_to lunactl clone --from 0 --label one

start_from() { forget hosta other; }
done_from() { [ "$(objects hosta 0 --label other)" = 1 ]; }
cuts "clone from there" start_from done_from lunactl clone --to 0 --label other

start_setup() { forget hostb ha-login; }
done_setup() {
	[ "$(objects hostb 0 --label ha-login)" = 1 ] &&
		on hosta lunactl ha login --primary 0 --remote "ssh hostb $peer" "${co[@]}"
}
cuts "ha setup" start_setup done_setup lunactl ha setup --primary 0

nothing() { :; }
cuts "ha login of the other" nothing nothing lunactl ha login --primary 0
on hosta lunactl ha setup --secondary 0 --remote "ssh hostb $peer" "${co[@]}" > "$work/out"
cuts "ha login through the other" nothing nothing lunactl ha login --secondary 0

# ---- many objects, cut in the middle ----

for i in 1 2 3 4 5 6; do
	key hosta aes "many $i"
done
start_to
rc=0
cut_at 13 0 lunactl migrate --from 0 --class secret --json || rc=$?
cp "$work/out" "$work/results"
bad=0
{ [ $rc = 3 ] && said 13; } || bad=1
result $bad "migrate, cut in the middle"
check "the results so far are JSON, the last one is the one that was cut" python3 -c 'import json, sys
results = [r["result"] for r in json.load(open(sys.argv[1]))]
sys.exit(len(results) < 2 or set(results[:-1]) != {"CKR_OK"} or results[-1] != "CKR_DEVICE_REMOVED")' \
	"$work/results"
t "migrate again does the rest" 0 "[1-6] objects cloned, [1-9] there already, 0 refused" "" hosta lunactl migrate \
	--from 0 --class secret --remote "ssh hostb $peer" "${co[@]}"
check "each is there once" half_made

# ---- an end that lies ----

before=$(objects hostb 0)
here=$(objects hosta 0)
# A client ends by itself, with a status of its own, whatever the peer says.
liar() {
	local rc=0 command
	case $(($1 % 3)) in
	0) command="clone --from 0 --label one --force" ;;
	1) command="migrate --to 0 --timeout 3" ;;
	2) command="ha login --secondary 0" ;;
	esac
	# shellcheck disable=SC2086
	on hosta lunactl $command --timeout 3 --remote "$wrong lie $1 ssh hostb '$peer --timeout 3'" \
		"${co[@]}" > "$work/out" 2> "$work/err" < /dev/null || rc=$?
	[ $rc = 0 ] || { { [ $rc = 1 ] || [ $rc = 3 ]; } && grep -q "^lunactl: " "$work/err"; }
}
bad=0
for ((seed = 0; seed < lies && bad == 0; seed++)); do
	liar $seed || bad=1
done
result $bad "$seed lies of a peer"
check "this host has what it had" [ "$(objects hosta 0)" = "$here" ]

# A peer likewise, whatever it is asked.
stranger() {
	local rc=0
	on hostb python3 "$hosts_lib/peer.py" ask "$1" $peer --slot 0 --timeout 3 > "$work/out" 2> "$work/err" || rc=$?
	[ $rc = 0 ] || [ $rc = 1 ] || [ $rc = 3 ]
}
forget hostb one
before=$(objects hostb 0)
bad=0
for ((seed = 0; seed < 3 * lies && bad == 0; seed++)); do
	stranger $seed || bad=1
done
result $bad "$seed clients that send nonsense"
check "nothing was made of it but keys that it asked for" python3 -c 'import sys
sys.exit(int(sys.argv[1]) < int(sys.argv[2]))' "$(objects hostb 0)" "$before"
t "and both still work" 0 "is cloned to" "" hosta lunactl clone --from 0 --label one --remote "ssh hostb $peer" \
	"${co[@]}"

finish
