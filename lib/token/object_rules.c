// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The rules between attributes (PKCS#11 v2.40, 4 and 5.7): how a template becomes an object, and what
 * may change later. What a single attribute is stands in the table of attr.c.
 *
 * Where the standard leaves it open: an attribute that an object of that kind does not have is
 * CKR_ATTRIBUTE_TYPE_INVALID; one that may not be given is CKR_ATTRIBUTE_READ_ONLY, unless it repeats
 * what the object has anyway. C_UnwrapKey makes keys extractable unless told otherwise (5.13).
 */
#include "object_rules.h"

enum {
	RSA_BITS_MIN = 512,
	CHECK_VALUE_LEN = 3,
};

/* An object being made: by luna_object_make(), or anew by luna_object_changed(). */
struct making {
	struct luna_session *session;
	struct luna_token *token;
	enum luna_origin how;
	struct luna_kind kind;
	struct luna_tmpl tmpl;
	struct luna_tmpl given;
	struct luna_attrw w;
	bool frozen;		/* COPY: the source is not MODIFIABLE */
	bool was_private;	/* COPY: the source is */
};

static const u8 *making_get(const struct making *m, u32 type, u32 *len)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);

	return luna_tmpl_get(&made, type, len);
}

static bool making_is(const struct making *m, u32 type)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);
	bool value;

	return luna_tmpl_bool(&made, type, &value) && value;
}

static bool making_by_so(const struct making *m)
{
	return luna_session_role(m->session) == LUNA_ROLE_SO;
}

/* Does what was made so far hold this very value? *@there: it holds one at all. */
static bool making_holds(const struct making *m, u32 type, const struct luna_value *value,
			 bool *there)
{
	const u8 *data;
	u32 len;

	data = making_get(m, type, &len);
	*there = data;
	return data && len == value->len && !crypto_memneq(data, value->data, len);
}

/* CLASS and KEY_TYPE: the engine's word or the template's, which may not differ. */
static u32 kind_ulong(const struct making *m, u32 type, u64 *value)
{
	u64 given;
	u32 len;

	if (luna_tmpl_get(&m->tmpl, type, &len) && !luna_tmpl_ulong(&m->tmpl, type, value))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (!luna_tmpl_ulong(&m->given, type, &given))
		return luna_tmpl_ulong(&m->tmpl, type, value) ? CKR_OK : CKR_TEMPLATE_INCOMPLETE;
	if (luna_tmpl_ulong(&m->tmpl, type, value) && *value != given)
		return m->how == LUNA_BY_COPY ? CKR_ATTRIBUTE_READ_ONLY : CKR_TEMPLATE_INCONSISTENT;
	*value = given;
	return CKR_OK;
}

static u32 make_kind(struct making *m)
{
	u64 class, key_type;
	u32 rv;

	rv = kind_ulong(m, CKA_CLASS, &class);
	if (rv)
		return rv;
	rv = luna_kind_find(&m->kind, class, LUNA_KEY_TYPE_NONE);
	if (!luna_kind_is_key(&m->kind))
		return rv;
	rv = kind_ulong(m, CKA_KEY_TYPE, &key_type);
	return rv ? rv : luna_kind_find(&m->kind, class, key_type);
}

/* A copy is another object, so it has an OUID of its own, and the SO has not vouched for it. */
static bool given_stays_behind(const struct making *m, u32 type)
{
	return m->how == LUNA_BY_COPY &&
	       (type == CKA_OUID || (type == CKA_TRUSTED && !making_by_so(m)));
}

static u32 make_given(struct making *m)
{
	const struct luna_attr_row *row;
	u32 at = 0, type, len, rv;
	const u8 *value;

	while (luna_tmpl_next(&m->given, &at, &type, &value, &len)) {
		if (given_stays_behind(m, type))
			continue;
		row = luna_attr_find(type, &m->kind);
		if (!row)
			return CKR_ATTRIBUTE_TYPE_INVALID;
		rv = luna_attr_put(&m->w, row, value, len);
		if (rv)
			return rv;
	}
	m->frozen = m->how == LUNA_BY_COPY && !making_is(m, CKA_MODIFIABLE);
	m->was_private = m->how == LUNA_BY_COPY && making_is(m, CKA_PRIVATE);
	return CKR_OK;
}

