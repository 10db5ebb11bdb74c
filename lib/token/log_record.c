// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The log's bytes (FORMAT.md): headers of the file and of records, reading through a window, and
 * the account of which records are live.
 */
#include "log_file.h"
#include "wire.h"

static const u8 log_magic[8] = { 'L', 'U', 'N', 'A', 'L', 'O', 'G', '\n' };

#define REC_MAGIC	0x6365724cu	/* "Lrec" */

void luna_log_head_put(const struct luna_log_head *head, u8 *out)
{
	struct luna_wr wr;

	luna_wr_init(&wr, out, LUNA_LOG_HEAD);
	luna_wr_bytes(&wr, log_magic, sizeof(log_magic));
	luna_wr_le32(&wr, LUNA_LOG_VERSION);
	luna_wr_le32(&wr, head->top);
	luna_wr_le64(&wr, head->salt);
	luna_wr_le64(&wr, head->sequence);
	luna_wr_le64(&wr, head->base);
	luna_wr_le32(&wr, 0);
	luna_wr_le32(&wr, luna_crc32(out, wr.at));
}

int luna_log_head_get(struct luna_log_head *head, const u8 *in, u32 slot)
{
	struct luna_rd rd;
	u32 version, zero;

	if (memcmp(in, log_magic, sizeof(log_magic))) {
		pr_err("slot %u: the store does not start with a token's header\n", slot);
		return -EBADMSG;
	}
	luna_rd_init(&rd, in + sizeof(log_magic), LUNA_LOG_HEAD - sizeof(log_magic));
	version = luna_rd_le32(&rd);
	if (version > LUNA_LOG_VERSION) {
		pr_err("slot %u: the store has format version %u, newer than version %u\n", slot,
		       version, LUNA_LOG_VERSION);
		return -EUCLEAN;
	}
	head->top = luna_rd_le32(&rd);
	head->salt = luna_rd_le64(&rd);
	head->sequence = luna_rd_le64(&rd);
	head->base = luna_rd_le64(&rd);
	zero = luna_rd_le32(&rd);
	if (luna_rd_le32(&rd) != luna_crc32(in, LUNA_LOG_HEAD - 4) || zero || !version) {
		pr_err("slot %u: the header of the store is damaged\n", slot);
		return -EBADMSG;
	}
	return 0;
}

u32 luna_log_salted(u64 salt)
{
	u8 bytes[8];

	put_unaligned_le64(salt, bytes);
	return luna_crc32(bytes, sizeof(bytes));
}

void luna_rec_put(u32 salted, const struct luna_rec *rec, u8 *out)
{
	struct luna_wr wr;

	luna_wr_init(&wr, out, LUNA_REC_HEAD);
	luna_wr_le32(&wr, REC_MAGIC);
	luna_wr_u8(&wr, rec->type);
	luna_wr_u8(&wr, rec->flags);
	luna_wr_u8(&wr, 0);
	luna_wr_u8(&wr, 0);
	luna_wr_le32(&wr, rec->handle);
	luna_wr_le32(&wr, rec->len);
	luna_wr_le64(&wr, rec->sequence);
	luna_wr_le64(&wr, rec->durable);
	luna_wr_le32(&wr, rec->crc);
	luna_wr_le32(&wr, luna_crc32_more(salted, out, wr.at));
}

bool luna_rec_get(u32 salted, struct luna_rec *rec, const u8 *in)
{
	struct luna_rd rd;

	if (get_unaligned_le32(in) != REC_MAGIC)
		return false;
	luna_rd_init(&rd, in + 4, LUNA_REC_HEAD - 4);
	rec->type = luna_rd_u8(&rd);
	rec->flags = luna_rd_u8(&rd);
	luna_rd_bytes(&rd, 2);
	rec->handle = luna_rd_le32(&rd);
	rec->len = luna_rd_le32(&rd);
	rec->sequence = luna_rd_le64(&rd);
	rec->durable = luna_rd_le64(&rd);
	rec->crc = luna_rd_le32(&rd);
	return luna_rd_le32(&rd) == luna_crc32_more(salted, in, LUNA_REC_HEAD - 4) &&
	       rec->len <= LUNA_REC_MAX;
}

int luna_log_reader_init(struct luna_log_reader *r, struct luna_log *log, u64 size)
{
	memset(r, 0, sizeof(*r));
	r->log = log;
	r->size = size;
	r->window = kvmalloc(LUNA_LOG_WINDOW, GFP_KERNEL);
	return r->window ? 0 : -ENOMEM;
}

void luna_log_reader_end(struct luna_log_reader *r)
{
	kvfree(r->window);
	kvfree(r->large);
}

int luna_log_reader_get(struct luna_log_reader *r, u64 at, u32 len, const u8 **bytes)
{
	int err;

	if (at < r->at || at + len > r->at + r->len) {
		r->at = at;
		r->len = min_t(u64, LUNA_LOG_WINDOW, r->size - at);
		err = r->log->ops->read(r->log->store, r->at, r->window, r->len);
		if (err) {
			r->len = 0;
			pr_err("slot %u: reading the store at %llu fails: %d\n", r->log->slot,
			       at, err);
			return err;
		}
	}
	*bytes = r->window + (at - r->at);
	return 0;
}

