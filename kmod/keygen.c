// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * RSA key generation on the MPI functions that every supported kernel exports. There is no inverse
 * and no division among them: inverses modulo a prime are powers, and d is divided out with machine
 * words, for which e has at most 63 bits.
 *
 * Primes: a random start, a sieve of the odd numbers behind it, Miller-Rabin on what is left. The
 * search ends when its caller is killed; as many run at once as there are processors.
 */
#include <linux/bitmap.h>
#include <linux/cpumask.h>
#include <linux/math64.h>
#include <linux/random.h>
#include <linux/semaphore.h>

#include "crypto.h"
#include "mpi.h"

enum {
	SMALL_PRIMES = 2048,	/* odd ones, up to 17881 */
	SIEVE = 4096,		/* odd numbers sieved at once */
	STARTS_MAX = 64,	/* random starts for one prime: each finds one nearly always */
	APART_BYTES = 13,	/* p and q differ within their first 100 bits */
};

/**
 * struct search - for one prime at a time
 * @half: bytes of a prime
 * @start: where the sieve begins; @at: the number that is tested
 */
struct search {
	u32 half;
	u64 e;
	MPI one, candidate, less, odd, base, x;
	u8 start[LUNA_KRSA_MAX_BITS / 16];
	u8 at[LUNA_KRSA_MAX_BITS / 16];
	u8 random[LUNA_KRSA_MAX_BITS / 16];
	DECLARE_BITMAP(composite, SIEVE);
};

static u16 small_primes[SMALL_PRIMES];
static struct semaphore generators;

static bool is_small_prime(u32 n, int known)
{
	int i;

	for (i = 0; i < known && small_primes[i] * small_primes[i] <= n; i++)
		if (n % small_primes[i] == 0)
			return false;
	return true;
}

void luna_krsa_generate_init(void)
{
	u32 n = 3;
	int i;

	for (i = 0; i < SMALL_PRIMES; i++) {
		while (!is_small_prime(n, i))
			n += 2;
		small_primes[i] = n;
		n += 2;
	}
	sema_init(&generators, num_online_cpus());
}

/* ---- primes ---- */

static u32 remainder_small(const u8 *bytes, u32 len, u32 prime)
{
	u32 i, r = 0;

	for (i = 0; i < len; i += 2)
		r = (r << 16 | get_unaligned_be16(bytes + i)) % prime;
	return r;
}

/* One bit of a long division. Return: that of the quotient */
static u32 divide_bit(u64 *rest, u32 bit, u64 divisor)
{
	bool fits = *rest >> 63;

	*rest = *rest << 1 | bit;
	fits |= *rest >= divisor;
	if (fits)
		*rest -= divisor;
	return fits;
}

/* bytes become bytes / divisor. Return: the rest */
static u64 divide(u8 *bytes, u32 len, u64 divisor)
{
	u64 rest = 0;
	u32 i, bit;

	for (i = 0; i < len; i++) {
		u8 quotient = 0;

		for (bit = 8; bit--; )
			quotient = quotient << 1 |
				   divide_bit(&rest, bytes[i] >> bit & 1, divisor);
		bytes[i] = quotient;
	}
	return rest;
}

static u64 remainder_word(const u8 *bytes, u32 len, u64 divisor)
{
	u64 rest = 0;
	u32 i, bit;

	for (i = 0; i < len; i++)
		for (bit = 8; bit--; )
			divide_bit(&rest, bytes[i] >> bit & 1, divisor);
	return rest;
}

static bool coprime(u64 a, u64 b)
{
	while (b) {
		u64 rest;

		div64_u64_rem(a, b, &rest);
		a = b;
		b = rest;
	}
	return a == 1;
}

