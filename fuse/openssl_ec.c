// SPDX-License-Identifier: MIT
/*
 * Elliptic curves on OpenSSL: ECDSA, ECDH, Ed25519, X25519.
 *
 * A private key is made of its private value alone: nobody can pair it with a public key that is
 * not its own, which would give an Ed25519 key away. OpenSSL's scalar multiplications of private
 * values and its ECDSA nonces are constant time.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/params.h>

#include "openssl.h"

/* The longest DER of an ECDSA signature: two INTEGERs with a sign byte each. */
enum { SIG_DER_MAX = 3 + 2 * (2 + 1 + LUNA_EC_MAX) };

/* OpenSSL's names */
static const struct {
	int nid;
	const char *name;
} names[LUNA_CURVES] = {
	[LUNA_P224] = { NID_secp224r1, "secp224r1" },
	[LUNA_P256] = { NID_X9_62_prime256v1, "prime256v1" },
	[LUNA_P384] = { NID_secp384r1, "secp384r1" },
	[LUNA_P521] = { NID_secp521r1, "secp521r1" },
	[LUNA_SECP256K1] = { NID_secp256k1, "secp256k1" },
	[LUNA_ED25519] = { NID_ED25519, "ED25519" },
	[LUNA_X25519] = { NID_X25519, "X25519" },
};

/**
 * struct luna_ec_key - a key and contexts initialised for what it does
 * @idle: ECDSA: contexts to sign or to verify
 */
struct luna_ec_key {
	EVP_PKEY *pkey;
	struct openssl_pool idle;
	enum luna_curve curve;
	bool private;
};

bool openssl_ec_load(struct openssl_library *lib)
{
	for (int curve = 0; curve < LUNA_CURVES; curve++) {
		if (!luna_curve_is_weierstrass(curve))
			continue;
		lib->groups[curve] = EC_GROUP_new_by_curve_name_ex(lib->context, NULL,
								   names[curve].nid);
		if (!lib->groups[curve])
			return false;
	}
	return true;
}

/* ---- keys ---- */

/* The private value of @num, or NULL: it is not in 1 .. order - 1, or there is no memory (*err) */
static BIGNUM *private_value(const EC_GROUP *group, const struct luna_num *num, int *err)
{
	BIGNUM *value = BN_secure_new();

	*err = -ENOMEM;
	if (value && BN_bin2bn(num->data, num->len, value)) {
		*err = -EINVAL;
		BN_set_flags(value, BN_FLG_CONSTTIME);
		if (!BN_is_zero(value) && BN_cmp(value, EC_GROUP_get0_order(group)) < 0)
			return value;
	}
	BN_clear_free(value);
	return NULL;
}

static EVP_PKEY *pkey_from(enum luna_curve curve, OSSL_PARAM *params, int selection)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(openssl_library()->context, "EC", NULL);
	EVP_PKEY *pkey = NULL;
	int err = -ENOMEM;

	params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						     (char *)names[curve].name, 0);
	if (ctx)
		err = EVP_PKEY_fromdata_init(ctx) == 1 &&
		      EVP_PKEY_fromdata(ctx, &pkey, selection, params) == 1 ? 0 : -EINVAL;
	EVP_PKEY_CTX_free(ctx);
	return err ? ERR_PTR(err) : pkey;
}

/* OpenSSL refuses what is not on the curve. */
static EVP_PKEY *ec_public_pkey(enum luna_curve curve, const u8 *point)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_END,
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point,
						  luna_curve_point_len(curve)),
		OSSL_PARAM_END,
	};

	return point[0] == POINT_CONVERSION_UNCOMPRESSED ?
	       pkey_from(curve, params, EVP_PKEY_PUBLIC_KEY) : ERR_PTR(-EINVAL);
}

static EVP_PKEY *ec_private_pkey(enum luna_curve curve, const struct luna_num *num)
{
	OSSL_PARAM params[] = { OSSL_PARAM_END, OSSL_PARAM_END, OSSL_PARAM_END };
	EVP_PKEY *pkey = ERR_PTR(-EINVAL);
	u8 *native = kzalloc(LUNA_EC_MAX, GFP_KERNEL);
	BIGNUM *value = NULL;
	int err = -ENOMEM;

	if (native)
		value = private_value(openssl_library()->groups[curve], num, &err);
	if (value && BN_bn2nativepad(value, native, luna_curve_bytes(curve)) > 0) {
		params[1] = OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, native,
						    luna_curve_bytes(curve));
		pkey = pkey_from(curve, params, EVP_PKEY_KEYPAIR);
		err = 0;
	}
	BN_clear_free(value);
	kfree_sensitive(native);
	return err ? ERR_PTR(err) : pkey;
}

