// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Loading the log. First the whole log is checked and the places of the live records are noted;
 * only then are the state and the objects loaded, each once. So a log that is damaged leaves
 * nothing half loaded.
 *
 * The log ends before the first record that is not whole, or at the start of its batch. That is the
 * trace of a write that never came to its end, and is cut off when all else was loaded, unless
 * something proves that it was durable once: it lies within what the log was begun with, or a later
 * record says that the store was flushed beyond it. Then it is damage, and the store is left alone.
 */
#include "log_file.h"
#include "object.h"
#include "state.h"

/**
 * struct scan - the check of a log
 * @found: where objects were written or, with size 0, deleted, in the order of the records; that is
 *	luna_index's order, too, while they are @ordered. So a log whose handles fall, which nobody
 *	writes but a malicious maker of images, costs a sort and no more
 * @at, @next: place and sequence of the record that comes next
 * @end, @end_next: the same behind the last complete batch
 */
struct scan {
	struct luna_log *log;
	struct luna_log_reader reader;
	struct luna_index found;
	bool ordered;
	u64 at, next;
	u64 end, end_next;
};

static bool rec_known(const struct luna_rec *rec)
{
	static const struct {
		u8 flags;
		u32 min_len, max_len, max_handle;
	} known[LUNA_REC_TYPES] = {
		[LUNA_REC_STATE] = { LUNA_REC_MORE, 1, LUNA_REC_MAX, 0 },
		[LUNA_REC_ATTEMPTS] = { LUNA_REC_MORE, LUNA_ATTEMPTS_LEN, LUNA_ATTEMPTS_LEN,
					LUNA_ROLES - 1 },
		[LUNA_REC_PUT] = { LUNA_REC_MORE | LUNA_REC_PRIVATE, 0, LUNA_REC_MAX, U32_MAX },
		[LUNA_REC_DELETE] = { LUNA_REC_MORE, 0, 0, U32_MAX },
		[LUNA_REC_CLEAR] = { LUNA_REC_MORE, 0, 0, 0 },
		[LUNA_REC_MARK] = { LUNA_REC_MORE, 0, 0, 0 },
	};

	if (!rec->type || rec->type >= LUNA_REC_TYPES)
		return false;
	return !(rec->flags & ~known[rec->type].flags) && rec->len >= known[rec->type].min_len &&
	       rec->len <= known[rec->type].max_len && rec->handle <= known[rec->type].max_handle;
}

/* CRC-32 of a payload, piece by piece. */
static int scan_crc(struct scan *s, u64 at, u32 len, u32 *crc)
{
	const u8 *bytes;
	u32 n;
	int err;

	for (*crc = 0; len; len -= n, at += n) {
		n = min_t(u32, len, LUNA_LOG_WINDOW);
		err = luna_log_reader_get(&s->reader, at, n, &bytes);
		if (err)
			return err;
		*crc = luna_crc32_more(*crc, bytes, n);
	}
	return 0;
}

/* What fills a record up is under no CRC: it is zeros, or the record is not whole. */
static int scan_filling(struct scan *s, u64 at, u32 len)
{
	const u8 *bytes;
	int err = len ? luna_log_reader_get(&s->reader, at, len, &bytes) : 0;

	while (!err && len)
		err = bytes[--len] ? -EBADMSG : 0;
	return err;
}

/* The record at s->at. Return: 0; -EBADMSG: it is not whole; -EUCLEAN; the errno of the store. */
static int scan_record(struct scan *s, struct luna_rec *rec)
{
	u64 left = s->reader.size - s->at;
	const u8 *head;
	u32 crc;
	int err;

	if (left < LUNA_REC_HEAD)
		return -EBADMSG;
	err = luna_log_reader_get(&s->reader, s->at, LUNA_REC_HEAD, &head);
	if (err)
		return err;
	if (!luna_rec_get(s->log->salted, rec, head) || rec->sequence != s->next ||
	    luna_rec_size(rec->len) > left)
		return -EBADMSG;
	if (!rec_known(rec)) {
		pr_err("slot %u: unknown kind of record at %llu of the store: type %u, flags %#x\n",
		       s->log->slot, s->at, rec->type, rec->flags);
		return -EUCLEAN;
	}
	err = scan_crc(s, s->at + LUNA_REC_HEAD, rec->len, &crc);
	if (err)
		return err;
	if (crc != rec->crc)
		return -EBADMSG;
	return scan_filling(s, s->at + LUNA_REC_HEAD + rec->len,
			    luna_rec_size(rec->len) - LUNA_REC_HEAD - rec->len);
}

