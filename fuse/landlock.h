/* SPDX-License-Identifier: MIT */
#ifndef LUNA_LANDLOCK_H
#define LUNA_LANDLOCK_H

/**
 * landlock_enter() - leave this process one directory to write to
 * @store: descriptor of that directory
 *
 * Files of processes under /proc can still be read. As far as the kernel's Landlock goes, TCP,
 * abstract sockets and signals to processes outside end too. With no Landlock in the kernel it does
 * nothing. PR_SET_NO_NEW_PRIVS must be set.
 *
 * Return: 0 or a negative errno.
 */
int landlock_enter(int store);

#endif /* LUNA_LANDLOCK_H */
