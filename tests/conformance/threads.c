// SPDX-License-Identifier: MIT
/*
 * Many threads and processes on one token: what other tokens answer with CKR_GENERAL_ERROR, vanished
 * tokens, deadlocks and crashes. Threads do not use cmocka; they count what went wrong, and the first
 * wrong value is told. Also meant for ThreadSanitizer, which finds more than the counts do.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "suite.h"

enum { THREADS = 8, ROUNDS = 60 };

static CK_OBJECT_HANDLE aes, rsa_pub, rsa_priv;
static CK_BYTE text[64] = "what everybody signs and encrypts, at the same time, all of them";

/* ---- wrong return values ---- */

static atomic_ulong wrongs;
static atomic_int wrong_line;
static _Atomic CK_RV wrong_rv;

static bool wrong(CK_RV rv, CK_RV want, int line)
{
	if (rv == want)
		return false;
	if (!atomic_fetch_add(&wrongs, 1)) {
		atomic_store(&wrong_rv, rv);
		atomic_store(&wrong_line, line);
	}
	return true;
}

#define CHECK(expression, want)		wrong(expression, want, __LINE__)
#define CHECK_OK(expression)		CHECK(expression, CKR_OK)

static void assert_nothing_wrong(void)
{
	if (atomic_load(&wrongs))
		fail_msg("%lu wrong results; the first in line %d: %s", atomic_load(&wrongs),
			 atomic_load(&wrong_line), rv_name(atomic_load(&wrong_rv)));
}

/* Runs @body in THREADS threads, with their numbers. */
static void in_threads(void *(*body)(void *number))
{
	pthread_t threads[THREADS];
	intptr_t i;

	atomic_store(&wrongs, 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, body, (void *)i), 0);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_nothing_wrong();
}

static CK_RV open_rw(CK_SESSION_HANDLE *session)
{
	return p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session);
}

static int group_setup(void **state)
{
	int ret = suite_setup(state);
	CK_SESSION_HANDLE session = session_co(slot_a);

	aes = aes_key(session, 32, true, "everybody's");
	rsa_pair(session, 1024, true, "everybody's", &rsa_pub, &rsa_priv);
	sessions_close(slot_a);
	return ret;
}

/* ---- what threads do ---- */

static void sign_and_verify(CK_SESSION_HANDLE session)
{
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_BYTE sig[128];
	CK_ULONG len = sizeof(sig);

	CHECK_OK(p11->C_SignInit(session, &mech, rsa_priv));
	CHECK_OK(p11->C_Sign(session, text, sizeof(text), sig, &len));
	CHECK_OK(p11->C_VerifyInit(session, &mech, rsa_pub));
	CHECK_OK(p11->C_VerifyUpdate(session, text, 10));
	CHECK_OK(p11->C_VerifyUpdate(session, text + 10, sizeof(text) - 10));
	CHECK_OK(p11->C_VerifyFinal(session, sig, len));
}

static void encrypt_and_decrypt(CK_SESSION_HANDLE session, CK_BYTE number)
{
	CK_BYTE iv[16] = { number }, sealed[80], out[80];
	CK_GCM_PARAMS gcm = { iv, 12, 96, NULL, 0, 128 };
	CK_MECHANISM mech = { CKM_AES_GCM, &gcm, sizeof(gcm) };
	CK_ULONG len = sizeof(sealed), out_len = sizeof(out);

	CHECK_OK(p11->C_EncryptInit(session, &mech, aes));
	CHECK_OK(p11->C_Encrypt(session, text, sizeof(text), sealed, &len));
	CHECK_OK(p11->C_DecryptInit(session, &mech, aes));
	CHECK_OK(p11->C_Decrypt(session, sealed, len, out, &out_len));
	CHECK(out_len == sizeof(text) && !memcmp(out, text, out_len), true);
}

