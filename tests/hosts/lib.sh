# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Two hosts, hosta and hostb, in namespaces of this test's own: network (a cable between the two),
# processes, host name, and mounts, with /run, /usr/local/bin and ssh's configuration of their own. On each
# a luna-fuse in its default place, with its own store, and an OpenSSH server with generated keys. What is
# typed on such a host is what would be typed on a real one.
#
# Sourced after $build (a build tree) is set; then hosts_up. Prints TAP: check, and finish at the end.
hosts_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/luna-hosts.XXXXXX")
count=0 failures=0
declare -A inside	# process of the host that nsenter enters by
co=(--pin-file /run/etc/co)	# the crypto officer's PIN, as token() leaves it on a host
# shellcheck disable=SC2034
peer="lunactl peer ${co[*]}"	# the other end, as the same

# Asks for root once, for what namespaces and mounts need.
if [ "$(id -u)" != 0 ]; then
	if sudo -n true 2> /dev/null; then
		exec sudo -n env "PATH=$PATH" "$0" "$@"
	fi
	echo "1..0 # SKIP hosts with a network of their own need root, or sudo without a password"
	exit 0
fi

# on HOST COMMAND...: as root there, in an environment as a login gives it
on() {
	local host=$1
	shift
	nsenter -t "${inside[$host]}" -a env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/run/home \
		LANG=C.UTF-8 "$@"
}

# What a host runs first, and as long as it lives: its mounts; then it waits, for processes that end, too.
# shellcheck disable=SC2016
host_init='
hostname "$1"
mount -t tmpfs none /run
mkdir -p /run/sshd /run/etc /run/home /run/user/0/luna
mount -t tmpfs none /usr/local/bin
ln -s "$2/tools/lunactl/lunactl" "$2/fuse/luna-fuse" /usr/local/bin
ip link set lo up
echo ready > "$3"
sleep infinity &
wait'

# host_start NAME
host_start() {
	local name=$1 holder

	mkfifo "$work/$name.ready"
	unshare -n -m -u -p --fork --kill-child=KILL --mount-proc bash -euc "$host_init" init "$name" "$build" \
		"$work/$name.ready" &
	holder=$!
	read -r < "$work/$name.ready"
	inside[$name]=$(cat "/proc/$holder/task/$holder/children" | tr -d ' ')
	holders+=("$holder")
}

# One end of the cable in each host
hosts_connect() {
	ip link add "luna$$" netns "${inside[hosta]}" type veth peer name eth0 netns "${inside[hostb]}"
	on hosta ip link set "luna$$" name eth0
	on hosta ip addr add 192.0.2.1/24 dev eth0
	on hostb ip addr add 192.0.2.2/24 dev eth0
	on hosta ip link set eth0 up
	on hostb ip link set eth0 up
}

# Where the other host is, and as whom ssh knows it; its root logs in with this host's key.
host_ssh_keys() {
	local name=$1

	on "$name" ssh-keygen -q -t ed25519 -N "" -C "root@$name" -f /run/etc/user_key
	on "$name" ssh-keygen -q -t ed25519 -N "" -C "$name" -f /run/etc/host_key
	on "$name" cat /run/etc/user_key.pub > "$work/$name.user"
	on "$name" cat /run/etc/host_key.pub > "$work/$name.host"
}

