// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Writing the log: records are appended under log->lock, so that their order in the store is the
 * order in which they count, and made durable under log->sync by one writer for all who appended
 * before (group commit). A lone writer costs one append and one flush.
 */
#include "log_file.h"
#include "object.h"
#include "session.h"
#include "state.h"

/* Records to be appended in one piece: all count or none. */
struct batch {
	u8 *data;
	u32 len;
	u32 count;
	bool vital;	/* all of them are */
	u64 last;	/* sequence of the last one, once sealed; 0 before */
};

/* A record to be made. */
struct item {
	u8 type;
	u8 flags;
	u32 handle;
	const u8 *data;
	u32 len;
};

static int batch_init(struct batch *batch, u64 size, u32 count)
{
	memset(batch, 0, sizeof(*batch));
	batch->vital = true;
	if (size > S32_MAX)
		return -ENOMEM;
	batch->data = kvmalloc(size, GFP_KERNEL);
	return batch->data ? 0 : -ENOMEM;
}

/*
 * Headers are provisional, with a salt of 0, until batch_seal() knows the record's place in the
 * log: a rewrite may still change the log's salt.
 */
static void batch_add(struct batch *batch, const struct item *item)
{
	struct luna_rec rec = {
		.type = item->type,
		.flags = item->flags,
		.handle = item->handle,
		.len = item->len,
		.crc = luna_crc32(item->data, item->len),
	};
	u8 *out = batch->data + batch->len;
	u32 size = luna_rec_size(item->len);

	luna_rec_put(0, &rec, out);
	if (item->len)
		memcpy(out + LUNA_REC_HEAD, item->data, item->len);
	memset(out + LUNA_REC_HEAD + item->len, 0, size - LUNA_REC_HEAD - item->len);
	batch->len += size;
	batch->count++;
	batch->vital = batch->vital && luna_rec_vital(item->type);
}

/* Steps through the records of a batch, whose headers this file has written. */
static u8 *batch_next(const struct batch *batch, u32 salted, u32 *at, struct luna_rec *rec)
{
	u8 *head = batch->data + *at;

	if (*at == batch->len || !luna_rec_get(salted, rec, head))
		return NULL;
	*at += luna_rec_size(rec->len);
	return head;
}

static void batch_seal(struct luna_log *log, struct batch *batch)
{
	struct luna_rec rec;
	u32 at = 0;
	u8 *head;

	batch->last = log->next - 1;
	while ((head = batch_next(batch, 0, &at, &rec)) != NULL) {
		rec.sequence = ++batch->last;
		rec.durable = log->durable;
		if (at < batch->len)
			rec.flags |= LUNA_REC_MORE;
		luna_rec_put(log->salted, &rec, head);
	}
}

static void batch_note(struct luna_log *log, struct batch *batch)
{
	struct luna_rec rec;
	u32 start = 0, at = 0;

	while (batch_next(batch, log->salted, &at, &rec)) {
		luna_log_note(&log->live, &rec, log->size + start);
		start = at;
	}
	log->size += batch->len;
	log->next = batch->last + 1;
	log->dirty = true;
}

/*
 * After an append that failed: cut off what it may have left. Not beside a flush, hence not under
 * log->lock alone.
 */
static void log_repair(struct luna_log *log)
{
	int err;

	guard(rwsem_write)(&log->sync);
	guard(mutex)(&log->lock);
	if (!log->torn || log->failed)
		return;
	err = log->ops->truncate(log->store, log->size);
	log->reserved = 0;
	if (err) {
		pr_err("slot %u: the store cannot be cut back after a failed write: %d\n",
		       log->slot, err);
		log->failed = true;
		return;
	}
	log->torn = false;
	luna_log_reserve(log);
}

/* Takes log->lock with the log's end fit to be appended to. */
static void log_lock(struct luna_log *log)
{
	mutex_lock(&log->lock);
	while (log->torn && !log->failed) {
		mutex_unlock(&log->lock);
		log_repair(log);
		mutex_lock(&log->lock);
	}
}

