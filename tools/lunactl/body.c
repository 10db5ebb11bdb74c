// SPDX-License-Identifier: MIT
/*
 * Bodies of messages between two lunactl: written and read field by field, big endian. Errors of
 * reading stick, and are looked at once, at the end.
 */
#include <stdlib.h>
#include <string.h>

#include "peer.h"

void put_raw(struct body *body, const void *bytes, size_t len)
{
	size_t room = 2 * (body->len + len) + 64;
	unsigned char *more;

	if (body->len + len > body->room) {
		more = malloc(room);
		if (!more)
			fatal("out of memory");
		if (body->len)
			memcpy(more, body->data, body->len);
		if (body->data)
			explicit_bzero(body->data, body->room);
		free(body->data);
		body->data = more;
		body->room = room;
	}
	if (len)
		memcpy(body->data + body->len, bytes, len);
	body->len += len;
}

void put_u8(struct body *body, unsigned int value)
{
	unsigned char byte = (unsigned char)value;

	put_raw(body, &byte, 1);
}

void put_u16(struct body *body, unsigned int value)
{
	put_u8(body, value >> 8);
	put_u8(body, value & 0xff);
}

void put_u32(struct body *body, CK_ULONG value)
{
	put_u16(body, (unsigned int)(value >> 16) & 0xffff);
	put_u16(body, (unsigned int)value & 0xffff);
}

void put_bytes(struct body *body, const void *bytes, size_t len)
{
	put_u32(body, len);
	put_raw(body, bytes, len);
}

void put_text(struct body *body, const char *text)
{
	size_t len = strnlen(text, PEER_TEXT_MAX);

	put_u8(body, (unsigned int)len);
	put_raw(body, text, len);
}

const unsigned char *get_raw(struct body *body, size_t len)
{
	if (body->bad || len > body->len - body->at) {
		body->bad = true;
		return NULL;
	}
	body->at += len;
	return len ? body->data + body->at - len : (const unsigned char *)"";
}

unsigned int get_u8(struct body *body)
{
	const unsigned char *at = get_raw(body, 1);

	return at ? at[0] : 0;
}

unsigned int get_u16(struct body *body)
{
	unsigned int high = get_u8(body);

	return high << 8 | get_u8(body);
}

CK_ULONG get_u32(struct body *body)
{
	CK_ULONG high = get_u16(body);

	return high << 16 | get_u16(body);
}

unsigned char *get_bytes(struct body *body, CK_ULONG *len)
{
	static unsigned char none[1];
	const unsigned char *at;

	*len = get_u32(body);
	at = get_raw(body, *len);
	if (!at || !*len) {
		*len = 0;
		return none;
	}
	return body->data + body->at - *len;
}

void get_text(struct body *body, char *text, size_t room)
{
	size_t len = get_u8(body);
	const unsigned char *at = get_raw(body, len);

	len = at && len < room ? len : 0;
	if (len)
		memcpy(text, at, len);
	text_clean(text, len);
	text[len] = 0;
}

bool body_done(const struct body *body)
{
	return !body->bad && body->at == body->len;
}

void body_free(struct body *body)
{
	if (body->data)
		explicit_bzero(body->data, body->room);
	free(body->data);
	memset(body, 0, sizeof(*body));
}
