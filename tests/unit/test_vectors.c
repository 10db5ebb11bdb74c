// SPDX-License-Identifier: MIT
/*
 * The messages of lib/token/PROTOCOLS.md and the store of FORMAT.md, byte by byte: with fixed keys, a
 * fixed clock and a fixed stream of random bytes the engine makes exactly the files of tests/vectors, which
 * tests/vectors/check.py verifies without the engine. LUNA_VECTORS_UPDATE=1 writes them anew;
 * LUNA_VECTORS is their directory.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "key.h"
#include "vector_file.h"

enum { ROOM = 8192, LOG_MAX = 8192, VECTOR = 48, NOW = 1767225600 };

struct message {
	u32 len;
	u8 data[ROOM];
};

/* What the engine drew since the last look. */
static u8 drawn[LOG_MAX];
static size_t drawn_len;

static const struct luna_crypto_ops *base;
static struct luna_crypto_ops ops;
static const char *const key_names[] = { "source", "target", "login" };
static size_t keys_used;

static struct fx source, target;
static struct luna_open *source_open, *target_open;
static u32 source_session, target_session;

static char *text;
static size_t text_len;
static FILE *out;

/* ---- files ---- */

static void note(const char *comment)
{
	fprintf(out, "# %s\n", comment);
}

static void put(const char *name, const void *data, size_t len)
{
	const u8 *p = data;

	fprintf(out, "%s = ", name);
	for (size_t i = 0; i < len; i++)
		fprintf(out, "%02x", p[i]);
	fputc('\n', out);
}

static void put_drawn(const char *name)
{
	put(name, drawn, drawn_len);
	drawn_len = 0;
}

static void file_begin(const char *title)
{
	out = open_memstream(&text, &text_len);
	assert_non_null(out);
	note(title);
	note("Made by test_vectors.c, described in lib/token/PROTOCOLS.md; keys in keys.txt.");
	fputc('\n', out);
}

static void file_end(const char *name)
{
	char *expected;
	FILE *f;

	fclose(out);
	if (getenv("LUNA_VECTORS_UPDATE")) {
		f = fopen(vector_path(name), "w");
		assert_non_null(f);
		fputs(text, f);
		fclose(f);
	}
	expected = vector_file(name);
	assert_string_equal(text, expected);
	test_free(expected);
	free(text);
}

/* ---- the provider ---- */

static int recorded_random(void *buf, size_t len)
{
	int err = base->random(buf, len);

	if (drawn_len + len <= sizeof(drawn))
		memcpy(drawn + drawn_len, buf, len);
	drawn_len = min(drawn_len + len, sizeof(drawn));
	return err;
}

static struct luna_rsa_made *fixed_rsa(u32 bits, const u8 *e, size_t e_len)
{
	assert_int_equal(bits, 2048);
	assert_int_equal(e_len, 3);
	assert_memory_equal(e, "\1\0\1", 3);
	return vector_rsa(key_names[keys_used++ % ARRAY_SIZE(key_names)]);
}

static u64 fixed_now(void)
{
	return NOW;
}

/* ---- two tokens ---- */

static void token_open(struct fx *fx, u32 slot, struct luna_open **open, u32 *session)
{
	fx_open(fx, &ops, slot);
	fx->config.now = fixed_now;
	fx_reopen(fx);
	assert_int_equal(fx_ready(fx, open, session), CKR_OK);
}

static int setup(void **state)
{
	base = fakerng_ops(&luna_openssl_ops, 20260101);
	ops = *base;
	ops.random = recorded_random;
	ops.rsa_generate = fixed_rsa;
	keys_used = 0;
	token_open(&source, 0, &source_open, &source_session);
	token_open(&target, 1, &target_open, &target_session);
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	luna_release(source_open);
	luna_release(target_open);
	fx_close(&source);
	fx_close(&target);
	(void)state;
	return 0;
}

static void step(struct luna_open *open, u32 session, u32 nr, struct luna_blob *arg,
		 const struct message *in, struct message *reply)
{
	u32 len = ROOM;

	arg->hdr = (struct luna_hdr){ .session = session };
	drawn_len = 0;
	assert_int_equal(fx_blob(open, nr, arg, in ? in->data : NULL, in ? in->len : 0,
				 reply ? reply->data : NULL, reply ? &len : NULL), CKR_OK);
	if (reply)
		reply->len = len;
}

