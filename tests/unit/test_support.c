// SPDX-License-Identifier: MIT
/* The fakes that other tests rely on: the store fails and crashes as told, chance is repeatable. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"

static void assert_content(struct memstore *store, const char *expected)
{
	char buf[64];
	u64 size;

	assert_int_equal(memstore_ops.size(store, &size), 0);
	assert_int_equal(size, strlen(expected));
	assert_int_equal(memstore_ops.read(store, 0, buf, size), 0);
	assert_memory_equal(buf, expected, size);
}

static void test_store(void **state __maybe_unused)
{
	struct memstore *store = memstore_new();
	char byte;

	assert_content(store, "");
	assert_int_equal(memstore_ops.append(store, "hello", 5), 0);
	assert_int_equal(memstore_ops.append(store, " world", 6), 0);
	assert_content(store, "hello world");
	assert_int_equal(memstore_ops.read(store, 11, &byte, 1), -EIO);
	assert_int_equal(memstore_ops.truncate(store, 4), 0);
	assert_content(store, "hell");
	assert_int_equal(memstore_ops.truncate(store, 5), -EINVAL);
	memstore_free(store);
}

static void test_store_faults(void **state __maybe_unused)
{
	struct memstore *store = memstore_new();

	memstore_fail(store, MEMSTORE_APPEND, 2, -ENOSPC, 1);
	assert_int_equal(memstore_ops.append(store, "ab", 2), 0);
	assert_int_equal(memstore_ops.append(store, "cd", 2), -ENOSPC);
	assert_content(store, "abc");
	assert_int_equal(memstore_ops.append(store, "ef", 2), 0);
	assert_content(store, "abcef");
	memstore_break(store, MEMSTORE_SYNC, 1, -EIO);
	assert_int_equal(memstore_ops.sync(store), -EIO);
	assert_int_equal(memstore_ops.sync(store), -EIO);
	memstore_fail(store, MEMSTORE_SYNC, 0, 0, 0);
	assert_int_equal(memstore_ops.sync(store), 0);
	memstore_free(store);
}

static void test_store_crash(void **state __maybe_unused)
{
	struct memstore *store = memstore_new(), *image;

	assert_int_equal(memstore_ops.append(store, "kept", 4), 0);
	assert_int_equal(memstore_ops.sync(store), 0);
	assert_int_equal(memstore_ops.append(store, "perhaps", 7), 0);
	assert_int_equal(store->synced, 4);
	image = memstore_image(store, store->synced + 3);
	assert_content(image, "keptper");
	memstore_free(image);

	assert_int_equal(memstore_ops.replace_begin(store, 0), 0);
	assert_int_equal(memstore_ops.replace_append(store, "new", 3), 0);
	assert_content(store, "keptperhaps");
	memstore_ops.replace_abort(store);
	assert_int_equal(memstore_ops.replace_commit(store), -EINVAL);
	assert_int_equal(memstore_ops.replace_begin(store, 0), 0);
	assert_int_equal(memstore_ops.replace_append(store, "newer", 5), 0);
	assert_int_equal(memstore_ops.replace_commit(store), 0);
	assert_content(store, "newer");
	assert_int_equal(store->synced, 5);
	memstore_free(store);
}

static void test_random(void **state __maybe_unused)
{
	const struct luna_crypto_ops *ops = fakerng_ops(&luna_openssl_ops, 7);
	u8 first[16], second[16];

	assert_int_equal(ops->random(first, sizeof(first)), 0);
	ops = fakerng_ops(&luna_openssl_ops, 7);
	fakerng_next("chosen", 6);
	assert_int_equal(ops->random(second, 4), 0);
	assert_memory_equal(second, "chos", 4);
	assert_int_equal(ops->random(second, 2), 0);
	assert_memory_equal(second, "en", 2);
	assert_int_equal(ops->random(second, sizeof(second)), 0);
	assert_memory_equal(first, second, sizeof(first));
	fakerng_fail(2);
	assert_int_equal(ops->random(second, 1), 0);
	assert_int_equal(ops->random(second, 1), -EIO);
	assert_int_equal(ops->random(second, 1), 0);
}

static void test_kept_keys(void **state __maybe_unused)
{
	const struct luna_crypto_ops *ops = fakerng_quick_ops(&luna_openssl_ops, 7);
	struct luna_rsa_made *made[5];
	static const u8 e[] = { 1, 0, 1 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(made); i++) {
		made[i] = ops->rsa_generate(1024, e, sizeof(e));
		assert_false(IS_ERR(made[i]));
	}
	assert_memory_equal(made[0]->n, made[4]->n, 128);
	assert_memory_not_equal(made[0]->n, made[1]->n, 128);
	for (i = 0; i < ARRAY_SIZE(made); i++)
		kfree_sensitive(made[i]);
	fakerng_forget_keys();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store),
		cmocka_unit_test(test_store_faults),
		cmocka_unit_test(test_store_crash),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_kept_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
