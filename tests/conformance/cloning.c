// SPDX-License-Identifier: MIT
/*
 * Cloning: CA_CloneObject, the four steps of CPv3 in every order and with every damage, roles,
 * domains and policies, and the functions that clone many objects. Which part of a message is
 * refused with which code is said in lib/token/PROTOCOLS.md. Here are whole objects, one and many.
 */
#include "cloning.h"

struct message twc, part1, part2, other, saved;
CK_SESSION_HANDLE a, b;

void officers(void)
{
	sessions_close(slot_a);
	sessions_close(slot_b);
	a = session_co(slot_a);
	b = session_co(slot_b);
}

int fresh(void **state)
{
	(void)state;
	token_init(slot_a, "token a", DOMAIN);
	token_init(slot_b, "token b", DOMAIN);
	officers();
	return 0;
}

/* Most tests leave nothing that would disturb the next. */
static int logged_in(void **state)
{
	(void)state;
	officers();
	return 0;
}

/* Both tokens without objects, but with the keys and policies that they had before. */
static int emptied(void **state)
{
	test_teardown(state);
	officers();
	return 0;
}

/* ---- whole objects ---- */

CK_OBJECT_HANDLE data_object(CK_SESSION_HANDLE session, const char *label, const void *value,
			     CK_ULONG len, bool private)
{
	CK_OBJECT_CLASS class = CKO_DATA;
	CK_BBOOL hidden = private;
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_TOKEN, yes), ATTR(CKA_PRIVATE, hidden),
		ATTR_STR(CKA_LABEL, label), ATTR_STR(CKA_APPLICATION, "cloning test"),
		ATTR_BYTES(CKA_VALUE, value, len),
	};
	CK_OBJECT_HANDLE object = 0;

	assert_ok(p11->C_CreateObject(session, tmpl, COUNT(tmpl), &object));
	return object;
}

static CK_OBJECT_HANDLE certificate(CK_SESSION_HANDLE session)
{
	CK_OBJECT_CLASS class = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE type = CKC_X_509;
	CK_DATE start = { "2024", "01", "02" };
	CK_ATTRIBUTE tmpl[] = {
		ATTR(CKA_CLASS, class), ATTR(CKA_TOKEN, yes), ATTR(CKA_CERTIFICATE_TYPE, type),
		ATTR_STR(CKA_LABEL, "certificate"), ATTR_STR(CKA_SUBJECT, "0\x01s"),
		ATTR_STR(CKA_ISSUER, "0\x01i"), ATTR_STR(CKA_ID, "cert id"),
		ATTR_STR(CKA_SERIAL_NUMBER, "\x02\x01\x07"), ATTR_STR(CKA_VALUE, "not quite DER"),
		ATTR(CKA_START_DATE, start),
	};
	CK_OBJECT_HANDLE object = 0;

	assert_ok(p11->C_CreateObject(session, tmpl, COUNT(tmpl), &object));
	return object;
}

