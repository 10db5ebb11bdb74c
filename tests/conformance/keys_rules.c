// SPDX-License-Identifier: MIT
/* Who may be wrapped, by whom and as what: policies, and attributes of either key. */
#include "keys.h"

static CK_KEY_TYPE rsa_type = CKK_RSA;

void private_keys_stay(void **state)
{
	CK_ULONG bits = 1024, len;
	CK_ATTRIBUTE pub_tmpl[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_EXTRACTABLE, yes) };
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE blob[1024];
	size_t i;

	(void)state;
	assert_ok(p11->C_GenerateKeyPair(s, &rsa_gen, pub_tmpl, 1, priv_tmpl, 1, &pub, &priv));
	for (i = 0; i < WRAPPERS; i++) {
		len = sizeof(blob);
		assert_rv(wrap(&wrappers[i], priv, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	}
}

/* Policy 1 on, policy 0 off: on the other token, which is made anew at the end. */
void private_keys_leave(void **state)
{
	static const size_t which[] = { ECB, CBC, CBC_PAD, KWP, GCM, RSA_AES };
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

void wrap_with_trusted(void **state)
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
	assert_ok(wrap(&wrappers[KW], target, blob, &len));
	assert_ok(set_bool(target, CKA_WRAP_WITH_TRUSTED, CK_TRUE));
	assert_rv(wrap(&wrappers[KW], target, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	kek = trusted;
	assert_ok(wrap(&wrappers[KW], target, blob, &len));
	assert_int_equal(len, 24);
	assert_ok(p11->C_DestroyObject(s, trusted));
}

void wrap_templates(void **state)
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
	CK_MECHANISM *mech = (CK_MECHANISM *)&wrappers[KW].mech;
	CK_BYTE blob[64];
	CK_ULONG len = sizeof(blob);

	(void)state;
	assert_ok(p11->C_CreateObject(s, tmpl, COUNT(tmpl), &kek));
	assert_rv(wrap(&wrappers[KW], target, blob, &len), CKR_KEY_NOT_WRAPPABLE);
	assert_ok(set_bool(target, CKA_DERIVE, CK_TRUE));
	assert_ok(wrap(&wrappers[KW], target, blob, &len));
	/* What the unwrapping key demands is added; a template that says otherwise is refused. */
	assert_ok(p11->C_UnwrapKey(s, mech, kek, blob, len, plain, 2, &key));
	assert_false(attr_bool(s, key, CKA_EXTRACTABLE));
	assert_false(attr_bool(s, key, CKA_DECRYPT));
	assert_true(attr_bool(s, key, CKA_ENCRYPT));
	assert_rv(p11->C_UnwrapKey(s, mech, kek, blob, len, plain, 3, &key),
		  CKR_TEMPLATE_INCONSISTENT);
}

void allowed_mechanisms(void **state)
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
	assert_rv(wrap(&wrappers[ECB], target, blob, &len), CKR_MECHANISM_INVALID);
	len = sizeof(blob);
	assert_ok(wrap(&wrappers[KW], target, blob, &len));
	assert_rv(unwrap(&wrappers[KWP], blob, len, CKK_AES, 0, &key), CKR_MECHANISM_INVALID);
	assert_ok(unwrap(&wrappers[KW], blob, len, CKK_AES, 0, &key));
	list[0] = CKM_AES_ECB;
	assert_rv(p11->C_SetAttributeValue(s, kek, tmpl + 3, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(p11->C_CopyObject(s, kek, tmpl + 3, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(p11->C_CopyObject(s, kek, NULL, 0, &copy));
	assert_rv(p11->C_EncryptInit(s, &ecb, copy), CKR_MECHANISM_INVALID);
}
