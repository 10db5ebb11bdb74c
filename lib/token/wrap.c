// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Wrapping and unwrapping (PKCS#11 v2.40, 5.13.3 and 5.13.4): which key may leave under which
 * other one, and what becomes of wrapped bytes. The mechanisms are those of C_Encrypt, through
 * luna_op_once().
 *
 * Secret keys travel as their value, private keys as PKCS#8, under AES or DES3 only (an AES key for
 * that may be under RSA: rsa_aes.c). ECB and CBC take whole blocks, so that there the end is filled
 * with zeros, and cut off again; nothing but zeros is cut, or a long key could be turned into a
 * short one. All that can be wrong with wrapped bytes has one code, CKR_WRAPPED_KEY_INVALID.
 */
#include "attr.h"
#include "der.h"
#include "des3.h"
#include "ec.h"
#include "key_cmd.h"

/* Code of an operation or a key, and what it is called here. */
struct ckr_name {
	u32 from, to;
};

static const struct ckr_name wrap_names[] = {
	{ CKR_KEY_HANDLE_INVALID, CKR_WRAPPING_KEY_HANDLE_INVALID },
	{ CKR_KEY_TYPE_INCONSISTENT, CKR_WRAPPING_KEY_TYPE_INCONSISTENT },
	{ CKR_KEY_SIZE_RANGE, CKR_WRAPPING_KEY_SIZE_RANGE },
	{ CKR_DATA_LEN_RANGE, CKR_KEY_SIZE_RANGE },
	{ CKR_DATA_INVALID, CKR_KEY_NOT_WRAPPABLE },
};

static const struct ckr_name unwrap_names[] = {
	{ CKR_KEY_HANDLE_INVALID, CKR_UNWRAPPING_KEY_HANDLE_INVALID },
	{ CKR_KEY_TYPE_INCONSISTENT, CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT },
	{ CKR_KEY_SIZE_RANGE, CKR_UNWRAPPING_KEY_SIZE_RANGE },
	{ CKR_ENCRYPTED_DATA_INVALID, CKR_WRAPPED_KEY_INVALID },
	{ CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_WRAPPED_KEY_LEN_RANGE },
	{ CKR_DATA_LEN_RANGE, CKR_WRAPPED_KEY_LEN_RANGE },
};

static u32 rename_ckr(const struct ckr_name *names, u32 count, u32 rv)
{
	u32 i;

	for (i = 0; i < count; i++)
		if (names[i].from == rv)
			return names[i].to;
	return rv;
}

static u32 wrap_ckr(u32 rv)
{
	return rename_ckr(wrap_names, ARRAY_SIZE(wrap_names), rv);
}

static u32 unwrap_ckr(u32 rv)
{
	return rename_ckr(unwrap_names, ARRAY_SIZE(unwrap_names), rv);
}

static bool is_cipher(const struct luna_mech *mech)
{
	return mech->family == LUNA_FAMILY_AES || mech->family == LUNA_FAMILY_DES3;
}

/* Bytes of the blocks that the mechanism takes, if it takes whole ones only; else 1. */
static u32 unit(const struct luna_mech *mech)
{
	if (!is_cipher(mech) || (mech->variant != LUNA_AES_ECB && mech->variant != LUNA_AES_CBC))
		return 1;
	return mech->family == LUNA_FAMILY_AES ? LUNA_AES_BLOCK : LUNA_DES_BLOCK;
}

/*
 * Bytes of an AES key that is as strong (NIST SP 800-57 part 1, table 2); no AES key is stronger
 * than the last ones, and triple DES has 112 bits or, with two parts, 80.
 */
static u32 strength_secret(u32 key_type, u32 bytes)
{
	if (luna_des3_key_len(key_type))
		return key_type == CKK_DES2 ? 10 : 14;
	return min_t(u32, bytes, 32);
}

static u32 strength_rsa(u32 modulus)
{
	return modulus <= 3072 / 8 ? 16 : modulus <= 7680 / 8 ? 24 : 32;
}

