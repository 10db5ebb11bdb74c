// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The state machine of HA login (lib/token/PROTOCOLS.md): challenge, answer, login and logout in every
 * order against a model of it; then setups, keys, roles, policies and M of N.
 */
#include <kunit/test.h>

#include "side.h"
#include "token.h"

/**
 * struct ha - two tokens; the secondary is set up with a clone of the primary's login key
 * @pub, @priv: the login pair on the primary, @clone: the private key on the secondary
 * @kept: an answer to an earlier challenge
 */
struct ha {
	struct fx_side primary, secondary;
	u32 pub, priv, clone;
	struct fx_message twc, challenge, answer, kept, request, secret;
	u8 rows[FX_VECTORS * FX_VECTOR_ROW];
};

static int ha_init(struct kunit *test)
{
	const struct luna_crypto_ops *ops = fakerng_quick_ops(luna_test_crypto(), 1);
	struct ha *h = luna_test_alloc(sizeof(*h));

	test->priv = h;
	fx_side_open(&h->primary, ops, 0);
	fx_side_open(&h->secondary, ops, 1);
	return 0;
}

static void ha_exit(struct kunit *test)
{
	struct ha *h = test->priv;

	if (!h)
		return;
	fx_side_close(&h->primary);
	fx_side_close(&h->secondary);
	luna_test_free(h);
	test->priv = NULL;
}

static s64 setup(struct ha *h, u32 handle)
{
	return fx_send(&h->secondary, LUNA_HA_INIT, BLOB(.handle = handle), NULL, NULL);
}

static s64 challenge(struct ha *h)
{
	return fx_send(&h->secondary, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &h->twc,
		       &h->challenge);
}

static s64 answer(struct ha *h, u32 key)
{
	return fx_send(&h->primary, LUNA_HA_ANSWER, BLOB(.handle = key), &h->challenge, &h->answer);
}

/* As clients do: no buffer for the M of N blob. */
static s64 login(struct ha *h)
{
	struct luna_blob arg = { 0 };
	u32 len;
	s64 rv = fx_step_query(&h->secondary, h->secondary.session, LUNA_HA_LOGIN, &arg, &h->answer,
			       &len);

	fx_check(rv || !len);
	return rv;
}

/* The login key, cloned, and the setup of the CO with it; leaves the secondary logged out. */
static void make_setup(struct kunit *test)
{
	struct ha *h = test->priv;

	KUNIT_ASSERT_EQ(test, fx_make_login_pair(&h->primary, false, &h->pub, &h->priv), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_clone(h->primary.open, h->primary.session, h->secondary.open,
				       h->secondary.session, h->priv, &h->clone), CKR_OK);
	KUNIT_ASSERT_EQ(test, setup(h, h->clone), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&h->primary, LUNA_HA_MASTER_PUBLIC, BLOB(), NULL, &h->twc),
			CKR_OK);
	fx_side_as(&h->secondary, LUNA_ROLE_NONE);
}

/* ---- every order ---- */

enum move { CHALLENGE, ANSWER, LOGIN, PIN, LOGOUT, MOVES };

/* Numbers instead of messages; 0: none. */
struct model {
	bool logged_in;
	u32 made;		/* challenges made */
	u32 waiting;		/* the challenge that waits for its answer */
	u32 challenge, answer;	/* the messages under way: which challenge it is, or answers */
};

static u32 model_move(struct model *m, enum move move)
{
	switch (move) {
	case CHALLENGE:
		if (m->logged_in)
			return CKR_USER_ALREADY_LOGGED_IN;
		m->waiting = ++m->made;
		m->challenge = m->made;
		return CKR_OK;
	case ANSWER:
		if (!m->challenge)
			return CKR_DATA_INVALID;
		m->answer = m->challenge;
		return CKR_OK;
	case LOGIN:
		if (!m->waiting)
			return CKR_OPERATION_NOT_INITIALIZED;
		if (m->logged_in)
			return CKR_USER_ALREADY_LOGGED_IN;
		if (m->answer != m->waiting)
			return CKR_ENCRYPTED_DATA_INVALID;
		m->waiting = 0;
		m->logged_in = true;
		return CKR_OK;
	case PIN:
		if (m->logged_in)
			return CKR_USER_ALREADY_LOGGED_IN;
		m->logged_in = true;
		return CKR_OK;
	default:
		if (!m->logged_in)
			return CKR_USER_NOT_LOGGED_IN;
		m->logged_in = false;
		m->waiting = 0;
		return CKR_OK;
	}
}