static void put_tokens(void)
{
	put("source.serial", source.token->state->serial, LUNA_SERIAL_LEN);
	put("source.twc", source.token->state->twc, source.token->state->twc_len);
	put("target.serial", target.token->state->serial, LUNA_SERIAL_LEN);
	put("domain.string", FX_DOMAIN, strlen(FX_DOMAIN));
	put("domain.key", source.token->secrets->domain, LUNA_DOMAIN_LEN);
	fputc('\n', out);
}

/* ---- the vectors ---- */

static void test_twc(void **state __maybe_unused)
{
	struct luna_state *made = test_calloc(1, sizeof(*made));
	struct luna_secrets *secrets = test_calloc(1, sizeof(*secrets));

	file_begin("Token wrapping certificates");
	for (keys_used = 0; keys_used < 3; ) {
		char name[32];

		memcpy(made->serial, source.token->state->serial, LUNA_SERIAL_LEN);
		made->serial[0] = '1' + keys_used;
		note(key_names[keys_used]);
		drawn_len = 0;
		assert_int_equal(luna_twc_make(source.token, made, secrets), 0);
		snprintf(name, sizeof(name), "%s.serial", key_names[keys_used - 1]);
		put(name, made->serial, LUNA_SERIAL_LEN);
		snprintf(name, sizeof(name), "%s.time", key_names[keys_used - 1]);
		put(name, (u8[]){ NOW >> 24, NOW >> 16 & 255, NOW >> 8 & 255, NOW & 255 }, 4);
		snprintf(name, sizeof(name), "%s.random", key_names[keys_used - 1]);
		put_drawn(name);
		snprintf(name, sizeof(name), "%s.key", key_names[keys_used - 1]);
		put(name, secrets->twc_key, secrets->twc_key_len);
		snprintf(name, sizeof(name), "%s.twc", key_names[keys_used - 1]);
		put(name, made->twc, made->twc_len);
	}
	file_end("twc.txt");
	test_free(made);
	test_free(secrets);
}

static u32 make_object(void)
{
	struct fx_tmpl tmpl = { 0 };
	u8 value[32];
	u32 handle;

	for (size_t i = 0; i < sizeof(value); i++)
		value[i] = i;
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_AES);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_text(&tmpl, CKA_LABEL, "vector");
	fx_attr(&tmpl, CKA_VALUE, value, sizeof(value));
	assert_int_equal(fx_create(source_open, source_session, &tmpl, &handle), CKR_OK);
	return handle;
}

static void clone_vector(u32 type, u32 handle, u32 replicate)
{
	static struct message twc, part1, part2;

	step(source_open, source_session, LUNA_CLONE_SOURCE_INIT,
	     &(struct luna_blob){ .replicate = replicate }, NULL, &twc);
	put_drawn("step1.random");
	step(target_open, target_session, LUNA_CLONE_TARGET_INIT,
	     &(struct luna_blob){ .replicate = replicate }, &twc, &part1);
	put_drawn("step2.random");
	put("part1", part1.data, part1.len);
	step(source_open, source_session, LUNA_CLONE_SOURCE,
	     &(struct luna_blob){ .replicate = replicate, .type = type, .handle = handle }, &part1,
	     &part2);
	put_drawn("step3.random");
	put("part2", part2.data, part2.len);
	step(target_open, target_session, LUNA_CLONE_TARGET,
	     &(struct luna_blob){ .replicate = replicate, .type = type }, &part2, NULL);
}

static void test_cpv3(void **state __maybe_unused)
{
	u32 handle = make_object();

	file_begin("Cloning, CPv3: an AES key from source to target");
	put_tokens();
	clone_vector(CK_CRYPTOKI_ELEMENT, handle, 0);
	file_end("cpv3.txt");
	file_begin("Cloning, CPv3: the same, replicating");
	put_tokens();
	clone_vector(CK_CRYPTOKI_ELEMENT, handle, 1);
	file_end("cpv3-replicate.txt");
}

