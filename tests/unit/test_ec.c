// SPDX-License-Identifier: MIT
/*
 * EC keys in the engine: names of curves, points, PKCS#8 with every byte wrong, and what a token does
 * whose provider has no curves, or cannot sign on those that it has. Answers that are known are in
 * tests/conformance/kat_ec.c, keys against OpenSSL's in tests/conformance/ec.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "ec.h"
#include "engine_fixture.h"

/* A key that no provider need know */
static void key_of(enum luna_curve curve, bool with_point, u8 *bytes, struct luna_der_ec *key)
{
	u32 i;

	for (i = 0; i < LUNA_EC_MAX + LUNA_EC_POINT_MAX; i++)
		bytes[i] = 7 * i + 1;
	bytes[LUNA_EC_MAX] = 4;
	key->curve = curve;
	key->value = (struct luna_num){ bytes, luna_curve_bytes(curve) };
	key->point = (struct luna_num){ bytes + LUNA_EC_MAX,
					with_point ? luna_curve_point_len(curve) : 0 };
}

static bool num_equal(const struct luna_num *a, const struct luna_num *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static bool inside(const struct luna_num *num, const u8 *der, u32 len)
{
	return !num->len || (num->data >= der && num->data + num->len <= der + len);
}

/* Parsed from memory that ends where it ends, so that a sanitizer sees what is read beyond. */
static int parse(const u8 *der, u32 len, struct luna_der_ec *key)
{
	static u8 *copy;
	int ret;

	free(copy);
	copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, der, len);
	ret = luna_der_pkcs8_ec_parse(copy, len, key);
	if (!ret) {
		assert_true(key->curve < LUNA_CURVES);
		assert_true(key->value.len && key->value.len <= luna_curve_bytes(key->curve));
		assert_true(!key->point.len || key->point.len == luna_curve_point_len(key->curve));
		assert_true(inside(&key->value, copy, len) && inside(&key->point, copy, len));
	} else {
		assert_int_equal(ret, -EBADMSG);
	}
	return ret;
}

static void test_pkcs8(void **state __maybe_unused)
{
	u8 bytes[LUNA_EC_MAX + LUNA_EC_POINT_MAX], der[512], bad[512];
	struct luna_der_ec key, back;
	int len, n, flip;
	u32 curve, with;

	for (curve = 0; curve < LUNA_CURVES; curve++) {
		for (with = 0; with < 2; with++) {
			key_of(curve, with, bytes, &key);
			len = luna_der_pkcs8_ec(&key, NULL, 0);
			assert_in_range(len, 1, sizeof(der) - 1);
			assert_int_equal(luna_der_pkcs8_ec(&key, der, len - 1), -ENOSPC);
			assert_int_equal(luna_der_pkcs8_ec(&key, der, sizeof(der)), len);
			assert_int_equal(parse(der, len, &back), 0);
			assert_int_equal(back.curve, curve);
			assert_true(num_equal(&back.value, &key.value));
			if (luna_curve_is_weierstrass(curve))
				assert_true(num_equal(&back.point, &key.point));
			der[len] = 0;
			assert_int_equal(parse(der, len + 1, &back), -EBADMSG);
			for (n = 0; n < len; n++)
				assert_int_equal(parse(der, n, &back), -EBADMSG);
			for (n = 0; n < len; n++) {
				for (flip = 1; flip < 256; flip++) {
					memcpy(bad, der, len);
					bad[n] ^= flip;
					parse(bad, len, &back);
				}
			}
		}
	}
}

/* A value that is shorter is written with its zeros; none, or one that is longer, is no key. */
static void test_values(void **state __maybe_unused)
{
	u8 bytes[LUNA_EC_MAX + LUNA_EC_POINT_MAX], der[512];
	struct luna_der_ec key, back;
	int len;

	key_of(LUNA_P256, false, bytes, &key);
	key.value.len = 5;
	len = luna_der_pkcs8_ec(&key, der, sizeof(der));
	assert_int_equal(parse(der, len, &back), 0);
	assert_int_equal(back.value.len, 32);
	assert_null(memchr_inv(back.value.data, 0, 27));
	assert_memory_equal(back.value.data + 27, bytes, 5);
	key.value.len = 0;
	assert_int_equal(luna_der_pkcs8_ec(&key, der, sizeof(der)), -EINVAL);
	key.value.len = 33;
	assert_int_equal(luna_der_pkcs8_ec(&key, der, sizeof(der)), -EINVAL);
}

