// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * LUNA_OP: the state machine behind C_EncryptInit ... C_VerifyRecover, the same for every
 * mechanism.
 *
 * Lengths are decided before anything is consumed, so that a length query and CKR_BUFFER_TOO_SMALL
 * leave the operation as it was. Every other end, good or bad, is the end of the operation, but for
 * an Init that finds one active. The mechanism's family computes (mech.h).
 */
#include "cmd.h"
#include "mech.h"

enum { GATHER_MIN = 4096 };

/* What each kind needs of mechanism and key. */
static const struct op_kind {
	u32 flag;
	u32 usage;
} op_kinds[LUNA_OP_KINDS] = {
	[LUNA_OP_ENCRYPT]	 = { CKF_ENCRYPT, CKA_ENCRYPT },
	[LUNA_OP_DECRYPT]	 = { CKF_DECRYPT, CKA_DECRYPT },
	[LUNA_OP_DIGEST]	 = { CKF_DIGEST, 0 },
	[LUNA_OP_SIGN]		 = { CKF_SIGN, CKA_SIGN },
	[LUNA_OP_VERIFY]	 = { CKF_VERIFY, CKA_VERIFY },
	[LUNA_OP_SIGN_RECOVER]	 = { CKF_SIGN_RECOVER, CKA_SIGN_RECOVER },
	[LUNA_OP_VERIFY_RECOVER] = { CKF_VERIFY_RECOVER, CKA_VERIFY_RECOVER },
	[LUNA_OP_MESSAGE_ENCRYPT] = { CKF_MESSAGE_ENCRYPT, CKA_ENCRYPT },
	[LUNA_OP_MESSAGE_DECRYPT] = { CKF_MESSAGE_DECRYPT, CKA_DECRYPT },
	[LUNA_OP_MESSAGE_SIGN]	 = { CKF_MESSAGE_SIGN, CKA_SIGN },
	[LUNA_OP_MESSAGE_VERIFY] = { CKF_MESSAGE_VERIFY, CKA_VERIFY },
};

/**
 * struct op_call - a command taken apart
 * @step: the step besides INIT, or 0
 * @query: the caller asks for a length
 */
struct op_call {
	struct luna_ucmd *cmd;
	struct luna_op *arg;
	struct luna_op_state *op;
	u32 step;
	bool query;
	const u8 *param, *data, *sig;
	u32 param_len;
};

static bool of_messages(u32 kind)
{
	return kind >= LUNA_OP_MESSAGE_ENCRYPT;
}

static const struct luna_op_ops *op_ops(const struct luna_op_state *op)
{
	if (of_messages(op->kind))
		return &luna_message_ops;
	return op->kind <= LUNA_OP_DIGEST ? op->mech->crypt : op->mech->sign;
}

/* Is the operation computed in one go, when all data are there? */
static bool op_whole(const struct luna_op_state *op)
{
	return op_ops(op)->whole & BIT(op->kind);
}

/* Is single() to be called with all data that the operation will get? */
static bool op_at_once(const struct luna_op_state *op)
{
	return (op_ops(op)->whole | op_ops(op)->shortcut) & BIT(op->kind);
}

static void gather_free(struct luna_op_state *op)
{
	kvfree_sensitive(op->gather, op->gather_room);
	luna_open_unhold(op->session->open, op->gather_room);
	op->gather = NULL;
	op->gathered = 0;
	op->gather_room = 0;
}

void luna_op_end(struct luna_op_state *op)
{
	const struct luna_op_ops *ops;

	if (!op->mech)
		return;
	ops = op_ops(op);
	if (ops->end)
		ops->end(op);
	luna_object_put(op->obj);
	op->obj = NULL;
	op->auth_pending = false;
	gather_free(op);
	memzero_explicit(op->private, sizeof(op->private));
	op->mech = NULL;
}

void luna_op_end_all(struct luna_session *session)
{
	u32 kind;

	for (kind = 0; kind < LUNA_OP_KINDS; kind++) {
		if (!session->ops[kind])
			continue;
		luna_op_end(session->ops[kind]);
		kfree_sensitive(session->ops[kind]);
		luna_open_unhold(session->open, LUNA_OP_BYTES);
		session->ops[kind] = NULL;
	}
}

