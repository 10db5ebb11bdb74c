// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Raw RSA on akcipher "rsa", which is a bare exponentiation, neither blinded nor of constant time.
 * A private operation is therefore blinded (blinding.c), and checked with the public exponent
 * before anything of it leaves.
 *
 * "rsa" calculates with the CRT and takes no private key without it. Such a key is given to it as a
 * public key with d in the place of e.
 */
#include <crypto/akcipher.h>
#include <linux/scatterlist.h>

#include "blinding.h"
#include "crypto.h"
#include "mpi.h"

enum {
	DER_INTEGER = 0x02,
	DER_SEQUENCE = 0x30,
	DER_HEAD_MAX = 4,	/* tag and a length below 64 KiB */
	DER_NUMBERS_MAX = 9,
};

/**
 * struct luna_rsa_key - a key
 * @public: has n and e
 * @private: NULL for a public key; with @crt the whole private key, otherwise n and d
 * @blinder: of a private key
 * @size: bytes of the modulus, which are @modulus
 */
struct luna_rsa_key {
	struct crypto_akcipher *public;
	struct crypto_akcipher *private;
	bool crt;
	struct luna_blinder blinder;
	u32 size;
	u8 modulus[];
};

/* Held so that the module stays. */
static struct crypto_akcipher *held;

int luna_krsa_init(void)
{
	int err;

	held = crypto_alloc_akcipher("rsa", 0, 0);
	if (!IS_ERR(held))
		return 0;
	err = PTR_ERR(held);
	pr_err("the kernel has no rsa: %d\n", err);
	held = NULL;
	return err;
}

void luna_krsa_exit(void)
{
	crypto_free_akcipher(held);
	held = NULL;
}

const char *luna_krsa_driver(void)
{
	return crypto_tfm_alg_driver_name(crypto_akcipher_tfm(held));
}

bool luna_krsa_bits_fit(u32 bits)
{
	static const u32 fitting[] = { 512, 1024, 1536, 2048, 3072, 4096 };
	int i;

	for (i = 0; i < ARRAY_SIZE(fitting); i++)
		if (fitting[i] == bits)
			return true;
	return false;
}

int luna_mpi_write(MPI a, u8 *out, u32 len)
{
	unsigned int used;
	int sign, err;

	err = mpi_read_buffer(a, out, len, &used, &sign);
	if (err || sign || used > len)
		return -EIO;
	memmove(out + len - used, out, used);
	memset(out, 0, len - used);
	return 0;
}

/* ---- keys in DER, as "rsa" takes them ---- */

static struct luna_num trimmed(struct luna_num num)
{
	while (num.len && !*num.data) {
		num.data++;
		num.len--;
	}
	return num;
}

static bool odd(struct luna_num num)
{
	return num.len && num.data[num.len - 1] & 1;
}

static u32 content_len(struct luna_num num)
{
	return num.len + (!num.len || num.data[0] & 0x80);
}

static u8 *put_head(u8 *out, u8 tag, u32 len)
{
	*out++ = tag;
	*out++ = 0x82;
	put_unaligned_be16(len, out);
	return out + 2;
}

static u8 *put_integer(u8 *out, struct luna_num num)
{
	u32 len = content_len(num);

	out = put_head(out, DER_INTEGER, len);
	*out = 0;
	memcpy(out + len - num.len, num.data, num.len);
	return out + len;
}

/* A sequence of numbers in kmalloc'ed memory, to be wiped */
static u8 *der_new(const struct luna_num *nums, int count, u32 *len)
{
	u32 content = 0;
	u8 *der, *out;
	int i;

	for (i = 0; i < count; i++)
		content += DER_HEAD_MAX + content_len(nums[i]);
	*len = DER_HEAD_MAX + content;
	der = kmalloc(*len, GFP_KERNEL);
	if (!der)
		return NULL;
	out = put_head(der, DER_SEQUENCE, content);
	for (i = 0; i < count; i++)
		out = put_integer(out, nums[i]);
	return der;
}

typedef int (*set_key_fn)(struct crypto_akcipher *tfm, const void *key, unsigned int len);

static struct crypto_akcipher *tfm_new(const struct luna_num *nums, int count, set_key_fn set_key)
{
	struct crypto_akcipher *tfm;
	u32 len;
	u8 *der;
	int err;

	tfm = crypto_alloc_akcipher("rsa", 0, 0);
	if (IS_ERR(tfm))
		return ERR_PTR(PTR_ERR(tfm) == -ENOMEM ? -ENOMEM : -EOPNOTSUPP);
	der = der_new(nums, count, &len);
	err = der ? set_key(tfm, der, len) : -ENOMEM;
	kfree_sensitive(der);
	if (!err)
		return tfm;
	crypto_free_akcipher(tfm);
	return ERR_PTR(err == -ENOMEM ? -ENOMEM : -EINVAL);
}

