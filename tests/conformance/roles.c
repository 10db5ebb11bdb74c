// SPDX-License-Identifier: MIT
/*
 * Roles and policies by the vendor's functions: lock-out, role PINs, capabilities and policies in all
 * their views, what single policies forbid, what a token tells of itself, and every CA_ function that
 * is not supported.
 */
#include "exchange.h"

static int fresh(void **state)
{
	(void)state;
	token_init(slot_a, "token a", DOMAIN);
	return 0;
}

static int fresh_legacy(void **state)
{
	(void)state;
	token_init_legacy(slot_a, "token a", DOMAIN);
	return 0;
}

static CA_ROLE_STATE role(CK_USER_TYPE user)
{
	CA_ROLE_STATE state;

	memset(&state, 0xee, sizeof(state));
	assert_ok(ca->CA_RoleStateGet(slot_a, user, &state));
	return state;
}

static CK_FLAGS token_flags(void)
{
	CK_TOKEN_INFO info;

	assert_ok(p11->C_GetTokenInfo(slot_a, &info));
	return info.flags;
}

#define USER_FLAGS (CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_LOCKED)
#define SO_FLAGS (CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY | CKF_SO_PIN_LOCKED)

static void wrong_pin(CK_SESSION_HANDLE session, CK_USER_TYPE user, int times)
{
	while (times--)
		assert_rv(p11->C_Login(session, user, PIN("a wrong pin")), CKR_PIN_INCORRECT);
}

/* ---- lock-out ---- */

static void officer_lock(void **state)
{
	CK_SESSION_HANDLE session;
	CK_ULONG status = 0, so = 9, user = 9;

	(void)state;
	policy_set(slot_a, 20, 3);
	session = session_open(slot_a);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 3);
	assert_int_equal(token_flags() & USER_FLAGS, 0);
	wrong_pin(session, CKU_USER, 1);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 2);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_COUNT_LOW);
	wrong_pin(session, CKU_USER, 1);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 1);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY);
	assert_ok(ca->CA_GetTokenStatus(slot_a, &status, &so, &user));
	assert_int_equal(so, 0);
	assert_int_equal(user, 2);
	assert_int_equal(status & 0x40000, 0);
	/* Success resets. */
	session_login(session, CKU_USER, CO_PIN);
	assert_ok(p11->C_Logout(session));
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 3);
	assert_int_equal(token_flags() & USER_FLAGS, 0);
	/* A wrong old PIN counts as well. */
	assert_rv(p11->C_SetPIN(session, PIN("a wrong pin"), PIN("new-pin-1")), CKR_PIN_INCORRECT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 2);
	wrong_pin(session, CKU_USER, 2);
	assert_int_equal(role(CKU_USER).flags & CAF_ROLE_STATE_LOCKED_OUT, CAF_ROLE_STATE_LOCKED_OUT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 0);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_LOCKED);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_LOCKED_OUT);
	assert_rv(p11->C_Login(session, CKU_USER, PIN("a wrong pin")), CKR_USER_LOCKED_OUT);
	assert_rv(p11->C_SetPIN(session, PIN(CO_PIN), PIN("new-pin-1")), CKR_USER_LOCKED_OUT);
	assert_ok(ca->CA_GetTokenStatus(slot_a, &status, NULL, &user));
	assert_int_equal(status & 0x40000, 0x40000);
	assert_int_equal(user, 3);
	/* The crypto user is closed with the officer, and opened again with him. */
	assert_rv(p11->C_Login(session, CKU_CRYPTO_USER, PIN(CU_PIN)), CKR_USER_LOCKED_OUT);
	session_login(session, CKU_SO, SO_PIN);
	assert_ok(ca->CA_ResetPIN(session, ROLE_PIN("reset-pin")));
	assert_ok(p11->C_Logout(session));
	assert_int_equal(token_flags() & USER_FLAGS, 0);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_PIN_INCORRECT);
	session_login(session, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, "reset-pin");
}

static void user_lock(void **state)
{
	CK_SESSION_HANDLE session;
	CK_ULONG status, so, user, limited;

	(void)state;
	policy_set(slot_a, 20, 2);
	session = session_open(slot_a);
	wrong_pin(session, CKU_CRYPTO_USER, 2);
	assert_rv(p11->C_Login(session, CKU_CRYPTO_USER, PIN(CU_PIN)), CKR_USER_LOCKED_OUT);
	assert_true(role(CKU_CRYPTO_USER).flags & CAF_ROLE_STATE_LOCKED_OUT);
	assert_false(role(CKU_USER).flags & CAF_ROLE_STATE_LOCKED_OUT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 2);
	assert_ok(ca->CA_GetContainerStatus(slot_a, 0, &status, &so, &user, &limited));
	assert_int_equal(status, 0x200000);
	assert_int_equal(so, 0);
	assert_int_equal(user, 0);
	assert_int_equal(limited, 2);
	session_login(session, CKU_USER, CO_PIN);
	assert_ok(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("reset-cu-pin")));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_CRYPTO_USER, "reset-cu-pin");
}

