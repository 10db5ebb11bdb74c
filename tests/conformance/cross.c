// SPDX-License-Identifier: MIT
/*
 * Cross-checks with OpenSSL's libcrypto: random keys and data, both ways, at once and in random parts.
 * LUNA_TEST_SEED repeats the lengths and parts of a run (keys and data are always new), LUNA_TEST_SLOW
 * adds what takes minutes.
 */
#include <time.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypt.h"

/* OpenSSL must do what it is told. */
#define ossl(expression)	assert_int_equal(expression, 1)

enum { BIG = 100 << 10, ROOM = BIG + 1024 };

static CK_SESSION_HANDLE s;
static unsigned char data[ROOM], out[ROOM], back[ROOM];

static const struct hash {
	CK_MECHANISM_TYPE type, hmac, pkcs, pss;
	CK_RSA_PKCS_MGF_TYPE mgf;
	const EVP_MD *(*md)(void);
} hashes[] = {
	{ CKM_SHA_1, CKM_SHA_1_HMAC, CKM_SHA1_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS, CKG_MGF1_SHA1, EVP_sha1 },
	{ CKM_SHA224, CKM_SHA224_HMAC, CKM_SHA224_RSA_PKCS, CKM_SHA224_RSA_PKCS_PSS, CKG_MGF1_SHA224,
	  EVP_sha224 },
	{ CKM_SHA256, CKM_SHA256_HMAC, CKM_SHA256_RSA_PKCS, CKM_SHA256_RSA_PKCS_PSS, CKG_MGF1_SHA256,
	  EVP_sha256 },
	{ CKM_SHA384, CKM_SHA384_HMAC, CKM_SHA384_RSA_PKCS, CKM_SHA384_RSA_PKCS_PSS, CKG_MGF1_SHA384,
	  EVP_sha384 },
	{ CKM_SHA512, CKM_SHA512_HMAC, CKM_SHA512_RSA_PKCS, CKM_SHA512_RSA_PKCS_PSS, CKG_MGF1_SHA512,
	  EVP_sha512 },
	{ CKM_SHA3_224, CKM_SHA3_224_HMAC, CKM_SHA3_224_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS,
	  CKG_MGF1_SHA3_224_STD, EVP_sha3_224 },
	{ CKM_SHA3_256, CKM_SHA3_256_HMAC, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_256_RSA_PKCS_PSS,
	  CKG_MGF1_SHA3_256, EVP_sha3_256 },
	{ CKM_SHA3_384, CKM_SHA3_384_HMAC, CKM_SHA3_384_RSA_PKCS, CKM_SHA3_384_RSA_PKCS_PSS,
	  CKG_MGF1_SHA3_384_STD, EVP_sha3_384 },
	{ CKM_SHA3_512, CKM_SHA3_512_HMAC, CKM_SHA3_512_RSA_PKCS, CKM_SHA3_512_RSA_PKCS_PSS,
	  CKG_MGF1_SHA3_512, EVP_sha3_512 },
};

/* Do a hash and a mask's try each other? All of SHA-1 and SHA-2; SHA-3 with itself and one of those. */
static bool hashes_meet(size_t hash, size_t mgf)
{
	enum { SHA3 = 5 };

	return (hash < SHA3 && mgf < SHA3) || hash == mgf || hash + mgf == COUNT(hashes);
}

static int open_session(void **state)
{
	(void)state;
	s = session_co(slot_a);
	return 0;
}

/*
 * luna-fuse takes RSA keys of any size and exponents of 64 bits; the kernel's RSA takes a few sizes and
 * exponents of 32 bits.
 */
static bool rsa_takes(CK_ULONG bits, size_t e_len)
{
	if (getenv("LUNA_TEST_DAEMON_PID"))
		return true;
	return e_len <= 4 && (bits == 1024 || bits == 1536 || bits == 2048 || bits == 3072 || bits == 4096);
}

static void fresh(void *buf, size_t len)
{
	ossl(RAND_bytes(buf, len));
}

/* Lengths to try: all short ones, then some long ones up to BIG; false at the end. */
static bool next_len(size_t *len, size_t *turn)
{
	size_t t = (*turn)++;

	if (t <= 64)
		*len = t;
	else if (t < 72)
		*len = 65 + rand() % 8000;
	else if (t < 76)
		*len = 8000 + rand() % (BIG - 8000);
	else
		*len = BIG;
	return t <= 76;
}

static int split_of(size_t turn)
{
	return turn % 2 ? ONE_SHOT : RANDOM_PARTS;
}

/* ---- digests and MACs ---- */

static void digests(void **state)
{
	size_t h, len, turn;

	(void)state;
	for (h = 0; h < COUNT(hashes); h++) {
		for (turn = 0; next_len(&len, &turn);) {
			CK_MECHANISM mech = { hashes[h].type, NULL, 0 };
			CK_ULONG got = sizeof(out);
			unsigned int want;

			fresh(data, len);
			assert_ok(run_digest(s, &mech, data, len, split_of(turn), out, &got));
			ossl(EVP_Digest(data, len, back, &want, hashes[h].md(), NULL));
			assert_int_equal(got, want);
			assert_memory_equal(out, back, want);
		}
	}
}

static void hmacs(void **state)
{
	size_t h, len, turn;
	CK_OBJECT_HANDLE key;
	unsigned char value[300];
	CK_ULONG got, value_len;
	unsigned int want;

	(void)state;
	for (h = 0; h < COUNT(hashes); h++) {
		for (turn = 0; next_len(&len, &turn);) {
			CK_MECHANISM mech = { hashes[h].hmac, NULL, 0 };

			value_len = 1 + (turn < 150 ? turn : 0) + rand() % 140;
			fresh(value, value_len);
			fresh(data, len);
			key = secret_import(s, CKK_GENERIC_SECRET, value, value_len);
			assert_non_null(HMAC(hashes[h].md(), value, value_len, data, len, back, &want));
			got = sizeof(out);
			assert_ok(run_sign(s, &mech, key, data, len, split_of(turn), out, &got));
			assert_int_equal(got, want);
			assert_memory_equal(out, back, want);
			assert_ok(run_verify(s, &mech, key, data, len, split_of(turn + 1), back, want));
			back[rand() % want] ^= 1;
			assert_rv(run_verify(s, &mech, key, data, len, split_of(turn), back, want),
				  CKR_SIGNATURE_INVALID);
			assert_ok(p11->C_DestroyObject(s, key));
		}
	}
}

static const char *aes_names[][7] = {
	{ "AES-128-ECB", "AES-128-CBC", "AES-128-CBC", "AES-128-CTR", "AES-128-GCM", "AES-128-WRAP",
	  "AES-128-WRAP-PAD" },
	{ "AES-192-ECB", "AES-192-CBC", "AES-192-CBC", "AES-192-CTR", "AES-192-GCM", "AES-192-WRAP",
	  "AES-192-WRAP-PAD" },
	{ "AES-256-ECB", "AES-256-CBC", "AES-256-CBC", "AES-256-CTR", "AES-256-GCM", "AES-256-WRAP",
	  "AES-256-WRAP-PAD" },
};
enum { ECB, CBC, CBC_PAD, CTR, GCM, WRAP, WRAP_PAD };

static void cmacs(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	size_t len, turn, k, want;
	unsigned char value[32];
	CK_OBJECT_HANDLE key;
	CK_ULONG got;

	(void)state;
	assert_non_null(mac);
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			CK_MECHANISM mech = { CKM_AES_CMAC, NULL, 0 };
			OSSL_PARAM params[] = {
				OSSL_PARAM_utf8_string("cipher", (char *)aes_names[k][CBC], 11),
				OSSL_PARAM_END,
			};
			EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);

			fresh(value, 32);
			fresh(data, len);
			ossl(EVP_MAC_init(ctx, value, 16 + 8 * k, params));
			ossl(EVP_MAC_update(ctx, data, len));
			ossl(EVP_MAC_final(ctx, back, &want, 16));
			EVP_MAC_CTX_free(ctx);
			key = secret_import(s, CKK_AES, value, 16 + 8 * k);
			got = sizeof(out);
			assert_ok(run_sign(s, &mech, key, data, len, split_of(turn + k), out, &got));
			assert_int_equal(got, 16);
			assert_memory_equal(out, back, 16);
			assert_ok(run_verify(s, &mech, key, data, len, split_of(turn), back, 16));
			assert_ok(p11->C_DestroyObject(s, key));
		}
	}
	EVP_MAC_free(mac);
}

