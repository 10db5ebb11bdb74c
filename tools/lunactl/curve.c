// SPDX-License-Identifier: MIT
/* Elliptic curves by name, and their public keys and signatures as openssl has them. */
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl.h"

static const struct ctl_curve curves[] = {
	{ "P-224", CKK_EC, CKM_EC_KEY_PAIR_GEN, 224, 7, "\x06\x05\x2b\x81\x04\x00\x21" },
	{ "P-256", CKK_EC, CKM_EC_KEY_PAIR_GEN, 256, 10, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" },
	{ "P-384", CKK_EC, CKM_EC_KEY_PAIR_GEN, 384, 7, "\x06\x05\x2b\x81\x04\x00\x22" },
	{ "P-521", CKK_EC, CKM_EC_KEY_PAIR_GEN, 521, 7, "\x06\x05\x2b\x81\x04\x00\x23" },
	{ "secp256k1", CKK_EC, CKM_EC_KEY_PAIR_GEN, 256, 7, "\x06\x05\x2b\x81\x04\x00\x0a" },
	{ "Ed25519", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, 255, 5, "\x06\x03\x2b\x65\x70" },
	{ "X25519", CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, 255, 5, "\x06\x03\x2b\x65\x6e" },
	/* as other programs name the last two */
	{ "Ed25519", CKK_EC_EDWARDS, CKM_EC_EDWARDS_KEY_PAIR_GEN, 255, 14, "\x13\x0c" "edwards25519" },
	{ "X25519", CKK_EC_MONTGOMERY, CKM_EC_MONTGOMERY_KEY_PAIR_GEN, 255, 12, "\x13\x0a" "curve25519" },
};

enum { CURVES = sizeof(curves) / sizeof(curves[0]) };

const struct ctl_curve *curve_named(const char *name)
{
	size_t i;

	for (i = 0; i < CURVES; i++)
		if (!strcasecmp(curves[i].name, name))
			return &curves[i];
	usage_error("'%s' is no curve: P-224, P-256, P-384, P-521, secp256k1, Ed25519 or X25519", name);
}

const struct ctl_curve *curve_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	const struct ctl_curve *found = NULL;
	unsigned char *params;
	CK_ULONG len;
	size_t i;

	params = object_bytes(session, key, CKA_EC_PARAMS, &len);
	for (i = 0; params && i < CURVES && !found; i++)
		if (curves[i].params_len == len && !memcmp(curves[i].params, params, len))
			found = &curves[i];
	free(params);
	return found;
}

static EVP_PKEY *public_key(const struct ctl_curve *c, unsigned char *point, size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)c->name, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;

	if (c->key_type != CKK_EC)
		key = EVP_PKEY_new_raw_public_key_ex(NULL, c->name, NULL, point, len);
	else if (ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
		 EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* Bytes of the point inside a CKA_EC_POINT, which is a DER OCTET STRING. */
static size_t point_len(const struct ctl_curve *c)
{
	return c->key_type == CKK_EC ? 1 + 2 * ((c->bits + 7) / 8) : 32;
}

char *curve_pem(const struct ctl_curve *c, unsigned char *point, CK_ULONG len, long *pem_len)
{
	BIO *bio = BIO_new(BIO_s_mem());
	EVP_PKEY *key = NULL;
	char *data, *pem = NULL;

	if (len > point_len(c))
		key = public_key(c, point + len - point_len(c), point_len(c));
	if (bio && key && PEM_write_bio_PUBKEY(bio, key)) {
		*pem_len = BIO_get_mem_data(bio, &data);
		pem = malloc((size_t)*pem_len);
		if (pem)
			memcpy(pem, data, (size_t)*pem_len);
	}
	EVP_PKEY_free(key);
	BIO_free(bio);
	return pem;
}

CK_ULONG ecdsa_to_der(const unsigned char *sig, CK_ULONG len, unsigned char *der)
{
	int half = (int)len / 2, der_len = 0;
	BIGNUM *r = BN_bin2bn(sig, half, NULL), *s = BN_bin2bn(sig + half, half, NULL);
	ECDSA_SIG *packed = ECDSA_SIG_new();

	if (packed && r && s && ECDSA_SIG_set0(packed, r, s))
		der_len = i2d_ECDSA_SIG(packed, &der);
	if (der_len <= 0)
		fatal("out of memory");
	ECDSA_SIG_free(packed);
	return (CK_ULONG)der_len;
}

CK_ULONG ecdsa_from_der(const struct ctl_curve *c, const unsigned char *der, CK_ULONG len,
			unsigned char *sig)
{
	int half = (int)(c->bits + 7) / 8;
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool ok = parsed && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), sig, half) > 0 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(parsed), sig + half, half) > 0;

	ECDSA_SIG_free(parsed);
	if (!ok)
		fatal("the signature is no DER of an ECDSA signature on %s", c->name);
	return 2 * (CK_ULONG)half;
}
