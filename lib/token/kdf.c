// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Hashes and MACs in one call, and what is made of them: PBKDF2 (RFC 8018), HKDF (RFC 5869),
 * CRC-32.
 *
 * A digest or MAC goes through heap memory on its way to the caller, who may keep it on the stack.
 */
#include "log.h"
#include "token.h"

/* What a long derivation does between two looks at whether its caller was killed. */
enum { KDF_STRIDE = 1024 };

u32 luna_hash_len(enum luna_hash h)
{
	static const u8 lens[LUNA_HASHES] = {
		[LUNA_SHA1] = 20,
		[LUNA_SHA224] = 28,
		[LUNA_SHA256] = 32,
		[LUNA_SHA384] = 48,
		[LUNA_SHA512] = 64,
		[LUNA_SHA3_224] = 28,
		[LUNA_SHA3_256] = 32,
		[LUNA_SHA3_384] = 48,
		[LUNA_SHA3_512] = 64,
	};

	return (u32)h < LUNA_HASHES ? lens[array_index_nospec((u32)h, LUNA_HASHES)] : 0;
}

u32 luna_mac_len(enum luna_mac_kind kind)
{
	return kind == LUNA_CMAC_AES ? LUNA_AES_BLOCK : luna_hash_len(kind - LUNA_HMAC);
}

int luna_hash_once(const struct luna_crypto_ops *c, enum luna_hash h, const void *data, size_t len,
		   u8 *digest)
{
	struct luna_hash_stream *s = c->hash_begin(h);
	u8 *out;
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	out = kmalloc(LUNA_HASH_MAX, GFP_KERNEL);
	err = out ? c->hash_update(s, data, len) : -ENOMEM;
	if (!err)
		err = c->hash_final(s, out);
	if (!err)
		memcpy(digest, out, luna_hash_len(h));
	c->hash_end(s);
	kfree_sensitive(out);
	return err;
}

int luna_mac_parts(const struct luna_crypto_ops *c, struct luna_mac_key *key,
		   const struct luna_num *parts, u32 count, u8 *mac)
{
	struct luna_mac_stream *s = c->mac_begin(key);
	int err = 0;
	u32 i;

	if (IS_ERR(s))
		return PTR_ERR(s);
	for (i = 0; i < count && !err; i++)
		if (parts[i].len)
			err = c->mac_update(s, parts[i].data, parts[i].len);
	if (!err)
		err = c->mac_final(s, mac);
	c->mac_end(s);
	return err;
}

int luna_mac_once(const struct luna_crypto_ops *c, enum luna_mac_kind kind, const u8 *key,
		  size_t key_len, const void *data, size_t len, u8 *mac)
{
	struct luna_num part = { .data = data, .len = len };
	struct luna_mac_key *k;
	u8 *out;
	int err;

	if (len > U32_MAX)
		return -EINVAL;
	k = c->mac_key(kind, key, key_len);
	if (IS_ERR(k))
		return PTR_ERR(k);
	out = kmalloc(LUNA_HASH_MAX, GFP_KERNEL);
	err = out ? luna_mac_parts(c, k, &part, 1, out) : -ENOMEM;
	if (!err)
		memcpy(mac, out, luna_mac_len(kind));
	c->mac_key_free(k);
	kfree_sensitive(out);
	return err;
}

/* A derivation under way, on the heap: u is U_i of the block, t the sum of them so far. */
struct pbkdf2 {
	const struct luna_crypto_ops *c;
	struct luna_mac_key *key;
	u32 hash_len;
	u8 index[4];
	u8 u[LUNA_HASH_MAX];
	u8 t[LUNA_HASH_MAX];
};

static int pbkdf2_first(struct pbkdf2 *p, const struct luna_num *salt, u32 index)
{
	struct luna_num parts[] = { *salt, { .data = p->index, .len = sizeof(p->index) } };
	int err;

	put_unaligned_be32(index, p->index);
	err = luna_mac_parts(p->c, p->key, parts, ARRAY_SIZE(parts), p->u);
	memcpy(p->t, p->u, p->hash_len);
	return err;
}

static int pbkdf2_next(struct pbkdf2 *p)
{
	struct luna_num part = { .data = p->u, .len = p->hash_len };
	int err = luna_mac_parts(p->c, p->key, &part, 1, p->u);
	u32 i;

	for (i = 0; i < p->hash_len; i++)
		p->t[i] ^= p->u[i];
	return err;
}

