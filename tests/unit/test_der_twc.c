// SPDX-License-Identifier: MIT
/*
 * DER key formats and the token wrapping certificate, with OpenSSL on the other side: it must read
 * what we write, and what is not exactly that, we must refuse.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "der.h"
#include "engine_fixture.h"

static const struct luna_crypto_ops *ops = &luna_openssl_ops;

enum { DER_MAX = 8192 };

/* ---- keys ---- */

static struct luna_rsa_made *made_new(u32 bits)
{
	static const u8 e[] = { 1, 0, 1 };
	struct luna_rsa_made *made = ops->rsa_generate(bits, e, sizeof(e));

	assert_false(IS_ERR(made));
	return made;
}

static struct luna_der_rsa made_key(const struct luna_rsa_made *made)
{
	static const u8 e[] = { 1, 0, 1 };
	u32 whole = made->bits / 8, half = made->bits / 16;

	return (struct luna_der_rsa){
		.n = { made->n, whole }, .e = { e, sizeof(e) }, .d = { made->d, whole },
		.p = { made->p, half }, .q = { made->q, half }, .dp = { made->dp, half },
		.dq = { made->dq, half }, .qi = { made->qi, half },
	};
}

static void assert_num(const struct luna_num *a, const struct luna_num *b)
{
	u32 skip = 0;

	while (skip < b->len && !b->data[skip])
		skip++;
	assert_int_equal(a->len, b->len - skip);
	assert_memory_equal(a->data, b->data + skip, a->len);
}

static void assert_key(const struct luna_der_rsa *a, const struct luna_der_rsa *b)
{
	assert_num(&a->n, &b->n);
	assert_num(&a->e, &b->e);
	assert_num(&a->d, &b->d);
	assert_num(&a->p, &b->p);
	assert_num(&a->q, &b->q);
	assert_num(&a->dp, &b->dp);
	assert_num(&a->dq, &b->dq);
	assert_num(&a->qi, &b->qi);
}

struct format {
	int (*write)(const struct luna_der_rsa *key, u8 *out, u32 room);
	int (*parse)(const u8 *der, u32 len, struct luna_der_rsa *key);
};

static const struct format formats[] = {
	{ luna_der_rsa_private, luna_der_rsa_private_parse },
	{ luna_der_pkcs8_rsa, luna_der_pkcs8_rsa_parse },
};

/* Parses from a buffer of the exact size. */
static int parse_exact(const struct format *f, const u8 *der, u32 len)
{
	u8 *copy = test_malloc(len ?: 1);
	struct luna_der_rsa key;
	int err;

	memcpy(copy, der, len);
	err = f->parse(copy, len, &key);
	test_free(copy);
	return err;
}

/* OpenSSL takes the key for a valid one, and writes the very same bytes. */
static void check_openssl(const u8 *der, int len)
{
	const u8 *at = der;
	EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &at, len);
	EVP_PKEY_CTX *ctx;
	u8 *again = NULL;
	int again_len;

	assert_non_null(pkey);
	assert_ptr_equal(at, der + len);
	ctx = EVP_PKEY_CTX_new(pkey, NULL);
	assert_int_equal(EVP_PKEY_check(ctx), 1);
	EVP_PKEY_CTX_free(ctx);
	again_len = i2d_PrivateKey(pkey, &again);
	if (again_len != len) {
		PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);

		OPENSSL_free(again);
		again = NULL;
		again_len = i2d_PKCS8_PRIV_KEY_INFO(p8, &again);
		PKCS8_PRIV_KEY_INFO_free(p8);
	}
	assert_int_equal(again_len, len);
	assert_memory_equal(again, der, len);
	OPENSSL_free(again);
	EVP_PKEY_free(pkey);
}

static void check_format(const struct format *f, const struct luna_der_rsa *key)
{
	struct luna_der_rsa read, partial = *key;
	u8 *der = test_malloc(DER_MAX);
	int len = f->write(key, NULL, 0), i;

	assert_in_range(len, 300, DER_MAX);
	assert_int_equal(f->write(key, der, len - 1), -ENOSPC);
	assert_int_equal(f->write(key, der, len), len);
	check_openssl(der, len);
	assert_int_equal(f->parse(der, len, &read), 0);
	assert_key(&read, key);
	for (i = 0; i < len; i++)
		assert_int_equal(parse_exact(f, der, i), -EBADMSG);
	der[len] = 0;
	assert_int_equal(parse_exact(f, der, len + 1), -EBADMSG);
	assert_int_equal(luna_der_size(der, len + 1), len);
	for (i = 0; i < 64; i++) {	/* headers: whatever it says, no byte too many is read */
		for (int v = 0; v < 256; v++) {
			u8 kept = der[i];

			der[i] = v;
			parse_exact(f, der, len);
			der[i] = kept;
		}
	}
	partial.qi.len = 0;
	assert_int_equal(f->write(&partial, der, DER_MAX), -EINVAL);
	test_free(der);
}

