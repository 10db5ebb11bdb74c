// SPDX-License-Identifier: MIT
/*
 * The growing byte buffer of the encoders; see buffer.h.
 */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

void p11_wipe_free(void *data, size_t len)
{
	if (!data)
		return;
	explicit_bzero(data, len);
	free(data);
}

void p11_buffer_init(struct p11_buffer *buffer)
{
	buffer->data = buffer->inside;
	buffer->len = 0;
	buffer->cap = sizeof(buffer->inside);
	buffer->failed = false;
}

void p11_buffer_free(struct p11_buffer *buffer)
{
	if (buffer->data == buffer->inside)
		explicit_bzero(buffer->inside, buffer->len);
	else
		p11_wipe_free(buffer->data, buffer->len);
	p11_buffer_init(buffer);
}

static bool buffer_grow(struct p11_buffer *buffer, size_t need)
{
	size_t cap = buffer->cap;
	uint8_t *data;

	while (cap < need)
		cap *= 2;
	/* Not realloc(): it would leave a copy behind that nobody wipes. */
	data = malloc(cap);
	if (!data)
		return false;
	memcpy(data, buffer->data, buffer->len);
	if (buffer->data == buffer->inside)
		explicit_bzero(buffer->inside, buffer->len);
	else
		p11_wipe_free(buffer->data, buffer->len);
	buffer->data = data;
	buffer->cap = cap;
	return true;
}

void *p11_buffer_add(struct p11_buffer *buffer, size_t len)
{
	uint8_t *at;

	if (buffer->failed || len > SIZE_MAX / 4 - buffer->len ||
	    (buffer->len + len > buffer->cap && !buffer_grow(buffer, buffer->len + len))) {
		buffer->failed = true;
		return NULL;
	}
	at = buffer->data + buffer->len;
	memset(at, 0, len);
	buffer->len += len;
	return at;
}

void p11_buffer_put(struct p11_buffer *buffer, const void *data, size_t len)
{
	void *at = p11_buffer_add(buffer, len);

	if (at && len)
		memcpy(at, data, len);
}
