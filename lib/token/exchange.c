// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What cloning and HA login share; see exchange.h. Secrets and state are copied out under
 * token->lock, so that no RSA runs under it.
 */
#include "exchange.h"

enum {
	EXCHANGE_VERSION = 1,
	EXCHANGE_LABEL_MAX = 64,
	EXCHANGE_INFO_MAX = EXCHANGE_LABEL_MAX + LUNA_EXCHANGE_DIGEST,
};

bool luna_exchange_blob_ok(const struct luna_ucmd *cmd)
{
	const struct luna_blob *arg = cmd->arg;

	return arg->blob_len == cmd->in_len && !arg->reserved;
}

void luna_exchange_head_put(struct luna_wr *wr, u32 magic, u8 message, u8 flags)
{
	luna_wr_be32(wr, magic);
	luna_wr_u8(wr, EXCHANGE_VERSION);
	luna_wr_u8(wr, message);
	luna_wr_u8(wr, flags);
	luna_wr_u8(wr, 0);
}

bool luna_exchange_head_get(struct luna_rd *rd, u32 magic, u8 message, u8 *flags)
{
	bool ok = luna_rd_be32(rd) == magic;

	ok &= luna_rd_u8(rd) == EXCHANGE_VERSION;
	ok &= luna_rd_u8(rd) == message;
	*flags = luna_rd_u8(rd);
	ok &= luna_rd_u8(rd) == 0;
	return ok && !rd->bad;
}

struct luna_exchange_self *luna_exchange_self(struct luna_token *token)
{
	struct luna_exchange_self *self = kzalloc(sizeof(*self), GFP_KERNEL);
	int err;

	if (!self)
		return ERR_PTR(-ENOMEM);
	down_read(&token->lock);
	memcpy(self->serial, token->state->serial, sizeof(self->serial));
	self->twc_len = min_t(u32, token->state->twc_len, sizeof(self->twc));
	memcpy(self->twc, token->state->twc, self->twc_len);
	up_read(&token->lock);
	err = luna_hash_once(token->crypto, LUNA_SHA256, self->twc, self->twc_len,
			     self->twc_digest);
	if (!err)
		return self;
	kfree(self);
	return ERR_PTR(err);
}

u32 luna_exchange_reply_twc(struct luna_ucmd *cmd, bool *given)
{
	struct luna_exchange_self *self = luna_exchange_self(cmd->token);
	struct luna_blob *arg = cmd->arg;
	u8 *room = NULL;
	u32 rv;

	*given = false;
	if (IS_ERR(self))
		return luna_ckr(PTR_ERR(self));
	if (!self->twc_len)
		rv = CKR_TOKEN_NOT_RECOGNIZED;
	else
		rv = luna_reply_sized(cmd, self->twc_len, arg->out_max, &arg->out_need, &room);
	if (!rv && room) {
		memcpy(room, self->twc, self->twc_len);
		*given = true;
	}
	kfree(self);
	return rv;
}

struct luna_secrets *luna_exchange_secrets(struct luna_token *token, u32 *rv)
{
	struct luna_secrets *secrets = kmalloc(sizeof(*secrets), GFP_KERNEL);

	if (!secrets) {
		*rv = CKR_DEVICE_MEMORY;
		return NULL;
	}
	down_read(&token->lock);
	*rv = token->secrets ? CKR_OK : CKR_USER_NOT_LOGGED_IN;
	if (token->secrets)
		*secrets = *token->secrets;
	up_read(&token->lock);
	if (*rv == CKR_OK)
		return secrets;
	kfree(secrets);
	return NULL;
}

/* The certificate's key, if it is one. A key shorter than a token's own would be a weak link. */
static int peer_parse(struct luna_token *token, const u8 *twc, u32 len, struct luna_rsa_nums *nums)
{
	u8 serial[LUNA_SERIAL_LEN];
	int err;

	if (!len || len > LUNA_TWC_MAX)
		return -EBADMSG;
	memset(nums, 0, sizeof(*nums));
	err = luna_twc_parse(token, twc, len, &nums->n, &nums->e, serial);
	if (!err && (nums->n.len < LUNA_TWC_BITS / 8 || nums->n.len > LUNA_RSA_MAX))
		err = -EBADMSG;
	return err;
}

