/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* state.c: a token's state as bytes of the store (FORMAT.md), field by field and versioned. */
#ifndef LUNA_TOKEN_STATE_H
#define LUNA_TOKEN_STATE_H

#include "token.h"

/**
 * luna_state_pack() - serialise @state Return: kmalloc memory with *@len bytes, to be freed with
 * kfree(), or ERR_PTR(-ENOMEM). It holds no secret: everything that is one is sealed.
 */
u8 *luna_state_pack(const struct luna_state *state, u32 *len);

/**
 * luna_state_parse() - read a state back Return: 0; -EBADMSG: malformed; -EUCLEAN: of a version
 * that this code does not know. @state is blank then.
 */
int luna_state_parse(struct luna_state *state, const u8 *data, u32 len);

/* luna_state_blank() - a token that was never initialised, without a serial number */
void luna_state_blank(struct luna_state *state);
/* luna_state_draw_serial() - a new random one. Return: 0 or what the provider says. */
int luna_state_draw_serial(const struct luna_crypto_ops *crypto, struct luna_state *state);

#endif /* LUNA_TOKEN_STATE_H */
