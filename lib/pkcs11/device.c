// SPDX-License-Identifier: MIT
/*
 * Open devices and their life; see device.h.
 */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "transport.h"

#define DEVICE_DEAD	0x80000000u

bool p11_device_use(struct p11_device *device)
{
	unsigned int users = atomic_load_explicit(&device->users, memory_order_relaxed);

	do {
		if (users & DEVICE_DEAD)
			return false;
	} while (!atomic_compare_exchange_weak(&device->users, &users, users + 1));
	return true;
}

void p11_device_unuse(struct p11_device *device)
{
	if (atomic_fetch_sub(&device->users, 1) == (DEVICE_DEAD | 1))
		close(device->fd);
}

void p11_device_kill(struct p11_device *device)
{
	/* The one user that counts for being alive goes, once. */
	if (!(atomic_fetch_or(&device->users, DEVICE_DEAD) & DEVICE_DEAD))
		p11_device_unuse(device);
}

bool p11_device_dead(struct p11_device *device)
{
	return atomic_load_explicit(&device->users, memory_order_relaxed) & DEVICE_DEAD;
}

struct p11_device *p11_device_get(struct p11_device *device)
{
	atomic_fetch_add_explicit(&device->references, 1, memory_order_relaxed);
	return device;
}

void p11_device_put(struct p11_device *device)
{
	if (!device || atomic_fetch_sub(&device->references, 1) != 1)
		return;
	p11_device_kill(device);
	pthread_mutex_destroy(&device->lock);
	free(device->mechanisms);
	free(device);
}

void p11_device_saw(struct p11_device *device, uint64_t generation)
{
	uint64_t latest = atomic_load_explicit(&device->generation, memory_order_relaxed);

	/* Replies may overtake each other on their way through threads: never step back. */
	while (generation > latest &&
	       !atomic_compare_exchange_weak(&device->generation, &latest, generation))
		;
}

static bool device_greet(struct p11_device *device)
{
	struct p11_request request = {
		.command = LUNA_GET_INFO,
		.head = &device->info.hdr,
		.size = sizeof(device->info),
	};
	uint32_t most = (uint32_t)(_IOC_SIZEMASK & ~7ul);

	device->ioc_max = sizeof(device->info);
	if (p11_transport(device, &request) != CKR_OK || device->info.abi != LUNA_ABI_VERSION ||
	    device->info.ioc_max < 4096)
		return false;
	if (most > LUNA_IOC_MAX)
		most = LUNA_IOC_MAX;
	device->ioc_max = device->info.ioc_max < most ? device->info.ioc_max & ~7u : most;
	device->op_data_max = LUNA_OP_DATA_MAX;
	if (device->info.features & LUNA_FEATURE_LONG) {
		device->ioc_max = LUNA_IOC_LONG_MAX;
		device->op_data_max = LUNA_OP_DATA_LONG_MAX;
	}
	device->info.provider[sizeof(device->info.provider) - 1] = '\0';
	device->info.host[sizeof(device->info.host) - 1] = '\0';
	return true;
}

/* An id that nobody chose may go unsaid: a device that knows no ids shares nothing anyway. */
static void device_join(struct p11_device *device, const uint8_t *app)
{
	struct luna_app_id arg = { .step = LUNA_APP_JOIN };
	struct p11_request request = {
		.command = LUNA_APP_ID,
		.head = &arg.hdr,
		.size = sizeof(arg),
	};

	if (!p11_app_id(&device->app) && !app)
		return;
	if (app) {
		memcpy(device->app.bytes, app, sizeof(device->app.bytes));
		device->app.chosen = true;
	}
	memcpy(arg.id, device->app.bytes, sizeof(arg.id));
	device->joined = p11_transport(device, &request);
	if (!device->app.chosen)
		device->joined = CKR_OK;
}

struct p11_device *p11_device_open(const char *path, const uint8_t *app)
{
	struct p11_device *device = calloc(1, sizeof(*device));

	if (!device)
		return NULL;
	/* Not told apart by S_ISCHR: a FUSE mount serves the ioctls on a regular file. */
	device->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (device->fd < 0) {
		free(device);
		return NULL;
	}
	pthread_mutex_init(&device->lock, NULL);
	atomic_init(&device->users, 1);
	atomic_init(&device->references, 1);
	if (!device_greet(device)) {
		p11_device_put(device);
		return NULL;
	}
	device_join(device, app);
	return device;
}
