// SPDX-License-Identifier: MIT
/*
 * FIPS mode: "Allow non-FIPS algorithms" off, 43 of a partition or 12 of the HSM. What goes, what
 * stays, and that all of it works outside. Keys that were there before stay, and are tried, too.
 */
#include "curves.h"
#include "exchange.h"

enum { FIPS = 43, HSM_FIPS = 12 };

#define TEXT	(CK_BYTE *)"text", 4

static CK_SESSION_HANDLE s;
static CK_BYTE iv[16] = "0123456789abcdef";
static CK_BYTE sig[512], out[1024];

static CK_RSA_PKCS_OAEP_PARAMS oaep = { CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, NULL, 0 };
static CK_RSA_PKCS_PSS_PARAMS pss = { CKM_SHA256, CKG_MGF1_SHA256, 32 };
static CK_RSA_PKCS_PSS_PARAMS pss_sha1 = { CKM_SHA_1, CKG_MGF1_SHA1, 20 };
static CK_MECHANISM by_oaep = { CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep) };
static CK_MECHANISM by_pss = { CKM_RSA_PKCS_PSS, &pss, sizeof(pss) };
static CK_MECHANISM by_pss_sha1 = { CKM_RSA_PKCS_PSS, &pss_sha1, sizeof(pss_sha1) };
static CK_MECHANISM by_pkcs = { CKM_RSA_PKCS, NULL, 0 };
static CK_MECHANISM by_sha256 = { CKM_SHA256_RSA_PKCS, NULL, 0 };
static CK_MECHANISM by_ecdsa = { CKM_ECDSA_SHA256, NULL, 0 };

/* Into FIPS mode, where the objects of the token stay, but no session; or out of it */
static void enter(void)
{
	policy_set(slot_a, FIPS, 0);
	s = session_co(slot_a);
}

static void leave(void)
{
	policy_allow(slot_a, FIPS);
	s = session_co(slot_a);
}

static CK_MECHANISM_INFO info_of(CK_MECHANISM_TYPE type)
{
	CK_MECHANISM_INFO info;

	assert_ok(p11->C_GetMechanismInfo(slot_a, type, &info));
	return info;
}

#define flags_of(type)	info_of(type).flags
#define min_of(type)	info_of(type).ulMinKeySize

/* An Init that is all that is asked for; the operation ends. */
typedef CK_RV (*init_fn)(CK_SESSION_HANDLE session, CK_MECHANISM_PTR mech, CK_OBJECT_HANDLE key);

static CK_RV begin(init_fn init, CK_FLAGS kind, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	CK_RV rv = init(s, mech, key);

	if (rv == CKR_OK)
		assert_ok(ca->CA_SessionCancel(s, kind));
	return rv;
}

#define sign_begin(mech, key)		begin(p11->C_SignInit, CKF_SIGN, mech, key)
#define verify_begin(mech, key)		begin(p11->C_VerifyInit, CKF_VERIFY, mech, key)
#define encrypt_begin(mech, key)	begin(p11->C_EncryptInit, CKF_ENCRYPT, mech, key)
#define decrypt_begin(mech, key)	begin(p11->C_DecryptInit, CKF_DECRYPT, mech, key)

static CK_FUNCTION_LIST_3_0 *v3_list(void)
{
	CK_C_GetInterface get = (CK_C_GetInterface)suite_symbol("C_GetInterface");
	CK_INTERFACE *interface;

	assert_ok(get(NULL, NULL, &interface, 0));
	return interface->pFunctionList;
}

/* ---- mechanisms ---- */

