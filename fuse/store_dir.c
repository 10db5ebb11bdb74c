// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "path.h"
#include "port.h"
#include "report.h"
#include "store_dir.h"

static const char lock_name[] = "lock";

static int refuse(const char *path, int err)
{
	report(REPORT_ERROR, "cannot use the store %s: %s", path, strerror(-err));
	return err;
}

static int check_directory(const struct store_dir *dir)
{
	struct stat st;

	if (fstat(dir->fd, &st))
		return refuse(dir->path, -errno);
	if (st.st_uid != geteuid()) {
		report(REPORT_ERROR, "the store %s belongs to user %u, not to you; choose another with --store",
		       dir->path, st.st_uid);
		return -EACCES;
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		report(REPORT_ERROR, "others may write to the store %s; say: chmod 700 %s", dir->path,
		       dir->path);
		return -EACCES;
	}
	return 0;
}

/* The holder wrote its process number into the lock. */
static int report_holder(const struct store_dir *dir)
{
	char text[16] = "";
	long pid;

	if (pread(dir->lock, text, sizeof(text) - 1, 0) < 0)
		text[0] = '\0';
	pid = strtol(text, NULL, 10);
	if (pid > 0)
		report(REPORT_ERROR,
		       "the store %s is in use by another luna-fuse, process %ld; end it with \"kill %ld\" or choose another store with --store",
		       dir->path, pid, pid);
	else
		report(REPORT_ERROR, "the store %s is in use by another luna-fuse; choose another with --store",
		       dir->path);
	return -EBUSY;
}

static int lock_directory(struct store_dir *dir)
{
	dir->lock = openat(dir->fd, lock_name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (dir->lock < 0)
		return refuse(dir->path, -errno);
	if (flock(dir->lock, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? report_holder(dir) : refuse(dir->path, -errno);
	if (ftruncate(dir->lock, 0) || dprintf(dir->lock, "%d\n", getpid()) < 0)
		return refuse(dir->path, -errno);
	return 0;
}

static int open_directory(struct store_dir *dir)
{
	int err = path_make_directory(dir->path);

	if (err)
		return refuse(dir->path, err);
	dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir->fd < 0)
		return refuse(dir->path, -errno);
	err = check_directory(dir);
	return err ? err : lock_directory(dir);
}

struct store_dir *store_dir_open(const char *path)
{
	struct store_dir *dir = calloc(1, sizeof(*dir));
	int err;

	if (!dir)
		return ERR_PTR(-ENOMEM);
	dir->fd = -1;
	dir->lock = -1;
	dir->path = strdup(path);
	err = dir->path ? open_directory(dir) : -ENOMEM;
	if (!err)
		return dir;
	store_dir_close(dir);
	return ERR_PTR(err);
}

void store_dir_close(struct store_dir *dir)
{
	if (dir->lock >= 0)
		close(dir->lock);
	if (dir->fd >= 0)
		close(dir->fd);
	free(dir->path);
	free(dir);
}
