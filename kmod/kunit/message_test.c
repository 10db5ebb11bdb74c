// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Messages under one Init: the GCM specification's answers whole and in parts, the IVs that each
 * generator makes and where it ends, altered messages, signatures, and which step may follow which.
 */
#include "bytes.h"
#include "cipher_answers.h"
#include "hash_answers.h"
#include "side.h"

enum { ROOM = 512, TAG = 16, IV = 12 };

/**
 * struct messages - a token, and the message being put together
 * @key: AES, with all rights
 * @generator, @fixed: of the messages to be encrypted
 * @room: bytes of output that the caller says to have
 * @param: of the message: @param_len bytes, which announce a tag of @tag_len
 * @arg: what the last command returned
 * @out: and its output, @out_len bytes
 */
struct messages {
	struct fx_side side;
	u32 key;
	u32 generator, fixed, room;
	u32 param_len, tag_len;
	u8 param[ROOM], payload[3 * ROOM];
	struct luna_message arg;
	u8 out[ROOM];
	size_t out_len;
	struct fx_tmpl tmpl;
};

static u32 key_of(struct kunit *test, u32 type, struct bytes value)
{
	static const u32 rights[] = { CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY };
	struct messages *m = test->priv;
	u32 handle, i;

	m->tmpl.len = 0;
	fx_attr_ulong(&m->tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&m->tmpl, CKA_KEY_TYPE, type);
	fx_attr(&m->tmpl, CKA_VALUE, value.data, value.len);
	for (i = 0; i < ARRAY_SIZE(rights); i++)
		fx_attr_bool(&m->tmpl, rights[i], true);
	KUNIT_ASSERT_EQ(test, fx_create(m->side.open, m->side.session, &m->tmpl, &handle), CKR_OK);
	return handle;
}

static int message_init(struct kunit *test)
{
	struct messages *m = luna_test_alloc(sizeof(*m));

	test->priv = m;
	fx_side_open(&m->side, fakerng_quick_ops(luna_test_crypto(), 5), 0);
	m->key = key_of(test, CKK_AES, bytes_hex(test, GCM_KEY GCM_KEY));
	m->room = ROOM;
	return 0;
}

static void message_exit(struct kunit *test)
{
	struct messages *m = test->priv;

	if (!m)
		return;
	fx_side_close(&m->side);
	luna_test_free(m);
	test->priv = NULL;
}

