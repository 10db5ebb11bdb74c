/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a host of the engine (the kernel module, the FUSE daemon, a test) sees of it: the ops that
 * it supplies and the few calls that it makes. Errors are negative errnos unless a CKR is said.
 */
#ifndef LUNA_TOKEN_ENGINE_H
#define LUNA_TOKEN_ENGINE_H

#include "port.h"
#include <uapi/luna.h>

/* Hashes that a provider may offer; indexes of its masks. */
enum luna_hash {
	LUNA_SHA1,
	LUNA_SHA224,
	LUNA_SHA256,
	LUNA_SHA384,
	LUNA_SHA512,
	LUNA_SHA3_224,
	LUNA_SHA3_256,
	LUNA_SHA3_384,
	LUNA_SHA3_512,
	LUNA_HASHES
};

enum {
	LUNA_HASH_MAX = 64,		/* bytes of the longest digest and MAC */
	LUNA_AES_BLOCK = 16,
	LUNA_DES_BLOCK = 8,
	LUNA_DES3_KEY = 24,		/* bytes; of one with two parts, the first once more */
	LUNA_RSA_MAX_BITS = 8192,
	LUNA_RSA_MAX = LUNA_RSA_MAX_BITS / 8,
};

/* Keyed MACs: the HMAC of hash h is LUNA_HMAC + h. */
enum luna_mac_kind {
	LUNA_CMAC_AES,
	LUNA_HMAC,
	LUNA_MACS = LUNA_HMAC + LUNA_HASHES
};

enum luna_mode {
	LUNA_ECB,
	LUNA_CBC,
	LUNA_CTR,	/* the whole block counts, big endian */
	LUNA_GCM,
	LUNA_MODES
};

/* Elliptic curves; named by their OID or, the last two, by a string (ec_curve.c). */
enum luna_curve {
	LUNA_P224,
	LUNA_P256,
	LUNA_P384,
	LUNA_P521,
	LUNA_SECP256K1,
	LUNA_ED25519,
	LUNA_X25519,
	LUNA_CURVES
};

enum {
	LUNA_EC_MAX = 66,			/* bytes of a coordinate or a private value */
	LUNA_EC_POINT_MAX = 1 + 2 * LUNA_EC_MAX,
};

/* Bits of the field, as PKCS#11 counts key sizes. */
static inline u32 luna_curve_bits(enum luna_curve curve)
{
	static const u16 bits[LUNA_CURVES] = { 224, 256, 384, 521, 256, 255, 255 };

	return bits[curve];
}

/* Bytes of a coordinate, of a private value, of what ecdh() gives, and of half a signature. */
static inline u32 luna_curve_bytes(enum luna_curve curve)
{
	return DIV_ROUND_UP(luna_curve_bits(curve), 8);
}

static inline bool luna_curve_is_weierstrass(enum luna_curve curve)
{
	return curve < LUNA_ED25519;
}

/* Bytes of a public point: 04, x and y (SEC 1, 2.3.3); of the last two curves RFC 8032's, 7748's */
static inline u32 luna_curve_point_len(enum luna_curve curve)
{
	u32 bytes = luna_curve_bytes(curve);

	return luna_curve_is_weierstrass(curve) ? 1 + 2 * bytes : bytes;
}

/*
 * What a provider computes; the other half of luna_crypto_ops.describe()'s question is in
 * brackets.
 */
enum luna_primitive {
	LUNA_PRIMITIVE_MODE,	/* [enum luna_mode] */
	LUNA_PRIMITIVE_HASH,	/* [enum luna_hash] */
	LUNA_PRIMITIVE_MAC,	/* [enum luna_mac_kind] */
	LUNA_PRIMITIVE_RSA,
	LUNA_PRIMITIVE_RANDOM,
	LUNA_PRIMITIVE_PBKDF2,
	LUNA_PRIMITIVE_EC,	/* [enum luna_curve] */
	LUNA_PRIMITIVE_DES3,
};

/* Provider's own types: prepared keys are immutable and shared by threads, streams are not. */
struct luna_hash_stream;
struct luna_mac_key;
struct luna_mac_stream;
struct luna_aes_key;
struct luna_des3_key;
struct luna_cipher_stream;
struct luna_rsa_key;
struct luna_ec_key;

/**
 * struct luna_num - an unsigned big-endian number, without ownership
 */
struct luna_num {
	const u8 *data;
	u32 len;
};

/**
 * struct luna_rsa_nums - an RSA key; absent parts have len 0
 * A private key has at least @n and @d; CRT is used when @p, @q, @dp, @dq and @qi are all there.
 */
