// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Keys: may this session use this key for this, and the key as the provider wants it, prepared
 * once.
 *
 * A cache is made at a key's first use and only ever grows: its pointers are set once, by whoever
 * comes first, and read without a lock. It goes when the object goes, or when the object's owner
 * sees to it that nobody is using it (object.c).
 */
#include "des3.h"
#include "ec.h"
#include "mech.h"
#include "mofn.h"

enum {
	POLICY_DIGEST_KEY = 9,
	POLICY_SIGN_NON_LOCAL = 17,
};

/**
 * struct luna_key_cache - what was made of an object's value
 * @mac_bytes: length of the value, valid with any of @macs
 * @rsa_bytes: length of the modulus, valid with @rsa
 * @curve: enum luna_curve, valid with @ec
 * @unrestricted: attributes known to allow every mechanism, referenced: as long as the object's are
 *	still these, CKA_ALLOWED_MECHANISMS need not be looked for
 */
struct luna_key_cache {
	struct luna_aes_key *aes;
	struct luna_des3_key *des3;
	struct luna_mac_key *macs[LUNA_MACS];
	u32 mac_bytes;
	struct luna_rsa_key *rsa;
	u32 rsa_bytes;
	struct luna_ec_key *ec;
	u32 curve;
	struct luna_attrs *unrestricted;
};

/* How an attribute of use is kept, and which half of a key pair has it. */
static const struct key_usage {
	u32 attribute;
	enum luna_bit bit;
	u32 pair_class;
} key_usages[] = {
	{ CKA_ENCRYPT, LUNA_BIT_ENCRYPT, CKO_PUBLIC_KEY },
	{ CKA_DECRYPT, LUNA_BIT_DECRYPT, CKO_PRIVATE_KEY },
	{ CKA_SIGN, LUNA_BIT_SIGN, CKO_PRIVATE_KEY },
	{ CKA_SIGN_RECOVER, LUNA_BIT_SIGN_RECOVER, CKO_PRIVATE_KEY },
	{ CKA_VERIFY, LUNA_BIT_VERIFY, CKO_PUBLIC_KEY },
	{ CKA_VERIFY_RECOVER, LUNA_BIT_VERIFY_RECOVER, CKO_PUBLIC_KEY },
	{ CKA_WRAP, LUNA_BIT_WRAP, CKO_PUBLIC_KEY },
	{ CKA_UNWRAP, LUNA_BIT_UNWRAP, CKO_PRIVATE_KEY },
	{ CKA_DERIVE, LUNA_BIT_DERIVE, CKO_PRIVATE_KEY },
};

static struct luna_key_cache *key_cache(struct luna_object *obj)
{
	struct luna_key_cache *keys, *fresh;

	/* Pairs with the cmpxchg() below. */
	keys = smp_load_acquire(&obj->keys);
	if (keys)
		return keys;
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	keys = cmpxchg(&obj->keys, NULL, fresh);
	if (!keys)
		return fresh;
	kfree(fresh);
	return keys;
}

/* ---- may it be used? ---- */

static const struct key_usage *key_usage(u32 attribute)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(key_usages); i++)
		if (key_usages[i].attribute == attribute)
			return &key_usages[i];
	return NULL;
}

static bool key_class(u32 class)
{
	return class == CKO_SECRET_KEY || class == CKO_PUBLIC_KEY || class == CKO_PRIVATE_KEY;
}

static bool mech_takes(const struct luna_mech *mech, const struct luna_object *obj)
{
	u32 i, key_type = luna_key_type_standard(obj->key_type);

	if (mech->key_types[0] == LUNA_ANY_SECRET)
		return obj->class == CKO_SECRET_KEY;
	for (i = 0; i < LUNA_MECH_KEY_TYPES; i++)
		if (luna_key_type_standard(mech->key_types[i]) == key_type)
			return true;
	return false;
}

/* Is @type in CKA_ALLOWED_MECHANISMS? It travels as u64; no list or an empty one allows all. */
static bool list_allows(const struct luna_attrs *attrs, u32 type, bool *unrestricted)
{
	u32 len = 0, at;
	const u8 *list = luna_attrs_bytes(attrs, CKA_ALLOWED_MECHANISMS, &len);
	u64 allowed;

	*unrestricted = !list || len < sizeof(allowed);
	if (*unrestricted)
		return true;
	for (at = 0; at + sizeof(allowed) <= len; at += sizeof(allowed)) {
		memcpy(&allowed, list + at, sizeof(allowed));
		if (allowed == type)
			return true;
	}
	return false;
}

