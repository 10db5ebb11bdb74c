#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tests/vectors as a C header, for suites that run where no file can be read.

Usage: tests/kunit/vectors.py > kmod/kunit/vectors.h	(tools/lint/kunit-suites compares)
"""
import pathlib
import re

FILES = ["keys", "cpv3", "cpv3-replicate", "mofn", "ha-v1"]
folder = pathlib.Path(__file__).resolve().parent.parent / "vectors"

print("""/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Made from tests/vectors by tests/kunit/vectors.py: do not edit. */
#ifndef LUNA_KUNIT_VECTORS_H
#define LUNA_KUNIT_VECTORS_H

static const struct {
	const char *file, *name, *hex;
} luna_vectors[] = {""")
for name in FILES:
    for key, value in re.findall(r"^(\S+) = ([0-9a-f]*)$", (folder / f"{name}.txt").read_text(), re.M):
        pieces = [value[i:i + 88] for i in range(0, len(value), 88)] or [""]
        print('\t{ "%s", "%s",\n\t  %s },' % (name, key, "\n\t  ".join(f'"{p}"' for p in pieces)))
print("};\n\n#endif /* LUNA_KUNIT_VECTORS_H */")
