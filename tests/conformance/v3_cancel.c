// SPDX-License-Identifier: MIT
/* What ends operations: C_SessionCancel, a logout; and operations in threads and after a fork. */
#include <pthread.h>
#include <unistd.h>

#include "v3.h"

/* ---- cancelling ---- */

static CK_OBJECT_HANDLE rsa_pub, rsa_priv;

static CK_RV start(CK_FLAGS flag)
{
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, sha = { CKM_SHA256, NULL, 0 };
	CK_MECHANISM cmac = { CKM_AES_CMAC, NULL, 0 }, rsa = { CKM_RSA_PKCS, NULL, 0 };

	switch (flag) {
	case CKF_ENCRYPT:
		return v3->C_EncryptInit(s, &ecb, key);
	case CKF_DECRYPT:
		return v3->C_DecryptInit(s, &ecb, key);
	case CKF_DIGEST:
		return v3->C_DigestInit(s, &sha);
	case CKF_SIGN:
		return v3->C_SignInit(s, &cmac, key);
	case CKF_VERIFY:
		return v3->C_VerifyInit(s, &cmac, key);
	case CKF_SIGN_RECOVER:
		return v3->C_SignRecoverInit(s, &rsa, rsa_priv);
	case CKF_VERIFY_RECOVER:
		return v3->C_VerifyRecoverInit(s, &rsa, rsa_pub);
	case CKF_FIND_OBJECTS:
		return v3->C_FindObjectsInit(s, NULL, 0);
	case CKF_MESSAGE_ENCRYPT:
		return v3->C_MessageEncryptInit(s, &gcm_mech, key);
	case CKF_MESSAGE_DECRYPT:
		return v3->C_MessageDecryptInit(s, &gcm_mech, key);
	case CKF_MESSAGE_SIGN:
		return v3->C_MessageSignInit(s, &cmac, key);
	default:
		return v3->C_MessageVerifyInit(s, &cmac, key);
	}
}

