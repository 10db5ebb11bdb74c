#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Open the image of a token without the engine, from lib/token/FORMAT.md alone.

usage: image.py FILE DOMAIN ROLE PIN   ROLE: so, co or cu

Prints one line an object: handle, class, label, value in hexadecimal. Needs the Python package
cryptography.
"""
import hashlib
import hmac
import struct
import sys
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEAD, FRAME, SEAL = 104, 65536, 28
ROLES = ("so", "co", "cu")
CKA_CLASS, CKA_LABEL, CKA_VALUE = 0x0, 0x3, 0x11


class Damaged(Exception):
    pass


def need(fact, what):
    if not fact:
        raise Damaged(what)


def unseal(key, kind, context, sealed):
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], struct.pack(">IQ", kind, context))
    except InvalidTag:
        raise Damaged(f"a seal of kind {kind} does not open") from None


def hkdf(ikm, salt, info, length):
    prk = hmac.digest(salt, ikm, "sha256")
    out = block = b""
    for i in range(1, 256):
        block = hmac.digest(prk, block + info + bytes([i]), "sha256")
        out += block
        if len(out) >= length:
            return out[:length]


def open_frames(image, domain):
    """The log that is in an image."""
    magic, version, zero, length = struct.unpack_from("<8sIIQ", image)
    need(magic == b"LUNAIMG\n" and version == 1 and zero == 0, "no image of version 1")
    need(length == len(image), "the length is not that of the header")
    check, zero, crc = struct.unpack_from("<8sII", image, 88)
    need(zero == 0 and crc == zlib.crc32(image[:100]), "the CRC of the header")
    ikm = hashlib.pbkdf2_hmac("sha256", domain, b"luna software token: cloning domain, version 1", 200000)
    info = b"luna token image, version 1" + hashlib.sha256(image[:88]).digest()
    made = hkdf(ikm, image[24:40], info, 40)
    need(made[32:] == check, "another domain")
    frames = [image[at:at + FRAME] for at in range(HEAD, len(image), FRAME)]
    last = len(frames) - 1
    return b"".join(unseal(made[:32], 6, 2 * i + (i == last), f) for i, f in enumerate(frames))


def records(log):
    """Type, flags, handle and payload of each record, all of which must be whole."""
    magic, version, _top, salt, sequence, base, zero, crc = struct.unpack_from("<8sII8sQQII", log)
    need(magic == b"LUNALOG\n" and version == 1 and zero == 0, "no log of version 1")
    need(crc == zlib.crc32(log[:44]) and base == len(log), "the header of the log")
    salted = zlib.crc32(salt)
    at = 48
    while at < len(log):
        head = log[at:at + 40]
        magic, kind, flags, zero, handle, length, number, _durable, crc, head_crc = struct.unpack(
            "<4sBBHIIQQII", head)
        need(magic == b"Lrec" and zero == 0 and head_crc == zlib.crc32(head[:36], salted), f"record at {at}")
        payload = log[at + 40:at + 40 + length]
        need(number == sequence and crc == zlib.crc32(payload), f"record at {at}")
        sequence += 1
        at += 40 + (length + 7) // 8 * 8
        yield kind, flags, handle, payload
    need(at == len(log), "the last record is cut")


def storage_key(state, role, pin):
    need(struct.unpack_from("<IB", state) == (1, 1), "an initialised state of version 1")
    at = 4 + 1 + 4 + 32 + 16 + 8 + 87 * ROLES.index(role)
    exists, _locked, _change, _failed, rounds = struct.unpack_from("<BBBII", state, at)
    need(exists, "the role does not exist")
    kek = hashlib.pbkdf2_hmac("sha256", pin, state[at + 11:at + 27], rounds)
    return unseal(kek, 1, ROLES.index(role), state[at + 27:at + 87])


def attributes(data):
    found, at = {}, 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        found[kind] = data[at + 8:at + 8 + length]
        at += 8 + (length + 7) // 8 * 8
    need(at == len(data), "a list of attributes is cut")
    return found


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
