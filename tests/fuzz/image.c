// SPDX-License-Identifier: MIT
/*
 * Images: a byte of mode, then an image as it comes in, or the log inside one, which is sealed here as
 * its maker would: whoever sends an image may have made it up.
 */
#include "common.h"
#include "exchange.h"
#include "image.h"
#include "log_fix.h"
#include "token_init.h"
#include "wire.h"

enum {
	IMAGE_LOG = 1,		/* the input is the log */
	IMAGE_FIX = 2,		/* with checksums put right: of the log, or of the image's header */
	IMAGE_OVER = 4,		/* over a token that is there */

	IMAGE_PIECE = 16000,
	HEAD_VERSION = 8,
	HEAD_LENGTH = 16,
	HEAD_SALT = 24,
	HEAD_CRC = LUNA_IMAGE_HEAD - 4,
};

static const char label[] = "luna token image, version 1";

struct bytes {
	u8 *data;
	size_t len;
};

/* ---- an image around a log (FORMAT.md, "Image") ---- */

/* The header of an image of @len sealed bytes, and its key. */
static struct luna_aes_key *head_make(struct luna_token *token, u8 *head, u64 len)
{
	u8 domain[LUNA_DOMAIN_LEN], digest[LUNA_EXCHANGE_DIGEST], made[LUNA_IMAGE_KEY + LUNA_IMAGE_CHECK];
	struct luna_num ikm = { domain, sizeof(domain) };
	struct luna_num salt = { head + HEAD_SALT, LUNA_IMAGE_SALT };
	struct luna_aes_key *key;

	memset(head, 0, LUNA_IMAGE_HEAD);
	memcpy(head, "LUNAIMG\n", HEAD_VERSION);
	put_unaligned_le32(LUNA_IMAGE_VERSION, head + HEAD_VERSION);
	put_unaligned_le64(len, head + HEAD_LENGTH);
	fuzz_check(!luna_domain_stretch(token->crypto, (const u8 *)FX_DOMAIN, strlen(FX_DOMAIN),
					domain));
	fuzz_check(!luna_hash_once(token->crypto, LUNA_SHA256, head, LUNA_IMAGE_SAID, digest));
	fuzz_check(!luna_exchange_derive(token, &ikm, &salt, label, digest, made, sizeof(made)));
	memcpy(head + LUNA_IMAGE_SAID, made + LUNA_IMAGE_KEY, LUNA_IMAGE_CHECK);
	put_unaligned_le32(luna_crc32(head, HEAD_CRC), head + HEAD_CRC);
	key = token->crypto->aes_key(made, LUNA_IMAGE_KEY);
	fuzz_check(!IS_ERR(key));
	return key;
}

static struct bytes image_around(struct luna_token *token, const u8 *log, size_t len)
{
	struct luna_open *open = luna_open(token);
	struct luna_image *image;
	struct luna_aes_key *key;
	struct bytes made;
	size_t frames = DIV_ROUND_UP(len, (size_t)LUNA_IMAGE_PLAIN);

	fuzz_check(!IS_ERR(open));
	image = luna_image_new(open);
	fuzz_check(image);
	fuzz_check(!luna_image_store_ops.replace_append(image, log, len));
	made.len = LUNA_IMAGE_HEAD + len + frames * LUNA_SEAL_OVERHEAD;
	made.data = fuzz_alloc(made.len);
	key = head_make(token, made.data, made.len);
	fuzz_check(!luna_image_seal(image, token, key));
	token->crypto->aes_key_free(key);
	fuzz_check(image->len == made.len - LUNA_IMAGE_HEAD);
	luna_image_take(image, 0, made.data + LUNA_IMAGE_HEAD, image->len);
	luna_image_free(image);
	luna_release(open);
	return made;
}

/* An image as it is, its header's length and checksum perhaps put right. */
static struct bytes image_as_is(const u8 *at, size_t len, bool fix)
{
	struct bytes made = { fuzz_alloc(len), len };

	if (len)
		memcpy(made.data, at, len);
	if (fix && len >= LUNA_IMAGE_HEAD) {
		put_unaligned_le64(len, made.data + HEAD_LENGTH);
		put_unaligned_le32(luna_crc32(made.data, HEAD_CRC), made.data + HEAD_CRC);
	}
	return made;
}

/* ---- the token that takes it ---- */

static s64 image_send(struct luna_open *open, const struct bytes *image)
{
	size_t at = 0, n;
	s64 ret;

	do {
		struct luna_data arg = { .offset = at };

		n = min_t(size_t, image->len - at, IMAGE_PIECE);
		ret = fuzz_call(open, LUNA_IMAGE_PUT, &arg, sizeof(arg), image->data + at, n, NULL,
				NULL);
		at += n;
	} while (!ret && at < image->len);
	return ret;
}

