// SPDX-License-Identifier: MIT
/*
 * Keys that the token generates have no answer that is known: they are checked with OpenSSL, with
 * each other, and by what the standard says of them.
 */
#include <openssl/evp.h>

#include "curves.h"
#include "kat.h"

/* Bytes of a key that was generated; its check value is that of its kind. */
static void generated_secret(CK_MECHANISM_TYPE type, CK_ULONG bytes)
{
	CK_MECHANISM mech = { type, NULL, 0 };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_VALUE_LEN, bytes), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
		ATTR(CKA_TOKEN, no), ATTR(CKA_ENCRYPT, yes),
	};
	CK_ULONG count = type == CKM_AES_KEY_GEN ? 5 : 4, len, kcv_len;
	unsigned char *first, *second, *kcv, want[64];
	CK_OBJECT_HANDLE key;
	unsigned int n;

	assert_ok(p11->C_GenerateKey(s, &mech, tmpl, count, &key));
	first = attr_bytes(s, key, CKA_VALUE, &len);
	kcv = attr_bytes(s, key, CKA_CHECK_VALUE, &kcv_len);
	assert_int_equal(len, bytes);
	assert_int_equal(attr_ulong(s, key, CKA_KEY_GEN_MECHANISM), type);
	if (type == CKM_AES_KEY_GEN) {
		const EVP_CIPHER *c = bytes == 16 ? EVP_aes_128_ecb() : bytes == 24 ? EVP_aes_192_ecb() :
				      EVP_aes_256_ecb();
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
		unsigned char zeros[16] = { 0 };
		int out;

		assert_int_equal(EVP_EncryptInit_ex(ctx, c, NULL, first, NULL), 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, want, &out, zeros, 16), 1);
		EVP_CIPHER_CTX_free(ctx);
	} else {
		assert_int_equal(EVP_Digest(first, len, want, &n, EVP_sha1(), NULL), 1);
	}
	assert_int_equal(kcv_len, 3);
	assert_memory_equal(kcv, want, 3);
	assert_ok(p11->C_GenerateKey(s, &mech, tmpl, count, &key));
	second = attr_bytes(s, key, CKA_VALUE, &len);
	assert_int_equal(len, bytes);
	if (bytes >= 8)
		assert_memory_not_equal(first, second, bytes);
	free(first);
	free(second);
	free(kcv);
	exercise(type);
}

/* Odd parity, no two that are the same, the check value of OpenSSL; the length need not be said. */
static void generated_des3(CK_MECHANISM_TYPE type, CK_ULONG bytes, bool told)
{
	CK_MECHANISM mech = { type, NULL, 0 };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
		ATTR(CKA_VALUE_LEN, bytes),
	};
	unsigned char *value, *kcv, key[24], zeros[8] = { 0 }, want[8], last[24] = { 0 };
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	CK_OBJECT_HANDLE made;
	CK_ULONG len, i, turn;
	int out;

	for (turn = 0; turn < 20; turn++) {
		assert_ok(p11->C_GenerateKey(s, &mech, tmpl, told ? 4 : 3, &made));
		assert_int_equal(attr_ulong(s, made, CKA_KEY_GEN_MECHANISM), type);
		assert_int_equal(attr_ulong(s, made, CKA_VALUE_LEN), bytes);
		assert_int_equal(attr_ulong(s, made, CKA_KEY_TYPE), bytes == 16 ? CKK_DES2 : CKK_DES3);
		value = attr_bytes(s, made, CKA_VALUE, &len);
		assert_int_equal(len, bytes);
		for (i = 0; i < len; i++)
			assert_int_equal(__builtin_parity(value[i]), 1);
		assert_memory_not_equal(value, last, len);
		memcpy(last, value, len);
		memcpy(key, value, len);
		memcpy(key + 16, len == 16 ? value : value + 16, 8);
		free(value);
		assert_int_equal(EVP_EncryptInit_ex(ctx, EVP_des_ede3_ecb(), NULL, key, NULL), 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, want, &out, zeros, 8), 1);
		kcv = attr_bytes(s, made, CKA_CHECK_VALUE, &len);
		assert_int_equal(len, 3);
		assert_memory_equal(kcv, want, 3);
		free(kcv);
		assert_ok(p11->C_DestroyObject(s, made));
	}
	EVP_CIPHER_CTX_free(ctx);
	exercise(type);
}

