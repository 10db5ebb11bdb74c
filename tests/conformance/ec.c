// SPDX-License-Identifier: MIT
/*
 * Elliptic curve keys: what they are made of, in and out, against OpenSSL's libcrypto both ways, and
 * what must be refused. Known answers are in kat_ec.c. Where the token cannot sign, as luna.ko, the rest
 * is tested on the curves that it has, and that it says so.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "curves.h"

/* OpenSSL must do what it is told. */
#define ossl(expression)	assert_int_equal(expression, 1)

enum { ROOM = 4096 };

static CK_SESSION_HANDLE s;
static unsigned char data[ROOM], out[ROOM], back[ROOM];

static int open_session(void **state)
{
	(void)state;
	s = session_co(slot_a);
	return 0;
}

static bool has_curves(void)
{
	return mechanism_listed(slot_a, CKM_EC_KEY_PAIR_GEN);
}

static bool has_signing(void)
{
	return mechanism_listed(slot_a, CKM_ECDSA);
}

/* The tests of a token that has some, and of one that signs, which has them all */
#define NEEDS_CURVES	do { (void)state; if (!has_curves()) skip(); } while (0)
#define NEEDS_SIGNING	do { (void)state; if (!has_signing()) skip(); } while (0)

static bool is_weierstrass(const struct curve *c)
{
	return c < &curves[WEIERSTRASS];
}

static void fresh(void *buf, size_t len)
{
	ossl(RAND_bytes(buf, len));
}

/* ---- keys here and there ---- */

/* The same key here and there */
struct pair {
	const struct curve *curve;
	EVP_PKEY *pkey;
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE point[EC_POINT_MAX], value[66];
};

static EVP_PKEY *ossl_key(const struct curve *c)
{
	EVP_PKEY *pkey = is_weierstrass(c) ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", (char *)c->ossl) :
			 EVP_PKEY_Q_keygen(NULL, NULL, c->ossl);

	assert_non_null(pkey);
	return pkey;
}

static void ossl_numbers(struct pair *p)
{
	const struct curve *c = p->curve;
	size_t len = sizeof(p->point);
	BIGNUM *bn = NULL;

	ossl(EVP_PKEY_get_octet_string_param(p->pkey, OSSL_PKEY_PARAM_PUB_KEY, p->point,
					     sizeof(p->point), &len));
	assert_int_equal(len, c->point);
	len = c->bytes;
	if (is_weierstrass(c)) {
		ossl(EVP_PKEY_get_bn_param(p->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &bn));
		assert_int_equal(BN_bn2binpad(bn, p->value, c->bytes), c->bytes);
		BN_free(bn);
	} else {
		ossl(EVP_PKEY_get_raw_private_key(p->pkey, p->value, &len));
	}
}

static struct pair pair_import(const struct curve *c)
{
	struct pair p = { .curve = c, .pkey = ossl_key(c) };

	ossl_numbers(&p);
	assert_ok(ec_create_public(s, c, p.point, c->point, &p.pub));
	assert_ok(ec_create_private(s, c, p.value, c->bytes, &p.priv));
	return p;
}

/* A public key of OpenSSL with this point */
static EVP_PKEY *ossl_public(const struct curve *c, const unsigned char *point)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)c->ossl, strlen(c->ossl)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, c->point),
		OSSL_PARAM_END,
	};
	EVP_PKEY *pkey = NULL;

	if (is_weierstrass(c)) {
		ossl(EVP_PKEY_fromdata_init(ctx));
		ossl(EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params));
	} else {
		pkey = EVP_PKEY_new_raw_public_key_ex(NULL, c->ossl, NULL, point, c->point);
	}
	EVP_PKEY_CTX_free(ctx);
	assert_non_null(pkey);
	return pkey;
}

/* Of a key of the token */
static EVP_PKEY *public_of(const struct curve *c, CK_OBJECT_HANDLE key)
{
	CK_ULONG len;
	unsigned char *der = attr_bytes(s, key, CKA_EC_POINT, &len);
	CK_BYTE want[EC_POINT_MAX + 3];
	EVP_PKEY *pkey;

	assert_int_equal(point_wrap(der + len - c->point, c->point, want), len);
	assert_memory_equal(der, want, len);
	pkey = ossl_public(c, der + len - c->point);
	free(der);
	return pkey;
}

/* ---- signatures ---- */

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

static bool ossl_verify(const struct curve *c, EVP_PKEY *pkey, const EVP_MD *md, size_t len,
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

static void hashed_signatures(void **state)
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
static void raw_signatures(void **state)
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
static void absurd_signatures(void **state)
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

static void edwards(void **state)
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

/* ---- derivation ---- */

static size_t ossl_derive(EVP_PKEY *pkey, EVP_PKEY *peer, unsigned char *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	size_t len = ROOM;

	ossl(EVP_PKEY_derive_init(ctx));
	ossl(EVP_PKEY_derive_set_peer(ctx, peer));
	ossl(EVP_PKEY_derive(ctx, secret, &len));
	EVP_PKEY_CTX_free(ctx);
	return len;
}

static bool derives(const struct curve *c)
{
	return c != &curves[ED25519];
}

/* A key of the token and one of OpenSSL agree, whoever starts. */
static void agreed(void **state)
{
	CK_ECDH1_DERIVE_PARAMS p = { CKD_NULL, 0, NULL, 0, NULL };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_OBJECT_HANDLE pub, priv, key;
	EVP_PKEY *theirs, *ours;
	unsigned char *value;
	struct pair peer;
	CK_ULONG len;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		if (!derives(&curves[i]) || !curve_offered(s, &curves[i]))
			continue;
		assert_ok(ec_generate(s, &curves[i], false, &pub, &priv));
		ours = public_of(&curves[i], pub);
		peer = (struct pair){ .curve = &curves[i], .pkey = ossl_key(&curves[i]) };
		theirs = peer.pkey;
		ossl_numbers(&peer);
		assert_int_equal(ossl_derive(theirs, ours, back), curves[i].bytes);
		p.pPublicData = peer.point;
		p.ulPublicDataLen = curves[i].point;
		assert_ok(ec_derive(s, &mech, priv, 0, &key));
		value = attr_bytes(s, key, CKA_VALUE, &len);
		assert_int_equal(len, curves[i].bytes);
		assert_memory_equal(value, back, len);
		assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), CKK_GENERIC_SECRET);
		assert_false(attr_bool(s, key, CKA_LOCAL));
		assert_false(attr_bool(s, key, CKA_ALWAYS_SENSITIVE));
		free(value);
		assert_rv(ec_derive(s, &mech, priv, curves[i].bytes + 1, &key), CKR_KEY_SIZE_RANGE);
		EVP_PKEY_free(ours);
		EVP_PKEY_free(theirs);
	}
}

