// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A map from ascending handles to pointers; see table.h. */
#include "table.h"

enum { TABLE_MIN = 16 };

void luna_table_init(struct luna_table *table)
{
	memset(table, 0, sizeof(*table));
}

void luna_table_free(struct luna_table *table)
{
	kvfree(table->rows);
	luna_table_init(table);
}

/* Index of the first row with a handle of at least @handle. */
static u32 table_lower(const struct luna_table *table, u32 handle)
{
	u32 lo = 0, hi = table->used, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (table->rows[mid].handle < handle)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Squeezes tombstones out; amortised over as many removals. */
static void table_compact(struct luna_table *table)
{
	u32 from, to = 0;

	for (from = 0; from < table->used; from++)
		if (table->rows[from].item)
			table->rows[to++] = table->rows[from];
	table->used = to;
}

int luna_table_reserve(struct luna_table *table, u32 more)
{
	struct luna_table_row *rows;
	u32 need, room;

	if (check_add_overflow(table->used, more, &need))
		return -ENOMEM;
	if (need <= table->room)
		return 0;
	room = max_t(u32, need, max_t(u32, table->room + table->room / 2, TABLE_MIN));
	rows = kvmalloc_array(room, sizeof(*rows), GFP_KERNEL);
	if (!rows)
		return -ENOMEM;
	if (table->used)
		memcpy(rows, table->rows, array_size(table->used, sizeof(*rows)));
	kvfree(table->rows);
	table->rows = rows;
	table->room = room;
	return 0;
}

int luna_table_insert(struct luna_table *table, u32 handle, void *item)
{
	u32 at = table_lower(table, handle);
	int ret;

	/* The row of one that was removed needs no memory: luna_dir_replace() relies on it. */
	if (at < table->used && table->rows[at].handle == handle) {
		if (table->rows[at].item)
			return -EEXIST;
	} else {
		ret = luna_table_reserve(table, 1);
		if (ret)
			return ret;
		memmove(table->rows + at + 1, table->rows + at,
			array_size(table->used - at, sizeof(*table->rows)));
		table->used++;
	}
	table->rows[at].handle = handle;
	table->rows[at].item = item;
	table->live++;
	return 0;
}

void *luna_table_find(const struct luna_table *table, u32 handle)
{
	u32 at = table_lower(table, handle);

	if (at == table->used || table->rows[at].handle != handle)
		return NULL;
	return table->rows[at].item;
}

void *luna_table_remove(struct luna_table *table, u32 handle)
{
	u32 at = table_lower(table, handle);
	void *item;

	if (at == table->used || table->rows[at].handle != handle)
		return NULL;
	item = table->rows[at].item;
	if (!item)
		return NULL;
	table->rows[at].item = NULL;
	table->live--;
	if (table->used > TABLE_MIN && table->live < table->used / 2)
		table_compact(table);
	return item;
}

void *luna_table_next(const struct luna_table *table, u32 after, u32 *handle)
{
	u32 at;

	if (after == U32_MAX)
		return NULL;
	for (at = table_lower(table, after + 1); at < table->used; at++) {
		if (table->rows[at].item) {
			*handle = table->rows[at].handle;
			return table->rows[at].item;
		}
	}
	return NULL;
}
