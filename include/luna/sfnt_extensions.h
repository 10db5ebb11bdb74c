/* SPDX-License-Identifier: MIT */
/*
 * The vendor's extensions of PKCS#11: structures and CA_ functions. The functions themselves are
 * listed in sfnt_functions.h.
 *
 * Structures have natural alignment. Names exist with and without the CK_ prefix where clients
 * use both.
 */
#ifndef LUNA_SFNT_EXTENSIONS_H
#define LUNA_SFNT_EXTENSIONS_H

#include "cryptoki_v2.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Access ids, roles, policies */

typedef struct CK_APPLICATION_ID {
	CK_BYTE id[16];
} CK_APPLICATION_ID;
typedef CK_APPLICATION_ID CK_PTR CK_APPLICATION_ID_PTR;

/* CA_RoleStateGet: flags are CAF_ROLE_STATE_*, mechanisms are CKA_ROLE_AUTH_* */
typedef struct CA_ROLE_STATE {
	CK_BYTE flags;
	CK_BYTE loginAttemptsLeft;
	CK_BYTE primaryAuthMech;
	CK_BYTE secondaryAuthMech;
} CA_ROLE_STATE;
typedef CA_ROLE_STATE CK_PTR CA_ROLE_STATE_PTR;

typedef struct CK_POLICY_INFO {
	CK_ULONG ulId;
	CK_ULONG ulValue;
	CK_ULONG ulOffToOnDestructive;
	CK_ULONG ulOnToOffDestructive;
} CK_POLICY_INFO;
typedef CK_POLICY_INFO CK_PTR CK_POLICY_INFO_PTR;
typedef CK_POLICY_INFO POLICY_INFO;
typedef CK_POLICY_INFO_PTR POLICY_INFO_PTR;

/* Value of CKA_KEY_STATUS: flags are CK_KEY_STATUS_F_* */
typedef struct CK_KEY_STATUS {
	CK_BYTE flags;
	CK_BYTE failedAuthCountLimit;
	CK_BYTE reserved1;
	CK_BYTE reserved2;
} CK_KEY_STATUS;
typedef CK_KEY_STATUS CK_PTR CK_KEY_STATUS_PTR;

/* M of N */

typedef struct CA_MOFN_GENERATION {
	CK_ULONG ulWeight;
	CK_BYTE_PTR pVector;
	CK_ULONG ulVectorLen;
} CA_MOFN_GENERATION;
typedef CA_MOFN_GENERATION CK_PTR CA_MOFN_GENERATION_PTR;

typedef struct CA_MOFN_ACTIVATION {
	CK_BYTE_PTR pVector;
	CK_ULONG ulVectorLen;
} CA_MOFN_ACTIVATION;
typedef CA_MOFN_ACTIVATION CK_PTR CA_MOFN_ACTIVATION_PTR;

/* CA_GetMofNStatus: the flag is CAF_M_OF_N_* */
typedef struct CA_M_OF_N_STATUS {
	CK_ULONG ulID;
	CK_ULONG ulM;
	CK_ULONG ulN;
	CK_ULONG ulSecretSize;
	CK_ULONG ulFlag;
} CA_M_OF_N_STATUS;
typedef CA_M_OF_N_STATUS CK_PTR CA_M_OF_N_STATUS_PTR;
typedef CA_M_OF_N_STATUS CA_MOFN_STATUS;
typedef CA_M_OF_N_STATUS_PTR CA_MOFN_STATUS_PTR;

/* Cloning, migration, SIM */

typedef struct CK_OBJECT_MIGRATION_DATA {
	CK_ULONG objectType;
	CK_OBJECT_HANDLE sourceHandle;
	CK_OBJECT_HANDLE targetHandle;
	CK_RV rv;
} CK_OBJECT_MIGRATION_DATA;
typedef CK_OBJECT_MIGRATION_DATA CK_PTR CK_OBJECT_MIGRATION_DATA_PTR;
typedef CK_OBJECT_MIGRATION_DATA OBJECT_MIGRATION_DATA;
typedef CK_OBJECT_MIGRATION_DATA_PTR OBJECT_MIGRATION_DATA_PTR;

typedef CK_ULONG CKA_SIM_AUTH_FORM;

typedef struct CK_LKM_TOKEN_ID_S {
	CK_BYTE id[20];
} CK_LKM_TOKEN_ID;
typedef CK_LKM_TOKEN_ID CK_PTR CK_LKM_TOKEN_ID_PTR;
typedef CK_LKM_TOKEN_ID LKM_TOKEN_ID;
typedef CK_LKM_TOKEN_ID_PTR LKM_TOKEN_ID_PTR;

/* High availability and clusters */

typedef struct CK_HA_MEMBER {
	CK_CHAR memberSerial[20];
	CK_RV memberStatus;
} CK_HA_MEMBER;
typedef CK_HA_MEMBER CK_PTR CK_HA_MEMBER_PTR;

typedef struct CK_HA_STATUS {
	CK_CHAR groupSerial[20];
	CK_HA_MEMBER memberList[CK_HA_MAX_MEMBERS];
	CK_ULONG listSize;
} CK_HA_STATUS;
typedef CK_HA_STATUS CK_PTR CK_HA_STATE_PTR;
typedef CK_HA_STATUS CK_PTR CK_HA_STATUS_PTR;
typedef CK_HA_STATE_PTR HA_STATE_PTR;

