/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A crypto provider whose chance is in the test's hands. One at a time in a process.
 */
#ifndef LUNA_KUNIT_FAKERNG_H
#define LUNA_KUNIT_FAKERNG_H

#include "engine.h"

/**
 * fakerng_ops() - @base with a random that @seed determines
 * Return: ops that stay valid until the next call.
 */
const struct luna_crypto_ops *fakerng_ops(const struct luna_crypto_ops *base, u64 seed);

/**
 * fakerng_quick_ops() - the same for tests that make many tokens
 * RSA key generation hands out keys made before, a few different ones of each size, and PBKDF2 runs
 * one round, whatever was asked.
 */
const struct luna_crypto_ops *fakerng_quick_ops(const struct luna_crypto_ops *base, u64 seed);

/* fakerng_next() - the next random bytes are these (copied, at most 1024 waiting), then the seed's */
void fakerng_next(const void *bytes, size_t len);

/* fakerng_fail() - the @nth call of random from now fails with -EIO; 0: none */
void fakerng_fail(u64 nth);

/* fakerng_forget_keys() - forget the keys that fakerng_quick_ops() hands out again and again */
void fakerng_forget_keys(void);

#endif /* LUNA_KUNIT_FAKERNG_H */
