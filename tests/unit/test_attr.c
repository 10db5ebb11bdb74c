// SPDX-License-Identifier: MIT
/* attr.c and attr_list.c: the table is in order, values are normal, lists trust no byte. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "attr.h"
#include "engine_fixture.h"

static const u32 classes[] = {
	CKO_DATA, CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_PRIVATE_KEY, CKO_SECRET_KEY,
};

static const u32 key_types[] = {
	CKK_RSA, CKK_AES, CKK_DES2, CKK_DES3, CKK_GENERIC_SECRET, CKK_SHA_1_HMAC, CKK_SHA224_HMAC,
	CKK_SHA256_HMAC, CKK_SHA384_HMAC, CKK_SHA512_HMAC, CKK_SHA3_224_HMAC, CKK_SHA3_256_HMAC,
	CKK_SHA3_384_HMAC, CKK_SHA3_512_HMAC,
};

/* What luna_attr_find() relies on, and what an object must find in its rows. */
static void check_rows(const struct luna_kind *kind)
{
	const struct luna_attr_row *row, *last = NULL;
	u32 at = 0, bits = 0;

	while ((row = luna_attr_next(kind, &at)) != NULL) {
		assert_true(!last || row->type > last->type);
		assert_ptr_equal(luna_attr_find(row->type, kind), row);
		assert_int_equal(luna_attr_any(row->type)->kind, row->kind);
		assert_int_equal(row->bit != LUNA_NO_BIT && row->kind != LUNA_ATTR_BOOL, 0);
		if (row->bit != LUNA_NO_BIT) {
			assert_false(bits & BIT(row->bit));
			bits |= BIT(row->bit);
		}
		/*
		 * What the engine computes from a required value needs no preset, and the reverse.
		 */
		assert_false((row->flags & LUNA_ATTR_REQUIRED) && row->preset != LUNA_PRESET_NONE);
		last = row;
	}
	assert_true(bits & BIT(LUNA_BIT_TOKEN));
}

