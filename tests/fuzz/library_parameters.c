// SPDX-License-Identifier: MIT
/*
 * Parameters of mechanisms as a program gives them, with pointers inside. Every piece is memory of its
 * own and exactly as long as the parameter says, so that AddressSanitizer sees a byte too many.
 */
#include "library.h"

enum { PIECES = 32 };

static struct fuzz_in *input;
static void *pieces[PIECES];
static u32 used;

static void *piece(CK_ULONG len)
{
	fuzz_check(used < PIECES);
	pieces[used] = fuzz_alloc(len);
	return pieces[used++];
}

static void *data(CK_ULONG *len)
{
	size_t got;
	const u8 *bytes = fuzz_bytes(input, fuzz_u8(input), &got);
	void *copy = piece(got);

	if (got)
		memcpy(copy, bytes, got);
	*len = got;
	return copy;
}

/* Most often a small number, now and then one that no 32 bits hold. */
static CK_ULONG number(void)
{
	u8 value = fuzz_u8(input);

	return value == 255 ? (CK_ULONG)fuzz_u32(input) << 16 : value;
}

static CK_MECHANISM_TYPE hash(void)
{
	static const CK_MECHANISM_TYPE hashes[] = {
		CKM_SHA256, CKM_SHA_1, CKM_SHA384, CKM_SHA512, CKM_SHA3_256, CKM_SHA256_HMAC,
		CKM_AES_CMAC, CKM_DES3_CMAC,
	};
	u8 which = fuzz_u8(input);

	return which < ARRAY_SIZE(hashes) ? hashes[which] : fuzz_mechanism(which);
}

/* ---- ciphers and MACs ---- */

/* An IV, a number of MAC bytes or a bit: whatever is no struct. */
static void fill_plain(CK_MECHANISM *m)
{
	m->pParameter = data(&m->ulParameterLen);
}

#define TAKES(m, params)	((m)->ulParameterLen = sizeof(*(params)),	\
				 (m)->pParameter = (params) = piece(sizeof(*(params))))

static void fill_number(CK_MECHANISM *m)
{
	CK_ULONG *params;

	TAKES(m, params);
	*params = number();
}

static void fill_ctr(CK_MECHANISM *m)
{
	CK_AES_CTR_PARAMS *params;

	TAKES(m, params);
	params->ulCounterBits = number();
	memset(params->cb, fuzz_u8(input), sizeof(params->cb));
}

static void fill_des_ctr(CK_MECHANISM *m)
{
	CK_DES_CTR_PARAMS *params;

	TAKES(m, params);
	params->ulCounterBits = number();
	memset(params->cb, fuzz_u8(input), sizeof(params->cb));
}

static void fill_xts(CK_MECHANISM *m)
{
	CK_AES_XTS_PARAMS *params;

	TAKES(m, params);
	params->hTweakKey = number();
	memset(params->cb, fuzz_u8(input), sizeof(params->cb));
}

static void fill_gcm(CK_MECHANISM *m)
{
	CK_GCM_PARAMS *params;

	TAKES(m, params);
	params->pIv = data(&params->ulIvLen);
	params->ulIvBits = fuzz_u8(input) & 1 ? number() : params->ulIvLen * 8;
	params->pAAD = data(&params->ulAADLen);
	params->ulTagBits = fuzz_u8(input) & 1 ? number() : 128;
}

/* ---- RSA and curves ---- */

static void fill_oaep(CK_MECHANISM *m)
{
	CK_RSA_PKCS_OAEP_PARAMS *params;

	TAKES(m, params);
	params->hashAlg = hash();
	params->mgf = number();
	params->source = number();
	params->pSourceData = data(&params->ulSourceDataLen);
}

static void fill_rsa_aes(CK_MECHANISM *m)
{
	CK_RSA_AES_KEY_WRAP_PARAMS *params;
	CK_MECHANISM oaep;

	fill_oaep(&oaep);
	TAKES(m, params);
	params->ulAESKeyBits = fuzz_u8(input) & 1 ? number() : 256;
	params->pOAEPParams = fuzz_u8(input) == 255 ? NULL : oaep.pParameter;
}

