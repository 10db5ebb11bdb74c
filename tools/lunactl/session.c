// SPDX-License-Identifier: MIT
/* Slots, sessions, roles. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

static const struct {
	const char *name;
	CK_USER_TYPE type;
	const char *variable;
	const char *title;
	CK_ULONG level;		/* as CA_GetSessionInfo says it */
} roles[] = {
	{ "so", CKU_SO, "LUNA_SO_PIN", "security officer", 3 },
	{ "co", CKU_USER, "LUNA_PIN", "crypto officer", 2 },
	{ "cu", CKU_CRYPTO_USER, "LUNA_CU_PIN", "crypto user", 1 },
};

static size_t role_index(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (!strcmp(roles[i].name, name))
			return i;
	usage_error("'%s' is no role: so, co or cu", name);
}

CK_USER_TYPE role_type(const char *name)
{
	return roles[role_index(name)].type;
}

void pin_of_role(struct pin *pin, const char *role, const char *where, const struct ctl_args *args,
		 enum ctl_opt file)
{
	size_t i = role_index(role);
	char whose[128];

	snprintf(whose, sizeof(whose), "the %s of %s", roles[i].title, where);
	pin_get(pin, args, file, roles[i].variable, whose);
}

CK_SLOT_ID slot_of(const struct ctl_args *args, enum ctl_opt opt)
{
	CK_SLOT_INFO info;
	CK_SLOT_ID slot;

	args_need(args, opt);
	slot = args_number(args, opt, 0);
	if (C_GetSlotInfo(slot, &info) != CKR_OK)
		fatal("slot %lu: CKR_SLOT_ID_INVALID: no such slot; 'lunactl slots' lists them", slot);
	return slot;
}

/* Slots may come between the question how many there are and the other, which are they. */
CK_SLOT_ID *slots_all(CK_BBOOL present, CK_ULONG *count)
{
	CK_SLOT_ID *ids = NULL;
	CK_RV rv;

	do {
		free(ids);
		check(C_GetSlotList(present, NULL, count), "C_GetSlotList");
		ids = calloc(*count + 1, sizeof(*ids));
		if (!ids)
			fatal("out of memory");
		rv = C_GetSlotList(present, ids, count);
	} while (rv == CKR_BUFFER_TOO_SMALL);
	check(rv, "C_GetSlotList");
	return ids;
}

CK_SESSION_HANDLE session_public(CK_SLOT_ID slot)
{
	CK_SESSION_HANDLE session;

	check(C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session),
	      "C_OpenSession");
	return session;
}

/* The level of the role in which the application is already, by its id, or 0. */
static CK_ULONG session_level(CK_SESSION_HANDLE session)
{
	CK_ULONG level = 0;

	check(CA_GetSessionInfo(session, NULL, NULL, NULL, &level), "CA_GetSessionInfo");
	return level;
}

CK_RV session_try_login(CK_SESSION_HANDLE session, const char *role, const char *where,
			const struct ctl_args *args, enum ctl_opt file)
{
	CK_USER_TYPE type = role_type(role);
	CK_ULONG level = session_level(session);
	struct pin pin;
	CK_RV rv;

	if (level)
		return level == roles[role_index(role)].level ? CKR_OK :
								CKR_USER_ANOTHER_ALREADY_LOGGED_IN;
	pin_of_role(&pin, role, where, args, file);
	rv = C_Login(session, type, pin.text, pin.len);
	pin_free(&pin);
	return rv;
}

CK_SESSION_HANDLE session_login(CK_SLOT_ID slot, const char *role, const struct ctl_args *args,
				enum ctl_opt file)
{
	CK_SESSION_HANDLE session = session_public(slot);
	char where[32];

	snprintf(where, sizeof(where), "slot %lu", slot);
	check(session_try_login(session, role, where, args, file), "C_Login");
	return session;
}

const char *state_text(CK_STATE state)
{
	static const char *const texts[] = {
		"RO public session", "RO user functions", "RW public session", "RW user functions",
		"RW SO functions",
	};

	return state < sizeof(texts) / sizeof(texts[0]) ? texts[state] : "unknown state";
}
