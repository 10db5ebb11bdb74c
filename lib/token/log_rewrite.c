// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Replacing the log as a whole, atomically: with one that holds a state alone (InitToken), with one
 * that holds the live records alone (compaction), or with the live records of another log (images).
 *
 * Compaction copies records from the old log by the places that log_record.c keeps. It looks at no
 * object in memory, so that an object whose writer has appended it but not yet shown it to anyone
 * is copied like every other. It works in a writer's thread with the others held back.
 */
#include "log_file.h"

enum {
	COMPACT_MIN = SZ_1M,	/* below this, garbage bothers nobody */
	COMPACT_SHORT = SZ_64K,	/* on a full disk, it does from here on */
	OUT_ROOM = SZ_64K,
};

/*
 * A replacement of @log being written, with records of @from, which may be the same. salted, base,
 * next and size are what these members of the log become, so far; out holds bytes that wait to be
 * appended.
 */
struct rewrite {
	struct luna_log *log;
	struct luna_log *from;
	struct luna_log_reader reader;
	u64 salt;
	u32 salted;
	u64 base;
	u64 next;
	u64 size;
	u8 *out;
	u32 out_len;
};

static int out_flush(struct rewrite *w)
{
	int err = 0;

	if (w->out_len)
		err = w->log->ops->replace_append(w->log->store, w->out, w->out_len);
	w->out_len = 0;
	return err;
}

static int out_bytes(struct rewrite *w, const u8 *data, u32 len)
{
	int err;

	if (len > OUT_ROOM - w->out_len) {
		err = out_flush(w);
		if (err)
			return err;
	}
	if (len > OUT_ROOM)
		return w->log->ops->replace_append(w->log->store, data, len);
	if (len)
		memcpy(w->out + w->out_len, data, len);
	w->out_len += len;
	return 0;
}

static int out_head(struct rewrite *w)
{
	u32 top = max(w->log->top, w->from->top);
	struct luna_log_head head = {
		.salt = w->salt,
		.sequence = w->next,
		.base = w->base,
		.top = top,
	};
	u8 bytes[LUNA_LOG_HEAD];

	luna_log_head_put(&head, bytes);
	w->size = LUNA_LOG_HEAD;
	return out_bytes(w, bytes, sizeof(bytes));
}

/* Appends a record; all of the new log is durable when it becomes the log. */
static int out_record(struct rewrite *w, struct luna_rec *rec, const u8 *payload)
{
	static const u8 zeros[LUNA_REC_ALIGN];
	u8 head[LUNA_REC_HEAD];
	u32 pad = luna_rec_size(rec->len) - LUNA_REC_HEAD - rec->len;
	int err;

	rec->sequence = w->next++;
	rec->durable = w->size;
	rec->flags &= ~LUNA_REC_MORE;
	luna_rec_put(w->salted, rec, head);
	w->size += luna_rec_size(rec->len);
	err = out_bytes(w, head, sizeof(head));
	if (!err)
		err = out_bytes(w, payload, rec->len);
	return err ? err : out_bytes(w, zeros, pad);
}

/* The live records in the order in which a rewrite has them. */
static int each_live(struct luna_log *log, int (*fn)(struct rewrite *w, struct luna_place *place),
		     struct rewrite *w)
{
	int err = fn(w, &log->state);
	u32 i;

	for (i = 0; i < LUNA_ROLES && !err; i++)
		if (log->attempts[i].size)
			err = fn(w, &log->attempts[i]);
	for (i = 0; i < log->index.used && !err; i++)
		if (log->index.rows[i].size)
			err = fn(w, &log->index.rows[i]);
	return err;
}

static int copy_record(struct rewrite *w, struct luna_place *place)
{
	struct luna_rec rec;
	const u8 *payload;
	int err = luna_log_reader_record(&w->reader, place, &rec, &payload);

	if (!err && luna_crc32(payload, rec.len) != rec.crc)
		err = -EBADMSG;
	if (err == -EBADMSG)
		pr_err("slot %u: the record at %llu of the store has been damaged\n",
		       w->from->slot, place->at);
	return err ? err : out_record(w, &rec, payload);
}

