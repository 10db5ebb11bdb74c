// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * MACs of triple DES, on the provider's CBC: CMAC (SP 800-38B), and the older MAC (FIPS 113;
 * PKCS#11 v2.40 mechanisms, 2.15.3), which fills the last block with zeros and gives half of it.
 */
#include "des3.h"
#include "mech.h"

enum { BLOCK = LUNA_DES_BLOCK, CHUNK = 16 * BLOCK };

/**
 * struct des3_mac - an operation
 * @len: of the signature
 * @held_len: bytes in @held: the last block may be all that there is of it, or need another one
 * @chain: what the next block is added to
 * @chunk: of CBC, whose last block counts
 */
struct des3_mac {
	struct luna_des3_key *key;
	u32 len;
	u32 held_len;
	u8 chain[BLOCK];
	u8 held[BLOCK];
	u8 chunk[CHUNK];
};

static bool is_cmac(const struct luna_mech *mech)
{
	return mech->variant == LUNA_PLAIN || mech->variant == LUNA_MAC_GENERAL;
}

/* The signature's length, or 0 for a bad parameter. */
static u32 mac_param(const struct luna_mech *mech, const u8 *param, u32 len)
{
	struct luna_mac_param p;

	if (mech->variant == LUNA_PLAIN || mech->variant == LUNA_CBC_MAC)
		return len ? 0 : mech->variant == LUNA_PLAIN ? BLOCK : BLOCK / 2;
	if (len != sizeof(p))
		return 0;
	memcpy(&p, param, sizeof(p));
	return p.reserved || p.mac_len > BLOCK ? 0 : p.mac_len;
}

static u32 mac_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct des3_mac *m = luna_op_private(op, struct des3_mac);
	struct luna_des3_key *key;

	m->len = mac_param(op->mech, param, len);
	if (!m->len)
		return CKR_MECHANISM_PARAM_INVALID;
	key = luna_object_des3(op->token, op->obj);
	if (IS_ERR(key))
		return luna_key_ckr(PTR_ERR(key));
	m->key = key;
	return CKR_OK;
}

static u32 mac_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		    struct luna_op_lens *lens)
{
	const struct des3_mac *m = luna_op_private(op, const struct des3_mac);

	lens->most = finish ? m->len : 0;
	lens->least = lens->most;
	return CKR_OK;
}

static int mac_held(struct luna_op_state *op)
{
	struct des3_mac *m = luna_op_private(op, struct des3_mac);

	m->held_len = 0;
	return luna_des3_cbc(op->token->crypto, m->key, true, m->chain, m->held, BLOCK, m->chunk);
}

/* A block that is whole stays in @held until more comes. */
static u32 mac_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct des3_mac *m = luna_op_private(op, struct des3_mac);
	u32 n;
	int err = 0;

	*out_len = 0;
	while (len && !err) {
		if (m->held_len == BLOCK) {
			err = mac_held(op);
		} else if (m->held_len || len <= BLOCK) {
			n = min_t(u32, len, BLOCK - m->held_len);
			memcpy(m->held + m->held_len, in, n);
			m->held_len += n;
			in += n;
			len -= n;
		} else {
			n = min_t(u32, round_down(len - 1, BLOCK), CHUNK);
			err = luna_des3_cbc(op->token->crypto, m->key, true, m->chain, in, n,
					    m->chunk);
			in += n;
			len -= n;
		}
	}
	return luna_ckr(err);
}

/* Times x in the field of 2^64 elements (SP 800-38B, 5.3) */
static void doubled(u8 *block)
{
	u64 v = get_unaligned_be64(block);

	put_unaligned_be64(v << 1 ^ (0x1b & -(v >> 63)), block);
}

/* Completes the last block, and adds the subkey that tells whether it was complete. */
static int cmac_pad(struct luna_op_state *op)
{
	struct des3_mac *m = luna_op_private(op, struct des3_mac);
	u8 *subkey = m->chunk;
	int err;
	u32 i;

	memset(subkey, 0, BLOCK);
	err = op->token->crypto->des3_crypt(m->key, true, NULL, subkey, BLOCK, subkey);
	if (err)
		return err;
	doubled(subkey);
	if (m->held_len < BLOCK) {
		doubled(subkey);
		m->held[m->held_len] = 0x80;
		memset(m->held + m->held_len + 1, 0, BLOCK - m->held_len - 1);
	}
	for (i = 0; i < BLOCK; i++)
		m->held[i] ^= subkey[i];
	return 0;
}

/* The whole MAC, in m->chain */
static u32 mac_finish(struct luna_op_state *op)
{
	struct des3_mac *m = luna_op_private(op, struct des3_mac);
	int err = 0;

	if (is_cmac(op->mech))
		err = cmac_pad(op);
	else
		memset(m->held + m->held_len, 0, BLOCK - m->held_len);
	return luna_ckr(err ?: mac_held(op));
}

static u32 mac_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	struct des3_mac *m = luna_op_private(op, struct des3_mac);
	u32 rv = mac_finish(op);

	if (rv)
		return rv;
	memcpy(out, m->chain, m->len);
	*out_len = m->len;
	return CKR_OK;
}

static u32 mac_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig, u32 sig_len)
{
	struct des3_mac *m = luna_op_private(op, struct des3_mac);
	u32 rv = mac_finish(op);

	if (rv)
		return rv;
	return crypto_memneq(m->chain, sig, m->len) ? CKR_SIGNATURE_INVALID : CKR_OK;
}

const struct luna_op_ops luna_des3_mac_ops = {
	.init = mac_init,
	.lens = mac_lens,
	.update = mac_update,
	.final = mac_final,
	.verify = mac_verify,
};
