// SPDX-License-Identifier: MIT
/*
 * Cloning: CA_CloneObject, the four steps of CPv3 in every order and with every damage, roles,
 * domains and policies, and the functions that clone many objects. Which part of a message is
 * refused with which code is said in lib/token/PROTOCOLS.md.
 */
#include <pthread.h>

#include "exchange.h"

static struct message twc, part1, part2, other, saved;
static CK_SESSION_HANDLE a, b;		/* crypto officers, before every test */

static void officers(void)
{
	sessions_close(slot_a);
	sessions_close(slot_b);
	a = session_co(slot_a);
	b = session_co(slot_b);
}

static int fresh(void **state)
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

static CK_OBJECT_HANDLE data_object(CK_SESSION_HANDLE session, const char *label, const void *value,
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

/* A key pair for signatures alone, with an id, that nobody may change. */
static void plain_pair(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
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

/* Every attribute that any of our objects has; what one side cannot tell the other cannot, too. */
static void assert_same(CK_OBJECT_HANDLE source, CK_OBJECT_HANDLE target)
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

/* ---- the four steps ---- */

/* As clients do it: every output is asked for its size, then fetched. */
static void steps_asked_twice(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "asked twice"), made = 0;
	CK_ULONG before = objects_on(b), size;

	(void)state;
	twc.len = 0;
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &twc.len, CK_FALSE));
	assert_in_range(twc.len, 300, 8192);
	size = twc.len;
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, &twc.len, CK_FALSE));
	assert_int_equal(twc.len, size);
	part1.len = 0;
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL,
					   &part1.len));
	assert_in_range(part1.len, 300, 8192);
	size = part1.len;
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   &part1.len));
	assert_int_equal(part1.len, size);
	part2.len = 0;
	assert_ok(ca->CA_CloneAsSource(a, CK_CRYPTOKI_ELEMENT, key, part1.data, part1.len, CK_FALSE,
				       NULL, &part2.len));
	assert_in_range(part2.len, 64, 8192);
	size = part2.len;
	assert_ok(ca->CA_CloneAsSource(a, CK_CRYPTOKI_ELEMENT, key, part1.data, part1.len, CK_FALSE,
				       part2.data, &part2.len));
	assert_int_equal(part2.len, size);
	/* Some clients pass the source's handle on. */
	assert_ok(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len, CK_CRYPTOKI_ELEMENT, key,
				       CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
	assert_same(key, made);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_ok(p11->C_DestroyObject(a, key));
}

/* No size query, one fixed buffer of 64 KiB for everything. */
static void steps_fixed_buffers(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "fixed"), made;

	(void)state;
	memset(part2.data, 0x5a, sizeof(part2.data));
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_true(part2.len < 8192);
	assert_int_equal(part2.data[part2.len], 0x5a);
	assert_int_equal(part2.data[part2.len + 1], 0x5a);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

/* One byte less than needed tells the size and changes nothing; the exact size is enough. */
static void steps_short_buffers(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "short"), made;
	CK_ULONG size, len;

	(void)state;
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &size, CK_FALSE));
	for (len = size - 1; len; len /= 2) {
		twc.len = len;
		memset(twc.data, 0, size);
		assert_rv(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, &twc.len, CK_FALSE),
			  CKR_BUFFER_TOO_SMALL);
		assert_int_equal(twc.len, size);
		assert_int_equal(twc.data[0], 0);
	}
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, &twc.len, CK_FALSE));
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL, &size));
	part1.len = size - 1;
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   &part1.len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(part1.len, size);
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   &part1.len));
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, NULL, &size));
	part2.len = 0;
	assert_rv(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(part2.len, size);
	part2.len = size - 1;
	assert_rv(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len), CKR_BUFFER_TOO_SMALL);
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len));
	assert_int_equal(part2.len, size);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

/* A query in the middle of an exchange leaves it as it is, whatever it asks about. */
static void queries_change_nothing(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "query"), made;
	CK_ULONG size;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &size, CK_TRUE));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_TRUE, NULL, &size));
	size = 3;
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, other.data,
					   &size), CKR_BUFFER_TOO_SMALL);
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, NULL, &size));
	assert_ok(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, NULL, &size));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL, &size));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

