// SPDX-License-Identifier: MIT
/*
 * Capabilities and policies of the HSM and of the partition. The device has one list for each of
 * the two scopes; the vendor's many functions are views of them.
 */
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "container.h"
#include "library.h"
#include "log.h"
#include "policy.h"

/* More than any device has; also the most that one call may set. */
#define POLICIES_MAX	1024

/* Size of the caller's buffer for a description, which the old form of the call does not tell. */
#define DESCRIPTION_LEN	64

CK_RV p11_policy_rows(struct p11_slot *slot, uint32_t scope, struct luna_policy **rows,
		      size_t *count)
{
	struct luna_policy_list list = { .scope = scope };
	void *all;
	CK_RV rv = p11_slot_rows(slot, LUNA_POLICY_LIST, &list.hdr, sizeof(list), sizeof(**rows),
				 &all, count);

	*rows = all;
	return rv;
}

/* Which number of a row a function is about. */
enum policy_view { VIEW_CAPABILITY, VIEW_POLICY };

static bool policy_in_view(const struct luna_policy *row, enum policy_view view)
{
	return view == VIEW_CAPABILITY || !(row->flags & LUNA_POLICY_CAPABILITY_ONLY);
}

static uint32_t policy_number(const struct luna_policy *row, enum policy_view view)
{
	return view == VIEW_CAPABILITY ? row->capability : row->value;
}

/*
 * One call that gets a set: arrays of ids and values, each with its size in and its length out. An
 * array that is NULL is not wanted, and with both NULL only the lengths are.
 */
struct policy_set {
	CK_ULONG *ids;
	CK_ULONG *id_count;
	CK_ULONG *values;
	CK_ULONG *value_count;
};

static CK_RV policy_fill(const struct policy_set *set, const struct luna_policy *rows, size_t count,
			 enum policy_view view)
{
	size_t i, n = 0;
	CK_RV rv = CKR_OK;

	for (i = 0; i < count; i++)
		n += policy_in_view(&rows[i], view);
	if ((set->ids && *set->id_count < n) || (set->values && *set->value_count < n))
		rv = CKR_BUFFER_TOO_SMALL;
	for (i = 0, n = 0; i < count; i++) {
		if (!policy_in_view(&rows[i], view))
			continue;
		if (rv == CKR_OK && set->ids)
			set->ids[n] = rows[i].id;
		if (rv == CKR_OK && set->values)
			set->values[n] = policy_number(&rows[i], view);
		n++;
	}
	if (set->id_count)
		*set->id_count = n;
	if (set->value_count)
		*set->value_count = n;
	return rv;
}

static CK_RV policy_get_set(struct p11_call *call, CK_RV rv, uint32_t scope, enum policy_view view,
			    const struct policy_set *set)
{
	struct luna_policy *rows = NULL;
	size_t count;

	if (rv == CKR_OK && ((set->ids && !set->id_count) || (set->values && !set->value_count) ||
			     (!set->id_count && !set->value_count)))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_policy_rows(call->slot, scope, &rows, &count);
	if (rv == CKR_OK)
		rv = policy_fill(set, rows, count, view);
	free(rows);
	return p11_end(call, rv);
}

static const struct luna_policy *policy_find(const struct luna_policy *rows, size_t count,
					     CK_ULONG id, enum policy_view view)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rows[i].id == id && policy_in_view(&rows[i], view))
			return &rows[i];
	p11_log_reason("no such capability or policy");
	return NULL;
}

static CK_RV policy_get_one(struct p11_call *call, CK_RV rv, uint32_t scope, enum policy_view view,
			    CK_ULONG id, CK_ULONG *value)
{
	const struct luna_policy *row;
	struct luna_policy *rows = NULL;
	size_t count;

	if (rv == CKR_OK && !value)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_policy_rows(call->slot, scope, &rows, &count);
	if (rv == CKR_OK) {
		row = policy_find(rows, count, id, view);
		if (row)
			*value = policy_number(row, view);
		else
			rv = CKR_DATA_INVALID;	/* as the device says when it is set */
	}
	free(rows);
	return p11_end(call, rv);
}