/* Two AES keys that are not the same, in one object; equal ones do not come in. */
static void generated_xts(CK_ULONG bytes)
{
	CK_MECHANISM mech = { CKM_AES_XTS_KEY_GEN, NULL, 0 };
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE type = CKK_AES_XTS;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
		ATTR(CKA_VALUE_LEN, bytes),
	};
	CK_OBJECT_HANDLE key;
	unsigned char *value;
	CK_ULONG len;

	assert_ok(p11->C_GenerateKey(s, &mech, tmpl, 4, &key));
	assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), CKK_AES_XTS);
	assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), bytes);
	assert_int_equal(attr_ulong(s, key, CKA_KEY_GEN_MECHANISM), CKM_AES_XTS_KEY_GEN);
	value = attr_bytes(s, key, CKA_VALUE, &len);
	assert_int_equal(len, bytes);
	assert_memory_not_equal(value, value + len / 2, len / 2);
	memcpy(value + len / 2, value, len / 2);
	{
		CK_ATTRIBUTE same[] = {
			ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type),
			ATTR_BYTES(CKA_VALUE, value, len),
		};

		assert_rv(p11->C_CreateObject(s, same, 3, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		value[0] ^= 1;
		same[2].ulValueLen = len - 8;
		assert_rv(p11->C_CreateObject(s, same, 3, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	}
	free(value);
	bytes = 48;
	assert_rv(p11->C_GenerateKey(s, &mech, tmpl, 4, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	exercise(CKM_AES_XTS_KEY_GEN);
}

void generate_secrets(void **state)
{
	static const CK_ULONG aes[] = { 16, 24, 32 }, generic[] = { 1, 8, 20, 33, 64, 512 };
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		generated_secret(CKM_AES_KEY_GEN, aes[i]);
	for (i = 0; i < 6; i++)
		generated_secret(CKM_GENERIC_SECRET_KEY_GEN, generic[i]);
	generated_secret(CKM_GENERIC_SECRET_KEY_GEN_OLD_XXX, 20);
	generated_secret(CKM_HKDF_KEY_GEN, 32);
	generated_xts(32);
	generated_xts(64);
	if (!mechanism_listed(slot_a, CKM_DES3_KEY_GEN))
		return;
	generated_des3(CKM_DES2_KEY_GEN, 16, true);
	generated_des3(CKM_DES3_KEY_GEN, 24, true);
	generated_des3(CKM_DES3_KEY_GEN, 24, false);
}

static EVP_PKEY *public_of(CK_OBJECT_HANDLE pub)
{
	/* RSAPublicKey in a SEQUENCE of two INTEGERs that begin with a zero; 2048 bits, e = 65537 */
	unsigned char der[270] = { 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01, 0x00 };
	static const unsigned char e[] = { 0x02, 0x03, 0x01, 0x00, 0x01 };
	const unsigned char *at = der;
	unsigned char *n;
	EVP_PKEY *pkey;
	CK_ULONG len;

	n = attr_bytes(s, pub, CKA_MODULUS, &len);
	assert_int_equal(len, 256);
	assert_true(n[0] & 0x80);
	memcpy(der + 9, n, 256);
	memcpy(der + 265, e, 5);
	free(n);
	pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, sizeof(der));
	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_bits(pkey), 2048);
	return pkey;
}

void generate_pairs(void **state)
{
	static const CK_MECHANISM_TYPE types[] = {
		CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_FIPS_186_3_AUX_PRIME_KEY_PAIR_GEN,
		CKM_RSA_FIPS_186_3_PRIME_KEY_PAIR_GEN,
	};
	CK_BYTE e[] = { 1, 0, 1 }, data[] = "signed by a key that was generated", sig[256];
	CK_ULONG bits = 2048, len;
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_PUBLIC_EXPONENT, e),
		ATTR(CKA_VERIFY, yes),
	};
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_TOKEN, no), ATTR(CKA_SIGN, yes) };
	CK_OBJECT_HANDLE pub, priv;
	EVP_PKEY *pkey;
	EVP_MD_CTX *ctx;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(types); i++) {
		CK_MECHANISM gen = { types[i], NULL, 0 }, mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };

		if (!mechanism_listed(slot_a, types[i]))
			continue;
		assert_ok(p11->C_GenerateKeyPair(s, &gen, pub_tmpl, 4, priv_tmpl, 2, &pub, &priv));
		assert_int_equal(attr_ulong(s, priv, CKA_KEY_GEN_MECHANISM), types[i]);
		len = sizeof(sig);
		assert_ok(run_sign(s, &mech, priv, data, sizeof(data), ONE_SHOT, sig, &len));
		pkey = public_of(pub);
		ctx = EVP_MD_CTX_new();
		assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
		assert_int_equal(EVP_DigestVerify(ctx, sig, len, data, sizeof(data)), 1);
		sig[7] ^= 1;
		assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
		assert_int_not_equal(EVP_DigestVerify(ctx, sig, len, data, sizeof(data)), 1);
		EVP_MD_CTX_free(ctx);
		EVP_PKEY_free(pkey);
		exercise(types[i]);
	}
}