/*
 * Whether 32 bytes are a point of edwards25519 (RFC 8032, 5.1.3): y below p = 2^255 - 19, and
 * x^2 = (y^2 - 1) / (d y^2 + 1) a square, which it is if (y^2 - 1) (d y^2 + 1) is.
 */
static bool on_edwards(const u8 *point)
{
	static const char p_hex[] = "7fffffffffffffffffffffffffffffff"
				    "ffffffffffffffffffffffffffffffed";
	static const char d_hex[] = "52036cee2b6ffe738cc740797779e898"
				    "00700a4d4141d8ab75eb4dca135978a3";
	BN_CTX *ctx = BN_CTX_new_ex(openssl_library()->context);
	BIGNUM *p = NULL, *d = NULL, *u = BN_new(), *v = BN_new(), *y;
	bool sign = point[31] & 0x80, on = false;
	u8 y_bytes[32];

	memcpy(y_bytes, point, sizeof(y_bytes));
	y_bytes[31] &= 0x7f;
	y = BN_lebin2bn(y_bytes, sizeof(y_bytes), NULL);
	if (ctx && y && u && v && BN_hex2bn(&p, p_hex) && BN_hex2bn(&d, d_hex) &&
	    BN_cmp(y, p) < 0 && BN_mod_sqr(u, y, p, ctx) &&
	    BN_mod_mul(v, u, d, p, ctx) && BN_add_word(v, 1) && BN_sub_word(u, 1) &&
	    BN_nnmod(u, u, p, ctx) && BN_mod_mul(v, u, v, p, ctx)) {
		/* x is 0 where u is: then it has no sign. */
		if (BN_is_zero(u))
			on = !sign;
		else
			on = BN_kronecker(v, p, ctx) == 1;
	}
	BN_free(v);
	BN_free(u);
	BN_free(y);
	BN_free(d);
	BN_free(p);
	BN_CTX_free(ctx);
	return on;
}

static EVP_PKEY *raw_private(enum luna_curve curve, const struct luna_num *value)
{
	EVP_PKEY *pkey;

	if (value->len != luna_curve_bytes(curve))
		return ERR_PTR(-EINVAL);
	pkey = EVP_PKEY_new_raw_private_key_ex(openssl_library()->context, names[curve].name, NULL,
					       value->data, value->len);
	return pkey ? pkey : ERR_PTR(-ENOMEM);
}

static EVP_PKEY *raw_public(enum luna_curve curve, const struct luna_num *point)
{
	EVP_PKEY *pkey;

	if (point->len != luna_curve_bytes(curve) ||
	    (curve == LUNA_ED25519 && !on_edwards(point->data)))
		return ERR_PTR(-EINVAL);
	pkey = EVP_PKEY_new_raw_public_key_ex(openssl_library()->context, names[curve].name, NULL,
					      point->data, point->len);
	return pkey ? pkey : ERR_PTR(-ENOMEM);
}

static EVP_PKEY *pkey_of(enum luna_curve curve, const struct luna_num *point,
			 const struct luna_num *value)
{
	if (!openssl_library())
		return ERR_PTR(-EIO);
	if (!luna_curve_is_weierstrass(curve))
		return value ? raw_private(curve, value) : raw_public(curve, point);
	if (value)
		return ec_private_pkey(curve, value);
	if (point->len != luna_curve_point_len(curve))
		return ERR_PTR(-EINVAL);
	return ec_public_pkey(curve, point->data);
}

struct luna_ec_key *openssl_ec_key(enum luna_curve curve, const struct luna_num *point,
				   const struct luna_num *value)
{
	struct luna_ec_key *key;
	EVP_PKEY *pkey;

	if (curve >= LUNA_CURVES)
		return ERR_PTR(-EOPNOTSUPP);
	pkey = pkey_of(curve, point, value);
	if (IS_ERR(pkey))
		return ERR_PTR(openssl_error(PTR_ERR(pkey)));
	key = kzalloc(sizeof(*key), GFP_KERNEL);
	if (!key) {
		EVP_PKEY_free(pkey);
		return ERR_PTR(-ENOMEM);
	}
	key->pkey = pkey;
	key->curve = curve;
	key->private = value;
	return key;
}

void openssl_ec_key_free(struct luna_ec_key *key)
{
	EVP_PKEY_CTX *ctx;

	if (!key)
		return;
	while ((ctx = openssl_pool_take(&key->idle)))
		EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key->pkey);
	kfree_sensitive(key);
}

/* ---- new keys, and public ones of private ones ---- */

