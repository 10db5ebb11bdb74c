#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The first of two hosts, whose second is a virtual machine with luna.ko (tests/vm/module.sh: peer_checks).
# Started by tests/vm/run beside the machine; begins when the guest is ready, does with lunactl --remote what an
# operator does, and leaves the results, "STATUS NAME" in each line, in WORK/peer-done. SOCKET is this end of the
# guest's serial port.
#
# usage: peer-host.sh BUILD-TREE WORK SOCKET
set -uo pipefail
build=$1 work=$2 socket=$3
results=$work/peer-results
here=$(cd "$(dirname "$0")" && pwd)

until [ -e "$work/peer-ready" ]; do
	[ ! -e "$work/peer-over" ] || exit 0	# the machine ended, and did not want us
	sleep 5
done

# The pipe: standard input and output to the socket
remote="python3 $here/peer-pipe.py $socket"

# result NAME COMMAND...
result() {
	local name=$1 rc=0
	shift
	"$@" || rc=$?
	echo "$rc $name" >> "$results"
}

lunactl() { LUNA_SO_PIN=so-pin-1234 LUNA_PIN=co-pin-first "$build/tools/lunactl/lunactl" "$@" --timeout 900; }
local_lunactl() { LUNA_SO_PIN=so-pin-1234 LUNA_PIN=co-pin-first "$build/tools/lunactl/lunactl" "$@"; }

started() {
	local_lunactl init --slot 0 --label first --domain hosts && local_lunactl role init --slot 0 --role co
}

# A key of this host, and back after it is gone here
there_and_back() {
	echo text > "$texts/text"
	local_lunactl key generate --slot 0 --type aes --label traveller &&
		local_lunactl sign --slot 0 --label traveller --mechanism AES_CMAC --in "$texts/text" \
			--out "$texts/mac" &&
		lunactl clone --from 0 --label traveller --remote "$remote" &&
		local_lunactl object delete --slot 0 --label traveller --force &&
		lunactl clone --to 0 --label traveller --remote "$remote" &&
		local_lunactl verify --slot 0 --label traveller --mechanism AES_CMAC --in "$texts/text" \
			--signature "$texts/mac"
}

many() {
	local i
	for i in 1 2 3 4 5; do
		local_lunactl key generate --slot 0 --type aes --label "many $i" || return
	done
	lunactl migrate --from 0 --remote "$remote" &&
		lunactl migrate --from 0 --remote "$remote" | grep "0 objects cloned, 6 there already, 0 refused"
}

# The key is made here: RSA keys are slow to find on an emulated machine.
ha() {
	lunactl ha setup --primary 0 --remote "$remote" &&
		lunactl ha login --primary 0 --remote "$remote" | grep "RW user functions" &&
		lunactl ha setup --secondary 0 --remote "$remote" &&
		lunactl ha login --secondary 0 --remote "$remote" | grep "RW user functions"
}

# A connection that breaks leaves nothing half made, and the next command works.
broken() {
	local at
	local_lunactl key generate --slot 0 --type aes --label late || return
	for at in 1 4 7 9; do
		lunactl clone --from 0 --label late --remote \
			"python3 $here/../hosts/peer.py cut $at 3 $remote" && return 1
		sleep 5		# until the guest has seen that the port is closed: it has no other end of it
	done
	lunactl migrate --from 0 --remote "$remote" | grep "0 refused" &&
		lunactl clone --from 0 --label late --remote "$remote" | grep "is there already"
}

all() {
	result "this host's token" started
	result "a key goes there and comes back" there_and_back
	result "many keys go there once" many
	result "HA login, each through the other" ha
	result "a connection that breaks" broken
}
export -f lunactl local_lunactl all result started there_and_back many ha broken
# with-daemon has a $work of its own.
texts=$work/peer-texts
mkdir -p "$texts"
export build here remote results texts
: > "$results"
"$here/../lib/with-daemon" "$build/fuse/luna-fuse" 1 bash -c all
mv "$results" "$work/peer-done"
