// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES in ECB, CBC and CTR mode on skcipher. A key has one transform for each mode, made when first
 * used and then shared by all streams; a stream has a request of its own, with the IV that goes on
 * from call to call. Triple DES, which a kernel may lack, has a request for each call instead.
 *
 * Fast implementations are asynchronous by name (they hand over to a thread where the FPU is not at
 * hand), which crypto_wait_req() takes care of.
 */
#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "crypto.h"

enum {
	SEGMENTS = 17,		/* 64 KiB that start anywhere in a page */
	CHUNK_MAX = SZ_64K,
};

static const char * const mode_names[] = {
	[LUNA_ECB] = "ecb(aes)",
	[LUNA_CBC] = "cbc(aes)",
	[LUNA_CTR] = "ctr(aes)",
};

/**
 * struct luna_cipher_stream - an operation
 * @iv: what the next chunk begins with
 * @rest: CTR: a block of key stream, of which the last @rest_len bytes are unused
 */
struct luna_cipher_stream {
	enum luna_mode mode;
	bool encrypt;
	u32 rest_len;
	u8 iv[LUNA_AES_BLOCK];
	u8 rest[LUNA_AES_BLOCK];
	struct crypto_wait wait;
	struct scatterlist in[SEGMENTS];
	struct scatterlist out[SEGMENTS];
	struct skcipher_request req;	/* last: the transform's own data follows */
};

/* Held so that the modules stay, and none is loaded by a client. */
static struct crypto_skcipher *held[ARRAY_SIZE(mode_names)];

static const char * const des3_names[] = { "ecb(des3_ede)", "cbc(des3_ede)" };

/* Both or none */
static struct crypto_skcipher *held_des3[ARRAY_SIZE(des3_names)];

/**
 * struct luna_des3_key - a key: its transforms for ECB and CBC
 */
struct luna_des3_key {
	struct crypto_skcipher *modes[ARRAY_SIZE(des3_names)];
};

static void let_go_des3(struct crypto_skcipher **tfms)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(des3_names); i++) {
		crypto_free_skcipher(tfms[i]);
		tfms[i] = NULL;
	}
}

/* A kernel without it, or in FIPS mode, may have all the rest. */
static void hold_des3(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(des3_names); i++) {
		held_des3[i] = crypto_alloc_skcipher(des3_names[i], 0, 0);
		if (!IS_ERR(held_des3[i]))
			continue;
		pr_info("no DES3 mechanisms, since the kernel has no %s\n", des3_names[i]);
		held_des3[i] = NULL;
		let_go_des3(held_des3);
		return;
	}
}

int luna_kcipher_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(held); i++) {
		held[i] = crypto_alloc_skcipher(mode_names[i], 0, 0);
		if (IS_ERR(held[i])) {
			int err = PTR_ERR(held[i]);

			pr_err("the kernel has no %s: %d\n", mode_names[i], err);
			held[i] = NULL;
			luna_kcipher_exit();
			return err;
		}
	}
	hold_des3();
	return 0;
}

void luna_kcipher_exit(void)
{
	int i;

	let_go_des3(held_des3);
	for (i = 0; i < ARRAY_SIZE(held); i++) {
		crypto_free_skcipher(held[i]);
		held[i] = NULL;
	}
}

const char *luna_kcipher_driver(enum luna_mode mode)
{
	return crypto_tfm_alg_driver_name(crypto_skcipher_tfm(held[mode]));
}

static_assert(ARRAY_SIZE(mode_names) == ARRAY_SIZE(((struct luna_aes_key *)NULL)->modes));

struct luna_aes_key *luna_kaes_key(const u8 *key, size_t len)
{
	struct luna_aes_key *k;

	if (len != 16 && len != 24 && len != 32)
		return ERR_PTR(-EINVAL);
	k = kzalloc(sizeof(*k), GFP_KERNEL_ACCOUNT);
	if (!k)
		return ERR_PTR(-ENOMEM);
	memcpy(k->key, key, len);
	k->len = len;
	return k;
}

