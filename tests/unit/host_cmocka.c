// SPDX-License-Identifier: MIT
/* What the fixture needs besides tests/kunit/host_user.c: a failed check fails the cmocka test. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "host.h"

void luna_test_failed(const char *what, const char *file, int line)
{
	print_error("%s\n", what);
	_fail(file, line);
	abort();
}
