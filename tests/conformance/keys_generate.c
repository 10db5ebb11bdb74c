// SPDX-License-Identifier: MIT
/* Keys that the token makes: sizes, exponents, and what a template must and may not say. */
#include "keys.h"

static CK_MECHANISM aes_gen = { CKM_AES_KEY_GEN, NULL, 0 };
static CK_MECHANISM generic_gen = { CKM_GENERIC_SECRET_KEY_GEN, NULL, 0 };

/* ---- secret keys ---- */

static CK_RV generate(CK_MECHANISM *mech, CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_VALUE_LEN, len), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
	};

	return p11->C_GenerateKey(s, mech, tmpl, COUNT(tmpl), key);
}

void aes_sizes(void **state)
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

void generic_sizes(void **state)
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

void generate_errors(void **state)
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

void rsa_sizes(void **state)
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

void rsa_exponents(void **state)
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

void pair_errors(void **state)
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
