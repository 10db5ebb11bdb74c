// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Derivation by a pseudo-random function, NIST SP 800-108: the standard's mechanisms, whose callers
 * say what goes into the function (PKCS#11 v3.0 mechanisms, 2.44), and the vendor's, which know six
 * encodings of a label and a context. Both become a list of fields, which is all that is computed
 * from. Additional keys of one derivation (pAdditionalDerivedKeys) are not offered.
 */
#include "derive.h"

enum { FIELDS_MAX = 16, NUMBER_MAX = 8 };

/*
 * A part of the function's input: a counter, K(i - 1) or A(i), as @type and the mechanism say; the
 * length of the key in bits; or bytes.
 */
struct prf_field {
	u32 type;
	u32 size;		/* bytes of a number; 0: none, but K(i - 1) or A(i) */
	bool little;		/* number: the lowest byte comes first */
	bool segments;		/* DKM_LENGTH: of whole blocks */
	struct luna_num data;	/* BYTE_ARRAY */
};

/**
 * struct prf_kdf - a derivation, on the heap, as providers want it
 * @kind: the function, under @key
 * @pipeline, @feedback: which of the modes it is; neither: the counter mode
 * @counter: of the block that is made
 * @previous: A(i), or K(i - 1), at first the IV
 * @pipe, @block: where those come to be
 * @numbers, @parts: the fields of one block
 */
struct prf_kdf {
	const struct luna_crypto_ops *c;
	enum luna_mac_kind kind;
	struct luna_mac_key *key;
	bool pipeline, feedback;
	u64 counter;
	struct luna_num previous;
	u8 pipe[LUNA_HASH_MAX];
	u8 block[LUNA_HASH_MAX];
	struct prf_field fields[FIELDS_MAX];
	u32 count;
	u8 numbers[FIELDS_MAX][NUMBER_MAX];
	struct luna_num parts[FIELDS_MAX];
};

/* ---- computing ---- */

static void put_number(const struct prf_field *field, u64 value, u8 *out)
{
	u32 i;

	for (i = 0; i < field->size; i++, value >>= 8)
		out[field->little ? i : field->size - 1 - i] = value;
}

static u64 key_bits(const struct prf_kdf *p, const struct prf_field *field, u32 len)
{
	return 8 * (u64)(field->segments ? roundup(len, luna_mac_len(p->kind)) : len);
}

static bool field_varies(const struct prf_field *field)
{
	return field->type == CK_SP800_108_ITERATION_VARIABLE ||
	       field->type == CK_SP800_108_COUNTER;
}

static u64 number_value(const struct prf_kdf *p, const struct prf_field *field, u64 counter,
			u32 len)
{
	return field_varies(field) ? counter : key_bits(p, field, len);
}

/* p->parts: the input of one block or, if it is to be @fixed, what is the same for all of them. */
static u32 gather(struct prf_kdf *p, u32 len, bool fixed)
{
	const struct prf_field *field;
	u32 i, parts = 0;

	for (i = 0; i < p->count; i++) {
		field = &p->fields[i];
		if (fixed && field_varies(field))
			continue;
		if (field->size) {
			put_number(field, number_value(p, field, p->counter, len), p->numbers[i]);
			p->parts[parts].data = p->numbers[i];
			p->parts[parts++].len = field->size;
		} else {
			p->parts[parts++] = field_varies(field) ? p->previous : field->data;
		}
	}
	return parts;
}

/* A(i) of A(i - 1); A(0) is the fixed input. */
static int next_pipe(struct prf_kdf *p, u32 len)
{
	const struct luna_num pipe = { .data = p->pipe, .len = luna_mac_len(p->kind) };
	int err;

	if (p->previous.len)
		err = luna_mac_parts(p->c, p->key, &p->previous, 1, p->pipe);
	else
		err = luna_mac_parts(p->c, p->key, p->parts, gather(p, len, true), p->pipe);
	p->previous = pipe;
	return err;
}

static int next_block(struct prf_kdf *p, u32 len)
{
	const struct luna_num block = { .data = p->block, .len = luna_mac_len(p->kind) };
	int err = p->pipeline ? next_pipe(p, len) : 0;

	if (!err)
		err = luna_mac_parts(p->c, p->key, p->parts, gather(p, len, false), p->block);
	if (p->feedback)
		p->previous = block;
	p->counter++;
	return err;
}

static int prf_blocks(struct prf_kdf *p, u8 *out, u32 len)
{
	u32 done, n;
	int err;

	for (done = 0; done < len; done += n) {
		err = next_block(p, len);
		if (err)
			return err;
		n = min(len - done, luna_mac_len(p->kind));
		memcpy(out + done, p->block, n);
	}
	return 0;
}

/* Does every number have room for what it says? */
static bool numbers_fit(const struct prf_kdf *p, u32 len)
{
	u64 last = p->counter + DIV_ROUND_UP(len, luna_mac_len(p->kind)) - 1, value;
	u32 i;

	for (i = 0; i < p->count; i++) {
		if (!p->fields[i].size || p->fields[i].size == NUMBER_MAX)
			continue;
		value = number_value(p, &p->fields[i], last, len);
		if (value >> (8 * p->fields[i].size))
			return false;
	}
	return true;
}

static u32 prf_run(struct luna_derive *d, struct prf_kdf *p)
{
	u32 bytes, rv;

	if (p->kind == LUNA_CMAC_AES && d->key->key_type != CKK_AES)
		return CKR_KEY_TYPE_INCONSISTENT;
	if (!numbers_fit(p, d->want))
		return CKR_KEY_SIZE_RANGE;
	p->c = d->cmd->token->crypto;
	p->key = luna_object_mac(d->cmd->token, d->key, p->kind, &bytes);
	if (IS_ERR(p->key))
		return luna_key_ckr(PTR_ERR(p->key));
	rv = luna_derive_room(d, d->want);
	return rv ?: luna_ckr(prf_blocks(p, d->value, d->want));
}

/* The function by its MAC mechanism. */
static bool prf_by_mech(struct luna_token *token, u32 type, enum luna_mac_kind *kind)
{
	const struct luna_mech *mech = luna_mech_find(token, type);

	if (!mech || mech->variant != LUNA_PLAIN)
		return false;
	if (mech->family != LUNA_FAMILY_HMAC && mech->family != LUNA_FAMILY_CMAC)
		return false;
	*kind = mech->family == LUNA_FAMILY_HMAC ? LUNA_HMAC + mech->hash : LUNA_CMAC_AES;
	return true;
}

/* ---- the standard's ---- */

static bool number_size(const struct luna_prf_field *from, u32 most, struct prf_field *field)
{
	field->size = from->bits / 8;
	field->little = from->flags & LUNA_PRF_LITTLE_ENDIAN;
	return from->bits && !(from->bits % 8) && field->size <= most && !from->len;
}

static bool read_field(const struct prf_kdf *p, const struct luna_prf_field *from, const u8 *bytes,
		       struct prf_field *field)
{
	bool counts = !p->feedback && !p->pipeline;

	field->type = from->type;
	switch (from->type) {
	case CK_SP800_108_ITERATION_VARIABLE:
		return counts ? number_size(from, 4, field) : !from->bits && !from->len;
	case CK_SP800_108_COUNTER:
		return !counts && number_size(from, 4, field);
	case CK_SP800_108_DKM_LENGTH:
		field->segments = from->method == CK_SP800_108_DKM_LENGTH_SUM_OF_SEGMENTS;
		if (!field->segments && from->method != CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS)
			return false;
		return number_size(from, NUMBER_MAX, field);
	case CK_SP800_108_BYTE_ARRAY:
		field->data.data = bytes;
		field->data.len = from->len;
		return !from->bits;
	}
	return false;
}

static u32 fields_of(const struct prf_kdf *p, u32 type)
{
	u32 i, count = 0;

	for (i = 0; i < p->count; i++)
		count += p->fields[i].type == type;
	return count;
}

/* All fields, up to the end of the parameter. */
static bool read_fields(struct prf_kdf *p, const u8 *at, u32 left, u32 count)
{
	struct luna_prf_field from;

	for (p->count = 0; p->count < count; p->count++) {
		if (left < sizeof(from))
			return false;
		memcpy(&from, at, sizeof(from));
		at += sizeof(from);
		left -= sizeof(from);
		if (from.len > left || from.reserved || from.flags & ~LUNA_PRF_LITTLE_ENDIAN ||
		    !read_field(p, &from, at, &p->fields[p->count]))
			return false;
		at += from.len;
		left -= from.len;
	}
	return !left && fields_of(p, CK_SP800_108_ITERATION_VARIABLE) == 1 &&
	       fields_of(p, CK_SP800_108_COUNTER) <= 1 &&
	       fields_of(p, CK_SP800_108_DKM_LENGTH) <= 1;
}

static bool sp800_108_param(struct luna_derive *d, struct prf_kdf *p)
{
	struct luna_sp800_108_param from;
	const u8 *iv = d->parts.param + sizeof(from);
	u32 left;

	if (d->parts.param_len < sizeof(from))
		return false;
	memcpy(&from, d->parts.param, sizeof(from));
	left = d->parts.param_len - sizeof(from);
	if (from.reserved || from.count > FIELDS_MAX || from.iv_len > left ||
	    (from.iv_len && !p->feedback) || !prf_by_mech(d->cmd->token, from.prf, &p->kind))
		return false;
	p->previous.data = iv;
	p->previous.len = from.iv_len;
	p->counter = 1;
	return read_fields(p, iv + from.iv_len, left - from.iv_len, from.count);
}

/* ---- the vendor's ---- */

static const u32 vendor_prfs[] = {
	[CK_NIST_PRF_KDF_AES_CMAC] = CKM_AES_CMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA1] = CKM_SHA_1_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA224] = CKM_SHA224_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA256] = CKM_SHA256_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA384] = CKM_SHA384_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA512] = CKM_SHA512_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA3_224] = CKM_SHA3_224_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA3_256] = CKM_SHA3_256_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA3_384] = CKM_SHA3_384_HMAC,
	[CK_NIST_PRF_KDF_HMAC_SHA3_512] = CKM_SHA3_512_HMAC,
};

