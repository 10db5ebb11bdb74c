// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Lists of attributes in the ABI's form: readers that trust no byte until luna_tmpl_check() has
 * seen them all, and writers. Headers are copied out, as a list may stand at any address.
 */
#include "attr.h"

enum { ATTRW_MIN = 512 };

/* A value that is empty, as a pointer that is not NULL. */
static const u8 nothing[8];

bool luna_tmpl_next(const struct luna_tmpl *tmpl, u32 *at, u32 *type, const u8 **value, u32 *len)
{
	struct luna_attr attr;

	if (*at >= tmpl->len)
		return false;
	memcpy(&attr, tmpl->data + *at, sizeof(attr));
	*type = attr.type;
	*len = attr.len;
	*value = attr.len ? tmpl->data + *at + sizeof(attr) : nothing;
	*at += sizeof(attr) + ALIGN(attr.len, 8);
	return true;
}

/* Is there a whole attribute at @at? Returns the offset behind it, or 0. */
static u32 tmpl_step(const u8 *data, u32 len, u32 at)
{
	struct luna_attr attr;
	u32 left = len - at;

	if (left < sizeof(attr))
		return 0;
	memcpy(&attr, data + at, sizeof(attr));
	left -= sizeof(attr);
	if (attr.len > left || ALIGN(attr.len, 8) > left)
		return 0;
	at += sizeof(attr);
	if (memchr_inv(data + at + attr.len, 0, ALIGN(attr.len, 8) - attr.len))
		return 0;
	return at + ALIGN(attr.len, 8);
}

/* Does an attribute before @end have @type, and another value? */
static bool tmpl_contradicts(const struct luna_tmpl *tmpl, u32 end, u32 type, const u8 *value,
			     u32 len)
{
	const struct luna_tmpl before = { .data = tmpl->data, .len = end };
	const u8 *other;
	u32 other_len;

	other = luna_tmpl_get(&before, type, &other_len);
	return other && (other_len != len || memcmp(other, value, len));
}

