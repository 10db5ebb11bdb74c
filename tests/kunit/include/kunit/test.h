/* SPDX-License-Identifier: MIT */
/*
 * KUnit's names in user space, as far as Linux 6.1 has them and the suites of kmod/kunit use them, so
 * that the same suites run under sanitizers. kunit.c prints the results as TAP.
 *
 * As in the kernel: an expectation that fails marks its case, an assertion that fails ends it, a
 * suite's exit runs after every case, and what kunit_kzalloc() gave is freed after that.
 */
#ifndef LUNA_TEST_KUNIT_TEST_H
#define LUNA_TEST_KUNIT_TEST_H

#include <setjmp.h>

#include "port.h"

enum { KUNIT_PARAM_DESC_SIZE = 128 };

struct kunit_resource;

/**
 * struct kunit - a case while it runs
 * @priv: the suite's own, from its init
 * @param_value: of KUNIT_CASE_PARAM
 */
struct kunit {
	void *priv;
	const void *param_value;
	int param_index;
	/* the rest is kunit.c's */
	const char *name;
	bool failed, skipped, ended;
	char skip_reason[256];
	jmp_buf end;
	struct kunit_resource *resources;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};

struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(test_name)	{ .run_case = test_name, .name = #test_name }
#define KUNIT_CASE_PARAM(test_name, gen_params)					\
	{ .run_case = test_name, .name = #test_name, .generate_params = gen_params }

#define KUNIT_ARRAY_PARAM(name, array, get_desc)				\
static const void *name##_gen_params(const void *prev, char *desc)		\
{										\
	typeof((array)[0]) *next = prev ? (typeof(next))prev + 1 : (array);	\
	void (*describe)(typeof(next), char *) = get_desc;			\
										\
	if (next >= (array) + ARRAY_SIZE(array))				\
		return NULL;							\
	if (describe)								\
		describe(next, desc);						\
	return next;								\
}

/* Suites register before main() runs; the order is that of their names. */
void kunit_register(struct kunit_suite *const *suites, size_t count);

#define kunit_test_suites(suites...)						\
	__kunit_test_suites(__UNIQUE_ID(kunit_array), __UNIQUE_ID(kunit_register), suites)
#define __kunit_test_suites(array, registrar, suites...)			\
static struct kunit_suite *const array[] = { suites };				\
static void __attribute__((__constructor__)) registrar(void)			\
{										\
	kunit_register(array, ARRAY_SIZE(array));				\
}
#define kunit_test_suite(suite)	kunit_test_suites(&suite)

/* Messages are lines of TAP comments. */
void kunit_comment(const struct kunit *test, const char *fmt, ...) __printf(2, 3);

#define kunit_info(test, fmt, ...)	kunit_comment(test, fmt, ##__VA_ARGS__)
#define kunit_warn(test, fmt, ...)	kunit_comment(test, fmt, ##__VA_ARGS__)
#define kunit_err(test, fmt, ...)	kunit_comment(test, fmt, ##__VA_ARGS__)

void kunit_mark_skipped(struct kunit *test, const char *fmt, ...) __printf(2, 3);
void __noreturn kunit_end(struct kunit *test);

#define kunit_skip(test, fmt, ...) do {						\
	kunit_mark_skipped(test, fmt, ##__VA_ARGS__);				\
	kunit_end(test);							\
} while (0)

struct kunit *kunit_get_current_test(void);

/* Memory that ends with the case */
void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp);
void kunit_kfree(struct kunit *test, const void *p);

static inline void *kunit_kmalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	return kunit_kmalloc_array(test, 1, size, gfp);
}

static inline void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	return kunit_kmalloc(test, size, gfp | __GFP_ZERO);
}

static inline void *kunit_kcalloc(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	return kunit_kmalloc_array(test, n, size, gfp | __GFP_ZERO);
}

/**
 * kunit_failure() - a case failed
 * @what: that was expected
 * @values: what was found; NULL: @what says it all
 * @fmt: the case's own words, NULL: none
 */
