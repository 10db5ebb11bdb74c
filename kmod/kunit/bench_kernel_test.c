// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * What the path of a command costs on top of its cryptography, in the same kernel: an RSA-2048
 * signature and 1 KiB of AES-GCM as luna_cmd() carries them (what an ioctl is between its two
 * copies), beside the same with the bare crypto API. The results must be the same; times are only
 * printed, in lines "# bench:", of rounds in which the candidates take turns: their median, and the
 * twentieth that is quickest (p5), which says more where other programs take the processor away. The very
 * quickest says nothing: User Mode Linux's clock jumps.
 *
 * bench_rounds=1000 gives steady figures; without it, this shows that both still work.
 */
#include <crypto/aead.h>
#include <crypto/akcipher.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>

#include <luna/ck_values.h>
#include <uapi/luna.h>

#include "../chardev.h"
#include "../crypto.h"
#include "../store.h"
#include "bytes.h"
#include "ghash.h"
#include "host.h"
#include "rsa_answers.h"

enum {
	ROUNDS_DEFAULT = 5,
	ROUNDS_MAX = 100000,
	BATCH = 16,		/* short operations a sample */
	GCM_SIZE = 1024,
	IV_SIZE = 12,
	RSA_SIZE = 256,
	BUFFER = 4096,
	SLOT = LUNA_SLOTS_MAX - 1,
};

static unsigned int bench_rounds = ROUNDS_DEFAULT;
module_param(bench_rounds, uint, 0444);
MODULE_PARM_DESC(bench_rounds, "KUnit: samples of each figure of the benchmark (default 5)");

/**
 * struct bench - a volatile token with one session, and a command to it
 * @request: @len bytes, sent again and again
 */
struct bench {
	struct luna_store *store;
	struct luna_token *token;
	struct luna_open *open;
	u32 session;
	size_t len;
	u8 *request;
	u8 *reply;
};

/* ---- commands ---- */

/* @arg begins with its header, and @payload follows it; the reply's struct goes back to @arg. */
static u32 call(struct kunit *test, u32 nr, void *arg, size_t size, struct bytes payload)
{
	struct bench *b = test->priv;
	struct luna_hdr *hdr = arg;
	size_t out_len;

	hdr->size = size;
	hdr->in_len = payload.len;
	hdr->session = b->session;
	memset(b->request, 0, BUFFER);
	memcpy(b->request, arg, size);
	memcpy(b->request + size, payload.data, payload.len);
	b->len = BUFFER;
	KUNIT_ASSERT_EQ(test, luna_cmd(b->open, nr, b->request, b->len, b->reply, &out_len), 0);
	memcpy(arg, b->reply, size);
	return hdr->rv;
}

static void open_session(struct kunit *test)
{
	struct bench *b = test->priv;
	struct luna_session_info info = { .flags = CKF_SERIAL_SESSION | CKF_RW_SESSION };
	struct luna_init_token init = { .pin_len = 8 };

	memset(init.label, ' ', sizeof(init.label));
	KUNIT_ASSERT_EQ(test, call(test, LUNA_INIT_TOKEN, &init, sizeof(init),
				   bytes_text(test, "password")), CKR_OK);
	KUNIT_ASSERT_EQ(test, call(test, LUNA_SESSION_OPEN, &info, sizeof(info),
				   bytes_new(test, 0)), CKR_OK);
	b->session = info.handle;
}

static void add(struct bytes *template, u32 type, const void *value, u32 len)
{
	struct luna_attr attr = { .type = type, .len = len };

	memcpy(template->data + template->len, &attr, sizeof(attr));
	memcpy(template->data + template->len + sizeof(attr), value, len);
	template->len += sizeof(attr) + round_up(len, 8);
}

static struct bytes template_new(struct kunit *test, u64 class, u64 key_type, u32 usage)
{
	struct bytes template = bytes_new(test, BUFFER);
	const u8 yes = 1, no = 0;

