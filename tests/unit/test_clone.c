// SPDX-License-Identifier: MIT
/*
 * Cloning between two tokens, as lib/token/PROTOCOLS.md promises: what works, that length queries
 * and short buffers change nothing, and that whatever was altered, replayed, sent to another
 * session or out of order is refused with its code and creates nothing.
 */
#include "token_pair.h"

enum { BIG = 200 * 1024 };

static struct fx_message other;

static u32 data_object(struct fx_side *side, bool token, bool private)
{
	u32 handle;

	assert_int_equal(fx_make_data(side, token, private, &handle), CKR_OK);
	return handle;
}

static u32 count_objects(struct fx_side *side)
{
	struct fx_tmpl none = { 0 };
	u32 handles[64], count;

	assert_int_equal(fx_find(side->open, side->session, &none, handles, 64, &count), CKR_OK);
	return count;
}

static s64 source(u32 handle)
{
	return fx_send(&a, LUNA_CLONE_SOURCE, BLOB(.handle = handle), &part1, &part2);
}

static s64 target(u32 *clone)
{
	struct luna_blob arg = { 0 };
	s64 rv = fx_step(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL);

	*clone = arg.handle;
	return rv;
}

static void assert_same(u32 from, u32 to, u32 type)
{
	u8 one[512], two[512];
	u32 len1 = sizeof(one), len2 = sizeof(two);

	assert_int_equal(fx_attr_get(a.open, a.session, from, type, one, &len1), CKR_OK);
	assert_int_equal(fx_attr_get(b.open, b.session, to, type, two, &len2), CKR_OK);
	assert_int_equal(len1, len2);
	assert_memory_equal(one, two, len1);
}

static void test_clone(void **state __maybe_unused)
{
	static const u32 types[] = { CKA_OUID, CKA_LABEL, CKA_VALUE_LEN, CKA_EXTRACTABLE, CKA_LOCAL,
				     CKA_MODIFIABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
				     CKA_KEY_GEN_MECHANISM, CKA_ENCRYPT, CKA_TOKEN, CKA_PRIVATE };
	u8 data[32] = "two blocks of data, thirty-two.", one[32], two[32];
	u32 key = pair_aes_key(&a), clone, again, len1 = 32, len2 = 32;

	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone), CKR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_same(key, clone, types[i]);
	assert_int_equal(fx_op(a.open, a.session, LUNA_OP_ENCRYPT, CKM_AES_ECB, key, NULL, 0, data,
			       32, NULL, 0, one, &len1),
			 CKR_OK);
	assert_int_equal(fx_op(b.open, b.session, LUNA_OP_ENCRYPT, CKM_AES_ECB, clone, NULL, 0,
			       data, 32, NULL, 0, two, &len2),
			 CKR_OK);
	assert_memory_equal(one, two, 32);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &again), CKR_OK);
	assert_int_not_equal(clone, again);
	assert_same(key, again, CKA_OUID);
}

static void test_clone_survives(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone;

	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone), CKR_OK);
	fx_side_restart(&b);
	fx_side_as(&b, CKU_USER);
	assert_same(key, clone, CKA_OUID);
}

