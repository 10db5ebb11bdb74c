// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Derivation through the engine's commands: the published answers of HKDF, PBKDF2 and SP 800-108,
 * what a template decides and a new key inherits, and where each function ends.
 */
#include "bytes.h"
#include "derive_answers.h"
#include "mech.h"
#include "side.h"
#include "token.h"

enum { PARAM_MAX = 512 };

/**
 * struct derive - a token, and a derivation being put together
 * @len: bytes of @param so far
 * @tmpl: of the new key, whose value anybody may see
 */
struct derive {
	struct fx_side side;
	struct luna_crypto_ops ops;
	u32 len;
	u8 param[PARAM_MAX];
	struct fx_tmpl tmpl, base;
	u8 value[LUNA_SECRET_MAX];
	struct fx_fingerprint before;
};

static int derive_init(struct kunit *test)
{
	struct derive *d = luna_test_alloc(sizeof(*d));

	test->priv = d;
	d->ops = *fakerng_quick_ops(luna_test_crypto(), 4);
	fx_side_open(&d->side, &d->ops, 0);
	return 0;
}

static void derive_exit(struct kunit *test)
{
	struct derive *d = test->priv;

	if (!d)
		return;
	fx_side_close(&d->side);
	luna_test_free(d);
	test->priv = NULL;
}

static void put(struct kunit *test, const void *data, u32 len)
{
	struct derive *d = test->priv;

	KUNIT_ASSERT_LE(test, d->len + len, (u32)PARAM_MAX);
	memcpy(d->param + d->len, data, len);
	d->len += len;
}

static void put_bytes(struct kunit *test, struct bytes b)
{
	put(test, b.data, b.len);
}

/* A private key to derive from; @may: it has CKA_DERIVE. */
static u32 base_but(struct kunit *test, u32 type, struct bytes value, bool may)
{
	struct derive *d = test->priv;
	u32 handle;

	d->base.len = 0;
	fx_attr_ulong(&d->base, CKA_CLASS, CKO_SECRET_KEY);
	fx_attr_ulong(&d->base, CKA_KEY_TYPE, type);
	fx_attr(&d->base, CKA_VALUE, value.data, value.len);
	fx_attr_bool(&d->base, CKA_DERIVE, may);
	KUNIT_ASSERT_EQ(test, fx_create(d->side.open, d->side.session, &d->base, &handle), CKR_OK);
	return handle;
}

static u32 base(struct kunit *test, u32 type, const char *value)
{
	return base_but(test, type, bytes_hex(test, value), true);
}

enum { NO_TYPE = 0x7fffffff };

/* The template of a key of @type, unless that is NO_TYPE, with @len bytes, unless that is 0. */
static void template(struct derive *d, u32 type, u32 len)
{
	d->tmpl.len = 0;
	if (type != NO_TYPE)
		fx_attr_ulong(&d->tmpl, CKA_KEY_TYPE, type);
	if (len)
		fx_attr_ulong(&d->tmpl, CKA_VALUE_LEN, len);
	fx_attr_bool(&d->tmpl, CKA_SENSITIVE, false);
	fx_attr_bool(&d->tmpl, CKA_EXTRACTABLE, true);
}

/* With the parameter and the template that are there; PBKDF2 has no @key, and generates. */
static s64 derive(struct derive *d, u32 mechanism, u32 key, u32 *handle)
{
	struct luna_key arg = {
		.hdr.session = d->side.session, .mechanism = mechanism, .param_len = d->len,
		.key = key, .template_len = d->tmpl.len,
	};
	u32 nr = mechanism == CKM_PKCS5_PBKD2 ? LUNA_GENERATE_KEY : LUNA_DERIVE;
	u8 *payload = luna_test_alloc(d->len + d->tmpl.len + 1);
	s64 rv;

	memcpy(payload, d->param, d->len);
	memcpy(payload + d->len, d->tmpl.data, d->tmpl.len);
	rv = fx_call(d->side.open, nr, &arg, sizeof(arg), payload, d->len + d->tmpl.len, NULL,
		     NULL);
	luna_test_free(payload);
	if (handle)
		*handle = arg.handle;
	return rv;
}