static void gmacs(void **state)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "GMAC", NULL);
	unsigned char value[32], iv[64];
	CK_GCM_PARAMS p = { .pIv = iv, .ulTagBits = 128 };
	size_t len, turn, k, want;
	CK_OBJECT_HANDLE key;
	CK_ULONG got;

	(void)state;
	assert_non_null(mac);
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			CK_MECHANISM whole = { CKM_AES_GMAC, &p, sizeof(p) };
			CK_MECHANISM mech = { CKM_AES_GMAC_OLD, iv, 12 };
			EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
			OSSL_PARAM params[3] = {
				OSSL_PARAM_utf8_string("cipher", (char *)aes_names[k][GCM], 11),
			};

			p.ulIvLen = turn % 2 ? 12 : 1 + rand() % sizeof(iv);
			p.ulIvBits = 8 * p.ulIvLen;
			fresh(iv, sizeof(iv));
			fresh(value, sizeof(value));
			fresh(data, len);
			params[1] = OSSL_PARAM_construct_octet_string("iv", iv, p.ulIvLen);
			params[2] = OSSL_PARAM_construct_end();
			ossl(EVP_MAC_init(ctx, value, 16 + 8 * k, params));
			ossl(EVP_MAC_update(ctx, data, len));
			ossl(EVP_MAC_final(ctx, back, &want, 16));
			EVP_MAC_CTX_free(ctx);
			key = secret_import(s, CKK_AES, value, 16 + 8 * k);
			got = sizeof(out);
			assert_ok(run_sign(s, turn % 2 ? &mech : &whole, key, data, len,
					   split_of(turn + k), out, &got));
			assert_int_equal(got, 16);
			assert_memory_equal(out, back, 16);
			assert_ok(run_verify(s, &whole, key, data, len, split_of(turn), back, 16));
			assert_ok(p11->C_DestroyObject(s, key));
		}
	}
	EVP_MAC_free(mac);
}

/* ---- AES ---- */

/* One AES operation of OpenSSL. Return: bytes in @to, or -1 if it refused (a tag, a padding) */
static long aes_ossl(bool encrypt, const char *name, const unsigned char *value, const void *iv,
		     size_t iv_len, bool pad, const void *aad, size_t aad_len, unsigned char *tag,
		     size_t tag_len, const unsigned char *from, size_t len, unsigned char *to)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool gcm = strstr(name, "GCM");
	int n = 0, end = 0, ok = 1;

	assert_non_null(cipher);
	EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	ossl(EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, encrypt, NULL));
	if (gcm)
		ossl(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, iv_len, NULL));
	ossl(EVP_CipherInit_ex2(ctx, NULL, value, iv, encrypt, NULL));
	EVP_CIPHER_CTX_set_padding(ctx, pad);
	if (aad_len)
		ossl(EVP_CipherUpdate(ctx, NULL, &n, aad, aad_len));
	n = 0;
	if (len || !gcm)
		ok = EVP_CipherUpdate(ctx, to, &n, from, len);
	if (gcm && !encrypt)
		ossl(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag_len, tag));
	if (ok == 1)
		ok = EVP_CipherFinal_ex(ctx, to + n, &end);
	if (ok == 1 && gcm && encrypt)
		ossl(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, tag_len, tag));
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return ok == 1 ? n + end : -1;
}

static void aes_one(CK_MECHANISM *mech, int mode, const void *iv, size_t k, size_t len, size_t turn)
{
	unsigned char value[32], *sealed = back;
	CK_OBJECT_HANDLE key;
	CK_ULONG got;
	long want;

	fresh(value, sizeof(value));
	fresh(data, len);
	key = secret_import(s, CKK_AES, value, 16 + 8 * k);
	want = aes_ossl(true, aes_names[k][mode], value, iv, 16, mode == CBC_PAD, NULL, 0, NULL, 0, data,
			len, sealed);
	assert_true(want >= (long)len);
	got = ROOM;
	assert_ok(run_crypt(true, s, mech, key, data, len, split_of(turn), out, &got));
	assert_int_equal(got, want);
	assert_memory_equal(out, sealed, want);
	got = ROOM;
	assert_ok(run_crypt(false, s, mech, key, sealed, want, split_of(turn + len / 16), out, &got));
	assert_int_equal(got, len);
	assert_memory_equal(out, data, len);
	assert_ok(p11->C_DestroyObject(s, key));
}

/* A data unit, with a key of the standard's and, in turn, with two of the vendor's. */
static void xts_one(size_t key_len, size_t len, size_t turn)
{
	unsigned char value[64];
	CK_AES_XTS_PARAMS p;
	CK_MECHANISM one = { CKM_AES_XTS, p.cb, sizeof(p.cb) };
	CK_MECHANISM two = { CKM_AES_XTS_OLD, &p, sizeof(p) };
	CK_MECHANISM *mech = turn % 2 ? &one : &two;
	CK_OBJECT_HANDLE key;
	CK_ULONG got;

	fresh(p.cb, sizeof(p.cb));
	fresh(value, sizeof(value));
	fresh(data, len);
	assert_int_equal(aes_ossl(true, key_len == 32 ? "AES-128-XTS" : "AES-256-XTS", value, p.cb, 16,
				  false, NULL, 0, NULL, 0, data, len, back), len);
	p.hTweakKey = secret_import(s, CKK_AES, value + key_len / 2, key_len / 2);
	key = turn % 2 ? secret_import(s, CKK_AES_XTS, value, key_len) :
			 secret_import(s, CKK_AES, value, key_len / 2);
	got = ROOM;
	assert_ok(run_crypt(true, s, mech, key, data, len, split_of(turn), out, &got));
	assert_int_equal(got, len);
	assert_memory_equal(out, back, len);
	got = ROOM;
	assert_ok(run_crypt(false, s, mech, key, back, len, split_of(turn + 1), out, &got));
	assert_int_equal(got, len);
	assert_memory_equal(out, data, len);
	assert_ok(p11->C_DestroyObject(s, key));
	assert_ok(p11->C_DestroyObject(s, p.hTweakKey));
}

static void aes_xts(void **state)
{
	size_t len, turn;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		if (len < 16)
			continue;
		xts_one(32, len, turn);
		xts_one(64, len, turn + 1);
	}
}

/* Triple DES: keys of both types, OpenSSL's has the first part behind the second once more. */
static void des3_one(int mode, size_t key_len, size_t len, size_t turn)
{
	static const char * const names[] = { "DES-EDE3-ECB", "DES-EDE3-CBC", "DES-EDE3-CBC" };
	static const CK_MECHANISM_TYPE types[] = { CKM_DES3_ECB, CKM_DES3_CBC, CKM_DES3_CBC_PAD };
	unsigned char value[24], iv[8];
	CK_MECHANISM mech = { types[mode], mode == ECB ? NULL : iv, mode == ECB ? 0 : sizeof(iv) };
	CK_OBJECT_HANDLE key;
	CK_ULONG got;
	size_t i;
	long want;

	fresh(iv, sizeof(iv));
	fresh(value, sizeof(value));
	fresh(data, len);
	for (i = 0; i < sizeof(value); i++)
		value[i] ^= !__builtin_parity(value[i]);
	if (key_len == 16)
		memcpy(value + 16, value, 8);
	want = aes_ossl(true, names[mode], value, iv, sizeof(iv), mode == CBC_PAD, NULL, 0, NULL, 0, data,
			len, back);
	assert_true(want >= (long)len);
	key = secret_import(s, key_len == 16 ? CKK_DES2 : CKK_DES3, value, key_len);
	got = ROOM;
	assert_ok(run_crypt(true, s, &mech, key, data, len, split_of(turn), out, &got));
	assert_int_equal(got, want);
	assert_memory_equal(out, back, want);
	got = ROOM;
	assert_ok(run_crypt(false, s, &mech, key, back, want, split_of(turn + 1), out, &got));
	assert_int_equal(got, len);
	assert_memory_equal(out, data, len);
	assert_ok(p11->C_DestroyObject(s, key));
}

