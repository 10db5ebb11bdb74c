// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * User-space side of lib/token/port.h, the part that is no macro. Relies on glibc or musl for
 * malloc_usable_size() and getrandom().
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <malloc.h>
#include <sys/random.h>

#include "port_user.h"

/* What port_alloc_watch() sees. Off, an allocation costs one read of a shared, unwritten word. */
static struct {
	bool on;
	u64 fail_from, fail_count;
	atomic64_t calls;
	atomic64_t live;
} watch;

void port_alloc_watch(void)
{
	port_alloc_fail(0, 0);
	atomic64_set(&watch.calls, 0);
	atomic64_set(&watch.live, 0);
	smp_store_release(&watch.on, true);
}

void port_alloc_unwatch(void)
{
	smp_store_release(&watch.on, false);
}

void port_alloc_fail(u64 nth, u64 count)
{
	WRITE_ONCE(watch.fail_from, atomic64_read(&watch.calls) + nth);
	WRITE_ONCE(watch.fail_count, nth ? count : 0);
}

u64 port_alloc_calls(void)
{
	return atomic64_read(&watch.calls);
}

s64 port_alloc_live(void)
{
	return atomic64_read(&watch.live);
}

static bool port_alloc_fails(void)
{
	u64 call, from;

	if (likely(!smp_load_acquire(&watch.on)))
		return false;
	call = atomic64_inc_return(&watch.calls);
	from = READ_ONCE(watch.fail_from);
	return call >= from && call - from < READ_ONCE(watch.fail_count);
}

static void port_alloc_count(int change)
{
	if (unlikely(READ_ONCE(watch.on)))
		atomic64_add(change, &watch.live);
}

static void *port_alloc(size_t size, size_t max, gfp_t flags)
{
	void *p = NULL;

	if (port_alloc_fails() || size > max)
		return NULL;
	p = flags & __GFP_ZERO ? calloc(1, size) : malloc(size);
	if (p)
		port_alloc_count(1);
	return p;
}

void *(kmalloc)(size_t size, gfp_t flags)
{
	return port_alloc(size, KMALLOC_MAX_SIZE, flags);
}

void *kvmalloc(size_t size, gfp_t flags)
{
	return port_alloc(size, INT_MAX, flags);
}

/* Unlike libc's, the kernel's never leaves old content behind in a block that moved to be wiped. */
void *krealloc(const void *p, size_t size, gfp_t flags)
{
	void *moved;

	if (!size) {
		kfree(p);
		return NULL;
	}
	moved = kmalloc(size, flags);
	if (moved && p) {
		memcpy(moved, p, min(size, ksize(p)));
		kfree(p);
	}
	return moved;
}

void *kmemdup(const void *src, size_t len, gfp_t flags)
{
	void *p = kmalloc(len, flags);

	if (p)
		memcpy(p, src, len);
	return p;
}

char *kstrdup(const char *s, gfp_t flags)
{
	return s ? kmemdup(s, strlen(s) + 1, flags) : NULL;
}

size_t ksize(const void *p)
{
	return malloc_usable_size((void *)p);
}

void kfree(const void *p)
{
	if (!p)
		return;
	port_alloc_count(-1);
	free((void *)p);
}

void kfree_sensitive(const void *p)
{
	if (p)
		memzero_explicit((void *)p, ksize(p));
	kfree(p);
}

void kvfree_sensitive(const void *p, size_t len)
{
	if (p)
		memzero_explicit((void *)p, len);
	kfree(p);
}

void memzero_explicit(void *p, size_t len)
{
	/* Neither may the store be dropped, nor the object's size be guessed from where @p came from. */
	OPTIMIZER_HIDE_VAR(p);
	memset(p, 0, len);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

void *memchr_inv(const void *p, int c, size_t len)
{
	const u8 *byte = p;

	for (; len; len--, byte++)
		if (*byte != (u8)c)
			return (void *)byte;
	return NULL;
}

unsigned long crypto_memneq(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;
	unsigned long differ = 0;

	while (len--) {
		differ |= *x++ ^ *y++;
		OPTIMIZER_HIDE_VAR(differ);
	}
	return differ;
}

ssize_t strscpy(char *dst, const char *src, size_t size)
{
	size_t len;

	if (!size || size > INT_MAX)
		return -E2BIG;
	len = strnlen(src, size);
	if (len < size) {
		memcpy(dst, src, len + 1);
		return len;
	}
	memcpy(dst, src, size - 1);
	dst[size - 1] = '\0';
	return -E2BIG;
}

int vscnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(buf, size, fmt, args);

	if (len < 0 || !size)
		return 0;
	return (size_t)len < size ? len : (int)size - 1;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vscnprintf(buf, size, fmt, args);
	va_end(args);
	return len;
}

/* An odd constant without pattern: the golden ratio as 0.64 fixed point. */
#define HASH_ODD	0x9e3779b97f4a7c15ULL

static u64 hash_word(u64 state, u64 word)
{
	state = (state ^ word) * HASH_ODD;
	return state ^ state >> 29;
}

static u32 hash_end(u64 state)
{
	state *= HASH_ODD;
	return state >> 32;
}

u32 jhash(const void *key, u32 len, u32 initval)
{
	u64 state = hash_word(initval, len);
	const u8 *p = key;
	u64 word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		state = hash_word(state, word);
	}
	word = 0;
	if (len)
		memcpy(&word, p, len);
	return hash_end(hash_word(state, word));
}

