// SPDX-License-Identifier: MIT
/* The disk of disk.h. Its own memory comes from malloc(); running out of it ends the test. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"

struct disk *disk_now;

static void *grown(void *memory, size_t size)
{
	memory = realloc(memory, size);
	if (!memory)
		abort();
	return memory;
}

/* ---- Files and names ---- */

static void file_write(struct disk_file *file, u64 at, const u8 *data, size_t len)
{
	size_t end = at + len;

	if (!len)
		return;
	if (end > file->room) {
		file->room = end + end / 2;
		file->data = grown(file->data, file->room);
	}
	if (at > file->len)
		memset(file->data + file->len, 0, at - file->len);
	if (data)
		memcpy(file->data + at, data, len);
	else
		memset(file->data + at, 0, len);
	if (end > file->len)
		file->len = end;
}

static void file_cut(struct disk_file *file, u64 size)
{
	if (size > file->len)
		file_write(file, file->len, NULL, size - file->len);
	file->len = size;
}

static int *names_find(struct disk_names *names, const char *name)
{
	u32 i;

	for (i = 0; i < names->count; i++)
		if (!strcmp(names->rows[i].name, name))
			return &names->rows[i].file;
	return NULL;
}

static void names_remove(struct disk_names *names, const char *name)
{
	u32 i;

	for (i = 0; i < names->count; i++)
		if (!strcmp(names->rows[i].name, name)) {
			names->rows[i] = names->rows[--names->count];
			return;
		}
}

static void names_set(struct disk_names *names, const char *name, int file)
{
	int *known = names_find(names, name);

	if (known) {
		*known = file;
		return;
	}
	if (names->count == DISK_NAMES)
		abort();
	strcpy(names->rows[names->count].name, name);
	names->rows[names->count++].file = file;
}

static void files_reserve(struct disk *disk, u32 count)
{
	if (count <= disk->file_count)
		return;
	disk->files = grown(disk->files, count * sizeof(*disk->files));
	memset(disk->files + disk->file_count, 0,
	       (count - disk->file_count) * sizeof(*disk->files));
	disk->file_count = count;
}

/* Makes a change to a disk, whatever it may have looked like before. */
static void apply(struct disk *disk, const struct disk_event *event, struct disk_choice how)
{
	struct disk_file *file;
	size_t len = how.fate == DISK_TORN || how.fate == DISK_TORN_ZEROS ? how.len : event->len;

	if (how.fate == DISK_GONE)
		return;
	if (event->op == DISK_NAME) {
		names_set(&disk->names, event->name, event->file);
		if (*event->old)
			names_remove(&disk->names, event->old);
		return;
	}
	if (event->op == DISK_UNNAME) {
		names_remove(&disk->names, event->name);
		return;
	}
	files_reserve(disk, event->file + 1);
	file = &disk->files[event->file];
	if (event->op == DISK_CUT) {
		file_cut(file, event->at);
		return;
	}
	/* Zeros stand only where nothing stood: a file system shows no block of another file. */
	if ((how.fate == DISK_ZEROS || how.fate == DISK_TORN_ZEROS) &&
	    event->at + event->len > file->len)
		file_cut(file, event->at + event->len);
	if (how.fate != DISK_ZEROS)
		file_write(file, event->at, event->data, len);
}

/* ---- What programs do ---- */

struct disk *disk_new(void)
{
	struct disk *disk = grown(NULL, sizeof(*disk));

	memset(disk, 0, sizeof(*disk));
	pthread_mutex_init(&disk->lock, NULL);
	disk->keeps = true;
	return disk;
}

static void free_content(struct disk *disk)
{
	u32 i;

	for (i = 0; i < disk->file_count; i++)
		free(disk->files[i].data);
	free(disk->files);
	for (i = 0; i < disk->count; i++)
		free(disk->events[i].data);
	free(disk->events);
}

void disk_free(struct disk *disk)
{
	if (!disk)
		return;
	free_content(disk);
	pthread_mutex_destroy(&disk->lock);
	free(disk);
}

