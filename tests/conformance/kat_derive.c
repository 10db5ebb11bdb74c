// SPDX-License-Identifier: MIT
/*
 * Known answers of what makes keys from keys and passwords: concatenation and its kin, digests,
 * encrypted data, PBKDF2, HKDF, the functions of SP 800-108 and the vendor's.
 */
#include "kat.h"

enum { PRF_FIELDS = 8 };

/* What a vector's parameter points to. */
struct derive_params {
	CK_KEY_DERIVATION_STRING_DATA string;
	CK_AES_CBC_ENCRYPT_DATA_PARAMS cbc;
	CK_EXTRACT_PARAMS bit;
	CK_OBJECT_HANDLE key2;
	CK_PKCS5_PBKD2_PARAMS pbkd2;
	CK_PKCS5_PBKD2_PARAMS2 pbkd2_2;
	CK_ULONG password_len;
	CK_HKDF_PARAMS hkdf;
	CK_SP800_108_KDF_PARAMS sp800_108;
	CK_SP800_108_FEEDBACK_KDF_PARAMS feedback;
	CK_PRF_DATA_PARAM fields[PRF_FIELDS];
	CK_SP800_108_COUNTER_FORMAT counters[PRF_FIELDS];
	CK_SP800_108_DKM_LENGTH_FORMAT lengths[PRF_FIELDS];
	CK_KDF_PRF_PARAMS vendor;
};

/* A hash of @hashes as PBKDF2, HKDF, SP 800-108 and the vendor's function call it. */
static const struct prf {
	const char *name;
	CK_ULONG pbkd2;
	CK_MECHANISM_TYPE hash, mac;
	CK_ULONG vendor;
} prfs[] = {
	{ "SHA_1", CKP_PKCS5_PBKD2_HMAC_SHA1, CKM_SHA_1, CKM_SHA_1_HMAC, CK_NIST_PRF_KDF_HMAC_SHA1 },
	{ "SHA224", CKP_PKCS5_PBKD2_HMAC_SHA224, CKM_SHA224, CKM_SHA224_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA224 },
	{ "SHA256", CKP_PKCS5_PBKD2_HMAC_SHA256, CKM_SHA256, CKM_SHA256_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA256 },
	{ "SHA384", CKP_PKCS5_PBKD2_HMAC_SHA384, CKM_SHA384, CKM_SHA384_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA384 },
	{ "SHA512", CKP_PKCS5_PBKD2_HMAC_SHA512, CKM_SHA512, CKM_SHA512_HMAC,
	  CK_NIST_PRF_KDF_HMAC_SHA512 },
	{ "SHA3_224", 0, CKM_SHA3_224, CKM_SHA3_224_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_224 },
	{ "SHA3_256", 0, CKM_SHA3_256, CKM_SHA3_256_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_256 },
	{ "SHA3_384", 0, CKM_SHA3_384, CKM_SHA3_384_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_384 },
	{ "SHA3_512", 0, CKM_SHA3_512, CKM_SHA3_512_HMAC, CK_NIST_PRF_KDF_HMAC_SHA3_512 },
	{ "AES_CMAC", 0, 0, CKM_AES_CMAC, CK_NIST_PRF_KDF_AES_CMAC },
};

static const struct prf *prf_of(const struct vector *v)
{
	const char *name = word(v, has(v, "hash") ? "hash" : "prf");
	size_t i;

	for (i = 0; name && i < COUNT(prfs); i++)
		if (!strcmp(prfs[i].name, name))
			return &prfs[i];
	fail_msg("%s:%d: no such function", v->file, v->line);
	return NULL;
}

static CK_OBJECT_HANDLE derive_base(CK_KEY_TYPE type, struct bytes value)
{
	CK_OBJECT_HANDLE key = secret_import(s, type, value.data, value.len);
	CK_ATTRIBUTE derive[] = { ATTR(CKA_DERIVE, yes) };

	assert_ok(p11->C_SetAttributeValue(s, key, derive, 1));
	return key;
}

static CK_MECHANISM simple_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	struct bytes data = hex(v, "data"), iv = hex(v, "iv"), key2 = hex(v, "key2");

	if (iv.len) {
		memcpy(p->cbc.iv, iv.data, sizeof(p->cbc.iv));
		p->cbc.pData = data.data;
		p->cbc.length = data.len;
		return (CK_MECHANISM){ type, &p->cbc, sizeof(p->cbc) };
	}
	if (data.len) {
		p->string = (CK_KEY_DERIVATION_STRING_DATA){ data.data, data.len };
		return (CK_MECHANISM){ type, &p->string, sizeof(p->string) };
	}
	if (key2.len) {
		p->key2 = derive_base(CKK_GENERIC_SECRET, key2);
		return (CK_MECHANISM){ type, &p->key2, sizeof(p->key2) };
	}
	p->bit = number(v, "bit");
	if (has(v, "bit"))
		return (CK_MECHANISM){ type, &p->bit, sizeof(p->bit) };
	return (CK_MECHANISM){ type, NULL, 0 };
}

