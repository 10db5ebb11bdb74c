// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Keys on P-256, P-384 and X25519, and what two of them agree on, on kpp; why none of them signs,
 * crypto.c says. A key has one transform with its private value, for all threads; a call has a
 * request of its own. That kpp can draw private values is of no use here: it does not tell them.
 *
 * "ecdh-nist-*" refuses some private values that are in order: 1 and the order less 1 or 2, on
 * which its ladder would meet infinity, and in Linux 6.1 those that would be out of the range if
 * their bytes were read backwards. Those that are out of it as they are, 6.1 takes, so that the
 * range is kept here. What is refused is replaced by the order less the value, whose point has the
 * same x and the prime less y. With the values 1 and the order less 1 it is the other side's x that
 * is agreed on.
 */
#include <crypto/kpp.h>
#include <linux/kmod.h>
#include <linux/scatterlist.h>

#include "crypto.h"

enum {
	UNCOMPRESSED = 0x04,
	NIST_MAX = 48,		/* bytes of a coordinate and of a private value */
	DRAWS_MAX = 16,		/* of private values: the first is in range but once in 2^32 */
};

/**
 * struct kpp_curve - a curve of the kernel's
 * @name: of its algorithm
 * @alias: of the modules that have it: not all are found by the name of the algorithm
 * @prime, @order, @base: of the field, of the base point, and it itself (SP 800-186, 3.2.1.3 and
 *	3.2.1.4); of P-256 and P-384
 */
struct kpp_curve {
	const char *name;
	const char *alias;
	u8 prime[NIST_MAX], order[NIST_MAX], base[2 * NIST_MAX];
};

static const struct kpp_curve kpp_curves[LUNA_CURVES] = {
	[LUNA_P256] = {
		.name = "ecdh-nist-p256",
		.alias = "ecdh",
		.prime = {
			0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00,
			0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		},
		.order = {
			0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
			0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
		},
		.base = {
			0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5,
			0x63, 0xa4, 0x40, 0xf2, 0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0,
			0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f, 0xe3, 0x42, 0xe2,
			0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
			0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68,
			0x37, 0xbf, 0x51, 0xf5,
		},
	},
	[LUNA_P384] = {
		.name = "ecdh-nist-p384",
		.alias = "ecdh",
		.prime = {
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff,
			0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff,
		},
		.order = {
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
			0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
		},
		.base = {
			0xaa, 0x87, 0xca, 0x22, 0xbe, 0x8b, 0x05, 0x37, 0x8e, 0xb1, 0xc7, 0x1e,
			0xf3, 0x20, 0xad, 0x74, 0x6e, 0x1d, 0x3b, 0x62, 0x8b, 0xa7, 0x9b, 0x98,
			0x59, 0xf7, 0x41, 0xe0, 0x82, 0x54, 0x2a, 0x38, 0x55, 0x02, 0xf2, 0x5d,
			0xbf, 0x55, 0x29, 0x6c, 0x3a, 0x54, 0x5e, 0x38, 0x72, 0x76, 0x0a, 0xb7,
			0x36, 0x17, 0xde, 0x4a, 0x96, 0x26, 0x2c, 0x6f, 0x5d, 0x9e, 0x98, 0xbf,
			0x92, 0x92, 0xdc, 0x29, 0xf8, 0xf4, 0x1d, 0xbd, 0x28, 0x9a, 0x14, 0x7c,
			0xe9, 0xda, 0x31, 0x13, 0xb5, 0xf0, 0xb8, 0xc0, 0x0a, 0x60, 0xb1, 0xce,
			0x1d, 0x7e, 0x81, 0x9d, 0x7a, 0x43, 0x1d, 0x7c, 0x90, 0xea, 0x0e, 0x5f,
		},
	},
	[LUNA_X25519] = {
		.name = "curve25519",
		.alias = "curve25519",
	},
};

/**
 * struct luna_ec_key - a key
 * @tfm: with the private value, or what stands for it; NULL: a public key, which was looked at when
 *	it was made, and nothing can be done with
 * @negated: the order less the private value stands for it
 * @unit: it is 1 or, @negated, the order less 1, and any other stands for it
 */
