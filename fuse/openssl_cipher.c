// SPDX-License-Identifier: MIT
/*
 * AES on EVP_CIPHER_CTX. A prepared key keeps the streams that were used with it, so that
 * beginning an operation sets an IV and does not expand the key again.
 */
#include <limits.h>
#include <openssl/crypto.h>

#include "openssl.h"

enum {
	AES_KEY_MAX = 32,
	GCM_IV = 12,
	GCM_IV_MAX = 128,	/* OpenSSL's own limit */
	GCM_TAG_MIN = 4,
	GCM_TAG_MAX = 16,
};

/**
 * struct luna_aes_key - a key and its idle streams, by mode and direction
 */
struct luna_aes_key {
	u8 key[AES_KEY_MAX];
	int size;	/* index into openssl_library.ciphers */
	struct openssl_pool idle[LUNA_MODES][2];
};

/**
 * struct luna_cipher_stream - a context that stays keyed
 * @gcm_iv_len: what @ctx expects now
 * @broken: an operation failed and @ctx is not to be trusted any more
 */
struct luna_cipher_stream {
	EVP_CIPHER_CTX *ctx;
	struct luna_aes_key *key;
	size_t gcm_iv_len;
	enum luna_mode mode;
	bool encrypt;
	bool broken;
};

static void stream_free(struct luna_cipher_stream *s)
{
	EVP_CIPHER_CTX_free(s->ctx);
	kfree_sensitive(s);
}

static int stream_failed(struct luna_cipher_stream *s, int err)
{
	s->broken = true;
	return openssl_error(err);
}

struct luna_aes_key *openssl_aes_key(const u8 *key, size_t len)
{
	struct luna_aes_key *k;

	if (len != 16 && len != 24 && len != 32)
		return ERR_PTR(-EINVAL);
	if (!openssl_library())
		return ERR_PTR(-EIO);
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k)
		return ERR_PTR(-ENOMEM);
	memcpy(k->key, key, len);
	k->size = (len - 16) / 8;
	return k;
}

void openssl_aes_key_free(struct luna_aes_key *key)
{
	struct luna_cipher_stream *s;

	if (!key)
		return;
	for (int mode = 0; mode < LUNA_MODES; mode++)
		for (int encrypt = 0; encrypt < 2; encrypt++)
			while ((s = openssl_pool_take(&key->idle[mode][encrypt])))
				stream_free(s);
	kfree_sensitive(key);
}

static bool iv_len_fits(enum luna_mode mode, size_t iv_len)
{
	switch (mode) {
	case LUNA_ECB:
		return iv_len == 0;
	case LUNA_GCM:
		return iv_len >= 1 && iv_len <= GCM_IV_MAX;
	default:
		return iv_len == LUNA_AES_BLOCK;
	}
}

static struct luna_cipher_stream *stream_new(struct luna_aes_key *key, enum luna_mode mode,
					     bool encrypt)
{
	struct luna_cipher_stream *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->key = key;
	s->mode = mode;
	s->encrypt = encrypt;
	s->gcm_iv_len = GCM_IV;
	s->ctx = EVP_CIPHER_CTX_new();
	if (!s->ctx ||
	    EVP_CipherInit_ex2(s->ctx, openssl_library()->ciphers[mode][key->size], key->key, NULL,
			       encrypt, NULL) != 1 ||
	    EVP_CIPHER_CTX_set_padding(s->ctx, 0) != 1) {
		stream_free(s);
		return ERR_PTR(openssl_error(-ENOMEM));
	}
	return s;
}

static bool stream_set_iv(struct luna_cipher_stream *s, const u8 *iv, size_t iv_len)
{
	if (s->mode == LUNA_GCM && s->gcm_iv_len != iv_len) {
		if (EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_IVLEN, iv_len, NULL) != 1)
			return false;
		s->gcm_iv_len = iv_len;
	}
	return EVP_CipherInit_ex2(s->ctx, NULL, NULL, iv, s->encrypt, NULL) == 1;
}

struct luna_cipher_stream *openssl_cipher_begin(struct luna_aes_key *key, enum luna_mode mode,
						bool encrypt, const u8 *iv, size_t iv_len)
{
	struct luna_cipher_stream *s;

	if ((unsigned int)mode >= LUNA_MODES)
		return ERR_PTR(-EOPNOTSUPP);
	if (!iv_len_fits(mode, iv_len))
		return ERR_PTR(-EINVAL);
	s = openssl_pool_take(&key->idle[mode][encrypt]);
	if (!s)
		s = stream_new(key, mode, encrypt);
	if (IS_ERR(s))
		return s;
	if (!stream_set_iv(s, iv_len ? iv : NULL, iv_len)) {
		stream_free(s);
		return ERR_PTR(openssl_error(-EIO));
	}
	return s;
}

int openssl_cipher_aad(struct luna_cipher_stream *s, const u8 *aad, size_t len)
{
	int unused;

	if (s->mode != LUNA_GCM || len > INT_MAX)
		return -EINVAL;
	if (len && EVP_CipherUpdate(s->ctx, NULL, &unused, aad, len) != 1)
		return stream_failed(s, -EIO);
	return 0;
}

static bool update_len_fits(enum luna_mode mode, size_t len)
{
	if (len > INT_MAX)
		return false;
	return (mode != LUNA_ECB && mode != LUNA_CBC) || len % LUNA_AES_BLOCK == 0;
}

int openssl_cipher_update(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	int written;

	if (!update_len_fits(s->mode, len))
		return -EINVAL;
	if (!len)
		return 0;
	if (EVP_CipherUpdate(s->ctx, out, &written, in, len) != 1 || (size_t)written != len)
		return stream_failed(s, -EIO);
	return 0;
}

int openssl_cipher_tag(struct luna_cipher_stream *s, u8 *tag, size_t tag_len)
{
	u8 rest[LUNA_AES_BLOCK];
	int unused;

	if (s->mode != LUNA_GCM || tag_len < GCM_TAG_MIN || tag_len > GCM_TAG_MAX)
		return -EINVAL;
	if (s->encrypt) {
		if (EVP_EncryptFinal_ex(s->ctx, rest, &unused) != 1 ||
		    EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_GET_TAG, tag_len, tag) != 1)
			return stream_failed(s, -EIO);
		return 0;
	}
	if (EVP_CIPHER_CTX_ctrl(s->ctx, EVP_CTRL_AEAD_SET_TAG, tag_len, tag) != 1)
		return stream_failed(s, -EIO);
	if (EVP_DecryptFinal_ex(s->ctx, rest, &unused) != 1)
		return stream_failed(s, -EBADMSG);
	return 0;
}

void openssl_cipher_end(struct luna_cipher_stream *s)
{
	if (!s)
		return;
	if (!s->broken && openssl_pool_give(&s->key->idle[s->mode][s->encrypt], s))
		return;
	stream_free(s);
}
