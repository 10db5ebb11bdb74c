// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Objects from when they are stored, or loaded, until they are destroyed. Which attributes an
 * object may have is decided in object_rules.c; the commands are in object_cmd.c.
 *
 * Everything that writes to the store holds token->lock for reading: what ends objects by the way
 * (InitToken, a destructive policy, the last logout) holds it for writing, and finds nothing half
 * done. A change and a destruction of one object exclude each other by obj->lock, held until what
 * they did is durable.
 */
#include "key.h"
#include "object_rules.h"

enum { LUNA_PUBLISH_MAX = 8 };

u32 luna_attrs_bits(const struct luna_attrs *attrs, const struct luna_kind *kind)
{
	const struct luna_tmpl list = luna_attrs_tmpl(attrs);
	const struct luna_attr_row *row;
	u32 at = 0, type, len, bits = 0;
	const u8 *value;

	while (luna_tmpl_next(&list, &at, &type, &value, &len)) {
		row = luna_attr_find(type, kind);
		if (row && row->bit != LUNA_NO_BIT && len == 1 && *value)
			bits |= BIT(row->bit);
	}
	return bits;
}

/* Sets class, key type and bits. -EBADMSG: this is no object of ours. */
static int object_decode(struct luna_object *obj, const struct luna_attrs *attrs)
{
	u64 class, key_type = LUNA_KEY_TYPE_NONE;
	struct luna_kind kind;

	if (!luna_attrs_ulong(attrs, CKA_CLASS, &class))
		return -EBADMSG;
	luna_attrs_ulong(attrs, CKA_KEY_TYPE, &key_type);
	if (luna_kind_find(&kind, class, key_type))
		return -EBADMSG;
	WRITE_ONCE(obj->bits, luna_attrs_bits(attrs, &kind));
	WRITE_ONCE(obj->key_type, kind.key_type);
	WRITE_ONCE(obj->class, kind.class);
	return 0;
}

static struct luna_object *object_alloc(struct luna_token *token)
{
	struct luna_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL_ACCOUNT);

	if (!obj)
		return NULL;
	refcount_set(&obj->refs, 1);
	mutex_init(&obj->lock);
	INIT_LIST_HEAD(&obj->opened);
	obj->token = token;
	obj->class = LUNA_CLASS_UNKNOWN;
	obj->key_type = LUNA_KEY_TYPE_NONE;
	return obj;
}

struct luna_object *luna_object_new(struct luna_token *token, struct luna_attrs *attrs)
{
	struct luna_object *obj = object_alloc(token);
	int ret = -ENOMEM;

	if (obj)
		ret = object_decode(obj, attrs);
	if (!ret) {
		obj->attrs = attrs;
		return obj;
	}
	luna_attrs_put(attrs);
	luna_object_put(obj);
	return ERR_PTR(ret);
}

static void object_free_keys(struct luna_object *obj)
{
	if (obj->keys)
		luna_key_cache_free(obj->keys, obj->token->crypto);
	obj->keys = NULL;
}

void luna_object_put(struct luna_object *obj)
{
	if (!obj || !refcount_dec_and_test(&obj->refs))
		return;
	object_free_keys(obj);
	luna_attrs_put(obj->attrs);
	if (obj->held)
		luna_open_unhold(obj->owner, obj->held);
	kfree(obj->sealed);
	mutex_destroy(&obj->lock);
	kfree_sensitive(obj);
}

/* The directory that an object of this handle, or this object, is in. */
static struct luna_dir *handle_dir(struct luna_open *open, u32 handle)
{
	return handle & LUNA_HANDLE_SESSION ? &open->objects : &open->token->objects;
}

static struct luna_dir *object_dir(struct luna_object *obj)
{
	return obj->owner ? &obj->owner->objects : &obj->token->objects;
}

/* ---- sealed and opened ---- */

static struct luna_attrs *object_unseal(struct luna_token *token, struct luna_object *obj)
{
	struct luna_attrs *attrs;
	struct luna_tmpl tmpl;
	int ret;

