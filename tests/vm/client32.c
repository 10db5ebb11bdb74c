// SPDX-License-Identifier: MIT
/*
 * A client of 32 bits without a C library: a few commands by the system calls of i386, on the
 * device that its first argument names; the second is the PIN of its crypto officer. Exit status:
 * 0, or the number of the step that failed.
 */
#include <luna/ck_values.h>
#include <uapi/luna.h>

enum { SYS_EXIT = 1, SYS_OPEN = 5, SYS_IOCTL = 54, OPEN_RDWR = 2, PIN_MAX = 32, RANDOM = 64 };

_Static_assert(sizeof(void *) == 4, "to be built with -m32");

static long call(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("int $0x80" : "=a"(ret) : "0"(nr), "b"(a), "c"(b), "d"(c) : "memory");
	return ret;
}

static int carried(long fd, unsigned int command, void *arg, unsigned int len)
{
	return !call(SYS_IOCTL, fd, LUNA_IOC(command, len), (long)arg) &&
	       ((struct luna_hdr *)arg)->rv == CKR_OK;
}

#define CARRIED(fd, command, arg)	carried(fd, command, &(arg), sizeof(arg))

static int log_in(long fd, unsigned int session, const char *pin)
{
	struct {
		struct luna_pin pin;
		char text[PIN_MAX];
	} login = { .pin.hdr = { .size = sizeof(login.pin), .session = session } };

	while (login.pin.pin_len < PIN_MAX && *pin)
		login.text[login.pin.pin_len++] = *pin++;
	login.pin.hdr.in_len = login.pin.pin_len;
	login.pin.role = CKU_USER;
	return CARRIED(fd, LUNA_LOGIN, login);
}

static int draws(long fd, unsigned int session)
{
	struct {
		struct luna_random random;
		unsigned char bytes[RANDOM];
	} drawn = { .random.hdr = { .size = sizeof(drawn.random), .session = session } };
	unsigned int i, zeros = 0;

	drawn.random.length = RANDOM;
	if (!CARRIED(fd, LUNA_RANDOM, drawn) || drawn.random.hdr.out_len != RANDOM)
		return 0;
	for (i = 0; i < RANDOM; i++)
		zeros += !drawn.bytes[i];
	return zeros < RANDOM / 4;
}

static int run(const char *path, const char *pin)
{
	struct luna_info info = { .hdr.size = sizeof(info) };
	struct luna_session_info session = { .hdr.size = sizeof(session) };
	struct luna_hdr close = { .size = sizeof(close) };
	long fd = call(SYS_OPEN, (long)path, OPEN_RDWR, 0);

	if (fd < 0)
		return 1;
	if (!CARRIED(fd, LUNA_GET_INFO, info))
		return 2;
	if (info.abi != LUNA_ABI_VERSION || info.ioc_max != LUNA_IOC_MAX)
		return 3;
	session.flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
	if (!CARRIED(fd, LUNA_SESSION_OPEN, session))
		return 4;
	session.hdr.session = session.handle;
	if (log_in(fd, session.handle, "not the PIN"))
		return 5;
	if (!log_in(fd, session.handle, pin))
		return 6;
	if (!CARRIED(fd, LUNA_SESSION_INFO, session) || session.state != CKS_RW_USER_FUNCTIONS)
		return 7;
	if (!draws(fd, session.handle))
		return 8;
	close.session = session.handle;
	if (!CARRIED(fd, LUNA_SESSION_CLOSE, close))
		return 9;
	return CARRIED(fd, LUNA_SESSION_CLOSE, close) ? 10 : 0;
}

__attribute__((used)) void start(const long *stack)
{
	call(SYS_EXIT, stack[0] == 3 ? run((const char *)stack[2], (const char *)stack[3]) : 99, 0,
	     0);
}

/* argc is on top of the stack, argv behind it. */
__asm__(".globl _start\n"
	"_start:\n"
	"	mov %esp, %eax\n"
	"	and $-16, %esp\n"
	"	sub $12, %esp\n"
	"	push %eax\n"
	"	call start\n");
