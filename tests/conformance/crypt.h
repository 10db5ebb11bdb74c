/* SPDX-License-Identifier: MIT */
/*
 * What the suites "kat" and "cross" share: whole operations in one call or in parts, and RSA keys from numbers.
 */
#ifndef LUNA_TESTS_CRYPT_H
#define LUNA_TESTS_CRYPT_H

#include "suite.h"

/*
 * How data is cut: 0: one-shot call; n > 0: parts of n bytes; RANDOM_PARTS: of 0 to 255 bytes, with a
 * long one now and then.
 */
enum { ONE_SHOT = 0, RANDOM_PARTS = -1 };

static inline CK_ULONG part_len(int split, CK_ULONG left)
{
	CK_ULONG len = split;

	if (split == RANDOM_PARTS)
		len = rand() % 8 ? rand() % 256 : rand() % 40000;
	return len < left ? len : left;
}

/* C_EncryptInit and what follows, or C_Decrypt...; *@out_len: room, then result */
static inline CK_RV run_crypt(bool encrypt, CK_SESSION_HANDLE s, CK_MECHANISM *mech,
			      CK_OBJECT_HANDLE key, const void *data, CK_ULONG len, int split,
			      unsigned char *out, CK_ULONG *out_len)
{
	CK_BYTE_PTR in = (CK_BYTE_PTR)data;
	CK_ULONG done = 0, take, got;
	CK_RV rv;

	rv = encrypt ? p11->C_EncryptInit(s, mech, key) : p11->C_DecryptInit(s, mech, key);
	if (rv)
		return rv;
	if (split == ONE_SHOT)
		return encrypt ? p11->C_Encrypt(s, in, len, out, out_len) :
				 p11->C_Decrypt(s, in, len, out, out_len);
	while (len) {
		take = part_len(split, len);
		got = *out_len - done;
		rv = encrypt ? p11->C_EncryptUpdate(s, in, take, out + done, &got) :
			       p11->C_DecryptUpdate(s, in, take, out + done, &got);
		if (rv)
			return rv;
		done += got;
		in += take;
		len -= take;
	}
	got = *out_len - done;
	rv = encrypt ? p11->C_EncryptFinal(s, out + done, &got) :
		       p11->C_DecryptFinal(s, out + done, &got);
	*out_len = done + got;
	return rv;
}

static inline CK_RV run_digest(CK_SESSION_HANDLE s, CK_MECHANISM *mech, const void *data,
			       CK_ULONG len, int split, unsigned char *out, CK_ULONG *out_len)
{
	CK_BYTE_PTR in = (CK_BYTE_PTR)data;
	CK_RV rv = p11->C_DigestInit(s, mech);
	CK_ULONG take;

	if (rv || split == ONE_SHOT)
		return rv ? rv : p11->C_Digest(s, in, len, out, out_len);
	for (; len && !rv; in += take, len -= take) {
		take = part_len(split, len);
		rv = p11->C_DigestUpdate(s, in, take);
	}
	return rv ? rv : p11->C_DigestFinal(s, out, out_len);
}

static inline CK_RV run_sign(CK_SESSION_HANDLE s, CK_MECHANISM *mech, CK_OBJECT_HANDLE key,
			     const void *data, CK_ULONG len, int split, unsigned char *out,
			     CK_ULONG *out_len)
{
	CK_BYTE_PTR in = (CK_BYTE_PTR)data;
	CK_RV rv = p11->C_SignInit(s, mech, key);
	CK_ULONG take;

	if (rv || split == ONE_SHOT)
		return rv ? rv : p11->C_Sign(s, in, len, out, out_len);
	for (; len && !rv; in += take, len -= take) {
		take = part_len(split, len);
		rv = p11->C_SignUpdate(s, in, take);
	}
	return rv ? rv : p11->C_SignFinal(s, out, out_len);
}

static inline CK_RV run_verify(CK_SESSION_HANDLE s, CK_MECHANISM *mech, CK_OBJECT_HANDLE key,
			       const void *data, CK_ULONG len, int split, const void *sig,
			       CK_ULONG sig_len)
{
	CK_BYTE_PTR in = (CK_BYTE_PTR)data;
	CK_RV rv = p11->C_VerifyInit(s, mech, key);
	CK_ULONG take;

	if (rv || split == ONE_SHOT)
		return rv ? rv : p11->C_Verify(s, in, len, (CK_BYTE_PTR)sig, sig_len);
	for (; len && !rv; in += take, len -= take) {
		take = part_len(split, len);
		rv = p11->C_VerifyUpdate(s, in, take);
	}
	return rv ? rv : p11->C_VerifyFinal(s, (CK_BYTE_PTR)sig, sig_len);
}

struct bytes {
	unsigned char *data;
	size_t len;
};

/* An RSA key as numbers; parts that are missing have data NULL. */
struct rsa_numbers {
	struct bytes n, e, d, p, q, dp, dq, qi;
};

static inline CK_OBJECT_HANDLE rsa_import_public(CK_SESSION_HANDLE s, const struct rsa_numbers *k)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR_BYTES(CKA_MODULUS, k->n.data, k->n.len),
		ATTR_BYTES(CKA_PUBLIC_EXPONENT, k->e.data, k->e.len), ATTR(CKA_ENCRYPT, yes),
		ATTR(CKA_VERIFY, yes), ATTR(CKA_VERIFY_RECOVER, yes), ATTR(CKA_WRAP, yes),
	};
	CK_OBJECT_HANDLE key = 0;

	assert_ok(p11->C_CreateObject(s, tmpl, COUNT(tmpl), &key));
	return key;
}

/* With or without the parts for the CRT; @k->e may be missing. */
static inline CK_OBJECT_HANDLE rsa_import_private(CK_SESSION_HANDLE s, const struct rsa_numbers *k,
						  bool crt)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ATTRIBUTE tmpl[20] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR(CKA_SENSITIVE, yes), ATTR(CKA_EXTRACTABLE, no), ATTR(CKA_PRIVATE, yes),
		ATTR(CKA_DECRYPT, yes), ATTR(CKA_SIGN, yes), ATTR(CKA_SIGN_RECOVER, yes),
		ATTR(CKA_UNWRAP, yes), ATTR_BYTES(CKA_MODULUS, k->n.data, k->n.len),
		ATTR_BYTES(CKA_PRIVATE_EXPONENT, k->d.data, k->d.len),
	};
	const CK_ATTRIBUTE more[] = {
		ATTR_BYTES(CKA_PRIME_1, k->p.data, k->p.len), ATTR_BYTES(CKA_PRIME_2, k->q.data, k->q.len),
		ATTR_BYTES(CKA_EXPONENT_1, k->dp.data, k->dp.len),
		ATTR_BYTES(CKA_EXPONENT_2, k->dq.data, k->dq.len),
		ATTR_BYTES(CKA_COEFFICIENT, k->qi.data, k->qi.len),
	};
	CK_OBJECT_HANDLE key = 0;
	CK_ULONG count = 12;

	if (k->e.data)
		tmpl[count++] = (CK_ATTRIBUTE)ATTR_BYTES(CKA_PUBLIC_EXPONENT, k->e.data, k->e.len);
	if (crt) {
		memcpy(tmpl + count, more, sizeof(more));
		count += COUNT(more);
	}
	assert_ok(p11->C_CreateObject(s, tmpl, count, &key));
	return key;
}

#endif /* LUNA_TESTS_CRYPT_H */
