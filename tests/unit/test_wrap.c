// SPDX-License-Identifier: MIT
/*
 * Key generation, wrapping and unwrapping through the engine's commands: every mechanism there and
 * back, what may not leave, what templates and policies say, and wrapped bytes that are wrong.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "engine_fixture.h"
#include "object.h"
#include "side.h"
#include "token.h"

static struct fx_side t;

static int setup(void **state __maybe_unused)
{
	fx_side_open(&t, fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	return 0;
}

static int teardown(void **state __maybe_unused)
{
	fx_side_close(&t);
	return 0;
}

/* ---- commands ---- */

struct blob {
	u8 data[4096];
	u32 len;
};

static s64 wrap(u32 mechanism, const void *param, u32 param_len, u32 key, u32 target,
		struct blob *out)
{
	struct luna_key arg = {
		.hdr.session = t.session,
		.mechanism = mechanism,
		.param_len = param_len,
		.key = key,
		.target = target,
		.out_max = LUNA_OUT_QUERY,
	};
	size_t room = 0;
	s64 rv = fx_call(t.open, LUNA_WRAP, &arg, sizeof(arg), param, param_len, NULL, &room);

	out->len = arg.out_need;
	if (rv)
		return rv;
	if (arg.out_need) {
		arg.out_max = arg.out_need - 1;
		assert_int_equal(fx_call(t.open, LUNA_WRAP, &arg, sizeof(arg), param, param_len,
					 NULL, &room),
				 CKR_BUFFER_TOO_SMALL);
	}
	arg.out_max = sizeof(out->data);
	room = sizeof(out->data);
	rv = fx_call(t.open, LUNA_WRAP, &arg, sizeof(arg), param, param_len, out->data, &room);
	assert_int_equal(arg.out_need, out->len);
	assert_int_equal(room, out->len);
	return rv;
}

static s64 unwrap(u32 mechanism, const void *param, u32 param_len, u32 key,
		  const struct fx_tmpl *tmpl, const struct blob *in, u32 *handle)
{
	struct luna_key arg = {
		.hdr.session = t.session,
		.mechanism = mechanism,
		.param_len = param_len,
		.key = key,
		.template_len = tmpl->len,
		.data_len = in->len,
	};
	u32 len = param_len + tmpl->len + in->len;
	u8 *payload = test_malloc(len ?: 1);
	s64 rv;

	if (param_len)
		memcpy(payload, param, param_len);
	memcpy(payload + param_len, tmpl->data, tmpl->len);
	memcpy(payload + param_len + tmpl->len, in->data, in->len);
	rv = fx_call(t.open, LUNA_UNWRAP, &arg, sizeof(arg), payload, len, NULL, NULL);
	test_free(payload);
	if (handle)
		*handle = arg.handle;
	return rv;
}

static u32 aes_new(u32 len, const struct fx_tmpl *more)
{
	struct fx_tmpl tmpl = { };
	u32 handle;

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, len);
	fx_attr_bool(&tmpl, CKA_SENSITIVE, false);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, true);
	fx_attrs(&tmpl, more);
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_AES_KEY_GEN, &tmpl, &handle),
			 CKR_OK);
	return handle;
}

static s64 generic_new(u32 len, u32 *handle)
{
	struct fx_tmpl tmpl = { };

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, len);
	fx_attr_bool(&tmpl, CKA_SENSITIVE, false);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, true);
	return fx_generate_key(t.open, t.session, CKM_GENERIC_SECRET_KEY_GEN, &tmpl, handle);
}

static s64 rsa_new(u32 bits, const struct fx_tmpl *more, u32 *pub, u32 *priv)
{
	struct fx_tmpl pub_tmpl = { }, priv_tmpl = { };

	if (bits)
		fx_attr_ulong(&pub_tmpl, CKA_MODULUS_BITS, bits);
	fx_attrs(&pub_tmpl, more);
	fx_attr_bool(&priv_tmpl, CKA_EXTRACTABLE, true);
	return fx_generate_pair(t.open, t.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub_tmpl, &priv_tmpl,
				pub, priv);
}

static void value_of(u32 handle, struct blob *value)
{
	value->len = sizeof(value->data);
	assert_int_equal(
		fx_attr_get(t.open, t.session, handle, CKA_VALUE, value->data, &value->len),
		CKR_OK);
}

