/* SPDX-License-Identifier: MIT */
/*
 * An open device: one file descriptor, which is this process' application on one token, or with
 * CA_OpenSessionWithAppID one of several.
 *
 * Two counts. References keep the struct; users keep the descriptor, so that its number cannot be
 * reused while another thread is about to call ioctl() on it. A device that has gone is dead for
 * good: the descriptor closes with its last user, and the slot opens the file anew under a new
 * struct.
 */
#ifndef P11_DEVICE_H
#define P11_DEVICE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <luna/cryptoki_v2.h>
#include <uapi/luna.h>

#include "application.h"

#define P11_KNOWN_INITS	256

/**
 * struct p11_device - an open device file
 * @fd: the descriptor
 * @users: calls that are using @fd, plus one while the device is not dead, plus a flag when it is
 * @references: the slot, every session, and calls on their way
 * @generation: latest hdr.generation that a reply brought
 * @logouts: logouts so far; each ended all operations (operation.c)
 * @known_inits: digests of Inits that succeeded, with the generation they succeeded in
 *	(operation.c)
 * @ioc_max: largest buffer to send
 * @op_data_max: most data of one LUNA_OP
 * @info: what LUNA_GET_INFO said
 * @app: the application id that the device was told
 * @joined: what it said to that
 * @next: next in the slot's list of devices under other ids than the process's
 * @lock: protects the rest
 * @mechanisms: rows of LUNA_MECH_LIST as of generation @mechanisms_generation, or NULL
 * @mechanism_count: number of them
 */
struct p11_device {
	int fd;
	atomic_uint users;
	atomic_uint references;
	_Atomic uint64_t generation;
	atomic_uint logouts;
	_Atomic uint64_t known_inits[P11_KNOWN_INITS];
	uint32_t ioc_max;
	uint32_t op_data_max;
	struct luna_info info;
	struct p11_app_id app;
	CK_RV joined;
	struct p11_device *next;
	pthread_mutex_t lock;
	struct luna_mech_info *mechanisms;
	uint32_t mechanism_count;
	uint64_t mechanisms_generation;
};

/**
 * p11_device_open() - open @path and see that it is a device of our ABI
 * @app: the application id to open it under; NULL: that of the process
 * Return: the device with one reference, or NULL.
 */
struct p11_device *p11_device_open(const char *path, const uint8_t *app);

/** p11_device_get() - take another reference; the caller holds one already */
struct p11_device *p11_device_get(struct p11_device *device);

/** p11_device_put() - drop a reference; NULL is allowed */
void p11_device_put(struct p11_device *device);

/** p11_device_use() - begin using the descriptor; false if the device is dead */
bool p11_device_use(struct p11_device *device);

/** p11_device_unuse() - end what p11_device_use() began */
void p11_device_unuse(struct p11_device *device);

/** p11_device_kill() - the device has gone, or is to be closed: nobody begins using it any more */
void p11_device_kill(struct p11_device *device);

/** p11_device_dead() - whether p11_device_kill() was called */
bool p11_device_dead(struct p11_device *device);

/** p11_device_saw() - note the generation of a reply */
void p11_device_saw(struct p11_device *device, uint64_t generation);

#endif /* P11_DEVICE_H */
