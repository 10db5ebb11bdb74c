// SPDX-License-Identifier: MIT
/*
 * Steps of messages; see message.h.
 */
#include "message.h"

#include <string.h>

#include "log.h"
#include "mechanism.h"
#include "session.h"

/* Longest additional data: what can be staged, less some room for the rest. */
#define AAD_MAX	(LUNA_STAGE_MAX - 4096)

/**
 * struct message_params - the parameter of a message, checked
 * @usable: it is one, and what the step needs of it is there
 * @gcm: as the application has it
 * @head: as it travels
 */
struct message_params {
	bool usable;
	CK_GCM_MESSAGE_PARAMS gcm;
	struct luna_gcm_param head;
};

static bool is_crypt(enum luna_op_kind kind)
{
	return kind == LUNA_OP_MESSAGE_ENCRYPT || kind == LUNA_OP_MESSAGE_DECRYPT;
}

static bool message_begins(const struct p11_message *message)
{
	return message->step == LUNA_STEP_ONESHOT || message->step == LUNA_STEP_BEGIN;
}

static bool message_ends(const struct p11_message *message)
{
	return message->step == LUNA_STEP_ONESHOT || message->step == LUNA_STEP_FINAL;
}

static bool message_has_output(const struct p11_message *message)
{
	if (message->step == LUNA_STEP_BEGIN || message->kind == LUNA_OP_MESSAGE_VERIFY)
		return false;
	return is_crypt(message->kind) || message_ends(message);
}

static bool message_queries(const struct p11_message *message)
{
	return message_has_output(message) && !message->io.out;
}

/* ---- Init ---- */

/* AES-GCM: whatever the Init says about IV and tag, every message says it anew. */
static void crypt_parameter(struct p11_parameter *parameter, const CK_MECHANISM *mechanism)
{
	p11_buffer_init(&parameter->bytes);
	parameter->mechanism = p11_u32(mechanism->mechanism);
	parameter->shape_len = 0;
	parameter->len = 0;
	if (mechanism->ulParameterLen && (!mechanism->pParameter ||
	    mechanism->ulParameterLen != sizeof(CK_GCM_MESSAGE_PARAMS)))
		parameter->len = LUNA_PARAM_MALFORMED;
}

CK_RV p11_message_init(struct p11_session *session, enum luna_op_kind kind,
		       const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
	struct p11_parameter parameter;
	CK_RV rv = CKR_OK;

	if (!(session->device->info.features & LUNA_FEATURE_MESSAGES)) {
		p11_log_reason("the device is older than this library, and knows no messages");
		return CKR_FUNCTION_NOT_SUPPORTED;
	}
	if (!mechanism)
		return p11_operation_there(session, kind) ? p11_operation_cancel(session, kind) :
							    CKR_ARGUMENTS_BAD;
	if (is_crypt(kind))
		crypt_parameter(&parameter, mechanism);
	else
		rv = p11_parameter_init(&parameter, mechanism);
	if (rv == CKR_OK)
		rv = p11_operation_init(session, kind, &parameter, key);
	p11_parameter_free(&parameter);
	return rv;
}

/* ---- the parameter ---- */

static bool tag_there(const struct p11_message *message, const CK_GCM_MESSAGE_PARAMS *gcm)
{
	return gcm->pTag || gcm->ulTagBits < 8 || !message_ends(message) ||
	       message_queries(message);
}

static void message_params(const struct p11_message *message, struct message_params *params)
{
	const CK_GCM_MESSAGE_PARAMS *gcm = &params->gcm;

	memset(params, 0, sizeof(*params));
	if (!is_crypt(message->kind)) {
		params->usable = !message->parameter && !message->parameter_len;
		return;
	}
	if (!message->parameter || message->parameter_len != sizeof(params->gcm))
		return;
	memcpy(&params->gcm, message->parameter, sizeof(params->gcm));
	if (!tag_there(message, gcm))
		return;
	params->head.tag_bits = p11_u32(gcm->ulTagBits);
	params->usable = true;
	if (!message_begins(message))
		return;
	params->head.iv_len = p11_u32(gcm->ulIvLen);
	params->head.aad_len = (uint32_t)message->aad_len;
	params->usable = gcm->pIv && gcm->ulIvLen <= AAD_MAX;
}

