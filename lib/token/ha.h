/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * HA login: what its files share. ha.c has what both tokens do, ha_setup.c CA_HAInit and the login
 * key, ha_secondary.c and ha_primary.c one end each; PROTOCOLS.md describes the messages.
 */
#ifndef LUNA_TOKEN_HA_H
#define LUNA_TOKEN_HA_H

#include "exchange.h"
#include "object.h"

enum {
	HA_MAGIC = 0x4c484131,		/* "LHA1" */
	HA_CHALLENGE = 1,
	HA_ANSWER = 2,
	HA_MOFN_REQUEST = 3,
	HA_MOFN_ANSWER = 4,

	HA_KEY = 32,			/* K, which W wraps; E, which a challenge wraps */
	/* Challenge: head, serial, digest of the primary's TWC, W and E (be16 lengths), MAC */
	HA_CHALLENGE_FIXED = LUNA_EXCHANGE_HEAD + LUNA_SERIAL_LEN + LUNA_EXCHANGE_DIGEST + 2 + 2 +
			     LUNA_EXCHANGE_MAC,
	/* Answer, M of N answer: head, digest of the challenge, K or the secret, MAC */
	HA_ANSWER_LEN = LUNA_EXCHANGE_HEAD + LUNA_EXCHANGE_DIGEST + HA_KEY + LUNA_EXCHANGE_MAC,
	HA_MOFN_ANSWER_LEN = LUNA_EXCHANGE_HEAD + LUNA_EXCHANGE_DIGEST + LUNA_MOFN_SECRET_LEN +
			     LUNA_EXCHANGE_MAC,
	/* M of N request: head, digests of challenge and TWC, M of N id, E (be16 length), MAC */
	HA_MOFN_REQUEST_FIXED = LUNA_EXCHANGE_HEAD + 2 * LUNA_EXCHANGE_DIGEST + 4 + 2 +
				LUNA_EXCHANGE_MAC,
};

/* Labels of keys that both ends derive. */
extern const char luna_ha_challenge_label[];
extern const char luna_ha_answer_label[];
extern const char luna_ha_mofn_request_label[];
extern const char luna_ha_mofn_answer_label[];

/**
 * struct ha_work - what one command computes with; wiped at its end, and the references dropped
 * @login_key, @login_attrs: of luna_ha_login_key()
 * @setup: copied out of the token's state
 * @ikm: E and the domain key
 */
struct ha_work {
	struct luna_secrets *secrets;
	struct luna_exchange_self *self;
	struct luna_object *login_key;
	struct luna_attrs *login_attrs;
	struct luna_ha_setup setup;
	u64 context;
	u8 sk[LUNA_SK_LEN];
	u8 k[HA_KEY];
	u8 e[HA_KEY];
	u8 fallback[HA_KEY];
	u8 mask[LUNA_MOFN_SECRET_LEN];
	u8 ikm[HA_KEY + LUNA_DOMAIN_LEN];
	u8 digest[LUNA_EXCHANGE_DIGEST];
	u8 em[LUNA_RSA_MAX];
	u8 reply[HA_ANSWER_LEN];
};

/* luna_ha_with_work() - @step with work of its own. Return: its CKR, or CKR_DEVICE_MEMORY. */
u32 luna_ha_with_work(struct luna_ucmd *cmd,
		      u32 (*step)(struct luna_ucmd *cmd, struct ha_work *work));
u32 luna_ha_self(struct luna_token *token, struct ha_work *work); /* fills work->self; a CKR */

/* The form of the command, and policy 21. */
u32 luna_ha_allowed(struct luna_ucmd *cmd);

/* Context of the sealed storage key: this life of the token, and the role. */
u64 luna_ha_context(const struct luna_state *state, u32 role);

static inline struct luna_num luna_ha_key(const u8 *key)
{
	return (struct luna_num){ key, HA_KEY };
}

/* AES-256-ECB of HA_KEY bytes. */
int luna_ha_ecb(struct luna_token *token, const u8 *key, bool encrypt, const u8 *in, u8 *out);

/**
 * luna_ha_answer_make() - an answer or M of N answer, HA_ANSWER_LEN bytes
 * @challenge: digest of the challenge that is answered
 * @body: HA_KEY bytes
 * @ikm, @label: where the key of the MAC comes from
 */
int luna_ha_answer_make(struct luna_token *token, u8 message, const u8 *challenge, const u8 *body,
			const struct luna_num *ikm, const char *label, u8 *out);

/**
 * luna_ha_answer_open() - the body of an answer to @challenge that its MAC proves
 * Return: the body, or NULL with *@err 0 (no answer to this challenge), -EBADMSG (the MAC is wrong)
 * or what kept us from knowing.
 */
const u8 *luna_ha_answer_open(struct luna_token *token, u8 message, const u8 *challenge,
			      const struct luna_num *ikm, const char *label, const u8 *data,
			      u32 len, int *err);

/*
 * work->ikm from E and the domain key of work->secrets; without one CKR_CLONING_PARAMETER_MISSING
 */
u32 luna_ha_mofn_ikm(struct ha_work *work, const u8 *e);

/* work->mask = @in, masked or unmasked under work->ikm */
int luna_ha_mofn_mask(struct luna_token *token, struct ha_work *work, const u8 *challenge,
		      const u8 *in);

/**
 * luna_ha_login_key() - the key of hdr.handle, if it is fit to be a login key
 * @public_ok: a public key will do
 * Return: CKR_OK with a reference each in @work; CKR_KEY_HANDLE_INVALID,
 * CKR_KEY_INVALID_FOR_HA_LOGIN.
 */
u32 luna_ha_login_key(struct luna_ucmd *cmd, bool public_ok, struct ha_work *work);

#endif /* LUNA_TOKEN_HA_H */
