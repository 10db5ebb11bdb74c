// SPDX-License-Identifier: MIT
/*
 * The log over a store in memory: what was written comes back; what a crash leaves at any byte
 * loads without loss of what was durable; damage is told from torn writes; one flush serves many; a
 * full or failing store; compaction.
 *
 * Objects are private ones, whose data the log and the directory take as it is.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "crypto_openssl.h"
#include "log.h"
#include "log_file.h"
#include "memstore.h"
#include "object.h"

/* A token reduced to what the log fills. */
struct bench {
	struct luna_token token;
	struct luna_store_ops ops;
	struct memstore *store;
	int ret;	/* of luna_log_open() */
};

static void bench_load(struct bench *b)
{
	memset(&b->token, 0, sizeof(b->token));
	b->token.crypto = &luna_openssl_ops;
	mutex_init(&b->token.auth);
	init_rwsem(&b->token.lock);
	INIT_LIST_HEAD(&b->token.opens);
	assert_int_equal(luna_dir_init(&b->token.objects), 0);
	b->ret = luna_log_open(&b->token, &b->ops, b->store);
}

static void bench_unload(struct bench *b)
{
	luna_log_close(&b->token);
	luna_dir_free(&b->token.objects);
	kfree_sensitive(b->token.state);
}

/* As luna_log_close() without its mark: what kill -9 leaves. */
static void bench_kill(struct bench *b)
{
	if (b->token.log)
		b->token.log->failed = true;
	bench_unload(b);
}

static struct bench *bench_on(struct memstore *store)
{
	struct bench *b = test_calloc(1, sizeof(*b));

	b->ops = memstore_ops;
	b->store = store;
	bench_load(b);
	return b;
}

static void bench_free(struct bench *b)
{
	bench_unload(b);
	memstore_free(b->store);
	test_free(b);
}

static void bench_reload(struct bench *b)
{
	bench_unload(b);
	bench_load(b);
	assert_int_equal(b->ret, 0);
}

/* A token that was initialised, so that its log has begun. */
static struct bench *bench_new(void)
{
	struct bench *b = bench_on(memstore_new());

	assert_int_equal(b->ret, 0);
	b->token.state->initialised = true;
	b->token.state->init_count = 1;
	assert_int_equal(luna_log_restart(&b->token, b->token.state), 0);
	return b;
}

/* No sealed object is shorter than what sealing adds. */
enum { LEAST = 40 };

/* Test data of an object: its handle and turn decide every byte. */
static void fill(u8 *data, u32 handle, u32 turn, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		data[i] = handle * 31 + turn * 7 + i;
}

static int put(struct bench *b, u32 handle, u32 turn, u32 len)
{
	struct luna_log_object obj = { .handle = handle, .private = true, .len = len + LEAST };
	u8 *data = test_malloc(obj.len);
	int err;

	obj.data = data;
	len = obj.len;
	fill(data, handle, turn, len);
	err = luna_log_put(&b->token, &obj, 1);
	luna_log_tidy(&b->token);
	test_free(data);
	return err;
}

static int put_pair(struct bench *b, u32 handle, u32 len)
{
	struct luna_log_object objs[2];
	u8 data[2][256];
	u32 i;

	len += LEAST;
	for (i = 0; i < 2; i++) {
		fill(data[i], handle + i, 0, len);
		objs[i] = (struct luna_log_object){
			.handle = handle + i, .private = true, .data = data[i], .len = len,
		};
	}
	return luna_log_put(&b->token, objs, 2);
}

static struct luna_object *find(struct bench *b, u32 handle)
{
	return luna_table_find(&b->token.objects.table, handle);
}

static bool has(struct bench *b, u32 handle, u32 turn, u32 len)
{
	struct luna_object *obj = find(b, handle);
	u8 *data;
	bool same;

	len += LEAST;
	if (!obj || obj->sealed_len != len)
		return false;
	data = test_malloc(len + 1);
	fill(data, handle, turn, len);
	same = !memcmp(data, obj->sealed, len);
	test_free(data);
	return same;
}

static u32 count(struct bench *b)
{
	return b->token.objects.table.live;
}

static u64 calls(const struct bench *b, enum memstore_call call)
{
	return b->store->calls[call];
}

static void test_empty(void **state)
{
	struct bench *b = bench_on(memstore_new());
	u32 i;

	assert_int_equal(b->ret, 0);
	assert_false(b->token.damaged);
	assert_false(b->token.state->initialised);
	assert_int_not_equal(b->token.state->serial[0], '0');
	for (i = 0; i < LUNA_SERIAL_LEN; i++)
		assert_true(b->token.state->serial[i] == ' ' ? i >= 13 :
			    b->token.state->serial[i] >= '0' && b->token.state->serial[i] <= '9');
	assert_int_equal(b->store->content.len, 0);
	assert_int_equal(luna_log_used(&b->token), 0);
	assert_int_equal(put(b, 1, 0, 10), -EIO);	/* not initialised */
	bench_free(b);
}

