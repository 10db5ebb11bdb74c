// SPDX-License-Identifier: MIT
/*
 * Cloning objects between two tokens (CPv3), on this host or on two. An object that the target has
 * already, by its OUID, which a clone keeps, is left alone: a command that was cut short is run again.
 */
#include <stdlib.h>
#include <string.h>

#include "peer.h"

/* ---- the steps ---- */

/* One step: gives what @in has to @end; the bytes of the reply follow in *next after @type and @handle. */
static CK_RV step(struct end *end, unsigned int type, struct body *in, struct body *next,
		  const CK_ULONG *fields, size_t count, CK_ULONG *len)
{
	struct body out;
	unsigned char *bytes;
	CK_RV rv = end_call(end, type, in, &out);
	size_t i;

	memset(next, 0, sizeof(*next));
	if (rv != CKR_OK)
		return rv;
	bytes = get_bytes(&out, len);
	end_body_check(end, &out);
	for (i = 0; i < count; i++)
		put_u32(next, fields[i]);
	put_bytes(next, bytes, *len);
	body_free(&out);
	return rv;
}

/* The four steps; @len: of the TWC, Part1 and Part2. */
static CK_RV clone_steps(struct ends *ends, CK_ULONG type, CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *made,
			 struct end **failed, CK_ULONG len[3])
{
	struct end *source = &ends->first, *target = &ends->second;
	const CK_ULONG chosen[] = { type, handle };
	struct body message, next;
	CK_RV rv;

	*failed = source;
	rv = step(source, PEER_CLONE_SOURCE_INIT, NULL, &message, NULL, 0, &len[0]);
	if (rv != CKR_OK)
		return rv;
	*failed = target;
	rv = step(target, PEER_CLONE_TARGET_INIT, &message, &next, chosen, 2, &len[1]);
	if (rv != CKR_OK)
		return rv;
	*failed = source;
	rv = step(source, PEER_CLONE_SOURCE, &next, &message, chosen, 1, &len[2]);
	if (rv != CKR_OK)
		return rv;
	*failed = target;
	rv = end_call(target, PEER_CLONE_TARGET, &message, &next);
	if (rv != CKR_OK)
		return rv;
	*made = get_u32(&next);
	end_body_check(target, &next);
	body_free(&next);
	return CKR_OK;
}

CK_RV clone_object(struct ends *ends, CK_ULONG type, CK_OBJECT_HANDLE handle, CK_OBJECT_HANDLE *made,
		   struct end **failed)
{
	CK_ULONG len[3];

	if (ends->first.remote || ends->second.remote)
		return clone_steps(ends, type, handle, made, failed, len);
	*failed = &ends->second;
	snprintf(ends->second.call, sizeof(ends->second.call), "CA_CloneObject");
	return CA_CloneObject(ends->second.token.session, ends->first.token.session, type, handle, made);
}

CK_RV clones_there(struct end *target, const unsigned char (*ouids)[PEER_OUID], CK_ULONG n,
		   CK_OBJECT_HANDLE *handles)
{
	struct body in = { NULL, 0, 0, 0, false }, out;
	CK_ULONG i;
	CK_RV rv;

	put_u32(&in, n);
	put_raw(&in, ouids, n * PEER_OUID);
	rv = end_call(target, PEER_HAVE, &in, &out);
	if (rv != CKR_OK)
		return rv;
	out.bad |= get_u32(&out) != n;
	for (i = 0; i < n; i++)
		handles[i] = get_u32(&out);
	end_body_check(target, &out);
	body_free(&out);
	return CKR_OK;
}

/* ---- many objects ---- */

struct object {
	CK_OBJECT_HANDLE handle;
	char label[PEER_TEXT_MAX + 1];
};

/* Objects of the source, a page at a time, and what became of them. */
struct transfer {
	const struct ctl_args *args;
	struct ends ends;
	CK_ULONG total, done, cloned, there, refused;
	struct object objects[PEER_PAGE];
	unsigned char ouids[PEER_PAGE][PEER_OUID];
	CK_OBJECT_HANDLE clones[PEER_PAGE];
	struct json_object *list;
	struct end *failed;	/* who said the last error */
	bool alone;		/* one object, whose failure is the command's */
};