/* A pair of its own each time, whose halves belong together. */
static void generated_pair(const struct curve *c, CK_MECHANISM_TYPE sign)
{
	CK_BYTE data[] = "signed by a key that was generated", sig[EC_SIG_MAX];
	CK_MECHANISM mech = { sign, NULL, 0 };
	CK_OBJECT_HANDLE pub[2], priv[2];
	CK_ULONG len, other_len, i;
	unsigned char *point, *other;

	for (i = 0; i < 2; i++) {
		assert_ok(ec_generate(s, c, true, &pub[i], &priv[i]));
		assert_int_equal(attr_ulong(s, priv[i], CKA_KEY_GEN_MECHANISM), c->gen);
		point = attr_bytes(s, pub[i], CKA_EC_POINT, &len);
		other = attr_bytes(s, priv[i], CKA_EC_POINT, &other_len);
		assert_int_equal(len, other_len);
		assert_memory_equal(point, other, len);
		free(point);
		free(other);
	}
	point = attr_bytes(s, pub[0], CKA_EC_POINT, &len);
	other = attr_bytes(s, pub[1], CKA_EC_POINT, &other_len);
	assert_memory_not_equal(point, other, len);
	free(point);
	free(other);
	if (sign) {
		len = sizeof(sig);
		assert_ok(run_sign(s, &mech, priv[0], data, sizeof(data), ONE_SHOT, sig, &len));
		assert_ok(run_verify(s, &mech, pub[0], data, sizeof(data), ONE_SHOT, sig, len));
		assert_rv(run_verify(s, &mech, pub[1], data, sizeof(data), ONE_SHOT, sig, len),
			  CKR_SIGNATURE_INVALID);
	}
	exercise(c->gen);
}

void generate_curves(void **state)
{
	static const CK_MECHANISM_TYPE old[] = {
		[ED25519] = CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD, [X25519] = CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD,
	};
	CK_MECHANISM_TYPE sign;
	struct curve c;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(curves); i++) {
		c = curves[i];
		if (!curve_offered(s, &c))
			continue;
		sign = i < WEIERSTRASS ? CKM_ECDSA_SHA256 : i == ED25519 ? CKM_EDDSA : 0;
		if (sign && !mechanism_listed(slot_a, sign))
			sign = 0;
		generated_pair(&c, sign);
		c.gen = i < WEIERSTRASS ? CKM_EC_KEY_PAIR_GEN_W_EXTRA_BITS : old[i];
		generated_pair(&c, sign);
	}
}