static void query_starts_nothing(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "only asked"), made;
	CK_ULONG size;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	officers();
	key = aes_key(a, 32, false, "only asked");
	assert_ok(ca->CA_CloneAsSourceInit(a, NULL, 0, NULL, &size, CK_FALSE));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, NULL, &size));
	assert_rv(clone_step4(b, &part1, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
}

static void last_part1_counts(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "last"), made;
	CK_ULONG before = objects_on(b);

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &other));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_int_equal(other.len, part1.len);
	assert_memory_not_equal(other.data, part1.data, part1.len);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_ok(p11->C_DestroyObject(b, made));

	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &other));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &other, CK_FALSE, &part2));
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_DATA_INVALID);
	assert_int_equal(objects_on(b), before);
}

static void wrong_order(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "order"), made;

	(void)state;
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, NULL, &twc.len));
	assert_ok(ca->CA_HAGetMasterPublic(slot_a, twc.data, &twc.len));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	/* Step 1 may come after step 2, since the certificate is no secret and does not change. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(a, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
	/* Both halves are over. */
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
}

static void wrong_session(void **state)
{
	CK_SESSION_HANDLE a2 = session_open(slot_a), b2 = session_open(slot_b);
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "session"), made;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a2, key, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(b2, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_rv(clone_step4(a, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_rv(clone_step1(999, CK_FALSE, &twc), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone_step2(999, &twc, CK_FALSE, &part1), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone_step3(999, key, &part1, CK_FALSE, &part2), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone_step4(999, &part2, CK_FALSE, &made), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone(999, a, key, &made), CKR_SESSION_HANDLE_INVALID);
	assert_rv(clone(b, 999, key, &made), CKR_SESSION_HANDLE_INVALID);
}

static void logout_ends_exchange(void **state)
{
	CK_OBJECT_HANDLE pub, priv, made;
	CK_ULONG before;

	(void)state;
	plain_pair(a, &pub, &priv);
	before = objects_on(b);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(p11->C_Logout(a));
	session_login(a, CKU_USER, CO_PIN);
	assert_rv(clone_step3(a, priv, &part1, CK_FALSE, &part2), CKR_OPERATION_NOT_INITIALIZED);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step3(a, priv, &part1, CK_FALSE, &part2));
	assert_ok(p11->C_Logout(b));
	session_login(b, CKU_USER, CO_PIN);
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(objects_on(b), before);
	assert_ok(p11->C_DestroyObject(a, pub));
	assert_ok(p11->C_DestroyObject(a, priv));
}

static void replayed_part2(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "replay"), made;
	CK_ULONG before;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &saved));
	assert_ok(clone_step4(b, &saved, CK_FALSE, &made));
	before = objects_on(b);
	assert_rv(clone_step4(b, &saved, CK_FALSE, &made), CKR_OPERATION_NOT_INITIALIZED);
	/* A new exchange does not take the old message, and takes its own after that. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step4(b, &saved, CK_FALSE, &made), CKR_DATA_INVALID);
	/* Not even with the new nonce in the old message. */
	memcpy(saved.data + 40, part1.data + 8, 32);
	assert_rv(clone_step4(b, &saved, CK_FALSE, &made), CKR_UNWRAPPING_ERROR);
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
}

/* Part1 is for one source: another token of the domain cannot answer it, nor pass it on. */
static void part1_for_another(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "elsewhere");

	(void)state;
	assert_ok(clone_step1(b, CK_FALSE, &other));
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_memory_not_equal(twc.data, other.data, twc.len);
	assert_ok(clone_step2(b, &other, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_DATA_INVALID);
}

/* Part2 of an exchange of the same two tokens in other sessions. */
static void crossed_exchanges(void **state)
{
	CK_SESSION_HANDLE a2 = session_open(slot_a), b2 = session_open(slot_b);
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "one"), key2 = aes_key(a, 16, false, "two");
	CK_OBJECT_HANDLE made;
	CK_ULONG before = objects_on(b);
	static struct message twc2, part1b, part2b;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step1(a2, CK_FALSE, &twc2));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step2(b2, &twc2, CK_FALSE, &part1b));
	assert_ok(clone_step3(a2, key2, &part1b, CK_FALSE, &part2b));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(b, &part2b, CK_FALSE, &made), CKR_DATA_INVALID);
	assert_rv(clone_step4(b2, &part2, CK_FALSE, &made), CKR_DATA_INVALID);
	assert_int_equal(objects_on(b), before);
	/* Both exchanges are as they were. */
	assert_ok(clone_step4(b2, &part2b, CK_FALSE, &made));
	assert_same(key2, made);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
}