/* What stands in an encoding: letters of this kind, in their order. */
enum { VENDOR_FIELDS = 5 };

static const char vendor_schemes[][VENDOR_FIELDS + 1] = {
	/* i, I: counter of 8, 32 bits; l, L: length of 16, 32; 0: a zero byte */
	[LUNA_PRF_KDF_ENCODING_SCHEME_1] = "Ic0bL",	/* c: context, b: label */
	[LUNA_PRF_KDF_ENCODING_SCHEME_2] = "Icb",
	[LUNA_PRF_KDF_ENCODING_SCHEME_3] = "Ib0cL",
	[LUNA_PRF_KDF_ENCODING_SCHEME_4] = "Ibc",
	[LUNA_PRF_KDF_ENCODING_SCHEME_SCP03] = "b0lic",
	[LUNA_PRF_KDF_ENCODING_SCHEME_HID_KD] = "ib0cl",
};

static void vendor_field(struct prf_kdf *p, char letter, struct luna_num label,
			 struct luna_num context)
{
	struct prf_field *field = &p->fields[p->count++];

	field->type = CK_SP800_108_BYTE_ARRAY;
	switch (letter) {
	case 'i':
	case 'I':
		field->type = CK_SP800_108_ITERATION_VARIABLE;
		field->size = letter == 'i' ? 1 : 4;
		break;
	case 'l':
	case 'L':
		field->type = CK_SP800_108_DKM_LENGTH;
		field->size = letter == 'l' ? 2 : 4;
		break;
	case '0':
		field->data.data = p->pipe;	/* zero in this mode */
		field->data.len = 1;
		break;
	case 'b':
		field->data = label;
		break;
	case 'c':
		field->data = context;
		break;
	}
}

