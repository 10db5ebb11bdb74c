// SPDX-License-Identifier: MIT
/*
 * The state machine of operations (PKCS#11 v2.40, 5.2 and 5.8 to 5.12), the same for every mechanism:
 * what starts, keeps and ends an operation, which lengths are told, what Init refuses, and that the
 * data come out the same however they are cut. OpenSSL is the reference.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "suite.h"

static CK_BYTE key_value[32] = "an AES-256 key or a generic one.";
static CK_BYTE iv[16] = "0123456789abcdef";
static CK_BYTE aad[20] = "additional data, 20b";

/* ---- mechanisms and what a test needs to know of them ---- */

enum { AES, GENERIC, PAIR, DES3, XTS, KINDS };

static CK_GCM_PARAMS gcm128 = { iv, 12, 96, aad, 20, 128 }, gcm96 = { iv, 16, 128, NULL, 0, 96 };
static CK_AES_CTR_PARAMS ctr = { 128, "0123456789abcde" };
static CK_RSA_PKCS_OAEP_PARAMS oaep1 = { CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0 };
static CK_RSA_PKCS_OAEP_PARAMS oaep256 = {
	CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, aad, 20,
};
static CK_RSA_PKCS_PSS_PARAMS pss256 = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
static CK_DES_CTR_PARAMS des_ctr = { 64, "0123456" };
static CK_MAC_GENERAL_PARAMS mac_len = 10, mac_len7 = 7;
static CK_BYTE des3_value[24] = "\x01\x23\x45\x67\x89\xab\xcd\xef\x23\x45\x67\x89\xab\xcd\xef\x01"
				"\x45\x67\x89\xab\xcd\xef\x01\x23";

#define NONE		NULL, 0
#define PARAM(p)	&(p), sizeof(p)

/**
 * struct crypt - an encryption
 * @len: bytes of plaintext that the tests use; @out: and of ciphertext
 * @most: what a length query before decryption tells
 * @parts: in several parts, too
 */
struct crypt {
	const char *name;
	CK_MECHANISM mech;
	int key;
	CK_ULONG len, out, most;
	bool parts;
};

static const struct crypt crypts[] = {
	{ "ECB", { CKM_AES_ECB, NONE }, AES, 48, 48, 48, true },
	{ "CBC", { CKM_AES_CBC, PARAM(iv) }, AES, 48, 48, 48, true },
	{ "CBC_PAD", { CKM_AES_CBC_PAD, PARAM(iv) }, AES, 40, 48, 48, true },
	{ "CBC_PAD, whole blocks", { CKM_AES_CBC_PAD, PARAM(iv) }, AES, 48, 64, 64, true },
	{ "CTR", { CKM_AES_CTR, PARAM(ctr) }, AES, 41, 41, 41, true },
	{ "GCM", { CKM_AES_GCM, PARAM(gcm128) }, AES, 41, 57, 41, true },
	{ "GCM, short tag", { CKM_AES_GCM, PARAM(gcm96) }, AES, 48, 60, 48, true },
	{ "KW", { CKM_AES_KW, NONE }, AES, 24, 32, 24, true },
	{ "KWP", { CKM_AES_KWP, NONE }, AES, 21, 32, 24, true },
	{ "RSA PKCS", { CKM_RSA_PKCS, NONE }, PAIR, 100, 256, 245, false },
	{ "RSA X.509", { CKM_RSA_X_509, NONE }, PAIR, 256, 256, 256, false },
	{ "OAEP SHA-1", { CKM_RSA_PKCS_OAEP, PARAM(oaep1) }, PAIR, 100, 256, 214, false },
	{ "OAEP SHA-256", { CKM_RSA_PKCS_OAEP, PARAM(oaep256) }, PAIR, 190, 256, 190, false },
	{ "XTS", { CKM_AES_XTS, PARAM(iv) }, XTS, 41, 41, 41, true },
	{ "DES3 ECB", { CKM_DES3_ECB, NONE }, DES3, 48, 48, 48, true },
	{ "DES3 CBC", { CKM_DES3_CBC, iv, 8 }, DES3, 48, 48, 48, true },
	{ "DES3 CBC_PAD", { CKM_DES3_CBC_PAD, iv, 8 }, DES3, 45, 48, 48, true },
	{ "DES3 CBC_PAD, whole blocks", { CKM_DES3_CBC_PAD, iv, 8 }, DES3, 48, 56, 56, true },
	{ "DES3 CTR", { CKM_DES3_CTR, PARAM(des_ctr) }, DES3, 41, 41, 41, true },
};

/**
 * struct signer - a digest, MAC or signature of @out bytes over @len bytes
 */
struct signer {
	const char *name;
	CK_MECHANISM mech;
	int key;
	CK_ULONG len, out;
	bool parts;
	const char *md;		/* OpenSSL's name */
};

static const struct signer digests[] = {
	{ "SHA-1", { CKM_SHA_1, NONE }, KINDS, 50, 20, true, "SHA1" },
	{ "SHA-224", { CKM_SHA224, NONE }, KINDS, 50, 28, true, "SHA224" },
	{ "SHA-256", { CKM_SHA256, NONE }, KINDS, 50, 32, true, "SHA256" },
	{ "SHA-384", { CKM_SHA384, NONE }, KINDS, 50, 48, true, "SHA384" },
	{ "SHA-512", { CKM_SHA512, NONE }, KINDS, 50, 64, true, "SHA512" },
};

static const struct signer signers[] = {
	{ "HMAC-SHA-1", { CKM_SHA_1_HMAC, NONE }, GENERIC, 50, 20, true, "SHA1" },
	{ "HMAC-SHA-224", { CKM_SHA224_HMAC, NONE }, GENERIC, 50, 28, true, "SHA224" },
	{ "HMAC-SHA-256", { CKM_SHA256_HMAC, NONE }, GENERIC, 50, 32, true, "SHA256" },
	{ "HMAC-SHA-384", { CKM_SHA384_HMAC, NONE }, GENERIC, 50, 48, true, "SHA384" },
	{ "HMAC-SHA-512", { CKM_SHA512_HMAC, NONE }, GENERIC, 50, 64, true, "SHA512" },
	{ "HMAC-SHA-256, 10", { CKM_SHA256_HMAC_GENERAL, PARAM(mac_len) }, GENERIC, 50, 10, true,
	  NULL },
	{ "CMAC", { CKM_AES_CMAC, NONE }, AES, 50, 16, true, NULL },
	{ "CMAC, 10", { CKM_AES_CMAC_GENERAL, PARAM(mac_len) }, AES, 50, 10, true, NULL },
	{ "SHA-256 RSA", { CKM_SHA256_RSA_PKCS, NONE }, PAIR, 50, 256, true, NULL },
	{ "SHA-1 RSA", { CKM_SHA1_RSA_PKCS, NONE }, PAIR, 50, 256, true, NULL },
	{ "SHA-256 PSS", { CKM_SHA256_RSA_PKCS_PSS, PARAM(pss256) }, PAIR, 50, 256, true, NULL },
	{ "RSA PKCS", { CKM_RSA_PKCS, NONE }, PAIR, 50, 256, false, NULL },
	{ "RSA X.509", { CKM_RSA_X_509, NONE }, PAIR, 256, 256, false, NULL },
	{ "PSS", { CKM_RSA_PKCS_PSS, PARAM(pss256) }, PAIR, 32, 256, false, NULL },
	{ "GMAC", { CKM_AES_GMAC, iv, 12 }, AES, 50, 16, true, NULL },
	{ "DES3 MAC", { CKM_DES3_MAC, NONE }, DES3, 50, 4, true, NULL },
	{ "DES3 MAC, 7", { CKM_DES3_MAC_GENERAL, PARAM(mac_len7) }, DES3, 50, 7, true, NULL },
	{ "DES3 CMAC", { CKM_DES3_CMAC, NONE }, DES3, 50, 8, true, NULL },
	{ "GMAC, short tag", { CKM_AES_GMAC, PARAM(gcm96) }, AES, 50, 12, true, NULL },
};

/* ---- set-up of each test ---- */

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE pubs[KINDS + 1], privs[KINDS + 1];
static CK_OBJECT_HANDLE rsa_pub, rsa_priv;	/* on the token: they stay */
static CK_BYTE text[256];

static int group_setup(void **state)
{
	int ret = suite_setup(state);
	size_t i;

	for (i = 0; i < sizeof(text); i++)
		text[i] = (CK_BYTE)(i * 3);
	text[0] = 0;		/* as a number it is below any modulus */
	s = session_co(slot_a);
	rsa_pair(s, 2048, true, "RSA", &rsa_pub, &rsa_priv);
	sessions_close(slot_a);
	return ret;
}

static int setup(void **state)
{
	(void)state;
	s = session_co(slot_a);
	pubs[AES] = privs[AES] = secret_import(s, CKK_AES, key_value, 32);
	pubs[GENERIC] = privs[GENERIC] = secret_import(s, CKK_GENERIC_SECRET, key_value, 32);
	pubs[DES3] = privs[DES3] = secret_import(s, CKK_DES3, des3_value, 24);
	pubs[XTS] = privs[XTS] = secret_import(s, CKK_AES_XTS, key_value, 32);
	pubs[PAIR] = rsa_pub;
	privs[PAIR] = rsa_priv;
	return 0;
}

