// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * M of N: sharing and combining over GF(2^8) for every small M and N and every choice of shares; then
 * the commands, with vectors that are wrong, altered, doubled, of another secret or too few.
 */
#include <kunit/test.h>

#include "shamir.h"
#include "side.h"
#include "token.h"

/* ---- the arithmetic ---- */

enum { SMALL = 6, LEN = LUNA_MOFN_SECRET_LEN };

struct shares {
	u8 secret[LEN], coefs[SMALL * LEN], share[SMALL + 1][LEN], back[LEN];
};

static void fill(u8 *p, u32 len, u32 seed)
{
	while (len--) {
		seed = seed * 1664525 + 1013904223;
		*p++ = seed >> 24;
	}
}

/* The secret from those shares whose places are set in @mask, the first @m of them. */
static bool combine(struct shares *s, u32 mask, u32 m)
{
	const u8 *picked[SMALL];
	u8 xs[SMALL];
	u32 x, got = 0;

	for (x = 1; x <= SMALL && got < m; x++) {
		if (!(mask & BIT(x)))
			continue;
		xs[got] = x;
		picked[got++] = s->share[x];
	}
	luna_shamir_combine(xs, picked, got, LEN, s->back);
	return !memcmp(s->back, s->secret, LEN);
}

/* Any M of N give the secret back; M - 1 do not, nor do M of which one has a wrong bit. */
static void mofn_every_choice(struct kunit *test)
{
	struct shares *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	u32 m, n, x, mask, tried = 0;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (n = 1; n <= SMALL; n++) {
		for (m = 1; m <= n; m++) {
			fill(s->secret, LEN, 100 * n + m);
			fill(s->coefs, sizeof(s->coefs), 7 * n + m);
			for (x = 1; x <= n; x++)
				luna_shamir_share(s->secret, s->coefs, LEN, m, x, s->share[x]);
			for (mask = 2; mask < 2u << n; mask += 2) {
				if (hweight32(mask) < m) {
					KUNIT_EXPECT_FALSE(test, combine(s, mask, m));
					continue;
				}
				KUNIT_EXPECT_TRUE(test, combine(s, mask, m));
				x = fls(mask) - 1;
				s->share[x][5] ^= 0x40;
				KUNIT_EXPECT_EQ(test, combine(s, mask, m), hweight32(mask) > m);
				s->share[x][5] ^= 0x40;
				tried++;
			}
		}
	}
	kunit_info(test, "%u choices of shares\n", tried);
}

/* A polynomial worked out by hand: 0x53 + 0xca x over GF(2^8), where 0x53 * 0xca = 1. */
static void mofn_field(struct kunit *test)
{
	static const u8 secret = 0x53, coef = 0xca;
	static const struct {
		u8 x, y;
	} rows[] = { { 1, 0x53 ^ 0xca }, { 2, 0x53 ^ 0x8f }, { 0x53, 0x53 ^ 1 } };
	u8 y[ARRAY_SIZE(rows)], back;
	const u8 *picked[2] = { &y[0], &y[2] };
	u8 xs[2] = { 1, 0x53 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		luna_shamir_share(&secret, &coef, 1, 2, rows[i].x, &y[i]);
		KUNIT_EXPECT_EQ(test, y[i], rows[i].y);
	}
	luna_shamir_combine(xs, picked, 2, 1, &back);
	KUNIT_EXPECT_EQ(test, back, secret);
}

/* ---- the commands ---- */

struct mofn {
	struct fx_side side;
	u8 rows[FX_VECTORS * FX_VECTOR_ROW], some[FX_VECTORS * FX_VECTOR_ROW];
};

static int mofn_init(struct kunit *test)
{
	struct mofn *f = luna_test_alloc(sizeof(*f));

	test->priv = f;
	fx_side_open(&f->side, fakerng_quick_ops(luna_test_crypto(), 3), 0);
	return 0;
}

static void mofn_exit(struct kunit *test)
{
	struct mofn *f = test->priv;

	if (!f)
		return;
	fx_side_close(&f->side);
	luna_test_free(f);
	test->priv = NULL;
}

static bool active(struct mofn *f)
{
	return fx_mofn_flags(&f->side) & CAF_M_OF_N_ACTIVATED;
}

/* Copies vector @from, of 0 to n - 1, to place @to of f->some. */
static void pick(struct mofn *f, u32 to, u32 from)
{
	memcpy(f->some + to * FX_VECTOR_ROW, f->rows + from * FX_VECTOR_ROW, FX_VECTOR_ROW);
}

static void generate(struct kunit *test, u32 m, u32 n)
{
	struct mofn *f = test->priv;

	KUNIT_ASSERT_EQ_MSG(test, fx_mofn_generate(&f->side, m, n, 0, FX_VECTOR, f->rows), CKR_OK,
			    "%u of %u", m, n);
}