/* What older clients pass to CA_GetHAState */
typedef struct CK_HA_MEMBER_V1 {
	CK_ULONG memberSerial;
	CK_RV memberStatus;
} CK_HA_MEMBER_V1;

typedef struct CK_HA_STATUS_V1 {
	CK_ULONG groupSerial;
	CK_HA_MEMBER_V1 memberList[CK_HA_MAX_MEMBERS];
	CK_ULONG listSize;
} CK_HA_STATUS_V1;

typedef struct CK_CLUSTER_STATE {
	CK_BYTE bMembers[CK_MAX_CLUSTER_MEMBERS][32];
	CK_ULONG ulMemberStatus[CK_MAX_CLUSTER_MEMBERS];
} CK_CLUSTER_STATE;
typedef CK_CLUSTER_STATE CK_PTR CK_CLUSTER_STATE_PTR;
typedef CK_CLUSTER_STATE CLUSTER_STATE;
typedef CK_CLUSTER_STATE_PTR CLUSTER_STATE_PTR;

/* Statistics */

typedef struct HSM_STATS_PARAMS {
	CK_ULONG ulId;
	CK_ULONG ulHighValue;
	CK_ULONG ulLowValue;
} HSM_STATS_PARAMS;
typedef HSM_STATS_PARAMS CK_PTR HSM_STATS_PARAMS_PTR;
typedef HSM_STATS_PARAMS CK_HSM_STATS_PARAMS;
typedef HSM_STATS_PARAMS_PTR CK_HSM_STATS_PARAMS_PTR;

typedef struct CK_UTILIZATION_COUNTER {
	CK_ULONGLONG ullSerialNumber;
	CK_CHAR label[66];
	CK_ULONG ulBindId;
	CK_ULONG ulCounterId;
	CK_ULONGLONG ullCount;
} CK_UTILIZATION_COUNTER;
typedef CK_UTILIZATION_COUNTER CK_PTR CK_UTILIZATION_COUNTER_PTR;
typedef CK_UTILIZATION_COUNTER UTILIZATION_COUNTER;
typedef CK_UTILIZATION_COUNTER_PTR UTILIZATION_COUNTER_PTR;

/* Removable tokens and loadable modules */

typedef struct CT_Token CT_Token;
typedef CT_Token CK_PTR CT_TokenHndle;

typedef CK_ULONG CKCA_MODULE_ID;
typedef CKCA_MODULE_ID CK_PTR CKCA_MODULE_ID_PTR;

typedef struct CKCA_MODULE_INFO {
	CK_ULONG ulModuleSize;
	CK_CHAR developerName[32];
	CK_CHAR moduleDescription[32];
	CK_VERSION moduleVersion;
} CKCA_MODULE_INFO;
typedef CKCA_MODULE_INFO CK_PTR CKCA_MODULE_INFO_PTR;

/*
 * Ours. CA_GetAlgorithmProviders: one row for each algorithm that the device computes; NUL-terminated
 * texts. The provider is a library or the kernel, the implementation a name that it has there, or "".
 */
typedef struct CK_ALGORITHM_PROVIDER {
	CK_CHAR algorithm[32];
	CK_CHAR provider[32];
	CK_CHAR implementation[128];
} CK_ALGORITHM_PROVIDER;
typedef CK_ALGORITHM_PROVIDER CK_PTR CK_ALGORITHM_PROVIDER_PTR;

/* Functions */

typedef struct CK_SFNT_CA_FUNCTION_LIST CK_SFNT_CA_FUNCTION_LIST;
typedef CK_SFNT_CA_FUNCTION_LIST CK_PTR CK_SFNT_CA_FUNCTION_LIST_PTR;
typedef CK_SFNT_CA_FUNCTION_LIST_PTR CK_PTR CK_SFNT_CA_FUNCTION_LIST_PTR_PTR;
typedef CK_SFNT_CA_FUNCTION_LIST SFNT_CA_FUNCTION_LIST;
typedef CK_SFNT_CA_FUNCTION_LIST_PTR SFNT_CA_FUNCTION_LIST_PTR;
typedef CK_SFNT_CA_FUNCTION_LIST_PTR_PTR SFNT_CA_FUNCTION_LIST_PTR_PTR;

#define LUNA_CA_FUNCTION(name, args) CK_RV CK_ENTRY CA_##name args;
#include "sfnt_functions.h"

#define LUNA_CA_FUNCTION(name, args) typedef CK_RV (CK_ENTRY CK_PTR CK_CA_##name) args;
#include "sfnt_functions.h"

struct CK_SFNT_CA_FUNCTION_LIST {
	CK_VERSION version;
#define LUNA_CA_FUNCTION(name, args) CK_CA_##name CA_##name;
#include "sfnt_functions.h"
};

/* Functions that only this product has; not in the list above, whose layout is the vendor's */
#define LUNA_OWN_FUNCTION(name, args) \
	CK_RV CK_ENTRY CA_##name args; \
	typedef CK_RV (CK_ENTRY CK_PTR CK_CA_##name) args;
#include "luna_functions.h"

/* Not a CA_ function: number of the HSM behind a slot */
CK_RV CK_ENTRY CT_HsmIdFromSlotId(CK_SLOT_ID slotID, unsigned int CK_PTR pHsmID);
typedef CK_RV (CK_ENTRY CK_PTR CK_CT_HsmIdFromSlotId)(CK_SLOT_ID slotID,
						      unsigned int CK_PTR pHsmID);

#ifdef __cplusplus
}
#endif

#endif /* LUNA_SFNT_EXTENSIONS_H */
