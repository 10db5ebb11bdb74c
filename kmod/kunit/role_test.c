// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Roles of PPSO and legacy tokens: what every command answers in every state, how failed logins are
 * counted and what the last one does, who may change which PIN, and what the policies forbid. Numbers
 * are the product's, but where a comment says otherwise.
 */
#include <kunit/test.h>

#include "side.h"
#include "token.h"

#define WRONG_PIN	"no such pin"
#define NEW_PIN		"another pin"

enum { CU = CKU_LIMITED_USER, ATTEMPTS = 10 };

/* ---- state x command ---- */

/* In all but the first, every role has its PIN. */
enum state {
	NO_USERS,	/* public session, the SO alone has a PIN */
	PUBLIC,
	AS_SO, AS_CO, AS_CU,
	CO_LOCKED,	/* public session */
	CU_LOCKED,
	READ_ONLY,	/* a read-only public session, and no other */
	STATES
};

static const char *const state_names[STATES] = {
	"no users", "public", "as SO", "as CO", "as CU", "CO locked", "CU locked", "read-only",
};

/**
 * struct roles - a token of the type under test, in the state under test
 * @images: stores with that much in them; the other states begin at PUBLIC's
 */
struct roles {
	struct fx_side side;
	struct memstore *images[STATES];
	struct fx_message twc, out;
	u8 rows[FX_VECTORS * FX_VECTOR_ROW];
};

static s64 try_login(struct fx_side *side, u32 role, const char *pin)
{
	return fx_login(side->open, side->session, role, pin);
}

static s64 login_so(struct roles *r)
{
	return try_login(&r->side, CKU_SO, FX_SO_PIN);
}

static s64 login_co(struct roles *r)
{
	return try_login(&r->side, CKU_USER, FX_CO_PIN);
}

static s64 login_cu(struct roles *r)
{
	return try_login(&r->side, CU, FX_CU_PIN);
}

static s64 login_wrong(struct roles *r)
{
	return try_login(&r->side, CKU_USER, WRONG_PIN);
}

static s64 login_auditor(struct roles *r)
{
	return try_login(&r->side, CKU_AUDIT, FX_CO_PIN);
}

static s64 login_operation(struct roles *r)
{
	return try_login(&r->side, CKU_CONTEXT_SPECIFIC, FX_CO_PIN);
}

static s64 do_logout(struct roles *r)
{
	return fx_logout(r->side.open, r->side.session);
}

static s64 init_pin_co(struct roles *r)
{
	return fx_init_pin(r->side.open, r->side.session, CKU_USER, NEW_PIN);
}

static s64 init_pin_cu(struct roles *r)
{
	return fx_init_pin(r->side.open, r->side.session, CU, NEW_PIN);
}

static s64 init_pin_so(struct roles *r)
{
	return fx_init_pin(r->side.open, r->side.session, CKU_SO, NEW_PIN);
}

/* The PIN that C_SetPIN is about: that of the role logged in, in a public session the CO's. */
static const char *own_pin(const struct roles *r)
{
	static const char *const pins[LUNA_ROLES] = { FX_SO_PIN, FX_CO_PIN, FX_CU_PIN };

	return luna_open_role(r->side.open) < 0 ? FX_CO_PIN : pins[luna_open_role(r->side.open)];
}

static s64 set_pin(struct roles *r)
{
	return fx_set_pin(r->side.open, r->side.session, own_pin(r), NEW_PIN);
}

static s64 set_pin_wrong(struct roles *r)
{
	return fx_set_pin(r->side.open, r->side.session, WRONG_PIN, NEW_PIN);
}

static s64 set_pin_short(struct roles *r)
{
	return fx_set_pin(r->side.open, r->side.session, own_pin(r), "abc");
}

static s64 init_token(struct roles *r)
{
	return fx_init_token(r->side.open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN);
}

static s64 set_policy(struct roles *r)
{
	return fx_policy_set(&r->side, LUNA_SCOPE_PARTITION, 21, 0, 0);
}

static s64 set_destructive(struct roles *r)
{
	return fx_policy_set(&r->side, LUNA_SCOPE_HSM, 7, 0, 0);
}

static s64 set_domain(struct roles *r)
{
	struct luna_hdr hdr = { .session = r->side.session };

	return fx_call(r->side.open, LUNA_SET_DOMAIN, &hdr, sizeof(hdr), "d", 1, NULL, NULL);
}

static s64 create_public_token(struct roles *r)
{
	u32 handle;

	return fx_make_data(&r->side, true, false, &handle);
}