static u32 strength_ec(enum luna_curve curve)
{
	return min_t(u32, luna_curve_bytes(curve) / 2, 32);
}

/* Policy 34 off: CBC_PAD must not carry a key under a weaker one. @strength: of the key carried */
static bool too_weak(struct luna_token *token, const struct luna_mech *mech,
		     struct luna_object *key, u32 strength)
{
	struct luna_attrs *attrs;
	bool weak = true;
	u32 len;

	if (!is_cipher(mech) || mech->variant != LUNA_AES_CBC_PAD ||
	    luna_policy(token, CONTAINER_CONFIG_CBC_PAD_WRAP_UNWRAP_KEYS_OF_ANY_SIZE))
		return false;
	attrs = luna_object_attrs(token, key);
	if (IS_ERR(attrs))
		return true;
	if (luna_attrs_bytes(attrs, CKA_VALUE, &len))
		weak = strength_secret(key->key_type, len) < strength;
	luna_attrs_put(attrs);
	return weak;
}

/* ---- wrap ---- */

struct wrap {
	struct luna_ucmd *cmd;
	struct luna_key_parts parts;
	const struct luna_mech *mech;
	struct luna_object *key, *target;
	struct luna_attrs *attrs;	/* of the target */
	u8 *plain;			/* what goes into the mechanism, room bytes */
	u32 plain_len, plain_room;
};

/* Every attribute of the wrapping key's CKA_WRAP_TEMPLATE must be the target's, too. */
static u32 check_wrap_template(const struct wrap *w)
{
	struct luna_attrs *attrs = luna_object_attrs(w->cmd->token, w->key);
	struct luna_tmpl tmpl;
	const u8 *value;
	u32 at = 0, type, len, rv;

	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	rv = luna_key_template(attrs, CKA_WRAP_TEMPLATE, &tmpl);
	while (rv == CKR_OK && luna_tmpl_next(&tmpl, &at, &type, &value, &len))
		if (!luna_attrs_equal(w->attrs, type, value, len))
			rv = CKR_KEY_NOT_WRAPPABLE;
	luna_attrs_put(attrs);
	return rv;
}

static u32 check_target(const struct wrap *w)
{
	const struct luna_object *target = w->target;
	bool private = target->class == CKO_PRIVATE_KEY;

	if (target->class == CKO_PUBLIC_KEY)
		return CKR_KEY_NOT_WRAPPABLE;
	if (!private && target->class != CKO_SECRET_KEY)
		return CKR_KEY_HANDLE_INVALID;
	if (!luna_object_is(target, LUNA_BIT_EXTRACTABLE))
		return CKR_KEY_UNEXTRACTABLE;
	if (luna_object_is(target, LUNA_BIT_WRAP_WITH_TRUSTED) &&
	    !luna_object_is(w->key, LUNA_BIT_TRUSTED))
		return CKR_KEY_NOT_WRAPPABLE;
	if (!luna_policy(w->cmd->token, private ? CONTAINER_CONFIG_PRIVATE_KEY_WRAPPING :
			 CONTAINER_CONFIG_SECRET_KEY_WRAPPING))
		return CKR_KEY_NOT_WRAPPABLE;
	if (private && w->mech->family == LUNA_FAMILY_RSA)
		return CKR_KEY_NOT_WRAPPABLE;
	return check_wrap_template(w);
}

static struct luna_num num_of(const struct luna_attrs *attrs, u32 type)
{
	struct luna_num num = { };

	num.data = luna_attrs_bytes(attrs, type, &num.len);
	if (!num.data)
		num.len = 0;
	return num;
}

/* Room for @len bytes of key and zeros behind them, as the mechanism needs. */
static u32 plain_alloc(struct wrap *w, u32 len)
{
	w->plain_len = ALIGN(len, unit(w->mech));
	w->plain_room = w->plain_len;
	w->plain = kvzalloc(w->plain_room, GFP_KERNEL);
	return w->plain ? CKR_OK : CKR_DEVICE_MEMORY;
}