static int reader_get_large(struct luna_log_reader *r, u64 at, u32 len, const u8 **bytes)
{
	if (len > r->large_room) {
		kvfree(r->large);
		r->large_room = 0;
		r->large = kvmalloc(len, GFP_KERNEL);
		if (!r->large)
			return -ENOMEM;
		r->large_room = len;
	}
	*bytes = r->large;
	return r->log->ops->read(r->log->store, at, r->large, len);
}

int luna_log_reader_record(struct luna_log_reader *r, const struct luna_place *place,
			   struct luna_rec *rec, const u8 **payload)
{
	const u8 *bytes;
	int err;

	if (place->size > LUNA_LOG_WINDOW)
		err = reader_get_large(r, place->at, place->size, &bytes);
	else
		err = luna_log_reader_get(r, place->at, place->size, &bytes);
	if (err)
		return err;
	if (!luna_rec_get(r->log->salted, rec, bytes) || luna_rec_size(rec->len) != place->size)
		return -EBADMSG;
	*payload = bytes + LUNA_REC_HEAD;
	return 0;
}

static void index_squeeze(struct luna_index *index)
{
	u32 i, kept = 0;

	for (i = 0; i < index->used; i++)
		if (index->rows[i].size)
			index->rows[kept++] = index->rows[i];
	index->used = kept;
}

/* Room for @more rows, so that luna_log_note() cannot fail. Grows by a quarter to stay small. */
int luna_index_reserve(struct luna_index *index, u32 more)
{
	struct luna_place *rows;
	u32 room;

	if (index->room - index->used >= more)
		return 0;
	if (index->used - index->live > index->live / 4) {
		index_squeeze(index);
		if (index->room - index->used >= more)
			return 0;
	}
	if (more > U32_MAX / 2 - index->used)
		return -ENOMEM;
	room = index->used + more;
	room += room / 4 + 16;
	rows = kvmalloc_array(room, sizeof(*rows), GFP_KERNEL);
	if (!rows)
		return -ENOMEM;
	if (index->used)
		memcpy(rows, index->rows, index->used * sizeof(*rows));
	kvfree(index->rows);
	index->rows = rows;
	index->room = room;
	return 0;
}

void luna_index_free(struct luna_index *index)
{
	kvfree(index->rows);
	memset(index, 0, sizeof(*index));
}

/* First row whose handle is not below @handle. */
static u32 index_find(const struct luna_index *index, u32 handle)
{
	u32 low = 0, high = index->used, mid;

	if (high && index->rows[high - 1].handle < handle)
		return high;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (index->rows[mid].handle < handle)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Sets the place of an object, or with @size 0 removes it. Return: bytes that the old one took. */
static u32 index_set(struct luna_index *index, u32 handle, u64 at, u32 size)
{
	u32 i = index_find(index, handle), old = 0;
	struct luna_place *row = &index->rows[i];

	if (i < index->used && row->handle == handle) {
		old = row->size;
	} else {
		if (!size || WARN_ON_ONCE(index->used == index->room))
			return 0;
		memmove(row + 1, row, (index->used - i) * sizeof(*row));
		index->used++;
		row->handle = handle;
	}
	index->live += !!size;
	index->live -= !!old;
	row->at = at;
	row->size = size;
	return old;
}

static void note_state(struct luna_live *live, const struct luna_rec *rec, u64 at, u32 size)
{
	live->state = (struct luna_place){ .at = at, .size = size };
	memset(live->attempts, 0, sizeof(live->attempts));	/* they are part of the state */
}

static void note_attempts(struct luna_live *live, const struct luna_rec *rec, u64 at, u32 size)
{
	struct luna_place *place = &live->attempts[array_index_nospec(rec->handle, LUNA_ROLES)];

	*place = (struct luna_place){ .at = at, .size = size, .handle = rec->handle };
}

static void note_put(struct luna_live *live, const struct luna_rec *rec, u64 at, u32 size)
{
	live->objects -= index_set(&live->index, rec->handle, at, size);
	live->objects += size;
	live->top = max(live->top, rec->handle);
}

static void note_delete(struct luna_live *live, const struct luna_rec *rec, u64 at, u32 size)
{
	live->objects -= index_set(&live->index, rec->handle, 0, 0);
	live->top = max(live->top, rec->handle);
}

static void note_clear(struct luna_live *live, const struct luna_rec *rec, u64 at, u32 size)
{
	live->index.used = 0;
	live->index.live = 0;
	live->objects = 0;
}

static void note_mark(struct luna_live *live, const struct luna_rec *rec, u64 at, u32 size)
{
}

static void (*const notes[LUNA_REC_TYPES])(struct luna_live *live, const struct luna_rec *rec,
					   u64 at, u32 size) = {
	[LUNA_REC_STATE] = note_state,
	[LUNA_REC_ATTEMPTS] = note_attempts,
	[LUNA_REC_PUT] = note_put,
	[LUNA_REC_DELETE] = note_delete,
	[LUNA_REC_CLEAR] = note_clear,
	[LUNA_REC_MARK] = note_mark,
};

void luna_log_note(struct luna_live *live, const struct luna_rec *rec, u64 at)
{
	notes[rec->type](live, rec, at, luna_rec_size(rec->len));
}

u64 luna_log_live(const struct luna_log *log)
{
	u64 live = LUNA_LOG_HEAD + log->live.state.size + log->live.objects;
	u32 i;

	for (i = 0; i < LUNA_ROLES; i++)
		live += log->live.attempts[i].size;
	return live;
}
