// SPDX-License-Identifier: MIT
/* What a token, its sessions and objects tell of themselves by the vendor's functions. */
#include "roles.h"

void token_facts(void **state)
{
	CK_ULONG major = 0, minor = 0, sub = 0, n = 9, overhead, total, used, left, count = 99;
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_BYTE name[64];
	CK_ULONG len = sizeof(name), list[4];

	(void)state;
	assert_ok(ca->CA_GetFirmwareVersion(slot_a, &major, &minor, &sub));
	assert_int_equal(major, 7);
	assert_int_equal(minor, 8);
	assert_int_equal(sub, 4);
	assert_rv(ca->CA_GetFirmwareVersion(9999, &major, &minor, &sub), CKR_SLOT_ID_INVALID);
	assert_ok(ca->CA_GetUserContainerNumber(slot_a, &n));
	assert_rv(ca->CA_GetUserContainerNumber(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(ca->CA_GetUserContainerName(slot_a, NULL, &len));
	assert_int_equal(len, 7);
	len = 6;
	assert_rv(ca->CA_GetUserContainerName(slot_a, name, &len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, 7);
	assert_ok(ca->CA_GetContainerName(slot_a, n, name, &len));
	assert_memory_equal(name, "token a", 7);
	assert_rv(ca->CA_GetContainerName(slot_a, n + 1, name, &len), CKR_CONTAINER_HANDLE_INVALID);
	count = 4;
	assert_ok(ca->CA_GetContainerList(slot_a, 0, 0, list, &count));
	assert_int_equal(count, 1);
	assert_int_equal(list[0], n);
	aes_key(session, 32, true, "counted");
	count = 99;
	assert_ok(ca->CA_GetTokenStorageInformation(slot_a, &overhead, &total, &used, &left, &count));
	assert_int_equal(count, 1);
	assert_true(used > 0);
	assert_ok(ca->CA_GetContainerStorageInformation(slot_a, n, &overhead, &total, &used, &left,
							&count));
	assert_int_equal(count, 1);
	assert_ok(ca->CA_GetHSMStorageInformation(slot_a, &overhead, &total, &used, &left));
	assert_rv(ca->CA_GetTokenStorageInformation(9999, &overhead, &total, &used, &left, &count),
		  CKR_SLOT_ID_INVALID);
}

void session_facts(void **state)
{
	static const struct {
		CK_USER_TYPE user;
		const char *pin;
		CK_ULONG level;
	} logins[] = { { CKU_SO, SO_PIN, 3 }, { CKU_USER, CO_PIN, 2 }, { CKU_CRYPTO_USER, CU_PIN, 1 } };
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_ULONG high, low, container, number, level = 9;
	size_t i;

	(void)state;
	assert_ok(ca->CA_GetUserContainerNumber(slot_a, &number));
	assert_ok(ca->CA_GetSessionInfo(session, &high, &low, &container, &level));
	assert_int_equal(level, 0);
	assert_int_equal(container, number);
	for (i = 0; i < COUNT(logins); i++) {
		session_login(session, logins[i].user, logins[i].pin);
		assert_ok(ca->CA_GetSessionInfo(session, &high, &low, &container, &level));
		assert_int_equal(level, logins[i].level);
		assert_ok(p11->C_Logout(session));
	}
	assert_rv(ca->CA_GetSessionInfo(999, &high, &low, &container, &level),
		  CKR_SESSION_HANDLE_INVALID);
}

void object_uids(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 32, true, "by uid");
	CK_ULONG len, type = 99, found = 0;
	CK_BYTE ouid[12], *attr = attr_bytes(session, key, CKA_OUID, &len);

	(void)state;
	assert_int_equal(len, sizeof(ouid));
	assert_ok(ca->CA_GetObjectUID(slot_a, 0, CK_CRYPTOKI_ELEMENT, key, ouid));
	assert_memory_equal(ouid, attr, len);
	memset(ouid, 0, sizeof(ouid));
	assert_ok(ca->CA_GetTokenObjectUID(slot_a, CK_CRYPTOKI_ELEMENT, key, ouid));
	assert_memory_equal(ouid, attr, len);
	free(attr);
	assert_ok(ca->CA_GetObjectHandle(slot_a, 0, ouid, &type, &found));
	assert_int_equal(found, key);
	assert_int_equal(type, CK_CRYPTOKI_ELEMENT);
	found = 0;
	assert_ok(ca->CA_GetTokenObjectHandle(slot_a, ouid, &type, &found));
	assert_int_equal(found, key);
	assert_rv(ca->CA_GetObjectUID(slot_a, 0, 5, key, ouid), CKR_OBJECT_TYPE_INVALID);
	assert_rv(ca->CA_GetObjectUID(slot_a, 0, 0, 999999, ouid), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(ca->CA_GetObjectUID(slot_a, 0, 0, key, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetObjectHandle(slot_a, 0, NULL, &type, &found), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetObjectHandle(slot_a, 0, ouid, &type, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetObjectHandle(9999, 0, ouid, &type, &found), CKR_SLOT_ID_INVALID);
	ouid[3] ^= 1;
	assert_rv(ca->CA_GetObjectHandle(slot_a, 0, ouid, &type, &found), CKR_OBJECT_HANDLE_INVALID);
}

void destroy_many(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE keys[4];
	CK_ULONG failed = 99, i;

	(void)state;
	for (i = 0; i < 4; i++)
		keys[i] = aes_key(session, 16, true, "one of many");
	assert_ok(ca->CA_DestroyMultipleObjects(session, 2, keys, &failed));
	assert_int_equal(objects_on(session), 2);
	keys[0] = keys[2];
	assert_rv(ca->CA_DestroyMultipleObjects(session, 3, keys, &failed),
		  CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(failed, 1);
	assert_int_equal(objects_on(session), 1);
	assert_rv(ca->CA_DestroyMultipleObjects(session, 0, keys, &failed), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_DestroyMultipleObjects(session, 1, NULL, &failed), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_DestroyMultipleObjects(999, 1, keys, &failed), CKR_SESSION_HANDLE_INVALID);
}

void operation_state(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_MECHANISM mech = { CKM_SHA256_HMAC, NULL, 0 }, digest = { CKM_SHA256, NULL, 0 };
	CK_OBJECT_HANDLE key = hmac_key(session);
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);
	CK_BBOOL on = 9;

	(void)state;
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Sign, &on));
	assert_int_equal(on, CK_FALSE);
	assert_ok(p11->C_SignInit(session, &mech, key));
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Sign, &on));
	assert_int_equal(on, CK_TRUE);
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Verify, &on));
	assert_int_equal(on, CK_FALSE);
	assert_ok(p11->C_Sign(session, out, 4, out, &len));
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Sign, &on));
	assert_int_equal(on, CK_FALSE);
	assert_ok(p11->C_DigestInit(session, &digest));
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Digest, &on));
	assert_int_equal(on, CK_TRUE);
	assert_rv(ca->CA_CheckOperationState(session, 99, &on), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CheckOperationState(session, CKCAO_Sign, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CheckOperationState(999, CKCAO_Sign, &on), CKR_SESSION_HANDLE_INVALID);
}
