// SPDX-License-Identifier: MIT
/* Keys that the token generates, and what names a curve for that. */
#include "ec.h"

void generated(void **state)
{
	static const CK_BYTE id[] = { 7, 7, 7, 1 };
	CK_OBJECT_HANDLE pub, priv, found[3];
	CK_ATTRIBUTE find[] = { ATTR(CKA_ID, id) };
	CK_ATTRIBUTE set_id = ATTR(CKA_ID, id);
	unsigned char *params;
	CK_ULONG len, count;
	CK_MECHANISM mech;
	EVP_PKEY *pkey;
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		CK_ATTRIBUTE value = { CKA_VALUE, data, sizeof(data) };

		if (!curve_offered(s, &curves[i]))
			continue;
		assert_ok(ec_generate(s, &curves[i], false, &pub, &priv));
		assert_int_equal(attr_ulong(s, pub, CKA_KEY_TYPE), curves[i].type);
		assert_int_equal(attr_ulong(s, priv, CKA_KEY_TYPE), curves[i].type);
		assert_true(attr_bool(s, pub, CKA_LOCAL));
		assert_true(attr_bool(s, priv, CKA_LOCAL));
		assert_true(attr_bool(s, priv, CKA_ALWAYS_SENSITIVE));
		assert_true(attr_bool(s, priv, CKA_NEVER_EXTRACTABLE));
		params = attr_bytes(s, priv, CKA_EC_PARAMS, &len);
		assert_int_equal(len, curves[i].params_len);
		assert_memory_equal(params, curves[i].params, len);
		free(params);
		assert_rv(p11->C_GetAttributeValue(s, priv, &value, 1), CKR_ATTRIBUTE_SENSITIVE);
		assert_ok(p11->C_SetAttributeValue(s, pub, &set_id, 1));
		assert_ok(p11->C_SetAttributeValue(s, priv, &set_id, 1));
		assert_ok(p11->C_FindObjectsInit(s, find, 1));
		assert_ok(p11->C_FindObjects(s, found, 3, &count));
		assert_ok(p11->C_FindObjectsFinal(s));
		assert_int_equal(count, 2);
		pkey = public_of(&curves[i], pub);
		if (i != X25519 && has_signing()) {
			CK_ULONG got = ROOM;

			mech = (CK_MECHANISM){ i == ED25519 ? CKM_EDDSA : CKM_ECDSA_SHA384, NULL, 0 };
			fresh(data, 77);
			assert_ok(run_sign(s, &mech, priv, data, 77, ONE_SHOT, out, &got));
			assert_true(ossl_verify(&curves[i], pkey, i == ED25519 ? NULL : EVP_sha384(), 77, out));
		}
		EVP_PKEY_free(pkey);
		assert_ok(p11->C_DestroyObject(s, pub));
		assert_ok(p11->C_DestroyObject(s, priv));
	}
}

/* ---- CKA_EC_PARAMS ---- */

/* CKA_EC_PARAMS: what is no curve, and what else names one */
static const struct named {
	CK_KEY_TYPE type;
	CK_MECHANISM_TYPE gen;
	CK_RV rv;
	CK_ULONG len;
	CK_BYTE params[24];
} tries[] = {
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 0, "" },
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 2, "\x05\x00" },
	/* explicit ones, as far as anyone would read them */
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 5, "\x30\x03\x02\x01\x01" },
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 9,
	  "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01" },
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_DOMAIN_PARAMS_INVALID, 11,
	  "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" },
	/* P-192, brainpoolP256r1, a name */
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 10,
	  "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01" },
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 11,
	  "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07" },
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 14, "\x13\x0c" "edwards25519" },
	/* curves of another kind */
	{ CKK_EC, CKM_EC_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 5, "\x06\x03\x2b\x65\x70" },
	{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 5,
	  "\x06\x03\x2b\x65\x6e" },
	{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 5,
	  "\x06\x03\x2b\x65\x71" },
	{ CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKR_CURVE_NOT_SUPPORTED, 10,
	  "\x13\x08" "curve448" },
	/* other names, in both numbers */
	{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_OK, 5, "\x06\x03\x2b\x65\x70" },
	{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_OK, 11,
	  "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01" },
	{ CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKR_OK, 5, "\x06\x03\x2b\x65\x6e" },
	{ CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, CKR_OK, 12,
	  "\x06\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01" },
	{ CKK_EC_EDWARDS_OLD, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_OK, 14, "\x13\x0c" "edwards25519" },
	{ CKK_EC_EDWARDS_OLD, CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD, CKR_OK, 14, "\x13\x0c" "edwards25519" },
	{ CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN_OLD, CKR_OK, 14, "\x13\x0c" "edwards25519" },
	{ CKK_EC_MONTGOMERY_OLD, CKM_EC_MONTGOMERY_KEY_PAIR_GEN_OLD, CKR_OK, 12,
	  "\x13\x0a" "curve25519" },
	{ CKK_EC, CKM_EC_EDWARDS_KEY_PAIR_GEN, CKR_TEMPLATE_INCONSISTENT, 14,
	  "\x13\x0c" "edwards25519" },
};

static void try_key(const struct named *t, CK_OBJECT_HANDLE pub, CK_OBJECT_HANDLE priv)
{
	CK_MECHANISM mech = { CKM_EDDSA, NULL, 0 };
	CK_ULONG len;
	unsigned char *params = attr_bytes(s, pub, CKA_EC_PARAMS, &len);

	assert_int_equal(attr_ulong(s, priv, CKA_KEY_TYPE), t->type);
	assert_int_equal(len, t->len);
	assert_memory_equal(params, t->params, len);
	free(params);
	if (t->type != CKK_EC_EDWARDS && t->type != CKK_EC_EDWARDS_OLD)
		return;
	assert_ok(p11->C_SignInit(s, &mech, priv));
	mech.mechanism = CKM_EDDSA_OLD;
	assert_ok(p11->C_VerifyInit(s, &mech, pub));
	sessions_close(slot_a);
	s = session_co(slot_a);
}

static void try_params(const struct named *t)
{
	CK_MECHANISM gen = { t->gen, NULL, 0 };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR_BYTES(CKA_EC_PARAMS, t->params, t->len),
		ATTR(CKA_KEY_TYPE, t->type),
	};
	CK_ATTRIBUTE priv_tmpl[] = { ATTR(CKA_TOKEN, no), ATTR(CKA_KEY_TYPE, t->type) };
	CK_OBJECT_HANDLE pub, priv;

	assert_rv(p11->C_GenerateKeyPair(s, &gen, tmpl, 3, priv_tmpl, 2, &pub, &priv), t->rv);
	if (t->rv == CKR_OK)
		try_key(t, pub, priv);
}

static void try_without_params(void)
{
	CK_MECHANISM gen = { CKM_EC_KEY_PAIR_GEN, NULL, 0 };
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_TOKEN, no) };
	CK_OBJECT_HANDLE pub, priv;

	assert_rv(p11->C_GenerateKeyPair(s, &gen, tmpl, 1, tmpl, 1, &pub, &priv),
		  CKR_TEMPLATE_INCOMPLETE);
	gen = (CK_MECHANISM){ CKM_EC_KEY_PAIR_GEN, data, 4 };
	assert_rv(p11->C_GenerateKeyPair(s, &gen, tmpl, 1, tmpl, 1, &pub, &priv),
		  CKR_MECHANISM_PARAM_INVALID);
}

void parameters(void **state)
{
	size_t i;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(tries); i++)
		if (mechanism_listed(slot_a, tries[i].gen))
			try_params(&tries[i]);
	try_without_params();
}