static struct fx_tmpl secret_tmpl(u32 key_type, u32 len)
{
	struct fx_tmpl tmpl = { };

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, key_type);
	fx_attr_bool(&tmpl, CKA_SENSITIVE, false);
	if (len)
		fx_attr_ulong(&tmpl, CKA_VALUE_LEN, len);
	return tmpl;
}

static struct fx_tmpl private_tmpl(void)
{
	struct fx_tmpl tmpl = { };

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_PRIVATE_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_RSA);
	return tmpl;
}

static void set_policy(u32 id, u32 value)
{
	t.fx.token->state->policies[id] = value;
}

/* ---- there and back ---- */

static u8 iv[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static const struct {
	struct luna_gcm_param param;
	u8 iv[12];
	u8 aad[4];
} gcm = { { .iv_len = 12, .iv_bits = 96, .aad_len = 4, .tag_bits = 128 }, { 7 }, { 8 } };

static const struct luna_oaep_param oaep = { CKM_SHA256, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, 0 };

/* @step: the plain length must be a multiple; @length: it must be told to unwrap */
static const struct way {
	u32 mechanism;
	const void *param;
	u32 param_len;
	bool rsa;
	u32 step;
	bool length;
} ways[] = {
	{ CKM_AES_ECB, NULL, 0, false, 1, true },
	{ CKM_AES_CBC, iv, 16, false, 1, true },
	{ CKM_AES_CBC_PAD, iv, 16, false, 1, false },
	{ CKM_AES_GCM, &gcm, sizeof(gcm), false, 1, false },
	{ CKM_AES_KW, NULL, 0, false, 8, false },
	{ CKM_AES_KEY_WRAP, iv, 8, false, 8, false },
	{ CKM_AES_KWP, NULL, 0, false, 1, false },
	{ CKM_AES_KWP, iv, 4, false, 1, false },
	{ CKM_AES_KWP, iv, 8, false, 1, false },
	{ CKM_AES_KEY_WRAP_KWP, NULL, 0, false, 1, false },
	{ CKM_RSA_PKCS, NULL, 0, true, 1, false },
	{ CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep), true, 1, false },
	{ CKM_RSA_X_509, NULL, 0, true, 1, true },
};

static void there_and_back(const struct way *w, u32 wrapping, u32 unwrapping, u32 len)
{
	struct blob value, wrapped, back;
	struct fx_tmpl tmpl;
	u32 target, handle;

	assert_int_equal(generic_new(len, &target), CKR_OK);
	if (len % w->step || (w->step == 8 && len < 16)) {
		assert_int_equal(
			wrap(w->mechanism, w->param, w->param_len, wrapping, target, &wrapped),
			CKR_KEY_SIZE_RANGE);
		return;
	}
	value_of(target, &value);
	assert_int_equal(wrap(w->mechanism, w->param, w->param_len, wrapping, target, &wrapped),
			 CKR_OK);
	tmpl = secret_tmpl(CKK_GENERIC_SECRET, w->length || len % 2 ? len : 0);
	assert_int_equal(unwrap(w->mechanism, w->param, w->param_len, unwrapping, &tmpl, &wrapped,
				&handle), CKR_OK);
	value_of(handle, &back);
	assert_int_equal(back.len, len);
	assert_memory_equal(back.data, value.data, len);
	fx_destroy(t.open, t.session, handle);
	fx_destroy(t.open, t.session, target);
}

