// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* HA login, the secondary: it challenges, logs in by the answer, and activates M of N. */
#include "cmd.h"
#include "ha.h"
#include "mofn.h"
#include "role.h"
#include "session.h"

enum ha_phase {
	HA_CHALLENGED,		/* waits for LUNA_HA_LOGIN */
	HA_LOGGED_IN,		/* waits for LUNA_HA_MOFN_ACTIVATE */
};

/**
 * struct luna_ha_state - the secondary's half of an exchange
 * @e: the session key, @wrapped: the same, encrypted to the primary's certificate
 * @challenge: digest of the challenge
 * @epoch: of the login, in HA_LOGGED_IN
 */
struct luna_ha_state {
	enum ha_phase phase;
	u32 epoch;
	u8 e[HA_KEY];
	u8 challenge[LUNA_EXCHANGE_DIGEST];
	u8 twc_digest[LUNA_EXCHANGE_DIGEST];
	u32 wrapped_len;
	u8 wrapped[LUNA_RSA_MAX];
};

/* ---- challenge ---- */

/**
 * setup_get() - the setup, if an exchange may restore it
 * CKR_USER_PIN_NOT_INITIALIZED stands for the firmware's HA_USER_NOT_INITIALIZED, which has no
 * number among the library's codes.
 */
static u32 setup_get(struct luna_token *token, struct ha_work *work)
{
	const struct luna_state *state;
	const struct luna_role *role;

	guard(rwsem_read)(&token->lock);
	state = token->state;
	if (!state->ha.set || state->ha.role >= LUNA_ROLES || state->ha.w_len > LUNA_RSA_MAX)
		return CKR_USER_PIN_NOT_INITIALIZED;
	role = &state->roles[array_index_nospec(state->ha.role, LUNA_ROLES)];
	if (!role->set)
		return CKR_USER_PIN_NOT_INITIALIZED;
	if (luna_role_closed(token, state->ha.role))
		return CKR_USER_LOCKED_OUT;
	work->setup = state->ha;
	work->context = luna_ha_context(state, state->ha.role);
	return CKR_OK;
}

/* The exchange restores the role that ran the setup, a user; nobody can set up the SO. */
static u32 challenge_role(const struct luna_blob *arg)
{
	if (arg->role == CKU_SO)
		return CKR_USER_PIN_NOT_INITIALIZED;
	return arg->role == CKU_USER ? CKR_OK : CKR_USER_TYPE_INVALID;
}

static int challenge_draw(struct luna_token *token, struct luna_exchange_peer *peer,
			  struct luna_ha_state *next)
{
	int err;

	err = token->crypto->random(next->e, sizeof(next->e));
	if (!err)
		err = luna_pkcs1_pad_encrypt(token->crypto, next->e, sizeof(next->e), peer->em,
					     peer->bytes);
	if (!err)
		err = luna_exchange_encrypt(token, peer);
	if (err)
		return err;
	memcpy(next->wrapped, peer->em, peer->bytes);
	next->wrapped_len = peer->bytes;
	memcpy(next->twc_digest, peer->twc_digest, sizeof(next->twc_digest));
	return 0;
}

static int challenge_make(struct luna_token *token, const struct ha_work *work,
			  struct luna_ha_state *next, u8 *out, u32 len)
{
	struct luna_num e = luna_ha_key(next->e);
	struct luna_wr wr;
	int err;

	luna_wr_init(&wr, out, len);
	luna_exchange_head_put(&wr, HA_MAGIC, HA_CHALLENGE, 0);
	luna_wr_bytes(&wr, work->self->serial, LUNA_SERIAL_LEN);
	luna_wr_bytes(&wr, next->twc_digest, LUNA_EXCHANGE_DIGEST);
	luna_wr_be16(&wr, work->setup.w_len);
	luna_wr_bytes(&wr, work->setup.w, work->setup.w_len);
	luna_wr_be16(&wr, next->wrapped_len);
	luna_wr_bytes(&wr, next->wrapped, next->wrapped_len);
	err = luna_exchange_mac(token, &e, luna_ha_challenge_label, out, wr.at, out + wr.at);
	if (!err)
		err = luna_hash_once(token->crypto, LUNA_SHA256, out, len, next->challenge);
	return err;
}

