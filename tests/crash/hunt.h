/* SPDX-License-Identifier: MIT */
/*
 * What a disk may hold after a crash at one point, tried one by one. With n changes that are not
 * flushed: each of them gone, done, or zeros that only made the file longer (all 3^n for n <= 4,
 * gone or done for n <= 6); the newest write torn after 1 byte, in the middle, before its last byte
 * and at sectors, behind the tear the old end of file or zeros; and some at random (a fixed seed)
 * with any of these at once. No state is tried twice under the same rules. Of every fourth one, the
 * load that follows is cut short, too.
 */
#ifndef LUNA_TEST_HUNT_H
#define LUNA_TEST_HUNT_H

#include "disk.h"

/* Does disk_now hold what it must? @more: look closer; @why: out: what is wrong */
typedef bool check_fn(void *arg, bool more, char *why, size_t room);

/**
 * struct hunt - a hunt through the states of one disk
 * @load: loads from disk_now what it can, and dies; may be NULL
 * @expected: tells apart what must be true of a state, for one that comes about again
 * @stop: at the first failure
 * @nested: states after a second crash; part of @checked
 */
struct hunt {
	struct disk_walk walk;
	check_fn *check;
	void (*load)(void *arg);
	void *arg;
	u64 expected;
	bool stop;
	u64 points, considered, checked, sampled, nested, failed;
	u64 seed;
	char why[300];
};

/* Tries more of what is sampled otherwise. */
extern bool hunt_thorough;

/* hunt_begin() - forget what was tried; @h keeps its @stop */
void hunt_begin(struct hunt *h, check_fn *check, void *arg);
/* hunt_point() - try a crash after @event, over which @h->walk has just stepped */
void hunt_point(struct hunt *h, const struct disk_event *event);
/* hunt_tell() - figures, as a message */
void hunt_tell(const struct hunt *h, const char *name);
void hunt_end(void);

/* For a group of tests: the engine's messages are shown only with CRASH_VERBOSE; all is given back. */
int hunt_setup(void **state);
int hunt_teardown(void **state);

#endif /* LUNA_TEST_HUNT_H */
