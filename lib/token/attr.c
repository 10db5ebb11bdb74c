// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The table of attributes (PKCS#11 v2.40, 4) and the values that they take. Lists of attributes are
 * in attr_list.c, the rules between attributes in object_rules.c.
 *
 * What an object gets that is not told how a key may be used is left to the token by the standard.
 * Here a key may then do what is natural for its class and type, but not derive: plain clients
 * (pkcs11-tool) count on it, and SoftHSM does the same. Montgomery keys can do nothing but that.
 */
#include "attr.h"

#define ROW(_type, _kind, _classes, _types, _preset, _bit, _flags) {		\
	.type = (_type), .kind = LUNA_ATTR_##_kind, .classes = (_classes),	\
	.types = (_types), .preset = LUNA_PRESET_##_preset, .bit = (_bit), .flags = (_flags) }
/* Most attributes: no matter which key type, not among luna_object.bits. */
#define PLAIN(_type, _kind, _classes, _preset, _flags)				\
	ROW(_type, _kind, _classes, LUNA_OF_ANY, _preset, LUNA_NO_BIT, _flags)
#define FLAG(_type, _classes, _preset, _bit, _flags)				\
	ROW(_type, BOOL, _classes, LUNA_OF_ANY, _preset, LUNA_BIT_##_bit, _flags)
#define USAGE(_type, _classes, _types, _preset, _bit)				\
	ROW(_type, BOOL, _classes, _types, _preset, LUNA_BIT_##_bit, LUNA_ON_EDIT | LUNA_ATTR_USAGE)
#define EC(_type, _classes, _flags)						\
	ROW(_type, BYTES, _classes, LUNA_OF_CURVES, NONE, LUNA_NO_BIT, _flags)
#define RSA(_type, _classes, _flags)						\
	ROW(_type, BIGINT, _classes, LUNA_OF_RSA, NONE, LUNA_NO_BIT, _flags)
/* What only a part of a private RSA key is called. */
#define RSA_SECRET(_type, _flags)						\
	RSA(_type, LUNA_IN_PRIVATE, LUNA_ON_CREATE | LUNA_ATTR_SENSITIVE | (_flags))

/* Sorted by type. */
static const struct luna_attr_row rows[] = {
	PLAIN(CKA_CLASS, ULONG, LUNA_IN_ALL, NONE, LUNA_ON_MAKE | LUNA_ATTR_REQUIRED),
	FLAG(CKA_TOKEN, LUNA_IN_ALL, FALSE, TOKEN, LUNA_ON_MAKE | LUNA_ON_COPY),
	FLAG(CKA_PRIVATE, LUNA_IN_DATA | LUNA_IN_CERT | LUNA_IN_PUBLIC, FALSE, PRIVATE,
	     LUNA_ON_MAKE | LUNA_ON_COPY),
	FLAG(CKA_PRIVATE, LUNA_IN_HIDDEN, TRUE, PRIVATE, LUNA_ON_MAKE | LUNA_ON_COPY),
	PLAIN(CKA_LABEL, STRING, LUNA_IN_ALL, EMPTY, LUNA_ON_EDIT),
	PLAIN(CKA_APPLICATION, STRING, LUNA_IN_DATA, EMPTY, LUNA_ON_EDIT),
	PLAIN(CKA_VALUE, BYTES, LUNA_IN_DATA, EMPTY, LUNA_ON_EDIT),
	PLAIN(CKA_VALUE, BYTES, LUNA_IN_CERT, EMPTY, LUNA_ON_CREATE),
	PLAIN(CKA_VALUE, BYTES, LUNA_IN_SECRET, NONE,
	      LUNA_ON_CREATE | LUNA_ATTR_REQUIRED | LUNA_ATTR_SENSITIVE),
	EC(CKA_VALUE, LUNA_IN_PRIVATE, LUNA_ON_CREATE | LUNA_ATTR_REQUIRED | LUNA_ATTR_SENSITIVE),
	PLAIN(CKA_OBJECT_ID, BYTES, LUNA_IN_DATA, EMPTY, LUNA_ON_EDIT),
	PLAIN(CKA_CERTIFICATE_TYPE, ULONG, LUNA_IN_CERT, NONE, LUNA_ON_CREATE | LUNA_ATTR_REQUIRED),
	PLAIN(CKA_ISSUER, BYTES, LUNA_IN_CERT, EMPTY, LUNA_ON_EDIT),
	PLAIN(CKA_SERIAL_NUMBER, BYTES, LUNA_IN_CERT, EMPTY, LUNA_ON_EDIT),
	FLAG(CKA_TRUSTED, LUNA_IN_CERT | LUNA_IN_PUBLIC | LUNA_IN_SECRET, FALSE, TRUSTED,
	     LUNA_ON_EDIT | LUNA_ATTR_SO),
	PLAIN(CKA_CERTIFICATE_CATEGORY, ULONG, LUNA_IN_CERT, ZERO, LUNA_ON_CREATE),
	PLAIN(CKA_JAVA_MIDP_SECURITY_DOMAIN, ULONG, LUNA_IN_CERT, ZERO, LUNA_ON_CREATE),
	PLAIN(CKA_URL, STRING, LUNA_IN_CERT, EMPTY, LUNA_ON_CREATE),
	PLAIN(CKA_HASH_OF_SUBJECT_PUBLIC_KEY, BYTES, LUNA_IN_CERT, EMPTY, LUNA_ON_CREATE),
	PLAIN(CKA_HASH_OF_ISSUER_PUBLIC_KEY, BYTES, LUNA_IN_CERT, EMPTY, LUNA_ON_CREATE),
	PLAIN(CKA_NAME_HASH_ALGORITHM, ULONG, LUNA_IN_CERT, NONE, LUNA_ON_CREATE),
	PLAIN(CKA_CHECK_VALUE, BYTES, LUNA_IN_CERT | LUNA_IN_SECRET, NONE,
	      LUNA_ON_MAKE | LUNA_ATTR_COMPUTED),
	PLAIN(CKA_KEY_TYPE, ULONG, LUNA_IN_KEYS, NONE, LUNA_ON_MAKE | LUNA_ATTR_REQUIRED),
	PLAIN(CKA_SUBJECT, BYTES, LUNA_IN_CERT, NONE, LUNA_ON_CREATE | LUNA_ATTR_REQUIRED),
	PLAIN(CKA_SUBJECT, BYTES, LUNA_IN_PAIR, EMPTY, LUNA_ON_EDIT),
	PLAIN(CKA_ID, BYTES, LUNA_IN_KEYS | LUNA_IN_CERT, EMPTY, LUNA_ON_EDIT),
	FLAG(CKA_SENSITIVE, LUNA_IN_HIDDEN, TRUE, SENSITIVE, LUNA_ON_EDIT | LUNA_ATTR_LATCH_ON),
	USAGE(CKA_ENCRYPT, LUNA_IN_PUBLIC, LUNA_OF_RSA, TRUE, ENCRYPT),
	USAGE(CKA_ENCRYPT, LUNA_IN_SECRET, LUNA_OF_CIPHERS, TRUE, ENCRYPT),
	USAGE(CKA_ENCRYPT, LUNA_IN_PUBLIC | LUNA_IN_SECRET, LUNA_OF_ANY, FALSE, ENCRYPT),
	USAGE(CKA_DECRYPT, LUNA_IN_PRIVATE, LUNA_OF_RSA, TRUE, DECRYPT),
	USAGE(CKA_DECRYPT, LUNA_IN_SECRET, LUNA_OF_CIPHERS, TRUE, DECRYPT),
	USAGE(CKA_DECRYPT, LUNA_IN_HIDDEN, LUNA_OF_ANY, FALSE, DECRYPT),
	USAGE(CKA_WRAP, LUNA_IN_PUBLIC, LUNA_OF_RSA, TRUE, WRAP),
	USAGE(CKA_WRAP, LUNA_IN_SECRET, LUNA_OF_CIPHERS, TRUE, WRAP),
	USAGE(CKA_WRAP, LUNA_IN_PUBLIC | LUNA_IN_SECRET, LUNA_OF_ANY, FALSE, WRAP),
	USAGE(CKA_UNWRAP, LUNA_IN_PRIVATE, LUNA_OF_RSA, TRUE, UNWRAP),
	USAGE(CKA_UNWRAP, LUNA_IN_SECRET, LUNA_OF_CIPHERS, TRUE, UNWRAP),
	USAGE(CKA_UNWRAP, LUNA_IN_HIDDEN, LUNA_OF_ANY, FALSE, UNWRAP),
	USAGE(CKA_SIGN, LUNA_IN_PRIVATE, LUNA_OF_MONTGOMERY, FALSE, SIGN),
	USAGE(CKA_SIGN, LUNA_IN_HIDDEN, LUNA_OF_ANY, TRUE, SIGN),
	USAGE(CKA_SIGN_RECOVER, LUNA_IN_PRIVATE, LUNA_OF_RSA, TRUE, SIGN_RECOVER),
	USAGE(CKA_SIGN_RECOVER, LUNA_IN_PRIVATE, LUNA_OF_ANY, FALSE, SIGN_RECOVER),
	USAGE(CKA_VERIFY, LUNA_IN_PUBLIC, LUNA_OF_MONTGOMERY, FALSE, VERIFY),
	USAGE(CKA_VERIFY, LUNA_IN_PUBLIC | LUNA_IN_SECRET, LUNA_OF_ANY, TRUE, VERIFY),
	USAGE(CKA_VERIFY_RECOVER, LUNA_IN_PUBLIC, LUNA_OF_RSA, TRUE, VERIFY_RECOVER),
	USAGE(CKA_VERIFY_RECOVER, LUNA_IN_PUBLIC, LUNA_OF_ANY, FALSE, VERIFY_RECOVER),
	USAGE(CKA_DERIVE, LUNA_IN_PRIVATE, LUNA_OF_MONTGOMERY, TRUE, DERIVE),
	USAGE(CKA_DERIVE, LUNA_IN_KEYS, LUNA_OF_ANY, FALSE, DERIVE),
	PLAIN(CKA_START_DATE, DATE, LUNA_IN_CERT, EMPTY, LUNA_ON_CREATE),
	PLAIN(CKA_START_DATE, DATE, LUNA_IN_KEYS, EMPTY, LUNA_ON_EDIT),
	PLAIN(CKA_END_DATE, DATE, LUNA_IN_CERT, EMPTY, LUNA_ON_CREATE),
	PLAIN(CKA_END_DATE, DATE, LUNA_IN_KEYS, EMPTY, LUNA_ON_EDIT),
	RSA(CKA_MODULUS, LUNA_IN_PAIR, LUNA_ON_CREATE | LUNA_ATTR_REQUIRED),
	ROW(CKA_MODULUS_BITS, ULONG, LUNA_IN_PUBLIC, LUNA_OF_RSA, NONE, LUNA_NO_BIT,
	    LUNA_ON_MAKE | LUNA_ATTR_COMPUTED),
	RSA(CKA_PUBLIC_EXPONENT, LUNA_IN_PUBLIC,
	    LUNA_ON_CREATE | LUNA_ON_GENERATE | LUNA_ATTR_REQUIRED),
	RSA(CKA_PUBLIC_EXPONENT, LUNA_IN_PRIVATE, LUNA_ON_CREATE | LUNA_ON_GENERATE),
	RSA_SECRET(CKA_PRIVATE_EXPONENT, LUNA_ATTR_REQUIRED),
	RSA_SECRET(CKA_PRIME_1, 0),
	RSA_SECRET(CKA_PRIME_2, 0),
	RSA_SECRET(CKA_EXPONENT_1, 0),
	RSA_SECRET(CKA_EXPONENT_2, 0),
	RSA_SECRET(CKA_COEFFICIENT, 0),
	PLAIN(CKA_PUBLIC_KEY_INFO, BYTES, LUNA_IN_PAIR | LUNA_IN_CERT, NONE, LUNA_ON_CREATE),
	PLAIN(CKA_VALUE_LEN, ULONG, LUNA_IN_SECRET, NONE, LUNA_ON_MAKE | LUNA_ATTR_COMPUTED),
	FLAG(CKA_EXTRACTABLE, LUNA_IN_HIDDEN, FALSE, EXTRACTABLE,
	     LUNA_ON_EDIT | LUNA_ATTR_LATCH_OFF),
	FLAG(CKA_LOCAL, LUNA_IN_KEYS, FALSE, LOCAL, 0),
	FLAG(CKA_NEVER_EXTRACTABLE, LUNA_IN_HIDDEN, FALSE, NEVER_EXTRACTABLE, 0),
	FLAG(CKA_ALWAYS_SENSITIVE, LUNA_IN_HIDDEN, FALSE, ALWAYS_SENSITIVE, 0),
	PLAIN(CKA_KEY_GEN_MECHANISM, ULONG, LUNA_IN_KEYS, NONE, 0),
	FLAG(CKA_MODIFIABLE, LUNA_IN_ALL, TRUE, MODIFIABLE,
	     LUNA_ON_MAKE | LUNA_ON_COPY | LUNA_ATTR_LATCH_OFF),
	FLAG(CKA_COPYABLE, LUNA_IN_ALL, TRUE, COPYABLE, LUNA_ON_EDIT | LUNA_ATTR_LATCH_OFF),
	FLAG(CKA_DESTROYABLE, LUNA_IN_ALL, TRUE, DESTROYABLE, LUNA_ON_MAKE | LUNA_ON_COPY),
	EC(CKA_EC_PARAMS, LUNA_IN_PAIR, LUNA_ON_CREATE | LUNA_ON_GENERATE | LUNA_ATTR_REQUIRED),
	EC(CKA_EC_POINT, LUNA_IN_PUBLIC, LUNA_ON_CREATE | LUNA_ATTR_REQUIRED),
	EC(CKA_EC_POINT, LUNA_IN_PRIVATE, LUNA_ON_CREATE),
	FLAG(CKA_ALWAYS_AUTHENTICATE, LUNA_IN_PRIVATE, FALSE, ALWAYS_AUTHENTICATE, LUNA_ON_MAKE),
	FLAG(CKA_WRAP_WITH_TRUSTED, LUNA_IN_HIDDEN, FALSE, WRAP_WITH_TRUSTED,
	     LUNA_ON_EDIT | LUNA_ATTR_LATCH_ON),
	PLAIN(CKA_WRAP_TEMPLATE, TEMPLATE, LUNA_IN_PUBLIC | LUNA_IN_SECRET, NONE, LUNA_ON_MAKE),
	PLAIN(CKA_UNWRAP_TEMPLATE, TEMPLATE, LUNA_IN_HIDDEN, NONE, LUNA_ON_MAKE),
	PLAIN(CKA_DERIVE_TEMPLATE, TEMPLATE, LUNA_IN_HIDDEN, NONE, LUNA_ON_MAKE),
	PLAIN(CKA_ALLOWED_MECHANISMS, MECHS, LUNA_IN_KEYS, NONE, LUNA_ON_MAKE),
	PLAIN(CKA_CCM_PRIVATE, BOOL, LUNA_IN_ALL, NONE, LUNA_ON_EDIT),
	PLAIN(CKA_FINGERPRINT_SHA1, BYTES, LUNA_IN_PAIR | LUNA_IN_CERT, NONE, 0),
	PLAIN(CKA_OUID, BYTES, LUNA_IN_ALL, NONE, 0),
	PLAIN(CKA_EKM_UID, BYTES, LUNA_IN_ALL, NONE, LUNA_ON_EDIT),
	PLAIN(CKA_GENERIC_1, BYTES, LUNA_IN_ALL, NONE, LUNA_ON_EDIT),
	PLAIN(CKA_GENERIC_2, BYTES, LUNA_IN_ALL, NONE, LUNA_ON_EDIT),
	PLAIN(CKA_GENERIC_3, BYTES, LUNA_IN_ALL, NONE, LUNA_ON_EDIT),
	PLAIN(CKA_FINGERPRINT_SHA256, BYTES, LUNA_IN_PAIR | LUNA_IN_CERT, NONE, 0),
};

static const struct {
	u32 class;
	u8 bit;
} classes[] = {
	{ CKO_DATA, LUNA_IN_DATA },
	{ CKO_CERTIFICATE, LUNA_IN_CERT },
	{ CKO_PUBLIC_KEY, LUNA_IN_PUBLIC },
	{ CKO_PRIVATE_KEY, LUNA_IN_PRIVATE },
	{ CKO_SECRET_KEY, LUNA_IN_SECRET },
};

static const struct {
	u32 key_type;
	u8 bit;
	u8 classes;
} key_types[] = {
	{ CKK_RSA, LUNA_OF_RSA, LUNA_IN_PAIR },
	{ CKK_EC, LUNA_OF_EC, LUNA_IN_PAIR },
	{ CKK_EC_EDWARDS, LUNA_OF_EDWARDS, LUNA_IN_PAIR },
	{ CKK_EC_EDWARDS_OLD, LUNA_OF_EDWARDS, LUNA_IN_PAIR },
	{ CKK_EC_MONTGOMERY, LUNA_OF_MONTGOMERY, LUNA_IN_PAIR },
	{ CKK_EC_MONTGOMERY_OLD, LUNA_OF_MONTGOMERY, LUNA_IN_PAIR },
	{ CKK_AES, LUNA_OF_AES, LUNA_IN_SECRET },
	{ CKK_AES_XTS, LUNA_OF_AES_XTS, LUNA_IN_SECRET },
	{ CKK_DES2, LUNA_OF_DES3, LUNA_IN_SECRET },
	{ CKK_DES3, LUNA_OF_DES3, LUNA_IN_SECRET },
	{ CKK_GENERIC_SECRET, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA_1_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA224_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA256_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA384_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA512_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA3_224_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA3_256_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA3_384_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_SHA3_512_HMAC, LUNA_OF_GENERIC, LUNA_IN_SECRET },
	{ CKK_HKDF, LUNA_OF_GENERIC, LUNA_IN_SECRET },
};

u32 luna_kind_find(struct luna_kind *kind, u64 class, u64 key_type)
{
	u32 i;

	memset(kind, 0, sizeof(*kind));
	kind->key_type = LUNA_KEY_TYPE_NONE;
	for (i = 0; i < ARRAY_SIZE(classes); i++)
		if (classes[i].class == class)
			kind->class_bit = classes[i].bit;
	kind->class = class;
	if (!kind->class_bit)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	if (!luna_kind_is_key(kind))
		return CKR_OK;
	kind->key_type = key_type;
	for (i = 0; i < ARRAY_SIZE(key_types); i++) {
		if (key_types[i].key_type != key_type)
			continue;
		kind->type_bit = key_types[i].bit;
		return key_types[i].classes & kind->class_bit ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
	}
	return CKR_ATTRIBUTE_VALUE_INVALID;
}

bool luna_key_type_is_pair(u32 key_type)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(key_types); i++)
		if (key_types[i].key_type == key_type)
			return key_types[i].classes == LUNA_IN_PAIR;
	return false;
}

