/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "kat" share: a vector and its fields, checks that say which vector it
 * was, and the account of the mechanisms that were put to work.
 */
#ifndef LUNA_TESTS_KAT_H
#define LUNA_TESTS_KAT_H

#include "crypt.h"

/* A name in vector files; several numbers are one mechanism. */
struct mech {
	const char *name;
	CK_MECHANISM_TYPE types[3];
	CK_MECHANISM_TYPE general[2];	/* the same with a length of its own */
	CK_KEY_TYPE key_type;
};

enum { FIELDS = 16 };

struct vector {
	const char *file;
	int line;
	const struct mech *mech;	/* NULL: a key */
	int count;
	struct {
		char *name, *value;
		struct bytes bytes;
	} fields[FIELDS];
};

extern CK_SESSION_HANDLE s;		/* of the crypto officer, a new one for each test */

/* Counts a mechanism as one whose answers are known and were checked. */
void exercise(CK_MECHANISM_TYPE type);

/*
 * Runs the vectors of a file, of which there must be @expected, keys not counted: each with every
 * number of its mechanism that the token lists, which counts as exercised; a key, once, with 0.
 */
void vectors_run(const char *file, size_t expected,
		 void (*run)(struct vector *v, CK_MECHANISM_TYPE type));

/* ---- the fields of a vector ---- */

/* A field as it is written, or NULL. */
const char *word(const struct vector *v, const char *name);

bool has(const struct vector *v, const char *name);

/* A number, or 0. */
CK_ULONG number(const struct vector *v, const char *name);

/* A value in hex; empty if it is missing. Lives as long as the vector. */
struct bytes hex(struct vector *v, const char *name);

/* ---- checks that say which vector it was ---- */

#define check_rv(v, expression, expected)						\
	do {										\
		CK_RV rv_ = (expression), want_ = (expected);				\
		if (rv_ != want_)							\
			fail_msg("%s:%d: %s: %s (0x%lx), expected %s", (v)->file, (v)->line,	\
				 #expression, rv_name(rv_), rv_, rv_name(want_));	\
	} while (0)
#define check_ok(v, expression) check_rv(v, expression, CKR_OK)

void check_bytes_at(const struct vector *v, const char *file, int line, const void *got,
		    size_t got_len, const void *want, size_t want_len);
#define check_bytes(v, got, got_len, want, want_len) \
	check_bytes_at(v, __FILE__, __LINE__, got, got_len, want, want_len)

/* @sig is the signature of the data, cut as run_verify() does; altered or shorter, it is not. */
void check_verifies(struct vector *v, CK_MECHANISM *mech, CK_OBJECT_HANDLE key, int split,
		    struct bytes sig);

/* ---- what two parts have ---- */

/* The type of key that a cipher's or a MAC's mechanism takes; Triple DES has two, by the length. */
CK_KEY_TYPE cipher_key_type(const struct vector *v, size_t len);

/* A vector of a MAC, with the key's own type and, where that works too, as a generic secret. */
void mac_vector(struct vector *v, CK_MECHANISM_TYPE type);

/* ---- the tests of each part ---- */

/* kat_mac.c */
void digests(void **state);
void hmacs(void **state);
void cmacs(void **state);
void gmac(void **state);

/* kat_cipher.c */
void aes_modes(void **state);
void xts(void **state);
void des3(void **state);
void gcm(void **state);
void key_wrap(void **state);

/* kat_rsa.c */
void rsa(void **state);

/* kat_ec.c */
void ec(void **state);

/* kat_generate.c */
void generate_secrets(void **state);
void generate_pairs(void **state);
void generate_curves(void **state);

/* kat_derive.c */
void derivations(void **state);

#endif /* LUNA_TESTS_KAT_H */