static u32 ha_challenge(struct luna_ucmd *cmd, struct ha_work *work,
			struct luna_exchange_peer *peer)
{
	u32 len = HA_CHALLENGE_FIXED + work->setup.w_len + peer->bytes, rv;
	struct luna_blob *arg = cmd->arg;
	struct luna_ha_state *next;
	u8 *room;
	int err;

	rv = luna_reply_sized(cmd, len, arg->out_max, &arg->out_need, &room);
	if (rv || !room)
		return rv;
	next = kzalloc(sizeof(*next), GFP_KERNEL_ACCOUNT);
	if (!next)
		return CKR_DEVICE_MEMORY;
	next->phase = HA_CHALLENGED;
	err = challenge_draw(cmd->token, peer, next);
	if (!err)
		err = challenge_make(cmd->token, work, next, room, len);
	if (err) {
		kfree_sensitive(next);
		return luna_ckr(err);
	}
	luna_ha_end(cmd->session);
	cmd->session->ha = next;
	return CKR_OK;
}

static u32 ha_challenge_peer(struct luna_ucmd *cmd, struct ha_work *work)
{
	struct luna_exchange_peer *peer;
	u32 rv;

	rv = setup_get(cmd->token, work);
	if (!rv)
		rv = luna_ha_self(cmd->token, work);
	if (rv)
		return rv;
	peer = luna_exchange_peer(cmd->token, cmd->in, cmd->in_len, &rv);
	if (peer)
		rv = ha_challenge(cmd, work, peer);
	luna_exchange_peer_free(cmd->token, peer);
	return rv;
}

u32 luna_do_ha_challenge(struct luna_ucmd *cmd)
{
	u32 rv;

	rv = luna_ha_allowed(cmd);
	if (rv)
		return rv;
	if (luna_session_role(cmd->session) >= 0)
		return CKR_USER_ALREADY_LOGGED_IN;
	rv = challenge_role(cmd->arg);
	return rv ? rv : luna_ha_with_work(cmd, ha_challenge_peer);
}

/* ---- login ---- */

/* Length of the M of N request that this login would return; 0: none is needed. */
static u32 mofn_request_len(struct luna_token *token, const struct luna_ha_state *ha, u32 *id)
{
	guard(rwsem_read)(&token->lock);
	*id = token->state->mofn.id;
	if (!token->state->mofn.generated || !luna_mofn_missing(token))
		return 0;
	return HA_MOFN_REQUEST_FIXED + ha->wrapped_len;
}

static int mofn_request_make(struct luna_token *token, const struct luna_ha_state *ha, u32 id,
			     u8 *out, u32 len)
{
	struct luna_num e = luna_ha_key(ha->e);
	struct luna_wr wr;

	luna_wr_init(&wr, out, len);
	luna_exchange_head_put(&wr, HA_MAGIC, HA_MOFN_REQUEST, 0);
	luna_wr_bytes(&wr, ha->challenge, sizeof(ha->challenge));
	luna_wr_bytes(&wr, ha->twc_digest, sizeof(ha->twc_digest));
	luna_wr_be32(&wr, id);
	luna_wr_be16(&wr, ha->wrapped_len);
	luna_wr_bytes(&wr, ha->wrapped, ha->wrapped_len);
	return luna_exchange_mac(token, &e, luna_ha_mofn_request_label, out, wr.at, out + wr.at);
}

/* K of the answer, in work->k. CKR_ENCRYPTED_DATA_INVALID: not an answer to our challenge. */
static u32 login_open(struct luna_ucmd *cmd, struct ha_work *work)
{
	const struct luna_ha_state *ha = cmd->session->ha;
	struct luna_num e = luna_ha_key(ha->e);
	const u8 *body;
	int err;

	body = luna_ha_answer_open(cmd->token, HA_ANSWER, ha->challenge, &e, luna_ha_answer_label,
				   cmd->in, cmd->in_len, &err);
	if (!body)
		return !err || err == -EBADMSG ? CKR_ENCRYPTED_DATA_INVALID : luna_ckr(err);
	memcpy(work->k, body, HA_KEY);
	return luna_ckr(luna_ha_ecb(cmd->token, ha->e, false, work->k, work->k));
}

