/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Between the files of the log: log.c (writers), log_load.c (start), log_rewrite.c (restart and
 * compaction), log_reserve.c (full disks), log_record.c (bytes of a record, index of the live
 * ones). FORMAT.md has the layout.
 */
#ifndef LUNA_TOKEN_LOG_FILE_H
#define LUNA_TOKEN_LOG_FILE_H

#include "log.h"

enum {
	LUNA_LOG_VERSION = 1,
	LUNA_LOG_HEAD = 48,		/* bytes of the file's header */
	LUNA_REC_HEAD = 40,		/* bytes of a record's header */
	LUNA_REC_ALIGN = 8,		/* every record starts at a multiple of this */
	LUNA_REC_MAX = LUNA_OBJECT_MAX + SZ_64K,	/* bytes of a payload */
	LUNA_ATTEMPTS_LEN = 8,
	LUNA_LOG_RESERVE = SZ_256K,	/* bytes kept behind the end for records that are vital */
};

enum luna_rec_type {
	LUNA_REC_STATE = 1,
	LUNA_REC_ATTEMPTS,	/* handle: enum luna_role_id */
	LUNA_REC_PUT,
	LUNA_REC_DELETE,
	LUNA_REC_CLEAR,
	LUNA_REC_MARK,		/* says only that what stands before it is durable */
	LUNA_REC_TYPES
};

#define LUNA_REC_MORE		0x1	/* counts only together with the next record */
#define LUNA_REC_PRIVATE	0x2	/* PUT: the payload is sealed */

/**
 * struct luna_rec - header of a record
 * @sequence: one more than that of the record before
 * @durable: bytes of the store known to be flushed when the record was written
 * @crc: of the payload
 */
struct luna_rec {
	u8 type;
	u8 flags;
	u32 handle;
	u32 len;
	u64 sequence;
	u64 durable;
	u32 crc;
};

/* Bytes in the store of a record with @len bytes of payload. */
static inline u32 luna_rec_size(u32 len)
{
	return LUNA_REC_HEAD + ALIGN(len, (u32)LUNA_REC_ALIGN);
}

/**
 * struct luna_place - where a live record stands
 * @size: of the whole record; 0: there is none
 */
struct luna_place {
	u64 at;
	u32 size;
	u32 handle;
};

/* The newest record of every object that exists, by handle. */
struct luna_index {
	struct luna_place *rows;	/* ascending handles; size 0: removed */
	u32 used, room, live;
};

/**
 * struct luna_live - which records of a log live
 * @objects: bytes of the records in @index
 * @top: highest object handle ever written
 */
struct luna_live {
	u64 objects;
	u32 top;
	struct luna_place state;
	struct luna_place attempts[LUNA_ROLES];
	struct luna_index index;
};

/**
 * struct luna_log - the log of one token
 * @rewriting: held by who replaces the log; taken before @sync
 * @replacers: who want all of it replaced, so that a compaction under way is in vain
 * @sync: held for writing by a flush, a repair or the end of a rewrite; taken before @lock. Guards
 *	no data; who holds it to read has waited for the flush that was under way
 * @lock: guards all below, and the order of the records
 * @failed: what the store holds is unknown: no more writes
 * @torn: an append failed half-way; @size is where the good content ends
 * @salted: CRC-32 of the salt, from which the CRC of every header goes on
 * @size: bytes of the store; 0: nothing was ever written
 * @base: bytes that were there when the log was begun, as its header says
 * @next: sequence of the next record
 * @synced: records below this sequence are durable, which is @durable bytes
 * @compact_at: smallest size at which compaction is tried
 * @reserved: size to which the log can grow on a full disk; 0: unknown
 * @unreserved: the place keeps no space back
 * @is_short: it has no room for more than what is kept back
 * @due: it is worth compacting
 * @compacting: which someone does
 */
struct luna_log {
	const struct luna_store_ops *ops;
	void *store;
	const struct luna_crypto_ops *crypto;
	u32 slot;
	struct mutex rewriting;
	atomic_t replacers;
	struct rw_semaphore sync;
	struct mutex lock;
	bool failed;
	bool torn;
	bool dirty;
	u32 salted;
	u64 size;
	u64 base;
	u64 next;
	u64 synced;
	u64 durable;
	u64 compact_at;
	u64 reserved;
	bool unreserved;
	bool is_short;
	bool due;
	bool compacting;
	struct luna_live live;
};

