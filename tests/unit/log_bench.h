/* SPDX-License-Identifier: MIT */
/*
 * A token reduced to what the log fills, over a store in memory: opened, closed, killed; objects
 * whose bytes their handle tells; writers in threads.
 *
 * Objects are private ones, whose data the log and the directory take as it is.
 */
#ifndef LUNA_TEST_LOG_BENCH_H
#define LUNA_TEST_LOG_BENCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>

#include "log.h"
#include "log_file.h"
#include "memstore.h"
#include "object.h"

/**
 * struct bench - a token and its store
 * @ops: of the store, to be changed at will
 * @ret: of luna_log_open()
 */
struct bench {
	struct luna_token token;
	struct luna_store_ops ops;
	struct memstore *store;
	int ret;
};

/* bench_on() - over @store, which becomes the bench's; loaded */
struct bench *bench_on(struct memstore *store);
/* bench_new() - with a token that was initialised, so that its log has begun */
struct bench *bench_new(void);
void bench_free(struct bench *b);

/* bench_blank() - a token whose log is not open */
void bench_blank(struct bench *b);
/* bench_load() - bench_blank() with its log opened, or not: @ret says */
void bench_load(struct bench *b);
void bench_unload(struct bench *b);
/* bench_kill() - as bench_unload(), without the mark of a closed log: what kill -9 leaves */
void bench_kill(struct bench *b);
/* bench_reload(), bench_revive() - unload or kill, and load, which succeeds */
void bench_reload(struct bench *b);
void bench_revive(struct bench *b);

/* What an object has more than its length says: no sealed one is shorter than what sealing adds. */
enum { BENCH_LEAST = 40 };

/* bench_put() - an object of @len bytes which @handle and @turn decide. Return: 0 or -errno */
int bench_put(struct bench *b, u32 handle, u32 turn, u32 len);
/* bench_put_pair() - @handle and the next at once, of turn 0 */
int bench_put_pair(struct bench *b, u32 handle, u32 len);
/* bench_attempt() - the CO's failed attempts, durably; more than 9 lock it. Return: 0 or -errno */
int bench_attempt(struct bench *b, u32 failed);
struct luna_object *bench_find(struct bench *b, u32 handle);
/* bench_has() - the object as bench_put() put it */
bool bench_has(struct bench *b, u32 handle, u32 turn, u32 len);
/* bench_count() - objects */
u32 bench_count(struct bench *b);
u64 bench_calls(const struct bench *b, enum memstore_call call);
/* bench_expect_damaged() - @store does not open but with @err, and stays as it is; frees it */
void bench_expect_damaged(struct memstore *store, int err);

enum { WRITERS = 8, PUTS = 60 };

/**
 * struct bench_writer - a thread that writes
 * @base: its first handle
 * @failed: what it counts
 */
struct bench_writer {
	struct bench *b;
	u32 base;
	u32 failed;
	pthread_t thread;
};

void bench_writer_start(struct bench_writer *w, void *(*fn)(void *arg));
/* bench_write() - WRITERS times @fn at once, 1000 handles each. Return: all @failed together */
u32 bench_write(struct bench *b, void *(*fn)(void *arg));
/* bench_write_some() - for bench_write(): PUTS objects, of which every third is deleted again */
void *bench_write_some(void *arg);
/* bench_expect_written() - what bench_write_some() makes, and no other objects */
void bench_expect_written(struct bench *b);
/* bench_slow_sync() - for @ops: a flush that lets others come */
int bench_slow_sync(void *store);

/* Of a group of tests: the log is quiet, and no WARN_ON() is met. */
int bench_setup(void **state);
int bench_teardown(void **state);

#endif /* LUNA_TEST_LOG_BENCH_H */