CK_RV CA_GetTokenCapabilities(CK_SLOT_ID slotID, CK_ULONG_PTR pulCapIds, CK_ULONG_PTR pulCapIdCount,
			      CK_ULONG_PTR pulCapValues, CK_ULONG_PTR pulCapValueCount)
{
	const struct policy_set set = { pulCapIds, pulCapIdCount, pulCapValues, pulCapValueCount };
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	return policy_get_set(&call, rv, LUNA_SCOPE_PARTITION, VIEW_CAPABILITY, &set);
}

CK_RV CA_GetTokenPolicies(CK_SLOT_ID slotID, CK_ULONG_PTR pulPolicyIds,
			  CK_ULONG_PTR pulPolicyIdCount, CK_ULONG_PTR pulPolicyValues,
			  CK_ULONG_PTR pulPolicyValueCount)
{
	const struct policy_set set = { pulPolicyIds, pulPolicyIdCount, pulPolicyValues,
					pulPolicyValueCount };
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	return policy_get_set(&call, rv, LUNA_SCOPE_PARTITION, VIEW_POLICY, &set);
}

CK_RV CA_GetHSMCapabilitySet(CK_SLOT_ID slotID, CK_ULONG_PTR pulCapIds, CK_ULONG_PTR pulCapIdCount,
			     CK_ULONG_PTR pulCapValues, CK_ULONG_PTR pulCapValueCount)
{
	const struct policy_set set = { pulCapIds, pulCapIdCount, pulCapValues, pulCapValueCount };
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	return policy_get_set(&call, rv, LUNA_SCOPE_HSM, VIEW_CAPABILITY, &set);
}

CK_RV CA_GetHSMCapabilitySetting(CK_SLOT_ID slotID, CK_ULONG ulCapId, CK_ULONG_PTR pulCapValue)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	return policy_get_one(&call, rv, LUNA_SCOPE_HSM, VIEW_CAPABILITY, ulCapId, pulCapValue);
}

CK_RV CA_GetHSMPolicySet(CK_SLOT_ID slotID, CK_ULONG_PTR pulPolicyIds,
			 CK_ULONG_PTR pulPolicyIdCount, CK_ULONG_PTR pulPolicyValues,
			 CK_ULONG_PTR pulPolicyValueCount)
{
	const struct policy_set set = { pulPolicyIds, pulPolicyIdCount, pulPolicyValues,
					pulPolicyValueCount };
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	return policy_get_set(&call, rv, LUNA_SCOPE_HSM, VIEW_POLICY, &set);
}

CK_RV CA_GetHSMPolicySetting(CK_SLOT_ID slotID, CK_ULONG ulPolicyId, CK_ULONG_PTR pulPolicyValue)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	return policy_get_one(&call, rv, LUNA_SCOPE_HSM, VIEW_POLICY, ulPolicyId, pulPolicyValue);
}

CK_RV CA_GetContainerCapabilitySet(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber,
				   CK_ULONG_PTR pulCapIds, CK_ULONG_PTR pulCapIdCount,
				   CK_ULONG_PTR pulCapValues, CK_ULONG_PTR pulCapValueCount)
{
	const struct policy_set set = { pulCapIds, pulCapIdCount, pulCapValues, pulCapValueCount };
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	return policy_get_set(&call, rv, LUNA_SCOPE_PARTITION, VIEW_CAPABILITY, &set);
}

CK_RV CA_GetContainerCapabilitySetting(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber,
				       CK_ULONG ulCapId, CK_ULONG_PTR pulCapValue)
{
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	return policy_get_one(&call, rv, LUNA_SCOPE_PARTITION, VIEW_CAPABILITY, ulCapId,
			      pulCapValue);
}

