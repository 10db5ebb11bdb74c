// SPDX-License-Identifier: MIT
/*
 * Keys (PKCS#11 v2.40, 5.13): generation, wrapping and unwrapping by every mechanism that does it,
 * what policies and templates allow, and derivation. Here are the keys that wrap.
 */
#include "keys.h"

CK_OBJECT_CLASS secret_class = CKO_SECRET_KEY, private_class = CKO_PRIVATE_KEY,
		data_class = CKO_DATA;
CK_KEY_TYPE aes_type = CKK_AES, generic_type = CKK_GENERIC_SECRET;
CK_BYTE kek_value[32] = "the key that wraps other keys...";
CK_BYTE secret[64] = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF";
CK_BYTE iv[16] = "an IV of 16 byte";
CK_MECHANISM rsa_gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };

CK_SESSION_HANDLE s;
CK_OBJECT_HANDLE kek, rsa_pub, rsa_priv;

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

CK_RV set_bool(CK_OBJECT_HANDLE key, CK_ATTRIBUTE_TYPE type, CK_BBOOL value)
{
	CK_ATTRIBUTE attr = ATTR(type, value);

	return p11->C_SetAttributeValue(s, key, &attr, 1);
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