static const CK_MECHANISM_TYPE gone[] = {
	CKM_DES3_ECB, CKM_DES2_KEY_GEN, CKM_DES3_KEY_GEN, CKM_DES3_CBC, CKM_DES3_CBC_PAD, CKM_DES3_CTR,
	CKM_DES3_MAC, CKM_DES3_MAC_GENERAL, CKM_DES3_CMAC, CKM_DES3_CMAC_GENERAL,
	CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_X_509,
	CKM_SHA1_KEY_DERIVATION, CKM_SHA256_KEY_DERIVATION, CKM_SHA3_256_KEY_DERIVATION,
	CKM_SHA1_KEY_DERIVATION_OLD_XXX, CKM_AES_ECB_ENCRYPT_DATA, CKM_AES_CBC_ENCRYPT_DATA,
};

enum { ALWAYS_THERE = 11 };	/* the first of those that a token of any host has */

static bool had[COUNT(gone)];

static void listed(bool want)
{
	CK_MECHANISM_INFO info;
	size_t i;

	for (i = 0; i < COUNT(gone); i++) {
		bool there = want && had[i];

		assert_int_equal(mechanism_listed(slot_a, gone[i]), there);
		assert_rv(p11->C_GetMechanismInfo(slot_a, gone[i], &info),
			  there ? CKR_OK : CKR_MECHANISM_INVALID);
	}
}

static void take_stock(void)
{
	size_t i;

	for (i = 0; i < COUNT(gone); i++) {
		had[i] = mechanism_listed(slot_a, gone[i]);
		assert_true(had[i] || i < ALWAYS_THERE);
	}
}

