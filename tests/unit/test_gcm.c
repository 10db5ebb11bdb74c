// SPDX-License-Identifier: MIT
/*
 * AES-GCM and GMAC of one operation: the answers of its specification, by a provider that has it, by one
 * that takes IVs of 12 bytes alone, by one that does a message at once, and by the engine on top of
 * one that lacks it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "cipher_answers.h"
#include "engine_fixture.h"
#include "ghash.h"
#include "hex.h"
#include "op_calls.h"
#include "token.h"

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
static void gcm_forged(struct fx_side *side, struct op_case *t)
{
	u8 *out = test_malloc(OP_ROOM);
	u32 len;

	for (u32 at = 0; at < t->in.len; at += 5) {
		t->in.data[at] ^= 1 << at % 8;
		assert_int_equal(op_crypt(side, LUNA_OP_DECRYPT, t->mech, t->key, &t->param, 0),
				 CKR_ENCRYPTED_DATA_LEN_RANGE);
		len = OP_ROOM;
		assert_int_equal(op_whole(side, t->op, t->mech, t->key, &t->param, t->in.data,
					  t->in.len, out, &len),
				 CKR_ENCRYPTED_DATA_INVALID);
		assert_int_equal(op_init(side, t->op, t->mech, t->key, t->param.data, t->param.len),
				 CKR_OK);
		len = OP_ROOM;
		assert_int_equal(op_update(side, t->op, t->in.data, t->in.len, out, &len), CKR_OK);
		assert_int_equal(len, 0);
		len = OP_ROOM;
		assert_int_equal(op_final(side, t->op, out, &len), CKR_ENCRYPTED_DATA_INVALID);
		op_assert_ended(side, t->op);
		t->in.data[at] ^= 1 << at % 8;
	}
	test_free(out);
}

static void gcm_one(struct fx_side *side, u32 i, u32 tag_len)
{
	struct bytes key = hex(gcm_answers[i].key);
	struct bytes iv = hex(gcm_answers[i].iv), aad = hex(gcm_answers[i].aad);
	struct op_case t = {
		.op = LUNA_OP_ENCRYPT, .mech = i % 2 ? CKM_AES_GCM : CKM_AES_GCM_2_20a5d1,
		.key = op_key(side, CKK_AES, &key), .param = gcm_param(&iv, &aad, 8 * tag_len),
		.in = hex(gcm_answers[i].plain), .out = hex(gcm_answers[i].sealed),
	};

	t.out.len = t.in.len + tag_len;
	op_case_run(side, &t);
	op_case_swap(&t);
	op_case_run(side, &t);
	gcm_forged(side, &t);
}

static void test_gcm(void **state __maybe_unused)
{
	struct fx_side e;

	for (u32 p = 0; p < ARRAY_SIZE(providers); p++) {
		fx_side_open(&e, providers[p], 0);
		for (u32 i = 0; i < ARRAY_SIZE(gcm_answers); i++)
			gcm_one(&e, i, 16);
		for (u32 tag_len = 4; tag_len < 16; tag_len++)
			gcm_one(&e, 3, tag_len);
		fx_side_close(&e);
	}
}

/* ---- GMAC: packets of IEEE 802.1AEbw, annex C, and the specification's cases without text ---- */

#define MACSEC_IV	"12153524c0895e81b2c28465"
#define MACSEC_PACKET	"d609b1f056637a0d46df998d88e5222ab2c2846512153524c0895e8108000f10"	\
			"1112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f30"	\
			"313233340001"

static const struct {
	const char *key, *iv, *data, *tag;
} gmac_answers[] = {
	{ "00000000000000000000000000000000", "000000000000000000000000", "",
	  "58e2fccefa7e3061367f1d57a4e7455a" },
	{ "ad7a2bd03eac835a6f620fdcb506b345", MACSEC_IV, MACSEC_PACKET,
	  "f09478a9b09007d06f46e9b6a1da25dd" },
	{ "e3c08a8f06c6e3ad95a70557b23f75483ce33021a9c72b7025666204c69c0b72", MACSEC_IV,
	  MACSEC_PACKET, "2f0bc5af409e06d609ea8b7d0fa5ea50" },
};

