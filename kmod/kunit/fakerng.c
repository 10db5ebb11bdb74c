// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A crypto provider whose chance is in the test's hands. */
#include "fakerng.h"
#include "host.h"
#include "token.h"

static DEFINE_MUTEX(lock);
static const struct luna_crypto_ops *real;
static struct luna_crypto_ops fake;
static u64 state;
static u64 calls, fail_at;
static u8 waiting[1024];
static size_t waiting_len;

/* SplitMix64: every seed gives a full period. */
static u64 draw(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

static int fake_random(void *buf, size_t len)
{
	u8 *p = buf;
	size_t given;
	bool fail;

	mutex_lock(&lock);
	fail = ++calls == fail_at;
	given = min(len, waiting_len);
	memcpy(p, waiting, given);
	waiting_len -= given;
	memmove(waiting, waiting + given, waiting_len);
	for (; given < len; given++)
		p[given] = draw() >> 56;
	mutex_unlock(&lock);
	return fail ? -EIO : 0;
}

void fakerng_next(const void *bytes, size_t len)
{
	mutex_lock(&lock);
	fx_check(len <= sizeof(waiting) - waiting_len);
	memcpy(waiting + waiting_len, bytes, len);
	waiting_len += len;
	mutex_unlock(&lock);
}

void fakerng_fail(u64 nth)
{
	mutex_lock(&lock);
	fail_at = nth ? calls + nth : 0;
	mutex_unlock(&lock);
}

const struct luna_crypto_ops *fakerng_ops(const struct luna_crypto_ops *base, u64 seed)
{
	mutex_lock(&lock);
	real = base;
	fake = *base;
	fake.random = fake_random;
	state = seed;
	waiting_len = 0;
	fail_at = 0;
	mutex_unlock(&lock);
	return &fake;
}

/*
 * Keys of one size, handed out in turn; both tokens of a cloning test get different ones. They stay
 * with the program or module: no suite is the last to need them.
 */
enum { SIZES = 8, KEYS = 4 };

static struct shelf {
	u32 bits;
	u8 e[8];
	size_t e_len;
	u32 turn;
	struct luna_rsa_made keys[KEYS];	/* bits 0: not made yet */
} shelves[SIZES];

static struct shelf *shelf_of(u32 bits, const u8 *e, size_t e_len)
{
	struct shelf *shelf;

	if (e_len > sizeof(shelf->e))
		return NULL;
	for (shelf = shelves; shelf < shelves + SIZES && shelf->bits; shelf++)
		if (shelf->bits == bits && shelf->e_len == e_len && !memcmp(shelf->e, e, e_len))
			return shelf;
	if (shelf == shelves + SIZES)
		return NULL;
	shelf->bits = bits;
	shelf->e_len = e_len;
	memcpy(shelf->e, e, e_len);
	return shelf;
}

static struct luna_rsa_made *quick_rsa_generate(u32 bits, const u8 *e, size_t e_len)
{
	struct luna_rsa_made *made, *kept;
	struct shelf *shelf;

	mutex_lock(&lock);
	shelf = shelf_of(bits, e, e_len);
	if (!shelf) {
		made = ERR_PTR(-EOPNOTSUPP);
		goto out;
	}
	kept = &shelf->keys[shelf->turn++ % KEYS];
	if (kept->bits) {
		made = kmemdup(kept, sizeof(*kept), GFP_KERNEL) ?: ERR_PTR(-ENOMEM);
		goto out;
	}
	made = real->rsa_generate(bits, e, e_len);
	if (!IS_ERR(made))
		*kept = *made;
out:
	mutex_unlock(&lock);
	return made;
}

static int quick_pbkdf2(enum luna_hash hash, const u8 *pin, size_t pin_len, const u8 *salt,
			size_t salt_len, u32 iterations __maybe_unused, u8 *out, size_t out_len)
{
	return luna_pbkdf2(real, hash, pin, pin_len, salt, salt_len, 1, out, out_len);
}

const struct luna_crypto_ops *fakerng_quick_ops(const struct luna_crypto_ops *base, u64 seed)
{
	fakerng_ops(base, seed);
	fake.rsa_generate = quick_rsa_generate;
	fake.pbkdf2 = quick_pbkdf2;
	return &fake;
}

void fakerng_forget_keys(void)
{
	mutex_lock(&lock);
	memset(shelves, 0, sizeof(shelves));
	mutex_unlock(&lock);
}
