// SPDX-License-Identifier: MIT
/*
 * The log over a store in memory: what was written comes back; what a crash leaves at any byte
 * loads without loss of what was durable; damage is told from torn writes; changes that belong
 * together share a flush. The rest of it is in test_log_*.c.
 */
#include "log_bench.h"

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
	assert_int_equal(bench_put(b, 1, 0, 10), -EIO);	/* not initialised */
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

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	assert_int_equal(bench_put(b, 2, 0, 0), 0);
	assert_int_equal(bench_put(b, 3, 0, 200000), 0);	/* above the reader's window */
	assert_int_equal(bench_put_pair(b, 4, 77), 0);
	assert_int_equal(bench_put(b, 1, 1, 101), 0);		/* changed */
	assert_int_equal(luna_log_delete(&b->token, 5), 0);
	assert_int_equal(luna_log_delete(&b->token, 90), 0);	/* not there: no harm */
	bench_reload(b);
	assert_int_equal(bench_count(b), 4);
	assert_true(bench_has(b, 1, 1, 101));
	assert_true(bench_has(b, 2, 0, 0));
	assert_true(bench_has(b, 3, 0, 200000));
	assert_true(bench_has(b, 4, 0, 77));
	assert_int_equal(atomic_read(&b->token.next_handle), 90);
	assert_int_equal(luna_log_clear(&b->token, b->token.state), 0);
	assert_int_equal(bench_put(b, 91, 0, 5), 0);
	bench_reload(b);
	assert_int_equal(bench_count(b), 1);
	assert_true(bench_has(b, 91, 0, 5));
	assert_int_equal(bench_put(b, 92, 0, LUNA_REC_MAX), -ENOMEM);
	bench_free(b);
}

/* Handles come from a counter, but two writers may overtake each other. */
static void test_order(void **state)
{
	static const u32 order[] = { 7, 3, 9, 1, 8, 2, 6, 4, 5 };
	struct bench *b = bench_new();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(bench_put(b, order[i], 0, order[i]), 0);
	assert_int_equal(luna_log_delete(&b->token, 6), 0);
	bench_reload(b);
	assert_int_equal(bench_count(b), 8);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(bench_has(b, order[i], 0, order[i]), order[i] != 6);
	bench_free(b);
}

static void test_restart(void **state)
{
	struct bench *b = bench_new();
	u64 used;

	assert_int_equal(bench_put(b, 40, 0, 1000), 0);
	used = luna_log_used(&b->token);
	b->token.state->init_count = 2;
	assert_int_equal(luna_log_restart(&b->token, b->token.state), 0);
	assert_int_equal(luna_log_used(&b->token), used - luna_rec_size(1000 + BENCH_LEAST));
	assert_int_equal(luna_log_used(&b->token), b->store->content.len);
	bench_reload(b);
	assert_int_equal(bench_count(b), 0);
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
	u64 appends = bench_calls(b, MEMSTORE_APPEND), syncs = bench_calls(b, MEMSTORE_SYNC);

	assert_int_equal(bench_put_pair(b, 1, 50), 0);
	assert_int_equal(bench_calls(b, MEMSTORE_APPEND), appends + 1);
	assert_int_equal(bench_calls(b, MEMSTORE_SYNC), syncs + 1);
	assert_int_equal(b->store->synced, b->store->content.len);
	assert_int_equal(luna_log_delete(&b->token, 1), 0);
	assert_int_equal(bench_calls(b, MEMSTORE_SYNC), syncs + 2);
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 0, false, false), 0);
	assert_int_equal(bench_calls(b, MEMSTORE_SYNC), syncs + 2);
	bench_free(b);
}

/* ---- Crashes ---- */

/* A crash at any byte of a pair's record leaves both or none, and everything before. */
static void test_torn(void **state)
{
	struct bench *b = bench_new();
	struct bench *after;
	size_t len, whole;

	assert_int_equal(bench_put(b, 1, 0, 300), 0);
	len = b->store->content.len;
	assert_int_equal(bench_put_pair(b, 2, 50), 0);
	whole = b->store->content.len;
	for (; len <= whole; len++) {
		after = bench_on(memstore_image(b->store, len));
		assert_int_equal(after->ret, 0);
		assert_true(bench_has(after, 1, 0, 300));
		assert_int_equal(bench_count(after), len == whole ? 3 : 1);
		assert_int_equal(after->store->synced, after->store->content.len);
		/* It goes on as if nothing had been. */
		assert_int_equal(bench_put(after, 9, 0, 20), 0);
		bench_reload(after);
		assert_true(bench_has(after, 9, 0, 20));
		bench_free(after);
	}
	bench_free(b);
}

