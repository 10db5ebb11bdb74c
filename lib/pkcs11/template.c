// SPDX-License-Identifier: MIT
/*
 * Encodes and decodes templates; see template.h.
 */
#include "template.h"

#include <stdbool.h>
#include <string.h>

#include <uapi/luna.h>

#include "log.h"
#include "transport.h"

/* Asked for a template inside a template: its length tells too little, so the value must come. */
#define INNER_MAX	4096

enum value_kind {
	VALUE_BYTES,		/* travels as it is */
	VALUE_ULONGS,		/* one CK_ULONG, or an array of them: __u64 each */
	VALUE_TEMPLATE,		/* CK_ATTRIBUTE array: a luna_attr list */
};

/* Attributes whose values do not travel as they are. */
static const struct {
	CK_ATTRIBUTE_TYPE type;
	enum value_kind kind;
} value_kinds[] = {
	{ CKA_CLASS, VALUE_ULONGS },
	{ CKA_CERTIFICATE_TYPE, VALUE_ULONGS },
	{ CKA_CERTIFICATE_CATEGORY, VALUE_ULONGS },
	{ CKA_JAVA_MIDP_SECURITY_DOMAIN, VALUE_ULONGS },
	{ CKA_NAME_HASH_ALGORITHM, VALUE_ULONGS },
	{ CKA_KEY_TYPE, VALUE_ULONGS },
	{ CKA_MODULUS_BITS, VALUE_ULONGS },
	{ CKA_PRIME_BITS, VALUE_ULONGS },
	{ CKA_SUBPRIME_BITS, VALUE_ULONGS },
	{ CKA_VALUE_BITS, VALUE_ULONGS },
	{ CKA_VALUE_LEN, VALUE_ULONGS },
	{ CKA_KEY_GEN_MECHANISM, VALUE_ULONGS },
	{ CKA_AUTH_PIN_FLAGS, VALUE_ULONGS },
	{ CKA_OTP_FORMAT, VALUE_ULONGS },
	{ CKA_OTP_LENGTH, VALUE_ULONGS },
	{ CKA_OTP_TIME_INTERVAL, VALUE_ULONGS },
	{ CKA_OTP_CHALLENGE_REQUIREMENT, VALUE_ULONGS },
	{ CKA_OTP_TIME_REQUIREMENT, VALUE_ULONGS },
	{ CKA_OTP_COUNTER_REQUIREMENT, VALUE_ULONGS },
	{ CKA_OTP_PIN_REQUIREMENT, VALUE_ULONGS },
	{ CKA_HW_FEATURE_TYPE, VALUE_ULONGS },
	{ CKA_PIXEL_X, VALUE_ULONGS },
	{ CKA_PIXEL_Y, VALUE_ULONGS },
	{ CKA_RESOLUTION, VALUE_ULONGS },
	{ CKA_CHAR_ROWS, VALUE_ULONGS },
	{ CKA_CHAR_COLUMNS, VALUE_ULONGS },
	{ CKA_BITS_PER_PIXEL, VALUE_ULONGS },
	{ CKA_MECHANISM_TYPE, VALUE_ULONGS },
	{ CKA_PROFILE_ID, VALUE_ULONGS },
	{ CKA_HSS_LEVELS, VALUE_ULONGS },
	{ CKA_HSS_LMS_TYPE, VALUE_ULONGS },
	{ CKA_HSS_LMOTS_TYPE, VALUE_ULONGS },
	{ CKA_HSS_LMS_TYPES, VALUE_ULONGS },
	{ CKA_HSS_LMOTS_TYPES, VALUE_ULONGS },
	{ CKA_HSS_KEYS_REMAINING, VALUE_ULONGS },
	{ CKA_PARAMETER_SET, VALUE_ULONGS },
	{ CKA_ALLOWED_MECHANISMS, VALUE_ULONGS },
	{ CKA_USAGE_COUNT, VALUE_ULONGS },
	{ CKA_USAGE_LIMIT, VALUE_ULONGS },
	{ CKA_BYTES_REMAINING, VALUE_ULONGS },
	{ CKA_FAILED_KEY_AUTH_COUNT, VALUE_ULONGS },
	{ CKA_WARNING_THRESHOLD, VALUE_ULONGS },
	{ CKA_WRAP_TEMPLATE, VALUE_TEMPLATE },
	{ CKA_UNWRAP_TEMPLATE, VALUE_TEMPLATE },
	{ CKA_DERIVE_TEMPLATE, VALUE_TEMPLATE },
};

static enum value_kind value_kind(CK_ATTRIBUTE_TYPE type)
{
	size_t i;

	for (i = 0; i < sizeof(value_kinds) / sizeof(value_kinds[0]); i++)
		if (value_kinds[i].type == type)
			return value_kinds[i].kind;
	return VALUE_BYTES;
}

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