struct worker {
	pthread_t thread;
	CK_SESSION_HANDLE target, source;
	CK_OBJECT_HANDLE object;
	struct message *twc, *part1, *part2;
	CK_RV rv;
};

static void *worker_run(void *data)
{
	struct worker *w = data;
	CK_OBJECT_HANDLE made;
	int i;

	for (i = 0; i < 20 && w->rv == CKR_OK; i++) {
		w->rv = clone_step1(w->source, CK_FALSE, w->twc);
		if (w->rv == CKR_OK)
			w->rv = clone_step2(w->target, w->twc, CK_FALSE, w->part1);
		if (w->rv == CKR_OK)
			w->rv = clone_step3(w->source, w->object, w->part1, CK_FALSE, w->part2);
		if (w->rv == CKR_OK)
			w->rv = clone_step4(w->target, w->part2, CK_FALSE, &made);
	}
	return NULL;
}

static void parallel_exchanges(void **state)
{
	struct worker workers[4] = { 0 };
	CK_ULONG before = objects_on(b), i;

	(void)state;
	for (i = 0; i < COUNT(workers); i++) {
		workers[i].source = session_open(slot_a);
		workers[i].target = session_open(slot_b);
		workers[i].object = aes_key(a, 32, false, "parallel");
		workers[i].twc = calloc(3, sizeof(struct message));
		assert_non_null(workers[i].twc);
		workers[i].part1 = workers[i].twc + 1;
		workers[i].part2 = workers[i].twc + 2;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]),
				 0);
	}
	for (i = 0; i < COUNT(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		free(workers[i].twc);
		assert_rv(workers[i].rv, CKR_OK);
	}
	assert_int_equal(objects_on(b), before + 20 * COUNT(workers));
}

/* CA_CloneObject both ways at once must not wait for itself. */
static void *both_ways(void *data)
{
	struct worker *w = data;
	CK_OBJECT_HANDLE made;
	int i;

	for (i = 0; i < 20 && w->rv == CKR_OK; i++)
		w->rv = clone(w->target, w->source, w->object, &made);
	return NULL;
}

static void parallel_clone_object(void **state)
{
	struct worker workers[2] = { 0 };
	CK_ULONG i;

	(void)state;
	workers[0].source = a;
	workers[0].target = b;
	workers[0].object = aes_key(a, 32, false, "there");
	workers[1].source = b;
	workers[1].target = a;
	workers[1].object = aes_key(b, 32, false, "here");
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, both_ways, &workers[i]),
				 0);
	for (i = 0; i < 2; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_rv(workers[i].rv, CKR_OK);
	}
}

/* ---- damage ---- */

/* A damaged certificate is refused by the target, or by the source, whose it is not. */
static void tampered_twc(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "twc"), made;
	CK_ULONG i, at_target = 0, at_source = 0;
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	for (i = 0; i < twc.len; i++) {
		twc.data[i] ^= 1 << (i % 8);
		rv = clone_step2(b, &twc, CK_FALSE, &part1);
		twc.data[i] ^= 1 << (i % 8);
		if (rv == CKR_OK) {
			at_source++;
			rv = clone_step3(a, key, &part1, CK_FALSE, &part2);
			if (rv != CKR_DATA_INVALID)
				fail_msg("byte %lu at the source: %s", i, rv_name(rv));
		} else if (rv == CKR_CERTIFICATE_DATA_INVALID) {
			at_target++;
		} else {
			fail_msg("byte %lu at the target: %s", i, rv_name(rv));
		}
	}
	assert_true(at_target + at_source == twc.len && at_target);
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

/* What altering byte @i of Part1 gives: the head, the digest of the TWC and the length are seen. */
static CK_RV part1_verdict(CK_ULONG i)
{
	return i < 8 || (i >= 56 && i < 90) ? CKR_DATA_INVALID : CKR_UNWRAPPING_ERROR;
}

static void tampered_part1(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "part1"), made;
	CK_ULONG i, before = objects_on(b);
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	for (i = 0; i < part1.len; i++) {
		part1.data[i] ^= 1 << (i % 8);
		rv = clone_step3(a, key, &part1, CK_FALSE, &part2);
		part1.data[i] ^= 1 << (i % 8);
		if (rv != part1_verdict(i))
			fail_msg("byte %lu: %s", i, rv_name(rv));
	}
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
}

