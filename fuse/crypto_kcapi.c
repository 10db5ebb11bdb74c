// SPDX-License-Identifier: MIT
/*
 * The libkcapi provider's table of operations, and the probe that says which are the kernel's. The
 * other parts are kcapi_{cipher,des3,hash,random,handle}.c.
 */
#include "crypto_kcapi.h"
#include "crypto_openssl.h"
#include "kcapi_provider.h"
#include "openssl.h"

enum { TEXT = 9 * LUNA_AES_BLOCK, KEY = 32, KEY_MIN = 16 };

/* An algorithm is not used although it opens: it answers wrong. */
#define WRONG_ANSWER	(-EBADMSG)

/* Best first; AF_ALG's other generators are no DRBG. */
static const char * const generators[] = {
	"drbg_nopr_hmac_sha512",
	"drbg_nopr_hmac_sha256",
	"drbg_nopr_ctr_aes256",
};

struct kcapi_served kcapi_served;

static struct luna_crypto_ops kcapi_ops;
static char kcapi_library[32];	/* "kcapi 1.4.0" */
static char ops_name[80];

/**
 * struct probe - what answers are asked for, and where they go; heap memory, as the ops demand
 */
struct probe {
	u8 key[KEY];
	u8 des3_key[LUNA_DES3_KEY];
	u8 text[TEXT];
	u8 answers[2][TEXT];
};

/**
 * struct question - what an answer is asked to
 * @index: mode, hash or kind of MAC
 * @key_len: ciphers and MACs; bytes; of triple DES those that differ, 8, 16 or 24
 * @len: of the text
 */
struct question {
	u32 index;
	size_t key_len;
	size_t len;
	bool encrypt;
};

typedef int (*answer_fn)(const struct luna_crypto_ops *ops, struct probe *p,
			 const struct question *q, u8 *out);

/* In two pieces, the first of which ends inside a block if the mode allows that */
static int cipher_answer(const struct luna_crypto_ops *ops, struct probe *p,
			 const struct question *q, u8 *out)
{
	size_t first = q->index == LUNA_CTR ? 37 : 2 * LUNA_AES_BLOCK;
	struct luna_aes_key *key = ops->aes_key(p->key, q->key_len);
	struct luna_cipher_stream *s;
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	s = ops->cipher_begin(key, q->index, q->encrypt, p->text,
			      q->index == LUNA_ECB ? 0 : LUNA_AES_BLOCK);
	err = PTR_ERR_OR_ZERO(s);
	if (!err) {
		err = ops->cipher_update(s, p->text, first, out);
		if (!err)
			err = ops->cipher_update(s, p->text + first, q->len - first, out + first);
		ops->cipher_end(s);
	}
	ops->aes_key_free(key);
	return err;
}

static int hash_answer(const struct luna_crypto_ops *ops, struct probe *p, const struct question *q,
		       u8 *out)
{
	struct luna_hash_stream *s = ops->hash_begin(q->index);
	int err;

	if (IS_ERR(s))
		return PTR_ERR(s);
	err = ops->hash_update(s, p->text, q->len / 2);
	if (!err)
		err = ops->hash_update(s, p->text + q->len / 2, q->len - q->len / 2);
	if (!err)
		err = ops->hash_final(s, out);
	ops->hash_end(s);
	return err;
}

static int mac_answer(const struct luna_crypto_ops *ops, struct probe *p, const struct question *q,
		      u8 *out)
{
	struct luna_mac_key *key = ops->mac_key(q->index, p->key, q->key_len);
	struct luna_mac_stream *s;
	int err;

	if (IS_ERR(key))
		return PTR_ERR(key);
	s = ops->mac_begin(key);
	err = PTR_ERR_OR_ZERO(s);
	if (!err) {
		err = ops->mac_update(s, p->text, q->len);
		if (!err)
			err = ops->mac_final(s, out);
		ops->mac_end(s);
	}
	ops->mac_key_free(key);
	return err;
}

static int des3_answer(const struct luna_crypto_ops *ops, struct probe *p, const struct question *q,
		       u8 *out)
{
	struct luna_des3_key *key;
	int err;

	for (size_t i = 0; i < LUNA_DES3_KEY; i++)
		p->des3_key[i] = p->key[i % q->key_len];
	key = ops->des3_key(p->des3_key);
	if (IS_ERR(key))
		return PTR_ERR(key);
	err = ops->des3_crypt(key, q->encrypt, q->index == LUNA_CBC ? p->text : NULL, p->text,
			      q->len, out);
	ops->des3_key_free(key);
	return err;
}