static int take_pair(EVP_PKEY *pkey, enum luna_curve curve, u8 *point, u8 *value)
{
	size_t point_len = luna_curve_point_len(curve), value_len = luna_curve_bytes(curve), len = 0;
	BIGNUM *bn = NULL;
	bool ok;

	if (EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, point, point_len,
					    &len) != 1 || len != point_len)
		return -EIO;
	if (!luna_curve_is_weierstrass(curve)) {
		len = value_len;
		return EVP_PKEY_get_raw_private_key(pkey, value, &len) == 1 && len == value_len ?
		       0 : -EIO;
	}
	ok = EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &bn) == 1 &&
	     BN_bn2binpad(bn, value, value_len) == (int)value_len;
	BN_clear_free(bn);
	return ok ? 0 : -EIO;
}

int openssl_ec_generate(enum luna_curve curve, u8 *point, u8 *value)
{
	bool weierstrass = luna_curve_is_weierstrass(curve);
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx;
	int err = -EIO;

	if (!openssl_library())
		return -EIO;
	ctx = EVP_PKEY_CTX_new_from_name(openssl_library()->context,
					 weierstrass ? "EC" : names[curve].name, NULL);
	if (!ctx)
		return openssl_error(-ENOMEM);
	if (EVP_PKEY_keygen_init(ctx) == 1 &&
	    (!weierstrass || EVP_PKEY_CTX_set_group_name(ctx, names[curve].name) == 1) &&
	    EVP_PKEY_generate(ctx, &pkey) == 1)
		err = take_pair(pkey, curve, point, value);
	EVP_PKEY_free(pkey);
	EVP_PKEY_CTX_free(ctx);
	return openssl_error(err);
}

static int multiply_base(enum luna_curve curve, const struct luna_num *num, u8 *point)
{
	const EC_GROUP *group = openssl_library()->groups[curve];
	BN_CTX *ctx = BN_CTX_secure_new_ex(openssl_library()->context);
	EC_POINT *product = EC_POINT_new(group);
	size_t len = luna_curve_point_len(curve);
	BIGNUM *value;
	int err;

	value = private_value(group, num, &err);
	if (value)
		err = ctx && product && EC_POINT_mul(group, product, value, NULL, NULL, ctx) == 1 &&
		      EC_POINT_point2oct(group, product, POINT_CONVERSION_UNCOMPRESSED, point, len,
					 ctx) == len ? 0 : -ENOMEM;
	BN_clear_free(value);
	EC_POINT_clear_free(product);
	BN_CTX_free(ctx);
	return err;
}

int openssl_ec_public(enum luna_curve curve, const struct luna_num *value, u8 *point)
{
	size_t len = luna_curve_point_len(curve);
	EVP_PKEY *pkey;
	int err;

	if (!openssl_library())
		return -EIO;
	if (luna_curve_is_weierstrass(curve))
		return openssl_error(multiply_base(curve, value, point));
	pkey = raw_private(curve, value);
	if (IS_ERR(pkey))
		return openssl_error(PTR_ERR(pkey));
	err = EVP_PKEY_get_raw_public_key(pkey, point, &len) == 1 ? 0 : -EIO;
	EVP_PKEY_free(pkey);
	return openssl_error(err);
}

/* ---- ECDSA ---- */

static EVP_PKEY_CTX *context_take(struct luna_ec_key *key)
{
	EVP_PKEY_CTX *ctx = openssl_pool_take(&key->idle);

	if (ctx)
		return ctx;
	ctx = EVP_PKEY_CTX_new_from_pkey(openssl_library()->context, key->pkey, NULL);
	if (ctx && (key->private ? EVP_PKEY_sign_init(ctx) : EVP_PKEY_verify_init(ctx)) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static void context_give(struct luna_ec_key *key, EVP_PKEY_CTX *ctx)
{
	if (!openssl_pool_give(&key->idle, ctx))
		EVP_PKEY_CTX_free(ctx);
}

/* r and s of a DER signature */
static int sig_unpack(const u8 *der, size_t der_len, u8 *sig, u32 bytes)
{
	ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	bool ok = parsed && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), sig, (int)bytes) > 0 &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(parsed), sig + bytes, (int)bytes) > 0;

	ECDSA_SIG_free(parsed);
	return ok ? 0 : -EIO;
}

static int ecdsa_sign(struct luna_ec_key *key, const u8 *digest, size_t len, u8 *sig)
{
	EVP_PKEY_CTX *ctx = context_take(key);
	size_t der_len = SIG_DER_MAX;
	u8 der[SIG_DER_MAX];
	int err = -EIO;

	if (!ctx)
		return -ENOMEM;
	if (EVP_PKEY_sign(ctx, der, &der_len, digest, len) == 1)
		err = sig_unpack(der, der_len, sig, luna_curve_bytes(key->curve));
	context_give(key, ctx);
	return err;
}