static void mofn_generate(u8 *vectors, u32 m, u32 n)
{
	struct luna_mofn arg = {
		.hdr.session = source_session, .m = m, .n = n, .flags = LUNA_MOFN_CLONEABLE,
	};
	u32 pairs[2 * LUNA_MOFN_MAX];
	size_t len = LUNA_MOFN_MAX * (4 + VECTOR);

	for (u32 i = 0; i < n; i++) {
		pairs[2 * i] = 1;
		pairs[2 * i + 1] = VECTOR;
	}
	drawn_len = 0;
	assert_int_equal(fx_call(source_open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs, 8 * n,
				 vectors, &len), CKR_OK);
	/* the nonce of the sealed secrets, which no message shows, came last */
	drawn_len -= 12;
}

static void test_mofn(void **state __maybe_unused)
{
	u8 vectors[LUNA_MOFN_MAX * (4 + VECTOR)];
	char name[32];

	file_begin("M of N: 3 of 5, then the secret cloned");
	put_tokens();
	mofn_generate(vectors, 3, 5);
	put_drawn("generate.random");
	put("secret", source.token->secrets->mofn, LUNA_MOFN_SECRET_LEN);
	for (u32 i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "vector.%u", i + 1);
		put(name, vectors + i * (4 + VECTOR) + 4, VECTOR);
	}
	clone_vector(CK_MOFN_ACTIVATION_ELEMENT, 0, 0);
	file_end("mofn.txt");
}

