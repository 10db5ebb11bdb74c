// SPDX-License-Identifier: MIT
/*
 * Key management functions of PKCS#11.
 */
#include "library.h"
#include "mechanism.h"
#include "template.h"
#include "transport.h"

/*
 * A key command in the making: the payload is the parameter, one or two templates, and data, in
 * that order. Everything is copied before the session is looked up (see p11_parameter_init()).
 */
struct key_request {
	struct p11_call call;
	struct p11_parameter parameter;
	struct p11_buffer templates;
	struct luna_key head;
	struct p11_request request;
	CK_RV copied;
};

static CK_RV key_begin(struct key_request *key, const char *function, CK_SESSION_HANDLE handle,
		       unsigned int command, const CK_MECHANISM *mechanism)
{
	CK_RV rv;

	key->copied = p11_parameter_init(&key->parameter, mechanism);
	p11_buffer_init(&key->templates);
	key->request.command = command;
	key->request.head = &key->head.hdr;
	key->request.size = sizeof(key->head);
	rv = p11_begin_session(&key->call, function, handle);
	return rv == CKR_OK ? key->copied : rv;
}

/* Appends a template; @len gets its length for the head. */
static CK_RV key_template(struct key_request *key, const CK_ATTRIBUTE *template, CK_ULONG count,
			  uint32_t *len)
{
	size_t before = key->templates.len;
	CK_RV rv = p11_template_encode(&key->templates, template, count);

	*len = (uint32_t)(key->templates.len - before);
	return rv;
}

static CK_RV key_send(struct key_request *key)
{
	struct p11_request *request = &key->request;

	key->head.mechanism = key->parameter.mechanism;
	key->head.param_len = key->parameter.len;
	if (key->parameter.len != LUNA_PARAM_MALFORMED) {
		request->in[0].data = key->parameter.bytes.data;
		request->in[0].len = key->parameter.len;
	}
	request->in[1].data = key->templates.data;
	request->in[1].len = key->templates.len;
	return p11_session_call(key->call.session, request);
}

static CK_RV key_end(struct key_request *key, CK_RV rv)
{
	p11_parameter_free(&key->parameter);
	p11_buffer_free(&key->templates);
	return p11_end(&key->call, rv);
}

CK_RV C_GenerateKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
		    CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount, CK_OBJECT_HANDLE_PTR phKey)
{
	struct key_request key = { 0 };
	CK_RV rv = key_begin(&key, __func__, hSession, LUNA_GENERATE_KEY, pMechanism);

	if (rv == CKR_OK && !phKey)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = key_template(&key, pTemplate, ulCount, &key.head.template_len);
	if (rv == CKR_OK)
		rv = key_send(&key);
	if (rv == CKR_OK)
		*phKey = key.head.handle;
	return key_end(&key, rv);
}

CK_RV C_GenerateKeyPair(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
			CK_ATTRIBUTE_PTR pPublicKeyTemplate, CK_ULONG ulPublicKeyAttributeCount,
			CK_ATTRIBUTE_PTR pPrivateKeyTemplate, CK_ULONG ulPrivateKeyAttributeCount,
			CK_OBJECT_HANDLE_PTR phPublicKey, CK_OBJECT_HANDLE_PTR phPrivateKey)
{
	struct key_request key = { 0 };
	CK_RV rv = key_begin(&key, __func__, hSession, LUNA_GENERATE_PAIR, pMechanism);

	if (rv == CKR_OK && (!phPublicKey || !phPrivateKey))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = key_template(&key, pPublicKeyTemplate, ulPublicKeyAttributeCount,
				  &key.head.template_len);
	if (rv == CKR_OK)
		rv = key_template(&key, pPrivateKeyTemplate, ulPrivateKeyAttributeCount,
				  &key.head.template2_len);
	if (rv == CKR_OK)
		rv = key_send(&key);
	if (rv == CKR_OK) {
		*phPublicKey = key.head.handle;
		*phPrivateKey = key.head.handle2;
	}
	return key_end(&key, rv);
}

CK_RV C_WrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
		CK_OBJECT_HANDLE hWrappingKey, CK_OBJECT_HANDLE hKey, CK_BYTE_PTR pWrappedKey,
		CK_ULONG_PTR pulWrappedKeyLen)
{
	struct key_request key = { 0 };
	CK_RV rv = key_begin(&key, __func__, hSession, LUNA_WRAP, pMechanism);

	if (rv == CKR_OK && !pulWrappedKeyLen)
		rv = CKR_ARGUMENTS_BAD;
	if (rv != CKR_OK)
		return key_end(&key, rv);
	key.head.key = p11_u32(hWrappingKey);
	key.head.target = p11_u32(hKey);
	key.head.out_max = LUNA_OUT_QUERY;
	if (pWrappedKey) {
		key.head.out_max = *pulWrappedKeyLen < LUNA_OUT_QUERY ?
				   (uint32_t)*pulWrappedKeyLen : LUNA_OUT_QUERY - 1;
		key.request.out = pWrappedKey;
		key.request.out_max = *pulWrappedKeyLen;
		key.request.out_hint = 4096;
	}
	rv = key_send(&key);
	rv = p11_output_length(rv, &key.request, pWrappedKey, key.head.out_need, pulWrappedKeyLen);
	return key_end(&key, rv);
}

CK_RV C_UnwrapKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
		  CK_OBJECT_HANDLE hUnwrappingKey, CK_BYTE_PTR pWrappedKey,
		  CK_ULONG ulWrappedKeyLen, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount,
		  CK_OBJECT_HANDLE_PTR phKey)
{
	struct key_request key = { 0 };
	CK_RV rv = key_begin(&key, __func__, hSession, LUNA_UNWRAP, pMechanism);

	if (rv == CKR_OK && (!phKey || (ulWrappedKeyLen && !pWrappedKey)))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && ulWrappedKeyLen > LUNA_STAGE_MAX)
		rv = CKR_WRAPPED_KEY_LEN_RANGE;
	if (rv == CKR_OK)
		rv = key_template(&key, pTemplate, ulAttributeCount, &key.head.template_len);
	if (rv == CKR_OK) {
		key.head.key = p11_u32(hUnwrappingKey);
		key.head.data_len = (uint32_t)ulWrappedKeyLen;
		key.request.in[2].data = pWrappedKey;
		key.request.in[2].len = ulWrappedKeyLen;
		rv = key_send(&key);
	}
	if (rv == CKR_OK)
		*phKey = key.head.handle;
	return key_end(&key, rv);
}

CK_RV C_DeriveKey(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
		  CK_OBJECT_HANDLE hBaseKey, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulAttributeCount,
		  CK_OBJECT_HANDLE_PTR phKey)
{
	struct key_request key = { 0 };
	CK_RV rv = key_begin(&key, __func__, hSession, LUNA_DERIVE, pMechanism);

	if (rv == CKR_OK && !phKey)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = key_template(&key, pTemplate, ulAttributeCount, &key.head.template_len);
	if (rv == CKR_OK) {
		key.head.key = p11_u32(hBaseKey);
		rv = key_send(&key);
	}
	if (rv == CKR_OK)
		*phKey = key.head.handle;
	return key_end(&key, rv);
}
