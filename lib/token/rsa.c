// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * RSA mechanisms: PKCS#1 v1.5, raw (X.509), OAEP and PSS, to encrypt, sign and recover, on the raw
 * RSA of the provider and the encodings of rsa_pad.c.
 *
 * Providers disagree about the inputs 0, 1 and n - 1, which an odd exponent leaves as they are:
 * some refuse them. The raw mechanism answers them here.
 */
#include "mech.h"

enum { PKCS1_OVERHEAD = 11 };

/**
 * struct rsa - an operation
 * @attrs: the key's, referenced, so that @n stays
 * @n: modulus, @k bytes, the first one not zero
 * @hash, @mgf: of OAEP, PSS and hashed signatures
 * @label: of OAEP
 * @stream: of hashed signatures
 */
struct rsa {
	struct luna_rsa_key *key;
	struct luna_attrs *attrs;
	const u8 *n;
	u32 k;
	u32 mod_bits;
	enum luna_hash hash;
	enum luna_hash mgf;
	u32 salt_len;
	u8 *label;
	u32 label_len;
	struct luna_hash_stream *stream;
};

static const struct rsa *rsa_of(const struct luna_op_state *op)
{
	return (const struct rsa *)op->private;
}

/* ---- raw operations ---- */

int luna_rsa_private(struct luna_token *token, struct luna_rsa_key *key, const u8 *in, u8 *out,
		     u32 bytes)
{
	const struct luna_crypto_ops *c = token->crypto;
	u8 *work;
	int err;

	if (c->features & LUNA_CRYPTO_RSA_CHECKED)
		return c->rsa_private(key, in, out);
	work = kmalloc(2 * bytes, GFP_KERNEL);
	if (!work)
		return -ENOMEM;
	memcpy(work, in, bytes);
	err = c->rsa_private(key, in, out);
	if (!err)
		err = c->rsa_public(key, out, work + bytes);
	if (!err && crypto_memneq(work, work + bytes, bytes))
		err = -EIO;
	if (err)
		memzero_explicit(out, bytes);
	kfree_sensitive(work);
	return err;
}

/* 0, 1 or n - 1 */
static bool is_fixed_point(const struct rsa *rsa, const u8 *in)
{
	u32 last = rsa->k - 1;

	if (!memchr_inv(in, 0, last))
		return in[last] <= 1;
	return !memcmp(in, rsa->n, last) && in[last] == rsa->n[last] - 1;
}

/* Raw RSA with @in as long as the modulus; -EINVAL if it is not below it. */
static int rsa_raw(struct luna_op_state *op, bool private, const u8 *in, u8 *out)
{
	const struct rsa *rsa = rsa_of(op);

	if (memcmp(in, rsa->n, rsa->k) >= 0)
		return -EINVAL;
	if (is_fixed_point(rsa, in)) {
		memmove(out, in, rsa->k);
		return 0;
	}
	if (private)
		return luna_rsa_private(op->token, rsa->key, in, out, rsa->k);
	return op->token->crypto->rsa_public(rsa->key, in, out);
}

/* ---- parameters ---- */

static const struct {
	u32 mgf;
	enum luna_hash hash;
} mgfs[] = {
	{ CKG_MGF1_SHA1, LUNA_SHA1 }, { CKG_MGF1_SHA224, LUNA_SHA224 },
	{ CKG_MGF1_SHA256, LUNA_SHA256 }, { CKG_MGF1_SHA384, LUNA_SHA384 },
	{ CKG_MGF1_SHA512, LUNA_SHA512 },
	/* The standard's numbers and the vendor's, which came first */
	{ CKG_MGF1_SHA3_224_STD, LUNA_SHA3_224 }, { CKG_MGF1_SHA3_224, LUNA_SHA3_224 },
	{ CKG_MGF1_SHA3_256_STD, LUNA_SHA3_256 }, { CKG_MGF1_SHA3_256, LUNA_SHA3_256 },
	{ CKG_MGF1_SHA3_384_STD, LUNA_SHA3_384 }, { CKG_MGF1_SHA3_384, LUNA_SHA3_384 },
	{ CKG_MGF1_SHA3_512_STD, LUNA_SHA3_512 }, { CKG_MGF1_SHA3_512, LUNA_SHA3_512 },
};

