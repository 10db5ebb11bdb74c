// SPDX-License-Identifier: MIT
/*
 * A provider of luna-fuse against published answers (FIPS 180, RFC 2202, 4231, 6070 and 7914, SP
 * 800-38A/B, the GCM specification), and what the ops promise beside the numbers: pieces, in-place
 * operation, reuse of prepared keys, threads, and errors. The OpenSSL provider; or, with
 * TEST_KCAPI, the libkcapi provider: over AF_ALG where there is one; or, with TEST_KCAPI_ALL too,
 * over a fake libkcapi that has everything.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>

#include "crypto_kcapi.h"
#include "crypto_openssl.h"
#include "cipher_answers.h"
#include "hex.h"

static const struct luna_crypto_ops *ops = &luna_openssl_ops;

static void assert_err(const void *p, int err)
{
	assert_true(IS_ERR(p));
	assert_int_equal(PTR_ERR(p), err);
}

/* Hashes */
static const struct {
	enum luna_hash hash;
	size_t len;
	const char *abc, *two_blocks;
} hash_answers[] = {
	{ LUNA_SHA1, 20, "a9993e364706816aba3e25717850c26c9cd0d89d",
	  "84983e441c3bd26ebaae4aa1f95129e5e54670f1" },
	{ LUNA_SHA224, 28, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
	  "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525" },
	{ LUNA_SHA256, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ LUNA_SHA384, 48,
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	  "8086072ba1e7cc2358baeca134c825a7",
	  "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6"
	  "b0455a8520bc4e6f5fe95b1fe3c8452b" },
	{ LUNA_SHA512, 64,
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
	  "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c335"
	  "96fd15c13b1b07f9aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445" },
	{ LUNA_SHA3_224, 28,
	  "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf",
	  "8a24108b154ada21c9fd5574494479ba5c7e7ab76ef264ead0fcce33" },
	{ LUNA_SHA3_256, 32,
	  "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
	  "41c0dba2a9d6240849100376a8235e2c82e1b9998a999e21db32dd97496d3376" },
	{ LUNA_SHA3_384, 48,
	  "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b2"
	  "98d88cea927ac7f539f1edf228376d25",
	  "991c665755eb3a4b6bbdfb75c78a492e8c56a22c5c4d7e429bfdbc32b9d4ad5a"
	  "a04a1f076e62fea19eef51acd0657c22" },
	{ LUNA_SHA3_512, 64,
	  "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e"
	  "10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
	  "04a371e84ecfb5b8b77cb48610fca8182dd457ce6f326a0fd3d7ec2f1e91636d"
	  "ee691fbe0c985302ba1b0d8dc78c086346b533b49c030d99a27daf1139d6e75e" },
};

static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

static void hash_in_pieces(enum luna_hash hash, const char *text, size_t piece, u8 *digest)
{
	struct luna_hash_stream *s = ops->hash_begin(hash);
	size_t len = strlen(text);

	assert_false(IS_ERR(s));
	for (size_t at = 0; at < len; at += piece)
		assert_int_equal(ops->hash_update(s, text + at, min(piece, len - at)), 0);
	assert_int_equal(ops->hash_final(s, digest), 0);
	ops->hash_end(s);
}

static void test_hash(void **state)
{
	u8 digest[LUNA_HASH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(hash_answers); i++) {
		assert_true(ops->hashes & BIT(hash_answers[i].hash));
		hash_in_pieces(hash_answers[i].hash, "abc", 3, digest);
		assert_hex(digest, hash_answers[i].abc);
		for (size_t piece = 1; piece < sizeof(two_blocks); piece++) {
			hash_in_pieces(hash_answers[i].hash, two_blocks, piece, digest);
			assert_hex(digest, hash_answers[i].two_blocks);
		}
	}
	assert_err(ops->hash_begin(LUNA_HASHES), -EOPNOTSUPP);
	(void)state;
}

static void test_hash_given_up(void **state)
{
	u8 digest[LUNA_HASH_MAX];

	for (int i = 0; i < 20; i++) {
		struct luna_hash_stream *s = ops->hash_begin(LUNA_SHA256);

		assert_int_equal(ops->hash_update(s, "x", 1), 0);
		ops->hash_end(s);
	}
	hash_in_pieces(LUNA_SHA256, "abc", 3, digest);
	assert_hex(digest, hash_answers[2].abc);
	ops->hash_end(NULL);
	(void)state;
}

