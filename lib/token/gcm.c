// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES-GCM (NIST SP 800-38D): the provider's, or, where that is missing or takes IVs of 12 bytes
 * only, one built of its CTR mode and our GHASH. A provider may compute whole messages faster than
 * streams (gcm_once): then Init only keeps IV and AAD, until it shows how the data come.
 *
 * Encryption is a stream. Decryption gets all ciphertext at once (op.c gathers it) and releases
 * nothing before the tag was found right. An encryption without an IV gets one drawn by the token,
 * 16 bytes, which the product appends behind ciphertext and tag; decryption takes it as its
 * parameter.
 *
 * GMAC is GCM without text: what is signed is the AAD, as it comes.
 */
#include "ghash.h"
#include "mech.h"

enum {
	BLOCK = LUNA_AES_BLOCK,
	IV_USUAL = 12,
	IV_MAX = 256,
	IV_PROVIDER_MAX = 128,	/* what OpenSSL takes */
	IV_DRAWN = 16,
	AAD_KEPT_MAX = 1024,	/* less than the stream that is not there instead: LUNA_OP_BYTES */
	TAG_MIN_BITS = 32,
};

/* 2^32 counter blocks less J0 and one. */
static const u64 gcm_max = ((1ULL << 32) - 2) * BLOCK;

/**
 * struct gcm - an operation
 * @stream: the provider's GCM, or CTR; NULL while the operation @waits
 * @waits: for its data, with @iv, @aad and @aad_len kept, and nothing computed
 * @built: ours: @hash and what follows it are in use
 * @drawn: length of @iv that goes behind the tag, or 0
 * @done: bytes of text so far
 * @aad: while the operation @waits; heap memory
 * @aad_len: bytes of AAD
 * @tag: to be compared
 * @left: bytes until the 32-bit counter wraps, which the provider's counter does not
 * @counter: J0
 * @mask: E(J0)
 */
struct gcm {
	struct luna_cipher_stream *stream;
	bool waits;
	bool built;
	u8 tag_len;
	u8 drawn;
	u64 done;
	u8 iv[IV_DRAWN];
	u8 tag[BLOCK];
	u8 *aad;
	struct luna_ghash hash;
	u64 aad_len;
	u64 left;
	u8 counter[BLOCK];
	u8 mask[BLOCK];
};

/* ---- GCM of CTR and GHASH ---- */

static int ctr_begin(struct luna_op_state *op)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	const struct luna_crypto_ops *crypto = op->token->crypto;
	struct luna_aes_key *key = luna_object_aes(op->token, op->obj);
	struct luna_cipher_stream *stream;

	if (IS_ERR(key))
		return PTR_ERR(key);
	if (g->stream)
		crypto->cipher_end(g->stream);
	g->stream = NULL;
	stream = crypto->cipher_begin(key, LUNA_CTR, true, g->counter, BLOCK);
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	g->stream = stream;
	g->left = ((1ULL << 32) - get_unaligned_be32(g->counter + BLOCK - 4)) * BLOCK;
	return 0;
}

static int ctr_crypt(struct luna_op_state *op, const u8 *in, u32 len, u8 *out)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	u32 part;
	int err;

	while (len) {
		if (!g->left) {
			memset(g->counter + BLOCK - 4, 0, 4);
			err = ctr_begin(op);
			if (err)
				return err;
		}
		part = min_t(u64, len, g->left);
		err = op->token->crypto->cipher_update(g->stream, in, part, out);
		if (err)
			return err;
		g->left -= part;
		in += part;
		out += part;
		len -= part;
	}
	return 0;
}

/* J0: the IV and a one, or the hash of the IV. */
static void first_counter(struct gcm *g, const u8 *iv, u32 iv_len)
{
	if (iv_len == IV_USUAL) {
		memcpy(g->counter, iv, IV_USUAL);
		put_unaligned_be32(1, g->counter + IV_USUAL);
		return;
	}
	luna_ghash_update(&g->hash, iv, iv_len);
	luna_ghash_final(&g->hash, 0, iv_len, g->counter);
}

