/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Large numbers for checking RSA keys, apart from every library that a provider computes with:
 * words of 32 bits, schoolbook multiplication, division bit by bit. Slow, and not of constant time.
 */
#ifndef LUNA_KUNIT_BIGNUM_H
#define LUNA_KUNIT_BIGNUM_H

#include "port.h"

enum { BIGNUM_WORDS = 2 * 4096 / 32 + 2 };

/**
 * struct bignum - the number, least significant word first
 * @used: words, the highest of which is not zero
 */
struct bignum {
	u32 used;
	u32 word[BIGNUM_WORDS];
};

/* bignum_read() - @len big-endian bytes, at most 1024 */
void bignum_read(struct bignum *a, const u8 *bytes, size_t len);

void bignum_set(struct bignum *a, u32 value);
int bignum_compare(const struct bignum *a, const struct bignum *b);
u32 bignum_bits(const struct bignum *a);

/* bignum_multiply() - @product is neither factor; both have at most half of its words */
void bignum_multiply(struct bignum *product, const struct bignum *a, const struct bignum *b);

/* bignum_subtract_word() - @a must not be below @value */
void bignum_subtract_word(struct bignum *a, u32 value);

/* bignum_remainder() - rest = a mod m; @rest is neither */
void bignum_remainder(struct bignum *rest, const struct bignum *a, const struct bignum *m);

/**
 * struct bignum_power - exponentiations modulo an odd number of at most half the words
 * @one: 1 in Montgomery's form; @inverse: -1 / m mod 2^32
 * @witness, @odd, @less: of the test of primality
 */
struct bignum_power {
	struct bignum m, one, base, factor, result;
	struct bignum witness, odd, less;
	u32 inverse;
};

void bignum_power_init(struct bignum_power *p, const struct bignum *m);

/* bignum_power() - out = base^exponent mod m, for base < m */
void bignum_power(struct bignum_power *p, const struct bignum *base,
		  const struct bignum *exponent, struct bignum *out);

/* bignum_is_prime() - by Miller and Rabin, with the witnesses 2, 3, 5 to 53; @a is odd, above 53 */
bool bignum_is_prime(struct bignum_power *room, const struct bignum *a);

#endif /* LUNA_KUNIT_BIGNUM_H */
