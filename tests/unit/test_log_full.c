// SPDX-License-Identifier: MIT
/*
 * The log on a full disk: what does not fit leaves nothing, and the reserve takes what must not be
 * refused.
 */
#include "log_bench.h"
#include "log_sink.h"

static void test_full(void **state)
{
	struct bench *b = bench_new();
	size_t len, torn;

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	len = b->store->content.len;
	for (torn = 0; torn <= 150; torn += 50) {
		memstore_fail(b->store, MEMSTORE_APPEND, 1, -ENOSPC, torn);
		assert_int_equal(bench_put_pair(b, 2, 100), -ENOSPC);
		assert_int_equal(b->store->content.len, len);
	}
	memstore_fail(b->store, MEMSTORE_APPEND, 1, -EDQUOT, 3);
	assert_int_equal(luna_state_save(&b->token), CKR_DEVICE_MEMORY);
	assert_int_equal(bench_put(b, 4, 0, 100), 0);
	bench_reload(b);
	assert_int_equal(bench_count(b), 2);
	assert_true(bench_has(b, 1, 0, 100) && bench_has(b, 4, 0, 100));
	bench_free(b);
}

static u32 said;

static void count_said(enum port_log_level level, const char *fmt, va_list args)
{
	said += level == PORT_LOG_WARN;
}

/* From here on the place has no more room than it gives already. */
static void fill_place(struct bench *b)
{
	b->store->room = max(b->store->kept, b->store->content.len);
}

/* Only what must not be refused is not, and that is there after a kill. */
static void test_reserve(void **state)
{
	struct bench *b = bench_new();
	u32 i, made = 0;

	assert_true(b->store->kept >= b->store->content.len + LUNA_LOG_RESERVE);
	said = 0;
	port_log_sink(count_said);
	fill_place(b);
	while (!bench_put(b, 1 + made, 0, 1000))
		assert_in_range(++made, 1, 1000);
	while (!bench_put(b, 1 + made, 0, 10))
		made++;
	assert_true(made > 0);
	for (i = 1; i < 8; i++)
		assert_int_equal(bench_attempt(b, i), 0);
	assert_int_equal(bench_put(b, 2000, 0, 1000), -ENOSPC);
	assert_int_equal(bench_put(b, 1, 1, 1000), -ENOSPC);
	assert_int_equal(bench_put_pair(b, 2000, 100), -ENOSPC);
	assert_int_equal(luna_state_save(&b->token), CKR_DEVICE_MEMORY);
	assert_int_equal(luna_log_clear(&b->token, b->token.state), -ENOSPC);
	assert_int_equal(luna_log_delete(&b->token, 1), 0);
	assert_int_equal(bench_calls(b, MEMSTORE_TRUNCATE), 0);	/* nothing was half written */
	assert_int_equal(said, 1);
	bench_revive(b);
	assert_int_equal(bench_count(b), made - 1);
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CO].failed, 7);
	/* It opens on a full disk, and the reserve is where it was. */
	assert_int_equal(bench_attempt(b, 10), 0);
	assert_int_equal(bench_put(b, 2000, 0, 1000), -ENOSPC);
	said = 0;
	b->store->room = 0;
	assert_int_equal(bench_put(b, 2000, 0, 1000), 0);
	assert_int_equal(said, 1);
	port_log_sink(sink_nothing);
	assert_true(b->store->kept >= b->store->content.len + LUNA_LOG_RESERVE);
	bench_reload(b);
	assert_int_equal(bench_count(b), made);
	assert_true(b->token.state->roles[LUNA_ROLE_CO].locked);
	bench_free(b);
}

/* What makes no more than the reserve goes on for good: it is written anew in its own room. */
static void test_reserve_lasts(void **state)
{
	struct bench *b = bench_new();
	u32 i, before;

	assert_int_equal(bench_put(b, 1, 0, 100000), 0);
	fill_place(b);
	before = bench_calls(b, MEMSTORE_REPLACE_COMMIT);
	for (i = 0; i < 3 * LUNA_LOG_RESERVE / luna_rec_size(LUNA_ATTEMPTS_LEN); i++)
		assert_int_equal(bench_attempt(b, i % 9), 0);
	assert_true(bench_calls(b, MEMSTORE_REPLACE_COMMIT) > before);
	/* So is the token that is initialised again, or zeroized. */
	while (!bench_put(b, 2, i++, 1000))
		;
	assert_int_equal(luna_log_restart(&b->token, b->token.state), 0);
	assert_int_equal(bench_put(b, 3, 0, 100), 0);
	luna_objects_drop_all(&b->token);
	bench_reload(b);
	assert_int_equal(bench_count(b), 1);
	bench_free(b);
}