static CK_MECHANISM *mechanism(const CK_MECHANISM *mech)
{
	return (CK_MECHANISM *)mech;
}

static CK_RV encrypt_init(const struct crypt *c)
{
	return p11->C_EncryptInit(s, mechanism(&c->mech), pubs[c->key]);
}

static CK_RV decrypt_init(const struct crypt *c)
{
	return p11->C_DecryptInit(s, mechanism(&c->mech), privs[c->key]);
}

static CK_RV sign_init(const struct signer *m)
{
	return p11->C_SignInit(s, mechanism(&m->mech), privs[m->key]);
}

static CK_RV verify_init(const struct signer *m)
{
	return p11->C_VerifyInit(s, mechanism(&m->mech), pubs[m->key]);
}

static void no_encryption(void)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Encrypt(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_EncryptUpdate(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_EncryptFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void no_decryption(void)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Decrypt(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DecryptUpdate(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void no_digest(void)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Digest(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DigestUpdate(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DigestKey(s, pubs[AES]), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DigestFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void no_signature(void)
{
	CK_BYTE out[512];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Sign(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_SignUpdate(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_SignFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

static void no_verification(void)
{
	assert_rv(p11->C_Verify(s, text, 16, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_VerifyUpdate(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_VerifyFinal(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
}

static void not_initialized(void **state)
{
	CK_BYTE out[512];
	CK_ULONG len = sizeof(out);

	(void)state;
	no_encryption();
	no_decryption();
	no_digest();
	no_signature();
	no_verification();
	assert_rv(p11->C_SignRecover(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_VerifyRecover(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DigestEncryptUpdate(s, text, 16, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DecryptDigestUpdate(s, text, 16, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_SignEncryptUpdate(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DecryptVerifyUpdate(s, text, 16, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	/* Nor anywhere but in a session. */
	assert_rv(p11->C_Encrypt(1, text, 16, out, &len), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_EncryptInit(1, mechanism(&crypts[0].mech), pubs[AES]),
		  CKR_SESSION_HANDLE_INVALID);
}

/* ---- encryption ---- */

/* One mechanism through all that may happen to a one-shot call, twice: the second Init is known. */
static void crypt_oneshot(const struct crypt *c)
{
	CK_BYTE sealed[512], opened[512], again[512];
	CK_ULONG len, i;

	print_message("# %s\n", c->name);
	for (i = 0; i < 2; i++) {
		assert_ok(encrypt_init(c));
		assert_rv(encrypt_init(c), CKR_OPERATION_ACTIVE);
		len = 0;
		assert_ok(p11->C_Encrypt(s, text, c->len, NULL, &len));
		assert_int_equal(len, c->out);
		assert_ok(p11->C_Encrypt(s, text, c->len, NULL, &len));
		len = c->out - 1;
		assert_rv(p11->C_Encrypt(s, text, c->len, sealed, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, c->out);
		len = 0;
		assert_rv(p11->C_Encrypt(s, text, c->len, sealed, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, c->out);
		memset(sealed, 0xa5, sizeof(sealed));
		assert_ok(p11->C_Encrypt(s, text, c->len, sealed, &len));
		assert_int_equal(len, c->out);
		assert_int_equal(sealed[c->out], 0xa5);
		no_encryption();

		assert_ok(decrypt_init(c));
		assert_rv(decrypt_init(c), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Decrypt(s, sealed, c->out, NULL, &len));
		assert_int_equal(len, c->most);
		if (c->len) {
			len = c->len - 1;
			assert_rv(p11->C_Decrypt(s, sealed, c->out, opened, &len),
				  CKR_BUFFER_TOO_SMALL);
			assert_true(len >= c->len && len <= c->most);
		}
		/* What comes out fits, though less than the most. */
		len = c->len;
		memset(opened, 0xa5, sizeof(opened));
		assert_ok(p11->C_Decrypt(s, sealed, c->out, opened, &len));
		assert_int_equal(len, c->len);
		assert_memory_equal(opened, text, c->len);
		assert_int_equal(opened[c->len], 0xa5);
		no_decryption();

		/* In place, with a buffer larger than needed. */
		memcpy(again, text, c->len);
		len = sizeof(again);
		assert_ok(encrypt_init(c));
		assert_ok(p11->C_Encrypt(s, again, c->len, again, &len));
		assert_int_equal(len, c->out);
		len = sizeof(again);
		assert_ok(decrypt_init(c));
		assert_ok(p11->C_Decrypt(s, again, c->out, again, &len));
		assert_int_equal(len, c->len);
		assert_memory_equal(again, text, c->len);
	}
}

static void crypt_oneshots(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(crypts); i++)
		crypt_oneshot(&crypts[i]);
}

/* NULL arguments and errors end an operation. */
static void crypt_ends(void **state)
{
	CK_BYTE out[512];
	CK_ULONG len;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(crypts); i++) {
		print_message("# %s\n", crypts[i].name);
		assert_ok(encrypt_init(&crypts[i]));
		assert_rv(p11->C_Encrypt(s, text, 16, out, NULL), CKR_ARGUMENTS_BAD);
		no_encryption();
		assert_ok(encrypt_init(&crypts[i]));
		len = sizeof(out);
		assert_rv(p11->C_Encrypt(s, NULL, 16, out, &len), CKR_ARGUMENTS_BAD);
		no_encryption();
		assert_ok(decrypt_init(&crypts[i]));
		assert_rv(p11->C_Decrypt(s, text, 16, out, NULL), CKR_ARGUMENTS_BAD);
		no_decryption();
		assert_ok(decrypt_init(&crypts[i]));
		assert_rv(p11->C_Decrypt(s, NULL, 16, out, &len), CKR_ARGUMENTS_BAD);
		no_decryption();
		if (crypts[i].parts) {
			assert_ok(encrypt_init(&crypts[i]));
			assert_rv(p11->C_EncryptUpdate(s, NULL, 16, out, &len), CKR_ARGUMENTS_BAD);
			no_encryption();
			assert_ok(encrypt_init(&crypts[i]));
			assert_ok(p11->C_EncryptUpdate(s, text, 8, out, &len));
			len = sizeof(out);
			assert_rv(p11->C_Encrypt(s, text, 16, out, &len), CKR_OPERATION_ACTIVE);
			no_encryption();
			assert_ok(decrypt_init(&crypts[i]));
			assert_ok(p11->C_DecryptUpdate(s, text, 8, out, &len));
			len = sizeof(out);
			assert_rv(p11->C_Decrypt(s, text, 16, out, &len), CKR_OPERATION_ACTIVE);
			no_decryption();
			assert_ok(encrypt_init(&crypts[i]));
			assert_rv(p11->C_EncryptFinal(s, out, NULL), CKR_ARGUMENTS_BAD);
			no_encryption();
		} else {
			len = sizeof(out);
			assert_ok(encrypt_init(&crypts[i]));
			assert_rv(p11->C_EncryptUpdate(s, text, 16, out, &len),
				  CKR_FUNCTION_NOT_SUPPORTED);
			no_encryption();
			assert_ok(decrypt_init(&crypts[i]));
			assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_FUNCTION_NOT_SUPPORTED);
			no_decryption();
		}
	}
}

static void crypt_data_errors(void **state)
{
	static const struct {
		size_t crypt;
		CK_ULONG len;
		CK_RV encrypt, decrypt;
	} rows[] = {
		{ 0, 15, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 1, 17, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 2, 15, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 2, 0, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 2, 32, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ 5, 15, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 5, 16, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ 5, 60, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ 7, 8, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 7, 25, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 7, 32, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ 8, 0, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 8, 16, CKR_OK, CKR_ENCRYPTED_DATA_INVALID },
		{ 9, 246, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 9, 256, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID },
		{ 10, 255, CKR_OK, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 11, 215, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
		{ 11, 256, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_INVALID },
		{ 12, 191, CKR_DATA_LEN_RANGE, CKR_ENCRYPTED_DATA_LEN_RANGE },
	};
	CK_BYTE out[512], ones[256];
	CK_ULONG len;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		print_message("# %s %lu\n", crypts[rows[i].crypt].name, rows[i].len);
		len = sizeof(out);
		assert_ok(encrypt_init(&crypts[rows[i].crypt]));
		assert_rv(p11->C_Encrypt(s, text, rows[i].len, out, &len), rows[i].encrypt);
		no_encryption();
		len = sizeof(out);
		assert_ok(decrypt_init(&crypts[rows[i].crypt]));
		assert_rv(p11->C_Decrypt(s, text, rows[i].len, out, &len), rows[i].decrypt);
		no_decryption();
	}
	/* Not below the modulus. */
	memset(ones, 0xff, sizeof(ones));
	len = sizeof(out);
	assert_ok(encrypt_init(&crypts[10]));
	assert_rv(p11->C_Encrypt(s, ones, 256, out, &len), CKR_DATA_INVALID);
	assert_ok(decrypt_init(&crypts[10]));
	assert_rv(p11->C_Decrypt(s, ones, 256, out, &len), CKR_ENCRYPTED_DATA_INVALID);
	/* A block that is not finished. */
	for (i = 0; i < 2; i++) {
		assert_ok(encrypt_init(&crypts[i]));
		len = sizeof(out);
		assert_ok(p11->C_EncryptUpdate(s, text, 20, out, &len));
		assert_int_equal(len, 16);
		len = sizeof(out);
		assert_rv(p11->C_EncryptFinal(s, out, &len), CKR_DATA_LEN_RANGE);
		no_encryption();
		assert_ok(decrypt_init(&crypts[i]));
		len = sizeof(out);
		assert_ok(p11->C_DecryptUpdate(s, text, 20, out, &len));
		len = sizeof(out);
		assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_ENCRYPTED_DATA_LEN_RANGE);
		no_decryption();
	}
}

/* Nothing of a forged message comes out, however it is cut. */
static void gcm_forged(void **state)
{
	CK_BYTE sealed[600], out[600], plain[500] = "secret";
	CK_ULONG sealed_len = sizeof(sealed), len, made = 0, i;

	(void)state;
	assert_ok(encrypt_init(&crypts[5]));
	assert_ok(p11->C_Encrypt(s, plain, sizeof(plain), sealed, &sealed_len));
	for (i = 0; i < sealed_len; i += 37) {
		sealed[i] ^= 0x10;
		memset(out, 0, sizeof(out));
		assert_ok(decrypt_init(&crypts[5]));
		len = sizeof(out);
		assert_rv(p11->C_Decrypt(s, sealed, sealed_len, out, &len),
			  CKR_ENCRYPTED_DATA_INVALID);
		assert_memory_not_equal(out, plain, 6);
		assert_ok(decrypt_init(&crypts[5]));
		len = sizeof(out);
		assert_ok(p11->C_DecryptUpdate(s, sealed, sealed_len, out, &len));
		made += len;
		len = sizeof(out);
		assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_ENCRYPTED_DATA_INVALID);
		sealed[i] ^= 0x10;
	}
	assert_int_equal(made, 0);
}

static void gcm_own_iv(void **state)
{
	CK_GCM_PARAMS own = { NULL, 0, 0, aad, 20, 128 }, back = { NULL, 16, 128, aad, 20, 128 };
	CK_MECHANISM mech = { CKM_AES_GCM, PARAM(own) };
	CK_BYTE sealed[100], again[100], out[100];
	CK_ULONG len = 0;

	(void)state;
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[AES]));
	assert_ok(p11->C_Encrypt(s, text, 30, NULL, &len));
	assert_int_equal(len, 30 + 16 + 16);
	assert_ok(p11->C_Encrypt(s, text, 30, sealed, &len));
	assert_int_equal(len, 62);
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[AES]));
	assert_ok(p11->C_Encrypt(s, text, 30, again, &len));
	assert_memory_not_equal(sealed + 46, again + 46, 16);
	assert_rv(p11->C_DecryptInit(s, &mech, pubs[AES]), CKR_MECHANISM_PARAM_INVALID);
	back.pIv = sealed + 46;
	mech.pParameter = &back;
	assert_ok(p11->C_DecryptInit(s, &mech, pubs[AES]));
	assert_ok(p11->C_Decrypt(s, sealed, 46, out, &len));
	assert_int_equal(len, 30);
	assert_memory_equal(out, text, 30);
}

static void ctr_runs_out(void **state)
{
	CK_AES_CTR_PARAMS p = { 8, "0123456789abcde\xfe" };
	CK_MECHANISM mech = { CKM_AES_CTR, PARAM(p) };
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	(void)state;
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[AES]));
	assert_rv(p11->C_Encrypt(s, text, 33, out, &len), CKR_DATA_LEN_RANGE);
	no_encryption();
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[AES]));
	assert_ok(p11->C_Encrypt(s, text, 32, out, &len));
}

/* ---- any cut gives the same ---- */

enum { CUT_LEN = 32768 };

static const CK_ULONG cuts[] = {
	0, 1, 15, 16, 17, 31, 32, 33, 4095, 4096, 4097, 14335, 14336, 14337, 16384, 28672, 28673,
	CUT_LEN - 1, CUT_LEN,
};

/* In two Updates, with queries between; *@len: room, then bytes made. */
static void encrypt_cut(const CK_BYTE *in, CK_ULONG in_len, CK_ULONG cut, CK_BYTE *out,
			CK_ULONG *len)
{
	CK_ULONG room = *len, made, need;

	made = room;
	assert_ok(p11->C_EncryptUpdate(s, (CK_BYTE *)in, cut, out, &made));
	assert_ok(p11->C_EncryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, NULL, &need));
	if (need) {
		*len = need - 1;
		assert_rv(p11->C_EncryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, out + made,
					       len),
			  CKR_BUFFER_TOO_SMALL);
		assert_int_equal(*len, need);
	}
	*len = need;
	assert_ok(p11->C_EncryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, out + made, len));
	assert_int_equal(*len, need);
	made += need;
	assert_ok(p11->C_EncryptFinal(s, NULL, &need));
	if (need) {
		*len = need - 1;
		assert_rv(p11->C_EncryptFinal(s, out + made, len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(*len, need);
	}
	*len = room - made;
	assert_ok(p11->C_EncryptFinal(s, out + made, len));
	assert_int_equal(*len, need);
	*len += made;
	no_encryption();
}

static void decrypt_cut(const CK_BYTE *in, CK_ULONG in_len, CK_ULONG cut, CK_BYTE *out,
			CK_ULONG *len)
{
	CK_ULONG room = *len, made = room, need;

	assert_ok(p11->C_DecryptUpdate(s, (CK_BYTE *)in, cut, out, &made));
	*len = room - made;
	assert_ok(p11->C_DecryptUpdate(s, (CK_BYTE *)in + cut, in_len - cut, out + made, len));
	made += *len;
	assert_ok(p11->C_DecryptFinal(s, NULL, &need));
	*len = room - made;
	assert_ok(p11->C_DecryptFinal(s, out + made, len));
	assert_true(*len <= need);
	*len += made;
	no_decryption();
}

static void crypt_cuts(void **state)
{
	CK_ULONG room = CUT_LEN + 64, len, sealed_len, i, at;
	CK_BYTE *plain = malloc(room), *sealed = malloc(room), *out = malloc(room);

	(void)state;
	assert_true(plain && sealed && out);
	for (i = 0; i < CUT_LEN; i++)
		plain[i] = (CK_BYTE)(i * i >> 3);
	for (i = 0; i < COUNT(crypts) && crypts[i].parts; i++) {
		print_message("# %s\n", crypts[i].name);
		sealed_len = room;
		assert_ok(encrypt_init(&crypts[i]));
		assert_ok(p11->C_Encrypt(s, plain, CUT_LEN, sealed, &sealed_len));
		for (at = 0; at < COUNT(cuts); at++) {
			len = room;
			memset(out, 0, room);
			assert_ok(encrypt_init(&crypts[i]));
			encrypt_cut(plain, CUT_LEN, cuts[at], out, &len);
			assert_int_equal(len, sealed_len);
			assert_memory_equal(out, sealed, len);
			len = room;
			memset(out, 0, room);
			assert_ok(decrypt_init(&crypts[i]));
			decrypt_cut(sealed, sealed_len, cuts[at], out, &len);
			assert_int_equal(len, CUT_LEN);
			assert_memory_equal(out, plain, len);
		}
	}
	free(plain);
	free(sealed);
	free(out);
}

/* Byte by byte. */
static void crypt_drips(void **state)
{
	CK_BYTE sealed[512], out[512];
	CK_ULONG sealed_len, len, made, i, at;

	(void)state;
	for (i = 0; i < COUNT(crypts) && crypts[i].parts; i++) {
		print_message("# %s\n", crypts[i].name);
		sealed_len = sizeof(sealed);
		assert_ok(encrypt_init(&crypts[i]));
		assert_ok(p11->C_Encrypt(s, text, crypts[i].len, sealed, &sealed_len));
		assert_ok(encrypt_init(&crypts[i]));
		for (at = 0, made = 0; at < crypts[i].len; at++, made += len) {
			len = sizeof(out) - made;
			assert_ok(p11->C_EncryptUpdate(s, text + at, 1, out + made, &len));
		}
		len = sizeof(out) - made;
		assert_ok(p11->C_EncryptFinal(s, out + made, &len));
		assert_int_equal(made + len, sealed_len);
		assert_memory_equal(out, sealed, sealed_len);
		assert_ok(decrypt_init(&crypts[i]));
		for (at = 0, made = 0; at < sealed_len; at++, made += len) {
			len = sizeof(out) - made;
			assert_ok(p11->C_DecryptUpdate(s, sealed + at, 1, out + made, &len));
		}
		len = sizeof(out) - made;
		assert_ok(p11->C_DecryptFinal(s, out + made, &len));
		assert_int_equal(made + len, crypts[i].len);
		assert_memory_equal(out, text, crypts[i].len);
	}
}

/* ---- large data, and what OpenSSL makes of them ---- */

static const CK_ULONG large[] = { 1 << 20, 5 << 20 };

static CK_BYTE *large_data(CK_ULONG len)
{
	CK_BYTE *data = malloc(len + 64);
	CK_ULONG i;

	assert_non_null(data);
	for (i = 0; i < len; i++)
		data[i] = (CK_BYTE)(i ^ i >> 8 ^ i >> 16);
	return data;
}

static CK_ULONG openssl_encrypt(const char *name, bool pad, const CK_BYTE *in, CK_ULONG len,
				CK_BYTE *out)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool gcm = strstr(name, "GCM");
	int made = 0, rest = 0, skip;

	assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher, key_value,
					     strstr(name, "CTR") ? ctr.cb : iv, NULL), 1);
	EVP_CIPHER_CTX_set_padding(ctx, pad);
	if (gcm)
		assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &skip, aad, 20), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, out, &made, in, len), 1);
	assert_int_equal(EVP_EncryptFinal_ex(ctx, out + made, &rest), 1);
	made += rest;
	if (gcm) {
		assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + made),
				 1);
		made += 16;
	}
	EVP_CIPHER_CTX_free(ctx);
	EVP_CIPHER_free(cipher);
	return made;
}

