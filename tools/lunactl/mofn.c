// SPDX-License-Identifier: MIT
/* M of N: a secret shared among people that a token may require before its keys can be used. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer.h"

enum { SHARES = 16, SHARE_MAX = 512 };

enum { PATH_ROOM = 4096 };

static void share_path(char path[PATH_ROOM], const struct ctl_args *args, CK_ULONG index)
{
	if (snprintf(path, PATH_ROOM, "%s/share-%lu", args->opt[OPT_OUT_DIR], index + 1) >= PATH_ROOM)
		fatal("%s: %s", args->opt[OPT_OUT_DIR], strerror(ENAMETOOLONG));
}

/* A new secret makes all older shares worthless, so its own must have a place before it is made. */
static void shares_place(const struct ctl_args *args, CK_ULONG count)
{
	char path[PATH_ROOM];
	CK_ULONG i;
	int fd;

	for (i = 0; i < count; i++) {
		share_path(path, args, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			fatal("%s: %s; no secret is made", path, strerror(errno));
		close(fd);
	}
}

static int mofn_generate(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	CK_ULONG m, n, i;
	CA_MOFN_GENERATION vectors[SHARES];
	unsigned char shares[SHARES][SHARE_MAX];
	struct json_object *paths;
	CK_SESSION_HANDLE session;
	char path[PATH_ROOM];

	args_need(args, OPT_M);
	args_need(args, OPT_N);
	args_need(args, OPT_OUT_DIR);
	m = args_number(args, OPT_M, 0);
	n = args_number(args, OPT_N, 0);
	if (!m || m > n || n > SHARES)
		usage_error("--m is 1 to --n, and --n at most %d", SHARES);
	if (mkdir(args->opt[OPT_OUT_DIR], 0700) && errno != EEXIST)
		fatal("%s: %s", args->opt[OPT_OUT_DIR], strerror(errno));
	session = session_login(slot, args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co", args,
				OPT_PIN_FILE);
	shares_place(args, n);
	for (i = 0; i < n; i++) {
		vectors[i].ulWeight = 1;
		vectors[i].pVector = shares[i];
		vectors[i].ulVectorLen = SHARE_MAX;
	}
	check((args->opt[OPT_CLONEABLE] ? CA_GenerateCloneableMofN : CA_GenerateMofN)
	      (session, m, vectors, n, 0, NULL), "CA_GenerateMofN");
	paths = json_object_new_array();
	for (i = 0; i < n; i++) {
		share_path(path, args, i);
		file_write(path, vectors[i].pVector, vectors[i].ulVectorLen, true);
		json_object_array_add(paths, json_text(path, strlen(path)));
		if (!args->json)
			puts(path);
	}
	if (args->json)
		print_json(paths);
	else
		json_object_put(paths);
	explicit_bzero(shares, sizeof(shares));
	return 0;
}

static int mofn_activate(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	CA_MOFN_ACTIVATION vectors[SHARES];
	CK_SESSION_HANDLE session;
	int i;

	if (!args->rest_count || args->rest_count > SHARES)
		usage_error("name the files with the shares, at most %d", SHARES);
	for (i = 0; i < args->rest_count; i++)
		vectors[i].pVector = file_read(args->rest[i], &vectors[i].ulVectorLen);
	session = session_login(slot, args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co", args,
				OPT_PIN_FILE);
	check(CA_ActivateMofN(session, vectors, (CK_ULONG)args->rest_count), "CA_ActivateMofN");
	for (i = 0; i < args->rest_count; i++) {
		explicit_bzero(vectors[i].pVector, vectors[i].ulVectorLen);
		free(vectors[i].pVector);
	}
	print_done(args, "M of N of slot %lu is activated.\n", slot);
	return 0;
}

static int mofn_deactivate(const struct ctl_args *args)
{
	CK_SESSION_HANDLE session = session_login(slot_of(args, OPT_SLOT),
						  args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co", args,
						  OPT_PIN_FILE);

	check(CA_DeactivateMofN(session), "CA_DeactivateMofN");
	print_done(args, "M of N is deactivated.\n");
	return 0;
}

static int mofn_status(const struct ctl_args *args)
{
	static const struct {
		CK_ULONG flag;
		const char *name;
	} names[] = {
		{ CAF_M_OF_N_REQUIRED, "required" }, { CAF_M_OF_N_ACTIVATED, "activated" },
		{ CAF_M_OF_N_GENERATED, "generated" }, { CAF_M_OF_N_CLONEABLE, "cloneable" },
	};
	struct json_object *object = json_object_new_object();
	CA_M_OF_N_STATUS status;
	size_t i;

	check(CA_GetMofNStatus(slot_of(args, OPT_SLOT), &status), "CA_GetMofNStatus");
	json_object_object_add(object, "id", json_object_new_int64((int64_t)status.ulID));
	json_object_object_add(object, "m", json_object_new_int64((int64_t)status.ulM));
	json_object_object_add(object, "n", json_object_new_int64((int64_t)status.ulN));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_object_add(object, names[i].name,
				       json_object_new_boolean(status.ulFlag & names[i].flag));
	if (args->json) {
		print_json(object);
		return 0;
	}
	printf("%lu of %lu, id %lu:", status.ulM, status.ulN, status.ulID);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		printf(" %s%s", status.ulFlag & names[i].flag ? "" : "not ", names[i].name);
	putchar('\n');
	json_object_put(object);
	return 0;
}

static int mofn_clone(const struct ctl_args *args)
{
	static const enum peer_purpose purposes[] = { PURPOSE_SOURCE, PURPOSE_TARGET };
	static const enum ctl_opt slots[] = { OPT_FROM, OPT_TO }, pins[] = { OPT_PIN_FILE, OPT_TO_PIN_FILE };
	CK_OBJECT_HANDLE none;
	struct end *failed;
	struct ends ends;
	CK_RV rv;

	ends_open(&ends, args, purposes, slots, pins);
	rv = clone_object(&ends, CK_MOFN_ACTIVATION_ELEMENT, 0, &none, &failed);
	end_check(failed, rv);
	ends_close(&ends);
	print_done(args, "The M of N secret is cloned.\n");
	return 0;
}

#define ROLE	(OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE))

const struct ctl_command mofn_commands[] = {
	{ "mofn generate", "Makes the secret and writes its shares", NULL, mofn_generate,
	  ROLE | OPT(M) | OPT(N) | OPT(OUT_DIR) | OPT(CLONEABLE), NULL },
	{ "mofn activate", "Presents shares", NULL, mofn_activate, ROLE, "SHARE..." },
	{ "mofn deactivate", "Withdraws the activation", NULL, mofn_deactivate, ROLE, NULL },
	{ "mofn status", "Shows the state", NULL, mofn_status, OPT(SLOT), NULL },
	{ "mofn clone", "Copies a cloneable secret to another token", NULL, mofn_clone,
	  OPT(FROM) | OPT(TO) | OPT(PIN_FILE) | OPT(TO_PIN_FILE) | REMOTE, NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