static void agreed_keys(void **state)
{
	CK_KEY_TYPE aes = CKK_AES;
	CK_BYTE shared[] = "shared";
	CK_ECDH1_DERIVE_PARAMS p = { CKD_SHA256_KDF, sizeof(shared), shared, 0, NULL };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_ULONG bytes = 24;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_TOKEN, no), ATTR(CKA_KEY_TYPE, aes), ATTR(CKA_VALUE_LEN, bytes) };
	CK_ATTRIBUTE off = ATTR(CKA_DERIVE, no);
	CK_OBJECT_HANDLE key;
	struct pair a, b, ed;

	NEEDS_CURVES;
	a = pair_import(&curves[2]);
	b = pair_import(&curves[2]);
	p.pPublicData = b.point;
	p.ulPublicDataLen = b.curve->point;
	assert_ok(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 3, &key));
	assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), 24);
	assert_true(attr_bool(s, key, CKA_ENCRYPT));
	/* How long a key is that such a function makes, the template must say. */
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 2, &key), CKR_TEMPLATE_INCOMPLETE);
	bytes = 17;
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 3, &key), CKR_TEMPLATE_INCONSISTENT);
	/* 48 bytes are no AES key. */
	p.kdf = CKD_NULL;
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 2, &key), CKR_MECHANISM_PARAM_INVALID);
	p.ulSharedDataLen = 0;
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 2, &key), CKR_KEY_SIZE_RANGE);
	assert_rv(p11->C_DeriveKey(s, &mech, a.pub, tmpl, 1, &key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_SetAttributeValue(s, a.priv, &off, 1));
	assert_rv(p11->C_DeriveKey(s, &mech, a.priv, tmpl, 1, &key), CKR_KEY_FUNCTION_NOT_PERMITTED);
	if (has_signing()) {
		ed = pair_import(&curves[ED25519]);
		assert_rv(p11->C_DeriveKey(s, &mech, ed.priv, tmpl, 1, &key), CKR_KEY_TYPE_INCONSISTENT);
		EVP_PKEY_free(ed.pkey);
	}
	EVP_PKEY_free(a.pkey);
	EVP_PKEY_free(b.pkey);
}

/* The other side's point is anyone's: each byte of it broken, and those that tell about the key. */
static void hostile_points(void **state)
{
	static const CK_BYTE low_order[][32] = {
		{ 0 }, { 1 },
		"\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a"
		"\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8",
		"\xec\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	};
	CK_BYTE point[EC_POINT_MAX + 3];
	CK_ECDH1_DERIVE_PARAMS p = { CKD_NULL, 0, NULL, 0, point };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_OBJECT_HANDLE key;
	struct pair a, b;
	CK_ULONG n;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < WEIERSTRASS; i++) {
		if (!curve_offered(s, &curves[i]))
			continue;
		a = pair_import(&curves[i]);
		b = pair_import(&curves[i]);
		p.ulPublicDataLen = curves[i].point;
		for (n = 0; n < curves[i].point; n++) {
			memcpy(point, b.point, curves[i].point);
			point[n] ^= 1 << rand() % 8;
			assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		}
		memcpy(point, b.point, curves[i].point);
		for (p.ulPublicDataLen = 0; p.ulPublicDataLen < curves[i].point; p.ulPublicDataLen++)
			assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		/* A point of another curve, infinity */
		memcpy(point, "\x04\x01\x00", 3);
		p.ulPublicDataLen = 3;
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		p.ulPublicDataLen = curves[i].point;
		memcpy(point, b.point, curves[i].point);
		assert_ok(ec_derive(s, &mech, a.priv, 0, &key));
		/* Functions that are not here, and parameters that are none */
		for (p.kdf = CKD_SHA1_KDF_ASN1; p.kdf <= CKD_SHA1_KDF_CONCATENATE; p.kdf++)
			assert_rv(ec_derive(s, &mech, a.priv, 16, &key), CKR_MECHANISM_PARAM_INVALID);
		p.kdf = CKD_NULL;
		mech.ulParameterLen--;
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		mech.ulParameterLen = 0;
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
		mech.ulParameterLen = sizeof(p);
		EVP_PKEY_free(a.pkey);
		EVP_PKEY_free(b.pkey);
	}
	if (!curve_offered(s, &curves[X25519]))
		return;
	a = pair_import(&curves[X25519]);
	p.ulPublicDataLen = 32;
	for (i = 0; i < COUNT(low_order); i++) {
		memcpy(point, low_order[i], 32);
		assert_rv(ec_derive(s, &mech, a.priv, 0, &key), CKR_MECHANISM_PARAM_INVALID);
	}
	EVP_PKEY_free(a.pkey);
}

/* ---- what a mechanism takes ---- */