static s64 create_public_session(struct roles *r)
{
	u32 handle;

	return fx_make_data(&r->side, false, false, &handle);
}

static s64 create_private(struct roles *r)
{
	u32 handle;

	return fx_make_data(&r->side, false, true, &handle);
}

static s64 generate_key(struct roles *r)
{
	u32 handle;

	return fx_make_aes(&r->side, &handle);
}

static s64 clone_source(struct roles *r)
{
	return fx_send(&r->side, LUNA_CLONE_SOURCE_INIT, BLOB(), NULL, &r->out);
}

static s64 ha_setup(struct roles *r)
{
	return fx_send(&r->side, LUNA_HA_INIT, BLOB(.handle = 9999), NULL, NULL);
}

static s64 ha_public(struct roles *r)
{
	return fx_send(&r->side, LUNA_HA_MASTER_PUBLIC, BLOB(), NULL, &r->twc);
}

static s64 ha_challenge(struct roles *r)
{
	fx_check(ha_public(r) == CKR_OK);
	return fx_send(&r->side, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &r->twc, &r->out);
}

static s64 mofn_generate(struct roles *r)
{
	return fx_mofn_generate(&r->side, 1, 1, 0, FX_VECTOR, r->rows);
}

enum {
	OK = CKR_OK, OUT = CKR_USER_NOT_LOGGED_IN, DENIED = CKR_USER_NOT_AUTHORIZED,
	ALREADY = CKR_USER_ALREADY_LOGGED_IN, ANOTHER = CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
	NO_PIN = CKR_USER_PIN_NOT_INITIALIZED, LOCKED = CKR_USER_LOCKED_OUT,
	WRONG = CKR_PIN_INCORRECT, LENGTH = CKR_PIN_LEN_RANGE, RO = CKR_SESSION_READ_ONLY,
	RO_EXISTS = CKR_SESSION_READ_ONLY_EXISTS, NO_TYPE = CKR_USER_TYPE_INVALID,
	NO_OP = CKR_OPERATION_NOT_INITIALIZED, SESSION = CKR_SESSION_EXISTS,
	HAS_DOMAIN = CKR_CLONING_PARAMETER_ALREADY_EXISTS, NO_KEY = CKR_KEY_HANDLE_INVALID,
	REFUSED = CKR_OPERATION_NOT_ALLOWED,
};

/**
 * struct command - a row
 * @counts: a refusal leaves a failed attempt on record
 * @legacy: what differs on a legacy token, by state: the code + 1; 0: nothing
 */
