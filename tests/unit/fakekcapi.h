/* SPDX-License-Identifier: MIT */
/*
 * A libkcapi for hosts without AF_ALG: the functions that the provider calls, on OpenSSL, with the
 * habits of the real ones that matter: one operation at a time on a handle, no key that changes
 * once the handle was used, short reads of random numbers. Tests say what this "kernel" lacks.
 */
#ifndef LUNA_FAKEKCAPI_H
#define LUNA_FAKEKCAPI_H

#include "engine.h"

/**
 * struct fakekcapi - what it is to do, and what it saw
 * @absent: every init fails with this errno, as without AF_ALG; 0: AF_ALG is there
 * @missing: this algorithm does not open; a trailing '*' stands for the rest
 * @wrong: this one opens and answers wrong
 * @strict: keys of triple DES must have three different parts
 * @failing: operations fail from now on
 * @open, @open_max: handles now, and most at one time
 * @keyed: keys set
 */
struct fakekcapi {
	int absent;
	const char *missing;
	const char *wrong;
	bool strict;
	bool failing;
	int open, open_max, keyed;
};

extern struct fakekcapi fakekcapi;

#endif /* LUNA_FAKEKCAPI_H */
