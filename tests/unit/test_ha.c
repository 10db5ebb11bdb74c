// SPDX-License-Identifier: MIT
/*
 * HA login between two tokens and the recovery of M of N that goes with it, as
 * lib/token/PROTOCOLS.md promises: who is let in, that length queries and short buffers change
 * nothing, and that whatever was altered, replayed, sent to another session or out of order is
 * refused with its code and lets nobody in.
 */
#include "token_pair.h"

static struct fx_message other;

/* Fit for HA login if @good. */
static void login_pair(struct fx_side *side, bool good, u32 *pub, u32 *priv)
{
	assert_int_equal(fx_make_login_pair(side, !good, pub, priv), CKR_OK);
}

static s64 ha_init(struct fx_side *side, u32 handle)
{
	return fx_send(side, LUNA_HA_INIT, BLOB(.handle = handle), NULL, NULL);
}

static s64 ha_challenge(void)
{
	assert_int_equal(fx_step(&a, 0, LUNA_HA_MASTER_PUBLIC, &BLOB(), NULL, &twc), CKR_OK);
	return fx_send(&b, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &twc, &part1);
}

static s64 ha_answer(u32 key)
{
	return fx_send(&a, LUNA_HA_ANSWER, BLOB(.handle = key), &part1, &part2);
}

static u32 login_state(struct fx_side *side, u32 session)
{
	struct luna_session_info info = { .hdr.session = session };

	assert_int_equal(fx_call(side->open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL,
				 NULL), CKR_OK);
	return info.state;
}

/* As clients do: no buffer and a length of zero. */
static s64 ha_login(void)
{
	struct luna_blob arg = { 0 };
	u32 len;
	s64 rv = fx_step_query(&b, b.session, LUNA_HA_LOGIN, &arg, &part2, &len);

	if (!rv)
		assert_int_equal(len, 0);
	return rv;
}

/* A login key of the primary, cloned to the secondary. Return: the clone. */
static u32 cloned_login_key(u32 *priv)
{
	u32 pub, clone;

	login_pair(&a, true, &pub, priv);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, *priv, &clone), CKR_OK);
	return clone;
}

/* The private key, cloned to the secondary, and a setup with it; b is left logged out. */
static void ha_setup(u32 *priv)
{
	assert_int_equal(ha_init(&b, cloned_login_key(priv)), CKR_OK);
	fx_side_as(&b, LUNA_ROLE_NONE);
}

