// SPDX-License-Identifier: MIT
/*
 * HA indirect login, version 1 (spec/ha-indirect-login-v1.txt): slot a is the primary, slot b the
 * secondary. Here are the exchange as it should be and what a setup outlives.
 */
#include "ha_login.h"

struct message twc, challenge, answer, request, masked, other;
CK_SESSION_HANDLE a;

CK_OBJECT_HANDLE login_pub, login_priv;

/* ---- fixtures and steps ---- */

int fresh(void **state)
{
	(void)state;
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	token_init(slot_a, "primary", DOMAIN);
	token_init(slot_b, "secondary", DOMAIN);
	a = session_co(slot_a);
	login_pair(a, KEY_BITS, -1, &login_pub, &login_priv);
	return 0;
}

void setup_cloned(void)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE made;

	assert_ok(clone(b, a, login_priv, &made));
	assert_ok(ca->CA_HAInit(b, made));
	sessions_close(slot_b);
}

static int fresh_setup(void **state)
{
	fresh(state);
	setup_cloned();
	return 0;
}

int fresh_secondary(void **state)
{
	(void)state;
	sessions_close(slot_a);
	token_init(slot_b, "secondary", DOMAIN);
	a = session_co(slot_a);
	return 0;
}

static int setup_again(void **state)
{
	fresh_secondary(state);
	setup_cloned();
	return 0;
}

/* Keeps the tokens and the setup. */
static int again(void **state)
{
	(void)state;
	sessions_close(slot_a);
	sessions_close(slot_b);
	a = session_co(slot_a);
	return 0;
}

CK_RV step1(void)
{
	twc.len = MESSAGE_ROOM;
	return ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len);
}

CK_RV step2(CK_SESSION_HANDLE b, struct message *to)
{
	to->len = MESSAGE_ROOM;
	return ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, to->data, &to->len);
}

CK_RV step3(CK_OBJECT_HANDLE key, struct message *from, struct message *to)
{
	to->len = MESSAGE_ROOM;
	return ca->CA_HAAnswerLoginChallenge(a, key, from->data, from->len, to->data, &to->len);
}

CK_RV step4(CK_SESSION_HANDLE b, struct message *from)
{
	CK_ULONG none = 0;
	CK_RV rv = ca->CA_HALogin(b, from->data, from->len, NULL, &none);

	if (rv == CKR_OK)
		assert_int_equal(none, 0);
	return rv;
}

CK_RV exchange(CK_SESSION_HANDLE b, CK_OBJECT_HANDLE key)
{
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(key, &challenge, &answer));
	return step4(b, &answer);
}

void assert_public(CK_SESSION_HANDLE b)
{
	assert_int_equal(session_info(b).state, CKS_RW_PUBLIC_SESSION);
}

void assert_officer(CK_SESSION_HANDLE b)
{
	CK_ULONG level = 99;

	assert_int_equal(session_info(b).state, CKS_RW_USER_FUNCTIONS);
	assert_ok(ca->CA_GetSessionInfo(b, NULL, NULL, NULL, &level));
	assert_int_equal(level, 2);
}

/* ---- the exchange ---- */

static void private_key_setup(void **state)
{
	CK_OBJECT_HANDLE pub, priv;
	CK_SESSION_HANDLE b = session_co(slot_b), ro, late;
	CK_BYTE sig[256];
	CK_ULONG len = sizeof(sig);

	(void)state;
	rsa_pair(b, 1024, true, "secondary's own", &pub, &priv);
	sessions_close(slot_b);
	b = session_open(slot_b);
	ro = session_open_ro(slot_b);
	assert_public(b);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	assert_int_equal(session_info(ro).state, CKS_RO_USER_FUNCTIONS);
	late = session_open(slot_b);
	assert_officer(late);
	priv = object_by_label(b, "secondary's own");
	assert_int_not_equal(priv, 0);
	pub = 0;
	{
		CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
		CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class),
					ATTR_STR(CKA_LABEL, "secondary's own") };
		CK_ULONG found = 0;

		assert_ok(p11->C_FindObjectsInit(b, tmpl, 2));
		assert_ok(p11->C_FindObjects(b, &priv, 1, &found));
		assert_int_equal(found, 1);
		assert_ok(p11->C_FindObjectsFinal(b));
		class = CKO_PUBLIC_KEY;
		assert_ok(p11->C_FindObjectsInit(b, tmpl, 2));
		assert_ok(p11->C_FindObjects(b, &pub, 1, &found));
		assert_int_equal(found, 1);
		assert_ok(p11->C_FindObjectsFinal(b));
	}
	sign_text(late, priv, sig, &len);
	verify_text(b, pub, sig, len);
	assert_ok(p11->C_Logout(ro));
	assert_public(b);
	assert_int_equal(object_count(b, NULL, 0), 1);	/* the public key alone */
}

static void exchange_is_repeatable(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_ok(exchange(b, login_priv));
		assert_officer(b);
		assert_ok(p11->C_Logout(b));
		assert_public(b);
	}
}

