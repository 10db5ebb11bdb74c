// SPDX-License-Identifier: MIT
/*
 * Many programs at once on two slots, some of which get killed: mixed work in which no call may fail,
 * and after which the daemon is as it was. Latencies are told, never judged.
 *
 *	load work SECONDS PROCESSES THREADS	initialises both tokens, works, checks
 *	load verify				after a restart: what was to stay is there
 *	load compact OBJECTS			works beside a compaction of so many objects, and tells the
 *						longest waits beside it, and beside as many writes without
 *
 * Environment: LUNA_LIBRARY, LUNA_DEVICES; LUNA_TEST_DAEMON_PID: whose memory and files are counted.
 */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"

enum action { SIGN, ENCRYPT, CREATE, FIND, DESTROY, CLONE, LOGIN, LOGOUT, SESSION, ACTIONS };

static const char *const action_names[] = {
	[SIGN] = "RSA-2048 sign", [ENCRYPT] = "AES-GCM 1 KiB", [CREATE] = "create, durable",
	[FIND] = "find by label", [DESTROY] = "destroy, durable", [CLONE] = "clone to the other slot",
	[LOGIN] = "login", [LOGOUT] = "logout", [SESSION] = "open + close session",
};

enum {
	PROCESSES_MAX = 256, THREADS_MAX = 16,
	OCTAVES = 40, STEPS = 8,		/* a histogram's resolution: an eighth of an octave */
	KEPT = 64,				/* objects that are there from the start to the end */
	KILL_PAUSE_MS = 150, VALUE_LEN = 100,
};

/* What the processes tell each other, in memory that outlives those that are killed. */
static struct shared {
	atomic_bool stop;
	atomic_ulong wrong;
	atomic_int wrong_line;
	_Atomic CK_RV wrong_rv;
	atomic_ulong times[ACTIONS][OCTAVES * STEPS];
	_Atomic uint64_t slowest[ACTIONS];
} *shared;

static CK_BYTE text[1024];
static const char temporary[] = "load";		/* CKA_ID of all that comes and goes */

/* ---- measuring and judging ---- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int octave = ns < STEPS ? 3 : 63 - (unsigned int)__builtin_clzll(ns);
	unsigned int bucket = octave * STEPS + ((ns >> (octave - 3)) & (STEPS - 1));

	return bucket < OCTAVES * STEPS ? bucket : OCTAVES * STEPS - 1;
}

static double bucket_us(unsigned int bucket)
{
	unsigned int octave = bucket / STEPS;

	return (double)((1ull << octave) + ((unsigned long long)(bucket % STEPS + 1) << (octave - 3))) / 1e3;
}

static void took(enum action action, uint64_t since)
{
	uint64_t ns = now() - since, slowest = atomic_load(&shared->slowest[action]);

	atomic_fetch_add(&shared->times[action][bucket_of(ns)], 1);
	while (ns > slowest &&
	       !atomic_compare_exchange_weak(&shared->slowest[action], &slowest, ns))
		;
}

static bool wrong(CK_RV rv, int line)
{
	if (rv == CKR_OK)
		return false;
	if (!atomic_fetch_add(&shared->wrong, 1)) {
		atomic_store(&shared->wrong_rv, rv);
		atomic_store(&shared->wrong_line, line);
	}
	return true;
}

/* One call: timed if it has a name, and never wrong */
#define CALL(expression)	wrong(expression, __LINE__)
#define TIMED(action, expression)						\
	({									\
		uint64_t since_ = now();					\
		bool wrong_ = wrong(expression, __LINE__);			\
										\
		took(action, since_);						\
		wrong_;								\
	})

/* ---- the work ---- */

static bool open_at(CK_SLOT_ID slot, CK_SESSION_HANDLE *session)
{
	return !CALL(p11->C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, session));
}

static CK_RV login(CK_SESSION_HANDLE session)
{
	return p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)CO_PIN, strlen(CO_PIN));
}

static CK_OBJECT_HANDLE find(CK_SESSION_HANDLE session, const char *label)
{
	CK_ATTRIBUTE tmpl[] = { ATTR_STR(CKA_LABEL, label) };
	CK_OBJECT_HANDLE obj = 0;
	CK_ULONG found = 0;

	if (CALL(p11->C_FindObjectsInit(session, tmpl, 1)) ||
	    CALL(p11->C_FindObjects(session, &obj, 1, &found)) ||
	    CALL(p11->C_FindObjectsFinal(session)))
		return 0;
	if (!found)
		wrong(CKR_OBJECT_HANDLE_INVALID, __LINE__);
	return found ? obj : 0;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mech = { CKM_SHA256_RSA_PKCS, NULL, 0 };
	CK_BYTE out[256];
	CK_ULONG len = sizeof(out);
	CK_RV rv = p11->C_SignInit(session, &mech, key);

	return rv ? rv : p11->C_Sign(session, text, 64, out, &len);
}

