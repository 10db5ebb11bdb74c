// SPDX-License-Identifier: MIT
/*
 * AES key wrap: the vectors of RFC 3394 and RFC 5649, OpenSSL as the other side for every length
 * and with other initial values, and wrapped bytes that are wrong.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <openssl/evp.h>

#include "crypto_openssl.h"
#include "hex.h"
#include "kw.h"

static const struct luna_crypto_ops *ops = &luna_openssl_ops;

static const struct {
	bool padded;
	const char *kek, *plain, *wrapped;
} vectors[] = {
	{ false, "000102030405060708090a0b0c0d0e0f", "00112233445566778899aabbccddeeff",
	  "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5" },
	{ false, "000102030405060708090a0b0c0d0e0f1011121314151617",
	  "00112233445566778899aabbccddeeff", "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d" },
	{ false, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7" },
	{ false, "000102030405060708090a0b0c0d0e0f1011121314151617",
	  "00112233445566778899aabbccddeeff0001020304050607",
	  "031d33264e15d33268f24ec260743edce1c6c7ddee725a936ba814915c6762d2" },
	{ false, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "00112233445566778899aabbccddeeff0001020304050607",
	  "a8f9bc1612c68b3ff6e6f4fbe30e71e4769c8b80a32cb8958cd5d17d6b254da1" },
	{ false, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	  "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f",
	  "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21" },
	{ true, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8",
	  "c37b7e6492584340bed12207808941155068f738",
	  "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a" },
	{ true, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", "466f7250617369",
	  "afbeb0f07dfbf5419200f2ccb50bb24f" },
};

static struct luna_aes_key *key_new(const struct bytes *kek)
{
	struct luna_aes_key *key = ops->aes_key(kek->data, kek->len);

	assert_false(IS_ERR(key));
	return key;
}

static int wrap(bool padded, struct luna_aes_key *key, const u8 *iv, const u8 *in, u32 len, u8 *out)
{
	if (padded)
		return luna_kwp_wrap(ops, key, iv, in, len, out);
	return luna_kw_wrap(ops, key, iv, in, len, out);
}

/* Into a buffer of the exact size, so that AddressSanitizer sees a byte too many */
static int unwrap(bool padded, struct luna_aes_key *key, const u8 *iv, const u8 *in, u32 len,
		  u8 *out, u32 *out_len)
{
	u8 *room = test_malloc(len - 8);
	int err;

	memset(room, 0xa5, len - 8);
	*out_len = len - 8;
	if (padded)
		err = luna_kwp_unwrap(ops, key, iv, in, len, room, out_len);
	else
		err = luna_kw_unwrap(ops, key, iv, in, len, room);
	if (err)
		assert_true(err != -EBADMSG || !memchr_inv(room, 0, len - 8));
	else
		memcpy(out, room, *out_len);
	test_free(room);
	return err;
}

static void test_vectors(void **state __maybe_unused)
{
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct bytes kek = hex(vectors[i].kek), plain = hex(vectors[i].plain);
		struct bytes wrapped = hex(vectors[i].wrapped), out;
		struct luna_aes_key *key = key_new(&kek);

		assert_int_equal(
			wrap(vectors[i].padded, key, NULL, plain.data, plain.len, out.data), 0);
		assert_memory_equal(out.data, wrapped.data, wrapped.len);
		assert_int_equal(unwrap(vectors[i].padded, key, NULL, wrapped.data, wrapped.len,
					out.data, &out.len), 0);
		assert_int_equal(out.len, plain.len);
		assert_memory_equal(out.data, plain.data, plain.len);
		ops->aes_key_free(key);
	}
}

static u32 openssl_wrap(bool padded, const struct bytes *kek, const u8 *iv, const u8 *in, u32 len,
			u8 *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n, rest = 0;

	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	assert_int_equal(EVP_EncryptInit_ex(ctx,
					    padded ? EVP_aes_256_wrap_pad() : EVP_aes_256_wrap(),
					    NULL, kek->data, iv),
			 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, in, len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + n, &rest), 1);
	EVP_CIPHER_CTX_free(ctx);
	return n + rest;
}

