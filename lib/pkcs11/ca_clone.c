// SPDX-License-Identifier: MIT
/*
 * Cloning: the four steps of spec/cloning-api-cpv3.txt, and the functions that run them all between
 * two sessions of this process, whatever devices they are on. What may be cloned to whom is decided
 * by the two tokens; this file carries their messages.
 */
#include <stdbool.h>

#include "blob.h"
#include "buffer.h"
#include "library.h"
#include "ouid.h"
#include "log.h"

CK_RV CA_CloneAsSourceInit(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pInput, CK_ULONG ulInputLen,
			   CK_BYTE_PTR pOutput, CK_ULONG_PTR pulOutputLen, CK_BBOOL bReplicate)
{
	struct p11_blob blob = {
		.command = LUNA_CLONE_SOURCE_INIT,
		.head.replicate = !!bReplicate,
		.in = pInput,
		.in_len = ulInputLen,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pulOutputLen)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, pOutput, pulOutputLen);
	return p11_end(&call, rv);
}

/* The KEV is of older protocols: there is none here. */
static CK_RV clone_check_kev(const CK_BYTE *kev, CK_ULONG kev_len)
{
	if (!kev && !kev_len)
		return CKR_OK;
	p11_log_reason("a KEV belongs to cloning protocols that this token does not speak");
	return CKR_ARGUMENTS_BAD;
}