static s64 real_move(struct ha *h, enum move move)
{
	struct fx_side *s = &h->secondary;

	switch (move) {
	case CHALLENGE:
		return challenge(h);
	case ANSWER:
		return answer(h, h->priv);
	case LOGIN:
		return login(h);
	case PIN:
		return fx_login(s->open, s->session, CKU_USER, FX_CO_PIN);
	default:
		return fx_logout(s->open, s->session);
	}
}

static bool model_same(const struct model *m, const struct ha *h)
{
	return m->logged_in == (luna_open_role(h->secondary.open) == LUNA_ROLE_CO);
}

/* @sequence: of moves, as digits. Return: logins by an answer. */
static u32 run_order(struct kunit *test, u32 sequence, u32 moves)
{
	struct ha *h = test->priv;
	struct fx_fingerprint primary, secondary;
	struct model model = { 0 };
	u32 i, logins = 0;
	enum move move;
	s64 rv;

	fx_side_attach(&h->secondary);
	h->challenge.len = 0;
	h->answer.len = 0;
	for (i = 0; i < moves; i++, sequence /= MOVES) {
		move = sequence % MOVES;
		fx_print(&h->primary, &primary);
		fx_print(&h->secondary, &secondary);
		rv = real_move(h, move);
		KUNIT_EXPECT_EQ_MSG(test, rv, model_move(&model, move), "move %u is %u", i, move);
		KUNIT_EXPECT_TRUE(test, model_same(&model, h));
		KUNIT_EXPECT_TRUE(test, fx_same(&h->primary, &primary));
		if (rv || move == CHALLENGE || move == ANSWER)
			KUNIT_EXPECT_TRUE(test, fx_same(&h->secondary, &secondary));
		logins += !rv && move == LOGIN;
	}
	return logins;
}

static void ha_every_order(struct kunit *test)
{
	u32 moves = luna_test_stride() == 1 ? 4 : 3, count = 1, i, logins = 0;

	make_setup(test);
	for (i = 0; i < moves; i++)
		count *= MOVES;
	for (i = 0; i < count; i++)
		logins += run_order(test, i, moves);
	kunit_info(test, "%u orders, %u logins by an answer\n", count, logins);
	KUNIT_EXPECT_GT(test, logins, 0);
}

/* ---- replays and other sessions ---- */

static void ha_replay(struct kunit *test)
{
	struct ha *h = test->priv;
	u32 session;

	make_setup(test);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	h->kept = h->answer;
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OPERATION_NOT_INITIALIZED);
	fx_side_as(&h->secondary, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_ENCRYPTED_DATA_INVALID);	/* to the old challenge */
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_session(h->secondary.open, true, &session), CKR_OK);
	swap(session, h->secondary.session);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OPERATION_NOT_INITIALIZED);
	swap(session, h->secondary.session);
	KUNIT_EXPECT_EQ(test, luna_open_role(h->secondary.open), -1);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
}

