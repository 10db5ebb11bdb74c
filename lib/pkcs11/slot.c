// SPDX-License-Identifier: MIT
/*
 * Slots; see slot.h. The table only grows, and an entry is complete before the count says that it
 * is there, so readers (and a forked child) need no lock.
 */
#include "slot.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scan.h"

#define SLOTS_MAX	1024

static struct p11_slot *slots[SLOTS_MAX];
static atomic_size_t slot_count;
static atomic_bool slot_scanned;
static pthread_mutex_t slot_scan_lock = PTHREAD_MUTEX_INITIALIZER;

static struct p11_slot *slot_by_path(const char *path)
{
	size_t i, count = atomic_load(&slot_count);

	for (i = 0; i < count; i++)
		if (!strcmp(slots[i]->path, path))
			return slots[i];
	return NULL;
}

static void slot_visit(const char *path, void *context)
{
	size_t count = atomic_load(&slot_count);
	struct p11_device *device;
	struct p11_slot *slot;

	(void)context;
	if (count == SLOTS_MAX || slot_by_path(path))
		return;
	device = p11_device_open(path, NULL);
	if (!device)
		return;
	slot = calloc(1, sizeof(*slot));
	if (slot)
		slot->path = strdup(path);
	if (!slot || !slot->path) {
		free(slot);
		p11_device_put(device);
		return;
	}
	slot->id = count;
	pthread_mutex_init(&slot->lock, NULL);
	atomic_init(&slot->device, device);
	/* What the first search finds is no event, what a later one finds is. */
	slot->seen = !atomic_load(&slot_scanned);
	slot->known = true;
	slots[count] = slot;
	atomic_store(&slot_count, count + 1);
}

void p11_slot_scan(void)
{
	pthread_mutex_lock(&slot_scan_lock);
	p11_scan(slot_visit, NULL);
	atomic_store(&slot_scanned, true);
	pthread_mutex_unlock(&slot_scan_lock);
}

size_t p11_slot_count(void)
{
	if (!atomic_load(&slot_scanned))
		p11_slot_scan();
	return atomic_load(&slot_count);
}

struct p11_slot *p11_slot_find(CK_SLOT_ID id)
{
	return id < p11_slot_count() ? slots[id] : NULL;
}

bool p11_slot_open_device(struct p11_slot *slot, size_t index, struct p11_device **device)
{
	struct p11_device *found;
	bool there;

	pthread_mutex_lock(&slot->lock);
	found = index ? slot->others : atomic_load(&slot->device);
	for (there = !index || found; found && index > 1; index--) {
		found = found->next;
		there = found;
	}
	*device = found && !p11_device_dead(found) ? p11_device_get(found) : NULL;
	pthread_mutex_unlock(&slot->lock);
	return there;
}

static void slot_reset(struct p11_device *device)
{
	/* close() would do it too, but a FUSE daemon hears of that only some time later. */
	p11_transport_plain(device, LUNA_RESET, 0, NULL, 0);
	p11_device_kill(device);
}

/* With the lock. A device that was told another id than the process has now has no sessions. */
static struct p11_device *slot_device(struct p11_slot *slot)
{
	struct p11_device *device = atomic_load(&slot->device);

	if (device && !p11_device_dead(device) && device->app.epoch != p11_app_epoch())
		slot_reset(device);
	if (!device || p11_device_dead(device)) {
		p11_device_put(device);
		device = p11_device_open(slot->path, NULL);
		atomic_store(&slot->device, device);
	}
	return device;
}

/* With the lock. A live device takes the place of a dead one. */
static struct p11_device *slot_device_as(struct p11_slot *slot, const uint8_t *app)
{
	struct p11_device *device, **link;

	for (link = &slot->others; *link; link = &(*link)->next)
		if (!memcmp((*link)->app.bytes, app, LUNA_APP_ID_LEN))
			break;
	if (*link && !p11_device_dead(*link))
		return *link;
	device = p11_device_open(slot->path, app);
	if (!device)
		return NULL;
	if (*link) {
		device->next = (*link)->next;
		p11_device_put(*link);
	}
	*link = device;
	return device;
}

static struct p11_device *slot_get(struct p11_slot *slot, const uint8_t *app)
{
	struct p11_device *device;

	pthread_mutex_lock(&slot->lock);
	device = app ? slot_device_as(slot, app) : slot_device(slot);
	if (device)
		p11_device_get(device);
	pthread_mutex_unlock(&slot->lock);
	return device;
}

struct p11_device *p11_slot_device(struct p11_slot *slot)
{
	return slot_get(slot, NULL);
}

