// SPDX-License-Identifier: MIT
/*
 * Every crash of a token's life: for both hosts' stores, what a disk may hold after a power cut at
 * any point is put together, loaded, and held against what had been acknowledged. Negative
 * controls: a flush that is left out must be found.
 *
 *	--long		tries more of what is sampled otherwise
 *
 * What is tried at each point, with n changes that are not flushed: each of them gone, done, or
 * zeros that only made the file longer (all 3^n for n <= 4, gone or done for n <= 8); the newest
 * write torn at 0, 1, the middle, its last byte and at sectors, behind the tear the old end of file
 * or zeros; and some at random (a fixed seed) with any of these at once.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "scenario.h"

static bool thorough;

/* ---- A set of states that were tried ---- */

enum { SET_SIZE = 1 << 22 };
static u64 *set;
static u32 set_used;

static void set_clear(void)
{
	free(set);
	set = calloc(SET_SIZE, sizeof(*set));
	set_used = 0;
	assert_non_null(set);
}

/* Return: true if it was not there */
static bool set_add(u64 key)
{
	u32 at = (key ^ key >> 32) & (SET_SIZE - 1);

	key = key ?: 1;
	while (set[at] && set[at] != key)
		at = (at + 1) & (SET_SIZE - 1);
	if (set[at])
		return false;
	set[at] = key;
	assert_true(++set_used < SET_SIZE / 4 * 3);
	return true;
}

/* ---- Trying states ---- */

typedef bool check_fn(void *arg, bool more, char *why, size_t room);

/**
 * struct hunt - tries states of one disk
 * @expected: tells apart what must be true of a state, for one that comes about again
 * @stop: at the first failure
 */
struct hunt {
	struct disk_walk walk;
	check_fn *check;
	void *arg;
	u64 expected;
	bool stop;
	u64 points, considered, checked, sampled, failed;
	u64 seed;
	char why[200];
};

static u32 draw(struct hunt *h, u32 below)
{
	h->seed = h->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (h->seed >> 33) % below;
}

static void try(struct hunt *h, const struct disk_choice *choices)
{
	struct disk *image;
	char why[200] = "";

	if (h->stop && h->failed)
		return;
	h->considered++;
	image = disk_walk_image(&h->walk, choices);
	if (set_add(disk_hash(image) ^ h->expected * 0x9e3779b97f4a7c15ULL)) {
		h->checked++;
		disk_now = image;
		if (!h->check(h->arg, h->checked % 16 == 0, why, sizeof(why)) && !h->failed++)
			snprintf(h->why, sizeof(h->why), "event %u: %s", h->walk.next, why);
	}
	disk_free(image);
}

static const struct disk_event *pending(const struct hunt *h, u32 i)
{
	return &h->walk.disk->events[h->walk.pending[i]];
}

static void fill(struct hunt *h, struct disk_choice *choices, enum disk_fate fate)
{
	u32 i;

	for (i = 0; i < h->walk.count; i++)
		choices[i] = (struct disk_choice){ .fate = fate };
}

/* All combinations of the first @fates fates. */
static void try_all(struct hunt *h, struct disk_choice *choices, u32 fates)
{
	u32 i;

	fill(h, choices, DISK_GONE);
	for (;;) {
		try(h, choices);
		for (i = 0; i < h->walk.count; i++) {
			if (++choices[i].fate < fates)
				break;
			choices[i].fate = DISK_GONE;
		}
		if (i == h->walk.count)
			return;
	}
}

static void choose(struct hunt *h, u32 i, struct disk_choice *choice)
{
	const struct disk_event *event = pending(h, i);

	*choice = (struct disk_choice){ .fate = draw(h, DISK_TORN_ZEROS + 1) };
	if (event->op != DISK_WRITE && choice->fate > DISK_WHOLE)
		choice->fate = DISK_WHOLE;
	if (event->op == DISK_WRITE)
		choice->len = draw(h, 2) ? draw(h, event->len + 1) :
			      min_t(size_t, event->len, 512 * (u64)draw(h, event->len / 512 + 1));
}

