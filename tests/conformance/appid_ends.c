// SPDX-License-Identifier: MIT
/* What a shared login outlives, and what ends it: processes, closed ids, a new token. */
#include <signal.h>
#include <unistd.h>

#include "appid.h"

static int child_logs_in_and_waits(void *arg)
{
	const int *fd = arg;
	CK_SESSION_HANDLE s;

	if (child_open(&s))
		return 1;
	MUST(login(s), CKR_OK);
	MUST(write(fd[1], "!", 1), 1);
	for (;;)
		pause();
}

/* Starts a child that logs in, and kills it. */
static void kill_member(void)
{
	pid_t child;
	int fd[2];
	char c;

	assert_int_equal(pipe(fd), 0);
	child = child_start(child_logs_in_and_waits, fd);
	assert_int_equal(read(fd[0], &c, 1), 1);
	kill(child, SIGKILL);
	assert_int_equal(child_wait(child), 256 + SIGKILL);
	close(fd[0]);
	close(fd[1]);
}

/* The device hears of the end of a killed process soon, but not at once. */
static bool becomes(bool in)
{
	CK_SESSION_HANDLE session;
	bool now = !in;
	int i;

	for (i = 0; i < 100 && now != in; i++) {
		usleep(i ? 100000 : 0);
		session = session_open(slot_a);
		now = logged_in(session);
		assert_ok(p11->C_CloseSession(session));
	}
	return now == in;
}

void killed(void **state)
{
	CK_SESSION_HANDLE session;

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	/* Its login is the others' as well. */
	session = session_open(slot_a);
	kill_member();
	usleep(300000);
	assert_true(logged_in(session));
	assert_ok(p11->C_CloseSession(session));
	assert_true(becomes(false));
	/* It was alone: nothing stays. */
	kill_member();
	assert_true(becomes(false));
	/* It was alone, and kept. */
	assert_ok(ca->CA_OpenApplicationID(slot_a, MAJOR, MINOR));
	kill_member();
	usleep(300000);
	assert_true(becomes(true));
	assert_ok(ca->CA_CloseApplicationID(slot_a, MAJOR, MINOR));
	assert_true(becomes(false));
}

static int child_finalize(void *arg)
{
	CK_SESSION_HANDLE s;

	(void)arg;
	if (child_open(&s) || child_state(s, CKS_RW_USER_FUNCTIONS))
		return 1;
	MUST(p11->C_Finalize(NULL), CKR_OK);
	MUST(p11->C_Initialize(NULL), CKR_OK);
	/* The id that was set is still the process's. */
	if (child_open(&s) || child_state(s, CKS_RW_USER_FUNCTIONS))
		return 1;
	MUST(p11->C_CloseAllSessions(slot_a), CKR_OK);
	return 0;
}

/* C_Finalize and C_CloseAllSessions end what is this process's alone. */
void finalized(void **state)
{
	CK_SESSION_HANDLE session;

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	session = session_co(slot_a);
	assert_int_equal(child_run(child_finalize, NULL), 0);
	assert_true(logged_in(session));
}

static int child_close(void *arg)
{
	(void)arg;
	MUST(ca->CA_CloseApplicationID(slot_a, MAJOR, MINOR), CKR_OK);
	return 0;
}

/* Whoever closes the id ends the sessions of all. */
void closed_by_other(void **state)
{
	CK_SESSION_HANDLE session, elsewhere;
	CK_SESSION_INFO info;

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	session = session_co(slot_a);
	elsewhere = session_co(slot_b);
	assert_int_equal(child_run(child_close, NULL), 0);
	assert_rv(p11->C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
	assert_true(logged_in(elsewhere));
	session = session_open(slot_a);
	assert_false(logged_in(session));
}

void initialised(void **state)
{
	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	assert_ok(ca->CA_OpenApplicationID(slot_b, MAJOR, MINOR));
	session_co(slot_b);
	sessions_close(slot_b);
	assert_true(logged_in(session_open(slot_b)));
	token_init(slot_b, "token b", DOMAIN);
	assert_false(logged_in(session_open(slot_b)));
	assert_rv(ca->CA_OpenApplicationID(slot_b, MAJOR, MINOR), CKR_OK);
}

/* Nobody takes all places without a PIN. */
void many(void **state)
{
	CK_ULONG i, closed = 0;

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	assert_ok(ca->CA_OpenApplicationID(slot_a, MAJOR, MINOR));
	session_co(slot_a);
	sessions_close(slot_a);
	for (i = 0; i < 200; i++)
		assert_ok(ca->CA_OpenApplicationID(slot_a, 1000, i));
	assert_true(logged_in(session_open(slot_a)));
	for (i = 0; i < 200; i++)
		closed += ca->CA_CloseApplicationID(slot_a, 1000, i) == CKR_OK;
	assert_in_range(closed, 1, 64);
}
