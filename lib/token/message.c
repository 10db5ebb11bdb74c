// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * LUNA_MESSAGE: many messages under one Init, PKCS#11 v3.0, 5.9, 5.11, 5.14 and 5.16.
 *
 * An operation of messages is one of op.c's, with this file in the place of a family. It keeps the
 * key, and runs an ordinary operation of its own for each message, which that message's parameter
 * begins (AES-GCM) or the mechanism's (signatures): lengths, pieces, parts and what is withheld are
 * op.c's business here as there. Here is what only messages have: IVs that the token makes, and
 * tags apart from the text.
 */
#include "cmd.h"
#include "mech.h"

enum {
	TAG_MAX = 16,
	SIGN_PARAM_MAX = 64,	/* more than any signature mechanism's parameter has */
	DRAWN_BITS_MIN = 64,
	CHANCE_BITS = 32,	/* random IVs meet with a chance of at most 2^-32 */
};

/**
 * struct generator - where the IVs of an operation come from
 * @decided: a message has been; what follows holds for all of them
 * @kind: CKG_*; the rest is for all but CKG_NO_GENERATE
 * @len: bytes of an IV
 * @fixed: leading bits that stay
 * @left: IVs that may still be made
 * @base: the fixed bits; for CKG_GENERATE_COUNTER_XOR the others, too, else 0
 * @next: what the next IV adds to @base, behind the fixed bits
 */
struct generator {
	bool decided;
	u32 kind;
	u32 len;
	u32 fixed;
	u64 left;
	u8 base[LUNA_MESSAGE_IV_MAX];
	u8 next[LUNA_MESSAGE_IV_MAX];
};

/**
 * struct messages - an operation
 * @inner: the message's own operation, idle between messages
 * @param: SIGN, VERIFY: the mechanism's parameter, @param_len bytes
 * @tag_len: of the message that @inner is at
 */
struct messages {
	struct luna_op_state *inner;
	u8 *param;
	u32 param_len;
	u32 tag_len;
	struct generator gen;
};

/**
 * struct message_call - a command taken apart
 * @kind: what @inner does with a message: LUNA_OP_ENCRYPT, DECRYPT, SIGN, VERIFY
 * @begins: the command begins a message
 * @ends: it ends one, if all goes well
 * @query: it asks for a length
 * @gen: what becomes of the operation's generator if the message is made
 * @iv: the IV that was made, @iv_len bytes
 */
struct message_call {
	struct luna_ucmd *cmd;
	struct luna_message *arg;
	struct luna_op_state *op;
	struct messages *m;
	u32 kind;
	bool begins;
	bool ends;
	bool query;
	const u8 *param, *data, *sig;
	u32 param_len;
	struct generator gen;
	u8 iv[LUNA_MESSAGE_IV_MAX];
	u32 iv_len;
};

/* ---- which mechanisms ---- */

/*
 * Signatures whose parameter may serve for any number of messages; one with an IV in it may not, so
 * that families are named here.
 */
static bool signs_messages(const struct luna_mech *mech)
{
	switch (mech->family) {
	case LUNA_FAMILY_RSA:
	case LUNA_FAMILY_HMAC:
	case LUNA_FAMILY_CMAC:
	case LUNA_FAMILY_EC:
		return mech->sign;
	default:
		return false;
	}
}

u32 luna_message_flags(const struct luna_mech *mech)
{
	u32 flags = 0;

	if (mech->crypt == &luna_gcm_ops)
		return CKF_MESSAGE_ENCRYPT | CKF_MESSAGE_DECRYPT | CKF_MULTI_MESSAGE;
	if (!signs_messages(mech))
		return 0;
	if (mech->flags & CKF_SIGN)
		flags |= CKF_MESSAGE_SIGN;
	if (mech->flags & CKF_VERIFY)
		flags |= CKF_MESSAGE_VERIFY;
	if (flags && !mech->sign->single_part)
		flags |= CKF_MULTI_MESSAGE;
	return flags;
}

/* ---- Init and its end, for op.c ---- */

static u32 inner_kind(u32 kind)
{
	static const u32 kinds[] = {
		LUNA_OP_ENCRYPT, LUNA_OP_DECRYPT, LUNA_OP_SIGN, LUNA_OP_VERIFY,
	};

	return kinds[array_index_nospec(kind - LUNA_OP_MESSAGE_ENCRYPT, ARRAY_SIZE(kinds))];
}

