// SPDX-License-Identifier: MIT
/*
 * Low-level FUSE operations. Inode numbers are slots: the root is 1, token n is n + 2. Nothing ever
 * changes, so the kernel may cache names and attributes for good; every ioctl comes through.
 *
 * A buffer of an ioctl may hold PINs, keys and plaintext: both are wiped before the next request.
 */
#define FUSE_USE_VERSION 314

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <uapi/luna.h>

#include "caller.h"
#include "device.h"
#include "memory.h"
#include "report.h"

enum {
	FIRST_TOKEN_INODE = FUSE_ROOT_ID + 1,
	NAME_LEN = 16,
	/* More than any ioctl; decides how large the buffers of libfuse's threads are. */
	TRANSFER_MAX = 32 << 10,
};

static const double forever = 365.25 * 86400;

/**
 * struct opener - an open file
 */
struct opener {
	struct luna_open *open;
	struct list_head list;
};

static time_t started;
static __thread fuse_req_t current_request;
static __thread u8 *reply_buffer;
static pthread_key_t reply_buffers;

static struct device_set *set_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static bool is_token(const struct device_set *set, fuse_ino_t inode)
{
	return inode >= FIRST_TOKEN_INODE && inode - FIRST_TOKEN_INODE < set->count;
}

static void token_name(u32 slot, char *name)
{
	snprintf(name, NAME_LEN, "luna%u", slot);
}

static int fill_attributes(const struct device_set *set, fuse_ino_t inode, struct stat *st)
{
	if (inode != FUSE_ROOT_ID && !is_token(set, inode))
		return -ENOENT;
	*st = (struct stat){
		.st_ino = inode,
		.st_mode = inode == FUSE_ROOT_ID ? S_IFDIR | 0500 : S_IFREG | 0600,
		.st_nlink = inode == FUSE_ROOT_ID ? 2 : 1,
		.st_uid = getuid(),
		.st_gid = getgid(),
		.st_atime = started,
		.st_mtime = started,
		.st_ctime = started,
	};
	return 0;
}

static void device_init(void *userdata, struct fuse_conn_info *conn)
{
	struct device_set *set = userdata;

	conn->max_write = TRANSFER_MAX;
	conn->max_readahead = 0;
	set->ready();
}

static void device_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct device_set *set = set_of(req);
	struct fuse_entry_param entry = { .attr_timeout = forever, .entry_timeout = forever };
	char expected[NAME_LEN];

	if (parent != FUSE_ROOT_ID) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	for (u32 slot = 0; slot < set->count; slot++) {
		token_name(slot, expected);
		if (strcmp(name, expected))
			continue;
		entry.ino = FIRST_TOKEN_INODE + slot;
		fill_attributes(set, entry.ino, &entry.attr);
		fuse_reply_entry(req, &entry);
		return;
	}
	fuse_reply_err(req, ENOENT);
}

static void device_getattr(fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *fi)
{
	struct stat st;
	int err = fill_attributes(set_of(req), inode, &st);

	(void)fi;
	if (err)
		fuse_reply_err(req, -err);
	else
		fuse_reply_attr(req, &st, forever);
}

/* Entries 0 and 1 are "." and "..", then come the tokens. Return: its size, even without room */
static size_t add_entry(fuse_req_t req, char *buf, size_t room, off_t index)
{
	struct stat st = { .st_ino = FUSE_ROOT_ID, .st_mode = S_IFDIR };
	char name[NAME_LEN] = "..";

	if (index == 0)
		name[1] = '\0';
	if (index >= 2) {
		st.st_ino = FIRST_TOKEN_INODE + index - 2;
		st.st_mode = S_IFREG;
		token_name(index - 2, name);
	}
	return fuse_add_direntry(req, buf, room, name, &st, index + 1);
}

static void device_readdir(fuse_req_t req, fuse_ino_t inode, size_t size, off_t offset,
			   struct fuse_file_info *fi)
{
	const off_t entries = set_of(req)->count + 2;
	size_t used = 0;
	char *buf;

	(void)fi;
	if (inode != FUSE_ROOT_ID) {
		fuse_reply_err(req, ENOTDIR);
		return;
	}
	buf = malloc(size);
	if (!buf) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	for (off_t i = offset; i < entries; i++) {
		size_t len = add_entry(req, buf + used, size - used, i);

		if (len > size - used)
			break;
		used += len;
	}
	fuse_reply_buf(req, buf, used);
	free(buf);
}

static void device_statfs(fuse_req_t req, fuse_ino_t inode)
{
	const struct statvfs st = {
		.f_bsize = 512,
		.f_frsize = 512,
		.f_files = set_of(req)->count + 1,
		.f_namemax = NAME_LEN - 1,
	};

	(void)inode;
	fuse_reply_statfs(req, &st);
}

/* The kernel lets nobody else in anyway, as the mount has no allow_other. */
static int may_open(fuse_req_t req, fuse_ino_t inode, const struct fuse_file_info *fi)
{
	if (!is_token(set_of(req), inode))
		return -EISDIR;
	if (fuse_req_ctx(req)->uid != getuid() || (fi->flags & O_ACCMODE) != O_RDWR)
		return -EACCES;
	return 0;
}

static struct opener *opener_new(struct device_set *set, struct luna_token *token, uid_t owner)
{
	struct opener *opener = kzalloc(sizeof(*opener), GFP_KERNEL);

