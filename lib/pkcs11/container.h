/* SPDX-License-Identifier: MIT */
/*
 * Containers are the vendor's word for partitions in function names. One device is one partition,
 * and its number is what LUNA_SLOT_INFO says.
 */
#ifndef P11_CONTAINER_H
#define P11_CONTAINER_H

#include <luna/cryptoki_v2.h>

#include "library.h"

/** p11_check_container() - CKR_CONTAINER_HANDLE_INVALID for a number neither 0 nor the slot's */
CK_RV p11_check_container(struct p11_slot *slot, CK_ULONG container);

/**
 * p11_begin_container() - as p11_begin_slot(), for calls that also name a container
 * Return: also what p11_check_container() says.
 */
CK_RV p11_begin_container(struct p11_call *call, const char *function, CK_SLOT_ID slot,
			  CK_ULONG container);

#endif /* P11_CONTAINER_H */