static void fill_pss(CK_MECHANISM *m)
{
	CK_RSA_PKCS_PSS_PARAMS *params;

	TAKES(m, params);
	params->hashAlg = hash();
	params->mgf = number();
	params->sLen = number();
}

static void fill_ecdh(CK_MECHANISM *m)
{
	CK_ECDH1_DERIVE_PARAMS *params;

	TAKES(m, params);
	params->kdf = number();
	params->pSharedData = data(&params->ulSharedDataLen);
	params->pPublicData = data(&params->ulPublicDataLen);
}

static void fill_eddsa(CK_MECHANISM *m)
{
	CK_EDDSA_PARAMS *params;

	TAKES(m, params);
	params->phFlag = fuzz_u8(input);
	params->pContextData = data(&params->ulContextDataLen);
}

/* ---- derivation ---- */

static void fill_string(CK_MECHANISM *m)
{
	CK_KEY_DERIVATION_STRING_DATA *params;

	TAKES(m, params);
	params->pData = data(&params->ulLen);
}

static void fill_cbc_data(CK_MECHANISM *m)
{
	CK_AES_CBC_ENCRYPT_DATA_PARAMS *params;

	TAKES(m, params);
	memset(params->iv, fuzz_u8(input), sizeof(params->iv));
	params->pData = data(&params->length);
}

/* The length of the password is a number, or a pointer to one. */
static void fill_pbkd2(CK_MECHANISM *m)
{
	CK_PKCS5_PBKD2_PARAMS2 *params;
	CK_ULONG *len;

	TAKES(m, params);
	params->saltSource = number();
	params->pSaltSourceData = data(&params->ulSaltSourceDataLen);
	params->iterations = fuzz_u8(input);
	params->prf = number();
	params->ulPrfDataLen = fuzz_u8(input) == 255 ? number() : 0;
	params->pPassword = data(&params->ulPasswordLen);
	if (fuzz_u8(input) & 1) {
		len = piece(sizeof(*len));
		*len = params->ulPasswordLen;
		memcpy(&params->ulPasswordLen, &len, sizeof(len));
	}
}

static void fill_hkdf(CK_MECHANISM *m)
{
	static const CK_ULONG salts[] = {
		CKF_HKDF_SALT_NULL, CKF_HKDF_SALT_DATA, CKF_HKDF_SALT_KEY,
	};
	CK_HKDF_PARAMS *params;
	u8 how = fuzz_u8(input), salt = how >> 2 & 3;

	TAKES(m, params);
	params->bExtract = how & 1;
	params->bExpand = how >> 1 & 1;
	params->prfHashMechanism = hash();
	params->ulSaltType = salt < ARRAY_SIZE(salts) ? salts[salt] : number();
	params->pSalt = data(&params->ulSaltLen);
	params->hSaltKey = number();
	params->pInfo = data(&params->ulInfoLen);
}

static void fill_prf_kdf(CK_MECHANISM *m)
{
	CK_KDF_PRF_PARAMS *params;

	TAKES(m, params);
	params->prfType = number();
	params->pLabel = data(&params->ulLabelLen);
	params->pContext = data(&params->ulContextLen);
	params->ulCounter = number();
	params->ulEncodingScheme = number();
}

/* One of SP 800-108's data fields: the number of its kind decides what its value is. */
static void fill_field(CK_PRF_DATA_PARAM *field)
{
	CK_SP800_108_COUNTER_FORMAT *counter;
	CK_SP800_108_DKM_LENGTH_FORMAT *length;
	u8 how = fuzz_u8(input);

	field->type = how & 7;
	if (how & 0x80) {
		field->pValue = data(&field->ulValueLen);
	} else if (field->type == CK_SP800_108_DKM_LENGTH) {
		field->ulValueLen = sizeof(*length);
		field->pValue = length = piece(sizeof(*length));
		length->dkmLengthMethod = number();
		length->bLittleEndian = how >> 3 & 1;
		length->ulWidthInBits = number();
	} else {
		field->ulValueLen = sizeof(*counter);
		field->pValue = counter = piece(sizeof(*counter));
		counter->bLittleEndian = how >> 3 & 1;
		counter->ulWidthInBits = number();
	}
}

