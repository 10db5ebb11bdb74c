// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The bytes that tokens exchange and keep: readers that meet hostile lengths, the protocol vectors of
 * tests/vectors made again and opened, and every message and store truncated, altered and lengthened.
 */
#include <kunit/test.h>

#include "der.h"
#include "log_file.h"
#include "side.h"
#include "token.h"
#include "vectors.h"
#include "wire.h"

/* ---- readers and writers ---- */

static void wire_reader_ends(struct kunit *test)
{
	static const u8 data[] = { 1, 2, 3, 4, 5, 6, 7 };
	struct luna_rd rd;

	luna_rd_init(&rd, data, sizeof(data));
	KUNIT_EXPECT_EQ(test, luna_rd_be32(&rd), 0x01020304);
	KUNIT_EXPECT_EQ(test, luna_rd_be16(&rd), 0x0506);
	KUNIT_EXPECT_FALSE(test, luna_rd_done(&rd));
	KUNIT_EXPECT_EQ(test, luna_rd_be16(&rd), 0);	/* one byte is left */
	KUNIT_EXPECT_TRUE(test, rd.bad);
	KUNIT_EXPECT_EQ(test, luna_rd_u8(&rd), 0);	/* for good */
	KUNIT_EXPECT_EQ(test, luna_rd_left(&rd), 0);
	KUNIT_EXPECT_FALSE(test, luna_rd_done(&rd));
	luna_rd_init(&rd, data, sizeof(data));
	KUNIT_EXPECT_NULL(test, luna_rd_bytes(&rd, U32_MAX));
	luna_rd_init(&rd, data, sizeof(data));
	KUNIT_EXPECT_EQ(test, luna_rd_be64(&rd), 0);
	luna_rd_init(&rd, NULL, 0);
	KUNIT_EXPECT_TRUE(test, luna_rd_done(&rd));
	KUNIT_EXPECT_EQ(test, luna_rd_le32(&rd), 0);
	KUNIT_EXPECT_FALSE(test, luna_rd_done(&rd));
}

static void wire_blob_lengths(struct kunit *test)
{
	static const struct {
		u32 said, there, max;
		bool ok;
	} rows[] = {
		{ 0, 0, 0, true }, { 4, 4, 4, true }, { 4, 5, 4, true }, { 5, 4, 8, false },
		{ 4, 4, 3, false }, { U32_MAX, 8, U32_MAX, false }, { U32_MAX - 3, 8, U32_MAX, false },
		{ 0x80000000, 8, U32_MAX, false }, { 9, 8, U32_MAX, false }, { 1, 0, 8, false },
	};
	u8 *data = kunit_kzalloc(test, 16, GFP_KERNEL);
	struct luna_rd rd;
	const u8 *p;
	u32 i, len;

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		put_unaligned_be32(rows[i].said, data);
		luna_rd_init(&rd, data, 4 + rows[i].there);
		p = luna_rd_blob(&rd, rows[i].max, &len);
		KUNIT_EXPECT_EQ_MSG(test, !rd.bad, rows[i].ok, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, len, rd.bad && rows[i].said > rows[i].max ? 0 : rows[i].said,
				    "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, !!p, rows[i].ok, "row %u", i);
	}
	luna_rd_init(&rd, data, 3);
	KUNIT_EXPECT_NULL(test, luna_rd_blob(&rd, U32_MAX, &len));
	KUNIT_EXPECT_EQ(test, len, 0);
}

static void wire_writer_ends(struct kunit *test)
{
	u8 room[8];
	struct luna_wr wr;

	memset(room, 0xee, sizeof(room));
	luna_wr_init(&wr, room, 6);
	luna_wr_be32(&wr, 0x01020304);
	luna_wr_be32(&wr, 0x05060708);	/* not half of it either */
	luna_wr_u8(&wr, 9);
	KUNIT_EXPECT_TRUE(test, wr.full);
	KUNIT_EXPECT_EQ(test, wr.at, 9);	/* what it would have taken */
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(room), 0x01020304);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(room + 4), 0xeeeeeeee);
	luna_wr_init(&wr, NULL, 0);
	luna_wr_bytes(&wr, NULL, U32_MAX - 2);
	KUNIT_EXPECT_FALSE(test, wr.full);
	luna_wr_be32(&wr, 1);		/* the count wraps, and says so */
	KUNIT_EXPECT_TRUE(test, wr.full);
}

