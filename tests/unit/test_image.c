// SPDX-License-Identifier: MIT
/*
 * Images: what goes out comes in, on another token or in the place of one, and goes on working; who
 * may; nothing short, altered, long, of another domain or made up is let in; whatever fails leaves the
 * token that was there.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine_fixture.h"
#include "image.h"
#include "log.h"
#include "log_sink.h"
#include "object.h"

enum { OTHER_SLOT = 1, CIPHER = 32 };

#define UNCHANGED	0xffffffffu	/* no attribute's type */

static const u8 iv[16] = { 9, 8, 7 };
static const u8 text[] = "what only the key opens";

#define OLD_SO_PIN	"so-pin-of-the-old-token"

/* An image outside. */
struct bytes {
	u8 *data;
	u32 len;
};

/* A token with a private key, what that encrypted, and a session of its crypto officer. */
struct side {
	struct fx fx;
	struct luna_open *open;
	u32 session;
	u32 key;
	u8 cipher[CIPHER];
};

static const struct luna_crypto_ops *crypto;

/* ---- commands ---- */

static s64 image_export(struct luna_open *open, u32 session, u32 *len)
{
	struct luna_image_arg arg = { .hdr.session = session };
	s64 ret = fx_call(open, LUNA_IMAGE_EXPORT, &arg, sizeof(arg), NULL, 0, NULL, NULL);

	*len = ret ? 0 : arg.length;
	return ret;
}

static s64 image_get(struct luna_open *open, u32 offset, u8 *data, u32 *len)
{
	struct luna_data arg = { .offset = offset, .length = *len };
	size_t out = *len;
	s64 ret = fx_call(open, LUNA_IMAGE_GET, &arg, sizeof(arg), NULL, 0, data, &out);

	*len = ret ? 0 : arg.length;
	if (!ret)
		assert_int_equal(out, arg.length);
	return ret;
}

static struct bytes image_fetch(struct luna_open *open, u32 len, u32 piece)
{
	struct bytes image = { test_malloc(len), len };
	u32 at = 0, n;

	while (at < len) {
		n = min(piece, len - at);
		assert_int_equal(image_get(open, at, image.data + at, &n), CKR_OK);
		assert_true(n > 0);
		at += n;
	}
	n = 1;
	assert_int_equal(image_get(open, at, image.data, &n), CKR_ARGUMENTS_BAD);
	return image;
}

static struct bytes image_of(struct side *side)
{
	u32 len;

	assert_int_equal(image_export(side->open, side->session, &len), CKR_OK);
	return image_fetch(side->open, len, 10000);
}

static s64 image_put(struct luna_open *open, u32 offset, const u8 *data, u32 len)
{
	struct luna_data arg = { .offset = offset };

	return fx_call(open, LUNA_IMAGE_PUT, &arg, sizeof(arg), data, len, NULL, NULL);
}

static s64 image_send(struct luna_open *open, const struct bytes *image)
{
	u32 at = 0, n;
	s64 ret;

	do {
		n = min_t(u32, image->len - at, 16000);
		ret = image_put(open, at, image->data + at, n);
		at += n;
	} while (!ret && at < image->len);
	return ret;
}

static s64 restore_as(struct luna_open *open, const char *so_pin, const char *domain, u32 role,
		      const char *pin, u64 *damaged)
{
	struct luna_image_arg arg = {
		.role = role,
		.so_pin_len = strlen(so_pin),
		.domain_len = strlen(domain),
		.pin_len = strlen(pin),
	};
	char payload[512];
	int len = scnprintf(payload, sizeof(payload), "%s%s%s", so_pin, domain, pin);
	s64 ret = fx_call(open, LUNA_IMAGE_RESTORE, &arg, sizeof(arg), payload, len, NULL, NULL);

	if (damaged)
		*damaged = arg.damaged;
	return ret;
}

static s64 restore(struct luna_open *open, const struct bytes *image, const char *so_pin)
{
	s64 ret = image_send(open, image);

	return ret ? ret : restore_as(open, so_pin, FX_DOMAIN, CKU_USER, FX_CO_PIN, NULL);
}

/* ---- tokens ---- */

static u32 key_make(struct side *side, const char *label)
{
	struct fx_tmpl tmpl = { 0 };
	u32 key;

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, true);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	fx_attr_bool(&tmpl, CKA_DECRYPT, true);
	fx_attr_text(&tmpl, CKA_LABEL, label);
	assert_int_equal(fx_generate_key(side->open, side->session, CKM_AES_KEY_GEN, &tmpl, &key),
			 CKR_OK);
	return key;
}

