/* SPDX-License-Identifier: MIT */
/*
 * A disk with a page cache, as a file system promises it and no better: one directory with files,
 * every change of which is recorded. What was not flushed may be on the medium after a crash or
 * not, each write by itself, in any order, in part, or as zeros where it made the file longer; what
 * was flushed is there. A flush that fails loses what it covers, while memory goes on showing it. A name is on the medium when the directory has been flushed. A rename is
 * there or not, but nothing in between.
 *
 * posix.c puts the daemon's store on such a disk, kernel.c the module's.
 */
#ifndef LUNA_TEST_DISK_H
#define LUNA_TEST_DISK_H

#include <pthread.h>

#include "port.h"

enum { DISK_NAME_LEN = 32, DISK_NAMES = 8, DISK_NO_FILE = -1 };

enum disk_op {
	DISK_WRITE,
	DISK_CUT,	/* or made longer, by zeros */
	DISK_NAME,	/* a file gets a name; @old loses it */
	DISK_UNNAME,
	DISK_FLUSH,	/* what was written to a file before event @covers is on the medium */
	DISK_FLUSH_DIR,
	DISK_LOSE,	/* a flush failed: what it covers is gone, though memory has it */
	DISK_MARK,	/* of the test: @mark and @value are its own */
	DISK_OPS
};

struct disk_event {
	enum disk_op op;
	int file;
	u64 at;		/* CUT: the new size */
	size_t len;
	u8 *data;
	u32 covers;
	char name[DISK_NAME_LEN], old[DISK_NAME_LEN];
	int mark;
	u32 value;
};

/* @kept: bytes of the disk that are the file's, if not less than it has */
struct disk_file {
	u8 *data;
	size_t len, room;
	size_t kept;
};

struct disk_names {
	struct {
		char name[DISK_NAME_LEN];
		int file;
	} rows[DISK_NAMES];
	u32 count;
};

/**
 * struct disk - what programs see of it, and how it came about
 * @recording: changes are recorded as events
 * @start: what was on the medium before the first event; NULL: nothing
 * @calls: of each operation, while recording or not
 * @faults: an operation that fails, by its number; @lasting: and all after it
 * @pause: microseconds that a flush takes
 * @stubborn: disk_forget() does nothing
 * @capacity: bytes that all files with a name can take; 0: no end of them
 * @keeps: space can be kept for a file
 */
struct disk {
	pthread_mutex_t lock;
	struct disk_file *files;
	u32 file_count;
	struct disk_names names;
	bool recording;
	const struct disk *start;
	struct disk_event *events;
	u32 count, room;
	u64 calls[DISK_OPS];
	struct {
		u64 at;
		int error;
		size_t torn;
		bool lasting;
	} faults[DISK_OPS];
	u32 pause;
	bool stubborn;
	u64 capacity;
	bool keeps;
};

/* The disk that posix.c and kernel.c work on. */
extern struct disk *disk_now;

struct disk *disk_new(void);
void disk_free(struct disk *disk);
/* disk_copy() - the content of a disk, as programs see it, on a new one without a past */
struct disk *disk_copy(const struct disk *disk);

/*
 * disk_fail() - the @nth next @op fails with @error; 0: none. A WRITE of which @torn bytes are done
 * says so, and the next one fails if the fault is made to last.
 */
void disk_fail(struct disk *disk, enum disk_op op, u64 nth, int error, size_t torn);

/* These return a negative errno, or what is said. */
int disk_open(struct disk *disk, const char *name, bool create, bool exclusive);	/* the file */
ssize_t disk_write(struct disk *disk, int file, const void *data, size_t len, u64 at);
ssize_t disk_read(struct disk *disk, int file, void *data, size_t len, u64 at);
u64 disk_size(struct disk *disk, int file);
int disk_cut(struct disk *disk, int file, u64 size);
/*
 * disk_keep() - space for a file to grow to @end bytes; a cut of the file, or a crash, gives it up.
 * -ENOSPC; -EOPNOTSUPP
 */
int disk_keep(struct disk *disk, int file, u64 end);
int disk_flush(struct disk *disk, int file);
int disk_flush_dir(struct disk *disk);
/* disk_forget() - what memory has of a file is dropped: from here on reads see the medium */
void disk_forget(struct disk *disk, int file);
int disk_rename(struct disk *disk, const char *from, const char *to);
int disk_unlink(struct disk *disk, const char *name);

/* disk_mark() - a note of the test between the events */
void disk_mark(struct disk *disk, int mark, u32 value);

/* ---- What a crash may leave ---- */

enum disk_fate { DISK_GONE, DISK_WHOLE, DISK_ZEROS, DISK_TORN, DISK_TORN_ZEROS };

/* What became of one change: TORN: of a write its first @len bytes; _ZEROS: and zeros behind. */
struct disk_choice {
	enum disk_fate fate;
	size_t len;
};

enum { DISK_PENDING = 512 };

/**
 * struct disk_walk - goes through the events of a disk from its beginning
 * @next: the event that comes next
 * @medium: what is certainly on the medium
 * @pending: the changes that are not, in their order
 */
struct disk_walk {
	const struct disk *disk;
	u32 next;
	struct disk medium;
	u32 pending[DISK_PENDING];
	u32 count;
};

void disk_walk_begin(struct disk_walk *walk, const struct disk *disk);
/* Return: the event stepped over, or NULL at the end */
const struct disk_event *disk_walk_step(struct disk_walk *walk);
/* disk_walk_image() - a crash: @choices has one row for each pending change */
struct disk *disk_walk_image(const struct disk_walk *walk, const struct disk_choice *choices);
void disk_walk_end(struct disk_walk *walk);

/* disk_hash() - names and content, for telling disks apart */
u64 disk_hash(const struct disk *disk);

#endif /* LUNA_TEST_DISK_H */
