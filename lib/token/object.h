/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Objects: an immutable set of attributes, an entry in a directory, and a prepared key. Everything
 * that makes an object (create, generate, unwrap, derive, copy, clone) goes through
 * luna_object_make(), where the attribute rules of the standard live, and luna_objects_publish(),
 * where it becomes durable.
 */
#ifndef LUNA_TOKEN_OBJECT_H
#define LUNA_TOKEN_OBJECT_H

#include "token.h"

/**
 * struct luna_attrs - an immutable, shared list of attributes in the ABI's form (struct luna_attr)
 * Sorted by type, each at most once. May hold secrets: wiped when freed.
 */
struct luna_attrs {
	refcount_t refs;
	u32 len;
	u8 data[];
};

/* One boolean attribute each, in luna_object.bits: what the engine asks for often. */
enum luna_bit {
	LUNA_BIT_TOKEN, LUNA_BIT_PRIVATE, LUNA_BIT_MODIFIABLE, LUNA_BIT_COPYABLE,
	LUNA_BIT_DESTROYABLE, LUNA_BIT_SENSITIVE, LUNA_BIT_EXTRACTABLE, LUNA_BIT_ALWAYS_SENSITIVE,
	LUNA_BIT_NEVER_EXTRACTABLE, LUNA_BIT_LOCAL, LUNA_BIT_ENCRYPT, LUNA_BIT_DECRYPT,
	LUNA_BIT_SIGN, LUNA_BIT_VERIFY, LUNA_BIT_SIGN_RECOVER, LUNA_BIT_VERIFY_RECOVER,
	LUNA_BIT_WRAP, LUNA_BIT_UNWRAP, LUNA_BIT_DERIVE, LUNA_BIT_TRUSTED,
	LUNA_BIT_WRAP_WITH_TRUSTED, LUNA_BIT_ALWAYS_AUTHENTICATE,
};

/**
 * struct luna_object - an object
 * @token: where it lives
 * @refs: the directory's reference and those of running commands
 * @handle: unique on the token, for ever
 * @session: handle of the owning session for session objects, else 0
 * @owner: the open file of a session object, else NULL
 * @class, @key_type, @bits: decoded from the attributes; they change only with attrs, under lock.
 *	Valid in every object that luna_object_get() returns
 * @indexed: it stands in the hash chains (a sealed object does not before the first search)
 * @dying: not to be seen: being destroyed, or not stored yet; changed under dir->lock
 * @opened: entry in luna_dir.opened
 * @lock: guards attrs, keys, sealed
 * @attrs: NULL while a private token object is sealed (nobody logged in, or not yet used)
 * @sealed: ciphertext of attrs for private token objects
 * @held: bytes that a session object counts for at its owner's
 * @keys: prepared keys, made at first use (key.c)
 */
struct luna_object {
	struct luna_token *token;
	refcount_t refs;
	u32 handle;
	u32 session;
	struct luna_open *owner;
	u32 class;
	u32 key_type;
	u32 bits;
	bool indexed;
	bool dying;
	u32 label_hash, id_hash;
	struct hlist_node by_label, by_id;
	struct list_head opened;
	struct mutex lock;
	struct luna_attrs *attrs;
	u8 *sealed;
	u32 sealed_len;
	u32 held;
	struct luna_key_cache *keys;
};

static inline bool luna_object_is(const struct luna_object *obj, enum luna_bit bit)
{
	return READ_ONCE(obj->bits) & BIT(bit);
}

/* ---- attr.c: the table of attributes, lists of them ---- */

enum luna_attr_kind {
	LUNA_ATTR_BYTES, LUNA_ATTR_BOOL, LUNA_ATTR_ULONG, LUNA_ATTR_BIGINT, LUNA_ATTR_DATE,
	LUNA_ATTR_MECHS, LUNA_ATTR_TEMPLATE, LUNA_ATTR_STRING,
};

/* A template or attribute list in the ABI's form, checked by luna_tmpl_check(). */
struct luna_tmpl {
	const u8 *data;
	u32 len;
};