/* The objects end with the new state, or neither. */
static void test_torn_clear(void **state)
{
	struct bench *b = bench_new(), *after;
	size_t len, whole;

	assert_int_equal(bench_put(b, 1, 0, 300), 0);
	len = b->store->content.len;
	b->token.state->policies[18] ^= 1;
	assert_int_equal(luna_log_clear(&b->token, b->token.state), 0);
	whole = b->store->content.len;
	for (; len <= whole; len++) {
		after = bench_on(memstore_image(b->store, len));
		assert_int_equal(after->ret, 0);
		assert_int_equal(bench_count(after), len < whole);
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

	assert_int_equal(bench_put(b, 1, 0, 300), 0);
	hole = b->store->content.len;
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 1, false, false), 0);
	end = b->store->content.len;
	assert_int_equal(luna_log_attempts(&b->token, LUNA_ROLE_CO, 2, false, false), 0);
	after = bench_on(memstore_image(b->store, b->store->content.len));
	bench_kill(after);
	memset(after->store->content.data + hole, 0, end - hole);
	bench_load(after);
	assert_int_equal(after->ret, 0);
	assert_true(bench_has(after, 1, 0, 300));
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

	assert_int_equal(bench_put(donor, 1, 0, 300), 0);
	assert_int_equal(bench_put(donor, 2, 0, 300), 0);
	obj.data = donor->store->content.data + LUNA_LOG_HEAD;
	obj.len = donor->store->content.len - LUNA_LOG_HEAD;
	assert_int_equal(bench_put(b, 1, 0, 10), 0);
	before = b->store->content.len;
	assert_int_equal(luna_log_put(&b->token, &obj, 1), 0);
	bench_kill(b);
	b->store->content.data[before] ^= 1;
	bench_load(b);
	assert_int_equal(b->ret, 0);
	assert_int_equal(bench_count(b), 1);
	assert_int_equal(b->store->content.len, before);
	bench_free(b);
	bench_free(donor);
}

/* ---- Damage ---- */

/* Every bit of a log that was closed counts, but for its last mark. */
static void test_every_byte(void **state)
{
	struct bench *b = bench_new(), *after;
	struct memstore *image;
	size_t i, len;

	assert_int_equal(bench_put(b, 1, 0, 13), 0);
	assert_int_equal(bench_put_pair(b, 2, 20), 0);
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
			assert_int_equal(bench_count(after), 3);
			assert_true(bench_has(after, 1, 0, 13) && bench_has(after, 2, 0, 20) &&
				    bench_has(after, 3, 0, 20));
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

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	assert_int_equal(bench_put(b, 2, 0, 100), 0);
	/* In the middle; shorter than what it began with; than its header; not ours at all. */
	image = memstore_image(b->store, b->store->content.len);
	image->content.data[base + LUNA_REC_HEAD + 3] ^= 1;
	bench_expect_damaged(image, -EBADMSG);
	bench_expect_damaged(memstore_image(b->store, base - 8), -EBADMSG);
	bench_expect_damaged(memstore_image(b->store, LUNA_LOG_HEAD), -EBADMSG);
	bench_expect_damaged(memstore_image(b->store, LUNA_LOG_HEAD - 1), -EBADMSG);
	bench_expect_damaged(memstore_image(b->store, 1), -EBADMSG);
	image = memstore_image(b->store, b->store->content.len);
	memset(image->content.data, 0, image->content.len);
	bench_expect_damaged(image, -EBADMSG);
	/* A format to come */
	image = memstore_image(b->store, b->store->content.len);
	image->content.data[8] = LUNA_LOG_VERSION + 1;
	bench_expect_damaged(image, -EUCLEAN);
	/* A store that cannot be read */
	image = memstore_image(b->store, b->store->content.len);
	memstore_fail(image, MEMSTORE_READ, 2, -EIO, 0);
	bench_expect_damaged(image, -EIO);
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

	assert_int_equal(bench_put(b, 1, 0, 100), 0);
	image = memstore_image(b->store, b->store->content.len);
	head = image->content.data + base;
	assert_true(luna_rec_get(b->token.log->salted, &rec, head));
	rec.type = LUNA_REC_TYPES;
	luna_rec_put(b->token.log->salted, &rec, head);
	bench_expect_damaged(image, -EUCLEAN);
	bench_free(b);
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
	};

	return cmocka_run_group_tests(tests, bench_setup, bench_teardown);
}