/* Every field of the state comes back. */
static void test_state(void **state)
{
	struct bench *b = bench_on(memstore_new());
	struct luna_state *copy = test_malloc(sizeof(*copy));
	struct luna_state *s = b->token.state;
	u32 i;

	s->initialised = true;
	s->type = LUNA_TOKEN_LEGACY;
	s->init_count = 0x123456789abcULL;
	memset(s->label, 'L', sizeof(s->label));
	for (i = 0; i < LUNA_ROLES; i++) {
		s->roles[i] = (struct luna_role){
			.set = i != 1, .locked = i == 1, .pin_change = i == 2, .failed = 3 + i,
			.iterations = 1000 + i,
		};
		memset(s->roles[i].salt, 0x10 + i, sizeof(s->roles[i].salt));
		memset(s->roles[i].wrapped, 0x20 + i, sizeof(s->roles[i].wrapped));
	}
	for (i = 0; i < LUNA_POLICY_IDS; i++) {
		s->policies[i] = 100 + i;
		s->hsm_policies[i] = 200 + i;
	}
	s->ha.set = true;
	s->ha.role = LUNA_ROLE_CU;
	s->ha.w_len = sizeof(s->ha.w);
	memset(s->ha.w, 0x30, sizeof(s->ha.w));
	memset(s->ha.sealed, 0x31, sizeof(s->ha.sealed));
	s->mofn = (struct luna_mofn_param){ true, true, true, 7, 3, 5, 0xdeadbeef };
	s->twc_len = sizeof(s->twc);
	memset(s->twc, 0x40, sizeof(s->twc));
	s->secrets_len = sizeof(s->secrets);
	memset(s->secrets, 0x41, sizeof(s->secrets));
	memcpy(copy, s, sizeof(*copy));
	assert_int_equal(luna_state_save(&b->token), CKR_OK);	/* begins the log, too */
	bench_reload(b);
	assert_memory_equal(b->token.state->serial, copy->serial, LUNA_SERIAL_LEN);
	assert_memory_equal(b->token.state->roles, copy->roles, sizeof(copy->roles));
	assert_memory_equal(b->token.state, copy, sizeof(*copy));
	test_free(copy);
	bench_free(b);
}

static void test_objects(void **state)
{
	struct bench *b = bench_new();

	assert_int_equal(put(b, 1, 0, 100), 0);
	assert_int_equal(put(b, 2, 0, 0), 0);
	assert_int_equal(put(b, 3, 0, 200000), 0);	/* larger than the reader's window */
	assert_int_equal(put_pair(b, 4, 77), 0);
	assert_int_equal(put(b, 1, 1, 101), 0);		/* changed */
	assert_int_equal(luna_log_delete(&b->token, 5), 0);
	assert_int_equal(luna_log_delete(&b->token, 90), 0);	/* not there: no harm */
	bench_reload(b);
	assert_int_equal(count(b), 4);
	assert_true(has(b, 1, 1, 101));
	assert_true(has(b, 2, 0, 0));
	assert_true(has(b, 3, 0, 200000));
	assert_true(has(b, 4, 0, 77));
	assert_int_equal(atomic_read(&b->token.next_handle), 90);
	assert_int_equal(luna_log_clear(&b->token, b->token.state), 0);
	assert_int_equal(put(b, 91, 0, 5), 0);
	bench_reload(b);
	assert_int_equal(count(b), 1);
	assert_true(has(b, 91, 0, 5));
	assert_int_equal(put(b, 92, 0, LUNA_REC_MAX), -ENOMEM);
	bench_free(b);
}

/* Handles come from a counter, but two writers may overtake each other. */
static void test_order(void **state)
{
	static const u32 order[] = { 7, 3, 9, 1, 8, 2, 6, 4, 5 };
	struct bench *b = bench_new();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(put(b, order[i], 0, order[i]), 0);
	assert_int_equal(luna_log_delete(&b->token, 6), 0);
	bench_reload(b);
	assert_int_equal(count(b), 8);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(has(b, order[i], 0, order[i]), order[i] != 6);
	bench_free(b);
}

static void test_restart(void **state)
{
	struct bench *b = bench_new();
	u64 used;

	assert_int_equal(put(b, 40, 0, 1000), 0);
	used = luna_log_used(&b->token);
	b->token.state->init_count = 2;
	assert_int_equal(luna_log_restart(&b->token, b->token.state), 0);
	assert_int_equal(luna_log_used(&b->token), used - luna_rec_size(1000 + LEAST));
	assert_int_equal(luna_log_used(&b->token), b->store->content.len);
	bench_reload(b);
	assert_int_equal(count(b), 0);
	assert_int_equal(b->token.state->init_count, 2);
	assert_int_equal(atomic_read(&b->token.next_handle), 40);
	bench_free(b);
}

static void test_attempts(void **state)
{
	struct bench *b = bench_new();

	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 3, false, true), 0);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CU, 10, true, true), 0);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 4, false, true), 0);
	bench_reload(b);
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CO].failed, 4);
	assert_false(b->token.state->roles[LUNA_ROLE_CO].locked);
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CU].failed, 10);
	assert_true(b->token.state->roles[LUNA_ROLE_CU].locked);
	/* A whole state says it all. */
	b->token.state->roles[LUNA_ROLE_CO].failed = 0;
	assert_int_equal(luna_state_save(&b->token), CKR_OK);
	bench_reload(b);
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CO].failed, 0);
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CU].failed, 10);
	bench_free(b);
}

