// SPDX-License-Identifier: MIT
/*
 * Operations: published answers for every mechanism of cipher.c, gcm.c, digest.c and mac.c (SP
 * 800-38A and B, the GCM specification, FIPS 180, RFC 2202 and 4231), in one call, in updates and
 * in pieces of a call; GCM also with providers that lack it; and the state machine of op.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "cipher_answers.h"
#include "engine_fixture.h"
#include "ghash.h"
#include "hex.h"
#include "token.h"

enum { BIG = 100000 };

/* ---- a token, and commands to it ---- */

struct env {
	struct fx fx;
	struct luna_open *open;
	u32 session;
};

static struct luna_crypto_ops no_gcm, short_iv, at_once;

/* The providers that GCM has to do with; the first has everything. */
static const struct luna_crypto_ops *providers[4];

/**
 * struct once - gcm_once() of a provider without LUNA_GCM, by the streams of another that has it
 * @calls: how often it was called since the test looked
 * @refuses: it leaves everything to the engine
 */
static struct once {
	u32 calls;
	bool refuses;
} once;

static int once_gcm(struct luna_aes_key *key, bool encrypt, const u8 *iv, const u8 *aad,
		    size_t aad_len, const u8 *in, size_t len, u8 *out, u8 *tag)
{
	const struct luna_crypto_ops *real = &luna_openssl_ops;
	struct luna_cipher_stream *s;
	int err = 0;

	once.calls++;
	if (once.refuses)
		return -EOPNOTSUPP;
	s = real->cipher_begin(key, LUNA_GCM, encrypt, iv, 12);
	if (IS_ERR(s))
		return PTR_ERR(s);
	if (aad_len)
		err = real->cipher_aad(s, aad, aad_len);
	if (!err && len)
		err = real->cipher_update(s, in, len, out);
	if (!err)
		err = real->cipher_tag(s, tag, 16);
	real->cipher_end(s);
	if (err)
		memset(out, 0, len);
	return err;
}

static u32 once_calls(void)
{
	u32 calls = once.calls;

	once.calls = 0;
	return calls;
}

static int make_providers(void **state __maybe_unused)
{
	no_gcm = luna_openssl_ops;
	no_gcm.modes &= ~BIT(LUNA_GCM);
	no_gcm.features &= ~LUNA_CRYPTO_GCM_ANY_IV;
	short_iv = luna_openssl_ops;
	short_iv.features &= ~LUNA_CRYPTO_GCM_ANY_IV;
	at_once = no_gcm;
	at_once.gcm_once = once_gcm;
	providers[0] = &luna_openssl_ops;
	providers[1] = &no_gcm;
	providers[2] = &short_iv;
	providers[3] = &at_once;
	return 0;
}

static void env_open(struct env *e, const struct luna_crypto_ops *crypto)
{
	fx_open(&e->fx, crypto, 0);
	assert_int_equal(fx_ready(&e->fx, &e->open, &e->session), CKR_OK);
}

static void env_close(struct env *e)
{
	luna_release(e->open);
	fx_close(&e->fx);
}

/* A secret key with all rights, or with those that @but leaves. */
static u32 make_key_but(struct env *e, u32 type, const u8 *value, u32 len, u32 but, bool private)
{
	static const u32 rights[] = { CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN,
				      CKA_VERIFY,  CKA_WRAP,	CKA_UNWRAP };
	struct fx_tmpl tmpl = {};
	u32 handle;

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, type);
	fx_attr(&tmpl, CKA_VALUE, value, len);
	fx_attr_bool(&tmpl, CKA_TOKEN, false);
	fx_attr_bool(&tmpl, CKA_PRIVATE, private);
	fx_attr_bool(&tmpl, CKA_SENSITIVE, private);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, !private);
	for (u32 i = 0; i < ARRAY_SIZE(rights); i++)
		fx_attr_bool(&tmpl, rights[i], rights[i] != but);
	assert_int_equal(fx_create(e->open, e->session, &tmpl, &handle), CKR_OK);
	return handle;
}

static u32 make_key(struct env *e, u32 type, const struct bytes *value)
{
	return make_key_but(e, type, value->data, value->len, CKA_ID, true);
}

/**
 * struct call - one LUNA_OP
 * @out: room for BIG bytes, or NULL
 * @need: out_need of the reply
 * @got: bytes that came
 */
struct call {
	u32 op, step, mech, key;
	const void *param;
	u32 param_len;
	const void *data;
	u32 data_len;
	const void *sig;
	u32 sig_len;
	u64 offset, total;
	u32 out_max;
	void *out;
	u32 need;
	size_t got;
};

static s64 run(struct env *e, struct call *c)
{
	struct luna_op arg = {
		.hdr.session = e->session,
		.op = c->op,
		.step = c->step,
		.mechanism = c->mech,
		.key = c->key,
		.param_len = c->param_len,
		.data_len = c->data_len,
		.sig_len = c->sig_len,
		.out_max = c->out_max,
		.offset = c->offset,
		.total = c->total,
	};
	u32 param_len = c->param_len == LUNA_PARAM_MALFORMED ? 0 : c->param_len;
	u32 data_len = c->data ? c->data_len : 0;
	u32 len = param_len + data_len + c->sig_len;
	u8 *payload = test_malloc(len + 1);
	size_t room = c->out ? BIG : 0;
	s64 rv;

	if (param_len)
		memcpy(payload, c->param, param_len);
	if (data_len)
		memcpy(payload + param_len, c->data, data_len);
	if (c->sig_len)
		memcpy(payload + param_len + data_len, c->sig, c->sig_len);
	rv = fx_call(e->open, LUNA_OP, &arg, sizeof(arg), payload, len, c->out, &room);
	test_free(payload);
	c->need = arg.out_need;
	c->got = room;
	if (rv)
		assert_int_equal(c->got, 0);
	return rv;
}

static s64 init(struct env *e, u32 op, u32 mech, u32 key, const void *param, u32 param_len)
{
	struct call c = {
		.op = op, .step = LUNA_STEP_INIT, .mech = mech, .key = key, .param = param,
		.param_len = param_len,
	};

	return run(e, &c);
}

static s64 update(struct env *e, u32 op, const void *data, u32 len, void *out, u32 *out_len)
{
	struct call c = {
		.op = op, .step = LUNA_STEP_UPDATE, .data = data, .data_len = len, .out = out,
		.out_max = *out_len,
	};
	s64 rv = run(e, &c);

	*out_len = c.need;
	return rv;
}

static s64 final(struct env *e, u32 op, void *out, u32 *out_len)
{
	struct call c = { .op = op, .step = LUNA_STEP_FINAL, .out = out, .out_max = *out_len };
	s64 rv = run(e, &c);

	*out_len = c.need;
	return rv;
}

static s64 verify_final(struct env *e, const void *sig, u32 sig_len)
{
	struct call c = {
		.op = LUNA_OP_VERIFY, .step = LUNA_STEP_FINAL, .sig = sig, .sig_len = sig_len,
	};

	return run(e, &c);
}

static s64 oneshot(struct env *e, u32 op, const void *data, u32 len, void *out, u32 *out_len)
{
	struct call c = {
		.op = op, .step = LUNA_STEP_ONESHOT, .data = data, .data_len = len, .total = len,
		.out = out, .out_max = *out_len,
	};
	s64 rv;

	if (*out_len == LUNA_OUT_QUERY) {
		c.data = NULL;
		c.data_len = 0;
	}
	rv = run(e, &c);
	*out_len = c.need;
	return rv;
}

static s64 cancel(struct env *e, u32 op)
{
	struct call c = { .op = op, .step = LUNA_STEP_CANCEL };

	return run(e, &c);
}

/* Init and the whole call in one command. */
static s64 whole(struct env *e, u32 op, u32 mech, u32 key, const struct bytes *param,
		 const void *in, u32 in_len, void *out, u32 *out_len)
{
	return fx_op(e->open, e->session, op, mech, key, param->data, param->len, in, in_len, NULL,
		     0, out, out_len);
}

/* Is no operation of this kind active? */
static void assert_ended(struct env *e, u32 op)
{
	u8 byte = 0;
	u32 len = 1;

	assert_int_equal(update(e, op, &byte, 1, NULL, &len), CKR_OPERATION_NOT_INITIALIZED);
}

/* ---- a case: one input and its output, by every way there is ---- */

struct op_case {
	u32 op, mech, key;
	struct bytes param, in, out;
};