/* A key of the thread's own: made, found, read, used, changed, destroyed. */
static void live_and_die(CK_SESSION_HANDLE session, intptr_t number, bool token)
{
	CK_MECHANISM gen = { CKM_AES_KEY_GEN, NULL, 0 }, ecb = { CKM_AES_ECB, NULL, 0 };
	CK_ULONG bytes = 16, len = 16, count = 0;
	CK_BBOOL on_token = token;
	char label[32], other[32] = "";
	CK_BYTE out[16];
	CK_ATTRIBUTE tmpl[] = {
		ATTR_BYTES(CKA_LABEL, label, 0), ATTR(CKA_VALUE_LEN, bytes),
		ATTR(CKA_TOKEN, on_token),
	};
	CK_ATTRIBUTE read = ATTR(CKA_LABEL, other);
	CK_OBJECT_HANDLE key = 0, found = 0;

	tmpl[0].ulValueLen = snprintf(label, sizeof(label), "of thread %d", (int)number);
	if (CHECK_OK(p11->C_GenerateKey(session, &gen, tmpl, 3, &key)))
		return;
	CHECK_OK(p11->C_FindObjectsInit(session, tmpl, 1));
	CHECK_OK(p11->C_FindObjects(session, &found, 1, &count));
	CHECK_OK(p11->C_FindObjectsFinal(session));
	CHECK(count == 1 && found == key, true);
	CHECK_OK(p11->C_GetAttributeValue(session, key, &read, 1));
	CHECK(read.ulValueLen == tmpl[0].ulValueLen && !memcmp(label, other, read.ulValueLen),
	      true);
	CHECK_OK(p11->C_EncryptInit(session, &ecb, key));
	CHECK_OK(p11->C_Encrypt(session, text, 16, out, &len));
	CHECK_OK(p11->C_SetAttributeValue(session, key, tmpl, 1));
	CHECK_OK(p11->C_DestroyObject(session, key));
	CHECK(p11->C_EncryptInit(session, &ecb, key), CKR_KEY_HANDLE_INVALID);
	CHECK(p11->C_DestroyObject(session, key), CKR_OBJECT_HANDLE_INVALID);
}

/* Everybody's keys are always there, whatever others do to theirs. */
static void list(CK_SESSION_HANDLE session)
{
	CK_OBJECT_HANDLE objs[64];
	CK_ULONG count, i, seen = 0;

	CHECK_OK(p11->C_FindObjectsInit(session, NULL, 0));
	do {
		if (CHECK_OK(p11->C_FindObjects(session, objs, 64, &count)))
			break;
		for (i = 0; i < count; i++)
			seen += objs[i] == aes || objs[i] == rsa_pub || objs[i] == rsa_priv;
	} while (count);
	CHECK_OK(p11->C_FindObjectsFinal(session));
	CHECK(seen, 3);
}

static void *everything(void *number)
{
	CK_SESSION_HANDLE session;
	CK_TOKEN_INFO info;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (CHECK_OK(open_rw(&session)))
			return NULL;
		sign_and_verify(session);
		encrypt_and_decrypt(session, i);
		live_and_die(session, (intptr_t)number, i % 4 == 0);
		list(session);
		CHECK_OK(p11->C_GetTokenInfo(slot_a, &info));
		CHECK_OK(p11->C_CloseSession(session));
		CHECK(p11->C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
	}
	return NULL;
}

static void sessions_of_their_own(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);	/* keeps the login */

	(void)state;
	in_threads(everything);
	/* No more than there was. */
	assert_int_equal(object_count(session, NULL, 0), 3);
}

/* ---- one session for all ---- */

static CK_SESSION_HANDLE shared;
static CK_OBJECT_HANDLE shared_key;

static bool one_of(CK_RV rv, const CK_RV *list_of, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rv == list_of[i])
			return true;
	return false;
}

