// SPDX-License-Identifier: MIT
/*
 * A token as an image: taken, read, sent, restored (luna_functions.h). What is in it, and who may,
 * is the device's business.
 */
#include "library.h"
#include "pin.h"
#include "transport.h"

#include <string.h>

#define PIECE_MAX	LUNA_OP_DATA_MAX	/* of payload in one command without staging */

CK_RV CA_TokenImageExport(CK_SESSION_HANDLE hSession, CK_ULONG_PTR pulImageLen)
{
	struct luna_image_arg arg = { 0 };
	struct p11_request request = {
		.command = LUNA_IMAGE_EXPORT,
		.head = &arg.hdr,
		.size = sizeof(arg),
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pulImageLen)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_session_call(call.session, &request);
	if (rv == CKR_OK)
		*pulImageLen = arg.length;
	return p11_end(&call, rv);
}

/* One command's worth; *@len: in: room, out: what came. */
static CK_RV image_get(struct p11_device *device, CK_ULONG offset, CK_BYTE *data, CK_ULONG *len)
{
	struct luna_data arg = { .offset = p11_u32(offset) };
	struct p11_request request = {
		.command = LUNA_IMAGE_GET,
		.head = &arg.hdr,
		.size = sizeof(arg),
		.out = data,
		.out_max = *len < PIECE_MAX ? *len : PIECE_MAX,
	};
	CK_RV rv;

	arg.length = (uint32_t)request.out_max;
	rv = p11_transport(device, &request);
	*len = request.out_len;
	return rv;
}

CK_RV CA_TokenImageRead(CK_SESSION_HANDLE hSession, CK_ULONG ulOffset, CK_BYTE_PTR pData,
			CK_ULONG_PTR pulDataLen)
{
	CK_ULONG done = 0, n, room;
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && (!pulDataLen || !pData || !*pulDataLen))
		rv = CKR_ARGUMENTS_BAD;
	room = rv == CKR_OK ? *pulDataLen : 0;
	while (rv == CKR_OK && done < room) {
		n = room - done;
		rv = image_get(call.session->device, ulOffset + done, pData + done, &n);
		/* Behind the last byte there is no image any more. */
		if (rv == CKR_ARGUMENTS_BAD && done) {
			rv = CKR_OK;
			break;
		}
		if (rv == CKR_OK && !n)
			rv = CKR_DEVICE_ERROR;
		done += rv == CKR_OK ? n : 0;
	}
	if (rv == CKR_OK)
		*pulDataLen = done;
	return p11_end(&call, rv);
}

CK_RV CA_TokenImageWrite(CK_SLOT_ID slotID, CK_ULONG ulOffset, CK_BYTE_PTR pData,
			 CK_ULONG ulDataLen)
{
	CK_ULONG done, n;
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && (!pData || !ulDataLen))
		rv = CKR_ARGUMENTS_BAD;
	for (done = 0; rv == CKR_OK && done < ulDataLen; done += n) {
		struct luna_data arg = { .offset = p11_u32(ulOffset + done) };
		struct p11_request request = {
			.command = LUNA_IMAGE_PUT,
			.head = &arg.hdr,
			.size = sizeof(arg),
		};

		n = ulDataLen - done < PIECE_MAX ? ulDataLen - done : PIECE_MAX;
		request.in[0].data = pData + done;
		request.in[0].len = n;
		rv = p11_slot_call(call.slot, &request, NULL);
	}
	return p11_end(&call, rv);
}

static CK_RV image_restore(struct p11_slot *slot, struct p11_request *request,
			   struct luna_image_arg *arg)
{
	int i;

	for (i = 0; i < P11_PIECES; i++)
		if (request->in[i].len && !request->in[i].data)
			return CKR_ARGUMENTS_BAD;
	request->command = LUNA_IMAGE_RESTORE;
	request->head = &arg->hdr;
	request->size = sizeof(*arg);
	arg->so_pin_len = p11_u32(request->in[0].len);
	arg->domain_len = p11_u32(request->in[1].len);
	arg->pin_len = p11_u32(request->in[2].len);
	return p11_slot_call(slot, request, NULL);
}

CK_RV CA_TokenImageRestore(CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pSoPin, CK_ULONG ulSoPinLen,
			   CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen, CK_USER_TYPE userType,
			   CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen, CK_ULONG_PTR pulDamagedAt)
{
	uint8_t domain[P11_DOMAIN_MAX];
	struct luna_image_arg arg = { .role = p11_role(userType) };
	struct p11_request request = {
		.in = { { pSoPin, ulSoPinLen }, { pDomain, ulDomainLen }, { pPin, ulPinLen } },
	};
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK) {
		if (!ulDomainLen) {
			request.in[1].data = domain;
			request.in[1].len = p11_domain(domain, sizeof(domain));
		}
		rv = image_restore(call.slot, &request, &arg);
		if (!ulDomainLen)
			explicit_bzero(domain, request.in[1].len);
	}
	if (pulDamagedAt)
		*pulDamagedAt = rv == CKR_DATA_INVALID ? arg.damaged : 0;
	return p11_end(&call, rv);
}