static void case_oneshot(struct env *e, const struct op_case *t, u8 *out)
{
	u32 len = BIG;

	assert_int_equal(
		whole(e, t->op, t->mech, t->key, &t->param, t->in.data, t->in.len, out, &len),
		CKR_OK);
	assert_int_equal(len, t->out.len);
	assert_memory_equal(out, t->out.data, len);
	assert_ended(e, t->op);
}

/* The buffer may be just large enough, a query tells so or more, and a byte less is refused. */
static void case_sizes(struct env *e, const struct op_case *t, u8 *out)
{
	u32 len = LUNA_OUT_QUERY;

	assert_int_equal(init(e, t->op, t->mech, t->key, t->param.data, t->param.len), CKR_OK);
	assert_int_equal(oneshot(e, t->op, t->in.data, t->in.len, NULL, &len), CKR_OK);
	assert_true(len >= t->out.len && len <= t->out.len + LUNA_AES_BLOCK);
	if (t->out.len) {
		len = t->out.len - 1;
		assert_int_equal(oneshot(e, t->op, t->in.data, t->in.len, out, &len),
				 CKR_BUFFER_TOO_SMALL);
		assert_true(len >= t->out.len);
	}
	len = t->out.len;
	assert_int_equal(oneshot(e, t->op, t->in.data, t->in.len, out, &len), CKR_OK);
	assert_int_equal(len, t->out.len);
	assert_memory_equal(out, t->out.data, len);
	assert_ended(e, t->op);
}

/* With a query and a short buffer before every step. */
static u32 case_step(struct env *e, const struct op_case *t, bool end, const u8 *in, u32 in_len,
		     u8 *out)
{
	bool sized = end || t->op <= LUNA_OP_DECRYPT;
	struct call c = {
		.op = t->op, .step = end ? LUNA_STEP_FINAL : LUNA_STEP_UPDATE, .data_len = in_len,
		.out = out, .out_max = LUNA_OUT_QUERY,
	};
	u32 most;

	if (sized) {
		assert_int_equal(run(e, &c), CKR_OK);
		assert_int_equal(c.got, 0);
	}
	c.data = in;
	most = c.need;
	c.out_max = 0;
	if (sized && run(e, &c) == CKR_OK)
		return 0;
	c.out_max = most;
	assert_int_equal(run(e, &c), CKR_OK);
	assert_true(c.need <= most);
	assert_int_equal(c.got, c.need);
	return c.need;
}

static void case_updates(struct env *e, const struct op_case *t, u32 step, u8 *out)
{
	u32 made = 0, part;

	assert_int_equal(init(e, t->op, t->mech, t->key, t->param.data, t->param.len), CKR_OK);
	for (u32 at = 0; at < t->in.len; at += part) {
		part = min_t(u32, step, t->in.len - at);
		made += case_step(e, t, false, t->in.data + at, part, out + made);
	}
	made += case_step(e, t, true, NULL, 0, out + made);
	assert_int_equal(made, t->out.len);
	assert_memory_equal(out, t->out.data, made);
	assert_ended(e, t->op);
}

static void case_pieces(struct env *e, const struct op_case *t, u32 step, u8 *out)
{
	struct call c = {
		.op = t->op, .step = LUNA_STEP_ONESHOT, .total = t->in.len, .out_max = t->out.len,
	};
	u32 made = 0, part;

	assert_int_equal(init(e, t->op, t->mech, t->key, t->param.data, t->param.len), CKR_OK);
	for (u32 at = 0; at < t->in.len; at += part) {
		part = min_t(u32, step, t->in.len - at);
		c.offset = at;
		c.data = t->in.data + at;
		c.data_len = part;
		c.out = out + made;
		assert_int_equal(run(e, &c), CKR_OK);
		assert_int_equal(c.got, c.need);
		made += c.got;
	}
	assert_int_equal(made, t->out.len);
	assert_memory_equal(out, t->out.data, made);
	assert_ended(e, t->op);
}

static void case_run(struct env *e, const struct op_case *t)
{
	static const u32 steps[] = { 1, 7, 15, 16, 17, 33, 64 };
	u8 *out = test_malloc(2 * BIG);

	case_oneshot(e, t, out);
	case_sizes(e, t, out);
	for (u32 i = 0; i < ARRAY_SIZE(steps); i++) {
		case_updates(e, t, steps[i], out);
		if (t->in.len)
			case_pieces(e, t, steps[i], out);
	}
	test_free(out);
}

/* ---- AES: SP 800-38A ---- */

static struct bytes ctr_param(u32 bits, const char *counter)
{
	struct luna_ctr_param p = { .counter_bits = bits };
	struct bytes cb = hex(counter), b = { .len = sizeof(p) };

	memcpy(p.cb, cb.data, sizeof(p.cb));
	memcpy(b.data, &p, sizeof(p));
	return b;
}

/* The answers' parameters are IVs, or none. */
static struct bytes aes_param(size_t i)
{
	if (aes_answers[i].mode == LUNA_CTR)
		return ctr_param(128, aes_answers[i].iv);
	return hex(aes_answers[i].iv);
}

static void swap_direction(struct op_case *t)
{
	struct bytes in = t->in;

	t->in = t->out;
	t->out = in;
	t->op = LUNA_OP_DECRYPT;
}

static void test_aes(void **state __maybe_unused)
{
	static const u32 mechs[] = {
		[LUNA_ECB] = CKM_AES_ECB, [LUNA_CBC] = CKM_AES_CBC, [LUNA_CTR] = CKM_AES_CTR,
	};
	struct env e;

	env_open(&e, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(aes_answers); i++) {
		struct bytes key = hex(aes_answers[i].key);
		struct op_case t = {
			.op = LUNA_OP_ENCRYPT, .mech = mechs[aes_answers[i].mode],
			.key = make_key(&e, CKK_AES, &key), .param = aes_param(i),
			.in = hex(aes_answers[i].plain), .out = hex(aes_answers[i].cipher),
		};

		case_run(&e, &t);
		swap_direction(&t);
		case_run(&e, &t);
	}
	env_close(&e);
}

/* CBC_PAD of whole blocks starts as CBC does, and every length comes back. */
static void test_cbc_pad(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	u8 *out = test_malloc(BIG);
	struct op_case t = { .mech = CKM_AES_CBC_PAD, .param = hex(AES_IV) };
	struct env e;
	u32 len;

	env_open(&e, NULL);
	t.key = make_key(&e, CKK_AES, &key);
	for (u32 in_len = 0; in_len <= 64; in_len++) {
		t.in = hex(PLAIN_38A);
		t.in.len = in_len;
		len = BIG;
		assert_int_equal(whole(&e, LUNA_OP_ENCRYPT, t.mech, t.key, &t.param, t.in.data,
				       in_len, out, &len),
				 CKR_OK);
		assert_int_equal(len, in_len / 16 * 16 + 16);
		t.out.len = len;
		memcpy(t.out.data, out, len);
		t.op = LUNA_OP_ENCRYPT;
		case_run(&e, &t);
		swap_direction(&t);
		case_run(&e, &t);
	}
	assert_memory_equal(t.in.data, hex(aes_answers[1].cipher).data, 64);
	test_free(out);
	env_close(&e);
}

/* One error for all that is wrong with the padding, and none of the plaintext. */
static void test_cbc_pad_bad(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), iv = hex(AES_IV), block = hex(AES_IV);
	u8 *cipher = test_malloc(BIG), *out = test_malloc(BIG);
	struct env e;
	u32 handle, len;

	env_open(&e, NULL);
	handle = make_key(&e, CKK_AES, &key);
	for (u32 pad = 0; pad < 256; pad++) {
		for (u32 wrong = 0; wrong < 16; wrong++) {
			bool good = pad >= 1 && pad <= 16 && wrong >= pad;

			memset(block.data, pad, 16);
			if (wrong)
				block.data[15 - wrong] ^= 0x80;
			else
				good = pad >= 1 && pad <= 16;
			len = BIG;
			assert_int_equal(fx_op(e.open, e.session, LUNA_OP_ENCRYPT, CKM_AES_CBC,
					       handle, iv.data, 16, block.data, 16, NULL, 0, cipher,
					       &len),
					 CKR_OK);
			len = BIG;
			assert_int_equal(fx_op(e.open, e.session, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD,
					       handle, iv.data, 16, cipher, 16, NULL, 0, out, &len),
					 good ? CKR_OK : CKR_ENCRYPTED_DATA_INVALID);
			if (good)
				assert_int_equal(len, 16 - pad);
		}
	}
	test_free(cipher);
	test_free(out);
	env_close(&e);
}