static void test_names(void **state __maybe_unused)
{
	enum luna_curve curve, found;
	struct luna_num params;
	u8 bad[16];
	u32 n;

	for (curve = 0; curve < LUNA_CURVES; curve++) {
		luna_curve_params(curve, &params);
		assert_int_equal(luna_curve_find(luna_curve_key_type(curve), params.data, params.len,
						 &found), CKR_OK);
		assert_int_equal(found, curve);
		assert_int_equal(luna_curve_find(CKK_RSA, params.data, params.len, &found),
				 CKR_CURVE_NOT_SUPPORTED);
		for (n = 0; n < params.len; n++) {
			assert_int_equal(luna_curve_find(luna_curve_key_type(curve), params.data, n,
							 &found), CKR_DOMAIN_PARAMS_INVALID);
			memcpy(bad, params.data, params.len);
			bad[n] ^= 0x40;
			assert_int_not_equal(luna_curve_find(luna_curve_key_type(curve), bad, params.len,
							     &found), CKR_OK);
		}
	}
}

static void test_points(void **state __maybe_unused)
{
	u8 point[LUNA_EC_POINT_MAX] = { 4 }, der[LUNA_EC_POINT_DER_MAX];
	enum luna_curve curve;
	struct luna_num found;
	u32 len, n;

	for (curve = 0; curve < LUNA_CURVES; curve++) {
		len = luna_ec_point_der(curve, point, der);
		assert_true(luna_ec_point(curve, der, len, &found));
		assert_ptr_equal(found.data, der + len - luna_curve_point_len(curve));
		assert_int_equal(found.len, luna_curve_point_len(curve));
		assert_true(luna_ec_point(curve, point, luna_curve_point_len(curve), &found));
		assert_false(luna_ec_point(curve, NULL, 0, &found));
		for (n = 0; n < len; n++)
			if (n != luna_curve_point_len(curve))
				assert_false(luna_ec_point(curve, der, n, &found));
	}
}

/* ---- a token without curves ---- */

static const u8 p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };

/* A mechanism's row of LUNA_MECH_LIST; with a type of 0: it has none. */
static struct luna_mech_info row_of(struct luna_open *open, u32 type)
{
	struct luna_mech_info *rows = calloc(1024, sizeof(*rows)), found = {};
	struct luna_mech_list list = {};
	size_t len = 1024 * sizeof(*rows);
	u32 i;

	assert_non_null(rows);
	assert_int_equal(fx_call(open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len), CKR_OK);
	for (i = 0; i < list.count; i++)
		if (rows[i].type == type)
			found = rows[i];
	free(rows);
	return found;
}

static bool lists(struct luna_open *open, u32 type)
{
	return row_of(open, type).type;
}

static bool sizes_are(struct luna_open *open, u32 type, u32 min, u32 max)
{
	struct luna_mech_info row = row_of(open, type);

	return row.type && row.min_key_size == min && row.max_key_size == max;
}

