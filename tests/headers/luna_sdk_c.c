// SPDX-License-Identifier: MIT
/*
 * The public headers, seen by a C program: layouts against the vendor's on LP64, and both
 * spellings of the fields that have two. Builds also with LUNA_OASIS_NAMES_ONLY.
 */
#include <stddef.h>

#include <luna/sfnt_extensions.h>

#define SIZE(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), "sizeof(" #type ")")
#define AT(type, field, offset) \
	_Static_assert(offsetof(type, field) == (offset), "offsetof(" #type ", " #field ")")

#ifdef __LP64__

SIZE(CK_BBOOL, 1);
SIZE(CK_ULONG, 8);
SIZE(CK_USHORT, 8);

SIZE(CK_VERSION, 2);
SIZE(CK_DATE, 8);

SIZE(CK_INFO, 88);
AT(CK_INFO, flags, 40);
AT(CK_INFO, libraryDescription, 48);
AT(CK_INFO, libraryVersion, 80);

SIZE(CK_SLOT_INFO, 112);
AT(CK_SLOT_INFO, flags, 96);
AT(CK_SLOT_INFO, firmwareVersion, 106);

SIZE(CK_TOKEN_INFO, 208);
AT(CK_TOKEN_INFO, serialNumber, 80);
AT(CK_TOKEN_INFO, flags, 96);
AT(CK_TOKEN_INFO, ulMaxSessionCount, 104);
AT(CK_TOKEN_INFO, ulMinPinLen, 144);
AT(CK_TOKEN_INFO, ulFreePrivateMemory, 176);
AT(CK_TOKEN_INFO, hardwareVersion, 184);
AT(CK_TOKEN_INFO, utcTime, 188);

SIZE(CK_SESSION_INFO, 32);
SIZE(CK_MECHANISM_INFO, 24);

SIZE(CK_ATTRIBUTE, 24);
AT(CK_ATTRIBUTE, pValue, 8);
AT(CK_ATTRIBUTE, ulValueLen, 16);

SIZE(CK_MECHANISM, 24);
AT(CK_MECHANISM, pParameter, 8);
AT(CK_MECHANISM, ulParameterLen, 16);

SIZE(CK_C_INITIALIZE_ARGS, 48);
AT(CK_C_INITIALIZE_ARGS, flags, 32);
AT(CK_C_INITIALIZE_ARGS, pReserved, 40);

SIZE(CK_AES_GCM_PARAMS, 48);
AT(CK_AES_GCM_PARAMS, pIv, 0);
AT(CK_AES_GCM_PARAMS, ulIvLen, 8);
AT(CK_AES_GCM_PARAMS, ulIvBits, 16);
AT(CK_AES_GCM_PARAMS, pAAD, 24);
AT(CK_AES_GCM_PARAMS, ulAADLen, 32);
AT(CK_AES_GCM_PARAMS, ulTagBits, 40);
SIZE(CK_AES_GMAC_PARAMS, 48);
SIZE(CK_GCM_PARAMS, 48);
SIZE(CK_CCM_PARAMS, 48);

SIZE(CK_AES_CTR_PARAMS, 24);
AT(CK_AES_CTR_PARAMS, cb, 8);
SIZE(CK_ARIA_CTR_PARAMS, 24);
SIZE(CK_SEED_CTR_PARAMS, 24);
SIZE(CK_CAMELLIA_CTR_PARAMS, 24);
SIZE(CK_DES_CTR_PARAMS, 16);
AT(CK_DES_CTR_PARAMS, cb, 8);

SIZE(CK_AES_XTS_PARAMS, 24);
AT(CK_AES_XTS_PARAMS, cb, 8);

SIZE(CK_RSA_PKCS_OAEP_PARAMS, 40);
AT(CK_RSA_PKCS_OAEP_PARAMS, mgf, 8);
AT(CK_RSA_PKCS_OAEP_PARAMS, source, 16);
AT(CK_RSA_PKCS_OAEP_PARAMS, pSourceData, 24);
AT(CK_RSA_PKCS_OAEP_PARAMS, ulSourceDataLen, 32);
SIZE(CK_RSA_PKCS_PSS_PARAMS, 24);
AT(CK_RSA_PKCS_PSS_PARAMS, sLen, 16);

SIZE(CK_ECDH1_DERIVE_PARAMS, 40);
AT(CK_ECDH1_DERIVE_PARAMS, ulSharedDataLen, 8);
AT(CK_ECDH1_DERIVE_PARAMS, pSharedData, 16);
AT(CK_ECDH1_DERIVE_PARAMS, ulPublicDataLen, 24);
AT(CK_ECDH1_DERIVE_PARAMS, pPublicData, 32);

SIZE(CK_ECIES_PARAMS, 88);
AT(CK_ECIES_PARAMS, kdf, 8);
AT(CK_ECIES_PARAMS, ulSharedDataLen1, 16);
AT(CK_ECIES_PARAMS, pSharedData1, 24);
AT(CK_ECIES_PARAMS, encScheme, 32);
AT(CK_ECIES_PARAMS, ulEncKeyLenInBits, 40);
AT(CK_ECIES_PARAMS, macScheme, 48);
AT(CK_ECIES_PARAMS, ulMacKeyLenInBits, 56);
AT(CK_ECIES_PARAMS, ulMacLenInBits, 64);
AT(CK_ECIES_PARAMS, ulSharedDataLen2, 72);
AT(CK_ECIES_PARAMS, pSharedData2, 80);

SIZE(CK_EDDSA_PARAMS, 24);
AT(CK_EDDSA_PARAMS, ulContextDataLen, 8);
AT(CK_EDDSA_PARAMS, pContextData, 16);

SIZE(CK_PKCS5_PBKD2_PARAMS, 72);
AT(CK_PKCS5_PBKD2_PARAMS, pSaltSourceData, 8);
AT(CK_PKCS5_PBKD2_PARAMS, ulSaltSourceDataLen, 16);
AT(CK_PKCS5_PBKD2_PARAMS, iterations, 24);
AT(CK_PKCS5_PBKD2_PARAMS, prf, 32);
AT(CK_PKCS5_PBKD2_PARAMS, pPrfData, 40);
AT(CK_PKCS5_PBKD2_PARAMS, ulPrfDataLen, 48);
AT(CK_PKCS5_PBKD2_PARAMS, pPassword, 56);
AT(CK_PKCS5_PBKD2_PARAMS, ulPasswordLen, 64);
SIZE(CK_PKCS5_PBKD2_PARAMS2, 72);
AT(CK_PKCS5_PBKD2_PARAMS2, ulPasswordLen, 64);

SIZE(CK_KDF_PRF_PARAMS, 56);
AT(CK_KDF_PRF_PARAMS, pLabel, 8);
AT(CK_KDF_PRF_PARAMS, ulLabelLen, 16);
AT(CK_KDF_PRF_PARAMS, pContext, 24);
AT(CK_KDF_PRF_PARAMS, ulContextLen, 32);
AT(CK_KDF_PRF_PARAMS, ulCounter, 40);
AT(CK_KDF_PRF_PARAMS, ulEncodingScheme, 48);
SIZE(CK_PRF_KDF_PARAMS, 56);

SIZE(CK_SHAKE_PARAMS, 8);
SIZE(CK_SHA_HMAC_GENERAL_PARAMS, 8);
SIZE(CK_MAC_GENERAL_PARAMS, 8);

SIZE(CK_AES_CBC_ENCRYPT_DATA_PARAMS, 32);
AT(CK_AES_CBC_ENCRYPT_DATA_PARAMS, pData, 16);
AT(CK_AES_CBC_ENCRYPT_DATA_PARAMS, length, 24);
SIZE(CK_DES_CBC_ENCRYPT_DATA_PARAMS, 24);
AT(CK_DES_CBC_ENCRYPT_DATA_PARAMS, pData, 8);
AT(CK_DES_CBC_ENCRYPT_DATA_PARAMS, length, 16);

SIZE(CK_XOR_BASE_DATA_KDF_PARAMS, 24);
AT(CK_XOR_BASE_DATA_KDF_PARAMS, ulSharedDataLen, 8);
AT(CK_XOR_BASE_DATA_KDF_PARAMS, pSharedData, 16);

SIZE(CK_KEY_STATUS, 4);
AT(CK_KEY_STATUS, failedAuthCountLimit, 1);

SIZE(CA_ROLE_STATE, 4);
AT(CA_ROLE_STATE, loginAttemptsLeft, 1);
AT(CA_ROLE_STATE, primaryAuthMech, 2);
AT(CA_ROLE_STATE, secondaryAuthMech, 3);

SIZE(CA_MOFN_GENERATION, 24);
AT(CA_MOFN_GENERATION, pVector, 8);
AT(CA_MOFN_GENERATION, ulVectorLen, 16);
SIZE(CA_MOFN_ACTIVATION, 16);
AT(CA_MOFN_ACTIVATION, ulVectorLen, 8);
SIZE(CA_MOFN_STATUS, 40);
SIZE(CA_M_OF_N_STATUS, 40);
AT(CA_MOFN_STATUS, ulM, 8);
AT(CA_MOFN_STATUS, ulN, 16);
AT(CA_MOFN_STATUS, ulSecretSize, 24);
AT(CA_MOFN_STATUS, ulFlag, 32);

SIZE(CK_POLICY_INFO, 32);
AT(CK_POLICY_INFO, ulValue, 8);
AT(CK_POLICY_INFO, ulOffToOnDestructive, 16);
AT(CK_POLICY_INFO, ulOnToOffDestructive, 24);

SIZE(CK_HA_MEMBER, 32);
AT(CK_HA_MEMBER, memberStatus, 24);
SIZE(CK_HA_STATUS, 1056);
AT(CK_HA_STATUS, memberList, 24);
AT(CK_HA_STATUS, listSize, 1048);
SIZE(CK_HA_STATUS_V1, 528);

SIZE(CK_CLUSTER_STATE, 320);
AT(CK_CLUSTER_STATE, ulMemberStatus, 256);

SIZE(CK_UTILIZATION_COUNTER, 104);
AT(CK_UTILIZATION_COUNTER, label, 8);
AT(CK_UTILIZATION_COUNTER, ulBindId, 80);
AT(CK_UTILIZATION_COUNTER, ulCounterId, 88);
AT(CK_UTILIZATION_COUNTER, ullCount, 96);

SIZE(CK_OBJECT_MIGRATION_DATA, 32);
AT(CK_OBJECT_MIGRATION_DATA, sourceHandle, 8);
AT(CK_OBJECT_MIGRATION_DATA, targetHandle, 16);
AT(CK_OBJECT_MIGRATION_DATA, rv, 24);

SIZE(CK_CPV4_EXTRACT_PARAMS, 88);
AT(CK_CPV4_EXTRACT_PARAMS, sessionOuid, 24);
AT(CK_CPV4_EXTRACT_PARAMS, extractionFlags, 32);
AT(CK_CPV4_EXTRACT_PARAMS, objectType, 48);
AT(CK_CPV4_EXTRACT_PARAMS, objectHandle, 56);
AT(CK_CPV4_EXTRACT_PARAMS, result, 64);
AT(CK_CPV4_EXTRACT_PARAMS, keyBlobLen, 72);
AT(CK_CPV4_EXTRACT_PARAMS, keyBlob, 80);
SIZE(CK_CPV4_INSERT_PARAMS, 96);
AT(CK_CPV4_INSERT_PARAMS, objectType, 48);
AT(CK_CPV4_INSERT_PARAMS, storageType, 56);
AT(CK_CPV4_INSERT_PARAMS, keyBlobLen, 64);
AT(CK_CPV4_INSERT_PARAMS, keyBlob, 72);
AT(CK_CPV4_INSERT_PARAMS, result, 80);
AT(CK_CPV4_INSERT_PARAMS, objectHandle, 88);

SIZE(CK_AES_CBC_PAD_EXTRACT_PARAMS, 72);
AT(CK_AES_CBC_PAD_EXTRACT_PARAMS, pulBufferLen, 32);
AT(CK_AES_CBC_PAD_EXTRACT_PARAMS, ctxID, 64);
SIZE(CK_AES_CBC_PAD_INSERT_PARAMS, 88);
AT(CK_AES_CBC_PAD_INSERT_PARAMS, pulHandle, 40);
AT(CK_AES_CBC_PAD_INSERT_PARAMS, ulContainerNumber, 80);

SIZE(CK_BIP32_MASTER_DERIVE_PARAMS, 48);
AT(CK_BIP32_MASTER_DERIVE_PARAMS, hPublicKey, 32);
SIZE(CK_BIP32_CHILD_DERIVE_PARAMS, 72);
AT(CK_BIP32_CHILD_DERIVE_PARAMS, pulPath, 32);
AT(CK_BIP32_CHILD_DERIVE_PARAMS, hPublicKey, 48);
AT(CK_BIP32_CHILD_DERIVE_PARAMS, ulPathErrorIndex, 64);

SIZE(CK_APPLICATION_ID, 16);
SIZE(HSM_STATS_PARAMS, 24);
SIZE(CK_LKM_TOKEN_ID, 20);
SIZE(CKCA_MODULE_INFO, 80);
SIZE(CK_ALGORITHM_PROVIDER, 192);

SIZE(CK_SIGN_ADDITIONAL_CONTEXT, 24);
AT(CK_SIGN_ADDITIONAL_CONTEXT, pContext, 8);
AT(CK_SIGN_ADDITIONAL_CONTEXT, ulContextLen, 16);
SIZE(CK_HASH_SIGN_ADDITIONAL_CONTEXT, 32);
AT(CK_HASH_SIGN_ADDITIONAL_CONTEXT, hash, 24);

SIZE(CK_INTERFACE, 24);
SIZE(CK_GCM_MESSAGE_PARAMS, 48);
SIZE(CK_CCM_MESSAGE_PARAMS, 56);

/* version, padding, then pointer n at 8 * n */
SIZE(CK_FUNCTION_LIST, 552);
AT(CK_FUNCTION_LIST, C_Initialize, 8);
AT(CK_FUNCTION_LIST, C_GetFunctionList, 32);
AT(CK_FUNCTION_LIST, C_OpenSession, 104);
AT(CK_FUNCTION_LIST, C_Login, 152);
AT(CK_FUNCTION_LIST, C_Encrypt, 248);
AT(CK_FUNCTION_LIST, C_Sign, 352);
AT(CK_FUNCTION_LIST, C_DeriveKey, 504);
AT(CK_FUNCTION_LIST, C_WaitForSlotEvent, 544);
SIZE(CK_FUNCTION_LIST_3_0, 744);
AT(CK_FUNCTION_LIST_3_0, C_WaitForSlotEvent, 544);
AT(CK_FUNCTION_LIST_3_0, C_GetInterfaceList, 552);
AT(CK_FUNCTION_LIST_3_0, C_MessageVerifyFinal, 736);

AT(CK_SFNT_CA_FUNCTION_LIST, CA_GetFunctionList, 8);
AT(CK_SFNT_CA_FUNCTION_LIST, CA_ReadUtilizationMetrics, 8 * 32);
AT(CK_SFNT_CA_FUNCTION_LIST, CA_SIMExtract, 8 * 145);
AT(CK_SFNT_CA_FUNCTION_LIST, CA_GetFirmwareVersion, 8 * 241);
SIZE(CK_SFNT_CA_FUNCTION_LIST, 8 * 276);

#endif /* __LP64__ */

#ifndef LUNA_OASIS_NAMES_ONLY
/* One field each: the two names are one place. */
#define SAME(type, one, other) \
	_Static_assert(offsetof(type, one) == offsetof(type, other), #one " is not " #other)

SAME(CK_ATTRIBUTE, ulValueLen, usValueLen);
SAME(CK_MECHANISM, ulParameterLen, usParameterLen);
SAME(CK_OTP_PARAM, ulValueLen, usValueLen);
SAME(CK_SESSION_INFO, ulDeviceError, usDeviceError);
SAME(CK_TOKEN_INFO, ulMaxSessionCount, usMaxSessionCount);
SAME(CK_TOKEN_INFO, ulSessionCount, usSessionCount);
SAME(CK_TOKEN_INFO, ulMaxRwSessionCount, usMaxRwSessionCount);
SAME(CK_TOKEN_INFO, ulRwSessionCount, usRwSessionCount);
SAME(CK_TOKEN_INFO, ulMaxPinLen, usMaxPinLen);
SAME(CK_TOKEN_INFO, ulMinPinLen, usMinPinLen);
SAME(CK_RSA_PKCS_PSS_PARAMS, sLen, usSaltLen);
SAME(CK_RSA_PKCS_PSS_PARAMS, sLen, ulSaltLen);
SAME(CK_RC2_CBC_PARAMS, ulEffectiveBits, usEffectiveBits);
SAME(CK_RC2_MAC_GENERAL_PARAMS, ulEffectiveBits, usEffectiveBits);
SAME(CK_PBE_PARAMS, ulPasswordLen, usPasswordLen);
SAME(CK_PBE_PARAMS, ulSaltLen, usSaltLen);
SAME(CK_PBE_PARAMS, ulIteration, usIteration);
SAME(CK_PKCS5_PBKD2_PARAMS, ulSaltSourceDataLen, usSaltSourceDataLen);
SAME(CK_PKCS5_PBKD2_PARAMS, ulPrfDataLen, usPrfDataLen);
SAME(CK_PKCS5_PBKD2_PARAMS, ulPasswordLen, usPasswordLen);
SAME(CK_SKIPJACK_PRIVATE_WRAP_PARAMS, ulPasswordLen, usPasswordLen);

static int vendor_spelling(void)
{
	CK_RSA_PKCS_PSS_PARAMS pss = {
		.hashAlg = CKM_SHA256, .mgf = CKG_MGF1_SHA256, .usSaltLen = 32,
	};
	CK_MECHANISM mech = {
		.mechanism = CKM_SHA256_RSA_PKCS_PSS, .pParameter = &pss,
		.usParameterLen = sizeof(pss),
	};
	CK_ATTRIBUTE attr = { .type = CKA_LABEL, .pValue = NULL_PTR, .usValueLen = 5 };
	CK_PKCS5_PBKD2_PARAMS kdf = { .saltSource = CKZ_SALT_SPECIFIED, .usPasswordLen = 8 };

	return pss.sLen == 32 && mech.ulParameterLen == sizeof(pss) && attr.ulValueLen == 5 &&
	       kdf.ulPasswordLen == (CK_ULONG_PTR)8;
}
#else
static int vendor_spelling(void)
{
	return 1;
}
#endif

static int oasis_spelling(void)
{
	CK_RSA_PKCS_PSS_PARAMS pss = { .hashAlg = CKM_SHA_1, .mgf = CKG_MGF1_SHA1, .sLen = 20 };
	CK_MECHANISM mech = {
		.mechanism = CKM_RSA_PKCS_PSS, .pParameter = &pss, .ulParameterLen = sizeof(pss),
	};
	CK_ATTRIBUTE attr = { .type = CKA_LABEL, .pValue = NULL_PTR, .ulValueLen = 5 };
	CK_PKCS5_PBKD2_PARAMS kdf = { .ulPasswordLen = (CK_ULONG_PTR)8 };

	return mech.ulParameterLen == sizeof(pss) && attr.ulValueLen == 5 &&
	       (CK_ULONG)kdf.ulPasswordLen == 8;
}

/* The aliases that clients use name the same types. */
static int same_types(void)
{
	CK_SFNT_CA_FUNCTION_LIST_PTR_PTR list = (SFNT_CA_FUNCTION_LIST_PTR_PTR)NULL_PTR;
	CA_MOFN_STATUS_PTR mofn = (CA_M_OF_N_STATUS *)NULL_PTR;
	HA_STATE_PTR ha = (CK_HA_STATE_PTR)NULL_PTR;
	CLUSTER_STATE_PTR cluster = (CK_CLUSTER_STATE *)NULL_PTR;
	POLICY_INFO_PTR policy = (CK_POLICY_INFO *)NULL_PTR;
	OBJECT_MIGRATION_DATA_PTR migration = (CK_OBJECT_MIGRATION_DATA *)NULL_PTR;
	UTILIZATION_COUNTER_PTR counter = (CK_UTILIZATION_COUNTER *)NULL_PTR;
	LKM_TOKEN_ID_PTR lkm = (CK_LKM_TOKEN_ID *)NULL_PTR;

	return !list && !mofn && !ha && !cluster && !policy && !migration && !counter && !lkm;
}

/* A client's use of the lists: never called, but it has to compile. */
CK_RV use_lists(CK_FUNCTION_LIST_PTR p11, CK_SFNT_CA_FUNCTION_LIST *sfnt,
		CK_SESSION_HANDLE session);

CK_RV use_lists(CK_FUNCTION_LIST_PTR p11, CK_SFNT_CA_FUNCTION_LIST *sfnt,
		CK_SESSION_HANDLE session)
{
	CK_C_GetFunctionList C_GetFunctionList = p11->C_GetFunctionList;
	CK_CA_GetFunctionList CA_GetFunctionList = sfnt->CA_GetFunctionList;
	CK_ULONG len = 0, destructive, restricted, bits;
	CK_RV rv;

	rv = C_GetFunctionList(&p11);
	if (rv == CKR_OK)
		rv = CA_GetFunctionList(&sfnt);
	if (rv == CKR_OK)
		rv = p11->C_Initialize(NULL_PTR);
	if (rv == CKR_OK)
		rv = sfnt->CA_SIMExtract(session, 0, NULL_PTR, 0, 0, CKA_SIM_NO_AUTHORIZATION,
					 NULL_PTR, NULL_PTR, CK_TRUE, &len, NULL_PTR);
	if (rv == CKR_OK)
		rv = sfnt->CA_GetConfigurationElementDescription(0, 1, 0,
			CONTAINER_CONFIG_PRIVATE_KEY_CLONING, &bits, &destructive, &restricted,
			NULL_PTR, &len);
	return rv;
}

int main(void)
{
	return !(vendor_spelling() && oasis_spelling() && same_types());
}