static const struct command {
	const char *what;
	s64 (*run)(struct roles *r);
	bool counts;
	u32 rv[STATES];
	u32 legacy[STATES];
} commands[] = {
	/*				no users public	as SO	as CO	as CU	CO lckd	CU lckd	read-only */
	{ "login as SO", login_so, 0,
		{ OK,	OK,	ALREADY, ANOTHER, ANOTHER, OK,	OK,	RO_EXISTS } },
	{ "login as CO", login_co, 0,
		{ NO_PIN, OK,	ANOTHER, ALREADY, ANOTHER, LOCKED, OK,	OK } },
	{ "login as CU", login_cu, 0,
		{ NO_PIN, OK,	ANOTHER, ANOTHER, ALREADY, LOCKED, LOCKED, OK } },
	{ "login, wrong PIN", login_wrong, 1,
		{ NO_PIN, WRONG, ANOTHER, ALREADY, ANOTHER, LOCKED, WRONG, WRONG } },
	{ "login as auditor", login_auditor, 0,
		{ NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE } },
	{ "login for an operation", login_operation, 0,
		{ NO_OP, NO_OP,	NO_OP,	NO_OP,	NO_OP,	NO_OP,	NO_OP,	NO_OP } },
	{ "logout", do_logout, 0,
		{ OUT,	OUT,	OK,	OK,	OK,	OUT,	OUT,	OUT } },
	{ "InitPIN of CO", init_pin_co, 0,
		{ OUT,	OUT,	OK,	OUT,	OUT,	OUT,	OUT,	OUT } },
	{ "InitPIN of CU", init_pin_cu, 0,
		{ OUT,	OUT,	OUT,	OK,	OUT,	OUT,	OUT,	OUT },
		{ [AS_SO] = OK + 1 } },
	{ "InitPIN of SO", init_pin_so, 0,
		{ NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE, NO_TYPE } },
	{ "SetPIN", set_pin, 0,
		{ NO_PIN, OK,	OK,	OK,	OK,	LOCKED,	OK,	RO } },
	{ "SetPIN, wrong PIN", set_pin_wrong, 1,
		{ NO_PIN, WRONG, WRONG, WRONG, WRONG,	LOCKED,	WRONG,	RO } },
	{ "SetPIN, short PIN", set_pin_short, 0,
		{ LENGTH, LENGTH, LENGTH, LENGTH, LENGTH, LENGTH, LENGTH, RO } },
	{ "InitToken", init_token, 0,
		{ SESSION, SESSION, SESSION, SESSION, SESSION, SESSION, SESSION, SESSION } },
	{ "set a policy", set_policy, 0,
		{ OUT,	OUT,	OK,	DENIED,	DENIED,	OUT,	OUT,	OUT } },
	{ "set a destructive policy", set_destructive, 0,
		{ OUT,	OUT,	REFUSED, DENIED, DENIED, OUT,	OUT,	OUT } },
	{ "set the domain", set_domain, 0,
		{ OUT,	OUT,	HAS_DOMAIN, DENIED, DENIED, OUT, OUT,	OUT } },
	{ "create a public token object", create_public_token, 0,
		{ OK,	OK,	OK,	OK,	OK,	OK,	OK,	RO } },
	{ "create a public session object", create_public_session, 0,
		{ OK,	OK,	OK,	OK,	OK,	OK,	OK,	OK } },
	{ "create a private object", create_private, 0,
		{ OUT,	OUT,	OUT,	OK,	DENIED,	OUT,	OUT,	OUT } },
	{ "generate a private token key", generate_key, 0,
		{ OUT,	OUT,	OUT,	OK,	DENIED,	OUT,	OUT,	OUT } },
	{ "clone as source", clone_source, 0,
		{ OUT,	OUT,	DENIED,	OK,	OK,	OUT,	OUT,	OUT },
		{ [AS_SO] = OK + 1 } },
	{ "HA setup", ha_setup, 0,
		{ OUT,	OUT,	DENIED,	NO_KEY,	DENIED,	OUT,	OUT,	OUT },
		{ [AS_CU] = NO_KEY + 1 } },
	{ "HA master's certificate", ha_public, 0,
		{ OK,	OK,	OK,	OK,	OK,	OK,	OK,	OK } },
	{ "HA challenge, no setup", ha_challenge, 0,
		{ NO_PIN, NO_PIN, ALREADY, ALREADY, ALREADY, NO_PIN, NO_PIN, NO_PIN } },
	{ "generate M of N", mofn_generate, 0,
		{ OUT,	OUT,	OK,	OK,	DENIED,	OUT,	OUT,	OUT } },
};

static void guess(struct fx_side *side, u32 role, u32 times)
{
	while (times--)
		fx_check(try_login(side, role, WRONG_PIN) == CKR_PIN_INCORRECT);
}

static struct memstore *image_of(const struct fx_side *side)
{
	return memstore_image(side->fx.store, side->fx.store->content.len);
}

/* A token of @type in each state that a store can be in. */
static void make_images(struct roles *r, u32 type)
{
	struct fx_side *side = &r->side;

	fx_open(&side->fx, fakerng_quick_ops(luna_test_crypto(), 1), 0);
	side->open = luna_open(side->fx.token);
	fx_check(fx_init_token(side->open, type, FX_SO_PIN, FX_DOMAIN) == CKR_OK);
	r->images[NO_USERS] = image_of(side);
	fx_side_attach(side);
	fx_side_as(side, CKU_SO);
	fx_check(fx_init_pin(side->open, side->session, CKU_USER, FX_CO_PIN) == CKR_OK);
	fx_side_as(side, CKU_USER);
	fx_check(fx_init_pin(side->open, side->session, CU, FX_CU_PIN) == CKR_OK);
	fx_side_as(side, LUNA_ROLE_NONE);
	r->images[PUBLIC] = image_of(side);
	guess(side, CKU_USER, ATTEMPTS);
	r->images[CO_LOCKED] = image_of(side);
	fx_side_close(side);
	fx_open_store(&side->fx, NULL, 0,
		      memstore_image(r->images[PUBLIC], r->images[PUBLIC]->content.len));
	fx_side_attach(side);
	guess(side, CU, ATTEMPTS);
	r->images[CU_LOCKED] = image_of(side);
	fx_side_close(side);
}

