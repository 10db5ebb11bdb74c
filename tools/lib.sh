# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What tools/demo and tools/check share: the project's folder, packages, the build.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=${LUNA_BUILD:-$top/build}

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "needs root for: $* (install sudo, or run it as root)"
	fi
}

# A shell's command: runs its own words ($0 $@), and no package that they install starts a service,
# as the tests start servers of their own. A policy of the machine's owner stays.
# shellcheck disable=SC2016
without_services='policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap "rm -f $policy" EXIT
	trap "exit 1" INT TERM
	printf "#!/bin/sh\nexit 101\n" >$policy
	chmod 755 $policy
fi
"$0" "$@"'

# Installs what tools/packages names and is missing; quiet when nothing is. With an argument, a
# pattern of the packages that are not needed this time.
install_packages() {
	local wanted missing=() p without=${1:-^$} log
	wanted=$(sed 's/#.*//' "$top/tools/packages" | tr -s ' \t\n' '\n' | grep -Ev "$without|^$")
	for p in $wanted; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || missing+=("$p")
	done
	[ ${#missing[@]} = 0 ] && return 0
	say "Installing packages: ${missing[*]}"
	log=$(mktemp)
	if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive sh -c "$without_services" \
		apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		tail -20 "$log" >&2
		rm -f "$log"
		die "could not install: ${missing[*]}"
	fi
	rm -f "$log"
}

# build_tree NAME [meson options]: configures and compiles build/NAME. CC is honoured, and TARGETS,
# which names what is wanted when that is not everything.
build_tree() {
	local name=$1 dir=$build/$1 log
	shift
	log=$(mktemp)
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$top" "$@" >"$log" 2>&1 || { cat "$log" >&2; die "meson setup $name"; }
	fi
	# shellcheck disable=SC2086
	ninja -C "$dir" ${TARGETS:-} >"$log" 2>&1 || { tail -60 "$log" >&2; rm -f "$log"; die "build of $name failed"; }
	rm -f "$log"
}

# module_copy DIR: the sources of luna.ko, for a build that leaves no object in the tree. What DIR has
# of an earlier build stays.
module_copy() {
	mkdir -p "$1"
	find "$1" -name '*.[ch]' ! -name '*.mod.c' -delete
	(cd "$top" && cp -p Kbuild "$1" && cp -pr --parents include lib/token kmod "$1")
}
