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
#include "side.h"

enum { BIG = 200 * 1024 };

static struct fx_side a, b;
static struct fx_message twc, part1, part2, other;

static int setup(void **state)
{
	fx_side_open(&a, fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	fx_side_open(&b, fakerng_quick_ops(&luna_openssl_ops, 2), 1);
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	fx_side_close(&a);
	fx_side_close(&b);
	(void)state;
	return 0;
}

static u32 data_object(struct fx_side *side, bool token, bool private)
{
	u32 handle;

	assert_int_equal(fx_make_data(side, token, private, &handle), CKR_OK);
	return handle;
}

static u32 aes_key(struct fx_side *side)
{
	u32 handle;

	assert_int_equal(fx_make_aes(side, &handle), CKR_OK);
	return handle;
}

/* Fit for HA login if @good. */
static void login_pair(struct fx_side *side, bool good, u32 *pub, u32 *priv)
{
	assert_int_equal(fx_make_login_pair(side, !good, pub, priv), CKR_OK);
}

static u32 count_objects(struct fx_side *side)
{
	struct fx_tmpl none = { 0 };
	u32 handles[64], count;

	assert_int_equal(fx_find(side->open, side->session, &none, handles, 64, &count), CKR_OK);
	return count;
}

static s64 source_init(void)
{
	return fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(), NULL, &twc);
}

static s64 target_init(void)
{
	return fx_send(&b, LUNA_CLONE_TARGET_INIT, BLOB(), &twc, &part1);
}

static s64 source(u32 handle)
{
	return fx_send(&a, LUNA_CLONE_SOURCE, BLOB(.handle = handle), &part1, &part2);
}

static s64 target(u32 *clone)
{
	struct luna_blob arg = { 0 };
	s64 rv = fx_step(&b, b.session, LUNA_CLONE_TARGET, &arg, &part2, NULL);

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
	fx_side_restart(&b);
	fx_side_as(&b, CKU_USER);
	assert_same(key, clone, CKA_OUID);
}

/* Queries and short buffers at every step, before the real call and after it. */
static void test_clone_sizes(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone, len;
	struct luna_blob arg = { 0 };

	assert_int_equal(fx_step_query(&a, a.session, LUNA_CLONE_SOURCE_INIT, &arg, NULL, &len),
			 CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(len, twc.len);

	assert_int_equal(fx_step_query(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc, &len),
			 CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(len, part1.len);
	assert_int_equal(fx_step_short(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(fx_step_query(&b, b.session, LUNA_CLONE_TARGET_INIT, &arg, &twc, &len),
			 CKR_OK);

	arg.handle = key;
	assert_int_equal(fx_step_query(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1, &len),
			 CKR_OK);
	arg.handle = key;
	assert_int_equal(fx_step_short(&a, a.session, LUNA_CLONE_SOURCE, &arg, &part1),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(source(key), CKR_OK);
	assert_int_equal(part2.len, len);
	assert_int_equal(target(&clone), CKR_OK);
	assert_same(key, clone, CKA_OUID);
}

static void test_clone_order(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone, objects = count_objects(&b), session;
	struct fx_message old;

	assert_int_equal(source_init(), CKR_OK);
	fx_side_attach(&a);
	fx_side_as(&a, CKU_USER);

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
	assert_int_equal(fx_step(&b, session, LUNA_CLONE_TARGET, &BLOB(), &part2, NULL),
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
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(target(&clone), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&b, CKU_USER);
	assert_int_equal(target(&clone), CKR_OPERATION_NOT_INITIALIZED);
}

/* Altered messages are refused, and the true one still works. */
static void test_clone_altered(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone;
	const struct fx_taker of_twc = {
		.side = &b, .nr = LUNA_CLONE_TARGET_INIT, .stride = 1, .replies = true,
		.refusal = CKR_CERTIFICATE_DATA_INVALID, .refusal2 = CKR_CERTIFICATE_DATA_INVALID,
	}, of_part1 = {
		.side = &a, .nr = LUNA_CLONE_SOURCE, .arg.handle = key, .stride = 1, .replies = true,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	}, of_part2 = {
		.side = &b, .nr = LUNA_CLONE_TARGET, .stride = 1,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	};

	assert_int_equal(source_init(), CKR_OK);
	fx_refuses_altered(&of_twc, &twc);
	assert_int_equal(target_init(), CKR_OK);
	fx_refuses_altered(&of_part1, &part1);
	assert_int_equal(source(key), CKR_OK);
	fx_refuses_altered(&of_part2, &part2);
	assert_int_equal(target(&clone), CKR_OK);
}

static void test_clone_arguments(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone;
	struct luna_blob arg;

	part1.len = 1;
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(), &part1, &twc),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(.replicate = 2), NULL, &twc),
			 CKR_ARGUMENTS_BAD);
	assert_int_equal(source_init(), CKR_OK);
	other.len = 0;
	assert_int_equal(fx_send(&b, LUNA_CLONE_TARGET_INIT, BLOB(), &other, &part1),
			 CKR_CERTIFICATE_DATA_INVALID);
	assert_int_equal(target_init(), CKR_OK);
	arg = BLOB(.handle = key, .type = CK_PARAM_ELEMENT);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2),
			 CKR_OBJECT_TYPE_INVALID);
	assert_int_equal(source(key + 1000), CKR_OBJECT_HANDLE_INVALID);
	arg = BLOB(.handle = key, .replicate = 1);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2), CKR_ARGUMENTS_BAD);
	assert_int_equal(source(key), CKR_OK);
	arg = BLOB(.replicate = 1);
	assert_int_equal(fx_send(&b, LUNA_CLONE_TARGET, arg, &part2, NULL), CKR_ARGUMENTS_BAD);
	arg = BLOB(.type = CK_MOFN_ACTIVATION_ELEMENT);
	assert_int_equal(fx_send(&b, LUNA_CLONE_TARGET, arg, &part2, NULL), CKR_DATA_INVALID);
	assert_int_equal(target(&clone), CKR_OK);

	/* a replicating source and a target that does not */
	arg = BLOB(.replicate = 1);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, arg, NULL, &twc), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	arg = BLOB(.replicate = 1, .handle = key);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2), CKR_DATA_INVALID);
}

