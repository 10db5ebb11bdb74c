# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Power cuts of a machine that has luna.ko, whose store is on an ext4 disk in a file: what tests/uml/cut
# and tests/vm/cut share. The machine is killed while programs change its tokens, and started again
# with that disk. What the programs were told was done must be there, what was under way may be, and
# nothing else (tests/crash/client.c, tests/crash/cut-guest). Killing it takes the machine's memory along
# and with it all that was not flushed; the disk is the host's, which loses nothing. TAP.
#
# Sourced with $work set, where the machine's files are (cut-guest), LIMIT, the seconds that it may take
# to come to the load, and $rounds. Who sources it says how a machine is started with the disk
# $work/disk and "luna_turn=$1", which sets $machine, and how it is killed: start TURN, cut_power.
count=0 failed='' machine=''

bail() {
	echo "Bail out! $*"
	exit 1
}

ok() { echo "ok $((++count)) - $*"; }
not_ok() {
	echo "not ok $((++count)) - $*"
	grep -v '^\[' "$work/why" 2>/dev/null | tail -n 20 | sed 's/[^[:print:]\t]//g; s/^/# /'
	grep -h luna: "$work/why" "$work/console" 2>/dev/null | tail -n 10 | sed 's/[^[:print:]\t]//g; s/^/# /'
	failed=1
}

alive() { kill -0 "$machine" 2>/dev/null; }

# lines N: waits until the programs were told so much
lines() {
	local waited

	for ((waited = 0; waited < LIMIT * 50; waited++)); do
		[ "$(wc -l <"$work/acks")" -lt "$1" ] || return 0
		alive || return 1
		sleep 0.02
	done
	return 1
}

verified() {
	[ "$(cat "$work/verified" 2>/dev/null)" = ok ]
}

# round TURN: looks over what the last one left, loads, and cuts. Return: was all there?
round() {
	start "$1"
	lines $((20 + RANDOM % 300)) || { cut_power; return 1; }
	cut_power
	verified || return 1
	told=$((told + $(wc -l <"$work/told")))
	cp "$work/acks" "$work/told"
	if grep -q 'replacement that was cut short' "$work/why"; then
		replaced=$((replaced + 1))
	fi
}

new_disk() {
	rm -f "$work/disk"
	truncate -s 64M "$work/disk"
	mkfs.ext4 -q -F "$work/disk"
	: >"$work/told"
	told=0 replaced=0
}

# The last look, after which the machine ends by itself
last_look() {
	local waited

	start last
	for ((waited = 0; waited < 2 * LIMIT; waited++)); do
		alive || break
		sleep 1
	done
	cut_power
	verified || return 1
	told=$((told + $(wc -l <"$work/told")))
	e2fsck -fn "$work/disk" >>"$work/why" 2>&1
}

cuts() {
	local turn started=$SECONDS bad=0

	new_disk
	for ((turn = 0; turn < rounds; turn++)); do
		round "$turn" && continue
		bad=$((bad + 1))
		not_ok "round $turn: $(cat "$work/verified" 2>/dev/null || echo "no load")"
		cp "$work/disk" "$work/disk.bad"
		break
	done
	if [ $bad = 0 ] && last_look; then
		ok "$rounds cuts, $told lines of what was told or begun, all of it as told; a replacement" \
			"cut short $replaced times; $((SECONDS - started)) s"
	elif [ $bad = 0 ]; then
		not_ok "the last look: $(cat "$work/verified" 2>/dev/null || echo "no end")"
	fi
}