/* Bytes of the tag, as the step's sig_len has it; what is no tag is for the device to refuse. */
static uint32_t tag_len(const struct message_params *params)
{
	return params->usable ? params->head.tag_bits / 8 : 0;
}

static void put_params(const struct p11_message *message, const struct message_params *params,
		       struct luna_message *head, struct p11_request *request)
{
	const CK_GCM_MESSAGE_PARAMS *gcm = &params->gcm;

	if (!params->usable) {
		head->param_len = LUNA_PARAM_MALFORMED;
		return;
	}
	if (!is_crypt(message->kind))
		return;
	if (message->kind == LUNA_OP_MESSAGE_ENCRYPT) {
		head->generator = p11_u32(gcm->ivGenerator);
		head->fixed_bits = p11_u32(gcm->ulIvFixedBits);
	}
	head->param_len = (uint32_t)sizeof(params->head) + params->head.iv_len +
			  params->head.aad_len;
	request->in[0].data = &params->head;
	request->in[0].len = sizeof(params->head);
	request->in[1].data = gcm->pIv;
	request->in[1].len = params->head.iv_len;
	request->in[2].data = message->aad;
	request->in[2].len = params->head.aad_len;
}

/* What comes behind the data: the signature to verify, or the tag; or how long a tag is expected. */
static void put_tail(const struct p11_message *message, const struct message_params *params,
		     struct luna_message *head, struct p11_request *request)
{
	const struct p11_io *io = &message->io;

	if (message->kind == LUNA_OP_MESSAGE_VERIFY) {
		head->sig_len = io->signature_len < P11_SIGNATURE_MAX ?
				(uint32_t)io->signature_len : P11_SIGNATURE_MAX;
		request->in[4].data = io->signature;
		request->in[4].len = head->sig_len;
	} else if (is_crypt(message->kind)) {
		head->sig_len = tag_len(params);
		if (message->kind == LUNA_OP_MESSAGE_DECRYPT && head->sig_len) {
			/* Longer than any tag, it need not travel. */
			if (head->sig_len > sizeof(head->tag))
				head->sig_len = sizeof(head->tag) + 1;
			request->in[4].data = params->gcm.pTag;
			request->in[4].len = head->sig_len;
		}
	}
}

/* Brings what the device made to where the application wants it. */
static CK_RV give_back(const struct p11_message *message, const struct message_params *params,
		       const uint8_t *iv, const uint8_t *tag)
{
	const CK_GCM_MESSAGE_PARAMS *gcm = &params->gcm;
	bool made = message_begins(message) && gcm->ivGenerator != CKG_NO_GENERATE;

	if (message->kind != LUNA_OP_MESSAGE_ENCRYPT)
		return CKR_OK;
	if ((made && params->head.iv_len > LUNA_MESSAGE_IV_MAX) ||
	    (message_ends(message) && tag_len(params) > sizeof(((struct luna_message *)0)->tag))) {
		p11_log_reason("the device took a parameter that cannot be");
		return CKR_DEVICE_ERROR;
	}
	if (made)
		memcpy(gcm->pIv, iv, params->head.iv_len);
	if (message_ends(message) && tag_len(params))
		memcpy(gcm->pTag, tag, tag_len(params));
	return CKR_OK;
}

/* ---- steps ---- */

static CK_RV message_send(struct p11_session *session, struct luna_message *head,
			  struct p11_request *request)
{
	request->command = LUNA_MESSAGE;
	request->head = &head->hdr;
	request->size = sizeof(*head);
	return p11_session_call(session, request);
}

/* How long the output of a step would be; nothing changes. */
static CK_RV message_query(struct p11_session *session, const struct p11_message *message,
			   const struct message_params *params, uint32_t *need)
{
	struct luna_message head = {
		.op = message->kind,
		.step = message->step,
		.out_max = LUNA_OUT_QUERY,
	};
	struct p11_request request = { 0 };
	CK_RV rv;

	if (message->step == LUNA_STEP_ONESHOT)
		head.total = message->io.len;
	else
		head.data_len = p11_u32(message->io.len);
	if (message_begins(message))
		put_params(message, params, &head, &request);
	rv = message_send(session, &head, &request);
	*need = head.out_need;
	return rv;
}

/* The piece of the data at @at: its command, but for parameter and tail. */
static void put_piece(const struct p11_message *message, CK_ULONG at, CK_ULONG part, CK_ULONG made,
		      struct luna_message *head, struct p11_request *request)
{
	const struct p11_io *io = &message->io;
	bool oneshot = message->step == LUNA_STEP_ONESHOT, last = at + part == io->len;