/**
 * struct luna_log_reader - reads records through a window, or a large one through a buffer of its
 * own
 * @size: bytes of the store that may be read
 */
struct luna_log_reader {
	struct luna_log *log;
	u8 *window;
	u64 at;
	u32 len;
	u64 size;
	u8 *large;
	u32 large_room;
};

/* ---- log_record.c ---- */

/* The header of a file, apart from its magic, version and length. */
struct luna_log_head {
	u64 salt;
	u64 sequence;	/* of the first record */
	u64 base;	/* bytes written together with the header */
	u32 top;
};

void luna_log_head_put(const struct luna_log_head *head, u8 *out);	/* LUNA_LOG_HEAD bytes */
/* 0; -EBADMSG: no header of ours; -EUCLEAN: a newer version. Says why in the log. */
int luna_log_head_get(struct luna_log_head *head, const u8 *in, u32 slot);
u32 luna_log_salted(u64 salt);

void luna_rec_put(u32 salted, const struct luna_rec *rec, u8 *out);	/* LUNA_REC_HEAD bytes */
/* false: these bytes are not a header of the log with this salt. */
bool luna_rec_get(u32 salted, struct luna_rec *rec, const u8 *in);

int luna_log_reader_init(struct luna_log_reader *r, struct luna_log *log, u64 size);
void luna_log_reader_end(struct luna_log_reader *r);
/* Up to one window of bytes, valid until the next call. Return: the errno of the store. */
int luna_log_reader_get(struct luna_log_reader *r, u64 at, u32 len, const u8 **bytes);
/* A live record with its payload, whose CRC is left to the caller. -EBADMSG: it is not there. */
int luna_log_reader_record(struct luna_log_reader *r, const struct luna_place *place,
			   struct luna_rec *rec, const u8 **payload);
enum { LUNA_LOG_WINDOW = SZ_64K };

int luna_index_reserve(struct luna_index *index, u32 more);
void luna_index_free(struct luna_index *index);

/**
 * luna_log_note() - take account of a record at @at that is part of the log from now on
 * A PUT needs room in the index, see luna_index_reserve().
 */
void luna_log_note(struct luna_live *live, const struct luna_rec *rec, u64 at);

/* Bytes of all live records and the header. */
u64 luna_log_live(const struct luna_log *log);

/* ---- log_reserve.c ---- */
/* May records of this type use what is kept back? Then a full disk does not refuse them. */
bool luna_rec_vital(u8 type);
/*
 * Before @len bytes are appended: 0 if these leave the reserve as it should be, if they are @vital,
 * or if the place keeps none; else why not (-ENOSPC and the backend's others).
 */
int luna_log_room(struct luna_log *log, u32 len, bool vital);
/* Makes the reserve what it should be, as far as there is room. */
void luna_log_reserve(struct luna_log *log);
/* Gives the reserve back if it has @wanted bytes, for a replacement. Return: there are more now. */
bool luna_log_give_back(struct luna_log *log, u64 wanted);

/* ---- log_rewrite.c ---- */
/* Begin the log anew with a state and no objects. */
int luna_log_begin(struct luna_log *log, const u8 *state, u32 len);
/* Is there so much garbage that it should be dropped? log->lock is held. */
bool luna_log_worth(const struct luna_log *log);
/* Drops the garbage for a record that was refused for want of room. Return: is there more now? */
bool luna_log_squeeze(struct luna_log *log);
/* The live records of @from, as they are now, become the log @to, which only the caller knows. */
int luna_log_write_to(struct luna_log *from, struct luna_log *to);
/* They become those of @log. Only the caller knows @from, which is fit to be closed alone then. */
int luna_log_read_from(struct luna_log *log, struct luna_log *from);

/* ---- log_load.c ---- */
int luna_log_load(struct luna_token *token, struct luna_log *log);

#endif /* LUNA_TOKEN_LOG_FILE_H */
