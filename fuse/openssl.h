/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the OpenSSL provider share: the algorithms, fetched once, and the pools that
 * keep prepared contexts, so that an operation costs its cipher and not its set-up.
 */
#ifndef LUNA_OPENSSL_H
#define LUNA_OPENSSL_H

#include <openssl/ec.h>
#include <openssl/evp.h>

#include "engine.h"

/* Contexts that one pool keeps; more are made when more threads than that use one key at once. */
enum { OPENSSL_POOL_SLOTS = 8 };

enum { RSA_MIN_BITS = 512 };

/**
 * struct openssl_pool - idle objects of one kind and key, taken and given back without a lock
 */
struct openssl_pool {
	void *idle[OPENSSL_POOL_SLOTS];
};

/* Return: an idle object or NULL */
static inline void *openssl_pool_take(struct openssl_pool *pool)
{
	for (size_t i = 0; i < OPENSSL_POOL_SLOTS; i++) {
		void *object;

		if (!__atomic_load_n(&pool->idle[i], __ATOMIC_RELAXED))
			continue;
		object = __atomic_exchange_n(&pool->idle[i], NULL, __ATOMIC_ACQUIRE);
		if (object)
			return object;
	}
	return NULL;
}

/* Return: whether the pool had room; if not, the object is still the caller's */
static inline bool openssl_pool_give(struct openssl_pool *pool, void *object)
{
	for (size_t i = 0; i < OPENSSL_POOL_SLOTS; i++) {
		void *empty = NULL;

		if (__atomic_load_n(&pool->idle[i], __ATOMIC_RELAXED))
			continue;
		if (__atomic_compare_exchange_n(&pool->idle[i], &empty, object, false,
						__ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return true;
	}
	return false;
}

/**
 * struct openssl_library - the library context and everything fetched from it
 * @ciphers: by mode and key size: 128, 192, 256 bits
 * @des3: ECB and CBC; NULL: the library was built without
 * @groups: of the Weierstrass curves
 */
struct openssl_library {
	OSSL_LIB_CTX *context;
	EVP_MD *hashes[LUNA_HASHES];
	EVP_MAC *hmac, *cmac;
	EVP_CIPHER *ciphers[LUNA_MODES][3];
	EVP_CIPHER *des3[2];
	EVP_KDF *pbkdf2;
	EC_GROUP *groups[LUNA_CURVES];
};

/* Return: the library, loaded at the first call, or NULL if that failed */
const struct openssl_library *openssl_library(void);

/* The name that OpenSSL's parameters take for a hash */
const char *openssl_hash_name(enum luna_hash hash);

/* Forget what OpenSSL queued about an error: Return: @err, for "return openssl_error(-EIO)" */
int openssl_error(int err);

bool openssl_cancelled(void);

struct luna_hash_stream *openssl_hash_begin(enum luna_hash hash);
int openssl_hash_update(struct luna_hash_stream *s, const void *data, size_t len);
int openssl_hash_final(struct luna_hash_stream *s, u8 *digest);
void openssl_hash_end(struct luna_hash_stream *s);

struct luna_mac_key *openssl_mac_key(enum luna_mac_kind kind, const u8 *key, size_t len);
void openssl_mac_key_free(struct luna_mac_key *key);
struct luna_mac_stream *openssl_mac_begin(struct luna_mac_key *key);
int openssl_mac_update(struct luna_mac_stream *s, const void *data, size_t len);
int openssl_mac_final(struct luna_mac_stream *s, u8 *mac);
void openssl_mac_end(struct luna_mac_stream *s);

struct luna_aes_key *openssl_aes_key(const u8 *key, size_t len);
void openssl_aes_key_free(struct luna_aes_key *key);
struct luna_cipher_stream *openssl_cipher_begin(struct luna_aes_key *key, enum luna_mode mode,
						bool encrypt, const u8 *iv, size_t iv_len);
int openssl_cipher_aad(struct luna_cipher_stream *s, const u8 *aad, size_t len);
int openssl_cipher_update(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out);
int openssl_cipher_tag(struct luna_cipher_stream *s, u8 *tag, size_t tag_len);
void openssl_cipher_end(struct luna_cipher_stream *s);

bool openssl_has_des3(void);
struct luna_des3_key *openssl_des3_key(const u8 *key);
void openssl_des3_key_free(struct luna_des3_key *key);
int openssl_des3_crypt(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
		       size_t len, u8 *out);

struct luna_rsa_key *openssl_rsa_key(const struct luna_rsa_nums *nums);
void openssl_rsa_key_free(struct luna_rsa_key *key);
int openssl_rsa_public(struct luna_rsa_key *key, const u8 *in, u8 *out);
int openssl_rsa_private(struct luna_rsa_key *key, const u8 *in, u8 *out);
struct luna_rsa_made *openssl_rsa_generate(u32 bits, const u8 *e, size_t e_len);

bool openssl_ec_load(struct openssl_library *lib);
struct luna_ec_key *openssl_ec_key(enum luna_curve curve, const struct luna_num *point,
				   const struct luna_num *value);
void openssl_ec_key_free(struct luna_ec_key *key);
int openssl_ec_generate(enum luna_curve curve, u8 *point, u8 *value);
int openssl_ec_public(enum luna_curve curve, const struct luna_num *value, u8 *point);
int openssl_ec_sign(struct luna_ec_key *key, const u8 *data, size_t len, u8 *sig);
int openssl_ec_verify(struct luna_ec_key *key, const u8 *data, size_t len, const u8 *sig);
int openssl_ecdh(struct luna_ec_key *key, const u8 *point, u8 *secret);

#endif /* LUNA_OPENSSL_H */
