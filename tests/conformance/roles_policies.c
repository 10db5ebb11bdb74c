// SPDX-License-Identifier: MIT
/* Policies: who sets them to what, which of them erase the token, and what single ones forbid. */
#include "roles.h"

/* ---- setting ---- */

void set_policies(void **state)
{
	CK_ULONG ids[] = { 20, 21 }, values[] = { 5, 0 }, bad[] = { 5, 2 }, container = 0;
	CK_SESSION_HANDLE session = session_open(slot_a);

	(void)state;
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 5), CKR_USER_NOT_LOGGED_IN);
	session_login(session, CKU_USER, CO_PIN);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 5), CKR_USER_NOT_AUTHORIZED);
	assert_rv(ca->CA_SetHSMPolicy(session, 16, 0), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 11), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 21, 2), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 40, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 29, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 4711, 1), CKR_DATA_INVALID);
	assert_rv(ca->CA_SetHSMPolicy(session, 4711, 1), CKR_DATA_INVALID);
	assert_rv(ca->CA_SetHSMPolicy(session, 12, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 99, 20, 5), CKR_CONTAINER_HANDLE_INVALID);
	assert_rv(ca->CA_SetContainerPolicy(999, 0, 20, 5), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 0, ids, values), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, NULL, values), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, ids, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_SetTokenPolicies(session, slot_b, 2, ids, values), CKR_SLOT_ID_INVALID);
	/* All or none. */
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, ids, bad), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(policy_get(slot_a, 20), 10);
	assert_ok(ca->CA_SetContainerPolicies(session, 0, 2, ids, values));
	assert_int_equal(policy_get(slot_a, 20), 5);
	assert_int_equal(policy_get(slot_a, 21), 0);
	values[0] = 6;
	values[1] = 1;
	assert_ok(ca->CA_SetTokenPolicies(session, slot_a, 2, ids, values));
	assert_int_equal(policy_get(slot_a, 20), 6);
	assert_int_equal(policy_get(slot_a, 21), 1);
	assert_ok(ca->CA_GetUserContainerNumber(slot_a, &container));
	assert_ok(ca->CA_SetContainerPolicy(session, container, 20, 7));
	assert_int_equal(policy_get(slot_a, 20), 7);
	sessions_close(slot_a);
}

/* Private keys are cloned or wrapped, not both. */
void cloning_or_wrapping(void **state)
{
	CK_ULONG ids[] = { 1, 0 }, swap[] = { 1, 0 }, both[] = { 1, 1 };
	CK_SESSION_HANDLE session = session_so(slot_a);

	(void)state;
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 1, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, ids, both), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(policy_get(slot_a, 0), 1);
	assert_int_equal(policy_get(slot_a, 1), 0);
	assert_ok(ca->CA_SetContainerPolicies(session, 0, 2, ids, swap));
	assert_int_equal(policy_get(slot_a, 0), 0);
	assert_int_equal(policy_get(slot_a, 1), 1);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 0, 1), CKR_OPERATION_NOT_ALLOWED);
	sessions_close(slot_a);
}