static const struct der_row {
	const char *what;
	u8 der[8];
	u32 len, size;	/* 0: bad */
} der_rows[] = {
	{ "empty", { 0 }, 0, 0 },
	{ "no length", { 0x30 }, 1, 0 },
	{ "nothing in it", { 0x30, 0 }, 2, 2 },
	{ "short form", { 0x30, 2, 1, 1 }, 4, 4 },
	{ "short form, followed", { 0x30, 2, 1, 1, 5 }, 5, 4 },
	{ "longer than it is", { 0x30, 3, 1, 1 }, 4, 0 },
	{ "indefinite", { 0x30, 0x80, 0, 0 }, 4, 0 },
	{ "long form of a short length", { 0x30, 0x81, 2, 1, 1 }, 5, 0 },
	{ "two bytes for one", { 0x30, 0x82, 0, 0x80 }, 4, 0 },
	{ "256 bytes that are not there", { 0x30, 0x82, 1, 0 }, 8, 0 },
	{ "64 KiB less one", { 0x30, 0x82, 0xff, 0xff }, 8, 0 },
	{ "three bytes of length", { 0x30, 0x83, 0, 0, 1, 0 }, 8, 0 },
	{ "four bytes of length", { 0x30, 0x84, 0xff, 0xff, 0xff, 0xff }, 8, 0 },
	{ "a length cut off", { 0x30, 0x82, 1 }, 3, 0 },
	{ "reserved", { 0x30, 0xff, 0, 0, 0 }, 8, 0 },
};

static void wire_der_lengths(struct kunit *test)
{
	const struct der_row *row;
	struct luna_rd rd, inner;

	for (row = der_rows; row < der_rows + ARRAY_SIZE(der_rows); row++) {
		luna_rd_init(&rd, row->der, row->len);
		luna_der_enter(&rd, LUNA_DER_SEQUENCE, &inner);
		KUNIT_EXPECT_EQ_MSG(test, !rd.bad, !!row->size, "%s", row->what);
		KUNIT_EXPECT_EQ_MSG(test, inner.bad, rd.bad, "%s", row->what);
		KUNIT_EXPECT_EQ_MSG(test, luna_der_size(row->der, row->len), row->size, "%s",
				    row->what);
		luna_rd_init(&rd, row->der, row->len);
		luna_der_enter(&rd, LUNA_DER_SET, &inner);	/* another tag than it is */
		KUNIT_EXPECT_TRUE_MSG(test, rd.bad && inner.bad, "%s", row->what);
	}
}

static void wire_der_integers(struct kunit *test)
{
	static const struct {
		u8 der[6];
		u32 len, value_len;
		bool ok;
	} rows[] = {
		{ { 2, 1, 0 }, 3, 0, true }, { { 2, 1, 5 }, 3, 1, true }, { { 2, 2, 0, 0x80 }, 4, 1, true },
		{ { 2, 0 }, 2, 0, false }, { { 2, 1, 0x80 }, 3, 0, false },
		{ { 2, 2, 0, 5 }, 4, 0, false }, { { 2, 2, 5 }, 3, 0, false },
		{ { 3, 1, 5 }, 3, 0, false }, { { 2, 2, 0, 0 }, 4, 0, false },
	};
	struct luna_num num;
	struct luna_rd rd;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		luna_rd_init(&rd, rows[i].der, rows[i].len);
		luna_der_uint(&rd, &num);
		KUNIT_EXPECT_EQ_MSG(test, !rd.bad, rows[i].ok, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, num.len, rows[i].value_len, "row %u", i);
	}
}

/* ---- the vectors ---- */

enum { NOW = 1767225600, SEED = 20260101, PBKDF2_KEPT = 64 };