static bool is_crypt(const struct luna_op_state *op)
{
	return op->kind == LUNA_OP_MESSAGE_ENCRYPT || op->kind == LUNA_OP_MESSAGE_DECRYPT;
}

static u32 inner_start(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct messages *m = luna_op_private(op, struct messages);

	m->inner->login_epoch = op->login_epoch;
	refcount_inc(&op->obj->refs);
	return luna_op_start(m->inner, op->mech, op->obj, param, len);
}

/* Keeps the parameter for the messages, and tries it, so that Init says what is wrong with it. */
static u32 sign_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct messages *m = luna_op_private(op, struct messages);
	u32 rv;

	if (len > SIGN_PARAM_MAX)
		return CKR_MECHANISM_PARAM_INVALID;
	if (len) {
		m->param = kmemdup(param, len, GFP_KERNEL_ACCOUNT);
		if (!m->param)
			return CKR_DEVICE_MEMORY;
	}
	m->param_len = len;
	rv = inner_start(op, m->param, len);
	luna_op_end(m->inner);
	return rv;
}

static u32 crypt_init(struct luna_op_state *op, u32 len)
{
	struct luna_aes_key *key;

	if (len)
		return CKR_MECHANISM_PARAM_INVALID;
	key = luna_object_aes(op->token, op->obj);
	return IS_ERR(key) ? luna_key_ckr(PTR_ERR(key)) : CKR_OK;
}

static u32 messages_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct messages *m = luna_op_private(op, struct messages);

	if (!luna_open_hold(op->session->open, LUNA_OP_BYTES))
		return CKR_DEVICE_MEMORY;
	m->inner = kzalloc(sizeof(*m->inner), GFP_KERNEL_ACCOUNT);
	if (!m->inner) {
		luna_open_unhold(op->session->open, LUNA_OP_BYTES);
		return CKR_DEVICE_MEMORY;
	}
	m->inner->kind = inner_kind(op->kind);
	m->inner->session = op->session;
	m->inner->token = op->token;
	return is_crypt(op) ? crypt_init(op, len) : sign_init(op, param, len);
}

static void messages_end(struct luna_op_state *op)
{
	struct messages *m = luna_op_private(op, struct messages);

	if (!m->inner)
		return;
	luna_op_end(m->inner);
	kfree_sensitive(m->inner);
	kfree_sensitive(m->param);
	luna_open_unhold(op->session->open, LUNA_OP_BYTES);
}

const struct luna_op_ops luna_message_ops = {
	.init = messages_init,
	.end = messages_end,
};

/*
 * A message that comes in parts; a one-shot call whose pieces stopped coming is none that anybody
 * waits for.
 */
static bool in_message(struct messages *m)
{
	return m->inner->mech && m->inner->phase != LUNA_OP_PIECES;
}

u32 luna_message_finish(struct luna_op_state *op)
{
	if (in_message(luna_op_private(op, struct messages)))
		return CKR_OPERATION_ACTIVE;
	luna_op_end(op);
	return CKR_OK;
}

/* ---- IVs ---- */

/* The bits of byte @i that are not fixed. */
static u8 free_mask(const struct generator *g, u32 i)
{
	if (g->fixed >= 8 * (i + 1))
		return 0;
	return g->fixed <= 8 * i ? 0xff : 0xff >> (g->fixed - 8 * i);
}

static bool is_drawn(u32 kind)
{
	return kind == CKG_GENERATE || kind == CKG_GENERATE_RANDOM;
}

/* How many IVs with so many free bits are all different, or are likely enough to be. */
static u64 ivs_of(u32 kind, u32 free)
{
	if (kind == CKG_GENERATE_RANDOM)
		free = min_t(u32, (free - CHANCE_BITS) / 2, 32);
	return free < 64 ? 1ULL << free : U64_MAX;
}

