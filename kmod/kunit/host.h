/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the engine's tests need of the place that they run in: a kernel (host_kernel.c), a user-space
 * program with the KUnit names (tests/kunit) or with cmocka (tests/unit).
 */
#ifndef LUNA_KUNIT_HOST_H
#define LUNA_KUNIT_HOST_H

#include "engine.h"

/* luna_test_crypto() - the host's provider, ready for use: the kernel's or OpenSSL's */
const struct luna_crypto_ops *luna_test_crypto(void);

/**
 * luna_test_alloc() - zeroed memory of the test itself: it never fails, and where allocations are
 * counted or made to fail it is not one of them. Return: @size bytes for luna_test_free().
 */
void *luna_test_alloc(size_t size);
void luna_test_free(const void *p);

/* luna_test_warnings() - a number that differs after a WARN_ON(), as far as the host can tell */
unsigned int luna_test_warnings(void);

/* luna_test_failed() - what fx_check() found ends the running test case; it does not return */
void __noreturn luna_test_failed(const char *what, const char *file, int line);

/**
 * luna_test_stride() - how thorough to be where every try costs an RSA operation
 * Return: 1 to try every byte, n for every n-th.
 */
u32 luna_test_stride(void);

/* fx_check() - what holds for every command, wherever the fixture meets it */
#define fx_check(cond) do {						\
	if (!(cond))							\
		luna_test_failed(#cond, __FILE__, __LINE__);		\
} while (0)

/**
 * struct luna_test_fault - things that can be made to fail one by one
 * @name: for messages
 * @begin: start counting what is taken and given back
 * @arm: let the @nth from now fail, from 1; 0: none
 * @met: since the last @arm: how many there were, failed or not
 * @end: stop counting. Return: taken and not given back since @begin
 */
struct luna_test_fault {
	const char *name;
	void (*begin)(void);
	void (*arm)(u64 nth);
	u64 (*met)(void);
	s64 (*end)(void);
};

/* luna_test_memory_fault() - allocations; NULL where the host cannot let single ones fail */
const struct luna_test_fault *luna_test_memory_fault(void);

#endif /* LUNA_KUNIT_HOST_H */