static int move_place(struct rewrite *w, struct luna_place *place)
{
	place->at = w->size;
	w->size += place->size;
	return 0;
}

static int copy_live(struct rewrite *w)
{
	return each_live(w->from, copy_record, w);
}

static int rewrite_init(struct rewrite *w, struct luna_log *log, struct luna_log *from, u64 base)
{
	int err;

	memset(w, 0, sizeof(*w));
	w->log = log;
	w->from = from;
	w->out = kvmalloc(OUT_ROOM, GFP_KERNEL);
	if (!w->out)
		return -ENOMEM;
	err = log->crypto->random(&w->salt, sizeof(w->salt));
	w->salted = luna_log_salted(w->salt);
	w->base = base;
	w->next = log->next;
	return err ? err : luna_log_reader_init(&w->reader, from, from->size);
}

static void rewrite_end(struct rewrite *w)
{
	luna_log_reader_end(&w->reader);
	kvfree(w->out);
}

static int rewrite_fill(struct rewrite *w, int (*fill)(struct rewrite *w))
{
	int err = out_head(w);

	if (!err)
		err = fill(w);
	return err ? err : out_flush(w);
}

/*
 * With room for the new log's reserve as well, or for the log alone where the old one's reserve is,
 * whose room comes back with the old log's.
 */
static int rewrite_begin(struct rewrite *w)
{
	struct luna_log *log = w->log;
	int err = log->ops->replace_begin(log->store, w->base + LUNA_LOG_RESERVE);

	if (err == -ENOSPC && luna_log_give_back(log, w->base))
		err = log->ops->replace_begin(log->store, w->base);
	return err;
}

static int rewrite_write(struct rewrite *w, int (*fill)(struct rewrite *w))
{
	struct luna_log *log = w->log;
	int err = rewrite_begin(w);

	if (err)
		return err;
	err = rewrite_fill(w, fill);
	if (!err) {
		err = log->ops->replace_commit(log->store);
		/* Which of the two logs a restart would find is unknown then. */
		if (err && err != -ENOSPC && err != -ENOMEM)
			log->failed = true;
	}
	if (err)
		log->ops->replace_abort(log->store);
	return err;
}

/* Writes the replacement and puts it in the log's place; the caller then takes account of it. */
static int rewrite_run(struct rewrite *w, int (*fill)(struct rewrite *w))
{
	struct luna_log *log = w->log;
	int err = rewrite_write(w, fill);

	if (err) {
		if (log->size && !log->failed)
			luna_log_reserve(log);
		return err;
	}
	log->salted = w->salted;
	log->base = w->base;
	log->next = w->next;
	log->size = w->size;
	log->synced = log->next;
	log->durable = log->size;
	log->compact_at = 0;
	log->torn = false;
	log->dirty = false;
	log->reserved = 0;
	luna_log_reserve(log);
	return 0;
}

/* What the callers of a replacement tell apart. */
static int rewrite_error(int err)
{
	if (!err || err == -ENOMEM || err == -ENOSPC)
		return err;
	return -EIO;
}

/* A rewrite that holds a state alone carries it here. */
struct begin {
	struct rewrite w;
	const u8 *state;
	u32 len;
};

static int fill_state(struct rewrite *w)
{
	struct begin *b = container_of(w, struct begin, w);
	struct luna_rec rec = {
		.type = LUNA_REC_STATE,
		.len = b->len,
		.crc = luna_crc32(b->state, b->len),
	};

	return out_record(w, &rec, b->state);
}

static void begin_done(struct luna_log *log, u32 len)
{
	struct luna_rec clear = { .type = LUNA_REC_CLEAR };
	struct luna_rec state = { .type = LUNA_REC_STATE, .len = len };

	luna_log_note(log, &clear, 0);
	luna_log_note(log, &state, LUNA_LOG_HEAD);
}

