/* SPDX-License-Identifier: MIT */
/*
 * The directory of a store, which is one daemon's at a time.
 */
#ifndef LUNA_STORE_DIR_H
#define LUNA_STORE_DIR_H

/**
 * struct store_dir - a directory that this process holds
 * @path: for messages
 * @fd: everything in it is opened relative to this
 * @lock: the descriptor whose flock(2) says that it is ours
 */
struct store_dir {
	char *path;
	int fd;
	int lock;
};

/**
 * store_dir_open() - make a directory this process' store
 * @path: absolute; is created with its parents (0700) if missing, and refused if it belongs to
 *	someone else or others may write to it
 *
 * Return: the store, or ERR_PTR() after the reason was reported: -EBUSY if another daemon has it.
 */
struct store_dir *store_dir_open(const char *path);

/* store_dir_close() - give the directory up; its files must be closed */
void store_dir_close(struct store_dir *dir);

#endif /* LUNA_STORE_DIR_H */
