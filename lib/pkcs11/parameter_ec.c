// SPDX-License-Identifier: MIT
/*
 * Encodes the parameters of elliptic curve mechanisms; see parameter.h.
 */
#include "parameter.h"

#include <uapi/luna.h>

#include "transport.h"

bool p11_encode_ecdh(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_ecdh_param to = { 0 };
	CK_ECDH1_DERIVE_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (!p11_inside_ok(params.pSharedData, params.ulSharedDataLen) ||
	    !p11_inside_ok(params.pPublicData, params.ulPublicDataLen))
		return false;
	to.kdf = p11_u32(params.kdf);
	to.shared_len = (uint32_t)params.ulSharedDataLen;
	to.public_len = (uint32_t)params.ulPublicDataLen;
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params.pSharedData, params.ulSharedDataLen);
	p11_buffer_put(bytes, params.pPublicData, params.ulPublicDataLen);
	return true;
}

bool p11_encode_eddsa(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_eddsa_param to;
	CK_EDDSA_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (!p11_inside_ok(params.pContextData, params.ulContextDataLen))
		return false;
	to.prehash = !!params.phFlag;
	to.context_len = (uint32_t)params.ulContextDataLen;
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params.pContextData, params.ulContextDataLen);
	return true;
}
