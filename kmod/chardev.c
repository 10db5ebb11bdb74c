// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One character device for each slot; an open file is an application. Slots come and go also while
 * files are open: whoever uses a token holds the registration lock of its slot for reading, and
 * unplugging takes it for writing, ends all applications and closes the token. What is left of the
 * slot, without a token, is freed with the last file. (The life cycle is that of fwctl.)
 *
 * A request is copied from user space once and the reply once to it; both copies are wiped, as they
 * may hold PINs, keys and plaintext; ciphertext stays until the next command. The buffers stay with
 * the open file: taking new ones for each command would cost more than many a command, mostly for
 * clearing what is not used of them.
 */
#include <linux/cdev.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include <uapi/luna.h>

#include "chardev.h"
#include "crypto.h"
#include "host.h"
#include "store.h"

/**
 * struct luna_slot - a device
 * @registration: guards @token; held for reading by every command
 * @token: NULL once the slot was unplugged
 * @openers: struct opener; guarded by @openers_lock
 */
struct luna_slot {
	struct device dev;
	struct cdev cdev;
	struct rw_semaphore registration;
	struct luna_token *token;
	struct luna_store *store;
	struct mutex openers_lock;
	struct list_head openers;
};

enum { SIDE_SIZE = LUNA_IOC_LONG_MAX + PAGE_SIZE };

/**
 * struct side - a request or a reply
 * @pages: SIDE_SIZE bytes; all zeros between commands, but from @from to @to
 * @from, @to: where public bytes of earlier commands may be
 */
struct side {
	u8 *pages;
	u32 from, to;
};

/**
 * struct frame - buffers for a command
 *
 * A request ends with a page, and the payload of its reply begins with one. Ciphers work page by
 * page, and slowly on a block that is on two: so data that are pages touch no more than they must.
 */
struct frame {
	struct side in, out;
};

/**
 * struct opener - an open file
 * @open: the application; it lives as long as slot->token
 * @spare: a frame that no command is using, or NULL
 */
struct opener {
	struct luna_slot *slot;
	struct luna_open *open;
	struct list_head list;
	struct frame *spare;
};

static dev_t first_number;

/* Guards plugged[] and keeps two from plugging the same slot. */
static DEFINE_MUTEX(plug_lock);
static struct luna_slot *plugged[LUNA_SLOTS_MAX];

/* ---- frames ---- */

static void side_free(struct side *side)
{
	if (side->pages)
		free_pages_exact(side->pages, SIDE_SIZE);
}

static void frame_free(struct frame *frame)
{
	if (!frame)
		return;
	side_free(&frame->out);
	side_free(&frame->in);
	kfree(frame);
}

static struct frame *frame_new(void)
{
	struct frame *frame = kzalloc(sizeof(*frame), GFP_KERNEL_ACCOUNT);

