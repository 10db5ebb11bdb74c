// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Digests: the provider's hashes as operations.
 */
#include "mech.h"

struct digest {
	struct luna_hash_stream *stream;
};

static u32 digest_init(struct luna_op_state *op, const u8 *param, u32 len)
{
	struct digest *d = luna_op_private(op, struct digest);
	struct luna_hash_stream *stream;

	if (len)
		return CKR_MECHANISM_PARAM_INVALID;
	stream = op->token->crypto->hash_begin(op->mech->hash);
	if (IS_ERR(stream))
		return luna_ckr(PTR_ERR(stream));
	d->stream = stream;
	return CKR_OK;
}

static u32 digest_lens(const struct luna_op_state *op, u64 in_len, bool finish,
		       struct luna_op_lens *lens)
{
	lens->most = finish ? luna_hash_len(op->mech->hash) : 0;
	lens->least = lens->most;
	return CKR_OK;
}

static u32 digest_update(struct luna_op_state *op, const u8 *in, u32 len, u8 *out, u32 *out_len)
{
	struct digest *d = luna_op_private(op, struct digest);

	*out_len = 0;
	return luna_ckr(op->token->crypto->hash_update(d->stream, in, len));
}

static u32 digest_final(struct luna_op_state *op, u8 *out, u32 *out_len)
{
	struct digest *d = luna_op_private(op, struct digest);

	*out_len = luna_hash_len(op->mech->hash);
	return luna_ckr(op->token->crypto->hash_final(d->stream, out));
}

static void digest_end(struct luna_op_state *op)
{
	struct digest *d = luna_op_private(op, struct digest);

	op->token->crypto->hash_end(d->stream);
}

const struct luna_op_ops luna_digest_ops = {
	.init = digest_init,
	.lens = digest_lens,
	.update = digest_update,
	.final = digest_final,
	.end = digest_end,
};
