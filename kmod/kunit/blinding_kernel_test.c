// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Blinding of private RSA operations (kmod/blinding.c): what the factors are to each other, that
 * none is used twice, and that a fault in one half of the CRT gives no result at all.
 */
#include "../blinding.h"
#include "bytes.h"
#include "host.h"
#include "rsa_answers.h"

enum { SIZE = 256 };

/**
 * struct fixture - a key, made for each case
 * @x: room for a number
 */
struct fixture {
	struct bytes d;
	struct luna_blinder blinder;
	struct luna_blinding *pair;
	u8 x[SIZE];
};

static struct luna_rsa_nums key_numbers(struct kunit *test)
{
	struct luna_num num[ARRAY_SIZE(rsa_numbers)];
	int i;

	for (i = 0; i < ARRAY_SIZE(rsa_numbers); i++) {
		struct bytes b = bytes_hex(test, rsa_numbers[i]);

		num[i] = (struct luna_num){ b.data, b.len };
	}
	return (struct luna_rsa_nums){ num[0], num[1], num[2], num[3], num[4], num[5], num[6],
				       num[7] };
}

static int fixture_init(struct kunit *test, bool crt)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct luna_rsa_nums k;

	if (!f)
		return -ENOMEM;
	test->priv = f;
	f->d = bytes_hex(test, rsa_numbers[2]);
	k = key_numbers(test);
	return luna_blinder_init(&f->blinder, k.n.data, k.n.len, &k, crt);
}

static int blinding_init(struct kunit *test)
{
	return fixture_init(test, true);
}

static int blinding_plain_init(struct kunit *test)
{
	return fixture_init(test, false);
}

static void blinding_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!IS_ERR_OR_NULL(f->pair))
		luna_blinding_give(&f->blinder, f->pair);
	luna_blinder_exit(&f->blinder);
}

static void take(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->pair = luna_blinding_take(&f->blinder);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f->pair);
}

static void give(struct kunit *test)
{
	struct fixture *f = test->priv;

	luna_blinding_give(&f->blinder, f->pair);
	f->pair = NULL;
}

/* blind * unblind^e = r^e * r^-e = 1 mod n */
static void expect_pair(struct kunit *test)
{
	struct fixture *f = test->priv;
	MPI power = mpi_alloc(0);

	KUNIT_ASSERT_NOT_NULL(test, power);
	KUNIT_EXPECT_EQ(test, mpi_powm(power, f->pair->unblind, f->blinder.e, f->blinder.n), 0);
	memset(f->x, 0, SIZE);
	f->x[SIZE - 1] = 1;
	KUNIT_EXPECT_EQ(test, luna_blinding_multiply(&f->blinder, f->x, power), 0);
	KUNIT_EXPECT_EQ(test, luna_blinding_multiply(&f->blinder, f->x, f->pair->blind), 0);
	KUNIT_EXPECT_EQ(test, f->x[SIZE - 1], 1);
	KUNIT_EXPECT_NULL(test, memchr_inv(f->x, 0, SIZE - 1));
	mpi_free(power);
}

/* Also after many uses, each of which squares them */
static void factors_match(struct kunit *test)
{
	int i;

	for (i = 0; i < 20; i++) {
		take(test);
		expect_pair(test);
		give(test);
	}
}

static void write_factors(struct kunit *test, u8 *blind, u8 *unblind)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, luna_mpi_write(f->pair->blind, blind, SIZE), 0);
	KUNIT_ASSERT_EQ(test, luna_mpi_write(f->pair->unblind, unblind, SIZE), 0);
}

static void expect_new(struct kunit *test, const u8 *seen, int count, const u8 *factor)
{
	int i;

	for (i = 0; i < count && memcmp(seen + i * SIZE, factor, SIZE); i++)
		;
	KUNIT_EXPECT_EQ(test, i, count);
}

static void factors_change(struct kunit *test)
{
	enum { USES = 50 };
	struct bytes blinds = bytes_new(test, USES * SIZE);
	struct bytes unblinds = bytes_new(test, USES * SIZE);
	int i;

	for (i = 0; i < USES; i++) {
		u8 *blind = blinds.data + i * SIZE, *unblind = unblinds.data + i * SIZE;

		take(test);
		write_factors(test, blind, unblind);
		give(test);
		KUNIT_EXPECT_NE(test, memcmp(blind, unblind, SIZE), 0);
		expect_new(test, blinds.data, i, blind);
		expect_new(test, unblinds.data, i, unblind);
	}
}