/* A length query makes no challenge, and the one that waits goes on. */
static void ha_queries(struct kunit *test)
{
	struct ha *h = test->priv;
	struct luna_blob arg = { .role = CKU_USER }, key = { 0 };
	u32 len;

	make_setup(test);
	key.handle = h->priv;
	KUNIT_EXPECT_EQ(test, fx_step_query(&h->secondary, h->secondary.session, LUNA_HA_CHALLENGE,
					    &arg, &h->twc, &len), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, len, h->challenge.len);
	KUNIT_EXPECT_EQ(test, fx_step_short(&h->secondary, h->secondary.session, LUNA_HA_CHALLENGE,
					    &arg, &h->twc), CKR_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, fx_step_short(&h->primary, h->primary.session, LUNA_HA_ANSWER, &key,
					    &h->challenge), CKR_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
}

/* The setup outlives a restart; a new C_InitToken ends it. */
static void ha_durable(struct kunit *test)
{
	struct ha *h = test->priv;

	make_setup(test);
	fx_side_restart(&h->secondary);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
	fx_side_init(&h->secondary, LUNA_TOKEN_PPSO, FX_DOMAIN, 0);
	fx_side_as(&h->secondary, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_USER_PIN_NOT_INITIALIZED);
}

/* ---- keys ---- */

/* The public key, created anew on the secondary. */
static u32 make_public_copy(struct kunit *test)
{
	static const u32 off[] = { CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP,
				   CKA_DERIVE };
	struct ha *h = test->priv;
	struct fx_tmpl *tmpl = kunit_kzalloc(test, sizeof(*tmpl), GFP_KERNEL);
	u8 *n = kunit_kzalloc(test, 256, GFP_KERNEL);
	u32 copy, len = 256, i;

	KUNIT_ASSERT_NOT_NULL(test, tmpl);
	KUNIT_ASSERT_NOT_NULL(test, n);
	KUNIT_ASSERT_EQ(test, fx_attr_get(h->primary.open, h->primary.session, h->pub, CKA_MODULUS, n,
					  &len), CKR_OK);
	fx_attr_ulong(tmpl, CKA_CLASS, CKO_PUBLIC_KEY);
	fx_attr_ulong(tmpl, CKA_KEY_TYPE, CKK_RSA);
	fx_attr(tmpl, CKA_MODULUS, n, len);
	fx_attr(tmpl, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
	for (i = 0; i < ARRAY_SIZE(off); i++)
		fx_attr_bool(tmpl, off[i], false);
	KUNIT_ASSERT_EQ(test, fx_create(h->secondary.open, h->secondary.session, tmpl, &copy),
			CKR_OK);
	return copy;
}

static void ha_public_key(struct kunit *test)
{
	struct ha *h = test->priv;
	u32 copy;

	KUNIT_ASSERT_EQ(test, fx_make_login_pair(&h->primary, false, &h->pub, &h->priv), CKR_OK);
	copy = make_public_copy(test);
	KUNIT_ASSERT_EQ(test, setup(h, copy), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&h->primary, LUNA_HA_MASTER_PUBLIC, BLOB(), NULL, &h->twc),
			CKR_OK);
	fx_side_as(&h->secondary, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	/* who has the public key alone is no primary */
	KUNIT_EXPECT_EQ(test, answer(h, h->pub), CKR_KEY_INVALID_FOR_HA_LOGIN);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
}

static void ha_wrong_keys(struct kunit *test)
{
	struct ha *h = test->priv;
	struct fx_fingerprint before;
	u32 aes, pub, wrong, loose;

	make_setup(test);
	KUNIT_ASSERT_EQ(test, fx_make_aes(&h->primary, &aes), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_make_login_pair(&h->primary, false, &pub, &wrong), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_make_login_pair(&h->primary, true, &pub, &loose), CKR_OK);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	fx_print(&h->secondary, &before);
	KUNIT_EXPECT_EQ(test, answer(h, aes), CKR_KEY_INVALID_FOR_HA_LOGIN);
	KUNIT_EXPECT_EQ(test, answer(h, loose), CKR_KEY_INVALID_FOR_HA_LOGIN);
	KUNIT_EXPECT_EQ(test, answer(h, 9999), CKR_KEY_HANDLE_INVALID);
	/* Another login key answers, unless W is no number below its modulus, which anybody sees. */
	if (answer(h, wrong) == CKR_OK)
		KUNIT_EXPECT_EQ(test, login(h), CKR_PIN_INCORRECT);
	KUNIT_EXPECT_TRUE(test, fx_same(&h->secondary, &before));	/* no attempt counted */
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
}

/* ---- roles and policies ---- */

static void ha_setup_roles(struct kunit *test)
{
	struct ha *h = test->priv;
	struct fx_side *s = &h->secondary;
	u32 pub, loose;

	make_setup(test);
	KUNIT_EXPECT_EQ(test, setup(h, h->clone), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(s, CKU_SO);
	KUNIT_EXPECT_EQ(test, setup(h, h->clone), CKR_USER_NOT_AUTHORIZED);
	fx_side_as(s, CKU_USER);
	KUNIT_EXPECT_EQ(test, setup(h, 9999), CKR_KEY_HANDLE_INVALID);
	KUNIT_ASSERT_EQ(test, fx_make_login_pair(s, true, &pub, &loose), CKR_OK);
	KUNIT_EXPECT_EQ(test, setup(h, loose), CKR_KEY_INVALID_FOR_HA_LOGIN);
	KUNIT_ASSERT_EQ(test, fx_init_pin(s->open, s->session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(s, CKU_LIMITED_USER);	/* PPSO: the CO only */
	KUNIT_EXPECT_EQ(test, setup(h, h->clone), CKR_USER_NOT_AUTHORIZED);
}

static void ha_challenge_roles(struct kunit *test)
{
	struct ha *h = test->priv;
	struct fx_side *s = &h->secondary;

	make_setup(test);
	KUNIT_EXPECT_EQ(test, fx_send(s, LUNA_HA_CHALLENGE, BLOB(.role = CKU_SO), &h->twc,
				      &h->challenge), CKR_USER_PIN_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, fx_send(s, LUNA_HA_CHALLENGE, BLOB(.role = CKU_AUDIT), &h->twc,
				      &h->challenge), CKR_USER_TYPE_INVALID);
	fx_side_as(&h->primary, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&h->primary, CKU_SO);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_USER_NOT_AUTHORIZED);
	fx_side_as(&h->primary, CKU_USER);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, luna_open_role(s->open), LUNA_ROLE_CO);
}

/* Legacy: CO or CU; the last setup wins, and its role is the one restored. */
static void ha_legacy_roles(struct kunit *test)
{
	struct ha *h = test->priv;
	struct fx_side *s = &h->secondary;

	fx_side_init(s, LUNA_TOKEN_LEGACY, FX_DOMAIN, 0);
	make_setup(test);
	fx_side_as(s, CKU_USER);
	KUNIT_ASSERT_EQ(test, fx_init_pin(s->open, s->session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(s, CKU_LIMITED_USER);
	KUNIT_EXPECT_EQ(test, setup(h, h->clone), CKR_OK);
	fx_side_as(s, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, luna_open_role(s->open), LUNA_ROLE_CU);
	fx_side_as(s, CKU_USER);
	KUNIT_EXPECT_EQ(test, setup(h, h->clone), CKR_OK);
	fx_side_as(s, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, luna_open_role(s->open), LUNA_ROLE_CO);
}

/* Whom no PIN lets in, no exchange does, even one that was under way. */
static void ha_locked_role(struct kunit *test)
{
	struct ha *h = test->priv;
	struct fx_side *s = &h->secondary;
	u32 i;

	make_setup(test);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, fx_login(s->open, s->session, CKU_USER, "no such pin"),
				CKR_PIN_INCORRECT);
	KUNIT_EXPECT_EQ(test, login(h), CKR_USER_LOCKED_OUT);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_USER_LOCKED_OUT);
	KUNIT_EXPECT_EQ(test, luna_open_role(s->open), -1);
}

static void ha_policy_21(struct kunit *test)
{
	struct ha *h = test->priv;
	struct fx_side *s = &h->secondary;

	make_setup(test);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	fx_side_set_policy(&h->primary, LUNA_SCOPE_PARTITION, 21, 0);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OPERATION_NOT_ALLOWED);
	fx_side_set_policy(s, LUNA_SCOPE_PARTITION, 21, 0);
	KUNIT_EXPECT_EQ(test, setup(h, h->clone), CKR_OPERATION_NOT_ALLOWED);
	fx_side_as(s, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OPERATION_NOT_ALLOWED);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OPERATION_NOT_ALLOWED);
	/* step 1 is free, and the policy can be had back */
	KUNIT_EXPECT_EQ(test, fx_send(&h->primary, LUNA_HA_MASTER_PUBLIC, BLOB(), NULL, &h->twc),
			CKR_OK);
	fx_side_set_policy(s, LUNA_SCOPE_PARTITION, 21, 1);
	fx_side_set_policy(&h->primary, LUNA_SCOPE_PARTITION, 21, 1);
	fx_side_as(s, LUNA_ROLE_NONE);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, login(h), CKR_OK);
}

