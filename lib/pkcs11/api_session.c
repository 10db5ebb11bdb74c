// SPDX-License-Identifier: MIT
/*
 * Session functions of PKCS#11 and of the vendor.
 */
#include "container.h"
#include "library.h"

CK_RV C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication, CK_NOTIFY Notify,
		    CK_SESSION_HANDLE_PTR phSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	/* There are no notifications to call back with. */
	(void)pApplication;
	(void)Notify;
	if (rv == CKR_OK && !phSession)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_session_open(call.slot, flags, phSession);
	return p11_end(&call, rv);
}

/* With the session go its keys, which an Init held back in another one may need. */
CK_RV C_CloseSession(CK_SESSION_HANDLE hSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK || rv == CKR_DEVICE_REMOVED)
		rv = p11_session_close(hSession);
	return p11_end(&call, rv);
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slotID)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK)
		rv = p11_session_close_all(call.slot);
	return p11_end(&call, rv);
}

static CK_RV session_info(struct p11_session *session, struct luna_session_info *info)
{
	struct p11_request request = {
		.command = LUNA_SESSION_INFO,
		.head = &info->hdr,
		.size = sizeof(*info),
	};

	return p11_session_call(session, &request);
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE hSession, CK_SESSION_INFO_PTR pInfo)
{
	struct luna_session_info info = { 0 };
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pInfo)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = session_info(call.session, &info);
	if (rv == CKR_OK) {
		pInfo->slotID = call.slot->id;
		pInfo->state = info.state;
		pInfo->flags = info.flags;
		pInfo->ulDeviceError = 0;
	}
	return p11_end(&call, rv);
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState,
			  CK_ULONG_PTR pulOperationStateLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	(void)pOperationState;
	(void)pulOperationStateLen;
	if (rv == CKR_OK)
		rv = p11_operation_any(call.session) ? CKR_STATE_UNSAVEABLE :
						       CKR_OPERATION_NOT_INITIALIZED;
	return p11_end(&call, rv);
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState,
			  CK_ULONG ulOperationStateLen, CK_OBJECT_HANDLE hEncryptionKey,
			  CK_OBJECT_HANDLE hAuthenticationKey)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	(void)pOperationState;
	(void)ulOperationStateLen;
	(void)hEncryptionKey;
	(void)hAuthenticationKey;
	return p11_end(&call, rv == CKR_OK ? CKR_FUNCTION_NOT_SUPPORTED : rv);
}

CK_RV CA_OpenSession(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_FLAGS flags,
		     CK_VOID_PTR pApplication, CK_NOTIFY Notify, CK_SESSION_HANDLE_PTR phSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	(void)pApplication;
	(void)Notify;
	if (rv == CKR_OK && !phSession)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_session_open(call.slot, flags, phSession);
	return p11_end(&call, rv);
}

static CK_RV slot_restart(struct p11_slot *slot)
{
	struct luna_hdr head = { 0 };
	struct p11_request request = {
		.command = LUNA_RESET,
		.head = &head,
		.size = sizeof(head),
	};
	CK_RV rv = p11_session_close_all(slot);

	return rv == CKR_OK ? p11_slot_call(slot, &request, NULL) : rv;
}

CK_RV CA_Restart(CK_SLOT_ID slotID)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK)
		rv = slot_restart(call.slot);
	return p11_end(&call, rv);
}

CK_RV CA_RestartForContainer(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber)
{
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	if (rv == CKR_OK)
		rv = slot_restart(call.slot);
	return p11_end(&call, rv);
}

/* The levels are this library's: 0 nobody, 1 crypto user, 2 crypto officer, 3 security officer. */
static CK_ULONG authentication_level(uint32_t role)
{
	switch (role) {
	case (uint32_t)CKU_LIMITED_USER:
		return 1;
	case CKU_USER:
		return 2;
	case CKU_SO:
		return 3;
	default:
		return 0;
	}
}

/* The half of an application id that CA_SetApplicationID would take, @at bytes into it. */
static CK_ULONG app_half(const struct p11_app_id *app, int at)
{
	const uint8_t *b = app->bytes + at;

	return (CK_ULONG)b[0] << 24 | (CK_ULONG)b[1] << 16 | (CK_ULONG)b[2] << 8 | b[3];
}

