/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * DER, as much of it as keys and the token's certificate need: definite minimal lengths below 64
 * KiB, unsigned minimal integers. Reading goes through the sticky readers of wire.h. Writing goes
 * from the end to the start, so that the length of a content is known when its header is written.
 */
#ifndef LUNA_TOKEN_DER_H
#define LUNA_TOKEN_DER_H

#include "key.h"
#include "wire.h"

enum luna_der_tag {
	LUNA_DER_INTEGER = 0x02,
	LUNA_DER_BITS = 0x03,
	LUNA_DER_OCTETS = 0x04,
	LUNA_DER_OID = 0x06,
	LUNA_DER_UTF8 = 0x0c,
	LUNA_DER_PRINTABLE = 0x13,
	LUNA_DER_UTC_TIME = 0x17,
	LUNA_DER_TIME = 0x18,
	LUNA_DER_SEQUENCE = 0x30,
	LUNA_DER_SET = 0x31,
	LUNA_DER_CONTEXT = 0xa0,	/* constructed, + number */
};

/* Reads an element of type @tag; @inner reads its content, and is bad if there is none. */
void luna_der_enter(struct luna_rd *rd, u8 tag, struct luna_rd *inner);
/* Reads an INTEGER, not negative; @num has no leading zeros, so that zero has len 0. */
void luna_der_uint(struct luna_rd *rd, struct luna_num *num);
/* Reads exactly these bytes. */
void luna_der_expect(struct luna_rd *rd, const void *bytes, u32 len);
/* Bytes of the element at @der, header included; 0 if it is longer than @len or bad. */
u32 luna_der_size(const u8 *der, u32 len);

/**
 * struct luna_derw - a writer from the end of @buf to its start
 * @buf: NULL: measure
 * @len: bytes written so far; they are the last ones of the buffer
 */
struct luna_derw {
	u8 *buf;
	u32 room, len;
	bool full;
};

void luna_derw_init(struct luna_derw *w, u8 *buf, u32 room);
void luna_derw_bytes(struct luna_derw *w, const void *data, u32 len);
void luna_derw_uint(struct luna_derw *w, const struct luna_num *num);
/* Puts a header in front of all that was written since w->len was @mark. */
void luna_derw_wrap(struct luna_derw *w, u8 tag, u32 mark);
/* Moves what was written to the start of the buffer. Return: its length, or -ENOSPC. */
int luna_derw_finish(struct luna_derw *w);

/* AlgorithmIdentifier of RSA keys: rsaEncryption, NULL */
extern const u8 luna_der_rsa_alg[15];

#endif /* LUNA_TOKEN_DER_H */
