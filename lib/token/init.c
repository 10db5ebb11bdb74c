// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Initialisation: C_InitToken (PKCS#11 v2.40, 5.5) and the cloning domain (CA_SetCloningDomain,
 * CA_SetKCV). A new state is built beside the old one, made durable in one step, and swapped in.
 */
#include "cmd.h"
#include "key.h"
#include "log.h"
#include "object.h"
#include "policy.h"
#include "role.h"
#include "token_init.h"

static const u8 domain_salt[] = "luna software token: cloning domain, version 1";

int luna_domain_stretch(const struct luna_crypto_ops *crypto, const u8 *domain, u32 len,
			u8 key[LUNA_DOMAIN_LEN])
{
	return luna_pbkdf2(crypto, LUNA_SHA256, domain, len, domain_salt, sizeof(domain_salt) - 1,
			   LUNA_DOMAIN_ITERATIONS, key, LUNA_DOMAIN_LEN);
}

/* A token that exists only to build the next state in; it is never seen by anyone else. */
static struct luna_token *scratch_new(const struct luna_token *token)
{
	struct luna_token *scratch = kzalloc(sizeof(*scratch), GFP_KERNEL);

	if (!scratch)
		return NULL;
	init_rwsem(&scratch->lock);
	mutex_init(&scratch->auth);
	scratch->config = token->config;
	scratch->crypto = token->crypto;
	scratch->state = kmemdup(token->state, sizeof(*token->state), GFP_KERNEL);
	scratch->secrets = kzalloc(sizeof(*scratch->secrets), GFP_KERNEL);
	if (scratch->state && scratch->secrets)
		return scratch;
	kfree_sensitive(scratch->state);
	kfree_sensitive(scratch->secrets);
	kfree(scratch);
	return NULL;
}

static void scratch_free(struct luna_token *scratch)
{
	scratch->crypto->aes_key_free(scratch->seal_key);
	kfree_sensitive(scratch->state);
	kfree_sensitive(scratch->secrets);
	mutex_destroy(&scratch->auth);
	kfree_sensitive(scratch);
}

static void state_clear(struct luna_state *state, const struct luna_init_token *arg)
{
	u32 hsm[LUNA_POLICY_IDS];

	memcpy(hsm, state->hsm_policies, sizeof(hsm));
	luna_policy_defaults(state);
	if (state->initialised)
		memcpy(state->hsm_policies, hsm, sizeof(hsm));
	memset(state->roles, 0, sizeof(state->roles));
	memset(&state->ha, 0, sizeof(state->ha));
	memset(&state->mofn, 0, sizeof(state->mofn));
	state->initialised = true;
	state->init_count++;
	state->type = arg->type;
	state->mofn.required = arg->flags & LUNA_INIT_MOFN;
	memcpy(state->label, arg->label, sizeof(state->label));
}

static u32 scratch_policies(struct luna_state *state, const struct luna_init_token *arg,
			    const u8 *pairs)
{
	u32 rv;

	rv = luna_policy_init(state, LUNA_SCOPE_HSM, pairs, arg->hsm_policies);
	if (rv)
		return rv;
	return luna_policy_init(state, LUNA_SCOPE_PARTITION, pairs + 8 * arg->hsm_policies,
				arg->policies);
}

/* New storage key, SO, domain, wrapping key. */
static u32 scratch_fill(struct luna_token *scratch, const struct luna_init_token *arg,
			const u8 *pin)
{
	const struct luna_crypto_ops *crypto = scratch->crypto;
	struct luna_secrets *secrets = scratch->secrets;
	const u8 *domain = pin + arg->pin_len;
	struct luna_aes_key *key;
	int ret;
	u32 rv;

	state_clear(scratch->state, arg);
	rv = scratch_policies(scratch->state, arg, domain + arg->domain_len);
	if (rv)
		return rv;
	ret = crypto->random(scratch->sk, sizeof(scratch->sk));
	if (ret)
		return luna_ckr(ret);
	key = crypto->aes_key(scratch->sk, sizeof(scratch->sk));
	if (IS_ERR(key))
		return luna_ckr(PTR_ERR(key));
	scratch->seal_key = key;
	if (arg->domain_len) {
		ret = luna_domain_stretch(crypto, domain, arg->domain_len, secrets->domain);
		if (ret)
			return luna_ckr(ret);
		secrets->has_domain = true;
	}
	ret = luna_role_set_pin(scratch, scratch->state, LUNA_ROLE_SO, scratch->sk, pin,
				arg->pin_len);
	if (!ret)
		ret = luna_twc_make(scratch, scratch->state, secrets);
	if (ret)
		return luna_ckr(ret);
	guard(rwsem_write)(&scratch->lock);
	return luna_secrets_seal(scratch);
}

