// SPDX-License-Identifier: MIT
/*
 * HA indirect login, version 1 (spec/ha-indirect-login-v1.txt): slot a is the primary, slot b the
 * secondary. Setup, the exchange in every order and with every damage, M of N, restarts.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "exchange.h"
#include "rsa_parts.h"

static struct message twc, challenge, answer, request, masked, other;
static CK_SESSION_HANDLE a;	/* the primary's crypto officer */

enum { KEY_BITS = 1024, POLICY_HA = 21, USAGES = 5 };

/* ---- keys ---- */

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

/* A login key pair; @wrong: index of the private attribute that has the other value, or -1. */
static void login_pair(CK_SESSION_HANDLE session, CK_ULONG bits, int wrong, CK_OBJECT_HANDLE *pub,
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

static CK_OBJECT_HANDLE login_pub, login_priv;	/* on the primary */

/*
 * Another login key on the primary, of the same length, with a bigger or a smaller modulus. What one
 * key wraps another takes only if it is less than its modulus, which everybody can see.
 */
static void rival_pair(bool bigger, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
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

/* The public half of a key of the primary, created on the secondary; @wrong: as above, of usages. */
static CK_OBJECT_HANDLE public_copy(CK_SESSION_HANDLE from, CK_OBJECT_HANDLE key,
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

/* ---- fixtures and steps ---- */

/* Both tokens new, the primary's officer logged in, a login key there. */
static int fresh(void **state)
{
	(void)state;
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	token_init(slot_a, "primary", DOMAIN);
	token_init(slot_b, "secondary", DOMAIN);
	a = session_co(slot_a);
	login_pair(a, KEY_BITS, -1, &login_pub, &login_priv);
	return 0;
}

/* The secondary is set up with the cloned private key, and nobody is logged in there. */
static void setup_cloned(void)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE made;

	assert_ok(clone(b, a, login_priv, &made));
	assert_ok(ca->CA_HAInit(b, made));
	sessions_close(slot_b);
}

static int fresh_setup(void **state)
{
	fresh(state);
	setup_cloned();
	return 0;
}

/* The secondary new, the primary and its login key as they were. */
static int fresh_secondary(void **state)
{
	(void)state;
	sessions_close(slot_a);
	token_init(slot_b, "secondary", DOMAIN);
	a = session_co(slot_a);
	return 0;
}

static int setup_again(void **state)
{
	fresh_secondary(state);
	setup_cloned();
	return 0;
}

/* Keeps the tokens and the setup. */
static int again(void **state)
{
	(void)state;
	sessions_close(slot_a);
	sessions_close(slot_b);
	a = session_co(slot_a);
	return 0;
}

static CK_RV step1(void)
{
	twc.len = MESSAGE_ROOM;
	return ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len);
}

static CK_RV step2(CK_SESSION_HANDLE b, struct message *to)
{
	to->len = MESSAGE_ROOM;
	return ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, to->data, &to->len);
}

static CK_RV step3(CK_OBJECT_HANDLE key, struct message *from, struct message *to)
{
	to->len = MESSAGE_ROOM;
	return ca->CA_HAAnswerLoginChallenge(a, key, from->data, from->len, to->data, &to->len);
}

/* As clients call it that know of no M of N. */
static CK_RV step4(CK_SESSION_HANDLE b, struct message *from)
{
	CK_ULONG none = 0;
	CK_RV rv = ca->CA_HALogin(b, from->data, from->len, NULL, &none);

	if (rv == CKR_OK)
		assert_int_equal(none, 0);
	return rv;
}

static CK_RV exchange(CK_SESSION_HANDLE b, CK_OBJECT_HANDLE key)
{
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(key, &challenge, &answer));
	return step4(b, &answer);
}

static void assert_public(CK_SESSION_HANDLE b)
{
	assert_int_equal(session_info(b).state, CKS_RW_PUBLIC_SESSION);
}

static void assert_officer(CK_SESSION_HANDLE b)
{
	CK_ULONG level = 99;

	assert_int_equal(session_info(b).state, CKS_RW_USER_FUNCTIONS);
	assert_ok(ca->CA_GetSessionInfo(b, NULL, NULL, NULL, &level));
	assert_int_equal(level, 2);
}

/* ---- the exchange ---- */

