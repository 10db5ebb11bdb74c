/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "ec" share: which curves a token has, and keys that are the same
 * there and in OpenSSL.
 */
#ifndef LUNA_TESTS_EC_H
#define LUNA_TESTS_EC_H

#include "curves.h"
#include "ossl.h"

/* ---- curves ---- */

bool has_curves(void);
bool has_signing(void);

/* The tests of a token that has some, and of one that signs, which has them all */
#define NEEDS_CURVES	do { (void)state; if (!has_curves()) skip(); } while (0)
#define NEEDS_SIGNING	do { (void)state; if (!has_signing()) skip(); } while (0)

bool is_weierstrass(const struct curve *c);

/* Do keys on the curve agree on secrets? */
bool derives(const struct curve *c);

/* ---- keys here and there ---- */

struct pair {
	const struct curve *curve;
	EVP_PKEY *pkey;
	CK_OBJECT_HANDLE pub, priv;
	CK_BYTE point[EC_POINT_MAX], value[66];
};

/* A new key of OpenSSL's, and its numbers; the same on the token. */
EVP_PKEY *ossl_key(const struct curve *c);
void ossl_numbers(struct pair *p);
struct pair pair_import(const struct curve *c);

/* Of a public key of the token */
EVP_PKEY *public_of(const struct curve *c, CK_OBJECT_HANDLE key);

/* Is @sig one of the first @len bytes of data? @md: NULL with Ed25519 (ec_sign.c) */
bool ossl_verify(const struct curve *c, EVP_PKEY *pkey, const EVP_MD *md, size_t len,
		 const unsigned char *sig);

/* What the token has is the private key of @p (ec_wrap.c). */
void assert_same_key(const struct pair *p, CK_OBJECT_HANDLE key);

/* Set-up of a test that wraps private keys (ec_wrap.c). */
int open_with_kek(void **state);

/* ---- the tests of each part ---- */

/* ec_generate.c */
void generated(void **state);
void parameters(void **state);

/* ec_sign.c */
void hashed_signatures(void **state);
void raw_signatures(void **state);
void absurd_signatures(void **state);
void edwards(void **state);

/* ec_derive.c */
void agreed(void **state);
void agreed_keys(void **state);
void hostile_points(void **state);

/* ec_create.c */
void points(void **state);
void edwards_points(void **state);
void values(void **state);

/* ec_wrap.c */
void unwrapped(void **state);
void forms(void **state);
void with_public_key(void **state);
void wrapped(void **state);

#endif /* LUNA_TESTS_EC_H */