static CK_MECHANISM hkdf_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	struct bytes salt = hex(v, "salt"), salt_key = hex(v, "saltkey"), info = hex(v, "info");

	p->hkdf = (CK_HKDF_PARAMS){
		.bExtract = !!strchr(word(v, "steps"), 'E'),
		.bExpand = !!strchr(word(v, "steps"), 'X'),
		.prfHashMechanism = prf_of(v)->hash,
		.ulSaltType = CKF_HKDF_SALT_NULL,
		.pInfo = info.data,
		.ulInfoLen = info.len,
	};
	if (salt.len) {
		p->hkdf.ulSaltType = CKF_HKDF_SALT_DATA;
		p->hkdf.pSalt = salt.data;
		p->hkdf.ulSaltLen = salt.len;
	} else if (salt_key.len) {
		p->key2 = derive_base(CKK_GENERIC_SECRET, salt_key);
		p->hkdf.ulSaltType = CKF_HKDF_SALT_KEY;
		p->hkdf.hSaltKey = p->key2;
	}
	return (CK_MECHANISM){ type, &p->hkdf, sizeof(p->hkdf) };
}

/* One word of "fields"; bytes are decoded in place. */
static void prf_field(char *text, struct derive_params *p, size_t i)
{
	CK_PRF_DATA_PARAM *field = &p->fields[i];
	CK_ULONG bits = strtoul(text + 1, NULL, 10);
	CK_BBOOL little = text[strlen(text) - 1] == '<';
	size_t len;

	p->counters[i] = (CK_SP800_108_COUNTER_FORMAT){ little, bits };
	p->lengths[i] = (CK_SP800_108_DKM_LENGTH_FORMAT){
		*text == 'L' ? CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS :
			       CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS, little, bits };
	if (*text == '=') {
		unsigned char *bytes = unhex(text + 1, &len);

		memcpy(text, bytes, len);
		free(bytes);
		*field = (CK_PRF_DATA_PARAM){ CK_SP800_108_BYTE_ARRAY, text, len };
	} else if (*text == 'I' && !bits) {
		*field = (CK_PRF_DATA_PARAM){ CK_SP800_108_ITERATION_VARIABLE, NULL, 0 };
	} else if (*text == 'I' || *text == 'C') {
		*field = (CK_PRF_DATA_PARAM){ *text == 'I' ? CK_SP800_108_ITERATION_VARIABLE :
					      CK_SP800_108_COUNTER, &p->counters[i],
					      sizeof(p->counters[i]) };
	} else {
		*field = (CK_PRF_DATA_PARAM){ CK_SP800_108_DKM_LENGTH, &p->lengths[i],
					      sizeof(p->lengths[i]) };
	}
}

static CK_MECHANISM sp800_108_mech(struct vector *v, CK_MECHANISM_TYPE type,
				   struct derive_params *p)
{
	char *at, *text = strtok_r((char *)word(v, "fields"), " ", &at);
	struct bytes iv = hex(v, "iv");
	CK_ULONG count = 0;

	for (; text; text = strtok_r(NULL, " ", &at)) {
		assert_true(count < PRF_FIELDS);
		prf_field(text, p, count++);
	}
	p->sp800_108 = (CK_SP800_108_KDF_PARAMS){ prf_of(v)->mac, count, p->fields, 0, NULL };
	p->feedback = (CK_SP800_108_FEEDBACK_KDF_PARAMS){
		prf_of(v)->mac, count, p->fields, iv.len, iv.data, 0, NULL };
	if (type == CKM_SP800_108_FEEDBACK_KDF)
		return (CK_MECHANISM){ type, &p->feedback, sizeof(p->feedback) };
	return (CK_MECHANISM){ type, &p->sp800_108, sizeof(p->sp800_108) };
}

static CK_MECHANISM vendor_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	struct bytes label = hex(v, "label"), context = hex(v, "context");

	p->vendor = (CK_KDF_PRF_PARAMS){ prf_of(v)->vendor, label.data, label.len, context.data,
					 context.len, number(v, "counter"), number(v, "scheme") };
	return (CK_MECHANISM){ type, &p->vendor, sizeof(p->vendor) };
}

static CK_MECHANISM derive_mech(struct vector *v, CK_MECHANISM_TYPE type, struct derive_params *p)
{
	if (has(v, "steps"))
		return hkdf_mech(v, type, p);
	if (has(v, "fields"))
		return sp800_108_mech(v, type, p);
	if (has(v, "scheme"))
		return vendor_mech(v, type, p);
	return simple_mech(v, type, p);
}

