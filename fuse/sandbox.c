// SPDX-License-Identifier: MIT
/*
 * The allow-list has what the daemon, libfuse, OpenSSL, libkcapi and the C library use once the file
 * system is mounted. A system call that is missing here fails with ENOSYS, as on an older kernel, so
 * that libraries fall back; those with which an intruder goes on end the process.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "landlock.h"
#include "port.h"
#include "report.h"
#include "sandbox.h"

static const int allowed[] = {
	/* requests and answers */
	SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(splice),
	SCMP_SYS(vmsplice), SCMP_SYS(pipe2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(fcntl),
	SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(dup), SCMP_SYS(dup2),
	/* the store */
	SCMP_SYS(openat), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(unlinkat), SCMP_SYS(flock), SCMP_SYS(fadvise64), SCMP_SYS(fchmod),
	/* memory; see also the conditions */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(mlock),
	SCMP_SYS(mlock2), SCMP_SYS(munlock),
	/* threads */
	SCMP_SYS(clone3), SCMP_SYS(clone), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(futex),
	SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield), SCMP_SYS(membarrier),
	SCMP_SYS(sched_getaffinity), SCMP_SYS(sched_getparam), SCMP_SYS(sched_getscheduler),
	SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(wait4),
	/* signals */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
	/* who, when, chance */
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid),
	SCMP_SYS(getegid), SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),
	SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
	SCMP_SYS(getrandom), SCMP_SYS(uname), SCMP_SYS(sysinfo), SCMP_SYS(getrusage),
	/* syslog, and AF_ALG of the kcapi provider */
	SCMP_SYS(connect), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
	SCMP_SYS(recvfrom), SCMP_SYS(bind), SCMP_SYS(accept), SCMP_SYS(accept4),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockopt), SCMP_SYS(getsockname),
};

static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(unshare), SCMP_SYS(setns),
	SCMP_SYS(bpf), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(keyctl),
	SCMP_SYS(userfaultfd), SCMP_SYS(io_uring_setup), SCMP_SYS(open_by_handle_at),
};

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = seccomp_rule_add(filter, action, calls[i], 0);
	return err;
}

/* Calls that are allowed with some values of their arguments */
static const struct {
	int call;
	struct scmp_arg_cmp arguments[2];
} conditions[] = {
	/* No memory is made executable, so that what gets in as data stays data. */
	{ SCMP_SYS(mmap), { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
	{ SCMP_SYS(mprotect), { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
	{ SCMP_SYS(socket), { { 0, SCMP_CMP_EQ, AF_UNIX, 0 } } },
	/* libkcapi asks the second which driver serves an algorithm. */
	{ SCMP_SYS(socket), { { 0, SCMP_CMP_EQ, AF_ALG, 0 } } },
	{ SCMP_SYS(socket), { { 0, SCMP_CMP_EQ, AF_NETLINK, 0 }, { 2, SCMP_CMP_EQ, NETLINK_CRYPTO, 0 } } },
	/* Threads get names, and limits are read; nothing else about the process changes. */
	{ SCMP_SYS(prctl), { { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } } },
	{ SCMP_SYS(prlimit64), { { 2, SCMP_CMP_EQ, 0, 0 } } },
};

static int add_conditions(scmp_filter_ctx filter)
{
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(conditions) && !err; i++)
		err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, conditions[i].call,
					     conditions[i].arguments[1].op ? 2 : 1,
					     conditions[i].arguments);
	return err;
}

static int seccomp_enter(enum sandbox_mode mode)
{
	const bool on = mode == SANDBOX_ON;
	scmp_filter_ctx filter = seccomp_init(on ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_LOG);
	int err;

	if (!filter)
		return -ENOMEM;
	err = add_all(filter, SCMP_ACT_ALLOW, allowed, ARRAY_SIZE(allowed));
	if (!err)
		err = add_conditions(filter);
	if (!err && on)
		err = add_all(filter, SCMP_ACT_KILL_PROCESS, deadly, ARRAY_SIZE(deadly));
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

/* Of root's capabilities only the one to lock memory is of use from here on. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	const unsigned int keep = 1u << CAP_IPC_LOCK;

	if (syscall(SYS_capget, &header, data))
		return -errno;
	data[0] = (struct __user_cap_data_struct){
		.effective = data[0].effective & keep, .permitted = data[0].permitted & keep,
	};
	memset(&data[1], 0, sizeof(data[1]));
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

/* What the C library would only fetch when it is needed, from files that are then out of reach */
static void load_late_files(void)
{
	tzset();
	if (!dlopen("libgcc_s.so.1", RTLD_NOW))
		report(REPORT_DEBUG, "no libgcc_s: %s", dlerror());
}

static int failed(const char *what, int err)
{
	report(REPORT_ERROR, "cannot enter the sandbox (%s): %s; --sandbox=off goes without", what,
	       strerror(-err));
	return err;
}

int sandbox_enter(enum sandbox_mode mode, int store)
{
	int err;

	if (mode == SANDBOX_OFF)
		return 0;
	load_late_files();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return failed("no new privileges", -errno);
	err = drop_capabilities();
	if (err)
		return failed("capabilities", err);
	err = mode == SANDBOX_ON ? landlock_enter(store) : 0;
	if (err)
		return failed("Landlock", err);
	err = seccomp_enter(mode);
	return err ? failed("seccomp", err) : 0;
}
