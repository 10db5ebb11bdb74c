// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * HA login, the primary: it answers challenges with its login key and its wrapping key, and
 * requests for the M of N secret. See ha.c for why a bad padding must not show.
 */
#include "cmd.h"
#include "ha.h"
#include "mofn.h"

static const char reject_label[] = "luna ha1 reject";

/* Messages taken apart; pointers into them. */
struct ha_challenge {
	const u8 *twc_digest, *w, *wrapped;
	u32 w_len, wrapped_len;
};

struct ha_mofn_request {
	const u8 *challenge, *twc_digest, *wrapped;
	u32 id, wrapped_len;
};

static bool challenge_read(struct ha_challenge *c, const u8 *data, u32 len)
{
	struct luna_rd rd;
	u8 flags;
	bool ok;

	luna_rd_init(&rd, data, len);
	ok = luna_exchange_head_get(&rd, HA_MAGIC, HA_CHALLENGE, &flags) && !flags;
	luna_rd_bytes(&rd, LUNA_SERIAL_LEN);
	c->twc_digest = luna_rd_bytes(&rd, LUNA_EXCHANGE_DIGEST);
	c->w_len = luna_rd_be16(&rd);
	c->w = luna_rd_bytes(&rd, c->w_len);
	c->wrapped_len = luna_rd_be16(&rd);
	c->wrapped = luna_rd_bytes(&rd, c->wrapped_len);
	luna_rd_bytes(&rd, LUNA_EXCHANGE_MAC);
	return ok && luna_rd_done(&rd);
}

/* work->fallback: what a bad padding of @cipher stands for. */
static int ha_fallback(struct luna_token *token, const struct luna_num *private, const u8 *cipher,
		       u32 len, struct ha_work *work)
{
	return luna_exchange_mac(token, private, reject_label, cipher, len, work->fallback);
}

/* E of a message for this token. -EBADMSG tells what everybody sees: the length, or cipher >= n. */
static int open_e(struct luna_token *token, struct ha_work *work, const u8 *cipher, u32 len)
{
	struct luna_num private = { work->secrets->twc_key, work->secrets->twc_key_len };
	int err;

	err = luna_exchange_decrypt(token, work->secrets, cipher, len, work->em);
	if (!err)
		err = ha_fallback(token, &private, cipher, len, work);
	if (!err)
		luna_pkcs1_unpad_fixed(work->em, len, work->fallback, work->e, HA_KEY);
	return err;
}

/* K of a setup that was made for this login key; -EBADMSG as above. */
static int open_k(struct luna_token *token, const struct ha_challenge *c, struct ha_work *work)
{
	struct luna_rsa_key *key;
	struct luna_num private;
	u32 bytes;
	int err;

	key = luna_object_rsa(token, work->login_key, &bytes);
	if (IS_ERR(key))
		return PTR_ERR(key);
	if (bytes != c->w_len)
		return -EBADMSG;
	private.data = luna_attrs_bytes(work->login_attrs, CKA_PRIVATE_EXPONENT, &private.len);
	if (!private.data)
		return -EIO;
	memcpy(work->em, c->w, bytes);
	err = luna_rsa_private(token, key, work->em, work->em, bytes);
	if (err == -EINVAL) {
		/* W is beyond this modulus, for another key: answered like a bad padding. */
		memset(work->em, 0, bytes);
		err = 0;
	}
	if (!err)
		err = ha_fallback(token, &private, c->w, bytes, work);
	if (!err)
		luna_pkcs1_unpad_fixed(work->em, bytes, work->fallback, work->k, HA_KEY);
	return err == -EINVAL ? -EBADMSG : err;
}

static u32 answer_role(const struct luna_ucmd *cmd)
{
	int role = luna_session_role(cmd->session);

	if (role < 0)
		return CKR_USER_NOT_LOGGED_IN;
	if (role == LUNA_ROLE_SO)
		return CKR_USER_NOT_AUTHORIZED;
	return luna_mofn_missing(cmd->token) ? CKR_OPERATION_NOT_ALLOWED : CKR_OK;
}

static u32 primary_does(struct luna_ucmd *cmd,
			u32 (*step)(struct luna_ucmd *cmd, struct ha_work *work))
{
	u32 rv;

	rv = luna_ha_allowed(cmd);
	if (!rv)
		rv = answer_role(cmd);
	return rv ? rv : luna_ha_with_work(cmd, step);
}

/* Prepares a primary's command: secrets and identity. */
static u32 primary_begin(struct luna_token *token, struct ha_work *work)
{
	u32 rv;

	work->secrets = luna_exchange_secrets(token, &rv);
	return rv ? rv : luna_ha_self(token, work);
}

static u32 data_ckr(int err)
{
	return err == -EBADMSG ? CKR_DATA_INVALID : luna_ckr(err);
}

/**
 * ha_answer() - the answer in work->reply
 * The MAC tells whether the challenge came as it was sent; one who made E knows that beforehand,
 * and one who did not cannot make any other E pass. Nothing is said about K.
 */
