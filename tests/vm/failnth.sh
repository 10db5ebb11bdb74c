# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Allocations that fail, and memory that leaks; sourced by tests/vm/guest, on tests/vm/debug-kernel alone.

# Objects younger than 5 s are not reported, and what is on a stack or in a register at the moment may
# look lost: the second scan says.
no_leak() {
	local leaks=/sys/kernel/debug/kmemleak
	sleep 7
	echo scan > $leaks
	sleep 7
	echo scan > $leaks
	cat $leaks
	[ -z "$(cat $leaks)" ]
}

failnth_checks() {
	local patience=7200
	mount -t debugfs none /sys/kernel/debug 2> /dev/null
	cp "$vm/luna.ko" /run
	echo clear > /sys/kernel/debug/kmemleak
	suite "loading fails" "$vm/failnth" load /run/luna.ko "slots=2 pin_iterations=1000"
	check "two slots, in memory" load slots=2
	suite "commands fail" "$vm/failnth" commands
	check "unload" rmmod luna
	install -d -m 700 /run/failstore
	suite "loading with a store fails" "$vm/failnth" load /run/luna.ko \
		"slots=1 pin_iterations=1000 store=/run/failstore"
	check "no leak" no_leak
}