static void find(struct transfer *t)
{
	struct body in = { NULL, 0, 0, 0, false }, out;
	struct wanted wanted;
	unsigned char id[256];

	wanted_parse(&wanted, t->args, id);
	if (wanted.handle > 0xffffffff)
		fatal("%s has no object %lu", t->ends.first.where, wanted.handle);
	put_u8(&in, (wanted.has_handle ? 1 : 0) | (wanted.has_label ? 2 : 0) | (wanted.has_id ? 4 : 0) |
	       (wanted.has_class ? 8 : 0));
	put_u32(&in, wanted.handle);
	put_bytes(&in, wanted.label, wanted.label_len);
	put_bytes(&in, wanted.id, wanted.id_len);
	put_u32(&in, wanted.class);
	end_ask(&t->ends.first, PEER_FIND, &in, &out);
	t->total = get_u32(&out);
	end_body_check(&t->ends.first, &out);
	body_free(&out);
}

/* The next page of objects, and which of them the target has; *n: how many. */
static CK_RV page(struct transfer *t, CK_ULONG *n)
{
	struct body in = { NULL, 0, 0, 0, false }, out;
	const unsigned char *ouid;
	CK_ULONG i;
	CK_RV rv;

	t->failed = &t->ends.first;
	put_u32(&in, t->done);
	rv = end_call(&t->ends.first, PEER_LIST, &in, &out);
	if (rv != CKR_OK)
		return rv;
	*n = get_u32(&out);
	out.bad |= !*n || *n > PEER_PAGE || *n > t->total - t->done;
	for (i = 0; i < *n && !out.bad; i++) {
		t->objects[i].handle = get_u32(&out);
		get_u32(&out);		/* class */
		get_text(&out, t->objects[i].label, sizeof(t->objects[i].label));
		ouid = get_raw(&out, PEER_OUID);
		if (ouid)
			memcpy(t->ouids[i], ouid, PEER_OUID);
	}
	end_body_check(&t->ends.first, &out);
	body_free(&out);
	t->failed = &t->ends.second;
	return clones_there(&t->ends.second, t->ouids, *n, t->clones);
}

static void report(struct transfer *t, const struct object *object, CK_OBJECT_HANDLE clone, CK_RV rv,
		   bool was_there)
{
	struct json_object *row;

	if (!t->args->json) {
		progress_clear();
		if (rv != CKR_OK)
			printf("object %lu: %s", object->handle, ckr_name(rv));
		else
			printf("object %lu is %s %lu", object->handle,
			       was_there ? "there already, as" : "cloned to", clone);
		printf("%s%s\n", object->label[0] ? ": " : "", object->label);
		return;
	}
	row = json_object_new_object();
	json_object_object_add(row, "source", json_object_new_int64((int64_t)object->handle));
	json_object_object_add(row, "target", json_object_new_int64((int64_t)clone));
	json_object_object_add(row, "label", json_text(object->label, strlen(object->label)));
	json_object_object_add(row, "there", json_object_new_boolean(was_there));
	json_object_object_add(row, "result", json_object_new_string(ckr_name(rv)));
	json_object_array_add(t->list, row);
}

static CK_RV clone_one(struct transfer *t, const struct object *object, CK_OBJECT_HANDLE *made)
{
	CK_ULONG len[3];
	CK_RV rv;

	if (!t->args->opt[OPT_STEPS])
		return clone_object(&t->ends, CK_CRYPTOKI_ELEMENT, object->handle, made, &t->failed);
	rv = clone_steps(&t->ends, CK_CRYPTOKI_ELEMENT, object->handle, made, &t->failed, len);
	if (rv == CKR_OK && !t->args->json)
		printf("step 1: TWC, %lu bytes\nstep 2: Part1, %lu bytes\nstep 3: Part2, %lu bytes\n", len[0],
		       len[1], len[2]);
	return rv;
}

static void count(struct transfer *t, CK_RV rv, bool was_there)
{
	t->done++;
	t->refused += rv != CKR_OK;
	t->there += rv == CKR_OK && was_there;
	t->cloned += rv == CKR_OK && !was_there;
}

