/* SPDX-License-Identifier: MIT */
/*
 * The engine's store on files: tokenN.luna in a store directory, one for each token.
 */
#ifndef LUNA_STORE_FILE_H
#define LUNA_STORE_FILE_H

#include "engine.h"

struct store_dir;
struct store_file;

extern const struct luna_store_ops store_file_ops;

/**
 * store_file_open() - the store of one token, for store_file_ops
 * @dir: must stay open as long as the file
 *
 * What an interrupted replacement left behind is removed. A file that cannot be opened is reported
 * and fails all operations, the first of which is size().
 * Return: the file, empty if it is new, or ERR_PTR(-ENOMEM).
 */
struct store_file *store_file_open(const struct store_dir *dir, u32 slot);

void store_file_close(struct store_file *file);

#endif /* LUNA_STORE_FILE_H */
