// SPDX-License-Identifier: MIT
/*
 * The client of kill.sh and faults.sh, by the public API. Asserts of cmocka end the program here.
 *
 *	init			initialises both tokens
 *	load SEED		several threads make, change and destroy objects on both tokens
 *				until the daemon is gone: "? ..." before and "= ..." after each
 *	verify FILE		what FILE, the output of load, says was done is so; then empties
 *				the tokens again
 *	fails SLOT		every use of this slot is an error and no crash
 *	works SLOT		login, an object made, found and destroyed
 *	fill SLOT		makes objects until the device has no room; then destroys nothing
 *	brim SLOT		on a device without room: login, nothing new, one of fill's objects
 *				destroyed
 *	attempts SLOT N		N wrong PINs of the CU; the daemon may be killed in between
 *	count SLOT		prints how many objects the CO sees
 *	left SLOT		prints how many attempts the CU has left
 */
#include <pthread.h>

#include "../conformance/suite.h"

enum { THREADS = 4, OBJECTS = 6, TEXT = 48 };

/* ---- Objects with a name and a value, of which one change is under way at most ---- */

static CK_SLOT_ID slot_of(const char *text)
{
	return atoi(text) ? slot_b : slot_a;
}

static CK_RV make(CK_SESSION_HANDLE session, const char *name, const char *value, bool private,
		  CK_OBJECT_HANDLE *obj)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL is_private = private;
	CK_BYTE bytes[3000];
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR_STR(CKA_LABEL, name), ATTR_STR(CKA_APPLICATION, value),
		ATTR(CKA_TOKEN, yes), ATTR(CKA_PRIVATE, is_private),
		ATTR_BYTES(CKA_VALUE, bytes, 100 + strlen(name) * 97 % 2900),
	};

	memset(bytes, 0x33, sizeof(bytes));
	return p11->C_CreateObject(session, tmpl, COUNT(tmpl), obj);
}

static CK_RV change(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, const char *value)
{
	CK_ATTRIBUTE tmpl = ATTR_STR(CKA_APPLICATION, value);

	return p11->C_SetAttributeValue(session, obj, &tmpl, 1);
}

static void init(void)
{
	assert_int_equal(suite_setup(NULL), 0);
}

/* ---- Load ---- */

struct loader {
	unsigned int number;
	unsigned int seed;
	CK_SESSION_HANDLE session;
	pthread_t thread;
};

static pthread_mutex_t say_lock = PTHREAD_MUTEX_INITIALIZER;

/* One line in one write, so that a killed client leaves whole lines. */
static void say(char when, const char *name, const char *value)
{
	pthread_mutex_lock(&say_lock);
	printf("%c %s %s\n", when, name, value);
	fflush(stdout);
	pthread_mutex_unlock(&say_lock);
}

static void *load_thread(void *arg)
{
	struct loader *l = arg;
	CK_OBJECT_HANDLE objs[OBJECTS] = { 0 };
	char name[TEXT], value[TEXT];
	unsigned int turn, i;
	CK_RV rv = CKR_OK;

	for (turn = 0; rv == CKR_OK; turn++) {
		i = rand_r(&l->seed) % OBJECTS;
		snprintf(name, sizeof(name), "%u-%u", l->number, i);
		if (objs[i] && rand_r(&l->seed) % 3 == 0)
			snprintf(value, sizeof(value), "-");
		else
			snprintf(value, sizeof(value), "turn%u", turn);
		say('?', name, value);
		if (!objs[i])
			rv = make(l->session, name, value, i & 1, &objs[i]);
		else if (*value == '-')
			rv = p11->C_DestroyObject(l->session, objs[i]);
		else
			rv = change(l->session, objs[i], value);
		if (rv == CKR_OK)
			say('=', name, value);
		if (*value == '-')
			objs[i] = 0;
	}
	return NULL;
}

