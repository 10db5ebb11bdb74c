// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * M of N: a secret of the token, shared among N vectors of which M bring it back. A token that was
 * initialised to require it (CA_SetMofN) keeps its keys out of reach until M vectors were presented
 * since it was loaded. Vectors are described in PROTOCOLS.md.
 *
 * Presenting needs a login, unlike on the product: the secret to compare with is sealed until then,
 * and the CRC of the public parameters alone is met after 2^32 tries.
 */
#include "cmd.h"
#include "mofn.h"
#include "shamir.h"
#include "wire.h"

enum {
	MOFN_MAGIC = 0x4c4d4e31,	/* "LMN1" */
	MOFN_VECTOR_BODY = 4 + 4 + 4 + LUNA_MOFN_SECRET_LEN,
	MOFN_VECTOR = MOFN_VECTOR_BODY + 4,
	MOFN_VECTOR_MAX = 512,		/* what a caller's buffer may have grown to */
};

/**
 * struct mofn_work - a secret being split or put together
 * @coefs: of the polynomials, but for the secret
 * @xs, @shares: @count shares given, in the order of presentation
 */
struct mofn_work {
	struct luna_mofn_param param;
	u8 secret[LUNA_MOFN_SECRET_LEN];
	u8 coefs[(LUNA_MOFN_MAX - 1) * LUNA_MOFN_SECRET_LEN];
	u32 count;
	u8 xs[LUNA_MOFN_MAX];
	const u8 *shares[LUNA_MOFN_MAX];
};

/* What luna_mofn_install() takes back if the store fails. */
struct mofn_backup {
	struct luna_mofn_param param;
	bool active;
	bool has_mofn;
	u8 mofn[LUNA_MOFN_SECRET_LEN];
	u32 secrets_len;
	u8 secrets[sizeof_field(struct luna_state, secrets)];
};

static void mofn_save(const struct luna_token *token, struct mofn_backup *old)
{
	old->param = token->state->mofn;
	old->active = token->mofn_active;
	old->has_mofn = token->secrets->has_mofn;
	memcpy(old->mofn, token->secrets->mofn, sizeof(old->mofn));
	old->secrets_len = token->state->secrets_len;
	memcpy(old->secrets, token->state->secrets, sizeof(old->secrets));
}

static void mofn_restore(struct luna_token *token, const struct mofn_backup *old)
{
	token->state->mofn = old->param;
	WRITE_ONCE(token->mofn_active, old->active);
	token->secrets->has_mofn = old->has_mofn;
	memcpy(token->secrets->mofn, old->mofn, sizeof(old->mofn));
	token->state->secrets_len = old->secrets_len;
	memcpy(token->state->secrets, old->secrets, sizeof(old->secrets));
}

static void mofn_set(struct luna_token *token, const struct luna_mofn_param *param,
		     const u8 *secret)
{
	bool required = token->state->mofn.required;

	token->state->mofn = *param;
	token->state->mofn.required = required;
	token->state->mofn.generated = true;
	token->secrets->has_mofn = true;
	memcpy(token->secrets->mofn, secret, LUNA_MOFN_SECRET_LEN);
	WRITE_ONCE(token->mofn_active, false);
}

u32 luna_mofn_install(struct luna_token *token, const struct luna_mofn_param *param,
		      const u8 secret[LUNA_MOFN_SECRET_LEN])
{
	struct mofn_backup *old = kmalloc(sizeof(*old), GFP_KERNEL);
	u32 rv = CKR_USER_NOT_LOGGED_IN;

	if (!old)
		return CKR_DEVICE_MEMORY;
	down_write(&token->lock);
	if (token->secrets) {
		mofn_save(token, old);
		mofn_set(token, param, secret);
		rv = luna_secrets_seal(token);
		if (!rv)
			rv = luna_state_save(token);
		if (rv)
			mofn_restore(token, old);
		else
			luna_token_changed(token);
	}
	up_write(&token->lock);
	kfree_sensitive(old);
	return rv;
}

u32 luna_mofn_present(struct luna_token *token, const u8 secret[LUNA_MOFN_SECRET_LEN])
{
	guard(rwsem_write)(&token->lock);
	if (!token->state->mofn.generated)
		return CKR_OPERATION_NOT_ALLOWED;
	if (!token->secrets || !token->secrets->has_mofn)
		return CKR_USER_NOT_LOGGED_IN;
	if (luna_crc32(secret, LUNA_MOFN_SECRET_LEN) != token->state->mofn.crc ||
	    crypto_memneq(secret, token->secrets->mofn, LUNA_MOFN_SECRET_LEN))
		return CKR_DATA_INVALID;
	WRITE_ONCE(token->mofn_active, true);
	return CKR_OK;
}

/* ---- vectors ---- */