static void test_table(void **state __maybe_unused)
{
	struct luna_kind kind;
	u32 i, j, pairs = 0;

	for (i = 0; i < ARRAY_SIZE(classes); i++) {
		for (j = 0; j < ARRAY_SIZE(key_types); j++) {
			if (luna_kind_find(&kind, classes[i], key_types[j]) != CKR_OK)
				continue;
			check_rows(&kind);
			pairs++;
		}
	}
	assert_int_equal(pairs, 14 + 14 + 1 + 1 + 13);
	assert_int_equal(luna_kind_find(&kind, 99, 0), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(luna_kind_find(&kind, 1ULL << 32, 0), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(luna_kind_find(&kind, CKO_SECRET_KEY, CKK_RC2),
			 CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(luna_kind_find(&kind, CKO_SECRET_KEY, CKK_RSA), CKR_TEMPLATE_INCONSISTENT);
	assert_null(luna_attr_any(0x12345));
}

static u32 read_value(u32 type, const void *data, u32 len, struct luna_value *value)
{
	return luna_value_read(value, luna_attr_any(type), data, len);
}

static void test_bool(void **state __maybe_unused)
{
	struct luna_value value;
	u64 wide = 1;
	u8 byte = 0;

	assert_int_equal(read_value(CKA_TOKEN, &wide, 8, &value), CKR_OK);
	assert_int_equal(value.len, 1);
	assert_int_equal(*value.data, 1);
	assert_int_equal(read_value(CKA_TOKEN, &byte, 1, &value), CKR_OK);
	assert_int_equal(*value.data, 0);
	byte = 2;
	assert_int_equal(read_value(CKA_TOKEN, &byte, 1, &value), CKR_ATTRIBUTE_VALUE_INVALID);
	wide = 256;
	assert_int_equal(read_value(CKA_TOKEN, &wide, 8, &value), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_value(CKA_TOKEN, &wide, 4, &value), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_value(CKA_TOKEN, &wide, 0, &value), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void test_values(void **state __maybe_unused)
{
	static const u8 number[] = { 0, 0, 1, 0 };
	struct luna_value value;

	assert_int_equal(read_value(CKA_MODULUS, number, 4, &value), CKR_OK);
	assert_int_equal(value.len, 2);
	assert_ptr_equal(value.data, number + 2);
	assert_int_equal(read_value(CKA_MODULUS, number, 2, &value), CKR_OK);
	assert_int_equal(value.len, 0);
	assert_int_equal(read_value(CKA_CLASS, number, 4, &value), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_value(CKA_START_DATE, "20261121", 8, &value), CKR_OK);
	assert_int_equal(read_value(CKA_START_DATE, "", 0, &value), CKR_OK);
	assert_int_equal(read_value(CKA_START_DATE, "2026112x", 8, &value),
			 CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_value(CKA_START_DATE, "202611", 6, &value),
			 CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(read_value(CKA_ALLOWED_MECHANISMS, "1234567", 7, &value),
			 CKR_ATTRIBUTE_VALUE_INVALID);
}

static void test_nested(void **state __maybe_unused)
{
	const struct luna_attr_row *row = luna_attr_any(CKA_WRAP_TEMPLATE);
	struct luna_attrw w, inner;
	struct luna_tmpl tmpl, list;
	const u8 *value;
	u64 wide = 1;
	u32 len;

	luna_attrw_init(&w);
	luna_attrw_init(&inner);
	luna_attrw_set(&inner, CKA_EXTRACTABLE, &wide, sizeof(wide));
	assert_int_equal(luna_attr_put(&w, row, inner.data, inner.len), CKR_OK);
	list = luna_attrw_tmpl(&w);
	value = luna_tmpl_get(&list, CKA_WRAP_TEMPLATE, &len);
	assert_int_equal(luna_tmpl_check(&tmpl, value, len), CKR_OK);
	luna_tmpl_get(&tmpl, CKA_EXTRACTABLE, &len);
	assert_int_equal(len, 1);
	/* A template in a template in a template would ask for recursion. */
	luna_attrw_set(&inner, CKA_UNWRAP_TEMPLATE, NULL, 0);
	assert_int_equal(luna_attr_put(&w, row, inner.data, inner.len),
			 CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(luna_attr_put(&w, row, inner.data, inner.len - 1), CKR_ARGUMENTS_BAD);
	luna_attrw_free(&inner);
	luna_attrw_free(&w);
}

static u32 check(const void *data, u32 len)
{
	struct luna_tmpl tmpl;
	void *exact = test_malloc(len ? len : 1);
	u32 rv;

	memcpy(exact, data, len);
	rv = luna_tmpl_check(&tmpl, exact, len);
	test_free(exact);
	return rv;
}

static void test_malformed(void **state __maybe_unused)
{
	struct fx_tmpl t = { 0 };
	u32 len, huge = 0xfffffff9, i;

	fx_attr_text(&t, CKA_LABEL, "abc");
	fx_attr_ulong(&t, CKA_CLASS, CKO_DATA);
	assert_int_equal(check(t.data, t.len), CKR_OK);
	assert_int_equal(check(t.data, 0), CKR_OK);
	for (len = 1; len < t.len; len++)
		assert_int_equal(check(t.data, len), len == 16 ? CKR_OK : CKR_ARGUMENTS_BAD);
	t.data[11] = 1;		/* padding */
	assert_int_equal(check(t.data, t.len), CKR_ARGUMENTS_BAD);
	t.data[11] = 0;
	memcpy(t.data + 4, &huge, 4);
	assert_int_equal(check(t.data, t.len), CKR_ARGUMENTS_BAD);
	t.len = 0;
	for (i = 0; i <= LUNA_TMPL_ATTRS_MAX; i++)
		fx_attr_bool(&t, CKA_TOKEN, true);
	assert_int_equal(check(t.data, t.len), CKR_ARGUMENTS_BAD);
	assert_int_equal(check(t.data, t.len - 16), CKR_OK);
	t.len = 32;
	fx_attr_bool(&t, CKA_TOKEN, false);
	assert_int_equal(check(t.data, t.len), CKR_TEMPLATE_INCONSISTENT);
}

static void test_writer(void **state __maybe_unused)
{
	struct luna_attrs *attrs;
	struct luna_attrw w;
	u64 value = 0;
	u32 len;

	luna_attrw_init(&w);
	luna_attrw_ulong(&w, CKA_KEY_TYPE, 7);
	luna_attrw_set(&w, CKA_LABEL, "first", 5);
	luna_attrw_bool(&w, CKA_TOKEN, true);
	luna_attrw_set(&w, CKA_LABEL, "the second one", 14);
	attrs = luna_attrw_finish(&w);
	assert_false(IS_ERR(attrs));
	assert_int_equal(attrs->len, 16 + 24 + 16);
	assert_int_equal(attrs->data[0], CKA_TOKEN);
	assert_memory_equal(luna_attrs_bytes(attrs, CKA_LABEL, &len), "the second one", 14);
	assert_int_equal(len, 14);
	assert_true(luna_attrs_bool(attrs, CKA_TOKEN));
	assert_true(luna_attrs_ulong(attrs, CKA_KEY_TYPE, &value));
	assert_int_equal(value, 7);
	assert_false(luna_attrs_ulong(attrs, CKA_TOKEN, &value));
	assert_null(luna_attrs_bytes(attrs, CKA_ID, &len));
	luna_attrs_put(attrs);
	luna_attrw_set(&w, CKA_VALUE, &value, LUNA_OBJECT_MAX + 1);
	assert_int_equal(PTR_ERR(luna_attrw_finish(&w)), -E2BIG);
	luna_attrw_free(&w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_bool),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_malformed),
		cmocka_unit_test(test_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
