// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES key wrap, RFC 3394 (KW) and RFC 5649 (KWP), over the provider's ECB. Both permute the
 * integrity check value A and the data R as one string; they differ in the check value and in the
 * padding.
 */
#include "ct.h"
#include "kw.h"

enum { ROUNDS = 6, YIELD = 4096 };

static const u8 kw_iv[LUNA_KW_BLOCK] = { 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6, 0xa6 };
static const u8 kwp_iv[LUNA_KWP_IV] = { 0xa6, 0x59, 0x59, 0xa6 };

/* One step of the permutation on semiblock @r, as number @t; @b holds A and room for R[i]. */
static int step(const struct luna_crypto_ops *c, struct luna_cipher_stream *s, bool wrap, u64 t,
		u8 *b, u8 *r)
{
	int err;

	memcpy(b + LUNA_KW_BLOCK, r, LUNA_KW_BLOCK);
	if (!wrap)
		put_unaligned_be64(get_unaligned_be64(b) ^ t, b);
	err = c->cipher_update(s, b, LUNA_AES_BLOCK, b);
	if (wrap)
		put_unaligned_be64(get_unaligned_be64(b) ^ t, b);
	memcpy(r, b + LUNA_KW_BLOCK, LUNA_KW_BLOCK);
	return err;
}

/* W and W^-1 of SP 800-38F on @n semiblocks; a single one is one block of ECB (RFC 5649, 4.1). */
static int permute(const struct luna_crypto_ops *c, struct luna_cipher_stream *s, bool wrap, u8 *b,
		   u8 *r, u32 n)
{
	u64 t, last = (u64)ROUNDS * n;
	int err = 0;
	u32 at;

	if (n == 1)
		return step(c, s, wrap, 0, b, r);
	for (t = 1; t <= last && !err; t++) {
		at = wrap ? t - 1 : last - t;
		err = step(c, s, wrap, at + 1, b, r + at % n * LUNA_KW_BLOCK);
		if (t % YIELD == 0) {
			cond_resched();
			err = err ?: fatal_signal_pending(current) ? -EINTR : 0;
		}
	}
	return err;
}

/* In place on the check value @a and @len bytes at @r. */
static int run(const struct luna_crypto_ops *c, struct luna_aes_key *key, bool wrap,
	       u8 a[LUNA_KW_BLOCK], u8 *r, u32 len)
{
	struct luna_cipher_stream *s;
	u8 *b = kmalloc(LUNA_AES_BLOCK, GFP_KERNEL);
	int err;

	if (!b)
		return -ENOMEM;
	s = c->cipher_begin(key, LUNA_ECB, wrap, NULL, 0);
	if (IS_ERR(s)) {
		kfree(b);
		return PTR_ERR(s);
	}
	memcpy(b, a, LUNA_KW_BLOCK);
	err = permute(c, s, wrap, b, r, len / LUNA_KW_BLOCK);
	memcpy(a, b, LUNA_KW_BLOCK);
	c->cipher_end(s);
	kfree_sensitive(b);
	return err;
}

int luna_kw_wrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		 const u8 *in, u32 len, u8 *out)
{
	u8 a[LUNA_KW_BLOCK];
	int err;

	if (len % LUNA_KW_BLOCK || len < 2 * LUNA_KW_BLOCK || len > LUNA_KW_MAX)
		return -EINVAL;
	memcpy(a, iv ? iv : kw_iv, sizeof(a));
	memmove(out + LUNA_KW_BLOCK, in, len);
	err = run(c, key, true, a, out + LUNA_KW_BLOCK, len);
	memcpy(out, a, sizeof(a));
	return err;
}

int luna_kw_unwrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		   const u8 *in, u32 len, u8 *out)
{
	u8 a[LUNA_KW_BLOCK];
	int err;

	if (len % LUNA_KW_BLOCK || len < 3 * LUNA_KW_BLOCK || len > LUNA_KW_MAX + LUNA_KW_BLOCK)
		return -EINVAL;
	memcpy(a, in, sizeof(a));
	len -= LUNA_KW_BLOCK;
	memmove(out, in + LUNA_KW_BLOCK, len);
	err = run(c, key, false, a, out, len);
	if (!err && crypto_memneq(a, iv ? iv : kw_iv, sizeof(a)))
		err = -EBADMSG;
	if (err)
		memzero_explicit(out, len);
	memzero_explicit(a, sizeof(a));
	return err;
}

int luna_kwp_wrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		  const u8 *in, u32 len, u8 *out)
{
	u32 padded = luna_kwp_len(len) - LUNA_KW_BLOCK;
	u8 a[LUNA_KW_BLOCK];
	int err;

	if (!len || len > LUNA_KW_MAX)
		return -EINVAL;
	memcpy(a, iv ? iv : kwp_iv, LUNA_KWP_IV);
	put_unaligned_be32(len, a + LUNA_KWP_IV);
	memmove(out + LUNA_KW_BLOCK, in, len);
	memset(out + LUNA_KW_BLOCK + len, 0, padded - len);
	err = run(c, key, true, a, out + LUNA_KW_BLOCK, padded);
	memcpy(out, a, sizeof(a));
	return err;
}

