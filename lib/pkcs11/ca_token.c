// SPDX-License-Identifier: MIT
/*
 * What the vendor's functions tell about a token and its partition, and CA_InitToken.
 */
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "library.h"
#include "pin.h"
#include "policy.h"
#include "text.h"

/* Partition policy: failed logins of crypto officer and crypto user before they are locked out. */
#define POLICY_MAX_FAILED_LOGINS	20

/* The same for the security officer, whom no policy covers. */
#define SO_MAX_FAILED_LOGINS		10

/* Status flags of a partition, as the vendor's clients know them. */
#define STATUS_CONTAINER_ACTIVATED	0x00000001u
#define STATUS_LIMITED_USER_ACTIVATED	0x00000002u
#define STATUS_USER_PIN_LOCKED		0x00040000u
#define STATUS_LIMITED_USER_CREATED	0x00200000u

CK_RV p11_check_container(struct p11_slot *slot, CK_ULONG container)
{
	struct luna_slot_info info;
	CK_RV rv;

	if (!container)
		return CKR_OK;
	rv = p11_slot_info(slot, &info);
	if (rv == CKR_OK && container != info.container)
		rv = CKR_CONTAINER_HANDLE_INVALID;
	return rv;
}

CK_RV p11_begin_container(struct p11_call *call, const char *function, CK_SLOT_ID slot,
			  CK_ULONG container)
{
	CK_RV rv = p11_begin_slot(call, function, slot);

	return rv == CKR_OK ? p11_check_container(call->slot, container) : rv;
}

/* Begins a call that is about to tell something of LUNA_SLOT_INFO. */
static CK_RV begin_info(struct p11_call *call, const char *function, CK_SLOT_ID slot,
			CK_ULONG container, struct luna_slot_info *info)
{
	CK_RV rv = p11_begin_slot(call, function, slot);

	if (rv == CKR_OK)
		rv = p11_slot_info(call->slot, info);
	if (rv == CKR_OK && container && container != info->container)
		rv = CKR_CONTAINER_HANDLE_INVALID;
	return rv;
}

/* What a caller does not want to know he passes NULL for. */
static void tell(CK_ULONG *to, CK_ULONG value)
{
	if (to)
		*to = value;
}

static CK_RV firmware_version(const char *function, CK_SLOT_ID slot, CK_ULONG *major,
			      CK_ULONG *minor, CK_ULONG *sub_minor)
{
	struct p11_device *device = NULL;
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, function, slot);

	if (rv == CKR_OK) {
		device = p11_slot_device(call.slot);
		rv = device ? CKR_OK : CKR_TOKEN_NOT_PRESENT;
	}
	if (rv == CKR_OK) {
		tell(major, device->info.firmware[0]);
		tell(minor, device->info.firmware[1]);
		tell(sub_minor, device->info.firmware[2]);
	}
	p11_device_put(device);
	return p11_end(&call, rv);
}

CK_RV CA_GetFirmwareVersion(CK_SLOT_ID slotID, CK_ULONG_PTR pulMajor, CK_ULONG_PTR pulMinor,
			    CK_ULONG_PTR pulSubMinor)
{
	return firmware_version(__func__, slotID, pulMajor, pulMinor, pulSubMinor);
}

CK_RV CA_GetCVFirmwareVersion(CK_SLOT_ID slotID, CK_ULONG_PTR pulMajor, CK_ULONG_PTR pulMinor,
			      CK_ULONG_PTR pulSubMinor)
{
	return firmware_version(__func__, slotID, pulMajor, pulMinor, pulSubMinor);
}

CK_RV CA_GetUserContainerNumber(CK_SLOT_ID slotID, CK_ULONG_PTR pulContainerNumber)
{
	struct luna_slot_info info;
	struct p11_call call;
	CK_RV rv = begin_info(&call, __func__, slotID, 0, &info);

	if (rv == CKR_OK && !pulContainerNumber)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		*pulContainerNumber = info.container;
	return p11_end(&call, rv);
}

/* A partition is named as its token is labelled. */
static CK_RV container_name(const char *function, CK_SLOT_ID slot, CK_ULONG container,
			    CK_BYTE *name, CK_ULONG *name_len)
{
	struct luna_slot_info info;
	struct p11_call call;
	CK_RV rv = begin_info(&call, function, slot, container, &info);

	if (rv == CKR_OK && !name_len)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_result_bytes(info.label, p11_text_len(info.label, sizeof(info.label)),
				      name, name_len);
	return p11_end(&call, rv);
}

CK_RV CA_GetUserContainerName(CK_SLOT_ID slotID, CK_BYTE_PTR pName, CK_ULONG_PTR pulNameLen)
{
	return container_name(__func__, slotID, 0, pName, pulNameLen);
}

CK_RV CA_GetContainerName(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber, CK_BYTE_PTR pName,
			  CK_ULONG_PTR pulNameLen)
{
	return container_name(__func__, slotID, ulContainerNumber, pName, pulNameLen);
}