/* The head, the target's nonce, the type and the length are seen; the rest is in the key. */
static CK_RV part2_verdict(CK_ULONG i)
{
	return i < 8 || (i >= 40 && i < 72) || (i >= 88 && i < 96) ? CKR_DATA_INVALID :
								     CKR_UNWRAPPING_ERROR;
}

static void tampered_part2(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, true, "part2"), made;
	CK_ULONG i, bit, before = objects_on(b);
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	for (i = 0; i < part2.len; i++) {
		for (bit = 0; bit < 8; bit += 7) {
			part2.data[i] ^= 1 << bit;
			rv = clone_step4(b, &part2, CK_FALSE, &made);
			part2.data[i] ^= 1 << bit;
			if (rv != part2_verdict(i) || made)
				fail_msg("byte %lu: %s", i, rv_name(rv));
		}
	}
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_int_equal(objects_on(b), before + 1);
	assert_ok(p11->C_DestroyObject(a, key));
	assert_ok(p11->C_DestroyObject(b, made));
}

/* All lengths that are wrong: every shorter one, some longer ones. */
static void wrong_lengths(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "lengths"), made;
	CK_ULONG before = objects_on(b), len, add;
	CK_RV rv;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	len = twc.len;
	for (twc.len = 0; twc.len < len; twc.len++) {
		rv = clone_step2(b, &twc, CK_FALSE, &part1);
		if (rv != CKR_CERTIFICATE_DATA_INVALID)
			fail_msg("TWC of %lu bytes: %s", twc.len, rv_name(rv));
	}
	memset(twc.data + len, 0, 70000);
	for (add = 1; add < 70000; add *= 3) {
		twc.len = len + add;
		assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_CERTIFICATE_DATA_INVALID);
	}
	twc.len = len;
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	len = part1.len;
	for (part1.len = 0; part1.len < len; part1.len++) {
		rv = clone_step3(a, key, &part1, CK_FALSE, &part2);
		if (rv != CKR_DATA_INVALID)
			fail_msg("Part1 of %lu bytes: %s", part1.len, rv_name(rv));
	}
	for (add = 1; add < 70000; add *= 3) {
		part1.len = len + add;
		assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_DATA_INVALID);
	}
	part1.len = len;
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	len = part2.len;
	for (part2.len = 0; part2.len < len; part2.len++) {
		rv = clone_step4(b, &part2, CK_FALSE, &made);
		if (rv != CKR_DATA_INVALID)
			fail_msg("Part2 of %lu bytes: %s", part2.len, rv_name(rv));
	}
	for (add = 1; add < 70000; add *= 3) {
		part2.len = len + add;
		assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_DATA_INVALID);
	}
	part2.len = len;
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

static void arguments(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "arguments"), made;
	CK_BYTE byte = 0;
	CK_ULONG len = 1;

	(void)state;
	assert_rv(ca->CA_CloneAsSourceInit(a, &byte, 1, twc.data, &len, CK_FALSE),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsSourceInit(a, NULL, 0, twc.data, NULL, CK_FALSE), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsSourceInit(a, NULL, 5, twc.data, &len, CK_FALSE), CKR_ARGUMENTS_BAD);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_rv(ca->CA_CloneAsTargetInit(b, NULL, twc.len, NULL, 0, CK_FALSE, part1.data, &len),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, &byte, 1, CK_FALSE, part1.data,
					   &len), CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTargetInit(b, twc.data, twc.len, NULL, 0, CK_FALSE, part1.data,
					   NULL), CKR_ARGUMENTS_BAD);
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(ca->CA_CloneAsSource(a, 0, key, NULL, part1.len, CK_FALSE, part2.data, &len),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsSource(a, 0, key, part1.data, part1.len, CK_FALSE, part2.data, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(ca->CA_CloneAsTarget(b, &byte, 1, part2.data, part2.len, 0, 0, CK_FALSE, &made),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, NULL, part2.len, 0, 0, CK_FALSE, &made),
		  CKR_ARGUMENTS_BAD);
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len, 0, 0, CK_FALSE, NULL),
		  CKR_ARGUMENTS_BAD);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

