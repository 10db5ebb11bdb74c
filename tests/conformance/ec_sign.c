// SPDX-License-Identifier: MIT
/* ECDSA and EdDSA against OpenSSL's, and signatures that are none. */
#include <openssl/ec.h>

#include "ec.h"

static const struct hash {
	CK_MECHANISM_TYPE sign;
	const EVP_MD *(*md)(void);
} hashes[] = {
	{ CKM_ECDSA_SHA1, EVP_sha1 }, { CKM_ECDSA_SHA224, EVP_sha224 },
	{ CKM_ECDSA_SHA256, EVP_sha256 }, { CKM_ECDSA_SHA384, EVP_sha384 },
	{ CKM_ECDSA_SHA512, EVP_sha512 }, { CKM_ECDSA_SHA3_224, EVP_sha3_224 },
	{ CKM_ECDSA_SHA3_256, EVP_sha3_256 }, { CKM_ECDSA_SHA3_384, EVP_sha3_384 },
	{ CKM_ECDSA_SHA3_512, EVP_sha3_512 },
};

static CK_ULONG sig_unpack(const struct curve *c, const unsigned char *der, size_t len,
			   unsigned char *sig)
{
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, len);

	assert_non_null(parsed);
	BN_bn2binpad(ECDSA_SIG_get0_r(parsed), sig, c->bytes);
	BN_bn2binpad(ECDSA_SIG_get0_s(parsed), sig + c->bytes, c->bytes);
	ECDSA_SIG_free(parsed);
	return 2 * c->bytes;
}

static size_t sig_pack(const struct curve *c, const unsigned char *sig, unsigned char *der)
{
	ECDSA_SIG *packed = ECDSA_SIG_new();
	int len;

	ossl(ECDSA_SIG_set0(packed, BN_bin2bn(sig, c->bytes, NULL),
			    BN_bin2bn(sig + c->bytes, c->bytes, NULL)));
	len = i2d_ECDSA_SIG(packed, &der);
	ECDSA_SIG_free(packed);
	assert_true(len > 0);
	return len;
}

/* @md: NULL: Ed25519 */
static CK_ULONG ossl_sign(const struct pair *p, const EVP_MD *md, size_t len, unsigned char *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[160];
	size_t der_len = sizeof(der);

	ossl(EVP_DigestSignInit(ctx, NULL, md, NULL, p->pkey));
	ossl(EVP_DigestSign(ctx, der, &der_len, data, len));
	EVP_MD_CTX_free(ctx);
	if (md)
		return sig_unpack(p->curve, der, der_len, sig);
	memcpy(sig, der, der_len);
	return der_len;
}

bool ossl_verify(const struct curve *c, EVP_PKEY *pkey, const EVP_MD *md, size_t len,
		 const unsigned char *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[160];
	size_t der_len = 2 * c->bytes;
	int ok;

	if (md)
		der_len = sig_pack(c, sig, der);
	else
		memcpy(der, sig, der_len);
	ossl(EVP_DigestVerifyInit(ctx, NULL, md, NULL, pkey));
	ok = EVP_DigestVerify(ctx, der, der_len, data, len);
	EVP_MD_CTX_free(ctx);
	return ok == 1;
}

