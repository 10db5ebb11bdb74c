// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Everything that a command needs fails once: each operation of the provider, each write to the store
 * and, where the host can do it, each allocation. The command says so with the code of what failed;
 * nothing has changed, nothing is lost, and the same command succeeds afterwards.
 */
#include <kunit/test.h>

#include "failcrypto.h"
#include "side.h"
#include "token.h"

/**
 * struct bench - two tokens as the images have them, each with the CO logged in
 * @out, @len: what an operation gave
 */
struct bench {
	struct fx_side a, b;
	struct fx_message twc, challenge, answer;
	struct fx_tmpl tmpl, tmpl2;
	u8 rows[FX_VECTORS * FX_VECTOR_ROW];
	u8 out[512];
	u32 len;
};

/* Stores made once: a has the keys, b is set up for HA login with the login key's clone. */
static struct {
	struct memstore *a, *b;
	u32 aes, wrapper, data, login_pub, login_priv;
	u32 pub, priv;
} made;

static const u8 iv[16] = { 1, 2, 3 };
static const u8 text[] = "the quick brown fox jumps";

/* ---- the commands ---- */

static s64 do_init_token(struct bench *w)
{
	return fx_init_token(w->a.open, LUNA_TOKEN_PPSO, FX_SO_PIN, FX_DOMAIN);
}

static s64 do_session(struct bench *w)
{
	u32 session;

	return fx_session(w->a.open, true, &session);
}

static s64 do_login(struct bench *w)
{
	return fx_login(w->a.open, w->a.session, CKU_USER, FX_CO_PIN);
}

static s64 do_init_pin(struct bench *w)
{
	return fx_init_pin(w->a.open, w->a.session, CKU_LIMITED_USER, FX_CU_PIN);
}

static s64 do_set_pin(struct bench *w)
{
	return fx_set_pin(w->a.open, w->a.session, FX_CO_PIN, "another pin");
}

static s64 do_policy(struct bench *w)
{
	return fx_policy_set(&w->a, LUNA_SCOPE_HSM, 7, 0, LUNA_POLICY_SET_DESTRUCTIVE);
}

static s64 do_create(struct bench *w)
{
	u32 handle;

	return fx_make_data(&w->a, true, true, &handle);
}

static s64 do_create_session(struct bench *w)
{
	u32 handle;

	return fx_make_data(&w->a, false, true, &handle);
}

static s64 do_destroy(struct bench *w)
{
	return fx_destroy(w->a.open, w->a.session, made.data);
}

static s64 do_set_attribute(struct bench *w)
{
	w->tmpl.len = 0;
	fx_attr_text(&w->tmpl, CKA_LABEL, "renamed");
	return fx_attr_set(w->a.open, w->a.session, made.data, &w->tmpl);
}

static s64 do_get_attribute(struct bench *w)
{
	w->len = 16;
	return fx_attr_get(w->a.open, w->a.session, made.data, CKA_VALUE, w->out, &w->len);
}

static s64 do_find(struct bench *w)
{
	u32 handles[4], count;
	s64 rv;

	w->tmpl.len = 0;
	fx_attr_ulong(&w->tmpl, CKA_CLASS, CKO_DATA);
	rv = fx_find(w->a.open, w->a.session, &w->tmpl, handles, 4, &count);
	fx_check(rv || (count == 1 && handles[0] == made.data));
	return rv;
}

static s64 do_generate_aes(struct bench *w)
{
	u32 handle;

	return fx_make_aes(&w->a, &handle);
}

static s64 do_generate_rsa(struct bench *w)
{
	u32 pub, priv;

	return fx_make_login_pair(&w->a, false, &pub, &priv);
}

static s64 op(struct bench *w, u32 kind, u32 mechanism, u32 key, const void *param, u32 param_len)
{
	w->len = sizeof(w->out);
	return fx_op(w->a.open, w->a.session, kind, mechanism, key, param, param_len, text,
		     sizeof(text), NULL, 0, w->out, &w->len);
}