/* MACs */
static const struct {
	enum luna_mac_kind kind;
	const char *key, *text, *mac;
} mac_answers[] = {
	{ LUNA_HMAC + LUNA_SHA1, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ LUNA_HMAC + LUNA_SHA224, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ LUNA_HMAC + LUNA_SHA256, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ LUNA_HMAC + LUNA_SHA384, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	  "8e2240ca5e69e2c78b3239ecfab21649" },
	{ LUNA_HMAC + LUNA_SHA512, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ LUNA_HMAC + LUNA_SHA3_224, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "7fdb8dd88bd2f60d1b798634ad386811c2cfc85bfaf5d52bbace5e66" },
	{ LUNA_HMAC + LUNA_SHA3_256, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "c7d4072e788877ae3596bbb0da73b887c9171f93095b294ae857fbe2645e1ba5" },
	{ LUNA_HMAC + LUNA_SHA3_384, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "f1101f8cbf9766fd6764d2ed61903f21ca9b18f57cf3e1a23ca13508a93243ce"
	  "48c045dc007f26a21b3f5e0e9df4c20a" },
	{ LUNA_HMAC + LUNA_SHA3_512, "4a656665",
	  "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	  "5a4bfeab6166427c7a3647b747292b8384537cdb89afb3bf5665e4c5e709350b"
	  "287baec921fd7ca0ee7a0c31d022a95e1fc92ba9d77df883960275beb4e62024" },
	{ LUNA_CMAC_AES, "2b7e151628aed2a6abf7158809cf4f3c", "",
	  "bb1d6929e95937287fa37d129b756746" },
	{ LUNA_CMAC_AES, "2b7e151628aed2a6abf7158809cf4f3c",
	  "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411",
	  "dfa66747de9ae63030ca32611497c827" },
	{ LUNA_CMAC_AES, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
	  "6bc1bee22e409f96e93d7e117393172a", "9e99a7bf31e710900662f65e617c5184" },
	{ LUNA_CMAC_AES, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
	  "6bc1bee22e409f96e93d7e117393172a", "28a7023f452e8f82bd4bf28d8c37c35c" },
};

static void mac_once(struct luna_mac_key *key, const struct bytes *text, size_t piece,
		     const char *expected)
{
	struct luna_mac_stream *s = ops->mac_begin(key);
	u8 mac[LUNA_HASH_MAX];

	assert_false(IS_ERR(s));
	for (size_t at = 0; at < text->len; at += piece)
		assert_int_equal(ops->mac_update(s, text->data + at,
						 min(piece, text->len - at)), 0);
	assert_int_equal(ops->mac_final(s, mac), 0);
	assert_hex(mac, expected);
	ops->mac_end(s);
}

static void test_mac(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(mac_answers); i++) {
		struct bytes key = hex(mac_answers[i].key), text = hex(mac_answers[i].text);
		struct luna_mac_key *k = ops->mac_key(mac_answers[i].kind, key.data, key.len);

		assert_true(ops->macs & BIT(mac_answers[i].kind));
		assert_false(IS_ERR(k));
		for (size_t piece = 1; piece < 70; piece++)
			mac_once(k, &text, piece, mac_answers[i].mac);
		ops->mac_key_free(k);
	}
	(void)state;
}

/* Two streams of one key at once, one of them given up: neither disturbs the other or the key. */
static void test_mac_streams(void **state)
{
	struct bytes key = hex(mac_answers[2].key), text = hex(mac_answers[2].text);
	struct luna_mac_key *k = ops->mac_key(LUNA_HMAC + LUNA_SHA256, key.data, key.len);
	struct luna_mac_stream *given_up = ops->mac_begin(k);

	assert_int_equal(ops->mac_update(given_up, "x", 1), 0);
	mac_once(k, &text, 5, mac_answers[2].mac);
	ops->mac_end(given_up);
	mac_once(k, &text, 5, mac_answers[2].mac);
	ops->mac_key_free(k);
	ops->mac_key_free(NULL);
	ops->mac_end(NULL);
	(void)state;
}