static void des3(void **state)
{
	size_t len, turn;
	int mode;

	(void)state;
	if (!mechanism_listed(slot_a, CKM_DES3_ECB))
		skip();
	for (turn = 0; next_len(&len, &turn);)
		for (mode = ECB; mode <= CBC_PAD; mode++)
			des3_one(mode, turn % 2 ? 16 : 24, mode == CBC_PAD ? len : len / 8 * 8, turn);
}

static void aes_ecb_cbc(void **state)
{
	unsigned char iv[16];
	size_t len, turn, k;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, cbc = { CKM_AES_CBC, iv, 16 };
		CK_MECHANISM pad = { CKM_AES_CBC_PAD, iv, 16 };

		for (k = 0; k < 3; k++) {
			fresh(iv, sizeof(iv));
			aes_one(&pad, CBC_PAD, iv, k, len, turn + k);
			aes_one(&ecb, ECB, NULL, k, len / 16 * 16, turn + k);
			aes_one(&cbc, CBC, iv, k, len / 16 * 16, turn + k);
		}
	}
}

static void aes_ctr(void **state)
{
	CK_AES_CTR_PARAMS p = { .ulCounterBits = 128 };
	CK_MECHANISM ctr = { CKM_AES_CTR, &p, sizeof(p) };
	size_t len, turn, k;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			fresh(p.cb, 16);
			/* Carries into the upper half, and around the end. */
			if (turn % 3)
				memset(p.cb + 8, 0xff, 7);
			if (turn % 3 == 2)
				memset(p.cb, 0xff, 8);
			/* The token does not let a counter come back to where it began; this one cannot. */
			aes_one(&ctr, CTR, p.cb, k, turn % 3 == 2 ? len % 16 + 1 : len, turn + k);
		}
	}
}

/* What is no whole block, and what is no padding. */
static void aes_refusals(void **state)
{
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, pad;
	unsigned char iv[16], value[32], sealed[48];
	unsigned int refused = 0, i;
	CK_OBJECT_HANDLE key;
	CK_ULONG got;
	long want;

	(void)state;
	fresh(iv, 16);
	fresh(value, 32);
	key = secret_import(s, CKK_AES, value, 32);
	for (i = 1; i < 16; i++) {
		got = ROOM;
		assert_rv(run_crypt(true, s, &ecb, key, data, 16 + i, ONE_SHOT, out, &got),
			  CKR_DATA_LEN_RANGE);
		got = ROOM;
		assert_rv(run_crypt(false, s, &ecb, key, data, 16 + i, 5, out, &got),
			  CKR_ENCRYPTED_DATA_LEN_RANGE);
	}
	/* Random blocks decrypt to bad padding, mostly: whatever OpenSSL says must be said here. */
	pad = (CK_MECHANISM){ CKM_AES_CBC_PAD, iv, 16 };
	for (i = 0; i < 600; i++) {
		fresh(sealed, sizeof(sealed));
		want = aes_ossl(false, "AES-256-CBC", value, iv, 16, true, NULL, 0, NULL, 0, sealed, 48,
				back);
		got = ROOM;
		if (want < 0) {
			refused++;
			assert_rv(run_crypt(false, s, &pad, key, sealed, 48, split_of(i), out, &got),
				  CKR_ENCRYPTED_DATA_INVALID);
			continue;
		}
		assert_ok(run_crypt(false, s, &pad, key, sealed, 48, split_of(i), out, &got));
		assert_int_equal(got, want);
		assert_memory_equal(out, back, want);
	}
	assert_in_range(refused, 560, 600);	/* about 1 in 255 is good */
}

static void aes_gcm(void **state)
{
	static const unsigned char tags[] = { 4, 8, 12, 13, 14, 15, 16 };
	unsigned char iv[128], aad[300], value[32], tag[16];
	CK_GCM_PARAMS p = { .pIv = iv, .pAAD = aad };
	CK_MECHANISM mech = { CKM_AES_GCM, &p, sizeof(p) };
	size_t len, turn, k, tag_len;
	CK_OBJECT_HANDLE key;
	CK_ULONG got;

	(void)state;
	for (turn = 0; next_len(&len, &turn);) {
		for (k = 0; k < 3; k++) {
			tag_len = tags[rand() % COUNT(tags)];
			p.ulIvLen = turn % 3 ? 1 + rand() % sizeof(iv) : 12;
			p.ulIvBits = 8 * p.ulIvLen;
			p.ulAADLen = turn % 4 ? rand() % sizeof(aad) : 0;
			p.ulTagBits = 8 * tag_len;
			fresh(iv, sizeof(iv));
			fresh(aad, sizeof(aad));
			fresh(value, sizeof(value));
			fresh(data, len);
			key = secret_import(s, CKK_AES, value, 16 + 8 * k);
			assert_int_equal(aes_ossl(true, aes_names[k][GCM], value, iv, p.ulIvLen, false,
						  aad, p.ulAADLen, tag, tag_len, data, len, back), len);
			memcpy(back + len, tag, tag_len);
			got = ROOM;
			assert_ok(run_crypt(true, s, &mech, key, data, len, split_of(turn + k), out,
					    &got));
			assert_int_equal(got, len + tag_len);
			assert_memory_equal(out, back, len + tag_len);
			got = ROOM;
			assert_ok(run_crypt(false, s, &mech, key, back, len + tag_len, split_of(turn),
					    out, &got));
			assert_int_equal(got, len);
			assert_memory_equal(out, data, len);
			back[rand() % (len + tag_len)] ^= 0x20;
			got = ROOM;
			assert_rv(run_crypt(false, s, &mech, key, back, len + tag_len, split_of(k), out,
					    &got), CKR_ENCRYPTED_DATA_INVALID);
			assert_ok(p11->C_DestroyObject(s, key));
		}
	}
}

