// SPDX-License-Identifier: MIT
/*
 * The runner of the KUnit suites in user space. TAP on stdout: one line a case, "suite.case"; a
 * parameterised case has one for each parameter. A WARN_ON() of the engine fails the case it
 * happens in.
 *
 * Usage: luna-kunit [pattern]	only cases whose name has the pattern in it
 */
#include <kunit/test.h>

#include "fakerng.h"
#include "host.h"

enum { SUITES_MAX = 64 };

static struct kunit_suite *suites[SUITES_MAX];
static size_t suites_len;
static struct kunit *current_test;
static unsigned int results, failures;

struct kunit_resource {
	struct kunit_resource *next;
	void *p;
};

static int by_name(const void *a, const void *b)
{
	struct kunit_suite *const *one = a, *const *two = b;

	return strcmp((*one)->name, (*two)->name);
}

void kunit_register(struct kunit_suite *const *array, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (suites_len == SUITES_MAX)
			abort();
		suites[suites_len++] = array[i];
	}
}

struct kunit *kunit_get_current_test(void)
{
	return current_test;
}

/* ---- what a case says ---- */

static void comment(const struct kunit *test, const char *fmt, va_list args) __printf(2, 0);
static void comment(const struct kunit *test, const char *fmt, va_list args)
{
	printf("# %s: ", test ? test->name : "kunit");
	vprintf(fmt, args);
	if (!*fmt || fmt[strlen(fmt) - 1] != '\n')
		putchar('\n');
}

void kunit_comment(const struct kunit *test, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	comment(test, fmt, args);
	va_end(args);
}

void kunit_failure(struct kunit *test, const char *file, int line, const char *what,
		   const char *values, const char *fmt, ...)
{
	const char *source = strrchr(file, '/');
	va_list args;

	test->failed = true;
	printf("# %s: %s:%d: not so: %s%s%s\n", test->name, source ? source + 1 : file, line, what,
	       values ? "; " : "", values ? values : "");
	if (!fmt)
		return;
	va_start(args, fmt);
	comment(test, fmt, args);
	va_end(args);
}

const char *kunit_values(long long left, long long right)
{
	static char text[128];

	snprintf(text, sizeof(text), "%lld (%#llx), %lld (%#llx)", left, (unsigned long long)left,
		 right, (unsigned long long)right);
	return text;
}

void kunit_mark_skipped(struct kunit *test, const char *fmt, ...)
{
	va_list args;

	test->skipped = true;
	va_start(args, fmt);
	vsnprintf(test->skip_reason, sizeof(test->skip_reason), fmt, args);
	va_end(args);
}

void kunit_end(struct kunit *test)
{
	longjmp(test->end, 1);
}

void luna_test_failed(const char *what, const char *file, int line)
{
	if (!current_test) {
		printf("Bail out! %s:%d: %s\n", file, line, what);
		exit(1);
	}
	kunit_failure(current_test, file, line, what, NULL, NULL);
	kunit_end(current_test);
}

/* ---- memory of a case ---- */

void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	struct kunit_resource *r = luna_test_alloc(sizeof(*r));

	r->p = luna_test_alloc(size_mul(n, size));
	if (!(gfp & __GFP_ZERO))
		memset(r->p, 0x5a, n * size);
	r->next = test->resources;
	test->resources = r;
	return r->p;
}

void kunit_kfree(struct kunit *test, const void *p)
{
	struct kunit_resource **at, *r;

	for (at = &test->resources; *at; at = &(*at)->next) {
		if ((*at)->p != p)
			continue;
		r = *at;
		*at = r->next;
		luna_test_free(r->p);
		luna_test_free(r);
		return;
	}
	if (p)
		abort();
}

static void resources_free(struct kunit *test)
{
	while (test->resources)
		kunit_kfree(test, test->resources->p);
}

/* ---- running ---- */

/* Calls @run; it may end early. Return: false if it did. */
static bool run_part(struct kunit *test, void (*run)(struct kunit *test))
{
	if (setjmp(test->end))
		return false;
	run(test);
	return true;
}

static int (*starting)(struct kunit *test);

static void start(struct kunit *test)
{
	if (starting && starting(test))
		KUNIT_FAIL(test, "the suite's init failed");
}

static void report(const struct kunit *test)
{
	failures += test->failed;
	printf("%sok %u - %s%s%s\n", test->failed ? "not " : "", ++results, test->name,
	       test->skipped ? " # SKIP " : "", test->skipped ? test->skip_reason : "");
	fflush(stdout);
}

static void run_one(const struct kunit_suite *suite, const struct kunit_case *c, const char *name,
		    const void *param, int index)
{
	struct kunit *test = luna_test_alloc(sizeof(*test));
	unsigned int warnings = luna_test_warnings();

	test->name = name;
	test->param_value = param;
	test->param_index = index;
	current_test = test;
	starting = suite->init;
	if (run_part(test, start) && !test->failed)
		run_part(test, c->run_case);
	if (suite->exit)
		run_part(test, suite->exit);
	resources_free(test);
	if (luna_test_warnings() != warnings)
		KUNIT_FAIL(test, "the engine warned");
	current_test = NULL;
	report(test);
	luna_test_free(test);
}

static void run_params(const struct kunit_suite *suite, const struct kunit_case *c,
		       const char *pattern)
{
	char desc[KUNIT_PARAM_DESC_SIZE], name[512];
	const void *param = NULL;
	int index = 0;

	for (;;) {
		desc[0] = '\0';
		if (c->generate_params) {
			param = c->generate_params(param, desc);
			if (!param)
				return;
		}
		snprintf(name, sizeof(name), "%s.%s%s%s", suite->name, c->name, *desc ? ": " : "", desc);
		if (strstr(name, pattern))
			run_one(suite, c, name, param, index++);
		if (!c->generate_params)
			return;
	}
}

static void run_suite(struct kunit_suite *suite, const char *pattern)
{
	const struct kunit_case *c;
	int err = suite->suite_init ? suite->suite_init(suite) : 0;

	if (err) {
		printf("# %s: suite_init returned %d\nnot ok %u - %s\n", suite->name, err, ++results,
		       suite->name);
		failures++;
		return;
	}
	for (c = suite->test_cases; c->run_case; c++)
		run_params(suite, c, pattern);
	if (suite->suite_exit)
		suite->suite_exit(suite);
}

/* The engine may report what a test provokes; only a warning is news. */
static void say_warnings(enum port_log_level level __maybe_unused, const char *fmt, va_list args)
{
	if (strncmp(fmt, "WARNING", strlen("WARNING")))
		return;
	printf("# ");
	vprintf(fmt, args);
}

int main(int argc, char **argv)
{
	port_log_sink(say_warnings);
	qsort(suites, suites_len, sizeof(suites[0]), by_name);
	puts("TAP version 13");
	for (size_t i = 0; i < suites_len; i++)
		run_suite(suites[i], argc > 1 ? argv[1] : "");
	printf("1..%u\n", results);
	fakerng_forget_keys();
	return failures || !results;
}
