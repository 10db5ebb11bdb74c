// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Replacing the log as a whole, atomically: with one that holds a state alone (InitToken), with one
 * that holds the live records alone (compaction), or with the live records of another log (images).
 *
 * Compaction copies records from the old log by the places that log_record.c keeps. It looks at no
 * object in memory, so that an object whose writer has appended it but not yet shown it to anyone
 * is copied like every other. The places are those of one moment; what was appended after it, while
 * the copy was made beside readers and writers, is copied behind them as it stands, the last of it
 * with the writers held up.
 */
#include "log_file.h"

enum {
	COMPACT_MIN = SZ_1M,	/* below this, garbage bothers nobody */
	COMPACT_SHORT = SZ_64K,	/* on a full disk, it does from here on */
	OUT_ROOM = SZ_64K,
	CATCH_UP_ROUNDS = 8,
	CATCH_UP_ENOUGH = SZ_64K,	/* bytes for which the writers may be held up */
};

/*
 * A replacement of @log being written, with records of @from, which may be the same. salted, base,
 * next and size are what these members of the log become, so far; out holds bytes that wait to be
 * appended; live is the account of all that was.
 */
struct rewrite {
	struct luna_log *log;
	struct luna_log *from;
	struct luna_log_reader reader;
	struct luna_live live;
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
	struct luna_log_head head = {
		.salt = w->salt,
		.sequence = w->next,
		.base = w->base,
		.top = w->live.top,
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

