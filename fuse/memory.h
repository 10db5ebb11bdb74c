/* SPDX-License-Identifier: MIT */
/*
 * Keeps secrets out of swap and core dumps, as far as the system lets this user.
 */
#ifndef LUNA_MEMORY_H
#define LUNA_MEMORY_H

/* memory_prepare() - before the first allocation that may hold a secret and the first thread */
void memory_prepare(void);

/**
 * memory_protect() - from now on secrets may come
 * No core dumps, no debuggers of the same user, memory locked. After mounting, which fusermount3
 * helps with.
 */
void memory_protect(void);

/* memory_follow() - lock what the heap has grown by; cheap when it has not */
void memory_follow(void);

/* memory_protect_stack() - of the calling thread */
void memory_protect_stack(void);

/*
 * memory_wipe_stack() - what calls that have returned left below the caller's frame: compilers and the
 * dynamic linker save registers there, some of which held a piece of a key
 */
void memory_wipe_stack(void);

#endif /* LUNA_MEMORY_H */
