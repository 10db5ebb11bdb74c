// SPDX-License-Identifier: MIT
/*
 * HMAC and CMAC on EVP_MAC. A prepared key holds a keyed context, of which streams are copies; a
 * stream that came to its end is set back to the start, still keyed, and kept for the next.
 */
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "openssl.h"

struct luna_mac_key {
	EVP_MAC_CTX *keyed;
	struct openssl_pool idle;
};

struct luna_mac_stream {
	EVP_MAC_CTX *ctx;
	struct luna_mac_key *key;
	bool finished;
};

static void stream_free(struct luna_mac_stream *s)
{
	EVP_MAC_CTX_free(s->ctx);
	kfree_sensitive(s);
}

static EVP_MAC *mac_of(enum luna_mac_kind kind)
{
	const struct openssl_library *lib = openssl_library();

	if (!lib)
		return NULL;
	return kind == LUNA_CMAC_AES ? lib->cmac : lib->hmac;
}

/* CMAC is told its cipher, whose key has one size; HMAC its hash. */
static int mac_parameter(enum luna_mac_kind kind, size_t len, OSSL_PARAM *param)
{
	const char *cipher;

	if ((unsigned int)kind >= LUNA_MACS)
		return -EOPNOTSUPP;
	if (kind != LUNA_CMAC_AES) {
		*param = OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST, (char *)openssl_hash_name(kind - LUNA_HMAC), 0);
		return 0;
	}
	cipher = len == 16 ? "AES-128-CBC" : len == 24 ? "AES-192-CBC" :
		 len == 32 ? "AES-256-CBC" : NULL;
	if (!cipher)
		return -EINVAL;
	*param = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_CIPHER, (char *)cipher, 0);
	return 0;
}

struct luna_mac_key *openssl_mac_key(enum luna_mac_kind kind, const u8 *key, size_t len)
{
	OSSL_PARAM params[2] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end() };
	struct luna_mac_key *k;
	int err;

	err = mac_parameter(kind, len, &params[0]);
	if (err)
		return ERR_PTR(err);
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k)
		return ERR_PTR(-ENOMEM);
	k->keyed = EVP_MAC_CTX_new(mac_of(kind));
	/* A NULL key would mean "the same again". */
	if (!k->keyed || EVP_MAC_init(k->keyed, key ? key : (const u8 *)"", len, params) != 1) {
		openssl_mac_key_free(k);
		return ERR_PTR(openssl_error(-ENOMEM));
	}
	return k;
}

void openssl_mac_key_free(struct luna_mac_key *key)
{
	struct luna_mac_stream *s;

	if (!key)
		return;
	while ((s = openssl_pool_take(&key->idle)))
		stream_free(s);
	EVP_MAC_CTX_free(key->keyed);
	kfree_sensitive(key);
}

struct luna_mac_stream *openssl_mac_begin(struct luna_mac_key *key)
{
	struct luna_mac_stream *s = openssl_pool_take(&key->idle);

	if (s)
		return s;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	s->key = key;
	s->ctx = EVP_MAC_CTX_dup(key->keyed);
	if (!s->ctx) {
		stream_free(s);
		return ERR_PTR(openssl_error(-ENOMEM));
	}
	return s;
}

int openssl_mac_update(struct luna_mac_stream *s, const void *data, size_t len)
{
	return EVP_MAC_update(s->ctx, data, len) == 1 ? 0 : openssl_error(-EIO);
}

int openssl_mac_final(struct luna_mac_stream *s, u8 *mac)
{
	size_t len;

	s->finished = EVP_MAC_final(s->ctx, mac, &len, LUNA_HASH_MAX) == 1;
	return s->finished ? 0 : openssl_error(-EIO);
}

void openssl_mac_end(struct luna_mac_stream *s)
{
	if (!s)
		return;
	if (s->finished) {
		s->finished = false;
		if (EVP_MAC_init(s->ctx, NULL, 0, NULL) == 1 &&
		    openssl_pool_give(&s->key->idle, s))
			return;
	}
	stream_free(s);
}
