// SPDX-License-Identifier: MIT
/* The user-space side of the funnel header: that names of the kernel mean here what they mean there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#define pr_fmt(fmt)	"test: " fmt
#include "port.h"

struct item {
	struct list_head ring;
	struct hlist_node chain;
	int number;
};

enum { ITEMS = 4 };

static char said[256];

static void keep_said(enum port_log_level level __maybe_unused, const char *fmt, va_list args)
{
	vscnprintf(said, sizeof(said), fmt, args);
}

/* Runs @statement and wants it to have warned @times. */
#define assert_warns(times, statement) do {					\
	unsigned int before = port_warnings();					\
	port_log_sink(keep_said);						\
	statement;								\
	port_log_sink(NULL);							\
	assert_int_equal(port_warnings() - before, times);			\
} while (0)

static void test_choice(void **state __maybe_unused)
{
	size_t len = 20;
	u8 byte = 200;

	assert_int_equal(min(len, 16), 16);
	assert_int_equal(max(16, len), 20);
	assert_int_equal(min(len, sizeof(u64)), 8);
	assert_int_equal(min(min(3, 2), max(1, 0)), 1);
	assert_int_equal(min_t(u8, 300, byte), 44);
	assert_int_equal(clamp(byte, 1, 100), 100);
	assert_int_equal(clamp_t(int, -5, -3, 3), -3);
	assert_int_equal(min3(3, 1, 2), 1);
}

static void test_rounding(void **state __maybe_unused)
{
	assert_int_equal(round_up(0, 8), 0);
	assert_int_equal(round_up(1, 8), 8);
	assert_int_equal(round_up(8, 8), 8);
	assert_int_equal(round_down(15, 8), 8);
	assert_int_equal(ALIGN(13u, 4), 16);
	assert_true(IS_ALIGNED(32, 16));
	assert_false(IS_ALIGNED(33, 16));
	assert_int_equal(DIV_ROUND_UP(7, 3), 3);
	assert_int_equal(GENMASK(7, 4), 0xf0);
	assert_true(GENMASK_ULL(63, 0) == U64_MAX);
	assert_int_equal(fls(0), 0);
	assert_int_equal(fls(0x80000000u), 32);
	assert_int_equal(fls64(1ULL << 40), 41);
	assert_int_equal(ilog2(4096), 12);
	assert_int_equal(hweight32(0xf0f0), 8);
}

static void test_overflow(void **state __maybe_unused)
{
	u32 sum;
	size_t size;

	assert_true(check_add_overflow(U32_MAX, 1u, &sum));
	assert_false(check_add_overflow(U32_MAX - 1, 1u, &sum));
	assert_true(sum == U32_MAX);
	assert_true(check_sub_overflow(0u, 1u, &sum));
	assert_true(check_mul_overflow((size_t)SIZE_MAX, (size_t)2, &size));
	assert_true(size_add(SIZE_MAX, 1) == SIZE_MAX);
	assert_true(size_mul(SIZE_MAX / 2, 3) == SIZE_MAX);
	assert_null(kmalloc_array(SIZE_MAX / 4, 8, GFP_KERNEL));
	assert_null(kcalloc(SIZE_MAX / 4, 8, GFP_KERNEL));
}

static void test_nospec(void **state __maybe_unused)
{
	u32 i;

	for (i = 0; i < 84; i++)
		assert_int_equal(array_index_nospec(i, 84), i);
	assert_int_equal(array_index_nospec(i, 84), 0);
	i = U32_MAX;
	assert_int_equal(array_index_nospec(i, 84), 0);
}

static void test_byte_order(void **state __maybe_unused)
{
	u8 bytes[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 }, copy[9] = { 0 };

	assert_int_equal(get_unaligned_be16(bytes + 1), 0x0102);
	assert_int_equal(get_unaligned_be32(bytes + 1), 0x01020304);
	assert_true(get_unaligned_be64(bytes + 1) == 0x0102030405060708ULL);
	assert_int_equal(get_unaligned_le16(bytes + 1), 0x0201);
	assert_int_equal(get_unaligned_le32(bytes + 1), 0x04030201);
	assert_true(get_unaligned_le64(bytes + 1) == 0x0807060504030201ULL);
	put_unaligned_be64(0x0102030405060708ULL, copy + 1);
	assert_memory_equal(copy, bytes, sizeof(copy));
	put_unaligned_le32(0x04030201, copy + 1);
	assert_memory_equal(copy, bytes, sizeof(copy));
	assert_int_equal(be32_to_cpu(cpu_to_be32(0x01020304)), 0x01020304);
	assert_int_equal(le16_to_cpu(cpu_to_le16(0x0102)), 0x0102);
	memcpy(copy, &(__be32){ cpu_to_be32(0x01020304) }, 4);
	assert_memory_equal(copy, bytes + 1, 4);
}