CK_RV CA_GetContainerList(CK_SLOT_ID slotID, CK_ULONG ulGroupNumber, CK_ULONG ulContainerType,
			  CK_ULONG_PTR pulContainerNumbers, CK_ULONG_PTR pulContainerCount)
{
	struct luna_slot_info info;
	struct p11_call call;
	CK_ULONG room;
	CK_RV rv = begin_info(&call, __func__, slotID, 0, &info);

	(void)ulGroupNumber;
	(void)ulContainerType;
	if (rv == CKR_OK && !pulContainerCount)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK) {
		room = *pulContainerCount;
		*pulContainerCount = 1;
		if (pulContainerNumbers && !room)
			rv = CKR_BUFFER_TOO_SMALL;
		else if (pulContainerNumbers)
			*pulContainerNumbers = info.container;
	}
	return p11_end(&call, rv);
}

/* Failed logins of a role, and its flags; a role that does not exist has had none. */
static CK_RV role_failures(struct p11_slot *slot, uint32_t role, CK_ULONG most, uint32_t *flags,
			   CK_ULONG *failures)
{
	struct luna_role_state state = { .role = role };
	struct p11_request request = {
		.command = LUNA_ROLE_STATE,
		.head = &state.hdr,
		.size = sizeof(state),
	};
	CK_RV rv = p11_slot_call(slot, &request, NULL);

	*flags = 0;
	*failures = 0;
	if (rv == CKR_USER_TYPE_INVALID)
		return CKR_OK;
	if (rv != CKR_OK)
		return rv;
	*flags = state.flags;
	if ((state.flags & CAF_ROLE_STATE_INITIALIZED) && state.attempts_left < most)
		*failures = most - state.attempts_left;
	return CKR_OK;
}

static CK_RV failed_logins_max(struct p11_slot *slot, CK_ULONG *most)
{
	struct luna_policy *rows;
	size_t i, count;
	CK_RV rv = p11_policy_rows(slot, LUNA_SCOPE_PARTITION, &rows, &count);

	*most = SO_MAX_FAILED_LOGINS;
	for (i = 0; rv == CKR_OK && i < count; i++)
		if (rows[i].id == POLICY_MAX_FAILED_LOGINS)
			*most = rows[i].value;
	free(rows);
	return rv;
}

static CK_RV token_status(struct p11_slot *slot, CK_ULONG *status, CK_ULONG *so_failures,
			  CK_ULONG *user_failures, CK_ULONG *limited_failures)
{
	CK_ULONG most, so, user, limited, flags = 0;
	uint32_t so_state, user_state, limited_state;
	CK_RV rv = failed_logins_max(slot, &most);

	if (rv == CKR_OK)
		rv = role_failures(slot, CKU_SO, SO_MAX_FAILED_LOGINS, &so_state, &so);
	if (rv == CKR_OK)
		rv = role_failures(slot, CKU_USER, most, &user_state, &user);
	if (rv == CKR_OK)
		rv = role_failures(slot, (uint32_t)CKU_LIMITED_USER, most, &limited_state,
				   &limited);
	if (rv != CKR_OK)
		return rv;
	if (user_state & CAF_ROLE_STATE_ACTIVATED)
		flags |= STATUS_CONTAINER_ACTIVATED;
	if (user_state & CAF_ROLE_STATE_LOCKED_OUT)
		flags |= STATUS_USER_PIN_LOCKED;
	if (limited_state & CAF_ROLE_STATE_ACTIVATED)
		flags |= STATUS_LIMITED_USER_ACTIVATED;
	if (limited_state & CAF_ROLE_STATE_INITIALIZED)
		flags |= STATUS_LIMITED_USER_CREATED;
	tell(status, flags);
	tell(so_failures, so);
	tell(user_failures, user);
	tell(limited_failures, limited);
	return CKR_OK;
}

CK_RV CA_GetTokenStatus(CK_SLOT_ID slotID, CK_ULONG_PTR pulStatusFlags,
			CK_ULONG_PTR pulFailedSoLogins, CK_ULONG_PTR pulFailedUserLogins)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK)
		rv = token_status(call.slot, pulStatusFlags, pulFailedSoLogins, pulFailedUserLogins,
				  NULL);
	return p11_end(&call, rv);
}

CK_RV CA_GetContainerStatus(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber,
			    CK_ULONG_PTR pulStatusFlags, CK_ULONG_PTR pulFailedSoLogins,
			    CK_ULONG_PTR pulFailedUserLogins,
			    CK_ULONG_PTR pulFailedLimitedUserLogins)
{
	struct p11_call call;
	CK_RV rv = p11_begin_container(&call, __func__, slotID, ulContainerNumber);

	if (rv == CKR_OK)
		rv = token_status(call.slot, pulStatusFlags, pulFailedSoLogins, pulFailedUserLogins,
				  pulFailedLimitedUserLogins);
	return p11_end(&call, rv);
}

