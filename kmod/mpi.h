/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Between rsa.c, blinding.c and keygen.c: MPIs to and from bytes. Every MPI is wiped when
 * it is freed.
 */
#ifndef LUNA_KMOD_MPI_H
#define LUNA_KMOD_MPI_H

#include <linux/mpi.h>

#include "engine.h"

/* luna_mpi_read() - an MPI of @len big-endian bytes; NULL without memory */
static inline MPI luna_mpi_read(const u8 *data, u32 len)
{
	return mpi_read_raw_data(data, len);
}

/* luna_mpi_write() - @len big-endian bytes with leading zeros; -EIO if it does not fit */
int luna_mpi_write(MPI a, u8 *out, u32 len);

#endif /* LUNA_KMOD_MPI_H */
