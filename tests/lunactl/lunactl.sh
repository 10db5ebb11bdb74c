#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# lunactl as its users run it: every command, as text and JSON, and what it says when something is
# wrong. TAP. Needs four slots that may be erased (LUNA_DEVICES), and openssl and python3.
#
# usage: lunactl.sh LUNACTL END-IN-FSYNC.SO
set -u
lunactl=$1 end_in_fsync=$2
work=$(mktemp -d "${TMPDIR:-/tmp}/lunactl.XXXXXX")
trap 'rm -rf "$work"' EXIT
out=$work/out err=$work/err
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../lib/tap.sh"
unset LUNA_PIN LUNA_SO_PIN LUNA_CU_PIN LUNA_NEW_PIN LUNA_TOKEN_TYPE

explain() {
	sed 's/^/# stdout: /' "$out" | head -20
	sed 's/^/# stderr: /' "$err" | head -20
}

# check NAME COMMAND...: whose words are kept for explain()
check() {
	local name=$1
	shift
	"$@" >"$out" 2>"$err"
	result $? "$name"
}
not() { ! "$@"; }

# t NAME STATUS STDOUT STDERR ARGUMENT...: lunactl ends with this status and says these patterns;
# an empty pattern: nothing on that stream, "-": anything. What is said are whole lines.
t() {
	local name=$1 status=$2 on_out=$3 on_err=$4 rc bad=0
	shift 4
	"$lunactl" "$@" >"$out" 2>"$err" </dev/null
	rc=$?
	[ $rc = "$status" ] || { echo "(status $rc, expected $status)" >>"$err"; bad=1; }
	said "$on_out" "$out" && said "$on_err" "$err" || bad=1
	result $bad "$name"
}
said() {
	case $1 in
	-) ;;
	"") [ ! -s "$2" ] || [ "$(head -c 8 "$2")" = "(status " ] ;;
	*) grep -qE -e "$1" "$2" && [ -z "$(tail -c 1 "$2")" ] ;;
	esac
}

# j NAME STATUS EXPRESSION ARGUMENT...: with --json, stdout is JSON that makes the Python expression
# on "d" true
j() {
	local name=$1 status=$2 expression=$3 rc bad=0
	shift 3
	"$lunactl" "$@" --json >"$out" 2>"$err" </dev/null
	rc=$?
	[ $rc = "$status" ] || { echo "(status $rc, expected $status)" >>"$err"; bad=1; }
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(0 if eval(sys.argv[2]) else 1)' "$out" "$expression" 2>>"$err" || bad=1
	result $bad "$name"
}

# quiet COMMAND...: something that the next tests need
quiet() { "$@" >"$out" 2>"$err" </dev/null || { result 1 "set-up: $*"; }; }

printf 'so-pin-1234\n' >"$work/so"
printf 'co-pin-5678' >"$work/co"
printf 'cu-pin-9012\r\n' >"$work/cu"
printf 'co-pin-other' >"$work/co2"
so=(--pin-file "$work/so") co=(--pin-file "$work/co") cu=(--pin-file "$work/cu")

# ---- help ----

