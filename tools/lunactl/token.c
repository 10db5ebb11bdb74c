// SPDX-License-Identifier: MIT
/* Commands on slots, tokens and roles. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static void slot_json(struct json_object *list, CK_SLOT_ID slot, const CK_SLOT_INFO *info,
		      const CK_TOKEN_INFO *token, bool present)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "slot", json_object_new_int64((int64_t)slot));
	json_object_object_add(row, "description",
			       json_text(info->slotDescription, sizeof(info->slotDescription)));
	json_object_object_add(row, "present", json_object_new_boolean(present));
	if (present) {
		json_object_object_add(row, "label", json_text(token->label, sizeof(token->label)));
		json_object_object_add(row, "serial",
				       json_text(token->serialNumber, sizeof(token->serialNumber)));
		json_object_object_add(row, "model", json_text(token->model, sizeof(token->model)));
		json_object_object_add(row, "usable",
				       json_object_new_boolean(!(token->flags & CKF_ERROR_STATE)));
		json_object_object_add(row, "initialised",
				       json_object_new_boolean(token->flags & CKF_TOKEN_INITIALIZED));
		json_object_object_add(row, "user_pin",
				       json_object_new_boolean(token->flags & CKF_USER_PIN_INITIALIZED));
		json_object_object_add(row, "locked",
				       json_object_new_boolean(token->flags & CKF_USER_PIN_LOCKED));
		json_object_object_add(row, "min_pin", json_object_new_int64((int64_t)token->ulMinPinLen));
		json_object_object_add(row, "max_pin", json_object_new_int64((int64_t)token->ulMaxPinLen));
	}
	json_object_array_add(list, row);
}

static void slot_text(CK_SLOT_ID slot, const CK_TOKEN_INFO *token, bool present)
{
	const char *state = "ready";
	char label[33];

	if (!present) {
		printf("%4lu  the device does not answer\n", slot);
		return;
	}
	if (token->flags & CKF_ERROR_STATE)
		state = "store unusable: see the log of luna-fuse or the kernel";
	else if (!(token->flags & CKF_TOKEN_INITIALIZED))
		state = "not initialised";
	else if (!(token->flags & CKF_USER_PIN_INITIALIZED))
		state = "no crypto officer";
	else if (token->flags & CKF_USER_PIN_LOCKED)
		state = "crypto officer locked";
	snprintf(label, sizeof(label), "%-32.32s", token->label);
	printf("%4lu  ", slot);
	print_text(label);
	printf("  %-16.16s  %-12.16s  %s\n", token->serialNumber, token->model, state);
}

/* Who computes what on @slot, below its line or in @row */
static void slot_providers(struct json_object *row, CK_SLOT_ID slot)
{
	struct json_object *list = json_object_new_array(), *entry;
	CK_ALGORITHM_PROVIDER providers[64];
	CK_ULONG count = 64, i;

	check(CA_GetAlgorithmProviders(slot, providers, &count), "CA_GetAlgorithmProviders");
	for (i = 0; i < count; i++) {
		const CK_ALGORITHM_PROVIDER *p = &providers[i];

		if (!row)
			printf("      %-16s  %-16s  %s\n", (const char *)p->algorithm,
			       (const char *)p->provider, (const char *)p->implementation);
		entry = json_object_new_object();
		json_object_object_add(entry, "algorithm", json_text(p->algorithm, 32));
		json_object_object_add(entry, "provider", json_text(p->provider, 32));
		json_object_object_add(entry, "implementation", json_text(p->implementation, 128));
		json_object_array_add(list, entry);
	}
	if (row)
		json_object_object_add(row, "providers", list);
	else
		json_object_put(list);
}

static void slot_show(struct json_object *list, CK_SLOT_ID slot, const struct ctl_args *args)
{
	CK_SLOT_INFO info;
	CK_TOKEN_INFO token;
	bool present;

	check(C_GetSlotInfo(slot, &info), "C_GetSlotInfo");
	present = C_GetTokenInfo(slot, &token) == CKR_OK;
	if (args->json)
		slot_json(list, slot, &info, &token, present);
	else
		slot_text(slot, &token, present);
	if (args->opt[OPT_VERBOSE] && present)
		slot_providers(args->json ? json_object_array_get_idx(
				       list, json_object_array_length(list) - 1) : NULL, slot);
}

