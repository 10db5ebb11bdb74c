// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* HA login: CA_HAInit, which sets a token up to be a secondary, and what a login key must be. */
#include "cmd.h"
#include "ha.h"

/**
 * struct key_rule - what an attribute of a login key must be ("Login Key Attributes")
 * @usage: checked also if the device is set to be lax
 */
struct key_rule {
	u32 type;
	bool value;
	bool usage;
};

static const struct key_rule private_rules[] = {
	{ CKA_TOKEN, true, false },
	{ CKA_PRIVATE, true, false },
	{ CKA_MODIFIABLE, false, false },
	{ CKA_LOCAL, true, false },
	{ CKA_SENSITIVE, true, false },
	{ CKA_EXTRACTABLE, false, false },
	{ CKA_DERIVE, false, true },
	{ CKA_DECRYPT, false, true },
	{ CKA_SIGN, false, true },
	{ CKA_SIGN_RECOVER, false, true },
	{ CKA_UNWRAP, false, true },
};

/* The specification's table is for the private key; of the public one it demands no usage alone. */
static const struct key_rule public_rules[] = {
	{ CKA_DERIVE, false, true },
	{ CKA_ENCRYPT, false, true },
	{ CKA_VERIFY, false, true },
	{ CKA_VERIFY_RECOVER, false, true },
	{ CKA_WRAP, false, true },
};

static u32 key_check(const struct luna_token *token, const struct luna_attrs *attrs, bool public_ok)
{
	bool lax = token->config.flags & LUNA_CONFIG_LAX_HA_KEYS;
	const struct key_rule *rules = private_rules;
	u32 i, count = ARRAY_SIZE(private_rules);
	u64 class = 0, type = 0;

	if (!luna_attrs_ulong(attrs, CKA_CLASS, &class) ||
	    !luna_attrs_ulong(attrs, CKA_KEY_TYPE, &type) || type != CKK_RSA)
		return CKR_KEY_INVALID_FOR_HA_LOGIN;
	if (class == CKO_PUBLIC_KEY && public_ok) {
		rules = public_rules;
		count = ARRAY_SIZE(public_rules);
	} else if (class != CKO_PRIVATE_KEY) {
		return CKR_KEY_INVALID_FOR_HA_LOGIN;
	}
	for (i = 0; i < count; i++)
		if ((!lax || rules[i].usage) &&
		    luna_attrs_bool(attrs, rules[i].type) != rules[i].value)
			return CKR_KEY_INVALID_FOR_HA_LOGIN;
	return CKR_OK;
}

u32 luna_ha_login_key(struct luna_ucmd *cmd, bool public_ok, struct ha_work *work)
{
	const struct luna_blob *arg = cmd->arg;
	struct luna_object *obj = luna_object_get(cmd->session, arg->handle);
	struct luna_attrs *attrs;

	if (IS_ERR_OR_NULL(obj))
		return luna_object_none(obj, CKR_KEY_HANDLE_INVALID);
	work->login_key = obj;
	attrs = luna_object_attrs(cmd->token, obj);
	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	work->login_attrs = attrs;
	return key_check(cmd->token, attrs, public_ok);
}

/* ---- setup ---- */

/* setup.role: the one that asks, for all of the command: another thread may log in as another. */
static u32 setup_role(const struct luna_session *session, struct luna_ha_setup *setup)
{
	int role = luna_session_role(session);

	if (role < 0)
		return CKR_USER_NOT_LOGGED_IN;
	if (role == LUNA_ROLE_SO ||
	    (role != LUNA_ROLE_CO && luna_token_is_ppso(session->open->token)))
		return CKR_USER_NOT_AUTHORIZED;
	setup->role = role;
	return session->rw ? CKR_OK : CKR_SESSION_READ_ONLY;
}

/* W: K under the login key. */
static int setup_wrap(struct luna_token *token, struct ha_work *work)
{
	struct luna_rsa_key *key;
	u32 bytes;
	int err;

	key = luna_object_rsa(token, work->login_key, &bytes);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = token->crypto->random(work->k, sizeof(work->k));
	if (!err)
		err = luna_pkcs1_pad_encrypt(token->crypto, work->k, sizeof(work->k), work->em,
					     bytes);
	if (!err)
		err = token->crypto->rsa_public(key, work->em, work->em);
	if (err)
		return err;
	memcpy(work->setup.w, work->em, bytes);
	work->setup.w_len = bytes;
	return 0;
}

/* The storage key under K, with the role that asks. */
static u32 setup_seal(struct luna_token *token, struct ha_work *work)
{
	bool unlocked;

	down_read(&token->lock);
	unlocked = token->unlocked;
	memcpy(work->sk, token->sk, sizeof(work->sk));
	work->context = luna_ha_context(token->state, work->setup.role);
	up_read(&token->lock);
	if (!unlocked)
		return CKR_USER_NOT_LOGGED_IN;
	return luna_ckr(luna_seal_with(token, work->k, LUNA_SEAL_HA, work->context, work->sk,
				       sizeof(work->sk), work->setup.sealed));
}

static u32 setup_store(struct luna_token *token, struct ha_work *work)
{
	struct luna_ha_setup *old;
	u32 rv;

	guard(rwsem_write)(&token->lock);
	old = kmemdup(&token->state->ha, sizeof(*old), GFP_KERNEL);
	if (!old)
		return CKR_DEVICE_MEMORY;
	token->state->ha = work->setup;
	rv = luna_state_save(token);
	if (rv)
		token->state->ha = *old;
	kfree(old);
	return rv;
}

static u32 ha_setup(struct luna_ucmd *cmd, struct ha_work *work)
{
	int err;
	u32 rv;

	rv = setup_role(cmd->session, &work->setup);
	if (!rv)
		rv = luna_ha_login_key(cmd, true, work);
	if (rv)
		return rv;
	work->setup.set = true;
	err = setup_wrap(cmd->token, work);
	/* A private key without its public exponent, or too small. */
	if (err == -EINVAL || err == -EOPNOTSUPP)
		return CKR_KEY_INVALID_FOR_HA_LOGIN;
	rv = luna_ckr(err);
	if (!rv)
		rv = setup_seal(cmd->token, work);
	if (!rv)
		rv = setup_store(cmd->token, work);
	return rv;
}

u32 luna_do_ha_init(struct luna_ucmd *cmd)
{
	const struct luna_blob *arg = cmd->arg;
	u32 rv;

	rv = luna_ha_allowed(cmd);
	if (!rv && arg->blob_len)
		rv = CKR_ARGUMENTS_BAD;
	return rv ? rv : luna_ha_with_work(cmd, ha_setup);
}

/* The certificate is public, and cloning clients fetch it here as well: no policy, no session. */
u32 luna_do_ha_master_public(struct luna_ucmd *cmd)
{
	const struct luna_blob *arg = cmd->arg;
	bool given;

	if (!luna_exchange_blob_ok(cmd) || arg->blob_len)
		return CKR_ARGUMENTS_BAD;
	return luna_exchange_reply_twc(cmd, &given);
}