static void test_clone_domain(void **state __maybe_unused)
{
	u32 key = aes_key(&a), objects;

	fx_side_init(&b, LUNA_TOKEN_PPSO, "another domain", 0);
	objects = count_objects(&b);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_UNWRAPPING_ERROR);
	assert_int_equal(count_objects(&b), objects);
	fx_side_init(&b, LUNA_TOKEN_PPSO, "", 0);
	assert_int_equal(target_init(), CKR_CLONING_PARAMETER_MISSING);
}

static void test_clone_policies(void **state __maybe_unused)
{
	u32 key, clone;

	fx_side_set_policy(&b, LUNA_SCOPE_PARTITION, 4, 0);
	key = aes_key(&a);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone),
			 CKR_OPERATION_NOT_ALLOWED);
	key = data_object(&a, true, true);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, key, &clone), CKR_OK);
	fx_side_set_policy(&a, LUNA_SCOPE_PARTITION, 4, 0);
	key = aes_key(&a);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	assert_int_equal(source(key), CKR_OPERATION_NOT_ALLOWED);
	fx_side_set_policy(&a, LUNA_SCOPE_HSM, 16, 0);
	assert_int_equal(fx_send(&a, LUNA_CLONE_SOURCE_INIT, BLOB(.replicate = 1), NULL, &twc),
			 CKR_OPERATION_NOT_ALLOWED);
	fx_side_set_policy(&b, LUNA_SCOPE_HSM, 7, 0);
	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OPERATION_NOT_ALLOWED);
}

static void test_clone_roles(void **state __maybe_unused)
{
	u32 public = data_object(&a, true, false), clone;
	u32 private = data_object(&a, true, true);

	assert_int_equal(fx_init_pin(a.open, a.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(&a, LUNA_ROLE_NONE);
	assert_int_equal(source_init(), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&a, CKU_SO);
	assert_int_equal(source_init(), CKR_USER_NOT_AUTHORIZED);
	fx_side_as(&a, CKU_LIMITED_USER);
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
	u32 handle = data_object(&a, false, true), clone, count;

	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, handle, &clone), CKR_OK);
	assert_same(handle, clone, CKA_TOKEN);
	count = count_objects(&b);
	fx_side_attach(&b);
	fx_side_as(&b, CKU_USER);
	assert_int_equal(count_objects(&b), count - 1);
}