"$lunactl" --help >"$work/help" 2>&1
mapfile -t commands < <(sed -n 's/^  \([a-z]\+\( [a-z]\+\)\?\)  .*/\1/p' "$work/help")
check "--help lists the commands" [ ${#commands[@]} -ge 20 ]
t "--help" 0 '^Usage: lunactl COMMAND' "" --help
t "-h" 0 '^Usage: lunactl COMMAND' "" -h
t "help" 0 '^Usage: lunactl COMMAND' "" help
t "--version" 0 '^lunactl [0-9]+\.[0-9]+' "" --version
t "no command" 2 "" '^Usage: lunactl COMMAND'
for c in "${commands[@]}"; do
	# shellcheck disable=SC2086
	t "$c --help" 0 "^Usage: lunactl $c " "" $c --help
	# shellcheck disable=SC2086
	t "help $c" 0 "^Usage: lunactl $c " "" help $c
	# shellcheck disable=SC2086
	t "$c with an unknown option" 2 "" "^lunactl: .*nonsense" $c --nonsense
done
for g in key object role policy ha mofn; do
	t "$g --help" 0 "^  $g [a-z]+ +[A-Z]" "" $g --help
	t "$g -h" 0 "^  $g [a-z]+ +[A-Z]" "" $g -h
	t "help $g" 0 "^  $g [a-z]+ +[A-Z]" "" help $g
	t "$g without a command" 2 "" "^  $g [a-z]+ +[A-Z]" $g
	t "$g with an unknown command" 2 "" "no command '$g nonsense'" $g nonsense
done

# ---- the command line ----

t "an unknown command" 2 "" "no command 'nonsense'" nonsense
t "an unknown command with options" 2 "" "no command 'nonsense" nonsense --slot 0
t "help on an unknown command" 2 "" "no command 'nonsense'" help nonsense
t "an option of another command" 2 "" "'slots' takes no --label" slots --label x
t "a word too many" 2 "" "takes no 'word'" slots word
t "an option without its value" 2 "" "requires an argument" login --slot
t "no slot" 2 "" "--slot is missing" login
for n in x -1 "" 0x 99999999999999999999999 "1 2"; do
	t "slot '$n'" 2 "" "--slot takes a number" login --slot "$n"
done
t "a slot that is not there" 1 "" CKR_SLOT_ID_INVALID login --slot 63
j "a slot that is not there, as JSON" 1 '"CKR_SLOT_ID_INVALID" in d["error"]' login --slot 63
t "a slot number beyond 32 bits" 1 "" CKR_SLOT_ID_INVALID login --slot 4294967296

# ---- tokens and roles ----

t "slots" 0 'slot +label.*' "" slots
check "four slots are not initialised" [ "$(grep -c 'not initialised' "$out")" = 4 ]
t "slots tells who computes" 0 'AES-CBC +[a-z]+.*' "" slots --verbose
j "slots tells who computes, as JSON" 0 'all({"AES-GCM", "SHA-256", "HMAC-SHA-256", "CMAC-AES", "RSA", "random"} <= {p["algorithm"] for p in s["providers"] if p["provider"]} for s in d)' slots --verbose
j "slots as JSON" 0 'len(d) == 4 and not any(s["initialised"] for s in d)' slots
t "login on a token that is not initialised" 1 "" 'CKR_TOKEN_NOT_RECOGNIZED.*lunactl init' \
	login --slot 0 "${co[@]}"
t "init needs a label" 2 "" "--label is missing" init --slot 0 "${so[@]}"
t "a label that is too long" 2 "" "at most 32" init --slot 0 --label 123456789012345678901234567890123 "${so[@]}"
t "init needs a PIN" 1 "" "set LUNA_SO_PIN" init --slot 0 --label a --domain d
t "a PIN file that is not there" 1 "" "$work/none" init --slot 0 --label a --pin-file "$work/none"
printf abc >"$work/short"
t "a PIN that is too short" 1 "" "CKR_PIN_LEN_RANGE" init --slot 0 --label a --pin-file "$work/short"
head -c 300 /dev/zero | tr '\0' x >"$work/long"
t "a PIN that is too long" 1 "" "255 bytes" init --slot 0 --label a --pin-file "$work/long"
t "init" 0 "is initialised. Next" "" init --slot 0 --label "token a" --domain d "${so[@]}"
j "init as JSON" 0 'd["done"]' init --slot 1 --label "token b" --domain d "${so[@]}"
t "init without a domain" 0 "without a cloning domain" "" init --slot 2 --label "token c" "${so[@]}"
printf wrong-pin >"$work/wrong"
t "init again with another PIN" 1 "" CKR_PIN_INCORRECT init --slot 2 --label c --pin-file "$work/wrong"
LUNA_SO_PIN=so-pin-1234 t "init again, PIN from the environment" 0 "is initialised" "" \
	init --slot 2 --label "token c" --domain "another domain"
t "slots with labels" 0 'token a .*no crypto officer' "" slots
t "no crypto officer yet" 1 "" 'CKR_USER_PIN_NOT_INITIALIZED.*role init' login --slot 0 "${co[@]}"
t "role init needs a role" 2 "" "--role is missing" role init --slot 0 "${so[@]}"
t "role init of the SO" 2 "" "lunactl init" role init --slot 0 --role so "${so[@]}"
t "no such role" 2 "" "'boss' is no role" role init --slot 0 --role boss "${so[@]}"
t "role init" 0 "crypto officer of slot 0 has a PIN" "" \
	role init --slot 0 --role co "${so[@]}" --new-pin-file "$work/co"
j "role init as JSON" 0 'd["done"]' role init --slot 1 --role co "${so[@]}" --new-pin-file "$work/co"
LUNA_SO_PIN=so-pin-1234 LUNA_PIN=co-pin-5678 t "role init from the environment" 0 "has a PIN" "" \
	role init --slot 2 --role co
t "the crypto officer makes the crypto user" 0 "crypto user of slot 0 has a PIN" "" \
	role init --slot 0 --role cu "${co[@]}" --new-pin-file "$work/cu"
t "role list" 0 '^cu +crypto user +initialised +[0-9]+ attempts left' "" role list --slot 0
j "role list as JSON" 0 '[r["role"] for r in d] == ["so", "co", "cu"] and all(r["initialised"] for r in d)' \
	role list --slot 0
t "slots says ready" 0 'token a .*ready' "" slots
t "login" 0 "as co works: RW user functions" "" login --slot 0 "${co[@]}"
t "login as cu" 0 "as cu works: RW user functions" "" login --slot 0 --role cu "${cu[@]}"
t "login as so" 0 "as so works: RW SO functions" "" login --slot 0 --role so "${so[@]}"
LUNA_PIN=co-pin-5678 j "login from the environment, as JSON" 0 'd["role"] == "co"' login --slot 0
t "login in no role" 2 "" "is no role" login --slot 0 --role boss "${co[@]}"
t "login with a wrong PIN" 1 "" "CKR_PIN_INCORRECT" login --slot 0 --pin-file "$work/wrong"
j "login with a wrong PIN, as JSON" 1 'd["error"] == "CKR_PIN_INCORRECT" and d["call"] == "C_Login" and d["code"] == 0xa0' \
	login --slot 0 --pin-file "$work/wrong"
cp "$err" "$work/said"
check "the JSON error is on stderr, too" grep -q CKR_PIN_INCORRECT "$work/said"
printf '\n' >"$work/blank"
t "a PIN file without a PIN" 1 "" "no PIN in $work/blank" login --slot 0 --pin-file "$work/blank"
t "a PIN file that is a directory" 1 "" "$work: Is a directory" login --slot 0 --pin-file "$work"
LUNA_PIN="" t "an empty LUNA_PIN" 1 "" "no PIN in LUNA_PIN" login --slot 0
j "two attempts fewer" 0 'd[0]["attempts_left"] - d[1]["attempts_left"] == 2' role list --slot 0
t "a login gives them back" 0 - "" login --slot 0 "${co[@]}"
j "all attempts again" 0 'd[0]["attempts_left"] == d[1]["attempts_left"]' role list --slot 0
t "role password" 0 "PIN of co on slot 0 is changed" "" \
	role password --slot 0 "${co[@]}" --new-pin-file "$work/co2"
t "the old PIN is no longer good" 1 "" CKR_PIN_INCORRECT login --slot 0 "${co[@]}"
LUNA_NEW_PIN=co-pin-5678 j "role password from the environment, as JSON" 0 'd["done"]' \
	role password --slot 0 --pin-file "$work/co2"
t "role password with a wrong PIN" 1 "" "C_Login: CKR_PIN_INCORRECT" \
	role password --slot 0 --role cu --pin-file "$work/wrong" --new-pin-file "$work/cu"
t "role password for cu" 0 "is changed" "" \
	role password --slot 0 --role cu "${cu[@]}" --new-pin-file "$work/cu"
t "role password needs a new PIN" 1 "" "set LUNA_NEW_PIN" role password --slot 0 "${co[@]}"

# ---- the prompt ----

# prompted LINES ARGUMENT...: lunactl on a terminal; types the lines, one per prompt; everything that
# the terminal showed is on stdout. "^C" is a key, not a line.
cat >"$work/prompted.py" <<'PY'
import os, pty, resource, select, signal, sys, termios, time
lines = sys.argv[1].split("|") if sys.argv[1] else []
signal.alarm(30)
pid, fd = pty.fork()
if pid == 0:
    most = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    os.execv(sys.argv[2], sys.argv[2:])
shown = b""
try:
    while True:
        data = os.read(fd, 4096)
        if not data:
            break
        shown += data
        if shown.rstrip(b" ").endswith(b":") and b"PIN for" in shown.splitlines()[-1] and lines:
            if termios.tcgetattr(fd)[3] & termios.ECHO:
                print("ECHO IS ON")
            if resource.prlimit(pid, resource.RLIMIT_CORE)[0]:
                print("CORE DUMPS ARE ON")
            line = lines.pop(0)
            os.write(fd, b"\x03" if line == "^C" else line.encode() + b"\n")
            shown += b"\n"
except OSError:
    pass
status = os.waitpid(pid, 0)[1]
sys.stdout.write(shown.decode())
sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
PY
# p NAME STATUS PATTERN LINES ARGUMENT...
p() {
	local name=$1 status=$2 pattern=$3 lines=$4 rc bad=0
	shift 4
	python3 "$work/prompted.py" "$lines" "$lunactl" "$@" >"$out" 2>"$err" </dev/null
	rc=$?
	[ $rc = "$status" ] || { echo "(status $rc, expected $status)" >>"$err"; bad=1; }
	grep -qE -e "$pattern" "$out" || bad=1
	grep -qE ' (IS|ARE) ON$|pin-[a-z0-9]' "$out" && bad=1
	result $bad "$name"
}
p "a prompt" 0 "PIN for the crypto officer of slot 0: " "co-pin-5678" login --slot 0
p "a prompt, wrong PIN" 1 CKR_PIN_INCORRECT "bad-pin-1" login --slot 0
p "a prompt for a new PIN asks twice" 0 "again" "cu-pin-9012|cu-pin-9012|cu-pin-9012" \
	role password --slot 0 --role cu
p "new PINs that differ" 1 "differ" "so-pin-1234|new-pin-a|new-pin-b" role init --slot 0 --role co
p "Ctrl-C at the prompt" 130 "PIN for" "^C" login --slot 0
t "the PIN is still the old one" 0 - "" login --slot 0 "${co[@]}"
p "init of a new token asks twice" 0 "again" "so-pin-1234|so-pin-1234" init --slot 3 --label "token d" --domain d

# ---- keys and objects ----

t "key generate needs a type" 2 "" "--type is missing" key generate --slot 0 --label x "${co[@]}"
t "key generate needs a label" 2 "" "--label is missing" key generate --slot 0 --type aes "${co[@]}"
t "no such type" 2 "" "no type of key" key generate --slot 0 --type des --label x "${co[@]}"
t "an AES key of no size" 1 "" "CKR_[A-Z_]+" key generate --slot 0 --type aes --size 8 --label x "${co[@]}"
t "a size that is no number of bytes" 2 "" "multiple of 8" \
	key generate --slot 0 --type aes --size 129 --label x "${co[@]}"
t "an id that is not hexadecimal" 2 "" "hexadecimal" \
	key generate --slot 0 --type aes --id +1 --label x "${co[@]}"
t "an id of half a byte" 2 "" "hexadecimal" key generate --slot 0 --type aes --id 012 --label x "${co[@]}"
t "generate RSA" 0 "RSA key pair 'signer': handle [0-9]+" "" \
	key generate --slot 0 --type rsa --size 2048 --label signer --id 01 "${co[@]}"
j "generate AES, as JSON" 0 'd["handle"] > 0' \
	key generate --slot 0 --type aes --size 256 --label cipher --id 0a0B "${co[@]}"
t "generate a generic secret" 0 "Generic secret 'mac'" "" \
	key generate --slot 0 --type generic --size 512 --label mac --extractable "${co[@]}"
j "RSA as JSON" 0 'd["handle"] != d["public_handle"]' \
	key generate --slot 0 --type rsa --size 2048 --label spare "${co[@]}"
t "the crypto user makes no keys" 1 "" "CKR_[A-Z_]+" \
	key generate --slot 0 --type aes --label no --role cu "${cu[@]}"
t "object list" 0 'secret +AES +256 +cipher +0a0b' "" object list --slot 0 "${co[@]}"
j "object list as JSON" 0 'len(d) == 6 and all(len(o["ouid"]) == 24 for o in d)' object list --slot 0 "${co[@]}"
j "object list by class" 0 'sorted(o["label"] for o in d) == ["signer", "spare"]' \
	object list --slot 0 --class private "${co[@]}"
t "no such class" 2 "" "is no class" object list --slot 0 --class secrets "${co[@]}"
j "object list by id" 0 '[o["label"] for o in d] == ["cipher"] and d[0]["id"] == "0a0b"' \
	object list --slot 0 --id 0A0B "${co[@]}"
j "object list of nothing" 0 'd == []' object list --slot 0 --label none "${co[@]}"
j "object list as cu" 0 'len(d) == 6' object list --slot 0 --role cu "${cu[@]}"
t "object show" 0 'attributes .*"never-extractable"' "" object show --slot 0 --label cipher "${co[@]}"
j "object show as JSON" 0 '"extractable" in d[0]["attributes"] and d[0]["bits"] == 512' \
	object show --slot 0 --label mac "${co[@]}"
t "object show of nothing" 1 "" "no such object" object show --slot 0 --label none "${co[@]}"
j "object show of nothing, as JSON" 1 '"no such object" in d["error"]' \
	object show --slot 0 --label none "${co[@]}"
t "object show of a handle that is none" 1 "" CKR_OBJECT_HANDLE_INVALID \
	object show --slot 0 --handle 4294967297 "${co[@]}"
t "object delete asks which" 2 "" "which object" object delete --slot 0 "${co[@]}"
t "object delete of several" 1 "" "2 objects match" object delete --slot 0 --label spare "${co[@]}"
t "object delete by class" 0 "Deleted 1 object" "" \
	object delete --slot 0 --label spare --class public "${co[@]}"
j "object delete, as JSON" 0 'd["done"]' object delete --slot 0 --label spare --force "${co[@]}"
t "object delete of nothing" 1 "" "no such object" object delete --slot 0 --label spare "${co[@]}"
t "a label with control characters" 0 - "" \
	key generate --slot 0 --type aes --label "$(printf 'e\033[2Jvil\377\302\2332J\303\244')" --id 0e "${co[@]}"
t "is shown without them" 0 'e\?\[2Jvil\?\?\?2Jä' "" object list --slot 0 --id 0e "${co[@]}"
j "and is JSON" 0 'd[0]["label"] == "e\x1b[2Jvil?\x9b2Jä"' object show --slot 0 --id 0e "${co[@]}"
t "object delete by id" 0 "Deleted 1 object" "" object delete --slot 0 --id 0e "${co[@]}"

# ---- elliptic curves ----

t "no such curve" 2 "" "no curve: P-224" key generate --slot 0 --type ec --curve P-192 --label x "${co[@]}"
t "a curve has no size" 2 "" "--curve goes with" key generate --slot 0 --type ec --size 256 --label x "${co[@]}"
t "RSA has no curve" 2 "" "--curve goes with" key generate --slot 0 --type rsa --curve P-256 --label x "${co[@]}"
head -c 3000 /dev/urandom >"$work/text"
# curve NAME MECHANISM OPENSSL: generates, exports, signs, verifies, openssl agrees
curve() {
	local c=$1 m=$2
	shift 2
	t "generate $c" 0 "$c key pair 'on $c'" "" key generate --slot 0 --type ec --curve "$c" --label "on $c" "${co[@]}"
	t "export $c" 0 "BEGIN PUBLIC KEY" "" export --slot 0 --label "on $c" "${co[@]}"
	cp "$out" "$work/ec.pem"
	t "sign with $c" 0 "" "" sign --slot 0 --label "on $c" --mechanism "$m" --in "$work/text" --out "$work/sig" "${co[@]}"
	t "verify with $c" 0 "signature is good" "" \
		verify --slot 0 --label "on $c" --mechanism "$m" --in "$work/text" --signature "$work/sig" "${co[@]}"
	check "openssl verifies $c" "$@"
	head -c 2999 "$work/text" >"$work/cut"
	t "verify something else with $c" 1 "" CKR_SIGNATURE \
		verify --slot 0 --label "on $c" --mechanism "$m" --in "$work/cut" --signature "$work/sig" "${co[@]}"
	j "show $c" 0 "d[0]['curve'] == '$c'" object show --slot 0 --class public --label "on $c" "${co[@]}"
	t "delete $c" 0 "Deleted 2 objects" "" object delete --force --slot 0 --label "on $c" "${co[@]}"
}
curve P-384 ECDSA_SHA3_384 openssl dgst -sha3-384 -verify "$work/ec.pem" -signature "$work/sig" "$work/text"
for c in P-224 P-256 P-384 P-521 secp256k1; do
	curve $c ECDSA_SHA256 openssl dgst -sha256 -verify "$work/ec.pem" -signature "$work/sig" "$work/text"
done
curve Ed25519 EDDSA openssl pkeyutl -verify -rawin -pubin -inkey "$work/ec.pem" -in "$work/text" -sigfile "$work/sig"
t "generate X25519" 0 "X25519 key pair" "" key generate --slot 0 --type ec --curve x25519 --label agree "${co[@]}"
t "export X25519" 0 "BEGIN PUBLIC KEY" "" export --slot 0 --label agree "${co[@]}"
t "delete X25519" 0 "Deleted 2 objects" "" object delete --force --slot 0 --label agree "${co[@]}"
t "the default is P-256" 0 "P-256 key pair" "" key generate --slot 0 --type ec --label usual "${co[@]}"
printf 'no signature' >"$work/sig"
t "no DER" 1 "" "no DER of an ECDSA" \
	verify --slot 0 --label usual --mechanism ECDSA_SHA256 --in "$work/text" --signature "$work/sig" "${co[@]}"
t "delete P-256" 0 "Deleted 2 objects" "" object delete --force --slot 0 --label usual "${co[@]}"

# ---- signing ----

head -c 100000 /dev/urandom >"$work/data"
head -c 40 "$work/data" >"$work/little"
: >"$work/empty"
t "export" 0 "BEGIN PUBLIC KEY" "" export --slot 0 --label signer "${co[@]}"
cp "$out" "$work/pub.pem"
t "export to a file" 0 "" "" export --slot 0 --label signer --out "$work/pub2.pem" "${co[@]}"
check "both exports are the same" cmp "$work/pub.pem" "$work/pub2.pem"
check "openssl reads it" openssl pkey -pubin -in "$work/pub.pem" -noout
j "export to a file, as JSON" 0 'd["bytes"] > 400 and d["out"].endswith("pub2.pem")' \
	export --slot 0 --label signer --out "$work/pub2.pem" "${co[@]}"
t "export of a secret key" 1 "" "no public object" export --slot 0 --label cipher "${co[@]}"
t "export asks which" 2 "" "which object" export --slot 0 "${co[@]}"

# signs MECHANISM KEY FILE [OPENSSL...]: signs, verifies, refuses another file, openssl agrees
signs() {
	local m=$1 key=$2 file=$3
	shift 3
	t "sign $m" 0 "" "" sign --slot 0 --label "$key" --mechanism "$m" --in "$file" --out "$work/sig" "${co[@]}"
	t "verify $m" 0 "signature is good" "" \
		verify --slot 0 --label "$key" --mechanism "$m" --in "$file" --signature "$work/sig" "${co[@]}"
	t "verify $m of something else" 1 "" CKR_SIGNATURE \
		verify --slot 0 --label "$key" --mechanism "$m" --in "$work/empty" --signature "$work/sig" "${co[@]}"
	[ $# = 0 ] || check "openssl verifies $m" "$@"
}
for h in 1 224 256 384 512 3_224 3_256 3_384 3_512; do
	signs SHA${h}_RSA_PKCS signer "$work/data" \
		openssl dgst "-sha${h/_/-}" -verify "$work/pub.pem" -signature "$work/sig" "$work/data"
done
for h in 256 384 512 3_224 3_256 3_384 3_512; do
	signs SHA${h}_RSA_PKCS_PSS signer "$work/data" openssl dgst "-sha${h/_/-}" -verify "$work/pub.pem" \
		-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:$((${h#3_} / 8)) -signature "$work/sig" "$work/data"
	signs SHA${h}_HMAC mac "$work/data"
done
signs RSA_PKCS signer "$work/little" openssl pkeyutl -verify -pubin -inkey "$work/pub.pem" \
	-in "$work/little" -sigfile "$work/sig"
signs AES_CMAC cipher "$work/data"
t "sign too much with RSA_PKCS" 1 "" CKR_DATA_LEN_RANGE \
	sign --slot 0 --label signer --mechanism RSA_PKCS --in "$work/data" "${co[@]}"
# shellcheck disable=SC2016
check "sign from and to a pipe" bash -c '"$@" <"$0" >"$0.sig"' "$work/data" \
	"$lunactl" sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in - "${co[@]}"
check "openssl verifies that" openssl dgst -sha256 -verify "$work/pub.pem" -signature "$work/data.sig" "$work/data"
j "sign as JSON" 0 'len(d["hex"]) == 512 and d["bytes"] == 256' \
	sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in "$work/data" "${co[@]}"
j "verify as JSON" 0 'd["done"]' verify --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in "$work/data" \
	--signature "$work/data.sig" "${co[@]}"
t "sign as cu" 0 "" "" sign --slot 0 --role cu --label signer --mechanism SHA256_RSA_PKCS \
	--in "$work/data" --out "$work/sig" "${cu[@]}"
t "sign with no such mechanism" 2 "" "mechanisms for this: RSA_PKCS .*" \
	sign --slot 0 --label signer --mechanism MD5_RSA_PKCS --in "$work/data" "${co[@]}"
t "sign with a cipher" 2 "" "none of them" sign --slot 0 --label cipher --mechanism AES_GCM --in "$work/data" "${co[@]}"
t "sign needs a mechanism" 2 "" "--mechanism is missing" sign --slot 0 --label signer --in "$work/data"
t "sign needs a file" 2 "" "--in is missing" sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS
t "sign asks which key" 2 "" "which object" sign --slot 0 --mechanism SHA256_RSA_PKCS --in "$work/data"
t "verify needs a signature" 2 "" "--signature is missing" \
	verify --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in "$work/data"
t "sign with the wrong kind of key" 1 "" "no private object" \
	sign --slot 0 --label cipher --mechanism SHA256_RSA_PKCS --in "$work/data" "${co[@]}"
t "a file that is not there" 1 "" "No such file" \
	sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in "$work/none" "${co[@]}"
t "an output that cannot be" 1 "" "No such file" \
	sign --slot 0 --label signer --mechanism SHA256_RSA_PKCS --in "$work/data" --out "$work/no/sig" "${co[@]}"
# shellcheck disable=SC2016
check "a full disk is told" not bash -c '"$0" "$@" >/dev/full' "$lunactl" slots

# ---- encryption ----

head -c 3000000 /dev/urandom >"$work/big"
# round MECHANISM KEY FILE
round() {
	t "encrypt $1, $(stat -c %s "$3") bytes" 0 "" "" \
		encrypt --slot 0 --label "$2" --mechanism "$1" --in "$3" --out "$work/secret" "${co[@]}"
	t "decrypt $1" 0 "" "" \
		decrypt --slot 0 --label "$2" --mechanism "$1" --in "$work/secret" --out "$work/plain" "${co[@]}"
	check "$1 gives the plaintext back" cmp "$3" "$work/plain"
}
for m in AES_GCM AES_CBC_PAD AES_CTR; do
	for f in empty little big; do
		round $m cipher "$work/$f"
	done
	t "decrypt $m of too little" 1 "" "too short" \
		decrypt --slot 0 --label cipher --mechanism $m --in "$work/short" "${co[@]}"
done
check "plaintext is for the user alone" [ "$(stat -c %a "$work/plain")" = 600 ]
round RSA_PKCS signer "$work/little"
round RSA_PKCS_OAEP signer "$work/little"
openssl pkeyutl -encrypt -pubin -inkey "$work/pub.pem" -in "$work/little" -out "$work/secret" \
	-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256
t "decrypt OAEP of openssl" 0 "" "" decrypt --slot 0 --label signer --mechanism RSA_PKCS_OAEP \
	--in "$work/secret" --out "$work/plain" "${co[@]}"
check "it is what openssl encrypted" cmp "$work/little" "$work/plain"
quiet "$lunactl" encrypt --slot 0 --label cipher --mechanism AES_GCM --in "$work/little" --out "$work/secret" "${co[@]}"
printf x | dd of="$work/secret" bs=1 seek=3 conv=notrunc status=none
t "decrypt GCM that was changed" 1 "" 'CKR_ENCRYPTED_DATA_INVALID|CKR_AEAD|CKR_' \
	decrypt --slot 0 --label cipher --mechanism AES_GCM --in "$work/secret" "${co[@]}"
j "encrypt as JSON" 0 'd["bytes"] == 72 and len(d["hex"]) == 144' \
	encrypt --slot 0 --label cipher --mechanism AES_GCM --in "$work/little" "${co[@]}"
t "encrypt with a MAC" 2 "" "none of them" \
	encrypt --slot 0 --label cipher --mechanism AES_CMAC --in "$work/little" "${co[@]}"

# ---- cloning ----

t "clone asks which" 2 "" "which object" clone --from 0 --to 1 "${co[@]}"
t "clone to itself" 2 "" "same slot" clone --from 0 --to 0 --label cipher "${co[@]}"
t "clone of nothing" 1 "" "no such object" clone --from 0 --to 1 --label none "${co[@]}"
t "clone" 0 "object [0-9]+ is cloned to [0-9]+" "" clone --from 0 --to 1 --label cipher "${co[@]}"
j "clone as JSON" 0 'len(d) == 2 and all(r["result"] == "CKR_OK" for r in d)' \
	clone --from 0 --to 1 --label signer "${co[@]}"
t "clone --steps" 0 "step 3: Part2, [0-9]+ bytes" "" \
	clone --from 0 --to 1 --label mac --steps "${co[@]}" --to-pin-file "$work/co"
j "clone --steps as JSON" 0 'len(d) == 1 and d[0]["target"] > 0' \
	clone --from 0 --to 1 --label mac --steps "${co[@]}"
t "what is there is left alone" 0 "object [0-9]+ is there already, as [0-9]+: mac" "" \
	clone --from 0 --to 1 --label mac "${co[@]}"
j "clone --force makes another one" 0 'len(d) == 1 and not d[0]["there"]' \
	clone --from 0 --to 1 --label mac --force "${co[@]}"
quiet "$lunactl" encrypt --slot 0 --label cipher --mechanism AES_GCM --in "$work/little" --out "$work/secret" "${co[@]}"
t "the clone decrypts" 0 "" "" \
	decrypt --slot 1 --label cipher --mechanism AES_GCM --in "$work/secret" --out "$work/plain" "${co[@]}"
check "the same" cmp "$work/little" "$work/plain"
t "clone with a wrong PIN for the target" 1 "" CKR_PIN_INCORRECT \
	clone --from 0 --to 1 --label mac "${co[@]}" --to-pin-file "$work/wrong"
t "clone into another domain" 1 "" 'CKR_UNWRAPPING_ERROR.*one cloning domain' \
	clone --from 0 --to 2 --label mac "${co[@]}"
j "clone into another domain, as JSON" 1 'd["error"] == "CKR_UNWRAPPING_ERROR"' \
	clone --from 0 --to 2 --label mac "${co[@]}"
j "clone of two into another domain, as JSON" 1 'len(d) == 2 and all(r["result"] == "CKR_UNWRAPPING_ERROR" for r in d)' \
	clone --from 0 --to 2 --label signer "${co[@]}"
quiet "$lunactl" object delete --slot 1 --label signer --force "${co[@]}"
t "migrate clones what is not there" 0 "2 objects cloned, 2 there already, 0 refused" "" \
	migrate --from 0 --to 1 "${co[@]}"
t "migrate again" 0 "0 objects cloned, 4 there already, 0 refused" "" migrate --from 0 --to 1 "${co[@]}"
t "migrate --force" 0 "4 objects cloned, 0 there already, 0 refused" "" migrate --from 0 --to 1 --force "${co[@]}"
j "migrate of one class, as JSON" 0 'len(d) == 2' migrate --from 0 --to 1 --class secret "${co[@]}"
t "migrate with refusals" 1 "0 objects cloned, 0 there already, 4 refused" "" migrate --from 0 --to 2 "${co[@]}"
j "migrate with refusals, as JSON" 1 'all(r["result"] == "CKR_UNWRAPPING_ERROR" for r in d)' \
	migrate --from 0 --to 2 "${co[@]}"
t "migrate of nothing" 0 "0 objects cloned, 0 there already, 0 refused" "" migrate --from 0 --to 1 --label none "${co[@]}"

# ---- HA login ----

t "ha setup with itself" 2 "" "same slot" ha setup --primary 0 --secondary 0 "${co[@]}"
t "ha login without a key" 1 "" "lunactl ha setup" ha login --primary 0 --secondary 1 "${co[@]}"
t "ha setup" 0 "Made login key 'ha-login'" "" ha setup --primary 0 --secondary 1 "${co[@]}"
t "ha setup again" 0 "Used the login key" "" ha setup --primary 0 --secondary 1 "${co[@]}" \
	--secondary-pin-file "$work/co"
t "ha login" 0 "logged in through slot 0: RW user functions; it sees [1-9]" "" \
	ha login --primary 0 --secondary 1 "${co[@]}"
j "ha login as JSON" 0 'd["state"] == "RW user functions" and d["private_objects"] > 0 and not d["mofn"]' \
	ha login --primary 0 --secondary 1 "${co[@]}"
t "ha login that stays" 0 "RW user functions" "" ha login --primary 0 --secondary 1 --app-id 7:1 "${co[@]}"
t "lunactl app open without a PIN: the login is there" 0 "is open" "" app open --slot 1 --app-id 7:1
t "ha login again, where it stays" 1 "" "CKR_USER_ALREADY_LOGGED_IN" \
	ha login --primary 0 --secondary 1 --app-id 7:1 "${co[@]}"
t "and it is closed" 0 "7:1 is closed" "" app close --slot 1 --app-id 7:1
t "a login that fails keeps nothing" 1 "" "no login key" \
	ha login --primary 0 --secondary 1 --label none --app-id 7:1 "${co[@]}"
t "as closing it says" 1 "" CKR_ACCESS_ID_INVALID app close --slot 1 --app-id 7:1
j "ha setup --public into another domain, as JSON" 0 'd["done"]' \
	ha setup --primary 0 --secondary 2 --label other --public "${co[@]}"
t "ha login with the public key" 0 "RW user functions" "" \
	ha login --primary 0 --secondary 2 --label other "${co[@]}"
t "the other way it is no primary" 1 "" "no login key" ha login --primary 2 --secondary 0 --label other "${co[@]}"

# ---- another host: the ends of a pipe here; hosts with a network are in tests/hosts ----

remote="$lunactl peer --slot 1 --pin-file $work/co"
t "--remote wants a slot here" 2 "" "one of --from and --to is a slot here" clone --label x --remote "$remote" "${co[@]}"
t "and not two" 2 "" "one of --from and --to is a slot here" \
	clone --from 0 --to 1 --label x --remote "$remote" "${co[@]}"
t "ha login likewise" 2 "" "one of --primary and --secondary is a slot here" ha login --remote "$remote" "${co[@]}"
t "the remote's PIN is not asked for here" 2 "" "asks for its PIN itself" \
	clone --from 0 --label x --remote "$remote" "${co[@]}" --to-pin-file "$work/co"
for o in "--remote-slot 1" "--remote-label x" "--timeout 5"; do
	# shellcheck disable=SC2086
	t "$o without --remote" 2 "" "goes with --remote" clone --from 0 --to 1 --label x $o "${co[@]}"
done
for n in 0 86401 x; do
	t "--timeout $n" 2 "" "--timeout" clone --from 0 --label x --remote "$remote" --timeout $n "${co[@]}"
	t "peer --timeout $n" 2 "" "--timeout" peer --timeout $n
done
t "--only what is not served" 2 "" "--only: 'x' is none of source, target" peer --only source,x
t "a label that is too long" 2 "" "at most 255" ha login --primary 0 --remote "$remote" \
	--label "$(printf %0300d 0)" "${co[@]}"
t "--remote without the program" 3 "" "status 127: there is no such program" \
	clone --from 0 --label cipher --remote "$work/none peer" "${co[@]}"
t "--remote ends at once" 3 "" "no 'lunactl peer' answers.*ssh host lunactl peer" \
	clone --from 0 --label cipher --remote true "${co[@]}"
t "--remote says something else" 3 "" 'it says "hello there"' \
	clone --from 0 --label cipher --remote "echo hello there" "${co[@]}"
t "--remote says something else, and does not listen" 3 "" 'it says "hello there"' \
	clone --from 0 --label cipher --remote "exec <&-; echo hello there; sleep 1" "${co[@]}"
t "--remote says nothing" 3 "" "nothing came for 1 seconds" \
	clone --from 0 --label cipher --remote "sleep 60" --timeout 1 "${co[@]}"
j "a connection that fails, as JSON" 3 '"no program" in d["error"] or "answers" in d["error"]' \
	clone --from 0 --label cipher --remote false "${co[@]}"
cat >"$work/liar.py" <<'PY'
# A peer that greets, and then says in bytes that are no UTF-8 which function failed.
import os, struct
def frame(kind, version, number, body):
    os.write(1, b"LPER" + struct.pack(">BBHI", version, kind, number, len(body)) + body)
text = lambda data: bytes([len(data)]) + data
frame(0x81, 0, 1, b"\1" + text(b"liar") + text(b"there"))
frame(0xff, 1, 2, struct.pack(">I", 0xa0) + text(b"C_\xff\xfeLogin") + text(b""))
os.read(0, 4096)
PY
j "a peer that says no UTF-8, as JSON" 1 'd["error"] == "CKR_PIN_INCORRECT" and d["call"] == "C_??Login"' \
	clone --from 0 --label cipher --remote "python3 $work/liar.py" "${co[@]}"
t "a slot that is not served" 1 "" "it serves slot 1 alone" \
	clone --from 0 --label cipher --remote "$remote" --remote-slot 2 "${co[@]}"
t "a purpose that is not served" 1 "" "does not serve as target" \
	clone --from 0 --label cipher --remote "$remote --only source,login-primary" "${co[@]}"
t "several tokens there" 1 "" "choose one by --remote-slot or --remote-label" \
	clone --from 0 --label cipher --remote "$lunactl peer --pin-file $work/co" "${co[@]}"
t "no such label there" 1 "" "no such token there" \
	clone --from 0 --label cipher --remote "$remote" --remote-label nothing "${co[@]}"
t "a wrong PIN there" 1 "" "C_Login: CKR_PIN_INCORRECT" \
	clone --from 0 --label cipher --remote "$lunactl peer --slot 1 --pin-file $work/wrong" "${co[@]}"
j "a wrong PIN there, as JSON" 1 'd["error"] == "CKR_PIN_INCORRECT" and d["call"] == "C_Login"' \
	clone --from 0 --label cipher --remote "$lunactl peer --slot 1 --pin-file $work/wrong" "${co[@]}"
LUNA_PIN=co-pin-5678 t "this host's PIN is not the remote's" 1 "" "no PIN for the crypto officer of slot 1 of" \
	clone --from 0 --label cipher --remote "$lunactl peer --slot 1"
t "a peer by its token's label" 0 "is there already" "" clone --from 0 --label cipher --remote-label "token b" \
	--remote "$lunactl peer --pin-file $work/co" "${co[@]}"
t "clone to a peer" 0 "step 3: Part2, [0-9]+ bytes" "" \
	clone --from 0 --label cipher --force --steps --remote "$remote" "${co[@]}"
t "clone from a peer" 0 "is there already" "" clone --to 0 --label cipher --remote "$remote" "${co[@]}"
t "clone from a peer into another domain" 1 "" "CKR_UNWRAPPING_ERROR.*one cloning domain" \
	clone --to 2 --label mac --remote "$remote" --handle "$("$lunactl" object list --slot 1 --label mac "${co[@]}" \
	--json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["handle"])')" "${co[@]}"
t "an object that no handle can be" 1 "" "has no object 4294967297" \
	clone --from 0 --handle 4294967297 --remote "$remote" "${co[@]}"
t "a handle that is none there" 1 "" "CKR_OBJECT_HANDLE_INVALID" \
	clone --to 0 --handle 4294967294 --remote "$remote" "${co[@]}"
# Its end of a pipe is no terminal here, but the prompt's is.
p "peer on a terminal explains itself" 2 "through a pipe, not to a person" "" peer
p "a prompt of the peer" 0 "PIN for the crypto officer of slot 1 of " "co-pin-5678" \
	clone --from 0 --label cipher --remote "$lunactl peer --slot 1" "${co[@]}"

# ---- policies ----

t "policy show" 0 "Allow private key cloning \(destructive\)" "" policy show --slot 2
t "policy show --hsm" 0 "Allow cloning" "" policy show --slot 2 --hsm
j "policy show as JSON" 0 'len(d) > 20 and all(p["value"] <= p["capability"] for p in d)' policy show --slot 2
t "policy set needs a policy" 2 "" "--policy is missing" policy set --slot 2 --value 1 "${so[@]}"
t "policy set needs a value" 2 "" "--value is missing" policy set --slot 2 --policy 1 "${so[@]}"
t "policy set" 0 "Max failed user logins allowed: 5" "" policy set --slot 2 --policy 20 --value 5 "${so[@]}"
j "it is set" 0 '[p["value"] for p in d if p["id"] == 20] == [5]' policy show --slot 2
j "policy set as JSON" 0 'd["done"]' policy set --slot 2 --policy 20 --value 6 "${so[@]}"
t "more than the capability" 1 "" "CKR_" policy set --slot 2 --policy 20 --value 11 "${so[@]}"
t "no such policy" 1 "" "CKR_" policy set --slot 2 --policy 999 --value 1 "${so[@]}"
t "policy set with a wrong PIN" 1 "" CKR_PIN_INCORRECT \
	policy set --slot 2 --policy 20 --value 7 --pin-file "$work/wrong"
quiet "$lunactl" key generate --slot 2 --type aes --label doomed "${co[@]}"
t "a destructive policy wants --force" 1 "" "say --force" policy set --slot 2 --policy 0 --value 0 "${so[@]}"
j "the objects are still there" 0 'any(o["label"] == "doomed" for o in d)' object list --slot 2 "${co[@]}"
t "and with --force is changed" 0 "Allow private key cloning: 0" "" \
	policy set --slot 2 --policy 0 --value 0 --force "${so[@]}"
j "no private key is cloned out of it now" 0 '[p["value"] for p in d if p["id"] == 0] == [0]' policy show --slot 2
t "policies of the HSM" 0 "Enable network replication|Allow network replication: 0" "" \
	policy set --slot 2 --hsm --policy 16 --value 0 "${so[@]}"

# ---- legacy tokens, M of N ----

t "a legacy token that requires M of N" 0 "is initialised" "" \
	init --slot 3 --label legacy --domain d --legacy --mofn "${so[@]}"
quiet "$lunactl" role init --slot 3 --role co "${so[@]}" --new-pin-file "$work/co"
t "mofn status" 0 "required not activated not generated" "" mofn status --slot 3
j "mofn status as JSON" 0 'd["required"] and not d["generated"]' mofn status --slot 3
j "a slot without M of N" 0 'not d["required"] and d["n"] == 0' mofn status --slot 0
t "mofn generate needs --m" 2 "" "--m is missing" mofn generate --slot 3 --n 3 --out-dir "$work/shares" "${co[@]}"
t "more needed than made" 2 "" "--m is 1 to --n" \
	mofn generate --slot 3 --m 4 --n 3 --out-dir "$work/shares" "${co[@]}"
t "mofn generate" 0 "shares/share-3" "" \
	mofn generate --slot 3 --m 2 --n 3 --out-dir "$work/shares" --cloneable "${co[@]}"
check "shares are for the user alone" [ "$(stat -c %a "$work/shares" "$work"/shares/share-* | sort -u | xargs)" = "600 700" ]
mkdir -p "$work/no-place/share-2"
"$lunactl" mofn status --slot 3 --json >"$work/mofn"
t "mofn generate without a place for a share" 1 "" "share-2: Is a directory; no secret is made" \
	mofn generate --slot 3 --m 1 --n 2 --out-dir "$work/no-place" "${co[@]}"
j "the secret is the one that was" 0 'd == json.load(open(sys.argv[1][:-3] + "mofn"))' mofn status --slot 3
t "mofn status tells" 0 "^2 of 3, .* generated cloneable" "" mofn status --slot 3
t "too few shares" 1 "" "CKR_" mofn activate --slot 3 "${co[@]}" "$work/shares/share-1"
t "one share twice" 1 "" "CKR_" mofn activate --slot 3 "${co[@]}" "$work/shares/share-1" "$work/shares/share-1"
t "what is no share" 1 "" "CKR_" mofn activate --slot 3 "${co[@]}" "$work/shares/share-1" "$work/little"
t "no shares" 2 "" "name the files" mofn activate --slot 3 "${co[@]}"
j "still not active" 0 'not d["activated"]' mofn status --slot 3
t "mofn activate" 0 "is activated" "" mofn activate --slot 3 "${co[@]}" "$work/shares/share-3" "$work/shares/share-1"
j "it is active" 0 'd["activated"] and d["m"] == 2 and d["n"] == 3' mofn status --slot 3
t "key generate on it" 0 "AES key" "" key generate --slot 3 --type aes --label k "${co[@]}"
t "mofn deactivate" 0 "is deactivated" "" mofn deactivate --slot 3 "${co[@]}"
t "its keys are out of reach" 1 "" "CKR_" \
	sign --slot 3 --label k --mechanism AES_CMAC --in "$work/little" "${co[@]}"
j "mofn activate as JSON" 0 'd["done"]' mofn activate --slot 3 "${co[@]}" "$work"/shares/share-[12]
j "mofn deactivate as JSON" 0 'd["done"]' mofn deactivate --slot 3 "${co[@]}"
quiet "$lunactl" init --slot 1 --label target --domain d --legacy --mofn "${so[@]}"
quiet "$lunactl" role init --slot 1 --role co "${so[@]}" --new-pin-file "$work/co"
t "mofn clone to itself" 2 "" "same slot" mofn clone --from 3 --to 3 "${co[@]}"
quiet "$lunactl" mofn activate --slot 3 "${co[@]}" "$work"/shares/share-[12]
t "mofn clone" 0 "secret is cloned" "" mofn clone --from 3 --to 1 "${co[@]}"
t "the target takes the same shares" 0 "is activated" "" \
	mofn activate --slot 1 "${co[@]}" "$work"/shares/share-[23]
j "mofn generate as JSON" 0 'len(d) == 2 and d[0].endswith("share-1")' \
	mofn generate --slot 3 --m 1 --n 2 --out-dir "$work/shares2" "${co[@]}"

# ---- images ----

image=$work/token.img
reader=$(dirname "$0")/../vectors/image.py
quiet "$lunactl" init --slot 0 --label "kept token" --domain d "${so[@]}"
quiet "$lunactl" role init --slot 0 --role co "${so[@]}" --new-pin-file "$work/co"
quiet "$lunactl" key generate --slot 0 --type aes --label private-label "${co[@]}"
quiet "$lunactl" sign --slot 0 --label private-label --mechanism AES_CMAC --in "$work/little" \
	--out "$work/cmac" "${co[@]}"
quiet "$lunactl" init --slot 2 --label "old token" --domain x "${so[@]}"
t "backup needs a slot" 2 "" "--slot is missing" backup "$image" "${co[@]}"
t "backup needs a file" 2 "" "name one file" backup --slot 0 "${co[@]}"
t "backup to one file alone" 2 "" "name one file" backup --slot 0 "$image" "$image" "${co[@]}"
t "backup with a wrong PIN" 1 "" CKR_PIN_INCORRECT backup --slot 0 "$image" --pin-file "$work/wrong"
t "backup into no directory" 1 "" "No such file" backup --slot 0 "$work/none/image" "${co[@]}"
check "a backup that failed leaves no file" [ -z "$(ls "$work" | grep '^token.img')" ]
t "backup" 0 "^Token 'kept token', serial number [0-9]{13}, is saved from slot 0: [0-9]+ bytes" "" \
	backup --slot 0 "$image" "${co[@]}"
check "an image is for the user alone" [ "$(stat -c %a "$image")" = 600 ]
check "nothing else is left beside it" [ "$(ls "$work" | grep -c '^token.img')" = 1 ]
# What ends it in the middle leaves nothing. (A sanitizer wants to be the first library.)
ended() {
	env "$@" "$lunactl" backup --slot 0 "$work/ended.img" "${co[@]}"
	[ $? = "$status" ] && [ -z "$(ls "$work" | grep '^ended')" ]
}
status=143 check "backup, ended by a signal" ended "LD_PRELOAD=$end_in_fsync" \
	"ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
status=1 check "backup beyond the limit on files" ended bash -c 'ulimit -f 1; exec "$@"' bash
t "backup over a file" 1 "" "is there already; --force" backup --slot 0 "$image" "${co[@]}"
j "backup over a file with --force, as JSON" 0 'd["label"] == "kept token" and d["bytes"] > 1000 and d["slot"] == 0' \
	backup --slot 0 "$image" --force "${co[@]}"
t "backup --json to standard output" 2 "" "name a file" backup --slot 0 - --json "${co[@]}"
check "backup to standard output" bash -c '"$1" backup --slot 0 - --pin-file "$2" | head -c 7 | grep -qx LUNAIMG' \
	bash "$lunactl" "$work/co"
t "backup of a token without a crypto officer" 1 "" CKR_USER_PIN_NOT_INITIALIZED \
	backup --slot 2 "$work/none.img" "${co[@]}"

# Read by a program that shares no code.
opened() { python3 "$reader" "$image" d "$1" "$2"; }
check "an image opens with the domain and a PIN" bash -c '[ "$(python3 "$@")" ]' bash "$reader" "$image" d co co-pin-5678
value=$(opened co co-pin-5678 2>"$err" | awk '$3 == "private-label" { print $4 }')
check "it opens with the other role's PIN, too" [ "$(opened so so-pin-1234 | awk '$3 == "private-label" { print $4 }')" = "$value" ]
check "the key in it is the token's" [ "$(openssl mac -cipher aes-256-cbc -macopt "hexkey:$value" -in "$work/little" CMAC)" = \
	"$(od -An -v -tx1 "$work/cmac" | tr -d ' \n' | tr a-f A-F)" ]
check "not with another PIN" not opened co so-pin-1234
check "not with another domain" not python3 "$reader" "$image" e co co-pin-5678
check "nothing secret is in the file" python3 -c 'import sys
image = open(sys.argv[1], "rb").read()
words = [bytes.fromhex(sys.argv[2])] + [w.encode() for w in sys.argv[3:]]
sys.exit(not (len(words[0]) == 32 and b"kept token" in image and not any(w in image for w in words)))' \
	"$image" "$value" private-label co-pin-5678 so-pin-1234

t "restore needs a domain" 2 "" "--domain is missing" restore --slot 2 "$image" "${co[@]}"
t "restore over a token wants --force" 1 "" "has a token, which would be lost; --force" \
	restore --slot 2 "$image" --domain d "${co[@]}"
restore=(restore --slot 2 --force --so-pin-file "$work/so" "$image")
t "a wrong SO PIN" 1 "" "CKR_PIN_INCORRECT.*SO PIN.*counted" \
	restore --slot 2 --force --so-pin-file "$work/wrong" "$image" --domain d "${co[@]}"
t "another domain" 1 "" "CKR_UNWRAPPING_ERROR.*another cloning domain" "${restore[@]}" --domain e "${co[@]}"
t "a wrong PIN of the image" 1 "" "CKR_SIM_AUTHORIZATION_FAILED.*when the token was saved" \
	"${restore[@]}" --domain d --pin-file "$work/wrong"
t "a role that the image has not" 1 "" CKR_USER_PIN_NOT_INITIALIZED "${restore[@]}" --domain d --role cu "${cu[@]}"
j "failures as JSON" 1 '"CKR_UNWRAPPING_ERROR" in d["error"]' "${restore[@]}" --domain e "${co[@]}"
for bytes in 50 500 $(($(stat -c %s "$image") - 1)); do
	head -c "$bytes" "$image" >"$work/short.img"
	t "an image of $bytes bytes" 1 "" "not the image|cut short" \
		restore --slot 2 --force --so-pin-file "$work/so" "$work/short.img" --domain d "${co[@]}"
done
t "what is no image" 1 "" "not the image of a token" restore --slot 2 "$work/help" --domain d "${co[@]}"
python3 -c 'import sys
d = bytearray(open(sys.argv[1], "rb").read())
d[-100] ^= 1
open(sys.argv[2], "wb").write(d)
d[8] = 2
open(sys.argv[3], "wb").write(d)' "$image" "$work/damaged.img" "$work/newer.img"
t "a damaged image" 1 "" "CKR_DATA_INVALID.*damaged at byte 104; nothing is changed" \
	restore --slot 2 --force --so-pin-file "$work/so" "$work/damaged.img" --domain d "${co[@]}"
t "a newer version" 1 "" "image version 2; this program knows version 1" \
	restore --slot 2 --force --so-pin-file "$work/so" "$work/newer.img" --domain d "${co[@]}"
j "the old token is still there" 0 '[s["label"] for s in d if s["slot"] == 2] == ["old token"]' slots
t "restore" 0 "^Token 'kept token', serial number [0-9]{13}, is restored to slot 2" "" \
	"${restore[@]}" --domain d "${co[@]}"
j "it is the token that was saved" 0 \
	'd[0]["serial"] == d[2]["serial"] and d[2]["label"] == "kept token" and d[2]["user_pin"]' slots
t "its key works" 0 "is good" "" verify --slot 2 --label private-label --mechanism AES_CMAC --in "$work/little" \
	--signature "$work/cmac" "${co[@]}"
# Slot 3 is made uninitialised: no SO PIN is asked for, but a second token of one number is refused.
for _ in 1 2 3 4 5 6 7 8 9 10; do
	"$lunactl" init --slot 3 --label x --pin-file "$work/wrong" >"$out" 2>"$err"
done
t "a second token with one serial number wants --force" 1 "" "slot 0 has this token already, with serial number" \
	restore --slot 3 "$image" --domain d "${co[@]}"
j "and gets it, with the SO's PIN, as JSON" 0 'd["slot"] == 3 and d["label"] == "kept token"' \
	restore --slot 3 "$image" --domain d --force --role so "${so[@]}"
t "login on the restored token" 0 "works" "" login --slot 3 "${co[@]}"

# ---- application ids ----

app=(--slot 0 --app-id 1:40)
mac=(sign --slot 0 --label private-label --mechanism AES_CMAC --in "$work/little" --out "$work/mac")
t "app open without an id" 2 "" "--app-id is missing" app open --slot 0 "${co[@]}"
for id in 1 1: :1 1:x 4294967296:1 1:-1 1:2:3 0011 zz112233445566778899aabbccddeeff; do
	t "app id '$id'" 2 "" "--app-id takes|hex" app open --slot 0 --app-id "$id" "${co[@]}"
done
t "app open with a wrong PIN" 1 "" CKR_PIN_INCORRECT app open "${app[@]}" --pin-file "$work/wrong"
t "it has opened nothing" 1 "" "CKR_ACCESS_ID_INVALID.*1:40 is not open" app close "${app[@]}"
t "without a login a PIN is wanted" 1 "" "PIN" "${mac[@]}" --app-id 1:40
t "app open" 0 "1:40 is open on slot 0, logged in as co" "" app open "${app[@]}" "${co[@]}"
t "a signature without a PIN" 0 - "" "${mac[@]}" --app-id 1:40
check "it is the same" cmp "$work/mac" "$work/cmac"
t "by the same id in other words" 0 - "" "${mac[@]}" --app-id 0x1:0x28
t "and in hex" 0 - "" "${mac[@]}" --app-id 00000001000000280000000000000000
t "by another id" 1 "" "PIN" "${mac[@]}" --app-id 1:41
t "by none" 1 "" "PIN" "${mac[@]}"
t "as another role" 1 "" CKR_USER_ANOTHER_ALREADY_LOGGED_IN role init --slot 0 --role co --app-id 1:40 \
	--new-pin-file "$work/co" "${so[@]}"
printf 'Misc = {\n  AppIdMajor = 1;\n  AppIdMinor = 40;\n}\n' >"$work/Chrystoki.conf"
ChrystokiConfigurationPath=$work t "by Chrystoki.conf" 0 - "" "${mac[@]}"
for wrong in 'AppIdMajor = one' 'AppIdMinor = 4294967296' 'AppId = 12' 'AppId = 1:40'; do
	printf 'Misc = {\n  AppIdMajor = 1;\n  AppIdMinor = 40;\n  %s;\n}\n' "$wrong" >"$work/Chrystoki.conf"
	LUNA_LOG=stderr ChrystokiConfigurationPath=$work t "$wrong is no id" 1 "" "AppId is 32 hex digits" "${mac[@]}"
done
t "app open once more needs no PIN" 0 "is open" "" app open "${app[@]}"
j "app close, as JSON" 0 'd["done"]' app close "${app[@]}"
t "then a PIN is wanted again" 1 "" "PIN" "${mac[@]}" --app-id 1:40

# ---- many devices: one, by many paths ----

many=$LUNA_DEVICES/luna0 path=$LUNA_DEVICES
for _ in {1..69}; do
	path=$path/.
	many=$many:$path/luna0
done
LUNA_DEVICES=$many j "seventy slots" 0 '[s["slot"] for s in d] == list(range(70))' slots
LUNA_DEVICES=$many t "a peer with seventy slots" 0 "is there already" "" clone --from 0 --label private-label \
	--remote "$lunactl peer --pin-file $work/co" --remote-slot 69 "${co[@]}"

# ---- without devices ----

mkdir "$work/none-here"
LUNA_DEVICES=$work/none-here t "no devices" 0 "" "No slots" slots
LUNA_DEVICES=$work/none-here j "no devices, as JSON" 0 'd == []' slots

finish