static void crypt_large(void **state)
{
	static const struct {
		size_t crypt;
		const char *name;
	} rows[] = {
		{ 0, "AES-256-ECB" }, { 1, "AES-256-CBC" }, { 2, "AES-256-CBC" }, { 4,
										    "AES-256-CTR" },
		{ 5, "AES-256-GCM" },
	};
	CK_BYTE *in, *out, *want;
	CK_ULONG len, want_len;
	size_t i, l;

	(void)state;
	for (l = 0; l < COUNT(large); l++) {
		in = large_data(large[l]);
		out = malloc(large[l] + 64);
		want = malloc(large[l] + 64);
		assert_true(out && want);
		for (i = 0; i < COUNT(rows); i++) {
			print_message("# %s %lu\n", rows[i].name, large[l]);
			want_len = openssl_encrypt(rows[i].name, rows[i].crypt == 2, in, large[l],
						   want);
			assert_ok(encrypt_init(&crypts[rows[i].crypt]));
			assert_ok(p11->C_Encrypt(s, in, large[l], NULL, &len));
			assert_int_equal(len, want_len);
			len--;
			assert_rv(p11->C_Encrypt(s, in, large[l], out, &len), CKR_BUFFER_TOO_SMALL);
			assert_int_equal(len, want_len);
			assert_ok(p11->C_Encrypt(s, in, large[l], out, &len));
			assert_int_equal(len, want_len);
			assert_memory_equal(out, want, want_len);
			assert_ok(decrypt_init(&crypts[rows[i].crypt]));
			len = large[l] - 1;
			assert_rv(p11->C_Decrypt(s, out, want_len, want, &len),
				  CKR_BUFFER_TOO_SMALL);
			len = large[l];
			assert_ok(p11->C_Decrypt(s, out, want_len, want, &len));
			assert_int_equal(len, large[l]);
			assert_memory_equal(want, in, len);
			/* In place. */
			memcpy(want, in, large[l]);
			len = large[l] + 64;
			assert_ok(encrypt_init(&crypts[rows[i].crypt]));
			assert_ok(p11->C_Encrypt(s, want, large[l], want, &len));
			assert_memory_equal(out, want, want_len);
		}
		free(in);
		free(out);
		free(want);
	}
}

