// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Private EC keys in PKCS#8 (RFC 5208, RFC 5958): ECPrivateKey (RFC 5915) and the keys of RFC 8410.
 * What is read comes out of a wrapped key that anyone may have made.
 */
#include "der.h"
#include "ec.h"

enum {
	DER_CONTEXT_PRIMITIVE = 0x80,	/* + number */
	ATTRIBUTES = 0,			/* of PrivateKeyInfo, [0] */
	PUBLIC_KEY = 1,			/* of RFC 5958 and of ECPrivateKey, [1] */
	PARAMETERS = 0,			/* of ECPrivateKey, [0] */
};

static const u8 der_version_1[3] = { LUNA_DER_INTEGER, 1, 0 };
static const u8 der_version_2[3] = { LUNA_DER_INTEGER, 1, 1 };
/* id-ecPublicKey */
static const u8 der_ec_key[9] = { 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };

/* ---- writing ---- */

static void write_value(struct luna_derw *w, const struct luna_der_ec *key)
{
	u32 mark = w->len, zeros = luna_curve_bytes(key->curve) - key->value.len;

	luna_derw_bytes(w, key->value.data, key->value.len);
	while (zeros--)
		luna_derw_bytes(w, "", 1);
	luna_derw_wrap(w, LUNA_DER_OCTETS, mark);
}

/* Without parameters, which stand in the AlgorithmIdentifier. */
static void write_ec_private(struct luna_derw *w, const struct luna_der_ec *key)
{
	u32 mark = w->len;

	if (key->point.len) {
		luna_derw_bytes(w, key->point.data, key->point.len);
		luna_derw_bytes(w, "", 1);
		luna_derw_wrap(w, LUNA_DER_BITS, mark);
		luna_derw_wrap(w, LUNA_DER_CONTEXT + PUBLIC_KEY, mark);
	}
	write_value(w, key);
	luna_derw_bytes(w, der_version_2, sizeof(der_version_2));
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, mark);
}

static void write_algorithm(struct luna_derw *w, const struct luna_der_ec *key)
{
	struct luna_num params;
	u32 mark = w->len;

	luna_curve_params(key->curve, &params);
	luna_derw_bytes(w, params.data, params.len);
	if (luna_curve_is_weierstrass(key->curve))
		luna_derw_bytes(w, der_ec_key, sizeof(der_ec_key));
	luna_derw_wrap(w, LUNA_DER_SEQUENCE, mark);
}

int luna_der_pkcs8_ec(const struct luna_der_ec *key, u8 *out, u32 room)
{
	struct luna_derw w;

	if (!key->value.len || key->value.len > luna_curve_bytes(key->curve))
		return -EINVAL;
	luna_derw_init(&w, out, room);
	if (luna_curve_is_weierstrass(key->curve))
		write_ec_private(&w, key);
	else
		write_value(&w, key);
	luna_derw_wrap(&w, LUNA_DER_OCTETS, 0);
	write_algorithm(&w, key);
	luna_derw_bytes(&w, der_version_1, sizeof(der_version_1));
	luna_derw_wrap(&w, LUNA_DER_SEQUENCE, 0);
	return luna_derw_finish(&w);
}

/* ---- reading ---- */

/* Is the next element of @tag? */
static bool next_is(const struct luna_rd *rd, u8 tag)
{
	return luna_rd_left(rd) && rd->data[rd->at] == tag;
}

static void read_all(struct luna_rd *rd, struct luna_num *bytes)
{
	bytes->len = luna_rd_left(rd);
	bytes->data = luna_rd_bytes(rd, bytes->len);
}

/* An OID that names the curve of such a key. */
static void read_curve(struct luna_rd *rd, u32 key_type, enum luna_curve *curve)
{
	u32 start = rd->at;
	struct luna_rd oid;

	luna_der_enter(rd, LUNA_DER_OID, &oid);
	rd->bad |= oid.bad || luna_curve_find(key_type, rd->data + start, rd->at - start, curve);
}

/* RFC 8410: the OID is that of the curve. */
static bool read_algorithm_25519(const struct luna_rd *alg, enum luna_curve *curve)
{
	enum luna_curve i;
	struct luna_num oid;

	for (i = LUNA_ED25519; i < LUNA_CURVES; i++) {
		luna_curve_params(i, &oid);
		if (alg->len != oid.len || memcmp(alg->data, oid.data, oid.len))
			continue;
		*curve = i;
		return true;
	}
	return false;
}