static int slots(const struct ctl_args *args)
{
	struct json_object *list = json_object_new_array();
	CK_ULONG count, i;
	CK_SLOT_ID *ids = slots_all(CK_FALSE, &count);

	if (!count && !args->json)
		fputs("No slots. Start luna-fuse, or say in LUNA_DEVICES where its files are.\n", stderr);
	else if (!args->json)
		printf("%4s  %-32s  %-16s  %-12s  %s\n", "slot", "label", "serial", "model", "state");
	for (i = 0; i < count; i++)
		slot_show(list, ids[i], args);
	free(ids);
	if (args->json)
		print_json(list);
	else
		json_object_put(list);
	return 0;
}

static int init(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	const char *domain = args->opt[OPT_DOMAIN];
	CK_UTF8CHAR label[32];
	CK_TOKEN_INFO info;
	struct pin pin;
	CK_RV rv;

	args_need(args, OPT_LABEL);
	if (strlen(args->opt[OPT_LABEL]) > sizeof(label))
		usage_error("a token's label has at most 32 bytes");
	memset(label, ' ', sizeof(label));
	memcpy(label, args->opt[OPT_LABEL], strlen(args->opt[OPT_LABEL]));
	if (setenv("LUNA_TOKEN_TYPE", args->opt[OPT_LEGACY] ? "legacy" : "ppso", 1))
		fatal("out of memory");
	if (domain)
		check(CA_SetCloningDomain((CK_BYTE_PTR)domain, strlen(domain)), "CA_SetCloningDomain");
	check(CA_SetMofN(args->opt[OPT_MOFN] ? CK_TRUE : CK_FALSE), "CA_SetMofN");
	check(C_GetTokenInfo(slot, &info), "C_GetTokenInfo");
	(info.flags & CKF_TOKEN_INITIALIZED ? pin_get : pin_get_new)
		(&pin, args, OPT_PIN_FILE, "LUNA_SO_PIN", "the security officer");
	rv = C_InitToken(slot, pin.text, pin.len, label);
	pin_free(&pin);
	check(rv, "C_InitToken");
	print_done(args, "Slot %lu is initialised%s. Next: lunactl role init --slot %lu --role co\n", slot,
		   domain ? "" : ", without a cloning domain", slot);
	return 0;
}

static int login(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	const char *role = args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co";
	CK_SESSION_HANDLE session = session_login(slot, role, args, OPT_PIN_FILE);
	struct json_object *object;
	CK_SESSION_INFO info;

	check(C_GetSessionInfo(session, &info), "C_GetSessionInfo");
	if (args->json) {
		object = json_object_new_object();
		json_object_object_add(object, "role", json_object_new_string(role));
		json_object_object_add(object, "state", json_object_new_string(state_text(info.state)));
		print_json(object);
	} else {
		printf("Login on slot %lu as %s works: %s.\n", slot, role, state_text(info.state));
	}
	return 0;
}

static const struct {
	const char *role;
	CK_USER_TYPE type;
	const char *title;
} all_roles[] = {
	{ "so", CKU_SO, "security officer" },
	{ "co", CKU_USER, "crypto officer" },
	{ "cu", CKU_CRYPTO_USER, "crypto user" },
};

static int role_list(const struct ctl_args *args)
{
	struct json_object *list = json_object_new_array(), *row;
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	CA_ROLE_STATE state;
	size_t i;

	for (i = 0; i < sizeof(all_roles) / sizeof(all_roles[0]); i++) {
		check(CA_RoleStateGet(slot, all_roles[i].type, &state), "CA_RoleStateGet");
		row = json_object_new_object();
		json_object_object_add(row, "role", json_object_new_string(all_roles[i].role));
		json_object_object_add(row, "initialised",
				       json_object_new_boolean(state.flags & CAF_ROLE_STATE_INITIALIZED));
		json_object_object_add(row, "locked",
				       json_object_new_boolean(state.flags & CAF_ROLE_STATE_LOCKED_OUT));
		json_object_object_add(row, "attempts_left",
				       json_object_new_int(state.loginAttemptsLeft));
		json_object_array_add(list, row);
		if (!args->json)
			printf("%s  %-16s  %-15s %s%d attempts left\n", all_roles[i].role,
			       all_roles[i].title,
			       state.flags & CAF_ROLE_STATE_INITIALIZED ? "initialised" : "not initialised",
			       state.flags & CAF_ROLE_STATE_LOCKED_OUT ? "locked out, " : "",
			       state.loginAttemptsLeft);
	}
	if (args->json)
		print_json(list);
	else
		json_object_put(list);
	return 0;
}