static void digest_large(void **state)
{
	CK_BYTE *in, out[64], want[64];
	CK_ULONG len;
	size_t i, l;

	(void)state;
	for (l = 0; l < COUNT(large); l++) {
		in = large_data(large[l]);
		for (i = 0; i < COUNT(digests); i++) {
			len = sizeof(out);
			assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
			assert_ok(p11->C_Digest(s, in, large[l], out, &len));
			assert_int_equal(EVP_Q_digest(NULL, digests[i].md, NULL, in, large[l], want,
						      NULL),
					 1);
			assert_memory_equal(out, want, len);
			/* In one Update, too. */
			assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
			assert_ok(p11->C_DigestUpdate(s, in, large[l]));
			assert_ok(p11->C_DigestFinal(s, out, &len));
			assert_memory_equal(out, want, len);
		}
		for (i = 0; i < 5; i++) {
			len = sizeof(out);
			assert_ok(sign_init(&signers[i]));
			assert_ok(p11->C_Sign(s, in, large[l], out, &len));
			assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, signers[i].md, NULL,
						  key_value, 32,
						  in, large[l], want, sizeof(want), NULL));
			assert_memory_equal(out, want, len);
			assert_ok(verify_init(&signers[i]));
			assert_ok(p11->C_Verify(s, in, large[l], out, len));
			in[large[l] - 1] ^= 1;
			assert_ok(verify_init(&signers[i]));
			assert_rv(p11->C_Verify(s, in, large[l], out, len), CKR_SIGNATURE_INVALID);
			in[large[l] - 1] ^= 1;
		}
		free(in);
	}
}

/* ---- digests ---- */

static void digest_states(void **state)
{
	CK_BYTE out[80], want[64], part[64];
	CK_ULONG len, i;

	(void)state;
	for (i = 0; i < COUNT(digests); i++) {
		print_message("# %s\n", digests[i].name);
		EVP_Q_digest(NULL, digests[i].md, NULL, text, 50, want, NULL);
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_DigestInit(s, mechanism(&digests[i].mech)), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Digest(s, text, 50, NULL, &len));
		assert_int_equal(len, digests[i].out);
		len--;
		assert_rv(p11->C_Digest(s, text, 50, out, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, digests[i].out);
		assert_ok(p11->C_Digest(s, text, 50, out, &len));
		assert_memory_equal(out, want, len);
		no_digest();

		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_DigestUpdate(s, text, 0));
		assert_ok(p11->C_DigestUpdate(s, NULL, 0));
		assert_ok(p11->C_DigestUpdate(s, text, 49));
		assert_ok(p11->C_DigestUpdate(s, text + 49, 1));
		assert_ok(p11->C_DigestFinal(s, NULL, &len));
		assert_int_equal(len, digests[i].out);
		len = 1;
		assert_rv(p11->C_DigestFinal(s, part, &len), CKR_BUFFER_TOO_SMALL);
		assert_ok(p11->C_DigestFinal(s, part, &len));
		assert_memory_equal(part, want, digests[i].out);
		no_digest();

		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_DigestUpdate(s, text, 1));
		assert_rv(p11->C_Digest(s, text, 50, out, &len), CKR_OPERATION_ACTIVE);
		no_digest();
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_DigestUpdate(s, NULL, 1), CKR_ARGUMENTS_BAD);
		no_digest();
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_Digest(s, text, 1, out, NULL), CKR_ARGUMENTS_BAD);
		no_digest();
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_rv(p11->C_Digest(s, NULL, 1, out, &len), CKR_ARGUMENTS_BAD);
		no_digest();
		/* Nothing has a digest, too. */
		EVP_Q_digest(NULL, digests[i].md, NULL, "", 0, want, NULL);
		len = sizeof(out);
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_Digest(s, NULL, 0, out, &len));
		assert_memory_equal(out, want, digests[i].out);
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[i].mech)));
		assert_ok(p11->C_DigestFinal(s, out, &len));
		assert_memory_equal(out, want, digests[i].out);
	}
}

static void digest_key(void **state)
{
	CK_OBJECT_HANDLE hidden = aes_key(s, 32, false, "hidden");
	CK_BYTE out[32], want[32], bytes[42];
	CK_ULONG len = sizeof(out), i;

	(void)state;
	memcpy(bytes, text, 10);
	memcpy(bytes + 10, key_value, 32);
	EVP_Q_digest(NULL, "SHA256", NULL, bytes, 42, want, NULL);
	for (i = 0; i < 2; i++) {
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
		assert_ok(p11->C_DigestUpdate(s, text, 10));
		assert_ok(p11->C_DigestKey(s, pubs[GENERIC]));
		assert_ok(p11->C_DigestFinal(s, out, &len));
		assert_memory_equal(out, want, 32);
	}
	EVP_Q_digest(NULL, "SHA256", NULL, key_value, 32, want, NULL);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_ok(p11->C_DigestKey(s, pubs[AES]));
	assert_ok(p11->C_DigestFinal(s, out, &len));
	assert_memory_equal(out, want, 32);

	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_ok(p11->C_DigestKey(s, hidden));
	assert_ok(p11->C_DigestFinal(s, out, &len));
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_rv(p11->C_DigestKey(s, rsa_priv), CKR_KEY_INDIGESTIBLE);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_rv(p11->C_DigestKey(s, 0), CKR_KEY_HANDLE_INVALID);
	no_digest();
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_ok(p11->C_DigestKey(s, pubs[AES]));
	assert_rv(p11->C_Digest(s, text, 1, out, &len), CKR_OPERATION_ACTIVE);
	no_digest();
}

