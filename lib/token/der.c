// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * DER and the RSA key formats in it: PKCS#1 (RFC 8017, A.1) and PKCS#8 (RFC 5208). What is read
 * comes from the client, or out of a wrapped key that anyone may have made.
 */
#include "der.h"

const u8 luna_der_rsa_alg[15] = {
	0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
};

static const u8 der_zero[3] = { LUNA_DER_INTEGER, 1, 0 };

/* ---- reading ---- */

/* A length in its shortest form; anything else makes the reader bad. */
static u32 read_length(struct luna_rd *rd)
{
	u32 first = luna_rd_u8(rd), len;

	if (first < 0x80)
		return first;
	if (first == 0x81) {
		len = luna_rd_u8(rd);
		rd->bad |= len < 0x80;
	} else {
		len = luna_rd_be16(rd);
		rd->bad |= first != 0x82 || len < 0x100;
	}
	return len;
}

void luna_der_enter(struct luna_rd *rd, u8 tag, struct luna_rd *inner)
{
	const u8 *content;
	u32 len;

	rd->bad |= luna_rd_u8(rd) != tag;
	len = read_length(rd);
	content = luna_rd_bytes(rd, len);
	luna_rd_init(inner, content, rd->bad ? 0 : len);
	inner->bad = rd->bad;
}

void luna_der_uint(struct luna_rd *rd, struct luna_num *num)
{
	struct luna_rd in;

	*num = (struct luna_num){ NULL, 0 };
	luna_der_enter(rd, LUNA_DER_INTEGER, &in);
	if (in.bad || !in.len || in.data[0] & 0x80 ||
	    (in.len > 1 && !in.data[0] && !(in.data[1] & 0x80))) {
		rd->bad = true;
		return;
	}
	num->data = in.data + !in.data[0];
	num->len = in.len - !in.data[0];
}

void luna_der_expect(struct luna_rd *rd, const void *bytes, u32 len)
{
	const u8 *got = luna_rd_bytes(rd, len);

	if (rd->bad || memcmp(got, bytes, len))
		rd->bad = true;
}

u32 luna_der_size(const u8 *der, u32 len)
{
	struct luna_rd rd;
	u32 content;

	luna_rd_init(&rd, der, len);
	luna_rd_u8(&rd);
	content = read_length(&rd);
	luna_rd_bytes(&rd, content);
	return rd.bad ? 0 : rd.at;
}

/* ---- writing ---- */

void luna_derw_init(struct luna_derw *w, u8 *buf, u32 room)
{
	*w = (struct luna_derw){ .buf = buf, .room = room };
}

void luna_derw_bytes(struct luna_derw *w, const void *data, u32 len)
{
	if (check_add_overflow(w->len, len, &w->len))
		w->full = true;
	if (w->buf && (w->full || w->len > w->room))
		w->full = true;
	else if (w->buf && len)
		memcpy(w->buf + w->room - w->len, data, len);
}

void luna_derw_wrap(struct luna_derw *w, u8 tag, u32 mark)
{
	u32 len = w->len - mark;
	u8 head[4] = { tag, 0x82, len >> 8, len };

	if (len > U16_MAX) {
		w->full = true;
	} else if (len > 0xff) {
		luna_derw_bytes(w, head, 4);
	} else if (len > 0x7f) {
		head[1] = 0x81;
		head[2] = len;
		luna_derw_bytes(w, head, 3);
	} else {
		head[1] = len;
		luna_derw_bytes(w, head, 2);
	}
}

void luna_derw_uint(struct luna_derw *w, const struct luna_num *num)
{
	u32 mark = w->len, skip = 0;

	while (skip < num->len && !num->data[skip])
		skip++;
	luna_derw_bytes(w, num->data + skip, num->len - skip);
	if (skip == num->len || num->data[skip] & 0x80)
		luna_derw_bytes(w, "", 1);
	luna_derw_wrap(w, LUNA_DER_INTEGER, mark);
}

int luna_derw_finish(struct luna_derw *w)
{
	if (w->full || w->len > INT_MAX)
		return -ENOSPC;
	if (w->buf)
		memmove(w->buf, w->buf + w->room - w->len, w->len);
	return w->len;
}

/* ---- RSA keys ---- */

