/* SPDX-License-Identifier: MIT */
/*
 * The engine's primitives on the kernel's crypto API, through AF_ALG and libkcapi; OpenSSL computes
 * what AF_ALG has not.
 *
 * An algorithm is the kernel's when it opens and gives the answers that OpenSSL gives. RSA, which
 * AF_ALG never has, and PBKDF2, which would be two system calls for each of its rounds, are always
 * OpenSSL's. GCM is the engine's own over the kernel's CTR, as in luna.ko: AF_ALG's takes a message
 * in one piece only.
 */
#ifndef LUNA_CRYPTO_KCAPI_H
#define LUNA_CRYPTO_KCAPI_H

#include "engine.h"

/**
 * luna_kcapi_start() - try every algorithm, and put the ops together
 * The log gets a line for each. No descriptor stays open: a process that forks calls it before.
 *
 * Return: the ops; ERR_PTR(-EAFNOSUPPORT) if the kernel has no AF_ALG; ERR_PTR(-ENOENT) if it has,
 * but none of the algorithms; ERR_PTR(-EIO) if OpenSSL lacks one.
 */
const struct luna_crypto_ops *luna_kcapi_start(void);

#endif /* LUNA_CRYPTO_KCAPI_H */
