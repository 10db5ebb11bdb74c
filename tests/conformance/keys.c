// SPDX-License-Identifier: MIT
/*
 * Keys (PKCS#11 v2.40, 5.13): generation, wrapping and unwrapping by every mechanism that does it,
 * what policies and templates allow, and derivation, which no mechanism offers yet.
 */
#include <openssl/evp.h>

#include "suite.h"

static CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY, private_class = CKO_PRIVATE_KEY,
		       data_class = CKO_DATA;
static CK_KEY_TYPE aes_type = CKK_AES, generic_type = CKK_GENERIC_SECRET, rsa_type = CKK_RSA;
static CK_BYTE kek_value[32] = "the key that wraps other keys...";
static CK_BYTE secret[64] = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF";
static CK_BYTE iv[16] = "an IV of 16 byte";
static CK_MECHANISM aes_gen = { CKM_AES_KEY_GEN, NULL, 0 };
static CK_MECHANISM generic_gen = { CKM_GENERIC_SECRET_KEY_GEN, NULL, 0 };
static CK_MECHANISM rsa_gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };

static CK_SESSION_HANDLE s;
static CK_OBJECT_HANDLE kek, rsa_pub, rsa_priv;

static int group_setup(void **state)
{
	int ret = suite_setup(state);

	s = session_co(slot_a);
	rsa_pair(s, 2048, true, "wrapping", &rsa_pub, &rsa_priv);
	sessions_close(slot_a);
	return ret;
}

static int setup(void **state)
{
	(void)state;
	s = session_co(slot_a);
	kek = secret_import(s, CKK_AES, kek_value, 32);
	return 0;
}

static CK_RV set_bool(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE attr = ATTR(type, value);

	return p11->C_SetAttributeValue(s, key, &attr, 1);
}

/* ---- secret keys ---- */

static CK_RV generate(CK_MECHANISM *mech, CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_VALUE_LEN, len), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
	};

	return p11->C_GenerateKey(s, mech, tmpl, COUNT(tmpl), key);
}

static void aes_sizes(void **state)
{
	CK_ULONG len, got;
	CK_OBJECT_HANDLE key;
	CK_BYTE *value, last[32] = { 0 };

	(void)state;
	for (len = 0; len <= 40; len++) {
		if (len != 16 && len != 24 && len != 32) {
			assert_rv(generate(&aes_gen, len, &key), CKR_ATTRIBUTE_VALUE_INVALID);
			continue;
		}
		assert_ok(generate(&aes_gen, len, &key));
		assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), len);
		assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), CKK_AES);
		assert_int_equal(attr_ulong(s, key, CKA_KEY_GEN_MECHANISM), CKM_AES_KEY_GEN);
		assert_true(attr_bool(s, key, CKA_LOCAL));
		value = attr_bytes(s, key, CKA_VALUE, &got);
		assert_int_equal(got, len);
		assert_memory_not_equal(value, last, 16);
		memcpy(last, value, 16);
		free(value);
	}
}

