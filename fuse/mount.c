// SPDX-License-Identifier: MIT
/*
 * The mount point: what may be mounted on, and what to say when it may not.
 */
#define FUSE_USE_VERSION 314

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <grp.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mount.h"
#include "path.h"
#include "port.h"
#include "report.h"

extern char **environ;

static const char device[] = "/dev/fuse";
static const char our_type[] = "fuse.luna";

enum { HELPER_SOCKET = STDERR_FILENO + 1 };

static pid_t helper_pid;	/* 0: there is none */
static int helper_socket;

static int refuse(const char *dir, int err)
{
	report(REPORT_ERROR, "cannot mount on %s: %s", dir, strerror(-err));
	return err;
}

/* The path that mount tables have: without symbolic links; the last part may be a dead mount. */
static char *table_path(const char *dir)
{
	const char *name = strrchr(dir, '/') + 1;
	char *whole = realpath(dir, NULL), *parent, *real, *path;

	if (whole)
		return whole;
	parent = strndup(dir, name - dir);
	real = parent ? realpath(parent, NULL) : NULL;
	path = real ? path_under(strcmp(real, "/") ? real : "", name) : NULL;
	free(real);
	free(parent);
	return path;
}

/* Whether a luna-fuse, dead or alive, is mounted there */
static bool ours_is_mounted(const char *dir)
{
	char *path = table_path(dir);
	FILE *table = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	bool found = false;

	while (path && table && (entry = getmntent(table)))
		if (!strcmp(entry->mnt_dir, path))
			found = !strcmp(entry->mnt_type, our_type);
	if (table)
		endmntent(table);
	free(path);
	return found;
}

/* Users other than root need the help of a set-user-id program. */
static int unmount_with_helper(const char *dir)
{
	char *const args[] = { "fusermount3", "-u", "-z", "-q", "--", (char *)dir, NULL };
	pid_t pid;
	int status;
	int err = posix_spawnp(&pid, args[0], NULL, NULL, args, environ);

	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return status ? -EPERM : 0;
}

static int unmount(const char *dir)
{
	int err = umount2(dir, MNT_DETACH | UMOUNT_NOFOLLOW) ? -errno : 0;

	return err == -EPERM ? unmount_with_helper(dir) : err;
}

static int recover(const char *dir)
{
	int err;

	if (!ours_is_mounted(dir)) {
		report(REPORT_ERROR,
		       "%s has the dead mount of some other program; end it with \"fusermount3 -u %s\" or choose another directory with --dir",
		       dir, dir);
		return -ENOTCONN;
	}
	err = unmount(dir);
	if (err)
		report(REPORT_ERROR,
		       "cannot remove the mount that a dead luna-fuse left on %s: %s; try \"fusermount3 -u %s\"",
		       dir, strerror(-err), dir);
	else
		report(REPORT_INFO, "removed the mount that a dead luna-fuse left on %s", dir);
	return err;
}