/* Mask: check value @a is right, its length fits @len padded bytes, and the padding is zero. */
static u32 kwp_check(const u8 *a, const u8 *iv, const u8 *r, u32 len)
{
	u32 pad = len - get_unaligned_be32(a + LUNA_KWP_IV), good, i;

	good = luna_ct_zero(crypto_memneq(a, iv ? iv : kwp_iv, LUNA_KWP_IV) != 0);
	good &= luna_ct_less(pad, LUNA_KW_BLOCK);
	for (i = 0; i < LUNA_KW_BLOCK; i++)
		good &= luna_ct_zero(r[len - 1 - i]) | ~luna_ct_less(i, pad);
	return good;
}

int luna_kwp_unwrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		    const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	u8 a[LUNA_KW_BLOCK];
	int err;

	*out_len = 0;
	if (len % LUNA_KW_BLOCK || len < 2 * LUNA_KW_BLOCK || len > LUNA_KW_MAX + LUNA_KW_BLOCK)
		return -EINVAL;
	memcpy(a, in, sizeof(a));
	len -= LUNA_KW_BLOCK;
	memmove(out, in + LUNA_KW_BLOCK, len);
	err = run(c, key, false, a, out, len);
	if (!err && !kwp_check(a, iv, out, len))
		err = -EBADMSG;
	if (err)
		memzero_explicit(out, len);
	else
		*out_len = get_unaligned_be32(a + LUNA_KWP_IV);
	memzero_explicit(a, sizeof(a));
	return err;
}

/* ---- C_Encrypt, C_Decrypt ---- */

struct kw {
	struct luna_aes_key *key;
	bool padded;			/* KWP */
	bool has_iv;
	u8 iv[LUNA_KW_BLOCK];
};

/* KWP has an IV of 4 bytes; clients give it the 8 of KW, too, of which the first 4 count. */
static u32 kw_op_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct kw *kw = luna_op_private(op, struct kw);

	kw->padded = op->mech->variant == LUNA_KWP;
	if (len && len != LUNA_KW_BLOCK && !(kw->padded && len == LUNA_KWP_IV))
		return CKR_MECHANISM_PARAM_INVALID;
	kw->has_iv = len;
	if (len)
		memcpy(kw->iv, param, len);
	kw->key = luna_object_aes(op->token, op->obj);
	return IS_ERR(kw->key) ? luna_ckr(PTR_ERR(kw->key)) : CKR_OK;
}

static u32 kw_op_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		      struct luna_op_lens *lens)
{
	const struct kw *kw = (const void *)op->private;
	bool encrypt = op->kind == LUNA_OP_ENCRYPT;
	u32 least = kw->padded ? 1 : 2 * LUNA_KW_BLOCK;
	bool ragged = in_len % LUNA_KW_BLOCK;

	if (encrypt) {
		if (in_len < least || in_len > LUNA_KW_MAX || (ragged && !kw->padded))
			return CKR_DATA_LEN_RANGE;
		lens->most = luna_kwp_len(in_len);
		lens->least = lens->most;
		return CKR_OK;
	}
	if (ragged || in_len < LUNA_KW_BLOCK + least || in_len > LUNA_KW_MAX + LUNA_KW_BLOCK)
		return CKR_ENCRYPTED_DATA_LEN_RANGE;
	lens->most = in_len - LUNA_KW_BLOCK;
	lens->least = kw->padded ? lens->most - (LUNA_KW_BLOCK - 1) : lens->most;
	return CKR_OK;
}

static int kw_encrypt(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct kw *kw = luna_op_private(op, struct kw);
	const u8 *iv = kw->has_iv ? kw->iv : NULL;

	*out_len = luna_kwp_len(len);
	if (kw->padded)
		return luna_kwp_wrap(op->token->crypto, kw->key, iv, in, len, out);
	return luna_kw_wrap(op->token->crypto, kw->key, iv, in, len, out);
}

static int kw_decrypt(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct kw *kw = luna_op_private(op, struct kw);
	const u8 *iv = kw->has_iv ? kw->iv : NULL;

	if (kw->padded)
		return luna_kwp_unwrap(op->token->crypto, kw->key, iv, in, len, out, out_len);
	*out_len = len - LUNA_KW_BLOCK;
	return luna_kw_unwrap(op->token->crypto, kw->key, iv, in, len, out);
}

static u32 kw_op_single(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	int err;

	if (op->kind == LUNA_OP_ENCRYPT)
		return luna_ckr(kw_encrypt(op, in, len, out, out_len));
	err = kw_decrypt(op, in, len, out, out_len);
	return err == -EBADMSG ? CKR_ENCRYPTED_DATA_INVALID : luna_ckr(err);
}

static u32 kw_op_restart(struct luna_op_state *op)
{
	return CKR_OK;
}

const struct luna_op_ops luna_kw_ops = {
	.whole = BIT(LUNA_OP_ENCRYPT) | BIT(LUNA_OP_DECRYPT),
	.init = kw_op_init,
	.lens = kw_op_lens,
	.single = kw_op_single,
	.restart = kw_op_restart,
};