/* Makes the scratch state the token's, unless a session came meanwhile. */
static u32 init_swap(struct luna_token *token, struct luna_token *scratch)
{
	int ret;

	guard(rwsem_write)(&token->lock);
	if (atomic_read(&token->sessions))
		return CKR_SESSION_EXISTS;
	ret = luna_log_restart(token, scratch->state);
	if (ret)
		return luna_ckr(ret);
	luna_token_end_logins(token);	/* what was kept open without a session */
	luna_objects_drop_all(token);
	/* Not swapped: policies are read without the lock. */
	memcpy(token->state, scratch->state, sizeof(*token->state));
	luna_token_changed(token);
	return CKR_OK;
}

/* An initialised token is initialised again only by its SO. */
u32 luna_init_authorise(struct luna_token *token, const u8 *pin, u32 pin_len)
{
	u8 sk[LUNA_SK_LEN];
	u32 rv;

	if (!token->state->initialised)
		return CKR_OK;
	if (pin_len < LUNA_PIN_MIN)	/* none at all: not worth an attempt */
		return CKR_PIN_LEN_RANGE;
	rv = luna_role_check_pin(token, token->state, LUNA_ROLE_SO, pin, pin_len, sk);
	memzero_explicit(sk, sizeof(sk));
	return rv;
}

static u32 init_args(const struct luna_ucmd *cmd, const struct luna_init_token *arg)
{
	u64 sum = (u64)arg->pin_len + arg->domain_len;

	if (arg->hsm_policies > LUNA_POLICY_IDS || arg->policies > LUNA_POLICY_IDS)
		return CKR_ARGUMENTS_BAD;
	if (sum + 8 * (arg->hsm_policies + arg->policies) != cmd->in_len)
		return CKR_ARGUMENTS_BAD;
	if (arg->type > LUNA_TOKEN_LEGACY || (arg->flags & ~LUNA_INIT_MOFN))
		return CKR_ARGUMENTS_BAD;
	if (arg->pin_len < LUNA_PIN_MIN || arg->pin_len > LUNA_PIN_MAX)
		return CKR_PIN_LEN_RANGE;
	if (atomic_read(&cmd->token->sessions))
		return CKR_SESSION_EXISTS;
	return CKR_OK;
}

u32 luna_do_init_token(struct luna_ucmd *cmd)
{
	const struct luna_init_token *arg = cmd->arg;
	struct luna_token *scratch;
	u32 rv;

	rv = init_args(cmd, arg);
	if (rv)
		return rv;
	guard(mutex)(&cmd->token->auth);
	rv = luna_init_authorise(cmd->token, cmd->in, arg->pin_len);
	if (rv)
		return rv;
	scratch = scratch_new(cmd->token);
	if (!scratch)
		return CKR_DEVICE_MEMORY;
	rv = scratch_fill(scratch, arg, cmd->in);
	if (!rv)
		rv = init_swap(cmd->token, scratch);
	scratch_free(scratch);
	return rv;
}

u32 luna_do_set_domain(struct luna_ucmd *cmd)
{
	struct luna_token *token = cmd->token;
	u8 key[LUNA_DOMAIN_LEN];
	u32 rv;

	if (!cmd->in_len)
		return CKR_ARGUMENTS_BAD;
	if (luna_session_role(cmd->session) != LUNA_ROLE_SO)
		return luna_session_role(cmd->session) < 0 ? CKR_USER_NOT_LOGGED_IN :
							     CKR_USER_NOT_AUTHORIZED;
	rv = luna_ckr(luna_domain_stretch(token->crypto, cmd->in, cmd->in_len, key));
	if (rv)
		return rv;
	guard(mutex)(&token->auth);
	guard(rwsem_write)(&token->lock);
	if (!token->secrets)
		rv = CKR_USER_NOT_LOGGED_IN;
	else if (token->secrets->has_domain)
		rv = CKR_CLONING_PARAMETER_ALREADY_EXISTS;
	if (!rv) {
		memcpy(token->secrets->domain, key, sizeof(key));
		token->secrets->has_domain = true;
		rv = luna_secrets_seal(token);
		if (!rv)
			rv = luna_state_save(token);
		if (rv) {
			token->secrets->has_domain = false;
			memzero_explicit(token->secrets->domain, sizeof(token->secrets->domain));
			luna_secrets_seal(token);
		}
	}
	memzero_explicit(key, sizeof(key));
	return rv;
}