static u8 digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* A vector's bytes. Return: how many; the test ends if it is not there, or longer than @room. */
static u32 vector(struct kunit *test, const char *file, const char *name, u8 *out, u32 room)
{
	const char *hex = NULL;
	u32 i, len;

	for (i = 0; i < ARRAY_SIZE(luna_vectors) && !hex; i++)
		if (!strcmp(luna_vectors[i].file, file) && !strcmp(luna_vectors[i].name, name))
			hex = luna_vectors[i].hex;
	KUNIT_ASSERT_NOT_NULL_MSG(test, hex, "%s: %s", file, name);
	len = strlen(hex) / 2;
	KUNIT_ASSERT_LE(test, len, room);
	for (i = 0; i < len; i++)
		out[i] = digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]);
	return len;
}

static void expect_vector(struct kunit *test, const char *file, const char *name, const void *made,
			  u32 len)
{
	u8 *expected = kunit_kzalloc(test, FX_MESSAGE_MAX, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, expected);
	KUNIT_EXPECT_EQ_MSG(test, vector(test, file, name, expected, FX_MESSAGE_MAX), len, "%s: %s",
			    file, name);
	KUNIT_EXPECT_EQ_MSG(test, memcmp(expected, made, len), 0, "%s: %s differs", file, name);
	kunit_kfree(test, expected);
}

/*
 * What a case works with. The vectors were made by a seeded random, three fixed keys, a fixed clock
 * and a true PBKDF2, by the same commands in the same order (tests/unit/test_vectors.c).
 */
struct vectors {
	struct fx_side source, target;
	struct fx_message twc, part1, part2, request, answer;
	struct luna_crypto_ops ops;
	u8 rows[FX_VECTORS * FX_VECTOR_ROW];
};

static struct kunit *vectors_test;	/* whose keys fixed_rsa() hands out */
static u32 keys_used;

static struct luna_rsa_made *fixed_rsa(u32 bits, const u8 *e, size_t e_len)
{
	static const char *const names[] = { "source", "target", "login" };
	static const char *const parts[] = { "n", "d", "p", "q", "dp", "dq", "qi" };
	struct luna_rsa_made *made = kzalloc(sizeof(*made), GFP_KERNEL);
	u8 *const values[] = { made->n, made->d, made->p, made->q, made->dp, made->dq, made->qi };
	char name[16];
	u32 i;

	if (!made)
		return ERR_PTR(-ENOMEM);
	fx_check(bits == 2048 && e_len == 3);
	made->bits = bits;
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		scnprintf(name, sizeof(name), "%s.%s", names[keys_used % 3], parts[i]);
		vector(vectors_test, "keys", name, values[i], i < 2 ? 256 : 128);
	}
	keys_used++;
	return made;
}

static u64 fixed_now(void)
{
	return NOW;
}

/* The domain's 200000 rounds once in a run, not once for each of two tokens in every case. */
static int kept_pbkdf2(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
		       size_t salt_len, u32 iterations, u8 *out, size_t out_len)
{
	static u8 domain[LUNA_DOMAIN_LEN];
	static bool known;
	bool keep = iterations == LUNA_DOMAIN_ITERATIONS && out_len == sizeof(domain);
	int err;

	if (keep && known) {
		memcpy(out, domain, sizeof(domain));
		return 0;
	}
	err = luna_pbkdf2(luna_test_crypto(), hash, pin, pin_len, salt, salt_len, iterations, out,
			  out_len);
	if (keep && !err) {
		memcpy(domain, out, sizeof(domain));
		known = true;
	}
	return err;
}

static void vectors_side(struct fx_side *side, const struct luna_crypto_ops *ops, u32 slot)
{
	fx_open(&side->fx, ops, slot);
	side->fx.config.now = fixed_now;
	fx_reopen(&side->fx);
	fx_check(fx_ready(&side->fx, &side->open, &side->session) == CKR_OK);
}

static int vectors_init(struct kunit *test)
{
	struct vectors *v = luna_test_alloc(sizeof(*v));

	test->priv = v;
	vectors_test = test;
	v->ops = *fakerng_ops(luna_test_crypto(), SEED);
	v->ops.rsa_generate = fixed_rsa;
	v->ops.pbkdf2 = kept_pbkdf2;
	keys_used = 0;
	vectors_side(&v->source, &v->ops, 0);
	vectors_side(&v->target, &v->ops, 1);
	return 0;
}

