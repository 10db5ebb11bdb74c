/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Readers and writers with a sticky error: a sequence of calls is checked once, at its end. A
 * reader that ran over returns zeros and NULL from then on; a writer that ran over writes nothing
 * more but goes on counting, so that a first pass with a NULL buffer measures.
 *
 * Integers: be = the protocols between tokens; native byte order = the ABI's payloads and the
 * store, whose format is little endian.
 */
#ifndef LUNA_TOKEN_WIRE_H
#define LUNA_TOKEN_WIRE_H

#include "port.h"

struct luna_rd {
	const u8 *data;
	u32 len, at;
	bool bad;
};

struct luna_wr {
	u8 *data;		/* NULL: measure */
	u32 room, at;
	bool full;		/* something did not fit */
};

void luna_rd_init(struct luna_rd *rd, const void *data, u32 len);
const u8 *luna_rd_bytes(struct luna_rd *rd, u32 len);
u8 luna_rd_u8(struct luna_rd *rd);
u16 luna_rd_be16(struct luna_rd *rd);
u32 luna_rd_be32(struct luna_rd *rd);
u64 luna_rd_be64(struct luna_rd *rd);
u32 luna_rd_le32(struct luna_rd *rd);
u64 luna_rd_le64(struct luna_rd *rd);
/* be32 length, then the bytes; at most @max */
const u8 *luna_rd_blob(struct luna_rd *rd, u32 max, u32 *len);
static inline u32 luna_rd_left(const struct luna_rd *rd)
{
	return rd->bad ? 0 : rd->len - rd->at;
}

/* Everything was read, and nothing ran over. */
static inline bool luna_rd_done(const struct luna_rd *rd)
{
	return !rd->bad && rd->at == rd->len;
}

void luna_wr_init(struct luna_wr *wr, void *data, u32 room);
void luna_wr_bytes(struct luna_wr *wr, const void *data, u32 len);
void luna_wr_u8(struct luna_wr *wr, u8 v);
void luna_wr_be16(struct luna_wr *wr, u16 v);
void luna_wr_be32(struct luna_wr *wr, u32 v);
void luna_wr_be64(struct luna_wr *wr, u64 v);
void luna_wr_le32(struct luna_wr *wr, u32 v);
void luna_wr_le64(struct luna_wr *wr, u64 v);
void luna_wr_blob(struct luna_wr *wr, const void *data, u32 len);	/* be32 length, bytes */

#endif /* LUNA_TOKEN_WIRE_H */