/* Who has failed as often as a lowered policy allows is locked out, and the token says so. */
static void policy_lowered(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a);

	(void)state;
	wrong_pin(session, CKU_USER, 4);
	policy_set(slot_a, 20, 3);
	session = session_open(slot_a);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_LOCKED_OUT);
	assert_true(role(CKU_USER).flags & CAF_ROLE_STATE_LOCKED_OUT);
	assert_int_equal(role(CKU_USER).loginAttemptsLeft, 0);
	assert_int_equal(token_flags() & USER_FLAGS, CKF_USER_PIN_LOCKED);
	policy_set(slot_a, 20, 10);
	session = session_open(slot_a);
	session_login(session, CKU_USER, CO_PIN);
}

static void no_reset_by_so(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_a);

	(void)state;
	assert_ok(ca->CA_SetHSMPolicy(session, 15, 0));
	assert_rv(p11->C_InitPIN(session, PIN("reset-pin")), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_ResetPIN(session, ROLE_PIN("reset-pin")), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_InitRolePIN(session, CKU_USER, ROLE_PIN("reset-pin")),
		  CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_Logout(session));
	wrong_pin(session, CKU_USER, 10);
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(p11->C_InitPIN(session, PIN(CO_PIN)), CKR_OPERATION_NOT_ALLOWED);
	/* Back on is destructive. */
	assert_rv(ca->CA_SetHSMPolicy(session, 15, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_SetDestructiveHSMPolicy(session, 15, 1));
	assert_ok(p11->C_InitPIN(session, PIN(CO_PIN)));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_USER, CO_PIN);
}

