/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Between token.c and its neighbours. */
#ifndef LUNA_TOKEN_TOKEN_INIT_H
#define LUNA_TOKEN_TOKEN_INIT_H

#include "token.h"

enum { LUNA_SO_ATTEMPTS = 10 };	/* failed logins of the partition SO that end the partition */

/**
 * luna_domain_stretch() - a cloning domain string as a key
 * PBKDF2-HMAC-SHA256 with a fixed public salt: two tokens given the same string share the key.
 * Slow.
 */
int luna_domain_stretch(const struct luna_crypto_ops *crypto, const u8 *domain, u32 len,
			u8 key[LUNA_DOMAIN_LEN]);

/**
 * luna_init_authorise() - may the token be initialised, or replaced, by who gives this SO PIN?
 * Anyone may if it is not initialised. The attempt counts. token->auth is held.
 */
u32 luna_init_authorise(struct luna_token *token, const u8 *pin, u32 pin_len);

u32 luna_dir_count(struct luna_dir *dir);	/* dir.c: objects in a directory */

#endif /* LUNA_TOKEN_TOKEN_INIT_H */
