// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Cloning, the target: step 2 answers a certificate with Part1, step 4 opens Part2 and creates. */
#include "clone.h"
#include "cmd.h"
#include "mofn.h"

/* ---- step 2 ---- */

static int part1_make(struct luna_token *token, struct clone_work *work,
		      struct luna_exchange_peer *peer, u8 *out, u32 len)
{
	struct luna_num domain = luna_clone_domain(work);
	struct clone_target *next = &work->next;
	struct luna_wr wr;
	int err;

	err = token->crypto->random(next->nonce, sizeof(next->nonce));
	if (!err)
		err = token->crypto->random(next->secret, sizeof(next->secret));
	if (!err)
		err = luna_oaep_pad(token->crypto, LUNA_SHA256, LUNA_SHA256, NULL, 0, next->secret,
				    sizeof(next->secret), peer->em, peer->bytes);
	if (!err)
		err = luna_exchange_encrypt(token, peer);
	if (err)
		return err;
	luna_wr_init(&wr, out, len);
	luna_exchange_head_put(&wr, CLONE_MAGIC, CLONE_PART1,
			       next->replicate ? CLONE_F_REPLICATE : 0);
	luna_wr_bytes(&wr, next->nonce, sizeof(next->nonce));
	luna_wr_bytes(&wr, work->self->serial, LUNA_SERIAL_LEN);
	luna_wr_bytes(&wr, peer->twc_digest, LUNA_EXCHANGE_DIGEST);
	luna_wr_be16(&wr, peer->bytes);
	luna_wr_bytes(&wr, peer->em, peer->bytes);
	err = luna_exchange_mac(token, &domain, luna_clone_part1_label, out, wr.at, out + wr.at);
	if (!err)
		err = luna_hash_once(token->crypto, LUNA_SHA256, out, len, next->part1);
	return err;
}

static u32 target_init(struct luna_ucmd *cmd, struct clone_work *work,
		       struct luna_exchange_peer *peer)
{
	struct luna_clone_state *state = luna_clone_state(cmd->session);
	u32 len = CLONE_PART1_FIXED + peer->bytes, rv;
	struct luna_blob *arg = cmd->arg;
	u8 *room;

	if (!state)
		return CKR_DEVICE_MEMORY;
	rv = luna_reply_sized(cmd, len, arg->out_max, &arg->out_need, &room);
	if (rv || !room)
		return rv;
	work->next.replicate = arg->replicate;
	work->next.epoch = luna_open_epoch(cmd->open);
	rv = luna_ckr(part1_make(cmd->token, work, peer, room, len));
	if (rv)
		return rv;
	work->next.active = true;
	state->target = work->next;
	return CKR_OK;
}

u32 luna_do_clone_target_init(struct luna_ucmd *cmd)
{
	struct luna_exchange_peer *peer;
	struct clone_work *work;
	u32 rv;

	rv = luna_clone_allowed(cmd);
	if (rv)
		return rv;
	work = luna_clone_work(cmd->token, &rv);
	if (!work)
		return rv;
	peer = luna_exchange_peer(cmd->token, cmd->in, cmd->in_len, &rv);
	if (peer)
		rv = target_init(cmd, work, peer);
	luna_exchange_peer_free(cmd->token, peer);
	luna_clone_work_free(work);
	return rv;
}

/* ---- step 4 ---- */

static bool part2_read(struct clone_part2 *p, const u8 *data, u32 len)
{
	struct luna_rd rd;
	bool ok;

	luna_rd_init(&rd, data, len);
	ok = luna_exchange_head_get(&rd, CLONE_MAGIC, CLONE_PART2, &p->flags);
	p->source_nonce = luna_rd_bytes(&rd, LUNA_EXCHANGE_NONCE);
	p->target_nonce = luna_rd_bytes(&rd, LUNA_EXCHANGE_NONCE);
	luna_rd_bytes(&rd, LUNA_SERIAL_LEN);
	p->type = luna_rd_be32(&rd);
	p->sealed = luna_rd_blob(&rd, LUNA_OBJECT_MAX + LUNA_SEAL_OVERHEAD, &p->sealed_len);
	return ok && luna_rd_done(&rd) && !(p->flags & ~CLONE_F_REPLICATE) &&
	       p->sealed_len > LUNA_SEAL_OVERHEAD;
}

/* What can be checked before a key is derived: an answer to our Part1, of what the caller says? */
static bool part2_fits(const struct luna_ucmd *cmd, struct clone_part2 *p)
{
	const struct clone_target *target = &cmd->session->clone->target;
	const struct luna_blob *arg = cmd->arg;

	return part2_read(p, cmd->in, cmd->in_len) &&
	       !memcmp(p->target_nonce, target->nonce, LUNA_EXCHANGE_NONCE) &&
	       p->type == arg->type && p->flags == (arg->replicate ? CLONE_F_REPLICATE : 0);
}