static CK_RV encrypt(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key, CK_BYTE *out)
{
	CK_BYTE iv[12] = { 1 };
	CK_GCM_PARAMS gcm = { .pIv = iv, .ulIvLen = sizeof(iv), .ulIvBits = 96, .ulTagBits = 128 };
	CK_MECHANISM mech = { CKM_AES_GCM, &gcm, sizeof(gcm) };
	CK_ULONG len = sizeof(text) + 16;
	CK_RV rv = p11->C_EncryptInit(session, &mech, key);

	return rv ? rv : p11->C_Encrypt(session, text, sizeof(text), out, &len);
}

static CK_RV make(CK_SESSION_HANDLE session, CK_BBOOL token, CK_OBJECT_HANDLE *obj)
{
	CK_MECHANISM mech = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_TOKEN, token), ATTR(CKA_VALUE_LEN, len), ATTR(CKA_ENCRYPT, yes),
		ATTR(CKA_EXTRACTABLE, no), ATTR_BYTES(CKA_ID, temporary, sizeof(temporary)),
	};

	return p11->C_GenerateKey(session, &mech, tmpl, COUNT(tmpl), obj);
}

static void *worker(void *unused)
{
	CK_BYTE out[sizeof(text) + 16];
	CK_SESSION_HANDLE session, other;
	CK_OBJECT_HANDLE rsa, aes, made;

	(void)unused;
	if (!open_at(slot_a, &session))
		return NULL;
	while (!atomic_load(&shared->stop)) {
		uint64_t since = now();

		aes = find(session, "kept key");
		took(FIND, since);
		rsa = find(session, "kept pair");
		TIMED(SIGN, sign(session, rsa));
		for (int i = 0; i < 4; i++)
			TIMED(ENCRYPT, encrypt(session, aes, out));
		if (!TIMED(CREATE, make(session, CK_TRUE, &made)))
			TIMED(DESTROY, p11->C_DestroyObject(session, made));
		since = now();
		if (open_at(slot_a, &other))
			CALL(p11->C_CloseSession(other));
		took(SESSION, since);
	}
	return NULL;
}

static int many_threads(void *arg)
{
	int threads = *(int *)arg;
	pthread_t ids[THREADS_MAX];
	CK_SESSION_HANDLE session;

	if (!open_at(slot_a, &session) || CALL(login(session)))
		return 1;
	for (int i = 0; i < threads; i++)
		if (pthread_create(&ids[i], NULL, worker, NULL))
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	return 0;
}

static int in_and_out(void *arg)
{
	CK_SESSION_HANDLE session;

	(void)arg;
	while (!atomic_load(&shared->stop)) {
		if (!open_at(slot_a, &session))
			return 1;
		TIMED(LOGIN, login(session));
		TIMED(SIGN, sign(session, find(session, "kept pair")));
		TIMED(LOGOUT, p11->C_Logout(session));
		CALL(p11->C_CloseSession(session));
	}
	return 0;
}

static int cloner(void *arg)
{
	CK_BYTE here[sizeof(text) + 16], there[sizeof(text) + 16];
	CK_SESSION_HANDLE source, target;
	CK_OBJECT_HANDLE key, clone;

	(void)arg;
	if (!open_at(slot_a, &source) || CALL(login(source)) ||
	    !open_at(slot_b, &target) || CALL(login(target)))
		return 1;
	while (!atomic_load(&shared->stop)) {
		if (CALL(make(source, CK_FALSE, &key)))
			return 1;
		if (TIMED(CLONE, ca->CA_CloneObject(target, source, 0, key, &clone)))
			return 1;
		if (CALL(encrypt(source, key, here)) || CALL(encrypt(target, clone, there)) ||
		    memcmp(here, there, sizeof(here)))
			wrong(CKR_DATA_INVALID, __LINE__);
		CALL(p11->C_DestroyObject(source, key));
		CALL(p11->C_DestroyObject(target, clone));
	}
	return 0;
}

static pid_t start(unsigned int number, int *threads)
{
	static int (*const kinds[])(void *) = {
		in_and_out, cloner, many_threads, many_threads,
		many_threads, many_threads, many_threads, many_threads,
	};

	return child_start(kinds[number % COUNT(kinds)], threads);
}

/* ---- what stays ---- */