/* IVs of AES-GCM are the token's: of a whole encryption, and of messages. */
static void gcm(CK_OBJECT_HANDLE key)
{
	CK_GCM_PARAMS own = { NULL, 0, 0, NULL, 0, 128 }, back = { iv, 12, 96, NULL, 0, 128 };
	CK_MECHANISM mech = { CKM_AES_GCM, &back, sizeof(back) }, bare = { CKM_AES_GCM, NULL, 0 };
	CK_FUNCTION_LIST_3_0 *v3 = v3_list();
	CK_BYTE message_iv[12] = { 0 }, tag[16], sealed[64];
	CK_GCM_MESSAGE_PARAMS p = { message_iv, 12, 0, CKG_NO_GENERATE, tag, 128 };
	CK_ULONG len = sizeof(sealed), out_len = sizeof(out);

	assert_rv(p11->C_EncryptInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	mech.pParameter = &own;
	assert_ok(p11->C_EncryptInit(s, &mech, key));
	assert_ok(p11->C_Encrypt(s, TEXT, sealed, &len));
	assert_int_equal(len, 4 + 16 + 16);
	back = (CK_GCM_PARAMS){ sealed + 20, 16, 128, NULL, 0, 128 };
	mech.pParameter = &back;
	assert_ok(p11->C_DecryptInit(s, &mech, key));
	assert_ok(p11->C_Decrypt(s, sealed, 20, out, &out_len));
	assert_int_equal(out_len, 4);
	assert_memory_equal(out, "text", 4);

	assert_ok(v3->C_MessageEncryptInit(s, &bare, key));
	assert_rv(v3->C_EncryptMessage(s, &p, sizeof(p), NULL, 0, TEXT, sealed, &len),
		  CKR_MECHANISM_PARAM_INVALID);
	assert_ok(v3->C_MessageEncryptFinal(s));
	p.ivGenerator = CKG_GENERATE;
	assert_ok(v3->C_MessageEncryptInit(s, &bare, key));
	assert_ok(v3->C_EncryptMessage(s, &p, sizeof(p), NULL, 0, TEXT, sealed, &len));
	assert_ok(v3->C_MessageEncryptFinal(s));
}

/* Keys of triple DES come in and are of no use. */
static void des3(void)
{
	CK_BYTE value[] = "\x01\x23\x45\x67\x89\xab\xcd\xef\x23\x45\x67\x89"
			  "\xab\xcd\xef\x01\x45\x67\x89\xab\xcd\xef\x01\x23";
	CK_MECHANISM ecb = { CKM_DES3_ECB, NULL, 0 }, gen = { CKM_DES3_KEY_GEN, NULL, 0 };
	CK_OBJECT_HANDLE key = secret_import(s, CKK_DES3, value, 24);
	bool fips = !policy_get(slot_a, FIPS) || !had[0];

	assert_rv(encrypt_begin(&ecb, key), fips ? CKR_MECHANISM_INVALID : CKR_OK);
	assert_rv(p11->C_GenerateKey(s, &gen, NULL, 0, &key), fips ? CKR_MECHANISM_INVALID : CKR_OK);
}

/* Signatures of SHA-1 are only verified; CKM_RSA_PKCS_PSS has the hash in its parameter. */
static void sha1(CK_OBJECT_HANDLE pub, CK_OBJECT_HANDLE priv, CK_RV want, CK_RV want_param)
{
	CK_MECHANISM pkcs = { CKM_SHA1_RSA_PKCS, NULL, 0 };
	CK_MECHANISM hashed = { CKM_SHA1_RSA_PKCS_PSS, &pss_sha1, sizeof(pss_sha1) };

	assert_rv(sign_begin(&pkcs, priv), want);
	assert_rv(sign_begin(&hashed, priv), want);
	assert_rv(sign_begin(&by_pss_sha1, priv), want_param);
	assert_ok(verify_begin(&pkcs, pub));
	assert_ok(verify_begin(&hashed, pub));
	assert_ok(verify_begin(&by_pss_sha1, pub));
}

/* In FIPS mode: what is left works, what is not is refused at Init, also of half a mechanism. */
static void is_fips(void)
{
	CK_MECHANISM cbc = { CKM_AES_CBC, iv, 16 };
	CK_MECHANISM pair = { CKM_RSA_FIPS_186_3_PRIME_KEY_PAIR_GEN, NULL, 0 };
	CK_ULONG bits = 1024;
	CK_ATTRIBUTE small[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_OBJECT_HANDLE aes, pub, priv;

	listed(false);
	aes = secret_import(s, CKK_AES, "an AES-256 key for wrapping keys", 32);
	assert_ok(encrypt_begin(&cbc, aes));
	gcm(aes);
	assert_int_equal(min_of(pair.mechanism), 2048);
	assert_rv(p11->C_GenerateKeyPair(s, &pair, small, 1, NULL, 0, &pub, &priv), CKR_KEY_SIZE_RANGE);
	bits = 2048;
	assert_ok(p11->C_GenerateKeyPair(s, &pair, small, 1, NULL, 0, &pub, &priv));
	assert_rv(encrypt_begin(&by_pkcs, pub), CKR_MECHANISM_INVALID);
	assert_ok(encrypt_begin(&by_oaep, pub));
	assert_ok(decrypt_begin(&by_oaep, priv));
	assert_ok(sign_begin(&by_pkcs, priv));
	assert_ok(sign_begin(&by_sha256, priv));
	assert_ok(sign_begin(&by_pss, priv));
	sha1(pub, priv, CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(flags_of(CKM_RSA_PKCS) & (CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP), 0);
	assert_int_equal(flags_of(CKM_SHA1_RSA_PKCS) & (CKF_SIGN | CKF_VERIFY), CKF_VERIFY);
}

/* Into it nothing is lost; out of it, all objects are. */
static void partition(void **state)
{
	(void)state;
	listed(true);
	des3();
	assert_true(flags_of(CKM_RSA_PKCS) & CKF_ENCRYPT);
	aes_key(s, 32, true, "stays");
	enter();
	assert_int_equal(policy_get(slot_a, FIPS), 0);
	is_fips();
	des3();
	assert_int_not_equal(object_by_label(s, "stays"), 0);
	leave();
	assert_int_equal(object_by_label(s, "stays"), 0);
	listed(true);
	des3();
}

static void hsm(void **state)
{
	(void)state;
	hsm_policy_set(slot_a, HSM_FIPS, 0);
	s = session_co(slot_a);
	is_fips();
	hsm_policy_set(slot_a, HSM_FIPS, 1);
	s = session_co(slot_a);
	listed(true);
}

static int hsm_teardown(void **state)
{
	hsm_policy_set(slot_a, HSM_FIPS, 1);
	return sessions_teardown(state);
}

/* ---- RSA ---- */

/* Everything but verification asks for 2048 bits. */
static void rsa_uses(CK_OBJECT_HANDLE pub, CK_OBJECT_HANDLE priv, CK_RV want)
{
	CK_RV want_wrap = want ? CKR_WRAPPING_KEY_SIZE_RANGE : CKR_OK;
	CK_RSA_AES_KEY_WRAP_PARAMS rsa_aes = { 256, &oaep };
	CK_MECHANISM both = { CKM_RSA_AES_KEY_WRAP, &rsa_aes, sizeof(rsa_aes) };
	CK_MECHANISM *signs[] = { &by_pkcs, &by_sha256, &by_pss };
	CK_OBJECT_HANDLE secret = secret_import(s, CKK_AES, "0123456789abcdef", 16);
	CK_ULONG len = sizeof(out);
	size_t i;

	for (i = 0; i < COUNT(signs); i++) {
		assert_rv(sign_begin(signs[i], priv), want);
		assert_ok(verify_begin(signs[i], pub));
	}
	assert_rv(begin(p11->C_SignRecoverInit, CKF_SIGN_RECOVER, &by_pkcs, priv), want);
	assert_ok(begin(p11->C_VerifyRecoverInit, CKF_VERIFY_RECOVER, &by_pkcs, pub));
	assert_rv(encrypt_begin(&by_oaep, pub), want);
	assert_rv(decrypt_begin(&by_oaep, priv), want);
	assert_rv(p11->C_WrapKey(s, &by_oaep, pub, secret, out, &len), want_wrap);
	len = sizeof(out);
	assert_rv(p11->C_WrapKey(s, &both, pub, secret, out, &len), want_wrap);
}

static void rsa_messages(CK_OBJECT_HANDLE pub, CK_OBJECT_HANDLE priv, CK_RV want)
{
	CK_FUNCTION_LIST_3_0 *v3 = v3_list();

	assert_rv(begin(v3->C_MessageSignInit, CKF_MESSAGE_SIGN, &by_sha256, priv), want);
	assert_ok(begin(v3->C_MessageVerifyInit, CKF_MESSAGE_VERIFY, &by_sha256, pub));
}

/* What was signed before is still verified. */
static void rsa_1024(void **state)
{
	static const CK_MECHANISM_TYPE big[] = {
		CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_SHA512_RSA_PKCS_PSS,
		CKM_RSA_PKCS_OAEP, CKM_RSA_AES_KEY_WRAP,
	};
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE aes = CKK_AES;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, aes) };
	CK_OBJECT_HANDLE pub, priv, key;
	CK_BYTE wrapped[256];
	CK_ULONG len = sizeof(sig), wrapped_len = sizeof(wrapped);
	size_t i;

	(void)state;
	rsa_pair(s, 1024, true, "1024", &pub, &priv);
	rsa_uses(pub, priv, CKR_OK);
	rsa_messages(pub, priv, CKR_OK);
	sha1(pub, priv, CKR_OK, CKR_OK);
	sign_text(s, priv, sig, &len);
	key = secret_import(s, CKK_AES, "0123456789abcdef", 16);
	assert_ok(p11->C_WrapKey(s, &by_oaep, pub, key, wrapped, &wrapped_len));
	assert_ok(p11->C_UnwrapKey(s, &by_oaep, priv, wrapped, wrapped_len, tmpl, COUNT(tmpl), &key));
	for (i = 0; i < COUNT(big); i++)
		assert_int_equal(min_of(big[i]), 1024);

	enter();
	rsa_uses(pub, priv, CKR_KEY_SIZE_RANGE);
	rsa_messages(pub, priv, CKR_KEY_SIZE_RANGE);
	verify_text(s, pub, sig, len);
	assert_rv(p11->C_UnwrapKey(s, &by_oaep, priv, wrapped, wrapped_len, tmpl, COUNT(tmpl), &key),
		  CKR_UNWRAPPING_KEY_SIZE_RANGE);
	for (i = 0; i < COUNT(big); i++)
		assert_int_equal(min_of(big[i]), 2048);
	/* Only verifies */
	assert_int_equal(min_of(CKM_SHA1_RSA_PKCS), 1024);
}

static CK_RV pair_with_exponent(CK_ULONG bits, const char *e, CK_ULONG len)
{
	CK_MECHANISM gen = { CKM_RSA_FIPS_186_3_PRIME_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_MODULUS_BITS, bits), ATTR_BYTES(CKA_PUBLIC_EXPONENT, e, len) };
	CK_OBJECT_HANDLE pub, priv;

	return p11->C_GenerateKeyPair(s, &gen, tmpl, COUNT(tmpl), NULL, 0, &pub, &priv);
}

