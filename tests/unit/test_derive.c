// SPDX-License-Identifier: MIT
/*
 * Key derivation through the engine's commands: what a template decides, what the new key inherits,
 * which base keys are taken, and parameters that are wrong. That the values are right is shown by the
 * known answers of tests/conformance/kat.c; here only what those do not reach.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "mech.h"

static struct {
	struct fx fx;
	struct luna_open *open;
	u32 session;
} t;

static const u8 value[32] = "thirty-two bytes of a base key.";
static const u8 block[16] = "sixteen of data";

static int setup(void **state __maybe_unused)
{
	fx_open(&t.fx, fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	return fx_ready(&t.fx, &t.open, &t.session) == CKR_OK ? 0 : -1;
}

static int teardown(void **state __maybe_unused)
{
	luna_release(t.open);
	fx_close(&t.fx);
	return 0;
}

/* A secret key that may derive, with @value, and what @more says. */
static u32 secret(u32 type, u32 len, const struct fx_tmpl *more)
{
	struct fx_tmpl tmpl = { };
	u32 handle;

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, type);
	fx_attr(&tmpl, CKA_VALUE, value, len);
	if (!more)
		fx_attr_bool(&tmpl, CKA_DERIVE, true);
	if (more) {
		memcpy(tmpl.data + tmpl.len, more->data, more->len);
		tmpl.len += more->len;
	}
	assert_int_equal(fx_create(t.open, t.session, &tmpl, &handle), CKR_OK);
	return handle;
}

/* A base key that is not sensitive, extractable. */
static u32 open_secret(u32 type, u32 len)
{
	struct fx_tmpl more = { };

	fx_attr_bool(&more, CKA_DERIVE, true);
	fx_attr_bool(&more, CKA_SENSITIVE, false);
	fx_attr_bool(&more, CKA_EXTRACTABLE, true);
	return secret(type, len, &more);
}

static s64 derive(u32 mechanism, const void *param, u32 len, u32 base, const struct fx_tmpl *tmpl,
		  u32 *handle)
{
	static const struct fx_tmpl none;
	u32 made;

	return fx_derive(t.open, t.session, mechanism, param, len, base, tmpl ?: &none,
			 handle ?: &made);
}

static u64 attr(u32 handle, u32 type)
{
	u64 got = 0;
	u32 len = sizeof(got);

	assert_int_equal(fx_attr_get(t.open, t.session, handle, type, &got, &len), CKR_OK);
	return got;
}

/* ---- key type and length ---- */

enum { NO_TYPE = 0x7fffffff };

