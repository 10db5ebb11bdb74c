// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * All file operations run in a kernel thread. There they have init's root and credentials and not
 * those of who calls the ioctl; no limit on file sizes applies, and no signal leaves a flush half
 * done. store.h says how the two files of a slot stand to each other.
 */
#include <linux/completion.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/shmem_fs.h>
#include <linux/uidgid.h>
#include <linux/workqueue.h>

#include "log_file.h"
#include "store.h"

enum {
	STORE_MAX = SZ_1G,	/* bytes of one token's log */
	VOLATILE_MAX = SZ_256M,
	COPY_CHUNK = SZ_64K,
	NAME_LEN = 32,
	OPEN_FLAGS = O_RDWR | O_CREAT | O_NOFOLLOW | O_LARGEFILE | O_CLOEXEC,
};

/**
 * struct luna_store - the store of a slot
 * @main, @alt: the log, and the replacement being written
 * @size, @next_size: their bytes
 * @head: of the replacement, held back until all else of it is durable
 * @settled: .alt is no more than a replacement being written; else it may be all there is
 * @broken: its files cannot be opened: every call fails, so that its token is out of use and the
 *	others are not
 */
struct luna_store {
	u32 slot;
	struct file *main;
	struct file *alt;
	u64 size;
	u64 next_size;
	u8 head[LUNA_LOG_HEAD];
	bool settled;
	bool broken;
};

static struct workqueue_struct *workers;
static struct file *directory;
static struct file *directory_lock;
static const char *directory_name;

/* ---- in a kernel thread ---- */

/**
 * struct job - an operation on a store, carried by a kernel thread
 * @fn: what to do; the members below are its arguments
 */
struct job {
	struct work_struct work;
	int (*fn)(struct job *job);
	int result;
	struct luna_store *store;
	u64 at;
	void *to;
	const void *from;
	size_t len;
};

static void job_work(struct work_struct *work)
{
	struct job *job = container_of(work, struct job, work);

	job->result = job->fn(job);
}

static int job_run(struct job *job)
{
	INIT_WORK_ONSTACK(&job->work, job_work);
	queue_work(workers, &job->work);
	flush_work(&job->work);
	destroy_work_on_stack(&job->work);
	return job->result;
}

/* ---- reading and writing one file ---- */

static int write_at(struct file *file, const u8 *buf, size_t len, u64 at)
{
	loff_t pos = at;

	while (len) {
		ssize_t n = kernel_write(file, buf, len, &pos);

		if (n == -EINTR || n == -EAGAIN)
			continue;
		if (n <= 0)
			return n ? n : -ENOSPC;
		buf += n;
		len -= n;
	}
	return 0;
}

static int read_at(struct file *file, u8 *buf, size_t len, u64 at)
{
	loff_t pos = at;

	while (len) {
		ssize_t n = kernel_read(file, buf, len, &pos);

		if (n == -EINTR || n == -EAGAIN)
			continue;
		if (n <= 0)
			return n ? n : -ENODATA;
		buf += n;
		len -= n;
	}
	return 0;
}

static u64 file_size(struct file *file)
{
	return i_size_read(file_inode(file));
}

static int cut(struct file *file, u64 size)
{
	return file_size(file) == size ? 0 : vfs_truncate(&file->f_path, size);
}

/* Gives back what is kept behind a file's end, too. */
static int cut_space(struct file *file, u64 size)
{
	return vfs_truncate(&file->f_path, size);
}

/*
 * Space for a file to grow to @end bytes. Memory is not kept: there the size that a log may have is
 * all that counts.
 */
static int keep_space(struct file *file, u64 end)
{
	u64 size = file_size(file);

	if (end > (directory ? STORE_MAX : VOLATILE_MAX))
		return -ENOSPC;
	if (!directory || end <= size)
		return 0;
	return vfs_fallocate(file, FALLOC_FL_KEEP_SIZE, size, end - size);
}

static bool is_full(int err)
{
	return err == -ENOSPC || err == -EDQUOT || err == -EFBIG;
}

