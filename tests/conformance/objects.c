// SPDX-License-Identifier: MIT
/*
 * Objects (PKCS#11 v2.40, 4 and 5.7): templates and their errors, defaults, what may change, who sees
 * and may touch what, and searches.
 */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "rsa_parts.h"

static CK_OBJECT_CLASS data_class = CKO_DATA, cert_class = CKO_CERTIFICATE,
		       public_class = CKO_PUBLIC_KEY, private_class = CKO_PRIVATE_KEY,
		       secret_class = CKO_SECRET_KEY;
static CK_KEY_TYPE aes_type = CKK_AES, rsa_type = CKK_RSA, generic_type = CKK_GENERIC_SECRET;
static CK_CERTIFICATE_TYPE x509_type = CKC_X_509;
static CK_BYTE aes_value[32] = "0123456789abcdef0123456789abcdef";
static CK_BYTE subject[] = { 0x30, 0x0b, 0x31, 0x09, 0x30, 0x07, 6, 3, 0x55, 4, 3, 0x0c, 0 };

/* A template that grows. */
struct tmpl {
	CK_ATTRIBUTE attrs[64];
	CK_ULONG count;
};

static void add(struct tmpl *t, CK_ATTRIBUTE_TYPE type, const void *value, CK_ULONG len)
{
	t->attrs[t->count++] = (CK_ATTRIBUTE){ type, (void *)value, len };
}

#define ADD(t, type, value)	add(t, type, &(value), sizeof(value))

static CK_RV create(CK_SESSION_HANDLE session, struct tmpl *t, CK_OBJECT_HANDLE *obj)
{
	return p11->C_CreateObject(session, t->attrs, t->count, obj);
}

static void data_tmpl(struct tmpl *t, const char *label)
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

static void aes_tmpl(struct tmpl *t, CK_ULONG len)
{
	*t = (struct tmpl){ 0 };
	ADD(t, CKA_CLASS, secret_class);
	ADD(t, CKA_KEY_TYPE, aes_type);
	add(t, CKA_VALUE, aes_value, len);
}

static CK_OBJECT_HANDLE data_create(CK_SESSION_HANDLE session, const char *label, bool token,
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

static CK_RV set_bool(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, CK_ATTRIBUTE_TYPE type,
		      CK_BBOOL value)
{
	CK_ATTRIBUTE attr = ATTR(type, value);

	return p11->C_SetAttributeValue(session, obj, &attr, 1);
}

static CK_RV set_label(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, const char *label)
{
	CK_ATTRIBUTE attr = ATTR_STR(CKA_LABEL, label);

	return p11->C_SetAttributeValue(session, obj, &attr, 1);
}

static bool exists(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj)
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

/* ---- RSA keys from outside ---- */

struct rsa_numbers {
	CK_BYTE value[COUNT(rsa_parts)][256];
	CK_ULONG len[COUNT(rsa_parts)];
};

static EVP_PKEY *rsa_outside(struct rsa_numbers *r)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);

	assert_non_null(key);
	for (size_t i = 0; i < COUNT(rsa_parts); i++)
		r->len[i] = rsa_part(key, &rsa_parts[i], r->value[i]);
	return key;
}

/* With the first @parts numbers, in the order of rsa_parts. */
static void rsa_tmpl(struct tmpl *t, const struct rsa_numbers *r, CK_OBJECT_CLASS *class, size_t parts)
{
	*t = (struct tmpl){ 0 };
	ADD(t, CKA_CLASS, *class);
	ADD(t, CKA_KEY_TYPE, rsa_type);
	for (size_t i = 0; i < parts; i++)
		add(t, rsa_parts[i].type, r->value[i], r->len[i]);
}

static void public_tmpl(struct tmpl *t, const struct rsa_numbers *r)
{
	rsa_tmpl(t, r, &public_class, RSA_E + 1);
}

static void private_tmpl(struct tmpl *t, const struct rsa_numbers *r, bool crt)
{
	rsa_tmpl(t, r, &private_class, crt ? COUNT(rsa_parts) : RSA_D + 1);
}

static void sign_and_verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE pub, CK_OBJECT_HANDLE priv)
{
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_BYTE sig[256];
	CK_ULONG len = sizeof(sig);

	assert_ok(p11->C_SignInit(session, &mech, priv));
	assert_ok(p11->C_Sign(session, aes_value, 32, sig, &len));
	assert_int_equal(len, 256);
	assert_ok(p11->C_VerifyInit(session, &mech, pub));
	assert_ok(p11->C_Verify(session, aes_value, 32, sig, len));
}

