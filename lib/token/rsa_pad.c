// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The encodings of PKCS#1 v2.2 (RFC 8017) around the raw RSA of a provider. Decoding for
 * decryption takes the same time and touches the same memory whatever was decrypted: the position
 * of the message is found with masks, and the message is moved by steps that do not depend on it
 * (Bleichenbacher, Manger). Every em is as long as the modulus.
 */
#include "ct.h"
#include "key.h"

/* Moves the end of @buf, from @from on, to its start; what follows is of no meaning. */
static void ct_shift_left(u8 *buf, u32 len, u32 from)
{
	u32 step, i, mask;

	for (step = 1; step < len; step <<= 1) {
		mask = ~luna_ct_zero(from & step);
		for (i = 0; i + step < len; i++)
			buf[i] = luna_ct_select(mask, buf[i + step], buf[i]);
	}
}

/* The message behind byte @at of @msg (k bytes), or zeros if @good is no. */
static int ct_deliver(u32 good, u32 at, u8 *msg, u32 k, u32 *len)
{
	u32 i;

	at = luna_ct_select(good, at, k - 1);
	ct_shift_left(msg, k, at + 1);
	for (i = 0; i < k; i++)
		msg[i] &= good;
	*len = k - 1 - at;
	return (int)(~good & (u32)-EBADMSG);
}

/* Index of the first byte of @buf from @from on that equals @value, found or not in *@found. */
static u32 ct_find(const u8 *buf, u32 from, u32 len, u8 value, u32 *found)
{
	u32 at = 0, seen = 0, hit, i;

	for (i = from; i < len; i++) {
		hit = luna_ct_eq(buf[i], value) & ~seen;
		at = luna_ct_select(hit, i, at);
		seen |= hit;
	}
	*found = seen;
	return at;
}

/* ---- PKCS#1 v1.5 (RFC 8017, 7.2 and 9.2) ---- */

enum { PKCS1_OVERHEAD = 11, PKCS1_PS = 2 };	/* 00, type, 8 bytes at least, 00 */

/* Random bytes without a zero. */
static int random_nonzero(const struct luna_crypto_ops *c, u8 *buf, u32 len)
{
	u32 i, kept = 0;
	int err;

	while (kept < len) {
		err = c->random(buf + kept, len - kept);
		if (err)
			return err;
		for (i = kept; i < len; i++)
			if (buf[i])
				buf[kept++] = buf[i];
	}
	return 0;
}

int luna_pkcs1_pad_encrypt(const struct luna_crypto_ops *c, const u8 *msg, u32 len, u8 *em, u32 k)
{
	int err;

	if (k < PKCS1_OVERHEAD || len > k - PKCS1_OVERHEAD)
		return -EINVAL;
	memmove(em + k - len, msg, len);
	em[0] = 0;
	em[1] = 2;
	err = random_nonzero(c, em + PKCS1_PS, k - len - 3);
	em[k - len - 1] = 0;
	return err;
}

int luna_pkcs1_unpad_encrypt(const u8 *em, u32 k, u8 *msg, u32 *len)
{
	u32 good, found, at;

	*len = 0;
	if (k < PKCS1_OVERHEAD)
		return -EBADMSG;
	at = ct_find(em, PKCS1_PS, k, 0, &found);
	good = luna_ct_zero(em[0]) & luna_ct_eq(em[1], 2) & found &
	       ~luna_ct_less(at, PKCS1_OVERHEAD - 1);
	memmove(msg, em, k);
	return ct_deliver(good, at, msg, k, len);
}

void luna_pkcs1_unpad_fixed(const u8 *em, u32 k, const u8 *fallback, u8 *msg, u32 want)
{
	u32 good, end, i;

	if (k < PKCS1_OVERHEAD || want > k - PKCS1_OVERHEAD) {
		memmove(msg, fallback, want);
		return;
	}
	end = k - want - 1;
	good = luna_ct_zero(em[0]) & luna_ct_eq(em[1], 2) & luna_ct_zero(em[end]);
	for (i = PKCS1_PS; i < end; i++)
		good &= ~luna_ct_zero(em[i]);
	luna_ct_copy(good, em + k - want, fallback, msg, want);
}

