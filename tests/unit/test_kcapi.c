// SPDX-License-Identifier: MIT
/*
 * How the libkcapi provider is put together, over a libkcapi that lacks this and that: what is the
 * kernel's and what OpenSSL's, how many handles there are at most, and what happens beyond. That
 * it computes rightly is tested by test_provider.c, over the same fake and over the real AF_ALG.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/resource.h>

#include "crypto_kcapi.h"
#include "crypto_openssl.h"
#include "fakekcapi.h"

enum { ALL_HASHES = BIT(LUNA_HASHES) - 1, KEYS = 600, TEXT = 100000 };

static const struct luna_crypto_ops *start(struct fakekcapi fake)
{
	const struct luna_crypto_ops *ops;

	fake.open = fakekcapi.open;	/* idle ones of the test before */
	fakekcapi = fake;
	ops = luna_kcapi_start();
	/* A process that forks now has no handle in two places. */
	assert_int_equal(fakekcapi.open, 0);
	return ops;
}

static struct luna_provider who(const struct luna_crypto_ops *ops, enum luna_primitive primitive,
				u32 index)
{
	struct luna_provider row = {};

	ops->describe(primitive, index, &row);
	return row;
}

static void assert_who(const struct luna_crypto_ops *ops, enum luna_primitive primitive, u32 index,
		       const char *provider, const char *implementation)
{
	struct luna_provider row = who(ops, primitive, index);

	assert_string_equal((char *)row.provider, provider);
	assert_string_equal((char *)row.implementation, implementation);
}

static void test_all(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){});

	assert_false(IS_ERR(ops));
	assert_int_equal(strncmp(ops->name, "kcapi 9.8.7, openssl 3", 22), 0);
	assert_int_equal(ops->modes, BIT(LUNA_ECB) | BIT(LUNA_CBC) | BIT(LUNA_CTR));
	assert_int_equal(ops->features & LUNA_CRYPTO_GCM_ANY_IV, 0);
	assert_int_equal(ops->hashes, ALL_HASHES);
	assert_who(ops, LUNA_PRIMITIVE_MODE, LUNA_CBC, "kcapi 9.8.7", "cbc(aes)");
	assert_who(ops, LUNA_PRIMITIVE_HASH, LUNA_SHA384, "kcapi 9.8.7", "sha384");
	assert_who(ops, LUNA_PRIMITIVE_HASH, LUNA_SHA3_256, "kcapi 9.8.7", "sha3-256");
	assert_who(ops, LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA3_512, "kcapi 9.8.7",
		   "hmac(sha3-512)");
	assert_who(ops, LUNA_PRIMITIVE_MAC, LUNA_CMAC_AES, "kcapi 9.8.7", "cmac(aes)");
	assert_who(ops, LUNA_PRIMITIVE_DES3, 0, "kcapi 9.8.7", "cbc(des3_ede)");
	assert_who(ops, LUNA_PRIMITIVE_RANDOM, 0, "kcapi 9.8.7", "drbg_nopr_hmac_sha512");
	assert_who(ops, LUNA_PRIMITIVE_RSA, 0, luna_openssl_ops.name, "");
	assert_who(ops, LUNA_PRIMITIVE_PBKDF2, 0, luna_openssl_ops.name, "");
	(void)state;
}

static void test_absent(void **state)
{
	static const int errors[][2] = {
		{ -EOPNOTSUPP, -EAFNOSUPPORT },	/* what libkcapi makes of it */
		{ -EAFNOSUPPORT, -EAFNOSUPPORT },
		{ -ENOENT, -ENOENT },
		{ -EPERM, -ENOENT },
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		const struct luna_crypto_ops *ops =
			start((struct fakekcapi){ .absent = errors[i][0] });

		assert_true(IS_ERR(ops));
		assert_int_equal(PTR_ERR(ops), errors[i][1]);
	}
	(void)state;
}

/* A digest, whoever computes it */
static void assert_digests(const struct luna_crypto_ops *ops)
{
	static const u8 abc[4] = { 0xba, 0x78, 0x16, 0xbf };
	struct luna_hash_stream *s = ops->hash_begin(LUNA_SHA256);
	u8 digest[LUNA_HASH_MAX];

	assert_false(IS_ERR(s));
	assert_int_equal(ops->hash_update(s, "abc", 3), 0);
	assert_int_equal(ops->hash_final(s, digest), 0);
	assert_memory_equal(digest, abc, sizeof(abc));
	ops->hash_end(s);
}