/* It keeps the keys of others, and uses none. */
static void test_no_curves(void **state __maybe_unused)
{
	static const u32 types[] = {
		CKM_EC_KEY_PAIR_GEN, CKM_ECDSA, CKM_ECDSA_SHA256, CKM_ECDSA_SHA256_OLD, CKM_EDDSA,
		CKM_ECDH1_DERIVE, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD,
	};
	struct luna_crypto_ops bare = *fakerng_quick_ops(&luna_openssl_ops, 1);
	struct fx_tmpl pub = {}, priv = {}, tmpl = {};
	struct luna_open *open[2];
	u32 session[2], public, private, clone, handle, i, len = LUNA_EC_POINT_MAX + 3;
	u8 point[LUNA_EC_POINT_MAX + 3], sig[64];
	struct fx fx[2];

	bare.curves = 0;
	bare.ec_key = NULL;
	bare.ec_generate = NULL;
	bare.ec_public = NULL;
	fx_open(&fx[0], fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	fx_open(&fx[1], &bare, 1);
	for (i = 0; i < 2; i++)
		assert_int_equal(fx_ready(&fx[i], &open[i], &session[i]), CKR_OK);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		assert_true(lists(open[0], types[i]));
		assert_false(lists(open[1], types[i]));
	}
	fx_attr(&pub, CKA_EC_PARAMS, p256, sizeof(p256));
	fx_attr_bool(&priv, CKA_PRIVATE, true);
	assert_int_equal(fx_generate_pair(open[1], session[1], CKM_EC_KEY_PAIR_GEN, &pub, &priv, &public,
					  &private), CKR_MECHANISM_INVALID);
	assert_int_equal(fx_generate_pair(open[0], session[0], CKM_EC_KEY_PAIR_GEN, &pub, &priv, &public,
					  &private), CKR_OK);
	assert_int_equal(fx_clone(open[0], session[0], open[1], session[1], private, &clone), CKR_OK);
	assert_int_equal(fx_attr_get(open[1], session[1], clone, CKA_EC_POINT, point, &len), CKR_OK);
	i = sizeof(sig);
	assert_int_equal(fx_op(open[1], session[1], LUNA_OP_SIGN, CKM_ECDSA, clone, NULL, 0, "x", 1, NULL,
			       0, sig, &i), CKR_MECHANISM_INVALID);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_PUBLIC_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_EC);
	fx_attr(&tmpl, CKA_EC_PARAMS, p256, sizeof(p256));
	fx_attr(&tmpl, CKA_EC_POINT, point, len);
	assert_int_equal(fx_create(open[1], session[1], &tmpl, &handle), CKR_CURVE_NOT_SUPPORTED);
	assert_int_equal(fx_create(open[0], session[0], &tmpl, &handle), CKR_OK);
	for (i = 0; i < 2; i++) {
		luna_release(open[i]);
		fx_close(&fx[i]);
	}
}

/* ---- a token that cannot sign ---- */

static s64 generate(struct luna_open *open, u32 session, const u8 *params, u32 len, u32 *public,
		    u32 *private)
{
	struct fx_tmpl pub = {}, priv = {};

	fx_attr(&pub, CKA_EC_PARAMS, params, len);
	fx_attr_bool(&priv, CKA_PRIVATE, true);
	return fx_generate_pair(open, session, CKM_EC_KEY_PAIR_GEN, &pub, &priv, public, private);
}

static s64 sign(struct luna_open *open, u32 session, u32 key)
{
	u8 sig[2 * LUNA_EC_MAX];
	u32 len = sizeof(sig);

	return fx_op(open, session, LUNA_OP_SIGN, CKM_ECDSA_SHA256, key, NULL, 0, "x", 1, NULL, 0, sig,
		     &len);
}

/* As luna.ko: it makes keys and agrees on secrets with them, and signing is for where they go. */
static void test_no_signing(void **state __maybe_unused)
{
	static const u32 there[] = {
		CKM_EC_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS, CKM_ECDH1_DERIVE,
		CKM_ECDH1_COFACTOR_DERIVE, CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
		CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD,
	};
	static const u32 not_there[] = {
		CKM_ECDSA, CKM_ECDSA_SHA1, CKM_ECDSA_SHA256, CKM_ECDSA_SHA256_OLD, CKM_ECDSA_SHA3_384,
		CKM_EDDSA, CKM_EDDSA_OLD, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD,
	};
	static const u8 p521[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 };
	struct luna_crypto_ops agrees = *fakerng_quick_ops(&luna_openssl_ops, 1);
	u32 session[2], public, private, clone, i;
	struct luna_open *open[2];
	struct fx fx[2];
	u8 signs = 0;

	agrees.curves = BIT(LUNA_P256) | BIT(LUNA_P384) | BIT(LUNA_X25519);
	agrees.curves_sign = 0;
	agrees.ec_sign = NULL;
	agrees.ec_verify = NULL;
	fx_open(&fx[0], &agrees, 0);
	fx_open(&fx[1], fakerng_quick_ops(&luna_openssl_ops, 1), 1);
	for (i = 0; i < 2; i++)
		assert_int_equal(fx_ready(&fx[i], &open[i], &session[i]), CKR_OK);
	for (i = 0; i < ARRAY_SIZE(there); i++)
		assert_true(lists(open[0], there[i]));
	for (i = 0; i < ARRAY_SIZE(not_there); i++)
		assert_false(lists(open[0], not_there[i]));
	assert_true(sizes_are(open[0], CKM_EC_KEY_PAIR_GEN, 256, 384));
	assert_true(sizes_are(open[0], CKM_ECDH1_DERIVE, 255, 384));
	assert_true(sizes_are(open[0], CKM_ECDH1_COFACTOR_DERIVE, 256, 384));
	assert_true(sizes_are(open[1], CKM_EC_KEY_PAIR_GEN, 224, 521));
	assert_int_equal(generate(open[0], session[0], p521, sizeof(p521), &public, &private),
			 CKR_CURVE_NOT_SUPPORTED);
	assert_int_equal(generate(open[0], session[0], p256, sizeof(p256), &public, &private), CKR_OK);
	assert_int_equal(sign(open[0], session[0], private), CKR_MECHANISM_INVALID);
	/* What it makes is what any token makes, and signs elsewhere. */
	i = sizeof(signs);
	assert_int_equal(fx_attr_get(open[0], session[0], private, CKA_SIGN, &signs, &i), CKR_OK);
	assert_true(signs);
	assert_int_equal(fx_clone(open[0], session[0], open[1], session[1], private, &clone), CKR_OK);
	assert_int_equal(sign(open[1], session[1], clone), CKR_OK);
	/* On some of its curves: the mechanism is there, for their keys. */
	agrees.curves_sign = BIT(LUNA_P384);
	assert_true(sizes_are(open[0], CKM_ECDSA_SHA256, 384, 384));
	assert_true(sizes_are(open[0], CKM_EC_KEY_PAIR_GEN, 256, 384));
	assert_int_equal(sign(open[0], session[0], private), CKR_MECHANISM_INVALID);
	for (i = 0; i < 2; i++) {
		luna_release(open[i]);
		fx_close(&fx[i]);
	}
}

