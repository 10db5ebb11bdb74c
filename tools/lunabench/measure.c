// SPDX-License-Identifier: MIT
/* Interleaved rounds: every target gets its turn before any gets its next, so that noise hits all. */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "bench.h"

struct worker {
	pthread_t thread;
	const struct bench_target *target;
	unsigned int number, count;
	bool ok;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;

	w->ok = w->target->row->run(w->target->target, w->number, w->count);
	return NULL;
}

/* Microseconds of @count operations in each of @threads threads; < 0: they failed. */
static double run_once(const struct bench_target *t, unsigned int threads, unsigned int count)
{
	struct worker workers[BENCH_MAX_THREADS];
	double start = now();
	bool ok = true;
	unsigned int i;

	if (threads == 1) {
		ok = t->row->run(t->target, 0, count);
		return ok ? now() - start : -1;
	}
	for (i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .target = t, .number = i, .count = count };
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			die("cannot start a thread");
	}
	for (i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		ok = ok && workers[i].ok;
	}
	return ok ? now() - start : -1;
}

/* How many operations fill @seconds; 0: the target cannot do it. */
static unsigned int calibrate(const struct bench_target *t, unsigned int threads, double seconds)
{
	unsigned int count = 1;
	double us;

	for (;;) {
		us = run_once(t, threads, count);
		if (us < 0)
			return 0;
		if (us >= seconds * 1e6 / 4 || count >= 1u << 24)
			break;
		count *= 2;
	}
	us = count * (seconds * 1e6 / us);
	return us < 1 ? 1 : (unsigned int)us;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void measure(struct bench_target *targets, size_t count, unsigned int threads, unsigned int rounds,
	     double seconds)
{
	unsigned int *ops = calloc(count, sizeof(*ops));
	double *us = calloc(count * rounds, sizeof(*us));
	unsigned int round;
	size_t i;

	if (!ops || !us)
		die("out of memory");
	for (i = 0; i < count; i++)
		ops[i] = targets[i].row->run ? calibrate(&targets[i], threads, seconds) : 0;
	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++)
			if (ops[i])
				us[i * rounds + round] = run_once(&targets[i], threads, ops[i]) /
							 ops[i] / threads;
	for (i = 0; i < count; i++) {
		qsort(us + i * rounds, rounds, sizeof(*us), compare);
		targets[i].median = ops[i] ? us[i * rounds + rounds / 2] : -1;
	}
	free(us);
	free(ops);
}