/* RFC 4231, test case 6: a key longer than the block; and an empty key, by OpenSSL's own tool */
static void test_mac_key_sizes(void **state)
{
	static const char text[] = "Test Using Larger Than Block-Size Key - Hash Key First";
	struct bytes data = { .len = sizeof(text) - 1 }, none = { .len = 0 };
	struct luna_mac_key *k;
	u8 key[131];

	memcpy(data.data, text, data.len);
	memset(key, 0xaa, sizeof(key));
	k = ops->mac_key(LUNA_HMAC + LUNA_SHA256, key, sizeof(key));
	mac_once(k, &data, 64, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	ops->mac_key_free(k);
	k = ops->mac_key(LUNA_HMAC + LUNA_SHA256, NULL, 0);
	mac_once(k, &none, 1, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
	ops->mac_key_free(k);
	assert_err(ops->mac_key(LUNA_CMAC_AES, key, 17), -EINVAL);
	assert_err(ops->mac_key(LUNA_MACS, key, 16), -EOPNOTSUPP);
	(void)state;
}

/* AES */
/* In pieces of @piece bytes, in place or not */
static void cipher_run(struct luna_aes_key *key, enum luna_mode mode, bool encrypt,
		       const struct bytes *iv, const struct bytes *in, size_t piece, bool in_place,
		       u8 *out)
{
	struct luna_cipher_stream *s = ops->cipher_begin(key, mode, encrypt, iv->data, iv->len);
	const u8 *from = in_place ? out : in->data;

	assert_false(IS_ERR(s));
	if (in_place)
		memcpy(out, in->data, in->len);
	for (size_t at = 0; at < in->len; at += piece)
		assert_int_equal(ops->cipher_update(s, from + at, min(piece, in->len - at),
						    out + at), 0);
	ops->cipher_end(s);
}

static void aes_answer(size_t i, size_t piece, bool in_place)
{
	struct bytes key = hex(aes_answers[i].key), iv = hex(aes_answers[i].iv);
	struct bytes plain = hex(aes_answers[i].plain), cipher = hex(aes_answers[i].cipher);
	struct luna_aes_key *k = ops->aes_key(key.data, key.len);
	u8 out[BYTES_MAX];

	assert_false(IS_ERR(k));
	for (int again = 0; again < 2; again++) {
		cipher_run(k, aes_answers[i].mode, true, &iv, &plain, piece, in_place, out);
		assert_memory_equal(out, cipher.data, cipher.len);
		cipher_run(k, aes_answers[i].mode, false, &iv, &cipher, piece, in_place, out);
		assert_memory_equal(out, plain.data, plain.len);
	}
	ops->aes_key_free(k);
}

static void test_aes(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(aes_answers); i++)
		for (size_t piece = 1; piece <= 64; piece++)
			if (aes_answers[i].mode == LUNA_CTR || piece % LUNA_AES_BLOCK == 0) {
				aes_answer(i, piece, false);
				aes_answer(i, piece, true);
			}
	(void)state;
}

/* The whole block counts: after ff..ff comes 00..00. */
static void test_ctr_wraps(void **state)
{
	struct bytes key = hex(AES_KEY256), iv = hex("ffffffffffffffffffffffffffffffff");
	struct bytes zeros = { .len = 32 }, counters = hex("ffffffffffffffffffffffffffffffff"
							   "00000000000000000000000000000000");
	struct bytes no_iv = { .len = 0 };
	struct luna_aes_key *k = ops->aes_key(key.data, key.len);
	u8 by_ctr[32], by_ecb[32];

	cipher_run(k, LUNA_CTR, true, &iv, &zeros, 32, false, by_ctr);
	cipher_run(k, LUNA_ECB, true, &no_iv, &counters, 32, false, by_ecb);
	assert_memory_equal(by_ctr, by_ecb, 32);
	ops->aes_key_free(k);
	(void)state;
}

/* Triple DES */
static void des3_run(struct luna_des3_key *k, bool encrypt, const struct bytes *iv,
		     const struct bytes *in, bool in_place, const struct bytes *expected)
{
	u8 out[BYTES_MAX];

	if (in_place)
		memcpy(out, in->data, in->len);
	assert_int_equal(ops->des3_crypt(k, encrypt, iv->len ? iv->data : NULL,
					 in_place ? out : in->data, in->len, out), 0);
	assert_memory_equal(out, expected->data, expected->len);
}

static void test_des3(void **state)
{
	assert_true(ops->has_des3());
	for (size_t i = 0; i < ARRAY_SIZE(des3_answers); i++) {
		struct bytes key = hex(des3_answers[i].key), iv = hex(des3_answers[i].iv);
		struct bytes plain = hex(des3_answers[i].plain), cipher = hex(des3_answers[i].cipher);
		struct luna_des3_key *k = ops->des3_key(key.data);

		assert_false(IS_ERR(k));
		for (int in_place = 0; in_place < 2; in_place++) {
			des3_run(k, true, &iv, &plain, in_place, &cipher);
			des3_run(k, false, &iv, &cipher, in_place, &plain);
		}
		assert_int_equal(ops->des3_crypt(k, true, NULL, plain.data, 0, cipher.data), 0);
		assert_int_equal(ops->des3_crypt(k, true, NULL, plain.data, 7, cipher.data), -EINVAL);
		ops->des3_key_free(k);
	}
	ops->des3_key_free(NULL);
	(void)state;
}

/* GCM */
static struct luna_cipher_stream *gcm_begin(struct luna_aes_key *k, bool encrypt,
					    const struct bytes *iv, const struct bytes *aad)
{
	struct luna_cipher_stream *s = ops->cipher_begin(k, LUNA_GCM, encrypt, iv->data, iv->len);
	size_t first = aad->len / 3;

	assert_false(IS_ERR(s));
	assert_int_equal(ops->cipher_aad(s, aad->data, first), 0);
	assert_int_equal(ops->cipher_aad(s, aad->data + first, aad->len - first), 0);
	return s;
}

static void gcm_answer(size_t i, size_t piece, size_t tag_len)
{
	struct bytes key = hex(gcm_answers[i].key), iv = hex(gcm_answers[i].iv);
	struct bytes aad = hex(gcm_answers[i].aad), plain = hex(gcm_answers[i].plain);
	struct bytes sealed = hex(gcm_answers[i].sealed);
	struct luna_aes_key *k = ops->aes_key(key.data, key.len);
	struct luna_cipher_stream *s = gcm_begin(k, true, &iv, &aad);
	u8 text[BYTES_MAX], made[16];

	memcpy(text, plain.data, plain.len);
	for (size_t at = 0; at < plain.len; at += piece)
		assert_int_equal(ops->cipher_update(s, text + at, min(piece, plain.len - at),
						    text + at), 0);
	assert_memory_equal(text, sealed.data, plain.len);
	assert_int_equal(ops->cipher_tag(s, made, tag_len), 0);
	assert_memory_equal(made, sealed.data + plain.len, tag_len);
	ops->cipher_end(s);

	for (int good = 1; good >= 0; good--) {
		s = gcm_begin(k, false, &iv, &aad);
		assert_int_equal(ops->cipher_update(s, sealed.data, plain.len, text), 0);
		assert_memory_equal(text, plain.data, plain.len);
		made[0] ^= !good;
		assert_int_equal(ops->cipher_tag(s, made, tag_len), good ? 0 : -EBADMSG);
		ops->cipher_end(s);
	}
	ops->aes_key_free(k);
}

static void test_gcm(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(gcm_answers); i++) {
		for (size_t piece = 1; piece < 66; piece += 3)
			gcm_answer(i, piece, 16);
		for (size_t tag_len = 4; tag_len <= 16; tag_len++)
			gcm_answer(i, 64, tag_len);
	}
	(void)state;
}