# host_allows NAME [COMMAND]: what the other host's root may do there: this alone; without it, anything
host_allows() {
	local name=$1 other=hosta
	[ "$name" != hosta ] || other=hostb
	{
		[ $# = 1 ] || printf 'restrict,command="%s" ' "$2"
		cat "$work/$other.user"
	} | on "$name" tee /run/etc/authorized_keys > "$work/out"
}

# host_ssh_up NAME OTHER OTHERS-ADDRESS
host_ssh_up() {
	local name=$1 other=$2 address=$3

	on "$name" tee /run/etc/ssh_config > "$work/out" <<-TXT
		Host $other
			HostName $address
			User root
			IdentityFile /run/etc/user_key
			IdentitiesOnly yes
			UserKnownHostsFile /run/etc/known_hosts
			HostKeyAlias $other
			BatchMode yes
	TXT
	on "$name" tee /run/etc/sshd_config > "$work/out" <<-TXT
		HostKey /run/etc/host_key
		AuthorizedKeysFile /run/etc/authorized_keys
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		KbdInteractiveAuthentication no
		UsePAM no
		StrictModes no
		PidFile /run/sshd.pid
		SetEnv PATH=/usr/local/bin:/usr/bin:/bin
	TXT
	on "$name" mount --bind /run/etc/ssh_config /etc/ssh/ssh_config
	echo "$other $(cut -d' ' -f1,2 "$work/$other.host")" | on "$name" tee /run/etc/known_hosts > "$work/out"
	host_allows "$name"
	on "$name" /usr/sbin/sshd -f /run/etc/sshd_config -E "$work/$name.sshd"
}

# daemon_start HOST, daemon_stop HOST: two slots, tokens that stay when it stops
daemon_start() {
	on "$1" luna-fuse --dir=/run/user/0/luna --store=/run/store --slots=2 --pin-iterations=1000 \
		> "$work/$1.daemon" 2>&1
	on "$1" test -e /run/user/0/luna/luna0
}
daemon_stop() {
	on "$1" umount /run/user/0/luna
	# It ends when its mount does.
	on "$1" timeout 60 bash -c 'while pgrep -x luna-fuse; do sleep 0.1; done' > "$work/out"
}

hosts_down() {
	local holder

	for holder in "${holders[@]}"; do
		kill -KILL "$holder" 2> /dev/null || true
		wait "$holder" 2> /dev/null || true
	done
	rm -rf "$work"
}

# hosts_up [LABEL LABEL]: with a token in slot 0 of hosta and of hostb
hosts_up() {
	holders=()
	trap hosts_down EXIT
	host_start hosta
	host_start hostb
	hosts_connect
	host_ssh_keys hosta
	host_ssh_keys hostb
	host_ssh_up hosta hostb 192.0.2.2
	host_ssh_up hostb hosta 192.0.2.1
	daemon_start hosta
	daemon_start hostb
	[ $# = 0 ] || { token hosta 0 "$1" && token hostb 0 "$2"; }
}

# token HOST SLOT LABEL [INIT-OPTION...]: a token with the PINs of that host, which are in files there
token() {
	local host=$1 slot=$2 label=$3
	shift 3

	on "$host" bash -c 'umask 077; printf %s "so-pin-$1" > /run/etc/so; printf %s "co-pin-$1" > /run/etc/co' \
		pins "$host"
	on "$host" lunactl init --slot "$slot" --label "$label" --domain lab --pin-file /run/etc/so "$@" > "$work/out"
	on "$host" lunactl role init --slot "$slot" --role co --pin-file /run/etc/so \
		--new-pin-file /run/etc/co > "$work/out"
}

# key HOST TYPE LABEL: a new one in slot 0
key() {
	on "$1" lunactl key generate --slot 0 --type "$2" --label "$3" "${co[@]}" > "$work/out"
}

# objects HOST SLOT [OPTION...]: how many there are
objects() {
	local host=$1 slot=$2
	shift 2
	on "$host" lunactl object list --slot "$slot" "${co[@]}" --json "$@" |
		python3 -c 'import json, sys; print(len(json.load(sys.stdin)))'
}

# result STATUS NAME: a test, with what is in $work/out and $work/err if it failed
result() {
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
		return
	fi
	failures=$((failures + 1))
	echo "not ok $count - $2"
	sed 's/^/# stdout: /' "$work/out" | head -20
	sed 's/^/# stderr: /' "$work/err" | head -20
}

# check NAME COMMAND...
check() {
	local name=$1 rc=0
	shift
	: > "$work/err"
	"$@" > "$work/out" 2> "$work/err" || rc=$?
	result $rc "$name"
}

# t NAME STATUS STDOUT STDERR HOST COMMAND...: it ends with this status and says these patterns; an empty
# pattern: anything. What it said stays in $work/said
t() {
	local name=$1 status=$2 out=$3 err=$4 rc=0 bad=0
	shift 4
	on "$@" > "$work/out" 2> "$work/err" < /dev/null || rc=$?
	[ "$rc" = "$status" ] || { echo "(status $rc, expected $status)" >> "$work/err"; bad=1; }
	cp "$work/out" "$work/said"
	grep -qE -e "$out" "$work/out" || [ -z "$out" ] || bad=1
	grep -qE -e "$err" "$work/err" || [ -z "$err" ] || bad=1
	result $bad "$name"
}

finish() {
	echo "1..$count"
	[ "$failures" = 0 ]
}