static void gmac_one(struct fx_side *side, u32 i, u32 tag_len)
{
	struct bytes key = hex(gmac_answers[i].key), iv = hex(gmac_answers[i].iv), none = {};
	struct op_case t = {
		.op = LUNA_OP_SIGN, .mech = i % 2 ? CKM_AES_GMAC : CKM_AES_GMAC_OLD,
		.key = op_key(side, CKK_AES, &key), .param = gcm_param(&iv, &none, 8 * tag_len),
		.in = hex(gmac_answers[i].data), .out = hex(gmac_answers[i].tag),
	};

	t.out.len = tag_len;
	op_case_run(side, &t);
	op_case_verify(side, &t);
}

static void test_gmac(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY), iv = hex(GCM_IV12), aad = hex(GCM_AAD), none = {}, p;
	struct fx_side e;
	u32 k;

	for (u32 i = 0; i < ARRAY_SIZE(providers); i++) {
		fx_side_open(&e, providers[i], 0);
		for (u32 j = 0; j < ARRAY_SIZE(gmac_answers); j++)
			for (u32 tag_len = 4; tag_len <= 16; tag_len += 4)
				gmac_one(&e, j, tag_len);
		fx_side_close(&e);
	}
	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	p = gcm_param(&iv, &aad, 128);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_AES_GMAC, k, p.data, p.len),
			 CKR_MECHANISM_PARAM_INVALID);
	p = gcm_param(&none, &none, 128);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_AES_GMAC, k, p.data, p.len),
			 CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_AES_GMAC, k, iv.data, iv.len),
			 CKR_MECHANISM_PARAM_INVALID);
	p = gcm_param(&iv, &none, 128);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_GMAC, k, p.data, p.len),
			 CKR_MECHANISM_INVALID);
	/* An IV serves for one message. */
	assert_int_equal(op_init(&e, LUNA_OP_MESSAGE_SIGN, CKM_AES_GMAC, k, p.data, p.len),
			 CKR_MECHANISM_INVALID);
	fx_side_close(&e);
}

static void test_gcm_param(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY), iv = hex(GCM_IV12), aad = {}, p;
	struct luna_gcm_param *raw = (void *)p.data;
	struct fx_side e;
	u32 k;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	for (u32 bits = 0; bits <= 136; bits++) {
		p = gcm_param(&iv, &aad, bits);
		assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
				 bits >= 32 && bits <= 128 && bits % 8 == 0 ?
				 CKR_OK : CKR_MECHANISM_PARAM_INVALID);
	}
	p = gcm_param(&iv, &aad, 128);
	raw->iv_bits = 0;
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16), CKR_OK);
	raw->iv_bits = 12;
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	p = gcm_param(&iv, &aad, 128);
	raw->aad_len = 1;
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	raw->aad_len = 0xfffffff4;
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	p.len = 8;
	assert_int_equal(op_crypt(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	iv.len = 0;
	p = gcm_param(&iv, &aad, 128);
	assert_int_equal(op_crypt(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	fx_side_close(&e);
}

/* IVs that the provider does not take are computed by the engine: both must agree. */
static void test_gcm_iv_lengths(void **state __maybe_unused)
{
	struct bytes key = hex(GCM_KEY GCM_KEY), aad = hex(GCM_AAD), in = hex(GCM_PLAIN);
	struct bytes iv = {}, p;
	struct fx_side e[2];
	u8 *out[2];
	u32 k[2], len[2];

	for (u32 i = 0; i < 2; i++) {
		fx_side_open(&e[i], providers[i], 0);
		k[i] = op_key(&e[i], CKK_AES, &key);
		out[i] = test_malloc(OP_ROOM);
	}
	for (iv.len = 1; iv.len <= 256; iv.len++) {
		memset(iv.data, iv.len, iv.len);
		p = gcm_param(&iv, &aad, 128);
		for (u32 i = 0; i < 2; i++) {
			len[i] = OP_ROOM;
			assert_int_equal(op_whole(&e[i], LUNA_OP_ENCRYPT, CKM_AES_GCM, k[i], &p,
						  in.data, in.len, out[i], &len[i]),
					 CKR_OK);
		}
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(out[0], out[1], len[0]);
	}
	p = gcm_param(&iv, &aad, 128);
	assert_int_equal(op_crypt(&e[0], LUNA_OP_ENCRYPT, CKM_AES_GCM, k[0], &p, 16),
			 CKR_MECHANISM_PARAM_INVALID);
	for (u32 i = 0; i < 2; i++) {
		test_free(out[i]);
		fx_side_close(&e[i]);
	}
}

/* Encrypts and decrypts in one command: how often did the provider do so at once? */
static u32 once_taken(struct fx_side *side, u32 key, const struct bytes *iv,
		      const struct bytes *aad, u32 tag_len, const void *plain, u32 plain_len)
{
	struct bytes param = gcm_param(iv, aad, 8 * tag_len);
	u8 *sealed = test_malloc(OP_ROOM), *opened = test_malloc(OP_ROOM);
	u32 len = OP_ROOM, opened_len = OP_ROOM;

	once_calls();
	assert_int_equal(op_whole(side, LUNA_OP_ENCRYPT, CKM_AES_GCM, key, &param, plain, plain_len,
				  sealed, &len),
			 CKR_OK);
	assert_int_equal(len, plain_len + tag_len);
	assert_int_equal(op_whole(side, LUNA_OP_DECRYPT, CKM_AES_GCM, key, &param, sealed, len,
				  opened, &opened_len),
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
	struct fx_side e;
	u8 out[128];
	u32 k, len;

	fx_side_open(&e, &at_once, 0);
	k = op_key(&e, CKK_AES, &key);
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
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, p.data, p.len),
				 CKR_OK);
		len = sizeof(out);
		if (i)
			assert_int_equal(op_update(&e, LUNA_OP_ENCRYPT, plain.data, 7, out, &len),
					 CKR_OK);
		len = sizeof(out);
		assert_int_equal(op_final(&e, LUNA_OP_ENCRYPT, out, &len), CKR_OK);
		assert_int_equal(len, 16);
		assert_int_equal(once_calls(), 0);
	}
	/* An operation that ends while it waits */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, p.data, p.len), CKR_OK);
	assert_int_equal(op_cancel(&e, LUNA_OP_ENCRYPT), CKR_OK);
	assert_int_equal(once_calls(), 0);
	fx_side_close(&e);
}

