/* SPDX-License-Identifier: MIT */
#ifndef LUNA_CALLER_H
#define LUNA_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * caller_killed() - whether a thread that waits for us has been killed
 * FUSE tells of any signal; only a deadly one is reason enough to drop a command.
 * @tid: as FUSE has it; 0 is a thread that this PID namespace does not have, of which nothing is known:
 *	it counts as alive, since a command that is carried to its end for nobody costs less than one
 *	that fails for every signal of somebody's
 */
bool caller_killed(pid_t tid);

#endif /* LUNA_CALLER_H */
