// SPDX-License-Identifier: MIT
/*
 * Out of memory at every place: one scenario over two tokens is run again and again, with the n-th
 * allocation failing, until n is beyond the last one. Wherever it fails, the command says that memory
 * ran out, nothing leaks, and the same tokens then carry the whole scenario.
 *
 * Twice: a single failure, and a failure of everything from the n-th on, which rollbacks meet too.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "log_sink.h"

enum { SOURCE, TARGET, TOKENS };

/* What a run has built up so far; the stores outlive it. */
struct world {
	struct memstore *stores[TOKENS];
	const struct luna_crypto_ops *crypto;
	struct fx fx[TOKENS];
	struct luna_open *open[TOKENS];
	u32 session[TOKENS];
	u32 aes, rsa_public, rsa_private, clone;
	u8 cipher[64];
	u32 cipher_len;
	u8 signature[128];
	u32 signature_len;
};

static const u8 iv[16] = { 1, 2, 3 };
static const u8 text[] = "the quick brown fox jumps over the lazy dog";

static s64 open_token(struct world *w, int i)
{
	struct fx *fx = &w->fx[i];

	fx->config = (struct luna_config){ .slot = i, .host = "unit test", .pin_iterations = 1 };
	fx->token = luna_token_open(&fx->config, w->crypto, &memstore_ops, w->stores[i]);
	if (!IS_ERR(fx->token))
		return CKR_OK;
	assert_int_equal(PTR_ERR(fx->token), -ENOMEM);
	fx->token = NULL;
	return -ENOMEM;
}

static s64 open_tokens(struct world *w)
{
	return open_token(w, SOURCE) ?: open_token(w, TARGET);
}

static s64 make_ready(struct world *w)
{
	return fx_ready(&w->fx[SOURCE], &w->open[SOURCE], &w->session[SOURCE]) ?:
	       fx_ready(&w->fx[TARGET], &w->open[TARGET], &w->session[TARGET]);
}

static s64 generate_aes(struct world *w)
{
	struct fx_tmpl tmpl = { 0 };

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, true);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, true);
	fx_attr_bool(&tmpl, CKA_MODIFIABLE, true);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	fx_attr_bool(&tmpl, CKA_DECRYPT, true);
	fx_attr_bool(&tmpl, CKA_DERIVE, true);
	fx_attr_text(&tmpl, CKA_LABEL, "aes");
	return fx_generate_key(w->open[SOURCE], w->session[SOURCE], CKM_AES_KEY_GEN, &tmpl, &w->aes);
}

static s64 generate_rsa(struct world *w)
{
	static const u8 e[] = { 1, 0, 1 };
	struct fx_tmpl pub = { 0 }, priv = { 0 };

	fx_attr_ulong(&pub, CKA_MODULUS_BITS, 1024);
	fx_attr(&pub, CKA_PUBLIC_EXPONENT, e, sizeof(e));
	fx_attr_bool(&pub, CKA_TOKEN, true);
	fx_attr_bool(&pub, CKA_VERIFY, true);
	fx_attr_bool(&priv, CKA_TOKEN, true);
	fx_attr_bool(&priv, CKA_PRIVATE, true);
	fx_attr_bool(&priv, CKA_SIGN, true);
	fx_attr_text(&priv, CKA_LABEL, "rsa");
	return fx_generate_pair(w->open[SOURCE], w->session[SOURCE], CKM_RSA_PKCS_KEY_PAIR_GEN, &pub,
				&priv, &w->rsa_public, &w->rsa_private);
}

static s64 encrypt(struct world *w)
{
	w->cipher_len = sizeof(w->cipher);
	return fx_op(w->open[SOURCE], w->session[SOURCE], LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, w->aes, iv,
		     sizeof(iv), text, sizeof(text), NULL, 0, w->cipher, &w->cipher_len);
}

