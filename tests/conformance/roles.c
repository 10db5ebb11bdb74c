// SPDX-License-Identifier: MIT
/*
 * Roles and policies by the vendor's functions: lock-out, role PINs, capabilities and policies in
 * all their views, what single policies forbid, what a token tells of itself, and every CA_ function
 * that is not supported. Here are the PINs of roles, and CA_InitToken, which sets all at once.
 */
#include "roles.h"

int fresh(void **state)
{
	(void)state;
	token_init(slot_a, "token a", DOMAIN);
	return 0;
}

static int fresh_legacy(void **state)
{
	(void)state;
	token_init_legacy(slot_a, "token a", DOMAIN);
	return 0;
}

CA_ROLE_STATE role(CK_USER_TYPE user)
{
	CA_ROLE_STATE state;

	memset(&state, 0xee, sizeof(state));
	assert_ok(ca->CA_RoleStateGet(slot_a, user, &state));
	return state;
}

CK_FLAGS token_flags(void)
{
	CK_TOKEN_INFO info;

	assert_ok(p11->C_GetTokenInfo(slot_a, &info));
	return info.flags;
}

void wrong_pin(CK_SESSION_HANDLE session, CK_USER_TYPE user, int times)
{
	while (times--)
		assert_rv(p11->C_Login(session, user, PIN("a wrong pin")), CKR_PIN_INCORRECT);
}

CK_OBJECT_HANDLE hmac_key(CK_SESSION_HANDLE session)
{
	return secret_import(session, CKK_GENERIC_SECRET, "0123456789abcdef", 16);
}

/* ---- role PINs ---- */

static void role_pins(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a), ro;
	CK_SESSION_HANDLE other = session_open(slot_b);

	(void)state;
	assert_rv(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("new-cu-pin")),
		  CKR_USER_NOT_LOGGED_IN);
	assert_rv(ca->CA_ResetPIN(session, ROLE_PIN("new-co-pin")), CKR_USER_NOT_LOGGED_IN);
	session_login(session, CKU_SO, SO_PIN);
	/* On a token with a partition SO the crypto user is the officer's. */
	assert_rv(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("new-cu-pin")),
		  CKR_USER_NOT_LOGGED_IN);
	assert_rv(ca->CA_InitRolePIN(session, CKU_SO, ROLE_PIN("new-so-pin")), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_InitRolePIN(session, 77, ROLE_PIN("new-pin")), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_InitRolePIN(session, CKU_USER, ROLE_PIN("abc")), CKR_PIN_LEN_RANGE);
	assert_rv(ca->CA_InitRolePIN(session, CKU_USER, NULL, 8), CKR_ARGUMENTS_BAD);
	assert_ok(ca->CA_InitRolePIN(session, CKU_USER, ROLE_PIN("by-init-role")));
	assert_true(role(CKU_USER).flags & CAF_ROLE_STATE_PIN_CHANGE);
	assert_ok(ca->CA_InitSlotRolePIN(session, slot_a, CKU_USER, ROLE_PIN("by-slot-role")));
	assert_rv(ca->CA_InitSlotRolePIN(session, slot_b, CKU_USER, ROLE_PIN("by-slot-role")),
		  CKR_SLOT_ID_INVALID);
	assert_ok(p11->C_Logout(session));
	assert_rv(p11->C_Login(session, CKU_USER, PIN("by-init-role")), CKR_PIN_INCORRECT);
	session_login(session, CKU_USER, "by-slot-role");
	assert_ok(p11->C_SetPIN(session, PIN("by-slot-role"), PIN(CO_PIN)));
	assert_false(role(CKU_USER).flags & CAF_ROLE_STATE_PIN_CHANGE);
	assert_rv(ca->CA_ResetPIN(session, ROLE_PIN("new-co-pin")), CKR_USER_NOT_LOGGED_IN);
	/* The old number of the crypto user names it, too. */
	assert_ok(ca->CA_InitRolePIN(session, CKU_LIMITED_USER_OLD, ROLE_PIN("by-old-number")));
	ro = session_open_ro(slot_a);
	assert_rv(ca->CA_InitRolePIN(ro, CKU_CRYPTO_USER, ROLE_PIN("new-cu-pin")),
		  CKR_SESSION_READ_ONLY);
	assert_ok(p11->C_Logout(session));
	assert_ok(p11->C_Login(session, CKU_LIMITED_USER_OLD, PIN("by-old-number")));
	assert_rv(ca->CA_InitRolePIN(other, CKU_USER, ROLE_PIN("new-pin")), CKR_USER_NOT_LOGGED_IN);
	assert_rv(ca->CA_InitRolePIN(999, CKU_USER, ROLE_PIN("new-pin")), CKR_SESSION_HANDLE_INVALID);
	sessions_close(slot_a);
	sessions_close(slot_b);
}

