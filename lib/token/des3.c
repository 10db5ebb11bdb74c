// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Keys of triple DES (PKCS#11 v2.40 mechanisms, 2.15; SP 800-67).
 *
 * What comes in has odd parity or is refused, as the standard says, and what the token makes gets
 * it. Weak keys are drawn again at generation; who imports one has it already, somewhere else.
 */
#include "ct.h"
#include "des3.h"

enum { PART = 8 };

bool luna_des3_offered(const struct luna_crypto_ops *crypto)
{
	return crypto->has_des3 && crypto->has_des3();
}

u32 luna_des3_key_len(u64 key_type)
{
	if (key_type == CKK_DES2)
		return 2 * PART;
	return key_type == CKK_DES3 ? LUNA_DES3_KEY : 0;
}

/* 1 if the number of ones is odd */
static u8 odd(u8 byte)
{
	byte ^= byte >> 4;
	byte ^= byte >> 2;
	byte ^= byte >> 1;
	return byte & 1;
}

void luna_des3_set_parity(u8 *key, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		key[i] ^= odd(key[i]) ^ 1;
}

bool luna_des3_parity_good(const u8 *key, u32 len)
{
	u8 bad = 0;
	u32 i;

	for (i = 0; i < len; i++)
		bad |= odd(key[i]) ^ 1;
	return !bad;
}

/*
 * The weak keys and the pairs of semi-weak ones, without their parity. All of them have two halves,
 * in each of which two bytes take turns.
 */
static const u8 weak_halves[][4] = {
	{ 0x00, 0x00, 0x00, 0x00 }, { 0xfe, 0xfe, 0xfe, 0xfe },
	{ 0x1e, 0x1e, 0x0e, 0x0e }, { 0xe0, 0xe0, 0xf0, 0xf0 },
	{ 0x00, 0xfe, 0x00, 0xfe }, { 0xfe, 0x00, 0xfe, 0x00 },
	{ 0x1e, 0xe0, 0x0e, 0xf0 }, { 0xe0, 0x1e, 0xf0, 0x0e },
	{ 0x00, 0xe0, 0x00, 0xf0 }, { 0xe0, 0x00, 0xf0, 0x00 },
	{ 0x1e, 0xfe, 0x0e, 0xfe }, { 0xfe, 0x1e, 0xfe, 0x0e },
	{ 0x00, 0x1e, 0x00, 0x0e }, { 0x1e, 0x00, 0x0e, 0x00 },
	{ 0xe0, 0xfe, 0xf0, 0xfe }, { 0xfe, 0xe0, 0xfe, 0xf0 },
};

/* Differences of two parts that are not in the parity bits */
static u8 differs(const u8 *a, const u8 *b)
{
	u8 seen = 0;
	u32 i;

	for (i = 0; i < PART; i++)
		seen |= (a[i] ^ b[i]) & 0xfe;
	return seen;
}

static bool part_weak(const u8 *part)
{
	u32 weak = 0, i, j;
	u8 other[PART];

	for (i = 0; i < ARRAY_SIZE(weak_halves); i++) {
		for (j = 0; j < PART; j++)
			other[j] = weak_halves[i][j / 4 * 2 + j % 2];
		weak |= luna_ct_zero(differs(part, other));
	}
	return weak;
}

bool luna_des3_weak(const u8 *key, u32 len)
{
	bool weak = false;
	u32 at;

	for (at = 0; at < len; at += PART) {
		weak |= part_weak(key + at);
		if (at)
			weak |= !differs(key + at - PART, key + at);
	}
	return weak;
}

struct luna_des3_key *luna_des3_make(const struct luna_crypto_ops *crypto, const u8 *value,
				     u32 len)
{
	struct luna_des3_key *made;
	u8 *key;

	if (!luna_des3_offered(crypto))
		return ERR_PTR(-EOPNOTSUPP);
	if (!value || (len != 2 * PART && len != LUNA_DES3_KEY))
		return ERR_PTR(-EINVAL);
	key = kmalloc(LUNA_DES3_KEY, GFP_KERNEL);
	if (!key)
		return ERR_PTR(-ENOMEM);
	memcpy(key, value, PART);
	memcpy(key + PART, value + PART, PART);
	memcpy(key + 2 * PART, len == LUNA_DES3_KEY ? value + 2 * PART : value, PART);
	made = crypto->des3_key(key);
	kfree_sensitive(key);
	return made;
}

int luna_des3_cbc(const struct luna_crypto_ops *crypto, struct luna_des3_key *key, bool encrypt,
		  u8 *iv, const u8 *in, u32 len, u8 *out)
{
	u8 next[LUNA_DES_BLOCK];
	int err;

	memcpy(next, in + len - sizeof(next), sizeof(next));
	err = crypto->des3_crypt(key, encrypt, iv, in, len, out);
	memcpy(iv, encrypt ? out + len - sizeof(next) : next, sizeof(next));
	memzero_explicit(next, sizeof(next));
	return err;
}