/* Hash and MGF by their PKCS#11 names; false unless both are known and computed here. */
static bool param_hashes(const struct luna_op_state *op, struct rsa *rsa, u32 hash, u32 mgf)
{
	u32 i;

	if (!luna_mech_hash(op->token, hash, &rsa->hash))
		return false;
	for (i = 0; i < ARRAY_SIZE(mgfs); i++) {
		rsa->mgf = mgfs[i].hash;
		if (mgfs[i].mgf == mgf)
			return op->token->crypto->hashes & BIT(rsa->mgf);
	}
	return false;
}

static u32 param_none(struct luna_op_state *op, const u8 *param, u32 len)
{
	return len ? CKR_MECHANISM_PARAM_INVALID : CKR_OK;
}

/* An empty label may come without its source, as some clients send it. */
static u32 param_oaep(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct rsa *rsa = luna_op_private(op, struct rsa);
	struct luna_oaep_param p;

	if (len < sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, param, sizeof(p));
	if (p.source_len != len - sizeof(p) || !param_hashes(op, rsa, p.hash, p.mgf))
		return CKR_MECHANISM_PARAM_INVALID;
	if (p.source != CKZ_DATA_SPECIFIED && (p.source || p.source_len))
		return CKR_MECHANISM_PARAM_INVALID;
	if (rsa->k < 2 * luna_hash_len(rsa->hash) + 2)
		return CKR_KEY_SIZE_RANGE;
	if (!p.source_len)
		return CKR_OK;
	if (!luna_open_hold(op->session->open, p.source_len))
		return CKR_DEVICE_MEMORY;
	rsa->label_len = p.source_len;
	rsa->label = kvmalloc(p.source_len, GFP_KERNEL_ACCOUNT);
	if (!rsa->label)
		return CKR_DEVICE_MEMORY;
	memcpy(rsa->label, param + sizeof(p), p.source_len);
	return CKR_OK;
}

static u32 param_pss(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct rsa *rsa = luna_op_private(op, struct rsa);
	struct luna_pss_param p;
	u32 room;

	if (len != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, param, sizeof(p));
	if (p.reserved || !param_hashes(op, rsa, p.hash, p.mgf))
		return CKR_MECHANISM_PARAM_INVALID;
	if (op->mech->hash != LUNA_HASHES && op->mech->hash != rsa->hash)
		return CKR_MECHANISM_PARAM_INVALID;
	if (!luna_op_verifies(op) && !luna_hash_signs(op->token, rsa->hash))
		return CKR_MECHANISM_PARAM_INVALID;
	room = DIV_ROUND_UP(rsa->mod_bits - 1, 8);
	if (room < luna_hash_len(rsa->hash) + 2)
		return CKR_KEY_SIZE_RANGE;
	if (p.salt_len > room - luna_hash_len(rsa->hash) - 2)
		return CKR_MECHANISM_PARAM_INVALID;
	rsa->salt_len = p.salt_len;
	return CKR_OK;
}

/* ---- what the mechanisms differ in ---- */

/**
 * struct scheme - a mechanism between data and a number as long as the modulus
 * @param: takes the parameter
 * @room: most bytes of data that it encrypts or signs
 * @exact: and not fewer
 * @pad, @unpad: encryption; unpad writes at most k bytes
 * @pad_sign: signature
 * @verify: does em, out of a signature, belong to the data? NULL: compare with pad_sign()
 * @recover: data of a signature
 */