static s64 derive(struct world *w)
{
	const struct luna_hkdf_param hkdf = {
		.flags = LUNA_HKDF_EXTRACT | LUNA_HKDF_EXPAND, .hash = CKM_SHA256,
		.salt_type = CKF_HKDF_SALT_NULL,
	};
	const struct luna_prf_kdf_param prf = { .prf = CK_NIST_PRF_KDF_HMAC_SHA256, .counter = 1 };
	struct luna_key_param other = { };
	struct fx_tmpl tmpl = { 0 };
	u32 first, second, third;
	s64 ret;

	fx_attr_bool(&tmpl, CKA_DERIVE, true);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	ret = fx_derive(w->open[SOURCE], w->session[SOURCE], CKM_AES_CBC_ENCRYPT_DATA, text,
			2 * LUNA_AES_BLOCK, w->aes, &tmpl, &first);
	if (ret)
		return ret;
	ret = fx_derive(w->open[SOURCE], w->session[SOURCE], CKM_SHA256_KEY_DERIVATION, NULL, 0,
			first, &tmpl, &second);
	other.key = second;
	if (ret)
		return ret;
	ret = fx_derive(w->open[SOURCE], w->session[SOURCE], CKM_CONCATENATE_BASE_AND_KEY, &other,
			sizeof(other), first, &tmpl, &third);
	if (ret)
		return ret;
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 40);
	ret = fx_derive(w->open[SOURCE], w->session[SOURCE], CKM_HKDF_DERIVE, &hkdf, sizeof(hkdf),
			first, &tmpl, &third);
	return ret ?: fx_derive(w->open[SOURCE], w->session[SOURCE], CKM_PRF_KDF, &prf, sizeof(prf),
				first, &tmpl, &third);
}

/* Longer than one command in both directions: staged on the way in, fetched on the way out. */
static s64 encrypt_long(struct world *w)
{
	enum { LONG = 40000 };
	u8 *in = test_calloc(1, LONG), *out = test_malloc(LONG + LUNA_AES_BLOCK);
	u32 len = LONG + LUNA_AES_BLOCK;
	s64 ret;

	ret = fx_op(w->open[SOURCE], w->session[SOURCE], LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, w->aes, iv,
		    sizeof(iv), in, LONG, NULL, 0, out, &len);
	if (!ret)
		assert_int_equal(len, LONG + LUNA_AES_BLOCK);
	test_free(in);
	test_free(out);
	return ret;
}

static s64 sign(struct world *w)
{
	w->signature_len = sizeof(w->signature);
	return fx_op(w->open[SOURCE], w->session[SOURCE], LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS,
		     w->rsa_private, NULL, 0, text, sizeof(text), NULL, 0, w->signature,
		     &w->signature_len);
}

static s64 verify(struct world *w)
{
	return fx_op(w->open[SOURCE], w->session[SOURCE], LUNA_OP_VERIFY, CKM_SHA256_RSA_PKCS,
		     w->rsa_public, NULL, 0, text, sizeof(text), w->signature, w->signature_len, NULL,
		     NULL);
}

static const u8 p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 };

/* The public half of a pair, as one that comes from elsewhere */
static s64 import_point(struct world *w, u32 public, u32 *copy)
{
	struct fx_tmpl tmpl = { 0 };
	u32 len = LUNA_EC_POINT_MAX;
	u8 point[LUNA_EC_POINT_MAX];
	s64 ret;

	ret = fx_attr_get(w->open[SOURCE], w->session[SOURCE], public, CKA_EC_POINT, point, &len);
	if (ret)
		return ret;
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_PUBLIC_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_EC);
	fx_attr(&tmpl, CKA_EC_PARAMS, p256, sizeof(p256));
	fx_attr(&tmpl, CKA_EC_POINT, point, len);
	return fx_create(w->open[SOURCE], w->session[SOURCE], &tmpl, copy);
}

