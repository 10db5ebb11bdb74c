// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The curves by name, and points on them as bytes. Nothing here computes.
 */
#include "der.h"
#include "ec.h"

enum {
	NAMES = 3,
	NAME_BYTES = 16,
	UNCOMPRESSED = 4,	/* SEC 1, 2.3.3 */
};

/**
 * struct curve - a curve
 * @names: values of CKA_EC_PARAMS that mean it, DER with its length; the first is its own
 */
static const struct curve {
	u32 key_type;
	struct {
		u8 len;
		u8 der[NAME_BYTES];
	} names[NAMES];
} curves[LUNA_CURVES] = {
	[LUNA_P224] = { CKK_EC, { { 7, "\x06\x05\x2b\x81\x04\x00\x21" } } },
	[LUNA_P256] = { CKK_EC, { { 10, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" } } },
	[LUNA_P384] = { CKK_EC, { { 7, "\x06\x05\x2b\x81\x04\x00\x22" } } },
	[LUNA_P521] = { CKK_EC, { { 7, "\x06\x05\x2b\x81\x04\x00\x23" } } },
	[LUNA_SECP256K1] = { CKK_EC, { { 7, "\x06\x05\x2b\x81\x04\x00\x0a" } } },
	/* RFC 8410's OID, the standard's string, and the OID that was in use before both. */
	[LUNA_ED25519] = { CKK_EC_EDWARDS, {
		{ 5, "\x06\x03\x2b\x65\x70" },
		{ 14, "\023\014edwards25519" },
		{ 11, "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01" } } },
	[LUNA_X25519] = { CKK_EC_MONTGOMERY, {
		{ 5, "\x06\x03\x2b\x65\x6e" },
		{ 12, "\023\012curve25519" },
		{ 12, "\x06\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01" } } },
};

u32 luna_curve_key_type(enum luna_curve curve)
{
	return curves[curve].key_type;
}

void luna_curve_params(enum luna_curve curve, struct luna_num *params)
{
	params->data = curves[curve].names[0].der;
	params->len = curves[curve].names[0].len;
}

static bool curve_has_name(const struct curve *c, const u8 *params, u32 len)
{
	u32 i;

	for (i = 0; i < NAMES; i++)
		if (c->names[i].len && c->names[i].len == len &&
		    !memcmp(c->names[i].der, params, len))
			return true;
	return false;
}

u32 luna_curve_find(u32 key_type, const u8 *params, u32 len, enum luna_curve *curve)
{
	u32 i;

	for (i = 0; i < LUNA_CURVES; i++) {
		if (curves[i].key_type != key_type || !curve_has_name(&curves[i], params, len))
			continue;
		*curve = i;
		return CKR_OK;
	}
	if (len && (params[0] == LUNA_DER_OID || params[0] == LUNA_DER_PRINTABLE) &&
	    luna_der_size(params, len) == len)
		return CKR_CURVE_NOT_SUPPORTED;
	return CKR_DOMAIN_PARAMS_INVALID;
}

/* The content of the one element that @data must be. */
static void point_unpack(const u8 *data, u32 len, bool bits, struct luna_num *point)
{
	struct luna_rd rd, inner;

	luna_rd_init(&rd, data, len);
	if (bits && len && data[0] == LUNA_DER_BITS) {
		luna_der_enter(&rd, LUNA_DER_BITS, &inner);
		luna_der_expect(&inner, "", 1);
	} else {
		luna_der_enter(&rd, LUNA_DER_OCTETS, &inner);
	}
	point->len = luna_rd_left(&inner);
	point->data = luna_rd_bytes(&inner, point->len);
	if (!luna_rd_done(&rd) || !luna_rd_done(&inner))
		point->len = 0;
}

/* A point that is not wrapped is shorter than any that is. */
bool luna_ec_point(enum luna_curve curve, const u8 *data, u32 len, struct luna_num *point)
{
	bool weierstrass = luna_curve_is_weierstrass(curve);

	if (!data)
		return false;
	*point = (struct luna_num){ data, len };
	if (len != luna_curve_point_len(curve))
		point_unpack(data, len, !weierstrass, point);
	return point->len == luna_curve_point_len(curve) &&
	       (!weierstrass || point->data[0] == UNCOMPRESSED);
}

u32 luna_ec_point_der(enum luna_curve curve, const u8 *point, u8 *der)
{
	struct luna_derw w;

	luna_derw_init(&w, der, LUNA_EC_POINT_DER_MAX);
	luna_derw_bytes(&w, point, luna_curve_point_len(curve));
	luna_derw_wrap(&w, LUNA_DER_OCTETS, 0);
	return luna_derw_finish(&w);
}
