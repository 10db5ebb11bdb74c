// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Searching (LUNA_FIND; PKCS#11 v2.40, 5.7 C_FindObjects). The device keeps no search: every
 * command goes on above the handle where the last one ended.
 *
 * A label or an id in the template leads straight to the few objects of the same hash. Else, or if
 * too many share it, the directory is walked in the order of handles; class, key type, booleans and
 * hashes are compared without opening an object, and only what passes is opened for the rest.
 */
#include "cmd.h"
#include "object_rules.h"

enum {
	BATCH = 64,		/* objects taken out of a directory at a time */
	SCAN = 4096,		/* rows looked at before others may take the lock */
	FIND_MAX = 65536,	/* handles of one reply */
};

/**
 * struct query - a template, taken apart
 * @tmpl: the template
 * @never: nothing can match
 * @rest: more to compare than what stands in struct luna_object
 * @has_class: @class is asked for
 * @has_type: @type is asked for
 * @has_hash: a label or id of that @hash is asked for, by enum luna_index
 * @class: CKO_*
 * @type: CKK_*
 * @hash: of the label and of the id
 * @set: bits that must be
 * @clear: bits that may not be, though the object has such an attribute
 * @known: the bits that objects of @known_class and @known_type have at all
 * @known_class: of the object last looked at
 * @known_type: of the object last looked at
 */
struct query {
	struct luna_tmpl tmpl;
	bool never, rest;
	bool has_class, has_type, has_hash[LUNA_INDEXES];
	u32 class, type, hash[LUNA_INDEXES];
	u32 set, clear;
	u32 known, known_class, known_type;
};

/**
 * struct search - a search under way
 * @open: whose session objects are searched as well
 * @token: whose objects are searched
 * @q: what is searched
 * @logged_in: private objects are searched
 * @after: only objects above this handle
 * @out: room for @max handles
 * @max: handles wanted
 * @count: handles found
 * @more: there is another one
 * @objs: objects on their way out of a directory, each with a reference
 * @attrs: their attributes, while they are being indexed
 */
struct search {
	struct luna_open *open;
	struct luna_token *token;
	struct query q;
	bool logged_in;
	u32 after;
	u8 *out;
	u32 max, count;
	bool more;
	struct luna_object *objs[BATCH];
	struct luna_attrs *attrs[BATCH];
};

static bool row_is_bit(const struct luna_attr_row *row)
{
	return row->bit != LUNA_NO_BIT;
}

static void query_ulong(struct query *q, const struct luna_value *value, bool *has, u32 *to)
{
	u64 wide;

	memcpy(&wide, value->data, sizeof(wide));
	q->never |= wide > U32_MAX;
	*has = true;
	*to = wide;
}

static void query_hash(struct query *q, enum luna_index index, const struct luna_value *value)
{
	q->has_hash[index] = true;
	q->hash[index] = luna_dir_hash(value->data, value->len);
	q->rest = true;
}

/* A type or value that no object can have matches none; it is no error (C_FindObjectsInit). */
static void query_one(struct query *q, u32 type, const u8 *data, u32 len)
{
	const struct luna_attr_row *row = luna_attr_any(type);
	struct luna_value value;

	if (!row || luna_value_read(&value, row, data, len)) {
		q->never = true;
		return;
	}
	if (row_is_bit(row) && value.truth)
		q->set |= BIT(row->bit);
	else if (row_is_bit(row))
		q->clear |= BIT(row->bit);
	else if (type == CKA_CLASS)
		query_ulong(q, &value, &q->has_class, &q->class);
	else if (type == CKA_KEY_TYPE)
		query_ulong(q, &value, &q->has_type, &q->type);
	else if (type == CKA_LABEL)
		query_hash(q, LUNA_INDEX_LABEL, &value);
	else if (type == CKA_ID)
		query_hash(q, LUNA_INDEX_ID, &value);
	else
		q->rest = true;
}

static u32 query_init(struct query *q, const u8 *data, u32 len)
{
	u32 at = 0, type, value_len, rv;
	const u8 *value;

	q->known_class = LUNA_CLASS_UNKNOWN;
	rv = luna_tmpl_check(&q->tmpl, data, len);
	if (rv == CKR_TEMPLATE_INCONSISTENT)
		q->never = true;	/* one attribute with two values */
	else if (rv)
		return rv;
	while (!q->never && luna_tmpl_next(&q->tmpl, &at, &type, &value, &value_len))
		query_one(q, type, value, value_len);
	return CKR_OK;
}

/* Has the object all of these boolean attributes, be they true or false? */
static bool query_has_bits(struct query *q, u32 class, u32 type, u32 bits)
{
	const struct luna_attr_row *row;
	struct luna_kind kind;
	u32 at = 0;

	if (class != q->known_class || type != q->known_type) {
		q->known = 0;
		q->known_class = class;
		q->known_type = type;
		if (luna_kind_find(&kind, class, type) == CKR_OK)
			while ((row = luna_attr_next(&kind, &at)) != NULL)
				if (row_is_bit(row))
					q->known |= BIT(row->bit);
	}
	return (q->known & bits) == bits;
}

