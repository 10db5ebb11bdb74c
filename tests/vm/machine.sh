# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# The emulated machine of tests/vm/run and tests/vm/cut: a packaged kernel, luna.ko for it, and a start
# with the host's root. Sourced in the project's folder after tools/lib.sh, with bail(), and in $cache
# where kernels are kept, in $builds the builds, in $work what the machine has and leaves, in $cpus and
# $memory how large it is.

# The release whose headers tools/lint/kbuild-engine builds for, e.g. 6.12.117+deb12-amd64
release_of() {
	printf '%s\n' /usr/src/linux-headers-"$1".*-amd64 | grep -Ev -- '-(rt|cloud)-|\*' |
		sort -V | tail -n 1 | sed 's/.*linux-headers-//'
}

download_kernel() {
	apt-get download "linux-image-$1-unsigned" 2> /dev/null ||
		apt-get download "linux-image-$1" 2> /dev/null
}

# Downloads and unpacks a kernel's package, without installing it.
fetch_kernel() {
	local release=$1 dir=$2 part

	mkdir -p "$cache"
	part=$(mktemp -d "$dir.XXXXXX")
	(
		cd "$part"
		download_kernel "$release" ||
			{ as_root apt-get update > /dev/null && download_kernel "$release"; }
		dpkg-deb -x ./*.deb .
		rm ./*.deb
		depmod -b . "$release"
	)
	chmod 755 "$part"
	mv -T "$part" "$dir" 2> /dev/null || [ -d "$dir" ]
}

# find_kernel KERNEL: its release and the directory that holds boot/vmlinuz-RELEASE and
# lib/modules/RELEASE, in $release and $image.
find_kernel() {
	case $1 in
	uml)
		uml=$(tests/uml/kernel 6.12-san) || bail "no User Mode Linux"
		release=$(basename "$uml")
		;;
	debug)
		{ read -r release && read -r image; } < <(tests/vm/debug-kernel) ||
			bail "tests/vm/debug-kernel does not say where its kernel is"
		;;
	*)
		release=$(release_of "$1")
		[ -n "$release" ] || bail "no headers of Linux $1 are installed"
		image=$cache/$release
		[ -d "$image" ] || fetch_kernel "$release" "$image" ||
			bail "apt offers no Linux $release: upgrade the package linux-headers-$release"
		;;
	esac
}

# build_module KERNEL: luna.ko for the kernel that find_kernel found, in $module
build_module() {
	local tree=()

	[ "$1" != uml ] || return 0	# built in $work, by uml_module()
	[ "$1" != debug ] || tree=("LUNA_KDIR=$image/build")
	env LUNA_BUILD="$builds" "${tree[@]}" tools/lint/kbuild-engine "$1" > /dev/null ||
		bail "luna.ko does not build"
	module=$builds/kbuild-$1/luna.ko
}

# An initial RAM disk that mounts the host's root and goes on there.
make_initramfs() {
	local dir=$1 out=$2 tree name file

	tree=$(mktemp -d)
	mkdir -p "$tree"/{bin,lib,proc,root}
	: > "$tree/lib/order"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	cp tests/vm/init "$tree/init"
	echo "$PWD" > "$tree/lib/project"
	for name in virtio_pci 9pnet_virtio 9p; do
		modprobe -d "$dir" -S "$release" --show-depends "$name" 2> /dev/null |
			sed -n 's/^insmod \([^ ]*\).*/\1/p'
	done | awk '!seen[$0]++' | while read -r file; do
		case $file in
		*.xz) xz -dc "$file" > "$tree/lib/$(basename "$file" .xz)" ;;
		*) cp "$file" "$tree/lib" ;;
		esac
		basename "$file" .xz >> "$tree/lib/order"
	done
	(cd "$tree" && find . | cpio --quiet -o -H newc | gzip -1) > "$out"
	rm -rf "$tree"
}

# qemu_boot SECONDS APPEND ARGUMENT...: the machine takes the place of this shell. Its root is that of the host,
# read-only over 9p, with the packaged kernel's modules over /lib/modules, and $work in /tmp/vm, of which
# "guest" is what it runs.
qemu_boot() {
	local limit=$1 append="console=ttyS0 panic=-1 mitigations=off quiet $2"

	shift 2
	# no_timer_check: on a busy host the emulated timer may miss the kernel's test of it.
	append+=" cryptomgr.notests random.trust_cpu=on no_timer_check"
	exec timeout "$limit" nice -n 5 qemu-system-x86_64 \
		-nodefaults -no-user-config -machine q35 -accel tcg,thread=multi,tb-size=512 \
		-cpu max,-erms,-fsrm,-la57 -smp "$cpus" -m "$memory" -net none -display none \
		-no-reboot -serial "file:$work/console" \
		-kernel "$image/boot/vmlinuz-$release" -initrd "$work/initramfs" \
		-fsdev "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap" \
		-device virtio-9p-pci,fsdev=root,mount_tag=root \
		-fsdev "local,id=modules,path=$image/lib/modules,security_model=none,readonly=on" \
		-device virtio-9p-pci,fsdev=modules,mount_tag=modules \
		-fsdev "local,id=project,path=$PWD,security_model=none,readonly=on,multidevs=remap" \
		-device virtio-9p-pci,fsdev=project,mount_tag=project \
		-fsdev "local,id=work,path=$work,security_model=none" \
		-device virtio-9p-pci,fsdev=work,mount_tag=work \
		-append "$append" "$@" < /dev/null
}