static void private_key_setup(void **state)
{
	CK_OBJECT_HANDLE pub, priv;
	CK_SESSION_HANDLE b = session_co(slot_b), ro, late;
	CK_BYTE sig[256];
	CK_ULONG len = sizeof(sig);

	(void)state;
	rsa_pair(b, 1024, true, "secondary's own", &pub, &priv);
	sessions_close(slot_b);
	b = session_open(slot_b);
	ro = session_open_ro(slot_b);
	assert_public(b);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	assert_int_equal(session_info(ro).state, CKS_RO_USER_FUNCTIONS);
	late = session_open(slot_b);
	assert_officer(late);
	priv = object_by_label(b, "secondary's own");
	assert_int_not_equal(priv, 0);
	pub = 0;
	{
		CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
		CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class),
					ATTR_STR(CKA_LABEL, "secondary's own") };
		CK_ULONG found = 0;

		assert_ok(p11->C_FindObjectsInit(b, tmpl, 2));
		assert_ok(p11->C_FindObjects(b, &priv, 1, &found));
		assert_int_equal(found, 1);
		assert_ok(p11->C_FindObjectsFinal(b));
		class = CKO_PUBLIC_KEY;
		assert_ok(p11->C_FindObjectsInit(b, tmpl, 2));
		assert_ok(p11->C_FindObjects(b, &pub, 1, &found));
		assert_int_equal(found, 1);
		assert_ok(p11->C_FindObjectsFinal(b));
	}
	sign_text(late, priv, sig, &len);
	verify_text(b, pub, sig, len);
	assert_ok(p11->C_Logout(ro));
	assert_public(b);
	assert_int_equal(object_count(b, NULL, 0), 1);	/* the public key alone */
}

static void exchange_is_repeatable(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_ok(exchange(b, login_priv));
		assert_officer(b);
		assert_ok(p11->C_Logout(b));
		assert_public(b);
	}
}

/* The sample's size of key, and nothing but the public half on the secondary. */
static void public_key_setup(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE pub, priv, made;

	(void)state;
	login_pair(a, 4096, -1, &pub, &priv);
	/* Another domain: this kind of setup does not need a common one. */
	token_init(slot_b, "secondary", "another domain");
	b = session_co(slot_b);
	made = public_copy(a, pub, b, -1);
	assert_ok(ca->CA_HAInit(b, made));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_ok(exchange(b, priv));
	assert_officer(b);
}

/* The handle of the setup may go: the setup has what it needs. */
static void key_gone_after_setup(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE made = public_copy(a, login_pub, b, -1);

	(void)state;
	assert_ok(ca->CA_HAInit(b, made));
	assert_ok(p11->C_DestroyObject(b, made));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

static void last_setup_counts(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);
	CK_OBJECT_HANDLE pub2, priv2;

	(void)state;
	rival_pair(false, &pub2, &priv2);
	assert_ok(ca->CA_HAInit(b, public_copy(a, pub2, b, -1)));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_rv(exchange(b, login_priv), CKR_PIN_INCORRECT);
	assert_public(b);
	assert_ok(exchange(b, priv2));
	assert_officer(b);
}

/* ---- what a login key must be ---- */

static void wrong_private_keys(void **state)
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
static void imported_key(void **state)
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

static void wrong_public_keys(void **state)
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
static void wrong_answer_keys(void **state)
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
static void wrong_answers_are_not_counted(void **state)
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

/* ---- roles ---- */

static void setup_roles(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b), ro;
	CK_OBJECT_HANDLE pub, priv;

	(void)state;
	login_pair(b, 1024, -1, &pub, &priv);
	ro = session_open_ro(slot_b);
	assert_rv(ca->CA_HAInit(ro, priv), CKR_SESSION_READ_ONLY);
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_rv(ca->CA_HAInit(b, pub), CKR_USER_NOT_LOGGED_IN);
	session_login(b, CKU_SO, SO_PIN);
	assert_rv(ca->CA_HAInit(b, pub), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(ca->CA_HAInit(b, priv), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(b));
	assert_ok(step1());
	assert_rv(step2(b, &challenge), CKR_USER_PIN_NOT_INITIALIZED);
	assert_rv(ca->CA_HAInit(999, priv), CKR_SESSION_HANDLE_INVALID);
}

