# SPDX-License-Identifier: MIT
"""What the formats of lib/token/FORMAT.md and PROTOCOLS.md have in common: keys, seals, logs, attributes.

Needs the Python package cryptography.
"""
import hashlib
import hmac
import struct
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Damaged(Exception):
    pass


def need(fact, what):
    if not fact:
        raise Damaged(what)


def domain_key(text):
    return hashlib.pbkdf2_hmac("sha256", text, b"luna software token: cloning domain, version 1", 200000)


def hkdf(ikm, salt, info, length):
    prk = hmac.digest(salt, ikm, "sha256")
    out = block = b""
    for i in range(1, 256):
        block = hmac.digest(prk, block + info + bytes([i]), "sha256")
        out += block
        if len(out) >= length:
            return out[:length]


def unseal(key, kind, context, sealed):
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], struct.pack(">IQ", kind, context))
    except InvalidTag:
        raise Damaged(f"a seal of kind {kind} does not open") from None


def records(log):
    """Type, flags, handle and payload of each record, all of which must be whole and in sequence."""
    magic, version, _top, salt, sequence, base, zero, crc = struct.unpack_from("<8sII8sQQII", log)
    need(magic == b"LUNALOG\n" and version == 1 and zero == 0, "no log of version 1")
    need(crc == zlib.crc32(log[:44]) and 48 < base <= len(log), "the header of the log")
    salted = zlib.crc32(salt)
    at = 48
    while at < len(log):
        head = log[at:at + 40]
        magic, kind, flags, zero, handle, length, number, durable, crc, head_crc = struct.unpack(
            "<4sBBHIIQQII", head)
        need(magic == b"Lrec" and zero == 0 and head_crc == zlib.crc32(head[:36], salted), f"record at {at}")
        payload = log[at + 40:at + 40 + length]
        need(number == sequence and durable <= at and crc == zlib.crc32(payload), f"record at {at}")
        sequence += 1
        at += 40 + (length + 7) // 8 * 8
        need(log[at - (-length % 8):at] == bytes(-length % 8), f"padding before {at}")
        yield kind, flags, handle, payload
    need(at == len(log), "the last record is cut")


def attributes(data):
    found, at = {}, 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        found[kind] = data[at + 8:at + 8 + length]
        at += 8 + (length + 7) // 8 * 8
    need(at == len(data), "a list of attributes is cut")
    return found