static int failed(const struct luna_store *store, const char *what, int err)
{
	pr_err_ratelimited("slot %u: cannot %s the store: %d\n", store->slot, what, err);
	/* Not a damaged store: what failed may be tried again. */
	if (err == -ENOMEM)
		return err;
	return is_full(err) ? -ENOSPC : -EIO;
}

/* ---- replacement ---- */

/* The header comes last, when all else is durable: what a crash leaves has none, or is whole. */
static int put_head(struct file *file, const u8 *head)
{
	int err = write_at(file, head, LUNA_LOG_HEAD, 0);

	return err ? err : vfs_fsync(file, 0);
}

static int copy_body(struct file *to, struct file *from, u64 size, u8 *chunk)
{
	u64 at;
	int err = 0;

	for (at = LUNA_LOG_HEAD; at < size && !err; at += COPY_CHUNK) {
		size_t n = min_t(u64, COPY_CHUNK, size - at);

		err = read_at(from, chunk, n, at);
		if (!err)
			err = write_at(to, chunk, n, at);
		cond_resched();
	}
	return err;
}

/*
 * Nobody takes what is in tokenN.luna from here on for a log, until put_head(): the daemon, too,
 * finds it damaged and leaves it alone.
 */
static int void_head(struct file *file, u8 *chunk)
{
	int err;

	memset(chunk, 0, LUNA_LOG_HEAD);
	err = write_at(file, chunk, LUNA_LOG_HEAD, 0);
	return err ? err : vfs_fsync(file, 0);
}

/* The log that is in .alt, whole and durable, becomes tokenN.luna. */
static int carry_over(struct luna_store *store, const u8 *head, u64 size)
{
	u8 *chunk = kvmalloc(COPY_CHUNK, GFP_KERNEL);
	int err;

	if (!chunk)
		return -ENOMEM;
	err = void_head(store->main, chunk);
	/* Over what is there: blocks that were given back could be someone else's by now. */
	if (!err)
		err = copy_body(store->main, store->alt, size, chunk);
	if (!err)
		err = cut(store->main, size);
	if (!err)
		err = vfs_fsync(store->main, 0);
	if (!err)
		err = put_head(store->main, head);
	/* Before anything is appended to tokenN.luna: the daemon knows nothing of .alt. */
	if (!err)
		err = cut(store->alt, 0);
	if (!err)
		err = vfs_fsync(store->alt, 0);
	kvfree(chunk);
	if (!err) {
		store->size = size;
		store->settled = true;
	}
	return err;
}

static int job_commit(struct job *job)
{
	struct luna_store *store = job->store;
	int err = vfs_fsync(store->alt, 0);

	if (err)
		return err;
	store->settled = false;
	err = put_head(store->alt, store->head);
	return err ? err : carry_over(store, store->head, store->next_size);
}

static int job_replace_append(struct job *job)
{
	struct luna_store *store = job->store;
	const u8 *from = job->from;
	size_t len = job->len, head = 0;
	int err;

	if (len > STORE_MAX - store->next_size)
		return -EFBIG;
	if (store->next_size < LUNA_LOG_HEAD) {
		head = min_t(size_t, len, LUNA_LOG_HEAD - store->next_size);
		memcpy(store->head + store->next_size, from, head);
	}
	err = write_at(store->alt, from + head, len - head, store->next_size + head);
	if (!err)
		store->next_size += len;
	return err;
}

static int job_replace_sync(struct job *job)
{
	return vfs_fsync(job->store->alt, 1);
}

static int job_begin(struct job *job)
{
	struct luna_store *store = job->store;
	int err;

	if (!store->settled)
		return -EIO;
	store->next_size = 0;
	err = cut(store->alt, 0);
	if (err)
		return err;
	/* In both files, so that a commit that has begun does not end for want of room. */
	err = keep_space(store->alt, job->at);
	if (!err)
		err = keep_space(store->main, job->at);
	if (!err || err == -EOPNOTSUPP)
		return 0;
	cut_space(store->alt, 0);
	return err;
}

/* A replacement that may count already is left for the next start. */
static int job_abort(struct job *job)
{
	return job->store->settled ? cut_space(job->store->alt, 0) : 0;
}

/* ---- the other operations ---- */