/* Policy 9: without it what cannot be read is not digested either. */
static void digest_key_policy(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_b);
	CK_OBJECT_HANDLE hidden, shown;
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);

	(void)state;
	assert_ok(ca->CA_SetContainerPolicy(session, 1, 9, 0));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, CO_PIN);
	hidden = aes_key(session, 32, false, "hidden");
	shown = secret_import(session, CKK_AES, key_value, 32);
	assert_ok(p11->C_DigestInit(session, mechanism(&digests[2].mech)));
	assert_ok(p11->C_DigestKey(session, shown));
	assert_rv(p11->C_DigestKey(session, hidden), CKR_KEY_INDIGESTIBLE);
	assert_rv(p11->C_DigestFinal(session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	token_init(slot_b, "token b", DOMAIN);
}

/* ---- signatures ---- */

static void sign_oneshot(const struct signer *m)
{
	CK_BYTE sig[300];
	CK_ULONG len, i;

	print_message("# %s\n", m->name);
	for (i = 0; i < 2; i++) {
		assert_ok(sign_init(m));
		assert_rv(sign_init(m), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Sign(s, text, m->len, NULL, &len));
		assert_int_equal(len, m->out);
		len--;
		assert_rv(p11->C_Sign(s, text, m->len, sig, &len), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, m->out);
		assert_ok(p11->C_Sign(s, text, m->len, sig, &len));
		assert_int_equal(len, m->out);
		no_signature();

		assert_ok(verify_init(m));
		assert_rv(verify_init(m), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_Verify(s, text, m->len, sig, len));
		no_verification();
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, len - 1), CKR_SIGNATURE_LEN_RANGE);
		no_verification();
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, sizeof(sig)),
			  CKR_SIGNATURE_LEN_RANGE);
		no_verification();
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, NULL, len), CKR_ARGUMENTS_BAD);
		no_verification();
		sig[len - 1] ^= 1;
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, len), CKR_SIGNATURE_INVALID);
		no_verification();
		sig[len - 1] ^= 1;
		text[m->len - 1] ^= 1;
		assert_ok(verify_init(m));
		assert_rv(p11->C_Verify(s, text, m->len, sig, len), CKR_SIGNATURE_INVALID);
		text[m->len - 1] ^= 1;

		assert_ok(sign_init(m));
		assert_rv(p11->C_Sign(s, text, m->len, sig, NULL), CKR_ARGUMENTS_BAD);
		no_signature();
		assert_ok(sign_init(m));
		assert_rv(p11->C_Sign(s, NULL, m->len, sig, &len), CKR_ARGUMENTS_BAD);
		no_signature();
	}
}

static void sign_parts(const struct signer *m)
{
	CK_BYTE sig[300];
	CK_ULONG len = sizeof(sig), cut;

	if (!m->parts) {
		assert_ok(sign_init(m));
		assert_rv(p11->C_SignUpdate(s, text, 1), CKR_FUNCTION_NOT_SUPPORTED);
		no_signature();
		assert_ok(verify_init(m));
		assert_rv(p11->C_VerifyUpdate(s, text, 1), CKR_FUNCTION_NOT_SUPPORTED);
		no_verification();
		return;
	}
	for (cut = 0; cut <= 17; cut += cut < 2 ? 1 : 14) {
		assert_ok(sign_init(m));
		assert_ok(p11->C_SignUpdate(s, text, cut));
		assert_ok(p11->C_SignUpdate(s, text + cut, m->len - cut));
		assert_ok(p11->C_SignFinal(s, NULL, &len));
		assert_int_equal(len, m->out);
		len--;
		assert_rv(p11->C_SignFinal(s, sig, &len), CKR_BUFFER_TOO_SMALL);
		assert_ok(p11->C_SignFinal(s, sig, &len));
		assert_int_equal(len, m->out);
		no_signature();
		assert_ok(verify_init(m));
		assert_ok(p11->C_Verify(s, text, m->len, sig, len));
		assert_ok(verify_init(m));
		assert_ok(p11->C_VerifyUpdate(s, text, m->len - cut));
		assert_ok(p11->C_VerifyUpdate(s, text + m->len - cut, cut));
		assert_ok(p11->C_VerifyFinal(s, sig, len));
		no_verification();
	}
	assert_ok(sign_init(m));
	assert_ok(p11->C_SignUpdate(s, text, 1));
	assert_rv(p11->C_Sign(s, text, 1, sig, &len), CKR_OPERATION_ACTIVE);
	no_signature();
	assert_ok(verify_init(m));
	assert_ok(p11->C_VerifyUpdate(s, text, m->len));
	assert_rv(p11->C_Verify(s, text, m->len, sig, m->out), CKR_OPERATION_ACTIVE);
	no_verification();
	assert_ok(verify_init(m));
	assert_ok(p11->C_VerifyUpdate(s, text, m->len));
	assert_rv(p11->C_VerifyFinal(s, sig, m->out - 1), CKR_SIGNATURE_LEN_RANGE);
	no_verification();
	/* Of nothing. */
	len = sizeof(sig);
	assert_ok(sign_init(m));
	assert_ok(p11->C_Sign(s, NULL, 0, sig, &len));
	assert_ok(verify_init(m));
	assert_ok(p11->C_VerifyFinal(s, sig, len));
}

static void sign_states(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(signers); i++) {
		sign_oneshot(&signers[i]);
		sign_parts(&signers[i]);
	}
}

static void sign_data_errors(void **state)
{
	CK_BYTE sig[256], ones[256];
	CK_ULONG len = sizeof(sig);

	(void)state;
	assert_ok(sign_init(&signers[11]));
	assert_rv(p11->C_Sign(s, text, 246, sig, &len), CKR_DATA_LEN_RANGE);
	no_signature();
	assert_ok(sign_init(&signers[12]));
	memset(ones, 0xff, sizeof(ones));
	assert_rv(p11->C_Sign(s, ones, 256, sig, &len), CKR_DATA_INVALID);
	assert_ok(sign_init(&signers[13]));
	assert_rv(p11->C_Sign(s, text, 31, sig, &len), CKR_DATA_LEN_RANGE);
	assert_ok(sign_init(&signers[13]));
	assert_rv(p11->C_Sign(s, text, 33, sig, &len), CKR_DATA_LEN_RANGE);
	assert_ok(sign_init(&signers[11]));
	assert_ok(p11->C_Sign(s, NULL, 0, sig, &len));
	assert_int_equal(len, 256);
}

