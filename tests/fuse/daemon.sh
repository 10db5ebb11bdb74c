#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The life of a luna-fuse: options, mounting, who gets in, how it ends and comes back. TAP.
#
# usage: daemon.sh [LUNA-FUSE [USER]]
#
# With USER, which takes root, the daemon runs as that user.

daemon=${1:-$(dirname "$0")/../../build/fuse/luna-fuse}
user=${2:-}
as=

skip() {
	echo "ok 1 # SKIP $1"
	echo "1..1"
	exit 0
}

if [ -n "$user" ]; then
	[ "$(id -u)" = 0 ] || skip "only root can run it as another user"
	id "$user" >/dev/null 2>&1 || skip "there is no user $user"
	as="setpriv --reuid=$(id -u "$user") --regid=$(id -g "$user") --clear-groups"
fi
if ! $as sh -c '[ -r /dev/fuse ] && [ -w /dev/fuse ]'; then
	{ [ -n "$user" ] && [ -z "${LUNA_OWN_FUSE-}" ]; } || skip "no access to /dev/fuse"
	# Where no udev gave the device its usual mode, the test gets one of its own that has it.
	LUNA_OWN_FUSE=1 exec unshare --mount sh -c '
		at=$(mktemp -d) && mount -t tmpfs none "$at" && mknod -m 666 "$at/fuse" c 10 229 &&
		chmod 666 "$at/fuse" && mount --bind "$at/fuse" /dev/fuse && umount -l "$at" && rmdir "$at"
		exec "$@"' sh "$0" "$daemon" "$user"
fi

work=$($as mktemp -d)
# The build may lie where that user may not go.
if ! $as test -x "$daemon"; then
	install -m 755 "$daemon" "$work/luna-fuse"
	daemon=$work/luna-fuse
fi
dir=$work/dir
store=$work/store
out=$work/out
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
explain() { sed 's/^/# /' "$out"; }

pid_of() { cat "$1/lock"; }
mounted() { grep -q " $dir fuse.luna " /proc/mounts; }

cleanup() {
	for s in "$store" "$work/other"; do
		[ -s "$s/lock" ] && kill "$(pid_of "$s")" 2>/dev/null
	done
	wait_until not mounted || $as fusermount3 -u -z "$dir"
	rm -rf "$work"
}

not() { ! "$@"; }

