// SPDX-License-Identifier: MIT
/* HA login after the daemon that held the tokens has ended or was killed. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ha_login.h"

static pid_t daemon_start(const char *dir)
{
	char dev[256], store[256], node[300];
	struct stat st;
	pid_t pid;
	int i;

	snprintf(dev, sizeof(dev), "--dir=%s/dev", dir);
	snprintf(store, sizeof(store), "--store=%s/store", dir);
	snprintf(node, sizeof(node), "%s/dev/luna1", dir);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);	/* should the test fail */
		execl(getenv("LUNA_TEST_DAEMON"), "luna-fuse", "--foreground", dev, store,
		      "--slots=2", "--pin-iterations=1000", NULL);
		_exit(127);
	}
	for (i = 0; i < 400 && stat(node, &st); i++)
		usleep(25000);
	assert_int_equal(stat(node, &st), 0);
	return pid;
}

static void daemon_stop(pid_t pid, int signal)
{
	int status = -1;

	assert_int_equal(kill(pid, signal), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (signal == SIGTERM)
		assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* A killed daemon leaves its mount behind. */
static void unmount(const char *dir)
{
	char command[400];

	snprintf(command, sizeof(command), "fusermount3 -u -z %s/dev 2>/dev/null", dir);
	if (system(command))
		usleep(1000);
}

/* The library keeps the slots that it knew before; the daemon's are the last two. */
static void initialize_again(void **state)
{
	CK_SLOT_ID slots[64];
	CK_ULONG count = COUNT(slots);

	suite_setup_bare(state);
	assert_ok(p11->C_GetSlotList(CK_TRUE, slots, &count));
	assert_true(count >= 2);
	slot_a = slots[count - 2];
	slot_b = slots[count - 1];
}

void setup_survives_restart(void **state)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	char dir[] = "/tmp/luna-ha.XXXXXX", dev[64], command[100], *before;
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE key;
	size_t i;
	pid_t pid;

	if (!getenv("LUNA_TEST_DAEMON"))
		skip();
	assert_ok(p11->C_Finalize(NULL));
	before = strdup(getenv("LUNA_DEVICES"));
	assert_non_null(mkdtemp(dir));
	snprintf(dev, sizeof(dev), "%s/dev", dir);
	assert_int_equal(mkdir(dev, 0700), 0);
	setenv("LUNA_DEVICES", dev, 1);
	pid = daemon_start(dir);
	initialize_again(state);
	fresh(state);
	assert_ok(ca->CA_SetMofN(CK_TRUE));
	token_init(slot_b, "secondary", DOMAIN);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	vectors_generate(a, vector_room, vectors);
	b = session_co(slot_b);
	assert_ok(ca->CA_CloneMofN(b, a, NULL));
	assert_ok(ca->CA_ActivateMofN(b, vectors, M));
	sessions_close(slot_b);
	setup_cloned();
	for (i = 0; i < COUNT(signals); i++) {
		assert_ok(p11->C_Finalize(NULL));
		daemon_stop(pid, signals[i]);
		unmount(dir);
		pid = daemon_start(dir);
		initialize_again(state);
		a = session_co(slot_a);
		b = session_open(slot_b);
		assert_ok(p11->C_FindObjectsInit(a, NULL, 0));
		assert_ok(p11->C_FindObjectsFinal(a));
		{
			CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
			CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class) };
			CK_ULONG found = 0;

			assert_ok(p11->C_FindObjectsInit(a, tmpl, 1));
			assert_ok(p11->C_FindObjects(a, &login_priv, 1, &found));
			assert_int_equal(found, 1);
			assert_ok(p11->C_FindObjectsFinal(a));
		}
		/* The secret's activation ended with the daemon. */
		login_mofn(b);
		key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
		assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
		assert_ok(step5());
		assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
		assert_ok(sign_init(b, key));
	}
	assert_ok(p11->C_Finalize(NULL));
	daemon_stop(pid, SIGTERM);
	unmount(dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	setenv("LUNA_DEVICES", before, 1);
	free(before);
	suite_setup_bare(state);
}
