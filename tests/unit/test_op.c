// SPDX-License-Identifier: MIT
/*
 * The state machine of op.c: with which keys an operation begins, in which order its steps come and
 * its pieces, what ends it, what it may make the device keep, and threads. What the mechanisms
 * compute is in test_mech.c and its like.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "cipher_answers.h"
#include "engine_fixture.h"
#include "hex.h"
#include "op_calls.h"
#include "token.h"

/* ---- keys ---- */

static void test_key_checks(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), iv = hex(AES_IV);
	struct fx_tmpl tmpl = {};
	const u64 only[] = { CKM_AES_ECB, CKM_AES_CTR };
	struct fx_side e;
	u32 k, data;

	fx_side_open(&e, NULL, 0);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, 0, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, 12345, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	assert_int_equal(fx_create(e.open, e.session, &tmpl, &data), CKR_OK);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, data, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	k = op_key(&e, CKK_GENERIC_SECRET, &key);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_KEY_TYPE_INCONSISTENT);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_SHA256_HMAC, k, NULL, 0),
			 CKR_MECHANISM_INVALID);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, 0x7ffffff0, k, NULL, 0),
			 CKR_MECHANISM_INVALID);
	k = op_key(&e, CKK_SHA256_HMAC, &key);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_SHA512_HMAC, k, NULL, 0),
			 CKR_KEY_TYPE_INCONSISTENT);
	k = op_key_but(&e, CKK_AES, key.data, key.len, CKA_ENCRYPT, true);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(op_init(&e, LUNA_OP_DECRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(op_init(&e, LUNA_OP_SIGN, CKM_AES_CMAC, k, NULL, 0), CKR_OK);
	assert_int_equal(op_cancel(&e, LUNA_OP_DECRYPT), CKR_OK);

	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_AES);
	fx_attr(&tmpl, CKA_VALUE, key.data, key.len);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	fx_attr(&tmpl, CKA_ALLOWED_MECHANISMS, only, sizeof(only));
	assert_int_equal(fx_create(e.open, e.session, &tmpl, &k), CKR_OK);
	for (u32 i = 0; i < 2; i++) {
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, iv.data, iv.len),
				 CKR_MECHANISM_INVALID);
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
		assert_int_equal(op_cancel(&e, LUNA_OP_ENCRYPT), CKR_OK);
	}
	fx_side_close(&e);
}

/* A login's end is the end of operations with private keys, not of others. */
static void test_logout(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	struct fx_side e;
	u32 private, public, len = OP_ROOM;
	u8 *out = test_malloc(OP_ROOM);

	fx_side_open(&e, NULL, 0);
	private = op_key_but(&e, CKK_AES, key.data, key.len, CKA_ID, true);
	public = op_key_but(&e, CKK_AES, key.data, key.len, CKA_ID, false);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, private, NULL, 0), CKR_OK);
	assert_int_equal(fx_logout(e.open, e.session), CKR_OK);
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, private, NULL, 0),
			 CKR_KEY_HANDLE_INVALID);
	assert_int_equal(fx_login(e.open, e.session, CKU_USER, FX_CO_PIN), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, public, NULL, 0), CKR_OK);
	test_free(out);
	fx_side_close(&e);
}

/* ---- the state machine ---- */

static void test_states(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128);
	struct fx_side e;
	u8 *out = test_malloc(OP_ROOM);
	u32 k, len;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	for (u32 op = 0; op <= LUNA_OP_VERIFY; op++)
		op_assert_ended(&e, op);

	/* An Init on top of an operation leaves that alone; other kinds are other operations. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0),
			 CKR_OPERATION_ACTIVE);
	assert_int_equal(op_init(&e, LUNA_OP_DECRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);
	assert_int_equal(op_cancel(&e, LUNA_OP_DECRYPT), CKR_OK);
	assert_int_equal(op_cancel(&e, LUNA_OP_DECRYPT), CKR_OK);
	op_assert_ended(&e, LUNA_OP_DECRYPT);

	/* A one-shot call after an update is refused and is the end. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_update(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len),
			 CKR_OPERATION_ACTIVE);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);

	/* A Final that finds half a block is the end. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	len = OP_ROOM;
	assert_int_equal(op_update(&e, LUNA_OP_ENCRYPT, key.data, 7, out, &len), CKR_OK);
	assert_int_equal(len, 0);
	len = OP_ROOM;
	assert_int_equal(op_final(&e, LUNA_OP_ENCRYPT, out, &len), CKR_DATA_LEN_RANGE);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);

	/* A failed Init leaves nothing. */
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, NULL, 0),
			 CKR_MECHANISM_PARAM_INVALID);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_CBC, k, NULL, LUNA_PARAM_MALFORMED),
			 CKR_MECHANISM_PARAM_INVALID);
	op_assert_ended(&e, LUNA_OP_ENCRYPT);
	test_free(out);
	fx_side_close(&e);
}