static void enter_state(struct roles *r, enum state state)
{
	static const u32 roles[STATES] = { [AS_SO] = CKU_SO, [AS_CO] = CKU_USER, [AS_CU] = CU };
	struct memstore *image = r->images[state] ? r->images[state] : r->images[PUBLIC];
	struct fx_side *side = &r->side;
	u32 session;

	fx_open_store(&side->fx, fakerng_quick_ops(luna_test_crypto(), 1), 0,
		      memstore_image(image, image->content.len));
	fx_side_attach(side);
	if (state >= AS_SO && state <= AS_CU)
		fx_side_as(side, roles[state]);
	if (state != READ_ONLY)
		return;
	fx_check(fx_session(side->open, false, &session) == CKR_OK);
	fx_check(fx_session_close(side->open, side->session) == CKR_OK);
	side->session = session;
}

static void run_cell(struct kunit *test, const struct command *c, enum state state, u32 expected)
{
	struct roles *r = test->priv;
	struct fx_fingerprint before;
	s64 rv;

	enter_state(r, state);
	fx_print(&r->side, &before);
	rv = c->run(r);
	KUNIT_EXPECT_EQ_MSG(test, rv, expected, "%s, %s", c->what, state_names[state]);
	if (rv && !c->counts)
		KUNIT_EXPECT_TRUE_MSG(test, fx_same(&r->side, &before), "%s, %s", c->what,
				      state_names[state]);
	fx_side_close(&r->side);
}

static void run_table(struct kunit *test, u32 type)
{
	const struct command *c;
	u32 state, expected;

	make_images(test->priv, type);
	for (c = commands; c < commands + ARRAY_SIZE(commands); c++) {
		for (state = 0; state < STATES; state++) {
			expected = c->rv[state];
			if (type == LUNA_TOKEN_LEGACY && c->legacy[state])
				expected = c->legacy[state] - 1;
			run_cell(test, c, state, expected);
		}
	}
}

static void roles_ppso(struct kunit *test)
{
	run_table(test, LUNA_TOKEN_PPSO);
}

static void roles_legacy(struct kunit *test)
{
	run_table(test, LUNA_TOKEN_LEGACY);
}

/* ---- failed logins ---- */

static void start(struct roles *r)
{
	make_images(r, LUNA_TOKEN_PPSO);
	enter_state(r, PUBLIC);
}

static struct luna_role_state role_state(struct roles *r, u32 role)
{
	struct luna_role_state arg = { .role = role };

	fx_check(fx_call(r->side.open, LUNA_ROLE_STATE, &arg, sizeof(arg), NULL, 0, NULL, NULL) ==
		 CKR_OK);
	return arg;
}

static bool is_locked(struct roles *r, u32 role)
{
	struct luna_role_state state = role_state(r, role);

	fx_check(!(state.flags & CAF_ROLE_STATE_LOCKED_OUT) || !state.attempts_left);
	return state.flags & CAF_ROLE_STATE_LOCKED_OUT;
}

/* Ten, counted down one by one, over a restart, and forgiven by one that is right. */
static void roles_count(struct kunit *test)
{
	struct roles *r = test->priv;
	u32 i;

	start(r);
	for (i = 0; i < ATTEMPTS - 1; i++) {
		KUNIT_EXPECT_EQ(test, role_state(r, CKU_USER).attempts_left, ATTEMPTS - i);
		guess(&r->side, CKU_USER, 1);
	}
	fx_side_restart(&r->side);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_USER).attempts_left, 1);
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_USER).attempts_left, ATTEMPTS);
	KUNIT_EXPECT_EQ(test, do_logout(r), CKR_OK);
	guess(&r->side, CKU_USER, ATTEMPTS);	/* the last one is wrong, not locked */
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_USER_LOCKED_OUT);
	fx_side_restart(&r->side);
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_USER_LOCKED_OUT);
}

