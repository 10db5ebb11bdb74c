// SPDX-License-Identifier: MIT
/* Every CA_ function that is not supported says so, and with it which are. */
#include "roles.h"

static const char *const supported[] = {
	"GetFunctionList", "WaitForSlotEvent", "ResetPIN", "InitRolePIN", "InitSlotRolePIN",
	"RoleStateGet", "OpenSession", "Restart", "RestartForContainer", "GetSessionInfo",
	"GetPrimarySlot", "CheckOperationState", "SessionCancel", "SetKCV", "SetCloningDomain",
	"SetMofN", "CloneAsSourceInit", "CloneAsTargetInit", "CloneAsSource", "CloneAsTarget",
	"CloneObject", "ClonePrivateKey", "CloneMofN", "MigrateKeys", "CloneAllObjectsToSession",
	"HAInit", "HAGetMasterPublic", "GetTokenCertificateInfo", "GetTokenCertificates",
	"HAGetLoginChallenge", "HAAnswerLoginChallenge", "HALogin", "HAAnswerMofNChallenge",
	"HAActivateMofN", "GenerateMofN", "GenerateCloneableMofN", "ModifyMofN", "ActivateMofN",
	"DeactivateMofN", "GetMofNStatus", "IsMofNEnabled", "IsMofNRequired",
	"GetTokenCapabilities", "GetTokenPolicies", "GetHSMCapabilitySet",
	"GetHSMCapabilitySetting", "GetHSMPolicySet", "GetHSMPolicySetting",
	"GetContainerCapabilitySet", "GetContainerCapabilitySetting", "GetContainerPolicySet",
	"GetContainerPolicySetting", "GetConfigurationElementDescription", "SetHSMPolicy",
	"SetHSMPolicies", "SetDestructiveHSMPolicy", "SetDestructiveHSMPolicies",
	"SetContainerPolicy", "SetContainerPolicies", "SetTokenPolicies", "GetFirmwareVersion",
	"GetCVFirmwareVersion", "GetUserContainerNumber", "GetUserContainerName",
	"GetContainerName", "GetContainerList", "GetTokenStatus", "GetContainerStatus",
	"GetHSMStorageInformation", "GetTokenStorageInformation",
	"GetContainerStorageInformation", "GetSlotIdForPhysicalSlot", "InitToken",
	"DestroyMultipleObjects", "GetObjectHandle", "GetTokenObjectHandle", "GetObjectUID",
	"GetTokenObjectUID",
	"OpenSessionWithAppID", "CloseApplicationID", "CloseApplicationIDForContainer",
	"OpenApplicationID", "OpenApplicationIDForContainer", "SetApplicationID",
	"RandomizeApplicationID", "GetApplicationID", "OpenApplicationIDV2",
	"CloseApplicationIDV2", "SetApplicationIDV2", "OpenSessionWithAppIDV2",
	"OpenApplicationIDForContainerV2", "CloseApplicationIDForContainerV2",
};

static const char *const names[] = {
#define LUNA_CA_FUNCTION(name, args) #name,
#include <luna/sfnt_functions.h>
};

/* As many arguments as any of them has; a stub looks at none. */
typedef CK_RV (*any_function)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
			      CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
			      CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
			      CK_ULONG, CK_ULONG, CK_ULONG);

static bool is_supported(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(supported); i++)
		if (!strcmp(supported[i], name))
			return true;
	return false;
}

void unsupported_functions(void **state)
{
	void **entries = (void **)ca + 1;
	size_t i, stubs = 0;
	any_function call;
	CK_RV rv;

	(void)state;
	assert_int_equal(COUNT(names), sizeof(*ca) / sizeof(void *) - 1);
	for (i = 0; i < COUNT(names); i++) {
		if (is_supported(names[i]))
			continue;
		stubs++;
		memcpy(&call, &entries[i], sizeof(call));
		rv = call(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
		if (rv != CKR_FUNCTION_NOT_SUPPORTED)
			fail_msg("CA_%s: %s", names[i], rv_name(rv));
	}
	assert_int_equal(stubs, COUNT(names) - COUNT(supported));
	assert_ok(p11->C_Finalize(NULL));
	assert_rv(ca->CA_ManualKCV(0), CKR_CRYPTOKI_NOT_INITIALIZED);
	suite_setup_bare(state);
}
