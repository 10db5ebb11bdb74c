// SPDX-License-Identifier: MIT
/*
 * What keys of triple DES have to be, how they travel, and FIPS mode, which takes them and what else
 * is not approved away (policy 43 of a partition, 12 of the HSM). That the ciphers compute what they
 * should is in kat.c and cross.c.
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

/* Cloning (policy 0) and wrapping (1) of private keys; objects end with a change. */
static void token_policies(CK_ULONG cloning, CK_ULONG wrapping)
{
	CK_ULONG ids[] = { 0, 1 }, values[] = { cloning, wrapping };
	CK_SESSION_HANDLE so = session_so(slot_a);

	assert_ok(ca->CA_SetTokenPolicies(so, slot_a, 2, ids, values));
	sessions_close(slot_a);
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
	sessions_close(slot_a);
	token_policies(0, 1);
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
	sessions_close(slot_a);
	token_policies(1, 0);
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

/* Back on, which ends all objects */
static void allow(CK_ULONG id)
{
	CK_ULONG on = 1;
	CK_SESSION_HANDLE so;

	sessions_close(slot_a);
	so = session_so(slot_a);
	assert_ok(ca->CA_SetTokenPolicies(so, slot_a, 1, &id, &on));
	sessions_close(slot_a);
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
	allow(34);
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

/* ---- FIPS mode ---- */

static const CK_MECHANISM_TYPE gone[] = {
	CKM_DES2_KEY_GEN, CKM_DES3_KEY_GEN, CKM_DES3_ECB, CKM_DES3_CBC, CKM_DES3_CBC_PAD, CKM_DES3_CTR,
	CKM_DES3_MAC, CKM_DES3_MAC_GENERAL, CKM_DES3_CMAC, CKM_DES3_CMAC_GENERAL,
	CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_X_509, CKM_SHA1_KEY_DERIVATION, CKM_SHA256_KEY_DERIVATION,
	CKM_SHA3_256_KEY_DERIVATION, CKM_SHA1_KEY_DERIVATION_OLD_XXX, CKM_AES_ECB_ENCRYPT_DATA,
	CKM_AES_CBC_ENCRYPT_DATA,
};

static void listed(bool want)
{
	CK_MECHANISM_INFO info;
	size_t i;

	for (i = 0; i < COUNT(gone); i++) {
		assert_int_equal(mechanism_listed(slot_a, gone[i]), want);
		assert_rv(p11->C_GetMechanismInfo(slot_a, gone[i], &info),
			  want ? CKR_OK : CKR_MECHANISM_INVALID);
	}
}

static CK_FLAGS flags_of(CK_MECHANISM_TYPE type)
{
	CK_MECHANISM_INFO info;

	assert_ok(p11->C_GetMechanismInfo(slot_a, type, &info));
	return info.flags;
}

/* IVs of AES-GCM are the token's: of a whole encryption, and of messages. */
static void fips_gcm(CK_OBJECT_HANDLE key)
{
	CK_GCM_PARAMS own = { NULL, 0, 0, NULL, 0, 128 }, back = { iv, 12, 96, NULL, 0, 128 };
	CK_MECHANISM mech = { CKM_AES_GCM, &back, sizeof(back) }, bare = { CKM_AES_GCM, NULL, 0 };
	CK_C_GetInterface get = (CK_C_GetInterface)suite_symbol("C_GetInterface");
	CK_BYTE message_iv[12] = { 0 }, tag[16], sealed[64], out[64];
	CK_GCM_MESSAGE_PARAMS p = { message_iv, 12, 0, CKG_NO_GENERATE, tag, 128 };
	CK_ULONG len = sizeof(sealed), out_len = sizeof(out);
	CK_FUNCTION_LIST_3_0 *v3;
	CK_INTERFACE *interface;

	assert_rv(p11->C_EncryptInit(s, &mech, key), CKR_MECHANISM_PARAM_INVALID);
	mech.pParameter = &own;
	assert_ok(p11->C_EncryptInit(s, &mech, key));
	assert_ok(p11->C_Encrypt(s, (CK_BYTE *)"text", 4, sealed, &len));
	assert_int_equal(len, 4 + 16 + 16);
	back = (CK_GCM_PARAMS){ sealed + 20, 16, 128, NULL, 0, 128 };
	mech.pParameter = &back;
	assert_ok(p11->C_DecryptInit(s, &mech, key));
	assert_ok(p11->C_Decrypt(s, sealed, 20, out, &out_len));
	assert_int_equal(out_len, 4);
	assert_memory_equal(out, "text", 4);

	assert_ok(get(NULL, NULL, &interface, 0));
	v3 = interface->pFunctionList;
	assert_ok(v3->C_MessageEncryptInit(s, &bare, key));
	assert_rv(v3->C_EncryptMessage(s, &p, sizeof(p), NULL, 0, (CK_BYTE *)"text", 4, sealed, &len),
		  CKR_MECHANISM_PARAM_INVALID);
	assert_ok(v3->C_MessageEncryptFinal(s));
	p.ivGenerator = CKG_GENERATE;
	assert_ok(v3->C_MessageEncryptInit(s, &bare, key));
	assert_ok(v3->C_EncryptMessage(s, &p, sizeof(p), NULL, 0, (CK_BYTE *)"text", 4, sealed, &len));
	assert_ok(v3->C_MessageEncryptFinal(s));
}

/* In FIPS mode: what is left works, what is not is refused at Init, also of half a mechanism. */
static void is_fips(void)
{
	CK_MECHANISM ecb = { CKM_DES3_ECB, NULL, 0 }, gen = { CKM_DES3_KEY_GEN, NULL, 0 };
	CK_MECHANISM sha1 = { CKM_SHA1_RSA_PKCS, NULL, 0 }, sha256 = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_MECHANISM pkcs = { CKM_RSA_PKCS, NULL, 0 }, cbc = { CKM_AES_CBC, iv, 16 };
	CK_MECHANISM pair = { CKM_RSA_FIPS_186_3_PRIME_KEY_PAIR_GEN, NULL, 0 };
	CK_ULONG bits = 1024;
	CK_ATTRIBUTE small[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_OBJECT_HANDLE key, aes, pub, priv;
	CK_MECHANISM_INFO info;

	s = session_co(slot_a);
	listed(false);
	key = secret_import(s, CKK_DES3, des3_value, 24);
	aes = secret_import(s, CKK_AES, aes_value, 32);
	assert_rv(p11->C_EncryptInit(s, &ecb, key), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_GenerateKey(s, &gen, NULL, 0, &key), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_EncryptInit(s, &cbc, aes));
	assert_ok(ca->CA_SessionCancel(s, CKF_ENCRYPT));
	fips_gcm(aes);
	assert_ok(p11->C_GetMechanismInfo(slot_a, pair.mechanism, &info));
	assert_int_equal(info.ulMinKeySize, 2048);
	assert_rv(p11->C_GenerateKeyPair(s, &pair, small, 1, NULL, 0, &pub, &priv), CKR_KEY_SIZE_RANGE);
	bits = 2048;
	assert_ok(p11->C_GenerateKeyPair(s, &pair, small, 1, NULL, 0, &pub, &priv));
	assert_rv(p11->C_EncryptInit(s, &pkcs, pub), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_SignInit(s, &pkcs, priv));
	assert_ok(ca->CA_SessionCancel(s, CKF_SIGN));
	assert_rv(p11->C_SignInit(s, &sha1, priv), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_VerifyInit(s, &sha1, pub));
	assert_ok(ca->CA_SessionCancel(s, CKF_VERIFY));
	assert_ok(p11->C_SignInit(s, &sha256, priv));
	assert_ok(ca->CA_SessionCancel(s, CKF_SIGN));
	assert_int_equal(flags_of(CKM_RSA_PKCS) & (CKF_ENCRYPT | CKF_DECRYPT | CKF_WRAP | CKF_UNWRAP), 0);
	assert_int_equal(flags_of(CKM_SHA1_RSA_PKCS) & (CKF_SIGN | CKF_VERIFY), CKF_VERIFY);
}

/* Into it nothing is lost; out of it, all objects are. */
static void fips_partition(void **state)
{
	CK_MECHANISM ecb = { CKM_DES3_ECB, NULL, 0 };

	(void)state;
	NEEDS_DES3();
	listed(true);
	assert_true(flags_of(CKM_RSA_PKCS) & CKF_ENCRYPT);
	aes_key(s, 32, true, "stays");
	policy_set(slot_a, 43, 0);
	assert_int_equal(policy_get(slot_a, 43), 0);
	is_fips();
	assert_int_not_equal(object_by_label(s, "stays"), 0);
	allow(43);
	s = session_co(slot_a);
	assert_int_equal(object_by_label(s, "stays"), 0);
	listed(true);
	assert_ok(p11->C_EncryptInit(s, &ecb, secret_import(s, CKK_DES3, des3_value, 24)));
}

static void fips_hsm(void **state)
{
	(void)state;
	NEEDS_DES3();
	hsm_policy_set(slot_a, 12, 0);
	is_fips();
	hsm_policy_set(slot_a, 12, 1);
	s = session_co(slot_a);
	listed(true);
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
		TEST(fips_partition),
		TEST(fips_hsm),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
