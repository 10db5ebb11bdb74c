# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# For tests that start and end daemons themselves, sourced after $daemon and $helper are set: a
# directory $work that is gone in the end, with dev (LUNA_DEVICES) and store in it; TAP.
work=$(mktemp -d "${TMPDIR:-/tmp}/luna-test.XXXXXX")
mkdir "$work/dev"
store=$work/store
export LUNA_DEVICES=$work/dev
pid=
# shellcheck source=tests/lib/tap.sh
. "${BASH_SOURCE[0]%/*}/tap.sh"

cleanup() {
	[ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	mountpoint -q "$work/dev" && fusermount3 -u -z "$work/dev" 2>/dev/null
	mountpoint -q "$store" && umount -l "$store"
	rm -rf "$work"
}
trap cleanup EXIT

# A dead mount may still know a file by name, but cannot list any.
serves() { [ -n "$(ls "$work/dev" 2>/dev/null)" ]; }

# What the daemon says goes to $work/daemon.
start() {
	[ -z "$pid" ] || end KILL	# a test that failed has left it
	"$daemon" --foreground --dir="$work/dev" --store="$store" --slots=2 \
		--pin-iterations=1000 2>"$work/daemon" &
	pid=$!
	for _ in $(seq 400); do
		serves && return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.02
	done
	cat "$work/daemon" >"$work/out"
	return 1
}

# end SIGNAL: the daemon ends by it; a status of 0 is asked of TERM alone
end() {
	kill "-$1" "$pid"
	wait "$pid" 2>/dev/null
	status=$?
	pid=
	[ "$1" != TERM ] || [ "$status" = 0 ]
}

explain() {
	sed 's/^/# /' "$work/out"
	sed 's/^/# daemon: /' "$work/daemon"
}

run() { "$helper" "$@" >"$work/out" 2>&1; }
daemon_says() { grep -qE -e "$1" "$work/daemon"; }

# lines FILE N: waits until a client has written so many
lines() {
	for _ in $(seq 1000); do
		[ "$(wc -l <"$1")" -ge "$2" ] && return 0
		sleep 0.01
	done
	return 1
}