void luna_kaes_key_free(struct luna_aes_key *key)
{
	int i;

	if (!key)
		return;
	for (i = 0; i < ARRAY_SIZE(key->modes); i++)
		crypto_free_skcipher(key->modes[i]);
	crypto_free_aead(key->gcm);
	kfree_sensitive(key);
}

static struct crypto_skcipher *tfm_new(const struct luna_aes_key *key, enum luna_mode mode)
{
	struct crypto_skcipher *tfm = crypto_alloc_skcipher(mode_names[mode], 0, 0);
	int err;

	if (IS_ERR(tfm))
		return ERR_PTR(PTR_ERR(tfm) == -ENOMEM ? -ENOMEM : -EOPNOTSUPP);
	err = crypto_skcipher_setkey(tfm, key->key, key->len);
	if (!err)
		return tfm;
	crypto_free_skcipher(tfm);
	return ERR_PTR(err);
}

/* The key's transform; two who need it first both make one, and one of them stays. */
static struct crypto_skcipher *key_tfm(struct luna_aes_key *key, enum luna_mode mode)
{
	struct crypto_skcipher *tfm, *other;

	/* Pairs with the cmpxchg() below. */
	tfm = smp_load_acquire(&key->modes[mode]);
	if (tfm)
		return tfm;
	tfm = tfm_new(key, mode);
	if (IS_ERR(tfm))
		return tfm;
	other = cmpxchg(&key->modes[mode], NULL, tfm);
	if (!other)
		return tfm;
	crypto_free_skcipher(tfm);
	return other;
}

static struct luna_cipher_stream *stream_new(struct crypto_skcipher *tfm, enum luna_mode mode,
					     bool encrypt, const u8 *iv, size_t iv_len)
{
	struct luna_cipher_stream *s;

	s = kmalloc(sizeof(*s) + crypto_skcipher_reqsize(tfm), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);
	s->mode = mode;
	s->encrypt = encrypt;
	s->rest_len = 0;
	if (iv_len)
		memcpy(s->iv, iv, iv_len);
	crypto_init_wait(&s->wait);
	skcipher_request_set_tfm(&s->req, tfm);
	skcipher_request_set_callback(&s->req,
				      CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				      crypto_req_done, &s->wait);
	return s;
}

struct luna_cipher_stream *luna_kcipher_begin(struct luna_aes_key *key, enum luna_mode mode,
					      bool encrypt, const u8 *iv, size_t iv_len)
{
	struct crypto_skcipher *tfm;

	if ((unsigned int)mode >= ARRAY_SIZE(mode_names))
		return ERR_PTR(-EOPNOTSUPP);
	if (iv_len != (mode == LUNA_ECB ? 0 : LUNA_AES_BLOCK))
		return ERR_PTR(-EINVAL);
	tfm = key_tfm(key, mode);
	if (IS_ERR(tfm))
		return ERR_CAST(tfm);
	return stream_new(tfm, mode, encrypt, iv, iv_len);
}

/* Large buffers are vmalloc'ed, whose pages lie anywhere. */
static void fill_segments(struct scatterlist *sg, const u8 *data, size_t len)
{
	int count = 0;

	if (virt_addr_valid(data)) {
		sg_init_one(sg, data, len);
		return;
	}
	sg_init_table(sg, SEGMENTS);
	while (len) {
		unsigned int offset = offset_in_page(data);
		unsigned int n = min_t(size_t, len, PAGE_SIZE - offset);

		sg_set_page(&sg[count++], vmalloc_to_page(data), n, offset);
		data += n;
		len -= n;
	}
	sg_mark_end(&sg[count - 1]);
}