static void test_ha_login(void **state __maybe_unused)
{
	u32 priv;

	ha_setup(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(ha_login(), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RW_USER_FUNCTIONS);
	pair_aes_key(&b);
	/* good once */
	assert_int_equal(ha_login(), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_login(), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_login(), CKR_ENCRYPTED_DATA_INVALID);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
}

/* The setup is durable; nothing but the exchange opens the secondary after a restart. */
static void test_ha_restart(void **state __maybe_unused)
{
	u32 priv;

	ha_setup(&priv);
	fx_side_restart(&b);
	assert_int_equal(fx_session(b.open, false, &b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RO_USER_FUNCTIONS);
}

/* The public key alone, re-created on the secondary. */
static void test_ha_public_key(void **state __maybe_unused)
{
	u8 n[256], e[3];
	u32 pub, priv, copy, n_len = sizeof(n), e_len = sizeof(e);
	struct fx_tmpl tmpl = { 0 };

	login_pair(&a, true, &pub, &priv);
	assert_int_equal(fx_attr_get(a.open, a.session, pub, CKA_MODULUS, n, &n_len), CKR_OK);
	assert_int_equal(fx_attr_get(a.open, a.session, pub, CKA_PUBLIC_EXPONENT, e, &e_len),
			 CKR_OK);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_PUBLIC_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_RSA);
	fx_attr(&tmpl, CKA_MODULUS, n, n_len);
	fx_attr(&tmpl, CKA_PUBLIC_EXPONENT, e, e_len);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, false);
	fx_attr_bool(&tmpl, CKA_VERIFY, false);
	fx_attr_bool(&tmpl, CKA_VERIFY_RECOVER, false);
	fx_attr_bool(&tmpl, CKA_WRAP, false);
	fx_attr_bool(&tmpl, CKA_DERIVE, false);
	assert_int_equal(fx_create(b.open, b.session, &tmpl, &copy), CKR_OK);
	assert_int_equal(ha_init(&b, copy), CKR_OK);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(pub), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_wrong_key(void **state __maybe_unused)
{
	u32 priv, pub, wrong, loose, aes = pair_aes_key(&a);

	login_pair(&a, true, &pub, &wrong);
	login_pair(&a, false, &pub, &loose);
	ha_setup(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(aes), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_int_equal(ha_answer(loose), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_int_equal(ha_answer(9999), CKR_KEY_HANDLE_INVALID);
	/* Another key of the same size answers as if nothing were wrong (unless W >= n). */
	other = part2;
	if (ha_answer(wrong) == CKR_OK) {
		assert_int_equal(ha_login(), CKR_PIN_INCORRECT);
		other = part2;
		assert_int_equal(ha_answer(wrong), CKR_OK);
		assert_memory_equal(other.data, part2.data, part2.len);
	}
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_altered(void **state __maybe_unused)
{
	struct fx_taker of_challenge = {
		.side = &a, .nr = LUNA_HA_ANSWER, .stride = 5, .replies = true,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_DATA_INVALID,
	}, of_answer = {
		.side = &b, .nr = LUNA_HA_LOGIN, .stride = 1, .replies = true,
		.refusal = CKR_ENCRYPTED_DATA_INVALID, .refusal2 = CKR_ENCRYPTED_DATA_INVALID,
	};

	ha_setup(&of_challenge.arg.handle);
	assert_int_equal(ha_challenge(), CKR_OK);
	fx_refuses_altered(&of_challenge, &part1);
	assert_int_equal(ha_answer(of_challenge.arg.handle), CKR_OK);
	fx_refuses_altered(&of_answer, &part2);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_states(void **state __maybe_unused)
{
	struct luna_blob arg = { .role = CKU_USER };
	u32 priv, pub, session, len;

	assert_int_equal(ha_challenge(), CKR_USER_ALREADY_LOGGED_IN);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(ha_init(&b, 1), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&b, CKU_SO);
	assert_int_equal(ha_init(&b, 1), CKR_USER_NOT_AUTHORIZED);
	fx_side_as(&b, CKU_USER);
	assert_int_equal(ha_init(&b, 9999), CKR_KEY_HANDLE_INVALID);
	login_pair(&b, false, &pub, &priv);
	assert_int_equal(ha_init(&b, priv), CKR_KEY_INVALID_FOR_HA_LOGIN);
	ha_setup(&priv);

	arg.role = CKU_SO;
	assert_int_equal(fx_send(&b, LUNA_HA_CHALLENGE, arg, &twc, &part1),
			 CKR_USER_PIN_NOT_INITIALIZED);
	arg.role = CKU_AUDIT;
	assert_int_equal(fx_send(&b, LUNA_HA_CHALLENGE, arg, &twc, &part1), CKR_USER_TYPE_INVALID);
	assert_int_equal(ha_login(), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_challenge(), CKR_OK);
	/* a query does not replace the challenge that waits */
	arg = BLOB(.role = CKU_USER);
	assert_int_equal(fx_step_query(&b, b.session, LUNA_HA_CHALLENGE, &arg, &twc, &len), CKR_OK);
	assert_int_equal(len, part1.len);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(fx_session(b.open, true, &session), CKR_OK);
	assert_int_equal(fx_step(&b, session, LUNA_HA_LOGIN, &BLOB(), &part2, &other),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_policy(void **state __maybe_unused)
{
	u32 priv;

	ha_setup(&priv);
	fx_side_as(&b, CKU_USER);
	fx_side_set_policy(&b, LUNA_SCOPE_PARTITION, 21, 0);
	assert_int_equal(ha_init(&b, 1), CKR_OPERATION_NOT_ALLOWED);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_OPERATION_NOT_ALLOWED);
	fx_side_as(&b, CKU_USER);
	fx_side_set_policy(&b, LUNA_SCOPE_PARTITION, 21, 1);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_OK);
	fx_side_set_policy(&a, LUNA_SCOPE_PARTITION, 21, 0);
	assert_int_equal(ha_answer(priv), CKR_OPERATION_NOT_ALLOWED);
}

/* Legacy: the CU may run the setup, too; the last one wins and comes back. */
static void test_ha_legacy(void **state __maybe_unused)
{
	struct luna_session_info info = { 0 };
	u32 priv, clone;

	fx_side_init(&b, LUNA_TOKEN_LEGACY, FX_DOMAIN, 0);
	clone = cloned_login_key(&priv);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(&b, CKU_LIMITED_USER);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
	info.hdr.session = b.session;
	assert_int_equal(
		fx_call(b.open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL),
		CKR_OK);
	assert_int_equal(info.role, CKU_LIMITED_USER);
}

/* Whom no PIN would let in, no exchange does: the lock of the user is the crypto user's, too. */
static void test_ha_locked(void **state __maybe_unused)
{
	u32 priv, clone, i;

	fx_side_init(&b, LUNA_TOKEN_LEGACY, FX_DOMAIN, 0);
	clone = cloned_login_key(&priv);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(&b, CKU_LIMITED_USER);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	for (i = 0; i < 10; i++)
		assert_int_equal(fx_login(b.open, b.session, CKU_USER, "no such pin"),
				 CKR_PIN_INCORRECT);
	assert_int_equal(fx_login(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN),
			 CKR_USER_LOCKED_OUT);
	assert_int_equal(ha_login(), CKR_USER_LOCKED_OUT);
	assert_int_equal(ha_challenge(), CKR_USER_LOCKED_OUT);
}

/* A device that is set to be lax looks at the usage flags alone. */
static void test_ha_lax(void **state __maybe_unused)
{
	u32 priv, pub;

	login_pair(&a, false, &pub, &priv);
	assert_int_equal(ha_init(&a, priv), CKR_KEY_INVALID_FOR_HA_LOGIN);
	a.fx.config.flags |= LUNA_CONFIG_LAX_HA_KEYS;
	fx_side_restart(&a);
	fx_side_as(&a, CKU_USER);
	assert_int_equal(ha_init(&a, priv), CKR_OK);
}

/* ---- with M of N ---- */

/* A secondary that requires M of N, whose secret both have, and login keys. */
static void mofn_ready(u32 *priv)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW];

	fx_side_init(&b, LUNA_TOKEN_PPSO, FX_DOMAIN, LUNA_INIT_MOFN);
	assert_int_equal(fx_mofn_flags(&b), CAF_M_OF_N_REQUIRED);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(pair_clone_mofn(), CKR_OK);
	ha_setup(priv);
}

/* The whole recovery of a secondary that requires M of N. */
static void test_ha_mofn(void **state __maybe_unused)
{
	static struct fx_message request, answer;
	static const struct fx_taker of_request = {
		.side = &a, .nr = LUNA_HA_MOFN_ANSWER, .stride = 3, .replies = true,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_DATA_INVALID,
	}, of_answer = {
		.side = &b, .nr = LUNA_HA_MOFN_ACTIVATE, .stride = 1,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	};
	struct luna_blob arg = { 0 };
	u32 priv, key, clone, len;

	mofn_ready(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);

	/* with M of N to do, no buffer is a length query, and a short one is short: nobody is
	 * logged in */
	assert_int_equal(fx_step_query(&b, b.session, LUNA_HA_LOGIN, &arg, &part2, &len), CKR_OK);
	assert_true(len > 0);
	assert_int_equal(fx_step_short(&b, b.session, LUNA_HA_LOGIN, &arg, &part2),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(login_state(&b, b.session), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(fx_send(&b, LUNA_HA_MOFN_ACTIVATE, BLOB(), &answer, NULL),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(fx_send(&b, LUNA_HA_LOGIN, BLOB(), &part2, &request), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RW_USER_FUNCTIONS);

	fx_refuses_altered(&of_request, &request);
	assert_int_equal(fx_send(&a, LUNA_HA_MOFN_ANSWER, BLOB(), &request, &answer), CKR_OK);
	fx_refuses_altered(&of_answer, &answer);
	assert_int_equal(fx_mofn_flags(&b) & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(fx_send(&b, LUNA_HA_MOFN_ACTIVATE, BLOB(), &answer, NULL), CKR_OK);
	assert_int_equal(fx_mofn_flags(&b) & CAF_M_OF_N_ACTIVATED, CAF_M_OF_N_ACTIVATED);
	key = pair_aes_key(&b);
	assert_int_equal(fx_clone(b.open, b.session, a.open, a.session, key, &clone), CKR_OK);
	assert_int_equal(fx_send(&b, LUNA_HA_MOFN_ACTIVATE, BLOB(), &answer, NULL),
			 CKR_OPERATION_NOT_INITIALIZED);
}

/* ---- failures of the surroundings ---- */

static s64 recover(u32 priv)
{
	static struct fx_message request, answer;
	struct luna_blob none = { 0 };
	s64 rv = fx_send(&b, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &twc, &part1);

	if (!rv)
		rv = ha_answer(priv);
	if (!rv)
		rv = fx_send(&b, LUNA_HA_LOGIN, none, &part2, &request);
	if (!rv)
		rv = fx_send(&a, LUNA_HA_MOFN_ANSWER, none, &request, &answer);
	if (!rv)
		rv = fx_send(&b, LUNA_HA_MOFN_ACTIVATE, none, &answer, NULL);
	return rv;
}

/* Out of memory at every allocation of a recovery: it says so, and the next try succeeds. */
static void test_ha_nomem(void **state __maybe_unused)
{
	bool again = true;
	u32 priv;
	s64 rv;

	mofn_ready(&priv);
	assert_int_equal(fx_step(&a, 0, LUNA_HA_MASTER_PUBLIC, &BLOB(), NULL, &twc), CKR_OK);
	for (u64 nth = 1; again; nth++) {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		rv = recover(priv);
		again = port_alloc_calls() >= nth;
		port_alloc_unwatch();
		assert_true(rv == CKR_OK || rv == CKR_DEVICE_MEMORY || rv == -ENOMEM);
		assert_int_equal(fx_mofn_flags(&b) & CAF_M_OF_N_ACTIVATED,
				 rv ? 0 : CAF_M_OF_N_ACTIVATED);
		if (login_state(&b, b.session) == CKS_RW_USER_FUNCTIONS)
			fx_side_as(&b, LUNA_ROLE_NONE);
		if (rv)
			continue;
		fx_side_as(&b, CKU_USER);
		assert_int_equal(fx_mofn_deactivate(&b), CKR_OK);
		fx_side_as(&b, LUNA_ROLE_NONE);
	}
	assert_int_equal(rv, CKR_OK);
}

/* A setup that the store does not take is none. */
static void test_ha_failures(void **state __maybe_unused)
{
	u32 pub, priv;

	login_pair(&a, true, &pub, &priv);
	memstore_fail(a.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(ha_init(&a, priv), CKR_OK);
	fx_side_as(&a, LUNA_ROLE_NONE);
	assert_int_equal(fx_step(&a, 0, LUNA_HA_MASTER_PUBLIC, &BLOB(), NULL, &twc), CKR_OK);
	assert_int_equal(fx_send(&a, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &twc, &part1),
			 CKR_USER_PIN_NOT_INITIALIZED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_ha_login),
		PAIR_TEST(test_ha_restart),
		PAIR_TEST(test_ha_public_key),
		PAIR_TEST(test_ha_wrong_key),
		PAIR_TEST(test_ha_altered),
		PAIR_TEST(test_ha_states),
		PAIR_TEST(test_ha_policy),
		PAIR_TEST(test_ha_legacy),
		PAIR_TEST(test_ha_locked),
		PAIR_TEST(test_ha_lax),
		PAIR_TEST(test_ha_mofn),
		PAIR_TEST(test_ha_nomem),
		PAIR_TEST(test_ha_failures),
	};

	return cmocka_run_group_tests(tests, NULL, pair_end);
}