u32 luna_tmpl_check(struct luna_tmpl *tmpl, const u8 *data, u32 len)
{
	u32 at = 0, next, type, value_len, count = 0;
	const u8 *value;

	tmpl->data = data;
	tmpl->len = 0;
	for (; at < len; at = next) {
		next = tmpl_step(data, len, at);
		if (!next || ++count > LUNA_TMPL_ATTRS_MAX)
			return CKR_ARGUMENTS_BAD;
	}
	tmpl->len = len;
	for (at = 0; at < len; ) {
		next = at;
		luna_tmpl_next(tmpl, &at, &type, &value, &value_len);
		if (tmpl_contradicts(tmpl, next, type, value, value_len))
			return CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_OK;
}

const u8 *luna_tmpl_get(const struct luna_tmpl *tmpl, u32 type, u32 *len)
{
	const u8 *value;
	u32 at = 0, seen;

	while (luna_tmpl_next(tmpl, &at, &seen, &value, len))
		if (seen == type)
			return value;
	*len = 0;
	return NULL;
}

bool luna_tmpl_ulong(const struct luna_tmpl *tmpl, u32 type, u64 *value)
{
	const u8 *data;
	u32 len;

	data = luna_tmpl_get(tmpl, type, &len);
	if (!data || len != sizeof(*value))
		return false;
	memcpy(value, data, sizeof(*value));
	return true;
}

bool luna_tmpl_bool(const struct luna_tmpl *tmpl, u32 type, bool *value)
{
	static const struct luna_attr_row row = { .kind = LUNA_ATTR_BOOL };
	struct luna_value truth;
	const u8 *data;
	u32 len;

	data = luna_tmpl_get(tmpl, type, &len);
	if (!data || luna_value_read(&truth, &row, data, len))
		return false;
	*value = truth.truth;
	return true;
}

/* Not kvmalloc(): ciphers read and write the list, and need memory that is contiguous. */
struct luna_attrs *luna_attrs_alloc(u32 len)
{
	struct luna_attrs *attrs;

	attrs = kmalloc(struct_size(attrs, data, len), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!attrs)
		return NULL;
	refcount_set(&attrs->refs, 1);
	attrs->len = len;
	return attrs;
}

struct luna_attrs *luna_attrs_get(struct luna_attrs *attrs)
{
	refcount_inc(&attrs->refs);
	return attrs;
}

void luna_attrs_put(struct luna_attrs *attrs)
{
	if (attrs && refcount_dec_and_test(&attrs->refs))
		kfree_sensitive(attrs);
}

const u8 *luna_attrs_bytes(const struct luna_attrs *attrs, u32 type, u32 *len)
{
	const struct luna_tmpl tmpl = luna_attrs_tmpl(attrs);

	return luna_tmpl_get(&tmpl, type, len);
}

bool luna_attrs_ulong(const struct luna_attrs *attrs, u32 type, u64 *value)
{
	const struct luna_tmpl tmpl = luna_attrs_tmpl(attrs);

	return luna_tmpl_ulong(&tmpl, type, value);
}

bool luna_attrs_bool(const struct luna_attrs *attrs, u32 type)
{
	const struct luna_tmpl tmpl = luna_attrs_tmpl(attrs);
	bool value;

	return luna_tmpl_bool(&tmpl, type, &value) && value;
}

bool luna_attrs_equal(const struct luna_attrs *attrs, u32 type, const u8 *value, u32 len)
{
	const u8 *data;
	u32 data_len;

	data = luna_attrs_bytes(attrs, type, &data_len);
	return data && data_len == len && !crypto_memneq(data, value, len);
}

void luna_attrw_init(struct luna_attrw *w)
{
	memset(w, 0, sizeof(*w));
}

void luna_attrw_free(struct luna_attrw *w)
{
	kfree_sensitive(w->data);
	luna_attrw_init(w);
}

/* Room for @more bytes; what moves is wiped where it was. */
static bool attrw_reserve(struct luna_attrw *w, u32 more)
{
	u32 need, room;
	u8 *data;

	if (check_add_overflow(w->len, more, &need) || need > LUNA_OBJECT_MAX) {
		w->err = -E2BIG;
		return false;
	}
	if (need <= w->room)
		return true;
	room = max3((u32)ATTRW_MIN, 2 * w->room, need);
	data = kmalloc(room, GFP_KERNEL | __GFP_NOWARN);
	if (!data) {
		w->err = -ENOMEM;
		return false;
	}
	if (w->data)
		memcpy(data, w->data, w->len);
	kfree_sensitive(w->data);
	w->data = data;
	w->room = room;
	return true;
}

/* Cuts the attribute @type out. */
static void attrw_drop(struct luna_attrw *w, u32 type)
{
	const struct luna_tmpl tmpl = luna_attrw_tmpl(w);
	u32 at = 0, from = 0, seen, len;
	const u8 *value;

	while (luna_tmpl_next(&tmpl, &at, &seen, &value, &len)) {
		if (seen == type) {
			memmove(w->data + from, w->data + at, w->len - at);
			w->len -= at - from;
			memzero_explicit(w->data + w->len, at - from);
			return;
		}
		from = at;
	}
}

void luna_attrw_set(struct luna_attrw *w, u32 type, const void *value, u32 len)
{
	struct luna_attr attr = { .type = type, .len = len };
	u32 padded;

	if (w->err)
		return;
	if (len > LUNA_OBJECT_MAX) {
		w->err = -E2BIG;
		return;
	}
	attrw_drop(w, type);
	padded = ALIGN(len, 8);
	if (!attrw_reserve(w, sizeof(attr) + padded))
		return;
	memcpy(w->data + w->len, &attr, sizeof(attr));
	w->len += sizeof(attr);
	if (len)
		memcpy(w->data + w->len, value, len);
	memset(w->data + w->len + len, 0, padded - len);
	w->len += padded;
}

void luna_attrw_ulong(struct luna_attrw *w, u32 type, u64 value)
{
	luna_attrw_set(w, type, &value, sizeof(value));
}

void luna_attrw_bool(struct luna_attrw *w, u32 type, bool value)
{
	u8 truth = value;

	luna_attrw_set(w, type, &truth, sizeof(truth));
}

/* The attribute with the smallest type of at least @least: its offset and size. */
static bool attrw_smallest(const struct luna_attrw *w, u64 least, u32 *type, u32 *from, u32 *size)
{
	const struct luna_tmpl tmpl = luna_attrw_tmpl(w);
	u32 at = 0, begin = 0, seen, len;
	bool found = false;
	const u8 *value;

	while (luna_tmpl_next(&tmpl, &at, &seen, &value, &len)) {
		if (seen >= least && (!found || seen < *type)) {
			found = true;
			*type = seen;
			*from = begin;
			*size = at - begin;
		}
		begin = at;
	}
	return found;
}

struct luna_attrs *luna_attrw_finish(struct luna_attrw *w)
{
	u32 type = 0, from = 0, size = 0, at = 0;
	struct luna_attrs *attrs;
	u64 least = 0;

	if (w->err)
		return ERR_PTR(w->err);
	attrs = luna_attrs_alloc(w->len);
	if (!attrs)
		return ERR_PTR(-ENOMEM);
	/* Lists are short, so that picking the next smallest beats any cleverer sort. */
	while (attrw_smallest(w, least, &type, &from, &size)) {
		memcpy(attrs->data + at, w->data + from, size);
		at += size;
		least = (u64)type + 1;
	}
	return attrs;
}
