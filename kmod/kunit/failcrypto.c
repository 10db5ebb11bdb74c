// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A crypto provider whose operations fail when told to; see failcrypto.h. */
#include "failcrypto.h"

static const struct luna_crypto_ops *real;
static struct luna_crypto_ops ops;
static u64 calls, fail_at;
static s64 live;

static bool fails(void)
{
	return ++calls == fail_at;
}

/* What a constructor made is to be given back. */
#define made(p) ({						\
	typeof(p) __made = (p);					\
	live += !IS_ERR(__made);				\
	__made; })

#define DONE(call)	(fails() ? -EIO : (call))
#define MAKE(call)	(fails() ? ERR_PTR(-ENOMEM) : made(call))
#define GIVE_BACK(call, p) do {					\
	live -= !!(p);						\
	call;							\
} while (0)

static int fail_random(void *buf, size_t len)
{
	return DONE(real->random(buf, len));
}

static struct luna_hash_stream *fail_hash_begin(enum luna_hash hash)
{
	return MAKE(real->hash_begin(hash));
}

static int fail_hash_update(struct luna_hash_stream *s, const void *data, size_t len)
{
	return DONE(real->hash_update(s, data, len));
}

static int fail_hash_final(struct luna_hash_stream *s, u8 *digest)
{
	return DONE(real->hash_final(s, digest));
}

static void fail_hash_end(struct luna_hash_stream *s)
{
	GIVE_BACK(real->hash_end(s), s);
}

static struct luna_mac_key *fail_mac_key(enum luna_mac_kind kind, const u8 *key, size_t len)
{
	return MAKE(real->mac_key(kind, key, len));
}

static void fail_mac_key_free(struct luna_mac_key *key)
{
	GIVE_BACK(real->mac_key_free(key), key);
}

static struct luna_mac_stream *fail_mac_begin(struct luna_mac_key *key)
{
	return MAKE(real->mac_begin(key));
}

static int fail_mac_update(struct luna_mac_stream *s, const void *data, size_t len)
{
	return DONE(real->mac_update(s, data, len));
}

static int fail_mac_final(struct luna_mac_stream *s, u8 *mac)
{
	return DONE(real->mac_final(s, mac));
}

static void fail_mac_end(struct luna_mac_stream *s)
{
	GIVE_BACK(real->mac_end(s), s);
}

static struct luna_aes_key *fail_aes_key(const u8 *key, size_t len)
{
	return MAKE(real->aes_key(key, len));
}

static void fail_aes_key_free(struct luna_aes_key *key)
{
	GIVE_BACK(real->aes_key_free(key), key);
}

static struct luna_cipher_stream *fail_cipher_begin(struct luna_aes_key *key, enum luna_mode mode,
						    bool encrypt, const u8 *iv, size_t iv_len)
{
	return MAKE(real->cipher_begin(key, mode, encrypt, iv, iv_len));
}

static int fail_cipher_aad(struct luna_cipher_stream *s, const u8 *aad, size_t len)
{
	return DONE(real->cipher_aad(s, aad, len));
}

static int fail_cipher_update(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	return DONE(real->cipher_update(s, in, len, out));
}

static int fail_cipher_tag(struct luna_cipher_stream *s, u8 *tag, size_t tag_len)
{
	return DONE(real->cipher_tag(s, tag, tag_len));
}

static void fail_cipher_end(struct luna_cipher_stream *s)
{
	GIVE_BACK(real->cipher_end(s), s);
}

static int fail_gcm_once(struct luna_aes_key *key, bool encrypt, const u8 *iv, const u8 *aad,
			 size_t aad_len, const u8 *in, size_t len, u8 *out, u8 *tag)
{
	return DONE(real->gcm_once(key, encrypt, iv, aad, aad_len, in, len, out, tag));
}

static struct luna_des3_key *fail_des3_key(const u8 *key)
{
	return MAKE(real->des3_key(key));
}

static void fail_des3_key_free(struct luna_des3_key *key)
{
	GIVE_BACK(real->des3_key_free(key), key);
}

static int fail_des3_crypt(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
			   size_t len, u8 *out)
{
	return DONE(real->des3_crypt(key, encrypt, iv, in, len, out));
}

static struct luna_rsa_key *fail_rsa_key(const struct luna_rsa_nums *nums)
{
	return MAKE(real->rsa_key(nums));
}

static void fail_rsa_key_free(struct luna_rsa_key *key)
{
	GIVE_BACK(real->rsa_key_free(key), key);
}

