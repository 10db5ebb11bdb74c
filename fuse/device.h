/* SPDX-License-Identifier: MIT */
/*
 * The mounted directory: one file for each token, whose ioctls are the engine's commands.
 */
#ifndef LUNA_DEVICE_H
#define LUNA_DEVICE_H

#include "engine.h"

struct fuse_session;

/**
 * struct device_set - the tokens that are served, and whoever has them open
 * @ready: called once, when the kernel has shaken hands
 * @openers: struct opener, under @lock
 */
struct device_set {
	struct luna_token **tokens;
	u32 count;
	void (*ready)(void);
	struct fuse_session *session;
	struct mutex lock;
	struct list_head openers;
};

/**
 * device_session() - a FUSE session that serves @set
 * @set: tokens, count and ready are the caller's; must outlive the session
 * Return: the session, to be mounted and run, or NULL after the reason was reported.
 */
struct fuse_session *device_session(struct device_set *set);

/* device_release_all() - end everyone who still has a token open, after the end of the loop */
void device_release_all(struct device_set *set);

/**
 * device_cancelled() - whether the command that this thread carries is not worth being carried on
 * Its caller was killed, or the daemon is to end. Also says so to fatal_signal_pending().
 */
bool device_cancelled(void);

#endif /* LUNA_DEVICE_H */
