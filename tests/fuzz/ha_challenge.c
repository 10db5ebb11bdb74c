// SPDX-License-Identifier: MIT
/*
 * Challenge and M of N request of HA login, at the primary: a byte of mode, then the message.
 */
#include "exchange.h"

enum {
	HA_FUZZ_MAC = 1,	/* the input ends before the MAC, which is appended */
	HA_FUZZ_MOFN = 2,	/* an M of N request */
	HA_FUZZ_PUBLIC = 4,	/* the public key as login key */
};

/* The real messages of a recovery with E as the fuzzer knows it. */
static void recover(struct fuzz_message *challenge, struct fuzz_message *request)
{
	struct fuzz_side *a = &fuzz_world.sides[FUZZ_PRIMARY];
	struct fuzz_side *b = &fuzz_world.sides[FUZZ_SECONDARY];
	struct luna_blob arg = { .role = CKU_USER };
	static struct fuzz_message twc, answer;

	fx_logout(b->open, b->session);
	fuzz_check(!fuzz_step(a, LUNA_HA_MASTER_PUBLIC, &(struct luna_blob){ 0 }, NULL, 0, &twc));
	fuzz_draw_e();
	fuzz_check(!fuzz_step(b, LUNA_HA_CHALLENGE, &arg, twc.data, twc.len, challenge));
	fuzz_check(!fuzz_step(a, LUNA_HA_ANSWER, &(struct luna_blob){ .handle = fuzz_world.login },
			      challenge->data, challenge->len, &answer));
	fuzz_check(!fuzz_step(b, LUNA_HA_LOGIN, &(struct luna_blob){ 0 }, answer.data, answer.len,
			      request));
}

static void one(struct fuzz_in *in)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_PRIMARY];
	static struct fuzz_message message, reply;
	u8 mode = fuzz_u8(in);
	bool mofn = mode & HA_FUZZ_MOFN;
	struct luna_blob arg = { 0 };

	fuzz_world_open(false);
	fuzz_rest(in, &message);
	if (mode & HA_FUZZ_MAC)
		fuzz_mac(&message, fuzz_e, sizeof(fuzz_e),
			 mofn ? luna_ha_mofn_request_label : luna_ha_challenge_label);
	if (!mofn)
		arg.handle = mode & HA_FUZZ_PUBLIC ? fuzz_world.login_public : fuzz_world.login;
	fuzz_step(side, mofn ? LUNA_HA_MOFN_ANSWER : LUNA_HA_ANSWER, &arg, message.data,
		  message.len, &reply);
	fuzz_world_close();
}

static void seeds(void)
{
	static struct fuzz_message challenge, request;

	fuzz_world_open(true);
	recover(&challenge, &request);
	fuzz_seed_message("challenge", 0, &challenge, 0);
	fuzz_seed_message("challenge-mac", HA_FUZZ_MAC, &challenge, LUNA_EXCHANGE_MAC);
	fuzz_seed_message("challenge-public", HA_FUZZ_MAC | HA_FUZZ_PUBLIC, &challenge,
			  LUNA_EXCHANGE_MAC);
	fuzz_seed_message("request", HA_FUZZ_MOFN, &request, 0);
	fuzz_seed_message("request-mac", HA_FUZZ_MOFN | HA_FUZZ_MAC, &request, LUNA_EXCHANGE_MAC);
	fuzz_world_close();
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
