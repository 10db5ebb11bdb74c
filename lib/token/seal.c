// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Sealing: AES-256-GCM around what the store keeps secret, as nonce || ciphertext || tag. What the
 * bytes are (kind) and where they belong (context) is authenticated, so that sealed data moved to
 * another place of the store does not open there.
 *
 * A key seals one secret each (the PIN's and the HA login's) or at most one token's objects and
 * secrets, for which random nonces of 96 bits are good: 2^32 seals of one key, which is 136 years
 * at one a second.
 */
#include "ghash.h"
#include "token.h"

enum {
	SEAL_NONCE = 12,
	SEAL_TAG = 16,
	SEAL_AAD = 12,
};

static_assert(SEAL_NONCE + SEAL_TAG == LUNA_SEAL_OVERHEAD);

/*
 * What a provider reads and writes besides the data: never on the stack. For a provider without GCM
 * also what the engine's own needs: mask is E(J0), which masks the tag.
 */
struct seal_scratch {
	u8 nonce[SEAL_NONCE];
	u8 aad[SEAL_AAD];
	u8 tag[SEAL_TAG];
	struct luna_ghash hash;
	u8 counter[LUNA_AES_BLOCK];
	u8 mask[LUNA_AES_BLOCK];
};

static struct seal_scratch *scratch_new(enum luna_seal_kind kind, u64 context)
{
	struct seal_scratch *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (s) {
		put_unaligned_be32(kind, s->aad);
		put_unaligned_be64(context, s->aad + 4);
	}
	return s;
}

/* One block of key stream into s->mask, and the stream that goes on behind it. */
static struct luna_cipher_stream *ctr_begin(const struct luna_crypto_ops *c,
					    struct luna_aes_key *key, struct seal_scratch *s)
{
	struct luna_cipher_stream *stream;
	int err;

	memset(s->mask, 0, sizeof(s->mask));
	stream = c->cipher_begin(key, LUNA_CTR, true, s->counter, sizeof(s->counter));
	if (IS_ERR(stream))
		return stream;
	err = c->cipher_update(stream, s->mask, sizeof(s->mask), s->mask);
	if (!err)
		return stream;
	c->cipher_end(stream);
	return ERR_PTR(err);
}

/* The hash key, E(0), then J0: nonce and a one. */
static struct luna_cipher_stream *built_begin(const struct luna_crypto_ops *c,
					      struct luna_aes_key *key, struct seal_scratch *s)
{
	struct luna_cipher_stream *stream = ctr_begin(c, key, s);

	if (IS_ERR(stream))
		return stream;
	c->cipher_end(stream);
	luna_ghash_init(&s->hash, s->mask);
	memcpy(s->counter, s->nonce, SEAL_NONCE);
	put_unaligned_be32(1, s->counter + SEAL_NONCE);
	return ctr_begin(c, key, s);
}

static void built_tag(struct seal_scratch *s, const u8 *cipher, u32 len, u8 *tag)
{
	u32 i;

	luna_ghash_update(&s->hash, s->aad, sizeof(s->aad));
	luna_ghash_pad(&s->hash);
	luna_ghash_update(&s->hash, cipher, len);
	luna_ghash_final(&s->hash, sizeof(s->aad), len, tag);
	for (i = 0; i < SEAL_TAG; i++)
		tag[i] ^= s->mask[i];
}

/* GCM of the provider's CTR. */
static int seal_built(const struct luna_crypto_ops *c, struct luna_aes_key *key, bool encrypt,
		      struct seal_scratch *s, const u8 *in, u32 len, u8 *out)
{
	struct luna_cipher_stream *stream = built_begin(c, key, s);
	u8 tag[SEAL_TAG];
	int err = 0;

	if (IS_ERR(stream))
		return PTR_ERR(stream);
	if (!encrypt) {
		built_tag(s, in, len, tag);
		if (crypto_memneq(tag, s->tag, sizeof(tag)))
			err = -EBADMSG;
	}
	if (!err && len)
		err = c->cipher_update(stream, in, len, out);
	if (!err && encrypt)
		built_tag(s, out, len, s->tag);
	c->cipher_end(stream);
	return err;
}

/* The provider's GCM; decryption compares the tag. */
static int seal_given(const struct luna_crypto_ops *c, struct luna_aes_key *key, bool encrypt,
		      struct seal_scratch *s, const u8 *in, u32 len, u8 *out)
{
	struct luna_cipher_stream *stream;
	int err;

