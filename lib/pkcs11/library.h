/* SPDX-License-Identifier: MIT */
/*
 * The life of the library, and the frame that every function of the API has: begin, work, end.
 *
 *	struct p11_call call;
 *	CK_RV rv = p11_begin_session(&call, __func__, hSession);
 *
 *	if (rv == CKR_OK)
 *		rv = ...;
 *	return p11_end(&call, rv);
 *
 * While any call is between begin and end, C_Finalize waits; once it has been called, begin fails.
 *
 * Locking is always native: C_Initialize(NULL) is not trusted to mean a single thread, and the
 * application's mutex functions, which PKCS#11 lets a library use, are accepted but not needed. The
 * library creates no threads.
 *
 * A forked child finds the library as if it had never been initialised, with the parent's
 * descriptors closed and nothing said to the device; its own C_Initialize makes it an application
 * of its own. There is no destructor and no exit handler: a process that ends without C_Finalize
 * just ends.
 */
#ifndef P11_LIBRARY_H
#define P11_LIBRARY_H

#include <stdbool.h>

#include <luna/cryptoki_v2.h>

#include "session.h"
#include "slot.h"

/**
 * struct p11_call - one call of an API function
 * @function: its name, for the log
 * @slot: the slot it concerns, or NULL
 * @session: the session it concerns, locked, or NULL
 * @entered: it counts for C_Finalize
 */
struct p11_call {
	const char *function;
	struct p11_slot *slot;
	struct p11_session *session;
	bool entered;
};

/* The list of C_GetFunctionList. */
extern CK_FUNCTION_LIST p11_function_list;

/** p11_begin() - begin a call; CKR_CRYPTOKI_NOT_INITIALIZED */
CK_RV p11_begin(struct p11_call *call, const char *function);

/** p11_begin_slot() - begin a call that concerns a slot; also CKR_SLOT_ID_INVALID */
CK_RV p11_begin_slot(struct p11_call *call, const char *function, CK_SLOT_ID id);

/**
 * p11_begin_session() - begin a call that concerns a session, which is locked until p11_end()
 * Return: also CKR_SESSION_HANDLE_INVALID; CKR_DEVICE_REMOVED if its device has gone.
 */
CK_RV p11_begin_session(struct p11_call *call, const char *function, CK_SESSION_HANDLE handle);

/**
 * p11_begin_change() - as p11_begin_session(), for calls that may change what keys and roles allow
 * Inits held back (operation.h) that the change could turn into failures are sent first, so that
 * they took place when the application believes they did.
 */
CK_RV p11_begin_change(struct p11_call *call, const char *function, CK_SESSION_HANDLE handle);

/** p11_end() - end a call, however its begin went; logs a failure; Return: @rv */
CK_RV p11_end(struct p11_call *call, CK_RV rv);

/** p11_unsupported() - all of a call that this product does not have */
CK_RV p11_unsupported(const char *function);

/** p11_epoch() - changes at every C_Initialize; to be compared inside calls */
unsigned int p11_epoch(void);

/**
 * p11_domain() - the cloning domain of CA_SetCloningDomain, for the next token initialisation
 * @domain: gets at most @max bytes of it
 * Return: its length.
 */
size_t p11_domain(uint8_t *domain, size_t max);

/** p11_mofn() - what CA_SetMofN said: whether the next token initialised requires M of N */
bool p11_mofn(void);

#define P11_DOMAIN_MAX	4096

#endif /* P11_LIBRARY_H */
