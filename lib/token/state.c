// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * A token's state and its secrets as bytes (FORMAT.md, "State" and "Secrets"): written field by
 * field in one order, read back with every bound checked, never copied as a C struct.
 */
#include "log.h"
#include "policy.h"
#include "state.h"
#include "wire.h"

enum {
	STATE_VERSION = 1,
	SECRETS_VERSION = 1,
	SERIAL_DIGITS = 13,	/* as many as the product's */
};

/* Length as le32, then the bytes: the store's counterpart of luna_wr_blob(). */
static void put_bytes(struct luna_wr *wr, const u8 *data, u32 len)
{
	luna_wr_le32(wr, len);
	luna_wr_bytes(wr, data, len);
}

static void get_array(struct luna_rd *rd, u8 *to, u32 len)
{
	const u8 *p = luna_rd_bytes(rd, len);

	if (p)
		memcpy(to, p, len);
}

static void get_bytes(struct luna_rd *rd, u8 *to, u32 max, u32 *len)
{
	u32 n = luna_rd_le32(rd);

	if (n > max)
		rd->bad = true;
	*len = rd->bad ? 0 : n;
	get_array(rd, to, *len);
}

static bool get_bool(struct luna_rd *rd)
{
	u8 v = luna_rd_u8(rd);

	if (v > 1)
		rd->bad = true;
	return v;
}

/* A number of at most @max. */
static u32 get_max(struct luna_rd *rd, u32 max)
{
	u32 v = luna_rd_le32(rd);

	if (v > max)
		rd->bad = true;
	return rd->bad ? 0 : v;
}

static void put_role(struct luna_wr *wr, const struct luna_role *role)
{
	luna_wr_u8(wr, role->set);
	luna_wr_u8(wr, role->locked);
	luna_wr_u8(wr, role->pin_change);
	luna_wr_le32(wr, role->failed);
	luna_wr_le32(wr, role->iterations);
	luna_wr_bytes(wr, role->salt, sizeof(role->salt));
	luna_wr_bytes(wr, role->wrapped, sizeof(role->wrapped));
}

static void get_role(struct luna_rd *rd, struct luna_role *role)
{
	role->set = get_bool(rd);
	role->locked = get_bool(rd);
	role->pin_change = get_bool(rd);
	role->failed = luna_rd_le32(rd);
	role->iterations = luna_rd_le32(rd);
	get_array(rd, role->salt, sizeof(role->salt));
	get_array(rd, role->wrapped, sizeof(role->wrapped));
}

static void put_policies(struct luna_wr *wr, const u32 *values)
{
	u32 i;

	luna_wr_le32(wr, LUNA_POLICY_IDS);
	for (i = 0; i < LUNA_POLICY_IDS; i++)
		luna_wr_le32(wr, values[i]);
}

static void get_policies(struct luna_rd *rd, u32 *values)
{
	u32 i, count = get_max(rd, LUNA_POLICY_IDS);

	for (i = 0; i < count; i++)
		values[i] = luna_rd_le32(rd);
}

static void put_ha(struct luna_wr *wr, const struct luna_ha_setup *ha)
{
	luna_wr_u8(wr, ha->set);
	luna_wr_le32(wr, ha->role);
	put_bytes(wr, ha->w, ha->w_len);
	luna_wr_bytes(wr, ha->sealed, sizeof(ha->sealed));
}

static void get_ha(struct luna_rd *rd, struct luna_ha_setup *ha)
{
	ha->set = get_bool(rd);
	ha->role = get_max(rd, LUNA_ROLES - 1);
	get_bytes(rd, ha->w, sizeof(ha->w), &ha->w_len);
	get_array(rd, ha->sealed, sizeof(ha->sealed));
}

static void put_mofn(struct luna_wr *wr, const struct luna_mofn_param *mofn)
{
	luna_wr_u8(wr, mofn->required);
	luna_wr_u8(wr, mofn->generated);
	luna_wr_u8(wr, mofn->cloneable);
	luna_wr_le32(wr, mofn->id);
	luna_wr_le32(wr, mofn->m);
	luna_wr_le32(wr, mofn->n);
	luna_wr_le32(wr, mofn->crc);
}