/**
 * luna_tmpl_check() - is @data a well-formed attribute list without duplicates?
 * CKR_OK, CKR_ARGUMENTS_BAD (malformed), CKR_TEMPLATE_INCONSISTENT (a type twice with two values;
 * the same value twice is folded by readers).
 */
u32 luna_tmpl_check(struct luna_tmpl *tmpl, const u8 *data, u32 len);
/* Value of @type, or NULL; *len is its length. An empty value gives a pointer that is not NULL. */
const u8 *luna_tmpl_get(const struct luna_tmpl *tmpl, u32 type, u32 *len);
bool luna_tmpl_ulong(const struct luna_tmpl *tmpl, u32 type, u64 *value); /* false: absent or bad */
bool luna_tmpl_bool(const struct luna_tmpl *tmpl, u32 type, bool *value);
/* Steps through a list: *at starts at 0; false at the end. */
bool luna_tmpl_next(const struct luna_tmpl *tmpl, u32 *at, u32 *type, const u8 **value, u32 *len);

static inline struct luna_tmpl luna_attrs_tmpl(const struct luna_attrs *attrs)
{
	return (struct luna_tmpl){ .data = attrs->data, .len = attrs->len };
}

struct luna_attrs *luna_attrs_get(struct luna_attrs *attrs);	/* takes a reference */
void luna_attrs_put(struct luna_attrs *attrs);			/* NULL is fine */

/**
 * struct luna_attrw - a growing attribute list; the last value set for a type counts
 * Wiped by luna_attrw_free(). @err is sticky (-ENOMEM, -E2BIG).
 */
struct luna_attrw {
	u8 *data;
	u32 len, room;
	int err;
};

void luna_attrw_init(struct luna_attrw *w);
void luna_attrw_free(struct luna_attrw *w);
void luna_attrw_set(struct luna_attrw *w, u32 type, const void *value, u32 len);
void luna_attrw_ulong(struct luna_attrw *w, u32 type, u64 value);
void luna_attrw_bool(struct luna_attrw *w, u32 type, bool value);
/* Sorted, folded, immutable. ERR_PTR on failure. The writer stays to be freed. */
struct luna_attrs *luna_attrw_finish(struct luna_attrw *w);

/* ---- object.c ---- */

enum luna_origin {
	LUNA_BY_CREATE, LUNA_BY_GENERATE, LUNA_BY_UNWRAP, LUNA_BY_DERIVE, LUNA_BY_COPY,
	LUNA_BY_CLONE,
};

/**
 * luna_object_make() - build an object, not yet visible to anyone
 * @session: who makes it: its rights (read-only, public, CU) are checked here
 * @how: decides which attributes the caller may give and how LOCAL, ALWAYS_SENSITIVE,
 *	NEVER_EXTRACTABLE, KEY_GEN_MECHANISM come about
 * @tmpl: the caller's template
 * @given: what the engine supplies (class, key type, values, KEY_GEN_MECHANISM ...; for COPY and
 *	CLONE all attributes of the source): a template that contradicts CLASS, KEY_TYPE or a value
 *	gets CKR_TEMPLATE_INCONSISTENT. May be NULL
 * @obj: the result, one reference
 *
 * For CREATE the template must hold a complete object (CKR_TEMPLATE_INCOMPLETE). For CLONE @tmpl is
 * empty, nothing of @given is questioned but its form and the target's policies, and the OUID
 * stays. For DERIVE @given holds the base key's ALWAYS_SENSITIVE and NEVER_EXTRACTABLE, if it has
 * them.
 * Return: CKR_OK, CKR_ATTRIBUTE_TYPE_INVALID, CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_READ_ONLY,
 * CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT, CKR_SESSION_READ_ONLY,
 * CKR_USER_NOT_LOGGED_IN, CKR_USER_NOT_AUTHORIZED, CKR_DEVICE_MEMORY, ...
 */
u32 luna_object_make(struct luna_session *session, enum luna_origin how,
		     const struct luna_tmpl *tmpl, const struct luna_attrw *given,
		     struct luna_object **obj);

/**
 * luna_objects_publish() - store (token objects, durably, all or none) and make visible
 * @handles: out: the objects' handles, @count of them
 * On CKR_OK the directory owns the references, and the objects may not be touched any more: another
 * session may have destroyed them already. Else the caller keeps the references. No lock but the
 * session's is held.
 */
