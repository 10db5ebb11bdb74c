// SPDX-License-Identifier: MIT
/*
 * Objects (PKCS#11 v2.40, 4 and 5.7): templates and their errors, defaults, what may change, who
 * sees and may touch what, and searches. Here is what becomes of a template.
 */
#include <openssl/sha.h>

#include "objects.h"

CK_OBJECT_CLASS data_class = CKO_DATA, public_class = CKO_PUBLIC_KEY;
CK_OBJECT_CLASS private_class = CKO_PRIVATE_KEY, secret_class = CKO_SECRET_KEY;
static CK_OBJECT_CLASS cert_class = CKO_CERTIFICATE;
CK_KEY_TYPE aes_type = CKK_AES, rsa_type = CKK_RSA, generic_type = CKK_GENERIC_SECRET;
static CK_CERTIFICATE_TYPE x509_type = CKC_X_509;
CK_BYTE aes_value[32] = "0123456789abcdef0123456789abcdef";
static CK_BYTE subject[] = { 0x30, 0x0b, 0x31, 0x09, 0x30, 0x07, 6, 3, 0x55, 4, 3, 0x0c, 0 };

void add(struct tmpl *t, CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len)
{
	t->attrs[t->count++] = (CK_ATTRIBUTE){ type, (void *)value, len };
}

CK_RV create(CK_SESSION_HANDLE session, struct tmpl *t, CK_OBJECT_HANDLE *obj)
{
	return p11->C_CreateObject(session, t->attrs, t->count, obj);
}

void data_tmpl(struct tmpl *t, const char *label)
{
	*t = (struct tmpl){ 0 };
	ADD(t, CKA_CLASS, data_class);
	add(t, CKA_LABEL, label, strlen(label));
}

static void cert_tmpl(struct tmpl *t, const void *value, CK_ULONG len)
{
	*t = (struct tmpl){ 0 };
	ADD(t, CKA_CLASS, cert_class);
	ADD(t, CKA_CERTIFICATE_TYPE, x509_type);
	ADD(t, CKA_SUBJECT, subject);
	add(t, CKA_VALUE, value, len);
}

void aes_tmpl(struct tmpl *t, CK_ULONG len)
{
	*t = (struct tmpl){ 0 };
	ADD(t, CKA_CLASS, secret_class);
	ADD(t, CKA_KEY_TYPE, aes_type);
	add(t, CKA_VALUE, aes_value, len);
}

CK_OBJECT_HANDLE data_create(CK_SESSION_HANDLE session, const char *label, bool token,
			     bool private)
{
	CK_BBOOL on_token = token, is_private = private;
	CK_OBJECT_HANDLE obj = 0;
	struct tmpl t;

	data_tmpl(&t, label);
	ADD(&t, CKA_TOKEN, on_token);
	ADD(&t, CKA_PRIVATE, is_private);
	assert_ok(create(session, &t, &obj));
	assert_int_not_equal(obj, 0);
	return obj;
}

CK_RV set_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
	       CK_BBOOL value)
{
	CK_ATTRIBUTE attr = ATTR(type, value);

	return p11->C_SetAttributeValue(session, obj, &attr, 1);
}

CK_RV set_label(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, const char *label)
{
	CK_ATTRIBUTE attr = ATTR_STR(CKA_LABEL, label);

	return p11->C_SetAttributeValue(session, obj, &attr, 1);
}

bool exists(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj)
{
	CK_ATTRIBUTE attr = { CKA_CLASS, NULL, 0 };
	CK_RV rv = p11->C_GetAttributeValue(session, obj, &attr, 1);

	if (rv != CKR_OBJECT_HANDLE_INVALID)
		assert_ok(rv);
	return rv == CKR_OK;
}

/* ---- what an object gets that is told nothing ---- */

static void data_defaults(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_OBJECT_HANDLE obj;
	struct tmpl t = { 0 };

	(void)state;
	ADD(&t, CKA_CLASS, data_class);
	assert_ok(create(session, &t, &obj));
	assert_int_equal(attr_ulong(session, obj, CKA_CLASS), CKO_DATA);
	assert_false(attr_bool(session, obj, CKA_TOKEN));
	assert_false(attr_bool(session, obj, CKA_PRIVATE));
	assert_true(attr_bool(session, obj, CKA_MODIFIABLE));
	assert_true(attr_bool(session, obj, CKA_COPYABLE));
	assert_true(attr_bool(session, obj, CKA_DESTROYABLE));
	assert_value(session, obj, CKA_LABEL, NULL, 0);
	assert_value(session, obj, CKA_APPLICATION, NULL, 0);
	assert_value(session, obj, CKA_OBJECT_ID, NULL, 0);
	assert_value(session, obj, CKA_VALUE, NULL, 0);
}

