// SPDX-License-Identifier: MIT
/* Searches: what is found, by whom, in which order, and among thousands. */
#include "objects.h"

void find_basics(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 16, true, "wanted"), objs[8];
	CK_BYTE id[] = { 9 }, odd[] = { 1, 2, 3 };
	CK_ATTRIBUTE several[] = {
		ATTR(CKA_CLASS, secret_class), ATTR_STR(CKA_LABEL, "wanted"), ATTR(CKA_TOKEN, yes),
		ATTR(CKA_KEY_TYPE, aes_type),
	};
	CK_ATTRIBUTE contradiction[] = { ATTR_STR(CKA_LABEL, "wanted"), ATTR_STR(CKA_LABEL, "x") };
	CK_ATTRIBUTE value[] = { ATTR_BYTES(CKA_VALUE, aes_value, 16) };
	CK_ATTRIBUTE one;
	CK_ULONG count = 7;

	(void)state;
	aes_key(session, 16, false, "wanted");
	aes_key(session, 16, true, "other");
	data_create(session, "wanted", true, false);
	assert_int_equal(object_count(session, NULL, 0), 4);
	assert_int_equal(object_count(session, several, COUNT(several)), 1);
	assert_int_equal(object_count(session, several, 2), 2);
	assert_int_equal(object_count(session, several + 1, 1), 3);
	one = (CK_ATTRIBUTE)ATTR(CKA_ID, id);
	assert_int_equal(object_count(session, &one, 1), 0);
	assert_int_equal(object_count(session, contradiction, 2), 0);
	one = (CK_ATTRIBUTE)ATTR(CKA_VENDOR_DEFINED | 0x123456, id);
	assert_int_equal(object_count(session, &one, 1), 0);
	one = (CK_ATTRIBUTE)ATTR(CKA_CLASS, odd);
	assert_int_equal(object_count(session, &one, 1), 0);
	one = (CK_ATTRIBUTE)ATTR(CKA_EXTRACTABLE, no);	/* data have no such attribute */
	assert_int_equal(object_count(session, &one, 1), 3);

	/* A search must not tell what C_GetAttributeValue withholds. */
	secret_import(session, CKK_AES, aes_value, 16);
	assert_int_equal(object_count(session, value, 1), 1);
	assert_ok(p11->C_FindObjectsInit(session, value, 1));
	assert_ok(p11->C_FindObjects(session, objs, 8, &count));
	assert_ok(p11->C_FindObjectsFinal(session));
	assert_ok(set_bool(session, objs[0], CKA_SENSITIVE, CK_TRUE));
	assert_int_equal(object_count(session, value, 1), 0);

	assert_ok(p11->C_FindObjectsInit(session, several, COUNT(several)));
	assert_ok(p11->C_FindObjects(session, objs, 8, &count));
	assert_int_equal(count, 1);
	assert_int_equal(objs[0], key);
	assert_ok(p11->C_FindObjects(session, objs, 8, &count));
	assert_int_equal(count, 0);
	assert_ok(p11->C_FindObjectsFinal(session));
}