static void mofn_arguments(struct kunit *test)
{
	static const struct {
		u32 m, n, rv;
	} rows[] = {
		{ 0, 1, CKR_ARGUMENTS_BAD }, { 0, 0, CKR_ARGUMENTS_BAD }, { 2, 1, CKR_ARGUMENTS_BAD },
		{ 1, 17, CKR_ARGUMENTS_BAD }, { 16, 15, CKR_ARGUMENTS_BAD },
		{ U32_MAX, U32_MAX, CKR_ARGUMENTS_BAD }, { 1, 1, CKR_OK }, { 16, 16, CKR_OK },
	};
	struct mofn *f = test->priv;
	struct fx_fingerprint before;
	u32 i;
	s64 rv;

	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->rows, 1), CKR_OPERATION_NOT_ALLOWED);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		fx_print(&f->side, &before);
		rv = fx_mofn_generate(&f->side, rows[i].m, rows[i].n, 0, 512, f->rows);
		KUNIT_EXPECT_EQ_MSG(test, rv, rows[i].rv, "%u of %u", rows[i].m, rows[i].n);
		KUNIT_EXPECT_EQ(test, fx_same(&f->side, &before), rv != CKR_OK);
	}
	fx_print(&f->side, &before);
	KUNIT_EXPECT_EQ(test, fx_mofn_generate(&f->side, 2, 3, 0, FX_VECTOR - 1, f->rows),
			CKR_BUFFER_TOO_SMALL);
	KUNIT_EXPECT_EQ(test, fx_mofn_generate(&f->side, 2, 3, 0, LUNA_OUT_QUERY, f->rows), CKR_OK);
	KUNIT_EXPECT_TRUE(test, fx_same(&f->side, &before));
}

/* All small M and N through the commands: M vectors do, in any order; M - 1 do not. */
static void mofn_small(struct kunit *test)
{
	struct mofn *f = test->priv;
	u32 m, n, i;

	for (n = 1; n <= 5; n++) {
		for (m = 1; m <= n; m++) {
			generate(test, m, n);
			for (i = 0; i < m; i++)
				pick(f, i, n - 1 - i);
			KUNIT_EXPECT_FALSE(test, active(f));
			KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->some, m - 1),
					m == 1 ? CKR_ARGUMENTS_BAD : CKR_DATA_LEN_RANGE);
			KUNIT_EXPECT_FALSE(test, active(f));
			KUNIT_EXPECT_EQ_MSG(test, fx_mofn_activate(&f->side, f->some, m), CKR_OK,
					    "%u of %u", m, n);
			KUNIT_EXPECT_TRUE(test, active(f));
			KUNIT_EXPECT_EQ(test, fx_mofn_deactivate(&f->side), CKR_OK);
			KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->rows, n), CKR_OK);
		}
	}
}

static void mofn_wrong_vectors(struct kunit *test)
{
	struct mofn *f = test->priv;
	struct fx_fingerprint before;
	u8 *share;
	u32 i;

	generate(test, 3, 5);
	memcpy(f->some, f->rows, sizeof(f->some));
	generate(test, 3, 5);		/* the old vectors are another secret's now */
	fx_print(&f->side, &before);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->some, 3), CKR_DATA_INVALID);
	for (i = 0; i < 3; i++)
		pick(f, i, i);
	pick(f, 2, 0);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->some, 3), CKR_DATA_INVALID);
	pick(f, 2, 2);
	for (i = 0; i < FX_VECTOR_ROW; i++) {	/* its length, its bytes, its CRC */
		f->some[i] ^= 1 << i % 8;
		KUNIT_EXPECT_NE_MSG(test, fx_mofn_activate(&f->side, f->some, 3), CKR_OK, "byte %u",
				    i);
		f->some[i] ^= 1 << i % 8;
	}
	/* a share that is wrong under a CRC that is right: the secret's own CRC tells */
	share = f->some + 4;
	share[12] ^= 1;
	put_unaligned_be32(luna_crc32(share, 44), share + 44);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->some, 3), CKR_DATA_INVALID);
	KUNIT_EXPECT_TRUE(test, fx_same(&f->side, &before));
	pick(f, 0, 0);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->some, 3), CKR_OK);
}

/*
 * Anybody can alter a vector so that no CRC-32 sees it, by the generator polynomial itself: the secret
 * that this gives is compared, too.
 */
static void mofn_same_crc(struct kunit *test)
{
	static const u8 unseen[] = { 0x41, 0x06, 0x71, 0xdb, 0x01 };
	struct mofn *f = test->priv;
	u32 crc, i;

	generate(test, 1, 2);
	pick(f, 0, 0);
	crc = luna_crc32(f->some + 4, 44);
	for (i = 0; i < sizeof(unseen); i++)
		f->some[4 + 12 + i] ^= unseen[i];
	KUNIT_ASSERT_EQ(test, luna_crc32(f->some + 4, 44), crc);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->some, 1), CKR_DATA_INVALID);
	KUNIT_EXPECT_FALSE(test, active(f));
}

/* The secret is sealed until somebody logs in, and is no longer active after a restart. */
static void mofn_login(struct kunit *test)
{
	struct mofn *f = test->priv;
	u8 rows[FX_VECTOR_ROW];

	generate(test, 1, 1);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->rows, 1), CKR_OK);
	fx_side_restart(&f->side);
	KUNIT_EXPECT_FALSE(test, active(f));
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->rows, 1), CKR_USER_NOT_LOGGED_IN);
	KUNIT_EXPECT_EQ(test, fx_mofn_generate(&f->side, 1, 1, 0, FX_VECTOR, rows),
			CKR_USER_NOT_LOGGED_IN);
	fx_side_as(&f->side, CKU_SO);
	KUNIT_EXPECT_EQ(test, fx_mofn_activate(&f->side, f->rows, 1), CKR_OK);
}

static struct kunit_case mofn_cases[] = {
	KUNIT_CASE(mofn_every_choice),
	KUNIT_CASE(mofn_field),
	KUNIT_CASE(mofn_arguments),
	KUNIT_CASE(mofn_small),
	KUNIT_CASE(mofn_wrong_vectors),
	KUNIT_CASE(mofn_same_crc),
	KUNIT_CASE(mofn_login),
	{}
};

static struct kunit_suite mofn_suite = {
	.name = "luna-mofn",
	.init = mofn_init,
	.exit = mofn_exit,
	.test_cases = mofn_cases,
};

kunit_test_suites(&mofn_suite);