/* What the backends say of a full place has one name, everything else that fails another. */
static int store_error(int err)
{
	switch (err) {
	case -ENOSPC:
	case -EDQUOT:
	case -EFBIG:
		return -ENOSPC;
	case -ENOMEM:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static int log_append_locked(struct luna_log *log, struct batch *batch)
{
	int err;

	if (log->failed || !log->size)
		return -EIO;
	if (luna_index_reserve(&log->live.index, batch->count))
		return -ENOMEM;
	err = luna_log_room(log, batch->len, batch->vital);
	if (err)
		return store_error(err);
	batch_seal(log, batch);
	err = log->ops->append(log->store, batch->data, batch->len);
	if (err) {
		log->torn = true;
		pr_err("slot %u: writing %u bytes to the store fails: %d\n", log->slot,
		       batch->len, err);
		return store_error(err);
	}
	batch_note(log, batch);
	return 0;
}

static int log_append_once(struct luna_log *log, struct batch *batch)
{
	int err;

	log_lock(log);
	err = log_append_locked(log, batch);
	mutex_unlock(&log->lock);
	return err;
}

static int log_append(struct luna_log *log, struct batch *batch)
{
	int err = log_append_once(log, batch);

	if (err == -ENOSPC && !batch->last && luna_log_squeeze(log))
		err = log_append_once(log, batch);
	if (err)
		log_repair(log);
	return err;
}

/* Is record @last durable? If not, what is to be flushed for it, as the log stands now. */
static bool commit_done(struct luna_log *log, u64 last, u64 *next, u64 *size)
{
	guard(mutex)(&log->lock);
	*next = log->next;
	*size = log->size;
	return last < log->synced;
}

static int commit_end(struct luna_log *log, u64 next, u64 size, int err)
{
	guard(mutex)(&log->lock);
	if (err) {
		/* Which pages got lost is unknown, and a second flush would not say. */
		log->failed = true;
		pr_err("slot %u: flushing the store fails: %d\n", log->slot, err);
		return -EIO;
	}
	log->synced = next;
	log->durable = size;
	return 0;
}

/* Waits for a flush under way, if any: it may be that of record @last. */
static bool commit_shared(struct luna_log *log, u64 last)
{
	u64 next, size;

	guard(rwsem_read)(&log->sync);
	return commit_done(log, last, &next, &size);
}

/*
 * Returns when record @last and all before it are durable. Writers that come while a flush is under
 * way wait for its end as readers, who are let go all at once and do not queue for the lock one by
 * one; those whose record came too late for it elect the next to flush for all.
 */
static int log_commit(struct luna_log *log, u64 last)
{
	u64 next, size;

	if (commit_shared(log, last))
		return 0;
	guard(rwsem_write)(&log->sync);
	if (commit_done(log, last, &next, &size))
		return 0;
	if (log->failed)
		return -EIO;
	return commit_end(log, next, size, log->ops->sync(log->store));
}

/* Not before its own flush, during which another's command would find it due. */
static void log_judge(struct luna_log *log)
{
	guard(mutex)(&log->lock);
	WRITE_ONCE(log->due, !log->compacting && luna_log_worth(log));
}

static int log_write(struct luna_log *log, struct batch *batch, bool durable)
{
	int err = log_append(log, batch);

	if (!err && durable)
		err = log_commit(log, batch->last);
	kvfree(batch->data);
	if (!err)
		log_judge(log);
	return err;
}

static int log_write_one(struct luna_log *log, const struct item *item, bool durable)
{
	struct batch batch;

	if (!log)
		return -EIO;
	if (item->len > LUNA_REC_MAX || batch_init(&batch, luna_rec_size(item->len), 1))
		return -ENOMEM;
	batch_add(&batch, item);
	return log_write(log, &batch, durable);
}

int luna_log_put(struct luna_token *token, const struct luna_log_object *objs, u32 count)
{
	struct luna_log *log = token->log;
	struct batch batch;
	struct item item;
	u64 size = 0;
	u32 i;

	if (!log)
		return -EIO;
	if (!count)
		return 0;
	for (i = 0; i < count; i++) {
		if (objs[i].len > LUNA_REC_MAX)
			return -ENOMEM;
		size += luna_rec_size(objs[i].len);
	}
	if (batch_init(&batch, size, count))
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		item = (struct item){
			.type = LUNA_REC_PUT,
			.flags = objs[i].private ? LUNA_REC_PRIVATE : 0,
			.handle = objs[i].handle,
			.data = objs[i].data,
			.len = objs[i].len,
		};
		batch_add(&batch, &item);
	}
	return log_write(log, &batch, true);
}

int luna_log_delete(struct luna_token *token, u32 handle)
{
	struct item item = { .type = LUNA_REC_DELETE, .handle = handle };

	return log_write_one(token->log, &item, true);
}

int luna_log_clear(struct luna_token *token, const struct luna_state *state)
{
	struct item clear = { .type = LUNA_REC_CLEAR }, item = { .type = LUNA_REC_STATE };
	struct batch batch;
	u8 *data;
	int err;

	if (!token->log)
		return -EIO;
	data = luna_state_pack(state, &item.len);
	if (IS_ERR(data))
		return PTR_ERR(data);
	item.data = data;
	err = batch_init(&batch, luna_rec_size(0) + luna_rec_size(item.len), 2);
	if (!err) {
		batch_add(&batch, &clear);
		batch_add(&batch, &item);
		err = log_write(token->log, &batch, true);
	}
	kfree(data);
	return err;
}

int luna_log_attempts(struct luna_token *token, int role, u32 failed, bool locked, bool durable)
{
	u8 data[LUNA_ATTEMPTS_LEN];
	struct item item = {
		.type = LUNA_REC_ATTEMPTS,
		.handle = role,
		.data = data,
		.len = sizeof(data),
	};

	put_unaligned_le32(failed, data);
	put_unaligned_le32(locked, data + 4);
	return log_write_one(token->log, &item, durable);
}

/* Nothing was ever written, so that the first state begins the log. */
static bool log_is_new(struct luna_log *log)
{
	guard(mutex)(&log->lock);
	return !log->size && !log->failed;
}

int luna_log_state(struct luna_token *token, const u8 *data, u32 len)
{
	struct item item = { .type = LUNA_REC_STATE, .data = data, .len = len };

	if (token->log && log_is_new(token->log))
		return luna_log_begin(token->log, data, len);
	return log_write_one(token->log, &item, true);
}

int luna_log_restart(struct luna_token *token, const struct luna_state *state)
{
	u32 len;
	u8 *data;
	int err;

	if (!token->log)
		return -EIO;
	data = luna_state_pack(state, &len);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = luna_log_begin(token->log, data, len);
	kfree(data);
	return err;
}

u64 luna_log_used(struct luna_token *token)
{
	struct luna_log *log = token->log;
	u64 used;

	if (!log)
		return 0;
	mutex_lock(&log->lock);
	used = log->size ? luna_log_live(log) : 0;
	mutex_unlock(&log->lock);
	return used;
}

bool luna_log_persistent(const struct luna_token *token)
{
	return token->log && token->log->ops->persistent;
}

static struct luna_log *log_new(struct luna_token *token, const struct luna_store_ops *ops,
				void *store)
{
	struct luna_log *log = kzalloc(sizeof(*log), GFP_KERNEL);

	if (!log)
		return NULL;
	log->ops = ops;
	log->store = store;
	log->crypto = token->crypto;
	log->slot = token->config.slot;
	mutex_init(&log->rewriting);
	init_rwsem(&log->sync);
	mutex_init(&log->lock);
	return log;
}

int luna_log_open(struct luna_token *token, const struct luna_store_ops *ops, void *store)
{
	bool made = !token->state;
	int err;

	token->log = log_new(token, ops, store);
	if (made)
		token->state = kzalloc(sizeof(*token->state), GFP_KERNEL);
	err = token->log && token->state ? luna_log_load(token, token->log) : -ENOMEM;
	if (!err)
		return 0;
	luna_objects_drop_all(token);
	if (err == -ENOMEM) {
		luna_log_close(token);
		if (made) {
			kfree_sensitive(token->state);
			token->state = NULL;
		}
		return err;
	}
	token->log->failed = true;
	token->damaged = true;
	return err;
}

/*
 * A log that is closed well ends with a mark, which says that all before it was flushed: damage to
 * the last record can then be told from a write that a power cut tore.
 */
static void log_finish(struct luna_log *log)
{
	struct item mark = { .type = LUNA_REC_MARK };

	if (!log->failed && log->dirty && !log_commit(log, log->next - 1))
		log_write_one(log, &mark, false);
}

static void log_free(struct luna_log *log)
{
	luna_index_free(&log->live.index);
	mutex_destroy(&log->lock);
	mutex_destroy(&log->rewriting);
	kfree(log);
}

void luna_log_close(struct luna_token *token)
{
	struct luna_log *log = token->log;

	if (!log)
		return;
	log_finish(log);
	log_free(log);
	token->log = NULL;
}

int luna_log_export(struct luna_token *token, const struct luna_store_ops *ops, void *store)
{
	struct luna_log *to;
	int err;

	if (!token->log)
		return -EIO;
	to = log_new(token, ops, store);
	if (!to)
		return -ENOMEM;
	err = luna_log_write_to(token->log, to);
	log_free(to);
	return err;
}

int luna_log_import(struct luna_token *token, struct luna_token *image)
{
	int err;

	if (!token->log || !image->log)
		return -EIO;
	err = luna_log_read_from(token->log, image->log);
	if (!err)
		atomic_set(&token->next_handle, token->log->live.top);
	return err;
}
