// SPDX-License-Identifier: MIT
/* Capabilities and policies in all their views, which agree, and their descriptions. */
#include "roles.h"

struct set {
	CK_ULONG ids[64], id_count, values[64], value_count;
};

static CK_RV get_container_capabilities(CK_SLOT_ID slot, CK_ULONG_PTR ids, CK_ULONG_PTR id_count,
					CK_ULONG_PTR values, CK_ULONG_PTR value_count)
{
	return ca->CA_GetContainerCapabilitySet(slot, 0, ids, id_count, values, value_count);
}

static CK_RV get_container_policies(CK_SLOT_ID slot, CK_ULONG_PTR ids, CK_ULONG_PTR id_count,
				    CK_ULONG_PTR values, CK_ULONG_PTR value_count)
{
	return ca->CA_GetContainerPolicySet(slot, 0, ids, id_count, values, value_count);
}

static CK_ULONG set_value(const struct set *set, CK_ULONG id)
{
	CK_ULONG i;

	for (i = 0; i < set->id_count; i++)
		if (set->ids[i] == id)
			return set->values[i];
	return ~0ul;
}

static void get_set(CK_CA_GetTokenPolicies get, struct set *set)
{
	CK_ULONG want = 0, values = 0, few = 3, enough = 64;

	assert_ok(get(slot_a, NULL, &want, NULL, &values));
	assert_in_range(want, 5, 64);
	assert_int_equal(values, want);
	memset(set, 0xee, sizeof(*set));
	assert_rv(get(slot_a, set->ids, &few, set->values, &enough), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(few, want);
	assert_int_equal(set->ids[0], 0xeeeeeeeeeeeeeeeeul);
	assert_rv(get(slot_a, set->ids, NULL, set->values, &enough), CKR_ARGUMENTS_BAD);
	assert_rv(get(slot_a, NULL, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(get(9999, NULL, &few, NULL, &values), CKR_SLOT_ID_INVALID);
	set->id_count = 64;
	assert_ok(get(slot_a, set->ids, &set->id_count, NULL, NULL));
	set->id_count = want;
	set->value_count = want;
	assert_ok(get(slot_a, set->ids, &set->id_count, set->values, &set->value_count));
	assert_int_equal(set->id_count, want);
	assert_int_equal(set->value_count, want);
}

/* Before any login, as lunacm shows them. */
void policy_sets(void **state)
{
	struct set caps, policies, again;
	CK_ULONG i, value;

	(void)state;
	get_set(ca->CA_GetTokenCapabilities, &caps);
	get_set(get_container_capabilities, &again);
	assert_memory_equal(&caps, &again, sizeof(caps));
	get_set(ca->CA_GetTokenPolicies, &policies);
	get_set(get_container_policies, &again);
	assert_memory_equal(&policies, &again, sizeof(policies));
	for (i = 0; i < policies.id_count; i++) {
		assert_true(i == 0 || policies.ids[i] > policies.ids[i - 1]);
		assert_true(policies.values[i] <= set_value(&caps, policies.ids[i]));
		assert_ok(ca->CA_GetContainerPolicySetting(slot_a, 0, policies.ids[i], &value));
		assert_int_equal(value, policies.values[i]);
		assert_ok(ca->CA_GetContainerCapabilitySetting(slot_a, 0, policies.ids[i], &value));
		assert_int_equal(value, set_value(&caps, policies.ids[i]));
	}
	assert_int_equal(set_value(&policies, 0), 1);
	assert_int_equal(set_value(&policies, 1), 0);
	assert_int_equal(set_value(&policies, 4), 1);
	assert_int_equal(set_value(&policies, 20), 10);
	assert_int_equal(set_value(&policies, 21), 1);
	get_set(ca->CA_GetHSMCapabilitySet, &caps);
	get_set(ca->CA_GetHSMPolicySet, &policies);
	assert_true(policies.id_count < caps.id_count);
	for (i = 0; i < policies.id_count; i++) {
		assert_ok(ca->CA_GetHSMPolicySetting(slot_a, policies.ids[i], &value));
		assert_int_equal(value, policies.values[i]);
	}
	for (i = 0; i < caps.id_count; i++) {
		assert_ok(ca->CA_GetHSMCapabilitySetting(slot_a, caps.ids[i], &value));
		assert_int_equal(value, caps.values[i]);
	}
	assert_int_equal(set_value(&policies, 7), 1);
	assert_int_equal(set_value(&policies, 16), 1);
	assert_rv(ca->CA_GetHSMPolicySetting(slot_a, 4711, &value), CKR_DATA_INVALID);
	assert_rv(ca->CA_GetHSMCapabilitySetting(slot_a, 4711, &value), CKR_DATA_INVALID);
	assert_rv(ca->CA_GetContainerPolicySetting(slot_a, 0, 4711, &value), CKR_DATA_INVALID);
	assert_rv(ca->CA_GetContainerCapabilitySetting(slot_a, 0, 4711, &value), CKR_DATA_INVALID);
	assert_rv(ca->CA_GetContainerPolicySetting(slot_a, 99, 0, &value),
		  CKR_CONTAINER_HANDLE_INVALID);
	assert_rv(ca->CA_GetContainerPolicySetting(slot_a, 0, 0, NULL), CKR_ARGUMENTS_BAD);
}

/* Eight arguments or nine: a text gets 64 bytes at most, the length is written only without one. */
void element_descriptions(void **state)
{
	CK_ULONG bits = 0, destructive = 9, restricted = 9, len = 0x1234;
	CK_CHAR text[80];

	(void)state;
	memset(text, 0x5a, sizeof(text));
	assert_ok(ca->CA_GetConfigurationElementDescription(slot_a, 1, 0, 20, &bits, &destructive,
							    &restricted, text, (CK_ULONG_PTR)8));
	assert_int_equal(bits, 8);
	assert_int_equal(destructive, 0);
	assert_int_equal(restricted, 0);
	assert_true(strlen((char *)text) > 4 && strlen((char *)text) < 64);
	assert_int_equal(text[64], 0x5a);
	assert_ok(ca->CA_GetConfigurationElementDescription(slot_a, 0, 1, 7, &bits, &destructive,
							    &restricted, NULL, &len));
	assert_int_equal(bits, 1);
	assert_int_equal(destructive, 1);
	assert_int_equal(len, 64);
	assert_ok(ca->CA_GetConfigurationElementDescription(slot_a, 0, 1, 0, NULL, NULL, &restricted,
							    NULL, NULL));
	assert_int_equal(restricted, 1);
	assert_rv(ca->CA_GetConfigurationElementDescription(slot_a, 1, 0, 4711, &bits, &destructive,
							    &restricted, text, &len),
		  CKR_DATA_INVALID);
	assert_rv(ca->CA_GetConfigurationElementDescription(9999, 1, 0, 20, &bits, &destructive,
							    &restricted, text, &len),
		  CKR_SLOT_ID_INVALID);
}
