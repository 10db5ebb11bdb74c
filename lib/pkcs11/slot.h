/* SPDX-License-Identifier: MIT */
/*
 * The slots of this process: one for each device file that was ever found. Slot ids are the order
 * in which they were found (scan.h); a path keeps its id as long as the process lives, whether or
 * not its device is there at the moment, and through C_Finalize.
 */
#ifndef P11_SLOT_H
#define P11_SLOT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <luna/cryptoki_v2.h>

#include "device.h"
#include "transport.h"

/**
 * struct p11_slot - a slot; never freed
 * @id: its id
 * @path: its device file
 * @lock: protects the rest
 * @device: the open device, dead or alive; NULL if none is open
 * @others: devices that CA_OpenSessionWithAppID opened under other ids than the process's
 * @inherited, @inherited_others: in a forked child, the parent's device, which is memory and nothing more
 * @known: since C_Initialize somebody has looked whether the token is present
 * @seen: whether it was, when C_WaitForSlotEvent last looked, or when it became known
 */
struct p11_slot {
	CK_SLOT_ID id;
	char *path;
	pthread_mutex_t lock;
	struct p11_device *_Atomic device;
	struct p11_device *others;
	struct p11_device *inherited;
	struct p11_device *inherited_others;
	bool known;
	bool seen;
};

/** p11_slot_scan() - search for new devices (C_GetSlotList with a NULL list) */
void p11_slot_scan(void);

/** p11_slot_count() - number of slots; searches if that was never done */
size_t p11_slot_count(void);

/** p11_slot_find() - the slot with this id, or NULL; searches if that was never done */
struct p11_slot *p11_slot_find(CK_SLOT_ID id);

/**
 * p11_slot_device() - the live device of @slot, opened if need be
 * Return: a reference for the caller, or NULL if there is no device now.
 */
struct p11_device *p11_slot_device(struct p11_slot *slot);

/**
 * p11_slot_open_device() - the live devices that are open already
 * @index: counts from 0, which is that of p11_slot_device(); the others follow
 * @device: a reference for the caller; NULL if this one is dead or not open
 * Return: false if there is none of this index.
 */
bool p11_slot_open_device(struct p11_slot *slot, size_t index, struct p11_device **device);

/**
 * p11_slot_call() - carry a command that needs no session
 * If the device turns out to have gone, the file is opened anew and the command sent once more: a
 * daemon that was restarted is noticed without the caller seeing an error.
 *
 * @used: if not NULL, set to a reference to the device that carried the command, when it was
 *	carried
 * Return: as p11_transport(), with CKR_TOKEN_NOT_PRESENT for a device that is not there.
 */
CK_RV p11_slot_call(struct p11_slot *slot, struct p11_request *request, struct p11_device **used);

/** p11_slot_call_as() - p11_slot_call() under another application id; NULL: the process's own */
CK_RV p11_slot_call_as(struct p11_slot *slot, const uint8_t *app, struct p11_request *request,
		       struct p11_device **used);

/**
 * p11_slot_rows() - p11_slot_call() with a command whose reply is a list of rows
 * @head: the command's struct, @size bytes
 * @row_size: bytes of a row
 * @rows: all of them, to be freed; NULL if there are none
 */
CK_RV p11_slot_rows(struct p11_slot *slot, unsigned int command, struct luna_hdr *head, size_t size,
		    size_t row_size, void **rows, size_t *count);

/** p11_slot_info() - LUNA_SLOT_INFO */
CK_RV p11_slot_info(struct p11_slot *slot, struct luna_slot_info *info);

/** p11_slot_present() - whether the slot has a token now */
bool p11_slot_present(struct p11_slot *slot);

/**
 * p11_slot_event() - find a slot whose token came or went since the last look
 * @present: set to what it is now
 * Return: the slot, or NULL.
 */
struct p11_slot *p11_slot_event(bool *present);

/** p11_slot_close_all() - C_Finalize: end the application on every device and close it */
void p11_slot_close_all(void);

/**
 * p11_slot_after_fork() - in the child: close the parent's descriptors, without a word to the
 * device
 */
void p11_slot_after_fork(void);

#endif /* P11_SLOT_H */
