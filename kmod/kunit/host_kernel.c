// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The kernel as host of the engine's tests; see host.h. Linux 6.1 runs the suites of a module before
 * the module's own init, newer ones after it.
 */
#include <kunit/test.h>
#include <linux/panic.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../crypto.h"
#include "host.h"

const struct luna_crypto_ops *luna_test_crypto(void)
{
	if (luna_kcrypto_init())
		pr_err("the provider under test does not start\n");
	return &luna_kcrypto_ops;
}

/* Fault injection spares what must not fail. */
void *luna_test_alloc(size_t size)
{
	return kvzalloc(size ? size : 1, GFP_KERNEL | __GFP_NOFAIL);
}

void luna_test_free(const void *p)
{
	kvfree(p);
}

/* Nobody counts them, but the first one taints; tests/uml makes it a panic besides. */
unsigned int luna_test_warnings(void)
{
	return test_taint(TAINT_WARN);
}

u32 luna_test_stride(void)
{
	return 17;
}

void luna_test_failed(const char *what, const char *file, int line)
{
	KUNIT_ASSERT_TRUE_MSG(current->kunit_test, false, "%s:%d: not so: %s", file, line, what);
	BUG();
}

/*
 * failslab spares allocations that may sleep, and only its debugfs files change that: the sweep over
 * the kernel's allocations belongs to a test that can write them (tests/vm).
 */
const struct luna_test_fault *luna_test_memory_fault(void)
{
	return NULL;
}
