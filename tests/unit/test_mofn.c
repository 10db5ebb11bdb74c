// SPDX-License-Identifier: MIT
/*
 * M of N: a secret in vectors, any M of which activate it and nothing else does, here or on a token
 * that got it by cloning. How it comes back with HA login is in test_ha.c.
 */
#include "token_pair.h"

static void test_mofn(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW], some[FX_VECTORS * FX_VECTOR_ROW];
	struct luna_mofn_status status;
	u32 i;

	assert_int_equal(fx_mofn_flags(&a), 0);
	assert_int_equal(fx_mofn_activate(&a, vectors, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_mofn_generate(&a, 0, 5, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_mofn_generate(&a, 6, 5, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_mofn_generate(&a, 2, 17, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_mofn_generate(&a, 3, 5, 0, FX_VECTOR - 1, vectors),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(fx_mofn_generate(&a, 3, 5, 0, LUNA_OUT_QUERY, vectors), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a), 0);
	assert_int_equal(fx_mofn_generate(&a, 3, 5, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	status = fx_mofn_status(&a);
	assert_int_equal(status.m, 3);
	assert_int_equal(status.n, 5);
	assert_int_equal(status.secret_size, 32);
	assert_int_equal(status.flags, CAF_M_OF_N_GENERATED | CAF_M_OF_N_CLONEABLE);

	for (i = 0; i < 3; i++)
		memcpy(some + i * FX_VECTOR_ROW, vectors + (4 - 2 * i) * FX_VECTOR_ROW,
		       FX_VECTOR_ROW);
	assert_int_equal(fx_mofn_activate(&a, some, 2), CKR_DATA_LEN_RANGE);
	memcpy(some + 2 * FX_VECTOR_ROW, some, FX_VECTOR_ROW);
	assert_int_equal(fx_mofn_activate(&a, some, 3), CKR_DATA_INVALID);
	memcpy(some + 2 * FX_VECTOR_ROW, vectors, FX_VECTOR_ROW);
	for (i = 4; i < FX_VECTOR_ROW; i++) {
		some[i] ^= 0x10;
		assert_int_equal(fx_mofn_activate(&a, some, 3), CKR_DATA_INVALID);
		some[i] ^= 0x10;
	}
	assert_int_equal(fx_mofn_flags(&a) & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(fx_mofn_activate(&a, some, 3), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a) & CAF_M_OF_N_ACTIVATED, CAF_M_OF_N_ACTIVATED);
	assert_int_equal(fx_mofn_deactivate(&a), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a) & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(fx_mofn_activate(&a, vectors, 5), CKR_OK);
}

/* Vectors of one token activate the other after cloning. */
static void test_mofn_clone(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW];

	assert_int_equal(pair_clone_mofn(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, 0, 512, vectors), CKR_OK);
	assert_int_equal(pair_clone_mofn(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(pair_clone_mofn(), CKR_OK);
	assert_int_equal(fx_mofn_status(&b).id, fx_mofn_status(&a).id);
	assert_int_equal(fx_mofn_activate(&b, vectors + FX_VECTOR_ROW, 2), CKR_OK);
}

static s64 export_image(void)
{
	struct luna_image_arg arg = { .hdr.session = a.session };

	return fx_call(a.open, LUNA_IMAGE_EXPORT, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

static u32 find_value(const u8 *value, u32 len)
{
	struct fx_tmpl tmpl = { 0 };
	u32 handles[2], count;

	fx_attr(&tmpl, CKA_VALUE, value, len);
	assert_int_equal(fx_find(a.open, a.session, &tmpl, handles, 2, &count), CKR_OK);
	return count;
}

/* Where M of N is required, a key's value is as much out of reach as its use, in an image, too. */
static void test_mofn_guards_values(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW], value[32];
	struct fx_tmpl tmpl = { 0 };
	u32 key, len = sizeof(value);

	fx_side_init(&a, LUNA_TOKEN_PPSO, FX_DOMAIN, LUNA_INIT_MOFN);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, 0, 512, vectors), CKR_OK);
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, sizeof(value));
	fx_attr_bool(&tmpl, CKA_SENSITIVE, false);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, true);
	assert_int_equal(fx_generate_key(a.open, a.session, CKM_AES_KEY_GEN, &tmpl, &key), CKR_OK);
	assert_int_equal(fx_attr_get(a.open, a.session, key, CKA_VALUE, value, &len),
			 CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(export_image(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_mofn_activate(&a, vectors, 2), CKR_OK);
	len = sizeof(value);
	assert_int_equal(fx_attr_get(a.open, a.session, key, CKA_VALUE, value, &len), CKR_OK);
	assert_int_equal(find_value(value, len), 1);
	assert_int_equal(export_image(), CKR_OK);
	assert_int_equal(fx_mofn_deactivate(&a), CKR_OK);
	assert_int_equal(find_value(value, len), 0);
	assert_int_equal(export_image(), CKR_OPERATION_NOT_ALLOWED);
}

/* A secret that the store does not take replaces none. */
static void test_mofn_failures(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW], later[FX_VECTORS * FX_VECTOR_ROW];

	assert_int_equal(fx_mofn_generate(&a, 2, 2, 0, 512, vectors), CKR_OK);
	assert_int_equal(fx_mofn_activate(&a, vectors, 2), CKR_OK);
	memstore_fail(a.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(fx_mofn_generate(&a, 2, 2, 0, 512, later), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a), CAF_M_OF_N_GENERATED | CAF_M_OF_N_ACTIVATED);
	assert_int_equal(fx_mofn_activate(&a, vectors, 2), CKR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAIR_TEST(test_mofn),
		PAIR_TEST(test_mofn_clone),
		PAIR_TEST(test_mofn_guards_values),
		PAIR_TEST(test_mofn_failures),
	};

	return cmocka_run_group_tests(tests, NULL, pair_end);
}