/* @mask serves as the zeros that CTR turns into key stream, and for the hash key E(0) first. */
static int built_begin(struct luna_op_state *op, const u8 *iv, u32 iv_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	int err;

	g->built = true;
	err = ctr_begin(op);
	if (!err)
		err = ctr_crypt(op, g->mask, BLOCK, g->mask);
	if (err)
		return err;
	luna_ghash_init(&g->hash, g->mask);
	memset(g->mask, 0, BLOCK);
	first_counter(g, iv, iv_len);
	err = ctr_begin(op);
	return err ? err : ctr_crypt(op, g->mask, BLOCK, g->mask);
}

static void built_aad(struct gcm *g, const u8 *aad, u32 len)
{
	luna_ghash_update(&g->hash, aad, len);
	luna_ghash_pad(&g->hash);
	g->aad_len = len;
}

static void built_tag(struct gcm *g, u64 text_len, u8 tag[BLOCK])
{
	u32 i;

	luna_ghash_final(&g->hash, g->aad_len, text_len, tag);
	for (i = 0; i < BLOCK; i++)
		tag[i] ^= g->mask[i];
}

/* The tag is compared first: nothing is decrypted that is not genuine. */
static int built_open(struct luna_op_state *op, const u8 *in, u32 len, u8 *out)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	u8 tag[BLOCK];
	bool wrong;

	luna_ghash_update(&g->hash, in, len);
	built_tag(g, len, tag);
	wrong = crypto_memneq(tag, g->tag, g->tag_len);
	memzero_explicit(tag, sizeof(tag));
	return wrong ? -EBADMSG : ctr_crypt(op, in, len, out);
}

/* ---- Init ---- */

/* IV and AAD in the parameter; ulIvBits is 0 where a client does not know the field. */
static bool gcm_param(const struct luna_op_state *op, const u8 *param, u32 len,
		      struct luna_gcm_param *p)
{
	if (len < sizeof(*p))
		return false;
	memcpy(p, param, sizeof(*p));
	len -= sizeof(*p);
	if (p->iv_len > IV_MAX || p->iv_len > len || p->aad_len != len - p->iv_len)
		return false;
	if (p->tag_bits < TAG_MIN_BITS || p->tag_bits > 8 * BLOCK || p->tag_bits % 8)
		return false;
	if (p->iv_len)
		return !p->iv_bits || p->iv_bits == 8 * p->iv_len;
	return op->kind == LUNA_OP_ENCRYPT;
}

static bool provider_takes(const struct luna_crypto_ops *c, u32 iv_len)
{
	if (!(c->modes & BIT(LUNA_GCM)))
		return false;
	return iv_len == IV_USUAL ||
	       (c->features & LUNA_CRYPTO_GCM_ANY_IV && iv_len <= IV_PROVIDER_MAX);
}

static int provider_begin(struct luna_op_state *op, const u8 *iv, u32 iv_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	struct luna_aes_key *key = luna_object_aes(op->token, op->obj);
	struct luna_cipher_stream *stream;

	if (IS_ERR(key))
		return PTR_ERR(key);
	stream = op->token->crypto->cipher_begin(key, LUNA_GCM, op->kind != LUNA_OP_DECRYPT, iv,
						 iv_len);
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	g->stream = stream;
	return 0;
}

static int gcm_begin(struct luna_op_state *op, const u8 *iv, u32 iv_len, const u8 *aad, u32 aad_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	int err;

	if (!provider_takes(op->token->crypto, iv_len)) {
		err = built_begin(op, iv, iv_len);
		if (!err)
			built_aad(g, aad, aad_len);
		return err;
	}
	err = provider_begin(op, iv, iv_len);
	if (!err && aad_len)
		err = op->token->crypto->cipher_aad(g->stream, aad, aad_len);
	return err;
}

/* Is it worth waiting whether all data come at once? A tag cut short is not for gcm_once(). */
static bool may_wait(const struct luna_op_state *op, u32 iv_len, u32 aad_len)
{
	const struct gcm *g = luna_op_private(op, const struct gcm);

	return op->token->crypto->gcm_once && iv_len == IV_USUAL && aad_len <= AAD_KEPT_MAX &&
	       (op->kind == LUNA_OP_ENCRYPT || g->tag_len == BLOCK);
}