static void kept_value(unsigned int number, CK_BYTE *value)
{
	for (unsigned int i = 0; i < VALUE_LEN; i++)
		value[i] = (CK_BYTE)(number * 31 + i * 7);
}

static void keep(CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BYTE value[VALUE_LEN];
	CK_OBJECT_HANDLE pub, priv, obj;

	aes_key(session, 32, true, "kept key");
	rsa_pair(session, 2048, true, "kept pair", &pub, &priv);
	assert_ok(p11->C_DestroyObject(session, pub));	/* one object of that label */
	for (unsigned int i = 0; i < KEPT; i++) {
		char label[32];
		CK_ATTRIBUTE tmpl[] = {
			ATTR(CKA_CLASS, class), ATTR(CKA_TOKEN, yes), ATTR(CKA_PRIVATE, yes),
			ATTR(CKA_VALUE, value), { CKA_LABEL, label, 0 },
		};

		tmpl[4].ulValueLen = (CK_ULONG)snprintf(label, sizeof(label), "kept %u", i);
		kept_value(i, value);
		assert_ok(p11->C_CreateObject(session, tmpl, COUNT(tmpl), &obj));
	}
}

static void assert_kept(CK_SESSION_HANDLE session)
{
	CK_BYTE want[VALUE_LEN], out[sizeof(text) + 16];
	CK_ULONG len;

	for (unsigned int i = 0; i < KEPT; i++) {
		unsigned char *value;
		char label[32];

		snprintf(label, sizeof(label), "kept %u", i);
		value = attr_bytes(session, object_by_label(session, label), CKA_VALUE, &len);
		kept_value(i, want);
		assert_int_equal(len, VALUE_LEN);
		assert_memory_equal(value, want, VALUE_LEN);
		free(value);
	}
	assert_ok(encrypt(session, object_by_label(session, "kept key"), out));
	assert_ok(sign(session, object_by_label(session, "kept pair")));
	assert_int_equal(object_count(session, NULL, 0), KEPT + 2);
}

/* What the killed ones had no time to destroy */
static unsigned long destroy_left(CK_SESSION_HANDLE session, CK_ATTRIBUTE_TYPE type)
{
	CK_ATTRIBUTE tmpl[] = { ATTR_BYTES(type, temporary, sizeof(temporary)) };
	CK_OBJECT_HANDLE objs[64];
	CK_ULONG found;
	unsigned long all = 0;

	do {
		assert_ok(p11->C_FindObjectsInit(session, tmpl, 1));
		assert_ok(p11->C_FindObjects(session, objs, COUNT(objs), &found));
		assert_ok(p11->C_FindObjectsFinal(session));
		for (CK_ULONG i = 0; i < found; i++)
			assert_ok(p11->C_DestroyObject(session, objs[i]));
		all += found;
	} while (found);
	return all;
}

/* ---- the daemon ---- */

struct usage {
	long rss_kib;
	int files;		/* -1: only root may count them */
	CK_ULONG sessions;
};

static const char *daemon_path(const char *name)
{
	static char path[64];
	const char *pid = getenv("LUNA_TEST_DAEMON_PID");

	snprintf(path, sizeof(path), "/proc/%s/%s", pid ? pid : "self", name);
	return path;
}

static long rss(void)
{
	FILE *status = fopen(daemon_path("status"), "re");
	char line[128];
	long kib = 0;

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "VmRSS: %ld", &kib);
	if (status)
		fclose(status);
	return kib;
}

