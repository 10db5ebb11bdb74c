// SPDX-License-Identifier: MIT
/*
 * Carries the commands that take and give blobs; see blob.h.
 */
#include "blob.h"

#include <stdbool.h>

#include "transport.h"

/* The documents say that 8 KiB hold any of these blobs; a larger one comes in another trip. */
#define BLOB_HINT	8192

static bool blob_prepare(struct p11_request *request, struct p11_blob *blob)
{
	if (blob->in_len && !blob->in)
		return false;
	blob->head.blob_len = p11_u32(blob->in_len);
	request->command = blob->command;
	request->head = &blob->head.hdr;
	request->size = sizeof(blob->head);
	request->in[0].data = blob->in;
	request->in[0].len = blob->in_len;
	return true;
}

CK_RV p11_blob_call(struct p11_session *session, struct p11_slot *slot, struct p11_blob *blob,
		    CK_BYTE *out, CK_ULONG *out_len)
{
	struct p11_request request = { 0 };
	CK_RV rv;

	if (!blob_prepare(&request, blob))
		return CKR_ARGUMENTS_BAD;
	if (out_len && !out) {
		blob->head.out_max = LUNA_OUT_QUERY;
	} else if (out_len) {
		blob->head.out_max = *out_len < LUNA_OUT_QUERY ? (uint32_t)*out_len :
								 LUNA_OUT_QUERY - 1;
		request.out = out;
		request.out_max = *out_len;
		request.out_hint = BLOB_HINT;
	}
	rv = session ? p11_session_call(session, &request) : p11_slot_call(slot, &request, NULL);
	return out_len ? p11_output_length(rv, &request, out, blob->head.out_need, out_len) : rv;
}

CK_RV p11_blob_make(struct p11_session *session, struct p11_blob *blob, void **out, size_t *out_len)
{
	struct p11_request request = {
		.out_max = LUNA_STAGE_MAX,
		.out_hint = BLOB_HINT,
		.grow = true,
	};
	CK_RV rv;

	*out = NULL;
	*out_len = 0;
	if (!blob_prepare(&request, blob))
		return CKR_ARGUMENTS_BAD;
	blob->head.out_max = LUNA_STAGE_MAX;
	rv = p11_session_call(session, &request);
	*out = request.out;
	*out_len = request.out_len;
	return rv;
}
