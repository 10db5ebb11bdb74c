// SPDX-License-Identifier: MIT
/* What one application may hold, what all may hold together, and that nobody starves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "token.h"

static struct fx fx;
static struct luna_open *open;
static u32 session;

static int setup(void **state __maybe_unused)
{
	fx_open(&fx, NULL, 0);
	return fx_ready(&fx, &open, &session) == CKR_OK ? 0 : -1;
}

static int teardown(void **state __maybe_unused)
{
	luna_release(open);
	assert_int_equal(atomic64_read(&fx.token->held), 0);
	fx_close(&fx);
	return 0;
}

static void test_opens(void **state __maybe_unused)
{
	static struct luna_open *opens[LUNA_OPENS_MAX];
	u32 count = 0;

	for (;;) {
		opens[count] = luna_open(fx.token);
		if (IS_ERR(opens[count]))
			break;
		count++;
	}
	assert_int_equal(count, LUNA_OPENS_MAX - 1);	/* one is the fixture's */
	assert_int_equal(PTR_ERR(opens[count]), -EUSERS);
	luna_release(opens[--count]);
	opens[count] = luna_open(fx.token);
	assert_false(IS_ERR(opens[count]));
	for (u32 i = 0; i <= count; i++)
		luna_release(opens[i]);
}

static void test_reserve(void **state __maybe_unused)
{
	enum { GREEDY = LUNA_TOKEN_BYTES_MAX / LUNA_OPEN_BYTES_MAX + 1 };
	struct luna_open *greedy[GREEDY], *modest = luna_open(fx.token);
	u32 held[GREEDY], left, i, other;

	for (i = 0; i < GREEDY; i++) {
		greedy[i] = luna_open(fx.token);
		left = LUNA_TOKEN_BYTES_MAX - (u32)atomic64_read(&fx.token->held);
		held[i] = min_t(u32, LUNA_OPEN_BYTES_MAX, left);
		assert_true(luna_open_hold(greedy[i], held[i]));
		if (held[i] == LUNA_OPEN_BYTES_MAX)
			assert_false(luna_open_hold(greedy[i], 1));
	}
	/* Nothing is left, except that everybody has the reserve. */
	assert_true(luna_open_hold(modest, LUNA_OPEN_RESERVE));
	assert_false(luna_open_hold(modest, 1));
	luna_open_unhold(modest, LUNA_OPEN_RESERVE);
	assert_int_equal(fx_session(modest, true, &other), CKR_OK);
	assert_int_equal(fx_session_close(modest, other), CKR_OK);
	for (i = 0; i < GREEDY; i++) {
		luna_open_unhold(greedy[i], held[i]);
		luna_release(greedy[i]);
	}
	luna_release(modest);
}

/* A refusal leaves the counts as they were. */
static void test_refused(void **state __maybe_unused)
{
	s64 before = atomic64_read(&open->held);

	assert_false(luna_open_hold(open, LUNA_OPEN_BYTES_MAX + 1));
	assert_int_equal(atomic64_read(&open->held), before);
	assert_int_equal(atomic64_read(&fx.token->held), before);
}

static void test_sessions(void **state __maybe_unused)
{
	u32 count, other;
	s64 before = atomic64_read(&open->held), rv;

	for (count = 0; ; count++) {
		rv = fx_session(open, false, &other);
		if (rv)
			break;
	}
	assert_int_equal(rv, CKR_SESSION_COUNT);
	assert_int_equal(count, LUNA_SESSIONS_MAX - 1);
	assert_int_equal(atomic64_read(&open->held),
			 before + (s64)count * LUNA_SESSION_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_opens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reserve, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sessions, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