struct luna_ec_key {
	enum luna_curve curve;
	bool negated, unit;
	struct crypto_kpp *tfm;
};

/*
 * Held so that the modules stay, and none is loaded by a client; NULL: the kernel has no such
 * curve. Private keys: with a point that is on their curve they agree on something.
 */
static struct luna_ec_key *held[LUNA_CURVES];

/* ---- numbers, big endian, in constant time ---- */

/* @out = @a - @b, and may be one of them; return: what is borrowed in the end */
static u32 subtract(u8 *out, const u8 *a, const u8 *b, u32 len)
{
	u32 borrow = 0, digit;

	while (len--) {
		digit = (u32)a[len] - b[len] - borrow;
		out[len] = digit;
		borrow = digit >> 31;
	}
	return borrow;
}

static bool at_or_above(const u8 *a, u8 least, u32 len)
{
	u8 is = a[len - 1] >= least;
	u32 i;

	for (i = 0; i < len - 1; i++)
		is |= a[i];
	return is;
}

/* ---- requests ---- */

/**
 * struct kpp_call - one call; its transform's data, what goes in and what comes out lie behind it
 */
struct kpp_call {
	struct crypto_wait wait;
	struct scatterlist in, out;
	struct kpp_request req;
};

/*
 * The point was looked at by then: generate_public_key() says EAGAIN when it has no memory to look
 * at it, and nothing else is wrong with it.
 */
static int call_error(int err)
{
	switch (err) {
	case 0:
	case -ENOMEM:
	case -EINVAL:
		return err;
	case -EAGAIN:
		return -ENOMEM;
	case -EFAULT:
		return -EINVAL;
	default:
		return -EIO;
	}
}

/* With @in_len 0 the public point, else what is agreed on with this one; @out: NULL: let it go */
static int kpp_call(struct crypto_kpp *tfm, const u8 *in, u32 in_len, u8 *out, u32 out_len)
{
	size_t room = ALIGN(sizeof(struct kpp_call) + crypto_kpp_reqsize(tfm), 8);
	struct kpp_call *call = kzalloc(room + in_len + out_len, GFP_KERNEL);
	u8 *buf = (u8 *)call + room;
	int err;

	if (!call)
		return -ENOMEM;
	memcpy(buf, in, in_len);
	sg_init_one(&call->in, buf, in_len);
	sg_init_one(&call->out, buf + in_len, out_len);
	crypto_init_wait(&call->wait);
	kpp_request_set_tfm(&call->req, tfm);
	kpp_request_set_callback(&call->req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				 crypto_req_done, &call->wait);
	kpp_request_set_input(&call->req, in_len ? &call->in : NULL, in_len);
	kpp_request_set_output(&call->req, &call->out, out_len);
	err = in_len ? crypto_kpp_compute_shared_secret(&call->req) :
		       crypto_kpp_generate_public_key(&call->req);
	err = crypto_wait_req(err, &call->wait);
	if (!err && out)
		memcpy(out, buf + in_len, out_len);
	kfree_sensitive(call);
	return call_error(err);
}

/* ---- private values ---- */

/*
 * What ecdh-nist-* takes. crypto_ecdh_encode_key(), which writes it, is in the module that has
 * them, without which ours has to load.
 */
struct nist_secret {
	struct kpp_secret head;
	unsigned short key_len;
	u8 key[NIST_MAX];
};

/* A private value, and the order less it */
struct nist_value {
	u8 value[NIST_MAX], negated[NIST_MAX];
	struct nist_secret secret;
};

static int nist_set(struct crypto_kpp *tfm, struct nist_value *v, const u8 *value, u32 bytes)
{
	v->secret.head.type = CRYPTO_KPP_SECRET_TYPE_ECDH;
	v->secret.head.len = offsetof(struct nist_secret, key) + bytes;
	v->secret.key_len = bytes;
	memcpy(v->secret.key, value, bytes);
	return crypto_kpp_set_secret(tfm, &v->secret, v->secret.head.len);
}

