// SPDX-License-Identifier: MIT
/* What wrapping and unwrapping refuse: arguments, keys, lengths, templates, and altered blobs. */
#include "keys.h"

void wrap_errors(void **state)
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

void unwrap_errors(void **state)
{
	CK_OBJECT_HANDLE target = secret_import(s, CKK_AES, secret, 16), key = 0, generic;
	const struct wrapper *kw = &wrappers[KW], *ecb = &wrappers[ECB], *pad = &wrappers[CBC_PAD];
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
	assert_rv(unwrap(&wrappers[RSA_PKCS], blob, 255, CKK_AES, 0, &key), CKR_WRAPPED_KEY_LEN_RANGE);
	assert_rv(unwrap(&wrappers[RSA_PKCS], blob, 256, CKK_AES, 0, &key), CKR_WRAPPED_KEY_INVALID);
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
void tampered(void **state)
{
	static const size_t which[] = { KW, KWP, GCM };
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

/* Parameters, and wrapped bytes that are cut, lengthened or changed in either half. */
void rsa_aes_wrong(void **state)
{
	const struct wrapper *w = &wrappers[RSA_AES];
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