static void test_secret_keys(void **state __maybe_unused)
{
	static const u32 sizes[] = { 1, 7, 8, 15, 16, 17, 24, 32, 33, 64, 100 };
	u32 aes = aes_new(32, NULL), pub, priv;

	assert_int_equal(rsa_new(2048, NULL, &pub, &priv), CKR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		for (size_t s = 0; s < ARRAY_SIZE(sizes); s++)
			there_and_back(&ways[i], ways[i].rsa ? pub : aes, ways[i].rsa ? priv : aes,
				       sizes[s]);
}

static void sign_verify(u32 priv, u32 pub)
{
	u8 sig[256], data[32] = { 5 };
	u32 len = sizeof(sig), none = 0;

	assert_int_equal(fx_op(t.open, t.session, LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, priv, NULL, 0,
			       data, sizeof(data), NULL, 0, sig, &len), CKR_OK);
	assert_int_equal(fx_op(t.open, t.session, LUNA_OP_VERIFY, CKM_SHA256_RSA_PKCS, pub, NULL, 0,
			       data, sizeof(data), sig, len, NULL, &none), CKR_OK);
}

static void test_private_keys(void **state __maybe_unused)
{
	struct fx_tmpl tmpl = private_tmpl();
	u32 aes = aes_new(16, NULL), pub, priv, handle;
	struct blob wrapped;
	s64 rv;

	assert_int_equal(rsa_new(2048, NULL, &pub, &priv), CKR_OK);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, aes, priv, &wrapped), CKR_KEY_NOT_WRAPPABLE);
	set_policy(1, 1);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct way *w = &ways[i];

		rv = wrap(w->mechanism, w->param, w->param_len, w->rsa ? pub : aes, priv, &wrapped);
		if (w->rsa) {
			assert_int_equal(rv, CKR_KEY_NOT_WRAPPABLE);
			continue;
		}
		if (rv == CKR_KEY_SIZE_RANGE && w->step == 8)
			continue;
		assert_int_equal(rv, CKR_OK);
		assert_int_equal(unwrap(w->mechanism, w->param, w->param_len, aes, &tmpl, &wrapped,
					&handle), CKR_OK);
		sign_verify(handle, pub);
		wrapped.data[wrapped.len / 2] ^= 1;	/* in the middle of the primes */
		assert_int_equal(unwrap(w->mechanism, w->param, w->param_len, aes, &tmpl, &wrapped,
					NULL), CKR_WRAPPED_KEY_INVALID);
	}
	set_policy(2, 0);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, aes, &tmpl, &wrapped, NULL),
			 CKR_OPERATION_NOT_ALLOWED);
}

/* Policy 17 off: nothing is signed with a key that was not made here, in whichever way. */
static void test_non_local(void **state __maybe_unused)
{
	static const u32 ways_to_sign[] = { LUNA_OP_SIGN, LUNA_OP_SIGN_RECOVER };
	struct fx_tmpl tmpl = private_tmpl();
	u32 aes = aes_new(16, NULL), pub, priv, handle, i, len;
	u8 data[32] = { 5 }, sig[256];
	struct blob wrapped;

	set_policy(1, 1);
	assert_int_equal(rsa_new(2048, NULL, &pub, &priv), CKR_OK);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, aes, priv, &wrapped), CKR_OK);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, aes, &tmpl, &wrapped, &handle), CKR_OK);
	set_policy(17, 0);
	for (i = 0; i < ARRAY_SIZE(ways_to_sign); i++) {
		len = sizeof(sig);
		assert_int_equal(fx_op(t.open, t.session, ways_to_sign[i], CKM_RSA_PKCS, priv, NULL,
				       0, data, sizeof(data), NULL, 0, sig, &len), CKR_OK);
		len = sizeof(sig);
		assert_int_equal(fx_op(t.open, t.session, ways_to_sign[i], CKM_RSA_PKCS, handle,
				       NULL, 0, data, sizeof(data), NULL, 0, sig, &len),
				 CKR_KEY_FUNCTION_NOT_PERMITTED);
	}
}

/* ---- what may not be ---- */

static void test_not_wrappable(void **state __maybe_unused)
{
	struct fx_tmpl no_export = { }, trusted_only = { }, no_wrap = { };
	u32 aes = aes_new(32, NULL), target = aes_new(16, NULL), other, pub, priv;
	struct blob out;

	fx_attr_ulong(&no_export, CKA_VALUE_LEN, 16);
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_AES_KEY_GEN, &no_export, &other),
			 CKR_OK);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, aes, other, &out), CKR_KEY_UNEXTRACTABLE);
	fx_attr_bool(&trusted_only, CKA_WRAP_WITH_TRUSTED, true);
	other = aes_new(16, &trusted_only);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, aes, other, &out), CKR_KEY_NOT_WRAPPABLE);
	fx_attr_bool(&no_wrap, CKA_WRAP, false);
	other = aes_new(16, &no_wrap);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, other, target, &out),
			 CKR_KEY_FUNCTION_NOT_PERMITTED);
	assert_int_equal(rsa_new(1024, NULL, &pub, &priv), CKR_OK);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, aes, pub, &out), CKR_KEY_NOT_WRAPPABLE);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, pub, target, &out),
			 CKR_WRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, 0xdead, target, &out),
			 CKR_WRAPPING_KEY_HANDLE_INVALID);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, aes, 0xdead, &out), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(wrap(CKM_SHA256, NULL, 0, aes, target, &out), CKR_MECHANISM_INVALID);
	assert_int_equal(wrap(CKM_AES_KWP, iv, 5, aes, target, &out), CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(wrap(CKM_AES_KW, iv, 4, aes, target, &out), CKR_MECHANISM_PARAM_INVALID);
	set_policy(5, 0);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, aes, target, &out), CKR_KEY_NOT_WRAPPABLE);
}

