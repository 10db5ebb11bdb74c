/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "keys" share: a session, wrapping keys, and all mechanisms that wrap.
 */
#ifndef LUNA_TESTS_KEYS_H
#define LUNA_TESTS_KEYS_H

#include "suite.h"

#define PARAM(p)	&(p), sizeof(p)

extern CK_OBJECT_CLASS secret_class, private_class, data_class;
extern CK_KEY_TYPE aes_type, generic_type;
extern CK_BYTE kek_value[32];		/* of the wrapping key */
extern CK_BYTE secret[64];		/* of keys that are wrapped, and data */
extern CK_BYTE iv[16];
extern CK_MECHANISM rsa_gen;

/* ---- a session of the crypto officer and its keys ---- */

extern CK_SESSION_HANDLE s;		/* new for each test */
extern CK_OBJECT_HANDLE kek;		/* AES; new for each test */
extern CK_OBJECT_HANDLE rsa_pub, rsa_priv;	/* on the token: they stay */

/* C_SetAttributeValue with one attribute */
CK_RV set_bool(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL value);

/* ---- mechanisms that wrap (keys_wrap.c) ---- */

enum { BLOCKS, PAD, SEMI, SEMI_PAD, TAG, PUBLIC_KEY, PUBLIC_AES };

/* A mechanism that wraps, and how long its output is. */
struct wrapper {
	const char *name;
	CK_MECHANISM mech;
	int shape;
};

enum {
	ECB, CBC, CBC_PAD, KW, KW_IV, KEY_WRAP, KWP, KWP_IV, KEY_WRAP_PAD, GCM, RSA_PKCS, OAEP, RSA_AES,
	WRAPPERS
};

extern const struct wrapper wrappers[WRAPPERS];
extern CK_RSA_PKCS_OAEP_PARAMS oaep;

/* C_WrapKey, with kek or the public key */
CK_RV wrap(const struct wrapper *w, CK_OBJECT_HANDLE target, CK_BYTE *out, CK_ULONG *len);

/* Unwraps as a readable key of @type; @len: CKA_VALUE_LEN, or 0 for none. */
CK_RV unwrap(const struct wrapper *w, const CK_BYTE *blob, CK_ULONG blob_len, CK_KEY_TYPE type,
	     CK_ULONG len, CK_OBJECT_HANDLE *key);

/* ---- the tests of each part ---- */

/* keys_generate.c */
void aes_sizes(void **state);
void generic_sizes(void **state);
void generate_errors(void **state);
void rsa_sizes(void **state);
void rsa_exponents(void **state);
void pair_errors(void **state);

/* keys_wrap.c */
void wrap_all(void **state);
void wrap_like_openssl(void **state);
void every_wrapper_is_tested(void **state);

/* keys_wrap_errors.c */
void wrap_errors(void **state);
void unwrap_errors(void **state);
void tampered(void **state);
void rsa_aes_wrong(void **state);

/* keys_rules.c */
void private_keys_stay(void **state);
void private_keys_leave(void **state);
void wrap_with_trusted(void **state);
void wrap_templates(void **state);
void allowed_mechanisms(void **state);

/* keys_derive.c */
void derive_parameters(void **state);
void derive_unknown(void **state);

#endif /* LUNA_TESTS_KEYS_H */