	template.len = 0;
	add(&template, CKA_CLASS, &class, sizeof(class));
	add(&template, CKA_KEY_TYPE, &key_type, sizeof(key_type));
	add(&template, CKA_PRIVATE, &no, sizeof(no));
	add(&template, usage, &yes, sizeof(yes));
	return template;
}

static u32 create(struct kunit *test, struct bytes template)
{
	struct luna_object_arg arg = { .template_len = template.len };

	KUNIT_ASSERT_EQ(test, call(test, LUNA_OBJECT_CREATE, &arg, sizeof(arg), template), CKR_OK);
	return arg.handle;
}

/* Leaves the command in b->request. */
static void prepare(struct kunit *test, struct luna_op *op, struct bytes param, struct bytes data)
{
	struct bench *b = test->priv;
	struct bytes payload = bytes_new(test, param.len + data.len);

	memcpy(payload.data, param.data, param.len);
	memcpy(payload.data + param.len, data.data, data.len);
	op->step = LUNA_STEP_INIT | LUNA_STEP_ONESHOT;
	op->param_len = param.len;
	op->data_len = data.len;
	op->total = data.len;
	KUNIT_ASSERT_EQ(test, call(test, LUNA_OP, op, sizeof(*op), payload), CKR_OK);
	b->len = sizeof(*op) + max_t(size_t, payload.len, op->out_max);
}

static void send_once(struct bench *b)
{
	size_t out_len;

	luna_cmd(b->open, LUNA_OP, b->request, b->len, b->reply, &out_len);
}

static void expect_reply(struct kunit *test, struct bytes expected)
{
	struct bench *b = test->priv;
	const u8 *out = b->reply + sizeof(struct luna_op);

	memset(b->reply, 0, BUFFER);
	send_once(b);
	KUNIT_EXPECT_EQ(test, memcmp(out, expected.data, expected.len), 0);
}

/* ---- measuring ---- */

/**
 * struct candidate - something that is timed
 * @samples: nanoseconds of each round
 */
struct candidate {
	const char *name;
	void (*run)(void *context);
	void *context;
	u32 *samples;
};

static int ascending(const void *a, const void *b)
{
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	return x < y ? -1 : x > y;
}

static u32 rounds(void)
{
	return clamp(bench_rounds, 1u, (unsigned int)ROUNDS_MAX);
}

static u32 median(const struct candidate *c)
{
	return c->samples[rounds() / 2];
}

static u32 p5(const struct candidate *c)
{
	return c->samples[rounds() / 20];
}

static void sample(struct candidate *c, u32 round, u32 batch)
{
	u64 start = ktime_get_ns();
	u32 i;

	for (i = 0; i < batch; i++)
		c->run(c->context);
	c->samples[round] = div_u64(ktime_get_ns() - start, batch);
	cond_resched();
}

static void measure(struct kunit *test, struct candidate *c, u32 count, u32 batch)
{
	u32 round, i;

	for (i = 0; i < count; i++) {
		c[i].samples = kunit_kcalloc(test, rounds(), sizeof(*c[i].samples), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, c[i].samples);
	}
	for (round = 0; round < rounds(); round++)
		for (i = 0; i < count; i++)
			sample(&c[i], round, batch);
	for (i = 0; i < count; i++) {
		sort(c[i].samples, rounds(), sizeof(*c[i].samples), ascending, NULL);
		kunit_info(test, "bench: %-40s median %8u ns, p5 %8u ns\n", c[i].name,
			   median(&c[i]), p5(&c[i]));
	}
}

static void report_difference(struct kunit *test, const struct candidate *bare,
			      const struct candidate *whole)
{
	s64 more = (s64)median(whole) - median(bare), early = (s64)p5(whole) - p5(bare);

	kunit_info(test, "bench: %s on top of %s:\n", whole->name, bare->name);
	kunit_info(test, "bench: median %lld ns (%lld per mille), p5 %lld ns (%lld)\n", more,
		   div_s64(1000 * more, max(median(bare), 1u)),
		   early, div_s64(1000 * early, max(p5(bare), 1u)));
}