/* One half of a signature, or NULL: it is not in 1 .. order - 1, or there is no memory (*err) */
static BIGNUM *sig_half(const struct luna_ec_key *key, const u8 *half, int *err)
{
	BIGNUM *bn = BN_bin2bn(half, (int)luna_curve_bytes(key->curve), NULL);

	if (bn && !BN_is_zero(bn) &&
	    BN_cmp(bn, EC_GROUP_get0_order(openssl_library()->groups[key->curve])) < 0)
		return bn;
	*err = bn ? -EBADMSG : -ENOMEM;
	BN_free(bn);
	return NULL;
}

/* @der: SIG_DER_MAX bytes; Return: the length, or an error */
static int sig_pack(const struct luna_ec_key *key, const u8 *sig, u8 *der)
{
	ECDSA_SIG *packed = ECDSA_SIG_new();
	int err = -ENOMEM;
	BIGNUM *r = sig_half(key, sig, &err);
	BIGNUM *s = sig_half(key, sig + luna_curve_bytes(key->curve), &err);

	if (packed && r && s && ECDSA_SIG_set0(packed, r, s) == 1) {
		err = i2d_ECDSA_SIG(packed, &der);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(packed);
	return err;
}

static int ecdsa_verify(struct luna_ec_key *key, const u8 *digest, size_t len, const u8 *sig)
{
	EVP_PKEY_CTX *ctx;
	u8 der[SIG_DER_MAX];
	int der_len = sig_pack(key, sig, der), ok;

	if (der_len < 0)
		return der_len;
	ctx = context_take(key);
	if (!ctx)
		return -ENOMEM;
	ok = EVP_PKEY_verify(ctx, der, (size_t)der_len, digest, len);
	context_give(key, ctx);
	return ok == 1 ? 0 : ok ? -EIO : -EBADMSG;
}

/* ---- Ed25519 ---- */

static int eddsa(struct luna_ec_key *key, const u8 *message, size_t len, u8 *made, const u8 *given)
{
	OSSL_LIB_CTX *lib = openssl_library()->context;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t sig_len = 2 * luna_curve_bytes(key->curve);
	int err = -ENOMEM;

	if (ctx && made)
		err = EVP_DigestSignInit_ex(ctx, NULL, NULL, lib, NULL, key->pkey, NULL) == 1 &&
		      EVP_DigestSign(ctx, made, &sig_len, message, len) == 1 ? 0 : -EIO;
	else if (ctx && EVP_DigestVerifyInit_ex(ctx, NULL, NULL, lib, NULL, key->pkey, NULL) == 1)
		err = EVP_DigestVerify(ctx, given, sig_len, message, len) == 1 ? 0 : -EBADMSG;
	EVP_MD_CTX_free(ctx);
	return err;
}

/* ---- both ---- */

int openssl_ec_sign(struct luna_ec_key *key, const u8 *data, size_t len, u8 *sig)
{
	if (!key->private || key->curve == LUNA_X25519)
		return -EINVAL;
	if (key->curve == LUNA_ED25519)
		return openssl_error(eddsa(key, data, len, sig, NULL));
	return openssl_error(ecdsa_sign(key, data, len, sig));
}

int openssl_ec_verify(struct luna_ec_key *key, const u8 *data, size_t len, const u8 *sig)
{
	if (key->private || key->curve == LUNA_X25519)
		return -EINVAL;
	if (key->curve == LUNA_ED25519)
		return openssl_error(eddsa(key, data, len, NULL, sig));
	return openssl_error(ecdsa_verify(key, data, len, sig));
}

/* ---- ECDH, X25519 ---- */

/* OpenSSL refuses a secret of zeros, which only points of a low order give. */
int openssl_ecdh(struct luna_ec_key *key, const u8 *point, u8 *secret)
{
	const struct luna_num num = { point, luna_curve_point_len(key->curve) };
	size_t len = luna_curve_bytes(key->curve);
	EVP_PKEY_CTX *ctx;
	EVP_PKEY *peer;
	int err = -EINVAL;

	if (!key->private || key->curve == LUNA_ED25519)
		return -EINVAL;
	peer = pkey_of(key->curve, &num, NULL);
	if (IS_ERR(peer))
		return openssl_error(PTR_ERR(peer));
	ctx = EVP_PKEY_CTX_new_from_pkey(openssl_library()->context, key->pkey, NULL);
	if (!ctx || EVP_PKEY_derive_init(ctx) != 1)
		err = -ENOMEM;
	else if (EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		 EVP_PKEY_derive(ctx, secret, &len) == 1 && len == luna_curve_bytes(key->curve))
		err = 0;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return openssl_error(err);
}
