// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES-XTS (IEEE 1619, NIST SP 800-38E) on the provider's ECB: an operation is a data unit, which is
 * taken at once, since the end of it may change the block before.
 *
 * The standard has both keys in one object (CKK_AES_XTS; PKCS#11 v3.0 mechanisms, 2.12) and the
 * number of the data unit as parameter, the vendor two AES keys, of which the parameter names the
 * one for the tweak.
 */
#include "mech.h"

enum {
	BLOCK = LUNA_AES_BLOCK,
	UNIT_MAX = BLOCK << 20,		/* bytes (SP 800-38E, 4) */
};

/**
 * struct xts - an operation
 * @key, @tweak_key: of the standard's object, made for this operation; NULL with the vendor's
 * @other: the vendor's second key, referenced
 * @stream: of the data key
 * @first: the tweak of the first block
 * @tweak: of the block at hand
 * @block: where two blocks meet at the end
 */
struct xts {
	struct luna_aes_key *key, *tweak_key;
	struct luna_object *other;
	struct luna_cipher_stream *stream;
	u8 first[BLOCK];
	u8 tweak[BLOCK];
	u8 block[BLOCK];
};

/* ---- keys ---- */

static int ecb_once(const struct luna_crypto_ops *crypto, struct luna_aes_key *key, u8 *block)
{
	struct luna_cipher_stream *s = crypto->cipher_begin(key, LUNA_ECB, true, NULL, 0);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = crypto->cipher_update(s, block, BLOCK, block);
	crypto->cipher_end(s);
	return err;
}

/* With both keys: the first tweak, and the stream that the data go through. */
static int xts_begin(struct luna_op_state *op, struct luna_aes_key *key,
		     struct luna_aes_key *tweak_key)
{
	struct xts *x = luna_op_private(op, struct xts);
	const struct luna_crypto_ops *crypto = op->token->crypto;
	struct luna_cipher_stream *s;
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	if (IS_ERR(tweak_key))
		return PTR_ERR(tweak_key);
	err = ecb_once(crypto, tweak_key, x->first);
	if (err)
		return err;
	s = crypto->cipher_begin(key, LUNA_ECB, op->kind == LUNA_OP_ENCRYPT, NULL, 0);
	if (IS_ERR(s))
		return PTR_ERR(s);
	x->stream = s;
	return 0;
}

/* The halves of one object's value */
static u32 begin_one(struct luna_op_state *op)
{
	struct xts *x = luna_op_private(op, struct xts);
	const struct luna_crypto_ops *crypto = op->token->crypto;
	struct luna_attrs *attrs = luna_object_attrs(op->token, op->obj);
	const u8 *value;
	u32 len, half;
	int err = -EINVAL;

	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	value = luna_attrs_bytes(attrs, CKA_VALUE, &len);
	half = len / 2;
	if (value && (half == 16 || half == 32)) {
		x->key = crypto->aes_key(value, half);
		x->tweak_key = crypto->aes_key(value + half, half);
		err = xts_begin(op, x->key, x->tweak_key);
	}
	luna_attrs_put(attrs);
	return err ? luna_key_ckr(err) : CKR_OK;
}

/* Two keys that are the same would give away what the tweaks are for; so would two lengths. */
static u32 check_other(struct luna_op_state *op, struct luna_object *other)
{
	struct luna_attrs *a = luna_object_attrs(op->token, op->obj);
	struct luna_attrs *b = luna_object_attrs(op->token, other);
	const u8 *one, *two;
	u32 len, other_len, rv = CKR_DEVICE_MEMORY;

	if (!IS_ERR(a) && !IS_ERR(b)) {
		one = luna_attrs_bytes(a, CKA_VALUE, &len);
		two = luna_attrs_bytes(b, CKA_VALUE, &other_len);
		if (!one || !two || len != other_len || (len != 16 && len != 32))
			rv = CKR_KEY_SIZE_RANGE;
		else
			rv = crypto_memneq(one, two, len) ? CKR_OK : CKR_MECHANISM_PARAM_INVALID;
	}
	luna_attrs_put(IS_ERR(a) ? NULL : a);
	luna_attrs_put(IS_ERR(b) ? NULL : b);
	return rv;
}

static u32 begin_two(struct luna_op_state *op, u32 handle)
{
	struct xts *x = luna_op_private(op, struct xts);
	u32 usage = op->kind == LUNA_OP_ENCRYPT ? CKA_ENCRYPT : CKA_DECRYPT, rv;
	int err;

	rv = luna_key_get(op->session, handle, usage, op->mech, &x->other);
	if (rv)
		return rv;
	if (x->other->key_type != CKK_AES)
		return CKR_KEY_TYPE_INCONSISTENT;
	rv = check_other(op, x->other);
	if (rv)
		return rv;
	err = xts_begin(op, luna_object_aes(op->token, op->obj),
			luna_object_aes(op->token, x->other));
	return err ? luna_key_ckr(err) : CKR_OK;
}

static u32 xts_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct xts *x = luna_op_private(op, struct xts);
	bool both = op->obj->key_type == CKK_AES_XTS;
	struct luna_xts_param p;

	if (len != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, param, sizeof(p));
	if (p.reserved || both == !!p.tweak_key)
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(x->first, p.unit, BLOCK);
	return both ? begin_one(op) : begin_two(op, p.tweak_key);
}