static void test_keys(void **state __maybe_unused)
{
	static const u32 sizes[] = { 512, 1024, 2048 };

	for (size_t s = 0; s < ARRAY_SIZE(sizes); s++) {
		struct luna_rsa_made *made = made_new(sizes[s]);
		struct luna_der_rsa key = made_key(made);

		for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
			check_format(&formats[i], &key);
		kfree_sensitive(made);
	}
}

static void test_public(void **state __maybe_unused)
{
	struct luna_rsa_made *made = made_new(1024);
	struct luna_der_rsa key = made_key(made);
	u8 der[256];
	const u8 *at = der;
	int len = luna_der_rsa_public(&key.n, &key.e, der, sizeof(der));
	EVP_PKEY *pkey;

	assert_int_equal(len, luna_der_rsa_public(&key.n, &key.e, NULL, 0));
	assert_int_equal(luna_der_rsa_public(&key.n, &key.e, der, len - 1), -ENOSPC);
	len = luna_der_rsa_public(&key.n, &key.e, der, sizeof(der));
	pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, len);
	assert_non_null(pkey);
	assert_int_equal(EVP_PKEY_get_bits(pkey), 1024);
	EVP_PKEY_free(pkey);
	kfree_sensitive(made);
}

/* Numbers and lengths that BER allows and DER does not */
static void test_strict(void **state __maybe_unused)
{
	static const struct {
		u8 der[8];
		u32 len;
		bool good;
	} cases[] = {
		{ { 2, 1, 0 }, 3, true },
		{ { 2, 1, 0x7f }, 3, true },
		{ { 2, 2, 0, 0x80 }, 4, true },
		{ { 2, 0 }, 2, false },
		{ { 2, 1, 0x80 }, 3, false },			/* negative */
		{ { 2, 2, 0, 0x7f }, 4, false },		/* not minimal */
		{ { 2, 2, 0, 0 }, 4, false },
		{ { 2, 0x81, 1, 5 }, 4, false },		/* long form of a short length */
		{ { 2, 0x82, 0, 1, 5 }, 5, false },
		{ { 2, 0x80, 5, 0, 0 }, 5, false },		/* indefinite */
		{ { 2, 0x83, 0, 0, 1, 5 }, 6, false },
		{ { 2, 2, 5 }, 3, false },			/* beyond the end */
		{ { 3, 1, 5 }, 3, false },
		{ { 2 }, 1, false },
		{ { 2, 0x81 }, 2, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct luna_rd rd;
		struct luna_num num;

		luna_rd_init(&rd, cases[i].der, cases[i].len);
		luna_der_uint(&rd, &num);
		assert_int_equal(luna_rd_done(&rd), cases[i].good);
		if (!cases[i].good)
			assert_int_equal(num.len, 0);
	}
}

/* ---- certificates ---- */

static u64 now;

static u64 fake_now(void)
{
	return now;
}

struct twc {
	struct fx fx;
	struct luna_state *state;
	struct luna_secrets *secrets;
};

static void twc_new(struct twc *t, u64 when)
{
	struct luna_state *state = kzalloc(sizeof(*state), GFP_KERNEL);

	now = when;
	fx_open(&t->fx, NULL, 0);
	t->fx.token->config.now = fake_now;
	t->state = state;
	t->secrets = kzalloc(sizeof(*t->secrets), GFP_KERNEL);
	assert_non_null(state);
	assert_non_null(t->secrets);
	memcpy(state->serial, "1234567890      ", LUNA_SERIAL_LEN);
	assert_int_equal(luna_twc_make(t->fx.token, state, t->secrets), 0);
	assert_in_range(state->twc_len, 600, LUNA_TWC_MAX);
}

static void twc_free(struct twc *t)
{
	kfree(t->state);
	kfree_sensitive(t->secrets);
	fx_close(&t->fx);
}

static int parse_copy(struct twc *t, const u8 *twc, u32 len)
{
	u8 *copy = test_malloc(len ?: 1), serial[LUNA_SERIAL_LEN];
	struct luna_num n, e;
	int err;

	memcpy(copy, twc, len);
	err = luna_twc_parse(t->fx.token, copy, len, &n, &e, serial);
	test_free(copy);
	return err;
}

static X509 *twc_x509(const struct twc *t)
{
	const u8 *at = t->state->twc;
	X509 *x509 = d2i_X509(NULL, &at, t->state->twc_len);

	assert_non_null(x509);
	assert_ptr_equal(at, t->state->twc + t->state->twc_len);
	return x509;
}

static void test_twc(void **state __maybe_unused)
{
	struct luna_der_rsa key;
	struct luna_num n, e;
	u8 serial[LUNA_SERIAL_LEN];
	struct twc t;

	twc_new(&t, 1800000000);
	assert_int_equal(luna_twc_parse(t.fx.token, t.state->twc, t.state->twc_len, &n, &e, serial),
			 0);
	assert_memory_equal(serial, t.state->serial, sizeof(serial));
	assert_in_range((uintptr_t)n.data, (uintptr_t)t.state->twc,
			(uintptr_t)t.state->twc + t.state->twc_len);
	assert_int_equal(n.len, LUNA_TWC_BITS / 8);
	assert_int_equal(
		luna_der_rsa_private_parse(t.secrets->twc_key, t.secrets->twc_key_len, &key), 0);
	assert_num(&n, &key.n);
	assert_num(&e, &key.e);
	twc_free(&t);
}

/* What OpenSSL sees: a valid self-signed certificate with the right names and extensions */
static void test_twc_openssl(void **state __maybe_unused)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_STORE *store = X509_STORE_new();
	char name[128];
	struct twc t;
	X509 *x509;

	twc_new(&t, 1800000000);
	x509 = twc_x509(&t);
	assert_int_equal(X509_verify(x509, X509_get0_pubkey(x509)), 1);
	assert_int_equal(X509_self_signed(x509, 1), 1);
	assert_int_equal(X509_get_version(x509), X509_VERSION_3);
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_commonName, name,
					      sizeof(name)) > 0);
	assert_string_equal(name, "Luna TWC 1234567890");
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(x509), X509_get_issuer_name(x509)), 0);
	assert_int_equal(X509_get_key_usage(x509), KU_KEY_ENCIPHERMENT);
	assert_int_equal(X509_check_ca(x509), 0);
	assert_int_equal(X509_STORE_add_cert(store, x509), 1);
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_X509_STRICT);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, x509, NULL), 1);
	X509_STORE_CTX_set_time(ctx, 0, now + 1);
	assert_int_equal(X509_verify_cert(ctx), 1);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	X509_free(x509);
	twc_free(&t);
}