static s64 data_make(struct side *side, const char *label, u32 len, bool private, u32 *handle)
{
	static u8 value[8000];
	struct fx_tmpl tmpl = { 0 };

	assert_true(len <= sizeof(value));
	memset(value, 'v', sizeof(value));
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_PRIVATE, private);
	fx_attr_text(&tmpl, CKA_LABEL, label);
	fx_attr(&tmpl, CKA_VALUE, value, len);
	return fx_create(side->open, side->session, &tmpl, handle);
}

static u32 found(struct luna_open *open, u32 session, const char *label, u32 *handle)
{
	struct fx_tmpl tmpl = { 0 };
	u32 count = 0, handles[4] = { 0 };

	fx_attr_text(&tmpl, CKA_LABEL, label);
	assert_int_equal(fx_find(open, session, &tmpl, handles, 4, &count), CKR_OK);
	*handle = handles[0];
	return count;
}

static void side_make(struct side *side, u32 slot)
{
	u32 len = CIPHER, public;

	fx_open(&side->fx, crypto, slot);
	assert_int_equal(fx_ready(&side->fx, &side->open, &side->session), CKR_OK);
	side->key = key_make(side, "key");
	assert_int_equal(data_make(side, "public", 100, false, &public), CKR_OK);
	assert_int_equal(fx_op(side->open, side->session, LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD, side->key, iv,
			       sizeof(iv), text, sizeof(text), NULL, 0, side->cipher, &len), CKR_OK);
	assert_int_equal(len, CIPHER);
}

static void side_end(struct side *side)
{
	luna_release(side->open);
	fx_close(&side->fx);
}

/* Somewhere to restore to, never initialised. */
static void target_make(struct side *side, u32 slot)
{
	memset(side, 0, sizeof(*side));
	fx_open(&side->fx, crypto, slot);
	side->open = luna_open(side->fx.token);
	assert_false(IS_ERR(side->open));
}

