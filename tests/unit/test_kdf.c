// SPDX-License-Identifier: MIT
/*
 * kdf.c and seal.c against published answers (RFC 5869, 6070, 7914 and its SHA-256 kin, 4231, 3720
 * for CRC-32's check value), once with what the provider offers and once with as little as it may.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "crypto_openssl.h"
#include "hex.h"
#include "log.h"

/* OpenSSL without what the engine can do itself. */
static struct luna_crypto_ops bare;
static const struct luna_crypto_ops *const providers[] = { &luna_openssl_ops, &bare };

static int setup(void **state)
{
	bare = luna_openssl_ops;
	bare.pbkdf2 = NULL;
	bare.modes &= ~BIT(LUNA_GCM);
	return luna_openssl_start();
}

static void test_hash_and_mac(void **state)
{
	const struct luna_crypto_ops *c = &luna_openssl_ops;
	u8 key[20], out[LUNA_HASH_MAX];

	memset(key, 0x0b, sizeof(key));
	assert_int_equal(luna_hash_once(c, LUNA_SHA256, "abc", 3, out), 0);
	assert_hex(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(luna_mac_once(c, LUNA_HMAC + LUNA_SHA256, key, sizeof(key), "Hi There", 8,
				       out), 0);
	assert_hex(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	assert_int_equal(luna_hash_len(LUNA_SHA384), 48);
	assert_int_equal(luna_hash_len(LUNA_HASHES), 0);
	assert_true(luna_hash_once(c, LUNA_HASHES, "abc", 3, out) < 0);
	assert_int_equal(luna_mac_once(c, LUNA_CMAC_AES, key, 20, "", 0, out), -EINVAL);
}

static const struct {
	enum luna_hash hash;
	const char *pin;
	size_t pin_len;
	const char *salt;
	size_t salt_len;
	u32 iterations;
	const char *key;
} pbkdf2_answers[] = {
	{ LUNA_SHA256, "password", 8, "salt", 4, 1,
	  "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b" },
	{ LUNA_SHA256, "password", 8, "salt", 4, 2,
	  "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43" },
	{ LUNA_SHA256, "password", 8, "salt", 4, 4096,
	  "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a" },
	{ LUNA_SHA256, "passwordPASSWORDpassword", 24, "saltSALTsaltSALTsaltSALTsaltSALTsalt", 36,
	  4096,
	  "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9" },
	{ LUNA_SHA256, "pass\0word", 9, "sa\0lt", 5, 4096, "89b69d0516f829893c696226650a8687" },
	{ LUNA_SHA256, "passwd", 6, "salt", 4, 1,
	  "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"
	  "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783" },
	{ LUNA_SHA1, "password", 8, "salt", 4, 4096, "4b007901b765489abead49d926f721d065a429c1" },
};

static void test_pbkdf2(void **state)
{
	u8 out[128];
	size_t p, i, len;

	for (p = 0; p < ARRAY_SIZE(providers); p++) {
		for (i = 0; i < ARRAY_SIZE(pbkdf2_answers); i++) {
			len = strlen(pbkdf2_answers[i].key) / 2;
			memset(out, 0xa5, sizeof(out));
			assert_int_equal(luna_pbkdf2(providers[p], pbkdf2_answers[i].hash,
						     (const u8 *)pbkdf2_answers[i].pin,
						     pbkdf2_answers[i].pin_len,
						     (const u8 *)pbkdf2_answers[i].salt,
						     pbkdf2_answers[i].salt_len,
						     pbkdf2_answers[i].iterations, out, len), 0);
			assert_hex(out, pbkdf2_answers[i].key);
			assert_int_equal(out[len], 0xa5);
		}
	}
}

static void test_pbkdf2_refuses(void **state)
{
	u8 out[32];

	assert_int_equal(luna_pbkdf2(&bare, LUNA_SHA256, (const u8 *)"p", 1, (const u8 *)"s", 1, 0,
				     out, 32), -EINVAL);
	assert_int_equal(luna_pbkdf2(&bare, LUNA_SHA256, (const u8 *)"p", 1, (const u8 *)"s", 1, 1,
				     out, 0), -EINVAL);
	port_killed = true;
	assert_int_equal(luna_pbkdf2(&bare, LUNA_SHA256, (const u8 *)"p", 1, (const u8 *)"s", 1,
				     100000, out, 32), -EINTR);
	port_killed = false;
}

/* RFC 5869, appendix A */
static const struct {
	enum luna_hash hash;
	const char *ikm, *salt, *info, *okm;
} hkdf_answers[] = {
	{ LUNA_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
	  "f0f1f2f3f4f5f6f7f8f9",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
	{ LUNA_SHA256,
	  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "404142434445464748494a4b4c4d4e4f",
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
	  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ LUNA_SHA256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
	{ LUNA_SHA1, "0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	  "085a01ea1b10f36933068b56efa5ad81a4f14b822f5b091568a9cdd4f155fda2c22e422478d305f3f896" },
};

static void test_hkdf(void **state)
{
	u8 out[128];

	for (size_t i = 0; i < ARRAY_SIZE(hkdf_answers); i++) {
		struct bytes ikm = hex(hkdf_answers[i].ikm), salt = hex(hkdf_answers[i].salt);
		struct bytes info = hex(hkdf_answers[i].info);

		assert_int_equal(luna_hkdf(&luna_openssl_ops, hkdf_answers[i].hash, ikm.data, ikm.len,
					   salt.len ? salt.data : NULL, salt.len,
					   info.len ? info.data : NULL, info.len, out,
					   strlen(hkdf_answers[i].okm) / 2), 0);
		assert_hex(out, hkdf_answers[i].okm);
	}
}

static int expand(u8 *out, size_t len)
{
	return luna_hkdf(&luna_openssl_ops, LUNA_SHA256, (const u8 *)"ikm", 3, NULL, 0, NULL, 0,
			 out, len);
}

/* The longest output there is: as a prefix it holds every shorter one. */
static void test_hkdf_long(void **state)
{
	const size_t most = 255 * 32;
	u8 *whole = kmalloc(most, GFP_KERNEL);
	u8 out[33];

	assert_non_null(whole);
	assert_int_equal(expand(whole, most), 0);
	assert_int_equal(expand(out, sizeof(out)), 0);
	assert_memory_equal(out, whole, sizeof(out));
	assert_int_equal(expand(whole, most + 1), -EINVAL);
	kfree(whole);
}

static void test_crc32(void **state)
{
	static const u8 zeros[32];
	static const char digits[] = "123456789";
	u32 crc = 0;
	size_t i;

	assert_int_equal(luna_crc32(digits, 9), 0xcbf43926);
	assert_int_equal(luna_crc32(digits, 0), 0);
	assert_int_equal(luna_crc32(zeros, sizeof(zeros)), 0x190a55ad);
	for (i = 0; i < 9; i++)
		crc = luna_crc32_more(crc, digits + i, 1);
	assert_int_equal(crc, 0xcbf43926);
}

/* Sealed by either provider, opened by either: what they store is the same. */
static void test_seal(void **state)
{
	struct luna_token seal = { 0 }, open = { 0 };
	const u32 lens[] = { 0, 1, 15, 16, 17, 1000 };
	u8 key[32], plain[1000], sealed[1000 + LUNA_SEAL_OVERHEAD], out[1000];
	size_t i, p;

	memset(key, 7, sizeof(key));
	memset(plain, 0x5a, sizeof(plain));
	for (p = 0; p < 4; p++) {
		seal.crypto = providers[p & 1];
		open.crypto = providers[p >> 1];
		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			memset(out, 0, sizeof(out));
			assert_int_equal(luna_seal_with(&seal, key, LUNA_SEAL_OBJECT, 42, plain,
							lens[i], sealed), 0);
			assert_int_equal(luna_unseal_with(&open, key, LUNA_SEAL_OBJECT, 42, sealed,
							  lens[i] + LUNA_SEAL_OVERHEAD, out), 0);
			assert_memory_equal(out, plain, lens[i]);
		}
	}
}

static void assert_sealed(struct luna_token *token, const u8 *key, enum luna_seal_kind kind,
			  u64 context, const u8 *sealed, u32 len)
{
	u8 out[64], zeros[64] = { 0 };

	memset(out, 0xa5, sizeof(out));
	assert_int_equal(luna_unseal_with(token, key, kind, context, sealed, len, out), -EBADMSG);
	if (len >= LUNA_SEAL_OVERHEAD)
		assert_memory_equal(out, zeros, len - LUNA_SEAL_OVERHEAD);
}

/* Every byte, the key, the kind and the context decide. */
static void test_seal_altered(void **state)
{
	struct luna_token token = { 0 };
	u8 key[32] = { 1 }, other[32] = { 2 }, plain[20] = "plain", sealed[20 + LUNA_SEAL_OVERHEAD];
	size_t i, p;

	for (p = 0; p < ARRAY_SIZE(providers); p++) {
		token.crypto = providers[p];
		assert_int_equal(luna_seal_with(&token, key, LUNA_SEAL_SK, 1, plain, sizeof(plain),
						sealed), 0);
		assert_sealed(&token, other, LUNA_SEAL_SK, 1, sealed, sizeof(sealed));
		assert_sealed(&token, key, LUNA_SEAL_HA, 1, sealed, sizeof(sealed));
		assert_sealed(&token, key, LUNA_SEAL_SK, 2, sealed, sizeof(sealed));
		assert_sealed(&token, key, LUNA_SEAL_SK, 1, sealed, sizeof(sealed) - 1);
		assert_sealed(&token, key, LUNA_SEAL_SK, 1, sealed, LUNA_SEAL_OVERHEAD - 1);
		assert_sealed(&token, key, LUNA_SEAL_SK, 1, sealed, 0);
		for (i = 0; i < sizeof(sealed); i++) {
			sealed[i] ^= 1;
			assert_sealed(&token, key, LUNA_SEAL_SK, 1, sealed, sizeof(sealed));
			sealed[i] ^= 1;
		}
	}
}

/* Two seals of one thing have nothing in common. */
static void test_seal_nonce(void **state)
{
	struct luna_token token = { .crypto = &luna_openssl_ops };
	u8 key[32] = { 1 }, plain[32] = { 0 }, a[32 + LUNA_SEAL_OVERHEAD], b[sizeof(a)];

	assert_int_equal(luna_seal_with(&token, key, LUNA_SEAL_SK, 1, plain, sizeof(plain), a), 0);
	assert_int_equal(luna_seal_with(&token, key, LUNA_SEAL_SK, 1, plain, sizeof(plain), b), 0);
	assert_memory_not_equal(a, b, 12);
	assert_memory_not_equal(a + 12, b + 12, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_and_mac),
		cmocka_unit_test(test_pbkdf2),
		cmocka_unit_test(test_pbkdf2_refuses),
		cmocka_unit_test(test_hkdf),
		cmocka_unit_test(test_hkdf_long),
		cmocka_unit_test(test_crc32),
		cmocka_unit_test(test_seal),
		cmocka_unit_test(test_seal_altered),
		cmocka_unit_test(test_seal_nonce),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
