// SPDX-License-Identifier: MIT
/*
 * The public headers, seen by a C++ program that defines the macros of the OASIS headers itself.
 */
#define CK_PTR *
#define CK_DECLARE_FUNCTION(returnType, name) returnType name
#define CK_DECLARE_FUNCTION_POINTER(returnType, name) returnType (*name)
#define CK_CALLBACK_FUNCTION(returnType, name) returnType (*name)
#define NULL_PTR nullptr

#include <cstddef>
#include <type_traits>

#include <luna/cryptoki_v2.h>

static_assert(std::is_same<CK_BYTE, unsigned char>::value, "CK_BYTE");
static_assert(std::is_same<CK_ULONG, unsigned long>::value, "CK_ULONG");
static_assert(sizeof(CK_ATTRIBUTE) == 3 * sizeof(CK_ULONG), "CK_ATTRIBUTE");
static_assert(sizeof(CK_MECHANISM) == 3 * sizeof(CK_ULONG), "CK_MECHANISM");
static_assert(sizeof(CK_FUNCTION_LIST) == 69 * sizeof(void *), "CK_FUNCTION_LIST");
static_assert(sizeof(CK_FUNCTION_LIST_3_0) == 93 * sizeof(void *), "CK_FUNCTION_LIST_3_0");
static_assert(sizeof(CK_SFNT_CA_FUNCTION_LIST) == 276 * sizeof(void *), "CA_ list");
static_assert(sizeof(CA_ROLE_STATE) == 4, "CA_ROLE_STATE");
static_assert(std::is_same<CK_C_Login, decltype(CK_FUNCTION_LIST::C_Login)>::value, "C_Login");
static_assert(std::is_same<decltype(&C_Login), CK_C_Login>::value, "C_Login's prototype");
static_assert(std::is_same<decltype(&CA_CloneObject), CK_CA_CloneObject>::value,
	      "CA_CloneObject's prototype");
static_assert(std::is_standard_layout<CK_ATTRIBUTE>::value, "CK_ATTRIBUTE");

namespace
{

CK_RV notify(CK_SESSION_HANDLE, CK_NOTIFICATION, CK_VOID_PTR)
{
	return CKR_OK;
}

bool spellings()
{
	CK_ATTRIBUTE attr = {};
	CK_MECHANISM mech = {};
	CK_RSA_PKCS_PSS_PARAMS pss = {};

	pss.sLen = 32;
	attr.ulValueLen = 5;
	mech.ulParameterLen = sizeof(pss);
#ifndef LUNA_OASIS_NAMES_ONLY
	return attr.usValueLen == 5 && mech.usParameterLen == sizeof(pss) && pss.usSaltLen == 32;
#else
	return attr.ulValueLen == 5 && mech.ulParameterLen == sizeof(pss) && pss.sLen == 32;
#endif
}

} /* namespace */

int main()
{
	CK_NOTIFY callback = notify;
	CK_C_INITIALIZE_ARGS args = {};

	args.flags = CKF_OS_LOCKING_OK;
	return !(spellings() && callback(0, CKN_SURRENDER, NULL_PTR) == CKR_OK && !args.pReserved);
}
