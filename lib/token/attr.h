/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The one table of attributes: what each is, which objects carry it, who may give or change it.
 * A new key type is a row in key_types[], its attributes are rows in the table, and its check is a
 * row in object_kind.c.
 */
#ifndef LUNA_TOKEN_ATTR_H
#define LUNA_TOKEN_ATTR_H

#include "object.h"

/* luna_attr_row.classes, luna_kind.class_bit */
enum {
	LUNA_IN_DATA		= BIT(0),
	LUNA_IN_CERT		= BIT(1),
	LUNA_IN_PUBLIC		= BIT(2),
	LUNA_IN_PRIVATE		= BIT(3),
	LUNA_IN_SECRET		= BIT(4),
	LUNA_IN_PAIR		= LUNA_IN_PUBLIC | LUNA_IN_PRIVATE,
	LUNA_IN_HIDDEN		= LUNA_IN_PRIVATE | LUNA_IN_SECRET,
	LUNA_IN_KEYS		= LUNA_IN_PAIR | LUNA_IN_SECRET,
	LUNA_IN_ALL		= LUNA_IN_KEYS | LUNA_IN_DATA | LUNA_IN_CERT,
};

/* luna_attr_row.types, luna_kind.type_bit */
enum {
	LUNA_OF_RSA		= BIT(0),
	LUNA_OF_AES		= BIT(1),
	LUNA_OF_GENERIC		= BIT(2),	/* and HMAC, HKDF keys */
	LUNA_OF_EC		= BIT(3),
	LUNA_OF_EDWARDS		= BIT(4),
	LUNA_OF_MONTGOMERY	= BIT(5),
	LUNA_OF_DES3		= BIT(6),	/* of two parts or three */
	LUNA_OF_AES_XTS		= BIT(7),
	LUNA_OF_CIPHERS		= LUNA_OF_AES | LUNA_OF_DES3 | LUNA_OF_AES_XTS,
	LUNA_OF_CURVES		= LUNA_OF_EC | LUNA_OF_EDWARDS | LUNA_OF_MONTGOMERY,
	LUNA_OF_ANY		= 0,
};

/* luna_attr_row.flags */
enum {
	LUNA_ON_CREATE		= BIT(0),	/* the caller may give it then: BIT(how) */
	LUNA_ON_GENERATE	= BIT(1),
	LUNA_ON_UNWRAP		= BIT(2),
	LUNA_ON_DERIVE		= BIT(3),
	LUNA_ON_COPY		= BIT(4),
	LUNA_ON_SET		= BIT(5),	/* C_SetAttributeValue may change it */
	LUNA_ATTR_REQUIRED	= BIT(6),	/* no object without it */
	LUNA_ATTR_SENSITIVE	= BIT(7),	/* withheld if SENSITIVE or not EXTRACTABLE */
	LUNA_ATTR_COMPUTED	= BIT(8),	/* made by the engine; if given, it must agree */
	LUNA_ATTR_USAGE		= BIT(9),	/* what a key may be used for */
	LUNA_ATTR_LATCH_ON	= BIT(10),	/* once true, it stays so */
	LUNA_ATTR_LATCH_OFF	= BIT(11),	/* once false, it stays so */
	LUNA_ATTR_SO		= BIT(12),	/* only the SO makes it true, or false again */

	LUNA_ON_MAKE		= LUNA_ON_CREATE | LUNA_ON_GENERATE | LUNA_ON_UNWRAP |
				  LUNA_ON_DERIVE,
	LUNA_ON_EDIT		= LUNA_ON_MAKE | LUNA_ON_COPY | LUNA_ON_SET,
};

/* What an object gets that is not given the attribute. */
enum luna_preset {
	LUNA_PRESET_NONE, LUNA_PRESET_EMPTY, LUNA_PRESET_FALSE, LUNA_PRESET_TRUE, LUNA_PRESET_ZERO,
};