static void vectors_exit(struct kunit *test)
{
	struct vectors *v = test->priv;

	if (!v)
		return;
	fx_side_close(&v->source);
	fx_side_close(&v->target);
	luna_test_free(v);
	test->priv = NULL;
}

static void expect_tokens(struct kunit *test, const char *file)
{
	struct vectors *v = test->priv;
	const struct luna_state *source = v->source.fx.token->state;

	expect_vector(test, file, "source.serial", source->serial, LUNA_SERIAL_LEN);
	expect_vector(test, file, "source.twc", source->twc, source->twc_len);
	expect_vector(test, file, "target.serial", v->target.fx.token->state->serial,
		      LUNA_SERIAL_LEN);
	expect_vector(test, file, "domain.key", v->source.fx.token->secrets->domain,
		      LUNA_DOMAIN_LEN);
}

/* Steps 1 to 3; part2 waits for step 4. */
static void clone_parts(struct kunit *test, u32 type, u32 handle, u32 replicate)
{
	struct vectors *v = test->priv;

	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_CLONE_SOURCE_INIT,
				      BLOB(.replicate = replicate), NULL, &v->twc), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&v->target, LUNA_CLONE_TARGET_INIT,
				      BLOB(.replicate = replicate), &v->twc, &v->part1), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_CLONE_SOURCE,
				      BLOB(.replicate = replicate, .type = type, .handle = handle),
				      &v->part1, &v->part2), CKR_OK);
}

static u32 clone_vector(struct kunit *test, const char *file, u32 type, u32 handle, u32 replicate)
{
	struct vectors *v = test->priv;
	struct luna_blob arg = { .replicate = replicate, .type = type };

	expect_tokens(test, file);
	clone_parts(test, type, handle, replicate);
	expect_vector(test, file, "part1", v->part1.data, v->part1.len);
	expect_vector(test, file, "part2", v->part2.data, v->part2.len);
	KUNIT_EXPECT_EQ(test, fx_step(&v->target, v->target.session, LUNA_CLONE_TARGET, &arg,
				      &v->part2, NULL), CKR_OK);
	return arg.handle;
}

/* The key of the vectors: bytes 00 to 1f, label "vector". */
static u32 vector_key(struct kunit *test)
{
	struct vectors *v = test->priv;
	struct fx_tmpl *tmpl = kunit_kzalloc(test, sizeof(*tmpl), GFP_KERNEL);
	u32 handle, i;
	u8 value[32];

	KUNIT_ASSERT_NOT_NULL(test, tmpl);
	for (i = 0; i < sizeof(value); i++)
		value[i] = i;
	fx_attr_ulong(tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(tmpl, CKA_KEY_TYPE, CKK_AES);
	fx_attr_bool(tmpl, CKA_TOKEN, true);
	fx_attr_text(tmpl, CKA_LABEL, "vector");
	fx_attr(tmpl, CKA_VALUE, value, sizeof(value));
	KUNIT_ASSERT_EQ(test, fx_create(v->source.open, v->source.session, tmpl, &handle), CKR_OK);
	kunit_kfree(test, tmpl);
	return handle;
}

static void expect_opened(struct kunit *test, u32 clone)
{
	struct vectors *v = test->priv;
	u32 len = 8;
	u8 label[8];

	KUNIT_EXPECT_EQ(test, fx_attr_get(v->target.open, v->target.session, clone, CKA_LABEL, label,
					  &len), CKR_OK);
	KUNIT_EXPECT_EQ(test, len, 6);
	KUNIT_EXPECT_EQ(test, memcmp(label, "vector", 6), 0);
}

static void vectors_cpv3(struct kunit *test)
{
	u32 handle = vector_key(test);

	expect_opened(test, clone_vector(test, "cpv3", CK_CRYPTOKI_ELEMENT, handle, 0));
	expect_opened(test, clone_vector(test, "cpv3-replicate", CK_CRYPTOKI_ELEMENT, handle, 1));
}

static void vectors_mofn(struct kunit *test)
{
	struct vectors *v = test->priv;
	char name[16];
	u32 i;

	KUNIT_ASSERT_EQ(test, fx_mofn_generate(&v->source, 3, 5, LUNA_MOFN_CLONEABLE, FX_VECTOR,
					       v->rows), CKR_OK);
	expect_vector(test, "mofn", "secret", v->source.fx.token->secrets->mofn,
		      LUNA_MOFN_SECRET_LEN);
	for (i = 0; i < 5; i++) {
		scnprintf(name, sizeof(name), "vector.%u", i + 1);
		expect_vector(test, "mofn", name, v->rows + i * FX_VECTOR_ROW + 4, FX_VECTOR);
	}
	clone_vector(test, "mofn", CK_MOFN_ACTIVATION_ELEMENT, 0, 0);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&v->target, v->rows + FX_VECTOR_ROW, 3), CKR_OK);
}