struct scheme {
	u32 (*param)(struct luna_op_state *op, const u8 *param, u32 len);
	u32 (*room)(const struct rsa *rsa);
	bool exact;
	int (*pad)(const struct luna_op_state *op, const u8 *msg, u32 len, u8 *em);
	int (*unpad)(const struct luna_op_state *op, const u8 *em, u8 *msg, u32 *len);
	int (*pad_sign)(const struct luna_op_state *op, const u8 *msg, u32 len, u8 *em);
	int (*verify)(const struct luna_op_state *op, const u8 *msg, u32 len, const u8 *em);
	int (*recover)(const struct luna_op_state *op, const u8 *em, u8 *msg, u32 *len);
};

static u32 pkcs_room(const struct rsa *rsa)
{
	return rsa->k - PKCS1_OVERHEAD;
}

static int pkcs_pad(const struct luna_op_state *op, const u8 *msg, u32 len, u8 *em)
{
	return luna_pkcs1_pad_encrypt(op->token->crypto, msg, len, em, rsa_of(op)->k);
}

static int pkcs_unpad(const struct luna_op_state *op, const u8 *em, u8 *msg, u32 *len)
{
	return luna_pkcs1_unpad_encrypt(em, rsa_of(op)->k, msg, len);
}

static int pkcs_pad_sign(const struct luna_op_state *op, const u8 *msg, u32 len, u8 *em)
{
	return luna_pkcs1_pad_sign(op->mech->hash, msg, len, em, rsa_of(op)->k);
}

/* 00 01 ff ... ff 00 data, with at least 8 ff; all of it is public. */
static int pkcs_recover(const struct luna_op_state *op, const u8 *em, u8 *msg, u32 *len)
{
	u32 k = rsa_of(op)->k, at = 2;

	while (at < k && em[at] == 0xff)
		at++;
	if (em[0] != 0 || em[1] != 1 || at < PKCS1_OVERHEAD - 1 || at == k || em[at] != 0)
		return -EBADMSG;
	*len = k - at - 1;
	memcpy(msg, em + at + 1, *len);
	return 0;
}

static u32 raw_room(const struct rsa *rsa)
{
	return rsa->k;
}

static int raw_pad(const struct luna_op_state *op, const u8 *msg, u32 len, u8 *em)
{
	u32 k = rsa_of(op)->k;

	memset(em, 0, k - len);
	if (len)
		memcpy(em + k - len, msg, len);
	return 0;
}

static int raw_unpad(const struct luna_op_state *op, const u8 *em, u8 *msg, u32 *len)
{
	*len = rsa_of(op)->k;
	memcpy(msg, em, *len);
	return 0;
}

static u32 oaep_room(const struct rsa *rsa)
{
	return rsa->k - 2 * luna_hash_len(rsa->hash) - 2;
}

static int oaep_pad(const struct luna_op_state *op, const u8 *msg, u32 len, u8 *em)
{
	const struct rsa *rsa = rsa_of(op);

	return luna_oaep_pad(op->token->crypto, rsa->hash, rsa->mgf, rsa->label, rsa->label_len,
			     msg, len, em, rsa->k);
}

static int oaep_unpad(const struct luna_op_state *op, const u8 *em, u8 *msg, u32 *len)
{
	const struct rsa *rsa = rsa_of(op);

	return luna_oaep_unpad(op->token->crypto, rsa->hash, rsa->mgf, rsa->label, rsa->label_len,
			       em, rsa->k, msg, len);
}

static u32 pss_room(const struct rsa *rsa)
{
	return luna_hash_len(rsa->hash);
}

static int pss_pad_sign(const struct luna_op_state *op, const u8 *msg, u32 len, u8 *em)
{
	const struct rsa *rsa = rsa_of(op);

	return luna_pss_pad(op->token->crypto, rsa->hash, rsa->mgf, rsa->salt_len, msg, em,
			    rsa->mod_bits);
}

static int pss_verify(const struct luna_op_state *op, const u8 *msg, u32 len, const u8 *em)
{
	const struct rsa *rsa = rsa_of(op);

	return luna_pss_verify(op->token->crypto, rsa->hash, rsa->mgf, rsa->salt_len, msg, em,
			       rsa->mod_bits);
}

