/* SPDX-License-Identifier: MIT */
/*
 * What kmod/store.c needs of the kernel, over the disk of disk.h: the headers in linux/ are all
 * this one. A struct file is a file of disk_now or its directory; there is one user, root, and one
 * thread, in which work is done at once.
 */
#ifndef LUNA_TEST_KERNEL_H
#define LUNA_TEST_KERNEL_H

#include <sys/types.h>

#include "port.h"

/* As kmod/compat.h has it for kernels of today. */
#define luna_lock_core(lock) (&(lock)->c)
#define luna_lock_member(member) flc_##member

#define pr_err_ratelimited	pr_err
#define OFFSET_MAX		INT64_MAX
#define SZ_256M			(256u << 20)
#define SZ_1G			(1u << 30)

typedef unsigned short umode_t;

enum {
	O_RDONLY = 00, O_RDWR = 02, O_CREAT = 0100, O_LARGEFILE = 0100000, O_DIRECTORY = 0200000,
	O_NOFOLLOW = 0400000, O_CLOEXEC = 02000000,
};

#ifndef S_ISREG
#define S_ISREG(mode)	(((mode) & 0170000) == 0100000)
#endif

typedef struct {
	u32 val;
} kuid_t;
#define GLOBAL_ROOT_UID	((kuid_t){ 0 })

static inline bool uid_eq(kuid_t a, kuid_t b)
{
	return a.val == b.val;
}

struct inode {
	u32 i_mode;
	kuid_t i_uid;
	int file;
};

struct path {
	struct inode *inode;
};

struct file {
	struct inode inode;
	struct path f_path;
};

static inline struct inode *file_inode(struct file *file)
{
	return &file->inode;
}

u64 i_size_read(const struct inode *inode);
ssize_t kernel_write(struct file *file, const void *buf, size_t len, loff_t *pos);
ssize_t kernel_read(struct file *file, void *buf, size_t len, loff_t *pos);
int vfs_truncate(const struct path *path, loff_t size);
int vfs_fallocate(struct file *file, int mode, loff_t at, loff_t len);
#define FALLOC_FL_KEEP_SIZE 1
int vfs_fsync(struct file *file, int datasync);
int vfs_fadvise(struct file *file, loff_t at, loff_t len, int advice);
#define POSIX_FADV_DONTNEED 4
struct file *filp_open(const char *name, int flags, umode_t mode);
struct file *file_open_root(const struct path *root, const char *name, int flags, umode_t mode);
int filp_close(struct file *file, void *id);
struct file *shmem_file_setup(const char *name, loff_t size, unsigned long flags);
#define luna_vm_noreserve 0
static inline void flush_delayed_fput(void) { }

/* The lock that keeps two hosts apart is no concern here. */
struct file_lock_core {
	int flc_type, flc_flags, flc_pid;
	struct file *flc_file;
	void *flc_owner;
};

struct file_lock {
	struct file_lock_core c;
	loff_t fl_end;
};

#define FL_FLOCK	2
#define F_WRLCK		1
#define task_tgid_nr(task) 1

static inline struct file_lock *locks_alloc_lock(void)
{
	return kzalloc(sizeof(struct file_lock), GFP_KERNEL);
}

static inline int locks_lock_file_wait(struct file *file, struct file_lock *lock)
{
	return file && lock->fl_end ? 0 : -EINVAL;
}

static inline void locks_free_lock(struct file_lock *lock)
{
	kfree(lock);
}

struct work_struct {
	void (*fn)(struct work_struct *work);
};

struct workqueue_struct {
	u32 flags;
};

#define WQ_UNBOUND 1
#define INIT_WORK_ONSTACK(work, func) ((work)->fn = (func))
#define destroy_work_on_stack(work) ((void)(work))
#define flush_work(work) ((void)(work))
#define alloc_workqueue(name, wq_flags, active) test_workqueue()
#define destroy_workqueue(wq) kfree(wq)

static inline struct workqueue_struct *test_workqueue(void)
{
	return kzalloc(sizeof(struct workqueue_struct), GFP_KERNEL);
}

static inline void queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	if (wq)
		work->fn(work);
}

#endif /* LUNA_TEST_KERNEL_H */