/* The kernel takes 2 .. order - 3, and 6.1 not all of them. */
static int nist_set_either(struct luna_ec_key *key, struct nist_value *v, u32 bytes)
{
	int err = -EINVAL;

	if (at_or_above(v->negated, 3, bytes))
		err = nist_set(key->tfm, v, v->value, bytes);
	if (err != -EINVAL || !at_or_above(v->value, 3, bytes))
		return err;
	key->negated = true;
	return nist_set(key->tfm, v, v->negated, bytes);
}

static int nist_set_value(struct luna_ec_key *key, struct luna_num num)
{
	const u8 *order = kpp_curves[key->curve].order;
	u32 bytes = luna_curve_bytes(key->curve), last = bytes - 1;
	struct nist_value *v;
	int err = -EINVAL;

	for (; num.len > bytes && !*num.data; num.len--)
		num.data++;
	if (num.len > bytes)
		return -EINVAL;
	v = kzalloc(sizeof(*v), GFP_KERNEL);
	if (!v)
		return -ENOMEM;
	memcpy(v->value + bytes - num.len, num.data, num.len);
	if (!subtract(v->negated, order, v->value, bytes) && at_or_above(v->value, 1, bytes) &&
	    at_or_above(v->negated, 1, bytes)) {
		key->unit = !at_or_above(v->value, 2, bytes) || !at_or_above(v->negated, 2, bytes);
		/* 2 stands for 1. */
		v->value[last] += !at_or_above(v->value, 2, bytes);
		v->negated[last] += !at_or_above(v->negated, 2, bytes);
		err = nist_set_either(key, v, bytes);
	}
	kfree_sensitive(v);
	return err;
}

/* RFC 7748, 5 */
static void x25519_clamp(u8 *value)
{
	value[0] &= 0xf8;
	value[31] &= 0x7f;
	value[31] |= 0x40;
}

/* The kernel refuses the value 0, which is one like others once it is clamped. */
static int x25519_set_value(struct luna_ec_key *key, const struct luna_num *num)
{
	u8 *value;
	int err;

	if (num->len != luna_curve_bytes(LUNA_X25519))
		return -EINVAL;
	value = kmemdup(num->data, num->len, GFP_KERNEL);
	if (!value)
		return -ENOMEM;
	x25519_clamp(value);
	err = crypto_kpp_set_secret(key->tfm, value, num->len);
	kfree_sensitive(value);
	return err;
}

/* ---- keys ---- */

static struct luna_ec_key *key_new(enum luna_curve curve)
{
	struct luna_ec_key *key = kzalloc(sizeof(*key), GFP_KERNEL_ACCOUNT);

	if (!key)
		return ERR_PTR(-ENOMEM);
	key->curve = curve;
	return key;
}

static int key_set(struct luna_ec_key *key, const struct luna_num *value)
{
	struct crypto_kpp *tfm = luna_alloc_kpp(kpp_curves[key->curve].name);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm) == -ENOMEM ? -ENOMEM : -EOPNOTSUPP;
	key->tfm = tfm;
	return luna_curve_is_weierstrass(key->curve) ? nist_set_value(key, *value) :
						       x25519_set_value(key, value);
}

static struct luna_ec_key *key_private(enum luna_curve curve, const struct luna_num *value)
{
	struct luna_ec_key *key = key_new(curve);
	int err;

	if (IS_ERR(key))
		return key;
	err = key_set(key, value);
	if (!err)
		return key;
	luna_kec_key_free(key);
	return ERR_PTR(err == -ENOMEM || err == -EOPNOTSUPP ? err : -EINVAL);
}

/* @secret: NULL: is the point one of the curve's? */
static int agree(const struct luna_ec_key *key, const u8 *point, u8 *secret)
{
	u32 bytes = luna_curve_bytes(key->curve);
	int err;

	if (point[0] != UNCOMPRESSED)
		return -EINVAL;
	err = kpp_call(key->tfm, point + 1, 2 * bytes, secret, bytes);
	if (!err && secret && key->unit)
		memcpy(secret, point + 1, bytes);
	return err;
}