/* Operations get mixed up, as they must; but each result is one that a single caller could see. */
static void *share(void *number)
{
	static const CK_RV good[] = {
		CKR_OK, CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_BUFFER_TOO_SMALL,
		CKR_DATA_LEN_RANGE, CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID,
	};
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 }, sha = { CKM_SHA256, NULL, 0 };
	CK_ATTRIBUTE label = ATTR_STR(CKA_LABEL, "shared"), read;
	CK_OBJECT_HANDLE found[4];
	CK_BYTE out[64], value[16];
	CK_ULONG len, i, j;
	CK_RV rv[12];

	(void)number;
	for (i = 0; i < 4 * ROUNDS; i++) {
		len = sizeof(out);
		rv[0] = p11->C_EncryptInit(shared, &ecb, i & 1 ? aes : shared_key);
		rv[1] = p11->C_Encrypt(shared, text, 32, out, &len);
		rv[2] = p11->C_DigestInit(shared, &sha);
		rv[3] = p11->C_DigestUpdate(shared, text, 32);
		len = sizeof(out);
		rv[4] = p11->C_DigestFinal(shared, out, &len);
		rv[5] = p11->C_FindObjectsInit(shared, &label, 1);
		rv[6] = p11->C_FindObjects(shared, found, 4, &len);
		rv[7] = p11->C_FindObjectsFinal(shared);
		len = sizeof(out);
		rv[8] = p11->C_EncryptUpdate(shared, text, 20, out, &len);
		len = sizeof(out);
		rv[9] = p11->C_EncryptFinal(shared, out, &len);
		read = (CK_ATTRIBUTE)ATTR(CKA_LABEL, value);
		rv[10] = p11->C_GetAttributeValue(shared, shared_key, &read, 1);
		rv[11] = p11->C_SetAttributeValue(shared, shared_key, &label, 1);
		for (j = 0; j < COUNT(rv); j++)
			if (!one_of(rv[j], good, COUNT(good)))
				CHECK_OK(rv[j]);
	}
	return NULL;
}

static void one_session_for_all(void **state)
{
	(void)state;
	shared = session_co(slot_a);
	shared_key = aes_key(shared, 16, false, "shared");
	in_threads(share);
	assert_ok(ca->CA_SessionCancel(shared, CKF_ENCRYPT | CKF_DIGEST | CKF_FIND_OBJECTS));
	assert_int_equal(session_info(shared).state, CKS_RW_USER_FUNCTIONS);
	sign_and_verify(shared);
	assert_nothing_wrong();
}

/* A session that is closed while others use it: they get told. */
static void *close_shared(void *number)
{
	CK_MECHANISM sha = { CKM_SHA256, NULL, 0 };
	CK_BYTE out[32];
	CK_ULONG len, closed = 0;
	CK_RV rv;
	int i;

	for (i = 0; i < 20 * ROUNDS && !closed; i++) {
		len = sizeof(out);
		if ((intptr_t)number == 0 && i == ROUNDS)
			CHECK_OK(p11->C_CloseSession(shared));
		rv = p11->C_DigestInit(shared, &sha);
		closed = rv == CKR_SESSION_HANDLE_INVALID;
		if (rv != CKR_OK && rv != CKR_OPERATION_ACTIVE && !closed)
			CHECK_OK(rv);
		rv = p11->C_Digest(shared, text, sizeof(text), out, &len);
		closed |= rv == CKR_SESSION_HANDLE_INVALID;
		if (rv != CKR_OK && rv != CKR_OPERATION_NOT_INITIALIZED && !closed)
			CHECK_OK(rv);
	}
	return NULL;
}

static void closed_by_another(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 5; i++) {
		shared = session_open(slot_a);
		in_threads(close_shared);
		assert_rv(p11->C_CloseSession(shared), CKR_SESSION_HANDLE_INVALID);
	}
}

/* ---- a key that goes away under those who use it ---- */

static atomic_ulong shared_object;