void kunit_failure(struct kunit *test, const char *file, int line, const char *what,
		   const char *values, const char *fmt, ...) __printf(6, 7);
/* Text of two integers, valid until the next call. */
const char *kunit_values(long long left, long long right);

#define KUNIT_SUCCEED(test)	do { } while (0)
#define KUNIT_FAIL(test, fmt, ...)						\
	kunit_failure(test, __FILE__, __LINE__, "failure", NULL, fmt, ##__VA_ARGS__)

#define __KUNIT_CHECK(test, end, cond, what, values, fmt, ...) do {		\
	if (!(cond)) {								\
		kunit_failure(test, __FILE__, __LINE__, what, values, fmt, ##__VA_ARGS__);	\
		if (end)							\
			kunit_end(test);					\
	}									\
} while (0)

#define __KUNIT_INTS(test, end, left, op, right, fmt, ...) do {			\
	typeof(left) __kunit_left = (left);					\
	typeof(right) __kunit_right = (right);					\
										\
	__KUNIT_CHECK(test, end, __kunit_left op __kunit_right,			\
		      #left " " #op " " #right,					\
		      kunit_values(__kunit_left, __kunit_right), fmt, ##__VA_ARGS__);	\
} while (0)

#define __KUNIT_PTRS(test, end, left, op, right, fmt, ...)			\
	__KUNIT_CHECK(test, end, (const void *)(left) op (const void *)(right),	\
		      #left " " #op " " #right, NULL, fmt, ##__VA_ARGS__)
#define __KUNIT_TEXTS(test, end, left, op, right, fmt, ...)			\
	__KUNIT_CHECK(test, end, strcmp(left, right) op 0, #left " " #op " " #right, NULL, fmt,	\
		      ##__VA_ARGS__)
#define __KUNIT_VALID(test, end, ptr, fmt, ...)					\
	__KUNIT_CHECK(test, end, !IS_ERR_OR_NULL(ptr), #ptr " is a pointer", NULL, fmt, ##__VA_ARGS__)

#define KUNIT_EXPECT_TRUE(test, c)	__KUNIT_CHECK(test, false, c, #c, NULL, NULL)
#define KUNIT_EXPECT_FALSE(test, c)	__KUNIT_CHECK(test, false, !(c), "!(" #c ")", NULL, NULL)
#define KUNIT_EXPECT_EQ(test, l, r)	__KUNIT_INTS(test, false, l, ==, r, NULL)
#define KUNIT_EXPECT_NE(test, l, r)	__KUNIT_INTS(test, false, l, !=, r, NULL)
#define KUNIT_EXPECT_LT(test, l, r)	__KUNIT_INTS(test, false, l, <, r, NULL)
#define KUNIT_EXPECT_LE(test, l, r)	__KUNIT_INTS(test, false, l, <=, r, NULL)
#define KUNIT_EXPECT_GT(test, l, r)	__KUNIT_INTS(test, false, l, >, r, NULL)
#define KUNIT_EXPECT_GE(test, l, r)	__KUNIT_INTS(test, false, l, >=, r, NULL)
#define KUNIT_EXPECT_PTR_EQ(test, l, r)	__KUNIT_PTRS(test, false, l, ==, r, NULL)
#define KUNIT_EXPECT_PTR_NE(test, l, r)	__KUNIT_PTRS(test, false, l, !=, r, NULL)
#define KUNIT_EXPECT_STREQ(test, l, r)	__KUNIT_TEXTS(test, false, l, ==, r, NULL)
#define KUNIT_EXPECT_STRNEQ(test, l, r)	__KUNIT_TEXTS(test, false, l, !=, r, NULL)
#define KUNIT_EXPECT_NULL(test, p)	__KUNIT_PTRS(test, false, p, ==, NULL, NULL)
#define KUNIT_EXPECT_NOT_NULL(test, p)	__KUNIT_PTRS(test, false, p, !=, NULL, NULL)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL(test, p)	__KUNIT_VALID(test, false, p, NULL)

#define KUNIT_EXPECT_TRUE_MSG(test, c, fmt, ...)				\
	__KUNIT_CHECK(test, false, c, #c, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(test, c, fmt, ...)				\
	__KUNIT_CHECK(test, false, !(c), "!(" #c ")", NULL, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_EQ_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, false, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NE_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, false, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_LT_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, false, l, <, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_LE_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, false, l, <=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_GT_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, false, l, >, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_GE_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, false, l, >=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_PTR_EQ_MSG(test, l, r, fmt, ...)				\
	__KUNIT_PTRS(test, false, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_PTR_NE_MSG(test, l, r, fmt, ...)				\
	__KUNIT_PTRS(test, false, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_STREQ_MSG(test, l, r, fmt, ...)				\
	__KUNIT_TEXTS(test, false, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NULL_MSG(test, p, fmt, ...)				\
	__KUNIT_PTRS(test, false, p, ==, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NOT_NULL_MSG(test, p, fmt, ...)				\
	__KUNIT_PTRS(test, false, p, !=, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL_MSG(test, p, fmt, ...)			\
	__KUNIT_VALID(test, false, p, fmt, ##__VA_ARGS__)

#define KUNIT_ASSERT_TRUE(test, c)	__KUNIT_CHECK(test, true, c, #c, NULL, NULL)
#define KUNIT_ASSERT_FALSE(test, c)	__KUNIT_CHECK(test, true, !(c), "!(" #c ")", NULL, NULL)
#define KUNIT_ASSERT_EQ(test, l, r)	__KUNIT_INTS(test, true, l, ==, r, NULL)
#define KUNIT_ASSERT_NE(test, l, r)	__KUNIT_INTS(test, true, l, !=, r, NULL)
#define KUNIT_ASSERT_LT(test, l, r)	__KUNIT_INTS(test, true, l, <, r, NULL)
#define KUNIT_ASSERT_LE(test, l, r)	__KUNIT_INTS(test, true, l, <=, r, NULL)
#define KUNIT_ASSERT_GT(test, l, r)	__KUNIT_INTS(test, true, l, >, r, NULL)
#define KUNIT_ASSERT_GE(test, l, r)	__KUNIT_INTS(test, true, l, >=, r, NULL)
#define KUNIT_ASSERT_PTR_EQ(test, l, r)	__KUNIT_PTRS(test, true, l, ==, r, NULL)
#define KUNIT_ASSERT_PTR_NE(test, l, r)	__KUNIT_PTRS(test, true, l, !=, r, NULL)
#define KUNIT_ASSERT_STREQ(test, l, r)	__KUNIT_TEXTS(test, true, l, ==, r, NULL)
#define KUNIT_ASSERT_NULL(test, p)	__KUNIT_PTRS(test, true, p, ==, NULL, NULL)
#define KUNIT_ASSERT_NOT_NULL(test, p)	__KUNIT_PTRS(test, true, p, !=, NULL, NULL)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p)	__KUNIT_VALID(test, true, p, NULL)

#define KUNIT_ASSERT_TRUE_MSG(test, c, fmt, ...)				\
	__KUNIT_CHECK(test, true, c, #c, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_FALSE_MSG(test, c, fmt, ...)				\
	__KUNIT_CHECK(test, true, !(c), "!(" #c ")", NULL, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_EQ_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, true, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NE_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, true, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_LT_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, true, l, <, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_LE_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, true, l, <=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_GT_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, true, l, >, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_GE_MSG(test, l, r, fmt, ...)				\
	__KUNIT_INTS(test, true, l, >=, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_STREQ_MSG(test, l, r, fmt, ...)				\
	__KUNIT_TEXTS(test, true, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NOT_NULL_MSG(test, p, fmt, ...)				\
	__KUNIT_PTRS(test, true, p, !=, NULL, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(test, p, fmt, ...)			\
	__KUNIT_VALID(test, true, p, fmt, ##__VA_ARGS__)

#endif /* LUNA_TEST_KUNIT_TEST_H */
