// SPDX-License-Identifier: MIT
/*
 * Object searches; see search.h.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "log.h"
#include "session.h"
#include "template.h"

/* The first reply is small, as most searches find one object; later ones fill a buffer. */
#define SEARCH_FIRST	64
#define SEARCH_MORE	4000

void p11_search_end(struct p11_search *search)
{
	p11_wipe_free(search->template, search->template_len);
	free(search->found);
	memset(search, 0, sizeof(*search));
}

/*
 * Every handle is above the one before, so that a search comes to its end: a device that begins again
 * and again would have its caller search for ever.
 */
static CK_RV search_advance(struct p11_search *search)
{
	uint32_t i;

	for (i = 0; i < search->count; i++) {
		if (search->found[i] <= search->last) {
			p11_log_reason("the device sent handles out of order");
			search->count = 0;
			return CKR_DEVICE_ERROR;
		}
		search->last = search->found[i];
	}
	return CKR_OK;
}

static CK_RV search_fetch(struct p11_session *session, uint32_t max)
{
	struct p11_search *search = &session->search;
	struct luna_find find = {
		.after = search->last,
		.max = max,
		.template_len = (uint32_t)search->template_len,
	};
	struct p11_request request = {
		.command = LUNA_FIND,
		.head = &find.hdr,
		.size = sizeof(find),
		.in[0] = { search->template, search->template_len },
		.out_max = max * sizeof(uint32_t),
		.grow = true,
	};
	CK_RV rv = p11_session_call(session, &request);

	free(search->found);
	search->found = request.out;
	search->next = 0;
	search->count = 0;
	if (rv != CKR_OK)
		return rv;
	search->count = (uint32_t)(request.out_len / sizeof(uint32_t));
	search->complete = find.complete || !search->count;
	return search_advance(search);
}

CK_RV p11_search_begin(struct p11_session *session, CK_ATTRIBUTE *template, CK_ULONG count)
{
	struct p11_search *search = &session->search;
	struct p11_buffer buffer;
	CK_RV rv;

	if (search->active)
		return CKR_OPERATION_ACTIVE;
	p11_buffer_init(&buffer);
	rv = p11_template_encode(&buffer, template, count);
	if (rv == CKR_OK && buffer.len) {
		search->template = malloc(buffer.len);
		if (search->template) {
			memcpy(search->template, buffer.data, buffer.len);
			search->template_len = buffer.len;
		} else {
			rv = CKR_HOST_MEMORY;
		}
	}
	p11_buffer_free(&buffer);
	if (rv == CKR_OK)
		rv = search_fetch(session, SEARCH_FIRST);
	if (rv != CKR_OK)
		p11_search_end(search);
	else
		search->active = true;
	return rv;
}

CK_RV p11_search_next(struct p11_session *session, CK_OBJECT_HANDLE *objects, CK_ULONG max,
		      CK_ULONG *count)
{
	struct p11_search *search = &session->search;
	CK_ULONG got = 0;
	CK_RV rv;

	if (!search->active)
		return CKR_OPERATION_NOT_INITIALIZED;
	while (got < max) {
		if (search->next < search->count) {
			objects[got++] = search->found[search->next++];
			continue;
		}
		if (search->complete)
			break;
		rv = search_fetch(session, SEARCH_MORE);
		/* What was handed out already must not get lost behind an error. */
		if (rv != CKR_OK && !got)
			return rv;
		if (rv != CKR_OK)
			break;
	}
	*count = got;
	return CKR_OK;
}
