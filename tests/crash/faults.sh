#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# faults.sh DAEMON HELPER LUNACTL: a luna-fuse with files that were damaged, exchanged or put back,
# a full disk, and one that cannot be written to. One token out of use is no reason for the others to
# be. TAP. As root, or where user namespaces are allowed: with file systems of its own.
set -u
daemon=$1 helper=$2 lunactl=$3
if [ -z "${LUNA_OWN_MOUNTS-}" ]; then
	if unshare --mount true 2>/dev/null; then
		LUNA_OWN_MOUNTS=yes exec unshare --mount "$0" "$@"
	fi
	LUNA_OWN_MOUNTS=no
fi
# shellcheck source=tests/lib/daemon-life.sh
. "$(dirname "$0")/../lib/daemon-life.sh"

good=$work/good
restore() { rm -rf "$store"/token* && cp -a "$good"/token* "$store"; }
sum() { sha256sum "$store/token0.luna" | cut -c1-64; }

# broken NAME MESSAGE COMMAND...: after the command token 0 is out of use, and says why; token 1 is
# not; the file is left as it was
broken() {
	local before
	name=$1 message=$2
	shift 2
	restore
	"$@"
	before=$(sum 2>/dev/null)
	check "$name: the daemon starts" start
	check "$name: it says why" daemon_says "$message"
	check "$name: token 0 is out of use" run fails 0
	check "$name: token 1 works" run works 1
	"$lunactl" slots >"$work/out" 2>&1
	check "$name: lunactl says so" grep -q 'store unusable' "$work/out"
	check "$name: the daemon ends well" end TERM
	check "$name: the file was not touched" [ "$(sum 2>/dev/null)" = "$before" ]
}

flip() { # at
	local byte
	byte=$(od -An -tu1 -j "$1" -N 1 "$store/token0.luna")
	# shellcheck disable=SC2059
	printf "\\$(printf %o $((byte ^ 16)))" |
		dd of="$store/token0.luna" bs=1 seek="$1" conv=notrunc status=none
}
version() { printf '\x63' | dd of="$store/token0.luna" bs=1 seek=8 conv=notrunc status=none; }
directory() { rm "$store/token0.luna" && mkdir "$store/token0.luna"; }
link() { mv "$store/token0.luna" "$store/else" && ln -s else "$store/token0.luna"; }
module_left() { echo x >"$store/token0.luna.alt"; }

serial() { "$lunactl" slots --json | python3 -c '
import json, sys
print(json.load(sys.stdin)[int(sys.argv[1])]["serial"])' "$1"; }

exchanged() {
	start && serial 0 >"$work/serial0" && serial 1 >"$work/serial1" && end TERM || return 1
	mv "$store/token0.luna" "$store/x" && mv "$store/token1.luna" "$store/token0.luna" &&
		mv "$store/x" "$store/token1.luna"
	start && [ "$(serial 0)" = "$(cat "$work/serial1")" ] &&
		[ "$(serial 1)" = "$(cat "$work/serial0")" ] && run works 0 && run works 1 && end TERM
}

# full: the store on a file system with hardly any room
full() {
	mount -t tmpfs -o size=600k,mode=700 none "$store" && cp "$good"/token* "$store" && start
}
# What is left of the last page of its file has room for some more.
runs_full() {
	local i
	for i in $(seq 20); do
		run works "$1" || break
	done
	[ "$i" -lt 20 ] && grep -q 'CKR_DEVICE_MEMORY' "$work/out"
}

if ! start; then
	echo "Bail out! the daemon did not start:"
	sed 's/^/# /' "$work/daemon"
	exit 99
fi
check "two tokens" run init
check "SIGTERM ends the daemon" end TERM
mkdir "$good" && cp -a "$store"/token* "$good"
size=$(stat -c %s "$good/token0.luna")

broken "empty header" "start with a token's header" dd if=/dev/zero of="$store/token0.luna" bs=48 count=1 conv=notrunc status=none
broken "garbage" "start with a token's header" dd if=/dev/urandom of="$store/token0.luna" bs=4096 count=1 status=none
broken "shorter than its header" "shorter than its header" truncate -s 47 "$store/token0.luna"
broken "cut" "damaged at byte" truncate -s 200 "$store/token0.luna"
broken "bit flipped in the header" "header of the store is damaged" flip 20
broken "bit flipped at the start" "damaged at byte" flip 100
broken "bit flipped in the middle" "damaged at byte" flip $((size / 2))
broken "a newer version" "format version 99, newer than version 1" version
broken "a directory" "cannot open .*token0.luna" directory
broken "a link" "cannot open .*token0.luna" link
rm -rf "$store/else"
broken "left by luna.ko" "luna.ko was interrupted" module_left

restore
check "exchanged files are exchanged tokens" exchanged

restore
check "before an older copy is put back" start
check "an object more" run init
check "SIGTERM ends the daemon" end TERM
restore
check "an older copy is a token as it was" start
check "it works" run works 0
check "SIGTERM ends the daemon" end TERM

if [ "$LUNA_OWN_MOUNTS" = yes ]; then
	check "a small disk" full
	dd if=/dev/zero of="$store/ballast" bs=1k count=200 status=none
	check "objects, until it is full" run fill 0
	made=$(cat "$work/out")
	dd if=/dev/zero of="$store/ballast2" bs=1k count=600 status=none 2>/dev/null
	check "the other token: a clear error" runs_full 1
	rm -f "$store/ballast" "$store/ballast2"
	check "with room again, it works" run works 1
	check "and the full one" run works 0
	check "kill -9" end KILL
	check "it starts" start
	run count 0
	check "all objects that were told are there" [ "$(cat "$work/out")" = "$made" ]
	check "SIGTERM ends the daemon" end TERM
	mount -o remount,ro "$store"
	"$daemon" --foreground --dir="$work/dev" --store="$store" 2>"$work/out"
	check "a store that cannot be written to is refused" grep -q "cannot use the store .*Read-only" "$work/out"
	umount "$store"
else
	count=$((count + 1))
	echo "ok $count - a small disk # SKIP no mounts of one's own"
fi
finish
