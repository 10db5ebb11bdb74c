// SPDX-License-Identifier: MIT
/*
 * Steps of cryptographic operations; see operation.h.
 */
#include "operation.h"

#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "log.h"
#include "mechanism.h"
#include "session.h"

/* Longer parameters (much additional data) are not worth a copy: such an Init is sent at once. */
#define HELD_PARAM_MAX	1024

static uint64_t mix(uint64_t digest, uint64_t word)
{
	digest = (digest ^ word) * 0x9e3779b97f4a7c15u;
	return digest ^ (digest >> 29);
}

/* Digest of what decides whether an Init is accepted, but for the generation. */
static uint64_t operation_shape(enum luna_op_kind kind, const struct p11_parameter *parameter,
				uint32_t key)
{
	uint64_t digest = mix((uint64_t)kind << 32 | parameter->mechanism, key), word;
	uint32_t at, part;

	digest = mix(digest, parameter->len);
	for (at = 0; at < parameter->shape_len; at += part) {
		word = 0;
		part = parameter->shape_len - at < 8 ? parameter->shape_len - at : 8;
		memcpy(&word, parameter->bytes.data + at, part);
		digest = mix(digest, word);
	}
	return digest;
}

/* Where a digest stands if it is known; a collision of 64 bits would cost a late error code. */
static _Atomic uint64_t *operation_known(struct p11_device *device, uint64_t shape,
					 uint64_t generation, uint64_t *digest)
{
	*digest = mix(shape, generation) | 1;
	return &device->known_inits[(*digest >> 8) % P11_KNOWN_INITS];
}

static void operation_remember(struct p11_device *device, uint64_t shape, uint64_t generation)
{
	_Atomic uint64_t *place;
	uint64_t digest;

	place = operation_known(device, shape, generation, &digest);
	if (atomic_load_explicit(place, memory_order_relaxed) != digest)
		atomic_store_explicit(place, digest, memory_order_relaxed);
}

static bool operation_is_known(struct p11_device *device, uint64_t shape)
{
	_Atomic uint64_t *place;
	uint64_t digest;

	place = operation_known(device, shape, atomic_load(&device->generation), &digest);
	return atomic_load_explicit(place, memory_order_relaxed) == digest;
}

void p11_operation_free(struct p11_operation *operation)
{
	p11_wipe_free(operation->param, operation->param_len);
	operation->param = NULL;
	operation->param_len = 0;
	atomic_store(&operation->held, false);
}

/* Keeps an Init back; false if it had better be sent. */
static bool operation_hold(struct p11_operation *operation, const struct p11_parameter *parameter,
			   uint32_t key, uint64_t shape)
{
	if (parameter->len > HELD_PARAM_MAX)
		return false;
	if (parameter->len) {
		operation->param = malloc(parameter->len);
		if (!operation->param)
			return false;
		memcpy(operation->param, parameter->bytes.data, parameter->len);
	}
	operation->param_len = parameter->len;
	operation->mechanism = parameter->mechanism;
	operation->key = key;
	operation->shape = shape;
	atomic_store(&operation->held, true);
	return true;
}

static bool of_messages(uint32_t kind)
{
	return kind >= LUNA_OP_MESSAGE_ENCRYPT;
}

/* What the reply to a step says about the operation: only success and short buffers keep it. */
static void operation_track(struct p11_operation *operation, const struct luna_op *op, CK_RV rv)
{
	bool last = (op->step & LUNA_STEP_FINAL) ||
		    ((op->step & LUNA_STEP_ONESHOT) && op->offset + op->data_len == op->total);

	if (rv == CKR_OK && op->out_max != LUNA_OUT_QUERY)
		operation->active = !last && !(op->step & LUNA_STEP_CANCEL);
	else if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		operation->active = true;
	else
		operation->active = rv == CKR_OPERATION_ACTIVE &&
				    (op->step & LUNA_STEP_INIT || of_messages(op->op));
}

static bool operation_is_active(const struct p11_session *session, enum luna_op_kind kind)
{
	const struct p11_operation *operation = &session->operations[kind];

	return operation->active && operation->logouts == atomic_load(&session->device->logouts);
}

/*
 * Sends one step, with the Init before it if that is held back. The caller has filled in what the
 * step needs of @op, and of @request the payload from the second piece on and the output.
 */
static CK_RV operation_send(struct p11_session *session, enum luna_op_kind kind,
			    struct luna_op *op, struct p11_request *request)
{
	struct p11_operation *operation = &session->operations[kind];
	bool held = atomic_load_explicit(&operation->held, memory_order_relaxed);
	CK_RV rv;