static s64 do_encrypt(struct bench *w)
{
	return op(w, LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, made.aes, iv, sizeof(iv));
}

static s64 do_encrypt_gcm(struct bench *w)
{
	struct {
		struct luna_gcm_param param;
		u8 iv[12];
	} gcm = { .param = { .iv_len = 12, .iv_bits = 96, .tag_bits = 128 } };

	return op(w, LUNA_OP_ENCRYPT, CKM_AES_GCM, made.aes, &gcm, sizeof(gcm));
}

static s64 do_digest(struct bench *w)
{
	return op(w, LUNA_OP_DIGEST, CKM_SHA256, 0, NULL, 0);
}

static s64 do_sign(struct bench *w)
{
	return op(w, LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, made.priv, NULL, 0);
}

static s64 do_verify(struct bench *w)
{
	return fx_op(w->a.open, w->a.session, LUNA_OP_VERIFY, CKM_SHA256_RSA_PKCS, made.pub, NULL, 0,
		     text, sizeof(text), w->out, w->len, NULL, NULL);
}

static s64 do_wrap(struct bench *w)
{
	struct luna_key arg = {
		.hdr.session = w->a.session, .mechanism = CKM_AES_KW, .key = made.wrapper,
		.target = made.wrapper, .out_max = sizeof(w->out),
	};
	size_t len = sizeof(w->out);

	return fx_call(w->a.open, LUNA_WRAP, &arg, sizeof(arg), NULL, 0, w->out, &len);
}

static s64 do_clone(struct bench *w)
{
	u32 clone;

	return fx_clone(w->a.open, w->a.session, w->b.open, w->b.session, made.aes, &clone);
}

static s64 do_mofn(struct bench *w)
{
	return fx_mofn_generate(&w->a, 2, 3, 0, FX_VECTOR, w->rows);
}

static s64 do_ha_setup(struct bench *w)
{
	struct luna_blob arg = { .handle = made.login_priv };

	return fx_step(&w->a, w->a.session, LUNA_HA_INIT, &arg, NULL, NULL);
}

static s64 do_ha_login(struct bench *w)
{
	struct luna_blob none = { 0 }, user = { .role = CKU_USER }, key = { .handle = made.login_priv };
	u32 len;
	s64 rv = fx_step(&w->a, 0, LUNA_HA_MASTER_PUBLIC, &none, NULL, &w->twc);

	if (!rv)
		rv = fx_step(&w->b, w->b.session, LUNA_HA_CHALLENGE, &user, &w->twc, &w->challenge);
	if (!rv)
		rv = fx_step(&w->a, w->a.session, LUNA_HA_ANSWER, &key, &w->challenge, &w->answer);
	if (!rv)
		rv = fx_step_query(&w->b, w->b.session, LUNA_HA_LOGIN, &none, &w->answer, &len);
	return rv;
}

/* ---- what comes before a command ---- */

static void close_session(struct bench *w)
{
	fx_check(fx_session_close(w->a.open, w->a.session) == CKR_OK);
}

static void log_out(struct bench *w)
{
	fx_side_as(&w->a, LUNA_ROLE_NONE);
}

static void log_out_b(struct bench *w)
{
	fx_side_as(&w->b, LUNA_ROLE_NONE);
}

static void be_so(struct bench *w)
{
	fx_side_as(&w->a, CKU_SO);
}

static void signature(struct bench *w)
{
	fx_check(do_sign(w) == CKR_OK);
}

/**
 * struct command
 * @counts: a PIN is checked in it, so that attempts are written even if nothing else is
 * @destroys: all objects, even if it fails
 * @may_do_without: it uses a key, for whose prepared context there may be no memory to keep it in
 * @slow: RSA with a private key in it
 */