/* The first message of an operation decides. */
static u32 generator_decide(struct generator *g, struct luna_token *token,
			    const struct luna_message *arg, const u8 *iv, u32 len)
{
	u32 free = 8 * len - arg->fixed_bits, i;
	u8 mask;

	g->decided = true;
	g->kind = arg->generator;
	if (g->kind == CKG_NO_GENERATE)
		return CKR_OK;
	if (g->kind > CKG_GENERATE_COUNTER_XOR || len > LUNA_MESSAGE_IV_MAX ||
	    arg->fixed_bits >= 8 * len || (is_drawn(g->kind) && free < DRAWN_BITS_MIN))
		return CKR_MECHANISM_PARAM_INVALID;
	g->len = len;
	g->fixed = arg->fixed_bits;
	g->left = ivs_of(g->kind, free);
	for (i = 0; i < len; i++) {
		mask = g->kind == CKG_GENERATE_COUNTER_XOR ? 0 : free_mask(g, i);
		g->base[i] = iv[i] & ~mask;
	}
	return g->kind == CKG_GENERATE ? luna_ckr(token->crypto->random(g->next, len)) : CKR_OK;
}

static bool generator_agrees(const struct generator *g, const struct luna_message *arg,
			     const u8 *iv, u32 len)
{
	u32 i;

	if (arg->generator != g->kind)
		return false;
	if (g->kind == CKG_NO_GENERATE)
		return true;
	if (len != g->len || arg->fixed_bits != g->fixed)
		return false;
	for (i = 0; i < len; i++)
		if ((iv[i] ^ g->base[i]) & ~free_mask(g, i))
			return false;
	return true;
}

/* Adds one to the free bits of @next, around their end. */
static void generator_count(struct generator *g)
{
	u32 i = g->len, carry = 1, sum;

	while (carry && i-- && free_mask(g, i)) {
		sum = (g->next[i] & free_mask(g, i)) + carry;
		g->next[i] = sum & free_mask(g, i);
		carry = sum > free_mask(g, i);
	}
}

/* Makes an IV, and goes on to the next. */
static u32 generator_make(struct generator *g, struct luna_token *token, u8 *iv)
{
	u32 i;
	int err;

	if (!g->left)
		return CKR_TOKEN_RESOURCE_EXCEEDED;
	if (g->kind == CKG_GENERATE_RANDOM) {
		err = token->crypto->random(g->next, g->len);
		if (err)
			return luna_ckr(err);
	}
	for (i = 0; i < g->len; i++)
		iv[i] = g->base[i] ^ (g->next[i] & free_mask(g, i));
	generator_count(g);
	g->left--;
	return CKR_OK;
}

/* ---- a message begins ---- */

static u32 encrypt_start(struct message_call *call, const struct luna_gcm_param *p)
{
	struct luna_token *token = call->op->token;
	const u8 *iv = call->param + sizeof(*p);
	u32 rv = CKR_OK;
	u8 *param;

	call->gen = call->m->gen;
	if (!call->gen.decided)
		rv = generator_decide(&call->gen, token, call->arg, iv, p->iv_len);
	else if (!generator_agrees(&call->gen, call->arg, iv, p->iv_len))
		rv = CKR_MECHANISM_PARAM_INVALID;
	if (rv)
		return rv;
	/* A counter goes on from what the caller says, and again after another Init. */
	call->m->inner->iv_made = is_drawn(call->gen.kind);
	if (call->gen.kind == CKG_NO_GENERATE)
		return inner_start(call->op, call->param, call->param_len);
	rv = generator_make(&call->gen, token, call->iv);
	if (rv)
		return rv;
	call->iv_len = p->iv_len;
	param = kvmalloc(call->param_len, GFP_KERNEL_ACCOUNT);
	if (!param)
		return CKR_DEVICE_MEMORY;
	memcpy(param, call->param, call->param_len);
	memcpy(param + sizeof(*p), call->iv, p->iv_len);
	rv = inner_start(call->op, param, call->param_len);
	kvfree(param);
	return rv;
}