/* What can be said without opening the object. */
static bool query_passes(struct query *q, const struct luna_object *obj)
{
	u32 class = READ_ONCE(obj->class), type = READ_ONCE(obj->key_type);
	u32 bits = READ_ONCE(obj->bits);

	if ((q->has_class && class != q->class) || (q->has_type && type != q->type))
		return false;
	if ((bits & q->set) != q->set || (bits & q->clear))
		return false;
	if (q->has_hash[LUNA_INDEX_LABEL] &&
	    READ_ONCE(obj->label_hash) != q->hash[LUNA_INDEX_LABEL])
		return false;
	if (q->has_hash[LUNA_INDEX_ID] && READ_ONCE(obj->id_hash) != q->hash[LUNA_INDEX_ID])
		return false;
	return !q->clear || query_has_bits(q, class, type, q->clear);
}

static bool query_equals(const struct query *q, const struct luna_object *obj,
			 const struct luna_attrs *attrs)
{
	const struct luna_attr_row *row;
	u32 at = 0, type, len;
	struct luna_value value;
	struct luna_kind kind;
	const u8 *data;

	if (luna_kind_find(&kind, obj->class, obj->key_type))
		return false;
	while (luna_tmpl_next(&q->tmpl, &at, &type, &data, &len)) {
		row = luna_attr_find(type, &kind);
		if (!row || luna_attr_withheld(obj->token, row, READ_ONCE(obj->bits)))
			return false;
		if (row_is_bit(row))
			continue;
		if (luna_value_read(&value, row, data, len) ||
		    !luna_attrs_equal(attrs, type, value.data, value.len))
			return false;
	}
	return true;
}

/*
 * May an object that could not be opened for this be opened next time? Then a search that went on
 * without it would say that there is none. Else somebody logged out, or the object is damaged.
 */
static bool passing(long err)
{
	return err && err != -EACCES && err != -EBADMSG;
}

/* Compares what query_passes() could not. Of objects that were not led to, none is kept open. */
static u32 search_matches(struct search *s, struct luna_object *obj, bool *matches)
{
	struct luna_attrs *attrs;

	*matches = true;
	if (!s->q.rest)
		return CKR_OK;
	attrs = s->q.has_hash[LUNA_INDEX_LABEL] || s->q.has_hash[LUNA_INDEX_ID] ?
		luna_object_attrs(s->token, obj) : luna_object_peek(s->token, obj);
	if (!IS_ERR(attrs)) {
		*matches = query_equals(&s->q, obj, attrs);
		luna_attrs_put(attrs);
		return CKR_OK;
	}
	*matches = false;
	return passing(PTR_ERR(attrs)) ? luna_ckr(PTR_ERR(attrs)) : CKR_OK;
}

static u32 search_take(struct search *s, struct luna_object *obj)
{
	bool matches;
	u32 rv;

	rv = search_matches(s, obj, &matches);
	if (rv || !matches)
		return rv;
	if (s->count == s->max) {
		s->more = true;
		return CKR_OK;
	}
	memcpy(s->out + s->count * sizeof(u32), &obj->handle, sizeof(u32));
	s->count++;
	return CKR_OK;
}

/* Takes @count objects of s->objs and puts all of them. */
static u32 search_take_all(struct search *s, u32 count)
{
	u32 i, rv = CKR_OK;

	for (i = 0; i < count; i++) {
		if (rv == CKR_OK && !s->more)
			rv = search_take(s, s->objs[i]);
		luna_object_put(s->objs[i]);
	}
	return rv;
}

static bool search_wants(struct search *s, const struct luna_object *obj)
{
	return luna_object_seen(obj, s->logged_in) && query_passes(&s->q, obj);
}

static bool index_wants(struct search *s, const struct luna_object *obj)
{
	return !obj->indexed && !obj->dying;
}

/*
 * The next objects above *@at that are wanted; *@at moves on. *@end: there are no others. Inlined,
 * so that no object costs an indirect call.
 */
static __always_inline u32 batch(struct search *s, struct luna_dir *dir,
				 bool (*wants)(struct search *s, const struct luna_object *obj),
				 u32 *at, bool *end)
{
	struct luna_object *obj;
	u32 count = 0, scanned;

	guard(rwsem_read)(&dir->lock);
	for (scanned = 0; scanned < SCAN && count < BATCH; scanned++) {
		obj = luna_table_next(&dir->table, *at, at);
		if (!obj) {
			*end = true;
			break;
		}
		if (!wants(s, obj))
			continue;
		refcount_inc(&obj->refs);
		s->objs[count++] = obj;
	}
	return count;
}

static u32 search_walk(struct search *s, struct luna_dir *dir)
{
	u32 at = s->after, rv = CKR_OK;
	bool end = false;

	while (rv == CKR_OK && !end && !s->more) {
		rv = search_take_all(s, batch(s, dir, search_wants, &at, &end));
		cond_resched();
	}
	return rv;
}

