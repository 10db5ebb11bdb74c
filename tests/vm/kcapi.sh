# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# luna-fuse --crypto=kcapi over a real AF_ALG; sourced by tests/vm/guest. Needs in $vm: luna-fuse,
# lunactl, libluna.so, suites/, test_provider_afalg, afalg_bench.
vm=/tmp/vm
kcapi_dir=/run/kcapi kcapi_store=/run/kcapi-store
kcapi_suites="general kat"

kcapi_modules() {
	local m
	for m in af_alg algif_hash algif_skcipher algif_rng crypto_user des_generic drbg fuse; do
		modprobe "$m" || echo "no module $m"
	done
	[ -e /dev/fuse ]
}

kcapi_start() {
	"$vm/luna-fuse" --foreground --verbose --crypto=kcapi --dir="$kcapi_dir" \
		--store="$kcapi_store" --pin-iterations=1000 2> "$vm/luna-fuse.log" &
	kcapi_pid=$!
	for _ in $(seq 300); do
		[ -e "$kcapi_dir/luna0" ] && return 0
		kill -0 "$kcapi_pid" 2> /dev/null || break
		sleep 0.2
	done
	cat "$vm/luna-fuse.log"
	return 1
}

kcapi_stop() {
	kill "$kcapi_pid" && wait "$kcapi_pid"
}

# on_kcapi COMMAND...: with the daemon's files as the devices
on_kcapi() {
	LUNA_DEVICES=$kcapi_dir "$@"
}

# served PROVIDER ALGORITHM...: each of them is computed by that provider, as lunactl tells
served() {
	local provider=$1 name
	shift
	on_kcapi "$vm/lunactl" slots --verbose > "$vm/providers"
	cat "$vm/providers"
	for name; do
		grep -Eq "^ +$name +$provider" "$vm/providers" || { echo "$name is not of $provider"; return 1; }
	done
}

# Whose triple DES is; tests/vm/debug-kernel's kernel has none.
of_des3() {
	if grep -q '^name *: des3_ede$' /proc/crypto; then echo kcapi; else echo openssl; fi
}

kcapi_serves_all() {
	grep -E 'AF_ALG|OpenSSL' "$vm/luna-fuse.log"
	served kcapi AES-ECB AES-CBC AES-CTR CMAC-AES SHA-1 SHA-224 SHA-256 SHA-384 SHA-512 \
		SHA3-224 SHA3-256 SHA3-384 SHA3-512 HMAC-SHA-1 HMAC-SHA-224 HMAC-SHA-256 HMAC-SHA-384 HMAC-SHA-512 \
		HMAC-SHA3-224 HMAC-SHA3-256 HMAC-SHA3-384 HMAC-SHA3-512 random &&
		served "$(of_des3)" DES3 && served openssl RSA PBKDF2 && served engine AES-GCM
}

# The kernel's own account: sockets of the daemon hold the modules, and it has few descriptors.
kcapi_in_use() {
	local files
	files=$(find "/proc/$kcapi_pid/fd" -mindepth 1 | wc -l)
	grep -E '^(af_alg|algif_)' /proc/modules
	echo "descriptors: $files"
	[ "$(cat /sys/module/algif_rng/refcnt)" -gt 0 ] && [ "$files" -lt 1024 ]
}

# Without algif_skcipher AES is OpenSSL's, and the rest still the kernel's; the same token serves.
kcapi_in_part() {
	local loader rc
	loader=$(cat /proc/sys/kernel/modprobe)
	rmmod algif_skcipher && echo /bin/false > /proc/sys/kernel/modprobe || return
	kcapi_start && served openssl AES-ECB AES-CBC AES-CTR AES-GCM DES3 && served kcapi SHA-256 CMAC-AES &&
		on_kcapi timeout 900 "$vm/suites/conformance_general" && kcapi_stop
	rc=$?
	echo "$loader" > /proc/sys/kernel/modprobe
	modprobe algif_skcipher
	return "$rc"
}

kcapi_checks() {
	local suite
	! wanted kcapi_whole || kcapi_suites+=" keys operations cross"
	check "kcapi: modules" kcapi_modules
	check "kcapi: the provider's unit test over AF_ALG" timeout 600 "$vm/test_provider_afalg"
	check "kcapi: luna-fuse starts" kcapi_start
	check "kcapi: AF_ALG serves what it should" kcapi_serves_all
	for suite in $kcapi_suites; do
		on_kcapi suite "kcapi" "$vm/suites/conformance_$suite"
	done
	check "kcapi: AF_ALG is in use" kcapi_in_use
	check "kcapi: luna-fuse ends" kcapi_stop
	check "kcapi: without algif_skcipher" kcapi_in_part
}

# AF_ALG against /dev/luna0 of luna.ko: for people, who find the table in the log. The machine is
# emulated, so that only the ratios mean something.
kcapi_bench() {
	local ctl=$vm/lunactl
	export LUNA_SO_PIN=so-pin-1234 LUNA_PIN=co-pin-5678
	kcapi_modules && modprobe algif_aead && "$ctl" init --slot 0 --label bench &&
		"$ctl" role init --slot 0 --role co && "$vm/afalg_bench" "$LUNA_LIBRARY" 0
}

kcapi_bench_checks() {
	load slots=1 || return
	check "AF_ALG and luna.ko compared" kcapi_bench
	check "unload after the comparison" rmmod luna
}
