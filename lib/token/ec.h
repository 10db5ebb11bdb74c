/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Elliptic curve keys: how a curve and a point are written in attributes and in PKCS#8, and what
 * ec.c, ec_keygen.c and the places that handle keys of all types share.
 */
#ifndef LUNA_TOKEN_EC_H
#define LUNA_TOKEN_EC_H

#include "attr.h"
#include "key.h"

/* ---- ec_curve.c ---- */

/* The longest CKA_EC_POINT: a DER OCTET STRING. */
enum { LUNA_EC_POINT_DER_MAX = 3 + LUNA_EC_POINT_MAX };

/* CKK_EC, CKK_EC_EDWARDS, CKK_EC_MONTGOMERY */
u32 luna_curve_key_type(enum luna_curve curve);

/**
 * luna_curve_params() - the value that CKA_EC_PARAMS has for a curve: its OID, in DER
 * @params: points to constant bytes
 */
void luna_curve_params(enum luna_curve curve, struct luna_num *params);

/**
 * luna_curve_find() - the curve that a CKA_EC_PARAMS names (PKCS#11 v3.0, 2.3.3)
 * @key_type: CKK_* in the standard's numbers; the curve must be one of its
 * @params: an OID, or a PrintableString for Edwards and Montgomery keys
 *
 * CKR_OK; CKR_CURVE_NOT_SUPPORTED: a name, but of no curve of that type that is known here;
 * CKR_DOMAIN_PARAMS_INVALID: no name at all (explicit parameters, or nothing that is DER).
 */
u32 luna_curve_find(u32 key_type, const u8 *params, u32 len, enum luna_curve *curve);

/**
 * luna_ec_point() - the point in a CKA_EC_POINT or an ECDH parameter, not yet looked for on a curve
 * @data: a DER OCTET STRING around the point, or the point itself; compressed ones are refused.
 *	Edwards and Montgomery: a BIT STRING also, as drafts of the standard had it
 * @point: luna_curve_point_len() bytes inside @data
 */
bool luna_ec_point(enum luna_curve curve, const u8 *data, u32 len, struct luna_num *point);

/* Writes a point as CKA_EC_POINT holds it; @der: LUNA_EC_POINT_DER_MAX bytes. Return: the length */
u32 luna_ec_point_der(enum luna_curve curve, const u8 *point, u8 *der);

/* ---- ec_der.c ---- */

/**
 * struct luna_der_ec - a private key, pointing into what it was read from
 * @value: 1 .. luna_curve_bytes() bytes
 * @point: luna_curve_point_len() bytes, or len 0: it is not there
 */
struct luna_der_ec {
	enum luna_curve curve;
	struct luna_num value, point;
};

/*
 * PKCS#8 PrivateKeyInfo around an ECPrivateKey (RFC 5915), or around RFC 8410's. The writer returns
 * the length, and writes when @out is not NULL and @room suffices; else -ENOSPC. The parser: 0 or
 * -EBADMSG; of an ECPrivateKey the curve may stand inside or outside, or both.
 */
int luna_der_pkcs8_ec(const struct luna_der_ec *key, u8 *out, u32 room);
int luna_der_pkcs8_ec_parse(const u8 *der, u32 len, struct luna_der_ec *key);

/* ---- ec.c ---- */

/**
 * luna_ec_take() - curve, point and private value out of attributes, as far as they are there
 * @key: points into @tmpl
 * CKR_OK, CKR_ATTRIBUTE_VALUE_INVALID and what luna_curve_find() says.
 */
u32 luna_ec_take(const struct luna_tmpl *tmpl, u32 key_type, struct luna_der_ec *key);

/**
 * luna_ec_try() - does the provider take it for a key?
 * @key: with a private value, which must fit the point if there is one; else a public key
 * @wrong: the code if not
 * @point: its public point: room for LUNA_EC_POINT_MAX bytes of heap memory
 * CKR_OK, @wrong, CKR_CURVE_NOT_SUPPORTED, CKR_DEVICE_MEMORY, CKR_DEVICE_ERROR.
 */
u32 luna_ec_try(struct luna_token *token, const struct luna_der_ec *key, u32 wrong, u8 *point);

/**
 * luna_ec_use() - the prepared key of an object, to sign, verify or agree with
 * @key: valid as long as the caller holds @obj
 * CKR_OK; CKR_CURVE_NOT_SUPPORTED: not in luna_curves(); CKR_KEY_SIZE_RANGE, CKR_DEVICE_MEMORY, ...
 */
u32 luna_ec_use(struct luna_token *token, struct luna_object *obj, struct luna_ec_key **key,
		enum luna_curve *curve);

/* The provider's key of an object's attributes; ERR_PTR(-EINVAL, -EOPNOTSUPP, -ENOMEM, ...) */
struct luna_ec_key *luna_ec_make(struct luna_token *token, const struct luna_attrs *attrs,
				 u32 key_type, bool private, enum luna_curve *curve);

/**
 * luna_ec_attrs() - adds point and, with @value, private value in the form in which they are kept
 * @point: luna_curve_point_len() bytes
 * @value: NULL: none; else of any length up to luna_curve_bytes(), to which zeros fill it up
 * Both may be in @w already.
 */
void luna_ec_attrs(struct luna_attrw *w, enum luna_curve curve, const u8 *point,
		   const struct luna_num *value);

#endif /* LUNA_TOKEN_EC_H */
