# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# What tests/uml/run and tests/uml/cut share; sourced after tools/lib.sh, with in $uml the kernel
# (tests/uml/kernel), in $tree where the module is built, in $work what the machine has and leaves.

# uml_module [MAKE-ARGUMENT...]: luna.ko of the sources in $tree, and the library that UML needs
uml_module() {
	if ! make -s -k -C "$uml/source" O="$uml" ARCH=um M="$tree" W=1 CFLAGS_MODULE=-Werror \
		-j"$(nproc)" "$@" modules >"$tree/log" 2>&1; then
		grep -v ' not described in ' "$tree/log" | tail -n 40 >&2
		return 1
	fi
	gcc -O2 -Wall -Werror -shared -fPIC -o "$work/xstate.so" "$top/tests/uml/xstate.c"
	cp "$tree/luna.ko" "$work/"
}

# uml_boot INIT SECONDS ARGUMENT...: replaces this shell. UML keeps its memory in a file of $TMPDIR and
# tells its children of it by name.
uml_boot() {
	local init=$1 limit=$2
	shift 2
	cp "$init" "$work/init"
	export LD_PRELOAD=$work/xstate.so TMPDIR=/dev/shm
	exec timeout -k 10 "$limit" "$uml/linux" mem=768M root=hostfs rootfstype=hostfs rootflags=/ rw \
		init="$work/init" "luna_work=$work" "uml_dir=$work/" umid=uml con=null con0=null,fd:2 \
		con0=fd:0,fd:1 panic=-1 "$@" </dev/null >"$work/console" 2>&1
}
