// SPDX-License-Identifier: MIT
/*
 * HA indirect login: the secondary token is logged in through the primary, without its PIN; both on this
 * host, or one of them on another.
 */
#include <stdlib.h>
#include <string.h>

#include "peer.h"

static const enum ctl_opt slots[] = { OPT_PRIMARY, OPT_SECONDARY };
static const enum ctl_opt pins[] = { OPT_PIN_FILE, OPT_SECONDARY_PIN_FILE };

static const char *label_of(const struct ctl_args *args)
{
	const char *label = args->opt[OPT_LABEL] ? args->opt[OPT_LABEL] : "ha-login";

	if (strlen(label) > PEER_TEXT_MAX)
		usage_error("--label: at most %d bytes", PEER_TEXT_MAX);
	return label;
}

/* The primary's login key. @made: it was not there before; @out: at its public half */
static CK_OBJECT_HANDLE login_key(struct end *primary, const char *label, bool make, bool *made,
				  struct body *out)
{
	struct body in = { NULL, 0, 0, 0, false };
	CK_OBJECT_HANDLE key;

	put_text(&in, label);
	put_u8(&in, make);
	end_ask(primary, PEER_LOGIN_KEY, &in, out);
	key = get_u32(out);
	*made = get_u8(out);
	if (key)
		return key;
	end_body_check(primary, out);
	fatal("%s has no login key '%s': lunactl ha setup makes it", primary->where, label);
}

/* What the primary gives the secondary, as an object there. */
static CK_OBJECT_HANDLE key_give(struct ends *ends, CK_OBJECT_HANDLE key, const char *label,
				 struct body *found, bool public)
{
	struct body in = { NULL, 0, 0, 0, false }, out;
	unsigned char ouid[1][PEER_OUID];
	const unsigned char *given = get_raw(found, PEER_OUID);
	CK_ULONG n_len, e_len;
	unsigned char *n = get_bytes(found, &n_len), *e = get_bytes(found, &e_len);
	CK_OBJECT_HANDLE there;
	struct end *failed;
	CK_RV rv;

	end_body_check(&ends->first, found);
	memcpy(ouid[0], given, PEER_OUID);
	if (!public) {
		failed = &ends->second;
		rv = clones_there(&ends->second, ouid, 1, &there);
		if (rv == CKR_OK && !there)
			rv = clone_object(ends, CK_CRYPTOKI_ELEMENT, key, &there, &failed);
		end_check(failed, rv);
		return there;
	}
	put_text(&in, label);
	put_bytes(&in, n, n_len);
	put_bytes(&in, e, e_len);
	end_ask(&ends->second, PEER_PUBLIC_KEY, &in, &out);
	there = get_u32(&out);
	end_body_check(&ends->second, &out);
	body_free(&out);
	return there;
}

static int ha_setup(const struct ctl_args *args)
{
	static const enum peer_purpose purposes[] = { PURPOSE_SETUP_PRIMARY, PURPOSE_SETUP_SECONDARY };
	const char *label = label_of(args);
	struct body in = { NULL, 0, 0, 0, false }, out;
	CK_OBJECT_HANDLE key;
	struct ends ends;
	bool made;

	ends_open(&ends, args, purposes, slots, pins);
	key = login_key(&ends.first, label, true, &made, &out);
	key = key_give(&ends, key, label, &out, args->opt[OPT_PUBLIC]);
	body_free(&out);
	put_u32(&in, key);
	end_ask(&ends.second, PEER_HA_INIT, &in, &out);
	end_body_check(&ends.second, &out);
	ends_close(&ends);
	print_done(args, "%s login key '%s'; %s can be logged in through %s: lunactl ha login\n",
		   made ? "Made" : "Used the", label, ends.second.where, ends.first.where);
	return 0;
}

/* One message from one end to the other, and what that one says to it, in its place. */
static void pass(struct end *end, unsigned int type, struct body *message)
{
	struct body out;
	unsigned char *bytes;
	CK_ULONG len;

	end_ask(end, type, message, &out);
	if (type != PEER_MOFN_ACTIVATE) {
		bytes = get_bytes(&out, &len);
		put_bytes(message, bytes, len);
	}
	end_body_check(end, &out);
	body_free(&out);
}

/* The exchange; whether M of N was part of it. */
static bool exchange(struct end *primary, struct end *secondary)
{
	struct body message = { NULL, 0, 0, 0, false };
	bool mofn;

	pass(primary, PEER_MASTER_PUBLIC, &message);
	pass(secondary, PEER_CHALLENGE, &message);
	pass(primary, PEER_ANSWER, &message);
	pass(secondary, PEER_LOGIN, &message);
	mofn = message.len > 4;		/* more than its length */
	if (mofn) {
		pass(primary, PEER_MOFN_ANSWER, &message);
		pass(secondary, PEER_MOFN_ACTIVATE, &message);
	}
	body_free(&message);
	return mofn;
}

static int ha_login(const struct ctl_args *args)
{
	static const enum peer_purpose purposes[] = { PURPOSE_LOGIN_PRIMARY, PURPOSE_LOGIN_SECONDARY };
	struct json_object *object;
	CK_ULONG state, count;
	struct ends ends;
	struct body out;
	bool mofn, made;

	ends_open(&ends, args, purposes, slots, pins);
	login_key(&ends.first, label_of(args), false, &made, &out);
	body_free(&out);
	mofn = exchange(&ends.first, &ends.second);
	end_ask(&ends.second, PEER_STATE, NULL, &out);
	state = get_u32(&out);
	count = get_u32(&out);
	end_body_check(&ends.second, &out);
	body_free(&out);
	ends_close(&ends);
	if (args->json) {
		object = json_object_new_object();
		json_object_object_add(object, "state", json_object_new_string(state_text(state)));
		json_object_object_add(object, "private_objects", json_object_new_int64((int64_t)count));
		json_object_object_add(object, "mofn", json_object_new_boolean(mofn));
		print_json(object);
	} else {
		printf("%s is logged in through %s: %s%s; it sees %lu private objects.\n", ends.second.where,
		       ends.first.where, state_text(state), mofn ? ", M of N activated" : "", count);
	}
	return 0;
}

#define PAIR	(OPT(PRIMARY) | OPT(SECONDARY) | OPT(LABEL) | OPT(PIN_FILE) | REMOTE)

const struct ctl_command ha_commands[] = {
	{ "ha setup", "Sets the secondary up to be logged in through the primary",
	  "Makes the login key pair on the primary, unless it is there, and clones its private key to the\n"
	  "secondary; with --public the secondary gets the public key only, needs no common domain, and can\n"
	  "never act as a primary. The label is ha-login unless --label says otherwise. With --remote, one of\n"
	  "--primary and --secondary is a slot here, and the other one is the remote's.",
	  ha_setup, PAIR | OPT(SECONDARY_PIN_FILE) | OPT(PUBLIC), NULL },
	{ "ha login", "Logs the secondary in through the primary, without the secondary's PIN",
	  "The login ends with the command, which shows that it works; with --app-id it stays, for programs with\n"
	  "that id, until 'lunactl app close'. On a secondary whose primary is on another host:\n"
	  "lunactl ha login --secondary 0 --remote \"ssh primary lunactl peer\".",
	  ha_login, PAIR, NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