static u32 plain_secret(struct wrap *w)
{
	u32 len, rv;
	const u8 *value = luna_attrs_bytes(w->attrs, CKA_VALUE, &len);

	if (!value || !len)
		return CKR_KEY_NOT_WRAPPABLE;
	if (too_weak(w->cmd->token, w->mech, w->key, strength_secret(w->target->key_type, len)))
		return CKR_KEY_NOT_WRAPPABLE;
	rv = plain_alloc(w, len);
	if (!rv)
		memcpy(w->plain, value, len);
	return rv;
}

/* A private key without its primes has no PKCS#8 form. */
static u32 plain_rsa(struct wrap *w)
{
	const struct luna_der_rsa key = {
		.n = num_of(w->attrs, CKA_MODULUS), .e = num_of(w->attrs, CKA_PUBLIC_EXPONENT),
		.d = num_of(w->attrs, CKA_PRIVATE_EXPONENT),
		.p = num_of(w->attrs, CKA_PRIME_1), .q = num_of(w->attrs, CKA_PRIME_2),
		.dp = num_of(w->attrs, CKA_EXPONENT_1), .dq = num_of(w->attrs, CKA_EXPONENT_2),
		.qi = num_of(w->attrs, CKA_COEFFICIENT),
	};
	int len = luna_der_pkcs8_rsa(&key, NULL, 0);
	u32 rv;

	if (len < 0 || too_weak(w->cmd->token, w->mech, w->key, strength_rsa(key.n.len)))
		return CKR_KEY_NOT_WRAPPABLE;
	rv = plain_alloc(w, len);
	if (!rv && luna_der_pkcs8_rsa(&key, w->plain, len) != len)
		rv = CKR_FUNCTION_FAILED;
	return rv;
}

static u32 plain_ec(struct wrap *w)
{
	const struct luna_tmpl tmpl = luna_attrs_tmpl(w->attrs);
	struct luna_der_ec key;
	int len;
	u32 rv;

	if (luna_ec_take(&tmpl, w->target->key_type, &key))
		return CKR_KEY_NOT_WRAPPABLE;
	len = luna_der_pkcs8_ec(&key, NULL, 0);
	if (len < 0 || too_weak(w->cmd->token, w->mech, w->key, strength_ec(key.curve)))
		return CKR_KEY_NOT_WRAPPABLE;
	rv = plain_alloc(w, len);
	if (!rv && luna_der_pkcs8_ec(&key, w->plain, len) != len)
		rv = CKR_FUNCTION_FAILED;
	return rv;
}

static u32 plain_private(struct wrap *w)
{
	return w->target->key_type == CKK_RSA ? plain_rsa(w) : plain_ec(w);
}

static u32 wrap_take(struct wrap *w)
{
	struct luna_ucmd *cmd = w->cmd;
	const struct luna_key *arg = cmd->arg;
	u32 rv;

	rv = luna_key_get(cmd->session, arg->key, CKA_WRAP, w->mech, &w->key);
	if (rv)
		return wrap_ckr(rv);
	w->target = luna_object_get(cmd->session, arg->target);
	if (IS_ERR_OR_NULL(w->target)) {
		rv = luna_object_none(w->target, CKR_KEY_HANDLE_INVALID);
		w->target = NULL;
		return rv;
	}
	w->attrs = luna_object_attrs(cmd->token, w->target);
	if (IS_ERR(w->attrs)) {
		rv = luna_ckr(PTR_ERR(w->attrs));
		w->attrs = NULL;
		return rv;
	}
	rv = check_target(w);
	if (rv)
		return rv;
	return w->target->class == CKO_PRIVATE_KEY ? plain_private(w) : plain_secret(w);
}

