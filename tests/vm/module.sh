# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The module's own tests; sourced by tests/vm/guest.
export LUNA_SO_PIN=so-pin-1234 LUNA_PIN=co-pin-5678
vm=/tmp/vm
ctl=$vm/lunactl
export LD_LIBRARY_PATH=$vm

refuses() {
	! load "$@" || { rmmod luna; return 1; }
}

# refuses_saying TEXT PARAMETER...: and the kernel's log says why
refuses_saying() {
	local text=$1
	shift
	dmesg -C
	refuses "$@" && dmesg | grep -F "$text" && dmesg >> "$vm/dmesg" && return
	echo "# no such line: $text"
	return 1
}

bad_parameters() {
	install -d -m 755 /run/open
	install -d -m 700 -o 1 /run/others
	refuses_saying "slots=0: choose" slots=0 && refuses_saying "slots=65: choose" slots=65 &&
		refuses_saying "not an absolute path" store=relative &&
		refuses_saying "make it with: install -d -m 700" store=/run/none &&
		refuses_saying "chmod 700 /run/open" store=/run/open &&
		refuses_saying "does not belong to root" store=/run/others &&
		refuses_saying "cannot be opened: -20" store=/etc/passwd
}

busy() {
	exec 3<> /dev/luna0 && ! rmmod luna 2> /dev/null && exec 3>&-
}

nodes() {
	ls -l /dev/luna*
	[ "$(stat -c %F:%a /dev/luna3)" = "character special file:600" ] && [ ! -e /dev/luna4 ]
}

client32() {
	init_token of-32-bits && "$vm/client32" /dev/luna0 "$LUNA_PIN"
}

init_token() {	# LABEL
	"$ctl" init --slot 0 --label "$1" --domain vm && "$ctl" role init --slot 0 --role co
}

# in_generation PID: it has computed in the kernel for half a second, and still does
in_generation() {
	local stat
	for _ in $(seq 300); do
		read -ra stat 2> /dev/null < "/proc/$1/stat" || return
		[ "${stat[2]}" != Z ] || return
		[ "${stat[14]}" -lt 50 ] || return 0
		sleep 0.1
	done
	return 1
}

# Starts the generation of a key, whose client becomes $generator. How long it takes is chance: again,
# if it ends too early.
start_generation() {
	for _ in $(seq 20); do
		"$ctl" key generate --slot 0 --type rsa --size 4096 --label big > /dev/null &
		generator=$!
		in_generation $generator && return
		wait $generator
	done
	return 1
}

# A killed client's key generation ends at once, and the token goes on.
killed_generation() {
	local start generator
	init_token killed && start_generation || return
	kill -9 $generator && start=$SECONDS
	wait $generator
	echo "# ended after $((SECONDS - start)) s"
	[ $((SECONDS - start)) -le 3 ] && rmmod luna && load slots=2 && init_token again
}

# Unplugging waits for the generation of a key; killed, it leaves the slot as it is.
unplugged_in_generation() {
	local generator rc
	for _ in $(seq 20); do
		start_generation || return
		rc=0
		timeout -s KILL 1 bash -c 'echo 0 > /sys/class/luna/unplug' || rc=$?
		[ $rc = 0 ] || break
		wait $generator		# which ended before that second
		echo 0 > /sys/class/luna/plug && init_token again || return
	done
	[ $rc = 137 ] && kill -9 $generator && "$ctl" slots | grep -w again || return
	wait $generator
	echo 0 > /sys/class/luna/unplug && ! [ -e /dev/luna0 ] && echo 0 > /sys/class/luna/plug
}

# ---- memory ----

# The hog and nobody else was killed for want of memory.
only_killed() {	# NAME or nothing
	dmesg | grep -o 'Killed process .*' | sed 's/^/# /'
	! dmesg | grep -o 'Killed process .*' | grep -v "(${1:-nobody})"
}

# Where the kernel may take no more than 48 MiB for a client, it hears so, lives, and goes on.
little_memory() {
	local group=/sys/fs/cgroup/little rc=0
	mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup || return
	echo +memory > /sys/fs/cgroup/cgroup.subtree_control && mkdir -p $group &&
		echo 48M > $group/memory.max || return
	(
		echo $BASHPID > $group/cgroup.procs
		echo -1000 > /proc/self/oom_score_adj
		exec "$vm/module_slots" pressure
	) || rc=1
	grep -E '^(max|oom) ' $group/memory.events | sed 's/^/# /'
	grep -qE '^max [1-9]' $group/memory.events || rc=1
	only_killed && [ $rc = 0 ]
}