static void so_lock(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_TOKEN_INFO info;

	(void)state;
	aes_key(session, 32, true, "will be gone");
	assert_ok(p11->C_Logout(session));
	wrong_pin(session, CKU_SO, 1);
	assert_int_equal(token_flags() & SO_FLAGS, CKF_SO_PIN_COUNT_LOW);
	wrong_pin(session, CKU_SO, 8);
	assert_int_equal(role(CKU_SO).loginAttemptsLeft, 1);
	assert_int_equal(token_flags() & SO_FLAGS, CKF_SO_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY);
	wrong_pin(session, CKU_SO, 1);
	assert_int_equal(token_flags() & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED), 0);
	assert_rv(p11->C_Login(session, CKU_SO, PIN(SO_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
	assert_rv(p11->C_Login(session, CKU_USER, PIN(CO_PIN)), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(objects_on(session), 0);
	sessions_close(slot_a);
	assert_ok(p11->C_InitToken(slot_a, PIN("another so pin"),
				   (CK_UTF8CHAR_PTR)"again                           "));
	assert_ok(p11->C_GetTokenInfo(slot_a, &info));
	assert_true(info.flags & CKF_TOKEN_INITIALIZED);
	assert_rv(p11->C_InitToken(slot_a, PIN("a wrong pin"), info.label), CKR_PIN_INCORRECT);
	assert_ok(p11->C_InitToken(slot_a, PIN("another so pin"), info.label));
	session = session_open(slot_a);
	session_login(session, CKU_SO, "another so pin");
	assert_ok(p11->C_SetPIN(session, PIN("another so pin"), PIN(SO_PIN)));
	sessions_close(slot_a);
}

/* ---- role PINs ---- */

static void role_pins(void **state)
{
	CK_SESSION_HANDLE session = session_open(slot_a), ro;
	CK_SESSION_HANDLE other = session_open(slot_b);

	(void)state;
	assert_rv(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("new-cu-pin")),
		  CKR_USER_NOT_LOGGED_IN);
	assert_rv(ca->CA_ResetPIN(session, ROLE_PIN("new-co-pin")), CKR_USER_NOT_LOGGED_IN);
	session_login(session, CKU_SO, SO_PIN);
	/* On a token with a partition SO the crypto user is the officer's. */
	assert_rv(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("new-cu-pin")),
		  CKR_USER_NOT_LOGGED_IN);
	assert_rv(ca->CA_InitRolePIN(session, CKU_SO, ROLE_PIN("new-so-pin")), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_InitRolePIN(session, 77, ROLE_PIN("new-pin")), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_InitRolePIN(session, CKU_USER, ROLE_PIN("abc")), CKR_PIN_LEN_RANGE);
	assert_rv(ca->CA_InitRolePIN(session, CKU_USER, NULL, 8), CKR_ARGUMENTS_BAD);
	assert_ok(ca->CA_InitRolePIN(session, CKU_USER, ROLE_PIN("by-init-role")));
	assert_true(role(CKU_USER).flags & CAF_ROLE_STATE_PIN_CHANGE);
	assert_ok(ca->CA_InitSlotRolePIN(session, slot_a, CKU_USER, ROLE_PIN("by-slot-role")));
	assert_rv(ca->CA_InitSlotRolePIN(session, slot_b, CKU_USER, ROLE_PIN("by-slot-role")),
		  CKR_SLOT_ID_INVALID);
	assert_ok(p11->C_Logout(session));
	assert_rv(p11->C_Login(session, CKU_USER, PIN("by-init-role")), CKR_PIN_INCORRECT);
	session_login(session, CKU_USER, "by-slot-role");
	assert_ok(p11->C_SetPIN(session, PIN("by-slot-role"), PIN(CO_PIN)));
	assert_false(role(CKU_USER).flags & CAF_ROLE_STATE_PIN_CHANGE);
	assert_rv(ca->CA_ResetPIN(session, ROLE_PIN("new-co-pin")), CKR_USER_NOT_LOGGED_IN);
	/* The old number of the crypto user names it, too. */
	assert_ok(ca->CA_InitRolePIN(session, CKU_LIMITED_USER_OLD, ROLE_PIN("by-old-number")));
	ro = session_open_ro(slot_a);
	assert_rv(ca->CA_InitRolePIN(ro, CKU_CRYPTO_USER, ROLE_PIN("new-cu-pin")),
		  CKR_SESSION_READ_ONLY);
	assert_ok(p11->C_Logout(session));
	assert_ok(p11->C_Login(session, CKU_LIMITED_USER_OLD, PIN("by-old-number")));
	assert_rv(ca->CA_InitRolePIN(other, CKU_USER, ROLE_PIN("new-pin")), CKR_USER_NOT_LOGGED_IN);
	assert_rv(ca->CA_InitRolePIN(999, CKU_USER, ROLE_PIN("new-pin")), CKR_SESSION_HANDLE_INVALID);
	sessions_close(slot_a);
	sessions_close(slot_b);
}

static void role_pins_legacy(void **state)
{
	CK_SESSION_HANDLE session = session_so(slot_a);

	(void)state;
	assert_ok(ca->CA_InitRolePIN(session, CKU_CRYPTO_USER, ROLE_PIN("by-legacy-so")));
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_CRYPTO_USER, "by-legacy-so");
}

static void role_states(void **state)
{
	CA_ROLE_STATE r;

	(void)state;
	r = role(CKU_SO);
	assert_int_equal(r.flags, CAF_ROLE_STATE_INITIALIZED);
	assert_int_equal(r.loginAttemptsLeft, 10);
	assert_int_equal(r.primaryAuthMech, 1);
	assert_int_equal(r.secondaryAuthMech, 0);
	assert_true(role(CKU_USER).flags & CAF_ROLE_STATE_INITIALIZED);
	assert_true(role(CKU_CRYPTO_USER).flags & CAF_ROLE_STATE_INITIALIZED);
	assert_rv(ca->CA_RoleStateGet(slot_a, 77, &r), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_RoleStateGet(slot_a, CKU_SO, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_RoleStateGet(9999, CKU_SO, &r), CKR_SLOT_ID_INVALID);
}

/* ---- capabilities and policies ---- */

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
static void policy_sets(void **state)
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
static void element_descriptions(void **state)
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

static void set_policies(void **state)
{
	CK_ULONG ids[] = { 20, 21 }, values[] = { 5, 0 }, bad[] = { 5, 2 }, container = 0;
	CK_SESSION_HANDLE session = session_open(slot_a);

	(void)state;
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 5), CKR_USER_NOT_LOGGED_IN);
	session_login(session, CKU_USER, CO_PIN);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 5), CKR_USER_NOT_AUTHORIZED);
	assert_rv(ca->CA_SetHSMPolicy(session, 16, 0), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(session));
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 11), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 20, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 21, 2), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 40, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 29, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 4711, 1), CKR_DATA_INVALID);
	assert_rv(ca->CA_SetHSMPolicy(session, 4711, 1), CKR_DATA_INVALID);
	assert_rv(ca->CA_SetHSMPolicy(session, 12, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicy(session, 99, 20, 5), CKR_CONTAINER_HANDLE_INVALID);
	assert_rv(ca->CA_SetContainerPolicy(999, 0, 20, 5), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 0, ids, values), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, NULL, values), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, ids, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_SetTokenPolicies(session, slot_b, 2, ids, values), CKR_SLOT_ID_INVALID);
	/* All or none. */
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, ids, bad), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(policy_get(slot_a, 20), 10);
	assert_ok(ca->CA_SetContainerPolicies(session, 0, 2, ids, values));
	assert_int_equal(policy_get(slot_a, 20), 5);
	assert_int_equal(policy_get(slot_a, 21), 0);
	values[0] = 6;
	values[1] = 1;
	assert_ok(ca->CA_SetTokenPolicies(session, slot_a, 2, ids, values));
	assert_int_equal(policy_get(slot_a, 20), 6);
	assert_int_equal(policy_get(slot_a, 21), 1);
	assert_ok(ca->CA_GetUserContainerNumber(slot_a, &container));
	assert_ok(ca->CA_SetContainerPolicy(session, container, 20, 7));
	assert_int_equal(policy_get(slot_a, 20), 7);
	sessions_close(slot_a);
}

