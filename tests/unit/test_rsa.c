// SPDX-License-Identifier: MIT
/*
 * RSA mechanisms through the engine's commands: there and back, lengths, parameters, the inputs
 * that providers disagree about, and a provider that computes wrongly.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "engine_fixture.h"
#include "key.h"

enum { BITS = 1024, K = BITS / 8 };

static struct {
	struct fx fx;
	struct luna_open *open;
	u32 session, pub, priv;
	u8 n[K];
} t;

static int setup(void **state __maybe_unused)
{
	struct fx_tmpl pub = { }, priv = { };
	u32 len = K;

	fx_open(&t.fx, fakerng_quick_ops(&luna_openssl_ops, 1), 0);
	if (fx_ready(&t.fx, &t.open, &t.session) != CKR_OK)
		return -1;
	fx_attr_ulong(&pub, CKA_MODULUS_BITS, BITS);
	if (fx_generate_pair(t.open, t.session, CKM_RSA_PKCS_KEY_PAIR_GEN, &pub, &priv, &t.pub,
			     &t.priv) != CKR_OK)
		return -1;
	return fx_attr_get(t.open, t.session, t.pub, CKA_MODULUS, t.n, &len) == CKR_OK ? 0 : -1;
}

static int teardown(void **state __maybe_unused)
{
	luna_release(t.open);
	fx_close(&t.fx);
	return 0;
}

/* One call with a buffer of *@out_len bytes. */
static s64 call(u32 op, u32 mechanism, const void *param, u32 param_len, const void *data, u32 len,
		u8 *out, u32 *out_len)
{
	bool private = op == LUNA_OP_DECRYPT || op == LUNA_OP_SIGN || op == LUNA_OP_SIGN_RECOVER;

	return fx_op(t.open, t.session, op, mechanism, private ? t.priv : t.pub, param, param_len,
		     data, len, NULL, 0, out, out_len);
}

/* A short buffer leaves the operation: go on with it in a buffer of the right size. */
static s64 call_again(u32 op, const void *data, u32 len, u8 *out, u32 *out_len)
{
	struct luna_op arg = {
		.hdr.session = t.session, .op = op, .step = LUNA_STEP_ONESHOT, .data_len = len,
		.total = len, .out_max = *out_len,
	};
	size_t room = *out_len;

	return fx_call(t.open, LUNA_OP, &arg, sizeof(arg), data, len, out, &room);
}

static s64 verify(u32 mechanism, const void *param, u32 param_len, const void *data, u32 len,
		  const u8 *sig, u32 sig_len)
{
	u32 none = 0;

	return fx_op(t.open, t.session, LUNA_OP_VERIFY, mechanism, t.pub, param, param_len, data,
		     len, sig, sig_len, NULL, &none);
}

/* ---- encryption ---- */

static const struct luna_oaep_param oaep = { CKM_SHA256, CKG_MGF1_SHA1, CKZ_DATA_SPECIFIED, 0 };

