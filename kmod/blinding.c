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
			err = err ?: mpi_powm(pair->unblind, r, b->inverter, b->n);
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

int luna_blinder_init(struct luna_blinder *b, const u8 *modulus, u32 size, struct luna_num e,
		      struct luna_num d)
{
	MPI exponent = luna_mpi_read(d.data, d.len), product = mpi_alloc(0);
	int err = -ENOMEM;

	spin_lock_init(&b->lock);
	INIT_LIST_HEAD(&b->idle);
	b->size = size;
	b->n = luna_mpi_read(modulus, size);
	b->e = luna_mpi_read(e.data, e.len);
	b->inverter = mpi_alloc(0);
	if (exponent && product && b->n && b->e && b->inverter) {
		err = luna_mpi(mpi_mul(product, b->e, exponent));
		err = err ?: mpi_sub_ui(b->inverter, product, 2);
	}
	mpi_free(product);
	mpi_free(exponent);
	return err;
}

void luna_blinder_exit(struct luna_blinder *b)
{
	struct luna_blinding *pair, *next;

	if (!b->size)
		return;
	list_for_each_entry_safe(pair, next, &b->idle, list)
		pair_free(pair);
	mpi_free(b->inverter);
	mpi_free(b->e);
	mpi_free(b->n);
}
