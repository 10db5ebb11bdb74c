/* SPDX-License-Identifier: MIT */
/* What the parts of failnth share: failing allocations, two tokens, and a step for each command. */
#ifndef LUNA_TESTS_FAILNTH_H
#define LUNA_TESTS_FAILNTH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/engine_fixture.h"

enum {
	OPEN_FILE = LUNA_COMMANDS,	/* open(2), as a command's number */
	ALL = 64,			/* allocations, see struct step */
};

/* What the preparation of a step needs has to work; without it, the rest says nothing. */
__attribute__((format(printf, 1, 2), noreturn)) void bail(const char *fmt, ...);

/* ---- failnth_inject.c ---- */

/* The next command with this number meets a failure of its n-th allocation; 0: none does */
extern unsigned int armed_nr, armed_nth;
extern bool hit;			/* and it did meet it */

void write_number(const char *path, unsigned long long value);
/* Addresses of a function and of what follows it, as /proc/kallsyms has them. */
bool find_function(const char *name, unsigned long long *start, unsigned long long *end);

/* Before all else. */
void inject_open(void);
/* The limits of both injectors; with a range, allocations made from there do not count. */
void inject_setup(unsigned long long reject_start, unsigned long long reject_end,
		  unsigned long long require_start, unsigned long long require_end);
void inject_everywhere(void);
void inject_but_in(const char *function);
void inject_only_in(const char *function);
void inject_begin(unsigned int nth);
/* Was it met? Nothing fails any more after this. */
bool inject_end(void);

/* ---- failnth_steps.c ---- */

struct side {
	const char *path;
	struct luna_open *open;
	u32 session;
};

extern struct side a, b;

/* The fixture's commands go to the device: its open files are descriptors here. */
static inline int descriptor(struct luna_open *open)
{
	return (int)(intptr_t)open;
}

/* Each returns what fx_call() does. */
s64 side_open(struct side *side);
s64 side_close(struct side *side);
s64 init_token(struct side *side, const char *domain, u32 flags);
/* Logged in as @role, or as nobody: LUNA_ROLE_NONE */
s64 be(struct side *side, u32 role);
s64 slot_info(struct side *side, struct luna_slot_info *info);
s64 role_state(struct side *side, u32 role, struct luna_role_state *state);
s64 a_init(void);			/* failnth_tokens.c */

/**
 * struct step - a command as it succeeds
 * @before: makes what it needs; called first, and again after it succeeded with a failure. NULL:
 *	nothing
 * @once: called before all others; NULL: nothing
 * @nr: the command, of those that @run carries, that allocations fail in
 * @rv: what it returns otherwise
 * @primes: the search for primes, thousands of allocations at few places, is tried too
 * @counts: it checks a PIN: the attempt, counted before (lib/token/role.h), may stay so
 * @sparse: of its allocations, the first ALL and one of this many of the rest are tried
 */
struct step {
	const char *name;
	u32 nr;
	s64 (*run)(void);
	s64 (*before)(void);
	s64 (*once)(void);
	u32 rv;
	bool primes;
	bool counts;
	u32 sparse;
};

/* All steps in their order, in lists that end with a step without a name; NULL at the end */
extern const struct step *const step_lists[];

#endif /* LUNA_TESTS_FAILNTH_H */