/* Only files that have a name are worth it. */
static void copy_content(struct disk *to, const struct disk *from, const struct disk_names *names)
{
	u32 i;
	int file;

	files_reserve(to, from->file_count);
	for (i = 0; i < names->count; i++) {
		file = names->rows[i].file;
		if (file < (int)from->file_count && !to->files[file].len)
			file_write(&to->files[file], 0, from->files[file].data,
				   from->files[file].len);
	}
}

struct disk *disk_copy(const struct disk *disk)
{
	struct disk *copy = disk_new();

	copy->names = disk->names;
	copy_content(copy, disk, &disk->names);
	return copy;
}

void disk_fail(struct disk *disk, enum disk_op op, u64 nth, int error, size_t torn)
{
	disk->faults[op].at = nth ? disk->calls[op] + nth : 0;
	disk->faults[op].error = error;
	disk->faults[op].torn = torn;
	disk->faults[op].lasting = false;
}

/* disk->lock is held. 0, or the error of this call. */
static int fault(struct disk *disk, enum disk_op op)
{
	u64 nth = ++disk->calls[op], at = disk->faults[op].at;

	return at && (nth == at || (disk->faults[op].lasting && nth > at)) ?
	       disk->faults[op].error : 0;
}

static void record(struct disk *disk, struct disk_event event)
{
	if (!disk->recording)
		return;
	if (event.data) {
		const u8 *data = event.data;

		event.data = grown(NULL, event.len);
		memcpy(event.data, data, event.len);
	}
	if (disk->count == disk->room) {
		disk->room = disk->room * 2 + 64;
		disk->events = grown(disk->events, disk->room * sizeof(event));
	}
	disk->events[disk->count++] = event;
}

/* A change is made where programs see it, and recorded. */
static void change(struct disk *disk, struct disk_event event)
{
	apply(disk, &event, (struct disk_choice){ .fate = DISK_WHOLE });
	record(disk, event);
}

int disk_open(struct disk *disk, const char *name, bool create, bool exclusive)
{
	struct disk_event event = { .op = DISK_NAME };
	int *known, file;

	pthread_mutex_lock(&disk->lock);
	known = names_find(&disk->names, name);
	if (known) {
		file = exclusive ? -EEXIST : *known;
	} else if (!create) {
		file = -ENOENT;
	} else {
		file = fault(disk, DISK_NAME);
		if (!file) {
			file = disk->file_count;
			files_reserve(disk, file + 1);
			event.file = file;
			strcpy(event.name, name);
			change(disk, event);
		}
	}
	pthread_mutex_unlock(&disk->lock);
	return file;
}

/* disk->lock is held. Bytes to which a file can grow. */
static u64 can_grow(struct disk *disk, int file)
{
	u64 others = 0, kept = disk->files[file].kept;
	u32 i;
	int other;

	if (!disk->capacity)
		return U64_MAX;
	for (i = 0; i < disk->names.count; i++) {
		other = disk->names.rows[i].file;
		if (other != file)
			others += max(disk->files[other].len, disk->files[other].kept);
	}
	return max(kept, disk->capacity - min(disk->capacity, others));
}

int disk_keep(struct disk *disk, int file, u64 end)
{
	int err = 0;

	pthread_mutex_lock(&disk->lock);
	if (!disk->keeps)
		err = -EOPNOTSUPP;
	else if (end > can_grow(disk, file))
		err = -ENOSPC;
	else
		disk->files[file].kept = max(disk->files[file].kept, (size_t)end);
	pthread_mutex_unlock(&disk->lock);
	return err;
}

ssize_t disk_write(struct disk *disk, int file, const void *data, size_t len, u64 at)
{
	struct disk_event event = { .op = DISK_WRITE, .file = file, .at = at, .data = (u8 *)data };
	u64 most;
	int err;

	pthread_mutex_lock(&disk->lock);
	err = fault(disk, DISK_WRITE);
	most = can_grow(disk, file);
	if (!err && at >= most)
		err = -ENOSPC;
	event.len = min_t(u64, len, most - min(at, most));
	if (err)	/* a short write; what comes after it is an error */
		event.len = disk->calls[DISK_WRITE] == disk->faults[DISK_WRITE].at ?
			    min(len, disk->faults[DISK_WRITE].torn) : 0;
	if (event.len)
		change(disk, event);
	pthread_mutex_unlock(&disk->lock);
	return err && !event.len ? err : (ssize_t)event.len;
}