static void get_mofn(struct luna_rd *rd, struct luna_mofn_param *mofn)
{
	mofn->required = get_bool(rd);
	mofn->generated = get_bool(rd);
	mofn->cloneable = get_bool(rd);
	mofn->id = luna_rd_le32(rd);
	mofn->m = get_max(rd, LUNA_MOFN_MAX);
	mofn->n = get_max(rd, LUNA_MOFN_MAX);
	mofn->crc = luna_rd_le32(rd);
}

static void put_state(struct luna_wr *wr, const struct luna_state *state)
{
	u32 i;

	luna_wr_le32(wr, STATE_VERSION);
	luna_wr_u8(wr, state->initialised);
	luna_wr_le32(wr, state->type);
	luna_wr_bytes(wr, state->label, sizeof(state->label));
	luna_wr_bytes(wr, state->serial, sizeof(state->serial));
	luna_wr_le64(wr, state->init_count);
	for (i = 0; i < LUNA_ROLES; i++)
		put_role(wr, &state->roles[i]);
	put_policies(wr, state->policies);
	put_policies(wr, state->hsm_policies);
	put_ha(wr, &state->ha);
	put_mofn(wr, &state->mofn);
	put_bytes(wr, state->twc, state->twc_len);
	put_bytes(wr, state->secrets, state->secrets_len);
}

static void get_state(struct luna_rd *rd, struct luna_state *state)
{
	u32 i;

	state->initialised = get_bool(rd);
	state->type = get_max(rd, LUNA_TOKEN_LEGACY);
	get_array(rd, state->label, sizeof(state->label));
	get_array(rd, state->serial, sizeof(state->serial));
	state->init_count = luna_rd_le64(rd);
	for (i = 0; i < LUNA_ROLES; i++)
		get_role(rd, &state->roles[i]);
	get_policies(rd, state->policies);
	get_policies(rd, state->hsm_policies);
	get_ha(rd, &state->ha);
	get_mofn(rd, &state->mofn);
	get_bytes(rd, state->twc, sizeof(state->twc), &state->twc_len);
	get_bytes(rd, state->secrets, sizeof(state->secrets), &state->secrets_len);
}

u8 *luna_state_pack(const struct luna_state *state, u32 *len)
{
	struct luna_wr wr;
	u8 *data;

	luna_wr_init(&wr, NULL, 0);
	put_state(&wr, state);
	*len = wr.at;
	data = kmalloc(*len, GFP_KERNEL);
	if (!data)
		return ERR_PTR(-ENOMEM);
	luna_wr_init(&wr, data, *len);
	put_state(&wr, state);
	return data;
}

int luna_state_parse(struct luna_state *state, const u8 *data, u32 len)
{
	struct luna_rd rd;
	u32 version;

	luna_rd_init(&rd, data, len);
	version = luna_rd_le32(&rd);
	if (rd.bad)
		return -EBADMSG;
	if (version != STATE_VERSION) {
		pr_err("the stored state has version %u, this is version %u\n", version,
		       STATE_VERSION);
		return -EUCLEAN;
	}
	get_state(&rd, state);
	if (luna_rd_done(&rd))
		return 0;
	luna_state_blank(state);
	return -EBADMSG;
}

/* Digits from random bytes: 250 is the largest multiple of 10 that a byte holds. */
int luna_state_draw_serial(const struct luna_crypto_ops *crypto, struct luna_state *state)
{
	u32 n = 0;
	u8 byte;
	int err;

	while (n < SERIAL_DIGITS) {
		err = crypto->random(&byte, sizeof(byte));
		if (err)
			return err;
		if (byte < 250 && (n || byte % 10))
			state->serial[n++] = '0' + byte % 10;
	}
	return 0;
}

void luna_state_blank(struct luna_state *state)
{
	memset(state, 0, sizeof(*state));
	memset(state->label, ' ', sizeof(state->label));
	memset(state->serial, ' ', sizeof(state->serial));
	luna_policy_defaults(state);
}

