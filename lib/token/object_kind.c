// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What each kind of object must hold, and what the engine computes from it: key sizes, lengths,
 * check values, fingerprints.
 */
#include "des3.h"
#include "ec.h"
#include "object_rules.h"

enum {
	RSA_BITS_MIN = 512,
	CHECK_VALUE_LEN = 3,
};

static u32 check_cert(struct luna_making *m)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);
	u32 value_len, url_len;
	u64 type;

	if (!luna_tmpl_ulong(&made, CKA_CERTIFICATE_TYPE, &type) || type != CKC_X_509)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	luna_making_get(m, CKA_VALUE, &value_len);
	luna_making_get(m, CKA_URL, &url_len);
	return value_len || url_len ? CKR_OK : CKR_TEMPLATE_INCOMPLETE;
}

static u32 check_aes(struct luna_making *m)
{
	u32 len;

	luna_making_get(m, CKA_VALUE, &len);
	return len == 16 || len == 24 || len == 32 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

/* Two AES keys, which must not be the same (SP 800-38E refers to FIPS 140: IG C.I). */
static u32 check_xts(struct luna_making *m)
{
	u32 len;
	const u8 *value = luna_making_get(m, CKA_VALUE, &len);

	if (!value || (len != 32 && len != 64) || !crypto_memneq(value, value + len / 2, len / 2))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return CKR_OK;
}

static u32 check_des3(struct luna_making *m)
{
	u32 len;
	const u8 *value = luna_making_get(m, CKA_VALUE, &len);

	if (!value || len != luna_des3_key_len(m->kind.key_type))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return luna_des3_parity_good(value, len) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static u32 check_generic(struct luna_making *m)
{
	u32 len;

	luna_making_get(m, CKA_VALUE, &len);
	return len ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static u32 number_bits(const u8 *data, u32 len)
{
	return len ? 8 * (len - 1) + fls(data[0]) : 0;
}

/* Public, so that branches on it tell nothing. */
static bool modulus_fits(const struct luna_token *token, const u8 *n, u32 len)
{
	u32 bits = number_bits(n, len);
	u32 most = min_t(u32, token->crypto->rsa_max_bits, LUNA_RSA_MAX_BITS);

	return bits >= RSA_BITS_MIN && bits <= most && (n[len - 1] & 1);
}

/* Odd, greater than 1 and less than the modulus. */
static bool exponent_fits(const u8 *e, u32 len, const u8 *n, u32 n_len)
{
	if (!len || !(e[len - 1] & 1) || (len == 1 && e[0] == 1))
		return false;
	return len < n_len || (len == n_len && memcmp(e, n, len) < 0);
}

static const u32 crt_parts[] = {
	CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT,
};

/*
 * Sizes only: that the parts belong together is seen when the key is used, where every CRT
 * signature is checked before it is released.
 */
static u32 check_rsa_private(struct luna_making *m, u32 n_len)
{
	u32 i, len, parts = 0;

	luna_making_get(m, CKA_PRIVATE_EXPONENT, &len);
	if (!len || len > n_len)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	for (i = 0; i < ARRAY_SIZE(crt_parts); i++) {
		if (!luna_making_get(m, crt_parts[i], &len))
			continue;
		if (!len || len >= n_len)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		parts++;
	}
	return parts && parts != ARRAY_SIZE(crt_parts) ? CKR_TEMPLATE_INCOMPLETE : CKR_OK;
}

static u32 check_rsa(struct luna_making *m)
{
	const u8 *n, *e;
	u32 n_len, e_len;

	n = luna_making_get(m, CKA_MODULUS, &n_len);
	if (!modulus_fits(m->token, n, n_len))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	e = luna_making_get(m, CKA_PUBLIC_EXPONENT, &e_len);
	if (e && !exponent_fits(e, e_len, n, n_len))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return m->kind.class_bit & LUNA_IN_PRIVATE ? check_rsa_private(m, n_len) : CKR_OK;
}

/* The form of a key; whether its point is on the curve is seen when it comes in, and when used. */
static u32 check_ec(struct luna_making *m)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);
	struct luna_der_ec key;
	u32 rv = luna_ec_take(&made, m->kind.key_type, &key);

	if (rv)
		return rv;
	if (m->kind.class_bit & LUNA_IN_PRIVATE ? !key.value.len : !key.point.len)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return CKR_OK;
}

/* Adds a computed attribute, unless the template contradicts it (@wrong). */
static u32 compute_set(struct luna_making *m, u32 type, const void *value, u32 len, u32 wrong)
{
	const u8 *told;
	u32 told_len;

	told = luna_tmpl_get(&m->tmpl, type, &told_len);
	if (told && (told_len != len || crypto_memneq(told, value, len)))
		return wrong;
	luna_attrw_set(&m->w, type, value, len);
	return CKR_OK;
}

static u32 compute_ulong(struct luna_making *m, u32 type, u64 value)
{
	return compute_set(m, type, &value, sizeof(value), CKR_TEMPLATE_INCONSISTENT);
}

/* An empty check value in the template asks for none. */
static u32 compute_check(struct luna_making *m, const u8 *kcv)
{
	u32 len;

	if (luna_tmpl_get(&m->tmpl, CKA_CHECK_VALUE, &len) && !len)
		return CKR_OK;
	return compute_set(m, CKA_CHECK_VALUE, kcv, CHECK_VALUE_LEN, CKR_ATTRIBUTE_VALUE_INVALID);
}

/* The vendor does not say what its fingerprints cover; here: modulus, point, certificate. */
static u32 compute_digest(struct luna_making *m, enum luna_hash hash, u32 type, u32 of, bool check)
{
	u32 len, rv = CKR_OK;
	const u8 *data;
	u8 *digest;

	if (!(m->token->crypto->hashes & BIT(hash)))
		return CKR_OK;
	data = luna_making_get(m, of, &len);
	if (!data || !len)
		return CKR_OK;
	digest = kzalloc(LUNA_HASH_MAX, GFP_KERNEL);
	if (!digest)
		return CKR_DEVICE_MEMORY;
	rv = luna_ckr(luna_hash_once(m->token->crypto, hash, data, len, digest));
	if (rv == CKR_OK && check)
		rv = compute_check(m, digest);
	if (rv == CKR_OK && type)
		luna_attrw_set(&m->w, type, digest, luna_hash_len(hash));
	kfree_sensitive(digest);
	return rv;
}

static u32 compute_fingerprints(struct luna_making *m, u32 of, bool check)
{
	u32 rv = compute_digest(m, LUNA_SHA1, CKA_FINGERPRINT_SHA1, of, check);

	return rv ? rv : compute_digest(m, LUNA_SHA256, CKA_FINGERPRINT_SHA256, of, false);
}

static u32 compute_cert(struct luna_making *m)
{
	return compute_fingerprints(m, CKA_VALUE, true);
}

static u32 compute_rsa(struct luna_making *m)
{
	const u8 *n;
	u32 len, rv = CKR_OK;

	n = luna_making_get(m, CKA_MODULUS, &len);
	if (m->kind.class_bit & LUNA_IN_PUBLIC)
		rv = compute_ulong(m, CKA_MODULUS_BITS, number_bits(n, len));
	return rv ? rv : compute_fingerprints(m, CKA_MODULUS, false);
}

static u32 compute_generic(struct luna_making *m)
{
	u32 len, rv;

	luna_making_get(m, CKA_VALUE, &len);
	rv = compute_ulong(m, CKA_VALUE_LEN, len);
	return rv ? rv : compute_digest(m, LUNA_SHA1, 0, CKA_VALUE, true);
}

/* No check value: nothing says what it would be of two keys. */
static u32 compute_xts(struct luna_making *m)
{
	u32 len;

	luna_making_get(m, CKA_VALUE, &len);
	return compute_ulong(m, CKA_VALUE_LEN, len);
}

/* One block of zeros under the key. */
static int aes_zero_block(const struct luna_crypto_ops *crypto, const u8 *value, u32 len, u8 *block)
{
	struct luna_cipher_stream *stream;
	struct luna_aes_key *key;
	int ret;

	key = crypto->aes_key(value, len);
	if (IS_ERR(key))
		return PTR_ERR(key);
	stream = crypto->cipher_begin(key, LUNA_ECB, true, NULL, 0);
	ret = PTR_ERR_OR_ZERO(stream);
	if (!ret) {
		ret = crypto->cipher_update(stream, block, LUNA_AES_BLOCK, block);
		crypto->cipher_end(stream);
	}
	crypto->aes_key_free(key);
	return ret;
}

static u32 compute_aes(struct luna_making *m)
{
	const u8 *value;
	u32 len, rv;
	u8 *block;

	luna_making_get(m, CKA_VALUE, &len);
	rv = compute_ulong(m, CKA_VALUE_LEN, len);
	if (rv)
		return rv;
	value = luna_making_get(m, CKA_VALUE, &len);
	block = kzalloc(LUNA_AES_BLOCK, GFP_KERNEL);
	if (!block || !value) {
		kfree(block);
		return CKR_DEVICE_MEMORY;
	}
	rv = luna_ckr(aes_zero_block(m->token->crypto, value, len, block));
	if (rv == CKR_OK)
		rv = compute_check(m, block);
	kfree_sensitive(block);
	return rv;
}

/* The same; where the provider has no triple DES, its keys have no check value. */
static u32 compute_des3(struct luna_making *m)
{
	const struct luna_crypto_ops *crypto = m->token->crypto;
	struct luna_des3_key *key;
	const u8 *value;
	u32 len, rv;
	u8 *block;

	luna_making_get(m, CKA_VALUE, &len);
	rv = compute_ulong(m, CKA_VALUE_LEN, len);
	if (rv || !luna_des3_offered(crypto))
		return rv;
	value = luna_making_get(m, CKA_VALUE, &len);
	block = kzalloc(LUNA_DES_BLOCK, GFP_KERNEL);
	if (!block)
		return CKR_DEVICE_MEMORY;
	key = luna_des3_make(crypto, value, len);
	rv = luna_ckr(PTR_ERR_OR_ZERO(key));
	if (!rv) {
		rv = luna_ckr(crypto->des3_crypt(key, true, NULL, block, LUNA_DES_BLOCK, block));
		crypto->des3_key_free(key);
	}
	if (!rv)
		rv = compute_check(m, block);
	kfree_sensitive(block);
	return rv;
}

/* What comes in must be a key; it is kept in one form, a private one with its point. */
static u32 ec_create(struct luna_making *m)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);
	struct luna_der_ec key;
	u8 *point;
	u32 rv;

	rv = luna_ec_take(&made, m->kind.key_type, &key);
	if (rv)
		return rv;
	point = kmalloc(LUNA_EC_POINT_MAX, GFP_KERNEL);
	if (!point)
		return CKR_DEVICE_MEMORY;
	rv = luna_ec_try(m->token, &key, CKR_ATTRIBUTE_VALUE_INVALID, point);
	if (!rv)
		luna_ec_attrs(&m->w, key.curve, point, key.value.len ? &key.value : NULL);
	kfree(point);
	return rv;
}