/* ---- replication ---- */

static void replicate_differs(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "replicate"), made;
	CK_ULONG before = objects_on(b);

	(void)state;
	assert_ok(clone_step1(a, CK_TRUE, &twc));
	assert_ok(clone_step2(b, &twc, CK_TRUE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_ARGUMENTS_BAD);
	assert_ok(clone_step3(a, key, &part1, CK_TRUE, &part2));
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_ARGUMENTS_BAD);
	assert_int_equal(objects_on(b), before);
	assert_ok(clone_step4(b, &part2, CK_TRUE, &made));
	assert_same(key, made);
	/* The two sides do not agree. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_TRUE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_DATA_INVALID);
	assert_ok(clone_step1(a, CK_TRUE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_TRUE, &part2), CKR_DATA_INVALID);
}

static void hsm_replication_off(void **state)
{
	CK_OBJECT_HANDLE key, made;

	(void)state;
	hsm_policy_set(slot_a, 16, 0);
	officers();
	key = aes_key(a, 32, false, "no replication");
	assert_rv(clone_step1(a, CK_TRUE, &twc), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(clone(b, a, key, &made));
	hsm_policy_set(slot_a, 16, 1);
	hsm_policy_set(slot_b, 16, 0);
	officers();
	key = aes_key(a, 32, false, "no replication");
	assert_ok(clone_step1(a, CK_TRUE, &twc));
	assert_rv(clone_step2(b, &twc, CK_TRUE, &part1), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(clone(b, a, key, &made));
	hsm_policy_set(slot_b, 16, 1);
}

/* ---- domains ---- */

static void other_domain(void **state)
{
	CK_OBJECT_HANDLE key, made;

	(void)state;
	token_init(slot_b, "token b", "another domain");
	officers();
	key = aes_key(a, 32, false, "stays here");
	assert_rv(clone(b, a, key, &made), CKR_UNWRAPPING_ERROR);
	assert_int_equal(made, 0);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, key, &part1, CK_FALSE, &part2), CKR_UNWRAPPING_ERROR);
}

static void no_domain(void **state)
{
	CK_OBJECT_HANDLE key, made;
	CK_SESSION_HANDLE so;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	token_init(slot_b, "token b", NULL);
	officers();
	key = aes_key(a, 32, false, "stays here");
	assert_rv(clone(b, a, key, &made), CKR_CLONING_PARAMETER_MISSING);
	assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_CLONING_PARAMETER_MISSING);
	assert_rv(clone_step1(b, CK_FALSE, &other), CKR_CLONING_PARAMETER_MISSING);
	key = aes_key(b, 32, false, "stays there");
	assert_rv(clone(a, b, key, &made), CKR_CLONING_PARAMETER_MISSING);
	assert_rv(ca->CA_SetKCV(b, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN)), CKR_USER_NOT_AUTHORIZED);
	/* The SO gives it one later; once. */
	sessions_close(slot_b);
	so = session_open(slot_b);
	assert_rv(ca->CA_SetKCV(so, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN)), CKR_USER_NOT_LOGGED_IN);
	session_login(so, CKU_SO, SO_PIN);
	assert_rv(ca->CA_SetKCV(so, NULL, 0), CKR_ARGUMENTS_BAD);
	assert_ok(ca->CA_SetKCV(so, (CK_BYTE_PTR)DOMAIN, strlen(DOMAIN)));
	assert_rv(ca->CA_SetKCV(so, (CK_BYTE_PTR)"other", 5), CKR_CLONING_PARAMETER_ALREADY_EXISTS);
	officers();
	key = aes_key(a, 32, false, "goes there");
	assert_ok(clone(b, a, key, &made));
	assert_same(key, made);
}

/* ---- roles ---- */