	operation->logouts = atomic_load(&session->device->logouts);
	op->op = kind;
	request->command = LUNA_OP;
	request->head = &op->hdr;
	request->size = sizeof(*op);
	if (held) {
		op->step |= LUNA_STEP_INIT;
		op->mechanism = operation->mechanism;
		op->key = operation->key;
		op->param_len = operation->param_len;
		request->in[0].data = operation->param;
		request->in[0].len = operation->param_len;
	}
	rv = p11_session_call(session, request);
	if (held) {
		if (rv == CKR_OK)
			operation_remember(session->device, operation->shape, op->hdr.generation);
		p11_operation_free(operation);
	}
	operation_track(operation, op, rv);
	return rv;
}

/* Sends an Init now. */
static CK_RV operation_begin(struct p11_session *session, enum luna_op_kind kind,
			     const struct p11_parameter *parameter, uint32_t key, uint64_t shape)
{
	struct luna_op op = {
		.step = LUNA_STEP_INIT,
		.mechanism = parameter->mechanism,
		.key = key,
		.param_len = parameter->len,
	};
	struct p11_request request = { 0 };
	CK_RV rv;

	if (parameter->len != LUNA_PARAM_MALFORMED) {
		request.in[0].data = parameter->bytes.data;
		request.in[0].len = parameter->len;
	}
	rv = operation_send(session, kind, &op, &request);
	if (rv == CKR_OK)
		operation_remember(session->device, shape, op.hdr.generation);
	return rv;
}

static CK_RV operation_flush(struct p11_session *session, enum luna_op_kind kind)
{
	struct luna_op op = { .step = LUNA_STEP_INIT };
	struct p11_request request = { 0 };

	if (!atomic_load_explicit(&session->operations[kind].held, memory_order_relaxed))
		return CKR_OK;
	return operation_send(session, kind, &op, &request);
}

CK_RV p11_operation_init(struct p11_session *session, enum luna_op_kind kind,
			 const struct p11_parameter *parameter, CK_OBJECT_HANDLE key)
{
	struct p11_operation *operation = &session->operations[kind];
	uint64_t shape = operation_shape(kind, parameter, p11_u32(key));

	/* With one held back already the device has to see both, and to refuse the second. */
	operation_flush(session, kind);
	if (!of_messages(kind) && !operation_is_active(session, kind) &&
	    operation_is_known(session->device, shape) && !p11_device_dead(session->device) &&
	    operation_hold(operation, parameter, p11_u32(key), shape))
		return CKR_OK;
	return operation_begin(session, kind, parameter, p11_u32(key), shape);
}

CK_RV p11_operation_finish(struct p11_session *session, enum luna_op_kind kind)
{
	struct luna_op op = { .step = LUNA_STEP_FINAL };
	struct p11_request request = { 0 };

	return operation_send(session, kind, &op, &request);
}

CK_RV p11_operation_cancel(struct p11_session *session, enum luna_op_kind kind)
{
	struct luna_op op = { .step = LUNA_STEP_CANCEL };
	struct p11_request request = { 0 };

	if (atomic_load(&session->operations[kind].held)) {
		p11_operation_free(&session->operations[kind]);
		return CKR_OK;
	}
	return operation_send(session, kind, &op, &request);
}

/* Arguments that make no sense end the operation, as every error but a short buffer does. */
static CK_RV operation_refuse(struct p11_session *session, enum luna_op_kind kind)
{
	if (p11_operation_there(session, kind))
		p11_operation_cancel(session, kind);
	p11_log_reason("a NULL pointer");
	return CKR_ARGUMENTS_BAD;
}

/* Asks how long the output of a step would be; nothing changes but that the Init is sent. */
static CK_RV operation_query(struct p11_session *session, enum luna_op_kind kind, uint32_t step,
			     CK_ULONG len, uint32_t *need)
{
	struct luna_op op = { .step = step, .out_max = LUNA_OUT_QUERY };
	struct p11_request request = { 0 };
	CK_RV rv;

	if (step & LUNA_STEP_ONESHOT)
		op.total = len;
	else
		op.data_len = p11_u32(len);
	rv = operation_send(session, kind, &op, &request);
	*need = op.out_need;
	return rv;
}

static bool operation_has_output(enum luna_op_kind kind, uint32_t step)
{
	if (step & LUNA_STEP_UPDATE)
		return kind == LUNA_OP_ENCRYPT || kind == LUNA_OP_DECRYPT;
	return kind != LUNA_OP_VERIFY;
}