static int job_read(struct job *job)
{
	return read_at(job->store->main, job->to, job->len, job->at);
}

static int job_append(struct job *job)
{
	struct luna_store *store = job->store;
	u64 max = directory ? STORE_MAX : VOLATILE_MAX;
	int err;

	if (store->size > max || job->len > max - store->size)
		return -ENOSPC;
	err = write_at(store->main, job->from, job->len, store->size);
	if (err)
		cut(store->main, store->size);
	else
		store->size += job->len;
	return err;
}

static int job_truncate(struct job *job)
{
	int err = cut(job->store->main, job->at);

	if (!err)
		job->store->size = job->at;
	return err;
}

static int job_reserve(struct job *job)
{
	struct luna_store *store = job->store;

	return job->at ? keep_space(store->main, job->at) : cut_space(store->main, store->size);
}

static int job_sync(struct job *job)
{
	return vfs_fsync(job->store->main, 1);
}

static int store_size(void *store, u64 *size)
{
	*size = ((struct luna_store *)store)->size;
	return ((struct luna_store *)store)->broken ? -EIO : 0;
}

static int run(struct job *job, const char *what)
{
	int err;

	if (job->store->broken)
		return -EIO;
	err = job_run(job);
	return err ? failed(job->store, what, err) : 0;
}

/* The same where a lack of room is an answer, about which the engine says what there is to say. */
static int run_asking(struct job *job, const char *what)
{
	int err;

	if (job->store->broken)
		return -EIO;
	err = job_run(job);
	if (is_full(err))
		return -ENOSPC;
	return err && err != -EOPNOTSUPP ? failed(job->store, what, err) : err;
}

static int store_read(void *store, u64 offset, void *buf, size_t len)
{
	struct job job = { .fn = job_read, .store = store, .at = offset, .to = buf, .len = len };

	return run(&job, "read");
}

static int store_append(void *store, const void *buf, size_t len)
{
	struct job job = { .fn = job_append, .store = store, .from = buf, .len = len };

	return run(&job, "write to");
}

static int store_truncate(void *store, u64 size)
{
	struct job job = { .fn = job_truncate, .store = store, .at = size };

	return run(&job, "shorten");
}

static int store_sync(void *store)
{
	struct job job = { .fn = job_sync, .store = store };

	return run(&job, "flush");
}

static void store_replace_abort(void *store)
{
	struct job job = { .fn = job_abort, .store = store };

	if (!job.store->broken)
		job_run(&job);
}

static int store_reserve(void *store, u64 end)
{
	struct job job = { .fn = job_reserve, .store = store, .at = end };

	return run_asking(&job, "keep space for");
}

static int store_replace_begin(void *store, u64 size)
{
	struct job job = { .fn = job_begin, .store = store, .at = size };

	return run_asking(&job, "begin a successor of");
}

static int store_replace_append(void *store, const void *buf, size_t len)
{
	struct job job = { .fn = job_replace_append, .store = store, .from = buf, .len = len };

	return run(&job, "write a successor of");
}

static int store_replace_sync(void *store)
{
	struct job job = { .fn = job_replace_sync, .store = store };

	return run(&job, "flush a successor of");
}

/*
 * Once the header of .alt is being written, a failure leaves unknown which of the two logs a
 * restart finds: that is -EIO, after which the engine writes no more.
 */
static int store_replace_commit(void *store)
{
	struct job job = { .fn = job_commit, .store = store };
	int err = run(&job, "replace");

	return err && !job.store->settled ? -EIO : err;
}

#define STORE_OPS(is_persistent) {				\
	.size		= store_size,				\
	.read		= store_read,				\
	.append		= store_append,				\
	.truncate	= store_truncate,			\
	.sync		= store_sync,				\
	.reserve	= store_reserve,			\
	.replace_begin	= store_replace_begin,			\
	.replace_append	= store_replace_append,			\
	.replace_sync	= store_replace_sync,			\
	.replace_commit	= store_replace_commit,			\
	.replace_abort	= store_replace_abort,			\
	.persistent	= is_persistent,			\
}

static const struct luna_store_ops file_ops = STORE_OPS(true);
static const struct luna_store_ops volatile_ops = STORE_OPS(false);

