/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "ha_login" share: the primary (slot a), the secondary (slot b), login
 * keys and the steps of an exchange.
 */
#ifndef LUNA_TESTS_HA_LOGIN_H
#define LUNA_TESTS_HA_LOGIN_H

#include "exchange.h"

enum { KEY_BITS = 1024, POLICY_HA = 21 };

extern struct message twc, challenge, answer, request, masked, other;
extern CK_SESSION_HANDLE a;				/* the primary's crypto officer */
extern CK_OBJECT_HANDLE login_pub, login_priv;		/* on the primary */

/* ---- login keys (ha_login_keys.c) ---- */

/*
 * A login key pair; @wrong: index of the private attribute that has the other value than the
 * specification's, or -1.
 */
void login_pair(CK_SESSION_HANDLE session, CK_ULONG bits, int wrong, CK_OBJECT_HANDLE *pub,
		CK_OBJECT_HANDLE *priv);

/*
 * Another login key on the primary, of the same length, with a bigger or a smaller modulus. What
 * one key wraps another takes only if it is less than its modulus, which everybody can see.
 */
void rival_pair(bool bigger, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv);

/*
 * The public half of a key of the primary, created on the secondary; @wrong: as above, of usages.
 */
CK_OBJECT_HANDLE public_copy(CK_SESSION_HANDLE from, CK_OBJECT_HANDLE key,
			     CK_SESSION_HANDLE to, int wrong);

/* ---- set-ups ---- */

/* Both tokens new, the primary's officer logged in, a login key there. */
int fresh(void **state);

/* The secondary new, the primary and its login key as they were. */
int fresh_secondary(void **state);

/* The secondary is set up with the cloned private key, and nobody is logged in there. */
void setup_cloned(void);

/* ---- the steps; the certificate is in twc, what the primary answers M of N with in masked ---- */

CK_RV step1(void);
CK_RV step2(CK_SESSION_HANDLE b, struct message *to);
CK_RV step3(CK_OBJECT_HANDLE key, struct message *from, struct message *to);

/* As clients call it that know of no M of N. */
CK_RV step4(CK_SESSION_HANDLE b, struct message *from);

/* All four. */
CK_RV exchange(CK_SESSION_HANDLE b, CK_OBJECT_HANDLE key);

/* Who is logged in at the secondary. */
void assert_public(CK_SESSION_HANDLE b);
void assert_officer(CK_SESSION_HANDLE b);

/* ---- M of N (ha_login_mofn.c) ---- */

enum { M = 2, N = 3 };

extern CK_BYTE vector_room[N][512];
extern CA_MOFN_ACTIVATION vectors[N];

/* A new secret, of which M of N vectors are needed: @made, whose bytes are in @room. */
void vectors_generate(CK_SESSION_HANDLE session, CK_BYTE room[N][512],
		      CA_MOFN_ACTIVATION made[N]);

/*
 * The secondary is new, requires M of N and shares the primary's secret; it is set up, and nobody
 * is in.
 */
int fresh_mofn(void **state);

/* Up to the login, with the M of N request in @request. */
void login_mofn(CK_SESSION_HANDLE b);

/* The primary's answer to the request. */
CK_RV step5(void);

/* An operation that needs M of N. */
CK_RV sign_init(CK_SESSION_HANDLE b, CK_OBJECT_HANDLE key);

/* ---- the tests of each part ---- */

/* ha_login_keys.c */
void wrong_private_keys(void **state);
void imported_key(void **state);
void wrong_public_keys(void **state);
void wrong_answer_keys(void **state);
void wrong_answers_are_not_counted(void **state);

/* ha_login_rules.c */
void setup_roles(void **state);
void legacy_roles(void **state);
void challenge_roles(void **state);
void answer_roles(void **state);
void login_while_logged_in(void **state);
void policy_off_secondary(void **state);
void policy_off_primary(void **state);

/* ha_login_damage.c */
void wrong_order(void **state);
void replayed_answer(void **state);
void restart_discards(void **state);
void tampered_challenge(void **state);
void tampered_answer(void **state);
void bad_certificates(void **state);
void asked_twice(void **state);
void login_without_buffer(void **state);
void certificate_elsewhere(void **state);

/* ha_login_mofn.c */
void mofn_exchange(void **state);
void mofn_order(void **state);
void mofn_tampered(void **state);
void mofn_wrong_primary(void **state);
void mofn_required_on_primary(void **state);
void mofn_required_without_secret(void **state);

/* ha_login_restart.c */
void setup_survives_restart(void **state);

#endif /* LUNA_TESTS_HA_LOGIN_H */