struct luna_rsa_nums {
	struct luna_num n, e, d, p, q, dp, dq, qi;
};

/**
 * struct luna_rsa_made - result of rsa_generate: the numbers of a new key in one buffer, to be
 * wiped
 * @bits: of the modulus, a multiple of 8. All of @n, @d are bits/8 bytes long, @p, @q, @dp, @dq,
 *	@qi (bits/8 + 1)/2 bytes, with leading zeros; freed by the caller with
 *	kfree_sensitive() on the struct.
 */
struct luna_rsa_made {
	u32 bits;
	u8 n[LUNA_RSA_MAX], d[LUNA_RSA_MAX];
	u8 p[LUNA_RSA_MAX / 2], q[LUNA_RSA_MAX / 2];
	u8 dp[LUNA_RSA_MAX / 2], dq[LUNA_RSA_MAX / 2], qi[LUNA_RSA_MAX / 2];
};

/* luna_crypto_ops.features */
#define LUNA_CRYPTO_RSA_CHECKED	0x1	/* rsa_private blinds and verifies its result by itself */
#define LUNA_CRYPTO_GCM_ANY_IV	0x2	/* LUNA_GCM takes IVs of any length, not only 12 bytes */

/**
 * struct luna_crypto_ops - raw primitives; thread-safe; no padding, no policy
 *
 * Constructors return ERR_PTR(): -ENOMEM, -EINVAL (key or IV of a wrong size), -EOPNOTSUPP. The
 * others return 0 or -ENOMEM, -EINVAL, -EIO, -EINTR. Input and output may be the same buffer, but
 * may not overlap otherwise. Buffers are kmalloc memory of any alignment, never on the stack for
 * the cipher, MAC, RSA and EC calls. Free and end functions take NULL and wipe what they free.
 */
struct luna_crypto_ops {
	const char *name;		/* for LUNA_GET_INFO */
	u32 features;			/* LUNA_CRYPTO_* */
	u32 hashes;			/* bit per enum luna_hash */
	u32 macs;			/* bit per enum luna_mac_kind */
	u32 modes;			/* bit per enum luna_mode; LUNA_GCM else by the engine */
	u32 rsa_min_bits, rsa_max_bits;	/* 0: no RSA */
	u32 curves;			/* bit per enum luna_curve: keys, and what they agree on */
	u32 curves_sign;		/* those of them whose keys sign and verify, too */

	int (*random)(void *buf, size_t len);

	struct luna_hash_stream *(*hash_begin)(enum luna_hash hash);
	int (*hash_update)(struct luna_hash_stream *s, const void *data, size_t len);
	int (*hash_final)(struct luna_hash_stream *s, u8 *digest);
	void (*hash_end)(struct luna_hash_stream *s);

	struct luna_mac_key *(*mac_key)(enum luna_mac_kind kind, const u8 *key, size_t len);
	void (*mac_key_free)(struct luna_mac_key *key);
	struct luna_mac_stream *(*mac_begin)(struct luna_mac_key *key);
	int (*mac_update)(struct luna_mac_stream *s, const void *data, size_t len);
	int (*mac_final)(struct luna_mac_stream *s, u8 *mac);
	void (*mac_end)(struct luna_mac_stream *s);

	struct luna_aes_key *(*aes_key)(const u8 *key, size_t len);
	void (*aes_key_free)(struct luna_aes_key *key);
	/* ECB takes no IV, CBC and CTR 16 bytes, GCM see features. The key outlives the stream. */
	struct luna_cipher_stream *(*cipher_begin)(struct luna_aes_key *key, enum luna_mode mode,
						   bool encrypt, const u8 *iv, size_t iv_len);
	int (*cipher_aad)(struct luna_cipher_stream *s, const u8 *aad, size_t len);
	/* ECB and CBC: len a multiple of 16. Writes len bytes. */
	int (*cipher_update)(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out);
	/* GCM: encrypt writes the tag, decrypt compares it (-EBADMSG). tag_len 4..16 */
	int (*cipher_tag)(struct luna_cipher_stream *s, u8 *tag, size_t tag_len);
	void (*cipher_end)(struct luna_cipher_stream *s);

	/*
	 * Optional: GCM of one message, with an IV of 12 bytes. @aad_len and @len may be 0; @out:
	 * @len bytes; @tag: 16 bytes, written by encryption, compared by decryption: -EBADMSG. On
	 * errors @out holds no plaintext. Also -EOPNOTSUPP, with nothing done: compute it in
	 * another way. A provider with LUNA_GCM needs no second way to it.
	 */
	int (*gcm_once)(struct luna_aes_key *key, bool encrypt, const u8 *iv, const u8 *aad,
			size_t aad_len, const u8 *in, size_t len, u8 *out, u8 *tag);