CK_RV CA_GetSessionInfo(CK_SESSION_HANDLE hSession, CK_ULONG_PTR pulAppIdHigh,
			CK_ULONG_PTR pulAppIdLow, CK_ULONG_PTR pulContainerNumber,
			CK_ULONG_PTR pulAuthenticationLevel)
{
	struct luna_session_info info = { 0 };
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = session_info(call.session, &info);
	if (rv == CKR_OK) {
		if (pulAppIdHigh)
			*pulAppIdHigh = app_half(&call.session->device->app, 0);
		if (pulAppIdLow)
			*pulAppIdLow = app_half(&call.session->device->app, 4);
		if (pulContainerNumber)
			*pulContainerNumber = info.container;
		if (pulAuthenticationLevel)
			*pulAuthenticationLevel = authentication_level(info.role);
	}
	return p11_end(&call, rv);
}

CK_RV CA_GetPrimarySlot(CK_SESSION_HANDLE hSession, CK_SLOT_ID_PTR pSlotID)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pSlotID)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		*pSlotID = call.slot->id;
	return p11_end(&call, rv);
}

CK_RV CA_CheckOperationState(CK_SESSION_HANDLE hSession, CK_ULONG ulOperation,
			     CK_BBOOL_PTR pbActive)
{
	static const enum luna_op_kind kinds[] = {
		[CKCAO_Encrypt] = LUNA_OP_ENCRYPT,
		[CKCAO_Decrypt] = LUNA_OP_DECRYPT,
		[CKCAO_Sign] = LUNA_OP_SIGN,
		[CKCAO_Verify] = LUNA_OP_VERIFY,
		[CKCAO_Digest] = LUNA_OP_DIGEST,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && (!pbActive || ulOperation >= sizeof(kinds) / sizeof(kinds[0])))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		*pbActive = p11_operation_there(call.session, kinds[ulOperation]) ? CK_TRUE :
										    CK_FALSE;
	return p11_end(&call, rv);
}

/*
 * Nothing runs that could not be cancelled. What is not there is passed over; flags of what has no
 * state in a session (CKF_WRAP, CKF_GENERATE) say nothing.
 */
static CK_RV session_cancel(const char *function, CK_SESSION_HANDLE handle, CK_FLAGS flags)
{
	static const struct {
		CK_FLAGS flag;
		enum luna_op_kind kind;
	} kinds[] = {
		{ CKF_ENCRYPT, LUNA_OP_ENCRYPT },
		{ CKF_DECRYPT, LUNA_OP_DECRYPT },
		{ CKF_DIGEST, LUNA_OP_DIGEST },
		{ CKF_SIGN, LUNA_OP_SIGN },
		{ CKF_SIGN_RECOVER, LUNA_OP_SIGN_RECOVER },
		{ CKF_VERIFY, LUNA_OP_VERIFY },
		{ CKF_VERIFY_RECOVER, LUNA_OP_VERIFY_RECOVER },
		{ CKF_MESSAGE_ENCRYPT, LUNA_OP_MESSAGE_ENCRYPT },
		{ CKF_MESSAGE_DECRYPT, LUNA_OP_MESSAGE_DECRYPT },
		{ CKF_MESSAGE_SIGN, LUNA_OP_MESSAGE_SIGN },
		{ CKF_MESSAGE_VERIFY, LUNA_OP_MESSAGE_VERIFY },
	};
	struct p11_call call;
	size_t i;
	CK_RV rv = p11_begin_session(&call, function, handle);

	for (i = 0; rv == CKR_OK && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if ((flags & kinds[i].flag) && p11_operation_there(call.session, kinds[i].kind))
			rv = p11_operation_cancel(call.session, kinds[i].kind);
	if (rv == CKR_OK && (flags & CKF_FIND_OBJECTS))
		p11_search_end(&call.session->search);
	return p11_end(&call, rv);
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE hSession, CK_FLAGS flags)
{
	return session_cancel(__func__, hSession, flags);
}

CK_RV CA_SessionCancel(CK_SESSION_HANDLE hSession, CK_FLAGS flags)
{
	return session_cancel(__func__, hSession, flags);
}
