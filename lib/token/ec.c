// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * ECDSA and EdDSA (PKCS#11 v3.0, 2.3.6 to 2.3.14), and EC keys between attributes and provider.
 *
 * CKM_ECDSA signs a digest of any length, of which ECDSA takes as many of the leftmost bits as the
 * order has; multi-part calls give it in pieces, as the product has it. An empty digest is refused:
 * it would stand for zero, for which anyone can make signatures.
 */
#include "ec.h"
#include "mech.h"

/**
 * struct ec - an operation
 * @bytes: of the order, half a signature
 * @stream, @digest: of hashed signatures
 */
struct ec {
	struct luna_ec_key *key;
	u32 bytes;
	struct luna_hash_stream *stream;
	u8 digest[LUNA_HASH_MAX];
};

static const struct ec *ec_of(const struct luna_op_state *op)
{
	return (const struct ec *)op->private;
}

/* ---- keys ---- */

/* Some clients give a sign byte, or more zeros than that, in front. */
static bool take_value(const struct luna_tmpl *tmpl, struct luna_der_ec *key)
{
	u32 bytes = luna_curve_bytes(key->curve);
	struct luna_num *value = &key->value;

	value->data = luna_tmpl_get(tmpl, CKA_VALUE, &value->len);
	if (!value->data)
		return true;
	if (!luna_curve_is_weierstrass(key->curve))
		return value->len == bytes;
	while (value->len > bytes && !*value->data) {
		value->data++;
		value->len--;
	}
	return value->len && value->len <= bytes;
}

u32 luna_ec_take(const struct luna_tmpl *tmpl, u32 key_type, struct luna_der_ec *key)
{
	const u8 *params, *point;
	u32 len, rv;

	memset(key, 0, sizeof(*key));
	params = luna_tmpl_get(tmpl, CKA_EC_PARAMS, &len);
	rv = luna_curve_find(luna_key_type_standard(key_type), params, len, &key->curve);
	if (rv)
		return rv;
	point = luna_tmpl_get(tmpl, CKA_EC_POINT, &len);
	if (point && !luna_ec_point(key->curve, point, len, &key->point))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return take_value(tmpl, key) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static int try_public(const struct luna_crypto_ops *c, const struct luna_der_ec *key, u8 *point)
{
	struct luna_ec_key *made = c->ec_key(key->curve, &key->point, NULL);

	if (IS_ERR(made))
		return PTR_ERR(made);
	c->ec_key_free(made);
	memcpy(point, key->point.data, key->point.len);
	return 0;
}

u32 luna_ec_try(struct luna_token *token, const struct luna_der_ec *key, u32 wrong, u8 *point)
{
	const struct luna_crypto_ops *c = token->crypto;
	int err;

	if (!(luna_curves(token) & BIT(key->curve)))
		return CKR_CURVE_NOT_SUPPORTED;
	if (key->value.len)
		err = c->ec_public(key->curve, &key->value, point);
	else
		err = try_public(c, key, point);
	if (!err && key->point.len && memcmp(point, key->point.data, key->point.len))
		err = -EINVAL;
	return err == -EINVAL ? wrong : luna_ckr(err);
}

struct luna_ec_key *luna_ec_make(struct luna_token *token, const struct luna_attrs *attrs,
				 u32 key_type, bool private, enum luna_curve *curve)
{
	const struct luna_tmpl tmpl = luna_attrs_tmpl(attrs);
	struct luna_ec_key *made;
	struct luna_der_ec key;

	if (luna_ec_take(&tmpl, key_type, &key) ||
	    (private ? !key.value.len : !key.point.len))
		return ERR_PTR(-EINVAL);
	if (!(token->crypto->curves & BIT(key.curve)))
		return ERR_PTR(-EOPNOTSUPP);
	*curve = key.curve;
	made = private ? token->crypto->ec_key(key.curve, NULL, &key.value) :
			 token->crypto->ec_key(key.curve, &key.point, NULL);
	return made;
}

u32 luna_ec_use(struct luna_token *token, struct luna_object *obj, struct luna_ec_key **key,
		enum luna_curve *curve)
{
	*key = luna_object_ec(token, obj, curve);
	if (IS_ERR(*key))
		return luna_key_ckr(PTR_ERR(*key));
	return luna_curves(token) & BIT(*curve) ? CKR_OK : CKR_CURVE_NOT_SUPPORTED;
}

void luna_ec_attrs(struct luna_attrw *w, enum luna_curve curve, const u8 *point,
		   const struct luna_num *value)
{
	u8 der[LUNA_EC_POINT_DER_MAX], padded[LUNA_EC_MAX];
	u32 bytes = luna_curve_bytes(curve);

	if (value) {
		memset(padded, 0, bytes - value->len);
		memcpy(padded + bytes - value->len, value->data, value->len);
	}
	luna_attrw_set(w, CKA_EC_POINT, der, luna_ec_point_der(curve, point, der));
	if (!value)
		return;
	luna_attrw_set(w, CKA_VALUE, padded, bytes);
	memzero_explicit(padded, sizeof(padded));
}

/* ---- begin and end ---- */

static u32 ec_start(struct luna_op_state *op)
{
	struct ec *ec = luna_op_private(op, struct ec);
	enum luna_curve curve;
	u32 rv = luna_ec_use(op->token, op->obj, &ec->key, &curve);

	if (rv)
		return rv;
	/* The mechanism may be listed for another curve's sake. */
	if (!(op->token->crypto->curves_sign & BIT(curve)))
		return luna_key_ckr(-EOPNOTSUPP);
	ec->bytes = luna_curve_bytes(curve);
	return CKR_OK;
}

static u32 ecdsa_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	return len ? CKR_MECHANISM_PARAM_INVALID : ec_start(op);
}