static s64 crypt_once(struct env *e, u32 op, u32 mech, u32 key, const struct bytes *param,
		      u32 in_len)
{
	u8 *in = test_calloc(1, in_len + 1), *out = test_malloc(BIG);
	u32 len = BIG;
	s64 rv = fx_op(e->open, e->session, op, mech, key, param->data, param->len, in, in_len,
		       NULL, 0, out, &len);

	test_free(in);
	test_free(out);
	assert_ended(e, op);
	return rv;
}

static void test_aes_lengths(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), iv = hex(AES_IV), none = {};
	struct env e;
	u32 k;

	env_open(&e, NULL);
	k = make_key(&e, CKK_AES, &key);
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, &none, 17),
			 CKR_DATA_LEN_RANGE);
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, &iv, 15),
			 CKR_DATA_LEN_RANGE);
	assert_int_equal(crypt_once(&e, LUNA_OP_DECRYPT, CKM_AES_CBC, k, &iv, 15),
			 CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(crypt_once(&e, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, k, &iv, 0),
			 CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(crypt_once(&e, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, k, &iv, 24),
			 CKR_ENCRYPTED_DATA_LEN_RANGE);
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, &iv, 0), CKR_OK);
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, &iv, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	iv.len = 12;
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, &iv, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	env_close(&e);
}

/* A counter of n bits gives 2^n - value blocks, and no more. */
static void test_ctr_wrap(void **state __maybe_unused)
{
	static const struct {
		u32 bits, bytes;
		const char *counter;
	} limits[] = {
		{ 1, 32, "00000000000000000000000000000000" },
		{ 1, 16, "ffffffffffffffffffffffffffffffff" },
		{ 8, 16 * 16, "000000000000000000000000000000f0" },
		{ 64, 32, "0000000000000000fffffffffffffffe" },
		{ 65, 32, "0000000000000001fffffffffffffffe" },
		{ 128, 16, "ffffffffffffffffffffffffffffffff" },
	};
	struct bytes key = hex(AES_KEY128), p;
	struct env e;
	u32 k, len, out_len;
	u8 *in = test_calloc(1, 512), *out = test_malloc(BIG);

	env_open(&e, NULL);
	k = make_key(&e, CKK_AES, &key);
	for (u32 i = 0; i < ARRAY_SIZE(limits); i++) {
		p = ctr_param(limits[i].bits, limits[i].counter);
		len = limits[i].bytes;
		assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, len), CKR_OK);
		assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, len + 1),
				 CKR_DATA_LEN_RANGE);
		assert_int_equal(init(&e, LUNA_OP_DECRYPT, CKM_AES_CTR, k, p.data, p.len), CKR_OK);
		out_len = BIG;
		assert_int_equal(update(&e, LUNA_OP_DECRYPT, in, len, out, &out_len), CKR_OK);
		out_len = BIG;
		assert_int_equal(update(&e, LUNA_OP_DECRYPT, in, 1, out, &out_len),
				 CKR_DATA_LEN_RANGE);
		assert_ended(&e, LUNA_OP_DECRYPT);
	}
	p = ctr_param(65, "0000000000000000fffffffffffffffe");
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 512), CKR_OK);
	p = ctr_param(0, limits[0].counter);
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	p = ctr_param(129, limits[0].counter);
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_CTR, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	test_free(in);
	test_free(out);
	env_close(&e);
}

/* ---- GCM: the specification's test cases ---- */

static struct bytes gcm_param(const struct bytes *iv, const struct bytes *aad, u32 tag_bits)
{
	struct luna_gcm_param p = {
		.iv_len = iv->len,
		.iv_bits = 8 * iv->len,
		.aad_len = aad->len,
		.tag_bits = tag_bits,
	};
	struct bytes b = { .len = sizeof(p) + iv->len + aad->len };

	memcpy(b.data, &p, sizeof(p));
	memcpy(b.data + sizeof(p), iv->data, iv->len);
	memcpy(b.data + sizeof(p) + iv->len, aad->data, aad->len);
	return b;
}

/* No bit of ciphertext and tag may change, whichever way the data come; nothing comes out. */
static void gcm_forged(struct env *e, struct op_case *t)
{
	u8 *out = test_malloc(BIG);
	u32 len;

	for (u32 at = 0; at < t->in.len; at += 5) {
		t->in.data[at] ^= 1 << at % 8;
		assert_int_equal(crypt_once(e, LUNA_OP_DECRYPT, t->mech, t->key, &t->param, 0),
				 CKR_ENCRYPTED_DATA_LEN_RANGE);
		len = BIG;
		assert_int_equal(whole(e, t->op, t->mech, t->key, &t->param, t->in.data, t->in.len,
				       out, &len),
				 CKR_ENCRYPTED_DATA_INVALID);
		assert_int_equal(init(e, t->op, t->mech, t->key, t->param.data, t->param.len),
				 CKR_OK);
		len = BIG;
		assert_int_equal(update(e, t->op, t->in.data, t->in.len, out, &len), CKR_OK);
		assert_int_equal(len, 0);
		len = BIG;
		assert_int_equal(final(e, t->op, out, &len), CKR_ENCRYPTED_DATA_INVALID);
		assert_ended(e, t->op);
		t->in.data[at] ^= 1 << at % 8;
	}
	test_free(out);
}

static void gcm_one(struct env *e, u32 i, u32 tag_len)
{
	struct bytes key = hex(gcm_answers[i].key);
	struct bytes iv = hex(gcm_answers[i].iv), aad = hex(gcm_answers[i].aad);
	struct op_case t = {
		.op = LUNA_OP_ENCRYPT, .mech = i % 2 ? CKM_AES_GCM : CKM_AES_GCM_2_20a5d1,
		.key = make_key(e, CKK_AES, &key), .param = gcm_param(&iv, &aad, 8 * tag_len),
		.in = hex(gcm_answers[i].plain), .out = hex(gcm_answers[i].sealed),
	};

	t.out.len = t.in.len + tag_len;
	case_run(e, &t);
	swap_direction(&t);
	case_run(e, &t);
	gcm_forged(e, &t);
}

static void test_gcm(void **state __maybe_unused)
{
	struct env e;

	for (u32 p = 0; p < ARRAY_SIZE(providers); p++) {
		env_open(&e, providers[p]);
		for (u32 i = 0; i < ARRAY_SIZE(gcm_answers); i++)
			gcm_one(&e, i, 16);
		for (u32 tag_len = 4; tag_len < 16; tag_len++)
			gcm_one(&e, 3, tag_len);
		env_close(&e);
	}
}

