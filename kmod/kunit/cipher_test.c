// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES of the provider in ECB, CBC, CTR and, where it has that, GCM; triple DES: published answers,
 * of AES every length from 0 to 4096 in uneven pieces and in place, and what is refused.
 */
#include "bytes.h"
#include "cipher_answers.h"
#include "host.h"

enum { LENGTH_MAX = 4096, BLOCK = LUNA_AES_BLOCK };

static struct luna_aes_key *aes_key(struct kunit *test, struct bytes key)
{
	struct luna_aes_key *k = luna_test_crypto()->aes_key(key.data, key.len);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, k);
	return k;
}

static struct luna_cipher_stream *begin(struct kunit *test, struct luna_aes_key *key,
					enum luna_mode mode, bool encrypt, struct bytes iv)
{
	struct luna_cipher_stream *s = luna_test_crypto()->cipher_begin(key, mode, encrypt, iv.data,
									iv.len);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	return s;
}

static void run_once(struct kunit *test, struct luna_aes_key *key, enum luna_mode mode,
		     bool encrypt, struct bytes iv, const u8 *in, size_t len, u8 *out)
{
	struct luna_cipher_stream *s = begin(test, key, mode, encrypt, iv);

	KUNIT_EXPECT_EQ(test, luna_test_crypto()->cipher_update(s, in, len, out), 0);
	luna_test_crypto()->cipher_end(s);
}

/* In place; all modes but CTR take whole blocks. */
static void run_pieces(struct kunit *test, struct luna_aes_key *key, enum luna_mode mode,
		       bool encrypt, struct bytes iv, u8 *data, size_t len)
{
	struct luna_cipher_stream *s = begin(test, key, mode, encrypt, iv);
	size_t at, n, round = len;
	int err = 0;

	for (at = 0; at < len && !err; at += n) {
		n = bytes_piece(round++, len - at);
		if (mode != LUNA_CTR)
			n = round_up(n, (size_t)BLOCK);
		err = luna_test_crypto()->cipher_update(s, data + at, n, data + at);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	luna_test_crypto()->cipher_end(s);
}

/* ---- published answers ---- */

static void one_answer(struct kunit *test, size_t i)
{
	struct bytes iv = bytes_hex(test, aes_answers[i].iv);
	struct bytes plain = bytes_hex(test, aes_answers[i].plain);
	struct bytes cipher = bytes_hex(test, aes_answers[i].cipher);
	struct bytes out = bytes_new(test, plain.len);
	enum luna_mode mode = aes_answers[i].mode;
	struct luna_aes_key *key = aes_key(test, bytes_hex(test, aes_answers[i].key));

	run_once(test, key, mode, true, iv, plain.data, plain.len, out.data);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, aes_answers[i].cipher), "encryption %zu", i);
	run_once(test, key, mode, false, iv, cipher.data, cipher.len, out.data);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, aes_answers[i].plain), "decryption %zu", i);
	run_pieces(test, key, mode, true, iv, out.data, out.len);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, aes_answers[i].cipher), "pieces %zu", i);
	luna_test_crypto()->aes_key_free(key);
}

static void aes_known_answers(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(aes_answers); i++)
		one_answer(test, i);
}

/* The whole block counts: after ff..ff comes 00..00. */
static void ctr_wraps(struct kunit *test)
{
	struct bytes iv = bytes_new(test, BLOCK), no_iv = bytes_new(test, 0);
	struct bytes by_ctr = bytes_new(test, 2 * BLOCK), by_ecb = bytes_new(test, 2 * BLOCK);
	struct luna_aes_key *key = aes_key(test, bytes_pattern(test, 32));

	memset(iv.data, 0xff, BLOCK);
	memset(by_ecb.data, 0xff, BLOCK);
	run_pieces(test, key, LUNA_CTR, true, iv, by_ctr.data, by_ctr.len);
	run_pieces(test, key, LUNA_ECB, true, no_iv, by_ecb.data, by_ecb.len);
	KUNIT_EXPECT_EQ(test, memcmp(by_ctr.data, by_ecb.data, by_ctr.len), 0);
	luna_test_crypto()->aes_key_free(key);
}