static void rsa_exponent(void **state)
{
	(void)state;
	assert_ok(pair_with_exponent(1024, "\x03", 1));
	enter();
	assert_rv(pair_with_exponent(2048, "\x03", 1), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(pair_with_exponent(2048, "\0\0\x03", 3), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(pair_with_exponent(2048, "\xff\xff", 2), CKR_ATTRIBUTE_VALUE_INVALID);
}

/* ---- secrets ---- */

static const CK_MECHANISM_TYPE hmacs[] = {
	CKM_SHA_1_HMAC, CKM_SHA224_HMAC, CKM_SHA256_HMAC, CKM_SHA384_HMAC, CKM_SHA512_HMAC,
	CKM_SHA3_224_HMAC, CKM_SHA3_256_HMAC, CKM_SHA3_384_HMAC, CKM_SHA3_512_HMAC,
};

enum { GENERAL = 1 };	/* the same of chosen length: the number that follows */

static CK_OBJECT_HANDLE hmac_key(CK_ULONG len)
{
	CK_OBJECT_HANDLE session_key = secret_import(s, CKK_GENERIC_SECRET, "0123456789abcdef", len), key;
	CK_ATTRIBUTE kept[] = { ATTR(CKA_TOKEN, yes) };

	assert_ok(p11->C_CopyObject(s, session_key, kept, 1, &key));
	return key;
}

static void hmac_uses(CK_OBJECT_HANDLE key, CK_RV want)
{
	CK_MAC_GENERAL_PARAMS len = 10;
	size_t i;

	for (i = 0; i < COUNT(hmacs); i++) {
		CK_MECHANISM whole = { hmacs[i], NULL, 0 };
		CK_MECHANISM cut = { hmacs[i] + GENERAL, &len, sizeof(len) };

		if (!mechanism_listed(slot_a, hmacs[i]))
			continue;
		assert_rv(sign_begin(&whole, key), want);
		assert_rv(sign_begin(&cut, key), want);
		assert_ok(verify_begin(&whole, key));
		assert_ok(verify_begin(&cut, key));
		assert_int_equal(min_of(hmacs[i]), want ? 14 : 1);
	}
}

static void hmac(void **state)
{
	CK_MECHANISM mech = { CKM_SHA256_HMAC, NULL, 0 };
	CK_OBJECT_HANDLE shorter = hmac_key(13), enough = hmac_key(14), other = hmac_key(13);
	CK_ULONG len = sizeof(sig);

	(void)state;
	hmac_uses(shorter, CKR_OK);
	assert_ok(p11->C_SignInit(s, &mech, shorter));
	assert_ok(p11->C_Sign(s, TEXT, sig, &len));
	enter();
	hmac_uses(shorter, CKR_KEY_SIZE_RANGE);
	hmac_uses(other, CKR_KEY_SIZE_RANGE);
	assert_ok(sign_begin(&mech, enough));
	assert_ok(p11->C_VerifyInit(s, &mech, shorter));
	assert_ok(p11->C_Verify(s, TEXT, sig, len));
}

static CK_RV from_password(CK_ULONG salt_len, CK_ULONG iterations, CK_ULONG bytes)
{
	CK_PKCS5_PBKD2_PARAMS2 p = {
		CKZ_SALT_SPECIFIED, iv, salt_len, iterations, CKP_PKCS5_PBKD2_HMAC_SHA256, NULL, 0,
		(CK_UTF8CHAR *)"password", 8,
	};
	CK_MECHANISM mech = { CKM_PKCS5_PBKD2, &p, sizeof(p) };
	CK_KEY_TYPE type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_KEY_TYPE, type), ATTR(CKA_VALUE_LEN, bytes) };
	CK_OBJECT_HANDLE key;

	return p11->C_GenerateKey(s, &mech, tmpl, COUNT(tmpl), &key);
}