static void test_kind(void **state __maybe_unused)
{
	static const struct {
		u32 type, len;		/* of the template, if not NO_TYPE, 0 */
		u32 mechanism;
		u32 made_type, made_len;
		s64 rv;
	} rows[] = {
		{ NO_TYPE, 0, CKM_SHA256_KEY_DERIVATION, CKK_GENERIC_SECRET, 32, CKR_OK },
		{ NO_TYPE, 7, CKM_SHA256_KEY_DERIVATION, CKK_GENERIC_SECRET, 7, CKR_OK },
		{ CKK_GENERIC_SECRET, 32, CKM_SHA256_KEY_DERIVATION, CKK_GENERIC_SECRET, 32, CKR_OK },
		{ CKK_AES, 24, CKM_SHA256_KEY_DERIVATION, CKK_AES, 24, CKR_OK },
		{ CKK_SHA256_HMAC, 20, CKM_SHA256_KEY_DERIVATION, CKK_SHA256_HMAC, 20, CKR_OK },
		{ CKK_AES, 0, CKM_SHA256_KEY_DERIVATION, .rv = CKR_TEMPLATE_INCOMPLETE },
		{ CKK_GENERIC_SECRET, 0, CKM_SHA256_KEY_DERIVATION, .rv = CKR_TEMPLATE_INCOMPLETE },
		{ CKK_AES, 17, CKM_SHA256_KEY_DERIVATION, .rv = CKR_TEMPLATE_INCONSISTENT },
		{ CKK_RSA, 16, CKM_SHA256_KEY_DERIVATION, .rv = CKR_TEMPLATE_INCONSISTENT },
		{ 0x777, 16, CKM_SHA256_KEY_DERIVATION, .rv = CKR_ATTRIBUTE_VALUE_INVALID },
		{ NO_TYPE, 33, CKM_SHA256_KEY_DERIVATION, .rv = CKR_KEY_SIZE_RANGE },
		{ CKK_AES, 24, CKM_SHA1_KEY_DERIVATION, .rv = CKR_KEY_SIZE_RANGE },
		{ NO_TYPE, LUNA_SECRET_MAX + 1, CKM_SHA1_KEY_DERIVATION, .rv = CKR_KEY_SIZE_RANGE },
	};
	u32 base = secret(CKK_GENERIC_SECRET, 32, NULL), made;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fx_tmpl tmpl = { };

		if (rows[i].type != NO_TYPE)
			fx_attr_ulong(&tmpl, CKA_KEY_TYPE, rows[i].type);
		if (rows[i].len)
			fx_attr_ulong(&tmpl, CKA_VALUE_LEN, rows[i].len);
		assert_int_equal(derive(rows[i].mechanism, NULL, 0, base, &tmpl, &made), rows[i].rv);
		if (rows[i].rv)
			continue;
		assert_int_equal(attr(made, CKA_KEY_TYPE), rows[i].made_type);
		assert_int_equal(attr(made, CKA_VALUE_LEN), rows[i].made_len);
	}
}

static void test_template(void **state __maybe_unused)
{
	u32 base = secret(CKK_GENERIC_SECRET, 32, NULL);
	struct fx_tmpl tmpl = { };
	u8 short_number[4] = { 16 };

	fx_attr(&tmpl, CKA_VALUE_LEN, short_number, sizeof(short_number));
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &tmpl, NULL),
			 CKR_ATTRIBUTE_VALUE_INVALID);
	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 0);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &tmpl, NULL),
			 CKR_TEMPLATE_INCONSISTENT);
	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_PRIVATE_KEY);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &tmpl, NULL),
			 CKR_TEMPLATE_INCONSISTENT);
	tmpl.len = 0;
	fx_attr(&tmpl, CKA_VALUE, block, sizeof(block));
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &tmpl, NULL),
			 CKR_ATTRIBUTE_READ_ONLY);
	tmpl.len = 0;
	fx_attr_bool(&tmpl, CKA_ALWAYS_SENSITIVE, true);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &tmpl, NULL),
			 CKR_ATTRIBUTE_READ_ONLY);
}

/* CKA_DERIVE_TEMPLATE adds to the caller's template, and may not be contradicted. */
static void test_derive_template(void **state __maybe_unused)
{
	struct fx_tmpl demanded = { }, more = { }, tmpl = { };
	u32 base, made;

	fx_attr_ulong(&demanded, CKA_KEY_TYPE, CKK_AES);
	fx_attr_ulong(&demanded, CKA_VALUE_LEN, 16);
	fx_attr_bool(&demanded, CKA_ENCRYPT, false);
	fx_attr_bool(&more, CKA_DERIVE, true);
	fx_attr(&more, CKA_DERIVE_TEMPLATE, demanded.data, demanded.len);
	base = secret(CKK_GENERIC_SECRET, 32, &more);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, NULL, &made), CKR_OK);
	assert_int_equal(attr(made, CKA_KEY_TYPE), CKK_AES);
	assert_int_equal(attr(made, CKA_VALUE_LEN), 16);
	assert_int_equal(attr(made, CKA_ENCRYPT), 0);
	assert_int_equal(attr(made, CKA_DECRYPT), 1);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, true);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &tmpl, NULL),
			 CKR_TEMPLATE_INCONSISTENT);
	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &tmpl, NULL),
			 CKR_TEMPLATE_INCONSISTENT);
}

/* ---- what the new key inherits ---- */