/* Private keys are cloned or wrapped, not both. */
static void cloning_or_wrapping(void **state)
{
	CK_ULONG ids[] = { 1, 0 }, swap[] = { 1, 0 }, both[] = { 1, 1 };
	CK_SESSION_HANDLE session = session_so(slot_a);

	(void)state;
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 1, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_SetContainerPolicies(session, 0, 2, ids, both), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(policy_get(slot_a, 0), 1);
	assert_int_equal(policy_get(slot_a, 1), 0);
	assert_ok(ca->CA_SetContainerPolicies(session, 0, 2, ids, swap));
	assert_int_equal(policy_get(slot_a, 0), 0);
	assert_int_equal(policy_get(slot_a, 1), 1);
	assert_rv(ca->CA_SetContainerPolicy(session, 0, 0, 1), CKR_OPERATION_NOT_ALLOWED);
	sessions_close(slot_a);
}

static void destructive_changes(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_ULONG value;

	(void)state;
	aes_key(session, 32, true, "first");
	policy_set(slot_a, 4, 0);		/* off keeps */
	session = session_co(slot_a);
	assert_int_not_equal(object_by_label(session, "first"), 0);
	policy_set(slot_a, 4, 1);		/* on erases */
	session = session_co(slot_a);
	assert_int_equal(objects_on(session), 0);
	aes_key(session, 32, true, "second");
	policy_set(slot_a, 20, 9);		/* no danger either way */
	policy_set(slot_a, 20, 10);
	policy_set(slot_a, 4, 1);		/* no change is none */
	session = session_co(slot_a);
	assert_int_not_equal(object_by_label(session, "second"), 0);
	sessions_close(slot_a);
	session = session_so(slot_a);
	assert_rv(ca->CA_SetHSMPolicy(session, 7, 0), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_GetHSMPolicySetting(slot_a, 7, &value));
	assert_int_equal(value, 1);
	assert_ok(ca->CA_SetHSMPolicy(session, 16, 0));
	assert_ok(ca->CA_SetHSMPolicy(session, 16, 1));
	sessions_close(slot_a);
	session = session_co(slot_a);
	assert_int_not_equal(object_by_label(session, "second"), 0);
	hsm_policy_set(slot_a, 7, 0);
	session = session_co(slot_a);		/* roles stay */
	assert_int_equal(objects_on(session), 0);
	hsm_policy_set(slot_a, 7, 1);
}

/* ---- what single policies do ---- */

static CK_OBJECT_HANDLE hmac_key(CK_SESSION_HANDLE session)
{
	return secret_import(session, CKK_GENERIC_SECRET, "0123456789abcdef", 16);
}

static void policy_10_11(void **state)
{
	CK_MECHANISM mech = { CKM_AES_KEY_GEN, NULL, 0 };
	CK_ULONG len = 32;
	CK_ATTRIBUTE two[] = { ATTR(CKA_VALUE_LEN, len), ATTR(CKA_ENCRYPT, yes), ATTR(CKA_SIGN, yes) };
	CK_ATTRIBUTE one[] = { ATTR(CKA_VALUE_LEN, len), ATTR(CKA_ENCRYPT, yes),
			       ATTR(CKA_DECRYPT, yes) };
	CK_ATTRIBUTE more[] = { ATTR(CKA_SIGN, yes) }, less[] = { ATTR(CKA_ENCRYPT, no) };
	CK_ATTRIBUTE label[] = { ATTR_STR(CKA_LABEL, "renamed") };
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;

	(void)state;
	policy_set(slot_a, 10, 0);
	session = session_co(slot_a);
	assert_rv(p11->C_GenerateKey(session, &mech, two, 3, &key), CKR_TEMPLATE_INCONSISTENT);
	assert_ok(p11->C_GenerateKey(session, &mech, one, 3, &key));
	assert_false(attr_bool(session, key, CKA_SIGN));
	assert_rv(p11->C_SetAttributeValue(session, key, more, 1), CKR_TEMPLATE_INCONSISTENT);
	fresh(NULL);
	policy_set(slot_a, 11, 0);
	session = session_co(slot_a);
	assert_ok(p11->C_GenerateKey(session, &mech, one, 3, &key));
	assert_rv(p11->C_SetAttributeValue(session, key, less, 1), CKR_ATTRIBUTE_READ_ONLY);
	assert_true(attr_bool(session, key, CKA_ENCRYPT));
	assert_ok(p11->C_SetAttributeValue(session, key, label, 1));
}