static void test_wrap_template(void **state __maybe_unused)
{
	struct fx_tmpl inner = { }, more = { }, label = { };
	u32 plain = aes_new(16, NULL), named, wrapping;
	struct blob out;

	fx_attr_text(&inner, CKA_LABEL, "exportable");
	fx_attr(&more, CKA_WRAP_TEMPLATE, inner.data, inner.len);
	wrapping = aes_new(32, &more);
	fx_attr_text(&label, CKA_LABEL, "exportable");
	named = aes_new(16, &label);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, wrapping, plain, &out), CKR_KEY_NOT_WRAPPABLE);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, wrapping, named, &out), CKR_OK);
}

static void test_unwrap_template(void **state __maybe_unused)
{
	struct fx_tmpl inner = { }, more = { }, tmpl = secret_tmpl(CKK_AES, 0), wrong;
	u32 target = aes_new(16, NULL), wrapping, handle, len = 1;
	struct blob wrapped;
	u8 yes;

	fx_attr_bool(&inner, CKA_DECRYPT, false);
	fx_attr_bool(&inner, CKA_EXTRACTABLE, false);
	fx_attr(&more, CKA_UNWRAP_TEMPLATE, inner.data, inner.len);
	wrapping = aes_new(32, &more);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, wrapping, target, &wrapped), CKR_OK);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, wrapping, &tmpl, &wrapped, &handle), CKR_OK);
	assert_int_equal(fx_attr_get(t.open, t.session, handle, CKA_DECRYPT, &yes, &len), CKR_OK);
	assert_int_equal(yes, false);
	wrong = tmpl;
	fx_attr_bool(&wrong, CKA_EXTRACTABLE, true);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, wrapping, &wrong, &wrapped, NULL),
			 CKR_TEMPLATE_INCONSISTENT);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, false);	/* says it, too */
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, wrapping, &tmpl, &wrapped, NULL), CKR_OK);
}

/* A public object comes from the store as somebody left it there: templates in it may be anything. */
static void test_stored_template(void **state __maybe_unused)
{
	static const u32 types[] = { CKA_WRAP_TEMPLATE, CKA_UNWRAP_TEMPLATE };
	struct fx_tmpl inner = { }, more = { }, tmpl = secret_tmpl(CKK_AES, 0);
	const u32 hostile = 0x7ffffff0;
	struct luna_object *obj;
	u32 target = aes_new(16, NULL), key, handle, len;
	struct blob wrapped;
	u8 *data;

	fx_attr_text(&inner, CKA_LABEL, "any");
	fx_attr_bool(&more, CKA_TOKEN, true);
	fx_attr_bool(&more, CKA_PRIVATE, false);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct fx_tmpl with = more;

		fx_attr(&with, types[i], inner.data, inner.len);
		key = aes_new(32, &with);
		obj = luna_table_find(&t.fx.token->objects.table, key);
		data = test_malloc(obj->attrs->len);
		len = obj->attrs->len;
		memcpy(data, obj->attrs->data, len);
		memcpy(data + (luna_attrs_bytes(obj->attrs, types[i], &(u32){ 0 }) -
			       obj->attrs->data) + 4, &hostile, sizeof(hostile));
		assert_int_equal(luna_object_load(t.fx.token, key, false, data, len), 0);
		test_free(data);
		if (i)
			wrapped.len = 24;
		assert_int_equal(i ? unwrap(CKM_AES_KWP, NULL, 0, key, &tmpl, &wrapped, &handle) :
				     wrap(CKM_AES_KWP, NULL, 0, key, target, &wrapped),
				 CKR_DEVICE_ERROR);
	}
}