void destructive_changes(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_ULONG value;

	(void)state;
	aes_key(session, 32, true, "first");
	policy_set(slot_a, 4, 0);		/* off keeps */
	session = session_co(slot_a);
	assert_int_not_equal(object_by_label(session, "first"), 0);
	policy_set(slot_a, 4, 1);		/* on erases */
	session = session_co(slot_a);
	assert_int_equal(objects_on(session), 0);
	aes_key(session, 32, true, "second");
	policy_set(slot_a, 20, 9);		/* no danger either way */
	policy_set(slot_a, 20, 10);
	policy_set(slot_a, 4, 1);		/* no change is none */
	session = session_co(slot_a);
	assert_int_not_equal(object_by_label(session, "second"), 0);
	sessions_close(slot_a);
	session = session_so(slot_a);
	assert_rv(ca->CA_SetHSMPolicy(session, 7, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_GetHSMPolicySetting(slot_a, 7, &value));
	assert_int_equal(value, 1);
	assert_ok(ca->CA_SetHSMPolicy(session, 16, 0));
	assert_ok(ca->CA_SetHSMPolicy(session, 16, 1));
	sessions_close(slot_a);
	session = session_co(slot_a);
	assert_int_not_equal(object_by_label(session, "second"), 0);
	hsm_policy_set(slot_a, 7, 0);
	session = session_co(slot_a);		/* roles stay */
	assert_int_equal(objects_on(session), 0);
	hsm_policy_set(slot_a, 7, 1);
}

/* ---- what single policies do ---- */

void policy_10_11(void **state)
{
	CK_MECHANISM mech = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ULONG len = 32;
	CK_ATTRIBUTE two[] = { ATTR(CKA_VALUE_LEN, len), ATTR(CKA_ENCRYPT, yes), ATTR(CKA_SIGN, yes) };
	CK_ATTRIBUTE one[] = { ATTR(CKA_VALUE_LEN, len), ATTR(CKA_ENCRYPT, yes),
			       ATTR(CKA_DECRYPT, yes) };
	CK_ATTRIBUTE more[] = { ATTR(CKA_SIGN, yes) }, less[] = { ATTR(CKA_ENCRYPT, no) };
	CK_ATTRIBUTE label[] = { ATTR_STR(CKA_LABEL, "renamed") };
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;

	(void)state;
	policy_set(slot_a, 10, 0);
	session = session_co(slot_a);
	assert_rv(p11->C_GenerateKey(session, &mech, two, 3, &key), CKR_TEMPLATE_INCONSISTENT);
	assert_ok(p11->C_GenerateKey(session, &mech, one, 3, &key));
	assert_false(attr_bool(session, key, CKA_SIGN));
	assert_rv(p11->C_SetAttributeValue(session, key, more, 1), CKR_TEMPLATE_INCONSISTENT);
	fresh(NULL);
	policy_set(slot_a, 11, 0);
	session = session_co(slot_a);
	assert_ok(p11->C_GenerateKey(session, &mech, one, 3, &key));
	assert_rv(p11->C_SetAttributeValue(session, key, less, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_true(attr_bool(session, key, CKA_ENCRYPT));
	assert_ok(p11->C_SetAttributeValue(session, key, label, 1));
}

void policy_17_18_33(void **state)
{
	CK_MECHANISM hmac = { CKM_SHA256_HMAC, NULL, 0 }, cmac = { CKM_AES_CMAC, NULL, 0 };
	CK_MECHANISM raw = { CKM_RSA_X_509, NULL, 0 }, pkcs = { CKM_RSA_PKCS, NULL, 0 };
	CK_OBJECT_HANDLE pub, priv, imported;
	CK_SESSION_HANDLE session;

	(void)state;
	policy_set(slot_a, 17, 0);
	session = session_co(slot_a);
	imported = hmac_key(session);
	assert_rv(p11->C_SignInit(session, &hmac, imported), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_VerifyInit(session, &hmac, imported));
	assert_ok(p11->C_SignInit(session, &cmac, aes_key(session, 32, false, "local")));
	assert_true(mechanism_listed(slot_a, CKM_RSA_X_509));
	policy_set(slot_a, 18, 0);
	session = session_co(slot_a);
	rsa_pair(session, 1024, false, "pair", &pub, &priv);
	assert_rv(p11->C_SignInit(session, &raw, priv), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_EncryptInit(session, &raw, pub), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_SignInit(session, &pkcs, priv));
	assert_false(mechanism_listed(slot_a, CKM_RSA_X_509));
	assert_true(mechanism_listed(slot_a, CKM_RSA_PKCS));
	policy_set(slot_a, 33, 0);
	session = session_co(slot_a);
	rsa_pair(session, 1024, false, "pair", &pub, &priv);
	assert_rv(p11->C_SignInit(session, &pkcs, priv), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_EncryptInit(session, &pkcs, pub), CKR_MECHANISM_INVALID);
	assert_false(mechanism_listed(slot_a, CKM_RSA_PKCS));
	pkcs.mechanism = CKM_SHA256_RSA_PKCS;
	assert_ok(p11->C_SignInit(session, &pkcs, priv));
}

void policy_28(void **state)
{
	CK_MECHANISM gen = { CKM_AES_KEY_GEN, NULL, 0 }, mac = { CKM_AES_CMAC, NULL, 0 };
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key;
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_VALUE_LEN, len) };

	(void)state;
	aes_key(session, 32, true, "made before");
	policy_set(slot_a, 28, 0);
	session = session_co(slot_a);
	assert_rv(p11->C_GenerateKey(session, &gen, tmpl, 1, &key), CKR_OPERATION_NOT_ALLOWED);
	key = object_by_label(session, "made before");
	assert_int_not_equal(key, 0);
	assert_rv(p11->C_DestroyObject(session, key), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_SignInit(session, &mac, key));
}
