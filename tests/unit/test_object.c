// SPDX-License-Identifier: MIT
/*
 * Objects through the ABI: what a template becomes, what may change, who may do it, what is found,
 * and what a restart, a logout or a store that fails leaves of it.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "engine_fixture.h"
#include "table.h"
#include "token.h"

static struct fx fx;
static struct luna_open *open;
static u32 session;

static int setup(void **state __maybe_unused)
{
	fx_open(&fx, NULL, 1);
	return fx_ready(&fx, &open, &session) ? -1 : 0;
}

static int teardown(void **state __maybe_unused)
{
	if (open)
		luna_release(open);
	open = NULL;
	fx_close(&fx);
	return 0;
}

static void restart(void)
{
	luna_release(open);
	fx_reopen(&fx);
	open = luna_open(fx.token);
	assert_false(IS_ERR(open));
	assert_int_equal(fx_session(open, true, &session), CKR_OK);
}

static void aes_template(struct fx_tmpl *t, const char *label, bool token)
{
	t->len = 0;
	fx_attr_ulong(t, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(t, CKA_KEY_TYPE, CKK_AES);
	fx_attr_bool(t, CKA_TOKEN, token);
	fx_attr_text(t, CKA_LABEL, label);
	fx_attr(t, CKA_VALUE, "0123456789abcdef", 16);
}

static u32 create(const struct fx_tmpl *t)
{
	u32 handle;

	assert_int_equal(fx_create(open, session, t, &handle), CKR_OK);
	return handle;
}

static u32 make_aes(const char *label, bool token)
{
	struct fx_tmpl t;

	aes_template(&t, label, token);
	return create(&t);
}

static u32 make_data(const char *label, bool token, bool private)
{
	struct fx_tmpl t = { 0 };

	fx_attr_ulong(&t, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&t, CKA_TOKEN, token);
	fx_attr_bool(&t, CKA_PRIVATE, private);
	fx_attr_text(&t, CKA_LABEL, label);
	return create(&t);
}

static s64 get(u32 handle, u32 type, void *value, u32 *len)
{
	return fx_attr_get(open, session, handle, type, value, len);
}

static void assert_flag(u32 handle, u32 type, bool expected)
{
	u8 value = 2;
	u32 len = 1;

	assert_int_equal(get(handle, type, &value, &len), CKR_OK);
	assert_int_equal(value, expected);
}

static void assert_number(u32 handle, u32 type, u64 expected)
{
	u64 value = 0;
	u32 len = 8;

	assert_int_equal(get(handle, type, &value, &len), CKR_OK);
	assert_int_equal(value, expected);
}

static s64 set_flag(u32 handle, u32 type, bool value)
{
	struct fx_tmpl t = { 0 };

	fx_attr_bool(&t, type, value);
	return fx_attr_set(open, session, handle, &t);
}

static u32 count_label(const char *label)
{
	struct fx_tmpl t = { 0 };
	u32 handles[4], count;

	fx_attr_text(&t, CKA_LABEL, label);
	assert_int_equal(fx_find(open, session, &t, handles, 4, &count), CKR_OK);
	return count;
}

static s64 copy(u32 handle, const struct fx_tmpl *t, u32 *made)
{
	struct luna_object_arg arg = {
		.hdr.session = session, .handle = handle, .template_len = t->len,
	};
	s64 ret = fx_call(open, LUNA_OBJECT_COPY, &arg, sizeof(arg), t->data, t->len, NULL, NULL);

	*made = arg.handle;
	return ret;
}

/* ---- templates ---- */

