#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# persistence.sh DAEMON HELPER: token objects outlive the daemon, whichever way it ends; and what a
# client was told to be stored is stored, even if the daemon is killed the moment after. TAP.
set -u
daemon=$1 helper=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/luna-test.XXXXXX")
mkdir "$work/dev"
export LUNA_DEVICES=$work/dev
count=0 failures=0 pid=

cleanup() {
	[ -n "$pid" ] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
	mountpoint -q "$work/dev" && fusermount3 -u -z "$work/dev" 2>/dev/null
	rm -rf "$work"
}
trap cleanup EXIT

# A dead mount may still know a file by name, but cannot list any.
serves() { [ -n "$(ls "$work/dev" 2>/dev/null)" ]; }

start() {
	"$daemon" --foreground --dir="$work/dev" --store="$work/store" --slots=2 \
		--pin-iterations=1000 2>"$work/out" &
	pid=$!
	for _ in $(seq 200); do
		serves && return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
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

check() {
	name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok $count - $name"
	else
		failures=$((failures + 1))
		echo "not ok $count - $name"
		sed 's/^/# /' "$work/out"
	fi
}

run() { "$helper" "$@" >"$work/out" 2>&1; }

# Kills the daemon while a client makes and destroys objects, after so many lines of what it did.
killed_at_work() {
	"$helper" churn >"$work/churn" 2>/dev/null &
	client=$!
	for _ in $(seq 400); do
		[ "$(wc -l <"$work/churn")" -ge "$1" ] && break
		sleep 0.01
	done
	end KILL
	wait "$client" 2>/dev/null
	start && run churned "$work/churn"
}

# across SIGNAL: a client that is there before and after
across() {
	mkfifo "$work/go"
	"$helper" across <"$work/go" >"$work/said" 2>"$work/out" &
	client=$!
	exec 4>"$work/go"
	for _ in $(seq 400); do
		[ -s "$work/said" ] && break
		sleep 0.01
	done
	end "$1" && start && echo go >&4
	exec 4>&-
	wait "$client"
	status=$?
	rm "$work/go"
	return $status
}

if ! start; then
	echo "Bail out! the daemon did not start:"
	sed 's/^/# /' "$work/out"
	exit 99
fi
check "objects are made" run fill
check "SIGTERM ends the daemon" end TERM
check "it starts again" start
check "they are all there" run check
check "they are there again" run check
end KILL
check "it starts after kill -9" start
check "they are all there" run check
end KILL
check "it starts after a second kill -9" start
check "they are all there" run check
for lines in 20 100 300; do
	check "killed after $lines steps of a client, nothing that was told is lost" killed_at_work "$lines"
done
check "the rest is still there" run check
check "a client goes on with a daemon that was restarted" across TERM
check "and with one that was killed" across KILL
check "they are all there" run check
check "SIGTERM ends the daemon" end TERM
echo "1..$count"
[ $failures = 0 ]
