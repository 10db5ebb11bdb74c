/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A map from ascending 32-bit handles to pointers: a sorted vector with tombstones. Handles are
 * given out in ascending order, so that an insertion is nearly always an append; a lookup is a
 * binary search; a walk in handle order from any handle is a walk along the vector. The caller
 * locks.
 */
#ifndef LUNA_TOKEN_TABLE_H
#define LUNA_TOKEN_TABLE_H

#include "port.h"

struct luna_table_row {
	u32 handle;
	void *item;		/* NULL: removed */
};

struct luna_table {
	struct luna_table_row *rows;
	u32 used, room, live;
};

void luna_table_init(struct luna_table *table);
void luna_table_free(struct luna_table *table);		/* the vector, not the items */
int luna_table_reserve(struct luna_table *table, u32 more);	/* so that insert cannot fail */
int luna_table_insert(struct luna_table *table, u32 handle, void *item); /* -ENOMEM, -EEXIST */
void *luna_table_find(const struct luna_table *table, u32 handle);
void *luna_table_remove(struct luna_table *table, u32 handle);	/* the item that was there */
/* First item with a handle above @after, whose handle is stored in @handle; NULL at the end. */
void *luna_table_next(const struct luna_table *table, u32 after, u32 *handle);

#endif /* LUNA_TOKEN_TABLE_H */
