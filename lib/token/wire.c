// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Bounded readers and writers of wire formats; see wire.h. */
#include "wire.h"

void luna_rd_init(struct luna_rd *rd, const void *data, u32 len)
{
	rd->data = data;
	rd->len = len;
	rd->at = 0;
	rd->bad = false;
}

const u8 *luna_rd_bytes(struct luna_rd *rd, u32 len)
{
	const u8 *p;

	if (rd->bad || len > rd->len - rd->at) {
		rd->bad = true;
		return NULL;
	}
	p = rd->data + rd->at;
	rd->at += len;
	return p;
}

u8 luna_rd_u8(struct luna_rd *rd)
{
	const u8 *p = luna_rd_bytes(rd, 1);

	return p ? *p : 0;
}

u16 luna_rd_be16(struct luna_rd *rd)
{
	const u8 *p = luna_rd_bytes(rd, 2);

	return p ? get_unaligned_be16(p) : 0;
}

u32 luna_rd_be32(struct luna_rd *rd)
{
	const u8 *p = luna_rd_bytes(rd, 4);

	return p ? get_unaligned_be32(p) : 0;
}

u64 luna_rd_be64(struct luna_rd *rd)
{
	const u8 *p = luna_rd_bytes(rd, 8);

	return p ? get_unaligned_be64(p) : 0;
}

u32 luna_rd_le32(struct luna_rd *rd)
{
	const u8 *p = luna_rd_bytes(rd, 4);

	return p ? get_unaligned_le32(p) : 0;
}

u64 luna_rd_le64(struct luna_rd *rd)
{
	const u8 *p = luna_rd_bytes(rd, 8);

	return p ? get_unaligned_le64(p) : 0;
}

const u8 *luna_rd_blob(struct luna_rd *rd, u32 max, u32 *len)
{
	u32 n = luna_rd_be32(rd);

	*len = 0;
	if (n > max)
		rd->bad = true;
	if (rd->bad)
		return NULL;
	*len = n;
	return luna_rd_bytes(rd, n);
}

void luna_wr_init(struct luna_wr *wr, void *data, u32 room)
{
	wr->data = data;
	wr->room = room;
	wr->at = 0;
	wr->full = false;
}

void luna_wr_bytes(struct luna_wr *wr, const void *data, u32 len)
{
	if (wr->data && !wr->full) {
		if (len > wr->room - wr->at)
			wr->full = true;
		else if (len)
			memcpy(wr->data + wr->at, data, len);
	}
	if (check_add_overflow(wr->at, len, &wr->at))
		wr->full = true;
}

void luna_wr_u8(struct luna_wr *wr, u8 v)
{
	luna_wr_bytes(wr, &v, 1);
}

void luna_wr_be16(struct luna_wr *wr, u16 v)
{
	u8 b[2];

	put_unaligned_be16(v, b);
	luna_wr_bytes(wr, b, sizeof(b));
}

void luna_wr_be32(struct luna_wr *wr, u32 v)
{
	u8 b[4];

	put_unaligned_be32(v, b);
	luna_wr_bytes(wr, b, sizeof(b));
}

void luna_wr_be64(struct luna_wr *wr, u64 v)
{
	u8 b[8];

	put_unaligned_be64(v, b);
	luna_wr_bytes(wr, b, sizeof(b));
}

void luna_wr_le32(struct luna_wr *wr, u32 v)
{
	u8 b[4];

	put_unaligned_le32(v, b);
	luna_wr_bytes(wr, b, sizeof(b));
}

void luna_wr_le64(struct luna_wr *wr, u64 v)
{
	u8 b[8];

	put_unaligned_le64(v, b);
	luna_wr_bytes(wr, b, sizeof(b));
}

void luna_wr_blob(struct luna_wr *wr, const void *data, u32 len)
{
	luna_wr_be32(wr, len);
	luna_wr_bytes(wr, data, len);
}
