// SPDX-License-Identifier: MIT
/*
 * Key derivation through the engine's commands: what a template decides, what the new key inherits,
 * which base keys are taken, and parameters that are wrong. That the values are right is shown by the
 * known answers of tests/conformance/kat_derive.c; here only what those do not reach.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "mech.h"
#include "side.h"

static struct fx_side t;

static const u8 value[32] = "thirty-two bytes of a base key.";
static const u8 block[16] = "sixteen of data";

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
	fx_attrs(&tmpl, more);
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

/* What leaves under trusted keys alone does so in another key's value as well. */
static void test_inherit_trusted_only(void **state __maybe_unused)
{
	struct fx_tmpl more = { }, any = { };
	u32 plain = open_secret(CKK_GENERIC_SECRET, 32), guarded, made;
	struct luna_key_param other = { };

	fx_attr_bool(&more, CKA_DERIVE, true);
	fx_attr_bool(&more, CKA_EXTRACTABLE, true);
	fx_attr_bool(&more, CKA_WRAP_WITH_TRUSTED, true);
	guarded = secret(CKK_GENERIC_SECRET, 32, &more);
	fx_attr_bool(&any, CKA_EXTRACTABLE, true);
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_DATA, block, 16, guarded, &any, &made),
			 CKR_OK);
	assert_int_equal(attr(made, CKA_WRAP_WITH_TRUSTED), 1);
	other.key = guarded;
	assert_int_equal(derive(CKM_CONCATENATE_BASE_AND_KEY, &other, sizeof(other), plain, &any,
				&made), CKR_OK);
	assert_int_equal(attr(made, CKA_WRAP_WITH_TRUSTED), 1);
	assert_int_equal(derive(CKM_SHA256_KEY_DERIVATION, NULL, 0, guarded, &any, &made), CKR_OK);
	assert_int_equal(attr(made, CKA_WRAP_WITH_TRUSTED), 0);
	assert_int_equal(derive(CKM_XOR_BASE_AND_DATA, block, 16, plain, &any, &made), CKR_OK);
	assert_int_equal(attr(made, CKA_WRAP_WITH_TRUSTED), 0);
	fx_attr_bool(&any, CKA_WRAP_WITH_TRUSTED, false);
	assert_int_equal(derive(CKM_XOR_BASE_AND_DATA, block, 16, guarded, &any, &made),
			 CKR_TEMPLATE_INCONSISTENT);
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

	fx_attr_ulong(&eight, CKA_VALUE_LEN, 8);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(derive(bad[i].mechanism, data, bad[i].len,
					bad[i].mechanism >= CKM_AES_ECB_ENCRYPT_DATA ? aes : generic,
					&eight, NULL), CKR_MECHANISM_PARAM_INVALID);
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

/* ---- key derivation functions ---- */

/* A parameter and what follows it, as much of it as there is. */
struct param {
	u8 bytes[512];
	u32 len;
};

static void put(struct param *p, const void *data, u32 len)
{
	memcpy(p->bytes + p->len, data, len);
	p->len += len;
}

static s64 pbkd2(const struct luna_pbkd2_param *head, u32 following, u32 len)
{
	struct luna_key arg = { .hdr.session = t.session, .mechanism = CKM_PKCS5_PBKD2 };
	struct fx_tmpl tmpl = { };
	struct param p = { };

	put(&p, head, sizeof(*head));
	p.len += following;
	arg.param_len = p.len;
	if (len)
		fx_attr_ulong(&tmpl, CKA_VALUE_LEN, len);
	arg.template_len = tmpl.len;
	put(&p, tmpl.data, tmpl.len);
	return fx_call(t.open, LUNA_GENERATE_KEY, &arg, sizeof(arg), p.bytes, p.len, NULL, NULL);
}

