// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the engine makes of the provider's AES, through its commands: GMAC and XTS, in both numbers
 * that each has. Published answers, and what is refused. GCM's own are in message_test.c.
 */
#include "bytes.h"
#include "modes_answers.h"
#include "side.h"

enum { OUT_MAX = 128 };

struct modes {
	struct fx_side side;
	struct luna_crypto_ops ops;
	struct fx_tmpl tmpl;
};

static int modes_init(struct kunit *test)
{
	struct modes *m = luna_test_alloc(sizeof(*m));

	test->priv = m;
	m->ops = *fakerng_quick_ops(luna_test_crypto(), 6);
	fx_side_open(&m->side, &m->ops, 0);
	return 0;
}

static void modes_exit(struct kunit *test)
{
	struct modes *m = test->priv;

	if (!m)
		return;
	fx_side_close(&m->side);
	luna_test_free(m);
	test->priv = NULL;
}

/* Creation of a key for everything that such keys do */
static s64 import(struct kunit *test, u32 type, struct bytes value, u32 *handle)
{
	struct modes *m = test->priv;

	m->tmpl.len = 0;
	fx_attr_ulong(&m->tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&m->tmpl, CKA_KEY_TYPE, type);
	fx_attr(&m->tmpl, CKA_VALUE, value.data, value.len);
	fx_attr_bool(&m->tmpl, CKA_ENCRYPT, true);
	fx_attr_bool(&m->tmpl, CKA_DECRYPT, true);
	if (type == CKK_AES) {
		fx_attr_bool(&m->tmpl, CKA_SIGN, true);
		fx_attr_bool(&m->tmpl, CKA_VERIFY, true);
	}
	return fx_create(m->side.open, m->side.session, &m->tmpl, handle);
}

static u32 key(struct kunit *test, u32 type, struct bytes value)
{
	u32 handle;

	KUNIT_ASSERT_EQ(test, import(test, type, value, &handle), CKR_OK);
	return handle;
}

/* As much as comes of it is in @out afterwards. */
static s64 run(struct kunit *test, u32 op, u32 mechanism, u32 handle, struct bytes param,
	       struct bytes in, struct bytes *out)
{
	struct modes *m = test->priv;
	u32 len = OUT_MAX;
	s64 rv;

	*out = bytes_new(test, OUT_MAX);
	rv = fx_op(m->side.open, m->side.session, op, mechanism, handle, param.data, param.len,
		   in.data, in.len, NULL, 0, out->data, &len);
	out->len = rv ? 0 : len;
	return rv;
}

static s64 verify(struct kunit *test, u32 mechanism, u32 handle, struct bytes param,
		  struct bytes in, struct bytes sig)
{
	struct modes *m = test->priv;

	return fx_op(m->side.open, m->side.session, LUNA_OP_VERIFY, mechanism, handle, param.data,
		     param.len, in.data, in.len, sig.data, sig.len, NULL, NULL);
}

/* ---- GMAC ---- */

static struct bytes gmac_param(struct kunit *test, struct bytes iv, u32 aad_len, u32 tag_bits)
{
	const struct luna_gcm_param p = {
		.iv_len = iv.len, .iv_bits = 8 * iv.len, .aad_len = aad_len, .tag_bits = tag_bits,
	};
	struct bytes b = bytes_new(test, sizeof(p) + iv.len + aad_len);

	memcpy(b.data, &p, sizeof(p));
	memcpy(b.data + sizeof(p), iv.data, iv.len);
	return b;
}

static void gmac_answer(struct kunit *test, u32 mechanism, const struct mode_answer *a)
{
	struct bytes data = bytes_hex(test, a->data), iv = bytes_hex(test, a->iv), tag;
	struct bytes param = gmac_param(test, iv, 0, 128);
	u32 handle = key(test, CKK_AES, bytes_hex(test, a->key));

	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, mechanism, handle, param, data, &tag),
			CKR_OK);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(tag, a->result), "%s", a->name);
	KUNIT_EXPECT_EQ(test, verify(test, mechanism, handle, param, data, tag), CKR_OK);
	tag.data[15] ^= 0x80;
	KUNIT_EXPECT_EQ(test, verify(test, mechanism, handle, param, data, tag),
			CKR_SIGNATURE_INVALID);
	tag.len--;
	KUNIT_EXPECT_EQ(test, verify(test, mechanism, handle, param, data, tag),
			CKR_SIGNATURE_LEN_RANGE);
	/* A shorter tag is the front of the long one. */
	param = gmac_param(test, iv, 0, 96);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, mechanism, handle, param, data, &tag),
			CKR_OK);
	KUNIT_EXPECT_EQ(test, tag.len, (size_t)12);
	KUNIT_EXPECT_EQ(test, memcmp(tag.data, bytes_hex(test, a->result).data, 12), 0);
}

static void gmac_known_answers(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gmac_answers); i++) {
		gmac_answer(test, CKM_AES_GMAC, &gmac_answers[i]);
		gmac_answer(test, CKM_AES_GMAC_OLD, &gmac_answers[i]);
	}
}