/* ---- with M of N ---- */

/* Both tokens have the secret; the secondary requires it. */
static void make_mofn_setup(struct kunit *test)
{
	struct ha *h = test->priv;
	u32 type = CK_MOFN_ACTIVATION_ELEMENT;

	fx_side_init(&h->secondary, LUNA_TOKEN_PPSO, FX_DOMAIN, LUNA_INIT_MOFN);
	KUNIT_ASSERT_EQ(test, fx_mofn_generate(&h->primary, 2, 3, LUNA_MOFN_CLONEABLE, FX_VECTOR,
					       h->rows), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&h->primary, LUNA_CLONE_SOURCE_INIT, BLOB(), NULL, &h->twc),
			CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&h->secondary, LUNA_CLONE_TARGET_INIT, BLOB(), &h->twc,
				      &h->request), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&h->primary, LUNA_CLONE_SOURCE, BLOB(.type = type),
				      &h->request, &h->secret), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_send(&h->secondary, LUNA_CLONE_TARGET, BLOB(.type = type),
				      &h->secret, NULL), CKR_OK);
	make_setup(test);
}

static s64 mofn_answer(struct ha *h)
{
	return fx_send(&h->primary, LUNA_HA_MOFN_ANSWER, BLOB(), &h->request, &h->secret);
}

/* Leaves the request for the secret that the secondary lacks. */
static s64 mofn_login(struct ha *h)
{
	return fx_send(&h->secondary, LUNA_HA_LOGIN, BLOB(), &h->answer, &h->request);
}

static s64 mofn_activate(struct ha *h)
{
	return fx_send(&h->secondary, LUNA_HA_MOFN_ACTIVATE, BLOB(), &h->secret, NULL);
}