static bool is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	bool empty = !!d;

	while (empty && (entry = readdir(d)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	if (d)
		closedir(d);
	return empty;
}

static int check_directory(const char *dir)
{
	struct stat st;

	if (stat(dir, &st))
		return refuse(dir, -errno);
	if (!S_ISDIR(st.st_mode))
		return refuse(dir, -ENOTDIR);
	if (ours_is_mounted(dir)) {
		report(REPORT_ERROR,
		       "another luna-fuse is mounted on %s; end it with \"fusermount3 -u %s\" or choose another directory with --dir",
		       dir, dir);
		return -EBUSY;
	}
	if (st.st_uid != geteuid()) {
		report(REPORT_ERROR, "%s belongs to user %u, not to you; choose another directory with --dir",
		       dir, st.st_uid);
		return -EACCES;
	}
	if (!is_empty(dir)) {
		report(REPORT_ERROR, "%s is not empty; choose another directory with --dir", dir);
		return -ENOTEMPTY;
	}
	return 0;
}

static const char *group_of(const struct stat *st)
{
	const struct group *group = getgrgid(st->st_gid);

	return group ? group->gr_name : "?";
}

/* Say what an administrator can do about it. */
static int report_device(int err)
{
	struct stat st;

	if (err == -ENOENT || err == -ENODEV || err == -ENXIO)
		report(REPORT_ERROR,
		       "this system has no FUSE: %s is missing; load it with \"modprobe fuse\", in a container pass --device %s",
		       device, device);
	else if (err == -EACCES && !stat(device, &st) && (st.st_mode & 060) == 060)
		report(REPORT_ERROR,
		       "you may not open %s; it is for the group %s: \"adduser USER %s\", then log in again",
		       device, group_of(&st), group_of(&st));
	else if (err == -EACCES)
		report(REPORT_ERROR,
		       "you may not open %s; package fuse3 makes it accessible to all, by hand it is \"chmod 666 %s\" as root",
		       device, device);
	else
		report(REPORT_ERROR, "cannot open %s: %s (in a container pass --device %s)", device,
		       strerror(-err), device);
	return err;
}

static int check_device(void)
{
	int fd = open(device, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return report_device(-errno);
	close(fd);
	return 0;
}

int mount_prepare(const char *dir)
{
	struct statvfs st;
	int err = check_device();

	if (err)
		return err;
	/* Unlike stat(), whose answer may be cached, this asks the daemon. */
	err = statvfs(dir, &st) ? -errno : 0;
	if (err == -ENOTCONN) {
		err = recover(dir);
		return err ? err : check_directory(dir);
	}
	if (err == -ENOENT)
		err = path_make_directory(dir);
	return err ? refuse(dir, err) : check_directory(dir);
}

static bool helper_is_missing(void)
{
	return geteuid() && access("/usr/bin/fusermount3", X_OK) && access("/bin/fusermount3", X_OK);
}

int mount_session(struct fuse_session *session, const char *dir)
{
	if (!fuse_session_mount(session, dir))
		return 0;
	report(REPORT_ERROR, "cannot mount on %s%s", dir,
	       helper_is_missing() ? ": fusermount3 is missing, install the package fuse3" : "");
	return -EIO;
}

/* Nothing of the daemon's stays open here: neither its lock nor its /dev/fuse, which would live on. */
static int helper_files(int socket)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || dup2(socket, HELPER_SOCKET) < 0)
		return -errno;
	return close_range(HELPER_SOCKET + 1, ~0u, 0) ? -errno : 0;
}

/* Signals for the whole group are for the daemon, which then asks. */
static void helper_signals(void)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGPIPE };

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

static _Noreturn void helper_run(int socket, const char *dir)
{
	char asked;

	helper_signals();
	prctl(PR_SET_NAME, "luna-unmount");
	if (!helper_files(socket) && read(HELPER_SOCKET, &asked, 1) == 1)
		_exit(unmount(dir) ? EXIT_FAILURE : EXIT_SUCCESS);
	_exit(EXIT_SUCCESS);
}

int mount_helper_start(const char *dir)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) || (helper_pid = fork()) < 0) {
		report(REPORT_ERROR, "cannot start the process that unmounts: %s", strerror(errno));
		return -errno;
	}
	if (!helper_pid)
		helper_run(ends[1], dir);
	close(ends[1]);
	helper_socket = ends[0];
	return 0;
}

static bool is_unmounted(struct fuse_session *session)
{
	struct pollfd connection = { .fd = fuse_session_fd(session) };

	return poll(&connection, 1, 0) == 1 && (connection.revents & POLLERR);
}

static void helper_unmount(void)
{
	int status = 0;

	if (send(helper_socket, "", 1, MSG_NOSIGNAL) == 1)
		while (waitpid(helper_pid, &status, 0) < 0 && errno == EINTR)
			;
	if (status)
		report(REPORT_WARNING, "could not unmount; \"fusermount3 -u\" does");
}

void mount_end(struct fuse_session *session)
{
	if (helper_pid <= 0)
		fuse_session_unmount(session);
	else if (!is_unmounted(session))
		helper_unmount();
}