static void assert_history(u32 key, bool sensitive, bool extractable, bool always, bool never)
{
	assert_int_equal(attr(key, CKA_SENSITIVE), sensitive);
	assert_int_equal(attr(key, CKA_EXTRACTABLE), extractable);
	assert_int_equal(attr(key, CKA_ALWAYS_SENSITIVE), always);
	assert_int_equal(attr(key, CKA_NEVER_EXTRACTABLE), never);
	assert_int_equal(attr(key, CKA_LOCAL), 0);
}

/* Generated here, so that it was always sensitive and never extractable. */
static u32 generated(void)
{
	struct fx_tmpl tmpl = { };
	u32 handle;

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	fx_attr_bool(&tmpl, CKA_SENSITIVE, true);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, false);
	fx_attr_bool(&tmpl, CKA_DERIVE, true);
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_GENERIC_SECRET_KEY_GEN, &tmpl,
					 &handle), CKR_OK);
	return handle;
}

static void test_inherit(void **state __maybe_unused)
{
	u32 good = generated(), imported = secret(CKK_GENERIC_SECRET, 32, NULL);
	u32 plain = open_secret(CKK_GENERIC_SECRET, 32), made;
	struct fx_tmpl exposed = { }, hidden = { };
	struct luna_key_param other = { };

	fx_attr_bool(&exposed, CKA_SENSITIVE, false);
	fx_attr_bool(&exposed, CKA_EXTRACTABLE, true);
	fx_attr_bool(&hidden, CKA_SENSITIVE, true);
	fx_attr_bool(&hidden, CKA_EXTRACTABLE, false);
	/* Bound to the base key. */
	assert_int_equal(derive(CKM_XOR_BASE_AND_DATA, block, 16, good, NULL, &made), CKR_OK);
	assert_history(made, true, false, true, true);
	assert_int_equal(derive(CKM_XOR_BASE_AND_DATA, block, 16, good, &exposed, NULL),
			 CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_DATA, block, 16, imported, &hidden, &made),
			 CKR_OK);
	assert_history(made, true, false, false, false);
	assert_int_equal(derive(CKM_CONCATENATE_DATA_AND_BASE, block, 16, plain, &exposed, &made),
			 CKR_OK);
	assert_history(made, false, true, false, false);
	/* Bound to either. */
	other.key = good;
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), plain, &exposed,
				NULL), CKR_TEMPLATE_INCONSISTENT);
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), plain, NULL,
				&made), CKR_OK);
	assert_history(made, true, false, false, false);
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), good, NULL,
				&made), CKR_OK);
	assert_history(made, true, false, true, true);
	other.key = plain;
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), good, &exposed,
				NULL), CKR_TEMPLATE_INCONSISTENT);
	/* One-way: the template decides, but for the history. */
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, good, &exposed, &made), CKR_OK);
	assert_history(made, false, true, false, false);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, good, NULL, &made), CKR_OK);
	assert_history(made, true, false, true, true);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, imported, &hidden, &made),
			 CKR_OK);
	assert_history(made, true, false, false, false);
}

/* ---- base keys ---- */