static u32 wrap_run(struct wrap *w)
{
	struct luna_key *arg = w->cmd->arg;
	u8 *out, *room;
	u32 len, rv;

	if (w->mech->family == LUNA_FAMILY_RSA_AES)
		rv = luna_rsa_aes_wrap(w->cmd->session, w->key, w->parts.param, w->parts.param_len,
				       w->plain, w->plain_len, &out, &len);
	else
		rv = luna_op_once(w->cmd->session, w->mech, LUNA_OP_ENCRYPT, w->key, w->parts.param,
				  w->parts.param_len, w->plain, w->plain_len, &out, &len);
	if (rv)
		return wrap_ckr(rv);
	rv = luna_reply_sized(w->cmd, len, arg->out_max, &arg->out_need, &room);
	if (!rv && room)
		memcpy(room, out, len);
	kvfree(out);
	return rv;
}

/**
 * luna_do_wrap() - LUNA_WRAP: C_WrapKey
 */
u32 luna_do_wrap(struct luna_ucmd *cmd)
{
	struct wrap w = { .cmd = cmd };
	u32 rv;

	rv = luna_key_parts(cmd, CKF_WRAP, &w.parts, &w.mech);
	if (rv)
		return rv;
	if (w.parts.tmpl.len || w.parts.tmpl2.len || w.parts.data_len)
		return CKR_ARGUMENTS_BAD;
	rv = wrap_take(&w);
	if (!rv)
		rv = wrap_run(&w);
	kvfree_sensitive(w.plain, w.plain_room);
	luna_attrs_put(w.attrs);
	luna_object_put(w.target);
	luna_object_put(w.key);
	return rv;
}

/* ---- unwrap ---- */

/**
 * struct unwrap - a key to be unwrapped
 * @merged: the caller's template and what CKA_UNWRAP_TEMPLATE adds; @tmpl reads it
 * @class, @key_type: as @tmpl says; a private key's type comes with it
 * @value_len: CKA_VALUE_LEN of @tmpl, or 0
 * @plain: what the mechanism gave, @plain_len bytes
 */
struct unwrap {
	struct luna_ucmd *cmd;
	struct luna_key_parts parts;
	const struct luna_mech *mech;
	struct luna_object *key;
	struct luna_attrw merged;
	struct luna_tmpl tmpl;
	u64 class, key_type, value_len;
	u8 *plain;
	u32 plain_len;
};

/* What can be said of a secret key before it is unwrapped. */
static u32 check_secret(struct unwrap *u)
{
	bool raw_rsa = u->mech->family == LUNA_FAMILY_RSA && u->mech->variant == LUNA_RSA_RAW;
	u32 rv;

	rv = luna_tmpl_need(&u->tmpl, CKA_KEY_TYPE, &u->key_type);
	if (rv)
		return rv;
	rv = luna_secret_len_need(&u->tmpl, u->key_type, &u->value_len);
	if (rv == CKR_TEMPLATE_INCOMPLETE && !raw_rsa)
		return CKR_OK;
	if (!rv && !luna_secret_len_fits(u->key_type, u->value_len))
		return CKR_ATTRIBUTE_VALUE_INVALID;
	return rv;
}

static u32 check_unwrapped(struct unwrap *u)
{
	bool private;
	u32 rv;

	rv = luna_tmpl_need(&u->tmpl, CKA_CLASS, &u->class);
	if (rv)
		return rv;
	private = u->class == CKO_PRIVATE_KEY;
	if (!private && u->class != CKO_SECRET_KEY)
		return CKR_TEMPLATE_INCONSISTENT;
	if (!luna_policy(u->cmd->token, private ? CONTAINER_CONFIG_PRIVATE_KEY_UNWRAPPING :
			 CONTAINER_CONFIG_SECRET_KEY_UNWRAPPING))
		return CKR_OPERATION_NOT_ALLOWED;
	if (!private)
		return check_secret(u);
	return u->mech->family == LUNA_FAMILY_RSA ? CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT : CKR_OK;
}

static u32 unwrap_take(struct unwrap *u)
{
	struct luna_ucmd *cmd = u->cmd;
	const struct luna_key *arg = cmd->arg;
	struct luna_attrs *attrs;
	u32 rv;

	rv = luna_key_get(cmd->session, arg->key, CKA_UNWRAP, u->mech, &u->key);
	if (rv)
		return unwrap_ckr(rv);
	attrs = luna_object_attrs(cmd->token, u->key);
	if (IS_ERR(attrs))
		return luna_ckr(PTR_ERR(attrs));
	rv = luna_tmpl_merge(&u->merged, &u->parts.tmpl, attrs, CKA_UNWRAP_TEMPLATE, &u->tmpl);
	luna_attrs_put(attrs);
	return rv ?: check_unwrapped(u);
}