static void test_gcm_param(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY), iv = hex(GCM_IV12), aad = {}, p;
	struct luna_gcm_param *raw = (void *)p.data;
	struct env e;
	u32 k;

	env_open(&e, NULL);
	k = make_key(&e, CKK_AES, &key);
	for (u32 bits = 0; bits <= 136; bits++) {
		p = gcm_param(&iv, &aad, bits);
		assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
				 bits >= 32 && bits <= 128 && bits % 8 == 0 ?
				 CKR_OK : CKR_MECHANISM_PARAM_INVALID);
	}
	p = gcm_param(&iv, &aad, 128);
	raw->iv_bits = 0;
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16), CKR_OK);
	raw->iv_bits = 12;
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	p = gcm_param(&iv, &aad, 128);
	raw->aad_len = 1;
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	raw->aad_len = 0xfffffff4;
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	p.len = 8;
	assert_int_equal(crypt_once(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	iv.len = 0;
	p = gcm_param(&iv, &aad, 128);
	assert_int_equal(crypt_once(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	env_close(&e);
}

/* IVs that the provider does not take are computed by the engine: both must agree. */
static void test_gcm_iv_lengths(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY GCM_KEY), aad = hex(GCM_AAD), in = hex(GCM_PLAIN), iv = {}, p;
	struct env e[2];
	u8 *out[2];
	u32 k[2], len[2];

	for (u32 i = 0; i < 2; i++) {
		env_open(&e[i], providers[i]);
		k[i] = make_key(&e[i], CKK_AES, &key);
		out[i] = test_malloc(BIG);
	}
	for (iv.len = 1; iv.len <= 256; iv.len++) {
		memset(iv.data, iv.len, iv.len);
		p = gcm_param(&iv, &aad, 128);
		for (u32 i = 0; i < 2; i++) {
			len[i] = BIG;
			assert_int_equal(whole(&e[i], LUNA_OP_ENCRYPT, CKM_AES_GCM, k[i], &p,
					       in.data, in.len, out[i], &len[i]),
					 CKR_OK);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(out[0], out[1], len[0]);
	}
	p = gcm_param(&iv, &aad, 128);
	assert_int_equal(crypt_once(&e[0], LUNA_OP_ENCRYPT, CKM_AES_GCM, k[0], &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	for (u32 i = 0; i < 2; i++) {
		test_free(out[i]);
		env_close(&e[i]);
	}
}

/* Encrypts and decrypts in one command: how often did the provider do so at once? */
static u32 once_taken(struct env *e, u32 key, const struct bytes *iv, const struct bytes *aad,
		      u32 tag_len, const void *plain, u32 plain_len)
{
	struct bytes param = gcm_param(iv, aad, 8 * tag_len);
	u8 *sealed = test_malloc(BIG), *opened = test_malloc(BIG);
	u32 len = BIG, opened_len = BIG;

	once_calls();
	assert_int_equal(whole(e, LUNA_OP_ENCRYPT, CKM_AES_GCM, key, &param, plain, plain_len, sealed,
			       &len),
			 CKR_OK);
	assert_int_equal(len, plain_len + tag_len);
	assert_int_equal(whole(e, LUNA_OP_DECRYPT, CKM_AES_GCM, key, &param, sealed, len, opened,
			       &opened_len),
			 CKR_OK);
	assert_int_equal(opened_len, plain_len);
	assert_memory_equal(opened, plain, plain_len);
	test_free(sealed);
	test_free(opened);
	return once_calls();
}

/* When the provider gets a message at once, and when the engine computes it in parts. */
static void test_gcm_once(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY GCM_KEY), iv = hex(GCM_IV12), p;
	struct bytes iv8 = hex(GCM_IV8), aad = hex(GCM_AAD), plain = hex(GCM_PLAIN);
	struct env e;
	u8 out[128];
	u32 k, len;

	env_open(&e, &at_once);
	k = make_key(&e, CKK_AES, &key);
	assert_int_equal(once_taken(&e, k, &iv, &aad, 16, plain.data, plain.len), 2);
	assert_int_equal(once_taken(&e, k, &iv, &aad, 16, plain.data, 0), 2);
	/* A tag cut short is not for the provider to compare. */
	assert_int_equal(once_taken(&e, k, &iv, &aad, 12, plain.data, plain.len), 1);
	assert_int_equal(once_taken(&e, k, &iv8, &aad, 16, plain.data, plain.len), 0);
	once.refuses = true;
	assert_int_equal(once_taken(&e, k, &iv, &aad, 16, plain.data, plain.len), 2);
	once.refuses = false;
	/* In updates, and an update that never comes */
	p = gcm_param(&iv, &aad, 128);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, p.data, p.len), CKR_OK);
		len = sizeof(out);
		if (i)
			assert_int_equal(update(&e, LUNA_OP_ENCRYPT, plain.data, 7, out, &len), CKR_OK);
		len = sizeof(out);
		assert_int_equal(final(&e, LUNA_OP_ENCRYPT, out, &len), CKR_OK);
		assert_int_equal(len, 16);
		assert_int_equal(once_calls(), 0);
	}
	/* An operation that ends while it waits */
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, p.data, p.len), CKR_OK);
	assert_int_equal(cancel(&e, LUNA_OP_ENCRYPT), CKR_OK);
	assert_int_equal(once_calls(), 0);
	env_close(&e);
}

/* Longer additional data than the engine keeps until it knows are worked on at once. */
static void test_gcm_once_aad(void **state __maybe_unused)
{
	static const u32 lens[] = { 0, 1, 1024, 1025, 4096 };
	struct bytes key = hex(GCM_KEY GCM_KEY);
	const struct luna_gcm_param head = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 };
	u8 *param = test_calloc(1, sizeof(head) + 12 + 4096), *out = test_malloc(2 * 17);
	struct env e;
	u32 k, len;

	memcpy(param, &head, sizeof(head));
	for (u32 i = 0; i < ARRAY_SIZE(lens); i++) {
		((struct luna_gcm_param *)param)->aad_len = lens[i];
		for (u32 p = 0; p < 2; p++) {
			env_open(&e, p ? &at_once : &no_gcm);
			k = make_key(&e, CKK_AES, &key);
			once_calls();
			len = 17;
			assert_int_equal(fx_op(e.open, e.session, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, param,
					       sizeof(head) + 12 + lens[i], "x", 1, NULL, 0,
					       out + 17 * p, &len),
					 CKR_OK);
			assert_int_equal(once_calls(), p && lens[i] <= 1024);
			env_close(&e);
		}
		assert_memory_equal(out, out + 17, 17);
	}
	test_free(param);
	test_free(out);
}

/* A reply to forged ciphertext has no byte of its plaintext, and the provider did see it. */
static void test_gcm_once_forged(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY GCM_KEY), iv = hex(GCM_IV12), aad = hex(GCM_AAD);
	struct bytes param = gcm_param(&iv, &aad, 128), plain = hex(GCM_PLAIN);
	struct luna_op arg = {
		.hdr.size = sizeof(arg), .op = LUNA_OP_DECRYPT,
		.step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT, .mechanism = CKM_AES_GCM,
		.param_len = param.len, .out_max = BIG,
	};
	u8 *request = test_calloc(1, 1024), *reply = test_calloc(1, 1024), sealed[128];
	size_t made = 0;
	struct env e;
	u32 len = sizeof(sealed);

	env_open(&e, &at_once);
	arg.hdr.session = e.session;
	arg.key = make_key(&e, CKK_AES, &key);
	assert_int_equal(whole(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, arg.key, &param, plain.data,
			       plain.len, sealed, &len),
			 CKR_OK);
	sealed[len - 1] ^= 1;
	arg.data_len = len;
	arg.total = len;
	arg.hdr.in_len = param.len + len;
	memcpy(request, &arg, sizeof(arg));
	memcpy(request + sizeof(arg), param.data, param.len);
	memcpy(request + sizeof(arg) + param.len, sealed, len);
	once_calls();
	assert_int_equal(luna_cmd(e.open, LUNA_OP, request, 1024, reply, &made), 0);
	assert_int_equal(once_calls(), 1);
	assert_int_equal(((struct luna_hdr *)reply)->rv, CKR_ENCRYPTED_DATA_INVALID);
	assert_int_equal(made, sizeof(arg));
	assert_null(memchr_inv(reply + sizeof(arg), 0, 1024 - sizeof(arg)));
	assert_ended(&e, LUNA_OP_DECRYPT);
	test_free(request);
	test_free(reply);
	env_close(&e);
}

/* Sealing in the store uses it too; what one way has sealed the other opens. */
static void test_gcm_once_seal(void **state __maybe_unused)
{
	static const u8 key[32] = "0123456789abcdef0123456789abcde";
	struct luna_token *token;
	u8 *plain = test_calloc(1, 64), *sealed = test_malloc(64 + LUNA_SEAL_OVERHEAD);
	u8 *opened = test_malloc(64);
	struct env e;

	env_open(&e, &at_once);
	token = e.fx.token;
	for (u32 i = 0; i < 4; i++) {
		once_calls();
		once.refuses = i & 1;
		assert_int_equal(luna_seal_with(token, key, LUNA_SEAL_OBJECT, 7, plain, 64, sealed), 0);
		once.refuses = i & 2;
		memset(opened, 1, 64);
		assert_int_equal(luna_unseal_with(token, key, LUNA_SEAL_OBJECT, 7, sealed,
						  64 + LUNA_SEAL_OVERHEAD, opened), 0);
		assert_memory_equal(opened, plain, 64);
		assert_int_equal(once_calls(), 2);
		memset(opened, 1, 64);
		assert_int_equal(luna_unseal_with(token, key, LUNA_SEAL_OBJECT, 8, sealed,
						  64 + LUNA_SEAL_OVERHEAD, opened), -EBADMSG);
		assert_null(memchr_inv(opened, 0, 64));
	}
	once.refuses = false;
	env_close(&e);
	test_free(plain);
	test_free(sealed);
	test_free(opened);
}