/* Appends the head of an attribute; its value is appended next, then encode_end(). */
static size_t encode_begin(struct p11_buffer *buffer, CK_ATTRIBUTE_TYPE type, size_t len)
{
	struct luna_attr attr = { .type = (uint32_t)type, .len = (uint32_t)len };
	size_t at = buffer->len;

	p11_buffer_put(buffer, &attr, sizeof(attr));
	return at;
}

static void encode_end(struct p11_buffer *buffer, size_t at)
{
	struct luna_attr attr;
	size_t len;

	if (buffer->failed)
		return;
	len = buffer->len - at - sizeof(attr);
	memcpy(&attr, buffer->data + at, sizeof(attr));
	attr.len = (uint32_t)len;
	memcpy(buffer->data + at, &attr, sizeof(attr));
	p11_buffer_add(buffer, padded(len) - len);
}

static void encode_ulongs(struct p11_buffer *buffer, const void *value, size_t count)
{
	CK_ULONG number;
	uint64_t wide;
	size_t i;

	for (i = 0; i < count; i++) {
		memcpy(&number, (const uint8_t *)value + i * sizeof(number), sizeof(number));
		wide = number;
		p11_buffer_put(buffer, &wide, sizeof(wide));
	}
}

static CK_RV encode_list(struct p11_buffer *buffer, const CK_ATTRIBUTE *template, CK_ULONG count,
			 bool inner);

static CK_RV encode_value(struct p11_buffer *buffer, const CK_ATTRIBUTE *attribute, bool inner)
{
	CK_ULONG len = attribute->ulValueLen;

	switch (value_kind(attribute->type)) {
	case VALUE_ULONGS:
		/* A length that fits no CK_ULONG travels as it is, for the device to refuse. */
		if (len % sizeof(CK_ULONG))
			break;
		encode_ulongs(buffer, attribute->pValue, len / sizeof(CK_ULONG));
		return CKR_OK;
	case VALUE_TEMPLATE:
		if (inner || len % sizeof(CK_ATTRIBUTE)) {
			p11_log_reason("a template inside a template is malformed");
			return CKR_ATTRIBUTE_VALUE_INVALID;
		}
		return encode_list(buffer, attribute->pValue, len / sizeof(CK_ATTRIBUTE), true);
	case VALUE_BYTES:
		break;
	}
	p11_buffer_put(buffer, attribute->pValue, len);
	return CKR_OK;
}

static CK_RV encode_list(struct p11_buffer *buffer, const CK_ATTRIBUTE *template, CK_ULONG count,
			 bool inner)
{
	CK_ULONG i;
	size_t at;
	CK_RV rv;

	if ((count && !template) || count > LUNA_STAGE_MAX / sizeof(struct luna_attr))
		return CKR_ARGUMENTS_BAD;
	for (i = 0; i < count; i++) {
		if (template[i].type > 0xffffffffu)
			return CKR_ATTRIBUTE_TYPE_INVALID;
		if ((template[i].ulValueLen && !template[i].pValue) ||
		    template[i].ulValueLen > LUNA_STAGE_MAX) {
			p11_log_reason("an attribute has no value, or an impossible length");
			return CKR_ATTRIBUTE_VALUE_INVALID;
		}
		at = encode_begin(buffer, template[i].type, 0);
		rv = encode_value(buffer, &template[i], inner);
		if (rv != CKR_OK)
			return rv;
		encode_end(buffer, at);
	}
	return buffer->failed ? CKR_HOST_MEMORY : CKR_OK;
}

CK_RV p11_template_encode(struct p11_buffer *buffer, const CK_ATTRIBUTE *template, CK_ULONG count)
{
	return encode_list(buffer, template, count, false);
}

/* The buffer size to tell the device: in its own format. */
static uint32_t ask_len(const CK_ATTRIBUTE *attribute, enum value_kind kind)
{
	CK_ULONG len = attribute->ulValueLen;

	if (kind == VALUE_TEMPLATE)
		return INNER_MAX;
	if (!attribute->pValue)
		return LUNA_OUT_QUERY;
	if (kind == VALUE_ULONGS)
		len = len / sizeof(CK_ULONG) * sizeof(uint64_t);
	return len < LUNA_STAGE_MAX ? (uint32_t)len : LUNA_STAGE_MAX;
}

CK_RV p11_template_ask(struct p11_buffer *buffer, const CK_ATTRIBUTE *template, CK_ULONG count,
		       size_t *reply_max)
{
	uint32_t len;
	CK_ULONG i;

	if ((count && !template) || count > LUNA_STAGE_MAX / sizeof(struct luna_attr))
		return CKR_ARGUMENTS_BAD;
	*reply_max = 0;
	for (i = 0; i < count; i++) {
		/* A type that cannot travel is asked for as one that nothing has. */
		len = ask_len(&template[i], value_kind(template[i].type));
		encode_begin(buffer, p11_u32(template[i].type), len);
		*reply_max += sizeof(struct luna_attr);
		if (len != LUNA_OUT_QUERY)
			*reply_max += padded(len);
	}
	return buffer->failed ? CKR_HOST_MEMORY : CKR_OK;
}

