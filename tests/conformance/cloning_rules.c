// SPDX-License-Identifier: MIT
/* Who may clone what, and where to: replication, domains, roles and policies. */
#include "cloning.h"

/* ---- replication ---- */

void replicate_differs(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "replicate"), made;
	CK_ULONG before = objects_on(b);

	(void)state;
	assert_ok(clone_step1(a, CK_TRUE, &twc));
	assert_ok(clone_step2(b, &twc, CK_TRUE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_ARGUMENTS_BAD);
	assert_ok(clone_step3(a, key, &part1, CK_TRUE, &part2));
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_ARGUMENTS_BAD);
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step4(b, &part2, CK_TRUE, &made));
	assert_same(key, made);
	/* The two sides do not agree. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_TRUE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_DATA_INVALID);
	assert_ok(clone_step1(a, CK_TRUE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_TRUE, &part2), CKR_DATA_INVALID);
}

void hsm_replication_off(void **state)
{
	CK_OBJECT_HANDLE key, made;

	(void)state;
	hsm_policy_set(slot_a, 16, 0);
	officers();
	key = aes_key(a, 32, false, "no replication");
	assert_rv(clone_step1(a, CK_TRUE, &twc), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(clone(b, a, key, &made));
	hsm_policy_set(slot_a, 16, 1);
	hsm_policy_set(slot_b, 16, 0);
	officers();
	key = aes_key(a, 32, false, "no replication");
	assert_ok(clone_step1(a, CK_TRUE, &twc));
	assert_rv(clone_step2(b, &twc, CK_TRUE, &part1), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(clone(b, a, key, &made));
	hsm_policy_set(slot_b, 16, 1);
}

/* ---- domains ---- */

void other_domain(void **state)
{
	CK_OBJECT_HANDLE key, made;

	(void)state;
	token_init(slot_b, "token b", "another domain");
	officers();
	key = aes_key(a, 32, false, "stays here");
	assert_rv(clone(b, a, key, &made), CKR_UNWRAPPING_ERROR);
	assert_int_equal(made, 0);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_UNWRAPPING_ERROR);
}

void no_domain(void **state)
{
	CK_OBJECT_HANDLE key, made;
	CK_SESSION_HANDLE so;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	token_init(slot_b, "token b", NULL);
	officers();
	key = aes_key(a, 32, false, "stays here");
	assert_rv(clone(b, a, key, &made), CKR_CLONING_PARAMETER_MISSING);
	assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_CLONING_PARAMETER_MISSING);
	assert_rv(clone_step1(b, CK_FALSE, &other), CKR_CLONING_PARAMETER_MISSING);
	key = aes_key(b, 32, false, "stays there");
	assert_rv(clone(a, b, key, &made), CKR_CLONING_PARAMETER_MISSING);
	assert_rv(ca->CA_SetKCV(b, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN)), CKR_USER_NOT_AUTHORIZED);
	/* The SO gives it one later; once. */
	sessions_close(slot_b);
	so = session_open(slot_b);
	assert_rv(ca->CA_SetKCV(so, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN)), CKR_USER_NOT_LOGGED_IN);
	session_login(so, CKU_SO, SO_PIN);
	assert_rv(ca->CA_SetKCV(so, NULL, 0), CKR_ARGUMENTS_BAD);
	assert_ok(ca->CA_SetKCV(so, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN)));
	assert_rv(ca->CA_SetKCV(so, (CK_BYTE_PTR)"other", 5), CKR_CLONING_PARAMETER_ALREADY_EXISTS);
	officers();
	key = aes_key(a, 32, false, "goes there");
	assert_ok(clone(b, a, key, &made));
	assert_same(key, made);
}

/* ---- roles ---- */