# No memory is left in the whole machine, until the kernel kills the one that has it.
beside_a_hog() {
	local worker rc=0 hog_rc=0
	rm -f /run/hog-is-dead
	"$vm/module_slots" beside /run/hog-is-dead &
	worker=$!
	(
		echo 1000 > /proc/self/oom_score_adj
		exec "$vm/hog"
	) || hog_rc=$?
	touch /run/hog-is-dead
	wait $worker || rc=$?
	echo "# the hog ended with $hog_rc, the worker with $rc"
	[ $hog_rc = 137 ] && [ $rc = 0 ] && only_killed hog
}

# ---- the store ----

has_key() {	# LABEL
	"$ctl" object list --slot 0 | grep -w "$1"
}

reload() {
	rmmod luna && load slots=2 store=/run/store
}

kept() {
	install -d -m 700 /run/store && load slots=2 store=/run/store && init_token first &&
		"$ctl" key generate --slot 0 --type aes --label kept && reload && has_key kept &&
		"$ctl" slots && ls -l /run/store && [ ! -s /run/store/token0.luna.alt ]
}

# token0.luna of two generations, put back as a power cut in a replacement may leave them
cut_replacement() {
	local s=/run/store
	rmmod luna && cp $s/token0.luna $s/old && load slots=2 store=$s && init_token second &&
		rmmod luna && cp $s/token0.luna $s/new || return
	# .alt whole, the log old, empty, or without its header
	cp $s/old $s/token0.luna && cp $s/new $s/token0.luna.alt && settled_as new || return
	: > $s/token0.luna && cp $s/new $s/token0.luna.alt && settled_as new || return
	cp $s/new $s/token0.luna && behead $s/token0.luna &&
		cp $s/new $s/token0.luna.alt && settled_as new || return
	# .alt torn, or the log carried over already
	cp $s/old $s/token0.luna && cp $s/new $s/token0.luna.alt &&
		behead $s/token0.luna.alt && settled_as old || return
	cp $s/new $s/token0.luna && cp $s/old $s/token0.luna.alt && settled_as new || return
	cp $s/new $s/token0.luna && cp $s/new $s/token0.luna.alt && settled_as new
}

behead() {	# FILE
	dd if=/dev/zero of="$1" bs=48 count=1 conv=notrunc status=none
}

settled_as() {
	load slots=2 store=/run/store && rmmod luna && cmp "/run/store/$1" /run/store/token0.luna &&
		[ ! -s /run/store/token0.luna.alt ]
}

# One store directory, in turns
start_daemon() {	# SLOTS [OPTION...]
	local slots=$1
	shift
	modprobe fuse
	mkdir -p /run/fuse
	"$vm/luna-fuse" --foreground --dir=/run/fuse --store=/run/store --slots="$slots" \
		--pin-iterations=1000 "$@" > "$vm/daemon.log" 2>&1 &
	daemon=$!
	for _ in $(seq 100); do
		[ -e /run/fuse/luna0 ] && return 0
		sleep 0.2
	done
	return 1
}

stop_daemon() {
	kill "$daemon" && wait "$daemon"
}

shared_with_daemon() {
	load slots=2 store=/run/store && init_token shared &&
		"$ctl" key generate --slot 0 --type aes --label by-module || return
	! timeout 20 "$vm/luna-fuse" --foreground --dir=/run/fuse2 --store=/run/store || return
	rmmod luna && start_daemon 2 || return
	export LUNA_DEVICES=/run/fuse
	has_key by-module && "$ctl" key generate --slot 0 --type aes --label by-daemon || return
	refuses slots=2 store=/run/store || return
	export LUNA_DEVICES=/dev
	stop_daemon && load slots=2 store=/run/store && has_key by-module && has_key by-daemon
}

# What conformance_persistence makes, by one host and for the other
persists() {
	"$vm/suites/conformance_persistence" "$1"
}

fill_by_module() {
	rm -f /run/store/token* && load slots=2 store=/run/store && persists fill && reload &&
		persists check && rmmod luna && start_daemon 2 || return
	LUNA_DEVICES=/run/fuse persists check && stop_daemon
}

fill_by_daemon() {
	rm -f /run/store/token* && start_daemon 2 && LUNA_DEVICES=/run/fuse persists fill &&
		stop_daemon && load slots=2 store=/run/store && persists check && reload &&
		persists check
}

# 17 bytes into the state record; the store is left as it was
damaged() {
	local s=/run/store
	rmmod luna && printf XX | dd of=$s/token0.luna bs=1 seek=105 conv=notrunc &&
		cp $s/token0.luna $s/bad && load slots=2 store=$s || return
	"$ctl" object list --slot 0
	"$ctl" init --slot 0 --label no && return 1
	rmmod luna && cmp $s/bad $s/token0.luna
}

