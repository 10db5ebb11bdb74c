// SPDX-License-Identifier: MIT
/*
 * The state machine of operations (PKCS#11 v2.40, 5.2 and 5.8 to 5.12), the same for every
 * mechanism: what starts, keeps and ends an operation, which lengths are told, what Init refuses, and
 * that the data come out the same however they are cut. OpenSSL is the reference. Here are the
 * mechanisms, what a test needs to know of them, and several operations in one session.
 */
#include <openssl/evp.h>

#include "operations.h"

CK_BYTE key_value[32] = "an AES-256 key or a generic one.";
CK_BYTE iv[16] = "0123456789abcdef";
CK_BYTE aad[20] = "additional data, 20b";

/* ---- mechanisms ---- */

CK_GCM_PARAMS gcm128 = { iv, 12, 96, aad, 20, 128 }, gcm96 = { iv, 16, 128, NULL, 0, 96 };
CK_AES_CTR_PARAMS ctr = { 128, "0123456789abcde" };
CK_RSA_PKCS_OAEP_PARAMS oaep1 = { CKM_SHA_1, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0 };
CK_RSA_PKCS_OAEP_PARAMS oaep256 = {
	CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, aad, 20,
};
CK_RSA_PKCS_PSS_PARAMS pss256 = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
CK_DES_CTR_PARAMS des_ctr = { 64, "0123456" };
static CK_MAC_GENERAL_PARAMS mac_len = 10, mac_len7 = 7;
static CK_BYTE des3_value[24] = "\x01\x23\x45\x67\x89\xab\xcd\xef\x23\x45\x67\x89\xab\xcd\xef\x01"
				"\x45\x67\x89\xab\xcd\xef\x01\x23";

const struct crypt crypts[CRYPTS] = {
	[ECB] = { "ECB", { CKM_AES_ECB, NONE }, KEY_AES, 48, 48, 48, true },
	[CBC] = { "CBC", { CKM_AES_CBC, PARAM(iv) }, KEY_AES, 48, 48, 48, true },
	[CBC_PAD] = { "CBC_PAD", { CKM_AES_CBC_PAD, PARAM(iv) }, KEY_AES, 40, 48, 48, true },
	[CBC_PAD_WHOLE] = { "CBC_PAD, whole blocks", { CKM_AES_CBC_PAD, PARAM(iv) }, KEY_AES,
			    48, 64, 64, true },
	[CTR] = { "CTR", { CKM_AES_CTR, PARAM(ctr) }, KEY_AES, 41, 41, 41, true },
	[GCM] = { "GCM", { CKM_AES_GCM, PARAM(gcm128) }, KEY_AES, 41, 57, 41, true },
	[GCM_SHORT] = { "GCM, short tag", { CKM_AES_GCM, PARAM(gcm96) }, KEY_AES,
			48, 60, 48, true },
	[KW] = { "KW", { CKM_AES_KW, NONE }, KEY_AES, 24, 32, 24, true },
	[KWP] = { "KWP", { CKM_AES_KWP, NONE }, KEY_AES, 21, 32, 24, true },
	[RSA_PKCS] = { "RSA PKCS", { CKM_RSA_PKCS, NONE }, KEY_PAIR, 100, 256, 245, false },
	[RSA_X509] = { "RSA X.509", { CKM_RSA_X_509, NONE }, KEY_PAIR, 256, 256, 256, false },
	[OAEP_SHA1] = { "OAEP SHA-1", { CKM_RSA_PKCS_OAEP, PARAM(oaep1) }, KEY_PAIR,
			100, 256, 214, false },
	[OAEP_SHA256] = { "OAEP SHA-256", { CKM_RSA_PKCS_OAEP, PARAM(oaep256) }, KEY_PAIR,
			  190, 256, 190, false },
	[XTS] = { "XTS", { CKM_AES_XTS, PARAM(iv) }, KEY_XTS, 41, 41, 41, true },
	[DES3_ECB] = { "DES3 ECB", { CKM_DES3_ECB, NONE }, KEY_DES3, 48, 48, 48, true },
	[DES3_CBC] = { "DES3 CBC", { CKM_DES3_CBC, iv, 8 }, KEY_DES3, 48, 48, 48, true },
	[DES3_CBC_PAD] = { "DES3 CBC_PAD", { CKM_DES3_CBC_PAD, iv, 8 }, KEY_DES3,
			   45, 48, 48, true },
	[DES3_CBC_WHOLE] = { "DES3 CBC_PAD, whole blocks", { CKM_DES3_CBC_PAD, iv, 8 }, KEY_DES3,
			     48, 56, 56, true },
	[DES3_CTR] = { "DES3 CTR", { CKM_DES3_CTR, PARAM(des_ctr) }, KEY_DES3, 41, 41, 41, true },
};