ssize_t disk_read(struct disk *disk, int file, void *data, size_t len, u64 at)
{
	struct disk_file *from;

	pthread_mutex_lock(&disk->lock);
	from = &disk->files[file];
	len = at > from->len ? 0 : min_t(size_t, len, from->len - at);
	if (len)
		memcpy(data, from->data + at, len);
	pthread_mutex_unlock(&disk->lock);
	return len;
}

u64 disk_size(struct disk *disk, int file)
{
	u64 size;

	pthread_mutex_lock(&disk->lock);
	size = disk->files[file].len;
	pthread_mutex_unlock(&disk->lock);
	return size;
}

int disk_cut(struct disk *disk, int file, u64 size)
{
	struct disk_event event = { .op = DISK_CUT, .file = file, .at = size };
	int err;

	pthread_mutex_lock(&disk->lock);
	err = fault(disk, DISK_CUT);
	if (!err) {
		change(disk, event);
		disk->files[file].kept = 0;
	}
	pthread_mutex_unlock(&disk->lock);
	return err;
}

/* A flush covers what was there when it began. */
static int flush(struct disk *disk, struct disk_event event)
{
	int err;

	pthread_mutex_lock(&disk->lock);
	event.covers = disk->count;
	err = fault(disk, event.op);
	pthread_mutex_unlock(&disk->lock);
	if (disk->pause)
		usleep(disk->pause);
	pthread_mutex_lock(&disk->lock);
	if (!err)
		record(disk, event);
	else if (event.op == DISK_FLUSH) {
		event.op = DISK_LOSE;
		record(disk, event);
	}
	pthread_mutex_unlock(&disk->lock);
	return err;
}

int disk_flush(struct disk *disk, int file)
{
	return flush(disk, (struct disk_event){ .op = DISK_FLUSH, .file = file });
}

int disk_flush_dir(struct disk *disk)
{
	return flush(disk, (struct disk_event){ .op = DISK_FLUSH_DIR });
}

/* Only a disk whose past is known can tell; what is not flushed yet stays in memory. */
void disk_forget(struct disk *disk, int file)
{
	struct disk_walk walk;
	struct disk_file *memory = &disk->files[file];
	size_t len = memory->len;	/* which is not kept in pages */
	u32 i;

	if (!disk->recording || disk->stubborn)
		return;
	disk_walk_begin(&walk, disk);
	while (disk_walk_step(&walk))
		;
	memory->len = 0;
	if (file < (int)walk.medium.file_count)
		file_write(memory, 0, walk.medium.files[file].data, walk.medium.files[file].len);
	for (i = 0; i < walk.count; i++)
		if (disk->events[walk.pending[i]].op < DISK_NAME &&
		    disk->events[walk.pending[i]].file == file)
			apply(disk, &disk->events[walk.pending[i]],
			      (struct disk_choice){ .fate = DISK_WHOLE });
	file_cut(memory, len);
	disk_walk_end(&walk);
}

int disk_rename(struct disk *disk, const char *from, const char *to)
{
	struct disk_event event = { .op = DISK_NAME };
	int *known, err = -ENOENT;

	pthread_mutex_lock(&disk->lock);
	known = names_find(&disk->names, from);
	if (known)
		err = fault(disk, DISK_NAME);
	if (!err) {
		event.file = *known;
		strcpy(event.name, to);
		strcpy(event.old, from);
		change(disk, event);
	}
	pthread_mutex_unlock(&disk->lock);
	return err;
}

int disk_unlink(struct disk *disk, const char *name)
{
	struct disk_event event = { .op = DISK_UNNAME };
	int err = -ENOENT;

	pthread_mutex_lock(&disk->lock);
	if (names_find(&disk->names, name)) {
		err = 0;
		strcpy(event.name, name);
		change(disk, event);
	}
	pthread_mutex_unlock(&disk->lock);
	return err;
}

