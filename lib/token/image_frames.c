// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The bytes of an image, in frames of 64 KiB: no large piece of memory is needed at once, and what
 * was handed out is freed as the rest goes on. A frame is sealed and opened as a whole, in its
 * place, and knows from its number and from whether it is the last one where it belongs.
 */
#include "image.h"

struct luna_image *luna_image_new(struct luna_open *open)
{
	struct luna_image *image = kzalloc(sizeof(*image), GFP_KERNEL_ACCOUNT);

	if (image)
		image->open = open;
	return image;
}

static void frame_free(struct luna_image *image, u32 i)
{
	if (!image->frames[i])
		return;
	kvfree_sensitive(image->frames[i], LUNA_IMAGE_FRAME);
	luna_open_unhold(image->open, LUNA_IMAGE_FRAME);
	image->frames[i] = NULL;
}

void luna_image_free(struct luna_image *image)
{
	u32 i;

	if (!image)
		return;
	for (i = 0; i < image->count; i++)
		frame_free(image, i);
	kvfree(image->frames);
	kfree_sensitive(image);
}

static int frames_reserve(struct luna_image *image)
{
	u32 room = 2 * image->room + 16;
	u8 **frames;

	if (image->count < image->room)
		return 0;
	frames = kvmalloc_array(room, sizeof(*frames), GFP_KERNEL_ACCOUNT);
	if (!frames)
		return -ENOMEM;
	if (image->count)
		memcpy(frames, image->frames, image->count * sizeof(*frames));
	kvfree(image->frames);
	image->frames = frames;
	image->room = room;
	return 0;
}

static int frame_add(struct luna_image *image)
{
	u8 *frame;

	if (frames_reserve(image) || !luna_open_hold(image->open, LUNA_IMAGE_FRAME))
		return -ENOMEM;
	frame = kvmalloc(LUNA_IMAGE_FRAME, GFP_KERNEL_ACCOUNT);
	if (!frame) {
		luna_open_unhold(image->open, LUNA_IMAGE_FRAME);
		return -ENOMEM;
	}
	image->frames[image->count++] = frame;
	return 0;
}

/* Appends to frames that hold @unit bytes each. */
static int frames_append(struct luna_image *image, u32 unit, const u8 *data, u32 len)
{
	u32 at, n;

	for (; len; len -= n, data += n, image->len += n) {
		at = image->len - (u64)unit * (image->count ? image->count - 1 : 0);
		if (!image->count || at == unit) {
			if (frame_add(image))
				return -ENOMEM;
			at = 0;
		}
		n = min(len, unit - at);
		memcpy(image->frames[image->count - 1] + at, data, n);
	}
	return 0;
}

int luna_image_append(struct luna_image *image, const u8 *data, u32 len)
{
	return frames_append(image, LUNA_IMAGE_FRAME, data, len);
}

void luna_image_take(struct luna_image *image, u64 at, u8 *data, u32 len)
{
	u32 i, from, n;

	for (; len; len -= n, data += n, at += n) {
		i = at / LUNA_IMAGE_FRAME;
		from = at % LUNA_IMAGE_FRAME;
		n = min(len, (u32)LUNA_IMAGE_FRAME - from);
		memcpy(data, image->frames[i] + from, n);
		if (from + n == LUNA_IMAGE_FRAME)
			frame_free(image, i);
	}
}

static u64 frame_context(const struct luna_image *image, u32 i)
{
	return 2 * (u64)i + (i + 1 == image->count);
}

/* Both ways: @unit bytes of every frame but the last become as many more or less. */
static int frames_pass(struct luna_image *image, struct luna_token *token, struct luna_aes_key *key,
		       bool seal, u64 *damaged)
{
	u32 unit = seal ? LUNA_IMAGE_PLAIN : LUNA_IMAGE_FRAME, i, n;
	u64 left = image->len, made = 0;
	u8 *other = kvmalloc(LUNA_IMAGE_FRAME, GFP_KERNEL);
	int err = other ? 0 : -ENOMEM;

	for (i = 0; i < image->count && !err; i++, left -= n) {
		n = min_t(u64, unit, left);
		*damaged = LUNA_IMAGE_HEAD + image->len - left;
		if (seal)
			err = luna_seal(token, key, LUNA_SEAL_IMAGE, frame_context(image, i),
					image->frames[i], n, other);
		else
			err = luna_unseal(token, key, LUNA_SEAL_IMAGE, frame_context(image, i),
					  image->frames[i], n, other);
		swap(image->frames[i], other);
		made += seal ? n + LUNA_SEAL_OVERHEAD : n - LUNA_SEAL_OVERHEAD;
		cond_resched();
	}
	kvfree_sensitive(other, LUNA_IMAGE_FRAME);
	image->len = made;
	return err;
}

int luna_image_seal(struct luna_image *image, struct luna_token *token, struct luna_aes_key *key)
{
	u64 at;

	return frames_pass(image, token, key, true, &at);
}

int luna_image_unseal(struct luna_image *image, struct luna_token *token, struct luna_aes_key *key,
		      u64 *damaged)
{
	return frames_pass(image, token, key, false, damaged);
}

/* ---- as the place of a log ---- */

static int image_size(void *store, u64 *size)
{
	const struct luna_image *image = store;

	*size = image->len;
	return 0;
}

static int image_read(void *store, u64 offset, void *buf, size_t len)
{
	const struct luna_image *image = store;
	u8 *to = buf;
	u32 from, n;

	if (offset > image->len || len > image->len - offset)
		return -EIO;
	for (; len; len -= n, to += n, offset += n) {
		from = offset % LUNA_IMAGE_PLAIN;
		n = min_t(size_t, len, LUNA_IMAGE_PLAIN - from);
		memcpy(to, image->frames[offset / LUNA_IMAGE_PLAIN] + from, n);
	}
	return 0;
}

static int image_replace_append(void *store, const void *buf, size_t len)
{
	return frames_append(store, LUNA_IMAGE_PLAIN, buf, len);
}

/* Nothing is durable, and nothing is replaced but what was empty. */
static int image_nothing(void *store)
{
	return 0;
}

static int image_replace_begin(void *store, u64 size)
{
	return 0;
}

static void image_replace_abort(void *store)
{
}

/* Whatever would have to be cut off makes an image a damaged one. */
static int image_truncate(void *store, u64 size)
{
	return -EBADMSG;
}

static int image_append(void *store, const void *buf, size_t len)
{
	return -EIO;
}

const struct luna_store_ops luna_image_store_ops = {
	.size		= image_size,
	.read		= image_read,
	.append		= image_append,
	.truncate	= image_truncate,
	.sync		= image_nothing,
	.replace_begin	= image_replace_begin,
	.replace_append	= image_replace_append,
	.replace_commit	= image_nothing,
	.replace_abort	= image_replace_abort,
};
