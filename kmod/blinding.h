/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Base blinding of private RSA operations: x^d is calculated as (x * r^e)^d * r^-1. Pairs of
 * factors (r^e, r^-1) are drawn once for each thread that uses a key at the same time, and squared
 * after each use, so that none is used twice.
 */
#ifndef LUNA_KMOD_BLINDING_H
#define LUNA_KMOD_BLINDING_H

#include "mpi.h"

/**
 * struct luna_blinder - the blinding of one key
 * @size: bytes of the modulus
 * @n, @e: modulus and public exponent
 * @p, @q, @qi: the primes and q^-1 mod p, if the CRT is used
 * @inverter: otherwise e * d - 2; whatever is raised to it becomes its own inverse
 * @idle: struct luna_blinding, guarded by @lock
 */
struct luna_blinder {
	u32 size;
	MPI n, e, p, q, qi, inverter;
	spinlock_t lock;
	struct list_head idle;
};

/**
 * struct luna_blinding - a pair, used by one operation at a time
 */
struct luna_blinding {
	struct list_head list;
	MPI blind;	/* r^e */
	MPI unblind;	/* r^-1 */
};

/**
 * luna_blinder_init() - for the private key @k
 * @modulus: @size bytes, without leading zeros
 * @k: has e, and d or, with @crt, p, q and qi; primes that are none make factors that are no pair,
 *	which shows in the check of the operation's result
 * Return: 0, or -ENOMEM; either way it is to be ended. One that is all zero may be ended, too.
 */
int luna_blinder_init(struct luna_blinder *b, const u8 *modulus, u32 size,
		      const struct luna_rsa_nums *k, bool crt);
void luna_blinder_exit(struct luna_blinder *b);

/* luna_blinding_take() - a pair for one operation; ERR_PTR(-ENOMEM, -EIO) */
struct luna_blinding *luna_blinding_take(struct luna_blinder *b);

/* luna_blinding_give() - back to @b, with fresh factors */
void luna_blinding_give(struct luna_blinder *b, struct luna_blinding *pair);

/* luna_blinding_multiply() - @bytes, as many as the modulus has, times @factor modulo n */
int luna_blinding_multiply(const struct luna_blinder *b, u8 *bytes, MPI factor);

#endif /* LUNA_KMOD_BLINDING_H */
