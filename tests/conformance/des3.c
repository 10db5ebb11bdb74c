// SPDX-License-Identifier: MIT
/*
 * What keys of triple DES have to be, and how they travel. That the ciphers compute what they should is
 * among the known answers and the comparisons with OpenSSL; that FIPS mode takes them away, in fips.c.
 */
#include "exchange.h"

static CK_SESSION_HANDLE s;
static CK_BYTE des3_value[24] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x23, 0x45, 0x67, 0x89,
	0xab, 0xcd, 0xef, 0x01, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23,
};
static CK_BYTE aes_value[32] = "an AES-256 key for wrapping keys";
static CK_BYTE iv[16] = "0123456789abcdef";

static int setup(void **state)
{
	(void)state;
	s = session_co(slot_a);
	return 0;
}

/* A kernel may lack it. */
#define NEEDS_DES3() do {						\
	if (!mechanism_listed(slot_a, CKM_DES3_ECB))			\
		skip();							\
} while (0)

static CK_RV import(CK_KEY_TYPE type, const CK_BYTE *value, CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR_BYTES(CKA_VALUE, value, len),
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
	};

	return p11->C_CreateObject(s, tmpl, COUNT(tmpl), key);
}

/* Lengths, and the parity of every byte. */
static void imports(void **state)
{
	CK_BYTE value[32] = { 0 };
	CK_OBJECT_HANDLE key;
	CK_ULONG len;

	(void)state;
	NEEDS_DES3();
	memcpy(value, des3_value, sizeof(des3_value));
	memset(value + 24, 1, 8);
	for (len = 0; len <= sizeof(value); len++) {
		assert_rv(import(CKK_DES2, value, len, &key),
			  len == 16 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
		assert_rv(import(CKK_DES3, value, len, &key),
			  len == 24 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID);
	}
	for (len = 0; len < 24; len++) {
		value[len] ^= 1;
		assert_rv(import(CKK_DES3, value, 24, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		if (len < 16)
			assert_rv(import(CKK_DES2, value, 16, &key), CKR_ATTRIBUTE_VALUE_INVALID);
		value[len] ^= 1;
	}
	assert_ok(import(CKK_DES3, value, 24, &key));
	assert_value(s, key, CKA_CHECK_VALUE, "\x4e\xba\x73", 3);
	/* One part three times is DES: who has such a key may use it. */
	memset(value, 0x01, 24);
	assert_ok(import(CKK_DES3, value, 24, &key));
}

/* What a key is made for, it does without being told. */
static void natural_uses(void **state)
{
	CK_MECHANISM gen = { CKM_DES3_KEY_GEN, NULL, 0 };
	CK_BYTE wrong_kcv[3] = { 1, 2, 3 };
	CK_ULONG wrong_len = 16;
	CK_KEY_TYPE two = CKK_DES2;
	CK_ATTRIBUTE bad[] = {
		ATTR(CKA_CHECK_VALUE, wrong_kcv), ATTR(CKA_VALUE_LEN, wrong_len), ATTR(CKA_KEY_TYPE, two),
	};
	CK_OBJECT_HANDLE key;

	(void)state;
	NEEDS_DES3();
	assert_ok(p11->C_GenerateKey(s, &gen, NULL, 0, &key));
	assert_true(attr_bool(s, key, CKA_ENCRYPT) && attr_bool(s, key, CKA_DECRYPT));
	assert_true(attr_bool(s, key, CKA_WRAP) && attr_bool(s, key, CKA_UNWRAP));
	assert_true(attr_bool(s, key, CKA_SIGN) && attr_bool(s, key, CKA_VERIFY));
	assert_true(attr_bool(s, key, CKA_LOCAL));
	assert_rv(p11->C_GenerateKey(s, &gen, &bad[0], 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(p11->C_GenerateKey(s, &gen, &bad[1], 1, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(p11->C_GenerateKey(s, &gen, &bad[2], 1, &key), CKR_TEMPLATE_INCONSISTENT);
}

static CK_RV unwrap(CK_MECHANISM *mech, CK_OBJECT_HANDLE kek, CK_KEY_TYPE type, CK_BYTE *wrapped,
		    CK_ULONG len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no),
	};

	return p11->C_UnwrapKey(s, mech, kek, wrapped, len, tmpl, COUNT(tmpl), key);
}

/* Keys of all kinds under DES3 and back; what is no whole number of blocks is filled with zeros. */
static void wraps_others(void **state)
{
	CK_OBJECT_HANDLE kek, key, back;
	CK_MECHANISM mechs[] = {
		{ CKM_DES3_ECB, NULL, 0 }, { CKM_DES3_CBC, iv, 8 }, { CKM_DES3_CBC_PAD, iv, 8 },
	};
	CK_ULONG len, i, value_len = 21;
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE generic = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE odd[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, generic), ATTR(CKA_SENSITIVE, no),
		ATTR(CKA_VALUE_LEN, value_len),
	};
	CK_BYTE wrapped[64];

	(void)state;
	NEEDS_DES3();
	kek = secret_import(s, CKK_DES3, des3_value, 24);
	for (i = 0; i < COUNT(mechs); i++) {
		bool pad = mechs[i].mechanism == CKM_DES3_CBC_PAD;

		key = secret_import(s, CKK_AES, aes_value, 32);
		len = sizeof(wrapped);
		assert_ok(p11->C_WrapKey(s, &mechs[i], kek, key, wrapped, &len));
		assert_int_equal(len, pad ? 40 : 32);
		assert_ok(unwrap(&mechs[i], kek, CKK_AES, wrapped, len, &back));
		assert_value(s, back, CKA_VALUE, aes_value, 32);
		key = secret_import(s, CKK_GENERIC_SECRET, aes_value, 21);
		len = sizeof(wrapped);
		assert_ok(p11->C_WrapKey(s, &mechs[i], kek, key, wrapped, &len));
		assert_int_equal(len, 24);
		assert_ok(p11->C_UnwrapKey(s, &mechs[i], kek, wrapped, len, odd, pad ? 3 : 4, &back));
		assert_value(s, back, CKA_VALUE, aes_value, 21);
	}
}

/* A private key, too. */
static void wraps_private(void **state)
{
	CK_MECHANISM mech = { CKM_DES3_CBC_PAD, iv, 8 }, sign = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE rsa = CKK_RSA;
	CK_ULONG bits = 2048, len = 4096;
	CK_ATTRIBUTE pub_tmpl[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_EXTRACTABLE, yes) };
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, rsa) };
	CK_MECHANISM gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_OBJECT_HANDLE kek, pub, priv, back;
	CK_BYTE wrapped[4096], sig[256];

	(void)state;
	NEEDS_DES3();
	key_export(slot_a, true);
	s = session_co(slot_a);
	kek = secret_import(s, CKK_DES3, des3_value, 24);
	assert_ok(p11->C_GenerateKeyPair(s, &gen, pub_tmpl, 1, priv_tmpl, 1, &pub, &priv));
	assert_ok(p11->C_WrapKey(s, &mech, kek, priv, wrapped, &len));
	assert_int_equal(len % 8, 0);
	assert_ok(p11->C_UnwrapKey(s, &mech, kek, wrapped, len, tmpl, 2, &back));
	len = sizeof(sig);
	assert_ok(p11->C_SignInit(s, &sign, back));
	assert_ok(p11->C_Sign(s, iv, sizeof(iv), sig, &len));
	assert_ok(p11->C_VerifyInit(s, &sign, pub));
	assert_ok(p11->C_Verify(s, iv, sizeof(iv), sig, len));
	key_export(slot_a, false);
}

/* The length comes with the type, so that AES's zeros are cut off; a bad parity does not come in. */
static void is_wrapped(void **state)
{
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, kw = { CKM_AES_KW, NULL, 0 };
	CK_BYTE wrapped[64], value[24];
	CK_OBJECT_HANDLE kek, key, back;
	CK_ULONG len = sizeof(wrapped);

	(void)state;
	NEEDS_DES3();
	kek = secret_import(s, CKK_AES, aes_value, 32);
	key = secret_import(s, CKK_DES3, des3_value, 24);
	assert_ok(p11->C_WrapKey(s, &ecb, kek, key, wrapped, &len));
	assert_int_equal(len, 32);
	assert_ok(unwrap(&ecb, kek, CKK_DES3, wrapped, len, &back));
	assert_value(s, back, CKA_VALUE, des3_value, 24);
	assert_rv(unwrap(&ecb, kek, CKK_DES2, wrapped, len, &back), CKR_WRAPPED_KEY_INVALID);
	memcpy(value, des3_value, sizeof(value));
	value[23] ^= 1;
	key = secret_import(s, CKK_GENERIC_SECRET, value, 24);
	len = sizeof(wrapped);
	assert_ok(p11->C_WrapKey(s, &kw, kek, key, wrapped, &len));
	assert_rv(unwrap(&kw, kek, CKK_DES3, wrapped, len, &back), CKR_WRAPPED_KEY_INVALID);
	assert_ok(unwrap(&kw, kek, CKK_GENERIC_SECRET, wrapped, len, &back));
}

/* Policy 34: under CBC_PAD no key leaves that is stronger than what is over it. */
static void weaker_than(void **state)
{
	CK_MECHANISM des = { CKM_DES3_CBC_PAD, iv, 8 }, aes = { CKM_AES_CBC_PAD, iv, 16 };
	CK_OBJECT_HANDLE three, two, strong;
	CK_BYTE wrapped[64];
	CK_ULONG len = sizeof(wrapped);

	(void)state;
	NEEDS_DES3();
	policy_set(slot_a, 34, 0);
	s = session_co(slot_a);
	three = secret_import(s, CKK_DES3, des3_value, 24);
	two = secret_import(s, CKK_DES2, des3_value, 16);
	strong = secret_import(s, CKK_AES, aes_value, 16);
	assert_rv(p11->C_WrapKey(s, &des, three, strong, wrapped, &len), CKR_KEY_NOT_WRAPPABLE);
	assert_rv(p11->C_WrapKey(s, &des, two, three, wrapped, &len), CKR_KEY_NOT_WRAPPABLE);
	assert_ok(p11->C_WrapKey(s, &des, three, two, wrapped, &len));
	len = sizeof(wrapped);
	assert_ok(p11->C_WrapKey(s, &aes, strong, three, wrapped, &len));
	policy_allow(slot_a, 34);
}

/* Derived keys get their parity, and a length of their own. */
static void derived(void **state)
{
	CK_BYTE base[40], data[] = { 0x55 };
	CK_KEY_DERIVATION_STRING_DATA string = { data, 1 };
	CK_MECHANISM mech = { CKM_CONCATENATE_BASE_AND_DATA, &string, sizeof(string) };
	CK_KEY_TYPE type = CKK_DES3;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_KEY_TYPE, type), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
	};
	CK_ATTRIBUTE derive[] = { ATTR(CKA_DERIVE, yes) };
	CK_OBJECT_HANDLE key, made;
	CK_BYTE want[24];
	size_t i;

	(void)state;
	NEEDS_DES3();
	for (i = 0; i < sizeof(base); i++)
		base[i] = (CK_BYTE)(i * 5);
	for (i = 0; i < sizeof(want); i++)
		want[i] = base[i] ^ !__builtin_parity(base[i]);
	key = secret_import(s, CKK_GENERIC_SECRET, base, sizeof(base));
	assert_ok(p11->C_SetAttributeValue(s, key, derive, 1));
	assert_ok(p11->C_DeriveKey(s, &mech, key, tmpl, COUNT(tmpl), &made));
	assert_value(s, made, CKA_VALUE, want, sizeof(want));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, sessions_teardown)
	const struct CMUnitTest tests[] = {
		TEST(imports),
		TEST(natural_uses),
		TEST(wraps_others),
		TEST(wraps_private),
		TEST(is_wrapped),
		TEST(weaker_than),
		TEST(derived),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