/* @curve: LUNA_CURVES if it names none, which an ECPrivateKey may do then. */
static void read_algorithm(struct luna_rd *rd, enum luna_curve *curve)
{
	struct luna_rd alg;

	*curve = LUNA_CURVES;
	luna_der_enter(rd, LUNA_DER_SEQUENCE, &alg);
	if (!alg.bad && read_algorithm_25519(&alg, curve))
		return;
	luna_der_expect(&alg, der_ec_key, sizeof(der_ec_key));
	if (luna_rd_left(&alg))
		read_curve(&alg, CKK_EC, curve);
	rd->bad |= !luna_rd_done(&alg);
}

/* BIT STRING content without unused bits */
static void read_point(struct luna_rd *bits, struct luna_num *point)
{
	luna_der_expect(bits, "", 1);
	read_all(bits, point);
}

/* What may follow the private value; the curve is known then. */
static void read_ec_rest(struct luna_rd *seq, struct luna_der_ec *key)
{
	struct luna_rd inner, bits;
	enum luna_curve curve = LUNA_CURVES;

	if (next_is(seq, LUNA_DER_CONTEXT + PARAMETERS)) {
		luna_der_enter(seq, LUNA_DER_CONTEXT + PARAMETERS, &inner);
		read_curve(&inner, CKK_EC, &curve);
		if (key->curve == LUNA_CURVES)
			key->curve = curve;
		seq->bad |= !luna_rd_done(&inner) || key->curve != curve;
	}
	if (next_is(seq, LUNA_DER_CONTEXT + PUBLIC_KEY)) {
		luna_der_enter(seq, LUNA_DER_CONTEXT + PUBLIC_KEY, &inner);
		luna_der_enter(&inner, LUNA_DER_BITS, &bits);
		read_point(&bits, &key->point);
		seq->bad |= !luna_rd_done(&bits) || !luna_rd_done(&inner);
	}
}

static void read_ec_private(struct luna_rd *rd, struct luna_der_ec *key)
{
	struct luna_rd seq, value;

	luna_der_enter(rd, LUNA_DER_SEQUENCE, &seq);
	luna_der_expect(&seq, der_version_2, sizeof(der_version_2));
	luna_der_enter(&seq, LUNA_DER_OCTETS, &value);
	read_all(&value, &key->value);
	read_ec_rest(&seq, key);
	rd->bad |= !luna_rd_done(&seq);
}

static void read_value(struct luna_rd *rd, struct luna_der_ec *key)
{
	struct luna_rd value;

	luna_der_enter(rd, LUNA_DER_OCTETS, &value);
	read_all(&value, &key->value);
}

/* Attributes, which are nobody's business here, and RFC 5958's public key of a @version_2. */
static void read_trailer(struct luna_rd *seq, bool version_2, struct luna_der_ec *key)
{
	struct luna_rd inner;

	if (next_is(seq, LUNA_DER_CONTEXT + ATTRIBUTES))
		luna_der_enter(seq, LUNA_DER_CONTEXT + ATTRIBUTES, &inner);
	if (version_2) {
		luna_der_enter(seq, DER_CONTEXT_PRIMITIVE + PUBLIC_KEY, &inner);
		read_point(&inner, &key->point);
		seq->bad |= !luna_rd_done(&inner);
	}
}

static bool key_fits(const struct luna_der_ec *key)
{
	u32 bytes;

	if (key->curve == LUNA_CURVES)
		return false;
	bytes = luna_curve_bytes(key->curve);
	if (!key->value.len || key->value.len > bytes)
		return false;
	if (!luna_curve_is_weierstrass(key->curve) && key->value.len != bytes)
		return false;
	return !key->point.len || key->point.len == luna_curve_point_len(key->curve);
}

int luna_der_pkcs8_ec_parse(const u8 *der, u32 len, struct luna_der_ec *key)
{
	struct luna_rd rd, seq, octets;
	bool version_2;

	memset(key, 0, sizeof(*key));
	luna_rd_init(&rd, der, len);
	luna_der_enter(&rd, LUNA_DER_SEQUENCE, &seq);
	version_2 = seq.len >= sizeof(der_version_2) && seq.data[2];
	luna_der_expect(&seq, version_2 ? der_version_2 : der_version_1, sizeof(der_version_1));
	read_algorithm(&seq, &key->curve);
	luna_der_enter(&seq, LUNA_DER_OCTETS, &octets);
	if (key->curve == LUNA_CURVES || luna_curve_is_weierstrass(key->curve))
		read_ec_private(&octets, key);
	else
		read_value(&octets, key);
	read_trailer(&seq, version_2, key);
	return luna_rd_done(&rd) && luna_rd_done(&seq) && luna_rd_done(&octets) && key_fits(key) ?
	       0 : -EBADMSG;
}
