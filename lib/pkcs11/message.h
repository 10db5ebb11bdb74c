/* SPDX-License-Identifier: MIT */
/*
 * Messages of PKCS#11 v3.0: C_EncryptMessage, C_EncryptMessageBegin, C_EncryptMessageNext and the
 * like for the other kinds. One trip to the device for each call, more only for what is longer than
 * a command. The device makes IVs and tags; this file brings them to where the parameter points.
 */
#ifndef P11_MESSAGE_H
#define P11_MESSAGE_H

#include <luna/cryptoki_v2.h>
#include <uapi/luna.h>

#include "operation.h"

struct p11_session;

/**
 * struct p11_message - a step of a message, as the application passed it
 * @kind: LUNA_OP_MESSAGE_*
 * @step: LUNA_STEP_ONESHOT, BEGIN, UPDATE or FINAL
 * @parameter: the message's parameter, @parameter_len bytes: CK_GCM_MESSAGE_PARAMS or, where the
 *	mechanism has none for a message, NULL
 * @aad: additional data, @aad_len bytes
 * @io: the rest
 */
struct p11_message {
	enum luna_op_kind kind;
	uint32_t step;
	const void *parameter;
	CK_ULONG parameter_len;
	const void *aad;
	CK_ULONG aad_len;
	struct p11_io io;
};

/** p11_message_init() - C_MessageXxxInit; @mechanism NULL ends the operation */
CK_RV p11_message_init(struct p11_session *session, enum luna_op_kind kind,
		       const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);

/**
 * p11_message_step() - carry a step, of any length
 * Writes IV and tag of an encryption to where @message->parameter points: the IV with the step that
 * begins the message, the tag with the one that ends it.
 */
CK_RV p11_message_step(struct p11_session *session, const struct p11_message *message);

#endif /* P11_MESSAGE_H */