static void test_one_flush(void **state)
{
	struct bench *b = bench_new();
	u64 appends = calls(b, MEMSTORE_APPEND), syncs = calls(b, MEMSTORE_SYNC);

	assert_int_equal(put_pair(b, 1, 50), 0);
	assert_int_equal(calls(b, MEMSTORE_APPEND), appends + 1);
	assert_int_equal(calls(b, MEMSTORE_SYNC), syncs + 1);
	assert_int_equal(b->store->synced, b->store->content.len);
	assert_int_equal(luna_log_delete(&b->token, 1), 0);
	assert_int_equal(calls(b, MEMSTORE_SYNC), syncs + 2);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 0, false, false), 0);
	assert_int_equal(calls(b, MEMSTORE_SYNC), syncs + 2);
	bench_free(b);
}

/* ---- Crashes ---- */

/* A crash at any byte of a pair's record leaves both or none, and everything before. */
static void test_torn(void **state)
{
	struct bench *b = bench_new();
	struct bench *after;
	size_t len, whole;

	assert_int_equal(put(b, 1, 0, 300), 0);
	len = b->store->content.len;
	assert_int_equal(put_pair(b, 2, 50), 0);
	whole = b->store->content.len;
	for (; len <= whole; len++) {
		after = bench_on(memstore_image(b->store, len));
		assert_int_equal(after->ret, 0);
		assert_true(has(after, 1, 0, 300));
		assert_int_equal(count(after), len == whole ? 3 : 1);
		assert_int_equal(after->store->synced, after->store->content.len);
		/* It goes on as if nothing had been. */
		assert_int_equal(put(after, 9, 0, 20), 0);
		bench_reload(after);
		assert_true(has(after, 9, 0, 20));
		bench_free(after);
	}
	bench_free(b);
}

/* The objects end with the new state, or neither. */
static void test_torn_clear(void **state)
{
	struct bench *b = bench_new(), *after;
	size_t len, whole;

	assert_int_equal(put(b, 1, 0, 300), 0);
	len = b->store->content.len;
	b->token.state->policies[18] ^= 1;
	assert_int_equal(luna_log_clear(&b->token, b->token.state), 0);
	whole = b->store->content.len;
	for (; len <= whole; len++) {
		after = bench_on(memstore_image(b->store, len));
		assert_int_equal(after->ret, 0);
		assert_int_equal(count(after), len < whole);
		assert_int_equal(after->token.state->policies[18] == b->token.state->policies[18],
				 len == whole);
		bench_free(after);
	}
	bench_free(b);
}

/* The medium may also have kept a later part of an unflushed end, but not an earlier one. */
static void test_torn_out_of_order(void **state)
{
	struct bench *b = bench_new();
	struct bench *after;
	size_t hole, end;

	assert_int_equal(put(b, 1, 0, 300), 0);
	hole = b->store->content.len;
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 1, false, false), 0);
	end = b->store->content.len;
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 2, false, false), 0);
	after = bench_on(memstore_image(b->store, b->store->content.len));
	bench_kill(after);
	memset(after->store->content.data + hole, 0, end - hole);
	bench_load(after);
	assert_int_equal(after->ret, 0);
	assert_true(has(after, 1, 0, 300));
	assert_int_equal(after->token.state->roles[LUNA_ROLE_CO].failed, 0);
	assert_int_equal(after->store->content.len, hole);
	bench_free(after);
	bench_free(b);
}

/* A client's data that looks like a record proves nothing: the salt is not known to it. */
static void test_forged(void **state)
{
	struct bench *b = bench_new(), *donor = bench_new();
	struct luna_log_object obj = { .handle = 2, .private = true };
	size_t before;

	assert_int_equal(put(donor, 1, 0, 300), 0);
	assert_int_equal(put(donor, 2, 0, 300), 0);
	obj.data = donor->store->content.data + LUNA_LOG_HEAD;
	obj.len = donor->store->content.len - LUNA_LOG_HEAD;
	assert_int_equal(put(b, 1, 0, 10), 0);
	before = b->store->content.len;
	assert_int_equal(luna_log_put(&b->token, &obj, 1), 0);
	bench_kill(b);
	b->store->content.data[before] ^= 1;
	bench_load(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(count(b), 1);
	assert_int_equal(b->store->content.len, before);
	bench_free(b);
	bench_free(donor);
}

/* ---- Damage ---- */

static void assert_damaged(struct memstore *store, int err)
{
	struct memstore_bytes before = { .len = store->content.len };
	struct bench *b;

	before.data = test_malloc(before.len + 1);
	memcpy(before.data, store->content.data, before.len);
	b = bench_on(store);
	assert_int_equal(b->ret, err);
	assert_true(b->token.damaged);
	assert_int_equal(count(b), 0);
	assert_int_equal(put(b, 50, 0, 10), -EIO);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	assert_int_equal(luna_state_save(&b->token), CKR_DEVICE_ERROR);
	bench_unload(b);
	assert_int_equal(store->content.len, before.len);
	assert_memory_equal(store->content.data, before.data, before.len);
	test_free(before.data);
	memstore_free(store);
	test_free(b);
}

/* Every bit of a log that was closed counts, but for its last mark. */
static void test_every_byte(void **state)
{
	struct bench *b = bench_new(), *after;
	struct memstore *image;
	size_t i, len;

	assert_int_equal(put(b, 1, 0, 13), 0);
	assert_int_equal(put_pair(b, 2, 20), 0);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 4, false, false), 0);
	bench_reload(b);
	len = b->store->content.len;
	for (i = 0; i < 8 * len; i++) {
		image = memstore_image(b->store, len);
		image->content.data[i / 8] ^= 1 << i % 8;
		after = bench_on(image);
		/* Damage to the mark is no more than a mark that is not there. */
		assert_int_equal(!after->ret, i / 8 >= len - LUNA_REC_HEAD);
		if (after->ret) {
			assert_true(after->token.damaged);
			assert_int_equal(after->store->content.len, len);
		} else {
			assert_int_equal(count(after), 3);
			assert_true(has(after, 1, 0, 13) && has(after, 2, 0, 20) &&
				    has(after, 3, 0, 20));
			assert_int_equal(after->token.state->roles[LUNA_ROLE_CO].failed, 4);
		}
		bench_free(after);
	}
	bench_free(b);
}

