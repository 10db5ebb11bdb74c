// SPDX-License-Identifier: MIT
/* What happens to keys, usages and logins while an operation is under way or between two. */
#include "operations.h"

/*
 * The library may hold an Init back that it knows to be good. So each of these is done twice: with
 * a key that was never used, and with one that was.
 */
static CK_OBJECT_HANDLE fresh_key(CK_SESSION_HANDLE session, bool token, bool used)
{
	CK_OBJECT_HANDLE key = aes_key(session, 16, token, "meanwhile");
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out);

	if (!used)
		return key;
	assert_ok(p11->C_EncryptInit(s, mechanism(&crypts[ECB].mech), key));
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	return key;
}

void key_destroyed(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[ECB].mech);
	CK_SESSION_HANDLE other = session_open(slot_a);
	CK_OBJECT_HANDLE key;
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out);
	int used, how;

	(void)state;
	for (how = 0; how < 3; how++) {
		for (used = 0; used < 2; used++) {
			print_message("# destroyed by %d, used %d\n", how, used);
			key = fresh_key(how == 2 ? other : s, how == 0, used);
			/* Whoever began may end; nobody begins. */
			assert_ok(p11->C_EncryptInit(s, ecb, key));
			if (how == 2)
				assert_ok(p11->C_CloseSession(other));
			else
				assert_ok(p11->C_DestroyObject(how ? s : other, key));
			assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
			refused(ecb, key, CKR_KEY_HANDLE_INVALID);
			if (how == 2)
				other = session_open(slot_a);
		}
	}
}

static int destroys(void *arg)
{
	CK_OBJECT_HANDLE key = *(CK_OBJECT_HANDLE *)arg;
	CK_SESSION_HANDLE session;

	MUST(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
	     CKR_OK);
	MUST(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)), CKR_OK);
	MUST(p11->C_DestroyObject(session, key), CKR_OK);
	return 0;
}

void key_destroyed_elsewhere(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[ECB].mech);
	CK_OBJECT_HANDLE key;
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out);
	int used;
	CK_RV rv;

	(void)state;
	for (used = 0; used < 2; used++) {
		key = fresh_key(s, true, used);
		assert_int_equal(child_run(destroys, &key), 0);
		/* The library may not know yet; then the key is as if destroyed just after. */
		rv = p11->C_EncryptInit(s, ecb, key);
		if (rv == CKR_OK)
			rv = p11->C_Encrypt(s, text, 16, out, &len);
		assert_rv(rv, CKR_KEY_HANDLE_INVALID);
		no_encryption();
		refused(ecb, key, CKR_KEY_HANDLE_INVALID);
	}
}

void logout_meanwhile(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[ECB].mech);
	CK_OBJECT_HANDLE key;
	CK_BBOOL active;
	int used;

	(void)state;
	for (used = 0; used < 2; used++) {
		print_message("# used %d\n", used);
		key = fresh_key(s, true, used);
		assert_ok(p11->C_EncryptInit(s, ecb, key));
		assert_ok(p11->C_Logout(s));
		no_encryption();
		refused(ecb, key, CKR_KEY_HANDLE_INVALID);
		session_login(s, CKU_USER, CO_PIN);
		/* The end of a login is the end of the operation for good. */
		assert_ok(p11->C_EncryptInit(s, ecb, key));
		assert_ok(p11->C_Logout(s));
		session_login(s, CKU_USER, CO_PIN);
		no_encryption();
		/* So it is with digests, whatever the library knows. */
		assert_ok(p11->C_DigestInit(s, mechanism(&digests[MD_SHA256].mech)));
		assert_ok(p11->C_Logout(s));
		assert_ok(ca->CA_CheckOperationState(s, CKCAO_Digest, &active));
		assert_int_equal(active, CK_FALSE);
		no_digest();
		session_login(s, CKU_USER, CO_PIN);
	}
}

/* An Init, then something else, then its data. */
void between_init_and_data(void **state)
{
	CK_MECHANISM *ecb = mechanism(&crypts[ECB].mech);
	CK_SESSION_HANDLE other;
	CK_OBJECT_HANDLE key = fresh_key(s, false, true), obj;
	CK_BYTE out[16], want[16];
	CK_ULONG len = sizeof(out), count;
	CK_BBOOL active;

	(void)state;
	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_ok(p11->C_Encrypt(s, text, 16, want, &len));

	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_ok(ca->CA_CheckOperationState(s, CKCAO_Encrypt, &active));
	assert_int_equal(active, CK_TRUE);
	assert_ok(p11->C_FindObjectsInit(s, NULL, 0));
	assert_ok(p11->C_FindObjects(s, &obj, 1, &count));
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_memory_equal(out, want, 16);
	assert_ok(p11->C_FindObjectsFinal(s));
	assert_ok(ca->CA_CheckOperationState(s, CKCAO_Encrypt, &active));
	assert_int_equal(active, CK_FALSE);

	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_rv(p11->C_EncryptInit(s, ecb, 0), CKR_OPERATION_ACTIVE);
	assert_rv(p11->C_EncryptInit(s, mechanism(&crypts[CBC].mech), key), CKR_OPERATION_ACTIVE);
	aes_key(s, 16, false, "another");
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_memory_equal(out, want, 16);

	other = session_open(slot_a);
	assert_ok(p11->C_EncryptInit(other, ecb, key));
	assert_rv(p11->C_Encrypt(s, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_EncryptInit(s, ecb, key));
	assert_ok(p11->C_CloseSession(other));
	assert_rv(p11->C_Encrypt(other, text, 16, out, &len), CKR_SESSION_HANDLE_INVALID);
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_memory_equal(out, want, 16);
	other = session_open(slot_a);
	assert_rv(p11->C_Encrypt(other, text, 16, out, &len), CKR_OPERATION_NOT_INITIALIZED);

	/* The usage goes away after Init: as with any device, what has begun may end. */
	assert_ok(p11->C_EncryptInit(s, ecb, key));
	set_usage(key, CKA_ENCRYPT, CK_FALSE);
	assert_ok(p11->C_Encrypt(s, text, 16, out, &len));
	assert_rv(p11->C_EncryptInit(s, ecb, key), CKR_KEY_FUNCTION_NOT_PERMITTED);
}