/* A derivation of as many bytes as @expected has, and these. */
static void expect_value(struct kunit *test, u32 mechanism, u32 key, const char *expected,
			 size_t row)
{
	struct derive *d = test->priv;
	struct bytes got = { .data = d->value };
	u32 handle, len = sizeof(d->value);

	template(d, CKK_GENERIC_SECRET, strlen(expected) / 2);
	KUNIT_ASSERT_EQ_MSG(test, derive(d, mechanism, key, &handle), CKR_OK, "row %zu", row);
	KUNIT_ASSERT_EQ(test,
			fx_attr_get(d->side.open, d->side.session, handle, CKA_VALUE, d->value,
				    &len), CKR_OK);
	got.len = len;
	KUNIT_EXPECT_TRUE_MSG(test, bytes_are(got, expected), "row %zu", row);
	KUNIT_EXPECT_EQ(test, fx_destroy(d->side.open, d->side.session, handle), CKR_OK);
}

/* A derivation that is refused, and of which nothing stays. */
static void expect_refused(struct kunit *test, u32 mechanism, u32 key, s64 expected,
			   const char *why)
{
	struct derive *d = test->priv;

	fx_print(&d->side, &d->before);
	KUNIT_EXPECT_EQ_MSG(test, derive(d, mechanism, key, NULL), expected, "%s", why);
	KUNIT_EXPECT_TRUE_MSG(test, fx_same(&d->side, &d->before), "%s", why);
}

/* ---- HKDF ---- */

static void hkdf_param(struct kunit *test, u32 hash, u32 flags, struct bytes salt,
		       struct bytes info)
{
	struct derive *d = test->priv;
	struct luna_hkdf_param p = {
		.flags = flags, .hash = hash, .salt_type = CKF_HKDF_SALT_NULL, .salt_len = salt.len,
		.info_len = info.len,
	};

	if (salt.len)
		p.salt_type = CKF_HKDF_SALT_DATA;
	d->len = 0;
	put(test, &p, sizeof(p));
	put_bytes(test, salt);
	put_bytes(test, info);
}

/* Both steps at once, and each by itself. */
static void derive_hkdf_answers(struct kunit *test)
{
	const u32 both = LUNA_HKDF_EXTRACT | LUNA_HKDF_EXPAND;
	struct bytes none = bytes_new(test, 0), salt, info;
	u32 ikm, prk;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hkdf_answers); i++) {
		ikm = base(test, CKK_GENERIC_SECRET, hkdf_answers[i].ikm);
		prk = base(test, CKK_GENERIC_SECRET, hkdf_answers[i].prk);
		salt = bytes_hex(test, hkdf_answers[i].salt);
		info = bytes_hex(test, hkdf_answers[i].info);
		hkdf_param(test, hkdf_answers[i].hash, both, salt, info);
		expect_value(test, CKM_HKDF_DERIVE, ikm, hkdf_answers[i].okm, i);
		hkdf_param(test, hkdf_answers[i].hash, LUNA_HKDF_EXTRACT, salt, none);
		expect_value(test, CKM_HKDF_DERIVE, ikm, hkdf_answers[i].prk, i);
		hkdf_param(test, hkdf_answers[i].hash, LUNA_HKDF_EXPAND, none, info);
		expect_value(test, CKM_HKDF_DERIVE, prk, hkdf_answers[i].okm, i);
	}
}

