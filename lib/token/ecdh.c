// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * CKM_ECDH1_DERIVE and CKM_ECDH1_COFACTOR_DERIVE (PKCS#11 v3.0, 2.3.18, 2.3.19), with X25519. All
 * curves have the cofactor 1 but X25519's, whose private values hold it.
 *
 * Without a key derivation function the secret loses its leading bytes where the key is shorter.
 * With one, ANSI X9.63's or SP 800-56A's, the key has any length, which the template must tell.
 */
#include "derive.h"
#include "ec.h"

/**
 * struct ecdh_kdf - a key derivation function
 * @kdf: CKD_*
 * @hash: LUNA_HASHES: none, but the secret as it is
 * @counter_first: SP 800-56A's one-step function; else X9.63's, which hashes the secret before it
 */
struct ecdh_kdf {
	u32 kdf;
	enum luna_hash hash;
	bool counter_first;
};

/* A parameter taken apart */
struct ecdh_param {
	const struct ecdh_kdf *kdf;
	struct luna_num shared, point;
};

/* The standard's numbers, then the vendor's, which came first */
static const struct ecdh_kdf kdfs[] = {
	{ CKD_NULL, LUNA_HASHES, false },
	{ CKD_SHA1_KDF, LUNA_SHA1, false },
	{ CKD_SHA224_KDF, LUNA_SHA224, false },
	{ CKD_SHA256_KDF, LUNA_SHA256, false },
	{ CKD_SHA384_KDF, LUNA_SHA384, false },
	{ CKD_SHA512_KDF, LUNA_SHA512, false },
	{ CKD_SHA3_224_KDF, LUNA_SHA3_224, false },
	{ CKD_SHA3_256_KDF, LUNA_SHA3_256, false },
	{ CKD_SHA3_384_KDF, LUNA_SHA3_384, false },
	{ CKD_SHA3_512_KDF, LUNA_SHA3_512, false },
	{ CKD_SHA1_KDF_SP800, LUNA_SHA1, true },
	{ CKD_SHA224_KDF_SP800, LUNA_SHA224, true },
	{ CKD_SHA256_KDF_SP800, LUNA_SHA256, true },
	{ CKD_SHA384_KDF_SP800, LUNA_SHA384, true },
	{ CKD_SHA512_KDF_SP800, LUNA_SHA512, true },
	{ CKD_SHA3_224_KDF_SP800, LUNA_SHA3_224, true },
	{ CKD_SHA3_256_KDF_SP800, LUNA_SHA3_256, true },
	{ CKD_SHA3_384_KDF_SP800, LUNA_SHA3_384, true },
	{ CKD_SHA3_512_KDF_SP800, LUNA_SHA3_512, true },
	{ CKD_SHA224_KDF_OLD, LUNA_SHA224, false },
	{ CKD_SHA256_KDF_OLD, LUNA_SHA256, false },
	{ CKD_SHA384_KDF_OLD, LUNA_SHA384, false },
	{ CKD_SHA512_KDF_OLD, LUNA_SHA512, false },
	/*
	 * Their description is not public; the name can mean no other function of NIST's. That with
	 * SHA-1 (CKD_SHA1_NIST_KDF) has the number that CKD_SHA512_KDF_SP800 has in the standard.
	 */
	{ CKD_SHA1_KDF_CONCATENATE_NIST, LUNA_SHA1, true },
	{ CKD_SHA224_NIST_KDF, LUNA_SHA224, true },
	{ CKD_SHA256_NIST_KDF, LUNA_SHA256, true },
	{ CKD_SHA384_NIST_KDF, LUNA_SHA384, true },
	{ CKD_SHA512_NIST_KDF, LUNA_SHA512, true },
	{ CKD_SHA3_224_NIST_KDF, LUNA_SHA3_224, true },
	{ CKD_SHA3_256_NIST_KDF, LUNA_SHA3_256, true },
	{ CKD_SHA3_384_NIST_KDF, LUNA_SHA3_384, true },
	{ CKD_SHA3_512_NIST_KDF, LUNA_SHA3_512, true },
};

/* NULL: unknown, or nothing that this provider has. */
static const struct ecdh_kdf *find_kdf(const struct luna_crypto_ops *c, u32 kdf)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kdfs); i++)
		if (kdfs[i].kdf == kdf)
			return kdfs[i].hash == LUNA_HASHES || c->hashes & BIT(kdfs[i].hash) ?
			       &kdfs[i] : NULL;
	return NULL;
}

