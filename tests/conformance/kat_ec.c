// SPDX-License-Identifier: MIT
/* Known answers of elliptic curves: ECDSA, EdDSA, and ECDH with every key derivation function. */
#include "curves.h"
#include "kat.h"

/* Key derivation functions as vector files call them, with all their numbers */
static const struct kdf {
	const char *name;
	CK_EC_KDF_TYPE types[2];
} kdfs[] = {
	{ "SHA_1", { CKD_SHA1_KDF } },
	{ "SHA224", { CKD_SHA224_KDF, CKD_SHA224_KDF_OLD } },
	{ "SHA256", { CKD_SHA256_KDF, CKD_SHA256_KDF_OLD } },
	{ "SHA384", { CKD_SHA384_KDF, CKD_SHA384_KDF_OLD } },
	{ "SHA512", { CKD_SHA512_KDF, CKD_SHA512_KDF_OLD } },
	{ "SHA3_224", { CKD_SHA3_224_KDF } },
	{ "SHA3_256", { CKD_SHA3_256_KDF } },
	{ "SHA3_384", { CKD_SHA3_384_KDF } },
	{ "SHA3_512", { CKD_SHA3_512_KDF } },
	{ "SHA_1_SP800", { CKD_SHA1_KDF_SP800, CKD_SHA1_KDF_CONCATENATE_NIST } },
	{ "SHA224_SP800", { CKD_SHA224_KDF_SP800, CKD_SHA224_NIST_KDF } },
	{ "SHA256_SP800", { CKD_SHA256_KDF_SP800, CKD_SHA256_NIST_KDF } },
	{ "SHA384_SP800", { CKD_SHA384_KDF_SP800, CKD_SHA384_NIST_KDF } },
	{ "SHA512_SP800", { CKD_SHA512_KDF_SP800, CKD_SHA512_NIST_KDF } },
	{ "SHA3_224_SP800", { CKD_SHA3_224_KDF_SP800, CKD_SHA3_224_NIST_KDF } },
	{ "SHA3_256_SP800", { CKD_SHA3_256_KDF_SP800, CKD_SHA3_256_NIST_KDF } },
	{ "SHA3_384_SP800", { CKD_SHA3_384_KDF_SP800, CKD_SHA3_384_NIST_KDF } },
	{ "SHA3_512_SP800", { CKD_SHA3_512_KDF_SP800, CKD_SHA3_512_NIST_KDF } },
};

/* Keys of ec.txt; those of curves that the token has not are no objects: priv 0 */
static struct ec_key {
	char name[32];
	const struct curve *curve;
	CK_OBJECT_HANDLE pub, priv;
} ec_keys[16];
static size_t ec_key_count;

static void ec_key_add(struct vector *v)
{
	struct ec_key *key = &ec_keys[ec_key_count++];
	struct bytes value = hex(v, "value"), point = hex(v, "point"), got;
	size_t i;

	assert_true(ec_key_count <= COUNT(ec_keys));
	snprintf(key->name, sizeof(key->name), "%s", word(v, "name"));
	for (i = 0; i < COUNT(curves); i++)
		if (!strcmp(curves[i].name, word(v, "curve")))
			key->curve = &curves[i];
	if (!curve_offered(s, key->curve))
		return;
	check_ok(v, ec_create_public(s, key->curve, point.data, point.len, &key->pub));
	check_ok(v, ec_create_private(s, key->curve, value.data, value.len, &key->priv));
	/* The token finds the point that belongs to the private value. */
	got.data = attr_bytes(s, key->priv, CKA_EC_POINT, &got.len);
	assert_true(got.len > point.len);
	check_bytes(v, got.data + got.len - point.len, point.len, point.data, point.len);
	free(got.data);
}

static const struct ec_key *ec_key_of(const struct vector *v)
{
	size_t i;

	for (i = 0; i < ec_key_count; i++)
		if (!strcmp(ec_keys[i].name, word(v, "key")))
			return &ec_keys[i];
	fail_msg("%s:%d: no such key", v->file, v->line);
	return NULL;
}

