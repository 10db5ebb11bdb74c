// SPDX-License-Identifier: MIT
/* The bench of the images' tests. */
#include "image_bench.h"

#include "log_sink.h"

static const u8 iv[16] = { 9, 8, 7 };
static const u8 text[] = "what only the key opens";

static const struct luna_crypto_ops *crypto;

/* ---- commands ---- */

s64 image_export(struct luna_open *open, u32 session, u32 *len)
{
	struct luna_image_arg arg = { .hdr.session = session };
	s64 ret = fx_call(open, LUNA_IMAGE_EXPORT, &arg, sizeof(arg), NULL, 0, NULL, NULL);

	*len = ret ? 0 : arg.length;
	return ret;
}

s64 image_get(struct luna_open *open, u32 offset, u8 *data, u32 *len)
{
	struct luna_data arg = { .offset = offset, .length = *len };
	size_t out = *len;
	s64 ret = fx_call(open, LUNA_IMAGE_GET, &arg, sizeof(arg), NULL, 0, data, &out);

	*len = ret ? 0 : arg.length;
	if (!ret)
		assert_int_equal(out, arg.length);
	return ret;
}

struct image image_fetch(struct luna_open *open, u32 len, u32 piece)
{
	struct image image = { test_malloc(len), len };
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

struct image image_of(struct image_side *side)
{
	u32 len;

	assert_int_equal(image_export(side->open, side->session, &len), CKR_OK);
	return image_fetch(side->open, len, 10000);
}

s64 image_put(struct luna_open *open, u32 offset, const u8 *data, u32 len)
{
	struct luna_data arg = { .offset = offset };

	return fx_call(open, LUNA_IMAGE_PUT, &arg, sizeof(arg), data, len, NULL, NULL);
}

s64 image_send(struct luna_open *open, const struct image *image)
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

s64 image_restore_sent(struct luna_open *open, const char *so_pin, const char *domain, u32 role,
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

s64 image_restore(struct luna_open *open, const struct image *image, const char *so_pin)
{
	s64 ret = image_send(open, image);

	return ret ? ret : image_restore_sent(open, so_pin, FX_DOMAIN, CKU_USER, FX_CO_PIN, NULL);
}

/* ---- tokens ---- */

static u32 key_make(struct image_side *side, const char *label)
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

s64 image_data_make(struct image_side *side, const char *label, u32 len, bool private, u32 *handle)
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

u32 image_found(struct luna_open *open, u32 session, const char *label, u32 *handle)
{
	struct fx_tmpl tmpl = { 0 };
	u32 count = 0, handles[4] = { 0 };

	fx_attr_text(&tmpl, CKA_LABEL, label);
	assert_int_equal(fx_find(open, session, &tmpl, handles, 4, &count), CKR_OK);
	*handle = handles[0];
	return count;
}

void image_source_make(struct image_side *side, u32 slot)
{
	u32 len = CIPHER, public;

	fx_open(&side->fx, crypto, slot);
	assert_int_equal(fx_ready(&side->fx, &side->open, &side->session), CKR_OK);
	side->key = key_make(side, "key");
	assert_int_equal(image_data_make(side, "public", 100, false, &public), CKR_OK);
	assert_int_equal(fx_op(side->open, side->session, LUNA_OP_ENCRYPT, CKM_AES_CBC_PAD,
			       side->key, iv, sizeof(iv), text, sizeof(text), NULL, 0,
			       side->cipher, &len), CKR_OK);
	assert_int_equal(len, CIPHER);
}

void image_side_end(struct image_side *side)
{
	luna_release(side->open);
	fx_close(&side->fx);
}

void image_target_make(struct image_side *side, u32 slot)
{
	memset(side, 0, sizeof(*side));
	fx_open(&side->fx, crypto, slot);
	side->open = luna_open(side->fx.token);
	assert_false(IS_ERR(side->open));
}

void image_pair_make(struct image_pair *p, void (*target_make)(struct image_side *side, u32 slot))
{
	image_source_make(&p->source, 0);
	p->image = image_of(&p->source);
	target_make(&p->target, OTHER_SLOT);
}

void image_pair_end(struct image_pair *p)
{
	test_free(p->image.data);
	image_side_end(&p->source);
	image_side_end(&p->target);
}

void image_expect_restored(struct image_side *target, const struct image_side *source)
{
	u8 plain[64];
	u32 session, key, public, len = sizeof(plain);

	assert_memory_equal(target->fx.token->state->serial, source->fx.token->state->serial,
			    LUNA_SERIAL_LEN);
	assert_memory_equal(target->fx.token->state->label, source->fx.token->state->label,
			    LUNA_LABEL_LEN);
	assert_int_equal(fx_session(target->open, true, &session), CKR_OK);
	assert_int_equal(image_found(target->open, session, "key", &key), 0);
	assert_int_equal(image_found(target->open, session, "public", &public), 1);
	assert_int_equal(fx_login(target->open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(image_found(target->open, session, "old", &key), 0);
	assert_int_equal(image_found(target->open, session, "key", &key), 1);
	assert_int_equal(key, source->key);
	assert_int_equal(fx_op(target->open, session, LUNA_OP_DECRYPT, CKM_AES_CBC_PAD, key, iv,
			       sizeof(iv), source->cipher, CIPHER, NULL, 0, plain, &len), CKR_OK);
	assert_int_equal(len, sizeof(text));
	assert_memory_equal(plain, text, sizeof(text));
	target->session = session;
	assert_int_equal(image_data_make(target, "new", 10, true, &key), CKR_OK);
	assert_int_equal(image_found(target->open, session, "new", &key), 1);
	assert_int_equal(fx_destroy(target->open, session, key), CKR_OK);
	assert_int_equal(fx_logout(target->open, session), CKR_OK);
	assert_int_equal(fx_login(target->open, session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_session_close(target->open, session), CKR_OK);
}

void image_expect_untouched(struct image_side *target)
{
	assert_false(target->fx.token->state->initialised);
	assert_int_equal(target->fx.store->content.len, 0);
}

/* ---- groups of tests ---- */

int image_setup(void **state __maybe_unused)
{
	port_log_sink(sink_warnings);
	crypto = fakerng_quick_ops(&luna_openssl_ops, 5);
	return 0;
}

int image_teardown(void **state __maybe_unused)
{
	port_log_sink(NULL);
	fakerng_forget_keys();
	return 0;
}