/*
 * CK_EDDSA_PARAMS that ask for nothing are taken for none. The prehashed variant and contexts are
 * refused, as no provider has them.
 */
static u32 eddsa_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct luna_eddsa_param p = {};

	if (len && len < sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	if (len)
		memcpy(&p, param, sizeof(p));
	if (p.prehash || p.context_len || len > sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	return ec_start(op);
}

static void ec_end(struct luna_op_state *op)
{
	struct ec *ec = luna_op_private(op, struct ec);

	if (ec->stream)
		op->token->crypto->hash_end(ec->stream);
}

/* ---- a digest, or a message, at once ---- */

static u32 ec_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		   struct luna_op_lens *lens)
{
	lens->most = finish ? 2 * ec_of(op)->bytes : 0;
	lens->least = lens->most;
	return CKR_OK;
}

static u32 ecdsa_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		      struct luna_op_lens *lens)
{
	return in_len ? ec_lens(op, in_len, finish, lens) : CKR_DATA_LEN_RANGE;
}

static u32 ec_sign(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	const struct ec *ec = ec_of(op);

	*out_len = 2 * ec->bytes;
	return luna_ckr(op->token->crypto->ec_sign(ec->key, in, len, out));
}

static u32 ec_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig)
{
	int err = op->token->crypto->ec_verify(ec_of(op)->key, in, len, sig);

	return err == -EBADMSG ? CKR_SIGNATURE_INVALID : luna_ckr(err);
}

static u32 ecdsa_single(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	return ec_sign(op, in, min(len, ec_of(op)->bytes), out, out_len);
}

static u32 ecdsa_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig, u32 sig_len)
{
	return ec_verify(op, in, min(len, ec_of(op)->bytes), sig);
}

static u32 eddsa_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig, u32 sig_len)
{
	return ec_verify(op, in, len, sig);
}

const struct luna_op_ops luna_ecdsa_ops = {
	.whole = BIT(LUNA_OP_SIGN) | BIT(LUNA_OP_VERIFY),
	.init = ecdsa_init,
	.lens = ecdsa_lens,
	.single = ecdsa_single,
	.verify = ecdsa_verify,
	.end = ec_end,
};

const struct luna_op_ops luna_eddsa_ops = {
	.whole = BIT(LUNA_OP_SIGN) | BIT(LUNA_OP_VERIFY),
	.init = eddsa_init,
	.lens = ec_lens,
	.single = ec_sign,
	.verify = eddsa_verify,
	.end = ec_end,
};

/* ---- hash, then sign or verify ---- */

static u32 ecdsa_hash_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct ec *ec = luna_op_private(op, struct ec);
	struct luna_hash_stream *stream;
	u32 rv = ecdsa_init(op, param, len);

	if (rv != CKR_OK)
		return rv;
	stream = op->token->crypto->hash_begin(op->mech->hash);
	if (IS_ERR(stream))
		return luna_ckr(PTR_ERR(stream));
	ec->stream = stream;
	return CKR_OK;
}

static u32 ecdsa_hash_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	*out_len = 0;
	if (!len)
		return CKR_OK;
	return luna_ckr(op->token->crypto->hash_update(ec_of(op)->stream, in, len));
}

static u32 hash_finish(struct luna_op_state *op, struct ec *ec)
{
	return luna_ckr(op->token->crypto->hash_final(ec->stream, ec->digest));
}

static u32 ecdsa_hash_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	struct ec *ec = luna_op_private(op, struct ec);
	u32 rv = hash_finish(op, ec);

	return rv ?: ecdsa_single(op, ec->digest, luna_hash_len(op->mech->hash), out, out_len);
}

static u32 ecdsa_hash_verify(struct luna_op_state *op, const u8 *in, u32 len, const u8 *sig,
			     u32 sig_len)
{
	struct ec *ec = luna_op_private(op, struct ec);
	u32 rv = hash_finish(op, ec);

	return rv ?: ecdsa_verify(op, ec->digest, luna_hash_len(op->mech->hash), sig, sig_len);
}

const struct luna_op_ops luna_ecdsa_hash_ops = {
	.init = ecdsa_hash_init,
	.lens = ec_lens,
	.update = ecdsa_hash_update,
	.final = ecdsa_hash_final,
	.verify = ecdsa_hash_verify,
	.end = ec_end,
};