static void role_pins_legacy(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_a);

	(void)state;
	assert_ok(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("by-legacy-so")));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_CRYPTO_USER, "by-legacy-so");
}

static void role_states(void **state)
{
	CA_ROLE_STATE r;

	(void)state;
	r = role(CKU_SO);
	assert_int_equal(r.flags, CAF_ROLE_STATE_INITIALIZED);
	assert_int_equal(r.loginAttemptsLeft, 10);
	assert_int_equal(r.primaryAuthMech, 1);
	assert_int_equal(r.secondaryAuthMech, 0);
	assert_true(role(CKU_USER).flags & CAF_ROLE_STATE_INITIALIZED);
	assert_true(role(CKU_CRYPTO_USER).flags & CAF_ROLE_STATE_INITIALIZED);
	assert_rv(ca->CA_RoleStateGet(slot_a, 77, &r), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_RoleStateGet(slot_a, CKU_SO, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_RoleStateGet(9999, CKU_SO, &r), CKR_SLOT_ID_INVALID);
}

/* ---- CA_InitToken ---- */

static void init_token_all_at_once(void **state)
{
	CK_UTF8CHAR label[] = "all at once                     ";
	CK_POLICY_INFO hsm[] = { { 16, 0, 0, 0 } }, partition[] = { { 20, 4, 0, 0 }, { 21, 0, 0, 0 } };
	CK_POLICY_INFO bad[] = { { 20, 99, 0, 0 } };
	CK_SESSION_HANDLE session;
	CK_ULONG value;

	(void)state;
	sessions_close(slot_a);
	assert_rv(ca->CA_InitToken(slot_a, PIN("wrong pin"), label, NULL, 0, 0, NULL, 0, NULL),
		  CKR_PIN_INCORRECT);
	assert_rv(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, NULL, 0, 1, NULL, 0, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, NULL, 5, 0, NULL, 0, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_InitToken(9999, PIN(SO_PIN), label, NULL, 0, 0, NULL, 0, NULL),
		  CKR_SLOT_ID_INVALID);
	assert_ok(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN), 1,
				   hsm, 2, partition));
	assert_ok(ca->CA_GetHSMPolicySetting(slot_a, 16, &value));
	assert_int_equal(value, 0);
	assert_int_equal(policy_get(slot_a, 20), 4);
	assert_int_equal(policy_get(slot_a, 21), 0);
	/* The login that this needed is over, and the domain is set. */
	session = session_open(slot_a);
	assert_int_equal(session_info(session).state, CKS_RW_PUBLIC_SESSION);
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(ca->CA_SetKCV(session, (CK_BYTE_PTR)"x", 1), CKR_CLONING_PARAMETER_ALREADY_EXISTS);
	assert_ok(ca->CA_SetHSMPolicy(session, 16, 1));
	sessions_close(slot_a);
	/* What is refused changes nothing: the SO is still there, and so is the policy that was set. */
	assert_rv(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN), 0,
				   NULL, 1, bad), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(policy_get(slot_a, 20), 4);
	assert_int_equal(policy_get(slot_a, 21), 0);
}

#define TEST(name)		cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(officer_lock),
		TEST(user_lock),
		TEST(policy_lowered),
		TEST(no_reset_by_so),
		TEST(so_lock),
		TEST(role_pins),
		cmocka_unit_test_setup(role_pins_legacy, fresh_legacy),
		TEST(role_states),
		TEST(policy_sets),
		TEST(element_descriptions),
		TEST(set_policies),
		TEST(cloning_or_wrapping),
		TEST(destructive_changes),
		TEST(policy_10_11),
		TEST(policy_17_18_33),
		TEST(policy_28),
		TEST(init_token_all_at_once),
		TEST(token_facts),
		TEST(session_facts),
		TEST(object_uids),
		TEST(destroy_many),
		TEST(operation_state),
		TEST(unsupported_functions),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
