/* SPDX-License-Identifier: MIT */
/*
 * The application id of this process, by which it shares its logins with others.
 *
 * It is what CA_SetApplicationID said; else what Chrystoki.conf says; else 16 random bytes, which
 * nobody shares. A forked child draws its own; an id that was chosen is the child's as well.
 * C_Finalize forgets one that was drawn or read, not one that was set.
 *
 * The device learns it when its file is opened. An id that changes means another open file
 * (slot.c), so it changes only while there are no sessions.
 */
#ifndef P11_APPLICATION_H
#define P11_APPLICATION_H

#include <stdbool.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>
#include <uapi/luna.h>

/**
 * struct p11_app_id - an application id
 * @bytes: the id
 * @epoch: of the process's id: changes with it
 * @chosen: it was set or configured, and not drawn
 */
struct p11_app_id {
	uint8_t bytes[LUNA_APP_ID_LEN];
	unsigned int epoch;
	bool chosen;
};

/** p11_app_id() - the id of this process; false if there are no random bytes to draw one */
bool p11_app_id(struct p11_app_id *id);

/** p11_app_epoch() - the epoch of the id of this process */
unsigned int p11_app_epoch(void);

/** p11_app_forget() - C_Finalize */
void p11_app_forget(void);

/** p11_app_after_fork() - in the child */
void p11_app_after_fork(void);

#endif /* P11_APPLICATION_H */
