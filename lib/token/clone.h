/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Cloning: what the source's steps and the target's steps share (clone.c); PROTOCOLS.md. */
#ifndef LUNA_TOKEN_CLONE_H
#define LUNA_TOKEN_CLONE_H

#include "exchange.h"
#include "object.h"

enum {
	CLONE_MAGIC = 0x4c435033,	/* "LCP3" */
	CLONE_PART1 = 1,
	CLONE_PART2 = 2,
	CLONE_F_REPLICATE = 0x01,

	CLONE_SECRET = 32,
	/* Part1: head, target's nonce and serial, digest of TWC, ciphertext (be16 length), MAC */
	CLONE_PART1_FIXED = LUNA_EXCHANGE_HEAD + LUNA_EXCHANGE_NONCE + LUNA_SERIAL_LEN +
			    LUNA_EXCHANGE_DIGEST + 2 + LUNA_EXCHANGE_MAC,
	/* Part2: head, source's and target's nonce, source's serial, type, length; then sealed */
	CLONE_PART2_HEAD = LUNA_EXCHANGE_HEAD + 2 * LUNA_EXCHANGE_NONCE + LUNA_SERIAL_LEN + 4 + 4,

	CLONE_MOFN_PAYLOAD = 4 * 4 + LUNA_MOFN_SECRET_LEN,
};

extern const char luna_clone_part1_label[];

/**
 * struct clone_source - from step 1 to step 3
 * @epoch: of the login that began it
 */
struct clone_source {
	bool active;
	u8 replicate;
	u32 epoch;
	u8 nonce[LUNA_EXCHANGE_NONCE];
};

/**
 * struct clone_target - from step 2 to step 4
 * @part1: digest of the Part1 that was handed out
 */
struct clone_target {
	bool active;
	u8 replicate;
	u32 epoch;
	u8 nonce[LUNA_EXCHANGE_NONCE];
	u8 secret[CLONE_SECRET];
	u8 part1[LUNA_EXCHANGE_DIGEST];
};

struct luna_clone_state {
	struct clone_source source;
	struct clone_target target;
};

/* Part2 taken apart; pointers into it. */
struct clone_part2 {
	u8 flags;
	const u8 *source_nonce, *target_nonce, *sealed;
	u32 type, sealed_len;
};

/* What is cloned: attributes, or the M of N secret. */
struct clone_payload {
	struct luna_attrs *attrs;
	const u8 *data;
	u32 len;
	u8 mofn[CLONE_MOFN_PAYLOAD];
};

/**
 * struct clone_work - what one step computes with; wiped at its end
 * @ikm: secret and domain key, @salt: both nonces, @transcript: digest of all that was said
 */
struct clone_work {
	struct luna_secrets *secrets;
	struct luna_exchange_self *self;
	struct clone_payload payload;
	u8 ikm[CLONE_SECRET + LUNA_DOMAIN_LEN];
	u8 salt[2 * LUNA_EXCHANGE_NONCE];
	u8 said[LUNA_EXCHANGE_DIGEST + CLONE_PART2_HEAD];
	u8 transcript[LUNA_EXCHANGE_DIGEST];
	u8 part1[LUNA_EXCHANGE_DIGEST];
	u8 key[LUNA_EXCHANGE_KEY];
	u8 em[LUNA_RSA_MAX];
	u8 msg[LUNA_RSA_MAX];
	struct clone_target next;
};

/* The session's exchange, made at need; NULL: no memory. */
struct luna_clone_state *luna_clone_state(struct luna_session *session);

/* What every step checks besides the exchange: role, HSM policies, form of the command. */
u32 luna_clone_allowed(struct luna_ucmd *cmd);
u32 luna_clone_type_check(u32 type);

/* The policies of either end about one object, and what a role that is not CO may clone. */
u32 luna_clone_object_allowed(const struct luna_session *session, const struct luna_tmpl *attrs);

/* May this session clone whatever the token has, and to any host? What an image amounts to. */
u32 luna_clone_all_allowed(const struct luna_session *session);

/* CKR_UNWRAPPING_ERROR for a blob that was not made under our domain key; nobody can tell why. */
u32 luna_clone_ckr(int err);

/* Needs the domain: without one there is nobody to clone with. *@rv is a CKR if it returns NULL. */
struct clone_work *luna_clone_work(struct luna_token *token, u32 *rv);
void luna_clone_work_free(struct clone_work *work);
struct luna_num luna_clone_domain(const struct clone_work *work);

/**
 * luna_clone_part2_key() - the key of Part2, into work->key
 * From the secret of Part1, the domain, both nonces and everything that was said: work->part1, the
 * digest of Part1, and @head, the start of Part2.
 */
int luna_clone_part2_key(struct luna_token *token, struct clone_work *work, const u8 *secret,
			 const struct clone_part2 *p, const u8 *head);

#endif /* LUNA_TOKEN_CLONE_H */
