/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Decisions about secrets without branches: a mask is all ones for true and zero for false. The
 * compiler is kept from seeing that a mask has two values only, or it would branch on it again.
 */
#ifndef LUNA_TOKEN_CT_H
#define LUNA_TOKEN_CT_H

#include "port.h"

/* All ones if the top bit of @v is set. */
static inline u32 luna_ct_top(u32 v)
{
	OPTIMIZER_HIDE_VAR(v);
	v = 0u - (v >> 31);
	OPTIMIZER_HIDE_VAR(v);
	return v;
}

static inline u32 luna_ct_zero(u32 v)
{
	return luna_ct_top(~v & (v - 1));
}

static inline u32 luna_ct_eq(u32 a, u32 b)
{
	return luna_ct_zero(a ^ b);
}

/*
 * a < b; right for all values, not only for those below 2^31. Without the barrier a loop whose
 * counter is @a may come to count by the secret @b.
 */
static inline u32 luna_ct_less(u32 a, u32 b)
{
	OPTIMIZER_HIDE_VAR(b);
	return luna_ct_top(a ^ ((a ^ b) | ((a - b) ^ a)));
}

static inline u32 luna_ct_select(u32 mask, u32 a, u32 b)
{
	return (mask & a) | (~mask & b);
}

/* @a where @mask, else @b; @out may be either. */
static inline void luna_ct_copy(u32 mask, const u8 *a, const u8 *b, u8 *out, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		out[i] = luna_ct_select(mask, a[i], b[i]);
}

#endif /* LUNA_TOKEN_CT_H */
