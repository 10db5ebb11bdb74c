/* SPDX-License-Identifier: MIT */
/*
 * The functions of this product's own, which the vendor's library does not have. One row each, as in
 * sfnt_functions.h: LUNA_OWN_FUNCTION(name without CA_, (parameters)); to be found by name, dlsym(3),
 * as the layout of CA_GetFunctionList()'s list is the vendor's. There is no include guard on purpose.
 */

/*
 * Who computes which algorithm on a slot: the rows, or their number with NULL. CKR_BUFFER_TOO_SMALL
 * tells it, too.
 */
LUNA_OWN_FUNCTION(GetAlgorithmProviders,
		  (CK_SLOT_ID slotID, CK_ALGORITHM_PROVIDER_PTR pProviders, CK_ULONG_PTR pulCount))

/*
 * Export and import of a token as an image. An image holds everything of a token: roles with their PINs, policies, objects, the cloning domain,
 * the HA login setup, M of N, label and serial number. It is sealed under the token's cloning domain;
 * whoever knows that and one of the PINs has all keys, extractable or not. What is in it:
 * lib/token/FORMAT.md.
 */

/*
 * Takes an image of the session's token as it is now, which the device keeps for this application
 * until it has been read, and returns its length. Others may go on working meanwhile. The crypto
 * officer does it, where every key may be cloned, and to any host: partition policies 0 and 4, HSM
 * policies 7 and 16.
 *
 * CKR_USER_NOT_LOGGED_IN, CKR_USER_NOT_AUTHORIZED, CKR_CLONING_PARAMETER_MISSING: the token has no
 * cloning domain; CKR_OPERATION_NOT_ALLOWED: a policy forbids it; CKR_DEVICE_MEMORY: it is larger than
 * what the device keeps for an application (192 MiB, with all else).
 */
LUNA_OWN_FUNCTION(TokenImageExport, (CK_SESSION_HANDLE hSession, CK_ULONG_PTR pulImageLen))

/*
 * Reads the next piece: *pulDataLen bytes at most, of which there were *pulDataLen, starting at
 * ulOffset, which is what was read before. The device forgets what was read.
 *
 * CKR_ARGUMENTS_BAD: no image was taken, or it is not read in order.
 */
LUNA_OWN_FUNCTION(TokenImageRead,
		    (CK_SESSION_HANDLE hSession, CK_ULONG ulOffset, CK_BYTE_PTR pData,
		     CK_ULONG_PTR pulDataLen))

/*
 * Sends the next piece of an image to a slot, where it waits for CA_TokenImageRestore. ulOffset is
 * what was sent before; 0 starts anew.
 */
LUNA_OWN_FUNCTION(TokenImageWrite,
		    (CK_SLOT_ID slotID, CK_ULONG ulOffset, CK_BYTE_PTR pData, CK_ULONG ulDataLen))

/*
 * Verifies the image that was sent, all of it, and then puts its token in the place of the slot's,
 * durably and in one step; or fails and leaves the slot as it was. The image is gone in either case.
 *
 * pSoPin: the SO PIN of the slot's token, if that is initialised; a wrong one counts. pDomain: the
 * cloning domain string of the image, empty for that of CA_SetCloningDomain. userType, pPin: a role of
 * the image and its PIN. pulDamagedAt: with CKR_DATA_INVALID set to the offset where the image is
 * damaged, 0 if it is none, or none that this product makes; may be NULL.
 *
 * CKR_SESSION_EXISTS: as for C_InitToken, no session may be open on the slot. CKR_PIN_INCORRECT,
 * CKR_PIN_LEN_RANGE: the SO PIN; CKR_UNWRAPPING_ERROR: another domain; CKR_SIM_AUTHORIZATION_FAILED:
 * pPin; CKR_USER_PIN_NOT_INITIALIZED, CKR_USER_LOCKED_OUT: the image's role; CKR_DATA_INVALID;
 * CKR_SIM_VERSION_UNSUPPORTED: a newer version; CKR_DEVICE_MEMORY; CKR_DEVICE_ERROR.
 */
LUNA_OWN_FUNCTION(TokenImageRestore,
		    (CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pSoPin, CK_ULONG ulSoPinLen,
		     CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen, CK_USER_TYPE userType,
		     CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen, CK_ULONG_PTR pulDamagedAt))

#undef LUNA_OWN_FUNCTION
