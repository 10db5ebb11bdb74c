/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files on objects (object*.c, dir.c, find.c) know of each other. */
#ifndef LUNA_TOKEN_OBJECT_RULES_H
#define LUNA_TOKEN_OBJECT_RULES_H

#include "attr.h"
#include "mofn.h"

/* What a session wants to do to an object. */
enum luna_deed { LUNA_DEED_MAKE, LUNA_DEED_CHANGE, LUNA_DEED_DESTROY };

/* ---- object_rules.c ---- */

/**
 * luna_object_rights() - may @session do this to an object of such class and bits?
 * CKR_OK, CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN, CKR_USER_NOT_AUTHORIZED,
 * CKR_OPERATION_NOT_ALLOWED (policy 28).
 */
u32 luna_object_rights(struct luna_session *session, enum luna_deed deed, u32 class, u32 bits);

/**
 * luna_object_changed() - the attributes of @obj after C_SetAttributeValue(@tmpl)
 * @old: its attributes now
 * @attrs: the result, or NULL if @tmpl changes nothing
 */
u32 luna_object_changed(struct luna_session *session, const struct luna_object *obj,
			const struct luna_attrs *old, const struct luna_tmpl *tmpl,
			struct luna_attrs **attrs);

/**
 * luna_attrs_verify() - could these attributes, of a store that others have made, be an object's?
 * As what a clone brings along: nothing of them is questioned but their form. CKR_OK;
 * CKR_DATA_INVALID; CKR_DEVICE_MEMORY.
 */
u32 luna_attrs_verify(struct luna_token *token, const struct luna_attrs *attrs);

/* An object being made: by luna_object_make(), or anew by luna_object_changed(). */
struct luna_making {
	struct luna_session *session;
	struct luna_token *token;
	enum luna_origin how;
	struct luna_kind kind;
	struct luna_tmpl tmpl;
	struct luna_tmpl given;
	struct luna_attrw w;
	bool frozen;		/* COPY: the source is not MODIFIABLE */
	bool was_private;	/* COPY: the source is */
	bool was_trusted;	/* COPY, change: the SO has vouched for it */
};

/* What was made of @type so far, or NULL. */
static inline const u8 *luna_making_get(const struct luna_making *m, u32 type, u32 *len)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);

	return luna_tmpl_get(&made, type, len);
}

/* ---- object_kind.c ---- */

/**
 * luna_making_compute() - check what was given against its kind, and add what follows from it
 * CKR_OK, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE, CKR_TEMPLATE_INCONSISTENT (the
 * template tells of a computed attribute what is not so), CKR_DEVICE_MEMORY, CKR_DEVICE_ERROR.
 */
u32 luna_making_compute(struct luna_making *m);

/* ---- object.c ---- */

/* An object around @attrs, whose reference it takes over; -ENOMEM, -EBADMSG: not an object's. */
struct luna_object *luna_object_new(struct luna_token *token, struct luna_attrs *attrs);

/* luna_object.bits of an object with these attributes */
u32 luna_attrs_bits(const struct luna_attrs *attrs, const struct luna_kind *kind);

/* Is the value of this attribute nobody's business outside the token, or not before M of N? */
static inline bool luna_attr_withheld(const struct luna_token *token,
				      const struct luna_attr_row *row, u32 bits)
{
	return (row->flags & LUNA_ATTR_SENSITIVE) &&
	       ((bits & BIT(LUNA_BIT_SENSITIVE)) || !(bits & BIT(LUNA_BIT_EXTRACTABLE)) ||
		luna_mofn_missing(token));
}

/**
 * luna_object_peek() - luna_object_attrs() that does not keep what it had to open
 * For walks over many objects, which would else leave all of them open in memory.
 */
struct luna_attrs *luna_object_peek(struct luna_token *token, struct luna_object *obj);

/**
 * luna_object_change() - C_SetAttributeValue, durable on CKR_OK
 * luna_object_destroy() - C_DestroyObject; whether it may be is asked before. The second of two
 * gets CKR_OBJECT_HANDLE_INVALID.
 */
u32 luna_object_change(struct luna_session *session, struct luna_object *obj,
		       const struct luna_tmpl *tmpl);
u32 luna_object_destroy(struct luna_object *obj);

/* May this application see it? dir->lock is held. */
static inline bool luna_object_seen(const struct luna_object *obj, bool logged_in)
{
	return !obj->dying && (logged_in || !luna_object_is(obj, LUNA_BIT_PRIVATE));
}

/* ---- dir.c: dir->lock is held, for writing where something changes ---- */

enum { LUNA_HANDLE_SESSION = 0x80000000 };	/* set in the handles of session objects */

/* An index of a directory. */
enum luna_index { LUNA_INDEX_LABEL, LUNA_INDEX_ID, LUNA_INDEXES };

/* @attrs: to index it by; NULL: it is sealed, and waits for that. -ENOMEM, -EEXIST */
int luna_dir_insert(struct luna_dir *dir, struct luna_object *obj, const struct luna_attrs *attrs);
void luna_dir_remove(struct luna_dir *dir, struct luna_object *obj);	/* the reference stays */
/* A free handle for a session object. */
u32 luna_dir_handle(struct luna_dir *dir);
/*
 * (Re)index an object by its attributes; NULL: it cannot be read, so leave it out for good.
 * obj->lock is held, or nobody else knows the object, or it is sealed.
 */
void luna_dir_index(struct luna_dir *dir, struct luna_object *obj, const struct luna_attrs *attrs);
/* Put @to in the place of @from, in the table and in the chains. */
void luna_dir_replace(struct luna_dir *dir, struct luna_object *from, struct luna_object *to);
/* Keeps a list of the private token objects that are open; these two need no lock. */
void luna_dir_opened(struct luna_dir *dir, struct luna_object *obj);
struct luna_object *luna_dir_take_opened(struct luna_dir *dir);	/* off the list; NULL: none */
u32 luna_dir_hash(const u8 *value, u32 len);	/* needs no lock */
/**
 * luna_dir_candidates() - objects above @after whose label or id has this hash, each with a
 * reference In no order. Return: their number, or -E2BIG if there are more than @room, or the chain
 * is too long to be worth it; no references then.
 */
int luna_dir_candidates(const struct luna_dir *dir, enum luna_index index, u32 hash, u32 after,
			bool logged_in, struct luna_object **objs, u32 room);

#endif /* LUNA_TOKEN_OBJECT_RULES_H */