static bool prf_kdf_param(struct luna_derive *d, struct prf_kdf *p)
{
	struct luna_prf_kdf_param from;
	struct luna_num label, context;
	const char *letter;

	if (d->parts.param_len < sizeof(from))
		return false;
	memcpy(&from, d->parts.param, sizeof(from));
	if ((u64)sizeof(from) + from.label_len + from.context_len != d->parts.param_len ||
	    from.reserved || from.prf >= ARRAY_SIZE(vendor_prfs) ||
	    from.scheme >= ARRAY_SIZE(vendor_schemes))
		return false;
	if (!vendor_prfs[from.prf] ||
	    !prf_by_mech(d->cmd->token, vendor_prfs[from.prf], &p->kind))
		return false;
	label.data = d->parts.param + sizeof(from);
	label.len = from.label_len;
	context.data = label.data + label.len;
	context.len = from.context_len;
	p->counter = from.counter;
	for (letter = vendor_schemes[from.scheme]; *letter; letter++)
		vendor_field(p, *letter, label, context);
	return true;
}

/* ---- */

static u32 derive_with(struct luna_derive *d,
		       bool (*param)(struct luna_derive *d, struct prf_kdf *p))
{
	struct prf_kdf *p = kzalloc(sizeof(*p), GFP_KERNEL);
	u32 rv;

	if (!p)
		return CKR_DEVICE_MEMORY;
	p->feedback = d->mech->type == CKM_SP800_108_FEEDBACK_KDF;
	p->pipeline = d->mech->type == CKM_SP800_108_DOUBLE_PIPELINE_KDF;
	rv = param(d, p) ? prf_run(d, p) : CKR_MECHANISM_PARAM_INVALID;
	kfree_sensitive(p);
	return rv;
}

static u32 sp800_108(struct luna_derive *d)
{
	return derive_with(d, sp800_108_param);
}

static u32 prf_kdf(struct luna_derive *d)
{
	return derive_with(d, prf_kdf_param);
}

const struct luna_derive_ops luna_derive_sp800_108 = {
	.sized = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = sp800_108,
};

const struct luna_derive_ops luna_derive_prf_kdf = {
	.sized = true, .short_rv = CKR_KEY_SIZE_RANGE, .compute = prf_kdf,
};
