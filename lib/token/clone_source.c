// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Cloning, the source: step 1 gives the certificate, step 3 seals one object for one target. */
#include "clone.h"
#include "cmd.h"
#include "mofn.h"

/* Part1 taken apart; pointers into it. */
struct clone_part1 {
	u8 flags;
	const u8 *nonce, *twc_digest, *cipher;
	u32 cipher_len;
};

/* ---- step 1 ---- */

/* A new exchange starts when the certificate is handed out: asking for its size harms none. */
u32 luna_do_clone_source_init(struct luna_ucmd *cmd)
{
	const struct luna_blob *arg = cmd->arg;
	struct clone_source next = { .active = true, .replicate = arg->replicate };
	struct luna_clone_state *state;
	struct clone_work *work;
	bool given;
	u32 rv;

	rv = luna_clone_allowed(cmd);
	if (!rv && arg->blob_len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv)
		return rv;
	work = luna_clone_work(cmd->token, &rv);
	if (!work)
		return rv;
	luna_clone_work_free(work);
	state = luna_clone_state(cmd->session);
	if (!state)
		return CKR_DEVICE_MEMORY;
	rv = luna_exchange_reply_twc(cmd, &given);
	if (rv || !given)
		return rv;
	next.epoch = luna_open_epoch(cmd->open);
	if (cmd->token->crypto->random(next.nonce, sizeof(next.nonce)))
		return CKR_DEVICE_ERROR;
	state->source = next;
	return CKR_OK;
}

/* ---- step 3 ---- */

static bool part1_read(struct clone_part1 *p, const u8 *data, u32 len)
{
	struct luna_rd rd;
	bool ok;

	luna_rd_init(&rd, data, len);
	ok = luna_exchange_head_get(&rd, CLONE_MAGIC, CLONE_PART1, &p->flags);
	p->nonce = luna_rd_bytes(&rd, LUNA_EXCHANGE_NONCE);
	luna_rd_bytes(&rd, LUNA_SERIAL_LEN);
	p->twc_digest = luna_rd_bytes(&rd, LUNA_EXCHANGE_DIGEST);
	p->cipher_len = luna_rd_be16(&rd);
	p->cipher = luna_rd_bytes(&rd, p->cipher_len);
	luna_rd_bytes(&rd, LUNA_EXCHANGE_MAC);
	return ok && luna_rd_done(&rd) && !(p->flags & ~CLONE_F_REPLICATE);
}

/* Made for this token and this exchange, by one of the domain? */
static u32 part1_check(struct luna_ucmd *cmd, struct clone_work *work, struct clone_part1 *p)
{
	struct luna_num domain = luna_clone_domain(work);
	const struct luna_blob *arg = cmd->arg;

	if (!part1_read(p, cmd->in, cmd->in_len) ||
	    memcmp(p->twc_digest, work->self->twc_digest, LUNA_EXCHANGE_DIGEST) ||
	    p->flags != (arg->replicate ? CLONE_F_REPLICATE : 0))
		return CKR_DATA_INVALID;
	return luna_clone_ckr(luna_exchange_mac_check(cmd->token, &domain, luna_clone_part1_label,
						      cmd->in, cmd->in_len));
}

static u32 payload_object(struct luna_ucmd *cmd, struct clone_payload *payload)
{
	const struct luna_blob *arg = cmd->arg;
	struct luna_object *obj = luna_object_get(cmd->session, arg->handle);
	struct luna_tmpl tmpl;
	u64 class = 0;
	u32 rv;

	if (IS_ERR_OR_NULL(obj))
		return luna_object_none(obj, CKR_OBJECT_HANDLE_INVALID);
	payload->attrs = luna_object_attrs(cmd->token, obj);
	luna_object_put(obj);
	if (IS_ERR(payload->attrs)) {
		rv = luna_ckr(PTR_ERR(payload->attrs));
		payload->attrs = NULL;
		return rv;
	}
	payload->data = payload->attrs->data;
	payload->len = payload->attrs->len;
	tmpl = luna_attrs_tmpl(payload->attrs);
	luna_tmpl_ulong(&tmpl, CKA_CLASS, &class);
	if ((class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY) && luna_mofn_missing(cmd->token))
		return CKR_OPERATION_NOT_ALLOWED;
	return luna_clone_object_allowed(cmd->session, &tmpl);
}

static u32 payload_mofn(struct luna_ucmd *cmd, const struct luna_secrets *secrets,
			struct clone_payload *payload)
{
	const struct luna_blob *arg = cmd->arg;
	struct luna_mofn_param param;
	struct luna_wr wr;