/* Without an IV the token draws one of 16 bytes and puts it behind the tag. */
static void aes_gcm_internal_iv(void **state)
{
	unsigned char aad[] = "bound to the text", value[32], iv[16] = { 0 };
	CK_GCM_PARAMS p = { NULL, 0, 0, aad, sizeof(aad), 96 };
	CK_MECHANISM mech = { CKM_AES_GCM, &p, sizeof(p) };
	CK_OBJECT_HANDLE key;
	size_t len, turn;
	CK_ULONG got;

	(void)state;
	fresh(value, sizeof(value));
	key = secret_import(s, CKK_AES, value, sizeof(value));
	for (turn = 0; next_len(&len, &turn);) {
		p = (CK_GCM_PARAMS){ NULL, 0, 0, aad, sizeof(aad), 96 };
		fresh(data, len);
		got = ROOM;
		assert_ok(run_crypt(true, s, &mech, key, data, len, split_of(turn), out, &got));
		assert_int_equal(got, len + 12 + 16);
		assert_memory_not_equal(out + len + 12, iv, 16);
		memcpy(iv, out + len + 12, 16);
		assert_int_equal(aes_ossl(false, "AES-256-GCM", value, iv, 16, false, aad, sizeof(aad),
					  out + len, 12, out, len, back), len);
		assert_memory_equal(back, data, len);
		p = (CK_GCM_PARAMS){ iv, 16, 128, aad, sizeof(aad), 96 };
		got = ROOM;
		assert_ok(run_crypt(false, s, &mech, key, out, len + 12, split_of(turn + 1), back, &got));
		assert_int_equal(got, len);
		assert_memory_equal(back, data, len);
	}
	p = (CK_GCM_PARAMS){ NULL, 0, 0, aad, sizeof(aad), 96 };
	assert_rv(p11->C_DecryptInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
}

/* More than a call to the device holds, at once and in one part each. */
static void large(void **state)
{
	const size_t len = (3 << 20) + 5;
	unsigned char *plain = malloc(len), *sealed = malloc(len + 64), *opened = malloc(len + 64);
	unsigned char value[32], iv[16], want[64];
	CK_AES_CTR_PARAMS p = { .ulCounterBits = 128 };
	CK_GCM_PARAMS g = { iv, 12, 96, NULL, 0, 128 };
	CK_MECHANISM hash = { CKM_SHA512, NULL, 0 }, mac = { CKM_AES_CMAC, NULL, 0 };
	CK_MECHANISM mechs[] = {
		{ CKM_AES_CTR, &p, sizeof(p) }, { CKM_AES_CBC_PAD, iv, 16 }, { CKM_AES_GCM, &g, sizeof(g) },
	};
	static const int modes[] = { CTR, CBC_PAD, GCM };
	CK_OBJECT_HANDLE key;
	CK_ULONG got;
	size_t m, way;
	long n;

	(void)state;
	assert_true(plain && sealed && opened);
	fresh(value, sizeof(value));
	fresh(iv, sizeof(iv));
	fresh(plain, len);
	memcpy(p.cb, iv, 16);
	p.cb[0] &= 0x7f;
	key = secret_import(s, CKK_AES, value, sizeof(value));
	ossl(EVP_Digest(plain, len, want, NULL, EVP_sha512(), NULL));
	for (way = 0; way < 2; way++) {
		int split = way ? (int)len : ONE_SHOT;

		got = ROOM;
		assert_ok(run_digest(s, &hash, plain, len, split, out, &got));
		assert_memory_equal(out, want, 64);
		got = ROOM;
		assert_ok(run_sign(s, &mac, key, plain, len, split, out, &got));
		assert_ok(run_verify(s, &mac, key, plain, len, RANDOM_PARTS, out, got));
		for (m = 0; m < COUNT(modes); m++) {
			const void *start = modes[m] == CTR ? p.cb : iv;
			size_t iv_len = modes[m] == GCM ? 12 : 16, tag = modes[m] == GCM ? 16 : 0;

			got = len + 64;
			assert_ok(run_crypt(true, s, &mechs[m], key, plain, len, split, sealed, &got));
			n = aes_ossl(false, aes_names[2][modes[m]], value, start, iv_len, true, NULL, 0,
				     sealed + got - tag, tag, sealed, got - tag, opened);
			assert_int_equal(n, len);
			assert_memory_equal(opened, plain, len);
			memset(opened, 0, len);
			n = got;
			got = len + 64;
			assert_ok(run_crypt(false, s, &mechs[m], key, sealed, n, way ? (int)n : ONE_SHOT,
					    opened, &got));
			assert_int_equal(got, len);
			assert_memory_equal(opened, plain, len);
		}
	}
	free(plain);
	free(sealed);
	free(opened);
}

/* ---- key wrap ---- */

static CK_OBJECT_HANDLE unwrap_secret(CK_MECHANISM *mech, CK_OBJECT_HANDLE kek, CK_KEY_TYPE type,
				      const void *wrapped, CK_ULONG len)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no),
		ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_TOKEN, no),
	};
	CK_OBJECT_HANDLE key = 0;

	assert_ok(p11->C_UnwrapKey(s, mech, kek, (CK_BYTE_PTR)wrapped, len, tmpl, COUNT(tmpl), &key));
	return key;
}

static void secret_wrap(void **state)
{
	unsigned char value[32], secret[512];
	CK_OBJECT_HANDLE kek, key;
	size_t len, k, pad;
	CK_ULONG got;
	long want;

	(void)state;
	for (k = 0; k < 3; k++) {
		fresh(value, sizeof(value));
		kek = secret_import(s, CKK_AES, value, 16 + 8 * k);
		for (len = 1; len <= sizeof(secret); len += len < 80 ? 1 : 1 + rand() % 40) {
			for (pad = 0; pad < 2; pad++) {
				CK_MECHANISM mech = { pad ? CKM_AES_KWP : CKM_AES_KW, NULL, 0 };

				if (!pad && (len % 8 || len < 16))
					continue;
				fresh(secret, len);
				key = secret_import(s, CKK_GENERIC_SECRET, secret, len);
				want = aes_ossl(true, aes_names[k][pad ? WRAP_PAD : WRAP], value, NULL, 0,
						false, NULL, 0, NULL, 0, secret, len, back);
				assert_int_equal(want, (len + 7) / 8 * 8 + 8);
				got = ROOM;
				assert_ok(p11->C_WrapKey(s, &mech, kek, key, out, &got));
				assert_int_equal(got, want);
				assert_memory_equal(out, back, want);
				assert_ok(p11->C_DestroyObject(s, key));
				key = unwrap_secret(&mech, kek, CKK_GENERIC_SECRET, back, want);
				assert_value(s, key, CKA_VALUE, secret, len);
				assert_ok(p11->C_DestroyObject(s, key));
			}
		}
	}
}

/* What OpenSSL opens of @len wrapped bytes in out, and back: @filled bytes, the value and zeros. */
static void wrap_both(CK_MECHANISM *mech, CK_OBJECT_HANDLE kek, const unsigned char *value, int mode,
		      const void *iv, size_t iv_len, const unsigned char *secret, size_t len,
		      size_t filled)
{
	CK_OBJECT_HANDLE key = secret_import(s, CKK_GENERIC_SECRET, secret, len);
	size_t tag_len = mode == GCM ? 16 : 0;
	unsigned char zeros[16] = { 0 }, tag[16];
	CK_ULONG got = ROOM;
	long n;

	assert_ok(p11->C_WrapKey(s, mech, kek, key, out, &got));
	n = aes_ossl(false, aes_names[2][mode], value, iv, iv_len, mode == CBC_PAD, NULL, 0,
		     out + got - tag_len, tag_len, out, got - tag_len, back);
	assert_int_equal(n, filled);
	assert_memory_equal(back, secret, len);
	assert_memory_equal(back + len, zeros, filled - len);
	if (filled != len)
		return;
	n = aes_ossl(true, aes_names[2][mode], value, iv, iv_len, mode == CBC_PAD, NULL, 0, tag, tag_len,
		     secret, len, back);
	memcpy(back + n, tag, tag_len);
	assert_int_equal(n + tag_len, got);
	key = unwrap_secret(mech, kek, CKK_GENERIC_SECRET, back, got);
	assert_value(s, key, CKA_VALUE, secret, len);
}

/* The ciphers as wrapping mechanisms: ECB and CBC fill up with zeros. */
static void cipher_wrap(void **state)
{
	static const size_t lens[] = { 16, 20, 24, 32, 47, 48, 100, 512 };
	unsigned char value[32], iv[16], secret[512];
	CK_GCM_PARAMS p = { iv, 12, 96, NULL, 0, 128 };
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, cbc = { CKM_AES_CBC, iv, 16 };
	CK_MECHANISM pad = { CKM_AES_CBC_PAD, iv, 16 }, gcm = { CKM_AES_GCM, &p, sizeof(p) };
	CK_OBJECT_HANDLE kek;
	size_t i, blocks;

	(void)state;
	fresh(value, sizeof(value));
	kek = secret_import(s, CKK_AES, value, sizeof(value));
	for (i = 0; i < COUNT(lens); i++) {
		fresh(iv, sizeof(iv));
		fresh(secret, lens[i]);
		blocks = (lens[i] + 15) / 16 * 16;
		wrap_both(&ecb, kek, value, ECB, NULL, 0, secret, lens[i], blocks);
		wrap_both(&cbc, kek, value, CBC, iv, 16, secret, lens[i], blocks);
		wrap_both(&pad, kek, value, CBC_PAD, iv, 16, secret, lens[i], lens[i]);
		wrap_both(&gcm, kek, value, GCM, iv, 12, secret, lens[i], lens[i]);
	}
}