static const struct command {
	const char *what;
	s64 (*run)(struct bench *w);
	void (*before)(struct bench *w);
	bool counts, destroys, may_do_without, slow;
} commands[] = {
	{ "InitToken", do_init_token, close_session, .counts = true, .slow = true },
	{ "open a session", do_session },
	{ "login", do_login, log_out, .counts = true },
	{ "InitPIN", do_init_pin },
	{ "SetPIN", do_set_pin, .counts = true },
	{ "set a destructive policy", do_policy, be_so, .destroys = true },
	{ "create a token object", do_create },
	{ "create a session object", do_create_session },
	{ "destroy an object", do_destroy },
	{ "set an attribute", do_set_attribute },
	{ "get an attribute", do_get_attribute },
	{ "find objects", do_find },
	{ "generate an AES key", do_generate_aes },
	{ "generate an RSA pair", do_generate_rsa },
	{ "encrypt, CBC", do_encrypt, .may_do_without = true },
	{ "encrypt, GCM", do_encrypt_gcm, .may_do_without = true },
	{ "digest", do_digest },
	{ "sign, RSA", do_sign, .may_do_without = true, .slow = true },
	{ "verify, RSA", do_verify, signature, .may_do_without = true },
	{ "wrap", do_wrap, .may_do_without = true },
	{ "clone", do_clone, .slow = true },
	{ "M of N", do_mofn },
	{ "HA setup", do_ha_setup },
	{ "HA login", do_ha_login, log_out_b, .slow = true },
};

