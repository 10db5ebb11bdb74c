// SPDX-License-Identifier: MIT
/*
 * Encryption, decryption, digests, signatures and verification: thin names for the steps of
 * operation.h.
 */
#include "library.h"
#include "mechanism.h"

static CK_RV crypto_init(const char *function, CK_SESSION_HANDLE handle, enum luna_op_kind kind,
			 const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	struct p11_parameter parameter;
	struct p11_call call;
	CK_RV copied = p11_parameter_init(&parameter, mechanism);
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK && !mechanism && p11_operation_there(call.session, kind))
		rv = p11_operation_cancel(call.session, kind);	/* v3.0: that is what it means */
	else if (rv == CKR_OK)
		rv = copied != CKR_OK ? copied :
		     p11_operation_init(call.session, kind, &parameter, key);
	p11_parameter_free(&parameter);
	return p11_end(&call, rv);
}

typedef CK_RV (*crypto_step)(struct p11_session *session, enum luna_op_kind kind,
			     const struct p11_io *io);

static CK_RV crypto_do(const char *function, CK_SESSION_HANDLE handle, crypto_step step,
		       enum luna_op_kind kind, const struct p11_io *io)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK)
		rv = step(call.session, kind, io);
	return p11_end(&call, rv);
}

CK_RV C_EncryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
	return crypto_init(__func__, hSession, LUNA_OP_ENCRYPT, pMechanism, hKey);
}

CK_RV C_Encrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
		CK_BYTE_PTR pEncryptedData, CK_ULONG_PTR pulEncryptedDataLen)
{
	const struct p11_io io = {
		.data = pData,
		.len = ulDataLen,
		.out = pEncryptedData,
		.out_len = pulEncryptedDataLen,
	};

	return crypto_do(__func__, hSession, p11_operation_oneshot, LUNA_OP_ENCRYPT, &io);
}

CK_RV C_EncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
		      CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
	const struct p11_io io = {
		.data = pPart,
		.len = ulPartLen,
		.out = pEncryptedPart,
		.out_len = pulEncryptedPartLen,
	};

	return crypto_do(__func__, hSession, p11_operation_update, LUNA_OP_ENCRYPT, &io);
}

CK_RV C_EncryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastEncryptedPart,
		     CK_ULONG_PTR pulLastEncryptedPartLen)
{
	const struct p11_io io = {
		.out = pLastEncryptedPart,
		.out_len = pulLastEncryptedPartLen,
	};

	return crypto_do(__func__, hSession, p11_operation_final, LUNA_OP_ENCRYPT, &io);
}

CK_RV C_DecryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
	return crypto_init(__func__, hSession, LUNA_OP_DECRYPT, pMechanism, hKey);
}

CK_RV C_Decrypt(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedData,
		CK_ULONG ulEncryptedDataLen, CK_BYTE_PTR pData, CK_ULONG_PTR pulDataLen)
{
	const struct p11_io io = {
		.data = pEncryptedData,
		.len = ulEncryptedDataLen,
		.out = pData,
		.out_len = pulDataLen,
	};

	return crypto_do(__func__, hSession, p11_operation_oneshot, LUNA_OP_DECRYPT, &io);
}

CK_RV C_DecryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
		      CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
	const struct p11_io io = {
		.data = pEncryptedPart,
		.len = ulEncryptedPartLen,
		.out = pPart,
		.out_len = pulPartLen,
	};

	return crypto_do(__func__, hSession, p11_operation_update, LUNA_OP_DECRYPT, &io);
}

CK_RV C_DecryptFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pLastPart, CK_ULONG_PTR pulLastPartLen)
{
	const struct p11_io io = {
		.out = pLastPart,
		.out_len = pulLastPartLen,
	};

	return crypto_do(__func__, hSession, p11_operation_final, LUNA_OP_DECRYPT, &io);
}

CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism)
{
	return crypto_init(__func__, hSession, LUNA_OP_DIGEST, pMechanism, CK_INVALID_HANDLE);
}

CK_RV C_Digest(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
	       CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen)
{
	const struct p11_io io = {
		.data = pData,
		.len = ulDataLen,
		.out = pDigest,
		.out_len = pulDigestLen,
	};

	return crypto_do(__func__, hSession, p11_operation_oneshot, LUNA_OP_DIGEST, &io);
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
	const struct p11_io io = { .data = pPart, .len = ulPartLen };

	return crypto_do(__func__, hSession, p11_operation_update, LUNA_OP_DIGEST, &io);
}

CK_RV C_DigestKey(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hKey)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, __func__, hSession);

	if (rv == CKR_OK)
		rv = p11_operation_digest_key(call.session, hKey);
	return p11_end(&call, rv);
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen)
{
	const struct p11_io io = { .out = pDigest, .out_len = pulDigestLen };

	return crypto_do(__func__, hSession, p11_operation_final, LUNA_OP_DIGEST, &io);
}

CK_RV C_SignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
	return crypto_init(__func__, hSession, LUNA_OP_SIGN, pMechanism, hKey);
}

CK_RV C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
	     CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
	const struct p11_io io = {
		.data = pData,
		.len = ulDataLen,
		.out = pSignature,
		.out_len = pulSignatureLen,
	};

	return crypto_do(__func__, hSession, p11_operation_oneshot, LUNA_OP_SIGN, &io);
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
	const struct p11_io io = { .data = pPart, .len = ulPartLen };

	return crypto_do(__func__, hSession, p11_operation_update, LUNA_OP_SIGN, &io);
}

CK_RV C_SignFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
	const struct p11_io io = { .out = pSignature, .out_len = pulSignatureLen };

	return crypto_do(__func__, hSession, p11_operation_final, LUNA_OP_SIGN, &io);
}

CK_RV C_SignRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
			CK_OBJECT_HANDLE hKey)
{
	return crypto_init(__func__, hSession, LUNA_OP_SIGN_RECOVER, pMechanism, hKey);
}

CK_RV C_SignRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
		    CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
	const struct p11_io io = {
		.data = pData,
		.len = ulDataLen,
		.out = pSignature,
		.out_len = pulSignatureLen,
	};

	return crypto_do(__func__, hSession, p11_operation_oneshot, LUNA_OP_SIGN_RECOVER, &io);
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
	return crypto_init(__func__, hSession, LUNA_OP_VERIFY, pMechanism, hKey);
}

CK_RV C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
	       CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
	const struct p11_io io = {
		.data = pData,
		.len = ulDataLen,
		.signature = pSignature,
		.signature_len = ulSignatureLen,
	};

	return crypto_do(__func__, hSession, p11_operation_oneshot, LUNA_OP_VERIFY, &io);
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
	const struct p11_io io = { .data = pPart, .len = ulPartLen };

	return crypto_do(__func__, hSession, p11_operation_update, LUNA_OP_VERIFY, &io);
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
	const struct p11_io io = { .signature = pSignature, .signature_len = ulSignatureLen };

	return crypto_do(__func__, hSession, p11_operation_final, LUNA_OP_VERIFY, &io);
}

CK_RV C_VerifyRecoverInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
			  CK_OBJECT_HANDLE hKey)
{
	return crypto_init(__func__, hSession, LUNA_OP_VERIFY_RECOVER, pMechanism, hKey);
}

/* The signature is the data here: what comes back is what it covers. */
CK_RV C_VerifyRecover(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen,
		      CK_BYTE_PTR pData, CK_ULONG_PTR pulDataLen)
{
	const struct p11_io io = {
		.data = pSignature,
		.len = ulSignatureLen,
		.out = pData,
		.out_len = pulDataLen,
	};

	return crypto_do(__func__, hSession, p11_operation_oneshot, LUNA_OP_VERIFY_RECOVER, &io);
}
