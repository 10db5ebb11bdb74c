# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For the tests of this folder: each is a test (TAP) and the source of a page of docs/clients at once, so
# that the pages hold the commands that were tested and no others.
#
#	NAME.sh LUNACTL MODULE	runs the commands; needs LUNA_DEVICES with two slots that may be erased
#	NAME.sh --page		prints the page; tools/docs/clients does this for all
#
# What a test says:
#	page TITLE PACKAGE...	first: the page's name, and the Debian packages that it takes
#	text <<MD		words for the page
#	setting TITLE <<SH	commands for the reader's own shell: what they export stays
#	step TITLE <<SH		commands for a shell of their own, in the test's directory
#	file NAME <<TEXT	a file that the commands need
#	openssl_cnf <<TEXT	one that several pages have
#	also TITLE <<SH		more that is tested, and not worth a reader's time
#	said TITLE PATTERN	the last step printed this
#	ready PORT		waits for a server that the last step started
#	choose_key ROW, choose_port	TYPE and MECHANISM, PORT for the commands that follow
#	done_testing		last
# A server that a step starts writes its process id to a file NAME.pid, and is ended with the test.
set -uo pipefail

# One kind of key a row: what pkcs11-tool calls it, and its signature with SHA-256
key_types=(
	'rsa:2048 SHA256-RSA-PKCS'
	'EC:secp256r1 ECDSA-SHA256'
	'EC:secp384r1 ECDSA-SHA256'
)

here=$(cd "$(dirname "$0")" && pwd)
view=()		# a command that runs the commands of a step in another view of the system
print_page=
if [ "${1:-}" = --page ]; then
	print_page=1
	key_types=("${key_types[0]}")
else
	lunactl=$(realpath "$1")
	MODULE=$(realpath "$2")
	export MODULE
	work=$(mktemp -d "${TMPDIR:-/tmp}/luna-client.XXXXXX")
	output=$work/.output
	count=0
	export HOME=$work/home PATH=${lunactl%/*}:$PATH:/usr/sbin
	mkdir -m 700 "$HOME"
	cd "$work" || exit 1
	# What the user's own configuration would change
	unset LUNA_PIN LUNA_SO_PIN LUNA_CU_PIN LUNA_TOKEN_TYPE XDG_CONFIG_HOME XDG_RUNTIME_DIR OPENSSL_CONF \
		SSH_AUTH_SOCK SSH_AGENT_PID
	trap end_test EXIT
fi

end_test() {
	local file
	for file in "$work"/*.pid; do
		[ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null
	done
	[ -z "${SSH_AGENT_PID:-}" ] || kill "$SSH_AGENT_PID" 2>/dev/null
	rm -rf "$work"
}

# result RC TITLE: of a command whose output is in $output
result() {
	count=$((count + 1))
	[ "$1" = 0 ] || sed 's/^/# /' "$output" | tail -60
	[ "$1" = 0 ] || printf 'not '
	printf 'ok %d - %s\n' "$count" "$2"
}

# block TITLE LANGUAGE CODE: a paragraph and a code block of the page
block() {
	local colon=:
	[ "${1%\?}" = "$1" ] || colon=
	printf '\n%s%s\n\n```%s\n%s\n```\n' "$1" "$colon" "$2" "$3"
}

run() {
	timeout --kill-after=5 "${LUNA_CLIENT_TIMEOUT:-120}" "${view[@]}" bash -euo pipefail -c "$2" \
		>"$output" 2>&1 </dev/null
	result $? "$1"
}

page() {
	[ -n "$print_page" ] || return 0
	printf '# %s\n' "$1"
	shift
	[ $# = 0 ] || printf '\nDebian: `apt install %s`. The token is that of [the overview](README.md).\n' "$*"
}

text() {
	if [ -n "$print_page" ]; then
		echo
		cat
	else
		cat >/dev/null
	fi
}

setting() {
	local code
	code=$(cat)
	if [ -n "$print_page" ]; then
		block "$1" sh "$code"
	else
		eval "$code" >"$output" 2>&1 </dev/null
		result $? "$1"
	fi
}

step() {
	local code
	code=$(cat)
	if [ -n "$print_page" ]; then block "$1" sh "$code"; else run "$1" "$code"; fi
}

file() {
	local content
	content=$(cat)
	if [ -n "$print_page" ]; then block "\`$1\`" "" "$content"; else printf '%s\n' "$content" >"$1"; fi
}

also() {
	local code
	code=$(cat)
	[ -n "$print_page" ] || run "$1" "$code"
}

said() {
	[ -n "$print_page" ] && return 0
	grep -qE -e "$2" "$output"
	result $? "$1"
}

ready() {
	[ -n "$print_page" ] && return 0
	for _ in $(seq 150); do
		(: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
		sleep 0.2
	done
	echo "# nobody listens on port $1"
}

# choose_port: for a server of the test's own
choose_port() {
	export PORT=8443
	if [ -n "$print_page" ]; then
		block "Choose a port" sh "export PORT=$PORT"
	else
		PORT=$(python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	fi
}

# choose_key ROW: of key_types, for what follows
choose_key() {
	export TYPE=${1% *} MECHANISM=${1#* }
	[ -z "$print_page" ] || block "Choose the kind of key, and what it signs with" sh \
		"export TYPE=$TYPE MECHANISM=$MECHANISM"
}

done_testing() {
	[ -n "$print_page" ] || echo "1..$count"
}

# The token of all pages, shown by the overview; the others call it in "unseen"
token() {
	setting "Say which library, and the PINs" <<'SH'
export MODULE=${MODULE:-/usr/local/lib/x86_64-linux-gnu/libCryptoki2_64.so}
export SO_PIN=so-pin-1234 PIN=co-pin-5678
SH
	step "Initialise a token, and its crypto officer, which is PKCS#11's user" <<'SH'
LUNA_SO_PIN=$SO_PIN lunactl init --slot 0 --label mytoken --domain mydomain
LUNA_SO_PIN=$SO_PIN LUNA_PIN=$PIN lunactl role init --slot 0 --role co
SH
}

# openssl_cnf [SETTING-OF-THE-ENGINE]: the file by which OpenSSL 3 takes keys from the token. Its end is
# stdin, which begins with what the certificate of a key of ours says beside that it is a CA's.
openssl_cnf() {
	local rest
	rest=$(cat)
	file openssl.cnf <<TEXT
openssl_conf = start

[start]
engines = engines

[engines]
pkcs11 = luna

[luna]
engine_id = pkcs11
MODULE_PATH = \$ENV::MODULE
PIN = \$ENV::PIN${1:+
$1}

[req]
distinguished_name = name
x509_extensions = root

[name]

[root]
basicConstraints = critical,CA:true
$rest
TEXT
}

# unseen COMMAND...: what no page has
unseen() {
	[ -n "$print_page" ] || "$@"
}