static void test_pbkd2(void **state __maybe_unused)
{
	const struct luna_pbkd2_param good = {
		.salt_source = CKZ_SALT_SPECIFIED, .prf = CKP_PKCS5_PBKD2_HMAC_SHA256,
		.iterations = 10, .salt_len = 8, .password_len = 4,
	};
	const struct {
		u32 offset, value;
	} bad[] = {
		{ offsetof(struct luna_pbkd2_param, salt_source), 0 },
		{ offsetof(struct luna_pbkd2_param, salt_source), 2 },
		{ offsetof(struct luna_pbkd2_param, prf), 0 },
		{ offsetof(struct luna_pbkd2_param, prf), CKP_PKCS5_PBKD2_HMAC_GOSTR3411 },
		{ offsetof(struct luna_pbkd2_param, prf), 0xffffffff },
		{ offsetof(struct luna_pbkd2_param, iterations), 0 },
		{ offsetof(struct luna_pbkd2_param, iterations), LUNA_PBKD2_WORK + 1 },
		{ offsetof(struct luna_pbkd2_param, iterations), 0xffffffff },
		{ offsetof(struct luna_pbkd2_param, salt_len), 9 },
		{ offsetof(struct luna_pbkd2_param, salt_len), 0xffffffff },
		{ offsetof(struct luna_pbkd2_param, password_len), 3 },
		{ offsetof(struct luna_pbkd2_param, password_len), 0xfffffffc },
		{ offsetof(struct luna_pbkd2_param, prf_data_len), 1 },
	};
	struct luna_pbkd2_param p;
	struct fx_tmpl none = { };
	u32 handle;

	assert_int_equal(pbkd2(&good, 12, 32), CKR_OK);
	assert_int_equal(pbkd2(&good, 12, 0), CKR_TEMPLATE_INCOMPLETE);
	assert_int_equal(pbkd2(&good, 12, LUNA_SECRET_MAX + 1), CKR_KEY_SIZE_RANGE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		p = good;
		memcpy((u8 *)&p + bad[i].offset, &bad[i].value, sizeof(u32));
		assert_int_equal(pbkd2(&p, 12, 32), CKR_MECHANISM_PARAM_INVALID);
	}
	/* Two blocks are twice the work. */
	p = good;
	p.iterations = LUNA_PBKD2_WORK / 2 + 1;
	assert_int_equal(pbkd2(&p, 12, 33), CKR_MECHANISM_PARAM_INVALID);
	p.iterations = LUNA_PBKD2_WORK / 128 + 1;
	assert_int_equal(pbkd2(&p, 12, LUNA_SECRET_MAX), CKR_MECHANISM_PARAM_INVALID);
	/* Nothing is computed for a caller who comes when too many others do. */
	atomic_set(&t.fx.token->keygens, 16);
	assert_int_equal(pbkd2(&good, 12, 32), CKR_BUSY);
	assert_int_equal(atomic_read(&t.fx.token->keygens), 16);
	atomic_set(&t.fx.token->keygens, 0);
	/* Without a parameter, and as what it is not. */
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_PKCS5_PBKD2, &none, &handle),
			 CKR_TEMPLATE_INCOMPLETE);
	fx_attr_ulong(&none, CKA_VALUE_LEN, 32);
	assert_int_equal(fx_generate_key(t.open, t.session, CKM_PKCS5_PBKD2, &none, &handle),
			 CKR_MECHANISM_PARAM_INVALID);
	assert_int_equal(derive(CKM_PKCS5_PBKD2, &good, sizeof(good), 1, NULL, NULL),
			 CKR_MECHANISM_INVALID);
}

static s64 hkdf(u32 mechanism, const struct luna_hkdf_param *head, u32 following, u32 base,
		const struct fx_tmpl *tmpl, u32 *handle)
{
	struct param p = { };

	put(&p, head, sizeof(*head));
	p.len += following;
	return derive(mechanism, p.bytes, p.len, base, tmpl, handle);
}

