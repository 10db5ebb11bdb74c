// SPDX-License-Identifier: MIT
/*
 * Application ids: a login that several processes share, and that outlives them. Most of it happens
 * between this process and children of it; a program of the kind that logs in for others (the gem
 * engine's tool, say) is this binary again, called as "tool", which binds what it needs by name.
 */
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suite.h"

#define KEY	"key of the application"

enum { MAJOR = 1, MINOR = 40, NOT_LOGGED_IN = 77 };

/* ---- the tool ---- */

static int tool_use(CK_FUNCTION_LIST *list, CK_SESSION_HANDLE session)
{
	CK_ATTRIBUTE tmpl = ATTR_STR(CKA_LABEL, KEY);
	CK_MECHANISM mech = { CKM_AES_CMAC, NULL, 0 };
	CK_BYTE mac[16];
	CK_ULONG found = 0, len = sizeof(mac);
	CK_OBJECT_HANDLE key;
	CK_SESSION_INFO info;

	MUST(list->C_GetSessionInfo(session, &info), CKR_OK);
	if (info.state != CKS_RW_USER_FUNCTIONS)
		return NOT_LOGGED_IN;
	MUST(list->C_FindObjectsInit(session, &tmpl, 1), CKR_OK);
	MUST(list->C_FindObjects(session, &key, 1, &found), CKR_OK);
	MUST(list->C_FindObjectsFinal(session), CKR_OK);
	MUST(found, 1);
	MUST(list->C_SignInit(session, &mech, key), CKR_OK);
	MUST(list->C_Sign(session, mac, 16, mac, &len), CKR_OK);
	return 0;
}

/* What the engine's tool does, in its order: the login happens with the id open. */
static int tool_run(void *library, const char *verb, CK_ULONG high, CK_ULONG low)
{
	CK_RV (*set)(CK_ULONG, CK_ULONG) = dlsym(library, "CA_SetApplicationID");
	CK_RV (*open)(CK_SLOT_ID, CK_ULONG, CK_ULONG) = dlsym(library, "CA_OpenApplicationID");
	CK_RV (*close)(CK_SLOT_ID, CK_ULONG, CK_ULONG) = dlsym(library, "CA_CloseApplicationID");
	CK_RV (*get)(CK_FUNCTION_LIST **) = dlsym(library, "C_GetFunctionList");
	CK_SLOT_ID slots[16];
	CK_ULONG count = COUNT(slots);
	CK_FUNCTION_LIST *list;
	CK_SESSION_HANDLE session;
	int status = 0;

	MUST(set && open && close && get, true);
	MUST(get(&list), CKR_OK);
	MUST(list->C_Initialize(NULL), CKR_OK);
	MUST(list->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
	if (!strcmp(verb, "close")) {
		MUST(close(slots[0], high, low), CKR_OK);
		MUST(close(slots[0], high, low), CKR_ACCESS_ID_INVALID);
		return list->C_Finalize(NULL) != CKR_OK;
	}
	if (strcmp(verb, "configured"))
		MUST(set(high, low), CKR_OK);
	if (!strcmp(verb, "open"))
		MUST(open(slots[0], high, low), CKR_OK);
	MUST(list->C_OpenSession(slots[0], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
	     CKR_OK);
	if (!strcmp(verb, "open"))
		MUST(list->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN)),
		     CKR_OK);
	status = tool_use(list, session);
	MUST(list->C_CloseSession(session), CKR_OK);
	if (!strcmp(verb, "use"))	/* some just end */
		return status;
	MUST(list->C_Finalize(NULL), CKR_OK);
	return status;
}

static int tool_main(char **argv)
{
	void *library = dlopen(getenv("LUNA_LIBRARY"), RTLD_NOW | RTLD_LOCAL);

	if (!library) {
		fprintf(stderr, "%s\n", dlerror());
		return 1;
	}
	return tool_run(library, argv[2], strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0));
}

