# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# TAP from the shell, sourced by a test that has an explain(): comments on what has just failed.
count=0 failures=0

# result STATUS NAME
result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		failures=$((failures + 1))
		echo "not ok $count - $2"
		explain
	fi
}

# check NAME COMMAND...
check() {
	name=$1
	shift
	if "$@"; then result 0 "$name"; else result 1 "$name"; fi
}

# finish: the plan, and with its status that of the test
finish() {
	echo "1..$count"
	[ $failures = 0 ]
}