static void rsa_import(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE zeros[258] = { 0 };
	struct rsa_numbers r;
	EVP_PKEY *key = rsa_outside(&r);
	CK_ATTRIBUTE attr;
	struct tmpl t;

	(void)state;
	public_tmpl(&t, &r);
	assert_ok(create(session, &t, &pub));
	assert_int_equal(attr_ulong(session, pub, CKA_MODULUS_BITS), 2048);
	assert_false(attr_bool(session, pub, CKA_PRIVATE));
	assert_false(attr_bool(session, pub, CKA_LOCAL));
	assert_true(attr_bool(session, pub, CKA_VERIFY));
	assert_value(session, pub, CKA_MODULUS, r.value[RSA_N], r.len[RSA_N]);

	private_tmpl(&t, &r, true);
	assert_ok(create(session, &t, &priv));
	assert_true(attr_bool(session, priv, CKA_PRIVATE));
	assert_true(attr_bool(session, priv, CKA_SENSITIVE));
	assert_false(attr_bool(session, priv, CKA_EXTRACTABLE));
	assert_false(attr_bool(session, priv, CKA_ALWAYS_SENSITIVE));
	assert_false(attr_bool(session, priv, CKA_NEVER_EXTRACTABLE));
	attr = (CK_ATTRIBUTE){ CKA_PRIVATE_EXPONENT, NULL, 0 };
	assert_rv(p11->C_GetAttributeValue(session, priv, &attr, 1), CKR_ATTRIBUTE_SENSITIVE);
	attr = (CK_ATTRIBUTE){ CKA_PRIME_1, NULL, 0 };
	assert_rv(p11->C_GetAttributeValue(session, priv, &attr, 1), CKR_ATTRIBUTE_SENSITIVE);
	sign_and_verify(session, pub, priv);

	/* n and d alone are a key, too; and numbers may come with zeros in front. */
	private_tmpl(&t, &r, false);
	assert_ok(create(session, &t, &priv));
	sign_and_verify(session, pub, priv);
	memcpy(zeros + 2, r.value[RSA_N], 256);
	public_tmpl(&t, &r);
	add(&t, CKA_LABEL, "zeros", 5);
	t.attrs[2].pValue = zeros;
	t.attrs[2].ulValueLen = 258;
	assert_ok(create(session, &t, &pub));
	assert_int_equal(attr_ulong(session, pub, CKA_MODULUS_BITS), 2048);
	sign_and_verify(session, pub, priv);
	EVP_PKEY_free(key);
}

static void rsa_import_errors(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_ULONG wrong_bits = 1024;
	CK_OBJECT_HANDLE obj;
	struct rsa_numbers r;
	EVP_PKEY *key = rsa_outside(&r);
	CK_BYTE one = 1;
	struct tmpl t;

	(void)state;
	public_tmpl(&t, &r);
	t.count = 3;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	public_tmpl(&t, &r);
	t.attrs[3] = (CK_ATTRIBUTE){ CKA_PUBLIC_EXPONENT, &one, 1 };
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	public_tmpl(&t, &r);
	ADD(&t, CKA_MODULUS_BITS, wrong_bits);
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCONSISTENT);
	public_tmpl(&t, &r);
	add(&t, CKA_PRIVATE_EXPONENT, r.value[RSA_D], r.len[RSA_D]);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_TYPE_INVALID);
	public_tmpl(&t, &r);
	ADD(&t, CKA_SENSITIVE, yes);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_TYPE_INVALID);
	public_tmpl(&t, &r);
	t.attrs[2].ulValueLen = 0;
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);

	private_tmpl(&t, &r, false);
	t.count = 4;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	private_tmpl(&t, &r, true);
	t.count--;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	private_tmpl(&t, &r, true);
	t.attrs[1] = (CK_ATTRIBUTE)ATTR(CKA_KEY_TYPE, aes_type);
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCONSISTENT);
	EVP_PKEY_free(key);
}

/* ---- template errors ---- */