static void test_err_ptr(void **state __maybe_unused)
{
	void *err = ERR_PTR(-ENOMEM);

	assert_true(IS_ERR(err));
	assert_int_equal(PTR_ERR(err), -ENOMEM);
	assert_false(IS_ERR(NULL));
	assert_true(IS_ERR_OR_NULL(NULL));
	assert_false(IS_ERR(said));
	assert_int_equal(PTR_ERR_OR_ZERO(said), 0);
	assert_int_equal(PTR_ERR_OR_ZERO(err), -ENOMEM);
	assert_true(ERR_CAST(err) == err);
}

static void test_list(void **state __maybe_unused)
{
	struct item items[ITEMS], *pos, *next;
	LIST_HEAD(list);
	LIST_HEAD(other);
	int i = 0;

	assert_true(list_empty(&list));
	assert_null(list_first_entry_or_null(&list, struct item, ring));
	for (i = 0; i < ITEMS; i++) {
		items[i].number = i;
		list_add_tail(&items[i].ring, &list);
	}
	i = 0;
	list_for_each_entry(pos, &list, ring)
		assert_int_equal(pos->number, i++);
	assert_int_equal(i, ITEMS);
	list_for_each_entry_reverse(pos, &list, ring)
		assert_int_equal(pos->number, --i);
	assert_ptr_equal(list_first_entry(&list, struct item, ring), &items[0]);
	assert_ptr_equal(list_last_entry(&list, struct item, ring), &items[ITEMS - 1]);

	list_move_tail(&items[0].ring, &list);
	assert_ptr_equal(list_last_entry(&list, struct item, ring), &items[0]);
	list_del_init(&items[0].ring);
	assert_true(list_empty(&items[0].ring));
	list_add(&items[0].ring, &other);
	list_splice_tail_init(&list, &other);
	assert_true(list_empty(&list));
	i = 0;
	list_for_each_entry_safe(pos, next, &other, ring) {
		assert_int_equal(pos->number, i++);
		list_del(&pos->ring);
	}
	assert_int_equal(i, ITEMS);
	assert_true(list_empty(&other));
}

static void test_hlist(void **state __maybe_unused)
{
	struct item items[ITEMS], *pos;
	struct hlist_node *next;
	HLIST_HEAD(head);
	int i;

	for (i = 0; i < ITEMS; i++) {
		items[i].number = i;
		INIT_HLIST_NODE(&items[i].chain);
		assert_true(hlist_unhashed(&items[i].chain));
	}
	hlist_add_head(&items[1].chain, &head);
	hlist_add_before(&items[0].chain, &items[1].chain);
	hlist_add_behind(&items[3].chain, &items[1].chain);
	hlist_add_behind(&items[2].chain, &items[1].chain);
	i = 0;
	hlist_for_each_entry(pos, &head, chain)
		assert_int_equal(pos->number, i++);
	assert_int_equal(i, ITEMS);
	hlist_del_init(&items[1].chain);
	hlist_del_init(&items[1].chain);
	assert_true(hlist_unhashed(&items[1].chain));
	hlist_for_each_entry_safe(pos, next, &head, chain)
		hlist_del(&pos->chain);
	assert_true(hlist_empty(&head));
}

static void test_memory(void **state __maybe_unused)
{
	static const u8 zeros[100];
	u8 *p, *q;

	port_alloc_watch();
	p = kzalloc(sizeof(zeros), GFP_KERNEL);
	assert_non_null(p);
	assert_memory_equal(p, zeros, sizeof(zeros));
	assert_true(ksize(p) >= sizeof(zeros));
	memset(p, 7, sizeof(zeros));
	p = krealloc(p, 1000, GFP_KERNEL);
	assert_non_null(p);
	assert_int_equal(p[99], 7);
	q = kmemdup(p, 100, GFP_KERNEL);
	assert_memory_equal(p, q, 100);
	assert_int_equal(port_alloc_live(), 2);
	assert_int_equal(port_alloc_calls(), 3);
	kfree_sensitive(p);
	kvfree_sensitive(q, 100);
	kfree(NULL);
	kfree_sensitive(NULL);
	kvfree(NULL);
	assert_int_equal(port_alloc_live(), 0);
	assert_null(kmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL));
	q = kvmalloc(KMALLOC_MAX_SIZE + 1, GFP_KERNEL);
	assert_non_null(q);
	kvfree(q);
	assert_null(kstrdup(NULL, GFP_KERNEL));
	port_alloc_unwatch();
}