/* The operation, if it is active; with a private key it does not outlive the login. */
static bool op_active(struct luna_op_state *op)
{
	if (!op->mech)
		return false;
	if (op->obj && luna_object_is(op->obj, LUNA_BIT_PRIVATE) &&
	    op->login_epoch != luna_open_epoch(op->session->open))
		luna_op_end(op);
	return op->mech;
}

struct luna_op_state *luna_op_active(struct luna_session *session, u32 kind)
{
	struct luna_op_state *op = session->ops[kind];

	return op && op_active(op) ? op : NULL;
}

/* ---- Init ---- */

static void op_reset(struct luna_op_state *op)
{
	op->phase = LUNA_OP_FRESH;
	op->done = 0;
	op->total = 0;
	op->made = 0;
	op->gathered = 0;
}

u32 luna_op_start(struct luna_op_state *op, const struct luna_mech *mech, struct luna_object *key,
		  const u8 *param, u32 param_len)
{
	u32 rv;

	op->mech = mech;
	op->obj = key;
	op_reset(op);
	rv = op_ops(op)->init(op, param, param_len);
	if (rv)
		luna_op_end(op);
	return rv;
}

static u32 op_init(struct op_call *call)
{
	struct luna_op_state *op = call->op;
	const struct luna_op *arg = call->arg;
	const struct op_kind *kind = &op_kinds[op->kind];
	const struct luna_mech *mech;
	struct luna_object *key = NULL;
	u32 epoch = luna_open_epoch(op->session->open);
	u32 rv;

	if (op_active(op))
		return CKR_OPERATION_ACTIVE;
	mech = luna_mech_find(op->token, arg->mechanism);
	if (!mech || !(luna_mech_flags(op->token, mech) & kind->flag))
		return CKR_MECHANISM_INVALID;
	if (kind->usage) {
		rv = luna_key_get(op->session, arg->key, kind->usage, mech, &key);
		if (rv)
			return rv;
	}
	if (arg->param_len == LUNA_PARAM_MALFORMED) {
		luna_object_put(key);
		return CKR_MECHANISM_PARAM_INVALID;
	}
	op->login_epoch = epoch;
	rv = luna_op_start(op, mech, key, call->param, call->param_len);
	op->auth_pending = rv == CKR_OK && key && key->class == CKO_PRIVATE_KEY &&
			   luna_object_is(key, LUNA_BIT_ALWAYS_AUTHENTICATE);
	return rv;
}

struct luna_op_state *luna_op_auth_pending(struct luna_session *session)
{
	u32 kind;

	for (kind = 0; kind < LUNA_OP_KINDS; kind++) {
		struct luna_op_state *op = session->ops[kind];

		if (op && op->auth_pending && op_active(op))
			return op;
	}
	return NULL;
}

/* ---- lengths ---- */

static u32 len_range(const struct luna_op_state *op)
{
	return op->kind == LUNA_OP_DECRYPT ? CKR_ENCRYPTED_DATA_LEN_RANGE : CKR_DATA_LEN_RANGE;
}

/* What comes out if @in_len more bytes come; lengths that no reply can have are refused here. */
static u32 op_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		   struct luna_op_lens *lens)
{
	u32 rv;

	if (op_whole(op)) {
		in_len += op->gathered;
		if (in_len > LUNA_OP_GATHER_MAX)
			return len_range(op);
		lens->most = 0;
		lens->least = 0;
		if (!finish)
			return CKR_OK;
	}
	rv = op_ops(op)->lens(op, in_len, finish, lens);
	if (rv == CKR_OK && lens->most >= LUNA_OUT_QUERY)
		rv = len_range(op);
	return rv;
}

/* Answers a query or refuses a short buffer: true says that the call is over with *@rv. */
static bool op_sized(struct op_call *call, const struct luna_op_lens *lens, u32 *rv)
{
	call->arg->out_need = lens->most;
	if (call->query) {
		*rv = CKR_OK;
		return true;
	}
	*rv = CKR_BUFFER_TOO_SMALL;
	return call->arg->out_max < lens->least;
}

/*
 * The true length of the output is known only now and may not fit: then the caller gets nothing,
 * and the operation is as it was before the call.
 */