/* gcm.c judges the parameter; what is read of it here is within bounds. */
static u32 crypt_start(struct message_call *call)
{
	struct luna_gcm_param p;

	if (call->param_len < sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, call->param, sizeof(p));
	if (!p.iv_len || p.iv_len > call->param_len - sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	call->m->tag_len = p.tag_bits / 8;
	if (call->kind == LUNA_OP_DECRYPT)
		return inner_start(call->op, call->param, call->param_len);
	return encrypt_start(call, &p);
}

static u32 message_start(struct message_call *call)
{
	struct luna_op_state *op = call->op;

	if (in_message(call->m))
		return CKR_OPERATION_ACTIVE;
	luna_op_end(call->m->inner);
	if (op->auth_pending)
		return CKR_USER_NOT_LOGGED_IN;
	if (call->arg->param_len == LUNA_PARAM_MALFORMED)
		return CKR_MECHANISM_PARAM_INVALID;
	if (is_crypt(op))
		return crypt_start(call);
	if (call->param_len)
		return CKR_MECHANISM_PARAM_INVALID;
	if (call->arg->step == LUNA_STEP_BEGIN && op->mech->sign->single_part)
		return CKR_FUNCTION_NOT_SUPPORTED;
	return inner_start(op, call->m->param, call->m->param_len);
}

/* The message that began counts, even if it failed: its IV and its login are used up. */
static void message_commit(struct message_call *call, u32 rv)
{
	struct luna_op_state *op = call->op;

	if (op->kind == LUNA_OP_MESSAGE_ENCRYPT)
		call->m->gen = call->gen;
	if (rv == CKR_OK)
		memcpy(call->arg->iv, call->iv, call->iv_len);
	op->auth_pending = op->obj->class == CKO_PRIVATE_KEY &&
			   luna_object_is(op->obj, LUNA_BIT_ALWAYS_AUTHENTICATE);
}

/* ---- its data ---- */

/*
 * What op.c shall see: to it, AES-GCM's tag is the end of the ciphertext. false: a length that no
 * message has.
 */
static bool inner_arg(const struct message_call *call, struct luna_op *in)
{
	const struct luna_message *arg = call->arg;
	u32 tag_len = is_crypt(call->op) ? call->m->tag_len : 0;

	in->op = call->kind;
	in->step = arg->step;
	in->data_len = arg->data_len;
	in->sig_len = is_crypt(call->op) ? 0 : arg->sig_len;
	in->offset = arg->offset;
	in->total = arg->total;
	in->out_max = arg->out_max;
	if (arg->total > U64_MAX - TAG_MAX || arg->data_len > U32_MAX - TAG_MAX)
		return false;
	if (call->kind == LUNA_OP_DECRYPT) {
		if (arg->step == LUNA_STEP_ONESHOT)
			in->total += tag_len;
		if (call->ends)
			in->data_len += tag_len;
	}
	if (call->kind == LUNA_OP_ENCRYPT && arg->step != LUNA_STEP_UPDATE && !call->query)
		in->out_max = min_t(u32, arg->out_max, LUNA_OUT_QUERY - 1 - TAG_MAX) + tag_len;
	return true;
}

/* Takes the tag off the end of the reply. */
static void take_tag(struct message_call *call)
{
	struct luna_ucmd *cmd = call->cmd;
	const u8 *reply = cmd->spill ? cmd->spill : cmd->out;

	memcpy(call->arg->tag, reply + call->arg->out_need, call->m->tag_len);
	luna_reply_trim(cmd, call->arg->out_need);
}

static u32 message_data(struct message_call *call)
{
	struct luna_message *arg = call->arg;
	struct messages *m = call->m;
	bool tagged = call->kind == LUNA_OP_ENCRYPT && arg->step != LUNA_STEP_UPDATE;
	struct luna_op in = {};
	u32 rv;

	if (!inner_arg(call, &in)) {
		luna_op_end(m->inner);
		return call->kind == LUNA_OP_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE :
						       CKR_DATA_LEN_RANGE;
	}
	if (is_crypt(call->op) && !call->query && arg->sig_len != (call->ends ? m->tag_len : 0)) {
		luna_op_end(m->inner);
		return CKR_MECHANISM_PARAM_INVALID;
	}
	rv = luna_op_step(m->inner, call->cmd, &in, call->data, call->sig);
	arg->out_need = in.out_need;
	if (rv == CKR_ENCRYPTED_DATA_INVALID)
		return CKR_AEAD_DECRYPT_FAILED;
	if (!tagged || (!call->ends && rv == CKR_OK && !call->query))
		return rv;
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		arg->out_need -= m->tag_len;
	if (rv == CKR_OK && !call->query)
		take_tag(call);
	return rv;
}

static u32 message_run(struct message_call *call)
{
	bool oneshot = call->arg->step == LUNA_STEP_ONESHOT;
	u32 rv = CKR_OK;

	if (call->arg->step == LUNA_STEP_CANCEL) {
		luna_op_end(call->m->inner);
		return CKR_OK;
	}
	if (call->begins)
		rv = message_start(call);
	else if (!call->m->inner->mech || oneshot == in_message(call->m))
		return CKR_OPERATION_NOT_INITIALIZED;
	if (rv)
		return rv;
	if (call->arg->step != LUNA_STEP_BEGIN)
		rv = message_data(call);
	if (!call->begins)
		return rv;
	if (call->query || rv == CKR_BUFFER_TOO_SMALL)
		luna_op_end(call->m->inner);
	else
		message_commit(call, rv);
	return rv;
}

/* ---- the command ---- */

/* Which parts of the payload, and which fields, go with which steps. */
static bool message_fields(const struct message_call *call)
{
	const struct luna_message *arg = call->arg;
	bool tail = arg->step == LUNA_STEP_ONESHOT || arg->step == LUNA_STEP_FINAL;

	switch (arg->step) {
	case LUNA_STEP_BEGIN:
	case LUNA_STEP_ONESHOT:
	case LUNA_STEP_UPDATE:
	case LUNA_STEP_FINAL:
	case LUNA_STEP_CANCEL:
		break;
	default:
		return false;
	}
	if (arg->reserved || (arg->param_len && !call->begins))
		return false;
	if ((arg->generator || arg->fixed_bits) &&
	    (!call->begins || arg->op != LUNA_OP_MESSAGE_ENCRYPT))
		return false;
	if (arg->data_len && (arg->step == LUNA_STEP_BEGIN || arg->step == LUNA_STEP_CANCEL))
		return false;
	if (arg->step != LUNA_STEP_ONESHOT && (arg->offset || arg->total))
		return false;
	if (call->query && arg->sig_len)
		return false;
	return !arg->sig_len || (tail && arg->op != LUNA_OP_MESSAGE_SIGN);
}

/* Finds parameter, data and signature in the payload, which they must fill. */
static bool message_split(struct message_call *call)
{
	const struct luna_message *arg = call->arg;
	const struct luna_ucmd *cmd = call->cmd;
	u32 data_len = call->query ? 0 : arg->data_len;
	u32 sig_len = arg->op == LUNA_OP_MESSAGE_ENCRYPT ? 0 : arg->sig_len;

	call->param_len = arg->param_len == LUNA_PARAM_MALFORMED ? 0 : arg->param_len;
	if ((u64)call->param_len + data_len + sig_len != cmd->in_len)
		return false;
	call->param = cmd->in;
	call->data = call->param + call->param_len;
	call->sig = call->data + data_len;
	return true;
}

/**
 * luna_do_message() - LUNA_MESSAGE
 */
u32 luna_do_message(struct luna_ucmd *cmd)
{
	struct luna_message *arg = cmd->arg;
	struct message_call call = { .cmd = cmd, .arg = arg };
	bool oneshot = arg->step == LUNA_STEP_ONESHOT;
	u32 rv;

	arg->out_need = 0;
	memset(arg->iv, 0, sizeof(arg->iv));
	memset(arg->tag, 0, sizeof(arg->tag));
	if (arg->op < LUNA_OP_MESSAGE_ENCRYPT || arg->op >= LUNA_OP_KINDS)
		return CKR_ARGUMENTS_BAD;
	call.kind = inner_kind(arg->op);
	call.begins = arg->step == LUNA_STEP_BEGIN || (oneshot && !arg->offset);
	call.query = luna_op_queries(call.kind, arg->step, arg->out_max);
	call.ends = arg->step == LUNA_STEP_FINAL ||
		    (oneshot && (call.query || arg->offset + arg->data_len == arg->total));
	if (!message_fields(&call) || !message_split(&call))
		return CKR_ARGUMENTS_BAD;
	call.op = luna_op_active(cmd->session, array_index_nospec(arg->op, LUNA_OP_KINDS));
	if (!call.op)
		return CKR_OPERATION_NOT_INITIALIZED;
	call.m = luna_op_private(call.op, struct messages);
	rv = message_run(&call);
	memzero_explicit(&call.gen, sizeof(call.gen));
	return rv;
}
