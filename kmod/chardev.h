/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The character devices /dev/luna0, /dev/luna1 and so on, one for each slot.
 */
#ifndef LUNA_KMOD_CHARDEV_H
#define LUNA_KMOD_CHARDEV_H

#include "engine.h"

enum { LUNA_SLOTS_MAX = 64 };

/* luna_chardev_init() - register class and numbers; 0 or a negative errno */
int luna_chardev_init(void);

/* luna_chardev_exit() - give them back; all slots are unplugged */
void luna_chardev_exit(void);

/**
 * luna_slot_plug() - load the token of a slot and make its device
 * @config: copied
 * Return: 0; -EEXIST if it is plugged already; the errno of the store or of the engine, said in the
 * log.
 */
int luna_slot_plug(const struct luna_config *config);

/**
 * luna_slot_unplug() - take a slot's device away and close its token, also while it is open
 * Open files get -ENODEV from then on. Waits for the commands under way, which may be the
 * generation of a long key; with @killable until the caller is killed.
 * Return: 0; -ENODEV if the slot is not plugged; -EINTR if the caller was killed: it is as it was.
 */
int luna_slot_unplug(u32 slot, bool killable);

#endif /* LUNA_KMOD_CHARDEV_H */