/* One key, IVs of changing length: the kept context must follow. */
static void test_gcm_iv_lengths(void **state)
{
	static const size_t order[] = { 2, 3, 4, 2, 4, 3, 2, 2, 3 };
	struct bytes key = hex(GCM_KEY), aad = hex(GCM_AAD), plain = hex(GCM_PLAIN);
	struct luna_aes_key *k = ops->aes_key(key.data, key.len);
	u8 text[BYTES_MAX], tag[16];

	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		struct bytes iv = hex(gcm_answers[order[i]].iv);
		struct luna_cipher_stream *s = gcm_begin(k, true, &iv, &aad);

		assert_int_equal(ops->cipher_update(s, plain.data, plain.len, text), 0);
		assert_int_equal(ops->cipher_tag(s, tag, 16), 0);
		assert_hex(tag, gcm_answers[order[i]].sealed + 2 * plain.len);
		ops->cipher_end(s);
	}
	ops->aes_key_free(k);
	(void)state;
}

static void test_aes_errors(void **state)
{
	static u8 data[256];
	struct luna_aes_key *k = ops->aes_key(data, 16);
	struct luna_cipher_stream *s;

	assert_err(ops->aes_key(data, 0), -EINVAL);
	assert_err(ops->aes_key(data, 15), -EINVAL);
	assert_err(ops->aes_key(data, 20), -EINVAL);
	assert_err(ops->aes_key(data, 33), -EINVAL);
	assert_err(ops->cipher_begin(k, LUNA_MODES, true, data, 16), -EOPNOTSUPP);
	assert_err(ops->cipher_begin(k, LUNA_ECB, true, data, 16), -EINVAL);
	assert_err(ops->cipher_begin(k, LUNA_CBC, true, data, 12), -EINVAL);
	assert_err(ops->cipher_begin(k, LUNA_CTR, true, data, 0), -EINVAL);
	assert_err(ops->cipher_begin(k, LUNA_GCM, true, data, 0), -EINVAL);
	s = ops->cipher_begin(k, LUNA_CBC, true, data, 16);
	assert_int_equal(ops->cipher_update(s, data, 17, data), -EINVAL);
	assert_int_equal(ops->cipher_aad(s, data, 1), -EINVAL);
	assert_int_equal(ops->cipher_tag(s, data, 16), -EINVAL);
	assert_int_equal(ops->cipher_update(s, data, 0, data), 0);
	ops->cipher_end(s);
	s = ops->cipher_begin(k, LUNA_GCM, true, data, 12);
	assert_int_equal(ops->cipher_tag(s, data, 3), -EINVAL);
	assert_int_equal(ops->cipher_tag(s, data, 17), -EINVAL);
	ops->cipher_end(s);
	ops->aes_key_free(k);
	ops->aes_key_free(NULL);
	ops->cipher_end(NULL);
	(void)state;
}

