// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * GHASH without tables, whose addresses would tell the hash key to whoever shares the cache.
 *
 * Carry-less products come from integer multiplication: with only every fourth bit of the operands
 * set, carries stay in the three bits between and are masked off (the method of BearSSL's ctmul64).
 * The high half of a product is the reversed low half of the product of the reversed operands.
 */
#include "ghash.h"

enum { H_LOW, H_HIGH, H_LOW_REV, H_HIGH_REV, H_SUM, H_SUM_REV };

static const u64 every_fourth = 0x1111111111111111ULL;

/* The bits of a class (position modulo 4) of the carry-less product. */
static inline u64 product_class(const u64 x[4], const u64 y[4], u32 class)
{
	u64 z;

	z = x[0] * y[class];
	z ^= x[1] * y[(class + 3) & 3];
	z ^= x[2] * y[(class + 2) & 3];
	z ^= x[3] * y[(class + 1) & 3];
	return z & (every_fourth << class);
}

/* Low 64 bits of the carry-less product. */
static inline u64 product_low(u64 a, u64 b)
{
	const u64 x[4] = {
		a & every_fourth, a & every_fourth << 1,
		a & every_fourth << 2, a & every_fourth << 3,
	};
	const u64 y[4] = {
		b & every_fourth, b & every_fourth << 1,
		b & every_fourth << 2, b & every_fourth << 3,
	};

	return product_class(x, y, 0) | product_class(x, y, 1) |
	       product_class(x, y, 2) | product_class(x, y, 3);
}

static inline u64 swap_bits(u64 v, u64 mask, u32 distance)
{
	return (v & mask) << distance | (v >> distance & mask);
}

static inline u64 reverse(u64 v)
{
	v = swap_bits(v, 0x5555555555555555ULL, 1);
	v = swap_bits(v, 0x3333333333333333ULL, 2);
	v = swap_bits(v, 0x0f0f0f0f0f0f0f0fULL, 4);
	v = swap_bits(v, 0x00ff00ff00ff00ffULL, 8);
	v = swap_bits(v, 0x0000ffff0000ffffULL, 16);
	return v << 32 | v >> 32;
}

/* Adds @low times the field's polynomial, which clears that word, to the two words above it. */
static inline void reduce(u64 low, u64 *next, u64 *high)
{
	*high ^= low ^ low >> 1 ^ low >> 2 ^ low >> 7;
	*next ^= low << 63 ^ low << 62 ^ low << 57;
}

/* y = y * h: Karatsuba's three products, low and high half each, then the reduction. */
static void multiply(struct luna_ghash *g)
{
	u64 low = g->y[0], high = g->y[1];
	u64 low_rev = reverse(low), high_rev = reverse(high);
	u64 z0 = product_low(low, g->h[H_LOW]);
	u64 z1 = product_low(high, g->h[H_HIGH]);
	u64 z2 = product_low(low ^ high, g->h[H_SUM]) ^ z0 ^ z1;
	u64 z0h = product_low(low_rev, g->h[H_LOW_REV]);
	u64 z1h = product_low(high_rev, g->h[H_HIGH_REV]);
	u64 z2h = product_low(low_rev ^ high_rev, g->h[H_SUM_REV]) ^ z0h ^ z1h;
	u64 v0 = z0;
	u64 v1 = reverse(z0h) >> 1 ^ z2;
	u64 v2 = z1 ^ reverse(z2h) >> 1;
	u64 v3 = reverse(z1h) >> 1;

	/* Bits are in GCM's order, the product is one bit short. */
	v3 = v3 << 1 | v2 >> 63;
	v2 = v2 << 1 | v1 >> 63;
	v1 = v1 << 1 | v0 >> 63;
	v0 = v0 << 1;
	reduce(v0, &v1, &v2);
	reduce(v1, &v2, &v3);
	g->y[0] = v2;
	g->y[1] = v3;
}

static void block(struct luna_ghash *g, const u8 *data)
{
	g->y[1] ^= get_unaligned_be64(data);
	g->y[0] ^= get_unaligned_be64(data + 8);
	multiply(g);
}

void luna_ghash_init(struct luna_ghash *g, const u8 key[16])
{
	memset(g, 0, sizeof(*g));
	g->h[H_HIGH] = get_unaligned_be64(key);
	g->h[H_LOW] = get_unaligned_be64(key + 8);
	g->h[H_LOW_REV] = reverse(g->h[H_LOW]);
	g->h[H_HIGH_REV] = reverse(g->h[H_HIGH]);
	g->h[H_SUM] = g->h[H_LOW] ^ g->h[H_HIGH];
	g->h[H_SUM_REV] = g->h[H_LOW_REV] ^ g->h[H_HIGH_REV];
}

void luna_ghash_update(struct luna_ghash *g, const u8 *data, size_t len)
{
	u32 take;

	if (g->part_len) {
		take = min_t(size_t, len, sizeof(g->part) - g->part_len);
		memcpy(g->part + g->part_len, data, take);
		g->part_len += take;
		data += take;
		len -= take;
		if (g->part_len < sizeof(g->part))
			return;
		block(g, g->part);
		g->part_len = 0;
	}
	for (; len >= sizeof(g->part); data += sizeof(g->part), len -= sizeof(g->part))
		block(g, data);
	if (len)
		memcpy(g->part, data, len);
	g->part_len = len;
}

void luna_ghash_pad(struct luna_ghash *g)
{
	if (!g->part_len)
		return;
	memset(g->part + g->part_len, 0, sizeof(g->part) - g->part_len);
	block(g, g->part);
	g->part_len = 0;
}

void luna_ghash_final(struct luna_ghash *g, u64 first_len, u64 second_len, u8 out[16])
{
	luna_ghash_pad(g);
	g->y[1] ^= first_len * 8;
	g->y[0] ^= second_len * 8;
	multiply(g);
	put_unaligned_be64(g->y[1], out);
	put_unaligned_be64(g->y[0], out + 8);
	g->y[0] = 0;
	g->y[1] = 0;
}
