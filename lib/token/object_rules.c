// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The rules between attributes (PKCS#11 v2.40, 4 and 5.7): how a template becomes an object, and
 * what may change later. What a single attribute is stands in the table of attr.c.
 *
 * Where the standard leaves it open: an attribute that an object of that kind does not have is
 * CKR_ATTRIBUTE_TYPE_INVALID; one that may not be given is CKR_ATTRIBUTE_READ_ONLY, unless it
 * repeats what the object has anyway. C_UnwrapKey makes keys extractable unless told otherwise
 * (5.13).
 */
#include "object_rules.h"

static bool making_is(const struct luna_making *m, u32 type)
{
	const struct luna_tmpl made = luna_attrw_tmpl(&m->w);
	bool value;

	return luna_tmpl_bool(&made, type, &value) && value;
}

static bool making_by_so(const struct luna_making *m)
{
	return luna_session_role(m->session) == LUNA_ROLE_SO;
}

/* Does what was made so far hold this very value? *@there: it holds one at all. */
static bool making_holds(const struct luna_making *m, u32 type, const struct luna_value *value,
			 bool *there)
{
	const u8 *data;
	u32 len;

	data = luna_making_get(m, type, &len);
	*there = data;
	return data && len == value->len && !crypto_memneq(data, value->data, len);
}

/* CLASS and KEY_TYPE: the engine's word or the template's, which may not differ. */
static u32 kind_ulong(const struct luna_making *m, u32 type, u64 *value)
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

static u32 make_kind(struct luna_making *m)
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

/*
 * A copy is another object, so it has an OUID of its own, and the SO has not vouched for it. But it
 * is the same key, which must not come to do what the SO did not vouch for: it stays as it is.
 */
static bool given_stays_behind(const struct luna_making *m, u32 type)
{
	return m->how == LUNA_BY_COPY &&
	       (type == CKA_OUID || (type == CKA_TRUSTED && !making_by_so(m)));
}

static u32 make_given(struct luna_making *m)
{
	const struct luna_attr_row *row;
	u32 at = 0, type, len, rv;
	const u8 *value;

	luna_tmpl_bool(&m->given, CKA_TRUSTED, &m->was_trusted);
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
	if (m->how == LUNA_BY_COPY && m->was_trusted && luna_kind_is_key(&m->kind) &&
	    !making_by_so(m))
		luna_attrw_bool(&m->w, CKA_MODIFIABLE, false);
	return CKR_OK;
}

/* May a boolean go to @on? It differs from what it was. */
static u32 check_latch(const struct luna_making *m, const struct luna_attr_row *row, bool on)
{
	if ((row->flags & LUNA_ATTR_LATCH_ON) && !on)
		return CKR_ATTRIBUTE_READ_ONLY;
	if ((row->flags & LUNA_ATTR_LATCH_OFF) && on)
		return CKR_ATTRIBUTE_READ_ONLY;
	if ((row->flags & LUNA_ATTR_SO) && !making_by_so(m))
		return CKR_ATTRIBUTE_READ_ONLY;
	return CKR_OK;
}

/*
 * May an attribute that an object has, or could have, get another value? @when: LUNA_ON_COPY or
 * LUNA_ON_SET. What the SO has vouched for as a wrapping key must not turn into a decrypting one,
 * nor its copy, and only the SO takes the word back: what was wrapped under it is out there.
 */
static u32 check_change(const struct luna_making *m, const struct luna_attr_row *row, u32 when,
			const struct luna_value *value)
{
	if (!(row->flags & when))
		return CKR_ATTRIBUTE_READ_ONLY;
	if (m->frozen && (row->flags & LUNA_ON_SET) && row->type != CKA_COPYABLE)
		return CKR_ATTRIBUTE_READ_ONLY;
	if (row->flags & LUNA_ATTR_USAGE) {
		if (!luna_policy(m->token, CONTAINER_CONFIG_CHANGE_KEY_ATTRIBUTES))
			return CKR_ATTRIBUTE_READ_ONLY;
		if (m->was_trusted && !making_by_so(m))
			return CKR_ATTRIBUTE_READ_ONLY;
	}
	return row->kind == LUNA_ATTR_BOOL ? check_latch(m, row, value->truth) : CKR_OK;
}