/* RSA */
enum { PARTS = 8, PART_MAX = LUNA_RSA_MAX };

struct rsa_parts {
	EVP_PKEY *pkey;
	u8 part[PARTS][PART_MAX];
	struct luna_rsa_nums nums;
};

static struct luna_num take(EVP_PKEY *pkey, const char *name, u8 *to)
{
	BIGNUM *bn = NULL;
	struct luna_num num = { .data = to };

	assert_int_equal(EVP_PKEY_get_bn_param(pkey, name, &bn), 1);
	num.len = BN_bn2bin(bn, to);
	BN_clear_free(bn);
	return num;
}

static struct rsa_parts *rsa_parts(unsigned int bits, BN_ULONG exponent)
{
	struct rsa_parts *r = calloc(1, sizeof(*r));
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *e = BN_new();

	assert_non_null(r);
	BN_set_word(e, exponent);
	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits), 1);
	assert_int_equal(EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &r->pkey), 1);
	EVP_PKEY_CTX_free(ctx);
	BN_free(e);
	r->nums.n = take(r->pkey, OSSL_PKEY_PARAM_RSA_N, r->part[0]);
	r->nums.e = take(r->pkey, OSSL_PKEY_PARAM_RSA_E, r->part[1]);
	r->nums.d = take(r->pkey, OSSL_PKEY_PARAM_RSA_D, r->part[2]);
	r->nums.p = take(r->pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, r->part[3]);
	r->nums.q = take(r->pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, r->part[4]);
	r->nums.dp = take(r->pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, r->part[5]);
	r->nums.dq = take(r->pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, r->part[6]);
	r->nums.qi = take(r->pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, r->part[7]);
	return r;
}

static void rsa_parts_free(struct rsa_parts *r)
{
	EVP_PKEY_free(r->pkey);
	free(r);
}

/* What OpenSSL alone makes of it */
static void raw_by_openssl(EVP_PKEY *pkey, const u8 *in, size_t len, u8 *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);

	assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
	assert_int_equal(EVP_PKEY_sign(ctx, out, &len, in, len), 1);
	EVP_PKEY_CTX_free(ctx);
}

static void rsa_agrees(const struct luna_rsa_nums *nums, EVP_PKEY *pkey)
{
	struct luna_rsa_key *key = ops->rsa_key(nums);
	u8 in[LUNA_RSA_MAX], out[LUNA_RSA_MAX], expected[LUNA_RSA_MAX];
	size_t len = (EVP_PKEY_get_bits(pkey) + 7) / 8;

	assert_false(IS_ERR(key));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ops->random(in, len), 0);
		in[0] = 0;
		raw_by_openssl(pkey, in, len, expected);
		assert_int_equal(ops->rsa_private(key, in, out), 0);
		assert_memory_equal(out, expected, len);
		assert_int_equal(ops->rsa_public(key, out, out), 0);
		assert_memory_equal(out, in, len);
	}
	ops->rsa_key_free(key);
}

static void without_crt(struct luna_rsa_nums *nums)
{
	nums->p.len = 0;
	nums->q.len = 0;
	nums->dp.len = 0;
	nums->dq.len = 0;
	nums->qi.len = 0;
}

