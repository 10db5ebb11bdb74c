/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Locks, atomics, reference counts and scope-bound cleanup under the kernel's names, for user space.
 *
 * Locks are pthread locks, so that ThreadSanitizer knows them; each remembers its owner, so that
 * lockdep_assert_held() warns in user space too. Atomics are the compiler's, with the kernel's order:
 * what returns a value is fully ordered, what returns none is relaxed.
 */
#ifndef LUNA_PORT_SYNC_H
#define LUNA_PORT_SYNC_H

#include <pthread.h>

#include "port_base.h"

/* Scope-bound cleanup */
#define __cleanup(func)		__maybe_unused __attribute__((__cleanup__(func)))

#define DEFINE_FREE(_name, _type, _free)					\
static inline void __free_##_name(void *p)					\
{										\
	_type _T = *(_type *)p;							\
										\
	_free;									\
}

#define __free(_name)		__cleanup(__free_##_name)
#define no_free_ptr(p) ({							\
	__auto_type __port_kept = (p);						\
	(p) = NULL;								\
	__port_kept; })
#define return_ptr(p)		return no_free_ptr(p)

#define DEFINE_CLASS(_name, _type, _exit, _init, _init_args...)			\
typedef _type class_##_name##_t;						\
static inline void class_##_name##_destructor(_type *p)				\
{										\
	_type _T = *p;								\
										\
	_exit;									\
}										\
static inline _type class_##_name##_constructor(_init_args)			\
{										\
	_type t = _init;							\
										\
	return t;								\
}

#define CLASS(_name, var)							\
	class_##_name##_t var __cleanup(class_##_name##_destructor) =		\
		class_##_name##_constructor

#define DEFINE_GUARD(_name, _type, _lock, _unlock)				\
DEFINE_CLASS(_name, _type, if (_T) { _unlock; }, ({ _lock; _T; }), _type _T)

#define guard(_name)		CLASS(_name, __UNIQUE_ID(guard))
#define scoped_guard(_name, args...)						\
	__port_scoped_guard(_name, __UNIQUE_ID(scope), __UNIQUE_ID(turn), args)
#define __port_scoped_guard(_name, scope, turn, args...)			\
	for (CLASS(_name, scope)(args), *turn = &scope; turn; turn = NULL)

/* Single words that others read or write at the same time */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)	__atomic_store_n(&(x), val, __ATOMIC_RELAXED)
#define smp_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define xchg(p, v)		__atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)
#define cmpxchg(p, old, val) ({							\
	typeof(*(p)) __port_old = (old);					\
	__atomic_compare_exchange_n(p, &__port_old, val, false,			\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);	\
	__port_old; })

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	s64 counter;
} atomic64_t;

#define ATOMIC_INIT(i)		{ (i) }
#define ATOMIC64_INIT(i)	{ (i) }

#define __PORT_ATOMIC(name, type)						\
static inline type name##_read(const name##_t *v)				\
{										\
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);			\
}										\
static inline void name##_set(name##_t *v, type i)				\
{										\
	__atomic_store_n(&v->counter, i, __ATOMIC_RELAXED);			\
}										\
static inline void name##_add(type i, name##_t *v)				\
{										\
	__atomic_fetch_add(&v->counter, i, __ATOMIC_RELAXED);			\
}										\
static inline void name##_sub(type i, name##_t *v)				\
{										\
	__atomic_fetch_sub(&v->counter, i, __ATOMIC_RELAXED);			\
}										\
static inline void name##_inc(name##_t *v)					\
{										\
	name##_add(1, v);							\
}										\
static inline void name##_dec(name##_t *v)					\
{										\
	name##_sub(1, v);							\
}										\
static inline type name##_add_return(type i, name##_t *v)			\
{										\
	return __atomic_add_fetch(&v->counter, i, __ATOMIC_SEQ_CST);		\
}										\
static inline type name##_sub_return(type i, name##_t *v)			\
{										\
	return __atomic_sub_fetch(&v->counter, i, __ATOMIC_SEQ_CST);		\
}										\
static inline type name##_inc_return(name##_t *v)				\
{										\
	return name##_add_return(1, v);						\
}										\
static inline type name##_dec_return(name##_t *v)				\
{										\
	return name##_sub_return(1, v);						\
}										\
static inline bool name##_dec_and_test(name##_t *v)				\
{										\
	return !name##_dec_return(v);						\
}										\
static inline type name##_cmpxchg(name##_t *v, type old, type val)		\
{										\
	return cmpxchg(&v->counter, old, val);					\
}										\
static inline type name##_xchg(name##_t *v, type val)				\
{										\
	return xchg(&v->counter, val);						\
}
__PORT_ATOMIC(atomic, int)
__PORT_ATOMIC(atomic64, s64)
#undef __PORT_ATOMIC

