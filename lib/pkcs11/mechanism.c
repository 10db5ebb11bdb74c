// SPDX-License-Identifier: MIT
/*
 * Encodes mechanism parameters; see mechanism.h.
 */
#include "mechanism.h"

#include <stdbool.h>
#include <string.h>

#include <uapi/luna.h>

#include "parameter.h"
#include "transport.h"

/* Longest IV of any mechanism that takes one raw; the device knows the right length. */
#define IV_MAX	64

/* CK_GCM_PARAMS as v2.40 first had it, without ulIvBits; some clients still have this one. */
struct gcm_params_without_bits {
	CK_BYTE_PTR pIv;
	CK_ULONG ulIvLen;
	CK_BYTE_PTR pAAD;
	CK_ULONG ulAADLen;
	CK_ULONG ulTagBits;
};

bool p11_inside_ok(const void *data, CK_ULONG len)
{
	return (data || !len) && len <= P11_INSIDE_MAX;
}

static bool encode_iv(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	if (len > IV_MAX)
		return false;
	p11_buffer_put(bytes, from, len);
	return true;
}

/* The number of the data unit, or what the vendor has instead */
static bool encode_xts(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_xts_param to = { 0 };
	CK_AES_XTS_PARAMS params;

	if (len == sizeof(to.unit)) {
		memcpy(to.unit, from, len);
	} else if (len == sizeof(params)) {
		memcpy(&params, from, sizeof(params));
		to.tweak_key = p11_u32(params.hTweakKey);
		if (!to.tweak_key)
			return false;
		memcpy(to.unit, params.cb, sizeof(to.unit));
	} else {
		return false;
	}
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

static bool encode_ctr(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_ctr_param to = { 0 };
	CK_AES_CTR_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	to.counter_bits = p11_u32(params.ulCounterBits);
	memcpy(to.cb, params.cb, sizeof(to.cb));
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

/* Vendor: the same with half a counter block */
static bool encode_des_ctr(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_ctr_param to = { 0 };
	CK_DES_CTR_PARAMS params;

	if (len != sizeof(params))
		return false;
	memcpy(&params, from, sizeof(params));
	to.counter_bits = p11_u32(params.ulCounterBits);
	memcpy(to.cb, params.cb, sizeof(params.cb));
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

static bool encode_gcm(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct gcm_params_without_bits old;
	CK_GCM_PARAMS params = { 0 };
	struct luna_gcm_param to;

	if (len == sizeof(params)) {
		memcpy(&params, from, sizeof(params));
	} else if (len == sizeof(old)) {
		memcpy(&old, from, sizeof(old));
		params.pIv = old.pIv;
		params.ulIvLen = old.ulIvLen;
		params.ulIvBits = old.ulIvLen * 8;
		params.pAAD = old.pAAD;
		params.ulAADLen = old.ulAADLen;
		params.ulTagBits = old.ulTagBits;
	} else {
		return false;
	}
	if (!p11_inside_ok(params.pIv, params.ulIvLen) ||
	    !p11_inside_ok(params.pAAD, params.ulAADLen))
		return false;
	to.iv_len = (uint32_t)params.ulIvLen;
	to.iv_bits = p11_u32(params.ulIvBits);
	to.aad_len = (uint32_t)params.ulAADLen;
	to.tag_bits = p11_u32(params.ulTagBits);
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params.pIv, params.ulIvLen);
	p11_buffer_put(bytes, params.pAAD, params.ulAADLen);
	return true;
}

/*
 * CKM_AES_GMAC: up to v3.0 an IV of 12 bytes and nothing else, for a tag of 16; later, and for the
 * vendor, CK_GCM_PARAMS.
 */
static bool encode_gmac(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_GCM_PARAMS params = { .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128 };

	if (len != params.ulIvLen)
		return encode_gcm(bytes, from, len);
	params.pIv = (CK_BYTE_PTR)from;
	return encode_gcm(bytes, &params, sizeof(params));
}

static bool encode_oaep(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	CK_RSA_PKCS_OAEP_PARAMS params;
	struct luna_oaep_param to;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (!p11_inside_ok(params.pSourceData, params.ulSourceDataLen))
		return false;
	to.hash = p11_u32(params.hashAlg);
	to.mgf = p11_u32(params.mgf);
	to.source = p11_u32(params.source);
	to.source_len = (uint32_t)params.ulSourceDataLen;
	p11_buffer_put(bytes, &to, sizeof(to));
	p11_buffer_put(bytes, params.pSourceData, params.ulSourceDataLen);
	return true;
}

static bool encode_rsa_aes(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_rsa_aes_param to = { 0 };
	CK_RSA_AES_KEY_WRAP_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	if (!params.pOAEPParams)
		return false;
	to.aes_bits = p11_u32(params.ulAESKeyBits);
	p11_buffer_put(bytes, &to, sizeof(to));
	return encode_oaep(bytes, params.pOAEPParams, sizeof(*params.pOAEPParams));
}

static bool encode_pss(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_pss_param to = { 0 };
	CK_RSA_PKCS_PSS_PARAMS params;

	if (!p11_parameter_take(&params, sizeof(params), from, len))
		return false;
	to.hash = p11_u32(params.hashAlg);
	to.mgf = p11_u32(params.mgf);
	to.salt_len = p11_u32(params.sLen);
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

static bool encode_mac(struct p11_buffer *bytes, const void *from, CK_ULONG len)
{
	struct luna_mac_param to = { 0 };
	CK_MAC_GENERAL_PARAMS mac_len;

	if (!p11_parameter_take(&mac_len, sizeof(mac_len), from, len))
		return false;
	to.mac_len = p11_u32(mac_len);
	p11_buffer_put(bytes, &to, sizeof(to));
	return true;
}

#define IV(mechanism)	{ mechanism, encode_iv, 0 }
#define GCM(mechanism)	{ mechanism, encode_gcm, sizeof(struct luna_gcm_param) }
#define PSS(mechanism)	{ mechanism, encode_pss, sizeof(struct luna_pss_param) }
#define MAC(mechanism)	{ mechanism, encode_mac, sizeof(struct luna_mac_param) }
#define DERIVE(mechanism, encode)	{ mechanism, encode, 0 }

/* Mechanisms that have a parameter; all others take none. */
static const struct parameter_row {
	CK_MECHANISM_TYPE mechanism;
	bool (*encode)(struct p11_buffer *bytes, const void *from, CK_ULONG len);
	uint32_t shape_len;
} parameter_rows[] = {
	IV(CKM_AES_CBC),
	IV(CKM_AES_CBC_PAD),
	IV(CKM_AES_KW),
	IV(CKM_AES_KWP),
	IV(CKM_AES_KEY_WRAP),
	IV(CKM_AES_KEY_WRAP_PAD),
	IV(CKM_AES_KEY_WRAP_KWP),
	{ CKM_AES_XTS, encode_xts, sizeof(uint64_t) },
	{ CKM_AES_XTS_OLD, encode_xts, sizeof(uint64_t) },
	IV(CKM_DES3_CBC),
	IV(CKM_DES3_CBC_PAD),
	{ CKM_AES_CTR, encode_ctr, sizeof(uint32_t) },
	{ CKM_DES3_CTR, encode_des_ctr, sizeof(uint32_t) },
	GCM(CKM_AES_GCM),
	GCM(CKM_AES_GCM_2_20a5d1),
	{ CKM_AES_GMAC, encode_gmac, sizeof(struct luna_gcm_param) },
	{ CKM_AES_GMAC_OLD, encode_gmac, sizeof(struct luna_gcm_param) },
	{ CKM_RSA_PKCS_OAEP, encode_oaep, sizeof(struct luna_oaep_param) },
	{ CKM_RSA_AES_KEY_WRAP, encode_rsa_aes, 0 },
	PSS(CKM_RSA_PKCS_PSS),
	PSS(CKM_SHA1_RSA_PKCS_PSS),
	PSS(CKM_SHA224_RSA_PKCS_PSS),
	PSS(CKM_SHA224_RSA_PKCS_PSS_OLD),
	PSS(CKM_SHA256_RSA_PKCS_PSS),
	PSS(CKM_SHA384_RSA_PKCS_PSS),
	PSS(CKM_SHA512_RSA_PKCS_PSS),
	PSS(CKM_SHA3_224_RSA_PKCS_PSS),
	PSS(CKM_SHA3_256_RSA_PKCS_PSS),
	PSS(CKM_SHA3_384_RSA_PKCS_PSS),
	PSS(CKM_SHA3_512_RSA_PKCS_PSS),
	{ CKM_ECDH1_DERIVE, p11_encode_ecdh, 0 },
	{ CKM_ECDH1_COFACTOR_DERIVE, p11_encode_ecdh, 0 },
	{ CKM_EDDSA, p11_encode_eddsa, sizeof(struct luna_eddsa_param) },
	{ CKM_EDDSA_OLD, p11_encode_eddsa, sizeof(struct luna_eddsa_param) },
	MAC(CKM_SHA_1_HMAC_GENERAL),
	MAC(CKM_SHA224_HMAC_GENERAL),
	MAC(CKM_SHA224_HMAC_GENERAL_OLD),
	MAC(CKM_SHA256_HMAC_GENERAL),
	MAC(CKM_SHA384_HMAC_GENERAL),
	MAC(CKM_SHA512_HMAC_GENERAL),
	MAC(CKM_SHA3_224_HMAC_GENERAL),
	MAC(CKM_SHA3_256_HMAC_GENERAL),
	MAC(CKM_SHA3_384_HMAC_GENERAL),
	MAC(CKM_SHA3_512_HMAC_GENERAL),
	MAC(CKM_AES_CMAC_GENERAL),
	MAC(CKM_AES_CMAC_GENERAL_OLD),
	MAC(CKM_AES_MAC_GENERAL),
	MAC(CKM_DES3_MAC_GENERAL),
	MAC(CKM_DES3_CMAC_GENERAL),
	/* CK_SHAKE_PARAMS is a length, too. */
	MAC(CKM_SHAKE_128),
	MAC(CKM_SHAKE_256),
	DERIVE(CKM_CONCATENATE_BASE_AND_KEY, p11_encode_key),
	DERIVE(CKM_CONCATENATE_BASE_AND_DATA, p11_encode_string),
	DERIVE(CKM_CONCATENATE_DATA_AND_BASE, p11_encode_string),
	DERIVE(CKM_XOR_BASE_AND_DATA, p11_encode_string),
	DERIVE(CKM_EXTRACT_KEY_FROM_KEY, p11_encode_extract),
	DERIVE(CKM_CONCATENATE_BASE_AND_KEY_OLD_XXX, p11_encode_key),
	DERIVE(CKM_CONCATENATE_BASE_AND_DATA_OLD_XXX, p11_encode_string),
	DERIVE(CKM_CONCATENATE_DATA_AND_BASE_OLD_XXX, p11_encode_string),
	DERIVE(CKM_XOR_BASE_AND_DATA_OLD_XXX, p11_encode_string),
	DERIVE(CKM_EXTRACT_KEY_FROM_KEY_OLD_XXX, p11_encode_extract),
	DERIVE(CKM_AES_ECB_ENCRYPT_DATA, p11_encode_string),
	DERIVE(CKM_AES_CBC_ENCRYPT_DATA, p11_encode_cbc_data),
	DERIVE(CKM_PKCS5_PBKD2, p11_encode_pbkd2),
	DERIVE(CKM_HKDF_DERIVE, p11_encode_hkdf),
	DERIVE(CKM_HKDF_DATA, p11_encode_hkdf),
	DERIVE(CKM_SP800_108_COUNTER_KDF, p11_encode_sp800_108),
	DERIVE(CKM_SP800_108_FEEDBACK_KDF, p11_encode_feedback),
	DERIVE(CKM_SP800_108_DOUBLE_PIPELINE_KDF, p11_encode_sp800_108),
	DERIVE(CKM_NIST_PRF_KDF, p11_encode_prf_kdf),
	DERIVE(CKM_PRF_KDF, p11_encode_prf_kdf),
};

static const struct parameter_row *parameter_row(CK_MECHANISM_TYPE mechanism)
{
	size_t i;

	for (i = 0; i < sizeof(parameter_rows) / sizeof(parameter_rows[0]); i++)
		if (parameter_rows[i].mechanism == mechanism)
			return &parameter_rows[i];
	return NULL;
}

CK_RV p11_parameter_init(struct p11_parameter *parameter, const CK_MECHANISM *mechanism)
{
	const struct parameter_row *row;

	p11_buffer_init(&parameter->bytes);
	parameter->len = 0;
	parameter->shape_len = 0;
	if (!mechanism)
		return CKR_ARGUMENTS_BAD;
	parameter->mechanism = p11_u32(mechanism->mechanism);
	if (!mechanism->ulParameterLen)
		return CKR_OK;
	row = parameter_row(mechanism->mechanism);
	if (!row || !mechanism->pParameter ||
	    !row->encode(&parameter->bytes, mechanism->pParameter, mechanism->ulParameterLen)) {
		parameter->len = LUNA_PARAM_MALFORMED;
		return CKR_OK;
	}
	if (parameter->bytes.failed)
		return CKR_HOST_MEMORY;
	parameter->len = (uint32_t)parameter->bytes.len;
	parameter->shape_len = row->shape_len;
	return CKR_OK;
}

void p11_parameter_free(struct p11_parameter *parameter)
{
	p11_buffer_free(&parameter->bytes);
}
