// SPDX-License-Identifier: MIT
/*
 * A client of 32 bits without a C library: LUNA_GET_INFO by the system calls of i386, on the device
 * that its argument names. Exit status: 0, or the number of the step that failed.
 */
#include <uapi/luna.h>

enum { SYS_EXIT = 1, SYS_OPEN = 5, SYS_IOCTL = 54, OPEN_RDWR = 2 };

_Static_assert(sizeof(void *) == 4, "to be built with -m32");

static long call(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "0"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

static int run(const char *path)
{
	struct luna_info info = { .hdr.size = sizeof(info) };
	long fd = call(SYS_OPEN, (long)path, OPEN_RDWR, 0);

	if (fd < 0)
		return 1;
	if (call(SYS_IOCTL, fd, LUNA_IOC(LUNA_GET_INFO, sizeof(info)), (long)&info))
		return 2;
	if (info.hdr.rv || info.abi != LUNA_ABI_VERSION || info.ioc_max != LUNA_IOC_MAX)
		return 3;
	return 0;
}

__attribute__((used)) void start(const long *stack)
{
	call(SYS_EXIT, stack[0] == 2 ? run((const char *)stack[2]) : 9, 0, 0);
}

/* argc is on top of the stack, argv behind it. */
__asm__(".globl _start\n"
	"_start:\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");
