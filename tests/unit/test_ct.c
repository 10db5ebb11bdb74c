// SPDX-License-Identifier: MIT
/*
 * That unpadding does not depend on what was decrypted: memcheck is told that the encoded message is
 * undefined, and complains of every branch and every address that is made of it. Only under valgrind;
 * compiled by each compiler anew, since it is the machine code that has to be right.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <valgrind/memcheck.h>

#include "engine_fixture.h"
#include "key.h"

enum { K = 256, SECRET = 32 };

static const struct luna_crypto_ops *ops = &luna_openssl_ops;

/* An encoded message in memory of its own, which nobody may look at. */
static u8 *secret(const u8 *em, size_t len)
{
	u8 *copy = test_malloc(len);

	memcpy(copy, em, len);
	VALGRIND_MAKE_MEM_UNDEFINED(copy, len);
	return copy;
}

/* The result is for the caller, who may look at it. */
#define RELEASE(value)	VALGRIND_MAKE_MEM_DEFINED(&(value), sizeof(value))

static u32 complaints(void)
{
	return VALGRIND_COUNT_ERRORS;
}

/* Without it nothing below could fail. */
static void test_control(void **state __maybe_unused)
{
	static const u8 zeros[K];
	u8 *em = secret(zeros, K);
	volatile u32 at = 0;
	u32 before = complaints();

	while (at < K && !em[at])
		at++;
	assert_int_not_equal(complaints(), before);
	test_free(em);
}

typedef int unpad_fn(const u8 *em, u8 *out, u32 *len);

static void assert_unpads(unpad_fn *unpad, const u8 *em, bool good)
{
	u8 *in = secret(em, K), *out = test_malloc(K);
	u32 len, before = complaints();
	int err = unpad(in, out, &len);

	assert_int_equal(complaints(), before);
	RELEASE(err);
	RELEASE(len);
	assert_int_equal(err, good ? 0 : -EBADMSG);
	assert_int_equal(len, good ? SECRET : 0);
	test_free(in);
	test_free(out);
}

/* Messages of several kinds: right, cut short, without an end, none at all. */
static void pkcs1_message(u8 *em, u32 kind)
{
	memset(em, 0x33, K);
	em[0] = kind == 3;
	em[1] = kind == 4 ? 1 : 2;
	if (kind != 2)
		em[kind == 1 ? 5 : K - SECRET - 1] = 0;
}

static int pkcs1_unpad(const u8 *em, u8 *out, u32 *len)
{
	return luna_pkcs1_unpad_encrypt(em, K, out, len);
}

static void test_pkcs1(void **state __maybe_unused)
{
	u8 em[K];

	for (u32 kind = 0; kind < 5; kind++) {
		pkcs1_message(em, kind);
		assert_unpads(pkcs1_unpad, em, !kind);
	}
}

static void test_pkcs1_fixed(void **state __maybe_unused)
{
	u32 kind, before = complaints();
	u8 em[K], *in, *out, *other;

	for (kind = 0; kind < 5; kind++) {
		pkcs1_message(em, kind);
		in = secret(em, K);
		memset(em, 0x44, SECRET);
		other = secret(em, SECRET);
		out = test_malloc(SECRET);
		luna_pkcs1_unpad_fixed(in, K, other, out, SECRET);
		assert_int_equal(complaints(), before);
		VALGRIND_MAKE_MEM_DEFINED(out, SECRET);
		assert_int_equal(out[0], kind ? 0x44 : 0x33);
		test_free(in);
		test_free(other);
		test_free(out);
	}
}

static int oaep_unpad(const u8 *em, u8 *out, u32 *len)
{
	return luna_oaep_unpad(ops, LUNA_SHA256, LUNA_SHA1, NULL, 0, em, K, out, len);
}

static void test_oaep(void **state __maybe_unused)
{
	u8 em[K], msg[SECRET] = "a message";

	for (u32 kind = 0; kind < 4; kind++) {
		assert_int_equal(luna_oaep_pad(ops, LUNA_SHA256, LUNA_SHA1, NULL, 0, msg, SECRET,
					       em, K), 0);
		em[kind == 1 ? 0 : kind == 2 ? 7 : K - 1] ^= !!kind;
		assert_unpads(oaep_unpad, em, !kind);
	}
}

/* What compares MACs, tags and PINs. */
static void test_memneq(void **state __maybe_unused)
{
	static const u8 zeros[SECRET];
	u8 *a = secret(zeros, SECRET);
	u32 before = complaints();
	unsigned long differ;

	differ = crypto_memneq(a, zeros, SECRET);
	assert_int_equal(complaints(), before);
	RELEASE(differ);
	assert_int_equal(differ, 0);
	test_free(a);
}

static int need_valgrind(void **state __maybe_unused)
{
	if (!RUNNING_ON_VALGRIND)
		fail_msg("to be run as: valgrind test_ct");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_pkcs1),
		cmocka_unit_test(test_pkcs1_fixed),
		cmocka_unit_test(test_oaep),
		cmocka_unit_test(test_memneq),
	};

	return cmocka_run_group_tests(tests, need_valgrind, NULL);
}