static void test_openssl(void **state __maybe_unused)
{
	struct bytes kek = { .len = 32 }, plain, expected, out;
	struct luna_aes_key *key;
	u8 iv[8];

	ops->random(kek.data, kek.len);
	key = key_new(&kek);
	for (u32 len = 1; len <= 128; len++) {
		for (int padded = 0; padded <= 1; padded++) {
			const u8 *with_iv = len % 3 ? iv : NULL;

			if (!padded && (len % 8 || len < 16)) {
				assert_int_equal(wrap(padded, key, NULL, plain.data, len, out.data),
						 -EINVAL);
				continue;
			}
			ops->random(iv, sizeof(iv));
			ops->random(plain.data, len);
			expected.len = openssl_wrap(padded, &kek, with_iv, plain.data, len,
						    expected.data);
			assert_int_equal(wrap(padded, key, with_iv, plain.data, len, out.data), 0);
			assert_int_equal(expected.len, luna_kwp_len(len));
			assert_memory_equal(out.data, expected.data, expected.len);
			assert_int_equal(unwrap(padded, key, with_iv, expected.data, expected.len,
						out.data, &out.len), 0);
			assert_int_equal(out.len, len);
			assert_memory_equal(out.data, plain.data, len);
			iv[0] ^= 1;
			assert_int_equal(unwrap(padded, key, iv, expected.data, expected.len,
						out.data, &out.len), -EBADMSG);
		}
	}
	ops->aes_key_free(key);
}

static void test_tampered(void **state __maybe_unused)
{
	struct bytes kek = { .len = 16 }, plain, wrapped, out;
	struct luna_aes_key *key;

	ops->random(kek.data, kek.len);
	ops->random(plain.data, 24);
	key = key_new(&kek);
	for (int padded = 0; padded <= 1; padded++) {
		assert_int_equal(wrap(padded, key, NULL, plain.data, 24 - padded, wrapped.data), 0);
		for (u32 bit = 0; bit < 8 * 32; bit++) {
			wrapped.data[bit / 8] ^= 1 << bit % 8;
			assert_int_equal(unwrap(padded, key, NULL, wrapped.data, 32, out.data,
						&out.len), -EBADMSG);
			wrapped.data[bit / 8] ^= 1 << bit % 8;
		}
		assert_int_equal(unwrap(padded, key, NULL, wrapped.data, 24, out.data, &out.len),
				 -EBADMSG);
		assert_int_equal(unwrap(padded, key, NULL, wrapped.data, 31, out.data, &out.len),
				 -EINVAL);
		assert_int_equal(unwrap(padded, key, NULL, wrapped.data, 8, out.data, &out.len),
				 -EINVAL);
	}
	assert_int_equal(unwrap(false, key, NULL, wrapped.data, 16, out.data, &out.len), -EINVAL);
	ops->aes_key_free(key);
}

/*
 * KWP's length field and padding, each of them wrong in a message whose check value is right: made
 * as a KW of the same string.
 */
static void test_padding(void **state __maybe_unused)
{
	struct bytes kek = { .len = 16 }, wrapped, out;
	u8 iv[8] = { 0xa6, 0x59, 0x59, 0xa6 }, plain[16];
	struct luna_aes_key *key;

	ops->random(kek.data, kek.len);
	key = key_new(&kek);
	for (u32 len = 0; len <= 24; len++) {
		for (u32 zeros = 0; zeros <= 8; zeros++) {
			bool good = len > 8 && len <= 16 && zeros >= 16 - len;

			put_unaligned_be32(len, iv + 4);
			memset(plain, 0x5a, sizeof(plain));
			memset(plain + 16 - zeros, 0, zeros);
			assert_int_equal(wrap(false, key, iv, plain, 16, wrapped.data), 0);
			assert_int_equal(unwrap(true, key, NULL, wrapped.data, 24, out.data,
						&out.len), good ? 0 : -EBADMSG);
			if (good)
				assert_int_equal(out.len, len);
		}
	}
	put_unaligned_be32(U32_MAX, iv + 4);
	assert_int_equal(wrap(false, key, iv, plain, 16, wrapped.data), 0);
	assert_int_equal(unwrap(true, key, NULL, wrapped.data, 24, out.data, &out.len), -EBADMSG);
	ops->aes_key_free(key);
}

/* A buffer that is input and output */
static void test_in_place(void **state __maybe_unused)
{
	struct bytes kek = hex(vectors[6].kek), plain = hex(vectors[6].plain);
	struct bytes wrapped = hex(vectors[6].wrapped), buf = plain;
	struct luna_aes_key *key = key_new(&kek);

	assert_int_equal(luna_kwp_wrap(ops, key, NULL, buf.data, plain.len, buf.data), 0);
	assert_memory_equal(buf.data, wrapped.data, wrapped.len);
	assert_int_equal(luna_kwp_unwrap(ops, key, NULL, buf.data, wrapped.len, buf.data, &buf.len),
			 0);
	assert_int_equal(buf.len, plain.len);
	assert_memory_equal(buf.data, plain.data, plain.len);
	ops->aes_key_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_tampered),
		cmocka_unit_test(test_padding),
		cmocka_unit_test(test_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
