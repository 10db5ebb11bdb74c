/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Sessions, for those who end them: the dispatcher, logins, the release of an open file. */
#ifndef LUNA_TOKEN_SESSION_H
#define LUNA_TOKEN_SESSION_H

#include "token.h"

/* A session of @open with a reference, locked if @lock; NULL if there is none or it is closing. */
struct luna_session *luna_session_get(struct luna_open *open, u32 handle, bool lock);

/**
 * luna_open_cancel_ops() - end the operations and exchanges of all sessions of an open file
 * Takes each session's lock in turn: the caller holds none.
 */
void luna_open_cancel_ops(struct luna_open *open);

/* Close all sessions; the last one of an application that is not kept logs out. */
void luna_open_close_sessions(struct luna_open *open);

/* Drop a reference (luna_app_next()). */
void luna_open_put(struct luna_open *open);

/* cmd.c: wipe what is staged for or by LUNA_DATA_PUT and LUNA_DATA_GET */
void luna_stage_drop(struct luna_session *session);

/* clone.c, ha.c: wipe an exchange; NULL is fine */
void luna_clone_end(struct luna_session *session);
void luna_ha_end(struct luna_session *session);

/* image.c: free what an application has of an image */
void luna_image_drop(struct luna_open *open);

/* log.c */
bool luna_log_persistent(const struct luna_token *token);

#endif /* LUNA_TOKEN_SESSION_H */
