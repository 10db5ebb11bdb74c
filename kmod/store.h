/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Where tokens are kept: in files of one directory, or in memory that swaps (shmem) and is gone
 * when the slot is. Token N is tokenN.luna, the daemon's own name and format, so that a store
 * directory can be handed from one to the other while neither uses it.
 *
 * The kernel offers modules no rename, with which the daemon replaces a log. Here a replacement is
 * written to tokenN.luna.alt, its header last, after a flush, and then carried over to tokenN.luna
 * in the same way; then the .alt file is emptied. A crash in between leaves one of the two whole.
 * At start, .alt counts if its header is whole and tokenN.luna's is not, or tells of a lower first
 * sequence; then it is carried over again. Otherwise .alt is no more than a torn replacement.
 */
#ifndef LUNA_KMOD_STORE_H
#define LUNA_KMOD_STORE_H

#include "engine.h"

struct luna_store;

/**
 * luna_store_init() - check and open the store directory
 * @dir: absolute path in init's root, of a directory of root's with mode 0700; empty or NULL:
 * volatile
 * Return: 0 or a negative errno, said in the log. -EBUSY: a luna-fuse uses it.
 */
int luna_store_init(const char *dir);
void luna_store_exit(void);

/**
 * luna_store_open() - the store of a slot, made if there is none
 * @slot: its number
 * Return: the store; one whose files cannot be opened fails every call with -EIO, which is said in
 * the log together with what to do. ERR_PTR(-ENOMEM), and for volatile ones others.
 */
struct luna_store *luna_store_open(u32 slot);
void luna_store_close(struct luna_store *store);

/* luna_store_ops() - the operations of what luna_store_open() returns */
const struct luna_store_ops *luna_store_ops(void);

#endif /* LUNA_KMOD_STORE_H */