static void policy_17_18_33(void **state)
{
	CK_MECHANISM hmac = { CKM_SHA256_HMAC, NULL, 0 }, cmac = { CKM_AES_CMAC, NULL, 0 };
	CK_MECHANISM raw = { CKM_RSA_X_509, NULL, 0 }, pkcs = { CKM_RSA_PKCS, NULL, 0 };
	CK_OBJECT_HANDLE pub, priv, imported;
	CK_SESSION_HANDLE session;

	(void)state;
	policy_set(slot_a, 17, 0);
	session = session_co(slot_a);
	imported = hmac_key(session);
	assert_rv(p11->C_SignInit(session, &hmac, imported), CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_ok(p11->C_VerifyInit(session, &hmac, imported));
	assert_ok(p11->C_SignInit(session, &cmac, aes_key(session, 32, false, "local")));
	assert_true(mechanism_listed(slot_a, CKM_RSA_X_509));
	policy_set(slot_a, 18, 0);
	session = session_co(slot_a);
	rsa_pair(session, 1024, false, "pair", &pub, &priv);
	assert_rv(p11->C_SignInit(session, &raw, priv), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_EncryptInit(session, &raw, pub), CKR_MECHANISM_INVALID);
	assert_ok(p11->C_SignInit(session, &pkcs, priv));
	assert_false(mechanism_listed(slot_a, CKM_RSA_X_509));
	assert_true(mechanism_listed(slot_a, CKM_RSA_PKCS));
	policy_set(slot_a, 33, 0);
	session = session_co(slot_a);
	rsa_pair(session, 1024, false, "pair", &pub, &priv);
	assert_rv(p11->C_SignInit(session, &pkcs, priv), CKR_MECHANISM_INVALID);
	assert_rv(p11->C_EncryptInit(session, &pkcs, pub), CKR_MECHANISM_INVALID);
	assert_false(mechanism_listed(slot_a, CKM_RSA_PKCS));
	pkcs.mechanism = CKM_SHA256_RSA_PKCS;
	assert_ok(p11->C_SignInit(session, &pkcs, priv));
}

static void policy_28(void **state)
{
	CK_MECHANISM gen = { CKM_AES_KEY_GEN, NULL, 0 }, mac = { CKM_AES_CMAC, NULL, 0 };
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key;
	CK_ULONG len = 32;
	CK_ATTRIBUTE tmpl[] = { ATTR(CKA_VALUE_LEN, len) };

	(void)state;
	aes_key(session, 32, true, "made before");
	policy_set(slot_a, 28, 0);
	session = session_co(slot_a);
	assert_rv(p11->C_GenerateKey(session, &gen, tmpl, 1, &key), CKR_OPERATION_NOT_ALLOWED);
	key = object_by_label(session, "made before");
	assert_int_not_equal(key, 0);
	assert_rv(p11->C_DestroyObject(session, key), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_SignInit(session, &mac, key));
}

/* ---- CA_InitToken ---- */

static void init_token_all_at_once(void **state)
{
	CK_UTF8CHAR label[] = "all at once                     ";
	CK_POLICY_INFO hsm[] = { { 16, 0, 0, 0 } }, partition[] = { { 20, 4, 0, 0 }, { 21, 0, 0, 0 } };
	CK_POLICY_INFO bad[] = { { 20, 99, 0, 0 } };
	CK_SESSION_HANDLE session;
	CK_ULONG value;

	(void)state;
	sessions_close(slot_a);
	assert_rv(ca->CA_InitToken(slot_a, PIN("wrong pin"), label, NULL, 0, 0, NULL, 0, NULL),
		  CKR_PIN_INCORRECT);
	assert_rv(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, NULL, 0, 1, NULL, 0, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, NULL, 5, 0, NULL, 0, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_InitToken(9999, PIN(SO_PIN), label, NULL, 0, 0, NULL, 0, NULL),
		  CKR_SLOT_ID_INVALID);
	assert_ok(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN), 1,
				   hsm, 2, partition));
	assert_ok(ca->CA_GetHSMPolicySetting(slot_a, 16, &value));
	assert_int_equal(value, 0);
	assert_int_equal(policy_get(slot_a, 20), 4);
	assert_int_equal(policy_get(slot_a, 21), 0);
	/* The login that this needed is over, and the domain is set. */
	session = session_open(slot_a);
	assert_int_equal(session_info(session).state, CKS_RW_PUBLIC_SESSION);
	session_login(session, CKU_SO, SO_PIN);
	assert_rv(ca->CA_SetKCV(session, (CK_BYTE_PTR)"x", 1), CKR_CLONING_PARAMETER_ALREADY_EXISTS);
	assert_ok(ca->CA_SetHSMPolicy(session, 16, 1));
	sessions_close(slot_a);
	/* What is refused changes nothing: the SO is still there, and so is the policy that was set. */
	assert_rv(ca->CA_InitToken(slot_a, PIN(SO_PIN), label, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN), 0,
				   NULL, 1, bad), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(policy_get(slot_a, 20), 4);
	assert_int_equal(policy_get(slot_a, 21), 0);
}

