// SPDX-License-Identifier: MIT
/*
 * Part1 of a cloning, at the source: a byte of mode, then the message.
 */
#include "exchange.h"

enum {
	PART1_MAC = 1,		/* the input ends before the MAC, which is appended */
	PART1_REPLICATE = 2,
	PART1_MOFN = 4,
	PART1_DATA = 8,		/* clone the data object, not the key */
	PART1_QUERY = 16,	/* a length query first */
	PART1_LENGTH = 32,	/* the ciphertext's length is that of what there is */

	PART1_LENGTH_AT = 88,
};

static void begin(u8 mode, struct fuzz_message *twc)
{
	struct luna_blob arg = { .replicate = !!(mode & PART1_REPLICATE) };

	fuzz_world_open(false);
	fuzz_step(&fuzz_world.sides[FUZZ_PRIMARY], LUNA_CLONE_SOURCE_INIT, &arg, NULL, 0, twc);
}

static void one(struct fuzz_in *in)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_PRIMARY];
	static struct fuzz_message message, reply;
	u8 mode = fuzz_u8(in);
	struct luna_blob arg = { .replicate = !!(mode & PART1_REPLICATE) };

	begin(mode, &reply);
	fuzz_rest(in, &message);
	if (mode & PART1_LENGTH && message.len > PART1_LENGTH_AT + 2)
		put_unaligned_be16(message.len - PART1_LENGTH_AT - 2, message.data + PART1_LENGTH_AT);
	if (mode & PART1_MAC)
		fuzz_mac(&message, fuzz_domain(), LUNA_DOMAIN_LEN, luna_clone_part1_label);
	if (mode & PART1_MOFN)
		arg.type = CK_MOFN_ACTIVATION_ELEMENT;
	else
		arg.handle = mode & PART1_DATA ? fuzz_world.data : fuzz_world.aes;
	if (mode & PART1_QUERY)
		fuzz_step(side, LUNA_CLONE_SOURCE, &arg, message.data, message.len, NULL);
	fuzz_step(side, LUNA_CLONE_SOURCE, &arg, message.data, message.len, &reply);
	fuzz_world_close();
}

static void seed(const char *name, u8 mode)
{
	static struct fuzz_message twc, part1;
	struct luna_blob arg = { .replicate = !!(mode & PART1_REPLICATE) };

	begin(mode, &twc);
	fuzz_check(!fuzz_step(&fuzz_world.sides[FUZZ_SECONDARY], LUNA_CLONE_TARGET_INIT, &arg,
			      twc.data, twc.len, &part1));
	fuzz_seed_message(name, mode, &part1, mode & PART1_MAC ? LUNA_EXCHANGE_MAC : 0);
	fuzz_world_close();
}

static void seeds(void)
{
	seed("raw", 0);
	seed("mac", PART1_MAC);
	seed("replicate", PART1_MAC | PART1_REPLICATE | PART1_QUERY);
	seed("mofn", PART1_MAC | PART1_MOFN);
	seed("data", PART1_MAC | PART1_DATA);
	seed("length", PART1_MAC | PART1_LENGTH);
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