static void run_command(void *context)
{
	send_once(context);
}

/* ---- RSA ---- */

/**
 * struct bare_rsa - the kernel's own private operation, and the provider's
 */
struct bare_rsa {
	struct crypto_akcipher *tfm;
	struct akcipher_request *request;
	struct scatterlist in_sg, out_sg;
	struct crypto_wait wait;
	struct luna_rsa_key *key;
	u8 in[RSA_SIZE], out[RSA_SIZE];
};

static void run_akcipher(void *context)
{
	struct bare_rsa *r = context;

	akcipher_request_set_crypt(r->request, &r->in_sg, &r->out_sg, RSA_SIZE, RSA_SIZE);
	crypto_wait_req(crypto_akcipher_decrypt(r->request), &r->wait);
}

static void run_provider_rsa(void *context)
{
	struct bare_rsa *r = context;

	luna_test_crypto()->rsa_private(r->key, r->in, r->out);
}

/* RFC 8017, A.1.2, with the numbers of the published key */
static struct bytes rsa_der(struct kunit *test)
{
	struct bytes der = bytes_new(test, BUFFER);
	u8 *at = der.data + 4;
	int i;

	*at++ = 2;
	*at++ = 1;
	*at++ = 0;
	for (i = 0; i < ARRAY_SIZE(rsa_numbers); i++) {
		struct bytes number = bytes_hex(test, rsa_numbers[i]);

		*at++ = 2;
		*at++ = 0x82;
		put_unaligned_be16(number.len + 1, at);
		at[2] = 0;
		memcpy(at + 3, number.data, number.len);
		at += 3 + number.len;
	}
	der.len = at - der.data;
	der.data[0] = 0x30;
	der.data[1] = 0x82;
	put_unaligned_be16(der.len - 4, der.data + 2);
	return der;
}

static struct bare_rsa *bare_rsa_new(struct kunit *test)
{
	struct bare_rsa *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct luna_num num[ARRAY_SIZE(rsa_numbers)];
	struct luna_rsa_nums nums;
	struct bytes der = rsa_der(test);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, r);
	memcpy(r->in, bytes_hex(test, rsa_input).data, RSA_SIZE);
	r->tfm = crypto_alloc_akcipher("rsa", 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r->tfm);
	KUNIT_ASSERT_EQ(test, crypto_akcipher_set_priv_key(r->tfm, der.data, der.len), 0);
	r->request = akcipher_request_alloc(r->tfm, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, r->request);
	crypto_init_wait(&r->wait);
	akcipher_request_set_callback(r->request, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done,
				      &r->wait);
	sg_init_one(&r->in_sg, r->in, RSA_SIZE);
	sg_init_one(&r->out_sg, r->out, RSA_SIZE);

	for (i = 0; i < ARRAY_SIZE(num); i++) {
		struct bytes b = bytes_hex(test, rsa_numbers[i]);

		num[i] = (struct luna_num){ b.data, b.len };
	}
	nums = (struct luna_rsa_nums){ num[0], num[1], num[2], num[3], num[4], num[5], num[6],
				       num[7] };
	r->key = luna_test_crypto()->rsa_key(&nums);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, r->key);
	return r;
}

static void bare_rsa_free(struct bare_rsa *r)
{
	luna_test_crypto()->rsa_key_free(r->key);
	akcipher_request_free(r->request);
	crypto_free_akcipher(r->tfm);
}