static void sign_both(const struct pair *p, CK_MECHANISM *mech, const EVP_MD *md, size_t len, int split)
{
	unsigned char sig[EC_SIG_MAX + 1];
	CK_ULONG got = 0;

	fresh(data, len);
	assert_ok(p11->C_SignInit(s, mech, p->priv));
	assert_ok(p11->C_Sign(s, data, len, NULL, &got));
	assert_int_equal(got, 2 * p->curve->bytes);
	got--;
	assert_rv(p11->C_Sign(s, data, len, sig, &got), CKR_BUFFER_TOO_SMALL);
	got = sizeof(sig);
	assert_ok(p11->C_Sign(s, data, len, sig, &got));
	assert_true(ossl_verify(p->curve, p->pkey, md, len, sig));
	got = sizeof(sig);
	assert_ok(run_sign(s, mech, p->priv, data, len, split, sig, &got));
	assert_int_equal(got, 2 * p->curve->bytes);
	assert_true(ossl_verify(p->curve, p->pkey, md, len, sig));
	got = ossl_sign(p, md, len, sig);
	assert_ok(run_verify(s, mech, p->pub, data, len, split, sig, got));
	sig[rand() % got] ^= 1 << rand() % 8;
	assert_rv(run_verify(s, mech, p->pub, data, len, split, sig, got), CKR_SIGNATURE_INVALID);
	assert_rv(run_verify(s, mech, p->pub, data, len, split, sig, got - 1), CKR_SIGNATURE_LEN_RANGE);
	assert_rv(run_verify(s, mech, p->pub, data, len, split, sig, got + 1), CKR_SIGNATURE_LEN_RANGE);
}

void hashed_signatures(void **state)
{
	CK_MECHANISM mech = { 0, NULL, 0 };
	struct pair p;
	size_t i, h;

	NEEDS_SIGNING;
	for (i = 0; i < WEIERSTRASS; i++) {
		p = pair_import(&curves[i]);
		for (h = 0; h < COUNT(hashes); h++) {
			mech.mechanism = hashes[h].sign;
			sign_both(&p, &mech, hashes[h].md(), 1 + rand() % 2000, ONE_SHOT);
			sign_both(&p, &mech, hashes[h].md(), 1 + rand() % 2000, 64);
		}
		EVP_PKEY_free(p.pkey);
	}
}

/* CKM_ECDSA of digests shorter and longer than the order, which the leftmost bits of are taken. */
void raw_signatures(void **state)
{
	static const size_t lens[] = { 1, 19, 20, 28, 32, 33, 48, 64, 65, 66, 67, 100, 3000 };
	CK_MECHANISM mech = { CKM_ECDSA, NULL, 0 };
	unsigned char sig[EC_SIG_MAX], der[160];
	EVP_PKEY_CTX *ctx;
	size_t i, n, take;
	CK_ULONG got = 0;
	struct pair p;

	NEEDS_SIGNING;
	for (i = 0; i < WEIERSTRASS; i++) {
		p = pair_import(&curves[i]);
		ctx = EVP_PKEY_CTX_new(p.pkey, NULL);
		for (n = 0; n < COUNT(lens); n++) {
			take = lens[n] < curves[i].bytes ? lens[n] : curves[i].bytes;
			fresh(data, lens[n]);
			got = sizeof(sig);
			assert_ok(run_sign(s, &mech, p.priv, data, lens[n], n % 2 ? 9 : ONE_SHOT, sig, &got));
			ossl(EVP_PKEY_verify_init(ctx));
			ossl(EVP_PKEY_verify(ctx, der, sig_pack(p.curve, sig, der), data, take));
			assert_ok(run_verify(s, &mech, p.pub, data, lens[n], n % 2 ? ONE_SHOT : 5, sig, got));
			data[take - 1] ^= 0x80;
			assert_rv(run_verify(s, &mech, p.pub, data, lens[n], ONE_SHOT, sig, got),
				  CKR_SIGNATURE_INVALID);
		}
		/* Anyone can make a signature of the number 0. */
		assert_rv(run_sign(s, &mech, p.priv, data, 0, ONE_SHOT, sig, &got), CKR_DATA_LEN_RANGE);
		assert_rv(run_verify(s, &mech, p.pub, data, 0, ONE_SHOT, sig, got), CKR_DATA_LEN_RANGE);
		assert_ok(p11->C_SignInit(s, &mech, p.priv));
		assert_rv(p11->C_SignFinal(s, sig, &got), CKR_DATA_LEN_RANGE);
		EVP_PKEY_CTX_free(ctx);
		EVP_PKEY_free(p.pkey);
	}
}