static s64 image_restore(struct luna_open *open, const char *so_pin)
{
	static const char said[] = FX_DOMAIN FX_CO_PIN;
	struct luna_image_arg arg = {
		.role = CKU_USER,
		.so_pin_len = strlen(so_pin),
		.domain_len = strlen(FX_DOMAIN),
		.pin_len = strlen(FX_CO_PIN),
	};
	char payload[256];
	int len = scnprintf(payload, sizeof(payload), "%s%s", so_pin, said);

	return fuzz_call(open, LUNA_IMAGE_RESTORE, &arg, sizeof(arg), payload, len, NULL, NULL);
}

static void reload(struct fuzz_side *side)
{
	luna_token_close(side->fx.token);
	side->fx.token = luna_token_open(&side->fx.config, side->fx.crypto, &memstore_ops,
					 side->fx.store);
	fuzz_check(!IS_ERR(side->fx.token));
	fuzz_check(!side->fx.token->damaged);
}

/* What was taken works, now and later; what was refused left all as it was. */
static s64 take(struct fuzz_side *side, const struct bytes *image, const char *so_pin)
{
	struct luna_open *open = luna_open(side->fx.token);
	struct memstore *before = memstore_image(side->fx.store, side->fx.store->content.len);
	s64 ret;

	fuzz_check(!IS_ERR(open));
	ret = image_send(open, image);
	if (!ret)
		ret = image_restore(open, so_pin);
	luna_release(open);
	if (ret) {
		/* A wrong SO PIN would have been counted; this one is right. */
		fuzz_check(before->content.len == side->fx.store->content.len);
		fuzz_check(!before->content.len ||
			   !memcmp(before->content.data, side->fx.store->content.data,
				   before->content.len));
	} else {
		fuzz_use(side);
		luna_release(side->open);
		side->open = NULL;
		reload(side);
	}
	memstore_free(before);
	return ret;
}

static s64 run(u8 mode, const u8 *at, size_t len)
{
	const struct memstore *old = fuzz_world.sides[FUZZ_PRIMARY].image;
	struct fuzz_side side;
	struct bytes image;
	u8 *log;
	s64 ret;

	fuzz_side_open(&side, 0, mode & IMAGE_OVER ? memstore_image(old, old->content.len) :
						     memstore_new());
	if (mode & IMAGE_LOG) {
		log = fuzz_alloc(len);
		if (len)
			memcpy(log, at, len);
		if (mode & IMAGE_FIX)
			log_fix(log, len, false);
		image = image_around(side.fx.token, log, len);
		free(log);
	} else {
		image = image_as_is(at, len, mode & IMAGE_FIX);
	}
	ret = take(&side, &image, mode & IMAGE_OVER ? FX_SO_PIN : "");
	free(image.data);
	fuzz_side_close(&side);
	return ret;
}

static void one(struct fuzz_in *in)
{
	u8 mode = fuzz_u8(in);
	const u8 *at;
	size_t len;

	at = fuzz_bytes(in, SZ_64K, &len);
	run(mode, at, len);
}

/* ---- seeds ---- */

static void seed(const char *name, u8 mode, const u8 *data, size_t len, s64 expect)
{
	u8 *bytes = fuzz_alloc(1 + len);
	s64 ret = run(mode, data, len);

	if (ret != expect)
		fprintf(stderr, "seed %s: %#llx\n", name, (unsigned long long)ret);
	fuzz_check(ret == expect);
	bytes[0] = mode;
	memcpy(bytes + 1, data, len);
	fuzz_seed(name, bytes, 1 + len);
	free(bytes);
}

static void seeds(void)
{
	const struct memstore *log = fuzz_world.sides[FUZZ_SECONDARY].image;
	struct fuzz_side side;
	struct bytes image;

	fuzz_side_open(&side, 0, memstore_new());
	image = image_around(side.fx.token, log->content.data, log->content.len);
	fuzz_side_close(&side);
	seed("log", IMAGE_LOG | IMAGE_FIX, log->content.data, log->content.len, CKR_OK);
	seed("log-over", IMAGE_LOG | IMAGE_FIX | IMAGE_OVER, log->content.data, log->content.len,
	     CKR_OK);
	seed("whole", 0, image.data, image.len, CKR_OK);
	seed("cut", 0, image.data, image.len - 50, CKR_DATA_INVALID);
	seed("cut-fixed", IMAGE_FIX, image.data, image.len - 50, CKR_UNWRAPPING_ERROR);
	free(image.data);
}

const struct fuzz_target fuzz_target = { fuzz_world_prepare, one, seeds };
