// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Base blinding: the factors, and whose they are.
 */
#include "blinding.h"

static void pair_free(struct luna_blinding *pair)
{
	if (!pair)
		return;
	mpi_free(pair->blind);
	mpi_free(pair->unblind);
	kfree(pair);
}

static MPI random_below(MPI n, u32 size)
{
	u8 *bytes = kmalloc(size, GFP_KERNEL);
	const u8 one = 1;
	MPI r, unit, reduced;

	if (!bytes)
		return NULL;
	get_random_bytes(bytes, size);
	r = luna_mpi_read(bytes, size);
	unit = luna_mpi_read(&one, 1);
	reduced = mpi_alloc(0);
	kfree_sensitive(bytes);
	if (!r || !unit || !reduced || luna_mpi(mpi_mulm(reduced, r, unit, n))) {
		mpi_free(reduced);
		reduced = NULL;
	}
	mpi_free(unit);
	mpi_free(r);
	return reduced;
}

/* out = r^(prime - 2) mod prime */
static int invert_prime(MPI out, MPI r, MPI prime)
{
	MPI exponent = mpi_alloc(0);
	int err = -ENOMEM;

	if (exponent) {
		err = luna_mpi(mpi_sub_ui(exponent, prime, 2));
		err = err ?: mpi_powm(out, r, exponent, prime);
	}
	mpi_free(exponent);
	return err;
}

/* out = mod_q + q * (qi * (mod_p - mod_q) mod p) (RFC 8017, 5.1.2) */
static int recombine(const struct luna_blinder *b, MPI out, MPI mod_p, MPI mod_q)
{
	MPI difference = mpi_alloc(0), factor = mpi_alloc(0), product = mpi_alloc(0);
	int err = -ENOMEM;

	if (difference && factor && product) {
		err = luna_mpi(mpi_subm(difference, mod_p, mod_q, b->p));
		err = err ?: luna_mpi(mpi_mulm(factor, difference, b->qi, b->p));
		err = err ?: luna_mpi(mpi_mul(product, factor, b->q));
		err = err ?: luna_mpi(mpi_add(out, product, mod_q));
	}
	mpi_free(product);
	mpi_free(factor);
	mpi_free(difference);
	return err;
}

/* out = r^-1 mod n. By the primes that costs a quarter. */
static int invert(const struct luna_blinder *b, MPI out, MPI r)
{
	MPI mod_p, mod_q;
	int err = -ENOMEM;

	if (b->inverter)
		return mpi_powm(out, r, b->inverter, b->n);
	mod_p = mpi_alloc(0);
	mod_q = mpi_alloc(0);
	if (mod_p && mod_q) {
		err = invert_prime(mod_p, r, b->p);
		err = err ?: invert_prime(mod_q, r, b->q);
		err = err ?: recombine(b, out, mod_p, mod_q);
	}
	mpi_free(mod_q);
	mpi_free(mod_p);
	return err;
}

static struct luna_blinding *pair_new(const struct luna_blinder *b)
{
	struct luna_blinding *pair = kzalloc(sizeof(*pair), GFP_KERNEL_ACCOUNT);
	MPI r = random_below(b->n, b->size);
	int err = -ENOMEM;

	if (pair && r) {
		pair->blind = mpi_alloc(0);
		pair->unblind = mpi_alloc(0);
		if (pair->blind && pair->unblind) {
			err = mpi_powm(pair->blind, r, b->e, b->n);
			err = err ?: invert(b, pair->unblind, r);
		}
	}
	mpi_free(r);
	if (!err)
		return pair;
	pair_free(pair);
	return ERR_PTR(err == -ENOMEM ? -ENOMEM : -EIO);
}

struct luna_blinding *luna_blinding_take(struct luna_blinder *b)
{
	struct luna_blinding *pair;

	spin_lock(&b->lock);
	pair = list_first_entry_or_null(&b->idle, struct luna_blinding, list);
	if (pair)
		list_del(&pair->list);
	spin_unlock(&b->lock);
	return pair ? pair : pair_new(b);
}

/* The pair of r becomes that of r^2. */
static int square(const struct luna_blinder *b, struct luna_blinding *pair)
{
	MPI blind = mpi_alloc(0), unblind = mpi_alloc(0);
	int err = -ENOMEM;

	if (blind && unblind) {
		err = luna_mpi(mpi_mulm(blind, pair->blind, pair->blind, b->n));
		err = err ?: luna_mpi(mpi_mulm(unblind, pair->unblind, pair->unblind, b->n));
	}
	if (!err) {
		swap(pair->blind, blind);
		swap(pair->unblind, unblind);
	}
	mpi_free(unblind);
	mpi_free(blind);
	return err;
}

void luna_blinding_give(struct luna_blinder *b, struct luna_blinding *pair)
{
	if (square(b, pair)) {
		pair_free(pair);
		return;
	}
	spin_lock(&b->lock);
	list_add(&pair->list, &b->idle);
	spin_unlock(&b->lock);
}

int luna_blinding_multiply(const struct luna_blinder *b, u8 *bytes, MPI factor)
{
	MPI a = luna_mpi_read(bytes, b->size), product = mpi_alloc(0);
	int err = -ENOMEM;

	if (a && product)
		err = luna_mpi(mpi_mulm(product, a, factor, b->n));
	if (!err)
		err = luna_mpi_write(product, bytes, b->size);
	mpi_free(product);
	mpi_free(a);
	return err;
}

static int set_inverter(struct luna_blinder *b, struct luna_num d)
{
	MPI exponent = luna_mpi_read(d.data, d.len), product = mpi_alloc(0);
	int err = -ENOMEM;

	b->inverter = mpi_alloc(0);
	if (exponent && product && b->inverter) {
		err = luna_mpi(mpi_mul(product, b->e, exponent));
		err = err ?: luna_mpi(mpi_sub_ui(b->inverter, product, 2));
	}
	mpi_free(product);
	mpi_free(exponent);
	return err;
}

int luna_blinder_init(struct luna_blinder *b, const u8 *modulus, u32 size,
		      const struct luna_rsa_nums *k, bool crt)
{
	spin_lock_init(&b->lock);
	INIT_LIST_HEAD(&b->idle);
	b->size = size;
	b->n = luna_mpi_read(modulus, size);
	b->e = luna_mpi_read(k->e.data, k->e.len);
	if (!b->n || !b->e)
		return -ENOMEM;
	if (!crt)
		return set_inverter(b, k->d);
	b->p = luna_mpi_read(k->p.data, k->p.len);
	b->q = luna_mpi_read(k->q.data, k->q.len);
	b->qi = luna_mpi_read(k->qi.data, k->qi.len);
	return b->p && b->q && b->qi ? 0 : -ENOMEM;
}

void luna_blinder_exit(struct luna_blinder *b)
{
	struct luna_blinding *pair, *next;

	if (!b->size)
		return;
	list_for_each_entry_safe(pair, next, &b->idle, list)
		pair_free(pair);
	mpi_free(b->inverter);
	mpi_free(b->qi);
	mpi_free(b->q);
	mpi_free(b->p);
	mpi_free(b->e);
	mpi_free(b->n);
}
