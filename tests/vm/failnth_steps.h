/* SPDX-License-Identifier: MIT */
/* What the parts of failnth's steps share: what one step has made and another one needs. */
#ifndef LUNA_TESTS_FAILNTH_STEPS_H
#define LUNA_TESTS_FAILNTH_STEPS_H

#include "failnth.h"

enum {
	ROOM = 12 * 1024,	/* of a reply, in one command */
	PIECE = 20000,		/* more than one command carries */
};

/* ---- failnth_steps.c ---- */

extern u8 text[PIECE + 16];		/* zeros, for any use */
extern u8 cipher[PIECE + 16];		/* what was encrypted or wrapped last */
extern u32 cipher_len;
extern const u8 iv[16];

/* A command of a header alone */
s64 bare(struct side *side, u32 nr, u32 session);

/* ---- failnth_tokens.c ---- */

s64 a_reset(void);
s64 a_co(void);				/* the session of a is the crypto officer's */

extern const struct step token_steps[];
extern const struct step end_steps[];	/* of sessions, and of all that a file has */

/* ---- failnth_objects.c ---- */

extern u32 made, made2;			/* by the last step; 0: nothing */

/* What a tolerated failure has made is not wanted. */
s64 a_none_made(void);
/* From here on, what the last step made is kept. */
s64 a_keep_made(void);

extern const struct step object_steps[];

/* ---- failnth_keys.c ---- */

extern u32 aes, rsa_public, rsa_private;	/* on a */

/* A pair for every use; @login: one with the attributes that an HA login key must have */
s64 generate_pair(u32 bits, bool login, u32 *pub, u32 *priv);

extern const struct step generation_steps[];
extern const struct step wrap_steps[];

/* ---- the other parts ---- */

extern const struct step operation_steps[];	/* failnth_operations.c */
extern const struct step clone_steps[];		/* failnth_cloning.c */
extern const struct step image_steps[];		/* failnth_images.c */
extern const struct step restore_steps[];

#endif /* LUNA_TESTS_FAILNTH_STEPS_H */
