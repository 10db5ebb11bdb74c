#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Verify the vectors without the engine, from lib/token/PROTOCOLS.md and FORMAT.md alone.

Needs the Python package cryptography. Prints one line a file; exits 1 at the first difference.
"""
import hashlib
import hmac
import os
import struct
import sys
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

sys.dont_write_bytecode = True
import image
from formats import attributes, domain_key, hkdf, records, unseal

HERE = os.path.dirname(os.path.abspath(__file__))
MAC = 32


def load(name):
    values = {}
    with open(os.path.join(HERE, name), encoding="ascii") as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                key, value = line.split("=")
                values[key.strip()] = bytes.fromhex(value)
    return values


def equal(what, made, expected):
    if made != expected:
        sys.exit(f"{what}: {made.hex()} is not {expected.hex()}")


def private(keys, name):
    part = {p: int.from_bytes(keys[f"{name}.{p}"], "big") for p in ("n", "e", "d", "p", "q", "dp", "dq", "qi")}
    public = rsa.RSAPublicNumbers(part["e"], part["n"])
    return rsa.RSAPrivateNumbers(part["p"], part["q"], part["d"], part["dp"], part["dq"], part["qi"],
                                 public).private_key()


def mac(ikm, label, data):
    return hmac.digest(hkdf(ikm, b"", label, 32), data, "sha256")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        piece = self.data[self.at:self.at + length]
        assert len(piece) == length
        self.at += length
        return piece

    def number(self, length):
        return int.from_bytes(self.take(length), "big")

    def done(self):
        assert self.at == len(self.data)


def head(reader, magic, message):
    equal("magic", reader.take(4), magic)
    equal("version and message", reader.take(2), bytes([1, message]))
    flags = reader.number(1)
    equal("zero", reader.take(1), b"\0")
    return flags


def clone(v, keys, element, replicate):
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    random2 = Reader(v["step2.random"])
    target_nonce, secret = random2.take(32), random2.take(32)
    part1 = Reader(v["part1"])
    equal("flags", bytes([head(part1, b"LCP3", 1)]), bytes([replicate]))
    equal("target nonce", part1.take(32), target_nonce)
    equal("target serial", part1.take(16), v["target.serial"])
    equal("digest of TWC", part1.take(32), hashlib.sha256(v["source.twc"]).digest())
    equal("secret", private(keys, "source").decrypt(part1.take(part1.number(2)), oaep), secret)
    body = v["part1"][:part1.at]
    equal("MAC of Part1", part1.take(MAC), mac(v["domain.key"], b"luna cpv3 part1 mac", body))
    part1.done()

    part2 = Reader(v["part2"])
    equal("flags", bytes([head(part2, b"LCP3", 2)]), bytes([replicate]))
    source_nonce = v["step1.random"]
    equal("source nonce", part2.take(32), source_nonce)
    equal("target nonce", part2.take(32), target_nonce)
    equal("source serial", part2.take(16), v["source.serial"])
    equal("element type", part2.take(4), struct.pack(">I", element))
    sealed_len = part2.number(4)
    header = v["part2"][:part2.at]
    sealed = part2.take(sealed_len)
    part2.done()
    transcript = hashlib.sha256(hashlib.sha256(v["part1"]).digest() + header).digest()
    key = hkdf(secret + v["domain.key"], source_nonce + target_nonce, b"luna cpv3 part2 key" + transcript, 32)
    return unseal(key, 5, element, sealed)


def check_domain(v):
    equal("domain key", domain_key(v["domain.string"]), v["domain.key"])


def check_twc(keys):
    v = load("twc.txt")
    for name in ("source", "target", "login"):
        cert = x509.load_der_x509_certificate(v[f"{name}.twc"])
        assert cert.issuer == cert.subject
        cert.public_key().verify(cert.signature, cert.tbs_certificate_bytes, padding.PKCS1v15(),
                                 cert.signature_hash_algorithm)
        assert cert.public_key().public_numbers() == private(keys, name).public_key().public_numbers()
        assert v[f"{name}.serial"].decode().strip() in cert.subject.rfc4514_string()


def check_clone(keys):
    for name, replicate in (("cpv3.txt", 0), ("cpv3-replicate.txt", 1)):
        v = load(name)
        check_domain(v)
        object_ = attributes(clone(v, keys, 0, replicate))
        equal("CKA_VALUE", object_[0x11], bytes(range(32)))
        equal("CKA_LABEL", object_[3], b"vector")
        assert len(object_[0x80000005]) == 12, "CKA_OUID"


def multiply(a, b):
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a = a << 1 ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return product


def share(secret, coefs, x):
    made = bytearray(secret)
    for i in range(32):
        power = x
        for at in range(i, len(coefs), 32):
            made[i] ^= multiply(coefs[at], power)
            power = multiply(power, x)
    return bytes(made)


def check_mofn(keys):
    v = load("mofn.txt")
    random = Reader(v["generate.random"])
    id_, secret, coefs = random.take(4), random.take(32), random.take(64)
    random.done()
    equal("secret", secret, v["secret"])
    for x in range(1, 6):
        body = b"LMN1" + id_ + bytes([3, 5, x, 0]) + share(secret, coefs, x)
        equal(f"vector {x}", v[f"vector.{x}"], body + struct.pack(">I", zlib.crc32(body)))
    equal("cloned", clone(v, keys, 3, 0), id_ + struct.pack(">III", 3, 5, zlib.crc32(secret)) + secret)


def ecb(key, data):
    return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(data)


def check_ha(keys):
    v = load("ha-v1.txt")
    pkcs1 = padding.PKCS1v15()
    k = private(keys, "login").decrypt(v["setup.w"], pkcs1)
    equal("K", k, v["setup.k"])
    equal("storage key", unseal(k, 4, 1 << 8 | 1, v["setup.sealed"]), v["storage.key"])

    twc_digest = hashlib.sha256(v["source.twc"]).digest()
    challenge = Reader(v["challenge"])
    head(challenge, b"LHA1", 1)
    equal("serial", challenge.take(16), v["target.serial"])
    equal("digest of TWC", challenge.take(32), twc_digest)
    equal("W", challenge.take(challenge.number(2)), v["setup.w"])
    wrapped = challenge.take(challenge.number(2))
    e = private(keys, "source").decrypt(wrapped, pkcs1)
    equal("E", e, v["challenge.random"][:32])
    equal("MAC of challenge", v["challenge"][challenge.at:],
          mac(e, b"luna ha1 challenge mac", v["challenge"][:challenge.at]))

    said = hashlib.sha256(v["challenge"]).digest()
    answer = Reader(v["answer"])
    head(answer, b"LHA1", 2)
    equal("digest of challenge", answer.take(32), said)
    equal("K", ecb(e, answer.take(32)), k)
    equal("MAC of answer", v["answer"][answer.at:], mac(e, b"luna ha1 answer mac", v["answer"][:answer.at]))

    body = (b"LHA1\1\3\0\0" + said + twc_digest + v["mofn.id"] + struct.pack(">H", len(wrapped)) + wrapped)
    equal("M of N request", v["mofn.request"], body + mac(e, b"luna ha1 mofn request mac", body))
    ikm = e + v["domain.key"]
    mask = hkdf(ikm, b"", b"luna ha1 mofn mask" + said, 32)
    body = b"LHA1\1\4\0\0" + said + bytes(a ^ b for a, b in zip(mask, v["mofn.secret"]))
    equal("M of N answer", v["mofn.answer"], body + mac(ikm, b"luna ha1 mofn answer mac", body))


def check_image(_keys):
    v = load("image-v1.txt")
    for role in ("so", "co"):
        found = image.objects(v["image"], v["domain.string"], role, v[f"{role}.pin"])
        key = found.pop(int.from_bytes(v["key.handle"], "big"))
        equal("objects", bytes([len(found)]), b"\0")
        equal("label", key[image.CKA_LABEL], v["key.label"])
        equal("value", key[image.CKA_VALUE], v["key.value"])
    for at in range(0, len(v["image"]), 997):
        damaged = bytearray(v["image"])
        damaged[at] ^= 1
        try:
            image.objects(bytes(damaged), v["domain.string"], "co", v["co.pin"])
        except image.Damaged:
            continue
        sys.exit(f"image: damage at {at} is not seen")


class LittleReader(Reader):
    def number(self, length):
        return int.from_bytes(self.take(length), "little")

    def counted(self):
        return self.take(self.number(4))


def state(v, data):
    """Opens the storage key by the PINs, and with it the secrets. Returns the key."""
    r = LittleReader(data)
    assert (r.number(4), r.number(1), r.number(4)) == (1, 1, 0)
    equal("label", r.take(32).rstrip(), v["label"])
    equal("serial", r.take(16), v["source.serial"])
    times = r.number(8)
    for role in range(3):
        exists, _, _, _, rounds = (r.number(n) for n in (1, 1, 1, 4, 4))
        salt, sealed = r.take(16), r.take(60)
        if exists:
            pin = v[("so.pin", "co.pin")[role]]
            key = unseal(hashlib.pbkdf2_hmac("sha256", pin, salt, rounds), 1, role, sealed)
            equal("storage key", key, v["storage.key"])
    for _ in range(2):
        r.take(4 * r.number(4))
    r.take(5)
    r.counted()
    r.take(60 + 3 + 16)
    equal("certificate", r.counted(), v["source.twc"])
    secrets = LittleReader(unseal(key, 2, times, r.counted()))
    r.done()
    assert (secrets.number(4), secrets.number(1)) == (1, 1)
    equal("domain", secrets.take(32), v["domain.key"])
    secrets.take(33)
    secrets.counted()
    secrets.done()
    return key


def check_store(_):
    v = load("store.txt")
    objects, failed, key, last = {}, {}, None, None
    for kind, flags, handle, payload in records(v["store"]):
        last = kind
        if kind == 1:
            key = state(v, payload)
        elif kind == 2:
            failed[handle] = struct.unpack("<II", payload)
        elif kind == 3:
            objects[handle] = attributes(unseal(key, 3, handle, payload) if flags & 2 else payload)
        elif kind == 4:
            del objects[handle]
        else:
            assert kind == 6
    assert last == 6 and failed[1] == (1, 0)
    private_one, public_one = (objects[handle] for handle in sorted(objects))
    equal("label of the key", private_one[3], b"vector")
    equal("the key", private_one[0x11], bytes(range(32)))
    equal("label of the public object", public_one[3], b"renamed")


def main():
    keys = load("keys.txt")
    for check in (check_store, check_twc, check_clone, check_mofn, check_ha, check_image):
        check(keys)
        print(f"{check.__name__[6:]}: ok")

if __name__ == "__main__":
    main()