/* Lets the next use skip the search. Attributes that are not the object's any more harm nobody. */
static void remember_unrestricted(struct luna_object *obj, struct luna_attrs *attrs)
{
	struct luna_key_cache *keys = key_cache(obj);

	if (IS_ERR(keys))
		return;
	luna_attrs_put(xchg(&keys->unrestricted, luna_attrs_get(attrs)));
}

static u32 key_allows(struct luna_token *token, struct luna_object *obj, u32 type)
{
	struct luna_attrs *attrs, *known;
	const struct luna_key_cache *keys;
	bool allowed, unrestricted;

	/* Pairs with the cmpxchg() in key_cache(). */
	keys = smp_load_acquire(&obj->keys);
	known = keys ? READ_ONCE(keys->unrestricted) : NULL;
	if (known && known == READ_ONCE(obj->attrs))
		return CKR_OK;
	attrs = luna_object_attrs(token, obj);
	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	allowed = list_allows(attrs, type, &unrestricted);
	if (unrestricted)
		remember_unrestricted(obj, attrs);
	luna_attrs_put(attrs);
	return allowed ? CKR_OK : CKR_MECHANISM_INVALID;
}

/* What C_SignRecover makes is a signature as well. */
static bool usage_signs(u32 usage)
{
	return usage == CKA_SIGN || usage == CKA_SIGN_RECOVER;
}

static u32 key_check(struct luna_token *token, struct luna_object *obj, u32 usage,
		     const struct luna_mech *mech)
{
	const struct key_usage *use = key_usage(usage);
	u32 class;

	if (!key_class(obj->class))
		return CKR_KEY_HANDLE_INVALID;
	if (!mech_takes(mech, obj))
		return CKR_KEY_TYPE_INCONSISTENT;
	class = luna_key_type_is_pair(obj->key_type) ? use->pair_class : CKO_SECRET_KEY;
	if (obj->class != class || !luna_object_is(obj, use->bit))
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	if (usage_signs(usage) && !luna_object_is(obj, LUNA_BIT_LOCAL) &&
	    !luna_policy(token, POLICY_SIGN_NON_LOCAL))
		return CKR_KEY_FUNCTION_NOT_PERMITTED;
	return key_allows(token, obj, mech->type);
}

u32 luna_key_get(struct luna_session *session, u32 handle, u32 usage, const struct luna_mech *mech,
		 struct luna_object **obj)
{
	struct luna_token *token = session->open->token;
	struct luna_object *found;
	u32 rv;

	if (luna_mofn_missing(token))
		return CKR_OPERATION_NOT_ALLOWED;
	found = luna_object_get(session, handle);
	if (IS_ERR_OR_NULL(found))
		return luna_object_none(found, CKR_KEY_HANDLE_INVALID);
	rv = key_check(token, found, usage, mech);
	if (rv)
		luna_object_put(found);
	else
		*obj = found;
	return rv;
}

/*
 * The digest of a value that C_GetAttributeValue would not show tells about it (all of it, if it is
 * short), so that other keys need policy 9.
 */
static bool key_digestible(const struct luna_token *token, const struct luna_object *obj)
{
	if (obj->class != CKO_SECRET_KEY)
		return false;
	if (luna_policy(token, POLICY_DIGEST_KEY))
		return true;
	return luna_object_is(obj, LUNA_BIT_EXTRACTABLE) &&
	       !luna_object_is(obj, LUNA_BIT_SENSITIVE);
}

u32 luna_key_digest_get(struct luna_session *session, u32 handle, struct luna_attrs **attrs)
{
	struct luna_token *token = session->open->token;
	struct luna_object *obj;
	u32 rv = CKR_KEY_INDIGESTIBLE;

	if (luna_mofn_missing(token))
		return CKR_OPERATION_NOT_ALLOWED;
	obj = luna_object_get(session, handle);
	if (IS_ERR_OR_NULL(obj))
		return luna_object_none(obj, CKR_KEY_HANDLE_INVALID);
	if (!key_class(obj->class)) {
		rv = CKR_KEY_HANDLE_INVALID;
	} else if (key_digestible(token, obj)) {
		*attrs = luna_object_attrs(token, obj);
		rv = IS_ERR(*attrs) ? luna_ckr(PTR_ERR(*attrs)) : CKR_OK;
	}
	luna_object_put(obj);
	return rv;
}