/* A salt that is a key is what its bytes are as data, and has to be a key to derive from. */
static void derive_hkdf_salt_key(struct kunit *test)
{
	struct derive *d = test->priv;
	struct bytes info = bytes_hex(test, hkdf_answers[0].info);
	struct luna_hkdf_param p = {
		.flags = LUNA_HKDF_EXTRACT | LUNA_HKDF_EXPAND, .hash = CKM_SHA256,
		.salt_type = CKF_HKDF_SALT_KEY, .info_len = info.len,
	};
	u32 ikm = base(test, CKK_GENERIC_SECRET, hkdf_answers[0].ikm);

	p.salt_key = base(test, CKK_GENERIC_SECRET, hkdf_answers[0].salt);
	put(test, &p, sizeof(p));
	put_bytes(test, info);
	expect_value(test, CKM_HKDF_DERIVE, ikm, hkdf_answers[0].okm, 0);
	p.salt_key = base_but(test, CKK_GENERIC_SECRET, bytes_hex(test, hkdf_answers[0].salt),
			      false);
	memcpy(d->param, &p, sizeof(p));
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_KEY_FUNCTION_NOT_PERMITTED, "salt");
	p.salt_key = 0x7fffffff;
	memcpy(d->param, &p, sizeof(p));
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_KEY_HANDLE_INVALID, "no salt");
}

static void derive_hkdf_limits(struct kunit *test)
{
	struct derive *d = test->priv;
	struct bytes none = bytes_new(test, 0);
	u32 ikm = base(test, CKK_GENERIC_SECRET, hkdf_answers[0].ikm);

	hkdf_param(test, CKM_SHA256, LUNA_HKDF_EXPAND, none, none);
	template(d, NO_TYPE, LUNA_SECRET_MAX);
	KUNIT_EXPECT_EQ(test, derive(d, CKM_HKDF_DERIVE, ikm, NULL), CKR_OK);
	template(d, NO_TYPE, LUNA_SECRET_MAX + 1);
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_KEY_SIZE_RANGE, "the longest and a byte");
	template(d, NO_TYPE, 0);
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_TEMPLATE_INCOMPLETE, "of any length");
	hkdf_param(test, CKM_SHA256, LUNA_HKDF_EXTRACT, none, none);
	template(d, NO_TYPE, 33);
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_KEY_SIZE_RANGE, "more than a hash");
	hkdf_param(test, CKM_SHA256, 0, none, none);
	template(d, NO_TYPE, 16);
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_MECHANISM_PARAM_INVALID, "neither step");
	hkdf_param(test, CKM_SHA256_HMAC, LUNA_HKDF_EXPAND, none, none);
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_MECHANISM_PARAM_INVALID, "no hash");
	hkdf_param(test, CKM_SHA256, LUNA_HKDF_EXPAND, none, none);
	d->len--;
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_MECHANISM_PARAM_INVALID, "cut");
	d->len += 2;
	expect_refused(test, CKM_HKDF_DERIVE, ikm, CKR_MECHANISM_PARAM_INVALID, "with a tail");
}

/* ---- PBKDF2 ---- */

static struct luna_pbkd2_param *pbkdf2_param(struct kunit *test, u32 prf, u32 iterations,
					     const char *password, const char *salt)
{
	struct derive *d = test->priv;
	struct luna_pbkd2_param p = {
		.salt_source = CKZ_SALT_SPECIFIED, .prf = prf, .iterations = iterations,
		.salt_len = strlen(salt), .password_len = strlen(password),
	};

	d->len = 0;
	put(test, &p, sizeof(p));
	put_bytes(test, bytes_text(test, salt));
	put_bytes(test, bytes_text(test, password));
	return (struct luna_pbkd2_param *)d->param;
}

/* As the provider computes it, and as the engine does for one that cannot. */
static void derive_pbkdf2_answers(struct kunit *test)
{
	struct derive *d = test->priv;
	size_t i;

	d->ops.pbkdf2 = luna_test_crypto()->pbkdf2;
	for (i = 0; i < 2 * ARRAY_SIZE(pbkdf2_answers); i++) {
		size_t row = i % ARRAY_SIZE(pbkdf2_answers);

		if (i == ARRAY_SIZE(pbkdf2_answers))
			d->ops.pbkdf2 = NULL;
		pbkdf2_param(test, pbkdf2_answers[row].prf, pbkdf2_answers[row].iterations,
			     pbkdf2_answers[row].password, pbkdf2_answers[row].salt);
		expect_value(test, CKM_PKCS5_PBKD2, 0, pbkdf2_answers[row].key, i);
	}
}