/* Two at a time get different pairs; what they give back is used again, and no third is drawn. */
static void pairs_of_two_threads(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct luna_blinding *other;
	int i, idle;

	for (i = 0; i < 3; i++) {
		struct list_head *at;

		take(test);
		other = luna_blinding_take(&f->blinder);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, other);
		KUNIT_EXPECT_PTR_NE(test, other, f->pair);
		KUNIT_EXPECT_NE(test, mpi_cmp(other->blind, f->pair->blind), 0);
		give(test);
		luna_blinding_give(&f->blinder, other);
		idle = 0;
		list_for_each(at, &f->blinder.idle)
			idle++;
		KUNIT_EXPECT_EQ(test, idle, 2);
	}
}

/* Blinded by hand: (x * blind)^d * unblind is the published x^d. */
static void blinded_is_unblinded(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct bytes x = bytes_hex(test, rsa_input);
	MPI d = luna_mpi_read(f->d.data, f->d.len), power = mpi_alloc(0), base;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, d);
	KUNIT_ASSERT_NOT_NULL(test, power);
	for (i = 0; i < 3; i++) {
		take(test);
		memcpy(f->x, x.data, SIZE);
		KUNIT_EXPECT_EQ(test, luna_blinding_multiply(&f->blinder, f->x, f->pair->blind), 0);
		KUNIT_EXPECT_NE(test, memcmp(f->x, x.data, SIZE), 0);
		base = luna_mpi_read(f->x, SIZE);
		KUNIT_ASSERT_NOT_NULL(test, base);
		KUNIT_EXPECT_EQ(test, mpi_powm(power, base, d, f->blinder.n), 0);
		mpi_free(base);
		KUNIT_EXPECT_EQ(test, luna_mpi_write(power, f->x, SIZE), 0);
		KUNIT_EXPECT_FALSE(test, bytes_are((struct bytes){ f->x, SIZE }, rsa_output));
		KUNIT_EXPECT_EQ(test, luna_blinding_multiply(&f->blinder, f->x, f->pair->unblind),
				0);
		KUNIT_EXPECT_TRUE(test, bytes_are((struct bytes){ f->x, SIZE }, rsa_output));
		give(test);
	}
	mpi_free(power);
	mpi_free(d);
}

/* dP off by 2: right modulo q and wrong modulo p, which is what gives p away. */
static void fault_is_withheld(struct kunit *test)
{
	const struct luna_crypto_ops *ops = luna_test_crypto();
	struct bytes in = bytes_hex(test, rsa_input), out = bytes_new(test, SIZE);
	struct luna_rsa_nums nums = key_numbers(test);
	struct bytes dp = bytes_hex(test, rsa_numbers[5]);
	struct luna_rsa_key *key;

	dp.data[dp.len - 1] ^= 2;
	nums.dp = (struct luna_num){ dp.data, dp.len };
	key = ops->rsa_key(&nums);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, key);
	KUNIT_EXPECT_TRUE(test, ops->features & LUNA_CRYPTO_RSA_CHECKED);
	KUNIT_EXPECT_EQ(test, ops->rsa_private(key, in.data, out.data), -EIO);
	KUNIT_EXPECT_NULL(test, memchr_inv(out.data, 0, SIZE));
	ops->rsa_key_free(key);
}

static struct kunit_case blinding_cases[] = {
	KUNIT_CASE(factors_match),
	KUNIT_CASE(factors_change),
	KUNIT_CASE(pairs_of_two_threads),
	KUNIT_CASE(blinded_is_unblinded),
	KUNIT_CASE(fault_is_withheld),
	{}
};

static struct kunit_suite blinding_suite = {
	.name = "luna-blinding",
	.init = blinding_init,
	.exit = blinding_exit,
	.test_cases = blinding_cases,
};

/* Without the primes the inverse is a power with the private exponent. */
static struct kunit_case blinding_plain_cases[] = {
	KUNIT_CASE(factors_match),
	KUNIT_CASE(blinded_is_unblinded),
	{}
};

static struct kunit_suite blinding_plain_suite = {
	.name = "luna-blinding-plain",
	.init = blinding_plain_init,
	.exit = blinding_exit,
	.test_cases = blinding_plain_cases,
};

kunit_test_suites(&blinding_suite, &blinding_plain_suite);
