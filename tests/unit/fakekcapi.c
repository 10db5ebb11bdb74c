// SPDX-License-Identifier: MIT
#include <kcapi.h>

#include "crypto_openssl.h"
#include "fakekcapi.h"

enum { NAME_MAX_LEN = 63, DRAW_MAX = 128, CALL_MAX = 65536 };

struct fakekcapi fakekcapi;

enum kind { AES, DES3, HASH, MAC, RANDOM };

/**
 * struct kcapi_handle
 * @index: mode, hash or MAC kind; of triple DES the mode
 * @used: an operation socket exists: the key stays
 * @busy: someone is in a call
 */
struct kcapi_handle {
	char name[NAME_MAX_LEN + 1];
	u32 index;
	enum kind kind;
	bool used;
	int busy;
	struct luna_aes_key *aes;
	struct luna_des3_key *des3;
	struct luna_mac_key *mac_key;
	struct luna_hash_stream *hash_stream;
	struct luna_mac_stream *mac_stream;
};

static const struct {
	const char *name;
	u32 index;
	enum kind kind;
} names[] = {
	{ "ecb(aes)", LUNA_ECB, AES },
	{ "cbc(aes)", LUNA_CBC, AES },
	{ "ctr(aes)", LUNA_CTR, AES },
	{ "ecb(des3_ede)", LUNA_ECB, DES3 },
	{ "cbc(des3_ede)", LUNA_CBC, DES3 },
	{ "sha1", LUNA_SHA1, HASH },
	{ "sha224", LUNA_SHA224, HASH },
	{ "sha256", LUNA_SHA256, HASH },
	{ "sha384", LUNA_SHA384, HASH },
	{ "sha512", LUNA_SHA512, HASH },
	{ "sha3-224", LUNA_SHA3_224, HASH },
	{ "sha3-256", LUNA_SHA3_256, HASH },
	{ "sha3-384", LUNA_SHA3_384, HASH },
	{ "sha3-512", LUNA_SHA3_512, HASH },
	{ "cmac(aes)", LUNA_CMAC_AES, MAC },
	{ "hmac(sha1)", LUNA_HMAC + LUNA_SHA1, MAC },
	{ "hmac(sha224)", LUNA_HMAC + LUNA_SHA224, MAC },
	{ "hmac(sha256)", LUNA_HMAC + LUNA_SHA256, MAC },
	{ "hmac(sha384)", LUNA_HMAC + LUNA_SHA384, MAC },
	{ "hmac(sha512)", LUNA_HMAC + LUNA_SHA512, MAC },
	{ "hmac(sha3-224)", LUNA_HMAC + LUNA_SHA3_224, MAC },
	{ "hmac(sha3-256)", LUNA_HMAC + LUNA_SHA3_256, MAC },
	{ "hmac(sha3-384)", LUNA_HMAC + LUNA_SHA3_384, MAC },
	{ "hmac(sha3-512)", LUNA_HMAC + LUNA_SHA3_512, MAC },
	{ "drbg_nopr_hmac_sha512", 0, RANDOM },
	{ "drbg_nopr_hmac_sha256", 0, RANDOM },
};

static const struct luna_crypto_ops *const ops = &luna_openssl_ops;

static bool named(const char *pattern, const char *name)
{
	size_t len = pattern ? strlen(pattern) : 0;

	if (len && pattern[len - 1] == '*')
		return !strncmp(pattern, name, len - 1);
	return pattern && !strcmp(pattern, name);
}

static void count_open(int change)
{
	int now = __atomic_add_fetch(&fakekcapi.open, change, __ATOMIC_SEQ_CST);
	int max = __atomic_load_n(&fakekcapi.open_max, __ATOMIC_SEQ_CST);

	while (now > max && !__atomic_compare_exchange_n(&fakekcapi.open_max, &max, now, false,
							 __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static int handle_open(struct kcapi_handle **handle, const char *name)
{
	struct kcapi_handle *h;

	if (fakekcapi.absent)
		return fakekcapi.absent;
	if (named(fakekcapi.missing, name))
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i].name, name))
			continue;
		h = kzalloc(sizeof(*h), GFP_KERNEL);
		if (!h)
			return -ENOMEM;
		snprintf(h->name, sizeof(h->name), "%s", name);
		h->index = names[i].index;
		h->kind = names[i].kind;
		*handle = h;
		count_open(1);
		return 0;
	}
	return -ENOENT;
}

