# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Random commands to the module; sourced by tests/vm/guest. The seconds, the seed and the seconds of a
# round are in $vm/fuzz, where tests/vm/run puts them; what each process was at, should the machine end,
# in $vm/fuzz.notes.

# fuzz_round SEED SECONDS: tokens wear out, with PINs locked and objects destroyed: each round has fresh
# ones, in one round of two with a store.
fuzz_round() {
	local store=
	[ $(($1 % 2)) = 0 ] || store=/run/fuzz-store
	rm -rf /run/fuzz-store
	install -d -m 700 /run/fuzz-store
	check "load for round $1" load slots=2 store="$store"
	suite "random commands" "$vm/vm_fuzz" "$1" "$2" 3 "$vm/fuzz.notes" "$vm/corpus"
	check "unload after round $1" rmmod luna
}

fuzz_checks() {
	local seconds seed turn patience=7200
	read -r seconds seed turn < "$vm/fuzz"
	watch_leaks
	while [ "$seconds" -gt 0 ]; do
		[ "$seconds" -ge "$turn" ] || turn=$seconds
		fuzz_round "$seed" "$turn"
		seconds=$((seconds - turn)) seed=$((seed + 1))
	done
	check "no leak by random commands" no_leak
}
