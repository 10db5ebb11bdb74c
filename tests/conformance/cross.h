/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "cross" share: random keys, lengths and data, OpenSSL's side of a
 * cipher and of RSA, and the hashes that both sides have.
 */
#ifndef LUNA_TESTS_CROSS_H
#define LUNA_TESTS_CROSS_H

#include <openssl/rsa.h>

#include "ossl.h"

/* ---- what is tried ---- */

/* The longest data; what a mechanism adds to them has room as well. */
enum { BIG = ROOM - 1024 };

/* Lengths to try: all short ones, then some long ones up to BIG; false at the end. */
bool next_len(size_t *len, size_t *turn);

/* At once or in parts, in turn. */
int split_of(size_t turn);

enum { HASHES = 9 };

extern const struct hash {
	CK_MECHANISM_TYPE type, hmac, pkcs, pss;
	CK_RSA_PKCS_MGF_TYPE mgf;
	const EVP_MD *(*md)(void);
} hashes[HASHES];

/* Is a hash tried with that of a mask? SHA-1, SHA-2 with all such; SHA-3 with itself and one. */
bool hashes_meet(size_t hash, size_t mgf);

/* ---- secret keys (cross_cipher.c) ---- */

enum { ECB, CBC, CBC_PAD, CTR, GCM, WRAP, WRAP_PAD, MODES };

/* OpenSSL's names, for AES keys of 16, 24 and 32 bytes */
extern const char * const aes_names[3][MODES];

/**
 * struct cipher - a cipher as OpenSSL takes it
 * @iv_len: needed for GCM alone, as are @aad and @tag_len
 */
struct cipher {
	const char *name;
	const unsigned char *key;
	const void *iv;
	size_t iv_len;
	bool pad;
	const void *aad;
	size_t aad_len, tag_len;
};

/*
 * One operation of OpenSSL; @tag is written or read with GCM. Return: bytes in @to, or -1 if it
 * refused (a tag, a padding)
 */
long ossl_crypt(bool encrypt, const struct cipher *c, unsigned char *tag, const unsigned char *from,
		size_t len, unsigned char *to);

/*
 * A new key of Triple DES on the token, of @len bytes. OpenSSL's, in @value, has 24 bytes: of a key
 * of 16, the first part stands behind the second once more.
 */
CK_OBJECT_HANDLE des3_key(size_t len, unsigned char value[24]);

/* A secret key of @type that may be read, out of @len wrapped bytes (cross_wrap.c). */
CK_OBJECT_HANDLE unwrap_secret(CK_MECHANISM *mech, CK_OBJECT_HANDLE kek, CK_KEY_TYPE type,
			       const void *wrapped, CK_ULONG len);

/* ---- RSA (cross_rsa.c) ---- */

/*
 * luna-fuse takes RSA keys of any size and exponents of 64 bits; the kernel's RSA takes a few sizes
 * and exponents of 32 bits.
 */
bool rsa_takes(CK_ULONG bits, size_t e_len);

/* A new key of OpenSSL's. */
EVP_PKEY *ossl_rsa(int bits);

/* Its numbers; the caller frees them. */
struct bytes number_of(EVP_PKEY *pkey, const char *name);
struct rsa_numbers numbers_of(EVP_PKEY *pkey);
void numbers_free(struct rsa_numbers *k);

/* A padding and what it is made of */
struct scheme {
	int padding;
	const EVP_MD *md, *mgf;
	int salt;
	const char *label;
};

/* Is @sig a signature of the digest @msg, or of @msg itself where the scheme has no hash? */
bool ossl_verify(EVP_PKEY *pkey, const struct scheme *w, const void *msg, size_t len,
		 const unsigned char *sig, size_t sig_len);

/* ---- the tests of each part ---- */

/* cross_mac.c */
void digests(void **state);
void hmacs(void **state);
void cmacs(void **state);
void gmacs(void **state);

/* cross_cipher.c */
void aes_xts(void **state);
void des3(void **state);
void aes_ecb_cbc(void **state);
void aes_ctr(void **state);
void aes_refusals(void **state);
void aes_gcm(void **state);
void aes_gcm_internal_iv(void **state);
void large(void **state);

/* cross_wrap.c */
void secret_wrap(void **state);
void cipher_wrap(void **state);

/* cross_rsa.c */
void rsa_signatures(void **state);
void rsa_encryption(void **state);
void rsa_pss_byte_above(void **state);
void rsa_wrap(void **state);

/* cross_rsa_keys.c */
void rsa_import(void **state);
void rsa_faulty_crt(void **state);
void rsa_unwrap(void **state);
void rsa_generate(void **state);

#endif /* LUNA_TESTS_CROSS_H */
