// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Shamir's secret sharing over GF(2^8); see shamir.h. */
#include "shamir.h"

enum { GF_REDUCE = 0x1b };	/* x^8 modulo the polynomial */

/* Masks instead of branches, hidden from the compiler, which would make them branches again. */
static u8 gf_mul(u8 a, u8 b)
{
	u32 mask, product = 0, x = a;
	int i;

	for (i = 0; i < 8; i++) {
		mask = 0u - (b >> i & 1u);
		OPTIMIZER_HIDE_VAR(mask);
		product ^= x & mask;
		mask = 0u - (x >> 7 & 1u);
		OPTIMIZER_HIDE_VAR(mask);
		x = (x << 1 & 0xff) ^ (GF_REDUCE & mask);
	}
	return product;
}

/* a^254: the group has 255 elements. Zero stays zero. */
static u8 gf_inverse(u8 a)
{
	u8 power = a, result = 1;
	int i;

	for (i = 0; i < 7; i++) {
		power = gf_mul(power, power);
		result = gf_mul(result, power);
	}
	return result;
}

void luna_shamir_share(const u8 *secret, const u8 *coefs, u32 len, u32 m, u8 x, u8 *share)
{
	u32 i, k;
	u8 y;

	for (i = 0; i < len; i++) {
		y = 0;
		for (k = m - 1; k > 0; k--)
			y = gf_mul(y ^ coefs[(k - 1) * len + i], x);
		share[i] = y ^ secret[i];
	}
}

/* The weight of share @i at 0: the product of x_j / (x_j - x_i) over the others. */
static u8 lagrange_at_zero(const u8 *xs, u32 m, u32 i)
{
	u8 above = 1, below = 1;
	u32 j;

	for (j = 0; j < m; j++) {
		if (j == i)
			continue;
		above = gf_mul(above, xs[j]);
		below = gf_mul(below, xs[j] ^ xs[i]);
	}
	return gf_mul(above, gf_inverse(below));
}

void luna_shamir_combine(const u8 *xs, const u8 *const *shares, u32 m, u32 len, u8 *secret)
{
	u32 i, k;
	u8 weight;

	memset(secret, 0, len);
	for (i = 0; i < m; i++) {
		weight = lagrange_at_zero(xs, m, i);
		for (k = 0; k < len; k++)
			secret[k] ^= gf_mul(shares[i][k], weight);
	}
}