wait_until() {
	tries=100
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

run() { $as "$daemon" "$@" >"$out" 2>&1; }
start() { run --dir="$dir" --store="$store" "$@"; }
says() { grep -q -e "$1" "$out"; }

# refused MESSAGE ARGUMENT...: the daemon fails and says so
refused() {
	message=$1
	shift
	! run "$@" && says "$message"
}

# A container's first process may be slow to reap; but its other threads, which hold the store, are gone.
is_remains() { grep -q '^State:.Z' "/proc/$1/status" && [ "$(ls "/proc/$1/task" | wc -l)" = 1 ]; }
gone() { ! kill -0 "$1" 2>/dev/null || is_remains "$1" 2>/dev/null; }

ended() { wait_until gone "$1" && ! mounted; }

stop() {
	pid=$(pid_of "$store")
	kill -"${1:-TERM}" "$pid" && ended "$pid"
}

version_is_told() { run --version && says '^luna-fuse [0-9]'; }
help_is_told() { run --help && says '--store=DIR' && says 'Examples'; }
help_tells_all() {
	run --help || return
	for o in crypto dir foreground help lax-ha-keys pin-iterations sandbox slots store verbose version; do
		says "^ .*--$o[ =]" || return
	done
}

no_runtime_dir() {
	! $as env -u XDG_RUNTIME_DIR "$daemon" --store="$store" >"$out" 2>&1 && says '--dir=DIR'
}

listed() { [ "$($as ls "$dir" | tr '\n' ' ')" = "$1" ]; }
modes_fit() {
	$as ls -l "$dir" >"$out"
	[ "$(grep -c "^-rw------- 1 $(stat -c %U "$store") .* luna[01]\$" "$out")" = 2 ]
}
opens() { $as sh -c "exec 3<>'$dir/$1'" 2>"$out"; }
reads() { $as sh -c "exec 3<'$dir/$1'" 2>"$out"; }
others_get_in() { setpriv --reuid=65533 --regid=65533 --clear-groups ls "$dir" >"$out" 2>&1; }
root_gets_in() { ls "$dir" >"$out" 2>&1; }

store_is_private() {
	[ "$(stat -c %a "$store")" = 700 ] && [ "$(stat -c %a "$store/token0.luna")" = 600 ]
}

no_core_dumps() {
	grep -E 'Max core file size +0 +0' "/proc/$(pid_of "$store")/limits" >/dev/null
}

# A sanitized daemon has no sandbox by itself.
has_sandbox() {
	grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$(pid_of "$store")/status" &&
		grep -q '^Seccomp:[[:space:]]*2' "/proc/$(pid_of "$store")/status"
}
no_sandbox() { start --sandbox=off && not has_sandbox && stop; }

no_helpers() { ! pgrep -f -- "--store=$store" >/dev/null; }
helper_ends() { wait_until no_helpers; }

notifies() {
	$as /usr/bin/python3 - "$daemon" "$dir" "$store" "$work/notify" <<-'END' >"$out" 2>&1
		import os, socket, subprocess, sys
		daemon, mount, store, path = sys.argv[1:]
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(path)
		s.settimeout(20)
		p = subprocess.Popen([daemon, "--foreground", "--dir=" + mount, "--store=" + store],
				     env=dict(os.environ, NOTIFY_SOCKET=path))
		said = s.recv(100)
		served = os.path.exists(mount + "/luna0")
		p.terminate()
		sys.exit(p.wait() or said != b"READY=1" or not served)
	END
}

locks_memory() { ! grep -q 'VmLck:[[:space:]]*0 kB' "/proc/$(pid_of "$store")/status"; }

# Neither its user nor anyone but root may trace it: /proc shows that by the owner.
not_dumpable() { [ "$(stat -c %u "/proc/$(pid_of "$store")/fd")" = 0 ]; }

second_daemon() {
	refused "in use by another luna-fuse, process $(pid_of "$store")" \
		--dir="$work/dir2" --store="$store"
}

second_mount() {
	refused "another luna-fuse is mounted on $dir" --dir="$dir" --store="$work/other"
}

dies() {
	pid=$(pid_of "$store")
	kill -9 "$pid" && wait_until gone "$pid" && mounted && ! opens luna0
}

unmounted_by_user() {
	pid=$(pid_of "$store")
	$as fusermount3 -u "$dir" && ended "$pid"
}

stops_while_open() {
	$as sh -c "exec 3<>'$dir/luna0'; echo open; exec sleep 10" >"$work/opened" &
	holder=$!
	wait_until [ -s "$work/opened" ] && stop
	status=$?
	kill $holder 2>/dev/null
	wait $holder 2>/dev/null
	return $status
}

foreground() {
	$as "$daemon" --dir="$dir" --store="$store" --foreground >"$out" 2>&1 &
	job=$!
	wait_until $as [ -e "$dir/luna0" ] && kill -TERM "$(pid_of "$store")" && wait $job && ! mounted
}

module_unfinished() {
	$as sh -c 'echo x >"$1"' _ "$store/token0.luna.alt"
	start && grep -q "luna.ko was interrupted" "$out" && opens luna1 && stop &&
		[ -s "$store/token0.luna.alt" ] && rm "$store/token0.luna.alt"
}

leftovers_go() {
	$as touch "$store/token0.luna.new"
	start && [ ! -e "$store/token0.luna.new" ] && stop
}

readable_token() {
	$as chmod 644 "$store/token1.luna"
	start && [ "$(stat -c %a "$store/token1.luna")" = 600 ] && ! says 'cannot open' && stop
}

not_empty() {
	$as mkdir "$work/full" && $as touch "$work/full/file"
	refused 'is not empty' --dir="$work/full" --store="$store"
}

writable_store() {
	$as mkdir "$work/open" && $as chmod 777 "$work/open"
	refused "chmod 700" --dir="$dir" --store="$work/open"
}

# Python has the numbers of AF_ALG; 38 is the family.
af_alg() { $as python3 -c 'import socket; socket.socket(38, socket.SOCK_SEQPACKET)' 2>/dev/null; }

trap cleanup EXIT
trap 'exit 1' INT TERM

check "--version" version_is_told
check "--help" help_is_told
check "--help has every option" help_tells_all
check "--slots=0 is refused" refused 'from 1 to 64' --slots=0
check "--slots=65 is refused" refused 'from 1 to 64' --slots=65
check "--slots=two is refused" refused 'from 1 to 64' --slots=two
check "--sandbox=maybe is refused" refused 'on, log or off' --sandbox=maybe
check "an unknown option is refused" refused '--help' --nonsense
check "an argument is refused" refused '--dir=DIR' /tmp
check "an unknown provider is refused" refused 'openssl, kcapi' --crypto=nonsense
if af_alg; then
	check "--crypto=kcapi starts" start --crypto=kcapi
	check "and ends" stop
else
	check "without AF_ALG --crypto=kcapi says what to do" refused 'modprobe.*--crypto=openssl' \
		--dir="$dir" --store="$store" --crypto=kcapi
	check "and mounts nothing" not mounted
	check "and leaves no store" [ ! -e "$store" ]
fi
check "without XDG_RUNTIME_DIR it asks for --dir" no_runtime_dir
check "a directory with files is refused" not_empty
check "a store that others can write to is refused" writable_store
check "it starts" start
check "the tokens are there when it has started" listed "luna0 luna1 "
check "ls -l shows files of the user" modes_fit
check "a token can be opened for reading and writing" opens luna0
check "a token cannot be opened for reading alone" not reads luna0
check "there is no third token" not opens luna2
check "the store is private" store_is_private
check "no core dumps" no_core_dumps
check "the user's debugger is kept out" not_dumpable
# AddressSanitizer makes mlock(2) do nothing.
[ -z "${ASAN_OPTIONS-}" ] && check "memory is locked" locks_memory
[ -z "${ASAN_OPTIONS-}${TSAN_OPTIONS-}" ] && check "it is in its sandbox" has_sandbox
[ "$(id -u)" = 0 ] && check "another user does not get in" not others_get_in
[ -n "$user" ] && check "not even root gets in" not root_gets_in
check "a second daemon on the store is refused" second_daemon
check "a second mount on the directory is refused" second_mount
check "the first daemon still serves" opens luna1
check "SIGTERM ends it" stop
check "it starts again, with four slots" start --slots=4
check "four tokens" listed "luna0 luna1 luna2 luna3 "
check "kill -9 leaves a dead mount" dies
check "nothing of the killed daemon is left" helper_ends
check "it recovers from that" start
check "tokens can be opened again" opens luna0
check "fusermount3 -u ends it" unmounted_by_user
check "it starts after that" start
check "SIGTERM ends it while a token is open" stops_while_open
check "in the foreground SIGTERM ends it with status 0" foreground
check "systemd is told when it is ready" notifies
check "--sandbox=off is obeyed" no_sandbox
check "an unfinished replacement is removed" leftovers_go
check "what luna.ko left unfinished is not touched" module_unfinished
check "a token's file that others may read is made private" readable_token
check "it starts a last time" start
check "SIGHUP ends it" stop HUP

finish