static void gmac_refusals(struct kunit *test)
{
	struct bytes iv = bytes_pattern(test, 12), none = bytes_new(test, 0), out;
	struct bytes good = gmac_param(test, iv, 0, 128), data = bytes_pattern(test, 33);
	u32 aes = key(test, CKK_AES, bytes_pattern(test, 32));
	u32 generic = key(test, CKK_GENERIC_SECRET, bytes_pattern(test, 32));
	const u32 gmac = CKM_AES_GMAC;

	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, gmac, aes, good, data, &out), CKR_OK);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, gmac, aes, none, data, &out),
			CKR_MECHANISM_PARAM_INVALID);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, gmac, aes, gmac_param(test, none, 0, 128),
				  data, &out), CKR_MECHANISM_PARAM_INVALID);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, gmac, aes, gmac_param(test, iv, 1, 128),
				  data, &out), CKR_MECHANISM_PARAM_INVALID);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, gmac, aes, gmac_param(test, iv, 0, 136),
				  data, &out), CKR_MECHANISM_PARAM_INVALID);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_SIGN, gmac, generic, good, data, &out),
			CKR_KEY_TYPE_INCONSISTENT);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, gmac, aes, good, data, &out),
			CKR_MECHANISM_INVALID);
}

/* ---- XTS ---- */

static struct bytes xts_param(struct kunit *test, const char *unit, u32 tweak_key)
{
	struct luna_xts_param p = { .tweak_key = tweak_key };
	struct bytes b = bytes_new(test, sizeof(p));

	memcpy(p.unit, bytes_hex(test, unit).data, sizeof(p.unit));
	memcpy(b.data, &p, sizeof(p));
	return b;
}

static void xts_both_ways(struct kunit *test, u32 mechanism, u32 handle, u32 tweak_key,
			  const struct mode_answer *a)
{
	struct bytes data = bytes_hex(test, a->data), param = xts_param(test, a->iv, tweak_key);
	struct bytes out, back;

	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, mechanism, handle, param, data, &out),
			CKR_OK);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, a->result), "%s", a->name);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_DECRYPT, mechanism, handle, param, out, &back),
			CKR_OK);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(back, a->data), "%s back", a->name);
}

/* The standard's one key of two halves, and the vendor's two keys */
static void xts_known_answers(struct kunit *test)
{
	const struct mode_answer *a;
	struct bytes value, data_key, tweak;
	u32 both, halves[2];

	for (a = xts_answers; a < xts_answers + ARRAY_SIZE(xts_answers); a++) {
		value = bytes_hex(test, a->key);
		data_key = (struct bytes){ value.data, value.len / 2 };
		tweak = (struct bytes){ value.data + value.len / 2, value.len / 2 };
		both = key(test, CKK_AES_XTS, value);
		halves[0] = key(test, CKK_AES, data_key);
		halves[1] = key(test, CKK_AES, tweak);
		xts_both_ways(test, CKM_AES_XTS, both, 0, a);
		xts_both_ways(test, CKM_AES_XTS_OLD, both, 0, a);
		xts_both_ways(test, CKM_AES_XTS, halves[0], halves[1], a);
		xts_both_ways(test, CKM_AES_XTS_OLD, halves[0], halves[1], a);
	}
}

static void xts_refusals(struct kunit *test)
{
	const char *unit = xts_answers[0].iv;
	struct bytes value = bytes_pattern(test, 64), data = bytes_pattern(test, 40), out;
	struct bytes short_data = bytes_pattern(test, 15), half = { value.data, 32 };
	u32 both = key(test, CKK_AES_XTS, value), aes = key(test, CKK_AES, half);
	u32 short_aes = key(test, CKK_AES, (struct bytes){ value.data, 16 });
	u32 other = key(test, CKK_AES, (struct bytes){ value.data + 32, 32 }), handle;
	struct bytes param = xts_param(test, unit, 0);
	const u32 xts = CKM_AES_XTS;

	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, xts, both, param, short_data, &out),
			CKR_DATA_LEN_RANGE);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_DECRYPT, xts, both, param, short_data, &out),
			CKR_ENCRYPTED_DATA_LEN_RANGE);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, xts, aes, param, data, &out),
			CKR_MECHANISM_PARAM_INVALID);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, xts, both, xts_param(test, unit, aes),
				  data, &out), CKR_MECHANISM_PARAM_INVALID);
	/* The key for the tweak: the same, of another length, none */
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, xts, aes, xts_param(test, unit, aes),
				  data, &out), CKR_MECHANISM_PARAM_INVALID);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, xts, aes,
				  xts_param(test, unit, short_aes), data, &out),
			CKR_KEY_SIZE_RANGE);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, xts, aes, xts_param(test, unit, both),
				  data, &out), CKR_KEY_TYPE_INCONSISTENT);
	KUNIT_EXPECT_EQ(test, run(test, LUNA_OP_ENCRYPT, xts, aes, xts_param(test, unit, other),
				  data, &out), CKR_OK);
	/* Two halves that are the same are no such key. */
	memcpy(value.data + 32, value.data, 32);
	KUNIT_EXPECT_EQ(test, import(test, CKK_AES_XTS, value, &handle),
			CKR_ATTRIBUTE_VALUE_INVALID);
}

static struct kunit_case modes_cases[] = {
	KUNIT_CASE(gmac_known_answers),
	KUNIT_CASE(gmac_refusals),
	KUNIT_CASE(xts_known_answers),
	KUNIT_CASE(xts_refusals),
	{}
};

static struct kunit_suite modes_suite = {
	.name = "luna-modes",
	.init = modes_init,
	.exit = modes_exit,
	.test_cases = modes_cases,
};

kunit_test_suites(&modes_suite);