CK_RV CA_GetContainerPolicySet(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber,
			       CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyIdCount,
			       CK_ULONG_PTR pulPolicyValues, CK_ULONG_PTR pulPolicyValueCount)
{
	const struct policy_set set = { pulPolicyIds, pulPolicyIdCount, pulPolicyValues,
					pulPolicyValueCount };
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	return policy_get_set(&call, rv, LUNA_SCOPE_PARTITION, VIEW_POLICY, &set);
}

CK_RV CA_GetContainerPolicySetting(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber,
				   CK_ULONG ulPolicyId, CK_ULONG_PTR pulPolicyValue)
{
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	return policy_get_one(&call, rv, LUNA_SCOPE_PARTITION, VIEW_POLICY, ulPolicyId,
			      pulPolicyValue);
}

/*
 * The call has two forms: newer clients pass a ninth argument, older ones eight, and then the
 * ninth is whatever the stack or a register holds. Only newer ones ask with a NULL text for its
 * length. So the length is written with a NULL text only, and a text never gets more than the
 * fixed length that older clients know.
 */
CK_RV CA_GetConfigurationElementDescription(CK_SLOT_ID slotID, CK_ULONG ulIsContainerElement,
					    CK_ULONG ulIsCapabilityElement, CK_ULONG ulElementId,
					    CK_ULONG_PTR pulElementBitLength,
					    CK_ULONG_PTR pulElementDestructive,
					    CK_ULONG_PTR pulElementWriteRestricted,
					    CK_CHAR_PTR pDescription,
					    CK_ULONG_PTR pulDescriptionLen)
{
	uint32_t scope = ulIsContainerElement ? LUNA_SCOPE_PARTITION : LUNA_SCOPE_HSM;
	const struct luna_policy *row = NULL;
	struct luna_policy *rows = NULL;
	struct p11_call call;
	size_t count, len;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK)
		rv = p11_policy_rows(call.slot, scope, &rows, &count);
	if (rv == CKR_OK) {
		row = policy_find(rows, count, ulElementId,
				  ulIsCapabilityElement ? VIEW_CAPABILITY : VIEW_POLICY);
		rv = row ? CKR_OK : CKR_DATA_INVALID;
	}
	if (row) {
		if (pulElementBitLength)
			*pulElementBitLength = row->bits;
		if (pulElementDestructive)
			*pulElementDestructive =
				!!(row->flags & (LUNA_POLICY_OFF_TO_ON_DESTRUCTIVE |
						 LUNA_POLICY_ON_TO_OFF_DESTRUCTIVE));
		if (pulElementWriteRestricted)
			*pulElementWriteRestricted = !!(row->flags & LUNA_POLICY_WRITE_RESTRICTED);
		if (pDescription) {
			len = strnlen((const char *)row->name, sizeof(row->name));
			memset(pDescription, 0, len + 1);
			memcpy(pDescription, row->name, len);
			_Static_assert(sizeof(row->name) < DESCRIPTION_LEN, "no room for a NUL");
		} else if (pulDescriptionLen) {
			*pulDescriptionLen = DESCRIPTION_LEN;
		}
	}
	free(rows);
	return p11_end(&call, rv);
}

CK_RV p11_policy_set(struct p11_session *session, uint32_t scope, uint32_t flags, CK_ULONG count,
		     const CK_ULONG *ids, const CK_ULONG *values)
{
	struct luna_policy_set head = { .scope = scope, .flags = flags };
	struct p11_request request = {
		.command = LUNA_POLICY_SET,
		.head = &head.hdr,
		.size = sizeof(head),
	};
	struct p11_buffer pairs;
	uint32_t pair[2];
	CK_ULONG i;
	CK_RV rv;

	if (!count || count > POLICIES_MAX || !ids || !values)
		return CKR_ARGUMENTS_BAD;
	p11_buffer_init(&pairs);
	for (i = 0; i < count; i++) {
		pair[0] = p11_u32(ids[i]);
		pair[1] = p11_u32(values[i]);
		p11_buffer_put(&pairs, pair, sizeof(pair));
	}
	head.count = (uint32_t)count;
	request.in[0].data = pairs.data;
	request.in[0].len = pairs.len;
	rv = pairs.failed ? CKR_HOST_MEMORY : p11_session_call(session, &request);
	p11_buffer_free(&pairs);
	return rv;
}

