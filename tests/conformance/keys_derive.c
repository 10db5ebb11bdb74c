// SPDX-License-Identifier: MIT
/* Derivation: parameters that the library translates, and mechanisms that do not derive. */
#include "keys.h"

/* What the library makes of parameters that do not fit, and of data that is longer than a command. */
void derive_parameters(void **state)
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

void derive_unknown(void **state)
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
