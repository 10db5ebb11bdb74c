// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Raw RSA of the provider: a published key with and without CRT, edges of the range, faults, and
 * keys that are refused. That a faulty CRT key never gives a wrong result is what protects p and q.
 */
#include "bytes.h"
#include "host.h"
#include "rsa_answers.h"

enum rsa_number { RSA_N, RSA_E, RSA_D, RSA_P, RSA_Q, RSA_DP, RSA_DQ, RSA_QI, RSA_NUMBERS };

/**
 * struct rsa_key - the published key, to be altered
 * @number: in the order of enum rsa_number; len 0: left out
 */
struct rsa_key {
	struct bytes number[RSA_NUMBERS];
};

static struct rsa_key *key_new(struct kunit *test)
{
	struct rsa_key *key = kunit_kzalloc(test, sizeof(*key), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, key);
	for (i = 0; i < RSA_NUMBERS; i++)
		key->number[i] = bytes_hex(test, rsa_numbers[i]);
	return key;
}

static struct luna_num num(const struct rsa_key *key, enum rsa_number which)
{
	return (struct luna_num){ key->number[which].data, key->number[which].len };
}

static struct luna_rsa_key *load(const struct rsa_key *key)
{
	const struct luna_rsa_nums nums = {
		.n = num(key, RSA_N), .e = num(key, RSA_E), .d = num(key, RSA_D),
		.p = num(key, RSA_P), .q = num(key, RSA_Q), .dp = num(key, RSA_DP),
		.dq = num(key, RSA_DQ), .qi = num(key, RSA_QI),
	};

	return luna_test_crypto()->rsa_key(&nums);
}

static void leave_out(struct rsa_key *key, enum rsa_number from, enum rsa_number to)
{
	for (; from <= to; from++)
		key->number[from].len = 0;
}

static struct luna_rsa_key *load_good(struct kunit *test, const struct rsa_key *key)
{
	struct luna_rsa_key *loaded = load(key);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, loaded);
	return loaded;
}

/* ---- answers ---- */

static void private_answer(struct kunit *test, const struct rsa_key *key)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes in = bytes_hex(test, rsa_input), out = bytes_new(test, in.len);
	struct luna_rsa_key *loaded = load_good(test, key);
	int i;

	/* Again and again, as every operation is blinded otherwise. */
	for (i = 0; i < 3; i++) {
		memset(out.data, 0, out.len);
		KUNIT_EXPECT_EQ(test, ops->rsa_private(loaded, in.data, out.data), 0);
		KUNIT_EXPECT_TRUE(test, bytes_are(out, rsa_output));
	}
	KUNIT_EXPECT_EQ(test, ops->rsa_private(loaded, in.data, in.data), 0);
	KUNIT_EXPECT_TRUE(test, bytes_are(in, rsa_output));
	ops->rsa_key_free(loaded);
}

static void private_crt(struct kunit *test)
{
	private_answer(test, key_new(test));
}

static void private_plain(struct kunit *test)
{
	struct rsa_key *key = key_new(test);

	leave_out(key, RSA_P, RSA_QI);
	private_answer(test, key);
}

/* A key of n and d alone, as C_UnwrapKey and C_CreateObject may bring it */
static void private_without_e(struct kunit *test)
{
	struct rsa_key *key = key_new(test);

	leave_out(key, RSA_P, RSA_QI);
	leave_out(key, RSA_E, RSA_E);
	private_answer(test, key);
}

static void public_answer(struct kunit *test)
{
	struct bytes in = bytes_hex(test, rsa_output), out = bytes_new(test, in.len);
	struct rsa_key *key = key_new(test);
	struct luna_rsa_key *loaded;

	leave_out(key, RSA_D, RSA_QI);
	loaded = load_good(test, key);
	KUNIT_EXPECT_EQ(test, luna_test_crypto()->rsa_public(loaded, in.data, out.data), 0);
	KUNIT_EXPECT_TRUE(test, bytes_are(out, rsa_input));
	KUNIT_EXPECT_NE(test, luna_test_crypto()->rsa_private(loaded, in.data, out.data), 0);
	luna_test_crypto()->rsa_key_free(loaded);
	luna_test_crypto()->rsa_key_free(NULL);
}

/* ---- edges ---- */