static void test_hkdf(void **state __maybe_unused)
{
	const struct luna_hkdf_param good = {
		.flags = LUNA_HKDF_EXTRACT | LUNA_HKDF_EXPAND, .hash = CKM_SHA256,
		.salt_type = CKF_HKDF_SALT_DATA, .salt_len = 8, .info_len = 4,
	};
	const struct {
		u32 offset, value;
		s64 rv;
	} bad[] = {
		{ offsetof(struct luna_hkdf_param, flags), 0, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, flags), 7, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, hash), CKM_SHA256_HMAC,
		  CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, hash), 0xffffffff, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, salt_type), 0, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, salt_type), 3, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, salt_type), CKF_HKDF_SALT_KEY,
		  CKR_KEY_HANDLE_INVALID },
		{ offsetof(struct luna_hkdf_param, salt_len), 0xffffffff, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, info_len), 5, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_hkdf_param, info_len), 0xfffffff8, CKR_MECHANISM_PARAM_INVALID },
	};
	u32 base = secret(CKK_GENERIC_SECRET, 32, NULL), made;
	struct fx_tmpl tmpl = { }, never = { };
	struct luna_hkdf_param p;

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 16);
	fx_attr_bool(&never, CKA_DERIVE, false);
	assert_int_equal(hkdf(CKM_HKDF_DERIVE, &good, 12, base, &tmpl, &made), CKR_OK);
	assert_history(made, true, false, false, false);
	assert_int_equal(hkdf(CKM_HKDF_DERIVE, &good, 12, base, NULL, NULL), CKR_TEMPLATE_INCOMPLETE);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		p = good;
		memcpy((u8 *)&p + bad[i].offset, &bad[i].value, sizeof(u32));
		assert_int_equal(hkdf(CKM_HKDF_DERIVE, &p, 12, base, &tmpl, NULL), bad[i].rv);
	}
	assert_int_equal(derive(CKM_HKDF_DERIVE, &good, sizeof(good) - 1, base, &tmpl, NULL),
			 CKR_MECHANISM_PARAM_INVALID);
	/* A salt that is a key is taken as the base key is. */
	p = good;
	p.salt_type = CKF_HKDF_SALT_KEY;
	p.salt_key = secret(CKK_GENERIC_SECRET, 16, &never);
	assert_int_equal(hkdf(CKM_HKDF_DERIVE, &p, 12, base, &tmpl, NULL),
			 CKR_KEY_FUNCTION_NOT_PERMITTED);
	p.salt_key = secret(CKK_GENERIC_SECRET, 16, NULL);
	assert_int_equal(hkdf(CKM_HKDF_DERIVE, &p, 12, base, &tmpl, NULL), CKR_OK);
	/* Extraction alone gives no more than a hash. */
	p = good;
	p.flags = LUNA_HKDF_EXTRACT;
	assert_int_equal(hkdf(CKM_HKDF_DERIVE, &p, 12, base, NULL, &made), CKR_OK);
	assert_int_equal(attr(made, CKA_VALUE_LEN), 32);
	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 33);
	assert_int_equal(hkdf(CKM_HKDF_DERIVE, &p, 12, base, &tmpl, NULL), CKR_KEY_SIZE_RANGE);
}

/* A data object, unless the base key says what may be made of it. */
static void test_hkdf_data(void **state __maybe_unused)
{
	const struct luna_hkdf_param p = {
		.flags = LUNA_HKDF_EXPAND, .hash = CKM_SHA256, .info_len = 4,
	};
	struct fx_tmpl tmpl = { }, more = { }, demanded = { };
	u32 base = secret(CKK_GENERIC_SECRET, 32, NULL), made, len = 200;
	u8 bytes[200];

	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 100);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_text(&tmpl, CKA_LABEL, "made of a key");
	assert_int_equal(hkdf(CKM_HKDF_DATA, &p, 4, base, &tmpl, &made), CKR_OK);
	assert_int_equal(attr(made, CKA_CLASS), CKO_DATA);
	assert_int_equal(fx_attr_get(t.open, t.session, made, CKA_VALUE, bytes, &len), CKR_OK);
	assert_int_equal(len, 100);
	assert_int_equal(hkdf(CKM_HKDF_DATA, &p, 4, base, NULL, NULL), CKR_TEMPLATE_INCOMPLETE);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_AES);
	assert_int_equal(hkdf(CKM_HKDF_DATA, &p, 4, base, &tmpl, NULL), CKR_ATTRIBUTE_TYPE_INVALID);
	fx_attr_ulong(&demanded, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr(&more, CKA_DERIVE_TEMPLATE, demanded.data, demanded.len);
	fx_attr_bool(&more, CKA_DERIVE, true);
	base = secret(CKK_GENERIC_SECRET, 32, &more);
	tmpl.len = 0;
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 100);
	assert_int_equal(hkdf(CKM_HKDF_DATA, &p, 4, base, &tmpl, NULL), CKR_TEMPLATE_INCONSISTENT);
}

static const struct luna_prf_field iteration = { .type = CK_SP800_108_ITERATION_VARIABLE };
static const struct luna_prf_field iteration8 = { .type = CK_SP800_108_ITERATION_VARIABLE,
						  .bits = 8 };
