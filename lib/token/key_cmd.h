/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the commands around struct luna_key share: keygen.c, wrap.c, derive.c. */
#ifndef LUNA_TOKEN_KEY_CMD_H
#define LUNA_TOKEN_KEY_CMD_H

#include "cmd.h"
#include "mech.h"

/* The payload of struct luna_key, in its parts. */
struct luna_key_parts {
	const u8 *param;
	u32 param_len;
	struct luna_tmpl tmpl;
	struct luna_tmpl tmpl2;
	const u8 *data;
	u32 data_len;
};

/**
 * luna_key_parts() - take the payload apart, and find the mechanism
 * @flag: CKF_* that the mechanism must have
 * CKR_OK, CKR_ARGUMENTS_BAD, CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID and what
 * luna_tmpl_check() says.
 */
u32 luna_key_parts(struct luna_ucmd *cmd, u32 flag, struct luna_key_parts *parts,
		   const struct luna_mech **mech);

/* Has a secret key of this type so many bytes? For other types: no. */
bool luna_secret_len_fits(u32 key_type, u64 len);

/*
 * How long a secret key will be: CKA_VALUE_LEN of the template or, where the type has one length
 * only, that; CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_VALUE_INVALID.
 */
u32 luna_secret_len_need(const struct luna_tmpl *tmpl, u32 key_type, u64 *len);

/* Adds the numbers of an RSA key, without leading zeros; the private ones only with @private. */
void luna_rsa_attrs(struct luna_attrw *w, const struct luna_der_rsa *key, bool private);

/*
 * Around what takes long: false if so much of it is under way that the caller gets CKR_BUSY.
 * luna_keygen_end() in either case.
 */
bool luna_keygen_begin(struct luna_token *token);
void luna_keygen_end(struct luna_token *token);

/* ---- rsa_aes.c ---- */

/*
 * CKM_RSA_AES_KEY_WRAP, as luna_op_once() would compute it: the same arguments, and the codes of an
 * operation, which wrap.c renames.
 */
u32 luna_rsa_aes_wrap(struct luna_session *session, struct luna_object *key, const u8 *param,
		      u32 param_len, const u8 *in, u32 len, u8 **out, u32 *out_len);
u32 luna_rsa_aes_unwrap(struct luna_session *session, struct luna_object *key, const u8 *param,
			u32 param_len, const u8 *in, u32 len, u8 **out, u32 *out_len);

/* ---- key_template.c ---- */

/* A number that @tmpl must have: CKR_TEMPLATE_INCOMPLETE, CKR_ATTRIBUTE_VALUE_INVALID. */
u32 luna_tmpl_need(const struct luna_tmpl *tmpl, u32 type, u64 *value);

/* A template that is an attribute, empty if there is none; CKR_DEVICE_ERROR: it is damaged. */
u32 luna_key_template(const struct luna_attrs *attrs, u32 type, struct luna_tmpl *tmpl);

/**
 * luna_tmpl_merge() - the caller's template and what the key demands of the keys made with it
 * @merged: initialised and empty; takes both, and must outlive @tmpl
 * @caller: the caller's template
 * @key: attributes of the unwrapping or base key
 * @demands: CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE
 * @tmpl: out: reads @merged
 * Return: CKR_OK, CKR_TEMPLATE_INCONSISTENT (they contradict each other), CKR_DEVICE_MEMORY,
 * CKR_DEVICE_ERROR.
 */
u32 luna_tmpl_merge(struct luna_attrw *merged, const struct luna_tmpl *caller,
		    const struct luna_attrs *key, u32 demands, struct luna_tmpl *tmpl);
/**
 * luna_pair_half() - one key of a pair that was generated
 * @tmpl: the caller's
 * @given: its numbers; class, type and mechanism are added here
 */
u32 luna_pair_half(struct luna_ucmd *cmd, const struct luna_mech *mech, u32 key_type, bool private,
		   const struct luna_tmpl *tmpl, struct luna_attrw *given,
		   struct luna_object **obj);

/* Publishes a pair, the public key first, and tells its handles; takes over the references. */
u32 luna_pair_publish(struct luna_ucmd *cmd, struct luna_object *objs[2]);

/* ec_keygen.c: C_GenerateKeyPair of EC keys */
u32 luna_ec_generate_pair(struct luna_ucmd *cmd, const struct luna_mech *mech,
			  const struct luna_key_parts *parts);

#endif /* LUNA_TOKEN_KEY_CMD_H */