static const struct scheme schemes[] = {
	[LUNA_RSA_RAW] = {
		.param = param_none, .room = raw_room, .pad = raw_pad, .unpad = raw_unpad,
		.pad_sign = raw_pad, .recover = raw_unpad,
	},
	[LUNA_RSA_PKCS] = {
		.param = param_none, .room = pkcs_room, .pad = pkcs_pad, .unpad = pkcs_unpad,
		.pad_sign = pkcs_pad_sign, .recover = pkcs_recover,
	},
	[LUNA_RSA_OAEP] = {
		.param = param_oaep, .room = oaep_room, .pad = oaep_pad, .unpad = oaep_unpad,
	},
	[LUNA_RSA_PSS] = {
		.param = param_pss, .room = pss_room, .exact = true, .pad_sign = pss_pad_sign,
		.verify = pss_verify,
	},
};

static const struct scheme *scheme_of(const struct luna_op_state *op)
{
	return &schemes[op->mech->variant];
}

/* ---- begin and end ---- */

/* The modulus of the key, which the object's attributes hold. */
static u32 take_modulus(struct luna_op_state *op, struct rsa *rsa)
{
	struct luna_attrs *attrs = luna_object_attrs(op->token, op->obj);
	const u8 *n;
	u32 len;

	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	rsa->attrs = attrs;
	n = luna_attrs_bytes(attrs, CKA_MODULUS, &len);
	while (n && len && !*n) {
		n++;
		len--;
	}
	if (!n || !len || len != rsa->k)
		return CKR_FUNCTION_FAILED;
	rsa->n = n;
	rsa->mod_bits = 8 * (len - 1) + fls(*n);
	return CKR_OK;
}

static u32 rsa_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct rsa *rsa = luna_op_private(op, struct rsa);
	u32 rv;

	rsa->key = luna_object_rsa(op->token, op->obj, &rsa->k);
	if (IS_ERR(rsa->key))
		return luna_ckr(PTR_ERR(rsa->key));
	rv = take_modulus(op, rsa);
	if (rv != CKR_OK)
		return rv;
	if (rsa->k <= PKCS1_OVERHEAD ||
	    !luna_mech_key_size(op->token, op->mech, luna_op_verifies(op), rsa->k))
		return CKR_KEY_SIZE_RANGE;
	return scheme_of(op)->param(op, param, len);
}

static void rsa_end(struct luna_op_state *op)
{
	struct rsa *rsa = luna_op_private(op, struct rsa);

	if (rsa->stream)
		op->token->crypto->hash_end(rsa->stream);
	kvfree_sensitive(rsa->label, rsa->label_len);
	luna_open_unhold(op->session->open, rsa->label_len);
	luna_attrs_put(rsa->attrs);
}

static u32 rsa_restart(struct luna_op_state *op)
{
	return CKR_OK;
}

/* ---- encrypt, decrypt ---- */

static u32 rsa_crypt_lens(const struct luna_op_state *op, u64 in_len, bool finish,
			  struct luna_op_lens *lens)
{
	const struct rsa *rsa = rsa_of(op);
	u32 room = scheme_of(op)->room(rsa);

	if (op->kind == LUNA_OP_ENCRYPT) {
		*lens = (struct luna_op_lens){ .most = rsa->k, .least = rsa->k };
		return in_len > room ? CKR_DATA_LEN_RANGE : CKR_OK;
	}
	lens->most = room;
	lens->least = op->mech->variant == LUNA_RSA_RAW ? room : 0;
	return in_len != rsa->k ? CKR_ENCRYPTED_DATA_LEN_RANGE : CKR_OK;
}

/* @em: as long as the modulus. */
static u32 rsa_encrypt(struct luna_op_state *op, const u8 *in, u32 len, u8 *em, u8 *out)
{
	int err = scheme_of(op)->pad(op, in, len, em);

	if (err)
		return luna_ckr(err);
	err = rsa_raw(op, false, em, out);
	return err == -EINVAL ? CKR_DATA_INVALID : luna_ckr(err);
}