static int ha_answer(struct luna_ucmd *cmd, const struct ha_challenge *c, struct ha_work *work)
{
	struct luna_token *token = cmd->token;
	struct luna_num e = luna_ha_key(work->e);
	int err;

	err = open_e(token, work, c->wrapped, c->wrapped_len);
	if (!err)
		err = luna_exchange_mac_check(token, &e, luna_ha_challenge_label, cmd->in,
					      cmd->in_len);
	if (!err)
		err = open_k(token, c, work);
	if (!err)
		err = luna_hash_once(token->crypto, LUNA_SHA256, cmd->in, cmd->in_len,
				     work->digest);
	if (!err)
		err = luna_ha_ecb(token, work->e, true, work->k, work->k);
	if (!err)
		err = luna_ha_answer_make(token, HA_ANSWER, work->digest, work->k, &e,
					  luna_ha_answer_label, work->reply);
	return err;
}

static u32 ha_answer_with(struct luna_ucmd *cmd, struct ha_work *work)
{
	struct luna_blob *arg = cmd->arg;
	struct ha_challenge c;
	u8 *room;
	u32 rv;

	rv = luna_ha_login_key(cmd, false, work);
	if (!rv)
		rv = primary_begin(cmd->token, work);
	if (rv)
		return rv;
	if (!challenge_read(&c, cmd->in, cmd->in_len) ||
	    memcmp(c.twc_digest, work->self->twc_digest, LUNA_EXCHANGE_DIGEST))
		return CKR_DATA_INVALID;
	rv = luna_reply_sized(cmd, HA_ANSWER_LEN, arg->out_max, &arg->out_need, &room);
	if (rv || !room)
		return rv;
	rv = data_ckr(ha_answer(cmd, &c, work));
	if (!rv)
		memcpy(room, work->reply, HA_ANSWER_LEN);
	return rv;
}

u32 luna_do_ha_answer(struct luna_ucmd *cmd)
{
	return primary_does(cmd, ha_answer_with);
}

/* ---- M of N ---- */

static bool mofn_request_read(struct ha_mofn_request *r, const u8 *data, u32 len)
{
	struct luna_rd rd;
	u8 flags;
	bool ok;

	luna_rd_init(&rd, data, len);
	ok = luna_exchange_head_get(&rd, HA_MAGIC, HA_MOFN_REQUEST, &flags) && !flags;
	r->challenge = luna_rd_bytes(&rd, LUNA_EXCHANGE_DIGEST);
	r->twc_digest = luna_rd_bytes(&rd, LUNA_EXCHANGE_DIGEST);
	r->id = luna_rd_be32(&rd);
	r->wrapped_len = luna_rd_be16(&rd);
	r->wrapped = luna_rd_bytes(&rd, r->wrapped_len);
	luna_rd_bytes(&rd, LUNA_EXCHANGE_MAC);
	return ok && luna_rd_done(&rd);
}

/* Has this token the secret that is asked for? */
static u32 mofn_request_check(struct luna_ucmd *cmd, const struct ha_work *work,
			      struct ha_mofn_request *r)
{
	u32 id;

	if (!mofn_request_read(r, cmd->in, cmd->in_len) ||
	    memcmp(r->twc_digest, work->self->twc_digest, LUNA_EXCHANGE_DIGEST))
		return CKR_DATA_INVALID;
	down_read(&cmd->token->lock);
	id = cmd->token->state->mofn.id;
	up_read(&cmd->token->lock);
	if (!work->secrets->has_mofn)
		return CKR_OPERATION_NOT_ALLOWED;
	return r->id == id ? CKR_OK : CKR_DATA_INVALID;
}

static u32 mofn_answer(struct luna_ucmd *cmd, const struct ha_mofn_request *r, struct ha_work *work)
{
	struct luna_num e = luna_ha_key(work->e), ikm = { work->ikm, sizeof(work->ikm) };
	struct luna_token *token = cmd->token;
	int err;
	u32 rv;

	err = open_e(token, work, r->wrapped, r->wrapped_len);
	if (!err)
		err = luna_exchange_mac_check(token, &e, luna_ha_mofn_request_label, cmd->in,
					      cmd->in_len);
	rv = data_ckr(err);
	if (!rv)
		rv = luna_ha_mofn_ikm(work, work->e);
	if (rv)
		return rv;
	err = luna_ha_mofn_mask(token, work, r->challenge, work->secrets->mofn);
	if (!err)
		err = luna_ha_answer_make(token, HA_MOFN_ANSWER, r->challenge, work->mask, &ikm,
					  luna_ha_mofn_answer_label, work->reply);
	return luna_ckr(err);
}

static u32 ha_mofn_answer(struct luna_ucmd *cmd, struct ha_work *work)
{
	struct luna_blob *arg = cmd->arg;
	struct ha_mofn_request r;
	u8 *room;
	u32 rv;

	rv = primary_begin(cmd->token, work);
	if (!rv)
		rv = mofn_request_check(cmd, work, &r);
	if (rv)
		return rv;
	rv = luna_reply_sized(cmd, HA_MOFN_ANSWER_LEN, arg->out_max, &arg->out_need, &room);
	if (rv || !room)
		return rv;
	rv = mofn_answer(cmd, &r, work);
	if (!rv)
		memcpy(room, work->reply, HA_MOFN_ANSWER_LEN);
	return rv;
}

u32 luna_do_ha_mofn_answer(struct luna_ucmd *cmd)
{
	return primary_does(cmd, ha_mofn_answer);
}