static void create_errors(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_ULONG wrong_len = 24, unknown_class = 0x12345, hardware = CKO_HW_FEATURE;
	CK_ULONG wtls = CKC_WTLS;
	CK_BYTE two = 2, short_ulong[4] = { 0 }, oid[] = { 1, 2 };
	CK_OBJECT_HANDLE obj = 4711;
	struct tmpl t = { 0 };

	(void)state;
	assert_rv(p11->C_CreateObject(session, NULL, 1, &obj), CKR_ARGUMENTS_BAD);
	data_tmpl(&t, "x");
	assert_rv(create(session, &t, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_CreateObject(4711, t.attrs, t.count, &obj), CKR_SESSION_HANDLE_INVALID);
	t.count = 0;
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);

	t = (struct tmpl){ 0 };
	ADD(&t, CKA_TOKEN, no);
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCOMPLETE);
	t = (struct tmpl){ 0 };
	ADD(&t, CKA_CLASS, unknown_class);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	t = (struct tmpl){ 0 };
	ADD(&t, CKA_CLASS, hardware);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	t = (struct tmpl){ 0 };
	ADD(&t, CKA_CLASS, short_ulong);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);

	data_tmpl(&t, "x");
	ADD(&t, CKA_TOKEN, two);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	data_tmpl(&t, "x");
	add(&t, CKA_TOKEN, &yes, 0);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	data_tmpl(&t, "x");
	add(&t, CKA_VALUE, NULL, 5);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	data_tmpl(&t, "x");
	add(&t, CKA_LABEL, "y", 1);
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCONSISTENT);
	data_tmpl(&t, "x");
	add(&t, CKA_LABEL, "x", 1);
	assert_ok(create(session, &t, &obj));
	data_tmpl(&t, "x");
	ADD(&t, CKA_ENCRYPT, yes);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_TYPE_INVALID);
	data_tmpl(&t, "x");
	ADD(&t, CKA_VENDOR_DEFINED | 0x7654321, yes);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_TYPE_INVALID);
	data_tmpl(&t, "x");
	ADD(&t, 0x100000000ul | CKA_ID, oid);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_TYPE_INVALID);

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
	cert_tmpl(&t, "der", 3);
	ADD(&t, CKA_TRUSTED, yes);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_READ_ONLY);
	cert_tmpl(&t, "der", 3);
	add(&t, CKA_CHECK_VALUE, "abc", 3);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	cert_tmpl(&t, "der", 3);
	add(&t, CKA_START_DATE, "2026011x", 8);
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
	ADD(&t, CKA_VALUE_LEN, wrong_len);
	assert_rv(create(session, &t, &obj), CKR_TEMPLATE_INCONSISTENT);
	aes_tmpl(&t, 16);
	ADD(&t, CKA_LOCAL, yes);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_READ_ONLY);
	aes_tmpl(&t, 16);
	ADD(&t, CKA_ALWAYS_SENSITIVE, yes);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_READ_ONLY);
	aes_tmpl(&t, 16);
	ADD(&t, CKA_NEVER_EXTRACTABLE, yes);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_READ_ONLY);
	aes_tmpl(&t, 16);
	ADD(&t, CKA_KEY_GEN_MECHANISM, wrong_len);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_READ_ONLY);
	aes_tmpl(&t, 16);
	ADD(&t, CKA_OUID, oid);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_READ_ONLY);
	aes_tmpl(&t, 16);
	ADD(&t, CKA_MODULUS, oid);
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_TYPE_INVALID);
	aes_tmpl(&t, 16);
	t.attrs[1] = (CK_ATTRIBUTE)ATTR(CKA_KEY_TYPE, generic_type);
	t.attrs[2].ulValueLen = 0;
	assert_rv(create(session, &t, &obj), CKR_ATTRIBUTE_VALUE_INVALID);
	/* Nothing came of any of them. */
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

/* ---- C_GetAttributeValue ---- */

static void get_errors(void **state)
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
static void get_partly(void **state)
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

static void set_attributes(void **state)
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

static void latches(void **state)
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

static void not_modifiable(void **state)
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

static void not_destroyable(void **state)
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

static void copy_objects(void **state)
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

static void copy_errors(void **state)
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

/* ---- who sees what ---- */

static void destroy_object(void **state)
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

static void private_objects(void **state)
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

static void session_objects_end(void **state)
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

static void other_process(void **state)
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

static void read_only_sessions(void **state)
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

static void crypto_user(void **state)
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
static void trusted_by_so(void **state)
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

/* ---- searches ---- */

static void find_basics(void **state)
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

static void find_state(void **state)
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
static void find_stays_open(void **state)
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

static void find_thousands(void **state)
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

static void find_by_ouid(void **state)
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

static void handles_not_reused(void **state)
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

static void destroy_multiple(void **state)
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
