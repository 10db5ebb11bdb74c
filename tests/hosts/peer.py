#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The protocol of tools/lunactl/PEER.md as something that goes wrong, from that page alone.

usage: peer.py cut FRAMES BYTES COMMAND...
           runs the command and passes its input and output on, until FRAMES frames have gone, in whichever
           direction, and BYTES bytes of the next; then both directions end
       peer.py lie SEED COMMAND...
           passes everything on, and alters one of the frames that the command gives, as SEED says
       peer.py ask SEED COMMAND...
           is a client that greets, opens a token and then sends what no client would, as SEED says; ends with
           the command's status
"""
import os
import random
import selectors
import struct
import subprocess
import sys

HEAD = struct.Struct(">4sBBHI")
HELLO, OPEN, BYE, ERROR = 1, 2, 3, 0xff
REQUESTS = [0x10, 0x11, 0x12, 0x20, 0x21, 0x22, 0x23] + list(range(0x30, 0x3a))


def read_exact(fd, length):
    data = b""
    while len(data) < length:
        more = os.read(fd, length - len(data))
        if not more:
            return data, False
        data += more
    return data, True


def read_frame(fd):
    """A frame's bytes, or b"" at the end."""
    head, whole = read_exact(fd, HEAD.size)
    if not whole:
        return head
    body, _ = read_exact(fd, HEAD.unpack(head)[4])
    return head + body


def write(fd, data):
    try:
        while data:
            data = data[os.write(fd, data):]
    except BrokenPipeError:
        pass


def start(command):
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def passing(command, change):
    """Passes frames on in both directions; change(frame, from the command) gives what goes instead, or None
    to end both."""
    process = start(command)
    there, here = process.stdin.fileno(), process.stdout.fileno()
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ, there)
    selector.register(here, selectors.EVENT_READ, 1)
    ended = False
    while not ended and selector.get_map():
        for key, _ in selector.select():
            frame = read_frame(key.fd)
            if not frame:
                selector.unregister(key.fd)
                if key.fd == 0:
                    process.stdin.close()
                    continue
                ended = True
                break
            data, ended = change(frame, key.fd == here)
            write(key.data, data)
            if ended:
                break
    os.close(1)
    if not process.stdin.closed:
        process.stdin.close()
    process.stdout.close()
    sys.exit(process.wait() & 0x7f)


def cut(frames, extra, command):
    left = frames

    def change(frame, _):
        nonlocal left
        left -= 1
        return (frame, False) if left >= 0 else (frame[:min(extra, len(frame) - 1)], True)

    passing(command, change)


def damage(rng, frame):
    """The frame with something wrong in it."""
    magic, version, kind, number, _ = HEAD.unpack(frame[:HEAD.size])
    body = bytearray(frame[HEAD.size:])
    how = rng.randrange(9)
    if how == 0 and body:
        body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    elif how == 1:
        del body[rng.randrange(len(body) + 1):]
    elif how == 2:
        body += rng.randbytes(rng.randrange(1, 64))
    elif how == 3:
        kind = rng.choice([kind ^ 1, 0, 0xfe, ERROR, rng.randrange(256)])
    elif how == 4:
        version, number = rng.choice([(version + 1, number), (version, number + 1 & 0xffff), (255, 0)])
    elif how == 5:
        return HEAD.pack(magic, version, kind, number, rng.choice([0x7fffffff, 0xffffffff, 2 ** 20 + 4097])) + body
    elif how == 6:
        return rng.randbytes(rng.randrange(1, 200))
    elif how == 7:
        for at in range(0, max(len(body) - 3, 0), 4):
            if rng.random() < .3:
                body[at:at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\1\0", b"\x7f\xff\xff\xff"])
    else:
        body = bytearray(rng.randbytes(rng.choice([0, 1, 4, 40, 5000])))
    return HEAD.pack(magic, version, kind, number, len(body)) + body


def lie(seed, command):
    rng = random.Random(seed)
    left = rng.randrange(8)

    def change(frame, from_command):
        nonlocal left
        if not from_command:
            return frame, False
        left -= 1
        return (damage(rng, frame) if left == -1 else frame), False

    passing(command, change)


def text(value):
    return bytes([len(value)]) + value


def given(value):
    return struct.pack(">I", len(value)) + value


# What a body has: n a number, g bytes with their length, t a text, u a small number, o what is left
SHAPES = {
    0x10: "unggn", 0x11: "n", 0x12: "no", 0x20: "", 0x21: "g", 0x22: "nng", 0x23: "ng", 0x30: "tu", 0x31: "tgg",
    0x32: "n", 0x33: "", 0x34: "g", 0x35: "g", 0x36: "g", 0x37: "g", 0x38: "g", 0x39: "",
}
# Requests of each purpose
TAKEN = [
    [0x10, 0x11, 0x20, 0x22], [0x12, 0x21, 0x23], [0x20, 0x22, 0x30], [0x12, 0x21, 0x23, 0x31, 0x32],
    [0x30, 0x33, 0x35, 0x37], [0x34, 0x36, 0x38, 0x39],
]


def nonsense(rng, kind):
    """A request's body, mostly of the right form."""
    if rng.random() < .15:
        return rng.randbytes(rng.randrange(64))
    body = b""
    for field in SHAPES.get(kind, ""):
        blob = rng.randbytes(rng.choice([0, 1, 12, 40, 104, 378, 900, 20000]))
        if rng.random() < .3:
            blob = rng.choice([b"LCP3", b"LHA1"]) + bytes([1, rng.randrange(1, 5), 0, 0]) + blob
        number = rng.choice([0, 0, 1, 1, 2, 3, 256, 257, 0x7fffffff, 0xffffffff])
        body += {
            "n": number.to_bytes(4, "big"), "g": given(blob), "u": bytes([rng.randrange(16)]), "o": blob[:12 * 20],
            "t": text(rng.choice([b"ha-login", b"other", blob[:255]])),
        }[field]
    return body


def ask(seed, command):
    rng = random.Random(seed)
    process = start(command)
    to, back = process.stdin.fileno(), process.stdout.fileno()
    number = 0

    def request(kind, body, version=1):
        nonlocal number
        number += 1
        frame = HEAD.pack(b"LPER", version, kind, number, len(body)) + body
        if kind in REQUESTS and rng.random() < .2:
            frame = damage(rng, frame)
        write(to, frame)
        return read_frame(back) if rng.random() > .02 and len(frame) == HEAD.size + len(body) else b""

    if rng.random() < .1:
        write(to, damage(rng, HEAD.pack(b"LPER", 0, HELLO, 1, 3) + b"\1\1\0"))
    else:
        request(HELLO, b"\1\1" + text(b"peer.py"), 0)
    purpose = rng.randrange(len(TAKEN) + 1)
    if rng.random() < .95:
        request(OPEN, bytes([purpose, 0]) + bytes(4) + text(b""))
    taken = TAKEN[purpose % len(TAKEN)]
    for _ in range(rng.randrange(1, 20)):
        kind = rng.choice(taken) if rng.random() < .8 else rng.choice(REQUESTS + [OPEN])
        if not request(kind, nonsense(rng, kind)):
            break
    if rng.random() < .3:
        request(BYE, b"")
    process.stdin.close()
    while os.read(back, 65536):
        pass
    status = process.wait()
    sys.exit(status if status >= 0 else 128 - status)


def main():
    what, arguments = sys.argv[1], sys.argv[2:]
    if what == "cut":
        cut(int(arguments[0]), int(arguments[1]), arguments[2:])
    elif what == "lie":
        lie(int(arguments[0]), arguments[1:])
    elif what == "ask":
        ask(int(arguments[0]), arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
