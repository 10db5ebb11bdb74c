// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * HA indirect login, version 1: a secondary token gets its login back from a primary that holds the
 * login key. PROTOCOLS.md describes the messages.
 *
 * Two RSA decryptions with PKCS#1 v1.5 padding happen on the primary. Whoever could tell a bad
 * padding from a good one could decrypt anything with the key, so nobody can: a bad padding gives a
 * key that depends on the ciphertext and on the private key alone, and everything goes on with it.
 * That the same ciphertext always gives the same key matters: a random one would show itself by
 * changing.
 *
 * The secondary keeps its half in the session, from the challenge to the login, and on to the M of
 * N answer where one is needed. The primary keeps nothing.
 */
#include "cmd.h"
#include "ha.h"
#include "session.h"

enum { POLICY_HA_RECOVERY = 21 };

const char luna_ha_challenge_label[] = "luna ha1 challenge mac";
const char luna_ha_answer_label[] = "luna ha1 answer mac";
const char luna_ha_mofn_request_label[] = "luna ha1 mofn request mac";
const char luna_ha_mofn_answer_label[] = "luna ha1 mofn answer mac";

static const char mofn_mask_label[] = "luna ha1 mofn mask";

void luna_ha_end(struct luna_session *session)
{
	kfree_sensitive(session->ha);
	session->ha = NULL;
}

static void work_free(struct ha_work *work)
{
	luna_attrs_put(work->login_attrs);
	luna_object_put(work->login_key);
	kfree_sensitive(work->secrets);
	kfree(work->self);
	kfree_sensitive(work);
}

u32 luna_ha_with_work(struct luna_ucmd *cmd,
		      u32 (*step)(struct luna_ucmd *cmd, struct ha_work *work))
{
	struct ha_work *work = kzalloc(sizeof(*work), GFP_KERNEL);
	u32 rv;

	if (!work)
		return CKR_DEVICE_MEMORY;
	rv = step(cmd, work);
	work_free(work);
	return rv;
}

u32 luna_ha_self(struct luna_token *token, struct ha_work *work)
{
	struct luna_exchange_self *self = luna_exchange_self(token);

	if (IS_ERR(self))
		return luna_ckr(PTR_ERR(self));
	work->self = self;
	return CKR_OK;
}

u32 luna_ha_allowed(struct luna_ucmd *cmd)
{
	if (!luna_exchange_blob_ok(cmd))
		return CKR_ARGUMENTS_BAD;
	return luna_policy(cmd->token, POLICY_HA_RECOVERY) ? CKR_OK : CKR_OPERATION_NOT_ALLOWED;
}

u64 luna_ha_context(const struct luna_state *state, u32 role)
{
	return state->init_count << 8 | role;
}

int luna_ha_ecb(struct luna_token *token, const u8 *key, bool encrypt, const u8 *in, u8 *out)
{
	const struct luna_crypto_ops *c = token->crypto;
	struct luna_aes_key *aes = c->aes_key(key, HA_KEY);
	struct luna_cipher_stream *stream;
	int err;

	if (IS_ERR(aes))
		return PTR_ERR(aes);
	stream = c->cipher_begin(aes, LUNA_ECB, encrypt, NULL, 0);
	err = PTR_ERR_OR_ZERO(stream);
	if (!err) {
		err = c->cipher_update(stream, in, HA_KEY, out);
		c->cipher_end(stream);
	}
	c->aes_key_free(aes);
	return err;
}

int luna_ha_answer_make(struct luna_token *token, u8 message, const u8 *challenge, const u8 *body,
			const struct luna_num *ikm, const char *label, u8 *out)
{
	struct luna_wr wr;

	BUILD_BUG_ON(HA_MOFN_ANSWER_LEN != HA_ANSWER_LEN);
	luna_wr_init(&wr, out, HA_ANSWER_LEN);
	luna_exchange_head_put(&wr, HA_MAGIC, message, 0);
	luna_wr_bytes(&wr, challenge, LUNA_EXCHANGE_DIGEST);
	luna_wr_bytes(&wr, body, HA_KEY);
	return luna_exchange_mac(token, ikm, label, out, wr.at, out + wr.at);
}

const u8 *luna_ha_answer_open(struct luna_token *token, u8 message, const u8 *challenge,
			      const struct luna_num *ikm, const char *label, const u8 *data,
			      u32 len, int *err)
{
	const u8 *said, *body;
	struct luna_rd rd;
	u8 flags;
	bool ok;

	luna_rd_init(&rd, data, len);
	ok = luna_exchange_head_get(&rd, HA_MAGIC, message, &flags) && !flags;
	said = luna_rd_bytes(&rd, LUNA_EXCHANGE_DIGEST);
	body = luna_rd_bytes(&rd, HA_KEY);
	luna_rd_bytes(&rd, LUNA_EXCHANGE_MAC);
	*err = 0;
	if (!ok || !luna_rd_done(&rd) || memcmp(said, challenge, LUNA_EXCHANGE_DIGEST))
		return NULL;
	*err = luna_exchange_mac_check(token, ikm, label, data, len);
	return *err ? NULL : body;
}

/*
 * The secret is masked under E and the domain key: E alone comes from whoever made the challenge,
 * who need not be a token. Tokens that share an M of N secret are in one domain, or it could not
 * have been cloned.
 */
u32 luna_ha_mofn_ikm(struct ha_work *work, const u8 *e)
{
	if (!work->secrets->has_domain)
		return CKR_CLONING_PARAMETER_MISSING;
	memcpy(work->ikm, e, HA_KEY);
	memcpy(work->ikm + HA_KEY, work->secrets->domain, LUNA_DOMAIN_LEN);
	return CKR_OK;
}

int luna_ha_mofn_mask(struct luna_token *token, struct ha_work *work, const u8 *challenge,
		      const u8 *in)
{
	struct luna_num ikm = { work->ikm, sizeof(work->ikm) };
	int err;
	u32 i;

	err = luna_exchange_derive(token, &ikm, NULL, mofn_mask_label, challenge, work->mask,
				   sizeof(work->mask));
	for (i = 0; i < sizeof(work->mask); i++)
		work->mask[i] ^= in[i];
	return err;
}