/* Queries and short buffers at every step, before the real call and after it. */
static void test_clone_sizes(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone, len;
	struct luna_blob arg = { 0 };

	assert_int_equal(fx_step_query(&a, a.session, LUNA_CLONE_SOURCE_INIT, &arg, NULL, &len),
			 CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(len, twc.len);

	assert_int_equal(fx_step_query(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc, &len),
			 CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(len, part1.len);
	assert_int_equal(fx_step_short(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(fx_step_query(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc, &len),
			 CKR_OK);

	arg.handle = key;
	assert_int_equal(fx_step_query(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &len),
			 CKR_OK);
	arg.handle = key;
	assert_int_equal(fx_step_short(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(source(key), CKR_OK);
	assert_int_equal(part2.len, len);
	assert_int_equal(target(&clone), CKR_OK);
	assert_same(key, clone, CKA_OUID);
}

static void test_clone_order(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone, objects = count_objects(&b), session;
	struct fx_message old;

	assert_int_equal(pair_source_init(), CKR_OK);
	fx_side_attach(&a);
	fx_side_as(&a, CKU_USER);

	assert_int_equal(target(&clone), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	/* each part is good once, and for the last exchange alone */
	assert_int_equal(source(key), CKR_OPERATION_NOT_INITIALIZED);
	old = part1;
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(target(&clone), CKR_DATA_INVALID);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	other = part2;
	assert_int_equal(target(&clone), CKR_OK);
	assert_int_equal(target(&clone), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(pair_target_init(), CKR_OK);
	part2 = other;
	assert_int_equal(target(&clone), CKR_DATA_INVALID);
	/* another session of the target */
	assert_int_equal(fx_session(b.open, true, &session), CKR_OK);
	assert_int_equal(fx_step(&b, session, LUNA_CLONE_TARGET, &BLOB(), &part2, NULL),
			 CKR_OPERATION_NOT_INITIALIZED);
	/* an old Part1 seals for a target that no longer waits for it */
	part1 = old;
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	assert_int_equal(target(&clone), CKR_DATA_INVALID);
	assert_int_equal(count_objects(&b), objects + 1);
}

static void test_clone_logout(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone;

	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(target(&clone), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&b, CKU_USER);
	assert_int_equal(target(&clone), CKR_OPERATION_NOT_INITIALIZED);
}

/* Altered messages are refused, and the true one still works. */
static void test_clone_altered(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone;
	const struct fx_taker of_twc = {
		.side = &b, .nr = LUNA_CLONE_TARGET_INIT, .stride = 1, .replies = true,
		.refusal = CKR_CERTIFICATE_DATA_INVALID, .refusal2 = CKR_CERTIFICATE_DATA_INVALID,
	}, of_part1 = {
		.side = &a, .nr = LUNA_CLONE_SOURCE, .arg.handle = key, .stride = 1,
		.replies = true,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	}, of_part2 = {
		.side = &b, .nr = LUNA_CLONE_TARGET, .stride = 1,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	};

	assert_int_equal(pair_source_init(), CKR_OK);
	fx_refuses_altered(&of_twc, &twc);
	assert_int_equal(pair_target_init(), CKR_OK);
	fx_refuses_altered(&of_part1, &part1);
	assert_int_equal(source(key), CKR_OK);
	fx_refuses_altered(&of_part2, &part2);
	assert_int_equal(target(&clone), CKR_OK);
}

static void test_clone_arguments(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone;
	struct luna_blob arg;

	part1.len = 1;
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(), &part1, &twc),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(.replicate = 2), NULL, &twc),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(pair_source_init(), CKR_OK);
	other.len = 0;
	assert_int_equal(fx_send(&b, LUNA_CLONE_TARGET_INIT, BLOB(), &other, &part1),
			 CKR_CERTIFICATE_DATA_INVALID);
	assert_int_equal(pair_target_init(), CKR_OK);
	arg = BLOB(.handle = key, .type = CK_PARAM_ELEMENT);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2),
			 CKR_OBJECT_TYPE_INVALID);
	assert_int_equal(source(key + 1000), CKR_OBJECT_HANDLE_INVALID);
	arg = BLOB(.handle = key, .replicate = 1);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2), CKR_ARGUMENTS_BAD);
	assert_int_equal(source(key), CKR_OK);
	arg = BLOB(.replicate = 1);
	assert_int_equal(fx_send(&b, LUNA_CLONE_TARGET, arg, &part2, NULL), CKR_ARGUMENTS_BAD);
	arg = BLOB(.type = CK_MOFN_ACTIVATION_ELEMENT);
	assert_int_equal(fx_send(&b, LUNA_CLONE_TARGET, arg, &part2, NULL), CKR_DATA_INVALID);
	assert_int_equal(target(&clone), CKR_OK);

	/* a replicating source and a target that does not */
	arg = BLOB(.replicate = 1);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, arg, NULL, &twc), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	arg = BLOB(.replicate = 1, .handle = key);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2), CKR_DATA_INVALID);
}

static void test_clone_domain(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), objects;

	fx_side_init(&b, LUNA_TOKEN_PPSO, "another domain", 0);
	objects = count_objects(&b);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_UNWRAPPING_ERROR);
	assert_int_equal(count_objects(&b), objects);
	fx_side_init(&b, LUNA_TOKEN_PPSO, "", 0);
	assert_int_equal(pair_target_init(), CKR_CLONING_PARAMETER_MISSING);
}

static void test_clone_policies(void **state __maybe_unused)
{
	u32 key, clone;

	fx_side_set_policy(&b, LUNA_SCOPE_PARTITION, 4, 0);
	key = pair_aes_key(&a);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone),
			 CKR_OPERATION_NOT_ALLOWED);
	key = data_object(&a, true, true);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone), CKR_OK);
	fx_side_set_policy(&a, LUNA_SCOPE_PARTITION, 4, 0);
	key = pair_aes_key(&a);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_ALLOWED);
	fx_side_set_policy(&a, LUNA_SCOPE_HSM, 16, 0);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(.replicate = 1), NULL, &twc),
			 CKR_OPERATION_NOT_ALLOWED);
	fx_side_set_policy(&b, LUNA_SCOPE_HSM, 7, 0);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OPERATION_NOT_ALLOWED);
}