/* The target becomes a secondary whose M of N is required. Return: the primary's login key. */
static u32 ha_setup(struct kunit *test)
{
	struct vectors *v = test->priv;
	u32 pub, priv, clone;

	KUNIT_ASSERT_EQ(test, fx_make_login_pair(&v->source, false, &pub, &priv), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_mofn_generate(&v->source, 2, 2, LUNA_MOFN_CLONEABLE, FX_VECTOR,
					       v->rows), CKR_OK);
	clone_parts(test, CK_MOFN_ACTIVATION_ELEMENT, 0, 0);
	KUNIT_ASSERT_EQ(test, fx_send(&v->target, LUNA_CLONE_TARGET,
				      BLOB(.type = CK_MOFN_ACTIVATION_ELEMENT), &v->part2, NULL),
			CKR_OK);
	v->target.fx.token->state->mofn.required = true;
	KUNIT_ASSERT_EQ(test, fx_clone(v->source.open, v->source.session, v->target.open,
				       v->target.session, priv, &clone), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&v->target, LUNA_HA_INIT, BLOB(.handle = clone), NULL, NULL),
			CKR_OK);
	return priv;
}

/* Steps 1 to 3: part1 is the challenge, part2 the answer. */
static void ha_exchange(struct kunit *test, u32 priv)
{
	struct vectors *v = test->priv;

	fx_side_as(&v->target, LUNA_ROLE_NONE);
	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_HA_MASTER_PUBLIC, BLOB(), NULL, &v->twc),
			CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&v->target, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER),
				      &v->twc, &v->part1), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_HA_ANSWER, BLOB(.handle = priv), &v->part1,
				      &v->part2), CKR_OK);
}

static void vectors_ha(struct kunit *test)
{
	struct vectors *v = test->priv;
	const struct luna_ha_setup *setup = &v->target.fx.token->state->ha;
	u32 priv = ha_setup(test);

	expect_tokens(test, "ha-v1");
	expect_vector(test, "ha-v1", "storage.key", v->target.fx.token->sk, LUNA_SK_LEN);
	expect_vector(test, "ha-v1", "setup.w", setup->w, setup->w_len);
	expect_vector(test, "ha-v1", "setup.sealed", setup->sealed, sizeof(setup->sealed));
	ha_exchange(test, priv);
	expect_vector(test, "ha-v1", "challenge", v->part1.data, v->part1.len);
	expect_vector(test, "ha-v1", "answer", v->part2.data, v->part2.len);
	KUNIT_ASSERT_EQ(test, fx_send(&v->target, LUNA_HA_LOGIN, BLOB(), &v->part2, &v->request),
			CKR_OK);
	KUNIT_EXPECT_EQ(test, luna_open_role(v->target.open), LUNA_ROLE_CO);
	expect_vector(test, "ha-v1", "mofn.request", v->request.data, v->request.len);
	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_HA_MOFN_ANSWER, BLOB(), &v->request,
				      &v->answer), CKR_OK);
	expect_vector(test, "ha-v1", "mofn.answer", v->answer.data, v->answer.len);
	KUNIT_EXPECT_EQ(test, fx_send(&v->target, LUNA_HA_MOFN_ACTIVATE, BLOB(), &v->answer, NULL),
			CKR_OK);
	KUNIT_EXPECT_TRUE(test, v->target.fx.token->mofn_active);
}

/* ---- altered messages ---- */

