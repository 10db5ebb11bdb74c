// SPDX-License-Identifier: MIT
/* HA indirect login: the secondary slot is logged in through the primary, without its PIN. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

/* A login key pair with the attributes that the protocol demands; the private key. */
static CK_OBJECT_HANDLE login_key_make(CK_SESSION_HANDLE session, const char *label)
{
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_ULONG bits = 2048, len = strlen(label);
	unsigned char e[] = { 1, 0, 1 };
	CK_ATTRIBUTE pub[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_MODIFIABLE, &no, 1 },
		{ CKA_MODULUS_BITS, &bits, sizeof(bits) }, { CKA_PUBLIC_EXPONENT, e, 3 },
		{ CKA_LABEL, (void *)label, len }, { CKA_ENCRYPT, &no, 1 }, { CKA_VERIFY, &no, 1 },
		{ CKA_VERIFY_RECOVER, &no, 1 }, { CKA_WRAP, &no, 1 }, { CKA_DERIVE, &no, 1 },
	};
	CK_ATTRIBUTE priv[] = {
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_MODIFIABLE, &no, 1 },
		{ CKA_LABEL, (void *)label, len }, { CKA_SENSITIVE, &yes, 1 },
		{ CKA_EXTRACTABLE, &no, 1 }, { CKA_DECRYPT, &no, 1 }, { CKA_SIGN, &no, 1 },
		{ CKA_SIGN_RECOVER, &no, 1 }, { CKA_UNWRAP, &no, 1 }, { CKA_DERIVE, &no, 1 },
	};
	CK_OBJECT_HANDLE public_key, private_key;

	check(C_GenerateKeyPair(session, &mech, pub, 11, priv, 11, &public_key, &private_key),
	      "C_GenerateKeyPair");
	return private_key;
}

/* The first object of a class with the label; 0 if there is none. */
static CK_OBJECT_HANDLE key_find(CK_SESSION_HANDLE session, const char *label, const char *class)
{
	struct ctl_args wanted = { .opt = { [OPT_LABEL] = label, [OPT_CLASS] = class } };
	struct objects objects = objects_find(session, &wanted);
	CK_OBJECT_HANDLE handle = objects.count ? objects.handle[0] : 0;

	objects_free(&objects);
	return handle;
}

/* The primary's public key as an object of the secondary. */
static CK_OBJECT_HANDLE public_import(CK_SESSION_HANDLE primary, CK_SESSION_HANDLE secondary,
				      const char *label)
{
	CK_OBJECT_HANDLE key = key_find(primary, label, "public"), made = 0;
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ULONG n_len, e_len;
	unsigned char *n, *e;

	if (!key)
		fatal("the primary has no public key '%s'", label);
	n = object_bytes(primary, key, CKA_MODULUS, &n_len);
	e = object_bytes(primary, key, CKA_PUBLIC_EXPONENT, &e_len);
	if (!n || !e)
		fatal("'%s' is no RSA key", label);
	CK_ATTRIBUTE tmpl[] = {
		{ CKA_CLASS, &class, sizeof(class) }, { CKA_KEY_TYPE, &type, sizeof(type) },
		{ CKA_TOKEN, &yes, 1 }, { CKA_PRIVATE, &yes, 1 }, { CKA_MODIFIABLE, &no, 1 },
		{ CKA_MODULUS, n, n_len }, { CKA_PUBLIC_EXPONENT, e, e_len },
		{ CKA_LABEL, (void *)label, strlen(label) }, { CKA_ENCRYPT, &no, 1 },
		{ CKA_VERIFY, &no, 1 }, { CKA_VERIFY_RECOVER, &no, 1 }, { CKA_WRAP, &no, 1 },
		{ CKA_DERIVE, &no, 1 },
	};

	check(C_CreateObject(secondary, tmpl, sizeof(tmpl) / sizeof(tmpl[0]), &made),
	      "C_CreateObject");
	free(n);
	free(e);
	return made;
}

/* No token can answer for itself. */
static void slots_differ(CK_SLOT_ID primary, CK_SLOT_ID secondary)
{
	if (primary == secondary)
		usage_error("--primary and --secondary are the same slot");
}