static void test_base(void **state __maybe_unused)
{
	u32 aes = secret(CKK_AES, 32, NULL), generic = secret(CKK_GENERIC_SECRET, 32, NULL), made;
	u64 allowed = CKM_SHA256_KEY_DERIVATION;
	struct luna_key_param other = { };
	struct fx_tmpl never = { }, some = { }, pub = { }, priv = { };
	u32 rsa_pub, rsa;

	fx_attr_bool(&never, CKA_DERIVE, false);
	other.key = secret(CKK_GENERIC_SECRET, 16, &never);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, other.key, NULL, NULL),
			 CKR_KEY_FUNCTION_NOT_PERMITTED);
	/* Else its value could be cut out of the new key bit by bit. */
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), generic, NULL,
				NULL), CKR_KEY_FUNCTION_NOT_PERMITTED);
	other.key = 0xdead;
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), generic, NULL,
				NULL), CKR_KEY_HANDLE_INVALID);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, 0xdead, NULL, NULL),
			 CKR_KEY_HANDLE_INVALID);
	other.key = generic;
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), generic, NULL,
				&made), CKR_OK);
	assert_int_equal(attr(made, CKA_VALUE_LEN), 64);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, aes, NULL, NULL), CKR_OK);
	assert_int_equal(derive(CKM_AES_ECB_ENCRYPT_DATA, block, 16, generic, NULL, NULL),
			 CKR_KEY_TYPE_INCONSISTENT);
	fx_attr(&some, CKA_ALLOWED_MECHANISMS, &allowed, sizeof(allowed));
	fx_attr_bool(&some, CKA_DERIVE, true);
	other.key = secret(CKK_GENERIC_SECRET, 32, &some);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, other.key, NULL, NULL), CKR_OK);
	assert_int_equal(derive(CKM_SHA1_KEY_DERIVATION, NULL, 0, other.key, NULL, NULL),
			 CKR_MECHANISM_INVALID);
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), generic, NULL,
				NULL), CKR_MECHANISM_INVALID);
	fx_attr_ulong(&pub, CKA_MODULUS_BITS, 1024);
	fx_attr_bool(&priv, CKA_DERIVE, true);
	assert_int_equal(fx_generate_pair(t.open, t.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub, &priv,
					  &rsa_pub, &rsa), CKR_OK);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, rsa, NULL, NULL),
			 CKR_KEY_TYPE_INCONSISTENT);
}

/* A session that only reads makes no token objects; nobody logged in sees no private base key. */
static void test_rights(void **state __maybe_unused)
{
	u32 base = secret(CKK_GENERIC_SECRET, 32, NULL), reader, made;
	struct fx_tmpl token = { };

	fx_attr_bool(&token, CKA_TOKEN, true);
	assert_int_equal(fx_session(t.open, false, &reader), CKR_OK);
	assert_int_equal(fx_derive(t.open, reader, CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &token,
				   &made), CKR_SESSION_READ_ONLY);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, &token, &made), CKR_OK);
	assert_int_equal(attr(made, CKA_TOKEN), 1);
	assert_int_equal(fx_logout(t.open, t.session), CKR_OK);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, base, NULL, NULL),
			 CKR_KEY_HANDLE_INVALID);
}

/* ---- parameters ---- */