static void altered_cloning(struct kunit *test)
{
	struct vectors *v = test->priv;
	u32 handle = vector_key(test);
	struct fx_taker part1 = {
		.side = &v->source, .nr = LUNA_CLONE_SOURCE, .arg.handle = handle, .stride = 1,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR, .replies = true,
	}, part2 = {
		.side = &v->target, .nr = LUNA_CLONE_TARGET, .stride = 1,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	}, twc = {
		.side = &v->target, .nr = LUNA_CLONE_TARGET_INIT, .stride = luna_test_stride(),
		.refusal = CKR_CERTIFICATE_DATA_INVALID, .refusal2 = CKR_CERTIFICATE_DATA_INVALID,
		.replies = true,
	};

	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_CLONE_SOURCE_INIT, BLOB(), NULL, &v->twc),
			CKR_OK);
	fx_refuses_altered(&twc, &v->twc);
	KUNIT_ASSERT_EQ(test, fx_send(&v->target, LUNA_CLONE_TARGET_INIT, BLOB(), &v->twc,
				      &v->part1), CKR_OK);
	fx_refuses_altered(&part1, &v->part1);
	/* None of that ended the exchange. */
	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_CLONE_SOURCE, BLOB(.handle = handle),
				      &v->part1, &v->part2), CKR_OK);
	fx_refuses_altered(&part2, &v->part2);
	KUNIT_EXPECT_EQ(test, fx_send(&v->target, LUNA_CLONE_TARGET, BLOB(), &v->part2, NULL),
			CKR_OK);
}

static void altered_ha(struct kunit *test)
{
	struct vectors *v = test->priv;
	u32 priv = ha_setup(test);
	struct fx_taker challenge = {
		.side = &v->source, .nr = LUNA_HA_ANSWER, .arg.handle = priv,
		.stride = luna_test_stride(), .refusal = CKR_DATA_INVALID,
		.refusal2 = CKR_DATA_INVALID, .replies = true,
	}, answer = {
		.side = &v->target, .nr = LUNA_HA_LOGIN, .stride = 1,
		.refusal = CKR_ENCRYPTED_DATA_INVALID, .refusal2 = CKR_ENCRYPTED_DATA_INVALID,
		.replies = true,
	};

	ha_exchange(test, priv);
	fx_refuses_altered(&challenge, &v->part1);
	fx_refuses_altered(&answer, &v->part2);
	KUNIT_EXPECT_EQ(test, fx_send(&v->target, LUNA_HA_LOGIN, BLOB(), &v->part2, &v->request),
			CKR_OK);
}

static void altered_ha_mofn(struct kunit *test)
{
	struct vectors *v = test->priv;
	u32 priv = ha_setup(test);
	struct fx_taker request = {
		.side = &v->source, .nr = LUNA_HA_MOFN_ANSWER, .stride = luna_test_stride(),
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_DATA_INVALID, .replies = true,
	}, answer = {
		.side = &v->target, .nr = LUNA_HA_MOFN_ACTIVATE, .stride = 1,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	};

	ha_exchange(test, priv);
	KUNIT_ASSERT_EQ(test, fx_send(&v->target, LUNA_HA_LOGIN, BLOB(), &v->part2, &v->part1),
			CKR_OK);
	fx_refuses_altered(&request, &v->part1);
	KUNIT_ASSERT_EQ(test, fx_send(&v->source, LUNA_HA_MOFN_ANSWER, BLOB(), &v->part1,
				      &v->answer), CKR_OK);
	fx_refuses_altered(&answer, &v->answer);
	KUNIT_EXPECT_EQ(test, fx_send(&v->target, LUNA_HA_MOFN_ACTIVATE, BLOB(), &v->answer, NULL),
			CKR_OK);
}

/* ---- the store ---- */

enum { STORED = 3 };

/* A closed store with the keys and roles of one token; what a reader of it may say. */
static struct memstore *store_make(struct kunit *test)
{
	struct vectors *v = test->priv;
	struct memstore *image;
	u32 i, handle;

	for (i = 0; i < STORED; i++)
		KUNIT_ASSERT_EQ(test, fx_make_data(&v->source, true, i & 1, &handle), CKR_OK);
	luna_release(v->source.open);
	v->source.open = NULL;
	fx_reopen(&v->source.fx);	/* closed once: it ends with a MARK */
	image = memstore_image(v->source.fx.store, v->source.fx.store->content.len);
	return image;
}