/* Ed25519's signatures are always the same; ECDSA's never, so that they are verified again. */
static void ec_sign_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	struct bytes data = hex(v, "data"), want = hex(v, "result");
	CK_MECHANISM mech = { type, NULL, 0 };
	unsigned char out[EC_SIG_MAX];
	const struct ec_key *key = ec_key_of(v);
	CK_ULONG out_len;
	int split;

	for (split = ONE_SHOT; split <= 7; split += 7) {
		check_verifies(v, &mech, key->pub, split, want);
		out_len = sizeof(out);
		check_ok(v, run_sign(s, &mech, key->priv, data.data, data.len, split, out, &out_len));
		if (key->curve->type == CKK_EC_EDWARDS)
			check_bytes(v, out, out_len, want.data, want.len);
		else if (!memcmp(out, want.data, want.len))
			fail_msg("%s:%d: a signature that can be foreseen", v->file, v->line);
		check_ok(v, run_verify(s, &mech, key->pub, data.data, data.len, split, out, out_len));
	}
}

static const struct kdf *kdf_of(const struct vector *v)
{
	static const struct kdf none = { NULL, { CKD_NULL } };
	size_t i;

	if (!has(v, "kdf"))
		return &none;
	for (i = 0; i < COUNT(kdfs); i++)
		if (!strcmp(kdfs[i].name, word(v, "kdf")))
			return &kdfs[i];
	fail_msg("%s:%d: no such kdf", v->file, v->line);
	return NULL;
}

/* The point as it is and as CKA_EC_POINT has it; all of the result and less. */
static void ecdh_derives(struct vector *v, CK_MECHANISM_TYPE type, CK_EC_KDF_TYPE kdf)
{
	struct bytes peer = hex(v, "peer"), shared = hex(v, "shared"), want = hex(v, "result");
	const struct ec_key *key = ec_key_of(v);
	CK_BYTE der[EC_POINT_MAX + 3];
	CK_ECDH1_DERIVE_PARAMS p = { kdf, shared.len, shared.len ? shared.data : NULL, 0, der };
	CK_MECHANISM mech = { type, &p, sizeof(p) };
	CK_ULONG ask[] = { want.len, 1, want.len / 2 }, len, i, off;
	CK_OBJECT_HANDLE made;
	unsigned char *value;

	/* Its cofactor is in its private values. */
	if (type == CKM_ECDH1_COFACTOR_DERIVE && key->curve->type == CKK_EC_MONTGOMERY) {
		check_rv(v, ec_derive(s, &mech, key->priv, 32, &made), CKR_KEY_TYPE_INCONSISTENT);
		return;
	}
	for (i = 0; i < COUNT(ask); i++) {
		p.ulPublicDataLen = i ? peer.len : point_wrap(peer.data, peer.len, der);
		if (i)
			memcpy(der, peer.data, peer.len);
		check_ok(v, ec_derive(s, &mech, key->priv, ask[i], &made));
		value = attr_bytes(s, made, CKA_VALUE, &len);
		off = p.kdf == CKD_NULL ? want.len - ask[i] : 0;
		check_bytes(v, value, len, want.data + off, ask[i]);
		free(value);
		check_ok(v, p11->C_DestroyObject(s, made));
	}
}

static void ecdh_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	const struct kdf *kdf = kdf_of(v);
	size_t i;

	if (!ec_key_of(v)->priv)
		return;
	for (i = 0; i < COUNT(kdf->types) && kdf->types[i]; i++)
		ecdh_derives(v, type, kdf->types[i]);
}

static void ec_vector(struct vector *v, CK_MECHANISM_TYPE type)
{
	if (!v->mech)
		ec_key_add(v);
	else if (has(v, "peer"))
		ecdh_vector(v, type);
	else
		ec_sign_vector(v, type);
}

void ec(void **state)
{
	(void)state;
	ec_key_count = 0;
	vectors_run("ec.txt", 186, ec_vector);
	vectors_run("sha3-ec.txt", 58, ec_vector);
}