static void test_params(void **state __maybe_unused)
{
	static const u8 data[48];
	static const struct {
		u32 mechanism, len;
	} bad[] = {
		{ CKM_SHA256_KEY_DERIVATION, 1 }, { CKM_CONCATENATE_BASE_AND_DATA, 0 },
		{ CKM_CONCATENATE_DATA_AND_BASE, 0 }, { CKM_XOR_BASE_AND_DATA, 0 },
		{ CKM_CONCATENATE_BASE_AND_KEY, 0 }, { CKM_CONCATENATE_BASE_AND_KEY, 4 },
		{ CKM_CONCATENATE_BASE_AND_KEY, 9 }, { CKM_EXTRACT_KEY_FROM_KEY, 0 },
		{ CKM_EXTRACT_KEY_FROM_KEY, 7 }, { CKM_EXTRACT_KEY_FROM_KEY, 9 },
		{ CKM_AES_ECB_ENCRYPT_DATA, 0 }, { CKM_AES_ECB_ENCRYPT_DATA, 15 },
		{ CKM_AES_ECB_ENCRYPT_DATA, 17 }, { CKM_AES_CBC_ENCRYPT_DATA, 0 },
		{ CKM_AES_CBC_ENCRYPT_DATA, 15 }, { CKM_AES_CBC_ENCRYPT_DATA, 16 },
		{ CKM_AES_CBC_ENCRYPT_DATA, 31 }, { CKM_AES_CBC_ENCRYPT_DATA, 33 },
	};
	u32 aes = secret(CKK_AES, 16, NULL), generic = secret(CKK_GENERIC_SECRET, 32, NULL);
	struct luna_key arg = { .hdr.session = t.session, .mechanism = CKM_SHA256_KEY_DERIVATION,
				.key = generic, .param_len = LUNA_PARAM_MALFORMED };
	struct luna_extract_param bit = { .bit = 256 };
	struct luna_key_param other = { .key = generic, .reserved = 1 };
	struct fx_tmpl eight = { }, too_long = { };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(derive(bad[i].mechanism, data, bad[i].len,
					bad[i].mechanism >= CKM_AES_ECB_ENCRYPT_DATA ? aes : generic,
					NULL, NULL), CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(fx_call(t.open, LUNA_DERIVE, &arg, sizeof(arg), NULL, 0, NULL, NULL),
			 CKR_MECHANISM_PARAM_INVALID);
	arg.param_len = 0;
	arg.data_len = 1;
	assert_int_equal(fx_call(t.open, LUNA_DERIVE, &arg, sizeof(arg), data, 1, NULL, NULL),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(derive(CKM_AES_ECB, NULL, 0, aes, NULL, NULL), CKR_MECHANISM_INVALID);
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), generic, NULL,
				NULL), CKR_MECHANISM_PARAM_INVALID);
	/* Extraction: a bit that is there, a length, and no more than there is. */
	fx_attr_ulong(&eight, CKA_VALUE_LEN, 8);
	fx_attr_ulong(&too_long, CKA_VALUE_LEN, 33);
	assert_int_equal(derive(CKM_EXTRACT_KEY_FROM_KEY, &bit, sizeof(bit), generic, &eight, NULL),
			 CKR_MECHANISM_PARAM_INVALID);
	bit.bit = 255;
	assert_int_equal(derive(CKM_EXTRACT_KEY_FROM_KEY, &bit, sizeof(bit), generic, &eight, NULL),
			 CKR_OK);
	assert_int_equal(derive(CKM_EXTRACT_KEY_FROM_KEY, &bit, sizeof(bit), generic, NULL, NULL),
			 CKR_TEMPLATE_INCOMPLETE);
	assert_int_equal(derive(CKM_EXTRACT_KEY_FROM_KEY, &bit, sizeof(bit), generic, &too_long,
				NULL), CKR_KEY_SIZE_RANGE);
	bit.reserved = 1;
	assert_int_equal(derive(CKM_EXTRACT_KEY_FROM_KEY, &bit, sizeof(bit), generic, &eight, NULL),
			 CKR_MECHANISM_PARAM_INVALID);
}

/* More than a key may have, and less than is asked for. */
static void test_lengths(void **state __maybe_unused)
{
	enum { LONG = LUNA_SECRET_MAX - 31 };
	u32 aes = secret(CKK_AES, 16, NULL), generic = secret(CKK_GENERIC_SECRET, 32, NULL), made;
	u8 *data = test_calloc(1, LONG);
	struct fx_tmpl tmpl = { };

	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_DATA, data, LONG, generic, NULL, NULL),
			 CKR_KEY_SIZE_RANGE);
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_DATA, data, LONG - 1, generic, NULL, &made),
			 CKR_OK);
	assert_int_equal(attr(made, CKA_VALUE_LEN), LUNA_SECRET_MAX);
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 33);
	assert_int_equal(derive(CKM_CONCATENATE_DATA_AND_BASE, data, LONG, generic, &tmpl, &made),
			 CKR_OK);
	assert_int_equal(attr(made, CKA_VALUE_LEN), 33);
	assert_int_equal(derive(CKM_XOR_BASE_AND_DATA, data, LONG, generic, &tmpl, NULL),
			 CKR_KEY_SIZE_RANGE);
	assert_int_equal(derive(CKM_AES_ECB_ENCRYPT_DATA, data, 32, aes, &tmpl, NULL),
			 CKR_DATA_LEN_RANGE);
	assert_int_equal(derive(CKM_AES_ECB_ENCRYPT_DATA, data, 48, aes, &tmpl, NULL), CKR_OK);
	test_free(data);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kind),
		TEST(test_template),
		TEST(test_derive_template),
		TEST(test_inherit),
		TEST(test_base),
		TEST(test_rights),
		TEST(test_params),
		TEST(test_lengths),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fakerng_forget_keys();
	return failed;
}