const struct signer digests[DIGESTS] = {
	[MD_SHA1] = { "SHA-1", { CKM_SHA_1, NONE }, KEYS, 50, 20, true, "SHA1" },
	[MD_SHA224] = { "SHA-224", { CKM_SHA224, NONE }, KEYS, 50, 28, true, "SHA224" },
	[MD_SHA256] = { "SHA-256", { CKM_SHA256, NONE }, KEYS, 50, 32, true, "SHA256" },
	[MD_SHA384] = { "SHA-384", { CKM_SHA384, NONE }, KEYS, 50, 48, true, "SHA384" },
	[MD_SHA512] = { "SHA-512", { CKM_SHA512, NONE }, KEYS, 50, 64, true, "SHA512" },
};

const struct signer signers[SIGNERS] = {
	[HMAC_SHA1] = { "HMAC-SHA-1", { CKM_SHA_1_HMAC, NONE }, KEY_GENERIC, 50, 20, true, "SHA1" },
	[HMAC_SHA224] = { "HMAC-SHA-224", { CKM_SHA224_HMAC, NONE }, KEY_GENERIC,
			  50, 28, true, "SHA224" },
	[HMAC_SHA256] = { "HMAC-SHA-256", { CKM_SHA256_HMAC, NONE }, KEY_GENERIC,
			  50, 32, true, "SHA256" },
	[HMAC_SHA384] = { "HMAC-SHA-384", { CKM_SHA384_HMAC, NONE }, KEY_GENERIC,
			  50, 48, true, "SHA384" },
	[HMAC_SHA512] = { "HMAC-SHA-512", { CKM_SHA512_HMAC, NONE }, KEY_GENERIC,
			  50, 64, true, "SHA512" },
	[HMAC_SHA256_10] = { "HMAC-SHA-256, 10", { CKM_SHA256_HMAC_GENERAL, PARAM(mac_len) },
			     KEY_GENERIC, 50, 10, true, NULL },
	[AES_CMAC] = { "CMAC", { CKM_AES_CMAC, NONE }, KEY_AES, 50, 16, true, NULL },
	[AES_CMAC_10] = { "CMAC, 10", { CKM_AES_CMAC_GENERAL, PARAM(mac_len) }, KEY_AES,
			  50, 10, true, NULL },
	[SHA256_RSA] = { "SHA-256 RSA", { CKM_SHA256_RSA_PKCS, NONE }, KEY_PAIR,
			 50, 256, true, NULL },
	[SHA1_RSA] = { "SHA-1 RSA", { CKM_SHA1_RSA_PKCS, NONE }, KEY_PAIR, 50, 256, true, NULL },
	[SHA256_PSS] = { "SHA-256 PSS", { CKM_SHA256_RSA_PKCS_PSS, PARAM(pss256) }, KEY_PAIR,
			 50, 256, true, NULL },
	[SIGN_PKCS] = { "RSA PKCS", { CKM_RSA_PKCS, NONE }, KEY_PAIR, 50, 256, false, NULL },
	[SIGN_X509] = { "RSA X.509", { CKM_RSA_X_509, NONE }, KEY_PAIR, 256, 256, false, NULL },
	[SIGN_PSS] = { "PSS", { CKM_RSA_PKCS_PSS, PARAM(pss256) }, KEY_PAIR, 32, 256, false, NULL },
	[AES_GMAC] = { "GMAC", { CKM_AES_GMAC, iv, 12 }, KEY_AES, 50, 16, true, NULL },
	[DES3_MAC] = { "DES3 MAC", { CKM_DES3_MAC, NONE }, KEY_DES3, 50, 4, true, NULL },
	[DES3_MAC_7] = { "DES3 MAC, 7", { CKM_DES3_MAC_GENERAL, PARAM(mac_len7) }, KEY_DES3,
			 50, 7, true, NULL },
	[DES3_CMAC] = { "DES3 CMAC", { CKM_DES3_CMAC, NONE }, KEY_DES3, 50, 8, true, NULL },
	[AES_GMAC_SHORT] = { "GMAC, short tag", { CKM_AES_GMAC, PARAM(gcm96) }, KEY_AES,
			     50, 12, true, NULL },
};