/* ---- the provider ---- */

static void test_provider(void **state __maybe_unused)
{
	const struct luna_crypto_ops *c = &luna_openssl_ops;
	u8 *point = malloc(LUNA_EC_POINT_MAX), *value = malloc(LUNA_EC_MAX), sig[2 * LUNA_EC_MAX];
	u8 secret[LUNA_EC_MAX];
	struct luna_num value_num, point_num;
	struct luna_ec_key *pub, *priv;
	enum luna_curve curve;
	bool signs, derives;

	assert_true(point && value);
	for (curve = 0; curve < LUNA_CURVES; curve++) {
		signs = c->curves_sign & BIT(curve);
		assert_int_equal(signs, curve != LUNA_X25519);
		derives = curve != LUNA_ED25519;
		assert_int_equal(c->ec_generate(curve, point, value), 0);
		value_num = (struct luna_num){ value, luna_curve_bytes(curve) };
		point_num = (struct luna_num){ point, luna_curve_point_len(curve) };
		pub = c->ec_key(curve, &point_num, NULL);
		priv = c->ec_key(curve, NULL, &value_num);
		assert_false(IS_ERR(pub) || IS_ERR(priv));
		/* Each key does what it is for, and nothing else. */
		assert_int_equal(c->ec_sign(priv, (u8 *)"text", 4, sig), signs ? 0 : -EINVAL);
		assert_int_equal(c->ec_sign(pub, (u8 *)"text", 4, sig), -EINVAL);
		assert_int_equal(c->ec_verify(pub, (u8 *)"text", 4, sig), signs ? 0 : -EINVAL);
		assert_int_equal(c->ec_verify(priv, (u8 *)"text", 4, sig), -EINVAL);
		if (signs)
			assert_int_equal(c->ec_verify(pub, (u8 *)"test", 4, sig), -EBADMSG);
		assert_int_equal(c->ecdh(priv, point, secret), derives ? 0 : -EINVAL);
		assert_int_equal(c->ecdh(pub, point, secret), -EINVAL);
		c->ec_key_free(pub);
		c->ec_key_free(priv);
		point_num.len--;
		assert_int_equal(PTR_ERR(c->ec_key(curve, &point_num, NULL)), -EINVAL);
	}
	c->ec_key_free(NULL);
	value_num = (struct luna_num){ value, 32 };
	assert_int_equal(PTR_ERR(c->ec_key(LUNA_CURVES, NULL, &value_num)), -EOPNOTSUPP);
	free(point);
	free(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pkcs8),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_no_curves),
		cmocka_unit_test(test_no_signing),
		cmocka_unit_test(test_provider),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
