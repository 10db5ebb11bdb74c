/* SPDX-License-Identifier: MIT */
/*
 * What a daemon that serves tokens may still ask of the system.
 */
#ifndef LUNA_SANDBOX_H
#define LUNA_SANDBOX_H

/**
 * enum sandbox_mode - how firmly
 * @SANDBOX_ON: what is not allowed fails, starting a program ends the daemon
 * @SANDBOX_LOG: system calls that @SANDBOX_ON refuses succeed and are in the audit log; files are
 *	not restricted
 * @SANDBOX_OFF: nothing is restricted
 */
enum sandbox_mode {
	SANDBOX_ON,
	SANDBOX_LOG,
	SANDBOX_OFF,
};

/* A sanitizer's run time needs files and system calls of its own. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANDBOX_DEFAULT SANDBOX_OFF
#else
#define SANDBOX_DEFAULT SANDBOX_ON
#endif

/**
 * sandbox_enter() - lock this process in, for good
 * @mode: how firmly
 * @store: descriptor of the store's directory, the only one that can be written to afterwards
 *
 * No new privileges; of root's capabilities the one to lock memory; Landlock, as far as the kernel
 * has it: files under @store, processes' states under /proc, no TCP, no signals to others; seccomp:
 * an allow-list. To be called with one thread, after mounting and before a token is read.
 *
 * Return: 0 or a negative errno after the reason was reported.
 */
int sandbox_enter(enum sandbox_mode mode, int store);

#endif /* LUNA_SANDBOX_H */