	stream = c->cipher_begin(key, LUNA_GCM, encrypt, s->nonce, sizeof(s->nonce));
	if (IS_ERR(stream))
		return PTR_ERR(stream);
	err = c->cipher_aad(stream, s->aad, sizeof(s->aad));
	if (!err && len)
		err = c->cipher_update(stream, in, len, out);
	if (!err)
		err = c->cipher_tag(stream, s->tag, sizeof(s->tag));
	c->cipher_end(stream);
	return err;
}

static int seal_pass(const struct luna_crypto_ops *c, struct luna_aes_key *key, bool encrypt,
		     struct seal_scratch *s, const u8 *in, u32 len, u8 *out)
{
	int err = -EOPNOTSUPP;

	if (c->gcm_once)
		err = c->gcm_once(key, encrypt, s->nonce, s->aad, sizeof(s->aad), in, len, out,
				  s->tag);
	if (err != -EOPNOTSUPP)
		return err;
	if (c->modes & BIT(LUNA_GCM))
		return seal_given(c, key, encrypt, s, in, len, out);
	return seal_built(c, key, encrypt, s, in, len, out);
}

/**
 * luna_seal() - encrypt and authenticate
 * @token: whose provider computes
 * @key: 256 bits
 * @kind: what is sealed
 * @context: where it belongs
 * @plain: @len bytes of heap memory, apart from @sealed
 * @len: bytes
 * @sealed: room for @len + LUNA_SEAL_OVERHEAD bytes of heap memory
 *
 * Return: 0 or what the provider says.
 */
int luna_seal(struct luna_token *token, struct luna_aes_key *key, enum luna_seal_kind kind,
	      u64 context, const u8 *plain, u32 len, u8 *sealed)
{
	const struct luna_crypto_ops *c = token->crypto;
	struct seal_scratch *s = scratch_new(kind, context);
	int err;

	if (!s)
		return -ENOMEM;
	err = c->random(s->nonce, sizeof(s->nonce));
	if (!err)
		err = seal_pass(c, key, true, s, plain, len, sealed + SEAL_NONCE);
	if (!err) {
		memcpy(sealed, s->nonce, SEAL_NONCE);
		memcpy(sealed + SEAL_NONCE + len, s->tag, SEAL_TAG);
	}
	kfree_sensitive(s);
	return err;
}

/**
 * luna_unseal() - check and decrypt
 * @token: whose provider computes
 * @key: as for luna_seal()
 * @kind: as for luna_seal()
 * @context: as for luna_seal()
 * @sealed: @len bytes of heap memory
 * @len: bytes
 * @plain: room for @len - LUNA_SEAL_OVERHEAD bytes of heap memory, zeros on failure
 *
 * Return: 0, -EBADMSG (too short, altered, another key, kind or context), or what the provider
 * says.
 */
int luna_unseal(struct luna_token *token, struct luna_aes_key *key, enum luna_seal_kind kind,
		u64 context, const u8 *sealed, u32 len, u8 *plain)
{
	struct seal_scratch *s;
	u32 plain_len;
	int err;

	if (len < LUNA_SEAL_OVERHEAD)
		return -EBADMSG;
	plain_len = len - LUNA_SEAL_OVERHEAD;
	s = scratch_new(kind, context);
	if (!s)
		return -ENOMEM;
	memcpy(s->nonce, sealed, SEAL_NONCE);
	memcpy(s->tag, sealed + SEAL_NONCE + plain_len, SEAL_TAG);
	err = seal_pass(token->crypto, key, false, s, sealed + SEAL_NONCE, plain_len, plain);
	if (err)
		memzero_explicit(plain, plain_len);
	kfree_sensitive(s);
	return err;
}

int luna_seal_with(struct luna_token *token, const u8 key[32], enum luna_seal_kind kind,
		   u64 context, const u8 *plain, u32 len, u8 *sealed)
{
	struct luna_aes_key *k = token->crypto->aes_key(key, 32);
	int err;

	if (IS_ERR(k))
		return PTR_ERR(k);
	err = luna_seal(token, k, kind, context, plain, len, sealed);
	token->crypto->aes_key_free(k);
	return err;
}

int luna_unseal_with(struct luna_token *token, const u8 key[32], enum luna_seal_kind kind,
		     u64 context, const u8 *sealed, u32 len, u8 *plain)
{
	struct luna_aes_key *k = token->crypto->aes_key(key, 32);
	int err;

	if (IS_ERR(k))
		return PTR_ERR(k);
	err = luna_unseal(token, k, kind, context, sealed, len, plain);
	token->crypto->aes_key_free(k);
	return err;
}