static void legacy_roles(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE made;
	CK_ULONG level = 99;

	(void)state;
	token_init_legacy(slot_b, "secondary", DOMAIN);
	b = session_co(slot_b);
	assert_ok(clone(b, a, login_priv, &made));
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(ca->CA_HAInit(b, made));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_ok(ca->CA_GetSessionInfo(b, NULL, NULL, NULL, &level));
	assert_int_equal(level, 1);
	assert_int_equal(session_info(b).state, CKS_RW_USER_FUNCTIONS);
	assert_ok(p11->C_Logout(b));
	/* The last setup wins, whoever did it. */
	session_login(b, CKU_USER, CO_PIN);
	assert_ok(ca->CA_HAInit(b, made));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_SO, SO_PIN);
	assert_rv(ca->CA_HAInit(b, made), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

static void challenge_roles(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	challenge.len = MESSAGE_ROOM;
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_SO, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_USER_PIN_NOT_INITIALIZED);
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_CRYPTO_USER, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_HAGetLoginChallenge(b, 77, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_USER_TYPE_INVALID);
	assert_rv(ca->CA_HAGetLoginChallenge(999, CKU_USER, twc.data, twc.len, challenge.data,
					     &challenge.len), CKR_SESSION_HANDLE_INVALID);
	session_login(b, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(step2(b, &challenge), CKR_USER_ALREADY_LOGGED_IN);
	assert_ok(p11->C_Logout(b));
	assert_ok(step2(b, &challenge));
}

static void answer_roles(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(p11->C_Logout(a));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_SO, SO_PIN);
	assert_rv(step3(login_priv, &challenge, &answer), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(a));
	/* The crypto user works with the partition's keys, and this is one. */
	session_login(a, CKU_CRYPTO_USER, CU_PIN);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

static void login_while_logged_in(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	session_login(b2, CKU_CRYPTO_USER, CU_PIN);
	assert_rv(step4(b, &answer), CKR_USER_ALREADY_LOGGED_IN);
	/* Refused, it left the exchange as it was; the end of somebody's login ends it. */
	assert_rv(step4(b, &answer), CKR_USER_ALREADY_LOGGED_IN);
	assert_ok(p11->C_Logout(b2));
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(exchange(b, login_priv));
	assert_officer(b2);
}

/* ---- policy 21 ---- */

static void partition_policy(CK_SESSION_HANDLE session, CK_ULONG value)
{
	session_login(session, CKU_SO, SO_PIN);
	assert_ok(ca->CA_SetContainerPolicy(session, 0, POLICY_HA, value));
	assert_ok(p11->C_Logout(session));
}

static void policy_off_secondary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE pub, priv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	partition_policy(b, 0);
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_ALLOWED);
	assert_public(b);
	assert_rv(step2(b, &challenge), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_ALLOWED);
	session_login(b, CKU_USER, CO_PIN);
	login_pair(b, 1024, -1, &pub, &priv);
	assert_rv(ca->CA_HAInit(b, priv), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_Logout(b));
	partition_policy(b, 1);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

static void policy_off_primary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(p11->C_Logout(a));
	partition_policy(a, 0);
	session_login(a, CKU_USER, CO_PIN);
	assert_ok(step1());		/* the certificate is everybody's */
	assert_ok(step2(b, &challenge));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_OPERATION_NOT_ALLOWED);
	masked.len = MESSAGE_ROOM;
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, challenge.data, challenge.len, masked.data,
					       &masked.len), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(p11->C_Logout(a));
	partition_policy(a, 1);
	session_login(a, CKU_USER, CO_PIN);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

/* ---- what a setup outlives ---- */

static void pin_changed_after_setup(void **state)
{
	CK_SESSION_HANDLE b = session_co(slot_b);

	(void)state;
	assert_ok(p11->C_SetPIN(b, PIN(CO_PIN), PIN("changed-by-co")));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_SO, SO_PIN);
	assert_ok(p11->C_InitPIN(b, PIN("reset-by-so")));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

static void reinitialised_secondary(void **state)
{
	CK_SESSION_HANDLE b;

	(void)state;
	token_init(slot_b, "secondary", DOMAIN);
	b = session_open(slot_b);
	assert_ok(step1());
	assert_rv(step2(b, &challenge), CKR_USER_PIN_NOT_INITIALIZED);
}

/* Its wrapping key is another one, and its login key is gone. */
static void reinitialised_primary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE pub, priv;
	int tries = 0;
	CK_RV rv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	token_init(slot_a, "primary", DOMAIN);
	a = session_co(slot_a);
	do {
		login_pair(a, KEY_BITS, -1, &pub, &priv);
		assert_rv(step3(priv, &challenge, &answer), CKR_DATA_INVALID);
		assert_ok(step1());
		assert_ok(step2(b, &other));
		/* Its modulus may happen to be too small for what the old key wrapped. */
		rv = step3(priv, &other, &answer);
	} while (rv == CKR_DATA_INVALID && tries++ < 20);
	assert_rv(rv, CKR_OK);
	assert_rv(step4(b, &answer), CKR_PIN_INCORRECT);
}

