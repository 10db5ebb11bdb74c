// SPDX-License-Identifier: MIT
/*
 * Hashes on EVP_MD_CTX. A stream that came to its end is initialised again and kept for the next;
 * one that was given up may hold data of its caller and is wiped and freed.
 */
#include "openssl.h"

struct luna_hash_stream {
	EVP_MD_CTX *ctx;
	enum luna_hash hash;
	bool finished;
};

static struct openssl_pool idle_streams[LUNA_HASHES];

static void stream_free(struct luna_hash_stream *s)
{
	EVP_MD_CTX_free(s->ctx);
	kfree_sensitive(s);
}

static bool stream_restart(struct luna_hash_stream *s)
{
	s->finished = false;
	return EVP_DigestInit_ex2(s->ctx, openssl_library()->hashes[s->hash], NULL) == 1;
}

static struct luna_hash_stream *stream_new(enum luna_hash hash)
{
	struct luna_hash_stream *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return ERR_PTR(-ENOMEM);
	s->hash = hash;
	s->ctx = EVP_MD_CTX_new();
	if (!s->ctx || !stream_restart(s)) {
		stream_free(s);
		return ERR_PTR(openssl_error(-ENOMEM));
	}
	return s;
}

struct luna_hash_stream *openssl_hash_begin(enum luna_hash hash)
{
	struct luna_hash_stream *s;

	if ((unsigned int)hash >= LUNA_HASHES)
		return ERR_PTR(-EOPNOTSUPP);
	if (!openssl_library())
		return ERR_PTR(-EIO);
	s = openssl_pool_take(&idle_streams[hash]);
	return s ? s : stream_new(hash);
}

int openssl_hash_update(struct luna_hash_stream *s, const void *data, size_t len)
{
	return EVP_DigestUpdate(s->ctx, data, len) == 1 ? 0 : openssl_error(-EIO);
}

int openssl_hash_final(struct luna_hash_stream *s, u8 *digest)
{
	s->finished = EVP_DigestFinal_ex(s->ctx, digest, NULL) == 1;
	return s->finished ? 0 : openssl_error(-EIO);
}

void openssl_hash_end(struct luna_hash_stream *s)
{
	if (!s)
		return;
	if (s->finished && stream_restart(s) && openssl_pool_give(&idle_streams[s->hash], s))
		return;
	stream_free(s);
}