/* Sends a step's data, cut into pieces if it is long, and gathers the output. */
static CK_RV operation_pieces(struct p11_session *session, enum luna_op_kind kind, uint32_t step,
			      const struct p11_io *io)
{
	uint32_t out_max = p11_io_out_max(io);
	CK_ULONG at = 0, made = 0, part, most = session->device->op_data_max;
	bool last;
	CK_RV rv;

	do {
		struct luna_op op = { .step = step, .out_max = out_max };
		struct p11_request request = { 0 };

		part = io->len - at < most ? io->len - at : most;
		last = at + part == io->len;
		op.data_len = (uint32_t)part;
		if (step & LUNA_STEP_ONESHOT) {
			op.offset = at;
			op.total = io->len;
		}
		request.in[1].data = at ? (const uint8_t *)io->data + at : io->data;
		request.in[1].len = part;
		if (last && io->signature_len) {
			op.sig_len = io->signature_len < P11_SIGNATURE_MAX ?
				     (uint32_t)io->signature_len : P11_SIGNATURE_MAX;
			request.in[2].data = io->signature;
			request.in[2].len = op.sig_len;
		}
		if (out_max) {
			request.out = made ? (uint8_t *)io->out + made : io->out;
			request.out_max = *io->out_len - made;
			request.out_hint = p11_io_hint(part);
			if (step & LUNA_STEP_UPDATE)
				op.out_max = p11_u32(request.out_max);
		}
		rv = operation_send(session, kind, &op, &request);
		/* A one-shot's need is that of the whole call, an Update's that of this piece. */
		if (rv == CKR_BUFFER_TOO_SMALL && io->out_len)
			*io->out_len = (step & LUNA_STEP_UPDATE ? made : 0) + op.out_need;
		if (rv != CKR_OK)
			return rv;
		made += request.out_len;
		at += part;
	} while (!last);
	if (io->out_len)
		*io->out_len = made;
	return CKR_OK;
}

static CK_RV operation_step(struct p11_session *session, enum luna_op_kind kind, uint32_t step,
			    const struct p11_io *io)
{
	uint32_t need;
	CK_RV rv;

	if ((io->len && !io->data) || (io->signature_len && !io->signature) ||
	    (operation_has_output(kind, step) && !io->out_len))
		return operation_refuse(session, kind);
	if (io->out_len && !io->out) {
		rv = operation_query(session, kind, step, io->len, &need);
		if (rv == CKR_OK)
			*io->out_len = need;
		return rv;
	}
	/*
	 * An Update in pieces must not find out in the middle that its buffer is short. A one-shot
	 * is told at its first piece.
	 */
	if ((step & LUNA_STEP_UPDATE) && io->out_len && io->len > session->device->op_data_max &&
	    *io->out_len < io->len + P11_UPDATE_EXTRA) {
		rv = operation_query(session, kind, step, io->len, &need);
		if (rv != CKR_OK)
			return rv;
		if (need > *io->out_len) {
			*io->out_len = need;
			return CKR_BUFFER_TOO_SMALL;
		}
	}
	return operation_pieces(session, kind, step, io);
}

CK_RV p11_operation_oneshot(struct p11_session *session, enum luna_op_kind kind,
			    const struct p11_io *io)
{
	return operation_step(session, kind, LUNA_STEP_ONESHOT, io);
}

CK_RV p11_operation_update(struct p11_session *session, enum luna_op_kind kind,
			   const struct p11_io *io)
{
	return operation_step(session, kind, LUNA_STEP_UPDATE, io);
}

CK_RV p11_operation_final(struct p11_session *session, enum luna_op_kind kind,
			  const struct p11_io *io)
{
	return operation_step(session, kind, LUNA_STEP_FINAL, io);
}

CK_RV p11_operation_digest_key(struct p11_session *session, CK_OBJECT_HANDLE key)
{
	struct luna_op op = { .step = LUNA_STEP_KEY, .key = p11_u32(key) };
	struct p11_request request = { 0 };

	/* One key field: the Init's (none) and this one do not fit in one command. */
	operation_flush(session, LUNA_OP_DIGEST);
	return operation_send(session, LUNA_OP_DIGEST, &op, &request);
}

bool p11_operation_there(struct p11_session *session, enum luna_op_kind kind)
{
	return operation_is_active(session, kind) ||
	       atomic_load(&session->operations[kind].held);
}

bool p11_operation_any(struct p11_session *session)
{
	int kind;

	for (kind = 0; kind < LUNA_OP_KINDS; kind++)
		if (p11_operation_there(session, kind))
			return true;
	return false;
}

bool p11_operation_any_held(struct p11_session *session)
{
	int kind;

	for (kind = 0; kind < LUNA_OP_KINDS; kind++)
		if (atomic_load_explicit(&session->operations[kind].held, memory_order_relaxed))
			return true;
	return false;
}

void p11_operation_flush(struct p11_session *session)
{
	int kind;

	for (kind = 0; kind < LUNA_OP_KINDS; kind++)
		operation_flush(session, kind);
}