u32 jhash_2words(u32 a, u32 b, u32 initval)
{
	return hash_end(hash_word(hash_word(initval, sizeof(a)), (u64)a << 32 | b));
}

void sort(void *base, size_t num, size_t size, cmp_func_t cmp,
	  swap_func_t swap_func __maybe_unused)
{
	if (num > 1)
		qsort(base, num, size, cmp);
}

/* Log */
static port_log_sink_t log_sink;
static atomic_t warnings;

void port_log_sink(port_log_sink_t sink)
{
	smp_store_release(&log_sink, sink);
}

void port_log(enum port_log_level level, const char *fmt, ...)
{
	port_log_sink_t sink = smp_load_acquire(&log_sink);
	va_list args;

	va_start(args, fmt);
	if (sink)
		sink(level, fmt, args);
	else if (level <= PORT_LOG_WARN)
		vfprintf(stderr, fmt, args);
	va_end(args);
}

bool port_warn(bool condition, const char *text, const char *file, int line)
{
	if (unlikely(condition)) {
		atomic_inc(&warnings);
		port_log(PORT_LOG_WARN, "WARNING: %s at %s:%d\n", text, file, line);
	}
	return condition;
}

unsigned int port_warnings(void)
{
	return atomic_read(&warnings);
}

/* Time and random */
time64_t ktime_get_real_seconds(void)
{
	return time(NULL);
}

void time64_to_tm(time64_t seconds, int offset, struct tm *tm)
{
	time_t t = seconds + offset;

	gmtime_r(&t, tm);
}

void get_random_bytes(void *buf, size_t len)
{
	u8 *p = buf;

	while (len) {
		ssize_t got = getrandom(p, len, 0);

		if (got < 0 && errno != EINTR)
			abort();	/* the kernel's cannot fail, and nothing may go on without */
		if (got > 0) {
			p += got;
			len -= got;
		}
	}
}

struct task_struct *const current;
__thread bool port_killed;

/* Locks. The address of a thread's own variable names the thread. */
static __thread char self;

void mutex_init(struct mutex *m)
{
	pthread_mutex_init(&m->lock, NULL);
	m->owner = NULL;
}

void mutex_destroy(struct mutex *m)
{
	WARN_ON(READ_ONCE(m->owner));
	pthread_mutex_destroy(&m->lock);
}

void mutex_lock(struct mutex *m)
{
	WARN_ON(__port_mutex_held(m));
	pthread_mutex_lock(&m->lock);
	WRITE_ONCE(m->owner, &self);
}

int mutex_trylock(struct mutex *m)
{
	if (pthread_mutex_trylock(&m->lock))
		return 0;
	WRITE_ONCE(m->owner, &self);
	return 1;
}

void mutex_unlock(struct mutex *m)
{
	WARN_ON(!__port_mutex_held(m));
	WRITE_ONCE(m->owner, NULL);
	pthread_mutex_unlock(&m->lock);
}

bool mutex_is_locked(struct mutex *m)
{
	return READ_ONCE(m->owner);
}

void init_rwsem(struct rw_semaphore *sem)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
#ifdef __GLIBC__
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
	pthread_rwlock_init(&sem->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	sem->owner = NULL;
	sem->readers = 0;
}

void down_read(struct rw_semaphore *sem)
{
	WARN_ON(__port_rwsem_held_write(sem));
	pthread_rwlock_rdlock(&sem->lock);
	__atomic_fetch_add(&sem->readers, 1, __ATOMIC_RELAXED);
}

void up_read(struct rw_semaphore *sem)
{
	WARN_ON(!__port_rwsem_held_read(sem));
	__atomic_fetch_sub(&sem->readers, 1, __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&sem->lock);
}

void down_write(struct rw_semaphore *sem)
{
	WARN_ON(__port_rwsem_held_write(sem));
	pthread_rwlock_wrlock(&sem->lock);
	WRITE_ONCE(sem->owner, &self);
}

void up_write(struct rw_semaphore *sem)
{
	WARN_ON(!__port_rwsem_held_write(sem));
	WRITE_ONCE(sem->owner, NULL);
	pthread_rwlock_unlock(&sem->lock);
}

bool __port_mutex_held(const struct mutex *m)
{
	return READ_ONCE(m->owner) == &self;
}

bool __port_spin_held(const spinlock_t *s)
{
	return __port_mutex_held(&s->mutex);
}

/* Whose the readers are is not known, so this misses a reader that is another thread. */
bool __port_rwsem_held_read(const struct rw_semaphore *sem)
{
	return READ_ONCE(sem->readers) > 0;
}

bool __port_rwsem_held_write(const struct rw_semaphore *sem)
{
	return READ_ONCE(sem->owner) == &self;
}

bool __port_rwsem_held(const struct rw_semaphore *sem)
{
	return __port_rwsem_held_write(sem) || __port_rwsem_held_read(sem);
}

/* Reference counts */
void refcount_inc(refcount_t *r)
{
	WARN_ON(atomic_add_return(1, &r->refs) <= 1);
}

bool refcount_inc_not_zero(refcount_t *r)
{
	int seen, refs = atomic_read(&r->refs);

	while (refs) {
		seen = atomic_cmpxchg(&r->refs, refs, refs + 1);
		if (seen == refs)
			return true;
		refs = seen;
	}
	return false;
}

bool refcount_dec_and_test(refcount_t *r)
{
	int left = atomic_dec_return(&r->refs);

	WARN_ON(left < 0);
	return !left;
}
