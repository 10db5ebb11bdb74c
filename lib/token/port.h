/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The funnel: the only header through which the engine sees its surroundings.
 *
 * In the kernel these are the kernel's own headers. In user space <port_user.h> (lib/port) offers
 * the same names with the same meaning. Nothing else in lib/token may test __KERNEL__ or include a
 * system header; tools/lint/engine-includes says so.
 */
#ifndef LUNA_TOKEN_PORT_H
#define LUNA_TOKEN_PORT_H

#ifdef __KERNEL__
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/bsearch.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/cleanup.h>
#include <linux/container_of.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jhash.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/printk.h>
#include <linux/random.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/types.h>
#include <linux/version.h>
/* By version: sparse knows no __has_include. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
#include <crypto/algapi.h>
#else
#include <port_user.h>
#endif

#endif /* LUNA_TOKEN_PORT_H */
