// SPDX-License-Identifier: MIT
/*
 * The log over a store that fails, and without memory: an error, and nothing durable is lost.
 */
#include "log_bench.h"

/* After a flush that failed nobody knows what the store holds, until it is read again. */
static void test_flush_fails(void **state)
{
	struct bench *b = bench_new();

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	memstore_fail(b->store, MEMSTORE_SYNC, 1, -EIO, 0);
	assert_int_equal(bench_put(b, 2, 0, 100), -EIO);
	assert_int_equal(bench_put(b, 3, 0, 100), -EIO);
	assert_int_equal(luna_log_delete(&b->token, 1), -EIO);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 1, false, false), -EIO);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	bench_reload(b);
	assert_true(bench_has(b, 1, 0, 100));
	assert_null(bench_find(b, 3));
	assert_int_equal(bench_put(b, 4, 0, 100), 0);
	bench_free(b);
}

static void test_cut_fails(void **state)
{
	struct bench *b = bench_new();

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	memstore_fail(b->store, MEMSTORE_APPEND, 1, -ENOSPC, 30);
	memstore_fail(b->store, MEMSTORE_TRUNCATE, 1, -EIO, 0);
	assert_int_equal(bench_put(b, 2, 0, 100), -ENOSPC);
	assert_int_equal(bench_put(b, 3, 0, 100), -EIO);
	bench_reload(b);
	assert_int_equal(bench_count(b), 1);
	assert_int_equal(bench_put(b, 4, 0, 100), 0);
	bench_free(b);
}

static void test_restart_fails(void **state)
{
	static const enum memstore_call steps[] = {
		MEMSTORE_REPLACE_BEGIN, MEMSTORE_REPLACE_APPEND, MEMSTORE_REPLACE_COMMIT,
	};
	static const int passing[] = { -ENOSPC, -ENOMEM };
	struct bench *b = bench_new();
	u32 i, k;

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		for (k = 0; k < ARRAY_SIZE(passing); k++) {
			memstore_break(b->store, steps[i], 1, passing[k]);
			assert_int_equal(luna_log_restart(&b->token, b->token.state), passing[k]);
			memstore_fail(b->store, steps[i], 0, 0, 0);
			assert_int_equal(bench_put(b, 2 + i, 0, 100), 0);
		}
	memstore_fail(b->store, MEMSTORE_REPLACE_APPEND, 1, -EIO, 0);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	assert_int_equal(bench_put(b, 10, 0, 100), 0);
	memstore_fail(b->store, MEMSTORE_REPLACE_COMMIT, 1, -EIO, 0);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	assert_int_equal(bench_put(b, 11, 0, 100), -EIO);
	bench_reload(b);
	assert_int_equal(bench_count(b), 5);
	bench_free(b);
}

/* Each allocation fails once: an error and no change, or no harm at all. */
static void test_no_memory(void **state)
{
	struct bench *b = bench_new();
	u64 nth;
	int err;

	for (nth = 1; ; nth++) {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		err = bench_put(b, nth, 0, 0);
		port_alloc_unwatch();
		if (!err && port_alloc_calls() < nth)
			break;
		if (!err && !bench_find(b, nth))
			assert_int_equal(luna_log_delete(&b->token, nth), 0);
		assert_true(!err || err == -ENOMEM);
	}
	for (nth = 1; ; nth++) {
		bench_unload(b);
		bench_blank(b);
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		b->ret = luna_log_open(&b->token, &b->ops, b->store);
		port_alloc_unwatch();
		assert_true(!b->ret || b->ret == -ENOMEM);
		assert_int_equal(!b->token.log, !!b->ret);
		assert_false(b->token.damaged);
		if (!b->ret && port_alloc_calls() < nth)
			break;
	}
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flush_fails),
		cmocka_unit_test(test_cut_fails),
		cmocka_unit_test(test_restart_fails),
		cmocka_unit_test(test_no_memory),
	};

	return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
