// SPDX-License-Identifier: MIT
/*
 * Known answers of RSA: raw, PKCS#1 v1.5, OAEP, PSS and the wrapping with an AES key between, with
 * private keys that have the parts for the CRT and that have not; encodings that must be refused.
 */
#include "kat.h"

/* Names in vector files; the masks of SHA-3 have the standard's numbers and the vendor's. */
static const struct hash {
	const char *name;
	CK_MECHANISM_TYPE hash;
	CK_RSA_PKCS_MGF_TYPE mgf;
} hashes[] = {
	{ "SHA_1", CKM_SHA_1, CKG_MGF1_SHA1 }, { "SHA224", CKM_SHA224, CKG_MGF1_SHA224 },
	{ "SHA256", CKM_SHA256, CKG_MGF1_SHA256 }, { "SHA384", CKM_SHA384, CKG_MGF1_SHA384 },
	{ "SHA512", CKM_SHA512, CKG_MGF1_SHA512 },
	{ "SHA3_224", CKM_SHA3_224, CKG_MGF1_SHA3_224_STD },
	{ "SHA3_256", CKM_SHA3_256, CKG_MGF1_SHA3_256_STD },
	{ "SHA3_384", CKM_SHA3_384, CKG_MGF1_SHA3_384_STD },
	{ "SHA3_512", CKM_SHA3_512, CKG_MGF1_SHA3_512_STD },
	{ "SHA3_224_VENDOR", CKM_SHA3_224, CKG_MGF1_SHA3_224 },
	{ "SHA3_256_VENDOR", CKM_SHA3_256, CKG_MGF1_SHA3_256 },
	{ "SHA3_384_VENDOR", CKM_SHA3_384, CKG_MGF1_SHA3_384 },
	{ "SHA3_512_VENDOR", CKM_SHA3_512, CKG_MGF1_SHA3_512 },
};

/* ---- keys and parameters ---- */

/* Keys of rsa.txt: public, private with and without the CRT's parts. */
static struct rsa_key {
	char name[32];
	CK_OBJECT_HANDLE pub, priv, plain;
} rsa_keys[8];
static size_t rsa_key_count;

static void rsa_key_add(struct vector *v)
{
	const struct rsa_numbers k = {
		hex(v, "n"), hex(v, "e"), hex(v, "d"), hex(v, "p"), hex(v, "q"), hex(v, "dp"),
		hex(v, "dq"), hex(v, "qi"),
	};
	struct rsa_key *key = &rsa_keys[rsa_key_count++];

	assert_true(rsa_key_count <= COUNT(rsa_keys));
	snprintf(key->name, sizeof(key->name), "%s", word(v, "name"));
	key->pub = rsa_import_public(s, &k);
	key->priv = k.d.len ? rsa_import_private(s, &k, true) : 0;
	key->plain = k.d.len ? rsa_import_private(s, &k, false) : 0;
}

static const struct rsa_key *rsa_key_of(const struct vector *v)
{
	size_t i;

	for (i = 0; i < rsa_key_count; i++)
		if (!strcmp(rsa_keys[i].name, word(v, "key")))
			return &rsa_keys[i];
	fail_msg("%s:%d: no such key", v->file, v->line);
	return NULL;
}

static const struct hash *hash_of(const struct vector *v, const char *field)
{
	size_t i;

	for (i = 0; i < COUNT(hashes); i++)
		if (!strcmp(hashes[i].name, word(v, field)))
			return &hashes[i];
	fail_msg("%s:%d: no such %s", v->file, v->line, field);
	return NULL;
}

/* Parameters of any of them. */
struct rsa_params {
	CK_RSA_PKCS_PSS_PARAMS pss;
	CK_RSA_PKCS_OAEP_PARAMS oaep;
};