static void certificate_defaults(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_BYTE digest[SHA_DIGEST_LENGTH];
	CK_OBJECT_HANDLE obj;
	struct tmpl t;

	(void)state;
	cert_tmpl(&t, "not really DER", 14);
	assert_ok(create(session, &t, &obj));
	assert_false(attr_bool(session, obj, CKA_TRUSTED));
	assert_false(attr_bool(session, obj, CKA_PRIVATE));
	assert_int_equal(attr_ulong(session, obj, CKA_CERTIFICATE_CATEGORY), 0);
	assert_value(session, obj, CKA_SUBJECT, subject, sizeof(subject));
	assert_value(session, obj, CKA_ID, NULL, 0);
	assert_value(session, obj, CKA_ISSUER, NULL, 0);
	assert_value(session, obj, CKA_SERIAL_NUMBER, NULL, 0);
	assert_value(session, obj, CKA_START_DATE, NULL, 0);
	assert_value(session, obj, CKA_VALUE, "not really DER", 14);
	SHA1((const unsigned char *)"not really DER", 14, digest);
	assert_value(session, obj, CKA_CHECK_VALUE, digest, 3);
}

static void secret_defaults(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE obj;
	struct tmpl t;

	(void)state;
	aes_tmpl(&t, 16);
	assert_ok(create(session, &t, &obj));
	assert_false(attr_bool(session, obj, CKA_TOKEN));
	assert_true(attr_bool(session, obj, CKA_PRIVATE));
	assert_true(attr_bool(session, obj, CKA_SENSITIVE));
	assert_false(attr_bool(session, obj, CKA_EXTRACTABLE));
	assert_false(attr_bool(session, obj, CKA_LOCAL));
	assert_false(attr_bool(session, obj, CKA_ALWAYS_SENSITIVE));
	assert_false(attr_bool(session, obj, CKA_NEVER_EXTRACTABLE));
	assert_false(attr_bool(session, obj, CKA_DERIVE));
	assert_false(attr_bool(session, obj, CKA_WRAP_WITH_TRUSTED));
	assert_false(attr_bool(session, obj, CKA_TRUSTED));
	assert_true(attr_bool(session, obj, CKA_ENCRYPT));
	assert_true(attr_bool(session, obj, CKA_DECRYPT));
	assert_int_equal(attr_ulong(session, obj, CKA_VALUE_LEN), 16);
	assert_int_equal(attr_ulong(session, obj, CKA_KEY_GEN_MECHANISM),
			 CK_UNAVAILABLE_INFORMATION);
	assert_value(session, obj, CKA_ID, NULL, 0);
	assert_value(session, obj, CKA_START_DATE, NULL, 0);
}

static void generated_history(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_MECHANISM mech = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_OBJECT_HANDLE key = aes_key(session, 32, false, "history");
	CK_ULONG len = 16;
	CK_ATTRIBUTE open_tmpl[] = {
		ATTR(CKA_VALUE_LEN, len), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
	};

	(void)state;
	assert_true(attr_bool(session, key, CKA_LOCAL));
	assert_true(attr_bool(session, key, CKA_ALWAYS_SENSITIVE));
	assert_true(attr_bool(session, key, CKA_NEVER_EXTRACTABLE));
	assert_int_equal(attr_ulong(session, key, CKA_KEY_GEN_MECHANISM), CKM_AES_KEY_GEN);

	assert_ok(p11->C_GenerateKey(session, &mech, open_tmpl, COUNT(open_tmpl), &key));
	assert_false(attr_bool(session, key, CKA_ALWAYS_SENSITIVE));
	assert_false(attr_bool(session, key, CKA_NEVER_EXTRACTABLE));
	assert_ok(set_bool(session, key, CKA_SENSITIVE, CK_TRUE));
	assert_ok(set_bool(session, key, CKA_EXTRACTABLE, CK_FALSE));
	/* What it is now; what it was has not changed. */
	assert_false(attr_bool(session, key, CKA_ALWAYS_SENSITIVE));
	assert_false(attr_bool(session, key, CKA_NEVER_EXTRACTABLE));
	assert_true(attr_bool(session, key, CKA_LOCAL));
}

/* ---- template errors ---- */

