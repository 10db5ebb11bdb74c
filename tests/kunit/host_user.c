// SPDX-License-Identifier: MIT
/* The user-space host of the engine's tests: OpenSSL, and allocations that fail when told to. */
#include <stdlib.h>

#include "crypto_openssl.h"
#include "host.h"

const struct luna_crypto_ops *luna_test_crypto(void)
{
	static bool started;

	if (!started && luna_openssl_start())
		luna_test_failed("luna_openssl_start()", __FILE__, __LINE__);
	started = true;
	return &luna_openssl_ops;
}

/* Not kmalloc(), which is the engine's and counted. */
void *luna_test_alloc(size_t size)
{
	void *p = calloc(1, size ?: 1);

	if (!p)
		abort();
	return p;
}

void luna_test_free(const void *p)
{
	free((void *)p);
}

unsigned int luna_test_warnings(void)
{
	return port_warnings();
}

u32 luna_test_stride(void)
{
	return 1;
}

static u64 armed_at;

static void memory_arm(u64 nth)
{
	armed_at = port_alloc_calls();
	port_alloc_fail(nth, 1);
}

static u64 memory_met(void)
{
	return port_alloc_calls() - armed_at;
}

static s64 memory_end(void)
{
	s64 kept = port_alloc_live();

	port_alloc_unwatch();
	return kept;
}

const struct luna_test_fault *luna_test_memory_fault(void)
{
	static const struct luna_test_fault memory = {
		.name = "allocation",
		.begin = port_alloc_watch,
		.arm = memory_arm,
		.met = memory_met,
		.end = memory_end,
	};

	return &memory;
}
