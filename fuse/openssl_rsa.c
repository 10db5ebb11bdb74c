// SPDX-License-Identifier: MIT
/*
 * Raw RSA on EVP_PKEY. The private operation is OpenSSL's: it blinds, uses the CRT where it has the
 * primes, checks the CRT's result and unblinds in constant time. It needs the public exponent for
 * that, so a private key that came without one gets it found out or is refused.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include "openssl.h"

/* Above this modulus OpenSSL takes public exponents of up to 64 bits only. */
enum { LONG_EXPONENT_MAX_BITS = 3072, SHORT_EXPONENT_BITS = 64 };

enum direction { RSA_PUBLIC, RSA_PRIVATE, RSA_DIRECTIONS };

/**
 * struct luna_rsa_key - a key and contexts initialised for its two operations
 * @size: bytes of the modulus
 * @n: the modulus, to compare inputs with
 */
struct luna_rsa_key {
	EVP_PKEY *pkey;
	struct openssl_pool idle[RSA_DIRECTIONS];
	u32 size;
	u8 n[];
};

/* Numbers on their way into OpenSSL, in the byte order of the machine */
enum { IMPORT_NUMBERS = 8, IMPORT_BYTES = 2 * LUNA_RSA_MAX + 5 * LUNA_RSA_MAX / 2 + LUNA_RSA_MAX };

struct import {
	OSSL_PARAM params[IMPORT_NUMBERS + 1];
	int count;
	size_t used;
	u8 bytes[IMPORT_BYTES];
};

static struct luna_num without_leading_zeros(struct luna_num num)
{
	while (num.len && !*num.data) {
		num.data++;
		num.len--;
	}
	return num;
}

static u32 num_bits(struct luna_num num)
{
	return num.len ? 8 * num.len - (__builtin_clz(num.data[0]) - 24) : 0;
}

static bool num_odd(struct luna_num num)
{
	return num.len && num.data[num.len - 1] & 1;
}

static int import_add(struct import *im, const char *name, struct luna_num num)
{
	u8 *to = im->bytes + im->used;

	num = without_leading_zeros(num);
	if (num.len > sizeof(im->bytes) - im->used)
		return -EINVAL;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	for (u32 i = 0; i < num.len; i++)
		to[i] = num.data[num.len - 1 - i];
#else
	memcpy(to, num.data, num.len);
#endif
	im->params[im->count++] = OSSL_PARAM_construct_BN(name, to, num.len);
	im->used += num.len;
	return 0;
}

static bool has_crt(const struct luna_rsa_nums *nums)
{
	return nums->p.len && nums->q.len && nums->dp.len && nums->dq.len && nums->qi.len;
}

static int import_numbers(struct import *im, const struct luna_rsa_nums *nums)
{
	int err;

	err = import_add(im, OSSL_PKEY_PARAM_RSA_N, nums->n);
	err = err ?: import_add(im, OSSL_PKEY_PARAM_RSA_E, nums->e);
	if (nums->d.len)
		err = err ?: import_add(im, OSSL_PKEY_PARAM_RSA_D, nums->d);
	if (nums->d.len && has_crt(nums)) {
		err = err ?: import_add(im, OSSL_PKEY_PARAM_RSA_FACTOR1, nums->p);
		err = err ?: import_add(im, OSSL_PKEY_PARAM_RSA_FACTOR2, nums->q);
		err = err ?: import_add(im, OSSL_PKEY_PARAM_RSA_EXPONENT1, nums->dp);
		err = err ?: import_add(im, OSSL_PKEY_PARAM_RSA_EXPONENT2, nums->dq);
		err = err ?: import_add(im, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, nums->qi);
	}
	im->params[im->count] = OSSL_PARAM_construct_end();
	return err;
}

static EVP_PKEY *pkey_from_numbers(const struct luna_rsa_nums *nums)
{
	int selection = nums->d.len ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
	struct import *im = kzalloc(sizeof(*im), GFP_KERNEL);
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx;
	int err;

	if (!im)
		return ERR_PTR(-ENOMEM);
	err = import_numbers(im, nums);
	ctx = EVP_PKEY_CTX_new_from_name(openssl_library()->context, "RSA", NULL);
	if (!ctx)
		err = -ENOMEM;
	if (!err && (EVP_PKEY_fromdata_init(ctx) != 1 ||
		     EVP_PKEY_fromdata(ctx, &pkey, selection, im->params) != 1))
		err = -EINVAL;
	EVP_PKEY_CTX_free(ctx);
	kfree_sensitive(im);
	return err ? ERR_PTR(openssl_error(err)) : pkey;
}

static BIGNUM *bn_from(struct luna_num num)
{
	BIGNUM *bn = BN_bin2bn(num.data, num.len, NULL);

	if (bn)
		BN_set_flags(bn, BN_FLG_CONSTTIME);
	return bn;
}