/* No caller may keep the token busy for long: not by rounds, nor by blocks, nor by company. */
static void derive_pbkdf2_limits(struct kunit *test)
{
	struct derive *d = test->priv;
	struct luna_pbkd2_param *p = pbkdf2_param(test, CKP_PKCS5_PBKD2_HMAC_SHA256,
						  LUNA_PBKD2_WORK,
						  "password", "salt");

	template(d, NO_TYPE, 32);	/* one round is all that this provider does */
	KUNIT_EXPECT_EQ(test, derive(d, CKM_PKCS5_PBKD2, 0, NULL), CKR_OK);
	p->iterations++;
	expect_refused(test, CKM_PKCS5_PBKD2, 0, CKR_MECHANISM_PARAM_INVALID, "a round more");
	p->iterations = 0;
	expect_refused(test, CKM_PKCS5_PBKD2, 0, CKR_MECHANISM_PARAM_INVALID, "none");
	p->iterations = LUNA_PBKD2_WORK / 2 + 1;
	template(d, NO_TYPE, 33);
	expect_refused(test, CKM_PKCS5_PBKD2, 0, CKR_MECHANISM_PARAM_INVALID, "two blocks");
	p->iterations = 1;
	template(d, NO_TYPE, 0);
	expect_refused(test, CKM_PKCS5_PBKD2, 0, CKR_TEMPLATE_INCOMPLETE, "of any length");
	template(d, NO_TYPE, 32);
	p->password_len = 0xfffffffc;
	expect_refused(test, CKM_PKCS5_PBKD2, 0, CKR_MECHANISM_PARAM_INVALID, "lengths that wrap");
	p->password_len = 8;
	p->prf_data_len = 1;
	expect_refused(test, CKM_PKCS5_PBKD2, 0, CKR_MECHANISM_PARAM_INVALID,
		       "data for the function");
	p->prf_data_len = 0;
	atomic_set(&d->side.fx.token->keygens, 16);
	expect_refused(test, CKM_PKCS5_PBKD2, 0, CKR_BUSY, "too many");
	atomic_set(&d->side.fx.token->keygens, 0);
	KUNIT_EXPECT_EQ(test, derive(d, CKM_PKCS5_PBKD2, 0, NULL), CKR_OK);
}

/* ---- SP 800-108 ---- */

static void put_field(struct kunit *test, u32 type, u32 bits, struct bytes data)
{
	struct luna_prf_field field = { .type = type, .bits = bits, .len = data.len };

	put(test, &field, sizeof(field));
	put_bytes(test, data);
}

static void prf_param(struct kunit *test, const struct prf_answer *a)
{
	struct derive *d = test->priv;
	struct bytes none = bytes_new(test, 0), iv = bytes_hex(test, a->iv);
	struct luna_sp800_108_param p = {
		.prf = a->prf, .count = a->counter ? 3 : 2, .iv_len = iv.len,
	};

	d->len = 0;
	put(test, &p, sizeof(p));
	put_bytes(test, iv);
	put_field(test, CK_SP800_108_ITERATION_VARIABLE, a->iteration, none);
	if (a->counter)
		put_field(test, CK_SP800_108_COUNTER, a->counter, none);
	put_field(test, CK_SP800_108_BYTE_ARRAY, 0, bytes_hex(test, a->fixed));
}

static u32 prf_base(struct kunit *test, const struct prf_answer *a)
{
	return base(test, a->prf == CKM_AES_CMAC ? CKK_AES : CKK_GENERIC_SECRET, a->key);
}

static void derive_sp800_108_answers(struct kunit *test)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(prf_answers); i++) {
		prf_param(test, &prf_answers[i]);
		expect_value(test, prf_answers[i].mechanism, prf_base(test, &prf_answers[i]),
			     prf_answers[i].out, i);
	}
}

