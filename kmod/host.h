/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What main.c decides and others ask for.
 */
#ifndef LUNA_KMOD_HOST_H
#define LUNA_KMOD_HOST_H

#include <linux/types.h>

/* luna_slots() - how many slots there may be; their numbers are below it */
u32 luna_slots(void);

/* luna_slot_start() - plug a slot as the parameters of the module say; like luna_slot_plug() */
int luna_slot_start(u32 slot);

#endif /* LUNA_KMOD_HOST_H */