/* The overhead of a partition is not told by the device, and is none that a client could use. */
static CK_RV storage_information(struct p11_call *call, CK_RV rv, const struct luna_slot_info *info,
				 CK_ULONG *overhead, CK_ULONG *total, CK_ULONG *used,
				 CK_ULONG *unused)
{
	CK_ULONG all = info->total_private_memory, taken = (CK_ULONG)info->used_bytes;

	if (rv == CKR_OK) {
		if (all == 0xffffffffu)
			all = CK_UNAVAILABLE_INFORMATION;
		tell(overhead, 0);
		tell(total, all);
		tell(used, taken);
		if (info->free_private_memory != 0xffffffffu)
			tell(unused, info->free_private_memory);
		else
			tell(unused, CK_UNAVAILABLE_INFORMATION);
	}
	return p11_end(call, rv);
}

CK_RV CA_GetHSMStorageInformation(CK_SLOT_ID slotID, CK_ULONG_PTR pulContainerOverhead,
				  CK_ULONG_PTR pulTotal, CK_ULONG_PTR pulUsed, CK_ULONG_PTR pulFree)
{
	struct luna_slot_info info = { 0 };
	struct p11_call call;
	CK_RV rv = begin_info(&call, __func__, slotID, 0, &info);

	return storage_information(&call, rv, &info, pulContainerOverhead, pulTotal, pulUsed,
				   pulFree);
}

CK_RV CA_GetTokenStorageInformation(CK_SLOT_ID slotID, CK_ULONG_PTR pulContainerOverhead,
				    CK_ULONG_PTR pulTotal, CK_ULONG_PTR pulUsed,
				    CK_ULONG_PTR pulFree, CK_ULONG_PTR pulObjectCount)
{
	struct luna_slot_info info = { 0 };
	struct p11_call call;
	CK_RV rv = begin_info(&call, __func__, slotID, 0, &info);

	if (rv == CKR_OK)
		tell(pulObjectCount, info.objects);
	return storage_information(&call, rv, &info, pulContainerOverhead, pulTotal, pulUsed,
				   pulFree);
}

CK_RV CA_GetContainerStorageInformation(CK_SLOT_ID slotID, CK_ULONG ulContainerNumber,
					CK_ULONG_PTR pulContainerOverhead, CK_ULONG_PTR pulTotal,
					CK_ULONG_PTR pulUsed, CK_ULONG_PTR pulFree,
					CK_ULONG_PTR pulObjectCount)
{
	struct luna_slot_info info = { 0 };
	struct p11_call call;
	CK_RV rv = begin_info(&call, __func__, slotID, ulContainerNumber, &info);

	if (rv == CKR_OK)
		tell(pulObjectCount, info.objects);
	return storage_information(&call, rv, &info, pulContainerOverhead, pulTotal, pulUsed,
				   pulFree);
}

/* Slot ids are this library's own, so a reader's number is the slot's id. */
CK_RV CA_GetSlotIdForPhysicalSlot(CK_ULONG ulPhysicalSlot, CK_SLOT_ID_PTR pSlotID)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, ulPhysicalSlot);

	if (rv == CKR_OK && !pSlotID)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		*pSlotID = call.slot->id;
	return p11_end(&call, rv);
}

CK_RV CT_HsmIdFromSlotId(CK_SLOT_ID slotID, unsigned int *pHsmID)
{
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pHsmID)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		*pHsmID = (unsigned int)call.slot->id;
	return p11_end(&call, rv);
}

CK_RV CA_InitToken(CK_SLOT_ID slotID, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen,
		   CK_UTF8CHAR_PTR pLabel, CK_BYTE_PTR pDomain, CK_ULONG ulDomainLen,
		   CK_ULONG ulHsmPolicyCount, CK_POLICY_INFO_PTR pHsmPolicies,
		   CK_ULONG ulPartitionPolicyCount, CK_POLICY_INFO_PTR pPartitionPolicies)
{
	uint8_t domain[P11_DOMAIN_MAX];
	struct p11_token_init init = {
		.pin = pPin,
		.pin_len = ulPinLen,
		.label = pLabel,
		.domain = pDomain,
		.domain_len = ulDomainLen,
		.hsm = pHsmPolicies,
		.hsm_count = ulHsmPolicyCount,
		.partition = pPartitionPolicies,
		.partition_count = ulPartitionPolicyCount,
	};
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && ((ulHsmPolicyCount && !pHsmPolicies) ||
			     (ulPartitionPolicyCount && !pPartitionPolicies)))
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK && !pDomain && !ulDomainLen) {
		init.domain = domain;
		init.domain_len = p11_domain(domain, sizeof(domain));
	}
	if (rv == CKR_OK)
		rv = p11_token_initialize(call.slot, &init);
	if (init.domain == domain)
		explicit_bzero(domain, init.domain_len);
	return p11_end(&call, rv);
}