static CK_RV policy_change(const char *function, CK_SESSION_HANDLE handle, uint32_t scope,
			   uint32_t flags, CK_ULONG count, const CK_ULONG *ids,
			   const CK_ULONG *values)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, function, handle);

	if (rv == CKR_OK)
		rv = p11_policy_set(call.session, scope, flags, count, ids, values);
	return p11_end(&call, rv);
}

CK_RV CA_SetHSMPolicy(CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyId, CK_ULONG ulPolicyValue)
{
	return policy_change(__func__, hSession, LUNA_SCOPE_HSM, 0, 1, &ulPolicyId, &ulPolicyValue);
}

CK_RV CA_SetHSMPolicies(CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyCount,
			CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyValues)
{
	return policy_change(__func__, hSession, LUNA_SCOPE_HSM, 0, ulPolicyCount, pulPolicyIds,
			     pulPolicyValues);
}

CK_RV CA_SetDestructiveHSMPolicy(CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyId,
				 CK_ULONG ulPolicyValue)
{
	return policy_change(__func__, hSession, LUNA_SCOPE_HSM, LUNA_POLICY_SET_DESTRUCTIVE, 1,
			     &ulPolicyId, &ulPolicyValue);
}

CK_RV CA_SetDestructiveHSMPolicies(CK_SESSION_HANDLE hSession, CK_ULONG ulPolicyCount,
				   CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyValues)
{
	return policy_change(__func__, hSession, LUNA_SCOPE_HSM, LUNA_POLICY_SET_DESTRUCTIVE,
			     ulPolicyCount, pulPolicyIds, pulPolicyValues);
}

/* The partition's calls have no destructive twin: they may be either. */
static CK_RV policy_change_partition(const char *function, CK_SESSION_HANDLE handle,
				     const CK_ULONG *container, const CK_SLOT_ID *slot,
				     CK_ULONG count, const CK_ULONG *ids, const CK_ULONG *values)
{
	struct p11_call call;
	CK_RV rv = p11_begin_change(&call, function, handle);

	if (rv == CKR_OK && container)
		rv = p11_check_container(call.slot, *container);
	if (rv == CKR_OK && slot && *slot != call.slot->id)
		rv = CKR_SLOT_ID_INVALID;
	if (rv == CKR_OK)
		rv = p11_policy_set(call.session, LUNA_SCOPE_PARTITION, LUNA_POLICY_SET_DESTRUCTIVE,
				    count, ids, values);
	return p11_end(&call, rv);
}

CK_RV CA_SetContainerPolicy(CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber,
			    CK_ULONG ulPolicyId, CK_ULONG ulPolicyValue)
{
	return policy_change_partition(__func__, hSession, &ulContainerNumber, NULL, 1, &ulPolicyId,
				       &ulPolicyValue);
}

CK_RV CA_SetContainerPolicies(CK_SESSION_HANDLE hSession, CK_ULONG ulContainerNumber,
			      CK_ULONG ulPolicyCount, CK_ULONG_PTR pulPolicyIds,
			      CK_ULONG_PTR pulPolicyValues)
{
	return policy_change_partition(__func__, hSession, &ulContainerNumber, NULL, ulPolicyCount,
				       pulPolicyIds, pulPolicyValues);
}

CK_RV CA_SetTokenPolicies(CK_SESSION_HANDLE hSession, CK_SLOT_ID slotID, CK_ULONG ulPolicyCount,
			  CK_ULONG_PTR pulPolicyIds, CK_ULONG_PTR pulPolicyValues)
{
	return policy_change_partition(__func__, hSession, NULL, &slotID, ulPolicyCount,
				       pulPolicyIds, pulPolicyValues);
}