static void passwords(void **state)
{
	(void)state;
	assert_ok(from_password(15, 999, 13));
	enter();
	assert_ok(from_password(16, 1000, 14));
	assert_rv(from_password(15, 1000, 14), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(from_password(16, 999, 14), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(from_password(16, 1000, 13), CKR_KEY_SIZE_RANGE);
}

/* ---- curves ---- */

enum { P256 = 1, SECP256K1 = 4 };

struct pair {
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE point[EC_POINT_MAX];	/* not wrapped */
};

static CK_RV pair_generate(const struct curve *c, struct pair *pair)
{
	CK_MECHANISM gen = { c->gen, NULL, 0 };
	CK_ATTRIBUTE pub[] = { ATTR(CKA_TOKEN, yes), ATTR_BYTES(CKA_EC_PARAMS, c->params, c->params_len) };
	CK_ATTRIBUTE priv[] = { ATTR(CKA_TOKEN, yes), ATTR(CKA_EXTRACTABLE, yes), ATTR(CKA_DERIVE, yes) };

	return p11->C_GenerateKeyPair(s, &gen, pub, COUNT(pub), priv, COUNT(priv), &pair->pub,
				      &pair->priv);
}

/* luna.ko has other curves than luna-fuse. */
static bool signs_with(const struct curve *c)
{
	struct pair pair;

	return mechanism_listed(slot_a, CKM_ECDSA_SHA256) && mechanism_listed(slot_a, c->gen) &&
	       pair_generate(c, &pair) == CKR_OK;
}

static struct pair pair_make(const struct curve *c)
{
	struct pair pair;
	unsigned char *der;
	CK_ULONG len;

	assert_ok(pair_generate(c, &pair));
	der = attr_bytes(s, pair.pub, CKA_EC_POINT, &len);
	memcpy(pair.point, der + len - c->point, c->point);
	free(der);
	return pair;
}

static CK_RV agree(const struct curve *c, const struct pair *pair)
{
	CK_ECDH1_DERIVE_PARAMS p = { CKD_NULL, 0, NULL, c->point, (CK_BYTE *)pair->point };
	CK_MECHANISM mech = { CKM_ECDH1_DERIVE, &p, sizeof(p) };
	CK_OBJECT_HANDLE key;

	return ec_derive(s, &mech, pair->priv, 0, &key);
}

static CK_RV unwrap(CK_MECHANISM *mech, CK_OBJECT_HANDLE by, CK_BYTE *wrapped, CK_ULONG len)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_EC;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type) };
	CK_OBJECT_HANDLE key;

	return p11->C_UnwrapKey(s, mech, by, wrapped, len, tmpl, COUNT(tmpl), &key);
}