static int gcm_wait(struct luna_op_state *op, const u8 *iv, const u8 *aad, u32 aad_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	struct luna_aes_key *key = luna_object_aes(op->token, op->obj);

	if (IS_ERR(key))
		return PTR_ERR(key);
	if (aad_len) {
		g->aad = kmemdup(aad, aad_len, GFP_KERNEL_ACCOUNT);
		if (!g->aad)
			return -ENOMEM;
	}
	memcpy(g->iv, iv, IV_USUAL);
	g->aad_len = aad_len;
	g->waits = true;
	return 0;
}

static void aad_drop(struct gcm *g)
{
	kfree_sensitive(g->aad);
	g->aad = NULL;
}

/* No more waiting: the data come in parts, or in a way that gcm_once() does not take. */
static int gcm_go(struct luna_op_state *op)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	int err;

	if (!g->waits)
		return 0;
	g->waits = false;
	err = gcm_begin(op, g->iv, IV_USUAL, g->aad, g->aad_len);
	aad_drop(g);
	return err;
}

/* -EOPNOTSUPP: not in this way. */
static int gcm_at_once(struct luna_op_state *op, const u8 *in, u32 len, u8 *out)
{
	struct gcm *g = luna_op_private(op, struct gcm);

	if (!g->waits)
		return -EOPNOTSUPP;
	return op->token->crypto->gcm_once(luna_object_aes(op->token, op->obj),
					   op->kind == LUNA_OP_ENCRYPT, g->iv, g->aad, g->aad_len,
					   in, len, out, g->tag);
}

/* In FIPS mode an encryption takes no IV but those of the token (SP 800-38D, 8.2 and 9.1). */
static bool iv_forbidden(const struct luna_op_state *op, u32 iv_len)
{
	return iv_len && !op->iv_made && op->kind == LUNA_OP_ENCRYPT && luna_fips_mode(op->token);
}

static u32 gcm_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	struct luna_gcm_param p;
	const u8 *iv, *aad;
	int err;

	if (!gcm_param(op, param, len, &p) || iv_forbidden(op, p.iv_len))
		return CKR_MECHANISM_PARAM_INVALID;
	iv = param + sizeof(p);
	aad = iv + p.iv_len;
	g->tag_len = p.tag_bits / 8;
	if (!p.iv_len) {
		err = op->token->crypto->random(g->iv, IV_DRAWN);
		if (err)
			return luna_ckr(err);
		iv = g->iv;
		p.iv_len = IV_DRAWN;
		g->drawn = IV_DRAWN;
	}
	err = may_wait(op, p.iv_len, p.aad_len) ? gcm_wait(op, iv, aad, p.aad_len) :
						  gcm_begin(op, iv, p.iv_len, aad, p.aad_len);
	return err ? luna_key_ckr(err) : CKR_OK;
}

/* ---- data ---- */

static u32 gcm_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		    struct luna_op_lens *lens)
{
	const struct gcm *g = luna_op_private(op, const struct gcm);

	if (op->kind == LUNA_OP_DECRYPT) {
		if (in_len < g->tag_len)
			return CKR_ENCRYPTED_DATA_LEN_RANGE;
		lens->most = in_len - g->tag_len;
	} else {
		if (in_len > gcm_max - g->done)
			return CKR_DATA_LEN_RANGE;
		lens->most = in_len + (finish ? g->tag_len + g->drawn : 0);
	}
	lens->least = lens->most;
	return CKR_OK;
}

static u32 gcm_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	int err = gcm_go(op);

	if (err)
		return luna_key_ckr(err);
	*out_len = len;
	g->done += len;
	if (!g->built)
		return luna_ckr(op->token->crypto->cipher_update(g->stream, in, len, out));
	err = ctr_crypt(op, in, len, out);
	if (!err)
		luna_ghash_update(&g->hash, out, len);
	return luna_ckr(err);
}

/* Behind the text: tag and IV */
static u32 put_trailer(const struct gcm *g, u8 *out)
{
	memcpy(out, g->tag, g->tag_len);
	memcpy(out + g->tag_len, g->iv, g->drawn);
	return g->tag_len + g->drawn;
}

