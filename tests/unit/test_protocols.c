// SPDX-License-Identifier: MIT
/*
 * Cloning, HA login and M of N between two tokens, as lib/token/PROTOCOLS.md promises: what works,
 * that length queries and short buffers change nothing, and that whatever was altered, replayed,
 * sent to another session or out of order is refused with its code and creates nothing.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"

enum { ROOM = 16 * 1024, BIG = 200 * 1024 };

/* A token with the CO logged in. */
struct side {
	struct fx fx;
	struct luna_open *open;
	u32 session;
};

struct message {
	u32 len;
	u8 data[ROOM];
};

static struct side a, b;
static struct message twc, part1, part2, other;

static void side_open(struct side *side, u32 slot)
{
	fx_open(&side->fx, fakerng_quick_ops(&luna_openssl_ops, slot + 1), slot);
	assert_int_equal(fx_ready(&side->fx, &side->open, &side->session), CKR_OK);
}

static int setup(void **state)
{
	side_open(&a, 0);
	side_open(&b, 1);
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	luna_release(a.open);
	luna_release(b.open);
	fx_close(&a.fx);
	fx_close(&b.fx);
	(void)state;
	return 0;
}

static void policy_set(struct side *side, u32 scope, u32 id, u32 value)
{
	struct luna_policy_set arg = { .scope = scope, .count = 1 };
	u32 pair[2] = { id, value };

	assert_int_equal(fx_logout(side->open, side->session), CKR_OK);
	assert_int_equal(fx_login(side->open, side->session, CKU_SO, FX_SO_PIN), CKR_OK);
	arg.hdr.session = side->session;
	arg.flags = LUNA_POLICY_SET_DESTRUCTIVE;
	assert_int_equal(fx_call(side->open, LUNA_POLICY_SET, &arg, sizeof(arg), pair, sizeof(pair),
				 NULL, NULL), CKR_OK);
	assert_int_equal(fx_logout(side->open, side->session), CKR_OK);
	assert_int_equal(fx_login(side->open, side->session, CKU_USER, FX_CO_PIN), CKR_OK);
}

static u32 data_object(struct side *side, const char *label, bool token, bool private, u32 len)
{
	static u8 value[BIG];
	static struct fx_tmpl tmpl;
	u32 handle;

	assert_true(len <= 4096);
	memset(value, 0x5a, len);
	memset(&tmpl, 0, sizeof(tmpl));
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, token);
	fx_attr_bool(&tmpl, CKA_PRIVATE, private);
	fx_attr_text(&tmpl, CKA_LABEL, label);
	fx_attr(&tmpl, CKA_VALUE, value, len);
	assert_int_equal(fx_create(side->open, side->session, &tmpl, &handle), CKR_OK);
	return handle;
}

static u32 aes_key(struct side *side)
{
	struct fx_tmpl tmpl = { 0 };
	u32 handle;

	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	fx_attr_bool(&tmpl, CKA_EXTRACTABLE, false);
	fx_attr_bool(&tmpl, CKA_MODIFIABLE, false);
	fx_attr_ulong(&tmpl, CKA_VALUE_LEN, 32);
	assert_int_equal(
		fx_generate_key(side->open, side->session, CKM_AES_KEY_GEN, &tmpl, &handle),
		CKR_OK);
	return handle;
}

static u32 count_objects(struct side *side)
{
	struct fx_tmpl none = { 0 };
	u32 handles[64], count;

	assert_int_equal(fx_find(side->open, side->session, &none, handles, 64, &count), CKR_OK);
	return count;
}

static s64 step(struct side *side, u32 session, u32 nr, struct luna_blob *arg,
		const struct message *in, struct message *out)
{
	u32 len = ROOM;
	s64 rv;

	arg->hdr = (struct luna_hdr){ .session = session };
	rv = fx_blob(side->open, nr, arg, in ? in->data : NULL, in ? in->len : 0,
		     out ? out->data : NULL, out ? &len : NULL);
	if (!rv && out)
		out->len = len;
	return rv;
}

static s64 source_init(void)
{
	return step(&a, a.session, LUNA_CLONE_SOURCE_INIT, &(struct luna_blob){ 0 }, NULL, &twc);
}

static s64 target_init(void)
{
	return step(&b, b.session, LUNA_CLONE_TARGET_INIT, &(struct luna_blob){ 0 }, &twc, &part1);
}

static s64 source(u32 handle)
{
	return step(&a, a.session, LUNA_CLONE_SOURCE, &(struct luna_blob){ .handle = handle },
		    &part1, &part2);
}

static s64 target(u32 *clone)
{
	struct luna_blob arg = { 0 };
	s64 rv = step(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL);

	*clone = arg.handle;
	return rv;
}

static void assert_same(u32 from, u32 to, u32 type)
{
	u8 one[512], two[512];
	u32 len1 = sizeof(one), len2 = sizeof(two);

	assert_int_equal(fx_attr_get(a.open, a.session, from, type, one, &len1), CKR_OK);
	assert_int_equal(fx_attr_get(b.open, b.session, to, type, two, &len2), CKR_OK);
	assert_int_equal(len1, len2);
	assert_memory_equal(one, two, len1);
}

/* ---- cloning ---- */

static void test_clone(void **state __maybe_unused)
{
	static const u32 types[] = { CKA_OUID, CKA_LABEL, CKA_VALUE_LEN, CKA_EXTRACTABLE, CKA_LOCAL,
				     CKA_MODIFIABLE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE,
				     CKA_KEY_GEN_MECHANISM, CKA_ENCRYPT, CKA_TOKEN, CKA_PRIVATE };
	u8 data[32] = "two blocks of data, thirty-two.", one[32], two[32];
	u32 key = aes_key(&a), clone, again, len1 = 32, len2 = 32;

	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone), CKR_OK);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_same(key, clone, types[i]);
	assert_int_equal(fx_op(a.open, a.session, LUNA_OP_ENCRYPT, CKM_AES_ECB, key, NULL, 0, data,
			       32, NULL, 0, one, &len1),
			 CKR_OK);
	assert_int_equal(fx_op(b.open, b.session, LUNA_OP_ENCRYPT, CKM_AES_ECB, clone, NULL, 0,
			       data, 32, NULL, 0, two, &len2),
			 CKR_OK);
	assert_memory_equal(one, two, 32);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &again), CKR_OK);
	assert_int_not_equal(clone, again);
	assert_same(key, again, CKA_OUID);
}

