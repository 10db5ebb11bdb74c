/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer for encoding templates and parameters. It may hold keys and PINs, so what
 * it leaves behind is always wiped. A failed allocation sticks: encoders append without checking
 * and their caller asks once, at the end.
 */
#ifndef P11_BUFFER_H
#define P11_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define P11_BUFFER_INSIDE	256

/**
 * struct p11_buffer - bytes in the making
 * @data: the bytes; moves when the buffer grows
 * @len: bytes in use
 * @cap: bytes allocated
 * @failed: an append found no memory; @len stopped there
 * @inside: the first allocation, so that most calls need none
 */
struct p11_buffer {
	uint8_t *data;
	size_t len;
	size_t cap;
	bool failed;
	_Alignas(8) uint8_t inside[P11_BUFFER_INSIDE];
};

/** p11_buffer_init() - make @buffer empty; it must not be moved from here on */
void p11_buffer_init(struct p11_buffer *buffer);

/** p11_buffer_free() - wipe and release everything */
void p11_buffer_free(struct p11_buffer *buffer);

/**
 * p11_buffer_add() - append @len zero bytes
 * Return: where they stand, valid until the next append; NULL when there is no memory.
 */
void *p11_buffer_add(struct p11_buffer *buffer, size_t len);

/** p11_buffer_put() - append a copy of @len bytes at @data */
void p11_buffer_put(struct p11_buffer *buffer, const void *data, size_t len);

/** p11_wipe_free() - wipe @len bytes at @data, then free() them; @data may be NULL */
void p11_wipe_free(void *data, size_t len);

#endif /* P11_BUFFER_H */
