/* SPDX-License-Identifier: MIT */
/*
 * Cryptographic operations of a session: what C_xxxInit, C_xxx, C_xxxUpdate and C_xxxFinal of all
 * kinds have in common. The device keeps the state and decides every rule; this file cuts long data
 * into pieces and saves trips.
 *
 * The saving: an Init is held back when it is known that the device would accept it, and travels
 * with the data. It is known when this process had an Init of the same kind, mechanism, key and
 * parameter shape accepted before, and no reply since has shown another generation (see struct
 * luna_hdr). Any other Init is sent at once, so that its error comes from C_xxxInit. What could
 * turn a held Init into a failure, from this process, sends it first (p11_begin_change()).
 */
#ifndef P11_OPERATION_H
#define P11_OPERATION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>
#include <uapi/luna.h>

struct p11_session;
struct p11_parameter;

/**
 * struct p11_operation - one kind of operation in one session
 * @active: the device has it, as far as the replies so far tell, and if nobody logged out since
 * @logouts: of the device, when it was last heard of
 * @held: its Init is held back; the rest is that Init. Read by others without the session's lock
 * @mechanism: CKM_*
 * @key: handle
 * @shape: digest of the Init without the generation
 * @param_len: bytes of parameter
 * @param: the parameter
 */
struct p11_operation {
	bool active;
	unsigned int logouts;
	atomic_bool held;
	uint32_t mechanism;
	uint32_t key;
	uint64_t shape;
	uint32_t param_len;
	uint8_t *param;
};

/**
 * struct p11_io - what a step takes and gives, as the application passed it
 * @data: data, @len bytes
 * @signature: signature to verify, @signature_len bytes
 * @out: output buffer, or NULL for a length query
 * @out_len: in: size of @out, out: length of the output; NULL only if the step has none
 */
struct p11_io {
	const void *data;
	CK_ULONG len;
	const void *signature;
	CK_ULONG signature_len;
	void *out;
	CK_ULONG *out_len;
};

/** p11_io_out_max() - @out_len as the ABI has it: 0: no output, LUNA_OUT_QUERY: a length query */
static inline uint32_t p11_io_out_max(const struct p11_io *io)
{
	if (!io->out_len)
		return 0;
	if (!io->out)
		return LUNA_OUT_QUERY;
	return *io->out_len < LUNA_OUT_QUERY ? (uint32_t)*io->out_len : LUNA_OUT_QUERY - 1;
}

/* More than any cipher adds to its data, or gives back of earlier data. */
#define P11_UPDATE_EXTRA	64

/* Room for output that does not grow with the data: a digest, RSA with 4096 bits. */
#define P11_OUT_FIXED		512

/** p11_io_hint() - bytes of output to expect of @part bytes of data */
static inline size_t p11_io_hint(size_t part)
{
	part += P11_UPDATE_EXTRA;
	return part > P11_OUT_FIXED ? part : P11_OUT_FIXED;
}

/* Longer than any signature: what is beyond need not travel for the device to see that. */
#define P11_SIGNATURE_MAX	4096

/** p11_operation_init() - C_xxxInit */
CK_RV p11_operation_init(struct p11_session *session, enum luna_op_kind kind,
			 const struct p11_parameter *parameter, CK_OBJECT_HANDLE key);

/** p11_operation_oneshot() - C_Encrypt, C_Sign and so on, of any length */
CK_RV p11_operation_oneshot(struct p11_session *session, enum luna_op_kind kind,
			    const struct p11_io *io);

/** p11_operation_update() - C_xxxUpdate, of any length */
CK_RV p11_operation_update(struct p11_session *session, enum luna_op_kind kind,
			   const struct p11_io *io);

/** p11_operation_final() - C_xxxFinal */
CK_RV p11_operation_final(struct p11_session *session, enum luna_op_kind kind,
			  const struct p11_io *io);

/** p11_operation_digest_key() - C_DigestKey */
CK_RV p11_operation_digest_key(struct p11_session *session, CK_OBJECT_HANDLE key);

/** p11_operation_finish() - C_MessageXxxFinal */
CK_RV p11_operation_finish(struct p11_session *session, enum luna_op_kind kind);

/** p11_operation_cancel() - end the operation if there is one */
CK_RV p11_operation_cancel(struct p11_session *session, enum luna_op_kind kind);

/** p11_operation_there() - whether there is one, held back or at the device */
bool p11_operation_there(struct p11_session *session, enum luna_op_kind kind);

/** p11_operation_any() - whether there is one of any kind */
bool p11_operation_any(struct p11_session *session);

/** p11_operation_any_held() - whether any is held back; needs no lock, and may be old news */
bool p11_operation_any_held(struct p11_session *session);

/** p11_operation_flush() - send the Inits that @session holds back */
void p11_operation_flush(struct p11_session *session);

/** p11_operation_free() - wipe and release; the device is not told */
void p11_operation_free(struct p11_operation *operation);

#endif /* P11_OPERATION_H */