enum {
	LUNA_NO_BIT		= 0xff,
	LUNA_CLASS_UNKNOWN	= 0xffffffff,	/* class of an object that was never opened */
	LUNA_KEY_TYPE_NONE	= 0xffffffff,	/* luna_object.key_type of what is no key */
	LUNA_TMPL_ATTRS_MAX	= 128,		/* in one template; more than there are types */
};

/**
 * struct luna_attr_row - an attribute of some classes and key types
 * @type: CKA_*; several rows share one if it differs between classes
 * @kind: enum luna_attr_kind, the same in all rows of a type
 * @classes: LUNA_IN_*
 * @types: LUNA_OF_*, or LUNA_OF_ANY
 * @preset: enum luna_preset
 * @bit: enum luna_bit, or LUNA_NO_BIT
 * @flags: LUNA_ON_*, LUNA_ATTR_*
 */
struct luna_attr_row {
	u32 type;
	u8 kind;
	u8 classes;
	u8 types;
	u8 preset;
	u8 bit;
	u16 flags;
};

/* Class and key type of an object, as values and as bits of a row. */
struct luna_kind {
	u32 class;
	u32 key_type;
	u8 class_bit;
	u8 type_bit;	/* 0: no key */
};

/**
 * luna_kind_find() - the kind of object with @class and, for keys, @key_type
 * CKR_OK; CKR_ATTRIBUTE_VALUE_INVALID: none that this token knows; CKR_TEMPLATE_INCONSISTENT: a key
 * type that does not come in that class.
 */
u32 luna_kind_find(struct luna_kind *kind, u64 class, u64 key_type);
static inline bool luna_kind_is_key(const struct luna_kind *kind)
{
	return kind->class_bit & LUNA_IN_KEYS;
}

/* Does a key of this type come as a public and a private one? */
bool luna_key_type_is_pair(u32 key_type);

/* The standard's number of a key type for which the product had an older one, too. */
u32 luna_key_type_standard(u32 key_type);

/* The row that an object of @kind goes by, or NULL: it has no such attribute. */
const struct luna_attr_row *luna_attr_find(u32 type, const struct luna_kind *kind);
/* The first row of @type, or NULL: no such attribute on this token. */
const struct luna_attr_row *luna_attr_any(u32 type);
/* Steps through the rows that objects of @kind go by: *at starts at 0; NULL at the end. */
const struct luna_attr_row *luna_attr_next(const struct luna_kind *kind, u32 *at);

/* A value in the form in which it is stored: booleans one byte, numbers without leading zeros. */
struct luna_value {
	const u8 *data;
	u32 len;
	u8 truth;	/* what @data points to if it is a boolean */
};

/* CKR_OK or CKR_ATTRIBUTE_VALUE_INVALID. @value may point into itself, so it must not be copied. */
u32 luna_value_read(struct luna_value *value, const struct luna_attr_row *row, const u8 *data,
		    u32 len);

/**
 * luna_attr_put() - check a client's value and add it to @w in the form in which it is stored
 * CKR_OK (errors of @w are sticky and not told), CKR_ATTRIBUTE_VALUE_INVALID, CKR_ARGUMENTS_BAD (a
 * nested template is malformed) and what luna_tmpl_check() says of it.
 */
u32 luna_attr_put(struct luna_attrw *w, const struct luna_attr_row *row, const u8 *data, u32 len);

/* Room for a list of @len bytes, to be filled; one reference. NULL: no memory. */
struct luna_attrs *luna_attrs_alloc(u32 len);

/* Has @attrs an attribute with exactly this value, in the form in which it is stored? */
bool luna_attrs_equal(const struct luna_attrs *attrs, u32 type, const u8 *value, u32 len);

/* A template that needs no check: nothing in it, or what the engine made. */
static inline struct luna_tmpl luna_attrw_tmpl(const struct luna_attrw *w)
{
	return (struct luna_tmpl){ .data = w->data, .len = w->len };
}

#endif /* LUNA_TOKEN_ATTR_H */