static void load(const char *seed)
{
	struct loader loaders[THREADS];
	unsigned int i;

	assert_int_equal(suite_setup_bare(NULL), 0);
	session_co(slot_a);
	session_co(slot_b);
	for (i = 0; i < THREADS; i++) {
		loaders[i] = (struct loader){ .number = i, .seed = atoi(seed) * THREADS + i };
		loaders[i].session = session_open(i & 1 ? slot_b : slot_a);
		assert_int_equal(pthread_create(&loaders[i].thread, NULL, load_thread, &loaders[i]),
				 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(loaders[i].thread, NULL);
}

/* ---- Verify ---- */

/* The last value that was told, and the one that was under way. */
struct known {
	char told[TEXT], under_way[TEXT];
};

static struct known known[THREADS][OBJECTS];

static unsigned int read_lines(const char *path)
{
	unsigned int thread, i, lines = 0;
	char line[128], value[TEXT];
	FILE *file = fopen(path, "r");
	struct known *k;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (!strchr(line, '\n') ||
		    sscanf(line + 1, " %u-%u %47s", &thread, &i, value) != 3 ||
		    thread >= THREADS || i >= OBJECTS)
			continue;
		k = &known[thread][i];
		strcpy(*line == '?' ? k->under_way : k->told, value);
		if (*line == '=')
			k->under_way[0] = '\0';
		lines++;
	}
	fclose(file);
	return lines;
}

/* What the token has: "-" for nothing. */
static void value_of(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE obj, char *value)
{
	unsigned char *bytes;
	CK_ULONG len;

	strcpy(value, "-");
	if (!obj)
		return;
	bytes = attr_bytes(session, obj, CKA_APPLICATION, &len);
	assert_true(len < TEXT);
	memcpy(value, bytes, len);
	value[len] = '\0';
	free(bytes);
	bytes = attr_bytes(session, obj, CKA_VALUE, &len);
	assert_true(len >= 100 && bytes[0] == 0x33 && bytes[len - 1] == 0x33);
	free(bytes);
}

static void verify_object(CK_SESSION_HANDLE session, unsigned int thread, unsigned int i)
{
	const struct known *k = &known[thread][i];
	const char *told = *k->told ? k->told : "-";
	char name[TEXT], value[TEXT];
	CK_OBJECT_HANDLE obj;

	snprintf(name, sizeof(name), "%u-%u", thread, i);
	obj = object_by_label(session, name);
	value_of(session, obj, value);
	if (strcmp(value, told) && strcmp(value, k->under_way))
		fail_msg("%s is \"%s\"; told was \"%s\", under way \"%s\"", name, value, told,
			 k->under_way);
	if (obj)
		assert_ok(p11->C_DestroyObject(session, obj));
}

static void verify(const char *path)
{
	unsigned int thread, i, lines = read_lines(path);
	CK_SESSION_HANDLE sessions[2];

	assert_int_equal(suite_setup_bare(NULL), 0);
	sessions[0] = session_co(slot_a);
	sessions[1] = session_co(slot_b);
	for (thread = 0; thread < THREADS; thread++)
		for (i = 0; i < OBJECTS; i++)
			verify_object(sessions[thread & 1], thread, i);
	assert_int_equal(object_count(sessions[0], NULL, 0), 0);
	assert_int_equal(object_count(sessions[1], NULL, 0), 0);
	printf("%u\n", lines);
}

/* ---- Slots that work, and others ---- */

static void fails(const char *slot)
{
	CK_BYTE label[] = "a new label                     ";
	CK_TOKEN_INFO info;
	CK_SESSION_HANDLE session;

	assert_int_equal(suite_setup_bare(NULL), 0);
	assert_ok(p11->C_GetTokenInfo(slot_of(slot), &info));
	assert_true(info.flags & CKF_ERROR_STATE);
	assert_rv(p11->C_OpenSession(slot_of(slot), CKF_SERIAL_SESSION, NULL, NULL, &session),
		  CKR_DEVICE_ERROR);
	assert_rv(p11->C_InitToken(slot_of(slot), (CK_BYTE *)SO_PIN, strlen(SO_PIN), label),
		  CKR_DEVICE_ERROR);
}

static void works(const char *slot)
{
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE obj;

	assert_int_equal(suite_setup_bare(NULL), 0);
	session = session_co(slot_of(slot));
	assert_ok(make(session, "works", "it does", true, &obj));
	assert_true(object_by_label(session, "works") == obj);
	assert_ok(p11->C_DestroyObject(session, obj));
}

static void fill(const char *slot)
{
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE obj;
	unsigned int made = 0;
	char name[TEXT];
	CK_RV rv;

	assert_int_equal(suite_setup_bare(NULL), 0);
	session = session_co(slot_of(slot));
	do {
		snprintf(name, sizeof(name), "full-%u", made);
		rv = make(session, name, "full", true, &obj);
		made += rv == CKR_OK;
	} while (rv == CKR_OK && made < 2000);
	assert_rv(rv, CKR_DEVICE_MEMORY);
	/* What is there can be read and used. */
	assert_int_equal(object_count(session, NULL, 0), made);
	snprintf(name, sizeof(name), "full-%u", made - 1);
	assert_true(object_by_label(session, name) != 0);
	printf("%u\n", made);
}

static void brim(const char *slot)
{
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE obj;

	assert_int_equal(suite_setup_bare(NULL), 0);
	session = session_co(slot_of(slot));
	assert_rv(make(session, "one more", "", true, &obj), CKR_DEVICE_MEMORY);
	obj = object_by_label(session, "full-0");
	assert_true(obj != 0);
	assert_rv(change(session, obj, "changed"), CKR_DEVICE_MEMORY);
	assert_ok(p11->C_DestroyObject(session, obj));
	assert_true(object_by_label(session, "full-0") == 0);
	assert_ok(p11->C_Logout(session));
}

static void count(const char *slot)
{
	assert_int_equal(suite_setup_bare(NULL), 0);
	printf("%lu\n", object_count(session_co(slot_of(slot)), NULL, 0));
}

static void attempts(const char *slot, const char *times)
{
	CK_SESSION_HANDLE session;
	int i;

	assert_int_equal(suite_setup_bare(NULL), 0);
	session = session_open(slot_of(slot));
	for (i = 0; i < atoi(times); i++) {
		printf("?\n");
		fflush(stdout);
		if (p11->C_Login(session, CKU_LIMITED_USER, (CK_BYTE *)"a wrong PIN", 11) !=
		    CKR_PIN_INCORRECT)
			exit(3);
		printf("=\n");
		fflush(stdout);
	}
}

static void left(const char *slot)
{
	CA_ROLE_STATE state;

	assert_int_equal(suite_setup_bare(NULL), 0);
	assert_ok(ca->CA_RoleStateGet(slot_of(slot), CKU_LIMITED_USER, &state));
	printf("%d\n", (int)state.loginAttemptsLeft);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "", *arg = argc > 2 ? argv[2] : "0";

	if (!strcmp(what, "init"))
		init();
	else if (!strcmp(what, "load"))
		load(arg);
	else if (!strcmp(what, "verify"))
		verify(arg);
	else if (!strcmp(what, "fails"))
		fails(arg);
	else if (!strcmp(what, "works"))
		works(arg);
	else if (!strcmp(what, "fill"))
		fill(arg);
	else if (!strcmp(what, "brim"))
		brim(arg);
	else if (!strcmp(what, "count"))
		count(arg);
	else if (!strcmp(what, "attempts") && argc > 3)
		attempts(arg, argv[3]);
	else if (!strcmp(what, "left"))
		left(arg);
	else
		return 2;
	fflush(stdout);
	return suite_teardown(NULL);
}
