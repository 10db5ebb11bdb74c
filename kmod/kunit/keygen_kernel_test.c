// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Key generation and signals: whoever is killed stops generating, and stops waiting for others that
 * generate. Each case runs generations in kernel threads that take SIGKILL.
 */
#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "host.h"

enum { WAIT_MAX = 60, LONG_BITS = 4096 };

/**
 * struct generation - a thread
 * @err: what came of it; 0: a key
 */
struct generation {
	struct task_struct *task;
	struct completion running, done;
	u32 bits;
	int err;
};

static int generate(void *data)
{
	static const u8 e[] = { 1, 0, 1 };
	struct generation *g = data;
	struct luna_rsa_made *made;

	allow_signal(SIGKILL);
	complete(&g->running);
	made = luna_test_crypto()->rsa_generate(g->bits, e, sizeof(e));
	g->err = PTR_ERR_OR_ZERO(made);
	if (!g->err)
		kfree_sensitive(made);
	complete(&g->done);
	while (!kthread_should_stop())
		schedule_timeout_idle(1);
	return 0;
}

static void start(struct kunit *test, struct generation *g, u32 bits)
{
	init_completion(&g->running);
	init_completion(&g->done);
	g->bits = bits;
	g->err = 1;
	g->task = kthread_run(generate, g, "luna-generate");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, g->task);
	wait_for_completion(&g->running);
}

static void finish(struct kunit *test, struct generation *g, int expected)
{
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&g->done, WAIT_MAX * HZ), 0UL);
	KUNIT_EXPECT_EQ(test, g->err, expected);
	kthread_stop(g->task);
}

/* Long before 4096 bits are ready */
static void killed_while_searching(struct kunit *test)
{
	struct generation *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, g);
	start(test, g, LONG_BITS);
	msleep(20);
	send_sig(SIGKILL, g->task, 1);
	finish(test, g, -EINTR);
}

/* One more than may run at once: it is killed while it waits; the others go on until they are. */
static void killed_while_waiting(struct kunit *test)
{
	unsigned int i, count = num_online_cpus() + 1;
	struct generation *g = kunit_kcalloc(test, count, sizeof(*g), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, g);
	for (i = 0; i < count; i++) {
		start(test, &g[i], LONG_BITS);
		msleep(20);
	}
	send_sig(SIGKILL, g[count - 1].task, 1);
	finish(test, &g[count - 1], -EINTR);
	for (i = 0; i < count - 1; i++) {
		KUNIT_EXPECT_FALSE(test, completion_done(&g[i].done));
		send_sig(SIGKILL, g[i].task, 1);
		finish(test, &g[i], -EINTR);
	}
}

/* Those who were killed left no place taken. */
static void others_come_after(struct kunit *test)
{
	struct generation *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, g);
	start(test, g, 1024);
	finish(test, g, 0);
}

static struct kunit_case keygen_signal_cases[] = {
	KUNIT_CASE(killed_while_searching),
	KUNIT_CASE(killed_while_waiting),
	KUNIT_CASE(others_come_after),
	{}
};

static struct kunit_suite keygen_signal_suite = {
	.name = "luna-keygen-signals",
	.test_cases = keygen_signal_cases,
};

kunit_test_suites(&keygen_signal_suite);
