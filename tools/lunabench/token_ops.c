// SPDX-License-Identifier: MIT
/* The operations that are measured, as a PKCS#11 client makes them. */
#include <string.h>

#include "bench.h"

static const CK_BYTE data[1024] = "what is signed and encrypted";

static bool sign(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_BYTE sig[256];
	CK_ULONG len;

	while (count--) {
		len = sizeof(sig);
		if (t->p11->C_SignInit(t->session[thread], &mech, t->rsa) != CKR_OK ||
		    t->p11->C_Sign(t->session[thread], (CK_BYTE_PTR)data, 64, sig, &len) != CKR_OK)
			return false;
	}
	return true;
}

static bool gcm(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_BYTE iv[12] = { 0 }, out[sizeof(data) + 16];
	CK_GCM_PARAMS params = { .pIv = iv, .ulIvLen = 12, .ulIvBits = 96, .ulTagBits = 128 };
	CK_MECHANISM mech = { CKM_AES_GCM, &params, sizeof(params) };
	CK_ULONG len;

	while (count--) {
		memcpy(iv, &count, sizeof(count));
		len = sizeof(out);
		if (t->p11->C_EncryptInit(t->session[thread], &mech, t->aes) != CKR_OK ||
		    t->p11->C_Encrypt(t->session[thread], (CK_BYTE_PTR)data, sizeof(data), out,
				      &len) != CKR_OK)
			return false;
	}
	return true;
}

/* As gcm(), but that one Init serves all, and the token makes the IVs. */
static bool messages(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_SESSION_HANDLE s = t->session[thread];
	CK_BYTE iv[12] = "test", tag[16], out[sizeof(data)];
	CK_GCM_MESSAGE_PARAMS params = {
		.pIv = iv, .ulIvLen = 12, .ulIvFixedBits = 32, .ivGenerator = CKG_GENERATE_COUNTER,
		.pTag = tag, .ulTagBits = 128,
	};
	CK_MECHANISM mech = { CKM_AES_GCM, NULL, 0 };
	bool ok = t->v3 && t->v3->C_MessageEncryptInit(s, &mech, t->aes) == CKR_OK;
	CK_ULONG len;

	if (!ok)
		return false;
	while (ok && count--) {
		len = sizeof(out);
		ok = t->v3->C_EncryptMessage(s, &params, sizeof(params), NULL, 0, (CK_BYTE_PTR)data,
					     sizeof(data), out, &len) == CKR_OK;
	}
	return t->v3->C_MessageEncryptFinal(s) == CKR_OK && ok;
}

static bool attributes(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_OBJECT_CLASS class;
	CK_KEY_TYPE type;
	CK_BYTE id[32] = { 0 }, label[32] = { 0 };
	CK_BBOOL can_sign;

	while (count--) {
		CK_ATTRIBUTE attrs[] = {
			{ CKA_CLASS, &class, sizeof(class) }, { CKA_KEY_TYPE, &type, sizeof(type) },
			{ CKA_ID, id, sizeof(id) }, { CKA_LABEL, label, sizeof(label) },
			{ CKA_SIGN, &can_sign, sizeof(can_sign) },
		};

		if (t->p11->C_GetAttributeValue(t->session[thread], t->rsa, attrs, 5) != CKR_OK)
			return false;
	}
	return true;
}

static bool find(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_ATTRIBUTE attr = { CKA_LABEL, "key 5", 5 };
	CK_OBJECT_HANDLE obj[4];
	CK_ULONG found;

	while (count--) {
		if (t->p11->C_FindObjectsInit(t->session[thread], &attr, 1) != CKR_OK ||
		    t->p11->C_FindObjects(t->session[thread], obj, 4, &found) != CKR_OK ||
		    t->p11->C_FindObjectsFinal(t->session[thread]) != CKR_OK || found != 1)
			return false;
	}
	return true;
}

static bool random_bytes(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_BYTE out[32];

	while (count--)
		if (t->p11->C_GenerateRandom(t->session[thread], out, sizeof(out)) != CKR_OK)
			return false;
	return true;
}

static bool session(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_SESSION_HANDLE handle;

	(void)thread;
	while (count--)
		if (t->p11->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &handle) != CKR_OK ||
		    t->p11->C_CloseSession(handle) != CKR_OK)
			return false;
	return true;
}

static bool create(void *target, unsigned int thread, unsigned int count)
{
	struct bench_token *t = target;
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL yes = CK_TRUE;
	CK_ATTRIBUTE tmpl[] = {
		{ CKA_CLASS, &class, sizeof(class) }, { CKA_TOKEN, &yes, 1 },
		{ CKA_VALUE, (void *)data, 64 },
	};
	CK_OBJECT_HANDLE obj;

	while (count--)
		if (t->p11->C_CreateObject(t->session[thread], tmpl, 3, &obj) != CKR_OK ||
		    t->p11->C_DestroyObject(t->session[thread], obj) != CKR_OK)
			return false;
	return true;
}

const struct bench_row token_rows[BENCH_OPERATIONS] = {
	[BENCH_SIGN] = { "RSA-2048 SHA256 sign", sign },
	[BENCH_ENCRYPT] = { "AES-256-GCM 1 KiB Init+Encrypt", gcm },
	[BENCH_MESSAGE] = { "AES-256-GCM 1 KiB EncryptMessage", messages },
	[BENCH_ATTRIBUTES] = { "GetAttributeValue, five", attributes },
	[BENCH_FIND] = { "FindObjects by label", find },
	[BENCH_RANDOM] = { "GenerateRandom 32", random_bytes },
	[BENCH_SESSION] = { "OpenSession + CloseSession", session },
	[BENCH_CREATE] = { "token object create + destroy", create },
};
