// SPDX-License-Identifier: MIT
/* The bench of the log's tests. */
#include "log_bench.h"

#include <unistd.h>

#include "crypto_openssl.h"
#include "log_sink.h"

void bench_blank(struct bench *b)
{
	memset(&b->token, 0, sizeof(b->token));
	b->token.crypto = &luna_openssl_ops;
	mutex_init(&b->token.auth);
	init_rwsem(&b->token.lock);
	INIT_LIST_HEAD(&b->token.opens);
	assert_int_equal(luna_dir_init(&b->token.objects), 0);
}

void bench_load(struct bench *b)
{
	bench_blank(b);
	b->ret = luna_log_open(&b->token, &b->ops, b->store);
}

void bench_unload(struct bench *b)
{
	luna_log_close(&b->token);
	luna_dir_free(&b->token.objects);
	kfree_sensitive(b->token.state);
}

void bench_kill(struct bench *b)
{
	if (b->token.log)
		b->token.log->failed = true;
	bench_unload(b);
}

void bench_reload(struct bench *b)
{
	bench_unload(b);
	bench_load(b);
	assert_int_equal(b->ret, 0);
}

void bench_revive(struct bench *b)
{
	bench_kill(b);
	bench_load(b);
	assert_int_equal(b->ret, 0);
}

struct bench *bench_on(struct memstore *store)
{
	struct bench *b = test_calloc(1, sizeof(*b));

	b->ops = memstore_ops;
	b->store = store;
	bench_load(b);
	return b;
}

struct bench *bench_new(void)
{
	struct bench *b = bench_on(memstore_new());

	assert_int_equal(b->ret, 0);
	b->token.state->initialised = true;
	b->token.state->init_count = 1;
	assert_int_equal(luna_log_restart(&b->token, b->token.state), 0);
	return b;
}

void bench_free(struct bench *b)
{
	bench_unload(b);
	memstore_free(b->store);
	test_free(b);
}

/* ---- objects ---- */

/* Test data of an object: its handle and turn decide every byte. */
static void fill(u8 *data, u32 handle, u32 turn, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		data[i] = handle * 31 + turn * 7 + i;
}

int bench_put(struct bench *b, u32 handle, u32 turn, u32 len)
{
	struct luna_log_object obj = { .handle = handle, .private = true };
	u8 *data;
	int err;

	obj.len = len + BENCH_LEAST;
	data = test_malloc(obj.len);
	fill(data, handle, turn, obj.len);
	obj.data = data;
	err = luna_log_put(&b->token, &obj, 1);
	luna_log_tidy(&b->token);
	test_free(data);
	return err;
}

int bench_put_pair(struct bench *b, u32 handle, u32 len)
{
	struct luna_log_object objs[2];
	u8 data[2][256];
	u32 i;

	len += BENCH_LEAST;
	for (i = 0; i < 2; i++) {
		fill(data[i], handle + i, 0, len);
		objs[i] = (struct luna_log_object){
			.handle = handle + i, .private = true, .data = data[i], .len = len,
		};
	}
	return luna_log_put(&b->token, objs, 2);
}

int bench_attempt(struct bench *b, u32 failed)
{
	int err = luna_log_attempts(&b->token, LUNA_ROLE_CO, failed, failed > 9, true);

	luna_log_tidy(&b->token);
	return err;
}

struct luna_object *bench_find(struct bench *b, u32 handle)
{
	return luna_table_find(&b->token.objects.table, handle);
}

bool bench_has(struct bench *b, u32 handle, u32 turn, u32 len)
{
	struct luna_object *obj = bench_find(b, handle);
	u8 *data;
	bool same;

	len += BENCH_LEAST;
	if (!obj || obj->sealed_len != len)
		return false;
	data = test_malloc(len + 1);
	fill(data, handle, turn, len);
	same = !memcmp(data, obj->sealed, len);
	test_free(data);
	return same;
}

u32 bench_count(struct bench *b)
{
	return b->token.objects.table.live;
}

u64 bench_calls(const struct bench *b, enum memstore_call call)
{
	return b->store->calls[call];
}

void bench_expect_damaged(struct memstore *store, int err)
{
	struct memstore_bytes before = { .len = store->content.len };
	struct bench *b;

	before.data = test_malloc(before.len + 1);
	memcpy(before.data, store->content.data, before.len);
	b = bench_on(store);
	assert_int_equal(b->ret, err);
	assert_true(b->token.damaged);
	assert_int_equal(bench_count(b), 0);
	assert_int_equal(bench_put(b, 50, 0, 10), -EIO);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	assert_int_equal(luna_state_save(&b->token), CKR_DEVICE_ERROR);
	bench_unload(b);
	assert_int_equal(store->content.len, before.len);
	assert_memory_equal(store->content.data, before.data, before.len);
	test_free(before.data);
	memstore_free(store);
	test_free(b);
}

/* ---- writers in threads ---- */

void bench_writer_start(struct bench_writer *w, void *(*fn)(void *arg))
{
	assert_int_equal(pthread_create(&w->thread, NULL, fn, w), 0);
}

u32 bench_write(struct bench *b, void *(*fn)(void *arg))
{
	struct bench_writer writers[WRITERS];
	u32 i, failed = 0;

	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct bench_writer){ .b = b, .base = 1 + i * 1000 };
		bench_writer_start(&writers[i], fn);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		failed += writers[i].failed;
	}
	return failed;
}

void *bench_write_some(void *arg)
{
	struct bench_writer *w = arg;
	u32 i;

	for (i = 0; i < PUTS; i++) {
		w->failed += !!bench_put(w->b, w->base + i, 0, 20 + i);
		if (i % 3 == 2)
			w->failed += !!luna_log_delete(&w->b->token, w->base + i);
	}
	return NULL;
}

void bench_expect_written(struct bench *b)
{
	u32 w, i;

	for (w = 0; w < WRITERS; w++)
		for (i = 0; i < PUTS; i++)
			assert_int_equal(bench_has(b, 1 + w * 1000 + i, 0, 20 + i), i % 3 != 2);
	assert_int_equal(bench_count(b), WRITERS * PUTS * 2 / 3);
}

int bench_slow_sync(void *store)
{
	usleep(1000);
	return memstore_ops.sync(store);
}

/* ---- groups of tests ---- */

static unsigned int warnings;

int bench_setup(void **state)
{
	port_log_sink(sink_nothing);
	warnings = port_warnings();
	return 0;
}

int bench_teardown(void **state)
{
	return port_warnings() != warnings;
}