/* DER of DigestInfo up to the digest (RFC 8017, 9.2, note 1). */
static const struct {
	u8 len;
	u8 der[20];
} digest_info[LUNA_HASHES] = {
	[LUNA_SHA1] = { 15, "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14" },
	[LUNA_SHA224] = { 19, "\x30\x2d\x30\x0d\x06\x09\x60\x86"
			  "\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c" },
	[LUNA_SHA256] = { 19, "\x30\x31\x30\x0d\x06\x09\x60\x86"
			  "\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20" },
	[LUNA_SHA384] = { 19, "\x30\x41\x30\x0d\x06\x09\x60\x86"
			  "\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30" },
	[LUNA_SHA512] = { 19, "\x30\x51\x30\x0d\x06\x09\x60\x86"
			  "\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40" },
	[LUNA_SHA3_224] = { 19, "\x30\x2d\x30\x0d\x06\x09\x60\x86"
			    "\x48\x01\x65\x03\x04\x02\x07\x05\x00\x04\x1c" },
	[LUNA_SHA3_256] = { 19, "\x30\x31\x30\x0d\x06\x09\x60\x86"
			    "\x48\x01\x65\x03\x04\x02\x08\x05\x00\x04\x20" },
	[LUNA_SHA3_384] = { 19, "\x30\x41\x30\x0d\x06\x09\x60\x86"
			    "\x48\x01\x65\x03\x04\x02\x09\x05\x00\x04\x30" },
	[LUNA_SHA3_512] = { 19, "\x30\x51\x30\x0d\x06\x09\x60\x86"
			    "\x48\x01\x65\x03\x04\x02\x0a\x05\x00\x04\x40" },
};

int luna_pkcs1_pad_sign(enum luna_hash hash, const u8 *digest, u32 len, u8 *em, u32 k)
{
	u32 prefix = hash == LUNA_HASHES ? 0 : digest_info[hash].len;

	if (k < PKCS1_OVERHEAD + prefix || len > k - PKCS1_OVERHEAD - prefix)
		return -EINVAL;
	if (hash != LUNA_HASHES && len != luna_hash_len(hash))
		return -EINVAL;
	memmove(em + k - len, digest, len);
	em[0] = 0;
	em[1] = 1;
	memset(em + PKCS1_PS, 0xff, k - len - prefix - 3);
	em[k - len - prefix - 1] = 0;
	if (prefix)
		memcpy(em + k - len - prefix, digest_info[hash].der, prefix);
	return 0;
}

/* ---- MGF1 (RFC 8017, B.2.1) ---- */

/* Digest of up to three pieces. */
struct piece {
	const void *data;
	u32 len;
};

static int hash_pieces(const struct luna_crypto_ops *c, enum luna_hash hash,
		       const struct piece *pieces, u32 count, u8 *digest)
{
	struct luna_hash_stream *s = c->hash_begin(hash);
	int err = 0;
	u32 i;

	if (IS_ERR(s))
		return PTR_ERR(s);
	for (i = 0; i < count && !err; i++)
		if (pieces[i].len)
			err = c->hash_update(s, pieces[i].data, pieces[i].len);
	if (!err)
		err = c->hash_final(s, digest);
	c->hash_end(s);
	return err;
}

/* out ^= MGF1(seed) */
static int mgf1_xor(const struct luna_crypto_ops *c, enum luna_hash hash, const u8 *seed,
		    u32 seed_len, u8 *out, u32 len)
{
	u8 digest[LUNA_HASH_MAX] = { 0 }, count[4];
	struct piece pieces[2] = { { seed, seed_len }, { count, sizeof(count) } };
	u32 hlen = luna_hash_len(hash), at, i, n;
	int err = 0;

	for (at = 0; at < len && !err; at += n) {
		put_unaligned_be32(at / hlen, count);
		n = min(hlen, len - at);
		err = hash_pieces(c, hash, pieces, ARRAY_SIZE(pieces), digest);
		for (i = 0; i < n && !err; i++)
			out[at + i] ^= digest[i];
	}
	memzero_explicit(digest, sizeof(digest));
	return err;
}

/* ---- OAEP (RFC 8017, 7.1) ---- */

int luna_oaep_pad(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		  const u8 *label, u32 label_len, const u8 *msg, u32 len, u8 *em, u32 k)
{
	u32 hlen = luna_hash_len(hash);
	u8 *seed = em + 1, *db = seed + hlen;
	struct piece piece = { label, label_len };
	int err;

	if (k < 2 * hlen + 2 || len > k - 2 * hlen - 2)
		return -EINVAL;
	memmove(em + k - len, msg, len);
	em[0] = 0;
	memset(db + hlen, 0, k - 2 * hlen - 2 - len);
	em[k - len - 1] = 1;
	err = hash_pieces(c, hash, &piece, 1, db);
	if (!err)
		err = c->random(seed, hlen);
	if (!err)
		err = mgf1_xor(c, mgf, seed, hlen, db, k - 1 - hlen);
	if (!err)
		err = mgf1_xor(c, mgf, db, k - 1 - hlen, seed, hlen);
	return err;
}

/* Mask: the bytes of @db (unmasked) up to the message are lHash, zeros and a one, at *@at. */
static u32 oaep_check(const u8 *db, const u8 *lhash, u32 hlen, u32 len, u32 *at)
{
	u32 good, found, i;

	*at = ct_find(db, hlen, len, 1, &found);
	good = found;
	for (i = 0; i < hlen; i++)
		good &= luna_ct_eq(db[i], lhash[i]);
	for (i = hlen; i < len; i++)
		good &= luna_ct_zero(db[i]) | ~luna_ct_less(i, *at);
	return good;
}