/* May a boolean go to @on? It differs from what it was. */
static u32 check_latch(const struct making *m, const struct luna_attr_row *row, bool on)
{
	if ((row->flags & LUNA_ATTR_LATCH_ON) && !on)
		return CKR_ATTRIBUTE_READ_ONLY;
	if ((row->flags & LUNA_ATTR_LATCH_OFF) && on)
		return CKR_ATTRIBUTE_READ_ONLY;
	if ((row->flags & LUNA_ATTR_SO) && on && !making_by_so(m))
		return CKR_ATTRIBUTE_READ_ONLY;
	return CKR_OK;
}

/*
 * May an attribute that an object has, or could have, get another value? @when: LUNA_ON_COPY or
 * LUNA_ON_SET. What the SO has vouched for as a wrapping key must not turn into a decrypting one.
 */
static u32 check_change(const struct making *m, const struct luna_attr_row *row, u32 when,
			const struct luna_value *value)
{
	if (!(row->flags & when))
		return CKR_ATTRIBUTE_READ_ONLY;
	if (m->frozen && (row->flags & LUNA_ON_SET) && row->type != CKA_COPYABLE)
		return CKR_ATTRIBUTE_READ_ONLY;
	if (row->flags & LUNA_ATTR_USAGE) {
		if (!luna_policy(m->token, CONTAINER_CONFIG_CHANGE_KEY_ATTRIBUTES))
			return CKR_ATTRIBUTE_READ_ONLY;
		if (making_is(m, CKA_TRUSTED) && !making_by_so(m))
			return CKR_ATTRIBUTE_READ_ONLY;
	}
	return row->kind == LUNA_ATTR_BOOL ? check_latch(m, row, value->truth) : CKR_OK;
}

/* May the maker give this value? @there: the engine has another one already. */
static u32 check_make(const struct making *m, const struct luna_attr_row *row, bool there,
		      const struct luna_value *value)
{
	if (!(row->flags & BIT(m->how)))
		return CKR_ATTRIBUTE_READ_ONLY;
	if (there)
		return CKR_TEMPLATE_INCONSISTENT;
	if ((row->flags & LUNA_ATTR_SO) && value->truth && !making_by_so(m))
		return CKR_ATTRIBUTE_READ_ONLY;
	return CKR_OK;
}

/* An exponent of zero asks key generation for the usual one. */
static bool asks_for_default(const struct making *m, u32 type, const struct luna_value *value)
{
	return m->how == LUNA_BY_GENERATE && type == CKA_PUBLIC_EXPONENT && !value->len;
}

static u32 make_one(struct making *m, u32 type, const u8 *data, u32 len)
{
	const struct luna_attr_row *row = luna_attr_find(type, &m->kind);
	struct luna_value value;
	bool there;
	u32 rv;

	if (!row)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	rv = luna_value_read(&value, row, data, len);
	if (rv)
		return rv;
	if (making_holds(m, type, &value, &there) || asks_for_default(m, type, &value))
		return CKR_OK;
	if (m->how == LUNA_BY_COPY)
		rv = check_change(m, row, LUNA_ON_COPY, &value);
	else if ((row->flags & LUNA_ATTR_COMPUTED) && (row->flags & BIT(m->how)))
		return CKR_OK;		/* make_computed() compares it */
	else
		rv = check_make(m, row, there, &value);
	return rv ? rv : luna_attr_put(&m->w, row, data, len);
}

static u32 make_template(struct making *m)
{
	u32 at = 0, type, len, rv;
	const u8 *value;

	while (luna_tmpl_next(&m->tmpl, &at, &type, &value, &len)) {
		rv = make_one(m, type, value, len);
		if (rv)
			return rv;
	}
	return CKR_OK;
}

static u32 make_required(struct making *m)
{
	const struct luna_attr_row *row;
	u32 at = 0, len;

	while ((row = luna_attr_next(&m->kind, &at)) != NULL)
		if ((row->flags & LUNA_ATTR_REQUIRED) && !making_get(m, row->type, &len))
			return CKR_TEMPLATE_INCOMPLETE;
	return CKR_OK;
}