static void login_pair(u32 *priv)
{
	struct fx_tmpl pub_tmpl = { 0 }, priv_tmpl = { 0 };
	static const u32 pub_off[] = { CKA_ENCRYPT, CKA_VERIFY, CKA_VERIFY_RECOVER, CKA_WRAP,
				       CKA_DERIVE };
	static const u32 priv_off[] = { CKA_EXTRACTABLE, CKA_MODIFIABLE, CKA_DECRYPT, CKA_SIGN,
					CKA_SIGN_RECOVER, CKA_UNWRAP, CKA_DERIVE };
	static const u32 priv_on[] = { CKA_TOKEN, CKA_PRIVATE, CKA_SENSITIVE };
	u32 pub;

	fx_attr_ulong(&pub_tmpl, CKA_MODULUS_BITS, 2048);
	fx_attr(&pub_tmpl, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
	for (size_t i = 0; i < ARRAY_SIZE(pub_off); i++)
		fx_attr_bool(&pub_tmpl, pub_off[i], false);
	for (size_t i = 0; i < ARRAY_SIZE(priv_off); i++)
		fx_attr_bool(&priv_tmpl, priv_off[i], false);
	for (size_t i = 0; i < ARRAY_SIZE(priv_on); i++)
		fx_attr_bool(&priv_tmpl, priv_on[i], true);
	assert_int_equal(fx_generate_pair(source_open, source_session, CKM_RSA_PKCS_KEY_PAIR_GEN,
					  &pub_tmpl, &priv_tmpl, &pub, priv), CKR_OK);
}

/* The target requires M of N from now on, as if it had been initialised so. */
static void ha_setup(u32 priv)
{
	u8 vectors[LUNA_MOFN_MAX * (4 + VECTOR)];
	static struct message twc, part1, part2;
	struct luna_blob to = { 0 };
	u32 clone;

	mofn_generate(vectors, 2, 2);
	step(source_open, source_session, LUNA_CLONE_SOURCE_INIT, &(struct luna_blob){ 0 }, NULL,
	     &twc);
	step(target_open, target_session, LUNA_CLONE_TARGET_INIT, &(struct luna_blob){ 0 }, &twc,
	     &part1);
	step(source_open, source_session, LUNA_CLONE_SOURCE,
	     &(struct luna_blob){ .type = CK_MOFN_ACTIVATION_ELEMENT }, &part1, &part2);
	to.type = CK_MOFN_ACTIVATION_ELEMENT;
	step(target_open, target_session, LUNA_CLONE_TARGET, &to, &part2, NULL);
	target.token->state->mofn.required = true;
	assert_int_equal(
		fx_clone(source_open, source_session, target_open, target_session, priv, &clone),
		CKR_OK);
	step(target_open, target_session, LUNA_HA_INIT, &(struct luna_blob){ .handle = clone },
	     NULL, NULL);
}

static void test_ha(void **state __maybe_unused)
{
	static struct message twc, challenge, answer, request, secret;
	struct luna_blob arg = { .role = CKU_USER };
	u8 k[32];
	u32 priv;

	login_pair(&priv);
	ha_setup(priv);
	file_begin("HA login, version 1: target is the secondary, source the primary; then M of N");
	put_tokens();
	note("K and the padding of W, then the nonce around the storage key");
	put("storage.key", target.token->sk, LUNA_SK_LEN);
	memcpy(k, drawn, sizeof(k));
	put_drawn("setup.random");
	put("setup.k", k, sizeof(k));
	put("setup.w", target.token->state->ha.w, target.token->state->ha.w_len);
	put("setup.sealed", target.token->state->ha.sealed, sizeof(target.token->state->ha.sealed));
	assert_int_equal(fx_logout(target_open, target_session), CKR_OK);
	step(source_open, 0, LUNA_HA_MASTER_PUBLIC, &(struct luna_blob){ 0 }, NULL, &twc);
	step(target_open, target_session, LUNA_HA_CHALLENGE, &arg, &twc, &challenge);
	put_drawn("challenge.random");
	put("challenge", challenge.data, challenge.len);
	step(source_open, source_session, LUNA_HA_ANSWER, &(struct luna_blob){ .handle = priv },
	     &challenge, &answer);
	put_drawn("answer.random");
	put("answer", answer.data, answer.len);
	step(target_open, target_session, LUNA_HA_LOGIN, &(struct luna_blob){ 0 }, &answer,
	     &request);
	put("mofn.id",
	    (u8[]){ target.token->state->mofn.id >> 24, target.token->state->mofn.id >> 16,
		    target.token->state->mofn.id >> 8, target.token->state->mofn.id },
	    4);
	put("mofn.secret", source.token->secrets->mofn, LUNA_MOFN_SECRET_LEN);
	put("mofn.request", request.data, request.len);
	step(source_open, source_session, LUNA_HA_MOFN_ANSWER, &(struct luna_blob){ 0 }, &request,
	     &secret);
	put("mofn.answer", secret.data, secret.len);
	step(target_open, target_session, LUNA_HA_MOFN_ACTIVATE, &(struct luna_blob){ 0 }, &secret,
	     NULL);
	assert_true(target.token->mofn_active);
	file_end("ha-v1.txt");
}

#define VECTOR_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Every kind of record but CLEAR: a state, attempts, objects of both kinds, one that ended, a mark. */
static void test_store(void **state __maybe_unused)
{
	struct fx_tmpl tmpl = { 0 }, renamed = { 0 };
	struct luna_open *other = luna_open(source.token);
	u32 handle, session;

	file_begin("A store");
	put("so.pin", FX_SO_PIN, strlen(FX_SO_PIN));
	put("co.pin", FX_CO_PIN, strlen(FX_CO_PIN));
	put("label", FX_LABEL, strlen(FX_LABEL));
	put_tokens();
	put("storage.key", source.token->sk, LUNA_SK_LEN);
	make_object();
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, false);
	fx_attr_text(&tmpl, CKA_LABEL, "first name");
	assert_int_equal(fx_create(source_open, source_session, &tmpl, &handle), CKR_OK);
	fx_attr_text(&renamed, CKA_LABEL, "renamed");
	assert_int_equal(fx_attr_set(source_open, source_session, handle, &renamed), CKR_OK);
	assert_int_equal(fx_destroy(source_open, source_session, make_object()), CKR_OK);
	assert_int_equal(fx_session(other, true, &session), CKR_OK);
	assert_int_equal(fx_login(other, session, CKU_USER, "wrong"), CKR_PIN_INCORRECT);
	luna_release(other);
	luna_release(source_open);
	fx_reopen(&source);
	source_open = luna_open(source.token);
	put("store", source.store->content.data, source.store->content.len);
	file_end("store.txt");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		VECTOR_TEST(test_store),
		VECTOR_TEST(test_twc),
		VECTOR_TEST(test_cpv3),
		VECTOR_TEST(test_mofn),
		VECTOR_TEST(test_ha),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
