// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Curves of the provider and what two keys on one of them agree on: published answers, the ends of
 * the range, points and values that are none; and the same through the engine's commands, with a
 * list of mechanisms that tells what the provider can do.
 */
#include "bytes.h"
#include "ecdh_answers.h"
#include "side.h"

/* Those that any provider has, the kernel's too; X25519 not in kernels since 6.18. */
static const enum luna_curve common[] = { LUNA_P256, LUNA_P384, LUNA_X25519 };

static struct luna_num num_of(struct bytes b)
{
	return (struct luna_num){ b.data, b.len };
}

static struct luna_ec_key *key_of(struct kunit *test, enum luna_curve curve, struct bytes value)
{
	const struct luna_num num = num_of(value);
	struct luna_ec_key *key = luna_test_crypto()->ec_key(curve, NULL, &num);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	return key;
}

/* ---- the provider ---- */

static void ecdh_curves(struct kunit *test)
{
	const struct luna_crypto_ops *c = luna_test_crypto();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(common); i++)
		KUNIT_EXPECT_TRUE_MSG(test, c->curves & BIT(common[i]), "curve %d", common[i]);
	KUNIT_EXPECT_EQ(test, c->curves_sign & ~c->curves, 0u);
	KUNIT_EXPECT_EQ(test, !c->ec_sign, !c->curves_sign);
}

static void one_answer(struct kunit *test, const struct ecdh_answer *a)
{
	const struct luna_crypto_ops *c = luna_test_crypto();
	struct bytes value = bytes_hex(test, a->value), peer = bytes_hex(test, a->peer);
	struct bytes point = bytes_new(test, luna_curve_point_len(a->curve));
	struct bytes secret = bytes_new(test, luna_curve_bytes(a->curve));
	const struct luna_num num = num_of(value);
	struct luna_ec_key *key;

	KUNIT_EXPECT_EQ_MSG(test, c->ec_public(a->curve, &num, point.data), 0, "%s", a->name);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(point, a->point), "%s: point", a->name);
	key = key_of(test, a->curve, value);
	KUNIT_EXPECT_EQ_MSG(test, c->ecdh(key, peer.data, secret.data), 0, "%s", a->name);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(secret, a->secret), "%s: secret", a->name);
	c->ec_key_free(key);
}

static void ecdh_known_answers(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ecdh_answers); i++)
		one_answer(test, &ecdh_answers[i]);
}

/* Two keys that were drawn: different ones, whose owners agree, and on what others do not. */
static void agreement(struct kunit *test, enum luna_curve curve)
{
	const struct luna_crypto_ops *c = luna_test_crypto();
	u32 bytes = luna_curve_bytes(curve), i;
	struct bytes point[2], value[2], secret[2];
	struct luna_ec_key *key;

	for (i = 0; i < 2; i++) {
		point[i] = bytes_new(test, luna_curve_point_len(curve));
		value[i] = bytes_new(test, bytes);
		secret[i] = bytes_new(test, bytes);
		KUNIT_ASSERT_EQ(test, c->ec_generate(curve, point[i].data, value[i].data), 0);
	}
	KUNIT_EXPECT_NE(test, memcmp(value[0].data, value[1].data, bytes), 0);
	for (i = 0; i < 2; i++) {
		key = key_of(test, curve, value[i]);
		KUNIT_EXPECT_EQ(test, c->ecdh(key, point[!i].data, secret[i].data), 0);
		c->ec_key_free(key);
	}
	KUNIT_EXPECT_EQ(test, memcmp(secret[0].data, secret[1].data, bytes), 0);
	KUNIT_EXPECT_NE(test, memcmp(secret[0].data, value[0].data, bytes), 0);
}

static void ecdh_agreement(struct kunit *test)
{
	enum luna_curve curve;

	for (curve = 0; curve < LUNA_CURVES; curve++)
		if (luna_test_crypto()->curves & BIT(curve) && curve != LUNA_ED25519)
			agreement(test, curve);
}

/* Neither as a public key nor as the other side's point */
static void refuse_point(struct kunit *test, struct luna_ec_key *key, enum luna_curve curve,
			 struct bytes point, const char *why)
{
	const struct luna_crypto_ops *c = luna_test_crypto();
	struct bytes secret = bytes_new(test, luna_curve_bytes(curve));
	const struct luna_num num = num_of(point);
	struct luna_ec_key *public = c->ec_key(curve, &num, NULL);

	KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(public), -EINVAL, "%s", why);
	if (!IS_ERR(public))
		c->ec_key_free(public);
	KUNIT_EXPECT_EQ_MSG(test, c->ecdh(key, point.data, secret.data), -EINVAL, "%s", why);
}

