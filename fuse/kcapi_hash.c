// SPDX-License-Identifier: MIT
/*
 * Hashes, HMAC and CMAC. Their state is in the kernel and cannot be taken out, so that a stream
 * holds its handle to its end. One that finds no handle is carried by OpenSSL; so is a key that the
 * kernel does not take.
 */
#include "kcapi_provider.h"
#include "openssl.h"

/* Shorter than what libkcapi would give to vmsplice(2) */
enum { PIECE_MAX = 16384 };

static const struct kcapi_use hash_uses[LUNA_HASHES] = {
	[LUNA_SHA1]	= { .algorithm = "sha1" },
	[LUNA_SHA224]	= { .algorithm = "sha224" },
	[LUNA_SHA256]	= { .algorithm = "sha256" },
	[LUNA_SHA384]	= { .algorithm = "sha384" },
	[LUNA_SHA512]	= { .algorithm = "sha512" },
	[LUNA_SHA3_224]	= { .algorithm = "sha3-224" },
	[LUNA_SHA3_256]	= { .algorithm = "sha3-256" },
	[LUNA_SHA3_384]	= { .algorithm = "sha3-384" },
	[LUNA_SHA3_512]	= { .algorithm = "sha3-512" },
};

static const char * const mac_names[LUNA_MACS] = {
	[LUNA_CMAC_AES]			= "cmac(aes)",
	[LUNA_HMAC + LUNA_SHA1]		= "hmac(sha1)",
	[LUNA_HMAC + LUNA_SHA224]	= "hmac(sha224)",
	[LUNA_HMAC + LUNA_SHA256]	= "hmac(sha256)",
	[LUNA_HMAC + LUNA_SHA384]	= "hmac(sha384)",
	[LUNA_HMAC + LUNA_SHA512]	= "hmac(sha512)",
	[LUNA_HMAC + LUNA_SHA3_224]	= "hmac(sha3-224)",
	[LUNA_HMAC + LUNA_SHA3_256]	= "hmac(sha3-256)",
	[LUNA_HMAC + LUNA_SHA3_384]	= "hmac(sha3-384)",
	[LUNA_HMAC + LUNA_SHA3_512]	= "hmac(sha3-512)",
};

const char *kcapi_hash_name(u32 hash)
{
	return hash_uses[hash].algorithm;
}

const char *kcapi_mac_name(u32 kind)
{
	return mac_names[kind];
}

/* ---- what hashes and MACs have in common ---- */

/**
 * struct carrier - what the kernel knows of a stream
 * @tool: NULL: OpenSSL carries the stream
 * @begun: the handle has data of this stream
 * @broken: nobody knows what the handle has
 */
struct carrier {
	struct kcapi_tool *tool;
	bool begun;
	bool broken;
};

/* Return: whether the kernel carries it */
static bool carrier_begin(struct carrier *c, const struct kcapi_use *use)
{
	struct kcapi_tool *tool = kcapi_take(&kcapi_hashes, use);

	c->tool = IS_ERR(tool) ? NULL : tool;
	return c->tool;
}

static int carrier_update(struct carrier *c, const u8 *data, size_t len)
{
	while (len) {
		size_t n = min_t(size_t, len, PIECE_MAX);

		c->begun = true;
		c->broken |= kcapi_md_update(c->tool->handle, data, n) < 0;
		if (c->broken)
			return -EIO;
		data += n;
		len -= n;
	}
	return 0;
}

static int carrier_final(struct carrier *c, u8 *out)
{
	ssize_t len = kcapi_md_digestsize(c->tool->handle);

	c->broken |= len <= 0 || len > LUNA_HASH_MAX ||
		     kcapi_md_final(c->tool->handle, out, len) != len;
	c->begun = false;
	return c->broken ? -EIO : 0;
}

/* A stream that was given up is brought to its end, for the next to start anew. */
static void carrier_end(struct carrier *c)
{
	u8 unused[LUNA_HASH_MAX];

	if (!c->tool)
		return;
	if (c->begun && !c->broken)
		carrier_final(c, unused);
	memzero_explicit(unused, sizeof(unused));
	kcapi_give(c->tool, !c->broken);
}