/* Bit i stands for start + 2 * i. */
static void sieve(struct search *s)
{
	int i;

	bitmap_zero(s->composite, SIEVE);
	for (i = 0; i < SMALL_PRIMES; i++) {
		u32 prime = small_primes[i];
		u32 missing = (prime - remainder_small(s->start, s->half, prime)) % prime;
		u32 bit = missing % 2 ? (missing + prime) / 2 : missing / 2;

		for (; bit < SIEVE; bit += prime)
			__set_bit(bit, s->composite);
	}
}

/* at = start + offset; false if that has a byte more */
static bool step_to(struct search *s, u32 offset)
{
	u32 i, carry = offset;

	for (i = s->half; i--; carry >>= 8) {
		carry += s->start[i];
		s->at[i] = carry;
	}
	return !carry;
}

/* For a chance of error below 2^-100 with random candidates (FIPS 186-5, B.3), and some more */
static int miller_rabin_rounds(u32 half)
{
	if (half >= 128)
		return 6;
	return half >= 64 ? 10 : 28;
}

static int random_base(struct search *s)
{
	MPI r;
	int err;

	get_random_bytes(s->random, s->half);
	r = luna_mpi_read(s->random, s->half);
	if (!r)
		return -ENOMEM;
	err = luna_mpi(mpi_mulm(s->base, r, s->one, s->candidate));
	mpi_free(r);
	return err;
}

/* Square of s->x, s->base serving as scratch */
static int square(struct search *s)
{
	int err = luna_mpi(mpi_mulm(s->base, s->x, s->x, s->candidate));

	swap(s->x, s->base);
	return err;
}

/* candidate - 1 is odd * 2^twos. Return: 1 prime as far as seen, 0 composite, or an errno */
static int miller_rabin_round(struct search *s, u32 twos)
{
	int err = random_base(s);

	if (err)
		return err;
	if (mpi_cmp_ui(s->base, 1) <= 0)
		return 1;
	err = mpi_powm(s->x, s->base, s->odd, s->candidate);
	if (err)
		return err;
	if (!mpi_cmp_ui(s->x, 1) || !mpi_cmp(s->x, s->less))
		return 1;
	while (--twos) {
		err = square(s);
		if (err)
			return err;
		if (!mpi_cmp(s->x, s->less))
			return 1;
	}
	return 0;
}

static int miller_rabin(struct search *s)
{
	int round, result = 1, err;
	u32 twos = 1;

	err = mpi_sub_ui(s->less, s->candidate, 1);
	if (err)
		return err;
	while (!mpi_test_bit(s->less, twos))
		twos++;
	err = luna_mpi(mpi_rshift(s->odd, s->less, twos));
	if (err)
		return err;
	for (round = 0; round < miller_rabin_rounds(s->half) && result == 1; round++)
		result = fatal_signal_pending(current) ? -EINTR : miller_rabin_round(s, twos);
	return result;
}

/* Is s->at a prime that goes with e? Then it is s->candidate. Return: 1, 0 or an errno */
static int test_at(struct search *s)
{
	u64 rest = remainder_word(s->at, s->half, s->e);

	if (!coprime(rest ? rest - 1 : s->e - 1, s->e))
		return 0;
	mpi_free(s->candidate);
	s->candidate = luna_mpi_read(s->at, s->half);
	return s->candidate ? miller_rabin(s) : -ENOMEM;
}

/* From a random start whose two highest bits are set, so that the product has all its bits */
static int search_once(struct search *s)
{
	u32 bit;
	int found = 0;

	get_random_bytes(s->start, s->half);
	s->start[0] |= 0xc0;
	s->start[s->half - 1] |= 1;
	sieve(s);
	for_each_clear_bit(bit, s->composite, SIEVE) {
		if (!step_to(s, 2 * bit))
			break;
		found = test_at(s);
		if (found)
			break;
	}
	return found;
}

/* A prime in s->candidate and s->at */
static int search_prime(struct search *s)
{
	int start, found = 0;

	for (start = 0; start < STARTS_MAX && !found; start++)
		found = search_once(s);
	if (found < 0)
		return found;
	return found ? 0 : -EIO;
}