/* Any 32 bytes are a public key on X25519. */
static int check_point(enum luna_curve curve, const struct luna_num *point)
{
	if (point->len != luna_curve_point_len(curve))
		return -EINVAL;
	return luna_curve_is_weierstrass(curve) ? agree(held[curve], point->data, NULL) : 0;
}

struct luna_ec_key *luna_kec_key(enum luna_curve curve, const struct luna_num *point,
				 const struct luna_num *value)
{
	int err;

	if (curve >= LUNA_CURVES || !held[curve])
		return ERR_PTR(-EOPNOTSUPP);
	if (value)
		return key_private(curve, value);
	err = check_point(curve, point);
	return err ? ERR_PTR(err) : key_new(curve);
}

void luna_kec_key_free(struct luna_ec_key *key)
{
	if (!key)
		return;
	if (key->tfm)
		crypto_free_kpp(key->tfm);
	kfree_sensitive(key);
}

static int public_point(const struct luna_ec_key *key, u8 *point)
{
	const struct kpp_curve *c = &kpp_curves[key->curve];
	u32 bytes = luna_curve_bytes(key->curve);
	u8 *y = point + 1 + bytes;
	int err;

	if (!luna_curve_is_weierstrass(key->curve))
		return kpp_call(key->tfm, NULL, 0, point, bytes);
	err = kpp_call(key->tfm, NULL, 0, point + 1, 2 * bytes);
	if (err)
		return err;
	point[0] = UNCOMPRESSED;
	if (key->unit)
		memcpy(point + 1, c->base, 2 * bytes);
	if (key->negated)
		subtract(y, c->prime, y, bytes);
	return 0;
}

int luna_kec_public(enum luna_curve curve, const struct luna_num *value, u8 *point)
{
	struct luna_ec_key *key = luna_kec_key(curve, NULL, value);
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	err = public_point(key, point);
	luna_kec_key_free(key);
	return err;
}

int luna_kec_generate(enum luna_curve curve, u8 *point, u8 *value)
{
	const struct luna_num num = { value, luna_curve_bytes(curve) };
	int draws, err = -EINVAL;

	for (draws = 0; draws < DRAWS_MAX && err == -EINVAL; draws++) {
		err = luna_krandom(value, num.len);
		if (err)
			return err;
		/* As others write it down, too. */
		if (curve == LUNA_X25519)
			x25519_clamp(value);
		err = luna_kec_public(curve, &num, point);
	}
	return err == -EINVAL ? -EIO : err;
}

int luna_kecdh(struct luna_ec_key *key, const u8 *point, u8 *secret)
{
	static const u8 zero[32];
	int err;

	if (!key->tfm)
		return -EINVAL;
	if (luna_curve_is_weierstrass(key->curve))
		return agree(key, point, secret);
	err = kpp_call(key->tfm, point, sizeof(zero), secret, sizeof(zero));
	if (!err && !crypto_memneq(secret, zero, sizeof(zero)))
		err = -EINVAL;
	return err;
}

/* ---- start and end ---- */

/* With a private value that fits all curves */
static int hold(enum luna_curve curve)
{
	static const u8 two[32] = { [31] = 2 };
	const struct luna_num value = { two, sizeof(two) };
	struct luna_ec_key *key;

	/* Without the curve there still is a token. */
	request_module("crypto-%s", kpp_curves[curve].alias);
	key = key_private(curve, &value);
	if (IS_ERR(key)) {
		pr_info("one curve less, since the kernel has no %s\n", kpp_curves[curve].name);
		return PTR_ERR(key);
	}
	held[curve] = key;
	return 0;
}

u32 luna_kec_init(void)
{
	u32 curve, curves = 0;

	for (curve = 0; curve < LUNA_CURVES; curve++)
		if (kpp_curves[curve].name && !hold(curve))
			curves |= BIT(curve);
	return curves;
}

void luna_kec_exit(void)
{
	int i;

	for (i = 0; i < LUNA_CURVES; i++) {
		luna_kec_key_free(held[i]);
		held[i] = NULL;
	}
}

const char *luna_kec_driver(enum luna_curve curve)
{
	return crypto_tfm_alg_driver_name(crypto_kpp_tfm(held[curve]->tfm));
}
