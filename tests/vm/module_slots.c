// SPDX-License-Identifier: MIT
/*
 * What the slots of luna.ko do that those of a daemon do not: they go while they are in use and
 * come back, and their memory is the kernel's. Also two applications at once. By the library; the
 * token of the first slot is durable. Usage: module_slots [pressure | beside FILE]
 *
 * pressure: fills what memory there is, to be run in a control group with little of it; beside:
 * works until FILE is there, and may find no memory.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../conformance/suite.h"

static const char text[] = "what everybody signs";
static CK_MECHANISM rsa_sign = { CKM_SHA256_RSA_PKCS, NULL, 0 };

static void slot_command(const char *command)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/class/luna/%s", command);
	fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "0", 1), 1);
	close(fd);
}

static CK_ULONG present_slots(void)
{
	CK_ULONG count = 0;

	assert_ok(p11->C_GetSlotList(CK_TRUE, NULL, &count));
	return count;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_BYTE sig[128];
	CK_ULONG len = sizeof(sig);
	CK_RV rv = p11->C_SignInit(session, &rsa_sign, key);

	return rv == CKR_OK ? p11->C_Sign(session, (CK_BYTE_PTR)text, sizeof(text), sig, &len) : rv;
}

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label,
		  CK_OBJECT_HANDLE *obj)
{
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class), ATTR_STR(CKA_LABEL, label) };
	CK_ULONG found = 0;
	CK_RV rv = p11->C_FindObjectsInit(session, tmpl, COUNT(tmpl));

	if (rv == CKR_OK)
		rv = p11->C_FindObjects(session, obj, 1, &found);
	if (rv == CKR_OK)
		rv = p11->C_FindObjectsFinal(session);
	return rv == CKR_OK && !found ? CKR_OBJECT_HANDLE_INVALID : rv;
}

static int slots_setup(void **state)
{
	CK_OBJECT_HANDLE pub, priv;
	CK_SESSION_HANDLE session;

	suite_setup(state);
	session = session_co(slot_a);
	rsa_pair(session, 1024, true, "durable", &pub, &priv);
	sessions_close(slot_a);
	return 0;
}

static int slots_teardown(void **state)
{
	(void)state;
	sessions_close(slot_a);
	sessions_close(slot_b);
	return 0;
}

/* ---- a slot that goes ---- */

/* Everything that can be asked of a session, none of which can be answered. */
static void assert_session_removed(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_SESSION_INFO info;
	CK_OBJECT_HANDLE found;
	CK_BYTE out[512];
	CK_ULONG n = sizeof(out);

	assert_rv(p11->C_GetSessionInfo(session, &info), CKR_DEVICE_REMOVED);
	assert_rv(p11->C_Sign(session, (CK_BYTE_PTR)text, sizeof(text), out, &n),
		  CKR_DEVICE_REMOVED);
	assert_rv(p11->C_SignInit(session, &rsa_sign, key), CKR_DEVICE_REMOVED);
	assert_rv(p11->C_FindObjects(session, &found, 1, &n), CKR_DEVICE_REMOVED);
	assert_rv(p11->C_GenerateRandom(session, out, sizeof(out)), CKR_DEVICE_REMOVED);
	assert_rv(p11->C_DestroyObject(session, key), CKR_DEVICE_REMOVED);
	assert_rv(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)),
		  CKR_DEVICE_REMOVED);
	assert_rv(p11->C_Logout(session), CKR_DEVICE_REMOVED);
}

static void assert_slot_empty(CK_SLOT_ID slot)
{
	CK_TOKEN_INFO token;
	CK_SLOT_INFO info;
	CK_SESSION_HANDLE session;
	CK_ULONG count = 0;

	assert_ok(p11->C_GetSlotInfo(slot, &info));
	assert_false(info.flags & CKF_TOKEN_PRESENT);
	assert_rv(p11->C_GetTokenInfo(slot, &token), CKR_TOKEN_NOT_PRESENT);
	assert_rv(p11->C_GetMechanismList(slot, NULL, &count), CKR_TOKEN_NOT_PRESENT);
	assert_rv(p11->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session),
		  CKR_TOKEN_NOT_PRESENT);
}

