/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* role.c: PINs of roles, for token.c. */
#ifndef LUNA_TOKEN_ROLE_H
#define LUNA_TOKEN_ROLE_H

#include "token.h"

/**
 * luna_role_set_pin() - give a role a PIN: wrap the storage key under it, with a new salt
 * @state: where the role is to change, token->state or a copy; not saved
 * @role: enum luna_role_id; authenticated, so that a wrapped key is no use in another role's place
 *
 * Clears failed, locked and pin_change, sets set. Slow (PBKDF2); leaves the role as it was on
 * failure. Return: 0 or -errno.
 */
int luna_role_set_pin(struct luna_token *token, struct luna_state *state, int role,
		      const u8 sk[LUNA_SK_LEN], const u8 *pin, u32 len);

/**
 * luna_role_check_pin() - try a PIN and, if it is right, hand out the storage key
 * @state: token->state
 * @sk: storage key on CKR_OK, to be wiped by the caller; else zeros
 *
 * The attempt is counted durably before the PIN is tried, so that cutting the power gains no
 * attempt. Too many wrong ones lock the role; the SO's end the partition (luna_token_zeroize()),
 * after which token->state is uninitialised. token->auth is held, token->lock is not. Slow. Return:
 * CKR_OK, CKR_PIN_INCORRECT, CKR_PIN_LEN_RANGE (beyond LUNA_PIN_MAX, not counted),
 * CKR_USER_LOCKED_OUT, CKR_USER_PIN_NOT_INITIALIZED, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY.
 */
u32 luna_role_check_pin(struct luna_token *token, struct luna_state *state, int role, const u8 *pin,
			u32 len, u8 sk[LUNA_SK_LEN]);

/**
 * luna_role_unlock() - open the storage key of a token that nobody else knows
 * Attempts are not counted, as the token has no store of its own yet. CKR_OK: to be ended by
 * luna_role_lock(); CKR_PIN_INCORRECT; CKR_USER_PIN_NOT_INITIALIZED; CKR_USER_LOCKED_OUT;
 * CKR_DATA_INVALID: the key does not open the secrets; CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY.
 */
u32 luna_role_unlock(struct luna_token *token, int role, const u8 *pin, u32 len);
void luna_role_lock(struct luna_token *token);

/* Log an application out and end its private session objects, if anybody is logged in. */
void luna_app_logout(struct luna_app *app);
/* The same if it has no session left and is not kept. */
void luna_app_logout_idle(struct luna_app *app);
/* token->lock is held for writing. */
void luna_app_set_role(struct luna_app *app, int role);

/**
 * luna_token_end_logins() - log out everyone and forget the storage key and what was kept open
 * token->lock is held for writing.
 */
void luna_token_end_logins(struct luna_token *token);

/* Is nobody let into the role, whatever the credential? token->lock is held. */
bool luna_role_closed(const struct luna_token *token, int role);

/**
 * luna_token_zeroize() - end the partition: roles, secrets and objects; label and serial stay
 * Every login on the token ends. token->auth is held, token->lock is not.
 * Return: CKR_OK, or an error of the store with nothing changed.
 */
u32 luna_token_zeroize(struct luna_token *token);

#endif /* LUNA_TOKEN_ROLE_H */