/* The CO's lock is the CU's, too; the CU's is its own. */
static void roles_lock(struct kunit *test)
{
	struct roles *r = test->priv;

	start(r);
	guess(&r->side, CU, ATTEMPTS);
	KUNIT_EXPECT_TRUE(test, is_locked(r, CU));
	KUNIT_EXPECT_FALSE(test, is_locked(r, CKU_USER));
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, fx_init_pin(r->side.open, r->side.session, CU, FX_CU_PIN), CKR_OK);
	KUNIT_EXPECT_EQ(test, do_logout(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, login_cu(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, do_logout(r), CKR_OK);
	guess(&r->side, CKU_USER, ATTEMPTS);
	KUNIT_EXPECT_TRUE(test, is_locked(r, CKU_USER));
	KUNIT_EXPECT_TRUE(test, is_locked(r, CU));
	KUNIT_EXPECT_FALSE(test, is_locked(r, CKU_SO));
	/* the SO's reset opens both */
	KUNIT_EXPECT_EQ(test, login_so(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, init_pin_co(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, do_logout(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, login_cu(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, do_logout(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, try_login(&r->side, CKU_USER, NEW_PIN), CKR_OK);
}

/* A wrong old PIN is an attempt like any other. */
static void roles_set_pin_counts(struct kunit *test)
{
	struct roles *r = test->priv;
	u32 i;

	start(r);
	for (i = 0; i < ATTEMPTS; i++)
		KUNIT_EXPECT_EQ(test, set_pin_wrong(r), CKR_PIN_INCORRECT);
	KUNIT_EXPECT_EQ(test, set_pin(r), CKR_USER_LOCKED_OUT);
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_USER_LOCKED_OUT);
}

/* Policy 20, from 1 to 10. */
static void roles_policy_20(struct kunit *test)
{
	struct roles *r = test->priv;
	u32 allowed;

	make_images(r, LUNA_TOKEN_PPSO);
	for (allowed = 1; allowed <= ATTEMPTS; allowed += 3) {
		enter_state(r, AS_SO);
		KUNIT_EXPECT_EQ(test, fx_policy_set(&r->side, LUNA_SCOPE_PARTITION, 20, 0, 0),
				CKR_OPERATION_NOT_ALLOWED);
		KUNIT_EXPECT_EQ(test, fx_policy_set(&r->side, LUNA_SCOPE_PARTITION, 20, 11, 0),
				CKR_OPERATION_NOT_ALLOWED);
		KUNIT_EXPECT_EQ(test, fx_policy_set(&r->side, LUNA_SCOPE_PARTITION, 20, allowed, 0),
				CKR_OK);
		KUNIT_EXPECT_EQ(test, do_logout(r), CKR_OK);
		guess(&r->side, CKU_USER, allowed);
		KUNIT_EXPECT_EQ_MSG(test, login_co(r), CKR_USER_LOCKED_OUT, "%u allowed", allowed);
		fx_side_close(&r->side);
	}
}

/* The tenth wrong PIN of the partition SO ends the partition, and everybody's login. */
static void roles_zeroize(struct kunit *test)
{
	struct roles *r = test->priv;
	struct fx_side other = { 0 };
	u32 handle;

	start(r);
	other.fx.token = r->side.fx.token;
	fx_side_attach(&other);
	fx_side_as(&other, CKU_USER);
	KUNIT_ASSERT_EQ(test, fx_make_aes(&other, &handle), CKR_OK);
	guess(&r->side, CKU_SO, ATTEMPTS - 1);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_SO).attempts_left, 1);
	KUNIT_EXPECT_TRUE(test, r->side.fx.token->state->initialised);
	guess(&r->side, CKU_SO, 1);
	KUNIT_EXPECT_FALSE(test, r->side.fx.token->state->initialised);
	KUNIT_EXPECT_EQ(test, r->side.fx.token->objects.table.live, 0);
	KUNIT_EXPECT_EQ(test, luna_open_role(other.open), -1);
	KUNIT_EXPECT_EQ(test, r->side.fx.token->unlocked, 0);
	KUNIT_EXPECT_EQ(test, fx_destroy(other.open, other.session, handle),
			CKR_OBJECT_HANDLE_INVALID);
	KUNIT_EXPECT_EQ(test, login_so(r), CKR_USER_PIN_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_USER_PIN_NOT_INITIALIZED);
	luna_release(other.open);
	fx_side_restart(&r->side);
	KUNIT_EXPECT_FALSE(test, r->side.fx.token->state->initialised);
	KUNIT_EXPECT_EQ(test, init_token(r), CKR_OK);
}

/* A wrong SO PIN at InitToken is an attempt at the SO's; a right one makes a new, empty token. */
static void roles_init_token(struct kunit *test)
{
	struct roles *r = test->priv;
	u32 handle;

	start(r);
	fx_side_as(&r->side, CKU_USER);
	KUNIT_ASSERT_EQ(test, fx_make_aes(&r->side, &handle), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_session_close(r->side.open, r->side.session), CKR_OK);
	KUNIT_EXPECT_EQ(test, fx_init_token(r->side.open, LUNA_TOKEN_PPSO, WRONG_PIN, FX_DOMAIN),
			CKR_PIN_INCORRECT);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_SO).attempts_left, ATTEMPTS - 1);
	KUNIT_EXPECT_EQ(test, r->side.fx.token->objects.table.live, 1);
	KUNIT_EXPECT_EQ(test, init_token(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, r->side.fx.token->objects.table.live, 0);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_SO).attempts_left, ATTEMPTS);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_USER).flags, 0);
	fx_side_attach(&r->side);
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_USER_PIN_NOT_INITIALIZED);
}

/* ---- PINs ---- */