	/*
	 * Triple DES, encrypting, decrypting, encrypting. has_des3() NULL or false: there is none,
	 * and the rest is not called. des3_key() takes LUNA_DES3_KEY bytes of any parity, also weak
	 * keys, where the library or kernel under the provider does; else -EINVAL.
	 */
	bool (*has_des3)(void);
	struct luna_des3_key *(*des3_key)(const u8 *key);
	void (*des3_key_free)(struct luna_des3_key *key);
	/* CBC or, with @iv NULL, ECB; len a multiple of 8. Writes len bytes; leaves @iv alone. */
	int (*des3_crypt)(struct luna_des3_key *key, bool encrypt, const u8 *iv, const u8 *in,
			  size_t len, u8 *out);

	struct luna_rsa_key *(*rsa_key)(const struct luna_rsa_nums *nums);
	void (*rsa_key_free)(struct luna_rsa_key *key);
	/* Raw: in and out are as long as the modulus; -EINVAL if in >= modulus. */
	int (*rsa_public)(struct luna_rsa_key *key, const u8 *in, u8 *out);
	int (*rsa_private)(struct luna_rsa_key *key, const u8 *in, u8 *out);
	/* May take minutes, never under a token lock; -EINTR when the caller was killed. */
	struct luna_rsa_made *(*rsa_generate)(u32 bits, const u8 *e, size_t e_len);

	/*
	 * Elliptic curves; NULL where @curves is 0, ec_sign() and ec_verify() where @curves_sign
	 * is. Points have luna_curve_point_len() bytes.
	 * Private values are big-endian numbers of any length in 1 .. order - 1, those of the last
	 * two curves 32 bytes as RFC 8032 and RFC 7748 have them; constant time in them.
	 */
	/*
	 * A public key of @point or a private one of @value; the other is NULL. -EINVAL: not on the
	 * curve, at infinity, out of range; -EOPNOTSUPP: a curve that is not in @curves.
	 */
	struct luna_ec_key *(*ec_key)(enum luna_curve curve, const struct luna_num *point,
				      const struct luna_num *value);
	void (*ec_key_free)(struct luna_ec_key *key);
	/* @point: written; @value: luna_curve_bytes(), big-endian with leading zeros. */
	int (*ec_generate)(enum luna_curve curve, u8 *point, u8 *value);
	/* The public point of a private value; errors as ec_key(). */
	int (*ec_public)(enum luna_curve curve, const struct luna_num *value, u8 *point);
	/*
	 * ECDSA of a digest, @len 1 .. luna_curve_bytes(), of which the leftmost bits count, as
	 * many as the order has; Ed25519 of a message. @sig: twice luna_curve_bytes(): r and s, or
	 * RFC 8032's. ec_verify(): -EBADMSG: it is not that of the data.
	 */
	int (*ec_sign)(struct luna_ec_key *key, const u8 *data, size_t len, u8 *sig);
	int (*ec_verify)(struct luna_ec_key *key, const u8 *data, size_t len, const u8 *sig);
	/*
	 * @secret: luna_curve_bytes(): the x coordinate (SEC 1, 3.3.1), or RFC 7748's. @point: the
	 * other side's; -EINVAL as ec_key(), or its order is so low that the secret would be zero.
	 */
	int (*ecdh)(struct luna_ec_key *key, const u8 *point, u8 *secret);

	/* Optional: NULL leaves it to the engine. HMAC of @hash. */
	int (*pbkdf2)(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
		      size_t salt_len, u32 iterations, u8 *out, size_t out_len);

	/*
	 * Optional: corrects @row, which names this provider (@name) and no implementation, where
	 * someone else computes or an implementation has a name. For LUNA_PROVIDER_LIST.
	 */
	void (*describe)(enum luna_primitive primitive, u32 index, struct luna_provider *row);
};

/**
 * struct luna_store_ops - a file-like place for one token's log
 *
 * The engine serialises all calls but these: sync() runs beside append() and reserve();
 * replace_append() and replace_sync() run beside both and truncate(); read() beside everything but
 * replace_commit(). append() that fails leaves the old content, as far as truncate() can restore
 * it. Replacement: replace_begin(), any number of replace_append(), then replace_commit(), after
 * which the new content, durably and atomically, is the store's; a crash before leaves the old one.
 * replace_sync() flushes it so far, to make the commit shorter; it may be NULL.
 *
 * reserve() keeps space for the content to grow to @end bytes, so that append() finds it whatever
 * else fills the place; with an @end of 0 what was kept is given back. -ENOSPC, -EDQUOT or -EFBIG:
 * there is none; -EOPNOTSUPP: this place cannot. It is no content: size() does not count it, and
 * truncate() and replace_commit() may give it up. NULL is -EOPNOTSUPP about which nothing is said.
 * replace_begin() keeps space for @size bytes in the same way, and without it goes on.
 */
