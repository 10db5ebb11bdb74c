// SPDX-License-Identifier: MIT
/*
 * Who may lock without limit (root, CAP_IPC_LOCK, "ulimit -l unlimited") locks everything, as it
 * gets touched. Others have a few MiB, in which all of a process' address space does not fit, and
 * with MCL_FUTURE a later mmap() would fail. For them the secrets are kept in one heap (no arenas,
 * nothing of moderate size in mappings of its own), and that heap is locked as it grows.
 */
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "report.h"

enum {
	OWN_MAPPING_MIN = 1 << 20,	/* smaller allocations come from the heap */
	STACK_LOCKED = 64 << 10,	/* what the engine and OpenSSL use of a thread's stack */
	STACK_WIPED = 32 << 10,		/* what they use while they handle secrets */
};

enum { LOCK_NOTHING, LOCK_HEAP, LOCK_ALL };

static int locking = LOCK_NOTHING;
static uintptr_t heap_locked;	/* the end of what is */

void memory_prepare(void)
{
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_MIN);
	mallopt(M_TRIM_THRESHOLD, INT32_MAX);
}

/* Return: where the heap starts, or its end if nothing tells */
static uintptr_t find_heap(void)
{
	uintptr_t found = (uintptr_t)sbrk(0);
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[256];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "[heap]"))
			found = strtoul(line, NULL, 16);
	if (maps)
		fclose(maps);
	return found;
}

static bool may_lock_all(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	struct rlimit limit;

	if (!getrlimit(RLIMIT_MEMLOCK, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_MEMLOCK, &limit);
		if (limit.rlim_max == RLIM_INFINITY)
			return true;
	}
	return !syscall(SYS_capget, &header, data) &&
	       (data[0].effective & (1u << CAP_IPC_LOCK));
}

static void warn_unlocked(int err)
{
	report(REPORT_WARNING,
	       "cannot keep all secrets out of swap (%s); raise the limit: \"ulimit -l\", LimitMEMLOCK= in systemd, memlock in limits.conf",
	       strerror(err));
}

static void no_core_dumps(void)
{
	const struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		report(REPORT_WARNING, "cannot forbid core dumps: %s", strerror(errno));
}

void memory_protect(void)
{
	no_core_dumps();
	if (may_lock_all() && !mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) {
		locking = LOCK_ALL;
		return;
	}
	locking = LOCK_HEAP;
	heap_locked = find_heap();
	memory_follow();
}

void memory_follow(void)
{
	uintptr_t end, seen = __atomic_load_n(&heap_locked, __ATOMIC_RELAXED);

	if (__atomic_load_n(&locking, __ATOMIC_RELAXED) != LOCK_HEAP)
		return;
	end = (uintptr_t)sbrk(0);
	if (end <= seen)
		return;
	/* One thread does it; locking twice would do no harm either. */
	if (!__atomic_compare_exchange_n(&heap_locked, &seen, end, false, __ATOMIC_RELAXED,
					 __ATOMIC_RELAXED))
		return;
	seen &= ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1);
	if (!mlock2((void *)seen, end - seen, MLOCK_ONFAULT))
		return;
	if (__atomic_exchange_n(&locking, LOCK_NOTHING, __ATOMIC_RELAXED) == LOCK_HEAP)
		warn_unlocked(errno);
}

void memory_protect_stack(void)
{
	const uintptr_t page = sysconf(_SC_PAGESIZE);
	uintptr_t top = (uintptr_t)__builtin_frame_address(0);

	if (__atomic_load_n(&locking, __ATOMIC_RELAXED) != LOCK_HEAP)
		return;
	top = (top | (page - 1)) + 1;
	if (mlock2((void *)(top - STACK_LOCKED), STACK_LOCKED, MLOCK_ONFAULT))
		report(REPORT_DEBUG, "cannot lock a thread's stack: %s", strerror(errno));
}

__attribute__((noinline)) void memory_wipe_stack(void)
{
	unsigned char below[STACK_WIPED];

	explicit_bzero(below, sizeof(below));
}