static int tool(const char *verb, const char *high, const char *low)
{
	pid_t child = fork();

	if (!child) {
		execl("/proc/self/exe", "conformance_appid", "tool", verb, high, low, NULL);
		_exit(126);
	}
	return child_wait(child);
}

/* ---- */

static CK_RV login(CK_SESSION_HANDLE session)
{
	return p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN));
}

static bool logged_in(CK_SESSION_HANDLE session)
{
	return session_info(session).state == CKS_RW_USER_FUNCTIONS;
}

static int child_open(CK_SESSION_HANDLE *session)
{
	MUST(p11->C_OpenSession(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session),
	     CKR_OK);
	return 0;
}

static int child_state(CK_SESSION_HANDLE session, CK_STATE state)
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

/* ---- sharing ---- */

static int child_shares(void *arg)
{
	CK_ATTRIBUTE tmpl = ATTR_STR(CKA_LABEL, KEY);
	CK_OBJECT_HANDLE key;
	CK_SESSION_HANDLE s;
	CK_ULONG found = 0;

	if (child_open(&s) || child_state(s, CKS_RW_USER_FUNCTIONS))
		return 1;
	MUST(login(s), CKR_USER_ALREADY_LOGGED_IN);
	MUST(p11->C_Login(s, CKU_CRYPTO_USER, (CK_UTF8CHAR_PTR)CU_PIN, strlen(CU_PIN)),
	     CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
	MUST(p11->C_FindObjectsInit(s, &tmpl, 1), CKR_OK);
	MUST(p11->C_FindObjects(s, &key, 1, &found), CKR_OK);
	MUST(p11->C_FindObjectsFinal(s), CKR_OK);
	MUST(found, *(CK_ULONG *)arg);
	return 0;
}

static int child_other(void *arg)
{
	CK_SESSION_HANDLE s;

	(void)arg;
	MUST(ca->CA_SetApplicationID(MAJOR, MINOR + 1), CKR_OK);
	if (child_open(&s) || child_state(s, CKS_RW_PUBLIC_SESSION))
		return 1;
	MUST(login(s), CKR_OK);
	MUST(p11->C_Logout(s), CKR_OK);
	return 0;
}

static int child_logout(void *arg)
{
	CK_SESSION_HANDLE s;

	(void)arg;
	if (child_open(&s))
		return 1;
	MUST(p11->C_Logout(s), CKR_OK);
	return 0;
}

static int child_login(void *arg)
{
	CK_SESSION_HANDLE s;

	(void)arg;
	if (child_open(&s))
		return 1;
	MUST(login(s), CKR_OK);
	return 0;
}

/* One login for all who have the id; token objects are everybody's, session objects the process's. */
static void shared_login(void **state)
{
	CK_MECHANISM mech = { CKM_AES_CMAC, NULL, 0 };
	CK_ULONG visible = 0, len = 16;
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_BYTE mac[16];

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	session = session_co(slot_a);
	key = aes_key(session, 32, false, KEY);
	assert_int_equal(child_run(child_shares, &visible), 0);
	aes_key(session, 32, true, KEY);
	visible = 1;
	assert_int_equal(child_run(child_shares, &visible), 0);
	assert_int_equal(child_run(child_other, NULL), 0);
	assert_true(logged_in(session));

	/* A logout anywhere is one everywhere, and ends what goes on. */
	assert_ok(p11->C_SignInit(session, &mech, key));
	assert_ok(p11->C_SignUpdate(session, mac, 16));
	assert_int_equal(child_run(child_logout, NULL), 0);
	assert_false(logged_in(session));
	assert_rv(p11->C_SignFinal(session, mac, &len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(p11->C_SignInit(session, &mech, key), CKR_KEY_HANDLE_INVALID);
	assert_rv(p11->C_Logout(session), CKR_USER_NOT_LOGGED_IN);

	/* And so is a login, which stays while anybody has a session. */
	assert_int_equal(child_run(child_login, NULL), 0);
	assert_true(logged_in(session));
	assert_ok(p11->C_CloseSession(session));
	session = session_open(slot_a);
	assert_false(logged_in(session));
}

/* The bytes are the id, however they were given. */
static int sixteen(const void *bytes, CK_STATE state)
{
	CK_APPLICATION_ID id;
	CK_SESSION_HANDLE s;

	memcpy(id.id, bytes, sizeof(id.id));
	MUST(ca->CA_SetApplicationIDV2(&id), CKR_OK);
	return child_open(&s) ? 1 : child_state(s, state);
}

static int child_sixteen(void *arg)
{
	return sixteen(arg, CKS_RW_USER_FUNCTIONS);
}

static int child_sixteen_public(void *arg)
{
	return sixteen(arg, CKS_RW_PUBLIC_SESSION);
}

static void sixteen_bytes(void **state)
{
	CK_APPLICATION_ID id = { "sixteen bytes id" };

	(void)state;
	assert_ok(ca->CA_SetApplicationIDV2(&id));
	session_co(slot_a);
	assert_int_equal(child_run(child_sixteen, "sixteen bytes id"), 0);
	assert_int_equal(child_run(child_sixteen_public, "sixteen bytes iD"), 0);
	assert_int_equal(child_run(child_sixteen_public, "sixteen \0\0\0\0\0\0\0"), 0);
	sessions_close(slot_a);
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	session_co(slot_a);
	assert_int_equal(child_run(child_sixteen, "\0\0\0\1\0\0\0\50\0\0\0\0\0\0\0"), 0);
}

/* A session of another id in the same process is another application's. */
static void session_with_id(void **state)
{
	CK_SESSION_HANDLE own, other, same;
	CK_APPLICATION_ID id;
	CK_ULONG high, low;

	(void)state;
	own = session_co(slot_a);
	assert_ok(ca->CA_OpenSessionWithAppID(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, MAJOR, MINOR,
					      NULL, NULL, &other));
	assert_false(logged_in(other));
	assert_ok(ca->CA_GetSessionInfo(other, &high, &low, NULL, NULL));
	assert_int_equal(high, MAJOR);
	assert_int_equal(low, MINOR);
	assert_ok(ca->CA_GetApplicationID(&id));
	assert_ok(ca->CA_OpenSessionWithAppIDV2(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, &id, NULL,
						NULL, &same));
	assert_true(logged_in(same));
	assert_ok(login(other));
	assert_ok(p11->C_Logout(own));
	assert_true(logged_in(other));
	assert_false(logged_in(same));
	/* It is the same application as that of processes with this id. */
	assert_ok(ca->CA_OpenSessionWithAppID(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, MAJOR, MINOR,
					      NULL, NULL, &own));
	assert_true(logged_in(own));
	assert_ok(ca->CA_CloseApplicationID(slot_a, MAJOR, MINOR));
	assert_rv(p11->C_Logout(other), CKR_SESSION_HANDLE_INVALID);
	assert_false(logged_in(same));
	assert_ok(ca->CA_OpenSessionWithAppID(slot_a, CKF_SERIAL_SESSION | CKF_RW_SESSION, MAJOR, MINOR,
					      NULL, NULL, &own));
	assert_ok(p11->C_CloseAllSessions(slot_a));
	assert_rv(p11->C_Logout(own), CKR_SESSION_HANDLE_INVALID);
	assert_rv(p11->C_Logout(same), CKR_SESSION_HANDLE_INVALID);
}

/* ---- the login that stays ---- */

static void make_key(void)
{
	CK_SESSION_HANDLE session = session_co(slot_a);

	aes_key(session, 32, true, KEY);
	sessions_close(slot_a);
}

/* A tool logs in and ends; programs use the token without a PIN; the tool ends that. */
static void tool_logs_in(void **state)
{
	(void)state;
	make_key();
	assert_int_equal(tool("use", "1", "40"), NOT_LOGGED_IN);
	assert_int_equal(tool("open", "1", "40"), 0);
	assert_int_equal(tool("use", "1", "40"), 0);
	assert_int_equal(tool("use", "1", "41"), NOT_LOGGED_IN);
	assert_int_equal(tool("use", "0x1", "0x28"), 0);
	assert_int_equal(tool("close", "1", "40"), 0);
	assert_int_equal(tool("use", "1", "40"), NOT_LOGGED_IN);
}

static void configuration(const char *dir, const char *misc)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/Chrystoki.conf", dir);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "Misc = {\n  %s\n}\n", misc);
	fclose(file);
}

/* Programs that know nothing of ids get theirs from Chrystoki.conf. */
static void configured(void **state)
{
	static const struct {
		const char *misc;
		int status;
	} files[] = {
		{ "AppIdMajor = 1;\n  AppIdMinor = 40;", 0 },
		{ "AppIdMajor = 0x1; AppIdMinor = 0x28;", 0 },
		{ "AppId = 00000001000000280000000000000000;", 0 },
		{ "AppId = 0x00000001000000280000000000000000;", 0 },
		{ "AppId = 00000001000000280000000000000001;", NOT_LOGGED_IN },
		{ "AppIdMajor = 1; AppIdMinor = 41;", NOT_LOGGED_IN },
		{ "AppIdMajor = 1; AppIdMinor = 40x;", NOT_LOGGED_IN },
		{ "AppIdMajor = 1; AppIdMinor = 4294967336;", NOT_LOGGED_IN },
		{ "AppId = 0000000100000028;", NOT_LOGGED_IN },
		{ "AppIdMinor = 40;", NOT_LOGGED_IN },
	};
	char dir[] = "/tmp/luna-appid.XXXXXX", path[64];
	size_t i;

	(void)state;
	make_key();
	assert_int_equal(tool("open", "1", "40"), 0);
	assert_non_null(mkdtemp(dir));
	setenv("ChrystokiConfigurationPath", dir, 1);
	for (i = 0; i < COUNT(files); i++) {
		configuration(dir, files[i].misc);
		if (tool("configured", "0", "0") != files[i].status)
			fail_msg("%s", files[i].misc);
	}
	unsetenv("ChrystokiConfigurationPath");
	snprintf(path, sizeof(path), "%s/Chrystoki.conf", dir);
	unlink(path);
	rmdir(dir);
}

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

static void killed(void **state)
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
static void finalized(void **state)
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
static void closed_by_other(void **state)
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

static void initialised(void **state)
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
static void many(void **state)
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

/* ---- several processes at once ---- */

enum { PROCESSES = 4, ROUNDS = 60 };

static bool expected(CK_RV rv)
{
	return rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN || rv == CKR_USER_NOT_LOGGED_IN;
}

static int child_come_and_go(void *arg)
{
	CK_SESSION_HANDLE s;
	int i;

	(void)arg;
	for (i = 0; i < ROUNDS; i++) {
		if (child_open(&s))
			return 1;
		MUST(expected(login(s)), true);
		if (i % 3 == 0)
			MUST(expected(p11->C_Logout(s)), true);
		if (i % 5 == 4) {
			MUST(p11->C_Finalize(NULL), CKR_OK);
			MUST(p11->C_Initialize(NULL), CKR_OK);
		} else {
			MUST(p11->C_CloseSession(s), CKR_OK);
		}
	}
	return 0;
}

static void at_once(void **state)
{
	pid_t children[PROCESSES];
	CK_SESSION_HANDLE session;
	int i;

	(void)state;
	assert_ok(ca->CA_SetApplicationID(MAJOR, MINOR));
	for (i = 0; i < PROCESSES; i++)
		children[i] = child_start(child_come_and_go, NULL);
	for (i = 0; i < PROCESSES; i++)
		assert_int_equal(child_wait(children[i]), 0);
	session = session_open(slot_a);
	assert_false(logged_in(session));
	assert_ok(login(session));
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