static u32 op_fits(struct op_call *call, u32 made)
{
	struct luna_op_state *op = call->op;
	const struct luna_op_ops *ops = op_ops(op);
	u32 rv = CKR_OK;

	if (made <= call->arg->out_max)
		return CKR_OK;
	call->arg->out_need = made;
	if (op->phase != LUNA_OP_UPDATED) {
		op_reset(op);
		if (ops->restart)
			rv = ops->restart(op);
	}
	return rv ? rv : CKR_BUFFER_TOO_SMALL;
}

/* ---- data ---- */

static u32 gather_room(struct luna_op_state *op, u32 len)
{
	u32 need = op->gathered + len, room;
	u8 *gather;

	if (need <= op->gather_room)
		return CKR_OK;
	room = max3(need, min_t(u32, 2 * op->gather_room, LUNA_OP_GATHER_MAX), (u32)GATHER_MIN);
	if (!luna_open_hold(op->session->open, room))
		return CKR_DEVICE_MEMORY;
	gather = kvmalloc(room, GFP_KERNEL_ACCOUNT);
	if (!gather) {
		luna_open_unhold(op->session->open, room);
		return CKR_DEVICE_MEMORY;
	}
	if (op->gathered)
		memcpy(gather, op->gather, op->gathered);
	kvfree_sensitive(op->gather, op->gather_room);
	luna_open_unhold(op->session->open, op->gather_room);
	op->gather = gather;
	op->gather_room = room;
	return CKR_OK;
}

static u32 op_gather(struct luna_op_state *op, const u8 *data, u32 len)
{
	u32 rv;

	if (len > LUNA_OP_GATHER_MAX - op->gathered)
		return len_range(op);
	rv = gather_room(op, len);
	if (rv == CKR_OK && len) {
		memcpy(op->gather + op->gathered, data, len);
		op->gathered += len;
	}
	return rv;
}

/* All data of a call are here: the last, or only, of them in this command. */
static u32 op_run_whole(struct op_call *call, u32 most, u32 *made)
{
	struct luna_op_state *op = call->op;
	const u8 *data = call->data;
	u32 len = call->arg->data_len, rv;
	u8 *out;

	if (op->gathered) {
		rv = op_gather(op, data, len);
		if (rv)
			return rv;
		data = op->gather;
		len = op->gathered;
	}
	if (op->kind == LUNA_OP_VERIFY)
		return op_ops(op)->verify(op, data, len, call->sig, call->arg->sig_len);
	out = luna_reply_room(call->cmd, most);
	if (!out)
		return CKR_DEVICE_MEMORY;
	return op_ops(op)->single(op, data, len, out, made);
}

/* Some data, and with @finish the end, of an operation that takes them as they come. */
static u32 op_run_stream(struct op_call *call, bool finish, u32 most, u32 *made)
{
	struct luna_op_state *op = call->op;
	const struct luna_op_ops *ops = op_ops(op);
	u32 rest = 0, rv = CKR_OK;
	u8 *out = NULL;

	if (op->kind != LUNA_OP_VERIFY) {
		out = luna_reply_room(call->cmd, most);
		if (!out)
			return CKR_DEVICE_MEMORY;
	}
	if (finish && op->phase == LUNA_OP_PIECES && !op->done && op_at_once(op))
		return ops->single(op, call->data, call->arg->data_len, out, made);
	if (call->arg->data_len)
		rv = ops->update(op, call->data, call->arg->data_len, out, made);
	if (rv || !finish)
		return rv;
	if (op->kind == LUNA_OP_VERIFY)
		return ops->verify(op, NULL, 0, call->sig, call->arg->sig_len);
	rv = ops->final(op, out + *made, &rest);
	*made += rest;
	return rv;
}

/* @lens as op_lens() gives it for this command's data and @finish. */
static u32 op_run(struct op_call *call, bool finish, const struct luna_op_lens *lens)
{
	struct luna_op_state *op = call->op;
	bool verify = op->kind == LUNA_OP_VERIFY;
	u32 made = 0, rv;

	if (finish && verify && call->arg->sig_len != lens->most)
		return CKR_SIGNATURE_LEN_RANGE;
	if (!op_whole(op))
		rv = op_run_stream(call, finish, lens->most, &made);
	else if (finish)
		rv = op_run_whole(call, lens->most, &made);
	else
		rv = op_gather(op, call->data, call->arg->data_len);
	if (rv || verify)
		return rv;
	luna_reply_trim(call->cmd, made);
	call->arg->out_need = made;
	op->made += made;
	return CKR_OK;
}

