/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What object.c, object_rules.c, dir.c and find.c know of each other. */
#ifndef LUNA_TOKEN_OBJECT_RULES_H
#define LUNA_TOKEN_OBJECT_RULES_H

#include "attr.h"

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

/* ---- object.c ---- */

/* An object around @attrs, whose reference it takes over; -ENOMEM, -EBADMSG: not an object's. */
struct luna_object *luna_object_new(struct luna_token *token, struct luna_attrs *attrs);

/* luna_object.bits of an object with these attributes */
u32 luna_attrs_bits(const struct luna_attrs *attrs, const struct luna_kind *kind);

/* Is the value of this attribute nobody's business outside the token? */
static inline bool luna_attr_withheld(const struct luna_attr_row *row, u32 bits)
{
	return (row->flags & LUNA_ATTR_SENSITIVE) &&
	       ((bits & BIT(LUNA_BIT_SENSITIVE)) || !(bits & BIT(LUNA_BIT_EXTRACTABLE)));
}

/**
 * luna_object_peek() - luna_object_attrs() that does not keep what it had to open
 * For walks over many objects, which would else leave all of them open in memory.
 */
struct luna_attrs *luna_object_peek(struct luna_token *token, struct luna_object *obj);

/* May this application see it? dir->lock is held. */
static inline bool luna_object_seen(const struct luna_object *obj, bool logged_in)
{
	return !obj->dying && (logged_in || !luna_object_is(obj, LUNA_BIT_PRIVATE));
}

/* ---- dir.c: dir->lock is held, for writing where something changes ---- */

enum { LUNA_HANDLE_SESSION = 0x80000000 };	/* set in the handles of session objects */

/* An index of a directory. */
enum luna_index { LUNA_INDEX_LABEL, LUNA_INDEX_ID, LUNA_INDEXES };

int luna_dir_insert(struct luna_dir *dir, struct luna_object *obj);	/* -ENOMEM, -EEXIST */
void luna_dir_remove(struct luna_dir *dir, struct luna_object *obj);	/* the reference stays */
/* A free handle for a session object. */
u32 luna_dir_handle(struct luna_dir *dir);
/*
 * (Re)index an object by its attributes; NULL: it cannot be read, so leave it out for good. obj->lock is
 * held, or nobody else knows the object, or it is sealed.
 */
void luna_dir_index(struct luna_dir *dir, struct luna_object *obj, const struct luna_attrs *attrs);
/* Put @to in the place of @from, in the table and in the chains. */
void luna_dir_replace(struct luna_dir *dir, struct luna_object *from, struct luna_object *to);
u32 luna_dir_hash(const u8 *value, u32 len);	/* needs no lock */
/**
 * luna_dir_candidates() - objects above @after whose label or id has this hash, each with a reference
 * In no order. Return: their number, or -E2BIG if there are more than @room, or the chain is too long
 * to be worth it; no references then.
 */
int luna_dir_candidates(const struct luna_dir *dir, enum luna_index index, u32 hash, u32 after,
			bool logged_in, struct luna_object **objs, u32 room);

#endif /* LUNA_TOKEN_OBJECT_RULES_H */