/* Reference counts; misuse warns, as the kernel's does. */
typedef struct {
	atomic_t refs;
} refcount_t;

#define REFCOUNT_INIT(n)	{ .refs = ATOMIC_INIT(n) }

static inline void refcount_set(refcount_t *r, int n)
{
	atomic_set(&r->refs, n);
}

static inline unsigned int refcount_read(const refcount_t *r)
{
	return atomic_read(&r->refs);
}

void refcount_inc(refcount_t *r);
bool __must_check refcount_inc_not_zero(refcount_t *r);
bool __must_check refcount_dec_and_test(refcount_t *r);

/* Locks */
struct mutex {
	pthread_mutex_t lock;
	const void *owner;
};

struct rw_semaphore {
	pthread_rwlock_t lock;
	const void *owner;		/* writer */
	int readers;
};

typedef struct {
	struct mutex mutex;
} spinlock_t;

#define DEFINE_MUTEX(name)	struct mutex name = { .lock = PTHREAD_MUTEX_INITIALIZER }

void mutex_init(struct mutex *m);
void mutex_destroy(struct mutex *m);
void mutex_lock(struct mutex *m);
int mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);
bool mutex_is_locked(struct mutex *m);

/* Waiting writers go before new readers; a thread must not take one twice, even to read. */
void init_rwsem(struct rw_semaphore *sem);
void down_read(struct rw_semaphore *sem);
void up_read(struct rw_semaphore *sem);
void down_write(struct rw_semaphore *sem);
void up_write(struct rw_semaphore *sem);

#define mutex_lock_nested(m, subclass)		((void)(subclass), mutex_lock(m))
#define down_write_nested(sem, subclass)	((void)(subclass), down_write(sem))
#define down_read_nested(sem, subclass)		((void)(subclass), down_read(sem))

#define spin_lock_init(s)	mutex_init(&(s)->mutex)
#define spin_lock(s)		mutex_lock(&(s)->mutex)
#define spin_unlock(s)		mutex_unlock(&(s)->mutex)

bool __port_mutex_held(const struct mutex *m);
bool __port_spin_held(const spinlock_t *s);
bool __port_rwsem_held_read(const struct rw_semaphore *sem);
bool __port_rwsem_held_write(const struct rw_semaphore *sem);
bool __port_rwsem_held(const struct rw_semaphore *sem);

#define lockdep_is_held(l)	_Generic((l),					\
	struct mutex *: __port_mutex_held,					\
	const struct mutex *: __port_mutex_held,				\
	spinlock_t *: __port_spin_held,						\
	struct rw_semaphore *: __port_rwsem_held,				\
	const struct rw_semaphore *: __port_rwsem_held)(l)
#define lockdep_assert_held(l)		((void)WARN_ON(!lockdep_is_held(l)))
#define lockdep_assert_held_write(l)	((void)WARN_ON(!__port_rwsem_held_write(l)))
#define lockdep_assert_held_read(l)	((void)WARN_ON(!__port_rwsem_held_read(l)))

DEFINE_GUARD(mutex, struct mutex *, mutex_lock(_T), mutex_unlock(_T))
DEFINE_GUARD(rwsem_read, struct rw_semaphore *, down_read(_T), up_read(_T))
DEFINE_GUARD(rwsem_write, struct rw_semaphore *, down_write(_T), up_write(_T))
DEFINE_GUARD(spinlock, spinlock_t *, spin_lock(_T), spin_unlock(_T))

#endif /* LUNA_PORT_SYNC_H */