/* ---- hashes ---- */

struct luna_hash_stream {
	struct carrier kernel;
	struct luna_hash_stream *openssl;
};

struct luna_hash_stream *kcapi_hash_begin(enum luna_hash hash)
{
	struct luna_hash_stream *s;
	int err;

	if ((unsigned int)hash >= LUNA_HASHES)
		return ERR_PTR(-EOPNOTSUPP);
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return ERR_PTR(-ENOMEM);
	if (kcapi_served.hashes & BIT(hash) && carrier_begin(&s->kernel, &hash_uses[hash]))
		return s;
	s->openssl = openssl_hash_begin(hash);
	if (!IS_ERR(s->openssl))
		return s;
	err = PTR_ERR(s->openssl);
	kfree(s);
	return ERR_PTR(err);
}

int kcapi_hash_update(struct luna_hash_stream *s, const void *data, size_t len)
{
	return s->openssl ? openssl_hash_update(s->openssl, data, len) :
			    carrier_update(&s->kernel, data, len);
}

int kcapi_hash_final(struct luna_hash_stream *s, u8 *digest)
{
	return s->openssl ? openssl_hash_final(s->openssl, digest) :
			    carrier_final(&s->kernel, digest);
}

void kcapi_hash_end(struct luna_hash_stream *s)
{
	if (!s)
		return;
	carrier_end(&s->kernel);
	openssl_hash_end(s->openssl);
	kfree_sensitive(s);
}

/* ---- MACs ---- */

/**
 * struct luna_mac_key - a key
 * @openssl: for streams that the kernel does not carry
 * @bytes: the key
 */
struct luna_mac_key {
	struct luna_mac_key *openssl;
	struct kcapi_use use;
	bool ours;
	u8 bytes[];
};

struct luna_mac_stream {
	struct carrier kernel;
	struct luna_mac_stream *openssl;
};

struct luna_mac_key *kcapi_mac_key(enum luna_mac_kind kind, const u8 *key, size_t len)
{
	struct luna_mac_key *openssl = openssl_mac_key(kind, key, len), *k;

	if (IS_ERR(openssl))
		return openssl;
	k = kzalloc(sizeof(*k) + len, GFP_KERNEL);
	if (!k) {
		openssl_mac_key_free(openssl);
		return ERR_PTR(-ENOMEM);
	}
	k->openssl = openssl;
	/* No key would be no call of setkey; leave the empty one to OpenSSL. */
	k->ours = kcapi_served.macs & BIT(kind) && len;
	if (len)
		memcpy(k->bytes, key, len);
	k->use = (struct kcapi_use){ mac_names[kind], k->bytes, len };
	return k;
}

void kcapi_mac_key_free(struct luna_mac_key *key)
{
	if (!key)
		return;
	kcapi_forget(&kcapi_hashes, &key->use);
	openssl_mac_key_free(key->openssl);
	kfree_sensitive(key);
}

struct luna_mac_stream *kcapi_mac_begin(struct luna_mac_key *key)
{
	struct luna_mac_stream *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s)
		return ERR_PTR(-ENOMEM);
	if (key->ours && carrier_begin(&s->kernel, &key->use))
		return s;
	s->openssl = openssl_mac_begin(key->openssl);
	if (!IS_ERR(s->openssl))
		return s;
	err = PTR_ERR(s->openssl);
	kfree(s);
	return ERR_PTR(err);
}

int kcapi_mac_update(struct luna_mac_stream *s, const void *data, size_t len)
{
	return s->openssl ? openssl_mac_update(s->openssl, data, len) :
			    carrier_update(&s->kernel, data, len);
}

int kcapi_mac_final(struct luna_mac_stream *s, u8 *mac)
{
	return s->openssl ? openssl_mac_final(s->openssl, mac) : carrier_final(&s->kernel, mac);
}

void kcapi_mac_end(struct luna_mac_stream *s)
{
	if (!s)
		return;
	carrier_end(&s->kernel);
	openssl_mac_end(s->openssl);
	kfree_sensitive(s);
}