/* A counter of eight bits ends after 255 blocks; the forms of one mode are not another's. */
static void derive_sp800_108_limits(struct kunit *test)
{
	struct derive *d = test->priv;
	struct luna_sp800_108_param *p = (struct luna_sp800_108_param *)d->param;
	u32 key = prf_base(test, &prf_answers[0]), other = base(test, CKK_GENERIC_SECRET, "0102");
	const u32 counter = CKM_SP800_108_COUNTER_KDF;

	prf_param(test, &prf_answers[0]);
	template(d, NO_TYPE, 255 * 16);
	KUNIT_EXPECT_EQ(test, derive(d, counter, key, NULL), CKR_OK);
	template(d, NO_TYPE, 255 * 16 + 1);
	expect_refused(test, counter, key, CKR_KEY_SIZE_RANGE, "the counter's end");
	template(d, NO_TYPE, 16);
	expect_refused(test, counter, other, CKR_KEY_TYPE_INCONSISTENT, "no AES key");
	expect_refused(test, CKM_SP800_108_FEEDBACK_KDF, key, CKR_MECHANISM_PARAM_INVALID,
		       "the counter mode's iteration variable");
	p->count++;
	expect_refused(test, counter, key, CKR_MECHANISM_PARAM_INVALID, "a field too few");
	p->count -= 2;
	expect_refused(test, counter, key, CKR_MECHANISM_PARAM_INVALID, "a field too many");
	p->count++;
	p->iv_len = 1;
	expect_refused(test, counter, key, CKR_MECHANISM_PARAM_INVALID, "an IV");
	p->iv_len = 0;
	p->prf = CKM_SHA256;
	expect_refused(test, counter, key, CKR_MECHANISM_PARAM_INVALID, "a hash");
	p->prf = CKM_AES_CMAC;
	p->reserved = 1;
	expect_refused(test, counter, key, CKR_MECHANISM_PARAM_INVALID, "reserved");
	p->reserved = 0;
	template(d, NO_TYPE, 0);
	expect_refused(test, counter, key, CKR_TEMPLATE_INCOMPLETE, "of any length");
	template(d, NO_TYPE, 16);
	KUNIT_EXPECT_EQ(test, derive(d, counter, key, NULL), CKR_OK);
}

/* ---- templates ---- */

static const struct kind {
	u32 type, len;		/* of the template */
	s64 rv;
	u32 made_type, made_len;
} kinds[] = {
	{ NO_TYPE, 0, CKR_OK, CKK_GENERIC_SECRET, 32 },
	{ NO_TYPE, 7, CKR_OK, CKK_GENERIC_SECRET, 7 },
	{ CKK_AES, 24, CKR_OK, CKK_AES, 24 },
	{ CKK_SHA256_HMAC, 20, CKR_OK, CKK_SHA256_HMAC, 20 },
	{ CKK_AES, 0, CKR_TEMPLATE_INCOMPLETE },
	{ CKK_GENERIC_SECRET, 0, CKR_TEMPLATE_INCOMPLETE },
	{ CKK_AES, 17, CKR_TEMPLATE_INCONSISTENT },
	{ CKK_RSA, 16, CKR_TEMPLATE_INCONSISTENT },
	{ 0x777, 16, CKR_ATTRIBUTE_VALUE_INVALID },
	{ NO_TYPE, 33, CKR_KEY_SIZE_RANGE },
};

static u64 number(struct kunit *test, u32 handle, u32 type)
{
	struct derive *d = test->priv;
	u64 got = 0;
	u32 len = sizeof(got);

	KUNIT_EXPECT_EQ(test, fx_attr_get(d->side.open, d->side.session, handle, type, &got, &len),
			CKR_OK);
	return got;
}

