// SPDX-License-Identifier: MIT
/*
 * One token's log in one file. New content replaces old by rename(2), so that whoever opens it
 * after a crash finds the one or the other, whole.
 *
 * After a failed flush the kernel may have dropped what was written and will not say so again. The
 * file is then @unsure: nothing more is written or flushed until a replacement has made it whole.
 * Its pages in memory may still show what the disk has not. So a file that is opened is flushed and
 * its pages are forgotten, before anything that they say is believed.
 *
 * A file that cannot be opened is @broken: it fails every call, so that its token is out of use and
 * the others are not.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "store_dir.h"
#include "store_file.h"

enum { FILE_NAME_MAX = 32, NO_FILE = -1 };

/**
 * struct store_file - an open log
 * @size: bytes of it; the engine serialises the calls that change it
 * @broken: why it cannot be opened, or 0
 * @next: the replacement being written, or NO_FILE
 * @fd_lock: sync() runs beside replace_commit(), which changes @fd
 */
struct store_file {
	const struct store_dir *dir;
	char name[FILE_NAME_MAX];
	char next_name[FILE_NAME_MAX];
	int fd;
	int broken;
	int next;
	u64 size;
	u64 next_size;
	bool unsure;
	struct rw_semaphore fd_lock;
};

static bool is_full(int err)
{
	return err == -ENOSPC || err == -EDQUOT || err == -EFBIG;
}

/* The engine knows a full disk and a broken one. */
static int failed(const struct store_file *file, const char *what, int err)
{
	report(REPORT_ERROR, "cannot %s %s/%s: %s", what, file->dir->path, file->name, strerror(-err));
	return is_full(err) ? -ENOSPC : -EIO;
}

/*
 * Space for the bytes from @at to @end of a file, beyond its size. What a refused call may have got
 * all the same stays, for the next. A limit on file sizes is not for space, but for what is written
 * there later.
 */
static int keep_space(const struct store_file *file, int fd, u64 at, u64 end)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_FSIZE, &limit) && end > limit.rlim_cur)
		return -ENOSPC;
	while (end > at && fallocate(fd, FALLOC_FL_KEEP_SIZE, at, end - at)) {
		if (errno == EINTR)
			continue;
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return -EOPNOTSUPP;
		return is_full(-errno) ? -ENOSPC : failed(file, "keep space for", -errno);
	}
	return 0;
}

