// SPDX-License-Identifier: MIT
/*
 * Compaction of the log: nothing that lives is lost by it, by a crash in its midst, by its failure,
 * or by others who write meanwhile.
 */
#include <sched.h>

#include "log_bench.h"

static void make_garbage(struct bench *b, u32 turns)
{
	u32 i;

	for (i = 1; i <= turns; i++)
		assert_int_equal(bench_put(b, 500, i, 10000), 0);
}

static void test_compact(void **state)
{
	struct bench *b = bench_new();
	u64 used;

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	assert_int_equal(bench_put(b, 2, 0, 100000), 0);
	assert_int_equal(bench_put(b, 700, 0, 10), 0);
	assert_int_equal(luna_log_delete(&b->token, 700), 0);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 5, false, true), 0);
	make_garbage(b, 150);
	assert_int_equal(bench_calls(b, MEMSTORE_REPLACE_COMMIT), 2);	/* one began the log */
	assert_true(b->store->content.len < SZ_1M);
	used = luna_log_used(&b->token);
	assert_int_equal(bench_put(b, 3, 0, 40), 0);
	assert_int_equal(luna_log_used(&b->token), used + luna_rec_size(40 + BENCH_LEAST));
	bench_reload(b);
	assert_int_equal(bench_count(b), 4);
	assert_true(bench_has(b, 1, 0, 100) && bench_has(b, 2, 0, 100000));
	assert_true(bench_has(b, 3, 0, 40) && bench_has(b, 500, 150, 10000));
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CO].failed, 5);
	assert_int_equal(atomic_read(&b->token.next_handle), 700);
	/* The places are right after it, too. */
	make_garbage(b, 150);
	assert_true(bench_calls(b, MEMSTORE_REPLACE_COMMIT) > 2);
	bench_reload(b);
	assert_int_equal(bench_count(b), 4);
	assert_true(bench_has(b, 2, 0, 100000) && bench_has(b, 3, 0, 40));
	assert_true(bench_has(b, 500, 150, 10000));
	bench_free(b);
}

/* A crash during it leaves the old log or the new one, complete either way. */
static void compact_crash(const struct memstore *store, void *arg)
{
	struct bench *after;

	if (!store->replacing)
		return;
	after = bench_on(memstore_image(store, store->synced));
	assert_int_equal(after->ret, 0);
	assert_true(bench_has(after, 1, 0, 100));
	assert_non_null(bench_find(after, 500));
	bench_free(after);
	(*(u32 *)arg)++;
}

static void test_compact_crash(void **state)
{
	struct bench *b = bench_new();
	u32 crashes = 0;

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	assert_int_equal(bench_put(b, 2, 0, 200000), 0);
	b->store->changed = compact_crash;
	b->store->changed_arg = &crashes;
	make_garbage(b, 150);
	assert_true(crashes > 3);
	bench_free(b);
}

/* A compaction that fails is nobody's loss. */
static void test_compact_fails(void **state)
{
	static const enum memstore_call steps[] = {
		MEMSTORE_REPLACE_BEGIN, MEMSTORE_REPLACE_APPEND, MEMSTORE_REPLACE_COMMIT,
	};
	struct bench *b;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		b = bench_new();
		memstore_break(b->store, steps[i], 1, -ENOSPC);
		make_garbage(b, 300);
		/* It is not tried at every write. */
		assert_in_range(bench_calls(b, steps[i]), 1, 8);
		assert_true(b->store->content.len > 2 * SZ_1M);
		memstore_fail(b->store, steps[i], 0, 0, 0);
		bench_reload(b);
		assert_true(bench_has(b, 500, 300, 10000));
		make_garbage(b, 1);
		assert_true(b->store->content.len < SZ_1M);
		bench_reload(b);
		assert_true(bench_has(b, 500, 1, 10000));
		bench_free(b);
	}
}

