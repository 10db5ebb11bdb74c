// SPDX-License-Identifier: MIT
/*
 * M of N vectors, presented, and the list of shares asked for: a byte of mode, one with the count, then
 * the payload.
 */
#include "exchange.h"

enum {
	MOFN_CRC = 1,		/* every vector gets the checksum of its bytes */
	MOFN_GENERATE = 2,	/* the payload is what LUNA_MOFN_GENERATE takes */
	MOFN_ROW = 4 + FUZZ_VECTOR,
	MOFN_CRC_AT = MOFN_ROW - 4,
};

static void fix_checksums(struct fuzz_message *message)
{
	u32 at;

	for (at = 0; at + MOFN_ROW <= message->len; at += MOFN_ROW)
		put_unaligned_be32(luna_crc32(message->data + at + 4, MOFN_CRC_AT - 4),
				   message->data + at + MOFN_CRC_AT);
}

static s64 call(struct fuzz_side *side, u32 nr, u8 count, const struct fuzz_message *message)
{
	struct luna_mofn arg = { .hdr.session = side->session, .n = count };
	static u8 vectors[LUNA_MOFN_MAX * MOFN_ROW];
	size_t len = sizeof(vectors);

	if (nr == LUNA_MOFN_GENERATE) {
		arg.m = count >> 4;
		arg.n = count & 15;
		arg.flags = LUNA_MOFN_CLONEABLE;
	}
	return fuzz_call(side->open, nr, &arg, sizeof(arg), message->data, message->len, vectors,
			 &len);
}

static void one(struct fuzz_in *in)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_SECONDARY];
	static struct fuzz_message message;
	u8 mode = fuzz_u8(in), count = fuzz_u8(in);

	fuzz_world_open(true);
	fuzz_rest(in, &message);
	if (mode & MOFN_CRC)
		fix_checksums(&message);
	if (mode & MOFN_GENERATE)
		call(side, LUNA_MOFN_GENERATE, count, &message);
	else if (!call(side, LUNA_MOFN_ACTIVATE, count, &message))
		fuzz_check(side->fx.token->mofn_active);
	fuzz_world_close();
}

static void seed(const char *name, u8 mode, u8 count, const void *payload, u32 len)
{
	struct fuzz_message message = { .len = 1 + len };

	message.data[0] = count;
	memcpy(message.data + 1, payload, len);
	fuzz_seed_message(name, mode, &message, 0);
}

static void seeds(void)
{
	static const u32 pairs[6] = { 1, FUZZ_VECTOR, 1, 512, 1, LUNA_OUT_QUERY };
	const u8 *v = fuzz_world.vectors;

	seed("three", 0, 3, v, 3 * MOFN_ROW);
	seed("two", MOFN_CRC, 2, v, 2 * MOFN_ROW);
	seed("one", MOFN_CRC, 1, v, MOFN_ROW);
	seed("generate", MOFN_GENERATE, 0x23, pairs, sizeof(pairs));
	seed("generate-query", MOFN_GENERATE, 0x13, pairs, sizeof(pairs));
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