static void unplugged_in_use(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a), searching = session_open(slot_a);
	CK_SESSION_HANDLE other = session_co(slot_b), again;
	CK_OBJECT_HANDLE key, other_pub, other_key, first;
	CK_ULONG count = present_slots(), n;
	CK_BYTE sig[128];

	(void)state;
	rsa_pair(other, 1024, false, "of the other slot", &other_pub, &other_key);
	assert_ok(find(session, CKO_PRIVATE_KEY, "durable", &key));
	assert_ok(p11->C_FindObjectsInit(searching, NULL, 0));
	assert_ok(p11->C_FindObjects(searching, &first, 1, &n));
	assert_ok(p11->C_SignInit(session, &rsa_sign, key));
	assert_ok(p11->C_SignUpdate(session, (CK_BYTE_PTR)text, sizeof(text)));
	slot_command("unplug");
	n = sizeof(sig);
	assert_rv(p11->C_SignFinal(session, sig, &n), CKR_DEVICE_REMOVED);
	assert_session_removed(session, key);
	assert_session_removed(searching, key);
	assert_slot_empty(slot_a);
	assert_int_equal(present_slots(), count - 1);
	assert_ok(sign(other, other_key));
	slot_command("plug");
	assert_int_equal(present_slots(), count);
	/* The sessions of before stay dead; new ones find what is durable. */
	assert_rv(sign(session, key), CKR_DEVICE_REMOVED);
	again = session_open(slot_a);
	assert_int_equal(session_info(again).state, CKS_RW_PUBLIC_SESSION);
	session_login(again, CKU_USER, CO_PIN);
	assert_ok(find(again, CKO_PRIVATE_KEY, "durable", &key));
	assert_ok(sign(again, key));
	assert_ok(p11->C_CloseSession(session));
	assert_ok(p11->C_CloseSession(searching));
	assert_rv(p11->C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
	assert_ok(sign(again, key));
	assert_ok(sign(other, other_key));
}

static void events(void **state)
{
	CK_SLOT_ID slot = 99;

	(void)state;
	while (p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL) == CKR_OK)
		;
	slot_command("unplug");
	assert_ok(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
	assert_int_equal(slot, slot_a);
	assert_rv(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
	slot_command("plug");
	slot = 99;
	assert_ok(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL));
	assert_int_equal(slot, slot_a);
}

/* ---- under threads ---- */

enum { THREADS = 4, TURNS = 6 };

static atomic_bool stopping;
static atomic_ulong signatures, refusals;
static _Atomic CK_RV strange;

/* Is the slot away? What is neither success nor that is strange. */
static bool away(CK_RV rv)
{
	if (rv == CKR_DEVICE_REMOVED || rv == CKR_TOKEN_NOT_PRESENT) {
		atomic_fetch_add(&refusals, 1);
		return true;
	}
	if (rv != CKR_OK)
		atomic_store(&strange, rv);
	return rv != CKR_OK;
}

static CK_RV login(CK_SESSION_HANDLE session)
{
	CK_RV rv = p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN));

	return rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv;
}

static void *sign_while_there(void *unused)
{
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;

	while (!atomic_load(&stopping)) {
		if (away(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION, NULL, NULL, &session))) {
			usleep(20000);
			continue;
		}
		if (!away(login(session)) &&
		    !away(find(session, CKO_PRIVATE_KEY, "durable", &key)) &&
		    !away(sign(session, key)))
			atomic_fetch_add(&signatures, 1);
		away(p11->C_CloseSession(session));
	}
	return unused;
}

/* Waits for @count to grow, for ten minutes at most. */
static void wait_more(atomic_ulong *count)
{
	unsigned long before = atomic_load(count);
	int i;

	for (i = 0; i < 60000 && atomic_load(count) == before; i++)
		usleep(10000);
	assert_true(atomic_load(count) > before);
}

static void unplugged_under_threads(void **state)
{
	pthread_t threads[THREADS];
	int i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sign_while_there, NULL), 0);
	for (i = 0; i < TURNS; i++) {
		wait_more(&signatures);
		slot_command("unplug");
		wait_more(&refusals);
		slot_command("plug");
	}
	wait_more(&signatures);
	atomic_store(&stopping, true);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	if (atomic_load(&strange))
		fail_msg("also %s", rv_name(atomic_load(&strange)));
}

/* ---- two applications ---- */

enum { SIGNATURES = 20 };

static int sign_alone(void *unused)
{
	CK_SESSION_HANDLE session;
	CK_SESSION_INFO info;
	CK_OBJECT_HANDLE key;
	int i;

	(void)unused;
	MUST(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
	     CKR_OK);
	MUST(p11->C_GetSessionInfo(session, &info), CKR_OK);
	if (info.state != CKS_RW_PUBLIC_SESSION)
		return 1;
	MUST(find(session, CKO_PRIVATE_KEY, "durable", &key), CKR_OBJECT_HANDLE_INVALID);
	MUST(find(session, CKO_PUBLIC_KEY, "durable", &key), CKR_OK);
	MUST(login(session), CKR_OK);
	MUST(find(session, CKO_PRIVATE_KEY, "durable", &key), CKR_OK);
	for (i = 0; i < SIGNATURES; i++)
		MUST(sign(session, key), CKR_OK);
	return 0;
}