/* A PIN that another role gave is to be changed, and the old one is good for nothing. */
static void roles_pin_change(struct kunit *test)
{
	struct roles *r = test->priv;

	start(r);
	fx_side_as(&r->side, CKU_SO);
	KUNIT_EXPECT_EQ(test, init_pin_co(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_USER).flags,
			CAF_ROLE_STATE_INITIALIZED | CAF_ROLE_STATE_PIN_CHANGE);
	KUNIT_EXPECT_EQ(test, do_logout(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_PIN_INCORRECT);
	KUNIT_EXPECT_EQ(test, fx_set_pin(r->side.open, r->side.session, NEW_PIN, FX_CO_PIN), CKR_OK);
	KUNIT_EXPECT_EQ(test, role_state(r, CKU_USER).flags, CAF_ROLE_STATE_INITIALIZED);
	fx_side_restart(&r->side);
	KUNIT_EXPECT_EQ(test, try_login(&r->side, CKU_USER, NEW_PIN), CKR_PIN_INCORRECT);
	KUNIT_EXPECT_EQ(test, login_co(r), CKR_OK);
}

/* HSM policy 15: without it the SO gives the CO a first PIN, and no second. */
static void roles_policy_15(struct kunit *test)
{
	struct roles *r = test->priv;

	make_images(r, LUNA_TOKEN_PPSO);
	enter_state(r, NO_USERS);
	fx_side_as(&r->side, CKU_SO);
	KUNIT_EXPECT_EQ(test, fx_policy_set(&r->side, LUNA_SCOPE_HSM, 15, 0, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, init_pin_co(r), CKR_OK);
	KUNIT_EXPECT_EQ(test, init_pin_co(r), CKR_OPERATION_NOT_ALLOWED);
}

static s64 set_pin_len(struct roles *r, u32 len)
{
	char *pin = luna_test_alloc(len + 1);
	s64 rv;

	memset(pin, 'x', len);
	rv = fx_init_pin(r->side.open, r->side.session, CKU_USER, pin);
	luna_test_free(pin);
	return rv;
}

/* Policies 25, which holds 255 - length, and 26. */
static void roles_pin_length(struct kunit *test)
{
	struct roles *r = test->priv;

	make_images(r, LUNA_TOKEN_PPSO);
	enter_state(r, AS_SO);
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 3), CKR_PIN_LEN_RANGE);	/* the product's default: 7 */
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 4), CKR_OK);
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 255), CKR_OK);
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 256), CKR_PIN_LEN_RANGE);
	KUNIT_EXPECT_EQ(test, fx_policy_set(&r->side, LUNA_SCOPE_PARTITION, 25, 247, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 7), CKR_PIN_LEN_RANGE);
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 8), CKR_OK);
	KUNIT_EXPECT_EQ(test, fx_policy_set(&r->side, LUNA_SCOPE_PARTITION, 26, 16, 0), CKR_OK);
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 16), CKR_OK);
	KUNIT_EXPECT_EQ(test, set_pin_len(r, 17), CKR_PIN_LEN_RANGE);
}

/* ---- policies ---- */

enum { ON_DESTROYS = LUNA_POLICY_OFF_TO_ON_DESTRUCTIVE, OFF_DESTROYS = LUNA_POLICY_ON_TO_OFF_DESTRUCTIVE };

/* As the product's documentation has them, but for 9 and 25: policy.c says why. */
static const struct policy {
	u32 scope, id, value, destroys;
} policies[] = {
	{ LUNA_SCOPE_PARTITION, 0, 1, ON_DESTROYS }, { LUNA_SCOPE_PARTITION, 1, 0, ON_DESTROYS },
	{ LUNA_SCOPE_PARTITION, 2, 1, 0 }, { LUNA_SCOPE_PARTITION, 4, 1, ON_DESTROYS },
	{ LUNA_SCOPE_PARTITION, 5, 1, ON_DESTROYS }, { LUNA_SCOPE_PARTITION, 6, 1, 0 },
	{ LUNA_SCOPE_PARTITION, 9, 1, ON_DESTROYS }, { LUNA_SCOPE_PARTITION, 10, 1, ON_DESTROYS },
	{ LUNA_SCOPE_PARTITION, 11, 1, ON_DESTROYS }, { LUNA_SCOPE_PARTITION, 17, 1, 0 },
	{ LUNA_SCOPE_PARTITION, 18, 1, ON_DESTROYS }, { LUNA_SCOPE_PARTITION, 20, 10, 0 },
	{ LUNA_SCOPE_PARTITION, 21, 1, 0 }, { LUNA_SCOPE_PARTITION, 25, 251, 0 },
	{ LUNA_SCOPE_PARTITION, 26, 255, 0 }, { LUNA_SCOPE_PARTITION, 28, 1, ON_DESTROYS },
	{ LUNA_SCOPE_PARTITION, 33, 1, ON_DESTROYS }, { LUNA_SCOPE_PARTITION, 34, 1, ON_DESTROYS },
	{ LUNA_SCOPE_HSM, 7, 1, ON_DESTROYS | OFF_DESTROYS }, { LUNA_SCOPE_HSM, 15, 1, ON_DESTROYS },
	{ LUNA_SCOPE_HSM, 16, 1, 0 },
};