/* ---- every length ---- */

/*
 * SHA-256 of the ciphertexts of all lengths under the keys 00 01 .. of 16, 24 and 32 bytes one
 * after the other, with the IV f0 f1 .. ff, made with Python's "cryptography".
 */
static const char * const all_lengths[] = {
	[LUNA_ECB] = "42edbb24f1add34fead16bd0fe1947a21d361dede7aee8cd805f6cfad94e702a",
	[LUNA_CBC] = "a68ca5faea868564657e0d1273f06dd59b252950c2df9287568af527a7c060d9",
	[LUNA_CTR] = "9026678beb1432ecd337e174fc72315678fa11c95b11dc4fe7f19821e11fd25c",
};

/* Encrypts at once, in pieces and in place, and back; what was encrypted goes into @all. */
static void one_length(struct kunit *test, struct luna_aes_key *key, enum luna_mode mode,
		       struct bytes iv, struct bytes data, u8 *work, struct luna_hash_stream *all)
{
	u8 *pieces = work + data.len;

	run_once(test, key, mode, true, iv, data.data, data.len, work);
	memcpy(pieces, data.data, data.len);
	run_pieces(test, key, mode, true, iv, pieces, data.len);
	KUNIT_ASSERT_EQ_MSG(test, memcmp(pieces, work, data.len), 0, "length %zu", data.len);
	KUNIT_ASSERT_EQ(test, luna_test_crypto()->hash_update(all, work, data.len), 0);
	run_pieces(test, key, mode, false, iv, work, data.len);
	KUNIT_ASSERT_EQ_MSG(test, memcmp(work, data.data, data.len), 0, "length %zu", data.len);
}

static void every_length_of(struct kunit *test, enum luna_mode mode)
{
	struct bytes data = bytes_pattern(test, LENGTH_MAX), digest = bytes_new(test, 32);
	struct bytes work = bytes_new(test, 2 * LENGTH_MAX), whole_key = bytes_new(test, 32);
	struct bytes iv = bytes_new(test, mode == LUNA_ECB ? 0 : BLOCK);
	struct luna_hash_stream *all = luna_test_crypto()->hash_begin(LUNA_SHA256);
	size_t i, len;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, all);
	for (i = 0; i < whole_key.len; i++)
		whole_key.data[i] = i;
	for (i = 0; i < iv.len; i++)
		iv.data[i] = 0xf0 + i;
	for (i = 16; i <= 32; i += 8) {
		struct luna_aes_key *key = aes_key(test, (struct bytes){ whole_key.data, i });

		for (len = 0; len <= LENGTH_MAX; len += mode == LUNA_CTR ? 1 : BLOCK)
			one_length(test, key, mode, iv, (struct bytes){ data.data, len }, work.data,
				   all);
		luna_test_crypto()->aes_key_free(key);
	}
	KUNIT_EXPECT_EQ(test, luna_test_crypto()->hash_final(all, digest.data), 0);
	luna_test_crypto()->hash_end(all);
	KUNIT_EXPECT_TRUE(test, bytes_are(digest, all_lengths[mode]));
}

static void ecb_every_length(struct kunit *test)
{
	every_length_of(test, LUNA_ECB);
}

static void cbc_every_length(struct kunit *test)
{
	every_length_of(test, LUNA_CBC);
}

static void ctr_every_length(struct kunit *test)
{
	every_length_of(test, LUNA_CTR);
}