static int ha_setup(const struct ctl_args *args)
{
	CK_SLOT_ID from = slot_of(args, OPT_PRIMARY), to = slot_of(args, OPT_SECONDARY);
	const char *label = args->opt[OPT_LABEL] ? args->opt[OPT_LABEL] : "ha-login";
	CK_SESSION_HANDLE primary, secondary;
	CK_OBJECT_HANDLE key, there;
	bool made;

	slots_differ(from, to);
	primary = session_login(from, "co", args, OPT_PIN_FILE);
	key = key_find(primary, label, "private");
	made = !key;
	secondary = session_login(to, "co", args, args->opt[OPT_SECONDARY_PIN_FILE] ?
				  OPT_SECONDARY_PIN_FILE : OPT_PIN_FILE);
	if (made)
		key = login_key_make(primary, label);
	if (args->opt[OPT_PUBLIC])
		there = public_import(primary, secondary, label);
	else
		check(CA_CloneObject(secondary, primary, CK_CRYPTOKI_ELEMENT, key, &there),
		      "CA_CloneObject");
	check(CA_HAInit(secondary, there), "CA_HAInit");
	print_done(args, "%s login key '%s'; slot %lu can be logged in through slot %lu:\n"
		   "  lunactl ha login --primary %lu --secondary %lu --label %s\n",
		   made ? "Made" : "Used the", label, to, from, from, to, label);
	return 0;
}

/* The second half, for a secondary that requires M of N. */
static void mofn_exchange(CK_SESSION_HANDLE primary, CK_SESSION_HANDLE secondary,
			  unsigned char *blob, CK_ULONG len)
{
	unsigned char secret[8192];
	CK_ULONG secret_len = sizeof(secret);

	check(CA_HAAnswerMofNChallenge(primary, blob, len, secret, &secret_len),
	      "CA_HAAnswerMofNChallenge");
	check(CA_HAActivateMofN(secondary, secret, secret_len), "CA_HAActivateMofN");
}

static int ha_login(const struct ctl_args *args)
{
	CK_SLOT_ID from = slot_of(args, OPT_PRIMARY), to = slot_of(args, OPT_SECONDARY);
	const char *label = args->opt[OPT_LABEL] ? args->opt[OPT_LABEL] : "ha-login";
	CK_SESSION_HANDLE primary, secondary;
	CK_OBJECT_HANDLE key;
	unsigned char twc[8192], challenge[8192], answer[8192], mofn[8192];
	CK_ULONG twc_len = sizeof(twc), challenge_len = sizeof(challenge), answer_len = sizeof(answer);
	CK_ULONG mofn_len = sizeof(mofn), private_count = 0, i;
	struct ctl_args any = { .opt = { NULL } };
	struct json_object *object;
	struct objects objects;
	CK_SESSION_INFO info;

	slots_differ(from, to);
	primary = session_login(from, "co", args, OPT_PIN_FILE);
	secondary = session_public(to);
	key = key_find(primary, label, "private");
	if (!key)
		fatal("the primary has no login key '%s': lunactl ha setup makes it", label);
	check(CA_HAGetMasterPublic(from, twc, &twc_len), "CA_HAGetMasterPublic");
	check(CA_HAGetLoginChallenge(secondary, CKU_USER, twc, twc_len, challenge, &challenge_len),
	      "CA_HAGetLoginChallenge");
	check(CA_HAAnswerLoginChallenge(primary, key, challenge, challenge_len, answer, &answer_len),
	      "CA_HAAnswerLoginChallenge");
	check(CA_HALogin(secondary, answer, answer_len, mofn, &mofn_len), "CA_HALogin");
	if (mofn_len)
		mofn_exchange(primary, secondary, mofn, mofn_len);
	check(C_GetSessionInfo(secondary, &info), "C_GetSessionInfo");
	objects = objects_find(secondary, &any);
	for (i = 0; i < objects.count; i++)
		private_count += object_bool(secondary, objects.handle[i], CKA_PRIVATE);
	objects_free(&objects);
	if (args->json) {
		object = json_object_new_object();
		json_object_object_add(object, "state", json_object_new_string(state_text(info.state)));
		json_object_object_add(object, "private_objects",
				       json_object_new_int64((int64_t)private_count));
		json_object_object_add(object, "mofn", json_object_new_boolean(mofn_len > 0));
		print_json(object);
	} else {
		printf("Slot %lu is logged in through slot %lu: %s%s; it sees %lu private objects.\n", to,
		       from, state_text(info.state), mofn_len ? ", M of N activated" : "",
		       private_count);
	}
	return 0;
}

#define PAIR	(OPT(PRIMARY) | OPT(SECONDARY) | OPT(LABEL) | OPT(PIN_FILE))

const struct ctl_command ha_commands[] = {
	{ "ha setup", "Sets the secondary up to be logged in through the primary",
	  "Makes the login key pair on the primary, unless it is there, and clones its private key to the\n"
	  "secondary; with --public the secondary gets the public key only, needs no common domain, and can\n"
	  "never act as a primary. The label is ha-login unless --label says otherwise.",
	  ha_setup, PAIR | OPT(SECONDARY_PIN_FILE) | OPT(PUBLIC), NULL },
	{ "ha login", "Logs the secondary in through the primary, without the secondary's PIN",
	  "The login belongs to this process: the command shows that it works.", ha_login, PAIR, NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
