// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemonize.h"
#include "report.h"

enum { NOBODY = -1 };

static int parent = NOBODY;

void daemonize_standard_files(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

static int wait_for_child(int child)
{
	char ready;
	ssize_t got;

	do {
		got = read(child, &ready, 1);
	} while (got < 0 && errno == EINTR);
	close(child);
	return got == 1 ? 1 : -ECHILD;
}

int daemonize_fork(void)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) || (pid = fork()) < 0) {
		report(REPORT_ERROR, "cannot start a daemon: %s", strerror(errno));
		return -errno;
	}
	if (pid) {
		close(ends[1]);
		return wait_for_child(ends[0]);
	}
	close(ends[0]);
	parent = ends[1];
	setsid();
	if (chdir("/"))
		report(REPORT_WARNING, "cannot leave the current directory: %s", strerror(errno));
	return 0;
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (null > STDERR_FILENO)
		close(null);
}

/* The protocol of sd_notify(3), which is one datagram. */
static void notify_manager(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	static const char ready[] = "READY=1";
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (!len || len >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, ready, strlen(ready), MSG_NOSIGNAL, (struct sockaddr *)&address,
			     offsetof(struct sockaddr_un, sun_path) + len) < 0)
		report(REPORT_WARNING, "cannot tell %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void daemonize_ready(void)
{
	notify_manager();
	if (parent == NOBODY)
		return;
	report_to_syslog();
	leave_terminal();
	if (write(parent, "", 1) != 1)
		report(REPORT_WARNING, "whoever started this daemon has gone");
	close(parent);
	parent = NOBODY;
}
