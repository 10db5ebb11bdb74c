// SPDX-License-Identifier: MIT
/*
 * What the daemon's sandbox lets through and what it does not. Each try is a process of its own,
 * since nobody gets out of it; the same tries succeed without the sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sandbox.h"

enum { ENTERING_FAILED = 255 };

static char dir[] = "/tmp/luna-sandbox-XXXXXX";
static int store;

/* Return: the exit status of @try, which says 0 or an errno, under @mode; minus the signal's number */
static int tried(enum sandbox_mode mode, int (*try)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(sandbox_enter(mode, store) ? ENTERING_FAILED : try());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int open_and_close(int at, const char *path, int flags)
{
	int fd = openat(at, path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_store(void)
{
	int fd = openat(store, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) || ftruncate(fd, 0) ||
	    renameat(store, "file", store, "other") || unlinkat(store, "other", 0) ||
	    fsync(store))
		return errno;
	return 0;
}

static int try_read_elsewhere(void)
{
	return open_and_close(AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static int try_write_elsewhere(void)
{
	return open_and_close(AT_FDCWD, "/tmp/luna-sandbox-elsewhere", O_RDWR | O_CREAT);
}

static int try_proc(void)
{
	return open_and_close(AT_FDCWD, "/proc/1/status", O_RDONLY);
}

static int try_mkdir(void)
{
	return mkdirat(store, "directory", 0700) ? errno : 0;
}

static int try_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int try_syslog(void)
{
	return socket(AF_UNIX, SOCK_DGRAM, 0) < 0 ? errno : 0;
}

static int try_exec(void)
{
	execl("/bin/true", "true", NULL);
	return errno;
}

static int try_executable_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED ? errno : 0;
}

static int try_made_executable(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(page, 4096, PROT_READ | PROT_EXEC) ? errno : 0;
}

static int try_kill_parent(void)
{
	return kill(getppid(), 0) ? errno : 0;
}

static void *sleeper(void *unused)
{
	(void)unused;
	for (;;)
		sleep(60);
	return NULL;
}

/* libfuse ends its threads like this; the C library loads libgcc_s for it, if it has to. */
static int try_thread(void)
{
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, sleeper, NULL) || pthread_cancel(thread) ||
	    pthread_join(thread, &result))
		return EAGAIN;
	return result == PTHREAD_CANCELED ? 0 : EAGAIN;
}

/* Return: 0 if no capability but that to lock memory is left */
static int try_capabilities(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long caps, all = 0;
	char line[128];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "CapPrm: %llx", &caps) == 1 || sscanf(line, "CapEff: %llx", &caps) == 1)
			all |= caps;
	return !status || all & ~(1ull << CAP_IPC_LOCK) ? EPERM : 0;
}

static void what_serving_takes(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_ON, try_store), 0);
	assert_int_equal(tried(SANDBOX_ON, try_proc), 0);
	assert_int_equal(tried(SANDBOX_ON, try_syslog), 0);
	assert_int_equal(tried(SANDBOX_ON, try_thread), 0);
}

static void other_files(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_OFF, try_read_elsewhere), 0);
	assert_int_equal(tried(SANDBOX_ON, try_read_elsewhere), EACCES);
	assert_int_equal(tried(SANDBOX_OFF, try_write_elsewhere), 0);
	unlink("/tmp/luna-sandbox-elsewhere");
	assert_int_equal(tried(SANDBOX_ON, try_write_elsewhere), EACCES);
	assert_int_equal(tried(SANDBOX_ON, try_mkdir), ENOSYS);
}

static void network(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_OFF, try_tcp), 0);
	assert_int_equal(tried(SANDBOX_ON, try_tcp), ENOSYS);
}

static void programs(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_OFF, try_exec), 0);
	assert_int_equal(tried(SANDBOX_ON, try_exec), -SIGSYS);
}

static void executable_memory(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_OFF, try_executable_memory), 0);
	assert_int_equal(tried(SANDBOX_ON, try_executable_memory), ENOSYS);
	assert_int_equal(tried(SANDBOX_OFF, try_made_executable), 0);
	assert_int_equal(tried(SANDBOX_ON, try_made_executable), ENOSYS);
}

static void other_processes(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_OFF, try_kill_parent), 0);
	assert_int_equal(tried(SANDBOX_ON, try_kill_parent), ENOSYS);
}

static void privileges(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_OFF, try_capabilities), geteuid() ? 0 : EPERM);
	assert_int_equal(tried(SANDBOX_ON, try_capabilities), 0);
}

static void only_told(void **state)
{
	(void)state;
	assert_int_equal(tried(SANDBOX_LOG, try_read_elsewhere), 0);
	assert_int_equal(tried(SANDBOX_LOG, try_tcp), 0);
	assert_int_equal(tried(SANDBOX_LOG, try_exec), 0);
}

static int make_store(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	store = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return store < 0 ? -1 : 0;
}

static int remove_store(void **state)
{
	(void)state;
	close(store);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_serving_takes),
		cmocka_unit_test(other_files),
		cmocka_unit_test(network),
		cmocka_unit_test(programs),
		cmocka_unit_test(executable_memory),
		cmocka_unit_test(other_processes),
		cmocka_unit_test(privileges),
		cmocka_unit_test(only_told),
	};

	return cmocka_run_group_tests_name("sandbox", tests, make_store, remove_store);
}