/* A template that is good. */
static void good_tmpl(struct tmpl *t, CK_OBJECT_CLASS class)
{
	if (class == CKO_DATA)
		data_tmpl(t, "x");
	else if (class == CKO_CERTIFICATE)
		cert_tmpl(t, "der", 3);
	else
		aes_tmpl(t, 16);
}

#define NUMBER_24	"\x18\0\0\0\0\0\0\0", 8

/* One attribute more than a template that is good. */
static void one_too_many(CK_SESSION_HANDLE session)
{
	static const struct {
		CK_OBJECT_CLASS class;
		CK_ATTRIBUTE_TYPE type;
		const char *value;
		CK_ULONG len;
		CK_RV rv;
	} rows[] = {
		{ CKO_DATA, CKA_TOKEN, "\2", 1, CKR_ATTRIBUTE_VALUE_INVALID },
		{ CKO_DATA, CKA_TOKEN, "\1", 0, CKR_ATTRIBUTE_VALUE_INVALID },
		{ CKO_DATA, CKA_VALUE, NULL, 5, CKR_ATTRIBUTE_VALUE_INVALID },
		{ CKO_DATA, CKA_LABEL, "y", 1, CKR_TEMPLATE_INCONSISTENT },
		{ CKO_DATA, CKA_LABEL, "x", 1, CKR_OK },
		{ CKO_DATA, CKA_ENCRYPT, "\1", 1, CKR_ATTRIBUTE_TYPE_INVALID },
		{ CKO_DATA, CKA_VENDOR_DEFINED | 0x7654321, "\1", 1, CKR_ATTRIBUTE_TYPE_INVALID },
		{ CKO_DATA, 0x100000000ul | CKA_ID, "\1\2", 2, CKR_ATTRIBUTE_TYPE_INVALID },
		{ CKO_CERTIFICATE, CKA_TRUSTED, "\1", 1, CKR_ATTRIBUTE_READ_ONLY },
		{ CKO_CERTIFICATE, CKA_CHECK_VALUE, "abc", 3, CKR_ATTRIBUTE_VALUE_INVALID },
		{ CKO_CERTIFICATE, CKA_START_DATE, "2026011x", 8, CKR_ATTRIBUTE_VALUE_INVALID },
		{ CKO_SECRET_KEY, CKA_VALUE_LEN, NUMBER_24, CKR_TEMPLATE_INCONSISTENT },
		{ CKO_SECRET_KEY, CKA_LOCAL, "\1", 1, CKR_ATTRIBUTE_READ_ONLY },
		{ CKO_SECRET_KEY, CKA_ALWAYS_SENSITIVE, "\1", 1, CKR_ATTRIBUTE_READ_ONLY },
		{ CKO_SECRET_KEY, CKA_NEVER_EXTRACTABLE, "\1", 1, CKR_ATTRIBUTE_READ_ONLY },
		{ CKO_SECRET_KEY, CKA_KEY_GEN_MECHANISM, NUMBER_24, CKR_ATTRIBUTE_READ_ONLY },
		{ CKO_SECRET_KEY, CKA_OUID, "\1\2", 2, CKR_ATTRIBUTE_READ_ONLY },
		{ CKO_SECRET_KEY, CKA_MODULUS, "\1\2", 2, CKR_ATTRIBUTE_TYPE_INVALID },
	};
	CK_OBJECT_HANDLE obj;
	struct tmpl t;
	size_t i;

	for (i = 0; i < COUNT(rows); i++) {
		print_message("# class %lu, attribute 0x%lx\n", rows[i].class, rows[i].type);
		good_tmpl(&t, rows[i].class);
		add(&t, rows[i].type, rows[i].value, rows[i].len);
		assert_rv(create(session, &t, &obj), rows[i].rv);
	}
}

static void class_errors(CK_SESSION_HANDLE session)
{
	CK_ULONG unknown = 0x12345, hardware = CKO_HW_FEATURE;
	CK_BYTE short_ulong[4] = { 0 };
	CK_ATTRIBUTE wrong[] = {
		ATTR(CKA_CLASS, unknown), ATTR(CKA_CLASS, hardware), ATTR(CKA_CLASS, short_ulong),
	};
	CK_ATTRIBUTE none[] = { ATTR(CKA_TOKEN, no) };
	CK_OBJECT_HANDLE obj;
	size_t i;

	for (i = 0; i < COUNT(wrong); i++)
		assert_rv(p11->C_CreateObject(session, &wrong[i], 1, &obj),
			  CKR_ATTRIBUTE_VALUE_INVALID);
	assert_rv(p11->C_CreateObject(session, none, 1, &obj), CKR_TEMPLATE_INCOMPLETE);
	assert_rv(p11->C_CreateObject(session, none, 0, &obj), CKR_TEMPLATE_INCOMPLETE);
}

