/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the suite "cloning" share: two tokens, objects to clone, and messages of the
 * four steps.
 */
#ifndef LUNA_TESTS_CLONING_H
#define LUNA_TESTS_CLONING_H

#include "exchange.h"

extern struct message twc, part1, part2, other, saved;
extern CK_SESSION_HANDLE a, b;		/* crypto officers of slots a and b, before every test */

/* Both log in anew, after all sessions were closed. */
void officers(void);

/* Set-up of a test: both tokens initialised. */
int fresh(void **state);

/* A token object for the cloning test's application. */
CK_OBJECT_HANDLE data_object(CK_SESSION_HANDLE session, const char *label, const void *value,
			     CK_ULONG len, bool private);

/* A key pair for signatures alone, with an id, that nobody may change. */
void plain_pair(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv);

/* Every attribute that any of our objects has; what a cannot tell of it, b cannot, too. */
void assert_same(CK_OBJECT_HANDLE source, CK_OBJECT_HANDLE target);

/* ---- the tests of each part ---- */

/* cloning_steps.c */
void steps_asked_twice(void **state);
void steps_fixed_buffers(void **state);
void steps_short_buffers(void **state);
void queries_change_nothing(void **state);
void query_starts_nothing(void **state);
void last_part1_counts(void **state);
void wrong_order(void **state);
void wrong_session(void **state);
void logout_ends_exchange(void **state);
void replayed_part2(void **state);
void part1_for_another(void **state);
void crossed_exchanges(void **state);
void parallel_exchanges(void **state);
void parallel_clone_object(void **state);
void step3_may_be_repeated(void **state);

/* cloning_damage.c */
void tampered_twc(void **state);
void tampered_part1(void **state);
void tampered_part2(void **state);
void wrong_lengths(void **state);
void arguments(void **state);
void element_types(void **state);
void object_handles(void **state);

/* cloning_rules.c */
void replicate_differs(void **state);
void hsm_replication_off(void **state);
void other_domain(void **state);
void no_domain(void **state);
void not_logged_in(void **state);
void crypto_user(void **state);
void partition_so(void **state);
void legacy_tokens(void **state);
void policy_private_off(void **state);
void policy_secret_off(void **state);
void hsm_cloning_off(void **state);
void target_policies(void **state);

#endif /* LUNA_TESTS_CLONING_H */
