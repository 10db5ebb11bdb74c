// SPDX-License-Identifier: MIT
/*
 * Slot and token functions of PKCS#11.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "library.h"
#include "text.h"

/* How often a blocked C_WaitForSlotEvent looks: the devices have no way to call. */
#define EVENT_POLL_NS	200000000L

CK_RV C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount)
{
	CK_ULONG found = 0, room;
	struct p11_slot *slot;
	struct p11_call call;
	size_t i, count;
	CK_RV rv = p11_begin(&call, __func__);

	if (rv != CKR_OK || !pulCount)
		return p11_end(&call, rv != CKR_OK ? rv : CKR_ARGUMENTS_BAD);
	if (!pSlotList)
		p11_slot_scan();
	room = pSlotList ? *pulCount : 0;
	count = p11_slot_count();
	for (i = 0; i < count; i++) {
		slot = p11_slot_find(i);
		if (tokenPresent && !p11_slot_present(slot))
			continue;
		if (found < room)
			pSlotList[found] = slot->id;
		found++;
	}
	*pulCount = found;
	if (pSlotList && found > room)
		rv = CKR_BUFFER_TOO_SMALL;
	return p11_end(&call, rv);
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slotID, CK_SLOT_INFO_PTR pInfo)
{
	struct luna_slot_info info;
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pInfo)
		rv = CKR_ARGUMENTS_BAD;
	if (rv != CKR_OK)
		return p11_end(&call, rv);
	rv = p11_slot_info(call.slot, &info);
	memset(pInfo, 0, sizeof(*pInfo));
	if (rv == CKR_TOKEN_NOT_PRESENT) {
		/* The slot of a device that is away stays, empty. */
		p11_text_pad(pInfo->slotDescription, sizeof(pInfo->slotDescription),
			     call.slot->path);
		p11_text_pad(pInfo->manufacturerID, sizeof(pInfo->manufacturerID), "");
		pInfo->flags = CKF_REMOVABLE_DEVICE | CKF_HW_SLOT;
		rv = CKR_OK;
	} else if (rv == CKR_OK) {
		memcpy(pInfo->slotDescription, info.slot_description,
		       sizeof(pInfo->slotDescription));
		memcpy(pInfo->manufacturerID, info.manufacturer, sizeof(pInfo->manufacturerID));
		pInfo->flags = info.slot_flags;
		pInfo->hardwareVersion.major = info.hardware_version[0];
		pInfo->hardwareVersion.minor = info.hardware_version[1];
		pInfo->firmwareVersion.major = info.firmware_version[0];
		pInfo->firmwareVersion.minor = info.firmware_version[1];
	}
	return p11_end(&call, rv);
}

static CK_ULONG info_count(uint32_t count)
{
	return count == 0xffffffffu ? CK_UNAVAILABLE_INFORMATION : count;
}

static void token_info(CK_TOKEN_INFO *to, const struct luna_slot_info *from)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->label, from->label, sizeof(to->label));
	memcpy(to->manufacturerID, from->manufacturer, sizeof(to->manufacturerID));
	memcpy(to->model, from->model, sizeof(to->model));
	memcpy(to->serialNumber, from->serial, sizeof(to->serialNumber));
	to->flags = from->token_flags;
	to->ulMaxSessionCount = info_count(from->max_sessions);
	to->ulSessionCount = info_count(from->sessions);
	to->ulMaxRwSessionCount = info_count(from->max_rw_sessions);
	to->ulRwSessionCount = info_count(from->rw_sessions);
	to->ulMaxPinLen = info_count(from->max_pin_len);
	to->ulMinPinLen = info_count(from->min_pin_len);
	to->ulTotalPublicMemory = info_count(from->total_public_memory);
	to->ulFreePublicMemory = info_count(from->free_public_memory);
	to->ulTotalPrivateMemory = info_count(from->total_private_memory);
	to->ulFreePrivateMemory = info_count(from->free_private_memory);
	to->hardwareVersion.major = from->hardware_version[0];
	to->hardwareVersion.minor = from->hardware_version[1];
	to->firmwareVersion.major = from->firmware_version[0];
	to->firmwareVersion.minor = from->firmware_version[1];
	memcpy(to->utcTime, from->utc_time, sizeof(to->utcTime));
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO_PTR pInfo)
{
	struct luna_slot_info info;
	struct p11_call call;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pInfo)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = p11_slot_info(call.slot, &info);
	if (rv == CKR_OK && !(info.slot_flags & CKF_TOKEN_PRESENT))
		rv = CKR_TOKEN_NOT_PRESENT;
	if (rv == CKR_OK)
		token_info(pInfo, &info);
	return p11_end(&call, rv);
}

/* Fetches the mechanisms of @device; its lock is held. */
static CK_RV mechanisms_fetch(struct p11_device *device)
{
	struct luna_mech_list list = { 0 };
	struct p11_request request = {
		.command = LUNA_MECH_LIST,
		.head = &list.hdr,
		.size = sizeof(list),
		.out_max = device->ioc_max - sizeof(list),
		.grow = true,
	};
	CK_RV rv = p11_transport(device, &request);

	if (rv != CKR_OK) {
		free(request.out);
		return rv;
	}
	free(device->mechanisms);
	device->mechanisms = request.out;
	device->mechanism_count = (uint32_t)(request.out_len / sizeof(struct luna_mech_info));
	device->mechanisms_generation = list.hdr.generation;
	return CKR_OK;
}

