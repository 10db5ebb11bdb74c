// SPDX-License-Identifier: MIT
/* Private keys in PKCS#8, wrapped by the token and by OpenSSL, in every form that there is. */
#include <openssl/core_names.h>
#include <openssl/x509.h>

#include "ec.h"

enum { PKCS8_ROOM = 4096 };

static CK_OBJECT_HANDLE kek;
static CK_MECHANISM kwp = { CKM_AES_KWP, NULL, 0 };

/* What OpenSSL writes as PKCS#8, under the wrapping key. Return: bytes in @to, of PKCS8_ROOM */
static CK_ULONG seal(const unsigned char *der, size_t len, unsigned char *to)
{
	CK_ULONG got = PKCS8_ROOM;

	assert_ok(run_crypt(true, s, &kwp, kek, der, len, ONE_SHOT, to, &got));
	return got;
}

static CK_RV unwrap(const struct curve *c, const unsigned char *der, size_t len, CK_OBJECT_HANDLE *key)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = c->type;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, no),
		ATTR(CKA_SENSITIVE, no), ATTR(CKA_DERIVE, yes),
	};
	unsigned char sealed[PKCS8_ROOM];

	return p11->C_UnwrapKey(s, &kwp, kek, sealed, seal(der, len, sealed), tmpl, COUNT(tmpl), key);
}

void assert_same_key(const struct pair *p, CK_OBJECT_HANDLE key)
{
	CK_ULONG len;
	unsigned char *value = attr_bytes(s, key, CKA_VALUE, &len);
	EVP_PKEY *pkey = public_of(p->curve, key);

	assert_int_equal(len, p->curve->bytes);
	assert_memory_equal(value, p->value, len);
	assert_int_equal(EVP_PKEY_eq(pkey, p->pkey), 1);
	EVP_PKEY_free(pkey);
	free(value);
}

static size_t pkcs8_of(EVP_PKEY *pkey, unsigned char *der)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	int len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);

	assert_true(len > 0);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return len;
}

int open_with_kek(void **state)
{
	unsigned char value[32];

	open_session(state);
	fresh(value, sizeof(value));
	kek = secret_import(s, CKK_AES, value, sizeof(value));
	return 0;
}

void unwrapped(void **state)
{
	CK_OBJECT_HANDLE key;
	unsigned char der[PKCS8_ROOM], bad[PKCS8_ROOM];
	size_t i, n, len, taken;
	struct pair p;
	CK_RV rv;

	NEEDS_CURVES;
	for (i = 0; i < COUNT(curves); i++) {
		if (!curve_offered(s, &curves[i]))
			continue;
		p = pair_import(&curves[i]);
		len = pkcs8_of(p.pkey, der);
		assert_ok(unwrap(p.curve, der, len, &key));
		assert_same_key(&p, key);
		assert_false(attr_bool(s, key, CKA_LOCAL));
		/* As another kind of key */
		assert_rv(unwrap(&curves[(i + 5) % 7], der, len, &key),
			  curves[(i + 5) % 7].type == p.curve->type ? CKR_OK : CKR_TEMPLATE_INCONSISTENT);
		/* Every byte broken: refused, or the same key (the private value alone decides). */
		for (n = taken = 0; n < len; n++) {
			memcpy(bad, der, len);
			bad[n] ^= 1 << rand() % 8;
			rv = unwrap(p.curve, bad, len, &key);
			taken += rv == CKR_OK;
			/* A bit may make it the name of another curve. */
			if (rv == CKR_CURVE_NOT_SUPPORTED)
				assert_false(has_signing());
			else if (rv != CKR_OK && rv != CKR_TEMPLATE_INCONSISTENT)
				assert_rv(rv, CKR_WRAPPED_KEY_INVALID);
		}
		/* Only a private value without its point can be turned into another one. */
		assert_true(is_weierstrass(p.curve) ? !taken : taken == 32);
		for (n = 1; n < len; n++)
			assert_rv(unwrap(p.curve, der, n, &key), CKR_WRAPPED_KEY_INVALID);
		der[len] = 0;
		assert_rv(unwrap(p.curve, der, len + 1, &key), CKR_WRAPPED_KEY_INVALID);
		EVP_PKEY_free(p.pkey);
	}
}

/* DER by hand: a header in front of what @at points to the end of */
static unsigned char *wrap_tag(unsigned char *start, unsigned char *end, unsigned char tag)
{
	size_t len = end - start;

	if (len > 0x7f)
		*--start = (unsigned char)len;
	*--start = len > 0x7f ? 0x81 : (unsigned char)len;
	*--start = tag;
	return start;
}

static unsigned char *put_before(unsigned char *start, const void *bytes, size_t len)
{
	start -= len;
	memcpy(start, bytes, len);
	return start;
}

enum { OUTSIDE = 1, INSIDE = 2, POINT = 4, SHORT = 8, ATTRIBUTES = 16, OTHER_INSIDE = 32, BAD_POINT = 64 };