static void vector_put(struct luna_wr *wr, const struct mofn_work *work, u8 x)
{
	u32 start = wr->at;
	u8 *share;

	luna_wr_be32(wr, MOFN_MAGIC);
	luna_wr_be32(wr, work->param.id);
	luna_wr_u8(wr, work->param.m);
	luna_wr_u8(wr, work->param.n);
	luna_wr_u8(wr, x);
	luna_wr_u8(wr, 0);
	share = wr->data + wr->at;
	luna_shamir_share(work->secret, work->coefs, LUNA_MOFN_SECRET_LEN, work->param.m, x, share);
	wr->at += LUNA_MOFN_SECRET_LEN;
	luna_wr_be32(wr, luna_crc32(wr->data + start, MOFN_VECTOR_BODY));
}

/* Takes a vector of this secret; false if it is damaged, foreign, or given before. */
static bool vector_take(struct mofn_work *work, const u8 *vector, u32 len)
{
	const u8 *share;
	struct luna_rd rd;
	bool ok;
	u8 x;

	luna_rd_init(&rd, vector, len);
	ok = luna_rd_be32(&rd) == MOFN_MAGIC;
	ok &= luna_rd_be32(&rd) == work->param.id;
	ok &= luna_rd_u8(&rd) == work->param.m;
	ok &= luna_rd_u8(&rd) == work->param.n;
	x = luna_rd_u8(&rd);
	ok &= x >= 1 && x <= work->param.n;
	ok &= luna_rd_u8(&rd) == 0;
	share = luna_rd_bytes(&rd, LUNA_MOFN_SECRET_LEN);
	if (!ok || luna_rd_left(&rd) != 4 ||
	    luna_rd_be32(&rd) != luna_crc32(vector, MOFN_VECTOR_BODY))
		return false;
	if (memchr(work->xs, x, work->count))
		return false;
	work->xs[work->count] = x;
	work->shares[work->count++] = share;
	return true;
}

/* The ABI's form of a vector: length, bytes, padding to 4. */
static u32 vectors_take(struct mofn_work *work, const u8 *in, u32 in_len, u32 count)
{
	const u8 *vector;
	struct luna_rd rd;
	u32 len;

	luna_rd_init(&rd, in, in_len);
	while (count--) {
		len = luna_rd_le32(&rd);
		if (len > MOFN_VECTOR_MAX)
			return CKR_DATA_INVALID;
		vector = luna_rd_bytes(&rd, len);
		luna_rd_bytes(&rd, -len & 3);
		if (rd.bad)
			return CKR_ARGUMENTS_BAD;
		if (!vector_take(work, vector, len))
			return CKR_DATA_INVALID;
	}
	return luna_rd_done(&rd) ? CKR_OK : CKR_ARGUMENTS_BAD;
}

/* ---- commands ---- */

static u32 generate_allowed(const struct luna_session *session)
{
	int role = luna_session_role(session);

	if (role < 0)
		return CKR_USER_NOT_LOGGED_IN;
	if (role == LUNA_ROLE_CU)
		return CKR_USER_NOT_AUTHORIZED;
	return session->rw ? CKR_OK : CKR_SESSION_READ_ONLY;
}

