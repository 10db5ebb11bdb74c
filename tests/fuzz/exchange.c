// SPDX-License-Identifier: MIT
/* Inputs that end in the right MAC. */
#include "exchange.h"

const u8 fuzz_e[HA_KEY] = "E of every challenge of a fuzzer";

void fuzz_rest(struct fuzz_in *in, struct fuzz_message *message)
{
	size_t len;
	const u8 *at = fuzz_bytes(in, sizeof(message->data) - 1024, &len);

	if (len)
		memcpy(message->data, at, len);
	message->len = len;
}

void fuzz_mac(struct fuzz_message *message, const void *ikm, u32 ikm_len, const char *label)
{
	struct luna_num num = { ikm, ikm_len };

	fuzz_check(!luna_exchange_mac(fuzz_world.sides[FUZZ_PRIMARY].fx.token, &num, label,
				      message->data, message->len, message->data + message->len));
	message->len += LUNA_EXCHANGE_MAC;
}

void fuzz_seed_message(const char *name, u8 mode, const struct fuzz_message *message, u32 cut)
{
	u32 len = message->len - cut;
	u8 *seed = fuzz_alloc(1 + len);

	seed[0] = mode;
	memcpy(seed + 1, message->data, len);
	fuzz_seed(name, seed, 1 + len);
	free(seed);
}

void fuzz_draw_e(void)
{
	fakerng_next(fuzz_e, sizeof(fuzz_e));
}

const u8 *fuzz_domain(void)
{
	struct luna_token *token = fuzz_world.sides[FUZZ_PRIMARY].fx.token;

	fuzz_check(token->secrets && token->secrets->has_domain);
	return token->secrets->domain;
}
