// SPDX-License-Identifier: MIT
/*
 * What goes on around the library in its process, and must not show: signals, slot events, descriptors
 * that the program closes, another user whom it runs for.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

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

/* ---- devices by links of the test's own ---- */

static char work[] = "/tmp/luna-process.XXXXXX";
static char devices[PATH_MAX];	/* where the real ones are */

/* A path in @work; good until the next is asked for. */
static const char *in_work(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", work, name);
	return path;
}

static int link_device(const char *name)
{
	char device[PATH_MAX + 8];

	snprintf(device, sizeof(device), "%s/luna0", devices);
	return symlink(device, in_work(name));
}

/* Runs @body in a child whose library finds what is in @work, and what it knew before. */
static int run(int (*body)(void *arg))
{
	static const char *const left[] = { "luna7", "log" };
	int status;
	size_t i;

	setenv("LUNA_DEVICES", work, 1);
	status = child_run(body, NULL);
	setenv("LUNA_DEVICES", devices, 1);
	for (i = 0; i < COUNT(left); i++)
		unlink(in_work(left[i]));
	return status;
}

/* The library as it is in a process that begins. */
static CK_RV restart(void)
{
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	CK_RV rv = p11->C_Finalize(NULL);

	return rv == CKR_OK ? p11->C_Initialize(&args) : rv;
}

/* ---- slot events ---- */

static int wrong_call(void *arg)
{
	CK_SLOT_ID slot;

	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
	MUST(link_device("luna7"), 0);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &arg), CKR_ARGUMENTS_BAD);
	MUST(p11->C_WaitForSlotEvent(0, NULL, NULL), CKR_ARGUMENTS_BAD);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_OK);
	MUST(slot, 2);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
	return 0;
}

/* A call that cannot be told of an event does not use it up. */
static void event_of_a_wrong_call(void **state)
{
	(void)state;
	assert_int_equal(run(wrong_call), 0);
}

static int older_event(void *arg)
{
	CK_SLOT_ID slot;

	(void)arg;
	MUST(link_device("luna7"), 0);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_OK);
	MUST(restart(), CKR_OK);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
	MUST(p11->C_Finalize(NULL), CKR_OK);
	MUST(unlink(in_work("luna7")), 0);
	MUST(p11->C_Initialize(NULL), CKR_OK);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
	MUST(link_device("luna7"), 0);
	MUST(p11->C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_OK);
	MUST(slot, 2);
	return 0;
}

/* C_Initialize clears what has happened (PKCS#11, 5.5, C_WaitForSlotEvent). */
static void events_before_initialize(void **state)
{
	(void)state;
	assert_int_equal(run(older_event), 0);
}

/* ---- the log ---- */

/* Closes what is open of the devices, as programs do that close everything. */
static int descriptors_close(void)
{
	char path[PATH_MAX], target[PATH_MAX];
	int fd, closed = 0;
	ssize_t len;

	for (fd = 3; fd < 256; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, target, sizeof(target));
		if (len > (ssize_t)strlen(devices) && !memcmp(target, devices, strlen(devices)))
			closed += !close(fd);
	}
	return closed;
}

static CK_RV log_begin(void)
{
	setenv("LUNA_LOG", in_work("log"), 1);
	return restart();
}

/* Whether the log's first line ends like this. */
static bool log_says(const char *want)
{
	FILE *log = fopen(in_work("log"), "r");
	char line[512] = "";
	size_t len;

	if (!log)
		return false;
	len = fgets(line, sizeof(line), log) ? strlen(line) : 0;
	fclose(log);
	return len > strlen(want) && !strcmp(line + len - strlen(want), want);
}

static int reasons(void *arg)
{
	CK_TOKEN_INFO info;

	(void)arg;
	MUST(log_begin(), CKR_OK);
	MUST(p11->C_GetTokenInfo(slot_a, &info), CKR_OK);
	MUST(descriptors_close() > 0, 1);
	MUST(p11->C_GetTokenInfo(slot_a, &info), CKR_OK);
	MUST(p11->C_GetTokenInfo(9999, &info), CKR_SLOT_ID_INVALID);
	MUST(log_says(": CKR_SLOT_ID_INVALID (0x3)\n"), true);
	return 0;
}

/* What a call got over is not told as the reason of the next one's failure. */
static void reason_of_an_earlier_call(void **state)
{
	(void)state;
	assert_int_equal(run(reasons), 0);
}

static int names(void *arg)
{
	(void)arg;
	MUST(log_begin(), CKR_OK);
	MUST(ca->CA_CloseApplicationID(slot_a, 77, 78), CKR_ACCESS_ID_INVALID);
	MUST(log_says(": CKR_ACCESS_ID_INVALID (0x80000068)\n"), true);
	return 0;
}

/* The log has a name for what the vendor's functions return, too. */
static void names_of_the_vendor(void **state)
{
	(void)state;
	assert_int_equal(run(names), 0);
}

/* ---- programs that run for somebody else ---- */

#define HIS_UID		64999
#define HIS_DIR		"/run/user/64999"
#define HIS_FILE	HIS_DIR "/luna/luna0"

static int search_as_his(void *arg)
{
	struct pollfd fifo = { .fd = open(HIS_FILE, O_RDONLY | O_NONBLOCK | O_CLOEXEC), .events = POLLIN };
	CK_ULONG count;

	(void)arg;
	MUST(fifo.fd >= 0, 1);
	unsetenv("LUNA_DEVICES");
	unsetenv("LUNA_FUSE_DIR");
	unsetenv("XDG_RUNTIME_DIR");
	MUST(setresuid(HIS_UID, 0, 0), 0);
	MUST(p11->C_GetSlotList(CK_FALSE, NULL, &count), CKR_OK);
	/* A pipe hangs up when somebody has had it open. */
	MUST(poll(&fifo, 1, 0), 0);
	return close(fifo.fd);
}

/* A set-user-id program opens no file that its caller has put where devices of his would be. */
static void files_of_the_caller(void **state)
{
	int status;

	(void)state;
	if (geteuid())
		skip();
	mkdir("/run/user", 0755);
	assert_int_equal(mkdir(HIS_DIR, 0700), 0);
	assert_int_equal(mkdir(HIS_DIR "/luna", 0700), 0);
	assert_int_equal(mkfifo(HIS_FILE, 0600), 0);
	status = run(search_as_his);
	unlink(HIS_FILE);
	rmdir(HIS_DIR "/luna");
	rmdir(HIS_DIR);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals),
		cmocka_unit_test(event_of_a_wrong_call),
		cmocka_unit_test(events_before_initialize),
		cmocka_unit_test(reason_of_an_earlier_call),
		cmocka_unit_test(names_of_the_vendor),
		cmocka_unit_test(files_of_the_caller),
	};

	int failed;

	if (!getenv("LUNA_DEVICES") || !realpath(getenv("LUNA_DEVICES"), devices) || !mkdtemp(work))
		return 1;
	failed = cmocka_run_group_tests(tests, suite_setup, suite_teardown);
	rmdir(work);
	return failed;
}