static int make_token_key(void *unused)
{
	CK_MECHANISM mech = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_TOKEN, yes), ATTR(CKA_VALUE_LEN, len), ATTR_STR(CKA_LABEL, "the child's"),
	};
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;

	(void)unused;
	MUST(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
	     CKR_OK);
	MUST(login(session), CKR_OK);
	MUST(p11->C_GenerateKey(session, &mech, tmpl, COUNT(tmpl), &key), CKR_OK);
	return 0;
}

static void two_applications(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key;
	pid_t child;
	int i;

	(void)state;
	assert_ok(find(session, CKO_PRIVATE_KEY, "durable", &key));
	child = child_start(sign_alone, NULL);
	for (i = 0; i < SIGNATURES; i++)
		assert_ok(sign(session, key));
	assert_int_equal(child_wait(child), 0);
	/* Its end and its login were its own. */
	assert_int_equal(session_info(session).state, CKS_RW_USER_FUNCTIONS);
	assert_int_equal(child_run(make_token_key, NULL), 0);
	assert_ok(find(session, CKO_SECRET_KEY, "the child's", &key));
	assert_ok(p11->C_DestroyObject(session, key));
}

/* ---- memory ---- */

enum { OBJECTS_MAX = 40000 };

static CK_BYTE filling[8192];
static CK_OBJECT_HANDLE objects[OBJECTS_MAX];

static bool out_of_memory(CK_RV rv)
{
	return rv == CKR_DEVICE_MEMORY || rv == CKR_HOST_MEMORY;
}

static CK_RV create(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *obj)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class), ATTR(CKA_VALUE, filling) };

	return p11->C_CreateObject(session, tmpl, COUNT(tmpl), obj);
}

static void pressure(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key;
	CK_RV rv = CKR_OK, rv_then;
	int i, n;

	(void)state;
	assert_ok(find(session, CKO_PRIVATE_KEY, "durable", &key));
	for (n = 0; n < OBJECTS_MAX && rv == CKR_OK; n++)
		rv = create(session, &objects[n]);
	rv_then = sign(session, key);
	n -= rv != CKR_OK;
	for (i = 0; i < n; i++)
		if (p11->C_DestroyObject(session, objects[i]) != CKR_OK)
			break;
	/* Nothing is said before there is memory again, which a message needs as well. */
	assert_int_equal(i, n);
	assert_true(out_of_memory(rv));
	assert_true(n > 100);
	assert_true(rv_then == CKR_OK || out_of_memory(rv_then));
	assert_ok(sign(session, key));
	assert_ok(create(session, &objects[0]));
	print_message("# %d objects, then %s; signing gave %s\n", n, rv_name(rv), rv_name(rv_then));
}

static const char *until;

static void beside(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	unsigned long done = 0, refused = 0;
	CK_OBJECT_HANDLE key;
	CK_RV rv;
	int i;

	(void)state;
	assert_ok(find(session, CKO_PRIVATE_KEY, "durable", &key));
	while (access(until, F_OK)) {
		for (i = 0; i < 50; i++) {
			rv = i ? create(session, &objects[i]) : sign(session, key);
			if (rv != CKR_OK && !out_of_memory(rv))
				fail_msg("%s", rv_name(rv));
			done += rv == CKR_OK;
			refused += rv != CKR_OK;
			if (rv != CKR_OK)
				objects[i] = 0;
		}
		for (i = 1; i < 50; i++)
			if (objects[i])
				assert_ok(p11->C_DestroyObject(session, objects[i]));
	}
	assert_ok(sign(session, key));
	assert_true(done > 0);
	print_message("# %lu done, %lu without memory\n", done, refused);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest slots[] = {
		cmocka_unit_test_teardown(unplugged_in_use, slots_teardown),
		cmocka_unit_test_teardown(events, slots_teardown),
		cmocka_unit_test_teardown(unplugged_under_threads, slots_teardown),
		cmocka_unit_test_teardown(two_applications, slots_teardown),
	};
	const struct CMUnitTest memory[] = {
		cmocka_unit_test_teardown(pressure, slots_teardown),
	};
	const struct CMUnitTest neighbour[] = {
		cmocka_unit_test_teardown(beside, slots_teardown),
	};

	if (argc == 1)
		return cmocka_run_group_tests(slots, slots_setup, suite_teardown);
	/* A page fault that finds no memory would be tried again for ever. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		return 3;
	if (argc == 2 && !strcmp(argv[1], "pressure"))
		return cmocka_run_group_tests(memory, suite_setup_bare, suite_teardown);
	until = argc == 3 && !strcmp(argv[1], "beside") ? argv[2] : NULL;
	return until ? cmocka_run_group_tests(neighbour, suite_setup_bare, suite_teardown) : 2;
}