/* CKR_PIN_INCORRECT: K is not the setup's, so the primary used another key than it was made for. */
static u32 login_restore(struct luna_ucmd *cmd, struct ha_work *work)
{
	int err;

	err = luna_unseal_with(cmd->token, work->k, LUNA_SEAL_HA, work->context,
			       work->setup.sealed, sizeof(work->setup.sealed), work->sk);
	if (err)
		return err == -EBADMSG ? CKR_PIN_INCORRECT : luna_ckr(err);
	return luna_login_with_sk(cmd->open, work->setup.role, work->sk);
}

/* No M of N: the exchange is over. Else it waits for the masked secret, in this login. */
static void login_done(struct luna_session *session, bool mofn)
{
	struct luna_ha_state *ha = session->ha;

	if (!mofn) {
		luna_ha_end(session);
		return;
	}
	ha->phase = HA_LOGGED_IN;
	ha->epoch = luna_open_epoch(session->open);
}

static u32 ha_login(struct luna_ucmd *cmd, struct ha_work *work)
{
	struct luna_ha_state *ha = cmd->session->ha;
	struct luna_blob *arg = cmd->arg;
	u32 rv, len, id;
	u8 *room;

	rv = setup_get(cmd->token, work);
	if (!rv)
		rv = login_open(cmd, work);
	if (rv)
		return rv;
	len = mofn_request_len(cmd->token, ha, &id);
	arg->out_need = 0;
	if (len) {
		rv = luna_reply_sized(cmd, len, arg->out_max, &arg->out_need, &room);
		if (rv || !room)
			return rv;
		rv = luna_ckr(mofn_request_make(cmd->token, ha, id, room, len));
		if (rv)
			return rv;
	}
	rv = login_restore(cmd, work);
	if (!rv)
		login_done(cmd->session, len);
	return rv;
}

/*
 * A length query logs in if the M of N blob is empty: clients call once, with no buffer for it. If
 * there is one, the query is one.
 */
u32 luna_do_ha_login(struct luna_ucmd *cmd)
{
	const struct luna_ha_state *ha = cmd->session->ha;
	u32 rv;

	rv = luna_ha_allowed(cmd);
	if (rv)
		return rv;
	if (!ha || ha->phase != HA_CHALLENGED)
		return CKR_OPERATION_NOT_INITIALIZED;
	if (luna_session_role(cmd->session) >= 0)
		return CKR_USER_ALREADY_LOGGED_IN;
	return luna_ha_with_work(cmd, ha_login);
}

/* ---- M of N ---- */

/* CKR_UNWRAPPING_ERROR: altered, or the primary is in another domain. */
static u32 ha_mofn_activate(struct luna_ucmd *cmd, struct ha_work *work)
{
	const struct luna_ha_state *ha = cmd->session->ha;
	struct luna_num ikm = { work->ikm, sizeof(work->ikm) };
	const u8 *body;
	int err;
	u32 rv;

	work->secrets = luna_exchange_secrets(cmd->token, &rv);
	if (!rv)
		rv = luna_ha_mofn_ikm(work, ha->e);
	if (rv)
		return rv;
	body = luna_ha_answer_open(cmd->token, HA_MOFN_ANSWER, ha->challenge, &ikm,
				   luna_ha_mofn_answer_label, cmd->in, cmd->in_len, &err);
	if (!body && !err)
		return CKR_DATA_INVALID;
	if (!err)
		err = luna_ha_mofn_mask(cmd->token, work, ha->challenge, body);
	if (err)
		return err == -EBADMSG ? CKR_UNWRAPPING_ERROR : luna_ckr(err);
	rv = luna_mofn_present(cmd->token, work->mask);
	if (!rv)
		luna_ha_end(cmd->session);
	return rv;
}

u32 luna_do_ha_mofn_activate(struct luna_ucmd *cmd)
{
	const struct luna_ha_state *ha = cmd->session->ha;
	u32 rv;

	rv = luna_ha_allowed(cmd);
	if (rv)
		return rv;
	if (!ha || ha->phase != HA_LOGGED_IN ||
	    ha->epoch != luna_open_epoch(cmd->open))
		return CKR_OPERATION_NOT_INITIALIZED;
	return luna_ha_with_work(cmd, ha_mofn_activate);
}