static void generic_sizes(void **state)
{
	CK_KEY_TYPE hmac = CKK_SHA256_HMAC;
	CK_ULONG len, got;
	CK_ATTRIBUTE named[] = { ATTR(CKA_VALUE_LEN, len), ATTR(CKA_KEY_TYPE, hmac) };
	CK_OBJECT_HANDLE key;

	(void)state;
	for (len = 1; len <= 512; len += len < 80 ? 1 : 27) {
		assert_ok(generate(&generic_gen, len, &key));
		free(attr_bytes(s, key, CKA_VALUE, &got));
		assert_int_equal(got, len);
		assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), len);
	}
	assert_ok(generate(&generic_gen, 512, &key));
	assert_rv(generate(&generic_gen, 0, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(generate(&generic_gen, 1 << 20, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(generate(&generic_gen, (1ul << 32) + 16, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	len = 40;
	assert_ok(p11->C_GenerateKey(s, &generic_gen, named, 2, &key));
	assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), CKK_SHA256_HMAC);
}

static CK_RV generate_with(CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len)
{
	CK_ULONG key_len = 16;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_VALUE_LEN, key_len), { type, (void *)value, len } };
	CK_OBJECT_HANDLE key;

	return p11->C_GenerateKey(s, &aes_gen, tmpl, 2, &key);
}

static void generate_errors(void **state)
{
	CK_MECHANISM unknown = { 0x7ffffff0, NULL, 0 }, cbc = { CKM_AES_CBC, iv, 16 };
	CK_MECHANISM with_param = { CKM_AES_KEY_GEN, iv, 16 };
	CK_ULONG len = 16, before = object_count(s, NULL, 0);
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_VALUE_LEN, len) };
	CK_ATTRIBUTE public[] = { ATTR(CKA_VALUE_LEN, len), ATTR(CKA_PRIVATE, no) };
	CK_ATTRIBUTE token[] = { ATTR(CKA_VALUE_LEN, len), ATTR(CKA_TOKEN, yes) };
	CK_SESSION_HANDLE reader = session_open_ro(slot_a);
	CK_OBJECT_HANDLE key;

	(void)state;
	assert_rv(p11->C_GenerateKey(s, NULL, tmpl, 1, &key), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateKey(s, &aes_gen, tmpl, 1, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateKey(s, &aes_gen, NULL, 1, &key), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateKey(1, &aes_gen, tmpl, 1, &key), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_GenerateKey(s, &unknown, tmpl, 1, &key), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_GenerateKey(s, &cbc, tmpl, 1, &key), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_GenerateKey(s, &rsa_gen, tmpl, 1, &key), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_GenerateKey(s, &with_param, tmpl, 1, &key), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(p11->C_GenerateKey(s, &aes_gen, tmpl, 0, &key), CKR_TEMPLATE_INCOMPLETE);
	assert_rv(p11->C_GenerateKey(s, &aes_gen, NULL, 0, &key), CKR_TEMPLATE_INCOMPLETE);
	assert_rv(p11->C_GenerateKey(reader, &aes_gen, token, 2, &key), CKR_SESSION_READ_ONLY);
	assert_rv(generate_with(CKA_CLASS, &data_class, sizeof(data_class)),
		  CKR_TEMPLATE_INCONSISTENT);
	assert_rv(generate_with(CKA_KEY_TYPE, &generic_type, sizeof(generic_type)),
		  CKR_TEMPLATE_INCONSISTENT);
	assert_rv(generate_with(CKA_VALUE, secret, 16), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(generate_with(CKA_LOCAL, &no, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(generate_with(CKA_ALWAYS_SENSITIVE, &no, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(generate_with(CKA_TRUSTED, &yes, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(generate_with(CKA_MODULUS, secret, 16), CKR_ATTRIBUTE_TYPE_INVALID);
	assert_rv(generate_with(CKA_ENCRYPT, secret, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(generate_with(CKA_START_DATE, "20261301x", 9), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_ok(generate_with(CKA_CLASS, &secret_class, sizeof(secret_class)));
	assert_ok(generate_with(CKA_KEY_TYPE, &aes_type, sizeof(aes_type)));
	assert_int_equal(object_count(s, NULL, 0), before + 2);

	assert_ok(p11->C_Logout(s));
	assert_rv(p11->C_GenerateKey(s, &aes_gen, tmpl, 1, &key), CKR_USER_NOT_LOGGED_IN);
	assert_ok(p11->C_GenerateKey(s, &aes_gen, public, 2, &key));
	assert_false(attr_bool(s, key, CKA_PRIVATE));
}

/* ---- RSA pairs ---- */

static CK_RV generate_pair(CK_ULONG bits, const void *e, CK_ULONG e_len, CK_OBJECT_HANDLE *pub,
			   CK_OBJECT_HANDLE *priv)
{
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_MODULUS_BITS, bits), { CKA_PUBLIC_EXPONENT, (void *)e, e_len },
	};

	return p11->C_GenerateKeyPair(s, &rsa_gen, tmpl, 2, NULL, 0, pub, priv);
}

static void rsa_sizes(void **state)
{
	static const CK_ULONG good[] = { 1024, 2048, 3072 };
	static const CK_ULONG ranges[] = { 0, 8, 512, 1008, 8208, 16384, 1ul << 32 | 2048 };
	static const CK_BYTE e[] = { 1, 0, 1 };
	CK_MECHANISM sign = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE sig[384];
	CK_ULONG len, i;

	(void)state;
	for (i = 0; i < COUNT(good); i++) {
		assert_ok(generate_pair(good[i], e, 3, &pub, &priv));
		assert_int_equal(attr_ulong(s, pub, CKA_MODULUS_BITS), good[i]);
		free(attr_bytes(s, pub, CKA_MODULUS, &len));
		assert_int_equal(len, good[i] / 8);
		free(attr_bytes(s, priv, CKA_MODULUS, &len));
		assert_int_equal(len, good[i] / 8);
		assert_int_equal(attr_ulong(s, pub, CKA_CLASS), CKO_PUBLIC_KEY);
		assert_int_equal(attr_ulong(s, priv, CKA_CLASS), CKO_PRIVATE_KEY);
		assert_true(attr_bool(s, pub, CKA_LOCAL));
		assert_true(attr_bool(s, priv, CKA_LOCAL));
		assert_false(attr_bool(s, pub, CKA_PRIVATE));
		assert_true(attr_bool(s, priv, CKA_PRIVATE));
		assert_true(attr_bool(s, priv, CKA_ALWAYS_SENSITIVE));
		assert_true(attr_bool(s, priv, CKA_NEVER_EXTRACTABLE));
		assert_int_equal(attr_ulong(s, priv, CKA_KEY_GEN_MECHANISM),
				 CKM_RSA_PKCS_KEY_PAIR_GEN);
		len = sizeof(sig);
		assert_ok(p11->C_SignInit(s, &sign, priv));
		assert_ok(p11->C_Sign(s, secret, 64, sig, &len));
		assert_int_equal(len, good[i] / 8);
		assert_ok(p11->C_VerifyInit(s, &sign, pub));
		assert_ok(p11->C_Verify(s, secret, 64, sig, len));
	}
	for (i = 0; i < COUNT(ranges); i++)
		assert_rv(generate_pair(ranges[i], e, 3, &pub, &priv), CKR_KEY_SIZE_RANGE);
	assert_rv(generate_pair(1025, e, 3, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(generate_pair(2047, e, 3, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void rsa_exponents(void **state)
{
	static const CK_BYTE three[] = { 3 }, zero[] = { 0 }, one[] = { 1 }, even[] = { 1, 0, 0 },
			     padded[] = { 0, 0, 1, 0, 1 }, usual[] = { 1, 0, 1 };
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE *e;
	CK_ULONG len;

	(void)state;
	assert_ok(generate_pair(1024, three, 1, &pub, &priv));
	e = attr_bytes(s, pub, CKA_PUBLIC_EXPONENT, &len);
	assert_int_equal(len, 1);
	assert_int_equal(e[0], 3);
	free(e);
	assert_ok(generate_pair(1024, zero, 1, &pub, &priv));
	e = attr_bytes(s, pub, CKA_PUBLIC_EXPONENT, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(e, usual, 3);
	free(e);
	assert_ok(generate_pair(1024, padded, 5, &pub, &priv));
	e = attr_bytes(s, priv, CKA_PUBLIC_EXPONENT, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(e, usual, 3);
	free(e);
	/* A vendor's sample gives it as text. */
	assert_ok(generate_pair(1024, "10001", 5, &pub, &priv));
	e = attr_bytes(s, pub, CKA_PUBLIC_EXPONENT, &len);
	assert_int_equal(len, 5);
	assert_memory_equal(e, "10001", 5);
	free(e);
	assert_rv(generate_pair(1024, one, 1, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(generate_pair(1024, even, 3, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(generate_pair(1024, secret, 33, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void pair_errors(void **state)
{
	CK_ULONG bits = 1024, before = object_count(s, NULL, 0);
	CK_BYTE e[] = { 1, 0, 1 };
	CK_ATTRIBUTE pub_tmpl[3] = { ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_PUBLIC_EXPONENT, e) };
	CK_ATTRIBUTE priv_tmpl[1] = { ATTR(CKA_SIGN, yes) };
	CK_MECHANISM with_param = { CKM_RSA_PKCS_KEY_PAIR_GEN, iv, 16 };
	CK_OBJECT_HANDLE pub, priv;

	(void)state;
	assert_rv(p11->C_GenerateKeyPair(s, NULL, pub_tmpl, 2, NULL, 0, &pub, &priv),
		  CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 2, NULL, 0, NULL, &priv),
		  CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 2, NULL, 0, &pub, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 2, NULL, 1, &pub, &priv),
		  CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateKeyPair(s, &aes_gen, pub_tmpl, 2, NULL, 0, &pub, &priv),
		  CKR_MECHANISM_INVALID);
	assert_rv(p11->C_GenerateKeyPair(s, &with_param, pub_tmpl, 2, NULL, 0, &pub, &priv),
		  CKR_MECHANISM_PARAM_INVALID);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl + 1, 1, NULL, 0, &pub, &priv),
		  CKR_TEMPLATE_INCOMPLETE);
	pub_tmpl[2] = (CK_ATTRIBUTE)ATTR(CKA_SIGN, yes);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 3, NULL, 0, &pub, &priv),
		  CKR_ATTRIBUTE_TYPE_INVALID);
	pub_tmpl[2] = (CK_ATTRIBUTE)ATTR(CKA_CLASS, private_class);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 3, NULL, 0, &pub, &priv),
		  CKR_TEMPLATE_INCONSISTENT);
	priv_tmpl[0] = (CK_ATTRIBUTE)ATTR(CKA_VERIFY, yes);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 2, priv_tmpl, 1, &pub, &priv),
		  CKR_ATTRIBUTE_TYPE_INVALID);
	priv_tmpl[0] = (CK_ATTRIBUTE)ATTR(CKA_PRIVATE_EXPONENT, secret);
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 2, priv_tmpl, 1, &pub, &priv),
		  CKR_ATTRIBUTE_READ_ONLY);
	/* Not one half of it was made. */
	assert_int_equal(object_count(s, NULL, 0), before);

	/* One half on the token, one in the session. */
	priv_tmpl[0] = (CK_ATTRIBUTE)ATTR(CKA_TOKEN, yes);
	assert_ok(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 2, priv_tmpl, 1, &pub, &priv));
	assert_false(attr_bool(s, pub, CKA_TOKEN));
	assert_true(attr_bool(s, priv, CKA_TOKEN));
	assert_ok(p11->C_DestroyObject(s, priv));
	assert_ok(p11->C_Logout(s));
	assert_rv(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 2, NULL, 0, &pub, &priv),
		  CKR_USER_NOT_LOGGED_IN);
}

/* ---- wrapping ---- */

static CK_RSA_PKCS_OAEP_PARAMS oaep = {
	CKM_SHA256, CKG_MGF1_SHA256, CKZ_DATA_SPECIFIED, iv, sizeof(iv),
};
static CK_GCM_PARAMS gcm = { iv, 12, 96, NULL, 0, 128 };

#define PARAM(p) &(p), sizeof(p)

enum { PLAIN, BLOCKS, PAD, SEMI, SEMI_PAD, TAG, PUBLIC_KEY, PUBLIC_AES };

static CK_RSA_AES_KEY_WRAP_PARAMS rsa_aes = { 256, &oaep };

/* A mechanism that wraps, and how long its output is. */
static const struct wrapper {
	const char *name;
	CK_MECHANISM mech;
	int shape;
} wrappers[] = {
	{ "ECB", { CKM_AES_ECB, NULL, 0 }, BLOCKS },
	{ "CBC", { CKM_AES_CBC, PARAM(iv) }, BLOCKS },
	{ "CBC_PAD", { CKM_AES_CBC_PAD, PARAM(iv) }, PAD },
	{ "KW", { CKM_AES_KW, NULL, 0 }, SEMI },
	{ "KW, IV", { CKM_AES_KW, iv, 8 }, SEMI },
	{ "KEY_WRAP", { CKM_AES_KEY_WRAP, NULL, 0 }, SEMI },
	{ "KWP", { CKM_AES_KWP, NULL, 0 }, SEMI_PAD },
	{ "KWP, IV", { CKM_AES_KWP, iv, 4 }, SEMI_PAD },
	{ "KEY_WRAP_PAD", { CKM_AES_KEY_WRAP_PAD, NULL, 0 }, SEMI_PAD },
	{ "GCM", { CKM_AES_GCM, PARAM(gcm) }, TAG },
	{ "RSA PKCS", { CKM_RSA_PKCS, NULL, 0 }, PUBLIC_KEY },
	{ "OAEP", { CKM_RSA_PKCS_OAEP, PARAM(oaep) }, PUBLIC_KEY },
	{ "RSA AES", { CKM_RSA_AES_KEY_WRAP, PARAM(rsa_aes) }, PUBLIC_AES },
};

static CK_ULONG wrapped_len(int shape, CK_ULONG len)
{
	switch (shape) {
	case BLOCKS:
		return (len + 15) / 16 * 16;
	case PAD:
		return len / 16 * 16 + 16;
	case SEMI:
		return len + 8;
	case SEMI_PAD:
		return (len + 7) / 8 * 8 + 8;
	case TAG:
		return len + 16;
	case PUBLIC_KEY:
		return 256;
	case PUBLIC_AES:
		return 256 + (len + 7) / 8 * 8 + 8;
	default:
		return len;
	}
}

static CK_RV wrap(const struct wrapper *w, CK_OBJECT_HANDLE target, CK_BYTE *out, CK_ULONG *len)
{
	return p11->C_WrapKey(s, (CK_MECHANISM *)&w->mech, w->shape >= PUBLIC_KEY ? rsa_pub : kek,
			      target,
			      out, len);
}

/* Unwraps as a readable key of @type; @len: CKA_VALUE_LEN, or 0 for none. */
static CK_RV unwrap(const struct wrapper *w, const CK_BYTE *blob, CK_ULONG blob_len,
		    CK_KEY_TYPE type, CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no),
		ATTR(CKA_VALUE_LEN, len),
	};

	return p11->C_UnwrapKey(s, (CK_MECHANISM *)&w->mech,
				w->shape >= PUBLIC_KEY ? rsa_priv : kek,
				(CK_BYTE *)blob, blob_len, tmpl, len ? 4 : 3, key);
}

static void wrap_one(const struct wrapper *w, CK_KEY_TYPE type, CK_ULONG len)
{
	CK_OBJECT_HANDLE target = secret_import(s, type, secret, len), key;
	CK_BYTE blob[512];
	CK_ULONG blob_len = 1, want = wrapped_len(w->shape, len);

	print_message("# %s %lu\n", w->name, len);
	assert_ok(wrap(w, target, NULL, &blob_len));
	assert_int_equal(blob_len, want);
	blob_len = want - 1;
	assert_rv(wrap(w, target, blob, &blob_len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(blob_len, want);
	memset(blob, 0x5a, sizeof(blob));
	assert_ok(wrap(w, target, blob, &blob_len));
	assert_int_equal(blob_len, want);
	assert_int_equal(blob[want], 0x5a);
	assert_ok(unwrap(w, blob, blob_len, type, len, &key));
	assert_value(s, key, CKA_VALUE, secret, len);
	assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), len);
	assert_false(attr_bool(s, key, CKA_LOCAL));
	assert_false(attr_bool(s, key, CKA_ALWAYS_SENSITIVE));
	assert_false(attr_bool(s, key, CKA_NEVER_EXTRACTABLE));
	assert_true(attr_bool(s, key, CKA_EXTRACTABLE));
	/* Where the length can be told from the blob, it need not be given. */
	if (w->shape != BLOCKS || len % 16 == 0) {
		assert_ok(unwrap(w, blob, blob_len, type, 0, &key));
		assert_value(s, key, CKA_VALUE, secret, len);
	}
	assert_ok(p11->C_DestroyObject(s, key));
	assert_ok(p11->C_DestroyObject(s, target));
}

static void wrap_all(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(wrappers); i++) {
		wrap_one(&wrappers[i], CKK_AES, 16);
		wrap_one(&wrappers[i], CKK_AES, 24);
		wrap_one(&wrappers[i], CKK_AES, 32);
		wrap_one(&wrappers[i], CKK_GENERIC_SECRET, 64);
		if (wrappers[i].shape == SEMI)
			continue;
		wrap_one(&wrappers[i], CKK_GENERIC_SECRET, 1);
		wrap_one(&wrappers[i], CKK_GENERIC_SECRET, 21);
	}
}

static void wrap_like_openssl(void **state)
{
	static const struct {
		size_t wrapper;
		const char *name;
	} rows[] = { { 3, "AES-256-WRAP" }, { 6, "AES-256-WRAP-PAD" } };
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 24);
	CK_BYTE blob[64], want[64];
	CK_ULONG len;
	size_t i;
	int made;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, rows[i].name, NULL);
		EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

		EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
		assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher, kek_value, NULL, NULL), 1);
		assert_int_equal(EVP_EncryptUpdate(ctx, want, &made, secret, 24), 1);
		len = sizeof(blob);
		assert_ok(wrap(&wrappers[rows[i].wrapper], target, blob, &len));
		assert_int_equal(len, made);
		assert_memory_equal(blob, want, len);
		EVP_CIPHER_CTX_free(ctx);
		EVP_CIPHER_free(cipher);
	}
}

