/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What follows from the policies; the table of them is in policy.c, luna_policy() in token.h. */
#ifndef LUNA_TOKEN_POLICY_H
#define LUNA_TOKEN_POLICY_H

#include "token.h"

u32 luna_pin_min(const struct luna_token *token);	/* bytes, by policy 25 */
u32 luna_pin_max(const struct luna_token *token);	/* bytes, by policy 26 */

#endif /* LUNA_TOKEN_POLICY_H */
