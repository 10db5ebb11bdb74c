// SPDX-License-Identifier: MIT
/*
 * Every crash of a token's life: for both hosts' stores, what a disk may hold after a power cut at
 * any point is put together, loaded, and held against what had been acknowledged. Negative
 * controls: a flush that is left out must be found.
 *
 *	--long		tries more of what is sampled otherwise (hunt.h)
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

#include "hunt.h"
#include "many.h"
#include "scenario.h"

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

static void load_life(void *arg)
{
	struct life *life = arg;
	struct host host;

	if (!host_open(&host, life->place, &luna_openssl_ops))
		host_kill(&host);
}

/* Crashes after event @from and up to @to */
static void hunt_life(struct hunt *h, struct life *life, u32 from, u32 to)
{
	const struct disk_event *event;

	hunt_begin(h, check_life, life);
	h->load = load_life;
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
		/* What may be there after a step has begun was tried before, by stricter rules. */
		if (event->op != DISK_MARK || event->mark != MARK_BEGIN)
			hunt_point(h, event);
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
	hunt_tell(h, place->name);
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

static void test_daemon_many(void **state)
{
	many_every_crash(&daemon_place);
}

static void test_module_many(void **state)
{
	many_every_crash(&module_place);
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
 * Not every flush is one that somebody waits for: that of a file just loaded is not, nor the
 * module's of a replacement that is no longer needed. @least percent are.
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
	lies(&daemon_place, DISK_FLUSH, 85);
}

static void test_daemon_directory_lies(void **state)
{
	lies(&daemon_place, DISK_FLUSH_DIR, 80);
}

static void test_module_lies(void **state)
{
	lies(&module_place, DISK_FLUSH, 70);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_daemon_crash),
		cmocka_unit_test(test_module_crash),
		cmocka_unit_test(test_daemon_many),
		cmocka_unit_test(test_module_many),
		cmocka_unit_test(test_daemon_lies),
		cmocka_unit_test(test_daemon_directory_lies),
		cmocka_unit_test(test_module_lies),
	};

	hunt_thorough = argc > 1 && !strcmp(argv[1], "--long");
	return cmocka_run_group_tests(tests, hunt_setup, hunt_teardown);
}
