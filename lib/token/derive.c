// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * C_DeriveKey (PKCS#11 v2.40, 5.13.5): what all mechanisms have in common. Key type and length are
 * settled before anything is computed (mechanisms, 2.20.5): without either the key is a generic
 * secret as long as the mechanism gives; a length alone asks for a generic secret of that length; a
 * type needs a length, unless it has one of its own.
 */
#include "attr.h"
#include "derive.h"
#include "des3.h"

struct luna_num luna_derive_secret(const struct luna_attrs *attrs)
{
	struct luna_num value = { };

	value.data = luna_attrs_bytes(attrs, CKA_VALUE, &value.len);
	if (!value.data)
		value.len = 0;
	return value;
}

u32 luna_derive_room(struct luna_derive *d, u32 len)
{
	d->value = kvzalloc(len, GFP_KERNEL);
	if (!d->value)
		return CKR_DEVICE_MEMORY;
	d->len = len;
	return CKR_OK;
}

/* What the new key inherits of a key that it is made of. */
static void inherit(struct luna_derive *d, const struct luna_object *key)
{
	d->sensitive |= luna_object_is(key, LUNA_BIT_SENSITIVE);
	d->unextractable |= !luna_object_is(key, LUNA_BIT_EXTRACTABLE);
	d->trusted_only |= luna_object_is(key, LUNA_BIT_WRAP_WITH_TRUSTED);
	d->always_sensitive &= luna_object_is(key, LUNA_BIT_ALWAYS_SENSITIVE);
	d->never_extractable &= luna_object_is(key, LUNA_BIT_NEVER_EXTRACTABLE);
}

/* A key to derive from, in @obj and @attrs, which stay the derivation's in every case. */
static u32 take_key(struct luna_derive *d, u32 handle, struct luna_object **obj,
		    struct luna_attrs **attrs)
{
	struct luna_ucmd *cmd = d->cmd;
	u32 rv;

	rv = luna_key_get(cmd->session, handle, CKA_DERIVE, d->mech, obj);
	if (rv)
		return rv;
	*attrs = luna_object_attrs(cmd->token, *obj);
	if (IS_ERR(*attrs)) {
		rv = luna_ckr(PTR_ERR(*attrs));
		*attrs = NULL;
		return rv;
	}
	inherit(d, *obj);
	if ((*obj)->class == CKO_SECRET_KEY &&
	    !luna_mech_key_size(cmd->token, d->mech, false, luna_derive_secret(*attrs).len))
		return CKR_KEY_SIZE_RANGE;
	return CKR_OK;
}

u32 luna_derive_other(struct luna_derive *d, u32 handle)
{
	return take_key(d, handle, &d->other, &d->other_base);
}

/* d->want; CKR_TEMPLATE_INCOMPLETE: nobody said. */
static u32 derive_size(struct luna_derive *d)
{
	u64 len = 0;
	u32 rv;

	rv = luna_secret_len_need(&d->tmpl, d->key_type, &len);
	if (rv)
		return rv;
	if (len > LUNA_SECRET_MAX)
		return CKR_KEY_SIZE_RANGE;
	if (!luna_secret_len_fits(d->key_type, len))
		return CKR_TEMPLATE_INCONSISTENT;
	d->want = len;
	return CKR_OK;
}

static u32 derive_kind(struct luna_derive *d)
{
	const struct luna_derive_ops *ops = d->mech->derive;
	struct luna_kind kind;
	u32 typed, rv;

	d->key_type = CKK_GENERIC_SECRET;
	typed = ops->data ? CKR_TEMPLATE_INCOMPLETE :
			    luna_tmpl_need(&d->tmpl, CKA_KEY_TYPE, &d->key_type);
	if (typed == CKR_ATTRIBUTE_VALUE_INVALID)
		return typed;
	rv = luna_kind_find(&kind, CKO_SECRET_KEY, d->key_type);
	if (rv)
		return rv;
	d->typed = typed == CKR_OK;
	rv = derive_size(d);
	if (rv == CKR_TEMPLATE_INCOMPLETE && !ops->sized && (!d->typed || ops->any_length))
		return CKR_OK;
	return rv;
}

static u32 derive_take(struct luna_derive *d)
{
	const struct luna_key *arg = d->cmd->arg;
	u32 rv;

	rv = take_key(d, arg->key, &d->key, &d->base);
	if (!rv)
		rv = luna_tmpl_merge(&d->merged, &d->parts.tmpl, d->base, CKA_DERIVE_TEMPLATE,
				     &d->tmpl);
	return rv ?: derive_kind(d);
}