static void locked_officer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	int i;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	for (i = 0; i < 10; i++)
		assert_rv(p11->C_Login(b, CKU_USER, PIN("wrong pin")), CKR_PIN_INCORRECT);
	assert_rv(p11->C_Login(b, CKU_USER, PIN(CO_PIN)), CKR_USER_LOCKED_OUT);
	assert_rv(step4(b, &answer), CKR_USER_LOCKED_OUT);
	assert_rv(step2(b, &other), CKR_USER_LOCKED_OUT);
	assert_public(b);
	session_login(b, CKU_SO, SO_PIN);
	assert_ok(p11->C_InitPIN(b, PIN(CO_PIN)));
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

/* ---- order, replay, damage ---- */

static void wrong_order(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	memset(answer.data, 0, 104);
	answer.len = 104;
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_rv(step4(b2, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(step4(a, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step4(b, &answer));
	assert_officer(b2);
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_OPERATION_NOT_INITIALIZED);
}

static void replayed_answer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);

	(void)state;
	assert_ok(exchange(b, login_priv));
	assert_ok(p11->C_Logout(b));
	assert_rv(step4(b, &answer), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(step2(b, &challenge));
	assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	assert_public(b);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
}

/* Starting again discards what was; two sessions do not get in each other's way. */
static void restart_discards(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &other));
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &other, &answer));
	assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step2(b2, &other));
	assert_rv(step4(b2, &answer), CKR_ENCRYPTED_DATA_INVALID);
	assert_public(b2);
	assert_ok(step4(b, &answer));
	assert_officer(b2);
}

static void tampered_challenge(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG i, len;
	CK_RV rv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	for (i = 0; i < challenge.len; i += test_stride()) {
		challenge.data[i] ^= 1 << (i % 8);
		rv = step3(login_priv, &challenge, &answer);
		challenge.data[i] ^= 1 << (i % 8);
		if (rv != CKR_DATA_INVALID)
			fail_msg("byte %lu: %s", i, rv_name(rv));
	}
	len = challenge.len;
	for (challenge.len = 0; challenge.len < len; challenge.len += 1 + challenge.len / 16)
		assert_rv(step3(login_priv, &challenge, &answer), CKR_DATA_INVALID);
	for (challenge.len = len + 1; challenge.len < 70000; challenge.len *= 2)
		assert_rv(step3(login_priv, &challenge, &answer), CKR_DATA_INVALID);
	challenge.len = len;
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
}

static void tampered_answer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG i, bit, len;
	CK_RV rv;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	for (i = 0; i < answer.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			answer.data[i] ^= 1 << bit;
			rv = step4(b, &answer);
			answer.data[i] ^= 1 << bit;
			if (rv != CKR_ENCRYPTED_DATA_INVALID)
				fail_msg("byte %lu: %s", i, rv_name(rv));
		}
	}
	len = answer.len;
	for (answer.len = 0; answer.len < len; answer.len++)
		assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	for (answer.len = len + 1; answer.len < 70000; answer.len *= 2)
		assert_rv(step4(b, &answer), CKR_ENCRYPTED_DATA_INVALID);
	answer.len = len;
	assert_public(b);
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

static void bad_certificates(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG len;

	(void)state;
	assert_ok(step1());
	len = twc.len;
	twc.len = 0;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.len = len - 1;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.data[len] = 0;
	twc.len = len + 1;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.len = len;
	twc.data[0] ^= 1;
	assert_rv(step2(b, &challenge), CKR_CERTIFICATE_DATA_INVALID);
	twc.data[0] ^= 1;
	assert_ok(step2(b, &challenge));
	/* The secondary's own certificate: it is not the primary that could answer. */
	assert_ok(ca->CA_HAGetMasterPublic(slot_b, NULL, &twc.len));
	assert_ok(ca->CA_HAGetMasterPublic(slot_b, twc.data, &twc.len));
	assert_ok(step2(b, &challenge));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_DATA_INVALID);
}

/* ---- buffers ---- */