u32 luna_state_save(struct luna_token *token)
{
	u32 len;
	u8 *data = luna_state_pack(token->state, &len);
	int err;

	if (IS_ERR(data))
		return luna_ckr(PTR_ERR(data));
	err = luna_log_state(token, data, len);
	kfree(data);
	return luna_ckr(err);
}

static void put_secrets(struct luna_wr *wr, const struct luna_secrets *secrets)
{
	luna_wr_le32(wr, SECRETS_VERSION);
	luna_wr_u8(wr, secrets->has_domain);
	luna_wr_bytes(wr, secrets->domain, sizeof(secrets->domain));
	luna_wr_u8(wr, secrets->has_mofn);
	luna_wr_bytes(wr, secrets->mofn, sizeof(secrets->mofn));
	put_bytes(wr, secrets->twc_key, secrets->twc_key_len);
}

static int parse_secrets(struct luna_secrets *secrets, const u8 *data, u32 len)
{
	struct luna_rd rd;

	luna_rd_init(&rd, data, len);
	if (luna_rd_le32(&rd) != SECRETS_VERSION)
		return -EUCLEAN;
	secrets->has_domain = get_bool(&rd);
	get_array(&rd, secrets->domain, sizeof(secrets->domain));
	secrets->has_mofn = get_bool(&rd);
	get_array(&rd, secrets->mofn, sizeof(secrets->mofn));
	get_bytes(&rd, secrets->twc_key, sizeof(secrets->twc_key), &secrets->twc_key_len);
	return luna_rd_done(&rd) ? 0 : -EBADMSG;
}

static int unseal_secrets(struct luna_token *token, struct luna_secrets *secrets, u8 *plain)
{
	const struct luna_state *state = token->state;
	int err;

	err = luna_unseal(token, token->seal_key, LUNA_SEAL_SECRETS, state->init_count,
			  state->secrets, state->secrets_len, plain);
	if (err)
		return err;
	return parse_secrets(secrets, plain, state->secrets_len - LUNA_SEAL_OVERHEAD);
}

/**
 * luna_secrets_open() - open the secrets of @token->state with @token->seal_key token->lock is held
 * for writing, or the token is private. @token->secrets is replaced. Return: CKR_OK;
 * CKR_PIN_INCORRECT if the key does not open them; CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY.
 */
u32 luna_secrets_open(struct luna_token *token)
{
	struct luna_secrets *secrets = kzalloc(sizeof(*secrets), GFP_KERNEL);
	u8 *plain = kzalloc(sizeof(token->state->secrets), GFP_KERNEL);
	int err = -ENOMEM;

	if (secrets && plain)
		err = unseal_secrets(token, secrets, plain);
	kfree_sensitive(plain);
	if (err) {
		kfree_sensitive(secrets);
		return err == -EBADMSG ? CKR_PIN_INCORRECT : luna_ckr(err);
	}
	kfree_sensitive(token->secrets);
	token->secrets = secrets;
	return CKR_OK;
}

/**
 * luna_secrets_seal() - seal @token->secrets with @token->seal_key into @token->state
 * @token: its state is changed on success alone, and not yet saved
 *
 * token->lock is held for writing, or the token is private.
 * Return: CKR_OK, CKR_DEVICE_ERROR, CKR_DEVICE_MEMORY.
 */
u32 luna_secrets_seal(struct luna_token *token)
{
	struct luna_state *state = token->state;
	u32 room = sizeof(state->secrets) - LUNA_SEAL_OVERHEAD;
	u8 *plain = kzalloc(room, GFP_KERNEL);
	u8 *sealed = kzalloc(sizeof(state->secrets), GFP_KERNEL);
	struct luna_wr wr;
	int err = -ENOMEM;

	if (plain && sealed) {
		luna_wr_init(&wr, plain, room);
		put_secrets(&wr, token->secrets);
		err = wr.full ? -E2BIG :
		      luna_seal(token, token->seal_key, LUNA_SEAL_SECRETS, state->init_count, plain,
				wr.at, sealed);
	}
	if (!err) {
		state->secrets_len = wr.at + LUNA_SEAL_OVERHEAD;
		memcpy(state->secrets, sealed, state->secrets_len);
	}
	kfree_sensitive(plain);
	kfree_sensitive(sealed);
	return luna_ckr(err);
}