/* The SO makes the crypto officer or resets its PIN; the crypto officer makes the crypto user. */
static int role_init(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	CK_SESSION_HANDLE session;
	CK_USER_TYPE type;
	struct pin pin;
	bool cu;
	CK_RV rv;

	args_need(args, OPT_ROLE);
	type = role_type(args->opt[OPT_ROLE]);
	if (type == CKU_SO)
		usage_error("the security officer comes with the token: lunactl init");
	cu = type != CKU_USER;
	session = session_login(slot, cu ? "co" : "so", args, OPT_PIN_FILE);
	pin_get_new(&pin, args, OPT_NEW_PIN_FILE, cu ? "LUNA_CU_PIN" : "LUNA_PIN",
		    cu ? "the crypto user (new)" : "the crypto officer (new)");
	rv = CA_InitRolePIN(session, type, pin.text, pin.len);
	pin_free(&pin);
	check(rv, "CA_InitRolePIN");
	print_done(args, "The %s of slot %lu has a PIN.\n", cu ? "crypto user" : "crypto officer", slot);
	return 0;
}

static int role_password(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	const char *role = args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co";
	CK_USER_TYPE type = role_type(role);
	CK_SESSION_HANDLE session = session_public(slot);
	struct pin old, new;
	const char *what = "C_Login";
	CK_RV rv;

	pin_get(&old, args, OPT_PIN_FILE,
		!strcmp(role, "so") ? "LUNA_SO_PIN" : !strcmp(role, "cu") ? "LUNA_CU_PIN" : "LUNA_PIN",
		"the role (old)");
	pin_get_new(&new, args, OPT_NEW_PIN_FILE, "LUNA_NEW_PIN", "the role (new)");
	rv = C_Login(session, type, old.text, old.len);
	if (rv == CKR_OK) {
		what = "C_SetPIN";
		rv = C_SetPIN(session, old.text, old.len, new.text, new.len);
	}
	pin_free(&old);
	pin_free(&new);
	check(rv, what);
	print_done(args, "The PIN of %s on slot %lu is changed.\n", role, slot);
	return 0;
}

const struct ctl_command token_commands[] = {
	{ "slots", "Lists slots and their tokens",
	  "With --verbose, also who computes each algorithm: the kernel, OpenSSL or AF_ALG (kcapi), and by\n"
	  "which implementation, as far as the device knows.", slots, OPT(VERBOSE), NULL },
	{ "init", "Initialises a token; all it held is lost",
	  "The PIN is the security officer's (LUNA_SO_PIN); a token that is initialised already wants its\n"
	  "own. Tokens with the same --domain can clone objects to each other.",
	  init, OPT(SLOT) | OPT(LABEL) | OPT(DOMAIN) | OPT(LEGACY) | OPT(MOFN) | OPT(PIN_FILE), NULL },
	{ "login", "Tests a login", NULL, login, OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE), NULL },
	{ "role list", "Shows the roles of a token and their login attempts", NULL, role_list, OPT(SLOT),
	  NULL },
	{ "role init", "Gives a role its PIN, or resets it",
	  "The PIN is that of the role above: the security officer makes the crypto officer, the crypto\n"
	  "officer makes the crypto user. The new PIN comes from --new-pin-file or that role's variable.",
	  role_init, OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE) | OPT(NEW_PIN_FILE), NULL },
	{ "role password", "Changes a role's PIN",
	  "The role is co unless --role says another. The old PIN comes from --pin-file or the role's\n"
	  "variable, the new one from --new-pin-file or LUNA_NEW_PIN.", role_password,
	  OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE) | OPT(NEW_PIN_FILE), NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
