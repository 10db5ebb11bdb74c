// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hashes, HMAC, CMAC and PBKDF2 on shash. Hashes share one transform each; a MAC key is a transform
 * with its key set, and its streams are descriptors of it.
 */
#include <crypto/hash.h>

#include "crypto.h"

struct luna_hash_stream {
	struct shash_desc desc;
};

struct luna_mac_key {
	struct crypto_shash *tfm;
};

struct luna_mac_stream {
	struct shash_desc desc;
};

static const char * const hash_names[LUNA_HASHES] = {
	[LUNA_SHA1]	= "sha1",
	[LUNA_SHA224]	= "sha224",
	[LUNA_SHA256]	= "sha256",
	[LUNA_SHA384]	= "sha384",
	[LUNA_SHA512]	= "sha512",
	[LUNA_SHA3_224]	= "sha3-224",
	[LUNA_SHA3_256]	= "sha3-256",
	[LUNA_SHA3_384]	= "sha3-384",
	[LUNA_SHA3_512]	= "sha3-512",
};

static const char * const mac_names[LUNA_MACS] = {
	[LUNA_CMAC_AES]			= "cmac(aes)",
	[LUNA_HMAC + LUNA_SHA1]		= "hmac(sha1)",
	[LUNA_HMAC + LUNA_SHA224]	= "hmac(sha224)",
	[LUNA_HMAC + LUNA_SHA256]	= "hmac(sha256)",
	[LUNA_HMAC + LUNA_SHA384]	= "hmac(sha384)",
	[LUNA_HMAC + LUNA_SHA512]	= "hmac(sha512)",
	[LUNA_HMAC + LUNA_SHA3_224]	= "hmac(sha3-224)",
	[LUNA_HMAC + LUNA_SHA3_256]	= "hmac(sha3-256)",
	[LUNA_HMAC + LUNA_SHA3_384]	= "hmac(sha3-384)",
	[LUNA_HMAC + LUNA_SHA3_512]	= "hmac(sha3-512)",
};

/* Held so that their modules stay, and none is loaded by a client; the MACs have no key. */
static struct crypto_shash *hashes[LUNA_HASHES];
static struct crypto_shash *macs[LUNA_MACS];

static int hold(const char *name, struct crypto_shash **tfm)
{
	*tfm = crypto_alloc_shash(name, 0, 0);
	if (!IS_ERR(*tfm))
		return 0;
	pr_err("the kernel has no %s: %ld\n", name, PTR_ERR(*tfm));
	return PTR_ERR(*tfm);
}

int luna_khash_init(void)
{
	int i, err = 0;

	for (i = 0; i < LUNA_HASHES && !err; i++)
		err = hold(hash_names[i], &hashes[i]);
	for (i = 0; i < LUNA_MACS && !err; i++)
		err = hold(mac_names[i], &macs[i]);
	if (err)
		luna_khash_exit();
	return err;
}

static void let_go(struct crypto_shash **tfms, int count)
{
	int i;

	for (i = 0; i < count; i++) {
		if (!IS_ERR_OR_NULL(tfms[i]))
			crypto_free_shash(tfms[i]);
		tfms[i] = NULL;
	}
}

void luna_khash_exit(void)
{
	let_go(macs, LUNA_MACS);
	let_go(hashes, LUNA_HASHES);
}

const char *luna_khash_driver(enum luna_hash hash)
{
	return crypto_tfm_alg_driver_name(crypto_shash_tfm(hashes[hash]));
}

const char *luna_kmac_driver(enum luna_mac_kind kind)
{
	return crypto_tfm_alg_driver_name(crypto_shash_tfm(macs[kind]));
}

/* Room for a descriptor that is the only member of a @size bytes struct; begins it */
static void *desc_begin(struct crypto_shash *tfm, size_t size)
{
	struct shash_desc *desc = kmalloc(size + crypto_shash_descsize(tfm), GFP_KERNEL_ACCOUNT);
	int err;

	if (!desc)
		return ERR_PTR(-ENOMEM);
	desc->tfm = tfm;
	err = crypto_shash_init(desc);
	if (!err)
		return desc;
	kfree_sensitive(desc);
	return ERR_PTR(err);
}

struct luna_hash_stream *luna_khash_begin(enum luna_hash hash)
{
	if ((unsigned int)hash >= LUNA_HASHES)
		return ERR_PTR(-EOPNOTSUPP);
	return desc_begin(hashes[hash], sizeof(struct luna_hash_stream));
}

/* The kernel's hashes count bytes in an unsigned int. */
static int desc_update(struct shash_desc *desc, const u8 *data, size_t len)
{
	int err = 0;

	while (len && !err) {
		unsigned int n = min_t(size_t, len, SZ_1G);

		err = crypto_shash_update(desc, data, n);
		data += n;
		len -= n;
	}
	return err ? -EIO : 0;
}