/* ---- what a token tells ---- */

static void token_facts(void **state)
{
	CK_ULONG major = 0, minor = 0, sub = 0, n = 9, overhead, total, used, left, count = 99;
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_BYTE name[64];
	CK_ULONG len = sizeof(name), list[4];

	(void)state;
	assert_ok(ca->CA_GetFirmwareVersion(slot_a, &major, &minor, &sub));
	assert_int_equal(major, 7);
	assert_int_equal(minor, 8);
	assert_int_equal(sub, 4);
	assert_rv(ca->CA_GetFirmwareVersion(9999, &major, &minor, &sub), CKR_SLOT_ID_INVALID);
	assert_ok(ca->CA_GetUserContainerNumber(slot_a, &n));
	assert_rv(ca->CA_GetUserContainerNumber(slot_a, NULL), CKR_ARGUMENTS_BAD);
	assert_ok(ca->CA_GetUserContainerName(slot_a, NULL, &len));
	assert_int_equal(len, 7);
	len = 6;
	assert_rv(ca->CA_GetUserContainerName(slot_a, name, &len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, 7);
	assert_ok(ca->CA_GetContainerName(slot_a, n, name, &len));
	assert_memory_equal(name, "token a", 7);
	assert_rv(ca->CA_GetContainerName(slot_a, n + 1, name, &len), CKR_CONTAINER_HANDLE_INVALID);
	count = 4;
	assert_ok(ca->CA_GetContainerList(slot_a, 0, 0, list, &count));
	assert_int_equal(count, 1);
	assert_int_equal(list[0], n);
	aes_key(session, 32, true, "counted");
	count = 99;
	assert_ok(ca->CA_GetTokenStorageInformation(slot_a, &overhead, &total, &used, &left, &count));
	assert_int_equal(count, 1);
	assert_true(used > 0);
	assert_ok(ca->CA_GetContainerStorageInformation(slot_a, n, &overhead, &total, &used, &left,
							&count));
	assert_int_equal(count, 1);
	assert_ok(ca->CA_GetHSMStorageInformation(slot_a, &overhead, &total, &used, &left));
	assert_rv(ca->CA_GetTokenStorageInformation(9999, &overhead, &total, &used, &left, &count),
		  CKR_SLOT_ID_INVALID);
}

static void session_facts(void **state)
{
	static const struct {
		CK_USER_TYPE user;
		const char *pin;
		CK_ULONG level;
	} logins[] = { { CKU_SO, SO_PIN, 3 }, { CKU_USER, CO_PIN, 2 }, { CKU_CRYPTO_USER, CU_PIN, 1 } };
	CK_SESSION_HANDLE session = session_open(slot_a);
	CK_ULONG high, low, container, number, level = 9;
	size_t i;

	(void)state;
	assert_ok(ca->CA_GetUserContainerNumber(slot_a, &number));
	assert_ok(ca->CA_GetSessionInfo(session, &high, &low, &container, &level));
	assert_int_equal(level, 0);
	assert_int_equal(container, number);
	for (i = 0; i < COUNT(logins); i++) {
		session_login(session, logins[i].user, logins[i].pin);
		assert_ok(ca->CA_GetSessionInfo(session, &high, &low, &container, &level));
		assert_int_equal(level, logins[i].level);
		assert_ok(p11->C_Logout(session));
	}
	assert_rv(ca->CA_GetSessionInfo(999, &high, &low, &container, &level),
		  CKR_SESSION_HANDLE_INVALID);
}

static void object_uids(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE key = aes_key(session, 32, true, "by uid");
	CK_ULONG len, type = 99, found = 0;
	CK_BYTE ouid[12], *attr = attr_bytes(session, key, CKA_OUID, &len);

	(void)state;
	assert_int_equal(len, sizeof(ouid));
	assert_ok(ca->CA_GetObjectUID(slot_a, 0, CK_CRYPTOKI_ELEMENT, key, ouid));
	assert_memory_equal(ouid, attr, len);
	memset(ouid, 0, sizeof(ouid));
	assert_ok(ca->CA_GetTokenObjectUID(slot_a, CK_CRYPTOKI_ELEMENT, key, ouid));
	assert_memory_equal(ouid, attr, len);
	free(attr);
	assert_ok(ca->CA_GetObjectHandle(slot_a, 0, ouid, &type, &found));
	assert_int_equal(found, key);
	assert_int_equal(type, CK_CRYPTOKI_ELEMENT);
	found = 0;
	assert_ok(ca->CA_GetTokenObjectHandle(slot_a, ouid, &type, &found));
	assert_int_equal(found, key);
	assert_rv(ca->CA_GetObjectUID(slot_a, 0, 5, key, ouid), CKR_OBJECT_TYPE_INVALID);
	assert_rv(ca->CA_GetObjectUID(slot_a, 0, 0, 999999, ouid), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(ca->CA_GetObjectUID(slot_a, 0, 0, key, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetObjectHandle(slot_a, 0, NULL, &type, &found), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetObjectHandle(slot_a, 0, ouid, &type, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_GetObjectHandle(9999, 0, ouid, &type, &found), CKR_SLOT_ID_INVALID);
	ouid[3] ^= 1;
	assert_rv(ca->CA_GetObjectHandle(slot_a, 0, ouid, &type, &found), CKR_OBJECT_HANDLE_INVALID);
}

static void destroy_many(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_OBJECT_HANDLE keys[4];
	CK_ULONG failed = 99, i;

	(void)state;
	for (i = 0; i < 4; i++)
		keys[i] = aes_key(session, 16, true, "one of many");
	assert_ok(ca->CA_DestroyMultipleObjects(session, 2, keys, &failed));
	assert_int_equal(objects_on(session), 2);
	keys[0] = keys[2];
	assert_rv(ca->CA_DestroyMultipleObjects(session, 3, keys, &failed),
		  CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(failed, 1);
	assert_int_equal(objects_on(session), 1);
	assert_rv(ca->CA_DestroyMultipleObjects(session, 0, keys, &failed), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_DestroyMultipleObjects(session, 1, NULL, &failed), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_DestroyMultipleObjects(999, 1, keys, &failed), CKR_SESSION_HANDLE_INVALID);
}

static void operation_state(void **state)
{
	CK_SESSION_HANDLE session = session_co(slot_a);
	CK_MECHANISM mech = { CKM_SHA256_HMAC, NULL, 0 }, digest = { CKM_SHA256, NULL, 0 };
	CK_OBJECT_HANDLE key = hmac_key(session);
	CK_BYTE out[32];
	CK_ULONG len = sizeof(out);
	CK_BBOOL on = 9;

	(void)state;
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Sign, &on));
	assert_int_equal(on, CK_FALSE);
	assert_ok(p11->C_SignInit(session, &mech, key));
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Sign, &on));
	assert_int_equal(on, CK_TRUE);
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Verify, &on));
	assert_int_equal(on, CK_FALSE);
	assert_ok(p11->C_Sign(session, out, 4, out, &len));
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Sign, &on));
	assert_int_equal(on, CK_FALSE);
	assert_ok(p11->C_DigestInit(session, &digest));
	assert_ok(ca->CA_CheckOperationState(session, CKCAO_Digest, &on));
	assert_int_equal(on, CK_TRUE);
	assert_rv(ca->CA_CheckOperationState(session, 99, &on), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CheckOperationState(session, CKCAO_Sign, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CheckOperationState(999, CKCAO_Sign, &on), CKR_SESSION_HANDLE_INVALID);
}