static u32 install_attrs(struct luna_ucmd *cmd, const struct luna_tmpl *from, struct luna_attrw *w)
{
	struct luna_tmpl none = { .data = (const u8 *)"", .len = 0 };
	struct luna_blob *arg = cmd->arg;
	struct luna_object *obj;
	u32 at = 0, type, len, rv;
	const u8 *value;

	rv = luna_clone_object_allowed(cmd->session, from);
	if (rv)
		return rv;
	while (luna_tmpl_next(from, &at, &type, &value, &len))
		luna_attrw_set(w, type, value, len);
	rv = luna_ckr(w->err);
	if (!rv)
		rv = luna_object_make(cmd->session, LUNA_BY_CLONE, &none, w, &obj);
	if (rv)
		return rv;
	rv = luna_objects_publish(cmd->session, &obj, 1, &arg->handle);
	if (rv)
		luna_object_put(obj);
	return rv;
}

static u32 install_object(struct luna_ucmd *cmd, const u8 *data, u32 len)
{
	struct luna_attrw w;
	struct luna_tmpl tmpl;
	u32 rv;

	if (luna_tmpl_check(&tmpl, data, len))
		return CKR_DATA_INVALID;
	luna_attrw_init(&w);
	rv = install_attrs(cmd, &tmpl, &w);
	luna_attrw_free(&w);
	return rv;
}

static u32 install_mofn(struct luna_ucmd *cmd, const u8 *data, u32 len)
{
	struct luna_mofn_param param = { .cloneable = true };
	const u8 *secret;
	struct luna_rd rd;

	if (luna_session_role(cmd->session) != LUNA_ROLE_CO)
		return CKR_USER_NOT_AUTHORIZED;
	if (!cmd->session->rw)
		return CKR_SESSION_READ_ONLY;
	luna_rd_init(&rd, data, len);
	param.id = luna_rd_be32(&rd);
	param.m = luna_rd_be32(&rd);
	param.n = luna_rd_be32(&rd);
	param.crc = luna_rd_be32(&rd);
	secret = luna_rd_bytes(&rd, LUNA_MOFN_SECRET_LEN);
	if (!luna_rd_done(&rd) || !param.m || param.m > param.n || param.n > LUNA_MOFN_MAX ||
	    param.crc != luna_crc32(secret, LUNA_MOFN_SECRET_LEN))
		return CKR_DATA_INVALID;
	return luna_mofn_install(cmd->token, &param, secret);
}

/* Opens Part2 into @plain and creates what it holds. */
static u32 part2_open(struct luna_ucmd *cmd, struct clone_work *work, const struct clone_part2 *p,
		      u8 *plain)
{
	const struct clone_target *target = &cmd->session->clone->target;
	u32 len = p->sealed_len - LUNA_SEAL_OVERHEAD;
	int err;

	memcpy(work->part1, target->part1, sizeof(work->part1));
	err = luna_clone_part2_key(cmd->token, work, target->secret, p, cmd->in);
	if (!err)
		err = luna_unseal_with(cmd->token, work->key, LUNA_SEAL_CLONE, p->type, p->sealed,
				       p->sealed_len, plain);
	if (err)
		return luna_clone_ckr(err);
	if (p->type == CK_MOFN_ACTIVATION_ELEMENT)
		return install_mofn(cmd, plain, len);
	return install_object(cmd, plain, len);
}

static u32 clone_target(struct luna_ucmd *cmd, struct clone_work *work)
{
	struct clone_target *target = &cmd->session->clone->target;
	struct clone_part2 p;
	u8 *plain;
	u32 rv;

	if (!part2_fits(cmd, &p))
		return CKR_DATA_INVALID;
	plain = kvmalloc(p.sealed_len, GFP_KERNEL);
	if (!plain)
		return CKR_DEVICE_MEMORY;
	rv = part2_open(cmd, work, &p, plain);
	if (!rv)
		memzero_explicit(target, sizeof(*target));
	kvfree_sensitive(plain, p.sealed_len);
	return rv;
}

u32 luna_do_clone_target(struct luna_ucmd *cmd)
{
	const struct luna_clone_state *state = cmd->session->clone;
	struct luna_blob *arg = cmd->arg;
	struct clone_work *work;
	u32 rv;

	arg->handle = 0; /* the source's handle, which some callers pass on, means nothing here */
	rv = luna_clone_allowed(cmd);
	if (!rv)
		rv = luna_clone_type_check(arg->type);
	if (rv)
		return rv;
	if (!state || !state->target.active ||
	    state->target.epoch != luna_open_epoch(cmd->open))
		return CKR_OPERATION_NOT_INITIALIZED;
	if (arg->replicate != state->target.replicate)
		return CKR_ARGUMENTS_BAD;
	work = luna_clone_work(cmd->token, &rv);
	if (!work)
		return rv;
	rv = clone_target(cmd, work);
	luna_clone_work_free(work);
	return rv;
}
