// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * RSA key generation of the provider: all numbers of a key against each other and for primality, by
 * arithmetic of our own, and the key in use. With 1024 bits for many keys, one of each size above.
 */
#include "bignum.h"
#include "bytes.h"
#include "host.h"

static const u8 f4[] = { 1, 0, 1 };

/**
 * struct checked - a key being checked
 */
struct checked {
	struct bignum n, d, e, p, q, dp, dq, qi;
	struct bignum less, product, rest, small;
	struct bignum_power power;
};

static void read_key(struct checked *c, const struct luna_rsa_made *made, const u8 *e, size_t e_len)
{
	size_t len = made->bits / 8, half = len / 2;

	bignum_read(&c->n, made->n, len);
	bignum_read(&c->d, made->d, len);
	bignum_read(&c->e, e, e_len);
	bignum_read(&c->p, made->p, half);
	bignum_read(&c->q, made->q, half);
	bignum_read(&c->dp, made->dp, half);
	bignum_read(&c->dq, made->dq, half);
	bignum_read(&c->qi, made->qi, half);
}

/* a * b = 1 mod m */
static bool inverse(struct checked *c, const struct bignum *a, const struct bignum *b,
		    const struct bignum *m)
{
	bignum_multiply(&c->product, a, b);
	bignum_remainder(&c->rest, &c->product, m);
	bignum_set(&c->small, 1);
	return !bignum_compare(&c->rest, &c->small);
}

static bool remainder_is(struct checked *c, const struct bignum *a, const struct bignum *m,
			 const struct bignum *rest)
{
	bignum_remainder(&c->rest, a, m);
	return !bignum_compare(&c->rest, rest);
}

/* What FIPS 186-5, A.1.1 asks of a prime, and of the private exponent modulo the prime less 1 */
static void check_prime(struct kunit *test, struct checked *c, const struct bignum *prime,
			const struct bignum *crt_exponent, u32 bits)
{
	KUNIT_EXPECT_EQ(test, bignum_bits(prime), bits / 2);
	KUNIT_EXPECT_TRUE(test, bignum_is_prime(&c->power, prime));
	c->less = *prime;
	bignum_subtract_word(&c->less, 1);
	/* e * d = 1 modulo p - 1 and q - 1 is e * d = 1 modulo their least common multiple. */
	KUNIT_EXPECT_TRUE(test, inverse(c, &c->e, &c->d, &c->less));
	KUNIT_EXPECT_TRUE(test, remainder_is(c, &c->d, &c->less, crt_exponent));
}

static void check_numbers(struct kunit *test, struct checked *c, u32 bits)
{
	KUNIT_EXPECT_EQ(test, bignum_bits(&c->n), bits);
	bignum_multiply(&c->product, &c->p, &c->q);
	KUNIT_EXPECT_EQ(test, bignum_compare(&c->product, &c->n), 0);
	KUNIT_EXPECT_NE(test, bignum_compare(&c->p, &c->q), 0);
	check_prime(test, c, &c->p, &c->dp, bits);
	check_prime(test, c, &c->q, &c->dq, bits);
	KUNIT_EXPECT_TRUE(test, inverse(c, &c->qi, &c->q, &c->p));
	/* d > 2^(bits / 2): a small one can be found from n and e. */
	KUNIT_EXPECT_GT(test, bignum_bits(&c->d), bits / 2);
}

/* The provider's private operation, undone by our own arithmetic and by the provider's */
static void check_use(struct kunit *test, struct checked *c, const struct luna_rsa_made *made,
		      const u8 *e, size_t e_len)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	u32 len = made->bits / 8, half = len / 2;
	const struct luna_rsa_nums nums = {
		.n = { made->n, len }, .e = { e, e_len }, .d = { made->d, len },
		.p = { made->p, half }, .q = { made->q, half }, .dp = { made->dp, half },
		.dq = { made->dq, half }, .qi = { made->qi, half },
	};
	struct bytes text = bytes_pattern(test, len), signature = bytes_new(test, len);
	struct bytes back = bytes_new(test, len);
	struct luna_rsa_key *key = ops->rsa_key(&nums);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	text.data[0] = 0;
	KUNIT_EXPECT_EQ(test, ops->rsa_private(key, text.data, signature.data), 0);
	KUNIT_EXPECT_EQ(test, ops->rsa_public(key, signature.data, back.data), 0);
	KUNIT_EXPECT_EQ(test, memcmp(back.data, text.data, len), 0);
	ops->rsa_key_free(key);

	bignum_power_init(&c->power, &c->n);
	bignum_read(&c->product, signature.data, len);
	bignum_power(&c->power, &c->product, &c->e, &c->rest);
	bignum_read(&c->product, text.data, len);
	KUNIT_EXPECT_EQ(test, bignum_compare(&c->rest, &c->product), 0);
}

