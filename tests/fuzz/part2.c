// SPDX-License-Identifier: MIT
/*
 * Part2 of a cloning, at the target: a byte of mode, then the message, or the payload that a source of
 * the same domain would seal. The payload is what a hostile member of the domain controls.
 */
#include "exchange.h"
#include "session.h"

enum {
	PART2_SEAL = 1,		/* the input is the payload */
	PART2_MOFN = 2,
	PART2_REPLICATE = 4,
};

static u32 type_of(u8 mode)
{
	return mode & PART2_MOFN ? CK_MOFN_ACTIVATION_ELEMENT : CK_CRYPTOKI_ELEMENT;
}

/* Steps 1 and 2. */
static void begin(u8 mode, struct fuzz_message *part1)
{
	struct luna_blob arg = { .replicate = !!(mode & PART2_REPLICATE) };
	static struct fuzz_message twc;

	fuzz_world_open(false);
	fuzz_step(&fuzz_world.sides[FUZZ_PRIMARY], LUNA_CLONE_SOURCE_INIT, &arg, NULL, 0, &twc);
	fuzz_step(&fuzz_world.sides[FUZZ_SECONDARY], LUNA_CLONE_TARGET_INIT, &arg, twc.data,
		  twc.len, part1);
}

static void head_put(u8 mode, const struct clone_target *target, u32 len,
		     struct fuzz_message *part2)
{
	static const u8 nonce[LUNA_EXCHANGE_NONCE], serial[LUNA_SERIAL_LEN];
	struct luna_wr wr;

	luna_wr_init(&wr, part2->data, sizeof(part2->data));
	luna_exchange_head_put(&wr, CLONE_MAGIC, CLONE_PART2,
			       mode & PART2_REPLICATE ? CLONE_F_REPLICATE : 0);
	luna_wr_bytes(&wr, nonce, sizeof(nonce));
	luna_wr_bytes(&wr, target->nonce, sizeof(target->nonce));
	luna_wr_bytes(&wr, serial, sizeof(serial));
	luna_wr_be32(&wr, type_of(mode));
	luna_wr_be32(&wr, len + LUNA_SEAL_OVERHEAD);
	part2->len = wr.at;
}

/* What a source does that knows the domain key and got this Part1. */
static void seal(u8 mode, const struct fuzz_message *payload, struct fuzz_message *part2)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_SECONDARY];
	struct luna_session *session = luna_session_get(side->open, side->session, false);
	const struct clone_target *target = &session->clone->target;
	struct luna_token *token = side->fx.token;
	struct clone_part2 p = { 0 };
	struct clone_work *work;
	u32 rv;

	head_put(mode, target, payload->len, part2);
	p.source_nonce = part2->data + LUNA_EXCHANGE_HEAD;
	p.target_nonce = p.source_nonce + LUNA_EXCHANGE_NONCE;
	work = luna_clone_work(token, &rv);
	fuzz_check(work);
	memcpy(work->part1, target->part1, sizeof(work->part1));
	fuzz_check(!luna_clone_part2_key(token, work, target->secret, &p, part2->data));
	fuzz_check(!luna_seal_with(token, work->key, LUNA_SEAL_CLONE, type_of(mode), payload->data,
				   payload->len, part2->data + part2->len));
	part2->len += payload->len + LUNA_SEAL_OVERHEAD;
	luna_clone_work_free(work);
	luna_session_put(session);
}

static void one(struct fuzz_in *in)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_SECONDARY];
	static struct fuzz_message message, part2;
	u8 mode = fuzz_u8(in);
	struct luna_blob arg = { .type = type_of(mode), .replicate = !!(mode & PART2_REPLICATE) };
	s64 rv;

	begin(mode, &message);
	fuzz_rest(in, &message);
	if (mode & PART2_SEAL)
		seal(mode, &message, &part2);
	else
		part2 = message;
	rv = fuzz_step(side, LUNA_CLONE_TARGET, &arg, part2.data, part2.len, NULL);
	if (!rv) {
		/* One exchange, one object. */
		fuzz_check(fuzz_step(side, LUNA_CLONE_TARGET, &arg, part2.data, part2.len, NULL) ==
			   CKR_OPERATION_NOT_INITIALIZED);
		fuzz_use(side);
	}
	fuzz_world_close();
}

static void seed_raw(const char *name, u8 mode)
{
	struct luna_blob arg = { .type = type_of(mode), .replicate = !!(mode & PART2_REPLICATE) };
	static struct fuzz_message part1, part2;

	begin(mode, &part1);
	arg.handle = mode & PART2_MOFN ? 0 : fuzz_world.aes;
	fuzz_check(!fuzz_step(&fuzz_world.sides[FUZZ_PRIMARY], LUNA_CLONE_SOURCE, &arg, part1.data,
			      part1.len, &part2));
	fuzz_seed_message(name, mode, &part2, 0);
	fuzz_world_close();
}

/* An object as its source would seal it: all its attributes. */
static void seed_object(const char *name, u8 mode, u32 handle)
{
	struct fuzz_side *side = &fuzz_world.sides[FUZZ_PRIMARY];
	static struct fuzz_message payload;
	struct luna_session *session;
	struct luna_attrs *attrs;
	struct luna_object *obj;

	fuzz_world_open(false);
	session = luna_session_get(side->open, side->session, false);
	obj = luna_object_get(session, handle);
	fuzz_check(obj);
	attrs = luna_object_attrs(side->fx.token, obj);
	payload.len = attrs->len;
	memcpy(payload.data, attrs->data, attrs->len);
	fuzz_seed_message(name, mode, &payload, 0);
	luna_attrs_put(attrs);
	luna_object_put(obj);
	luna_session_put(session);
	fuzz_world_close();
}

static void seed_mofn(const char *name, u8 mode)
{
	struct fuzz_message payload = { .len = CLONE_MOFN_PAYLOAD };
	const struct luna_token *token;
	struct luna_wr wr;

	fuzz_world_open(false);
	token = fuzz_world.sides[FUZZ_PRIMARY].fx.token;
	luna_wr_init(&wr, payload.data, payload.len);
	luna_wr_be32(&wr, token->state->mofn.id);
	luna_wr_be32(&wr, token->state->mofn.m);
	luna_wr_be32(&wr, token->state->mofn.n);
	luna_wr_be32(&wr, token->state->mofn.crc);
	luna_wr_bytes(&wr, token->secrets->mofn, LUNA_MOFN_SECRET_LEN);
	fuzz_seed_message(name, mode, &payload, 0);
	fuzz_world_close();
}

static void seeds(void)
{
	seed_raw("raw", 0);
	seed_raw("raw-mofn", PART2_MOFN | PART2_REPLICATE);
	seed_object("aes", PART2_SEAL, fuzz_world.aes);
	seed_object("data", PART2_SEAL | PART2_REPLICATE, fuzz_world.data);
	seed_object("private", PART2_SEAL, fuzz_world.login);
	seed_object("public", PART2_SEAL, fuzz_world.login_public);
	seed_mofn("mofn", PART2_SEAL | PART2_MOFN);
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
