/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Prepared keys and the mechanisms that use them. A prepared key is made from an object's
 * attributes at its first use and stays with the object; operations hold a reference to the object.
 */
#ifndef LUNA_TOKEN_KEY_H
#define LUNA_TOKEN_KEY_H

#include "object.h"

/* ---- mech.c: the one table of mechanisms ---- */

enum luna_mech_family {
	LUNA_FAMILY_AES, LUNA_FAMILY_RSA, LUNA_FAMILY_DIGEST, LUNA_FAMILY_HMAC, LUNA_FAMILY_CMAC,
	LUNA_FAMILY_AES_KW, LUNA_FAMILY_RSA_AES, LUNA_FAMILY_KEYGEN, LUNA_FAMILY_DERIVE,
	LUNA_FAMILY_EC, LUNA_FAMILY_DES3, LUNA_FAMILY_DES3_MAC, LUNA_FAMILY_XTS,
	LUNA_FAMILY_SHAKE,
};

struct luna_mech;	/* mech.h: row of the table */

/* The row of a mechanism that this token's provider and policies allow, or NULL. */
const struct luna_mech *luna_mech_find(struct luna_token *token, u32 type);

/* ---- key.c ---- */

/**
 * luna_key_get() - the key object of an Init, wrap or derive, checked for use
 * @usage: CKA_ENCRYPT, CKA_SIGN, CKA_WRAP ...: must be true on the key
 * @mech: the mechanism: key class and type must fit, CKA_ALLOWED_MECHANISMS must name it if present
 * CKR_OK with a reference in *@obj; CKR_KEY_HANDLE_INVALID, CKR_KEY_TYPE_INCONSISTENT,
 * CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_MECHANISM_INVALID, CKR_USER_NOT_LOGGED_IN,
 * CKR_OPERATION_NOT_ALLOWED (M of N required and not active).
 */
u32 luna_key_get(struct luna_session *session, u32 handle, u32 usage, const struct luna_mech *mech,
		 struct luna_object **obj);

/*
 * Prepared keys, made once per object; valid as long as the caller holds the object. ERR_PTR.
 * @bytes: of the value, or of the modulus; @curve: of an EC key. Set unless an error is returned.
 */
struct luna_aes_key *luna_object_aes(struct luna_token *token, struct luna_object *obj);
struct luna_des3_key *luna_object_des3(struct luna_token *token, struct luna_object *obj);
struct luna_mac_key *luna_object_mac(struct luna_token *token, struct luna_object *obj,
				     enum luna_mac_kind kind, u32 *bytes);
struct luna_rsa_key *luna_object_rsa(struct luna_token *token, struct luna_object *obj, u32 *bytes);
struct luna_ec_key *luna_object_ec(struct luna_token *token, struct luna_object *obj,
				   enum luna_curve *curve);
void luna_key_cache_free(struct luna_key_cache *keys, const struct luna_crypto_ops *crypto);

/* ---- rsa_pad.c: PKCS#1 v2.2 encodings, constant time where secrets decide ---- */

/* Type 2 padding with random bytes from the provider. -EINVAL if msg is longer than k - 11. */
int luna_pkcs1_pad_encrypt(const struct luna_crypto_ops *c, const u8 *msg, u32 len, u8 *em, u32 k);
/**
 * luna_pkcs1_unpad_encrypt() - constant time
 * Writes k bytes of *some* message to @msg and its length to *@len; returns 0, or -EBADMSG decided
 * without a branch on secrets, computed into a mask first.
 */
int luna_pkcs1_unpad_encrypt(const u8 *em, u32 k, u8 *msg, u32 *len);
/**
 * luna_pkcs1_unpad_fixed() - the same for a message of known length with implicit rejection
 * If the padding is bad or the length is not @want, @msg gets @fallback (both @want bytes); takes
 * the same time, and tells nobody. For key transport (HA login).
 */
void luna_pkcs1_unpad_fixed(const u8 *em, u32 k, const u8 *fallback, u8 *msg, u32 want);
int luna_oaep_pad(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		  const u8 *label, u32 label_len, const u8 *msg, u32 len, u8 *em, u32 k);
int luna_oaep_unpad(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		    const u8 *label, u32 label_len, const u8 *em, u32 k, u8 *msg, u32 *len);
/* EMSA-PKCS1-v1_5 of a digest; hash LUNA_HASHES: msg is used as it is (CKM_RSA_PKCS). */
int luna_pkcs1_pad_sign(enum luna_hash hash, const u8 *digest, u32 len, u8 *em, u32 k);
int luna_pss_pad(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		 u32 salt_len, const u8 *digest, u8 *em, u32 mod_bits);
int luna_pss_verify(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		    u32 salt_len, const u8 *digest, const u8 *em, u32 mod_bits);

/* ---- rsa.c ---- */
/* rsa_private, verified against the public key unless the provider does so. -EIO if it fails. */
int luna_rsa_private(struct luna_token *token, struct luna_rsa_key *key, const u8 *in, u8 *out,
		     u32 bytes);

/* ---- der.c ---- */
struct luna_der_rsa {		/* PKCS#1 RSAPrivateKey or RSAPublicKey, pointing into the input */
	struct luna_num n, e, d, p, q, dp, dq, qi;
};

/* Writers return the length, and write when @out is not NULL and @room suffices; else -ENOSPC. */
int luna_der_rsa_private(const struct luna_der_rsa *key, u8 *out, u32 room);	/* RSAPrivateKey */
int luna_der_rsa_public(const struct luna_num *n, const struct luna_num *e, u8 *out, u32 room);
/* 0 or -EBADMSG */
int luna_der_rsa_private_parse(const u8 *der, u32 len, struct luna_der_rsa *key);
/* PKCS#8 PrivateKeyInfo around an RSAPrivateKey: what C_WrapKey of a private key carries. */
int luna_der_pkcs8_rsa(const struct luna_der_rsa *key, u8 *out, u32 room);
int luna_der_pkcs8_rsa_parse(const u8 *der, u32 len, struct luna_der_rsa *key);	/* -EBADMSG */

/* ---- twc.c ---- */
/**
 * luna_twc_make() - a new token wrapping key and its self-signed certificate
 * Fills state->twc and secrets->twc_key. Slow: RSA key generation; no lock held. 0 or -errno.
 */
int luna_twc_make(struct luna_token *token, struct luna_state *state, struct luna_secrets *secrets);
/* Check a certificate received and give its key. -EBADMSG: not a TWC. Numbers point into @twc. */
int luna_twc_parse(struct luna_token *token, const u8 *twc, u32 len, struct luna_num *n,
		   struct luna_num *e, u8 serial[LUNA_SERIAL_LEN]);

#endif /* LUNA_TOKEN_KEY_H */
