/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * GHASH of NIST SP 800-38D in constant time, for the GCM that a provider lacks.
 */
#ifndef LUNA_TOKEN_GHASH_H
#define LUNA_TOKEN_GHASH_H

#include "port.h"

/**
 * struct luna_ghash - a running GHASH
 * @h: the hash key: low and high half, the same with reversed bits, and the XOR of the halves of
 *	both
 * @y: the state, low and high half
 * @part: the start of a block, @part_len bytes
 */
struct luna_ghash {
	u64 h[6];
	u64 y[2];
	u8 part[16];
	u32 part_len;
};

/* Starts with the hash key, E(0), which is a secret; so is the struct. */
void luna_ghash_init(struct luna_ghash *g, const u8 key[16]);
void luna_ghash_update(struct luna_ghash *g, const u8 *data, size_t len);
void luna_ghash_pad(struct luna_ghash *g);	/* zeros to the end of the block */
/* Pads, adds the block of both lengths (in bytes), gives the state and starts anew. */
void luna_ghash_final(struct luna_ghash *g, u64 first_len, u64 second_len, u8 out[16]);

#endif /* LUNA_TOKEN_GHASH_H */