/* Longer additional data than the engine keeps until it knows are worked on at once. */
static void test_gcm_once_aad(void **state __maybe_unused)
{
	static const u32 lens[] = { 0, 1, 1024, 1025, 4096 };
	struct bytes key = hex(GCM_KEY GCM_KEY);
	const struct luna_gcm_param head = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 };
	u8 *param = test_calloc(1, sizeof(head) + 12 + 4096), *out = test_malloc(2 * 17);
	struct fx_side e;
	u32 k, len;

	memcpy(param, &head, sizeof(head));
	for (u32 i = 0; i < ARRAY_SIZE(lens); i++) {
		((struct luna_gcm_param *)param)->aad_len = lens[i];
		for (u32 p = 0; p < 2; p++) {
			fx_side_open(&e, p ? &at_once : &no_gcm, 0);
			k = op_key(&e, CKK_AES, &key);
			once_calls();
			len = 17;
			assert_int_equal(fx_op(e.open, e.session, LUNA_OP_ENCRYPT, CKM_AES_GCM, k,
					       param, sizeof(head) + 12 + lens[i], "x", 1, NULL, 0,
					       out + 17 * p, &len),
					 CKR_OK);
			assert_int_equal(once_calls(), p && lens[i] <= 1024);
			fx_side_close(&e);
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
		.param_len = param.len, .out_max = OP_ROOM,
	};
	u8 *request = test_calloc(1, 1024), *reply = test_calloc(1, 1024), sealed[128];
	size_t made = 0;
	struct fx_side e;
	u32 len = sizeof(sealed);

	fx_side_open(&e, &at_once, 0);
	arg.hdr.session = e.session;
	arg.key = op_key(&e, CKK_AES, &key);
	assert_int_equal(op_whole(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, arg.key, &param, plain.data,
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
	op_assert_ended(&e, LUNA_OP_DECRYPT);
	test_free(request);
	test_free(reply);
	fx_side_close(&e);
}

/* Sealing in the store uses it too; what one way has sealed the other opens. */
static void test_gcm_once_seal(void **state __maybe_unused)
{
	static const u8 key[32] = "0123456789abcdef0123456789abcde";
	struct luna_token *token;
	u8 *plain = test_calloc(1, 64), *sealed = test_malloc(64 + LUNA_SEAL_OVERHEAD);
	u8 *opened = test_malloc(64);
	struct fx_side e;

	fx_side_open(&e, &at_once, 0);
	token = e.fx.token;
	for (u32 i = 0; i < 4; i++) {
		once_calls();
		once.refuses = i & 1;
		assert_int_equal(luna_seal_with(token, key, LUNA_SEAL_OBJECT, 7, plain, 64, sealed),
				 0);
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
	fx_side_close(&e);
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
	struct fx_side e[2];
	u8 *out[2], *h = test_malloc(OP_ROOM), *in = test_calloc(1, 512);
	u32 k[2], len = OP_ROOM;

	for (u32 i = 0; i < 2; i++) {
		fx_side_open(&e[i], providers[i], 0);
		k[i] = op_key(&e[i], CKK_AES, &key);
		out[i] = test_malloc(OP_ROOM);
	}
	assert_int_equal(fx_op(e[0].open, e[0].session, LUNA_OP_ENCRYPT, CKM_AES_ECB, k[0], NULL, 0,
			       in, 16, NULL, 0, h, &len),
			 CKR_OK);
	for (u32 before = 1; before <= 5; before++) {
		put_unaligned_be32(-before, j0.data + 12);
		iv = iv_for(h, j0.data);
		p = gcm_param(&iv, &none, 128);
		for (u32 i = 0; i < 2; i++) {
			len = OP_ROOM;
			assert_int_equal(op_whole(&e[i], LUNA_OP_ENCRYPT, CKM_AES_GCM, k[i], &p, in,
						  200, out[i], &len),
					 CKR_OK);
			assert_int_equal(len, 216);
		}
		assert_memory_equal(out[0], out[1], len);
	}
	for (u32 i = 0; i < 2; i++) {
		test_free(out[i]);
		fx_side_close(&e[i]);
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
	struct fx_side e;
	u8 *out = test_malloc(OP_ROOM), *back = test_malloc(OP_ROOM);
	u32 k, len;

	for (u32 i = 0; i < ARRAY_SIZE(providers); i++) {
		fx_side_open(&e, providers[i], 0);
		k = op_key(&e, CKK_AES, &key);
		p = gcm_param(&none, &aad, 128);
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, p.data, p.len),
				 CKR_OK);
		len = LUNA_OUT_QUERY;
		assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, in.data, in.len, NULL, &len),
				 CKR_OK);
		assert_int_equal(len, in.len + 32);
		assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, in.data, in.len, out, &len),
				 CKR_OK);
		assert_int_equal(len, in.len + 32);
		memcpy(iv.data, out + in.len + 16, 16);
		q = gcm_param(&iv, &aad, 128);
		len = OP_ROOM;
		assert_int_equal(op_whole(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, &q, out, in.len + 16,
					  back, &len),
				 CKR_OK);
		assert_int_equal(len, in.len);
		assert_memory_equal(back, in.data, len);
		fx_side_close(&e);
	}
	test_free(out);
	test_free(back);
}

