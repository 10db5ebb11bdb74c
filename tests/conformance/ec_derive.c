// SPDX-License-Identifier: MIT
/* ECDH against OpenSSL's, and points that must be refused. */
#include "ec.h"

static size_t ossl_derive(EVP_PKEY *pkey, EVP_PKEY *peer, unsigned char *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t len = ROOM;

	ossl(EVP_PKEY_derive_init(ctx));
	ossl(EVP_PKEY_derive_set_peer(ctx, peer));
	ossl(EVP_PKEY_derive(ctx, secret, &len));
	EVP_PKEY_CTX_free(ctx);
	return len;
}

bool derives(const struct curve *c)
{
	return c->type != CKK_EC_EDWARDS;
}

/* A key of the token and one of OpenSSL agree, whoever starts. */
void agreed(void **state)
{
	CK_ECDH1_DERIVE_PARAMS p = { CKD_NULL, 0, NULL, 0, NULL };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_OBJECT_HANDLE pub, priv, key;
	EVP_PKEY *theirs, *ours;
	unsigned char *value;
	struct pair peer;
	CK_ULONG len;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		if (!derives(&curves[i]) || !curve_offered(s, &curves[i]))
			continue;
		assert_ok(ec_generate(s, &curves[i], false, &pub, &priv));
		ours = public_of(&curves[i], pub);
		peer = (struct pair){ .curve = &curves[i], .pkey = ossl_key(&curves[i]) };
		theirs = peer.pkey;
		ossl_numbers(&peer);
		assert_int_equal(ossl_derive(theirs, ours, back), curves[i].bytes);
		p.pPublicData = peer.point;
		p.ulPublicDataLen = curves[i].point;
		assert_ok(ec_derive(s, &mech, priv, 0, &key));
		value = attr_bytes(s, key, CKA_VALUE, &len);
		assert_int_equal(len, curves[i].bytes);
		assert_memory_equal(value, back, len);
		assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), CKK_GENERIC_SECRET);
		assert_false(attr_bool(s, key, CKA_LOCAL));
		assert_false(attr_bool(s, key, CKA_ALWAYS_SENSITIVE));
		free(value);
		assert_rv(ec_derive(s, &mech, priv, curves[i].bytes + 1, &key), CKR_KEY_SIZE_RANGE);
		EVP_PKEY_free(ours);
		EVP_PKEY_free(theirs);
	}
}

void agreed_keys(void **state)
{
	CK_KEY_TYPE aes = CKK_AES;
	CK_BYTE shared[] = "shared";
	CK_ECDH1_DERIVE_PARAMS p = { CKD_SHA256_KDF, sizeof(shared), shared, 0, NULL };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_ULONG bytes = 24;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_TOKEN, no), ATTR(CKA_KEY_TYPE, aes), ATTR(CKA_VALUE_LEN, bytes) };
	CK_ATTRIBUTE off = ATTR(CKA_DERIVE, no);
	CK_OBJECT_HANDLE key;
	struct pair a, b, ed;

	NEEDS_CURVES;
	a = pair_import(&curves[2]);
	b = pair_import(&curves[2]);
	p.pPublicData = b.point;
	p.ulPublicDataLen = b.curve->point;
	assert_ok(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 3, &key));
	assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), 24);
	assert_true(attr_bool(s, key, CKA_ENCRYPT));
	/* How long a key is that such a function makes, the template must say. */
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 2, &key), CKR_TEMPLATE_INCOMPLETE);
	bytes = 17;
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 3, &key), CKR_TEMPLATE_INCONSISTENT);
	/* 48 bytes are no AES key. */
	p.kdf = CKD_NULL;
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 2, &key), CKR_MECHANISM_PARAM_INVALID);
	p.ulSharedDataLen = 0;
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 2, &key), CKR_KEY_SIZE_RANGE);
	assert_rv(p11->C_DeriveKey(s, &mech, a.pub, tmpl, 1, &key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_SetAttributeValue(s, a.priv, &off, 1));
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 1, &key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	if (has_signing()) {
		ed = pair_import(&curves[ED25519]);
		assert_rv(p11->C_DeriveKey(s, &mech, ed.priv, tmpl, 1, &key), CKR_KEY_TYPE_INCONSISTENT);
		EVP_PKEY_free(ed.pkey);
	}
	EVP_PKEY_free(a.pkey);
	EVP_PKEY_free(b.pkey);
}

/* The other side's point is anyone's: each byte of it broken, and those that tell about the key. */
void hostile_points(void **state)
{
	static const CK_BYTE low_order[][32] = {
		{ 0 }, { 1 },
		"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a"
		"\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8",
		"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	};
	CK_BYTE point[EC_POINT_MAX + 3];
	CK_ECDH1_DERIVE_PARAMS p = { CKD_NULL, 0, NULL, 0, point };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_OBJECT_HANDLE key;
	struct pair a, b;
	CK_ULONG n;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < WEIERSTRASS; i++) {
		if (!curve_offered(s, &curves[i]))
			continue;
		a = pair_import(&curves[i]);
		b = pair_import(&curves[i]);
		p.ulPublicDataLen = curves[i].point;
		for (n = 0; n < curves[i].point; n++) {
			memcpy(point, b.point, curves[i].point);
			point[n] ^= 1 << rand() % 8;
			assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		}
		memcpy(point, b.point, curves[i].point);
		for (p.ulPublicDataLen = 0; p.ulPublicDataLen < curves[i].point; p.ulPublicDataLen++)
			assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		/* A point of another curve, infinity */
		memcpy(point, "\x04\x01\x00", 3);
		p.ulPublicDataLen = 3;
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		p.ulPublicDataLen = curves[i].point;
		memcpy(point, b.point, curves[i].point);
		assert_ok(ec_derive(s, &mech, a.priv, 0, &key));
		/* Functions that are not here, and parameters that are none */
		for (p.kdf = CKD_SHA1_KDF_ASN1; p.kdf <= CKD_SHA1_KDF_CONCATENATE; p.kdf++)
			assert_rv(ec_derive(s, &mech, a.priv, 16, &key), CKR_MECHANISM_PARAM_INVALID);
		p.kdf = CKD_NULL;
		mech.ulParameterLen--;
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		mech.ulParameterLen = 0;
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		mech.ulParameterLen = sizeof(p);
		EVP_PKEY_free(a.pkey);
		EVP_PKEY_free(b.pkey);
	}
	if (!curve_offered(s, &curves[X25519]))
		return;
	a = pair_import(&curves[X25519]);
	p.ulPublicDataLen = 32;
	for (i = 0; i < COUNT(low_order); i++) {
		memcpy(point, low_order[i], 32);
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
	}
	EVP_PKEY_free(a.pkey);
}