/* Products in GCM's field, by GHASH of one block. */
static void field_mul(const u8 a[16], const u8 b[16], u8 out[16])
{
	struct luna_ghash g;

	luna_ghash_init(&g, a);
	luna_ghash_update(&g, b, 16);
	put_unaligned_be64(g.y[1], out);
	put_unaligned_be64(g.y[0], out + 8);
}

/* a^(2^128 - 2), that is 1/a */
static void field_invert(const u8 a[16], u8 out[16])
{
	u8 power[16];

	memcpy(power, a, 16);
	memset(out, 0, 16);
	out[0] = 0x80;
	for (u32 i = 1; i < 128; i++) {
		field_mul(power, power, power);
		field_mul(out, power, out);
	}
}

/* An IV of 16 bytes whose J0 is @j0: (IV * H + length) * H */
static struct bytes iv_for(const u8 h[16], const u8 j0[16])
{
	struct bytes iv = { .len = 16 };
	u8 inverse[16];

	field_invert(h, inverse);
	field_mul(inverse, j0, iv.data);
	iv.data[15] ^= 128;
	field_mul(inverse, iv.data, iv.data);
	return iv;
}

/* The 32-bit counter wraps in the middle of the text. */
static void test_gcm_counter_wrap(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY), none = {}, j0 = hex(AES_IV), iv, p;
	struct env e[2];
	u8 *out[2], *h = test_malloc(BIG), *in = test_calloc(1, 512);
	u32 k[2], len = BIG;

	for (u32 i = 0; i < 2; i++) {
		env_open(&e[i], providers[i]);
		k[i] = make_key(&e[i], CKK_AES, &key);
		out[i] = test_malloc(BIG);
	}
	assert_int_equal(fx_op(e[0].open, e[0].session, LUNA_OP_ENCRYPT, CKM_AES_ECB, k[0], NULL, 0,
			       in, 16, NULL, 0, h, &len),
			 CKR_OK);
	for (u32 before = 1; before <= 5; before++) {
		put_unaligned_be32(-before, j0.data + 12);
		iv = iv_for(h, j0.data);
		p = gcm_param(&iv, &none, 128);
		for (u32 i = 0; i < 2; i++) {
			len = BIG;
			assert_int_equal(whole(&e[i], LUNA_OP_ENCRYPT, CKM_AES_GCM, k[i], &p, in,
					       200, out[i], &len),
					 CKR_OK);
			assert_int_equal(len, 216);
		}
		assert_memory_equal(out[0], out[1], len);
	}
	for (u32 i = 0; i < 2; i++) {
		test_free(out[i]);
		env_close(&e[i]);
	}
	test_free(h);
	test_free(in);
}

/* No IV given: 16 bytes are drawn and come behind the tag; given back, they decrypt. */
static void test_gcm_drawn_iv(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY GCM_KEY), none = {}, aad = hex(GCM_AAD), in = hex(GCM_PLAIN),
		     iv = { .len = 16 };
	struct bytes p, q;
	struct env e;
	u8 *out = test_malloc(BIG), *back = test_malloc(BIG);
	u32 k, len;

	for (u32 i = 0; i < ARRAY_SIZE(providers); i++) {
		env_open(&e, providers[i]);
		k = make_key(&e, CKK_AES, &key);
		p = gcm_param(&none, &aad, 128);
		assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, p.data, p.len), CKR_OK);
		len = LUNA_OUT_QUERY;
		assert_int_equal(oneshot(&e, LUNA_OP_ENCRYPT, in.data, in.len, NULL, &len), CKR_OK);
		assert_int_equal(len, in.len + 32);
		assert_int_equal(oneshot(&e, LUNA_OP_ENCRYPT, in.data, in.len, out, &len), CKR_OK);
		assert_int_equal(len, in.len + 32);
		memcpy(iv.data, out + in.len + 16, 16);
		q = gcm_param(&iv, &aad, 128);
		len = BIG;
		assert_int_equal(whole(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, &q, out, in.len + 16,
				       back, &len),
				 CKR_OK);
		assert_int_equal(len, in.len);
		assert_memory_equal(back, in.data, len);
		env_close(&e);
	}
	test_free(out);
	test_free(back);
}

/* ---- digests ---- */

static const struct {
	u32 mech;
	const char *abc, *empty;
} digest_answers[] = {
	{ CKM_SHA_1, "a9993e364706816aba3e25717850c26c9cd0d89d",
	  "da39a3ee5e6b4b0d3255bfef95601890afd80709" },
	{ CKM_SHA224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	  "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f" },
	{ CKM_SHA224_OLD, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	  "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f" },
	{ CKM_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ CKM_SHA384,
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7",
	  "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da"
	  "274edebfe76f65fbd51ad2f14898b95b" },
	{ CKM_SHA512,
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	  "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e" },
};

static void test_digest(void **state __maybe_unused)
{
	struct env e;

	env_open(&e, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(digest_answers); i++) {
		struct op_case t = {
			.op = LUNA_OP_DIGEST, .mech = digest_answers[i].mech, .in = hex("616263"),
			.out = hex(digest_answers[i].abc),
		};

		case_run(&e, &t);
		t.in.len = 0;
		t.out = hex(digest_answers[i].empty);
		case_run(&e, &t);
		assert_int_equal(init(&e, LUNA_OP_DIGEST, t.mech, 0, "x", 1),
				 CKR_MECHANISM_PARAM_INVALID);
	}
	env_close(&e);
}