	if (!frame)
		return NULL;
	frame->in.pages = alloc_pages_exact(SIDE_SIZE, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	frame->out.pages = alloc_pages_exact(SIDE_SIZE, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (frame->in.pages && frame->out.pages)
		return frame;
	frame_free(frame);
	return NULL;
}

/* A command has used @len bytes at @at. */
static void side_used(struct side *side, const u8 *at, size_t len, bool public)
{
	u32 from = at - side->pages;

	if (!public) {
		memzero_explicit(side->pages + from, len);
		return;
	}
	side->from = side->to ? min(side->from, from) : from;
	side->to = max_t(u32, side->to, from + len);
}

static void side_clear(struct side *side)
{
	memset(side->pages + side->from, 0, side->to - side->from);
	side->from = 0;
	side->to = 0;
}

static struct frame *frame_take(struct opener *opener)
{
	struct frame *frame = xchg(&opener->spare, NULL);

	return frame ? frame : frame_new();
}

/* One frame is kept; threads that come together make more. */
static void frame_give(struct opener *opener, struct frame *frame)
{
	if (cmpxchg(&opener->spare, NULL, frame))
		frame_free(frame);
}

/* ---- files ---- */

static int open_locked(struct luna_slot *slot, struct file *file)
{
	struct opener *opener;

	if (!slot->token)
		return -ENODEV;
	opener = kzalloc(sizeof(*opener), GFP_KERNEL_ACCOUNT);
	if (!opener)
		return -ENOMEM;
	opener->open = luna_open_by(slot->token, from_kuid(&init_user_ns, current_euid()));
	if (IS_ERR(opener->open)) {
		int err = PTR_ERR(opener->open);

		kfree(opener);
		return err;
	}
	opener->slot = slot;
	get_device(&slot->dev);
	mutex_lock(&slot->openers_lock);
	list_add(&opener->list, &slot->openers);
	mutex_unlock(&slot->openers_lock);
	file->private_data = opener;
	return 0;
}

static int slot_open(struct inode *inode, struct file *file)
{
	struct luna_slot *slot = container_of(inode->i_cdev, struct luna_slot, cdev);
	int err;

	if ((file->f_flags & O_ACCMODE) != O_RDWR)
		return -EACCES;
	/* Who unplugs may be waiting for a long command, and everybody then for that. */
	if (down_read_killable(&slot->registration))
		return -EINTR;
	err = open_locked(slot, file);
	up_read(&slot->registration);
	return err ? err : nonseekable_open(inode, file);
}

static int slot_release(struct inode *inode, struct file *file)
{
	struct opener *opener = file->private_data;
	struct luna_slot *slot = opener->slot;

	down_read(&slot->registration);
	mutex_lock(&slot->openers_lock);
	list_del(&opener->list);
	mutex_unlock(&slot->openers_lock);
	if (slot->token)
		luna_release(opener->open);
	up_read(&slot->registration);
	frame_free(opener->spare);
	kfree(opener);
	put_device(&slot->dev);
	return 0;
}

static int carry_locked(struct opener *opener, unsigned int nr, const void *in, size_t size,
			void *out, size_t *out_len)
{
	struct luna_slot *slot = opener->slot;
	int err;

	if (down_read_killable(&slot->registration))
		return -EINTR;
	err = slot->token ? luna_cmd(opener->open, nr, in, size, out, out_len) : -ENODEV;
	up_read(&slot->registration);
	return err;
}

/* How much of a buffer is request; if that makes no sense, all of it, for luna_cmd() to refuse. */
static size_t request_len(const struct luna_hdr *hdr, size_t size)
{
	if (hdr->size < sizeof(*hdr) || hdr->size > size || hdr->in_len > size - hdr->size)
		return size;
	return hdr->size + hdr->in_len;
}

static int carry_frame(struct opener *opener, struct frame *frame, unsigned int nr,
		       const struct luna_hdr *hdr, size_t size, u8 __user *arg)
{
	size_t in_len = request_len(hdr, size), out_len = 0;
	u8 *in = frame->in.pages + PAGE_ALIGN(in_len) - in_len;
	u8 *out = frame->out.pages + PAGE_ALIGN(hdr->size % PAGE_SIZE) - hdr->size % PAGE_SIZE;
	int err = -EFAULT;
	u32 public;

	/* What was checked is what is carried: the header is not read again. */
	memcpy(in, hdr, sizeof(*hdr));
	if (!copy_from_user(in + sizeof(*hdr), arg + sizeof(*hdr), in_len - sizeof(*hdr)))
		err = carry_locked(opener, nr, in, size, out, &out_len);
	if (!err && copy_to_user(arg, out, out_len))
		err = -EFAULT;
	public = luna_cmd_public(nr, in, in_len);
	side_used(&frame->in, in, in_len, public & LUNA_PUBLIC_IN);
	side_used(&frame->out, out, out_len, public & LUNA_PUBLIC_OUT);
	return err;
}

static int carry(struct opener *opener, unsigned int nr, size_t size, void __user *arg)
{
	struct frame *frame;
	struct luna_hdr hdr;
	int err;

	if (copy_from_user(&hdr, arg, sizeof(hdr)))
		return -EFAULT;
	frame = frame_take(opener);
	if (!frame)
		return -ENOMEM;
	if (nr != LUNA_OP) {
		side_clear(&frame->in);
		side_clear(&frame->out);
	}
	err = carry_frame(opener, frame, nr, &hdr, size, arg);
	frame_give(opener, frame);
	return err;
}

static long slot_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	bool is_long = _IOC_TYPE(cmd) == LUNA_IOC_MAGIC_LONG;
	size_t size = is_long ? 8 * _IOC_SIZE(cmd) : _IOC_SIZE(cmd);
	size_t most = is_long ? LUNA_IOC_LONG_MAX : LUNA_IOC_MAX;

	if ((!is_long && _IOC_TYPE(cmd) != LUNA_IOC_MAGIC) ||
	    _IOC_DIR(cmd) != (_IOC_READ | _IOC_WRITE))
		return -ENOTTY;
	if (size < sizeof(struct luna_hdr) || size > most)
		return -EINVAL;
	return carry(file->private_data, _IOC_NR(cmd), size, (void __user *)arg);
}

static const struct file_operations slot_fops = {
	.owner		= THIS_MODULE,
	.open		= slot_open,
	.release	= slot_release,
	.unlocked_ioctl	= slot_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

/* ---- the class, and the two files by which slots are unplugged and plugged ---- */

static ssize_t slot_command(const char *text, size_t len, int (*command)(u32 slot))
{
	u32 slot;
	int err = kstrtou32(text, 10, &slot);

	if (!err && slot >= luna_slots())
		err = -ERANGE;
	if (err)
		return err;
	/* A module that is on its way out plugs nothing any more. */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	err = command(array_index_nospec(slot, LUNA_SLOTS_MAX));
	module_put(THIS_MODULE);
	return err ? err : len;
}

static int unplug_killable(u32 slot)
{
	return luna_slot_unplug(slot, true);
}

static ssize_t plug_store(luna_class_const struct class *class,
			  luna_class_const struct class_attribute *attr, const char *text,
			  size_t len)
{
	return slot_command(text, len, luna_slot_start);
}
static CLASS_ATTR_WO(plug);

static ssize_t unplug_store(luna_class_const struct class *class,
			    luna_class_const struct class_attribute *attr, const char *text,
			    size_t len)
{
	return slot_command(text, len, unplug_killable);
}
static CLASS_ATTR_WO(unplug);

static struct attribute *class_attrs[] = {
	&class_attr_plug.attr,
	&class_attr_unplug.attr,
	NULL
};
ATTRIBUTE_GROUPS(class);

/* Nodes are root's until udev gives them to the group luna: tools/dkms/60-luna.rules. */
static struct class luna_class = {
	.name		= "luna",
	.class_groups	= class_groups,
};

/* ---- slots ---- */

static void slot_free(struct device *dev)
{
	kfree(container_of(dev, struct luna_slot, dev));
}

static struct luna_slot *slot_new(u32 number)
{
	struct luna_slot *slot = kzalloc(sizeof(*slot), GFP_KERNEL);
	int err;

	if (!slot)
		return ERR_PTR(-ENOMEM);
	device_initialize(&slot->dev);
	slot->dev.class = &luna_class;
	slot->dev.devt = first_number + number;
	slot->dev.release = slot_free;
	init_rwsem(&slot->registration);
	mutex_init(&slot->openers_lock);
	INIT_LIST_HEAD(&slot->openers);
	cdev_init(&slot->cdev, &slot_fops);
	slot->cdev.owner = THIS_MODULE;
	err = dev_set_name(&slot->dev, "luna%u", number);
	if (!err)
		return slot;
	put_device(&slot->dev);
	return ERR_PTR(err);
}

static int slot_load(struct luna_slot *slot, const struct luna_config *config)
{
	struct luna_token *token;

	slot->store = luna_store_open(config->slot);
	if (IS_ERR(slot->store))
		return PTR_ERR(slot->store);
	token = luna_token_open(config, &luna_kcrypto_ops, luna_store_ops(), slot->store);
	if (IS_ERR(token)) {
		luna_store_close(slot->store);
		return PTR_ERR(token);
	}
	slot->token = token;
	return 0;
}

/* With the registration lock for writing: nobody is in a command, and nobody will come into one. */
static void slot_unload(struct luna_slot *slot)
{
	struct opener *opener;

	/* Their files stay open, without an application. */
	list_for_each_entry(opener, &slot->openers, list) {
		luna_release(opener->open);
		opener->open = NULL;
	}
	luna_token_close(slot->token);
	luna_store_close(slot->store);
	slot->token = NULL;
	slot->store = NULL;
}

static int plug_locked(const struct luna_config *config)
{
	struct luna_slot *slot;
	int err;

	slot = slot_new(config->slot);
	if (IS_ERR(slot))
		return PTR_ERR(slot);
	err = slot_load(slot, config);
	if (err)
		goto err_put;
	err = cdev_device_add(&slot->cdev, &slot->dev);
	if (err)
		goto err_unload;
	plugged[config->slot] = slot;
	return 0;

err_unload:
	down_write(&slot->registration);
	slot_unload(slot);
	up_write(&slot->registration);
err_put:
	put_device(&slot->dev);
	pr_err("slot %u cannot be made: %d\n", config->slot, err);
	return err;
}

int luna_slot_plug(const struct luna_config *config)
{
	guard(mutex)(&plug_lock);
	return plugged[config->slot] ? -EEXIST : plug_locked(config);
}

static int wait_for_commands(struct luna_slot *slot, bool killable)
{
	if (killable)
		return down_write_killable(&slot->registration);
	down_write(&slot->registration);
	return 0;
}

int luna_slot_unplug(u32 number, bool killable)
{
	struct luna_slot *slot;

	guard(mutex)(&plug_lock);
	slot = plugged[number];
	if (!slot)
		return -ENODEV;
	if (wait_for_commands(slot, killable))
		return -EINTR;
	slot_unload(slot);
	up_write(&slot->registration);
	plugged[number] = NULL;
	cdev_device_del(&slot->cdev, &slot->dev);
	put_device(&slot->dev);
	return 0;
}

int luna_chardev_init(void)
{
	int err = alloc_chrdev_region(&first_number, 0, LUNA_SLOTS_MAX, "luna");

	if (err)
		return err;
	err = class_register(&luna_class);
	if (err)
		unregister_chrdev_region(first_number, LUNA_SLOTS_MAX);
	return err;
}

void luna_chardev_exit(void)
{
	class_unregister(&luna_class);
	unregister_chrdev_region(first_number, LUNA_SLOTS_MAX);
}
