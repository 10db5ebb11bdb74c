// SPDX-License-Identifier: MIT
/*
 * Dual-function operations: two Updates in one call, of a cipher and of a digest, signature or
 * verification that reads the plaintext.
 *
 * A short buffer must leave both operations as they were. The cipher alone has output, so it is
 * asked first, or goes first; and before anything is consumed both operations must be there.
 */
#include "library.h"

/* The plaintext goes to both; asked first, as the cipher may write over the plaintext. */
static CK_RV dual_encrypt(const char *function, CK_SESSION_HANDLE handle, enum luna_op_kind reader,
			  const struct p11_io *io)
{
	const struct p11_io plain = { .data = io->data, .len = io->len };
	CK_ULONG need = 0;
	const struct p11_io query = { .data = io->data, .len = io->len, .out_len = &need };
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK && !io->out_len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && !p11_operation_there(call.session, reader))
		rv = CKR_OPERATION_NOT_INITIALIZED;
	if (rv == CKR_OK)
		rv = p11_operation_update(call.session, LUNA_OP_ENCRYPT, &query);
	if (rv != CKR_OK)
		return p11_end(&call, rv);
	if (!io->out || *io->out_len < need) {
		rv = io->out ? CKR_BUFFER_TOO_SMALL : CKR_OK;
		*io->out_len = need;
		return p11_end(&call, rv);
	}
	rv = p11_operation_update(call.session, reader, &plain);
	if (rv == CKR_OK)
		rv = p11_operation_update(call.session, LUNA_OP_ENCRYPT, io);
	return p11_end(&call, rv);
}

static CK_RV dual_decrypt(const char *function, CK_SESSION_HANDLE handle, enum luna_op_kind reader,
			  const struct p11_io *io)
{
	struct p11_io plain = { 0 };
	struct p11_call call;
	CK_RV rv = p11_begin_session(&call, function, handle);

	if (rv == CKR_OK && !io->out_len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && !p11_operation_there(call.session, reader))
		rv = CKR_OPERATION_NOT_INITIALIZED;
	if (rv == CKR_OK)
		rv = p11_operation_update(call.session, LUNA_OP_DECRYPT, io);
	if (rv == CKR_OK && io->out && *io->out_len) {
		plain.data = io->out;
		plain.len = *io->out_len;
		rv = p11_operation_update(call.session, reader, &plain);
	}
	return p11_end(&call, rv);
}

CK_RV C_DigestEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
			    CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
	const struct p11_io io = {
		.data = pPart,
		.len = ulPartLen,
		.out = pEncryptedPart,
		.out_len = pulEncryptedPartLen,
	};

	return dual_encrypt(__func__, hSession, LUNA_OP_DIGEST, &io);
}

CK_RV C_DecryptDigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
			    CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
	const struct p11_io io = {
		.data = pEncryptedPart,
		.len = ulEncryptedPartLen,
		.out = pPart,
		.out_len = pulPartLen,
	};

	return dual_decrypt(__func__, hSession, LUNA_OP_DIGEST, &io);
}

CK_RV C_SignEncryptUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen,
			  CK_BYTE_PTR pEncryptedPart, CK_ULONG_PTR pulEncryptedPartLen)
{
	const struct p11_io io = {
		.data = pPart,
		.len = ulPartLen,
		.out = pEncryptedPart,
		.out_len = pulEncryptedPartLen,
	};

	return dual_encrypt(__func__, hSession, LUNA_OP_SIGN, &io);
}

CK_RV C_DecryptVerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pEncryptedPart,
			    CK_ULONG ulEncryptedPartLen, CK_BYTE_PTR pPart, CK_ULONG_PTR pulPartLen)
{
	const struct p11_io io = {
		.data = pEncryptedPart,
		.len = ulEncryptedPartLen,
		.out = pPart,
		.out_len = pulPartLen,
	};

	return dual_decrypt(__func__, hSession, LUNA_OP_VERIFY, &io);
}