/* ---- what each kind of object must hold, and what the engine computes from it ---- */

static u32 check_cert(struct making *m)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);
	u32 value_len, url_len;
	u64 type;

	if (!luna_tmpl_ulong(&made, CKA_CERTIFICATE_TYPE, &type) || type != CKC_X_509)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	making_get(m, CKA_VALUE, &value_len);
	making_get(m, CKA_URL, &url_len);
	return value_len || url_len ? CKR_OK : CKR_TEMPLATE_INCOMPLETE;
}

static u32 check_aes(struct making *m)
{
	u32 len;

	making_get(m, CKA_VALUE, &len);
	return len == 16 || len == 24 || len == 32 ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static u32 check_generic(struct making *m)
{
	u32 len;

	making_get(m, CKA_VALUE, &len);
	return len ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

static u32 number_bits(const u8 *data, u32 len)
{
	return len ? 8 * (len - 1) + fls(data[0]) : 0;
}

/* Public, so that branches on it tell nothing. */
static bool modulus_fits(const struct luna_token *token, const u8 *n, u32 len)
{
	u32 bits = number_bits(n, len);
	u32 most = min_t(u32, token->crypto->rsa_max_bits, LUNA_RSA_MAX_BITS);

	return bits >= RSA_BITS_MIN && bits <= most && (n[len - 1] & 1);
}

/* Odd, greater than 1 and less than the modulus. */
static bool exponent_fits(const u8 *e, u32 len, const u8 *n, u32 n_len)
{
	if (!len || !(e[len - 1] & 1) || (len == 1 && e[0] == 1))
		return false;
	return len < n_len || (len == n_len && memcmp(e, n, len) < 0);
}

static const u32 crt_parts[] = {
	CKA_PRIME_1, CKA_PRIME_2, CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT,
};

/*
 * Sizes only: that the parts belong together is seen when the key is used, where every CRT signature
 * is checked before it is released.
 */
static u32 check_rsa_private(struct making *m, u32 n_len)
{
	u32 i, len, parts = 0;

	making_get(m, CKA_PRIVATE_EXPONENT, &len);
	if (!len || len > n_len)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	for (i = 0; i < ARRAY_SIZE(crt_parts); i++) {
		if (!making_get(m, crt_parts[i], &len))
			continue;
		if (!len || len >= n_len)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		parts++;
	}
	return parts && parts != ARRAY_SIZE(crt_parts) ? CKR_TEMPLATE_INCOMPLETE : CKR_OK;
}

static u32 check_rsa(struct making *m)
{
	const u8 *n, *e;
	u32 n_len, e_len;

	n = making_get(m, CKA_MODULUS, &n_len);
	if (!modulus_fits(m->token, n, n_len))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	e = making_get(m, CKA_PUBLIC_EXPONENT, &e_len);
	if (e && !exponent_fits(e, e_len, n, n_len))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return m->kind.class_bit & LUNA_IN_PRIVATE ? check_rsa_private(m, n_len) : CKR_OK;
}

/* Adds a computed attribute, unless the template contradicts it (@wrong). */
static u32 compute_set(struct making *m, u32 type, const void *value, u32 len, u32 wrong)
{
	const u8 *told;
	u32 told_len;

	told = luna_tmpl_get(&m->tmpl, type, &told_len);
	if (told && (told_len != len || crypto_memneq(told, value, len)))
		return wrong;
	luna_attrw_set(&m->w, type, value, len);
	return CKR_OK;
}

static u32 compute_ulong(struct making *m, u32 type, u64 value)
{
	return compute_set(m, type, &value, sizeof(value), CKR_TEMPLATE_INCONSISTENT);
}

/* An empty check value in the template asks for none. */
static u32 compute_check(struct making *m, const u8 *kcv)
{
	u32 len;

	if (luna_tmpl_get(&m->tmpl, CKA_CHECK_VALUE, &len) && !len)
		return CKR_OK;
	return compute_set(m, CKA_CHECK_VALUE, kcv, CHECK_VALUE_LEN, CKR_ATTRIBUTE_VALUE_INVALID);
}

/* The vendor does not say what its fingerprints cover; here: the modulus, or the certificate. */
static u32 compute_digest(struct making *m, enum luna_hash hash, u32 type, u32 of, bool check)
{
	u32 len, rv = CKR_OK;
	const u8 *data;
	u8 *digest;

	if (!(m->token->crypto->hashes & BIT(hash)))
		return CKR_OK;
	data = making_get(m, of, &len);
	if (!data || !len)
		return CKR_OK;
	digest = kzalloc(LUNA_HASH_MAX, GFP_KERNEL);
	if (!digest)
		return CKR_DEVICE_MEMORY;
	rv = luna_ckr(luna_hash_once(m->token->crypto, hash, data, len, digest));
	if (rv == CKR_OK && check)
		rv = compute_check(m, digest);
	if (rv == CKR_OK && type)
		luna_attrw_set(&m->w, type, digest, luna_hash_len(hash));
	kfree_sensitive(digest);
	return rv;
}

static u32 compute_fingerprints(struct making *m, u32 of, bool check)
{
	u32 rv = compute_digest(m, LUNA_SHA1, CKA_FINGERPRINT_SHA1, of, check);

	return rv ? rv : compute_digest(m, LUNA_SHA256, CKA_FINGERPRINT_SHA256, of, false);
}

static u32 compute_cert(struct making *m)
{
	return compute_fingerprints(m, CKA_VALUE, true);
}

static u32 compute_rsa(struct making *m)
{
	const u8 *n;
	u32 len, rv = CKR_OK;

	n = making_get(m, CKA_MODULUS, &len);
	if (m->kind.class_bit & LUNA_IN_PUBLIC)
		rv = compute_ulong(m, CKA_MODULUS_BITS, number_bits(n, len));
	return rv ? rv : compute_fingerprints(m, CKA_MODULUS, false);
}

static u32 compute_generic(struct making *m)
{
	u32 len, rv;

	making_get(m, CKA_VALUE, &len);
	rv = compute_ulong(m, CKA_VALUE_LEN, len);
	return rv ? rv : compute_digest(m, LUNA_SHA1, 0, CKA_VALUE, true);
}

/* One block of zeros under the key. */
static int aes_zero_block(const struct luna_crypto_ops *crypto, const u8 *value, u32 len, u8 *block)
{
	struct luna_cipher_stream *stream;
	struct luna_aes_key *key;
	int ret;

	key = crypto->aes_key(value, len);
	if (IS_ERR(key))
		return PTR_ERR(key);
	stream = crypto->cipher_begin(key, LUNA_ECB, true, NULL, 0);
	ret = PTR_ERR_OR_ZERO(stream);
	if (!ret) {
		ret = crypto->cipher_update(stream, block, LUNA_AES_BLOCK, block);
		crypto->cipher_end(stream);
	}
	crypto->aes_key_free(key);
	return ret;
}

static u32 compute_aes(struct making *m)
{
	const u8 *value;
	u32 len, rv;
	u8 *block;

	value = making_get(m, CKA_VALUE, &len);
	rv = compute_ulong(m, CKA_VALUE_LEN, len);
	if (rv)
		return rv;
	value = making_get(m, CKA_VALUE, &len);
	block = kzalloc(LUNA_AES_BLOCK, GFP_KERNEL);
	if (!block || !value) {
		kfree(block);
		return CKR_DEVICE_MEMORY;
	}
	rv = luna_ckr(aes_zero_block(m->token->crypto, value, len, block));
	if (rv == CKR_OK)
		rv = compute_check(m, block);
	kfree_sensitive(block);
	return rv;
}

/* One row per kind that has rules of its own. */
static const struct {
	u8 classes;
	u8 types;
	u32 (*check)(struct making *m);
	u32 (*compute)(struct making *m);
} kind_rules[] = {
	{ LUNA_IN_CERT, LUNA_OF_ANY, check_cert, compute_cert },
	{ LUNA_IN_PAIR, LUNA_OF_RSA, check_rsa, compute_rsa },
	{ LUNA_IN_SECRET, LUNA_OF_AES, check_aes, compute_aes },
	{ LUNA_IN_SECRET, LUNA_OF_GENERIC, check_generic, compute_generic },
};

/* A copy or clone brings what was computed along, from values that are the same. */
static u32 make_computed(struct making *m)
{
	bool again = m->how != LUNA_BY_COPY && m->how != LUNA_BY_CLONE;
	u32 i, rv;

	if (m->w.err)
		return CKR_DEVICE_MEMORY;
	for (i = 0; i < ARRAY_SIZE(kind_rules); i++) {
		if (!(kind_rules[i].classes & m->kind.class_bit) ||
		    (kind_rules[i].types && !(kind_rules[i].types & m->kind.type_bit)))
			continue;
		rv = kind_rules[i].check(m);
		if (rv || !again)
			return rv;
		return kind_rules[i].compute(m);
	}
	return CKR_OK;
}

/* ---- what nobody gave ---- */

/* Where keys of many uses are forbidden, what is not asked for is not wanted. */
static enum luna_preset preset_of(const struct making *m, const struct luna_attr_row *row)
{
	if ((row->flags & LUNA_ATTR_USAGE) &&
	    !luna_policy(m->token, CONTAINER_CONFIG_MULTIPURPOSE_KEYS))
		return LUNA_PRESET_FALSE;
	if (row->type == CKA_EXTRACTABLE && m->how == LUNA_BY_UNWRAP)
		return LUNA_PRESET_TRUE;
	return row->preset;
}

static void preset_set(struct luna_attrw *w, u32 type, enum luna_preset preset)
{
	switch (preset) {
	case LUNA_PRESET_NONE:
		break;
	case LUNA_PRESET_EMPTY:
		luna_attrw_set(w, type, NULL, 0);
		break;
	case LUNA_PRESET_FALSE:
	case LUNA_PRESET_TRUE:
		luna_attrw_bool(w, type, preset == LUNA_PRESET_TRUE);
		break;
	case LUNA_PRESET_ZERO:
		luna_attrw_ulong(w, type, 0);
		break;
	}
}

static u32 make_presets(struct making *m)
{
	const struct luna_attr_row *row;
	u32 at = 0, len;

	while ((row = luna_attr_next(&m->kind, &at)) != NULL)
		if (row->preset != LUNA_PRESET_NONE && !making_get(m, row->type, &len))
			preset_set(&m->w, row->type, preset_of(m, row));
	return CKR_OK;
}

/* ALWAYS_SENSITIVE and NEVER_EXTRACTABLE; a derived key cannot be better than its base. */
static void make_history(struct making *m)
{
	bool sensitive = making_is(m, CKA_SENSITIVE);
	bool fixed = !making_is(m, CKA_EXTRACTABLE);

	if (m->how == LUNA_BY_DERIVE) {
		sensitive = sensitive && making_is(m, CKA_ALWAYS_SENSITIVE);
		fixed = fixed && making_is(m, CKA_NEVER_EXTRACTABLE);
	} else if (m->how != LUNA_BY_GENERATE) {
		sensitive = false;
		fixed = false;
	}
	luna_attrw_bool(&m->w, CKA_ALWAYS_SENSITIVE, sensitive);
	luna_attrw_bool(&m->w, CKA_NEVER_EXTRACTABLE, fixed);
}

static u32 make_ouid(struct making *m)
{
	u8 ouid[LUNA_OUID_LEN];
	u32 len;
	int ret;

	if (making_get(m, CKA_OUID, &len))
		return len == LUNA_OUID_LEN ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
	ret = m->token->crypto->random(ouid, sizeof(ouid));
	if (ret)
		return luna_ckr(ret);
	if (!ouid[0])
		ouid[0] = 1;
	luna_attrw_set(&m->w, CKA_OUID, ouid, sizeof(ouid));
	return CKR_OK;
}

static u32 make_engine(struct making *m)
{
	bool inherits = m->how == LUNA_BY_COPY || m->how == LUNA_BY_CLONE;
	u32 len;

	if (!inherits && luna_kind_is_key(&m->kind))
		luna_attrw_bool(&m->w, CKA_LOCAL, m->how == LUNA_BY_GENERATE);
	if (!inherits && (m->kind.class_bit & LUNA_IN_HIDDEN))
		make_history(m);
	if (luna_kind_is_key(&m->kind) && !making_get(m, CKA_KEY_GEN_MECHANISM, &len))
		luna_attrw_ulong(&m->w, CKA_KEY_GEN_MECHANISM, U64_MAX);
	return make_ouid(m);
}

/* ---- rights and policies ---- */

static bool class_is_key(u32 class)
{
	return class == CKO_PUBLIC_KEY || class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY;
}

/* The crypto user works with keys; what it makes is public, and the token's keys are not its own. */
static bool rights_of_cu(enum luna_deed deed, u32 class, u32 bits)
{
	if (bits & BIT(LUNA_BIT_PRIVATE))
		return false;
	return deed == LUNA_DEED_MAKE || !class_is_key(class) || !(bits & BIT(LUNA_BIT_TOKEN));
}

u32 luna_object_rights(struct luna_session *session, enum luna_deed deed, u32 class, u32 bits)
{
	int role = luna_session_role(session);

	if ((bits & BIT(LUNA_BIT_PRIVATE)) && !luna_open_logged_in(session->open))
		return CKR_USER_NOT_LOGGED_IN;
	if ((bits & BIT(LUNA_BIT_TOKEN)) && !session->rw)
		return CKR_SESSION_READ_ONLY;
	if (role == LUNA_ROLE_CU && !rights_of_cu(deed, class, bits))
		return CKR_USER_NOT_AUTHORIZED;
	if (role == LUNA_ROLE_CO && deed != LUNA_DEED_CHANGE && class_is_key(class) &&
	    !luna_policy(session->open->token, CONTAINER_CONFIG_KEY_MANAGEMENT_FUNCTIONS))
		return CKR_OPERATION_NOT_ALLOWED;
	return CKR_OK;
}

/* Encrypting, signing, wrapping and deriving, as policy 10 tells them apart. */
static u32 purposes(u32 bits)
{
	const u32 crypt = BIT(LUNA_BIT_ENCRYPT) | BIT(LUNA_BIT_DECRYPT);
	const u32 sign = BIT(LUNA_BIT_SIGN) | BIT(LUNA_BIT_VERIFY) | BIT(LUNA_BIT_SIGN_RECOVER) |
			 BIT(LUNA_BIT_VERIFY_RECOVER);
	const u32 wrap = BIT(LUNA_BIT_WRAP) | BIT(LUNA_BIT_UNWRAP);

	return !!(bits & crypt) + !!(bits & sign) + !!(bits & wrap) +
	       !!(bits & BIT(LUNA_BIT_DERIVE));
}

static u32 check_purposes(const struct luna_token *token, u32 bits)
{
	if (purposes(bits) > 1 && !luna_policy(token, CONTAINER_CONFIG_MULTIPURPOSE_KEYS))
		return CKR_TEMPLATE_INCONSISTENT;
	return CKR_OK;
}

/* A copy must not show to the public what only a login could see, unless it may be read anyway. */
static u32 check_exposed(const struct making *m, u32 bits)
{
	if (!m->was_private || (bits & BIT(LUNA_BIT_PRIVATE)) ||
	    !(m->kind.class_bit & LUNA_IN_HIDDEN))
		return CKR_OK;
	if ((bits & BIT(LUNA_BIT_SENSITIVE)) || !(bits & BIT(LUNA_BIT_EXTRACTABLE)))
		return CKR_TEMPLATE_INCONSISTENT;
	return CKR_OK;
}

static u32 check_object(const struct making *m, const struct luna_object *obj)
{
	u32 rv;

	rv = luna_object_rights(m->session, LUNA_DEED_MAKE, obj->class, obj->bits);
	if (rv == CKR_OK)
		rv = check_exposed(m, obj->bits);
	if (rv == CKR_OK)
		rv = check_purposes(m->token, obj->bits);
	return rv;
}

static u32 make_object(struct making *m, struct luna_object **obj)
{
	struct luna_attrs *attrs = luna_attrw_finish(&m->w);
	struct luna_object *made;
	u32 rv;

	if (IS_ERR(attrs))
		return CKR_DEVICE_MEMORY;
	made = luna_object_new(m->token, attrs);
	if (IS_ERR(made))
		return CKR_DEVICE_MEMORY;
	rv = check_object(m, made);
	if (rv) {
		luna_object_put(made);
		return rv;
	}
	if (!luna_object_is(made, LUNA_BIT_TOKEN)) {
		made->session = m->session->handle;
		made->owner = m->session->open;
	}
	*obj = made;
	return CKR_OK;
}

static u32 (*const make_steps[])(struct making *m) = {
	make_kind, make_given, make_template, make_required, make_computed, make_presets, make_engine,
};

u32 luna_object_make(struct luna_session *session, enum luna_origin how, const struct luna_tmpl *tmpl,
		     const struct luna_attrw *given, struct luna_object **obj)
{
	struct making m = { .session = session, .token = session->open->token, .how = how };
	u32 i, rv = CKR_OK;

	*obj = NULL;
	if (tmpl)
		m.tmpl = *tmpl;
	if (given && given->err)
		return CKR_DEVICE_MEMORY;
	if (given)
		m.given = luna_attrw_tmpl(given);
	if (how == LUNA_BY_CLONE && m.tmpl.len)
		return CKR_ARGUMENTS_BAD;
	luna_attrw_init(&m.w);
	for (i = 0; i < ARRAY_SIZE(make_steps) && rv == CKR_OK; i++)
		rv = make_steps[i](&m);
	if (rv == CKR_OK)
		rv = make_object(&m, obj);
	luna_attrw_free(&m.w);
	return rv;
}

/* Sets one attribute of an object that exists; *@changed: to another value. */
static u32 change_one(struct making *m, u32 type, const u8 *data, u32 len, bool *changed)
{
	const struct luna_attr_row *row = luna_attr_find(type, &m->kind);
	struct luna_value value;
	bool there;
	u32 rv;

	if (!row)
		return CKR_ATTRIBUTE_TYPE_INVALID;
	rv = luna_value_read(&value, row, data, len);
	if (rv == CKR_OK && !(row->flags & LUNA_ON_SET))
		rv = CKR_ATTRIBUTE_READ_ONLY;
	if (rv || making_holds(m, type, &value, &there))
		return rv;
	rv = check_change(m, row, LUNA_ON_SET, &value);
	if (rv)
		return rv;
	*changed = true;
	return luna_attr_put(&m->w, row, data, len);
}

static u32 change_finish(struct making *m, struct luna_attrs **attrs)
{
	struct luna_attrs *made = luna_attrw_finish(&m->w);
	u32 rv;

	if (IS_ERR(made))
		return CKR_DEVICE_MEMORY;
	rv = check_purposes(m->token, luna_attrs_bits(made, &m->kind));
	if (rv)
		luna_attrs_put(made);
	else
		*attrs = made;
	return rv;
}

/* SENSITIVE may go up here, but ALWAYS_SENSITIVE tells what was, and stays. */
u32 luna_object_changed(struct luna_session *session, const struct luna_object *obj,
			const struct luna_attrs *old, const struct luna_tmpl *tmpl,
			struct luna_attrs **attrs)
{
	struct making m = { .session = session, .token = session->open->token, .tmpl = *tmpl };
	u32 at = 0, type, len, rv;
	bool changed = false;
	const u8 *value;

	*attrs = NULL;
	rv = luna_kind_find(&m.kind, obj->class, obj->key_type);
	if (rv)
		return CKR_DEVICE_ERROR;
	luna_attrw_init(&m.w);
	m.given = luna_attrs_tmpl(old);
	rv = make_given(&m);
	while (rv == CKR_OK && luna_tmpl_next(&m.tmpl, &at, &type, &value, &len))
		rv = change_one(&m, type, value, len, &changed);
	if (rv == CKR_OK && changed)
		rv = change_finish(&m, attrs);
	luna_attrw_free(&m.w);
	return rv;
}