/* ---- RSA keys of OpenSSL ---- */

static struct bytes number_of(EVP_PKEY *pkey, const char *name)
{
	struct bytes b = { NULL, 0 };
	BIGNUM *bn = NULL;

	ossl(EVP_PKEY_get_bn_param(pkey, name, &bn));
	b.len = BN_num_bytes(bn);
	b.data = malloc(b.len + 1);
	assert_non_null(b.data);
	BN_bn2bin(bn, b.data);
	BN_clear_free(bn);
	return b;
}

static struct rsa_numbers numbers_of(EVP_PKEY *pkey)
{
	return (struct rsa_numbers){
		number_of(pkey, OSSL_PKEY_PARAM_RSA_N), number_of(pkey, OSSL_PKEY_PARAM_RSA_E),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_D), number_of(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2),
		number_of(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1),
	};
}

static void numbers_free(struct rsa_numbers *k)
{
	free(k->n.data);
	free(k->e.data);
	free(k->d.data);
	free(k->p.data);
	free(k->q.data);
	free(k->dp.data);
	free(k->dq.data);
	free(k->qi.data);
}

static EVP_PKEY *ossl_rsa(int bits)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);

	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_bits(pkey), bits);
	return pkey;
}

/* A public key of the token. */
static EVP_PKEY *public_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE pub)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	CK_ULONG n_len, e_len;
	unsigned char *n = attr_bytes(session, pub, CKA_MODULUS, &n_len);
	unsigned char *e = attr_bytes(session, pub, CKA_PUBLIC_EXPONENT, &e_len);
	BIGNUM *bn_n = BN_bin2bn(n, n_len, NULL), *bn_e = BN_bin2bn(e, e_len, NULL);
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	ossl(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, bn_n));
	ossl(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, bn_e));
	params = OSSL_PARAM_BLD_to_param(build);
	ossl(EVP_PKEY_fromdata_init(ctx));
	ossl(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params));
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(ctx);
	BN_free(bn_n);
	BN_free(bn_e);
	free(n);
	free(e);
	return pkey;
}

/* A padding and what it is made of */
struct scheme {
	int padding;
	const EVP_MD *md, *mgf;
	int salt;
	const char *label;
};

static void set_scheme(EVP_PKEY_CTX *ctx, const struct scheme *w, bool signature)
{
	ossl(EVP_PKEY_CTX_set_rsa_padding(ctx, w->padding));
	if (signature && w->md)
		ossl(EVP_PKEY_CTX_set_signature_md(ctx, w->md));
	if (w->padding == RSA_PKCS1_PSS_PADDING)
		ossl(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, w->salt));
	if (w->padding == RSA_PKCS1_OAEP_PADDING)
		ossl(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, w->md));
	if (w->mgf)
		ossl(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, w->mgf));
	if (w->label)
		ossl(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, strdup(w->label), strlen(w->label)));
}

static void ossl_sign(EVP_PKEY *pkey, const struct scheme *w, const void *msg, size_t len,
		      unsigned char *sig, size_t *sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);

	ossl(EVP_PKEY_sign_init(ctx));
	set_scheme(ctx, w, true);
	ossl(EVP_PKEY_sign(ctx, sig, sig_len, msg, len));
	EVP_PKEY_CTX_free(ctx);
}

static bool ossl_verify(EVP_PKEY *pkey, const struct scheme *w, const void *msg, size_t len,
			const unsigned char *sig, size_t sig_len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	int ok;

	ossl(EVP_PKEY_verify_init(ctx));
	set_scheme(ctx, w, true);
	ok = EVP_PKEY_verify(ctx, sig, sig_len, msg, len);
	EVP_PKEY_CTX_free(ctx);
	return ok == 1;
}

static size_t ossl_encrypt(EVP_PKEY *pkey, const struct scheme *w, const void *msg, size_t len,
			   unsigned char *to)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t to_len = ROOM;

	ossl(EVP_PKEY_encrypt_init(ctx));
	set_scheme(ctx, w, false);
	ossl(EVP_PKEY_encrypt(ctx, to, &to_len, msg, len));
	EVP_PKEY_CTX_free(ctx);
	return to_len;
}

static size_t ossl_decrypt(EVP_PKEY *pkey, const struct scheme *w, const void *msg, size_t len,
			   unsigned char *to)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t to_len = ROOM;

	ossl(EVP_PKEY_decrypt_init(ctx));
	set_scheme(ctx, w, false);
	ossl(EVP_PKEY_decrypt(ctx, to, &to_len, msg, len));
	EVP_PKEY_CTX_free(ctx);
	return to_len;
}

/* The same key here and there. */
struct pair {
	EVP_PKEY *pkey;
	CK_OBJECT_HANDLE pub, priv;
	size_t size;
	int bits;
};

static struct pair pair_import(int bits)
{
	struct pair pair = { .pkey = ossl_rsa(bits), .size = (bits + 7) / 8, .bits = bits };
	struct rsa_numbers k = numbers_of(pair.pkey);

	pair.pub = rsa_import_public(s, &k);
	pair.priv = rsa_import_private(s, &k, true);
	numbers_free(&k);
	return pair;
}

/* ---- RSA signatures ---- */

/* Token to OpenSSL and back, of @len bytes in data. @msg: what OpenSSL signs */
static void sign_both(const struct pair *pair, CK_MECHANISM *mech, const struct scheme *w, size_t len,
		      const void *msg, size_t msg_len, int split)
{
	unsigned char sig[1024];
	size_t want = sizeof(sig);
	CK_ULONG got = sizeof(sig);

	assert_ok(run_sign(s, mech, pair->priv, data, len, split, sig, &got));
	assert_int_equal(got, pair->size);
	assert_true(ossl_verify(pair->pkey, w, msg, msg_len, sig, got));
	assert_ok(run_verify(s, mech, pair->pub, data, len, split, sig, got));
	sig[got - 1] ^= 1;
	assert_rv(run_verify(s, mech, pair->pub, data, len, split, sig, got), CKR_SIGNATURE_INVALID);
	ossl_sign(pair->pkey, w, msg, msg_len, sig, &want);
	assert_int_equal(want, pair->size);
	assert_ok(run_verify(s, mech, pair->pub, data, len, split, sig, want));
	data[0] ^= 1;
	assert_rv(run_verify(s, mech, pair->pub, data, len, split, sig, want), CKR_SIGNATURE_INVALID);
	data[0] ^= 1;
}

static void sign_pkcs1(const struct pair *pair)
{
	unsigned char digest[64];
	unsigned int n;
	size_t h, len;

	for (h = 0; h < COUNT(hashes); h++) {
		const struct scheme w = { .padding = RSA_PKCS1_PADDING, .md = hashes[h].md() };
		CK_MECHANISM mech = { hashes[h].pkcs, NULL, 0 };

		len = 1 + rand() % 50000;
		fresh(data, len);
		ossl(EVP_Digest(data, len, digest, &n, w.md, NULL));
		sign_both(pair, &mech, &w, len, digest, n, ONE_SHOT);
		sign_both(pair, &mech, &w, len, digest, n, RANDOM_PARTS);
	}
	for (len = 1; len <= pair->size - 11; len += 1 + rand() % 30) {
		const struct scheme w = { .padding = RSA_PKCS1_PADDING };
		CK_MECHANISM mech = { CKM_RSA_PKCS, NULL, 0 };

		fresh(data, len);
		sign_both(pair, &mech, &w, len, data, len, ONE_SHOT);
	}
}