static void test_alloc_failure(void **state __maybe_unused)
{
	void *p, *q;

	port_alloc_watch();
	port_alloc_fail(2, 1);
	p = kmalloc(1, GFP_KERNEL);
	assert_non_null(p);
	assert_null(kmalloc(1, GFP_KERNEL));
	q = krealloc(p, 100, GFP_KERNEL);
	assert_non_null(q);
	port_alloc_fail(2, U64_MAX);
	p = kmalloc(1, GFP_KERNEL);
	assert_non_null(p);
	kfree(p);
	assert_null(krealloc(q, 200, GFP_KERNEL));	/* keeps q */
	assert_null(kvmalloc(1, GFP_KERNEL));
	port_alloc_fail(0, 0);
	p = kmalloc(1, GFP_KERNEL);
	assert_non_null(p);
	kfree(p);
	kfree(q);
	assert_int_equal(port_alloc_live(), 0);
	assert_int_equal(port_alloc_calls(), 7);
	port_alloc_unwatch();
}

static void *freed_by_scope(bool keep)
{
	void *p __free(kfree) = kmalloc(10, GFP_KERNEL);

	if (keep)
		return_ptr(p);
	return NULL;
}

static void test_scopes(void **state __maybe_unused)
{
	struct rw_semaphore sem;
	struct mutex m;
	void *p;
	int i;

	port_alloc_watch();
	assert_null(freed_by_scope(false));
	assert_int_equal(port_alloc_live(), 0);
	p = freed_by_scope(true);
	assert_int_equal(port_alloc_live(), 1);
	kfree(p);
	port_alloc_unwatch();

	mutex_init(&m);
	init_rwsem(&sem);
	{
		guard(mutex)(&m);
		guard(rwsem_write)(&sem);
		lockdep_assert_held(&m);
		lockdep_assert_held_write(&sem);
	}
	for (i = 0; i < 3; i++) {
		scoped_guard(mutex, &m) {
			assert_true(mutex_is_locked(&m));
			if (i == 1)
				break;
		}
		assert_false(mutex_is_locked(&m));
	}
	assert_true(mutex_trylock(&m));
	assert_false(mutex_trylock(&m));
	mutex_unlock(&m);
	{
		guard(rwsem_read)(&sem);
		lockdep_assert_held_read(&sem);
		lockdep_assert_held(&sem);
	}
	assert_warns(1, lockdep_assert_held(&m));
	assert_warns(1, lockdep_assert_held_write(&sem));
	assert_warns(1, lockdep_assert_held_read(&sem));
	mutex_destroy(&m);
}

static void warn_each_time(int times)
{
	while (times--)
		assert_true(WARN_ON_ONCE(times >= 0));
}

static void test_log(void **state __maybe_unused)
{
	assert_warns(2, assert_true(WARN_ON(1 + 1 == 2)); assert_true(WARN_ON(true)));
	assert_warns(0, assert_false(WARN_ON(false)));
	assert_warns(1, warn_each_time(3));
	port_log_sink(keep_said);
	pr_info("%d of %s\n", 3, "them");
	port_log_sink(NULL);
	assert_string_equal(said, "test: 3 of them\n");
}

static void test_refcount(void **state __maybe_unused)
{
	refcount_t refs;

	refcount_set(&refs, 1);
	assert_true(refcount_inc_not_zero(&refs));
	refcount_inc(&refs);
	assert_int_equal(refcount_read(&refs), 3);
	assert_false(refcount_dec_and_test(&refs));
	assert_false(refcount_dec_and_test(&refs));
	assert_true(refcount_dec_and_test(&refs));
	assert_false(refcount_inc_not_zero(&refs));
	assert_warns(1, refcount_inc(&refs));
}

enum { THREADS = 4, TURNS = 20000 };

static struct {
	struct mutex m;
	struct rw_semaphore sem;
	spinlock_t spin;
	u64 by_mutex, by_sem, by_spin;
	atomic_t by_atomic;
	atomic64_t by_atomic64;
	u32 by_cmpxchg;
} shared;

static void *count_together(void *arg)
{
	u32 seen, old;
	int i;

	for (i = 0; i < TURNS; i++) {
		scoped_guard(mutex, &shared.m)
			shared.by_mutex++;
		scoped_guard(rwsem_write, &shared.sem)
			shared.by_sem++;
		scoped_guard(rwsem_read, &shared.sem)
			WARN_ON(!shared.by_sem);
		spin_lock(&shared.spin);
		shared.by_spin++;
		spin_unlock(&shared.spin);
		atomic_inc(&shared.by_atomic);
		atomic64_inc(&shared.by_atomic64);
		old = READ_ONCE(shared.by_cmpxchg);
		while ((seen = cmpxchg(&shared.by_cmpxchg, old, old + 1)) != old)
			old = seen;
	}
	return arg;
}

