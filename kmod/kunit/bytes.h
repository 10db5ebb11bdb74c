/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Byte strings of known answers. All memory belongs to the running case. */
#ifndef LUNA_KUNIT_BYTES_H
#define LUNA_KUNIT_BYTES_H

#include <kunit/test.h>

#include "port.h"

struct bytes {
	u8 *data;
	size_t len;
};

static inline struct bytes bytes_new(struct kunit *test, size_t len)
{
	/* Not a byte more, so that sanitizers see one that is read or written behind. */
	struct bytes b = { .data = kunit_kzalloc(test, len ? len : 1, GFP_KERNEL), .len = len };

	KUNIT_ASSERT_NOT_NULL(test, b.data);
	return b;
}

static inline u8 bytes_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* bytes_hex() - lower-case digits as bytes */
static inline struct bytes bytes_hex(struct kunit *test, const char *hex)
{
	struct bytes b = bytes_new(test, strlen(hex) / 2);
	size_t i;

	for (i = 0; i < b.len; i++)
		b.data[i] = bytes_digit(hex[2 * i]) << 4 | bytes_digit(hex[2 * i + 1]);
	return b;
}

static inline struct bytes bytes_text(struct kunit *test, const char *text)
{
	struct bytes b = bytes_new(test, strlen(text));

	memcpy(b.data, text, b.len);
	return b;
}

/* bytes_pattern() - @len bytes that differ within a block and from block to block */
static inline struct bytes bytes_pattern(struct kunit *test, size_t len)
{
	struct bytes b = bytes_new(test, len);
	size_t i;

	for (i = 0; i < len; i++)
		b.data[i] = i * 167 + (i >> 8) * 13 + 5;
	return b;
}

static inline bool bytes_are(struct bytes b, const char *hex)
{
	size_t i;

	if (strlen(hex) != 2 * b.len)
		return false;
	for (i = 0; i < b.len; i++)
		if (b.data[i] != (u8)(bytes_digit(hex[2 * i]) << 4 | bytes_digit(hex[2 * i + 1])))
			return false;
	return true;
}

/* bytes_piece() - how many of @left bytes to feed next: uneven, and across every block size */
static inline size_t bytes_piece(size_t round, size_t left)
{
	static const u16 pieces[] = { 1, 16, 3, 64, 7, 128, 61, 5, 129, 17, 333, 2, 48 };

	return min_t(size_t, pieces[round % ARRAY_SIZE(pieces)], left);
}

#endif /* LUNA_KUNIT_BYTES_H */