/* It copies no record that has been damaged since. */
static void test_compact_damage(void **state)
{
	struct bench *b = bench_new();
	size_t at;

	at = b->store->content.len;
	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	b->store->content.data[at + LUNA_REC_HEAD] ^= 1;
	make_garbage(b, 150);
	assert_true(b->store->content.len > SZ_1M);
	bench_free(b);
}

static void *churn(void *arg)
{
	struct bench_writer *w = arg;
	u32 i;

	for (i = 1; i <= 400; i++)
		w->failed += !!bench_put(w->b, 9000 + w->base, i, 4000);
	return NULL;
}

/* Compaction while others write: nothing that was written is lost. */
static void test_compact_among_writers(void **state)
{
	struct bench_writer churners[2];
	struct bench *b = bench_new();
	u32 i, failed;

	for (i = 0; i < 2; i++) {
		churners[i] = (struct bench_writer){ .b = b, .base = i };
		bench_writer_start(&churners[i], churn);
	}
	failed = bench_write(b, bench_write_some);
	for (i = 0; i < 2; i++) {
		pthread_join(churners[i].thread, NULL);
		assert_int_equal(churners[i].failed, 0);
	}
	assert_int_equal(failed, 0);
	assert_true(bench_calls(b, MEMSTORE_REPLACE_COMMIT) > 2);
	bench_reload(b);
	assert_true(bench_has(b, 9000, 400, 4000) && bench_has(b, 9001, 400, 4000));
	for (i = 0; i < 2; i++)
		assert_int_equal(luna_log_delete(&b->token, 9000 + i), 0);
	bench_reload(b);
	bench_expect_written(b);
	bench_free(b);
}

/* A compaction that waits in the middle of its copy until it is let go. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool reached, go;
} hold = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static void hold_here(void)
{
	pthread_mutex_lock(&hold.lock);
	hold.reached = true;
	pthread_cond_broadcast(&hold.changed);
	while (!hold.go)
		pthread_cond_wait(&hold.changed, &hold.lock);
	pthread_mutex_unlock(&hold.lock);
}

static int held_append(void *store, const void *buf, size_t len)
{
	hold_here();
	return memstore_ops.replace_append(store, buf, len);
}

static int held_sync(void *store)
{
	hold_here();
	return memstore_ops.replace_sync(store);
}

static void hold_wait(void)
{
	pthread_mutex_lock(&hold.lock);
	while (!hold.reached)
		pthread_cond_wait(&hold.changed, &hold.lock);
	pthread_mutex_unlock(&hold.lock);
}

static void hold_end(void)
{
	pthread_mutex_lock(&hold.lock);
	hold.go = true;
	pthread_cond_broadcast(&hold.changed);
	pthread_mutex_unlock(&hold.lock);
}

static void *tidy(void *arg)
{
	struct bench_writer *w = arg;

	luna_log_tidy(&w->b->token);
	return NULL;
}

/* Objects 1 to 50, and a compaction of them that is held in a thread of its own. */
static void compact_held(struct bench *b, struct bench_writer *w)
{
	struct luna_log_object obj = { .handle = 500, .private = true, .len = 100000 };
	u8 *data = test_calloc(1, obj.len);
	u32 i;

	for (i = 1; i <= 50; i++)
		assert_int_equal(bench_put(b, i, 0, 3000), 0);
	obj.data = data;
	while (!b->token.log->due)
		assert_int_equal(luna_log_put(&b->token, &obj, 1), 0);
	test_free(data);
	hold.reached = hold.go = false;
	*w = (struct bench_writer){ .b = b };
	bench_writer_start(w, tidy);
	hold_wait();
}