static void asked_twice(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG size = 0, len;

	(void)state;
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, NULL, &size));
	assert_in_range(size, 300, 8192);
	twc.len = size - 1;
	assert_rv(ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(twc.len, size);
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len));
	assert_int_equal(twc.len, size);
	assert_rv(ca->CA_HAGetMasterPublic(slot_a, twc.data, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAGetMasterPublic(9999, twc.data, &len), CKR_SLOT_ID_INVALID);

	assert_ok(step2(b, &other));
	size = 0;
	assert_ok(ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, NULL, &size));
	assert_int_equal(size, other.len);
	len = size - 1;
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, challenge.data, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_USER, twc.data, twc.len, challenge.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAGetLoginChallenge(b, CKU_USER, NULL, twc.len, challenge.data, &len),
		  CKR_ARGUMENTS_BAD);

	/* None of these queries ended the exchange that @other began. */
	size = 0;
	assert_ok(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, NULL, &size));
	assert_in_range(size, 32, 8192);
	len = size - 1;
	assert_rv(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, answer.data,
						&len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_rv(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, answer.data,
						NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAAnswerLoginChallenge(a, login_priv, NULL, other.len, answer.data, &len),
		  CKR_ARGUMENTS_BAD);
	answer.len = size;
	assert_ok(ca->CA_HAAnswerLoginChallenge(a, login_priv, other.data, other.len, answer.data,
						&answer.len));
	assert_int_equal(answer.len, size);
	assert_rv(ca->CA_HALogin(b, NULL, answer.len, NULL, &len), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HALogin(b, answer.data, answer.len, request.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_public(b);
	len = 12345;
	request.len = 64;
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, request.data, &request.len));
	assert_int_equal(request.len, 0);
	assert_officer(b);
}

/* A length that was not 0 before is, afterwards; no buffer is needed. */
static void login_without_buffer(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_ULONG len = 12345;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, NULL, &len));
	assert_int_equal(len, 0);
	assert_officer(b);
}

static void certificate_elsewhere(void **state)
{
	(void)state;
	assert_ok(step1());
	other.len = MESSAGE_ROOM;
	assert_ok(ca->CA_GetTokenCertificateInfo(slot_a, CKHSC_CERT_TYPE_TWC, other.data,
						 &other.len));
	assert_int_equal(other.len, twc.len);
	assert_memory_equal(other.data, twc.data, twc.len);
	other.len = MESSAGE_ROOM;
	assert_ok(ca->CA_GetTokenCertificates(slot_a, CKHSC_CERT_TYPE_TWC, other.data, &other.len));
	assert_int_equal(other.len, twc.len);
	assert_rv(ca->CA_GetTokenCertificateInfo(slot_a, CKHSC_CERT_TYPE_ECC_TWC, other.data,
						 &other.len), CKR_CERTIFICATE_DATA_MISSING);
}

/* ---- M of N ---- */

enum { M = 2, N = 3 };

static void vectors_generate(CK_SESSION_HANDLE session, CK_BYTE room[N][512],
			     CA_MOFN_ACTIVATION *vectors)
{
	CA_MOFN_GENERATION wanted[N];
	int i;

	for (i = 0; i < N; i++)
		wanted[i] = (CA_MOFN_GENERATION){ 1, room[i], 512 };
	assert_ok(ca->CA_GenerateCloneableMofN(session, M, wanted, N, 0, NULL));
	for (i = 0; i < N; i++)
		vectors[i] = (CA_MOFN_ACTIVATION){ room[i], wanted[i].ulVectorLen };
}

static CK_BYTE vector_room[N][512];
static CA_MOFN_ACTIVATION vectors[N];

/*
 * The secondary is new, requires M of N and shares the primary's secret; it is set up, and nobody is
 * in.
 */
static int fresh_mofn(void **state)
{
	CK_SESSION_HANDLE b;

	assert_ok(ca->CA_SetMofN(CK_TRUE));
	fresh_secondary(state);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	vectors_generate(a, vector_room, vectors);
	b = session_co(slot_b);
	assert_ok(ca->CA_CloneMofN(b, a, NULL));
	sessions_close(slot_b);
	setup_cloned();
	return 0;
}

static CK_RV sign_init(CK_SESSION_HANDLE b, CK_OBJECT_HANDLE key)
{
	CK_MECHANISM mech = { CKM_SHA256_HMAC, NULL, 0 };
	CK_RV rv = p11->C_SignInit(b, &mech, key);
	CK_BYTE mac[32];
	CK_ULONG len = 32;

	if (rv == CKR_OK)
		assert_ok(p11->C_Sign(b, mac, 3, mac, &len));
	return rv;
}

