// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Keys from passwords and from other secrets: PBKDF2 (PKCS#11 v2.40 mechanisms, 2.18) and HKDF
 * (v3.0 mechanisms, 2.61), around what kdf.c computes.
 */
#include "derive.h"

/* ---- PBKDF2 ---- */

static const struct {
	u32 prf;
	enum luna_hash hash;
} pbkd2_prfs[] = {
	{ CKP_PKCS5_PBKD2_HMAC_SHA1, LUNA_SHA1 },
	{ CKP_PKCS5_PBKD2_HMAC_SHA224, LUNA_SHA224 },
	{ CKP_PKCS5_PBKD2_HMAC_SHA256, LUNA_SHA256 },
	{ CKP_PKCS5_PBKD2_HMAC_SHA384, LUNA_SHA384 },
	{ CKP_PKCS5_PBKD2_HMAC_SHA512, LUNA_SHA512 },
};

/* LUNA_HASHES: unknown, or nothing that this provider has. */
static enum luna_hash pbkd2_hash(const struct luna_crypto_ops *c, u32 prf)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pbkd2_prfs); i++)
		if (pbkd2_prfs[i].prf == prf && c->macs & BIT(LUNA_HMAC + pbkd2_prfs[i].hash))
			return pbkd2_prfs[i].hash;
	return LUNA_HASHES;
}

static bool pbkd2_bounded(const struct luna_pbkd2_param *p, enum luna_hash hash, u32 len)
{
	u32 blocks = DIV_ROUND_UP(len, luna_hash_len(hash));

	return p->iterations && p->iterations <= LUNA_PBKD2_WORK / blocks;
}

/* HMAC fills its key with zeros, so that none is as good as one, which every provider takes. */
static int pbkd2_run(struct luna_derive *d, const struct luna_pbkd2_param *p, enum luna_hash hash)
{
	const u8 *salt = d->parts.param + sizeof(*p), *password = salt + p->salt_len;
	u32 password_len = p->password_len;
	u8 *zero = NULL;
	int err;

	if (!password_len) {
		zero = kzalloc(1, GFP_KERNEL);
		if (!zero)
			return -ENOMEM;
		password = zero;
		password_len = 1;
	}
	err = luna_pbkdf2(d->cmd->token->crypto, hash, password, password_len, salt, p->salt_len,
			  p->iterations, d->value, d->len);
	kfree(zero);
	return err;
}

/* SP 800-132, 5.1 and 5.2 */
enum { FIPS_SALT_MIN = 16, FIPS_ITERATIONS_MIN = 1000, FIPS_KEY_MIN = 14 };

static u32 pbkd2_approved(const struct luna_derive *d, const struct luna_pbkd2_param *p)
{
	if (!luna_fips_mode(d->cmd->token))
		return CKR_OK;
	if (p->salt_len < FIPS_SALT_MIN || p->iterations < FIPS_ITERATIONS_MIN)
		return CKR_MECHANISM_PARAM_INVALID;
	return d->want < FIPS_KEY_MIN ? CKR_KEY_SIZE_RANGE : CKR_OK;
}

static u32 pbkd2(struct luna_derive *d)
{
	struct luna_token *token = d->cmd->token;
	struct luna_pbkd2_param p;
	enum luna_hash hash;
	u32 rv;

	if (d->parts.param_len < sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, d->parts.param, sizeof(p));
	hash = pbkd2_hash(token->crypto, p.prf);
	if ((u64)sizeof(p) + p.salt_len + p.password_len != d->parts.param_len ||
	    p.salt_source != CKZ_SALT_SPECIFIED || p.prf_data_len || hash == LUNA_HASHES ||
	    !pbkd2_bounded(&p, hash, d->want))
		return CKR_MECHANISM_PARAM_INVALID;
	rv = pbkd2_approved(d, &p);
	rv = rv ?: luna_derive_room(d, d->want);
	if (rv)
		return rv;
	rv = CKR_BUSY;
	if (luna_keygen_begin(token))
		rv = luna_ckr(pbkd2_run(d, &p, hash));
	luna_keygen_end(token);
	return rv;
}

/* ---- HKDF ---- */