static int files(void)
{
	DIR *dir = opendir(daemon_path("fd"));
	int count = 0;

	if (!dir)
		return -1;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static struct usage usage(void)
{
	CK_TOKEN_INFO a, b;

	assert_ok(p11->C_GetTokenInfo(slot_a, &a));
	assert_ok(p11->C_GetTokenInfo(slot_b, &b));
	return (struct usage){ rss(), files(), a.ulSessionCount + b.ulSessionCount };
}

static void tell_usage(const char *when, const struct usage *u)
{
	printf("# %-8s %7ld KiB, %d descriptors, %lu sessions\n", when, u->rss_kib, u->files, u->sessions);
}

/* ---- the run ---- */

static struct {
	unsigned int seconds, processes;
	int threads;
} plan = { 10, 16, 4 };

static double percentile(enum action action, unsigned long all, double share)
{
	unsigned long seen = 0;

	for (unsigned int i = 0; i < OCTAVES * STEPS; i++) {
		seen += atomic_load(&shared->times[action][i]);
		if ((double)seen >= share * (double)all)
			return bucket_us(i);
	}
	return 0;
}

static unsigned long count_of(enum action action)
{
	unsigned long all = 0;

	for (unsigned int i = 0; i < OCTAVES * STEPS; i++)
		all += atomic_load(&shared->times[action][i]);
	return all;
}

static void tell_times(void)
{
	printf("# %-24s %9s %9s %9s %9s %9s %10s\n", "microseconds", "calls", "50 %", "90 %", "99 %",
	       "99.9 %", "slowest");
	for (enum action a = 0; a < ACTIONS; a++) {
		unsigned long all = count_of(a);

		printf("# %-24s %9lu %9.0f %9.0f %9.0f %9.0f %10.0f\n", action_names[a], all,
		       percentile(a, all, .5), percentile(a, all, .9), percentile(a, all, .99),
		       percentile(a, all, .999), (double)atomic_load(&shared->slowest[a]) / 1e3);
		assert_true(all > 0);
	}
}

/* Return: how many were killed */
static unsigned int run(pid_t *children, uint64_t until)
{
	unsigned int killed = 0;

	for (; now() < until; killed++) {
		unsigned int victim = (unsigned int)random() % plan.processes;

		usleep(KILL_PAUSE_MS * 1000);
		kill(children[victim], SIGKILL);
		waitpid(children[victim], NULL, 0);
		children[victim] = start(victim, &plan.threads);
	}
	return killed;
}

static void finish(const pid_t *children)
{
	atomic_store(&shared->stop, true);
	for (unsigned int i = 0; i < plan.processes; i++)
		assert_int_equal(child_wait(children[i]), 0);
}

static struct usage settled(const struct usage *before)
{
	struct usage after = usage();

	for (int i = 0; i < 200 && after.sessions != before->sessions; i++) {
		usleep(50000);
		after = usage();
	}
	return after;
}

static void everybody_works(void **state)
{
	pid_t children[PROCESSES_MAX];
	CK_SESSION_HANDLE session = session_co(slot_a);
	struct usage before, middle, after;
	unsigned int killed;
	uint64_t since;

	(void)state;
	keep(session);
	before = usage();
	since = now();
	for (unsigned int i = 0; i < plan.processes; i++)
		children[i] = start(i, &plan.threads);
	killed = run(children, since + plan.seconds * 300000000ull);
	middle = usage();
	killed += run(children, since + plan.seconds * 1000000000ull);
	finish(children);
	printf("# %u programs, %u were killed and replaced; %lu objects of theirs were left\n",
	       plan.processes, killed, destroy_left(session, CKA_ID));
	after = settled(&before);
	tell_usage("before", &before);
	tell_usage("working", &middle);
	tell_usage("after", &after);
	tell_times();
	if (atomic_load(&shared->wrong))
		fail_msg("%lu calls failed; the first in line %d: %s", atomic_load(&shared->wrong),
			 atomic_load(&shared->wrong_line), rv_name(atomic_load(&shared->wrong_rv)));
	assert_int_equal(after.sessions, before.sessions);
	assert_int_equal(after.files, before.files);
	assert_true(after.rss_kib <= middle.rss_kib + middle.rss_kib / 4);
	assert_kept(session);
}

/* ---- beside a compaction ---- */

enum { FILLERS = 16, LARGE = 60000 };

static unsigned int objects = 2000;

static void store_stat(struct stat *st)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/token0.luna", getenv("LUNA_TEST_STORE"));
	assert_int_equal(stat(path, st), 0);
}

static CK_RV data_object(CK_SESSION_HANDLE session, CK_ULONG len, CK_OBJECT_HANDLE *obj)
{
	static CK_BYTE value[LARGE];
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_TOKEN, yes), ATTR(CKA_PRIVATE, yes),
		ATTR_BYTES(CKA_VALUE, value, len),
		ATTR_BYTES(CKA_LABEL, temporary, sizeof(temporary)),
	};

	return p11->C_CreateObject(session, tmpl, COUNT(tmpl), obj);
}

static void *filler(void *unused)
{
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE obj;

	(void)unused;
	if (!open_at(slot_a, &session))
		return NULL;
	for (unsigned int i = 0; i < objects / FILLERS; i++)
		CALL(data_object(session, 300, &obj));
	return NULL;
}

static int reader(void *arg)
{
	CK_SESSION_HANDLE session, other;
	bool finds = *(bool *)arg;

	if (!open_at(slot_a, &session) || CALL(login(session)))
		return 1;
	while (!atomic_load(&shared->stop)) {
		uint64_t since = now();
		CK_OBJECT_HANDLE obj = find(session, finds ? "kept key" : "kept pair");

		took(FIND, since);
		if (!finds)
			TIMED(SIGN, sign(session, obj));
		since = now();
		if (open_at(slot_a, &other))
			CALL(p11->C_CloseSession(other));
		took(SESSION, since);
	}
	return 0;
}