static CK_MECHANISM rsa_mech(struct vector *v, CK_MECHANISM_TYPE type, struct rsa_params *p)
{
	struct bytes label = hex(v, "label");

	if (type == CKM_RSA_PKCS_OAEP) {
		p->oaep = (CK_RSA_PKCS_OAEP_PARAMS){
			hash_of(v, "hash")->hash, hash_of(v, "mgf")->mgf, CKZ_DATA_SPECIFIED,
			label.len ? label.data : NULL, label.len,
		};
		return (CK_MECHANISM){ type, &p->oaep, sizeof(p->oaep) };
	}
	if (has(v, "salt")) {
		p->pss = (CK_RSA_PKCS_PSS_PARAMS){
			hash_of(v, "hash")->hash, hash_of(v, "mgf")->mgf, number(v, "salt"),
		};
		return (CK_MECHANISM){ type, &p->pss, sizeof(p->pss) };
	}
	return (CK_MECHANISM){ type, NULL, 0 };
}

static void rsa_decrypts(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key)
{
	struct bytes data = hex(v, "data"), wire = hex(v, "result");
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, run_crypt(false, s, mech, key, wire.data, wire.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, data.data, data.len);
}

static void rsa_signs(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key, int split)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, run_sign(s, mech, key, data.data, data.len, split, out, &out_len));
	check_bytes(v, out, out_len, want.data, want.len);
}

/* Signatures with the data in them. */
static void rsa_recovers(struct vector *v, CK_MECHANISM *mech, const struct rsa_key *key,
			 struct bytes data, struct bytes sig)
{
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, p11->C_SignRecoverInit(s, mech, key->priv));
	check_ok(v, p11->C_SignRecover(s, data.data, data.len, out, &out_len));
	check_bytes(v, out, out_len, sig.data, sig.len);
	out_len = sizeof(out);
	check_ok(v, p11->C_VerifyRecoverInit(s, mech, key->pub));
	check_ok(v, p11->C_VerifyRecover(s, sig.data, sig.len, out, &out_len));
	check_bytes(v, out, out_len, data.data, data.len);
}

/* result = data ^ e mod n */
static void rsa_raw(struct vector *v, CK_MECHANISM *mech, const struct rsa_key *key)
{
	struct bytes data = hex(v, "data"), power = hex(v, "result");
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	check_ok(v, run_crypt(true, s, mech, key->pub, data.data, data.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, power.data, power.len);
	rsa_decrypts(v, mech, key->priv);
	rsa_decrypts(v, mech, key->plain);
	out_len = sizeof(out);
	check_ok(v, run_sign(s, mech, key->priv, power.data, power.len, ONE_SHOT, out, &out_len));
	check_bytes(v, out, out_len, data.data, data.len);
	check_ok(v, run_verify(s, mech, key->pub, power.data, power.len, ONE_SHOT, data.data, data.len));
	rsa_recovers(v, mech, key, power, data);
}

static void rsa_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	const char *name = word(v, "name");
	const struct rsa_key *key;
	struct rsa_params params;
	CK_MECHANISM mech;
	bool whole;

	if (!v->mech) {
		rsa_key_add(v);
		return;
	}
	key = rsa_key_of(v);
	mech = rsa_mech(v, type, &params);
	whole = type == CKM_RSA_PKCS || type == CKM_RSA_PKCS_PSS;
	if (type == CKM_RSA_X_509) {
		rsa_raw(v, &mech, key);
	} else if (type == CKM_RSA_PKCS_OAEP || (type == CKM_RSA_PKCS &&
						(!name || strcmp(name, "sign")))) {
		rsa_decrypts(v, &mech, key->priv);
		rsa_decrypts(v, &mech, key->plain);
	} else {
		check_verifies(v, &mech, key->pub, ONE_SHOT, hex(v, "result"));
		if (!whole)
			check_verifies(v, &mech, key->pub, 100, hex(v, "result"));
		/* With a salt no two signatures are the same. */
		if (number(v, "salt"))
			return;
		rsa_signs(v, &mech, key->priv, ONE_SHOT);
		rsa_signs(v, &mech, key->plain, whole ? ONE_SHOT : 100);
		if (type == CKM_RSA_PKCS)
			rsa_recovers(v, &mech, key, hex(v, "data"), hex(v, "result"));
	}
}

/* The encoding is the one that the file shows: what is refused is what was meant. */
static void rsa_encoding(struct vector *v, const struct rsa_key *key, bool crypt)
{
	struct bytes em = hex(v, "em"), result = hex(v, "result");
	CK_MECHANISM raw = { CKM_RSA_X_509, NULL, 0 };
	unsigned char got[256];
	CK_ULONG len = sizeof(got);

	if (!em.len)
		return;
	check_ok(v, run_crypt(!crypt, s, &raw, crypt ? key->priv : key->pub, result.data, result.len,
			      ONE_SHOT, got, &len));
	check_bytes(v, got, len, em.data, em.len);
}