/* LUNA_OP: the operation's begin and end */
static s64 operation(struct messages *m, u32 op, u32 step, u32 mechanism, u32 key)
{
	struct luna_op arg = {
		.hdr.session = m->side.session, .op = op, .step = step, .mechanism = mechanism,
		.key = key,
	};

	return fx_call(m->side.open, LUNA_OP, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

static s64 begin(struct messages *m, u32 op)
{
	return operation(m, op, LUNA_STEP_INIT, CKM_AES_GCM, m->key);
}

static s64 finish(struct messages *m, u32 op)
{
	return operation(m, op, LUNA_STEP_FINAL, 0, 0);
}

/* What the messages that follow begin with. */
static void gcm_param(struct messages *m, struct bytes iv, struct bytes aad)
{
	const struct luna_gcm_param p = {
		.iv_len = iv.len, .iv_bits = 8 * iv.len, .aad_len = aad.len, .tag_bits = 8 * TAG,
	};

	memcpy(m->param, &p, sizeof(p));
	memcpy(m->param + sizeof(p), iv.data, iv.len);
	memcpy(m->param + sizeof(p) + iv.len, aad.data, aad.len);
	m->param_len = sizeof(p) + iv.len + aad.len;
	m->tag_len = TAG;
}

/* LUNA_MESSAGE; @tag: of one that is decrypted or verified and ends */
static s64 message(struct messages *m, u32 op, u32 step, struct bytes data, struct bytes tag)
{
	bool begins = step == LUNA_STEP_ONESHOT || step == LUNA_STEP_BEGIN;
	bool ends = step == LUNA_STEP_ONESHOT || step == LUNA_STEP_FINAL;
	bool encrypts = op == LUNA_OP_MESSAGE_ENCRYPT;
	u32 len = begins ? m->param_len : 0;

	m->arg = (struct luna_message){
		.hdr.session = m->side.session, .op = op, .step = step, .param_len = len,
		.data_len = data.len, .sig_len = tag.len, .out_max = m->room,
		.generator = encrypts && begins ? m->generator : 0,
		.fixed_bits = encrypts && begins ? m->fixed : 0,
		.total = step == LUNA_STEP_ONESHOT ? data.len : 0,
	};
	if (encrypts && ends)
		m->arg.sig_len = m->tag_len;
	memcpy(m->payload, m->param, len);
	memcpy(m->payload + len, data.data, data.len);
	memcpy(m->payload + len + data.len, tag.data, tag.len);
	m->out_len = sizeof(m->out);
	return fx_call(m->side.open, LUNA_MESSAGE, &m->arg, sizeof(m->arg), m->payload,
		       len + data.len + tag.len, m->out, &m->out_len);
}

static s64 seal(struct messages *m, struct bytes text)
{
	struct bytes none = { .data = m->out };

	return message(m, LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_ONESHOT, text, none);
}

static s64 unseal(struct messages *m, struct bytes text, struct bytes tag)
{
	return message(m, LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_ONESHOT, text, tag);
}

static bool came(const struct messages *m, struct bytes expected)
{
	return m->out_len == expected.len && !memcmp(m->out, expected.data, expected.len);
}

/* ---- published answers ---- */

struct answer {
	struct bytes plain, cipher, tag;
};

static struct answer answer_of(struct kunit *test, size_t i)
{
	struct messages *m = test->priv;
	struct answer a = {
		.plain = bytes_hex(test, gcm_answers[i].plain),
		.cipher = bytes_hex(test, gcm_answers[i].sealed),
	};

	a.cipher.len -= TAG;
	a.tag = (struct bytes){ a.cipher.data + a.cipher.len, TAG };
	m->key = key_of(test, CKK_AES, bytes_hex(test, gcm_answers[i].key));
	gcm_param(m, bytes_hex(test, gcm_answers[i].iv), bytes_hex(test, gcm_answers[i].aad));
	return a;
}

/* Twice the same, since here the caller is who answers for the IVs. */
static void message_answers(struct kunit *test)
{
	struct messages *m = test->priv;
	struct answer a;
	size_t i, turn;

	for (i = 0; i < ARRAY_SIZE(gcm_answers); i++) {
		a = answer_of(test, i);
		KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
		KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
		for (turn = 0; turn < 2; turn++) {
			KUNIT_EXPECT_EQ_MSG(test, seal(m, a.plain), CKR_OK, "row %zu", i);
			KUNIT_EXPECT_TRUE_MSG(test, came(m, a.cipher), "row %zu", i);
			KUNIT_EXPECT_EQ(test, memcmp(m->arg.tag, a.tag.data, TAG), 0);
			KUNIT_EXPECT_NULL(test, memchr_inv(m->arg.iv, 0, sizeof(m->arg.iv)));
			KUNIT_EXPECT_EQ_MSG(test, unseal(m, a.cipher, a.tag), CKR_OK, "row %zu", i);
			KUNIT_EXPECT_TRUE_MSG(test, came(m, a.plain), "row %zu", i);
		}
		KUNIT_EXPECT_EQ(test, finish(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
		KUNIT_EXPECT_EQ(test, finish(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
	}
}

/* A message in parts, whose output is put together in @all. */
static s64 in_parts(struct messages *m, u32 op, struct bytes in, struct bytes tag,
		    struct bytes *all)
{
	struct bytes part = { in.data, 0 }, none = { in.data, 0 };
	size_t at, round = in.len;
	s64 rv;

	all->len = 0;
	rv = message(m, op, LUNA_STEP_BEGIN, none, none);
	for (at = 0; !rv && at < in.len; at += part.len) {
		part.data = in.data + at;
		part.len = bytes_piece(round++, in.len - at);
		rv = message(m, op, LUNA_STEP_UPDATE, part, none);
		memcpy(all->data + all->len, m->out, rv ? 0 : m->out_len);
		all->len += rv ? 0 : m->out_len;
	}
	if (rv)
		return rv;
	rv = message(m, op, LUNA_STEP_FINAL, none, tag);
	memcpy(all->data + all->len, m->out, rv ? 0 : m->out_len);
	all->len += rv ? 0 : m->out_len;
	return rv;
}

static bool equal(struct bytes a, struct bytes b)
{
	return a.len == b.len && !memcmp(a.data, b.data, a.len);
}

static void message_parts(struct kunit *test)
{
	struct messages *m = test->priv;
	struct bytes all = bytes_new(test, 2 * ROOM), none = { all.data, 0 };
	struct answer a;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gcm_answers); i++) {
		a = answer_of(test, i);
		KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
		KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
		KUNIT_EXPECT_EQ_MSG(test, in_parts(m, LUNA_OP_MESSAGE_ENCRYPT, a.plain, none, &all),
				    CKR_OK, "row %zu", i);
		KUNIT_EXPECT_TRUE_MSG(test, equal(all, a.cipher), "row %zu", i);
		KUNIT_EXPECT_EQ(test, memcmp(m->arg.tag, a.tag.data, TAG), 0);
		KUNIT_EXPECT_EQ_MSG(test,
				    in_parts(m, LUNA_OP_MESSAGE_DECRYPT, a.cipher, a.tag, &all),
				    CKR_OK, "row %zu", i);
		KUNIT_EXPECT_TRUE_MSG(test, equal(all, a.plain), "row %zu", i);
		/* Nothing of it comes before the tag is seen to be right. */
		KUNIT_EXPECT_EQ(test, m->out_len, a.plain.len);
		a.tag.data[0] ^= 1;
		KUNIT_EXPECT_EQ(test, in_parts(m, LUNA_OP_MESSAGE_DECRYPT, a.cipher, a.tag, &all),
				CKR_AEAD_DECRYPT_FAILED);
		KUNIT_EXPECT_EQ(test, all.len, 0);
		KUNIT_EXPECT_EQ(test, finish(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
		KUNIT_EXPECT_EQ(test, finish(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
	}
}

/* ---- IVs ---- */

#define FIXED		"c0ffee0b"	/* 32 bits */
#define FREE		"a1a2a3a4a5a6a7a8"

/* IVs of 12 bytes, 32 bits of them fixed, whose rest the caller has set to FREE. */
static const struct ivs {
	u32 generator;
	const char *drawn;	/* what chance gives; "": it is not asked */
	const char *ivs[3];
} ivs[] = {
	{ CKG_GENERATE_COUNTER, "",
	  { FIXED "0000000000000000", FIXED "0000000000000001", FIXED "0000000000000002" } },
	{ CKG_GENERATE_COUNTER_XOR, "",
	  { FIXED "a1a2a3a4a5a6a7a8", FIXED "a1a2a3a4a5a6a7a9", FIXED "a1a2a3a4a5a6a7aa" } },
	/* Drawn once; the end of the free bits is not the end of the IVs. */
	{ CKG_GENERATE, "99999999fffffffffffffffe",
	  { FIXED "fffffffffffffffe", FIXED "ffffffffffffffff", FIXED "0000000000000000" } },
	{ CKG_GENERATE_RANDOM,
	  "999999990102030405060708" "99999999ffffffffffffffff" "99999999f0e0d0c0b0a09080",
	  { FIXED "0102030405060708", FIXED "ffffffffffffffff", FIXED "f0e0d0c0b0a09080" } },
};

/* An IV is the one that the generator owes, and the one that was used. */
static void expect_iv(struct kunit *test, struct bytes text, const char *expected)
{
	struct messages *m = test->priv;
	struct bytes iv = { m->arg.iv, IV }, tag = bytes_new(test, TAG), none = bytes_new(test, 0);
	struct bytes cipher = bytes_new(test, text.len), asked = bytes_new(test, ROOM);
	u32 asked_len = m->param_len;

	memcpy(cipher.data, m->out, text.len);
	memcpy(tag.data, m->arg.tag, TAG);
	memcpy(asked.data, m->param, asked_len);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(iv, expected), "%s", expected);
	gcm_param(m, bytes_hex(test, expected), none);
	KUNIT_EXPECT_EQ_MSG(test, unseal(m, cipher, tag), CKR_OK, "%s", expected);
	KUNIT_EXPECT_TRUE(test, came(m, text));
	memcpy(m->param, asked.data, asked_len);
	m->param_len = asked_len;
}

static void message_generators(struct kunit *test)
{
	struct messages *m = test->priv;
	struct bytes none = bytes_new(test, 0), text = bytes_text(test, "message"), drawn;
	const struct ivs *row;
	size_t n;

	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
	m->fixed = 32;
	for (row = ivs; row < ivs + ARRAY_SIZE(ivs); row++) {
		m->generator = row->generator;
		drawn = bytes_hex(test, row->drawn);
		fakerng_next(drawn.data, drawn.len);
		gcm_param(m, bytes_hex(test, FIXED FREE), none);
		KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
		for (n = 0; n < ARRAY_SIZE(row->ivs); n++) {
			KUNIT_ASSERT_EQ(test, seal(m, text), CKR_OK);
			KUNIT_EXPECT_EQ(test, m->out_len, text.len);
			expect_iv(test, text, row->ivs[n]);
		}
		KUNIT_EXPECT_EQ(test, finish(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
	}
}

/* A query and a short buffer use up no IV; a message that fails after it began does. */
static void message_iv_used(struct kunit *test)
{
	struct messages *m = test->priv;
	struct bytes none = bytes_new(test, 0), text = bytes_text(test, "message");

	m->generator = CKG_GENERATE_COUNTER;
	m->fixed = 32;
	gcm_param(m, bytes_hex(test, FIXED FREE), none);
	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
	m->room = text.len - 1;
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, m->arg.out_need, text.len);
	KUNIT_EXPECT_NULL(test, memchr_inv(m->arg.iv, 0, sizeof(m->arg.iv)));
	m->room = text.len;
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
	expect_iv(test, text, FIXED "0000000000000000");
	m->tag_len = TAG - 1;
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_MECHANISM_PARAM_INVALID);
	m->tag_len = TAG;
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
	expect_iv(test, text, FIXED "0000000000000002");
	/* One that is dropped has used its own, too. */
	KUNIT_EXPECT_EQ(test, message(m, LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_BEGIN, none, none),
			CKR_OK);
	KUNIT_EXPECT_EQ(test, message(m, LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_CANCEL, none, none),
			CKR_OK);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
	expect_iv(test, text, FIXED "0000000000000004");
}

/* When no IV is left that was not used, there are no more messages, but for a new operation. */
static void message_iv_reuse(struct kunit *test)
{
	static const u32 counting[] = { CKG_GENERATE_COUNTER, CKG_GENERATE_COUNTER_XOR };
	struct messages *m = test->priv;
	struct bytes none = bytes_new(test, 0), text = bytes_text(test, "message");
	u8 used[4][IV];
	size_t i, n, k;

	m->fixed = 8 * IV - 2;
	for (i = 0; i < ARRAY_SIZE(counting); i++) {
		m->generator = counting[i];
		gcm_param(m, bytes_hex(test, FIXED FREE), none);
		KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
		for (n = 0; n < ARRAY_SIZE(used); n++) {
			KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
			memcpy(used[n], m->arg.iv, IV);
			for (k = 0; k < n; k++)
				KUNIT_EXPECT_NE(test, memcmp(used[k], used[n], IV), 0);
		}
		for (n = 0; n < 3; n++) {
			KUNIT_EXPECT_EQ(test, seal(m, text), CKR_TOKEN_RESOURCE_EXCEEDED);
			KUNIT_EXPECT_EQ(test, m->out_len, 0);
		}
		KUNIT_EXPECT_EQ(test,
				message(m, LUNA_OP_MESSAGE_ENCRYPT, LUNA_STEP_BEGIN, none, none),
				CKR_TOKEN_RESOURCE_EXCEEDED);
		KUNIT_EXPECT_EQ(test, finish(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
	}
}

/* What the first message decided: the same generator, length, and fixed bits for all. */
static void message_decided(struct kunit *test)
{
	struct messages *m = test->priv;
	struct bytes none = bytes_new(test, 0), text = bytes_text(test, "message");
	struct bytes iv = bytes_hex(test, FIXED FREE);
	u32 other;

	m->generator = CKG_GENERATE_COUNTER;
	m->fixed = 32;
	gcm_param(m, iv, none);
	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
	for (other = 0; other < 6; other++) {
		if (other == CKG_GENERATE_COUNTER)
			continue;
		m->generator = other;
		KUNIT_EXPECT_EQ(test, seal(m, text), CKR_MECHANISM_PARAM_INVALID);
	}
	m->generator = CKG_GENERATE_COUNTER;
	m->fixed = 31;
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_MECHANISM_PARAM_INVALID);
	m->fixed = 32;
	iv.data[3] ^= 1;
	gcm_param(m, iv, none);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_MECHANISM_PARAM_INVALID);
	iv.data[3] ^= 1;
	iv.data[4] ^= 1;	/* not fixed: it is no matter what stands there */
	gcm_param(m, iv, none);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
	expect_iv(test, text, FIXED "0000000000000001");
	iv.len--;
	gcm_param(m, iv, none);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_MECHANISM_PARAM_INVALID);
}

/* Generators that are none, or have too few bits to draw; and no chance at all. */
static void message_bad_generators(struct kunit *test)
{
	static const struct {
		u32 generator, fixed;
	} bad[] = {
		{ CKG_GENERATE_COUNTER_XOR + 1, 32 }, { 0xffffffff, 32 },
		{ CKG_GENERATE_COUNTER, 96 }, { CKG_GENERATE_COUNTER_XOR, 0xffffffff },
		{ CKG_GENERATE, 33 }, { CKG_GENERATE_RANDOM, 33 },
	};
	struct messages *m = test->priv;
	struct bytes none = bytes_new(test, 0), text = bytes_text(test, "message");
	size_t i;

	gcm_param(m, bytes_hex(test, FIXED FREE), none);
	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		m->generator = bad[i].generator;
		m->fixed = bad[i].fixed;
		KUNIT_EXPECT_EQ_MSG(test, seal(m, text), CKR_MECHANISM_PARAM_INVALID, "row %zu", i);
		KUNIT_EXPECT_EQ(test, m->out_len, 0);
	}
	m->generator = CKG_GENERATE_RANDOM;
	m->fixed = 32;
	fakerng_fail(1);
	KUNIT_EXPECT_NE(test, seal(m, text), CKR_OK);
	KUNIT_EXPECT_EQ(test, m->out_len, 0);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
}

/* ---- altered messages ---- */

/* No bit of IV, additional data, text or tag may change; the next message is as good as ever. */
static void message_altered(struct kunit *test)
{
	struct messages *m = test->priv;
	struct answer a = answer_of(test, 2);
	struct luna_gcm_param *p = (struct luna_gcm_param *)m->param;
	u8 *parts[] = { m->param + sizeof(*p), a.cipher.data, a.tag.data };
	u32 lens[] = { m->param_len - sizeof(*p), a.cipher.len, TAG };
	size_t i, at;

	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_DECRYPT), CKR_OK);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		for (at = 0; at < lens[i]; at++) {
			parts[i][at] ^= 1 << at % 8;
			KUNIT_EXPECT_EQ_MSG(test, unseal(m, a.cipher, a.tag),
					    CKR_AEAD_DECRYPT_FAILED, "part %zu, byte %zu", i, at);
			KUNIT_EXPECT_EQ(test, m->out_len, 0);
			parts[i][at] ^= 1 << at % 8;
		}
		KUNIT_EXPECT_EQ(test, unseal(m, a.cipher, a.tag), CKR_OK);
		KUNIT_EXPECT_TRUE(test, came(m, a.plain));
	}
	/* A tag is as long as the parameter says. */
	a.tag.len--;
	KUNIT_EXPECT_EQ(test, unseal(m, a.cipher, a.tag), CKR_MECHANISM_PARAM_INVALID);
	a.tag.len++;
	a.cipher.len--;
	KUNIT_EXPECT_EQ(test, unseal(m, a.cipher, a.tag), CKR_AEAD_DECRYPT_FAILED);
	a.cipher.len++;
	KUNIT_EXPECT_EQ(test, unseal(m, a.cipher, a.tag), CKR_OK);
}

/* ---- signatures ---- */

static u32 mac_mechanism(enum luna_mac_kind kind)
{
	switch ((u32)kind) {
	case LUNA_CMAC_AES:
		return CKM_AES_CMAC;
	case LUNA_HMAC + LUNA_SHA256:
		return CKM_SHA256_HMAC;
	default:
		return 0;
	}
}

/* Those of CMAC and HMAC with SHA-256, each twice under its Init */
static void message_signatures(struct kunit *test)
{
	const u32 sign = LUNA_OP_MESSAGE_SIGN, verify = LUNA_OP_MESSAGE_VERIFY;
	const u32 one = LUNA_STEP_ONESHOT;
	struct messages *m = test->priv;
	struct bytes none = bytes_new(test, 0), data, mac;
	u32 mechanism, key;
	size_t i, n, tried = 0;

	for (i = 0; i < ARRAY_SIZE(mac_answers); i++) {
		mechanism = mac_mechanism(mac_answers[i].kind);
		data = bytes_hex(test, mac_answers[i].data);
		mac = bytes_hex(test, mac_answers[i].mac);
		if (!mechanism || data.len > ROOM)
			continue;
		key = key_of(test, mechanism == CKM_AES_CMAC ? CKK_AES : CKK_GENERIC_SECRET,
			     bytes_hex(test, mac_answers[i].key));
		KUNIT_ASSERT_EQ(test, operation(m, sign, LUNA_STEP_INIT, mechanism, key), CKR_OK);
		KUNIT_ASSERT_EQ(test, operation(m, verify, LUNA_STEP_INIT, mechanism, key), CKR_OK);
		for (n = 0; n < 2; n++) {
			KUNIT_EXPECT_EQ(test, message(m, sign, one, data, none), CKR_OK);
			KUNIT_EXPECT_TRUE_MSG(test, came(m, mac), "row %zu", i);
			KUNIT_EXPECT_EQ(test, message(m, verify, one, data, mac), CKR_OK);
			mac.data[n] ^= 1;
			KUNIT_EXPECT_EQ(test, message(m, verify, one, data, mac),
					CKR_SIGNATURE_INVALID);
			mac.data[n] ^= 1;
		}
		KUNIT_EXPECT_EQ(test, finish(m, sign), CKR_OK);
		KUNIT_EXPECT_EQ(test, finish(m, verify), CKR_OK);
		tried++;
	}
	KUNIT_EXPECT_GT(test, tried, 15);
}

/* ---- states ---- */

static void message_states(struct kunit *test)
{
	const u32 op = LUNA_OP_MESSAGE_ENCRYPT;
	struct messages *m = test->priv;
	struct bytes none = bytes_new(test, 0), text = bytes_text(test, "message");

	gcm_param(m, bytes_hex(test, GCM_IV12), none);
	/* Nothing before an Init, and no second Init. */
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, finish(m, op), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_ASSERT_EQ(test, begin(m, op), CKR_OK);
	KUNIT_EXPECT_EQ(test, begin(m, op), CKR_OPERATION_ACTIVE);
	/* A part needs a begin, which nothing else may follow until the message is whole. */
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_UPDATE, text, none),
			CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_FINAL, text, none),
			CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_BEGIN, none, none), CKR_OK);
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_BEGIN, none, none), CKR_OPERATION_ACTIVE);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OPERATION_ACTIVE);
	KUNIT_EXPECT_EQ(test, finish(m, op), CKR_OPERATION_ACTIVE);
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_UPDATE, text, none), CKR_OK);
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_FINAL, text, none), CKR_OK);
	/* One that is dropped is no longer in the way; a cancel ends all. */
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_BEGIN, none, none), CKR_OK);
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_CANCEL, none, none), CKR_OK);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OK);
	KUNIT_EXPECT_EQ(test, message(m, op, LUNA_STEP_BEGIN, none, none), CKR_OK);
	KUNIT_EXPECT_EQ(test, operation(m, op, LUNA_STEP_CANCEL, 0, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, seal(m, text), CKR_OPERATION_NOT_INITIALIZED);
}