static int fail_rsa_public(struct luna_rsa_key *key, const u8 *in, u8 *out)
{
	return DONE(real->rsa_public(key, in, out));
}

static int fail_rsa_private(struct luna_rsa_key *key, const u8 *in, u8 *out)
{
	return DONE(real->rsa_private(key, in, out));
}

/* Plain memory, which the engine frees by itself: not counted. */
static struct luna_rsa_made *fail_rsa_generate(u32 bits, const u8 *e, size_t e_len)
{
	return fails() ? ERR_PTR(-ENOMEM) : real->rsa_generate(bits, e, e_len);
}

static struct luna_ec_key *fail_ec_key(enum luna_curve curve, const struct luna_num *point,
				       const struct luna_num *value)
{
	return MAKE(real->ec_key(curve, point, value));
}

static void fail_ec_key_free(struct luna_ec_key *key)
{
	GIVE_BACK(real->ec_key_free(key), key);
}

static int fail_ec_generate(enum luna_curve curve, u8 *point, u8 *value)
{
	return DONE(real->ec_generate(curve, point, value));
}

static int fail_ec_public(enum luna_curve curve, const struct luna_num *value, u8 *point)
{
	return DONE(real->ec_public(curve, value, point));
}

static int fail_ec_sign(struct luna_ec_key *key, const u8 *data, size_t len, u8 *sig)
{
	return DONE(real->ec_sign(key, data, len, sig));
}

static int fail_ec_verify(struct luna_ec_key *key, const u8 *data, size_t len, const u8 *sig)
{
	return DONE(real->ec_verify(key, data, len, sig));
}

static int fail_ecdh(struct luna_ec_key *key, const u8 *point, u8 *secret)
{
	return DONE(real->ecdh(key, point, secret));
}

static int fail_pbkdf2(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
		       size_t salt_len, u32 iterations, u8 *out, size_t out_len)
{
	return DONE(real->pbkdf2(hash, pin, pin_len, salt, salt_len, iterations, out, out_len));
}

const struct luna_crypto_ops *failcrypto_ops(const struct luna_crypto_ops *base)
{
	real = base;
	fail_at = 0;
	ops = *base;
	ops.random = fail_random;
	ops.hash_begin = fail_hash_begin;
	ops.hash_update = fail_hash_update;
	ops.hash_final = fail_hash_final;
	ops.hash_end = fail_hash_end;
	ops.mac_key = fail_mac_key;
	ops.mac_key_free = fail_mac_key_free;
	ops.mac_begin = fail_mac_begin;
	ops.mac_update = fail_mac_update;
	ops.mac_final = fail_mac_final;
	ops.mac_end = fail_mac_end;
	ops.aes_key = fail_aes_key;
	ops.aes_key_free = fail_aes_key_free;
	ops.cipher_begin = fail_cipher_begin;
	ops.cipher_aad = base->cipher_aad ? fail_cipher_aad : NULL;
	ops.cipher_update = fail_cipher_update;
	ops.cipher_tag = base->cipher_tag ? fail_cipher_tag : NULL;
	ops.cipher_end = fail_cipher_end;
	ops.gcm_once = base->gcm_once ? fail_gcm_once : NULL;
	ops.des3_key = fail_des3_key;
	ops.des3_key_free = fail_des3_key_free;
	ops.des3_crypt = fail_des3_crypt;
	ops.rsa_key = fail_rsa_key;
	ops.rsa_key_free = fail_rsa_key_free;
	ops.rsa_public = fail_rsa_public;
	ops.rsa_private = fail_rsa_private;
	ops.rsa_generate = fail_rsa_generate;
	ops.ec_key = fail_ec_key;
	ops.ec_key_free = fail_ec_key_free;
	ops.ec_generate = fail_ec_generate;
	ops.ec_public = fail_ec_public;
	ops.ec_sign = fail_ec_sign;
	ops.ec_verify = fail_ec_verify;
	ops.ecdh = fail_ecdh;
	ops.pbkdf2 = base->pbkdf2 ? fail_pbkdf2 : NULL;
	return &ops;
}

static void crypto_begin(void)
{
	live = 0;
}

static void crypto_arm(u64 nth)
{
	calls = 0;
	fail_at = nth;
}

static u64 crypto_met(void)
{
	return calls;
}

static s64 crypto_end(void)
{
	return live;
}

const struct luna_test_fault luna_failcrypto = {
	.name = "provider",
	.begin = crypto_begin,
	.arm = crypto_arm,
	.met = crypto_met,
	.end = crypto_end,
};