/* Buffers that begin anywhere, in a page and across pages, do not change the result. */
static void any_alignment(struct kunit *test)
{
	enum { SIZE = 8192 + 48 };
	struct bytes in = bytes_pattern(test, SIZE + 64), out = bytes_new(test, SIZE + 64);
	struct bytes iv = bytes_new(test, BLOCK), expected = bytes_new(test, SIZE);
	struct luna_aes_key *key = aes_key(test, bytes_pattern(test, 32));
	struct bytes text = bytes_pattern(test, SIZE);
	size_t from, to;

	run_once(test, key, LUNA_CBC, true, iv, text.data, SIZE, expected.data);
	for (from = 0; from < 64; from += 7) {
		for (to = 0; to < 64; to += 5) {
			memcpy(in.data + from, text.data, SIZE);
			run_once(test, key, LUNA_CBC, true, iv, in.data + from, SIZE,
				 out.data + to);
			KUNIT_EXPECT_EQ(test, memcmp(out.data + to, expected.data, SIZE), 0);
		}
	}
	luna_test_crypto()->aes_key_free(key);
}

/* More than any internal buffer, and more than kmalloc() has: memory whose pages lie anywhere */
static void large_buffers(struct kunit *test)
{
	enum { SIZE = 4 * 1024 * 1024 + 5 };
	struct luna_aes_key *key = aes_key(test, bytes_pattern(test, 32));
	struct bytes iv = bytes_pattern(test, BLOCK);
	u8 *data = kvmalloc(SIZE, GFP_KERNEL);
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < SIZE; i++)
		data[i] = i * 7 + (i >> 12);
	run_once(test, key, LUNA_CTR, true, iv, data, SIZE, data);
	run_pieces(test, key, LUNA_CTR, false, iv, data, SIZE);
	for (i = 0; i < SIZE && data[i] == (u8)(i * 7 + (i >> 12)); i++)
		;
	KUNIT_EXPECT_EQ(test, i, (size_t)SIZE);
	kvfree(data);
	luna_test_crypto()->aes_key_free(key);
}

/* ---- GCM ---- */

static void gcm_open(struct kunit *test, struct luna_aes_key *key, size_t i, bool good)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes aad = bytes_hex(test, gcm_answers[i].aad);
	struct bytes sealed = bytes_hex(test, gcm_answers[i].sealed);
	size_t len = sealed.len - BLOCK;
	struct luna_cipher_stream *s = begin(test, key, LUNA_GCM, false,
					     bytes_hex(test, gcm_answers[i].iv));

	sealed.data[len] ^= !good;
	KUNIT_EXPECT_EQ(test, ops->cipher_aad(s, aad.data, aad.len), 0);
	KUNIT_EXPECT_EQ(test, ops->cipher_update(s, sealed.data, len, sealed.data), 0);
	KUNIT_EXPECT_EQ(test, ops->cipher_tag(s, sealed.data + len, BLOCK), good ? 0 : -EBADMSG);
	KUNIT_EXPECT_TRUE(test, bytes_are((struct bytes){ sealed.data, len },
					  gcm_answers[i].plain));
	ops->cipher_end(s);
}

static void gcm_seal(struct kunit *test, struct luna_aes_key *key, size_t i)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes aad = bytes_hex(test, gcm_answers[i].aad);
	struct bytes plain = bytes_hex(test, gcm_answers[i].plain);
	struct bytes sealed = bytes_new(test, plain.len + BLOCK);
	struct luna_cipher_stream *s = begin(test, key, LUNA_GCM, true,
					     bytes_hex(test, gcm_answers[i].iv));

	KUNIT_EXPECT_EQ(test, ops->cipher_aad(s, aad.data, aad.len), 0);
	KUNIT_EXPECT_EQ(test, ops->cipher_update(s, plain.data, plain.len, sealed.data), 0);
	KUNIT_EXPECT_EQ(test, ops->cipher_tag(s, sealed.data + plain.len, BLOCK), 0);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(sealed, gcm_answers[i].sealed), "answer %zu", i);
	ops->cipher_end(s);
}

