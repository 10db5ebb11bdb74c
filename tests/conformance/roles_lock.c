// SPDX-License-Identifier: MIT
/* Lock-out: attempts that are counted and told, whom they lock out, and who opens again. */
#include "roles.h"

#define USER_FLAGS (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)
#define SO_FLAGS (CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED)

void officer_lock(void **state)
{
	CK_SESSION_HANDLE session;
	CK_ULONG status = 0, so = 9, user = 9;

	(void)state;
	policy_set(slot_a, 20, 3);
	session = session_open(slot_a);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 3);
	assert_int_equal(token_flags() & USER_FLAGS, 0);
	wrong_pin(session, CKU_USER, 1);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 2);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_COUNT_LOW);
	wrong_pin(session, CKU_USER, 1);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 1);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
	assert_ok(ca->CA_GetTokenStatus(slot_a, &status, &so, &user));
	assert_int_equal(so, 0);
	assert_int_equal(user, 2);
	assert_int_equal(status & 0x40000, 0);
	/* Success resets. */
	session_login(session, CKU_USER, CO_PIN);
	assert_ok(p11->C_Logout(session));
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 3);
	assert_int_equal(token_flags() & USER_FLAGS, 0);
	/* A wrong old PIN counts as well. */
	assert_rv(p11->C_SetPIN(session, PIN("a wrong pin"), PIN("new-pin-1")), CKR_PIN_INCORRECT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 2);
	wrong_pin(session, CKU_USER, 2);
	assert_int_equal(role(CKU_USER).flags & CAF_ROLE_STATE_LOCKED_OUT, CAF_ROLE_STATE_LOCKED_OUT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 0);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_LOCKED);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_LOCKED_OUT);
	assert_rv(p11->C_Login(session, CKU_USER, PIN("a wrong pin")), CKR_USER_LOCKED_OUT);
	assert_rv(p11->C_SetPIN(session, PIN(CO_PIN), PIN("new-pin-1")), CKR_USER_LOCKED_OUT);
	assert_ok(ca->CA_GetTokenStatus(slot_a, &status, NULL, &user));
	assert_int_equal(status & 0x40000, 0x40000);
	assert_int_equal(user, 3);
	/* The crypto user is closed with the officer, and opened again with him. */
	assert_rv(p11->C_Login(session, CKU_CRYPTO_USER, PIN(CU_PIN)), CKR_USER_LOCKED_OUT);
	session_login(session, CKU_SO, SO_PIN);
	assert_ok(ca->CA_ResetPIN(session, ROLE_PIN("reset-pin")));
	assert_ok(p11->C_Logout(session));
	assert_int_equal(token_flags() & USER_FLAGS, 0);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_PIN_INCORRECT);
	session_login(session, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, "reset-pin");
}

void user_lock(void **state)
{
	CK_SESSION_HANDLE session;
	CK_ULONG status, so, user, limited;

	(void)state;
	policy_set(slot_a, 20, 2);
	session = session_open(slot_a);
	wrong_pin(session, CKU_CRYPTO_USER, 2);
	assert_rv(p11->C_Login(session, CKU_CRYPTO_USER, PIN(CU_PIN)), CKR_USER_LOCKED_OUT);
	assert_true(role(CKU_CRYPTO_USER).flags & CAF_ROLE_STATE_LOCKED_OUT);
	assert_false(role(CKU_USER).flags & CAF_ROLE_STATE_LOCKED_OUT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 2);
	assert_ok(ca->CA_GetContainerStatus(slot_a, 0, &status, &so, &user, &limited));
	assert_int_equal(status, 0x200000);
	assert_int_equal(so, 0);
	assert_int_equal(user, 0);
	assert_int_equal(limited, 2);
	session_login(session, CKU_USER, CO_PIN);
	assert_ok(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("reset-cu-pin")));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_CRYPTO_USER, "reset-cu-pin");
}

/* Who has failed as often as a lowered policy allows is locked out, and the token says so. */
void policy_lowered(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);

	(void)state;
	wrong_pin(session, CKU_USER, 4);
	policy_set(slot_a, 20, 3);
	session = session_open(slot_a);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_LOCKED_OUT);
	assert_true(role(CKU_USER).flags & CAF_ROLE_STATE_LOCKED_OUT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 0);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_LOCKED);
	policy_set(slot_a, 20, 10);
	session = session_open(slot_a);
	session_login(session, CKU_USER, CO_PIN);
}

void no_reset_by_so(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_a);

	(void)state;
	assert_ok(ca->CA_SetHSMPolicy(session, 15, 0));
	assert_rv(p11->C_InitPIN(session, PIN("reset-pin")), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_ResetPIN(session, ROLE_PIN("reset-pin")), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_InitRolePIN(session, CKU_USER, ROLE_PIN("reset-pin")),
		  CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_Logout(session));
	wrong_pin(session, CKU_USER, 10);
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(p11->C_InitPIN(session, PIN(CO_PIN)), CKR_OPERATION_NOT_ALLOWED);
	/* Back on is destructive. */
	assert_rv(ca->CA_SetHSMPolicy(session, 15, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_SetDestructiveHSMPolicy(session, 15, 1));
	assert_ok(p11->C_InitPIN(session, PIN(CO_PIN)));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, CO_PIN);
}

void so_lock(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_TOKEN_INFO info;

	(void)state;
	aes_key(session, 32, true, "will be gone");
	assert_ok(p11->C_Logout(session));
	wrong_pin(session, CKU_SO, 1);
	assert_int_equal(token_flags() & SO_FLAGS, CKF_SO_PIN_COUNT_LOW);
	wrong_pin(session, CKU_SO, 8);
	assert_int_equal(role(CKU_SO).loginAttemptsLeft, 1);
	assert_int_equal(token_flags() & SO_FLAGS, CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY);
	wrong_pin(session, CKU_SO, 1);
	assert_int_equal(token_flags() & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED), 0);
	assert_rv(p11->C_Login(session, CKU_SO, PIN(SO_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(objects_on(session), 0);
	sessions_close(slot_a);
	assert_ok(p11->C_InitToken(slot_a, PIN("another so pin"),
				   (CK_UTF8CHAR_PTR)"again                           "));
	assert_ok(p11->C_GetTokenInfo(slot_a, &info));
	assert_true(info.flags & CKF_TOKEN_INITIALIZED);
	assert_rv(p11->C_InitToken(slot_a, PIN("a wrong pin"), info.label), CKR_PIN_INCORRECT);
	assert_ok(p11->C_InitToken(slot_a, PIN("another so pin"), info.label));
	session = session_open(slot_a);
	session_login(session, CKU_SO, "another so pin");
	assert_ok(p11->C_SetPIN(session, PIN("another so pin"), PIN(SO_PIN)));
	sessions_close(slot_a);
}