/* Up to the login, with the M of N request in @request. */
static void login_mofn(CK_SESSION_HANDLE b)
{
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	request.len = MESSAGE_ROOM;
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, request.data, &request.len));
	assert_int_not_equal(request.len, 0);
	assert_officer(b);
}

static CK_RV step5(void)
{
	masked.len = MESSAGE_ROOM;
	return ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, masked.data, &masked.len);
}

static void mofn_exchange(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE key;
	CK_ULONG size = 0, len;

	(void)state;
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_ok(step3(login_priv, &challenge, &answer));
	/* There will be a request, so without a buffer this is a length query. */
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, NULL, &size));
	assert_in_range(size, 32, 8192);
	assert_public(b);
	len = size - 1;
	assert_rv(ca->CA_HALogin(b, answer.data, answer.len, request.data, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_public(b);
	request.len = size;
	assert_ok(ca->CA_HALogin(b, answer.data, answer.len, request.data, &request.len));
	assert_int_equal(request.len, size);
	assert_officer(b);
	key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
	assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);

	size = 0;
	assert_ok(ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, NULL, &size));
	assert_in_range(size, 32, 8192);
	len = size - 1;
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, masked.data, &len),
		  CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, size);
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, request.data, request.len, masked.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_HAAnswerMofNChallenge(a, NULL, request.len, masked.data, &len),
		  CKR_ARGUMENTS_BAD);
	assert_ok(step5());
	assert_int_equal(masked.len, size);
	assert_rv(ca->CA_HAActivateMofN(b, NULL, masked.len), CKR_ARGUMENTS_BAD);
	assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
	assert_ok(sign_init(b, key));
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	/* It is active now, so that the next login needs none. */
	assert_ok(p11->C_Logout(b));
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
}

static void mofn_order(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b), b2 = session_open(slot_b);

	(void)state;
	login_mofn(b);
	assert_ok(step5());
	assert_rv(ca->CA_HAActivateMofN(b2, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(ca->CA_HAActivateMofN(999, masked.data, masked.len), CKR_SESSION_HANDLE_INVALID);
	assert_ok(p11->C_Logout(b));
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	session_login(b, CKU_USER, CO_PIN);
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(p11->C_Logout(b));
	/* The answer of an earlier exchange. */
	login_mofn(b);
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len), CKR_DATA_INVALID);
	/* Nor may the answer to the login come here. */
	assert_rv(ca->CA_HAActivateMofN(b, answer.data, answer.len), CKR_DATA_INVALID);
	assert_ok(step5());
	assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
}

static void mofn_tampered(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_OBJECT_HANDLE key;
	CK_ULONG i, len;
	CK_RV rv;

	(void)state;
	login_mofn(b);
	key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
	for (i = 0; i < request.len; i += test_stride()) {
		request.data[i] ^= 1 << (i % 8);
		rv = step5();
		request.data[i] ^= 1 << (i % 8);
		if (rv != CKR_DATA_INVALID)
			fail_msg("byte %lu of the request: %s", i, rv_name(rv));
	}
	len = request.len;
	for (request.len = 0; request.len < len; request.len += test_stride())
		assert_rv(step5(), CKR_DATA_INVALID);
	request.len = len + 1;
	assert_rv(step5(), CKR_DATA_INVALID);
	request.len = len;
	assert_ok(step5());
	for (i = 0; i < masked.len; i++) {
		masked.data[i] ^= 1 << (i % 8);
		rv = ca->CA_HAActivateMofN(b, masked.data, masked.len);
		masked.data[i] ^= 1 << (i % 8);
		if (rv != (i < 40 ? CKR_DATA_INVALID : CKR_UNWRAPPING_ERROR))
			fail_msg("byte %lu of the answer: %s", i, rv_name(rv));
		assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
	}
	for (len = 0; len < masked.len; len++)
		assert_rv(ca->CA_HAActivateMofN(b, masked.data, len), CKR_DATA_INVALID);
	assert_rv(ca->CA_HAActivateMofN(b, masked.data, masked.len + 1), CKR_DATA_INVALID);
	assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
	assert_ok(sign_init(b, key));
}