/* Pieces must follow each other; the first decides for all, and nobody else comes between. */
static void test_pieces(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), in = hex(PLAIN_38A);
	struct fx_side e;
	u8 *out = test_malloc(OP_ROOM);
	struct op_call c = {
		.op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .data = in.data, .data_len = 32,
		.total = 64, .out = out, .out_max = 63,
	}, bad;
	u32 k, len;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	for (u32 i = 0; i < 7; i++) {
		assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
		c.out_max = 63;
		assert_int_equal(op_run(&e, &c), CKR_BUFFER_TOO_SMALL);
		assert_int_equal(c.need, 64);
		c.out_max = 64;
		assert_int_equal(op_run(&e, &c), CKR_OK);
		assert_int_equal(c.got, 32);
		bad = c;
		bad.offset = 32;
		len = OP_ROOM;
		if (i == 0)
			bad.offset = 0;
		if (i == 1)
			bad.offset = 16;
		if (i == 2)
			bad.total = 80;
		if (i == 3)
			bad.data_len = 33;
		if (i == 6) {	/* data that a query does not bring */
			bad.data = NULL;
			bad.out_max = LUNA_OUT_QUERY;
		}
		if (i == 4)
			assert_int_equal(op_update(&e, LUNA_OP_ENCRYPT, in.data, 16, out, &len),
					 CKR_OPERATION_ACTIVE);
		else if (i == 5)
			assert_int_equal(op_final(&e, LUNA_OP_ENCRYPT, out, &len),
					 CKR_OPERATION_ACTIVE);
		else
			assert_int_equal(op_run(&e, &bad),
					 i ? CKR_ARGUMENTS_BAD : CKR_OPERATION_ACTIVE);
		op_assert_ended(&e, LUNA_OP_ENCRYPT);
	}
	c.total = ~0ULL;
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	assert_int_equal(op_run(&e, &c), CKR_DATA_LEN_RANGE);
	test_free(out);
	fx_side_close(&e);
}

/* Malformed commands change nothing. */
static void test_malformed(void **state __maybe_unused)
{
	static const struct op_call bad[] = {
		{ .op = LUNA_OP_KINDS, .step = LUNA_STEP_ONESHOT },
		{ .op = ~0u, .step = LUNA_STEP_INIT },
		{ .op = LUNA_OP_ENCRYPT },
		{ .op = LUNA_OP_ENCRYPT, .step = 0x40 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT | LUNA_STEP_FINAL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_INIT | LUNA_STEP_CANCEL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_KEY },
		{ .op = LUNA_OP_SIGN_RECOVER, .step = LUNA_STEP_UPDATE },
		{ .op = LUNA_OP_VERIFY_RECOVER, .step = LUNA_STEP_FINAL },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_FINAL, .data = "x", .data_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .param = "x", .param_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_ONESHOT, .sig = "x", .sig_len = 1 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_UPDATE, .data_len = 16 },
		{ .op = LUNA_OP_ENCRYPT, .step = LUNA_STEP_UPDATE, .data = "0123456789abcdef",
		  .data_len = 16, .out_max = LUNA_OUT_QUERY },
	};
	struct bytes key = hex(AES_KEY128);
	struct fx_side e;
	u8 *out = test_malloc(OP_ROOM);
	u32 k, len = OP_ROOM;

	fx_side_open(&e, NULL, 0);
	k = op_key(&e, CKK_AES, &key);
	assert_int_equal(op_init(&e, LUNA_OP_ENCRYPT, CKM_AES_ECB, k, NULL, 0), CKR_OK);
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++) {
		struct op_call c = bad[i];

		assert_int_equal(op_run(&e, &c), CKR_ARGUMENTS_BAD);
	}
	assert_int_equal(op_oneshot(&e, LUNA_OP_ENCRYPT, key.data, 16, out, &len), CKR_OK);
	test_free(out);
	fx_side_close(&e);
}