static void xts_end(struct luna_op_state *op)
{
	struct xts *x = luna_op_private(op, struct xts);
	const struct luna_crypto_ops *crypto = op->token->crypto;

	if (x->stream)
		crypto->cipher_end(x->stream);
	if (!IS_ERR_OR_NULL(x->key))
		crypto->aes_key_free(x->key);
	if (!IS_ERR_OR_NULL(x->tweak_key))
		crypto->aes_key_free(x->tweak_key);
	luna_object_put(x->other);
}

/* ---- data ---- */

static u32 xts_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		    struct luna_op_lens *lens)
{
	if (in_len < BLOCK || in_len > UNIT_MAX)
		return op->kind == LUNA_OP_ENCRYPT ? CKR_DATA_LEN_RANGE :
						     CKR_ENCRYPTED_DATA_LEN_RANGE;
	lens->most = in_len;
	lens->least = in_len;
	return CKR_OK;
}

/* Times x in the field of 2^128 elements, the lowest byte first (IEEE 1619, 5.2) */
static void next_tweak(u8 *tweak)
{
	u64 low = get_unaligned_le64(tweak), high = get_unaligned_le64(tweak + 8);

	put_unaligned_le64(low << 1 ^ (0x87 & -(high >> 63)), tweak);
	put_unaligned_le64(high << 1 | low >> 63, tweak + 8);
}

/* Adds the tweaks from x->tweak on to whole blocks, and leaves x->tweak behind them. */
static void add_tweaks(struct xts *x, const u8 *in, u32 len, u8 *out)
{
	u32 at, i;

	for (at = 0; at < len; at += BLOCK) {
		for (i = 0; i < BLOCK; i++)
			out[at + i] = in[at + i] ^ x->tweak[i];
		next_tweak(x->tweak);
	}
}

/* Whole blocks from the tweak @from on; x->tweak is then the one behind them. */
static int blocks(struct luna_op_state *op, const u8 *from, const u8 *in, u32 len, u8 *out)
{
	struct xts *x = luna_op_private(op, struct xts);
	u8 start[BLOCK];
	int err;

	memcpy(start, from, BLOCK);
	memcpy(x->tweak, start, BLOCK);
	add_tweaks(x, in, len, out);
	err = op->token->crypto->cipher_update(x->stream, out, len, out);
	memcpy(x->tweak, start, BLOCK);
	add_tweaks(x, out, len, out);
	memzero_explicit(start, sizeof(start));
	return err;
}

/*
 * The last whole block and the @rest bytes behind it, which borrow what they lack of its ciphertext
 * (IEEE 1619, 5.3.2, 5.4.2). Decryption begins with the later tweak.
 */
static int stolen(struct luna_op_state *op, const u8 *in, u32 rest, u8 *out)
{
	struct xts *x = luna_op_private(op, struct xts);
	u8 tweaks[2][BLOCK];
	bool encrypt = op->kind == LUNA_OP_ENCRYPT;
	int err;

	memcpy(tweaks[0], x->tweak, BLOCK);
	memcpy(tweaks[1], x->tweak, BLOCK);
	next_tweak(tweaks[1]);
	err = blocks(op, tweaks[!encrypt], in, BLOCK, x->block);
	if (!err) {
		memcpy(out + BLOCK, x->block, rest);
		memcpy(x->block, in + BLOCK, rest);
		err = blocks(op, tweaks[encrypt], x->block, BLOCK, out);
	}
	memzero_explicit(tweaks, sizeof(tweaks));
	return err;
}

static u32 xts_single(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct xts *x = luna_op_private(op, struct xts);
	u32 rest = len % BLOCK, whole = len - rest - (rest ? BLOCK : 0);
	int err = 0;

	*out_len = len;
	memcpy(x->tweak, x->first, BLOCK);
	if (whole)
		err = blocks(op, x->first, in, whole, out);
	if (!err && rest)
		err = stolen(op, in + whole, rest, out + whole);
	return luna_ckr(err);
}

const struct luna_op_ops luna_xts_ops = {
	.whole = BIT(LUNA_OP_ENCRYPT) | BIT(LUNA_OP_DECRYPT),
	.init = xts_init,
	.lens = xts_lens,
	.single = xts_single,
	.end = xts_end,
};