static bool param_take(const struct luna_derive *d, struct ecdh_param *param)
{
	struct luna_ecdh_param p;
	u32 left;

	if (d->parts.param_len < sizeof(p))
		return false;
	memcpy(&p, d->parts.param, sizeof(p));
	left = d->parts.param_len - sizeof(p);
	if (p.reserved || p.shared_len > left || p.public_len != left - p.shared_len)
		return false;
	param->shared = (struct luna_num){ d->parts.param + sizeof(p), p.shared_len };
	param->point = (struct luna_num){ param->shared.data + p.shared_len, p.public_len };
	param->kdf = find_kdf(d->cmd->token->crypto, p.kdf);
	return param->kdf && (param->kdf->hash != LUNA_HASHES || !p.shared_len);
}

/* ---- the key derivation function ---- */

/* One block: the hash of secret and counter, or the reverse, and shared data */
static int kdf_block(const struct luna_crypto_ops *c, const struct ecdh_param *param,
		     const struct luna_num *secret, u32 counter, u8 *digest)
{
	struct luna_hash_stream *s = c->hash_begin(param->kdf->hash);
	u8 be[4];
	int err = 0;

	if (IS_ERR(s))
		return PTR_ERR(s);
	put_unaligned_be32(counter, be);
	if (param->kdf->counter_first)
		err = c->hash_update(s, be, sizeof(be));
	err = err ?: c->hash_update(s, secret->data, secret->len);
	if (!err && !param->kdf->counter_first)
		err = c->hash_update(s, be, sizeof(be));
	if (!err && param->shared.len)
		err = c->hash_update(s, param->shared.data, param->shared.len);
	err = err ?: c->hash_final(s, digest);
	c->hash_end(s);
	return err;
}

/* SEC 1, 3.6.1; NIST SP 800-56A revision 2, 5.8.1.1 */
static int kdf_blocks(const struct luna_crypto_ops *c, const struct ecdh_param *param,
		      const struct luna_num *secret, u8 *out, u32 len)
{
	u32 block = luna_hash_len(param->kdf->hash), counter = 1, at, take;
	u8 *digest = kmalloc(LUNA_HASH_MAX, GFP_KERNEL);
	int err = digest ? 0 : -ENOMEM;

	for (at = 0; at < len && !err; at += take, counter++) {
		take = min(len - at, block);
		err = kdf_block(c, param, secret, counter, digest);
		if (!err)
			memcpy(out + at, digest, take);
	}
	kfree_sensitive(digest);
	return err;
}

/* ---- the secret ---- */

/* @secret: LUNA_EC_MAX bytes of heap memory */
static u32 agree(struct luna_derive *d, const struct luna_num *point, u8 *secret, u32 *len)
{
	struct luna_token *token = d->cmd->token;
	struct luna_ec_key *key;
	enum luna_curve curve;
	struct luna_num peer;
	u32 rv = luna_ec_use(token, d->key, &key, &curve);
	int err;

	if (rv)
		return rv;
	if (!luna_ec_point(curve, point->data, point->len, &peer))
		return CKR_MECHANISM_PARAM_INVALID;
	*len = luna_curve_bytes(curve);
	err = token->crypto->ecdh(key, peer.data, secret);
	return err == -EINVAL ? CKR_MECHANISM_PARAM_INVALID : luna_ckr(err);
}

static u32 secret_to_value(struct luna_derive *d, const struct ecdh_param *param, const u8 *secret,
			   u32 len)
{
	const struct luna_num z = { secret, len };
	u32 want = d->want, rv;

	if (param->kdf->hash == LUNA_HASHES) {
		want = want && want < len ? want : len;
		rv = luna_derive_room(d, want);
		if (!rv)
			memcpy(d->value, secret + len - want, want);
		return rv;
	}
	rv = luna_derive_room(d, want);
	return rv ?: luna_ckr(kdf_blocks(d->cmd->token->crypto, param, &z, d->value, want));
}

static u32 ecdh(struct luna_derive *d)
{
	struct ecdh_param param;
	u8 *secret;
	u32 len = 0, rv;

	/* Nothing can authenticate this one operation. */
	if (luna_object_is(d->key, LUNA_BIT_ALWAYS_AUTHENTICATE))
		return CKR_USER_NOT_LOGGED_IN;
	if (!param_take(d, &param))
		return CKR_MECHANISM_PARAM_INVALID;
	if (param.kdf->hash != LUNA_HASHES && !d->want)
		return CKR_TEMPLATE_INCOMPLETE;
	secret = kmalloc(LUNA_EC_MAX, GFP_KERNEL);
	if (!secret)
		return CKR_DEVICE_MEMORY;
	rv = agree(d, &param.point, secret, &len);
	rv = rv ?: secret_to_value(d, &param, secret, len);
	kfree_sensitive(secret);
	return rv;
}

const struct luna_derive_ops luna_derive_ecdh = {
	.any_length = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = ecdh,
};