static void wrong_keys(void **state)
{
	CK_MECHANISM ecdsa = { CKM_ECDSA, NULL, 0 }, eddsa = { CKM_EDDSA, NULL, 0 };
	CK_MECHANISM rsa = { CKM_SHA256_RSA_PKCS, NULL, 0 }, crypt = { CKM_RSA_PKCS, NULL, 0 };
	CK_MECHANISM param = { CKM_ECDSA, data, 1 };
	CK_OBJECT_HANDLE rsa_pub, rsa_priv, pub[7], priv[7];
	CK_ATTRIBUTE off = ATTR(CKA_SIGN, no);
	size_t i;

	NEEDS_SIGNING;
	rsa_pair(s, 2048, false, "rsa", &rsa_pub, &rsa_priv);
	for (i = 0; i < 7; i++)
		assert_ok(ec_generate(s, &curves[i], false, &pub[i], &priv[i]));
	assert_rv(p11->C_SignInit(s, &ecdsa, rsa_priv), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_SignInit(s, &rsa, priv[1]), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_EncryptInit(s, &crypt, pub[1]), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_SignInit(s, &eddsa, priv[1]), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_SignInit(s, &ecdsa, priv[ED25519]), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_SignInit(s, &eddsa, priv[X25519]), CKR_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_SignInit(s, &ecdsa, pub[1]), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_rv(p11->C_VerifyInit(s, &ecdsa, priv[1]), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_rv(p11->C_SignInit(s, &param, priv[1]), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(p11->C_EncryptInit(s, &ecdsa, pub[1]), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_SetAttributeValue(s, priv[1], &off, 1));
	assert_rv(p11->C_SignInit(s, &ecdsa, priv[1]), CKR_KEY_FUNCTION_NOT_PERMITTED);
	/* What nobody asked for is what such a key can do. */
	for (i = 0; i < 7; i++) {
		assert_int_equal(attr_bool(s, pub[i], CKA_VERIFY), i != X25519);
		assert_false(attr_bool(s, pub[i], CKA_ENCRYPT));
		assert_false(attr_bool(s, pub[i], CKA_WRAP));
		assert_false(attr_bool(s, priv[i], CKA_DECRYPT));
		assert_false(attr_bool(s, priv[i], CKA_UNWRAP));
		assert_false(attr_bool(s, priv[i], CKA_SIGN_RECOVER));
	}
}

/* Every curve; or, as luna.ko, P-256, P-384 and X25519, if its kernel has that, and no signatures. */
static void offered(void **state)
{
	bool x25519 = mechanism_listed(slot_a, CKM_EC_MONTGOMERY_KEY_PAIR_GEN), agrees;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		agrees = i == 1 || i == 2 || (i == X25519 && x25519);
		assert_int_equal(curve_offered(s, &curves[i]), has_signing() || agrees);
	}
	assert_int_equal(mechanism_listed(slot_a, CKM_EDDSA), has_signing());
}

/* Sizes where the token signs, and where it does not; 0: it is not listed */
static void mechanism_info(void **state)
{
	static const CK_FLAGS named = CKF_EC_F_P | CKF_EC_NAMEDCURVE;
	static const struct {
		CK_MECHANISM_TYPE type;
		CK_ULONG min, max, agree_min, agree_max;
		CK_FLAGS flags;
	} want[] = {
		{ CKM_EC_KEY_PAIR_GEN, 224, 521, 256, 384, CKF_GENERATE_KEY_PAIR | CKF_EC_UNCOMPRESS },
		{ CKM_ECDSA, 224, 521, 0, 0, CKF_SIGN | CKF_VERIFY | CKF_EC_UNCOMPRESS },
		{ CKM_ECDSA_SHA256, 224, 521, 0, 0, CKF_SIGN | CKF_VERIFY | CKF_EC_UNCOMPRESS },
		{ CKM_ECDSA_SHA3_384, 224, 521, 0, 0, CKF_SIGN | CKF_VERIFY | CKF_EC_UNCOMPRESS },
		{ CKM_ECDSA_SHA512_OLD, 224, 521, 0, 0, CKF_SIGN | CKF_VERIFY | CKF_EC_UNCOMPRESS },
		{ CKM_ECDH1_DERIVE, 224, 521, 255, 384, CKF_DERIVE | CKF_EC_UNCOMPRESS },
		{ CKM_ECDH1_COFACTOR_DERIVE, 224, 521, 256, 384, CKF_DERIVE | CKF_EC_UNCOMPRESS },
		{ CKM_EC_EDWARDS_KEY_PAIR_GEN, 255, 255, 0, 0,
		  CKF_GENERATE_KEY_PAIR | CKF_EC_CURVENAME },
		{ CKM_EDDSA, 255, 255, 0, 0, CKF_SIGN | CKF_VERIFY | CKF_EC_CURVENAME },
		{ CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD, 255, 255, 255, 255,
		  CKF_GENERATE_KEY_PAIR | CKF_EC_CURVENAME },
	};
	/* general.c and v3.c look at these. */
	const CK_FLAGS others = CKF_HW | CKF_MESSAGE_SIGN | CKF_MESSAGE_VERIFY | CKF_MULTI_MESSAGE;
	bool x25519 = mechanism_listed(slot_a, CKM_EC_MONTGOMERY_KEY_PAIR_GEN);
	CK_MECHANISM_INFO info;
	CK_ULONG min, max;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(want); i++) {
		min = has_signing() ? want[i].min : has_curves() ? want[i].agree_min : 0;
		max = has_signing() ? want[i].max : want[i].agree_max;
		/* A kernel without X25519 */
		if (!x25519 && min == 255)
			min = max == 255 ? 0 : 256;
		assert_int_equal(mechanism_listed(slot_a, want[i].type), min != 0);
		if (!min) {
			assert_rv(p11->C_GetMechanismInfo(slot_a, want[i].type, &info),
				  CKR_MECHANISM_INVALID);
			continue;
		}
		assert_ok(p11->C_GetMechanismInfo(slot_a, want[i].type, &info));
		assert_int_equal(info.ulMinKeySize, min);
		assert_int_equal(info.ulMaxKeySize, max);
		assert_int_equal(info.flags & ~others, want[i].flags | named);
	}
}

/* ---- generation ---- */

static void generated(void **state)
{
	static const CK_BYTE id[] = { 7, 7, 7, 1 };
	CK_OBJECT_HANDLE pub, priv, found[3];
	CK_ATTRIBUTE find[] = { ATTR(CKA_ID, id) };
	CK_ATTRIBUTE set_id = ATTR(CKA_ID, id);
	unsigned char *params;
	CK_ULONG len, count;
	CK_MECHANISM mech;
	EVP_PKEY *pkey;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		CK_ATTRIBUTE value = { CKA_VALUE, data, sizeof(data) };

		if (!curve_offered(s, &curves[i]))
			continue;
		assert_ok(ec_generate(s, &curves[i], false, &pub, &priv));
		assert_int_equal(attr_ulong(s, pub, CKA_KEY_TYPE), curves[i].type);
		assert_int_equal(attr_ulong(s, priv, CKA_KEY_TYPE), curves[i].type);
		assert_true(attr_bool(s, pub, CKA_LOCAL));
		assert_true(attr_bool(s, priv, CKA_LOCAL));
		assert_true(attr_bool(s, priv, CKA_ALWAYS_SENSITIVE));
		assert_true(attr_bool(s, priv, CKA_NEVER_EXTRACTABLE));
		params = attr_bytes(s, priv, CKA_EC_PARAMS, &len);
		assert_int_equal(len, curves[i].params_len);
		assert_memory_equal(params, curves[i].params, len);
		free(params);
		assert_rv(p11->C_GetAttributeValue(s, priv, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
		assert_ok(p11->C_SetAttributeValue(s, pub, &set_id, 1));
		assert_ok(p11->C_SetAttributeValue(s, priv, &set_id, 1));
		assert_ok(p11->C_FindObjectsInit(s, find, 1));
		assert_ok(p11->C_FindObjects(s, found, 3, &count));
		assert_ok(p11->C_FindObjectsFinal(s));
		assert_int_equal(count, 2);
		pkey = public_of(&curves[i], pub);
		if (i != X25519 && has_signing()) {
			CK_ULONG got = ROOM;

			mech = (CK_MECHANISM){ i == ED25519 ? CKM_EDDSA : CKM_ECDSA_SHA384, NULL, 0 };
			fresh(data, 77);
			assert_ok(run_sign(s, &mech, priv, data, 77, ONE_SHOT, out, &got));
			assert_true(ossl_verify(&curves[i], pkey, i == ED25519 ? NULL : EVP_sha384(), 77, out));
		}
		EVP_PKEY_free(pkey);
		assert_ok(p11->C_DestroyObject(s, pub));
		assert_ok(p11->C_DestroyObject(s, priv));
	}
}

/* CKA_EC_PARAMS: what is no curve, and what else names one. */
static void parameters(void **state)
{
	static const struct {
		CK_KEY_TYPE type;
		CK_MECHANISM_TYPE gen;
		CK_RV rv;
		CK_ULONG len;
		CK_BYTE params[24];
	} tries[] = {
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 0, "" },
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 2, "\x05\x00" },
		/* explicit ones, as far as anyone would read them */
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 5, "\x30\x03\x02\x01\x01" },
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 9,
		  "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01" },
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 11,
		  "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" },
		/* P-192, brainpoolP256r1, a name */
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 10,
		  "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01" },
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 11,
		  "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07" },
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 14, "\x13\x0c" "edwards25519" },
		/* curves of another kind */
		{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 5, "\x06\x03\x2b\x65\x70" },
		{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 5,
		  "\x06\x03\x2b\x65\x6e" },
		{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 5,
		  "\x06\x03\x2b\x65\x71" },
		{ CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 10,
		  "\x13\x08" "curve448" },
		/* other names, in both numbers */
		{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_OK, 5, "\x06\x03\x2b\x65\x70" },
		{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_OK, 11,
		  "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01" },
		{ CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKR_OK, 5, "\x06\x03\x2b\x65\x6e" },
		{ CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKR_OK, 12,
		  "\x06\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01" },
		{ CKK_EC_EDWARDS_OLD, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_OK, 14, "\x13\x0c" "edwards25519" },
		{ CKK_EC_EDWARDS_OLD, CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD, CKR_OK, 14, "\x13\x0c" "edwards25519" },
		{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD, CKR_OK, 14, "\x13\x0c" "edwards25519" },
		{ CKK_EC_MONTGOMERY_OLD, CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD, CKR_OK, 12,
		  "\x13\x0a" "curve25519" },
		{ CKK_EC, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_TEMPLATE_INCONSISTENT, 14,
		  "\x13\x0c" "edwards25519" },
	};
	CK_OBJECT_HANDLE pub, priv;
	unsigned char *params;
	CK_ULONG len;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(tries); i++) {
		CK_MECHANISM gen = { tries[i].gen, NULL, 0 };
		CK_ATTRIBUTE tmpl[] = {
			ATTR(CKA_TOKEN, no), ATTR_BYTES(CKA_EC_PARAMS, tries[i].params, tries[i].len),
			ATTR(CKA_KEY_TYPE, tries[i].type),
		};
		CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_TOKEN, no), ATTR(CKA_KEY_TYPE, tries[i].type) };

		if (!mechanism_listed(slot_a, tries[i].gen))
			continue;
		assert_rv(p11->C_GenerateKeyPair(s, &gen, tmpl, 3, priv_tmpl, 2, &pub, &priv), tries[i].rv);
		if (tries[i].rv)
			continue;
		assert_int_equal(attr_ulong(s, priv, CKA_KEY_TYPE), tries[i].type);
		params = attr_bytes(s, pub, CKA_EC_PARAMS, &len);
		assert_int_equal(len, tries[i].len);
		assert_memory_equal(params, tries[i].params, len);
		free(params);
		if (tries[i].type == CKK_EC_EDWARDS || tries[i].type == CKK_EC_EDWARDS_OLD) {
			CK_MECHANISM mech = { CKM_EDDSA, NULL, 0 };

			assert_ok(p11->C_SignInit(s, &mech, priv));
			mech.mechanism = CKM_EDDSA_OLD;
			assert_ok(p11->C_VerifyInit(s, &mech, pub));
			sessions_close(slot_a);
			s = session_co(slot_a);
		}
	}
	{
		CK_MECHANISM gen = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
		CK_ATTRIBUTE tmpl[] = { ATTR(CKA_TOKEN, no) };

		assert_rv(p11->C_GenerateKeyPair(s, &gen, tmpl, 1, tmpl, 1, &pub, &priv),
			  CKR_TEMPLATE_INCOMPLETE);
		gen = (CK_MECHANISM){ CKM_EC_KEY_PAIR_GEN, data, 4 };
		assert_rv(p11->C_GenerateKeyPair(s, &gen, tmpl, 1, tmpl, 1, &pub, &priv),
			  CKR_MECHANISM_PARAM_INVALID);
	}
}