/* What goes wrong with one object stops no other, unless the connection is what went wrong. */
static CK_RV transfer(struct transfer *t)
{
	CK_OBJECT_HANDLE made;
	CK_RV rv = CKR_OK;
	CK_ULONG n, i;
	bool was_there;

	while (t->done < t->total) {
		rv = page(t, &n);
		for (i = 0; rv == CKR_OK && i < n; i++) {
			progress("Cloning", t->done, t->total);
			was_there = t->clones[i] && !t->args->opt[OPT_FORCE];
			made = was_there ? t->clones[i] : 0;
			if (!was_there)
				rv = clone_one(t, &t->objects[i], &made);
			if (t->alone)
				end_check(t->failed, rv);
			report(t, &t->objects[i], made, rv, was_there);
			count(t, rv, was_there);
			if (!end_lost(t->failed))
				rv = CKR_OK;
		}
		if (rv != CKR_OK)
			return rv;
	}
	if (t->total)
		progress("Cloning", t->done, t->total);
	return CKR_OK;
}

static int clone_or_migrate(const struct ctl_args *args, bool migrate)
{
	static const enum peer_purpose purposes[] = { PURPOSE_SOURCE, PURPOSE_TARGET };
	static const enum ctl_opt slots[] = { OPT_FROM, OPT_TO }, pins[] = { OPT_PIN_FILE, OPT_TO_PIN_FILE };
	struct transfer *t = calloc(1, sizeof(*t));
	int status;
	CK_RV rv;

	if (!t)
		fatal("out of memory");
	t->args = args;
	t->list = json_object_new_array();
	ends_open(&t->ends, args, purposes, slots, pins);
	find(t);
	if (!t->total && !migrate)
		fatal("no such object on %s; 'lunactl object list' shows them", t->ends.first.where);
	t->alone = t->total == 1 && !migrate;
	rv = transfer(t);
	if (args->json)
		print_json(t->list);
	else
		json_object_put(t->list);
	if (migrate && !args->json)
		printf("%lu objects cloned, %lu there already, %lu refused\n", t->cloned, t->there, t->refused);
	fflush(stdout);
	if (rv != CKR_OK) {
		ctl_json_errors(false);		/* the list is what there is on standard output */
		end_check(t->failed, rv);
	}
	ends_close(&t->ends);
	status = t->refused ? 1 : 0;
	free(t);
	return status;
}

static int clone(const struct ctl_args *args)
{
	if (!args->opt[OPT_HANDLE] && !args->opt[OPT_LABEL] && !args->opt[OPT_ID])
		usage_error("which object? --label, --id or --handle; for all of them: lunactl migrate");
	return clone_or_migrate(args, false);
}

static int migrate(const struct ctl_args *args)
{
	return clone_or_migrate(args, true);
}

#define BOTH	(OPT(FROM) | OPT(TO) | OPT(PIN_FILE) | OPT(TO_PIN_FILE) | OPT(LABEL) | OPT(ID) | \
		 OPT(HANDLE) | OPT(CLASS) | OPT(FORCE) | REMOTE)

const struct ctl_command clone_commands[] = {
	{ "clone", "Clones objects from one token to another",
	  "Both tokens must be in one cloning domain. An object that the target has already is left alone;\n"
	  "--force clones it again. --pin-file (LUNA_PIN) is the crypto officer's PIN of both slots unless\n"
	  "--to-pin-file says another one for the target.\n\n"
	  "To another host: lunactl clone --from 0 --label key --remote \"ssh host lunactl peer\", and from\n"
	  "there, the other way round: --to 0. The other host asks for its own PIN: lunactl peer --help.",
	  clone, BOTH | OPT(STEPS), NULL },
	{ "migrate", "Clones all objects, or those chosen, and reports on each",
	  "What the target has already is left alone, so that a migration that was cut short is run again; the\n"
	  "exit status is 1 if any object was refused. PINs, --remote and --force are as for 'lunactl clone'.",
	  migrate, BOTH, NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