static void search_free(struct search *s)
{
	mpi_free(s->one);
	mpi_free(s->candidate);
	mpi_free(s->less);
	mpi_free(s->odd);
	mpi_free(s->base);
	mpi_free(s->x);
	kfree_sensitive(s);
}

static struct search *search_new(u32 bits, u64 e)
{
	struct search *s = kzalloc(sizeof(*s), GFP_KERNEL);
	const u8 one = 1;

	if (!s)
		return NULL;
	s->half = bits / 16;
	s->e = e;
	s->one = luna_mpi_read(&one, 1);
	s->less = mpi_alloc(0);
	s->odd = mpi_alloc(0);
	s->base = mpi_alloc(0);
	s->x = mpi_alloc(0);
	if (s->one && s->less && s->odd && s->base && s->x)
		return s;
	search_free(s);
	return NULL;
}

/* ---- the other numbers ---- */

/* 1 / a mod m for coprime a < m of at most 63 bits */
static u64 inverse_word(u64 a, u64 m)
{
	s64 r0 = m, r1 = a, t0 = 0, t1 = 1;

	while (r1) {
		s64 quotient = div64_s64(r0, r1), rest = r0 - quotient * r1;
		s64 t = t0 - quotient * t1;

		r0 = r1;
		r1 = rest;
		t0 = t1;
		t1 = t;
	}
	return t0 < 0 ? t0 + m : t0;
}

/* sum = phi * k, with the bytes of phi and 8 more */
static int multiply_word(MPI phi, u64 k, u8 *sum, u32 len)
{
	__be64 word = cpu_to_be64(k);
	MPI factor = luna_mpi_read((u8 *)&word, sizeof(word)), product = mpi_alloc(0);
	int err = -ENOMEM;

	if (factor && product)
		err = luna_mpi(mpi_mul(product, phi, factor));
	err = err ?: luna_mpi_write(product, sum, len);
	mpi_free(product);
	mpi_free(factor);
	return err;
}

/* d = (1 + k * phi) / e, with k = -1 / phi mod e; work: the bytes of phi and 8 more */
static int private_exponent(MPI phi, u64 e, u8 *work, u8 *d, u32 len)
{
	u32 room = len + sizeof(u64), i;
	int err;

	err = luna_mpi_write(phi, work, room);
	if (err)
		return err;
	err = multiply_word(phi, e - inverse_word(remainder_word(work, room, e), e), work, room);
	if (err)
		return err;
	for (i = room; i-- && !++work[i]; )
		;
	if (divide(work, room, e) || memchr_inv(work, 0, room - len))
		return -EIO;
	memcpy(d, work + room - len, len);
	return 0;
}

/* made->d out of (p - 1) * (q - 1) */
static int finish_exponent(struct luna_rsa_made *made, MPI p1, MPI q1, u64 e)
{
	u32 len = made->bits / 8;
	u8 *work = kmalloc(len + sizeof(u64), GFP_KERNEL);
	MPI phi = mpi_alloc(0);
	int err = -ENOMEM;

	if (work && phi) {
		err = luna_mpi(mpi_mul(phi, p1, q1));
		err = err ?: private_exponent(phi, e, work, made->d, len);
	}
	mpi_free(phi);
	kfree_sensitive(work);
	return err;
}

/* out = d mod (prime - 1) */
static int finish_crt_exponent(const struct search *s, MPI d, MPI less, u8 *out)
{
	MPI rest = mpi_alloc(0);
	int err = -ENOMEM;

	if (rest)
		err = luna_mpi(mpi_mulm(rest, d, s->one, less));
	err = err ?: luna_mpi_write(rest, out, s->half);
	mpi_free(rest);
	return err;
}