static void wrap_errors(void **state)
{
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 16), odd, fixed, data, generic;
	CK_ATTRIBUTE data_tmpl[] = { ATTR(CKA_CLASS, data_class) };
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, ctr = { CKM_AES_CTR, NULL, 0 };
	CK_MECHANISM kw = { CKM_AES_KW, NULL, 0 }, rsa = { CKM_RSA_PKCS, NULL, 0 };
	CK_MECHANISM bad_iv = { CKM_AES_CBC, iv, 15 };
	CK_BYTE blob[512];
	CK_ULONG len = sizeof(blob);

	(void)state;
	odd = secret_import(s, CKK_GENERIC_SECRET, secret, 20);
	generic = secret_import(s, CKK_GENERIC_SECRET, secret, 64);
	fixed = aes_key(s, 16, false, "fixed");
	assert_ok(p11->C_CreateObject(s, data_tmpl, 1, &data));
	assert_rv(p11->C_WrapKey(s, NULL, kek, target, blob, &len), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_WrapKey(s, &ecb, kek, target, blob, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_WrapKey(1, &ecb, kek, target, blob, &len), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_WrapKey(s, &ecb, 0, target, blob, &len), CKR_WRAPPING_KEY_HANDLE_INVALID);
	assert_rv(p11->C_WrapKey(s, &ecb, kek, 0, blob, &len), CKR_KEY_HANDLE_INVALID);
	assert_rv(p11->C_WrapKey(s, &ecb, generic, target, blob, &len),
		  CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_WrapKey(s, &ecb, rsa_pub, target, blob, &len),
		  CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_WrapKey(s, &ctr, kek, target, blob, &len), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_WrapKey(s, &bad_iv, kek, target, blob, &len), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(p11->C_WrapKey(s, &kw, kek, odd, blob, &len), CKR_KEY_SIZE_RANGE);
	assert_rv(p11->C_WrapKey(s, &ecb, kek, fixed, blob, &len), CKR_KEY_UNEXTRACTABLE);
	assert_rv(p11->C_WrapKey(s, &ecb, kek, data, blob, &len), CKR_KEY_HANDLE_INVALID);
	assert_rv(p11->C_WrapKey(s, &ecb, kek, rsa_pub, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	assert_rv(p11->C_WrapKey(s, &rsa, rsa_priv, target, blob, &len),
		  CKR_KEY_FUNCTION_NOT_PERMITTED);
	/* Wrapping is no operation of the session: one that is active stays. */
	assert_ok(p11->C_EncryptInit(s, &ecb, kek));
	assert_ok(p11->C_WrapKey(s, &ecb, kek, target, blob, &len));
	len = sizeof(blob);
	assert_ok(p11->C_Encrypt(s, secret, 16, blob, &len));

	assert_ok(set_bool(kek, CKA_WRAP, CK_FALSE));
	assert_rv(p11->C_WrapKey(s, &ecb, kek, target, blob, &len), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(set_bool(target, CKA_EXTRACTABLE, CK_FALSE));
	assert_ok(set_bool(kek, CKA_WRAP, CK_TRUE));
	assert_rv(p11->C_WrapKey(s, &ecb, kek, target, blob, &len), CKR_KEY_UNEXTRACTABLE);
}

static void unwrap_errors(void **state)
{
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 16), key = 0, generic;
	const struct wrapper *kw = &wrappers[3], *ecb = &wrappers[0], *pad = &wrappers[2];
	CK_MECHANISM *mech = (CK_MECHANISM *)&kw->mech;
	CK_BYTE blob[256], zeros[32] = { 0 };
	CK_ULONG len = sizeof(blob), before, aes_len = 16, wrong_len = 24;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, aes_type), { 0, NULL, 0 },
	};

	(void)state;
	assert_ok(wrap(kw, target, blob, &len));
	generic = secret_import(s, CKK_GENERIC_SECRET, secret, 32);
	before = object_count(s, NULL, 0);
	assert_rv(p11->C_UnwrapKey(s, NULL, kek, blob, len, tmpl, 2, &key), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, NULL, len, tmpl, 2, &key), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl, 2, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_UnwrapKey(s, mech, 0, blob, len, tmpl, 2, &key),
		  CKR_UNWRAPPING_KEY_HANDLE_INVALID);
	assert_rv(p11->C_UnwrapKey(s, mech, generic, blob, len, tmpl, 2, &key),
		  CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl + 1, 1, &key),
		  CKR_TEMPLATE_INCOMPLETE);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl, 1, &key),
		  CKR_TEMPLATE_INCOMPLETE);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, NULL, 0, &key),
		  CKR_TEMPLATE_INCOMPLETE);
	tmpl[0] = (CK_ATTRIBUTE)ATTR(CKA_CLASS, data_class);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl, 2, &key),
		  CKR_TEMPLATE_INCONSISTENT);
	tmpl[0] = (CK_ATTRIBUTE)ATTR(CKA_CLASS, secret_class);
	tmpl[2] = (CK_ATTRIBUTE)ATTR(CKA_VALUE, secret);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl, 3, &key),
		  CKR_ATTRIBUTE_READ_ONLY);
	tmpl[2] = (CK_ATTRIBUTE)ATTR(CKA_LOCAL, yes);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl, 3, &key),
		  CKR_ATTRIBUTE_READ_ONLY);
	tmpl[2] = (CK_ATTRIBUTE)ATTR(CKA_VALUE_LEN, wrong_len);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl, 3, &key),
		  CKR_WRAPPED_KEY_INVALID);
	tmpl[2] = (CK_ATTRIBUTE)ATTR(CKA_MODULUS, secret);
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, tmpl, 3, &key),
		  CKR_ATTRIBUTE_TYPE_INVALID);

	/* Lengths. */
	assert_rv(unwrap(kw, blob, len - 1, CKK_AES, 0, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	assert_rv(unwrap(kw, blob, 8, CKK_AES, 0, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	assert_rv(unwrap(kw, blob, 0, CKK_AES, 0, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	assert_rv(unwrap(ecb, blob, 15, CKK_AES, 0, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	assert_rv(unwrap(&wrappers[10], blob, 255, CKK_AES, 0, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	assert_rv(unwrap(&wrappers[10], blob, 256, CKK_AES, 0, &key), CKR_WRAPPED_KEY_INVALID);
	/* Not a key of that type. */
	assert_rv(unwrap(ecb, zeros, 0, CKK_AES, 0, &key), CKR_WRAPPED_KEY_INVALID);
	/* Of 32 bytes only zeros may be cut off, and less than a block. */
	assert_rv(unwrap(ecb, zeros, 32, CKK_AES, 16, &key), CKR_WRAPPED_KEY_INVALID);
	assert_rv(unwrap(ecb, zeros, 32, CKK_GENERIC_SECRET, 20, &key), CKR_WRAPPED_KEY_INVALID);
	assert_rv(unwrap(pad, zeros, 16, CKK_AES, 16, &key), CKR_WRAPPED_KEY_INVALID);
	assert_int_equal(object_count(s, NULL, 0), before);

	assert_ok(unwrap(kw, blob, len, CKK_AES, aes_len, &key));
	assert_ok(set_bool(kek, CKA_UNWRAP, CK_FALSE));
	assert_rv(unwrap(kw, blob, len, CKK_AES, 0, &key), CKR_KEY_FUNCTION_NOT_PERMITTED);
}

/* Every byte of an authenticated blob counts. */
static void tampered(void **state)
{
	static const size_t which[] = { 3, 6, 9 };
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 16), key, other;
	CK_BYTE blob[64];
	CK_ULONG len, i, at;

	(void)state;
	other = secret_import(s, CKK_AES, secret, 32);
	for (i = 0; i < COUNT(which); i++) {
		const struct wrapper *w = &wrappers[which[i]];

		len = sizeof(blob);
		assert_ok(wrap(w, target, blob, &len));
		for (at = 0; at < len; at++) {
			blob[at] ^= 0x80;
			assert_rv(unwrap(w, blob, len, CKK_AES, 0, &key), CKR_WRAPPED_KEY_INVALID);
			blob[at] ^= 0x80;
		}
		kek = other;
		assert_rv(unwrap(w, blob, len, CKK_AES, 0, &key), CKR_WRAPPED_KEY_INVALID);
		kek = secret_import(s, CKK_AES, kek_value, 32);
		assert_ok(unwrap(w, blob, len, CKK_AES, 0, &key));
	}
}

/* ---- what policies and attributes allow ---- */

static void private_keys_stay(void **state)
{
	CK_ULONG bits = 1024, len;
	CK_ATTRIBUTE pub_tmpl[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_EXTRACTABLE, yes) };
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE blob[1024];
	size_t i;

	(void)state;
	assert_ok(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 1, priv_tmpl, 1, &pub, &priv));
	for (i = 0; i < COUNT(wrappers); i++) {
		len = sizeof(blob);
		assert_rv(wrap(&wrappers[i], priv, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	}
}

/* Policy 1 on, policy 0 off: on the other token, which is made anew at the end. */
static void private_keys_leave(void **state)
{
	static const size_t which[] = { 0, 1, 2, 6, 9, COUNT(wrappers) - 1 };
	CK_ULONG ids[] = { 0, 1 }, values[] = { 0, 1 }, bits = 1024, len, i;
	CK_ATTRIBUTE pub_tmpl[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_EXTRACTABLE, yes) };
	CK_ATTRIBUTE back[] = { ATTR(CKA_CLASS, private_class), ATTR(CKA_KEY_TYPE, rsa_type) };
	CK_MECHANISM sign = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_MECHANISM rsa = { CKM_RSA_PKCS_OAEP, PARAM(oaep) };
	CK_OBJECT_HANDLE pub, priv, key, with, back_with, kept_pub = rsa_pub, kept_priv = rsa_priv;
	CK_BYTE blob[1024], sig[128];

	(void)state;
	sessions_close(slot_a);
	s = session_so(slot_b);
	assert_ok(ca->CA_SetContainerPolicies(s, 1, 2, ids, values));
	sessions_close(slot_b);
	s = session_co(slot_b);
	kek = secret_import(s, CKK_AES, kek_value, 32);
	assert_ok(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 1, priv_tmpl, 1, &pub, &priv));
	rsa_pub = pub;
	rsa_priv = priv;
	for (i = 0; i < COUNT(which); i++) {
		CK_MECHANISM *mech = (CK_MECHANISM *)&wrappers[which[i]].mech;
		CK_ULONG need = 0, sig_len = sizeof(sig);

		with = wrappers[which[i]].shape >= PUBLIC_KEY ? pub : kek;
		back_with = wrappers[which[i]].shape >= PUBLIC_KEY ? priv : kek;
		print_message("# %s\n", wrappers[which[i]].name);
		assert_ok(p11->C_WrapKey(s, mech, with, priv, NULL, &need));
		len = sizeof(blob);
		assert_ok(p11->C_WrapKey(s, mech, with, priv, blob, &len));
		assert_int_equal(len, need);
		assert_ok(p11->C_UnwrapKey(s, mech, back_with, blob, len, back, 2, &key));
		assert_true(attr_bool(s, key, CKA_PRIVATE));
		assert_true(attr_bool(s, key, CKA_SENSITIVE));
		assert_false(attr_bool(s, key, CKA_LOCAL));
		assert_ok(p11->C_SignInit(s, &sign, key));
		assert_ok(p11->C_Sign(s, secret, 20, sig, &sig_len));
		assert_ok(p11->C_VerifyInit(s, &sign, pub));
		assert_ok(p11->C_Verify(s, secret, 20, sig, sig_len));
		/* A private key is not a secret one. */
		assert_rv(unwrap(&wrappers[which[i]], blob, len, CKK_AES, 0, &key),
			  CKR_WRAPPED_KEY_INVALID);
		blob[len / 2] ^= 1;
		assert_rv(p11->C_UnwrapKey(s, mech, back_with, blob, len, back, 2, &key),
			  CKR_WRAPPED_KEY_INVALID);
	}
	len = sizeof(blob);
	assert_rv(p11->C_WrapKey(s, &rsa, pub, priv, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	token_init(slot_b, "token b", DOMAIN);
	rsa_pub = kept_pub;
	rsa_priv = kept_priv;
}

static void wrap_with_trusted(void **state)
{
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 16), trusted;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, aes_type),
		ATTR(CKA_VALUE, kek_value),
		ATTR(CKA_PRIVATE, no), ATTR(CKA_TRUSTED, yes), ATTR(CKA_TOKEN, yes),
		ATTR(CKA_DECRYPT, no),
	};
	CK_BYTE blob[64];
	CK_ULONG len = sizeof(blob);

	(void)state;
	assert_ok(p11->C_Logout(s));
	session_login(s, CKU_SO, SO_PIN);
	assert_ok(p11->C_CreateObject(s, tmpl, COUNT(tmpl), &trusted));
	assert_ok(p11->C_Logout(s));
	session_login(s, CKU_USER, CO_PIN);
	kek = secret_import(s, CKK_AES, kek_value, 32);
	target = secret_import(s, CKK_AES, secret, 16);
	assert_ok(wrap(&wrappers[3], target, blob, &len));
	assert_ok(set_bool(target, CKA_WRAP_WITH_TRUSTED, CK_TRUE));
	assert_rv(wrap(&wrappers[3], target, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	kek = trusted;
	assert_ok(wrap(&wrappers[3], target, blob, &len));
	assert_int_equal(len, 24);
	assert_ok(p11->C_DestroyObject(s, trusted));
}

static void wrap_templates(void **state)
{
	CK_ATTRIBUTE must[] = { ATTR(CKA_DERIVE, yes) };
	CK_ATTRIBUTE gets[] = { ATTR(CKA_EXTRACTABLE, no), ATTR(CKA_DECRYPT, no) };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, aes_type),
		ATTR(CKA_VALUE, kek_value),
		ATTR(CKA_WRAP_TEMPLATE, must), ATTR(CKA_UNWRAP_TEMPLATE, gets),
	};
	CK_ATTRIBUTE plain[] = {
		ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, aes_type),
		ATTR(CKA_EXTRACTABLE, yes),
	};
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 16), key;
	CK_MECHANISM *mech = (CK_MECHANISM *)&wrappers[3].mech;
	CK_BYTE blob[64];
	CK_ULONG len = sizeof(blob);

	(void)state;
	assert_ok(p11->C_CreateObject(s, tmpl, COUNT(tmpl), &kek));
	assert_rv(wrap(&wrappers[3], target, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	assert_ok(set_bool(target, CKA_DERIVE, CK_TRUE));
	assert_ok(wrap(&wrappers[3], target, blob, &len));
	/* What the unwrapping key demands is added; a template that says otherwise is refused. */
	assert_ok(p11->C_UnwrapKey(s, mech, kek, blob, len, plain, 2, &key));
	assert_false(attr_bool(s, key, CKA_EXTRACTABLE));
	assert_false(attr_bool(s, key, CKA_DECRYPT));
	assert_true(attr_bool(s, key, CKA_ENCRYPT));
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, plain, 3, &key),
		  CKR_TEMPLATE_INCONSISTENT);
}

static void allowed_mechanisms(void **state)
{
	CK_MECHANISM_TYPE list[] = { CKM_AES_CBC, CKM_AES_KW };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, aes_type),
		ATTR(CKA_VALUE, kek_value),
		ATTR(CKA_ALLOWED_MECHANISMS, list),
	};
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, cbc = { CKM_AES_CBC, iv, 16 };
	CK_MECHANISM cmac = { CKM_AES_CMAC, NULL, 0 };
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 16), key, copy;
	CK_BYTE blob[64];
	CK_ULONG len = sizeof(blob);
	int i;

	(void)state;
	assert_ok(p11->C_CreateObject(s, tmpl, COUNT(tmpl), &kek));
	for (i = 0; i < 2; i++) {
		assert_rv(p11->C_EncryptInit(s, &ecb, kek), CKR_MECHANISM_INVALID);
		assert_rv(p11->C_DecryptInit(s, &ecb, kek), CKR_MECHANISM_INVALID);
		assert_rv(p11->C_SignInit(s, &cmac, kek), CKR_MECHANISM_INVALID);
		assert_ok(p11->C_EncryptInit(s, &cbc, kek));
		len = sizeof(blob);
		assert_ok(p11->C_Encrypt(s, secret, 16, blob, &len));
	}
	assert_rv(wrap(&wrappers[0], target, blob, &len), CKR_MECHANISM_INVALID);
	len = sizeof(blob);
	assert_ok(wrap(&wrappers[3], target, blob, &len));
	assert_rv(unwrap(&wrappers[6], blob, len, CKK_AES, 0, &key), CKR_MECHANISM_INVALID);
	assert_ok(unwrap(&wrappers[3], blob, len, CKK_AES, 0, &key));
	list[0] = CKM_AES_ECB;
	assert_rv(p11->C_SetAttributeValue(s, kek, tmpl + 3, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(p11->C_CopyObject(s, kek, tmpl + 3, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(p11->C_CopyObject(s, kek, NULL, 0, &copy));
	assert_rv(p11->C_EncryptInit(s, &ecb, copy), CKR_MECHANISM_INVALID);
}

/* ---- derivation ---- */

/* Parameters, and wrapped bytes that are cut, lengthened or changed in either half. */
static void rsa_aes_wrong(void **state)
{
	const struct wrapper *w = &wrappers[COUNT(wrappers) - 1];
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 32), key;
	static const CK_ULONG lens[] = { 0, 8, 255, 256, 264, 271, 295, 297, 304 }, at[] = { 0, 255, 256, 295 };
	CK_RSA_PKCS_OAEP_PARAMS no_hash = { CKM_AES_CBC, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, NULL, 0 };
	CK_RSA_AES_KEY_WRAP_PARAMS bad[] = {
		{ 0, &oaep }, { 129, &oaep }, { 512, &oaep }, { 256, NULL }, { 256, &no_hash },
	};
	CK_MECHANISM mech = { CKM_RSA_AES_KEY_WRAP, NULL, sizeof(bad[0]) };
	CK_BYTE blob[512] = { 0 };
	CK_ULONG len = sizeof(blob), many = sizeof(blob);
	size_t i;

	(void)state;
	assert_ok(wrap(w, target, blob, &len));
	assert_int_equal(len, 296);
	for (i = 0; i < COUNT(lens); i++)
		assert_rv(unwrap(w, blob, lens[i], CKK_AES, 32, &key),
			  lens[i] % 8 || lens[i] < 272 ? CKR_WRAPPED_KEY_LEN_RANGE :
			  CKR_WRAPPED_KEY_INVALID);
	for (i = 0; i < COUNT(at); i++) {
		blob[at[i]] ^= 1;
		assert_rv(unwrap(w, blob, len, CKK_AES, 32, &key), CKR_WRAPPED_KEY_INVALID);
		blob[at[i]] ^= 1;
	}
	assert_ok(unwrap(w, blob, len, CKK_AES, 32, &key));
	for (i = 0; i < COUNT(bad); i++) {
		mech.pParameter = &bad[i];
		many = sizeof(blob);
		assert_rv(p11->C_WrapKey(s, &mech, rsa_pub, target, blob, &many),
			  CKR_MECHANISM_PARAM_INVALID);
	}
	mech.ulParameterLen = 8;
	assert_rv(p11->C_WrapKey(s, &mech, rsa_pub, target, blob, &many), CKR_MECHANISM_PARAM_INVALID);
	assert_rv(p11->C_WrapKey(s, (CK_MECHANISM *)&w->mech, kek, target, blob, &many),
		  CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	assert_rv(p11->C_EncryptInit(s, (CK_MECHANISM *)&w->mech, rsa_pub), CKR_MECHANISM_INVALID);
}

/* What the library makes of parameters that do not fit, and of data that is longer than a command. */
static void derive_parameters(void **state)
{
	static CK_BYTE data[100000];
	CK_ULONG value_len = 16;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_VALUE_LEN, value_len) };
	CK_KEY_DERIVATION_STRING_DATA string = { data, sizeof(data) };
	CK_AES_CBC_ENCRYPT_DATA_PARAMS cbc = { .pData = data, .length = 96000 };
	CK_EXTRACT_PARAMS bit = (CK_ULONG)1 << 32;
	CK_OBJECT_HANDLE wide = ((CK_ULONG)1 << 32) + kek, key;
	const struct {
		CK_MECHANISM mech;
		CK_RV rv;
	} rows[] = {
		{ { CKM_CONCATENATE_BASE_AND_DATA, &string, sizeof(string) }, CKR_OK },
		{ { CKM_CONCATENATE_BASE_AND_DATA, &string, sizeof(string) - 1 },
		  CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_CONCATENATE_DATA_AND_BASE, NULL, sizeof(string) }, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_XOR_BASE_AND_DATA, NULL, 0 }, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_AES_CBC_ENCRYPT_DATA, &cbc, sizeof(cbc) }, CKR_OK },
		{ { CKM_AES_CBC_ENCRYPT_DATA, &cbc, sizeof(cbc) + 1 }, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_AES_CBC_ENCRYPT_DATA, &string, sizeof(string) }, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_EXTRACT_KEY_FROM_KEY, &bit, sizeof(bit) }, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_CONCATENATE_BASE_AND_KEY, &wide, sizeof(wide) }, CKR_KEY_HANDLE_INVALID },
		{ { CKM_CONCATENATE_BASE_AND_KEY, &wide, 4 }, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA256_KEY_DERIVATION, data, 1 }, CKR_MECHANISM_PARAM_INVALID },
	};
	size_t i;

	(void)state;
	assert_ok(set_bool(kek, CKA_DERIVE, CK_TRUE));
	for (i = 0; i < COUNT(rows); i++)
		assert_rv(p11->C_DeriveKey(s, (CK_MECHANISM *)&rows[i].mech, kek, tmpl, 1, &key),
			  rows[i].rv);
	string.pData = NULL;
	assert_rv(p11->C_DeriveKey(s, (CK_MECHANISM *)&rows[0].mech, kek, tmpl, 1, &key),
		  CKR_MECHANISM_PARAM_INVALID);
	string.ulLen = 0;
	assert_rv(p11->C_DeriveKey(s, (CK_MECHANISM *)&rows[0].mech, kek, tmpl, 1, &key),
		  CKR_MECHANISM_PARAM_INVALID);
}

