// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Cloning between tokens of one domain: the four steps of CPv3. PROTOCOLS.md describes Part1 and
 * Part2.
 *
 * The two halves of a session's exchange are apart, so that one session can be both ends. A half
 * begins with its first step and ends with the step that succeeds; anything refused, a length query
 * and a short buffer leave it as it is. A certificate proves nothing: what proves that the other
 * side is in the domain is the MAC of Part1 and the key of Part2, which both need the domain key.
 */
#include "clone.h"
#include "cmd.h"
#include "mofn.h"
#include "session.h"

enum {
	POLICY_CLONE_PRIVATE = 0,
	POLICY_CLONE_SECRET = 4,
	HSM_POLICY_CLONING = 7,
	HSM_POLICY_REPLICATION = 16,
};

const char luna_clone_part1_label[] = "luna cpv3 part1 mac";

static const char part2_key_label[] = "luna cpv3 part2 key";

void luna_clone_end(struct luna_session *session)
{
	kfree_sensitive(session->clone);
	session->clone = NULL;
}

struct luna_clone_state *luna_clone_state(struct luna_session *session)
{
	if (!session->clone)
		session->clone = kzalloc(sizeof(*session->clone), GFP_KERNEL_ACCOUNT);
	return session->clone;
}

u32 luna_clone_ckr(int err)
{
	return err == -EBADMSG ? CKR_UNWRAPPING_ERROR : luna_ckr(err);
}

/* ---- who may ---- */

static u32 clone_role(const struct luna_session *session)
{
	int role = luna_session_role(session);

	if (role < 0)
		return CKR_USER_NOT_LOGGED_IN;
	/* The SO of a legacy token owns public objects; a partition SO owns nothing. */
	if (role == LUNA_ROLE_SO && luna_token_is_ppso(session->open->token))
		return CKR_USER_NOT_AUTHORIZED;
	return CKR_OK;
}

u32 luna_clone_allowed(struct luna_ucmd *cmd)
{
	const struct luna_blob *arg = cmd->arg;
	u32 rv;

	if (!luna_exchange_blob_ok(cmd) || arg->replicate > 1)
		return CKR_ARGUMENTS_BAD;
	rv = clone_role(cmd->session);
	if (rv)
		return rv;
	if (!luna_hsm_policy(cmd->token, HSM_POLICY_CLONING) ||
	    (arg->replicate && !luna_hsm_policy(cmd->token, HSM_POLICY_REPLICATION)))
		return CKR_OPERATION_NOT_ALLOWED;
	return CKR_OK;
}

u32 luna_clone_type_check(u32 type)
{
	return type == CK_CRYPTOKI_ELEMENT || type == CK_MOFN_ACTIVATION_ELEMENT ?
	       CKR_OK : CKR_OBJECT_TYPE_INVALID;
}

u32 luna_clone_object_allowed(const struct luna_session *session, const struct luna_tmpl *attrs)
{
	const struct luna_token *token = session->open->token;
	bool private = false;
	u64 class;

	if (!luna_tmpl_ulong(attrs, CKA_CLASS, &class))
		return CKR_DATA_INVALID;
	luna_tmpl_bool(attrs, CKA_PRIVATE, &private);
	if (private && luna_session_role(session) != LUNA_ROLE_CO)
		return CKR_USER_NOT_AUTHORIZED;
	if ((class == CKO_PRIVATE_KEY && !luna_policy(token, POLICY_CLONE_PRIVATE)) ||
	    (class == CKO_SECRET_KEY && !luna_policy(token, POLICY_CLONE_SECRET)))
		return CKR_OPERATION_NOT_ALLOWED;
	return CKR_OK;
}

u32 luna_clone_all_allowed(const struct luna_session *session)
{
	const struct luna_token *token = session->open->token;
	int role = luna_session_role(session);

	if (role != LUNA_ROLE_CO)
		return role < 0 ? CKR_USER_NOT_LOGGED_IN : CKR_USER_NOT_AUTHORIZED;
	if (luna_mofn_missing(token) || !luna_hsm_policy(token, HSM_POLICY_CLONING) ||
	    !luna_hsm_policy(token, HSM_POLICY_REPLICATION) ||
	    !luna_policy(token, POLICY_CLONE_PRIVATE) || !luna_policy(token, POLICY_CLONE_SECRET))
		return CKR_OPERATION_NOT_ALLOWED;
	return CKR_OK;
}

/* ---- work of a step ---- */

void luna_clone_work_free(struct clone_work *work)
{
	if (!work)
		return;
	luna_attrs_put(work->payload.attrs);
	kfree_sensitive(work->secrets);
	kfree(work->self);
	kfree_sensitive(work);
}

struct clone_work *luna_clone_work(struct luna_token *token, u32 *rv)
{
	struct clone_work *work = kzalloc(sizeof(*work), GFP_KERNEL);

	*rv = CKR_DEVICE_MEMORY;
	if (!work)
		return NULL;
	work->secrets = luna_exchange_secrets(token, rv);
	if (work->secrets && !work->secrets->has_domain)
		*rv = CKR_CLONING_PARAMETER_MISSING;
	if (*rv == CKR_OK) {
		work->self = luna_exchange_self(token);
		if (!IS_ERR(work->self))
			return work;
		*rv = luna_ckr(PTR_ERR(work->self));
		work->self = NULL;
	}
	luna_clone_work_free(work);
	return NULL;
}

struct luna_num luna_clone_domain(const struct clone_work *work)
{
	return (struct luna_num){ work->secrets->domain, sizeof(work->secrets->domain) };
}

int luna_clone_part2_key(struct luna_token *token, struct clone_work *work, const u8 *secret,
			 const struct clone_part2 *p, const u8 *head)
{
	struct luna_num ikm = { work->ikm, sizeof(work->ikm) };
	struct luna_num salt = { work->salt, sizeof(work->salt) };
	int err;

	memcpy(work->ikm, secret, CLONE_SECRET);
	memcpy(work->ikm + CLONE_SECRET, work->secrets->domain, LUNA_DOMAIN_LEN);
	memcpy(work->salt, p->source_nonce, LUNA_EXCHANGE_NONCE);
	memcpy(work->salt + LUNA_EXCHANGE_NONCE, p->target_nonce, LUNA_EXCHANGE_NONCE);
	memcpy(work->said, work->part1, LUNA_EXCHANGE_DIGEST);
	memcpy(work->said + LUNA_EXCHANGE_DIGEST, head, CLONE_PART2_HEAD);
	err = luna_hash_once(token->crypto, LUNA_SHA256, work->said, sizeof(work->said),
			     work->transcript);
	if (err)
		return err;
	return luna_exchange_derive(token, &ikm, &salt, part2_key_label, work->transcript,
				    work->key, sizeof(work->key));
}
