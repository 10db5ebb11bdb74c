/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The crypto provider of luna.ko, on the kernel's crypto API and MPI functions.
 *
 * Without LUNA_GCM: gcm(aes) takes a message in one piece, as gcm_once() does, and the engine's
 * streams come in many, so it would have to gather each message. The engine's GCM on our CTR
 * streams in constant memory.
 */
#ifndef LUNA_KMOD_CRYPTO_H
#define LUNA_KMOD_CRYPTO_H

#include "engine.h"

enum { LUNA_KRSA_MIN_BITS = 512, LUNA_KRSA_MAX_BITS = 4096 };

/**
 * luna_kcrypto_init() - take hold of every algorithm, loading its module where needed
 * Does nothing when that was done and luna_kcrypto_exit() was not called since.
 * Return: 0; -ENOMEM; -EOPNOTSUPP if one is missing, which the log says.
 */
int luna_kcrypto_init(void);
void luna_kcrypto_exit(void);

extern struct luna_crypto_ops luna_kcrypto_ops;

/* luna_krandom() - 0, or -EINTR: the caller was killed before the kernel had good numbers */
int luna_krandom(void *buf, size_t len);

/* ---- hash.c ---- */
int luna_khash_init(void);
void luna_khash_exit(void);
const char *luna_khash_driver(enum luna_hash hash);	/* name of the implementation in use */
const char *luna_kmac_driver(enum luna_mac_kind kind);
struct luna_hash_stream *luna_khash_begin(enum luna_hash hash);
int luna_khash_update(struct luna_hash_stream *s, const void *data, size_t len);
int luna_khash_final(struct luna_hash_stream *s, u8 *digest);
void luna_khash_end(struct luna_hash_stream *s);
struct luna_mac_key *luna_kmac_key(enum luna_mac_kind kind, const u8 *key, size_t len);
void luna_kmac_key_free(struct luna_mac_key *key);
struct luna_mac_stream *luna_kmac_begin(struct luna_mac_key *key);
int luna_kmac_update(struct luna_mac_stream *s, const void *data, size_t len);
int luna_kmac_final(struct luna_mac_stream *s, u8 *mac);
void luna_kmac_end(struct luna_mac_stream *s);
int luna_kpbkdf2(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
		 size_t salt_len, u32 iterations, u8 *out, size_t out_len);

/* ---- cipher.c, triple DES too, and for GCM of whole messages aead.c ---- */

/**
 * struct luna_aes_key - a key and its transforms, each NULL until it is needed
 * @modes: by enum luna_mode
 */
struct luna_aes_key {
	struct crypto_skcipher *modes[LUNA_GCM];
	struct crypto_aead *gcm;
	u32 len;
	u8 key[32];
};

int luna_kcipher_init(void);
void luna_kcipher_exit(void);
const char *luna_kcipher_driver(enum luna_mode mode);
struct luna_aes_key *luna_kaes_key(const u8 *key, size_t len);
void luna_kaes_key_free(struct luna_aes_key *key);
struct luna_cipher_stream *luna_kcipher_begin(struct luna_aes_key *key, enum luna_mode mode,
					      bool encrypt, const u8 *iv, size_t iv_len);
int luna_kcipher_update(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out);
void luna_kcipher_end(struct luna_cipher_stream *s);

const char *luna_kdes3_driver(void);
bool luna_khas_des3(void);
struct luna_des3_key *luna_kdes3_key(const u8 *key);
void luna_kdes3_key_free(struct luna_des3_key *key);
int luna_kdes3_crypt(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
		     size_t len, u8 *out);

void luna_kgcm_init(void);
void luna_kgcm_exit(void);
const char *luna_kgcm_driver(void);	/* NULL: the kernel has no GCM */
int luna_kgcm_once(struct luna_aes_key *key, bool encrypt, const u8 *iv, const u8 *aad,
		   size_t aad_len, const u8 *in, size_t len, u8 *out, u8 *tag);

/* ---- rsa.c ---- */
int luna_krsa_init(void);
void luna_krsa_exit(void);
const char *luna_krsa_driver(void);
bool luna_krsa_bits_fit(u32 bits);	/* does "rsa" take such a modulus? */
struct luna_rsa_key *luna_krsa_key(const struct luna_rsa_nums *nums);
void luna_krsa_key_free(struct luna_rsa_key *key);
int luna_krsa_public(struct luna_rsa_key *key, const u8 *in, u8 *out);
int luna_krsa_private(struct luna_rsa_key *key, const u8 *in, u8 *out);

/* ---- keygen.c ---- */
void luna_krsa_generate_init(void);
struct luna_rsa_made *luna_krsa_generate(u32 bits, const u8 *e, size_t e_len);

/* ---- ecdh.c ---- */

/* luna_kec_init() - take hold of the curves that the kernel has; return: a bit for each of them */
u32 luna_kec_init(void);
void luna_kec_exit(void);
const char *luna_kec_driver(enum luna_curve curve);
struct luna_ec_key *luna_kec_key(enum luna_curve curve, const struct luna_num *point,
				 const struct luna_num *value);
void luna_kec_key_free(struct luna_ec_key *key);
int luna_kec_generate(enum luna_curve curve, u8 *point, u8 *value);
int luna_kec_public(enum luna_curve curve, const struct luna_num *value, u8 *point);
int luna_kecdh(struct luna_ec_key *key, const u8 *point, u8 *secret);

#endif /* LUNA_KMOD_CRYPTO_H */
