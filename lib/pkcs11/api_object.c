// SPDX-License-Identifier: MIT
/*
 * Object functions of PKCS#11, and the vendor's that go by OUID.
 */
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "library.h"
#include "ouid.h"
#include "template.h"
#include "transport.h"


/* Room for the values of an ordinary C_GetAttributeValue; longer ones come in a second trip. */
#define ANSWER_HINT	2048

static CK_RV object_call(struct p11_session *session, unsigned int command,
			 struct luna_object_arg *head, CK_OBJECT_HANDLE handle,
			 const struct p11_buffer *template)
{
	struct p11_request request = {
		.command = command,
		.head = &head->hdr,
		.size = sizeof(*head),
	};

	head->handle = p11_u32(handle);
	if (template) {
		head->template_len = (uint32_t)template->len;
		request.in[0].data = template->data;
		request.in[0].len = template->len;
	}
	return p11_session_call(session, &request);
}

/* The commands that take an object and a template; @made is for those that make an object. */
static CK_RV object_with_template(struct p11_session *session, unsigned int command,
				  CK_OBJECT_HANDLE handle, const CK_ATTRIBUTE *template,
				  CK_ULONG count, CK_OBJECT_HANDLE *made)
{
	struct luna_object_arg head = { 0 };
	struct p11_buffer buffer;
	CK_RV rv;

	p11_buffer_init(&buffer);
	rv = p11_template_encode(&buffer, template, count);
	if (rv == CKR_OK)
		rv = object_call(session, command, &head, handle, &buffer);
	p11_buffer_free(&buffer);
	if (rv == CKR_OK && made)
		*made = head.handle;
	return rv;
}

CK_RV C_CreateObject(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
		     CK_OBJECT_HANDLE_PTR phObject)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && (!pTemplate || !phObject))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = object_with_template(call.session, LUNA_OBJECT_CREATE, 0, pTemplate, ulCount,
					  phObject);
	return p11_end(&call, rv);
}

CK_RV C_CopyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
		   CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phNewObject)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !phNewObject)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = object_with_template(call.session, LUNA_OBJECT_COPY, hObject, pTemplate,
					  ulCount, phNewObject);
	return p11_end(&call, rv);
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject)
{
	struct luna_object_arg head = { 0 };
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = object_call(call.session, LUNA_OBJECT_DESTROY, &head, hObject, NULL);
	return p11_end(&call, rv);
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ULONG_PTR pulSize)
{
	struct luna_object_arg head = { 0 };
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pulSize)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = object_call(call.session, LUNA_OBJECT_SIZE, &head, hObject, NULL);
	if (rv == CKR_OK)
		*pulSize = head.size == 0xffffffffu ? CK_UNAVAILABLE_INFORMATION : head.size;
	return p11_end(&call, rv);
}

static CK_RV object_attributes(struct p11_session *session, CK_OBJECT_HANDLE handle,
			       CK_ATTRIBUTE *template, CK_ULONG count)
{
	struct luna_object_arg head = { .handle = p11_u32(handle) };
	struct p11_request request = {
		.command = LUNA_ATTR_GET,
		.head = &head.hdr,
		.size = sizeof(head),
		.out_hint = ANSWER_HINT,
		.grow = true,
	};
	struct p11_buffer buffer;
	CK_RV rv, answer;

	p11_buffer_init(&buffer);
	rv = p11_template_ask(&buffer, template, count, &request.out_max);
	if (rv == CKR_OK) {
		head.template_len = (uint32_t)buffer.len;
		request.in[0].data = buffer.data;
		request.in[0].len = buffer.len;
		rv = p11_session_call(session, &request);
	}
	p11_buffer_free(&buffer);
	/* Some attributes come even when others make the call fail. */
	if (request.out_len) {
		answer = p11_template_answer(template, count, request.out, request.out_len);
		if (rv == CKR_OK)
			rv = answer;
	}
	p11_wipe_free(request.out, request.out_len);
	return rv;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
			  CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pTemplate)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = object_attributes(call.session, hObject, pTemplate, ulCount);
	return p11_end(&call, rv);
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject,
			  CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK && !pTemplate)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = object_with_template(call.session, LUNA_ATTR_SET, hObject, pTemplate, ulCount,
					  NULL);
	return p11_end(&call, rv);
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_search_begin(call.session, pTemplate, ulCount);
	return p11_end(&call, rv);
}