	if (luna_index_reserve(&w->live.index, 1))
		return -ENOMEM;
	luna_log_note(&w->live, rec, w->size);
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

/* The live records in the order in which a rewrite has them. */
static int copy_live(struct rewrite *w)
{
	struct luna_live *live = &w->from->live;
	int err = copy_record(w, &live->state);
	u32 i;

	for (i = 0; i < LUNA_ROLES && !err; i++)
		if (live->attempts[i].size)
			err = copy_record(w, &live->attempts[i]);
	for (i = 0; i < live->index.used && !err; i++)
		if (live->index.rows[i].size)
			err = copy_record(w, &live->index.rows[i]);
	return err;
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
	w->live.top = max(log->live.top, from->live.top);
	return err ? err : luna_log_reader_init(&w->reader, from, from->size);
}

static void rewrite_end(struct rewrite *w)
{
	luna_log_reader_end(&w->reader);
	luna_index_free(&w->live.index);
	kvfree(w->out);
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

/* The log is what was written from here on; its lock is held. */
static void rewrite_adopt(struct rewrite *w)
{
	struct luna_log *log = w->log;

	luna_index_free(&log->live.index);
	log->live = w->live;
	memset(&w->live.index, 0, sizeof(w->live.index));
	log->salted = w->salted;
	log->base = w->base;
	log->next = w->next;
	log->size = w->size;
	log->synced = log->next;
	log->durable = log->size;
	log->compact_at = 0;
	log->torn = false;
	log->dirty = false;
	WRITE_ONCE(log->due, false);
	log->reserved = 0;
	luna_log_reserve(log);
}

/* log->sync and log->lock are held, and all is written. */
static int rewrite_commit(struct rewrite *w)
{
	struct luna_log *log = w->log;
	int err = out_flush(w);

	if (err)
		return err;
	err = log->ops->replace_commit(log->store);
	/* Which of the two logs a restart would find is unknown then. */
	if (err && err != -ENOSPC && err != -ENOMEM)
		log->failed = true;
	if (!err)
		rewrite_adopt(w);
	return err;
}

/* What was begun comes to nothing. log->lock is held. */
static void rewrite_abandon(struct luna_log *log)
{
	log->ops->replace_abort(log->store);
	if (log->size && !log->failed && !log->torn)
		luna_log_reserve(log);
}

/* All of it while nobody else writes. */
static int rewrite_run(struct rewrite *w, int (*fill)(struct rewrite *w))
{
	int err = rewrite_begin(w);

	if (!err)
		err = out_head(w);
	if (!err)
		err = fill(w);
	if (!err)
		err = rewrite_commit(w);
	if (err)
		rewrite_abandon(w->log);
	return err;
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

/* Takes the log for a replacement as a whole: a compaction under way ends early. */
static void replace_lock(struct luna_log *log)
{
	atomic_inc(&log->replacers);
	mutex_lock(&log->rewriting);
	down_write(&log->sync);
	mutex_lock(&log->lock);
}

static void replace_unlock(struct luna_log *log)
{
	mutex_unlock(&log->lock);
	up_write(&log->sync);
	mutex_unlock(&log->rewriting);
	atomic_dec(&log->replacers);
}

static int begin_locked(struct luna_log *log, const u8 *state, u32 len)
{
	struct begin b = { .state = state, .len = len };
	int err;

	if (log->failed)
		return -EIO;
	err = rewrite_init(&b.w, log, log, LUNA_LOG_HEAD + luna_rec_size(len));
	if (!err)
		err = rewrite_run(&b.w, fill_state);
	if (err)
		pr_err("slot %u: beginning the store anew fails: %d\n", log->slot, err);
	rewrite_end(&b.w);
	return err;
}

int luna_log_begin(struct luna_log *log, const u8 *state, u32 len)
{
	int err;

	replace_lock(log);
	err = begin_locked(log, state, len);
	replace_unlock(log);
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

int luna_log_write_to(struct luna_log *from, struct luna_log *to)
{
	guard(mutex)(&from->lock);
	if (from->failed || !from->size)
		return -EIO;
	return rewrite_error(copy_log(to, from));
}

int luna_log_read_from(struct luna_log *log, struct luna_log *from)
{
	int err;

	replace_lock(log);
	err = log->failed ? -EIO : copy_log(log, from);
	replace_unlock(log);
	if (err)
		pr_err("slot %u: replacing the store fails: %d\n", log->slot, err);
	return rewrite_error(err);
}

/* ---- Compaction ---- */

/* Enough of it for a log that has no room: not for each few bytes the copy of a large one. */
static bool worth_squeezing(const struct luna_log *log)
{
	u64 live = luna_log_live(log), garbage = log->size - live;

	return !log->failed && !log->torn && log->size && garbage >= COMPACT_SHORT &&
	       garbage >= live / 4;
}

bool luna_log_worth(const struct luna_log *log)
{
	if (log->failed || log->torn || log->size < log->compact_at)
		return false;
	if (log->is_short)
		return worth_squeezing(log);
	return log->size > COMPACT_MIN && log->size > 2 * luna_log_live(log);
}

/**
 * struct compaction - a rewrite beside readers and writers
 * @places: of what lived when it began
 * @at: up to where the old log is copied, that is, all that counts of it
 */
struct compaction {
	struct rewrite w;
	struct luna_place *places;
	u32 count;
	u64 at;
};

/* The same order as copy_live() has. log->lock is held. */
static int take_places(struct compaction *c, const struct luna_live *live)
{
	u32 i;

	c->places = kvmalloc_array(1 + LUNA_ROLES + live->index.live, sizeof(*c->places),
				   GFP_KERNEL);
	if (!c->places)
		return -ENOMEM;
	c->places[c->count++] = live->state;
	for (i = 0; i < LUNA_ROLES; i++)
		if (live->attempts[i].size)
			c->places[c->count++] = live->attempts[i];
	for (i = 0; i < live->index.used; i++)
		if (live->index.rows[i].size)
			c->places[c->count++] = live->index.rows[i];
	return 0;
}

/* -EALREADY: someone else was faster. */
static int compact_begin(struct compaction *c, struct luna_log *log, bool refused)
{
	int err;

	guard(rwsem_write)(&log->sync);
	guard(mutex)(&log->lock);
	if (!(refused ? worth_squeezing(log) : luna_log_worth(log)))
		return -EALREADY;
	err = rewrite_init(&c->w, log, log, luna_log_live(log));
	if (!err)
		err = take_places(c, &log->live);
	if (!err)
		err = rewrite_begin(&c->w);
	c->at = log->size;
	return err ? err : out_head(&c->w);
}

static int copy_places(struct compaction *c)
{
	struct luna_log *log = c->w.log;
	int err = 0;
	u32 i;

	for (i = 0; i < c->count && !err; i++) {
		if (atomic_read(&log->replacers))
			return -ECANCELED;
		err = copy_record(&c->w, &c->places[i]);
		cond_resched();
	}
	return err;
}

/* What was appended up to @end, as it stands: it may replace or delete what was copied before. */
static int copy_tail(struct compaction *c, u64 end)
{
	struct rewrite *w = &c->w;
	struct luna_place place;
	struct luna_rec rec;
	const u8 *head;
	int err = 0;

	w->reader.size = end;
	while (c->at < end && !err) {
		err = luna_log_reader_get(&w->reader, c->at, LUNA_REC_HEAD, &head);
		if (err)
			return err;
		if (!luna_rec_get(w->from->salted, &rec, head))
			return -EBADMSG;
		place = (struct luna_place){ .at = c->at, .size = luna_rec_size(rec.len) };
		err = copy_record(w, &place);
		c->at += place.size;
	}
	return err;
}

static u64 log_size(struct luna_log *log)
{
	guard(mutex)(&log->lock);
	return log->size;
}

/* All but the last of it, without a lock that anyone else wants. */
static int compact_copy(struct compaction *c)
{
	struct luna_log *log = c->w.log;
	int err = copy_places(c);
	u64 end;
	u32 i;

	for (i = 0; i < CATCH_UP_ROUNDS && !err; i++) {
		end = log_size(log);
		err = copy_tail(c, end);
		if (!err)
			err = out_flush(&c->w);
		if (!err && log->ops->replace_sync)
			err = log->ops->replace_sync(log->store);
		if (log_size(log) - end <= CATCH_UP_ENOUGH)
			break;
	}
	return err;
}

/* A mark says of the tail, which is not below the base, that it was durable. */
static int compact_end(struct compaction *c)
{
	struct luna_log *log = c->w.log;
	struct luna_rec mark = { .type = LUNA_REC_MARK };
	int err;

	guard(rwsem_write)(&log->sync);
	guard(mutex)(&log->lock);
	if (log->failed || log->torn)
		return -ECANCELED;
	err = copy_tail(c, log->size);
	if (!err && c->w.size > c->w.base)
		err = out_record(&c->w, &mark, NULL);
	return err ? err : rewrite_commit(&c->w);
}

/* A try that finds no room is cheap where space can be kept: it fails before anything is copied. */
static void compact_failed(struct luna_log *log, int err)
{
	bool cheap = err == -ENOSPC && log->is_short;

	if (err == -EALREADY)
		return;
	guard(mutex)(&log->lock);
	rewrite_abandon(log);
	if (err == -ECANCELED)
		return;
	if (!cheap)
		pr_warn("slot %u: compacting the store fails: %d; it grows on\n", log->slot,
			err);
	log->compact_at = log->size + (cheap ? COMPACT_SHORT : log->size / 2);
}

static int compact(struct luna_log *log, bool refused)
{
	struct compaction *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int err;

	if (!c)
		return -ENOMEM;
	guard(mutex)(&log->rewriting);
	err = compact_begin(c, log, refused);
	if (!err)
		err = compact_copy(c);
	if (!err)
		err = compact_end(c);
	if (err)
		compact_failed(log, err);
	rewrite_end(&c->w);
	kvfree(c->places);
	kfree(c);
	return err;
}

/* Of all who find it due, one does it. */
static bool compaction_claim(struct luna_log *log)
{
	guard(mutex)(&log->lock);
	if (!log->due)
		return false;
	WRITE_ONCE(log->due, false);
	log->compacting = true;
	return true;
}

void luna_log_tidy(struct luna_token *token)
{
	struct luna_log *log = token->log;

	if (!log || !READ_ONCE(log->due) || !compaction_claim(log))
		return;
	compact(log, false);
	mutex_lock(&log->lock);
	log->compacting = false;
	mutex_unlock(&log->lock);
}

bool luna_log_squeeze(struct luna_log *log)
{
	int err = compact(log, true);

	return !err || err == -EALREADY;
}
