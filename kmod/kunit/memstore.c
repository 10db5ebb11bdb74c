// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A store in memory, for tests. Its own memory is the test's, not the engine's: host.h. */
#include "host.h"
#include "memstore.h"

/* Room doubles, since a token's log grows by many small appends. */
static void bytes_grow(struct memstore_bytes *bytes, size_t room)
{
	u8 *grown;

	if (room <= bytes->room)
		return;
	bytes->room = max(room, 2 * bytes->room);
	grown = luna_test_alloc(bytes->room);
	if (bytes->len)
		memcpy(grown, bytes->data, bytes->len);
	luna_test_free(bytes->data);
	bytes->data = grown;
}

static void bytes_append(struct memstore_bytes *bytes, const void *data, size_t len)
{
	bytes_grow(bytes, bytes->len + len);
	if (len)
		memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

static void bytes_free(struct memstore_bytes *bytes)
{
	luna_test_free(bytes->data);
	*bytes = (struct memstore_bytes){ 0 };
}

struct memstore *memstore_new(void)
{
	struct memstore *store = luna_test_alloc(sizeof(*store));

	mutex_init(&store->lock);
	return store;
}

void memstore_free(struct memstore *store)
{
	if (!store)
		return;
	bytes_free(&store->content);
	bytes_free(&store->next);
	mutex_destroy(&store->lock);
	luna_test_free(store);
}

struct memstore *memstore_image(const struct memstore *store, size_t len)
{
	struct memstore *image = memstore_new();

	bytes_append(&image->content, store->content.data, min(len, store->content.len));
	image->synced = image->content.len;
	return image;
}

void memstore_fail(struct memstore *store, enum memstore_call call, u64 nth, int error, size_t torn)
{
	mutex_lock(&store->lock);
	store->faults[call].at = nth ? store->calls[call] + nth : 0;
	store->faults[call].error = error;
	store->faults[call].torn = torn;
	store->faults[call].lasting = false;
	mutex_unlock(&store->lock);
}

void memstore_break(struct memstore *store, enum memstore_call call, u64 nth, int error)
{
	memstore_fail(store, call, nth, error, 0);
	store->faults[call].lasting = true;
}

/* Every operation is one turn: locked, counted, failing if told so, watched if it succeeded. */
static int turn_begin(struct memstore *store, enum memstore_call call)
{
	u64 nth, at;

	mutex_lock(&store->lock);
	nth = ++store->calls[call];
	at = store->faults[call].at;
	if (at && (nth == at || (store->faults[call].lasting && nth > at)))
		return store->faults[call].error;
	return 0;
}

static int turn_end(struct memstore *store, int err, bool changed)
{
	if (changed && store->changed)
		store->changed(store, store->changed_arg);
	mutex_unlock(&store->lock);
	return err;
}

static int memstore_size(void *arg, u64 *size)
{
	struct memstore *store = arg;

	mutex_lock(&store->lock);
	*size = store->content.len;
	mutex_unlock(&store->lock);
	return 0;
}

static int memstore_read(void *arg, u64 offset, void *buf, size_t len)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_READ);

	if (!err && (offset > store->content.len || len > store->content.len - offset))
		err = -EIO;
	if (!err && len)
		memcpy(buf, store->content.data + offset, len);
	return turn_end(store, err, false);
}

/* Would both have room if one of them had @end bytes and the other @other? */
static int room_check(const struct memstore *store, size_t end, size_t other)
{
	return store->room && (end > store->room || other > store->room - end) ? -ENOSPC : 0;
}

static size_t content_takes(const struct memstore *store)
{
	return max(store->content.len, store->kept);
}

static size_t next_takes(const struct memstore *store)
{
	return max(store->next.len, store->next_kept);
}

static int memstore_append(void *arg, const void *buf, size_t len)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_APPEND);

	if (!err && store->content.len + len > store->kept)
		err = room_check(store, store->content.len + len, next_takes(store));
	bytes_append(&store->content, buf,
		     err ? min(len, store->faults[MEMSTORE_APPEND].torn) : len);
	return turn_end(store, err, true);
}

static int memstore_reserve(void *arg, u64 end)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_RESERVE);

	if (!err && end > store->kept)
		err = room_check(store, end, next_takes(store));
	if (!err)
		store->kept = end ? max_t(size_t, store->kept, end) : 0;
	return turn_end(store, err, false);
}

static int memstore_truncate(void *arg, u64 size)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_TRUNCATE);

	if (!err && size > store->content.len)
		err = -EINVAL;
	if (!err) {
		store->kept = size < store->content.len ? 0 : store->kept;
		store->content.len = size;
		store->synced = min(store->synced, (size_t)size);
	}
	return turn_end(store, err, !err);
}

static int memstore_sync(void *arg)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_SYNC);

	if (!err)
		store->synced = store->content.len;
	return turn_end(store, err, !err);
}

static int memstore_replace_begin(void *arg, u64 size)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_REPLACE_BEGIN);

	if (!err && store->replacing)
		err = -EBUSY;
	if (!err)
		err = room_check(store, size, content_takes(store));
	if (!err) {
		store->next_kept = size;
		store->replacing = true;
	}
	return turn_end(store, err, !err);
}

static int memstore_replace_append(void *arg, const void *buf, size_t len)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_REPLACE_APPEND);

	if (!err && !store->replacing)
		err = -EINVAL;
	if (!err && store->next.len + len > store->next_kept)
		err = room_check(store, store->next.len + len, content_takes(store));
	if (!err)
		bytes_append(&store->next, buf, len);
	return turn_end(store, err, !err);
}

static int memstore_replace_sync(void *arg)
{
	struct memstore *store = arg;

	return turn_end(store, turn_begin(store, MEMSTORE_REPLACE_SYNC), false);
}

static int memstore_replace_commit(void *arg)
{
	struct memstore *store = arg;
	int err = turn_begin(store, MEMSTORE_REPLACE_COMMIT);

	if (!err && !store->replacing)
		err = -EINVAL;
	if (!err) {
		bytes_free(&store->content);
		store->content = store->next;
		store->next = (struct memstore_bytes){ 0 };
		store->kept = store->next_kept;
		store->next_kept = 0;
		store->synced = store->content.len;
		store->replacing = false;
	}
	return turn_end(store, err, !err);
}

static void memstore_replace_abort(void *arg)
{
	struct memstore *store = arg;

	mutex_lock(&store->lock);
	bytes_free(&store->next);
	store->next_kept = 0;
	store->replacing = false;
	mutex_unlock(&store->lock);
}

const struct luna_store_ops memstore_ops = {
	.size = memstore_size,
	.read = memstore_read,
	.append = memstore_append,
	.truncate = memstore_truncate,
	.sync = memstore_sync,
	.reserve = memstore_reserve,
	.replace_begin = memstore_replace_begin,
	.replace_append = memstore_replace_append,
	.replace_sync = memstore_replace_sync,
	.replace_commit = memstore_replace_commit,
	.replace_abort = memstore_replace_abort,
	.persistent = true,
};