static void crypt_back(u32 mechanism, const void *param, u32 param_len, u32 most, bool raw)
{
	u8 data[K + 1] = { 3, 1, 4, 1, 5 }, wire[K], back[K];
	u32 wire_len, len, i;
	static const u32 lens[] = { 0, 1, 5, 20 };

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		wire_len = K;
		assert_int_equal(call(LUNA_OP_ENCRYPT, mechanism, param, param_len, data, lens[i],
				      wire, &wire_len),
				 CKR_OK);
		assert_int_equal(wire_len, K);
		len = raw ? K : lens[i];	/* a buffer that holds the data and no more */
		assert_int_equal(
			call(LUNA_OP_DECRYPT, mechanism, param, param_len, wire, K, back, &len),
			CKR_OK);
		assert_int_equal(len, raw ? K : lens[i]);
		assert_memory_equal(back + len - lens[i], data, lens[i]);
		if (raw)
			continue;
		len = lens[i] ? lens[i] - 1 : K;
		assert_int_equal(
			call(LUNA_OP_DECRYPT, mechanism, param, param_len, wire, K, back, &len),
			lens[i] ? CKR_BUFFER_TOO_SMALL : CKR_OK);
		assert_int_equal(len, lens[i]);
		if (!lens[i])
			continue;
		memset(back, 0, sizeof(back));
		assert_int_equal(call_again(LUNA_OP_DECRYPT, wire, K, back, &len), CKR_OK);
		assert_memory_equal(back, data, len);
	}
	wire_len = K;
	assert_int_equal(
		call(LUNA_OP_ENCRYPT, mechanism, param, param_len, data, most, wire, &wire_len),
		CKR_OK);
	wire_len = K;
	assert_int_equal(call(LUNA_OP_ENCRYPT, mechanism, param, param_len, data, most + 1, wire,
			      &wire_len), CKR_DATA_LEN_RANGE);
	len = K;
	assert_int_equal(
		call(LUNA_OP_DECRYPT, mechanism, param, param_len, wire, K - 1, back, &len),
		CKR_ENCRYPTED_DATA_LEN_RANGE);
	len = K;
	assert_int_equal(call(LUNA_OP_DECRYPT, mechanism, param, param_len, t.n, K, back, &len),
			 CKR_ENCRYPTED_DATA_INVALID);
	if (raw)
		return;
	wire[K - 1] ^= 1;
	len = K;
	assert_int_equal(call(LUNA_OP_DECRYPT, mechanism, param, param_len, wire, K, back, &len),
			 CKR_ENCRYPTED_DATA_INVALID);
}

static void test_crypt(void **state __maybe_unused)
{
	crypt_back(CKM_RSA_PKCS, NULL, 0, K - 11, false);
	crypt_back(CKM_RSA_PKCS_OAEP, &oaep, sizeof(oaep), K - 2 * 32 - 2, false);
	crypt_back(CKM_RSA_X_509, NULL, 0, K, true);
}

static void test_oaep_params(void **state __maybe_unused)
{
	static const struct {
		struct luna_oaep_param p;
		u8 label[4];
		u32 len;
		s64 rv;
	} cases[] = {
		{ { CKM_SHA_1, CKG_MGF1_SHA512, CKZ_DATA_SPECIFIED, 4 }, "lbl", 20, CKR_OK },
		{ { CKM_SHA_1, CKG_MGF1_SHA1, 0, 0 }, "", 16, CKR_OK },
		{ { CKM_SHA_1, CKG_MGF1_SHA1, 0, 4 }, "lbl", 20, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1, CKG_MGF1_SHA1, 2, 0 }, "", 16, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1, CKG_MGF1_SHA1, 1, 4 }, "", 16, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1, CKG_MGF1_SHA1, 1, 0 }, "", 20, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1, CKG_MGF1_SHA1, 1, 0 }, "", 15, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_MD5, CKG_MGF1_SHA1, 1, 0 }, "", 16, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1, 0, 1, 0 }, "", 16, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1, 10, 1, 0 }, "", 16, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1, 0x8000000a, 1, 0 }, "", 16, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA_1_HMAC, CKG_MGF1_SHA1, 1, 0 }, "", 16, CKR_MECHANISM_PARAM_INVALID },
		{ { CKM_SHA3_256, CKG_MGF1_SHA3_256, 1, 0 }, "", 16, CKR_OK },
		{ { CKM_SHA3_256, CKG_MGF1_SHA3_256_STD, 1, 0 }, "", 16, CKR_OK },
		{ { CKM_SHA512, CKG_MGF1_SHA1, 1, 0 }, "", 16, CKR_KEY_SIZE_RANGE },
	};
	u8 wire[K];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 len = K;

		assert_int_equal(call(LUNA_OP_ENCRYPT, CKM_RSA_PKCS_OAEP, &cases[i].p, cases[i].len,
				      "data", 4, wire, &len), cases[i].rv);
	}
}

