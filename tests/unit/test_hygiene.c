// SPDX-License-Identifier: MIT
/*
 * What an attacker learns from an answer: that every bad padding gives the same answer as a wrong key
 * (PKCS#1 v1.5 decryption, unwrapping, both decryptions of HA login), that no IV which the token draws
 * comes twice or from nowhere, and that weak RSA keys stay out, however they come. That a faulty
 * signature is not released is in test_rsa.c, that unpadding takes the same time for all in test_ct.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "engine_fixture.h"
#include "key.h"
#include "vector_file.h"

enum { K = 256, ROOM = 4096 };

static struct luna_crypto_ops ops;
static struct fx fx;
static struct luna_open *open;
static u32 session, public, private;
static struct luna_rsa_made *made;
static struct luna_rsa_key *raw;
static const u8 f4[] = { 1, 0, 1 };

/* The wrapping key first, then the login key, as often as it is asked for. */
static u32 generated;

static struct luna_rsa_made *fixed_rsa(u32 bits, const u8 *e, size_t e_len)
{
	assert_int_equal(bits, 2048);
	return vector_rsa(generated++ ? "login" : "source");
}

static void attrs(struct fx_tmpl *t, bool value, const u32 *types, size_t count)
{
	while (count--)
		fx_attr_bool(t, *types++, value);
}