/* ---- what is not supported ---- */

static const char *const supported[] = {
	"GetFunctionList", "WaitForSlotEvent", "ResetPIN", "InitRolePIN", "InitSlotRolePIN",
	"RoleStateGet", "OpenSession", "Restart", "RestartForContainer", "GetSessionInfo",
	"GetPrimarySlot", "CheckOperationState", "SessionCancel", "SetKCV", "SetCloningDomain",
	"SetMofN", "CloneAsSourceInit", "CloneAsTargetInit", "CloneAsSource", "CloneAsTarget",
	"CloneObject", "ClonePrivateKey", "CloneMofN", "MigrateKeys", "CloneAllObjectsToSession",
	"HAInit", "HAGetMasterPublic", "GetTokenCertificateInfo", "GetTokenCertificates",
	"HAGetLoginChallenge", "HAAnswerLoginChallenge", "HALogin", "HAAnswerMofNChallenge",
	"HAActivateMofN", "GenerateMofN", "GenerateCloneableMofN", "ModifyMofN", "ActivateMofN",
	"DeactivateMofN", "GetMofNStatus", "IsMofNEnabled", "IsMofNRequired",
	"GetTokenCapabilities", "GetTokenPolicies", "GetHSMCapabilitySet",
	"GetHSMCapabilitySetting", "GetHSMPolicySet", "GetHSMPolicySetting",
	"GetContainerCapabilitySet", "GetContainerCapabilitySetting", "GetContainerPolicySet",
	"GetContainerPolicySetting", "GetConfigurationElementDescription", "SetHSMPolicy",
	"SetHSMPolicies", "SetDestructiveHSMPolicy", "SetDestructiveHSMPolicies",
	"SetContainerPolicy", "SetContainerPolicies", "SetTokenPolicies", "GetFirmwareVersion",
	"GetCVFirmwareVersion", "GetUserContainerNumber", "GetUserContainerName",
	"GetContainerName", "GetContainerList", "GetTokenStatus", "GetContainerStatus",
	"GetHSMStorageInformation", "GetTokenStorageInformation",
	"GetContainerStorageInformation", "GetSlotIdForPhysicalSlot", "InitToken",
	"DestroyMultipleObjects", "GetObjectHandle", "GetTokenObjectHandle", "GetObjectUID",
	"GetTokenObjectUID",
	"OpenSessionWithAppID", "CloseApplicationID", "CloseApplicationIDForContainer",
	"OpenApplicationID", "OpenApplicationIDForContainer", "SetApplicationID",
	"RandomizeApplicationID", "GetApplicationID", "OpenApplicationIDV2",
	"CloseApplicationIDV2", "SetApplicationIDV2", "OpenSessionWithAppIDV2",
	"OpenApplicationIDForContainerV2", "CloseApplicationIDForContainerV2",
};