/* ---- what one open file may make the device keep ---- */

static s64 stage(struct luna_open *open, u32 session, u32 len)
{
	u8 *bytes = test_calloc(1, LUNA_IOC_MAX);
	s64 rv = CKR_OK;
	u32 at, n;

	for (at = 0; at < len && !rv; at += n) {
		struct luna_data put = { .hdr.session = session, .offset = at };

		n = min_t(u32, len - at, LUNA_IOC_MAX - sizeof(put));
		rv = fx_call(open, LUNA_DATA_PUT, &put, sizeof(put), bytes, n, NULL, NULL);
	}
	test_free(bytes);
	return rv;
}

/* A session object with @len bytes of value; with @handle: the value becomes that of the object. */
static s64 big_object(struct fx_side *side, u32 len, u32 *handle)
{
	struct luna_object_arg arg = { .hdr.session = side->session, .handle = *handle };
	struct fx_tmpl head = { 0 };
	struct luna_attr value = { .type = CKA_VALUE, .len = len };
	u32 nr = *handle ? LUNA_ATTR_SET : LUNA_OBJECT_CREATE;
	u8 *all = test_calloc(1, sizeof(head) + sizeof(value) + len);
	s64 rv;

	if (!*handle)
		fx_attr_ulong(&head, CKA_CLASS, CKO_DATA);
	memcpy(all, head.data, head.len);
	memcpy(all + head.len, &value, sizeof(value));
	arg.template_len = head.len + sizeof(value) + len;
	rv = fx_call(side->open, nr, &arg, sizeof(arg), all, arg.template_len, NULL, NULL);
	test_free(all);
	*handle = arg.handle;
	return rv;
}

static void test_bounds(void **state __maybe_unused)
{
	enum { LIMIT = LUNA_OPEN_BYTES_MAX, OBJECT = 1000000, ROOM = LIMIT / LUNA_STAGE_MAX };
	u32 sessions[ROOM + 1], count, handle = 0, small = 0, other, last = 0;
	struct luna_open *open;
	struct fx_side e;
	s64 rv, before;

	fx_side_open(&e, NULL, 0);
	before = atomic64_read(&e.open->held);
	for (count = 0; count <= ROOM; count++) {
		assert_int_equal(fx_session(e.open, false, &sessions[count]), CKR_OK);
		rv = stage(e.open, sessions[count], LUNA_STAGE_MAX);
		if (rv)
			break;
	}
	assert_int_equal(rv, CKR_DEVICE_MEMORY);
	assert_in_range(count, ROOM / 2, ROOM);
	open = luna_open(e.fx.token);
	assert_int_equal(fx_session(open, false, &other), CKR_OK);
	assert_int_equal(stage(open, other, LUNA_STAGE_MAX), CKR_OK);
	luna_release(open);
	for (u32 i = 0; i <= count; i++)
		assert_int_equal(fx_session_close(e.open, sessions[i]), CKR_OK);
	assert_int_equal(atomic64_read(&e.open->held), before);

	assert_int_equal(big_object(&e, 8, &small), CKR_OK);
	for (count = 0, rv = CKR_OK; !rv && count <= LIMIT / OBJECT; count++) {
		last = handle;
		handle = 0;
		rv = big_object(&e, OBJECT, &handle);
	}
	assert_int_equal(rv, CKR_DEVICE_MEMORY);
	assert_in_range(count, LIMIT / OBJECT - 4, LIMIT / OBJECT + 1);
	assert_int_equal(big_object(&e, OBJECT, &small), CKR_DEVICE_MEMORY);
	assert_int_equal(fx_destroy(e.open, e.session, last), CKR_OK);
	assert_int_equal(big_object(&e, OBJECT, &small), CKR_OK);
	assert_int_equal(big_object(&e, 8, &small), CKR_OK);
	fx_side_close(&e);
}