int luna_log_begin(struct luna_log *log, const u8 *state, u32 len)
{
	struct begin b = { .state = state, .len = len };
	int err;

	guard(rwsem_write)(&log->sync);
	guard(mutex)(&log->lock);
	if (log->failed)
		return -EIO;
	err = rewrite_init(&b.w, log, log, LUNA_LOG_HEAD + luna_rec_size(len));
	if (!err)
		err = rewrite_run(&b.w, fill_state);
	if (!err)
		begin_done(log, len);
	else
		pr_err("slot %u: beginning the store anew fails: %d\n", log->slot, err);
	rewrite_end(&b.w);
	return rewrite_error(err);
}

/* The live records of @from, and nothing else, become the log @to. Nobody else changes either. */
static int copy_log(struct luna_log *to, struct luna_log *from)
{
	struct rewrite w;
	int err = rewrite_init(&w, to, from, luna_log_live(from));

	if (!err)
		err = rewrite_run(&w, copy_live);
	rewrite_end(&w);
	return err;
}

/* The places of live records, as a rewrite has put them. */
static void move_places(struct luna_log *log)
{
	struct rewrite w = { .size = LUNA_LOG_HEAD };

	each_live(log, move_place, &w);
}

int luna_log_write_to(struct luna_log *from, struct luna_log *to)
{
	guard(mutex)(&from->lock);
	if (from->failed || !from->size)
		return -EIO;
	return rewrite_error(copy_log(to, from));
}

/* The account of the live records becomes that of @from, which has none from now on. */
static void take_account(struct luna_log *log, struct luna_log *from)
{
	luna_index_free(&log->index);
	log->index = from->index;
	memset(&from->index, 0, sizeof(from->index));
	log->state = from->state;
	memcpy(log->attempts, from->attempts, sizeof(log->attempts));
	log->objects = from->objects;
	log->top = max(log->top, from->top);
	move_places(log);
}

int luna_log_read_from(struct luna_log *log, struct luna_log *from)
{
	int err;

	guard(rwsem_write)(&log->sync);
	guard(mutex)(&log->lock);
	if (log->failed)
		return -EIO;
	err = copy_log(log, from);
	if (!err)
		take_account(log, from);
	else
		pr_err("slot %u: replacing the store fails: %d\n", log->slot, err);
	return rewrite_error(err);
}

/*
 * Where there is no room, less garbage is worth it, but not for each few bytes the copy of a large
 * log; and a record that is @refused may find room that was not there when it was last tried.
 */
static bool worth_compacting(const struct luna_log *log, bool refused)
{
	u64 live, garbage;

	if (log->failed || log->torn || !log->size)
		return false;
	live = luna_log_live(log);
	garbage = log->size - live;
	if (refused)
		return garbage >= COMPACT_SHORT && garbage >= live / 4;
	if (log->size < log->compact_at)
		return false;
	if (log->is_short)
		return garbage >= COMPACT_SHORT && garbage >= live / 4;
	return log->size > COMPACT_MIN && garbage > live;
}

/* A try that finds no room is cheap where space can be kept: it fails before anything is copied. */
static void compact_failed(struct luna_log *log, int err)
{
	bool cheap = err == -ENOSPC && log->is_short;

	if (!cheap)
		pr_warn("slot %u: compacting the store fails: %d; it grows on\n", log->slot,
			err);
	log->compact_at = log->size + (cheap ? COMPACT_SHORT : log->size / 2);
}

static bool compact(struct luna_log *log, bool refused)
{
	int err;

	guard(rwsem_write)(&log->sync);
	guard(mutex)(&log->lock);
	if (!worth_compacting(log, refused))	/* someone else was faster */
		return refused;
	err = copy_log(log, log);
	if (!err)
		move_places(log);
	else
		compact_failed(log, err);
	return !err;
}

static bool compact_if_worth(struct luna_log *log, bool refused)
{
	bool worth;

	mutex_lock(&log->lock);
	worth = worth_compacting(log, refused);
	mutex_unlock(&log->lock);
	return worth && compact(log, refused);
}

void luna_log_compact(struct luna_log *log)
{
	compact_if_worth(log, false);
}

bool luna_log_squeeze(struct luna_log *log)
{
	return compact_if_worth(log, true);
}