/* *@query: the caller wants to know the length alone. */
static u32 generate_check(const struct luna_ucmd *cmd, bool *query)
{
	const struct luna_mofn *arg = cmd->arg;
	struct luna_rd rd;
	bool small = false;
	u32 i, room;

	*query = false;
	if (!arg->n || arg->n > LUNA_MOFN_MAX || !arg->m || arg->m > arg->n ||
	    (arg->flags & ~LUNA_MOFN_CLONEABLE) || arg->secret_len || cmd->in_len != 8 * arg->n)
		return CKR_ARGUMENTS_BAD;
	luna_rd_init(&rd, cmd->in, cmd->in_len);
	for (i = 0; i < arg->n; i++) {
		if (luna_rd_le32(&rd) != 1)
			return CKR_ARGUMENTS_BAD;
		room = luna_rd_le32(&rd);
		if (room == LUNA_OUT_QUERY)
			*query = true;
		else if (room < MOFN_VECTOR)
			small = true;
	}
	return small && !*query ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

static int mofn_draw(struct luna_token *token, const struct luna_mofn *arg, struct mofn_work *work)
{
	u8 id[4];
	int err;

	work->param.m = arg->m;
	work->param.n = arg->n;
	work->param.cloneable = arg->flags & LUNA_MOFN_CLONEABLE;
	err = token->crypto->random(id, sizeof(id));
	if (!err)
		err = token->crypto->random(work->secret, sizeof(work->secret));
	if (!err && arg->m > 1)
		err = token->crypto->random(work->coefs, (arg->m - 1) * LUNA_MOFN_SECRET_LEN);
	work->param.id = max_t(u32, get_unaligned_be32(id), 1);
	work->param.crc = luna_crc32(work->secret, sizeof(work->secret));
	return err;
}

static u32 mofn_generate(struct luna_ucmd *cmd, struct mofn_work *work)
{
	const struct luna_mofn *arg = cmd->arg;
	struct luna_wr wr;
	u32 i, len;
	u8 *room;

	BUILD_BUG_ON(MOFN_VECTOR % 4);
	if (mofn_draw(cmd->token, arg, work))
		return CKR_DEVICE_ERROR;
	len = arg->n * (4 + MOFN_VECTOR);
	room = luna_reply_room(cmd, len);
	if (!room)
		return CKR_DEVICE_MEMORY;
	luna_wr_init(&wr, room, len);
	for (i = 1; i <= arg->n; i++) {
		luna_wr_le32(&wr, MOFN_VECTOR);
		vector_put(&wr, work, i);
	}
	return luna_mofn_install(cmd->token, &work->param, work->secret);
}

u32 luna_do_mofn_generate(struct luna_ucmd *cmd)
{
	struct luna_mofn *arg = cmd->arg;
	struct mofn_work *work;
	bool query;
	u32 rv;

	rv = generate_allowed(cmd->session);
	if (rv)
		return rv;
	rv = generate_check(cmd, &query);
	if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL)
		return rv;
	arg->secret_len = MOFN_VECTOR;
	if (rv || query)
		return rv;
	work = kzalloc(sizeof(*work), GFP_KERNEL);
	if (!work)
		return CKR_DEVICE_MEMORY;
	rv = mofn_generate(cmd, work);
	kfree_sensitive(work);
	return rv;
}

static u32 mofn_activate(struct luna_ucmd *cmd, struct mofn_work *work)
{
	const struct luna_mofn *arg = cmd->arg;
	u32 rv;

	down_read(&cmd->token->lock);
	work->param = cmd->token->state->mofn;
	up_read(&cmd->token->lock);
	if (!work->param.generated)
		return CKR_OPERATION_NOT_ALLOWED;
	rv = vectors_take(work, cmd->in, cmd->in_len, arg->n);
	if (rv)
		return rv;
	if (work->count < work->param.m)
		return CKR_DATA_LEN_RANGE;
	luna_shamir_combine(work->xs, work->shares, work->param.m, LUNA_MOFN_SECRET_LEN,
			    work->secret);
	return luna_mofn_present(cmd->token, work->secret);
}

u32 luna_do_mofn_activate(struct luna_ucmd *cmd)
{
	const struct luna_mofn *arg = cmd->arg;
	struct mofn_work *work;
	u32 rv;

	if (!arg->n || arg->n > LUNA_MOFN_MAX || arg->m || arg->flags || arg->secret_len)
		return CKR_ARGUMENTS_BAD;
	if (luna_session_role(cmd->session) < 0)
		return CKR_USER_NOT_LOGGED_IN;
	work = kzalloc(sizeof(*work), GFP_KERNEL);
	if (!work)
		return CKR_DEVICE_MEMORY;
	rv = mofn_activate(cmd, work);
	kfree_sensitive(work);
	return rv;
}

u32 luna_do_mofn_deactivate(struct luna_ucmd *cmd)
{
	struct luna_token *token = cmd->token;

	if (luna_session_role(cmd->session) < 0)
		return CKR_USER_NOT_LOGGED_IN;
	guard(rwsem_write)(&token->lock);
	if (!token->state->mofn.generated)
		return CKR_OPERATION_NOT_ALLOWED;
	WRITE_ONCE(token->mofn_active, false);
	luna_token_changed(token);
	return CKR_OK;
}

u32 luna_do_mofn_status(struct luna_ucmd *cmd)
{
	struct luna_mofn_status *arg = cmd->arg;
	const struct luna_mofn_param *param;

	if (arg->reserved)
		return CKR_ARGUMENTS_BAD;
	memset((u8 *)arg + sizeof(arg->hdr), 0, sizeof(*arg) - sizeof(arg->hdr));
	guard(rwsem_read)(&cmd->token->lock);
	param = &cmd->token->state->mofn;
	arg->flags = param->required ? CAF_M_OF_N_REQUIRED : 0;
	if (!param->generated)
		return CKR_OK;
	arg->id = param->id;
	arg->m = param->m;
	arg->n = param->n;
	arg->secret_size = LUNA_MOFN_SECRET_LEN;
	arg->flags |= CAF_M_OF_N_GENERATED;
	if (cmd->token->mofn_active)
		arg->flags |= CAF_M_OF_N_ACTIVATED;
	if (param->cloneable)
		arg->flags |= CAF_M_OF_N_CLONEABLE;
	return CKR_OK;
}