static void make_pair(void)
{
	static const u32 pub_on[] = { CKA_TOKEN, CKA_ENCRYPT, CKA_WRAP };
	static const u32 priv_on[] = { CKA_TOKEN, CKA_PRIVATE, CKA_DECRYPT, CKA_UNWRAP };
	struct fx_tmpl pub = { 0 }, priv = { 0 };

	fx_attr_ulong(&pub, CKA_MODULUS_BITS, 8 * K);
	fx_attr(&pub, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
	attrs(&pub, true, pub_on, ARRAY_SIZE(pub_on));
	attrs(&priv, true, priv_on, ARRAY_SIZE(priv_on));
	assert_int_equal(fx_generate_pair(open, session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub, &priv,
					  &public, &private), CKR_OK);
}

static int setup(void **state)
{
	struct luna_rsa_nums nums;

	ops = *fakerng_quick_ops(&luna_openssl_ops, 1);
	ops.rsa_generate = fixed_rsa;
	generated = 0;
	fx_open(&fx, &ops, 0);
	assert_int_equal(fx_ready(&fx, &open, &session), CKR_OK);
	make_pair();
	made = vector_rsa("login");
	nums = (struct luna_rsa_nums){ .n = { made->n, K }, .e = { f4, sizeof(f4) } };
	raw = ops.rsa_key(&nums);
	assert_false(IS_ERR(raw));
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	ops.rsa_key_free(raw);
	kfree_sensitive(made);
	luna_release(open);
	fx_close(&fx);
	(void)state;
	return 0;
}

/* ---- paddings ---- */

/*
 * The @which-th way to get PKCS#1 v1.5 wrong: every byte of the frame, a message too early, no end, all
 * zeros, and noise, which is what a wrong key decrypts to. Return: false behind the last.
 */
static bool bad_padding(u32 which, u8 *em, u32 len)
{
	u32 i;

	for (i = 0; i < K; i++)
		em[i] = 1 + i % 255;
	em[0] = 0;
	em[1] = 2;
	em[K - len - 1] = 0;
	if (which == 0)
		em[0] = 1;
	else if (which == 1)
		em[1] = 1;
	else if (which == 2)
		em[1] = 0;
	else if (which < 11)
		em[which - 1] = 0;	/* less than eight bytes of padding */
	else if (which == 11)
		em[K - len - 1] = 7;
	else if (which == 12)
		memset(em, 0, K);
	else if (which < 30)
		ops.random(em + 1, K - 1);
	else
		return false;
	if (which >= 13)
		em[0] = which % 3 ? 0 : 0x40;
	if (which >= 13 && em[1] == 2)
		em[1] = 3;
	return true;
}

static void encrypt_raw(struct luna_rsa_key *key, const u8 *em, u8 *cipher)
{
	u8 *copy = test_malloc(K);

	memcpy(copy, em, K);
	assert_int_equal(ops.rsa_public(key, copy, copy), 0);
	memcpy(cipher, copy, K);
	test_free(copy);
}

/* All that a caller sees of one command. */
struct seen {
	s64 rv;
	struct luna_op arg;
	u8 out[K];
	size_t len;
};

static struct seen decrypt(const u8 *cipher)
{
	struct seen s = { .len = K };

	s.arg = (struct luna_op){
		.hdr.session = session, .op = LUNA_OP_DECRYPT,
		.step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT, .mechanism = CKM_RSA_PKCS,
		.key = private, .data_len = K, .total = K, .out_max = K,
	};
	s.rv = fx_call(open, LUNA_OP, &s.arg, sizeof(s.arg), cipher, K, s.out, &s.len);
	return s;
}

static void test_decrypt(void **state __maybe_unused)
{
	struct seen first = { 0 }, s;
	u8 em[K], cipher[K];
	u32 i;

	assert_true(bad_padding(0, em, 20));
	em[0] = 0;		/* the control: right */
	encrypt_raw(raw, em, cipher);
	s = decrypt(cipher);
	assert_int_equal(s.rv, CKR_OK);
	assert_int_equal(s.len, 20);
	for (i = 0; bad_padding(i, em, 20); i++) {
		encrypt_raw(raw, em, cipher);
		s = decrypt(cipher);
		assert_int_equal(s.rv, CKR_ENCRYPTED_DATA_INVALID);
		assert_int_equal(s.len, 0);
		if (!i)
			first = s;
		assert_memory_equal(&s, &first, sizeof(s));
	}
	assert_true(i > 20);
}

static struct luna_key unwrap(const u8 *cipher, s64 *rv)
{
	struct luna_key arg = { .hdr.session = session, .mechanism = CKM_RSA_PKCS, .key = private,
				.data_len = K };
	struct fx_tmpl t = { 0 };
	u8 *payload;

	fx_attr_ulong(&t, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&t, CKA_KEY_TYPE, CKK_AES);
	arg.template_len = t.len;
	payload = test_malloc(t.len + K);
	memcpy(payload, t.data, t.len);
	memcpy(payload + t.len, cipher, K);
	*rv = fx_call(open, LUNA_UNWRAP, &arg, sizeof(arg), payload, t.len + K, NULL, NULL);
	test_free(payload);
	return arg;
}

/* A good padding around what is no AES key is as bad as a bad one. */
static void test_unwrap(void **state __maybe_unused)
{
	struct luna_key first, arg;
	u8 em[K], cipher[K];
	s64 rv;
	u32 i;

	assert_true(bad_padding(0, em, 32));
	em[0] = 0;
	encrypt_raw(raw, em, cipher);
	unwrap(cipher, &rv);
	assert_int_equal(rv, CKR_OK);
	assert_true(bad_padding(0, em, 33));
	em[0] = 0;
	encrypt_raw(raw, em, cipher);
	first = unwrap(cipher, &rv);
	assert_int_equal(rv, CKR_WRAPPED_KEY_INVALID);
	first.hdr.generation = 0;
	for (i = 0; bad_padding(i, em, 32); i++) {
		encrypt_raw(raw, em, cipher);
		arg = unwrap(cipher, &rv);
		assert_int_equal(rv, CKR_WRAPPED_KEY_INVALID);
		arg.hdr.generation = 0;
		assert_memory_equal(&arg, &first, sizeof(arg));
	}
}

/* ---- HA login: the same token plays both sides ---- */

static u8 challenge[ROOM], answer[ROOM];
static u32 challenge_len, answer_len;
static struct luna_open *other;
static u32 other_session, login_key;

static void make_login_key(void)
{
	static const u32 pub_off[] = { CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP,
				       CKA_DERIVE };
	static const u32 off[] = { CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_DECRYPT, CKA_SIGN,
				   CKA_SIGN_RECOVER, CKA_UNWRAP, CKA_DERIVE };
	static const u32 on[] = { CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE };
	struct fx_tmpl pub = { 0 }, priv = { 0 };
	u32 pub_handle;

	fx_attr_ulong(&pub, CKA_MODULUS_BITS, 8 * K);
	fx_attr(&pub, CKA_PUBLIC_EXPONENT, f4, sizeof(f4));
	attrs(&pub, false, pub_off, ARRAY_SIZE(pub_off));
	attrs(&priv, false, off, ARRAY_SIZE(off));
	attrs(&priv, true, on, ARRAY_SIZE(on));
	assert_int_equal(fx_generate_pair(open, session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub, &priv,
					  &pub_handle, &login_key), CKR_OK);
}

static s64 step(struct luna_open *o, u32 s, u32 nr, u32 handle, const u8 *in, u32 in_len, u8 *out,
		u32 *out_len)
{
	struct luna_blob arg = { .hdr.session = s, .handle = handle, .role = CKU_USER };

	*out_len = ROOM;
	return fx_blob(o, nr, &arg, in, in_len, out, out_len);
}

/* A challenge whose E is known: 32 bytes of 0x45. */
static void ha_begin(void)
{
	u8 twc[ROOM], e[32];
	u32 len, none = LUNA_OUT_QUERY;

	make_login_key();
	assert_int_equal(fx_blob(open, LUNA_HA_INIT, &(struct luna_blob){ .hdr.session = session,
				 .handle = login_key }, NULL, 0, NULL, &none), CKR_OK);
	other = luna_open(fx.token);
	assert_int_equal(fx_session(other, true, &other_session), CKR_OK);
	assert_int_equal(step(open, session, LUNA_HA_MASTER_PUBLIC, 0, NULL, 0, twc, &len), CKR_OK);
	memset(e, 0x45, sizeof(e));
	fakerng_next(e, sizeof(e));
	assert_int_equal(step(other, other_session, LUNA_HA_CHALLENGE, 0, twc, len, challenge,
			      &challenge_len), CKR_OK);
}

static s64 ha_answer(void)
{
	return step(open, session, LUNA_HA_ANSWER, login_key, challenge, challenge_len, answer,
		    &answer_len);
}

enum { AT_W = 58, AT_E = AT_W + K + 2, AT_MAC = AT_E + K };

/* The MAC of PROTOCOLS.md: HKDF-SHA256 of E under its label, HMAC of all before. */
static void ha_remac(void)
{
	static const u8 label[] = "luna ha1 challenge mac";
	u8 e[32], *key = test_malloc(32), *mac = test_malloc(32);

	memset(e, 0x45, sizeof(e));
	assert_int_equal(luna_hkdf(&ops, LUNA_SHA256, e, sizeof(e), NULL, 0, label,
				   sizeof(label) - 1, key, 32), 0);
	assert_int_equal(luna_mac_once(&ops, LUNA_HMAC + LUNA_SHA256, key, 32, challenge, AT_MAC,
				       mac), 0);
	memcpy(challenge + AT_MAC, mac, 32);
	test_free(key);
	test_free(mac);
}

/* E with a bad padding is what E of anybody else is: the MAC does not fit. */
static void test_ha_e(void **state __maybe_unused)
{
	struct luna_rsa_made *twc = vector_rsa("source");
	struct luna_rsa_nums nums = { .n = { twc->n, K }, .e = { f4, sizeof(f4) } };
	struct luna_rsa_key *key = ops.rsa_key(&nums);
	u8 em[K];
	u32 i;

	ha_begin();
	assert_int_equal(challenge_len, AT_MAC + 32);
	assert_int_equal(ha_answer(), CKR_OK);
	assert_true(bad_padding(0, em, 32));
	em[0] = 0;
	encrypt_raw(key, em, challenge + AT_E);	/* padded well, but another E */
	assert_int_equal(ha_answer(), CKR_DATA_INVALID);
	for (i = 0; bad_padding(i, em, 32); i++) {
		encrypt_raw(key, em, challenge + AT_E);
		assert_int_equal(ha_answer(), CKR_DATA_INVALID);
	}
	ops.rsa_key_free(key);
	kfree_sensitive(twc);
	luna_release(other);
}

/* W with a bad padding is answered as any other is: the same length, the same answer to the same W. */
static void test_ha_w(void **state __maybe_unused)
{
	u8 em[K], again[ROOM];
	u32 i, len;

	ha_begin();
	ha_remac();
	assert_int_equal(ha_answer(), CKR_OK);	/* the control: this MAC is right */
	len = answer_len;
	for (i = 0; bad_padding(i, em, 32); i++) {
		encrypt_raw(raw, em, challenge + AT_W);
		ha_remac();
		assert_int_equal(ha_answer(), CKR_OK);
		assert_int_equal(answer_len, len);
		memcpy(again, answer, len);
		assert_int_equal(ha_answer(), CKR_OK);
		assert_memory_equal(again, answer, len);
		assert_int_equal(step(other, other_session, LUNA_HA_LOGIN, 0, answer, len, again,
				      &len), CKR_ENCRYPTED_DATA_INVALID);
		len = answer_len;
	}
	luna_release(other);
}

/* ---- IVs that the token draws ---- */

static u32 aes_key(void)
{
	struct fx_tmpl t = { 0 };
	u32 handle;

	fx_attr_ulong(&t, CKA_VALUE_LEN, 32);
	fx_attr_bool(&t, CKA_ENCRYPT, true);
	fx_attr_bool(&t, CKA_DECRYPT, true);
	assert_int_equal(fx_generate_key(open, session, CKM_AES_KEY_GEN, &t, &handle), CKR_OK);
	return handle;
}

static void test_drawn_iv(void **state __maybe_unused)
{
	static const struct luna_gcm_param drawn = { .tag_bits = 128 };
	enum { TIMES = 64, IV = 16, OUT = 4 + 16 + IV };
	u32 key = aes_key(), len, i, k;
	u8 out[TIMES][64];

	for (i = 0; i < TIMES; i++) {
		len = sizeof(out[i]);
		assert_int_equal(fx_op(open, session, LUNA_OP_ENCRYPT, CKM_AES_GCM, key, &drawn,
				       sizeof(drawn), "same", 4, NULL, 0, out[i], &len), CKR_OK);
		assert_int_equal(len, OUT);
		for (k = 0; k < i; k++)
			assert_memory_not_equal(out[i] + OUT - IV, out[k] + OUT - IV, IV);
	}
	/* Without chance there is no IV, and no encryption with one of before. */
	fakerng_fail(1);
	len = sizeof(out[0]);
	assert_int_equal(fx_op(open, session, LUNA_OP_ENCRYPT, CKM_AES_GCM, key, &drawn,
			       sizeof(drawn), "same", 4, NULL, 0, out[0], &len), CKR_DEVICE_ERROR);
	assert_int_equal(fx_op(open, session, LUNA_OP_DECRYPT, CKM_AES_GCM, key, &drawn,
			       sizeof(drawn), out[1], OUT - IV, NULL, 0, out[0], &len),
			 CKR_MECHANISM_PARAM_INVALID);
}

/* A drawn IV serves one message: the operation has ended with it. */
static void test_drawn_iv_once(void **state __maybe_unused)
{
	static const struct luna_gcm_param drawn = { .tag_bits = 128 };
	struct luna_op arg = { .hdr.session = session, .op = LUNA_OP_ENCRYPT,
			       .step = LUNA_STEP_ONESHOT, .data_len = 4, .total = 4, .out_max = 64 };
	u32 key = aes_key(), len = 64;
	u8 out[64];

	assert_int_equal(fx_op(open, session, LUNA_OP_ENCRYPT, CKM_AES_GCM, key, &drawn,
			       sizeof(drawn), "same", 4, NULL, 0, out, &len), CKR_OK);
	assert_int_equal(fx_call(open, LUNA_OP, &arg, sizeof(arg), "more", 4, NULL, NULL),
			 CKR_OPERATION_NOT_INITIALIZED);
}

/* ---- weak RSA keys ---- */

static const struct weak {
	const char *what;
	u32 n_len;
	u8 n_last;		/* or 0: that of a good key */
	u8 e[4];
	u32 e_len;
} weak_keys[] = {
	{ "e = 1", K, 0, { 1 }, 1 },
	{ "e = 1 with leading zeros", K, 0, { 0, 0, 1 }, 3 },
	{ "e = 0", K, 0, { 0 }, 1 },
	{ "e = 2", K, 0, { 2 }, 1 },
	{ "e = 65536", K, 0, { 1, 0, 0 }, 3 },
	{ "an even modulus", K, 2, { 1, 0, 1 }, 3 },
	{ "a modulus of 504 bits", 63, 0, { 1, 0, 1 }, 3 },
	{ "a modulus of 8 bits", 1, 0, { 3 }, 1 },
};

static void weak_template(const struct weak *w, bool hidden, struct fx_tmpl *t)
{
	u8 n[K];

	memcpy(n, made->n, K);
	n[w->n_len - 1] = w->n_last ?: made->n[K - 1];
	t->len = 0;
	fx_attr_ulong(t, CKA_CLASS, hidden ? CKO_PRIVATE_KEY : CKO_PUBLIC_KEY);
	fx_attr_ulong(t, CKA_KEY_TYPE, CKK_RSA);
	fx_attr(t, CKA_MODULUS, n, w->n_len);
	fx_attr(t, CKA_PUBLIC_EXPONENT, w->e, w->e_len);
	if (hidden)
		fx_attr(t, CKA_PRIVATE_EXPONENT, made->d, w->n_len);
}

static void test_weak_import(void **state __maybe_unused)
{
	static const struct weak good = { "a good key", K, 0, { 1, 0, 1 }, 3 };
	struct fx_tmpl t;
	u32 handle, i, hidden;
	s64 rv;

	for (hidden = 0; hidden < 2; hidden++) {
		weak_template(&good, hidden, &t);
		assert_int_equal(fx_create(open, session, &t, &handle), CKR_OK);
		for (i = 0; i < ARRAY_SIZE(weak_keys); i++) {
			weak_template(&weak_keys[i], hidden, &t);
			rv = fx_create(open, session, &t, &handle);
			if (rv != CKR_ATTRIBUTE_VALUE_INVALID)
				fail_msg("%s: %#llx", weak_keys[i].what, (unsigned long long)rv);
		}
	}
}

static u32 wrapping_key(void)
{
	static const u32 on[] = { CKA_ENCRYPT, CKA_UNWRAP };
	struct fx_tmpl t = { 0 };
	u32 handle;

	fx_attr_ulong(&t, CKA_VALUE_LEN, 32);
	attrs(&t, true, on, ARRAY_SIZE(on));
	assert_int_equal(fx_generate_key(open, session, CKM_AES_KEY_GEN, &t, &handle), CKR_OK);
	return handle;
}

/* A PrivateKeyInfo made by whoever has the wrapping key. */
static s64 unwrap_private(u32 key, const u8 *der, u32 der_len)
{
	static const u8 iv[16];
	struct luna_key arg = { .hdr.session = session, .mechanism = CKM_AES_CBC_PAD, .key = key,
				.param_len = sizeof(iv) };
	u8 *cipher = test_malloc(ROOM), *payload = test_malloc(2 * ROOM);
	struct fx_tmpl t = { 0 };
	u32 len = ROOM;
	s64 rv;

	assert_int_equal(fx_op(open, session, LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, key, iv, sizeof(iv),
			       der, der_len, NULL, 0, cipher, &len), CKR_OK);
	fx_attr_ulong(&t, CKA_CLASS, CKO_PRIVATE_KEY);
	fx_attr_ulong(&t, CKA_KEY_TYPE, CKK_RSA);
	arg.template_len = t.len;
	arg.data_len = len;
	memcpy(payload, iv, sizeof(iv));
	memcpy(payload + sizeof(iv), t.data, t.len);
	memcpy(payload + sizeof(iv) + t.len, cipher, len);
	rv = fx_call(open, LUNA_UNWRAP, &arg, sizeof(arg), payload, sizeof(iv) + t.len + len, NULL,
		     NULL);
	test_free(cipher);
	test_free(payload);
	return rv;
}

static void test_weak_unwrap(void **state __maybe_unused)
{
	struct luna_der_rsa key = {
		.n = { made->n, K }, .e = { f4, sizeof(f4) }, .d = { made->d, K },
		.p = { made->p, K / 2 }, .q = { made->q, K / 2 }, .dp = { made->dp, K / 2 },
		.dq = { made->dq, K / 2 }, .qi = { made->qi, K / 2 },
	};
	u32 wrapping = wrapping_key(), i;
	u8 *der = test_malloc(ROOM), n[K];
	s64 rv;

	assert_int_equal(unwrap_private(wrapping, der,
					luna_der_pkcs8_rsa(&key, der, ROOM)), CKR_OK);
	for (i = 0; i < ARRAY_SIZE(weak_keys); i++) {
		memcpy(n, made->n, K);
		n[weak_keys[i].n_len - 1] = weak_keys[i].n_last ?: made->n[K - 1];
		key.n = (struct luna_num){ n, weak_keys[i].n_len };
		key.e = (struct luna_num){ weak_keys[i].e, weak_keys[i].e_len };
		rv = unwrap_private(wrapping, der, luna_der_pkcs8_rsa(&key, der, ROOM));
		if (rv != CKR_WRAPPED_KEY_INVALID && rv != CKR_ATTRIBUTE_VALUE_INVALID)
			fail_msg("%s: %#llx", weak_keys[i].what, (unsigned long long)rv);
	}
	test_free(der);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_decrypt),
		TEST(test_unwrap),
		TEST(test_ha_e),
		TEST(test_ha_w),
		TEST(test_drawn_iv),
		TEST(test_drawn_iv_once),
		TEST(test_weak_import),
		TEST(test_weak_unwrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
