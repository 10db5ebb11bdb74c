// SPDX-License-Identifier: MIT
/* Cloning objects between two slots (CPv3). */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

struct pair {
	CK_SESSION_HANDLE source, target;
};

/* Both crypto officers; the target's PIN is the source's unless said otherwise. */
static struct pair login_both(const struct ctl_args *args)
{
	CK_SLOT_ID from = slot_of(args, OPT_FROM), to = slot_of(args, OPT_TO);
	struct pair pair;

	if (from == to)
		usage_error("--from and --to are the same slot");
	pair.source = session_login(from, "co", args, OPT_PIN_FILE);
	pair.target = session_login(to, "co", args,
				    args->opt[OPT_TO_PIN_FILE] ? OPT_TO_PIN_FILE : OPT_PIN_FILE);
	return pair;
}

/* A step that is asked twice: for the length, then for the bytes. */
static unsigned char *blob_room(CK_ULONG len)
{
	unsigned char *blob = malloc(len);

	if (!blob)
		fatal("out of memory");
	return blob;
}

static CK_OBJECT_HANDLE clone_steps(struct pair pair, CK_OBJECT_HANDLE obj, bool quiet)
{
	CK_ULONG twc_len = 0, part1_len = 0, part2_len = 0;
	unsigned char *twc, *part1, *part2;
	CK_OBJECT_HANDLE clone = 0;

	check(CA_CloneAsSourceInit(pair.source, NULL, 0, NULL, &twc_len, CK_FALSE),
	      "CA_CloneAsSourceInit");
	twc = blob_room(twc_len);
	check(CA_CloneAsSourceInit(pair.source, NULL, 0, twc, &twc_len, CK_FALSE),
	      "CA_CloneAsSourceInit");
	check(CA_CloneAsTargetInit(pair.target, twc, twc_len, NULL, 0, CK_FALSE, NULL, &part1_len),
	      "CA_CloneAsTargetInit");
	part1 = blob_room(part1_len);
	check(CA_CloneAsTargetInit(pair.target, twc, twc_len, NULL, 0, CK_FALSE, part1, &part1_len),
	      "CA_CloneAsTargetInit");
	check(CA_CloneAsSource(pair.source, CK_CRYPTOKI_ELEMENT, obj, part1, part1_len, CK_FALSE, NULL,
			       &part2_len), "CA_CloneAsSource");
	part2 = blob_room(part2_len);
	check(CA_CloneAsSource(pair.source, CK_CRYPTOKI_ELEMENT, obj, part1, part1_len, CK_FALSE, part2,
			       &part2_len), "CA_CloneAsSource");
	check(CA_CloneAsTarget(pair.target, NULL, 0, part2, part2_len, CK_CRYPTOKI_ELEMENT, 0, CK_FALSE,
			       &clone), "CA_CloneAsTarget");
	if (!quiet)
		printf("step 1: TWC, %lu bytes\nstep 2: Part1, %lu bytes\nstep 3: Part2, %lu bytes\n",
		       twc_len, part1_len, part2_len);
	free(twc);
	free(part1);
	free(part2);
	return clone;
}

static void cloned(const struct ctl_args *args, struct json_object *list, CK_OBJECT_HANDLE from,
		   CK_OBJECT_HANDLE to, CK_RV rv)
{
	struct json_object *row;

	if (!args->json) {
		if (rv == CKR_OK)
			printf("object %lu is cloned to %lu\n", from, to);
		else
			printf("object %lu: %s\n", from, ckr_name(rv));
		return;
	}
	row = json_object_new_object();
	json_object_object_add(row, "source", json_object_new_int64((int64_t)from));
	json_object_object_add(row, "target", json_object_new_int64((int64_t)to));
	json_object_object_add(row, "result", json_object_new_string(ckr_name(rv)));
	json_object_array_add(list, row);
}

static int clone(const struct ctl_args *args)
{
	struct json_object *list = json_object_new_array();
	struct objects objects;
	CK_OBJECT_HANDLE new;
	struct pair pair;
	CK_ULONG i, bad = 0;
	CK_RV rv;

	if (!args->opt[OPT_HANDLE] && !args->opt[OPT_LABEL] && !args->opt[OPT_ID])
		usage_error("which object? --label, --id or --handle; for all of them: lunactl migrate");
	pair = login_both(args);
	objects = objects_find(pair.source, args);
	if (!objects.count)
		fatal("no such object on slot %s; 'lunactl object list' shows them", args->opt[OPT_FROM]);
	for (i = 0; i < objects.count; i++) {
		rv = CKR_OK;
		new = 0;
		if (args->opt[OPT_STEPS])
			new = clone_steps(pair, objects.handle[i], args->json);
		else
			rv = CA_CloneObject(pair.target, pair.source, CK_CRYPTOKI_ELEMENT,
					    objects.handle[i], &new);
		if (objects.count == 1)
			check(rv, "CA_CloneObject");
		cloned(args, list, objects.handle[i], new, rv);
		bad += rv != CKR_OK;
	}
	if (args->json)
		print_json(list);
	else
		json_object_put(list);
	objects_free(&objects);
	return bad ? 1 : 0;
}

static int migrate(const struct ctl_args *args)
{
	enum { BATCH = 16 };
	struct json_object *list = json_object_new_array();
	struct pair pair = login_both(args);
	struct objects objects = objects_find(pair.source, args);
	CK_OBJECT_MIGRATION_DATA data[BATCH];
	CK_ULONG i, j, n, bad = 0;

	for (i = 0; i < objects.count; i += n) {
		n = objects.count - i < BATCH ? objects.count - i : BATCH;
		memset(data, 0, sizeof(data));
		for (j = 0; j < n; j++) {
			data[j].objectType = CK_CRYPTOKI_ELEMENT;
			data[j].sourceHandle = objects.handle[i + j];
		}
		progress("Migrating", i, objects.count);
		check(CA_MigrateKeys(pair.source, pair.target, CKF_CPV4_CONTINUE_ON_ERR, n, data),
		      "CA_MigrateKeys");
		for (j = 0; j < n; j++) {
			cloned(args, list, data[j].sourceHandle, data[j].targetHandle, data[j].rv);
			bad += data[j].rv != CKR_OK;
		}
	}
	progress("Migrating", objects.count, objects.count);
	if (args->json)
		print_json(list);
	else
		printf("%lu objects cloned, %lu refused\n", objects.count - bad, bad);
	if (!args->json)
		json_object_put(list);
	objects_free(&objects);
	return bad ? 1 : 0;
}

#define BOTH	(OPT(FROM) | OPT(TO) | OPT(PIN_FILE) | OPT(TO_PIN_FILE) | OPT(LABEL) | OPT(ID) | \
		 OPT(HANDLE) | OPT(CLASS))

const struct ctl_command clone_commands[] = {
	{ "clone", "Clones objects from one slot to another",
	  "Both tokens must be in one cloning domain. --pin-file (LUNA_PIN) is the crypto officer's PIN of\n"
	  "both slots unless --to-pin-file says another one for the target.",
	  clone, BOTH | OPT(STEPS), NULL },
	{ "migrate", "Clones all objects, or those chosen, and reports on each",
	  "The exit status is 1 if any of them was refused. PINs are as for 'lunactl clone'.", migrate,
	  BOTH, NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