/* Whether p * q is n */
static bool primes_fit(const struct luna_rsa_nums *nums)
{
	BIGNUM *n = bn_from(nums->n), *p = bn_from(nums->p), *q = bn_from(nums->q);
	BIGNUM *product = BN_new();
	BN_CTX *ctx = BN_CTX_new_ex(openssl_library()->context);
	bool fit;

	fit = n && p && q && product && ctx && BN_mul(product, p, q, ctx) &&
	      BN_cmp(product, n) == 0;
	BN_CTX_free(ctx);
	BN_clear_free(product);
	BN_clear_free(q);
	BN_clear_free(p);
	BN_clear_free(n);
	return fit;
}

/* Whether 2^(d * e) is 2 modulo n, given 2^d */
static bool exponent_fits(const BIGNUM *power, BN_ULONG candidate, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *e = BN_new(), *result = BN_new();
	bool fits;

	fits = e && result && BN_set_word(e, candidate) &&
	       BN_mod_exp_mont(result, power, e, n, ctx, NULL) && BN_is_word(result, 2);
	BN_free(e);
	BN_clear_free(result);
	return fits;
}

/* The public exponent of a private key that has none: Return: it, or 0 if it is not a usual one */
static BN_ULONG find_exponent(const struct luna_rsa_nums *nums)
{
	static const BN_ULONG usual[] = { 65537, 3, 5, 17, 257 };
	BIGNUM *n = bn_from(nums->n), *d = bn_from(nums->d);
	BIGNUM *two = BN_new(), *power = BN_new();
	BN_CTX *ctx = BN_CTX_new_ex(openssl_library()->context);
	BN_ULONG found = 0;

	if (n && d && two && power && ctx && BN_set_word(two, 2) &&
	    BN_mod_exp_mont_consttime(power, two, d, n, ctx, NULL))
		for (size_t i = 0; i < ARRAY_SIZE(usual) && !found; i++)
			if (exponent_fits(power, usual[i], n, ctx))
				found = usual[i];
	BN_CTX_free(ctx);
	BN_clear_free(power);
	BN_free(two);
	BN_clear_free(d);
	BN_clear_free(n);
	return found;
}

static int check_public(const struct luna_rsa_nums *nums)
{
	u32 bits = num_bits(nums->n);

	if (bits < RSA_MIN_BITS || bits > LUNA_RSA_MAX_BITS || !num_odd(nums->n))
		return -EINVAL;
	if (!num_odd(nums->e) || num_bits(nums->e) < 2 || num_bits(nums->e) > bits)
		return -EINVAL;
	if (bits > LONG_EXPONENT_MAX_BITS && num_bits(nums->e) > SHORT_EXPONENT_BITS)
		return -EINVAL;
	return 0;
}

static int check_private(const struct luna_rsa_nums *nums)
{
	if (nums->d.len > nums->n.len)
		return -EINVAL;
	if (has_crt(nums) && (!num_odd(nums->p) || !num_odd(nums->q) || !primes_fit(nums)))
		return -EINVAL;
	return 0;
}

static void trim_numbers(struct luna_rsa_nums *to, const struct luna_rsa_nums *from)
{
	to->n = without_leading_zeros(from->n);
	to->e = without_leading_zeros(from->e);
	to->d = without_leading_zeros(from->d);
	to->p = without_leading_zeros(from->p);
	to->q = without_leading_zeros(from->q);
	to->dp = without_leading_zeros(from->dp);
	to->dq = without_leading_zeros(from->dq);
	to->qi = without_leading_zeros(from->qi);
}

/* Wraps a pkey, whose owner it becomes in any case */
static struct luna_rsa_key *key_new(EVP_PKEY *pkey, struct luna_num n)
{
	struct luna_rsa_key *key = kzalloc(sizeof(*key) + n.len, GFP_KERNEL);

	if (!key) {
		EVP_PKEY_free(pkey);
		return ERR_PTR(-ENOMEM);
	}
	key->pkey = pkey;
	key->size = n.len;
	memcpy(key->n, n.data, n.len);
	return key;
}

struct luna_rsa_key *openssl_rsa_key(const struct luna_rsa_nums *given)
{
	struct luna_rsa_nums nums;
	EVP_PKEY *pkey;
	u8 found[3];
	int err;

	if (!openssl_library())
		return ERR_PTR(-EIO);
	trim_numbers(&nums, given);
	if (nums.d.len && !nums.e.len && num_odd(nums.n) && nums.n.len <= LUNA_RSA_MAX) {
		BN_ULONG e = find_exponent(&nums);

		found[0] = e >> 16;
		found[1] = e >> 8;
		found[2] = e;
		nums.e = without_leading_zeros((struct luna_num){ found, sizeof(found) });
	}
	err = check_public(&nums);
	if (!err && nums.d.len)
		err = check_private(&nums);
	if (err)
		return ERR_PTR(openssl_error(err));
	pkey = pkey_from_numbers(&nums);
	return IS_ERR(pkey) ? ERR_CAST(pkey) : key_new(pkey, nums.n);
}