static void test_damaged(void **state)
{
	struct bench *b = bench_new();
	struct memstore *image;
	size_t base = b->store->content.len;

	assert_int_equal(put(b, 1, 0, 100), 0);
	assert_int_equal(put(b, 2, 0, 100), 0);
	/* In the middle; shorter than what it began with; than its header; not ours at all. */
	image = memstore_image(b->store, b->store->content.len);
	image->content.data[base + LUNA_REC_HEAD + 3] ^= 1;
	assert_damaged(image, -EBADMSG);
	assert_damaged(memstore_image(b->store, base - 8), -EBADMSG);
	assert_damaged(memstore_image(b->store, LUNA_LOG_HEAD), -EBADMSG);
	assert_damaged(memstore_image(b->store, LUNA_LOG_HEAD - 1), -EBADMSG);
	assert_damaged(memstore_image(b->store, 1), -EBADMSG);
	image = memstore_image(b->store, b->store->content.len);
	memset(image->content.data, 0, image->content.len);
	assert_damaged(image, -EBADMSG);
	/* A format to come */
	image = memstore_image(b->store, b->store->content.len);
	image->content.data[8] = LUNA_LOG_VERSION + 1;
	assert_damaged(image, -EUCLEAN);
	/* A store that cannot be read */
	image = memstore_image(b->store, b->store->content.len);
	memstore_fail(image, MEMSTORE_READ, 2, -EIO, 0);
	assert_damaged(image, -EIO);
	bench_free(b);
}

/* A record that is whole, but of a kind that only a later version knows. */
static void test_unknown_kind(void **state)
{
	struct bench *b = bench_new();
	struct memstore *image;
	struct luna_rec rec;
	size_t base = b->store->content.len;
	u8 *head;

	assert_int_equal(put(b, 1, 0, 100), 0);
	image = memstore_image(b->store, b->store->content.len);
	head = image->content.data + base;
	assert_true(luna_rec_get(b->token.log->salted, &rec, head));
	rec.type = LUNA_REC_TYPES;
	luna_rec_put(b->token.log->salted, &rec, head);
	assert_damaged(image, -EUCLEAN);
	bench_free(b);
}

/* ---- Writers in threads ---- */

enum { WRITERS = 8, PUTS = 60 };

struct writer {
	struct bench *b;
	u32 base;
	u32 failed;
	pthread_t thread;
};

static int slow_sync(void *store)
{
	usleep(1000);
	return memstore_ops.sync(store);
}

static void start_writer(struct writer *w, void *(*fn)(void *arg))
{
	assert_int_equal(pthread_create(&w->thread, NULL, fn, w), 0);
}

/* ---- Failing stores ---- */

static void test_full(void **state)
{
	struct bench *b = bench_new();
	size_t len, torn;

	assert_int_equal(put(b, 1, 0, 100), 0);
	len = b->store->content.len;
	for (torn = 0; torn <= 150; torn += 50) {
		memstore_fail(b->store, MEMSTORE_APPEND, 1, -ENOSPC, torn);
		assert_int_equal(put_pair(b, 2, 100), -ENOSPC);
		assert_int_equal(b->store->content.len, len);
	}
	memstore_fail(b->store, MEMSTORE_APPEND, 1, -EDQUOT, 3);
	assert_int_equal(luna_state_save(&b->token), CKR_DEVICE_MEMORY);
	assert_int_equal(put(b, 4, 0, 100), 0);
	bench_reload(b);
	assert_int_equal(count(b), 2);
	assert_true(has(b, 1, 0, 100) && has(b, 4, 0, 100));
	bench_free(b);
}

/* ---- A full disk ---- */

static u32 said;

static void count_said(enum port_log_level level, const char *fmt, va_list args)
{
	said += level == PORT_LOG_WARN;
}

/* The log says what it meets; these tests meet it on purpose. */
static void quiet(enum port_log_level level, const char *fmt, va_list args)
{
}

/* From here on the place has no more room than it gives already. */
static void fill_place(struct bench *b)
{
	b->store->room = max(b->store->kept, b->store->content.len);
}