static void test_clone_same_token(void **state __maybe_unused)
{
	u32 key = aes_key(&a), clone;

	assert_int_equal(fx_clone(a.open, a.session, a.open, a.session, key, &clone), CKR_OK);
	assert_int_not_equal(key, clone);
}

/* ---- HA login ---- */

static s64 ha_init(struct fx_side *side, u32 handle)
{
	return fx_send(side, LUNA_HA_INIT, BLOB(.handle = handle), NULL, NULL);
}

static s64 ha_challenge(void)
{
	assert_int_equal(fx_step(&a, 0, LUNA_HA_MASTER_PUBLIC, &BLOB(), NULL, &twc), CKR_OK);
	return fx_send(&b, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &twc, &part1);
}

static s64 ha_answer(u32 key)
{
	return fx_send(&a, LUNA_HA_ANSWER, BLOB(.handle = key), &part1, &part2);
}

static u32 login_state(struct fx_side *side, u32 session)
{
	struct luna_session_info info = { .hdr.session = session };

	assert_int_equal(fx_call(side->open, LUNA_SESSION_INFO, &info, sizeof(info), NULL, 0, NULL,
				 NULL), CKR_OK);
	return info.state;
}

/* As clients do: no buffer and a length of zero. */
static s64 ha_login(void)
{
	struct luna_blob arg = { 0 };
	u32 len;
	s64 rv = fx_step_query(&b, b.session, LUNA_HA_LOGIN, &arg, &part2, &len);

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
	fx_side_as(&b, LUNA_ROLE_NONE);
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
	fx_side_restart(&b);
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
	fx_side_as(&b, LUNA_ROLE_NONE);
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
	struct fx_taker of_challenge = {
		.side = &a, .nr = LUNA_HA_ANSWER, .stride = 5, .replies = true,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_DATA_INVALID,
	}, of_answer = {
		.side = &b, .nr = LUNA_HA_LOGIN, .stride = 1, .replies = true,
		.refusal = CKR_ENCRYPTED_DATA_INVALID, .refusal2 = CKR_ENCRYPTED_DATA_INVALID,
	};

	ha_setup(&of_challenge.arg.handle);
	assert_int_equal(ha_challenge(), CKR_OK);
	fx_refuses_altered(&of_challenge, &part1);
	assert_int_equal(ha_answer(of_challenge.arg.handle), CKR_OK);
	fx_refuses_altered(&of_answer, &part2);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_states(void **state __maybe_unused)
{
	struct luna_blob arg = { .role = CKU_USER };
	u32 priv, pub, session, len;

	assert_int_equal(ha_challenge(), CKR_USER_ALREADY_LOGGED_IN);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_USER_PIN_NOT_INITIALIZED);
	assert_int_equal(ha_init(&b, 1), CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&b, CKU_SO);
	assert_int_equal(ha_init(&b, 1), CKR_USER_NOT_AUTHORIZED);
	fx_side_as(&b, CKU_USER);
	assert_int_equal(ha_init(&b, 9999), CKR_KEY_HANDLE_INVALID);
	login_pair(&b, false, &pub, &priv);
	assert_int_equal(ha_init(&b, priv), CKR_KEY_INVALID_FOR_HA_LOGIN);
	ha_setup(&priv);

	arg.role = CKU_SO;
	assert_int_equal(fx_send(&b, LUNA_HA_CHALLENGE, arg, &twc, &part1),
			 CKR_USER_PIN_NOT_INITIALIZED);
	arg.role = CKU_AUDIT;
	assert_int_equal(fx_send(&b, LUNA_HA_CHALLENGE, arg, &twc, &part1), CKR_USER_TYPE_INVALID);
	assert_int_equal(ha_login(), CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_challenge(), CKR_OK);
	/* a query does not replace the challenge that waits */
	arg = BLOB(.role = CKU_USER);
	assert_int_equal(fx_step_query(&b, b.session, LUNA_HA_CHALLENGE, &arg, &twc, &len), CKR_OK);
	assert_int_equal(len, part1.len);
	assert_int_equal(ha_answer(priv), CKR_OK);
	assert_int_equal(fx_session(b.open, true, &session), CKR_OK);
	assert_int_equal(fx_step(&b, session, LUNA_HA_LOGIN, &BLOB(), &part2, &other),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(ha_login(), CKR_OK);
}

static void test_ha_policy(void **state __maybe_unused)
{
	u32 priv;

	ha_setup(&priv);
	fx_side_as(&b, CKU_USER);
	fx_side_set_policy(&b, LUNA_SCOPE_PARTITION, 21, 0);
	assert_int_equal(ha_init(&b, 1), CKR_OPERATION_NOT_ALLOWED);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_OPERATION_NOT_ALLOWED);
	fx_side_as(&b, CKU_USER);
	fx_side_set_policy(&b, LUNA_SCOPE_PARTITION, 21, 1);
	fx_side_as(&b, LUNA_ROLE_NONE);
	assert_int_equal(ha_challenge(), CKR_OK);
	fx_side_set_policy(&a, LUNA_SCOPE_PARTITION, 21, 0);
	assert_int_equal(ha_answer(priv), CKR_OPERATION_NOT_ALLOWED);
}

