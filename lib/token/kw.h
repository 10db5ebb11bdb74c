/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * AES key wrap (RFC 3394) and key wrap with padding (RFC 5649) under a prepared key of the
 * provider.
 *
 * Input and output may be the same buffer. An unwrap that fails its check returns -EBADMSG, after
 * the same time whatever was wrong, and leaves nothing of what it decrypted.
 */
#ifndef LUNA_TOKEN_KW_H
#define LUNA_TOKEN_KW_H

#include "mech.h"

enum {
	LUNA_KW_BLOCK = 8,		/* a semiblock; also what wrapping adds */
	LUNA_KWP_IV = 4,		/* the alternative part of KWP's initial value */
	LUNA_KW_MAX = 4 << 20,		/* bytes of data, so that nothing here takes many seconds */
};

/* @iv: 8 bytes, NULL: the standard's. @len: of @in, a multiple of 8, at least 16 (-EINVAL). */
int luna_kw_wrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		 const u8 *in, u32 len, u8 *out);	/* len + 8 bytes */
/* @len: a multiple of 8, at least 24 (-EINVAL). Writes len - 8 bytes to @out. */
int luna_kw_unwrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		   const u8 *in, u32 len, u8 *out);

static inline u32 luna_kwp_len(u32 len)
{
	return ALIGN(len, LUNA_KW_BLOCK) + LUNA_KW_BLOCK;
}

/* @iv: 4 bytes, NULL: the standard's. @len: not 0 (-EINVAL). Writes luna_kwp_len(len) bytes. */
int luna_kwp_wrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		  const u8 *in, u32 len, u8 *out);
/* @len: a multiple of 8, at least 16 (-EINVAL). @out has room for len - 8 bytes. */
int luna_kwp_unwrap(const struct luna_crypto_ops *c, struct luna_aes_key *key, const u8 *iv,
		    const u8 *in, u32 len, u8 *out, u32 *out_len);

#endif /* LUNA_TOKEN_KW_H */