static int peer_fill(struct luna_token *token, struct luna_exchange_peer *peer, const u8 *twc,
		     u32 len)
{
	struct luna_rsa_nums nums;
	int err = peer_parse(token, twc, len, &nums);

	if (!err)
		err = luna_hash_once(token->crypto, LUNA_SHA256, twc, len, peer->twc_digest);
	if (err)
		return err;
	peer->bytes = nums.n.len;
	peer->key = token->crypto->rsa_key(&nums);
	return PTR_ERR_OR_ZERO(peer->key);
}

struct luna_exchange_peer *luna_exchange_peer(struct luna_token *token, const u8 *twc, u32 len,
					      u32 *rv)
{
	struct luna_exchange_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	int err = peer ? peer_fill(token, peer, twc, len) : -ENOMEM;

	if (!err) {
		*rv = CKR_OK;
		return peer;
	}
	*rv = err == -EBADMSG || err == -EINVAL ? CKR_CERTIFICATE_DATA_INVALID : luna_ckr(err);
	kfree(peer);
	return NULL;
}

void luna_exchange_peer_free(struct luna_token *token, struct luna_exchange_peer *peer)
{
	if (!peer)
		return;
	token->crypto->rsa_key_free(peer->key);
	kfree_sensitive(peer);
}

int luna_exchange_encrypt(struct luna_token *token, struct luna_exchange_peer *peer)
{
	return token->crypto->rsa_public(peer->key, peer->em, peer->em);
}

int luna_exchange_decrypt(struct luna_token *token, const struct luna_secrets *secrets,
			  const u8 *cipher, u32 len, u8 *em)
{
	struct luna_rsa_nums nums;
	struct luna_rsa_key *key;
	struct luna_der_rsa der;
	int err;

	if (luna_der_rsa_private_parse(secrets->twc_key, secrets->twc_key_len, &der))
		return -EIO;
	if (len != der.n.len || len > LUNA_RSA_MAX)
		return -EBADMSG;
	nums = (struct luna_rsa_nums){ der.n, der.e, der.d, der.p, der.q, der.dp, der.dq, der.qi };
	key = token->crypto->rsa_key(&nums);
	if (IS_ERR(key))
		return PTR_ERR(key);
	memcpy(em, cipher, len);
	err = luna_rsa_private(token, key, em, em, len);
	token->crypto->rsa_key_free(key);
	return err == -EINVAL ? -EBADMSG : err;
}

int luna_exchange_derive(struct luna_token *token, const struct luna_num *ikm,
			 const struct luna_num *salt, const char *label, const u8 *context, u8 *out,
			 u32 len)
{
	struct luna_wr wr;
	u8 *info;
	int err;

	info = kmalloc(EXCHANGE_INFO_MAX, GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	luna_wr_init(&wr, info, EXCHANGE_INFO_MAX);
	luna_wr_bytes(&wr, label, strlen(label));
	if (context)
		luna_wr_bytes(&wr, context, LUNA_EXCHANGE_DIGEST);
	err = wr.full ? -EINVAL : luna_hkdf(token->crypto, LUNA_SHA256, ikm->data, ikm->len,
					    salt ? salt->data : NULL, salt ? salt->len : 0, info,
					    wr.at, out, len);
	kfree(info);
	return err;
}

int luna_exchange_mac(struct luna_token *token, const struct luna_num *ikm, const char *label,
		      const u8 *data, u32 len, u8 *mac)
{
	u8 *key = kmalloc(LUNA_EXCHANGE_KEY, GFP_KERNEL);
	int err;

	if (!key)
		return -ENOMEM;
	err = luna_exchange_derive(token, ikm, NULL, label, NULL, key, LUNA_EXCHANGE_KEY);
	if (!err)
		err = luna_mac_once(token->crypto, LUNA_HMAC + LUNA_SHA256, key, LUNA_EXCHANGE_KEY,
				    data, len, mac);
	kfree_sensitive(key);
	return err;
}

int luna_exchange_mac_check(struct luna_token *token, const struct luna_num *ikm, const char *label,
			    const u8 *msg, u32 len)
{
	u32 body = len - LUNA_EXCHANGE_MAC;
	u8 *mac;
	int err;

	if (len < LUNA_EXCHANGE_MAC)
		return -EBADMSG;
	mac = kmalloc(LUNA_EXCHANGE_MAC, GFP_KERNEL);
	if (!mac)
		return -ENOMEM;
	err = luna_exchange_mac(token, ikm, label, msg, body, mac);
	if (!err && crypto_memneq(mac, msg + body, LUNA_EXCHANGE_MAC))
		err = -EBADMSG;
	kfree_sensitive(mac);
	return err;
}