/* Everything wrong in the wrapped bytes has one code; nothing becomes a shorter key. */
static void test_bad_wrapped(void **state __maybe_unused)
{
	struct fx_tmpl aes_tmpl = secret_tmpl(CKK_AES, 0),
		       short_tmpl = secret_tmpl(CKK_GENERIC_SECRET, 20);
	struct fx_tmpl no_class = { }, no_type = { }, public = { };
	u32 aes = aes_new(32, NULL), target, pub, priv;
	struct blob wrapped;

	assert_int_equal(rsa_new(1024, NULL, &pub, &priv), CKR_OK);
	assert_int_equal(generic_new(30, &target), CKR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct way *w = &ways[i];
		u32 key = w->rsa ? priv : aes;

		if (w->step == 8)
			continue;
		assert_int_equal(wrap(w->mechanism, w->param, w->param_len, w->rsa ? pub : aes,
				      target, &wrapped),
				 CKR_OK);
		assert_int_equal(unwrap(w->mechanism, w->param, w->param_len, key, &short_tmpl,
					&wrapped, NULL), CKR_WRAPPED_KEY_INVALID);
		if (!w->length)		/* 30 bytes are no AES key */
			assert_int_equal(unwrap(w->mechanism, w->param, w->param_len, key,
						&aes_tmpl, &wrapped, NULL),
					 CKR_WRAPPED_KEY_INVALID);
		wrapped.len--;
		assert_int_equal(unwrap(w->mechanism, w->param, w->param_len, key, &short_tmpl,
					&wrapped, NULL),
				 w->mechanism == CKM_AES_GCM ? CKR_WRAPPED_KEY_INVALID :
				 CKR_WRAPPED_KEY_LEN_RANGE);
		wrapped.len++;
		wrapped.data[0] ^= 0x55;
		wrapped.data[wrapped.len - 1] ^= 0x55;
		if (w->mechanism != CKM_AES_CBC && w->mechanism != CKM_AES_ECB)
			assert_int_equal(unwrap(w->mechanism, w->param, w->param_len, key,
						&short_tmpl, &wrapped, NULL),
					 CKR_WRAPPED_KEY_INVALID);
	}
	fx_attr_ulong(&no_class, CKA_KEY_TYPE, CKK_AES);
	fx_attr_ulong(&no_type, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&public, CKA_CLASS, CKO_PUBLIC_KEY);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, aes, &no_class, &wrapped, NULL),
			 CKR_TEMPLATE_INCOMPLETE);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, aes, &no_type, &wrapped, NULL),
			 CKR_TEMPLATE_INCOMPLETE);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, aes, &public, &wrapped, NULL),
			 CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, pub, &aes_tmpl, &wrapped, NULL),
			 CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, 77777, &aes_tmpl, &wrapped, NULL),
			 CKR_UNWRAPPING_KEY_HANDLE_INVALID);
	set_policy(6, 0);
	assert_int_equal(unwrap(CKM_AES_KWP, NULL, 0, aes, &aes_tmpl, &wrapped, NULL),
			 CKR_OPERATION_NOT_ALLOWED);
}