static void both_ways(struct kunit *test, struct luna_rsa_key *key, struct bytes in, int result,
		      bool fixed)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes out = bytes_new(test, in.len);

	KUNIT_EXPECT_EQ(test, ops->rsa_public(key, in.data, out.data), result);
	if (fixed)
		KUNIT_EXPECT_EQ(test, memcmp(in.data, out.data, in.len), 0);
	KUNIT_EXPECT_EQ(test, ops->rsa_private(key, in.data, out.data), result);
	if (fixed)
		KUNIT_EXPECT_EQ(test, memcmp(in.data, out.data, in.len), 0);
}

/* 0, 1 and n - 1 stay what they are; n and what is above is refused. */
static void edges_of_range(struct kunit *test)
{
	struct rsa_key *key = key_new(test);
	struct luna_rsa_key *loaded = load_good(test, key);
	struct bytes n = bytes_hex(test, rsa_numbers[RSA_N]), in = bytes_new(test, n.len);

	both_ways(test, loaded, in, 0, true);
	in.data[in.len - 1] = 1;
	both_ways(test, loaded, in, 0, true);
	both_ways(test, loaded, n, -EINVAL, false);
	n.data[n.len - 1]--;
	both_ways(test, loaded, n, 0, true);
	memset(in.data, 0xff, in.len);
	both_ways(test, loaded, in, -EINVAL, false);
	luna_test_crypto()->rsa_key_free(loaded);
}

/* ---- faults ---- */

/*
 * A result that is right modulo one prime alone would give the key away. A provider may refuse such
 * a key, fail, or find the right result in another way.
 */
static void altered(struct kunit *test, enum rsa_number which, size_t at)
{
	struct bytes in = bytes_hex(test, rsa_input), out = bytes_new(test, in.len);
	struct bytes untouched = bytes_new(test, in.len);
	struct rsa_key *key = key_new(test);
	struct luna_rsa_key *loaded;
	int err;

	key->number[which].data[at] ^= 2;
	loaded = load(key);
	if (IS_ERR(loaded))
		return;
	err = luna_test_crypto()->rsa_private(loaded, in.data, out.data);
	if (err)
		KUNIT_EXPECT_EQ_MSG(test, memcmp(out.data, untouched.data, out.len), 0,
				    "number %d, byte %zu: failed, but wrote", which, at);
	else
		KUNIT_EXPECT_TRUE_MSG(test, bytes_are(out, rsa_output),
				      "number %d, byte %zu: a wrong result", which, at);
	luna_test_crypto()->rsa_key_free(loaded);
}

static void no_faulty_result(struct kunit *test)
{
	enum rsa_number which;

	for (which = RSA_D; which < RSA_NUMBERS; which++) {
		size_t len = strlen(rsa_numbers[which]) / 2;

		altered(test, which, 0);
		altered(test, which, len / 2);
		altered(test, which, len - 1);
	}
}

/* ---- what is refused ---- */

static void refused(struct kunit *test, const struct rsa_key *key)
{
	struct luna_rsa_key *loaded = load(key);

	KUNIT_EXPECT_TRUE(test, IS_ERR(loaded));
	if (!IS_ERR(loaded))
		luna_test_crypto()->rsa_key_free(loaded);
}

static void weak_keys(struct kunit *test)
{
	struct rsa_key *key = key_new(test);

	key->number[RSA_N].data[key->number[RSA_N].len - 1] &= ~1;
	refused(test, key);
	key = key_new(test);
	leave_out(key, RSA_N, RSA_N);
	refused(test, key);
	key = key_new(test);
	leave_out(key, RSA_D, RSA_QI);
	memset(key->number[RSA_E].data, 0, key->number[RSA_E].len);
	refused(test, key);
	key->number[RSA_E].data[2] = 1;
	refused(test, key);
	key->number[RSA_E].data[2] = 4;
	refused(test, key);
}

static struct kunit_case rsa_cases[] = {
	KUNIT_CASE(private_crt),
	KUNIT_CASE(private_plain),
	KUNIT_CASE(private_without_e),
	KUNIT_CASE(public_answer),
	KUNIT_CASE(edges_of_range),
	KUNIT_CASE(no_faulty_result),
	KUNIT_CASE(weak_keys),
	{}
};

static struct kunit_suite rsa_suite = {
	.name = "luna-rsa",
	.test_cases = rsa_cases,
};

kunit_test_suites(&rsa_suite);