	head->op = message->kind;
	head->step = message->step == LUNA_STEP_FINAL && !last ? LUNA_STEP_UPDATE : message->step;
	head->data_len = (uint32_t)part;
	if (oneshot) {
		head->offset = at;
		head->total = io->len;
	}
	request->in[3].data = at ? (const uint8_t *)io->data + at : io->data;
	request->in[3].len = part;
	if (!message_has_output(message))
		return;
	request->out = made ? (uint8_t *)io->out + made : io->out;
	request->out_max = *io->out_len - made;
	request->out_hint = p11_io_hint(part);
	head->out_max = oneshot ? p11_io_out_max(io) : p11_u32(request->out_max);
	if (head->out_max == LUNA_OUT_QUERY)
		head->out_max--;
}

/* Sends a step's data, cut into pieces if it is long, and gathers the output. */
static CK_RV message_pieces(struct p11_session *session, const struct p11_message *message,
			    const struct message_params *params)
{
	const struct p11_io *io = &message->io;
	CK_ULONG at = 0, made = 0, part, most = session->device->op_data_max;
	struct luna_message head;
	uint8_t iv[LUNA_MESSAGE_IV_MAX] = { 0 };
	bool last;
	CK_RV rv;

	do {
		struct p11_request request = { 0 };

		memset(&head, 0, sizeof(head));
		part = io->len - at < most ? io->len - at : most;
		last = at + part == io->len;
		put_piece(message, at, part, made, &head, &request);
		if (!at && message_begins(message))
			put_params(message, params, &head, &request);
		if (last && message_ends(message))
			put_tail(message, params, &head, &request);
		rv = message_send(session, &head, &request);
		if (rv == CKR_BUFFER_TOO_SMALL && io->out_len)
			*io->out_len = (message->step == LUNA_STEP_ONESHOT ? 0 : made) +
				       head.out_need;
		if (rv != CKR_OK)
			return rv;
		if (!at)
			memcpy(iv, head.iv, sizeof(iv));
		made += request.out_len;
		at += part;
	} while (!last);
	rv = give_back(message, params, iv, head.tag);
	if (rv == CKR_OK && message_has_output(message))
		*io->out_len = made;
	return rv;
}

/* Arguments that make no sense end a message in parts, as every error but a short buffer does. */
static CK_RV message_refuse(struct p11_session *session, const struct p11_message *message)
{
	struct luna_message head = { .op = message->kind, .step = LUNA_STEP_CANCEL };
	struct p11_request request = { 0 };

	if (!message_begins(message))
		message_send(session, &head, &request);
	p11_log_reason("a NULL pointer, or additional data too long");
	return CKR_ARGUMENTS_BAD;
}

static bool message_arguments(const struct p11_message *message)
{
	const struct p11_io *io = &message->io;

	if ((io->len && !io->data) || (io->signature_len && !io->signature))
		return false;
	if ((message->aad_len && !message->aad) || message->aad_len > AAD_MAX)
		return false;
	return io->out_len || !message_has_output(message);
}

/*
 * Does the output of a step that comes in several pieces fit? A one-shot is told at its first piece,
 * a part must know before it starts.
 */
static CK_RV message_fits(struct p11_session *session, const struct p11_message *message,
			  const struct message_params *params)
{
	const struct p11_io *io = &message->io;
	uint32_t need;
	CK_RV rv;

	if (message->step == LUNA_STEP_ONESHOT || !message_has_output(message) ||
	    io->len <= session->device->op_data_max)
		return CKR_OK;
	rv = message_query(session, message, params, &need);
	if (rv != CKR_OK || need <= *io->out_len)
		return rv;
	*io->out_len = need;
	return CKR_BUFFER_TOO_SMALL;
}

CK_RV p11_message_step(struct p11_session *session, const struct p11_message *message)
{
	struct message_params params;
	uint32_t need;
	CK_RV rv;

	if (!message_arguments(message))
		return message_refuse(session, message);
	message_params(message, &params);
	if (message_queries(message)) {
		rv = message_query(session, message, &params, &need);
		if (rv == CKR_OK)
			*message->io.out_len = need;
		return rv;
	}
	rv = message_fits(session, message, &params);
	return rv == CKR_OK ? message_pieces(session, message, &params) : rv;
}