/* A key of the secondary on its way out: logged in, but without the secret none may. */
static s64 clone_back(struct ha *h)
{
	u32 clone;

	return fx_clone(h->secondary.open, h->secondary.session, h->primary.open, h->primary.session,
			h->clone, &clone);
}

static void ha_mofn(struct kunit *test)
{
	struct ha *h = test->priv;
	struct luna_blob arg = { 0 };
	u32 len;

	make_mofn_setup(test);
	KUNIT_EXPECT_EQ(test, fx_mofn_flags(&h->secondary) & CAF_M_OF_N_ACTIVATED, 0);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_EXPECT_EQ(test, mofn_activate(h), CKR_OPERATION_NOT_INITIALIZED);
	/* now a query is one: nobody is logged in by it, nor by a buffer that is too short */
	KUNIT_EXPECT_EQ(test, fx_step_query(&h->secondary, h->secondary.session, LUNA_HA_LOGIN, &arg,
					    &h->answer, &len), CKR_OK);
	KUNIT_EXPECT_GT(test, len, 0);
	KUNIT_EXPECT_EQ(test, fx_step_short(&h->secondary, h->secondary.session, LUNA_HA_LOGIN, &arg,
					    &h->answer), CKR_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, luna_open_role(h->secondary.open), -1);
	KUNIT_ASSERT_EQ(test, mofn_login(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, h->request.len, len);
	/* the exchange waits for the secret now, not for an answer */
	KUNIT_EXPECT_EQ(test, login(h), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, clone_back(h), CKR_OPERATION_NOT_ALLOWED);
	KUNIT_EXPECT_EQ(test, mofn_answer(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, mofn_activate(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, fx_mofn_flags(&h->secondary) & CAF_M_OF_N_ACTIVATED,
			CAF_M_OF_N_ACTIVATED);
	KUNIT_EXPECT_EQ(test, mofn_activate(h), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, clone_back(h), CKR_OK);
}

/* The second half belongs to the login of the first. */
static void ha_mofn_other_login(struct kunit *test)
{
	struct ha *h = test->priv;

	make_mofn_setup(test);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_ASSERT_EQ(test, mofn_login(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, mofn_answer(h), CKR_OK);
	fx_side_as(&h->secondary, CKU_USER);
	KUNIT_EXPECT_EQ(test, mofn_activate(h), CKR_OPERATION_NOT_INITIALIZED);
	KUNIT_EXPECT_EQ(test, fx_mofn_flags(&h->secondary) & CAF_M_OF_N_ACTIVATED, 0);
}

/* A primary that has another secret by now, or none, or another domain. */
static void ha_mofn_other_secret(struct kunit *test)
{
	struct ha *h = test->priv;

	make_mofn_setup(test);
	KUNIT_EXPECT_EQ(test, challenge(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, answer(h, h->priv), CKR_OK);
	KUNIT_ASSERT_EQ(test, mofn_login(h), CKR_OK);
	KUNIT_ASSERT_EQ(test, fx_mofn_generate(&h->primary, 2, 3, 0, FX_VECTOR, h->rows), CKR_OK);
	KUNIT_EXPECT_EQ(test, mofn_answer(h), CKR_DATA_INVALID);
	fx_side_init(&h->primary, LUNA_TOKEN_PPSO, FX_DOMAIN, 0);
	KUNIT_EXPECT_NE(test, mofn_answer(h), CKR_OK);
	KUNIT_EXPECT_EQ(test, fx_mofn_flags(&h->secondary) & CAF_M_OF_N_ACTIVATED, 0);
}

static struct kunit_case ha_cases[] = {
	KUNIT_CASE(ha_every_order),
	KUNIT_CASE(ha_replay),
	KUNIT_CASE(ha_queries),
	KUNIT_CASE(ha_durable),
	KUNIT_CASE(ha_public_key),
	KUNIT_CASE(ha_wrong_keys),
	KUNIT_CASE(ha_setup_roles),
	KUNIT_CASE(ha_challenge_roles),
	KUNIT_CASE(ha_legacy_roles),
	KUNIT_CASE(ha_locked_role),
	KUNIT_CASE(ha_policy_21),
	KUNIT_CASE(ha_mofn),
	KUNIT_CASE(ha_mofn_other_login),
	KUNIT_CASE(ha_mofn_other_secret),
	{}
};

static struct kunit_suite ha_suite = {
	.name = "luna-ha",
	.init = ha_init,
	.exit = ha_exit,
	.test_cases = ha_cases,
};

kunit_test_suites(&ha_suite);