/* Without an attribute that must be there, or with another value of it. */
static void one_missing(CK_SESSION_HANDLE session)
{
	CK_ULONG wtls = CKC_WTLS;
	CK_OBJECT_HANDLE obj;
	struct tmpl t;

	cert_tmpl(&t, "der", 3);
	t.count = 3;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	cert_tmpl(&t, "der", 3);
	t.attrs[2] = t.attrs[3];
	t.count = 3;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	cert_tmpl(&t, "der", 3);
	t.attrs[1] = (CK_ATTRIBUTE)ATTR(CKA_CERTIFICATE_TYPE, wtls);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);

	aes_tmpl(&t, 15);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	aes_tmpl(&t, 16);
	t.count = 2;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	aes_tmpl(&t, 16);
	t.attrs[1] = t.attrs[2];
	t.count = 2;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	aes_tmpl(&t, 16);
	t.attrs[1] = (CK_ATTRIBUTE)ATTR(CKA_KEY_TYPE, generic_type);
	t.attrs[2].ulValueLen = 0;
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void create_errors(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE obj = 4711;
	struct tmpl t;

	(void)state;
	assert_rv(p11->C_CreateObject(session, NULL, 1, &obj), CKR_ARGUMENTS_BAD);
	data_tmpl(&t, "x");
	assert_rv(create(session, &t, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(create(4711, &t, &obj), CKR_SESSION_HANDLE_INVALID);
	class_errors(session);
	one_too_many(session);
	one_missing(session);
	/* Nothing came of any of them but of one. */
	assert_int_equal(object_count(session, NULL, 0), 1);
}

/* ---- odd but good values ---- */

static void odd_values(void **state)
{
	static const char label[] = "a\0b\0\0c";
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_ATTRIBUTE by_label = ATTR_BYTES(CKA_LABEL, label, 6), by_id = { CKA_ID, NULL, 0 };
	CK_ULONG wide_true = 1, wide_false = 0, wide_two = 2;
	CK_OBJECT_HANDLE obj, found = 0;
	CK_ULONG count = 0;
	struct tmpl t;

	(void)state;
	aes_tmpl(&t, 16);
	add(&t, CKA_LABEL, label, 6);
	add(&t, CKA_ID, NULL, 0);
	ADD(&t, CKA_TOKEN, wide_true);
	ADD(&t, CKA_ENCRYPT, wide_false);
	assert_ok(create(session, &t, &obj));
	assert_value(session, obj, CKA_LABEL, label, 6);
	assert_value(session, obj, CKA_ID, NULL, 0);
	assert_true(attr_bool(session, obj, CKA_TOKEN));
	assert_false(attr_bool(session, obj, CKA_ENCRYPT));
	assert_int_equal(object_count(session, &by_label, 1), 1);
	by_label.ulValueLen = 1;
	assert_int_equal(object_count(session, &by_label, 1), 0);
	assert_int_equal(object_count(session, &by_id, 1), 1);
	assert_ok(p11->C_FindObjectsInit(session, &by_id, 1));
	assert_ok(p11->C_FindObjects(session, &found, 1, &count));
	assert_ok(p11->C_FindObjectsFinal(session));
	assert_int_equal(found, obj);
	aes_tmpl(&t, 16);
	ADD(&t, CKA_ENCRYPT, wide_two);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void big_values(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_ULONG data_len = 64 * 1024, cert_len = 200 * 1024, i, size = 0;
	CK_BYTE *bytes = malloc(cert_len);
	CK_OBJECT_HANDLE data, cert;
	struct tmpl t;

	(void)state;
	assert_non_null(bytes);
	for (i = 0; i < cert_len; i++)
		bytes[i] = (CK_BYTE)(i * 7 + (i >> 9));
	data_tmpl(&t, "64 KiB");
	ADD(&t, CKA_TOKEN, yes);
	add(&t, CKA_VALUE, bytes, data_len);
	assert_ok(create(session, &t, &data));
	cert_tmpl(&t, bytes, cert_len);
	ADD(&t, CKA_TOKEN, yes);
	assert_ok(create(session, &t, &cert));
	assert_value(session, data, CKA_VALUE, bytes, data_len);
	assert_value(session, cert, CKA_VALUE, bytes, cert_len);
	assert_ok(p11->C_GetObjectSize(session, cert, &size));
	assert_true(size > cert_len && size < cert_len + 4096);
	bytes[0] ^= 1;
	t.attrs[0] = (CK_ATTRIBUTE)ATTR_BYTES(CKA_VALUE, bytes, data_len);
	assert_ok(p11->C_SetAttributeValue(session, data, t.attrs, 1));
	assert_value(session, data, CKA_VALUE, bytes, data_len);
	/* Found by it, too. */
	assert_int_equal(object_count(session, t.attrs, 1), 1);
	free(bytes);
}

/* Templates inside keys come back as they went in. */
static void nested_template(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_MECHANISM_TYPE mechs[] = { CKM_AES_CBC, CKM_AES_GCM }, mechs_out[2] = { 0 };
	CK_ATTRIBUTE inner[] = { ATTR(CKA_ENCRYPT, yes), ATTR(CKA_KEY_TYPE, aes_type) };
	CK_ATTRIBUTE nested[] = { ATTR(CKA_WRAP_TEMPLATE, inner) };
	CK_BBOOL encrypt = 9;
	CK_KEY_TYPE type = 99;
	CK_ATTRIBUTE inner_out[] = { { 0, &encrypt, 1 }, { 0, &type, sizeof(type) } };
	CK_ATTRIBUTE out[] = {
		ATTR(CKA_WRAP_TEMPLATE, inner_out), ATTR(CKA_ALLOWED_MECHANISMS, mechs_out),
	};
	CK_OBJECT_HANDLE key;
	struct tmpl t;

	(void)state;
	aes_tmpl(&t, 16);
	ADD(&t, CKA_WRAP_TEMPLATE, inner);
	ADD(&t, CKA_ALLOWED_MECHANISMS, mechs);
	assert_ok(create(session, &t, &key));
	assert_ok(p11->C_GetAttributeValue(session, key, out, 2));
	assert_int_equal(out[0].ulValueLen, sizeof(inner));
	assert_int_equal(out[1].ulValueLen, sizeof(mechs));
	assert_memory_equal(mechs, mechs_out, sizeof(mechs));
	assert_int_equal(inner_out[0].type, CKA_ENCRYPT);
	assert_int_equal(encrypt, CK_TRUE);
	assert_int_equal(inner_out[1].type, CKA_KEY_TYPE);
	assert_int_equal(type, CKK_AES);
	out[0] = (CK_ATTRIBUTE){ CKA_WRAP_TEMPLATE, NULL, 0 };
	assert_ok(p11->C_GetAttributeValue(session, key, out, 1));
	assert_int_equal(out[0].ulValueLen, sizeof(inner));
	aes_tmpl(&t, 16);
	ADD(&t, CKA_WRAP_TEMPLATE, nested);
	assert_rv(create(session, &t, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	aes_tmpl(&t, 16);
	add(&t, CKA_WRAP_TEMPLATE, inner, sizeof(inner) - 1);
	assert_rv(create(session, &t, &key), CKR_ATTRIBUTE_VALUE_INVALID);
	aes_tmpl(&t, 16);
	add(&t, CKA_ALLOWED_MECHANISMS, mechs, sizeof(mechs) - 1);
	assert_rv(create(session, &t, &key), CKR_ATTRIBUTE_VALUE_INVALID);
}

#define TEST(name)	cmocka_unit_test_teardown(name, test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(data_defaults),
		TEST(certificate_defaults),
		TEST(secret_defaults),
		TEST(generated_history),
		TEST(rsa_import),
		TEST(rsa_import_errors),
		TEST(create_errors),
		TEST(odd_values),
		TEST(big_values),
		TEST(get_errors),
		TEST(get_partly),
		TEST(set_attributes),
		TEST(latches),
		TEST(not_modifiable),
		TEST(not_destroyable),
		TEST(copy_objects),
		TEST(copy_errors),
		TEST(destroy_object),
		TEST(private_objects),
		TEST(session_objects_end),
		TEST(other_process),
		TEST(read_only_sessions),
		TEST(crypto_user),
		TEST(trusted_by_so),
		TEST(find_basics),
		TEST(find_state),
		TEST(find_stays_open),
		TEST(find_thousands),
		TEST(find_by_ouid),
		TEST(handles_not_reused),
		TEST(destroy_multiple),
		TEST(nested_template),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