/* 0, 1 and n - 1 are their own powers; n and above are none. */
static void test_fixed_points(void **state __maybe_unused)
{
	u8 in[K] = { }, out[K], sig[K];
	u32 len;

	for (int which = 0; which < 3; which++) {
		memset(in, 0, K);
		in[K - 1] = which;
		if (which == 2) {
			memcpy(in, t.n, K);
			in[K - 1]--;
		}
		for (u32 op = LUNA_OP_ENCRYPT; op <= LUNA_OP_SIGN; op++) {
			if (op == LUNA_OP_DIGEST)
				continue;
			len = K;
			assert_int_equal(call(op, CKM_RSA_X_509, NULL, 0, in, K, out, &len),
					 CKR_OK);
			assert_memory_equal(out, in, K);
		}
		assert_int_equal(verify(CKM_RSA_X_509, NULL, 0, in, K, in, K), CKR_OK);
		len = K;
		assert_int_equal(call(LUNA_OP_DECRYPT, CKM_RSA_PKCS, NULL, 0, in, K, out, &len),
				 CKR_ENCRYPTED_DATA_INVALID);
	}
	len = K;
	assert_int_equal(call(LUNA_OP_ENCRYPT, CKM_RSA_X_509, NULL, 0, t.n, K, out, &len),
			 CKR_DATA_INVALID);
	len = K;
	assert_int_equal(call(LUNA_OP_SIGN, CKM_RSA_X_509, NULL, 0, t.n, K, sig, &len),
			 CKR_DATA_INVALID);
	assert_int_equal(verify(CKM_RSA_X_509, NULL, 0, "x", 1, t.n, K), CKR_SIGNATURE_INVALID);
}

/* ---- signatures ---- */

static const struct {
	u32 mechanism, hash, mgf, hlen;
} hashed[] = {
	{ CKM_SHA1_RSA_PKCS, 0, 0, 20 },
	{ CKM_SHA224_RSA_PKCS, 0, 0, 28 },
	{ CKM_SHA256_RSA_PKCS, 0, 0, 32 },
	{ CKM_SHA384_RSA_PKCS, 0, 0, 48 },
	{ CKM_SHA512_RSA_PKCS, 0, 0, 64 },
	{ CKM_SHA3_224_RSA_PKCS, 0, 0, 28 },
	{ CKM_SHA3_256_RSA_PKCS, 0, 0, 32 },
	{ CKM_SHA3_384_RSA_PKCS, 0, 0, 48 },
	{ CKM_SHA3_512_RSA_PKCS, 0, 0, 64 },
	{ CKM_SHA1_RSA_PKCS_PSS, CKM_SHA_1, CKG_MGF1_SHA1, 20 },
	{ CKM_SHA224_RSA_PKCS_PSS, CKM_SHA224, CKG_MGF1_SHA224, 28 },
	{ CKM_SHA256_RSA_PKCS_PSS, CKM_SHA256, CKG_MGF1_SHA512, 32 },
	{ CKM_SHA384_RSA_PKCS_PSS, CKM_SHA384, CKG_MGF1_SHA384, 48 },
	{ CKM_SHA512_RSA_PKCS_PSS, CKM_SHA512, CKG_MGF1_SHA512, 62 },
	{ CKM_SHA3_224_RSA_PKCS_PSS, CKM_SHA3_224, CKG_MGF1_SHA3_224_STD, 28 },
	{ CKM_SHA3_256_RSA_PKCS_PSS, CKM_SHA3_256, CKG_MGF1_SHA3_256, 32 },
	{ CKM_SHA3_384_RSA_PKCS_PSS, CKM_SHA3_384, CKG_MGF1_SHA3_512_STD, 48 },
	{ CKM_SHA3_512_RSA_PKCS_PSS, CKM_SHA3_512, CKG_MGF1_SHA3_512, 62 },
	{ CKM_SHA224_RSA_PKCS_PSS, CKM_SHA224_OLD, CKG_MGF1_SHA224, 28 },
};

