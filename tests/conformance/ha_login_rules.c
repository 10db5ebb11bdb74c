// SPDX-License-Identifier: MIT
/* HA login: which roles may set up, ask and answer, and policy 21. */
#include "ha_login.h"

/* ---- roles ---- */

void setup_roles(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b), ro;
	CK_OBJECT_HANDLE pub, priv;

	(void)state;
	login_pair(b, 1024, -1, &pub, &priv);
	ro = session_open_ro(slot_b);
	assert_rv(ca->CA_HAInit(ro, priv), CKR_SESSION_READ_ONLY);
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_rv(ca->CA_HAInit(b, pub), CKR_USER_NOT_LOGGED_IN);
	session_login(b, CKU_SO, SO_PIN);
	assert_rv(ca->CA_HAInit(b, pub), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(ca->CA_HAInit(b, priv), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(b));
	assert_ok(step1());
	assert_rv(step2(b, &challenge), CKR_USER_PIN_NOT_INITIALIZED);
	assert_rv(ca->CA_HAInit(999, priv), CKR_SESSION_HANDLE_INVALID);
}

void legacy_roles(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE made;
	CK_ULONG level = 99;

	(void)state;
	token_init_legacy(slot_b, "secondary", DOMAIN);
	b = session_co(slot_b);
	assert_ok(clone(b, a, login_priv, &made));
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(ca->CA_HAInit(b, made));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_ok(ca->CA_GetSessionInfo(b, NULL, NULL, NULL, &level));
	assert_int_equal(level, 1);
	assert_int_equal(session_info(b).state, CKS_RW_USER_FUNCTIONS);
	assert_ok(p11->C_Logout(b));
	/* The last setup wins, whoever did it. */
	session_login(b, CKU_USER, CO_PIN);
	assert_ok(ca->CA_HAInit(b, made));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_SO, SO_PIN);
	assert_rv(ca->CA_HAInit(b, made), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

void challenge_roles(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	challenge.len = MESSAGE_ROOM;
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_SO, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_USER_PIN_NOT_INITIALIZED);
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_CRYPTO_USER, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_HAGetLoginChallenge(b, 77, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_HAGetLoginChallenge(999, CKU_USER, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_SESSION_HANDLE_INVALID);
	session_login(b, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(step2(b, &challenge), CKR_USER_ALREADY_LOGGED_IN);
	assert_ok(p11->C_Logout(b));
	assert_ok(step2(b, &challenge));
}

void answer_roles(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(p11->C_Logout(a));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_SO, SO_PIN);
	assert_rv(step3(login_priv, &challenge, &answer), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(a));
	/* The crypto user works with the partition's keys, and this is one. */
	session_login(a, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

void login_while_logged_in(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	session_login(b2, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(step4(b, &answer), CKR_USER_ALREADY_LOGGED_IN);
	/* Refused, it left the exchange as it was; the end of somebody's login ends it. */
	assert_rv(step4(b, &answer), CKR_USER_ALREADY_LOGGED_IN);
	assert_ok(p11->C_Logout(b2));
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(exchange(b, login_priv));
	assert_officer(b2);
}

/* ---- policy 21 ---- */

static void partition_policy(CK_SESSION_HANDLE session, CK_ULONG value)
{
	session_login(session, CKU_SO, SO_PIN);
	assert_ok(ca->CA_SetContainerPolicy(session, 0, POLICY_HA, value));
	assert_ok(p11->C_Logout(session));
}

void policy_off_secondary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE pub, priv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	partition_policy(b, 0);
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_ALLOWED);
	assert_public(b);
	assert_rv(step2(b, &challenge), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_ALLOWED);
	session_login(b, CKU_USER, CO_PIN);
	login_pair(b, 1024, -1, &pub, &priv);
	assert_rv(ca->CA_HAInit(b, priv), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_Logout(b));
	partition_policy(b, 1);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

void policy_off_primary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(p11->C_Logout(a));
	partition_policy(a, 0);
	session_login(a, CKU_USER, CO_PIN);
	assert_ok(step1());		/* the certificate is everybody's */
	assert_ok(step2(b, &challenge));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_OPERATION_NOT_ALLOWED);
	masked.len = MESSAGE_ROOM;
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, challenge.data, challenge.len, masked.data,
					       &masked.len), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_Logout(a));
	partition_policy(a, 1);
	session_login(a, CKU_USER, CO_PIN);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
	assert_officer(b);
}
