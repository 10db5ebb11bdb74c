// SPDX-License-Identifier: MIT
/* Attributes of objects that are there: read, changed, copied. */
#include "objects.h"

/* ---- C_GetAttributeValue ---- */

void get_errors(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 16, false, "a label");
	CK_BYTE label[32], value[32], modulus[32], id[8] = { 0 };
	CK_OBJECT_CLASS class = 0;
	CK_ATTRIBUTE attrs[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_LABEL, label), { CKA_LABEL, NULL, 0 },
		ATTR(CKA_ID, id),
	};
	CK_ATTRIBUTE one;
	CK_ULONG size;

	(void)state;
	assert_rv(p11->C_GetAttributeValue(session, key, NULL, 1), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GetAttributeValue(session, 0, attrs, 1), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(p11->C_GetAttributeValue(session, key + 1000, attrs, 1),
		  CKR_OBJECT_HANDLE_INVALID);
	assert_rv(p11->C_GetAttributeValue(session, key | 0x100000000ul, attrs, 1),
		  CKR_OBJECT_HANDLE_INVALID);
	assert_rv(p11->C_GetAttributeValue(0, key, attrs, 1), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_GetObjectSize(session, key, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GetObjectSize(session, 0, &size), CKR_OBJECT_HANDLE_INVALID);

	assert_ok(p11->C_GetAttributeValue(session, key, attrs, COUNT(attrs)));
	assert_int_equal(class, CKO_SECRET_KEY);
	assert_int_equal(attrs[1].ulValueLen, 7);
	assert_memory_equal(label, "a label", 7);
	assert_int_equal(attrs[2].ulValueLen, 7);
	assert_int_equal(attrs[3].ulValueLen, 0);

	one = (CK_ATTRIBUTE)ATTR(CKA_VALUE, value);
	assert_rv(p11->C_GetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(one.ulValueLen, CK_UNAVAILABLE_INFORMATION);
	one = (CK_ATTRIBUTE){ CKA_VALUE, NULL, 0 };
	assert_rv(p11->C_GetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(one.ulValueLen, CK_UNAVAILABLE_INFORMATION);
	one = (CK_ATTRIBUTE)ATTR(CKA_MODULUS, modulus);
	assert_rv(p11->C_GetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_TYPE_INVALID);
	assert_int_equal(one.ulValueLen, CK_UNAVAILABLE_INFORMATION);
	one = (CK_ATTRIBUTE)ATTR(0x100000000ul | CKA_LABEL, label);
	assert_rv(p11->C_GetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_TYPE_INVALID);
	one = (CK_ATTRIBUTE){ CKA_LABEL, label, 6 };
	assert_rv(p11->C_GetAttributeValue(session, key, &one, 1), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(one.ulValueLen, CK_UNAVAILABLE_INFORMATION);
	one = (CK_ATTRIBUTE){ CKA_CLASS, &class, 4 };
	assert_rv(p11->C_GetAttributeValue(session, key, &one, 1), CKR_BUFFER_TOO_SMALL);
	one = (CK_ATTRIBUTE){ CKA_TOKEN, label, 0 };
	assert_rv(p11->C_GetAttributeValue(session, key, &one, 1), CKR_BUFFER_TOO_SMALL);
}

/* One bad attribute does not keep the others from being returned, wherever it stands. */
void get_partly(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 24, false, "partly");
	CK_BYTE label[32] = { 0 }, value[32], small[2];
	CK_ULONG len = 0, i;
	CK_BBOOL token = 7;
	CK_ATTRIBUTE attrs[] = {
		ATTR(CKA_VALUE, value), ATTR(CKA_LABEL, label), ATTR(CKA_MODULUS, value),
		ATTR(CKA_VALUE_LEN, len), ATTR(CKA_LABEL, small), ATTR(CKA_TOKEN, token),
	};
	CK_RV rv = p11->C_GetAttributeValue(session, key, attrs, COUNT(attrs));

	(void)state;
	assert_true(rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
		    rv == CKR_BUFFER_TOO_SMALL);
	for (i = 0; i < COUNT(attrs); i += 2)
		assert_int_equal(attrs[i].ulValueLen, CK_UNAVAILABLE_INFORMATION);
	assert_int_equal(attrs[1].ulValueLen, 6);
	assert_memory_equal(label, "partly", 6);
	assert_int_equal(attrs[3].ulValueLen, sizeof(len));
	assert_int_equal(len, 24);
	assert_int_equal(attrs[5].ulValueLen, 1);
	assert_int_equal(token, CK_FALSE);
}

/* ---- C_SetAttributeValue ---- */

void set_attributes(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 16, true, "before");
	CK_ULONG len = 16, new_type = CKK_GENERIC_SECRET;
	CK_BYTE id[] = { 1, 2, 3 };
	CK_ATTRIBUTE both[] = { ATTR_STR(CKA_LABEL, "after"), ATTR(CKA_ID, id) };
	CK_ATTRIBUTE half[] = { ATTR_STR(CKA_LABEL, "never"), ATTR(CKA_KEY_TYPE, new_type) };
	CK_ATTRIBUTE one;

	(void)state;
	assert_ok(p11->C_SetAttributeValue(session, key, both, 2));
	assert_value(session, key, CKA_LABEL, "after", 5);
	assert_value(session, key, CKA_ID, id, 3);
	assert_int_equal(object_by_label(session, "before"), 0);
	assert_int_equal(object_by_label(session, "after"), key);
	/* All or nothing. */
	assert_rv(p11->C_SetAttributeValue(session, key, half, 2), CKR_ATTRIBUTE_READ_ONLY);
	assert_value(session, key, CKA_LABEL, "after", 5);

	one = (CK_ATTRIBUTE)ATTR(CKA_CLASS, data_class);
	assert_rv(p11->C_SetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_VALUE, aes_value);
	assert_rv(p11->C_SetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_VALUE_LEN, len);
	assert_rv(p11->C_SetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(set_bool(session, key, CKA_TOKEN, CK_FALSE), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(set_bool(session, key, CKA_PRIVATE, CK_FALSE), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(set_bool(session, key, CKA_LOCAL, CK_FALSE), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(set_bool(session, key, CKA_MODIFIABLE, CK_FALSE), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(set_bool(session, key, CKA_TRUSTED, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
	assert_rv(set_bool(session, key, CKA_ENCRYPT, 2), CKR_ATTRIBUTE_VALUE_INVALID);
	one = (CK_ATTRIBUTE)ATTR(CKA_MODULUS, id);
	assert_rv(p11->C_SetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_TYPE_INVALID);
	one = (CK_ATTRIBUTE){ CKA_LABEL, NULL, 3 };
	assert_rv(p11->C_SetAttributeValue(session, key, &one, 1), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(p11->C_SetAttributeValue(session, key, NULL, 1), CKR_ARGUMENTS_BAD);
	assert_rv(set_label(session, key + 1, "x"), CKR_OBJECT_HANDLE_INVALID);
	assert_ok(set_bool(session, key, CKA_ENCRYPT, CK_FALSE));
	assert_false(attr_bool(session, key, CKA_ENCRYPT));
	assert_ok(set_label(session, key, ""));
	assert_value(session, key, CKA_LABEL, NULL, 0);
}

void latches(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = secret_import(session, CKK_AES, aes_value, 16);

	(void)state;
	assert_value(session, key, CKA_VALUE, aes_value, 16);
	assert_ok(set_bool(session, key, CKA_SENSITIVE, CK_TRUE));
	assert_rv(p11->C_GetAttributeValue(session, key, &(CK_ATTRIBUTE){ CKA_VALUE, NULL, 0 }, 1),
		  CKR_ATTRIBUTE_SENSITIVE);
	assert_rv(set_bool(session, key, CKA_SENSITIVE, CK_FALSE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(set_bool(session, key, CKA_SENSITIVE, CK_TRUE));

	key = secret_import(session, CKK_AES, aes_value, 16);
	assert_ok(set_bool(session, key, CKA_EXTRACTABLE, CK_FALSE));
	assert_rv(p11->C_GetAttributeValue(session, key, &(CK_ATTRIBUTE){ CKA_VALUE, NULL, 0 }, 1),
		  CKR_ATTRIBUTE_SENSITIVE);
	assert_rv(set_bool(session, key, CKA_EXTRACTABLE, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(set_bool(session, key, CKA_EXTRACTABLE, CK_FALSE));

	assert_ok(set_bool(session, key, CKA_WRAP_WITH_TRUSTED, CK_TRUE));
	assert_rv(set_bool(session, key, CKA_WRAP_WITH_TRUSTED, CK_FALSE), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(set_bool(session, key, CKA_COPYABLE, CK_FALSE));
	assert_rv(set_bool(session, key, CKA_COPYABLE, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
}

void not_modifiable(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_OBJECT_HANDLE obj, copy;
	CK_ATTRIBUTE modifiable = ATTR(CKA_MODIFIABLE, yes);
	struct tmpl t;

	(void)state;
	data_tmpl(&t, "fixed");
	ADD(&t, CKA_MODIFIABLE, no);
	assert_ok(create(session, &t, &obj));
	assert_rv(set_label(session, obj, "moved"), CKR_ACTION_PROHIBITED);
	assert_value(session, obj, CKA_LABEL, "fixed", 5);
	/* No way round it by a copy. */
	assert_rv(p11->C_CopyObject(session, obj, &modifiable, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	assert_ok(p11->C_CopyObject(session, obj, NULL, 0, &copy));
	assert_rv(set_label(session, copy, "moved"), CKR_ACTION_PROHIBITED);
	assert_ok(p11->C_DestroyObject(session, obj));
}

void not_destroyable(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a), other = session_open(slot_a);
	CK_OBJECT_HANDLE obj;
	struct tmpl t;

	(void)state;
	data_tmpl(&t, "stays");
	ADD(&t, CKA_DESTROYABLE, no);
	assert_ok(create(session, &t, &obj));
	assert_rv(p11->C_DestroyObject(session, obj), CKR_ACTION_PROHIBITED);
	assert_rv(set_bool(session, obj, CKA_DESTROYABLE, CK_TRUE), CKR_ATTRIBUTE_READ_ONLY);
	assert_true(exists(other, obj));
	/* Its session's end is another matter. */
	assert_ok(p11->C_CloseSession(session));
	assert_false(exists(other, obj));
}

/* ---- C_CopyObject ---- */

void copy_objects(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = secret_import(session, CKK_AES, aes_value, 16), copy, again;
	/* What a vendor's sample asks for (an all-purpose key cut down to an encrypting one). */
	CK_ATTRIBUTE cut[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_ENCRYPT, yes), ATTR(CKA_DECRYPT, no),
		ATTR(CKA_WRAP, yes), ATTR(CKA_UNWRAP, no), ATTR(CKA_SIGN, yes),
		ATTR(CKA_EXTRACTABLE, no), ATTR(CKA_MODIFIABLE, no), ATTR_STR(CKA_LABEL, "cut"),
	};
	CK_BYTE *ouid, *copy_ouid;
	CK_ULONG len, copy_len;

	(void)state;
	assert_ok(p11->C_CopyObject(session, key, NULL, 0, &copy));
	assert_int_not_equal(copy, key);
	assert_value(session, copy, CKA_VALUE, aes_value, 16);
	assert_true(attr_bool(session, copy, CKA_EXTRACTABLE));
	ouid = attr_bytes(session, key, CKA_OUID, &len);
	copy_ouid = attr_bytes(session, copy, CKA_OUID, &copy_len);
	assert_int_equal(len, copy_len);
	assert_memory_not_equal(ouid, copy_ouid, len);
	free(ouid);
	free(copy_ouid);

	assert_ok(p11->C_CopyObject(session, key, cut, COUNT(cut), &copy));
	assert_true(attr_bool(session, copy, CKA_ENCRYPT));
	assert_false(attr_bool(session, copy, CKA_DECRYPT));
	assert_false(attr_bool(session, copy, CKA_UNWRAP));
	assert_false(attr_bool(session, copy, CKA_EXTRACTABLE));
	assert_false(attr_bool(session, copy, CKA_MODIFIABLE));
	assert_false(attr_bool(session, copy, CKA_LOCAL));
	assert_value(session, copy, CKA_LABEL, "cut", 3);
	/* The original is as it was. */
	assert_true(attr_bool(session, key, CKA_DECRYPT));
	assert_true(attr_bool(session, key, CKA_MODIFIABLE));

	assert_ok(p11->C_CopyObject(session, key, &(CK_ATTRIBUTE)ATTR(CKA_TOKEN, yes), 1, &again));
	assert_true(attr_bool(session, again, CKA_TOKEN));
	assert_ok(p11->C_DestroyObject(session, key));
	assert_value(session, again, CKA_VALUE, aes_value, 16);
}

void copy_errors(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a), reader = session_open_ro(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 16, false, "original"), copy = 0, bound;
	CK_ATTRIBUTE one;

	(void)state;
	assert_rv(p11->C_CopyObject(session, key, NULL, 0, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_CopyObject(session, key, NULL, 1, &copy), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_CopyObject(session, 0, NULL, 0, &copy), CKR_OBJECT_HANDLE_INVALID);
	one = (CK_ATTRIBUTE)ATTR(CKA_SENSITIVE, no);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_EXTRACTABLE, yes);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_CLASS, data_class);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_KEY_TYPE, generic_type);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_VALUE, aes_value);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_LOCAL, no);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_ATTRIBUTE_READ_ONLY);
	one = (CK_ATTRIBUTE)ATTR(CKA_MODULUS, aes_value);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_ATTRIBUTE_TYPE_INVALID);
	one = (CK_ATTRIBUTE)ATTR(CKA_PRIVATE, no);
	assert_rv(p11->C_CopyObject(session, key, &one, 1, &copy), CKR_TEMPLATE_INCONSISTENT);
	one = (CK_ATTRIBUTE)ATTR(CKA_TOKEN, yes);
	assert_rv(p11->C_CopyObject(reader, key, &one, 1, &copy), CKR_SESSION_READ_ONLY);
	assert_int_equal(copy, 0);
	assert_ok(p11->C_CopyObject(reader, key, NULL, 0, &copy));

	one = (CK_ATTRIBUTE)ATTR(CKA_COPYABLE, no);
	assert_ok(p11->C_CopyObject(session, key, &one, 1, &bound));
	assert_rv(p11->C_CopyObject(session, bound, NULL, 0, &copy), CKR_ACTION_PROHIBITED);
}
