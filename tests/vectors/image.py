#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Open the image of a token without the engine, from lib/token/FORMAT.md alone.

usage: image.py FILE DOMAIN ROLE PIN   ROLE: so, co or cu

Prints one line an object: handle, class, label, value in hexadecimal. Needs the Python package
cryptography.
"""
import hashlib
import struct
import sys
import zlib

sys.dont_write_bytecode = True
from formats import Damaged, attributes, domain_key, hkdf, need, records, unseal

HEAD, FRAME, SEAL = 104, 65536, 28
ROLES = ("so", "co", "cu")
CKA_CLASS, CKA_LABEL, CKA_VALUE = 0x0, 0x3, 0x11


def open_frames(image, domain):
    """The log that is in an image."""
    magic, version, zero, length = struct.unpack_from("<8sIIQ", image)
    need(magic == b"LUNAIMG\n" and version == 1 and zero == 0, "no image of version 1")
    need(length == len(image), "the length is not that of the header")
    check, zero, crc = struct.unpack_from("<8sII", image, 88)
    need(zero == 0 and crc == zlib.crc32(image[:100]), "the CRC of the header")
    info = b"luna token image, version 1" + hashlib.sha256(image[:88]).digest()
    made = hkdf(domain_key(domain), image[24:40], info, 40)
    need(made[32:] == check, "another domain")
    frames = [image[at:at + FRAME] for at in range(HEAD, len(image), FRAME)]
    last = len(frames) - 1
    log = b"".join(unseal(made[:32], 6, 2 * i + (i == last), f) for i, f in enumerate(frames))
    need(struct.unpack_from("<Q", log, 32)[0] == len(log), "the log is not as it was written first")
    return log


def storage_key(state, role, pin):
    need(struct.unpack_from("<IB", state) == (1, 1), "an initialised state of version 1")
    at = 4 + 1 + 4 + 32 + 16 + 8 + 87 * ROLES.index(role)
    exists, _locked, _change, _failed, rounds = struct.unpack_from("<BBBII", state, at)
    need(exists, "the role does not exist")
    kek = hashlib.pbkdf2_hmac("sha256", pin, state[at + 11:at + 27], rounds)
    return unseal(kek, 1, ROLES.index(role), state[at + 27:at + 87])


def objects(image, domain, role, pin):
    """The attributes of every object, by handle."""
    key, found = None, {}
    for kind, flags, handle, payload in records(open_frames(image, domain)):
        if kind == 1:
            key = storage_key(payload, role, pin)
        elif kind == 3:
            found[handle] = attributes(unseal(key, 3, handle, payload) if flags & 2 else payload)
        else:
            need(kind == 2, f"a record of type {kind} in an image")
    return found


def main():
    path, domain, role, pin = sys.argv[1:]
    with open(path, "rb") as file:
        image = file.read()
    try:
        for handle, attrs in sorted(objects(image, domain.encode(), role, pin.encode()).items()):
            kind = int.from_bytes(attrs[CKA_CLASS], "little")
            print(handle, kind, attrs.get(CKA_LABEL, b"").decode(), attrs.get(CKA_VALUE, b"").hex())
    except Damaged as what:
        sys.exit(f"{path}: {what}")


if __name__ == "__main__":
    main()