# Nothing can be written: said at once, and nothing of what is there changes.
read_only() {
	mkdir -p /run/fixed && mount -t tmpfs -o mode=700 none /run/fixed &&
		load slots=1 store=/run/fixed && init_token fixed && rmmod luna &&
		cp /run/fixed/token0.luna /run/fixed.copy &&
		mount -o remount,ro /run/fixed &&
		refuses_saying "is on a read-only file system" slots=1 store=/run/fixed &&
		cmp /run/fixed.copy /run/fixed/token0.luna && mount -o remount,rw /run/fixed &&
		load slots=1 store=/run/fixed && "$ctl" slots | grep -w fixed && rmmod luna &&
		umount /run/fixed
}

# out_of_use TEXT: slot 0 is, as the kernel's log and lunactl say; slot 1 works. Once the file is moved
# away, slot 0 comes back with an empty token.
out_of_use() {
	local s=/run/foreign
	dmesg -C
	load slots=2 store=$s && dmesg >> "$vm/dmesg" && dmesg | grep -F "$1" &&
		dmesg | grep -F "cannot use $s/token0.luna" && "$ctl" slots > "$vm/slots" || return
	cat "$vm/slots"
	grep -q "store unusable" "$vm/slots" && ! init_token no 2> "$vm/refused" &&
		grep CKR_DEVICE_ERROR "$vm/refused" && "$ctl" init --slot 1 --label beside --domain vm &&
		rm -r $s/token0.luna* && echo 0 > /sys/class/luna/unplug &&
		echo 0 > /sys/class/luna/plug && init_token back && rmmod luna && rm -f $s/token*
}

# Files that cannot be opened take one slot out of use.
foreign_file() {
	local s=/run/foreign
	install -d -m 700 $s && : > $s/token0.luna && chmod 600 $s/token0.luna &&
		chown 1 $s/token0.luna && out_of_use "not a regular file of root's alone" &&
		ln -s /etc/passwd $s/token0.luna && out_of_use "cannot open $s/token0.luna: -40" &&
		mkdir $s/token0.luna && out_of_use "cannot open $s/token0.luna: -21" &&
		mkdir $s/token0.luna.alt && out_of_use "cannot open $s/token0.luna.alt: -21"
}

# Full to the last byte: soon nothing new is taken, but logins go on, and objects can be destroyed; nothing is
# lost, also if the module comes anew, and all goes on when there is room.
full() {
	local i s=/run/small
	mkdir -p $s && mount -t tmpfs -o size=2m,mode=700 none $s && load slots=1 store=$s &&
		init_token small || return
	for i in 1 2 3; do
		"$ctl" key generate --slot 0 --type aes --label "k$i" || return
	done
	cat /dev/zero > $s/ballast 2> /dev/null && return 1
	for i in $(seq 4 400); do
		"$ctl" key generate --slot 0 --type aes --label "k$i" > "$vm/full" 2>&1 || break
	done
	grep CKR_DEVICE_MEMORY "$vm/full" && has_key "k$((i - 1))" && ! has_key "k$i" &&
		"$ctl" object delete --slot 0 --label k2 --force && ! has_key k2 && reload_small &&
		has_key "k$((i - 1))" && ! has_key k2 && rm $s/ballast &&
		"$ctl" key generate --slot 0 --type aes --label more && reload_small && has_key k3 &&
		has_key more && rmmod luna && umount $s
}

reload_small() {
	rmmod luna && load slots=1 store=/run/small
}

module_checks() {
	check "bad parameters are refused" bad_parameters
	check "four slots" load slots=4
	check "nodes" nodes
	check "a client of 32 bits" client32
	check "rmmod while open" busy
	check "bad ioctls" python3 "$vm/ioctl.py" bad
	check "bad pointers" python3 "$vm/ioctl.py" pointers
	check "every size" python3 "$vm/ioctl.py" sizes
	check "random ioctls" python3 "$vm/ioctl.py" fuzz 1
	check "requests that change meanwhile" python3 "$vm/ioctl.py" race
	check "unload" rmmod luna
	check "two slots" load slots=2
	check "unplug while open" python3 "$vm/ioctl.py" unplug
	check "SIGKILL during key generation" killed_generation
	check "unplugging during key generation" unplugged_in_generation
	check "unload after unplugging" rmmod luna
	install -d -m 700 /run/slots
	check "two slots with a store" load slots=2 store=/run/slots
	suite "slots" "$vm/module_slots"
	check "little memory" little_memory
	check "no memory" beside_a_hog
	check "unload after that" rmmod luna
	check "a store is kept" kept
	check "a replacement cut short" cut_replacement
	check "a store shared with luna-fuse" shared_with_daemon
	rmmod luna
	check "filled by the module, read by luna-fuse" fill_by_module
	check "filled by luna-fuse, read by the module" fill_by_daemon
	init_token damage
	check "a damaged store" damaged
	check "a full store" full
	check "a store that cannot be written" read_only
	check "a token's file that cannot be opened" foreign_file
	rmmod luna 2> /dev/null
}

