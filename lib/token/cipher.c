// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES and triple DES in ECB, CBC (with and without padding) and CTR.
 *
 * The provider takes whole blocks; what is left of one waits here. Its streams know AES; what goes
 * on from call to call of triple DES is an IV or a counter, which is kept here. Decryption with
 * padding also holds back the last whole block, since it may be the padding.
 */
#include "ct.h"
#include "des3.h"
#include "mech.h"

enum { BLOCK_MAX = LUNA_AES_BLOCK, KEY_STREAM = 8 * LUNA_DES_BLOCK };

/**
 * struct cipher - an operation
 * @stream: AES
 * @des3: triple DES; @chain: its IV or counter, @unused: bytes of @key_stream that are left
 * @block: bytes of a block
 * @left: CTR: bytes until the counter would repeat
 * @held_len: bytes in @held: input that waits
 * @opened: @held was decrypted already, to @plain
 * @iv: to restart with
 */
struct cipher {
	struct luna_cipher_stream *stream;
	struct luna_des3_key *des3;
	u64 left;
	u32 block;
	u32 held_len;
	u32 unused;
	bool opened;
	u8 iv[BLOCK_MAX];
	u8 chain[LUNA_DES_BLOCK];
	u8 held[BLOCK_MAX];
	u8 plain[BLOCK_MAX];
	u8 key_stream[KEY_STREAM];
};

static const enum luna_mode modes[] = {
	[LUNA_AES_ECB] = LUNA_ECB,
	[LUNA_AES_CBC] = LUNA_CBC,
	[LUNA_AES_CBC_PAD] = LUNA_CBC,
	[LUNA_AES_CTR] = LUNA_CTR,
};

static bool unpads(const struct luna_op_state *op)
{
	return op->mech->variant == LUNA_AES_CBC_PAD && op->kind == LUNA_OP_DECRYPT;
}

/* ---- Init ---- */

/* Blocks that can be processed before the low @bits of the counter come back to what they were. */
static u64 ctr_left(u64 high, u64 low, u32 bits)
{
	u64 blocks;

	if (bits < 64) {
		blocks = (1ULL << bits) - (low & ((1ULL << bits) - 1));
	} else {
		high = bits == 64 ? 0 : ~high << (128 - bits);
		blocks = high || !low ? U64_MAX : -low;
	}
	return blocks;
}

static u32 ctr_param(struct cipher *c, const u8 *param, u32 len)
{
	struct luna_ctr_param p;
	u64 high, low, blocks;

	if (len != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, param, sizeof(p));
	if (p.reserved || p.counter_bits < 1 || p.counter_bits > 8 * c->block)
		return CKR_MECHANISM_PARAM_INVALID;
	high = get_unaligned_be64(p.cb);
	low = get_unaligned_be64(p.cb + 8);
	if (c->block == LUNA_DES_BLOCK) {
		if (low)
			return CKR_MECHANISM_PARAM_INVALID;
		swap(high, low);
	}
	memcpy(c->iv, p.cb, c->block);
	blocks = ctr_left(high, low, p.counter_bits);
	c->left = blocks > U64_MAX / c->block ? U64_MAX : blocks * c->block;
	return CKR_OK;
}

static u32 cipher_param(struct cipher *c, enum luna_mode mode, const u8 *param, u32 len)
{
	if (mode == LUNA_CTR)
		return ctr_param(c, param, len);
	if (len != (mode == LUNA_ECB ? 0 : c->block))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(c->iv, param, len);
	return CKR_OK;
}

static u32 des3_begin(struct luna_op_state *op)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	struct luna_des3_key *key = luna_object_des3(op->token, op->obj);

	if (IS_ERR(key))
		return luna_key_ckr(PTR_ERR(key));
	c->des3 = key;
	memcpy(c->chain, c->iv, sizeof(c->chain));
	return CKR_OK;
}

