// SPDX-License-Identifier: MIT
/*
 * Encodes the parameters of derivations; see parameter.h.
 */
#include "parameter.h"

#include <string.h>

#include "transport.h"

/* CK_OBJECT_HANDLE: CKM_CONCATENATE_BASE_AND_KEY */
bool p11_encode_key(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_key_param to = { 0 };
	CK_OBJECT_HANDLE key;

	if (len != sizeof(key))
		return false;
	memcpy(&key, from, sizeof(key));
	to.key = p11_u32(key);
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

bool p11_encode_string(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_KEY_DERIVATION_STRING_DATA params;

	if (len != sizeof(params))
		return false;
	memcpy(&params, from, sizeof(params));
	if (!p11_inside_ok(params.pData, params.ulLen))
		return false;
	p11_buffer_put(bytes, params.pData, params.ulLen);
	return true;
}

bool p11_encode_extract(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_extract_param to = { 0 };
	CK_EXTRACT_PARAMS bit;

	if (len != sizeof(bit))
		return false;
	memcpy(&bit, from, sizeof(bit));
	to.bit = p11_u32(bit);
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

bool p11_encode_cbc_data(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_AES_CBC_ENCRYPT_DATA_PARAMS params;

	if (len != sizeof(params))
		return false;
	memcpy(&params, from, sizeof(params));
	if (!p11_inside_ok(params.pData, params.length))
		return false;
	p11_buffer_put(bytes, params.iv, sizeof(params.iv));
	p11_buffer_put(bytes, params.pData, params.length);
	return true;
}