static s64 elliptic(struct world *w)
{
	struct luna_open *open = w->open[SOURCE];
	struct fx_tmpl pub = { 0 }, priv = { 0 };
	u32 session = w->session[SOURCE], public, private, copy, len = 64;
	u8 sig[64];
	s64 ret;

	fx_attr(&pub, CKA_EC_PARAMS, p256, sizeof(p256));
	fx_attr_bool(&priv, CKA_PRIVATE, true);
	ret = fx_generate_pair(open, session, CKM_EC_KEY_PAIR_GEN, &pub, &priv, &public, &private) ?:
	      fx_op(open, session, LUNA_OP_SIGN, CKM_ECDSA_SHA256, private, NULL, 0, text,
		    sizeof(text), NULL, 0, sig, &len);
	if (ret)
		return ret;
	assert_int_equal(len, sizeof(sig));
	return import_point(w, public, &copy) ?:
	       fx_op(open, session, LUNA_OP_VERIFY, CKM_ECDSA_SHA256, copy, NULL, 0, text,
		     sizeof(text), sig, len, NULL, NULL);
}

static s64 digest(struct world *w)
{
	u8 out[32];
	u32 len = sizeof(out);

	return fx_op(w->open[SOURCE], w->session[SOURCE], LUNA_OP_DIGEST, CKM_SHA256, 0, NULL, 0, text,
		     sizeof(text), NULL, 0, out, &len);
}

static s64 find_one(struct world *w, const char *label, u32 expected)
{
	struct fx_tmpl tmpl = { 0 };
	u32 handles[4], count;
	s64 ret;

	fx_attr_text(&tmpl, CKA_LABEL, label);
	ret = fx_find(w->open[SOURCE], w->session[SOURCE], &tmpl, handles, ARRAY_SIZE(handles), &count);
	if (ret)
		return ret;
	assert_int_equal(count, 1);
	assert_int_equal(handles[0], expected);
	return CKR_OK;
}

static s64 find(struct world *w)
{
	return find_one(w, "aes", w->aes) ?: find_one(w, "rsa", w->rsa_private);
}

static s64 relabel(struct world *w)
{
	struct fx_tmpl tmpl = { 0 };
	char label[16];
	u32 len = sizeof(label);
	s64 ret;

	fx_attr_text(&tmpl, CKA_LABEL, "renamed");
	ret = fx_attr_set(w->open[SOURCE], w->session[SOURCE], w->aes, &tmpl) ?:
	      fx_attr_get(w->open[SOURCE], w->session[SOURCE], w->aes, CKA_LABEL, label, &len);
	if (ret)
		return ret;
	assert_int_equal(len, strlen("renamed"));
	assert_memory_equal(label, "renamed", len);
	return find_one(w, "renamed", w->aes);
}

static s64 clone(struct world *w)
{
	return fx_clone(w->open[SOURCE], w->session[SOURCE], w->open[TARGET], w->session[TARGET],
			w->aes, &w->clone);
}

static s64 decrypt_with(struct world *w, int token, u32 key)
{
	u8 out[sizeof(w->cipher)];
	u32 len = sizeof(out);
	s64 ret;

	ret = fx_op(w->open[token], w->session[token], LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, key, iv,
		    sizeof(iv), w->cipher, w->cipher_len, NULL, 0, out, &len);
	if (ret)
		return ret;
	assert_int_equal(len, sizeof(text));
	assert_memory_equal(out, text, len);
	return CKR_OK;
}

static s64 decrypt_with_clone(struct world *w)
{
	return decrypt_with(w, TARGET, w->clone);
}

static void release(struct world *w, int i)
{
	if (w->open[i])
		luna_release(w->open[i]);
	w->open[i] = NULL;
}

static void close_token(struct world *w, int i)
{
	release(w, i);
	if (w->fx[i].token)
		luna_token_close(w->fx[i].token);
	w->fx[i].token = NULL;
}