static void test_twc_times(void **state __maybe_unused)
{
	static const struct {
		u64 when;
		const char *text;
		int type;
	} cases[] = {
		{ 0, "700101000000Z", V_ASN1_UTCTIME },
		{ 951868800, "000301000000Z", V_ASN1_UTCTIME },
		{ 2524607999, "491231235959Z", V_ASN1_UTCTIME },
		{ 2524608000, "20500101000000Z", V_ASN1_GENERALIZEDTIME },
		{ U64_MAX, "99991231235959Z", V_ASN1_GENERALIZEDTIME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const ASN1_TIME *begin;
		struct twc t;
		X509 *x509;

		twc_new(&t, cases[i].when);
		x509 = twc_x509(&t);
		begin = X509_get0_notBefore(x509);
		assert_int_equal(ASN1_STRING_type(begin), cases[i].type);
		assert_string_equal((const char *)ASN1_STRING_get0_data(begin), cases[i].text);
		assert_int_equal(parse_copy(&t, t.state->twc, t.state->twc_len), 0);
		X509_free(x509);
		twc_free(&t);
	}
}

static void test_twc_damaged(void **state __maybe_unused)
{
	struct twc t;
	u32 i;

	twc_new(&t, 1800000000);
	for (i = 0; i < t.state->twc_len; i++) {
		assert_int_equal(parse_copy(&t, t.state->twc, i), -EBADMSG);
		t.state->twc[i] ^= 1 << i % 8;
		assert_int_equal(parse_copy(&t, t.state->twc, t.state->twc_len), -EBADMSG);
		t.state->twc[i] ^= 1 << i % 8;
	}
	t.state->twc[i] = 0;
	assert_int_equal(parse_copy(&t, t.state->twc, i + 1), -EBADMSG);
	assert_int_equal(parse_copy(&t, t.state->twc, i), 0);
	twc_free(&t);
}

/* A good certificate of somebody else's making is not a TWC. */
static void test_twc_foreign(void **state __maybe_unused)
{
	EVP_PKEY *pkey = EVP_RSA_gen(2048);
	X509 *x509;
	u8 *der = NULL;
	struct twc t;
	int len;

	twc_new(&t, 1800000000);
	x509 = twc_x509(&t);
	assert_int_equal(X509_set_pubkey(x509, pkey), 1);
	assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);
	len = i2d_X509(x509, &der);
	assert_int_equal(parse_copy(&t, der, len), 0);	/* but for the key, it is one */
	OPENSSL_free(der);
	der = NULL;
	assert_true(X509_sign(x509, pkey, EVP_sha512()) > 0);
	len = i2d_X509(x509, &der);
	assert_int_equal(parse_copy(&t, der, len), -EBADMSG);
	OPENSSL_free(der);
	der = NULL;
	X509_gmtime_adj(X509_getm_notAfter(x509), 1000);
	assert_true(X509_sign(x509, pkey, EVP_sha256()) > 0);
	len = i2d_X509(x509, &der);
	assert_int_equal(parse_copy(&t, der, len), -EBADMSG);
	OPENSSL_free(der);
	X509_free(x509);
	EVP_PKEY_free(pkey);
	twc_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_public),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_twc),
		cmocka_unit_test(test_twc_openssl),
		cmocka_unit_test(test_twc_times),
		cmocka_unit_test(test_twc_damaged),
		cmocka_unit_test(test_twc_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
