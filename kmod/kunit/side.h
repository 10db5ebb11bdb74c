/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * One end of a protocol between tokens: a token with an open file and a session on it, the messages
 * that it takes and gives, and a fingerprint that shows whether a refused command changed anything.
 */
#ifndef LUNA_KUNIT_SIDE_H
#define LUNA_KUNIT_SIDE_H

#include "fixture.h"

enum {
	FX_MESSAGE_MAX = 8192,
	FX_VECTOR = 48,			/* bytes of an M of N vector */
	FX_VECTOR_ROW = 4 + FX_VECTOR,	/* with its length, as the ABI carries it */
	FX_VECTORS = 16,		/* most of one secret */
};

/**
 * struct fx_side - a token with one application
 * @session: read-write
 */
struct fx_side {
	struct fx fx;
	struct luna_open *open;
	u32 session;
};

struct fx_message {
	u32 len;
	u8 data[FX_MESSAGE_MAX];
};

/*
 * What a refused command may not change; fx_print() takes it, fx_same() compares.
 * @state: but for the failed logins, which @attempts counts for all roles
 */
struct fx_fingerprint {
	u64 stored;
	u32 content, state, attempts;
	u32 objects, session_objects;
	int role;
	bool mofn_active;
};

/* fx_side_open() - a fresh PPSO token with the CO logged in; @crypto as for fx_open() */
void fx_side_open(struct fx_side *side, const struct luna_crypto_ops *crypto, u32 slot);
void fx_side_close(struct fx_side *side);	/* one that was never opened: nothing */
/* fx_side_attach() - a new application with a read-write session, nobody logged in; ends the old */
void fx_side_attach(struct fx_side *side);
/* fx_side_restart() - as the host's restart does, then fx_side_attach() */
void fx_side_restart(struct fx_side *side);
/* fx_side_init() - C_InitToken, the CO's PIN set, the CO logged in; @flags: LUNA_INIT_* */
void fx_side_init(struct fx_side *side, u32 type, const char *domain, u32 flags);
/* fx_side_as() - log out whoever is in, and @role in; LUNA_ROLE_NONE: nobody */
void fx_side_as(struct fx_side *side, u32 role);
/* fx_side_set_policy() - as the SO, destructively if need be; leaves the CO logged in */
void fx_side_set_policy(struct fx_side *side, u32 scope, u32 id, u32 value);
/* fx_policy_set() - the bare command */
s64 fx_policy_set(struct fx_side *side, u32 scope, u32 id, u32 value, u32 flags);

/* Objects of one kind each, with these attributes and otherwise the defaults */
s64 fx_make_data(struct fx_side *side, bool token, bool private, u32 *handle);
/* fx_make_aes() - private token object, sensitive, neither extractable nor modifiable */
s64 fx_make_aes(struct fx_side *side, u32 *handle);
/* fx_make_login_pair() - fit for HA login but for @modifiable, which a login key must not be */
s64 fx_make_login_pair(struct fx_side *side, bool modifiable, u32 *pub, u32 *priv);

/**
 * fx_step() - one message of cloning or HA login
 * @arg: the scalars; hdr is filled in
 * @out: NULL: the command gives none
 */
s64 fx_step(struct fx_side *side, u32 session, u32 nr, struct luna_blob *arg,
	    const struct fx_message *in, struct fx_message *out);
/* fx_send() - fx_step() in the side's own session, where nobody wants the reply's scalars */
s64 fx_send(struct fx_side *side, u32 nr, struct luna_blob arg, const struct fx_message *in,
	    struct fx_message *out);
#define BLOB(...)	((struct luna_blob){ __VA_ARGS__ })
/* fx_step_query() - the length that fx_step() would give, and no more */
s64 fx_step_query(struct fx_side *side, u32 session, u32 nr, struct luna_blob *arg,
		  const struct fx_message *in, u32 *len);
/* fx_step_short() - fx_step() with room for one byte less than it needs */
s64 fx_step_short(struct fx_side *side, u32 session, u32 nr, struct luna_blob *arg,
		  const struct fx_message *in);

/**
 * struct fx_taker - a command that takes a message
 * @refusal: its code for a message that is cut or too long
 * @refusal2: this one may come, too, for a message with a byte changed
 * @stride: change and cut at every n-th byte
 * @replies: it gives a message in return
 */
struct fx_taker {
	struct fx_side *side;
	u32 nr;
	struct luna_blob arg;
	u32 refusal, refusal2;
	u32 stride;
	bool replies;
};

/* fx_refuses_altered() - @msg changed, cut and lengthened is refused and changes nothing */
void fx_refuses_altered(const struct fx_taker *taker, const struct fx_message *msg);

/* M of N; @vectors: FX_VECTORS rows of FX_VECTOR_ROW bytes, @room: what the caller says of each */
s64 fx_mofn_generate(struct fx_side *side, u32 m, u32 n, u32 flags, u32 room, u8 *vectors);
s64 fx_mofn_activate(struct fx_side *side, const u8 *rows, u32 n);
s64 fx_mofn_deactivate(struct fx_side *side);
struct luna_mofn_status fx_mofn_status(struct fx_side *side);
u32 fx_mofn_flags(struct fx_side *side);	/* CAF_M_OF_N_* */

void fx_print(const struct fx_side *side, struct fx_fingerprint *print);
bool fx_same(const struct fx_side *side, const struct fx_fingerprint *print);

#endif /* LUNA_KUNIT_SIDE_H */
