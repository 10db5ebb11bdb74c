// SPDX-License-Identifier: MIT
/* HA login: login keys as they must be, and keys with which nothing works. */
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "ha_login.h"
#include "rsa_parts.h"

enum { USAGES = 5 };

static const CK_ATTRIBUTE_TYPE public_usages[USAGES] = {
	CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP, CKA_DERIVE,
};

/* Every attribute that the specification asks of a login key, and CKA_EXTRACTABLE. */
static const struct {
	CK_ATTRIBUTE_TYPE type;
	CK_BBOOL value;
} private_attributes[] = {
	{ CKA_TOKEN, CK_TRUE }, { CKA_PRIVATE, CK_TRUE }, { CKA_MODIFIABLE, CK_FALSE },
	{ CKA_DERIVE, CK_FALSE }, { CKA_SENSITIVE, CK_TRUE }, { CKA_EXTRACTABLE, CK_FALSE },
	{ CKA_DECRYPT, CK_FALSE }, { CKA_SIGN, CK_FALSE }, { CKA_SIGN_RECOVER, CK_FALSE },
	{ CKA_UNWRAP, CK_FALSE },
};

#define PRIVATE_ATTRIBUTES COUNT(private_attributes)

void login_pair(CK_SESSION_HANDLE session, CK_ULONG bits, int wrong, CK_OBJECT_HANDLE *pub,
		CK_OBJECT_HANDLE *priv)
{
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_BBOOL values[PRIVATE_ATTRIBUTES];
	CK_ATTRIBUTE priv_tmpl[PRIVATE_ATTRIBUTES];
	CK_BYTE e[] = { 1, 0, 1 };
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, yes), ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_PUBLIC_EXPONENT, e),
		ATTR(CKA_ENCRYPT, no), ATTR(CKA_VERIFY, no), ATTR(CKA_VERIFY_RECOVER, no),
		ATTR(CKA_WRAP, no), ATTR(CKA_DERIVE, no),
	};
	size_t i;

	for (i = 0; i < PRIVATE_ATTRIBUTES; i++) {
		values[i] = private_attributes[i].value ^ (wrong == (int)i);
		priv_tmpl[i] = (CK_ATTRIBUTE)ATTR(private_attributes[i].type, values[i]);
	}
	assert_ok(p11->C_GenerateKeyPair(session, &mech, pub_tmpl, COUNT(pub_tmpl), priv_tmpl,
					 PRIVATE_ATTRIBUTES, pub, priv));
}

void rival_pair(bool bigger, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
{
	CK_ULONG len, other_len;
	CK_BYTE *mine, *theirs;
	int order;

	do {
		login_pair(a, KEY_BITS, -1, pub, priv);
		mine = attr_bytes(a, login_pub, CKA_MODULUS, &len);
		theirs = attr_bytes(a, *pub, CKA_MODULUS, &other_len);
		assert_int_equal(len, other_len);
		order = memcmp(theirs, mine, len);
		free(mine);
		free(theirs);
	} while (bigger ? order <= 0 : order >= 0);
}

CK_OBJECT_HANDLE public_copy(CK_SESSION_HANDLE from, CK_OBJECT_HANDLE key,
			     CK_SESSION_HANDLE to, int wrong)
{
	CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_ULONG n_len, e_len;
	CK_BYTE *n = attr_bytes(from, key, CKA_MODULUS, &n_len);
	CK_BYTE *e = attr_bytes(from, key, CKA_PUBLIC_EXPONENT, &e_len);
	CK_BBOOL values[USAGES];
	CK_ATTRIBUTE tmpl[5 + USAGES] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type), ATTR(CKA_TOKEN, yes),
		ATTR_BYTES(CKA_MODULUS, n, n_len), ATTR_BYTES(CKA_PUBLIC_EXPONENT, e, e_len),
	};
	CK_OBJECT_HANDLE made = 0;
	int i;

	for (i = 0; i < USAGES; i++) {
		values[i] = wrong == i;
		tmpl[5 + i] = (CK_ATTRIBUTE)ATTR(public_usages[i], values[i]);
	}
	assert_ok(p11->C_CreateObject(to, tmpl, COUNT(tmpl), &made));
	free(n);
	free(e);
	return made;
}

/* ---- what a login key must be ---- */