/* Are there less than a block of bytes behind the key (@cut), and only zeros? */
static bool cut_fits(const struct luna_mech *mech, const u8 *filling, u32 cut)
{
	u8 seen = 0;
	u32 i;

	if (cut >= unit(mech))
		return false;
	for (i = 0; i < cut; i++)
		seen |= filling[i];
	return !seen;
}

/* Where the value of a secret key is in what was unwrapped, or NULL. */
static const u8 *find_secret(const struct unwrap *u, u32 *len)
{
	u32 want = u->value_len ?: u->plain_len, cut = u->plain_len - want;
	const u8 *start = u->plain;

	if (want > u->plain_len || !luna_secret_len_fits(u->key_type, want))
		return NULL;
	*len = want;
	if (unit(u->mech) > 1)
		return cut_fits(u->mech, start + want, cut) ? start : NULL;
	if (u->mech->family == LUNA_FAMILY_RSA && u->mech->variant == LUNA_RSA_RAW)
		return memchr_inv(start, 0, cut) ? NULL : start + cut;
	return cut ? NULL : start;
}

static u32 give_secret(struct unwrap *u, struct luna_attrw *given)
{
	u32 len;
	const u8 *value = find_secret(u, &len);

	if (!value)
		return CKR_WRAPPED_KEY_INVALID;
	if (luna_des3_key_len(u->key_type) && !luna_des3_parity_good(value, len))
		return CKR_WRAPPED_KEY_INVALID;
	if (too_weak(u->cmd->token, u->mech, u->key, strength_secret(u->key_type, len)))
		return CKR_OPERATION_NOT_ALLOWED;
	luna_attrw_ulong(given, CKA_CLASS, CKO_SECRET_KEY);
	luna_attrw_ulong(given, CKA_KEY_TYPE, u->key_type);
	luna_attrw_set(given, CKA_VALUE, value, len);
	return luna_ckr(given->err);
}

/* Does the provider take the numbers for a key? It checks what can be checked. */
static u32 try_rsa(struct unwrap *u, const struct luna_der_rsa *key)
{
	const struct luna_crypto_ops *c = u->cmd->token->crypto;
	const struct luna_rsa_nums nums = {
		.n = key->n, .e = key->e, .d = key->d, .p = key->p, .q = key->q,
		.dp = key->dp, .dq = key->dq, .qi = key->qi,
	};
	struct luna_rsa_key *made = c->rsa_key(&nums);

	if (IS_ERR(made))
		return PTR_ERR(made) == -EINVAL ? CKR_WRAPPED_KEY_INVALID : luna_ckr(PTR_ERR(made));
	c->rsa_key_free(made);
	return CKR_OK;
}

static u32 give_rsa(struct unwrap *u, const struct luna_der_rsa *key, struct luna_attrw *given)
{
	u32 rv = try_rsa(u, key);

	if (rv)
		return rv;
	if (too_weak(u->cmd->token, u->mech, u->key, strength_rsa(key->n.len)))
		return CKR_OPERATION_NOT_ALLOWED;
	luna_attrw_ulong(given, CKA_KEY_TYPE, CKK_RSA);
	luna_rsa_attrs(given, key, true);
	return CKR_OK;
}

/* The template may call the type by its older number. */
static u32 ec_key_type(const struct unwrap *u, enum luna_curve curve)
{
	u32 type = luna_curve_key_type(curve);
	u64 asked;

	if (luna_tmpl_ulong(&u->tmpl, CKA_KEY_TYPE, &asked) &&
	    luna_key_type_standard(asked) == type)
		return asked;
	return type;
}