/* Turns a policy off, which the partition SO does. */
static void policy_off(struct env *e, u32 id)
{
	struct luna_policy_set set = {
		.hdr.session = e->session, .scope = LUNA_SCOPE_PARTITION, .count = 1,
	};
	u32 pair[] = { id, 0 };

	assert_int_equal(fx_logout(e->open, e->session), CKR_OK);
	assert_int_equal(fx_login(e->open, e->session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_call(e->open, LUNA_POLICY_SET, &set, sizeof(set), pair, sizeof(pair),
				 NULL, NULL),
			 CKR_OK);
	assert_int_equal(fx_logout(e->open, e->session), CKR_OK);
	assert_int_equal(fx_login(e->open, e->session, CKU_USER, FX_CO_PIN), CKR_OK);
}

/* The value of a key that may be seen is digested as data; that of another needs policy 9. */
static void test_digest_key(void **state __maybe_unused)
{
	struct env e;
	struct call c = { .op = LUNA_OP_DIGEST, .step = LUNA_STEP_KEY };
	u8 *out = test_malloc(BIG);
	u32 len = BIG, open_key, secret_key;

	env_open(&e, NULL);
	open_key = make_key_but(&e, CKK_GENERIC_SECRET, (const u8 *)"bc", 2, CKA_ID, false);
	secret_key = make_key_but(&e, CKK_GENERIC_SECRET, (const u8 *)"bc", 2, CKA_ID, true);
	assert_int_equal(init(&e, LUNA_OP_DIGEST, CKM_SHA256, 0, NULL, 0), CKR_OK);
	assert_int_equal(update(&e, LUNA_OP_DIGEST, "a", 1, NULL, &len), CKR_OK);
	c.key = open_key;
	assert_int_equal(run(&e, &c), CKR_OK);
	len = BIG;
	assert_int_equal(final(&e, LUNA_OP_DIGEST, out, &len), CKR_OK);
	assert_memory_equal(out, hex(digest_answers[3].abc).data, 32);
	assert_int_equal(run(&e, &c), CKR_OPERATION_NOT_INITIALIZED);
	c.step |= LUNA_STEP_INIT;
	c.mech = CKM_SHA256;
	c.key = secret_key;
	assert_int_equal(run(&e, &c), CKR_OK);
	assert_int_equal(cancel(&e, LUNA_OP_DIGEST), CKR_OK);
	policy_off(&e, 9);
	c.key = open_key;
	assert_int_equal(run(&e, &c), CKR_OK);
	assert_int_equal(cancel(&e, LUNA_OP_DIGEST), CKR_OK);
	c.key = make_key_but(&e, CKK_GENERIC_SECRET, (const u8 *)"bc", 2, CKA_ID, true);
	assert_int_equal(run(&e, &c), CKR_KEY_INDIGESTIBLE);
	assert_ended(&e, LUNA_OP_DIGEST);
	c.key = 0x7fffffff;
	assert_int_equal(run(&e, &c), CKR_KEY_HANDLE_INVALID);
	test_free(out);
	env_close(&e);
}

/* ---- MACs ---- */

static const struct {
	u32 mech, general, type;
	const char *key, *data, *mac;
} mac_answers[] = {
	{ CKM_SHA_1_HMAC, CKM_SHA_1_HMAC_GENERAL, CKK_SHA_1_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ CKM_SHA224_HMAC, CKM_SHA224_HMAC_GENERAL, CKK_SHA224_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ CKM_SHA224_HMAC_OLD, CKM_SHA224_HMAC_GENERAL_OLD, CKK_SHA224_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKK_SHA256_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ CKM_SHA256_HMAC, CKM_SHA256_HMAC_GENERAL, CKK_GENERIC_SECRET,
	  "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
	{ CKM_SHA384_HMAC, CKM_SHA384_HMAC_GENERAL, CKK_SHA384_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	  "8e2240ca5e69e2c78b3239ecfab21649" },
	{ CKM_SHA512_HMAC, CKM_SHA512_HMAC_GENERAL, CKK_SHA512_HMAC, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY128, "",
	  "bb1d6929e95937287fa37d129b756746" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL_OLD, CKK_AES, AES_KEY128,
	  "6bc1bee22e409f96e93d7e117393172a", "070a16b46b4d4144f79bdd9dd04a287c" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY128,
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	  "dfa66747de9ae63030ca32611497c827" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY128, PLAIN_38A,
	  "51f0bebf7e3b9d92fc49741779363cfe" },
	{ CKM_AES_CMAC, CKM_AES_CMAC_GENERAL, CKK_AES, AES_KEY256, PLAIN_38A,
	  "e1992190549f6ed5696a2c056c315410" },
};

static s64 verify(struct env *e, const struct op_case *t, const u8 *sig, u32 sig_len)
{
	s64 rv = fx_op(e->open, e->session, LUNA_OP_VERIFY, t->mech, t->key, t->param.data,
		       t->param.len, t->in.data, t->in.len, sig, sig_len, NULL, NULL);

	assert_ended(e, LUNA_OP_VERIFY);
	return rv;
}

static void mac_verify(struct env *e, const struct op_case *t)
{
	struct bytes sig = t->out;
	u32 none = 0;

	assert_int_equal(verify(e, t, sig.data, sig.len), CKR_OK);
	assert_int_equal(verify(e, t, sig.data, sig.len - 1), CKR_SIGNATURE_LEN_RANGE);
	assert_int_equal(verify(e, t, sig.data, sig.len + 1), CKR_SIGNATURE_LEN_RANGE);
	for (u32 i = 0; i < sig.len; i++) {
		sig.data[i] ^= 1;
		assert_int_equal(verify(e, t, sig.data, sig.len), CKR_SIGNATURE_INVALID);
		sig.data[i] ^= 1;
	}
	assert_int_equal(init(e, LUNA_OP_VERIFY, t->mech, t->key, t->param.data, t->param.len),
			 CKR_OK);
	for (u32 i = 0; i < t->in.len; i++)
		assert_int_equal(update(e, LUNA_OP_VERIFY, t->in.data + i, 1, NULL, &none), CKR_OK);
	assert_int_equal(verify_final(e, sig.data, sig.len), CKR_OK);
	assert_int_equal(verify_final(e, sig.data, sig.len), CKR_OPERATION_NOT_INITIALIZED);
}

static void test_mac(void **state __maybe_unused)
{
	u8 *out = test_malloc(BIG);
	struct env e;

	env_open(&e, NULL);
	for (u32 i = 0; i < ARRAY_SIZE(mac_answers); i++) {
		struct bytes key = hex(mac_answers[i].key);
		struct luna_mac_param p = {};
		struct op_case t = {
			.op = LUNA_OP_SIGN,
			.mech = mac_answers[i].mech,
			.key = make_key(&e, mac_answers[i].type, &key),
			.in = hex(mac_answers[i].data),
			.out = hex(mac_answers[i].mac),
		};
		u32 full = t.out.len;

		case_run(&e, &t);
		mac_verify(&e, &t);
		t.mech = mac_answers[i].general;
		t.param.len = sizeof(p);
		for (p.mac_len = 0; p.mac_len <= full + 1;
		     p.mac_len += p.mac_len < full - 1 ? 5 : 1) {
			memcpy(t.param.data, &p, sizeof(p));
			t.out.len = p.mac_len;
			if (p.mac_len && p.mac_len <= full) {
				case_oneshot(&e, &t, out);
				mac_verify(&e, &t);
			} else {
				assert_int_equal(
					init(&e, LUNA_OP_SIGN, t.mech, t.key, &p, sizeof(p)),
					CKR_MECHANISM_PARAM_INVALID);
			}
		}
	}
	test_free(out);
	env_close(&e);
}

/* ---- keys ---- */

static void test_key_checks(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), iv = hex(AES_IV);
	struct fx_tmpl tmpl = {};
	const u64 only[] = { CKM_AES_ECB, CKM_AES_CTR };
	struct env e;
	u32 k, data;

	env_open(&e, NULL);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, 0, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, 12345, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	assert_int_equal(fx_create(e.open, e.session, &tmpl, &data), CKR_OK);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, data, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	k = make_key(&e, CKK_GENERIC_SECRET, &key);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_SHA256_HMAC, k, NULL, 0),
			 CKR_MECHANISM_INVALID);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, 0x7ffffff0, k, NULL, 0), CKR_MECHANISM_INVALID);
	k = make_key(&e, CKK_SHA256_HMAC, &key);
	assert_int_equal(init(&e, LUNA_OP_SIGN, CKM_SHA512_HMAC, k, NULL, 0),
			 CKR_KEY_TYPE_INCONSISTENT);
	k = make_key_but(&e, CKK_AES, key.data, key.len, CKA_ENCRYPT, true);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(init(&e, LUNA_OP_DECRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(init(&e, LUNA_OP_SIGN, CKM_AES_CMAC, k, NULL, 0), CKR_OK);
	assert_int_equal(cancel(&e, LUNA_OP_DECRYPT), CKR_OK);

	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_AES);
	fx_attr(&tmpl, CKA_VALUE, key.data, key.len);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	fx_attr(&tmpl, CKA_ALLOWED_MECHANISMS, only, sizeof(only));
	assert_int_equal(fx_create(e.open, e.session, &tmpl, &k), CKR_OK);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, iv.data, iv.len),
				 CKR_MECHANISM_INVALID);
		assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
		assert_int_equal(cancel(&e, LUNA_OP_ENCRYPT), CKR_OK);
	}
	env_close(&e);
}

/* A login's end is the end of operations with private keys, not of others. */
static void test_logout(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	struct env e;
	u32 private, public, len = BIG;
	u8 *out = test_malloc(BIG);

	env_open(&e, NULL);
	private = make_key_but(&e, CKK_AES, key.data, key.len, CKA_ID, true);
	public = make_key_but(&e, CKK_AES, key.data, key.len, CKA_ID, false);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, private, NULL, 0), CKR_OK);
	assert_int_equal(fx_logout(e.open, e.session), CKR_OK);
	assert_int_equal(oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, private, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	assert_int_equal(fx_login(e.open, e.session, CKU_USER, FX_CO_PIN), CKR_OK);
	len = BIG;
	assert_int_equal(oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, public, NULL, 0), CKR_OK);
	test_free(out);
	env_close(&e);
}

/* ---- the state machine ---- */