/* Longer than a command: staged, and in pieces; decryption withholds all to the end. */
static void test_gcm_long(void **state __maybe_unused)
{
	enum { LONG = 90000, PIECE = 14336 };
	struct bytes key = hex(GCM_KEY GCM_KEY), iv = hex(GCM_IV12), none = {}, p;
	u8 *in = test_malloc(LONG), *sealed = test_malloc(OP_ROOM), *out = test_malloc(2 * OP_ROOM);
	struct op_call c = {
		.op = LUNA_OP_DECRYPT, .step = LUNA_STEP_ONESHOT, .total = LONG + 16, .out = out,
		.out_max = LONG,
	};
	struct fx_side e;
	u32 k, len;

	for (u32 i = 0; i < LONG; i++)
		in[i] = i * 7 + i / 256;
	for (u32 i = 0; i < ARRAY_SIZE(providers); i++) {
		fx_side_open(&e, providers[i], 0);
		k = op_key(&e, CKK_AES, &key);
		p = gcm_param(&iv, &none, 128);
		len = OP_ROOM;
		assert_int_equal(
			op_whole(&e, LUNA_OP_ENCRYPT, CKM_AES_GCM, k, &p, in, LONG, sealed, &len),
			CKR_OK);
		assert_int_equal(len, LONG + 16);
		len = OP_ROOM;
		assert_int_equal(op_whole(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, &p, sealed,
					  LONG + 16,
					  out, &len),
				 CKR_OK);
		assert_int_equal(len, LONG);
		assert_memory_equal(out, in, LONG);
		assert_int_equal(op_init(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, p.data, p.len),
				 CKR_OK);
		memset(out, 0, LONG);
		for (c.offset = 0; c.offset < c.total; c.offset += c.data_len) {
			c.data = sealed + c.offset;
			c.data_len = min_t(u64, PIECE, c.total - c.offset);
			assert_int_equal(op_run(&e, &c), CKR_OK);
			assert_int_equal(c.got, c.offset + c.data_len < c.total ? 0 : LONG);
		}
		assert_memory_equal(out, in, LONG);
		assert_int_equal(op_init(&e, LUNA_OP_DECRYPT, CKM_AES_GCM, k, p.data, p.len),
				 CKR_OK);
		c.total = (64 << 20) + 1;
		c.offset = 0;
		assert_int_equal(op_run(&e, &c), CKR_ENCRYPTED_DATA_LEN_RANGE);
		c.total = LONG + 16;
		fx_side_close(&e);
	}
	test_free(in);
	test_free(sealed);
	test_free(out);
}

