/* SPDX-License-Identifier: MIT */
/* What the parts of the suite "roles" share: a new token, and what it says of its roles. */
#ifndef LUNA_TESTS_ROLES_H
#define LUNA_TESTS_ROLES_H

#include "exchange.h"

/* Set-up of a test: the first token is new. */
int fresh(void **state);

CA_ROLE_STATE role(CK_USER_TYPE user);

/* C_GetTokenInfo's */
CK_FLAGS token_flags(void);

/* C_Login with a PIN that is refused as such */
void wrong_pin(CK_SESSION_HANDLE session, CK_USER_TYPE user, int times);

/* A generic secret that was not made on the token */
CK_OBJECT_HANDLE hmac_key(CK_SESSION_HANDLE session);

/* ---- the tests of each part ---- */

/* roles_lock.c */
void officer_lock(void **state);
void user_lock(void **state);
void policy_lowered(void **state);
void no_reset_by_so(void **state);
void so_lock(void **state);

/* roles_capabilities.c */
void policy_sets(void **state);
void element_descriptions(void **state);

/* roles_policies.c */
void set_policies(void **state);
void cloning_or_wrapping(void **state);
void destructive_changes(void **state);
void policy_10_11(void **state);
void policy_17_18_33(void **state);
void policy_28(void **state);

/* roles_facts.c */
void token_facts(void **state);
void session_facts(void **state);
void object_uids(void **state);
void destroy_many(void **state);
void operation_state(void **state);

/* roles_unsupported.c */
void unsupported_functions(void **state);

#endif /* LUNA_TESTS_ROLES_H */
