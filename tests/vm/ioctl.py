# SPDX-License-Identifier: MIT
"""Module-only tests of /dev/luna0, below the library. Usage: ioctl.py TEST"""
import array
import errno
import fcntl
import os
import struct
import sys

INFO_SIZE = 168  # struct luna_info


def luna_ioc(nr, size, magic=0xDA, direction=3):
    return direction << 30 | size << 16 | magic << 8 | nr


def get_info(fd):
    buf = array.array("B", struct.pack("=I", INFO_SIZE) + bytes(INFO_SIZE - 4))
    fcntl.ioctl(fd, luna_ioc(0, INFO_SIZE), buf, True)


def refused(code, function, *args):
    try:
        function(*args)
    except OSError as e:
        assert e.errno == code, f"{errno.errorcode[e.errno]}, not {errno.errorcode[code]}"
        return
    raise AssertionError(f"not refused with {errno.errorcode[code]}")


def write(path, text):
    with open(path, "w") as f:
        f.write(text)


def bad():
    fd = os.open("/dev/luna0", os.O_RDWR)
    refused(errno.ENOTTY, fcntl.ioctl, fd, luna_ioc(0, 64, magic=0xDB), bytes(64))
    refused(errno.ENOTTY, fcntl.ioctl, fd, luna_ioc(0, 64, direction=1), bytes(64))
    refused(errno.ENOTTY, fcntl.ioctl, fd, luna_ioc(255, 256), bytes(256))
    refused(errno.EINVAL, fcntl.ioctl, fd, luna_ioc(0, 0), 0)
    refused(errno.EINVAL, fcntl.ioctl, fd, luna_ioc(0, 8), bytes(8))
    refused(errno.EINVAL, fcntl.ioctl, fd, luna_ioc(0, 16383), 0)
    for pointer in (0, 4096, 0xFFFFFFFF81000000 - (1 << 64), -4096):
        refused(errno.EFAULT, fcntl.ioctl, fd, luna_ioc(0, 512), pointer)
    for flags in (os.O_RDONLY, os.O_WRONLY):
        refused(errno.EACCES, os.open, "/dev/luna0", flags)
    refused(errno.EINVAL, os.read, fd, 10)
    refused(errno.EINVAL, os.write, fd, b"x")
    refused(errno.ESPIPE, os.lseek, fd, 0, os.SEEK_SET)


def fuzz():
    """Random headers and bodies to every number"""
    import random
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    fd = os.open("/dev/luna0", os.O_RDWR)
    carried = 0
    for _ in range(20000):
        nr, size = rng.randrange(100), rng.choice((64, 128, 256, 512, 4096, 16376))
        head = struct.pack("=IIII", rng.choice((40, 48, 56, 64, 96, 128, rng.randrange(1 << 32))),
                           rng.choice((0, 8, 32, rng.randrange(1 << 32))), 0, rng.choice((0, 1)))
        body = rng.choice((bytes(size), rng.randbytes(size)))
        buf = array.array("B", (head + body)[:size])
        try:
            fcntl.ioctl(fd, luna_ioc(nr, size), buf, True)
            carried += 1
        except OSError as e:
            assert e.errno in (errno.EINVAL, errno.ENOTTY, errno.E2BIG), errno.errorcode[e.errno]
    print(f"# {carried} carried")


def unplug():
    fd = os.open("/dev/luna0", os.O_RDWR)
    get_info(fd)
    write("/sys/class/luna/unplug", "0")
    refused(errno.ENODEV, get_info, fd)
    assert not os.path.exists("/dev/luna0")
    refused(errno.ENODEV, write, "/sys/class/luna/unplug", "0")
    write("/sys/class/luna/plug", "0")
    refused(errno.EEXIST, write, "/sys/class/luna/plug", "0")
    refused(errno.ERANGE, write, "/sys/class/luna/plug", "2")
    refused(errno.ENODEV, get_info, fd)
    again = os.open("/dev/luna0", os.O_RDWR)
    get_info(again)
    os.close(fd)
    get_info(again)


globals()[sys.argv[1]]()
