/* SPDX-License-Identifier: MIT */
/*
 * The sessions of this process, by handle.
 *
 * Handles are given by this library, across all slots: 32 bits, ascending, never used twice in a
 * process. The table is a hash with a lock for each bucket, held only to look. A session has a lock
 * of its own that a call holds as long as it runs: two threads wait for each other only if they use
 * one session.
 */
#ifndef P11_SESSION_H
#define P11_SESSION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>

#include "device.h"
#include "operation.h"
#include "random.h"
#include "search.h"
#include "slot.h"
#include "transport.h"

/**
 * struct p11_session - a session
 * @next: next in its bucket
 * @handle: the application's handle
 * @references: the table, and calls on their way
 * @slot: its slot
 * @device: the device that has it; when that dies, the session is useless
 * @remote: the device's handle
 * @lock: held during every call; protects the rest
 * @closed: it has left the table
 * @operations: cryptographic operations, by enum luna_op_kind
 * @search: the object search
 * @random: random numbers fetched ahead
 */
struct p11_session {
	struct p11_session *next;
	CK_SESSION_HANDLE handle;
	atomic_uint references;
	struct p11_slot *slot;
	struct p11_device *device;
	uint32_t remote;
	pthread_mutex_t lock;
	atomic_bool closed;
	struct p11_operation operations[LUNA_OP_KINDS];
	struct p11_search search;
	struct p11_random random;
};

/** p11_session_open() - C_OpenSession; sets @handle */
CK_RV p11_session_open(struct p11_slot *slot, CK_FLAGS flags, CK_SESSION_HANDLE *handle);

/** p11_session_open_as() - the same under another application id; NULL: the process's own */
CK_RV p11_session_open_as(struct p11_slot *slot, const uint8_t *app, CK_FLAGS flags,
			  CK_SESSION_HANDLE *handle);

/** p11_session_any() - whether there are sessions on any slot */
bool p11_session_any(void);

/** p11_session_forget() - drop those of an application id, which the device has closed already */
void p11_session_forget(struct p11_slot *slot, const uint8_t *app);

/** p11_session_close() - C_CloseSession */
CK_RV p11_session_close(CK_SESSION_HANDLE handle);

/** p11_session_close_all() - C_CloseAllSessions */
CK_RV p11_session_close_all(struct p11_slot *slot);

/** p11_session_find() - the session with this handle and a reference to it, not locked; or NULL */
struct p11_session *p11_session_find(CK_SESSION_HANDLE handle);

/** p11_session_put() - drop a reference */
void p11_session_put(struct p11_session *session);

/** p11_session_call() - carry a command of this session, which the caller has locked */
CK_RV p11_session_call(struct p11_session *session, struct p11_request *request);

/** p11_session_send() - the same for a command that is a bare header and @data, without a reply */
CK_RV p11_session_send(struct p11_session *session, unsigned int command, const void *data,
		       size_t len);

/**
 * p11_session_flush() - send the Inits that sessions of @device hold back
 * The caller holds no session's lock.
 */
void p11_session_flush(struct p11_device *device);

/**
 * p11_session_temporary() - a session for a call that has only a slot; not in the table
 * Return: CKR_OK with @session, to be given to p11_session_end_temporary(); or an error.
 */
CK_RV p11_session_temporary(struct p11_slot *slot, CK_FLAGS flags, struct p11_session **session);

/** p11_session_end_temporary() - close it */
void p11_session_end_temporary(struct p11_session *session);

/** p11_session_forget_all() - C_Finalize: drop all sessions, without a word to the device */
void p11_session_forget_all(void);

/** p11_session_after_fork() - in the child: the table is empty */
void p11_session_after_fork(void);

#endif /* P11_SESSION_H */
