// SPDX-License-Identifier: MIT
/* Steps of tokens: opening and initialising them, sessions, roles, and what they tell. */
#include "failnth_steps.h"

/* ---- sessions and roles ---- */

static s64 a_open(void)
{
	return side_open(&a);
}

static s64 a_closed(void)
{
	return side_close(&a);
}

s64 a_init(void)
{
	return init_token(&a, "", 0);
}

static s64 a_session(void)
{
	return fx_session(a.open, true, &a.session);
}

static s64 a_no_session(void)
{
	s64 ret = a.session ? fx_session_close(a.open, a.session) : 0;

	a.session = 0;
	return ret;
}

static s64 a_close_session(void)
{
	return fx_session_close(a.open, a.session);
}

static s64 a_has_session(void)
{
	struct luna_session_info info = { .hdr.session = a.session };

	if (!fx_call(a.open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL))
		return 0;
	return a_session();
}

static s64 a_close_all(void)
{
	return bare(&a, LUNA_SESSION_CLOSE_ALL, 0);
}

s64 a_reset(void)
{
	return bare(&a, LUNA_RESET, 0);
}

static s64 a_login_so(void)
{
	return fx_login(a.open, a.session, CKU_SO, FX_SO_PIN);
}

static s64 a_login(void)
{
	return fx_login(a.open, a.session, CKU_USER, FX_CO_PIN);
}

static s64 a_public(void)
{
	return be(&a, LUNA_ROLE_NONE);
}

s64 a_co(void)
{
	return be(&a, CKU_USER);
}

static s64 a_logout(void)
{
	return fx_logout(a.open, a.session);
}

static s64 a_set_domain(void)
{
	struct luna_hdr hdr = { .session = a.session };

	return fx_call(a.open, LUNA_SET_DOMAIN, &hdr, sizeof(hdr), FX_DOMAIN, strlen(FX_DOMAIN),
		       NULL, NULL);
}

/* A domain is set once: begin again. */
static s64 a_no_domain(void)
{
	static bool begun;
	bool again = begun;

	begun = true;
	return again ? (a_no_session() ?: a_init() ?: a_session() ?: a_login_so()) : 0;
}

static s64 a_init_pin(void)
{
	return fx_init_pin(a.open, a.session, CKU_USER, FX_CO_PIN);
}

static s64 a_set_pin(void)
{
	return fx_set_pin(a.open, a.session, FX_CO_PIN, FX_CO_PIN);
}

/* ---- what a token tells ---- */

static s64 a_info(void)
{
	struct luna_info info = { 0 };

	return fx_call(a.open, LUNA_GET_INFO, &info, sizeof(info), NULL, 0, NULL, NULL);
}

static s64 a_slot_info(void)
{
	struct luna_slot_info info;

	return slot_info(&a, &info);
}

static s64 a_mech_list(void)
{
	struct luna_mech_list list = { 0 };
	size_t len = ROOM;
	u8 *rows = test_malloc(len);
	s64 ret = fx_call(a.open, LUNA_MECH_LIST, &list, sizeof(list), NULL, 0, rows, &len);

	test_free(rows);
	return ret;
}

static s64 a_provider_list(void)
{
	struct luna_provider_list list = { 0 };
	size_t len = ROOM;
	u8 *rows = test_malloc(len);
	s64 ret = fx_call(a.open, LUNA_PROVIDER_LIST, &list, sizeof(list), NULL, 0, rows, &len);

	test_free(rows);
	return ret;
}

static s64 a_policy_list(void)
{
	struct luna_policy_list list = { .scope = LUNA_SCOPE_PARTITION };
	size_t len = ROOM;
	u8 *rows = test_malloc(len);
	s64 ret = fx_call(a.open, LUNA_POLICY_LIST, &list, sizeof(list), NULL, 0, rows, &len);

	test_free(rows);
	return ret;
}

static s64 a_role_state(void)
{
	struct luna_role_state state;

	return role_state(&a, CKU_USER, &state);
}