static void try_random(struct hunt *h, struct disk_choice *choices, u32 times)
{
	u32 i;

	for (; times; times--) {
		for (i = 0; i < h->walk.count; i++)
			choose(h, i, &choices[i]);
		h->sampled++;
		try(h, choices);
	}
}

static void try_torn_at(struct hunt *h, struct disk_choice *choices, size_t len)
{
	u32 last = h->walk.count - 1;
	enum disk_fate others, fate;

	for (others = DISK_GONE; others <= (last ? DISK_WHOLE : DISK_GONE); others++)
		for (fate = DISK_TORN; fate <= DISK_TORN_ZEROS; fate++) {
			fill(h, choices, others);
			choices[last] = (struct disk_choice){ .fate = fate, .len = len };
			try(h, choices);
		}
}

/* Sectors are those of the file: a write starts anywhere in one. */
static void try_torn(struct hunt *h, struct disk_choice *choices)
{
	const struct disk_event *event = pending(h, h->walk.count - 1);
	size_t first = 512 - event->at % 512, sectors, len, i, most = thorough ? 64 : 6;

	if (event->len > 1) {
		try_torn_at(h, choices, 1);
		try_torn_at(h, choices, event->len / 2);
		try_torn_at(h, choices, event->len - 1);
	}
	if (event->len <= first)
		return;
	sectors = (event->len - first) / 512 + 1;
	for (i = 0; i < min(sectors, most); i++) {
		len = first + 512 * (sectors <= most ? i : draw(h, sectors));
		if (len < event->len)
			try_torn_at(h, choices, len);
	}
}

static void try_point(struct hunt *h, const struct disk_event *event)
{
	struct disk_choice choices[DISK_PENDING];
	u32 n = h->walk.count;

	h->points++;
	if (n <= 4) {
		try_all(h, choices, 3);
	} else if (n <= (thorough ? 10 : 6)) {
		try_all(h, choices, 2);
	} else {
		fill(h, choices, DISK_GONE);
		try(h, choices);
		fill(h, choices, DISK_WHOLE);
		try(h, choices);
	}
	if (n && event->op == DISK_WRITE)
		try_torn(h, choices);
	if (n > 1)
		try_random(h, choices, thorough ? 64 : 8);
}

static void tell(const struct hunt *h, const char *name)
{
	print_message("%s: %llu points, %llu states considered, %llu different ones checked (%llu drawn at random), %llu bad\n",
		      name, (unsigned long long)h->points, (unsigned long long)h->considered,
		      (unsigned long long)h->checked, (unsigned long long)h->sampled,
		      (unsigned long long)h->failed);
	if (h->failed)
		print_message("%s: first: %s\n", name, h->why);
}

/* ---- A token's life ---- */

struct life {
	struct scenario s;
	const struct place *place;
	struct bounds bounds;
};

static bool check_life(void *arg, bool more, char *why, size_t room)
{
	struct life *life = arg;

	return scenario_check(&life->s, life->place, &life->bounds, more, why, room);
}

/* Crashes after event @from and up to @to */
static void hunt_life(struct hunt *h, struct life *life, u32 from, u32 to)
{
	const struct disk_event *event;

	set_clear();
	*h = (struct hunt){ .check = check_life, .arg = life, .stop = h->stop, .seed = 4 };
	life->bounds = (struct bounds){ 0 };
	disk_walk_begin(&h->walk, life->s.disk);
	while ((event = disk_walk_step(&h->walk)) != NULL && !(h->stop && h->failed)) {
		bounds_step(&life->bounds, event);
		if (h->walk.next <= from)
			continue;
		if (h->walk.next > to)
			break;
		h->expected = (u64)life->bounds.acked << 40 | (u64)life->bounds.begun << 20 |
			      life->bounds.tried;
		/* What may be there after a step has begun was tried before it, under stricter rules. */
		if (event->op != DISK_MARK || event->mark != MARK_BEGIN)
			try_point(h, event);
	}
	disk_walk_end(&h->walk);
}

