// SPDX-License-Identifier: MIT
/* RSA keys from outside: whole ones, ones with parts missing, and ones whose parts do not fit. */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "objects.h"
#include "rsa_parts.h"

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
static void rsa_tmpl(struct tmpl *t, const struct rsa_numbers *r, CK_OBJECT_CLASS *class,
		     size_t parts)
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

void rsa_import(void **state)
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

void rsa_import_errors(void **state)
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