/* ---- prepared keys ---- */

static struct luna_aes_key *aes_make(struct luna_token *token, const struct luna_attrs *attrs)
{
	u32 len;
	const u8 *value = luna_attrs_bytes(attrs, CKA_VALUE, &len);

	if (!value)
		return ERR_PTR(-EINVAL);
	return token->crypto->aes_key(value, len);
}

struct luna_aes_key *luna_object_aes(struct luna_token *token, struct luna_object *obj)
{
	struct luna_key_cache *keys = key_cache(obj);
	struct luna_aes_key *key, *other;
	struct luna_attrs *attrs;

	if (IS_ERR(keys))
		return ERR_CAST(keys);
	/* Pairs with the cmpxchg() below. */
	key = smp_load_acquire(&keys->aes);
	if (key)
		return key;
	attrs = luna_object_attrs(token, obj);
	if (IS_ERR(attrs))
		return ERR_CAST(attrs);
	key = aes_make(token, attrs);
	luna_attrs_put(attrs);
	if (IS_ERR(key))
		return key;
	other = cmpxchg(&keys->aes, NULL, key);
	if (!other)
		return key;
	token->crypto->aes_key_free(key);
	return other;
}

struct luna_des3_key *luna_object_des3(struct luna_token *token, struct luna_object *obj)
{
	struct luna_key_cache *keys = key_cache(obj);
	struct luna_des3_key *key, *other;
	struct luna_attrs *attrs;
	const u8 *value;
	u32 len;

	if (IS_ERR(keys))
		return ERR_CAST(keys);
	/* Pairs with the cmpxchg() below. */
	key = smp_load_acquire(&keys->des3);
	if (key)
		return key;
	attrs = luna_object_attrs(token, obj);
	if (IS_ERR(attrs))
		return ERR_CAST(attrs);
	value = luna_attrs_bytes(attrs, CKA_VALUE, &len);
	key = luna_des3_make(token->crypto, value, len);
	luna_attrs_put(attrs);
	if (IS_ERR(key))
		return key;
	other = cmpxchg(&keys->des3, NULL, key);
	if (!other)
		return key;
	token->crypto->des3_key_free(key);
	return other;
}

static struct luna_mac_key *mac_make(struct luna_token *token, const struct luna_attrs *attrs,
				     enum luna_mac_kind kind, u32 *bytes)
{
	const u8 *value = luna_attrs_bytes(attrs, CKA_VALUE, bytes);

	if (!value || !*bytes || *bytes > LUNA_SECRET_MAX)
		return ERR_PTR(-EINVAL);
	return token->crypto->mac_key(kind, value, *bytes);
}

struct luna_mac_key *luna_object_mac(struct luna_token *token, struct luna_object *obj,
				     enum luna_mac_kind kind, u32 *bytes)
{
	struct luna_key_cache *keys = key_cache(obj);
	struct luna_mac_key *key, *other;
	struct luna_attrs *attrs;

	if (IS_ERR(keys))
		return ERR_CAST(keys);
	/* Pairs with the cmpxchg() below. */
	key = smp_load_acquire(&keys->macs[kind]);
	if (key) {
		*bytes = READ_ONCE(keys->mac_bytes);
		return key;
	}
	attrs = luna_object_attrs(token, obj);
	if (IS_ERR(attrs))
		return ERR_CAST(attrs);
	key = mac_make(token, attrs, kind, bytes);
	luna_attrs_put(attrs);
	if (IS_ERR(key))
		return key;
	/* Before the key, by whoever comes: all write the same. */
	WRITE_ONCE(keys->mac_bytes, *bytes);
	other = cmpxchg(&keys->macs[kind], NULL, key);
	if (!other)
		return key;
	token->crypto->mac_key_free(key);
	return other;
}

/* Without leading zeros, which nothing forbids in an attribute. */
static void num_get(const struct luna_attrs *attrs, u32 type, struct luna_num *num)
{
	num->len = 0;
	num->data = luna_attrs_bytes(attrs, type, &num->len);
	if (!num->data)
		num->len = 0;
	while (num->len && !*num->data) {
		num->data++;
		num->len--;
	}
}

