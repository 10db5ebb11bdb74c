/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A store in memory, for tests: fails when told to, and gives the images that a crash could leave.
 */
#ifndef LUNA_KUNIT_MEMSTORE_H
#define LUNA_KUNIT_MEMSTORE_H

#include "engine.h"

enum memstore_call {
	MEMSTORE_READ,
	MEMSTORE_APPEND,
	MEMSTORE_TRUNCATE,
	MEMSTORE_SYNC,
	MEMSTORE_RESERVE,
	MEMSTORE_REPLACE_BEGIN,
	MEMSTORE_REPLACE_APPEND,
	MEMSTORE_REPLACE_SYNC,
	MEMSTORE_REPLACE_COMMIT,
	MEMSTORE_CALLS
};

struct memstore_bytes {
	u8 *data;
	size_t len, room;
};

/**
 * struct memstore - the store argument of memstore_ops
 * @content: what a read returns
 * @synced: bytes of @content that survive any crash
 * @next: the replacement being written, while @replacing
 * @room: bytes that the place has for both, what is kept included; 0: no end of them
 * @kept, @next_kept: bytes of the place that are theirs, if not less than they have
 * @calls: made so far, by enum memstore_call
 * @changed: if set, called after every step that a crash could come after, with the lock held
 */
struct memstore {
	struct mutex lock;
	struct memstore_bytes content;
	size_t synced;
	struct memstore_bytes next;
	size_t room;
	size_t kept, next_kept;
	bool replacing;
	u64 calls[MEMSTORE_CALLS];
	struct {
		u64 at;
		int error;
		size_t torn;
		bool lasting;
	} faults[MEMSTORE_CALLS];
	void (*changed)(const struct memstore *store, void *arg);
	void *changed_arg;
};

extern const struct luna_store_ops memstore_ops;

struct memstore *memstore_new(void);
void memstore_free(struct memstore *store);

/**
 * memstore_image() - a new store with the first @len bytes of the content of @store
 * What a crash leaves is any such image with synced <= len <= content.len.
 */
struct memstore *memstore_image(const struct memstore *store, size_t len);

/**
 * memstore_fail() - let a call fail
 * @nth: which one, from 1 for the next; 0: none
 * @error: negative errno that it returns
 * @torn: of an append: bytes that it writes all the same
 */
void memstore_fail(struct memstore *store, enum memstore_call call, u64 nth, int error, size_t torn);

/* memstore_break() - let a call and all calls of its kind after it fail; memstore_fail() ends it */
void memstore_break(struct memstore *store, enum memstore_call call, u64 nth, int error);

#endif /* LUNA_KUNIT_MEMSTORE_H */
