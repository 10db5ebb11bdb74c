/* SPDX-License-Identifier: MIT */
/*
 * Capabilities and policies, as the functions outside ca_policy.c need them.
 */
#ifndef P11_POLICY_H
#define P11_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>
#include <uapi/luna.h>

#include "session.h"
#include "slot.h"

/**
 * p11_policy_rows() - all capabilities and policies of a scope
 * @rows: set to them, to be freed; may be NULL on error
 * @count: set to their number
 */
CK_RV p11_policy_rows(struct p11_slot *slot, uint32_t scope, struct luna_policy **rows,
		      size_t *count);

/** p11_policy_set() - set policies; @flags as in struct luna_policy_set */
CK_RV p11_policy_set(struct p11_session *session, uint32_t scope, uint32_t flags, CK_ULONG count,
		     const CK_ULONG *ids, const CK_ULONG *values);

#endif /* P11_POLICY_H */