static void recover(void **state)
{
	CK_MECHANISM pkcs = { CKM_RSA_PKCS, NONE }, raw = { CKM_RSA_X_509, NONE };
	CK_MECHANISM hashed = { CKM_SHA256_RSA_PKCS, NONE };
	CK_BYTE sig[256], out[256];
	CK_ULONG len, i;

	(void)state;
	for (i = 0; i < 2; i++) {
		CK_MECHANISM *mech = i ? &raw : &pkcs;
		CK_ULONG data_len = i ? 256 : 77, most = i ? 256 : 245;

		assert_ok(p11->C_SignRecoverInit(s, mech, rsa_priv));
		assert_rv(p11->C_SignRecoverInit(s, mech, rsa_priv), CKR_OPERATION_ACTIVE);
		assert_ok(p11->C_SignRecover(s, text, data_len, NULL, &len));
		assert_int_equal(len, 256);
		len = 255;
		assert_rv(p11->C_SignRecover(s, text, data_len, sig, &len), CKR_BUFFER_TOO_SMALL);
		assert_ok(p11->C_SignRecover(s, text, data_len, sig, &len));
		assert_rv(p11->C_SignRecover(s, text, data_len, sig, &len),
			  CKR_OPERATION_NOT_INITIALIZED);
		assert_ok(p11->C_VerifyRecoverInit(s, mech, rsa_pub));
		assert_ok(p11->C_VerifyRecover(s, sig, 256, NULL, &len));
		assert_int_equal(len, most);
		len = data_len - 1;
		assert_rv(p11->C_VerifyRecover(s, sig, 256, out, &len), CKR_BUFFER_TOO_SMALL);
		len = sizeof(out);
		assert_ok(p11->C_VerifyRecover(s, sig, 256, out, &len));
		assert_int_equal(len, data_len);
		assert_memory_equal(out, text, data_len);
		assert_ok(p11->C_VerifyRecoverInit(s, mech, rsa_pub));
		assert_rv(p11->C_VerifyRecover(s, sig, 255, out, &len), CKR_SIGNATURE_LEN_RANGE);
		assert_rv(p11->C_VerifyRecover(s, sig, 256, out, &len),
			  CKR_OPERATION_NOT_INITIALIZED);
	}
	sig[0] ^= 1;
	len = sizeof(out);
	assert_ok(p11->C_VerifyRecoverInit(s, &pkcs, rsa_pub));
	assert_rv(p11->C_VerifyRecover(s, sig, 256, out, &len), CKR_SIGNATURE_INVALID);
	assert_rv(p11->C_SignRecoverInit(s, &hashed, rsa_priv), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_VerifyRecoverInit(s, &hashed, rsa_pub), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_SignRecoverInit(s, &pkcs, rsa_pub), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* ---- what Init refuses ---- */

/* Refused the first time, the second time, and nothing is left of it. */
static void refused(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_RV rv)
{
	int i;

	for (i = 0; i < 2; i++) {
		assert_rv(p11->C_EncryptInit(s, mech, key), rv);
		no_encryption();
	}
}

static void refused_sign(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_RV rv)
{
	int i;

	for (i = 0; i < 2; i++) {
		assert_rv(p11->C_SignInit(s, mech, key), rv);
		no_signature();
	}
}

static void set_usage(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE attr = ATTR(type, value);

	assert_ok(p11->C_SetAttributeValue(s, key, &attr, 1));
}

static void init_keys(void **state)
{
	CK_MECHANISM ecb = { CKM_AES_ECB, NONE }, hmac = { CKM_SHA256_HMAC, NONE };
	CK_MECHANISM sha1_hmac = { CKM_SHA_1_HMAC, NONE };
	CK_MECHANISM rsa = { CKM_RSA_PKCS, NONE }, digest = { CKM_SHA256, NONE };
	CK_MECHANISM unknown = { 0x7ffffff0, NONE }, keygen = { CKM_AES_KEY_GEN, NONE };
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE data[] = { ATTR(CKA_CLASS, class) };
	CK_OBJECT_HANDLE obj, hmac_key = secret_import(s, CKK_SHA256_HMAC, key_value, 32);

	(void)state;
	assert_ok(p11->C_CreateObject(s, data, 1, &obj));
	/* These would be good. */
	assert_ok(p11->C_EncryptInit(s, &ecb, pubs[AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));

	assert_rv(p11->C_EncryptInit(s, NULL, pubs[AES]), CKR_ARGUMENTS_BAD);
	refused(&ecb, 0, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, pubs[AES] + 1000, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, pubs[AES] | 0x100000000ul, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, obj, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, pubs[GENERIC], CKR_KEY_TYPE_INCONSISTENT);
	refused(&ecb, rsa_pub, CKR_KEY_TYPE_INCONSISTENT);
	refused(&rsa, rsa_priv, CKR_KEY_FUNCTION_NOT_PERMITTED);
	refused(&rsa, pubs[AES], CKR_KEY_TYPE_INCONSISTENT);
	refused(&hmac, pubs[GENERIC], CKR_MECHANISM_INVALID);
	refused(&digest, pubs[AES], CKR_MECHANISM_INVALID);
	refused(&keygen, pubs[AES], CKR_MECHANISM_INVALID);
	refused(&unknown, pubs[AES], CKR_MECHANISM_INVALID);
	refused_sign(&hmac, pubs[AES], CKR_KEY_TYPE_INCONSISTENT);
	refused_sign(&sha1_hmac, hmac_key, CKR_KEY_TYPE_INCONSISTENT);
	refused_sign(&ecb, pubs[AES], CKR_MECHANISM_INVALID);
	refused_sign(&rsa, rsa_pub, CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_rv(p11->C_DigestInit(s, &ecb), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_DigestInit(s, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_VerifyInit(s, &rsa, rsa_priv), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_rv(p11->C_DecryptInit(s, &rsa, rsa_pub), CKR_KEY_FUNCTION_NOT_PERMITTED);

	/* A usage taken away, with an Init that was good just before. */
	assert_ok(p11->C_EncryptInit(s, &ecb, pubs[AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));
	set_usage(pubs[AES], CKA_ENCRYPT, CK_FALSE);
	refused(&ecb, pubs[AES], CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_DecryptInit(s, &ecb, pubs[AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_DECRYPT));
	set_usage(pubs[AES], CKA_DECRYPT, CK_FALSE);
	assert_rv(p11->C_DecryptInit(s, &ecb, pubs[AES]), CKR_KEY_FUNCTION_NOT_PERMITTED);
	set_usage(pubs[AES], CKA_ENCRYPT, CK_TRUE);
	assert_ok(p11->C_EncryptInit(s, &ecb, pubs[AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));
	set_usage(pubs[GENERIC], CKA_SIGN, CK_FALSE);
	refused_sign(&hmac, pubs[GENERIC], CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_VerifyInit(s, &hmac, pubs[GENERIC]));
	assert_ok(ca->CA_SessionCancel(s, CKF_VERIFY));
	set_usage(pubs[GENERIC], CKA_VERIFY, CK_FALSE);
	assert_rv(p11->C_VerifyInit(s, &hmac, pubs[GENERIC]), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* A parameter of the same shape that was accepted before helps none of these. */
static void init_parameters(void **state)
{
	static CK_BYTE wide[300];
	static CK_GCM_PARAMS g[] = {
		{ iv, 12, 96, NULL, 0, 129 }, { iv, 12, 96, NULL, 0, 136 }, { iv, 12, 96, NULL, 0,
									      0 },
		{ iv, 12, 96, NULL, 0, 24 }, { iv, 12, 96, NULL, 0, 100 }, { iv, 12, 95, NULL, 0,
									     128 },
		{ NULL, 12, 96, NULL, 0, 128 }, { iv, 12, 96, NULL, 8, 128 },
		{ wide, 257, 257 * 8, NULL, 0, 128 },
	};
	CK_RSA_PKCS_OAEP_PARAMS o;
	CK_RSA_PKCS_PSS_PARAMS p;
	CK_AES_CTR_PARAMS c = ctr;
	CK_DES_CTR_PARAMS d = des_ctr;
	CK_MAC_GENERAL_PARAMS m;
	CK_MECHANISM mech;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(crypts); i++) {		/* make good ones known */
		assert_ok(encrypt_init(&crypts[i]));
		assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));
	}
	for (i = 0; i < 33; i++) {
		mech = (CK_MECHANISM){ CKM_AES_CBC, wide, i };
		if (i != 16)
			refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	}
	mech = (CK_MECHANISM){ CKM_AES_CBC_PAD, wide, 300 };
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_CBC_PAD, NULL, 16 };
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_ECB, PARAM(iv) };
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	for (i = 0; i < 33; i++) {
		mech = (CK_MECHANISM){ CKM_DES3_CBC, wide, i };
		if (i != 8)
			refused(&mech, pubs[DES3], CKR_MECHANISM_PARAM_INVALID);
	}
	mech = (CK_MECHANISM){ CKM_AES_XTS, iv, 15 };
	refused(&mech, pubs[XTS], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_XTS, NONE };
	refused(&mech, pubs[XTS], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_DES3_CTR, PARAM(ctr) };
	refused(&mech, pubs[DES3], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_DES3_CTR, PARAM(d) };
	d.ulCounterBits = 0;
	refused(&mech, pubs[DES3], CKR_MECHANISM_PARAM_INVALID);
	d.ulCounterBits = 65;
	refused(&mech, pubs[DES3], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_KW, wide, 4 };
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_KWP, wide, 5 };
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_RSA_PKCS, PARAM(iv) };
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);
	for (i = 0; i < COUNT(g); i++) {
		mech = (CK_MECHANISM){ CKM_AES_GCM, PARAM(g[i]) };
		refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	}
	mech = (CK_MECHANISM){ CKM_AES_GCM, NONE };
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_GCM, PARAM(iv) };
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	for (i = 0; i < COUNT(g); i++) {
		mech = (CK_MECHANISM){ CKM_AES_GMAC, PARAM(g[i]) };
		refused_sign(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	}
	mech = (CK_MECHANISM){ CKM_AES_GMAC, PARAM(gcm128) };	/* AAD beside the data */
	refused_sign(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_GMAC, iv, 16 };
	refused_sign(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_GMAC, NONE };
	refused_sign(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_CTR, PARAM(c) };
	c.ulCounterBits = 0;
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	c.ulCounterBits = 129;
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	c.ulCounterBits = 128 + (1ul << 32);
	refused(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);

	mech = (CK_MECHANISM){ CKM_RSA_PKCS_OAEP, PARAM(o) };
	o = oaep1;
	o.hashAlg = CKM_SHA256_RSA_PKCS;
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);
	o = oaep1;
	o.mgf = 99;
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);
	o = oaep1;
	o.source = 2;
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);
	o = oaep256;
	o.source = 0;
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);
	o = oaep256;
	o.pSourceData = NULL;
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);
	mech.ulParameterLen--;
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_RSA_PKCS_OAEP, NONE };
	refused(&mech, rsa_pub, CKR_MECHANISM_PARAM_INVALID);

	mech = (CK_MECHANISM){ CKM_SHA256_RSA_PKCS_PSS, PARAM(p) };
	p = pss256;
	assert_ok(p11->C_SignInit(s, &mech, rsa_priv));
	assert_ok(ca->CA_SessionCancel(s, CKF_SIGN));
	p.hashAlg = CKM_SHA_1;
	refused_sign(&mech, rsa_priv, CKR_MECHANISM_PARAM_INVALID);
	p = pss256;
	p.mgf = 0;
	refused_sign(&mech, rsa_priv, CKR_MECHANISM_PARAM_INVALID);
	p = pss256;
	p.sLen = 256 - 32 - 2 + 1;
	refused_sign(&mech, rsa_priv, CKR_MECHANISM_PARAM_INVALID);
	p.sLen--;
	assert_ok(p11->C_SignInit(s, &mech, rsa_priv));
	assert_ok(ca->CA_SessionCancel(s, CKF_SIGN));
	mech = (CK_MECHANISM){ CKM_SHA256_RSA_PKCS_PSS, NONE };
	refused_sign(&mech, rsa_priv, CKR_MECHANISM_PARAM_INVALID);

	mech = (CK_MECHANISM){ CKM_SHA256_HMAC_GENERAL, PARAM(m) };
	m = 32;
	assert_ok(p11->C_SignInit(s, &mech, pubs[GENERIC]));
	assert_ok(ca->CA_SessionCancel(s, CKF_SIGN));
	m = 33;
	refused_sign(&mech, pubs[GENERIC], CKR_MECHANISM_PARAM_INVALID);
	m = 0;
	refused_sign(&mech, pubs[GENERIC], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_AES_CMAC_GENERAL, PARAM(m) };
	m = 17;
	refused_sign(&mech, pubs[AES], CKR_MECHANISM_PARAM_INVALID);
	m = 9;
	mech = (CK_MECHANISM){ CKM_DES3_MAC_GENERAL, PARAM(m) };
	refused_sign(&mech, pubs[DES3], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_SHA256_HMAC, PARAM(m) };
	refused_sign(&mech, pubs[GENERIC], CKR_MECHANISM_PARAM_INVALID);
	mech = (CK_MECHANISM){ CKM_SHA256, PARAM(m) };
	assert_rv(p11->C_DigestInit(s, &mech), CKR_MECHANISM_PARAM_INVALID);
	no_digest();
}

