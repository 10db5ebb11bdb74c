// SPDX-License-Identifier: MIT
/*
 * AES in ECB, CBC and CTR mode, and the way of any cipher's blocks through AF_ALG. What goes on
 * from one call to the next is an IV, which is kept here: a stream holds no handle between its
 * calls, so that any number may be open.
 *
 * Data goes by sendmsg(2), in pieces that fit the socket's buffers. libkcapi's other way,
 * vmsplice(2), copies as well on newer kernels, where it is not refused altogether.
 */
#include "kcapi_provider.h"
#include "openssl.h"

enum { AES_KEY_MAX = 32, PIECE_MAX = 32768 };

static const char * const mode_names[LUNA_MODES] = {
	[LUNA_ECB] = "ecb(aes)",
	[LUNA_CBC] = "cbc(aes)",
	[LUNA_CTR] = "ctr(aes)",
};

const char *kcapi_mode_name(u32 mode)
{
	return mode_names[mode];
}

/**
 * struct luna_aes_key - a key
 * @openssl: for the modes that are not the kernel's
 */
struct luna_aes_key {
	u8 key[AES_KEY_MAX];
	struct kcapi_use uses[LUNA_MODES];
	struct luna_aes_key *openssl;
};

/**
 * struct luna_cipher_stream - an operation
 * @openssl: who carries it, if not we do
 * @used: CTR: bytes used of the key stream's block that the IV is the counter of
 */
struct luna_cipher_stream {
	struct luna_cipher_stream *openssl;
	struct kcapi_run run;
	u32 used;
	u8 block[LUNA_AES_BLOCK];
};

struct luna_aes_key *kcapi_aes_key(const u8 *key, size_t len)
{
	struct luna_aes_key *openssl = openssl_aes_key(key, len), *k;

	if (IS_ERR(openssl))
		return openssl;
	k = kzalloc(sizeof(*k), GFP_KERNEL);
	if (!k) {
		openssl_aes_key_free(openssl);
		return ERR_PTR(-ENOMEM);
	}
	k->openssl = openssl;
	memcpy(k->key, key, len);
	for (int mode = 0; mode < LUNA_MODES; mode++)
		k->uses[mode] = (struct kcapi_use){ mode_names[mode], k->key, len };
	return k;
}

void kcapi_aes_key_free(struct luna_aes_key *key)
{
	if (!key)
		return;
	for (int mode = 0; mode < LUNA_MODES; mode++)
		kcapi_forget(&kcapi_ciphers, &key->uses[mode]);
	openssl_aes_key_free(key->openssl);
	kfree_sensitive(key);
}

static bool ours(enum luna_mode mode)
{
	return (unsigned int)mode < LUNA_MODES && kcapi_served.modes & BIT(mode);
}

struct luna_cipher_stream *kcapi_stream_begin(struct luna_aes_key *key, enum luna_mode mode,
					      bool encrypt, const u8 *iv, size_t iv_len)
{
	struct luna_cipher_stream *s, *openssl = NULL;

	if (ours(mode) && iv_len != (mode == LUNA_ECB ? 0 : LUNA_AES_BLOCK))
		return ERR_PTR(-EINVAL);
	if (!ours(mode)) {
		openssl = openssl_cipher_begin(key->openssl, mode, encrypt, iv, iv_len);
		if (IS_ERR(openssl))
			return openssl;
	}
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s) {
		openssl_cipher_end(openssl);
		return ERR_PTR(-ENOMEM);
	}
	s->openssl = openssl;
	if (openssl)
		return s;
	s->run.use = &key->uses[mode];
	s->run.mode = mode;
	s->run.encrypt = encrypt;
	s->run.block = LUNA_AES_BLOCK;
	if (iv_len)
		memcpy(s->run.iv, iv, iv_len);
	return s;
}