/* Loads what is in @store, which it takes. Return: objects found, or -1: reported as damaged. */
static int store_load(struct kunit *test, struct memstore *store)
{
	u32 crc = luna_crc32(store->content.data, store->content.len);
	struct fx fx;
	int found;

	fx_open_store(&fx, NULL, 0, store);
	found = fx.token->damaged ? -1 : (int)fx.token->objects.table.live;
	if (fx.token->damaged)
		KUNIT_EXPECT_EQ(test, luna_crc32(store->content.data, store->content.len), crc);
	fx_close(&fx);
	return found;
}

/*
 * Any byte of a store that was closed: found out, and the store left as it is; never a loss. What is
 * not found out is a zero between two records, and the MARK, behind which nothing can be lost.
 */
static void store_altered(struct kunit *test)
{
	struct memstore *image = store_make(test), *copy;
	size_t mark = image->content.len - LUNA_REC_HEAD, i;
	bool free;
	int found;

	KUNIT_EXPECT_EQ(test, store_load(test, memstore_image(image, image->content.len)), STORED);
	for (i = 0; i < image->content.len; i++) {
		copy = memstore_image(image, image->content.len);
		copy->content.data[i] ^= 1 << i % 8;
		found = store_load(test, copy);
		free = i >= mark || !image->content.data[i];
		KUNIT_EXPECT_TRUE_MSG(test, found == -1 || (free && found == STORED),
				      "byte %zu: %d objects", i, found);
	}
	memstore_free(image);
}

/* A store that ends too early: damaged, or what had been stored until then. */
static void store_truncated(struct kunit *test)
{
	struct memstore *image = store_make(test);
	int found, before = -1;
	size_t i;

	for (i = 1; i <= image->content.len; i++) {
		found = store_load(test, memstore_image(image, i));
		KUNIT_EXPECT_TRUE_MSG(test, found >= before && found <= STORED,
				      "%zu bytes: %d objects after %d", i, found, before);
		before = found;
	}
	KUNIT_EXPECT_EQ(test, before, STORED);
	memstore_free(image);
}

/* A tail of anything that is no record of this log is cut off. */
static void store_lengthened(struct kunit *test)
{
	struct memstore *image = store_make(test), *copy;
	static const u8 zeros[64];

	copy = memstore_image(image, image->content.len);
	KUNIT_EXPECT_EQ(test, memstore_ops.append(copy, zeros, sizeof(zeros)), 0);
	KUNIT_EXPECT_EQ(test, store_load(test, copy), STORED);
	copy = memstore_image(image, image->content.len);
	/* a record that was there before: its sequence is an old one */
	KUNIT_EXPECT_EQ(test, memstore_ops.append(copy, image->content.data + image->content.len -
						  LUNA_REC_HEAD, LUNA_REC_HEAD), 0);
	KUNIT_EXPECT_EQ(test, store_load(test, copy), STORED);
	memstore_free(image);
}

static struct kunit_case reader_cases[] = {
	KUNIT_CASE(wire_reader_ends),
	KUNIT_CASE(wire_blob_lengths),
	KUNIT_CASE(wire_writer_ends),
	KUNIT_CASE(wire_der_lengths),
	KUNIT_CASE(wire_der_integers),
	{}
};

static struct kunit_suite reader_suite = {
	.name = "luna-wire",
	.test_cases = reader_cases,
};

static struct kunit_case vector_cases[] = {
	KUNIT_CASE(vectors_cpv3),
	KUNIT_CASE(vectors_mofn),
	KUNIT_CASE(vectors_ha),
	KUNIT_CASE(altered_cloning),
	KUNIT_CASE(altered_ha),
	KUNIT_CASE(altered_ha_mofn),
	KUNIT_CASE(store_altered),
	KUNIT_CASE(store_truncated),
	KUNIT_CASE(store_lengthened),
	{}
};

static struct kunit_suite vector_suite = {
	.name = "luna-vectors",
	.init = vectors_init,
	.exit = vectors_exit,
	.test_cases = vector_cases,
};

kunit_test_suites(&reader_suite, &vector_suite);