static int desc_final(struct shash_desc *desc, u8 *out)
{
	return crypto_shash_final(desc, out) ? -EIO : 0;
}

int luna_khash_update(struct luna_hash_stream *s, const void *data, size_t len)
{
	return desc_update(&s->desc, data, len);
}

int luna_khash_final(struct luna_hash_stream *s, u8 *digest)
{
	return desc_final(&s->desc, digest);
}

void luna_khash_end(struct luna_hash_stream *s)
{
	kfree_sensitive(s);
}

static struct crypto_shash *mac_tfm(enum luna_mac_kind kind, const u8 *key, size_t len)
{
	struct crypto_shash *tfm;
	int err;

	if ((unsigned int)kind >= LUNA_MACS)
		return ERR_PTR(-EOPNOTSUPP);
	if (kind == LUNA_CMAC_AES && len != 16 && len != 24 && len != 32)
		return ERR_PTR(-EINVAL);
	tfm = crypto_alloc_shash(mac_names[kind], 0, 0);
	if (IS_ERR(tfm))
		return ERR_PTR(PTR_ERR(tfm) == -ENOMEM ? -ENOMEM : -EOPNOTSUPP);
	err = crypto_shash_setkey(tfm, key ? key : (const u8 *)"", len);
	if (!err)
		return tfm;
	crypto_free_shash(tfm);
	return ERR_PTR(err == -ENOMEM ? -ENOMEM : -EINVAL);
}

struct luna_mac_key *luna_kmac_key(enum luna_mac_kind kind, const u8 *key, size_t len)
{
	struct luna_mac_key *k = kzalloc(sizeof(*k), GFP_KERNEL_ACCOUNT);
	int err;

	if (!k)
		return ERR_PTR(-ENOMEM);
	k->tfm = mac_tfm(kind, key, len);
	if (!IS_ERR(k->tfm))
		return k;
	err = PTR_ERR(k->tfm);
	kfree(k);
	return ERR_PTR(err);
}

void luna_kmac_key_free(struct luna_mac_key *key)
{
	if (!key)
		return;
	crypto_free_shash(key->tfm);
	kfree(key);
}

struct luna_mac_stream *luna_kmac_begin(struct luna_mac_key *key)
{
	return desc_begin(key->tfm, sizeof(struct luna_mac_stream));
}

int luna_kmac_update(struct luna_mac_stream *s, const void *data, size_t len)
{
	return desc_update(&s->desc, data, len);
}

int luna_kmac_final(struct luna_mac_stream *s, u8 *mac)
{
	return desc_final(&s->desc, mac);
}

void luna_kmac_end(struct luna_mac_stream *s)
{
	kfree_sensitive(s);
}

/* ---- PBKDF2 (RFC 8018, 5.2) ---- */

struct pbkdf2 {
	u8 u[LUNA_HASH_MAX];
	u8 sum[LUNA_HASH_MAX];
	u8 index[4];
	struct shash_desc desc;	/* last */
};

static int pbkdf2_block(struct pbkdf2 *p, const u8 *salt, size_t salt_len, u32 iterations,
			u32 index)
{
	unsigned int len = crypto_shash_digestsize(p->desc.tfm);
	u32 i;
	int err;

	put_unaligned_be32(index, p->index);
	err = crypto_shash_init(&p->desc);
	err = err ?: desc_update(&p->desc, salt, salt_len);
	err = err ?: crypto_shash_finup(&p->desc, p->index, sizeof(p->index), p->u);
	memcpy(p->sum, p->u, len);
	for (i = 1; i < iterations && !err; i++) {
		err = crypto_shash_digest(&p->desc, p->u, len, p->u);
		crypto_xor(p->sum, p->u, len);
		if (i % 1024)
			continue;
		cond_resched();
		if (fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

int luna_kpbkdf2(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
		 size_t salt_len, u32 iterations, u8 *out, size_t out_len)
{
	struct crypto_shash *tfm = mac_tfm(LUNA_HMAC + hash, pin, pin_len);
	struct pbkdf2 *p;
	u32 index = 1;
	size_t n;
	int err = 0;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	p = kzalloc(sizeof(*p) + crypto_shash_descsize(tfm), GFP_KERNEL);
	if (p)
		p->desc.tfm = tfm;
	else
		err = -ENOMEM;
	for (; out_len && !err; out += n, out_len -= n) {
		n = min_t(size_t, out_len, crypto_shash_digestsize(tfm));
		err = pbkdf2_block(p, salt, salt_len, iterations, index++);
		if (!err)
			memcpy(out, p->sum, n);
	}
	kfree_sensitive(p);
	crypto_free_shash(tfm);
	return err;
}
