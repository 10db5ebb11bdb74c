/* SPDX-License-Identifier: MIT */
#ifndef LUNA_CALLER_H
#define LUNA_CALLER_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * caller_killed() - whether a thread that waits for us has been killed
 * FUSE tells of any signal; only a deadly one is reason enough to drop a command.
 * @tid: as FUSE has it; 0, a thread of another PID namespace, counts as killed
 */
bool caller_killed(pid_t tid);

#endif /* LUNA_CALLER_H */
