// SPDX-License-Identifier: MIT
/*
 * Loading a log whose records come in any order of handles, as an image that comes in may have them:
 * of each object the last record counts, and falling handles cost no more than rising ones.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "crypto_openssl.h"
#include "log.h"
#include "log_file.h"
#include "memstore.h"
#include "object.h"
#include "state.h"

enum {
	HANDLES = 64,
	DATA_MIN = LUNA_SEAL_OVERHEAD + sizeof(struct luna_attr),
	/* Were each put before all others by moving them, these would take the time limit many times. */
	MANY = 1 << 19,
};

static struct memstore *store;
static u32 salted;
static u64 sequence;

static void record(u8 type, u8 flags, u32 handle, const void *data, u32 len)
{
	struct luna_rec rec = {
		.type = type, .flags = flags, .handle = handle, .len = len,
		.sequence = sequence++, .crc = luna_crc32(data, len),
	};
	static const u8 zeros[LUNA_REC_ALIGN];
	u8 head[LUNA_REC_HEAD];

	luna_rec_put(salted, &rec, head);
	assert_int_equal(memstore_ops.append(store, head, sizeof(head)), 0);
	if (!len)
		return;
	assert_int_equal(memstore_ops.append(store, data, len), 0);
	assert_int_equal(memstore_ops.append(store, zeros, ALIGN(len, 8) - len), 0);
}

/* An object is as long as it is new: what is sealed in it nobody opens here. */
static void put(u32 handle, u32 len)
{
	static const u8 sealed[DATA_MIN + 256];

	record(LUNA_REC_PUT, LUNA_REC_PRIVATE, handle, sealed, len);
}

static int setup(void **state __maybe_unused)
{
	struct luna_log_head head = { .salt = 5, .sequence = 1 };
	struct luna_state *blank = test_calloc(1, sizeof(*blank));
	u8 bytes[LUNA_LOG_HEAD], *packed;
	u32 len;

	store = memstore_new();
	salted = luna_log_salted(head.salt);
	sequence = head.sequence;
	luna_log_head_put(&head, bytes);
	assert_int_equal(memstore_ops.append(store, bytes, sizeof(bytes)), 0);
	luna_state_blank(blank);
	packed = luna_state_pack(blank, &len);
	assert_false(IS_ERR(packed));
	record(LUNA_REC_STATE, 0, 0, packed, len);
	kfree(packed);
	test_free(blank);
	return 0;
}

static int teardown(void **state __maybe_unused)
{
	memstore_free(store);
	return 0;
}

static struct luna_token *load(void)
{
	static const struct luna_config config;
	struct luna_token *token = luna_token_open(&config, &luna_openssl_ops, &memstore_ops, store);

	assert_false(IS_ERR(token));
	assert_false(token->damaged);
	return token;
}

/* Are these the objects, by their lengths; 0: none? */
static void expect(struct luna_token *token, const u32 *lens)
{
	const struct luna_index *index = &token->log->live.index;
	u64 bytes = 0;
	u32 handle, live = 0, i;

	for (handle = 1; handle <= HANDLES; handle++) {
		struct luna_object *obj = luna_table_find(&token->objects.table, handle);

		assert_int_equal(obj ? obj->sealed_len : 0, lens[handle]);
		live += !!lens[handle];
		bytes += lens[handle] ? luna_rec_size(lens[handle]) : 0;
	}
	assert_int_equal(token->objects.table.live, live);
	assert_int_equal(index->live, live);
	assert_int_equal(token->log->live.objects, bytes);
	for (i = 1; i < index->used; i++)
		assert_true(index->rows[i - 1].handle < index->rows[i].handle);
}

static void test_any_order(void **state __maybe_unused)
{
	u32 lens[HANDLES + 1] = { 0 }, seed = 1, top = 0, i, handle;
	struct luna_token *token;

	for (i = 0; i < 5000; i++) {
		seed = seed * 1664525 + 1013904223;
		handle = 1 + (seed >> 16) % HANDLES;
		top = max(top, handle);
		if (seed >> 24 < 100) {
			record(LUNA_REC_DELETE, 0, handle, NULL, 0);
			lens[handle] = 0;
		} else if (i == 2500) {
			record(LUNA_REC_CLEAR, 0, 0, NULL, 0);
			memset(lens, 0, sizeof(lens));
		} else {
			lens[handle] = DATA_MIN + (seed >> 8) % 256;
			put(handle, lens[handle]);
		}
		if (i % 1000 && i > 20)
			continue;
		token = load();
		expect(token, lens);
		assert_int_equal(token->log->live.top, top);
		/* As after a kill: without the mark that ends a log. */
		token->log->failed = true;
		luna_token_close(token);
	}
}

static void test_falling(void **state __maybe_unused)
{
	u32 lens[HANDLES + 1] = { 0 }, handle;
	struct luna_token *token;

	for (handle = MANY; handle; handle--)
		record(LUNA_REC_PUT, 0, handle, NULL, 0);
	record(LUNA_REC_CLEAR, 0, 0, NULL, 0);
	lens[7] = DATA_MIN;
	put(7, DATA_MIN);
	token = load();
	expect(token, lens);
	assert_int_equal(token->log->live.top, MANY);
	luna_token_close(token);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_falling, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