static int pbkdf2_block(struct pbkdf2 *p, const struct luna_num *salt, u32 iterations, u32 index)
{
	int err = pbkdf2_first(p, salt, index);
	u32 i;

	for (i = 1; i < iterations && !err; i++) {
		err = pbkdf2_next(p);
		if (i % KDF_STRIDE)
			continue;
		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return err;
}

static int pbkdf2_generic(struct pbkdf2 *p, const struct luna_num *salt, u32 iterations, u8 *out,
			  size_t out_len)
{
	u32 index = 1;
	size_t n;
	int err;

	for (; out_len; out_len -= n, out += n) {
		err = pbkdf2_block(p, salt, iterations, index++);
		if (err)
			return err;
		n = min_t(size_t, out_len, p->hash_len);
		memcpy(out, p->t, n);
	}
	return 0;
}

/**
 * luna_pbkdf2() - PBKDF2 with HMAC of @h (RFC 8018, 5.2) Return: 0, -EINVAL (no iterations, no
 * output or too much of it), -EINTR (the caller was killed), or what the provider says. @out is
 * undefined unless 0 is returned.
 */
int luna_pbkdf2(const struct luna_crypto_ops *c, enum luna_hash h, const u8 *pin, size_t pin_len,
		const u8 *salt, size_t salt_len, u32 iterations, u8 *out, size_t out_len)
{
	struct luna_num s = { .data = salt, .len = salt_len };
	struct pbkdf2 *p;
	int err;

	if (!iterations || !out_len || out_len > S32_MAX || salt_len > S32_MAX)
		return -EINVAL;
	if (c->pbkdf2)
		return c->pbkdf2(h, pin, pin_len, salt, salt_len, iterations, out, out_len);
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return -ENOMEM;
	p->c = c;
	p->hash_len = luna_hash_len(h);
	p->key = c->mac_key(LUNA_HMAC + h, pin, pin_len);
	if (IS_ERR(p->key)) {
		err = PTR_ERR(p->key);
	} else {
		err = pbkdf2_generic(p, &s, iterations, out, out_len);
		c->mac_key_free(p->key);
	}
	kfree_sensitive(p);
	return err;
}

int luna_hkdf_extract(const struct luna_crypto_ops *c, enum luna_hash h, const struct luna_num *ikm,
		      const struct luna_num *salt, u8 *prk)
{
	u8 *zeros;
	int err;

	if (salt->len)
		return luna_mac_once(c, LUNA_HMAC + h, salt->data, salt->len, ikm->data, ikm->len,
				     prk);
	zeros = kzalloc(LUNA_HASH_MAX, GFP_KERNEL);
	if (!zeros)
		return -ENOMEM;
	err = luna_mac_once(c, LUNA_HMAC + h, zeros, luna_hash_len(h), ikm->data, ikm->len, prk);
	kfree(zeros);
	return err;
}

/* An expansion under way, on the heap: t is the last block made. */
struct hkdf {
	u8 t[LUNA_HASH_MAX];
	u8 index;
};

static int hkdf_blocks(const struct luna_crypto_ops *c, struct luna_mac_key *prk, u32 hash_len,
		       const struct luna_num *info, struct hkdf *k, u8 *out, size_t out_len)
{
	struct luna_num parts[] = {
		{ .data = k->t }, *info, { .data = &k->index, .len = sizeof(k->index) },
	};
	size_t n;
	int err;

	for (k->index = 1; out_len; k->index++, out_len -= n, out += n) {
		err = luna_mac_parts(c, prk, parts, ARRAY_SIZE(parts), k->t);
		if (err)
			return err;
		n = min_t(size_t, out_len, hash_len);
		memcpy(out, k->t, n);
		parts[0].len = hash_len;
	}
	return 0;
}

int luna_hkdf_expand(const struct luna_crypto_ops *c, enum luna_hash h, const struct luna_num *prk,
		     const struct luna_num *info, u8 *out, size_t out_len)
{
	u32 hash_len = luna_hash_len(h);
	struct luna_mac_key *key;
	struct hkdf *k;
	int err;

	if (out_len > 255 * (size_t)hash_len)
		return -EINVAL;
	key = c->mac_key(LUNA_HMAC + h, prk->data, prk->len);
	if (IS_ERR(key))
		return PTR_ERR(key);
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	err = k ? hkdf_blocks(c, key, hash_len, info, k, out, out_len) : -ENOMEM;
	c->mac_key_free(key);
	kfree_sensitive(k);
	return err;
}

/**
 * luna_hkdf() - HKDF with HMAC of @h: extract and expand (RFC 5869)
 * @c: provider
 * @h: hash
 * @ikm: the secret, in heap memory
 * @ikm_len: bytes of @ikm
 * @salt: may be NULL
 * @salt_len: bytes of @salt, may be 0
 * @info: what the key is for, in heap memory; may be NULL
 * @info_len: bytes of @info, may be 0
 * @out: the key
 * @out_len: bytes wanted
 *
 * Return: 0, -EINVAL (more output than 255 blocks), or what the provider says.
 */
int luna_hkdf(const struct luna_crypto_ops *c, enum luna_hash h, const u8 *ikm, size_t ikm_len,
	      const u8 *salt, size_t salt_len, const u8 *info, size_t info_len, u8 *out,
	      size_t out_len)
{
	const struct luna_num in = { .data = ikm, .len = ikm_len };
	const struct luna_num with = { .data = salt, .len = salt_len };
	const struct luna_num about = { .data = info, .len = info_len };
	u8 *buffer = kmalloc(LUNA_HASH_MAX, GFP_KERNEL);
	const struct luna_num prk = { .data = buffer, .len = luna_hash_len(h) };
	int err;

	if (!buffer)
		return -ENOMEM;
	err = luna_hkdf_extract(c, h, &in, &with, buffer);
	if (!err)
		err = luna_hkdf_expand(c, h, &prk, &about, out, out_len);
	kfree_sensitive(buffer);
	return err;
}

/* Remainders of all bytes by the polynomial 0x04c11db7, bits reversed. */
static const u32 crc_table[256] = {
	0x00000000, 0x77073096, 0xee0e612c, 0x990951ba, 0x076dc419, 0x706af48f, 0xe963a535,
	0x9e6495a3, 0x0edb8832, 0x79dcb8a4, 0xe0d5e91e, 0x97d2d988, 0x09b64c2b, 0x7eb17cbd,
	0xe7b82d07, 0x90bf1d91, 0x1db71064, 0x6ab020f2, 0xf3b97148, 0x84be41de, 0x1adad47d,
	0x6ddde4eb, 0xf4d4b551, 0x83d385c7, 0x136c9856, 0x646ba8c0, 0xfd62f97a, 0x8a65c9ec,
	0x14015c4f, 0x63066cd9, 0xfa0f3d63, 0x8d080df5, 0x3b6e20c8, 0x4c69105e, 0xd56041e4,
	0xa2677172, 0x3c03e4d1, 0x4b04d447, 0xd20d85fd, 0xa50ab56b, 0x35b5a8fa, 0x42b2986c,
	0xdbbbc9d6, 0xacbcf940, 0x32d86ce3, 0x45df5c75, 0xdcd60dcf, 0xabd13d59, 0x26d930ac,
	0x51de003a, 0xc8d75180, 0xbfd06116, 0x21b4f4b5, 0x56b3c423, 0xcfba9599, 0xb8bda50f,
	0x2802b89e, 0x5f058808, 0xc60cd9b2, 0xb10be924, 0x2f6f7c87, 0x58684c11, 0xc1611dab,
	0xb6662d3d, 0x76dc4190, 0x01db7106, 0x98d220bc, 0xefd5102a, 0x71b18589, 0x06b6b51f,
	0x9fbfe4a5, 0xe8b8d433, 0x7807c9a2, 0x0f00f934, 0x9609a88e, 0xe10e9818, 0x7f6a0dbb,
	0x086d3d2d, 0x91646c97, 0xe6635c01, 0x6b6b51f4, 0x1c6c6162, 0x856530d8, 0xf262004e,
	0x6c0695ed, 0x1b01a57b, 0x8208f4c1, 0xf50fc457, 0x65b0d9c6, 0x12b7e950, 0x8bbeb8ea,
	0xfcb9887c, 0x62dd1ddf, 0x15da2d49, 0x8cd37cf3, 0xfbd44c65, 0x4db26158, 0x3ab551ce,
	0xa3bc0074, 0xd4bb30e2, 0x4adfa541, 0x3dd895d7, 0xa4d1c46d, 0xd3d6f4fb, 0x4369e96a,
	0x346ed9fc, 0xad678846, 0xda60b8d0, 0x44042d73, 0x33031de5, 0xaa0a4c5f, 0xdd0d7cc9,
	0x5005713c, 0x270241aa, 0xbe0b1010, 0xc90c2086, 0x5768b525, 0x206f85b3, 0xb966d409,
	0xce61e49f, 0x5edef90e, 0x29d9c998, 0xb0d09822, 0xc7d7a8b4, 0x59b33d17, 0x2eb40d81,
	0xb7bd5c3b, 0xc0ba6cad, 0xedb88320, 0x9abfb3b6, 0x03b6e20c, 0x74b1d29a, 0xead54739,
	0x9dd277af, 0x04db2615, 0x73dc1683, 0xe3630b12, 0x94643b84, 0x0d6d6a3e, 0x7a6a5aa8,
	0xe40ecf0b, 0x9309ff9d, 0x0a00ae27, 0x7d079eb1, 0xf00f9344, 0x8708a3d2, 0x1e01f268,
	0x6906c2fe, 0xf762575d, 0x806567cb, 0x196c3671, 0x6e6b06e7, 0xfed41b76, 0x89d32be0,
	0x10da7a5a, 0x67dd4acc, 0xf9b9df6f, 0x8ebeeff9, 0x17b7be43, 0x60b08ed5, 0xd6d6a3e8,
	0xa1d1937e, 0x38d8c2c4, 0x4fdff252, 0xd1bb67f1, 0xa6bc5767, 0x3fb506dd, 0x48b2364b,
	0xd80d2bda, 0xaf0a1b4c, 0x36034af6, 0x41047a60, 0xdf60efc3, 0xa867df55, 0x316e8eef,
	0x4669be79, 0xcb61b38c, 0xbc66831a, 0x256fd2a0, 0x5268e236, 0xcc0c7795, 0xbb0b4703,
	0x220216b9, 0x5505262f, 0xc5ba3bbe, 0xb2bd0b28, 0x2bb45a92, 0x5cb36a04, 0xc2d7ffa7,
	0xb5d0cf31, 0x2cd99e8b, 0x5bdeae1d, 0x9b64c2b0, 0xec63f226, 0x756aa39c, 0x026d930a,
	0x9c0906a9, 0xeb0e363f, 0x72076785, 0x05005713, 0x95bf4a82, 0xe2b87a14, 0x7bb12bae,
	0x0cb61b38, 0x92d28e9b, 0xe5d5be0d, 0x7cdcefb7, 0x0bdbdf21, 0x86d3d2d4, 0xf1d4e242,
	0x68ddb3f8, 0x1fda836e, 0x81be16cd, 0xf6b9265b, 0x6fb077e1, 0x18b74777, 0x88085ae6,
	0xff0f6a70, 0x66063bca, 0x11010b5c, 0x8f659eff, 0xf862ae69, 0x616bffd3, 0x166ccf45,
	0xa00ae278, 0xd70dd2ee, 0x4e048354, 0x3903b3c2, 0xa7672661, 0xd06016f7, 0x4969474d,
	0x3e6e77db, 0xaed16a4a, 0xd9d65adc, 0x40df0b66, 0x37d83bf0, 0xa9bcae53, 0xdebb9ec5,
	0x47b2cf7f, 0x30b5ffe9, 0xbdbdf21c, 0xcabac28a, 0x53b39330, 0x24b4a3a6, 0xbad03605,
	0xcdd70693, 0x54de5729, 0x23d967bf, 0xb3667a2e, 0xc4614ab8, 0x5d681b02, 0x2a6f2b94,
	0xb40bbe37, 0xc30c8ea1, 0x5a05df1b, 0x2d02ef8d,
};

u32 luna_crc32_more(u32 crc, const void *data, size_t len)
{
	const u8 *p = data;

	crc = ~crc;
	while (len--)
		crc = crc >> 8 ^ crc_table[(u8)(crc ^ *p++)];
	return ~crc;
}

u32 luna_crc32(const void *data, size_t len)
{
	return luna_crc32_more(0, data, len);
}
