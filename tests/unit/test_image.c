// SPDX-License-Identifier: MIT
/*
 * Images: what goes out comes in, on another token or in the place of one, and goes on working; who
 * may; in which order; whatever fails leaves the token that was there. Images that are damaged or
 * made up are in test_image_hostile.c.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "image_bench.h"
#include "vector_file.h"

#define OLD_SO_PIN	"so-pin-of-the-old-token"

/* ---- an old token ---- */

/* An old token, with an object of its own. */
static void target_make_old(struct image_side *side, u32 slot)
{
	u32 session, handle;

	image_target_make(side, slot);
	assert_int_equal(fx_init_token(side->open, LUNA_TOKEN_PPSO, OLD_SO_PIN, "old"), CKR_OK);
	assert_int_equal(fx_session(side->open, true, &session), CKR_OK);
	assert_int_equal(fx_login(side->open, session, CKU_SO, OLD_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(side->open, session, CKU_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(fx_logout(side->open, session), CKR_OK);
	assert_int_equal(fx_login(side->open, session, CKU_USER, FX_CU_PIN), CKR_OK);
	side->session = session;
	assert_int_equal(image_data_make(side, "old", 10, true, &handle), CKR_OK);
	assert_int_equal(fx_session_close(side->open, session), CKR_OK);
}

static void reopen(struct image_side *side)
{
	luna_release(side->open);
	fx_reopen(&side->fx);
	side->open = luna_open(side->fx.token);
	assert_false(IS_ERR(side->open));
}

/* The old token works as before, also after a restart. */
static void expect_old(struct image_side *side)
{
	u32 session, handle;
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(fx_session(side->open, true, &session), CKR_OK);
		assert_int_equal(fx_login(side->open, session, CKU_USER, FX_CU_PIN), CKR_OK);
		assert_int_equal(image_found(side->open, session, "old", &handle), 1);
		assert_int_equal(image_found(side->open, session, "public", &handle), 0);
		assert_int_equal(fx_session_close(side->open, session), CKR_OK);
		reopen(side);
	}
}

/* ---- there and back, and who may ---- */

static void test_round_trip(void **state)
{
	struct image_pair p;

	image_pair_make(&p, image_target_make);
	assert_int_equal(image_restore(p.target.open, &p.image, ""), CKR_OK);
	image_expect_restored(&p.target, &p.source);
	reopen(&p.target);
	image_expect_restored(&p.target, &p.source);
	/* The copy can be exported in its turn, and restored over the first. */
	assert_int_equal(fx_session(p.target.open, true, &p.target.session), CKR_OK);
	assert_int_equal(fx_login(p.target.open, p.target.session, CKU_USER, FX_CO_PIN), CKR_OK);
	test_free(p.image.data);
	p.image = image_of(&p.target);
	assert_int_equal(fx_session_close(p.source.open, p.source.session), CKR_OK);
	assert_int_equal(image_restore(p.source.open, &p.image, FX_SO_PIN), CKR_OK);
	image_expect_restored(&p.source, &p.source);
	image_pair_end(&p);
}

/* Several frames, a record across them, pieces of any size; frames may not change places. */
static void test_frames(void **state)
{
	struct image_side source, target;
	struct image image;
	u32 i, len, handle;
	u64 damaged;
	char label[16];
	s64 held;
	u8 *swap;

	image_source_make(&source, 0);
	held = atomic64_read(&source.open->held);
	for (i = 0; i < 30; i++) {
		scnprintf(label, sizeof(label), "data %u", i);
		assert_int_equal(image_data_make(&source, label, 7900, i & 1, &handle), CKR_OK);
	}
	assert_int_equal(image_export(source.open, source.session, &len), CKR_OK);
	assert_true(len > 3 * LUNA_IMAGE_FRAME);
	assert_true(atomic64_read(&source.open->held) >= len);
	image = image_fetch(source.open, len, 777);
	assert_int_equal(atomic64_read(&source.open->held), held);
	image_target_make(&target, OTHER_SLOT);
	swap = test_malloc(LUNA_IMAGE_FRAME);
	memcpy(swap, image.data + LUNA_IMAGE_HEAD, LUNA_IMAGE_FRAME);
	memmove(image.data + LUNA_IMAGE_HEAD, image.data + LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME,
		LUNA_IMAGE_FRAME);
	memcpy(image.data + LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME, swap, LUNA_IMAGE_FRAME);
	assert_int_equal(image_restore(target.open, &image, ""), CKR_DATA_INVALID);
	memcpy(image.data + LUNA_IMAGE_HEAD, swap, LUNA_IMAGE_FRAME);
	memcpy(image.data + LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME, swap, LUNA_IMAGE_FRAME);
	assert_int_equal(image_send(target.open, &image), CKR_OK);
	assert_int_equal(image_restore_sent(target.open, "", FX_DOMAIN, CKU_USER, FX_CO_PIN,
					    &damaged), CKR_DATA_INVALID);
	assert_int_equal(damaged, LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME);
	image_expect_untouched(&target);
	test_free(image.data);
	image = image_of(&source);
	assert_int_equal(image_restore(target.open, &image, ""), CKR_OK);
	assert_int_equal(atomic64_read(&target.open->held), 0);
	image_expect_restored(&target, &source);
	test_free(swap);
	test_free(image.data);
	image_side_end(&source);
	image_side_end(&target);
}

static void test_who_may_export(void **state)
{
	struct image_side side;
	u32 len, other;

	image_source_make(&side, 0);
	assert_int_equal(fx_logout(side.open, side.session), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_login(side.open, side.session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(fx_logout(side.open, side.session), CKR_OK);
	assert_int_equal(fx_login(side.open, side.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(side.open, side.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_OK);
	assert_int_equal(fx_logout(side.open, side.session), CKR_OK);
	assert_int_equal(fx_login(side.open, side.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(image_export(side.open, 99, &len), CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(fx_session_close(side.open, side.session), CKR_OK);
	/* Without a domain. */
	assert_int_equal(fx_init_token(side.open, LUNA_TOKEN_PPSO, FX_SO_PIN, ""), CKR_OK);
	assert_int_equal(fx_session(side.open, true, &other), CKR_OK);
	assert_int_equal(fx_login(side.open, other, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(side.open, other, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(fx_logout(side.open, other), CKR_OK);
	assert_int_equal(fx_login(side.open, other, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, other, &len), CKR_CLONING_PARAMETER_MISSING);
	image_side_end(&side);
}

/* Every policy that forbids cloning something forbids the image. */
static void test_policies(void **state)
{
	static const struct {
		bool hsm;
		u32 id;
	} rows[] = { { false, 0 }, { false, 4 }, { true, 7 }, { true, 16 } };
	struct image_side side;
	u32 i, len, *value;

	image_source_make(&side, 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		value = rows[i].hsm ? &side.fx.token->state->hsm_policies[rows[i].id] :
				      &side.fx.token->state->policies[rows[i].id];
		*value = 0;
		assert_int_equal(image_export(side.open, side.session, &len),
				 CKR_OPERATION_NOT_ALLOWED);
		*value = 1;
	}
	assert_int_equal(image_export(side.open, side.session, &len), CKR_OK);
	image_side_end(&side);
}

/* Only its SO replaces a token, with attempts counted, and while nobody uses it. */
static void test_over_a_token(void **state)
{
	struct image_pair p;
	u32 session;

	image_pair_make(&p, target_make_old);
	assert_int_equal(image_restore(p.target.open, &p.image, ""), CKR_PIN_LEN_RANGE);
	assert_int_equal(p.target.fx.token->state->roles[LUNA_ROLE_SO].failed, 0);
	assert_int_equal(image_restore(p.target.open, &p.image, FX_SO_PIN), CKR_PIN_INCORRECT);
	assert_int_equal(p.target.fx.token->state->roles[LUNA_ROLE_SO].failed, 1);
	expect_old(&p.target);
	assert_int_equal(p.target.fx.token->state->roles[LUNA_ROLE_SO].failed, 1);
	assert_int_equal(fx_session(p.target.open, false, &session), CKR_OK);
	assert_int_equal(image_restore(p.target.open, &p.image, OLD_SO_PIN), CKR_SESSION_EXISTS);
	assert_int_equal(fx_session_close(p.target.open, session), CKR_OK);
	assert_int_equal(image_restore(p.target.open, &p.image, OLD_SO_PIN), CKR_OK);
	image_expect_restored(&p.target, &p.source);
	image_pair_end(&p);
}

/* A restore is no way round the lock: the SO's last attempt ends the old token, as at login. */
static void test_attempts_end(void **state)
{
	struct image_pair p;
	int i;

	image_pair_make(&p, target_make_old);
	for (i = 0; i < 10; i++)
		assert_int_equal(image_restore(p.target.open, &p.image, FX_SO_PIN),
				 CKR_PIN_INCORRECT);
	assert_false(p.target.fx.token->state->initialised);
	assert_int_equal(image_restore(p.target.open, &p.image, ""), CKR_OK);
	image_expect_restored(&p.target, &p.source);
	image_pair_end(&p);
}

static void test_wrong_keys(void **state)
{
	struct image_pair p;
	u64 damaged = 1;

	image_pair_make(&p, image_target_make);
#define TRY(domain, role, pin)								\
	(image_send(p.target.open, &p.image) ?:						\
	 image_restore_sent(p.target.open, "", domain, role, pin, &damaged))
	assert_int_equal(TRY("another", CKU_USER, FX_CO_PIN), CKR_UNWRAPPING_ERROR);
	assert_int_equal(damaged, 0);
	assert_int_equal(TRY("", CKU_USER, FX_CO_PIN), CKR_UNWRAPPING_ERROR);
	assert_int_equal(TRY(FX_DOMAIN, CKU_USER, FX_SO_PIN), CKR_SIM_AUTHORIZATION_FAILED);
	assert_int_equal(TRY(FX_DOMAIN, CKU_USER, ""), CKR_SIM_AUTHORIZATION_FAILED);
	assert_int_equal(TRY(FX_DOMAIN, CKU_LIMITED_USER, FX_CU_PIN), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(TRY(FX_DOMAIN, 77, FX_CO_PIN), CKR_USER_TYPE_INVALID);
	image_expect_untouched(&p.target);
	assert_int_equal(TRY(FX_DOMAIN, CKU_SO, FX_SO_PIN), CKR_OK);
	image_expect_restored(&p.target, &p.source);
#undef TRY
	image_pair_end(&p);
}

/* @cipher is @plain under AES-256 with this key. */
static void expect_block(const u8 *value, const u8 *plain, const u8 *cipher)
{
	struct luna_aes_key *key = luna_openssl_ops.aes_key(value, 32);
	struct luna_cipher_stream *s;
	u8 block[LUNA_AES_BLOCK];

	assert_false(IS_ERR(key));
	s = luna_openssl_ops.cipher_begin(key, LUNA_ECB, true, NULL, 0);
	assert_false(IS_ERR(s));
	assert_int_equal(luna_openssl_ops.cipher_update(s, plain, sizeof(block), block), 0);
	assert_memory_equal(block, cipher, sizeof(block));
	luna_openssl_ops.cipher_end(s);
	luna_openssl_ops.aes_key_free(key);
}

/* An image made once is restored for ever. The quick provider lacks the real PBKDF2. */
static void test_vector(void **state)
{
	enum { ROOM = 16384 };
	static const u8 plain[LUNA_AES_BLOCK] = { 9, 8, 7 };
	char *text = vector_file("image-v1.txt");
	struct image image = { .data = test_malloc(ROOM) };
	struct image_side target;
	u32 session, key, len = 32;
	u8 value[32], got[32];

	image.len = vector_value(text, "image", image.data, ROOM);
	assert_int_equal(vector_value(text, "key.value", value, sizeof(value)), sizeof(value));
	test_free(text);
	memset(&target, 0, sizeof(target));
	fx_open(&target.fx, NULL, OTHER_SLOT);
	target.open = luna_open(target.fx.token);
	assert_int_equal(image_restore(target.open, &image, ""), CKR_OK);
	assert_int_equal(fx_session(target.open, true, &session), CKR_OK);
	assert_int_equal(fx_login(target.open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(image_found(target.open, session, "key", &key), 1);
	assert_int_equal(fx_attr_get(target.open, session, key, CKA_VALUE, got, &len),
			 CKR_ATTRIBUTE_SENSITIVE);
	assert_memory_equal(target.fx.token->state->label, FX_LABEL, strlen(FX_LABEL));
	len = sizeof(plain);
	assert_int_equal(fx_op(target.open, session, LUNA_OP_ENCRYPT, CKM_AES_ECB, key, NULL, 0,
			       plain, sizeof(plain), NULL, 0, got, &len), CKR_OK);
	expect_block(value, plain, got);
	test_free(image.data);
	image_side_end(&target);
}

static void test_order(void **state)
{
	struct image_side source, target;
	struct image image;
	u32 len, n;
	u8 byte[8];

	image_source_make(&source, 0);
	image_target_make(&target, OTHER_SLOT);
	n = 1;
	assert_int_equal(image_get(source.open, 0, byte, &n), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_restore_sent(target.open, "", FX_DOMAIN, CKU_USER, FX_CO_PIN, NULL),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(image_put(target.open, 5, byte, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_export(source.open, source.session, &len), CKR_OK);
	n = 3;
	assert_int_equal(image_get(source.open, 0, byte, &n), CKR_OK);
	n = 3;
	assert_int_equal(image_get(source.open, 0, byte, &n), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_put(source.open, 3, byte, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_session_close(source.open, source.session), CKR_OK);
	assert_int_equal(image_restore_sent(source.open, FX_SO_PIN, FX_DOMAIN, CKU_USER, FX_CO_PIN,
					    NULL), CKR_ARGUMENTS_BAD);
	/* A session's end does not end the image, another begins anew. */
	n = 3;
	assert_int_equal(image_get(source.open, 3, byte, &n), CKR_OK);
	assert_int_equal(fx_session(source.open, true, &source.session), CKR_OK);
	assert_int_equal(fx_login(source.open, source.session, CKU_USER, FX_CO_PIN), CKR_OK);
	image = image_of(&source);
	assert_int_equal(image_put(target.open, 0, image.data, 100), CKR_OK);
	assert_int_equal(image_put(target.open, 99, image.data, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_put(target.open, 101, image.data, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_restore(target.open, &image, ""), CKR_OK);
	image_expect_restored(&target, &source);
	test_free(image.data);
	image_side_end(&source);
	image_side_end(&target);
}

/* ---- failures ---- */

static void test_store_fails(void **state)
{
	static const struct {
		enum memstore_call call;
		int error;
		s64 expected;
	} rows[] = {
		{ MEMSTORE_REPLACE_BEGIN, -ENOSPC, CKR_DEVICE_MEMORY },
		{ MEMSTORE_REPLACE_BEGIN, -EIO, CKR_DEVICE_ERROR },
		{ MEMSTORE_REPLACE_APPEND, -ENOSPC, CKR_DEVICE_MEMORY },
		{ MEMSTORE_REPLACE_APPEND, -EIO, CKR_DEVICE_ERROR },
		{ MEMSTORE_REPLACE_COMMIT, -ENOSPC, CKR_DEVICE_MEMORY },
	};
	struct image_pair p;
	u32 i;

	image_pair_make(&p, target_make_old);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memstore_break(p.target.fx.store, rows[i].call, 1, rows[i].error);
		assert_int_equal(image_restore(p.target.open, &p.image, OLD_SO_PIN),
				 rows[i].expected);
		memstore_fail(p.target.fx.store, rows[i].call, 0, 0, 0);
		expect_old(&p.target);
	}
	/* After this one nobody knows which it is, until it is loaded again. */
	memstore_fail(p.target.fx.store, MEMSTORE_REPLACE_COMMIT, 1, -EIO, 0);
	assert_int_equal(image_restore(p.target.open, &p.image, OLD_SO_PIN), CKR_DEVICE_ERROR);
	reopen(&p.target);
	expect_old(&p.target);
	assert_int_equal(image_restore(p.target.open, &p.image, OLD_SO_PIN), CKR_OK);
	image_expect_restored(&p.target, &p.source);
	image_pair_end(&p);
}

/* Each allocation of an export and of a restore fails in turn. */
static void test_out_of_memory(void **state)
{
	struct image_side source, target;
	struct image image;
	bool met = true;
	u32 len;
	u64 nth;
	s64 ret;

	image_source_make(&source, 0);
	for (nth = 1; met; nth++) {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		ret = image_export(source.open, source.session, &len);
		met = port_alloc_calls() >= nth;
		port_alloc_unwatch();
		assert_int_equal(ret, met ? CKR_DEVICE_MEMORY : CKR_OK);
	}
	assert_true(nth > 10);
	image = image_fetch(source.open, len, 5000);
	target_make_old(&target, OTHER_SLOT);
	for (met = true, nth = 1; met; nth++) {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		ret = image_restore(target.open, &image, OLD_SO_PIN);
		met = port_alloc_calls() >= nth;
		port_alloc_unwatch();
		if (ret != (s64)(met ? CKR_DEVICE_MEMORY : CKR_OK))
			fail_msg("allocation %llu: %#llx", (unsigned long long)nth,
				 (unsigned long long)ret);
		if (met && nth % 8 == 0)
			expect_old(&target);
	}
	assert_true(nth > 20);
	image_expect_restored(&target, &source);
	test_free(image.data);
	image_side_end(&source);
	image_side_end(&target);
}

/* No more than an application may have. */
static void test_too_large(void **state)
{
	enum { MUCH = 1 << 20 };
	struct image_side target;
	u8 *piece = test_calloc(1, 16000);
	u32 at = 0;
	s64 ret;

	image_target_make(&target, OTHER_SLOT);
	do {
		ret = image_put(target.open, at, piece, 16000);
		at += 16000;
	} while (!ret && at < 2 * LUNA_OPEN_BYTES_MAX);
	assert_int_equal(ret, CKR_DEVICE_MEMORY);
	assert_in_range(at, LUNA_OPEN_BYTES_MAX - MUCH, LUNA_OPEN_BYTES_MAX + MUCH);
	assert_int_equal(atomic64_read(&target.open->held), 0);
	test_free(piece);
	image_side_end(&target);
}

/* ---- while others write ---- */

struct writer {
	struct image_side side;
	atomic_int stop;
	u32 rounds;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;
	struct image_side *side = &w->side;
	struct fx_tmpl tmpl = { 0 };
	u32 pair[2], i;

	while (!atomic_load(&w->stop)) {
		for (i = 0; i < 2; i++)
			assert_int_equal(image_data_make(side, "pair", 3000, true, &pair[i]),
					 CKR_OK);
		fx_attr_text(&tmpl, CKA_LABEL, "pear");
		assert_int_equal(fx_attr_set(side->open, side->session, pair[0], &tmpl), CKR_OK);
		tmpl.len = 0;
		for (i = 0; i < 2; i++)
			assert_int_equal(fx_destroy(side->open, side->session, pair[i]), CKR_OK);
		w->rounds++;
	}
	return NULL;
}

/* Each image is of one moment: it restores, and what nobody touches is in it. */
static void test_while_writing(void **state)
{
	struct writer writer = { 0 };
	struct image_side *beside = &writer.side;
	struct image_side source, target;
	struct image image;
	pthread_t thread;
	int i;

	image_source_make(&source, 0);
	beside->open = luna_open(source.fx.token);
	assert_int_equal(fx_session(beside->open, true, &beside->session), CKR_OK);
	assert_int_equal(fx_login(beside->open, beside->session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
	for (i = 0; i < 30; i++) {
		image = image_of(&source);
		image_target_make(&target, OTHER_SLOT);
		assert_int_equal(image_restore(target.open, &image, ""), CKR_OK);
		image_expect_restored(&target, &source);
		test_free(image.data);
		image_side_end(&target);
	}
	atomic_store(&writer.stop, 1);
	pthread_join(thread, NULL);
	assert_true(writer.rounds > 0);
	luna_release(beside->open);
	image_side_end(&source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_who_may_export),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_over_a_token),
		cmocka_unit_test(test_attempts_end),
		cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_store_fails),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_while_writing),
	};

	return cmocka_run_group_tests(tests, image_setup, image_teardown);
}