static u32 compute_ec(struct luna_making *m)
{
	u32 rv = m->how == LUNA_BY_CREATE ? ec_create(m) : CKR_OK;

	return rv ? rv : compute_fingerprints(m, CKA_EC_POINT, false);
}

/* One row per kind that has rules of its own. */
static const struct {
	u8 classes;
	u8 types;
	u32 (*check)(struct luna_making *m);
	u32 (*compute)(struct luna_making *m);
} kind_rules[] = {
	{ LUNA_IN_CERT, LUNA_OF_ANY, check_cert, compute_cert },
	{ LUNA_IN_PAIR, LUNA_OF_RSA, check_rsa, compute_rsa },
	{ LUNA_IN_PAIR, LUNA_OF_CURVES, check_ec, compute_ec },
	{ LUNA_IN_SECRET, LUNA_OF_AES, check_aes, compute_aes },
	{ LUNA_IN_SECRET, LUNA_OF_AES_XTS, check_xts, compute_xts },
	{ LUNA_IN_SECRET, LUNA_OF_DES3, check_des3, compute_des3 },
	{ LUNA_IN_SECRET, LUNA_OF_GENERIC, check_generic, compute_generic },
};

/* A copy or clone brings what was computed along, from values that are the same. */
u32 luna_making_compute(struct luna_making *m)
{
	bool again = m->how != LUNA_BY_COPY && m->how != LUNA_BY_CLONE;
	u32 i, rv;

	for (i = 0; i < ARRAY_SIZE(kind_rules); i++) {
		if (!(kind_rules[i].classes & m->kind.class_bit) ||
		    (kind_rules[i].types && !(kind_rules[i].types & m->kind.type_bit)))
			continue;
		rv = kind_rules[i].check(m);
		if (rv || !again)
			return rv;
		return kind_rules[i].compute(m);
	}
	return CKR_OK;
}