static void sign_pss(const struct pair *pair)
{
	unsigned char digest[64];
	size_t h, g, i, len, hlen;
	unsigned int n;
	long salts[4];

	for (h = 0; h < COUNT(hashes); h++) {
		hlen = EVP_MD_get_size(hashes[h].md());
		salts[0] = 0;
		salts[1] = (pair->bits - 1 + 7) / 8 - hlen - 2;
		salts[2] = rand() % (salts[1] + 1);
		salts[3] = hlen;
		for (g = 0; g < COUNT(hashes); g++) {
			if (!hashes_meet(h, g))
				continue;
			/* A key may be too short for hash and salt of the same length. */
			for (i = 0; i < (salts[3] <= salts[1] ? 4 : 3); i++) {
				CK_RSA_PKCS_PSS_PARAMS p = { hashes[h].type, hashes[g].mgf, salts[i] };
				CK_MECHANISM mech = { hashes[h].pss, &p, sizeof(p) };
				const struct scheme w = {
					.padding = RSA_PKCS1_PSS_PADDING, .md = hashes[h].md(),
					.mgf = hashes[g].md(), .salt = salts[i],
				};

				len = 1 + rand() % 3000;
				fresh(data, len);
				ossl(EVP_Digest(data, len, digest, &n, w.md, NULL));
				sign_both(pair, &mech, &w, len, digest, n, split_of(rand()));
				memcpy(data, digest, n);
				mech.mechanism = CKM_RSA_PKCS_PSS;
				sign_both(pair, &mech, &w, n, digest, n, ONE_SHOT);
			}
		}
	}
}

static void rsa_signatures(void **state)
{
	/* 1025 and 1537: the encoding of PSS is a byte shorter than the modulus */
	static const int sizes[] = { 1024, 1025, 1032, 1537, 2047, 2048, 2056 };
	struct pair pair;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		if (!rsa_takes(sizes[i], 3))
			continue;
		pair = pair_import(sizes[i]);
		sign_pkcs1(&pair);
		sign_pss(&pair);
		EVP_PKEY_free(pair.pkey);
	}
}

/* ---- RSA encryption ---- */

static void crypt_both(const struct pair *pair, CK_MECHANISM *mech, const struct scheme *w, size_t len)
{
	CK_ULONG got = ROOM;
	size_t n;

	fresh(data, len);
	assert_ok(run_crypt(true, s, mech, pair->pub, data, len, ONE_SHOT, out, &got));
	assert_int_equal(got, pair->size);
	n = ossl_decrypt(pair->pkey, w, out, got, back);
	assert_int_equal(n, len);
	assert_memory_equal(back, data, len);
	n = ossl_encrypt(pair->pkey, w, data, len, out);
	got = ROOM;
	assert_ok(run_crypt(false, s, mech, pair->priv, out, n, ONE_SHOT, back, &got));
	assert_int_equal(got, len);
	assert_memory_equal(back, data, len);
}

static void encrypt_oaep(const struct pair *pair, const char *label)
{
	size_t h, g, most;

	for (h = 0; h < COUNT(hashes); h++) {
		/* 1024 bits are too few for SHA-512 */
		if (pair->size < 2 * (size_t)EVP_MD_get_size(hashes[h].md()) + 2)
			continue;
		most = pair->size - 2 * EVP_MD_get_size(hashes[h].md()) - 2;
		for (g = 0; g < COUNT(hashes); g++) {
			CK_RSA_PKCS_OAEP_PARAMS p = {
				hashes[h].type, hashes[g].mgf, CKZ_DATA_SPECIFIED,
				(void *)label, label ? strlen(label) : 0,
			};
			CK_MECHANISM mech = { CKM_RSA_PKCS_OAEP, &p, sizeof(p) };
			const struct scheme w = {
				.padding = RSA_PKCS1_OAEP_PADDING, .md = hashes[h].md(),
				.mgf = hashes[g].md(), .label = label,
			};

			if (!hashes_meet(h, g))
				continue;
			crypt_both(pair, &mech, &w, 0);
			crypt_both(pair, &mech, &w, most);
			crypt_both(pair, &mech, &w, rand() % (most + 1));
		}
	}
}

static void rsa_encryption(void **state)
{
	static const int sizes[] = { 1024, 1025, 1032, 2047, 2048, 2056 };
	CK_MECHANISM pkcs = { CKM_RSA_PKCS, NULL, 0 }, raw = { CKM_RSA_X_509, NULL, 0 };
	const struct scheme pkcs1 = { .padding = RSA_PKCS1_PADDING };
	const struct scheme none = { .padding = RSA_NO_PADDING };
	struct pair pair;
	CK_ULONG got;
	size_t i, j;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		if (!rsa_takes(sizes[i], 3))
			continue;
		pair = pair_import(sizes[i]);
		for (j = 0; j <= pair.size - 11; j += 1 + rand() % 12)
			crypt_both(&pair, &pkcs, &pkcs1, j);
		crypt_both(&pair, &pkcs, &pkcs1, pair.size - 11);
		encrypt_oaep(&pair, NULL);
		encrypt_oaep(&pair, "a label of some length");
		for (j = 0; j < 20; j++) {
			fresh(data, pair.size);
			data[0] = 0;
			assert_int_equal(ossl_encrypt(pair.pkey, &none, data, pair.size, back), pair.size);
			got = ROOM;
			assert_ok(run_crypt(true, s, &raw, pair.pub, data, pair.size, ONE_SHOT, out, &got));
			assert_int_equal(got, pair.size);
			assert_memory_equal(out, back, got);
			got = ROOM;
			assert_ok(run_crypt(false, s, &raw, pair.priv, back, pair.size, ONE_SHOT, out, &got));
			assert_int_equal(got, pair.size);
			assert_memory_equal(out, data, got);
		}
		EVP_PKEY_free(pair.pkey);
	}
}

/* With 8i + 1 bits the modulus has a byte that PSS leaves zero. */
static void rsa_pss_byte_above(void **state)
{
	const struct scheme none = { .padding = RSA_NO_PADDING };
	const struct scheme pss = { .padding = RSA_PKCS1_PSS_PADDING, .md = EVP_sha256(),
				    .mgf = EVP_sha256(), .salt = 32 };
	CK_RSA_PKCS_PSS_PARAMS p = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
	CK_MECHANISM mech = { CKM_RSA_PKCS_PSS, &p, sizeof(p) };
	unsigned char digest[32], em[129];
	struct bytes n;
	struct pair pair;
	size_t len;

	(void)state;
	if (!rsa_takes(1025, 3))
		skip();
	pair = pair_import(1025);
	n = number_of(pair.pkey, OSSL_PKEY_PARAM_RSA_N);
	do {
		fresh(digest, sizeof(digest));
		len = sizeof(em);
		ossl_sign(pair.pkey, &pss, digest, 32, back, &len);
		assert_ok(run_verify(s, &mech, pair.pub, digest, 32, ONE_SHOT, back, len));
		assert_int_equal(ossl_encrypt(pair.pkey, &none, back, len, em), sizeof(em));
		assert_int_equal(em[0], 0);
		em[0] = 1;
	} while (memcmp(em, n.data, sizeof(em)) >= 0);
	len = ossl_decrypt(pair.pkey, &none, em, sizeof(em), back);
	assert_false(ossl_verify(pair.pkey, &pss, digest, 32, back, len));
	assert_rv(run_verify(s, &mech, pair.pub, digest, 32, ONE_SHOT, back, len),
		  CKR_SIGNATURE_INVALID);
	free(n.data);
	EVP_PKEY_free(pair.pkey);
}