/* A PrivateKeyInfo of a key on P-256 in one of the forms that others write. Return: its start */
static unsigned char *form(const struct pair *p, unsigned char *end, int parts)
{
	static const unsigned char ec_key[] = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
	const struct curve *c = p->curve, *inner = parts & OTHER_INSIDE ? &curves[4] : c;
	unsigned char *at = end, *mark;
	size_t skip = 0;

	if (parts & ATTRIBUTES)
		at = put_before(at, "\xa0\x00", 2);
	mark = at;
	if (parts & POINT) {
		unsigned char *point_end = at;

		at = put_before(at, p->point, c->point);
		at[20] ^= !!(parts & BAD_POINT);
		at = put_before(at, "\x00", 1);
		at = wrap_tag(at, point_end, 0x03);
		at = wrap_tag(at, point_end, 0xa1);
	}
	if (parts & (INSIDE | OTHER_INSIDE)) {
		unsigned char *params_end = at;

		at = put_before(at, inner->params, inner->params_len);
		at = wrap_tag(at, params_end, 0xa0);
	}
	while (parts & SHORT && !p->value[skip])
		skip++;
	{
		unsigned char *value_end = at;

		at = put_before(at, p->value + skip, c->bytes - skip);
		at = wrap_tag(at, value_end, 0x04);
	}
	at = put_before(at, "\x02\x01\x01", 3);
	at = wrap_tag(at, mark, 0x30);
	at = wrap_tag(at, mark, 0x04);
	{
		unsigned char *alg_end = at;

		if (parts & OUTSIDE)
			at = put_before(at, c->params, c->params_len);
		at = put_before(at, ec_key, 9);
		at = wrap_tag(at, alg_end, 0x30);
	}
	at = put_before(at, "\x02\x01\x00", 3);
	return wrap_tag(at, end, 0x30);
}

void forms(void **state)
{
	static const int good[] = {
		OUTSIDE, OUTSIDE | INSIDE, INSIDE, OUTSIDE | POINT, OUTSIDE | INSIDE | POINT, INSIDE | POINT,
		OUTSIDE | SHORT, OUTSIDE | SHORT | POINT, OUTSIDE | ATTRIBUTES, INSIDE | POINT | ATTRIBUTES,
	};
	static const int bad[] = {
		0, POINT, OUTSIDE | OTHER_INSIDE, OUTSIDE | POINT | BAD_POINT,
		OUTSIDE | POINT | OTHER_INSIDE,
	};
	const struct curve *c = &curves[1];
	unsigned char der[PKCS8_ROOM], *at;
	struct pair p = { .curve = c };
	CK_OBJECT_HANDLE key;
	size_t i;

	NEEDS_CURVES;
	/* One with a zero in front, so that it can be left out. */
	do {
		EVP_PKEY_free(p.pkey);
		p.pkey = ossl_key(c);
		ossl_numbers(&p);
	} while (p.value[0]);
	for (i = 0; i < COUNT(good); i++) {
		at = form(&p, der + sizeof(der), good[i]);
		assert_ok(unwrap(c, at, der + sizeof(der) - at, &key));
		assert_same_key(&p, key);
	}
	for (i = 0; i < COUNT(bad); i++) {
		at = form(&p, der + sizeof(der), bad[i]);
		assert_rv(unwrap(c, at, der + sizeof(der) - at, &key), CKR_WRAPPED_KEY_INVALID);
	}
	EVP_PKEY_free(p.pkey);
}

/* RFC 5958, 1.2: the public key behind it; RFC 8410, 10.3 has such a key. */
void with_public_key(void **state)
{
	const struct curve *c = &curves[ED25519];
	unsigned char der[PKCS8_ROOM];
	CK_OBJECT_HANDLE key;
	size_t len;
	struct pair p;

	NEEDS_SIGNING;
	p = pair_import(c);
	len = pkcs8_of(p.pkey, der);
	assert_int_equal(len, 48);
	memcpy(der + len, "\x81\x21\x00", 3);
	memcpy(der + len + 3, p.point, 32);
	len += 35;
	der[1] += 35;
	der[4] = 1;
	assert_ok(unwrap(c, der, len, &key));
	assert_same_key(&p, key);
	der[len - 1] ^= 1;
	assert_rv(unwrap(c, der, len, &key), CKR_WRAPPED_KEY_INVALID);
	EVP_PKEY_free(p.pkey);
}

/* Cloning (policy 0) or wrapping (1) of private keys: changing it ends all objects. */
static void allow_private_wrapping(CK_ULONG allowed)
{
	CK_ULONG ids[] = { 0, 1 }, values[] = { !allowed, allowed };
	CK_SESSION_HANDLE so = session_so(slot_a);

	assert_ok(ca->CA_SetTokenPolicies(so, slot_a, 2, ids, values));
	sessions_close(slot_a);
}

/* The token's own keys as OpenSSL reads them, and back again. */
void wrapped(void **state)
{
	CK_OBJECT_HANDLE pub, priv, again;
	const unsigned char *at;
	PKCS8_PRIV_KEY_INFO *p8;
	CK_ULONG got, len;
	EVP_PKEY *pkey, *public;
	size_t i;

	NEEDS_CURVES;
	sessions_close(slot_a);
	allow_private_wrapping(1);
	open_with_kek(state);
	for (i = 0; i < COUNT(curves); i++) {
		struct pair p = { .curve = &curves[i] };

		if (!curve_offered(s, &curves[i]))
			continue;
		assert_ok(ec_generate(s, &curves[i], true, &pub, &priv));
		got = ROOM;
		assert_ok(p11->C_WrapKey(s, &kwp, kek, priv, out, &got));
		len = ROOM;
		assert_ok(run_crypt(false, s, &kwp, kek, out, got, ONE_SHOT, back, &len));
		at = back;
		p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, len);
		assert_non_null(p8);
		assert_ptr_equal(at, back + len);
		pkey = EVP_PKCS82PKEY(p8);
		assert_non_null(pkey);
		public = public_of(&curves[i], pub);
		assert_int_equal(EVP_PKEY_eq(pkey, public), 1);
		p.pkey = pkey;
		ossl_numbers(&p);
		assert_ok(unwrap(&curves[i], back, len, &again));
		assert_same_key(&p, again);
		EVP_PKEY_free(public);
		EVP_PKEY_free(pkey);
		PKCS8_PRIV_KEY_INFO_free(p8);
	}
	sessions_close(slot_a);
	allow_private_wrapping(0);
	open_session(state);
}