static void bad_points(struct kunit *test, const struct ecdh_answer *a)
{
	struct luna_ec_key *key = key_of(test, a->curve, bytes_hex(test, a->value));
	struct bytes good = bytes_hex(test, a->peer), bad = bytes_hex(test, a->peer);
	const struct luna_crypto_ops *c = luna_test_crypto();
	struct luna_num num = num_of(good);
	struct luna_ec_key *public;
	size_t i;

	for (i = 0; i < bad.len; i++) {
		bad.data[i] ^= 1 << i % 8;
		refuse_point(test, key, a->curve, bad, "a bit changed");
		bad.data[i] = good.data[i];
	}
	memset(bad.data + 1, 0, bad.len - 1);
	refuse_point(test, key, a->curve, bad, "infinity");
	memset(bad.data + 1, 0xff, bad.len - 1);
	refuse_point(test, key, a->curve, bad, "beyond the field");
	for (num.len = 0; num.len < good.len; num.len++)
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c->ec_key(a->curve, &num, NULL)), -EINVAL);
	/* What is refused is the point, and a public key is good for no agreement. */
	public = c->ec_key(a->curve, &num, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, public);
	KUNIT_EXPECT_EQ(test, c->ecdh(public, good.data, bad.data), -EINVAL);
	c->ec_key_free(public);
	c->ec_key_free(key);
}

static void ecdh_bad_points(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ecdh_answers); i++)
		if (!strcmp(ecdh_answers[i].name, "CAVP"))
			bad_points(test, &ecdh_answers[i]);
}

/* RFC 7748, 6.1: all that such a point leads to is zero. */
static void ecdh_low_order(struct kunit *test)
{
	static const char * const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	const struct luna_crypto_ops *c = luna_test_crypto();
	struct luna_ec_key *key = key_of(test, LUNA_X25519, bytes_pattern(test, 32));
	struct bytes secret = bytes_new(test, 32);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    c->ecdh(key, bytes_hex(test, points[i]).data, secret.data),
				    -EINVAL, "point %zu", i);
	c->ec_key_free(key);
}

static void refuse_value(struct kunit *test, enum luna_curve curve, const char *hex)
{
	const struct luna_crypto_ops *c = luna_test_crypto();
	struct bytes value = bytes_hex(test, hex);
	const struct luna_num num = num_of(value);
	struct bytes point = bytes_new(test, LUNA_EC_POINT_MAX);
	struct luna_ec_key *key = c->ec_key(curve, NULL, &num);

	KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(key), -EINVAL, "%s", hex);
	if (!IS_ERR(key))
		c->ec_key_free(key);
	KUNIT_EXPECT_EQ_MSG(test, c->ec_public(curve, &num, point.data), -EINVAL, "%s", hex);
}