u32 luna_objects_publish(struct luna_session *session, struct luna_object **objs, u32 count,
			 u32 *handles);

/* luna_object_put() - drop a reference; the last one wipes. NULL is fine. */
void luna_object_put(struct luna_object *obj);

/**
 * luna_object_get() - the object with @handle that this session may see, with a reference
 * Private objects are seen by CO and CU (legacy: user) alone; session objects by their open file.
 * Return: the object; NULL if there is none; ERR_PTR(-ENOMEM, -EIO, ...) if it could not be opened
 * now, which says nothing about the handle.
 */
struct luna_object *luna_object_get(struct luna_session *session, u32 handle);

/* luna_object_none() - the code for what luna_object_get() gave instead: @none for NULL */
u32 luna_object_none(const struct luna_object *obj, u32 none);

/*
 * All attributes, opening a sealed object when needed: no lock from token->lock inwards is held.
 * One reference, or ERR_PTR(-ENOMEM, -EBADMSG, -EACCES: nobody is logged in any more).
 */
struct luna_attrs *luna_object_attrs(struct luna_token *token, struct luna_object *obj);

/* Values of one attribute decoded; false: absent. */
bool luna_attrs_ulong(const struct luna_attrs *attrs, u32 type, u64 *value);
bool luna_attrs_bool(const struct luna_attrs *attrs, u32 type);	/* false when absent */
const u8 *luna_attrs_bytes(const struct luna_attrs *attrs, u32 type, u32 *len);

/**
 * luna_object_load() - take a stored object into the directory while the store is replayed
 * @private: @data is sealed; otherwise it is an attribute list
 * Return: 0, -ENOMEM, -EBADMSG (malformed).
 */
int luna_object_load(struct luna_token *token, u32 handle, bool private, const u8 *data, u32 len);
/* The store says the object is gone (replay). */
void luna_object_unload(struct luna_token *token, u32 handle);
/*
 * After the last logout (after the first login nothing is to do, as objects are opened lazily).
 * Both with token->lock held for writing, which keeps publish, change and destroy out.
 */
void luna_objects_lock_all(struct luna_token *token); /* wipes private objects and their keys */
void luna_objects_drop_all(struct luna_token *token); /* InitToken, destructive policy */
/**
 * luna_objects_verify() - check every object of a token that nobody else knows, which is unlocked
 * As hostile as the store that they came from may be: CKR_OK; CKR_DATA_INVALID: one does not open,
 * or could not have been made here; CKR_DEVICE_MEMORY; CKR_FUNCTION_CANCELED: the caller was
 * killed.
 */
u32 luna_objects_verify(struct luna_token *token);
void luna_objects_end_session(struct luna_open *open, u32 session); /* its session objects */
/* Logout: destroy private session objects; the role has changed before. */
void luna_objects_end_private(struct luna_open *open);

/* ---- dir.c ---- */
int luna_dir_init(struct luna_dir *dir);
void luna_dir_free(struct luna_dir *dir);	/* puts all objects */
/*
 * The objects of @from, which only the caller knows and of which none is open, go to the directory
 * @to of @token, which has none left.
 */
void luna_dir_move(struct luna_dir *to, struct luna_dir *from, struct luna_token *token);

/* ---- log.c: what object.c needs of the store ---- */
/**
 * luna_log_put() - append object records (new or changed), all or none, durably
 * luna_log_delete() - append a deletion
 * luna_log_clear() - all objects end, and @state is the state, at once (InitToken writes a new log)
 * 0, -ENOSPC, -EIO, -ENOMEM. Concurrent callers share one sync.
 */
struct luna_log_object {
	u32 handle;
	bool private;		/* data is sealed */
	const u8 *data;
	u32 len;
};

int luna_log_put(struct luna_token *token, const struct luna_log_object *objs, u32 count);
int luna_log_delete(struct luna_token *token, u32 handle);
int luna_log_clear(struct luna_token *token, const struct luna_state *state);

#endif /* LUNA_TOKEN_OBJECT_H */