void plain_pair(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
{
	CK_MECHANISM mech = { CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0 };
	CK_MECHANISM_TYPE allowed[] = { CKM_SHA256_RSA_PKCS, CKM_SHA512_RSA_PKCS };
	CK_ULONG bits = 1024;
	CK_BYTE e[] = { 1, 0, 1 };
	CK_DATE end = { "2040", "12", "31" };
	CK_ATTRIBUTE pub_tmpl[] = {
		ATTR(CKA_TOKEN, yes), ATTR(CKA_MODULUS_BITS, bits), ATTR(CKA_PUBLIC_EXPONENT, e),
		ATTR_STR(CKA_LABEL, "plain public"), ATTR_STR(CKA_ID, "\x01\x02pair"),
		ATTR(CKA_ENCRYPT, no), ATTR(CKA_WRAP, no), ATTR(CKA_VERIFY, yes),
		ATTR_STR(CKA_SUBJECT, "0\x01x"),
	};
	CK_ATTRIBUTE priv_tmpl[] = {
		ATTR(CKA_TOKEN, yes), ATTR_STR(CKA_LABEL, "plain private"), ATTR(CKA_PRIVATE, yes),
		ATTR_STR(CKA_ID, "\x01\x02pair"), ATTR(CKA_SENSITIVE, yes),
		ATTR(CKA_EXTRACTABLE, no), ATTR(CKA_MODIFIABLE, no), ATTR(CKA_DECRYPT, no),
		ATTR(CKA_UNWRAP, no), ATTR(CKA_SIGN, yes), ATTR(CKA_END_DATE, end),
		ATTR(CKA_ALLOWED_MECHANISMS, allowed), ATTR_STR(CKA_GENERIC_1, "vendor's"),
	};

	assert_ok(p11->C_GenerateKeyPair(session, &mech, pub_tmpl, COUNT(pub_tmpl), priv_tmpl,
					 COUNT(priv_tmpl), pub, priv));
}

void assert_same(CK_OBJECT_HANDLE source, CK_OBJECT_HANDLE target)
{
	static const CK_ATTRIBUTE_TYPE types[] = {
		CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_LABEL, CKA_APPLICATION, CKA_VALUE,
		CKA_OBJECT_ID, CKA_CERTIFICATE_TYPE, CKA_ISSUER, CKA_SERIAL_NUMBER, CKA_TRUSTED,
		CKA_CERTIFICATE_CATEGORY, CKA_URL, CKA_CHECK_VALUE, CKA_KEY_TYPE, CKA_SUBJECT, CKA_ID,
		CKA_SENSITIVE, CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN,
		CKA_SIGN_RECOVER, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_DERIVE, CKA_START_DATE,
		CKA_END_DATE, CKA_MODULUS, CKA_MODULUS_BITS, CKA_PUBLIC_EXPONENT,
		CKA_PUBLIC_KEY_INFO, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_VALUE_LEN,
		CKA_EXTRACTABLE, CKA_LOCAL, CKA_NEVER_EXTRACTABLE, CKA_ALWAYS_SENSITIVE,
		CKA_KEY_GEN_MECHANISM, CKA_MODIFIABLE, CKA_COPYABLE, CKA_DESTROYABLE,
		CKA_ALWAYS_AUTHENTICATE, CKA_WRAP_WITH_TRUSTED, CKA_ALLOWED_MECHANISMS,
		CKA_FINGERPRINT_SHA1, CKA_FINGERPRINT_SHA256, CKA_OUID, CKA_GENERIC_1,
	};
	static CK_BYTE left[262144], right[262144];
	size_t i, same = 0;

	for (i = 0; i < COUNT(types); i++) {
		CK_ATTRIBUTE at = { types[i], left, sizeof(left) };
		CK_ATTRIBUTE bt = { types[i], right, sizeof(right) };
		CK_RV want = p11->C_GetAttributeValue(a, source, &at, 1);

		if (p11->C_GetAttributeValue(b, target, &bt, 1) != want)
			fail_msg("attribute 0x%lx: 0x%lx at the source", types[i], want);
		if (want != CKR_OK)
			continue;
		if (at.ulValueLen != bt.ulValueLen || memcmp(left, right, at.ulValueLen))
			fail_msg("attribute 0x%lx differs", types[i]);
		same++;
	}
	assert_true(same >= 10);
}

static void clone_every_class(void **state)
{
	CK_OBJECT_HANDLE pub, priv, objects[7], made;
	CK_ULONG before, i;

	(void)state;
	plain_pair(a, &pub, &priv);
	objects[0] = pub;
	objects[1] = priv;
	objects[2] = aes_key(a, 32, true, "secret");
	objects[3] = data_object(a, "data", "\0some data", 10, true);
	objects[4] = data_object(a, "public data", "", 0, false);
	objects[5] = certificate(a);
	objects[6] = secret_import(a, CKK_GENERIC_SECRET, "0123456789", 10);
	for (i = 0; i < COUNT(objects); i++) {
		before = objects_on(b);
		assert_ok(clone(b, a, objects[i], &made));
		assert_int_not_equal(made, 0);
		assert_int_equal(objects_on(b), before + 1);
		assert_same(objects[i], made);
		assert_ok(p11->C_DestroyObject(b, made));
		assert_ok(p11->C_DestroyObject(a, objects[i]));
	}
}

static void clone_keeps_history(void **state)
{
	CK_OBJECT_HANDLE pub, priv, made;
	CK_ULONG len;
	CK_BYTE *ouid;

	(void)state;
	plain_pair(a, &pub, &priv);
	assert_ok(clone(b, a, priv, &made));
	assert_true(attr_bool(b, made, CKA_LOCAL));
	assert_true(attr_bool(b, made, CKA_ALWAYS_SENSITIVE));
	assert_true(attr_bool(b, made, CKA_NEVER_EXTRACTABLE));
	assert_false(attr_bool(b, made, CKA_MODIFIABLE));
	assert_int_equal(attr_ulong(b, made, CKA_KEY_GEN_MECHANISM), CKM_RSA_PKCS_KEY_PAIR_GEN);
	ouid = attr_bytes(b, made, CKA_OUID, &len);
	assert_int_equal(len, 12);
	free(ouid);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_ok(p11->C_DestroyObject(a, priv));
	assert_ok(p11->C_DestroyObject(a, pub));
}

static void clone_signs(void **state)
{
	CK_OBJECT_HANDLE pub, priv, made, pub_made;
	CK_BYTE sig[256];
	CK_ULONG len = sizeof(sig);

	(void)state;
	rsa_pair(a, 2048, true, "signs", &pub, &priv);
	assert_ok(clone(b, a, priv, &made));
	assert_ok(clone(b, a, pub, &pub_made));
	sign_text(b, made, sig, &len);
	verify_text(a, pub, sig, len);
	verify_text(b, pub_made, sig, len);
	sessions_close(slot_a);
	a = session_co(slot_a);
	assert_ok(p11->C_DestroyObject(a, pub));
	assert_ok(p11->C_DestroyObject(a, priv));
	len = sizeof(sig);
	sign_text(b, made, sig, &len);		/* a clone does not need the original */
	verify_text(b, pub_made, sig, len);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_ok(p11->C_DestroyObject(b, pub_made));
}

static void clone_decrypts(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "decrypts"), made;
	CK_BYTE iv[16] = "sixteen bytes !", in[64] = "what only this key can read", out[64], back[64];
	CK_MECHANISM mech = { CKM_AES_CBC, iv, sizeof(iv) };
	CK_ULONG len = sizeof(out);

	(void)state;
	assert_ok(p11->C_EncryptInit(a, &mech, key));
	assert_ok(p11->C_Encrypt(a, in, sizeof(in), out, &len));
	assert_ok(clone(b, a, key, &made));
	assert_ok(p11->C_DecryptInit(b, &mech, made));
	len = sizeof(back);
	assert_ok(p11->C_Decrypt(b, out, sizeof(out), back, &len));
	assert_memory_equal(back, in, sizeof(in));
}

