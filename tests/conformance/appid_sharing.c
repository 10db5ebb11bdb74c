// SPDX-License-Identifier: MIT
/* One login for all who have the id, in several processes, in turn and at once. */
#include <unistd.h>

#include "appid.h"

static int child_shares(void *arg)
{
	CK_ATTRIBUTE tmpl = ATTR_STR(CKA_LABEL, KEY);
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE s;
	CK_ULONG found = 0;

	if (child_open(&s) || child_state(s, CKS_RW_USER_FUNCTIONS))
		return 1;
	MUST(login(s), CKR_USER_ALREADY_LOGGED_IN);
	MUST(p11->C_Login(s, CKU_CRYPTO_USER, (CK_UTF8CHAR_PTR)CU_PIN, strlen(CU_PIN)),
	     CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	MUST(p11->C_FindObjectsInit(s, &tmpl, 1), CKR_OK);
	MUST(p11->C_FindObjects(s, &key, 1, &found), CKR_OK);
	MUST(p11->C_FindObjectsFinal(s), CKR_OK);
	MUST(found, *(CK_ULONG *)arg);
	return 0;
}

static int child_other(void *arg)
{
	CK_SESSION_HANDLE s;

	(void)arg;
	MUST(ca->CA_SetApplicationID(MAJOR, MINOR + 1), CKR_OK);
	if (child_open(&s) || child_state(s, CKS_RW_PUBLIC_SESSION))
		return 1;
	MUST(login(s), CKR_OK);
	MUST(p11->C_Logout(s), CKR_OK);
	return 0;
}

static int child_logout(void *arg)
{
	CK_SESSION_HANDLE s;

	(void)arg;
	if (child_open(&s))
		return 1;
	MUST(p11->C_Logout(s), CKR_OK);
	return 0;
}

static int child_login(void *arg)
{
	CK_SESSION_HANDLE s;

	(void)arg;
	if (child_open(&s))
		return 1;
	MUST(login(s), CKR_OK);
	return 0;
}

/* One login for all who have the id; token objects are everybody's, session objects the process's. */
void shared_login(void **state)
{
	CK_MECHANISM mech = { CKM_AES_CMAC, NULL, 0 };
	CK_ULONG visible = 0, len = 16;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_BYTE mac[16];

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	session = session_co(slot_a);
	key = aes_key(session, 32, false, KEY);
	assert_int_equal(child_run(child_shares, &visible), 0);
	aes_key(session, 32, true, KEY);
	visible = 1;
	assert_int_equal(child_run(child_shares, &visible), 0);
	assert_int_equal(child_run(child_other, NULL), 0);
	assert_true(logged_in(session));

	/* A logout anywhere is one everywhere, and ends what goes on. */
	assert_ok(p11->C_SignInit(session, &mech, key));
	assert_ok(p11->C_SignUpdate(session, mac, 16));
	assert_int_equal(child_run(child_logout, NULL), 0);
	assert_false(logged_in(session));
	assert_rv(p11->C_SignFinal(session, mac, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_SignInit(session, &mech, key), CKR_KEY_HANDLE_INVALID);
	assert_rv(p11->C_Logout(session), CKR_USER_NOT_LOGGED_IN);

	/* And so is a login, which stays while anybody has a session. */
	assert_int_equal(child_run(child_login, NULL), 0);
	assert_true(logged_in(session));
	assert_ok(p11->C_CloseSession(session));
	session = session_open(slot_a);
	assert_false(logged_in(session));
}

/* The bytes are the id, however they were given. */
static int sixteen(const void *bytes, CK_STATE state)
{
	CK_APPLICATION_ID id;
	CK_SESSION_HANDLE s;

	memcpy(id.id, bytes, sizeof(id.id));
	MUST(ca->CA_SetApplicationIDV2(&id), CKR_OK);
	return child_open(&s) ? 1 : child_state(s, state);
}

static int child_sixteen(void *arg)
{
	return sixteen(arg, CKS_RW_USER_FUNCTIONS);
}

static int child_sixteen_public(void *arg)
{
	return sixteen(arg, CKS_RW_PUBLIC_SESSION);
}

void sixteen_bytes(void **state)
{
	CK_APPLICATION_ID id = { "sixteen bytes id" };

	(void)state;
	assert_ok(ca->CA_SetApplicationIDV2(&id));
	session_co(slot_a);
	assert_int_equal(child_run(child_sixteen, "sixteen bytes id"), 0);
	assert_int_equal(child_run(child_sixteen_public, "sixteen bytes iD"), 0);
	assert_int_equal(child_run(child_sixteen_public, "sixteen \0\0\0\0\0\0\0"), 0);
	sessions_close(slot_a);
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	session_co(slot_a);
	assert_int_equal(child_run(child_sixteen, "\0\0\0\1\0\0\0\50\0\0\0\0\0\0\0"), 0);
}

/* A session of another id in the same process is another application's. */
void session_with_id(void **state)
{
	CK_SESSION_HANDLE own, other, same;
	CK_APPLICATION_ID id;
	CK_ULONG high, low;

	(void)state;
	own = session_co(slot_a);
	assert_ok(ca->CA_OpenSessionWithAppID(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, MAJOR, MINOR,
					      NULL, NULL, &other));
	assert_false(logged_in(other));
	assert_ok(ca->CA_GetSessionInfo(other, &high, &low, NULL, NULL));
	assert_int_equal(high, MAJOR);
	assert_int_equal(low, MINOR);
	assert_ok(ca->CA_GetApplicationID(&id));
	assert_ok(ca->CA_OpenSessionWithAppIDV2(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, &id, NULL,
						NULL, &same));
	assert_true(logged_in(same));
	assert_ok(login(other));
	assert_ok(p11->C_Logout(own));
	assert_true(logged_in(other));
	assert_false(logged_in(same));
	/* It is the same application as that of processes with this id. */
	assert_ok(ca->CA_OpenSessionWithAppID(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, MAJOR, MINOR,
					      NULL, NULL, &own));
	assert_true(logged_in(own));
	assert_ok(ca->CA_CloseApplicationID(slot_a, MAJOR, MINOR));
	assert_rv(p11->C_Logout(other), CKR_SESSION_HANDLE_INVALID);
	assert_false(logged_in(same));
	assert_ok(ca->CA_OpenSessionWithAppID(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, MAJOR, MINOR,
					      NULL, NULL, &own));
	assert_ok(p11->C_CloseAllSessions(slot_a));
	assert_rv(p11->C_Logout(own), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_Logout(same), CKR_SESSION_HANDLE_INVALID);
}

/* ---- several processes at once ---- */

enum { PROCESSES = 4, ROUNDS = 60 };

static bool expected(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN || rv == CKR_USER_NOT_LOGGED_IN;
}

static int child_come_and_go(void *arg)
{
	CK_SESSION_HANDLE s;
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		if (child_open(&s))
			return 1;
		MUST(expected(login(s)), true);
		if (i % 3 == 0)
			MUST(expected(p11->C_Logout(s)), true);
		if (i % 5 == 4) {
			MUST(p11->C_Finalize(NULL), CKR_OK);
			MUST(p11->C_Initialize(NULL), CKR_OK);
		} else {
			MUST(p11->C_CloseSession(s), CKR_OK);
		}
	}
	return 0;
}

void at_once(void **state)
{
	pid_t children[PROCESSES];
	CK_SESSION_HANDLE session;
	int i;

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	for (i = 0; i < PROCESSES; i++)
		children[i] = child_start(child_come_and_go, NULL);
	for (i = 0; i < PROCESSES; i++)
		assert_int_equal(child_wait(children[i]), 0);
	session = session_open(slot_a);
	assert_false(logged_in(session));
	assert_ok(login(session));
}
