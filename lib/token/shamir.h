/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Shamir's secret sharing, byte by byte over GF(2^8) with the polynomial of AES (x^8 + x^4 + x^3 +
 * x + 1). Without tables and without branches on secret values; the places (x) are public.
 */
#ifndef LUNA_TOKEN_SHAMIR_H
#define LUNA_TOKEN_SHAMIR_H

#include "port.h"

/**
 * luna_shamir_share() - one share: the polynomials' values at @x
 * @secret: constant terms, @len bytes
 * @coefs: the other coefficients, random, (@m - 1) * @len bytes: those of x, of x^2, ...
 * @x: 1..255
 */
void luna_shamir_share(const u8 *secret, const u8 *coefs, u32 len, u32 m, u8 x, u8 *share);

/**
 * luna_shamir_combine() - the secret from @m shares
 * @xs: their places, all different and none 0
 * @shares: @m pointers to @len bytes
 */
void luna_shamir_combine(const u8 *xs, const u8 *const *shares, u32 m, u32 len, u8 *secret);

#endif /* LUNA_TOKEN_SHAMIR_H */