# on_both ARGUMENT...: lunactl with slot 0 in the module and slot 1 in the daemon
on_both() {
	LUNA_DEVICES=/dev:/run/fuse LUNA_SO_PIN=so-pin-1234 LUNA_PIN=co-pin-5678 "$vm/lunactl" "$@"
}

both_initialised() {
	local slot
	printf co-pin-5678 > /run/co-pin
	for slot in 0 1; do
		on_both init --slot $slot --label "host $slot" --domain hosts &&
			on_both role init --slot $slot --role co --new-pin-file /run/co-pin || return
	done
}

# hosts_pair FROM TO: a key made here works there, cloned at once and in four steps; a login there
# without its PIN, through a key here
hosts_pair() {
	local from=$1 to=$2 label=of-$1 how
	on_both key generate --slot "$from" --type aes --size 256 --label "$label" || return
	on_both encrypt --slot "$from" --label "$label" --mechanism AES_GCM --in "$vm/module.sh" \
		--out /run/secret || return
	for how in "" --steps; do
		on_both clone --from "$from" --to "$to" --label "$label" --to-pin-file /run/co-pin $how &&
			on_both decrypt --slot "$to" --label "$label" --mechanism AES_GCM --in /run/secret \
				--out /run/plain && cmp "$vm/module.sh" /run/plain &&
			on_both object delete --slot "$to" --label "$label" --force || return
	done
	on_both ha setup --primary "$from" --secondary "$to" --label "ha-$label" \
		--secondary-pin-file /run/co-pin &&
		on_both ha login --primary "$from" --secondary "$to" --label "ha-$label" |
		grep "RW user functions"
}

# One slot of the module and one of the daemon, in one process
hosts_checks() {
	install -d -m 700 /run/store
	rm -f /run/store/token*
	check "a slot of the module" load slots=1
	check "a slot of luna-fuse" start_daemon 1
	check "both are in one domain" both_initialised
	check "module to daemon" hosts_pair 0 1
	check "daemon to module" hosts_pair 1 0
	check "unload" rmmod luna
	check "the daemon ends" stop_daemon
}

# The same with whole suites, each in both parts
hosts_whole_checks() {
	local suite
	rm -f /run/store/token*
	check "a slot of the module" load slots=1
	check "a slot of luna-fuse" start_daemon 1
	for suite in cloning ha_login; do
		LUNA_DEVICES=/dev:/run/fuse suite "module to daemon" "$vm/suites/conformance_$suite"
		LUNA_DEVICES=/run/fuse:/dev suite "daemon to module" "$vm/suites/conformance_$suite"
	done
	check "unload" rmmod luna
	check "the daemon ends" stop_daemon
}

# The port that the machine's other end of the pipe is; udev, which would name it, is not here.
peer_port() {
	local port
	for port in /sys/class/virtio-ports/*; do
		[ "$(cat "$port/name" 2> /dev/null)" != luna.peer ] || echo "/dev/${port##*/}"
	done
}

# Serves the first host, one command after the other, until that has done what it wanted.
peer_serve() {
	local port
	modprobe virtio_console || return
	port=$(peer_port)
	[ -n "$port" ] || { echo "no port luna.peer"; return 1; }
	LUNA_PIN=co-pin-5678 on_module init --slot 0 --label module --domain hosts || return
	LUNA_SO_PIN=so-pin-1234 LUNA_PIN=co-pin-5678 on_module role init --slot 0 --role co || return
	echo > "$vm/peer-ready"
	while [ ! -e "$vm/peer-done" ] && [ ! -e "$vm/peer-over" ]; do
		LUNA_PIN=co-pin-5678 on_module peer --timeout 600 <> "$port" >&0 2> "$vm/peer-said"
		grep -v "broke before it began" "$vm/peer-said"	# nobody was there
		sleep 1
	done
	[ -e "$vm/peer-done" ]
}

on_module() {
	LUNA_DEVICES=/dev LUNA_SO_PIN=so-pin-1234 "$vm/lunactl" "$@"
}

# The module as the token of a host of its own: tests/vm/peer-host.sh is the other one.
peer_checks() {
	local status name
	check "a slot of the module" load slots=1
	check "it serves another host" peer_serve
	check "that one has said how all five went" test "$(wc -l < "$vm/peer-done")" = 5
	while read -r status name; do
		result "$status" "two hosts: $name" 0
	done < "$vm/peer-done"
	check "unload" rmmod luna
}
