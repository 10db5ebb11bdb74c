// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Large numbers for checking RSA keys. */
#include "bignum.h"

static void trim(struct bignum *a)
{
	while (a->used && !a->word[a->used - 1])
		a->used--;
}

void bignum_set(struct bignum *a, u32 value)
{
	memset(a, 0, sizeof(*a));
	a->word[0] = value;
	a->used = !!value;
}

void bignum_read(struct bignum *a, const u8 *bytes, size_t len)
{
	size_t i;

	memset(a, 0, sizeof(*a));
	for (i = 0; i < len; i++)
		a->word[i / 4] |= (u32)bytes[len - 1 - i] << 8 * (i % 4);
	a->used = DIV_ROUND_UP(len, 4);
	trim(a);
}

int bignum_compare(const struct bignum *a, const struct bignum *b)
{
	u32 i;

	if (a->used != b->used)
		return a->used < b->used ? -1 : 1;
	for (i = a->used; i--; )
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i] ? -1 : 1;
	return 0;
}

u32 bignum_bits(const struct bignum *a)
{
	u32 bits = 32 * a->used, top;

	if (!a->used)
		return 0;
	for (top = a->word[a->used - 1]; !(top >> 31); top <<= 1)
		bits--;
	return bits;
}

static bool bit(const struct bignum *a, u32 n)
{
	return a->word[n / 32] >> n % 32 & 1;
}

void bignum_multiply(struct bignum *product, const struct bignum *a, const struct bignum *b)
{
	u32 i, j;

	bignum_set(product, 0);
	for (i = 0; i < a->used; i++) {
		u64 carry = 0;

		for (j = 0; j < b->used; j++) {
			carry += (u64)a->word[i] * b->word[j] + product->word[i + j];
			product->word[i + j] = carry;
			carry >>= 32;
		}
		product->word[i + j] = carry;
	}
	product->used = a->used + b->used;
	trim(product);
}

/* a = a - b, for a >= b */
static void subtract(struct bignum *a, const struct bignum *b)
{
	u64 borrow = 0;
	u32 i;

	for (i = 0; i < a->used; i++) {
		u64 less = borrow + (i < b->used ? b->word[i] : 0);

		borrow = a->word[i] < less;
		a->word[i] -= less;
	}
	trim(a);
}

void bignum_subtract_word(struct bignum *a, u32 value)
{
	u32 i, borrow = value;

	for (i = 0; i < a->used && borrow; i++) {
		u32 less = borrow;

		borrow = a->word[i] < less;
		a->word[i] -= less;
	}
	trim(a);
}

/* a = 2 * a + low */
static void double_add(struct bignum *a, u32 low)
{
	u32 i;

	for (i = 0; i < a->used; i++) {
		u32 high = a->word[i] >> 31;

		a->word[i] = a->word[i] << 1 | low;
		low = high;
	}
	if (low)
		a->word[a->used++] = low;
}

void bignum_remainder(struct bignum *rest, const struct bignum *a, const struct bignum *m)
{
	u32 n;

	bignum_set(rest, 0);
	for (n = bignum_bits(a); n--; ) {
		double_add(rest, bit(a, n));
		if (bignum_compare(rest, m) >= 0)
			subtract(rest, m);
	}
}

/* ---- exponentiation, in Montgomery's form: a number x stands as x * 2^(32 * used) mod m ---- */

void bignum_power_init(struct bignum_power *p, const struct bignum *m)
{
	u32 i, inverse = 1;

	p->m = *m;
	/* Each step doubles how many of the low bits of m * inverse are those of 1. */
	for (i = 0; i < 5; i++)
		inverse *= 2 - m->word[0] * inverse;
	p->inverse = -inverse;
	bignum_set(&p->one, 1);
	for (i = 0; i < 32 * m->used; i++) {
		double_add(&p->one, 0);
		if (bignum_compare(&p->one, m) >= 0)
			subtract(&p->one, m);
	}
}