/* Legacy: the CU may run the setup, too; the last one wins and comes back. */
static void test_ha_legacy(void **state __maybe_unused)
{
	struct luna_session_info info = { 0 };
	u32 priv, pub, clone;

	fx_side_init(&b, LUNA_TOKEN_LEGACY, FX_DOMAIN, 0);
	login_pair(&a, true, &pub, &priv);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, priv, &clone), CKR_OK);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(&b, CKU_LIMITED_USER);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	fx_side_as(&b, LUNA_ROLE_NONE);
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

	fx_side_init(&b, LUNA_TOKEN_LEGACY, FX_DOMAIN, 0);
	login_pair(&a, true, &pub, &priv);
	assert_int_equal(fx_clone(a.open, a.session, b.open, b.session, priv, &clone), CKR_OK);
	assert_int_equal(fx_init_pin(b.open, b.session, CKU_LIMITED_USER, FX_CU_PIN), CKR_OK);
	fx_side_as(&b, CKU_LIMITED_USER);
	assert_int_equal(ha_init(&b, clone), CKR_OK);
	fx_side_as(&b, LUNA_ROLE_NONE);
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
	a.fx.config.flags |= LUNA_CONFIG_LAX_HA_KEYS;
	fx_side_restart(&a);
	fx_side_as(&a, CKU_USER);
	assert_int_equal(ha_init(&a, priv), CKR_OK);
}

/* ---- M of N ---- */

