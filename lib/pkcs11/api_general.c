// SPDX-License-Identifier: MIT
/*
 * General-purpose functions of PKCS#11, those of its past, and random numbers. C_Initialize and
 * C_Finalize are in library.c.
 */
#include <string.h>

#include "library.h"
#include "text.h"

CK_FUNCTION_LIST p11_function_list = {
	.version = { CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR },
#define MEMBER(name, args) .name = name,
	LUNA_C_FUNCTIONS_2_40(MEMBER)
#undef MEMBER
};

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
	if (!ppFunctionList)
		return CKR_ARGUMENTS_BAD;
	*ppFunctionList = &p11_function_list;
	return CKR_OK;
}

CK_RV C_GetInfo(CK_INFO_PTR pInfo)
{
	struct p11_call call;
	CK_RV rv = p11_begin(&call, __func__);

	if (rv == CKR_OK && !pInfo)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK) {
		memset(pInfo, 0, sizeof(*pInfo));
		pInfo->cryptokiVersion = p11_function_list.version;
		pInfo->libraryVersion.major = 0;
		pInfo->libraryVersion.minor = 1;
		p11_text_pad(pInfo->manufacturerID, sizeof(pInfo->manufacturerID), "luna");
		p11_text_pad(pInfo->libraryDescription, sizeof(pInfo->libraryDescription),
			     "Luna-style software token");
	}
	return p11_end(&call, rv);
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE hSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	return p11_end(&call, rv == CKR_OK ? CKR_FUNCTION_NOT_PARALLEL : rv);
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE hSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	return p11_end(&call, rv == CKR_OK ? CKR_FUNCTION_NOT_PARALLEL : rv);
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && ulSeedLen && !pSeed)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_session_send(call.session, LUNA_SEED, pSeed, ulSeedLen);
	return p11_end(&call, rv);
}

static CK_RV random_piece(struct p11_session *session, uint8_t *to, CK_ULONG wanted, CK_ULONG *got)
{
	size_t most = session->device->ioc_max - sizeof(struct luna_random);
	struct luna_random head = { .length = (uint32_t)(wanted < most ? wanted : most) };
	struct p11_request request = {
		.command = LUNA_RANDOM,
		.head = &head.hdr,
		.size = sizeof(head),
		.out = to,
		.out_max = head.length,
	};
	CK_RV rv = p11_session_call(session, &request);

	*got = request.out_len;
	return rv == CKR_OK && wanted && !request.out_len ? CKR_DEVICE_ERROR : rv;
}

static CK_RV random_get(struct p11_session *session, uint8_t *to, CK_ULONG wanted)
{
	CK_ULONG done = 0, got = 0;
	CK_RV rv = CKR_OK;

	while (rv == CKR_OK && done < wanted) {
		rv = random_piece(session, to + done, wanted - done, &got);
		done += got;
	}
	return rv;
}

/* From the bytes that wait in the session, where asking again and again made that worth it. */
static CK_RV random_small(struct p11_session *session, uint8_t *to, CK_ULONG wanted)
{
	uint8_t *room;
	CK_RV rv;

	if (p11_random_take(&session->random, to, wanted))
		return CKR_OK;
	room = p11_random_room(&session->random, wanted);
	if (!room)
		return random_get(session, to, wanted);
	rv = random_get(session, room, P11_RANDOM_AHEAD);
	if (rv != CKR_OK)
		return rv;
	p11_random_filled(&session->random);
	return p11_random_take(&session->random, to, wanted) ? CKR_OK : CKR_DEVICE_ERROR;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRandomData, CK_ULONG ulRandomLen)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && ulRandomLen && !pRandomData)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = random_small(call.session, pRandomData, ulRandomLen);
	return p11_end(&call, rv);
}
