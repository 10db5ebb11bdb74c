// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * CKM_RSA_AES_KEY_WRAP (PKCS#11 v2.40 mechanisms, 2.1.21): an AES key drawn for this one use, under
 * RSA OAEP, and behind it the key that is wrapped, under the AES key by KWP. So keys of any length
 * travel under RSA, private ones, too.
 */
#include "key_cmd.h"
#include "kw.h"

/* What the parameter says. */
struct rsa_aes {
	const struct luna_mech *oaep;
	const u8 *param;	/* of OAEP */
	u32 param_len;
	u32 bytes;		/* of the AES key */
};

static u32 rsa_aes_param(struct luna_token *token, const u8 *param, u32 len, struct rsa_aes *r)
{
	struct luna_rsa_aes_param p;

	if (len < sizeof(p))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&p, param, sizeof(p));
	if (p.reserved || (p.aes_bits != 128 && p.aes_bits != 192 && p.aes_bits != 256))
		return CKR_MECHANISM_PARAM_INVALID;
	r->oaep = luna_mech_find(token, CKM_RSA_PKCS_OAEP);
	r->param = param + sizeof(p);
	r->param_len = len - sizeof(p);
	r->bytes = p.aes_bits / 8;
	return r->oaep ? CKR_OK : CKR_MECHANISM_INVALID;
}

/* ---- wrap ---- */

static u32 wrap_rest(const struct luna_crypto_ops *c, const u8 *aes, u32 aes_len, const u8 *in,
		     u32 len, u8 *rest)
{
	struct luna_aes_key *key = c->aes_key(aes, aes_len);
	int err;

	if (IS_ERR(key))
		return luna_ckr(PTR_ERR(key));
	err = luna_kwp_wrap(c, key, NULL, in, len, rest);
	c->aes_key_free(key);
	return err == -EINVAL ? CKR_DATA_LEN_RANGE : luna_ckr(err);
}

static u32 wrap_with(struct luna_session *session, const struct rsa_aes *r, struct luna_object *key,
		     const u8 *aes, const u8 *in, u32 len, u8 **out, u32 *out_len)
{
	const struct luna_crypto_ops *c = session->open->token->crypto;
	u32 head_len, all, rv;
	u8 *head, *room;

	rv = luna_op_once(session, r->oaep, LUNA_OP_ENCRYPT, key, r->param, r->param_len, aes,
			  r->bytes, &head, &head_len);
	if (rv)
		return rv;
	all = head_len + luna_kwp_len(len);
	room = kvmalloc(all, GFP_KERNEL);
	if (room) {
		memcpy(room, head, head_len);
		rv = wrap_rest(c, aes, r->bytes, in, len, room + head_len);
	} else {
		rv = CKR_DEVICE_MEMORY;
	}
	kvfree(head);
	if (rv) {
		kvfree_sensitive(room, all);	/* wrapping works in place */
		return rv;
	}
	*out = room;
	*out_len = all;
	return CKR_OK;
}

u32 luna_rsa_aes_wrap(struct luna_session *session, struct luna_object *key, const u8 *param,
		      u32 param_len, const u8 *in, u32 len, u8 **out, u32 *out_len)
{
	struct luna_token *token = session->open->token;
	struct rsa_aes r;
	u32 rv;
	u8 *aes;

	*out = NULL;
	*out_len = 0;
	rv = rsa_aes_param(token, param, param_len, &r);
	if (rv)
		return rv;
	aes = kmalloc(r.bytes, GFP_KERNEL);
	if (!aes)
		return CKR_DEVICE_MEMORY;
	rv = luna_ckr(token->crypto->random(aes, r.bytes));
	if (!rv)
		rv = wrap_with(session, &r, key, aes, in, len, out, out_len);
	kfree_sensitive(aes);
	return rv;
}

/* ---- unwrap ---- */

static u32 unwrap_rest(const struct luna_crypto_ops *c, const u8 *aes, u32 aes_len, const u8 *in,
		       u32 len, u8 **out, u32 *out_len)
{
	struct luna_aes_key *key;
	int err;
	u8 *room;

	/* What came out of OAEP need not be an AES key. */
	key = c->aes_key(aes, aes_len);
	if (IS_ERR(key))
		return PTR_ERR(key) == -EINVAL ? CKR_ENCRYPTED_DATA_INVALID :
						 luna_ckr(PTR_ERR(key));
	room = kvmalloc(len, GFP_KERNEL);
	err = room ? luna_kwp_unwrap(c, key, NULL, in, len, room, out_len) : -ENOMEM;
	c->aes_key_free(key);
	if (!err) {
		*out = room;
		return CKR_OK;
	}
	kvfree_sensitive(room, len);
	*out_len = 0;
	return err == -EBADMSG ? CKR_ENCRYPTED_DATA_INVALID : luna_ckr(err);
}

/* All that can be wrong with the bytes themselves has one code. */
u32 luna_rsa_aes_unwrap(struct luna_session *session, struct luna_object *key, const u8 *param,
			u32 param_len, const u8 *in, u32 len, u8 **out, u32 *out_len)
{
	struct luna_token *token = session->open->token;
	struct luna_rsa_key *rsa;
	u32 modulus, aes_len, rv;
	struct rsa_aes r;
	u8 *aes;

	*out = NULL;
	*out_len = 0;
	rv = rsa_aes_param(token, param, param_len, &r);
	if (rv)
		return rv;
	rsa = luna_object_rsa(token, key, &modulus);
	if (IS_ERR(rsa))
		return luna_key_ckr(PTR_ERR(rsa));
	if (len < modulus + 2 * LUNA_KW_BLOCK || (len - modulus) % LUNA_KW_BLOCK ||
	    len - modulus > LUNA_KW_MAX)
		return CKR_ENCRYPTED_DATA_LEN_RANGE;
	rv = luna_op_once(session, r.oaep, LUNA_OP_DECRYPT, key, r.param, r.param_len, in, modulus,
			  &aes, &aes_len);
	if (rv)
		return rv;
	rv = unwrap_rest(token->crypto, aes, aes_len, in + modulus, len - modulus, out, out_len);
	kvfree_sensitive(aes, aes_len);
	return rv;
}
