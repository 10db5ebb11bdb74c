// SPDX-License-Identifier: MIT
/*
 * Encodes the parameters of key derivation functions; see parameter.h.
 */
#include "parameter.h"

#include <string.h>

#include "transport.h"

/* More data parameters than any derivation has; the device knows how many it takes. */
#define FIELDS_MAX	64

/*
 * The length of the password: v2.40 made it a pointer in CK_PKCS5_PBKD2_PARAMS and a number in
 * CK_PKCS5_PBKD2_PARAMS2, of the same size; vendor clients store the number in either. No pointer is
 * as small as a length that could be sent: no program has data in its first two megabytes.
 */
static CK_ULONG password_len(CK_ULONG_PTR field)
{
	CK_ULONG len = (CK_ULONG)field;

	if (len > P11_INSIDE_MAX)
		memcpy(&len, field, sizeof(len));
	return len;
}

bool p11_encode_pbkd2(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_pbkd2_param to = { 0 };
	CK_PKCS5_PBKD2_PARAMS params;
	CK_ULONG pin_len;

	_Static_assert(sizeof(CK_PKCS5_PBKD2_PARAMS) == sizeof(CK_PKCS5_PBKD2_PARAMS2),
		       "they must be told apart by the last field");
	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	pin_len = password_len(params.ulPasswordLen);
	if (!p11_inside_ok(params.pSaltSourceData, params.ulSaltSourceDataLen) ||
	    !p11_inside_ok(params.pPassword, pin_len))
		return false;
	to.salt_source = p11_u32(params.saltSource);
	to.prf = p11_u32(params.prf);
	to.iterations = p11_u32(params.iterations);
	to.salt_len = (uint32_t)params.ulSaltSourceDataLen;
	to.password_len = (uint32_t)pin_len;
	to.prf_data_len = p11_u32(params.ulPrfDataLen);
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params.pSaltSourceData, params.ulSaltSourceDataLen);
	p11_buffer_put(bytes, params.pPassword, pin_len);
	return true;
}

bool p11_encode_hkdf(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_hkdf_param to = { 0 };
	CK_HKDF_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (params.ulSaltType != CKF_HKDF_SALT_DATA)
		params.ulSaltLen = 0;
	if (!p11_inside_ok(params.pSalt, params.ulSaltLen) ||
	    !p11_inside_ok(params.pInfo, params.ulInfoLen))
		return false;
	to.flags = (params.bExtract ? LUNA_HKDF_EXTRACT : 0) |
		   (params.bExpand ? LUNA_HKDF_EXPAND : 0);
	to.hash = p11_u32(params.prfHashMechanism);
	to.salt_type = p11_u32(params.ulSaltType);
	to.salt_key = params.ulSaltType == CKF_HKDF_SALT_KEY ? p11_u32(params.hSaltKey) : 0;
	to.salt_len = (uint32_t)params.ulSaltLen;
	to.info_len = (uint32_t)params.ulInfoLen;
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params.pSalt, params.ulSaltLen);
	p11_buffer_put(bytes, params.pInfo, params.ulInfoLen);
	return true;
}

/* ---- SP 800-108 ---- */

static bool encode_counter(struct luna_prf_field *to, const CK_PRF_DATA_PARAM *from)
{
	CK_SP800_108_COUNTER_FORMAT format;

	/* The iteration variable of some modes is no number. */
	if (!from->ulValueLen && to->type == CK_SP800_108_ITERATION_VARIABLE)
		return true;
	if (from->ulValueLen != sizeof(format) || !from->pValue)
		return false;
	memcpy(&format, from->pValue, sizeof(format));
	to->bits = p11_u32(format.ulWidthInBits);
	to->flags = format.bLittleEndian ? LUNA_PRF_LITTLE_ENDIAN : 0;
	return true;
}

static bool encode_length(struct luna_prf_field *to, const CK_PRF_DATA_PARAM *from)
{
	CK_SP800_108_DKM_LENGTH_FORMAT format;

	if (from->ulValueLen != sizeof(format) || !from->pValue)
		return false;
	memcpy(&format, from->pValue, sizeof(format));
	to->bits = p11_u32(format.ulWidthInBits);
	to->method = p11_u32(format.dkmLengthMethod);
	to->flags = format.bLittleEndian ? LUNA_PRF_LITTLE_ENDIAN : 0;
	return true;
}

static bool encode_field(struct p11_buffer *bytes, const CK_PRF_DATA_PARAM *from)
{
	struct luna_prf_field to = { .type = p11_u32(from->type) };
	const void *data = NULL;
	bool fits = true;

	if (from->type == CK_SP800_108_ITERATION_VARIABLE || from->type == CK_SP800_108_COUNTER) {
		fits = encode_counter(&to, from);
	} else if (from->type == CK_SP800_108_DKM_LENGTH) {
		fits = encode_length(&to, from);
	} else {
		fits = p11_inside_ok(from->pValue, from->ulValueLen);
		data = from->pValue;
		to.len = (uint32_t)from->ulValueLen;
	}
	p11_buffer_put(bytes, &to, sizeof(to));
	if (fits && data)
		p11_buffer_put(bytes, data, to.len);
	return fits;
}

/* Keys besides the one that is asked for are not offered. */
static bool encode_prf(struct p11_buffer *bytes, const CK_SP800_108_FEEDBACK_KDF_PARAMS *params)
{
	struct luna_sp800_108_param to = { 0 };
	CK_PRF_DATA_PARAM field;
	CK_ULONG i;

	if (params->ulAdditionalDerivedKeys || params->ulNumberOfDataParams > FIELDS_MAX ||
	    !params->pDataParams || !p11_inside_ok(params->pIV, params->ulIVLen))
		return false;
	to.prf = p11_u32(params->prfType);
	to.count = (uint32_t)params->ulNumberOfDataParams;
	to.iv_len = (uint32_t)params->ulIVLen;
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params->pIV, params->ulIVLen);
	for (i = 0; i < params->ulNumberOfDataParams; i++) {
		memcpy(&field, &params->pDataParams[i], sizeof(field));
		if (bytes->len > P11_INSIDE_MAX || !encode_field(bytes, &field))
			return false;
	}
	return bytes->len <= P11_INSIDE_MAX;
}

bool p11_encode_sp800_108(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_SP800_108_FEEDBACK_KDF_PARAMS all = { 0 };
	CK_SP800_108_KDF_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	all.prfType = params.prfType;
	all.ulNumberOfDataParams = params.ulNumberOfDataParams;
	all.pDataParams = params.pDataParams;
	all.ulAdditionalDerivedKeys = params.ulAdditionalDerivedKeys;
	return encode_prf(bytes, &all);
}

bool p11_encode_feedback(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_SP800_108_FEEDBACK_KDF_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	return encode_prf(bytes, &params);
}

bool p11_encode_prf_kdf(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_prf_kdf_param to = { 0 };
	CK_KDF_PRF_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (!p11_inside_ok(params.pLabel, params.ulLabelLen) ||
	    !p11_inside_ok(params.pContext, params.ulContextLen))
		return false;
	to.prf = p11_u32(params.prfType);
	to.scheme = p11_u32(params.ulEncodingScheme);
	to.counter = p11_u32(params.ulCounter);
	to.label_len = (uint32_t)params.ulLabelLen;
	to.context_len = (uint32_t)params.ulContextLen;
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params.pLabel, params.ulLabelLen);
	p11_buffer_put(bytes, params.pContext, params.ulContextLen);
	return true;
}