u32 luna_key_type_standard(u32 key_type)
{
	switch (key_type) {
	case CKK_EC_EDWARDS_OLD:
		return CKK_EC_EDWARDS;
	case CKK_EC_MONTGOMERY_OLD:
		return CKK_EC_MONTGOMERY;
	default:
		return key_type;
	}
}

/* Index of the first row of @type, or of a later one. */
static u32 row_lower(u32 type)
{
	u32 lo = 0, hi = ARRAY_SIZE(rows), mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (rows[mid].type < type)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static bool row_fits(const struct luna_attr_row *row, const struct luna_kind *kind)
{
	return (row->classes & kind->class_bit) && (!row->types || (row->types & kind->type_bit));
}

const struct luna_attr_row *luna_attr_find(u32 type, const struct luna_kind *kind)
{
	u32 at;

	for (at = row_lower(type); at < ARRAY_SIZE(rows) && rows[at].type == type; at++)
		if (row_fits(&rows[at], kind))
			return &rows[at];
	return NULL;
}

const struct luna_attr_row *luna_attr_any(u32 type)
{
	u32 at = row_lower(type);

	return at < ARRAY_SIZE(rows) && rows[at].type == type ? &rows[at] : NULL;
}

const struct luna_attr_row *luna_attr_next(const struct luna_kind *kind, u32 *at)
{
	const struct luna_attr_row *row;

	while (*at < ARRAY_SIZE(rows)) {
		row = &rows[(*at)++];
		/* Of several rows that fit, the first counts. */
		if (row_fits(row, kind) && luna_attr_find(row->type, kind) == row)
			return row;
	}
	return NULL;
}

static u32 value_plain(struct luna_value *value)
{
	return CKR_OK;
}

/* Some clients give booleans the size of a CK_ULONG. */
static u32 value_bool(struct luna_value *value)
{
	u64 wide = 2;

	if (value->len == 1)
		wide = value->data[0];
	else if (value->len == sizeof(wide))
		memcpy(&wide, value->data, sizeof(wide));
	if (wide > 1)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	value->truth = wide;
	value->data = &value->truth;
	value->len = 1;
	return CKR_OK;
}

static u32 value_ulong(struct luna_value *value)
{
	return value->len == sizeof(u64) ? CKR_OK : CKR_ATTRIBUTE_VALUE_INVALID;
}

/* All big integers of the table are RSA's, which are compared and measured: no leading zeros. */
static u32 value_bigint(struct luna_value *value)
{
	while (value->len && !*value->data) {
		value->data++;
		value->len--;
	}
	return CKR_OK;
}

static u32 value_date(struct luna_value *value)
{
	u32 i;

	if (value->len && value->len != 8)
		return CKR_ATTRIBUTE_VALUE_INVALID;
	for (i = 0; i < value->len; i++)
		if (value->data[i] < '0' || value->data[i] > '9')
			return CKR_ATTRIBUTE_VALUE_INVALID;
	return CKR_OK;
}

static u32 value_mechs(struct luna_value *value)
{
	return value->len % sizeof(u64) ? CKR_ATTRIBUTE_VALUE_INVALID : CKR_OK;
}

static u32 (*const value_kinds[])(struct luna_value *value) = {
	[LUNA_ATTR_BYTES] = value_plain,
	[LUNA_ATTR_BOOL] = value_bool,
	[LUNA_ATTR_ULONG] = value_ulong,
	[LUNA_ATTR_BIGINT] = value_bigint,
	[LUNA_ATTR_DATE] = value_date,
	[LUNA_ATTR_MECHS] = value_mechs,
	[LUNA_ATTR_TEMPLATE] = value_plain,
	[LUNA_ATTR_STRING] = value_plain,
};

u32 luna_value_read(struct luna_value *value, const struct luna_attr_row *row, const u8 *data,
		    u32 len)
{
	value->data = data;
	value->len = len;
	return value_kinds[row->kind](value);
}

/* A template within a template is stored like one of its own; it may not hold another. */
static u32 nested_build(struct luna_attrw *inner, const u8 *data, u32 len)
{
	const struct luna_attr_row *row;
	struct luna_value value;
	struct luna_tmpl tmpl;
	const u8 *item;
	u32 at = 0, type, item_len, rv;

	rv = luna_tmpl_check(&tmpl, data, len);
	while (rv == CKR_OK && luna_tmpl_next(&tmpl, &at, &type, &item, &item_len)) {
		row = luna_attr_any(type);
		if (!row || row->kind == LUNA_ATTR_TEMPLATE)
			return CKR_ATTRIBUTE_VALUE_INVALID;
		rv = luna_value_read(&value, row, item, item_len);
		if (rv == CKR_OK)
			luna_attrw_set(inner, type, value.data, value.len);
	}
	return rv;
}

u32 luna_attr_put(struct luna_attrw *w, const struct luna_attr_row *row, const u8 *data, u32 len)
{
	struct luna_value value;
	struct luna_attrw inner;
	u32 rv;

	if (row->kind != LUNA_ATTR_TEMPLATE) {
		rv = luna_value_read(&value, row, data, len);
		if (rv == CKR_OK)
			luna_attrw_set(w, row->type, value.data, value.len);
		return rv;
	}
	luna_attrw_init(&inner);
	rv = nested_build(&inner, data, len);
	if (rv == CKR_OK && inner.err)
		w->err = inner.err;
	else if (rv == CKR_OK)
		luna_attrw_set(w, row->type, inner.data, inner.len);
	luna_attrw_free(&inner);
	return rv;
}