/* What the template says and what the hash of the base key gives settle type and length. */
static void derive_kinds(struct kunit *test)
{
	struct derive *d = test->priv;
	u32 key = base(test, CKK_GENERIC_SECRET, "00112233445566778899"), handle;
	const struct kind *k;

	for (k = kinds; k < kinds + ARRAY_SIZE(kinds); k++) {
		template(d, k->type, k->len);
		if (k->rv != CKR_OK) {
			expect_refused(test, CKM_SHA256_KEY_DERIVATION, key, k->rv, "kind");
			continue;
		}
		KUNIT_ASSERT_EQ(test, derive(d, CKM_SHA256_KEY_DERIVATION, key, &handle), CKR_OK);
		KUNIT_EXPECT_EQ(test, number(test, handle, CKA_CLASS), CKO_SECRET_KEY);
		KUNIT_EXPECT_EQ(test, number(test, handle, CKA_KEY_TYPE), k->made_type);
		KUNIT_EXPECT_EQ(test, number(test, handle, CKA_VALUE_LEN), k->made_len);
		KUNIT_EXPECT_FALSE(test, number(test, handle, CKA_LOCAL));
		/* The base key was imported, and so its value was outside. */
		KUNIT_EXPECT_FALSE(test, number(test, handle, CKA_ALWAYS_SENSITIVE));
		KUNIT_EXPECT_FALSE(test, number(test, handle, CKA_NEVER_EXTRACTABLE));
	}
}

/* The base key's own template has the last word, and the base key must be one. */
static void derive_base(struct kunit *test)
{
	struct derive *d = test->priv;
	struct bytes value = bytes_pattern(test, 32);
	const u32 mech = CKM_SHA256_KEY_DERIVATION;
	u32 data, key, handle;

	template(d, NO_TYPE, 16);
	key = base_but(test, CKK_GENERIC_SECRET, value, false);
	expect_refused(test, mech, key, CKR_KEY_FUNCTION_NOT_PERMITTED, "no CKA_DERIVE");
	expect_refused(test, mech, 0x7fffffff, CKR_KEY_HANDLE_INVALID, "no object");
	KUNIT_ASSERT_EQ(test, fx_make_data(&d->side, false, false, &data), CKR_OK);
	expect_refused(test, mech, data, CKR_KEY_HANDLE_INVALID, "no key");
	expect_refused(test, CKM_SHA256, data, CKR_MECHANISM_INVALID, "no derivation");

	d->tmpl.len = 0;
	fx_attr_bool(&d->tmpl, CKA_EXTRACTABLE, false);
	base_but(test, CKK_GENERIC_SECRET, value, true);
	fx_attr(&d->base, CKA_DERIVE_TEMPLATE, d->tmpl.data, d->tmpl.len);
	KUNIT_ASSERT_EQ(test, fx_create(d->side.open, d->side.session, &d->base, &key), CKR_OK);
	template(d, NO_TYPE, 16);
	expect_refused(test, mech, key, CKR_TEMPLATE_INCONSISTENT,
		       "against the base key's template");
	d->tmpl.len = 0;
	fx_attr_ulong(&d->tmpl, CKA_VALUE_LEN, 16);
	KUNIT_ASSERT_EQ(test, derive(d, mech, key, &handle), CKR_OK);
	KUNIT_EXPECT_FALSE(test, number(test, handle, CKA_EXTRACTABLE));
	fx_side_as(&d->side, LUNA_ROLE_NONE);
	expect_refused(test, mech, key, CKR_KEY_HANDLE_INVALID, "nobody logged in");
}

static struct kunit_case derive_cases[] = {
	KUNIT_CASE(derive_hkdf_answers),
	KUNIT_CASE(derive_hkdf_salt_key),
	KUNIT_CASE(derive_hkdf_limits),
	KUNIT_CASE(derive_pbkdf2_answers),
	KUNIT_CASE(derive_pbkdf2_limits),
	KUNIT_CASE(derive_sp800_108_answers),
	KUNIT_CASE(derive_sp800_108_limits),
	KUNIT_CASE(derive_kinds),
	KUNIT_CASE(derive_base),
	{}
};

static struct kunit_suite derive_suite = {
	.name = "luna-derive",
	.init = derive_init,
	.exit = derive_exit,
	.test_cases = derive_cases,
};

kunit_test_suites(&derive_suite);
