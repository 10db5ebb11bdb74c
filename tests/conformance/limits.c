// SPDX-License-Identifier: MIT
/*
 * One program that takes whatever it gets, and one that goes on working: resource limits count per
 * application, so the second sees no error. What the first held is free when it has been killed.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

enum { ROUNDS = 60, OBJECT = 256 << 10, GREEDY_THREADS = 6, READY = 'r' };

static CK_BYTE text[64] = "what the honest program signs while the other one takes it all";

struct greedy {
	int ready;		/* a pipe's end, told when nothing more is to be had */
	CK_SESSION_HANDLE session;
};

static CK_RV fill(CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS data = CKO_DATA;
	static CK_BYTE value[OBJECT];
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, data), ATTR(CKA_TOKEN, no), ATTR(CKA_VALUE, value) };
	CK_OBJECT_HANDLE obj;
	CK_RV rv;

	do {
		rv = p11->C_CreateObject(session, tmpl, COUNT(tmpl), &obj);
	} while (rv == CKR_OK);
	return rv;
}

/* Key pairs and random numbers, of which there is no end, until it is killed */
static void *work(void *arg)
{
	const struct greedy *greedy = arg;
	CK_MECHANISM pair = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_ULONG bits = 1024;
	CK_ATTRIBUTE pub[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_OBJECT_HANDLE a, b;
	CK_BYTE bytes[4096];

	for (;;) {
		p11->C_GenerateKeyPair(greedy->session, &pair, pub, 1, NULL, 0, &a, &b);
		p11->C_GenerateRandom(greedy->session, bytes, sizeof(bytes));
	}
	return NULL;
}

static CK_RV open_all(CK_SESSION_HANDLE *session)
{
	CK_RV rv;

	do {
		rv = p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, session);
	} while (rv == CKR_OK);
	return rv;
}

static int take_everything(void *arg)
{
	struct greedy *greedy = arg;
	pthread_t threads[GREEDY_THREADS + 1];
	CK_SESSION_HANDLE session;
	char ready = READY;

	MUST(open_all(&session), CKR_SESSION_COUNT);
	greedy->session = session;
	MUST(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)), CKR_OK);
	MUST(fill(session), CKR_DEVICE_MEMORY);
	for (CK_ULONG i = 0; i < GREEDY_THREADS / test_stride() + 1; i++)
		if (pthread_create(&threads[i], NULL, work, greedy))
			return 1;
	if (write(greedy->ready, &ready, 1) != 1)
		return 1;
	pause();
	return 1;
}

static CK_TOKEN_INFO token_info(void)
{
	CK_TOKEN_INFO info;

	assert_ok(p11->C_GetTokenInfo(slot_a, &info));
	return info;
}

static void live(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE aes, CK_OBJECT_HANDLE rsa)
{
	CK_MECHANISM sign = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_BYTE iv[16] = { 0 }, out[256];
	CK_MECHANISM cbc = { CKM_AES_CBC_PAD, iv, sizeof(iv) };
	CK_ULONG len = sizeof(out);
	CK_SESSION_HANDLE other = session_open(slot_a);
	CK_OBJECT_HANDLE made;

	assert_ok(p11->C_SignInit(session, &sign, rsa));
	assert_ok(p11->C_Sign(session, text, sizeof(text), out, &len));
	len = sizeof(out);
	assert_ok(p11->C_EncryptInit(session, &cbc, aes));
	assert_ok(p11->C_Encrypt(session, text, sizeof(text), out, &len));
	made = aes_key(session, 32, true, "comes and goes");
	assert_int_equal(object_by_label(session, "comes and goes"), made);
	assert_ok(p11->C_DestroyObject(session, made));
	assert_ok(p11->C_CloseSession(other));
}

static pid_t start_greedy(struct greedy *greedy)
{
	int ends[2];
	char ready = 0;
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	greedy->ready = ends[1];
	child = child_start(take_everything, greedy);
	close(ends[1]);
	assert_int_equal(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	return child;
}

static void one_takes_everything(void **state)
{
	struct greedy greedy = { 0 };
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE aes = aes_key(session, 32, false, "mine"), pub, rsa;
	CK_ULONG sessions = token_info().ulSessionCount;
	pid_t child;

	(void)state;
	rsa_pair(session, 1024, false, "mine", &pub, &rsa);
	child = start_greedy(&greedy);
	for (CK_ULONG i = 0; i < ROUNDS / test_stride(); i++)
		live(session, aes, rsa);
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0);	/* it was there all the time */
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < 200 && token_info().ulSessionCount != sessions; i++)
		usleep(50000);
	assert_int_equal(token_info().ulSessionCount, sessions);
	live(session, aes, rsa);
}

/* The memory of a killed program can be had again, whole, by the next. */
static void again_and_again(void **state)
{
	struct greedy greedy = { 0 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		pid_t child = start_greedy(&greedy);

		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(one_takes_everything, test_teardown),
		cmocka_unit_test_teardown(again_and_again, test_teardown),
	};

	return cmocka_run_group_tests_name("limits", tests, suite_setup, suite_teardown);
}
