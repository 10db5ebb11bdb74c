/* SPDX-License-Identifier: MIT */
/*
 * Two tokens that clone and help each other, and the messages between them: a is the source and the
 * primary, b the target and the secondary. What returns s64 returns CKR_*.
 */
#ifndef LUNA_TEST_TOKEN_PAIR_H
#define LUNA_TEST_TOKEN_PAIR_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "side.h"

extern struct fx_side a, b;
extern struct fx_message twc, part1, part2;

/* Around every test: two fresh tokens of one domain, with the CO logged in */
int pair_setup(void **state);
int pair_teardown(void **state);
#define PAIR_TEST(name)	cmocka_unit_test_setup_teardown(name, pair_setup, pair_teardown)
/* pair_end() - after a group of tests */
int pair_end(void **state);

/* pair_aes_key() - fit for cloning */
u32 pair_aes_key(struct fx_side *side);

/* pair_source_init() - a gives its certificate: twc */
s64 pair_source_init(void);
/* pair_target_init() - b takes twc and gives part1 */
s64 pair_target_init(void);
/* pair_clone_mofn() - b gets the M of N secret of a */
s64 pair_clone_mofn(void);

#endif /* LUNA_TEST_TOKEN_PAIR_H */