/* The primary has another secret, or none, or its own is not active. */
static void mofn_wrong_primary(void **state)
{
	CK_SESSION_HANDLE b = session_open(slot_b);
	CK_BYTE room[N][512];
	CA_MOFN_ACTIVATION made[N];

	(void)state;
	login_mofn(b);
	assert_ok(p11->C_Logout(a));
	assert_rv(step5(), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_SO, SO_PIN);
	assert_rv(step5(), CKR_USER_NOT_AUTHORIZED);
	assert_ok(p11->C_Logout(a));
	session_login(a, CKU_USER, CO_PIN);
	vectors_generate(a, room, made);
	assert_rv(step5(), CKR_DATA_INVALID);
	assert_rv(ca->CA_HAAnswerMofNChallenge(999, request.data, request.len, masked.data,
					       &masked.len), CKR_SESSION_HANDLE_INVALID);
	/* The vectors of the shared secret do what the primary cannot any more. */
	assert_ok(ca->CA_ActivateMofN(b, vectors, M));
}

static void mofn_required_on_primary(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE made;

	(void)state;
	fresh(state);
	assert_ok(ca->CA_SetMofN(CK_TRUE));
	token_init(slot_a, "primary", DOMAIN);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	a = session_co(slot_a);
	vectors_generate(a, vector_room, vectors);
	login_pair(a, KEY_BITS, -1, &login_pub, &login_priv);
	b = session_co(slot_b);
	assert_rv(clone(b, a, login_priv, &made), CKR_OPERATION_NOT_ALLOWED);
	made = public_copy(a, login_pub, b, -1);
	assert_ok(ca->CA_HAInit(b, made));
	sessions_close(slot_b);
	b = session_open(slot_b);
	assert_ok(step1());
	assert_ok(step2(b, &challenge));
	assert_rv(step3(login_priv, &challenge, &answer), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(ca->CA_ActivateMofN(a, vectors, M));
	assert_ok(step3(login_priv, &challenge, &answer));
	assert_ok(step4(b, &answer));
	assert_officer(b);
}

/* Required, but there is no secret yet: the login works, and keys do not. */
static void mofn_required_without_secret(void **state)
{
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE key;

	(void)state;
	fresh(state);
	assert_ok(ca->CA_SetMofN(CK_TRUE));
	token_init(slot_b, "secondary", DOMAIN);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	setup_cloned();
	b = session_open(slot_b);
	assert_ok(exchange(b, login_priv));
	assert_officer(b);
	key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
	assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
}

/* ---- restarts ---- */

static pid_t daemon_start(const char *dir)
{
	char dev[256], store[256], node[300];
	struct stat st;
	pid_t pid;
	int i;

	snprintf(dev, sizeof(dev), "--dir=%s/dev", dir);
	snprintf(store, sizeof(store), "--store=%s/store", dir);
	snprintf(node, sizeof(node), "%s/dev/luna1", dir);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);	/* should the test fail */
		execl(getenv("LUNA_TEST_DAEMON"), "luna-fuse", "--foreground", dev, store,
		      "--slots=2", "--pin-iterations=1000", NULL);
		_exit(127);
	}
	for (i = 0; i < 400 && stat(node, &st); i++)
		usleep(25000);
	assert_int_equal(stat(node, &st), 0);
	return pid;
}

