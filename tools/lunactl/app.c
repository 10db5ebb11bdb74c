// SPDX-License-Identifier: MIT
/* Application ids: a login that outlives this program, for others to use without a PIN. */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/* One half of MAJOR:MINOR, up to @end. */
static bool id_half(const char *text, const char *end, CK_BYTE *bytes)
{
	unsigned long long value = 0;
	char copy[24], *stop;
	int i;

	if (end == text || (size_t)(end - text) >= sizeof(copy))
		return false;
	memcpy(copy, text, (size_t)(end - text));
	copy[end - text] = '\0';
	value = strtoull(copy, &stop, 0);
	if (*copy < '0' || *copy > '9' || *stop || value > 0xffffffff)
		return false;
	for (i = 0; i < 4; i++)
		bytes[i] = (CK_BYTE)(value >> (24 - 8 * i));
	return true;
}

static CK_APPLICATION_ID id_of(const struct ctl_args *args)
{
	const char *text = args->opt[OPT_APP_ID], *colon;
	CK_APPLICATION_ID id = { { 0 } };

	args_need(args, OPT_APP_ID);
	colon = strchr(text, ':');
	if (colon && id_half(text, colon, id.id) && id_half(colon + 1, text + strlen(text), id.id + 4))
		return id;
	if (!colon && strlen(text) == 2 * sizeof(id.id) && hex_bytes(text, id.id, sizeof(id.id)))
		return id;
	usage_error("--app-id takes MAJOR:MINOR, two numbers below 2^32, or 32 hex digits, not '%s'",
		    text);
}

void app_set(const struct ctl_args *args)
{
	CK_APPLICATION_ID id;

	if (!args->opt[OPT_APP_ID])
		return;
	id = id_of(args);
	check(CA_SetApplicationIDV2(&id), "CA_SetApplicationIDV2");
}

/* The login comes first: a wrong PIN leaves nothing open. */
static int app_open(const struct ctl_args *args)
{
	const char *role = args->opt[OPT_ROLE] ? args->opt[OPT_ROLE] : "co";
	CK_APPLICATION_ID id = id_of(args);
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	CK_RV rv;

	session_login(slot, role, args, OPT_PIN_FILE);
	rv = CA_OpenApplicationIDV2(slot, &id);
	if (rv != CKR_ACCESS_ID_ALREADY_EXISTS)
		check(rv, "CA_OpenApplicationIDV2");
	print_done(args, "Application id %s is open on slot %lu, logged in as %s, until 'lunactl app close'.\n",
		   args->opt[OPT_APP_ID], slot, role);
	return 0;
}

static int app_close(const struct ctl_args *args)
{
	CK_APPLICATION_ID id = id_of(args);
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	CK_RV rv = CA_CloseApplicationIDV2(slot, &id);

	if (rv == CKR_ACCESS_ID_INVALID)
		fatal("slot %lu: CKR_ACCESS_ID_INVALID: application id %s is not open, and nobody uses it",
		      slot, args->opt[OPT_APP_ID]);
	check(rv, "CA_CloseApplicationIDV2");
	print_done(args, "Application id %s is closed on slot %lu; its sessions and its login have ended.\n",
		   args->opt[OPT_APP_ID], slot);
	return 0;
}

const struct ctl_command app_commands[] = {
	{ "app open", "Log in once for all programs with an application id",
	  "The login stays when lunactl has ended. Programs that call CA_SetApplicationID with the\n"
	  "id, or find it as AppIdMajor and AppIdMinor in Chrystoki.conf, use the token without a\n"
	  "PIN; lunactl does with --app-id.",
	  app_open, OPT(SLOT) | OPT(ROLE) | OPT(PIN_FILE), NULL },
	{ "app close", "End that login, and all sessions of the application id", NULL,
	  app_close, OPT(SLOT), NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
