// SPDX-License-Identifier: MIT
/*
 * HA indirect login: the calls of spec/ha-indirect-login-v1.txt. What is in the blobs is between
 * the tokens.
 */
#include "blob.h"
#include "library.h"
#include "pin.h"

CK_RV CA_HAInit(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hLoginKey)
{
	struct p11_blob blob = {
		.command = LUNA_HA_INIT,
		.head.handle = p11_u32(hLoginKey),
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, NULL, NULL);
	return p11_end(&call, rv);
}

static CK_RV ha_certificate(const char *function, CK_SLOT_ID slot, CK_ULONG type,
			    CK_BYTE *certificate, CK_ULONG *len)
{
	struct p11_blob blob = { .command = LUNA_HA_MASTER_PUBLIC };
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, function, slot);

	if (rv == CKR_OK && !len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && type != CKHSC_CERT_TYPE_TWC)
		rv = CKR_CERTIFICATE_DATA_MISSING;
	if (rv == CKR_OK)
		rv = p11_blob_call(NULL, call.slot, &blob, certificate, len);
	return p11_end(&call, rv);
}

CK_RV CA_HAGetMasterPublic(CK_SLOT_ID slotID, CK_BYTE_PTR pCertificate,
			   CK_ULONG_PTR pulCertificateLen)
{
	return ha_certificate(__func__, slotID, CKHSC_CERT_TYPE_TWC, pCertificate,
			      pulCertificateLen);
}

CK_RV CA_GetTokenCertificateInfo(CK_SLOT_ID slotID, CK_ULONG ulType, CK_BYTE_PTR pCertificate,
				 CK_ULONG_PTR pulCertificateLen)
{
	return ha_certificate(__func__, slotID, ulType, pCertificate, pulCertificateLen);
}

CK_RV CA_GetTokenCertificates(CK_SLOT_ID slotID, CK_ULONG ulType, CK_BYTE_PTR pCertificates,
			      CK_ULONG_PTR pulCertificatesLen)
{
	return ha_certificate(__func__, slotID, ulType, pCertificates, pulCertificatesLen);
}

CK_RV CA_HAGetLoginChallenge(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType,
			     CK_BYTE_PTR pCertificate, CK_ULONG ulCertificateLen,
			     CK_BYTE_PTR pChallenge, CK_ULONG_PTR pulChallengeLen)
{
	struct p11_blob blob = {
		.command = LUNA_HA_CHALLENGE,
		.head.role = p11_role(userType),
		.in = pCertificate,
		.in_len = ulCertificateLen,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pulChallengeLen)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, pChallenge, pulChallengeLen);
	return p11_end(&call, rv);
}

CK_RV CA_HAAnswerLoginChallenge(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hLoginKey,
				CK_BYTE_PTR pChallenge, CK_ULONG ulChallengeLen,
				CK_BYTE_PTR pEncryptedPin, CK_ULONG_PTR pulEncryptedPinLen)
{
	struct p11_blob blob = {
		.command = LUNA_HA_ANSWER,
		.head.handle = p11_u32(hLoginKey),
		.in = pChallenge,
		.in_len = ulChallengeLen,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pulEncryptedPinLen)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, pEncryptedPin, pulEncryptedPinLen);
	return p11_end(&call, rv);
}

/*
 * Without a buffer this is still the login itself, and not a length query: clients pass NULL where
 * no M of N is needed, which is a blob of length 0. Where one is needed the call then only tells
 * how long it is, and is to be repeated with a buffer.
 */
CK_RV CA_HALogin(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPin, CK_ULONG ulEncryptedPinLen,
		 CK_BYTE_PTR pMofNBlob, CK_ULONG_PTR pulMofNBlobLen)
{
	struct p11_blob blob = {
		.command = LUNA_HA_LOGIN,
		.in = pEncryptedPin,
		.in_len = ulEncryptedPinLen,
	};
	CK_ULONG none = 0, *len = pMofNBlob ? pulMofNBlobLen : &none;
	CK_BYTE nothing;
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, __func__, hSession);

	if (rv == CKR_OK && !len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, pMofNBlob ? pMofNBlob : &nothing,
				   len);
	if (!pMofNBlob && pulMofNBlobLen && (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)) {
		*pulMofNBlobLen = none;
		rv = CKR_OK;
	}
	return p11_end(&call, rv);
}

CK_RV CA_HAAnswerMofNChallenge(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pMofNBlob,
			       CK_ULONG ulMofNBlobLen, CK_BYTE_PTR pMofNSecret,
			       CK_ULONG_PTR pulMofNSecretLen)
{
	struct p11_blob blob = {
		.command = LUNA_HA_MOFN_ANSWER,
		.in = pMofNBlob,
		.in_len = ulMofNBlobLen,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK && !pulMofNSecretLen)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, pMofNSecret, pulMofNSecretLen);
	return p11_end(&call, rv);
}

CK_RV CA_HAActivateMofN(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pMofNSecret,
			CK_ULONG ulMofNSecretLen)
{
	struct p11_blob blob = {
		.command = LUNA_HA_MOFN_ACTIVATE,
		.in = pMofNSecret,
		.in_len = ulMofNSecretLen,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_blob_call(call.session, NULL, &blob, NULL, NULL);
	return p11_end(&call, rv);
}
