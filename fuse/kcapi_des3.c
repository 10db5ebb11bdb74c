// SPDX-License-Identifier: MIT
/*
 * Triple DES. A key is the kernel's in both of its modes, or OpenSSL's in both.
 */
#include "kcapi_provider.h"
#include "openssl.h"

static const char * const mode_names[] = {
	[LUNA_ECB] = "ecb(des3_ede)",
	[LUNA_CBC] = "cbc(des3_ede)",
};

const char *kcapi_des3_name(enum luna_mode mode)
{
	return mode_names[mode];
}

/**
 * struct luna_des3_key - a key
 * @openssl: who has it, if not the kernel does; the rest is then unused
 */
struct luna_des3_key {
	u8 key[LUNA_DES3_KEY];
	struct kcapi_use uses[ARRAY_SIZE(mode_names)];
	struct luna_des3_key *openssl;
};

static int key_init(struct luna_des3_key *k, const u8 *key)
{
	if (!kcapi_served.des3) {
		k->openssl = openssl_des3_key(key);
		return PTR_ERR_OR_ZERO(k->openssl);
	}
	memcpy(k->key, key, sizeof(k->key));
	for (size_t mode = 0; mode < ARRAY_SIZE(mode_names); mode++)
		k->uses[mode] = (struct kcapi_use){ mode_names[mode], k->key, sizeof(k->key) };
	return 0;
}

struct luna_des3_key *kcapi_des3_key(const u8 *key)
{
	struct luna_des3_key *k = kzalloc(sizeof(*k), GFP_KERNEL);
	int err;

	if (!k)
		return ERR_PTR(-ENOMEM);
	err = key_init(k, key);
	if (!err)
		return k;
	kfree_sensitive(k);
	return ERR_PTR(err);
}

void kcapi_des3_key_free(struct luna_des3_key *key)
{
	if (!key)
		return;
	for (size_t mode = 0; mode < ARRAY_SIZE(mode_names); mode++)
		kcapi_forget(&kcapi_ciphers, &key->uses[mode]);
	openssl_des3_key_free(key->openssl);
	kfree_sensitive(key);
}

int kcapi_des3_crypt(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
		     size_t len, u8 *out)
{
	enum luna_mode mode = iv ? LUNA_CBC : LUNA_ECB;
	struct kcapi_run run = {
		.use = &key->uses[mode],
		.mode = mode,
		.encrypt = encrypt,
		.block = LUNA_DES_BLOCK,
	};

	if (key->openssl)
		return openssl_des3_crypt(key->openssl, encrypt, iv, in, len, out);
	if (len % LUNA_DES_BLOCK)
		return -EINVAL;
	if (iv)
		memcpy(run.iv, iv, LUNA_DES_BLOCK);
	return len ? kcapi_crypt(&run, in, len, out) : 0;
}
