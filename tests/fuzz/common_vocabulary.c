// SPDX-License-Identifier: MIT
/* What the fuzz targets' inputs name by numbers: mechanisms, attributes and templates. */
#include <stdlib.h>

#include "common_parts.h"

enum { TYPES_MAX = 512 };

static u32 mechanisms[TYPES_MAX], mechanism_count;
static u32 attributes[TYPES_MAX], attribute_count;

/*
 * Mechanisms lie on a ring of 65536 places, and a number means the next one from there on: every number
 * means one, and inputs mean the same when the token learns another.
 */
u16 fuzz_mechanism_number(u32 type)
{
	return type * 2654435761u >> 16;
}

static int by_place(const void *a, const void *b)
{
	return fuzz_mechanism_number(*(const u32 *)a) - fuzz_mechanism_number(*(const u32 *)b);
}

void fuzz_learn_mechanisms(void)
{
	static struct luna_mech_info rows[TYPES_MAX];
	struct luna_mech_list arg = { 0 };
	struct fuzz_side side;
	size_t len = sizeof(rows);
	u32 i;

	fuzz_side_open(&side, 0, memstore_new());
	side.open = luna_open(side.fx.token);
	fuzz_must(fx_init_token(side.open, LUNA_TOKEN_PPSO, FX_SO_PIN, ""));
	fuzz_must(fx_call(side.open, LUNA_MECH_LIST, &arg, sizeof(arg), NULL, 0, rows, &len));
	for (i = 0; i < arg.count; i++)
		mechanisms[mechanism_count++] = rows[i].type;
	qsort(mechanisms, mechanism_count, sizeof(*mechanisms), by_place);
	for (i = 1; i < mechanism_count; i++)
		fuzz_check(by_place(&mechanisms[i - 1], &mechanisms[i]));
	fuzz_side_close(&side);
}

void fuzz_learn_attributes(void)
{
	static const struct { u32 class, type; } kinds[] = {
		{ CKO_DATA, 0 }, { CKO_CERTIFICATE, 0 }, { CKO_PUBLIC_KEY, CKK_RSA },
		{ CKO_PRIVATE_KEY, CKK_RSA }, { CKO_SECRET_KEY, CKK_AES },
		{ CKO_SECRET_KEY, CKK_GENERIC_SECRET }, { CKO_PUBLIC_KEY, CKK_EC },
		{ CKO_PRIVATE_KEY, CKK_EC },
	};
	const struct luna_attr_row *row;
	struct luna_kind kind;
	u32 i, k, at;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		fuzz_must(luna_kind_find(&kind, kinds[i].class, kinds[i].type));
		for (at = 0; (row = luna_attr_next(&kind, &at)); ) {
			for (k = 0; k < attribute_count && attributes[k] != row->type; k++)
				;
			if (k == attribute_count && k < TYPES_MAX)
				attributes[attribute_count++] = row->type;
		}
	}
}

u32 fuzz_mechanism(u16 n)
{
	u32 low = 0, high = mechanism_count, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (fuzz_mechanism_number(mechanisms[middle]) < n)
			low = middle + 1;
		else
			high = middle;
	}
	return mechanisms[low % mechanism_count];
}

u32 fuzz_mechanism_count(void)
{
	return mechanism_count;
}

u32 fuzz_mechanism_at(u32 index)
{
	return mechanisms[index];
}

u32 fuzz_attribute(u32 n)
{
	return attributes[n % attribute_count];
}

/* ---- templates ---- */

void fuzz_attrs_bool(struct fx_tmpl *tmpl, bool value, const u32 *types, size_t count)
{
	while (count--)
		fx_attr_bool(tmpl, *types++, value);
}

static const u32 all_use[] = { CKA_ENCRYPT, CKA_DECRYPT, CKA_SIGN, CKA_VERIFY, CKA_WRAP, CKA_UNWRAP,
				CKA_DERIVE };

static void preset_rsa(struct fx_tmpl *tmpl)
{
	fx_attr_ulong(tmpl, CKA_MODULUS_BITS, 2048);
	fx_attr(tmpl, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
}

/* A key of @type; all bytes have odd parity, as those of DES keys must. */
static void preset_secret(struct fx_tmpl *tmpl, u32 type, u32 len)
{
	static const u8 value[32] = {
		0x01, 0x02, 0x04, 0x07, 0x08, 0x0b, 0x0d, 0x0e, 0x10, 0x13, 0x15, 0x16, 0x19, 0x1a,
		0x1c, 0x1f, 0x20, 0x23, 0x25, 0x26, 0x29, 0x2a, 0x2c, 0x2f, 0x31, 0x32, 0x34, 0x37,
		0x38, 0x3b, 0x3d, 0x3e,
	};

	fx_attr_ulong(tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(tmpl, CKA_KEY_TYPE, type);
	fx_attr(tmpl, CKA_VALUE, value, len);
	fuzz_attrs_bool(tmpl, true, all_use, ARRAY_SIZE(all_use));
}

void fuzz_template_preset(enum fuzz_preset preset, bool on_token, struct fx_tmpl *tmpl)
{
	static const u8 p256[] = { 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7 };

	fx_attr_bool(tmpl, CKA_TOKEN, on_token);
	switch (preset) {
	case FUZZ_PRESET_AES: preset_secret(tmpl, CKK_AES, 16); break;
	case FUZZ_PRESET_DES3: preset_secret(tmpl, CKK_DES3, 24); break;
	case FUZZ_PRESET_XTS: preset_secret(tmpl, CKK_AES_XTS, 32); break;
	case FUZZ_PRESET_RSA: preset_rsa(tmpl); break;
	case FUZZ_PRESET_P256: fx_attr(tmpl, CKA_EC_PARAMS, p256, sizeof(p256)); break;
	case FUZZ_PRESET_25519: fx_attr(tmpl, CKA_EC_PARAMS, "\x13\x0a" "curve25519", 12); break;
	case FUZZ_PRESET_DATA:
		fx_attr_ulong(tmpl, CKA_CLASS, CKO_DATA);
		fx_attr_text(tmpl, CKA_VALUE, "sixteen letters.");
		break;
	case FUZZ_PRESET_LENGTH:
		fx_attr_ulong(tmpl, CKA_VALUE_LEN, 16);
		fuzz_attrs_bool(tmpl, true, all_use, ARRAY_SIZE(all_use));
	}
}

static void template_one(struct fuzz_in *in, struct fx_tmpl *tmpl)
{
	u8 how = fuzz_u8(in), type = fuzz_u8(in);
	u32 cka = how & 0x80 ? fuzz_u32(in) : fuzz_attribute(type);
	const u8 *bytes;
	size_t len;

	if (tmpl->len > sizeof(tmpl->data) - 512)
		return;
	switch (how & 7) {
	case 0:
	case 1:
		fx_attr_bool(tmpl, cka, how & 1);
		break;
	case 2:
		fx_attr_ulong(tmpl, cka, fuzz_u8(in));
		break;
	case 3:
		fx_attr_ulong(tmpl, cka, fuzz_u32(in));
		break;
	case 4:
		fx_attr(tmpl, cka, NULL, 0);
		break;
	default:
		bytes = fuzz_bytes(in, fuzz_u8(in), &len);
		fx_attr(tmpl, cka, bytes, len);
	}
}

void fuzz_template(struct fuzz_in *in, struct fx_tmpl *tmpl)
{
	u8 count = fuzz_u8(in);

	tmpl->len = 0;
	if (count & 0x80)
		fuzz_template_preset(count >> 4 & 7, count & 8, tmpl);
	for (count &= 7; count; count--)
		template_one(in, tmpl);
}
