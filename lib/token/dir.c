// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Directories of objects: a table by handle, and hash chains by label and by id, which grow with
 * it. The hashes are keyed by a random seed of this load, so that no client can choose values that
 * collide.
 */
#include "object_rules.h"
#include "token_init.h"

enum {
	BUCKETS_MIN = 16,
	BUCKET_LOAD = 2,	/* objects per bucket before the chains grow */
	CHAIN_STEPS = 4,	/* times the room for candidates: a longer chain is not walked */
};

static const u32 index_attrs[LUNA_INDEXES] = {
	[LUNA_INDEX_LABEL] = CKA_LABEL,
	[LUNA_INDEX_ID] = CKA_ID,
};

static u32 hash_seed;

u32 luna_dir_hash(const u8 *value, u32 len)
{
	return jhash(value, len, READ_ONCE(hash_seed));
}

int luna_dir_init(struct luna_dir *dir)
{
	if (!READ_ONCE(hash_seed))
		cmpxchg(&hash_seed, 0, get_random_u32() | 1);
	memset(dir, 0, sizeof(*dir));
	init_rwsem(&dir->lock);
	luna_table_init(&dir->table);
	INIT_LIST_HEAD(&dir->opened);
	spin_lock_init(&dir->opened_lock);
	return 0;
}

void luna_dir_free(struct luna_dir *dir)
{
	struct luna_object *obj;
	u32 handle = 0;

	while ((obj = luna_table_next(&dir->table, handle, &handle)) != NULL)
		luna_object_put(obj);
	luna_table_free(&dir->table);
	kvfree(dir->by_label);
	kvfree(dir->by_id);
	dir->by_label = NULL;
	dir->by_id = NULL;
	dir->buckets = 0;
}

u32 luna_dir_count(struct luna_dir *dir)
{
	guard(rwsem_read)(&dir->lock);
	return dir->table.live;
}

static struct hlist_head *dir_bucket(const struct luna_dir *dir, enum luna_index index, u32 hash)
{
	struct hlist_head *chains = index == LUNA_INDEX_ID ? dir->by_id : dir->by_label;

	return &chains[hash & (dir->buckets - 1)];
}

/* Moves every object from the chains @old to those of @dir. */
static void dir_rehash(struct luna_dir *dir, struct hlist_head *labels, struct hlist_head *ids,
		       u32 buckets)
{
	struct luna_object *obj;
	struct hlist_node *next;
	u32 i;

	for (i = 0; i < buckets; i++) {
		hlist_for_each_entry_safe(obj, next, &labels[i], by_label) {
			hlist_del_init(&obj->by_label);
			hlist_add_head(&obj->by_label,
				       dir_bucket(dir, LUNA_INDEX_LABEL, obj->label_hash));
		}
		hlist_for_each_entry_safe(obj, next, &ids[i], by_id) {
			hlist_del_init(&obj->by_id);
			hlist_add_head(&obj->by_id, dir_bucket(dir, LUNA_INDEX_ID, obj->id_hash));
		}
	}
}

/* Doubles the chains when they are full. They work without, only slower, but not without any. */
static int dir_grow(struct luna_dir *dir)
{
	struct hlist_head *labels, *ids, *old_labels = dir->by_label, *old_ids = dir->by_id;
	u32 old = dir->buckets, buckets = old ? 2 * old : BUCKETS_MIN;

	if (old && dir->table.live / BUCKET_LOAD < old)
		return 0;
	labels = kvcalloc(buckets, sizeof(*labels), GFP_KERNEL);
	ids = kvcalloc(buckets, sizeof(*ids), GFP_KERNEL);
	if (!labels || !ids) {
		kvfree(labels);
		kvfree(ids);
		return old ? 0 : -ENOMEM;
	}
	dir->by_label = labels;
	dir->by_id = ids;
	dir->buckets = buckets;
	dir_rehash(dir, old_labels, old_ids, old);
	kvfree(old_labels);
	kvfree(old_ids);
	return 0;
}

void luna_dir_move(struct luna_dir *to, struct luna_dir *from, struct luna_token *token)
{
	struct luna_object *obj;
	u32 handle = 0;

	while ((obj = luna_table_next(&from->table, handle, &handle)) != NULL)
		obj->token = token;
	guard(rwsem_write)(&to->lock);
	swap(to->table, from->table);
	swap(to->by_label, from->by_label);
	swap(to->by_id, from->by_id);
	swap(to->buckets, from->buckets);
	swap(to->unindexed, from->unindexed);
}

void luna_dir_opened(struct luna_dir *dir, struct luna_object *obj)
{
	guard(spinlock)(&dir->opened_lock);
	if (list_empty(&obj->opened))
		list_add(&obj->opened, &dir->opened);
}