void find_state(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a), other = session_open(slot_a);
	CK_ATTRIBUTE bad = { CKA_LABEL, NULL, 4 };
	CK_OBJECT_HANDLE obj;
	CK_ULONG count;

	(void)state;
	assert_rv(p11->C_FindObjects(session, &obj, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_FindObjectsInit(session, NULL, 1), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_FindObjectsInit(session, &bad, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(p11->C_FindObjectsInit(77, NULL, 0), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_FindObjects(session, &obj, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
	assert_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OPERATION_ACTIVE);
	assert_rv(p11->C_FindObjects(session, &obj, 1, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_FindObjects(session, NULL, 1, &count), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_FindObjects(other, &obj, 1, &count), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_FindObjects(session, &obj, 1, &count));
	assert_int_equal(count, 0);
	assert_ok(p11->C_FindObjectsFinal(session));
	assert_rv(p11->C_FindObjectsFinal(session), CKR_OPERATION_NOT_INITIALIZED);
}

/* Clients read, change, log out and close other sessions while they search. */
void find_stays_open(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a), other = session_open(slot_a);
	CK_OBJECT_HANDLE obj, last = 0;
	CK_ULONG count = 0, total = 0, i;
	char label[32];

	(void)state;
	for (i = 0; i < 200; i++) {
		snprintf(label, sizeof(label), "found %lu", i);
		data_create(session, label, false, i >= 150);
	}
	assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
	for (i = 0; i < 10; i++) {
		assert_ok(p11->C_FindObjects(session, &obj, 1, &count));
		assert_int_equal(count, 1);
		assert_ok(set_label(session, obj, "seen"));
		assert_value(session, obj, CKA_LABEL, "seen", 4);
		total++;
	}
	assert_ok(p11->C_CloseSession(other));
	assert_ok(p11->C_Logout(session));
	for (;;) {
		assert_ok(p11->C_FindObjects(session, &obj, 1, &count));
		if (!count)
			break;
		assert_true(obj > last);
		last = obj;
		assert_true(exists(session, obj));
		total++;
	}
	/* All public ones, and no private one after the logout. */
	assert_int_equal(total, 150);
	assert_ok(p11->C_FindObjectsFinal(session));
}

/* Collects a search in steps of @step; the handles must ascend. */
static CK_ULONG find_collect(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objs, CK_ULONG max,
			     CK_ULONG step)
{
	CK_ULONG total = 0, count, i;

	do {
		assert_true(total + step <= max);
		assert_ok(p11->C_FindObjects(session, objs + total, step, &count));
		assert_true(count <= step);
		total += count;
	} while (count);
	for (i = 1; i < total; i++)
		assert_true(objs[i] > objs[i - 1]);
	return total;
}

static bool found(const CK_OBJECT_HANDLE *objs, CK_ULONG count, CK_OBJECT_HANDLE obj)
{
	CK_ULONG i;

	for (i = 0; i < count; i++)
		if (objs[i] == obj)
			return true;
	return false;
}

enum { MANY = 3000, ON_TOKEN = 1500 };

void find_thousands(void **state)
{
	static const CK_ULONG steps[] = { 1, 7, 64, 1000, 6000 };
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_OBJECT_HANDLE *made = calloc(MANY, sizeof(*made)), *objs = calloc(12000, sizeof(*objs));
	CK_ATTRIBUTE label = ATTR_STR(CKA_LABEL, "many");
	CK_ULONG i, total;

	(void)state;
	assert_non_null(made);
	assert_non_null(objs);
	for (i = 0; i < MANY; i++)
		made[i] = data_create(session, i & 1 ? "many" : "more", i >= MANY - ON_TOKEN,
				      false);
	for (i = 0; i < COUNT(steps); i++) {
		assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
		total = find_collect(session, objs, 12000, steps[i]);
		assert_ok(p11->C_FindObjectsFinal(session));
		assert_int_equal(total, MANY);
	}
	for (i = 0; i < MANY; i++)
		assert_true(found(objs, total, made[i]));
	assert_int_equal(object_count(session, &label, 1), MANY / 2);

	/* While it runs: every third object goes, new ones come. */
	assert_ok(p11->C_FindObjectsInit(session, NULL, 0));
	for (i = 0; i < MANY; i += 3)
		assert_ok(p11->C_DestroyObject(session, made[i]));
	for (i = 0; i < 100; i++)
		data_create(session, "new", false, false);
	total = find_collect(session, objs, 12000, 500);
	assert_ok(p11->C_FindObjectsFinal(session));
	for (i = 0; i < MANY; i++)
		if (i % 3)
			assert_true(found(objs, total, made[i]));
	assert_true(total <= MANY + 100);
	assert_int_equal(object_count(session, NULL, 0), MANY - MANY / 3 + 100);
	free(made);
	free(objs);
}

void find_by_ouid(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 16, true, "by OUID");
	CK_ULONG len, type = 0, handle = 0;
	CK_BYTE *ouid = attr_bytes(session, key, CKA_OUID, &len), other[12];
	CK_ATTRIBUTE attr = ATTR_BYTES(CKA_OUID, ouid, len);

	(void)state;
	assert_int_equal(len, 12);
	assert_int_equal(object_count(session, &attr, 1), 1);
	assert_ok(ca->CA_GetTokenObjectHandle(slot_a, ouid, &type, &handle));
	assert_int_equal(handle, key);
	assert_ok(ca->CA_GetTokenObjectUID(slot_a, type, key, other));
	assert_memory_equal(ouid, other, 12);
	assert_ok(p11->C_DestroyObject(session, key));
	assert_int_equal(object_count(session, &attr, 1), 0);
	assert_rv(ca->CA_GetTokenObjectHandle(slot_a, ouid, &type, &handle),
		  CKR_OBJECT_HANDLE_INVALID);
	free(ouid);
}
