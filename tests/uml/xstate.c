// SPDX-License-Identifier: MIT
/*
 * Preloaded into User Mode Linux before 7.0, which sets the extended registers of its processes
 * from the 2696 bytes that it takes a register set for. On processors with more (AMX) the host
 * refuses a set that is not whole. This completes it with what the process has.
 *
 * Made as: gcc -shared -fPIC -o xstate.so xstate.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

enum {
	STATE_MAX = 64 * 1024,
	FEATURES_AT = 512,	/* XSTATE_BV: which components are not in their initial state */
};

/* Components whose place is within UML's idea of the set: up to PKRU */
static const uint64_t features_of_uml = 0x3ff;

typedef long (*ptrace_fn)(int request, pid_t pid, void *addr, void *data);

static long set_whole(ptrace_fn next, pid_t pid, void *type, const struct iovec *part)
{
	static uint8_t state[STATE_MAX];	/* UML's tracer is one thread */
	struct iovec whole = { state, sizeof(state) };
	uint64_t own, given;

	if (next(PTRACE_GETREGSET, pid, type, &whole) || whole.iov_len <= part->iov_len)
		return next(PTRACE_SETREGSET, pid, type, (void *)part);
	memcpy(&own, state + FEATURES_AT, sizeof(own));
	memcpy(state, part->iov_base, part->iov_len);
	memcpy(&given, state + FEATURES_AT, sizeof(given));
	given = (given & features_of_uml) | (own & ~features_of_uml);
	memcpy(state + FEATURES_AT, &given, sizeof(given));
	return next(PTRACE_SETREGSET, pid, type, &whole);
}

long ptrace(enum __ptrace_request request, ...)
{
	static ptrace_fn next;
	va_list args;
	pid_t pid;
	void *addr, *data;

	va_start(args, request);
	pid = va_arg(args, pid_t);
	addr = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);
	if (!next)
		next = (ptrace_fn)dlsym(RTLD_NEXT, "ptrace");
	if (request == PTRACE_SETREGSET && (uintptr_t)addr == NT_X86_XSTATE)
		return set_whole(next, pid, addr, data);
	return next(request, pid, addr, data);
}
