// SPDX-License-Identifier: MIT
/*
 * The list of all CA_ functions, for clients that call through it.
 */
#include <luna/cryptoki_v2.h>

static CK_SFNT_CA_FUNCTION_LIST ca_function_list = {
	.version = { CRYPTOKI_VERSION_MAJOR, CRYPTOKI_VERSION_MINOR },
#define LUNA_CA_FUNCTION(name, args) .CA_##name = CA_##name,
#include <luna/sfnt_functions.h>
};

CK_RV CA_GetFunctionList(CK_SFNT_CA_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
	if (!ppFunctionList)
		return CKR_ARGUMENTS_BAD;
	*ppFunctionList = &ca_function_list;
	return CKR_OK;
}
