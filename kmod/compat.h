/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What differs between the kernels that luna.ko builds for, Linux 6.1 and later: the only place
 * with tests of versions and features, but for the unaligned accesses of lib/token/port.h. Kbuild
 * includes it before everything else, so that the engine's messages begin with our name too.
 */
#ifndef LUNA_KMOD_COMPAT_H
#define LUNA_KMOD_COMPAT_H

#ifndef pr_fmt
#define pr_fmt(fmt) "luna: " fmt
#endif

#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 1, 0)
#error "luna.ko needs Linux 6.1 or later"
#endif

/* Since 6.4 a class and its attributes are const in the attributes' operations. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define luna_class_const const
#else
#define luna_class_const
#endif

/* Locks of files got a header of their own in 6.3. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#else
#include <linux/fs.h>
#endif

/* Locks of files moved their common members in 6.9. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define luna_lock_core(lock) (&(lock)->c)
#define luna_lock_member(member) flc_##member
#else
#define luna_lock_core(lock) (lock)
#define luna_lock_member(member) fl_##member
#endif

/* Flags of mappings became a bitmap in 7.0. */
#include <linux/mm.h>
#ifdef mk_vma_flags
#define luna_vm_noreserve mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define luna_vm_noreserve VM_NORESERVE
#endif

/* A kernel may be built without key agreement, and lack its functions. */
#define luna_alloc_kpp(name)								\
	(IS_REACHABLE(CONFIG_CRYPTO_KPP2) ? crypto_alloc_kpp(name, 0, 0) : ERR_PTR(-ENOENT))

/* The arithmetic of MPIs returned nothing before it returned errors: 0 then. */
#define luna_mpi(call)									\
	__builtin_choose_expr(								\
		__builtin_types_compatible_p(typeof(call), void), ((call), 0), (call))

#endif /* LUNA_KMOD_COMPAT_H */