/* qi = q^(p - 2) mod p */
static int finish_coefficient(const struct search *s, MPI p, MPI q, u8 *out)
{
	MPI exponent = mpi_alloc(0), inverse = mpi_alloc(0);
	int err = -ENOMEM;

	if (exponent && inverse) {
		err = mpi_sub_ui(exponent, p, 2);
		err = err ?: mpi_powm(inverse, q, exponent, p);
		err = err ?: luna_mpi_write(inverse, out, s->half);
	}
	mpi_free(inverse);
	mpi_free(exponent);
	return err;
}

static int finish_modulus(struct luna_rsa_made *made, MPI p, MPI q)
{
	MPI n = mpi_alloc(0);
	int err = -ENOMEM;

	if (n) {
		err = luna_mpi(mpi_mul(n, p, q));
		err = err ?: luna_mpi_write(n, made->n, made->bits / 8);
	}
	mpi_free(n);
	return err;
}

/* All numbers from the primes, which are in @made already */
static int finish(const struct search *s, struct luna_rsa_made *made)
{
	MPI p = luna_mpi_read(made->p, s->half), q = luna_mpi_read(made->q, s->half);
	MPI p1 = mpi_alloc(0), q1 = mpi_alloc(0), d = NULL;
	int err = -ENOMEM;

	if (p && q && p1 && q1) {
		err = mpi_sub_ui(p1, p, 1);
		err = err ?: mpi_sub_ui(q1, q, 1);
		err = err ?: finish_modulus(made, p, q);
		err = err ?: finish_exponent(made, p1, q1, s->e);
	}
	if (!err)
		d = luna_mpi_read(made->d, made->bits / 8);
	if (!err && !d)
		err = -ENOMEM;
	err = err ?: finish_crt_exponent(s, d, p1, made->dp);
	err = err ?: finish_crt_exponent(s, d, q1, made->dq);
	err = err ?: finish_coefficient(s, p, q, made->qi);
	mpi_free(d);
	mpi_free(q1);
	mpi_free(p1);
	mpi_free(q);
	mpi_free(p);
	return err;
}

/* The larger prime is p, and both are far apart. */
static int find_primes(struct search *s, struct luna_rsa_made *made)
{
	int err = search_prime(s);

	if (err)
		return err;
	memcpy(made->p, s->at, s->half);
	do {
		err = search_prime(s);
		if (err)
			return err;
	} while (!memcmp(made->p, s->at, APART_BYTES));
	memcpy(made->q, s->at, s->half);
	if (memcmp(made->p, made->q, s->half) < 0) {
		memcpy(made->q, made->p, s->half);
		memcpy(made->p, s->at, s->half);
	}
	return 0;
}

static int generate(u32 bits, u64 e, struct luna_rsa_made *made)
{
	struct search *s = search_new(bits, e);
	int err;

	if (!s)
		return -ENOMEM;
	made->bits = bits;
	err = find_primes(s, made);
	if (!err)
		err = finish(s, made);
	search_free(s);
	return err;
}

/* Return: the exponent, or 0 if keys cannot be made with it */
static u64 exponent_word(const u8 *e, size_t len)
{
	u64 word = 0;

	for (; len && !*e; len--)
		e++;
	if (len > sizeof(word))
		return 0;
	for (; len; len--)
		word = word << 8 | *e++;
	return word >= 3 && word % 2 && !(word >> 63) ? word : 0;
}

struct luna_rsa_made *luna_krsa_generate(u32 bits, const u8 *e, size_t e_len)
{
	u64 word = exponent_word(e, e_len);
	struct luna_rsa_made *made;
	int err;

	if (!word || !luna_krsa_bits_fit(bits))
		return ERR_PTR(-EINVAL);
	made = kzalloc(sizeof(*made), GFP_KERNEL);
	if (!made)
		return ERR_PTR(-ENOMEM);
	err = down_killable(&generators);
	if (!err) {
		err = generate(bits, word, made);
		up(&generators);
	}
	if (!err)
		return made;
	kfree_sensitive(made);
	return ERR_PTR(err);
}
