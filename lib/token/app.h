/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Applications: the open files that share an application id and with it a login (the product's
 * "access id"). Who opens a file and says nothing is an application of his own.
 */
#ifndef LUNA_TOKEN_APP_H
#define LUNA_TOKEN_APP_H

#include "token.h"

/**
 * luna_app_start() - make a new open file, which nobody else knows yet, an application of its own
 * Return: 0 or -ENOMEM. To be ended by luna_app_leave(), then luna_app_put() on open->own and, if
 * it is another one, on open->app.
 */
int luna_app_start(struct luna_open *open);

/* An open file that has no session left is no member any more. */
void luna_app_leave(struct luna_open *open);

/* Drops a reference; NULL is fine. The last one frees it. token->lock is not held. */
void luna_app_put(struct luna_token *token, struct luna_app *app);

/**
 * luna_app_next() - the members of an application, one after the other
 * @after: 0 for the first; then as it was set by the call before
 * Return: an open file with a reference, for luna_open_put(); NULL at the end. Who becomes a member
 * meanwhile is visited, too.
 */
struct luna_open *luna_app_next(struct luna_app *app, u64 *after);

/**
 * luna_apps_end() - end every login on the token, and what keeps logins (LUNA_APP_OPEN)
 * token->lock is held for writing. Private session objects and the storage key are the caller's.
 */
void luna_apps_end(struct luna_token *token);

#endif /* LUNA_TOKEN_APP_H */
