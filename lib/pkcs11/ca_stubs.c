// SPDX-License-Identifier: MIT
/*
 * All CA_ names. The vendor's interface has some 280 functions, and clients look for many by name
 * at start, whether they call them or not: so every one is exported.
 *
 * Each gets a weak definition here, generated from the table, that says
 * CKR_FUNCTION_NOT_SUPPORTED. Whatever the product has is an ordinary function in another file of
 * this library (ca_*.c, api_*.c, library.c), which takes its weak namesake's place when the
 * library is linked. Nothing lists which those are.
 */
#include "library.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

#define LUNA_CA_FUNCTION(name, args) \
	__attribute__((weak)) CK_RV CA_##name args \
	{ \
		return p11_unsupported("CA_" #name); \
	}
#include <luna/sfnt_functions.h>
