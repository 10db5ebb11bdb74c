/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The store of a token as a log of records over struct luna_store_ops; FORMAT.md says what the
 * bytes mean. What object.c needs of it stands in object.h.
 *
 * Every writer returns when its record is durable; concurrent writers share one flush. They return
 * 0; -ENOSPC (the store is as it was, and stays usable); -ENOMEM; -EIO (a flush failed, so that
 * what the store holds is unknown: all later writes fail alike until the token is opened again).
 */
#ifndef LUNA_TOKEN_LOG_H
#define LUNA_TOKEN_LOG_H

#include "token.h"

/**
 * luna_log_open() - load a token from its store Sets token->log, token->state (allocated here if it
 * is NULL; freed by the caller), the objects and token->next_handle. An empty store gives an
 * uninitialised state with a new serial number, which is written when the token is first
 * initialised. A torn tail is cut off.
 *
 * Return: 0; -ENOMEM with nothing set; -EUCLEAN, -EBADMSG, -EIO with token->damaged, an empty
 * uninitialised state, a log that refuses every write, and the store untouched.
 */
int luna_log_open(struct luna_token *token, const struct luna_store_ops *ops, void *store);

/* luna_log_close() - flush and free token->log; NULL is fine */
void luna_log_close(struct luna_token *token);

/**
 * luna_log_restart() - replace the whole store by one that holds @state and no object (InitToken)
 * Atomic: it fails with the old content intact. Handles given out before stay used.
 */
int luna_log_restart(struct luna_token *token, const struct luna_state *state);

/**
 * luna_log_export() - write the live records, as they are at this moment, as a log of its own
 * @ops, @store: where to; the replacement is begun and committed
 * Writers wait meanwhile, readers of objects do not.
 */
int luna_log_export(struct luna_token *token, const struct luna_store_ops *ops, void *store);

/**
 * luna_log_import() - replace the whole store by that of @image, a token that only the caller knows
 * Atomic: it fails with the old content intact. @image keeps its state and its objects, which the
 * caller puts in the place of @token's. Handles given out before stay used.
 */
int luna_log_import(struct luna_token *token, struct luna_token *image);

/**
 * luna_log_tidy() - drop the garbage of the log if there is enough of it
 * To be called with no lock held, since it takes long: it copies what lives beside readers and
 * writers, and holds up writers alone, for its last step. Failing is no loss: the log stays as it
 * is.
 */
void luna_log_tidy(struct luna_token *token);

/* luna_log_state() - write a whole serialised state (state.c) */
int luna_log_state(struct luna_token *token, const u8 *data, u32 len);

/**
 * luna_log_attempts() - write the login attempts of one role, a small record
 * @durable: false: nobody loses if a power cut undoes it, so do not wait for a flush
 */
int luna_log_attempts(struct luna_token *token, int role, u32 failed, bool locked, bool durable);

/* luna_crc32_more() - luna_crc32() of one more piece; @crc: of those before, 0 at first (kdf.c) */
u32 luna_crc32_more(u32 crc, const void *data, size_t len);

/* luna_log_used() - bytes that live records take; garbage not counted */
u64 luna_log_used(struct luna_token *token);

#endif /* LUNA_TOKEN_LOG_H */
