// SPDX-License-Identifier: MIT
/*
 * The message functions of PKCS#11 v3.0 (5.9, 5.11, 5.14, 5.16): thin names for message.h.
 */
#include "library.h"
#include "message.h"

static CK_RV message_init(const char *function, CK_SESSION_HANDLE handle, enum luna_op_kind kind,
			  const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK)
		rv = p11_message_init(call.session, kind, mechanism, key);
	return p11_end(&call, rv);
}

static CK_RV message_do(const char *function, CK_SESSION_HANDLE handle,
			const struct p11_message *message)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK)
		rv = p11_message_step(call.session, message);
	return p11_end(&call, rv);
}

static CK_RV message_finish(const char *function, CK_SESSION_HANDLE handle, enum luna_op_kind kind)
{
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK)
		rv = p11_operation_finish(call.session, kind);
	return p11_end(&call, rv);
}

/* The step that the flags of C_xxxMessageNext ask for. */
static uint32_t next_step(CK_FLAGS flags)
{
	return flags & CKF_END_OF_MESSAGE ? LUNA_STEP_FINAL : LUNA_STEP_UPDATE;
}

CK_RV C_MessageEncryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
			   CK_OBJECT_HANDLE hKey)
{
	return message_init(__func__, hSession, LUNA_OP_MESSAGE_ENCRYPT, pMechanism, hKey);
}

CK_RV C_EncryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
		       CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
		       CK_BYTE_PTR pPlaintext, CK_ULONG ulPlaintextLen, CK_BYTE_PTR pCiphertext,
		       CK_ULONG_PTR pulCiphertextLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_ENCRYPT,
		.step = LUNA_STEP_ONESHOT,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.aad = pAssociatedData,
		.aad_len = ulAssociatedDataLen,
		.io.data = pPlaintext,
		.io.len = ulPlaintextLen,
		.io.out = pCiphertext,
		.io.out_len = pulCiphertextLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_EncryptMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
			    CK_ULONG ulParameterLen, CK_BYTE_PTR pAssociatedData,
			    CK_ULONG ulAssociatedDataLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_ENCRYPT,
		.step = LUNA_STEP_BEGIN,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.aad = pAssociatedData,
		.aad_len = ulAssociatedDataLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_EncryptMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
			   CK_ULONG ulParameterLen, CK_BYTE_PTR pPlaintextPart,
			   CK_ULONG ulPlaintextPartLen, CK_BYTE_PTR pCiphertextPart,
			   CK_ULONG_PTR pulCiphertextPartLen, CK_FLAGS flags)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_ENCRYPT,
		.step = next_step(flags),
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.io.data = pPlaintextPart,
		.io.len = ulPlaintextPartLen,
		.io.out = pCiphertextPart,
		.io.out_len = pulCiphertextPartLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_MessageEncryptFinal(CK_SESSION_HANDLE hSession)
{
	return message_finish(__func__, hSession, LUNA_OP_MESSAGE_ENCRYPT);
}

CK_RV C_MessageDecryptInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
			   CK_OBJECT_HANDLE hKey)
{
	return message_init(__func__, hSession, LUNA_OP_MESSAGE_DECRYPT, pMechanism, hKey);
}