static int attempt(struct bench *b, u32 failed)
{
	int err = luna_log_attempts(&b->token, LUNA_ROLE_CO, failed, failed > 9, true);

	luna_log_tidy(&b->token);
	return err;
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
	while (!put(b, 1 + made, 0, 1000))
		assert_in_range(++made, 1, 1000);
	while (!put(b, 1 + made, 0, 10))
		made++;
	assert_true(made > 0);
	for (i = 1; i < 8; i++)
		assert_int_equal(attempt(b, i), 0);
	assert_int_equal(put(b, 2000, 0, 1000), -ENOSPC);
	assert_int_equal(put(b, 1, 1, 1000), -ENOSPC);
	assert_int_equal(put_pair(b, 2000, 100), -ENOSPC);
	assert_int_equal(luna_state_save(&b->token), CKR_DEVICE_MEMORY);
	assert_int_equal(luna_log_clear(&b->token, b->token.state), -ENOSPC);
	assert_int_equal(luna_log_delete(&b->token, 1), 0);
	assert_int_equal(calls(b, MEMSTORE_TRUNCATE), 0);	/* nothing was half written */
	assert_int_equal(said, 1);
	bench_kill(b);
	bench_load(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(count(b), made - 1);
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CO].failed, 7);
	/* It opens on a full disk, and the reserve is where it was. */
	assert_int_equal(attempt(b, 10), 0);
	assert_int_equal(put(b, 2000, 0, 1000), -ENOSPC);
	said = 0;
	b->store->room = 0;
	assert_int_equal(put(b, 2000, 0, 1000), 0);
	assert_int_equal(said, 1);
	port_log_sink(quiet);
	assert_true(b->store->kept >= b->store->content.len + LUNA_LOG_RESERVE);
	bench_reload(b);
	assert_int_equal(count(b), made);
	assert_true(b->token.state->roles[LUNA_ROLE_CO].locked);
	bench_free(b);
}

/* What makes no more than the reserve goes on for good: it is written anew in its own room. */
static void test_reserve_lasts(void **state)
{
	struct bench *b = bench_new();
	u32 i, before;

	assert_int_equal(put(b, 1, 0, 100000), 0);
	fill_place(b);
	before = calls(b, MEMSTORE_REPLACE_COMMIT);
	for (i = 0; i < 3 * LUNA_LOG_RESERVE / luna_rec_size(LUNA_ATTEMPTS_LEN); i++)
		assert_int_equal(attempt(b, i % 9), 0);
	assert_true(calls(b, MEMSTORE_REPLACE_COMMIT) > before);
	/* So is the token that is initialised again, or zeroized. */
	while (!put(b, 2, i++, 1000))
		;
	assert_int_equal(luna_log_restart(&b->token, b->token.state), 0);
	assert_int_equal(put(b, 3, 0, 100), 0);
	luna_objects_drop_all(&b->token);
	bench_reload(b);
	assert_int_equal(count(b), 1);
	bench_free(b);
}

/* A log too large for that has as many attempts as the reserve, and is told so then. */
static void test_reserve_ends(void **state)
{
	const u32 size = luna_rec_size(LUNA_ATTEMPTS_LEN);
	struct bench *b = bench_new();
	u32 i;

	assert_int_equal(put(b, 1, 0, 900000), 0);
	fill_place(b);
	for (i = 0; !attempt(b, i % 9); i++)
		assert_true(i < 3 * LUNA_LOG_RESERVE / size);
	assert_true(i >= LUNA_LOG_RESERVE / size);
	assert_int_equal(attempt(b, 1), -ENOSPC);
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
	while (!put(b, 1 + made, 0, 20000))
		made++;
	assert_true(made > 20);
	for (turn = 1; turn < 4; turn++) {
		for (i = 1; i <= made - 5; i++)
			assert_int_equal(luna_log_delete(&b->token, i), 0);
		for (i = 1; i <= made - 5; i++)
			assert_int_equal(put(b, i, turn, 20000), 0);
		bench_reload(b);
		assert_int_equal(count(b), made);
	}
	/* One that must not be: more lives than fits twice, and nothing says that it is lost. */
	assert_int_equal(put(b, 5000, 0, 900000), -ENOSPC);
	assert_int_equal(attempt(b, 3), 0);
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
	while (!put(b, 1 + made, 0, 1000))
		made++;
	assert_int_equal(made, 4);
	assert_int_equal(attempt(b, 1), 0);
	assert_int_equal(said, 1);
	port_log_sink(quiet);
	bench_reload(b);
	assert_int_equal(count(b), made);
	bench_free(b);
}

/* Both kinds at once, some refused, sharing their flushes: all that was told is there. */
static void *write_mixed(void *arg)
{
	struct writer *w = arg;
	u32 i;

	for (i = 0; i < PUTS; i++) {
		if (w->base / 1000 % 2)
			w->failed += !!put(w->b, w->base + i, 0, 3000);
		else if (attempt(w->b, i % 9))
			fail();
	}
	return NULL;
}