static CK_PRF_DATA_PARAM *fields(CK_ULONG *count)
{
	CK_PRF_DATA_PARAM *all;
	CK_ULONG i;

	*count = fuzz_u8(input) & 7;
	all = piece(*count * sizeof(*all));
	for (i = 0; i < *count; i++)
		fill_field(&all[i]);
	return all;
}

static void fill_sp800_108(CK_MECHANISM *m)
{
	CK_SP800_108_KDF_PARAMS *params;

	TAKES(m, params);
	params->prfType = hash();
	params->pDataParams = fields(&params->ulNumberOfDataParams);
}

static void fill_feedback(CK_MECHANISM *m)
{
	CK_SP800_108_FEEDBACK_KDF_PARAMS *params;

	TAKES(m, params);
	params->prfType = hash();
	params->pDataParams = fields(&params->ulNumberOfDataParams);
	params->pIV = data(&params->ulIVLen);
}

/* Numbers in the corpus: new ones go to the end. */
static const struct kind {
	CK_MECHANISM_TYPE mechanism;
	void (*fill)(CK_MECHANISM *m);
} kinds[] = {
	{ CKM_AES_CBC, fill_plain },
	{ CKM_AES_CMAC_GENERAL, fill_number },
	{ CKM_AES_CTR, fill_ctr },
	{ CKM_DES3_CTR, fill_des_ctr },
	{ CKM_AES_XTS, fill_xts },
	{ CKM_AES_GCM, fill_gcm },
	{ CKM_AES_GMAC, fill_gcm },
	{ CKM_RSA_PKCS_OAEP, fill_oaep },
	{ CKM_RSA_AES_KEY_WRAP, fill_rsa_aes },
	{ CKM_RSA_PKCS_PSS, fill_pss },
	{ CKM_ECDH1_DERIVE, fill_ecdh },
	{ CKM_EDDSA, fill_eddsa },
	{ CKM_CONCATENATE_BASE_AND_KEY, fill_number },
	{ CKM_EXTRACT_KEY_FROM_KEY, fill_number },
	{ CKM_CONCATENATE_BASE_AND_DATA, fill_string },
	{ CKM_AES_CBC_ENCRYPT_DATA, fill_cbc_data },
	{ CKM_PKCS5_PBKD2, fill_pbkd2 },
	{ CKM_HKDF_DERIVE, fill_hkdf },
	{ CKM_PRF_KDF, fill_prf_kdf },
	{ CKM_SP800_108_COUNTER_KDF, fill_sp800_108 },
	{ CKM_SP800_108_FEEDBACK_KDF, fill_feedback },
	{ CKM_SP800_108_DOUBLE_PIPELINE_KDF, fill_sp800_108 },
	{ CKM_HKDF_DATA, fill_hkdf },
	{ CKM_NIST_PRF_KDF, fill_prf_kdf },
	{ CKM_AES_ECB_ENCRYPT_DATA, fill_string },
	{ CKM_CONCATENATE_DATA_AND_BASE, fill_string },
	{ CKM_XOR_BASE_AND_DATA, fill_string },
	{ CKM_ECDH1_COFACTOR_DERIVE, fill_ecdh },
	{ CKM_SHA256_RSA_PKCS_PSS, fill_pss },
	{ CKM_SHA256_HMAC_GENERAL, fill_number },
	{ CKM_SHAKE_128, fill_number },
	{ CKM_AES_KWP, fill_plain },
	{ CKM_DES3_CBC_PAD, fill_plain },
	{ CKM_AES_XTS, fill_plain },
};

void fuzz_parameter(struct fuzz_in *in, CK_MECHANISM *m)
{
	const struct kind *kind = &kinds[fuzz_u8(in) % ARRAY_SIZE(kinds)];

	input = in;
	m->mechanism = kind->mechanism;
	kind->fill(m);
}

void fuzz_parameter_end(void)
{
	while (used)
		free(pieces[--used]);
}

u32 fuzz_parameter_kinds(void)
{
	return ARRAY_SIZE(kinds);
}