/* ---- keys from elsewhere ---- */

/* A public key with this CKA_EC_POINT */
static CK_RV create_point(const struct curve *c, const void *bytes, CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = c->type;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len), ATTR_BYTES(CKA_EC_POINT, bytes, len),
	};

	return p11->C_CreateObject(s, tmpl, COUNT(tmpl), key);
}

/* Points: wrapped or not; broken in every way, none of which is a point by accident. */
static void points(void **state)
{
	CK_BYTE der[EC_POINT_MAX + 3], bad[EC_POINT_MAX + 4];
	CK_OBJECT_HANDLE key;
	unsigned char *kept;
	CK_ULONG len, got, n;
	struct pair p;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		const struct curve *c = &curves[i];

		if (!curve_offered(s, c))
			continue;
		p = pair_import(c);
		len = point_wrap(p.point, c->point, der);
		assert_ok(create_point(c, p.point, c->point, &key));
		kept = attr_bytes(s, key, CKA_EC_POINT, &got);
		assert_int_equal(got, len);
		assert_memory_equal(kept, der, len);
		free(kept);
		/* Any 32 bytes may be a point that is not wrapped. */
		for (n = 0; n < len; n++)
			if (n != 32 || is_weierstrass(c))
				assert_rv(create_point(c, der, n, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memcpy(bad, der, len);
		bad[len] = 0;
		assert_rv(create_point(c, bad, len + 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		for (n = 0; n < len - c->point; n++) {
			memcpy(bad, der, len);
			bad[n] ^= 1;
			assert_rv(create_point(c, bad, len, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		}
		if (!is_weierstrass(c)) {
			/* A BIT STRING, as drafts had it; not with bits left over */
			memcpy(bad, "\x03\x21\x00", 3);
			memcpy(bad + 3, p.point, 32);
			assert_ok(create_point(c, bad, 35, &key));
			bad[2] = 1;
			assert_rv(create_point(c, bad, 35, &key), CKR_ATTRIBUTE_VALUE_INVALID);
			EVP_PKEY_free(p.pkey);
			continue;
		}
		/* Off the curve: a y that is another's */
		for (n = 1; n < c->point; n += 1 + rand() % 5) {
			memcpy(bad, p.point, c->point);
			bad[n] ^= 1 << rand() % 8;
			assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		}
		/* Infinity, compressed, hybrid, coordinates beyond the field */
		assert_rv(create_point(c, "\x00", 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		assert_rv(create_point(c, "\x04\x01\x00", 3, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memcpy(bad, p.point, c->point);
		bad[0] = 2 + (p.point[c->point - 1] & 1);
		assert_rv(create_point(c, bad, 1 + c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		bad[0] += 4;
		assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memset(bad + 1, 0, c->point - 1);
		bad[0] = 4;
		assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memset(bad + 1, 0xff, c->point - 1);
		assert_rv(create_point(c, bad, c->point, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		EVP_PKEY_free(p.pkey);
	}
}

/* Half of all numbers are no y of Edwards's curve, and p and more none at all. */
static void edwards_points(void **state)
{
	const struct curve *c = &curves[ED25519];
	unsigned int on = 0, i;
	CK_OBJECT_HANDLE key;
	CK_BYTE point[32];
	CK_RV rv;

	NEEDS_SIGNING;
	for (i = 0; i < 400; i++) {
		fresh(point, sizeof(point));
		rv = create_point(c, point, 32, &key);
		if (rv == CKR_OK) {
			on++;
			assert_ok(p11->C_DestroyObject(s, key));
		} else {
			assert_rv(rv, CKR_ATTRIBUTE_VALUE_INVALID);
		}
	}
	assert_in_range(on, 130, 270);
	memset(point, 0xff, 32);
	point[31] = 0x7f;
	for (i = 0xed; i <= 0xff; i++) {
		point[0] = i;
		assert_rv(create_point(c, point, 32, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	}
	/* x is 0 there, so that it has no sign. */
	memset(point, 0, 32);
	point[0] = 1;
	assert_ok(create_point(c, point, 32, &key));
	point[31] = 0x80;
	assert_rv(create_point(c, point, 32, &key), CKR_ATTRIBUTE_VALUE_INVALID);
}

/* 1 .. order - 1, with zeros in front as a client likes; a point that is another's is refused. */
static void values(void **state)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_BYTE value[70], der[EC_POINT_MAX + 3];
	CK_OBJECT_HANDLE key;
	BIGNUM *n = NULL;
	unsigned char *kept;
	CK_ULONG len;
	struct pair p, other;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		const struct curve *c = &curves[i];
		CK_KEY_TYPE type = c->type;
		CK_ATTRIBUTE tmpl[] = {
			ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
			ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len),
			ATTR_BYTES(CKA_EC_POINT, der, 0), ATTR_BYTES(CKA_VALUE, value, c->bytes),
		};

		if (!curve_offered(s, c))
			continue;
		p = pair_import(c);
		other = pair_import(c);
		memcpy(value, p.value, c->bytes);
		tmpl[4].ulValueLen = point_wrap(p.point, c->point, der);
		assert_ok(p11->C_CreateObject(s, tmpl, 6, &key));
		assert_rv(p11->C_CreateObject(s, tmpl, 5, &key), CKR_TEMPLATE_INCOMPLETE);
		point_wrap(other.point, c->point, der);
		assert_rv(p11->C_CreateObject(s, tmpl, 6, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		assert_rv(ec_create_private(s, c, value, 0, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		if (!is_weierstrass(c)) {
			assert_rv(ec_create_private(s, c, value, 31, &key), CKR_ATTRIBUTE_VALUE_INVALID);
			assert_rv(ec_create_private(s, c, value, 33, &key), CKR_ATTRIBUTE_VALUE_INVALID);
			goto next;
		}
		ossl(EVP_PKEY_get_bn_param(p.pkey, OSSL_PKEY_PARAM_EC_ORDER, &n));
		assert_int_equal(BN_bn2binpad(n, value, c->bytes), c->bytes);
		assert_rv(ec_create_private(s, c, value, c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		ossl(BN_sub_word(n, 1));
		BN_bn2binpad(n, value, c->bytes);
		assert_ok(ec_create_private(s, c, value, c->bytes, &key));
		memset(value, 0xff, sizeof(value));
		assert_rv(ec_create_private(s, c, value, c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		memset(value, 0, sizeof(value));
		assert_rv(ec_create_private(s, c, value, c->bytes, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		assert_rv(ec_create_private(s, c, value, 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		value[c->bytes + 1] = 5;
		assert_ok(ec_create_private(s, c, value, c->bytes + 2, &key));
		kept = attr_bytes(s, key, CKA_VALUE, &len);
		assert_int_equal(len, c->bytes);
		assert_memory_equal(kept, value + 2, len);
		free(kept);
		value[0] = 1;
		assert_rv(ec_create_private(s, c, value, c->bytes + 2, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		value[0] = 5;
		assert_ok(ec_create_private(s, c, value, 1, &key));
		kept = attr_bytes(s, key, CKA_VALUE, &len);
		assert_int_equal(len, c->bytes);
		assert_int_equal(kept[len - 1], 5);
		free(kept);
next:
		EVP_PKEY_free(p.pkey);
		EVP_PKEY_free(other.pkey);
	}
	BN_free(n);
}

/* ---- wrapped ---- */

static CK_OBJECT_HANDLE kek;
static CK_MECHANISM kwp = { CKM_AES_KWP, NULL, 0 };

/* What OpenSSL writes as PKCS#8, under the wrapping key. Return: bytes in @to */
static CK_ULONG seal(const unsigned char *der, size_t len, unsigned char *to)
{
	CK_ULONG got = ROOM;

	assert_ok(run_crypt(true, s, &kwp, kek, der, len, ONE_SHOT, to, &got));
	return got;
}

static CK_RV unwrap(const struct curve *c, const unsigned char *der, size_t len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = c->type;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_DERIVE, yes),
	};
	unsigned char sealed[ROOM];

	return p11->C_UnwrapKey(s, &kwp, kek, sealed, seal(der, len, sealed), tmpl, COUNT(tmpl), key);
}

static void assert_same_key(const struct pair *p, CK_OBJECT_HANDLE key)
{
	CK_ULONG len;
	unsigned char *value = attr_bytes(s, key, CKA_VALUE, &len);
	EVP_PKEY *pkey = public_of(p->curve, key);

	assert_int_equal(len, p->curve->bytes);
	assert_memory_equal(value, p->value, len);
	assert_int_equal(EVP_PKEY_eq(pkey, p->pkey), 1);
	EVP_PKEY_free(pkey);
	free(value);
}

static size_t pkcs8_of(EVP_PKEY *pkey, unsigned char *der)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	int len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);

	assert_true(len > 0);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return len;
}

static int open_with_kek(void **state)
{
	unsigned char value[32];

	open_session(state);
	fresh(value, sizeof(value));
	kek = secret_import(s, CKK_AES, value, sizeof(value));
	return 0;
}

static void unwrapped(void **state)
{
	CK_OBJECT_HANDLE key;
	unsigned char der[ROOM], bad[ROOM];
	size_t i, n, len, taken;
	struct pair p;
	CK_RV rv;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		if (!curve_offered(s, &curves[i]))
			continue;
		p = pair_import(&curves[i]);
		len = pkcs8_of(p.pkey, der);
		assert_ok(unwrap(p.curve, der, len, &key));
		assert_same_key(&p, key);
		assert_false(attr_bool(s, key, CKA_LOCAL));
		/* As another kind of key */
		assert_rv(unwrap(&curves[(i + 5) % 7], der, len, &key),
			  curves[(i + 5) % 7].type == p.curve->type ? CKR_OK : CKR_TEMPLATE_INCONSISTENT);
		/* Every byte broken: refused, or the same key (the private value alone decides). */
		for (n = taken = 0; n < len; n++) {
			memcpy(bad, der, len);
			bad[n] ^= 1 << rand() % 8;
			rv = unwrap(p.curve, bad, len, &key);
			taken += rv == CKR_OK;
			/* A bit may make it the name of another curve. */
			if (rv == CKR_CURVE_NOT_SUPPORTED)
				assert_false(has_signing());
			else if (rv != CKR_OK && rv != CKR_TEMPLATE_INCONSISTENT)
				assert_rv(rv, CKR_WRAPPED_KEY_INVALID);
		}
		/* Only a private value without its point can be turned into another one. */
		assert_true(is_weierstrass(p.curve) ? !taken : taken == 32);
		for (n = 1; n < len; n++)
			assert_rv(unwrap(p.curve, der, n, &key), CKR_WRAPPED_KEY_INVALID);
		der[len] = 0;
		assert_rv(unwrap(p.curve, der, len + 1, &key), CKR_WRAPPED_KEY_INVALID);
		EVP_PKEY_free(p.pkey);
	}
}

/* DER by hand: a header in front of what @at points to the end of */
static unsigned char *wrap_tag(unsigned char *start, unsigned char *end, unsigned char tag)
{
	size_t len = end - start;

	if (len > 0x7f)
		*--start = (unsigned char)len;
	*--start = len > 0x7f ? 0x81 : (unsigned char)len;
	*--start = tag;
	return start;
}

static unsigned char *put_before(unsigned char *start, const void *bytes, size_t len)
{
	start -= len;
	memcpy(start, bytes, len);
	return start;
}

enum { OUTSIDE = 1, INSIDE = 2, POINT = 4, SHORT = 8, ATTRIBUTES = 16, OTHER_INSIDE = 32, BAD_POINT = 64 };

/* A PrivateKeyInfo of a key on P-256 in one of the forms that others write. Return: its start */
static unsigned char *form(const struct pair *p, unsigned char *end, int parts)
{
	static const unsigned char ec_key[] = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
	const struct curve *c = p->curve, *inner = parts & OTHER_INSIDE ? &curves[4] : c;
	unsigned char *at = end, *mark;
	size_t skip = 0;

	if (parts & ATTRIBUTES)
		at = put_before(at, "\xa0\x00", 2);
	mark = at;
	if (parts & POINT) {
		unsigned char *point_end = at;

		at = put_before(at, p->point, c->point);
		at[20] ^= !!(parts & BAD_POINT);
		at = put_before(at, "\x00", 1);
		at = wrap_tag(at, point_end, 0x03);
		at = wrap_tag(at, point_end, 0xa1);
	}
	if (parts & (INSIDE | OTHER_INSIDE)) {
		unsigned char *params_end = at;

		at = put_before(at, inner->params, inner->params_len);
		at = wrap_tag(at, params_end, 0xa0);
	}
	while (parts & SHORT && !p->value[skip])
		skip++;
	{
		unsigned char *value_end = at;

		at = put_before(at, p->value + skip, c->bytes - skip);
		at = wrap_tag(at, value_end, 0x04);
	}
	at = put_before(at, "\x02\x01\x01", 3);
	at = wrap_tag(at, mark, 0x30);
	at = wrap_tag(at, mark, 0x04);
	{
		unsigned char *alg_end = at;

		if (parts & OUTSIDE)
			at = put_before(at, c->params, c->params_len);
		at = put_before(at, ec_key, 9);
		at = wrap_tag(at, alg_end, 0x30);
	}
	at = put_before(at, "\x02\x01\x00", 3);
	return wrap_tag(at, end, 0x30);
}

static void forms(void **state)
{
	static const int good[] = {
		OUTSIDE, OUTSIDE | INSIDE, INSIDE, OUTSIDE | POINT, OUTSIDE | INSIDE | POINT, INSIDE | POINT,
		OUTSIDE | SHORT, OUTSIDE | SHORT | POINT, OUTSIDE | ATTRIBUTES, INSIDE | POINT | ATTRIBUTES,
	};
	static const int bad[] = {
		0, POINT, OUTSIDE | OTHER_INSIDE, OUTSIDE | POINT | BAD_POINT,
		OUTSIDE | POINT | OTHER_INSIDE,
	};
	const struct curve *c = &curves[1];
	unsigned char der[ROOM], *at;
	struct pair p = { .curve = c };
	CK_OBJECT_HANDLE key;
	size_t i;

	NEEDS_CURVES;
	/* One with a zero in front, so that it can be left out. */
	do {
		EVP_PKEY_free(p.pkey);
		p.pkey = ossl_key(c);
		ossl_numbers(&p);
	} while (p.value[0]);
	for (i = 0; i < COUNT(good); i++) {
		at = form(&p, der + sizeof(der), good[i]);
		assert_ok(unwrap(c, at, der + sizeof(der) - at, &key));
		assert_same_key(&p, key);
	}
	for (i = 0; i < COUNT(bad); i++) {
		at = form(&p, der + sizeof(der), bad[i]);
		assert_rv(unwrap(c, at, der + sizeof(der) - at, &key), CKR_WRAPPED_KEY_INVALID);
	}
	EVP_PKEY_free(p.pkey);
}

/* RFC 5958, 1.2: the public key behind it; RFC 8410, 10.3 has such a key. */
static void with_public_key(void **state)
{
	const struct curve *c = &curves[ED25519];
	unsigned char der[ROOM];
	CK_OBJECT_HANDLE key;
	size_t len;
	struct pair p;

	NEEDS_SIGNING;
	p = pair_import(c);
	len = pkcs8_of(p.pkey, der);
	assert_int_equal(len, 48);
	memcpy(der + len, "\x81\x21\x00", 3);
	memcpy(der + len + 3, p.point, 32);
	len += 35;
	der[1] += 35;
	der[4] = 1;
	assert_ok(unwrap(c, der, len, &key));
	assert_same_key(&p, key);
	der[len - 1] ^= 1;
	assert_rv(unwrap(c, der, len, &key), CKR_WRAPPED_KEY_INVALID);
	EVP_PKEY_free(p.pkey);
}

/* Cloning (policy 0) or wrapping (1) of private keys: changing it ends all objects. */
static void allow_private_wrapping(CK_ULONG allowed)
{
	CK_ULONG ids[] = { 0, 1 }, values[] = { !allowed, allowed };
	CK_SESSION_HANDLE so = session_so(slot_a);

	assert_ok(ca->CA_SetTokenPolicies(so, slot_a, 2, ids, values));
	sessions_close(slot_a);
}

/* The token's own keys as OpenSSL reads them, and back again. */
static void wrapped(void **state)
{
	CK_OBJECT_HANDLE pub, priv, again;
	const unsigned char *at;
	PKCS8_PRIV_KEY_INFO *p8;
	CK_ULONG got, len;
	EVP_PKEY *pkey, *public;
	size_t i;

	NEEDS_CURVES;
	sessions_close(slot_a);
	allow_private_wrapping(1);
	open_with_kek(state);
	for (i = 0; i < COUNT(curves); i++) {
		struct pair p = { .curve = &curves[i] };

		if (!curve_offered(s, &curves[i]))
			continue;
		assert_ok(ec_generate(s, &curves[i], true, &pub, &priv));
		got = ROOM;
		assert_ok(p11->C_WrapKey(s, &kwp, kek, priv, out, &got));
		len = ROOM;
		assert_ok(run_crypt(false, s, &kwp, kek, out, got, ONE_SHOT, back, &len));
		at = back;
		p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, len);
		assert_non_null(p8);
		assert_ptr_equal(at, back + len);
		pkey = EVP_PKCS82PKEY(p8);
		assert_non_null(pkey);
		public = public_of(&curves[i], pub);
		assert_int_equal(EVP_PKEY_eq(pkey, public), 1);
		p.pkey = pkey;
		ossl_numbers(&p);
		assert_ok(unwrap(&curves[i], back, len, &again));
		assert_same_key(&p, again);
		EVP_PKEY_free(public);
		EVP_PKEY_free(pkey);
		PKCS8_PRIV_KEY_INFO_free(p8);
	}
	sessions_close(slot_a);
	allow_private_wrapping(0);
	open_session(state);
}

/* ---- policies, authentication, cloning ---- */

/* Policy 17: signing with keys that were not made here */
static void non_local(void **state)
{
	CK_MECHANISM mech = { CKM_ECDSA_SHA256, NULL, 0 };
	CK_SESSION_HANDLE so;
	CK_ULONG got = ROOM;
	CK_OBJECT_HANDLE pub, priv;
	struct pair p;

	NEEDS_SIGNING;
	sessions_close(slot_a);
	so = session_so(slot_a);
	assert_ok(ca->CA_SetTokenPolicies(so, slot_a, 1, (CK_ULONG[]){ 17 }, (CK_ULONG[]){ 0 }));
	sessions_close(slot_a);
	open_session(state);
	p = pair_import(&curves[1]);
	assert_rv(p11->C_SignInit(s, &mech, p.priv), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(ec_generate(s, &curves[1], false, &pub, &priv));
	assert_ok(run_sign(s, &mech, priv, data, 10, ONE_SHOT, out, &got));
	EVP_PKEY_free(p.pkey);
	sessions_close(slot_a);
	so = session_so(slot_a);
	assert_ok(ca->CA_SetTokenPolicies(so, slot_a, 1, (CK_ULONG[]){ 17 }, (CK_ULONG[]){ 1 }));
	sessions_close(slot_a);
	open_session(state);
}

static void always_authenticate(void **state)
{
	CK_MECHANISM gen = { CKM_EC_KEY_PAIR_GEN, NULL, 0 }, mech = { CKM_ECDSA_SHA256, NULL, 0 };
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR_BYTES(CKA_EC_PARAMS, curves[1].params, curves[1].params_len),
	};
	CK_ATTRIBUTE priv_tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_ALWAYS_AUTHENTICATE, yes), ATTR(CKA_DERIVE, yes),
	};
	CK_MECHANISM derive = { CKM_ECDH1_DERIVE, NULL, 0 };
	CK_OBJECT_HANDLE pub, priv, key;
	CK_ULONG got = ROOM;

	NEEDS_CURVES;
	assert_ok(p11->C_GenerateKeyPair(s, &gen, pub_tmpl, 2, priv_tmpl, 3, &pub, &priv));
	/* A derivation has no place for the login. */
	assert_rv(ec_derive(s, &derive, priv, 0, &key), CKR_USER_NOT_LOGGED_IN);
	if (!has_signing())
		return;
	assert_rv(run_sign(s, &mech, priv, data, 10, ONE_SHOT, out, &got), CKR_USER_NOT_LOGGED_IN);
	assert_ok(p11->C_SignInit(s, &mech, priv));
	session_login(s, CKU_CONTEXT_SPECIFIC, CO_PIN);
	got = ROOM;
	assert_ok(p11->C_Sign(s, data, 10, out, &got));
	assert_ok(run_verify(s, &mech, pub, data, 10, ONE_SHOT, out, got));
}

/* What either key and the owner of the public one agree on */
static void assert_same_secret(const struct curve *c, CK_OBJECT_HANDLE pub, CK_OBJECT_HANDLE priv,
			       CK_SESSION_HANDLE t, CK_OBJECT_HANDLE priv2)
{
	CK_ULONG len, len2;
	unsigned char *point = attr_bytes(s, pub, CKA_EC_POINT, &len), *one, *two;
	CK_ECDH1_DERIVE_PARAMS p = { CKD_NULL, 0, NULL, len, point };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_OBJECT_HANDLE key, key2;

	assert_ok(ec_derive(s, &mech, priv, 0, &key));
	assert_ok(ec_derive(t, &mech, priv2, 0, &key2));
	one = attr_bytes(s, key, CKA_VALUE, &len);
	two = attr_bytes(t, key2, CKA_VALUE, &len2);
	assert_int_equal(len, c->bytes);
	assert_int_equal(len2, c->bytes);
	assert_memory_equal(one, two, len);
	free(point);
	free(one);
	free(two);
}

/* Both halves to another token, all attributes alike, and the clone does what the key does. */
static void cloned(void **state)
{
	static const CK_ATTRIBUTE_TYPE same[] = {
		CKA_EC_PARAMS, CKA_EC_POINT, CKA_OUID, CKA_FINGERPRINT_SHA256, CKA_KEY_TYPE, CKA_LOCAL,
	};
	CK_SESSION_HANDLE t = session_co(slot_b);
	CK_MECHANISM mech = { 0, NULL, 0 };
	CK_OBJECT_HANDLE pub, priv, pub2, priv2;
	unsigned char *one, *two;
	CK_ULONG got, len, len2;
	size_t i, a;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		if (!curve_offered(s, &curves[i]))
			continue;
		assert_ok(ec_generate(s, &curves[i], false, &pub, &priv));
		assert_ok(ca->CA_CloneObject(t, s, CK_CRYPTOKI_ELEMENT, pub, &pub2));
		assert_ok(ca->CA_CloneObject(t, s, CK_CRYPTOKI_ELEMENT, priv, &priv2));
		for (a = 0; a < COUNT(same); a++) {
			one = attr_bytes(s, priv, same[a], &len);
			two = attr_bytes(t, priv2, same[a], &len2);
			assert_int_equal(len, len2);
			assert_memory_equal(one, two, len);
			free(one);
			free(two);
		}
		if (derives(&curves[i]))
			assert_same_secret(&curves[i], pub, priv, t, priv2);
		if (i != X25519 && has_signing()) {
			mech.mechanism = i == ED25519 ? CKM_EDDSA : CKM_ECDSA_SHA256;
			got = ROOM;
			assert_ok(run_sign(t, &mech, priv2, data, 100, ONE_SHOT, out, &got));
			assert_ok(run_verify(s, &mech, pub, data, 100, ONE_SHOT, out, got));
			assert_ok(run_verify(t, &mech, pub2, data, 100, ONE_SHOT, out, got));
		}
	}
}

/* A token object, used again after its attributes were sealed and opened. */
static void token_object(void **state)
{
	CK_MECHANISM gen = { CKM_EC_KEY_PAIR_GEN, NULL, 0 }, mech = { CKM_ECDSA_SHA512, NULL, 0 };
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, yes), ATTR_STR(CKA_LABEL, "kept"),
		ATTR_BYTES(CKA_EC_PARAMS, curves[3].params, curves[3].params_len),
	};
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_TOKEN, yes), ATTR_STR(CKA_LABEL, "kept too") };
	CK_OBJECT_HANDLE pub, priv;
	CK_ULONG got = ROOM;

	NEEDS_SIGNING;
	assert_ok(p11->C_GenerateKeyPair(s, &gen, pub_tmpl, 3, priv_tmpl, 2, &pub, &priv));
	assert_ok(run_sign(s, &mech, priv, data, 100, ONE_SHOT, out, &got));
	sessions_close(slot_a);
	s = session_open(slot_a);
	assert_rv(p11->C_SignInit(s, &mech, priv), CKR_KEY_HANDLE_INVALID);
	assert_ok(run_verify(s, &mech, pub, data, 100, ONE_SHOT, out, got));
	session_login(s, CKU_USER, CO_PIN);
	got = ROOM;
	assert_ok(run_sign(s, &mech, priv, data, 100, ONE_SHOT, out, &got));
	assert_ok(run_verify(s, &mech, pub, data, 100, ONE_SHOT, out, got));
}

/* CKA_VALUE of a private key is seen only where it may be, and the rest always. */
static void copies(void **state)
{
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_SENSITIVE, yes) };
	CK_ATTRIBUTE value = { CKA_VALUE, data, sizeof(data) };
	CK_OBJECT_HANDLE copy;
	struct pair p;

	NEEDS_CURVES;
	p = pair_import(&curves[2]);
	assert_same_key(&p, p.priv);
	assert_ok(p11->C_CopyObject(s, p.priv, tmpl, 1, &copy));
	assert_rv(p11->C_GetAttributeValue(s, copy, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
	EVP_PKEY_free(public_of(p.curve, copy));
	tmpl[0] = (CK_ATTRIBUTE)ATTR_BYTES(CKA_EC_PARAMS, curves[1].params, curves[1].params_len);
	assert_rv(p11->C_CopyObject(s, p.priv, tmpl, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(p11->C_SetAttributeValue(s, p.pub, tmpl, 1), CKR_ATTRIBUTE_READ_ONLY);
	EVP_PKEY_free(p.pkey);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_session, test_teardown)
#define WRAP_TEST(f) cmocka_unit_test_setup_teardown(f, open_with_kek, test_teardown)
	const struct CMUnitTest tests[] = {
		TEST(offered),
		TEST(mechanism_info),
		TEST(hashed_signatures),
		TEST(raw_signatures),
		TEST(absurd_signatures),
		TEST(edwards),
		TEST(agreed),
		TEST(agreed_keys),
		TEST(hostile_points),
		TEST(wrong_keys),
		TEST(generated),
		TEST(parameters),
		TEST(points),
		TEST(edwards_points),
		TEST(values),
		WRAP_TEST(unwrapped),
		WRAP_TEST(forms),
		WRAP_TEST(with_public_key),
		TEST(wrapped),
		TEST(non_local),
		TEST(always_authenticate),
		TEST(cloned),
		TEST(token_object),
		TEST(copies),
	};

	srand(1);
	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
