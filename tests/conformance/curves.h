/* SPDX-License-Identifier: MIT */
/*
 * The curves for the suites "kat" and "ec": what PKCS#11 and OpenSSL call them, and keys from numbers.
 */
#ifndef LUNA_TESTS_CURVES_H
#define LUNA_TESTS_CURVES_H

#include "crypt.h"

/* @bytes: of a coordinate, a private value, half a signature; @point: of a point, not wrapped */
struct curve {
	const char *name, *ossl;
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE gen;
	CK_ULONG bits, bytes, point;
	CK_ULONG params_len;
	CK_BYTE params[16];
};

enum { WEIERSTRASS = 5, ED25519 = 5, X25519 = 6, EC_POINT_MAX = 133, EC_SIG_MAX = 132 };

static const struct curve curves[] = {
	{ "P-224", "P-224", CKK_EC, CKM_EC_KEY_PAIR_GEN, 224, 28, 57, 7, "\x06\x05\x2b\x81\x04\x00\x21" },
	{ "P-256", "P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, 256, 32, 65, 10,
	  "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" },
	{ "P-384", "P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, 384, 48, 97, 7, "\x06\x05\x2b\x81\x04\x00\x22" },
	{ "P-521", "P-521", CKK_EC, CKM_EC_KEY_PAIR_GEN, 521, 66, 133, 7, "\x06\x05\x2b\x81\x04\x00\x23" },
	{ "secp256k1", "secp256k1", CKK_EC, CKM_EC_KEY_PAIR_GEN, 256, 32, 65, 7,
	  "\x06\x05\x2b\x81\x04\x00\x0a" },
	{ "Ed25519", "ED25519", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, 255, 32, 32, 14,
	  "\x13\x0c" "edwards25519" },
	{ "X25519", "X25519", CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, 255, 32, 32, 12,
	  "\x13\x0a" "curve25519" },
};

/* A point as CKA_EC_POINT holds it; @der: 3 bytes more than the point. Return: the length */
static inline CK_ULONG point_wrap(const void *point, CK_ULONG len, CK_BYTE *der)
{
	CK_ULONG at = 0;

	der[at++] = 0x04;
	if (len > 0x7f)
		der[at++] = 0x81;
	der[at++] = (CK_BYTE)len;
	memcpy(der + at, point, len);
	return at + len;
}

/* A session object; @point: not wrapped */
static inline CK_RV ec_create_public(CK_SESSION_HANDLE s, const struct curve *c, const void *point,
				     CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = c->type;
	CK_BYTE der[EC_POINT_MAX + 3];
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len),
		ATTR_BYTES(CKA_EC_POINT, der, point_wrap(point, len, der)),
	};

	return p11->C_CreateObject(s, tmpl, COUNT(tmpl), key);
}

/* A session object that may be taken out */
static inline CK_RV ec_create_private(CK_SESSION_HANDLE s, const struct curve *c, const void *value,
				      CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = c->type;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len), ATTR_BYTES(CKA_VALUE, value, len),
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_DERIVE, yes),
		ATTR(CKA_SIGN, yes),
	};

	/* X25519 cannot sign. */
	return p11->C_CreateObject(s, tmpl, COUNT(tmpl) - (c->type == CKK_EC_MONTGOMERY), key);
}

/* A generic secret of @len bytes that may be read; 0: as long as it gets */
static inline CK_RV ec_derive(CK_SESSION_HANDLE s, CK_MECHANISM *mech, CK_OBJECT_HANDLE base,
			      CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
		ATTR(CKA_VALUE_LEN, len),
	};

	return p11->C_DeriveKey(s, mech, base, tmpl, COUNT(tmpl) - !len, key);
}

static inline CK_RV ec_generate(CK_SESSION_HANDLE s, const struct curve *c, bool extractable,
				CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
{
	CK_MECHANISM gen = { c->gen, NULL, 0 };
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len),
	};
	CK_ATTRIBUTE priv_tmpl[] = {
		ATTR(CKA_TOKEN, no), { CKA_EXTRACTABLE, extractable ? &yes : &no, 1 },
		ATTR(CKA_DERIVE, yes),
	};

	return p11->C_GenerateKeyPair(s, &gen, pub_tmpl, COUNT(pub_tmpl), priv_tmpl, COUNT(priv_tmpl),
				      pub, priv);
}

/* Does the first token make and take keys of this curve? Which must be, offered() of ec.c says. */
static inline bool curve_offered(CK_SESSION_HANDLE s, const struct curve *c)
{
	CK_OBJECT_HANDLE pub, priv;
	CK_RV rv;

	if (!mechanism_listed(slot_a, c->gen))
		return false;
	rv = ec_generate(s, c, false, &pub, &priv);
	if (rv == CKR_CURVE_NOT_SUPPORTED)
		return false;
	assert_ok(rv);
	assert_ok(p11->C_DestroyObject(s, pub));
	assert_ok(p11->C_DestroyObject(s, priv));
	return true;
}

#endif /* LUNA_TESTS_CURVES_H */
