// SPDX-License-Identifier: MIT
/* RSA keys: OpenSSL's into the token and the token's out of it, checked by the other side. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "cross.h"

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

/* ---- keys of OpenSSL ---- */

void rsa_import(void **state)
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
void rsa_faulty_crt(void **state)
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
void rsa_unwrap(void **state)
{
	static const int sizes[] = { 1024, 1032, 2048, 2056 };
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR(CKA_SIGN, yes),
	};
	unsigned char value[32], iv[16], *der;
	struct {
		CK_MECHANISM mech;
		struct cipher c;
	} rows[] = {
		{ { CKM_AES_KWP, NULL, 0 }, { .name = "AES-256-WRAP-PAD", .key = value } },
		{ { CKM_AES_CBC_PAD, iv, 16 },
		  { .name = "AES-256-CBC", .key = value, .iv = iv, .pad = true } },
		{ { CKM_AES_KW, NULL, 0 }, { .name = "AES-256-WRAP", .key = value } },
	};
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
		for (m = 0; m < COUNT(rows); m++) {
			CK_MECHANISM *mech = &rows[m].mech;

			/* KW takes whole semiblocks only. */
			if (mech->mechanism == CKM_AES_KW && len % 8)
				continue;
			n = ossl_crypt(true, &rows[m].c, NULL, der, len, back);
			assert_true(n > len);
			assert_ok(p11->C_UnwrapKey(s, mech, kek, back, n, tmpl, COUNT(tmpl), &priv));
			assert_private(s, priv, pkey);
			assert_ok(p11->C_DestroyObject(s, priv));
			back[n / 2] ^= 1;
			if (mech->mechanism != CKM_AES_CBC_PAD)
				assert_rv(p11->C_UnwrapKey(s, mech, kek, back, n, tmpl, COUNT(tmpl),
							   &priv), CKR_WRAPPED_KEY_INVALID);
		}
		OPENSSL_free(der);
		PKCS8_PRIV_KEY_INFO_free(p8);
		EVP_PKEY_free(pkey);
	}
}

/* ---- keys of the token ---- */

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
	const struct cipher c = { .name = "AES-256-WRAP-PAD", .key = value };
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
	n = ossl_crypt(false, &c, NULL, out, got, back);
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

void rsa_generate(void **state)
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