static u32 aes_begin(struct luna_op_state *op)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	const struct luna_crypto_ops *crypto = op->token->crypto;
	enum luna_mode mode = modes[op->mech->variant];
	struct luna_aes_key *key = luna_object_aes(op->token, op->obj);
	struct luna_cipher_stream *stream;

	if (IS_ERR(key))
		return luna_key_ckr(PTR_ERR(key));
	stream = crypto->cipher_begin(key, mode, op->kind == LUNA_OP_ENCRYPT,
				      mode == LUNA_ECB ? NULL : c->iv,
				      mode == LUNA_ECB ? 0 : LUNA_AES_BLOCK);
	if (IS_ERR(stream))
		return luna_ckr(PTR_ERR(stream));
	c->stream = stream;
	return CKR_OK;
}

static u32 cipher_begin(struct luna_op_state *op)
{
	return op->mech->family == LUNA_FAMILY_DES3 ? des3_begin(op) : aes_begin(op);
}

static u32 cipher_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	u32 rv;

	c->block = op->mech->family == LUNA_FAMILY_DES3 ? LUNA_DES_BLOCK : LUNA_AES_BLOCK;
	rv = cipher_param(c, modes[op->mech->variant], param, len);
	return rv ? rv : cipher_begin(op);
}

static void cipher_end(struct luna_op_state *op)
{
	struct cipher *c = luna_op_private(op, struct cipher);

	if (c->stream)
		op->token->crypto->cipher_end(c->stream);
	c->stream = NULL;
}

static u32 cipher_restart(struct luna_op_state *op)
{
	struct cipher *c = luna_op_private(op, struct cipher);

	cipher_end(op);
	c->held_len = 0;
	c->unused = 0;
	c->opened = false;
	return cipher_begin(op);
}

/* ---- lengths ---- */

/* How much of @len bytes, what is held included, an update leaves for later. */
static u32 keeps(const struct luna_op_state *op, u64 len)
{
	const struct cipher *c = luna_op_private(op, const struct cipher);

	if (op->mech->variant == LUNA_AES_CTR || !len)
		return 0;
	return unpads(op) ? (len - 1) % c->block + 1 : len % c->block;
}

static u32 finish_lens(const struct luna_op_state *op, u64 len, struct luna_op_lens *lens)
{
	const struct cipher *c = luna_op_private(op, const struct cipher);
	bool encrypt = op->kind == LUNA_OP_ENCRYPT;
	bool pad = op->mech->variant == LUNA_AES_CBC_PAD;

	if (pad && encrypt)
		len = len - len % c->block + c->block;
	if (op->mech->variant != LUNA_AES_CTR && (len % c->block || (pad && !len)))
		return encrypt ? CKR_DATA_LEN_RANGE : CKR_ENCRYPTED_DATA_LEN_RANGE;
	lens->most = len;
	lens->least = unpads(op) ? len - c->block : len;
	return CKR_OK;
}

static u32 cipher_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		       struct luna_op_lens *lens)
{
	const struct cipher *c = luna_op_private(op, const struct cipher);
	u64 len;

	if (check_add_overflow(in_len, (u64)c->held_len, &len) || len > U64_MAX - BLOCK_MAX)
		return CKR_DATA_LEN_RANGE;
	if (op->mech->variant == LUNA_AES_CTR && in_len > c->left)
		return CKR_DATA_LEN_RANGE;
	if (finish)
		return finish_lens(op, len, lens);
	lens->most = len - keeps(op, len);
	lens->least = lens->most;
	return CKR_OK;
}

/* ---- data ---- */

/* CTR of triple DES: the block counts, and its ciphertext is added to the data. */
static int des3_ctr(struct luna_op_state *op, const u8 *in, u32 len, u8 *out)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	u32 i, at;
	int err;

	for (i = 0; i < len; i++) {
		if (!c->unused) {
			for (at = 0; at < KEY_STREAM; at += LUNA_DES_BLOCK) {
				memcpy(c->key_stream + at, c->chain, LUNA_DES_BLOCK);
				put_unaligned_be64(get_unaligned_be64(c->chain) + 1, c->chain);
			}
			err = op->token->crypto->des3_crypt(c->des3, true, NULL, c->key_stream,
							    KEY_STREAM, c->key_stream);
			if (err)
				return err;
			c->unused = KEY_STREAM;
		}
		out[i] = in[i] ^ c->key_stream[KEY_STREAM - c->unused--];
	}
	return 0;
}