void openssl_rsa_key_free(struct luna_rsa_key *key)
{
	EVP_PKEY_CTX *ctx;

	if (!key)
		return;
	for (int direction = 0; direction < RSA_DIRECTIONS; direction++)
		while ((ctx = openssl_pool_take(&key->idle[direction])))
			EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key->pkey);
	kfree_sensitive(key);
}

static EVP_PKEY_CTX *context_new(struct luna_rsa_key *key, enum direction direction)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(openssl_library()->context, key->pkey, NULL);
	int ok;

	if (!ctx)
		return NULL;
	ok = direction == RSA_PRIVATE ? EVP_PKEY_decrypt_init(ctx) : EVP_PKEY_encrypt_init(ctx);
	if (ok == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static int raw(struct luna_rsa_key *key, enum direction direction, const u8 *in, u8 *out)
{
	EVP_PKEY_CTX *ctx;
	size_t len = key->size;
	int ok;

	if (memcmp(in, key->n, key->size) >= 0)
		return -EINVAL;
	ctx = openssl_pool_take(&key->idle[direction]);
	if (!ctx)
		ctx = context_new(key, direction);
	if (!ctx)
		return openssl_error(-ENOMEM);
	if (direction == RSA_PRIVATE)
		ok = EVP_PKEY_decrypt(ctx, out, &len, in, key->size);
	else
		ok = EVP_PKEY_encrypt(ctx, out, &len, in, key->size);
	if (!openssl_pool_give(&key->idle[direction], ctx))
		EVP_PKEY_CTX_free(ctx);
	return ok == 1 && len == key->size ? 0 : openssl_error(-EIO);
}

int openssl_rsa_public(struct luna_rsa_key *key, const u8 *in, u8 *out)
{
	return raw(key, RSA_PUBLIC, in, out);
}

int openssl_rsa_private(struct luna_rsa_key *key, const u8 *in, u8 *out)
{
	return raw(key, RSA_PRIVATE, in, out);
}

static int keep_generating(EVP_PKEY_CTX *unused)
{
	(void)unused;
	return !openssl_cancelled();
}

static int generate(u32 bits, BIGNUM *e, EVP_PKEY **pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(openssl_library()->context, "RSA", NULL);
	int err = -EIO;

	if (!ctx)
		return -ENOMEM;
	if (EVP_PKEY_keygen_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, bits) == 1 &&
	    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(ctx, e) == 1) {
		EVP_PKEY_CTX_set_cb(ctx, keep_generating);
		if (EVP_PKEY_generate(ctx, pkey) == 1)
			err = 0;
		else if (openssl_cancelled())
			err = -EINTR;
	}
	EVP_PKEY_CTX_free(ctx);
	return err;
}

static int take_number(EVP_PKEY *pkey, const char *name, u8 *to, size_t len)
{
	BIGNUM *bn = NULL;
	int written = -1;

	if (EVP_PKEY_get_bn_param(pkey, name, &bn) == 1)
		written = BN_bn2binpad(bn, to, len);
	BN_clear_free(bn);
	return written < 0 ? -EIO : 0;
}

static int take_numbers(EVP_PKEY *pkey, struct luna_rsa_made *made)
{
	size_t whole = made->bits / 8, half = (whole + 1) / 2;
	int err;

	err = take_number(pkey, OSSL_PKEY_PARAM_RSA_N, made->n, whole);
	err = err ?: take_number(pkey, OSSL_PKEY_PARAM_RSA_D, made->d, whole);
	err = err ?: take_number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, made->p, half);
	err = err ?: take_number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, made->q, half);
	err = err ?: take_number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, made->dp, half);
	err = err ?: take_number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, made->dq, half);
	err = err ?: take_number(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, made->qi, half);
	return err;
}

/* Whether a key of so many bits can be made with this exponent, and used afterwards */
static bool can_generate(u32 bits, struct luna_num e)
{
	if (bits < RSA_MIN_BITS || bits > LUNA_RSA_MAX_BITS || bits % 8)
		return false;
	return num_odd(e) && num_bits(e) >= 2 && num_bits(e) <= SHORT_EXPONENT_BITS;
}

struct luna_rsa_made *openssl_rsa_generate(u32 bits, const u8 *e, size_t e_len)
{
	struct luna_num exponent = without_leading_zeros((struct luna_num){ e, e_len });
	struct luna_rsa_made *made;
	EVP_PKEY *pkey = NULL;
	BIGNUM *bn;
	int err;

	if (!can_generate(bits, exponent))
		return ERR_PTR(-EINVAL);
	if (!openssl_library())
		return ERR_PTR(-EIO);
	made = kzalloc(sizeof(*made), GFP_KERNEL);
	bn = BN_bin2bn(exponent.data, exponent.len, NULL);
	err = made && bn ? generate(bits, bn, &pkey) : -ENOMEM;
	if (!err) {
		made->bits = bits;
		err = take_numbers(pkey, made);
	}
	EVP_PKEY_free(pkey);
	BN_free(bn);
	if (!err)
		return made;
	kfree_sensitive(made);
	return ERR_PTR(openssl_error(err));
}