static void daemon_stop(pid_t pid, int signal)
{
	int status = -1;

	assert_int_equal(kill(pid, signal), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (signal == SIGTERM)
		assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
}

/* A killed daemon leaves its mount behind. */
static void unmount(const char *dir)
{
	char command[400];

	snprintf(command, sizeof(command), "fusermount3 -u -z %s/dev 2>/dev/null", dir);
	if (system(command))
		usleep(1000);
}

/* The library keeps the slots that it knew before; the daemon's are the last two. */
static void initialize_again(void **state)
{
	CK_SLOT_ID slots[64];
	CK_ULONG count = COUNT(slots);

	suite_setup_bare(state);
	assert_ok(p11->C_GetSlotList(CK_TRUE, slots, &count));
	assert_true(count >= 2);
	slot_a = slots[count - 2];
	slot_b = slots[count - 1];
}

static void setup_survives_restart(void **state)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	char dir[] = "/tmp/luna-ha.XXXXXX", dev[64], command[100], *before;
	CK_SESSION_HANDLE b;
	CK_OBJECT_HANDLE key;
	size_t i;
	pid_t pid;

	if (!getenv("LUNA_TEST_DAEMON"))
		skip();
	assert_ok(p11->C_Finalize(NULL));
	before = strdup(getenv("LUNA_DEVICES"));
	assert_non_null(mkdtemp(dir));
	snprintf(dev, sizeof(dev), "%s/dev", dir);
	assert_int_equal(mkdir(dev, 0700), 0);
	setenv("LUNA_DEVICES", dev, 1);
	pid = daemon_start(dir);
	initialize_again(state);
	fresh(state);
	assert_ok(ca->CA_SetMofN(CK_TRUE));
	token_init(slot_b, "secondary", DOMAIN);
	assert_ok(ca->CA_SetMofN(CK_FALSE));
	vectors_generate(a, vector_room, vectors);
	b = session_co(slot_b);
	assert_ok(ca->CA_CloneMofN(b, a, NULL));
	assert_ok(ca->CA_ActivateMofN(b, vectors, M));
	sessions_close(slot_b);
	setup_cloned();
	for (i = 0; i < COUNT(signals); i++) {
		assert_ok(p11->C_Finalize(NULL));
		daemon_stop(pid, signals[i]);
		unmount(dir);
		pid = daemon_start(dir);
		initialize_again(state);
		a = session_co(slot_a);
		b = session_open(slot_b);
		assert_ok(p11->C_FindObjectsInit(a, NULL, 0));
		assert_ok(p11->C_FindObjectsFinal(a));
		{
			CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
			CK_ATTRIBUTE tmpl[] = { ATTR(CKA_CLASS, class) };
			CK_ULONG found = 0;

			assert_ok(p11->C_FindObjectsInit(a, tmpl, 1));
			assert_ok(p11->C_FindObjects(a, &login_priv, 1, &found));
			assert_int_equal(found, 1);
			assert_ok(p11->C_FindObjectsFinal(a));
		}
		/* The secret's activation ended with the daemon. */
		login_mofn(b);
		key = secret_import(b, CKK_GENERIC_SECRET, "a secret of some length", 23);
		assert_rv(sign_init(b, key), CKR_OPERATION_NOT_ALLOWED);
		assert_ok(step5());
		assert_ok(ca->CA_HAActivateMofN(b, masked.data, masked.len));
		assert_ok(sign_init(b, key));
	}
	assert_ok(p11->C_Finalize(NULL));
	daemon_stop(pid, SIGTERM);
	unmount(dir);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
	setenv("LUNA_DEVICES", before, 1);
	free(before);
	suite_setup_bare(state);
}

#define TEST(name)		cmocka_unit_test_setup(name, again)
#define TEST_FRESH(name)	cmocka_unit_test_setup(name, fresh)
#define TEST_SECONDARY(name)	cmocka_unit_test_setup(name, fresh_secondary)
#define TEST_SETUP(name)	cmocka_unit_test_setup(name, setup_again)
#define TEST_MOFN(name)		cmocka_unit_test_setup(name, fresh_mofn)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(private_key_setup, fresh_setup),
		TEST(exchange_is_repeatable),
		TEST(challenge_roles),
		TEST(answer_roles),
		TEST(login_while_logged_in),
		TEST(wrong_order),
		TEST(replayed_answer),
		TEST(restart_discards),
		TEST(tampered_challenge),
		TEST(tampered_answer),
		TEST(bad_certificates),
		TEST(asked_twice),
		TEST(login_without_buffer),
		TEST(certificate_elsewhere),
		TEST(wrong_answer_keys),
		TEST(wrong_answers_are_not_counted),
		TEST(policy_off_secondary),
		TEST(policy_off_primary),
		TEST_SETUP(pin_changed_after_setup),
		TEST_SETUP(last_setup_counts),
		TEST_SETUP(locked_officer),
		TEST_SETUP(reinitialised_secondary),
		TEST_SETUP(reinitialised_primary),
		TEST_FRESH(public_key_setup),
		TEST_SECONDARY(key_gone_after_setup),
		TEST_SECONDARY(wrong_private_keys),
		TEST_SECONDARY(imported_key),
		TEST_SECONDARY(wrong_public_keys),
		TEST_SECONDARY(setup_roles),
		TEST_SECONDARY(legacy_roles),
		TEST_MOFN(mofn_exchange),
		TEST_MOFN(mofn_order),
		TEST_MOFN(mofn_tampered),
		TEST_MOFN(mofn_wrong_primary),
		cmocka_unit_test(mofn_required_on_primary),
		cmocka_unit_test(mofn_required_without_secret),
		cmocka_unit_test(setup_survives_restart),
	};

	return cmocka_run_group_tests(tests, suite_setup_bare, suite_teardown);
}
