// SPDX-License-Identifier: MIT
/*
 * Keys of triple DES: parity, and the weak ones, which are drawn again; tokens whose provider has
 * none of it. The mechanisms are in tests/conformance.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "des3.h"
#include "engine_fixture.h"
#include "hex.h"

/* SP 800-67, 3.3.2: the weak keys and the semi-weak ones, with their parity */
static const char * const weak_parts[] = {
	"0101010101010101", "fefefefefefefefe", "e0e0e0e0f1f1f1f1", "1f1f1f1f0e0e0e0e",
	"011f011f010e010e", "1f011f010e010e01", "01e001e001f101f1", "e001e001f101f101",
	"01fe01fe01fe01fe", "fe01fe01fe01fe01", "1fe01fe00ef10ef1", "e01fe01ff10ef10e",
	"1ffe1ffe0efe0efe", "fe1ffe1ffe0efe0e", "e0fee0fef1fef1fe", "fee0fee0fef1fef1",
};

#define GOOD	"0123456789abcdef" "23456789abcdef01" "456789abcdef0123"

static void test_parity(void **state __maybe_unused)
{
	for (u32 i = 0; i < 256; i++) {
		u8 byte = i, set = i;

		luna_des3_set_parity(&set, 1);
		assert_int_equal(__builtin_parity(set), 1);
		assert_int_equal(set & 0xfe, byte & 0xfe);
		assert_int_equal(luna_des3_parity_good(&byte, 1), byte == set);
	}
}

static void test_weak(void **state __maybe_unused)
{
	struct bytes good = hex(GOOD), key;

	assert_false(luna_des3_weak(good.data, 24));
	assert_false(luna_des3_weak(good.data, 16));
	for (u32 i = 0; i < ARRAY_SIZE(weak_parts); i++) {
		struct bytes part = hex(weak_parts[i]);

		assert_true(luna_des3_parity_good(part.data, 8));
		for (u32 at = 0; at < 24; at += 8) {
			key = good;
			memcpy(key.data + at, part.data, 8);
			assert_true(luna_des3_weak(key.data, 24));
			for (u32 bit = 0; bit < 8; bit++)	/* the parity does not count */
				key.data[at + bit] ^= 1;
			assert_true(luna_des3_weak(key.data, 24));
			key.data[at + 3] ^= 0x20;
			assert_false(luna_des3_weak(key.data, 24));
		}
	}
	key = good;
	memcpy(key.data + 8, key.data, 8);
	assert_true(luna_des3_weak(key.data, 24));
	assert_true(luna_des3_weak(key.data, 16));
	key = good;
	memcpy(key.data + 16, key.data + 8, 8);
	key.data[20] ^= 1;
	assert_true(luna_des3_weak(key.data, 24));
	/* Two parts, as CKK_DES2 has them: no neighbours */
	key = good;
	memcpy(key.data + 16, key.data, 8);
	assert_false(luna_des3_weak(key.data, 24));
}

/* Keys that the random numbers below give: all zeros, one part three times, then others. */
static u32 draws;

static int draw(void *buf, size_t len)
{
	int err = luna_openssl_ops.random(buf, len);

	if (err || len != 24)
		return err;
	if (draws == 0)
		memset(buf, 0, len);
	if (draws == 1)
		memcpy(buf + 8, buf, 8);
	draws++;
	return 0;
}

static void test_drawn_again(void **state __maybe_unused)
{
	struct luna_crypto_ops ops = luna_openssl_ops;
	struct fx_tmpl tmpl = {};
	struct luna_open *open;
	u32 session, key, len = 24;
	struct fx fx;
	u8 value[24];

	ops.random = draw;
	draws = 2;
	fx_open(&fx, &ops, 0);
	assert_int_equal(fx_ready(&fx, &open, &session), CKR_OK);
	fx_attr_bool(&tmpl, CKA_SENSITIVE, false);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, true);
	draws = 0;
	assert_int_equal(fx_generate_key(open, session, CKM_DES3_KEY_GEN, &tmpl, &key), CKR_OK);
	assert_int_equal(draws, 3);
	assert_int_equal(fx_attr_get(open, session, key, CKA_VALUE, value, &len), CKR_OK);
	assert_int_equal(len, 24);
	assert_true(luna_des3_parity_good(value, len));
	assert_false(luna_des3_weak(value, len));
	luna_release(open);
	fx_close(&fx);
}

/* The keys come and stay, without a check value, and nothing uses them. */
static void test_without(void **state __maybe_unused)
{
	struct luna_crypto_ops ops = luna_openssl_ops;
	struct bytes good = hex(GOOD);
	struct fx_tmpl tmpl = {};
	struct luna_open *open;
	u32 session, key, len = 3;
	struct fx fx;
	u8 kcv[3];

	ops.has_des3 = NULL;
	fx_open(&fx, &ops, 0);
	assert_int_equal(fx_ready(&fx, &open, &session), CKR_OK);
	assert_int_equal(fx_generate_key(open, session, CKM_DES3_KEY_GEN, &tmpl, &key),
			 CKR_MECHANISM_INVALID);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_DES3);
	fx_attr(&tmpl, CKA_VALUE, good.data, good.len);
	assert_int_equal(fx_create(open, session, &tmpl, &key), CKR_OK);
	assert_int_not_equal(fx_attr_get(open, session, key, CKA_CHECK_VALUE, kcv, &len), CKR_OK);
	assert_int_equal(fx_op(open, session, LUNA_OP_ENCRYPT, CKM_DES3_ECB, key, NULL, 0, good.data,
			       8, NULL, 0, NULL, NULL),
			 CKR_MECHANISM_INVALID);
	luna_release(open);
	fx_close(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parity),
		cmocka_unit_test(test_weak),
		cmocka_unit_test(test_drawn_again),
		cmocka_unit_test(test_without),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