static void dir_closed(struct luna_dir *dir, struct luna_object *obj)
{
	guard(spinlock)(&dir->opened_lock);
	list_del_init(&obj->opened);
}

struct luna_object *luna_dir_take_opened(struct luna_dir *dir)
{
	struct luna_object *obj;

	guard(spinlock)(&dir->opened_lock);
	obj = list_first_entry_or_null(&dir->opened, struct luna_object, opened);
	if (obj)
		list_del_init(&obj->opened);
	return obj;
}

void luna_dir_remove(struct luna_dir *dir, struct luna_object *obj)
{
	luna_table_remove(&dir->table, obj->handle);
	dir_closed(dir, obj);
	hlist_del_init(&obj->by_label);
	hlist_del_init(&obj->by_id);
	if (!obj->indexed)
		WRITE_ONCE(dir->unindexed, dir->unindexed - 1);
}

u32 luna_dir_handle(struct luna_dir *dir)
{
	do {
		dir->next = (dir->next + 1) | LUNA_HANDLE_SESSION;
	} while (luna_table_find(&dir->table, dir->next));
	return dir->next;
}

static void dir_link(struct luna_dir *dir, enum luna_index index, struct hlist_node *node,
		     u32 *hash, const struct luna_attrs *attrs)
{
	const u8 *value = NULL;
	u32 len;

	hlist_del_init(node);
	if (attrs)
		value = luna_attrs_bytes(attrs, index_attrs[index], &len);
	if (!value)
		return;
	WRITE_ONCE(*hash, luna_dir_hash(value, len));
	hlist_add_head(node, dir_bucket(dir, index, *hash));
}

static void dir_link_both(struct luna_dir *dir, struct luna_object *obj,
			  const struct luna_attrs *attrs)
{
	dir_link(dir, LUNA_INDEX_LABEL, &obj->by_label, &obj->label_hash, attrs);
	dir_link(dir, LUNA_INDEX_ID, &obj->by_id, &obj->id_hash, attrs);
	obj->indexed = true;
}

void luna_dir_index(struct luna_dir *dir, struct luna_object *obj, const struct luna_attrs *attrs)
{
	if (!obj->indexed)
		WRITE_ONCE(dir->unindexed, dir->unindexed - 1);
	dir_link_both(dir, obj, attrs);
}

int luna_dir_insert(struct luna_dir *dir, struct luna_object *obj, const struct luna_attrs *attrs)
{
	int ret;

	ret = dir_grow(dir);
	if (!ret)
		ret = luna_table_insert(&dir->table, obj->handle, obj);
	if (ret)
		return ret;
	if (attrs)
		dir_link_both(dir, obj, attrs);
	else
		WRITE_ONCE(dir->unindexed, dir->unindexed + 1);
	return 0;
}

static void node_replace(struct hlist_node *from, struct hlist_node *to)
{
	if (hlist_unhashed(from))
		return;
	hlist_add_behind(to, from);
	hlist_del_init(from);
}

void luna_dir_replace(struct luna_dir *dir, struct luna_object *from, struct luna_object *to)
{
	to->indexed = from->indexed;
	to->label_hash = from->label_hash;
	to->id_hash = from->id_hash;
	node_replace(&from->by_label, &to->by_label);
	node_replace(&from->by_id, &to->by_id);
	luna_table_remove(&dir->table, from->handle);
	/* Into the row that has just become free: this cannot fail. */
	WARN_ON(luna_table_insert(&dir->table, to->handle, to));
}

/* The object that @node belongs to in the chains of @index. */
static struct luna_object *node_object(enum luna_index index, struct hlist_node *node)
{
	if (!node)
		return NULL;
	return index == LUNA_INDEX_ID ? hlist_entry(node, struct luna_object, by_id) :
					hlist_entry(node, struct luna_object, by_label);
}

static struct hlist_node *object_next(enum luna_index index, const struct luna_object *obj)
{
	return index == LUNA_INDEX_ID ? obj->by_id.next : obj->by_label.next;
}

int luna_dir_candidates(const struct luna_dir *dir, enum luna_index index, u32 hash, u32 after,
			bool logged_in, struct luna_object **objs, u32 room)
{
	struct luna_object *obj;
	u32 count = 0, steps = 0;

	if (!dir->buckets)
		return 0;
	obj = node_object(index, dir_bucket(dir, index, hash)->first);
	for (; obj; obj = node_object(index, object_next(index, obj))) {
		if (count == room || ++steps > CHAIN_STEPS * room)
			goto too_many;
		if ((index == LUNA_INDEX_ID ? obj->id_hash : obj->label_hash) != hash ||
		    obj->handle <= after || !luna_object_seen(obj, logged_in))
			continue;
		refcount_inc(&obj->refs);
		objs[count++] = obj;
	}
	return count;
too_many:
	while (count)
		luna_object_put(objs[--count]);
	return -E2BIG;
}