/* An old token, with an object of its own. */
static void target_make_old(struct side *side, u32 slot)
{
	u32 session, handle;

	target_make(side, slot);
	assert_int_equal(fx_init_token(side->open, LUNA_TOKEN_PPSO, OLD_SO_PIN, "old"), CKR_OK);
	assert_int_equal(fx_session(side->open, true, &session), CKR_OK);
	assert_int_equal(fx_login(side->open, session, CKU_SO, OLD_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(side->open, session, CKU_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(fx_logout(side->open, session), CKR_OK);
	assert_int_equal(fx_login(side->open, session, CKU_USER, FX_CU_PIN), CKR_OK);
	side->session = session;
	assert_int_equal(data_make(side, "old", 10, true, &handle), CKR_OK);
	assert_int_equal(fx_session_close(side->open, session), CKR_OK);
}

/* The target is what the source was: the same identity, key and data. */
static void expect_restored(struct side *target, const struct side *source)
{
	u8 plain[64];
	u32 session, key, public, len = sizeof(plain);

	assert_memory_equal(target->fx.token->state->serial, source->fx.token->state->serial,
			    LUNA_SERIAL_LEN);
	assert_memory_equal(target->fx.token->state->label, source->fx.token->state->label,
			    LUNA_LABEL_LEN);
	assert_int_equal(fx_session(target->open, true, &session), CKR_OK);
	assert_int_equal(found(target->open, session, "key", &key), 0);
	assert_int_equal(found(target->open, session, "public", &public), 1);
	assert_int_equal(fx_login(target->open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(found(target->open, session, "old", &key), 0);
	assert_int_equal(found(target->open, session, "key", &key), 1);
	assert_int_equal(key, source->key);
	assert_int_equal(fx_op(target->open, session, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, key, iv,
			       sizeof(iv), source->cipher, CIPHER, NULL, 0, plain, &len), CKR_OK);
	assert_int_equal(len, sizeof(text));
	assert_memory_equal(plain, text, sizeof(text));
	target->session = session;
	assert_int_equal(data_make(target, "new", 10, true, &key), CKR_OK);
	assert_int_equal(found(target->open, session, "new", &key), 1);
	assert_int_equal(fx_destroy(target->open, session, key), CKR_OK);
	assert_int_equal(fx_logout(target->open, session), CKR_OK);
	assert_int_equal(fx_login(target->open, session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_session_close(target->open, session), CKR_OK);
}

static void reopen(struct side *side)
{
	luna_release(side->open);
	fx_reopen(&side->fx);
	side->open = luna_open(side->fx.token);
	assert_false(IS_ERR(side->open));
}

/* The old token works as before, also after a restart. */
static void expect_old(struct side *side)
{
	u32 session, handle;
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(fx_session(side->open, true, &session), CKR_OK);
		assert_int_equal(fx_login(side->open, session, CKU_USER, FX_CU_PIN), CKR_OK);
		assert_int_equal(found(side->open, session, "old", &handle), 1);
		assert_int_equal(found(side->open, session, "public", &handle), 0);
		assert_int_equal(fx_session_close(side->open, session), CKR_OK);
		reopen(side);
	}
}

static void expect_untouched(struct side *target)
{
	assert_false(target->fx.token->state->initialised);
	assert_int_equal(target->fx.store->content.len, 0);
}

/* ---- tests ---- */

static void test_round_trip(void **state)
{
	struct side source, target;
	struct bytes image;

	side_make(&source, 0);
	image = image_of(&source);
	target_make(&target, OTHER_SLOT);
	assert_int_equal(restore(target.open, &image, ""), CKR_OK);
	expect_restored(&target, &source);
	reopen(&target);
	expect_restored(&target, &source);
	/* The copy can be exported in its turn, and restored over the first. */
	assert_int_equal(fx_session(target.open, true, &target.session), CKR_OK);
	assert_int_equal(fx_login(target.open, target.session, CKU_USER, FX_CO_PIN), CKR_OK);
	test_free(image.data);
	image = image_of(&target);
	assert_int_equal(fx_session_close(source.open, source.session), CKR_OK);
	assert_int_equal(restore(source.open, &image, FX_SO_PIN), CKR_OK);
	expect_restored(&source, &source);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

/* Several frames, a record across them, pieces of any size; frames may not change places. */
static void test_frames(void **state)
{
	struct side source, target;
	struct bytes image;
	u32 i, len, handle;
	u64 damaged;
	char label[16];
	s64 held;
	u8 *swap;

	side_make(&source, 0);
	held = atomic64_read(&source.open->held);
	for (i = 0; i < 30; i++) {
		scnprintf(label, sizeof(label), "data %u", i);
		assert_int_equal(data_make(&source, label, 7900, i & 1, &handle), CKR_OK);
	}
	assert_int_equal(image_export(source.open, source.session, &len), CKR_OK);
	assert_true(len > 3 * LUNA_IMAGE_FRAME);
	assert_true(atomic64_read(&source.open->held) >= len);
	image = image_fetch(source.open, len, 777);
	assert_int_equal(atomic64_read(&source.open->held), held);
	target_make(&target, OTHER_SLOT);
	swap = test_malloc(LUNA_IMAGE_FRAME);
	memcpy(swap, image.data + LUNA_IMAGE_HEAD, LUNA_IMAGE_FRAME);
	memmove(image.data + LUNA_IMAGE_HEAD, image.data + LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME,
		LUNA_IMAGE_FRAME);
	memcpy(image.data + LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME, swap, LUNA_IMAGE_FRAME);
	assert_int_equal(restore(target.open, &image, ""), CKR_DATA_INVALID);
	memcpy(image.data + LUNA_IMAGE_HEAD, swap, LUNA_IMAGE_FRAME);
	memcpy(image.data + LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME, swap, LUNA_IMAGE_FRAME);
	assert_int_equal(image_send(target.open, &image), CKR_OK);
	assert_int_equal(restore_as(target.open, "", FX_DOMAIN, CKU_USER, FX_CO_PIN, &damaged),
			 CKR_DATA_INVALID);
	assert_int_equal(damaged, LUNA_IMAGE_HEAD + LUNA_IMAGE_FRAME);
	expect_untouched(&target);
	test_free(image.data);
	image = image_of(&source);
	assert_int_equal(restore(target.open, &image, ""), CKR_OK);
	assert_int_equal(atomic64_read(&target.open->held), 0);
	expect_restored(&target, &source);
	test_free(swap);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

static void test_who_may_export(void **state)
{
	struct side side;
	u32 len, other;

	side_make(&side, 0);
	assert_int_equal(fx_logout(side.open, side.session), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_login(side.open, side.session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(fx_logout(side.open, side.session), CKR_OK);
	assert_int_equal(fx_login(side.open, side.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(side.open, side.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_OK);
	assert_int_equal(fx_logout(side.open, side.session), CKR_OK);
	assert_int_equal(fx_login(side.open, side.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, side.session, &len), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(image_export(side.open, 99, &len), CKR_SESSION_HANDLE_INVALID);
	assert_int_equal(fx_session_close(side.open, side.session), CKR_OK);
	/* Without a domain. */
	assert_int_equal(fx_init_token(side.open, LUNA_TOKEN_PPSO, FX_SO_PIN, ""), CKR_OK);
	assert_int_equal(fx_session(side.open, true, &other), CKR_OK);
	assert_int_equal(fx_login(side.open, other, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(side.open, other, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(fx_logout(side.open, other), CKR_OK);
	assert_int_equal(fx_login(side.open, other, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(image_export(side.open, other, &len), CKR_CLONING_PARAMETER_MISSING);
	side_end(&side);
}

/* Every policy that forbids cloning something forbids the image. */
static void test_policies(void **state)
{
	static const struct {
		bool hsm;
		u32 id;
	} rows[] = { { false, 0 }, { false, 4 }, { true, 7 }, { true, 16 } };
	struct side side;
	u32 i, len, *value;

	side_make(&side, 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		value = rows[i].hsm ? &side.fx.token->state->hsm_policies[rows[i].id] :
				      &side.fx.token->state->policies[rows[i].id];
		*value = 0;
		assert_int_equal(image_export(side.open, side.session, &len),
				 CKR_OPERATION_NOT_ALLOWED);
		*value = 1;
	}
	assert_int_equal(image_export(side.open, side.session, &len), CKR_OK);
	side_end(&side);
}

/* Only its SO replaces a token, with attempts counted, and while nobody uses it. */
static void test_over_a_token(void **state)
{
	struct side source, target;
	struct bytes image;
	u32 session;

	side_make(&source, 0);
	image = image_of(&source);
	target_make_old(&target, OTHER_SLOT);
	assert_int_equal(restore(target.open, &image, ""), CKR_PIN_LEN_RANGE);
	assert_int_equal(target.fx.token->state->roles[LUNA_ROLE_SO].failed, 0);
	assert_int_equal(restore(target.open, &image, FX_SO_PIN), CKR_PIN_INCORRECT);
	assert_int_equal(target.fx.token->state->roles[LUNA_ROLE_SO].failed, 1);
	expect_old(&target);
	assert_int_equal(target.fx.token->state->roles[LUNA_ROLE_SO].failed, 1);
	assert_int_equal(fx_session(target.open, false, &session), CKR_OK);
	assert_int_equal(restore(target.open, &image, OLD_SO_PIN), CKR_SESSION_EXISTS);
	assert_int_equal(fx_session_close(target.open, session), CKR_OK);
	assert_int_equal(restore(target.open, &image, OLD_SO_PIN), CKR_OK);
	expect_restored(&target, &source);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

/* A restore is no way round the lock: the SO's last attempt ends the old token, as a login's does. */
static void test_attempts_end(void **state)
{
	struct side source, target;
	struct bytes image;
	int i;

	side_make(&source, 0);
	image = image_of(&source);
	target_make_old(&target, OTHER_SLOT);
	for (i = 0; i < 10; i++)
		assert_int_equal(restore(target.open, &image, FX_SO_PIN), CKR_PIN_INCORRECT);
	assert_false(target.fx.token->state->initialised);
	assert_int_equal(restore(target.open, &image, ""), CKR_OK);
	expect_restored(&target, &source);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

static void test_wrong_keys(void **state)
{
	struct side source, target;
	struct bytes image;
	u64 damaged = 1;

	side_make(&source, 0);
	image = image_of(&source);
	target_make(&target, OTHER_SLOT);
#define TRY(domain, role, pin) \
	(image_send(target.open, &image) ?: restore_as(target.open, "", domain, role, pin, &damaged))
	assert_int_equal(TRY("another", CKU_USER, FX_CO_PIN), CKR_UNWRAPPING_ERROR);
	assert_int_equal(damaged, 0);
	assert_int_equal(TRY("", CKU_USER, FX_CO_PIN), CKR_UNWRAPPING_ERROR);
	assert_int_equal(TRY(FX_DOMAIN, CKU_USER, FX_SO_PIN), CKR_SIM_AUTHORIZATION_FAILED);
	assert_int_equal(TRY(FX_DOMAIN, CKU_USER, ""), CKR_SIM_AUTHORIZATION_FAILED);
	assert_int_equal(TRY(FX_DOMAIN, CKU_LIMITED_USER, FX_CU_PIN), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(TRY(FX_DOMAIN, 77, FX_CO_PIN), CKR_USER_TYPE_INVALID);
	expect_untouched(&target);
	assert_int_equal(TRY(FX_DOMAIN, CKU_SO, FX_SO_PIN), CKR_OK);
	expect_restored(&target, &source);
#undef TRY
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

static void test_truncated(void **state)
{
	struct side source, target;
	struct bytes image;
	u64 damaged;
	s64 ret;

	side_make(&source, 0);
	image = image_of(&source);
	target_make(&target, OTHER_SLOT);
	for (u32 len = image.len; len--;) {
		struct bytes part = { test_malloc(len ? len : 1), len };

		memcpy(part.data, image.data, len);
		ret = image_send(target.open, &part);
		assert_int_equal(ret, CKR_OK);
		ret = restore_as(target.open, "", FX_DOMAIN, CKU_USER, FX_CO_PIN, &damaged);
		if (ret != CKR_DATA_INVALID || damaged > len)
			fail_msg("%u of %u bytes: %#llx, damaged at %llu", len, image.len,
				 (unsigned long long)ret, (unsigned long long)damaged);
		test_free(part.data);
	}
	expect_untouched(&target);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

static void test_flipped(void **state)
{
	struct side source, target;
	struct bytes image;
	s64 ret;
	u32 i;

	side_make(&source, 0);
	image = image_of(&source);
	target_make(&target, OTHER_SLOT);
	for (i = 0; i < image.len; i++) {
		image.data[i] ^= 1 << i % 8;
		ret = restore(target.open, &image, "");
		image.data[i] ^= 1 << i % 8;
		if (ret != CKR_DATA_INVALID && ret != CKR_SIM_VERSION_UNSUPPORTED)
			fail_msg("byte %u: %#llx", i, (unsigned long long)ret);
	}
	expect_untouched(&target);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

/* What a header says that has a good CRC, so that nothing else gives it away. */
static void test_header(void **state)
{
	struct side source, target;
	struct bytes image;
	u8 *grown;

	side_make(&source, 0);
	image = image_of(&source);
	target_make(&target, OTHER_SLOT);
	grown = test_malloc(image.len + 1);
	memcpy(grown, image.data, image.len);
	grown[image.len] = 0;
	test_free(image.data);
	image.data = grown;
	image.len++;
	assert_int_equal(restore(target.open, &image, ""), CKR_DATA_INVALID);
	put_unaligned_le64(image.len, grown + 16);
	put_unaligned_le32(luna_crc32(grown, LUNA_IMAGE_HEAD - 4), grown + LUNA_IMAGE_HEAD - 4);
	assert_int_equal(restore(target.open, &image, ""), CKR_UNWRAPPING_ERROR);
	image.len--;
	grown[8] = LUNA_IMAGE_VERSION + 1;
	assert_int_equal(restore(target.open, &image, ""), CKR_SIM_VERSION_UNSUPPORTED);
	expect_untouched(&target);
	test_free(grown);
	side_end(&source);
	side_end(&target);
}

/* @cipher is iv under AES-256 with this key. */
static void expect_block(const u8 *value, const u8 *cipher)
{
	struct luna_aes_key *key = luna_openssl_ops.aes_key(value, 32);
	struct luna_cipher_stream *s;
	u8 block[16];

	assert_false(IS_ERR(key));
	s = luna_openssl_ops.cipher_begin(key, LUNA_ECB, true, NULL, 0);
	assert_false(IS_ERR(s));
	assert_int_equal(luna_openssl_ops.cipher_update(s, iv, sizeof(iv), block), 0);
	assert_memory_equal(block, cipher, sizeof(block));
	luna_openssl_ops.cipher_end(s);
	luna_openssl_ops.aes_key_free(key);
}

/* The value of @name in tests/vectors/image-v1.txt. */
static struct bytes vector(const char *name)
{
	const char *dir = getenv("LUNA_VECTORS");
	static char path[512], line[65536];
	struct bytes value = { NULL, 0 };
	size_t len = strlen(name), i;
	FILE *file;

	snprintf(path, sizeof(path), "%s/image-v1.txt", dir ? dir : "tests/vectors");
	file = fopen(path, "r");
	assert_non_null(file);
	while (!value.data && fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, len) || strncmp(line + len, " = ", 3))
			continue;
		value.len = strcspn(line + len + 3, "\n") / 2;
		value.data = test_malloc(value.len);
		for (i = 0; i < value.len; i++)
			assert_int_equal(sscanf(line + len + 3 + 2 * i, "%2hhx", &value.data[i]), 1);
	}
	fclose(file);
	assert_non_null(value.data);
	return value;
}

/* An image made once is restored for ever. With the real PBKDF2, which the quick provider has not. */
static void test_vector(void **state)
{
	struct bytes image = vector("image"), value = vector("key.value");
	struct side target;
	u32 session, key, len = 32;
	u8 got[32];

	memset(&target, 0, sizeof(target));
	fx_open(&target.fx, NULL, OTHER_SLOT);
	target.open = luna_open(target.fx.token);
	assert_int_equal(restore(target.open, &image, ""), CKR_OK);
	assert_int_equal(fx_session(target.open, true, &session), CKR_OK);
	assert_int_equal(fx_login(target.open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(found(target.open, session, "key", &key), 1);
	assert_int_equal(fx_attr_get(target.open, session, key, CKA_VALUE, got, &len),
			 CKR_ATTRIBUTE_SENSITIVE);
	assert_memory_equal(target.fx.token->state->label, FX_LABEL, strlen(FX_LABEL));
	len = 16;
	assert_int_equal(fx_op(target.open, session, LUNA_OP_ENCRYPT, CKM_AES_ECB, key, NULL, 0, iv,
			       sizeof(iv), NULL, 0, got, &len), CKR_OK);
	expect_block(value.data, got);
	test_free(image.data);
	test_free(value.data);
	side_end(&target);
}

static void test_order(void **state)
{
	struct side source, target;
	struct bytes image;
	u32 len, n;
	u8 byte[8];

	side_make(&source, 0);
	target_make(&target, OTHER_SLOT);
	n = 1;
	assert_int_equal(image_get(source.open, 0, byte, &n), CKR_ARGUMENTS_BAD);
	assert_int_equal(restore_as(target.open, "", FX_DOMAIN, CKU_USER, FX_CO_PIN, NULL),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(image_put(target.open, 5, byte, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_export(source.open, source.session, &len), CKR_OK);
	n = 3;
	assert_int_equal(image_get(source.open, 0, byte, &n), CKR_OK);
	n = 3;
	assert_int_equal(image_get(source.open, 0, byte, &n), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_put(source.open, 3, byte, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_session_close(source.open, source.session), CKR_OK);
	assert_int_equal(restore_as(source.open, FX_SO_PIN, FX_DOMAIN, CKU_USER, FX_CO_PIN, NULL),
			 CKR_ARGUMENTS_BAD);
	/* A session's end does not end the image, another begins anew. */
	n = 3;
	assert_int_equal(image_get(source.open, 3, byte, &n), CKR_OK);
	assert_int_equal(fx_session(source.open, true, &source.session), CKR_OK);
	assert_int_equal(fx_login(source.open, source.session, CKU_USER, FX_CO_PIN), CKR_OK);
	image = image_of(&source);
	assert_int_equal(image_put(target.open, 0, image.data, 100), CKR_OK);
	assert_int_equal(image_put(target.open, 99, image.data, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(image_put(target.open, 101, image.data, 1), CKR_ARGUMENTS_BAD);
	assert_int_equal(restore(target.open, &image, ""), CKR_OK);
	expect_restored(&target, &source);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

/* ---- what a hostile maker could put into an image of a domain and PINs of its own ---- */

static void state_change(struct side *side, void (*change)(struct luna_state *state))
{
	change(side->fx.token->state);
	assert_int_equal(luna_state_save(side->fx.token), CKR_OK);
}

static void ask_for_hours(struct luna_state *state)
{
	state->roles[LUNA_ROLE_CO].iterations = U32_MAX;
}

static void exceed_capability(struct luna_state *state)
{
	state->policies[20] = 200;
}

static void say_uninitialised(struct luna_state *state)
{
	state->initialised = false;
}

static void change_serial(struct luna_state *state)
{
	state->serial[0] ^= 1;
}

static void drop_certificate(struct luna_state *state)
{
	state->twc_len = 0;
}

static void drop_secrets(struct luna_state *state)
{
	state->secrets_len = 0;
}

static void ask_for_none(struct luna_state *state)
{
	state->mofn.generated = true;
	state->mofn.m = 0;
}

/* An object with these attributes in the store of the token, sealed or not. */
static void plant(struct side *side, u32 handle, bool sealed, const struct fx_tmpl *tmpl)
{
	struct luna_token *token = side->fx.token;
	struct luna_log_object obj = { .handle = handle, .private = sealed };
	u8 *data = test_malloc(tmpl->len + LUNA_SEAL_OVERHEAD), *plain = test_malloc(tmpl->len);

	memcpy(plain, tmpl->data, tmpl->len);
	obj.len = tmpl->len;
	memcpy(data, plain, tmpl->len);
	if (sealed) {
		obj.len += LUNA_SEAL_OVERHEAD;
		assert_int_equal(luna_seal(token, token->seal_key, LUNA_SEAL_OBJECT, handle, plain,
					   tmpl->len, data), 0);
	}
	obj.data = data;
	assert_int_equal(luna_log_put(token, &obj, 1), 0);
	test_free(data);
	test_free(plain);
}

/* The attributes of the side's key, which make an object when nothing is changed. */
static void key_attrs(struct side *side, struct fx_tmpl *tmpl)
{
	struct luna_token *token = side->fx.token;
	struct luna_object *obj = luna_table_find(&token->objects.table, side->key);
	struct luna_attrs *attrs = luna_object_attrs(token, obj);

	assert_false(IS_ERR(attrs));
	assert_true(attrs->len <= sizeof(tmpl->data));
	memcpy(tmpl->data, attrs->data, attrs->len);
	tmpl->len = attrs->len;
	luna_attrs_put(attrs);
}

static u8 *attr_of(struct fx_tmpl *tmpl, u32 type)
{
	struct luna_attr attr;
	u32 at;

	for (at = 0; at < tmpl->len; at += sizeof(attr) + round_up(attr.len, 8U)) {
		memcpy(&attr, tmpl->data + at, sizeof(attr));
		if (attr.type == type)
			return tmpl->data + at;
	}
	fail_msg("no attribute %#x", type);
	return NULL;
}

static void plant_changed(struct side *side, u32 handle, bool sealed, u32 type, u32 len, int value)
{
	struct fx_tmpl tmpl;
	u8 *attr;

	key_attrs(side, &tmpl);
	if (type != UNCHANGED) {
		attr = attr_of(&tmpl, type);
		if (len)
			memcpy(attr + 4, &len, sizeof(len));
		attr[8] = value;
	}
	plant(side, handle, sealed, &tmpl);
}

static void plant_good(struct side *side) { plant_changed(side, 500, true, UNCHANGED, 0, 0); }
static void plant_open(struct side *side) { plant_changed(side, 500, false, UNCHANGED, 0, 0); }
static void plant_bool(struct side *side) { plant_changed(side, 500, true, CKA_SIGN, 0, 7); }
static void plant_size(struct side *side) { plant_changed(side, 500, true, CKA_VALUE, 31, 1); }
static void plant_class(struct side *side) { plant_changed(side, 500, true, CKA_CLASS, 0, 77); }
static void plant_session(struct side *side) { plant_changed(side, 500, true, CKA_TOKEN, 0, 0); }
static void plant_public(struct side *side) { plant_changed(side, 500, true, CKA_PRIVATE, 0, 0); }
static void plant_high(struct side *side) { plant_changed(side, 0x7fffffff, true, UNCHANGED, 0, 0); }

static void plant_torn(struct side *side)
{
	struct fx_tmpl tmpl;

	key_attrs(side, &tmpl);
	tmpl.len -= 8;
	plant(side, 500, true, &tmpl);
}

static void test_hostile(void **state)
{
	static void (*const states[])(struct luna_state *state) = {
		ask_for_hours, exceed_capability, say_uninitialised, change_serial, drop_certificate,
		drop_secrets, ask_for_none,
	};
	static void (*const objects[])(struct side *side) = {
		plant_open, plant_bool, plant_size, plant_class, plant_session, plant_public,
		plant_high, plant_torn,
	};
	struct side source, target;
	struct bytes image;
	u32 i;
	s64 ret;

	target_make(&target, OTHER_SLOT);
	for (i = 0; i < ARRAY_SIZE(states) + ARRAY_SIZE(objects); i++) {
		side_make(&source, 0);
		if (i < ARRAY_SIZE(states))
			state_change(&source, states[i]);
		else
			objects[i - ARRAY_SIZE(states)](&source);
		image = image_of(&source);
		ret = restore(target.open, &image, "");
		if (ret != CKR_DATA_INVALID)
			fail_msg("hostile image %u: %#llx", i, (unsigned long long)ret);
		expect_untouched(&target);
		test_free(image.data);
		side_end(&source);
	}
	/* It is not the planting that makes them refused. */
	side_make(&source, 0);
	plant_good(&source);
	image = image_of(&source);
	assert_int_equal(restore(target.open, &image, ""), CKR_OK);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

/* ---- failures ---- */

static void test_store_fails(void **state)
{
	static const struct {
		enum memstore_call call;
		int error;
		s64 expected;
	} rows[] = {
		{ MEMSTORE_REPLACE_BEGIN, -ENOSPC, CKR_DEVICE_MEMORY },
		{ MEMSTORE_REPLACE_BEGIN, -EIO, CKR_DEVICE_ERROR },
		{ MEMSTORE_REPLACE_APPEND, -ENOSPC, CKR_DEVICE_MEMORY },
		{ MEMSTORE_REPLACE_APPEND, -EIO, CKR_DEVICE_ERROR },
		{ MEMSTORE_REPLACE_COMMIT, -ENOSPC, CKR_DEVICE_MEMORY },
	};
	struct side source, target;
	struct bytes image;
	u32 i;

	side_make(&source, 0);
	image = image_of(&source);
	target_make_old(&target, OTHER_SLOT);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		memstore_break(target.fx.store, rows[i].call, 1, rows[i].error);
		assert_int_equal(restore(target.open, &image, OLD_SO_PIN), rows[i].expected);
		memstore_fail(target.fx.store, rows[i].call, 0, 0, 0);
		expect_old(&target);
	}
	/* After this one nobody knows which it is, until it is loaded again. */
	memstore_fail(target.fx.store, MEMSTORE_REPLACE_COMMIT, 1, -EIO, 0);
	assert_int_equal(restore(target.open, &image, OLD_SO_PIN), CKR_DEVICE_ERROR);
	reopen(&target);
	expect_old(&target);
	assert_int_equal(restore(target.open, &image, OLD_SO_PIN), CKR_OK);
	expect_restored(&target, &source);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

/* Each allocation of an export and of a restore fails in turn. */
static void test_out_of_memory(void **state)
{
	struct side source, target;
	struct bytes image;
	bool met = true;
	u32 len;
	u64 nth;
	s64 ret;

	side_make(&source, 0);
	for (nth = 1; met; nth++) {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		ret = image_export(source.open, source.session, &len);
		met = port_alloc_calls() >= nth;
		port_alloc_unwatch();
		assert_int_equal(ret, met ? CKR_DEVICE_MEMORY : CKR_OK);
	}
	assert_true(nth > 10);
	image = image_fetch(source.open, len, 5000);
	target_make_old(&target, OTHER_SLOT);
	for (met = true, nth = 1; met; nth++) {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		ret = restore(target.open, &image, OLD_SO_PIN);
		met = port_alloc_calls() >= nth;
		port_alloc_unwatch();
		if (ret != (s64)(met ? CKR_DEVICE_MEMORY : CKR_OK))
			fail_msg("allocation %llu: %#llx", (unsigned long long)nth,
				 (unsigned long long)ret);
		if (met && nth % 8 == 0)
			expect_old(&target);
	}
	assert_true(nth > 20);
	expect_restored(&target, &source);
	test_free(image.data);
	side_end(&source);
	side_end(&target);
}

/* No more than an application may have. */
static void test_too_large(void **state)
{
	enum { MUCH = 1 << 20 };
	struct side target;
	u8 *piece = test_calloc(1, 16000);
	u32 at = 0;
	s64 ret;

	target_make(&target, OTHER_SLOT);
	do {
		ret = image_put(target.open, at, piece, 16000);
		at += 16000;
	} while (!ret && at < 2 * LUNA_OPEN_BYTES_MAX);
	assert_int_equal(ret, CKR_DEVICE_MEMORY);
	assert_in_range(at, LUNA_OPEN_BYTES_MAX - MUCH, LUNA_OPEN_BYTES_MAX + MUCH);
	assert_int_equal(atomic64_read(&target.open->held), 0);
	test_free(piece);
	side_end(&target);
}

/* ---- while others write ---- */

struct writer {
	struct side side;
	atomic_int stop;
	u32 rounds;
};

static void *write_on(void *arg)
{
	struct writer *w = arg;
	struct fx_tmpl tmpl = { 0 };
	u32 pair[2], i;

	while (!atomic_load(&w->stop)) {
		for (i = 0; i < 2; i++)
			assert_int_equal(data_make(&w->side, "pair", 3000, true, &pair[i]), CKR_OK);
		fx_attr_text(&tmpl, CKA_LABEL, "pear");
		assert_int_equal(fx_attr_set(w->side.open, w->side.session, pair[0], &tmpl), CKR_OK);
		tmpl.len = 0;
		for (i = 0; i < 2; i++)
			assert_int_equal(fx_destroy(w->side.open, w->side.session, pair[i]), CKR_OK);
		w->rounds++;
	}
	return NULL;
}

/* Each image is of one moment: it restores, and what nobody touches is in it. */
static void test_while_writing(void **state)
{
	struct writer writer = { 0 };
	struct side source, target;
	struct bytes image;
	pthread_t thread;
	int i;

	side_make(&source, 0);
	writer.side.open = luna_open(source.fx.token);
	assert_int_equal(fx_session(writer.side.open, true, &writer.side.session), CKR_OK);
	assert_int_equal(fx_login(writer.side.open, writer.side.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
	for (i = 0; i < 30; i++) {
		image = image_of(&source);
		target_make(&target, OTHER_SLOT);
		assert_int_equal(restore(target.open, &image, ""), CKR_OK);
		expect_restored(&target, &source);
		test_free(image.data);
		side_end(&target);
	}
	atomic_store(&writer.stop, 1);
	pthread_join(thread, NULL);
	assert_true(writer.rounds > 0);
	luna_release(writer.side.open);
	side_end(&source);
}

static int set_up(void **state __maybe_unused)
{
	port_log_sink(sink_warnings);
	crypto = fakerng_quick_ops(&luna_openssl_ops, 5);
	return 0;
}

static int tear_down(void **state __maybe_unused)
{
	port_log_sink(NULL);
	fakerng_forget_keys();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_who_may_export),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_over_a_token),
		cmocka_unit_test(test_attempts_end),
		cmocka_unit_test(test_wrong_keys),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_vector),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_store_fails),
		cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_while_writing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
