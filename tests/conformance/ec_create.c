// SPDX-License-Identifier: MIT
/* Keys from elsewhere: points and private values that are good, and all that are not. */
#include <openssl/core_names.h>

#include "ec.h"

/* A public key with this CKA_EC_POINT */
static CK_RV create_point(const struct curve *c, const void *bytes, CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = c->type;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len), ATTR_BYTES(CKA_EC_POINT, bytes, len),
	};

	return p11->C_CreateObject(s, tmpl, COUNT(tmpl), key);
}

/* Points: wrapped or not; broken in every way, none of which is a point by accident. */
void points(void **state)
{
	CK_BYTE der[EC_POINT_MAX + 3], bad[EC_POINT_MAX + 4];
	CK_OBJECT_HANDLE key;
	unsigned char *kept;
	CK_ULONG len, got, n;
	struct pair p;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		const struct curve *c = &curves[i];

		if (!curve_offered(s, c))
			continue;
		p = pair_import(c);
		len = point_wrap(p.point, c->point, der);
		assert_ok(create_point(c, p.point, c->point, &key));
		kept = attr_bytes(s, key, CKA_EC_POINT, &got);
		assert_int_equal(got, len);
		assert_memory_equal(kept, der, len);
		free(kept);
		/* Any 32 bytes may be a point that is not wrapped. */
		for (n = 0; n < len; n++)
			if (n != 32 || is_weierstrass(c))
				assert_rv(create_point(c, der, n, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memcpy(bad, der, len);
		bad[len] = 0;
		assert_rv(create_point(c, bad, len + 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		for (n = 0; n < len - c->point; n++) {
			memcpy(bad, der, len);
			bad[n] ^= 1;
			assert_rv(create_point(c, bad, len, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		}
		if (!is_weierstrass(c)) {
			/* A BIT STRING, as drafts had it; not with bits left over */
			memcpy(bad, "\x03\x21\x00", 3);
			memcpy(bad + 3, p.point, 32);
			assert_ok(create_point(c, bad, 35, &key));
			bad[2] = 1;
			assert_rv(create_point(c, bad, 35, &key), CKR_ATTRIBUTE_VALUE_INVALID);
			EVP_PKEY_free(p.pkey);
			continue;
		}
		/* Off the curve: a y that is another's */
		for (n = 1; n < c->point; n += 1 + rand() % 5) {
			memcpy(bad, p.point, c->point);
			bad[n] ^= 1 << rand() % 8;
			assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		}
		/* Infinity, compressed, hybrid, coordinates beyond the field */
		assert_rv(create_point(c, "\x00", 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		assert_rv(create_point(c, "\x04\x01\x00", 3, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memcpy(bad, p.point, c->point);
		bad[0] = 2 + (p.point[c->point - 1] & 1);
		assert_rv(create_point(c, bad, 1 + c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		bad[0] += 4;
		assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memset(bad + 1, 0, c->point - 1);
		bad[0] = 4;
		assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memset(bad + 1, 0xff, c->point - 1);
		assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		EVP_PKEY_free(p.pkey);
	}
}

/* Half of all numbers are no y of Edwards's curve, and p and more none at all. */
void edwards_points(void **state)
{
	const struct curve *c = &curves[ED25519];
	unsigned int on = 0, i;
	CK_OBJECT_HANDLE key;
	CK_BYTE point[32];
	CK_RV rv;

	NEEDS_SIGNING;
	for (i = 0; i < 400; i++) {
		fresh(point, sizeof(point));
		rv = create_point(c, point, 32, &key);
		if (rv == CKR_OK) {
			on++;
			assert_ok(p11->C_DestroyObject(s, key));
		} else {
			assert_rv(rv, CKR_ATTRIBUTE_VALUE_INVALID);
		}
	}
	assert_in_range(on, 130, 270);
	memset(point, 0xff, 32);
	point[31] = 0x7f;
	for (i = 0xed; i <= 0xff; i++) {
		point[0] = i;
		assert_rv(create_point(c, point, 32, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	}
	/* x is 0 there, so that it has no sign. */
	memset(point, 0, 32);
	point[0] = 1;
	assert_ok(create_point(c, point, 32, &key));
	point[31] = 0x80;
	assert_rv(create_point(c, point, 32, &key), CKR_ATTRIBUTE_VALUE_INVALID);
}

/* 1 .. order - 1, with zeros in front as a client likes; a point that is another's is refused. */
void values(void **state)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_BYTE value[70], der[EC_POINT_MAX + 3];
	CK_OBJECT_HANDLE key;
	BIGNUM *n = NULL;
	unsigned char *kept;
	CK_ULONG len;
	struct pair p, other;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		const struct curve *c = &curves[i];
		CK_KEY_TYPE type = c->type;
		CK_ATTRIBUTE tmpl[] = {
			ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
			ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len),
			ATTR_BYTES(CKA_EC_POINT, der, 0), ATTR_BYTES(CKA_VALUE, value, c->bytes),
		};

		if (!curve_offered(s, c))
			continue;
		p = pair_import(c);
		other = pair_import(c);
		memcpy(value, p.value, c->bytes);
		tmpl[4].ulValueLen = point_wrap(p.point, c->point, der);
		assert_ok(p11->C_CreateObject(s, tmpl, 6, &key));
		assert_rv(p11->C_CreateObject(s, tmpl, 5, &key), CKR_TEMPLATE_INCOMPLETE);
		point_wrap(other.point, c->point, der);
		assert_rv(p11->C_CreateObject(s, tmpl, 6, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		assert_rv(ec_create_private(s, c, value, 0, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		if (!is_weierstrass(c)) {
			assert_rv(ec_create_private(s, c, value, 31, &key), CKR_ATTRIBUTE_VALUE_INVALID);
			assert_rv(ec_create_private(s, c, value, 33, &key), CKR_ATTRIBUTE_VALUE_INVALID);
			goto next;
		}
		ossl(EVP_PKEY_get_bn_param(p.pkey, OSSL_PKEY_PARAM_EC_ORDER, &n));
		assert_int_equal(BN_bn2binpad(n, value, c->bytes), c->bytes);
		assert_rv(ec_create_private(s, c, value, c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		ossl(BN_sub_word(n, 1));
		BN_bn2binpad(n, value, c->bytes);
		assert_ok(ec_create_private(s, c, value, c->bytes, &key));
		memset(value, 0xff, sizeof(value));
		assert_rv(ec_create_private(s, c, value, c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memset(value, 0, sizeof(value));
		assert_rv(ec_create_private(s, c, value, c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		assert_rv(ec_create_private(s, c, value, 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		value[c->bytes + 1] = 5;
		assert_ok(ec_create_private(s, c, value, c->bytes + 2, &key));
		kept = attr_bytes(s, key, CKA_VALUE, &len);
		assert_int_equal(len, c->bytes);
		assert_memory_equal(kept, value + 2, len);
		free(kept);
		value[0] = 1;
		assert_rv(ec_create_private(s, c, value, c->bytes + 2, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		value[0] = 5;
		assert_ok(ec_create_private(s, c, value, 1, &key));
		kept = attr_bytes(s, key, CKA_VALUE, &len);
		assert_int_equal(len, c->bytes);
		assert_int_equal(kept[len - 1], 5);
		free(kept);
next:
		EVP_PKEY_free(p.pkey);
		EVP_PKEY_free(other.pkey);
	}
	BN_free(n);
}