static void clone_of_a_clone(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 16, true, "to and fro"), there, back;
	CK_ULONG len;
	CK_BYTE *first, *last;

	(void)state;
	assert_ok(clone(b, a, key, &there));
	assert_ok(clone(a, b, there, &back));
	assert_int_not_equal(back, key);
	first = attr_bytes(a, key, CKA_OUID, &len);
	last = attr_bytes(a, back, CKA_OUID, &len);
	assert_memory_equal(first, last, len);
	free(first);
	free(last);
	assert_ok(p11->C_DestroyObject(a, key));
	assert_ok(p11->C_DestroyObject(a, back));
	assert_ok(p11->C_DestroyObject(b, there));
}

/* A session object's clone is one, too, and ends with the session it was made in. */
static void session_objects(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "for a session"), made;
	CK_SESSION_HANDLE extra = session_open(slot_b);
	CK_ULONG before = objects_on(b);

	(void)state;
	assert_ok(clone(extra, a, key, &made));
	assert_false(attr_bool(b, made, CKA_TOKEN));
	assert_int_equal(objects_on(b), before + 1);
	assert_ok(p11->C_CloseSession(extra));
	assert_int_equal(objects_on(b), before);
}

static void big_object(void **state)
{
	static CK_BYTE value[200 * 1024];
	CK_OBJECT_HANDLE object, made;
	CK_ULONG i, small;

	(void)state;
	for (i = 0; i < sizeof(value); i++)
		value[i] = i * 7 + (i >> 8);
	object = data_object(a, "big", value, sizeof(value), true);
	assert_ok(clone(b, a, object, &made));
	assert_same(object, made);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	small = 65536;
	assert_rv(ca->CA_CloneAsSource(a, 0, object, part1.data, part1.len, CK_FALSE, part2.data,
				       &small), CKR_BUFFER_TOO_SMALL);
	assert_true(small > sizeof(value));
	assert_ok(clone_step3(a, object, &part1, CK_FALSE, &part2));
	assert_int_equal(part2.len, small);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(object, made);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_ok(p11->C_DestroyObject(a, object));
}