static void generate_and_check(struct kunit *test, u32 bits, const u8 *e, size_t e_len)
{
	struct luna_rsa_made *made = luna_test_crypto()->rsa_generate(bits, e, e_len);
	struct checked *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, made);
	KUNIT_EXPECT_EQ(test, made->bits, bits);
	read_key(c, made, e, e_len);
	check_numbers(test, c, bits);
	check_use(test, c, made, e, e_len);
	kfree_sensitive(made);
	kunit_kfree(test, c);
}

static void made_1024(struct kunit *test)
{
	int i;

	for (i = 0; i < 4; i++)
		generate_and_check(test, 1024, f4, sizeof(f4));
}

static void made_2048(struct kunit *test)
{
	generate_and_check(test, 2048, f4, sizeof(f4));
}

static void made_3072(struct kunit *test)
{
	generate_and_check(test, 3072, f4, sizeof(f4));
}

static void made_4096(struct kunit *test)
{
	generate_and_check(test, 4096, f4, sizeof(f4));
}

static void made_with_other_exponents(struct kunit *test)
{
	static const u8 three[] = { 3 }, padded[] = { 0, 0, 0, 17 };
	static const u8 prime[] = { 1, 0, 0, 0, 15 };	/* 2^32 + 15 */

	generate_and_check(test, 1024, three, sizeof(three));
	generate_and_check(test, 1024, padded, sizeof(padded));
	generate_and_check(test, 1024, prime, sizeof(prime));
}

/* Two keys have no number in common. */
static void never_twice(struct kunit *test)
{
	struct luna_rsa_made *first = luna_test_crypto()->rsa_generate(1024, f4, sizeof(f4));
	struct luna_rsa_made *second = luna_test_crypto()->rsa_generate(1024, f4, sizeof(f4));

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, first);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, second);
	KUNIT_EXPECT_NE(test, memcmp(first->p, second->p, 64), 0);
	KUNIT_EXPECT_NE(test, memcmp(first->p, second->q, 64), 0);
	KUNIT_EXPECT_NE(test, memcmp(first->q, second->p, 64), 0);
	KUNIT_EXPECT_NE(test, memcmp(first->q, second->q, 64), 0);
	kfree_sensitive(first);
	kfree_sensitive(second);
}

static void refused(struct kunit *test, u32 bits, u8 e)
{
	struct luna_rsa_made *made = luna_test_crypto()->rsa_generate(bits, &e, 1);

	KUNIT_EXPECT_EQ_MSG(test, PTR_ERR_OR_ZERO(made), -EINVAL, "%u bits, exponent %u", bits, e);
	if (!IS_ERR(made))
		kfree_sensitive(made);
}

static void not_made(struct kunit *test)
{
	refused(test, 1024, 0);
	refused(test, 1024, 1);
	refused(test, 1024, 2);
	refused(test, 1024, 4);
	refused(test, 0, 3);
	refused(test, luna_test_crypto()->rsa_min_bits - 8, 3);
	refused(test, luna_test_crypto()->rsa_max_bits + 8, 3);
}

/* The arithmetic that judges must not take everything for prime. */
static void judge_of_primes(struct kunit *test)
{
	static const char * const primes[] = {
		"61",						/* 97 */
		"7fffffffffffffffffffffffffffffff",		/* 2^127 - 1 */
		"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed",
	};
	static const char * const composites[] = {
		"0231",						/* 561, a Carmichael number */
		"7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffef",
		/* the square of 2^127 - 1 */
		"3fffffffffffffffffffffffffffffff00000000000000000000000000000001",
	};
	struct checked *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);
	struct bytes number;
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, c);
	for (i = 0; i < ARRAY_SIZE(primes); i++) {
		number = bytes_hex(test, primes[i]);
		bignum_read(&c->n, number.data, number.len);
		KUNIT_EXPECT_TRUE_MSG(test, bignum_is_prime(&c->power, &c->n), "%s", primes[i]);
	}
	for (i = 0; i < ARRAY_SIZE(composites); i++) {
		number = bytes_hex(test, composites[i]);
		bignum_read(&c->n, number.data, number.len);
		KUNIT_EXPECT_FALSE_MSG(test, bignum_is_prime(&c->power, &c->n), "%s",
				       composites[i]);
	}
}

static struct kunit_case keygen_cases[] = {
	KUNIT_CASE(judge_of_primes),
	KUNIT_CASE(made_1024),
	KUNIT_CASE(made_2048),
	KUNIT_CASE(made_3072),
	KUNIT_CASE(made_4096),
	KUNIT_CASE(made_with_other_exponents),
	KUNIT_CASE(never_twice),
	KUNIT_CASE(not_made),
	{}
};

static struct kunit_suite keygen_suite = {
	.name = "luna-keygen",
	.test_cases = keygen_cases,
};

kunit_test_suites(&keygen_suite);
