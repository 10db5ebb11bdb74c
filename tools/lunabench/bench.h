/* SPDX-License-Identifier: MIT */
/* lunabench: what its files share. */
#ifndef LUNABENCH_H
#define LUNABENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LUNA_OASIS_NAMES_ONLY
#include <luna/cryptoki_v2.h>

#define BENCH_PIN	"bench-pin"

enum { BENCH_MAX_THREADS = 16 };

/**
 * struct bench_token - a PKCS#11 module under test, with the keys that the operations use
 * @name: in the table
 * @v3: its functions of v3.0, or NULL
 * @session: one session a thread, the user logged in
 */
struct bench_token {
	const char *name;
	void *library;
	CK_FUNCTION_LIST_PTR p11;
	CK_FUNCTION_LIST_3_0_PTR v3;
	CK_SLOT_ID slot;
	CK_SESSION_HANDLE session[BENCH_MAX_THREADS];
	CK_OBJECT_HANDLE rsa, rsa_pub, aes;
};

/* token.c; they end the program with a message on failure */
void token_load(struct bench_token *token, const char *name, const char *path);
void token_prepare(struct bench_token *token, CK_ULONG slot_index, unsigned int threads);
void token_unload(struct bench_token *token);
void token_add_keys(struct bench_token *token, unsigned int count, unsigned int first);
void token_softhsm_config(void);	/* SOFTHSM2_CONF with an empty directory of our own */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/**
 * struct bench_row - one operation on one target
 * @run: does it @count times on behalf of one thread; false: cannot
 */
struct bench_row {
	const char *name;
	bool (*run)(void *target, unsigned int thread, unsigned int count);
};

enum bench_operation {
	BENCH_SIGN,
	BENCH_ENCRYPT,
	BENCH_MESSAGE,
	BENCH_ATTRIBUTES,
	BENCH_FIND,
	BENCH_RANDOM,
	BENCH_SESSION,
	BENCH_CREATE,
	BENCH_OPERATIONS
};

/* token_ops.c; target: struct bench_token */
extern const struct bench_row token_rows[BENCH_OPERATIONS];

/* limits.c: the same work without a token; NULL name: the operation has no limit */
struct bench_limits;
struct bench_limits *limits_new(const char *device);
void limits_free(struct bench_limits *limits);
extern const struct bench_row limit_rows[BENCH_OPERATIONS];

/* measure.c: microseconds of one operation, median of @rounds interleaved rounds of each target */
struct bench_target {
	void *target;
	const struct bench_row *row;
	double median;			/* out; < 0: not available */
};

void measure(struct bench_target *targets, size_t count, unsigned int threads, unsigned int rounds,
	     double seconds);

#endif /* LUNABENCH_H */