static const struct luna_prf_field counter8 = { .type = CK_SP800_108_COUNTER, .bits = 8 };
static const struct luna_prf_field length16 = {
	.type = CK_SP800_108_DKM_LENGTH, .bits = 16, .method = CK_SP800_108_DKM_LENGTH_SUM_OF_KEYS,
};
static const struct luna_prf_field four_bytes = { .type = CK_SP800_108_BYTE_ARRAY, .len = 4 };

/* Up to three fields; of the bytes of one, no more than four. */
static s64 sp800_108(u32 mechanism, u32 prf, u32 base, u32 len, const struct luna_prf_field *one,
		     const struct luna_prf_field *two, const struct luna_prf_field *three)
{
	const struct luna_prf_field *const fields[] = { one, two, three };
	struct luna_sp800_108_param head = { .prf = prf };
	struct fx_tmpl tmpl = { };
	struct param p = { };

	p.len = sizeof(head);
	for (size_t i = 0; i < ARRAY_SIZE(fields) && fields[i]; i++, head.count++) {
		put(&p, fields[i], sizeof(*fields[i]));
		p.len += min_t(u32, fields[i]->len, 4);
	}
	memcpy(p.bytes, &head, sizeof(head));
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, len);
	return derive(mechanism, p.bytes, p.len, base, &tmpl, NULL);
}

static void test_sp800_108(void **state __maybe_unused)
{
	const u32 counter = CKM_SP800_108_COUNTER_KDF, feedback = CKM_SP800_108_FEEDBACK_KDF;
	const u32 pipeline = CKM_SP800_108_DOUBLE_PIPELINE_KDF, hmac = CKM_SHA256_HMAC;
	const s64 bad = CKR_MECHANISM_PARAM_INVALID;
	u32 base = secret(CKK_GENERIC_SECRET, 32, NULL);
	struct luna_prf_field f;
	struct fx_tmpl none = { };

	assert_int_equal(sp800_108(counter, hmac, base, 32, &iteration8, &four_bytes, &length16),
			 CKR_OK);
	assert_int_equal(sp800_108(feedback, hmac, base, 32, &iteration, &counter8, &length16),
			 CKR_OK);
	assert_int_equal(sp800_108(pipeline, hmac, base, 32, &iteration, &counter8, &length16),
			 CKR_OK);
	/* One iteration variable, in the form of the mode; counters and lengths at most once. */
	assert_int_equal(sp800_108(counter, hmac, base, 32, &four_bytes, &length16, NULL), bad);
	assert_int_equal(sp800_108(counter, hmac, base, 32, &iteration, &length16, NULL), bad);
	assert_int_equal(sp800_108(counter, hmac, base, 32, &iteration8, &iteration8, NULL), bad);
	assert_int_equal(sp800_108(counter, hmac, base, 32, &iteration8, &counter8, NULL), bad);
	assert_int_equal(sp800_108(feedback, hmac, base, 32, &iteration8, &length16, NULL), bad);
	assert_int_equal(sp800_108(feedback, hmac, base, 32, &counter8, &counter8, &iteration), bad);
	assert_int_equal(sp800_108(counter, hmac, base, 32, &length16, &length16, &iteration8), bad);
	/* Functions */
	assert_int_equal(sp800_108(counter, CKM_SHA256, base, 32, &iteration8, NULL, NULL), bad);
	assert_int_equal(sp800_108(counter, CKM_SHA256_HMAC_GENERAL, base, 32, &iteration8, NULL,
				   NULL), bad);
	assert_int_equal(sp800_108(counter, 0xffffffff, base, 32, &iteration8, NULL, NULL), bad);
	assert_int_equal(sp800_108(counter, CKM_AES_CMAC, base, 32, &iteration8, NULL, NULL),
			 CKR_KEY_TYPE_INCONSISTENT);
	/* Fields */
	for (u32 i = 0; i < 8; i++) {
		f = i < 4 ? length16 : i < 6 ? iteration8 : four_bytes;
		f.bits = i == 0 ? 12 : i == 1 ? 72 : i == 4 ? 40 : i == 5 ? 0 : f.bits;
		f.method = i == 2 ? 3 : f.method;
		f.flags = i == 3 ? 2 : 0;
		f.len = i == 6 ? 5 : i == 7 ? 0xffffffff : f.len;
		assert_int_equal(sp800_108(counter, hmac, base, 32, &f,
					   i == 4 || i == 5 ? NULL : &iteration8, NULL), bad);
	}
	f = four_bytes;
	f.reserved = 1;
	assert_int_equal(sp800_108(counter, hmac, base, 32, &iteration8, &f, NULL), bad);
	f.reserved = 0;
	f.type = 5;
	assert_int_equal(sp800_108(counter, hmac, base, 32, &iteration8, &f, NULL), bad);
	/* A counter that would start again, a length that does not fit its number. */
	assert_int_equal(sp800_108(counter, CKM_SHA_1_HMAC, base, 4096, &iteration8, NULL, NULL),
			 CKR_OK);
	base = secret(CKK_AES, 16, NULL);
	assert_int_equal(sp800_108(counter, CKM_AES_CMAC, base, 4080, &iteration8, NULL, NULL),
			 CKR_OK);
	assert_int_equal(sp800_108(counter, CKM_AES_CMAC, base, 4096, &iteration8, NULL, NULL),
			 CKR_KEY_SIZE_RANGE);
	f = length16;
	f.bits = 8;
	assert_int_equal(sp800_108(counter, hmac, base, 31, &iteration8, &f, NULL), CKR_OK);
	assert_int_equal(sp800_108(counter, hmac, base, 32, &iteration8, &f, NULL),
			 CKR_KEY_SIZE_RANGE);
	assert_int_equal(derive(counter, &f, sizeof(f), base, &none, NULL), CKR_TEMPLATE_INCOMPLETE);
}

