// SPDX-License-Identifier: MIT
/*
 * Landlock by its system calls: no library has them. What a kernel does not know yet is left out;
 * the numbers are those of linux/landlock.h, which the build's own headers may lack.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "landlock.h"
#include "port.h"
#include "report.h"

enum {
	FS_EXECUTE	= 1 << 0,
	FS_WRITE_FILE	= 1 << 1,
	FS_READ_FILE	= 1 << 2,
	FS_READ_DIR	= 1 << 3,
	FS_REMOVE_FILE	= 1 << 5,
	FS_MAKE_REG	= 1 << 8,
	FS_ABI1		= (1 << 13) - 1,	/* everything, to FS_MAKE_SYM */
	FS_REFER	= 1 << 13,		/* ABI 2 */
	FS_TRUNCATE	= 1 << 14,		/* ABI 3 */
	FS_IOCTL_DEV	= 1 << 15,		/* ABI 5 */
	FS_STORE	= FS_WRITE_FILE | FS_READ_FILE | FS_READ_DIR | FS_REMOVE_FILE |
			  FS_MAKE_REG | FS_TRUNCATE,
};

enum { NET_TCP = 3, SCOPE_ALL = 3 };
enum { CREATE_VERSION = 1, RULE_PATH_BENEATH = 1 };

struct ruleset {
	u64 fs;
	u64 net;
	u64 scoped;
};

struct path_rule {
	u64 access;
	s32 parent;
} __attribute__((packed));

/* By ABI number: what it can restrict, and how much of the structure it knows. A later ABI can more. */
static const struct {
	struct ruleset handled;
	size_t size;
} abis[] = {
	[1] = { { .fs = FS_ABI1 }, offsetof(struct ruleset, net) },
	[2] = { { .fs = FS_ABI1 | FS_REFER }, offsetof(struct ruleset, net) },
	[3] = { { .fs = FS_ABI1 | FS_REFER | FS_TRUNCATE }, offsetof(struct ruleset, net) },
	[4] = { { .fs = FS_ABI1 | FS_REFER | FS_TRUNCATE, .net = NET_TCP },
		offsetof(struct ruleset, scoped) },
	[5] = { { .fs = FS_ABI1 | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV, .net = NET_TCP },
		offsetof(struct ruleset, scoped) },
	[6] = { { .fs = FS_ABI1 | FS_REFER | FS_TRUNCATE | FS_IOCTL_DEV, .net = NET_TCP,
		  .scoped = SCOPE_ALL }, sizeof(struct ruleset) },
};

enum { ABI_KNOWN = ARRAY_SIZE(abis) - 1 };

static int allow(int rules, int dir, u64 access)
{
	const struct path_rule rule = { .access = access, .parent = dir };

	return syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) ? -errno : 0;
}

static int allow_proc(int rules)
{
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (proc < 0)
		return -errno;
	err = allow(rules, proc, FS_READ_FILE);
	close(proc);
	return err;
}

static int restrict_to(int rules, int store, u64 handled)
{
	int err = allow(rules, store, FS_STORE & handled);

	if (!err)
		err = allow_proc(rules);
	if (!err && syscall(SYS_landlock_restrict_self, rules, 0))
		err = -errno;
	return err;
}

int landlock_enter(int store)
{
	int abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	int rules, err;

	if (abi <= 0) {
		report(REPORT_DEBUG, "this kernel has no Landlock");
		return 0;
	}
	if (abi > ABI_KNOWN)
		abi = ABI_KNOWN;
	rules = syscall(SYS_landlock_create_ruleset, &abis[abi].handled, abis[abi].size, 0);
	if (rules < 0)
		return -errno;
	err = restrict_to(rules, store, abis[abi].handled.fs);
	close(rules);
	return err;
}
