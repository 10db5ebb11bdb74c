/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A crypto provider whose operations fail when told to, and which knows what it has not got back. One
 * at a time, for one thread.
 */
#ifndef LUNA_KUNIT_FAILCRYPTO_H
#define LUNA_KUNIT_FAILCRYPTO_H

#include "host.h"

/**
 * failcrypto_ops() - @base with operations that luna_failcrypto counts and lets fail
 * What makes something returns -ENOMEM, everything else -EIO. The slow ones of @base (key
 * generation, PBKDF2) may be fakerng's.
 * Return: ops that stay valid until the next call.
 */
const struct luna_crypto_ops *failcrypto_ops(const struct luna_crypto_ops *base);

extern const struct luna_test_fault luna_failcrypto;

#endif /* LUNA_KUNIT_FAILCRYPTO_H */