	attrs = luna_attrs_alloc(obj->sealed_len - LUNA_SEAL_OVERHEAD);
	if (!attrs)
		return ERR_PTR(-ENOMEM);
	ret = luna_unseal(token, token->seal_key, LUNA_SEAL_OBJECT, obj->handle, obj->sealed,
			  obj->sealed_len, attrs->data);
	if (!ret && luna_tmpl_check(&tmpl, attrs->data, attrs->len))
		ret = -EBADMSG;
	if (!ret && obj->class == LUNA_CLASS_UNKNOWN)
		ret = object_decode(obj, attrs);
	if (!ret)
		return attrs;
	luna_attrs_put(attrs);
	return ERR_PTR(ret);
}

/* token->lock and obj->lock are held. */
static struct luna_attrs *object_open_locked(struct luna_object *obj, bool keep)
{
	struct luna_token *token = obj->token;
	struct luna_attrs *attrs;

	lockdep_assert_held(&token->lock);
	lockdep_assert_held(&obj->lock);
	if (obj->attrs)
		return luna_attrs_get(obj->attrs);
	if (!obj->sealed || !token->unlocked || !token->seal_key)
		return ERR_PTR(-EACCES);
	attrs = object_unseal(token, obj);
	/* One that is being destroyed has left the list, or will not look at it again. */
	if (!IS_ERR(attrs) && keep && !READ_ONCE(obj->dying)) {
		obj->attrs = luna_attrs_get(attrs);
		luna_dir_opened(&token->objects, obj);
	}
	return attrs;
}

static struct luna_attrs *object_open(struct luna_object *obj, bool keep)
{
	struct luna_attrs *attrs = NULL;

	mutex_lock(&obj->lock);
	if (obj->attrs)
		attrs = luna_attrs_get(obj->attrs);
	mutex_unlock(&obj->lock);
	if (attrs)
		return attrs;
	guard(rwsem_read)(&obj->token->lock);
	guard(mutex)(&obj->lock);
	return object_open_locked(obj, keep);
}

struct luna_attrs *luna_object_attrs(struct luna_token *token, struct luna_object *obj)
{
	return object_open(obj, true);
}

struct luna_attrs *luna_object_peek(struct luna_token *token, struct luna_object *obj)
{
	return object_open(obj, false);
}

struct luna_object *luna_object_get(struct luna_session *session, u32 handle)
{
	struct luna_dir *dir = handle_dir(session->open, handle);
	struct luna_object *obj;
	struct luna_attrs *attrs;

	down_read(&dir->lock);
	obj = luna_table_find(&dir->table, handle);
	if (obj && !luna_object_seen(obj, luna_open_logged_in(session->open)))
		obj = NULL;
	if (obj)
		refcount_inc(&obj->refs);
	up_read(&dir->lock);
	if (!obj || READ_ONCE(obj->class) != LUNA_CLASS_UNKNOWN)
		return obj;
	attrs = luna_object_attrs(obj->token, obj);
	if (!IS_ERR(attrs)) {
		luna_attrs_put(attrs);
		return obj;
	}
	luna_object_put(obj);
	/* Sealed again by a logout, or damaged: nobody sees it. */
	if (PTR_ERR(attrs) == -EACCES || PTR_ERR(attrs) == -EBADMSG)
		return NULL;
	return ERR_CAST(attrs);
}

u32 luna_object_none(const struct luna_object *obj, u32 none)
{
	return obj ? luna_ckr(PTR_ERR(obj)) : none;
}

/* ---- storing ---- */

/*
 * The store's record of a token object with @attrs. Private ones are sealed, into memory that
 * becomes the object's when the record is durable: *@sealed. token->lock is held.
 */
static int object_record(struct luna_object *obj, struct luna_attrs *attrs,
			 struct luna_log_object *record, u8 **sealed)
{
	struct luna_token *token = obj->token;
	u32 len = attrs->len + LUNA_SEAL_OVERHEAD;
	int ret;