/* ---- steps ---- */

/* The first piece of a one-shot call decides for all of it. */
static u32 oneshot_begin(struct op_call *call, bool *over)
{
	struct luna_op_state *op = call->op;
	struct luna_op_lens lens = { 0 };
	u32 rv;

	if (op->phase != LUNA_OP_FRESH)
		return CKR_OPERATION_ACTIVE;
	rv = op_lens(op, call->arg->total, true, &lens);
	if (rv || op->kind == LUNA_OP_VERIFY)
		return rv;
	*over = op_sized(call, &lens, &rv);
	return *over ? rv : CKR_OK;
}

static u32 step_oneshot(struct op_call *call)
{
	struct luna_op_state *op = call->op;
	const struct luna_op *arg = call->arg;
	struct luna_op_lens lens = { 0 };
	bool over = false, last;
	u32 rv;

	if (!arg->offset) {
		rv = oneshot_begin(call, &over);
		if (rv || over)
			return rv;
		op->total = arg->total;
	} else if (call->query || op->phase != LUNA_OP_PIECES || arg->offset != op->done ||
		   arg->total != op->total) {
		/* A query has no data: it is about the call, at its first piece. */
		return CKR_ARGUMENTS_BAD;
	}
	if (arg->data_len > op->total - op->done)
		return CKR_ARGUMENTS_BAD;
	last = arg->data_len == op->total - op->done;
	if (!last && (!arg->data_len || arg->sig_len))
		return CKR_ARGUMENTS_BAD;
	op->phase = LUNA_OP_PIECES;
	rv = op_lens(op, arg->data_len, last, &lens);
	if (rv == CKR_OK)
		rv = op_run(call, last, &lens);
	op->done += arg->data_len;
	if (rv || !last)
		return rv;
	if (op->kind != LUNA_OP_VERIFY)
		rv = op_fits(call, op->made);
	if (rv == CKR_OK)
		luna_op_end(op);
	return rv;
}

/* Does the family refuse this in several parts, or is a one-shot call on its way? */
static u32 multi_part(const struct luna_op_state *op)
{
	if (op_ops(op)->single_part)
		return CKR_FUNCTION_NOT_SUPPORTED;
	return op->phase == LUNA_OP_PIECES ? CKR_OPERATION_ACTIVE : CKR_OK;
}

/* Only encryption and decryption have output at an update. */
static u32 step_update(struct op_call *call)
{
	struct luna_op_state *op = call->op;
	struct luna_op_lens lens = { 0 };
	u32 rv = multi_part(op);

	if (rv == CKR_OK)
		rv = op_lens(op, call->arg->data_len, false, &lens);
	if (rv)
		return rv;
	if (op->kind <= LUNA_OP_DECRYPT && op_sized(call, &lens, &rv))
		return rv;
	op->phase = LUNA_OP_UPDATED;
	return op_run(call, false, &lens);
}

static u32 step_final(struct op_call *call)
{
	struct luna_op_state *op = call->op;
	struct luna_op_lens lens = { 0 };
	u32 rv = multi_part(op);

	if (rv == CKR_OK)
		rv = op_lens(op, call->arg->data_len, true, &lens);
	if (rv)
		return rv;
	if (op->kind != LUNA_OP_VERIFY && op_sized(call, &lens, &rv))
		return rv;
	op->phase = LUNA_OP_UPDATED;
	op->made = 0;
	rv = op_run(call, true, &lens);
	if (rv == CKR_OK && op->kind != LUNA_OP_VERIFY)
		rv = op_fits(call, op->made);
	if (rv == CKR_OK)
		luna_op_end(op);
	return rv;
}