/* The value of the new key: d->value, d->want bytes. */
static u32 derive_value(struct luna_derive *d)
{
	const struct luna_derive_ops *ops = d->mech->derive;
	u32 rv;

	rv = ops->compute(d);
	if (rv)
		return rv;
	if (!d->want)
		d->want = d->len;
	if (d->len < d->want)
		return ops->short_rv;
	if (luna_des3_key_len(d->key_type))
		luna_des3_set_parity(d->value, d->want);
	return luna_secret_len_fits(d->key_type, d->want) ? CKR_OK : CKR_KEY_SIZE_RANGE;
}

/* The template without the length, which a data object does not have. */
static u32 data_template(struct luna_derive *d)
{
	struct luna_attrw rest;
	u32 at = 0, type, len;
	const u8 *value;

	luna_attrw_init(&rest);
	while (luna_tmpl_next(&d->tmpl, &at, &type, &value, &len))
		if (type != CKA_VALUE_LEN)
			luna_attrw_set(&rest, type, value, len);
	luna_attrw_free(&d->merged);
	d->merged = rest;
	d->tmpl = luna_attrw_tmpl(&d->merged);
	return luna_ckr(d->merged.err);
}

static void data_attrs(const struct luna_derive *d, struct luna_attrw *given)
{
	luna_attrw_ulong(given, CKA_CLASS, CKO_DATA);
	luna_attrw_set(given, CKA_VALUE, d->value, d->want);
}

static void key_attrs(const struct luna_derive *d, struct luna_attrw *given)
{
	luna_attrw_ulong(given, CKA_CLASS, CKO_SECRET_KEY);
	luna_attrw_ulong(given, CKA_KEY_TYPE, d->key_type);
	luna_attrw_set(given, CKA_VALUE, d->value, d->want);
	if (!d->key) {
		luna_attrw_ulong(given, CKA_KEY_GEN_MECHANISM, d->mech->type);
		return;
	}
	luna_attrw_bool(given, CKA_ALWAYS_SENSITIVE, d->always_sensitive);
	luna_attrw_bool(given, CKA_NEVER_EXTRACTABLE, d->never_extractable);
	if (d->mech->derive->bound && d->sensitive)
		luna_attrw_bool(given, CKA_SENSITIVE, true);
	if (d->mech->derive->bound && d->unextractable)
		luna_attrw_bool(given, CKA_EXTRACTABLE, false);
	if (d->mech->derive->bound && d->trusted_only)
		luna_attrw_bool(given, CKA_WRAP_WITH_TRUSTED, true);
}

static u32 derive_run(struct luna_derive *d)
{
	struct luna_key *arg = d->cmd->arg;
	struct luna_attrw given;
	struct luna_object *obj;
	u32 rv;

	rv = derive_value(d);
	if (!rv && d->mech->derive->data)
		rv = data_template(d);
	if (rv)
		return rv;
	luna_attrw_init(&given);
	if (d->mech->derive->data)
		data_attrs(d, &given);
	else
		key_attrs(d, &given);
	rv = luna_object_make(d->cmd->session, d->key ? LUNA_BY_DERIVE : LUNA_BY_GENERATE, &d->tmpl,
			      &given, &obj);
	luna_attrw_free(&given);
	if (rv)
		return rv;
	rv = luna_objects_publish(d->cmd->session, &obj, 1, &arg->handle);
	if (rv)
		luna_object_put(obj);
	return rv;
}

/**
 * luna_do_derive() - LUNA_DERIVE: C_DeriveKey
 */
u32 luna_do_derive(struct luna_ucmd *cmd)
{
	struct luna_derive d = {
		.cmd = cmd, .always_sensitive = true, .never_extractable = true,
	};
	u32 rv;

	rv = luna_key_parts(cmd, CKF_DERIVE, &d.parts, &d.mech);
	if (rv)
		return rv;
	if (d.parts.tmpl2.len || d.parts.data_len)
		return CKR_ARGUMENTS_BAD;
	luna_attrw_init(&d.merged);
	rv = derive_take(&d);
	if (!rv)
		rv = derive_run(&d);
	kvfree_sensitive(d.value, d.len);
	luna_attrw_free(&d.merged);
	luna_attrs_put(d.other_base);
	luna_attrs_put(d.base);
	luna_object_put(d.other);
	luna_object_put(d.key);
	return rv;
}

u32 luna_derive_generate(struct luna_ucmd *cmd, const struct luna_mech *mech,
			 const struct luna_key_parts *parts)
{
	struct luna_derive d = {
		.cmd = cmd, .mech = mech, .parts = *parts, .tmpl = parts->tmpl,
	};
	u32 rv;

	luna_attrw_init(&d.merged);
	rv = derive_kind(&d);
	if (!rv)
		rv = derive_run(&d);
	kvfree_sensitive(d.value, d.len);
	luna_attrw_free(&d.merged);
	return rv;
}
