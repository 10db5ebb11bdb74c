# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Allocations that fail, and memory that leaks; sourced by tests/vm/guest, on kernels with sanitisers
# alone.

leaks=/sys/kernel/debug/kmemleak

# What the kernel's own start has lost is not ours.
watch_leaks() {
	mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
	echo scan > $leaks
	echo clear > $leaks
}

# Objects younger than 5 s are not reported, and what is on a stack or in a register at the moment may
# look lost: the second scan says.
no_leak() {
	sleep 7
	echo scan > $leaks
	sleep 7
	echo scan > $leaks
	cat $leaks
	[ -z "$(cat $leaks)" ]
}

failnth_checks() {
	local patience=7200
	watch_leaks
	cp "$vm/luna.ko" /run
	check "two slots, in memory" load slots=2
	suite "commands fail" "$vm/failnth" commands
	check "unload" rmmod luna
	suite "loading fails" "$vm/failnth" load /run/luna.ko "slots=2 pin_iterations=1000"
	install -d -m 700 /run/failstore
	suite "loading with a store fails" "$vm/failnth" load /run/luna.ko \
		"slots=1 pin_iterations=1000 store=/run/failstore"
	suite "unloading lacks memory" "$vm/failnth" unload /run/luna.ko \
		"slots=2 pin_iterations=1000 store=/run/failstore"
	check "a slot with a store" load slots=1 store=/run/failstore
	suite "a store lacks memory" "$vm/failnth" plug
	check "unload after that" rmmod luna
	check "no leak" no_leak
}