/* Both providers' answers, compared */
static int answers_agree(struct probe *p, answer_fn answer, const struct question *q)
{
	int err;

	memset(p->answers, 0, sizeof(p->answers));
	err = answer(&kcapi_ops, p, q, p->answers[0]);
	if (!err)
		err = answer(&luna_openssl_ops, p, q, p->answers[1]);
	if (err)
		return err;
	return memcmp(p->answers[0], p->answers[1], TEXT) ? WRONG_ANSWER : 0;
}

/* ---- the probe ---- */

/* AF_ALG has it and takes the key: then the ops do not turn to OpenSSL for it. */
static int opens(struct kcapi_pool *pool, const char *name, const u8 *key, size_t len)
{
	const struct kcapi_use use = { name, key, len };
	struct kcapi_tool *tool = kcapi_take(pool, &use);

	if (IS_ERR(tool))
		return PTR_ERR(tool);
	kcapi_give(tool, false);
	return 0;
}

static int both_ways_agree(struct probe *p, answer_fn answer, struct question *q)
{
	int err;

	q->encrypt = true;
	err = answers_agree(p, answer, q);
	q->encrypt = false;
	return err ? err : answers_agree(p, answer, q);
}

static int try_mode(struct probe *p, u32 mode)
{
	struct question q = { .index = mode, .len = TEXT };
	int err = opens(&kcapi_ciphers, kcapi_mode_name(mode), p->key, KEY);

	for (q.key_len = KEY_MIN; q.key_len <= KEY && !err; q.key_len += 8)
		err = both_ways_agree(p, cipher_answer, &q);
	return err;
}

/* Also with two parts, and with one three times, which the kernel may be set to refuse. */
static int try_des3_mode(struct probe *p, enum luna_mode mode)
{
	struct question q = { .index = mode, .len = TEXT };
	int err = opens(&kcapi_ciphers, kcapi_des3_name(mode), p->key, LUNA_DES3_KEY);

	for (q.key_len = LUNA_DES3_KEY; q.key_len && !err; q.key_len -= 8)
		err = both_ways_agree(p, des3_answer, &q);
	return err;
}

static int try_hash(struct probe *p, u32 hash)
{
	struct question q = { .index = hash };
	int err = opens(&kcapi_hashes, kcapi_hash_name(hash), NULL, 0);

	for (; q.len <= TEXT && !err; q.len += TEXT)
		err = answers_agree(p, hash_answer, &q);
	return err;
}

static int try_mac(struct probe *p, u32 kind)
{
	struct question q = { .index = kind };
	int err = opens(&kcapi_hashes, kcapi_mac_name(kind), p->key, KEY);

	for (q.key_len = KEY_MIN; q.key_len <= KEY && !err; q.key_len += 8)
		for (q.len = 0; q.len <= TEXT && !err; q.len += TEXT)
			err = answers_agree(p, mac_answer, &q);
	return err;
}

static const char *why(int err)
{
	switch (err) {
	case WRONG_ANSWER:
		return "answers wrong";
	case -ENOENT:
		return "not offered";
	case -EOPNOTSUPP:
	case -EAFNOSUPPORT:
		return "no AF_ALG";
	default:
		return strerror(-err);
	}
}

static void tell(const char *name, int err)
{
	if (err)
		pr_info("%s: OpenSSL (AF_ALG: %s)\n", name, why(err));
	else
		pr_info("%s: AF_ALG\n", name);
}

/* Tries @count algorithms, whose names @name has; Return: the mask of those that work */
static u32 try_all(struct probe *p, u32 count, const char *(*name)(u32 index),
		   int (*try)(struct probe *p, u32 index), int *first_err)
{
	u32 works = 0;

	for (u32 i = 0; i < count; i++) {
		int err;

		if (!name(i))
			continue;
		err = try(p, i);
		tell(name(i), err);
		if (!err)
			works |= BIT(i);
		else if (!*first_err)
			*first_err = err;
	}
	return works;
}

static bool try_des3(struct probe *p, int *first_err)
{
	int err;

	if (!openssl_has_des3())	/* to compare with */
		return false;
	err = try_des3_mode(p, LUNA_ECB);
	if (!err)
		err = try_des3_mode(p, LUNA_CBC);
	tell("des3_ede", err);
	if (err && !*first_err)
		*first_err = err;
	return !err;
}

static const char *try_random(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(generators); i++) {
		int err = kcapi_random_try(generators[i]);

		tell(generators[i], err);
		if (!err)
			return generators[i];
	}
	return NULL;
}

/* ---- the table ---- */

