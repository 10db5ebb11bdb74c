// SPDX-License-Identifier: MIT
/*
 * What Init refuses, keys that a mechanism does not take and parameters, and what the parameters
 * that it takes mean to the data.
 */
#include "operations.h"

/* ---- keys ---- */

void init_keys(void **state)
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
	assert_ok(p11->C_EncryptInit(s, &ecb, pubs[KEY_AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));

	assert_rv(p11->C_EncryptInit(s, NULL, pubs[KEY_AES]), CKR_ARGUMENTS_BAD);
	refused(&ecb, 0, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, pubs[KEY_AES] + 1000, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, pubs[KEY_AES] | 0x100000000ul, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, obj, CKR_KEY_HANDLE_INVALID);
	refused(&ecb, pubs[KEY_GENERIC], CKR_KEY_TYPE_INCONSISTENT);
	refused(&ecb, rsa_pub, CKR_KEY_TYPE_INCONSISTENT);
	refused(&rsa, rsa_priv, CKR_KEY_FUNCTION_NOT_PERMITTED);
	refused(&rsa, pubs[KEY_AES], CKR_KEY_TYPE_INCONSISTENT);
	refused(&hmac, pubs[KEY_GENERIC], CKR_MECHANISM_INVALID);
	refused(&digest, pubs[KEY_AES], CKR_MECHANISM_INVALID);
	refused(&keygen, pubs[KEY_AES], CKR_MECHANISM_INVALID);
	refused(&unknown, pubs[KEY_AES], CKR_MECHANISM_INVALID);
	refused_sign(&hmac, pubs[KEY_AES], CKR_KEY_TYPE_INCONSISTENT);
	refused_sign(&sha1_hmac, hmac_key, CKR_KEY_TYPE_INCONSISTENT);
	refused_sign(&ecb, pubs[KEY_AES], CKR_MECHANISM_INVALID);
	refused_sign(&rsa, rsa_pub, CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_rv(p11->C_DigestInit(s, &ecb), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_DigestInit(s, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_VerifyInit(s, &rsa, rsa_priv), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_rv(p11->C_DecryptInit(s, &rsa, rsa_pub), CKR_KEY_FUNCTION_NOT_PERMITTED);

	/* A usage taken away, with an Init that was good just before. */
	assert_ok(p11->C_EncryptInit(s, &ecb, pubs[KEY_AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));
	set_usage(pubs[KEY_AES], CKA_ENCRYPT, CK_FALSE);
	refused(&ecb, pubs[KEY_AES], CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_DecryptInit(s, &ecb, pubs[KEY_AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_DECRYPT));
	set_usage(pubs[KEY_AES], CKA_DECRYPT, CK_FALSE);
	assert_rv(p11->C_DecryptInit(s, &ecb, pubs[KEY_AES]), CKR_KEY_FUNCTION_NOT_PERMITTED);
	set_usage(pubs[KEY_AES], CKA_ENCRYPT, CK_TRUE);
	assert_ok(p11->C_EncryptInit(s, &ecb, pubs[KEY_AES]));
	assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));
	set_usage(pubs[KEY_GENERIC], CKA_SIGN, CK_FALSE);
	refused_sign(&hmac, pubs[KEY_GENERIC], CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_VerifyInit(s, &hmac, pubs[KEY_GENERIC]));
	assert_ok(ca->CA_SessionCancel(s, CKF_VERIFY));
	set_usage(pubs[KEY_GENERIC], CKA_VERIFY, CK_FALSE);
	assert_rv(p11->C_VerifyInit(s, &hmac, pubs[KEY_GENERIC]), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* ---- parameters ---- */

static void bad(CK_MECHANISM_TYPE type, void *param, CK_ULONG len, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mech = { type, param, len };

	refused(&mech, key, CKR_MECHANISM_PARAM_INVALID);
}

static void bad_sign(CK_MECHANISM_TYPE type, void *param, CK_ULONG len, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mech = { type, param, len };

	refused_sign(&mech, key, CKR_MECHANISM_PARAM_INVALID);
}

static void good_sign(CK_MECHANISM_TYPE type, void *param, CK_ULONG len, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mech = { type, param, len };

	assert_ok(p11->C_SignInit(s, &mech, key));
	assert_ok(ca->CA_SessionCancel(s, CKF_SIGN));
}

static void initialization_vectors(void)
{
	CK_BYTE wide[300] = { 0 };
	CK_ULONG i;

	for (i = 0; i < 33; i++) {
		if (i != 16)
			bad(CKM_AES_CBC, wide, i, pubs[KEY_AES]);
		if (i != 8)
			bad(CKM_DES3_CBC, wide, i, pubs[KEY_DES3]);
	}
	bad(CKM_AES_CBC_PAD, wide, 300, pubs[KEY_AES]);
	bad(CKM_AES_CBC_PAD, NULL, 16, pubs[KEY_AES]);
	bad(CKM_AES_ECB, PARAM(iv), pubs[KEY_AES]);
	bad(CKM_AES_XTS, iv, 15, pubs[KEY_XTS]);
	bad(CKM_AES_XTS, NONE, pubs[KEY_XTS]);
	bad(CKM_AES_KW, wide, 4, pubs[KEY_AES]);
	bad(CKM_AES_KWP, wide, 5, pubs[KEY_AES]);
}

static void counters(void)
{
	static const CK_ULONG aes[] = { 0, 129, 128 + (1ul << 32) }, des[] = { 0, 65 };
	CK_AES_CTR_PARAMS c = ctr;
	CK_DES_CTR_PARAMS d = des_ctr;
	size_t i;

	for (i = 0; i < COUNT(aes); i++) {
		c.ulCounterBits = aes[i];
		bad(CKM_AES_CTR, PARAM(c), pubs[KEY_AES]);
	}
	bad(CKM_DES3_CTR, PARAM(ctr), pubs[KEY_DES3]);
	for (i = 0; i < COUNT(des); i++) {
		d.ulCounterBits = des[i];
		bad(CKM_DES3_CTR, PARAM(d), pubs[KEY_DES3]);
	}
}

static void gcm_and_gmac(void)
{
	CK_BYTE wide[257] = { 0 };
	CK_GCM_PARAMS rows[] = {
		{ iv, 12, 96, NULL, 0, 129 }, { iv, 12, 96, NULL, 0, 136 },
		{ iv, 12, 96, NULL, 0, 0 }, { iv, 12, 96, NULL, 0, 24 },
		{ iv, 12, 96, NULL, 0, 100 }, { iv, 12, 95, NULL, 0, 128 },
		{ NULL, 12, 96, NULL, 0, 128 }, { iv, 12, 96, NULL, 8, 128 },
		{ wide, 257, 257 * 8, NULL, 0, 128 },
	};
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		bad(CKM_AES_GCM, PARAM(rows[i]), pubs[KEY_AES]);
		bad_sign(CKM_AES_GMAC, PARAM(rows[i]), pubs[KEY_AES]);
	}
	bad(CKM_AES_GCM, NONE, pubs[KEY_AES]);
	bad(CKM_AES_GCM, PARAM(iv), pubs[KEY_AES]);
	bad_sign(CKM_AES_GMAC, PARAM(gcm128), pubs[KEY_AES]);	/* AAD beside the data */
	bad_sign(CKM_AES_GMAC, iv, 16, pubs[KEY_AES]);
	bad_sign(CKM_AES_GMAC, NONE, pubs[KEY_AES]);
}

static void oaep_params(void)
{
	CK_RSA_PKCS_OAEP_PARAMS rows[] = { oaep1, oaep1, oaep1, oaep256, oaep256 };
	size_t i;

	rows[0].hashAlg = CKM_SHA256_RSA_PKCS;
	rows[1].mgf = 99;
	rows[2].source = 2;
	rows[3].source = 0;
	rows[4].pSourceData = NULL;
	for (i = 0; i < COUNT(rows); i++)
		bad(CKM_RSA_PKCS_OAEP, PARAM(rows[i]), rsa_pub);
	bad(CKM_RSA_PKCS_OAEP, &oaep1, sizeof(oaep1) - 1, rsa_pub);
	bad(CKM_RSA_PKCS_OAEP, NONE, rsa_pub);
	bad(CKM_RSA_PKCS, PARAM(iv), rsa_pub);
}

static void pss_params(void)
{
	CK_RSA_PKCS_PSS_PARAMS rows[] = { pss256, pss256, pss256 };
	size_t i;

	good_sign(CKM_SHA256_RSA_PKCS_PSS, PARAM(pss256), rsa_priv);
	rows[0].hashAlg = CKM_SHA_1;
	rows[1].mgf = 0;
	rows[2].sLen = 256 - 32 - 2 + 1;
	for (i = 0; i < COUNT(rows); i++)
		bad_sign(CKM_SHA256_RSA_PKCS_PSS, PARAM(rows[i]), rsa_priv);
	rows[2].sLen--;
	good_sign(CKM_SHA256_RSA_PKCS_PSS, PARAM(rows[2]), rsa_priv);
	bad_sign(CKM_SHA256_RSA_PKCS_PSS, NONE, rsa_priv);
}

static void mac_lengths(void)
{
	CK_MAC_GENERAL_PARAMS none = 0, m = 32;
	CK_MECHANISM digest = { CKM_SHA256, PARAM(m) };

	good_sign(CKM_SHA256_HMAC_GENERAL, PARAM(m), pubs[KEY_GENERIC]);
	m = 33;
	bad_sign(CKM_SHA256_HMAC_GENERAL, PARAM(m), pubs[KEY_GENERIC]);
	bad_sign(CKM_SHA256_HMAC_GENERAL, PARAM(none), pubs[KEY_GENERIC]);
	m = 17;
	bad_sign(CKM_AES_CMAC_GENERAL, PARAM(m), pubs[KEY_AES]);
	m = 9;
	bad_sign(CKM_DES3_MAC_GENERAL, PARAM(m), pubs[KEY_DES3]);
	bad_sign(CKM_SHA256_HMAC, PARAM(m), pubs[KEY_GENERIC]);
	assert_rv(p11->C_DigestInit(s, &digest), CKR_MECHANISM_PARAM_INVALID);
	no_digest();
}

/* SHAKE gives as much as it is asked for, up to 4096 bytes. It is no hash for other mechanisms. */
static void shake_lengths(void)
{
	static const CK_ULONG wrong[] = { 0, 4097, 0x100000001 };
	CK_RSA_PKCS_OAEP_PARAMS by_shake = { CKM_SHAKE_256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0 };
	CK_SHAKE_PARAMS p = { 4096 };
	CK_MECHANISM shake = { CKM_SHAKE_256, PARAM(p) };
	static CK_BYTE out[4096];
	CK_ULONG len = 0;
	size_t i;

	assert_ok(p11->C_DigestInit(s, &shake));
	assert_ok(p11->C_Digest(s, text, 20, NULL, &len));
	assert_int_equal(len, 4096);
	len--;
	assert_rv(p11->C_Digest(s, text, 20, out, &len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, 4096);
	assert_ok(p11->C_Digest(s, text, 20, out, &len));
	assert_int_equal(len, 4096);
	no_digest();
	for (i = 0; i < COUNT(wrong); i++) {
		p.ulOutputLen = wrong[i];
		assert_rv(p11->C_DigestInit(s, &shake), CKR_MECHANISM_PARAM_INVALID);
	}
	shake.pParameter = NULL;
	shake.ulParameterLen = 0;
	assert_rv(p11->C_DigestInit(s, &shake), CKR_MECHANISM_PARAM_INVALID);
	no_digest();
	bad(CKM_RSA_PKCS_OAEP, PARAM(by_shake), rsa_pub);
}

/* A parameter of the same shape that was accepted before helps none of these. */
void init_parameters(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < CRYPTS; i++) {		/* make good ones known */
		assert_ok(encrypt_init(&crypts[i]));
		assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));
	}
	initialization_vectors();
	counters();
	gcm_and_gmac();
	oaep_params();
	pss_params();
	mac_lengths();
	shake_lengths();
}

/* A ciphertext opens only with what it was made with. */
void oaep_and_pss_mismatch(void **state)
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
	assert_ok(decrypt_init(&crypts[OAEP_SHA256]));
	assert_rv(p11->C_Decrypt(s, sealed, 256, out, &len), CKR_ENCRYPTED_DATA_INVALID);
	assert_ok(sign_init(&signers[SHA256_PSS]));
	assert_ok(p11->C_Sign(s, text, 20, out, &len));
	assert_ok(p11->C_VerifyInit(s, &pss, rsa_pub));
	assert_rv(p11->C_Verify(s, text, 20, out, len), CKR_SIGNATURE_INVALID);
}

void gcm_own_iv(void **state)
{
	CK_GCM_PARAMS own = { NULL, 0, 0, aad, 20, 128 }, back = { NULL, 16, 128, aad, 20, 128 };
	CK_MECHANISM mech = { CKM_AES_GCM, PARAM(own) };
	CK_BYTE sealed[100], again[100], out[100];
	CK_ULONG len = 0;

	(void)state;
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[KEY_AES]));
	assert_ok(p11->C_Encrypt(s, text, 30, NULL, &len));
	assert_int_equal(len, 30 + 16 + 16);
	assert_ok(p11->C_Encrypt(s, text, 30, sealed, &len));
	assert_int_equal(len, 62);
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[KEY_AES]));
	assert_ok(p11->C_Encrypt(s, text, 30, again, &len));
	assert_memory_not_equal(sealed + 46, again + 46, 16);
	assert_rv(p11->C_DecryptInit(s, &mech, pubs[KEY_AES]), CKR_MECHANISM_PARAM_INVALID);
	back.pIv = sealed + 46;
	mech.pParameter = &back;
	assert_ok(p11->C_DecryptInit(s, &mech, pubs[KEY_AES]));
	assert_ok(p11->C_Decrypt(s, sealed, 46, out, &len));
	assert_int_equal(len, 30);
	assert_memory_equal(out, text, 30);
}

void ctr_runs_out(void **state)
{
	CK_AES_CTR_PARAMS p = { 8, "0123456789abcde\xfe" };
	CK_MECHANISM mech = { CKM_AES_CTR, PARAM(p) };
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	(void)state;
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[KEY_AES]));
	assert_rv(p11->C_Encrypt(s, text, 33, out, &len), CKR_DATA_LEN_RANGE);
	no_encryption();
	assert_ok(p11->C_EncryptInit(s, &mech, pubs[KEY_AES]));
	assert_ok(p11->C_Encrypt(s, text, 32, out, &len));
}
