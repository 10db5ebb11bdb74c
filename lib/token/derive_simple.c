// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Derivations without a key derivation function of their own: keys and data put together, cut out,
 * hashed, encrypted (PKCS#11 v2.40 mechanisms, 2.14, 2.20.5 and the like, 2.43).
 */
#include "derive.h"

/* ---- concatenation ---- */

static u32 concatenate(struct luna_derive *d, struct luna_num first, struct luna_num second)
{
	u32 rv;

	if (second.len > U32_MAX - first.len)
		return CKR_KEY_SIZE_RANGE;
	rv = luna_derive_room(d, first.len + second.len);
	if (rv)
		return rv;
	memcpy(d->value, first.data, first.len);
	memcpy(d->value + first.len, second.data, second.len);
	return CKR_OK;
}

/* The parameter is nothing but data; none at all would make the base key's twin. */
static u32 param_data(const struct luna_derive *d, struct luna_num *data)
{
	data->data = d->parts.param;
	data->len = d->parts.param_len;
	return data->len ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
}

static u32 base_and_data(struct luna_derive *d)
{
	struct luna_num data;

	return param_data(d, &data) ?: concatenate(d, luna_derive_secret(d->base), data);
}

static u32 data_and_base(struct luna_derive *d)
{
	struct luna_num data;

	return param_data(d, &data) ?: concatenate(d, data, luna_derive_secret(d->base));
}

static u32 base_and_key(struct luna_derive *d)
{
	struct luna_key_param param;
	u32 rv;

	if (d->parts.param_len != sizeof(param))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&param, d->parts.param, sizeof(param));
	if (param.reserved)
		return CKR_MECHANISM_PARAM_INVALID;
	rv = luna_derive_other(d, param.key);
	if (rv)
		return rv;
	return concatenate(d, luna_derive_secret(d->base), luna_derive_secret(d->other_base));
}

/* ---- XOR, extraction ---- */

static u32 xor_base_and_data(struct luna_derive *d)
{
	struct luna_num data, base = luna_derive_secret(d->base);
	u32 i, len, rv;

	rv = param_data(d, &data);
	if (rv)
		return rv;
	len = min(data.len, base.len);
	rv = luna_derive_room(d, len);
	for (i = 0; !rv && i < len; i++)
		d->value[i] = base.data[i] ^ data.data[i];
	return rv;
}

/* Byte @at of the bits that begin at bit @first, counted from the highest, and start over. */
static u8 extract_byte(struct luna_num from, u32 first, u32 at)
{
	u32 byte = (first / 8 + at) % from.len, shift = first % 8;
	u8 next = from.data[(byte + 1) % from.len];

	return from.data[byte] << shift | next >> (8 - shift);
}

static u32 extract(struct luna_derive *d)
{
	struct luna_num base = luna_derive_secret(d->base);
	struct luna_extract_param param;
	u32 i, rv;

	if (d->parts.param_len != sizeof(param))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&param, d->parts.param, sizeof(param));
	if (param.reserved || param.bit / 8 >= base.len)
		return CKR_MECHANISM_PARAM_INVALID;
	if (d->want > base.len)
		return CKR_KEY_SIZE_RANGE;
	rv = luna_derive_room(d, d->want);
	for (i = 0; !rv && i < d->want; i++)
		d->value[i] = extract_byte(base, param.bit, i);
	return rv;
}

/* ---- hashes ---- */

static u32 hash_base(struct luna_derive *d)
{
	struct luna_num base = luna_derive_secret(d->base);
	u32 rv;

	if (d->parts.param_len)
		return CKR_MECHANISM_PARAM_INVALID;
	rv = luna_derive_room(d, luna_hash_len(d->mech->hash));
	return rv ?: luna_ckr(luna_hash_once(d->cmd->token->crypto, d->mech->hash, base.data,
					     base.len, d->value));
}

/* ---- encryption of data ---- */

/* CBC: the IV comes before the data. */
static u32 encrypt_data(struct luna_derive *d)
{
	bool cbc = d->mech->variant == LUNA_AES_CBC;
	u32 iv_len = cbc ? LUNA_AES_BLOCK : 0, len = d->parts.param_len - iv_len;
	const struct luna_mech *mech;

	if (d->parts.param_len <= iv_len || len % LUNA_AES_BLOCK)
		return CKR_MECHANISM_PARAM_INVALID;
	mech = luna_mech_find(d->cmd->token, cbc ? CKM_AES_CBC : CKM_AES_ECB);
	if (!mech)
		return CKR_MECHANISM_INVALID;
	return luna_op_once(d->cmd->session, mech, LUNA_OP_ENCRYPT, d->key, d->parts.param, iv_len,
			    d->parts.param + iv_len, len, &d->value, &d->len);
}

const struct luna_derive_ops luna_derive_base_and_key = {
	.bound = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = base_and_key,
};

const struct luna_derive_ops luna_derive_base_and_data = {
	.bound = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = base_and_data,
};

const struct luna_derive_ops luna_derive_data_and_base = {
	.bound = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = data_and_base,
};

const struct luna_derive_ops luna_derive_xor = {
	.bound = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = xor_base_and_data,
};

const struct luna_derive_ops luna_derive_extract = {
	.bound = true, .sized = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = extract,
};

const struct luna_derive_ops luna_derive_hash = {
	.short_rv = CKR_KEY_SIZE_RANGE, .compute = hash_base,
};

const struct luna_derive_ops luna_derive_encrypt = {
	.short_rv = CKR_DATA_LEN_RANGE, .compute = encrypt_data,
};
