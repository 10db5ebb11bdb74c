// SPDX-License-Identifier: MIT
/*
 * The frame of PKCS#11 v2.40: initialisation, function lists, slots, tokens, sessions, logins by role,
 * PINs, and every function before C_Initialize (5.4 to 5.6).
 */
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

#define PIN(p)	(CK_UTF8CHAR_PTR)(p), strlen(p)

/* ---- initialisation ---- */

static void functions_before_initialize(void **state)
{
	CK_MECHANISM mech = { CKM_SHA256, NULL, 0 };
	CK_SLOT_ID slots[4];
	CK_ULONG len = 4;
	CK_BYTE bytes[32];
	CK_INFO info;

	assert_ok(p11->C_Finalize(NULL));
	assert_rv(p11->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_rv(p11->C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_rv(p11->C_GetSlotList(CK_TRUE, slots, &len), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_rv(p11->C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &len),
		  CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_rv(p11->C_DigestInit(1, &mech), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_rv(p11->C_GenerateRandom(1, bytes, 32), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_rv(p11->C_CloseSession(1), CKR_CRYPTOKI_NOT_INITIALIZED);
	assert_rv(ca->CA_HALogin(1, bytes, 1, NULL, &len), CKR_CRYPTOKI_NOT_INITIALIZED);
	suite_setup_bare(state);
	assert_rv(p11->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
}

static CK_RV mutex_create(CK_VOID_PTR_PTR mutex)
{
	*mutex = calloc(1, sizeof(pthread_mutex_t));
	return *mutex && !pthread_mutex_init(*mutex, NULL) ? CKR_OK : CKR_HOST_MEMORY;
}

static CK_RV mutex_destroy(CK_VOID_PTR mutex)
{
	pthread_mutex_destroy(mutex);
	free(mutex);
	return CKR_OK;
}

static CK_RV mutex_lock(CK_VOID_PTR mutex)
{
	return pthread_mutex_lock(mutex) ? CKR_MUTEX_BAD : CKR_OK;
}

static CK_RV mutex_unlock(CK_VOID_PTR mutex)
{
	return pthread_mutex_unlock(mutex) ? CKR_MUTEX_NOT_LOCKED : CKR_OK;
}

static void initialize_arguments(void **state)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_SLOT_ID slots[8];
	CK_ULONG len = 8;
	int reserved;

	assert_ok(p11->C_Finalize(NULL));
	args.pReserved = &reserved;
	assert_rv(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
	args.pReserved = NULL;
	args.CreateMutex = mutex_create;
	assert_rv(p11->C_Initialize(&args), CKR_ARGUMENTS_BAD);
	args.DestroyMutex = mutex_destroy;
	args.LockMutex = mutex_lock;
	args.UnlockMutex = mutex_unlock;
	args.flags = 0;
	assert_ok(p11->C_Initialize(&args));
	assert_ok(p11->C_GetSlotList(CK_TRUE, slots, &len));
	assert_ok(p11->C_Finalize(NULL));
	assert_ok(p11->C_Initialize(NULL));
	assert_rv(p11->C_Finalize(&reserved), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_Finalize(NULL));
	suite_setup_bare(state);
}

static void function_lists(void **state)
{
	CK_FUNCTION_LIST_PTR list;
	void **entry;
	size_t i;

	(void)state;
	assert_ok(p11->C_GetFunctionList(&list));
	assert_ptr_equal(list, p11);
	assert_int_equal(list->version.major, 2);
	assert_int_equal(list->version.minor, 40);
	assert_int_equal(sizeof(*list), 552);
	entry = (void **)list + 1;
	for (i = 0; i < 68; i++)
		assert_non_null(entry[i]);
	assert_rv(p11->C_GetFunctionList(NULL), CKR_ARGUMENTS_BAD);
	entry = (void **)ca + 1;
	for (i = 0; i < sizeof(*ca) / sizeof(void *) - 1; i++)
		assert_non_null(entry[i]);
}

static void library_info(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_INFO info;

	(void)state;
	assert_ok(p11->C_GetInfo(&info));
	assert_int_equal(info.cryptokiVersion.major, 2);
	assert_int_equal(info.flags, 0);
	assert_rv(p11->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GetFunctionStatus(session), CKR_FUNCTION_NOT_PARALLEL);
	assert_rv(p11->C_CancelFunction(session), CKR_FUNCTION_NOT_PARALLEL);
	sessions_close(slot_a);
}

static void forked_child(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_SESSION_INFO info;
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_BYTE bytes[8];
	int status = -1;
	pid_t child;

	(void)state;
	fflush(NULL);
	child = fork();
	if (!child) {
		int bad = 0;

		bad |= p11->C_GetSessionInfo(session, &info) == CKR_CRYPTOKI_NOT_INITIALIZED ? 0 : 1;
		bad |= p11->C_Initialize(&args) == CKR_OK ? 0 : 2;
		bad |= p11->C_GetSessionInfo(session, &info) == CKR_SESSION_HANDLE_INVALID ? 0 : 4;
		bad |= p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &session) ==
		       CKR_OK ? 0 : 8;
		bad |= p11->C_GetSessionInfo(session, &info) == CKR_OK &&
		       info.state == CKS_RO_PUBLIC_SESSION ? 0 : 16;
		bad |= p11->C_Finalize(NULL) == CKR_OK ? 0 : 32;
		_exit(bad);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(session_info(session).state, CKS_RW_USER_FUNCTIONS);
	assert_ok(p11->C_GenerateRandom(session, bytes, sizeof(bytes)));
	sessions_close(slot_a);
}

static int hand_out(int fd, CK_SESSION_HANDLE session)
{
	CK_BYTE bytes[32];

	return p11->C_GenerateRandom(session, bytes, 32) == CKR_OK && write(fd, bytes, 32) == 32 ? 0 : 1;
}

/* Bytes that the library fetched ahead before a fork are never handed out on both sides of it. */
static void forked_random(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_BYTE mine[32], theirs[32];
	int pipes[2], status = -1, i;
	pid_t child;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_ok(p11->C_GenerateRandom(session, mine, 32));
	assert_int_equal(pipe(pipes), 0);
	fflush(NULL);
	child = fork();
	if (!child) {
		int bad = p11->C_GenerateRandom(session, theirs, 32) != CKR_CRYPTOKI_NOT_INITIALIZED;

		bad |= p11->C_Initialize(&args) != CKR_OK;
		bad |= p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK;
		_exit(bad | hand_out(pipes[1], session));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(read(pipes[0], theirs, 32), 32);
	for (i = 0; i < 100; i++) {
		assert_ok(p11->C_GenerateRandom(session, mine, 32));
		assert_memory_not_equal(mine, theirs, 32);
	}
	close(pipes[0]);
	close(pipes[1]);
	sessions_close(slot_a);
}

/* ---- slots and tokens ---- */

static void slot_list(void **state)
{
	CK_SLOT_ID slots[8];
	CK_ULONG count = 0, want;

	(void)state;
	assert_rv(p11->C_GetSlotList(CK_FALSE, NULL, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(p11->C_GetSlotList(CK_FALSE, NULL, &want));
	assert_true(want >= 2);
	count = want - 1;
	assert_rv(p11->C_GetSlotList(CK_FALSE, slots, &count), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(count, want);
	count = 8;
	assert_ok(p11->C_GetSlotList(CK_FALSE, slots, &count));
	assert_int_equal(count, want);
}

static void slot_and_token_info(void **state)
{
	CK_SLOT_INFO slot;
	CK_TOKEN_INFO token;

	(void)state;
	assert_ok(p11->C_GetSlotInfo(slot_a, &slot));
	assert_true(slot.flags & CKF_TOKEN_PRESENT);
	assert_true(slot.flags & CKF_HW_SLOT);
	assert_ok(p11->C_GetTokenInfo(slot_a, &token));
	assert_memory_equal(token.label, "token a                         ", 32);
	assert_true(token.flags & CKF_TOKEN_INITIALIZED);
	assert_true(token.flags & CKF_USER_PIN_INITIALIZED);
	assert_true(token.flags & CKF_LOGIN_REQUIRED);
	assert_true(token.flags & CKF_RNG);
	assert_false(token.flags & (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED));
	assert_int_equal(token.ulMaxPinLen, 255);
	assert_rv(p11->C_GetSlotInfo(9999, &slot), CKR_SLOT_ID_INVALID);
	assert_rv(p11->C_GetTokenInfo(9999, &token), CKR_SLOT_ID_INVALID);
	assert_rv(p11->C_GetSlotInfo(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GetTokenInfo(slot_a, NULL), CKR_ARGUMENTS_BAD);
}

static void mechanism_list(void **state)
{
	static const CK_MECHANISM_TYPE promised[] = {
		CKM_RSA_PKCS_KEY_PAIR_GEN, CKM_RSA_PKCS, CKM_RSA_X_509, CKM_RSA_PKCS_OAEP,
		CKM_RSA_PKCS_PSS, CKM_SHA1_RSA_PKCS, CKM_SHA224_RSA_PKCS, CKM_SHA256_RSA_PKCS,
		CKM_SHA384_RSA_PKCS, CKM_SHA512_RSA_PKCS, CKM_SHA1_RSA_PKCS_PSS,
		CKM_SHA224_RSA_PKCS_PSS, CKM_SHA256_RSA_PKCS_PSS, CKM_SHA384_RSA_PKCS_PSS,
		CKM_SHA512_RSA_PKCS_PSS, CKM_AES_KEY_GEN, CKM_AES_ECB, CKM_AES_CBC, CKM_AES_CBC_PAD,
		CKM_AES_CTR, CKM_AES_GCM, CKM_AES_CMAC, CKM_AES_GMAC, CKM_AES_KW, CKM_AES_KWP,
		CKM_SHA_1, CKM_SHA224,
		CKM_SHA256, CKM_SHA384, CKM_SHA512, CKM_SHA_1_HMAC, CKM_SHA224_HMAC, CKM_SHA256_HMAC,
		CKM_SHA384_HMAC, CKM_SHA512_HMAC, CKM_GENERIC_SECRET_KEY_GEN,
		CKM_CONCATENATE_BASE_AND_KEY, CKM_CONCATENATE_BASE_AND_DATA,
		CKM_CONCATENATE_DATA_AND_BASE, CKM_XOR_BASE_AND_DATA, CKM_EXTRACT_KEY_FROM_KEY,
		CKM_SHA1_KEY_DERIVATION, CKM_SHA256_KEY_DERIVATION, CKM_AES_ECB_ENCRYPT_DATA,
		CKM_AES_CBC_ENCRYPT_DATA, CKM_SHA3_224, CKM_SHA3_256, CKM_SHA3_384, CKM_SHA3_512,
		CKM_SHA3_224_HMAC, CKM_SHA3_256_HMAC, CKM_SHA3_384_HMAC, CKM_SHA3_512_HMAC,
		CKM_SHA3_224_RSA_PKCS, CKM_SHA3_256_RSA_PKCS, CKM_SHA3_384_RSA_PKCS,
		CKM_SHA3_512_RSA_PKCS, CKM_SHA3_224_RSA_PKCS_PSS, CKM_SHA3_256_RSA_PKCS_PSS,
		CKM_SHA3_384_RSA_PKCS_PSS, CKM_SHA3_512_RSA_PKCS_PSS, CKM_SHA3_224_KEY_DERIVATION,
		CKM_SHA3_256_KEY_DERIVATION, CKM_SHA3_384_KEY_DERIVATION, CKM_SHA3_512_KEY_DERIVATION,
	};
	CK_MECHANISM_INFO info;
	CK_MECHANISM_TYPE list[512];
	CK_ULONG count = 512, i, small = 1;

	(void)state;
	for (i = 0; i < sizeof(promised) / sizeof(promised[0]); i++)
		if (!mechanism_listed(slot_a, promised[i]))
			fail_msg("mechanism 0x%lx is not listed", promised[i]);
	assert_ok(p11->C_GetMechanismList(slot_a, list, &count));
	for (i = 0; i < count; i++) {
		assert_ok(p11->C_GetMechanismInfo(slot_a, list[i], &info));
		assert_true(info.ulMinKeySize <= info.ulMaxKeySize);
		assert_int_not_equal(info.flags & ~(CK_FLAGS)CKF_HW, 0);
		/* What pkcs11-tool --test looks for before it signs anything */
		assert_true(info.flags & CKF_HW);
	}
	assert_rv(p11->C_GetMechanismList(slot_a, list, &small), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(small, count);
	assert_rv(p11->C_GetMechanismInfo(slot_a, 0x7fffffff, &info), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_GetMechanismInfo(slot_a, CKM_MD2, &info), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_GetMechanismList(9999, NULL, &count), CKR_SLOT_ID_INVALID);
}

static void init_token_rules(void **state)
{
	CK_UTF8CHAR label[32] = "again                           ";
	CK_SESSION_HANDLE session = session_open(slot_b);
	CK_TOKEN_INFO before, after;

	(void)state;
	assert_ok(p11->C_GetTokenInfo(slot_b, &before));
	assert_rv(p11->C_InitToken(slot_b, PIN(SO_PIN), label), CKR_SESSION_EXISTS);
	assert_ok(p11->C_CloseSession(session));
	assert_rv(p11->C_InitToken(slot_b, PIN("wrong so pin"), label), CKR_PIN_INCORRECT);
	assert_rv(p11->C_InitToken(slot_b, NULL, 8, label), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_InitToken(slot_b, PIN(SO_PIN), NULL), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_InitToken(9999, PIN(SO_PIN), label), CKR_SLOT_ID_INVALID);
	session = session_co(slot_b);
	aes_key(session, 32, true, "will be gone");
	sessions_close(slot_b);
	token_init(slot_b, "again", DOMAIN);
	assert_ok(p11->C_GetTokenInfo(slot_b, &after));
	assert_memory_equal(after.label, label, 32);
	assert_memory_equal(after.serialNumber, before.serialNumber, 16);
	session = session_co(slot_b);
	assert_int_equal(object_by_label(session, "will be gone"), 0);
	sessions_close(slot_b);
	token_init(slot_b, "token b", DOMAIN);
}

static void slot_events(void **state)
{
	CK_SLOT_ID slot;

	(void)state;
	assert_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
}

/* ---- sessions ---- */

static void session_open_close(void **state)
{
	CK_SESSION_HANDLE session = 0, other;
	CK_SESSION_INFO info;

	(void)state;
	assert_rv(p11->C_OpenSession(slot_a, CKF_RW_SESSION, NULL, NULL, &session),
		  CKR_SESSION_PARALLEL_NOT_SUPPORTED);
	assert_rv(p11->C_OpenSession(9999, CKF_SERIAL_SESSION, NULL, NULL, &session),
		  CKR_SLOT_ID_INVALID);
	assert_rv(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
	session = session_open(slot_a);
	assert_int_not_equal(session, CK_INVALID_HANDLE);
	other = session_open_ro(slot_a);
	assert_int_not_equal(session, other);
	info = session_info(session);
	assert_int_equal(info.slotID, slot_a);
	assert_int_equal(info.state, CKS_RW_PUBLIC_SESSION);
	assert_int_equal(info.flags, CKF_RW_SESSION | CKF_SERIAL_SESSION);
	assert_int_equal(session_info(other).state, CKS_RO_PUBLIC_SESSION);
	assert_ok(p11->C_CloseSession(session));
	assert_rv(p11->C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_GetSessionInfo(0, &info), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_GetSessionInfo(~0UL, &info), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_GetSessionInfo(other, NULL), CKR_ARGUMENTS_BAD);
	sessions_close(slot_a);
	assert_rv(p11->C_GetSessionInfo(other, &info), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_CloseAllSessions(9999), CKR_SLOT_ID_INVALID);
}

/* Vendor bits of C_OpenSession, which clients set, mean nothing here. */
static void session_vendor_flags(void **state)
{
	CK_SESSION_HANDLE session;

	(void)state;
	assert_ok(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION | 0x8000, NULL, NULL,
				     &session));
	assert_ok(p11->C_CloseSession(session));
}

static void many_sessions(void **state)
{
	CK_SESSION_HANDLE sessions[500];
	size_t i;

	(void)state;
	for (i = 0; i < 500; i++)
		sessions[i] = session_open_ro(slot_a);
	for (i = 0; i < 500; i += 2)
		assert_ok(p11->C_CloseSession(sessions[i]));
	for (i = 1; i < 500; i += 2)
		assert_int_equal(session_info(sessions[i]).state, CKS_RO_PUBLIC_SESSION);
	sessions_close(slot_a);
}

static void session_states(void **state)
{
	CK_SESSION_HANDLE rw = session_open(slot_a), ro = session_open_ro(slot_a);
	CK_SESSION_HANDLE other = session_open(slot_b), late;

	(void)state;
	assert_rv(p11->C_Login(rw, CKU_SO, PIN(SO_PIN)), CKR_SESSION_READ_ONLY_EXISTS);
	session_login(ro, CKU_USER, CO_PIN);
	assert_int_equal(session_info(rw).state, CKS_RW_USER_FUNCTIONS);
	assert_int_equal(session_info(ro).state, CKS_RO_USER_FUNCTIONS);
	assert_int_equal(session_info(other).state, CKS_RW_PUBLIC_SESSION);
	late = session_open(slot_a);
	assert_int_equal(session_info(late).state, CKS_RW_USER_FUNCTIONS);
	assert_ok(p11->C_Logout(late));
	assert_int_equal(session_info(rw).state, CKS_RW_PUBLIC_SESSION);
	assert_ok(p11->C_CloseSession(ro));
	session_login(rw, CKU_SO, SO_PIN);
	assert_int_equal(session_info(late).state, CKS_RW_SO_FUNCTIONS);
	assert_rv(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &ro),
		  CKR_SESSION_READ_WRITE_SO_EXISTS);
	sessions_close(slot_a);
	rw = session_open(slot_a);
	assert_int_equal(session_info(rw).state, CKS_RW_PUBLIC_SESSION);
	sessions_close(slot_a);
	sessions_close(slot_b);
}

/* ---- logins ---- */

static void login_errors(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);

	(void)state;
	assert_rv(p11->C_Logout(session), CKR_USER_NOT_LOGGED_IN);
	assert_rv(p11->C_Login(session, 77, PIN(CO_PIN)), CKR_USER_TYPE_INVALID);
	assert_rv(p11->C_Login(session, CKU_USER, NULL, 4), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_Login(session, CKU_USER, PIN("nonsense")), CKR_PIN_INCORRECT);
	assert_rv(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, PIN(CO_PIN)),
		  CKR_OPERATION_NOT_INITIALIZED);
	session_login(session, CKU_USER, CO_PIN);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_ALREADY_LOGGED_IN);
	assert_rv(p11->C_Login(session, CKU_SO, PIN(SO_PIN)), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	assert_rv(p11->C_Login(session, CKU_CRYPTO_USER, PIN(CU_PIN)),
		  CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_CRYPTO_USER, CU_PIN);
	assert_int_equal(session_info(session).state, CKS_RW_USER_FUNCTIONS);
	assert_ok(p11->C_Logout(session));
	session_login(session, 0x8000001, CU_PIN);	/* CKU_LIMITED_USER_OLD */
	sessions_close(slot_a);
}

static void login_role_missing(void **state)
{
	CK_UTF8CHAR label[32] = "bare                            ";
	CK_SESSION_HANDLE session;

	(void)state;
	assert_ok(p11->C_InitToken(slot_b, PIN(SO_PIN), label));
	session = session_open(slot_b);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
	assert_rv(p11->C_Login(session, CKU_CRYPTO_USER, PIN(CU_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
	sessions_close(slot_b);
	token_init(slot_b, "token b", DOMAIN);
}

static void set_pin(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a), ro = session_open_ro(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 16, true, "set pin");

	(void)state;
	assert_rv(p11->C_SetPIN(ro, PIN(CO_PIN), PIN("new-co-pin")), CKR_SESSION_READ_ONLY);
	assert_rv(p11->C_SetPIN(session, PIN("not it"), PIN("new-co-pin")), CKR_PIN_INCORRECT);
	assert_rv(p11->C_SetPIN(session, PIN(CO_PIN), PIN("abc")), CKR_PIN_LEN_RANGE);
	assert_ok(p11->C_SetPIN(session, PIN(CO_PIN), PIN("new-co-pin")));
	sessions_close(slot_a);
	session = session_open(slot_a);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_PIN_INCORRECT);
	session_login(session, CKU_USER, "new-co-pin");
	key = object_by_label(session, "set pin");
	assert_int_not_equal(key, 0);
	assert_ok(p11->C_Logout(session));
	/* Public session: the user's PIN. */
	assert_ok(p11->C_SetPIN(session, PIN("new-co-pin"), PIN(CO_PIN)));
	session_login(session, CKU_USER, CO_PIN);
	assert_ok(p11->C_DestroyObject(session, object_by_label(session, "set pin")));
	sessions_close(slot_a);
}

static void init_pin_rules(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);

	(void)state;
	assert_rv(p11->C_InitPIN(session, PIN(CO_PIN)), CKR_USER_NOT_LOGGED_IN);
	session_login(session, CKU_USER, CO_PIN);
	assert_rv(p11->C_InitPIN(session, PIN(CO_PIN)), CKR_USER_NOT_LOGGED_IN);
	aes_key(session, 16, true, "kept over reset");
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(p11->C_InitPIN(session, PIN("x")), CKR_PIN_LEN_RANGE);
	/* The SO resets the PIN; the objects stay. */
	assert_ok(p11->C_InitPIN(session, PIN("reset-pin")));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, "reset-pin");
	assert_ok(p11->C_DestroyObject(session, object_by_label(session, "kept over reset")));
	assert_ok(p11->C_SetPIN(session, PIN("reset-pin"), PIN(CO_PIN)));
	sessions_close(slot_a);
}

/* CKA_ALWAYS_AUTHENTICATE: the PIN again for every operation, whatever the library keeps back. */
static void always_authenticate(void **state)
{
	CK_MECHANISM gen = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 }, mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_ULONG bits = 1024, len;
	CK_ATTRIBUTE pub[] = { ATTR(CKA_MODULUS_BITS, bits) };
	CK_ATTRIBUTE priv[] = { ATTR(CKA_ALWAYS_AUTHENTICATE, yes), ATTR(CKA_SIGN, yes) };
	CK_OBJECT_HANDLE pub_key, key;
	CK_BYTE sig[128], data[8] = "data";
	int i;

	(void)state;
	assert_ok(p11->C_GenerateKeyPair(session, &gen, pub, 1, priv, 2, &pub_key, &key));
	assert_true(attr_bool(session, key, CKA_ALWAYS_AUTHENTICATE));
	assert_rv(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, PIN(CO_PIN)),
		  CKR_OPERATION_NOT_INITIALIZED);
	for (i = 0; i < 4; i++) {
		len = sizeof(sig);
		assert_ok(p11->C_SignInit(session, &mech, key));
		assert_rv(p11->C_Sign(session, data, 8, sig, &len), CKR_USER_NOT_LOGGED_IN);
		assert_rv(p11->C_Sign(session, data, 8, sig, &len), CKR_OPERATION_NOT_INITIALIZED);
		assert_ok(p11->C_SignInit(session, &mech, key));
		assert_rv(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, PIN("not the pin")),
			  CKR_PIN_INCORRECT);
		assert_ok(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, PIN(CO_PIN)));
		assert_rv(p11->C_Login(session, CKU_CONTEXT_SPECIFIC, PIN(CO_PIN)),
			  CKR_OPERATION_NOT_INITIALIZED);
		len = sizeof(sig);
		assert_ok(p11->C_Sign(session, data, 8, sig, &len));
		assert_ok(p11->C_VerifyInit(session, &mech, pub_key));
		assert_ok(p11->C_Verify(session, data, 8, sig, len));
	}
	sessions_close(slot_a);
}

/* ---- random ---- */

static void random_numbers(void **state)
{
	CK_SESSION_HANDLE session = session_open_ro(slot_a);
	CK_BYTE a[64], b[64], *big = malloc(100000);
	size_t i, zeros = 0;

	(void)state;
	assert_non_null(big);
	assert_ok(p11->C_GenerateRandom(session, a, sizeof(a)));
	assert_ok(p11->C_GenerateRandom(session, b, sizeof(b)));
	assert_memory_not_equal(a, b, sizeof(a));
	memset(big, 0, 100000);
	assert_ok(p11->C_GenerateRandom(session, big, 100000));
	for (i = 0; i < 100000; i++)
		zeros += !big[i];
	assert_in_range(zeros, 250, 550);	/* 390 expected, 8 standard deviations */
	/* Small requests, which the library may answer from bytes fetched ahead, never repeat themselves. */
	for (i = 0; i < 1000; i++) {
		size_t j;

		assert_ok(p11->C_GenerateRandom(session, big + 16 * i, 16));
		for (j = i > 200 ? i - 200 : 0; j < i; j++)
			assert_memory_not_equal(big + 16 * i, big + 16 * j, 16);
	}
	assert_rv(p11->C_GenerateRandom(session, NULL, 4), CKR_ARGUMENTS_BAD);
	assert_rv(p11->C_GenerateRandom(9, a, 4), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_SeedRandom(session, a, 4), CKR_RANDOM_SEED_NOT_SUPPORTED);
	sessions_close(slot_a);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_before_initialize),
		cmocka_unit_test(initialize_arguments),
		cmocka_unit_test(function_lists),
		cmocka_unit_test(library_info),
		cmocka_unit_test(forked_child),
		cmocka_unit_test(forked_random),
		cmocka_unit_test(slot_list),
		cmocka_unit_test(slot_and_token_info),
		cmocka_unit_test(mechanism_list),
		cmocka_unit_test(init_token_rules),
		cmocka_unit_test(slot_events),
		cmocka_unit_test(session_open_close),
		cmocka_unit_test(session_vendor_flags),
		cmocka_unit_test(many_sessions),
		cmocka_unit_test(session_states),
		cmocka_unit_test(login_errors),
		cmocka_unit_test(login_role_missing),
		cmocka_unit_test(set_pin),
		cmocka_unit_test(init_pin_rules),
		cmocka_unit_test(always_authenticate),
		cmocka_unit_test(random_numbers),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
