/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * User-space side of lib/token/port.h: the kernel's names with the kernel's meaning, as far as the
 * engine uses them. This file: memory, strings, log, time, random and what a task is; the rest is in
 * the headers included here. The port_ functions at the end are for hosts and tests, not the engine.
 *
 * Differs from the kernel: struct tm is libc's, so cast tm_year before printing it; a zero-sized
 * allocation is a pointer of its own.
 */
#ifndef LUNA_PORT_USER_H
#define LUNA_PORT_USER_H

#include <time.h>

#include "port_base.h"
#include "port_list.h"
#include "port_sync.h"

/* Memory. As in the kernel, kmalloc() has an end at 4 MiB and kvmalloc() at INT_MAX. */
typedef unsigned int gfp_t;

#define GFP_KERNEL		((gfp_t)0)
#define GFP_KERNEL_ACCOUNT	((gfp_t)0)
#define GFP_ATOMIC		((gfp_t)0)
#define __GFP_ZERO		((gfp_t)1)
#define __GFP_NOWARN		((gfp_t)0)
#define __GFP_ACCOUNT		((gfp_t)0)

#define KMALLOC_MAX_SIZE	((size_t)4 << 20)

void *kmalloc(size_t size, gfp_t flags) __must_check;
#ifdef __clang_analyzer__
/* The analyser knows kmalloc() but not __GFP_ZERO. */
#define kmalloc(size, flags)	calloc(1, (size))
#endif
void *krealloc(const void *p, size_t size, gfp_t flags) __must_check;
void *kmemdup(const void *src, size_t len, gfp_t flags) __must_check;
char *kstrdup(const char *s, gfp_t flags) __must_check;
void kfree(const void *p);
void kfree_sensitive(const void *p);
size_t ksize(const void *p);
void *kvmalloc(size_t size, gfp_t flags) __must_check;
void kvfree_sensitive(const void *p, size_t len);

#define kvfree(p)	kfree(p)

static inline void * __must_check kzalloc(size_t size, gfp_t flags)
{
	return kmalloc(size, flags | __GFP_ZERO);
}

static inline void * __must_check kmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return kmalloc(size_mul(n, size), flags);
}

static inline void * __must_check kcalloc(size_t n, size_t size, gfp_t flags)
{
	return kzalloc(size_mul(n, size), flags);
}

static inline void * __must_check krealloc_array(void *p, size_t n, size_t size, gfp_t flags)
{
	return krealloc(p, size_mul(n, size), flags);
}

static inline void * __must_check kvzalloc(size_t size, gfp_t flags)
{
	return kvmalloc(size, flags | __GFP_ZERO);
}

static inline void * __must_check kvmalloc_array(size_t n, size_t size, gfp_t flags)
{
	return kvmalloc(size_mul(n, size), flags);
}

static inline void * __must_check kvcalloc(size_t n, size_t size, gfp_t flags)
{
	return kvzalloc(size_mul(n, size), flags);
}

DEFINE_FREE(kfree, void *, if (!IS_ERR_OR_NULL(_T)) kfree(_T))

/* Strings and bytes */
void memzero_explicit(void *p, size_t len);
void *memchr_inv(const void *p, int c, size_t len);
/* Constant time; 0 if equal. */
unsigned long crypto_memneq(const void *a, const void *b, size_t len);
ssize_t strscpy(char *dst, const char *src, size_t size);
int scnprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);
int vscnprintf(char *buf, size_t size, const char *fmt, va_list args) __printf(3, 0);

/* Not the kernel's function, but as good for hash tables. */
u32 jhash(const void *key, u32 len, u32 initval);
u32 jhash_2words(u32 a, u32 b, u32 initval);

static inline u32 jhash_1word(u32 a, u32 initval)
{
	return jhash_2words(a, 0, initval);
}

typedef int (*cmp_func_t)(const void *a, const void *b);
typedef void (*swap_func_t)(void *a, void *b, int size);

void sort(void *base, size_t num, size_t size, cmp_func_t cmp, swap_func_t swap_func);

/* Log */
enum port_log_level {
	PORT_LOG_ERR,
	PORT_LOG_WARN,
	PORT_LOG_INFO,
	PORT_LOG_DEBUG,
};

void port_log(enum port_log_level level, const char *fmt, ...) __printf(2, 3);
bool port_warn(bool condition, const char *text, const char *file, int line);

#ifndef pr_fmt
#define pr_fmt(fmt)	fmt
#endif
#define pr_err(fmt, ...)	port_log(PORT_LOG_ERR, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_warn(fmt, ...)	port_log(PORT_LOG_WARN, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_info(fmt, ...)	port_log(PORT_LOG_INFO, pr_fmt(fmt), ##__VA_ARGS__)
#define pr_debug(fmt, ...)	port_log(PORT_LOG_DEBUG, pr_fmt(fmt), ##__VA_ARGS__)

#define WARN_ON(cond)		port_warn(cond, #cond, __FILE__, __LINE__)
#define WARN_ON_ONCE(cond) ({							\
	static bool __port_warned;						\
	bool __port_cond = !!(cond);						\
	if (unlikely(__port_cond) && !xchg(&__port_warned, true))		\
		port_warn(true, #cond, __FILE__, __LINE__);			\
	unlikely(__port_cond); })

/* Time and random */
typedef s64 time64_t;

time64_t ktime_get_real_seconds(void);
void time64_to_tm(time64_t seconds, int offset, struct tm *tm);
void get_random_bytes(void *buf, size_t len);

static inline u32 get_random_u32(void)
{
	u32 x;

	get_random_bytes(&x, sizeof(x));
	return x;
}

static inline u64 get_random_u64(void)
{
	u64 x;

	get_random_bytes(&x, sizeof(x));
	return x;
}

/* The task */
struct task_struct;

extern struct task_struct *const current;
/* Set it in the thread that works for a client which has been killed. */
extern __thread bool port_killed;

static inline int fatal_signal_pending(struct task_struct *task __maybe_unused)
{
	return port_killed;
}

#define cond_resched()	((void)0)

/* For hosts */

/**
 * typedef port_log_sink_t - receives what pr_*() and WARN_ON() say, from any thread
 * @fmt: ends with a newline, as the kernel's do
 */
typedef void (*port_log_sink_t)(enum port_log_level level, const char *fmt, va_list args);

/* port_log_sink() - send messages to @sink; NULL: errors and warnings to stderr, others nowhere */
void port_log_sink(port_log_sink_t sink);

/* For tests */

/* port_warnings() - how often WARN_ON(), lockdep_assert_held() or a reference count has warned */
unsigned int port_warnings(void);

/* port_alloc_watch() - count allocations from now on, none failing */
void port_alloc_watch(void);
void port_alloc_unwatch(void);

/**
 * port_alloc_fail() - while watching, let allocations fail
 * @nth: the first that returns NULL, counted from this call, from 1; 0: none
 * @count: how many fail
 */
void port_alloc_fail(u64 nth, u64 count);

/* port_alloc_calls() - allocations tried since port_alloc_watch() */
u64 port_alloc_calls(void);

/* port_alloc_live() - allocations less frees since port_alloc_watch() */
s64 port_alloc_live(void);

#endif /* LUNA_PORT_USER_H */
