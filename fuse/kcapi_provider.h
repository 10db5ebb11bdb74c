/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the libkcapi provider share: the handles of AF_ALG, of which there are few, and
 * the functions of the ops.
 */
#ifndef LUNA_KCAPI_PROVIDER_H
#define LUNA_KCAPI_PROVIDER_H

#include <kcapi.h>

#include "engine.h"

/**
 * struct kcapi_use - an algorithm, and a key for it: what a handle is opened for
 * @algorithm: the kernel's name, "cbc(aes)"
 * @key: the owner's; @key_len 0: none
 */
struct kcapi_use {
	const char *algorithm;
	const u8 *key;
	u32 key_len;
};

/**
 * struct kcapi_pool - handles of one type; each takes four descriptors
 * A handle stays keyed for its use until another use needs its place, the least recent first: keys
 * in use are set once, and the number of descriptors does not depend on the number of keys.
 */
struct kcapi_pool;

/**
 * struct kcapi_tool - a handle, in the hands of one thread or stream
 */
struct kcapi_tool {
	struct list_head entry;
	struct kcapi_handle *handle;
	const struct kcapi_use *use;
	struct kcapi_pool *pool;
};

extern struct kcapi_pool kcapi_ciphers;		/* held for a call: who finds none waits */
extern struct kcapi_pool kcapi_hashes;		/* held by a stream; hashes and MACs */

/**
 * kcapi_take() - a handle for @use, to be given back with kcapi_give()
 * Return: the handle; ERR_PTR(-EBUSY) if all are held by streams; or why libkcapi cannot open one.
 */
struct kcapi_tool *kcapi_take(struct kcapi_pool *pool, const struct kcapi_use *use);

/* kcapi_give() - @good: the handle is as it was when it was taken, and not to be closed */
void kcapi_give(struct kcapi_tool *tool, bool good);

/* kcapi_forget() - close the idle handles of @use, or with NULL all of the pool */
void kcapi_forget(struct kcapi_pool *pool, const struct kcapi_use *use);

/* kcapi_limit() - allow the pools as many handles as the limit on descriptors has room for */
void kcapi_limit(void);

/**
 * struct kcapi_run - data on its way through a cipher
 * @mode: ECB, CBC or CTR
 * @block: bytes of the cipher's block; CTR: LUNA_AES_BLOCK
 * @iv: for the next of it; ECB: none
 */
struct kcapi_run {
	const struct kcapi_use *use;
	enum luna_mode mode;
	bool encrypt;
	u32 block;
	u8 iv[LUNA_AES_BLOCK];
};

/**
 * kcapi_crypt() - let the kernel encrypt or decrypt, from the start of a block on
 * @len: bytes, any number; whole blocks, but for the last call of CTR
 * @out: @len bytes; may be @in
 * Return: 0, with @run's IV at the data that follows; -ENOMEM or -EIO, with @out in any state.
 */
int kcapi_crypt(struct kcapi_run *run, const u8 *in, size_t len, u8 *out);

/**
 * struct kcapi_served - what the kernel computes; the rest is OpenSSL's
 * @modes, @hashes, @macs: as in luna_crypto_ops
 * @des3: triple DES, in both modes or in none
 * @random: name of the generator, or NULL
 */
struct kcapi_served {
	u32 modes, hashes, macs;
	bool des3;
	const char *random;
};

extern struct kcapi_served kcapi_served;

/* The kernel's names; NULL: AF_ALG has none that would do */
const char *kcapi_mode_name(u32 mode);
const char *kcapi_hash_name(u32 hash);
const char *kcapi_mac_name(u32 kind);
const char *kcapi_des3_name(enum luna_mode mode);	/* ECB or CBC */

struct luna_aes_key *kcapi_aes_key(const u8 *key, size_t len);
void kcapi_aes_key_free(struct luna_aes_key *key);
struct luna_cipher_stream *kcapi_stream_begin(struct luna_aes_key *key, enum luna_mode mode,
					      bool encrypt, const u8 *iv, size_t iv_len);
int kcapi_stream_aad(struct luna_cipher_stream *s, const u8 *aad, size_t len);
int kcapi_stream_update(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out);
int kcapi_stream_tag(struct luna_cipher_stream *s, u8 *tag, size_t tag_len);
void kcapi_stream_end(struct luna_cipher_stream *s);

struct luna_des3_key *kcapi_des3_key(const u8 *key);
void kcapi_des3_key_free(struct luna_des3_key *key);
int kcapi_des3_crypt(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
		     size_t len, u8 *out);

struct luna_hash_stream *kcapi_hash_begin(enum luna_hash hash);
int kcapi_hash_update(struct luna_hash_stream *s, const void *data, size_t len);
int kcapi_hash_final(struct luna_hash_stream *s, u8 *digest);
void kcapi_hash_end(struct luna_hash_stream *s);

struct luna_mac_key *kcapi_mac_key(enum luna_mac_kind kind, const u8 *key, size_t len);
void kcapi_mac_key_free(struct luna_mac_key *key);
struct luna_mac_stream *kcapi_mac_begin(struct luna_mac_key *key);
int kcapi_mac_update(struct luna_mac_stream *s, const void *data, size_t len);
int kcapi_mac_final(struct luna_mac_stream *s, u8 *mac);
void kcapi_mac_end(struct luna_mac_stream *s);

int kcapi_random(void *buf, size_t len);
/* Opens the generator @name and draws from it: Return: 0 if it seems to work */
int kcapi_random_try(const char *name);
/* Closes it until the next draw */
void kcapi_random_close(void);

#endif /* LUNA_KCAPI_PROVIDER_H */