static void command_name(const struct command *c, char *desc)
{
	strscpy(desc, c->what, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(command, commands, command_name);

/* ---- the tokens ---- */

static const struct luna_crypto_ops *quick_ops(void)
{
	return fakerng_quick_ops(luna_test_crypto(), 5);
}

/* A secret key that may wrap itself, and a pair for signatures. */
static void make_keys(struct bench *w)
{
	u32 ignored;

	w->tmpl.len = 0;
	fx_attr_bool(&w->tmpl, CKA_TOKEN, true);
	fx_attr_bool(&w->tmpl, CKA_EXTRACTABLE, true);
	fx_attr_bool(&w->tmpl, CKA_WRAP, true);
	fx_attr_ulong(&w->tmpl, CKA_VALUE_LEN, 32);
	fx_check(fx_generate_key(w->a.open, w->a.session, CKM_AES_KEY_GEN, &w->tmpl, &made.wrapper) ==
		 CKR_OK);
	w->tmpl.len = 0;
	fx_attr_bool(&w->tmpl, CKA_TOKEN, true);
	fx_attr_bool(&w->tmpl, CKA_VERIFY, true);
	fx_attr_ulong(&w->tmpl, CKA_MODULUS_BITS, 2048);
	fx_attr(&w->tmpl, CKA_PUBLIC_EXPONENT, "\1\0\1", 3);
	fx_attr_bool(&w->tmpl2, CKA_TOKEN, true);
	fx_attr_bool(&w->tmpl2, CKA_SIGN, true);
	fx_check(fx_generate_pair(w->a.open, w->a.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &w->tmpl,
				  &w->tmpl2, &made.pub, &made.priv) == CKR_OK);
	fx_check(fx_make_data(&w->a, true, true, &made.data) == CKR_OK);
	fx_check(fx_make_aes(&w->a, &made.aes) == CKR_OK);
	fx_check(fx_make_login_pair(&w->a, false, &made.login_pub, &made.login_priv) == CKR_OK);
	fx_check(fx_make_aes(&w->b, &ignored) == CKR_OK);
}

static void images_make(struct bench *w)
{
	struct luna_blob arg = { 0 };
	u32 clone;

	if (made.a)
		return;
	fx_side_open(&w->a, quick_ops(), 0);
	fx_side_open(&w->b, quick_ops(), 1);
	make_keys(w);
	fx_check(fx_clone(w->a.open, w->a.session, w->b.open, w->b.session, made.login_priv,
			  &clone) == CKR_OK);
	arg.handle = clone;
	fx_check(fx_step(&w->b, w->b.session, LUNA_HA_INIT, &arg, NULL, NULL) == CKR_OK);
	made.a = memstore_image(w->a.fx.store, w->a.fx.store->content.len);
	made.b = memstore_image(w->b.fx.store, w->b.fx.store->content.len);
	fx_side_close(&w->a);
	fx_side_close(&w->b);
}

static void side_load(struct fx_side *side, const struct luna_crypto_ops *ops, u32 slot,
		      const struct memstore *image)
{
	fx_open_store(&side->fx, ops, slot, memstore_image(image, image->content.len));
	fx_side_attach(side);
	fx_side_as(side, CKU_USER);
}

static void tokens_load(struct bench *w, const struct command *c)
{
	const struct luna_crypto_ops *ops = failcrypto_ops(quick_ops());

	side_load(&w->a, ops, 0, made.a);
	side_load(&w->b, ops, 1, made.b);
	if (c->before)
		c->before(w);
}

static void tokens_close(struct bench *w)
{
	fx_side_close(&w->a);
	fx_side_close(&w->b);
}

static int alloc_init(struct kunit *test)
{
	struct bench *w = luna_test_alloc(sizeof(*w));

	test->priv = w;
	images_make(w);
	return 0;
}

static void alloc_exit(struct kunit *test)
{
	luna_failcrypto.arm(0);
	if (luna_test_memory_fault())
		luna_test_memory_fault()->end();
	if (test->priv)
		tokens_close(test->priv);
	luna_test_free(test->priv);
	test->priv = NULL;
}

static void alloc_suite_exit(struct kunit_suite *suite)
{
	memstore_free(made.a);
	memstore_free(made.b);
	made.a = NULL;
	made.b = NULL;
}

/* ---- sweeps ---- */

static bool says_so(s64 rv)
{
	return rv == -ENOMEM || rv == CKR_HOST_MEMORY || rv == CKR_DEVICE_MEMORY ||
	       rv == CKR_DEVICE_ERROR;
}

/*
 * A command that checks a PIN counts the attempt before, and takes it back afterwards: both stand in
 * the store, and where the second cannot be written (@may_count) the attempt stays counted. A
 * destructive policy takes the objects before it is written, so that no crash leaves a laxer policy
 * with old objects.
 */
static bool same(const struct fx_side *side, struct fx_fingerprint *before, const struct command *c,
		 bool may_count)
{
	struct fx_fingerprint now;

	if (c->counts || c->destroys) {
		fx_print(side, &now);
		before->stored = now.stored;
		before->content = now.content;
	}
	if (c->counts && may_count && now.attempts <= before->attempts + 1)
		before->attempts = now.attempts;
	if (c->destroys && !now.objects)
		before->objects = 0;
	return fx_same(side, before);
}

/* One failure. Return: whether it was met. */
static bool fail_one(struct kunit *test, const struct command *c, const struct luna_test_fault *f,
		     u64 nth)
{
	struct bench *w = test->priv;
	struct fx_fingerprint a, b;
	bool met;
	s64 rv;

	f->begin();
	f->arm(0);
	tokens_load(w, c);
	fx_print(&w->a, &a);
	fx_print(&w->b, &b);
	f->arm(nth);
	rv = c->run(w);
	met = f->met() >= nth;
	f->arm(0);
	if (!met) {
		KUNIT_EXPECT_EQ_MSG(test, rv, CKR_OK, "%s, none failing", c->what);
	} else if (rv || !c->may_do_without) {
		KUNIT_EXPECT_TRUE_MSG(test, says_so(rv), "%s, %s %llu: %#llx", c->what, f->name, nth,
				      (unsigned long long)rv);
		KUNIT_EXPECT_TRUE_MSG(test, same(&w->a, &a, c, f != &luna_failcrypto), "%s, %s %llu", c->what,
				      f->name, nth);
		KUNIT_EXPECT_TRUE_MSG(test, same(&w->b, &b, c, false), "%s, %s %llu", c->what,
				      f->name, nth);
		KUNIT_EXPECT_EQ_MSG(test, c->run(w), CKR_OK, "%s, after %s %llu", c->what, f->name,
				    nth);
	}
	tokens_close(w);
	KUNIT_EXPECT_EQ_MSG(test, f->end(), 0, "%s, %s %llu: kept", c->what, f->name, nth);
	return met;
}

static void sweep(struct kunit *test, const struct luna_test_fault *fault)
{
	const struct command *c = test->param_value;
	u32 stride = c->slow && luna_test_stride() > 1 ? 5 : 1;
	u64 nth = 1;

	fail_one(test, c, fault, U64_MAX);	/* so that a provider has what it keeps for good */
	while (fail_one(test, c, fault, nth))
		nth += stride;
	kunit_info(test, "%s: %llu\n", fault->name, nth - 1);
}

/* The provider's operations; and allocations, of which a kernel fails single ones in tests/vm only. */
static void fails_operation(struct kunit *test)
{
	const struct luna_test_fault *memory = luna_test_memory_fault();

	sweep(test, &luna_failcrypto);
	if (memory)
		sweep(test, memory);
}

/*
 * One write that a full disk refuses; a replacement that may not begin, and then none, since one without
 * room for a reserve is tried next. Return: whether it was met.
 */
static bool refuse_write(struct kunit *test, const struct command *c, bool at_b,
			 enum memstore_call kind, u64 nth)
{
	struct bench *w = test->priv;
	struct fx_fingerprint a, b;
	struct memstore *store;
	bool met;
	u64 calls;
	s64 rv;

	tokens_load(w, c);
	store = at_b ? w->b.fx.store : w->a.fx.store;
	calls = store->calls[kind];
	fx_print(&w->a, &a);
	fx_print(&w->b, &b);
	if (kind == MEMSTORE_REPLACE_BEGIN)
		memstore_break(store, kind, nth, -ENOSPC);
	else
		memstore_fail(store, kind, nth, -ENOSPC, 0);
	rv = c->run(w);
	met = store->calls[kind] - calls >= nth;
	memstore_fail(store, kind, 0, 0, 0);
	if (met) {
		KUNIT_EXPECT_EQ_MSG(test, rv, CKR_DEVICE_MEMORY, "%s, write %llu", c->what, nth);
		KUNIT_EXPECT_TRUE_MSG(test, same(&w->a, &a, c, true), "%s, write %llu", c->what, nth);
		KUNIT_EXPECT_TRUE_MSG(test, same(&w->b, &b, c, false), "%s, write %llu", c->what, nth);
		rv = c->run(w);
	}
	KUNIT_EXPECT_EQ_MSG(test, rv, CKR_OK, "%s, write %llu", c->what, nth);
	tokens_close(w);
	return met;
}

static void fails_store(struct kunit *test)
{
	static const enum memstore_call kinds[] = { MEMSTORE_APPEND, MEMSTORE_REPLACE_BEGIN,
						    MEMSTORE_REPLACE_APPEND,
						    MEMSTORE_REPLACE_COMMIT };
	u32 i, met = 0;
	u64 nth;

	for (i = 0; i < 2 * ARRAY_SIZE(kinds); i++)
		for (nth = 1; refuse_write(test, test->param_value, i & 1, kinds[i / 2], nth); nth++)
			met++;
	kunit_info(test, "writes: %u\n", met);
}

static struct kunit_case alloc_cases[] = {
	KUNIT_CASE_PARAM(fails_operation, command_gen_params),
	KUNIT_CASE_PARAM(fails_store, command_gen_params),
	{}
};

static struct kunit_suite alloc_suite = {
	.name = "luna-alloc",
	.suite_exit = alloc_suite_exit,
	.init = alloc_init,
	.exit = alloc_exit,
	.test_cases = alloc_cases,
};

kunit_test_suites(&alloc_suite);
