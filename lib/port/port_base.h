/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Types, attributes, arithmetic, byte order and errors under the kernel's names, for user space.
 *
 * Names that only newer kernels of our range have are left out, so that their use shows here already.
 */
#ifndef LUNA_PORT_BASE_H
#define LUNA_PORT_BASE_H

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/types.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

/* Types */
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;

#define U8_MAX		((u8)~0U)
#define U16_MAX		((u16)~0U)
#define U32_MAX		((u32)~0U)
#define U64_MAX		((u64)~0ULL)
#define S32_MAX		((s32)(U32_MAX >> 1))
#define S32_MIN		((s32)(-S32_MAX - 1))
#define S64_MAX		((s64)(U64_MAX >> 1))

#define SZ_1K		0x00000400
#define SZ_2K		0x00000800
#define SZ_4K		0x00001000
#define SZ_8K		0x00002000
#define SZ_16K		0x00004000
#define SZ_32K		0x00008000
#define SZ_64K		0x00010000
#define SZ_128K		0x00020000
#define SZ_256K		0x00040000
#define SZ_512K		0x00080000
#define SZ_1M		0x00100000

#define BITS_PER_BYTE	8
#define BITS_PER_LONG	(BITS_PER_BYTE * (int)sizeof(long))

/* Attributes */
#define __must_check	__attribute__((__warn_unused_result__))
#undef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))
#define noinline	__attribute__((__noinline__))
#define fallthrough	__attribute__((__fallthrough__))
#define __maybe_unused	__attribute__((__unused__))
#define __printf(f, a)	__attribute__((__format__(__printf__, f, a)))
#define __aligned(n)	__attribute__((__aligned__(n)))
#define __packed	__attribute__((__packed__))
#define __pure		__attribute__((__pure__))
#define __cold		__attribute__((__cold__))
#define __noreturn	__attribute__((__noreturn__))
#ifndef __user
#define __user
#endif
#ifndef __force
#define __force
#endif
#ifndef __counted_by
#define __counted_by(member)
#endif

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define barrier()	__asm__ __volatile__("" : : : "memory")
/* The compiler may not know what @v holds; keeps it from turning masks back into branches. */
#define OPTIMIZER_HIDE_VAR(v)	__asm__("" : "+r"(v))

#define __PORT_PASTE(a, b)	a##b
#define __PASTE(a, b)		__PORT_PASTE(a, b)
#define __UNIQUE_ID(prefix)	__PASTE(__PASTE(prefix, _), __COUNTER__)

/* What the compiler can check */
#define __PORT_ASSERT(expr, msg, ...)	_Static_assert(expr, msg)
#undef static_assert
#define static_assert(expr, ...)	__PORT_ASSERT(expr, ##__VA_ARGS__, #expr)
#define BUILD_BUG_ON(cond)		do { _Static_assert(!(cond), #cond); } while (0)
#define BUILD_BUG_ON_ZERO(cond)		((int)sizeof(struct { int : (-!!(cond)); }))

#define __same_type(a, b)	__builtin_types_compatible_p(typeof(a), typeof(b))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]) + \
				 BUILD_BUG_ON_ZERO(__same_type((a), &(a)[0])))
#define sizeof_field(type, member)	sizeof(((type *)0)->member)
#define offsetofend(type, member)	(offsetof(type, member) + sizeof_field(type, member))
#define container_of(ptr, type, member) ({					\
	void *__port_member = (void *)(ptr);					\
	_Static_assert(__same_type(*(ptr), ((type *)0)->member) ||		\
		       __same_type(*(ptr), void), "container_of: wrong member");	\
	(type *)((char *)__port_member - offsetof(type, member)); })

/* Arithmetic */
/* Operands must agree in being signed, once promoted, or be constants that are not negative. */
#define __port_constant(x)							\
	_Generic(1 ? (void *)((long)(x) * 0) : (int *)0, int *: true, default: false)
#define __port_signed(x)	((typeof((x) + 0))-1 < 1)
#define __port_positive(x)	(__builtin_choose_expr(__port_constant(x), x, -1) > -1)
#define __port_choose(x, op, y)							\
	__port_choose_as(x, op, y, __UNIQUE_ID(__port_x), __UNIQUE_ID(__port_y))
#define __port_choose_as(x, op, y, ux, uy) ({					\
	_Static_assert(__port_signed(x) == __port_signed(y) ||			\
		       __port_positive(x) || __port_positive(y), "signed and unsigned");	\
	typeof(1 ? (x) : (y)) ux = (x), uy = (y);				\
	ux op uy ? ux : uy; })
#define min(x, y)		__port_choose(x, <, y)
#define max(x, y)		__port_choose(x, >, y)
#define min_t(type, x, y)	min((type)(x), (type)(y))
#define max_t(type, x, y)	max((type)(x), (type)(y))
#define min3(x, y, z)		min(min(x, y), z)
#define max3(x, y, z)		max(max(x, y), z)
#define clamp(v, lo, hi)	min(max(v, lo), hi)
#define clamp_t(type, v, lo, hi)	clamp((type)(v), (type)(lo), (type)(hi))
#define swap(a, b) do {								\
	typeof(a) __port_swap = (a);						\
	(a) = (b);								\
	(b) = __port_swap;							\
} while (0)

/* The second operand of these is a power of two, but for DIV_ROUND_UP and roundup. */
#define __port_mask(x, a)	((typeof(x))(a) - 1)
#define ALIGN(x, a)		(((x) + __port_mask(x, a)) & ~__port_mask(x, a))
#define ALIGN_DOWN(x, a)	((x) & ~__port_mask(x, a))
#define IS_ALIGNED(x, a)	(((x) & __port_mask(x, a)) == 0)
#define round_up(x, a)		((((x) - 1) | __port_mask(x, a)) + 1)
#define round_down(x, a)	ALIGN_DOWN(x, a)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define roundup(n, d)		(DIV_ROUND_UP(n, d) * (d))

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK(hi, lo)		((~0UL << (lo)) & (~0UL >> (BITS_PER_LONG - 1 - (hi))))
#define GENMASK_ULL(hi, lo)	((~0ULL << (lo)) & (~0ULL >> (63 - (hi))))