static void *use_or_replace(void *number)
{
	static const CK_RV good[] = {
		CKR_OK, CKR_KEY_HANDLE_INVALID, CKR_OPERATION_NOT_INITIALIZED,
	};
	CK_MECHANISM gen = { CKM_AES_KEY_GEN, NULL, 0 }, ecb = { CKM_AES_ECB, NULL, 0 };
	CK_ULONG bytes = 16, len;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_VALUE_LEN, bytes) };
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_BYTE out[64];
	CK_RV init, rv;
	int i;

	if (CHECK_OK(open_rw(&session)))
		return NULL;
	for (i = 0; i < 3 * ROUNDS; i++) {
		if ((intptr_t)number == 0) {
			CHECK_OK(p11->C_GenerateKey(session, &gen, tmpl, 1, &key));
			key = atomic_exchange(&shared_object, key);
			CHECK_OK(p11->C_DestroyObject(session, key));
			continue;
		}
		len = sizeof(out);
		key = atomic_load(&shared_object);
		init = p11->C_EncryptInit(session, &ecb, key);
		rv = p11->C_Encrypt(session, text, 64, out, &len);
		if (!one_of(init, good, 2) || !one_of(rv, good, 3))
			CHECK_OK(init == CKR_OK ? rv : init);
	}
	CHECK_OK(p11->C_CloseSession(session));
	return NULL;
}

static void key_replaced(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);

	(void)state;
	atomic_store(&shared_object, aes_key(session, 16, false, "to be replaced"));
	in_threads(use_or_replace);
}

/* ---- log in and out, C_Initialize and C_Finalize ---- */

static void *log_in_and_out(void *number)
{
	static const CK_RV in[] = { CKR_OK, CKR_USER_ALREADY_LOGGED_IN };
	static const CK_RV out[] = { CKR_OK, CKR_USER_NOT_LOGGED_IN };
	static const CK_RV use[] = {
		CKR_OK, CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN,
		CKR_OPERATION_NOT_INITIALIZED,
	};
	CK_MECHANISM ecb = { CKM_AES_ECB, NULL, 0 };
	CK_SESSION_HANDLE session;
	CK_BYTE bytes[64];
	CK_ULONG len;
	CK_RV rv;
	int i;

	if (CHECK_OK(open_rw(&session)))
		return NULL;
	for (i = 0; i < ROUNDS / 2; i++) {
		if ((intptr_t)number < 2) {
			rv = p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN,
					  strlen(CO_PIN));
			if (!one_of(rv, in, 2))
				CHECK_OK(rv);
			rv = p11->C_Logout(session);
			if (!one_of(rv, out, 2))
				CHECK_OK(rv);
			continue;
		}
		rv = p11->C_EncryptInit(session, &ecb, aes);
		if (!one_of(rv, use, 3))
			CHECK_OK(rv);
		len = sizeof(bytes);
		rv = p11->C_Encrypt(session, text, 64, bytes, &len);
		if (!one_of(rv, use, 4))
			CHECK_OK(rv);
	}
	CHECK_OK(p11->C_CloseSession(session));
	return NULL;
}

static void logins(void **state)
{
	(void)state;
	in_threads(log_in_and_out);
}

static void *come_and_go(void *number)
{
	static const CK_RV start[] = { CKR_OK, CKR_CRYPTOKI_ALREADY_INITIALIZED };
	static const CK_RV use[] = {
		CKR_OK, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SESSION_HANDLE_INVALID,
		CKR_OPERATION_NOT_INITIALIZED,
	};
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_MECHANISM sha = { CKM_SHA256, NULL, 0 };
	CK_SESSION_HANDLE session = 0;
	CK_BYTE out[32];
	CK_ULONG len;
	CK_RV rv;
	int i;

	for (i = 0; i < 2 * ROUNDS; i++) {
		rv = p11->C_Initialize(&args);
		if (!one_of(rv, start, 2))
			CHECK_OK(rv);
		rv = open_rw(&session);
		if (!one_of(rv, use, 2))
			CHECK_OK(rv);
		len = sizeof(out);
		rv = p11->C_DigestInit(session, &sha);
		if (!one_of(rv, use, 3))
			CHECK_OK(rv);
		rv = p11->C_Digest(session, text, sizeof(text), out, &len);
		if (!one_of(rv, use, 4))
			CHECK_OK(rv);
		if ((i + (intptr_t)number) % 5)
			continue;
		rv = p11->C_Finalize(NULL);
		if (!one_of(rv, use, 2))
			CHECK_OK(rv);
	}
	return NULL;
}

