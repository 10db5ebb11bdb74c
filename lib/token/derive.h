/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Key derivation: derive.c carries the command, a mechanism computes the value behind struct
 * luna_derive_ops. Keys that C_GenerateKey makes of a parameter (PBKDF2) are derived without a base
 * key.
 */
#ifndef LUNA_TOKEN_DERIVE_H
#define LUNA_TOKEN_DERIVE_H

#include "key_cmd.h"

/**
 * struct luna_derive - a key being derived
 * @cmd: the command
 * @mech: the row
 * @parts: the payload; @parts.param is what the mechanism reads
 * @key: the base key, checked by luna_key_get(); NULL in C_GenerateKey
 * @base: its attributes
 * @other: a second key (luna_derive_other()), or NULL
 * @other_base: its attributes
 * @merged: the caller's template and what CKA_DERIVE_TEMPLATE adds; @tmpl reads it
 * @key_type: of the new key
 * @typed: @key_type was asked for, and is not just the usual one
 * @want: bytes that the new key will have; 0: nobody said, the mechanism decides
 * @sensitive, @unextractable, @trusted_only: one of the keys is; the last: CKA_WRAP_WITH_TRUSTED
 * @always_sensitive, @never_extractable: all of the keys are
 * @value: what the mechanism made (luna_derive_room()): @len bytes of heap memory, wiped by
 *	derive.c; what is more than @want is cut off at the end
 */
struct luna_derive {
	struct luna_ucmd *cmd;
	const struct luna_mech *mech;
	struct luna_key_parts parts;
	struct luna_object *key, *other;
	struct luna_attrs *base, *other_base;
	struct luna_attrw merged;
	struct luna_tmpl tmpl;
	u64 key_type;
	bool typed;
	u32 want;
	bool sensitive, unextractable, trusted_only, always_sensitive, never_extractable;
	u8 *value;
	u32 len;
};

/**
 * struct luna_derive_ops - how a mechanism derives
 * @bound: the new key is sensitive if one that it is made of is, not extractable if one is not, and
 *	wrapped by trusted keys alone if one is, whatever the template says: its value tells about
 *	theirs
 * @any_length: a template that names a key type without a length of its own, and no CKA_VALUE_LEN,
 *	gets as much as there is; else CKR_TEMPLATE_INCOMPLETE
 * @sized: nothing says how much there is, so that @compute needs d->want: CKR_TEMPLATE_INCOMPLETE
 * @data: makes a data object, whose CKA_VALUE_LEN only says how long it is
 * @short_rv: the code when @compute made less than the key needs
 * @compute: make d->value; CKR_OK, CKR_MECHANISM_PARAM_INVALID, ...
 */
struct luna_derive_ops {
	bool bound;
	bool any_length;
	bool sized;
	bool data;
	u32 short_rv;
	u32 (*compute)(struct luna_derive *d);
};

/* derive_simple.c: PKCS#11 v2.40 mechanisms, 2.14, 2.22 to 2.26 and 2.43 */
extern const struct luna_derive_ops luna_derive_base_and_key;
extern const struct luna_derive_ops luna_derive_base_and_data;
extern const struct luna_derive_ops luna_derive_data_and_base;
extern const struct luna_derive_ops luna_derive_xor;
extern const struct luna_derive_ops luna_derive_extract;
extern const struct luna_derive_ops luna_derive_hash;
extern const struct luna_derive_ops luna_derive_encrypt;

/* ecdh.c */
extern const struct luna_derive_ops luna_derive_ecdh;

/* derive_kdf.c */
extern const struct luna_derive_ops luna_derive_pbkd2;		/* v2.40 mechanisms, 2.18 */
extern const struct luna_derive_ops luna_derive_hkdf;		/* v3.0 mechanisms, 2.61 */
extern const struct luna_derive_ops luna_derive_hkdf_data;

/* derive_prf.c: v3.0 mechanisms, 2.44; the vendor's */
extern const struct luna_derive_ops luna_derive_sp800_108;
extern const struct luna_derive_ops luna_derive_prf_kdf;

/**
 * luna_derive_generate() - C_GenerateKey with a mechanism that derives
 * @parts: the payload
 * Return: CKR_OK, and the new key's handle is in the reply.
 */
u32 luna_derive_generate(struct luna_ucmd *cmd, const struct luna_mech *mech,
			 const struct luna_key_parts *parts);

/* The value of a secret key that a derivation holds the attributes of. */
struct luna_num luna_derive_secret(const struct luna_attrs *attrs);

/* d->value with room for @len zero bytes; CKR_DEVICE_MEMORY. */
u32 luna_derive_room(struct luna_derive *d, u32 len);

/**
 * luna_derive_other() - take up a second key, which the parameter names
 * As the base key it must allow derivation, and the new key depends on its attributes, too.
 * Return: CKR_OK or what luna_key_get() says, CKR_KEY_SIZE_RANGE, CKR_DEVICE_MEMORY.
 */
u32 luna_derive_other(struct luna_derive *d, u32 handle);

#endif /* LUNA_TOKEN_DERIVE_H */