static void test_reserve_among_writers(void **state)
{
	struct writer writers[WRITERS];
	struct bench *b = bench_new();
	u32 i, refused = 0;

	b->ops.sync = slow_sync;
	b->store->room = b->store->content.len + LUNA_LOG_RESERVE + 300000;
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .b = b, .base = 1 + 1000 * i };
		start_writer(&writers[i], write_mixed);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		refused += writers[i].failed;
	}
	assert_true(refused > 0 && refused < WRITERS * PUTS / 2);
	bench_kill(b);
	bench_load(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(count(b), WRITERS * PUTS / 2 - refused);
	bench_free(b);
}

/* ---- Other failures ---- */

/* After a flush that failed nobody knows what the store holds, until it is read again. */
static void test_flush_fails(void **state)
{
	struct bench *b = bench_new();

	assert_int_equal(put(b, 1, 0, 100), 0);
	memstore_fail(b->store, MEMSTORE_SYNC, 1, -EIO, 0);
	assert_int_equal(put(b, 2, 0, 100), -EIO);
	assert_int_equal(put(b, 3, 0, 100), -EIO);
	assert_int_equal(luna_log_delete(&b->token, 1), -EIO);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 1, false, false), -EIO);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	bench_reload(b);
	assert_true(has(b, 1, 0, 100));
	assert_null(find(b, 3));
	assert_int_equal(put(b, 4, 0, 100), 0);
	bench_free(b);
}

static void test_cut_fails(void **state)
{
	struct bench *b = bench_new();

	assert_int_equal(put(b, 1, 0, 100), 0);
	memstore_fail(b->store, MEMSTORE_APPEND, 1, -ENOSPC, 30);
	memstore_fail(b->store, MEMSTORE_TRUNCATE, 1, -EIO, 0);
	assert_int_equal(put(b, 2, 0, 100), -ENOSPC);
	assert_int_equal(put(b, 3, 0, 100), -EIO);
	bench_reload(b);
	assert_int_equal(count(b), 1);
	assert_int_equal(put(b, 4, 0, 100), 0);
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

	assert_int_equal(put(b, 1, 0, 100), 0);
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		for (k = 0; k < ARRAY_SIZE(passing); k++) {
			memstore_break(b->store, steps[i], 1, passing[k]);
			assert_int_equal(luna_log_restart(&b->token, b->token.state), passing[k]);
			memstore_fail(b->store, steps[i], 0, 0, 0);
			assert_int_equal(put(b, 2 + i, 0, 100), 0);
		}
	memstore_fail(b->store, MEMSTORE_REPLACE_APPEND, 1, -EIO, 0);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	assert_int_equal(put(b, 10, 0, 100), 0);
	memstore_fail(b->store, MEMSTORE_REPLACE_COMMIT, 1, -EIO, 0);
	assert_int_equal(luna_log_restart(&b->token, b->token.state), -EIO);
	assert_int_equal(put(b, 11, 0, 100), -EIO);
	bench_reload(b);
	assert_int_equal(count(b), 5);
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
		err = put(b, nth, 0, 0);
		port_alloc_unwatch();
		if (!err && port_alloc_calls() < nth)
			break;
		if (!err && !find(b, nth))
			assert_int_equal(luna_log_delete(&b->token, nth), 0);
		assert_true(!err || err == -ENOMEM);
	}
	for (nth = 1; ; nth++) {
		bench_unload(b);
		memset(&b->token, 0, sizeof(b->token));
		b->token.crypto = &luna_openssl_ops;
		assert_int_equal(luna_dir_init(&b->token.objects), 0);
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

/* ---- Many writers ---- */

static void *write_some(void *arg)
{
	struct writer *w = arg;
	u32 i;

	for (i = 0; i < PUTS; i++) {
		w->failed += !!put(w->b, w->base + i, 0, 20 + i);
		if (i % 3 == 2)
			w->failed += !!luna_log_delete(&w->b->token, w->base + i);
	}
	return NULL;
}

static void run_writers(struct bench *b, struct writer *writers)
{
	u32 i;

	for (i = 0; i < WRITERS; i++) {
		writers[i].b = b;
		writers[i].base = 1 + i * 1000;
		writers[i].failed = 0;
		start_writer(&writers[i], write_some);
	}
	for (i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
}

static void assert_written(struct bench *b)
{
	u32 w, i;

	for (w = 0; w < WRITERS; w++)
		for (i = 0; i < PUTS; i++)
			assert_int_equal(has(b, 1 + w * 1000 + i, 0, 20 + i), i % 3 != 2);
	assert_int_equal(count(b), WRITERS * PUTS * 2 / 3);
}

static void test_group_commit(void **state)
{
	struct writer writers[WRITERS];
	struct bench *b = bench_new();
	u64 syncs, writes = WRITERS * PUTS * 4 / 3;
	u32 i;

	b->ops.sync = slow_sync;
	syncs = calls(b, MEMSTORE_SYNC);
	run_writers(b, writers);
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(writers[i].failed, 0);
	assert_int_equal(b->store->synced, b->store->content.len);
	syncs = calls(b, MEMSTORE_SYNC) - syncs;
	assert_true(syncs < writes / 2);
	bench_reload(b);
	assert_written(b);
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
	struct writer *w = arg;
	u32 i;

	for (i = 0; i < PUTS; i++)
		while (put(w->b, w->base + i, 0, 20 + i))
			w->failed++;
	return NULL;
}

static void test_full_among_writers(void **state)
{
	struct writer writers[WRITERS];
	struct bench *b = bench_new();
	u32 i, j, failed = 0;

	b->ops.sync = slow_sync;
	b->ops.append = flaky_append;
	for (i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ .b = b, .base = 1 + i * 1000 };
		start_writer(&writers[i], write_flaky);
	}
	for (i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		failed += writers[i].failed;
	}
	assert_true(failed > 0);
	b->ops = memstore_ops;
	bench_reload(b);
	for (i = 0; i < WRITERS; i++)
		for (j = 0; j < PUTS; j++)
			assert_true(has(b, 1 + i * 1000 + j, 0, 20 + j));
	bench_free(b);
}

/* ---- Compaction ---- */

static void make_garbage(struct bench *b, u32 turns)
{
	u32 i;

	for (i = 1; i <= turns; i++)
		assert_int_equal(put(b, 500, i, 10000), 0);
}

static void test_compact(void **state)
{
	struct bench *b = bench_new();
	u64 used;

	assert_int_equal(put(b, 1, 0, 100), 0);
	assert_int_equal(put(b, 2, 0, 100000), 0);
	assert_int_equal(put(b, 700, 0, 10), 0);
	assert_int_equal(luna_log_delete(&b->token, 700), 0);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 5, false, true), 0);
	make_garbage(b, 150);
	assert_int_equal(calls(b, MEMSTORE_REPLACE_COMMIT), 2);	/* one of them began the log */
	assert_true(b->store->content.len < SZ_1M);
	used = luna_log_used(&b->token);
	assert_int_equal(put(b, 3, 0, 40), 0);
	assert_int_equal(luna_log_used(&b->token), used + luna_rec_size(40 + LEAST));
	bench_reload(b);
	assert_int_equal(count(b), 4);
	assert_true(has(b, 1, 0, 100) && has(b, 2, 0, 100000) && has(b, 3, 0, 40));
	assert_true(has(b, 500, 150, 10000));
	assert_int_equal(b->token.state->roles[LUNA_ROLE_CO].failed, 5);
	assert_int_equal(atomic_read(&b->token.next_handle), 700);
	/* The places are right after it, too. */
	make_garbage(b, 150);
	assert_true(calls(b, MEMSTORE_REPLACE_COMMIT) > 2);
	bench_reload(b);
	assert_int_equal(count(b), 4);
	assert_true(has(b, 2, 0, 100000) && has(b, 3, 0, 40) && has(b, 500, 150, 10000));
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
	assert_true(has(after, 1, 0, 100));
	assert_non_null(find(after, 500));
	bench_free(after);
	(*(u32 *)arg)++;
}

