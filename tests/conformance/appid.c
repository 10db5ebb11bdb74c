// SPDX-License-Identifier: MIT
/*
 * Application ids: a login that several processes share, and that outlives them. Most of it
 * happens between this process and children of it. Here are the ids themselves.
 */
#include <limits.h>
#include <unistd.h>

#include "appid.h"

CK_RV login(CK_SESSION_HANDLE session)
{
	return p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN));
}

bool logged_in(CK_SESSION_HANDLE session)
{
	return session_info(session).state == CKS_RW_USER_FUNCTIONS;
}

int child_open(CK_SESSION_HANDLE *session)
{
	MUST(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session),
	     CKR_OK);
	return 0;
}

int child_state(CK_SESSION_HANDLE session, CK_STATE state)
{
	CK_SESSION_INFO info;

	MUST(p11->C_GetSessionInfo(session, &info), CKR_OK);
	MUST(info.state, state);
	return 0;
}

/* Leaves no id open, nobody logged in, and this process with an id that nobody has. */
static int teardown(void **state)
{
	sessions_close(slot_a);
	sessions_close(slot_b);
	ca->CA_CloseApplicationID(slot_a, MAJOR, MINOR);
	ca->CA_CloseApplicationID(slot_b, MAJOR, MINOR);
	assert_ok(ca->CA_RandomizeApplicationID());
	return test_teardown(state);
}

/* ---- the id ---- */

static int child_id(void *arg)
{
	CK_APPLICATION_ID id;

	MUST(ca->CA_GetApplicationID(&id), CKR_OK);
	MUST(write(*(int *)arg, &id, sizeof(id)), sizeof(id));
	return 0;
}

/* Every process has an id of its own, unless it chose one; a child that it chose one for has that. */
static void own_ids(void **state)
{
	CK_APPLICATION_ID a, b, child;
	CK_SESSION_HANDLE session;
	CK_ULONG high, low;
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_ok(ca->CA_GetApplicationID(&a));
	session = session_open(slot_a);
	assert_ok(ca->CA_GetApplicationID(&b));
	assert_memory_equal(&a, &b, sizeof(a));
	assert_ok(ca->CA_GetSessionInfo(session, &high, &low, NULL, NULL));
	assert_int_equal(high, (CK_ULONG)a.id[0] << 24 | a.id[1] << 16 | a.id[2] << 8 | a.id[3]);
	assert_int_equal(child_run(child_id, &fd[1]), 0);
	assert_int_equal(read(fd[0], &child, sizeof(child)), sizeof(child));
	assert_memory_not_equal(&a, &child, sizeof(a));

	sessions_close(slot_a);
	assert_ok(ca->CA_RandomizeApplicationID());
	assert_ok(ca->CA_GetApplicationID(&b));
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_ok(ca->CA_SetApplicationID(0x12345678, 0x9abcdef0));
	assert_ok(ca->CA_GetApplicationID(&a));
	assert_memory_equal(&a, "\x12\x34\x56\x78\x9a\xbc\xde\xf0\0\0\0\0\0\0\0\0", sizeof(a));
	assert_int_equal(child_run(child_id, &fd[1]), 0);
	assert_int_equal(read(fd[0], &child, sizeof(child)), sizeof(child));
	assert_memory_equal(&a, &child, sizeof(a));
	session = session_open(slot_a);
	assert_ok(ca->CA_GetSessionInfo(session, &high, &low, NULL, NULL));
	assert_int_equal(high, 0x12345678);
	assert_int_equal(low, 0x9abcdef0);
	close(fd[0]);
	close(fd[1]);
}

static void wrong_order(void **state)
{
	CK_SESSION_HANDLE session;

	(void)state;
	session = session_open(slot_b);
	assert_rv(ca->CA_SetApplicationID(MAJOR, MINOR), CKR_SESSION_EXISTS);
	assert_rv(ca->CA_RandomizeApplicationID(), CKR_SESSION_EXISTS);
	assert_ok(p11->C_CloseSession(session));
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	session = session_open(slot_b);
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));	/* it is that already */
	assert_rv(ca->CA_SetApplicationID(MAJOR, MINOR + 1), CKR_SESSION_EXISTS);
}

static void arguments(void **state)
{
	CK_APPLICATION_ID id = { { 1 } };
	CK_SESSION_HANDLE session;
	CK_ULONG number;

	(void)state;
	assert_rv(ca->CA_SetApplicationIDV2(NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetApplicationID(NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_OpenApplicationIDV2(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloseApplicationIDV2(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_OpenApplicationID(9999, MAJOR, MINOR), CKR_SLOT_ID_INVALID);
	assert_rv(ca->CA_CloseApplicationID(slot_a, MAJOR, MINOR), CKR_ACCESS_ID_INVALID);
	assert_rv(ca->CA_CloseApplicationIDV2(slot_a, &id), CKR_ACCESS_ID_INVALID);
	assert_rv(ca->CA_OpenSessionWithAppIDV2(slot_a, CKF_SERIAL_SESSION, NULL, NULL, NULL,
						&session), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_OpenSessionWithAppID(slot_a, CKF_SERIAL_SESSION, MAJOR, MINOR, NULL, NULL,
					      NULL), CKR_ARGUMENTS_BAD);
#if ULONG_MAX > 0xffffffff
	assert_rv(ca->CA_SetApplicationID(1ul << 32, 0), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_OpenApplicationID(slot_a, 0, 1ul << 32), CKR_ARGUMENTS_BAD);
#endif
	assert_ok(ca->CA_GetUserContainerNumber(slot_a, &number));
	assert_rv(ca->CA_OpenApplicationIDForContainer(slot_a, MAJOR, MINOR, number + 1),
		  CKR_CONTAINER_HANDLE_INVALID);
	assert_ok(ca->CA_OpenApplicationIDForContainer(slot_a, MAJOR, MINOR, number));
	assert_rv(ca->CA_OpenApplicationID(slot_a, MAJOR, MINOR), CKR_ACCESS_ID_ALREADY_EXISTS);
	assert_ok(ca->CA_OpenApplicationID(slot_b, MAJOR, MINOR));	/* each slot for itself */
	assert_ok(ca->CA_CloseApplicationIDForContainer(slot_a, MAJOR, MINOR, number));
	assert_ok(ca->CA_CloseApplicationID(slot_b, MAJOR, MINOR));
	assert_ok(ca->CA_OpenApplicationIDForContainerV2(slot_a, &id, number));
	assert_rv(ca->CA_OpenApplicationIDV2(slot_a, &id), CKR_ACCESS_ID_ALREADY_EXISTS);
	assert_ok(ca->CA_CloseApplicationIDForContainerV2(slot_a, &id, number));
}

static int setup(void **state)
{
	assert_non_null(getenv("LUNA_LIBRARY"));	/* for the tool */
	return suite_setup(state);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(own_ids),
		TEST(wrong_order),
		TEST(arguments),
		TEST(shared_login),
		TEST(sixteen_bytes),
		TEST(session_with_id),
		TEST(tool_logs_in),
		TEST(configured),
		TEST(killed),
		TEST(finalized),
		TEST(closed_by_other),
		TEST(initialised),
		TEST(many),
		TEST(at_once),
	};

	if (argc == 5 && !strcmp(argv[1], "tool"))
		return tool_main(argv);
	return cmocka_run_group_tests(tests, setup, suite_teardown);
}