static void test_mofn(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW], some[FX_VECTORS * FX_VECTOR_ROW];
	struct luna_mofn_status status;
	u32 i;

	assert_int_equal(fx_mofn_flags(&a), 0);
	assert_int_equal(fx_mofn_activate(&a, vectors, 1), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_mofn_generate(&a, 0, 5, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_mofn_generate(&a, 6, 5, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_mofn_generate(&a, 2, 17, 0, 512, vectors), CKR_ARGUMENTS_BAD);
	assert_int_equal(fx_mofn_generate(&a, 3, 5, 0, FX_VECTOR - 1, vectors),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(fx_mofn_generate(&a, 3, 5, 0, LUNA_OUT_QUERY, vectors), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a), 0);
	assert_int_equal(fx_mofn_generate(&a, 3, 5, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	status = fx_mofn_status(&a);
	assert_int_equal(status.m, 3);
	assert_int_equal(status.n, 5);
	assert_int_equal(status.secret_size, 32);
	assert_int_equal(status.flags, CAF_M_OF_N_GENERATED | CAF_M_OF_N_CLONEABLE);

	for (i = 0; i < 3; i++)
		memcpy(some + i * FX_VECTOR_ROW, vectors + (4 - 2 * i) * FX_VECTOR_ROW,
		       FX_VECTOR_ROW);
	assert_int_equal(fx_mofn_activate(&a, some, 2), CKR_DATA_LEN_RANGE);
	memcpy(some + 2 * FX_VECTOR_ROW, some, FX_VECTOR_ROW);
	assert_int_equal(fx_mofn_activate(&a, some, 3), CKR_DATA_INVALID);
	memcpy(some + 2 * FX_VECTOR_ROW, vectors, FX_VECTOR_ROW);
	for (i = 4; i < FX_VECTOR_ROW; i++) {
		some[i] ^= 0x10;
		assert_int_equal(fx_mofn_activate(&a, some, 3), CKR_DATA_INVALID);
		some[i] ^= 0x10;
	}
	assert_int_equal(fx_mofn_flags(&a) & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(fx_mofn_activate(&a, some, 3), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a) & CAF_M_OF_N_ACTIVATED, CAF_M_OF_N_ACTIVATED);
	assert_int_equal(fx_mofn_deactivate(&a), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a) & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(fx_mofn_activate(&a, vectors, 5), CKR_OK);
}

static s64 clone_mofn(void)
{
	struct luna_blob arg = { .type = CK_MOFN_ACTIVATION_ELEMENT };
	s64 rv;

	assert_int_equal(source_init(), CKR_OK);
	assert_int_equal(target_init(), CKR_OK);
	rv = fx_send(&a, LUNA_CLONE_SOURCE, arg, &part1, &part2);
	if (rv)
		return rv;
	arg = BLOB(.type = CK_MOFN_ACTIVATION_ELEMENT);
	return fx_send(&b, LUNA_CLONE_TARGET, arg, &part2, NULL);
}

/* Vectors of one token activate the other after cloning. */
static void test_mofn_clone(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW];

	assert_int_equal(clone_mofn(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, 0, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OPERATION_NOT_ALLOWED);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OK);
	assert_int_equal(fx_mofn_status(&b).id, fx_mofn_status(&a).id);
	assert_int_equal(fx_mofn_activate(&b, vectors + FX_VECTOR_ROW, 2), CKR_OK);
}

/* The whole recovery of a secondary that requires M of N. */
static void test_ha_mofn(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW];
	static struct fx_message request, answer;
	static const struct fx_taker of_request = {
		.side = &a, .nr = LUNA_HA_MOFN_ANSWER, .stride = 3, .replies = true,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_DATA_INVALID,
	}, of_answer = {
		.side = &b, .nr = LUNA_HA_MOFN_ACTIVATE, .stride = 1,
		.refusal = CKR_DATA_INVALID, .refusal2 = CKR_UNWRAPPING_ERROR,
	};
	struct luna_blob arg = { 0 };
	u32 priv, key, clone, len;

	fx_side_init(&b, LUNA_TOKEN_PPSO, FX_DOMAIN, LUNA_INIT_MOFN);
	assert_int_equal(fx_mofn_flags(&b), CAF_M_OF_N_REQUIRED);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OK);
	ha_setup(&priv);
	assert_int_equal(ha_challenge(), CKR_OK);
	assert_int_equal(ha_answer(priv), CKR_OK);

	/* with M of N to do, no buffer is a length query, and a short one is short: nobody is
	 * logged in */
	assert_int_equal(fx_step_query(&b, b.session, LUNA_HA_LOGIN, &arg, &part2, &len), CKR_OK);
	assert_true(len > 0);
	assert_int_equal(fx_step_short(&b, b.session, LUNA_HA_LOGIN, &arg, &part2),
			 CKR_BUFFER_TOO_SMALL);
	assert_int_equal(login_state(&b, b.session), CKS_RW_PUBLIC_SESSION);
	assert_int_equal(fx_send(&b, LUNA_HA_MOFN_ACTIVATE, BLOB(), &answer, NULL),
			 CKR_OPERATION_NOT_INITIALIZED);
	assert_int_equal(fx_send(&b, LUNA_HA_LOGIN, BLOB(), &part2, &request), CKR_OK);
	assert_int_equal(login_state(&b, b.session), CKS_RW_USER_FUNCTIONS);

	fx_refuses_altered(&of_request, &request);
	assert_int_equal(fx_send(&a, LUNA_HA_MOFN_ANSWER, BLOB(), &request, &answer), CKR_OK);
	fx_refuses_altered(&of_answer, &answer);
	assert_int_equal(fx_mofn_flags(&b) & CAF_M_OF_N_ACTIVATED, 0);
	assert_int_equal(fx_send(&b, LUNA_HA_MOFN_ACTIVATE, BLOB(), &answer, NULL), CKR_OK);
	assert_int_equal(fx_mofn_flags(&b) & CAF_M_OF_N_ACTIVATED, CAF_M_OF_N_ACTIVATED);
	key = aes_key(&b);
	assert_int_equal(fx_clone(b.open, b.session, a.open, a.session, key, &clone), CKR_OK);
	assert_int_equal(fx_send(&b, LUNA_HA_MOFN_ACTIVATE, BLOB(), &answer, NULL),
			 CKR_OPERATION_NOT_INITIALIZED);
}