struct luna_store_ops {
	int (*size)(void *store, u64 *size);
	int (*read)(void *store, u64 offset, void *buf, size_t len);
	int (*append)(void *store, const void *buf, size_t len);	/* -ENOSPC, -ENOMEM, -EIO */
	int (*truncate)(void *store, u64 size);
	int (*sync)(void *store);
	int (*reserve)(void *store, u64 end);
	int (*replace_begin)(void *store, u64 size);
	int (*replace_append)(void *store, const void *buf, size_t len);
	int (*replace_sync)(void *store);
	int (*replace_commit)(void *store);
	void (*replace_abort)(void *store);
	bool persistent;
};

/* luna_config.flags */
#define LUNA_CONFIG_LAX_HA_KEYS	0x1	/* HA login key: check the usage flags alone */
#define LUNA_CONFIG_LONG	0x2	/* the host takes LUNA_IOC_LONG(), too */

/**
 * struct luna_config - what a host decides about a token
 * @slot: number on this host
 * @host: for LUNA_GET_INFO
 * @flags: LUNA_CONFIG_*
 * @pin_iterations: PBKDF2 rounds for new PINs; 0: the default
 * @now: seconds since 1970; NULL: the clock. Tests set it for fixed vectors
 */
struct luna_config {
	u32 slot;
	const char *host;
	u32 flags;
	u32 pin_iterations;
	u64 (*now)(void);
};

struct luna_token;
struct luna_open;

/**
 * luna_token_open() - load a token from its store
 * The ops and @store must live until luna_token_close(). A store that is empty gives an
 * uninitialised token; one that is damaged gives a token that refuses everything but LUNA_GET_INFO
 * and LUNA_SLOT_INFO with CKR_DEVICE_ERROR, and leaves the store as it is.
 * Return: the token or ERR_PTR(-ENOMEM, -EINVAL for unusable ops).
 */
struct luna_token *luna_token_open(const struct luna_config *config,
				   const struct luna_crypto_ops *crypto,
				   const struct luna_store_ops *store_ops, void *store);

/* luna_token_close() - wipe and free a token that has no open files left */
void luna_token_close(struct luna_token *token);

/**
 * luna_open_by() - an open file, which is an application of its own until it says LUNA_APP_ID
 * @owner: user id of who opens it, as the host of the engine numbers users; root is 0
 *
 * Return: its context or ERR_PTR(-ENOMEM, -EUSERS: there are too many).
 */
struct luna_open *luna_open_by(struct luna_token *token, u32 owner);

/* luna_open() - the same by root */
static inline struct luna_open *luna_open(struct luna_token *token)
{
	return luna_open_by(token, 0);
}

/**
 * luna_release() - end an open file with its sessions, operations and session objects
 * The login ends with the last session of the application, unless LUNA_APP_OPEN keeps it.
 */
void luna_release(struct luna_open *open);

/**
 * luna_cmd() - carry one command of the ABI
 * @nr: command number (enum luna_command)
 * @in: the request, @len bytes; private memory of the host that nobody else writes to
 * @out: room for the reply, @len bytes, apart from @in
 * @out_len: bytes of @out to hand back, set also when an error is returned (0)
 *
 * Of @in nothing behind hdr.size + hdr.in_len bytes is read. What @out holds behind *@out_len
 * afterwards was there before, or is zero: to wipe a reply, wipe that much.
 *
 * Return: 0 and a reply, or the negative errno of the ABI's general section.
 */
int luna_cmd(struct luna_open *open, u32 nr, const void *in, size_t len, void *out,
	     size_t *out_len);

/* luna_cmd_public() */
#define LUNA_PUBLIC_IN	0x1
#define LUNA_PUBLIC_OUT	0x2

/**
 * luna_cmd_public() - what of a command is no secret, so that its host need not wipe it: ciphertext
 * @nr: command number
 * @in: the request, @len bytes
 *
 * Return: LUNA_PUBLIC_*.
 */
u32 luna_cmd_public(u32 nr, const void *in, size_t len);

#endif /* LUNA_TOKEN_ENGINE_H */