void wrong_private_keys(void **state)
{
	CK_OBJECT_HANDLE pub, priv, secret;
	CK_SESSION_HANDLE b = session_co(slot_b);
	size_t i;

	(void)state;
	for (i = 0; i < PRIVATE_ATTRIBUTES; i++) {
		CK_RV rv;

		login_pair(b, 1024, i, &pub, &priv);
		rv = ca->CA_HAInit(b, priv);
		if (rv != CKR_KEY_INVALID_FOR_HA_LOGIN)
			fail_msg("attribute 0x%lx: %s", private_attributes[i].type, rv_name(rv));
	}
	secret = aes_key(b, 32, true, "secret");
	assert_rv(ca->CA_HAInit(b, secret), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_rv(ca->CA_HAInit(b, 0), CKR_KEY_HANDLE_INVALID);
	assert_rv(ca->CA_HAInit(b, 999999), CKR_KEY_HANDLE_INVALID);
	/* No setup came of any. */
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_ok(step1());
	assert_rv(step2(b, &challenge), CKR_USER_PIN_NOT_INITIALIZED);
	/* The right ones do. */
	sessions_close(slot_b);
	b = session_co(slot_b);
	login_pair(b, 1024, -1, &pub, &priv);
	assert_ok(ca->CA_HAInit(b, priv));
	assert_ok(ca->CA_HAInit(b, pub));
}

/* A key that the token did not make, with all the right attributes but CKA_LOCAL. */
void imported_key(void **state)
{
	EVP_PKEY *key = EVP_RSA_gen(1024);
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_KEY_TYPE type = CKK_RSA;
	CK_BYTE values[COUNT(rsa_parts)][256];
	CK_BBOOL flags[PRIVATE_ATTRIBUTES];
	CK_ATTRIBUTE tmpl[2 + COUNT(rsa_parts) + PRIVATE_ATTRIBUTES] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_KEY_TYPE, type),
	};
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE made;
	CK_ULONG i, n = 2, len;

	(void)state;
	assert_non_null(key);
	for (i = 0; i < COUNT(rsa_parts); i++) {
		len = rsa_part(key, &rsa_parts[i], values[i]);
		tmpl[n++] = (CK_ATTRIBUTE)ATTR_BYTES(rsa_parts[i].type, values[i], len);
	}
	EVP_PKEY_free(key);
	for (i = 0; i < PRIVATE_ATTRIBUTES; i++) {
		flags[i] = private_attributes[i].value;
		tmpl[n++] = (CK_ATTRIBUTE)ATTR(private_attributes[i].type, flags[i]);
	}
	assert_ok(p11->C_CreateObject(b, tmpl, n, &made));
	assert_false(attr_bool(b, made, CKA_LOCAL));
	assert_rv(ca->CA_HAInit(b, made), CKR_KEY_INVALID_FOR_HA_LOGIN);
}

void wrong_public_keys(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	int i;

	(void)state;
	for (i = 0; i < USAGES; i++) {
		CK_RV rv = ca->CA_HAInit(b, public_copy(a, login_pub, b, i));

		if (rv != CKR_KEY_INVALID_FOR_HA_LOGIN)
			fail_msg("usage 0x%lx: %s", public_usages[i], rv_name(rv));
	}
}

/* The primary answers with a login key alone. */
void wrong_answer_keys(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE pub, priv;
	size_t i;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	for (i = 0; i < PRIVATE_ATTRIBUTES; i++) {
		login_pair(a, KEY_BITS, i, &pub, &priv);
		assert_rv(step3(priv, &challenge, &answer), CKR_KEY_INVALID_FOR_HA_LOGIN);
	}
	assert_rv(step3(login_pub, &challenge, &answer), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_rv(step3(0, &challenge, &answer), CKR_KEY_HANDLE_INVALID);
	assert_rv(step3(999999, &challenge, &answer), CKR_KEY_HANDLE_INVALID);
	/* A login key, but of another length than the one of the setup. */
	login_pair(a, 1536, -1, &pub, &priv);
	assert_rv(step3(priv, &challenge, &answer), CKR_DATA_INVALID);
	/* Of the same length: nobody can tell, until the answer opens nothing. */
	rival_pair(true, &pub, &priv);
	assert_ok(step3(priv, &challenge, &other));
	assert_rv(step4(b, &other), CKR_PIN_INCORRECT);
	assert_public(b);
	/* What was refused did not end the exchange. */
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

/* A wrong key is no wrong PIN. */
void wrong_answers_are_not_counted(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE pub, priv;
	CA_ROLE_STATE before, after;
	int i;

	(void)state;
	rival_pair(true, &pub, &priv);
	assert_ok(ca->CA_RoleStateGet(slot_b, CKU_USER, &before));
	for (i = 0; i < 12; i++)
		assert_rv(exchange(b, priv), CKR_PIN_INCORRECT);
	assert_ok(ca->CA_RoleStateGet(slot_b, CKU_USER, &after));
	assert_memory_equal(&before, &after, sizeof(before));
	assert_ok(exchange(b, login_priv));
}