static void test_compact_crash(void **state)
{
	struct bench *b = bench_new();
	u32 crashes = 0;

	assert_int_equal(put(b, 1, 0, 100), 0);
	assert_int_equal(put(b, 2, 0, 200000), 0);
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
		assert_in_range(calls(b, steps[i]), 1, 8);	/* it is not tried at every write */
		assert_true(b->store->content.len > 2 * SZ_1M);
		memstore_fail(b->store, steps[i], 0, 0, 0);
		bench_reload(b);
		assert_true(has(b, 500, 300, 10000));
		make_garbage(b, 1);
		assert_true(b->store->content.len < SZ_1M);
		bench_reload(b);
		assert_true(has(b, 500, 1, 10000));
		bench_free(b);
	}
}

/* It copies no record that has been damaged since. */
static void test_compact_damage(void **state)
{
	struct bench *b = bench_new();
	size_t at;

	at = b->store->content.len;
	assert_int_equal(put(b, 1, 0, 100), 0);
	b->store->content.data[at + LUNA_REC_HEAD] ^= 1;
	make_garbage(b, 150);
	assert_true(b->store->content.len > SZ_1M);
	bench_free(b);
}

static void *churn(void *arg)
{
	struct writer *w = arg;
	u32 i;

	for (i = 1; i <= 400; i++)
		w->failed += !!put(w->b, 9000 + w->base, i, 4000);
	return NULL;
}

/* Compaction while others write: nothing that was written is lost. */
static void test_compact_among_writers(void **state)
{
	struct writer writers[WRITERS], churners[2];
	struct bench *b = bench_new();
	u32 i;

	for (i = 0; i < 2; i++) {
		churners[i] = (struct writer){ .b = b, .base = i };
		start_writer(&churners[i], churn);
	}
	run_writers(b, writers);
	for (i = 0; i < 2; i++) {
		pthread_join(churners[i].thread, NULL);
		assert_int_equal(churners[i].failed, 0);
	}
	for (i = 0; i < WRITERS; i++)
		assert_int_equal(writers[i].failed, 0);
	assert_true(calls(b, MEMSTORE_REPLACE_COMMIT) > 2);
	bench_reload(b);
	assert_true(has(b, 9000, 400, 4000) && has(b, 9001, 400, 4000));
	for (i = 0; i < 2; i++)
		assert_int_equal(luna_log_delete(&b->token, 9000 + i), 0);
	bench_reload(b);
	assert_written(b);
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
	struct writer *w = arg;

	luna_log_tidy(&w->b->token);
	return NULL;
}

