// SPDX-License-Identifier: MIT
/* Capabilities and policies, by the product's numbers. */
#include <string.h>

#include "ctl.h"

enum { MOST = 128 };

struct policy_set {
	CK_ULONG id[MOST], value[MOST], count;
};

static void policies_get(CK_SLOT_ID slot, bool hsm, bool capabilities, struct policy_set *set)
{
	CK_ULONG values = MOST;

	set->count = MOST;
	if (hsm && capabilities)
		check(CA_GetHSMCapabilitySet(slot, set->id, &set->count, set->value, &values),
		      "CA_GetHSMCapabilitySet");
	else if (hsm)
		check(CA_GetHSMPolicySet(slot, set->id, &set->count, set->value, &values),
		      "CA_GetHSMPolicySet");
	else if (capabilities)
		check(CA_GetTokenCapabilities(slot, set->id, &set->count, set->value, &values),
		      "CA_GetTokenCapabilities");
	else
		check(CA_GetTokenPolicies(slot, set->id, &set->count, set->value, &values),
		      "CA_GetTokenPolicies");
}

static bool policy_value(const struct policy_set *set, CK_ULONG id, CK_ULONG *value)
{
	CK_ULONG i;

	for (i = 0; i < set->count; i++) {
		if (set->id[i] != id)
			continue;
		*value = set->value[i];
		return true;
	}
	return false;
}

static void describe(CK_SLOT_ID slot, bool hsm, CK_ULONG id, char text[128], CK_ULONG *destructive)
{
	CK_ULONG bits, restricted, len = 128;

	memset(text, 0, 128);
	check(CA_GetConfigurationElementDescription(slot, hsm ? 0 : 1, 0, id, &bits, destructive,
						    &restricted, (CK_CHAR_PTR)text, &len),
	      "CA_GetConfigurationElementDescription");
}

static int policy_show(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	bool hsm = args->opt[OPT_HSM];
	struct json_object *list = json_object_new_array(), *row;
	struct policy_set capabilities, policies;
	CK_ULONG i, value, destructive;
	char text[128];

	policies_get(slot, hsm, true, &capabilities);
	policies_get(slot, hsm, false, &policies);
	if (!args->json)
		printf("%4s  %5s  %10s  %s\n", "id", "value", "capability", "policy");
	for (i = 0; i < capabilities.count; i++) {
		if (!policy_value(&policies, capabilities.id[i], &value))
			continue;
		describe(slot, hsm, capabilities.id[i], text, &destructive);
		if (!args->json) {
			printf("%4lu  %5lu  %10lu  %s%s\n", capabilities.id[i], value,
			       capabilities.value[i], text, destructive ? " (destructive)" : "");
			continue;
		}
		row = json_object_new_object();
		json_object_object_add(row, "id", json_object_new_int64((int64_t)capabilities.id[i]));
		json_object_object_add(row, "value", json_object_new_int64((int64_t)value));
		json_object_object_add(row, "capability",
				       json_object_new_int64((int64_t)capabilities.value[i]));
		json_object_object_add(row, "name", json_object_new_string(text));
		json_object_object_add(row, "destructive", json_object_new_boolean(destructive));
		json_object_array_add(list, row);
	}
	if (args->json)
		print_json(list);
	else
		json_object_put(list);
	return 0;
}

static int policy_set(const struct ctl_args *args)
{
	CK_SLOT_ID slot = slot_of(args, OPT_SLOT);
	CK_ULONG id, value, destructive;
	CK_SESSION_HANDLE session;
	char text[128];

	args_need(args, OPT_POLICY);
	args_need(args, OPT_VALUE);
	id = args_number(args, OPT_POLICY, 0);
	value = args_number(args, OPT_VALUE, 0);
	describe(slot, args->opt[OPT_HSM], id, text, &destructive);
	if (destructive && !args->opt[OPT_FORCE])
		fatal("changing '%s' can erase the objects of the partition; say --force", text);
	session = session_login(slot, "so", args, OPT_PIN_FILE);
	if (args->opt[OPT_HSM] && destructive)
		check(CA_SetDestructiveHSMPolicy(session, id, value), "CA_SetDestructiveHSMPolicy");
	else if (args->opt[OPT_HSM])
		check(CA_SetHSMPolicy(session, id, value), "CA_SetHSMPolicy");
	else
		check(CA_SetTokenPolicies(session, slot, 1, &id, &value), "CA_SetTokenPolicies");
	print_done(args, "%s: %lu\n", text, value);
	return 0;
}

const struct ctl_command policy_commands[] = {
	{ "policy show", "Shows the policies of a partition, or of the HSM", NULL, policy_show,
	  OPT(SLOT) | OPT(HSM), NULL },
	{ "policy set", "Changes a policy, as the security officer", NULL, policy_set,
	  OPT(SLOT) | OPT(HSM) | OPT(POLICY) | OPT(VALUE) | OPT(FORCE) | OPT(PIN_FILE), NULL },
	{ NULL, NULL, NULL, NULL, 0, NULL },
};
