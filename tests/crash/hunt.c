// SPDX-License-Identifier: MIT
/* Trying what a disk may hold after a crash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fakerng.h"
#include "hunt.h"

/* ---- A set of states that were tried ---- */

bool hunt_thorough;

enum { SET_SIZE = 1 << 22 };
static u64 *set;
static u32 set_used;

void hunt_begin(struct hunt *h, check_fn *check, void *arg)
{
	bool stop = h->stop;

	*h = (struct hunt){ .check = check, .arg = arg, .stop = stop, .seed = 4 };
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

static u32 draw(struct hunt *h, u32 below)
{
	h->seed = h->seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (h->seed >> 33) % below;
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

static void check_image(struct hunt *h, struct disk *image, const char *when)
{
	char why[200] = "";

	h->checked++;
	disk_now = image;
	if (!h->check(h->arg, h->checked % 16 == 0, why, sizeof(why)) && !h->failed++)
		snprintf(h->why, sizeof(h->why), "event %u%s: %s", h->walk.next, when, why);
}

/* Crashes while a token is loaded after a crash, which may cut, copy and flush. */
static void try_again(struct hunt *h, const struct disk *image)
{
	struct disk *second = disk_copy(image), *third;
	struct disk_walk outer = h->walk;
	struct disk_choice choices[DISK_PENDING];
	u32 i;

	disk_now = second;
	second->start = image;
	second->recording = true;
	h->load(h->arg);
	second->recording = false;
	disk_walk_begin(&h->walk, second);
	while (disk_walk_step(&h->walk)) {
		for (i = 0; i < 4; i++) {
			fill(h, choices, i & 1 ? DISK_WHOLE : DISK_GONE);
			if (h->walk.count)
				choose(h, h->walk.count - 1, &choices[h->walk.count - 1]);
			third = disk_walk_image(&h->walk, choices);
			if (set_add(disk_hash(third) ^ h->expected * 0x9e3779b97f4a7c15ULL)) {
				h->nested++;
				check_image(h, third, ", then at loading");
			}
			disk_free(third);
		}
	}
	disk_walk_end(&h->walk);
	h->walk = outer;
	disk_free(second);
}

static void try(struct hunt *h, const struct disk_choice *choices)
{
	struct disk *image, *copy;

	if (h->stop && h->failed)
		return;
	h->considered++;
	image = disk_walk_image(&h->walk, choices);
	if (set_add(disk_hash(image) ^ h->expected * 0x9e3779b97f4a7c15ULL)) {
		copy = h->load && (hunt_thorough || h->checked % 4 == 0) ? disk_copy(image) : NULL;
		check_image(h, image, "");
		if (copy)
			try_again(h, copy);
		disk_free(copy);
	}
	disk_free(image);
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
	size_t first = 512 - event->at % 512, sectors, len, i, most = hunt_thorough ? 64 : 6;

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

void hunt_point(struct hunt *h, const struct disk_event *event)
{
	struct disk_choice choices[DISK_PENDING];
	u32 n = h->walk.count;

	h->points++;
	if (n <= 4) {
		try_all(h, choices, 3);
	} else if (n <= (hunt_thorough ? 10 : 6)) {
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
		try_random(h, choices, hunt_thorough ? 64 : 8);
}

void hunt_tell(const struct hunt *h, const char *name)
{
	print_message("%s: %llu points, %llu states, of which %llu drawn at random; ", name,
		      h->points, h->considered, h->sampled);
	print_message("%llu different ones checked, %llu after a crash while loading: %llu bad\n",
		      h->checked, h->nested, h->failed);
	if (h->failed)
		print_message("%s: first: %s\n", name, h->why);
}

void hunt_end(void)
{
	free(set);
	set = NULL;
}

/* What the log says of torn ends is meant here. */
static void quiet(enum port_log_level level, const char *fmt, va_list args)
{
	if (getenv("CRASH_VERBOSE")) {
		printf("# ");
		vprintf(fmt, args);
	}
}

int hunt_setup(void **state)
{
	port_log_sink(quiet);
	return 0;
}

int hunt_teardown(void **state)
{
	fakerng_forget_keys();
	hunt_end();
	return 0;
}