static u32 create_rsa(struct kunit *test)
{
	static const u32 types[] = {
		CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_PRIME_2,
		CKA_EXPONENT_1, CKA_EXPONENT_2, CKA_COEFFICIENT,
	};
	struct bytes template = template_new(test, CKO_PRIVATE_KEY, CKK_RSA, CKA_SIGN);
	int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct bytes number = bytes_hex(test, rsa_numbers[i]);

		add(&template, types[i], number.data, number.len);
	}
	return create(test, template);
}

static void rsa_2048_private(struct kunit *test)
{
	struct bench *b = test->priv;
	struct bare_rsa *r = bare_rsa_new(test);
	struct luna_op op = { .op = LUNA_OP_SIGN, .mechanism = CKM_RSA_X_509, .out_max = RSA_SIZE };
	struct candidate candidates[] = {
		{ "rsa akcipher", run_akcipher, r },
		{ "provider (blinds and verifies)", run_provider_rsa, r },
		{ "luna_cmd C_Sign CKM_RSA_X_509", run_command, b },
	};

	op.key = create_rsa(test);
	prepare(test, &op, bytes_new(test, 0), (struct bytes){ r->in, RSA_SIZE });
	expect_reply(test, bytes_hex(test, rsa_output));
	run_akcipher(r);
	KUNIT_EXPECT_TRUE(test, bytes_are((struct bytes){ r->out, RSA_SIZE }, rsa_output));
	measure(test, candidates, ARRAY_SIZE(candidates), 1);
	report_difference(test, &candidates[0], &candidates[1]);
	report_difference(test, &candidates[1], &candidates[2]);
	report_difference(test, &candidates[0], &candidates[2]);
	bare_rsa_free(r);
}

/* ---- GCM ---- */

/**
 * struct bare_gcm - the kernel's own gcm(aes), and what the engine's GCM calculates: CTR and GHASH
 */
struct bare_gcm {
	struct crypto_aead *tfm;
	struct aead_request *request;
	struct scatterlist in_sg, out_sg;
	struct crypto_wait wait;
	struct luna_aes_key *key;
	struct luna_ghash hash;
	u8 iv[LUNA_AES_BLOCK];
	u8 in[GCM_SIZE];
	u8 out[GCM_SIZE + LUNA_AES_BLOCK];
};

static void run_aead(void *context)
{
	struct bare_gcm *g = context;

	aead_request_set_crypt(g->request, &g->in_sg, &g->out_sg, GCM_SIZE, g->iv);
	crypto_wait_req(crypto_aead_encrypt(g->request), &g->wait);
}

static void run_ctr_and_ghash(void *context)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bare_gcm *g = context;
	struct luna_cipher_stream *s = ops->cipher_begin(g->key, LUNA_CTR, true, g->iv,
							 sizeof(g->iv));

	ops->cipher_update(s, g->in, GCM_SIZE, g->out);
	ops->cipher_end(s);
	luna_ghash_init(&g->hash, g->iv);
	luna_ghash_update(&g->hash, g->out, GCM_SIZE);
	luna_ghash_final(&g->hash, 0, GCM_SIZE, g->out + GCM_SIZE);
}

static struct bare_gcm *bare_gcm_new(struct kunit *test, struct bytes key)
{
	struct bare_gcm *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, g);
	memcpy(g->in, bytes_pattern(test, GCM_SIZE).data, GCM_SIZE);
	g->tfm = crypto_alloc_aead("gcm(aes)", 0, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, g->tfm);
	KUNIT_ASSERT_EQ(test, crypto_aead_setkey(g->tfm, key.data, key.len), 0);
	KUNIT_ASSERT_EQ(test, crypto_aead_setauthsize(g->tfm, LUNA_AES_BLOCK), 0);
	g->request = aead_request_alloc(g->tfm, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, g->request);
	crypto_init_wait(&g->wait);
	aead_request_set_callback(g->request, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done, &g->wait);
	aead_request_set_ad(g->request, 0);
	sg_init_one(&g->in_sg, g->in, sizeof(g->in));
	sg_init_one(&g->out_sg, g->out, sizeof(g->out));
	g->key = luna_test_crypto()->aes_key(key.data, key.len);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, g->key);
	return g;
}