/* May the maker give this value? @there: the engine has another one already. */
static u32 check_make(const struct luna_making *m, const struct luna_attr_row *row, bool there,
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
static bool asks_for_default(const struct luna_making *m, u32 type, const struct luna_value *value)
{
	return m->how == LUNA_BY_GENERATE && type == CKA_PUBLIC_EXPONENT && !value->len;
}

static u32 make_one(struct luna_making *m, u32 type, const u8 *data, u32 len)
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
	/* luna_making_compute() compares it */
	if (m->how != LUNA_BY_COPY && (row->flags & LUNA_ATTR_COMPUTED) &&
	    (row->flags & BIT(m->how)))
		return CKR_OK;
	if (m->how == LUNA_BY_COPY)
		rv = check_change(m, row, LUNA_ON_COPY, &value);
	else
		rv = check_make(m, row, there, &value);
	return rv ? rv : luna_attr_put(&m->w, row, data, len);
}

static u32 make_template(struct luna_making *m)
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

static u32 make_required(struct luna_making *m)
{
	const struct luna_attr_row *row;
	u32 at = 0, len;

	while ((row = luna_attr_next(&m->kind, &at)) != NULL)
		if ((row->flags & LUNA_ATTR_REQUIRED) && !luna_making_get(m, row->type, &len))
			return CKR_TEMPLATE_INCOMPLETE;
	return CKR_OK;
}

/* ---- what nobody gave ---- */

/* Where keys of many uses are forbidden, what is not asked for is not wanted. */
static enum luna_preset preset_of(const struct luna_making *m, const struct luna_attr_row *row)
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

static u32 make_presets(struct luna_making *m)
{
	const struct luna_attr_row *row;
	u32 at = 0, len;

	while ((row = luna_attr_next(&m->kind, &at)) != NULL)
		if (row->preset != LUNA_PRESET_NONE && !luna_making_get(m, row->type, &len))
			preset_set(&m->w, row->type, preset_of(m, row));
	return CKR_OK;
}

/* ALWAYS_SENSITIVE and NEVER_EXTRACTABLE; a derived key cannot be better than its base. */
static void make_history(struct luna_making *m)
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

static u32 make_ouid(struct luna_making *m)
{
	u8 ouid[LUNA_OUID_LEN];
	u32 len;
	int ret;

	if (luna_making_get(m, CKA_OUID, &len))
		return len == LUNA_OUID_LEN ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
	ret = m->token->crypto->random(ouid, sizeof(ouid));
	if (ret)
		return luna_ckr(ret);
	if (!ouid[0])
		ouid[0] = 1;
	luna_attrw_set(&m->w, CKA_OUID, ouid, sizeof(ouid));
	return CKR_OK;
}

static u32 make_engine(struct luna_making *m)
{
	bool inherits = m->how == LUNA_BY_COPY || m->how == LUNA_BY_CLONE;
	u32 len;

	if (!inherits && luna_kind_is_key(&m->kind))
		luna_attrw_bool(&m->w, CKA_LOCAL, m->how == LUNA_BY_GENERATE);
	if (!inherits && (m->kind.class_bit & LUNA_IN_HIDDEN))
		make_history(m);
	if (luna_kind_is_key(&m->kind) && !luna_making_get(m, CKA_KEY_GEN_MECHANISM, &len))
		luna_attrw_ulong(&m->w, CKA_KEY_GEN_MECHANISM, U64_MAX);
	return make_ouid(m);
}

/* ---- rights and policies ---- */

static bool class_is_key(u32 class)
{
	return class == CKO_PUBLIC_KEY || class == CKO_PRIVATE_KEY || class == CKO_SECRET_KEY;
}