static inline unsigned int hweight32(u32 w)
{
	return __builtin_popcount(w);
}

static inline unsigned int hweight64(u64 w)
{
	return __builtin_popcountll(w);
}

/* The number of the highest bit set, counted from 1; 0 if there is none. */
static inline int fls(unsigned int x)
{
	return x ? 32 - __builtin_clz(x) : 0;
}

static inline int fls64(u64 x)
{
	return x ? 64 - __builtin_clzll(x) : 0;
}

#define ilog2(n)		(fls64(n) - 1)
#define is_power_of_2(n)	((n) != 0 && ((n) & ((n) - 1)) == 0)

static inline __must_check bool __port_overflowed(bool overflowed)
{
	return unlikely(overflowed);
}

#define check_add_overflow(a, b, d)	__port_overflowed(__builtin_add_overflow(a, b, d))
#define check_sub_overflow(a, b, d)	__port_overflowed(__builtin_sub_overflow(a, b, d))
#define check_mul_overflow(a, b, d)	__port_overflowed(__builtin_mul_overflow(a, b, d))

/* Sizes saturate, so that an allocation of the result fails. */
static inline __must_check size_t size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}

static inline __must_check size_t size_mul(size_t a, size_t b)
{
	size_t product;

	return check_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

#define array_size(a, b)		size_mul(a, b)
#define flex_array_size(p, member, n)	size_mul(n, sizeof(*(p)->member))
#define struct_size(p, member, n)	size_add(sizeof(*(p)), flex_array_size(p, member, n))

/* Clamp an index to 0 .. size - 1 also where the processor speculates; @size > 0 below LONG_MAX. */
static inline unsigned long array_index_mask_nospec(unsigned long index, unsigned long size)
{
	OPTIMIZER_HIDE_VAR(index);
	return ~(long)(index | (size - 1UL - index)) >> (BITS_PER_LONG - 1);
}

#define array_index_nospec(index, size) ({					\
	typeof(index) __port_index = (index);					\
	(typeof(index))(__port_index & array_index_mask_nospec(__port_index, size)); })

/* Byte order */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define __port_le(bits, x)	(x)
#define __port_be(bits, x)	__builtin_bswap##bits(x)
#else
#define __port_le(bits, x)	__builtin_bswap##bits(x)
#define __port_be(bits, x)	(x)
#endif

#define cpu_to_le16(x)	((__force __le16)__port_le(16, (u16)(x)))
#define cpu_to_le32(x)	((__force __le32)__port_le(32, (u32)(x)))
#define cpu_to_le64(x)	((__force __le64)__port_le(64, (u64)(x)))
#define cpu_to_be16(x)	((__force __be16)__port_be(16, (u16)(x)))
#define cpu_to_be32(x)	((__force __be32)__port_be(32, (u32)(x)))
#define cpu_to_be64(x)	((__force __be64)__port_be(64, (u64)(x)))
#define le16_to_cpu(x)	((u16)__port_le(16, (__force u16)(__le16)(x)))
#define le32_to_cpu(x)	((u32)__port_le(32, (__force u32)(__le32)(x)))
#define le64_to_cpu(x)	((u64)__port_le(64, (__force u64)(__le64)(x)))
#define be16_to_cpu(x)	((u16)__port_be(16, (__force u16)(__be16)(x)))
#define be32_to_cpu(x)	((u32)__port_be(32, (__force u32)(__be32)(x)))
#define be64_to_cpu(x)	((u64)__port_be(64, (__force u64)(__be64)(x)))

#define __PORT_UNALIGNED(order, bits)						\
static inline u##bits get_unaligned_##order##bits(const void *p)		\
{										\
	u##bits raw;								\
										\
	memcpy(&raw, p, sizeof(raw));						\
	return __port_##order(bits, raw);					\
}										\
										\
static inline void put_unaligned_##order##bits(u##bits val, void *p)		\
{										\
	u##bits raw = __port_##order(bits, val);				\
										\
	memcpy(p, &raw, sizeof(raw));						\
}
__PORT_UNALIGNED(le, 16)
__PORT_UNALIGNED(le, 32)
__PORT_UNALIGNED(le, 64)
__PORT_UNALIGNED(be, 16)
__PORT_UNALIGNED(be, 32)
__PORT_UNALIGNED(be, 64)
#undef __PORT_UNALIGNED

/* Errors in pointers */
#define MAX_ERRNO	4095
#define IS_ERR_VALUE(x)	unlikely((unsigned long)(void *)(x) >= (unsigned long)-MAX_ERRNO)

static inline void * __must_check ERR_PTR(long error)
{
	return (void *)error;
}

static inline long __must_check PTR_ERR(const void *ptr)
{
	return (long)ptr;
}

static inline bool __must_check IS_ERR(const void *ptr)
{
	return IS_ERR_VALUE(ptr);
}

static inline bool __must_check IS_ERR_OR_NULL(const void *ptr)
{
	return !ptr || IS_ERR_VALUE(ptr);
}

static inline void * __must_check ERR_CAST(const void *ptr)
{
	return (void *)ptr;
}

static inline int __must_check PTR_ERR_OR_ZERO(const void *ptr)
{
	return IS_ERR(ptr) ? PTR_ERR(ptr) : 0;
}

#endif /* LUNA_PORT_BASE_H */
