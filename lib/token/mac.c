// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * HMAC and AES-CMAC, whole or cut to the length that a _GENERAL mechanism's parameter says.
 */
#include "mech.h"

struct mac {
	struct luna_mac_stream *stream;
	u32 len;		/* of the signature */
	u8 mac[LUNA_HASH_MAX];
};

static enum luna_mac_kind mac_kind(const struct luna_mech *mech)
{
	return mech->family == LUNA_FAMILY_CMAC ? LUNA_CMAC_AES : LUNA_HMAC + mech->hash;
}

static u32 mac_len_of(const struct luna_mech *mech)
{
	return mech->family == LUNA_FAMILY_CMAC ? LUNA_AES_BLOCK : luna_hash_len(mech->hash);
}

/* The signature's length, or 0 for a bad parameter. */
static u32 mac_param(const struct luna_mech *mech, const u8 *param, u32 len)
{
	struct luna_mac_param p;
	u32 full = mac_len_of(mech);

	if (mech->variant != LUNA_MAC_GENERAL)
		return len ? 0 : full;
	if (len != sizeof(p))
		return 0;
	memcpy(&p, param, sizeof(p));
	return p.reserved || p.mac_len > full ? 0 : p.mac_len;
}

static u32 mac_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct mac *m = luna_op_private(op, struct mac);
	struct luna_mac_stream *stream;
	struct luna_mac_key *key;
	u32 bytes;

	m->len = mac_param(op->mech, param, len);
	if (!m->len)
		return CKR_MECHANISM_PARAM_INVALID;
	key = luna_object_mac(op->token, op->obj, mac_kind(op->mech), &bytes);
	if (IS_ERR(key))
		return luna_key_ckr(PTR_ERR(key));
	if (!luna_mech_key_size(op->token, op->mech, luna_op_verifies(op), bytes))
		return CKR_KEY_SIZE_RANGE;
	stream = op->token->crypto->mac_begin(key);
	if (IS_ERR(stream))
		return luna_ckr(PTR_ERR(stream));
	m->stream = stream;
	return CKR_OK;
}

static u32 mac_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		    struct luna_op_lens *lens)
{
	const struct mac *m = luna_op_private(op, const struct mac);

	lens->most = finish ? m->len : 0;
	lens->least = lens->most;
	return CKR_OK;
}

static u32 mac_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct mac *m = luna_op_private(op, struct mac);

	*out_len = 0;
	return luna_ckr(op->token->crypto->mac_update(m->stream, in, len));
}

static u32 mac_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	struct mac *m = luna_op_private(op, struct mac);
	int err = op->token->crypto->mac_final(m->stream, m->mac);

	if (err)
		return luna_ckr(err);
	memcpy(out, m->mac, m->len);
	*out_len = m->len;
	return CKR_OK;
}

static u32 mac_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig, u32 sig_len)
{
	struct mac *m = luna_op_private(op, struct mac);
	int err = op->token->crypto->mac_final(m->stream, m->mac);

	if (err)
		return luna_ckr(err);
	return crypto_memneq(m->mac, sig, m->len) ? CKR_SIGNATURE_INVALID : CKR_OK;
}

static void mac_end(struct luna_op_state *op)
{
	struct mac *m = luna_op_private(op, struct mac);

	op->token->crypto->mac_end(m->stream);
}

const struct luna_op_ops luna_mac_ops = {
	.init = mac_init,
	.lens = mac_lens,
	.update = mac_update,
	.final = mac_final,
	.verify = mac_verify,
	.end = mac_end,
};