	*sealed = NULL;
	*record = (struct luna_log_object){
		.handle = obj->handle, .data = attrs->data, .len = attrs->len,
	};
	if (!luna_object_is(obj, LUNA_BIT_PRIVATE))
		return 0;
	if (!token->unlocked || !token->seal_key)
		return -EACCES;
	*sealed = kmalloc(len, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!*sealed)
		return -ENOMEM;
	ret = luna_seal(token, token->seal_key, LUNA_SEAL_OBJECT, obj->handle, attrs->data,
			attrs->len, *sealed);
	record->private = true;
	record->data = *sealed;
	record->len = len;
	return ret;
}

/* Takes the memory that object_record() made. */
static void object_take_sealed(struct luna_object *obj, struct luna_log_object *record, u8 *sealed)
{
	if (!sealed)
		return;
	kfree(obj->sealed);
	obj->sealed = sealed;
	obj->sealed_len = record->len;
}

/* Several objects on their way to the store. */
struct publishing {
	struct luna_session *session;
	struct luna_object **objs;
	u32 count;
	struct luna_log_object records[LUNA_PUBLISH_MAX];
	u8 *sealed[LUNA_PUBLISH_MAX];
	u32 stored;		/* records and sealed in use */
};

/*
 * A session object keeps @attrs from now on, instead of what it had; it cannot outlive its owner.
 */
static bool object_hold(struct luna_object *obj, const struct luna_attrs *attrs)
{
	const u32 bytes = LUNA_OBJECT_BYTES + attrs->len;

	if (!luna_open_hold(obj->owner, bytes))
		return false;
	luna_open_unhold(obj->owner, obj->held);
	obj->held = bytes;
	return true;
}

static u32 object_number(struct luna_dir *dir, struct luna_object *obj)
{
	int handle;

	if (obj->owner) {
		if (dir->table.live >= LUNA_SESSION_OBJECTS_MAX || !object_hold(obj, obj->attrs))
			return CKR_DEVICE_MEMORY;
		obj->handle = luna_dir_handle(dir);
		return CKR_OK;
	}
	handle = atomic_inc_return(&obj->token->next_handle);
	if (handle <= 0) {		/* 2^31 objects have been made: none is left */
		atomic_dec(&obj->token->next_handle);
		return CKR_DEVICE_MEMORY;
	}
	obj->handle = handle;
	return CKR_OK;
}

/* Gives an object its handle and its place, where nobody sees it before it is durable. */
static u32 publish_place(struct luna_object *obj)
{
	struct luna_dir *dir = object_dir(obj);
	u32 rv;

	guard(rwsem_write)(&dir->lock);
	rv = object_number(dir, obj);
	if (rv)
		return rv;
	obj->dying = true;
	return luna_dir_insert(dir, obj, obj->attrs) ? CKR_DEVICE_MEMORY : CKR_OK;
}

static void publish_unplace(struct luna_object *obj)
{
	struct luna_dir *dir = object_dir(obj);

	guard(rwsem_write)(&dir->lock);
	luna_dir_remove(dir, obj);
	obj->indexed = false;
	obj->dying = false;
}

static u32 publish_store(struct publishing *p)
{
	struct luna_token *token = p->session->open->token;
	u32 i;
	int ret;

	for (i = 0; i < p->count; i++) {
		if (p->objs[i]->owner)
			continue;
		ret = object_record(p->objs[i], p->objs[i]->attrs, &p->records[p->stored],
				    &p->sealed[p->stored]);
		p->stored++;
		if (ret)
			return luna_ckr(ret);
	}
	return p->stored ? luna_ckr(luna_log_put(token, p->records, p->stored)) : CKR_OK;
}

/*
 * Makes an object visible. A logout that came in between ends private session objects, and this one
 * as well, as if it had come after.
 */
static void publish_show(struct luna_object *obj)
{
	struct luna_dir *dir = object_dir(obj);
	bool ended;

	down_write(&dir->lock);
	obj->dying = false;
	if (obj->sealed)
		luna_dir_opened(dir, obj);
	ended = obj->owner && luna_object_is(obj, LUNA_BIT_PRIVATE) &&
		!luna_open_logged_in(obj->owner);
	if (ended) {
		obj->dying = true;
		luna_dir_remove(dir, obj);
	}
	up_write(&dir->lock);
	if (ended)
		luna_object_put(obj);
}