/* C_DigestKey */
static u32 step_key(struct op_call *call)
{
	struct luna_op_state *op = call->op;
	struct luna_attrs *attrs;
	const u8 *value;
	u32 rv = multi_part(op), len = 0, made = 0;

	if (rv == CKR_OK)
		rv = luna_key_digest_get(op->session, call->arg->key, &attrs);
	if (rv)
		return rv;
	op->phase = LUNA_OP_UPDATED;
	value = luna_attrs_bytes(attrs, CKA_VALUE, &len);
	rv = value ? op_ops(op)->update(op, value, len, NULL, &made) : CKR_KEY_INDIGESTIBLE;
	luna_attrs_put(attrs);
	return rv;
}

static u32 op_step(struct op_call *call)
{
	struct luna_op_state *op = call->op;
	u32 rv;

	if (!op_active(op))
		return CKR_OPERATION_NOT_INITIALIZED;
	if (of_messages(op->kind))
		return luna_message_finish(op);
	if (op->auth_pending) {
		/*
		 * A library that keeps an Init back must not do so with this key: see
		 * hdr.generation.
		 */
		luna_token_changed(op->token);
		luna_op_end(op);
		return CKR_USER_NOT_LOGGED_IN;
	}
	switch (call->step) {
	case LUNA_STEP_ONESHOT:
		rv = step_oneshot(call);
		break;
	case LUNA_STEP_UPDATE:
		rv = step_update(call);
		break;
	case LUNA_STEP_FINAL:
		rv = step_final(call);
		break;
	default:
		rv = step_key(call);
	}
	if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
		luna_op_end(op);
	return rv;
}

/* ---- the command ---- */

/* Which steps go together, and which parts of the payload they may have. */
static bool call_fields(const struct luna_op *arg, u32 step)
{
	bool recover = arg->op == LUNA_OP_SIGN_RECOVER || arg->op == LUNA_OP_VERIFY_RECOVER;
	bool ends = step == LUNA_STEP_ONESHOT || step == LUNA_STEP_FINAL;

	if (arg->step & LUNA_STEP_CANCEL && arg->step != LUNA_STEP_CANCEL)
		return false;
	if (of_messages(arg->op) && step && step != LUNA_STEP_FINAL && step != LUNA_STEP_CANCEL)
		return false;
	if (step & (step - 1) || !arg->step || arg->reserved)
		return false;
	if (recover && step && step != LUNA_STEP_ONESHOT && step != LUNA_STEP_CANCEL)
		return false;
	if (step == LUNA_STEP_KEY && arg->op != LUNA_OP_DIGEST)
		return false;
	if (arg->param_len && !(arg->step & LUNA_STEP_INIT))
		return false;
	if (arg->data_len && step != LUNA_STEP_ONESHOT && step != LUNA_STEP_UPDATE)
		return false;
	return !arg->sig_len || (arg->op == LUNA_OP_VERIFY && ends);
}

/* Verification returns nothing, and an update returns something only to en- and decryption. */
bool luna_op_queries(u32 kind, u32 step, u32 out_max)
{
	if (out_max != LUNA_OUT_QUERY || kind == LUNA_OP_VERIFY || of_messages(kind))
		return false;
	if (step == LUNA_STEP_UPDATE)
		return kind <= LUNA_OP_DECRYPT;
	return step == LUNA_STEP_ONESHOT || step == LUNA_STEP_FINAL;
}

/* Finds parameter, data and signature in the payload, which they must fill. */
static bool call_split(struct op_call *call)
{
	const struct luna_op *arg = call->arg;
	const struct luna_ucmd *cmd = call->cmd;
	u32 data_len = call->query ? 0 : arg->data_len;

	call->param_len = arg->param_len == LUNA_PARAM_MALFORMED ? 0 : arg->param_len;
	call->param = cmd->in;
	if ((u64)call->param_len + data_len + arg->sig_len != cmd->in_len)
		return false;
	call->data = call->param + call->param_len;
	call->sig = call->data + data_len;
	return true;
}

static struct luna_op_state *op_of(struct luna_session *session, u32 kind)
{
	struct luna_op_state *op = session->ops[kind];