CK_RV C_DecryptMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
		       CK_BYTE_PTR pAssociatedData, CK_ULONG ulAssociatedDataLen,
		       CK_BYTE_PTR pCiphertext, CK_ULONG ulCiphertextLen, CK_BYTE_PTR pPlaintext,
		       CK_ULONG_PTR pulPlaintextLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_DECRYPT,
		.step = LUNA_STEP_ONESHOT,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.aad = pAssociatedData,
		.aad_len = ulAssociatedDataLen,
		.io.data = pCiphertext,
		.io.len = ulCiphertextLen,
		.io.out = pPlaintext,
		.io.out_len = pulPlaintextLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_DecryptMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
			    CK_ULONG ulParameterLen, CK_BYTE_PTR pAssociatedData,
			    CK_ULONG ulAssociatedDataLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_DECRYPT,
		.step = LUNA_STEP_BEGIN,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.aad = pAssociatedData,
		.aad_len = ulAssociatedDataLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_DecryptMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
			   CK_ULONG ulParameterLen, CK_BYTE_PTR pCiphertextPart,
			   CK_ULONG ulCiphertextPartLen, CK_BYTE_PTR pPlaintextPart,
			   CK_ULONG_PTR pulPlaintextPartLen, CK_FLAGS flags)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_DECRYPT,
		.step = next_step(flags),
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.io.data = pCiphertextPart,
		.io.len = ulCiphertextPartLen,
		.io.out = pPlaintextPart,
		.io.out_len = pulPlaintextPartLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_MessageDecryptFinal(CK_SESSION_HANDLE hSession)
{
	return message_finish(__func__, hSession, LUNA_OP_MESSAGE_DECRYPT);
}

CK_RV C_MessageSignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
			CK_OBJECT_HANDLE hKey)
{
	return message_init(__func__, hSession, LUNA_OP_MESSAGE_SIGN, pMechanism, hKey);
}

CK_RV C_SignMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
		    CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
		    CK_ULONG_PTR pulSignatureLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_SIGN,
		.step = LUNA_STEP_ONESHOT,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.io.data = pData,
		.io.len = ulDataLen,
		.io.out = pSignature,
		.io.out_len = pulSignatureLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_SignMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
			 CK_ULONG ulParameterLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_SIGN,
		.step = LUNA_STEP_BEGIN,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
	};

	return message_do(__func__, hSession, &message);
}

/* Whoever wants the signature says that this was the last part. */
CK_RV C_SignMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
			CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
			CK_ULONG_PTR pulSignatureLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_SIGN,
		.step = pulSignatureLen ? LUNA_STEP_FINAL : LUNA_STEP_UPDATE,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.io.data = pData,
		.io.len = ulDataLen,
		.io.out = pSignature,
		.io.out_len = pulSignatureLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_MessageSignFinal(CK_SESSION_HANDLE hSession)
{
	return message_finish(__func__, hSession, LUNA_OP_MESSAGE_SIGN);
}

CK_RV C_MessageVerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism,
			  CK_OBJECT_HANDLE hKey)
{
	return message_init(__func__, hSession, LUNA_OP_MESSAGE_VERIFY, pMechanism, hKey);
}

CK_RV C_VerifyMessage(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter, CK_ULONG ulParameterLen,
		      CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
		      CK_ULONG ulSignatureLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_VERIFY,
		.step = LUNA_STEP_ONESHOT,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.io.data = pData,
		.io.len = ulDataLen,
		.io.signature = pSignature,
		.io.signature_len = ulSignatureLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_VerifyMessageBegin(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
			   CK_ULONG ulParameterLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_VERIFY,
		.step = LUNA_STEP_BEGIN,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
	};

	return message_do(__func__, hSession, &message);
}

/* Whoever brings the signature says that this was the last part. */
CK_RV C_VerifyMessageNext(CK_SESSION_HANDLE hSession, CK_VOID_PTR pParameter,
			  CK_ULONG ulParameterLen, CK_BYTE_PTR pData, CK_ULONG ulDataLen,
			  CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
	const struct p11_message message = {
		.kind = LUNA_OP_MESSAGE_VERIFY,
		.step = pSignature ? LUNA_STEP_FINAL : LUNA_STEP_UPDATE,
		.parameter = pParameter,
		.parameter_len = ulParameterLen,
		.io.data = pData,
		.io.len = ulDataLen,
		.io.signature = pSignature,
		.io.signature_len = ulSignatureLen,
	};

	return message_do(__func__, hSession, &message);
}

CK_RV C_MessageVerifyFinal(CK_SESSION_HANDLE hSession)
{
	return message_finish(__func__, hSession, LUNA_OP_MESSAGE_VERIFY);
}