/* A whole call that runs out of memory at any point fails cleanly, and the next one succeeds. */
static void test_no_memory(void **state __maybe_unused)
{
	static const u32 ops[] = { LUNA_OP_ENCRYPT, LUNA_OP_SIGN, LUNA_OP_DIGEST };
	static const u32 mechs[] = { CKM_AES_CTR, CKM_AES_CMAC, CKM_SHA256 };
	struct bytes key = hex(AES_KEY128), p;
	u8 *out = test_malloc(OP_ROOM);
	struct fx_side e;
	u32 k, len;
	u64 calls;
	s64 rv;

	fx_side_open(&e, NULL, 0);
	for (u32 i = 0; i < ARRAY_SIZE(ops); i++) {
		for (u64 nth = 1; ; nth++) {
			k = op_key(&e, CKK_AES, &key);
			p = op_ctr_param(128, AES_IV);
			len = OP_ROOM;
			port_alloc_watch();
			port_alloc_fail(nth, 1);
			rv = fx_op(e.open, e.session, ops[i], mechs[i], k, p.data, i ? 0 : p.len,
				   key.data, 16, NULL, 0, out, &len);
			port_alloc_fail(0, 0);
			calls = port_alloc_calls();
			port_alloc_unwatch();
			if (rv == CKR_OK && calls < nth)
				break;
			assert_true(rv == CKR_OK || rv == CKR_DEVICE_MEMORY);
			len = OP_ROOM;
			assert_int_equal(fx_op(e.open, e.session, ops[i], mechs[i], k, p.data,
					       i ? 0 : p.len, key.data, 16, NULL, 0, out, &len),
					 CKR_OK);
		}
	}
	test_free(out);
	fx_side_close(&e);
}

/* Threads with sessions of their own begin to use one key at the same time. */
struct worker {
	pthread_t thread;
	struct luna_open *open;
	u32 session, key;
	u8 out[16];
	s64 rv;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct {
		struct luna_op op;
		u8 in[16];
	} request = {
		.op = {
			.hdr.size = sizeof(struct luna_op), .hdr.in_len = 16,
			.hdr.session = w->session,
			.step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT, .mechanism = CKM_AES_ECB,
			.key = w->key, .data_len = 16, .total = 16, .out_max = 16,
		},
	}, reply;
	size_t len;

	for (u32 i = 0; i < 500 && !w->rv; i++) {
		w->rv = luna_cmd(w->open, LUNA_OP, &request, sizeof(request), &reply, &len);
		w->rv = w->rv ?: reply.op.hdr.rv;
	}
	memcpy(w->out, reply.in, sizeof(w->out));
	return NULL;
}

static void test_threads(void **state __maybe_unused)
{
	struct bytes key = hex(AES_KEY128), expected = hex("7df76b0c1ab899b33e42f047b91b546f");
	struct worker workers[4] = {};
	struct fx_side e;

	fx_side_open(&e, NULL, 0);
	for (u32 round = 0; round < 20; round++) {
		u32 k = op_key(&e, CKK_AES, &key);

		for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
			workers[i].open = e.open;
			workers[i].key = k;
			assert_int_equal(fx_session(e.open, true, &workers[i].session), CKR_OK);
		}
		for (u32 i = 0; i < ARRAY_SIZE(workers); i++)
			assert_int_equal(
				pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
		for (u32 i = 0; i < ARRAY_SIZE(workers); i++) {
			pthread_join(workers[i].thread, NULL);
			assert_int_equal(workers[i].rv, CKR_OK);
			assert_memory_equal(workers[i].out, expected.data, 16);
		}
	}
	fx_side_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_checks),
		cmocka_unit_test(test_logout),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