static void derive_unknown(void **state)
{
	static const CK_MECHANISM_TYPE types[] = {
		CKM_ECDH1_DERIVE, CKM_SHA256_KEY_DERIVATION, CKM_CONCATENATE_BASE_AND_KEY,
		CKM_AES_ECB_ENCRYPT_DATA, CKM_XOR_BASE_AND_DATA, CKM_AES_CBC, CKM_SHA256,
		CKM_AES_KEY_GEN, 0x7ffffff0,
	};
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, secret_class), ATTR(CKA_KEY_TYPE, aes_type) };
	CK_MECHANISM mech = { 0, NULL, 0 };
	CK_MECHANISM_INFO info;
	CK_OBJECT_HANDLE key;
	size_t i;

	(void)state;
	assert_ok(set_bool(kek, CKA_DERIVE, CK_TRUE));
	for (i = 0; i < COUNT(types); i++) {
		if (p11->C_GetMechanismInfo(slot_a, types[i], &info) == CKR_OK &&
		    (info.flags & CKF_DERIVE))
			continue;
		mech.mechanism = types[i];
		assert_rv(p11->C_DeriveKey(s, &mech, kek, tmpl, 2, &key), CKR_MECHANISM_INVALID);
	}
	assert_rv(p11->C_DeriveKey(s, NULL, kek, tmpl, 2, &key), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_DeriveKey(s, &mech, kek, tmpl, 2, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_DeriveKey(1, &mech, kek, tmpl, 2, &key), CKR_SESSION_HANDLE_INVALID);
}