/* @em: twice as long as the modulus; all that is wrong with the data has one name. */
static u32 rsa_decrypt(struct luna_op_state *op, const u8 *in, u8 *em, u8 *out, u32 *out_len)
{
	u32 k = rsa_of(op)->k;
	int err = rsa_raw(op, true, in, em);

	if (!err)
		err = scheme_of(op)->unpad(op, em, em + k, out_len);
	if (!err)
		memcpy(out, em + k, *out_len);
	return err == -EINVAL || err == -EBADMSG ? CKR_ENCRYPTED_DATA_INVALID : luna_ckr(err);
}

static u32 rsa_crypt_single(struct luna_op_state *op, const u8 *in, u32 len, u8 *out,
			    u32 *out_len)
{
	u32 k = rsa_of(op)->k, rv;
	u8 *em = kmalloc(2 * k, GFP_KERNEL);

	if (!em)
		return CKR_DEVICE_MEMORY;
	*out_len = k;
	if (op->kind == LUNA_OP_ENCRYPT)
		rv = rsa_encrypt(op, in, len, em, out);
	else
		rv = rsa_decrypt(op, in, em, out, out_len);
	kfree_sensitive(em);
	return rv;
}

const struct luna_op_ops luna_rsa_crypt_ops = {
	.whole = BIT(LUNA_OP_ENCRYPT) | BIT(LUNA_OP_DECRYPT),
	.single_part = true,
	.init = rsa_init,
	.lens = rsa_crypt_lens,
	.single = rsa_crypt_single,
	.restart = rsa_restart,
	.end = rsa_end,
};

/* ---- sign, verify, recover ---- */

static u32 rsa_sign_lens(const struct luna_op_state *op, u64 in_len, bool finish,
			 struct luna_op_lens *lens)
{
	const struct rsa *rsa = rsa_of(op);
	u32 room = scheme_of(op)->room(rsa);

	*lens = (struct luna_op_lens){ .most = rsa->k, .least = rsa->k };
	if (op->kind == LUNA_OP_VERIFY_RECOVER) {
		lens->most = room;
		lens->least = op->mech->variant == LUNA_RSA_RAW ? room : 0;
		return in_len != rsa->k ? CKR_SIGNATURE_LEN_RANGE : CKR_OK;
	}
	if (in_len > room || (scheme_of(op)->exact && in_len < room))
		return CKR_DATA_LEN_RANGE;
	return CKR_OK;
}

static u32 sign(struct luna_op_state *op, const u8 *msg, u32 len, u8 *out)
{
	u8 *em = kmalloc(rsa_of(op)->k, GFP_KERNEL);
	u32 rv;
	int err;

	if (!em)
		return CKR_DEVICE_MEMORY;
	err = scheme_of(op)->pad_sign(op, msg, len, em);
	rv = luna_ckr(err);
	if (!err) {
		err = rsa_raw(op, true, em, out);
		rv = err == -EINVAL ? CKR_DATA_INVALID : luna_ckr(err);
	}
	kfree_sensitive(em);
	return rv;
}

static int compare_padded(struct luna_op_state *op, const u8 *msg, u32 len, const u8 *em,
			  u8 *expected)
{
	int err = scheme_of(op)->pad_sign(op, msg, len, expected);

	if (!err && crypto_memneq(em, expected, rsa_of(op)->k))
		err = -EBADMSG;
	return err;
}

static u32 verify(struct luna_op_state *op, const u8 *msg, u32 len, const u8 *sig)
{
	const struct scheme *scheme = scheme_of(op);
	u32 k = rsa_of(op)->k;
	u8 *em = kmalloc(2 * k, GFP_KERNEL);
	int err;

	if (!em)
		return CKR_DEVICE_MEMORY;
	err = rsa_raw(op, false, sig, em);
	if (!err && scheme->verify)
		err = scheme->verify(op, msg, len, em);
	else if (!err)
		err = compare_padded(op, msg, len, em, em + k);
	kfree_sensitive(em);
	return err == -EINVAL || err == -EBADMSG ? CKR_SIGNATURE_INVALID : luna_ckr(err);
}