	if (!opener)
		return ERR_PTR(-ENOMEM);
	opener->open = luna_open_by(token, owner);
	if (IS_ERR(opener->open)) {
		long err = PTR_ERR(opener->open);

		kfree(opener);
		return ERR_PTR(err);
	}
	mutex_lock(&set->lock);
	list_add(&opener->list, &set->openers);
	mutex_unlock(&set->lock);
	return opener;
}

static void opener_end(struct device_set *set, struct opener *opener)
{
	mutex_lock(&set->lock);
	list_del(&opener->list);
	mutex_unlock(&set->lock);
	luna_release(opener->open);
	kfree(opener);
}

static void device_open(fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *fi)
{
	struct device_set *set = set_of(req);
	struct opener *opener;
	int err = may_open(req, inode, fi);

	if (err) {
		fuse_reply_err(req, -err);
		return;
	}
	opener = opener_new(set, set->tokens[inode - FIRST_TOKEN_INODE],
			    fuse_req_ctx(req)->uid);
	if (IS_ERR(opener)) {
		fuse_reply_err(req, -PTR_ERR(opener));
		return;
	}
	fi->fh = (uintptr_t)opener;
	fi->direct_io = 1;
	fi->nonseekable = 1;
	fi->noflush = 1;
	/* The caller was killed meanwhile: nobody will release it. */
	if (fuse_reply_open(req, fi) == -ENOENT)
		opener_end(set, opener);
}

static void device_release(fuse_req_t req, fuse_ino_t inode, struct fuse_file_info *fi)
{
	(void)inode;
	opener_end(set_of(req), (struct opener *)(uintptr_t)fi->fh);
	fuse_reply_err(req, 0);
}

static void free_reply_buffer(void *buffer)
{
	kfree_sensitive(buffer);
}

/* Return: LUNA_IOC_MAX bytes of this thread's own, or NULL without memory */
static u8 *get_reply_buffer(void)
{
	if (reply_buffer)
		return reply_buffer;
	memory_protect_stack();
	reply_buffer = kzalloc(LUNA_IOC_MAX, GFP_KERNEL);
	if (reply_buffer)
		pthread_setspecific(reply_buffers, reply_buffer);
	return reply_buffer;
}

static int check_ioctl(unsigned int cmd, unsigned int flags, size_t in_size, size_t out_size)
{
	if (_IOC_TYPE(cmd) != LUNA_IOC_MAGIC || _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE) ||
	    (flags & FUSE_IOCTL_DIR))
		return -ENOTTY;
	if (in_size != _IOC_SIZE(cmd) || out_size != in_size || in_size > LUNA_IOC_MAX)
		return -EINVAL;
	return 0;
}

static void carry(fuse_req_t req, struct opener *opener, unsigned int nr, const void *in,
		  size_t size)
{
	u8 *out = get_reply_buffer();
	size_t out_len = 0;
	int err = -ENOMEM;

	if (out) {
		current_request = req;
		port_killed = false;
		err = luna_cmd(opener->open, nr, in, size, out, &out_len);
		current_request = NULL;
		memory_wipe_stack();
	}
	if (err)
		fuse_reply_err(req, -err);
	else
		fuse_reply_ioctl(req, 0, out, out_len);
	if (out)
		memzero_explicit(out, size);
	memory_follow();
}

static void device_ioctl(fuse_req_t req, fuse_ino_t inode, unsigned int cmd, void *arg,
			 struct fuse_file_info *fi, unsigned int flags, const void *in,
			 size_t in_size, size_t out_size)
{
	int err = check_ioctl(cmd, flags, in_size, out_size);

	(void)inode;
	(void)arg;
	if (err)
		fuse_reply_err(req, -err);
	else
		carry(req, (struct opener *)(uintptr_t)fi->fh, _IOC_NR(cmd), in, in_size);
	/* It lies in the buffer that libfuse reads this thread's requests into. */
	if (in_size)
		memzero_explicit((void *)in, in_size);
}

static const struct fuse_lowlevel_ops device_ops = {
	.init		= device_init,
	.lookup		= device_lookup,
	.getattr	= device_getattr,
	.readdir	= device_readdir,
	.statfs		= device_statfs,
	.open		= device_open,
	.release	= device_release,
	.ioctl		= device_ioctl,
};

bool device_cancelled(void)
{
	fuse_req_t req = current_request;

	if (!req)
		return false;
	if (fuse_session_exited(set_of(req)->session) ||
	    (fuse_req_interrupted(req) && caller_killed(fuse_req_ctx(req)->pid)))
		port_killed = true;
	return port_killed;
}

struct fuse_session *device_session(struct device_set *set)
{
	char *argv[] = {
		"luna-fuse", "-o", "fsname=luna,subtype=luna,default_permissions,nosuid,nodev,noexec,noatime",
	};
	struct fuse_args args = FUSE_ARGS_INIT(ARRAY_SIZE(argv), argv);

	started = ktime_get_real_seconds();
	mutex_init(&set->lock);
	INIT_LIST_HEAD(&set->openers);
	if (pthread_key_create(&reply_buffers, free_reply_buffer)) {
		report(REPORT_ERROR, "cannot start: too many thread keys");
		return NULL;
	}
	set->session = fuse_session_new(&args, &device_ops, sizeof(device_ops), set);
	if (!set->session)
		report(REPORT_ERROR, "cannot start a FUSE session");
	fuse_opt_free_args(&args);
	return set->session;
}

void device_release_all(struct device_set *set)
{
	while (!list_empty(&set->openers))
		opener_end(set, list_first_entry(&set->openers, struct opener, list));
}