int luna_oaep_unpad(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		    const u8 *label, u32 label_len, const u8 *em, u32 k, u8 *msg, u32 *len)
{
	u32 hlen = luna_hash_len(hash), good, at;
	struct piece piece = { label, label_len };
	u8 lhash[LUNA_HASH_MAX] = { 0 };
	u8 *seed, *db;
	int err;

	*len = 0;
	if (k < 2 * hlen + 2)
		return -EBADMSG;
	memmove(msg, em, k);
	seed = msg + 1;
	db = seed + hlen;
	err = hash_pieces(c, hash, &piece, 1, lhash);
	if (!err)
		err = mgf1_xor(c, mgf, db, k - 1 - hlen, seed, hlen);
	if (!err)
		err = mgf1_xor(c, mgf, seed, hlen, db, k - 1 - hlen);
	if (err) {
		memzero_explicit(msg, k);
		return err;
	}
	good = oaep_check(db, lhash, hlen, k - 1 - hlen, &at) & luna_ct_zero(msg[0]);
	return ct_deliver(good, 1 + hlen + at, msg, k, len);
}

/* ---- PSS (RFC 8017, 9.1) ---- */

/* Where the parts of an encoded message lie. */
struct pss {
	u8 *db, *h;
	u32 hlen, db_len;
	u8 top;			/* bits of db[0] that the modulus has room for */
};

/* @em as long as the modulus, whose first byte is outside the encoding if mod_bits is 8i + 1. */
static int pss_layout(struct pss *p, enum luna_hash hash, u32 salt_len, u8 *em, u32 mod_bits)
{
	u32 bits = mod_bits - 1, len = DIV_ROUND_UP(bits, 8);

	p->hlen = luna_hash_len(hash);
	if (mod_bits < 16 || salt_len > LUNA_RSA_MAX || len < p->hlen + salt_len + 2)
		return -EINVAL;
	p->db = em + DIV_ROUND_UP(mod_bits, 8) - len;
	p->db_len = len - p->hlen - 1;
	p->h = p->db + p->db_len;
	p->top = 0xff >> (8 * len - bits);
	return 0;
}

static int pss_hash(const struct luna_crypto_ops *c, enum luna_hash hash, const u8 *digest,
		    const u8 *salt, u32 salt_len, u8 *h)
{
	static const u8 zeros[8];
	struct piece pieces[3] = {
		{ zeros, sizeof(zeros) }, { digest, luna_hash_len(hash) }, { salt, salt_len },
	};

	return hash_pieces(c, hash, pieces, ARRAY_SIZE(pieces), h);
}

int luna_pss_pad(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		 u32 salt_len, const u8 *digest, u8 *em, u32 mod_bits)
{
	struct pss p;
	u8 *salt;
	int err = pss_layout(&p, hash, salt_len, em, mod_bits);

	if (err)
		return err;
	salt = p.h - salt_len;
	if (salt_len)
		err = c->random(salt, salt_len);
	if (!err)
		err = pss_hash(c, hash, digest, salt, salt_len, p.h);
	if (err)
		return err;
	memset(em, 0, salt - 1 - em);
	salt[-1] = 1;
	p.h[p.hlen] = 0xbc;
	err = mgf1_xor(c, mgf, p.h, p.hlen, p.db, p.db_len);
	p.db[0] &= p.top;
	return err;
}

/* db is zeros and a one before the salt. */
static bool pss_db_fits(const struct pss *p, u32 salt_len)
{
	u32 zeros = p->db_len - salt_len - 1;

	return !memchr_inv(p->db, 0, zeros) && p->db[zeros] == 1;
}

/* @em is a copy that may be changed. */
static int pss_check(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		     u32 salt_len, const u8 *digest, u8 *em, u32 mod_bits)
{
	u8 h[LUNA_HASH_MAX];
	struct pss p;
	int err = pss_layout(&p, hash, salt_len, em, mod_bits);

	if (err)
		return err;
	if ((p.db != em && em[0]) || p.h[p.hlen] != 0xbc || (p.db[0] & ~p.top))
		return -EBADMSG;
	err = mgf1_xor(c, mgf, p.h, p.hlen, p.db, p.db_len);
	if (err)
		return err;
	p.db[0] &= p.top;
	if (!pss_db_fits(&p, salt_len))
		return -EBADMSG;
	err = pss_hash(c, hash, digest, p.h - salt_len, salt_len, h);
	if (err)
		return err;
	return crypto_memneq(h, p.h, p.hlen) ? -EBADMSG : 0;
}

int luna_pss_verify(const struct luna_crypto_ops *c, enum luna_hash hash, enum luna_hash mgf,
		    u32 salt_len, const u8 *digest, const u8 *em, u32 mod_bits)
{
	u32 k = DIV_ROUND_UP(mod_bits, 8);
	u8 *copy = kmemdup(em, k, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	err = pss_check(c, hash, mgf, salt_len, digest, copy, mod_bits);
	kfree_sensitive(copy);
	return err;
}
