// SPDX-License-Identifier: MIT
/* The module's store on the disk of disk.h: kmod/store.c as it is, over kernel/kernel.h. */
#include "disk.h"
#include "kernel/kernel.h"
#include "places.h"

#include "../../kmod/store.h"

enum { DIRECTORY = -1 };

static struct file *file_new(int id)
{
	struct file *file;

	if (id < DIRECTORY)
		return ERR_PTR(id);
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return ERR_PTR(-ENOMEM);
	file->inode.i_mode = id == DIRECTORY ? 040700 : 0100600;
	file->inode.file = id;
	file->f_path.inode = &file->inode;
	return file;
}

u64 i_size_read(const struct inode *inode)
{
	return disk_size(disk_now, inode->file);
}

ssize_t kernel_write(struct file *file, const void *buf, size_t len, loff_t *pos)
{
	ssize_t n = disk_write(disk_now, file->inode.file, buf, len, *pos);

	if (n > 0)
		*pos += n;
	return n;
}

ssize_t kernel_read(struct file *file, void *buf, size_t len, loff_t *pos)
{
	ssize_t n = disk_read(disk_now, file->inode.file, buf, len, *pos);

	if (n > 0)
		*pos += n;
	return n;
}

int vfs_truncate(const struct path *path, loff_t size)
{
	return disk_cut(disk_now, path->inode->file, size);
}

int vfs_fallocate(struct file *file, int mode, loff_t at, loff_t len)
{
	return disk_keep(disk_now, file->inode.file, at + len);
}

int vfs_fsync(struct file *file, int datasync)
{
	if (file->inode.file == DIRECTORY)
		return disk_flush_dir(disk_now);
	return disk_flush(disk_now, file->inode.file);
}

int vfs_fadvise(struct file *file, loff_t at, loff_t len, int advice)
{
	if (advice == POSIX_FADV_DONTNEED)
		disk_forget(disk_now, file->inode.file);
	return 0;
}

struct file *filp_open(const char *name, int flags, umode_t mode)
{
	return file_new(DIRECTORY);
}

struct file *file_open_root(const struct path *root, const char *name, int flags, umode_t mode)
{
	int file = disk_open(disk_now, name, flags & O_CREAT, false);

	/* -1 is not only EPERM here, but disk_open() has no use for it. */
	return file_new(file);
}

int filp_close(struct file *file, void *id)
{
	kfree(file);
	return 0;
}

struct file *shmem_file_setup(const char *name, loff_t size, unsigned long flags)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static void *module_open(const struct luna_store_ops **ops)
{
	struct luna_store *store;
	int err = luna_store_init("/store");

	if (err)
		return ERR_PTR(err);
	*ops = luna_store_ops();
	store = luna_store_open(0);
	if (IS_ERR(store))
		luna_store_exit();
	return store;
}

static void module_close(void *store)
{
	luna_store_close(store);
	luna_store_exit();
}

const struct place module_place = { "luna.ko", module_open, module_close };