static void every_crash(const struct place *place)
{
	struct life *life = test_calloc(1, sizeof(*life));
	struct hunt *h = test_calloc(1, sizeof(*h));
	u64 bad;

	life->place = place;
	scenario_run(&life->s, place, false);
	print_message("%s: %u steps, %u events, %llu writes, %llu flushes, %llu of the directory\n",
		      place->name, life->s.count - 1, life->s.disk->count,
		      (unsigned long long)life->s.disk->calls[DISK_WRITE],
		      (unsigned long long)life->s.disk->calls[DISK_FLUSH],
		      (unsigned long long)life->s.disk->calls[DISK_FLUSH_DIR]);
	hunt_life(h, life, 0, U32_MAX);
	tell(h, place->name);
	bad = h->failed;
	scenario_free(&life->s);
	test_free(h);
	test_free(life);
	assert_int_equal(bad, 0);
}

static void test_daemon_crash(void **state)
{
	every_crash(&daemon_place);
}

static void test_module_crash(void **state)
{
	every_crash(&module_place);
}

/* ---- Negative controls: each flush left out, one at a time ---- */

/* Until this event the lie may show: then another flush has made up for it. */
static u32 lie_ends(const struct disk *disk, u32 at)
{
	const struct disk_event *lie = &disk->events[at];
	u32 i;

	for (i = at + 1; i < disk->count; i++)
		if (disk->events[i].op == lie->op && disk->events[i].file == lie->file)
			return i;
	return disk->count;
}

static bool lie_found(struct life *life, struct hunt *h, u32 at)
{
	struct disk_event *event = &life->s.disk->events[at], truth = *event;
	u32 end = lie_ends(life->s.disk, at);

	event->op = DISK_MARK;
	event->mark = MARK_NOTHING;
	h->stop = true;
	hunt_life(h, life, at, end);
	*event = truth;
	return h->failed;
}

/*
 * Not every flush is one that somebody waits for: that of a file just loaded is not, nor the module's
 * of a replacement that is no longer needed. @least percent are.
 */
static void lies(const struct place *place, enum disk_op op, u32 least)
{
	struct life *life = test_calloc(1, sizeof(*life));
	struct hunt *h = test_calloc(1, sizeof(*h));
	u32 i, tried = 0, found = 0;
	u64 checked = 0;

	life->place = place;
	scenario_run(&life->s, place, true);
	for (i = 0; i < life->s.disk->count; i++) {
		if (life->s.disk->events[i].op != op)
			continue;
		tried++;
		found += lie_found(life, h, i);
		checked += h->checked;
		if (!h->failed && getenv("CRASH_VERBOSE"))
			print_message("flush at event %u not missed, in \"%s\"\n", i,
				      life->s.points[life->bounds.begun].name);
	}
	print_message("%s: %u %s left out, one at a time: %u found, in %llu states\n", place->name,
		      tried, op == DISK_FLUSH ? "flushes" : "flushes of the directory", found,
		      (unsigned long long)checked);
	scenario_free(&life->s);
	test_free(h);
	test_free(life);
	assert_true(found >= tried * least / 100);
}

static void test_daemon_lies(void **state)
{
	lies(&daemon_place, DISK_FLUSH, 90);
}

static void test_daemon_directory_lies(void **state)
{
	lies(&daemon_place, DISK_FLUSH_DIR, 80);
}

static void test_module_lies(void **state)
{
	lies(&module_place, DISK_FLUSH, 80);
}

/* What the log says of torn ends is meant here. */
static void quiet(enum port_log_level level, const char *fmt, va_list args)
{
	if (getenv("CRASH_VERBOSE")) {
		printf("# ");
		vprintf(fmt, args);
	}
}

static int setup(void **state)
{
	port_log_sink(quiet);
	return 0;
}

static int teardown(void **state)
{
	fakerng_forget_keys();
	free(set);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_daemon_crash),
		cmocka_unit_test(test_module_crash),
		cmocka_unit_test(test_daemon_lies),
		cmocka_unit_test(test_daemon_directory_lies),
		cmocka_unit_test(test_module_lies),
	};

	thorough = argc > 1 && !strcmp(argv[1], "--long");
	return cmocka_run_group_tests(tests, setup, teardown);
}