static s64 log_in_again(struct world *w, int i)
{
	struct luna_open *open = luna_open(w->fx[i].token);

	if (IS_ERR(open))
		return PTR_ERR(open);
	w->open[i] = open;
	return fx_session(open, true, &w->session[i]) ?:
	       fx_login(open, w->session[i], CKU_USER, FX_CO_PIN);
}

static s64 restart(struct world *w)
{
	s64 ret = fx_logout(w->open[SOURCE], w->session[SOURCE]);

	if (ret)
		return ret;
	close_token(w, SOURCE);
	return open_token(w, SOURCE) ?: log_in_again(w, SOURCE) ?:
	       find_one(w, "renamed", w->aes) ?: decrypt_with(w, SOURCE, w->aes);
}

static s64 app_step(struct luna_open *open, u32 step)
{
	struct luna_app_id arg = { .step = step, .id = { 7 } };

	return fx_call(open, LUNA_APP_ID, &arg, sizeof(arg), NULL, 0, NULL, NULL);
}

/* A login that a second open file uses. */
static s64 share(struct world *w)
{
	struct luna_open *open = luna_open(w->fx[TARGET].token);
	u32 session;
	s64 ret;

	if (IS_ERR(open))
		return PTR_ERR(open);
	ret = app_step(open, LUNA_APP_OPEN) ?: app_step(open, LUNA_APP_JOIN) ?:
	      fx_session(open, true, &session) ?: fx_login(open, session, CKU_USER, FX_CO_PIN);
	ret = ret ?: app_step(open, LUNA_APP_CLOSE);
	luna_release(open);
	return ret;
}

static s64 destroy(struct world *w)
{
	return fx_destroy(w->open[SOURCE], w->session[SOURCE], w->aes) ?:
	       fx_logout(w->open[TARGET], w->session[TARGET]) ?:
	       fx_session_close(w->open[TARGET], w->session[TARGET]);
}

static s64 seal_messages(struct world *w)
{
	u8 out[sizeof(text) + 16];

	return fx_messages(w->open[SOURCE], w->session[SOURCE], LUNA_OP_MESSAGE_ENCRYPT, CKM_AES_GCM,
			   w->aes, NULL, 0, text, sizeof(text), out, sizeof(out));
}

static s64 sign_messages(struct world *w)
{
	struct luna_pss_param pss = { .hash = CKM_SHA256, .mgf = CKG_MGF1_SHA256, .salt_len = 32 };
	u8 out[128];

	return fx_messages(w->open[SOURCE], w->session[SOURCE], LUNA_OP_MESSAGE_SIGN,
			   CKM_SHA256_RSA_PKCS_PSS, w->rsa_private, &pss, sizeof(pss), text,
			   sizeof(text), out, sizeof(out));
}

static const struct {
	const char *name;
	s64 (*run)(struct world *w);
} steps[] = {
	{ "open tokens", open_tokens },
	{ "initialise and log in", make_ready },
	{ "generate AES", generate_aes },
	{ "generate RSA", generate_rsa },
	{ "encrypt", encrypt },
	{ "derive", derive },
	{ "encrypt in pieces", encrypt_long },
	{ "sign", sign },
	{ "verify", verify },
	{ "EC", elliptic },
	{ "encrypt messages", seal_messages },
	{ "sign messages", sign_messages },
	{ "digest", digest },
	{ "find", find },
	{ "set and get attributes", relabel },
	{ "clone", clone },
	{ "decrypt with the clone", decrypt_with_clone },
	{ "close, load and log in", restart },
	{ "share a login", share },
	{ "destroy and log out", destroy },
};

static void take_down(struct world *w)
{
	close_token(w, SOURCE);
	close_token(w, TARGET);
}

/* Return: CKR_OK, or what the first step returned that did not succeed, *@failed */
static s64 run_steps(struct world *w, const char **failed)
{
	size_t i;
	s64 ret;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		ret = steps[i].run(w);
		*failed = steps[i].name;
		if (ret)
			return ret;
	}
	return CKR_OK;
}