	if (arg->handle)
		return CKR_OBJECT_HANDLE_INVALID;
	if (luna_session_role(cmd->session) != LUNA_ROLE_CO)
		return CKR_USER_NOT_AUTHORIZED;
	down_read(&cmd->token->lock);
	param = cmd->token->state->mofn;
	up_read(&cmd->token->lock);
	if (!param.generated || !param.cloneable || !secrets->has_mofn)
		return CKR_OPERATION_NOT_ALLOWED;
	luna_wr_init(&wr, payload->mofn, sizeof(payload->mofn));
	luna_wr_be32(&wr, param.id);
	luna_wr_be32(&wr, param.m);
	luna_wr_be32(&wr, param.n);
	luna_wr_be32(&wr, param.crc);
	luna_wr_bytes(&wr, secrets->mofn, LUNA_MOFN_SECRET_LEN);
	payload->data = payload->mofn;
	payload->len = wr.at;
	return CKR_OK;
}

static u32 payload_get(struct luna_ucmd *cmd, struct clone_work *work)
{
	const struct luna_blob *arg = cmd->arg;

	if (arg->type == CK_MOFN_ACTIVATION_ELEMENT)
		return payload_mofn(cmd, work->secrets, &work->payload);
	return payload_object(cmd, &work->payload);
}

/* work->msg gets the target's secret; the MAC of Part1 was checked before. */
static int part1_open(struct luna_token *token, struct clone_work *work,
		      const struct clone_part1 *p)
{
	u32 len;
	int err;

	err = luna_exchange_decrypt(token, work->secrets, p->cipher, p->cipher_len, work->em);
	if (!err)
		err = luna_oaep_unpad(token->crypto, LUNA_SHA256, LUNA_SHA256, NULL, 0, work->em,
				      p->cipher_len, work->msg, &len);
	if (!err && len != CLONE_SECRET)
		err = -EBADMSG;
	return err;
}

static int part2_make(struct luna_ucmd *cmd, struct clone_work *work, const struct clone_part1 *p1,
		      u8 *out)
{
	const struct clone_payload *payload = &work->payload;
	const struct luna_blob *arg = cmd->arg;
	struct clone_part2 p2 = {
		.source_nonce = cmd->session->clone->source.nonce,
		.target_nonce = p1->nonce,
	};
	struct luna_wr wr;
	int err;

	err = part1_open(cmd->token, work, p1);
	if (!err)
		err = luna_hash_once(cmd->token->crypto, LUNA_SHA256, cmd->in, cmd->in_len,
				     work->part1);
	if (err)
		return err;
	luna_wr_init(&wr, out, CLONE_PART2_HEAD);
	luna_exchange_head_put(&wr, CLONE_MAGIC, CLONE_PART2,
			       arg->replicate ? CLONE_F_REPLICATE : 0);
	luna_wr_bytes(&wr, p2.source_nonce, LUNA_EXCHANGE_NONCE);
	luna_wr_bytes(&wr, p2.target_nonce, LUNA_EXCHANGE_NONCE);
	luna_wr_bytes(&wr, work->self->serial, LUNA_SERIAL_LEN);
	luna_wr_be32(&wr, arg->type);
	luna_wr_be32(&wr, payload->len + LUNA_SEAL_OVERHEAD);
	err = luna_clone_part2_key(cmd->token, work, work->msg, &p2, out);
	if (err)
		return err;
	return luna_seal_with(cmd->token, work->key, LUNA_SEAL_CLONE, arg->type, payload->data,
			      payload->len, out + CLONE_PART2_HEAD);
}

static u32 clone_source(struct luna_ucmd *cmd, struct clone_work *work)
{
	struct luna_clone_state *state = cmd->session->clone;
	struct luna_blob *arg = cmd->arg;
	struct clone_part1 p1;
	u8 *room;
	u32 rv;

	rv = part1_check(cmd, work, &p1);
	if (!rv)
		rv = payload_get(cmd, work);
	if (rv)
		return rv;
	rv = luna_reply_sized(cmd, CLONE_PART2_HEAD + work->payload.len + LUNA_SEAL_OVERHEAD,
			      arg->out_max, &arg->out_need, &room);
	if (rv || !room)
		return rv;
	rv = luna_clone_ckr(part2_make(cmd, work, &p1, room));
	if (!rv)
		memzero_explicit(&state->source, sizeof(state->source));
	return rv;
}

u32 luna_do_clone_source(struct luna_ucmd *cmd)
{
	const struct luna_clone_state *state = cmd->session->clone;
	const struct luna_blob *arg = cmd->arg;
	struct clone_work *work;
	u32 rv;

	rv = luna_clone_allowed(cmd);
	if (!rv)
		rv = luna_clone_type_check(arg->type);
	if (rv)
		return rv;
	if (!state || !state->source.active ||
	    state->source.epoch != luna_open_epoch(cmd->open))
		return CKR_OPERATION_NOT_INITIALIZED;
	if (arg->replicate != state->source.replicate)
		return CKR_ARGUMENTS_BAD;
	work = luna_clone_work(cmd->token, &rv);
	if (!work)
		return rv;
	rv = clone_source(cmd, work);
	luna_clone_work_free(work);
	return rv;
}