/* What is listed for wrapping wraps; the table above has all of it. */
static void every_wrapper_is_tested(void **state)
{
	CK_MECHANISM_TYPE list[512];
	CK_ULONG count = 512, i, j, known = 0;
	CK_MECHANISM_INFO info;

	(void)state;
	assert_ok(p11->C_GetMechanismList(slot_a, list, &count));
	for (i = 0; i < count; i++) {
		assert_ok(p11->C_GetMechanismInfo(slot_a, list[i], &info));
		/* Triple DES: in des3.c */
		if (!(info.flags & CKF_WRAP) || list[i] >= CKM_VENDOR_DEFINED ||
		    list[i] == CKM_RSA_X_509 || list[i] == CKM_AES_KEY_WRAP_KWP ||
		    list[i] == CKM_DES3_ECB || list[i] == CKM_DES3_CBC || list[i] == CKM_DES3_CBC_PAD)
			continue;
		for (j = 0; j < COUNT(wrappers); j++)
			if (wrappers[j].mech.mechanism == list[i])
				break;
		if (j == COUNT(wrappers))
			fail_msg("mechanism 0x%lx wraps and is not tested", list[i]);
		known++;
	}
	assert_true(known >= 6);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, sessions_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(aes_sizes),
		TEST(generic_sizes),
		TEST(generate_errors),
		TEST(rsa_sizes),
		TEST(rsa_exponents),
		TEST(pair_errors),
		TEST(wrap_all),
		TEST(wrap_like_openssl),
		TEST(wrap_errors),
		TEST(unwrap_errors),
		TEST(tampered),
		TEST(private_keys_stay),
		TEST(private_keys_leave),
		TEST(wrap_with_trusted),
		TEST(wrap_templates),
		TEST(allowed_mechanisms),
		TEST(rsa_aes_wrong),
		TEST(derive_parameters),
		TEST(derive_unknown),
		TEST(every_wrapper_is_tested),
	};

	return cmocka_run_group_tests(tests, group_setup, suite_teardown);
}