static bool is_out_of_memory(s64 ret)
{
	return ret == -ENOMEM || ret == CKR_HOST_MEMORY || ret == CKR_DEVICE_MEMORY;
}

/*
 * One run with a failure, then two without on what it left: on the tokens as they are, if both are
 * open, and on the stores, loaded anew. Memory is counted after that, because a provider may keep what
 * it has for its next use: what it keeps after a run without failure is always the same.
 *
 * Return: whether the failure was met.
 */
static bool run_failing(struct world *w, u64 nth, u64 count)
{
	unsigned int warnings = port_warnings();
	const char *failed, *failed_then;
	u64 calls;
	s64 ret;

	port_alloc_watch();
	port_alloc_fail(nth, count);
	ret = run_steps(w, &failed);
	calls = port_alloc_calls();
	release(w, SOURCE);
	release(w, TARGET);
	port_alloc_fail(0, 0);
	if (ret && !is_out_of_memory(ret))
		fail_msg("allocation %llu failed: \"%s\" returned %#llx", (unsigned long long)nth,
			 failed, (unsigned long long)ret);
	if (w->fx[SOURCE].token && w->fx[TARGET].token) {
		ret = make_ready(w) ?: generate_aes(w) ?: encrypt(w) ?: clone(w) ?:
		      decrypt_with_clone(w);
		if (ret)
			fail_msg("after failed allocation %llu in \"%s\" the tokens return %#llx",
				 (unsigned long long)nth, failed, (unsigned long long)ret);
	}
	take_down(w);
	ret = run_steps(w, &failed_then);
	if (ret)
		fail_msg("after failed allocation %llu in \"%s\" the stores give %#llx in \"%s\"",
			 (unsigned long long)nth, failed, (unsigned long long)ret, failed_then);
	take_down(w);
	if (port_alloc_live())
		fail_msg("failed allocation %llu in \"%s\" leaks %lld", (unsigned long long)nth, failed,
			 (long long)port_alloc_live());
	port_alloc_unwatch();
	assert_int_equal(port_warnings(), warnings);
	return calls >= nth;
}

static void sweep(u64 count)
{
	const struct luna_crypto_ops *crypto = fakerng_quick_ops(&luna_openssl_ops, 1);
	struct world start = { .crypto = crypto };
	const char *failed;
	bool met = true;
	u64 nth;
	s64 ret;

	/* Once without failure, so that the provider has what it keeps for good. */
	start.stores[SOURCE] = memstore_new();
	start.stores[TARGET] = memstore_new();
	ret = run_steps(&start, &failed);
	if (ret)
		fail_msg("\"%s\" returned %#llx", failed, (unsigned long long)ret);
	take_down(&start);
	memstore_free(start.stores[SOURCE]);
	memstore_free(start.stores[TARGET]);
	for (nth = 1; met; nth++) {
		struct world w = { .crypto = crypto };

		w.stores[SOURCE] = memstore_new();
		w.stores[TARGET] = memstore_new();
		met = run_failing(&w, nth, count);
		memstore_free(w.stores[SOURCE]);
		memstore_free(w.stores[TARGET]);
	}
	print_message("# %llu allocations\n", (unsigned long long)nth - 2);
	assert_true(nth > ARRAY_SIZE(steps));
}

static void test_one_failure(void **state __maybe_unused)
{
	sweep(1);
}

static void test_lasting_failure(void **state __maybe_unused)
{
	sweep(U64_MAX);
}

static int listen(void **state __maybe_unused)
{
	port_log_sink(sink_warnings);
	return 0;
}

static int forget_keys(void **state __maybe_unused)
{
	port_log_sink(NULL);
	fakerng_forget_keys();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_failure),
		cmocka_unit_test(test_lasting_failure),
	};

	return cmocka_run_group_tests(tests, listen, forget_keys);
}