static void test_states(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	struct env e;
	u8 *out = test_malloc(BIG);
	u32 k, len;

	env_open(&e, NULL);
	k = make_key(&e, CKK_AES, &key);
	for (u32 op = 0; op <= LUNA_OP_VERIFY; op++)
		assert_ended(&e, op);

	/* An Init on top of an operation leaves that alone; other kinds are other operations. */
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OPERATION_ACTIVE);
	assert_int_equal(init(&e, LUNA_OP_DECRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = BIG;
	assert_int_equal(oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	assert_ended(&e, LUNA_OP_ENCRYPT);
	assert_int_equal(cancel(&e, LUNA_OP_DECRYPT), CKR_OK);
	assert_int_equal(cancel(&e, LUNA_OP_DECRYPT), CKR_OK);
	assert_ended(&e, LUNA_OP_DECRYPT);

	/* A one-shot call after an update is refused and is the end. */
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = BIG;
	assert_int_equal(update(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	len = BIG;
	assert_int_equal(oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_ACTIVE);
	assert_ended(&e, LUNA_OP_ENCRYPT);

	/* A Final that finds half a block is the end. */
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = BIG;
	assert_int_equal(update(&e, LUNA_OP_ENCRYPT, key.data, 7, out, &len), CKR_OK);
	assert_int_equal(len, 0);
	len = BIG;
	assert_int_equal(final(&e, LUNA_OP_ENCRYPT, out, &len), CKR_DATA_LEN_RANGE);
	assert_ended(&e, LUNA_OP_ENCRYPT);

	/* A failed Init leaves nothing. */
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, NULL, 0),
			 CKR_MECHANISM_PARAM_INVALID);
	assert_ended(&e, LUNA_OP_ENCRYPT);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, NULL, LUNA_PARAM_MALFORMED),
			 CKR_MECHANISM_PARAM_INVALID);
	assert_ended(&e, LUNA_OP_ENCRYPT);
	test_free(out);
	env_close(&e);
}

/* Pieces must follow each other; the first decides for all, and nobody else comes between. */
static void test_pieces(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), in = hex(PLAIN_38A);
	struct env e;
	u8 *out = test_malloc(BIG);
	struct call c = {
		.op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .data = in.data, .data_len = 32,
		.total = 64, .out = out, .out_max = 63,
	}, bad;
	u32 k, len;

	env_open(&e, NULL);
	k = make_key(&e, CKK_AES, &key);
	for (u32 i = 0; i < 7; i++) {
		assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
		c.out_max = 63;
		assert_int_equal(run(&e, &c), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(c.need, 64);
		c.out_max = 64;
		assert_int_equal(run(&e, &c), CKR_OK);
		assert_int_equal(c.got, 32);
		bad = c;
		bad.offset = 32;
		len = BIG;
		if (i == 0)
			bad.offset = 0;
		if (i == 1)
			bad.offset = 16;
		if (i == 2)
			bad.total = 80;
		if (i == 3)
			bad.data_len = 33;
		if (i == 6) {	/* data that a query does not bring */
			bad.data = NULL;
			bad.out_max = LUNA_OUT_QUERY;
		}
		if (i == 4)
			assert_int_equal(update(&e, LUNA_OP_ENCRYPT, in.data, 16, out, &len),
					 CKR_OPERATION_ACTIVE);
		else if (i == 5)
			assert_int_equal(final(&e, LUNA_OP_ENCRYPT, out, &len),
					 CKR_OPERATION_ACTIVE);
		else
			assert_int_equal(run(&e, &bad),
					 i ? CKR_ARGUMENTS_BAD : CKR_OPERATION_ACTIVE);
		assert_ended(&e, LUNA_OP_ENCRYPT);
	}
	c.total = ~0ULL;
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(run(&e, &c), CKR_DATA_LEN_RANGE);
	test_free(out);
	env_close(&e);
}

/* Malformed commands change nothing. */
static void test_malformed(void **state __maybe_unused)
{
	static const struct call bad[] = {
		{ .op = LUNA_OP_KINDS, .step = LUNA_STEP_ONESHOT },
		{ .op = ~0u, .step = LUNA_STEP_INIT },
		{ .op = LUNA_OP_ENCRYPT },
		{ .op = LUNA_OP_ENCRYPT, .step = 0x40 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT | LUNA_STEP_FINAL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_INIT | LUNA_STEP_CANCEL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_KEY },
		{ .op = LUNA_OP_SIGN_RECOVER, .step = LUNA_STEP_UPDATE },
		{ .op = LUNA_OP_VERIFY_RECOVER, .step = LUNA_STEP_FINAL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_FINAL, .data = "x", .data_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .param = "x", .param_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .sig = "x", .sig_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_UPDATE, .data_len = 16 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_UPDATE, .data = "0123456789abcdef",
		  .data_len = 16, .out_max = LUNA_OUT_QUERY },
	};
	struct bytes key = hex(AES_KEY128);
	struct env e;
	u8 *out = test_malloc(BIG);
	u32 k, len = BIG;

	env_open(&e, NULL);
	k = make_key(&e, CKK_AES, &key);
	assert_int_equal(init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct call c = bad[i];

		assert_int_equal(run(&e, &c), CKR_ARGUMENTS_BAD);
	}
	assert_int_equal(oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	test_free(out);
	env_close(&e);
}

/* Longer than a command: staged, and in pieces; GCM decryption withholds all to the end. */
static void test_long(void **state __maybe_unused)
{
	enum { LONG = 90000, PIECE = 14336 };
	struct bytes key = hex(GCM_KEY GCM_KEY), iv = hex(GCM_IV12), none = {}, p;
	u8 *in = test_malloc(LONG), *sealed = test_malloc(BIG), *out = test_malloc(2 * BIG);
	struct call c = {
		.op = LUNA_OP_DECRYPT, .step = LUNA_STEP_ONESHOT, .total = LONG + 16, .out = out,
		.out_max = LONG,
	};
	struct env e;
	u32 k, len;

	for (u32 i = 0; i < LONG; i++)
		in[i] = i * 7 + i / 256;
	for (u32 i = 0; i < ARRAY_SIZE(providers); i++) {
		env_open(&e, providers[i]);
		k = make_key(&e, CKK_AES, &key);
		p = gcm_param(&iv, &none, 128);
		len = BIG;
		assert_int_equal(
			whole(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, in, LONG, sealed, &len),
			CKR_OK);
		assert_int_equal(len, LONG + 16);
		len = BIG;
		assert_int_equal(whole(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, &p, sealed, LONG + 16,
				       out, &len),
				 CKR_OK);
		assert_int_equal(len, LONG);
		assert_memory_equal(out, in, LONG);
		assert_int_equal(init(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, p.data, p.len), CKR_OK);
		memset(out, 0, LONG);
		for (c.offset = 0; c.offset < c.total; c.offset += c.data_len) {
			c.data = sealed + c.offset;
			c.data_len = min_t(u64, PIECE, c.total - c.offset);
			assert_int_equal(run(&e, &c), CKR_OK);
			assert_int_equal(c.got, c.offset + c.data_len < c.total ? 0 : LONG);
		}
		assert_memory_equal(out, in, LONG);
		assert_int_equal(init(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, p.data, p.len), CKR_OK);
		c.total = (64 << 20) + 1;
		c.offset = 0;
		assert_int_equal(run(&e, &c), CKR_ENCRYPTED_DATA_LEN_RANGE);
		c.total = LONG + 16;
		env_close(&e);
	}
	test_free(in);
	test_free(sealed);
	test_free(out);
}

/* ---- what one open file may make the device keep ---- */

static s64 stage(struct luna_open *open, u32 session, u32 len)
{
	u8 *bytes = test_calloc(1, LUNA_IOC_MAX);
	s64 rv = CKR_OK;
	u32 at, n;

	for (at = 0; at < len && !rv; at += n) {
		struct luna_data put = { .hdr.session = session, .offset = at };

		n = min_t(u32, len - at, LUNA_IOC_MAX - sizeof(put));
		rv = fx_call(open, LUNA_DATA_PUT, &put, sizeof(put), bytes, n, NULL, NULL);
	}
	test_free(bytes);
	return rv;
}

/* A session object with @len bytes of value; with @handle: the value becomes that of the object. */
static s64 big_object(struct env *e, u32 len, u32 *handle)
{
	struct luna_object_arg arg = { .hdr.session = e->session, .handle = *handle };
	struct fx_tmpl head = { 0 };
	struct luna_attr value = { .type = CKA_VALUE, .len = len };
	u32 nr = *handle ? LUNA_ATTR_SET : LUNA_OBJECT_CREATE;
	u8 *all = test_calloc(1, sizeof(head) + sizeof(value) + len);
	s64 rv;

	if (!*handle)
		fx_attr_ulong(&head, CKA_CLASS, CKO_DATA);
	memcpy(all, head.data, head.len);
	memcpy(all + head.len, &value, sizeof(value));
	arg.template_len = head.len + sizeof(value) + len;
	rv = fx_call(e->open, nr, &arg, sizeof(arg), all, arg.template_len, NULL, NULL);
	test_free(all);
	*handle = arg.handle;
	return rv;
}

static void test_bounds(void **state __maybe_unused)
{
	enum { LIMIT = LUNA_OPEN_BYTES_MAX, OBJECT = 1000000, ROOM = LIMIT / LUNA_STAGE_MAX };
	u32 sessions[ROOM + 1], count, handle = 0, small = 0, other, last = 0;
	struct luna_open *open;
	struct env e;
	s64 rv, before;

	env_open(&e, NULL);
	before = atomic64_read(&e.open->held);
	for (count = 0; count <= ROOM; count++) {
		assert_int_equal(fx_session(e.open, false, &sessions[count]), CKR_OK);
		rv = stage(e.open, sessions[count], LUNA_STAGE_MAX);
		if (rv)
			break;
	}
	assert_int_equal(rv, CKR_DEVICE_MEMORY);
	assert_in_range(count, ROOM / 2, ROOM);
	open = luna_open(e.fx.token);
	assert_int_equal(fx_session(open, false, &other), CKR_OK);
	assert_int_equal(stage(open, other, LUNA_STAGE_MAX), CKR_OK);
	luna_release(open);
	for (u32 i = 0; i <= count; i++)
		assert_int_equal(fx_session_close(e.open, sessions[i]), CKR_OK);
	assert_int_equal(atomic64_read(&e.open->held), before);

	assert_int_equal(big_object(&e, 8, &small), CKR_OK);
	for (count = 0, rv = CKR_OK; !rv && count <= LIMIT / OBJECT; count++) {
		last = handle;
		handle = 0;
		rv = big_object(&e, OBJECT, &handle);
	}
	assert_int_equal(rv, CKR_DEVICE_MEMORY);
	assert_in_range(count, LIMIT / OBJECT - 4, LIMIT / OBJECT + 1);
	assert_int_equal(big_object(&e, OBJECT, &small), CKR_DEVICE_MEMORY);
	assert_int_equal(fx_destroy(e.open, e.session, last), CKR_OK);
	assert_int_equal(big_object(&e, OBJECT, &small), CKR_OK);
	assert_int_equal(big_object(&e, 8, &small), CKR_OK);
	env_close(&e);
}

/* A whole call that runs out of memory at any point fails cleanly, and the next one succeeds. */
static void test_no_memory(void **state __maybe_unused)
{
	static const u32 ops[] = { LUNA_OP_ENCRYPT, LUNA_OP_SIGN, LUNA_OP_DIGEST };
	static const u32 mechs[] = { CKM_AES_CTR, CKM_AES_CMAC, CKM_SHA256 };
	struct bytes key = hex(AES_KEY128), p;
	u8 *out = test_malloc(BIG);
	struct env e;
	u32 k, len;
	u64 calls;
	s64 rv;

	env_open(&e, &no_gcm);
	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		for (u64 nth = 1; ; nth++) {
			k = make_key(&e, CKK_AES, &key);
			p = ctr_param(128, AES_IV);
			len = BIG;
			port_alloc_watch();
			port_alloc_fail(nth, 1);
			rv = fx_op(e.open, e.session, ops[i], mechs[i], k, p.data, i ? 0 : p.len,
				   key.data, 16, NULL, 0, out, &len);
			port_alloc_fail(0, 0);
			calls = port_alloc_calls();
			port_alloc_unwatch();
			if (rv == CKR_OK && calls < nth)
				break;
			assert_true(rv == CKR_OK || rv == CKR_DEVICE_MEMORY);
			len = BIG;
			assert_int_equal(fx_op(e.open, e.session, ops[i], mechs[i], k, p.data,
					       i ? 0 : p.len, key.data, 16, NULL, 0, out, &len),
					 CKR_OK);
		}
	}
	test_free(out);
	env_close(&e);
}