static void curve_uses(const struct curve *c, const struct pair *pair, CK_RV want)
{
	CK_BYTE value[32] = { 7 };
	CK_OBJECT_HANDLE key;
	struct pair fresh;

	assert_rv(sign_begin(&by_ecdsa, pair->priv), want);
	assert_rv(verify_begin(&by_ecdsa, pair->pub), want);
	assert_rv(agree(c, pair), want);
	assert_rv(pair_generate(c, &fresh), want);
	assert_rv(ec_create_public(s, c, pair->point, c->point, &key), want);
	assert_rv(ec_create_private(s, c, value, sizeof(value), &key), want);
}

/* secp256k1, whose keys are as long as P-256's */
static void koblitz(void **state)
{
	const struct curve *c = &curves[SECP256K1];
	CK_MECHANISM kwp = { CKM_AES_KWP, NULL, 0 };
	struct pair mine, good;
	CK_ULONG len = sizeof(out);
	CK_OBJECT_HANDLE aes;

	(void)state;
	if (!signs_with(c))
		skip();
	key_export(slot_a, true);
	s = session_co(slot_a);
	aes = aes_key(s, 32, true, "wraps");
	mine = pair_make(c);
	good = pair_make(&curves[P256]);
	curve_uses(c, &mine, CKR_OK);
	assert_ok(p11->C_WrapKey(s, &kwp, aes, mine.priv, out, &len));
	assert_ok(unwrap(&kwp, aes, out, len));
	enter();
	curve_uses(c, &mine, CKR_CURVE_NOT_SUPPORTED);
	assert_rv(unwrap(&kwp, aes, out, len), CKR_CURVE_NOT_SUPPORTED);
	curve_uses(&curves[P256], &good, CKR_OK);
	len = sizeof(out);
	assert_ok(p11->C_WrapKey(s, &kwp, aes, good.priv, out, &len));
	assert_ok(unwrap(&kwp, aes, out, len));
	key_export(slot_a, false);
}

