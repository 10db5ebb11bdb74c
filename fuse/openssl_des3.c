// SPDX-License-Identifier: MIT
/*
 * Triple DES on EVP_CIPHER_CTX. A key keeps contexts that were used with it, by mode and direction;
 * a call sets an IV and does not expand the key again.
 */
#include <limits.h>

#include "openssl.h"

/**
 * struct luna_des3_key - a key and its idle contexts: [CBC, or else ECB][encrypt]
 */
struct luna_des3_key {
	u8 key[LUNA_DES3_KEY];
	struct openssl_pool idle[2][2];
};

bool openssl_has_des3(void)
{
	const struct openssl_library *lib = openssl_library();

	return lib && lib->des3[0] && lib->des3[1];
}

struct luna_des3_key *openssl_des3_key(const u8 *key)
{
	struct luna_des3_key *k;

	if (!openssl_has_des3())
		return ERR_PTR(-EOPNOTSUPP);
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k)
		return ERR_PTR(-ENOMEM);
	memcpy(k->key, key, sizeof(k->key));
	return k;
}

void openssl_des3_key_free(struct luna_des3_key *key)
{
	EVP_CIPHER_CTX *ctx;

	if (!key)
		return;
	for (int cbc = 0; cbc < 2; cbc++)
		for (int encrypt = 0; encrypt < 2; encrypt++)
			while ((ctx = openssl_pool_take(&key->idle[cbc][encrypt])))
				EVP_CIPHER_CTX_free(ctx);
	kfree_sensitive(key);
}

static EVP_CIPHER_CTX *context_new(const struct luna_des3_key *key, bool cbc, bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && EVP_CipherInit_ex2(ctx, openssl_library()->des3[cbc], key->key, NULL, encrypt,
				      NULL) == 1 && EVP_CIPHER_CTX_set_padding(ctx, 0) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

int openssl_des3_crypt(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
		       size_t len, u8 *out)
{
	struct openssl_pool *pool = &key->idle[!!iv][encrypt];
	EVP_CIPHER_CTX *ctx;
	int written = 0;
	bool ok;

	if (len % LUNA_DES_BLOCK || len > INT_MAX)
		return -EINVAL;
	ctx = openssl_pool_take(pool);
	if (!ctx)
		ctx = context_new(key, iv, encrypt);
	if (!ctx)
		return openssl_error(-ENOMEM);
	ok = EVP_CipherInit_ex2(ctx, NULL, NULL, iv, encrypt, NULL) == 1 &&
	     (!len || EVP_CipherUpdate(ctx, out, &written, in, len) == 1) && (size_t)written == len;
	if (!ok || !openssl_pool_give(pool, ctx))
		EVP_CIPHER_CTX_free(ctx);
	return ok ? 0 : openssl_error(-EIO);
}