/* Threads with sessions of their own begin to use one key at the same time. */
struct worker {
	pthread_t thread;
	struct luna_open *open;
	u32 session, key;
	u8 out[16];
	s64 rv;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct {
		struct luna_op op;
		u8 in[16];
	} request = {
		.op = {
			.hdr.size = sizeof(struct luna_op), .hdr.in_len = 16,
			.hdr.session = w->session,
			.step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT, .mechanism = CKM_AES_ECB,
			.key = w->key, .data_len = 16, .total = 16, .out_max = 16,
		},
	}, reply;
	size_t len;

	for (u32 i = 0; i < 500 && !w->rv; i++) {
		w->rv = luna_cmd(w->open, LUNA_OP, &request, sizeof(request), &reply, &len);
		w->rv = w->rv ?: reply.op.hdr.rv;
	}
	memcpy(w->out, reply.in, sizeof(w->out));
	return NULL;
}

static void test_threads(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), expected = hex("7df76b0c1ab899b33e42f047b91b546f");
	struct worker workers[4] = {};
	struct env e;

	env_open(&e, NULL);
	for (u32 round = 0; round < 20; round++) {
		u32 k = make_key(&e, CKK_AES, &key);

		for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
			workers[i].open = e.open;
			workers[i].key = k;
			assert_int_equal(fx_session(e.open, true, &workers[i].session), CKR_OK);
		}
		for (u32 i = 0; i < ARRAY_SIZE(workers); i++)
			assert_int_equal(
				pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
		for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
			pthread_join(workers[i].thread, NULL);
			assert_int_equal(workers[i].rv, CKR_OK);
			assert_memory_equal(workers[i].out, expected.data, 16);
		}
	}
	env_close(&e);
}

/* ---- the list ---- */

static void test_list(void **state __maybe_unused)
{
	const u32 standard = CKF_ENCRYPT | CKF_DECRYPT | CKF_DIGEST | CKF_SIGN | CKF_SIGN_RECOVER |
			     CKF_VERIFY | CKF_VERIFY_RECOVER | CKF_GENERATE |
			     CKF_GENERATE_KEY_PAIR | CKF_WRAP | CKF_UNWRAP | CKF_DERIVE | CKF_HW |
			     CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MESSAGE_SIGN |
			     CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE;
	const u32 curves = CKF_EC_F_P | CKF_EC_OID | CKF_EC_UNCOMPRESS | CKF_EC_CURVENAME;
	struct luna_mech_info *rows = test_malloc(BIG);
	struct luna_mech_list list = {};
	size_t len = 8192;
	struct env e;
	u32 count;

	env_open(&e, NULL);
	assert_int_equal(fx_call(e.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len),
			 CKR_OK);
	assert_int_equal(len, list.count * sizeof(*rows));
	assert_true(list.count > 50);
	for (u32 i = 0; i < list.count; i++) {
		assert_true(!i || rows[i].type > rows[i - 1].type);
		assert_true(rows[i].flags && !(rows[i].flags & ~(standard | curves)));
		assert_true(rows[i].min_key_size <= rows[i].max_key_size);
		if (rows[i].flags & CKF_ENCRYPT)
			assert_int_equal(init(&e, LUNA_OP_ENCRYPT, rows[i].type, 0, NULL, 0),
					 CKR_KEY_HANDLE_INVALID);
	}
	policy_off(&e, 18);
	policy_off(&e, 33);
	assert_int_equal(init(&e, LUNA_OP_SIGN, CKM_RSA_X_509, 0, NULL, 0), CKR_MECHANISM_INVALID);
	assert_int_equal(init(&e, LUNA_OP_SIGN, CKM_RSA_PKCS, 0, NULL, 0), CKR_MECHANISM_INVALID);
	assert_int_equal(init(&e, LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, 0, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	len = 8192;
	count = list.count;
	assert_int_equal(fx_call(e.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len),
			 CKR_OK);
	assert_int_equal(list.count, count - 2);
	len = 64;
	assert_int_equal(fx_call(e.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(list.count, count - 2);
	test_free(rows);
	env_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aes),
		cmocka_unit_test(test_cbc_pad),
		cmocka_unit_test(test_cbc_pad_bad),
		cmocka_unit_test(test_aes_lengths),
		cmocka_unit_test(test_ctr_wrap),
		cmocka_unit_test(test_gcm),
		cmocka_unit_test(test_gcm_param),
		cmocka_unit_test(test_gcm_iv_lengths),
		cmocka_unit_test(test_gcm_once),
		cmocka_unit_test(test_gcm_once_aad),
		cmocka_unit_test(test_gcm_once_forged),
		cmocka_unit_test(test_gcm_once_seal),
		cmocka_unit_test(test_gcm_counter_wrap),
		cmocka_unit_test(test_gcm_drawn_iv),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_digest_key),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_key_checks),
		cmocka_unit_test(test_logout),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, make_providers, NULL);
}