static struct luna_rsa_key *rsa_make(struct luna_token *token, const struct luna_attrs *attrs,
				     bool private, u32 *bytes)
{
	struct luna_rsa_nums nums = {};

	num_get(attrs, CKA_MODULUS, &nums.n);
	num_get(attrs, CKA_PUBLIC_EXPONENT, &nums.e);
	*bytes = nums.n.len;
	if (!nums.n.len || nums.n.len > LUNA_RSA_MAX)
		return ERR_PTR(-EINVAL);
	if (!private)
		return nums.e.len ? token->crypto->rsa_key(&nums) : ERR_PTR(-EINVAL);
	num_get(attrs, CKA_PRIVATE_EXPONENT, &nums.d);
	num_get(attrs, CKA_PRIME_1, &nums.p);
	num_get(attrs, CKA_PRIME_2, &nums.q);
	num_get(attrs, CKA_EXPONENT_1, &nums.dp);
	num_get(attrs, CKA_EXPONENT_2, &nums.dq);
	num_get(attrs, CKA_COEFFICIENT, &nums.qi);
	return nums.d.len ? token->crypto->rsa_key(&nums) : ERR_PTR(-EINVAL);
}

/* @rsa_bytes is written before @rsa, by whoever comes: all write the same. */
static struct luna_rsa_key *rsa_keep(struct luna_token *token, struct luna_key_cache *keys,
				     struct luna_rsa_key *key, u32 bytes)
{
	struct luna_rsa_key *other;

	WRITE_ONCE(keys->rsa_bytes, bytes);
	other = cmpxchg(&keys->rsa, NULL, key);
	if (!other)
		return key;
	token->crypto->rsa_key_free(key);
	return other;
}

struct luna_rsa_key *luna_object_rsa(struct luna_token *token, struct luna_object *obj, u32 *bytes)
{
	struct luna_key_cache *keys = key_cache(obj);
	struct luna_rsa_key *key;
	struct luna_attrs *attrs;

	if (IS_ERR(keys))
		return ERR_CAST(keys);
	/* Pairs with the cmpxchg() of the one who prepares it. */
	key = smp_load_acquire(&keys->rsa);
	if (key) {
		*bytes = READ_ONCE(keys->rsa_bytes);
		return key;
	}
	attrs = luna_object_attrs(token, obj);
	if (IS_ERR(attrs))
		return ERR_CAST(attrs);
	key = rsa_make(token, attrs, obj->class == CKO_PRIVATE_KEY, bytes);
	luna_attrs_put(attrs);
	return IS_ERR(key) ? key : rsa_keep(token, keys, key, *bytes);
}

struct luna_ec_key *luna_object_ec(struct luna_token *token, struct luna_object *obj,
				   enum luna_curve *curve)
{
	struct luna_key_cache *keys = key_cache(obj);
	struct luna_ec_key *key, *other;
	struct luna_attrs *attrs;

	if (IS_ERR(keys))
		return ERR_CAST(keys);
	/* Pairs with the cmpxchg() below. */
	key = smp_load_acquire(&keys->ec);
	if (key) {
		*curve = READ_ONCE(keys->curve);
		return key;
	}
	attrs = luna_object_attrs(token, obj);
	if (IS_ERR(attrs))
		return ERR_CAST(attrs);
	key = luna_ec_make(token, attrs, obj->key_type, obj->class == CKO_PRIVATE_KEY, curve);
	luna_attrs_put(attrs);
	if (IS_ERR(key))
		return key;
	/* Before the key, by whoever comes: all write the same. */
	WRITE_ONCE(keys->curve, *curve);
	other = cmpxchg(&keys->ec, NULL, key);
	if (!other)
		return key;
	token->crypto->ec_key_free(key);
	return other;
}

/**
 * luna_key_cache_free() - wipe and free; nobody may be using the keys any more
 * NULL is fine.
 */
void luna_key_cache_free(struct luna_key_cache *keys, const struct luna_crypto_ops *crypto)
{
	u32 kind;

	if (!keys)
		return;
	if (keys->aes)
		crypto->aes_key_free(keys->aes);
	if (keys->des3)
		crypto->des3_key_free(keys->des3);
	for (kind = 0; kind < LUNA_MACS; kind++)
		if (keys->macs[kind])
			crypto->mac_key_free(keys->macs[kind]);
	if (keys->rsa)
		crypto->rsa_key_free(keys->rsa);
	if (keys->ec)
		crypto->ec_key_free(keys->ec);
	luna_attrs_put(keys->unrestricted);
	kfree_sensitive(keys);
}