static struct crypto_akcipher *tfm_public(struct luna_num n, struct luna_num e)
{
	const struct luna_num nums[] = { n, e };

	return tfm_new(nums, ARRAY_SIZE(nums), crypto_akcipher_set_pub_key);
}

static struct crypto_akcipher *tfm_private(const struct luna_rsa_nums *k)
{
	const struct luna_num nums[DER_NUMBERS_MAX] = {
		{}, k->n, k->e, k->d, k->p, k->q, k->dp, k->dq, k->qi,
	};

	return tfm_new(nums, ARRAY_SIZE(nums), crypto_akcipher_set_priv_key);
}

/* ---- the bare exponentiation ---- */

/**
 * struct exponentiation - one call; request, its transform's data, input and output lie behind it
 */
struct exponentiation {
	struct crypto_wait wait;
	struct scatterlist in, out;
	struct akcipher_request req;
};

static int exponentiate(struct crypto_akcipher *tfm, bool decrypt, const u8 *in, u8 *out, u32 size)
{
	size_t room = ALIGN(sizeof(struct exponentiation) + crypto_akcipher_reqsize(tfm), 8);
	struct exponentiation *x = kzalloc(room + 2 * size, GFP_KERNEL);
	u8 *buf = (u8 *)x + room;
	int err;

	if (!x)
		return -ENOMEM;
	memcpy(buf, in, size);
	sg_init_one(&x->in, buf, size);
	sg_init_one(&x->out, buf + size, size);
	crypto_init_wait(&x->wait);
	akcipher_request_set_tfm(&x->req, tfm);
	akcipher_request_set_callback(&x->req,
				      CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				      crypto_req_done, &x->wait);
	akcipher_request_set_crypt(&x->req, &x->in, &x->out, size, size);
	err = decrypt ? crypto_akcipher_decrypt(&x->req) : crypto_akcipher_encrypt(&x->req);
	err = crypto_wait_req(err, &x->wait);
	if (!err)
		memcpy(out, buf + size, size);
	kfree_sensitive(x);
	/* The number was looked at before: "rsa" of 6.12 says so of its own lack of memory. */
	if (err == -EINVAL)
		err = -ENOMEM;
	return !err || err == -ENOMEM ? err : -EIO;
}

/* An odd exponent leaves 0, 1 and n - 1 as they are. Some versions of "rsa" refuse them. */
static bool fixed_point(const struct luna_rsa_key *key, const u8 *in)
{
	u32 last = key->size - 1;

	if (!memchr_inv(in, 0, last))
		return in[last] <= 1;
	return !memcmp(in, key->modulus, last) && in[last] == key->modulus[last] - 1;
}

int luna_krsa_public(struct luna_rsa_key *key, const u8 *in, u8 *out)
{
	if (memcmp(in, key->modulus, key->size) >= 0)
		return -EINVAL;
	if (fixed_point(key, in)) {
		memmove(out, in, key->size);
		return 0;
	}
	return exponentiate(key->public, false, in, out, key->size);
}

/* ---- private operations ---- */

/* work has room for two numbers: the result and, in the end, its check. */
static int private_blinded(struct luna_rsa_key *key, struct luna_blinding *b, const u8 *in,
			   u8 *work)
{
	u8 *check = work + key->size;
	int err;

	memcpy(work, in, key->size);
	err = luna_blinding_multiply(&key->blinder, work, b->blind);
	err = err ?: exponentiate(key->private, key->crt, work, work, key->size);
	err = err ?: luna_blinding_multiply(&key->blinder, work, b->unblind);
	err = err ?: luna_krsa_public(key, work, check);
	if (!err && crypto_memneq(check, in, key->size)) {
		pr_err_ratelimited("a private RSA operation went wrong; its result is withheld\n");
		err = -EIO;
	}
	return err;
}

int luna_krsa_private(struct luna_rsa_key *key, const u8 *in, u8 *out)
{
	struct luna_blinding *b;
	u8 *work;
	int err;

	if (!key->private || memcmp(in, key->modulus, key->size) >= 0)
		return -EINVAL;
	if (fixed_point(key, in)) {
		memmove(out, in, key->size);
		return 0;
	}
	work = kmalloc(2 * key->size, GFP_KERNEL);
	if (!work)
		return -ENOMEM;
	b = luna_blinding_take(&key->blinder);
	err = PTR_ERR_OR_ZERO(b);
	if (!err) {
		err = private_blinded(key, b, in, work);
		luna_blinding_give(&key->blinder, b);
	}
	if (!err)
		memcpy(out, work, key->size);
	kfree_sensitive(work);
	return err;
}

/* ---- keys ---- */

static bool has_crt(const struct luna_rsa_nums *k)
{
	return k->p.len && k->q.len && k->dp.len && k->dq.len && k->qi.len;
}