void disk_mark(struct disk *disk, int mark, u32 value)
{
	struct disk_event event = { .op = DISK_MARK, .mark = mark, .value = value };

	pthread_mutex_lock(&disk->lock);
	record(disk, event);
	pthread_mutex_unlock(&disk->lock);
}

/* ---- What a crash may leave ---- */

void disk_walk_begin(struct disk_walk *walk, const struct disk *disk)
{
	memset(walk, 0, sizeof(*walk));
	walk->disk = disk;
	if (disk->start) {
		walk->medium.names = disk->start->names;
		copy_content(&walk->medium, disk->start, &disk->start->names);
	}
}

static bool flushed(const struct disk_event *change_, u32 at, const struct disk_event *by)
{
	bool name = change_->op == DISK_NAME || change_->op == DISK_UNNAME;

	if (at >= by->covers)
		return false;
	return by->op == DISK_FLUSH_DIR ? name : !name && change_->file == by->file;
}

static void settle(struct disk_walk *walk, const struct disk_event *by)
{
	const struct disk_event *event;
	u32 i, kept = 0;

	for (i = 0; i < walk->count; i++) {
		event = &walk->disk->events[walk->pending[i]];
		if (!flushed(event, walk->pending[i], by))
			walk->pending[kept++] = walk->pending[i];
		else if (by->op != DISK_LOSE)
			apply(&walk->medium, event, (struct disk_choice){ .fate = DISK_WHOLE });
	}
	walk->count = kept;
}

const struct disk_event *disk_walk_step(struct disk_walk *walk)
{
	const struct disk_event *event;

	if (walk->next == walk->disk->count)
		return NULL;
	event = &walk->disk->events[walk->next];
	if (event->op >= DISK_FLUSH && event->op <= DISK_LOSE) {
		settle(walk, event);
	} else if (event->op != DISK_MARK) {
		if (walk->count == DISK_PENDING)
			abort();
		walk->pending[walk->count++] = walk->next;
	}
	walk->next++;
	return event;
}

struct disk *disk_walk_image(const struct disk_walk *walk, const struct disk_choice *choices)
{
	const struct disk_event *events = walk->disk->events;
	struct disk *image = disk_new();
	struct disk_names names;
	bool named;
	u32 i, j;

	/* Names first: what has none in the end need not be copied. */
	image->names = walk->medium.names;
	for (i = 0; i < walk->count; i++)
		if (events[walk->pending[i]].op >= DISK_NAME)
			apply(image, &events[walk->pending[i]], choices[i]);
	names = image->names;
	copy_content(image, &walk->medium, &names);
	for (i = 0; i < names.count; i++)
		files_reserve(image, names.rows[i].file + 1);
	for (i = 0; i < walk->count; i++) {
		const struct disk_event *event = &events[walk->pending[i]];

		for (j = 0, named = false; j < names.count; j++)
			named = named || names.rows[j].file == event->file;
		if (event->op < DISK_NAME && named)
			apply(image, event, choices[i]);
	}
	return image;
}

void disk_walk_end(struct disk_walk *walk)
{
	free_content(&walk->medium);
	memset(walk, 0, sizeof(*walk));
}

static u64 hash_bytes(u64 hash, const u8 *data, size_t len)
{
	u64 word;

	hash ^= len;
	for (; len >= 8; len -= 8, data += 8) {
		memcpy(&word, data, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 29;
	}
	for (; len; len--, data++)
		hash = (hash ^ *data) * 0x100000001b3ULL;
	return hash ^ (hash >> 31);
}

u64 disk_hash(const struct disk *disk)
{
	u64 sum = 0, hash;
	u32 i;

	for (i = 0; i < disk->names.count; i++) {
		const struct disk_file *file = &disk->files[disk->names.rows[i].file];

		hash = hash_bytes(0xcbf29ce484222325ULL, (const u8 *)disk->names.rows[i].name,
				  strlen(disk->names.rows[i].name));
		/* A sum, since the order of the names means nothing. */
		sum += hash_bytes(hash, file->data, file->len);
	}
	return sum;
}