/* What cipher_update() of the provider's streams does, for both ciphers */
static int crypt(struct luna_op_state *op, const u8 *in, u32 len, u8 *out)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	const struct luna_crypto_ops *crypto = op->token->crypto;
	bool encrypt = op->kind == LUNA_OP_ENCRYPT;

	if (!c->des3)
		return crypto->cipher_update(c->stream, in, len, out);
	switch (modes[op->mech->variant]) {
	case LUNA_CTR:
		return des3_ctr(op, in, len, out);
	case LUNA_CBC:
		return luna_des3_cbc(crypto, c->des3, encrypt, c->chain, in, len, out);
	default:
		return crypto->des3_crypt(c->des3, encrypt, NULL, in, len, out);
	}
}

/* The block that is held, completed by the start of @in. */
static int flush_held(struct luna_op_state *op, const u8 **in, u32 *len, u8 *out)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	u32 take = c->block - c->held_len;

	memcpy(c->held + c->held_len, *in, take);
	*in += take;
	*len -= take;
	c->held_len = 0;
	if (!c->opened)
		return crypt(op, c->held, c->block, out);
	memcpy(out, c->plain, c->block);
	c->opened = false;
	return 0;
}

static u32 cipher_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	u32 keep = keeps(op, (u64)c->held_len + len);
	u32 total = c->held_len + len - keep;
	int err = 0;

	*out_len = total;
	c->left -= op->mech->variant == LUNA_AES_CTR ? len : 0;
	if (total && c->held_len) {
		err = flush_held(op, &in, &len, out);
		out += c->block;
		total -= c->block;
	}
	if (!err && total)
		err = crypt(op, in, total, out);
	if (err)
		return luna_ckr(err);
	memcpy(c->held + c->held_len, in + total, len - total);
	c->held_len += len - total;
	return CKR_OK;
}

/* ---- the end ---- */

static u32 final_pad(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	struct cipher *c = luna_op_private(op, struct cipher);

	memset(c->held + c->held_len, c->block - c->held_len, c->block - c->held_len);
	*out_len = c->block;
	return luna_ckr(crypt(op, c->held, c->block, out));
}

/*
 * Length of a block of @len bytes without its padding, and all ones in *@good, or zero: with no
 * branch and no memory access that depends on which byte is wrong, and one error for all.
 */
static u32 unpadded(const u8 *block, u32 len, u32 *good)
{
	u32 pad = block[len - 1], bad, i;

	bad = luna_ct_zero(pad) | luna_ct_less(len, pad);
	for (i = 0; i < len; i++)
		bad |= luna_ct_less(i, pad) & ~luna_ct_eq(block[len - 1 - i], pad);
	*good = ~bad;
	return (len - pad) & ~bad;
}

static u32 final_unpad(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	struct cipher *c = luna_op_private(op, struct cipher);
	u32 good;
	int err;

	if (!c->opened) {
		err = crypt(op, c->held, c->block, c->plain);
		if (err)
			return luna_ckr(err);
		c->opened = true;
	}
	*out_len = unpadded(c->plain, c->block, &good);
	if (!good)
		return CKR_ENCRYPTED_DATA_INVALID;
	memcpy(out, c->plain, *out_len);
	return CKR_OK;
}

static u32 cipher_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	*out_len = 0;
	if (op->mech->variant != LUNA_AES_CBC_PAD)
		return CKR_OK;
	return op->kind == LUNA_OP_ENCRYPT ? final_pad(op, out, out_len) :
					     final_unpad(op, out, out_len);
}

const struct luna_op_ops luna_cipher_ops = {
	.init = cipher_init,
	.lens = cipher_lens,
	.update = cipher_update,
	.final = cipher_final,
	.restart = cipher_restart,
	.end = cipher_end,
};