/* A log too large for that has as many attempts as the reserve, and is told so then. */
static void test_reserve_ends(void **state)
{
	const u32 size = luna_rec_size(LUNA_ATTEMPTS_LEN);
	struct bench *b = bench_new();
	u32 i;

	assert_int_equal(bench_put(b, 1, 0, 900000), 0);
	fill_place(b);
	for (i = 0; !bench_attempt(b, i % 9); i++)
		assert_true(i < 3 * LUNA_LOG_RESERVE / size);
	assert_true(i >= LUNA_LOG_RESERVE / size);
	assert_int_equal(bench_attempt(b, 1), -ENOSPC);
	assert_int_equal(luna_log_delete(&b->token, 1), -ENOSPC);
	b->store->room += SZ_1M;
	assert_int_equal(luna_log_delete(&b->token, 1), 0);
	assert_true(b->store->kept >= b->store->content.len + LUNA_LOG_RESERVE);
	bench_free(b);
}

/* Who destroys objects on a full disk can make others then. */
static void test_reserve_squeeze(void **state)
{
	struct bench *b = bench_new();
	u32 i, turn, made = 0;

	b->store->room = SZ_1M;
	while (!bench_put(b, 1 + made, 0, 20000))
		made++;
	assert_true(made > 20);
	for (turn = 1; turn < 4; turn++) {
		for (i = 1; i <= made - 5; i++)
			assert_int_equal(luna_log_delete(&b->token, i), 0);
		for (i = 1; i <= made - 5; i++)
			assert_int_equal(bench_put(b, i, turn, 20000), 0);
		bench_reload(b);
		assert_int_equal(bench_count(b), made);
	}
	/* One that must not be: more lives than fits twice, and nothing says that it is lost. */
	assert_int_equal(bench_put(b, 5000, 0, 900000), -ENOSPC);
	assert_int_equal(bench_attempt(b, 3), 0);
	bench_free(b);
}

static int no_reserve(void *store, u64 end)
{
	return -EOPNOTSUPP;
}

/* A place that keeps nothing is used to its last byte, and its token says so once. */
static void test_reserve_unknown(void **state)
{
	struct bench *b = bench_new();
	u32 made = 0;

	bench_unload(b);
	b->ops.reserve = no_reserve;
	said = 0;
	port_log_sink(count_said);
	bench_load(b);
	assert_int_equal(b->ret, 0);
	b->store->kept = 0;
	b->store->room = b->store->content.len + 5000;
	while (!bench_put(b, 1 + made, 0, 1000))
		made++;
	assert_int_equal(made, 4);
	assert_int_equal(bench_attempt(b, 1), 0);
	assert_int_equal(said, 1);
	port_log_sink(sink_nothing);
	bench_reload(b);
	assert_int_equal(bench_count(b), made);
	bench_free(b);
}

/* Both kinds at once, some refused, sharing their flushes: all that was told is there. */
static void *write_mixed(void *arg)
{
	struct bench_writer *w = arg;
	u32 i;

	for (i = 0; i < PUTS; i++) {
		if (w->base / 1000 % 2)
			w->failed += !!bench_put(w->b, w->base + i, 0, 3000);
		else if (bench_attempt(w->b, i % 9))
			fail();
	}
	return NULL;
}

static void test_reserve_among_writers(void **state)
{
	struct bench *b = bench_new();
	u32 refused;

	b->ops.sync = bench_slow_sync;
	b->store->room = b->store->content.len + LUNA_LOG_RESERVE + 300000;
	refused = bench_write(b, write_mixed);
	assert_true(refused > 0 && refused < WRITERS * PUTS / 2);
	bench_revive(b);
	assert_int_equal(bench_count(b), WRITERS * PUTS / 2 - refused);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_reserve_lasts),
		cmocka_unit_test(test_reserve_ends),
		cmocka_unit_test(test_reserve_squeeze),
		cmocka_unit_test(test_reserve_unknown),
		cmocka_unit_test(test_reserve_among_writers),
	};

	return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
