/* SPDX-License-Identifier: MIT */
#ifndef LUNA_DAEMONIZE_H
#define LUNA_DAEMONIZE_H

/* daemonize_standard_files() - make sure that no other file gets the number of stderr */
void daemonize_standard_files(void);

/**
 * daemonize_fork() - go on in a child that has its own session
 * To be called before threads, locks and secrets exist. The child keeps stderr until
 * daemonize_ready(), so that it can say why it could not start.
 *
 * Return: in the child 0; in the parent 1 when the child is ready, or the negative errno -ECHILD
 * when it ended before that and has said why.
 */
int daemonize_fork(void);

/* daemonize_ready() - let the parent go, and the terminal; nothing without daemonize_fork() */
void daemonize_ready(void);

#endif /* LUNA_DAEMONIZE_H */
