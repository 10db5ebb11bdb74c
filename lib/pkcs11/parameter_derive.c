// SPDX-License-Identifier: MIT
/*
 * Encodes the parameters of derivations; see parameter.h.
 */
#include "parameter.h"

#include "transport.h"

/* CK_OBJECT_HANDLE: CKM_CONCATENATE_BASE_AND_KEY */
bool p11_encode_key(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_key_param to = { 0 };
	CK_OBJECT_HANDLE key;

	if (!p11_parameter_take(&key, sizeof(key), from, len))
		return false;
	to.key = p11_u32(key);
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

bool p11_encode_string(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_KEY_DERIVATION_STRING_DATA params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (!p11_inside_ok(params.pData, params.ulLen))
		return false;
	p11_buffer_put(bytes, params.pData, params.ulLen);
	return true;
}

bool p11_encode_extract(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_extract_param to = { 0 };
	CK_EXTRACT_PARAMS bit;

	if (!p11_parameter_take(&bit, sizeof(bit), from, len))
		return false;
	to.bit = p11_u32(bit);
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

bool p11_encode_cbc_data(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_AES_CBC_ENCRYPT_DATA_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (!p11_inside_ok(params.pData, params.length))
		return false;
	p11_buffer_put(bytes, params.iv, sizeof(params.iv));
	p11_buffer_put(bytes, params.pData, params.length);
	return true;
}