static void rsa_invalid(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes data = hex(v, "data"), result = hex(v, "result");
	bool crypt = type == CKM_RSA_PKCS || type == CKM_RSA_PKCS_OAEP;
	const struct rsa_key *key = rsa_key_of(v);
	struct rsa_params params;
	CK_MECHANISM mech = rsa_mech(v, type, &params);
	unsigned char out[256];
	CK_ULONG out_len = sizeof(out);

	rsa_encoding(v, key, crypt);
	if (!strncmp(word(v, "name"), "valid", 5)) {
		if (crypt)
			rsa_decrypts(v, &mech, key->priv);
		else
			check_verifies(v, &mech, key->pub, ONE_SHOT, hex(v, "result"));
		return;
	}
	if (crypt) {
		check_rv(v, run_crypt(false, s, &mech, key->priv, result.data, result.len, ONE_SHOT, out,
				      &out_len), CKR_ENCRYPTED_DATA_INVALID);
		/* A buffer of no room must not tell one from the other, either. */
		out_len = 0;
		check_rv(v, run_crypt(false, s, &mech, key->plain, result.data, result.len, ONE_SHOT, out,
				      &out_len), CKR_ENCRYPTED_DATA_INVALID);
		return;
	}
	check_rv(v, run_verify(s, &mech, key->pub, data.data, data.len, ONE_SHOT, result.data, result.len),
		 CKR_SIGNATURE_INVALID);
	check_rv(v, run_verify(s, &mech, key->pub, data.data, data.len, 2, result.data, result.len),
		 CKR_SIGNATURE_INVALID);
}

static void rsa_aes_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes label = hex(v, "label"), data = hex(v, "data"), wrapped = hex(v, "result");
	CK_RSA_PKCS_OAEP_PARAMS oaep = {
		hash_of(v, "hash")->hash, hash_of(v, "mgf")->mgf, CKZ_DATA_SPECIFIED, label.data, label.len,
	};
	CK_RSA_AES_KEY_WRAP_PARAMS params = { number(v, "bits"), &oaep };
	CK_OBJECT_CLASS class = CKO_SECRET_KEY;
	CK_KEY_TYPE key_type = CKK_GENERIC_SECRET;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, key_type), ATTR(CKA_TOKEN, no),
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_EXTRACTABLE, yes),
	};
	CK_MECHANISM mech = { type, &params, sizeof(params) };
	unsigned char *got, again[512];
	CK_OBJECT_HANDLE key, back;
	CK_ULONG len;

	check_ok(v, p11->C_UnwrapKey(s, &mech, rsa_key_of(v)->priv, wrapped.data, wrapped.len, tmpl,
				     COUNT(tmpl), &key));
	got = attr_bytes(s, key, CKA_VALUE, &len);
	check_bytes(v, got, len, data.data, data.len);
	free(got);
	/* Another AES key each time. */
	len = sizeof(again);
	check_ok(v, p11->C_WrapKey(s, &mech, rsa_key_of(v)->pub, key, again, &len));
	assert_int_equal(len, wrapped.len);
	assert_memory_not_equal(again, wrapped.data, 16);
	assert_memory_not_equal(again + 256, wrapped.data + 256, 16);
	check_ok(v, p11->C_UnwrapKey(s, &mech, rsa_key_of(v)->priv, again, len, tmpl, COUNT(tmpl), &back));
	got = attr_bytes(s, back, CKA_VALUE, &len);
	check_bytes(v, got, len, data.data, data.len);
	free(got);
	check_ok(v, p11->C_DestroyObject(s, key));
	check_ok(v, p11->C_DestroyObject(s, back));
}

void rsa(void **state)
{
	(void)state;
	rsa_key_count = 0;
	vectors_run("rsa.txt", 124, rsa_vector);
	vectors_run("sha3-rsa.txt", 80, rsa_vector);
	vectors_run("rsa-invalid.txt", 137, rsa_invalid);
	vectors_run("rsa-aes.txt", 3, rsa_aes_vector);
}