/* All of it or an error */
static int write_at(int fd, const u8 *buf, size_t len, u64 offset)
{
	while (len) {
		ssize_t written = pwrite(fd, buf, len, offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -ENOSPC;
		buf += written;
		len -= written;
		offset += written;
	}
	return 0;
}

static int file_size(void *store, u64 *size)
{
	struct store_file *file = store;

	*size = file->size;
	return file->broken;
}

static int file_read(void *store, u64 offset, void *buf, size_t len)
{
	struct store_file *file = store;
	u8 *to = buf;

	while (len) {
		ssize_t got = pread(file->fd, to, len, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return failed(file, "read", got ? -errno : -ENODATA);
		to += got;
		len -= got;
		offset += got;
	}
	return 0;
}

static bool longer_than(const struct store_file *file, u64 size)
{
	struct stat st;

	return fstat(file->fd, &st) || (u64)st.st_size > size;
}

static int file_truncate(void *store, u64 size)
{
	struct store_file *file = store;

	if (ftruncate(file->fd, size))
		return failed(file, "shorten", -errno);
	file->size = size;
	return 0;
}

static int file_append(void *store, const void *buf, size_t len)
{
	struct store_file *file = store;
	int err;

	if (READ_ONCE(file->unsure))
		return -EIO;
	err = write_at(file->fd, buf, len, file->size);
	if (!err) {
		file->size += len;
		return 0;
	}
	err = failed(file, "write to", err);
	if (longer_than(file, file->size))
		file_truncate(file, file->size);
	return err;
}

/* Cut at its end, a file loses the space behind it. */
static int file_reserve(void *store, u64 end)
{
	struct store_file *file = store;

	return end ? keep_space(file, file->fd, file->size, end) : file_truncate(file, file->size);
}

static int file_sync(void *store)
{
	struct store_file *file = store;
	int err = 0;

	down_read(&file->fd_lock);
	if (READ_ONCE(file->unsure)) {
		err = -EIO;
	} else if (fdatasync(file->fd)) {
		err = failed(file, "flush", -errno);
		WRITE_ONCE(file->unsure, true);
	}
	up_read(&file->fd_lock);
	return err;
}

static void file_replace_abort(void *store)
{
	struct store_file *file = store;

	if (file->next == NO_FILE)
		return;
	close(file->next);
	file->next = NO_FILE;
	unlinkat(file->dir->fd, file->next_name, 0);
}

static int open_at(const struct store_file *file, const char *name, int flags)
{
	int fd = openat(file->dir->fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	return fd < 0 ? -errno : fd;
}

static int file_replace_begin(void *store, u64 size)
{
	struct store_file *file = store;
	int fd, err;

	file_replace_abort(file);
	fd = open_at(file, file->next_name, O_CREAT | O_TRUNC);
	if (fd < 0)
		return failed(file, "make a successor of", fd);
	file->next = fd;
	file->next_size = 0;
	err = keep_space(file, fd, 0, size);
	if (!err || err == -EOPNOTSUPP)
		return 0;
	file_replace_abort(file);
	return err;
}

static int file_replace_append(void *store, const void *buf, size_t len)
{
	struct store_file *file = store;
	int err = write_at(file->next, buf, len, file->next_size);

	if (err)
		return failed(file, "write a successor of", err);
	file->next_size += len;
	return 0;
}

static int file_replace_sync(void *store)
{
	struct store_file *file = store;

	return fdatasync(file->next) ? failed(file, "flush a successor of", -errno) : 0;
}

/* The successor has the name; from here on the old file is out of reach. */
static void adopt_next(struct store_file *file)
{
	down_write(&file->fd_lock);
	close(file->fd);
	file->fd = file->next;
	file->next = NO_FILE;
	file->size = file->next_size;
	WRITE_ONCE(file->unsure, false);
	up_write(&file->fd_lock);
}

static int file_replace_commit(void *store)
{
	struct store_file *file = store;
	int dir = file->dir->fd;

	if (fsync(file->next) || renameat(dir, file->next_name, dir, file->name)) {
		int err = failed(file, "replace", -errno);

		file_replace_abort(file);
		return err;
	}
	adopt_next(file);
	if (!fsync(dir))
		return 0;
	WRITE_ONCE(file->unsure, true);
	return failed(file, "replace", -errno);
}

const struct luna_store_ops store_file_ops = {
	.size		= file_size,
	.read		= file_read,
	.append		= file_append,
	.truncate	= file_truncate,
	.sync		= file_sync,
	.reserve	= file_reserve,
	.replace_begin	= file_replace_begin,
	.replace_append	= file_replace_append,
	.replace_sync	= file_replace_sync,
	.replace_commit	= file_replace_commit,
	.replace_abort	= file_replace_abort,
	.persistent	= true,
};

/* Reads that follow come from the disk, as far as the kernel can be told so. */
static int forget_pages(struct store_file *file)
{
	if (fdatasync(file->fd))
		return -errno;
	return -posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED);
}

static int check_file(struct store_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		return -EACCES;
	if ((st.st_mode & 077) && fchmod(file->fd, 0600))
		return -errno;
	file->size = st.st_size;
	return forget_pages(file);
}

/* A new file's name is flushed, so that its first record need flush only data. */
static int open_log(struct store_file *file)
{
	file->fd = open_at(file, file->name, 0);
	if (file->fd == -ENOENT) {
		file->fd = open_at(file, file->name, O_CREAT | O_EXCL);
		if (file->fd >= 0 && fsync(file->dir->fd))
			return -errno;
	}
	return file->fd < 0 ? file->fd : check_file(file);
}

/*
 * The module replaces a log by way of a second file, which holds something only if a crash came in
 * between (kmod/store.h). Only the module knows which of the two counts.
 */
static int check_module_left_nothing(const struct store_dir *dir, u32 slot)
{
	char name[32];
	struct stat st;

	snprintf(name, sizeof(name), "token%u.luna.alt", slot);
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) || !st.st_size)
		return 0;
	report(REPORT_ERROR,
	       "%s/%s: luna.ko was interrupted while it replaced this token; load it once with this store, so that it can finish",
	       dir->path, name);
	return -EBUSY;
}

static void open_all(struct store_file *file, u32 slot)
{
	file->fd = NO_FILE;
	file->broken = check_module_left_nothing(file->dir, slot);
	if (file->broken)
		return;
	unlinkat(file->dir->fd, file->next_name, 0);
	file->broken = open_log(file);
	if (file->broken)
		failed(file, "open", file->broken);
}

struct store_file *store_file_open(const struct store_dir *dir, u32 slot)
{
	struct store_file *file = kzalloc(sizeof(*file), GFP_KERNEL);

	if (!file)
		return ERR_PTR(-ENOMEM);
	file->dir = dir;
	file->next = NO_FILE;
	init_rwsem(&file->fd_lock);
	snprintf(file->name, sizeof(file->name), "token%u.luna", slot);
	snprintf(file->next_name, sizeof(file->next_name), "token%u.luna.new", slot);
	open_all(file, slot);
	return file;
}

void store_file_close(struct store_file *file)
{
	file_replace_abort(file);
	if (file->fd >= 0)
		close(file->fd);
	kfree(file);
}
