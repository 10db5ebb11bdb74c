// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Templates of commands that make keys, and those that a key holds for the keys made with it
 * (CKA_UNWRAP_TEMPLATE, CKA_DERIVE_TEMPLATE; PKCS#11 v2.40, 4.10).
 */
#include "attr.h"
#include "key_cmd.h"

u32 luna_tmpl_need(const struct luna_tmpl *tmpl, u32 type, u64 *value)
{
	u32 len;

	if (!luna_tmpl_get(tmpl, type, &len))
		return CKR_TEMPLATE_INCOMPLETE;
	return luna_tmpl_ulong(tmpl, type, value) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

/* It was checked when it was stored, but nothing authenticates what a store gives back of it. */
u32 luna_key_template(const struct luna_attrs *attrs, u32 type, struct luna_tmpl *tmpl)
{
	u32 len;
	const u8 *value = luna_attrs_bytes(attrs, type, &len);

	return luna_tmpl_check(tmpl, value, len) ? CKR_DEVICE_ERROR : CKR_OK;
}

/* Is the caller's value the one that the key demands, which is in stored form? */
static bool same_value(u32 type, const u8 *caller, u32 caller_len, const u8 *demanded, u32 len)
{
	const struct luna_attr_row *row = luna_attr_any(type);
	struct luna_value value;

	if (!row || luna_value_read(&value, row, caller, caller_len))
		return false;
	return value.len == len && !memcmp(value.data, demanded, len);
}

u32 luna_tmpl_merge(struct luna_attrw *merged, const struct luna_tmpl *caller,
		    const struct luna_attrs *key, u32 demands, struct luna_tmpl *tmpl)
{
	u32 at = 0, type, len, own_len, rv;
	struct luna_tmpl demanded;
	const u8 *value, *own;

	while (luna_tmpl_next(caller, &at, &type, &value, &len))
		luna_attrw_set(merged, type, value, len);
	rv = luna_key_template(key, demands, &demanded);
	if (rv)
		return rv;
	at = 0;
	while (luna_tmpl_next(&demanded, &at, &type, &value, &len)) {
		own = luna_tmpl_get(caller, type, &own_len);
		if (!own)
			luna_attrw_set(merged, type, value, len);
		else if (!same_value(type, own, own_len, value, len))
			return CKR_TEMPLATE_INCONSISTENT;
	}
	*tmpl = luna_attrw_tmpl(merged);
	return luna_ckr(merged->err);
}