CK_RV CA_CloneAsTargetInit(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pTwc, CK_ULONG ulTwcLen,
			   CK_BYTE_PTR pKev, CK_ULONG ulKevLen, CK_BBOOL bReplicate,
			   CK_BYTE_PTR pPart1, CK_ULONG_PTR pulPart1Len)
{
	struct p11_blob blob = {
		.command = LUNA_CLONE_TARGET_INIT,
		.head.replicate = !!bReplicate,
		.in = pTwc,
		.in_len = ulTwcLen,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = clone_check_kev(pKev, ulKevLen);
	if (rv == CKR_OK && !pulPart1Len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, pPart1, pulPart1Len);
	return p11_end(&call, rv);
}

CK_RV CA_CloneAsSource(CK_SESSION_HANDLE hSession, CK_ULONG ulObjectType, CK_ULONG ulObjectHandle,
		       CK_BYTE_PTR pPart1, CK_ULONG ulPart1Len, CK_BBOOL bReplicate,
		       CK_BYTE_PTR pPart2, CK_ULONG_PTR pulPart2Len)
{
	struct p11_blob blob = {
		.command = LUNA_CLONE_SOURCE,
		.head.type = p11_u32(ulObjectType),
		.head.handle = p11_u32(ulObjectHandle),
		.head.replicate = !!bReplicate,
		.in = pPart1,
		.in_len = ulPart1Len,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pulPart2Len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, pPart2, pulPart2Len);
	return p11_end(&call, rv);
}

CK_RV CA_CloneAsTarget(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pKev, CK_ULONG ulKevLen,
		       CK_BYTE_PTR pPart2, CK_ULONG ulPart2Len, CK_ULONG ulObjectType,
		       CK_ULONG ulObjectHandle, CK_BBOOL bReplicate,
		       CK_OBJECT_HANDLE_PTR phNewObject)
{
	struct p11_blob blob = {
		.command = LUNA_CLONE_TARGET,
		.head.type = p11_u32(ulObjectType),
		.head.handle = p11_u32(ulObjectHandle),
		.head.replicate = !!bReplicate,
		.in = pPart2,
		.in_len = ulPart2Len,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = clone_check_kev(pKev, ulKevLen);
	if (rv == CKR_OK && !phNewObject)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, NULL, NULL);
	if (rv == CKR_OK)
		*phNewObject = blob.head.handle;
	return p11_end(&call, rv);
}

/*
 * Two sessions of one call. Both are locked while an object is cloned, so that two threads can
 * clone between the same two; always the one with the lower handle first.
 */
struct clone_pair {
	struct p11_session *target;
	struct p11_session *source;
};

static void clone_lock(const struct clone_pair *pair)
{
	bool target_first = pair->target->handle < pair->source->handle;

	pthread_mutex_lock(target_first ? &pair->target->lock : &pair->source->lock);
	if (pair->target != pair->source)
		pthread_mutex_lock(target_first ? &pair->source->lock : &pair->target->lock);
}

static void clone_unlock(const struct clone_pair *pair)
{
	pthread_mutex_unlock(&pair->target->lock);
	if (pair->target != pair->source)
		pthread_mutex_unlock(&pair->source->lock);
}

/* One step of clone_run(): takes the blob of the step before, and gives the next in its place. */
static CK_RV clone_step(struct p11_session *session, unsigned int command, uint32_t type,
			uint32_t handle, void **message, size_t *len)
{
	struct p11_blob blob = {
		.command = command,
		.head.type = type,
		.head.handle = handle,
		.in = *message,
		.in_len = *len,
	};
	size_t made_len;
	void *made;
	CK_RV rv;

	rv = p11_blob_make(session, &blob, &made, &made_len);
	p11_wipe_free(*message, *len);
	*message = made;
	*len = made_len;
	return rv;
}

/* All four steps; the sessions are locked. */
static CK_RV clone_run(const struct clone_pair *pair, CK_ULONG type, CK_ULONG handle,
		       CK_OBJECT_HANDLE *made)
{
	struct p11_blob last = {
		.command = LUNA_CLONE_TARGET,
		.head.type = p11_u32(type),
	};
	uint32_t element = p11_u32(type), object = p11_u32(handle);
	void *message = NULL;
	size_t len = 0;
	CK_RV rv;

	if (atomic_load(&pair->target->closed) || atomic_load(&pair->source->closed))
		return CKR_SESSION_HANDLE_INVALID;
	rv = clone_step(pair->source, LUNA_CLONE_SOURCE_INIT, 0, 0, &message, &len);
	if (rv == CKR_OK)
		rv = clone_step(pair->target, LUNA_CLONE_TARGET_INIT, 0, 0, &message, &len);
	if (rv == CKR_OK)
		rv = clone_step(pair->source, LUNA_CLONE_SOURCE, element, object, &message, &len);
	if (rv == CKR_OK) {
		last.in = message;
		last.in_len = len;
		rv = p11_blob_call(pair->target, NULL, &last, NULL, NULL);
	}
	p11_wipe_free(message, len);
	if (rv == CKR_OK && made)
		*made = last.head.handle;
	return rv;
}

static CK_RV clone_one(const struct clone_pair *pair, CK_ULONG type, CK_ULONG handle,
		       CK_OBJECT_HANDLE *made)
{
	CK_RV rv;

	clone_lock(pair);
	rv = clone_run(pair, type, handle, made);
	clone_unlock(pair);
	return rv;
}

static void clone_end_pair(struct clone_pair *pair)
{
	if (pair->target)
		p11_session_put(pair->target);
	if (pair->source)
		p11_session_put(pair->source);
}

static CK_RV clone_begin_pair(struct p11_call *call, const char *function, struct clone_pair *pair,
			      CK_SESSION_HANDLE target, CK_SESSION_HANDLE source)
{
	CK_RV rv = p11_begin(call, function);

	pair->target = NULL;
	pair->source = NULL;
	if (rv != CKR_OK)
		return rv;
	pair->target = p11_session_find(target);
	pair->source = p11_session_find(source);
	if (!pair->target || !pair->source)
		return CKR_SESSION_HANDLE_INVALID;
	call->slot = pair->source->slot;
	return CKR_OK;
}

static CK_RV clone_object(const char *function, CK_SESSION_HANDLE target, CK_SESSION_HANDLE source,
			  CK_ULONG type, CK_OBJECT_HANDLE object, CK_OBJECT_HANDLE *made)
{
	struct clone_pair pair;
	struct p11_call call;
	CK_RV rv = clone_begin_pair(&call, function, &pair, target, source);

	if (rv == CKR_OK)
		rv = clone_one(&pair, type, object, made);
	clone_end_pair(&pair);
	return p11_end(&call, rv);
}

CK_RV CA_CloneObject(CK_SESSION_HANDLE hTargetSession, CK_SESSION_HANDLE hSourceSession,
		     CK_ULONG ulObjectType, CK_OBJECT_HANDLE hObject,
		     CK_OBJECT_HANDLE_PTR phNewObject)
{
	return clone_object(__func__, hTargetSession, hSourceSession, ulObjectType, hObject,
			    phNewObject);
}

CK_RV CA_ClonePrivateKey(CK_SESSION_HANDLE hTargetSession, CK_SESSION_HANDLE hSourceSession,
			 CK_OBJECT_HANDLE hObject, CK_OBJECT_HANDLE_PTR phNewObject)
{
	return clone_object(__func__, hTargetSession, hSourceSession, CK_CRYPTOKI_ELEMENT, hObject,
			    phNewObject);
}

/* The M of N secret of a token is no object and has no handle. */
CK_RV CA_CloneMofN(CK_SESSION_HANDLE hTargetSession, CK_SESSION_HANDLE hSourceSession,
		   CK_VOID_PTR pReserved)
{
	(void)pReserved;
	return clone_object(__func__, hTargetSession, hSourceSession, CK_MOFN_ACTIVATION_ELEMENT, 0,
			    NULL);
}

/*
 * With CKF_CPV4_CONTINUE_ON_ERR every object is tried and the call succeeds, whatever became of
 * them; without, the first failure fails the call and the objects behind it are marked as not
 * attempted.
 */
CK_RV CA_MigrateKeys(CK_SESSION_HANDLE hSourceSession, CK_SESSION_HANDLE hTargetSession,
		     CK_ULONG flags, CK_ULONG ulObjectCount, CK_OBJECT_MIGRATION_DATA_PTR pObjects)
{
	CK_OBJECT_MIGRATION_DATA *object;
	struct clone_pair pair;
	struct p11_call call;
	CK_ULONG i;
	CK_RV rv = clone_begin_pair(&call, __func__, &pair, hTargetSession, hSourceSession);

	if (rv == CKR_OK && (!ulObjectCount || !pObjects))
		rv = CKR_ARGUMENTS_BAD;
	for (i = 0; call.entered && pObjects && rv != CKR_ARGUMENTS_BAD && i < ulObjectCount; i++) {
		object = &pObjects[i];
		if (rv != CKR_OK) {
			object->rv = CKR_CLONE_NOT_ATTEMPTED;
			continue;
		}
		object->rv = clone_one(&pair, object->objectType, object->sourceHandle,
				       &object->targetHandle);
		if (object->rv != CKR_OK && !(flags & CKF_CPV4_CONTINUE_ON_ERR))
			rv = CKR_FAILED_TO_CLONE_AN_OBJECT;
	}
	clone_end_pair(&pair);
	return p11_end(&call, rv);
}

/* A clone keeps its source's OUID. */
static bool clone_is_there(const struct clone_pair *pair, CK_OBJECT_HANDLE handle)
{
	CK_BYTE ouid[P11_OUID_LEN];
	CK_ULONG there;

	return p11_object_ouid(pair->source->slot, CK_CRYPTOKI_ELEMENT, handle, ouid) == CKR_OK &&
	       p11_object_by_ouid(pair->target->slot, ouid, NULL, &there) == CKR_OK;
}

/* Clones what the search of @finder finds and the target has not got. */
static CK_RV clone_found(const struct clone_pair *pair, struct p11_session *finder)
{
	CK_OBJECT_HANDLE found;
	CK_RV rv, one, failed = CKR_OK;
	CK_ULONG count;

	for (;;) {
		rv = p11_search_next(finder, &found, 1, &count);
		if (rv != CKR_OK || !count)
			return rv != CKR_OK ? rv : failed;
		if (clone_is_there(pair, found))
			continue;
		one = clone_one(pair, CK_CRYPTOKI_ELEMENT, found, NULL);
		if (one == CKR_SESSION_HANDLE_INVALID || one == CKR_DEVICE_REMOVED)
			return one;
		if (one != CKR_OK)
			failed = CKR_FAILED_TO_CLONE_AN_OBJECT;
	}
}

/*
 * All token objects of the session's token to the token in @slotID; one that fails stops no other. A
 * token has all of its own: cloned to itself, the search would find what it makes.
 */
CK_RV CA_CloneAllObjectsToSession(CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID)
{
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE token = { .type = CKA_TOKEN, .pValue = &yes, .ulValueLen = sizeof(yes) };
	struct p11_session *finder = NULL;
	struct clone_pair pair = { NULL, NULL };
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK) {
		pair.source = p11_session_find(hSession);
		rv = pair.source ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
	}
	if (rv == CKR_OK)
		rv = p11_session_temporary(call.slot, CKF_RW_SESSION, &pair.target);
	if (rv == CKR_OK)
		rv = p11_session_temporary(pair.source->slot, 0, &finder);
	if (rv == CKR_OK)
		rv = p11_search_begin(finder, &token, 1);
	if (rv == CKR_OK && pair.source->slot != call.slot)
		rv = clone_found(&pair, finder);
	if (finder)
		p11_session_end_temporary(finder);
	if (pair.target)
		p11_session_end_temporary(pair.target);
	if (pair.source)
		p11_session_put(pair.source);
	return p11_end(&call, rv);
}
