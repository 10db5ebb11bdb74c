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

small_tmpfs() { mount -t tmpfs -o size=3m,mode=700 none "$store"; }
small_ext4() {
	truncate -s 6m "$work/image" && mkfs.ext4 -q -b 1024 -m 0 "$work/image" &&
		mount -o loop "$work/image" "$store" && chmod 700 "$store"
}
# To its last byte: what is written to it goes to the disk at once.
fill_up() { ! dd if=/dev/zero of="$store/ballast" bs=1k oflag=dsync status=none 2>"$work/out"; }
left() { run left 0 && cat "$work/out"; }

# A store on a full disk, whose daemon is killed then, and freed.
brim() { # NAME
	local made attempts
	cp "$good"/token* "$store"
	check "$1: the daemon starts" start
	check "$1: it is filled to the brim" fill_up
	check "$1: objects, until none is taken any more" run fill 0
	made=$(cat "$work/out")
	check "$1: login, destroying, nothing new" run brim 0
	check "$1: the other token takes nothing either, once its last block is full" run fill 1
	check "$1: the daemon says so" daemon_says 'slot 0: no room left for the store'
	attempts=$(left)
	check "$1: wrong PINs" run attempts 0 2
	check "$1: SIGKILL" end KILL
	check "$1: the daemon starts again" start
	check "$1: the wrong PINs were counted" [ "$(left)" = $((attempts - 2)) ]
	check "$1: login" run count 0
	check "$1: all objects that were told are there" [ "$(cat "$work/out")" = $((made - 1)) ]
	rm "$store/ballast"
	check "$1: with room again, token 0 works" run works 0
	check "$1: and token 1" run works 1
	check "$1: SIGTERM ends the daemon" end TERM
}

# Not the disk has an end, but what the daemon may write to one file.
file_limit() {
	restore
	(ulimit -f 1024 && exec "$daemon" --foreground --dir="$work/dev" --store="$store" --slots=2 \
		--pin-iterations=1000 2>"$work/daemon") &
	pid=$!
	for _ in $(seq 200); do
		serves && break
		sleep 0.05
	done
	run fill 0 && run attempts 0 2 && run count 0
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

check "a limit on file sizes: objects until then, and logins" file_limit
check "SIGTERM ends the daemon" end TERM

if [ "$LUNA_OWN_MOUNTS" = yes ]; then
	check "a small tmpfs" small_tmpfs
	brim tmpfs
	mount -o remount,ro "$store"
	"$daemon" --foreground --dir="$work/dev" --store="$store" 2>"$work/out"
	check "a store that cannot be written to is refused" grep -q "cannot use the store .*Read-only" "$work/out"
	umount "$store"
	if small_ext4 2>/dev/null; then
		brim ext4
		umount "$store"
	else
		count=$((count + 1))
		echo "ok $count - a small ext4 # SKIP no loop devices"
	fi
else
	count=$((count + 1))
	echo "ok $count - a small disk # SKIP no mounts of one's own"
fi
finish