static void test_threads(void **state __maybe_unused)
{
	unsigned int warnings = port_warnings();
	pthread_t threads[THREADS];
	int i;

	mutex_init(&shared.m);
	init_rwsem(&shared.sem);
	spin_lock_init(&shared.spin);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_together, NULL), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(shared.by_mutex, THREADS * TURNS);
	assert_int_equal(shared.by_sem, THREADS * TURNS);
	assert_int_equal(shared.by_spin, THREADS * TURNS);
	assert_int_equal(atomic_read(&shared.by_atomic), THREADS * TURNS);
	assert_int_equal(atomic64_read(&shared.by_atomic64), THREADS * TURNS);
	assert_int_equal(shared.by_cmpxchg, THREADS * TURNS);
	assert_int_equal(port_warnings(), warnings);
}

static void test_bytes(void **state __maybe_unused)
{
	u8 a[33] = { 1, 2, 3 }, b[33] = { 1, 2, 3 };
	char text[6];
	size_t i;

	assert_false(crypto_memneq(a, b, sizeof(a)));
	for (i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		assert_true(crypto_memneq(a, b, sizeof(a)));
		b[i] ^= 0x80;
	}
	assert_null(memchr_inv(a + 3, 0, sizeof(a) - 3));
	assert_ptr_equal(memchr_inv(a, 1, sizeof(a)), a + 1);
	memzero_explicit(a, 3);
	assert_null(memchr_inv(a, 0, sizeof(a)));
	assert_int_equal(strscpy(text, "12345", sizeof(text)), 5);
	assert_int_equal(strscpy(text, "123456", sizeof(text)), -E2BIG);
	assert_string_equal(text, "12345");
	assert_int_equal(strscpy(text, "", 0), -E2BIG);
	assert_int_equal(scnprintf(text, sizeof(text), "%d", 12), 2);
	assert_int_equal(scnprintf(text, sizeof(text), "%d", 1234567), 5);
	assert_int_equal(scnprintf(text, 0, "x"), 0);
}

static int ascending(const void *a, const void *b)
{
	const u32 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void test_order(void **state __maybe_unused)
{
	u32 numbers[] = { 5, 3, 9, 1 }, key = 9;

	sort(numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), ascending, NULL);
	assert_int_equal(numbers[0], 1);
	assert_ptr_equal(bsearch(&key, numbers, ARRAY_SIZE(numbers), sizeof(numbers[0]), ascending),
			 &numbers[3]);
	swap(numbers[0], numbers[3]);
	assert_int_equal(numbers[0], 9);
}

/* 4096 similar keys over 4096 buckets: a good hash fills about 63 % of them. */
static void test_jhash(void **state __maybe_unused)
{
	enum { BUCKETS = 4096 };
	u8 used[BUCKETS] = { 0 }, used2[BUCKETS] = { 0 };
	int filled = 0, filled2 = 0;
	char key[16];
	u32 i;

	for (i = 0; i < BUCKETS; i++) {
		int len = scnprintf(key, sizeof(key), "key-%u", i);

		used[jhash(key, len, 0) % BUCKETS] = 1;
		used2[jhash_2words(i, 0, 0) % BUCKETS] = 1;
	}
	for (i = 0; i < BUCKETS; i++) {
		filled += used[i];
		filled2 += used2[i];
	}
	assert_in_range(filled, BUCKETS * 58 / 100, BUCKETS * 68 / 100);
	assert_in_range(filled2, BUCKETS * 58 / 100, BUCKETS * 80 / 100);
	assert_true(jhash("a", 1, 0) != jhash("a\0", 2, 0));
	assert_true(jhash("a", 1, 0) != jhash("a", 1, 1));
}

static void test_time(void **state __maybe_unused)
{
	struct tm tm;

	time64_to_tm(1709210096, 0, &tm);
	assert_int_equal(tm.tm_year, 124);
	assert_int_equal(tm.tm_mon, 1);
	assert_int_equal(tm.tm_mday, 29);
	assert_int_equal(tm.tm_hour, 12);
	assert_int_equal(tm.tm_min, 34);
	assert_int_equal(tm.tm_sec, 56);
	assert_true(ktime_get_real_seconds() > 1709210096);
	assert_false(fatal_signal_pending(current));
	port_killed = true;
	assert_true(fatal_signal_pending(current));
	port_killed = false;
	assert_true(get_random_u64() != get_random_u64());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_nospec),
		cmocka_unit_test(test_byte_order),
		cmocka_unit_test(test_err_ptr),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_hlist),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_alloc_failure),
		cmocka_unit_test(test_scopes),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_refcount),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_jhash),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