/* Some way into it. */
static void carry_on(CK_FLAGS flag)
{
	unsigned char data[16] = { 0 }, out[64];
	CK_ULONG len = sizeof(out);
	CK_OBJECT_HANDLE found;
	struct gcm g;

	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	switch (flag) {
	case CKF_ENCRYPT:
		assert_ok(v3->C_EncryptUpdate(s, data, 16, out, &len));
		break;
	case CKF_DECRYPT:
		assert_ok(v3->C_DecryptUpdate(s, data, 16, out, &len));
		break;
	case CKF_DIGEST:
		assert_ok(v3->C_DigestUpdate(s, data, 16));
		break;
	case CKF_SIGN:
		assert_ok(v3->C_SignUpdate(s, data, 16));
		break;
	case CKF_VERIFY:
		assert_ok(v3->C_VerifyUpdate(s, data, 16));
		break;
	case CKF_FIND_OBJECTS:
		assert_ok(v3->C_FindObjects(s, &found, 1, &len));
		break;
	case CKF_MESSAGE_ENCRYPT:
		assert_ok(v3->C_EncryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		assert_ok(v3->C_EncryptMessageNext(s, NULL, 0, data, 16, out, &len, 0));
		break;
	case CKF_MESSAGE_DECRYPT:
		assert_ok(v3->C_DecryptMessageBegin(s, &g.p, sizeof(g.p), NULL, 0));
		assert_ok(v3->C_DecryptMessageNext(s, NULL, 0, data, 16, out, &len, 0));
		break;
	case CKF_MESSAGE_SIGN:
		assert_ok(v3->C_SignMessageBegin(s, NULL, 0));
		assert_ok(v3->C_SignMessageNext(s, NULL, 0, data, 16, NULL, NULL));
		break;
	case CKF_MESSAGE_VERIFY:
		assert_ok(v3->C_VerifyMessageBegin(s, NULL, 0));
		assert_ok(v3->C_VerifyMessageNext(s, NULL, 0, data, 16, NULL, 0));
		break;
	}
}

static const CK_FLAGS cancellable[] = {
	CKF_ENCRYPT, CKF_DECRYPT, CKF_DIGEST, CKF_SIGN, CKF_SIGN_RECOVER, CKF_VERIFY,
	CKF_VERIFY_RECOVER, CKF_FIND_OBJECTS, CKF_MESSAGE_ENCRYPT, CKF_MESSAGE_DECRYPT,
	CKF_MESSAGE_SIGN, CKF_MESSAGE_VERIFY,
};

/* Each of them, freshly begun, held back by the library, or in its middle, and no other. */
void cancel(void **state)
{
	CK_FLAGS all = 0;
	CK_ULONG i, j, depth;

	(void)state;
	rsa_pair(s, 2048, false, "cancel", &rsa_pub, &rsa_priv);
	for (i = 0; i < COUNT(cancellable); i++)
		all |= cancellable[i];
	for (depth = 0; depth < 3; depth++) {
		for (i = 0; i < COUNT(cancellable); i++) {
			for (j = 0; j < COUNT(cancellable); j++) {
				assert_ok(start(cancellable[j]));
				if (depth == 2)
					carry_on(cancellable[j]);
			}
			assert_ok(v3->C_SessionCancel(s, 0));
			assert_ok(v3->C_SessionCancel(s, CKF_GENERATE | CKF_WRAP | CKF_HW));
			assert_ok(v3->C_SessionCancel(s, cancellable[i]));
			for (j = 0; j < COUNT(cancellable); j++)
				assert_rv(start(cancellable[j]),
					  j == i ? CKR_OK : CKR_OPERATION_ACTIVE);
			assert_ok(v3->C_SessionCancel(s, all));
			assert_ok(v3->C_SessionCancel(s, all));
		}
	}
	assert_rv(v3->C_SessionCancel(0, all), CKR_SESSION_HANDLE_INVALID);
}

/* An Init without a mechanism does the same. */
void cancel_by_init(void **state)
{
	CK_ULONG i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_ok(start(CKF_ENCRYPT));
		assert_ok(start(CKF_DIGEST));
		assert_ok(start(CKF_MESSAGE_ENCRYPT));
		assert_ok(start(CKF_MESSAGE_SIGN));
		if (i) {
			carry_on(CKF_ENCRYPT);
			carry_on(CKF_DIGEST);
			carry_on(CKF_MESSAGE_ENCRYPT);
			carry_on(CKF_MESSAGE_SIGN);
		}
		assert_ok(v3->C_EncryptInit(s, NULL, 0));
		assert_ok(v3->C_DigestInit(s, NULL));
		assert_ok(v3->C_MessageEncryptInit(s, NULL, 0));
		assert_ok(v3->C_MessageSignInit(s, NULL, 0));
		assert_rv(v3->C_EncryptInit(s, NULL, 0), CKR_ARGUMENTS_BAD);
		assert_rv(v3->C_MessageSignInit(s, NULL, 0), CKR_ARGUMENTS_BAD);
	}
}

