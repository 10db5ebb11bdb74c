#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# kill.sh DAEMON HELPER [ROUNDS]: (or LUNA_KILL_ROUNDS, 20 otherwise) kills a luna-fuse under load again and again; what its clients were
# told is there, and nothing else. A kill loses what the daemon has in memory, and not the kernel's
# caches: what a power cut loses is the business of crash.c. TAP.
set -u
daemon=$1 helper=$2 rounds=${3:-${LUNA_KILL_ROUNDS:-20}}
# shellcheck source=tests/lib/daemon-life.sh
. "$(dirname "$0")/../lib/daemon-life.sh"

told=0 killed=0 at=20
# The daemon dies after some lines of what its clients were told, each time others.
round() {
	: >"$work/load"
	"$helper" load "$1" >"$work/load" 2>/dev/null &
	client=$!
	lines "$work/load" $((at + RANDOM % 200)) || return 1
	end KILL
	wait "$client" 2>/dev/null
	killed=$((killed + 1))
	start && run verify "$work/load" || return 1
	told=$((told + $(cat "$work/out")))
}

# Kills while PINs are tried: each that was begun after another was told is counted.
guesses() {
	: >"$work/guesses"
	"$helper" attempts 1 10 >"$work/guesses" 2>/dev/null &
	client=$!
	lines "$work/guesses" $((1 + RANDOM % 12))
	end KILL
	wait "$client" 2>/dev/null
	start && run left 1 || return 1
	left=$(cat "$work/out")
	[ "$left" -le $((10 - $(grep -c = "$work/guesses"))) ] || return 1
	[ "$left" -ge $((10 - $(grep -c '?' "$work/guesses"))) ]
}

if ! start; then
	echo "Bail out! the daemon did not start:"
	sed 's/^/# /' "$work/daemon"
	exit 99
fi
check "two tokens" run init
done_=0
while [ $done_ -lt "$rounds" ]; do
	check "killed under load, round $((done_ + 1))" round "$done_"
	done_=$((done_ + 1))
done
check "killed while PINs are tried, none is free" guesses
check "SIGTERM ends the daemon" end TERM
echo "# $killed kills under load, $told lines of what was told or begun, the largest store $(
	stat -c %s "$store"/token*.luna | sort -n | tail -1) bytes"
finish