static u32 give_ec(struct unwrap *u, const struct luna_der_ec *key, struct luna_attrw *given)
{
	struct luna_num params;
	u8 *point;
	u32 rv;

	if (too_weak(u->cmd->token, u->mech, u->key, strength_ec(key->curve)))
		return CKR_OPERATION_NOT_ALLOWED;
	point = kmalloc(LUNA_EC_POINT_MAX, GFP_KERNEL);
	if (!point)
		return CKR_DEVICE_MEMORY;
	rv = luna_ec_try(u->cmd->token, key, CKR_WRAPPED_KEY_INVALID, point);
	if (!rv) {
		luna_curve_params(key->curve, &params);
		luna_attrw_ulong(given, CKA_KEY_TYPE, ec_key_type(u, key->curve));
		luna_attrw_set(given, CKA_EC_PARAMS, params.data, params.len);
		luna_ec_attrs(given, key->curve, point, &key->value);
	}
	kfree(point);
	return rv;
}

static u32 give_private(struct unwrap *u, struct luna_attrw *given)
{
	u32 len = u->plain_len, rv = CKR_WRAPPED_KEY_INVALID;
	struct luna_der_rsa rsa;
	struct luna_der_ec ec;

	if (unit(u->mech) > 1) {
		len = luna_der_size(u->plain, u->plain_len);
		if (!cut_fits(u->mech, u->plain + len, u->plain_len - len))
			return CKR_WRAPPED_KEY_INVALID;
	}
	luna_attrw_ulong(given, CKA_CLASS, CKO_PRIVATE_KEY);
	if (!luna_der_pkcs8_rsa_parse(u->plain, len, &rsa))
		rv = give_rsa(u, &rsa, given);
	else if (!luna_der_pkcs8_ec_parse(u->plain, len, &ec))
		rv = give_ec(u, &ec, given);
	return rv ?: luna_ckr(given->err);
}

static u32 unwrap_make(struct unwrap *u, struct luna_object **obj)
{
	struct luna_attrw given;
	u32 rv;

	luna_attrw_init(&given);
	if (u->class == CKO_PRIVATE_KEY)
		rv = give_private(u, &given);
	else
		rv = give_secret(u, &given);
	if (!rv)
		rv = luna_object_make(u->cmd->session, LUNA_BY_UNWRAP, &u->tmpl, &given, obj);
	luna_attrw_free(&given);
	return rv;
}

static u32 unwrap_run(struct unwrap *u)
{
	struct luna_key *arg = u->cmd->arg;
	struct luna_object *obj;
	u32 rv;

	if (u->mech->family == LUNA_FAMILY_RSA_AES)
		rv = luna_rsa_aes_unwrap(u->cmd->session, u->key, u->parts.param,
					 u->parts.param_len, u->parts.data, u->parts.data_len,
					 &u->plain, &u->plain_len);
	else
		rv = luna_op_once(u->cmd->session, u->mech, LUNA_OP_DECRYPT, u->key, u->parts.param,
				  u->parts.param_len, u->parts.data, u->parts.data_len, &u->plain,
				  &u->plain_len);
	if (rv)
		return unwrap_ckr(rv);
	rv = unwrap_make(u, &obj);
	if (rv)
		return rv;
	rv = luna_objects_publish(u->cmd->session, &obj, 1, &arg->handle);
	if (rv)
		luna_object_put(obj);
	return rv;
}

/**
 * luna_do_unwrap() - LUNA_UNWRAP: C_UnwrapKey
 */
u32 luna_do_unwrap(struct luna_ucmd *cmd)
{
	struct unwrap u = { .cmd = cmd };
	u32 rv;

	rv = luna_key_parts(cmd, CKF_UNWRAP, &u.parts, &u.mech);
	if (rv)
		return rv;
	if (u.parts.tmpl2.len)
		return CKR_ARGUMENTS_BAD;
	luna_attrw_init(&u.merged);
	rv = unwrap_take(&u);
	if (!rv)
		rv = unwrap_run(&u);
	kvfree_sensitive(u.plain, u.plain_len);
	luna_attrw_free(&u.merged);
	luna_object_put(u.key);
	return rv;
}