static void initialize_and_finalize(void **state)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv;

	(void)state;
	in_threads(come_and_go);
	rv = p11->C_Initialize(&args);
	assert_true(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
	sessions_close(slot_a);
	assert_int_equal(session_info(session_co(slot_a)).state, CKS_RW_USER_FUNCTIONS);
}

/* ---- processes ---- */

enum { PROCESSES = 5 };

static int process(void *arg)
{
	intptr_t number = (intptr_t)arg;
	CK_SESSION_HANDLE session;
	CK_SLOT_INFO slot;
	CK_ULONG count;
	int i;

	MUST(open_rw(&session), CKR_OK);
	MUST(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)), CKR_OK);
	for (i = 0; i < ROUNDS; i++) {
		if (number < 2) {
			live_and_die(session, number, true);
		} else {
			list(session);
			sign_and_verify(session);
			encrypt_and_decrypt(session, i);
		}
		MUST(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
		MUST(count >= 2, true);
		MUST(p11->C_GetSlotInfo(slot_a, &slot), CKR_OK);
		MUST(slot.flags & CKF_TOKEN_PRESENT, CKF_TOKEN_PRESENT);
	}
	if (atomic_load(&wrongs))
		fprintf(stderr, "# process %d, line %d: %s\n", (int)number,
			atomic_load(&wrong_line),
			rv_name(atomic_load(&wrong_rv)));
	return atomic_load(&wrongs) != 0;
}

static void processes(void **state)
{
	pid_t children[PROCESSES];
	int statuses[PROCESSES];
	intptr_t i;

	(void)state;
	atomic_store(&wrongs, 0);
	for (i = 0; i < PROCESSES; i++)
		children[i] = child_start(process, (void *)i);
	for (i = 0; i < PROCESSES; i++)
		statuses[i] = child_wait(children[i]);
	for (i = 0; i < PROCESSES; i++)
		assert_int_equal(statuses[i], 0);
	assert_int_equal(object_count(session_co(slot_a), NULL, 0), 3);
}

/* fork() while threads are in the middle of calls: the child starts over, whatever they held. */
static void *keep_busy(void *stop)
{
	CK_SESSION_HANDLE session;

	while (!atomic_load((atomic_bool *)stop)) {
		if (CHECK_OK(open_rw(&session)))
			break;
		sign_and_verify(session);
		CHECK_OK(p11->C_CloseSession(session));
	}
	return NULL;
}

static int starts_over(void *arg)
{
	CK_SESSION_HANDLE session;

	(void)arg;
	MUST(open_rw(&session), CKR_OK);
	MUST(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)), CKR_OK);
	atomic_store(&wrongs, 0);
	sign_and_verify(session);
	return atomic_load(&wrongs) != 0;
}

static void fork_among_threads(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	pthread_t threads[3];
	atomic_bool stop = false;
	int statuses[8];
	size_t i;

	(void)state;
	assert_int_not_equal(session, 0);
	atomic_store(&wrongs, 0);
	for (i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, keep_busy, &stop), 0);
	for (i = 0; i < COUNT(statuses); i++) {
		usleep(2000);
		statuses[i] = child_run(starts_over, NULL);
	}
	atomic_store(&stop, true);
	for (i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < COUNT(statuses); i++)
		assert_int_equal(statuses[i], 0);
	assert_nothing_wrong();
}

#define TEST(name)	cmocka_unit_test_teardown(name, sessions_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sessions_of_their_own),
		TEST(one_session_for_all),
		TEST(closed_by_another),
		TEST(key_replaced),
		TEST(logins),
		TEST(processes),
		TEST(fork_among_threads),
		TEST(initialize_and_finalize),
	};

	alarm(300);		/* a deadlock is a failure */
	return cmocka_run_group_tests(tests, group_setup, suite_teardown);
}
