// SPDX-License-Identifier: MIT
/* Many writers of one log at once: one flush serves many, and what one was told is there. */
#include "log_bench.h"

static void test_group_commit(void **state)
{
	struct bench *b = bench_new();
	u64 syncs, writes = WRITERS * PUTS * 4 / 3;

	b->ops.sync = bench_slow_sync;
	syncs = bench_calls(b, MEMSTORE_SYNC);
	assert_int_equal(bench_write(b, bench_write_some), 0);
	assert_int_equal(b->store->synced, b->store->content.len);
	syncs = bench_calls(b, MEMSTORE_SYNC) - syncs;
	assert_true(syncs < writes / 2);
	bench_reload(b);
	bench_expect_written(b);
	bench_free(b);
}

/* Appends that fail half-way now and then, beside flushes: what was acknowledged is there. */
static int flaky_append(void *store, const void *buf, size_t len)
{
	static atomic_t turn;

	if (atomic_inc_return(&turn) % 17)
		return memstore_ops.append(store, buf, len);
	memstore_ops.append(store, buf, len / 2);
	return -ENOSPC;
}

static void *write_flaky(void *arg)
{
	struct bench_writer *w = arg;
	u32 i;

	for (i = 0; i < PUTS; i++)
		while (bench_put(w->b, w->base + i, 0, 20 + i))
			w->failed++;
	return NULL;
}

static void test_full_among_writers(void **state)
{
	struct bench *b = bench_new();
	u32 i, j;

	b->ops.sync = bench_slow_sync;
	b->ops.append = flaky_append;
	assert_true(bench_write(b, write_flaky) > 0);
	b->ops = memstore_ops;
	bench_reload(b);
	for (i = 0; i < WRITERS; i++)
		for (j = 0; j < PUTS; j++)
			assert_true(bench_has(b, 1 + i * 1000 + j, 0, 20 + j));
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_commit),
		cmocka_unit_test(test_full_among_writers),
	};

	return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
