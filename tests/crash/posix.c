// SPDX-License-Identifier: MIT
/*
 * The daemon's store on the disk of disk.h: fuse/store_file.c as it is, with its system calls
 * wrapped (--wrap in meson.build; those with a file offset have 64 in their name). Descriptors from
 * FIRST_FD on are files of disk_now, DIR_FD is its directory; all others are the real ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk.h"
#include "places.h"
#include "store_dir.h"
#include "store_file.h"

enum { DIR_FD = 99999, FIRST_FD = 100000 };

static bool ours(int fd)
{
	return fd >= FIRST_FD;
}

/* As the C library has it: -1 and errno. */
static ssize_t answer(ssize_t ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

int __real_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...);
int __wrap_openat64(int dir, const char *name, int flags, ...)
{
	va_list args;
	mode_t mode;
	int file;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (dir != DIR_FD)
		return __real_openat64(dir, name, flags, mode);
	file = disk_open(disk_now, name, flags & O_CREAT, flags & O_EXCL);
	if (file >= 0 && flags & O_TRUNC && disk_size(disk_now, file))
		disk_cut(disk_now, file, 0);
	return answer(file < 0 ? file : file + FIRST_FD);
}

ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t at)
{
	if (!ours(fd))
		return __real_pwrite64(fd, buf, len, at);
	return answer(disk_write(disk_now, fd - FIRST_FD, buf, len, at));
}

ssize_t __real_pread64(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t at);
ssize_t __wrap_pread64(int fd, void *buf, size_t len, off_t at)
{
	if (!ours(fd))
		return __real_pread64(fd, buf, len, at);
	return answer(disk_read(disk_now, fd - FIRST_FD, buf, len, at));
}

int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size)
{
	if (!ours(fd))
		return __real_ftruncate64(fd, size);
	return answer(disk_cut(disk_now, fd - FIRST_FD, size));
}

int __real_fallocate64(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t len);
int __wrap_fallocate64(int fd, int mode, off_t at, off_t len)
{
	if (!ours(fd))
		return __real_fallocate64(fd, mode, at, len);
	return answer(disk_keep(disk_now, fd - FIRST_FD, at + len));
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	return ours(fd) ? answer(disk_flush(disk_now, fd - FIRST_FD)) : __real_fdatasync(fd);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	if (fd == DIR_FD)
		return answer(disk_flush_dir(disk_now));
	return ours(fd) ? answer(disk_flush(disk_now, fd - FIRST_FD)) : __real_fsync(fd);
}

int __real_renameat(int dir, const char *from, int dir2, const char *to);
int __wrap_renameat(int dir, const char *from, int dir2, const char *to);
int __wrap_renameat(int dir, const char *from, int dir2, const char *to)
{
	if (dir != DIR_FD || dir2 != DIR_FD)
		return __real_renameat(dir, from, dir2, to);
	return answer(disk_rename(disk_now, from, to));
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags)
{
	if (dir != DIR_FD)
		return __real_unlinkat(dir, name, flags);
	return answer(disk_unlink(disk_now, name));
}

static void fill_stat(int file, struct stat *st)
{
	*st = (struct stat){
		.st_mode = S_IFREG | 0600,
		.st_uid = geteuid(),
		.st_size = disk_size(disk_now, file),
	};
}

int __real_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st);
int __wrap_fstat64(int fd, struct stat *st)
{
	if (!ours(fd))
		return __real_fstat64(fd, st);
	fill_stat(fd - FIRST_FD, st);
	return 0;
}

int __real_fstatat64(int dir, const char *name, struct stat *st, int flags);
int __wrap_fstatat64(int dir, const char *name, struct stat *st, int flags);
int __wrap_fstatat64(int dir, const char *name, struct stat *st, int flags)
{
	int file;

	if (dir != DIR_FD)
		return __real_fstatat64(dir, name, st, flags);
	file = disk_open(disk_now, name, false, false);
	if (file >= 0)
		fill_stat(file, st);
	return answer(min(file, 0));
}

int __real_posix_fadvise64(int fd, off_t at, off_t len, int advice);
int __wrap_posix_fadvise64(int fd, off_t at, off_t len, int advice);
int __wrap_posix_fadvise64(int fd, off_t at, off_t len, int advice)
{
	if (!ours(fd))
		return __real_posix_fadvise64(fd, at, len, advice);
	if (advice == POSIX_FADV_DONTNEED)
		disk_forget(disk_now, fd - FIRST_FD);
	return 0;
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
	return ours(fd) ? 0 : __real_close(fd);
}

static const struct store_dir directory = { .path = (char *)"/store", .fd = DIR_FD, .lock = -1 };

static void *daemon_open(const struct luna_store_ops **ops)
{
	*ops = &store_file_ops;
	return store_file_open(&directory, 0);
}

static void daemon_close(void *store)
{
	store_file_close(store);
}

const struct place daemon_place = { "luna-fuse", daemon_open, daemon_close };
