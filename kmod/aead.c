// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * AES-GCM of whole messages on aead, where the kernel has gcm(aes); without it, or where a message
 * lies in memory that is not linear, the engine's own GCM computes. As in cipher.c, fast
 * implementations are asynchronous by name, and a key makes its transform when it is first used.
 */
#include <crypto/aead.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "crypto.h"

enum { IV = 12, TAG = LUNA_AES_BLOCK, SEGMENTS = 3 };

/**
 * struct gcm_call - a message
 * @from: AAD, text, tag; also where the tag is but written, since a list must have an entry
 * @to: the same with the text's new place
 */
struct gcm_call {
	struct crypto_wait wait;
	struct scatterlist from[SEGMENTS];
	struct scatterlist to[SEGMENTS];
	u8 iv[IV];
	struct aead_request req;	/* last: the transform's own data follows */
};

/* Held so that the modules stay, and none is loaded by a client; NULL: there is none. */
static struct crypto_aead *held;

void luna_kgcm_init(void)
{
	held = crypto_alloc_aead("gcm(aes)", 0, 0);
	if (!IS_ERR(held))
		return;
	pr_info("the kernel has no gcm(aes): AES-GCM is built of ctr(aes)\n");
	held = NULL;
}

void luna_kgcm_exit(void)
{
	crypto_free_aead(held);
	held = NULL;
}

const char *luna_kgcm_driver(void)
{
	return held ? crypto_tfm_alg_driver_name(crypto_aead_tfm(held)) : NULL;
}

static struct crypto_aead *tfm_new(const struct luna_aes_key *key)
{
	struct crypto_aead *tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	int err;

	if (IS_ERR(tfm))
		return tfm;
	err = crypto_aead_setkey(tfm, key->key, key->len);
	if (!err)
		err = crypto_aead_setauthsize(tfm, TAG);
	if (!err)
		return tfm;
	crypto_free_aead(tfm);
	return ERR_PTR(err);
}

/* The key's transform, or NULL: then there is another way. See key_tfm() of cipher.c. */
static struct crypto_aead *key_tfm(struct luna_aes_key *key)
{
	struct crypto_aead *tfm, *other;

	/* Pairs with the cmpxchg() below. */
	tfm = smp_load_acquire(&key->gcm);
	if (tfm || !held)
		return tfm;
	tfm = tfm_new(key);
	if (IS_ERR(tfm))
		return NULL;
	other = cmpxchg(&key->gcm, NULL, tfm);
	if (!other)
		return tfm;
	crypto_free_aead(tfm);
	return other;
}

static bool linear(const void *data, size_t len)
{
	return !len || virt_addr_valid(data);
}

static void fill(struct scatterlist *sg, const u8 *aad, size_t aad_len, const u8 *text, size_t len,
		 const u8 *tag)
{
	int count = 0;

	sg_init_table(sg, !!aad_len + !!len + 1);
	if (aad_len)
		sg_set_buf(&sg[count++], aad, aad_len);
	if (len)
		sg_set_buf(&sg[count++], text, len);
	sg_set_buf(&sg[count], tag, TAG);
}

static int run(struct gcm_call *call, bool encrypt)
{
	int err = encrypt ? crypto_aead_encrypt(&call->req) : crypto_aead_decrypt(&call->req);

	err = crypto_wait_req(err, &call->wait);
	return !err || err == -ENOMEM || err == -EBADMSG ? err : -EIO;
}

static struct gcm_call *call_new(struct crypto_aead *tfm, const u8 *iv)
{
	struct gcm_call *call = kmalloc(sizeof(*call) + crypto_aead_reqsize(tfm),
					GFP_KERNEL_ACCOUNT);

	if (!call)
		return NULL;
	memcpy(call->iv, iv, IV);
	crypto_init_wait(&call->wait);
	aead_request_set_tfm(&call->req, tfm);
	aead_request_set_callback(&call->req, CRYPTO_TFM_REQ_MAY_SLEEP | CRYPTO_TFM_REQ_MAY_BACKLOG,
				  crypto_req_done, &call->wait);
	return call;
}

int luna_kgcm_once(struct luna_aes_key *key, bool encrypt, const u8 *iv, const u8 *aad,
		   size_t aad_len, const u8 *in, size_t len, u8 *out, u8 *tag)
{
	struct crypto_aead *tfm = key_tfm(key);
	struct gcm_call *call;
	int err;

	if (!tfm || len > INT_MAX - TAG || !linear(aad, aad_len) || !linear(in, len) ||
	    !linear(out, len) || !linear(tag, TAG))
		return -EOPNOTSUPP;
	call = call_new(tfm, iv);
	if (!call)
		return -ENOMEM;
	fill(call->from, aad, aad_len, in, len, tag);
	fill(call->to, aad, aad_len, out, len, tag);
	aead_request_set_ad(&call->req, aad_len);
	aead_request_set_crypt(&call->req, call->from, call->to, encrypt ? len : len + TAG,
			       call->iv);
	err = run(call, encrypt);
	/* Implementations may decrypt first and compare then. */
	if (err)
		memzero_explicit(out, len);
	kfree_sensitive(call);
	return err;
}