static u32 recover(struct luna_op_state *op, const u8 *sig, u8 *out, u32 *out_len)
{
	u8 *em = kmalloc(rsa_of(op)->k, GFP_KERNEL);
	int err;

	if (!em)
		return CKR_DEVICE_MEMORY;
	err = rsa_raw(op, false, sig, em);
	if (!err)
		err = scheme_of(op)->recover(op, em, out, out_len);
	kfree_sensitive(em);
	return err == -EINVAL || err == -EBADMSG ? CKR_SIGNATURE_INVALID : luna_ckr(err);
}

static u32 rsa_sign_single(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	if (op->kind == LUNA_OP_VERIFY_RECOVER)
		return recover(op, in, out, out_len);
	*out_len = rsa_of(op)->k;
	return sign(op, in, len, out);
}

static u32 rsa_sign_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig,
			   u32 sig_len)
{
	return verify(op, in, len, sig);
}

const struct luna_op_ops luna_rsa_sign_ops = {
	.whole = BIT(LUNA_OP_SIGN) | BIT(LUNA_OP_VERIFY) | BIT(LUNA_OP_SIGN_RECOVER) |
		 BIT(LUNA_OP_VERIFY_RECOVER),
	.single_part = true,
	.init = rsa_init,
	.lens = rsa_sign_lens,
	.single = rsa_sign_single,
	.verify = rsa_sign_verify,
	.restart = rsa_restart,
	.end = rsa_end,
};

/* ---- hash, then sign or verify ---- */

/* The longest DigestInfo prefix; a key that is too short for it is too short for anything. */
enum { DIGEST_INFO_MAX = 19 };

static u32 rsa_hash_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct rsa *rsa = luna_op_private(op, struct rsa);
	struct luna_hash_stream *stream;
	u32 rv = rsa_init(op, param, len);

	if (rv != CKR_OK)
		return rv;
	rsa->hash = op->mech->hash;
	if (rsa->k < PKCS1_OVERHEAD + DIGEST_INFO_MAX + luna_hash_len(rsa->hash) &&
	    op->mech->variant == LUNA_RSA_PKCS)
		return CKR_KEY_SIZE_RANGE;
	stream = op->token->crypto->hash_begin(rsa->hash);
	if (IS_ERR(stream))
		return luna_ckr(PTR_ERR(stream));
	rsa->stream = stream;
	return CKR_OK;
}

static u32 rsa_hash_lens(const struct luna_op_state *op, u64 in_len, bool finish,
			 struct luna_op_lens *lens)
{
	lens->most = finish ? rsa_of(op)->k : 0;
	lens->least = lens->most;
	return CKR_OK;
}

static u32 rsa_hash_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	*out_len = 0;
	if (!len)
		return CKR_OK;
	return luna_ckr(op->token->crypto->hash_update(rsa_of(op)->stream, in, len));
}

static u32 rsa_hash_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	const struct rsa *rsa = rsa_of(op);
	u8 digest[LUNA_HASH_MAX];
	int err = op->token->crypto->hash_final(rsa->stream, digest);

	if (err)
		return luna_ckr(err);
	*out_len = rsa->k;
	return sign(op, digest, luna_hash_len(rsa->hash), out);
}

static u32 rsa_hash_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig,
			   u32 sig_len)
{
	const struct rsa *rsa = rsa_of(op);
	u8 digest[LUNA_HASH_MAX];
	int err = op->token->crypto->hash_final(rsa->stream, digest);

	if (err)
		return luna_ckr(err);
	return verify(op, digest, luna_hash_len(rsa->hash), sig);
}

const struct luna_op_ops luna_rsa_hash_sign_ops = {
	.init = rsa_hash_init,
	.lens = rsa_hash_lens,
	.update = rsa_hash_update,
	.final = rsa_hash_final,
	.verify = rsa_hash_verify,
	.end = rsa_end,
};