static s64 a_session_info(void)
{
	struct luna_session_info info = { .hdr.session = a.session };

	return fx_call(a.open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL);
}

static s64 a_random(void)
{
	struct luna_random arg = { .hdr.session = a.session, .length = 64 };
	u8 bytes[64];
	size_t len = sizeof(bytes);

	return fx_call(a.open, LUNA_RANDOM, &arg, sizeof(arg), NULL, 0, bytes, &len);
}

static s64 a_seed(void)
{
	struct luna_hdr hdr = { .session = a.session };

	return fx_call(a.open, LUNA_SEED, &hdr, sizeof(hdr), iv, sizeof(iv), NULL, NULL);
}

/* ---- policies, application ids ---- */

static s64 a_policy_set(void)
{
	struct luna_policy_set set = {
		.hdr.session = a.session,
		.scope = LUNA_SCOPE_PARTITION,
		.count = 1,
	};
	const u32 pair[2] = { 21, 1 };	/* high availability recovery: as it is */

	return fx_call(a.open, LUNA_POLICY_SET, &set, sizeof(set), pair, sizeof(pair), NULL, NULL);
}

static s64 app_id(u32 step)
{
	struct luna_app_id arg = { .step = step, .id = "out of memory" };

	return fx_call(a.open, LUNA_APP_ID, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

static s64 a_app_open(void)
{
	return app_id(LUNA_APP_OPEN);
}

static s64 a_no_app(void)
{
	s64 rv = app_id(LUNA_APP_CLOSE);

	return rv == (s64)CKR_ACCESS_ID_INVALID ? 0 : rv;
}

/* ---- in their order ---- */

const struct step token_steps[] = {
	{ "open(2)", OPEN_FILE, a_open, .before = a_closed },
	{ "initialise a token", LUNA_INIT_TOKEN, a_init, .counts = true, .sparse = 16 },
	{ "open a session", LUNA_SESSION_OPEN, a_session, .before = a_no_session },
	{ "log in as SO", LUNA_LOGIN, a_login_so, .before = a_public, .counts = true },
	{ "set the domain", LUNA_SET_DOMAIN, a_set_domain, .before = a_no_domain, .sparse = 16 },
	{ "set the CO's PIN", LUNA_INIT_PIN, .run = a_init_pin },
	{ "set a policy", LUNA_POLICY_SET, .run = a_policy_set },
	{ "log out", LUNA_LOGOUT, a_logout, .before = a_co },
	{ "log in as CO", LUNA_LOGIN, a_login, .before = a_public, .counts = true },
	{ "change the PIN", LUNA_SET_PIN, .run = a_set_pin, .counts = true },
	{ "info", LUNA_GET_INFO, .run = a_info },
	{ "slot info", LUNA_SLOT_INFO, .run = a_slot_info },
	{ "mechanisms", LUNA_MECH_LIST, .run = a_mech_list },
	{ "providers", LUNA_PROVIDER_LIST, .run = a_provider_list },
	{ "policies", LUNA_POLICY_LIST, .run = a_policy_list },
	{ "role state", LUNA_ROLE_STATE, .run = a_role_state },
	{ "keep an application id", LUNA_APP_ID, a_app_open, .before = a_no_app },
	{ "session info", LUNA_SESSION_INFO, .run = a_session_info },
	{ "random", LUNA_RANDOM, .run = a_random },
	{ "seed", LUNA_SEED, a_seed, .rv = CKR_RANDOM_SEED_NOT_SUPPORTED },
	{ .name = NULL }
};

const struct step end_steps[] = {
	{ "close a session", LUNA_SESSION_CLOSE, a_close_session, .before = a_has_session },
	{ "close all sessions", LUNA_SESSION_CLOSE_ALL, a_close_all, .before = a_has_session },
	{ "reset", LUNA_RESET, a_reset, .before = a_has_session },
	{ .name = NULL }
};
