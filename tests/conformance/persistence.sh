#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# persistence.sh DAEMON HELPER: token objects outlive the daemon, whichever way it ends; and what a
# client was told to be stored is stored, even if the daemon is killed the moment after. TAP.
set -u
daemon=$1 helper=$2
# shellcheck source=tests/lib/daemon-life.sh
. "$(dirname "$0")/../lib/daemon-life.sh"

# Kills the daemon while a client makes and destroys objects, after so many lines of what it did.
killed_at_work() {
	"$helper" churn >"$work/churn" 2>/dev/null &
	client=$!
	lines "$work/churn" "$1"
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
	lines "$work/said" 1
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
finish