/* Secret keys under RSA, both ways. */
static void rsa_wrap(void **state)
{
	struct pair pair = pair_import(2048);
	unsigned char secret[32];
	CK_OBJECT_HANDLE key;
	size_t h, n;
	CK_ULONG got;

	(void)state;
	for (h = 0; h <= COUNT(hashes); h++) {
		bool oaep = h < COUNT(hashes);
		CK_RSA_PKCS_OAEP_PARAMS p = { .source = CKZ_DATA_SPECIFIED };
		CK_MECHANISM mech = { CKM_RSA_PKCS, NULL, 0 };
		struct scheme w = { .padding = RSA_PKCS1_PADDING };

		if (oaep) {
			p.hashAlg = hashes[h].type;
			p.mgf = hashes[h].mgf;
			mech = (CK_MECHANISM){ CKM_RSA_PKCS_OAEP, &p, sizeof(p) };
			w = (struct scheme){ .padding = RSA_PKCS1_OAEP_PADDING, .md = hashes[h].md(),
					     .mgf = hashes[h].md() };
		}
		fresh(secret, sizeof(secret));
		key = secret_import(s, CKK_AES, secret, sizeof(secret));
		got = ROOM;
		assert_ok(p11->C_WrapKey(s, &mech, pair.pub, key, out, &got));
		assert_int_equal(ossl_decrypt(pair.pkey, &w, out, got, back), sizeof(secret));
		assert_memory_equal(back, secret, sizeof(secret));
		fresh(secret, sizeof(secret));
		n = ossl_encrypt(pair.pkey, &w, secret, sizeof(secret), out);
		key = unwrap_secret(&mech, pair.priv, CKK_AES, out, n);
		assert_value(s, key, CKA_VALUE, secret, sizeof(secret));
	}
	EVP_PKEY_free(pair.pkey);
}

/* ---- RSA keys, in and out ---- */

/* Does the private key belong to @pkey? */
static void assert_private(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE priv, EVP_PKEY *pkey)
{
	const struct scheme w = { .padding = RSA_PKCS1_PADDING, .md = EVP_sha256() };
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	unsigned char sig[1024], digest[32];
	CK_ULONG got = sizeof(sig);

	fresh(data, 1000);
	ossl(EVP_Digest(data, 1000, digest, NULL, w.md, NULL));
	assert_ok(run_sign(session, &mech, priv, data, 1000, ONE_SHOT, sig, &got));
	assert_int_equal(got, EVP_PKEY_get_size(pkey));
	assert_true(ossl_verify(pkey, &w, digest, 32, sig, got));
}

static void rsa_import(void **state)
{
	static const int sizes[] = { 1024, 1032, 1536, 1544, 2048, 2056, 3072, 3080, 4088, 4096 };
	struct bytes e;
	struct rsa_numbers k;
	EVP_PKEY *pkey, *pub;
	CK_OBJECT_HANDLE obj;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(sizes); i++) {
		if (!rsa_takes(sizes[i], 3))
			continue;
		pkey = ossl_rsa(sizes[i]);
		k = numbers_of(pkey);
		obj = rsa_import_public(s, &k);
		assert_int_equal(attr_ulong(s, obj, CKA_MODULUS_BITS), sizes[i]);
		pub = public_of(s, obj);
		assert_int_equal(EVP_PKEY_eq(pub, pkey), 1);
		assert_private(s, rsa_import_private(s, &k, true), pub);
		assert_private(s, rsa_import_private(s, &k, false), pub);
		/* The public exponent is not required of a private key. */
		e = k.e;
		k.e.data = NULL;
		assert_private(s, rsa_import_private(s, &k, true), pub);
		assert_private(s, rsa_import_private(s, &k, false), pub);
		k.e = e;
		numbers_free(&k);
		EVP_PKEY_free(pub);
		EVP_PKEY_free(pkey);
	}
}

/* A part for the CRT that is wrong must not come out as a wrong signature, which tells the primes. */
static void rsa_faulty_crt(void **state)
{
	const struct scheme w = { .padding = RSA_PKCS1_PADDING, .md = EVP_sha256() };
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	EVP_PKEY *pkey = ossl_rsa(2048);
	struct rsa_numbers k = numbers_of(pkey);
	struct bytes *parts[] = { &k.p, &k.q, &k.dp, &k.dq, &k.qi };
	unsigned char sig[256], untouched[256], digest[32];
	CK_OBJECT_HANDLE key;
	CK_ULONG got;
	CK_RV rv;
	size_t i;

	(void)state;
	fresh(data, 100);
	ossl(EVP_Digest(data, 100, digest, NULL, w.md, NULL));
	memset(untouched, 0xee, sizeof(untouched));
	for (i = 0; i < COUNT(parts); i++) {
		parts[i]->data[50] ^= 1;
		key = rsa_import_private(s, &k, true);
		got = sizeof(sig);
		memset(sig, 0xee, sizeof(sig));
		rv = run_sign(s, &mech, key, data, 100, ONE_SHOT, sig, &got);
		if (rv == CKR_OK)
			assert_true(ossl_verify(pkey, &w, digest, 32, sig, got));
		else
			assert_memory_equal(sig, untouched, sizeof(sig));
		parts[i]->data[50] ^= 1;
	}
	assert_private(s, rsa_import_private(s, &k, true), pkey);
	numbers_free(&k);
	EVP_PKEY_free(pkey);
}

/* PKCS#8, as OpenSSL writes it, through each mechanism that wraps. */
static void rsa_unwrap(void **state)
{
	static const int sizes[] = { 1024, 1032, 2048, 2056 };
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR(CKA_SIGN, yes),
	};
	unsigned char value[32], iv[16], *der;
	CK_OBJECT_HANDLE kek, priv;
	EVP_PKEY *pkey;
	size_t i, m;
	long n;
	int len;

	(void)state;
	fresh(value, sizeof(value));
	fresh(iv, sizeof(iv));
	kek = secret_import(s, CKK_AES, value, sizeof(value));
	for (i = 0; i < COUNT(sizes); i++) {
		PKCS8_PRIV_KEY_INFO *p8;

		if (!rsa_takes(sizes[i], 3))
			continue;
		pkey = ossl_rsa(sizes[i]);
		p8 = EVP_PKEY2PKCS8(pkey);
		der = NULL;
		len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
		assert_true(len > 0);
		for (m = 0; m < 3; m++) {
			CK_MECHANISM mech = { m == 0 ? CKM_AES_KWP : m == 1 ? CKM_AES_CBC_PAD : CKM_AES_KW,
					      m == 1 ? iv : NULL, m == 1 ? 16 : 0 };

			/* KW takes whole semiblocks only. */
			if (m == 2 && len % 8)
				continue;
			n = aes_ossl(true, m == 0 ? "AES-256-WRAP-PAD" : m == 1 ? "AES-256-CBC" :
				     "AES-256-WRAP", value, m == 1 ? iv : NULL, 16, true, NULL, 0, NULL, 0,
				     der, len, back);
			assert_true(n > len);
			assert_ok(p11->C_UnwrapKey(s, &mech, kek, back, n, tmpl, COUNT(tmpl), &priv));
			assert_private(s, priv, pkey);
			assert_ok(p11->C_DestroyObject(s, priv));
			back[n / 2] ^= 1;
			if (m != 1)
				assert_rv(p11->C_UnwrapKey(s, &mech, kek, back, n, tmpl, COUNT(tmpl),
							   &priv), CKR_WRAPPED_KEY_INVALID);
		}
		OPENSSL_free(der);
		PKCS8_PRIV_KEY_INFO_free(p8);
		EVP_PKEY_free(pkey);
	}
}

/* ---- RSA keys of the token ---- */