/* Objects made and destroyed, until the file has @most bytes, or is another. */
static void churn(CK_SESSION_HANDLE session, off_t most)
{
	struct stat before, st;
	CK_OBJECT_HANDLE obj;
	uint64_t since;

	store_stat(&before);
	do {
		since = now();
		assert_ok(data_object(session, LARGE, &obj));
		took(CREATE, since);
		assert_ok(p11->C_DestroyObject(session, obj));
		store_stat(&st);
	} while (st.st_size < most && st.st_ino == before.st_ino);
	assert_int_equal(st.st_ino == before.st_ino, most != INT64_MAX);
}

static void take_slowest(uint64_t *slowest)
{
	for (enum action a = 0; a < ACTIONS; a++)
		slowest[a] = atomic_exchange(&shared->slowest[a], 0);
}

static void beside_compaction(void **state)
{
	static bool finds[] = { false, true };
	static const enum action told[] = { SIGN, FIND, SESSION, LOGIN, CREATE };
	uint64_t without[ACTIONS], with[ACTIONS];
	CK_SESSION_HANDLE session = session_co(slot_a);
	pthread_t threads[FILLERS];
	struct stat st;
	pid_t pids[3];

	(void)state;
	keep(session);
	for (unsigned int i = 0; i < FILLERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, filler, NULL), 0);
	for (unsigned int i = 0; i < FILLERS; i++)
		pthread_join(threads[i], NULL);
	store_stat(&st);
	pids[0] = child_start(reader, &finds[0]);
	pids[1] = child_start(reader, &finds[1]);
	pids[2] = child_start(in_and_out, NULL);
	while (!count_of(SIGN) || !count_of(FIND) || !count_of(LOGOUT))
		usleep(10000);
	take_slowest(without);
	churn(session, st.st_size + st.st_size / 5 * 4);
	take_slowest(without);
	churn(session, INT64_MAX);
	take_slowest(with);
	atomic_store(&shared->stop, true);
	for (unsigned int i = 0; i < COUNT(pids); i++)
		assert_int_equal(child_wait(pids[i]), 0);
	printf("# %u objects, %lld bytes; longest wait in microseconds without and with a compaction\n",
	       objects, (long long)st.st_size);
	for (unsigned int i = 0; i < COUNT(told); i++)
		printf("# %-24s %10.0f %10.0f\n", action_names[told[i]],
		       (double)without[told[i]] / 1e3, (double)with[told[i]] / 1e3);
	if (atomic_load(&shared->wrong))
		fail_msg("%lu calls failed; the first in line %d: %s", atomic_load(&shared->wrong),
			 atomic_load(&shared->wrong_line), rv_name(atomic_load(&shared->wrong_rv)));
	assert_int_equal(object_count(session, NULL, 0), KEPT + 2 + objects / FILLERS * FILLERS);
	destroy_left(session, CKA_LABEL);
}

static void all_is_there(void **state)
{
	(void)state;
	assert_kept(session_co(slot_a));
	assert_int_equal(object_count(session_co(slot_b), NULL, 0), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest work[] = { cmocka_unit_test(everybody_works) };
	const struct CMUnitTest compact[] = { cmocka_unit_test(beside_compaction) };
	const struct CMUnitTest verify[] = { cmocka_unit_test(all_is_there) };

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	if (argc == 2 && !strcmp(argv[1], "verify"))
		return cmocka_run_group_tests_name("load, verified", verify, suite_setup_bare,
						   suite_teardown);
	if (argc == 3 && !strcmp(argv[1], "compact")) {
		objects = (unsigned int)atoi(argv[2]);
		return cmocka_run_group_tests_name("load beside a compaction", compact, suite_setup,
						   suite_teardown);
	}
	if (argc != 5 || strcmp(argv[1], "work")) {
		fprintf(stderr,
			"usage: load work SECONDS PROCESSES THREADS | load verify | load compact OBJECTS\n");
		return 2;
	}
	plan.seconds = (unsigned int)atoi(argv[2]);
	plan.processes = (unsigned int)atoi(argv[3]);
	plan.threads = atoi(argv[4]);
	if (!plan.seconds || !plan.processes || plan.processes > PROCESSES_MAX || plan.threads < 1 ||
	    plan.threads > THREADS_MAX)
		return 2;
	return cmocka_run_group_tests_name("load", work, suite_setup, suite_teardown);
}