/* RFC 7748's agreement goes, also of a key that is there; FIPS 186-5 has Ed25519. */
static void edwards_montgomery(void **state)
{
	CK_MECHANISM sha1 = { CKM_ECDSA_SHA1, NULL, 0 }, eddsa = { CKM_EDDSA, NULL, 0 };
	CK_BYTE value[32] = { 7 };
	struct pair x, ed, p256;
	CK_OBJECT_HANDLE key;

	(void)state;
	if (!signs_with(&curves[ED25519]) || !mechanism_listed(slot_a, CKM_EC_MONTGOMERY_KEY_PAIR_GEN))
		skip();
	x = pair_make(&curves[X25519]);
	ed = pair_make(&curves[ED25519]);
	p256 = pair_make(&curves[P256]);
	assert_ok(agree(&curves[X25519], &x));
	assert_ok(sign_begin(&eddsa, ed.priv));
	assert_ok(sign_begin(&sha1, p256.priv));
	enter();
	assert_rv(agree(&curves[X25519], &x), CKR_CURVE_NOT_SUPPORTED);
	assert_rv(ec_create_private(s, &curves[X25519], value, 32, &key), CKR_CURVE_NOT_SUPPORTED);
	assert_ok(sign_begin(&eddsa, ed.priv));
	assert_rv(sign_begin(&sha1, p256.priv), CKR_MECHANISM_INVALID);
	assert_ok(verify_begin(&sha1, p256.pub));
	assert_int_equal(min_of(CKM_ECDH1_DERIVE), 224);
	assert_int_equal(info_of(CKM_ECDH1_DERIVE).ulMaxKeySize, 521);
}

static int setup(void **state)
{
	(void)state;
	s = session_co(slot_a);
	take_stock();
	return 0;
}

/* Leaves FIPS mode, which ends what objects there are, also when the test has failed. */
static int teardown(void **state)
{
	if (policy_get(slot_a, FIPS))
		return test_teardown(state);
	policy_allow(slot_a, FIPS);
	return sessions_teardown(state);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(partition),
		cmocka_unit_test_setup_teardown(hsm, setup, hsm_teardown),
		TEST(rsa_1024),
		TEST(rsa_exponent),
		TEST(hmac),
		TEST(passwords),
		TEST(koblitz),
		TEST(edwards_montgomery),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