static s64 vendor(const struct luna_prf_kdf_param *head, u32 following, u32 base, u32 len)
{
	struct fx_tmpl tmpl = { };
	struct param p = { };

	put(&p, head, sizeof(*head));
	p.len += following;
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, len);
	return derive(CKM_PRF_KDF, p.bytes, p.len, base, &tmpl, NULL);
}

static void test_prf_kdf(void **state __maybe_unused)
{
	const struct luna_prf_kdf_param good = {
		.prf = CK_NIST_PRF_KDF_HMAC_SHA256, .counter = 1, .label_len = 8, .context_len = 4,
	};
	const struct {
		u32 offset, value;
		s64 rv;
	} bad[] = {
		{ offsetof(struct luna_prf_kdf_param, prf), 0, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_prf_kdf_param, prf), CK_PRF_KDF_ARIA_CMAC,
		  CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_prf_kdf_param, prf), 0xffffffff, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_prf_kdf_param, prf), CK_NIST_PRF_KDF_AES_CMAC,
		  CKR_KEY_TYPE_INCONSISTENT },
		{ offsetof(struct luna_prf_kdf_param, scheme), 6, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_prf_kdf_param, scheme), 0xffffffff,
		  CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_prf_kdf_param, label_len), 9, CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_prf_kdf_param, label_len), 0xffffffff,
		  CKR_MECHANISM_PARAM_INVALID },
		{ offsetof(struct luna_prf_kdf_param, reserved), 1, CKR_MECHANISM_PARAM_INVALID },
	};
	u32 base = secret(CKK_GENERIC_SECRET, 32, NULL);
	struct luna_prf_kdf_param p;

	assert_int_equal(vendor(&good, 12, base, 64), CKR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		p = good;
		memcpy((u8 *)&p + bad[i].offset, &bad[i].value, sizeof(u32));
		assert_int_equal(vendor(&p, 12, base, 64), bad[i].rv);
	}
	/* Counters that would start again. */
	p = good;
	p.counter = 0xffffffff;
	assert_int_equal(vendor(&p, 12, base, 32), CKR_OK);
	assert_int_equal(vendor(&p, 12, base, 33), CKR_KEY_SIZE_RANGE);
	p.scheme = LUNA_PRF_KDF_ENCODING_SCHEME_SCP03;
	p.counter = 255;
	assert_int_equal(vendor(&p, 12, base, 32), CKR_OK);
	assert_int_equal(vendor(&p, 12, base, 33), CKR_KEY_SIZE_RANGE);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_kind),
		TEST(test_template),
		TEST(test_derive_template),
		TEST(test_inherit),
		TEST(test_inherit_trusted_only),
		TEST(test_base),
		TEST(test_rights),
		TEST(test_params),
		TEST(test_lengths),
		TEST(test_pbkd2),
		TEST(test_hkdf),
		TEST(test_hkdf_data),
		TEST(test_sp800_108),
		TEST(test_prf_kdf),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fakerng_forget_keys();
	return failed;
}
