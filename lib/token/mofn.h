/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The M of N secret of a token, for those who bring one from another token (clone.c, ha.c). */
#ifndef LUNA_TOKEN_MOFN_H
#define LUNA_TOKEN_MOFN_H

#include "token.h"

/* Is key material out of reach until the M of N secret was presented? */
static inline bool luna_mofn_missing(const struct luna_token *token)
{
	return READ_ONCE(token->state->mofn.required) && !READ_ONCE(token->mofn_active);
}

/**
 * luna_mofn_install() - give the token a new secret, durably; an older one ends
 * @param: its parameters; @param->required is ignored, since only InitToken decides that
 * The new secret is not active: vectors have to be presented.
 * Return: CKR_OK, CKR_USER_NOT_LOGGED_IN (the secrets are locked), CKR_DEVICE_MEMORY,
 * CKR_DEVICE_ERROR.
 */
u32 luna_mofn_install(struct luna_token *token, const struct luna_mofn_param *param,
		      const u8 secret[LUNA_MOFN_SECRET_LEN]);

/**
 * luna_mofn_present() - activate M of N if this is the secret
 * Checked against the CRC of the parameters and, in constant time, against the secret itself: a CRC
 * alone could be met by trying.
 * Return: CKR_OK, CKR_OPERATION_NOT_ALLOWED (none generated), CKR_USER_NOT_LOGGED_IN (the secrets
 * are locked), CKR_DATA_INVALID.
 */
u32 luna_mofn_present(struct luna_token *token, const u8 secret[LUNA_MOFN_SECRET_LEN]);

#endif /* LUNA_TOKEN_MOFN_H */