static int object_order(const void *a, const void *b)
{
	const struct luna_object *const *x = a, *const *y = b;

	return (*x)->handle < (*y)->handle ? -1 : (*x)->handle > (*y)->handle;
}

/* An id is rarer than a label. -E2BIG: no index helps. */
static int search_candidates(struct search *s, struct luna_dir *dir)
{
	int index, count = -E2BIG;

	guard(rwsem_read)(&dir->lock);
	for (index = LUNA_INDEX_ID; index >= LUNA_INDEX_LABEL && count < 0; index--)
		if (s->q.has_hash[index])
			count = luna_dir_candidates(dir, index, s->q.hash[index], s->after,
						    s->logged_in, s->objs, BATCH);
	return count;
}

static u32 search_indexed(struct search *s, u32 count)
{
	u32 i, kept = 0;

	for (i = 0; i < count; i++) {
		if (query_passes(&s->q, s->objs[i]))
			s->objs[kept++] = s->objs[i];
		else
			luna_object_put(s->objs[i]);
	}
	sort(s->objs, kept, sizeof(s->objs[0]), object_order, NULL);
	return search_take_all(s, kept);
}

static u32 search_dir(struct search *s, struct luna_dir *dir)
{
	int count = search_candidates(s, dir);

	return count < 0 ? search_walk(s, dir) : search_indexed(s, count);
}

/*
 * ---- objects loaded sealed are opened once, to be indexed, by the first search after a login ----
 */

static u32 index_open(struct search *s, u32 count)
{
	u32 i, rv = CKR_OK;
	long err;

	for (i = 0; i < count; i++) {
		s->attrs[i] = luna_object_peek(s->token, s->objs[i]);
		err = PTR_ERR_OR_ZERO(s->attrs[i]);
		if (passing(err))
			rv = luna_ckr(err);
		else if (err == -EBADMSG)
			pr_err("slot %u: object %u cannot be opened (%ld)\n",
			       s->token->config.slot, s->objs[i]->handle, err);
	}
	return rv;
}

/* A damaged one is not tried again: it is found by no label, and reading it is an error. */
static void index_link(struct search *s, struct luna_dir *dir, u32 count)
{
	struct luna_object *obj;
	u32 i;

	guard(rwsem_write)(&dir->lock);
	for (i = 0; i < count; i++) {
		obj = s->objs[i];
		if (obj->indexed || obj->dying)
			continue;
		if (!IS_ERR(s->attrs[i]))
			luna_dir_index(dir, obj, s->attrs[i]);
		else if (PTR_ERR(s->attrs[i]) == -EBADMSG)
			luna_dir_index(dir, obj, NULL);
	}
}

static u32 index_all(struct search *s, struct luna_dir *dir)
{
	u32 at = 0, count, i, rv = CKR_OK;
	bool end = false;

	while (rv == CKR_OK && !end) {
		count = batch(s, dir, index_wants, &at, &end);
		rv = index_open(s, count);
		index_link(s, dir, count);
		for (i = 0; i < count; i++) {
			if (!IS_ERR(s->attrs[i]))
				luna_attrs_put(s->attrs[i]);
			luna_object_put(s->objs[i]);
		}
		cond_resched();
	}
	return rv;
}

/* Token objects have lower handles than session objects, so that this is the ascending order. */
static u32 search_run(struct search *s)
{
	struct luna_dir *dir = &s->token->objects;
	u32 rv = CKR_OK;

	if (s->q.never)
		return CKR_OK;
	if (!(s->q.clear & BIT(LUNA_BIT_TOKEN)) && !(s->after & LUNA_HANDLE_SESSION)) {
		if (s->logged_in && READ_ONCE(dir->unindexed))
			rv = index_all(s, dir);
		if (rv == CKR_OK)
			rv = search_dir(s, dir);
	}
	if (rv == CKR_OK && !s->more && !(s->q.set & BIT(LUNA_BIT_TOKEN)))
		rv = search_dir(s, &s->open->objects);
	return rv;
}

static u32 search_reply(struct search *s, struct luna_ucmd *cmd)
{
	struct luna_find *arg = cmd->arg;
	u32 rv;

	s->max = min_t(u32, arg->max, FIND_MAX);
	s->out = luna_reply_room(cmd, s->max * sizeof(u32));
	if (!s->out)
		return CKR_DEVICE_MEMORY;
	rv = search_run(s);
	luna_reply_trim(cmd, s->count * sizeof(u32));
	arg->count = s->count;
	arg->complete = !s->more;
	return rv;
}

u32 luna_do_find(struct luna_ucmd *cmd)
{
	const struct luna_find *arg = cmd->arg;
	struct search *s;
	u32 rv;

	if (arg->reserved || arg->template_len != cmd->in_len)
		return CKR_ARGUMENTS_BAD;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return CKR_DEVICE_MEMORY;
	s->open = cmd->open;
	s->token = cmd->token;
	s->logged_in = luna_open_logged_in(cmd->open);
	s->after = arg->after;
	rv = query_init(&s->q, cmd->in, cmd->in_len);
	if (rv == CKR_OK)
		rv = search_reply(s, cmd);
	kfree(s);
	return rv;
}