/* The numbers of RSAPrivateKey in their order. */
static const u16 rsa_fields[] = {
	offsetof(struct luna_der_rsa, n), offsetof(struct luna_der_rsa, e),
	offsetof(struct luna_der_rsa, d), offsetof(struct luna_der_rsa, p),
	offsetof(struct luna_der_rsa, q), offsetof(struct luna_der_rsa, dp),
	offsetof(struct luna_der_rsa, dq), offsetof(struct luna_der_rsa, qi),
};

static bool rsa_complete(const struct luna_der_rsa *key)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rsa_fields); i++)
		if (!((const struct luna_num *)((const u8 *)key + rsa_fields[i]))->len)
			return false;
	return true;
}

static void write_private(struct luna_derw *w, const struct luna_der_rsa *key)
{
	u32 mark = w->len, i;

	for (i = ARRAY_SIZE(rsa_fields); i-- > 0;)
		luna_derw_uint(w, (const void *)((const u8 *)key + rsa_fields[i]));
	luna_derw_bytes(w, der_zero, sizeof(der_zero));
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, mark);
}

int luna_der_rsa_private(const struct luna_der_rsa *key, u8 *out, u32 room)
{
	struct luna_derw w;

	if (!rsa_complete(key))
		return -EINVAL;
	luna_derw_init(&w, out, room);
	write_private(&w, key);
	return luna_derw_finish(&w);
}

int luna_der_rsa_public(const struct luna_num *n, const struct luna_num *e, u8 *out, u32 room)
{
	struct luna_derw w;

	luna_derw_init(&w, out, room);
	luna_derw_uint(&w, e);
	luna_derw_uint(&w, n);
	luna_derw_wrap(&w, LUNA_DER_SEQUENCE, 0);
	return luna_derw_finish(&w);
}

int luna_der_pkcs8_rsa(const struct luna_der_rsa *key, u8 *out, u32 room)
{
	struct luna_derw w;

	if (!rsa_complete(key))
		return -EINVAL;
	luna_derw_init(&w, out, room);
	write_private(&w, key);
	luna_derw_wrap(&w, LUNA_DER_OCTETS, 0);
	luna_derw_bytes(&w, luna_der_rsa_alg, sizeof(luna_der_rsa_alg));
	luna_derw_bytes(&w, der_zero, sizeof(der_zero));
	luna_derw_wrap(&w, LUNA_DER_SEQUENCE, 0);
	return luna_derw_finish(&w);
}

/* An RSAPrivateKey of two primes: all numbers there, none longer than a modulus may be. */
static void read_private(struct luna_rd *rd, struct luna_der_rsa *key)
{
	struct luna_num *num;
	struct luna_rd seq;
	u32 i;

	luna_der_enter(rd, LUNA_DER_SEQUENCE, &seq);
	luna_der_expect(&seq, der_zero, sizeof(der_zero));
	for (i = 0; i < ARRAY_SIZE(rsa_fields); i++) {
		num = (struct luna_num *)((u8 *)key + rsa_fields[i]);
		luna_der_uint(&seq, num);
		seq.bad |= !num->len || num->len > LUNA_RSA_MAX;
	}
	rd->bad |= !luna_rd_done(&seq);
}

int luna_der_rsa_private_parse(const u8 *der, u32 len, struct luna_der_rsa *key)
{
	struct luna_rd rd;

	luna_rd_init(&rd, der, len);
	read_private(&rd, key);
	return luna_rd_done(&rd) ? 0 : -EBADMSG;
}

int luna_der_pkcs8_rsa_parse(const u8 *der, u32 len, struct luna_der_rsa *key)
{
	struct luna_rd rd, seq, octets, attributes;

	luna_rd_init(&rd, der, len);
	luna_der_enter(&rd, LUNA_DER_SEQUENCE, &seq);
	luna_der_expect(&seq, der_zero, sizeof(der_zero));
	luna_der_expect(&seq, luna_der_rsa_alg, sizeof(luna_der_rsa_alg));
	luna_der_enter(&seq, LUNA_DER_OCTETS, &octets);
	read_private(&octets, key);
	if (luna_rd_left(&seq))
		luna_der_enter(&seq, LUNA_DER_CONTEXT, &attributes);
	return luna_rd_done(&rd) && luna_rd_done(&seq) && luna_rd_done(&octets) ? 0 : -EBADMSG;
}