/* Policy 34 off: under CBC_PAD a key goes under one that is as strong, or not at all. */
static void test_weak_wrapping(void **state __maybe_unused)
{
	struct fx_tmpl tmpl = secret_tmpl(CKK_AES, 0);
	u32 weak = aes_new(16, NULL), strong = aes_new(32, NULL), target = aes_new(24, NULL);
	struct blob wrapped;

	assert_int_equal(wrap(CKM_AES_CBC_PAD, iv, 16, weak, target, &wrapped), CKR_OK);
	set_policy(34, 0);
	assert_int_equal(unwrap(CKM_AES_CBC_PAD, iv, 16, weak, &tmpl, &wrapped, NULL),
			 CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(wrap(CKM_AES_CBC_PAD, iv, 16, weak, target, &wrapped),
			 CKR_KEY_NOT_WRAPPABLE);
	assert_int_equal(wrap(CKM_AES_CBC_PAD, iv, 16, strong, target, &wrapped), CKR_OK);
	assert_int_equal(unwrap(CKM_AES_CBC_PAD, iv, 16, strong, &tmpl, &wrapped, NULL), CKR_OK);
	assert_int_equal(wrap(CKM_AES_KWP, NULL, 0, weak, target, &wrapped), CKR_OK);
}

/* ---- generation ---- */

static void test_generate_secret(void **state __maybe_unused)
{
	struct fx_tmpl tmpl = { }, hmac = { }, wrong = { };
	u32 handle, len = 8;
	u64 type;

	assert_int_equal(fx_generate_key(t.open, t.session, CKM_AES_KEY_GEN, &tmpl, &handle),
			 CKR_TEMPLATE_INCOMPLETE);
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 20);
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_AES_KEY_GEN, &tmpl, &handle),
			 CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(generic_new(0, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(generic_new(4096, &handle), CKR_OK);
	assert_int_equal(generic_new(4097, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
	fx_attr_ulong(&hmac, CKA_VALUE_LEN, 32);
	fx_attr_ulong(&hmac, CKA_KEY_TYPE, CKK_SHA256_HMAC);
	assert_int_equal(
		fx_generate_key(t.open, t.session, CKM_GENERIC_SECRET_KEY_GEN, &hmac, &handle),
		CKR_OK);
	assert_int_equal(fx_attr_get(t.open, t.session, handle, CKA_KEY_TYPE, &type, &len), CKR_OK);
	assert_int_equal(type, CKK_SHA256_HMAC);
	fx_attr_ulong(&wrong, CKA_VALUE_LEN, 32);
	fx_attr_ulong(&wrong, CKA_KEY_TYPE, CKK_AES);
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_GENERIC_SECRET_KEY_GEN, &wrong,
					 &handle), CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_AES_CBC, &wrong, &handle),
			 CKR_MECHANISM_INVALID);
}

static s64 rsa_exponent(const void *e, u32 len, u32 *pub, u32 *priv)
{
	struct fx_tmpl more = { };

	fx_attr(&more, CKA_PUBLIC_EXPONENT, e, len);
	return rsa_new(1024, &more, pub, priv);
}

static void test_generate_pair(void **state __maybe_unused)
{
	u8 e[8];
	u32 pub, priv, len = sizeof(e);

	assert_int_equal(rsa_new(0, NULL, &pub, &priv), CKR_TEMPLATE_INCOMPLETE);
	assert_int_equal(rsa_new(512, NULL, &pub, &priv), CKR_KEY_SIZE_RANGE);
	assert_int_equal(rsa_new(8200, NULL, &pub, &priv), CKR_KEY_SIZE_RANGE);
	assert_int_equal(rsa_new(1025, NULL, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(rsa_exponent("\4", 1, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(rsa_exponent("\1", 1, &pub, &priv), CKR_ATTRIBUTE_VALUE_INVALID);
	assert_int_equal(rsa_exponent("10001", 5, &pub, &priv), CKR_OK);	/* as digits */
	sign_verify(priv, pub);
	assert_int_equal(rsa_exponent("\0", 1, &pub, &priv), CKR_OK);
	assert_int_equal(fx_attr_get(t.open, t.session, pub, CKA_PUBLIC_EXPONENT, e, &len), CKR_OK);
	assert_int_equal(len, 3);
	assert_memory_equal(e, "\1\0\1", 3);
	sign_verify(priv, pub);
}

/* What will be refused is refused before the minutes that a key takes. */
static struct luna_rsa_made *no_generate(u32 bits, const u8 *e, size_t e_len)
{
	fail_msg("generated a key");
	return ERR_PTR(-EIO);
}

static void test_refused_early(void **state __maybe_unused)
{
	struct luna_crypto_ops slow = *t.fx.token->crypto;
	const struct luna_crypto_ops *kept = t.fx.token->crypto;
	struct fx_tmpl pub_tmpl = { }, priv_tmpl = { };
	u32 pub, priv;

	slow.rsa_generate = no_generate;
	t.fx.token->crypto = &slow;
	fx_attr_ulong(&pub_tmpl, CKA_MODULUS_BITS, 2048);
	fx_attr_ulong(&priv_tmpl, CKA_VALUE_LEN, 5);
	assert_int_equal(fx_generate_pair(t.open, t.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub_tmpl,
					  &priv_tmpl, &pub, &priv), CKR_ATTRIBUTE_TYPE_INVALID);
	priv_tmpl.len = 0;
	fx_attr(&priv_tmpl, CKA_MODULUS, "abc", 3);
	assert_int_not_equal(fx_generate_pair(t.open, t.session, CKM_RSA_PKCS_KEY_PAIR_GEN,
					      &pub_tmpl, &priv_tmpl, &pub, &priv),
			     CKR_OK);
	t.fx.token->crypto = kept;
}

/* How often these bytes are in the heap, in what was given back, too */
static u32 heap_count(const u8 *bytes, size_t len)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long from = 0, to = 0;
	const u8 *at;
	char line[512];
	u32 count = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps))
		if (strstr(line, "[heap]"))
			assert_int_equal(sscanf(line, "%lx-%lx", &from, &to), 2);
	fclose(maps);
	for (at = (const u8 *)from; at + len <= (const u8 *)to; at++)
		count += *at == *bytes && !memcmp(at, bytes, len);
	return count;
}

/* What was given back before is overwritten. */
static void heap_stir(void)
{
	void *got[4096];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(got); i++) {
		got[i] = malloc(i);
		assert_non_null(got[i]);
		memset(got[i], 0x55, i);
	}
	for (i = 0; i < ARRAY_SIZE(got); i++)
		free(got[i]);
}