/* A derivation, on the heap, as providers want it. */
struct hkdf_work {
	struct luna_hkdf_param p;
	enum luna_hash hash;
	struct luna_num salt, info;
	u8 prk[LUNA_HASH_MAX];
};

/* The hash by its digest mechanism, if there is an HMAC of it, too. */
static bool hkdf_hash(struct luna_token *token, struct hkdf_work *w)
{
	return luna_mech_hash(token, w->p.hash, &w->hash) &&
	       token->crypto->macs & BIT(LUNA_HMAC + w->hash);
}

/* Without extraction there is no salt, whatever the parameter says of it. */
static u32 hkdf_salt(struct luna_derive *d, struct hkdf_work *w)
{
	u32 rv;

	if (!(w->p.flags & LUNA_HKDF_EXTRACT))
		return CKR_OK;
	switch (w->p.salt_type) {
	case CKF_HKDF_SALT_NULL:
		return CKR_OK;
	case CKF_HKDF_SALT_DATA:
		w->salt.data = d->parts.param + sizeof(w->p);
		w->salt.len = w->p.salt_len;
		return CKR_OK;
	case CKF_HKDF_SALT_KEY:
		rv = luna_derive_other(d, w->p.salt_key);
		if (!rv)
			w->salt = luna_derive_secret(d->other_base);
		return rv;
	}
	return CKR_MECHANISM_PARAM_INVALID;
}

static u32 hkdf_param(struct luna_derive *d, struct hkdf_work *w)
{
	const u32 steps = LUNA_HKDF_EXTRACT | LUNA_HKDF_EXPAND;

	if (d->parts.param_len < sizeof(w->p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&w->p, d->parts.param, sizeof(w->p));
	if ((u64)sizeof(w->p) + w->p.salt_len + w->p.info_len != d->parts.param_len ||
	    !(w->p.flags & steps) || w->p.flags & ~steps || !hkdf_hash(d->cmd->token, w))
		return CKR_MECHANISM_PARAM_INVALID;
	w->info.data = d->parts.param + sizeof(w->p) + w->p.salt_len;
	w->info.len = w->p.info_len;
	return hkdf_salt(d, w);
}

static u32 hkdf_compute(struct luna_derive *d, struct hkdf_work *w)
{
	const struct luna_crypto_ops *c = d->cmd->token->crypto;
	const struct luna_num extracted = { .data = w->prk, .len = luna_hash_len(w->hash) };
	struct luna_num prk = luna_derive_secret(d->base);
	u32 len = extracted.len, rv;
	int err = 0;

	if (w->p.flags & LUNA_HKDF_EXPAND) {
		len = d->want;
		if (!len)
			return CKR_TEMPLATE_INCOMPLETE;
		if (len > 255 * extracted.len)
			return CKR_KEY_SIZE_RANGE;
	}
	rv = luna_derive_room(d, len);
	if (rv)
		return rv;
	if (w->p.flags & LUNA_HKDF_EXTRACT) {
		err = luna_hkdf_extract(c, w->hash, &prk, &w->salt, w->prk);
		prk = extracted;
	}
	if (!err && w->p.flags & LUNA_HKDF_EXPAND)
		err = luna_hkdf_expand(c, w->hash, &prk, &w->info, d->value, len);
	else if (!err)
		memcpy(d->value, w->prk, len);
	return luna_ckr(err);
}

static u32 hkdf(struct luna_derive *d)
{
	struct hkdf_work *w = kzalloc(sizeof(*w), GFP_KERNEL);
	u32 rv;

	if (!w)
		return CKR_DEVICE_MEMORY;
	rv = hkdf_param(d, w);
	if (!rv)
		rv = hkdf_compute(d, w);
	kfree_sensitive(w);
	return rv;
}

const struct luna_derive_ops luna_derive_pbkd2 = {
	.sized = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = pbkd2,
};

const struct luna_derive_ops luna_derive_hkdf = {
	.short_rv = CKR_KEY_SIZE_RANGE, .compute = hkdf,
};

const struct luna_derive_ops luna_derive_hkdf_data = {
	.data = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = hkdf,
};