static void publish_done(struct publishing *p, u32 *handles)
{
	u32 i, at = 0;

	for (i = 0; i < p->count; i++) {
		handles[i] = p->objs[i]->handle;
		if (p->objs[i]->owner)
			continue;
		object_take_sealed(p->objs[i], &p->records[at], p->sealed[at]);
		at++;
	}
	for (i = 0; i < p->count; i++)
		publish_show(p->objs[i]);
}

static u32 publish_locked(struct publishing *p, u32 *handles)
{
	u32 placed, i, rv = CKR_OK;

	for (placed = 0; placed < p->count && rv == CKR_OK; placed++)
		rv = publish_place(p->objs[placed]);
	if (rv)
		placed--;
	if (rv == CKR_OK)
		rv = publish_store(p);
	if (rv == CKR_OK) {
		publish_done(p, handles);
		return CKR_OK;
	}
	for (i = 0; i < placed; i++)
		publish_unplace(p->objs[i]);
	for (i = 0; i < p->stored; i++)
		kfree(p->sealed[i]);
	return rv;
}

u32 luna_objects_publish(struct luna_session *session, struct luna_object **objs, u32 count,
			 u32 *handles)
{
	struct publishing p = { .session = session, .objs = objs, .count = count };

	if (WARN_ON(count > LUNA_PUBLISH_MAX))
		return CKR_GENERAL_ERROR;
	guard(rwsem_read)(&session->open->token->lock);
	return publish_locked(&p, handles);
}

/* ---- changing and destroying ---- */

/* Stores @attrs as those of @obj and takes them. token->lock and obj->lock are held. */
static u32 change_store(struct luna_object *obj, struct luna_attrs *attrs)
{
	struct luna_log_object record;
	u8 *sealed = NULL;
	int ret = 0;

	if (obj->owner)
		ret = object_hold(obj, attrs) ? 0 : -ENOMEM;
	else
		ret = object_record(obj, attrs, &record, &sealed);
	if (!ret && !obj->owner)
		ret = luna_log_put(obj->token, &record, 1);
	if (ret) {
		kfree(sealed);
		luna_attrs_put(attrs);
		return luna_ckr(ret);
	}
	object_take_sealed(obj, &record, sealed);
	luna_attrs_put(obj->attrs);
	obj->attrs = attrs;
	/* The values of keys never change, so prepared keys stay good. */
	WARN_ON(object_decode(obj, attrs));
	return CKR_OK;
}

/* *@changed: to something else. token->lock is held. */
static u32 change_locked(struct luna_session *session, struct luna_object *obj,
			 const struct luna_tmpl *tmpl, bool *changed)
{
	struct luna_attrs *old, *attrs;
	u32 rv;

	guard(mutex)(&obj->lock);
	if (READ_ONCE(obj->dying))
		return CKR_OBJECT_HANDLE_INVALID;
	old = object_open_locked(obj, true);
	if (IS_ERR(old))
		return luna_ckr(PTR_ERR(old));
	rv = luna_object_changed(session, obj, old, tmpl, &attrs);
	luna_attrs_put(old);
	if (rv || !attrs)
		return rv;
	rv = change_store(obj, attrs);
	*changed = rv == CKR_OK;
	return rv;
}

static void change_index(struct luna_object *obj)
{
	struct luna_dir *dir = object_dir(obj);

	guard(rwsem_write)(&dir->lock);
	guard(mutex)(&obj->lock);
	if (!obj->dying)
		luna_dir_index(dir, obj, obj->attrs);
}

u32 luna_object_change(struct luna_session *session, struct luna_object *obj,
		       const struct luna_tmpl *tmpl)
{
	bool changed = false;
	u32 rv;

	rv = luna_object_rights(session, LUNA_DEED_CHANGE, obj->class, obj->bits);
	if (rv)
		return rv;
	if (!luna_object_is(obj, LUNA_BIT_MODIFIABLE))
		return CKR_ACTION_PROHIBITED;	/* v2.40; older versions: CKR_ATTRIBUTE_READ_ONLY */
	guard(rwsem_read)(&obj->token->lock);
	rv = change_locked(session, obj, tmpl, &changed);
	if (changed) {
		change_index(obj);
		luna_token_changed(obj->token);
	}
	return rv;
}