static const struct luna_policy *find_policy(const struct luna_policy *rows, u32 count, u32 id)
{
	while (count--)
		if (rows[count].id == id)
			return &rows[count];
	return NULL;
}

static u32 list_policies(struct roles *r, u32 scope, struct luna_policy *rows, u32 room)
{
	struct luna_policy_list arg = { .scope = scope };
	size_t len = room * sizeof(*rows);

	fx_check(fx_call(r->side.open, LUNA_POLICY_LIST, &arg, sizeof(arg), NULL, 0, rows, &len) ==
		 CKR_OK);
	return arg.count;
}

/* Switches one off and on again; with objects there, which a destructive change takes. */
static void expect_destroys(struct kunit *test, const struct policy *p)
{
	struct roles *r = test->priv;
	u32 value, handle, flag, i;
	s64 rv;

	enter_state(r, PUBLIC);
	for (i = 0; i < 2; i++) {
		fx_side_as(&r->side, LUNA_ROLE_NONE);
		KUNIT_ASSERT_EQ(test, fx_make_data(&r->side, true, false, &handle), CKR_OK);
		fx_side_as(&r->side, CKU_SO);
		/* off first, if it is on */
		value = p->value ? i : 1 - i;
		if (p->id == 1)	/* excludes 0 */
			fx_check(fx_policy_set(&r->side, p->scope, 0, 0, 0) == CKR_OK);
		flag = value ? ON_DESTROYS : OFF_DESTROYS;
		rv = fx_policy_set(&r->side, p->scope, p->id, value, 0);
		KUNIT_EXPECT_EQ_MSG(test, rv, p->destroys & flag ? CKR_OPERATION_NOT_ALLOWED : CKR_OK,
				    "policy %u to %u", p->id, value);
		KUNIT_EXPECT_GT(test, r->side.fx.token->objects.table.live, 0);
		if (!rv)
			continue;
		KUNIT_EXPECT_EQ(test, fx_policy_set(&r->side, p->scope, p->id, value,
						    LUNA_POLICY_SET_DESTRUCTIVE), CKR_OK);
		KUNIT_EXPECT_EQ(test, r->side.fx.token->objects.table.live, 0);
	}
	fx_side_close(&r->side);
}

static void roles_policies(struct kunit *test)
{
	enum { ROOM = 64 };
	struct luna_policy *rows = kunit_kzalloc(test, ROOM * sizeof(*rows), GFP_KERNEL);
	struct roles *r = test->priv;
	const struct luna_policy *row;
	u32 i, count;

	KUNIT_ASSERT_NOT_NULL(test, rows);
	make_images(r, LUNA_TOKEN_PPSO);
	for (i = 0; i < ARRAY_SIZE(policies); i++) {
		enter_state(r, PUBLIC);
		count = list_policies(r, policies[i].scope, rows, ROOM);
		fx_side_close(&r->side);
		row = find_policy(rows, count, policies[i].id);
		KUNIT_ASSERT_NOT_NULL_MSG(test, row, "policy %u", policies[i].id);
		KUNIT_EXPECT_EQ_MSG(test, row->value, policies[i].value, "policy %u", row->id);
		KUNIT_EXPECT_EQ_MSG(test, row->flags & (ON_DESTROYS | OFF_DESTROYS),
				    policies[i].destroys, "policy %u", row->id);
		KUNIT_EXPECT_LE(test, row->value, row->capability);
		if (row->bits == 1)
			expect_destroys(test, &policies[i]);
	}
}

