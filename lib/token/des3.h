/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Keys of triple DES: parity, weak parts, and what a provider makes of them. */
#ifndef LUNA_TOKEN_DES3_H
#define LUNA_TOKEN_DES3_H

#include "object.h"

/* Has the provider triple DES? */
bool luna_des3_offered(const struct luna_crypto_ops *crypto);

/* Bytes of a key of this type; 0: it is not one of triple DES. */
u32 luna_des3_key_len(u64 key_type);

/* Sets the lowest bit of each byte so that the number of ones is odd (FIPS 46-3). */
void luna_des3_set_parity(u8 *key, u32 len);

/* Is the number of ones in each byte odd? In a time that does not depend on the key. */
bool luna_des3_parity_good(const u8 *key, u32 len);

/*
 * Is one of the parts one of the weak and semi-weak keys of DES (SP 800-67, 3.3.2), or are two
 * neighbours the same, so that they cancel each other? The parity bits do not matter.
 */
bool luna_des3_weak(const u8 *key, u32 len);

/**
 * luna_des3_make() - the provider's key of an object's value
 * @value: @len bytes, or NULL
 * Return: the key; ERR_PTR(-EINVAL: not 16 or 24 bytes, -ENOMEM, -EOPNOTSUPP).
 */
struct luna_des3_key *luna_des3_make(const struct luna_crypto_ops *crypto, const u8 *value,
				     u32 len);

/**
 * luna_des3_cbc() - CBC that goes on from call to call
 * @iv: 8 bytes; out: for what follows
 * @in, @out: heap memory, the same or apart, @len bytes, a multiple of 8 and not 0
 * Return: 0 or what the provider says.
 */
int luna_des3_cbc(const struct luna_crypto_ops *crypto, struct luna_des3_key *key, bool encrypt,
		  u8 *iv, const u8 *in, u32 len, u8 *out);

#endif /* LUNA_TOKEN_DES3_H */