/* Whole blocks, at most CHUNK_MAX bytes */
static int chunk(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	struct scatterlist *to = in == out ? s->in : s->out;
	int err;

	fill_segments(s->in, in, len);
	if (to == s->out)
		fill_segments(s->out, out, len);
	skcipher_request_set_crypt(&s->req, s->in, to, len, s->iv);
	err = s->encrypt ? crypto_skcipher_encrypt(&s->req) : crypto_skcipher_decrypt(&s->req);
	err = crypto_wait_req(err, &s->wait);
	if (!err || err == -ENOMEM)
		return err;
	return -EIO;
}

static int blocks(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	int err = 0;

	while (len && !err) {
		size_t n = min_t(size_t, len, CHUNK_MAX);

		err = chunk(s, in, n, out);
		in += n;
		out += n;
		len -= n;
	}
	return err;
}

/* CTR: what is left of the last block's key stream; returns how much it took. */
static size_t use_rest(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	size_t n = min_t(size_t, len, s->rest_len);

	crypto_xor_cpy(out, in, s->rest + sizeof(s->rest) - s->rest_len, n);
	s->rest_len -= n;
	return n;
}

static int update_ctr(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	size_t n = use_rest(s, in, len, out), whole;
	int err;

	in += n;
	out += n;
	len -= n;
	whole = round_down(len, LUNA_AES_BLOCK);
	err = blocks(s, in, whole, out);
	if (err || len == whole)
		return err;
	memset(s->rest, 0, sizeof(s->rest));
	err = blocks(s, s->rest, sizeof(s->rest), s->rest);
	if (err)
		return err;
	s->rest_len = sizeof(s->rest);
	use_rest(s, in + whole, len - whole, out + whole);
	return 0;
}

int luna_kcipher_update(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	if (s->mode == LUNA_CTR)
		return update_ctr(s, in, len, out);
	if (len % LUNA_AES_BLOCK)
		return -EINVAL;
	return blocks(s, in, len, out);
}

void luna_kcipher_end(struct luna_cipher_stream *s)
{
	kfree_sensitive(s);
}

/* ---- triple DES ---- */

bool luna_khas_des3(void)
{
	return held_des3[0];
}

const char *luna_kdes3_driver(void)
{
	return crypto_tfm_alg_driver_name(crypto_skcipher_tfm(held_des3[1]));
}

void luna_kdes3_key_free(struct luna_des3_key *key)
{
	if (!key)
		return;
	let_go_des3(key->modes);
	kfree(key);
}

/*
 * Weak keys are taken, since nothing asks for CRYPTO_TFM_REQ_FORBID_WEAK_KEYS; a kernel in FIPS
 * mode refuses them all the same.
 */
static int des3_set(struct luna_des3_key *key, int mode, const u8 *bytes)
{
	struct crypto_skcipher *tfm = crypto_alloc_skcipher(des3_names[mode], 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm) == -ENOMEM ? -ENOMEM : -EOPNOTSUPP;
	key->modes[mode] = tfm;
	return crypto_skcipher_setkey(tfm, bytes, LUNA_DES3_KEY);
}

struct luna_des3_key *luna_kdes3_key(const u8 *key)
{
	struct luna_des3_key *k;
	int err;

	if (!luna_khas_des3())
		return ERR_PTR(-EOPNOTSUPP);
	k = kzalloc(sizeof(*k), GFP_KERNEL_ACCOUNT);
	if (!k)
		return ERR_PTR(-ENOMEM);
	err = des3_set(k, 0, key);
	if (!err)
		err = des3_set(k, 1, key);
	if (!err)
		return k;
	luna_kdes3_key_free(k);
	return ERR_PTR(err);
}

int luna_kdes3_crypt(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
		     size_t len, u8 *out)
{
	struct luna_cipher_stream *s;
	int err;

	if (len % LUNA_DES_BLOCK)
		return -EINVAL;
	s = stream_new(key->modes[!!iv], iv ? LUNA_CBC : LUNA_ECB, encrypt, iv,
		       iv ? LUNA_DES_BLOCK : 0);
	if (IS_ERR(s))
		return PTR_ERR(s);
	err = blocks(s, in, len, out);
	luna_kcipher_end(s);
	return err;
}
