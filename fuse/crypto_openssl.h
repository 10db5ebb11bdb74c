/* SPDX-License-Identifier: MIT */
/*
 * The engine's primitives on OpenSSL 3.
 *
 * It works in a library context of its own with the default provider only and reads no
 * configuration file: an openssl.cnf that loads a PKCS#11 engine or provider would lead back into
 * this token.
 */
#ifndef LUNA_CRYPTO_OPENSSL_H
#define LUNA_CRYPTO_OPENSSL_H

#include "engine.h"

extern const struct luna_crypto_ops luna_openssl_ops;

/**
 * luna_openssl_start() - load what the ops need, which they otherwise do at their first call
 * Return: 0 or -EIO if this OpenSSL lacks an algorithm.
 */
int luna_openssl_start(void);

/**
 * luna_openssl_set_cancel() - let a host end long key generations
 * @cancelled: called every now and then by the generating thread, besides fatal_signal_pending();
 *	true makes rsa_generate() return -EINTR. Set it before the first operation.
 */
void luna_openssl_set_cancel(bool (*cancelled)(void));

#endif /* LUNA_CRYPTO_OPENSSL_H */
