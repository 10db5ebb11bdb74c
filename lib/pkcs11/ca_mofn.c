// SPDX-License-Identifier: MIT
/*
 * M of N: the activation secret of a token, split into vectors. CA_SetMofN is in library.c, since
 * it concerns tokens to come; CA_CloneMofN is in ca_clone.c.
 */
#include <string.h>

#include "buffer.h"
#include "library.h"

/* More vectors than any token makes; keeps the lengths below within reason. */
#define VECTORS_MAX	4096
#define VECTOR_MAX	65536

static size_t vector_padded(size_t len)
{
	return (len + 3) & ~(size_t)3;
}

/* Hands out the vectors made: a length each, and that many bytes, padded to 4. */
static CK_RV mofn_hand_out(CA_MOFN_GENERATION *vectors, CK_ULONG count, const uint8_t *from,
			   size_t left)
{
	uint32_t len;
	CK_ULONG i;

	for (i = 0; i < count; i++) {
		if (left < sizeof(len))
			return CKR_DEVICE_ERROR;
		memcpy(&len, from, sizeof(len));
		from += sizeof(len);
		left -= sizeof(len);
		if (len > left || vector_padded(len) > left || len > vectors[i].ulVectorLen ||
		    (len && !vectors[i].pVector))
			return CKR_DEVICE_ERROR;
		if (len)
			memcpy(vectors[i].pVector, from, len);
		vectors[i].ulVectorLen = len;
		from += vector_padded(len);
		left -= vector_padded(len);
	}
	return CKR_OK;
}

static CK_RV mofn_generate_call(struct p11_session *session, struct luna_mofn *head,
				CA_MOFN_GENERATION *vectors)
{
	struct p11_request request = {
		.command = LUNA_MOFN_GENERATE,
		.head = &head->hdr,
		.size = sizeof(*head),
		.grow = true,
	};
	const CK_ULONG count = head->n;	/* what the reply says there is the device's word */
	struct p11_buffer wanted;
	bool query = false;
	uint32_t pair[2];
	CK_ULONG i;
	CK_RV rv;

	p11_buffer_init(&wanted);
	for (i = 0; i < count; i++) {
		pair[0] = p11_u32(vectors[i].ulWeight);
		pair[1] = vectors[i].ulVectorLen < VECTOR_MAX ? (uint32_t)vectors[i].ulVectorLen :
								VECTOR_MAX;
		if (!vectors[i].pVector) {
			pair[1] = LUNA_OUT_QUERY;
			query = true;
		}
		p11_buffer_put(&wanted, pair, sizeof(pair));
		request.out_max += sizeof(uint32_t) + vector_padded(query ? 0 : pair[1]);
	}
	request.out_hint = 8192;
	request.in[0].data = wanted.data;
	request.in[0].len = wanted.len;
	rv = wanted.failed ? CKR_HOST_MEMORY : p11_session_call(session, &request);
	/* All vectors are of one length, which a query and a refusal tell. */
	if (rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && query))
		for (i = 0; i < count; i++)
			vectors[i].ulVectorLen = head->secret_len;
	else if (rv == CKR_OK)
		rv = mofn_hand_out(vectors, count, request.out, request.out_len);
	p11_wipe_free(request.out, request.out_len);
	p11_buffer_free(&wanted);
	return rv;
}

/*
 * There is no PED, so no secure port: the vectors go to the caller's buffers whatever he says about
 * one.
 */
static CK_RV mofn_generate(const char *function, CK_SESSION_HANDLE handle, CK_ULONG m,
			   CA_MOFN_GENERATION *vectors, CK_ULONG count, uint32_t flags)
{
	struct luna_mofn head = { .m = p11_u32(m), .flags = flags };
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK && ((count && !vectors) || count > VECTORS_MAX))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK) {
		head.n = (uint32_t)count;
		rv = mofn_generate_call(call.session, &head, vectors);
	}
	return p11_end(&call, rv);
}

CK_RV CA_GenerateMofN(CK_SESSION_HANDLE hSession, CK_ULONG ulM, CA_MOFN_GENERATION_PTR pVectors,
		      CK_ULONG ulVectorCount, CK_ULONG ulUsesSecurePort, CK_VOID_PTR pReserved)
{
	(void)ulUsesSecurePort;
	(void)pReserved;
	return mofn_generate(__func__, hSession, ulM, pVectors, ulVectorCount, 0);
}

