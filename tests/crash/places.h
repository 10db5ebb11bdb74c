/* SPDX-License-Identifier: MIT */
/* The two hosts' own ways of keeping a token, on disk_now. */
#ifndef LUNA_TEST_PLACES_H
#define LUNA_TEST_PLACES_H

#include "engine.h"

/**
 * struct place - how a host keeps a token
 * @open: the store of slot 0 and the ops for it, or ERR_PTR()
 */
struct place {
	const char *name;
	void *(*open)(const struct luna_store_ops **ops);
	void (*close)(void *store);
};

extern const struct place daemon_place;		/* fuse/store_file.c, by posix.c */
extern const struct place module_place;		/* kmod/store.c, by kernel.c */

#endif /* LUNA_TEST_PLACES_H */