/* Without it, the provider says so, and the engine builds it of CTR. */
static void gcm_known_answers(struct kunit *test)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct luna_aes_key *key;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(gcm_answers); i++) {
		key = aes_key(test, bytes_hex(test, gcm_answers[i].key));
		if (ops->modes & BIT(LUNA_GCM)) {
			gcm_seal(test, key, i);
			gcm_open(test, key, i, true);
			gcm_open(test, key, i, false);
		} else {
			struct bytes iv = bytes_hex(test, gcm_answers[i].iv);
			void *s = ops->cipher_begin(key, LUNA_GCM, true, iv.data, iv.len);

			KUNIT_EXPECT_EQ(test, PTR_ERR(s), -EOPNOTSUPP);
		}
		ops->aes_key_free(key);
	}
}

/* ---- triple DES ---- */

static struct luna_des3_key *des3_key(struct kunit *test, struct bytes bytes)
{
	struct luna_des3_key *key = luna_test_crypto()->des3_key(bytes.data);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	return key;
}

static bool has_des3(const struct luna_crypto_ops *ops)
{
	return ops->has_des3 && ops->has_des3();
}

static void des3_answer(struct kunit *test, size_t i)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes plain = bytes_hex(test, des3_answers[i].plain);
	struct bytes iv = bytes_hex(test, des3_answers[i].iv);
	struct bytes out = bytes_new(test, plain.len);
	struct luna_des3_key *key = des3_key(test, bytes_hex(test, des3_answers[i].key));
	const u8 *first = iv.len ? iv.data : NULL;

	KUNIT_EXPECT_EQ(test, ops->des3_crypt(key, true, first, plain.data, plain.len, out.data),
			0);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, des3_answers[i].cipher), "encryption %zu", i);
	KUNIT_EXPECT_EQ(test, ops->des3_crypt(key, false, first, out.data, out.len, out.data), 0);
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, des3_answers[i].plain), "decryption %zu", i);
	/* The IV is the caller's. */
	if (iv.len)
		KUNIT_EXPECT_TRUE(test, bytes_are(iv, des3_answers[i].iv));
	ops->des3_key_free(key);
}

static void des3_known_answers(struct kunit *test)
{
	size_t i;

	if (!has_des3(luna_test_crypto()))
		kunit_skip(test, "no triple DES");
	for (i = 0; i < ARRAY_SIZE(des3_answers); i++)
		des3_answer(test, i);
}

/* Blocks by themselves and all at once, more than a chunk of them, in place and not. */
static void des3_large(struct kunit *test)
{
	enum { SIZE = 200 * 1024, DES = LUNA_DES_BLOCK };
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes iv = bytes_pattern(test, DES);
	struct luna_des3_key *key;
	u8 *plain, *once, *chain;
	size_t at;
	int err = 0;

	if (!has_des3(ops))
		kunit_skip(test, "no triple DES");
	key = des3_key(test, bytes_pattern(test, LUNA_DES3_KEY));
	plain = kvmalloc(3 * SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, plain);
	once = plain + SIZE;
	chain = once + SIZE;
	for (at = 0; at < SIZE; at++)
		plain[at] = at * 7 + (at >> 12);
	KUNIT_EXPECT_EQ(test, ops->des3_crypt(key, true, iv.data, plain, SIZE, once), 0);
	for (at = 0; at < SIZE && !err; at += 1000 * DES) {
		size_t n = min_t(size_t, SIZE - at, 1000 * DES);

		err = ops->des3_crypt(key, true, at ? chain + at - DES : iv.data, plain + at, n,
				      chain + at);
	}
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, memcmp(once, chain, SIZE), 0);
	KUNIT_EXPECT_EQ(test, ops->des3_crypt(key, false, iv.data, once, SIZE, once), 0);
	KUNIT_EXPECT_EQ(test, memcmp(once, plain, SIZE), 0);
	kvfree(plain);
	ops->des3_key_free(key);
}