/* ---- set-up of each test ---- */

CK_SESSION_HANDLE s;
CK_OBJECT_HANDLE pubs[KEYS + 1], privs[KEYS + 1];
CK_OBJECT_HANDLE rsa_pub, rsa_priv;
CK_BYTE text[256];

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
	pubs[KEY_AES] = privs[KEY_AES] = secret_import(s, CKK_AES, key_value, 32);
	pubs[KEY_GENERIC] = secret_import(s, CKK_GENERIC_SECRET, key_value, 32);
	privs[KEY_GENERIC] = pubs[KEY_GENERIC];
	pubs[KEY_DES3] = privs[KEY_DES3] = secret_import(s, CKK_DES3, des3_value, 24);
	pubs[KEY_XTS] = privs[KEY_XTS] = secret_import(s, CKK_AES_XTS, key_value, 32);
	pubs[KEY_PAIR] = rsa_pub;
	privs[KEY_PAIR] = rsa_priv;
	return 0;
}

CK_MECHANISM *mechanism(const CK_MECHANISM *mech)
{
	return (CK_MECHANISM *)mech;
}

CK_RV encrypt_init(const struct crypt *c)
{
	return p11->C_EncryptInit(s, mechanism(&c->mech), pubs[c->key]);
}

CK_RV decrypt_init(const struct crypt *c)
{
	return p11->C_DecryptInit(s, mechanism(&c->mech), privs[c->key]);
}

CK_RV sign_init(const struct signer *m)
{
	return p11->C_SignInit(s, mechanism(&m->mech), privs[m->key]);
}

CK_RV verify_init(const struct signer *m)
{
	return p11->C_VerifyInit(s, mechanism(&m->mech), pubs[m->key]);
}