static void kcapi_describe(enum luna_primitive primitive, u32 index, struct luna_provider *row)
{
	const char *name = NULL;

	if (primitive == LUNA_PRIMITIVE_MODE && kcapi_served.modes & BIT(index))
		name = kcapi_mode_name(index);
	else if (primitive == LUNA_PRIMITIVE_HASH && kcapi_served.hashes & BIT(index))
		name = kcapi_hash_name(index);
	else if (primitive == LUNA_PRIMITIVE_MAC && kcapi_served.macs & BIT(index))
		name = kcapi_mac_name(index);
	else if (primitive == LUNA_PRIMITIVE_DES3 && kcapi_served.des3)
		name = kcapi_des3_name(LUNA_CBC);
	else if (primitive == LUNA_PRIMITIVE_RANDOM)
		name = kcapi_served.random;
	strscpy((char *)row->provider, name ? kcapi_library : luna_openssl_ops.name,
		sizeof(row->provider));
	if (name)
		strscpy((char *)row->implementation, name, sizeof(row->implementation));
}

/* OpenSSL's, and what AF_ALG may have in the place of its own */
static void ops_prepare(void)
{
	kcapi_ops = luna_openssl_ops;
	kcapi_ops.name = ops_name;
	kcapi_ops.hash_begin = kcapi_hash_begin;
	kcapi_ops.hash_update = kcapi_hash_update;
	kcapi_ops.hash_final = kcapi_hash_final;
	kcapi_ops.hash_end = kcapi_hash_end;
	kcapi_ops.mac_key = kcapi_mac_key;
	kcapi_ops.mac_key_free = kcapi_mac_key_free;
	kcapi_ops.mac_begin = kcapi_mac_begin;
	kcapi_ops.mac_update = kcapi_mac_update;
	kcapi_ops.mac_final = kcapi_mac_final;
	kcapi_ops.mac_end = kcapi_mac_end;
	kcapi_ops.aes_key = kcapi_aes_key;
	kcapi_ops.aes_key_free = kcapi_aes_key_free;
	kcapi_ops.cipher_begin = kcapi_stream_begin;
	kcapi_ops.cipher_aad = kcapi_stream_aad;
	kcapi_ops.cipher_update = kcapi_stream_update;
	kcapi_ops.cipher_tag = kcapi_stream_tag;
	kcapi_ops.cipher_end = kcapi_stream_end;
	kcapi_ops.des3_key = kcapi_des3_key;
	kcapi_ops.des3_key_free = kcapi_des3_key_free;
	kcapi_ops.des3_crypt = kcapi_des3_crypt;
	kcapi_ops.describe = kcapi_describe;
}

static void ops_finish(void)
{
	if (kcapi_served.random)
		kcapi_ops.random = kcapi_random;
	if (kcapi_served.modes & BIT(LUNA_CTR)) {
		kcapi_ops.modes &= ~(u32)BIT(LUNA_GCM);
		kcapi_ops.features &= ~(u32)LUNA_CRYPTO_GCM_ANY_IV;
	}
}

static void name_library(void)
{
	u32 version = kcapi_version();

	snprintf(kcapi_library, sizeof(kcapi_library), "kcapi %u.%u.%u", version / 1000000,
		 version / 10000 % 100, version / 100 % 100);
	snprintf(ops_name, sizeof(ops_name), "%s, %s", kcapi_library, luna_openssl_ops.name);
}

/* Everything counts as the kernel's while it is tried. Return: why not, if nothing is */
static int probe_all(struct probe *p)
{
	struct kcapi_served works = {};
	int err = 0;

	kcapi_served = (struct kcapi_served){ ~0u, ~0u, ~0u, true, NULL };
	works.modes = try_all(p, LUNA_MODES, kcapi_mode_name, try_mode, &err);
	works.hashes = try_all(p, LUNA_HASHES, kcapi_hash_name, try_hash, &err);
	works.macs = try_all(p, LUNA_MACS, kcapi_mac_name, try_mac, &err);
	works.des3 = try_des3(p, &err);
	works.random = try_random();
	kcapi_served = works;
	kcapi_forget(&kcapi_ciphers, NULL);
	kcapi_forget(&kcapi_hashes, NULL);
	if (works.modes || works.hashes || works.macs || works.des3 || works.random)
		return 0;
	return err == -EOPNOTSUPP ? -EAFNOSUPPORT : err == -EAFNOSUPPORT ? err : -ENOENT;
}

const struct luna_crypto_ops *luna_kcapi_start(void)
{
	struct probe *p;
	int err = luna_openssl_start();

	if (err)
		return ERR_PTR(err);
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return ERR_PTR(-ENOMEM);
	for (size_t i = 0; i < KEY; i++)
		p->key[i] = 3 * i + 1;
	for (size_t i = 0; i < TEXT; i++)
		p->text[i] = 7 * i + 5;
	kcapi_set_verbosity(KCAPI_LOG_NONE);
	kcapi_limit();
	name_library();
	ops_prepare();
	err = probe_all(p);
	kfree(p);
	if (err)
		return ERR_PTR(err);
	ops_finish();
	return &kcapi_ops;
}