static void test_hashed(void **state __maybe_unused)
{
	u8 data[300] = { 7 }, sig[K];

	for (size_t i = 0; i < ARRAY_SIZE(hashed); i++) {
		const struct luna_pss_param p = {hashed[i].hash, hashed[i].mgf, hashed[i].hlen, 0};
		u32 m = hashed[i].mechanism, p_len = p.hash ? sizeof(p) : 0, len = K - 1;

		assert_int_equal(call(LUNA_OP_SIGN, m, &p, p_len, data, sizeof(data), sig, &len),
				 CKR_BUFFER_TOO_SMALL);
		assert_int_equal(len, K);
		assert_int_equal(call_again(LUNA_OP_SIGN, data, sizeof(data), sig, &len), CKR_OK);
		assert_int_equal(verify(m, &p, p_len, data, sizeof(data), sig, K), CKR_OK);
		assert_int_equal(verify(m, &p, p_len, data, sizeof(data) - 1, sig, K),
				 CKR_SIGNATURE_INVALID);
		assert_int_equal(verify(m, &p, p_len, data, sizeof(data), sig, K - 1),
				 CKR_SIGNATURE_LEN_RANGE);
		sig[K / 2] ^= 1;
		assert_int_equal(verify(m, &p, p_len, data, sizeof(data), sig, K),
				 CKR_SIGNATURE_INVALID);
		assert_int_equal(verify(m, &p, p_len, data, sizeof(data), t.n, K),
				 CKR_SIGNATURE_INVALID);
	}
}

/* A digest signed as it is, is what the hashed mechanism gives. */
static void test_digests(void **state __maybe_unused)
{
	static const u8 info[] = { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
				   0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20 };
	const struct luna_pss_param p = { CKM_SHA256, CKG_MGF1_SHA256, 32, 0 };
	u8 data[100] = { 9 }, der[sizeof(info) + 32], sig[K], again[K];
	u8 *digest = der + sizeof(info);
	u32 len = K;

	memcpy(der, info, sizeof(info));
	assert_int_equal(luna_hash_once(&luna_openssl_ops, LUNA_SHA256, data, sizeof(data), digest),
			 0);
	assert_int_equal(
		call(LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, NULL, 0, data, sizeof(data), sig, &len),
		CKR_OK);
	assert_int_equal(verify(CKM_RSA_PKCS, NULL, 0, der, sizeof(der), sig, K), CKR_OK);
	assert_int_equal(call(LUNA_OP_SIGN, CKM_RSA_PKCS, NULL, 0, der, sizeof(der), again, &len),
			 CKR_OK);
	assert_memory_equal(sig, again, K);
	assert_int_equal(call(LUNA_OP_VERIFY_RECOVER, CKM_RSA_PKCS, NULL, 0, sig, K, again, &len),
			 CKR_OK);
	assert_int_equal(len, sizeof(der));
	assert_memory_equal(again, der, len);
	len = K;
	assert_int_equal(call(LUNA_OP_SIGN, CKM_RSA_PKCS_PSS, &p, sizeof(p), digest, 32, sig, &len),
			 CKR_OK);
	assert_int_equal(verify(CKM_SHA256_RSA_PKCS_PSS, &p, sizeof(p), data, sizeof(data), sig, K),
			 CKR_OK);
	assert_int_equal(call(LUNA_OP_SIGN, CKM_RSA_PKCS_PSS, &p, sizeof(p), digest, 31, sig, &len),
			 CKR_DATA_LEN_RANGE);
	assert_int_equal(call(LUNA_OP_SIGN, CKM_RSA_PKCS, NULL, 0, t.n, K - 10, sig, &len),
			 CKR_DATA_LEN_RANGE);
}

static void test_recover(void **state __maybe_unused)
{
	static const u32 mechanisms[] = { CKM_RSA_PKCS, CKM_RSA_X_509 };
	u8 data[20] = { 1, 2, 3 }, sig[K], out[K];

	for (size_t i = 0; i < ARRAY_SIZE(mechanisms); i++) {
		u32 m = mechanisms[i], len = K;
		bool raw = m == CKM_RSA_X_509;

		assert_int_equal(
			call(LUNA_OP_SIGN_RECOVER, m, NULL, 0, data, sizeof(data), sig, &len),
			CKR_OK);
		len = raw ? K : sizeof(data);
		assert_int_equal(call(LUNA_OP_VERIFY_RECOVER, m, NULL, 0, sig, K, out, &len),
				 CKR_OK);
		assert_memory_equal(out + len - sizeof(data), data, sizeof(data));
		assert_int_equal(call(LUNA_OP_VERIFY_RECOVER, m, NULL, 0, sig, K - 1, out, &len),
				 CKR_SIGNATURE_LEN_RANGE);
		if (raw)
			continue;
		sig[3] ^= 1;
		len = K;
		assert_int_equal(call(LUNA_OP_VERIFY_RECOVER, m, NULL, 0, sig, K, out, &len),
				 CKR_SIGNATURE_INVALID);
	}
}