/* What a policy forbids once it is off; codes are the product's firmware's, as CKR. */
static s64 digest_key(struct roles *r)
{
	struct luna_op arg = {
		.hdr.session = r->side.session, .op = LUNA_OP_DIGEST, .mechanism = CKM_SHA256,
		.step = LUNA_STEP_INIT,
	};
	u32 key;
	s64 rv = fx_make_aes(&r->side, &key);

	if (!rv)
		rv = fx_call(r->side.open, LUNA_OP, &arg, sizeof(arg), NULL, 0, NULL, NULL);
	if (rv)
		return rv;
	arg = (struct luna_op){
		.hdr.session = r->side.session, .op = LUNA_OP_DIGEST, .key = key,
		.step = LUNA_STEP_KEY,
	};
	return fx_call(r->side.open, LUNA_OP, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

/* An AES key that may encrypt and wrap. */
static s64 multipurpose_key(struct roles *r)
{
	struct fx_tmpl *tmpl = luna_test_alloc(sizeof(*tmpl));
	u32 handle;
	s64 rv;

	fx_attr_ulong(tmpl, CKA_VALUE_LEN, 16);
	fx_attr_bool(tmpl, CKA_ENCRYPT, true);
	fx_attr_bool(tmpl, CKA_DECRYPT, true);
	fx_attr_bool(tmpl, CKA_WRAP, true);
	rv = fx_generate_key(r->side.open, r->side.session, CKM_AES_KEY_GEN, tmpl, &handle);
	luna_test_free(tmpl);
	return rv;
}

/* A single-purpose key, so that policy 10 is not asked, whose purpose is changed. */
static s64 change_usage(struct roles *r)
{
	struct fx_tmpl *tmpl = luna_test_alloc(sizeof(*tmpl));
	u32 handle;
	s64 rv;

	fx_attr_ulong(tmpl, CKA_VALUE_LEN, 16);
	fx_attr_bool(tmpl, CKA_ENCRYPT, true);
	rv = fx_generate_key(r->side.open, r->side.session, CKM_AES_KEY_GEN, tmpl, &handle);
	tmpl->len = 0;
	fx_attr_bool(tmpl, CKA_ENCRYPT, false);
	if (!rv)
		rv = fx_attr_set(r->side.open, r->side.session, handle, tmpl);
	luna_test_free(tmpl);
	return rv;
}

static const struct gate {
	u32 id;
	s64 (*run)(struct roles *r);
	u32 rv;
} gates[] = {
	{ 9, digest_key, CKR_KEY_INDIGESTIBLE },
	{ 10, multipurpose_key, CKR_TEMPLATE_INCONSISTENT },
	{ 11, change_usage, CKR_ATTRIBUTE_READ_ONLY },
	{ 28, generate_key, CKR_OPERATION_NOT_ALLOWED },
	{ 21, ha_setup, CKR_OPERATION_NOT_ALLOWED },
};

static void roles_gates(struct kunit *test)
{
	struct roles *r = test->priv;
	u32 i, allowed;

	make_images(r, LUNA_TOKEN_PPSO);
	for (i = 0; i < ARRAY_SIZE(gates); i++) {
		allowed = gates[i].run == ha_setup ? CKR_KEY_HANDLE_INVALID : CKR_OK;
		enter_state(r, AS_CO);
		KUNIT_EXPECT_EQ_MSG(test, gates[i].run(r), allowed, "policy %u on", gates[i].id);
		fx_side_set_policy(&r->side, LUNA_SCOPE_PARTITION, gates[i].id, 0);
		KUNIT_EXPECT_EQ_MSG(test, gates[i].run(r), gates[i].rv, "policy %u off", gates[i].id);
		fx_side_close(&r->side);
	}
}

static int roles_init(struct kunit *test)
{
	test->priv = luna_test_alloc(sizeof(struct roles));
	return 0;
}

static void roles_exit(struct kunit *test)
{
	struct roles *r = test->priv;
	u32 i;

	if (!r)
		return;
	fx_side_close(&r->side);
	for (i = 0; i < STATES; i++)
		memstore_free(r->images[i]);
	luna_test_free(r);
	test->priv = NULL;
}

static struct kunit_case role_cases[] = {
	KUNIT_CASE(roles_ppso),
	KUNIT_CASE(roles_legacy),
	KUNIT_CASE(roles_count),
	KUNIT_CASE(roles_lock),
	KUNIT_CASE(roles_set_pin_counts),
	KUNIT_CASE(roles_policy_20),
	KUNIT_CASE(roles_zeroize),
	KUNIT_CASE(roles_init_token),
	KUNIT_CASE(roles_pin_change),
	KUNIT_CASE(roles_policy_15),
	KUNIT_CASE(roles_pin_length),
	KUNIT_CASE(roles_policies),
	KUNIT_CASE(roles_gates),
	{}
};

static struct kunit_suite role_suite = {
	.name = "luna-roles",
	.init = roles_init,
	.exit = roles_exit,
	.test_cases = role_cases,
};

kunit_test_suites(&role_suite);