static void same_slot(void **state)
{
	CK_SESSION_HANDLE second = session_open(slot_a);
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "same slot"), made;

	(void)state;
	assert_ok(clone(second, a, key, &made));
	assert_int_not_equal(made, key);
	assert_ok(p11->C_DestroyObject(a, made));
	assert_ok(clone(a, a, key, &made));
	assert_int_not_equal(made, key);
	assert_ok(p11->C_DestroyObject(a, made));
	assert_ok(p11->C_DestroyObject(a, key));
}

static void read_only_target(void **state)
{
	CK_SESSION_HANDLE ro = session_open_ro(slot_b);
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "token key"), made;
	CK_ULONG before = objects_on(b);

	(void)state;
	assert_rv(clone(ro, a, key, &made), CKR_SESSION_READ_ONLY);
	assert_int_equal(objects_on(b), before);
	assert_ok(p11->C_DestroyObject(a, key));
	key = aes_key(a, 32, false, "session key");
	assert_ok(clone(ro, a, key, &made));
	/* Reading is all that a source does. */
	ro = session_open_ro(slot_a);
	assert_ok(clone(b, ro, key, &made));
}

/* ---- many objects ---- */

static void migrate_keys(void **state)
{
	CK_OBJECT_MIGRATION_DATA list[5];
	CK_OBJECT_HANDLE first = aes_key(a, 32, true, "first"), last = aes_key(a, 16, true, "last");
	CK_ULONG i;

	(void)state;
	memset(list, 0, sizeof(list));
	list[0].sourceHandle = first;
	list[1].sourceHandle = 999999;
	list[2].objectType = 77;
	list[2].sourceHandle = first;
	list[3].sourceHandle = last;
	list[4].sourceHandle = first;
	for (i = 0; i < COUNT(list); i++)
		list[i].rv = CKR_GENERAL_ERROR;
	assert_ok(ca->CA_MigrateKeys(a, b, CKF_CPV4_CONTINUE_ON_ERR, COUNT(list), list));
	assert_rv(list[0].rv, CKR_OK);
	assert_rv(list[1].rv, CKR_OBJECT_HANDLE_INVALID);
	assert_rv(list[2].rv, CKR_OBJECT_TYPE_INVALID);
	assert_rv(list[3].rv, CKR_OK);
	assert_rv(list[4].rv, CKR_OK);
	assert_same(first, list[0].targetHandle);
	assert_same(last, list[3].targetHandle);
	assert_same(first, list[4].targetHandle);
	assert_int_equal(objects_on(b), 3);
	/* Without the flag it stops at the first that fails. */
	for (i = 0; i < COUNT(list); i++) {
		list[i].rv = CKR_GENERAL_ERROR;
		list[i].targetHandle = 0;
	}
	assert_rv(ca->CA_MigrateKeys(a, b, 0, COUNT(list), list), CKR_FAILED_TO_CLONE_AN_OBJECT);
	assert_rv(list[0].rv, CKR_OK);
	assert_rv(list[1].rv, CKR_OBJECT_HANDLE_INVALID);
	for (i = 2; i < COUNT(list); i++) {
		assert_rv(list[i].rv, CKR_CLONE_NOT_ATTEMPTED);
		assert_int_equal(list[i].targetHandle, 0);
	}
	assert_int_equal(objects_on(b), 4);
	/* All well needs no flag. */
	assert_ok(ca->CA_MigrateKeys(a, b, 0, 1, list + 3));
	assert_rv(list[3].rv, CKR_OK);
	assert_rv(ca->CA_MigrateKeys(a, b, 0, 0, list), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_MigrateKeys(a, b, 0, 1, NULL), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_MigrateKeys(999, b, 0, 1, list), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_MigrateKeys(a, 999, 0, 1, list), CKR_SESSION_HANDLE_INVALID);
}