/* The sample's size of key, and nothing but the public half on the secondary. */
static void public_key_setup(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE pub, priv, made;

	(void)state;
	login_pair(a, 4096, -1, &pub, &priv);
	/* Another domain: this kind of setup does not need a common one. */
	token_init(slot_b, "secondary", "another domain");
	b = session_co(slot_b);
	made = public_copy(a, pub, b, -1);
	assert_ok(ca->CA_HAInit(b, made));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_ok(exchange(b, priv));
	assert_officer(b);
}

/* The handle of the setup may go: the setup has what it needs. */
static void key_gone_after_setup(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE made = public_copy(a, login_pub, b, -1);

	(void)state;
	assert_ok(ca->CA_HAInit(b, made));
	assert_ok(p11->C_DestroyObject(b, made));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

static void last_setup_counts(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE pub2, priv2;

	(void)state;
	rival_pair(false, &pub2, &priv2);
	assert_ok(ca->CA_HAInit(b, public_copy(a, pub2, b, -1)));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_rv(exchange(b, login_priv), CKR_PIN_INCORRECT);
	assert_public(b);
	assert_ok(exchange(b, priv2));
	assert_officer(b);
}

/* ---- what a setup outlives ---- */

static void pin_changed_after_setup(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);

	(void)state;
	assert_ok(p11->C_SetPIN(b, PIN(CO_PIN), PIN("changed-by-co")));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_SO, SO_PIN);
	assert_ok(p11->C_InitPIN(b, PIN("reset-by-so")));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

static void reinitialised_secondary(void **state)
{
	CK_SESSION_HANDLE b;

	(void)state;
	token_init(slot_b, "secondary", DOMAIN);
	b = session_open(slot_b);
	assert_ok(step1());
	assert_rv(step2(b, &challenge), CKR_USER_PIN_NOT_INITIALIZED);
}

/* Its wrapping key is another one, and its login key is gone. */
static void reinitialised_primary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE pub, priv;
	int tries = 0;
	CK_RV rv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	token_init(slot_a, "primary", DOMAIN);
	a = session_co(slot_a);
	do {
		login_pair(a, KEY_BITS, -1, &pub, &priv);
		assert_rv(step3(priv, &challenge, &answer), CKR_DATA_INVALID);
		assert_ok(step1());
		assert_ok(step2(b, &other));
		/* Its modulus may happen to be too small for what the old key wrapped. */
		rv = step3(priv, &other, &answer);
	} while (rv == CKR_DATA_INVALID && tries++ < 20);
	assert_rv(rv, CKR_OK);
	assert_rv(step4(b, &answer), CKR_PIN_INCORRECT);
}

static void locked_officer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	int i;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	for (i = 0; i < 10; i++)
		assert_rv(p11->C_Login(b, CKU_USER, PIN("wrong pin")), CKR_PIN_INCORRECT);
	assert_rv(p11->C_Login(b, CKU_USER, PIN(CO_PIN)), CKR_USER_LOCKED_OUT);
	assert_rv(step4(b, &answer), CKR_USER_LOCKED_OUT);
	assert_rv(step2(b, &other), CKR_USER_LOCKED_OUT);
	assert_public(b);
	session_login(b, CKU_SO, SO_PIN);
	assert_ok(p11->C_InitPIN(b, PIN(CO_PIN)));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

#define TEST(name)		cmocka_unit_test_setup(name, again)
#define TEST_FRESH(name)	cmocka_unit_test_setup(name, fresh)
#define TEST_SECONDARY(name)	cmocka_unit_test_setup(name, fresh_secondary)
#define TEST_SETUP(name)	cmocka_unit_test_setup(name, setup_again)
#define TEST_MOFN(name)		cmocka_unit_test_setup(name, fresh_mofn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(private_key_setup, fresh_setup),
		TEST(exchange_is_repeatable),
		TEST(challenge_roles),
		TEST(answer_roles),
		TEST(login_while_logged_in),
		TEST(wrong_order),
		TEST(replayed_answer),
		TEST(restart_discards),
		TEST(tampered_challenge),
		TEST(tampered_answer),
		TEST(bad_certificates),
		TEST(asked_twice),
		TEST(login_without_buffer),
		TEST(certificate_elsewhere),
		TEST(wrong_answer_keys),
		TEST(wrong_answers_are_not_counted),
		TEST(policy_off_secondary),
		TEST(policy_off_primary),
		TEST_SETUP(pin_changed_after_setup),
		TEST_SETUP(last_setup_counts),
		TEST_SETUP(locked_officer),
		TEST_SETUP(reinitialised_secondary),
		TEST_SETUP(reinitialised_primary),
		TEST_FRESH(public_key_setup),
		TEST_SECONDARY(key_gone_after_setup),
		TEST_SECONDARY(wrong_private_keys),
		TEST_SECONDARY(imported_key),
		TEST_SECONDARY(wrong_public_keys),
		TEST_SECONDARY(setup_roles),
		TEST_SECONDARY(legacy_roles),
		TEST_MOFN(mofn_exchange),
		TEST_MOFN(mofn_order),
		TEST_MOFN(mofn_tampered),
		TEST_MOFN(mofn_wrong_primary),
		cmocka_unit_test(mofn_required_on_primary),
		cmocka_unit_test(mofn_required_without_secret),
		cmocka_unit_test(setup_survives_restart),
	};

	return cmocka_run_group_tests(tests, suite_setup_bare, suite_teardown);
}