	if (op)
		return op;
	if (!luna_open_hold(session->open, LUNA_OP_BYTES))
		return NULL;
	op = kzalloc(sizeof(*op), GFP_KERNEL_ACCOUNT);
	if (!op) {
		luna_open_unhold(session->open, LUNA_OP_BYTES);
		return NULL;
	}
	op->kind = kind;
	op->session = session;
	op->token = session->open->token;
	session->ops[kind] = op;
	return op;
}

/**
 * luna_do_op() - LUNA_OP
 */
u32 luna_do_op(struct luna_ucmd *cmd)
{
	struct luna_op *arg = cmd->arg;
	struct op_call call = { .cmd = cmd, .arg = arg, .step = arg->step & ~LUNA_STEP_INIT };
	u32 rv = CKR_OK;

	arg->out_need = 0;
	if (arg->op >= LUNA_OP_KINDS || arg->step >= 2 * LUNA_STEP_CANCEL ||
	    !call_fields(arg, call.step))
		return CKR_ARGUMENTS_BAD;
	call.query = luna_op_queries(arg->op, call.step, arg->out_max);
	if (!call_split(&call))
		return CKR_ARGUMENTS_BAD;
	call.op = op_of(cmd->session, array_index_nospec(arg->op, LUNA_OP_KINDS));
	if (!call.op)
		return CKR_DEVICE_MEMORY;
	if (call.step == LUNA_STEP_CANCEL) {
		luna_op_end(call.op);
		return CKR_OK;
	}
	if (arg->step & LUNA_STEP_INIT)
		rv = op_init(&call);
	if (rv == CKR_OK && call.step)
		rv = op_step(&call);
	return rv;
}

/* ---- without a session's operation ---- */

u32 luna_op_step(struct luna_op_state *op, struct luna_ucmd *cmd, struct luna_op *arg,
		 const u8 *data, const u8 *sig)
{
	struct op_call call = {
		.cmd = cmd,
		.arg = arg,
		.op = op,
		.step = arg->step,
		.query = luna_op_queries(arg->op, arg->step, arg->out_max),
		.data = data,
		.sig = sig,
	};

	arg->out_need = 0;
	return op_step(&call);
}

static u32 once_run(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *made)
{
	const struct luna_op_ops *ops = op_ops(op);
	u32 rest = 0, rv = CKR_OK;

	if (op_at_once(op))
		return ops->single(op, in, len, out, made);
	if (len)
		rv = ops->update(op, in, len, out, made);
	if (rv == CKR_OK)
		rv = ops->final(op, out + *made, &rest);
	*made += rest;
	return rv;
}

static u32 once_out(struct luna_op_state *op, const u8 *in, u32 len, u8 **out, u32 *out_len)
{
	struct luna_op_lens lens = { 0 };
	u32 made = 0, rv;
	u8 *room;

	rv = op_lens(op, len, true, &lens);
	if (rv)
		return rv;
	room = kvmalloc(max_t(u32, lens.most, 1), GFP_KERNEL);
	if (!room)
		return CKR_DEVICE_MEMORY;
	rv = once_run(op, in, len, room, &made);
	if (rv) {
		kvfree_sensitive(room, lens.most);
		return rv;
	}
	memzero_explicit(room + made, lens.most - made);
	*out = room;
	*out_len = made;
	return CKR_OK;
}

u32 luna_op_once(struct luna_session *session, const struct luna_mech *mech, enum luna_op_kind kind,
		 struct luna_object *key, const u8 *param, u32 param_len, const u8 *in, u32 len,
		 u8 **out, u32 *out_len)
{
	struct luna_op_state *op;
	u32 rv;

	*out = NULL;
	*out_len = 0;
	/* Nothing can authenticate this one operation. */
	if (key->class == CKO_PRIVATE_KEY && luna_object_is(key, LUNA_BIT_ALWAYS_AUTHENTICATE))
		return CKR_USER_NOT_LOGGED_IN;
	op = kzalloc(sizeof(*op), GFP_KERNEL);
	if (!op)
		return CKR_DEVICE_MEMORY;
	op->kind = kind;
	op->session = session;
	op->token = session->open->token;
	refcount_inc(&key->refs);
	rv = luna_op_start(op, mech, key, param, param_len);
	if (rv == CKR_OK)
		rv = once_out(op, in, len, out, out_len);
	luna_op_end(op);
	kfree_sensitive(op);
	return rv;
}