CK_RV C_FindObjects(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE_PTR phObject,
		    CK_ULONG ulMaxObjectCount, CK_ULONG_PTR pulObjectCount)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && (!pulObjectCount || (ulMaxObjectCount && !phObject)))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_search_next(call.session, phObject, ulMaxObjectCount, pulObjectCount);
	return p11_end(&call, rv);
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE hSession)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !call.session->search.active)
		rv = CKR_OPERATION_NOT_INITIALIZED;
	if (rv == CKR_OK)
		p11_search_end(&call.session->search);
	return p11_end(&call, rv);
}

CK_RV CA_DestroyMultipleObjects(CK_SESSION_HANDLE hSession, CK_ULONG ulObjectCount,
				CK_OBJECT_HANDLE_PTR phObjects, CK_ULONG_PTR pulFailedIndex)
{
	struct luna_object_arg head;
	struct p11_call call;
	CK_ULONG i;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK && (!phObjects || !ulObjectCount))
		rv = CKR_ARGUMENTS_BAD;
	for (i = 0; rv == CKR_OK && i < ulObjectCount; i++) {
		memset(&head, 0, sizeof(head));
		rv = object_call(call.session, LUNA_OBJECT_DESTROY, &head, phObjects[i], NULL);
		if (rv != CKR_OK && pulFailedIndex)
			*pulFailedIndex = i;
	}
	return p11_end(&call, rv);
}

CK_RV p11_object_by_ouid(struct p11_slot *slot, CK_BYTE *ouid, CK_ULONG *type, CK_ULONG *handle)
{
	CK_ATTRIBUTE template = { .type = CKA_OUID, .pValue = ouid, .ulValueLen = P11_OUID_LEN };
	struct p11_session *session;
	CK_OBJECT_HANDLE found;
	CK_ULONG count = 0;
	CK_RV rv;

	if (!ouid || !handle)
		return CKR_ARGUMENTS_BAD;
	rv = p11_session_temporary(slot, 0, &session);
	if (rv != CKR_OK)
		return rv;
	rv = p11_search_begin(session, &template, 1);
	if (rv == CKR_OK)
		rv = p11_search_next(session, &found, 1, &count);
	p11_session_end_temporary(session);
	if (rv == CKR_OK && !count)
		rv = CKR_OBJECT_HANDLE_INVALID;
	if (rv == CKR_OK) {
		*handle = found;
		if (type)
			*type = CK_CRYPTOKI_ELEMENT;
	}
	return rv;
}

CK_RV p11_object_ouid(struct p11_slot *slot, CK_ULONG type, CK_ULONG handle, CK_BYTE *ouid)
{
	CK_ATTRIBUTE template = { .type = CKA_OUID, .pValue = ouid, .ulValueLen = P11_OUID_LEN };
	struct p11_session *session;
	CK_RV rv;

	if (!ouid)
		return CKR_ARGUMENTS_BAD;
	if (type != CK_CRYPTOKI_ELEMENT)
		return CKR_OBJECT_TYPE_INVALID;
	rv = p11_session_temporary(slot, 0, &session);
	if (rv != CKR_OK)
		return rv;
	rv = object_attributes(session, handle, &template, 1);
	p11_session_end_temporary(session);
	/* Less would leave some of the caller's buffer as it was. */
	return rv == CKR_OK && template.ulValueLen != P11_OUID_LEN ? CKR_DEVICE_ERROR : rv;
}

CK_RV CA_GetObjectHandle(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_BYTE_PTR pOuid,
			 CK_ULONG_PTR pulObjectType, CK_ULONG_PTR pulObjectHandle)
{
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	if (rv == CKR_OK)
		rv = p11_object_by_ouid(call.slot, pOuid, pulObjectType, pulObjectHandle);
	return p11_end(&call, rv);
}

CK_RV CA_GetTokenObjectHandle(CK_SLOT_ID slotID, CK_BYTE_PTR pOuid, CK_ULONG_PTR pulObjectType,
			      CK_ULONG_PTR pulObjectHandle)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK)
		rv = p11_object_by_ouid(call.slot, pOuid, pulObjectType, pulObjectHandle);
	return p11_end(&call, rv);
}

CK_RV CA_GetObjectUID(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_ULONG ulObjectType,
		      CK_ULONG ulObjectHandle, CK_BYTE_PTR pOuid)
{
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	if (rv == CKR_OK)
		rv = p11_object_ouid(call.slot, ulObjectType, ulObjectHandle, pOuid);
	return p11_end(&call, rv);
}

CK_RV CA_GetTokenObjectUID(CK_SLOT_ID slotID, CK_ULONG ulObjectType, CK_ULONG ulObjectHandle,
			   CK_BYTE_PTR pOuid)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK)
		rv = p11_object_ouid(call.slot, ulObjectType, ulObjectHandle, pOuid);
	return p11_end(&call, rv);
}