static void ecdh_bad_values(struct kunit *test)
{
	static const struct {
		enum luna_curve curve;
		const char *value;
	} bad[] = {
		{ LUNA_P256, "" },
		{ LUNA_P256, "00" },
		{ LUNA_P256, "0000000000000000000000000000000000000000000000000000000000000000" },
		{ LUNA_P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551" },
		{ LUNA_P256, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552" },
		{ LUNA_P256, "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00" },
		{ LUNA_P384, "00" },
		{ LUNA_P384, "ffffffffffffffffffffffffffffffffffffffffffffffff"
			     "c7634d81f4372ddf581a0db248b0a77aecec196accc52973" },
		{ LUNA_P384, "ffffffffffffffffffffffffffffffffffffffffffffffff"
			     "ffffffffffffffffffffffffffffffffffffffffffffff00" },
		{ LUNA_X25519, "01" },
		{ LUNA_X25519, "00000000000000000000000000000000000000000000000000000000000001" },
	};
	const struct luna_crypto_ops *c = luna_test_crypto();
	struct bytes five = bytes_hex(test, "05");
	const struct luna_num num = num_of(five);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		refuse_value(test, bad[i].curve, bad[i].value);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(c->ec_key(LUNA_CURVES, NULL, &num)), -EOPNOTSUPP);
	c->ec_key_free(NULL);
}

/* ---- the engine ---- */

static const u8 p384[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };

static bool lists(struct kunit *test, struct fx_side *side, u32 type)
{
	enum { ROOM = 12 * 1024 };
	struct luna_mech_info *rows = (void *)bytes_new(test, ROOM).data;
	struct luna_mech_list list = {};
	size_t len = ROOM, i;

	KUNIT_ASSERT_EQ(test, fx_call(side->open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0,
				      rows, &len), CKR_OK);
	for (i = 0; i < list.count; i++)
		if (rows[i].type == type)
			return true;
	return false;
}

/* A provider that cannot sign lists nothing that does. */
static void ecdh_mechanisms(struct kunit *test)
{
	static const u32 agree[] = {
		CKM_EC_KEY_PAIR_GEN, CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS, CKM_ECDH1_DERIVE,
		CKM_ECDH1_COFACTOR_DERIVE, CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
		CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD,
	};
	static const u32 sign[] = {
		CKM_ECDSA, CKM_ECDSA_SHA1, CKM_ECDSA_SHA256, CKM_ECDSA_SHA512_OLD, CKM_EDDSA,
		CKM_EDDSA_OLD,
	};
	struct fx_side *side = luna_test_alloc(sizeof(*side));
	size_t i;

	fx_side_open(side, fakerng_quick_ops(luna_test_crypto(), 5), 0);
	for (i = 0; i < ARRAY_SIZE(agree); i++)
		KUNIT_EXPECT_TRUE_MSG(test, lists(test, side, agree[i]), "%#x", agree[i]);
	for (i = 0; i < ARRAY_SIZE(sign); i++)
		KUNIT_EXPECT_EQ_MSG(test, lists(test, side, sign[i]),
				    !!luna_test_crypto()->curves_sign, "%#x", sign[i]);
	fx_side_close(side);
	luna_test_free(side);
}

static void pair(struct kunit *test, struct fx_side *side, u32 *pub, u32 *priv)
{
	struct fx_tmpl *tmpl = luna_test_alloc(2 * sizeof(*tmpl));

	fx_attr(&tmpl[0], CKA_EC_PARAMS, p384, sizeof(p384));
	fx_attr_bool(&tmpl[1], CKA_DERIVE, true);
	KUNIT_EXPECT_EQ(test, fx_generate_pair(side->open, side->session, CKM_EC_KEY_PAIR_GEN,
					       &tmpl[0], &tmpl[1], pub, priv), CKR_OK);
	luna_test_free(tmpl);
}

/* What @priv and @pub's owner agree on, in @value, as much as there is room for */
static u32 derived(struct kunit *test, struct fx_side *side, u32 priv, u32 pub, u8 *value, u32 room)
{
	struct bytes param = bytes_new(test, sizeof(struct luna_ecdh_param) + 100);
	struct luna_ecdh_param *p = (struct luna_ecdh_param *)param.data;
	struct fx_tmpl *tmpl = luna_test_alloc(sizeof(*tmpl));
	u32 len = 100, handle = 0, none;

	fx_attr_bool(tmpl, CKA_SENSITIVE, false);
	fx_attr_bool(tmpl, CKA_EXTRACTABLE, true);
	KUNIT_EXPECT_EQ(test, fx_attr_get(side->open, side->session, pub, CKA_EC_POINT,
					  param.data + sizeof(*p), &len), CKR_OK);
	p->kdf = CKD_NULL;
	p->public_len = len;
	KUNIT_EXPECT_EQ(test, fx_derive(side->open, side->session, CKM_ECDH1_DERIVE, param.data,
					sizeof(*p) + len, priv, tmpl, &handle), CKR_OK);
	param.data[sizeof(*p) + len - 1] ^= 1;
	KUNIT_EXPECT_EQ(test, fx_derive(side->open, side->session, CKM_ECDH1_DERIVE, param.data,
					sizeof(*p) + len, priv, tmpl, &none),
			CKR_MECHANISM_PARAM_INVALID);
	luna_test_free(tmpl);
	KUNIT_EXPECT_EQ(test, fx_attr_get(side->open, side->session, handle, CKA_VALUE, value,
					  &room), CKR_OK);
	return room;
}

static void ecdh_keys_agree(struct kunit *test)
{
	struct fx_side *side = luna_test_alloc(sizeof(*side));
	bool signs = luna_test_crypto()->curves_sign & BIT(LUNA_P384);
	u8 *value = bytes_new(test, 3 * 96).data;
	u32 pub[2], priv[2], len = 96;
	int i;

	fx_side_open(side, fakerng_quick_ops(luna_test_crypto(), 5), 0);
	for (i = 0; i < 2; i++)
		pair(test, side, &pub[i], &priv[i]);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, derived(test, side, priv[i], pub[!i], value + 96 * i, 96),
				48u);
	KUNIT_EXPECT_EQ(test, memcmp(value, value + 96, 48), 0);
	/* Its key may sign, where there is someone who can. */
	KUNIT_EXPECT_EQ(test, fx_op(side->open, side->session, LUNA_OP_SIGN, CKM_ECDSA_SHA256,
				    priv[0], NULL, 0, value, 48, NULL, 0, value + 2 * 96, &len),
			signs ? CKR_OK : CKR_MECHANISM_INVALID);
	fx_side_close(side);
	luna_test_free(side);
}

static struct kunit_case ecdh_cases[] = {
	KUNIT_CASE(ecdh_curves),
	KUNIT_CASE(ecdh_known_answers),
	KUNIT_CASE(ecdh_agreement),
	KUNIT_CASE(ecdh_bad_points),
	KUNIT_CASE(ecdh_low_order),
	KUNIT_CASE(ecdh_bad_values),
	KUNIT_CASE(ecdh_mechanisms),
	KUNIT_CASE(ecdh_keys_agree),
	{}
};

static struct kunit_suite ecdh_suite = {
	.name = "luna-ecdh",
	.test_cases = ecdh_cases,
};

kunit_test_suites(&ecdh_suite);