static void cbc(const struct luna_crypto_ops *ops, struct luna_aes_key *key, u8 *data, size_t len)
{
	u8 iv[LUNA_AES_BLOCK] = { 1 };
	struct luna_cipher_stream *s = ops->cipher_begin(key, LUNA_CBC, true, iv, sizeof(iv));

	assert_false(IS_ERR(s));
	assert_int_equal(ops->cipher_update(s, data, len, data), 0);
	ops->cipher_end(s);
}

/* The same as OpenSSL's, whoever computes it */
static void assert_encrypts(const struct luna_crypto_ops *ops)
{
	struct luna_aes_key *key = ops->aes_key((const u8 *)"0123456789abcdef", 16);
	struct luna_aes_key *other = luna_openssl_ops.aes_key((const u8 *)"0123456789abcdef", 16);
	u8 data[64] = { 0 }, expected[64] = { 0 };

	cbc(ops, key, data, sizeof(data));
	cbc(&luna_openssl_ops, other, expected, sizeof(expected));
	assert_memory_equal(data, expected, sizeof(data));
	ops->aes_key_free(key);
	luna_openssl_ops.aes_key_free(other);
}

/* What does not open is OpenSSL's, and so is what answers wrong. */
static void test_in_part(void **state)
{
	static const struct fakekcapi fakes[] = {
		{ .missing = "cbc(aes)", .wrong = "sha256" },
		{ .missing = "sha256", .wrong = "cbc(aes)" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++) {
		const struct luna_crypto_ops *ops = start(fakes[i]);

		assert_false(IS_ERR(ops));
		assert_who(ops, LUNA_PRIMITIVE_MODE, LUNA_CBC, luna_openssl_ops.name, "");
		assert_who(ops, LUNA_PRIMITIVE_HASH, LUNA_SHA256, luna_openssl_ops.name, "");
		assert_who(ops, LUNA_PRIMITIVE_MODE, LUNA_ECB, "kcapi 9.8.7", "ecb(aes)");
		assert_who(ops, LUNA_PRIMITIVE_MAC, LUNA_HMAC + LUNA_SHA256, "kcapi 9.8.7",
			   "hmac(sha256)");
		assert_digests(ops);
		assert_encrypts(ops);
		assert_int_equal(fakekcapi.open, 0);
	}
	(void)state;
}

/* Without the kernel's CTR, GCM is OpenSSL's. */
static void test_no_ctr(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){ .missing = "ctr(aes)" });

	assert_false(IS_ERR(ops));
	assert_true(ops->modes & BIT(LUNA_GCM));
	assert_true(ops->features & LUNA_CRYPTO_GCM_ANY_IV);
	assert_who(ops, LUNA_PRIMITIVE_MODE, LUNA_GCM, luna_openssl_ops.name, "");
	(void)state;
}

static const u8 des3_keys[][LUNA_DES3_KEY + 1] = {
	"three parts, all unlike ", "two of them and two of t", "same as same as same as ",
};

/* The same as OpenSSL's in both modes and both ways; return: keys that were set in the kernel */
static int des3_encrypts(const struct luna_crypto_ops *ops, const u8 *key_bytes, size_t len)
{
	struct luna_des3_key *key = ops->des3_key(key_bytes);
	struct luna_des3_key *other = luna_openssl_ops.des3_key(key_bytes);
	u8 *data = kzalloc(len, GFP_KERNEL), *expected = kzalloc(len, GFP_KERNEL);
	u8 *zeros = kzalloc(len, GFP_KERNEL);
	const u8 iv[LUNA_DES_BLOCK] = "some iv";

	assert_false(IS_ERR(key));
	fakekcapi.keyed = 0;
	for (int cbc = 0; cbc < 2; cbc++) {
		memset(data, 0, len);
		assert_int_equal(ops->des3_crypt(key, true, cbc ? iv : NULL, data, len, data), 0);
		assert_int_equal(luna_openssl_ops.des3_crypt(other, true, cbc ? iv : NULL, zeros, len,
							     expected), 0);
		assert_memory_equal(data, expected, len);
		assert_int_equal(ops->des3_crypt(key, false, cbc ? iv : NULL, data, len, data), 0);
		assert_memory_equal(data, zeros, len);
	}
	ops->des3_key_free(key);
	luna_openssl_ops.des3_key_free(other);
	kfree(data);
	kfree(expected);
	kfree(zeros);
	return fakekcapi.keyed;
}