const struct luna_store_ops *luna_store_ops(void)
{
	return directory ? &file_ops : &volatile_ops;
}

/* ---- opening a slot's files ---- */

/* Is there a whole header? */
static bool get_head(struct file *file, u8 *bytes, u64 *sequence)
{
	static const u8 magic[8] = "LUNALOG\n";

	if (file_size(file) < LUNA_LOG_HEAD || read_at(file, bytes, LUNA_LOG_HEAD, 0))
		return false;
	*sequence = get_unaligned_le64(bytes + 24);
	return !memcmp(bytes, magic, sizeof(magic)) &&
	       luna_crc32_more(0, bytes, 44) == get_unaligned_le32(bytes + 44);
}

/* After a crash: which of the two files counts? */
static int settle(struct luna_store *store)
{
	u8 head[LUNA_LOG_HEAD], alt_head[LUNA_LOG_HEAD];
	u64 sequence, alt_sequence;
	bool take;

	store->size = file_size(store->main);
	store->settled = true;
	if (!file_size(store->alt))
		return 0;
	take = get_head(store->alt, alt_head, &alt_sequence);
	if (take && get_head(store->main, head, &sequence))
		take = sequence < alt_sequence;
	if (!take)
		return cut(store->alt, 0);
	pr_info("slot %u: going on with a replacement that was cut short\n", store->slot);
	store->settled = false;
	return carry_over(store, alt_head, file_size(store->alt));
}

static struct file *open_file(const char *name)
{
	struct file *file;
	int err;

	if (!directory)
		return shmem_file_setup(name, 0, luna_vm_noreserve);
	file = file_open_root(&directory->f_path, name, OPEN_FLAGS, 0600);
	if (IS_ERR(file)) {
		pr_err("cannot open %s/%s: %ld\n", directory_name, name, PTR_ERR(file));
		return file;
	}
	if (S_ISREG(file_inode(file)->i_mode) &&
	    uid_eq(file_inode(file)->i_uid, GLOBAL_ROOT_UID) &&
	    !(file_inode(file)->i_mode & 077))
		return file;
	pr_err("%s/%s: not a regular file of root's alone\n", directory_name, name);
	err = filp_close(file, NULL);
	return ERR_PTR(err ? err : -EACCES);
}

static void close_file(struct file *file)
{
	if (!IS_ERR_OR_NULL(file))
		filp_close(file, NULL);
}

/*
 * After a flush that failed, memory may show what the disk does not have. Before anything is
 * believed, what is in memory is flushed and dropped, as far as the kernel does that.
 */
static int forget_pages(struct file *file)
{
	int err = vfs_fsync(file, 0);

	return err ? err : vfs_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
}

static int open_files(struct luna_store *store)
{
	char name[NAME_LEN];
	int err;

	snprintf(name, sizeof(name), "token%u.luna", store->slot);
	store->main = open_file(name);
	if (IS_ERR(store->main))
		return PTR_ERR(store->main);
	snprintf(name, sizeof(name), "token%u.luna.alt", store->slot);
	store->alt = open_file(name);
	if (IS_ERR(store->alt))
		return PTR_ERR(store->alt);
	if (!directory)
		return 0;
	err = forget_pages(store->main);
	if (!err)
		err = forget_pages(store->alt);
	/* The names are durable before anything in the files is. */
	return err ? err : vfs_fsync(directory, 0);
}

static int job_open(struct job *job)
{
	int err = open_files(job->store);

	return err ? err : settle(job->store);
}

static int job_close(struct job *job)
{
	close_file(job->store->alt);
	close_file(job->store->main);
	return 0;
}

/* A lack of memory says nothing of the files: then there is no slot. */
static int put_out_of_use(struct luna_store *store, int err)
{
	if (!directory || err == -ENOMEM) {
		pr_err("slot %u: cannot open its store: %d\n", store->slot, err);
		return err;
	}
	pr_err("slot %u: cannot use %s/token%u.luna: %d. This slot is out of use: put a good file in its place, or move it away for an empty token, then write %u to /sys/class/luna/unplug and to plug\n",
	       store->slot, directory_name, store->slot, err, store->slot);
	store->broken = true;
	return 0;
}

