// SPDX-License-Identifier: MIT
/*
 * Answer and M of N answer of HA login, at the secondary: a byte of mode, then the message.
 */
#include "exchange.h"

enum {
	HA_FUZZ_MAC = 1,	/* the input ends before the MAC, which is appended */
	HA_FUZZ_MOFN = 2,	/* an M of N answer, after a real login */
	HA_FUZZ_REQUIRED = 4,	/* M of N is required */
};

static struct fuzz_message twc, challenge, answer, request;

/* Up to the challenge, which is out. */
static void begin(u8 mode)
{
	struct fuzz_side *a = &fuzz_world.sides[FUZZ_PRIMARY];
	struct fuzz_side *b = &fuzz_world.sides[FUZZ_SECONDARY];
	struct luna_blob arg = { .role = CKU_USER };

	fuzz_world_open(mode & (HA_FUZZ_REQUIRED | HA_FUZZ_MOFN));
	fx_logout(b->open, b->session);
	fuzz_check(!fuzz_step(a, LUNA_HA_MASTER_PUBLIC, &(struct luna_blob){ 0 }, NULL, 0, &twc));
	fuzz_draw_e();
	fuzz_check(!fuzz_step(b, LUNA_HA_CHALLENGE, &arg, twc.data, twc.len, &challenge));
}

static s64 ha_login(const struct fuzz_message *message)
{
	return fuzz_step(&fuzz_world.sides[FUZZ_SECONDARY], LUNA_HA_LOGIN, &(struct luna_blob){ 0 },
			 message->data, message->len, &request);
}

/* Chance is the same for every input, and so is the answer. */
static void get_answer(void)
{
	if (!answer.len)
		fuzz_check(!fuzz_step(&fuzz_world.sides[FUZZ_PRIMARY], LUNA_HA_ANSWER,
				      &(struct luna_blob){ .handle = fuzz_world.login },
				      challenge.data, challenge.len, &answer));
}

static void fuzz_answer(u8 mode, struct fuzz_message *message)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_SECONDARY];

	if (mode & HA_FUZZ_MAC)
		fuzz_mac(message, fuzz_e, sizeof(fuzz_e), luna_ha_answer_label);
	if (ha_login(message))
		return;
	/* An answer is good once. */
	fuzz_check(ha_login(message));
	fuzz_check(!fx_logout(side->open, side->session));
}

static void fuzz_mofn_answer(u8 mode, struct fuzz_message *message)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_SECONDARY];
	u8 ikm[HA_KEY + LUNA_DOMAIN_LEN];

	get_answer();
	fuzz_check(!ha_login(&answer));
	if (mode & HA_FUZZ_MAC) {
		memcpy(ikm, fuzz_e, HA_KEY);
		memcpy(ikm + HA_KEY, fuzz_domain(), LUNA_DOMAIN_LEN);
		fuzz_mac(message, ikm, sizeof(ikm), luna_ha_mofn_answer_label);
	}
	fuzz_step(side, LUNA_HA_MOFN_ACTIVATE, &(struct luna_blob){ 0 }, message->data,
		  message->len, NULL);
}

static void one(struct fuzz_in *in)
{
	static struct fuzz_message message;
	u8 mode = fuzz_u8(in);

	begin(mode);
	fuzz_rest(in, &message);
	if (mode & HA_FUZZ_MOFN)
		fuzz_mofn_answer(mode, &message);
	else
		fuzz_answer(mode, &message);
	fuzz_world_close();
}

static void seeds(void)
{
	static struct fuzz_message secret;

	begin(HA_FUZZ_MOFN);
	get_answer();
	fuzz_seed_message("answer", HA_FUZZ_REQUIRED, &answer, 0);
	fuzz_seed_message("answer-mac", HA_FUZZ_MAC, &answer, LUNA_EXCHANGE_MAC);
	fuzz_check(!ha_login(&answer));
	fuzz_check(!fuzz_step(&fuzz_world.sides[FUZZ_PRIMARY], LUNA_HA_MOFN_ANSWER,
			      &(struct luna_blob){ 0 }, request.data, request.len, &secret));
	fuzz_seed_message("mofn", HA_FUZZ_MOFN, &secret, 0);
	fuzz_seed_message("mofn-mac", HA_FUZZ_MOFN | HA_FUZZ_MAC, &secret, LUNA_EXCHANGE_MAC);
	fuzz_world_close();
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