static void test_clone_roles(void **state __maybe_unused)
{
	u32 public = data_object(&a, true, false), clone;
	u32 private = data_object(&a, true, true);

	assert_int_equal(fx_init_pin(a.open, a.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(&a, LUNA_ROLE_NONE);
	assert_int_equal(pair_source_init(), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&a, CKU_SO);
	assert_int_equal(pair_source_init(), CKR_USER_NOT_AUTHORIZED);
	fx_side_as(&a, CKU_LIMITED_USER);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(source(private), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(source(public), CKR_OK);
	assert_int_equal(target(&clone), CKR_OK);
}

/* Attributes of 64 KiB and more travel staged and in pieces. */
static void test_clone_large(void **state __maybe_unused)
{
	u8 *payload = test_calloc(1, BIG + 4096), *big = test_malloc(BIG + 4096);
	struct luna_object_arg arg = { .hdr.session = a.session };
	struct fx_tmpl tmpl = { 0 };
	struct luna_attr value = { CKA_VALUE, BIG };
	struct luna_blob blob;
	u32 clone, len, handle;

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	memcpy(payload, tmpl.data, tmpl.len);
	memcpy(payload + tmpl.len, &value, sizeof(value));
	memset(payload + tmpl.len + sizeof(value), 0x77, BIG);
	arg.template_len = tmpl.len + sizeof(value) + BIG;
	assert_int_equal(fx_call(a.open, LUNA_OBJECT_CREATE, &arg, sizeof(arg), payload,
				 arg.template_len, NULL, NULL), CKR_OK);
	handle = arg.handle;
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	len = BIG + 4096;
	blob = (struct luna_blob){ .hdr.session = a.session, .handle = handle };
	assert_int_equal(
		fx_blob(a.open, LUNA_CLONE_SOURCE, &blob, part1.data, part1.len, big, &len),
		CKR_OK);
	blob = (struct luna_blob){ .hdr.session = b.session };
	assert_int_equal(fx_blob(b.open, LUNA_CLONE_TARGET, &blob, big, len, NULL, NULL), CKR_OK);
	clone = blob.handle;
	assert_same(handle, clone, CKA_OUID);
	test_free(payload);
	test_free(big);
}

static void test_clone_session_object(void **state __maybe_unused)
{
	u32 handle = data_object(&a, false, true), clone, count;

	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, handle, &clone), CKR_OK);
	assert_same(handle, clone, CKA_TOKEN);
	count = count_objects(&b);
	fx_side_attach(&b);
	fx_side_as(&b, CKU_USER);
	assert_int_equal(count_objects(&b), count - 1);
}

static void test_clone_same_token(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone;

	assert_int_equal(fx_clone(a.open, a.session, a.open, a.session, key, &clone), CKR_OK);
	assert_int_not_equal(key, clone);
}

/* A random source or a store that fails: nothing changes. */
static void test_clone_failures(void **state __maybe_unused)
{
	u32 key = pair_aes_key(&a), clone, i;

	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	for (i = 1; i <= 3; i++) {
		fakerng_fail(i);
		assert_int_equal(pair_target_init(), CKR_DEVICE_ERROR);
	}
	fakerng_fail(1);
	assert_int_equal(pair_source_init(), CKR_DEVICE_ERROR);
	fakerng_fail(0);
	assert_int_equal(pair_source_init(), CKR_OK);
	assert_int_equal(pair_target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	memstore_fail(b.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(target(&clone), CKR_OK);
	assert_int_equal(target(&clone), CKR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_clone),
		PAIR_TEST(test_clone_survives),
		PAIR_TEST(test_clone_sizes),
		PAIR_TEST(test_clone_order),
		PAIR_TEST(test_clone_logout),
		PAIR_TEST(test_clone_altered),
		PAIR_TEST(test_clone_arguments),
		PAIR_TEST(test_clone_domain),
		PAIR_TEST(test_clone_policies),
		PAIR_TEST(test_clone_roles),
		PAIR_TEST(test_clone_large),
		PAIR_TEST(test_clone_session_object),
		PAIR_TEST(test_clone_same_token),
		PAIR_TEST(test_clone_failures),
	};

	return cmocka_run_group_tests(tests, NULL, pair_end);
}