/* The tag of all that came, in g->tag */
static u32 gcm_tag(struct luna_op_state *op)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	int err = gcm_go(op);

	if (err)
		return luna_key_ckr(err);
	if (!g->built)
		return luna_ckr(op->token->crypto->cipher_tag(g->stream, g->tag, g->tag_len));
	built_tag(g, g->done, g->tag);
	return CKR_OK;
}

static u32 gcm_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	u32 rv = gcm_tag(op);

	*out_len = put_trailer(luna_op_private(op, struct gcm), out);
	return rv;
}

static int provider_open(struct luna_op_state *op, const u8 *in, u32 len, u8 *out)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	const struct luna_crypto_ops *crypto = op->token->crypto;
	int err = 0;

	if (len)
		err = crypto->cipher_update(g->stream, in, len, out);
	return err ? err : crypto->cipher_tag(g->stream, g->tag, g->tag_len);
}

static u32 gcm_seal(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	int err = gcm_at_once(op, in, len, out);
	u32 rest = 0, rv = CKR_OK;

	if (!err)
		*out_len = len + put_trailer(g, out + len);
	if (err != -EOPNOTSUPP)
		return luna_ckr(err);
	if (len)
		rv = gcm_update(op, in, len, out, out_len);
	if (rv == CKR_OK)
		rv = gcm_final(op, out + *out_len, &rest);
	*out_len += rest;
	return rv;
}

/* What a wrong tag leaves in @out is wiped by op.c. */
static u32 gcm_open(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	u32 text = len - g->tag_len;
	int err;

	memcpy(g->tag, in + text, g->tag_len);
	*out_len = text;
	err = gcm_at_once(op, in, text, out);
	if (err == -EOPNOTSUPP) {
		err = gcm_go(op);
		if (err)
			return luna_key_ckr(err);
		err = g->built ? built_open(op, in, text, out) : provider_open(op, in, text, out);
	}
	return err == -EBADMSG ? CKR_ENCRYPTED_DATA_INVALID : luna_ckr(err);
}

static u32 gcm_single(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	return op->kind == LUNA_OP_ENCRYPT ? gcm_seal(op, in, len, out, out_len) :
					     gcm_open(op, in, len, out, out_len);
}

static void gcm_end(struct luna_op_state *op)
{
	struct gcm *g = luna_op_private(op, struct gcm);

	if (g->stream)
		op->token->crypto->cipher_end(g->stream);
	aad_drop(g);
}

const struct luna_op_ops luna_gcm_ops = {
	.whole = BIT(LUNA_OP_DECRYPT),
	.shortcut = BIT(LUNA_OP_ENCRYPT),
	.init = gcm_init,
	.lens = gcm_lens,
	.update = gcm_update,
	.final = gcm_final,
	.single = gcm_single,
	.end = gcm_end,
};

/* ---- GMAC ---- */

/* An IV that the token draws would have no place in a signature. */
static u32 gmac_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	struct luna_gcm_param p;
	int err;

	if (!gcm_param(op, param, len, &p) || p.aad_len)
		return CKR_MECHANISM_PARAM_INVALID;
	g->tag_len = p.tag_bits / 8;
	err = gcm_begin(op, param + sizeof(p), p.iv_len, NULL, 0);
	return err ? luna_key_ckr(err) : CKR_OK;
}

static u32 gmac_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		     struct luna_op_lens *lens)
{
	const struct gcm *g = luna_op_private(op, const struct gcm);

	lens->most = finish ? g->tag_len : 0;
	lens->least = lens->most;
	return CKR_OK;
}

static u32 gmac_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);

	*out_len = 0;
	if (!g->built)
		return luna_ckr(op->token->crypto->cipher_aad(g->stream, in, len));
	luna_ghash_update(&g->hash, in, len);
	g->aad_len += len;
	return CKR_OK;
}

static u32 gmac_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig, u32 sig_len)
{
	struct gcm *g = luna_op_private(op, struct gcm);
	u32 rv = gcm_tag(op);

	if (rv)
		return rv;
	return crypto_memneq(g->tag, sig, g->tag_len) ? CKR_SIGNATURE_INVALID : CKR_OK;
}

const struct luna_op_ops luna_gmac_ops = {
	.init = gmac_init,
	.lens = gmac_lens,
	.update = gmac_update,
	.final = gcm_final,
	.verify = gmac_verify,
	.end = gcm_end,
};