/* Generates a pair, takes its private key out and asks OpenSSL whether it is one. */
static void generate_one(CK_SESSION_HANDLE b, CK_OBJECT_HANDLE kek, const unsigned char *value,
			 CK_ULONG bits, const void *e, CK_ULONG e_len)
{
	CK_MECHANISM gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 }, kwp = { CKM_AES_KWP, NULL, 0 };
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_MODULUS_BITS, bits),
		ATTR_BYTES(CKA_PUBLIC_EXPONENT, e, e_len), ATTR(CKA_VERIFY, yes),
	};
	CK_ATTRIBUTE priv_tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_SIGN, yes), ATTR(CKA_SENSITIVE, yes),
		ATTR(CKA_EXTRACTABLE, yes),
	};
	CK_OBJECT_HANDLE pub, priv;
	const unsigned char *at = back;
	PKCS8_PRIV_KEY_INFO *p8;
	EVP_PKEY *pkey, *public;
	EVP_PKEY_CTX *ctx;
	CK_ULONG got = ROOM;
	struct bytes half;
	long n;

	if (!rsa_takes(bits, e_len))
		return;
	assert_ok(p11->C_GenerateKeyPair(b, &gen, pub_tmpl, COUNT(pub_tmpl), priv_tmpl,
					 COUNT(priv_tmpl), &pub, &priv));
	assert_int_equal(attr_ulong(b, pub, CKA_MODULUS_BITS), bits);
	public = public_of(b, pub);
	assert_int_equal(EVP_PKEY_get_bits(public), bits);
	half = number_of(public, OSSL_PKEY_PARAM_RSA_E);
	assert_int_equal(half.len, e_len);
	assert_memory_equal(half.data, e, e_len);
	free(half.data);
	assert_private(b, priv, public);

	assert_ok(p11->C_WrapKey(b, &kwp, kek, priv, out, &got));
	n = aes_ossl(false, "AES-256-WRAP-PAD", value, NULL, 0, false, NULL, 0, NULL, 0, out, got, back);
	assert_true(n > 0);
	p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, n);
	assert_non_null(p8);
	assert_ptr_equal(at, back + n);
	pkey = EVP_PKCS82PKEY(p8);
	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_eq(pkey, public), 1);
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	ossl(EVP_PKEY_check(ctx));	/* the primes' primality, and all that belongs together */
	half = number_of(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1);
	assert_int_equal(half.len, (bits / 2 + 7) / 8);
	free(half.data);
	half = number_of(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2);
	assert_int_equal(half.len, (bits / 2 + 7) / 8);
	free(half.data);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	EVP_PKEY_free(public);
	PKCS8_PRIV_KEY_INFO_free(p8);
}

/* Cloning (policy 0) or wrapping (1) of private keys: changing it ends all objects. */
static void allow_private_wrapping(CK_ULONG allowed)
{
	CK_ULONG ids[] = { 0, 1 }, values[] = { !allowed, allowed };
	CK_SESSION_HANDLE so = session_so(slot_b);

	assert_ok(ca->CA_SetTokenPolicies(so, slot_b, 2, ids, values));
	sessions_close(slot_b);
}

static void rsa_generate(void **state)
{
	static const CK_ULONG sizes[] = { 1024, 1032, 1040, 2048, 2056, 3072, 4096 };
	static const unsigned char usual[] = { 1, 0, 1 }, three[] = { 3 }, long_e[] = { 1, 0, 0, 0, 15 };
	CK_MECHANISM gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_ULONG bits = 1036;
	CK_ATTRIBUTE odd[] = { ATTR(CKA_MODULUS_BITS, bits) };
	unsigned char value[32];
	CK_OBJECT_HANDLE kek, pub, priv;
	CK_SESSION_HANDLE b;
	size_t i;

	(void)state;
	allow_private_wrapping(1);
	b = session_co(slot_b);
	fresh(value, sizeof(value));
	kek = secret_import(b, CKK_AES, value, sizeof(value));
	for (i = 0; i < COUNT(sizes); i++)
		generate_one(b, kek, value, sizes[i], usual, sizeof(usual));
	/* Short ones often, so that a number with a leading zero comes along. */
	for (i = 0; i < 20; i++)
		generate_one(b, kek, value, i % 2 ? 1024 : 1032, usual, sizeof(usual));
	generate_one(b, kek, value, 1024, three, sizeof(three));
	generate_one(b, kek, value, 1032, long_e, sizeof(long_e));
	generate_one(b, kek, value, 2048, long_e, sizeof(long_e));
	if (getenv("LUNA_TEST_SLOW"))
		generate_one(b, kek, value, 8192, usual, sizeof(usual));
	assert_rv(p11->C_GenerateKeyPair(b, &gen, odd, 1, NULL, 0, &pub, &priv),
		  CKR_ATTRIBUTE_VALUE_INVALID);
	bits = 1016;
	assert_rv(p11->C_GenerateKeyPair(b, &gen, odd, 1, NULL, 0, &pub, &priv), CKR_KEY_SIZE_RANGE);
	bits = 8200;
	assert_rv(p11->C_GenerateKeyPair(b, &gen, odd, 1, NULL, 0, &pub, &priv), CKR_KEY_SIZE_RANGE);
	sessions_close(slot_b);
	allow_private_wrapping(0);
}

/* ---- the token wrapping certificate ---- */

static void token_certificate(void **state)
{
	unsigned char der[4096], text[64], *names[2];
	const unsigned char *at = der;
	CK_ULONG len = sizeof(der);
	CK_TOKEN_INFO info;
	X509_NAME *subject;
	X509 *cert;
	int i, digits;

	(void)state;
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, der, &len));
	cert = d2i_X509(NULL, &at, len);
	assert_non_null(cert);
	assert_ptr_equal(at, der + len);
	assert_int_equal(X509_get_version(cert), X509_VERSION_3);
	assert_int_equal(X509_self_signed(cert, 1), 1);
	ossl(X509_verify(cert, X509_get0_pubkey(cert)));
	assert_int_equal(X509_get_signature_nid(cert), NID_sha256WithRSAEncryption);
	assert_true(EVP_PKEY_get_bits(X509_get0_pubkey(cert)) >= 2048);
	assert_int_equal(X509_cmp_current_time(X509_get0_notBefore(cert)), -1);
	assert_int_equal(X509_cmp_current_time(X509_get0_notAfter(cert)), 1);
	assert_int_equal(X509_check_ca(cert), 0);
	assert_int_equal(X509_get_key_usage(cert), KU_KEY_ENCIPHERMENT);
	/* The common name ends with the token's serial number. */
	assert_ok(p11->C_GetTokenInfo(slot_a, &info));
	for (digits = 0; digits < 16 && info.serialNumber[digits] != ' '; digits++)
		;
	subject = X509_get_subject_name(cert);
	i = X509_NAME_get_text_by_NID(subject, NID_commonName, (char *)text, sizeof(text));
	assert_true(i > digits && digits > 0);
	assert_memory_equal(text + i - digits, info.serialNumber, digits);
	X509_free(cert);

	/* Changed, it must not verify; DER of OpenSSL's own gives the same bytes. */
	at = der;
	cert = d2i_X509(NULL, &at, len);
	names[0] = NULL;
	assert_int_equal(i2d_X509(cert, &names[0]), len);
	assert_memory_equal(names[0], der, len);
	OPENSSL_free(names[0]);
	X509_free(cert);
	der[len - 1] ^= 1;
	at = der;
	cert = d2i_X509(NULL, &at, len);
	assert_non_null(cert);
	assert_int_not_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
	X509_free(cert);
}

static int setup(void **state)
{
	const char *given = getenv("LUNA_TEST_SEED");
	unsigned int seed = given ? strtoul(given, NULL, 10) : (unsigned int)time(NULL);

	print_message("LUNA_TEST_SEED=%u\n", seed);
	srand(seed);
	return suite_setup(state);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_session, sessions_teardown)
	const struct CMUnitTest tests[] = {
		TEST(digests),
		TEST(hmacs),
		TEST(cmacs),
		TEST(gmacs),
		TEST(aes_xts),
		TEST(des3),
		TEST(aes_ecb_cbc),
		TEST(aes_ctr),
		TEST(aes_refusals),
		TEST(aes_gcm),
		TEST(aes_gcm_internal_iv),
		TEST(large),
		TEST(secret_wrap),
		TEST(cipher_wrap),
		TEST(rsa_signatures),
		TEST(rsa_encryption),
		TEST(rsa_pss_byte_above),
		TEST(rsa_wrap),
		TEST(rsa_import),
		TEST(rsa_faulty_crt),
		TEST(rsa_unwrap),
		TEST(rsa_generate),
		TEST(token_certificate),
	};

	return cmocka_run_group_tests(tests, setup, suite_teardown);
}
