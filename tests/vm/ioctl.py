# SPDX-License-Identifier: MIT
"""Module-only tests of /dev/luna0, below the library. Usage: ioctl.py TEST"""
import array
import ctypes
import errno
import fcntl
import mmap
import os
import signal
import struct
import sys

INFO_SIZE = 168  # struct luna_info
HDR_SIZE = 40  # struct luna_hdr
IOC_MAX = 16376
PAGE = mmap.PAGESIZE
CARRIED, REFUSED = 0, {errno.EINVAL, errno.ENOTTY, errno.E2BIG}

libc = ctypes.CDLL(None, use_errno=True)
libc.ioctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t) + (ctypes.c_int,) * 3 + (ctypes.c_long,)
libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)


def luna_ioc(nr, size, magic=0xDA, direction=3):
    return direction << 30 | size << 16 | magic << 8 | nr


def ioctl_at(fd, nr, size, address):
    """Return: 0 or the errno; neither the address nor what is there is looked at on the way"""
    return ctypes.get_errno() if libc.ioctl(fd, luna_ioc(nr, size), address) else CARRIED


def pages(count):
    """Memory outside of Python's, by its address"""
    address = libc.mmap(None, count * PAGE, mmap.PROT_READ | mmap.PROT_WRITE,
                        mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    assert address not in (None, ctypes.c_void_p(-1).value)
    return address


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


def pointers():
    """Each command with memory that is the kernel's, not there, or not to be read or written"""
    fd = os.open("/dev/luna0", os.O_RDWR)
    nowhere = [0, 8, PAGE, 1 << 47, (1 << 47) - 8, 1 << 63, 0xDEAD000000000000, (1 << 64) - 8,
               0xFFFF800000000000, 0xFFFF888000000000, 0xFFFFC90000000000, 0xFFFFFFFF81000000,
               0xFFFFFFFFC0000000, 0xFFFFFFFFFF600000]
    mapped = pages(8)
    nowhere.append(pages(8))
    assert not libc.munmap(nowhere[-1], 8 * PAGE)
    nowhere.append(pages(8))
    assert not libc.mprotect(nowhere[-1], 8 * PAGE, 0)
    for nr in range(256):
        for address in nowhere:
            for size in (HDR_SIZE, 512, IOC_MAX):
                assert ioctl_at(fd, nr, size, address) == errno.EFAULT, (nr, hex(address))
    # Over the end of what is there
    assert not libc.mprotect(mapped + 4 * PAGE, 4 * PAGE, 0)
    for before in (8, HDR_SIZE, INFO_SIZE - 8):
        assert ioctl_at(fd, 0, INFO_SIZE, mapped + 4 * PAGE - before) == errno.EFAULT, before
    ctypes.memmove(mapped, struct.pack("=I", INFO_SIZE), 4)
    assert ioctl_at(fd, 0, INFO_SIZE, mapped) == CARRIED
    # Readable, but there is no place for the reply
    ctypes.memmove(mapped, struct.pack("=I", INFO_SIZE) + bytes(INFO_SIZE - 4), INFO_SIZE)
    assert not libc.mprotect(mapped, PAGE, mmap.PROT_READ)
    assert ioctl_at(fd, 0, INFO_SIZE, mapped) == errno.EFAULT


def sizes():
    """Every size that the ioctl number can say; what lies behind a reply is not touched"""
    fd = os.open("/dev/luna0", os.O_RDWR)
    room = pages(8)
    request = struct.pack("=I", INFO_SIZE) + bytes(INFO_SIZE - 4)
    mark = bytes([0xA5]) * (16384 - INFO_SIZE)
    for size in range(16384):
        ctypes.memmove(room, request + mark, 16384)
        got = ioctl_at(fd, 0, size, room)
        fits = INFO_SIZE <= size <= IOC_MAX
        assert got == (CARRIED if fits else errno.EINVAL), (size, got)
        assert ctypes.string_at(room + INFO_SIZE, 16384 - INFO_SIZE) == mark, size


def race():
    """Another process changes the request while it is being carried"""
    import random
    fd = os.open("/dev/luna0", os.O_RDWR)
    shared = mmap.mmap(-1, 4 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(shared))
    good = struct.pack("=IIII", 64, 8, 0, 0)
    changer = os.fork()
    if not changer:
        rng = random.Random(2)
        while True:
            for at in (0, 4, 24, 40, 44, 48):
                shared[at:at + 4] = struct.pack("=I", rng.choice((0, 8, 64, 1 << 31, 0xFFFFFFFF)))
            shared[0:16] = good
    carried = 0
    rng = random.Random(3)
    for _ in range(30000):
        got = ioctl_at(fd, rng.randrange(84), rng.choice((72, 512, IOC_MAX)), address)
        assert got == CARRIED or got in REFUSED, errno.errorcode[got]
        carried += got == CARRIED
    os.kill(changer, signal.SIGKILL)
    os.waitpid(changer, 0)
    print(f"# {carried} carried")
    assert carried


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
            assert e.errno in REFUSED, errno.errorcode[e.errno]
    print(f"# {carried} carried")
    assert carried


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