/* One attribute of a list; false at its end, and at nonsense. */
static bool list_next(const uint8_t **at, size_t *left, struct luna_attr *attr,
		      const uint8_t **value)
{
	if (!*at || *left < sizeof(*attr))
		return false;
	memcpy(attr, *at, sizeof(*attr));
	*value = *at + sizeof(*attr);
	*at += sizeof(*attr);
	*left -= sizeof(*attr);
	if (attr->len == LUNA_ATTR_UNAVAILABLE)
		return true;
	if (padded(attr->len) > *left)
		return false;
	*at += padded(attr->len);
	*left -= padded(attr->len);
	return true;
}

static void answer_ulongs(CK_ATTRIBUTE *attribute, const uint8_t *value, uint32_t len)
{
	size_t i, count = len / sizeof(uint64_t);
	CK_ULONG number;
	uint64_t wide;

	attribute->ulValueLen = count * sizeof(CK_ULONG);
	for (i = 0; value && i < count; i++) {
		memcpy(&wide, value + i * sizeof(wide), sizeof(wide));
		number = (CK_ULONG)wide;
		memcpy((uint8_t *)attribute->pValue + i * sizeof(number), &number, sizeof(number));
	}
}

/* One attribute of an inner template, as C_GetAttributeValue would return it. */
static CK_RV answer_inner_value(CK_ATTRIBUTE *inner, const struct luna_attr *attr,
				const uint8_t *value)
{
	bool ulongs = value_kind(attr->type) == VALUE_ULONGS;
	CK_ULONG size = inner->ulValueLen, len = attr->len;

	if (ulongs)
		len = len / sizeof(uint64_t) * sizeof(CK_ULONG);
	inner->type = attr->type;
	inner->ulValueLen = len;
	if (!inner->pValue)
		return CKR_OK;
	if (size < len) {
		inner->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_BUFFER_TOO_SMALL;
	}
	if (ulongs)
		answer_ulongs(inner, value, attr->len);
	else
		memcpy(inner->pValue, value, len);
	return CKR_OK;
}

static CK_RV answer_template(CK_ATTRIBUTE *attribute, const uint8_t *list, size_t len)
{
	CK_ATTRIBUTE *inner = attribute->pValue;
	size_t count = 0, room = attribute->ulValueLen / sizeof(*inner), left;
	const uint8_t *at, *value;
	struct luna_attr attr;
	CK_RV rv = CKR_OK, one;

	for (at = list, left = len; list_next(&at, &left, &attr, &value);)
		count++;
	attribute->ulValueLen = count * sizeof(*inner);
	if (!inner)
		return CKR_OK;
	if (room < count) {
		attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_BUFFER_TOO_SMALL;
	}
	for (at = list, left = len; list_next(&at, &left, &attr, &value); inner++) {
		one = answer_inner_value(inner, &attr, value);
		if (one != CKR_OK)
			rv = one;
	}
	return rv;
}

static CK_RV answer_value(CK_ATTRIBUTE *attribute, const struct luna_attr *attr,
			  const uint8_t *value)
{
	if (attr->len == LUNA_ATTR_UNAVAILABLE) {
		attribute->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_OK;
	}
	switch (value_kind(attribute->type)) {
	case VALUE_ULONGS:
		answer_ulongs(attribute, value, attr->len);
		return CKR_OK;
	case VALUE_TEMPLATE:
		return answer_template(attribute, value, attr->len);
	case VALUE_BYTES:
		break;
	}
	attribute->ulValueLen = attr->len;
	if (value)
		memcpy(attribute->pValue, value, attr->len);
	return CKR_OK;
}

CK_RV p11_template_answer(CK_ATTRIBUTE *template, CK_ULONG count, const uint8_t *reply, size_t len)
{
	const uint8_t *at = reply, *value;
	struct luna_attr attr;
	CK_RV rv = CKR_OK, one;
	uint32_t asked;
	CK_ULONG i;

	for (i = 0; i < count; i++) {
		asked = ask_len(&template[i], value_kind(template[i].type));
		if (asked == LUNA_OUT_QUERY) {
			/* A length query: the length, and no value behind it. */
			if (len < sizeof(attr))
				return CKR_DEVICE_ERROR;
			memcpy(&attr, at, sizeof(attr));
			at += sizeof(attr);
			len -= sizeof(attr);
			value = NULL;
		} else if (!list_next(&at, &len, &attr, &value) ||
			   (attr.len != LUNA_ATTR_UNAVAILABLE && attr.len > asked)) {
			return CKR_DEVICE_ERROR;
		}
		one = answer_value(&template[i], &attr, value);
		if (one != CKR_OK)
			rv = one;
	}
	return rv;
}