/* A handle for each mode, and more data than one call takes */
static void test_des3(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){});

	assert_true(ops->has_des3());
	for (size_t i = 0; i < ARRAY_SIZE(des3_keys); i++) {
		assert_int_equal(des3_encrypts(ops, des3_keys[i], 8), 2);
		assert_int_equal(des3_encrypts(ops, des3_keys[i], TEXT), 2);
	}
	assert_int_equal(fakekcapi.open, 0);
	(void)state;
}

/* The kernel's in both modes, with every key, or not at all */
static void test_des3_in_part(void **state)
{
	static const struct fakekcapi fakes[] = {
		{ .missing = "cbc(des3_ede)" }, { .missing = "ecb(des3_ede)" },
		{ .wrong = "cbc(des3_ede)" }, { .wrong = "ecb(des3_ede)" }, { .strict = true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++) {
		const struct luna_crypto_ops *ops = start(fakes[i]);

		assert_who(ops, LUNA_PRIMITIVE_DES3, 0, luna_openssl_ops.name, "");
		assert_who(ops, LUNA_PRIMITIVE_MODE, LUNA_CBC, "kcapi 9.8.7", "cbc(aes)");
		for (size_t key = 0; key < ARRAY_SIZE(des3_keys); key++)
			assert_int_equal(des3_encrypts(ops, des3_keys[key], TEXT), 0);
	}
	(void)state;
}

static void test_random(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){ .wrong = "drbg_nopr_hmac_sha512" });

	assert_who(ops, LUNA_PRIMITIVE_RANDOM, 0, "kcapi 9.8.7", "drbg_nopr_hmac_sha256");
	ops = start((struct fakekcapi){ .missing = "drbg*" });
	assert_who(ops, LUNA_PRIMITIVE_RANDOM, 0, luna_openssl_ops.name, "");
	assert_ptr_equal(ops->random, luna_openssl_ops.random);
	(void)state;
}

/* A key is set once, however often it is used, and not again for another mode's sake. */
static void test_keyed_once(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){});
	struct luna_aes_key *key = ops->aes_key((const u8 *)"0123456789abcdef", 16);
	u8 data[32] = { 0 };

	fakekcapi.keyed = 0;
	for (int i = 0; i < 50; i++)
		cbc(ops, key, data, sizeof(data));
	assert_int_equal(fakekcapi.keyed, 1);
	assert_int_equal(fakekcapi.open, 1);
	ops->aes_key_free(key);
	assert_int_equal(fakekcapi.open, 0);
	(void)state;
}

/* More keys than handles: they are bounded, the key used last stays, the first is keyed anew. */
static void test_many_keys(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){});
	static struct luna_aes_key *keys[KEYS];
	u8 data[32] = { 0 }, first[32], again[32] = { 0 };
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	for (u32 i = 0; i < KEYS; i++) {
		memcpy(data, &i, sizeof(i));
		keys[i] = ops->aes_key(data, 32);
		memset(data, 0, sizeof(data));
		cbc(ops, keys[i], data, sizeof(data));
		if (!i)
			memcpy(first, data, sizeof(first));
		memset(data, 0, sizeof(data));
	}
	assert_in_range(fakekcapi.open, 4, 128);
	assert_true((rlim_t)fakekcapi.open_max * 4 < limit.rlim_cur);
	fakekcapi.keyed = 0;
	cbc(ops, keys[KEYS - 1], data, sizeof(data));
	assert_int_equal(fakekcapi.keyed, 0);
	cbc(ops, keys[0], again, sizeof(again));
	assert_int_equal(fakekcapi.keyed, 1);
	assert_memory_equal(first, again, sizeof(first));
	for (u32 i = 0; i < KEYS; i++)
		ops->aes_key_free(keys[i]);
	assert_int_equal(fakekcapi.open, 0);
	(void)state;
}