static CK_KEY_TYPE base_type(const struct vector *v)
{
	return !strncmp(v->mech->name, "CKM_AES", 7) ||
	       (has(v, "prf") && !strcmp(word(v, "prf"), "AES_CMAC")) ? CKK_AES : CKK_GENERIC_SECRET;
}

/* The attributes and the value of what was derived; it is destroyed. */
static void derived(struct vector *v, CK_OBJECT_HANDLE key, CK_KEY_TYPE key_type)
{
	struct bytes want = hex(v, "result");
	unsigned char *got;
	CK_ULONG len;

	got = attr_bytes(s, key, CKA_VALUE, &len);
	check_bytes(v, got, len, want.data, want.len);
	free(got);
	if (!strcmp(v->mech->name, "CKM_HKDF_DATA")) {
		assert_int_equal(attr_ulong(s, key, CKA_CLASS), CKO_DATA);
	} else {
		assert_int_equal(attr_ulong(s, key, CKA_CLASS), CKO_SECRET_KEY);
		assert_int_equal(attr_ulong(s, key, CKA_KEY_TYPE), key_type);
		assert_int_equal(attr_ulong(s, key, CKA_VALUE_LEN), want.len);
	}
	check_ok(v, p11->C_DestroyObject(s, key));
}

static void derive_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	CK_OBJECT_HANDLE base = derive_base(base_type(v), hex(v, "key")), key;
	CK_KEY_TYPE key_type = has(v, "type") ? CKK_AES : CKK_GENERIC_SECRET;
	CK_ULONG value_len = number(v, "len"), count = 1;
	CK_ATTRIBUTE tmpl[5] = { ATTR(CKA_TOKEN, no) };
	struct derive_params params = { 0 };
	CK_MECHANISM mech = derive_mech(v, type, &params);

	if (type != CKM_HKDF_DATA) {
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_SENSITIVE, no);
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_EXTRACTABLE, yes);
	}
	if (value_len)
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_VALUE_LEN, value_len);
	if (has(v, "type"))
		tmpl[count++] = (CK_ATTRIBUTE)ATTR(CKA_KEY_TYPE, key_type);
	check_ok(v, p11->C_DeriveKey(s, &mech, base, tmpl, count, &key));
	if (type != CKM_HKDF_DATA)
		assert_false(attr_bool(s, key, CKA_LOCAL));
	derived(v, key, key_type);
	if (params.key2)
		check_ok(v, p11->C_DestroyObject(s, params.key2));
	check_ok(v, p11->C_DestroyObject(s, base));
}

/* With the length of the password as v2.40 has it, as its correction has it, as the vendor has it. */
static void pbkd2_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes password = hex(v, "password"), salt = hex(v, "salt");
	CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
	struct derive_params p = {
		.pbkd2_2 = { CKZ_SALT_SPECIFIED, salt.data, salt.len, number(v, "iterations"),
			     prf_of(v)->pbkd2, NULL, 0, password.data, password.len },
		.password_len = password.len,
	};
	CK_ULONG value_len = number(v, "len");
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_TOKEN, no), ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
		ATTR(CKA_VALUE_LEN, value_len), ATTR(CKA_KEY_TYPE, key_type),
	};
	CK_MECHANISM ways[] = {
		{ type, &p.pbkd2_2, sizeof(p.pbkd2_2) }, { type, &p.pbkd2, sizeof(p.pbkd2) },
		{ type, &p.pbkd2, sizeof(p.pbkd2) },
	};
	CK_OBJECT_HANDLE key;
	size_t i;

	memcpy(&p.pbkd2, &p.pbkd2_2, sizeof(p.pbkd2));
	for (i = 0; i < COUNT(ways); i++) {
		if (i == 1)
			p.pbkd2.ulPasswordLen = &p.password_len;
		if (i == 2)
			p.pbkd2.ulPasswordLen = (CK_ULONG_PTR)password.len;
		check_ok(v, p11->C_GenerateKey(s, &ways[i], tmpl, COUNT(tmpl), &key));
		assert_true(attr_bool(s, key, CKA_LOCAL));
		assert_int_equal(attr_ulong(s, key, CKA_KEY_GEN_MECHANISM), type);
		derived(v, key, key_type);
	}
}

static void derivation(struct vector *v, CK_MECHANISM_TYPE type)
{
	if (type == CKM_PKCS5_PBKD2)
		pbkd2_vector(v, type);
	else
		derive_vector(v, type);
}

void derivations(void **state)
{
	(void)state;
	vectors_run("derive.txt", 176, derivation);
}