/* A private key's messages end with the login, and with the session. */
void logout(void **state)
{
	struct gcm g;
	CK_BYTE out[8];
	CK_ULONG len = 8;

	(void)state;
	key = aes_key(s, 32, true, "messages");
	assert_ok(start(CKF_MESSAGE_ENCRYPT));
	carry_on(CKF_MESSAGE_ENCRYPT);
	assert_ok(v3->C_Logout(s));
	gcm_init(&g, 12, CKG_NO_GENERATE, 0, 128);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	session_login(s, CKU_USER, CO_PIN);
	assert_rv(v3->C_EncryptMessageNext(s, &g.p, sizeof(g.p), out, 1, out, &len, 0),
		  CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(seal(&g, NULL, 0, "x", 1, out, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(start(CKF_MESSAGE_ENCRYPT));
	assert_ok(v3->C_CloseSession(s));
	assert_rv(seal(&g, NULL, 0, "x", 1, out, &len), CKR_SESSION_HANDLE_INVALID);
}

/* ---- threads and processes ---- */

enum { THREADS = 4, MESSAGES = 400 };

static void *thread_body(void *arg)
{
	CK_SESSION_HANDLE session = 0;
	unsigned char iv[12] = { 0 }, tag[16], text[50], sealed[50], back[50];
	CK_GCM_MESSAGE_PARAMS p = { iv, 12, 32, CKG_GENERATE_COUNTER, tag, 128 };
	CK_ULONG i, len;
	const char *failed = NULL;

	iv[3] = *(int *)arg;
	memset(text, *(int *)arg, sizeof(text));
	if (v3->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &session) ||
	    v3->C_MessageEncryptInit(session, &gcm_mech, key) ||
	    v3->C_MessageDecryptInit(session, &gcm_mech, key))
		return "cannot begin";
	for (i = 0; i < MESSAGES && !failed; i++) {
		len = sizeof(sealed);
		if (v3->C_EncryptMessage(session, &p, sizeof(p), NULL, 0, text, sizeof(text), sealed,
					 &len))
			failed = "encrypt";
		else if (low_bits(iv, 12, 64) != i || iv[3] != *(int *)arg)
			failed = "IV";
		else if (v3->C_DecryptMessage(session, &p, sizeof(p), NULL, 0, sealed, len, back, &len))
			failed = "decrypt";
		else if (memcmp(back, text, sizeof(text)))
			failed = "text";
	}
	v3->C_CloseSession(session);
	return (void *)failed;
}

void threads(void **state)
{
	pthread_t thread[THREADS];
	int number[THREADS], i;
	void *failed;

	(void)state;
	key = aes_key(s, 16, true, "threads");
	for (i = 0; i < THREADS; i++) {
		number[i] = i + 1;
		assert_int_equal(pthread_create(&thread[i], NULL, thread_body, &number[i]), 0);
	}
	for (i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(thread[i], &failed), 0);
		if (failed)
			fail_msg("thread %d: %s", i, (char *)failed);
	}
}

/* In a child: interfaces at once, everything else after C_Initialize, and no sessions. */
static int child_body(void *arg)
{
	CK_SESSION_HANDLE old = *(CK_SESSION_HANDLE *)arg, own;
	CK_MECHANISM mech = { CKM_SHA256, NULL, 0 };

	MUST(v3->C_SessionCancel(old, CKF_DIGEST), CKR_SESSION_HANDLE_INVALID);
	MUST(v3->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &own), CKR_OK);
	MUST(v3->C_DigestInit(own, &mech), CKR_OK);
	MUST(v3->C_SessionCancel(own, CKF_DIGEST), CKR_OK);
	MUST(v3->C_DigestInit(own, &mech), CKR_OK);
	MUST(v3->C_LoginUser(own, CKU_USER, (CK_UTF8CHAR *)CO_PIN, strlen(CO_PIN),
			     (CK_UTF8CHAR *)"co", 2), CKR_OK);
	return 0;
}

void forked(void **state)
{
	unsigned char out[8];
	CK_ULONG len = 8;
	CK_INTERFACE *interface;
	struct gcm g;
	pid_t child;

	(void)state;
	gcm_init(&g, 12, CKG_GENERATE_COUNTER, 32, 128);
	assert_ok(start(CKF_MESSAGE_ENCRYPT));
	assert_ok(seal(&g, NULL, 0, "x", 1, out, &len));
	fflush(NULL);
	child = fork();
	if (!child) {
		if (get_interface(NULL, NULL, &interface, 0) ||
		    interface->pFunctionList != (void *)v3 ||
		    seal(&g, NULL, 0, "x", 1, out, &len) != CKR_CRYPTOKI_NOT_INITIALIZED ||
		    v3->C_SessionCancel(s, 0) != CKR_CRYPTOKI_NOT_INITIALIZED)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(child_wait(child), 0);
	assert_int_equal(child_run(child_body, &s), 0);
	/* The parent's message operation has not noticed. */
	assert_ok(seal(&g, NULL, 0, "x", 1, out, &len));
	assert_int_equal(low_bits(g.iv, 12, 64), 1);
}