static void des3_refusals(struct kunit *test)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes data = bytes_new(test, 24);
	struct luna_des3_key *key;
	size_t len;

	if (!has_des3(ops))
		kunit_skip(test, "no triple DES");
	/* Weak in every way, and taken: see lib/token/des3.c */
	key = des3_key(test, data);
	for (len = 0; len <= data.len; len++)
		KUNIT_EXPECT_EQ(test,
				ops->des3_crypt(key, true, NULL, data.data, len, data.data),
				len % LUNA_DES_BLOCK ? -EINVAL : 0);
	ops->des3_key_free(key);
	ops->des3_key_free(NULL);
}

/* ---- what is refused ---- */

static void key_sizes(struct kunit *test)
{
	struct bytes bytes = bytes_new(test, 33);
	size_t len;

	for (len = 0; len <= bytes.len; len++) {
		struct luna_aes_key *key = luna_test_crypto()->aes_key(bytes.data, len);
		bool fits = len == 16 || len == 24 || len == 32;

		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(key), fits ? 0 : -EINVAL);
		if (!IS_ERR(key))
			luna_test_crypto()->aes_key_free(key);
	}
	luna_test_crypto()->aes_key_free(NULL);
	luna_test_crypto()->cipher_end(NULL);
}

static void iv_sizes_of(struct kunit *test, struct luna_aes_key *key, enum luna_mode mode,
			size_t fits)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes iv = bytes_new(test, 17);
	size_t len;

	for (len = 0; len <= iv.len; len++) {
		struct luna_cipher_stream *s = ops->cipher_begin(key, mode, true, iv.data, len);

		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(s), len == fits ? 0 : -EINVAL);
		if (!IS_ERR(s))
			ops->cipher_end(s);
	}
}

static void iv_sizes(struct kunit *test)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct luna_aes_key *key = aes_key(test, bytes_pattern(test, 16));

	iv_sizes_of(test, key, LUNA_ECB, 0);
	iv_sizes_of(test, key, LUNA_CBC, BLOCK);
	iv_sizes_of(test, key, LUNA_CTR, BLOCK);
	KUNIT_EXPECT_EQ(test, PTR_ERR(ops->cipher_begin(key, LUNA_MODES, true, NULL, 0)),
			-EOPNOTSUPP);
	ops->aes_key_free(key);
}

static void partial_blocks(struct kunit *test)
{
	struct luna_aes_key *key = aes_key(test, bytes_pattern(test, 16));
	struct bytes data = bytes_new(test, 47), no_iv = bytes_new(test, 0);
	struct luna_cipher_stream *s = begin(test, key, LUNA_ECB, true, no_iv);
	size_t len;

	for (len = 0; len <= data.len; len++)
		KUNIT_EXPECT_EQ(test, luna_test_crypto()->cipher_update(s, data.data, len,
									data.data),
				len % BLOCK ? -EINVAL : 0);
	luna_test_crypto()->cipher_end(s);
	luna_test_crypto()->aes_key_free(key);
}

static struct kunit_case cipher_cases[] = {
	KUNIT_CASE(aes_known_answers),
	KUNIT_CASE(ctr_wraps),
	KUNIT_CASE(ecb_every_length),
	KUNIT_CASE(cbc_every_length),
	KUNIT_CASE(ctr_every_length),
	KUNIT_CASE(any_alignment),
	KUNIT_CASE(large_buffers),
	KUNIT_CASE(gcm_known_answers),
	KUNIT_CASE(des3_known_answers),
	KUNIT_CASE(des3_large),
	KUNIT_CASE(des3_refusals),
	KUNIT_CASE(key_sizes),
	KUNIT_CASE(iv_sizes),
	KUNIT_CASE(partial_blocks),
	{}
};

static struct kunit_suite cipher_suite = {
	.name = "luna-cipher",
	.test_cases = cipher_cases,
};

kunit_test_suites(&cipher_suite);
