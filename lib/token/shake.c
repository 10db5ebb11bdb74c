// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * SHAKE128 and SHAKE256 (FIPS 202) as digests whose length the caller chooses. Kernels up to 6.12
 * have neither, so that they are computed here: as the standard describes them, a lane at a time,
 * in the same time whatever the data are.
 */
#include "mech.h"

enum {
	ROUNDS = 24,
	SIDE = 5,		/* lanes of a row, and of a column */
	LANES = SIDE * SIDE,
	SUFFIX = 0x1f,		/* 1111, which makes it an XOF, and the first bit of the padding */
	OUT_MAX = 4096,		/* bytes; no limit of the standard's */
};

/**
 * struct shake - an operation
 * @lanes: the state; that of column x and row y is the one at x + 5 * y
 * @rate: bytes of a block
 * @at: of the block that is filled, or given out
 * @len: of the output
 */
struct shake {
	u64 lanes[LANES];
	u32 rate;
	u32 at;
	u32 len;
};

/* FIPS 202, 3.2.5 */
static const u64 round_constants[ROUNDS] = {
	0x0000000000000001ULL, 0x0000000000008082ULL, 0x800000000000808aULL,
	0x8000000080008000ULL, 0x000000000000808bULL, 0x0000000080000001ULL,
	0x8000000080008081ULL, 0x8000000000008009ULL, 0x000000000000008aULL,
	0x0000000000000088ULL, 0x0000000080008009ULL, 0x000000008000000aULL,
	0x000000008000808bULL, 0x800000000000008bULL, 0x8000000000008089ULL,
	0x8000000000008003ULL, 0x8000000000008002ULL, 0x8000000000000080ULL,
	0x000000000000800aULL, 0x800000008000000aULL, 0x8000000080008081ULL,
	0x8000000000008080ULL, 0x0000000080000001ULL, 0x8000000080008008ULL,
};

static inline u64 rotated(u64 lane, u32 bits)
{
	return lane << bits | lane >> (64 - bits);
}

/* 3.2.1: every bit, with the parities of two columns beside it */
static void theta(u64 *a)
{
	u64 parity[SIDE], d;
	u32 x, i;

	for (x = 0; x < SIDE; x++)
		parity[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
	for (x = 0; x < SIDE; x++) {
		d = parity[(x + 4) % SIDE] ^ rotated(parity[(x + 1) % SIDE], 1);
		for (i = x; i < LANES; i += SIDE)
			a[i] ^= d;
	}
}

/* 3.2.2 and 3.2.3 in one: each lane is rotated on its way to the place of the next. */
static void rho_pi(u64 *a)
{
	u64 lane = a[1], next;
	u32 x = 1, y = 0, t, below;

	for (t = 0; t < LANES - 1; t++) {
		below = (2 * x + 3 * y) % SIDE;
		x = y;
		y = below;
		next = a[x + SIDE * y];
		a[x + SIDE * y] = rotated(lane, (t + 1) * (t + 2) / 2 % 64);
		lane = next;
	}
}

/* 3.2.4 */
static void chi(u64 *a)
{
	u64 row[SIDE];
	u32 x, y;

	for (y = 0; y < LANES; y += SIDE) {
		memcpy(row, a + y, sizeof(row));
		for (x = 0; x < SIDE; x++)
			a[y + x] = row[x] ^ (~row[(x + 1) % SIDE] & row[(x + 2) % SIDE]);
	}
}

static void keccak(u64 *a)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		theta(a);
		rho_pi(a);
		chi(a);
		a[0] ^= round_constants[i];
	}
}

static void add_byte(struct shake *s, u32 at, u8 byte)
{
	s->lanes[at / 8] ^= (u64)byte << at % 8 * 8;
}

/* The next byte of a block, or the first of the one that follows */
static u32 next_byte(struct shake *s)
{
	if (s->at == s->rate) {
		keccak(s->lanes);
		s->at = 0;
	}
	return s->at++;
}

static u32 shake_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct shake *s = luna_op_private(op, struct shake);
	struct luna_mac_param p;

	if (len != sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, param, sizeof(p));
	if (p.reserved || !p.mac_len || p.mac_len > OUT_MAX)
		return CKR_MECHANISM_PARAM_INVALID;
	s->len = p.mac_len;
	s->rate = op->mech->variant == LUNA_SHAKE_128 ? 168 : 136;
	return CKR_OK;
}

static u32 shake_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		      struct luna_op_lens *lens)
{
	const struct shake *s = luna_op_private(op, const struct shake);

	lens->most = finish ? s->len : 0;
	lens->least = lens->most;
	return CKR_OK;
}

static u32 shake_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct shake *s = luna_op_private(op, struct shake);
	u32 i;

	*out_len = 0;
	for (i = 0; i < len; i++)
		add_byte(s, next_byte(s), in[i]);
	return CKR_OK;
}

static u32 shake_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	struct shake *s = luna_op_private(op, struct shake);
	u32 i, at = next_byte(s);

	add_byte(s, at, SUFFIX);
	add_byte(s, s->rate - 1, 0x80);
	s->at = s->rate;
	for (i = 0; i < s->len; i++) {
		at = next_byte(s);
		out[i] = s->lanes[at / 8] >> at % 8 * 8;
	}
	*out_len = s->len;
	return CKR_OK;
}

const struct luna_op_ops luna_shake_ops = {
	.init = shake_init,
	.lens = shake_lens,
	.update = shake_update,
	.final = shake_final,
};
