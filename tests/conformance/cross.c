// SPDX-License-Identifier: MIT
/*
 * Cross-checks with OpenSSL's libcrypto: random keys and data, both ways, at once and in random
 * parts. LUNA_TEST_SEED repeats the lengths and parts of a run (keys and data are always new),
 * LUNA_TEST_SLOW adds what takes minutes. Here are the lengths and hashes that are tried, and the
 * token's certificate as OpenSSL reads it.
 */
#include <time.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "cross.h"

const struct hash hashes[HASHES] = {
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

bool hashes_meet(size_t hash, size_t mgf)
{
	enum { SHA3 = 5 };

	return (hash < SHA3 && mgf < SHA3) || hash == mgf || hash + mgf == HASHES;
}

bool next_len(size_t *len, size_t *turn)
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

int split_of(size_t turn)
{
	return turn % 2 ? ONE_SHOT : RANDOM_PARTS;
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