static void test_rsa(void **state)
{
	static const struct { unsigned int bits; BN_ULONG e; } kinds[] = {
		{ 512, 3 }, { 520, 65537 }, { 1023, 17 }, { 1024, 257 }, { 1031, 5 },
		{ 2048, 65537 }, { 3072, 3 }, { 4096, 65537 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct rsa_parts *r = rsa_parts(kinds[i].bits, kinds[i].e);
		struct luna_rsa_nums nums = r->nums;

		rsa_agrees(&nums, r->pkey);
		nums.e.len = 0;
		rsa_agrees(&nums, r->pkey);
		without_crt(&nums);
		rsa_agrees(&nums, r->pkey);
		nums.e = r->nums.e;
		rsa_agrees(&nums, r->pkey);
		rsa_parts_free(r);
	}
	(void)state;
}

static void test_rsa_leading_zeros(void **state)
{
	struct rsa_parts *r = rsa_parts(1024, 65537);
	struct luna_rsa_nums nums = r->nums;
	u8 n[130] = { 0 }, e[8] = { 0 };

	memcpy(n + 2, nums.n.data, 128);
	memcpy(e + 5, nums.e.data, 3);
	nums.n = (struct luna_num){ n, sizeof(n) };
	nums.e = (struct luna_num){ e, sizeof(e) };
	rsa_agrees(&nums, r->pkey);
	rsa_parts_free(r);
	(void)state;
}

static void test_rsa_range(void **state)
{
	struct rsa_parts *r = rsa_parts(1024, 65537);
	struct luna_rsa_key *key = ops->rsa_key(&r->nums);
	u8 in[128], out[128];

	memcpy(in, r->nums.n.data, 128);
	assert_int_equal(ops->rsa_public(key, in, out), -EINVAL);
	assert_int_equal(ops->rsa_private(key, in, out), -EINVAL);
	memset(in, 0xff, sizeof(in));
	assert_int_equal(ops->rsa_private(key, in, out), -EINVAL);
	memcpy(in, r->nums.n.data, 128);
	in[127] -= 1;	/* n - 1 is its own power */
	assert_int_equal(ops->rsa_private(key, in, out), 0);
	assert_memory_equal(in, out, 128);
	memset(in, 0, sizeof(in));
	assert_int_equal(ops->rsa_private(key, in, out), 0);
	assert_memory_equal(in, out, 128);
	in[127] = 1;
	assert_int_equal(ops->rsa_public(key, in, out), 0);
	assert_memory_equal(in, out, 128);
	ops->rsa_key_free(key);
	ops->rsa_key_free(NULL);
	rsa_parts_free(r);
	(void)state;
}

static void test_rsa_public_only(void **state)
{
	struct rsa_parts *r = rsa_parts(1024, 65537);
	struct luna_rsa_nums nums = { .n = r->nums.n, .e = r->nums.e };
	struct luna_rsa_key *key = ops->rsa_key(&nums);
	u8 in[128] = { 0, 1, 2 }, out[128], back[128];

	assert_false(IS_ERR(key));
	raw_by_openssl(r->pkey, in, 128, out);
	assert_int_equal(ops->rsa_public(key, out, back), 0);
	assert_memory_equal(back, in, 128);
	assert_int_not_equal(ops->rsa_private(key, in, out), 0);
	ops->rsa_key_free(key);
	rsa_parts_free(r);
	(void)state;
}

static void rsa_refuses(const struct luna_rsa_nums *nums)
{
	assert_err(ops->rsa_key(nums), -EINVAL);
}

static void test_rsa_refused(void **state)
{
	struct rsa_parts *r = rsa_parts(1024, 65537), *odd = rsa_parts(1024, 65539);
	struct luna_rsa_nums nums = r->nums;
	u8 changed[PART_MAX];

	nums.n.len = 63;
	rsa_refuses(&nums);
	nums.n.len = 0;
	rsa_refuses(&nums);
	nums.n = (struct luna_num){ r->part[0], LUNA_RSA_MAX + 1 };
	rsa_refuses(&nums);
	memcpy(changed, r->part[0], 128);
	changed[127] ^= 1;
	nums.n = (struct luna_num){ changed, 128 };
	rsa_refuses(&nums);
	nums = r->nums;
	nums.e.len = 0;
	nums.d.len = 0;
	rsa_refuses(&nums);
	nums = r->nums;
	nums.p = nums.q;
	rsa_refuses(&nums);
	nums = odd->nums;	/* an exponent that nobody would guess */
	nums.e.len = 0;
	rsa_refuses(&nums);
	without_crt(&nums);
	rsa_refuses(&nums);
	rsa_parts_free(odd);
	rsa_parts_free(r);
	(void)state;
}

static void test_rsa_generate(void **state)
{
	static const u8 e[] = { 0, 1, 0, 1 };
	struct luna_rsa_made *made = ops->rsa_generate(1024, e, sizeof(e));
	struct luna_rsa_nums nums = { 0 };
	struct luna_rsa_key *key;
	u8 in[128] = { 0, 9 }, out[128];

	assert_false(IS_ERR(made));
	assert_int_equal(made->bits, 1024);
	nums.n = (struct luna_num){ made->n, 128 };
	nums.e = (struct luna_num){ e, sizeof(e) };
	nums.d = (struct luna_num){ made->d, 128 };
	nums.p = (struct luna_num){ made->p, 64 };
	nums.q = (struct luna_num){ made->q, 64 };
	nums.dp = (struct luna_num){ made->dp, 64 };
	nums.dq = (struct luna_num){ made->dq, 64 };
	nums.qi = (struct luna_num){ made->qi, 64 };
	key = ops->rsa_key(&nums);
	assert_false(IS_ERR(key));
	assert_int_equal(ops->rsa_private(key, in, out), 0);
	assert_int_equal(ops->rsa_public(key, out, out), 0);
	assert_memory_equal(in, out, 128);
	ops->rsa_key_free(key);
	kfree_sensitive(made);
	assert_err(ops->rsa_generate(1024, (const u8 *)"\x04", 1), -EINVAL);
	assert_err(ops->rsa_generate(1024, (const u8 *)"\x01", 1), -EINVAL);
	assert_err(ops->rsa_generate(1024, (const u8 *)"", 0), -EINVAL);
	assert_err(ops->rsa_generate(1023, e, sizeof(e)), -EINVAL);
	assert_err(ops->rsa_generate(256, e, sizeof(e)), -EINVAL);
	assert_err(ops->rsa_generate(8208, e, sizeof(e)), -EINVAL);
	(void)state;
}

static void test_rsa_generate_killed(void **state)
{
	port_killed = true;
	assert_err(ops->rsa_generate(2048, (const u8 *)"\x01\x00\x01", 3), -EINTR);
	port_killed = false;
	(void)state;
}

/* PBKDF2, RFC 6070 and RFC 7914 */
static void test_pbkdf2(void **state)
{
	u8 out[64];

	assert_int_equal(ops->pbkdf2(LUNA_SHA1, (const u8 *)"password", 8, (const u8 *)"salt", 4, 2,
				     out, 20), 0);
	assert_hex(out, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957");
	assert_int_equal(ops->pbkdf2(LUNA_SHA256, (const u8 *)"passwd", 6, (const u8 *)"salt", 4, 1,
				     out, 64), 0);
	assert_hex(out, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
			    "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
	(void)state;
}

static void test_random(void **state)
{
	u8 first[64] = { 0 }, second[64] = { 0 };

	assert_int_equal(ops->random(first, sizeof(first)), 0);
	assert_int_equal(ops->random(second, sizeof(second)), 0);
	assert_memory_not_equal(first, second, sizeof(first));
	assert_int_equal(ops->random(first, 0), 0);
	(void)state;
}

/* Many threads on the same keys, more of them than the pools have room for */
enum { THREADS = 16, ROUNDS = 200 };

struct shared_keys {
	struct luna_rsa_key *rsa;
	struct luna_aes_key *aes;
	struct luna_mac_key *mac;
	struct luna_des3_key *des3;
	u8 signature[64];
};

static int work_once(struct shared_keys *keys, u8 *text)
{
	struct bytes iv = hex("cafebabefacedbad"), aad = hex(GCM_AAD), plain = hex(GCM_PLAIN);
	struct bytes gcm_tag = hex(gcm_answers[3].sealed + 2 * plain.len);
	struct bytes mac = hex(mac_answers[2].mac);
	struct bytes message = hex(mac_answers[2].text);
	struct bytes des3_plain = hex(des3_answers[0].plain);
	struct bytes des3_cipher = hex(des3_answers[0].cipher);
	struct luna_cipher_stream *c;
	struct luna_mac_stream *m;
	u8 made[64], in[64] = { 0, 7 };
	int err;

	c = ops->cipher_begin(keys->aes, LUNA_GCM, true, iv.data, iv.len);
	err = ops->cipher_aad(c, aad.data, aad.len) |
	      ops->cipher_update(c, plain.data, plain.len, text) |
	      ops->cipher_tag(c, made, 16) | memcmp(made, gcm_tag.data, 16);
	ops->cipher_end(c);
	m = ops->mac_begin(keys->mac);
	err |= ops->mac_update(m, message.data, message.len) | ops->mac_final(m, made) |
	       memcmp(made, mac.data, mac.len);
	ops->mac_end(m);
	err |= ops->des3_crypt(keys->des3, true, NULL, des3_plain.data, 24, made) |
	       memcmp(made, des3_cipher.data, 24);
	err |= ops->rsa_private(keys->rsa, in, made) | memcmp(made, keys->signature, 64);
	return err;
}

static void *work(void *arg)
{
	u8 text[BYTES_MAX];

	for (int i = 0; i < ROUNDS; i++)
		if (work_once(arg, text))
			return arg;
	return NULL;
}

static void test_threads(void **state)
{
	struct bytes aes = hex(GCM_KEY), mac = hex(mac_answers[2].key);
	struct bytes des3 = hex(des3_answers[0].key);
	struct rsa_parts *r = rsa_parts(512, 65537);
	struct shared_keys keys = {
		.rsa = ops->rsa_key(&r->nums),
		.aes = ops->aes_key(aes.data, aes.len),
		.mac = ops->mac_key(LUNA_HMAC + LUNA_SHA256, mac.data, mac.len),
		.des3 = ops->des3_key(des3.data),
	};
	u8 in[64] = { 0, 7 };
	pthread_t threads[THREADS];
	void *failed;

	raw_by_openssl(r->pkey, in, 64, keys.signature);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work, &keys), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	ops->rsa_key_free(keys.rsa);
	ops->aes_key_free(keys.aes);
	ops->mac_key_free(keys.mac);
	ops->des3_key_free(keys.des3);
	rsa_parts_free(r);
	(void)state;
}

#ifdef TEST_KCAPI_ALL
static void assert_kcapi(enum luna_primitive primitive, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct luna_provider row = {};

		ops->describe(primitive, i, &row);
		assert_int_equal(strncmp((char *)row.provider, "kcapi ", 6), 0);
	}
}
#endif

static void test_described(void **state)
{
#ifdef TEST_KCAPI_ALL
	/* What does not pass the probe would be OpenSSL's, and tested in its place. */
	assert_kcapi(LUNA_PRIMITIVE_MODE, LUNA_GCM);
	assert_kcapi(LUNA_PRIMITIVE_HASH, LUNA_HASHES);
	assert_kcapi(LUNA_PRIMITIVE_MAC, LUNA_MACS);
	assert_kcapi(LUNA_PRIMITIVE_DES3, 1);
	assert_kcapi(LUNA_PRIMITIVE_RANDOM, 1);
#endif
#ifdef TEST_KCAPI
	assert_int_equal(strncmp(ops->name, "kcapi ", 6), 0);
#else
	assert_int_equal(strncmp(ops->name, "openssl 3", 9), 0);
#endif
	assert_int_equal(luna_openssl_start(), 0);
	assert_int_equal(ops->rsa_max_bits, LUNA_RSA_MAX_BITS);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_described),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_hash_given_up),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_mac_streams),
		cmocka_unit_test(test_mac_key_sizes),
		cmocka_unit_test(test_aes),
		cmocka_unit_test(test_ctr_wraps),
		cmocka_unit_test(test_des3),
		cmocka_unit_test(test_gcm),
		cmocka_unit_test(test_gcm_iv_lengths),
		cmocka_unit_test(test_aes_errors),
		cmocka_unit_test(test_rsa),
		cmocka_unit_test(test_rsa_leading_zeros),
		cmocka_unit_test(test_rsa_range),
		cmocka_unit_test(test_rsa_public_only),
		cmocka_unit_test(test_rsa_refused),
		cmocka_unit_test(test_rsa_generate),
		cmocka_unit_test(test_rsa_generate_killed),
		cmocka_unit_test(test_pbkdf2),
		cmocka_unit_test(test_threads),
	};

#ifdef TEST_KCAPI
	ops = luna_kcapi_start();
	if (IS_ERR(ops) && PTR_ERR(ops) == -EAFNOSUPPORT) {
		puts("ok 1 # SKIP this kernel has no AF_ALG\n1..1");
		return 0;
	}
	if (IS_ERR(ops))
		return 1;
#endif
	return cmocka_run_group_tests_name("provider", tests, NULL, NULL);
}
