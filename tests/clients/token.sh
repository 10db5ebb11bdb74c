#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The token that the other pages start from, and the list of them.
# shellcheck source=tests/clients/client.sh
. "$(dirname "$0")/client.sh"

page "Programs that use the token"
text <<'MD'
Each page shows how one program works with the token. The commands are those that the tests run
(`tests/clients`, `tools/check --only clients`): the pages are written by `tools/docs/clients` from the
tests, and a lint compares them, so what you read here works. They are for bash, one after the other, in
an empty directory.

All start from here: `luna-fuse` runs, `ninja install` has put `lunactl` and the library in place, or you
set `MODULE` to where the library is in the build tree.
MD
token
step "See it" <<'SH'
lunactl slots
SH
said "lunactl shows the token" mytoken
text <<MD
$(cd "$here" && for f in *.sh; do
	[ "$f" = client.sh ] || [ "$f" = token.sh ] || sed -n "s|^page \"\([^\"]*\)\".*|* [\1](${f%.sh}.md)|p" "$f"
done)

If something goes wrong, \`LUNA_LOG=stderr\` (or a file) makes the library say which call failed, on which
slot, and why.
MD
done_testing
