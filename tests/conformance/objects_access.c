// SPDX-License-Identifier: MIT
/* Who sees an object and may touch it, and how long it is there. */
#include "objects.h"

void destroy_object(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a), other = session_open(slot_a);
	CK_OBJECT_HANDLE obj = data_create(session, "gone", true, false);

	(void)state;
	assert_true(exists(other, obj));
	assert_ok(p11->C_DestroyObject(other, obj));
	assert_false(exists(session, obj));
	assert_rv(p11->C_DestroyObject(session, obj), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(p11->C_DestroyObject(session, 0), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(object_by_label(session, "gone"), 0);
}

void private_objects(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE private = data_create(session, "private", true, true);
	CK_OBJECT_HANDLE fleeting = data_create(session, "fleeting", false, true);
	CK_OBJECT_HANDLE public = data_create(session, "public", true, false);
	CK_OBJECT_HANDLE obj = 0;
	struct tmpl t;

	(void)state;
	assert_int_equal(object_count(session, NULL, 0), 3);
	assert_ok(p11->C_Logout(session));
	assert_false(exists(session, private));
	assert_true(exists(session, public));
	assert_int_equal(object_count(session, NULL, 0), 1);
	assert_int_equal(object_by_label(session, "private"), 0);
	assert_rv(p11->C_DestroyObject(session, private), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(set_label(session, private, "x"), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(p11->C_CopyObject(session, private, NULL, 0, &obj), CKR_OBJECT_HANDLE_INVALID);
	data_tmpl(&t, "refused");
	ADD(&t, CKA_PRIVATE, yes);
	assert_rv(create(session, &t, &obj), CKR_USER_NOT_LOGGED_IN);
	aes_tmpl(&t, 16);
	assert_rv(create(session, &t, &obj), CKR_USER_NOT_LOGGED_IN);

	session_login(session, CKU_SO, SO_PIN);
	assert_false(exists(session, private));
	assert_int_equal(object_count(session, NULL, 0), 1);
	assert_rv(create(session, &t, &obj), CKR_USER_NOT_LOGGED_IN);
	assert_ok(p11->C_Logout(session));

	session_login(session, CKU_CRYPTO_USER, CU_PIN);
	assert_true(exists(session, private));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, CO_PIN);
	assert_true(exists(session, private));
	assert_false(exists(session, fleeting));	/* a logout ends private session objects */
}

void session_objects_end(void **state)
{
	CK_SESSION_HANDLE first = session_open(slot_a), second = session_open(slot_a);
	CK_OBJECT_HANDLE of_first = data_create(first, "of first", false, false);
	CK_OBJECT_HANDLE of_second = data_create(second, "of second", false, false);
	CK_OBJECT_HANDLE on_token = data_create(first, "on token", true, false);

	(void)state;
	assert_true(exists(second, of_first));
	assert_ok(p11->C_CloseSession(first));
	assert_false(exists(second, of_first));
	assert_int_equal(object_by_label(second, "of first"), 0);
	assert_true(exists(second, of_second));
	assert_true(exists(second, on_token));
	sessions_close(slot_a);
	second = session_open(slot_a);
	assert_false(exists(second, of_second));
	assert_true(exists(second, on_token));
	/* The other token never had it. */
	assert_int_equal(object_by_label(session_open(slot_b), "on token"), 0);
}

struct seen {
	CK_OBJECT_HANDLE token, session;
};

static int sees_token_objects_only(void *arg)
{
	const struct seen *seen = arg;
	CK_ATTRIBUTE attr = { CKA_CLASS, NULL, 0 };
	CK_OBJECT_HANDLE objs[8];
	CK_SESSION_HANDLE session;
	CK_ULONG count = 0;

	MUST(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
	     CKR_OK);
	MUST(p11->C_GetAttributeValue(session, seen->token, &attr, 1), CKR_OK);
	MUST(p11->C_GetAttributeValue(session, seen->session, &attr, 1), CKR_OBJECT_HANDLE_INVALID);
	MUST(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
	MUST(p11->C_FindObjects(session, objs, 8, &count), CKR_OK);
	MUST(count, 1);
	MUST(objs[0], seen->token);
	MUST(p11->C_FindObjectsFinal(session), CKR_OK);
	MUST(p11->C_DestroyObject(session, seen->token), CKR_OK);
	return 0;
}

void other_process(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	struct seen seen = {
		.token = data_create(session, "token", true, false),
		.session = data_create(session, "session", false, false),
	};

	(void)state;
	assert_int_equal(child_run(sees_token_objects_only, &seen), 0);
	assert_false(exists(session, seen.token));
	assert_true(exists(session, seen.session));
}

void read_only_sessions(void **state)
{
	CK_SESSION_HANDLE writer = session_open(slot_a), reader = session_open_ro(slot_a);
	CK_OBJECT_HANDLE on_token = data_create(writer, "on token", true, false), obj;
	struct tmpl t;

	(void)state;
	data_tmpl(&t, "x");
	ADD(&t, CKA_TOKEN, yes);
	assert_rv(create(reader, &t, &obj), CKR_SESSION_READ_ONLY);
	assert_rv(p11->C_DestroyObject(reader, on_token), CKR_SESSION_READ_ONLY);
	assert_rv(set_label(reader, on_token, "x"), CKR_SESSION_READ_ONLY);
	assert_rv(p11->C_CopyObject(reader, on_token, NULL, 0, &obj), CKR_SESSION_READ_ONLY);
	assert_ok(p11->C_CopyObject(reader, on_token, &(CK_ATTRIBUTE)ATTR(CKA_TOKEN, no), 1, &obj));
	assert_ok(set_label(reader, obj, "mine"));
	assert_ok(p11->C_DestroyObject(reader, obj));
	/* Private takes a login first, even where it could not be stored. */
	data_tmpl(&t, "x");
	ADD(&t, CKA_PRIVATE, yes);
	assert_rv(create(reader, &t, &obj), CKR_USER_NOT_LOGGED_IN);
	session_login(writer, CKU_USER, CO_PIN);
	assert_ok(create(reader, &t, &obj));
	ADD(&t, CKA_TOKEN, yes);
	assert_rv(create(reader, &t, &obj), CKR_SESSION_READ_ONLY);
}

void crypto_user(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 16, true, "the officer's");
	CK_OBJECT_HANDLE data = data_create(session, "private", true, true), obj;
	CK_OBJECT_HANDLE public = data_create(session, "public", true, false);
	CK_MECHANISM mech = { CKM_AES_ECB, NULL, 0 }, gen = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_BYTE out[16];
	CK_ULONG len = sizeof(out), key_len = 16;
	CK_ATTRIBUTE private_key[] = { ATTR(CKA_VALUE_LEN, key_len) };
	CK_ATTRIBUTE public_key[] = { ATTR(CKA_VALUE_LEN, key_len), ATTR(CKA_PRIVATE, no) };
	struct tmpl t;

	(void)state;
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(p11->C_EncryptInit(session, &mech, key));
	assert_ok(p11->C_Encrypt(session, aes_value, 16, out, &len));
	assert_rv(set_label(session, key, "mine"), CKR_USER_NOT_AUTHORIZED);
	assert_rv(p11->C_DestroyObject(session, key), CKR_USER_NOT_AUTHORIZED);
	assert_rv(p11->C_DestroyObject(session, data), CKR_USER_NOT_AUTHORIZED);
	assert_rv(p11->C_CopyObject(session, key, NULL, 0, &obj), CKR_USER_NOT_AUTHORIZED);
	data_tmpl(&t, "x");
	ADD(&t, CKA_PRIVATE, yes);
	assert_rv(create(session, &t, &obj), CKR_USER_NOT_AUTHORIZED);
	assert_rv(p11->C_GenerateKey(session, &gen, private_key, 1, &obj), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_GenerateKey(session, &gen, public_key, 2, &obj));
	assert_ok(p11->C_DestroyObject(session, obj));
	assert_ok(set_label(session, public, "renamed"));
	assert_ok(p11->C_DestroyObject(session, public));
	assert_true(exists(session, key));
	assert_true(exists(session, data));
}

/* What the SO vouches for, nobody else changes into something else. */
void trusted_by_so(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_a);
	CK_OBJECT_HANDLE key, copy;
	struct tmpl t;

	(void)state;
	aes_tmpl(&t, 32);
	ADD(&t, CKA_PRIVATE, no);
	ADD(&t, CKA_TOKEN, yes);
	ADD(&t, CKA_TRUSTED, yes);
	ADD(&t, CKA_DECRYPT, no);
	assert_ok(create(session, &t, &key));
	assert_true(attr_bool(session, key, CKA_TRUSTED));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, CO_PIN);
	assert_true(attr_bool(session, key, CKA_TRUSTED));
	assert_rv(set_bool(session, key, CKA_DECRYPT, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(p11->C_CopyObject(session, key, NULL, 0, &copy));
	assert_false(attr_bool(session, copy, CKA_TRUSTED));
	assert_rv(create(session, &t, &copy), CKR_ATTRIBUTE_READ_ONLY);
}

void handles_not_reused(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_OBJECT_HANDLE obj, last[2] = { 0, 0 };
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		if (i % 50 == 49) {
			sessions_close(slot_a);
			session = session_open(slot_a);
		}
		obj = data_create(session, "again", i & 1, false);
		assert_true(obj > last[i & 1]);
		last[i & 1] = obj;
		assert_ok(p11->C_DestroyObject(session, obj));
	}
}

void destroy_multiple(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_OBJECT_HANDLE objs[4];
	CK_ULONG failed = 99;

	(void)state;
	objs[0] = data_create(session, "0", true, false);
	objs[1] = data_create(session, "1", false, false);
	objs[2] = 4711;
	objs[3] = data_create(session, "3", false, false);
	assert_rv(ca->CA_DestroyMultipleObjects(session, 4, objs, &failed),
		  CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(failed, 2);
	assert_false(exists(session, objs[0]));
	assert_false(exists(session, objs[1]));
	assert_true(exists(session, objs[3]));
	assert_ok(ca->CA_DestroyMultipleObjects(session, 1, objs + 3, NULL));
	assert_rv(ca->CA_DestroyMultipleObjects(session, 1, NULL, NULL), CKR_ARGUMENTS_BAD);
}
