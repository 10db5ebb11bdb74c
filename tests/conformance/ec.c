// SPDX-License-Identifier: MIT
/*
 * Elliptic curve keys: what they are made of, in and out, against OpenSSL's libcrypto both ways,
 * and what must be refused. Known answers are in kat_ec.c. Where the token cannot sign, as luna.ko,
 * the rest is tested on the curves that it has, and that it says so. Here is what mechanisms say
 * and take, and what becomes of a key.
 */
#include <openssl/core_names.h>

#include "ec.h"

bool has_curves(void)
{
	return mechanism_listed(slot_a, CKM_EC_KEY_PAIR_GEN);
}

bool has_signing(void)
{
	return mechanism_listed(slot_a, CKM_ECDSA);
}

bool is_weierstrass(const struct curve *c)
{
	return c->type == CKK_EC;
}

/* ---- keys here and there ---- */

EVP_PKEY *ossl_key(const struct curve *c)
{
	EVP_PKEY *pkey = is_weierstrass(c) ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", (char *)c->ossl) :
			 EVP_PKEY_Q_keygen(NULL, NULL, c->ossl);

	assert_non_null(pkey);
	return pkey;
}

void ossl_numbers(struct pair *p)
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

struct pair pair_import(const struct curve *c)
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

EVP_PKEY *public_of(const struct curve *c, CK_OBJECT_HANDLE key)
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
