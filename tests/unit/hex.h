/* SPDX-License-Identifier: MIT */
/* Byte strings of published answers, written in hexadecimal. */
#ifndef LUNA_TEST_HEX_H
#define LUNA_TEST_HEX_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "port.h"

enum { BYTES_MAX = 512 };

struct bytes {
	u32 len;
	u8 data[BYTES_MAX];
};

static inline struct bytes hex(const char *text)
{
	struct bytes b = { .len = strlen(text) / 2 };

	assert_true(b.len <= BYTES_MAX);
	for (u32 i = 0; i < b.len; i++)
		assert_int_equal(sscanf(text + 2 * i, "%2hhx", &b.data[i]), 1);
	return b;
}

/* assert_hex() - at @data stand the bytes of @expected, as many as those are */
static inline void assert_hex(const u8 *data, const char *expected)
{
	struct bytes b = hex(expected);

	assert_memory_equal(data, b.data, b.len);
}

#endif /* LUNA_TEST_HEX_H */