static void test_aes(void **state __maybe_unused)
{
	u32 handle = make_aes("key", true), len = 16;
	u8 value[16], ouid[12];

	assert_int_equal(get(handle, CKA_VALUE, value, &len), CKR_ATTRIBUTE_SENSITIVE);
	assert_int_equal(len, LUNA_ATTR_UNAVAILABLE);
	assert_number(handle, CKA_VALUE_LEN, 16);
	assert_number(handle, CKA_KEY_GEN_MECHANISM, U64_MAX);
	assert_flag(handle, CKA_PRIVATE, true);
	assert_flag(handle, CKA_SENSITIVE, true);
	assert_flag(handle, CKA_EXTRACTABLE, false);
	assert_flag(handle, CKA_ENCRYPT, true);
	assert_flag(handle, CKA_DERIVE, false);
	assert_flag(handle, CKA_LOCAL, false);
	assert_flag(handle, CKA_ALWAYS_SENSITIVE, false);
	assert_flag(handle, CKA_NEVER_EXTRACTABLE, false);
	len = sizeof(ouid);
	assert_int_equal(get(handle, CKA_OUID, ouid, &len), CKR_OK);
	assert_int_equal(len, 12);
	assert_int_not_equal(ouid[0], 0);
	len = 3;
	assert_int_equal(get(handle, CKA_CHECK_VALUE, value, &len), CKR_OK);
	assert_memory_equal(value, "\x0b\x9b\x15", 3);	/* openssl enc -aes-128-ecb of zeros */
	len = 8;
	assert_int_equal(get(handle, CKA_MODULUS, value, &len), CKR_ATTRIBUTE_TYPE_INVALID);
	len = 2;
	assert_int_equal(get(handle, CKA_LABEL, value, &len), CKR_BUFFER_TOO_SMALL);
}

static void test_template_codes(void **state __maybe_unused)
{
	struct fx_tmpl t = { 0 };
	u32 handle;

	assert_int_equal(fx_create(open, session, &t, &handle), CKR_TEMPLATE_INCOMPLETE);
	fx_attr_ulong(&t, CKA_CLASS, CKO_SECRET_KEY);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_TEMPLATE_INCOMPLETE);
	fx_attr_ulong(&t, CKA_KEY_TYPE, CKK_AES);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_TEMPLATE_INCOMPLETE);
	fx_attr(&t, CKA_VALUE, "0123456789abcde", 15);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
	aes_template(&t, "x", false);
	fx_attr_ulong(&t, CKA_VALUE_LEN, 32);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_TEMPLATE_INCONSISTENT);
	aes_template(&t, "x", false);
	fx_attr_bool(&t, CKA_LOCAL, true);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_READ_ONLY);
	aes_template(&t, "x", false);
	fx_attr(&t, CKA_MODULUS, "1", 1);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_TYPE_INVALID);
	aes_template(&t, "x", false);
	fx_attr(&t, CKA_CHECK_VALUE, "abc", 3);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
	aes_template(&t, "x", false);
	fx_attr(&t, CKA_CHECK_VALUE, "", 0);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_OK);
	aes_template(&t, "x", false);
	fx_attr_bool(&t, CKA_TRUSTED, true);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_READ_ONLY);
}

static void rsa_template(struct fx_tmpl *t, u32 bytes, u8 last, u8 e)
{
	u8 n[512] = { 0 };

	memset(n + 1, 0xa5, bytes);
	n[bytes] = last;
	t->len = 0;
	fx_attr_ulong(t, CKA_CLASS, CKO_PUBLIC_KEY);
	fx_attr_ulong(t, CKA_KEY_TYPE, CKK_RSA);
	fx_attr(t, CKA_MODULUS, n, bytes + 1);
	fx_attr(t, CKA_PUBLIC_EXPONENT, &e, 1);
}

static void test_rsa_public(void **state __maybe_unused)
{
	u32 handle, len = 512;
	struct fx_tmpl t;
	u8 value[512];

	rsa_template(&t, 256, 1, 3);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_OK);
	assert_number(handle, CKA_MODULUS_BITS, 2048);
	assert_int_equal(get(handle, CKA_MODULUS, value, &len), CKR_OK);
	assert_int_equal(len, 256);	/* the leading zero is gone */
	assert_flag(handle, CKA_PRIVATE, false);
	assert_flag(handle, CKA_VERIFY, true);
	rsa_template(&t, 256, 2, 3);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
	rsa_template(&t, 63, 1, 3);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
	rsa_template(&t, 256, 1, 1);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
	rsa_template(&t, 256, 1, 4);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_ATTRIBUTE_VALUE_INVALID);
}

