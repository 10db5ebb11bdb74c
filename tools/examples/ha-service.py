#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A service on an HA secondary: it logs in through the primary on another host, and signs.

usage: ha-service.py SLOT LABEL FILE REMOTE     e.g. 0 signer letter.txt "ssh primary lunactl peer"

Writes the RSA signature (PKCS#1 v1.5, SHA-256) of FILE by the key LABEL to FILE.sig. There is no PIN on
this host: the token's login is recovered by CA_HAGetLoginChallenge and CA_HALogin, whose blobs go to
'lunactl peer' on the primary as tools/lunactl/PEER.md says. The login is this process's; a real service
goes on from there. P11_LIB names the library (default libluna.so).
"""
import ctypes
import os
import struct
import subprocess
import sys

CKF_SESSION = 4 | 2
CKU_USER = 1
CKO_PRIVATE_KEY, CKA_CLASS, CKA_LABEL, CKM_SHA256_RSA_PKCS = 3, 0, 3, 0x40
LOGIN_PRIMARY = 4
HEAD = struct.Struct(">4sBBHI")
HELLO, OPEN, BYE, LOGIN_KEY, MASTER_PUBLIC, ANSWER, MOFN_ANSWER = 1, 2, 3, 0x30, 0x33, 0x35, 0x37


class Refused(Exception):
    pass


class Primary:
    """The primary's token, behind a pipe."""

    def __init__(self, command, label="ha-login"):
        self.pipe = subprocess.Popen(command, shell=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = self.version = 0
        self.version = self.ask(HELLO, b"\1\1" + self.text("ha-service"))[0]
        self.ask(OPEN, struct.pack(">BBI", LOGIN_PRIMARY, 0, 0) + self.text(""))
        if self.ask(LOGIN_KEY, self.text(label) + b"\0")[:4] == bytes(4):
            raise Refused(f"the primary has no login key '{label}': lunactl ha setup makes it")

    @staticmethod
    def text(value):
        return bytes([len(value)]) + value.encode()

    def read(self, length):
        data = self.pipe.stdout.read(length)
        if len(data) < length:
            raise Refused("the primary does not answer; what it or ssh says is above")
        return data

    def ask(self, kind, body):
        self.number += 1
        try:
            self.pipe.stdin.write(HEAD.pack(b"LPER", self.version, kind, self.number, len(body)) + body)
            self.pipe.stdin.flush()
        except BrokenPipeError:
            pass
        magic, version, got, number, length = HEAD.unpack(self.read(HEAD.size))
        if (magic, version, number) != (b"LPER", self.version, self.number) or length > 2 ** 20 + 4096:
            raise Refused("the primary's host answers what is no message")
        reply = self.read(length)
        if got == 0xff:
            call = reply[5:5 + reply[4]].decode()
            said = reply[6 + reply[4]:].decode(errors="replace")
            raise Refused(f"primary: {said or '%s: 0x%x' % (call, struct.unpack('>I', reply[:4])[0])}")
        if got != kind | 0x80:
            raise Refused(f"the primary answers {kind:#x} by {got:#x}")
        return reply

    def blob(self, kind, given=None):
        reply = self.ask(kind, b"" if given is None else struct.pack(">I", len(given)) + given)
        return reply[4:]

    def close(self):
        self.ask(BYE, b"")
        self.pipe.stdin.close()
        self.pipe.wait()


class Token:
    """A session of this host's token. Return values other than CKR_OK raise Refused."""

    def __init__(self, slot):
        self.lib = ctypes.CDLL(os.environ.get("P11_LIB", "libluna.so"))
        self.call("C_Initialize", None)
        session = ctypes.c_ulong()
        self.call("C_OpenSession", ctypes.c_ulong(slot), ctypes.c_ulong(CKF_SESSION), None, None,
                  ctypes.byref(session))
        self.session = session

    def call(self, name, *arguments):
        function = getattr(self.lib, name)
        function.restype = ctypes.c_ulong
        rv = function(*arguments)
        if rv:
            raise Refused(f"{name}: 0x{rv:x}")

    def get(self, name, *arguments):
        """A function that fills a buffer: its bytes."""
        room = ctypes.c_ulong(16384)
        data = ctypes.create_string_buffer(room.value)
        self.call(name, self.session, *arguments, data, ctypes.byref(room))
        return data.raw[:room.value]

    def challenge(self, twc):
        return self.get("CA_HAGetLoginChallenge", ctypes.c_ulong(CKU_USER), twc, ctypes.c_ulong(len(twc)))

    def login(self, answer):
        return self.get("CA_HALogin", answer, ctypes.c_ulong(len(answer)))

    def activate(self, secret):
        self.call("CA_HAActivateMofN", self.session, secret, ctypes.c_ulong(len(secret)))

    def sign(self, label, data):
        class Attribute(ctypes.Structure):
            _fields_ = [("type", ctypes.c_ulong), ("value", ctypes.c_void_p), ("length", ctypes.c_ulong)]

        class Mechanism(ctypes.Structure):
            _fields_ = [("mechanism", ctypes.c_ulong), ("parameter", ctypes.c_void_p), ("length", ctypes.c_ulong)]

        kind, name = ctypes.c_ulong(CKO_PRIVATE_KEY), ctypes.create_string_buffer(label.encode())
        wanted = (Attribute * 2)(
            (CKA_CLASS, ctypes.addressof(kind), ctypes.sizeof(kind)),
            (CKA_LABEL, ctypes.addressof(name), len(label.encode())))
        key, count = ctypes.c_ulong(), ctypes.c_ulong()
        self.call("C_FindObjectsInit", self.session, wanted, ctypes.c_ulong(2))
        self.call("C_FindObjects", self.session, ctypes.byref(key), ctypes.c_ulong(1), ctypes.byref(count))
        self.call("C_FindObjectsFinal", self.session)
        if not count.value:
            raise Refused(f"no private key '{label}' is to be seen")
        self.call("C_SignInit", self.session, ctypes.byref(Mechanism(CKM_SHA256_RSA_PKCS, None, 0)), key)
        return self.get("C_Sign", data, ctypes.c_ulong(len(data)))


def log_in(token, primary):
    """HA login, version 1; M of N where the token requires it."""
    challenge = token.challenge(primary.blob(MASTER_PUBLIC))
    request = token.login(primary.blob(ANSWER, challenge))
    if request:
        token.activate(primary.blob(MOFN_ANSWER, request))


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    slot, label, path, remote = sys.argv[1:]
    try:
        token, primary = Token(int(slot, 0)), Primary(remote)
        log_in(token, primary)
        primary.close()
        with open(path, "rb") as file:
            signature = token.sign(label, file.read())
    except Refused as refused:
        sys.exit(f"ha-service: {refused}")
    with open(path + ".sig", "wb") as file:
        file.write(signature)
    print(f"{label} signed {path}")


if __name__ == "__main__":
    main()