/* sum += a * word, over @used words and on; returns nothing lost: sum has two words more */
static void add_product(u32 *sum, const u32 *a, u32 used, u32 word)
{
	u64 carry = 0;
	u32 i;

	for (i = 0; i < used; i++) {
		carry += (u64)a[i] * word + sum[i];
		sum[i] = carry;
		carry >>= 32;
	}
	carry += sum[used];
	sum[used] = carry;
	sum[used + 1] += carry >> 32;
}

/* a = a * b / 2^(32 * used) mod m; words behind those used are zero */
static void montgomery(const struct bignum_power *p, struct bignum *a, const struct bignum *b)
{
	u32 used = p->m.used, i;
	u32 sum[BIGNUM_WORDS / 2 + 3] = {};

	for (i = 0; i < used; i++) {
		add_product(sum, a->word, used, b->word[i]);
		add_product(sum, p->m.word, used, sum[0] * p->inverse);
		memmove(sum, sum + 1, (used + 1) * sizeof(*sum));
		sum[used + 1] = 0;
	}
	memcpy(a->word, sum, (used + 1) * sizeof(*sum));
	a->used = used + 1;
	trim(a);
	if (bignum_compare(a, &p->m) >= 0)
		subtract(a, &p->m);
}

/* To Montgomery's form: times 2^(32 * used), by doubling */
static void enter(const struct bignum_power *p, struct bignum *a)
{
	u32 i;

	for (i = 0; i < 32 * p->m.used; i++) {
		double_add(a, 0);
		if (bignum_compare(a, &p->m) >= 0)
			subtract(a, &p->m);
	}
}

static void square(struct bignum_power *p, struct bignum *a)
{
	p->factor = *a;
	montgomery(p, a, &p->factor);
}

/* p->result = base^exponent, in Montgomery's form */
static void power(struct bignum_power *p, const struct bignum *base, const struct bignum *exponent)
{
	u32 n;

	p->base = *base;
	enter(p, &p->base);
	p->result = p->one;
	for (n = bignum_bits(exponent); n--; ) {
		square(p, &p->result);
		if (bit(exponent, n))
			montgomery(p, &p->result, &p->base);
	}
}

void bignum_power(struct bignum_power *p, const struct bignum *base, const struct bignum *exponent,
		  struct bignum *out)
{
	power(p, base, exponent);
	bignum_set(&p->base, 1);
	montgomery(p, &p->result, &p->base);
	*out = p->result;
}

/* ---- primality ---- */

/* a - 1 is p->odd * 2^twos, and p->less is -1, in Montgomery's form. */
static bool passes(struct bignum_power *p, u32 witness, u32 twos)
{
	bignum_set(&p->witness, witness);
	power(p, &p->witness, &p->odd);
	if (!bignum_compare(&p->result, &p->one) || !bignum_compare(&p->result, &p->less))
		return true;
	while (--twos) {
		square(p, &p->result);
		if (!bignum_compare(&p->result, &p->less))
			return true;
	}
	return false;
}

/* p->odd = a - 1 without its factors of 2; returns how many those were */
static u32 split(struct bignum_power *p, const struct bignum *a)
{
	u32 twos = 0, i;

	p->odd = *a;
	bignum_subtract_word(&p->odd, 1);
	while (!(p->odd.word[0] & 1)) {
		for (i = 0; i < p->odd.used; i++)
			p->odd.word[i] = p->odd.word[i] >> 1 | p->odd.word[i + 1] << 31;
		trim(&p->odd);
		twos++;
	}
	return twos;
}

bool bignum_is_prime(struct bignum_power *p, const struct bignum *a)
{
	static const u8 witnesses[] = {
		2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53,
	};
	u32 twos = split(p, a), i;

	bignum_power_init(p, a);
	p->less = *a;
	subtract(&p->less, &p->one);
	for (i = 0; i < ARRAY_SIZE(witnesses); i++)
		if (!passes(p, witnesses[i], twos))
			return false;
	return true;
}