/* Who sets this is the one who destroys the object. */
static bool object_set_dying(struct luna_dir *dir, struct luna_object *obj)
{
	guard(rwsem_write)(&dir->lock);
	if (obj->dying)
		return false;
	WRITE_ONCE(obj->dying, true);
	return true;
}

static int destroy_durably(struct luna_object *obj)
{
	if (obj->owner)
		return 0;
	guard(mutex)(&obj->lock);
	return luna_log_delete(obj->token, obj->handle);
}

u32 luna_object_destroy(struct luna_object *obj)
{
	struct luna_dir *dir = object_dir(obj);
	int ret;

	guard(rwsem_read)(&obj->token->lock);
	if (!object_set_dying(dir, obj))
		return CKR_OBJECT_HANDLE_INVALID;
	ret = destroy_durably(obj);
	down_write(&dir->lock);
	if (ret)
		WRITE_ONCE(obj->dying, false);
	else
		luna_dir_remove(dir, obj);
	up_write(&dir->lock);
	if (ret)
		return luna_ckr(ret);
	luna_object_put(obj);		/* the directory's reference */
	luna_token_changed(obj->token);
	return CKR_OK;
}

/* ---- many at once ---- */

/* An opened object that is in use: its users keep it, the directory gets a sealed one. */
static bool lock_replace(struct luna_dir *dir, struct luna_object *obj)
{
	struct luna_object *shell = object_alloc(obj->token);

	if (!shell)
		return false;
	shell->handle = obj->handle;
	shell->class = obj->class;
	shell->key_type = obj->key_type;
	shell->bits = obj->bits;
	shell->sealed = obj->sealed;
	shell->sealed_len = obj->sealed_len;
	obj->sealed = NULL;
	obj->sealed_len = 0;
	luna_dir_replace(dir, obj, shell);
	WRITE_ONCE(obj->dying, true);
	return true;
}

/*
 * dir->lock keeps others from getting a reference, so that with one reference left nobody uses the
 * prepared keys. Without memory for a replacement the keys of an object in use stay for now.
 */
static void lock_object(struct luna_dir *dir, struct luna_object *obj)
{
	bool replaced = false;

	mutex_lock(&obj->lock);
	if (refcount_read(&obj->refs) > 1)
		replaced = lock_replace(dir, obj);
	else
		object_free_keys(obj);
	if (!replaced) {
		luna_attrs_put(obj->attrs);
		obj->attrs = NULL;
	}
	mutex_unlock(&obj->lock);
	if (replaced)
		luna_object_put(obj);
}

void luna_objects_lock_all(struct luna_token *token)
{
	struct luna_dir *dir = &token->objects;
	struct luna_object *obj;

	guard(rwsem_write)(&dir->lock);
	while ((obj = luna_dir_take_opened(dir)) != NULL)
		lock_object(dir, obj);
}

/* Takes an object out of its directory for good; dir->lock is held for writing. */
static void object_end(struct luna_dir *dir, struct luna_object *obj)
{
	WRITE_ONCE(obj->dying, true);
	luna_dir_remove(dir, obj);
	luna_object_put(obj);
}

void luna_objects_drop_all(struct luna_token *token)
{
	struct luna_dir *dir = &token->objects;
	struct luna_object *obj;
	u32 handle = 0;

	down_write(&dir->lock);
	while ((obj = luna_table_next(&dir->table, handle, &handle)) != NULL)
		object_end(dir, obj);
	up_write(&dir->lock);
	luna_token_changed(token);
}

/* Ends the session objects of @session (0: of all), or the private ones alone. */
static void end_session_objects(struct luna_open *open, u32 session, bool private)
{
	struct luna_dir *dir = &open->objects;
	struct luna_object *obj;
	u32 handle = 0;
	bool any = false;

	down_write(&dir->lock);
	while ((obj = luna_table_next(&dir->table, handle, &handle)) != NULL) {
		if (obj->dying || (session && obj->session != session) ||
		    (private && !luna_object_is(obj, LUNA_BIT_PRIVATE)))
			continue;
		object_end(dir, obj);
		any = true;
	}
	up_write(&dir->lock);
	if (any)
		luna_token_changed(open->token);
}