static void test_clone_survives(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone;

	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone), CKR_OK);
	luna_release(b.open);
	fx_reopen(&b.fx);
	b.open = luna_open(b.fx.token);
	assert_int_equal(fx_session(b.open, true, &b.session), CKR_OK);
	assert_int_equal(fx_login(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_same(key, clone, CKA_OUID);
}

/* Queries and short buffers at every step, before the real call and after it. */
static void test_clone_sizes(void **state __maybe_unused)
{
	struct luna_blob arg = { .hdr.session = a.session };
	u32 key = aes_key(&a), clone, len;

	len = LUNA_OUT_QUERY;
	assert_int_equal(fx_blob(a.open, LUNA_CLONE_SOURCE_INIT, &arg, NULL, 0, NULL, &len),
			 CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(len, twc.len);

	arg.hdr.session = b.session;
	len = LUNA_OUT_QUERY;
	assert_int_equal(
		fx_blob(b.open, LUNA_CLONE_TARGET_INIT, &arg, twc.data, twc.len, NULL, &len),
		CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(len, part1.len);
	len--;
	assert_int_equal(
		fx_blob(b.open, LUNA_CLONE_TARGET_INIT, &arg, twc.data, twc.len, other.data, &len),
		CKR_BUFFER_TOO_SMALL);
	assert_int_equal(len, part1.len);
	len = LUNA_OUT_QUERY;
	assert_int_equal(
		fx_blob(b.open, LUNA_CLONE_TARGET_INIT, &arg, twc.data, twc.len, NULL, &len),
		CKR_OK);

	arg = (struct luna_blob){ .hdr.session = a.session, .handle = key };
	len = LUNA_OUT_QUERY;
	assert_int_equal(
		fx_blob(a.open, LUNA_CLONE_SOURCE, &arg, part1.data, part1.len, NULL, &len),
		CKR_OK);
	arg = (struct luna_blob){ .hdr.session = a.session, .handle = key };
	other.len = --len;
	assert_int_equal(fx_blob(a.open, LUNA_CLONE_SOURCE, &arg, part1.data, part1.len, other.data,
				 &len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(source(key), CKR_OK);
	assert_int_equal(part2.len, other.len + 1);
	assert_int_equal(target(&clone), CKR_OK);
	assert_same(key, clone, CKA_OUID);
}

static void test_clone_order(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone, objects = count_objects(&b), session;
	struct message old;

	assert_int_equal(source_init(), CKR_OK);
	luna_release(a.open);
	a.open = luna_open(a.fx.token);
	assert_int_equal(fx_session(a.open, true, &a.session), CKR_OK);
	assert_int_equal(fx_login(a.open, a.session, CKU_USER, FX_CO_PIN), CKR_OK);

	assert_int_equal(target(&clone), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	/* each part is good once, and for the last exchange alone */
	assert_int_equal(source(key), CKR_OPERATION_NOT_INITIALIZED);
	old = part1;
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(target(&clone), CKR_DATA_INVALID);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	other = part2;
	assert_int_equal(target(&clone), CKR_OK);
	assert_int_equal(target(&clone), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(target_init(), CKR_OK);
	part2 = other;
	assert_int_equal(target(&clone), CKR_DATA_INVALID);
	/* another session of the target */
	assert_int_equal(fx_session(b.open, true, &session), CKR_OK);
	assert_int_equal(
		step(&b, session, LUNA_CLONE_TARGET, &(struct luna_blob){ 0 }, &part2, NULL),
		CKR_OPERATION_NOT_INITIALIZED);
	/* an old Part1 seals for a target that no longer waits for it */
	part1 = old;
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	assert_int_equal(target(&clone), CKR_DATA_INVALID);
	assert_int_equal(count_objects(&b), objects + 1);
}

static void test_clone_logout(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone;

	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(target(&clone), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_login(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(target(&clone), CKR_OPERATION_NOT_INITIALIZED);
}

/* Every byte altered, every truncation, a tail: refused, nothing created, and the true part still
 * works. */
static void test_clone_altered(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone, objects = count_objects(&b), i;
	s64 rv;

	assert_int_equal(source_init(), CKR_OK);
	for (i = 0; i < twc.len; i++) {
		other = twc;
		other.data[i] ^= 1 << i % 8;
		assert_int_equal(step(&b, b.session, LUNA_CLONE_TARGET_INIT,
				      &(struct luna_blob){ 0 }, &other, &part1),
				 CKR_CERTIFICATE_DATA_INVALID);
	}
	assert_int_equal(target_init(), CKR_OK);
	other = part1;
	for (i = 0; i < other.len; i++) {
		part1.data[i] ^= 1 << i % 8;
		rv = source(key);
		assert_true(rv == CKR_DATA_INVALID || rv == CKR_UNWRAPPING_ERROR);
		part1 = other;
		part1.len = i;
		assert_int_equal(source(key), CKR_DATA_INVALID);
		part1 = other;
	}
	part1.data[part1.len++] = 0;
	assert_int_equal(source(key), CKR_DATA_INVALID);
	part1 = other;
	assert_int_equal(source(key), CKR_OK);
	other = part2;
	for (i = 0; i < other.len; i++) {
		part2.data[i] ^= 1 << i % 8;
		rv = target(&clone);
		assert_true(rv == CKR_DATA_INVALID || rv == CKR_UNWRAPPING_ERROR);
		part2 = other;
		part2.len = i;
		assert_int_equal(target(&clone), CKR_DATA_INVALID);
		part2 = other;
	}
	part2.data[part2.len++] = 0;
	assert_int_equal(target(&clone), CKR_DATA_INVALID);
	part2 = other;
	assert_int_equal(count_objects(&b), objects);
	assert_int_equal(target(&clone), CKR_OK);
}

static void test_clone_arguments(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone;
	struct luna_blob arg;

	part1.len = 1;
	assert_int_equal(
		step(&a, a.session, LUNA_CLONE_SOURCE_INIT, &(struct luna_blob){ 0 }, &part1, &twc),
		CKR_ARGUMENTS_BAD);
	assert_int_equal(step(&a, a.session, LUNA_CLONE_SOURCE_INIT,
			      &(struct luna_blob){ .replicate = 2 }, NULL, &twc),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(source_init(), CKR_OK);
	other.len = 0;
	assert_int_equal(step(&b, b.session, LUNA_CLONE_TARGET_INIT, &(struct luna_blob){ 0 },
			      &other, &part1),
			 CKR_CERTIFICATE_DATA_INVALID);
	assert_int_equal(target_init(), CKR_OK);
	arg = (struct luna_blob){ .handle = key, .type = CK_PARAM_ELEMENT };
	assert_int_equal(step(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &part2),
			 CKR_OBJECT_TYPE_INVALID);
	assert_int_equal(source(key + 1000), CKR_OBJECT_HANDLE_INVALID);
	arg = (struct luna_blob){ .handle = key, .replicate = 1 };
	assert_int_equal(step(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &part2),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(source(key), CKR_OK);
	arg = (struct luna_blob){ .replicate = 1 };
	assert_int_equal(step(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL),
			 CKR_ARGUMENTS_BAD);
	arg = (struct luna_blob){ .type = CK_MOFN_ACTIVATION_ELEMENT };
	assert_int_equal(step(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL),
			 CKR_DATA_INVALID);
	assert_int_equal(target(&clone), CKR_OK);

	/* a replicating source and a target that does not */
	arg = (struct luna_blob){ .replicate = 1 };
	assert_int_equal(step(&a, a.session, LUNA_CLONE_SOURCE_INIT, &arg, NULL, &twc), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	arg = (struct luna_blob){ .replicate = 1, .handle = key };
	assert_int_equal(step(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &part2),
			 CKR_DATA_INVALID);
}

/* Initialises a token anew, with the CO logged in as before. */
static void reinit(struct side *side, const char *domain, u32 type, u32 flags)
{
	struct luna_init_token arg = {
		.pin_len = strlen(FX_SO_PIN),
		.domain_len = strlen(domain),
		.type = type,
		.flags = flags,
	};
	char payload[64];

	snprintf(payload, sizeof(payload), "%s%s", FX_SO_PIN, domain);
	memset(arg.label, ' ', sizeof(arg.label));
	luna_release(side->open);
	side->open = luna_open(side->fx.token);
	assert_int_equal(fx_call(side->open, LUNA_INIT_TOKEN, &arg, sizeof(arg), payload,
				 strlen(payload), NULL, NULL), CKR_OK);
	assert_int_equal(fx_session(side->open, true, &side->session), CKR_OK);
	assert_int_equal(fx_login(side->open, side->session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(fx_init_pin(side->open, side->session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(fx_logout(side->open, side->session), CKR_OK);
	assert_int_equal(fx_login(side->open, side->session, CKU_USER, FX_CO_PIN), CKR_OK);
}

static void test_clone_domain(void **state __maybe_unused)
{
	u32 key = aes_key(&a), objects;

	reinit(&b, "another domain", LUNA_TOKEN_PPSO, 0);
	objects = count_objects(&b);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_UNWRAPPING_ERROR);
	assert_int_equal(count_objects(&b), objects);
	reinit(&b, "", LUNA_TOKEN_PPSO, 0);
	assert_int_equal(target_init(), CKR_CLONING_PARAMETER_MISSING);
}

static void test_clone_policies(void **state __maybe_unused)
{
	u32 key, clone;

	policy_set(&b, LUNA_SCOPE_PARTITION, 4, 0);
	key = aes_key(&a);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone),
			 CKR_OPERATION_NOT_ALLOWED);
	key = data_object(&a, "data", true, true, 100);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone), CKR_OK);
	policy_set(&a, LUNA_SCOPE_PARTITION, 4, 0);
	key = aes_key(&a);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_ALLOWED);
	policy_set(&a, LUNA_SCOPE_HSM, 16, 0);
	assert_int_equal(step(&a, a.session, LUNA_CLONE_SOURCE_INIT,
			      &(struct luna_blob){ .replicate = 1 }, NULL, &twc),
			 CKR_OPERATION_NOT_ALLOWED);
	policy_set(&b, LUNA_SCOPE_HSM, 7, 0);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OPERATION_NOT_ALLOWED);
}

static void test_clone_roles(void **state __maybe_unused)
{
	u32 public = data_object(&a, "public", true, false, 10), clone;
	u32 private = data_object(&a, "private", true, true, 10);

	assert_int_equal(fx_init_pin(a.open, a.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(fx_logout(a.open, a.session), CKR_OK);
	assert_int_equal(source_init(), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_login(a.open, a.session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(source_init(), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(fx_logout(a.open, a.session), CKR_OK);
	assert_int_equal(fx_login(a.open, a.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(private), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(source(public), CKR_OK);
	assert_int_equal(target(&clone), CKR_OK);
}

/* Attributes of 64 KiB and more travel staged and in pieces. */
static void test_clone_large(void **state __maybe_unused)
{
	u8 *payload = test_calloc(1, BIG + 4096), *big = test_malloc(BIG + 4096);
	struct luna_object_arg arg = { .hdr.session = a.session };
	struct fx_tmpl tmpl = { 0 };
	struct luna_attr value = { CKA_VALUE, BIG };
	struct luna_blob blob;
	u32 clone, len, handle;

	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_DATA);
	fx_attr_bool(&tmpl, CKA_TOKEN, true);
	memcpy(payload, tmpl.data, tmpl.len);
	memcpy(payload + tmpl.len, &value, sizeof(value));
	memset(payload + tmpl.len + sizeof(value), 0x77, BIG);
	arg.template_len = tmpl.len + sizeof(value) + BIG;
	assert_int_equal(fx_call(a.open, LUNA_OBJECT_CREATE, &arg, sizeof(arg), payload,
				 arg.template_len, NULL, NULL), CKR_OK);
	handle = arg.handle;
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	len = BIG + 4096;
	blob = (struct luna_blob){ .hdr.session = a.session, .handle = handle };
	assert_int_equal(
		fx_blob(a.open, LUNA_CLONE_SOURCE, &blob, part1.data, part1.len, big, &len),
		CKR_OK);
	blob = (struct luna_blob){ .hdr.session = b.session };
	assert_int_equal(fx_blob(b.open, LUNA_CLONE_TARGET, &blob, big, len, NULL, NULL), CKR_OK);
	clone = blob.handle;
	assert_same(handle, clone, CKA_OUID);
	test_free(payload);
	test_free(big);
}

static void test_clone_session_object(void **state __maybe_unused)
{
	u32 handle = data_object(&a, "session", false, true, 10), clone, count;

	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, handle, &clone), CKR_OK);
	assert_same(handle, clone, CKA_TOKEN);
	count = count_objects(&b);
	luna_release(b.open);
	b.open = luna_open(b.fx.token);
	assert_int_equal(fx_session(b.open, true, &b.session), CKR_OK);
	assert_int_equal(fx_login(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(count_objects(&b), count - 1);
}

static void test_clone_same_token(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone;

	assert_int_equal(fx_clone(a.open, a.session, a.open, a.session, key, &clone), CKR_OK);
	assert_int_not_equal(key, clone);
}

/* ---- HA login ---- */

static void login_pair(struct side *side, bool good, u32 *pub, u32 *priv)
{
	struct fx_tmpl pub_tmpl = { 0 }, priv_tmpl = { 0 };
	static const u8 e[] = { 1, 0, 1 };

	fx_attr_bool(&pub_tmpl, CKA_TOKEN, true);
	fx_attr_ulong(&pub_tmpl, CKA_MODULUS_BITS, 2048);
	fx_attr(&pub_tmpl, CKA_PUBLIC_EXPONENT, e, sizeof(e));
	fx_attr_bool(&priv_tmpl, CKA_TOKEN, true);
	fx_attr_bool(&priv_tmpl, CKA_PRIVATE, true);
	fx_attr_bool(&priv_tmpl, CKA_SENSITIVE, true);
	fx_attr_bool(&priv_tmpl, CKA_EXTRACTABLE, false);
	fx_attr_bool(&priv_tmpl, CKA_MODIFIABLE, !good);
	fx_attr_bool(&pub_tmpl, CKA_ENCRYPT, false);
	fx_attr_bool(&pub_tmpl, CKA_VERIFY, false);
	fx_attr_bool(&pub_tmpl, CKA_VERIFY_RECOVER, false);
	fx_attr_bool(&pub_tmpl, CKA_WRAP, false);
	fx_attr_bool(&pub_tmpl, CKA_DERIVE, false);
	fx_attr_bool(&priv_tmpl, CKA_DECRYPT, false);
	fx_attr_bool(&priv_tmpl, CKA_SIGN, false);
	fx_attr_bool(&priv_tmpl, CKA_SIGN_RECOVER, false);
	fx_attr_bool(&priv_tmpl, CKA_UNWRAP, false);
	fx_attr_bool(&priv_tmpl, CKA_DERIVE, false);
	assert_int_equal(fx_generate_pair(side->open, side->session, CKM_RSA_PKCS_KEY_PAIR_GEN,
					  &pub_tmpl, &priv_tmpl, pub, priv), CKR_OK);
}

static s64 ha_init(struct side *side, u32 handle)
{
	return step(side, side->session, LUNA_HA_INIT, &(struct luna_blob){ .handle = handle },
		    NULL, NULL);
}

static s64 ha_challenge(void)
{
	struct luna_blob arg = { 0 };

	assert_int_equal(step(&a, 0, LUNA_HA_MASTER_PUBLIC, &arg, NULL, &twc), CKR_OK);
	return step(&b, b.session, LUNA_HA_CHALLENGE, &(struct luna_blob){ .role = CKU_USER }, &twc,
		    &part1);
}

static s64 ha_answer(u32 key)
{
	return step(&a, a.session, LUNA_HA_ANSWER, &(struct luna_blob){ .handle = key }, &part1,
		    &part2);
}

static u32 login_state(struct side *side, u32 session)
{
	struct luna_session_info info = { .hdr.session = session };

	assert_int_equal(fx_call(side->open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL,
				 NULL), CKR_OK);
	return info.state;
}

/* As clients do: no buffer and a length of zero. */
static s64 ha_login(void)
{
	struct luna_blob arg = { .hdr.session = b.session };
	u32 len = LUNA_OUT_QUERY;
	s64 rv = fx_blob(b.open, LUNA_HA_LOGIN, &arg, part2.data, part2.len, NULL, &len);

	if (!rv)
		assert_int_equal(len, 0);
	return rv;
}

/* The private key, cloned to the secondary, and a setup with it; b is left logged out. */
static void ha_setup(u32 *priv)
{
	u32 pub, clone;

	login_pair(&a, true, &pub, priv);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, *priv, &clone), CKR_OK);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
}

static void test_ha_login(void **state __maybe_unused)
{
	u32 priv;

	ha_setup(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(ha_login(), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RW_USER_FUNCTIONS);
	aes_key(&b);
	/* good once */
	assert_int_equal(ha_login(), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_login(), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_login(), CKR_ENCRYPTED_DATA_INVALID);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
}

/* The setup is durable; nothing but the exchange opens the secondary after a restart. */
static void test_ha_restart(void **state __maybe_unused)
{
	u32 priv;

	ha_setup(&priv);
	luna_release(b.open);
	fx_reopen(&b.fx);
	b.open = luna_open(b.fx.token);
	assert_int_equal(fx_session(b.open, false, &b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RO_USER_FUNCTIONS);
}

/* The public key alone, re-created on the secondary. */
static void test_ha_public_key(void **state __maybe_unused)
{
	u8 n[256], e[3];
	u32 pub, priv, copy, n_len = sizeof(n), e_len = sizeof(e);
	struct fx_tmpl tmpl = { 0 };

	login_pair(&a, true, &pub, &priv);
	assert_int_equal(fx_attr_get(a.open, a.session, pub, CKA_MODULUS, n, &n_len), CKR_OK);
	assert_int_equal(fx_attr_get(a.open, a.session, pub, CKA_PUBLIC_EXPONENT, e, &e_len),
			 CKR_OK);
	fx_attr_ulong(&tmpl, CKA_CLASS, CKO_PUBLIC_KEY);
	fx_attr_ulong(&tmpl, CKA_KEY_TYPE, CKK_RSA);
	fx_attr(&tmpl, CKA_MODULUS, n, n_len);
	fx_attr(&tmpl, CKA_PUBLIC_EXPONENT, e, e_len);
	fx_attr_bool(&tmpl, CKA_ENCRYPT, false);
	fx_attr_bool(&tmpl, CKA_VERIFY, false);
	fx_attr_bool(&tmpl, CKA_VERIFY_RECOVER, false);
	fx_attr_bool(&tmpl, CKA_WRAP, false);
	fx_attr_bool(&tmpl, CKA_DERIVE, false);
	assert_int_equal(fx_create(b.open, b.session, &tmpl, &copy), CKR_OK);
	assert_int_equal(ha_init(&b, copy), CKR_OK);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(pub), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_wrong_key(void **state __maybe_unused)
{
	u32 priv, pub, wrong, loose, aes = aes_key(&a);

	login_pair(&a, true, &pub, &wrong);
	login_pair(&a, false, &pub, &loose);
	ha_setup(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(aes), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_int_equal(ha_answer(loose), CKR_KEY_INVALID_FOR_HA_LOGIN);
	assert_int_equal(ha_answer(9999), CKR_KEY_HANDLE_INVALID);
	/* Another key of the same size answers as if nothing were wrong (unless W >= n). */
	other = part2;
	if (ha_answer(wrong) == CKR_OK) {
		assert_int_equal(ha_login(), CKR_PIN_INCORRECT);
		other = part2;
		assert_int_equal(ha_answer(wrong), CKR_OK);
		assert_memory_equal(other.data, part2.data, part2.len);
	}
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_altered(void **state __maybe_unused)
{
	u32 priv, i;

	ha_setup(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	other = part1;
	for (i = 0; i < other.len; i += 5) {
		part1.data[i] ^= 1 << i % 8;
		assert_int_equal(ha_answer(priv), CKR_DATA_INVALID);
		part1 = other;
		part1.len = i;
		assert_int_equal(ha_answer(priv), CKR_DATA_INVALID);
		part1 = other;
	}
	part1.data[part1.len++] = 0;
	assert_int_equal(ha_answer(priv), CKR_DATA_INVALID);
	part1 = other;
	assert_int_equal(ha_answer(priv), CKR_OK);
	other = part2;
	for (i = 0; i < other.len; i++) {
		part2.data[i] ^= 1 << i % 8;
		assert_int_equal(ha_login(), CKR_ENCRYPTED_DATA_INVALID);
		part2 = other;
		part2.len = i;
		assert_int_equal(ha_login(), CKR_ENCRYPTED_DATA_INVALID);
		part2 = other;
	}
	part2.data[part2.len++] = 0;
	assert_int_equal(ha_login(), CKR_ENCRYPTED_DATA_INVALID);
	part2 = other;
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_states(void **state __maybe_unused)
{
	struct luna_blob arg = { .role = CKU_USER };
	u32 priv, pub, session, len;

	assert_int_equal(ha_challenge(), CKR_USER_ALREADY_LOGGED_IN);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(ha_init(&b, 1), CKR_USER_NOT_LOGGED_IN);
	assert_int_equal(fx_login(b.open, b.session, CKU_SO, FX_SO_PIN), CKR_OK);
	assert_int_equal(ha_init(&b, 1), CKR_USER_NOT_AUTHORIZED);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(fx_login(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(ha_init(&b, 9999), CKR_KEY_HANDLE_INVALID);
	login_pair(&b, false, &pub, &priv);
	assert_int_equal(ha_init(&b, priv), CKR_KEY_INVALID_FOR_HA_LOGIN);
	ha_setup(&priv);

	arg.role = CKU_SO;
	assert_int_equal(step(&b, b.session, LUNA_HA_CHALLENGE, &arg, &twc, &part1),
			 CKR_USER_PIN_NOT_INITIALIZED);
	arg.role = CKU_AUDIT;
	assert_int_equal(step(&b, b.session, LUNA_HA_CHALLENGE, &arg, &twc, &part1),
			 CKR_USER_TYPE_INVALID);
	assert_int_equal(ha_login(), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_challenge(), CKR_OK);
	/* a query does not replace the challenge that waits */
	arg = (struct luna_blob){ .hdr.session = b.session, .role = CKU_USER };
	len = LUNA_OUT_QUERY;
	assert_int_equal(fx_blob(b.open, LUNA_HA_CHALLENGE, &arg, twc.data, twc.len, NULL, &len),
			 CKR_OK);
	assert_int_equal(len, part1.len);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(fx_session(b.open, true, &session), CKR_OK);
	assert_int_equal(step(&b, session, LUNA_HA_LOGIN, &(struct luna_blob){ 0 }, &part2, &other),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_policy(void **state __maybe_unused)
{
	u32 priv;

	ha_setup(&priv);
	assert_int_equal(fx_login(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	policy_set(&b, LUNA_SCOPE_PARTITION, 21, 0);
	assert_int_equal(ha_init(&b, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_login(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
	policy_set(&b, LUNA_SCOPE_PARTITION, 21, 1);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_OK);
	policy_set(&a, LUNA_SCOPE_PARTITION, 21, 0);
	assert_int_equal(ha_answer(priv), CKR_OPERATION_NOT_ALLOWED);
}

/* Legacy: the CU may run the setup, too; the last one wins and comes back. */
static void test_ha_legacy(void **state __maybe_unused)
{
	struct luna_session_info info = { 0 };
	u32 priv, pub, clone;

	reinit(&b, FX_DOMAIN, LUNA_TOKEN_LEGACY, 0);
	login_pair(&a, true, &pub, &priv);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, priv, &clone), CKR_OK);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(fx_login(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(ha_login(), CKR_OK);
	info.hdr.session = b.session;
	assert_int_equal(
		fx_call(b.open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL, NULL),
		CKR_OK);
	assert_int_equal(info.role, CKU_LIMITED_USER);
}

/* Whom no PIN would let in, no exchange does: the lock of the user is the crypto user's, too. */
static void test_ha_locked(void **state __maybe_unused)
{
	u32 priv, pub, clone, i;

	reinit(&b, FX_DOMAIN, LUNA_TOKEN_LEGACY, 0);
	login_pair(&a, true, &pub, &priv);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, priv, &clone), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(fx_login(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);
	for (i = 0; i < 10; i++)
		assert_int_equal(fx_login(b.open, b.session, CKU_USER, "no such pin"),
				 CKR_PIN_INCORRECT);
	assert_int_equal(fx_login(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN),
			 CKR_USER_LOCKED_OUT);
	assert_int_equal(ha_login(), CKR_USER_LOCKED_OUT);
	assert_int_equal(ha_challenge(), CKR_USER_LOCKED_OUT);
}

/* A device that is set to be lax looks at the usage flags alone. */
static void test_ha_lax(void **state __maybe_unused)
{
	u32 priv, pub;

	login_pair(&a, false, &pub, &priv);
	assert_int_equal(ha_init(&a, priv), CKR_KEY_INVALID_FOR_HA_LOGIN);
	luna_release(a.open);
	a.fx.config.flags |= LUNA_CONFIG_LAX_HA_KEYS;
	fx_reopen(&a.fx);
	a.open = luna_open(a.fx.token);
	assert_int_equal(fx_session(a.open, true, &a.session), CKR_OK);
	assert_int_equal(fx_login(a.open, a.session, CKU_USER, FX_CO_PIN), CKR_OK);
	assert_int_equal(ha_init(&a, priv), CKR_OK);
}

/* ---- M of N ---- */

enum { VECTOR = 48, VECTOR_ROW = 4 + VECTOR };

static s64 mofn_generate(struct side *side, u32 m, u32 n, u32 flags, u32 room, u8 *vectors)
{
	struct luna_mofn arg = { .hdr.session = side->session, .m = m, .n = n, .flags = flags };
	u32 pairs[2 * 16];
	size_t len = 16 * VECTOR_ROW;
	s64 rv;

	for (u32 i = 0; i < 16; i++) {
		pairs[2 * i] = 1;
		pairs[2 * i + 1] = room;
	}
	rv = fx_call(side->open, LUNA_MOFN_GENERATE, &arg, sizeof(arg), pairs, 8 * min(n, 16u),
		     vectors, &len);
	if (rv == CKR_OK || rv == CKR_BUFFER_TOO_SMALL)
		assert_int_equal(arg.secret_len, VECTOR);
	return rv;
}

static s64 mofn_activate(struct side *side, const u8 *vectors, u32 n)
{
	struct luna_mofn arg = { .hdr.session = side->session, .n = n };

	return fx_call(side->open, LUNA_MOFN_ACTIVATE, &arg, sizeof(arg), vectors, n * VECTOR_ROW,
		       NULL, NULL);
}

static struct luna_mofn_status mofn_status(struct side *side)
{
	struct luna_mofn_status arg = { 0 };

	assert_int_equal(
		fx_call(side->open, LUNA_MOFN_STATUS, &arg, sizeof(arg), NULL, 0, NULL, NULL),
		CKR_OK);
	return arg;
}

static void test_mofn(void **state __maybe_unused)
{
	u8 vectors[16 * VECTOR_ROW], some[16 * VECTOR_ROW];
	struct luna_hdr hdr = { .session = a.session };
	struct luna_mofn_status status;
	u32 i;

	assert_int_equal(mofn_status(&a).flags, 0);
	assert_int_equal(mofn_activate(&a, vectors, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(mofn_generate(&a, 0, 5, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(mofn_generate(&a, 6, 5, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(mofn_generate(&a, 2, 17, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(mofn_generate(&a, 3, 5, 0, VECTOR - 1, vectors), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(mofn_generate(&a, 3, 5, 0, LUNA_OUT_QUERY, vectors), CKR_OK);
	assert_int_equal(mofn_status(&a).flags, 0);
	assert_int_equal(mofn_generate(&a, 3, 5, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	status = mofn_status(&a);
	assert_int_equal(status.m, 3);
	assert_int_equal(status.n, 5);
	assert_int_equal(status.secret_size, 32);
	assert_int_equal(status.flags, CAF_M_OF_N_GENERATED | CAF_M_OF_N_CLONEABLE);

	for (i = 0; i < 3; i++)
		memcpy(some + i * VECTOR_ROW, vectors + (4 - 2 * i) * VECTOR_ROW, VECTOR_ROW);
	assert_int_equal(mofn_activate(&a, some, 2), CKR_DATA_LEN_RANGE);
	memcpy(some + 2 * VECTOR_ROW, some, VECTOR_ROW);
	assert_int_equal(mofn_activate(&a, some, 3), CKR_DATA_INVALID);
	memcpy(some + 2 * VECTOR_ROW, vectors, VECTOR_ROW);
	for (i = 4; i < VECTOR_ROW; i++) {
		some[i] ^= 0x10;
		assert_int_equal(mofn_activate(&a, some, 3), CKR_DATA_INVALID);
		some[i] ^= 0x10;
	}
	assert_int_equal(mofn_status(&a).flags & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(mofn_activate(&a, some, 3), CKR_OK);
	assert_int_equal(mofn_status(&a).flags & CAF_M_OF_N_ACTIVATED, CAF_M_OF_N_ACTIVATED);
	assert_int_equal(
		fx_call(a.open, LUNA_MOFN_DEACTIVATE, &hdr, sizeof(hdr), NULL, 0, NULL, NULL),
		CKR_OK);
	assert_int_equal(mofn_status(&a).flags & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(mofn_activate(&a, vectors, 5), CKR_OK);
}

static s64 clone_mofn(void)
{
	struct luna_blob arg = { .type = CK_MOFN_ACTIVATION_ELEMENT };
	s64 rv;

	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	rv = step(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &part2);
	if (rv)
		return rv;
	arg = (struct luna_blob){ .type = CK_MOFN_ACTIVATION_ELEMENT };
	return step(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL);
}

/* Vectors of one token activate the other after cloning. */
static void test_mofn_clone(void **state __maybe_unused)
{
	u8 vectors[16 * VECTOR_ROW];

	assert_int_equal(clone_mofn(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(mofn_generate(&a, 2, 3, 0, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OK);
	assert_int_equal(mofn_status(&b).id, mofn_status(&a).id);
	assert_int_equal(mofn_activate(&b, vectors + VECTOR_ROW, 2), CKR_OK);
}

/* The whole recovery of a secondary that requires M of N. */
static void test_ha_mofn(void **state __maybe_unused)
{
	u8 vectors[16 * VECTOR_ROW];
	static struct message request, answer;
	struct luna_blob arg;
	u32 priv, key, clone, len, i;

	reinit(&b, FX_DOMAIN, LUNA_TOKEN_PPSO, LUNA_INIT_MOFN);
	assert_int_equal(mofn_status(&b).flags, CAF_M_OF_N_REQUIRED);
	assert_int_equal(mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OK);
	ha_setup(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);

	/* with M of N to do, no buffer is a length query, and a short one is short: nobody is
	 * logged in */
	len = LUNA_OUT_QUERY;
	arg = (struct luna_blob){ .hdr.session = b.session };
	assert_int_equal(fx_blob(b.open, LUNA_HA_LOGIN, &arg, part2.data, part2.len, NULL, &len),
			 CKR_OK);
	assert_true(len > 0);
	len--;
	assert_int_equal(fx_blob(b.open, LUNA_HA_LOGIN, &arg, part2.data, part2.len, request.data,
				 &len), CKR_BUFFER_TOO_SMALL);
	assert_int_equal(login_state(&b, b.session), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(
		step(&b, b.session, LUNA_HA_MOFN_ACTIVATE, &(struct luna_blob){ 0 }, &answer, NULL),
		CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(
		step(&b, b.session, LUNA_HA_LOGIN, &(struct luna_blob){ 0 }, &part2, &request),
		CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RW_USER_FUNCTIONS);

	other = request;
	for (i = 0; i < request.len; i += 3) {
		other.data[i] ^= 0x20;
		assert_int_equal(step(&a, a.session, LUNA_HA_MOFN_ANSWER, &(struct luna_blob){ 0 },
				      &other, &answer), CKR_DATA_INVALID);
		other.data[i] ^= 0x20;
	}
	assert_int_equal(step(&a, a.session, LUNA_HA_MOFN_ANSWER, &(struct luna_blob){ 0 },
			      &request, &answer),
			 CKR_OK);
	other = answer;
	for (i = 0; i < answer.len; i++) {
		s64 rv;

		other.data[i] ^= 0x20;
		rv = step(&b, b.session, LUNA_HA_MOFN_ACTIVATE, &(struct luna_blob){ 0 }, &other,
			  NULL);
		assert_true(rv == CKR_DATA_INVALID || rv == CKR_UNWRAPPING_ERROR);
		other.data[i] ^= 0x20;
	}
	assert_int_equal(mofn_status(&b).flags & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(
		step(&b, b.session, LUNA_HA_MOFN_ACTIVATE, &(struct luna_blob){ 0 }, &answer, NULL),
		CKR_OK);
	assert_int_equal(mofn_status(&b).flags & CAF_M_OF_N_ACTIVATED, CAF_M_OF_N_ACTIVATED);
	key = aes_key(&b);
	assert_int_equal(fx_clone(b.open, b.session, a.open, a.session, key, &clone), CKR_OK);
	assert_int_equal(
		step(&b, b.session, LUNA_HA_MOFN_ACTIVATE, &(struct luna_blob){ 0 }, &answer, NULL),
		CKR_OPERATION_NOT_INITIALIZED);
}

/* ---- failures of the surroundings ---- */

static s64 recover(u32 priv)
{
	static struct message request, answer;
	struct luna_blob none = { 0 };
	s64 rv = step(&b, b.session, LUNA_HA_CHALLENGE, &(struct luna_blob){ .role = CKU_USER }, &twc,
		      &part1);

	if (!rv)
		rv = ha_answer(priv);
	if (!rv)
		rv = step(&b, b.session, LUNA_HA_LOGIN, &none, &part2, &request);
	if (!rv)
		rv = step(&a, a.session, LUNA_HA_MOFN_ANSWER, &none, &request, &answer);
	if (!rv)
		rv = step(&b, b.session, LUNA_HA_MOFN_ACTIVATE, &none, &answer, NULL);
	return rv;
}

static void mofn_ready(u32 *priv)
{
	u8 vectors[16 * VECTOR_ROW];

	reinit(&b, FX_DOMAIN, LUNA_TOKEN_PPSO, LUNA_INIT_MOFN);
	assert_int_equal(mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OK);
	ha_setup(priv);
	assert_int_equal(step(&a, 0, LUNA_HA_MASTER_PUBLIC, &(struct luna_blob){ 0 }, NULL, &twc),
			 CKR_OK);
}

/* Out of memory at every allocation of a recovery: it says so, and the next try succeeds. */
static void test_ha_nomem(void **state __maybe_unused)
{
	bool again = true;
	u32 priv;
	s64 rv;

	mofn_ready(&priv);
	for (u64 nth = 1; again; nth++) {
		port_alloc_watch();
		port_alloc_fail(nth, 1);
		rv = recover(priv);
		again = port_alloc_calls() >= nth;
		port_alloc_unwatch();
		assert_true(rv == CKR_OK || rv == CKR_DEVICE_MEMORY || rv == -ENOMEM);
		assert_int_equal(mofn_status(&b).flags & CAF_M_OF_N_ACTIVATED,
				 rv ? 0 : CAF_M_OF_N_ACTIVATED);
		if (login_state(&b, b.session) == CKS_RW_USER_FUNCTIONS)
			assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
		if (rv)
			continue;
		assert_int_equal(fx_login(b.open, b.session, CKU_USER, FX_CO_PIN), CKR_OK);
		assert_int_equal(fx_call(b.open, LUNA_MOFN_DEACTIVATE,
					 &(struct luna_hdr){ .session = b.session },
					 sizeof(struct luna_hdr), NULL, 0, NULL, NULL), CKR_OK);
		assert_int_equal(fx_logout(b.open, b.session), CKR_OK);
	}
	assert_int_equal(rv, CKR_OK);
}

/* A random source or a store that fails: nothing changes. */
static void test_failures(void **state __maybe_unused)
{
	u8 vectors[16 * VECTOR_ROW], later[16 * VECTOR_ROW];
	u32 key = aes_key(&a), clone, pub, priv, i;

	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	for (i = 1; i <= 3; i++) {
		fakerng_fail(i);
		assert_int_equal(target_init(), CKR_DEVICE_ERROR);
	}
	fakerng_fail(1);
	assert_int_equal(source_init(), CKR_DEVICE_ERROR);
	fakerng_fail(0);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OK);
	memstore_fail(b.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(target(&clone), CKR_OK);
	assert_int_equal(target(&clone), CKR_OK);

	login_pair(&a, true, &pub, &priv);
	assert_int_equal(mofn_generate(&a, 2, 2, 0, 512, vectors), CKR_OK);
	assert_int_equal(mofn_activate(&a, vectors, 2), CKR_OK);
	memstore_fail(a.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(mofn_generate(&a, 2, 2, 0, 512, later), CKR_OK);
	assert_int_equal(mofn_status(&a).flags, CAF_M_OF_N_GENERATED | CAF_M_OF_N_ACTIVATED);
	assert_int_equal(mofn_activate(&a, vectors, 2), CKR_OK);
	memstore_fail(a.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(ha_init(&a, priv), CKR_OK);
	assert_int_equal(fx_logout(a.open, a.session), CKR_OK);
	assert_int_equal(step(&a, 0, LUNA_HA_MASTER_PUBLIC, &(struct luna_blob){ 0 }, NULL, &twc),
			 CKR_OK);
	assert_int_equal(step(&a, a.session, LUNA_HA_CHALLENGE,
			      &(struct luna_blob){ .role = CKU_USER }, &twc, &part1),
			 CKR_USER_PIN_NOT_INITIALIZED);
}

#define PROTOCOL_TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROTOCOL_TEST(test_clone),
		PROTOCOL_TEST(test_clone_survives),
		PROTOCOL_TEST(test_clone_sizes),
		PROTOCOL_TEST(test_clone_order),
		PROTOCOL_TEST(test_clone_logout),
		PROTOCOL_TEST(test_clone_altered),
		PROTOCOL_TEST(test_clone_arguments),
		PROTOCOL_TEST(test_clone_domain),
		PROTOCOL_TEST(test_clone_policies),
		PROTOCOL_TEST(test_clone_roles),
		PROTOCOL_TEST(test_clone_large),
		PROTOCOL_TEST(test_clone_session_object),
		PROTOCOL_TEST(test_clone_same_token),
		PROTOCOL_TEST(test_ha_login),
		PROTOCOL_TEST(test_ha_restart),
		PROTOCOL_TEST(test_ha_public_key),
		PROTOCOL_TEST(test_ha_wrong_key),
		PROTOCOL_TEST(test_ha_altered),
		PROTOCOL_TEST(test_ha_states),
		PROTOCOL_TEST(test_ha_policy),
		PROTOCOL_TEST(test_ha_legacy),
		PROTOCOL_TEST(test_ha_locked),
		PROTOCOL_TEST(test_ha_lax),
		PROTOCOL_TEST(test_mofn),
		PROTOCOL_TEST(test_mofn_clone),
		PROTOCOL_TEST(test_ha_mofn),
		PROTOCOL_TEST(test_ha_nomem),
		PROTOCOL_TEST(test_failures),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fakerng_forget_keys();
	return failed;
}