static void clone_all_objects(void **state)
{
	CK_OBJECT_HANDLE pub, priv;

	(void)state;
	plain_pair(a, &pub, &priv);
	aes_key(a, 32, true, "secret");
	aes_key(a, 32, false, "session object, stays");
	data_object(a, "data", "x", 1, false);
	assert_ok(ca->CA_CloneAllObjectsToSession(a, slot_b));
	assert_int_equal(objects_on(b), 4);
	assert_int_not_equal(object_by_label(b, "secret"), 0);
	assert_int_not_equal(object_by_label(b, "plain private"), 0);
	assert_same(priv, object_by_label(b, "plain private"));
	/* Again: what is there already is not cloned twice. */
	data_object(a, "data 2", "y", 1, false);
	assert_ok(ca->CA_CloneAllObjectsToSession(a, slot_b));
	assert_int_equal(objects_on(b), 5);
	/* A token has all of its own. */
	assert_ok(ca->CA_CloneAllObjectsToSession(a, slot_a));
	assert_int_equal(objects_on(a), 6);
	/* One that fails stops no other, but shows. */
	token_init(slot_b, "token b", DOMAIN);
	policy_set(slot_b, 4, 0);
	b = session_co(slot_b);
	assert_rv(ca->CA_CloneAllObjectsToSession(a, slot_b), CKR_FAILED_TO_CLONE_AN_OBJECT);
	assert_int_equal(objects_on(b), 4);
	assert_rv(ca->CA_CloneAllObjectsToSession(999, slot_b), CKR_SESSION_HANDLE_INVALID);
	assert_rv(ca->CA_CloneAllObjectsToSession(a, 9999), CKR_SLOT_ID_INVALID);
	/* The sessions it made for itself are gone. */
	sessions_close(slot_a);
	sessions_close(slot_b);
	assert_ok(p11->C_InitToken(slot_b, PIN(SO_PIN),
				   (CK_UTF8CHAR_PTR)"token b                         "));
}

static void clone_private_key(void **state)
{
	CK_OBJECT_HANDLE pub, priv, made = 0;
	CK_BYTE sig[128];
	CK_ULONG len = sizeof(sig);

	(void)state;
	plain_pair(a, &pub, &priv);
	assert_ok(ca->CA_ClonePrivateKey(b, a, priv, &made));
	sign_text(b, made, sig, &len);
	verify_text(a, pub, sig, len);
	assert_rv(ca->CA_ClonePrivateKey(b, a, 999999, &made), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(ca->CA_ClonePrivateKey(999, a, priv, &made), CKR_SESSION_HANDLE_INVALID);
	assert_ok(p11->C_DestroyObject(a, pub));
	assert_ok(p11->C_DestroyObject(a, priv));
}

#define TEST(name)		cmocka_unit_test_setup(name, logged_in)
#define TEST_EMPTY(name)	cmocka_unit_test_setup(name, emptied)
#define TEST_FRESH(name)	cmocka_unit_test_setup(name, fresh)

/* Making a token new takes long where a processor is emulated: those that need it come last. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_FRESH(clone_every_class),
		TEST(clone_keeps_history),
		TEST(clone_signs),
		TEST(clone_decrypts),
		TEST(clone_of_a_clone),
		TEST(session_objects),
		TEST(big_object),
		TEST(same_slot),
		TEST(read_only_target),
		TEST(steps_asked_twice),
		TEST(steps_fixed_buffers),
		TEST(steps_short_buffers),
		TEST(queries_change_nothing),
		TEST(query_starts_nothing),
		TEST(last_part1_counts),
		TEST(wrong_order),
		TEST(wrong_session),
		TEST(logout_ends_exchange),
		TEST(replayed_part2),
		TEST(part1_for_another),
		TEST(crossed_exchanges),
		TEST(parallel_exchanges),
		TEST(parallel_clone_object),
		TEST(tampered_twc),
		TEST(tampered_part1),
		TEST(tampered_part2),
		TEST(wrong_lengths),
		TEST(arguments),
		TEST(replicate_differs),
		TEST(object_handles),
		TEST(step3_may_be_repeated),
		TEST_EMPTY(not_logged_in),
		TEST_EMPTY(crypto_user),
		TEST_EMPTY(partition_so),
		TEST_EMPTY(element_types),
		TEST_EMPTY(migrate_keys),
		TEST_EMPTY(clone_private_key),
		TEST_EMPTY(clone_all_objects),
		TEST_FRESH(hsm_replication_off),
		TEST_FRESH(other_domain),
		TEST_FRESH(no_domain),
		TEST_FRESH(legacy_tokens),
		TEST_FRESH(policy_private_off),
		TEST_FRESH(policy_secret_off),
		TEST_FRESH(hsm_cloning_off),
		TEST_FRESH(target_policies),
	};

	return cmocka_run_group_tests(tests, suite_setup_bare, suite_teardown);
}