/*
 * The mechanisms of a slot, from the cache unless a policy may have changed since. On CKR_OK the
 * device is locked, to be unlocked and put by the caller.
 */
static CK_RV mechanisms_get(struct p11_slot *slot, struct p11_device **got)
{
	struct p11_device *device = p11_slot_device(slot);
	CK_RV rv = CKR_OK;

	if (!device)
		return CKR_TOKEN_NOT_PRESENT;
	pthread_mutex_lock(&device->lock);
	if (!device->mechanisms || device->mechanisms_generation != device->generation)
		rv = mechanisms_fetch(device);
	if (rv == CKR_OK) {
		*got = device;
		return CKR_OK;
	}
	pthread_mutex_unlock(&device->lock);
	p11_device_put(device);
	return rv == CKR_DEVICE_REMOVED ? CKR_TOKEN_NOT_PRESENT : rv;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slotID, CK_MECHANISM_TYPE_PTR pMechanismList,
			 CK_ULONG_PTR pulCount)
{
	struct p11_device *device;
	struct p11_call call;
	CK_ULONG room;
	uint32_t i;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pulCount)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mechanisms_get(call.slot, &device);
	if (rv != CKR_OK)
		return p11_end(&call, rv);
	room = *pulCount;
	*pulCount = device->mechanism_count;
	if (pMechanismList && room < device->mechanism_count)
		rv = CKR_BUFFER_TOO_SMALL;
	for (i = 0; pMechanismList && rv == CKR_OK && i < device->mechanism_count; i++)
		pMechanismList[i] = device->mechanisms[i].type;
	pthread_mutex_unlock(&device->lock);
	p11_device_put(device);
	return p11_end(&call, rv);
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR pInfo)
{
	const struct luna_mech_info *row;
	struct p11_device *device;
	struct p11_call call;
	uint32_t i;
	CK_RV rv = p11_begin_slot(&call, __func__, slotID);

	if (rv == CKR_OK && !pInfo)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK)
		rv = mechanisms_get(call.slot, &device);
	if (rv != CKR_OK)
		return p11_end(&call, rv);
	rv = CKR_MECHANISM_INVALID;
	for (i = 0; i < device->mechanism_count; i++) {
		row = &device->mechanisms[i];
		if (row->type != type)
			continue;
		pInfo->ulMinKeySize = row->min_key_size;
		pInfo->ulMaxKeySize = row->max_key_size;
		pInfo->flags = row->flags;
		rv = CKR_OK;
		break;
	}
	pthread_mutex_unlock(&device->lock);
	p11_device_put(device);
	return p11_end(&call, rv);
}

/*
 * One look for an event, which uses it up, so that the call's arguments must be @good. Not a call that
 * lasts while C_WaitForSlotEvent sleeps, or C_Finalize would have to wait for an event too.
 */
static CK_RV event_look(struct p11_call *call, const char *function, bool good, unsigned int *epoch,
			struct p11_slot **slot, bool *present)
{
	CK_RV rv = p11_begin(call, function);

	*slot = NULL;
	if (rv == CKR_OK && *epoch && *epoch != p11_epoch())
		rv = CKR_CRYPTOKI_NOT_INITIALIZED;
	if (rv == CKR_OK && !good)
		rv = CKR_ARGUMENTS_BAD;
	if (rv == CKR_OK) {
		*epoch = p11_epoch();
		*slot = p11_slot_event(present);
	}
	return rv;
}

static CK_RV event_wait(const char *function, CK_FLAGS flags, CK_SLOT_ID *id, CK_VOID_PTR reserved,
			bool *present)
{
	const struct timespec pause = { .tv_nsec = EVENT_POLL_NS };
	struct p11_slot *slot;
	unsigned int epoch = 0;
	struct p11_call call;
	CK_RV rv;

	for (;;) {
		rv = event_look(&call, function, id && !reserved, &epoch, &slot, present);
		if (rv == CKR_OK && slot)
			*id = slot->id;
		else if (rv == CKR_OK && (flags & CKF_DONT_BLOCK))
			rv = CKR_NO_EVENT;
		if (rv != CKR_OK || slot)
			return p11_end(&call, rv);
		p11_end(&call, CKR_OK);
		nanosleep(&pause, NULL);
	}
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR pSlot, CK_VOID_PTR pReserved)
{
	bool present;

	return event_wait(__func__, flags, pSlot, pReserved, &present);
}

/* What happened is told as CKF_TOKEN_PRESENT or 0; nobody public says how the vendor does. */
CK_RV CA_WaitForSlotEvent(CK_FLAGS flags, CK_ULONG_PTR pulHistory, CK_SLOT_ID_PTR pSlotID,
			  CK_VOID_PTR pReserved)
{
	bool present = false;
	CK_RV rv = event_wait(__func__, flags, pSlotID, pReserved, &present);

	if (rv == CKR_OK && pulHistory)
		*pulHistory = present ? CKF_TOKEN_PRESENT : 0;
	return rv;
}