void luna_objects_end_session(struct luna_open *open, u32 session)
{
	end_session_objects(open, session, false);
}

void luna_objects_end_private(struct luna_open *open)
{
	end_session_objects(open, 0, true);
}

/* ---- loading ---- */

static struct luna_object *load_sealed(struct luna_token *token, const u8 *data, u32 len)
{
	struct luna_object *obj;

	if (len < LUNA_SEAL_OVERHEAD + sizeof(struct luna_attr))
		return ERR_PTR(-EBADMSG);
	obj = object_alloc(token);
	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->bits = BIT(LUNA_BIT_TOKEN) | BIT(LUNA_BIT_PRIVATE);
	obj->sealed = kmemdup(data, len, GFP_KERNEL_ACCOUNT);
	obj->sealed_len = len;
	if (obj->sealed)
		return obj;
	luna_object_put(obj);
	return ERR_PTR(-ENOMEM);
}

static struct luna_object *load_public(struct luna_token *token, const u8 *data, u32 len)
{
	struct luna_attrs *attrs;
	struct luna_tmpl tmpl;

	if (luna_tmpl_check(&tmpl, data, len))
		return ERR_PTR(-EBADMSG);
	attrs = luna_attrs_alloc(len);
	if (!attrs)
		return ERR_PTR(-ENOMEM);
	memcpy(attrs->data, data, len);
	return luna_object_new(token, attrs);
}

static int load_insert(struct luna_dir *dir, struct luna_object *obj)
{
	struct luna_object *old;

	guard(rwsem_write)(&dir->lock);
	old = luna_table_find(&dir->table, obj->handle);
	if (old)
		object_end(dir, old);
	return luna_dir_insert(dir, obj, obj->attrs);
}

int luna_object_load(struct luna_token *token, u32 handle, bool private, const u8 *data, u32 len)
{
	struct luna_object *obj;
	int ret;

	if (!handle || (handle & LUNA_HANDLE_SESSION))
		return -EBADMSG;
	if (len > LUNA_OBJECT_MAX + LUNA_SEAL_OVERHEAD)
		return -EBADMSG;
	obj = private ? load_sealed(token, data, len) : load_public(token, data, len);
	if (IS_ERR(obj))
		return PTR_ERR(obj);
	obj->handle = handle;
	ret = load_insert(&token->objects, obj);
	if (ret)
		luna_object_put(obj);
	return ret;
}

void luna_object_unload(struct luna_token *token, u32 handle)
{
	struct luna_dir *dir = &token->objects;
	struct luna_object *obj;

	guard(rwsem_write)(&dir->lock);
	obj = luna_table_find(&dir->table, handle);
	if (obj)
		object_end(dir, obj);
}

/* ---- verifying ---- */

static u32 object_verify(struct luna_token *token, struct luna_object *obj)
{
	struct luna_attrs *attrs = luna_object_peek(token, obj);
	u32 rv;

	if (IS_ERR(attrs))
		return PTR_ERR(attrs) == -EBADMSG ? CKR_DATA_INVALID : luna_ckr(PTR_ERR(attrs));
	rv = luna_attrs_verify(token, attrs);
	luna_attrs_put(attrs);
	if (rv == CKR_OK && (!luna_object_is(obj, LUNA_BIT_TOKEN) ||
			     luna_object_is(obj, LUNA_BIT_PRIVATE) != !!obj->sealed))
		rv = CKR_DATA_INVALID;
	return rv;
}

u32 luna_objects_verify(struct luna_token *token)
{
	struct luna_object *obj;
	u32 handle = 0, rv = CKR_OK;

	while (!rv && (obj = luna_table_next(&token->objects.table, handle, &handle)) != NULL) {
		rv = object_verify(token, obj);
		cond_resched();
		if (!rv && fatal_signal_pending(current))
			rv = CKR_FUNCTION_CANCELED;
	}
	return rv;
}