CK_RV p11_slot_call_as(struct p11_slot *slot, const uint8_t *app, struct p11_request *request,
		       struct p11_device **used)
{
	struct p11_device *device;
	struct p11_app_id own;
	int attempt;
	CK_RV rv;

	if (app && p11_app_id(&own) && !memcmp(own.bytes, app, sizeof(own.bytes)))
		app = NULL;
	for (attempt = 0; attempt < 2; attempt++) {
		device = slot_get(slot, app);
		if (!device)
			break;
		rv = p11_transport(device, request);
		if (rv != CKR_DEVICE_REMOVED) {
			if (used)
				*used = device;
			else
				p11_device_put(device);
			return rv;
		}
		p11_device_put(device);
	}
	return CKR_TOKEN_NOT_PRESENT;
}

CK_RV p11_slot_call(struct p11_slot *slot, struct p11_request *request, struct p11_device **used)
{
	return p11_slot_call_as(slot, NULL, request, used);
}

CK_RV p11_slot_info(struct p11_slot *slot, struct luna_slot_info *info)
{
	struct p11_request request = {
		.command = LUNA_SLOT_INFO,
		.head = &info->hdr,
		.size = sizeof(*info),
	};

	memset(info, 0, sizeof(*info));
	return p11_slot_call(slot, &request, NULL);
}

/* C_Initialize clears all events: what the first look after it finds is none. */
bool p11_slot_present(struct p11_slot *slot)
{
	struct luna_slot_info info;
	bool present = p11_slot_info(slot, &info) == CKR_OK && (info.slot_flags & CKF_TOKEN_PRESENT);

	pthread_mutex_lock(&slot->lock);
	if (!slot->known)
		slot->seen = present;
	slot->known = true;
	pthread_mutex_unlock(&slot->lock);
	return present;
}

struct p11_slot *p11_slot_event(bool *present)
{
	size_t i, count;
	bool changed;

	if (!atomic_load(&slot_scanned))
		p11_slot_scan();
	p11_slot_scan();
	count = atomic_load(&slot_count);
	for (i = 0; i < count; i++) {
		*present = p11_slot_present(slots[i]);
		pthread_mutex_lock(&slots[i]->lock);
		changed = slots[i]->seen != *present;
		slots[i]->seen = *present;
		pthread_mutex_unlock(&slots[i]->lock);
		if (changed)
			return slots[i];
	}
	return NULL;
}

static void slot_close(struct p11_device *device)
{
	if (device)
		slot_reset(device);
	p11_device_put(device);
}

void p11_slot_close_all(void)
{
	size_t i, count = atomic_load(&slot_count);
	struct p11_device *device, *others, *next;

	for (i = 0; i < count; i++) {
		pthread_mutex_lock(&slots[i]->lock);
		device = atomic_exchange(&slots[i]->device, NULL);
		others = slots[i]->others;
		slots[i]->others = NULL;
		slots[i]->known = false;
		pthread_mutex_unlock(&slots[i]->lock);
		slot_close(device);
		for (; others; others = next) {
			next = others->next;
			slot_close(others);
		}
	}
}

/* Not put: threads of the parent held references that nobody drops here. */
static void slot_abandon(struct p11_device *device)
{
	if (device && !p11_device_dead(device))
		close(device->fd);
}

void p11_slot_after_fork(void)
{
	size_t i, count = atomic_load(&slot_count);
	struct p11_device *device;

	pthread_mutex_init(&slot_scan_lock, NULL);
	for (i = 0; i < count; i++) {
		pthread_mutex_init(&slots[i]->lock, NULL);
		device = atomic_exchange(&slots[i]->device, NULL);
		slot_abandon(device);
		slots[i]->inherited = device;
		slots[i]->inherited_others = slots[i]->others;
		slots[i]->others = NULL;
		slots[i]->known = false;
		for (device = slots[i]->inherited_others; device; device = device->next)
			slot_abandon(device);
	}
}

CK_RV p11_slot_rows(struct p11_slot *slot, unsigned int command, struct luna_hdr *head, size_t size,
		    size_t row_size, void **rows, size_t *count)
{
	struct p11_request request = {
		.command = command,
		.head = head,
		.size = size,
		.out_max = LUNA_IOC_MAX,
		.out_hint = LUNA_IOC_MAX - size,
		.grow = true,
	};
	CK_RV rv = p11_slot_call(slot, &request, NULL);

	*rows = request.out;
	*count = request.out_len / row_size;
	return rv;
}