static void bare_gcm_free(struct bare_gcm *g)
{
	luna_test_crypto()->aes_key_free(g->key);
	aead_request_free(g->request);
	crypto_free_aead(g->tfm);
}

static struct bytes gcm_param(struct kunit *test)
{
	const struct luna_gcm_param param = {
		.iv_len = IV_SIZE, .iv_bits = 8 * IV_SIZE, .tag_bits = 128,
	};
	struct bytes bytes = bytes_new(test, sizeof(param) + IV_SIZE);

	memcpy(bytes.data, &param, sizeof(param));
	return bytes;
}

static void gcm_1k(struct kunit *test)
{
	struct bench *b = test->priv;
	struct bytes key = bytes_pattern(test, 32);
	struct bare_gcm *g = bare_gcm_new(test, key);
	struct bytes template = template_new(test, CKO_SECRET_KEY, CKK_AES, CKA_ENCRYPT);
	struct luna_op op = {
		.op = LUNA_OP_ENCRYPT, .mechanism = CKM_AES_GCM,
		.out_max = GCM_SIZE + LUNA_AES_BLOCK,
	};
	struct candidate candidates[] = {
		{ "gcm(aes) aead", run_aead, g },
		{ "provider's CTR and our GHASH", run_ctr_and_ghash, g },
		{ "luna_cmd C_Encrypt CKM_AES_GCM, 1 KiB", run_command, b },
	};

	add(&template, CKA_VALUE, key.data, key.len);
	op.key = create(test, template);
	prepare(test, &op, gcm_param(test), (struct bytes){ g->in, GCM_SIZE });
	run_aead(g);
	expect_reply(test, (struct bytes){ g->out, sizeof(g->out) });
	measure(test, candidates, ARRAY_SIZE(candidates), BATCH);
	report_difference(test, &candidates[0], &candidates[1]);
	report_difference(test, &candidates[1], &candidates[2]);
	report_difference(test, &candidates[0], &candidates[2]);
	bare_gcm_free(g);
}

/* ---- the token ---- */

/* Linux 6.1 runs suites before the module has started its store. */
static bool before_init(void)
{
#ifdef MODULE
	return THIS_MODULE->state == MODULE_STATE_COMING;
#else
	return false;
#endif
}

static int bench_init(struct kunit *test)
{
	static const struct luna_config config = {
		.slot = SLOT, .host = "benchmark", .pin_iterations = 1,
	};
	struct bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	if (!b)
		return -ENOMEM;
	test->priv = b;
	b->request = bytes_new(test, BUFFER).data;
	b->reply = bytes_new(test, BUFFER).data;
	if (before_init())
		KUNIT_ASSERT_EQ(test, luna_store_init(NULL), 0);
	b->store = luna_store_open(SLOT);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->store);
	b->token = luna_token_open(&config, luna_test_crypto(), luna_store_ops(), b->store);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->token);
	b->open = luna_open(b->token);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->open);
	open_session(test);
	return 0;
}

static void bench_exit(struct kunit *test)
{
	struct bench *b = test->priv;

	if (!b)
		return;
	if (!IS_ERR_OR_NULL(b->open))
		luna_release(b->open);
	if (!IS_ERR_OR_NULL(b->token))
		luna_token_close(b->token);
	if (!IS_ERR_OR_NULL(b->store))
		luna_store_close(b->store);
	if (before_init())
		luna_store_exit();
}

static struct kunit_case bench_cases[] = {
	KUNIT_CASE(rsa_2048_private),
	KUNIT_CASE(gcm_1k),
	{}
};

static struct kunit_suite bench_suite = {
	.name = "luna-bench",
	.init = bench_init,
	.exit = bench_exit,
	.test_cases = bench_cases,
};

kunit_test_suites(&bench_suite);