static void not_logged_in(void **state)
{
	CK_OBJECT_HANDLE pub, priv, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(p11->C_Logout(a));
	assert_rv(clone(b, a, priv, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone(b, a, pub, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step1(a, CK_FALSE, &twc), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step3(a, priv, &part1, CK_FALSE, &part2), CKR_USER_NOT_LOGGED_IN);
	session_login(a, CKU_USER, CO_PIN);
	assert_ok(p11->C_Logout(b));
	assert_rv(clone(b, a, priv, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone(b, a, pub, &made), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_USER_NOT_LOGGED_IN);
	assert_rv(clone_step4(b, &part1, CK_FALSE, &made), CKR_USER_NOT_LOGGED_IN);
	assert_ok(p11->C_DestroyObject(a, pub));
	assert_ok(p11->C_DestroyObject(a, priv));
}

static void crypto_user(void **state)
{
	CK_OBJECT_HANDLE pub, priv, data, made;
	CK_SESSION_HANDLE cu;

	(void)state;
	plain_pair(a, &pub, &priv);
	data = data_object(a, "for all", "x", 1, false);
	sessions_close(slot_b);
	cu = session_cu(slot_b);
	assert_rv(clone(cu, a, priv, &made), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(objects_on(cu), 0);
	assert_ok(clone(cu, a, data, &made));
	assert_ok(p11->C_DestroyObject(cu, made));
	assert_ok(clone(cu, a, pub, &made));
	assert_true(attr_bool(cu, made, CKA_VERIFY));
	/* And as the source. */
	sessions_close(slot_a);
	sessions_close(slot_b);
	cu = session_cu(slot_a);
	b = session_co(slot_b);
	assert_ok(p11->C_DestroyObject(b, made));
	assert_rv(clone(b, cu, priv, &made), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, cu, data, &made));
	assert_ok(clone(b, cu, pub, &made));
	assert_int_equal(objects_on(b), 2);
}

static void partition_so(void **state)
{
	CK_OBJECT_HANDLE data = data_object(a, "for all", "x", 1, false), made;
	CK_SESSION_HANDLE so;

	(void)state;
	sessions_close(slot_b);
	so = session_so(slot_b);
	assert_rv(clone(so, a, data, &made), CKR_USER_NOT_AUTHORIZED);
	sessions_close(slot_b);
	sessions_close(slot_a);
	so = session_so(slot_a);
	b = session_co(slot_b);
	assert_rv(clone(b, so, data, &made), CKR_USER_NOT_AUTHORIZED);
	assert_rv(clone_step1(so, CK_FALSE, &twc), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(objects_on(b), 0);
}

static void legacy_tokens(void **state)
{
	CK_OBJECT_HANDLE pub, priv, data, made, pub_made;
	CK_SESSION_HANDLE so;
	CK_BYTE sig[128];
	CK_ULONG len = sizeof(sig);

	(void)state;
	token_init_legacy(slot_a, "legacy a", DOMAIN);
	token_init_legacy(slot_b, "legacy b", DOMAIN);
	officers();
	plain_pair(a, &pub, &priv);
	data = data_object(a, "for all", "x", 1, false);
	assert_ok(clone(b, a, priv, &made));
	assert_ok(clone(b, a, pub, &pub_made));
	sign_text(b, made, sig, &len);
	verify_text(a, pub, sig, len);
	/* The SO of a legacy token owns public objects. */
	sessions_close(slot_b);
	so = session_so(slot_b);
	assert_rv(clone(so, a, priv, &made), CKR_USER_NOT_AUTHORIZED);
	assert_ok(clone(so, a, data, &made));
	assert_int_equal(attr_ulong(so, made, CKA_CLASS), CKO_DATA);
	/* One of each kind is as good. */
	token_init(slot_b, "token b", DOMAIN);
	officers();
	assert_ok(clone(b, a, priv, &made));
	sign_text(b, made, sig, &len);
	verify_text(a, pub, sig, len);
}

/* ---- policies ---- */

static void policy_private_off(void **state)
{
	CK_OBJECT_HANDLE pub, priv, key, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_a, 0, 0);
	officers();
	assert_rv(clone(b, a, priv, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, a, key, &made));
	assert_ok(clone(b, a, pub, &made));
	fresh(NULL);
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_b, 0, 0);
	officers();
	assert_rv(clone(b, a, priv, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	/* It is the last step that fails. */
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_ok(clone_step3(a, priv, &part1, CK_FALSE, &part2));
	assert_rv(clone_step4(b, &part2, CK_FALSE, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_ok(clone(b, a, key, &made));
	assert_ok(clone(b, a, pub, &made));
}

static void policy_secret_off(void **state)
{
	CK_OBJECT_HANDLE pub, priv, key, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_a, 4, 0);
	officers();
	assert_rv(clone(b, a, key, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, a, priv, &made));
	fresh(NULL);
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "secret");
	policy_set(slot_b, 4, 0);
	officers();
	assert_rv(clone(b, a, key, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	assert_ok(clone(b, a, priv, &made));
}

static void hsm_cloning_off(void **state)
{
	CK_OBJECT_HANDLE data, made;

	(void)state;
	hsm_policy_set(slot_a, 7, 0);
	officers();
	data = data_object(a, "not even this", "x", 1, false);
	assert_rv(clone(b, a, data, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(clone_step1(a, CK_FALSE, &twc), CKR_OPERATION_NOT_ALLOWED);
	hsm_policy_set(slot_a, 7, 1);
	hsm_policy_set(slot_b, 7, 0);
	officers();
	data = data_object(a, "not even this", "x", 1, false);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_rv(clone_step2(b, &twc, CK_FALSE, &part1), CKR_OPERATION_NOT_ALLOWED);
	assert_rv(clone(b, a, data, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 0);
	hsm_policy_set(slot_b, 7, 1);
	officers();
	assert_ok(clone(b, a, data, &made));
}

/* The target's other policies apply to a clone as to any object made there. */
static void target_policies(void **state)
{
	CK_OBJECT_HANDLE pub, priv, key, made;

	(void)state;
	plain_pair(a, &pub, &priv);
	key = aes_key(a, 32, true, "all purposes");
	policy_set(slot_b, 10, 0);
	officers();
	assert_rv(clone(b, a, key, &made), CKR_TEMPLATE_INCONSISTENT);
	assert_ok(clone(b, a, pub, &made));
	policy_set(slot_b, 28, 0);
	officers();
	assert_rv(clone(b, a, pub, &made), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(objects_on(b), 1);
}

/* ---- types and handles ---- */

static void element_types(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "type"), made = 0;
	static const CK_ULONG bad[] = { 1, 2, 4, 5, 0xff, 0xffffffff, ~0ul };
	CK_ULONG i;

	(void)state;
	for (i = 0; i < COUNT(bad); i++)
		assert_rv(ca->CA_CloneObject(b, a, bad[i], key, &made), CKR_OBJECT_TYPE_INVALID);
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	part2.len = MESSAGE_ROOM;
	assert_rv(ca->CA_CloneAsSource(a, 1, key, part1.data, part1.len, CK_FALSE, part2.data,
				       &part2.len), CKR_OBJECT_TYPE_INVALID);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len, 1, 0, CK_FALSE, &made),
		  CKR_OBJECT_TYPE_INVALID);
	/* An object is not the M of N secret. */
	assert_rv(ca->CA_CloneAsTarget(b, NULL, 0, part2.data, part2.len,
				       CK_MOFN_ACTIVATION_ELEMENT, 0, CK_FALSE, &made),
		  CKR_DATA_INVALID);
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
}

static void object_handles(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "handle"), made;
	CK_SESSION_HANDLE extra = session_open(slot_a);

	(void)state;
	assert_rv(clone(b, a, 0, &made), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(clone(b, a, 999999, &made), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(clone(b, a, ~0ul, &made), CKR_OBJECT_HANDLE_INVALID);
	assert_rv(clone(b, a, key + (1ul << 32), &made), CKR_OBJECT_HANDLE_INVALID);
	assert_ok(p11->C_DestroyObject(a, key));
	assert_rv(clone(b, a, key, &made), CKR_OBJECT_HANDLE_INVALID);
	key = aes_key(extra, 32, false, "other session's");
	assert_ok(clone(b, a, key, &made));	/* the application's, so all its sessions see it */
	assert_ok(p11->C_CloseSession(extra));
	assert_rv(clone(b, a, key, &made), CKR_OBJECT_HANDLE_INVALID);
}

/* A failed step 3 does not end the exchange. */
static void step3_may_be_repeated(void **state)
{
	CK_OBJECT_HANDLE key = aes_key(a, 32, false, "again"), made;

	(void)state;
	assert_ok(clone_step1(a, CK_FALSE, &twc));
	assert_ok(clone_step2(b, &twc, CK_FALSE, &part1));
	assert_rv(clone_step3(a, 999999, &part1, CK_FALSE, &part2), CKR_OBJECT_HANDLE_INVALID);
	assert_ok(clone_step3(a, key, &part1, CK_FALSE, &part2));
	assert_ok(clone_step4(b, &part2, CK_FALSE, &made));
	assert_same(key, made);
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