static void handle_close(struct kcapi_handle *h)
{
	if (!h)
		return;
	ops->hash_end(h->hash_stream);
	ops->mac_end(h->mac_stream);
	ops->aes_key_free(h->aes);
	ops->des3_key_free(h->des3);
	ops->mac_key_free(h->mac_key);
	kfree(h);
	count_open(-1);
}

/* Two in a handle at once would read each other's results. */
static void enter(struct kcapi_handle *h)
{
	if (__atomic_exchange_n(&h->busy, 1, __ATOMIC_SEQ_CST))
		abort();
	h->used = true;
}

static ssize_t leave(struct kcapi_handle *h, ssize_t ret)
{
	__atomic_store_n(&h->busy, 0, __ATOMIC_SEQ_CST);
	return fakekcapi.failing ? -EIO : ret;
}

static int key_allowed(struct kcapi_handle *h)
{
	__atomic_add_fetch(&fakekcapi.keyed, 1, __ATOMIC_SEQ_CST);
	return h->used ? -EBUSY : 0;
}

void kcapi_set_verbosity(enum kcapi_verbosity level)
{
}

uint32_t kcapi_version(void)
{
	return 9080700;
}

/* ---- ciphers ---- */

int kcapi_cipher_init(struct kcapi_handle **handle, const char *ciphername, uint32_t flags)
{
	return handle_open(handle, ciphername);
}

void kcapi_cipher_destroy(struct kcapi_handle *handle)
{
	handle_close(handle);
}

/* As a kernel in FIPS mode has it */
static bool parts_differ(const u8 *key)
{
	return memcmp(key, key + 8, 8) && memcmp(key + 8, key + 16, 8) && memcmp(key, key + 16, 8);
}

static int des3_setkey(struct kcapi_handle *handle, const uint8_t *key, uint32_t keylen)
{
	if (keylen != LUNA_DES3_KEY || (fakekcapi.strict && !parts_differ(key)))
		return -EINVAL;
	handle->des3 = ops->des3_key(key);
	return PTR_ERR_OR_ZERO(handle->des3);
}

int kcapi_cipher_setkey(struct kcapi_handle *handle, const uint8_t *key, uint32_t keylen)
{
	int err = key_allowed(handle);

	if (err)
		return err;
	if (handle->kind == DES3)
		return des3_setkey(handle, key, keylen);
	handle->aes = ops->aes_key(key, keylen);
	return PTR_ERR_OR_ZERO(handle->aes);
}

static int aes_crypt(struct kcapi_handle *h, bool encrypt, const u8 *in, size_t len, const u8 *iv,
		     u8 *out)
{
	struct luna_cipher_stream *s;
	int err;

	s = ops->cipher_begin(h->aes, h->index, encrypt, iv, iv ? LUNA_AES_BLOCK : 0);
	if (IS_ERR(s))
		return PTR_ERR(s);
	err = ops->cipher_update(s, in, len, out);
	ops->cipher_end(s);
	return err;
}

static ssize_t crypt(struct kcapi_handle *h, bool encrypt, const u8 *in, size_t len, const u8 *iv,
		     u8 *out)
{
	int err;

	enter(h);
	if (len > CALL_MAX || !iv != (h->index == LUNA_ECB))
		err = -EINVAL;
	else if (h->kind == DES3)
		err = ops->des3_crypt(h->des3, encrypt, iv, in, len, out);
	else
		err = aes_crypt(h, encrypt, in, len, iv, out);
	if (named(fakekcapi.wrong, h->name))
		out[len - 1] ^= 1;
	return leave(h, err ? err : (ssize_t)len);
}