/* A ciphertext opens only with what it was made with. */
static void oaep_and_pss_mismatch(void **state)
{
	CK_MECHANISM one = { CKM_RSA_PKCS_OAEP, PARAM(oaep1) };
	CK_RSA_PKCS_PSS_PARAMS other = { CKM_SHA256, CKG_MGF1_SHA256, 20 };
	CK_MECHANISM pss = { CKM_SHA256_RSA_PKCS_PSS, PARAM(other) };
	CK_RSA_PKCS_OAEP_PARAMS labelled = oaep1;
	CK_BYTE out[256], sealed[256];
	CK_ULONG len = sizeof(sealed);

	(void)state;
	labelled.pSourceData = aad;
	labelled.ulSourceDataLen = 1;
	assert_ok(p11->C_EncryptInit(s, &one, rsa_pub));
	assert_ok(p11->C_Encrypt(s, text, 20, sealed, &len));
	one.pParameter = &labelled;
	assert_ok(p11->C_DecryptInit(s, &one, rsa_priv));
	assert_rv(p11->C_Decrypt(s, sealed, 256, out, &len), CKR_ENCRYPTED_DATA_INVALID);
	assert_ok(decrypt_init(&crypts[12]));
	assert_rv(p11->C_Decrypt(s, sealed, 256, out, &len), CKR_ENCRYPTED_DATA_INVALID);
	assert_ok(sign_init(&signers[10]));
	assert_ok(p11->C_Sign(s, text, 20, out, &len));
	assert_ok(p11->C_VerifyInit(s, &pss, rsa_pub));
	assert_rv(p11->C_Verify(s, text, 20, out, len), CKR_SIGNATURE_INVALID);
}

/* ---- what happens to keys and logins meanwhile ---- */

/*
 * The library may hold an Init back that it knows to be good. So each of these is done twice: with a
 * key that was never used, and with one that was.
 */
static CK_OBJECT_HANDLE fresh_key(CK_SESSION_HANDLE session, bool token, bool used)
{
	CK_OBJECT_HANDLE key = aes_key(session, 16, token, "meanwhile");
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out);

	if (!used)
		return key;
	assert_ok(p11->C_EncryptInit(s, mechanism(&crypts[0].mech), key));
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	return key;
}

static void key_destroyed(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[0].mech);
	CK_SESSION_HANDLE other = session_open(slot_a);
	CK_OBJECT_HANDLE key;
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out);
	int used, how;

	(void)state;
	for (how = 0; how < 3; how++) {
		for (used = 0; used < 2; used++) {
			print_message("# destroyed by %d, used %d\n", how, used);
			key = fresh_key(how == 2 ? other : s, how == 0, used);
			/* Whoever began may end; nobody begins. */
			assert_ok(p11->C_EncryptInit(s, ecb, key));
			if (how == 2)
				assert_ok(p11->C_CloseSession(other));
			else
				assert_ok(p11->C_DestroyObject(how ? s : other, key));
			assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
			refused(ecb, key, CKR_KEY_HANDLE_INVALID);
			if (how == 2)
				other = session_open(slot_a);
		}
	}
}

static int destroys(void *arg)
{
	CK_OBJECT_HANDLE key = *(CK_OBJECT_HANDLE *)arg;
	CK_SESSION_HANDLE session;

	MUST(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
	     CKR_OK);
	MUST(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)), CKR_OK);
	MUST(p11->C_DestroyObject(session, key), CKR_OK);
	return 0;
}

static void key_destroyed_elsewhere(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[0].mech);
	CK_OBJECT_HANDLE key;
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out);
	int used;
	CK_RV rv;

	(void)state;
	for (used = 0; used < 2; used++) {
		key = fresh_key(s, true, used);
		assert_int_equal(child_run(destroys, &key), 0);
		/* The library may not know yet; then the key is as if destroyed just after. */
		rv = p11->C_EncryptInit(s, ecb, key);
		if (rv == CKR_OK)
			rv = p11->C_Encrypt(s, text, 16, out, &len);
		assert_rv(rv, CKR_KEY_HANDLE_INVALID);
		no_encryption();
		refused(ecb, key, CKR_KEY_HANDLE_INVALID);
	}
}

static void logout_meanwhile(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[0].mech);
	CK_OBJECT_HANDLE key;
	CK_BBOOL active;
	int used;

	(void)state;
	for (used = 0; used < 2; used++) {
		print_message("# used %d\n", used);
		key = fresh_key(s, true, used);
		assert_ok(p11->C_EncryptInit(s, ecb, key));
		assert_ok(p11->C_Logout(s));
		no_encryption();
		refused(ecb, key, CKR_KEY_HANDLE_INVALID);
		session_login(s, CKU_USER, CO_PIN);
		/* The end of a login is the end of the operation for good. */
		assert_ok(p11->C_EncryptInit(s, ecb, key));
		assert_ok(p11->C_Logout(s));
		session_login(s, CKU_USER, CO_PIN);
		no_encryption();
		/* So it is with digests, whatever the library knows. */
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
		assert_ok(p11->C_Logout(s));
		assert_ok(ca->CA_CheckOperationState(s, CKCAO_Digest, &active));
		assert_int_equal(active, CK_FALSE);
		no_digest();
		session_login(s, CKU_USER, CO_PIN);
	}
}