/* The first message of an operation, with an IV of @generator's */
static s64 first_message(struct fx_side *e, u32 key, u32 generator)
{
	struct luna_op init = {
		.hdr.session = e->session, .op = LUNA_OP_MESSAGE_ENCRYPT, .step = LUNA_STEP_CANCEL,
	};
	struct luna_message message = {
		.hdr.session = e->session, .op = LUNA_OP_MESSAGE_ENCRYPT, .step = LUNA_STEP_ONESHOT,
		.param_len = 28, .data_len = 4, .sig_len = 16, .generator = generator, .total = 4,
		.out_max = 4,
	};
	struct {
		struct luna_gcm_param p;
		u8 iv[12], text[4];
	} payload = { .p = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 }, .text = "text" };
	u8 out[4];
	size_t len = sizeof(out);
	s64 rv;

	rv = fx_call(e->open, LUNA_OP, &init, sizeof(init), NULL, 0, NULL, NULL);
	init.step = LUNA_STEP_INIT;
	init.mechanism = CKM_AES_GCM;
	init.key = key;
	rv = rv ?: fx_call(e->open, LUNA_OP, &init, sizeof(init), NULL, 0, NULL, NULL);
	return rv ?: fx_call(e->open, LUNA_MESSAGE, &message, sizeof(message), &payload,
			     sizeof(payload), out, &len);
}

/* FIPS mode takes IVs that were drawn: what a caller gives to count from is as good as an IV. */
static void test_gcm_messages_fips(void **state __maybe_unused)
{
	static const struct {
		u32 generator;
		s64 rv;
	} all[] = {
		{ CKG_NO_GENERATE, CKR_MECHANISM_PARAM_INVALID },
		{ CKG_GENERATE_COUNTER, CKR_MECHANISM_PARAM_INVALID },
		{ CKG_GENERATE_COUNTER_XOR, CKR_MECHANISM_PARAM_INVALID },
		{ CKG_GENERATE, CKR_OK }, { CKG_GENERATE_RANDOM, CKR_OK },
	};
	struct fx_tmpl tmpl = { 0 };
	struct fx_side e;
	u32 key, i;

	fx_side_open(&e, providers[0], 0);
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	assert_int_equal(fx_generate_key(e.open, e.session, CKM_AES_KEY_GEN, &tmpl, &key), CKR_OK);
	for (i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(first_message(&e, key, all[i].generator), CKR_OK);
	e.fx.token->state->policies[43] = 0;
	for (i = 0; i < ARRAY_SIZE(all); i++)
		assert_int_equal(first_message(&e, key, all[i].generator), all[i].rv);
	fx_side_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gcm),
		cmocka_unit_test(test_gmac),
		cmocka_unit_test(test_gcm_param),
		cmocka_unit_test(test_gcm_iv_lengths),
		cmocka_unit_test(test_gcm_once),
		cmocka_unit_test(test_gcm_once_aad),
		cmocka_unit_test(test_gcm_once_forged),
		cmocka_unit_test(test_gcm_once_seal),
		cmocka_unit_test(test_gcm_counter_wrap),
		cmocka_unit_test(test_gcm_drawn_iv),
		cmocka_unit_test(test_gcm_long),
		cmocka_unit_test(test_gcm_messages_fips),
	};

	return cmocka_run_group_tests(tests, make_providers, NULL);
}