ssize_t kcapi_cipher_encrypt(struct kcapi_handle *handle, const uint8_t *in, size_t inlen,
			     const uint8_t *iv, uint8_t *out, size_t outlen, int access)
{
	return crypt(handle, true, in, inlen, iv, out);
}

ssize_t kcapi_cipher_decrypt(struct kcapi_handle *handle, const uint8_t *in, size_t inlen,
			     const uint8_t *iv, uint8_t *out, size_t outlen, int access)
{
	return crypt(handle, false, in, inlen, iv, out);
}

/* ---- hashes and MACs ---- */

int kcapi_md_init(struct kcapi_handle **handle, const char *ciphername, uint32_t flags)
{
	return handle_open(handle, ciphername);
}

void kcapi_md_destroy(struct kcapi_handle *handle)
{
	handle_close(handle);
}

int kcapi_md_setkey(struct kcapi_handle *handle, const uint8_t *key, uint32_t keylen)
{
	int err = key_allowed(handle);

	if (err)
		return err;
	handle->mac_key = ops->mac_key(handle->index, key, keylen);
	return PTR_ERR_OR_ZERO(handle->mac_key);
}

uint32_t kcapi_md_digestsize(struct kcapi_handle *handle)
{
	static const u8 sizes[LUNA_HASHES] = { 20, 28, 32, 48, 64, 28, 32, 48, 64 };

	if (handle->kind != MAC)
		return sizes[handle->index];
	return handle->index == LUNA_CMAC_AES ? LUNA_AES_BLOCK : sizes[handle->index - LUNA_HMAC];
}

/* A message begins with its first data, or with the end of an empty one. */
static int message_begin(struct kcapi_handle *h)
{
	if (h->kind == MAC && !h->mac_stream)
		h->mac_stream = ops->mac_begin(h->mac_key);
	if (h->kind == HASH && !h->hash_stream)
		h->hash_stream = ops->hash_begin(h->index);
	return h->kind == MAC ? PTR_ERR_OR_ZERO(h->mac_stream) : PTR_ERR_OR_ZERO(h->hash_stream);
}

ssize_t kcapi_md_update(struct kcapi_handle *handle, const uint8_t *buffer, size_t len)
{
	int err;

	enter(handle);
	err = message_begin(handle);
	if (!err)
		err = handle->kind == MAC ? ops->mac_update(handle->mac_stream, buffer, len) :
				    ops->hash_update(handle->hash_stream, buffer, len);
	return leave(handle, err);
}

ssize_t kcapi_md_final(struct kcapi_handle *handle, uint8_t *buffer, size_t len)
{
	int err;

	enter(handle);
	err = message_begin(handle);
	if (!err)
		err = handle->kind == MAC ? ops->mac_final(handle->mac_stream, buffer) :
				    ops->hash_final(handle->hash_stream, buffer);
	ops->mac_end(handle->mac_stream);
	ops->hash_end(handle->hash_stream);
	handle->mac_stream = NULL;
	handle->hash_stream = NULL;
	if (named(fakekcapi.wrong, handle->name))
		buffer[0] ^= 1;
	return leave(handle, err ? err : (ssize_t)len);
}

/* ---- random numbers ---- */

int kcapi_rng_init(struct kcapi_handle **handle, const char *ciphername, uint32_t flags)
{
	return handle_open(handle, ciphername);
}

int kcapi_rng_seed(struct kcapi_handle *handle, uint8_t *seed, uint32_t seedlen)
{
	handle->used = true;
	return 0;
}

ssize_t kcapi_rng_generate(struct kcapi_handle *handle, uint8_t *buffer, size_t len)
{
	ssize_t most = min_t(size_t, len, DRAW_MAX);

	if (!handle->used)
		return -EINVAL;
	enter(handle);
	if (named(fakekcapi.wrong, handle->name))
		memset(buffer, 0, most);
	else if (ops->random(buffer, most))
		most = -EIO;
	return leave(handle, most);
}

void kcapi_rng_destroy(struct kcapi_handle *handle)
{
	handle_close(handle);
}