/* Objects 1 to 50, and a compaction of them that is held in a thread of its own. */
static void compact_held(struct bench *b, struct writer *w)
{
	struct luna_log_object obj = { .handle = 500, .private = true, .len = 100000 };
	u8 *data = test_calloc(1, obj.len);
	u32 i;

	for (i = 1; i <= 50; i++)
		assert_int_equal(put(b, i, 0, 3000), 0);
	obj.data = data;
	while (!b->token.log->due)
		assert_int_equal(luna_log_put(&b->token, &obj, 1), 0);
	test_free(data);
	hold.reached = hold.go = false;
	*w = (struct writer){ .b = b };
	start_writer(w, tidy);
	hold_wait();
}

/* What is written while it copies, over what it has copied and what it has not, is there. */
static void compact_beside(int (*append)(void *store, const void *buf, size_t len),
			   int (*sync)(void *store))
{
	struct bench *b = bench_new();
	struct writer w;
	size_t flushes;
	u64 used;
	u32 i;

	b->ops.replace_append = append;
	b->ops.replace_sync = sync;
	compact_held(b, &w);
	flushes = calls(b, MEMSTORE_SYNC);
	for (i = 1; i <= 50; i += 2)
		assert_int_equal(put(b, i, 1, 3000), 0);
	for (i = 2; i <= 50; i += 4)
		assert_int_equal(luna_log_delete(&b->token, i), 0);
	assert_int_equal(put_pair(b, 100, 60), 0);
	assert_int_equal(attempt(b, 4), 0);
	assert_true(calls(b, MEMSTORE_SYNC) >= flushes + 25 + 13 + 2);
	assert_true(luna_log_used(&b->token) > 0);
	assert_int_equal(calls(b, MEMSTORE_REPLACE_COMMIT), 1);
	hold_end();
	pthread_join(w.thread, NULL);
	assert_int_equal(calls(b, MEMSTORE_REPLACE_COMMIT), 2);
	assert_true(b->store->content.len < SZ_1M);
	used = luna_log_used(&b->token);
	assert_int_equal(put(b, 600, 0, 100), 0);
	bench_kill(b);
	bench_load(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(luna_log_used(&b->token), used + luna_rec_size(100 + LEAST));
	assert_int_equal(count(b), 50 - 13 + 2 + 2);
	for (i = 1; i <= 50; i++)
		assert_int_equal(has(b, i, i % 2, 3000), i % 4 != 2);
	assert_true(has(b, 100, 0, 60) && has(b, 101, 0, 60) && has(b, 600, 0, 100));
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
	struct writer *w = arg;

	w->failed = !!luna_log_restart(&w->b->token, w->b->token.state);
	return NULL;
}

/* A token that is initialised again does not wait for the rest of a copy of what it was. */
static void test_compact_in_vain(void **state)
{
	struct bench *b = bench_new();
	struct writer w, other = { .b = b };

	b->ops.replace_append = held_append;
	compact_held(b, &w);
	start_writer(&other, restart);
	while (!atomic_read(&b->token.log->replacers))
		sched_yield();
	hold_end();
	pthread_join(w.thread, NULL);
	pthread_join(other.thread, NULL);
	assert_int_equal(other.failed, 0);
	assert_int_equal(calls(b, MEMSTORE_REPLACE_COMMIT), 2);	/* the two beginnings */
	luna_objects_drop_all(&b->token);
	assert_int_equal(put(b, 7, 0, 100), 0);
	bench_reload(b);
	assert_int_equal(count(b), 1);
	bench_free(b);
}

/* The tail that it carries over is no torn write: damage to it is told, and left alone. */
static void test_compact_tail_damaged(void **state)
{
	struct bench *b = bench_new();
	struct memstore *image;
	struct writer w;

	b->ops.replace_append = held_append;
	compact_held(b, &w);
	assert_int_equal(put(b, 60, 0, 100), 0);
	hold_end();
	pthread_join(w.thread, NULL);
	image = memstore_image(b->store, b->store->content.len);
	image->content.data[image->content.len - LUNA_REC_HEAD - 60] ^= 1;
	assert_damaged(image, -EBADMSG);
	bench_free(b);
}

static unsigned int warnings;

static int setup(void **state)
{
	port_log_sink(quiet);
	warnings = port_warnings();
	return 0;
}

static int teardown(void **state)
{
	return port_warnings() != warnings;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_one_flush),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_torn_clear),
		cmocka_unit_test(test_torn_out_of_order),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_unknown_kind),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_reserve_lasts),
		cmocka_unit_test(test_reserve_ends),
		cmocka_unit_test(test_reserve_squeeze),
		cmocka_unit_test(test_reserve_unknown),
		cmocka_unit_test(test_reserve_among_writers),
		cmocka_unit_test(test_flush_fails),
		cmocka_unit_test(test_cut_fails),
		cmocka_unit_test(test_restart_fails),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_group_commit),
		cmocka_unit_test(test_full_among_writers),
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_compact_crash),
		cmocka_unit_test(test_compact_fails),
		cmocka_unit_test(test_compact_damage),
		cmocka_unit_test(test_compact_among_writers),
		cmocka_unit_test(test_compact_beside),
		cmocka_unit_test(test_compact_in_vain),
		cmocka_unit_test(test_compact_tail_damaged),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