struct luna_store *luna_store_open(u32 slot)
{
	struct luna_store *store = kzalloc(sizeof(*store), GFP_KERNEL);
	struct job job = { .fn = job_open, .store = store };
	int err;

	if (!store)
		return ERR_PTR(-ENOMEM);
	store->slot = slot;
	err = job_run(&job);
	if (err)
		err = put_out_of_use(store, err);
	if (!err)
		return store;
	luna_store_close(store);
	return ERR_PTR(err);
}

void luna_store_close(struct luna_store *store)
{
	struct job job = { .fn = job_close, .store = store };

	job_run(&job);
	kfree(store);
}

/* ---- the directory ---- */

static int check_directory(void)
{
	const struct inode *inode = file_inode(directory);

	if (!uid_eq(inode->i_uid, GLOBAL_ROOT_UID)) {
		pr_err("store=%s: does not belong to root\n", directory_name);
		return -EACCES;
	}
	if (inode->i_mode & 077) {
		pr_err("store=%s: is open to others; say: chmod 700 %s\n", directory_name,
		       directory_name);
		return -EACCES;
	}
	return 0;
}

/* The lock of the daemon's, a flock() on the same file. */
static int lock_directory(void)
{
	struct file_lock *lock;
	int err;

	directory_lock = file_open_root(&directory->f_path, "lock", OPEN_FLAGS, 0600);
	if (IS_ERR(directory_lock))
		return PTR_ERR(directory_lock);
	lock = locks_alloc_lock();
	if (!lock)
		return -ENOMEM;
	luna_lock_core(lock)->luna_lock_member(type) = F_WRLCK;
	luna_lock_core(lock)->luna_lock_member(flags) = FL_FLOCK;
	luna_lock_core(lock)->luna_lock_member(file) = directory_lock;
	luna_lock_core(lock)->luna_lock_member(owner) = directory_lock;
	luna_lock_core(lock)->luna_lock_member(pid) = task_tgid_nr(current);
	lock->fl_end = OFFSET_MAX;
	err = locks_lock_file_wait(directory_lock, lock);
	locks_free_lock(lock);
	return err;
}

static const char *why_not_locked(int err)
{
	if (err == -EAGAIN)
		return "a luna-fuse uses it";
	return err == -EROFS ? "is on a read-only file system" : "cannot be locked";
}

static int job_open_directory(struct job *job)
{
	int err;

	directory = filp_open(directory_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (IS_ERR(directory)) {
		err = PTR_ERR(directory);
		directory = NULL;
		pr_err("store=%s: cannot be opened: %d%s\n", directory_name, err,
		       err == -ENOENT ? "; make it with: install -d -m 700" : "");
		/* insmod takes ENOENT for a symbol that is missing. */
		return err == -ENOENT ? -EINVAL : err;
	}
	err = check_directory();
	if (err)
		return err;
	err = lock_directory();
	if (err)
		pr_err("store=%s: %s: %d\n", directory_name, why_not_locked(err), err);
	return err == -EAGAIN ? -EBUSY : err;
}

static int job_close_directory(struct job *job)
{
	close_file(directory_lock);
	close_file(directory);
	/* Threads of the kernel leave the rest to another one: wait for it, as it ends the lock. */
	flush_delayed_fput();
	directory_lock = NULL;
	directory = NULL;
	return 0;
}

int luna_store_init(const char *dir)
{
	struct job job = { .fn = job_open_directory };
	int err;

	workers = alloc_workqueue("luna", WQ_UNBOUND, 0);
	if (!workers)
		return -ENOMEM;
	if (!dir || !*dir)
		return 0;
	directory_name = dir;
	if (*dir == '/') {
		err = job_run(&job);
	} else {
		pr_err("store=%s: not an absolute path\n", dir);
		err = -EINVAL;
	}
	if (err)
		luna_store_exit();
	return err;
}

void luna_store_exit(void)
{
	struct job job = { .fn = job_close_directory };

	job_run(&job);
	destroy_workqueue(workers);
}