void no_encryption(void)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Encrypt(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_EncryptUpdate(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_EncryptFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

void no_decryption(void)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Decrypt(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DecryptUpdate(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DecryptFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

void no_digest(void)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Digest(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DigestUpdate(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DigestKey(s, pubs[KEY_AES]), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_DigestFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

void no_signature(void)
{
	CK_BYTE out[512];
	CK_ULONG len = sizeof(out);

	assert_rv(p11->C_Sign(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_SignUpdate(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_SignFinal(s, out, &len), CKR_OPERATION_NOT_INITIALIZED);
}

void no_verification(void)
{
	assert_rv(p11->C_Verify(s, text, 16, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_VerifyUpdate(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_VerifyFinal(s, text, 16), CKR_OPERATION_NOT_INITIALIZED);
}

void refused(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_RV rv)
{
	int i;

	for (i = 0; i < 2; i++) {
		assert_rv(p11->C_EncryptInit(s, mech, key), rv);
		no_encryption();
	}
}

void refused_sign(CK_MECHANISM *mech, CK_OBJECT_HANDLE key, CK_RV rv)
{
	int i;

	for (i = 0; i < 2; i++) {
		assert_rv(p11->C_SignInit(s, mech, key), rv);
		no_signature();
	}
}

void set_usage(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE attr = ATTR(type, value);

	assert_ok(p11->C_SetAttributeValue(s, key, &attr, 1));
}

/* ---- several operations, and none ---- */

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
	assert_rv(p11->C_EncryptInit(1, mechanism(&crypts[ECB].mech), pubs[KEY_AES]),
		  CKR_SESSION_HANDLE_INVALID);
}

/* Every kind of operation at once in one session. */
static void side_by_side(void **state)
{
	CK_BYTE sealed[64], out[300], digest[32], mac[32], sig[256];
	CK_ULONG len = sizeof(sealed);

	(void)state;
	assert_ok(encrypt_init(&crypts[CBC]));
	assert_ok(p11->C_Encrypt(s, text, 32, sealed, &len));
	assert_ok(encrypt_init(&crypts[CBC]));
	assert_ok(decrypt_init(&crypts[CBC]));
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
	assert_ok(sign_init(&signers[HMAC_SHA256]));
	assert_ok(verify_init(&signers[SHA256_RSA]));
	assert_ok(p11->C_SignRecoverInit(s, mechanism(&crypts[RSA_PKCS].mech), rsa_priv));
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

static void dual_encrypt(void **state)
{
	CK_BYTE want[64], out[64], digest[32], want_digest[32], mac[32], want_mac[32];
	CK_ULONG len = sizeof(want), made;

	(void)state;
	assert_ok(encrypt_init(&crypts[CBC]));
	assert_ok(p11->C_Encrypt(s, text, 48, want, &len));
	EVP_Q_digest(NULL, "SHA256", NULL, text, 48, want_digest, NULL);
	len = sizeof(want_mac);
	assert_ok(sign_init(&signers[HMAC_SHA256]));
	assert_ok(p11->C_Sign(s, text, 48, want_mac, &len));

	/* One of the two is not enough, and stays. */
	assert_ok(encrypt_init(&crypts[CBC]));
	len = sizeof(out);
	assert_rv(p11->C_DigestEncryptUpdate(s, text, 16, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
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

	assert_ok(encrypt_init(&crypts[CBC]));
	assert_ok(sign_init(&signers[HMAC_SHA256]));
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
	assert_ok(encrypt_init(&crypts[CBC]));
	assert_ok(p11->C_Encrypt(s, text, 48, sealed, &len));
	EVP_Q_digest(NULL, "SHA256", NULL, text, 48, want, NULL);
	assert_ok(sign_init(&signers[HMAC_SHA256]));
	assert_ok(p11->C_Sign(s, text, 48, mac, &mac_size));

	assert_ok(decrypt_init(&crypts[CBC]));
	len = sizeof(out);
	assert_rv(p11->C_DecryptDigestUpdate(s, sealed, 48, out, &len),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
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

	assert_ok(decrypt_init(&crypts[CBC]));
	assert_ok(verify_init(&signers[HMAC_SHA256]));
	len = sizeof(out);
	assert_ok(p11->C_DecryptVerifyUpdate(s, sealed, 48, out, &len));
	assert_ok(p11->C_VerifyFinal(s, mac, mac_size));
	assert_ok(p11->C_DecryptFinal(s, out, &len));
}

static void session_cancel(void **state)
{
	CK_BYTE out[64];
	CK_ULONG len = sizeof(out);
	CK_OBJECT_HANDLE obj;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_ok(encrypt_init(&crypts[ECB]));
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
		assert_ok(p11->C_FindObjectsInit(s, NULL, 0));
		assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT | CKF_FIND_OBJECTS));
		no_encryption();
		assert_rv(p11->C_FindObjects(s, &obj, 1, &len), CKR_OPERATION_NOT_INITIALIZED);
		len = sizeof(out);
		assert_ok(p11->C_Digest(s, text, 1, out, &len));
		/* Nothing to cancel is fine. */
		assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT | CKF_DIGEST | CKF_SIGN));
		assert_ok(sign_init(&signers[HMAC_SHA256]));
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
	assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
	assert_rv(p11->C_GetOperationState(s, saved, &len), CKR_STATE_UNSAVEABLE);
	len = sizeof(saved);
	assert_ok(p11->C_Digest(s, text, 1, saved, &len));
	assert_rv(p11->C_SetOperationState(s, saved, 8, 0, 0), CKR_FUNCTION_NOT_SUPPORTED);
	assert_rv(p11->C_GetOperationState(1, saved, &len), CKR_SESSION_HANDLE_INVALID);
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