/* An ordinary operation with the same key, and the other direction, are apart from it. */
static void message_beside(struct kunit *test)
{
	struct messages *m = test->priv;
	struct answer a = answer_of(test, 2);
	u32 len = ROOM;

	KUNIT_ASSERT_EQ(test, begin(m, LUNA_OP_MESSAGE_ENCRYPT), CKR_OK);
	KUNIT_EXPECT_EQ(test, unseal(m, a.cipher, a.tag), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test,
			fx_op(m->side.open, m->side.session, LUNA_OP_ENCRYPT, CKM_AES_GCM, m->key,
			      m->param, m->param_len, a.plain.data, a.plain.len, NULL, 0, m->out,
			      &len), CKR_OK);
	KUNIT_EXPECT_EQ(test, memcmp(m->out, a.cipher.data, a.cipher.len + TAG), 0);
	KUNIT_EXPECT_EQ(test, seal(m, a.plain), CKR_OK);
	KUNIT_EXPECT_TRUE(test, came(m, a.cipher));
	/* A mechanism that has no messages, a key without the right, and a logout. */
	KUNIT_EXPECT_EQ(test,
			operation(m, LUNA_OP_MESSAGE_DECRYPT, LUNA_STEP_INIT, CKM_AES_CTR, m->key),
			CKR_MECHANISM_INVALID);
	m->tmpl.len = 0;
	fx_attr_bool(&m->tmpl, CKA_DECRYPT, false);
	KUNIT_ASSERT_EQ(test, fx_attr_set(m->side.open, m->side.session, m->key, &m->tmpl), CKR_OK);
	KUNIT_EXPECT_EQ(test, begin(m, LUNA_OP_MESSAGE_DECRYPT), CKR_KEY_FUNCTION_NOT_PERMITTED);
	fx_side_as(&m->side, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, seal(m, a.plain), CKR_OPERATION_NOT_INITIALIZED);
	fx_side_as(&m->side, CKU_USER);
	KUNIT_EXPECT_EQ(test, seal(m, a.plain), CKR_OPERATION_NOT_INITIALIZED);
}

static struct kunit_case message_cases[] = {
	KUNIT_CASE(message_answers),
	KUNIT_CASE(message_parts),
	KUNIT_CASE(message_generators),
	KUNIT_CASE(message_iv_used),
	KUNIT_CASE(message_iv_reuse),
	KUNIT_CASE(message_decided),
	KUNIT_CASE(message_bad_generators),
	KUNIT_CASE(message_altered),
	KUNIT_CASE(message_signatures),
	KUNIT_CASE(message_states),
	KUNIT_CASE(message_beside),
	{}
};

static struct kunit_suite message_suite = {
	.name = "luna-message",
	.init = message_init,
	.exit = message_exit,
	.test_cases = message_cases,
};

kunit_test_suites(&message_suite);