/*
 * The crypto user works with keys; what it makes is public, and the token's keys are not its own.
 */
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
static u32 check_exposed(const struct luna_making *m, u32 bits)
{
	if (!m->was_private || (bits & BIT(LUNA_BIT_PRIVATE)) ||
	    !(m->kind.class_bit & LUNA_IN_HIDDEN))
		return CKR_OK;
	if ((bits & BIT(LUNA_BIT_SENSITIVE)) || !(bits & BIT(LUNA_BIT_EXTRACTABLE)))
		return CKR_TEMPLATE_INCONSISTENT;
	return CKR_OK;
}

static u32 check_object(const struct luna_making *m, const struct luna_object *obj)
{
	u32 rv;

	rv = luna_object_rights(m->session, LUNA_DEED_MAKE, obj->class, obj->bits);
	if (rv == CKR_OK)
		rv = check_exposed(m, obj->bits);
	if (rv == CKR_OK)
		rv = check_purposes(m->token, obj->bits);
	return rv;
}

static u32 make_object(struct luna_making *m, struct luna_object **obj)
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

static u32 (*const make_steps[])(struct luna_making *m) = {
	make_kind, make_given, make_template, make_required,
	luna_making_compute, make_presets, make_engine,
};

u32 luna_object_make(struct luna_session *session, enum luna_origin how,
		     const struct luna_tmpl *tmpl, const struct luna_attrw *given,
		     struct luna_object **obj)
{
	struct luna_making m = { .session = session, .token = session->open->token, .how = how };
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
	for (i = 0; i < ARRAY_SIZE(make_steps) && rv == CKR_OK; i++) {
		rv = make_steps[i](&m);
		if (m.w.err)		/* something is missing, so that any other code is wrong */
			rv = CKR_DEVICE_MEMORY;
	}
	if (rv == CKR_OK)
		rv = make_object(&m, obj);
	luna_attrw_free(&m.w);
	return rv;
}

/* The steps of a making that ask nothing of a session. */
static u32 (*const verify_steps[])(struct luna_making *m) = {
	make_kind, make_given, make_required, luna_making_compute,
};

/* Is what was made what was given, byte by byte? */
static bool made_as_given(struct luna_making *m)
{
	struct luna_attrs *made = luna_attrw_finish(&m->w);
	bool same;

	if (IS_ERR(made)) {
		m->w.err = PTR_ERR(made);
		return false;
	}
	same = made->len == m->given.len && !crypto_memneq(made->data, m->given.data, made->len);
	luna_attrs_put(made);
	return same;
}

u32 luna_attrs_verify(struct luna_token *token, const struct luna_attrs *attrs)
{
	struct luna_making m = { .token = token, .how = LUNA_BY_CLONE };
	u32 i, rv = CKR_OK;

	m.given = luna_attrs_tmpl(attrs);
	luna_attrw_init(&m.w);
	for (i = 0; i < ARRAY_SIZE(verify_steps) && rv == CKR_OK; i++)
		rv = verify_steps[i](&m);
	if (rv == CKR_OK && !made_as_given(&m))
		rv = CKR_DATA_INVALID;
	if (m.w.err)
		rv = CKR_DEVICE_MEMORY;
	luna_attrw_free(&m.w);
	return rv == CKR_OK || rv == CKR_DEVICE_MEMORY ? rv : CKR_DATA_INVALID;
}

/* Sets one attribute of an object that exists; *@changed: to another value. */
static u32 change_one(struct luna_making *m, u32 type, const u8 *data, u32 len, bool *changed)
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

static u32 change_finish(struct luna_making *m, struct luna_attrs **attrs)
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
	struct luna_making m = { .session = session, .token = session->open->token, .tmpl = *tmpl };
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
	if (m.w.err)
		rv = CKR_DEVICE_MEMORY;
	else if (rv == CKR_OK && changed)
		rv = change_finish(&m, attrs);
	luna_attrw_free(&m.w);
	return rv;
}
