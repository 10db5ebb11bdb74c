/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What follows from the policies; the table of them is in policy.c, luna_policy() in token.h. */
#ifndef LUNA_TOKEN_POLICY_H
#define LUNA_TOKEN_POLICY_H

#include "token.h"

u32 luna_pin_min(const struct luna_token *token);	/* bytes, by policy 25 */
u32 luna_pin_max(const struct luna_token *token);	/* bytes, by policy 26 */

/**
 * luna_policy_init() - policies that a token is initialised with
 * @state: the state to be; holds the defaults
 * @pairs: @count pairs of u32 id and value, native byte order
 * CKR_OK, or as LUNA_POLICY_SET.
 */
u32 luna_policy_init(struct luna_state *state, u32 scope, const u8 *pairs, u32 count);

/* Could these policies have been set here: none beyond its capability, or below its least value? */
bool luna_policies_possible(const struct luna_state *state);

#endif /* LUNA_TOKEN_POLICY_H */