static void trim(struct luna_rsa_nums *to, const struct luna_rsa_nums *from)
{
	to->n = trimmed(from->n);
	to->e = trimmed(from->e);
	to->d = trimmed(from->d);
	to->p = trimmed(from->p);
	to->q = trimmed(from->q);
	to->dp = trimmed(from->dp);
	to->dq = trimmed(from->dq);
	to->qi = trimmed(from->qi);
}

/* 0, -EINVAL: the modulus is not their product, or -ENOMEM */
static int check_primes(const struct luna_rsa_key *key, const struct luna_rsa_nums *k)
{
	MPI p = luna_mpi_read(k->p.data, k->p.len), q = luna_mpi_read(k->q.data, k->q.len);
	MPI product = mpi_alloc(0), n = luna_mpi_read(key->modulus, key->size);
	int err = -ENOMEM;

	if (p && q && product && n)
		err = luna_mpi(mpi_mul(product, p, q));
	if (!err && mpi_cmp(product, n))
		err = -EINVAL;
	mpi_free(n);
	mpi_free(product);
	mpi_free(q);
	mpi_free(p);
	return err;
}

/*
 * The public exponent of a private key that came without one, by trying the usual ones: 2^(d * e)
 * is 2.
 * Return: its transform; ERR_PTR(-EINVAL) if none fits.
 */
static struct crypto_akcipher *find_exponent(struct luna_rsa_key *key, struct luna_num n, u8 e[3])
{
	static const u32 usual[] = { 65537, 3, 5, 17, 257 };
	u8 *work = kzalloc(3 * key->size, GFP_KERNEL);
	u8 *two = work, *power = work + key->size, *back = power + key->size;
	struct crypto_akcipher *tfm = ERR_PTR(-EINVAL);
	int i, err;

	if (!work)
		return ERR_PTR(-ENOMEM);
	two[key->size - 1] = 2;
	err = exponentiate(key->private, false, two, power, key->size);
	if (!err && fixed_point(key, power))
		err = -EINVAL;
	for (i = 0; i < ARRAY_SIZE(usual) && !err; i++) {
		put_unaligned_be24(usual[i], e);
		tfm = tfm_public(n, trimmed((struct luna_num){ e, 3 }));
		if (IS_ERR(tfm))
			break;
		err = exponentiate(tfm, false, power, back, key->size);
		if (!err && !memcmp(back, two, key->size))
			break;
		crypto_free_akcipher(tfm);
		tfm = ERR_PTR(-EINVAL);
	}
	kfree_sensitive(work);
	return err ? ERR_PTR(err) : tfm;
}

static int set_private(struct luna_rsa_key *key, struct luna_rsa_nums *k, u8 found[3])
{
	struct crypto_akcipher *tfm;
	int err;

	if (!odd(k->d) || k->d.len > k->n.len)
		return -EINVAL;
	key->crt = k->e.len && has_crt(k);
	if (key->crt) {
		err = odd(k->p) && odd(k->q) ? check_primes(key, k) : -EINVAL;
		if (err)
			return err;
	}
	tfm = key->crt ? tfm_private(k) : tfm_public(k->n, k->d);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	key->private = tfm;
	if (!k->e.len) {
		tfm = find_exponent(key, k->n, found);
		if (IS_ERR(tfm))
			return PTR_ERR(tfm);
		key->public = tfm;
		k->e = trimmed((struct luna_num){ found, 3 });
	}
	return luna_blinder_init(&key->blinder, key->modulus, key->size, k, key->crt);
}

static int set_public(struct luna_rsa_key *key, const struct luna_rsa_nums *k)
{
	struct crypto_akcipher *tfm;

	if (!odd(k->e) || k->e.len > k->n.len || (k->e.len == 1 && *k->e.data < 3))
		return -EINVAL;
	if (key->public)
		return 0;
	tfm = tfm_public(k->n, k->e);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	key->public = tfm;
	return 0;
}

struct luna_rsa_key *luna_krsa_key(const struct luna_rsa_nums *given)
{
	struct luna_rsa_nums k;
	struct luna_rsa_key *key;
	u8 found[3];
	int err = 0;

	trim(&k, given);
	if (!odd(k.n))
		return ERR_PTR(-EINVAL);
	if (!luna_krsa_bits_fit(8 * k.n.len))
		return ERR_PTR(-EOPNOTSUPP);
	key = kzalloc(sizeof(*key) + k.n.len, GFP_KERNEL_ACCOUNT);
	if (!key)
		return ERR_PTR(-ENOMEM);
	key->size = k.n.len;
	memcpy(key->modulus, k.n.data, k.n.len);
	if (k.d.len)
		err = set_private(key, &k, found);
	err = err ?: set_public(key, &k);
	if (!err)
		return key;
	luna_krsa_key_free(key);
	return ERR_PTR(err);
}

void luna_krsa_key_free(struct luna_rsa_key *key)
{
	if (!key)
		return;
	luna_blinder_exit(&key->blinder);
	crypto_free_akcipher(key->private);
	crypto_free_akcipher(key->public);
	kfree_sensitive(key);
}