static void test_certificate(void **state __maybe_unused)
{
	struct fx_tmpl t = { 0 };
	u32 handle, len = 32;
	u8 value[32];

	fx_attr_ulong(&t, CKA_CLASS, CKO_CERTIFICATE);
	fx_attr_ulong(&t, CKA_CERTIFICATE_TYPE, CKC_X_509);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_TEMPLATE_INCOMPLETE);
	fx_attr_text(&t, CKA_SUBJECT, "subject");
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_TEMPLATE_INCOMPLETE);
	fx_attr_text(&t, CKA_VALUE, "abc");
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_OK);
	assert_int_equal(get(handle, CKA_CHECK_VALUE, value, &len), CKR_OK);
	assert_int_equal(len, 3);
	assert_memory_equal(value, "\xa9\x99\x3e", 3);		/* SHA-1 of "abc" */
}

/* ---- change and copy ---- */

static void test_latches(void **state __maybe_unused)
{
	struct fx_tmpl t;
	u32 handle;

	aes_template(&t, "latch", true);
	fx_attr_bool(&t, CKA_SENSITIVE, false);
	fx_attr_bool(&t, CKA_EXTRACTABLE, true);
	handle = create(&t);
	assert_int_equal(set_flag(handle, CKA_SENSITIVE, true), CKR_OK);
	assert_int_equal(set_flag(handle, CKA_SENSITIVE, true), CKR_OK);
	assert_int_equal(set_flag(handle, CKA_SENSITIVE, false), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(set_flag(handle, CKA_EXTRACTABLE, false), CKR_OK);
	assert_int_equal(set_flag(handle, CKA_EXTRACTABLE, true), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(set_flag(handle, CKA_TOKEN, false), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(set_flag(handle, CKA_TRUSTED, true), CKR_ATTRIBUTE_READ_ONLY);
	assert_flag(handle, CKA_ALWAYS_SENSITIVE, false);
	assert_flag(handle, CKA_NEVER_EXTRACTABLE, false);
	restart();
	assert_int_equal(fx_login(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_flag(handle, CKA_SENSITIVE, true);
	assert_flag(handle, CKA_EXTRACTABLE, false);
}

static void test_relabel(void **state __maybe_unused)
{
	u32 handle = make_aes("before", true);
	struct fx_tmpl t = { 0 };

	fx_attr_text(&t, CKA_LABEL, "after");
	assert_int_equal(fx_attr_set(open, session, handle, &t), CKR_OK);
	assert_int_equal(count_label("before"), 0);
	assert_int_equal(count_label("after"), 1);
}

static void test_copy(void **state __maybe_unused)
{
	static const u32 on[] = {
		CKA_ENCRYPT, CKA_DECRYPT, CKA_WRAP, CKA_UNWRAP, CKA_SIGN, CKA_VERIFY, CKA_DERIVE,
		CKA_MODIFIABLE, CKA_EXTRACTABLE, CKA_SENSITIVE, CKA_PRIVATE,
	};
	u32 handle, made, again, i;
	struct fx_tmpl t;

	aes_template(&t, "all", true);
	for (i = 0; i < ARRAY_SIZE(on); i++)
		fx_attr_bool(&t, on[i], true);
	handle = create(&t);
	t.len = 0;
	fx_attr_bool(&t, CKA_TOKEN, false);
	for (i = 0; i < ARRAY_SIZE(on); i++)
		fx_attr_bool(&t, on[i], on[i] != CKA_DECRYPT && on[i] != CKA_UNWRAP &&
			     on[i] != CKA_EXTRACTABLE && on[i] != CKA_MODIFIABLE);
	assert_int_equal(copy(handle, &t, &made), CKR_OK);
	assert_flag(made, CKA_DECRYPT, false);
	assert_flag(made, CKA_ENCRYPT, true);
	assert_flag(made, CKA_TOKEN, false);
	assert_int_equal(set_flag(made, CKA_DECRYPT, true), CKR_ACTION_PROHIBITED);
	/* Frozen keys do not thaw by being copied. */
	t.len = 0;
	fx_attr_bool(&t, CKA_DECRYPT, true);
	assert_int_equal(copy(made, &t, &again), CKR_ATTRIBUTE_READ_ONLY);
	t.len = 0;
	fx_attr_bool(&t, CKA_MODIFIABLE, true);
	assert_int_equal(copy(made, &t, &again), CKR_ATTRIBUTE_READ_ONLY);
	t.len = 0;
	assert_int_equal(copy(made, &t, &again), CKR_OK);
	fx_attr_bool(&t, CKA_PRIVATE, false);
	assert_int_equal(copy(handle, &t, &again), CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(set_flag(handle, CKA_COPYABLE, false), CKR_OK);
	t.len = 0;
	assert_int_equal(copy(handle, &t, &again), CKR_ACTION_PROHIBITED);
}

/* The SO vouches for keys that everybody sees; the CO's own are hidden from it. */
static u32 make_trusted(void)
{
	struct fx_tmpl t;
	u32 handle;

	assert_int_equal(fx_logout(open, session), CKR_OK);
	assert_int_equal(fx_login(open, session, CKU_SO, FX_SO_PIN), CKR_OK);
	aes_template(&t, "wraps", true);
	fx_attr_bool(&t, CKA_PRIVATE, false);
	fx_attr_bool(&t, CKA_TRUSTED, true);
	fx_attr_bool(&t, CKA_DECRYPT, false);
	handle = create(&t);
	assert_int_equal(fx_logout(open, session), CKR_OK);
	assert_int_equal(fx_login(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	return handle;
}

/* What is wrapped under a trusted key must stay wrapped: neither it nor its copy comes to decrypt. */
static void test_trusted(void **state __maybe_unused)
{
	u32 handle = make_trusted(), made;
	struct fx_tmpl t = { 0 };

	assert_int_equal(set_flag(handle, CKA_DECRYPT, true), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(set_flag(handle, CKA_TRUSTED, false), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(copy(handle, &t, &made), CKR_OK);
	assert_flag(made, CKA_TRUSTED, false);
	assert_flag(made, CKA_ENCRYPT, true);
	assert_int_equal(set_flag(made, CKA_DECRYPT, true), CKR_ACTION_PROHIBITED);
	fx_attr_text(&t, CKA_LABEL, "another");
	assert_int_equal(copy(handle, &t, &made), CKR_OK);
	fx_attr_bool(&t, CKA_MODIFIABLE, true);
	assert_int_equal(copy(handle, &t, &made), CKR_ATTRIBUTE_READ_ONLY);
	t.len = 0;
	fx_attr_bool(&t, CKA_DECRYPT, true);
	assert_int_equal(copy(made, &t, &made), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(copy(handle, &t, &made), CKR_ATTRIBUTE_READ_ONLY);
	assert_int_equal(fx_logout(open, session), CKR_OK);
	assert_int_equal(fx_login(open, session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(copy(handle, &t, &made), CKR_OK);
	assert_flag(made, CKA_TRUSTED, true);
	assert_int_equal(set_flag(handle, CKA_TRUSTED, false), CKR_OK);
	assert_int_equal(set_flag(handle, CKA_DECRYPT, true), CKR_OK);
}

static void test_destroy(void **state __maybe_unused)
{
	u32 handle = make_aes("gone", true);
	struct fx_tmpl t;

	assert_int_equal(fx_destroy(open, session, handle), CKR_OK);
	assert_int_equal(fx_destroy(open, session, handle), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(set_flag(handle, CKA_SIGN, false), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(count_label("gone"), 0);
	aes_template(&t, "stays", true);
	fx_attr_bool(&t, CKA_DESTROYABLE, false);
	handle = create(&t);
	assert_int_equal(fx_destroy(open, session, handle), CKR_ACTION_PROHIBITED);
}

static void test_store_fails(void **state __maybe_unused)
{
	u32 handle = make_aes("kept", true), other;
	struct fx_tmpl t;

	aes_template(&t, "never", true);
	memstore_fail(fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 1);
	assert_int_equal(fx_create(open, session, &t, &other), CKR_DEVICE_MEMORY);
	assert_int_equal(count_label("never"), 0);
	memstore_fail(fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 1);
	assert_int_equal(set_flag(handle, CKA_SIGN, false), CKR_DEVICE_MEMORY);
	assert_flag(handle, CKA_SIGN, true);
	memstore_fail(fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 1);
	assert_int_equal(fx_destroy(open, session, handle), CKR_DEVICE_MEMORY);
	memstore_fail(fx.store, MEMSTORE_APPEND, 0, 0, 0);
	assert_int_equal(count_label("kept"), 1);
	assert_int_equal(fx_destroy(open, session, handle), CKR_OK);
}

/* ---- rights ---- */

static void test_public_session(void **state __maybe_unused)
{
	u32 key = make_aes("secret", true), data = make_data("open", true, false), handle;
	u32 temp = make_aes("temporary", false), len = 8;
	struct fx_tmpl t;
	u8 value[8];

	assert_int_equal(fx_logout(open, session), CKR_OK);
	assert_int_equal(get(key, CKA_LABEL, value, &len), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(count_label("secret"), 0);
	assert_int_equal(count_label("open"), 1);
	aes_template(&t, "x", false);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_USER_NOT_LOGGED_IN);
	fx_attr_bool(&t, CKA_PRIVATE, false);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_OK);
	assert_int_equal(fx_login(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(count_label("secret"), 1);
	assert_int_equal(count_label("temporary"), 0);
	assert_int_equal(fx_destroy(open, session, temp), CKR_OBJECT_HANDLE_INVALID);
	assert_int_equal(fx_destroy(open, session, data), CKR_OK);
	assert_number(key, CKA_VALUE_LEN, 16);
}

static void test_read_only(void **state __maybe_unused)
{
	u32 key = make_aes("ro", true), rw = session, handle;
	struct fx_tmpl t;

	assert_int_equal(fx_session(open, false, &session), CKR_OK);
	aes_template(&t, "x", true);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_SESSION_READ_ONLY);
	assert_int_equal(fx_destroy(open, session, key), CKR_SESSION_READ_ONLY);
	assert_int_equal(set_flag(key, CKA_SIGN, false), CKR_SESSION_READ_ONLY);
	handle = make_aes("mine", false);
	assert_int_equal(count_label("mine"), 1);
	assert_int_equal(fx_session_close(open, session), CKR_OK);
	session = rw;
	assert_int_equal(count_label("mine"), 0);
	assert_int_equal(fx_destroy(open, session, handle), CKR_OBJECT_HANDLE_INVALID);
}

static void test_crypto_user(void **state __maybe_unused)
{
	u32 key = make_aes("cu", true), data = make_data("cu data", true, false), handle;
	struct fx_tmpl t;

	assert_int_equal(fx_init_pin(open, session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(fx_logout(open, session), CKR_OK);
	assert_int_equal(fx_login(open, session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(count_label("cu"), 1);
	assert_int_equal(fx_destroy(open, session, key), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(set_flag(key, CKA_SIGN, false), CKR_USER_NOT_AUTHORIZED);
	aes_template(&t, "x", false);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_USER_NOT_AUTHORIZED);
	fx_attr_bool(&t, CKA_PRIVATE, false);
	assert_int_equal(fx_create(open, session, &t, &handle), CKR_OK);
	assert_int_equal(fx_destroy(open, session, handle), CKR_OK);
	assert_int_equal(fx_destroy(open, session, data), CKR_OK);
}

/* ---- searching ---- */

static u32 find_after(const struct fx_tmpl *t, u32 after, u32 max, u32 *handles, u32 *complete)
{
	struct luna_find arg = {
		.hdr.session = session, .after = after, .max = max, .template_len = t->len,
	};
	size_t len = max * sizeof(*handles);

	assert_int_equal(fx_call(open, LUNA_FIND, &arg, sizeof(arg), t->data, t->len, handles,
				 &len), CKR_OK);
	*complete = arg.complete;
	return arg.count;
}

/* Reads a search in pages of @max; the handles must ascend. */
static u32 find_paged(const struct fx_tmpl *t, u32 max)
{
	u32 handles[64], count, complete = 0, total = 0, after = 0, i;

	while (!complete) {
		count = find_after(t, after, max, handles, &complete);
		assert_true(complete || count == max);
		for (i = 0; i < count; i++) {
			assert_true(handles[i] > after);
			after = handles[i];
		}
		total += count;
	}
	return total;
}

static void test_find(void **state __maybe_unused)
{
	struct fx_tmpl t = { 0 };
	u32 i, handles[8], complete;

	for (i = 0; i < 10; i++) {
		make_aes(i % 2 ? "odd" : "even", i < 5);
		make_data("data", i < 5, i % 2);
	}
	assert_int_equal(find_paged(&t, 64), 20);
	assert_int_equal(find_paged(&t, 1), 20);
	assert_int_equal(find_after(&t, 0, 0, handles, &complete), 0);
	assert_int_equal(complete, 0);
	fx_attr_ulong(&t, CKA_CLASS, CKO_SECRET_KEY);
	assert_int_equal(find_paged(&t, 5), 10);
	fx_attr_bool(&t, CKA_TOKEN, true);
	assert_int_equal(find_paged(&t, 5), 5);
	fx_attr_text(&t, CKA_LABEL, "odd");
	assert_int_equal(find_paged(&t, 2), 2);
	t.len = 0;
	fx_attr_bool(&t, CKA_SENSITIVE, false);		/* which data objects do not have */
	assert_int_equal(find_paged(&t, 5), 0);
	t.len = 0;
	fx_attr(&t, CKA_VALUE, "0123456789abcdef", 16);	/* which is nobody's business */
	assert_int_equal(find_paged(&t, 5), 0);
	t.len = 0;
	fx_attr(&t, CKA_VALUE, "", 0);
	assert_int_equal(find_paged(&t, 5), 10);
	t.len = 0;
	fx_attr_ulong(&t, 0x12345, 0);
	assert_int_equal(find_paged(&t, 5), 0);
	t.len = 0;
	fx_attr_ulong(&t, CKA_VALUE_LEN, 16);
	fx_attr_ulong(&t, CKA_KEY_TYPE, CKK_AES);
	assert_int_equal(find_paged(&t, 3), 10);
}

/* More of one label than an index is good for, and others between them. */
static void test_find_many(void **state __maybe_unused)
{
	struct fx_tmpl t = { 0 };
	char name[16];
	u32 i;

	for (i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), "single %u", i);
		make_data(i % 2 ? "same" : name, i % 3, i % 5);
	}
	fx_attr_text(&t, CKA_LABEL, "same");
	assert_int_equal(find_paged(&t, 64), 300);
	assert_int_equal(find_paged(&t, 7), 300);
	for (i = 0; i < 600; i += 2) {
		snprintf(name, sizeof(name), "single %u", i);
		assert_int_equal(count_label(name), 1);
	}
	restart();
	t.len = 0;
	assert_int_equal(find_paged(&t, 64), 80);
	assert_int_equal(fx_login(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(find_paged(&t, 64), 400);
	assert_int_equal(fx.token->objects.unindexed, 0);
	assert_int_equal(count_label("single 2"), 1);
	assert_int_equal(count_label("single 3"), 0);
}

/* One allocation more or less does not matter, one for each object would. */
static void test_find_cost(void **state __maybe_unused)
{
	u64 few = 0, many;
	char name[16];
	u32 i;

	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "key %u", i);
		make_aes(name, true);
		if (i != 10)
			continue;
		port_alloc_watch();
		count_label("key 5");
		few = port_alloc_calls();
		port_alloc_unwatch();
	}
	restart();
	assert_int_equal(fx_login(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(count_label("none"), 0);
	port_alloc_watch();
	assert_int_equal(count_label("key 1999"), 1);
	many = port_alloc_calls();
	port_alloc_unwatch();
	assert_true(many <= few + 2);
}

/*
 * Lets each allocation fail in turn until none is left to fail: @run answers DEVICE_MEMORY or
 * works.
 */
static void sweep(s64 (*run)(u32 handle), u32 handle)
{
	u64 nth = 1, calls;
	s64 ret;

	do {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		ret = run(handle);
		calls = port_alloc_calls();
		port_alloc_fail(0, 0);
		port_alloc_unwatch();
		if (ret != CKR_OK && ret != -ENOMEM)
			assert_int_equal(ret, CKR_DEVICE_MEMORY);
	} while (calls >= nth++);
	assert_int_equal(ret, CKR_OK);
}

static s64 sweep_create(u32 handle __maybe_unused)
{
	struct fx_tmpl t;
	u32 made;

	aes_template(&t, "swept", true);
	return fx_create(open, session, &t, &made);
}

static s64 sweep_copy(u32 handle)
{
	struct fx_tmpl t = { 0 };
	u32 made;

	fx_attr_bool(&t, CKA_TOKEN, false);
	return copy(handle, &t, &made);
}

static s64 sweep_set(u32 handle)
{
	static u32 turn;
	struct fx_tmpl t = { 0 };

	fx_attr(&t, CKA_ID, &turn, sizeof(turn));
	turn++;
	return fx_attr_set(open, session, handle, &t);
}

static s64 sweep_find(u32 handle __maybe_unused)
{
	struct fx_tmpl t = { 0 };
	u32 handles[4], count;
	s64 ret;

	fx_attr_text(&t, CKA_LABEL, "victim");
	ret = fx_find(open, session, &t, handles, 4, &count);
	assert_true(ret || count == 1);
	return ret;
}

static void test_no_memory(void **state __maybe_unused)
{
	u32 handle = make_aes("victim", true);

	sweep(sweep_create, 0);
	sweep(sweep_copy, handle);
	sweep(sweep_set, handle);
	restart();
	assert_int_equal(fx_login(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	sweep(sweep_find, 0);
}

/* ---- a policy that ends all objects ---- */

static s64 set_policy(struct luna_open *so, u32 so_session, u32 id, u32 value, u32 flags)
{
	struct luna_policy_set arg = {
		.hdr.session = so_session, .scope = LUNA_SCOPE_PARTITION, .count = 1, .flags = flags,
	};
	const u32 pair[2] = { id, value };

	return fx_call(so, LUNA_POLICY_SET, &arg, sizeof(arg), pair, sizeof(pair), NULL, NULL);
}

/* Session objects of other applications are no refuge from it. */
static void test_destructive_policy(void **state __maybe_unused)
{
	enum { SECRET_KEY_WRAPPING = 5 };
	struct luna_open *so = luna_open(fx.token);
	u32 so_session, key;

	assert_int_equal(fx_session(so, true, &so_session), CKR_OK);
	assert_int_equal(fx_login(so, so_session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(set_policy(so, so_session, SECRET_KEY_WRAPPING, 0, 0), CKR_OK);
	key = make_aes("short", false);
	make_aes("long", true);
	assert_int_equal(set_policy(so, so_session, SECRET_KEY_WRAPPING, 1, 0),
			 CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(count_label("short") + count_label("long"), 2);
	assert_int_equal(set_policy(so, so_session, SECRET_KEY_WRAPPING, 1,
				    LUNA_POLICY_SET_DESTRUCTIVE), CKR_OK);
	assert_int_equal(count_label("short") + count_label("long"), 0);
	assert_int_equal(fx_destroy(open, session, key), CKR_OBJECT_HANDLE_INVALID);
	luna_release(so);
}

/* The last logout puts sealed objects in the places of those in use: that must not need memory. */
static void test_table_refill(void **state __maybe_unused)
{
	enum { FULL = 16 };
	struct luna_table table;
	u32 handle;

	luna_table_init(&table);
	for (handle = 1; handle <= FULL; handle++)
		assert_int_equal(luna_table_insert(&table, handle, &table), 0);
	assert_int_equal(table.room, FULL);
	assert_ptr_equal(luna_table_remove(&table, 7), &table);
	port_alloc_watch();
	port_alloc_fail(1, 1);
	assert_int_equal(luna_table_insert(&table, 7, &handle), 0);
	port_alloc_fail(0, 0);
	port_alloc_unwatch();
	assert_ptr_equal(luna_table_find(&table, 7), &handle);
	assert_int_equal(luna_table_insert(&table, 7, &handle), -EEXIST);
	luna_table_free(&table);
}

/* ---- several at once ---- */

struct worker {
	pthread_t thread;
	u32 handle;		/* shared by all */
	int destroyed;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct luna_open *mine = luna_open(fx.token);
	struct fx_tmpl t = { 0 }, key;
	u32 own, made, count, handles[4], i;

	assert_int_equal(fx_session(mine, true, &own), CKR_OK);
	assert_int_equal(fx_login(mine, own, CKU_USER, FX_CO_PIN), CKR_OK);
	fx_attr_text(&t, CKA_LABEL, "busy");
	aes_template(&key, "busy", true);
	for (i = 0; i < 50; i++) {
		assert_int_equal(fx_create(mine, own, &key, &made), CKR_OK);
		fx_attr_set(mine, own, w->handle, &t);
		assert_int_equal(fx_find(mine, own, &t, handles, 4, &count), CKR_OK);
		assert_true(count);
		if (i == 25 && fx_destroy(mine, own, w->handle) == CKR_OK)
			w->destroyed = 1;
		assert_int_equal(fx_destroy(mine, own, made), CKR_OK);
	}
	luna_release(mine);
	return NULL;
}

static void test_threads(void **state __maybe_unused)
{
	struct worker workers[4] = { 0 };
	u32 handle = make_aes("shared", true), i, destroyed = 0;

	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		workers[i].handle = handle;
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (i = 0; i < ARRAY_SIZE(workers); i++) {
		pthread_join(workers[i].thread, NULL);
		destroyed += workers[i].destroyed;
	}
	assert_int_equal(destroyed, 1);
	assert_int_equal(count_label("busy"), 0);
	restart();
	assert_int_equal(fx_login(open, session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(count_label("shared") + count_label("busy"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(aes),
		TEST(template_codes),
		TEST(rsa_public),
		TEST(certificate),
		TEST(latches),
		TEST(relabel),
		TEST(copy),
		TEST(trusted),
		TEST(destroy),
		TEST(store_fails),
		TEST(public_session),
		TEST(read_only),
		TEST(crypto_user),
		TEST(find),
		TEST(find_many),
		TEST(find_cost),
		TEST(destructive_policy),
		TEST(table_refill),
		TEST(no_memory),
		TEST(threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