void not_logged_in(void **state)
{
	CK_OBJECT_HANDLE pub, priv, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(p11->C_Logout(a));
	assert_rv(clone(b, a, priv, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone(b, a, pub, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step1(a, CK_FALSE, &twc), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step3(a, priv, &part1, CK_FALSE, &part2), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_USER, CO_PIN);
	assert_ok(p11->C_Logout(b));
	assert_rv(clone(b, a, priv, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone(b, a, pub, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step4(b, &part1, CK_FALSE, &made), CKR_USER_NOT_LOGGED_IN);
	assert_ok(p11->C_DestroyObject(a, pub));
	assert_ok(p11->C_DestroyObject(a, priv));
}

void crypto_user(void **state)
{
	CK_OBJECT_HANDLE pub, priv, data, made;
	CK_SESSION_HANDLE cu;

	(void)state;
	plain_pair(a, &pub, &priv);
	data = data_object(a, "for all", "x", 1, false);
	sessions_close(slot_b);
	cu = session_cu(slot_b);
	assert_rv(clone(cu, a, priv, &made), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(objects_on(cu), 0);
	assert_ok(clone(cu, a, data, &made));
	assert_ok(p11->C_DestroyObject(cu, made));
	assert_ok(clone(cu, a, pub, &made));
	assert_true(attr_bool(cu, made, CKA_VERIFY));
	/* And as the source. */
	sessions_close(slot_a);
	sessions_close(slot_b);
	cu = session_cu(slot_a);
	b = session_co(slot_b);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_rv(clone(b, cu, priv, &made), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, cu, data, &made));
	assert_ok(clone(b, cu, pub, &made));
	assert_int_equal(objects_on(b), 2);
}

void partition_so(void **state)
{
	CK_OBJECT_HANDLE data = data_object(a, "for all", "x", 1, false), made;
	CK_SESSION_HANDLE so;

	(void)state;
	sessions_close(slot_b);
	so = session_so(slot_b);
	assert_rv(clone(so, a, data, &made), CKR_USER_NOT_AUTHORIZED);
	sessions_close(slot_b);
	sessions_close(slot_a);
	so = session_so(slot_a);
	b = session_co(slot_b);
	assert_rv(clone(b, so, data, &made), CKR_USER_NOT_AUTHORIZED);
	assert_rv(clone_step1(so, CK_FALSE, &twc), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(objects_on(b), 0);
}

void legacy_tokens(void **state)
{
	CK_OBJECT_HANDLE pub, priv, data, made, pub_made;
	CK_SESSION_HANDLE so;
	CK_BYTE sig[128];
	CK_ULONG len = sizeof(sig);

	(void)state;
	token_init_legacy(slot_a, "legacy a", DOMAIN);
	token_init_legacy(slot_b, "legacy b", DOMAIN);
	officers();
	plain_pair(a, &pub, &priv);
	data = data_object(a, "for all", "x", 1, false);
	assert_ok(clone(b, a, priv, &made));
	assert_ok(clone(b, a, pub, &pub_made));
	sign_text(b, made, sig, &len);
	verify_text(a, pub, sig, len);
	/* The SO of a legacy token owns public objects. */
	sessions_close(slot_b);
	so = session_so(slot_b);
	assert_rv(clone(so, a, priv, &made), CKR_USER_NOT_AUTHORIZED);
	assert_ok(clone(so, a, data, &made));
	assert_int_equal(attr_ulong(so, made, CKA_CLASS), CKO_DATA);
	/* One of each kind is as good. */
	token_init(slot_b, "token b", DOMAIN);
	officers();
	assert_ok(clone(b, a, priv, &made));
	sign_text(b, made, sig, &len);
	verify_text(a, pub, sig, len);
}

/* ---- policies ---- */

void policy_private_off(void **state)
{
	CK_OBJECT_HANDLE pub, priv, key, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_a, 0, 0);
	officers();
	assert_rv(clone(b, a, priv, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, a, key, &made));
	assert_ok(clone(b, a, pub, &made));
	fresh(NULL);
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_b, 0, 0);
	officers();
	assert_rv(clone(b, a, priv, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	/* It is the last step that fails. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, priv, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(clone(b, a, key, &made));
	assert_ok(clone(b, a, pub, &made));
}

void policy_secret_off(void **state)
{
	CK_OBJECT_HANDLE pub, priv, key, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_a, 4, 0);
	officers();
	assert_rv(clone(b, a, key, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, a, priv, &made));
	fresh(NULL);
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_b, 4, 0);
	officers();
	assert_rv(clone(b, a, key, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, a, priv, &made));
}

void hsm_cloning_off(void **state)
{
	CK_OBJECT_HANDLE data, made;

	(void)state;
	hsm_policy_set(slot_a, 7, 0);
	officers();
	data = data_object(a, "not even this", "x", 1, false);
	assert_rv(clone(b, a, data, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(clone_step1(a, CK_FALSE, &twc), CKR_OPERATION_NOT_ALLOWED);
	hsm_policy_set(slot_a, 7, 1);
	hsm_policy_set(slot_b, 7, 0);
	officers();
	data = data_object(a, "not even this", "x", 1, false);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(clone(b, a, data, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	hsm_policy_set(slot_b, 7, 1);
	officers();
	assert_ok(clone(b, a, data, &made));
}

/* The target's other policies apply to a clone as to any object made there. */
void target_policies(void **state)
{
	CK_OBJECT_HANDLE pub, priv, key, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "all purposes");
	policy_set(slot_b, 10, 0);
	officers();
	assert_rv(clone(b, a, key, &made), CKR_TEMPLATE_INCONSISTENT);
	assert_ok(clone(b, a, pub, &made));
	policy_set(slot_b, 28, 0);
	officers();
	assert_rv(clone(b, a, pub, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 1);
}