static struct luna_cipher_stream *no_ecb(struct luna_aes_key *key, enum luna_mode mode, bool encrypt,
					 const u8 *block, size_t block_len)
{
	return ERR_PTR(-ENOMEM);
}

/*
 * The key is in the place of what it would have become when its wrapping fails. Not with
 * AddressSanitizer, whose heap is another one, and keeps nothing in order.
 */
static void __maybe_unused test_failed_wrapping_wiped(void **state __maybe_unused)
{
	struct luna_crypto_ops broken = *t.fx.token->crypto;
	const struct luna_crypto_ops *kept = t.fx.token->crypto;
	struct { struct luna_rsa_aes_param p; struct luna_oaep_param oaep; } param = {
		.p.aes_bits = 256, .oaep = oaep,
	};
	u32 pub, priv, target, before;
	struct blob value, out;

	assert_int_equal(rsa_new(2048, NULL, &pub, &priv), CKR_OK);
	assert_int_equal(generic_new(1000, &target), CKR_OK);
	value_of(target, &value);
	heap_stir();
	broken.cipher_begin = no_ecb;
	t.fx.token->crypto = &broken;
	before = heap_count(value.data + 100, 100);
	assert_true(before > 0);
	assert_int_equal(wrap(CKM_RSA_AES_KEY_WRAP, &param, sizeof(param), pub, target, &out),
			 CKR_DEVICE_MEMORY);
	assert_int_equal(heap_count(value.data + 100, 100), before);
	t.fx.token->crypto = kept;
}

/* Lengths that do not add up */
static void test_payload(void **state __maybe_unused)
{
	static const u32 lens[] = { 1, 9, 0x7fffffff, 0xfffffff0, LUNA_PARAM_MALFORMED };
	u8 payload[8] = { };

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		for (int field = 0; field < 4; field++) {
			struct luna_key arg = {.hdr.session = t.session, .mechanism = CKM_AES_KWP};
			u32 *const fields[] = { &arg.param_len, &arg.template_len,
						&arg.template2_len, &arg.data_len };

			*fields[field] = lens[i];
			assert_int_equal(fx_call(t.open, LUNA_UNWRAP, &arg, sizeof(arg), payload, 8,
						 NULL, NULL),
					 field == 0 && lens[i] == LUNA_PARAM_MALFORMED ?
					 CKR_MECHANISM_PARAM_INVALID : CKR_ARGUMENTS_BAD);
		}
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_secret_keys),
		TEST(test_private_keys),
		TEST(test_non_local),
		TEST(test_not_wrappable),
		TEST(test_wrap_template),
		TEST(test_unwrap_template),
		TEST(test_stored_template),
		TEST(test_bad_wrapped),
		TEST(test_weak_wrapping),
		TEST(test_generate_secret),
		TEST(test_generate_pair),
		TEST(test_refused_early),
#ifndef __SANITIZE_ADDRESS__
		TEST(test_failed_wrapping_wiped),
#endif
		TEST(test_payload),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fakerng_forget_keys();
	return failed;
}