static void test_pss_params(void **state __maybe_unused)
{
	static const struct {
		u32 mechanism;
		struct luna_pss_param p;
		u32 len;
		s64 rv;
	} cases[] = {
		{CKM_SHA256_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, 0, 0}, 16, CKR_OK},
		{CKM_SHA256_RSA_PKCS_PSS, {CKM_SHA256, CKG_MGF1_SHA256, K - 34, 0}, 16, CKR_OK},
		{CKM_SHA256_RSA_PKCS_PSS,
		 {CKM_SHA256, CKG_MGF1_SHA256, K - 33, 0},
		 16,
		 CKR_MECHANISM_PARAM_INVALID},
		{CKM_SHA256_RSA_PKCS_PSS,
		 {CKM_SHA256, CKG_MGF1_SHA256, U32_MAX, 0},
		 16,
		 CKR_MECHANISM_PARAM_INVALID},
		{CKM_SHA256_RSA_PKCS_PSS,
		 {CKM_SHA_1, CKG_MGF1_SHA256, 20, 0},
		 16,
		 CKR_MECHANISM_PARAM_INVALID},
		{CKM_SHA256_RSA_PKCS_PSS, {CKM_SHA256, 77, 20, 0}, 16, CKR_MECHANISM_PARAM_INVALID},
		{CKM_SHA256_RSA_PKCS_PSS,
		 {CKM_SHA256, CKG_MGF1_SHA256, 20, 1},
		 16,
		 CKR_MECHANISM_PARAM_INVALID},
		{CKM_SHA256_RSA_PKCS_PSS,
		 {CKM_SHA256, CKG_MGF1_SHA256, 20, 0},
		 12,
		 CKR_MECHANISM_PARAM_INVALID},
		{CKM_SHA256_RSA_PKCS_PSS, {0, 0, 0, 0}, 0, CKR_MECHANISM_PARAM_INVALID},
		{CKM_SHA256_RSA_PKCS, {0, 0, 0, 0}, 16, CKR_MECHANISM_PARAM_INVALID},
	};
	u8 sig[K];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 len = K;

		assert_int_equal(call(LUNA_OP_SIGN, cases[i].mechanism, &cases[i].p, cases[i].len,
				      "data", 4, sig, &len),
				 cases[i].rv);
	}
}

/* ---- a provider that does not check itself ---- */

static int faults;

static int faulty_private(struct luna_rsa_key *key, const u8 *in, u8 *out)
{
	int err = luna_openssl_ops.rsa_private(key, in, out);

	if (faults)
		out[K - 1] ^= 1;
	return err;
}

static void test_fault(void **state __maybe_unused)
{
	struct luna_crypto_ops ops = *t.fx.token->crypto;
	const struct luna_crypto_ops *kept = t.fx.token->crypto;
	u8 sig[K];
	u32 len = K;

	ops.features &= ~LUNA_CRYPTO_RSA_CHECKED;
	ops.rsa_private = faulty_private;
	t.fx.token->crypto = &ops;
	assert_int_equal(call(LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, NULL, 0, "data", 4, sig, &len),
			 CKR_OK);
	assert_int_equal(verify(CKM_SHA256_RSA_PKCS, NULL, 0, "data", 4, sig, K), CKR_OK);
	faults = 1;
	assert_int_equal(call(LUNA_OP_SIGN, CKM_SHA256_RSA_PKCS, NULL, 0, "data", 4, sig, &len),
			 CKR_DEVICE_ERROR);
	len = K;
	assert_int_equal(call(LUNA_OP_DECRYPT, CKM_RSA_PKCS, NULL, 0, sig, K, sig, &len),
			 CKR_DEVICE_ERROR);
	faults = 0;
	t.fx.token->crypto = kept;
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_crypt),
		TEST(test_oaep_params),
		TEST(test_fixed_points),
		TEST(test_hashed),
		TEST(test_digests),
		TEST(test_recover),
		TEST(test_pss_params),
		TEST(test_fault),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	fakerng_forget_keys();
	return failed;
}