CK_RV CA_GenerateCloneableMofN(CK_SESSION_HANDLE hSession, CK_ULONG ulM,
			       CA_MOFN_GENERATION_PTR pVectors, CK_ULONG ulVectorCount,
			       CK_ULONG ulUsesSecurePort, CK_VOID_PTR pReserved)
{
	(void)ulUsesSecurePort;
	(void)pReserved;
	return mofn_generate(__func__, hSession, ulM, pVectors, ulVectorCount,
			     LUNA_MOFN_CLONEABLE);
}

CK_RV CA_ModifyMofN(CK_SESSION_HANDLE hSession, CK_ULONG ulM, CA_MOFN_GENERATION_PTR pVectors,
		    CK_ULONG ulVectorCount, CK_ULONG ulUsesSecurePort, CK_VOID_PTR pReserved)
{
	(void)ulUsesSecurePort;
	(void)pReserved;
	return mofn_generate(__func__, hSession, ulM, pVectors, ulVectorCount, 0);
}

static CK_RV mofn_activate(struct p11_session *session, const CA_MOFN_ACTIVATION *vectors,
			   CK_ULONG count)
{
	struct luna_mofn head = { .n = (uint32_t)count };
	struct p11_request request = {
		.command = LUNA_MOFN_ACTIVATE,
		.head = &head.hdr,
		.size = sizeof(head),
	};
	struct p11_buffer given;
	CK_RV rv = CKR_OK;
	uint32_t len;
	CK_ULONG i;

	p11_buffer_init(&given);
	for (i = 0; rv == CKR_OK && i < count; i++) {
		if ((vectors[i].ulVectorLen && !vectors[i].pVector) ||
		    vectors[i].ulVectorLen > VECTOR_MAX) {
			rv = CKR_ARGUMENTS_BAD;
			break;
		}
		len = (uint32_t)vectors[i].ulVectorLen;
		p11_buffer_put(&given, &len, sizeof(len));
		p11_buffer_put(&given, vectors[i].pVector, len);
		p11_buffer_add(&given, vector_padded(len) - len);
	}
	request.in[0].data = given.data;
	request.in[0].len = given.len;
	if (rv == CKR_OK)
		rv = given.failed ? CKR_HOST_MEMORY : p11_session_call(session, &request);
	p11_buffer_free(&given);
	return rv;
}

CK_RV CA_ActivateMofN(CK_SESSION_HANDLE hSession, CA_MOFN_ACTIVATION_PTR pVectors,
		      CK_ULONG ulVectorCount)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && ((ulVectorCount && !pVectors) || ulVectorCount > VECTORS_MAX))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mofn_activate(call.session, pVectors, ulVectorCount);
	return p11_end(&call, rv);
}

CK_RV CA_DeactivateMofN(CK_SESSION_HANDLE hSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_session_send(call.session, LUNA_MOFN_DEACTIVATE, NULL, 0);
	return p11_end(&call, rv);
}

static CK_RV mofn_status(struct p11_slot *slot, struct luna_mofn_status *status)
{
	struct p11_request request = {
		.command = LUNA_MOFN_STATUS,
		.head = &status->hdr,
		.size = sizeof(*status),
	};

	memset(status, 0, sizeof(*status));
	return p11_slot_call(slot, &request, NULL);
}

CK_RV CA_GetMofNStatus(CK_SLOT_ID slotID, CA_MOFN_STATUS_PTR pStatus)
{
	struct luna_mofn_status status;
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pStatus)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mofn_status(call.slot, &status);
	if (rv == CKR_OK) {
		pStatus->ulID = status.id;
		pStatus->ulM = status.m;
		pStatus->ulN = status.n;
		pStatus->ulSecretSize = status.secret_size;
		pStatus->ulFlag = status.flags;
	}
	return p11_end(&call, rv);
}

static CK_RV mofn_flag(const char *function, CK_SLOT_ID slot, uint32_t flag, CK_ULONG *is)
{
	struct luna_mofn_status status;
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, function, slot);

	if (rv == CKR_OK && !is)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mofn_status(call.slot, &status);
	if (rv == CKR_OK)
		*is = !!(status.flags & flag);
	return p11_end(&call, rv);
}

/* Enabled: the token has vectors, or needs them. */
CK_RV CA_IsMofNEnabled(CK_SLOT_ID slotID, CK_ULONG_PTR pulEnabled)
{
	return mofn_flag(__func__, slotID, CAF_M_OF_N_GENERATED | CAF_M_OF_N_REQUIRED, pulEnabled);
}

CK_RV CA_IsMofNRequired(CK_SLOT_ID slotID, CK_ULONG_PTR pulRequired)
{
	return mofn_flag(__func__, slotID, CAF_M_OF_N_REQUIRED, pulRequired);
}