/* What is written while it copies, over what it has copied and what it has not, is there. */
static void compact_beside(int (*append)(void *store, const void *buf, size_t len),
			   int (*sync)(void *store))
{
	struct bench *b = bench_new();
	struct bench_writer w;
	size_t flushes;
	u64 used;
	u32 i;

	b->ops.replace_append = append;
	b->ops.replace_sync = sync;
	compact_held(b, &w);
	flushes = bench_calls(b, MEMSTORE_SYNC);
	for (i = 1; i <= 50; i += 2)
		assert_int_equal(bench_put(b, i, 1, 3000), 0);
	for (i = 2; i <= 50; i += 4)
		assert_int_equal(luna_log_delete(&b->token, i), 0);
	assert_int_equal(bench_put_pair(b, 100, 60), 0);
	assert_int_equal(bench_attempt(b, 4), 0);
	assert_true(bench_calls(b, MEMSTORE_SYNC) >= flushes + 25 + 13 + 2);
	assert_true(luna_log_used(&b->token) > 0);
	assert_int_equal(bench_calls(b, MEMSTORE_REPLACE_COMMIT), 1);
	hold_end();
	pthread_join(w.thread, NULL);
	assert_int_equal(bench_calls(b, MEMSTORE_REPLACE_COMMIT), 2);
	assert_true(b->store->content.len < SZ_1M);
	used = luna_log_used(&b->token);
	assert_int_equal(bench_put(b, 600, 0, 100), 0);
	bench_revive(b);
	assert_int_equal(luna_log_used(&b->token), used + luna_rec_size(100 + BENCH_LEAST));
	assert_int_equal(bench_count(b), 50 - 13 + 2 + 2);
	for (i = 1; i <= 50; i++)
		assert_int_equal(bench_has(b, i, i % 2, 3000), i % 4 != 2);
	assert_true(bench_has(b, 100, 0, 60) && bench_has(b, 101, 0, 60));
	assert_true(bench_has(b, 600, 0, 100));
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CO].failed, 4);
	bench_free(b);
}

static void test_compact_beside(void **state)
{
	compact_beside(held_append, memstore_ops.replace_sync);
	compact_beside(memstore_ops.replace_append, held_sync);
}

static void *restart(void *arg)
{
	struct bench_writer *w = arg;

	w->failed = !!luna_log_restart(&w->b->token, w->b->token.state);
	return NULL;
}

/* A token that is initialised again does not wait for the rest of a copy of what it was. */
static void test_compact_in_vain(void **state)
{
	struct bench *b = bench_new();
	struct bench_writer w, other = { .b = b };

	b->ops.replace_append = held_append;
	compact_held(b, &w);
	bench_writer_start(&other, restart);
	while (!atomic_read(&b->token.log->replacers))
		sched_yield();
	hold_end();
	pthread_join(w.thread, NULL);
	pthread_join(other.thread, NULL);
	assert_int_equal(other.failed, 0);
	assert_int_equal(bench_calls(b, MEMSTORE_REPLACE_COMMIT), 2);	/* the two beginnings */
	luna_objects_drop_all(&b->token);
	assert_int_equal(bench_put(b, 7, 0, 100), 0);
	bench_reload(b);
	assert_int_equal(bench_count(b), 1);
	bench_free(b);
}

/* The tail that it carries over is no torn write: damage to it is told, and left alone. */
static void test_compact_tail_damaged(void **state)
{
	struct bench *b = bench_new();
	struct memstore *image;
	struct bench_writer w;

	b->ops.replace_append = held_append;
	compact_held(b, &w);
	assert_int_equal(bench_put(b, 60, 0, 100), 0);
	hold_end();
	pthread_join(w.thread, NULL);
	image = memstore_image(b->store, b->store->content.len);
	image->content.data[image->content.len - LUNA_REC_HEAD - 60] ^= 1;
	bench_expect_damaged(image, -EBADMSG);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_compact_crash),
		cmocka_unit_test(test_compact_fails),
		cmocka_unit_test(test_compact_damage),
		cmocka_unit_test(test_compact_among_writers),
		cmocka_unit_test(test_compact_beside),
		cmocka_unit_test(test_compact_in_vain),
		cmocka_unit_test(test_compact_tail_damaged),
	};

	return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