static int place_order(const void *a, const void *b)
{
	const struct luna_place *x = a, *y = b;

	if (x->handle != y->handle)
		return x->handle < y->handle ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Of each handle the last record counts. */
static void found_settle(struct scan *s)
{
	struct luna_place *rows = s->found.rows;
	u32 i, kept = 0, used = s->found.used;

	if (!s->ordered)
		sort(rows, used, sizeof(*rows), place_order, NULL);
	for (i = 0; i < used; i++)
		if (rows[i].size && (i + 1 == used || rows[i + 1].handle != rows[i].handle))
			rows[kept++] = rows[i];
	s->found.used = kept;
	s->found.live = kept;
	s->ordered = true;
}

static int found_add(struct scan *s, u32 handle, u32 size)
{
	struct luna_index *found = &s->found;

	if (found->used == found->room) {
		found_settle(s);
		if (luna_index_reserve(found, found->room / 4 + 1))
			return -ENOMEM;
	}
	s->ordered &= !found->used || found->rows[found->used - 1].handle < handle;
	found->rows[found->used++] =
		(struct luna_place){ .at = s->end, .size = size, .handle = handle };
	s->log->live.top = max(s->log->live.top, handle);
	return 0;
}

static int scan_note(struct scan *s, const struct luna_rec *rec)
{
	switch (rec->type) {
	case LUNA_REC_PUT:
		return found_add(s, rec->handle, luna_rec_size(rec->len));
	case LUNA_REC_DELETE:
		return found_add(s, rec->handle, 0);
	case LUNA_REC_CLEAR:
		s->found.used = 0;
		s->ordered = true;
		return 0;
	default:
		luna_log_note(&s->log->live, rec, s->end);
		return 0;
	}
}

/* What was found becomes the log's. */
static void scan_index(struct scan *s)
{
	struct luna_live *live = &s->log->live;
	u32 i;

	found_settle(s);
	live->index = s->found;
	memset(&s->found, 0, sizeof(s->found));
	for (i = 0; i < live->index.used; i++)
		live->objects += live->index.rows[i].size;
}

/* The records from s->end to s->at are a complete batch: they count. */
static int scan_batch(struct scan *s)
{
	struct luna_log *log = s->log;
	struct luna_rec rec;
	const u8 *head;
	int err;

	while (s->end < s->at) {
		err = luna_log_reader_get(&s->reader, s->end, LUNA_REC_HEAD, &head);
		if (err)
			return err;
		if (!luna_rec_get(log->salted, &rec, head))
			return -EIO;	/* it was good a moment ago */
		err = scan_note(s, &rec);
		if (err)
			return err;
		s->end += luna_rec_size(rec.len);
	}
	s->end_next = s->next;
	return 0;
}

/* Return: 0 at the end of the log, -EBADMSG at a record that is not whole, other errors. */
static int scan_run(struct scan *s)
{
	struct luna_rec rec;
	int err;

	while (s->at < s->reader.size) {
		err = scan_record(s, &rec);
		if (err)
			return err;
		s->at += luna_rec_size(rec.len);
		s->next++;
		cond_resched();
		if (rec.flags & LUNA_REC_MORE)
			continue;
		err = scan_batch(s);
		if (err)
			return err;
	}
	return 0;
}

/* Is there, from s->at on, a record that knows more than the good part of the log to be durable? */
static int scan_proof(struct scan *s, bool *found)
{
	struct luna_rec rec;
	const u8 *head;
	u64 at;
	int err;

	*found = false;
	for (at = s->at; at + LUNA_REC_HEAD <= s->reader.size; at += LUNA_REC_ALIGN) {
		err = luna_log_reader_get(&s->reader, at, LUNA_REC_HEAD, &head);
		if (err)
			return err;
		*found = luna_rec_get(s->log->salted, &rec, head) && rec.durable > s->end;
		if (*found)
			return 0;
	}
	return 0;
}

/*
 * Cuts the end off, if it is torn. What is left may have been appended, but not flushed, by a
 * daemon that was killed; from now on it counts as durable.
 */
static int load_settle(struct luna_log *log, u64 torn)
{
	int err = 0;

	if (torn) {
		pr_warn("slot %u: the last %llu bytes of the store were never completed: cut off\n",
			log->slot, torn);
		err = log->ops->truncate(log->store, log->size);
	}
	if (!err)
		err = log->ops->sync(log->store);
	if (err)
		pr_err("slot %u: the store cannot be made ready for writing: %d\n", log->slot,
		       err);
	return err ? -EIO : 0;
}

/* Is what stands behind the good part a torn write, whose bytes *@torn counts, or damage? */
static int load_tail(struct scan *s, u64 *torn)
{
	struct luna_log *log = s->log;
	bool damage = s->end < log->base || !log->live.state.size;
	int err;

	*torn = s->reader.size - s->end;
	if (*torn && !damage) {
		err = scan_proof(s, &damage);
		if (err)
			return err;
	}
	if (damage) {
		pr_err("slot %u: the store is damaged at byte %llu of %llu\n", log->slot, s->at,
		       s->reader.size);
		return -EBADMSG;
	}
	return 0;
}

static int load_scan(struct luna_log *log, u64 size, u64 *torn)
{
	struct scan s = {
		.log = log,
		.at = LUNA_LOG_HEAD,
		.end = LUNA_LOG_HEAD,
		.next = log->next,
		.end_next = log->next,
		.ordered = true,
	};
	int err = luna_log_reader_init(&s.reader, log, size);

	if (!err)
		err = scan_run(&s);
	if (!err || err == -EBADMSG) {
		scan_index(&s);
		log->size = s.end;
		log->durable = s.end;
		log->next = s.end_next;
		log->synced = s.end_next;
		err = load_tail(&s, torn);
	}
	luna_log_reader_end(&s.reader);
	luna_index_free(&s.found);
	return err;
}

static int load_head(struct luna_log *log, u64 size)
{
	struct luna_log_head head;
	u8 *bytes;
	int err;

	if (size < LUNA_LOG_HEAD) {
		pr_err("slot %u: the store is shorter than its header\n", log->slot);
		return -EBADMSG;
	}
	bytes = kmalloc(LUNA_LOG_HEAD, GFP_KERNEL);
	if (!bytes)
		return -ENOMEM;
	err = log->ops->read(log->store, 0, bytes, LUNA_LOG_HEAD);
	if (!err)
		err = luna_log_head_get(&head, bytes, log->slot);
	kfree(bytes);
	if (err)
		return err;
	log->salted = luna_log_salted(head.salt);
	log->base = head.base;
	log->live.top = head.top;
	log->next = head.sequence;
	return 0;
}

static int load_state(struct luna_token *token, struct luna_log *log, struct luna_log_reader *r)
{
	struct luna_state *state = token->state;
	const u8 *data;
	struct luna_rec rec;
	u32 i;
	int err;

	err = luna_log_reader_record(r, &log->live.state, &rec, &data);
	if (!err)
		err = luna_state_parse(state, data, rec.len);
	for (i = 0; i < LUNA_ROLES && !err; i++) {
		if (!log->live.attempts[i].size)
			continue;
		err = luna_log_reader_record(r, &log->live.attempts[i], &rec, &data);
		if (err)
			break;
		state->roles[i].failed = get_unaligned_le32(data);
		state->roles[i].locked = get_unaligned_le32(data + 4);
	}
	if (err)
		pr_err("slot %u: the state in the store cannot be read: %d\n", log->slot, err);
	return err;
}

static int load_objects(struct luna_token *token, struct luna_log *log, struct luna_log_reader *r)
{
	const struct luna_place *row;
	struct luna_rec rec;
	const u8 *data;
	u32 i;
	int err;

	for (i = 0; i < log->live.index.used; i++) {
		row = &log->live.index.rows[i];
		if (!row->size)
			continue;
		err = luna_log_reader_record(r, row, &rec, &data);
		if (!err)
			err = luna_object_load(token, row->handle, rec.flags & LUNA_REC_PRIVATE,
					       data, rec.len);
		if (err) {
			pr_err("slot %u: object %u in the store cannot be read: %d\n",
			       log->slot, row->handle, err);
			return err;
		}
	}
	return 0;
}

static int load_live(struct luna_token *token, struct luna_log *log)
{
	struct luna_log_reader r;
	int err = luna_log_reader_init(&r, log, log->size);

	if (!err)
		err = load_state(token, log, &r);
	if (!err)
		err = load_objects(token, log, &r);
	luna_log_reader_end(&r);
	return err;
}

/* Every errno of a backend but -ENOMEM means a store that could not be loaded. */
int luna_log_load(struct luna_token *token, struct luna_log *log)
{
	u64 size = 0, torn = 0;
	int err;

	luna_state_blank(token->state);
	err = log->ops->size(log->store, &size);
	if (err) {
		pr_err("slot %u: the store cannot be opened: %d\n", log->slot, err);
		return err;
	}
	if (!size)
		return luna_state_draw_serial(log->crypto, token->state);
	err = load_head(log, size);
	if (!err)
		err = load_scan(log, size, &torn);
	if (!err)
		err = load_live(token, log);
	if (!err)
		err = load_settle(log, torn);
	if (!err) {
		atomic_set(&token->next_handle, log->live.top);
		luna_log_reserve(log);
	}
	return err;
}