/* An Init, then something else, then its data. */
static void between_init_and_data(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[0].mech);
	CK_SESSION_HANDLE other;
	CK_OBJECT_HANDLE key = fresh_key(s, false, true), obj;
	CK_BYTE out[16], want[16];
	CK_ULONG len = sizeof(out), count;
	CK_BBOOL active;

	(void)state;
	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_ok(p11->C_Encrypt(s, text, 16, want, &len));

	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_ok(ca->CA_CheckOperationState(s, CKCAO_Encrypt, &active));
	assert_int_equal(active, CK_TRUE);
	assert_ok(p11->C_FindObjectsInit(s, NULL, 0));
	assert_ok(p11->C_FindObjects(s, &obj, 1, &count));
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_memory_equal(out, want, 16);
	assert_ok(p11->C_FindObjectsFinal(s));
	assert_ok(ca->CA_CheckOperationState(s, CKCAO_Encrypt, &active));
	assert_int_equal(active, CK_FALSE);

	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_rv(p11->C_EncryptInit(s, ecb, 0), CKR_OPERATION_ACTIVE);
	assert_rv(p11->C_EncryptInit(s, mechanism(&crypts[1].mech), key), CKR_OPERATION_ACTIVE);
	aes_key(s, 16, false, "another");
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_memory_equal(out, want, 16);

	other = session_open(slot_a);
	assert_ok(p11->C_EncryptInit(other, ecb, key));
	assert_rv(p11->C_Encrypt(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_ok(p11->C_CloseSession(other));
	assert_rv(p11->C_Encrypt(other, text, 16, out, &len), CKR_SESSION_HANDLE_INVALID);
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_memory_equal(out, want, 16);
	other = session_open(slot_a);
	assert_rv(p11->C_Encrypt(other, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);

	/* The usage goes away after Init: as with any device, what has begun may end. */
	assert_ok(p11->C_EncryptInit(s, ecb, key));
	set_usage(key, CKA_ENCRYPT, CK_FALSE);
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_rv(p11->C_EncryptInit(s, ecb, key), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* Every kind of operation at once in one session. */
static void side_by_side(void **state)
{
	CK_BYTE sealed[64], out[300], digest[32], mac[32], sig[256];
	CK_ULONG len = sizeof(sealed);

	(void)state;
	assert_ok(encrypt_init(&crypts[1]));
	assert_ok(p11->C_Encrypt(s, text, 32, sealed, &len));
	assert_ok(encrypt_init(&crypts[1]));
	assert_ok(decrypt_init(&crypts[1]));
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_ok(sign_init(&signers[2]));
	assert_ok(verify_init(&signers[8]));
	assert_ok(p11->C_SignRecoverInit(s, mechanism(&crypts[9].mech), rsa_priv));
	len = sizeof(out);
	assert_ok(p11->C_EncryptUpdate(s, text, 16, out, &len));
	assert_memory_equal(out, sealed, 16);
	len = sizeof(out);
	assert_ok(p11->C_DecryptUpdate(s, sealed, 16, out, &len));
	assert_memory_equal(out, text, 16);
	assert_ok(p11->C_DigestUpdate(s, text, 5));
	assert_ok(p11->C_SignUpdate(s, text, 5));
	assert_ok(p11->C_VerifyUpdate(s, text, 5));
	len = sizeof(sig);
	assert_ok(p11->C_SignRecover(s, text, 5, sig, &len));
	/* One ends badly, the others stay. */
	assert_rv(p11->C_VerifyFinal(s, text, 256), CKR_SIGNATURE_INVALID);
	len = sizeof(out);
	assert_ok(p11->C_EncryptUpdate(s, text + 16, 16, out, &len));
	assert_memory_equal(out, sealed + 16, 16);
	len = sizeof(mac);
	assert_ok(p11->C_SignFinal(s, mac, &len));
	len = sizeof(digest);
	assert_ok(p11->C_DigestFinal(s, digest, &len));
	len = sizeof(out);
	assert_ok(p11->C_DecryptFinal(s, out, &len));
	len = sizeof(out);
	assert_ok(p11->C_EncryptFinal(s, out, &len));
}

/* ---- dual-function calls ---- */

static void dual_encrypt(void **state)
{
	CK_BYTE want[64], out[64], digest[32], want_digest[32], mac[32], want_mac[32];
	CK_ULONG len = sizeof(want), made;

	(void)state;
	assert_ok(encrypt_init(&crypts[1]));
	assert_ok(p11->C_Encrypt(s, text, 48, want, &len));
	EVP_Q_digest(NULL, "SHA256", NULL, text, 48, want_digest, NULL);
	len = sizeof(want_mac);
	assert_ok(sign_init(&signers[2]));
	assert_ok(p11->C_Sign(s, text, 48, want_mac, &len));

	/* One of the two is not enough, and stays. */
	assert_ok(encrypt_init(&crypts[1]));
	len = sizeof(out);
	assert_rv(p11->C_DigestEncryptUpdate(s, text, 16, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_ok(p11->C_DigestEncryptUpdate(s, text, 20, NULL, &len));
	assert_int_equal(len, 16);
	len = 15;
	assert_rv(p11->C_DigestEncryptUpdate(s, text, 20, out, &len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, 16);
	assert_ok(p11->C_DigestEncryptUpdate(s, text, 20, out, &len));
	made = len;
	len = sizeof(out) - made;
	assert_ok(p11->C_DigestEncryptUpdate(s, text + 20, 28, out + made, &len));
	made += len;
	assert_int_equal(made, 48);
	assert_memory_equal(out, want, 48);
	len = sizeof(digest);
	assert_ok(p11->C_DigestFinal(s, digest, &len));
	assert_memory_equal(digest, want_digest, 32);
	assert_ok(p11->C_EncryptFinal(s, out, &len));
	assert_int_equal(len, 0);

	assert_ok(encrypt_init(&crypts[1]));
	assert_ok(sign_init(&signers[2]));
	len = sizeof(out);
	memcpy(out, text, 48);
	assert_ok(p11->C_SignEncryptUpdate(s, out, 48, out, &len));	/* in place */
	assert_memory_equal(out, want, 48);
	len = sizeof(mac);
	assert_ok(p11->C_SignFinal(s, mac, &len));
	assert_memory_equal(mac, want_mac, 32);
	assert_ok(p11->C_EncryptFinal(s, out, &len));
}

static void dual_decrypt(void **state)
{
	CK_BYTE sealed[64], out[64], digest[32], want[32], mac[32];
	CK_ULONG len = sizeof(sealed), mac_size = sizeof(mac);

	(void)state;
	assert_ok(encrypt_init(&crypts[1]));
	assert_ok(p11->C_Encrypt(s, text, 48, sealed, &len));
	EVP_Q_digest(NULL, "SHA256", NULL, text, 48, want, NULL);
	assert_ok(sign_init(&signers[2]));
	assert_ok(p11->C_Sign(s, text, 48, mac, &mac_size));

	assert_ok(decrypt_init(&crypts[1]));
	len = sizeof(out);
	assert_rv(p11->C_DecryptDigestUpdate(s, sealed, 48, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_ok(p11->C_DecryptDigestUpdate(s, sealed, 48, NULL, &len));
	assert_int_equal(len, 48);
	len = 47;
	assert_rv(p11->C_DecryptDigestUpdate(s, sealed, 48, out, &len), CKR_BUFFER_TOO_SMALL);
	assert_ok(p11->C_DecryptDigestUpdate(s, sealed, 48, out, &len));
	assert_memory_equal(out, text, 48);
	len = sizeof(digest);
	assert_ok(p11->C_DigestFinal(s, digest, &len));
	assert_memory_equal(digest, want, 32);
	assert_ok(p11->C_DecryptFinal(s, out, &len));

	assert_ok(decrypt_init(&crypts[1]));
	assert_ok(verify_init(&signers[2]));
	len = sizeof(out);
	assert_ok(p11->C_DecryptVerifyUpdate(s, sealed, 48, out, &len));
	assert_ok(p11->C_VerifyFinal(s, mac, mac_size));
	assert_ok(p11->C_DecryptFinal(s, out, &len));
}

/* ---- the rest ---- */

static void session_cancel(void **state)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);
	CK_OBJECT_HANDLE obj;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_ok(encrypt_init(&crypts[0]));
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
		assert_ok(p11->C_FindObjectsInit(s, NULL, 0));
		assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT | CKF_FIND_OBJECTS));
		no_encryption();
		assert_rv(p11->C_FindObjects(s, &obj, 1, &len), CKR_OPERATION_NOT_INITIALIZED);
		len = sizeof(out);
		assert_ok(p11->C_Digest(s, text, 1, out, &len));
		/* Nothing to cancel is fine. */
		assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT | CKF_DIGEST | CKF_SIGN));
		assert_ok(sign_init(&signers[2]));
		assert_ok(p11->C_SignUpdate(s, text, 1));
		assert_ok(ca->CA_SessionCancel(s, CKF_SIGN));
		no_signature();
	}
}

static void operation_state(void **state)
{
	CK_BYTE saved[64];
	CK_ULONG len = sizeof(saved);

	(void)state;
	assert_rv(p11->C_GetOperationState(s, saved, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[2].mech)));
	assert_rv(p11->C_GetOperationState(s, saved, &len), CKR_STATE_UNSAVEABLE);
	len = sizeof(saved);
	assert_ok(p11->C_Digest(s, text, 1, saved, &len));
	assert_rv(p11->C_SetOperationState(s, saved, 8, 0, 0), CKR_FUNCTION_NOT_SUPPORTED);
	assert_rv(p11->C_GetOperationState(1, saved, &len), CKR_SESSION_HANDLE_INVALID);
}

/* Empty data, where a mechanism takes them. */
static void nothing_at_all(void **state)
{
	static const struct {
		size_t crypt;
		CK_ULONG out;
	} rows[] = { { 0, 0 }, { 1, 0 }, { 2, 16 }, { 4, 0 }, { 5, 16 }, { 9, 256 }, { 12, 256 } };
	CK_BYTE sealed[300], out[300];
	CK_ULONG len, opened;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		print_message("# %s\n", crypts[rows[i].crypt].name);
		len = sizeof(sealed);
		assert_ok(encrypt_init(&crypts[rows[i].crypt]));
		assert_ok(p11->C_Encrypt(s, NULL, 0, sealed, &len));
		assert_int_equal(len, rows[i].out);
		no_encryption();
		opened = sizeof(out);
		assert_ok(decrypt_init(&crypts[rows[i].crypt]));
		assert_ok(p11->C_Decrypt(s, sealed, len, out, &opened));
		assert_int_equal(opened, 0);
		if (!crypts[rows[i].crypt].parts)
			continue;
		assert_ok(encrypt_init(&crypts[rows[i].crypt]));
		len = sizeof(out);
		assert_ok(p11->C_EncryptUpdate(s, NULL, 0, out, &len));
		assert_int_equal(len, 0);
		len = sizeof(out);
		assert_ok(p11->C_EncryptFinal(s, out, &len));
		assert_int_equal(len, rows[i].out);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, sessions_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(not_initialized),
		TEST(crypt_oneshots),
		TEST(crypt_ends),
		TEST(crypt_data_errors),
		TEST(gcm_forged),
		TEST(gcm_own_iv),
		TEST(ctr_runs_out),
		TEST(crypt_cuts),
		TEST(crypt_drips),
		TEST(crypt_large),
		TEST(digest_large),
		TEST(digest_states),
		TEST(digest_key),
		TEST(digest_key_policy),
		TEST(sign_states),
		TEST(sign_data_errors),
		TEST(recover),
		TEST(init_keys),
		TEST(init_parameters),
		TEST(oaep_and_pss_mismatch),
		TEST(key_destroyed),
		TEST(key_destroyed_elsewhere),
		TEST(logout_meanwhile),
		TEST(between_init_and_data),
		TEST(side_by_side),
		TEST(dual_encrypt),
		TEST(dual_decrypt),
		TEST(session_cancel),
		TEST(operation_state),
		TEST(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, group_setup, suite_teardown);
}