/* More hashes at once than handles: OpenSSL takes those that find none. */
static void test_many_streams(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){});
	static struct luna_hash_stream *streams[KEYS];
	u8 digest[LUNA_HASH_MAX], first[LUNA_HASH_MAX];

	for (u32 i = 0; i < KEYS; i++) {
		streams[i] = ops->hash_begin(LUNA_SHA512);
		assert_false(IS_ERR(streams[i]));
		assert_int_equal(ops->hash_update(streams[i], "a", 1), 0);
	}
	assert_in_range(fakekcapi.open, 4, 128);
	for (u32 i = 0; i < KEYS; i++) {
		assert_int_equal(ops->hash_update(streams[i], "bc", 2), 0);
		assert_int_equal(ops->hash_final(streams[i], digest), 0);
		if (!i)
			memcpy(first, digest, sizeof(first));
		assert_memory_equal(digest, first, sizeof(first));
		ops->hash_end(streams[i]);
	}
	(void)state;
}

/* One piece, or several that end inside blocks: longer than what one call of AF_ALG takes */
static void test_long(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){});
	struct luna_aes_key *key = ops->aes_key((const u8 *)"0123456789abcdef", 16);
	u8 *whole = kzalloc(TEXT, GFP_KERNEL), *parts = kzalloc(TEXT, GFP_KERNEL);
	u8 iv[LUNA_AES_BLOCK];
	struct luna_cipher_stream *s;

	memset(iv, 0xff, sizeof(iv));
	s = ops->cipher_begin(key, LUNA_CTR, true, iv, sizeof(iv));
	assert_int_equal(ops->cipher_update(s, whole, TEXT, whole), 0);
	ops->cipher_end(s);
	s = ops->cipher_begin(key, LUNA_CTR, false, iv, sizeof(iv));
	for (size_t at = 0, n = 1; at < TEXT; at += n, n = min_t(size_t, 3 * n + 2, TEXT - at))
		assert_int_equal(ops->cipher_update(s, parts + at, n, parts + at), 0);
	ops->cipher_end(s);
	assert_memory_equal(whole, parts, TEXT);
	ops->aes_key_free(key);
	kfree(whole);
	kfree(parts);
	(void)state;
}

/* A handle whose operation failed is closed and not used again. */
static void test_failures(void **state)
{
	const struct luna_crypto_ops *ops = start((struct fakekcapi){});
	struct luna_aes_key *key = ops->aes_key((const u8 *)"0123456789abcdef", 16);
	struct luna_des3_key *des3 = ops->des3_key(des3_keys[0]);
	struct luna_hash_stream *hash = ops->hash_begin(LUNA_SHA1);
	u8 iv[LUNA_AES_BLOCK] = { 0 }, data[LUNA_HASH_MAX] = { 0 };
	struct luna_cipher_stream *s;

	fakekcapi.failing = true;
	s = ops->cipher_begin(key, LUNA_CBC, true, iv, sizeof(iv));
	assert_int_equal(ops->cipher_update(s, data, 16, data), -EIO);
	ops->cipher_end(s);
	assert_int_equal(ops->des3_crypt(des3, true, iv, data, 16, data), -EIO);
	assert_int_equal(ops->hash_update(hash, data, 16), -EIO);
	assert_int_equal(ops->hash_final(hash, data), -EIO);
	ops->hash_end(hash);
	assert_int_equal(ops->random(data, sizeof(data)), -EIO);
	fakekcapi.failing = false;
	assert_encrypts(ops);
	assert_int_equal(ops->des3_crypt(des3, true, iv, data, 16, data), 0);
	assert_int_equal(ops->random(data, sizeof(data)), 0);
	ops->des3_key_free(des3);
	ops->aes_key_free(key);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_in_part),
		cmocka_unit_test(test_no_ctr),
		cmocka_unit_test(test_des3),
		cmocka_unit_test(test_des3_in_part),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_keyed_once),
		cmocka_unit_test(test_many_keys),
		cmocka_unit_test(test_many_streams),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests_name("kcapi", tests, NULL, NULL);
}