/* ---- failures of the surroundings ---- */

static s64 recover(u32 priv)
{
	static struct fx_message request, answer;
	struct luna_blob none = { 0 };
	s64 rv = fx_send(&b, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &twc, &part1);

	if (!rv)
		rv = ha_answer(priv);
	if (!rv)
		rv = fx_send(&b, LUNA_HA_LOGIN, none, &part2, &request);
	if (!rv)
		rv = fx_send(&a, LUNA_HA_MOFN_ANSWER, none, &request, &answer);
	if (!rv)
		rv = fx_send(&b, LUNA_HA_MOFN_ACTIVATE, none, &answer, NULL);
	return rv;
}

static void mofn_ready(u32 *priv)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW];

	fx_side_init(&b, LUNA_TOKEN_PPSO, FX_DOMAIN, LUNA_INIT_MOFN);
	assert_int_equal(fx_mofn_generate(&a, 2, 3, LUNA_MOFN_CLONEABLE, 512, vectors), CKR_OK);
	assert_int_equal(clone_mofn(), CKR_OK);
	ha_setup(priv);
	assert_int_equal(fx_step(&a, 0, LUNA_HA_MASTER_PUBLIC, &BLOB(), NULL, &twc), CKR_OK);
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
		assert_int_equal(fx_mofn_flags(&b) & CAF_M_OF_N_ACTIVATED,
				 rv ? 0 : CAF_M_OF_N_ACTIVATED);
		if (login_state(&b, b.session) == CKS_RW_USER_FUNCTIONS)
			fx_side_as(&b, LUNA_ROLE_NONE);
		if (rv)
			continue;
		fx_side_as(&b, CKU_USER);
		assert_int_equal(fx_mofn_deactivate(&b), CKR_OK);
		fx_side_as(&b, LUNA_ROLE_NONE);
	}
	assert_int_equal(rv, CKR_OK);
}

/* A random source or a store that fails: nothing changes. */
static void test_failures(void **state __maybe_unused)
{
	u8 vectors[FX_VECTORS * FX_VECTOR_ROW], later[FX_VECTORS * FX_VECTOR_ROW];
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
	assert_int_equal(fx_mofn_generate(&a, 2, 2, 0, 512, vectors), CKR_OK);
	assert_int_equal(fx_mofn_activate(&a, vectors, 2), CKR_OK);
	memstore_fail(a.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(fx_mofn_generate(&a, 2, 2, 0, 512, later), CKR_OK);
	assert_int_equal(fx_mofn_flags(&a), CAF_M_OF_N_GENERATED | CAF_M_OF_N_ACTIVATED);
	assert_int_equal(fx_mofn_activate(&a, vectors, 2), CKR_OK);
	memstore_fail(a.fx.store, MEMSTORE_APPEND, 1, -ENOSPC, 0);
	assert_int_not_equal(ha_init(&a, priv), CKR_OK);
	fx_side_as(&a, LUNA_ROLE_NONE);
	assert_int_equal(fx_step(&a, 0, LUNA_HA_MASTER_PUBLIC, &BLOB(), NULL, &twc), CKR_OK);
	assert_int_equal(fx_send(&a, LUNA_HA_CHALLENGE, BLOB(.role = CKU_USER), &twc, &part1),
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