static const char *const names[] = {
#define LUNA_CA_FUNCTION(name, args) #name,
#include <luna/sfnt_functions.h>
};

/* As many arguments as any of them has; a stub looks at none. */
typedef CK_RV (*any_function)(CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
			      CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
			      CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG, CK_ULONG,
			      CK_ULONG, CK_ULONG, CK_ULONG);

static bool is_supported(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(supported); i++)
		if (!strcmp(supported[i], name))
			return true;
	return false;
}

static void unsupported_functions(void **state)
{
	void **entries = (void **)ca + 1;
	size_t i, stubs = 0;
	any_function call;
	CK_RV rv;

	(void)state;
	assert_int_equal(COUNT(names), sizeof(*ca) / sizeof(void *) - 1);
	for (i = 0; i < COUNT(names); i++) {
		if (is_supported(names[i]))
			continue;
		stubs++;
		memcpy(&call, &entries[i], sizeof(call));
		rv = call(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
		if (rv != CKR_FUNCTION_NOT_SUPPORTED)
			fail_msg("CA_%s: %s", names[i], rv_name(rv));
	}
	assert_int_equal(stubs, COUNT(names) - COUNT(supported));
	assert_ok(p11->C_Finalize(NULL));
	assert_rv(ca->CA_ManualKCV(0), CKR_CRYPTOKI_NOT_INITIALIZED);
	suite_setup_bare(state);
}

#define TEST(name)		cmocka_unit_test_setup(name, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(officer_lock),
		TEST(user_lock),
		TEST(policy_lowered),
		TEST(no_reset_by_so),
		TEST(so_lock),
		TEST(role_pins),
		cmocka_unit_test_setup(role_pins_legacy, fresh_legacy),
		TEST(role_states),
		TEST(policy_sets),
		TEST(element_descriptions),
		TEST(set_policies),
		TEST(cloning_or_wrapping),
		TEST(destructive_changes),
		TEST(policy_10_11),
		TEST(policy_17_18_33),
		TEST(policy_28),
		TEST(init_token_all_at_once),
		TEST(token_facts),
		TEST(session_facts),
		TEST(object_uids),
		TEST(destroy_many),
		TEST(operation_state),
		TEST(unsupported_functions),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
