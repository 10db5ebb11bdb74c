// SPDX-License-Identifier: MIT
/*
 * What goes on around the library in its process, and must not show: signals.
 */
#include <signal.h>
#include <sys/time.h>

#include "suite.h"

enum { BITS = 3072, TRIES = 100, ALARMS = 3 };

static volatile sig_atomic_t alarms;

static void count_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static void pair_make_and_destroy(CK_SESSION_HANDLE session)
{
	CK_OBJECT_HANDLE public_key, private_key;

	rsa_pair(session, BITS, false, "interrupted", &public_key, &private_key);
	assert_ok(p11->C_DestroyObject(session, public_key));
	assert_ok(p11->C_DestroyObject(session, private_key));
}

/* A signal that does not end the process is no reason to give a key pair up, wherever the daemon is. */
static void signals(void **state)
{
	const struct itimerval often = { { 0, 20000 }, { 0, 20000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = count_alarm }, before;
	CK_SESSION_HANDLE session = session_co(slot_a);
	int i;

	(void)state;
	alarms = 0;
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < TRIES && alarms < ALARMS; i++)
		pair_make_and_destroy(session);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	assert_in_range(alarms, ALARMS, INT32_MAX);
	sessions_close(slot_a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