static void counter_add(u8 counter[LUNA_AES_BLOCK], u64 blocks)
{
	u64 high = get_unaligned_be64(counter), low = get_unaligned_be64(counter + 8);

	put_unaligned_be64(low + blocks, counter + 8);
	put_unaligned_be64(high + (low + blocks < low), counter);
}

/* The IV of what follows @cipher; decryption, which may be in place, asks before it works. */
static void iv_advance(struct kcapi_run *run, const u8 *cipher, size_t len)
{
	if (run->mode == LUNA_CBC)
		memcpy(run->iv, cipher + len - run->block, run->block);
	if (run->mode == LUNA_CTR)
		counter_add(run->iv, len / LUNA_AES_BLOCK);
}

static ssize_t handle_crypt(const struct kcapi_run *run, struct kcapi_handle *handle, const u8 *iv,
			    const u8 *in, size_t len, u8 *out)
{
	if (run->mode == LUNA_ECB)
		iv = NULL;
	return (run->encrypt ? kcapi_cipher_encrypt : kcapi_cipher_decrypt)
		(handle, in, len, iv, out, len, KCAPI_ACCESS_SENDMSG);
}

/* At most PIECE_MAX bytes; whole blocks, but at the end of CTR data */
static int piece(struct kcapi_run *run, struct kcapi_handle *handle, const u8 *in, size_t len,
		 u8 *out)
{
	u8 iv[LUNA_AES_BLOCK];

	memcpy(iv, run->iv, sizeof(iv));
	if (!run->encrypt)
		iv_advance(run, in, len);
	if (handle_crypt(run, handle, iv, in, len, out) != (ssize_t)len)
		return -EIO;
	if (run->encrypt)
		iv_advance(run, out, len);
	return 0;
}

int kcapi_crypt(struct kcapi_run *run, const u8 *in, size_t len, u8 *out)
{
	struct kcapi_tool *tool = kcapi_take(&kcapi_ciphers, run->use);
	int err = 0;

	if (IS_ERR(tool))
		return PTR_ERR(tool) == -ENOMEM ? -ENOMEM : -EIO;
	while (len && !err) {
		size_t n = min_t(size_t, len, PIECE_MAX);

		err = piece(run, tool->handle, in, n, out);
		in += n;
		out += n;
		len -= n;
	}
	kcapi_give(tool, !err);
	return err;
}

/* From the start of a block on */
static int blocks(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	int err = kcapi_crypt(&s->run, in, len, out);

	s->used = len % LUNA_AES_BLOCK;
	return err;
}

/* CTR inside a block: what was used of its key stream is produced once more, and dropped. */
static int inside_block(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	u32 used = s->used;
	int err;

	memset(s->block, 0, used);
	memcpy(s->block + used, in, len);
	err = blocks(s, s->block, used + len, s->block);
	if (!err)
		memcpy(out, s->block + used, len);
	return err;
}

int kcapi_stream_update(struct luna_cipher_stream *s, const u8 *in, size_t len, u8 *out)
{
	size_t n = 0;
	int err = 0;

	if (s->openssl)
		return openssl_cipher_update(s->openssl, in, len, out);
	if (s->run.mode != LUNA_CTR && len % LUNA_AES_BLOCK)
		return -EINVAL;
	if (s->used && len) {
		n = min_t(size_t, len, LUNA_AES_BLOCK - s->used);
		err = inside_block(s, in, n, out);
	}
	return err || len == n ? err : blocks(s, in + n, len - n, out + n);
}

int kcapi_stream_aad(struct luna_cipher_stream *s, const u8 *aad, size_t len)
{
	return s->openssl ? openssl_cipher_aad(s->openssl, aad, len) : -EINVAL;
}

int kcapi_stream_tag(struct luna_cipher_stream *s, u8 *tag, size_t tag_len)
{
	return s->openssl ? openssl_cipher_tag(s->openssl, tag, tag_len) : -EINVAL;
}

void kcapi_stream_end(struct luna_cipher_stream *s)
{
	if (!s)
		return;
	openssl_cipher_end(s->openssl);
	kfree_sensitive(s);
}