/* r and s in 1 .. order - 1, or it is none, whatever the provider thinks of it. */
void absurd_signatures(void **state)
{
	CK_MECHANISM mech = { CKM_ECDSA_SHA256, NULL, 0 };
	unsigned char sig[EC_SIG_MAX], bad[EC_SIG_MAX];
	CK_ULONG got, half;
	struct pair p;
	size_t i;

	NEEDS_SIGNING;
	fresh(data, 50);
	for (i = 0; i < WEIERSTRASS; i++) {
		p = pair_import(&curves[i]);
		got = sizeof(sig);
		assert_ok(run_sign(s, &mech, p.priv, data, 50, ONE_SHOT, sig, &got));
		for (half = 0; half < got; half += got / 2) {
			memcpy(bad, sig, got);
			memset(bad + half, 0, got / 2);
			assert_rv(run_verify(s, &mech, p.pub, data, 50, ONE_SHOT, bad, got),
				  CKR_SIGNATURE_INVALID);
			memset(bad + half, 0xff, got / 2);
			assert_rv(run_verify(s, &mech, p.pub, data, 50, ONE_SHOT, bad, got),
				  CKR_SIGNATURE_INVALID);
		}
		memset(bad, 0, got);
		assert_rv(run_verify(s, &mech, p.pub, data, 50, ONE_SHOT, bad, got), CKR_SIGNATURE_INVALID);
		EVP_PKEY_free(p.pkey);
	}
}

void edwards(void **state)
{
	static const CK_MECHANISM_TYPE types[] = { CKM_EDDSA, CKM_EDDSA_OLD };
	CK_EDDSA_PARAMS params = { CK_FALSE, 0, NULL };
	CK_MECHANISM mech = { 0, NULL, 0 };
	CK_BYTE context[] = "a context";
	unsigned char sig[64];
	CK_ULONG got;
	struct pair p;
	size_t i, len;

	NEEDS_SIGNING;
	p = pair_import(&curves[ED25519]);
	for (i = 0; i < COUNT(types); i++) {
		mech = (CK_MECHANISM){ types[i], NULL, 0 };
		for (len = 0; len < 300; len += 1 + rand() % 40)
			sign_both(&p, &mech, NULL, len, len % 2 ? 17 : ONE_SHOT);
		/* Parameters that ask for nothing */
		mech = (CK_MECHANISM){ types[i], &params, sizeof(params) };
		sign_both(&p, &mech, NULL, 100, ONE_SHOT);
		/* and for what OpenSSL 3.0 cannot do. */
		params.phFlag = CK_TRUE;
		assert_rv(p11->C_SignInit(s, &mech, p.priv), CKR_MECHANISM_PARAM_INVALID);
		params = (CK_EDDSA_PARAMS){ CK_FALSE, sizeof(context), context };
		assert_rv(p11->C_SignInit(s, &mech, p.priv), CKR_MECHANISM_PARAM_INVALID);
		assert_rv(p11->C_VerifyInit(s, &mech, p.pub), CKR_MECHANISM_PARAM_INVALID);
		mech.ulParameterLen--;
		assert_rv(p11->C_VerifyInit(s, &mech, p.pub), CKR_MECHANISM_PARAM_INVALID);
		params = (CK_EDDSA_PARAMS){ CK_FALSE, 0, NULL };
	}
	/* Longer than one command */
	mech = (CK_MECHANISM){ CKM_EDDSA, NULL, 0 };
	{
		const size_t big = 300000;
		unsigned char *text = malloc(big);

		assert_non_null(text);
		memset(text, 0x5a, big);
		got = sizeof(sig);
		assert_ok(run_sign(s, &mech, p.priv, text, big, ONE_SHOT, sig, &got));
		assert_ok(run_verify(s, &mech, p.pub, text, big, 50000, sig, got));
		text[big - 1] ^= 1;
		assert_rv(run_verify(s, &mech, p.pub, text, big, ONE_SHOT, sig, got), CKR_SIGNATURE_INVALID);
		free(text);
	}
	EVP_PKEY_free(p.pkey);
}
