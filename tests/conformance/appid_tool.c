// SPDX-License-Identifier: MIT
/*
 * A program of the kind that logs in for others (the gem engine's tool, say): this binary again,
 * called as "tool", which binds what it needs by name. Programs that know nothing of ids, likewise.
 */
#include <dlfcn.h>
#include <unistd.h>

#include "appid.h"

enum { NOT_LOGGED_IN = 77 };

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

int tool_main(char **argv)
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

/* ---- what it does for others ---- */

static void make_key(void)
{
	CK_SESSION_HANDLE session = session_co(slot_a);

	aes_key(session, 32, true, KEY);
	sessions_close(slot_a);
}

/* A tool logs in and ends; programs use the token without a PIN; the tool ends that. */
void tool_logs_in(void **state)
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
void configured(void **state)
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
