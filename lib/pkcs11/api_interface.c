// SPDX-License-Identifier: MIT
/*
 * The interfaces of the library, PKCS#11 v3.0, 5.3 (C_GetInterfaceList, C_GetInterface): v3.0 and,
 * for those who ask for it by version, v2.40, whose list is that of C_GetFunctionList.
 *
 * None of them is CKF_INTERFACE_FORK_SAFE, which would promise a forked child its parent's sessions
 * and logins: here the child starts from C_Initialize (library.h). There is none of the vendor's:
 * the product has its CA_ functions by name and through CA_GetFunctionList.
 *
 * Nothing here needs C_Initialize.
 */
#include <string.h>

#include "library.h"
#include "log.h"

/* Who came through v3.0 is told so; who has the old list, or the name, that it is v2.40. */
static CK_RV get_info_3_0(CK_INFO_PTR pInfo)
{
	CK_RV rv = C_GetInfo(pInfo);

	if (rv == CKR_OK) {
		pInfo->cryptokiVersion.major = 3;
		pInfo->cryptokiVersion.minor = 0;
	}
	return rv;
}

/* By position: the macros have the functions in the order of the list. */
#define MEMBER(name, args) name,
#define C_GetInfo get_info_3_0
static CK_FUNCTION_LIST_3_0 function_list_3_0 = {
	{ 3, 0 },
	LUNA_C_FUNCTIONS_2_40(MEMBER)
	LUNA_C_FUNCTIONS_3_0(MEMBER)
};
#undef C_GetInfo
#undef MEMBER

static CK_CHAR standard_name[] = "PKCS 11";

/* The first that fits is what a caller gets. Every list begins with its version. */
static CK_INTERFACE interfaces[] = {
	{ standard_name, &function_list_3_0, 0 },
	{ standard_name, &p11_function_list, 0 },
};

#define INTERFACES	(sizeof(interfaces) / sizeof(interfaces[0]))

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
	CK_ULONG room;

	if (!pulCount)
		return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_ARGUMENTS_BAD);
	room = *pulCount;
	*pulCount = INTERFACES;
	if (!pInterfacesList)
		return CKR_OK;
	if (room < INTERFACES)
		return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_BUFFER_TOO_SMALL);
	memcpy(pInterfacesList, interfaces, sizeof(interfaces));
	return CKR_OK;
}

static bool interface_fits(const CK_INTERFACE *interface, const CK_UTF8CHAR *name,
			   const CK_VERSION *version, CK_FLAGS flags)
{
	const CK_VERSION *own = interface->pFunctionList;

	if (name && strcmp((const char *)name, (const char *)interface->pInterfaceName))
		return false;
	if (version && (version->major != own->major || version->minor != own->minor))
		return false;
	return (flags & interface->flags) == flags;
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion,
		     CK_INTERFACE_PTR_PTR ppInterface, CK_FLAGS flags)
{
	size_t i;

	if (!ppInterface)
		return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_ARGUMENTS_BAD);
	for (i = 0; i < INTERFACES; i++) {
		if (interface_fits(&interfaces[i], pInterfaceName, pVersion, flags)) {
			*ppInterface = &interfaces[i];
			return CKR_OK;
		}
	}
	return p11_log_result(__func__, P11_LOG_NO_SLOT, CKR_FUNCTION_FAILED);
}
